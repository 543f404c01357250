package sandbox_test

import (
	"encoding/json"
	"net/netip"
	"os"
	"strings"
	"testing"

	. "halligan/internal/sandbox"
	"halligan/internal/testenv"
)

// vector is one of the published questions about lockout, worked by hand from
// Microsoft's pages, as far as a judge of single points needs it.
type vector struct {
	ID, Title string
	Tenant    Object
	Accounts  []Object
	Query     struct {
		Kind, Goal, Account string
		Quantifiers         map[string]struct{ ForAll, Exists any }
	}
	Expect struct {
		Verdict               string
		DenyPoint, AllowPoint map[string]any
	}
}

// Each vector that asks for a proof becomes points: PROVED means that the
// evaluator lets the person in at every point of the environment, read against
// them; LOCKOUT that there is a point where it does not, read for them.
func TestEvaluatorAgreesWithTheVectors(t *testing.T) {
	data, err := os.ReadFile(testenv.Folder(t, "HALLIGAN_VECTORS"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Goals   map[string]json.RawMessage
		Vectors []vector
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	asked := 0
	for _, v := range file.Vectors {
		if v.Query.Kind != "prove" {
			continue // margins and independence ask about changes, not points
		}
		asked++
		t.Run(v.ID+" "+v.Title, func(t *testing.T) { v.check(t, file.Goals) })
	}
	if asked < 35 {
		t.Errorf("%d vectors were asked, want 35 or more", asked)
	}
}

func (v *vector) check(t *testing.T, goals map[string]json.RawMessage) {
	state := v.state(t)
	name, recovers := strings.CutPrefix(v.Query.Goal, "recover:")
	var goal struct {
		Client    string
		Audiences []string
		ClientApp []string `json:"clientAppTypes"`
		Mandatory string   `json:"mandatoryMfa"`
	}
	if err := json.Unmarshal(goals[name], &goal); err != nil {
		t.Fatalf("goal %s: %v", name, err)
	}
	kit := v.kit(t)
	judge := func(against bool) func(Attempt) bool {
		w := NewWorld(state, noon)
		w.Against = against
		return func(a Attempt) bool {
			a.UserID, a.AppID, a.Audiences, a.ClientApp, a.Used = v.Query.Account, goal.Client, goal.Audiences, goal.ClientApp[0], kit
			a.Writes = goal.Mandatory == "phase2"
			if !w.Judge(a).Allowed {
				return false
			}
			for _, context := range v.Tenant["protectedActions"].(map[string]any) {
				a.Context = context.(string)
				if recovers && !w.Judge(a).Allowed {
					return false
				}
			}
			return true
		}
	}
	hard, easy := judge(true), judge(false)
	points, proved, locked := v.points(), true, false
	for _, a := range points {
		proved = proved && hard(a)
		locked = locked || !easy(a)
	}
	got := "UNDETERMINED"
	if locked {
		got = "LOCKOUT"
	} else if proved {
		got = "PROVED"
	}
	if got != v.Expect.Verdict {
		t.Errorf("got %s over %d points, want %s", got, len(points), v.Expect.Verdict)
	}
	if v.Expect.DenyPoint != nil && easy(v.point(v.Expect.DenyPoint)) {
		t.Errorf("let in at %v", v.Expect.DenyPoint)
	}
	if v.Expect.AllowPoint != nil && !hard(v.point(v.Expect.AllowPoint)) {
		t.Errorf("refused at %v", v.Expect.AllowPoint)
	}
}

func (v *vector) state(t *testing.T) *State {
	s := NewState("tenant", "vector", "P2")
	list := func(key string) []Object {
		var out []Object
		l, _ := v.Tenant[key].([]any)
		for _, e := range l {
			out = append(out, e.(map[string]any))
		}
		return out
	}
	sets := map[string]string{"policies": "identity/conditionalAccess/policies", "namedLocations": "identity/conditionalAccess/namedLocations",
		"authenticationStrengthPolicies": "policies/authenticationStrengthPolicies"}
	if v.Tenant["protectedActions"] == nil {
		v.Tenant["protectedActions"] = map[string]any{}
	}
	for key, value := range v.Tenant {
		switch {
		case sets[key] != "":
			for _, o := range list(key) {
				s.Put(sets[key], o["id"].(string), o)
			}
		case key == "groups":
			for id, g := range value.(map[string]any) {
				s.Put("groups", id, Object{"id": id})
				for _, m := range g.(map[string]any)["members"].([]any) {
					s.Link("groups/members", id, m.(string))
				}
			}
		case key == "authenticationMethodsPolicy":
			s.Single["policies/authenticationMethodsPolicy"] = value.(map[string]any)
		case key == "securityDefaults":
			s.Single["policies/identitySecurityDefaultsEnforcementPolicy"] = Object{"isEnabled": value}
		case key != "protectedActions":
			t.Fatalf("the vector's tenant says %q, which this test does not translate", key)
		}
	}
	for _, a := range v.Accounts {
		id := a["id"].(string)
		s.Put("users", id, Object{"id": id, "userPrincipalName": id + "@contoso.onmicrosoft.com", "accountEnabled": true, "userType": "Member"})
		roles, said := a["roles"].([]any)
		if !said {
			roles = []any{map[string]any{"roleTemplateId": globals, "directoryScopeId": "/", "assignment": "active"}}
		}
		for _, r := range roles {
			r := r.(map[string]any)
			set := map[any]string{"active": "roleAssignments", "eligible": "roleEligibilityScheduleInstances"}[r["assignment"]]
			s.Put("roleManagement/directory/"+set, id+set, Object{"id": id + set, "principalId": id, "roleDefinitionId": r["roleTemplateId"], "directoryScopeId": r["directoryScopeId"]})
		}
	}
	return s
}

func (v *vector) kit(t *testing.T) []Shown {
	var out []Shown
	for _, e := range v.Accounts[0]["credentials"].([]any) {
		c := e.(map[string]any)
		s := Shown{Mode: c["type"].(string)}
		switch s.Mode {
		case "temporaryAccessPass":
			s.Mode = "temporaryAccessPassMultiUse"
			if c["isUsableOnce"] == true {
				s.Mode = "temporaryAccessPassOneTime"
			}
		case "fido2":
			s.AAGUID, _ = c["aaGuid"].(string)
		case "x509":
			t.Fatal("certificates are not translated")
		}
		out = append(out, s)
	}
	return out
}

// points is the product of the environment's classes.
func (v *vector) points() []Attempt {
	points := []Attempt{{}}
	cross := func(values []string, set func(*Attempt, string)) {
		var out []Attempt
		for _, p := range points {
			for _, value := range values {
				set(&p, value)
				out = append(out, p)
			}
		}
		points = out
	}
	ips, countries := []string{"192.0.2.1"}, []string{"XX", ""}
	l, _ := v.Tenant["namedLocations"].([]any)
	for _, e := range l {
		o := e.(map[string]any)
		ranges, _ := o["ipRanges"].([]any)
		for _, r := range ranges {
			ips = append(ips, netip.MustParsePrefix(r.(map[string]any)["cidrAddress"].(string)).Addr().Next().String())
		}
		codes, _ := o["countriesAndRegions"].([]any)
		for _, c := range codes {
			countries = append(countries, c.(string))
		}
	}
	flows := []string{""}
	if f, ok := v.Query.Quantifiers["flow"]; ok && f.ForAll != nil {
		flows = []string{"", "deviceCodeFlow", "authenticationTransfer"}
	}
	cross([]string{"windows", "macOS", "linux", "android", "iOS", "windowsPhone", ""}, func(a *Attempt, s string) { a.Platform = s })
	cross(ips, func(a *Attempt, s string) { a.IP = s })
	cross(countries, func(a *Attempt, s string) { a.Country = s })
	cross([]string{"none", "low", "medium", "high"}, func(a *Attempt, s string) { a.SignInRisk = s })
	cross([]string{"none", "low", "medium", "high"}, func(a *Attempt, s string) { a.UserRisk = s })
	cross([]string{"none", "minor", "moderate", "elevated"}, func(a *Attempt, s string) { a.InsiderRisk = s })
	cross(flows, func(a *Attempt, s string) { a.Flow = s })
	return points
}

// point is one point of a vector; what it does not name takes its first value.
func (v *vector) point(named map[string]any) Attempt {
	a := Attempt{Platform: "windows", IP: "192.0.2.1", Country: "XX"}
	for dimension, value := range named {
		text, _ := value.(string)
		switch dimension {
		case "platform":
			a.Platform = text
		case "country":
			a.Country = strings.TrimPrefix(text, "unknown")
		case "signInRisk":
			a.SignInRisk = text
		case "userRisk":
			a.UserRisk = text
		case "insiderRisk":
			a.InsiderRisk = text
		case "flow":
			a.Flow = strings.TrimPrefix(text, "none")
		case "ipLocations":
			for _, e := range v.Tenant["namedLocations"].([]any) {
				o := e.(map[string]any)
				for _, id := range value.([]any) {
					if o["id"] == id {
						a.IP = netip.MustParsePrefix(o["ipRanges"].([]any)[0].(map[string]any)["cidrAddress"].(string)).Addr().Next().String()
					}
				}
			}
		}
	}
	return a
}
