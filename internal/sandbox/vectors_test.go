package sandbox_test

import (
	"encoding/json"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
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
		Kind, Account string
		Goal          json.RawMessage
		Quantifiers   map[string]struct{ ForAll, Exists any }
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
	for name, least := range map[string]int{"ca-vectors.json": 35, "corner-vectors.json": 60} {
		t.Run(name, func(t *testing.T) {
			askVectors(t, filepath.Join("..", "..", "lockout", "testdata", "vectors", name), least)
		})
	}
}

func TestEvaluatorAgreesWithVectorsFromElsewhere(t *testing.T) {
	askVectors(t, testenv.Folder(t, "HALLIGAN_VECTORS"), 35)
}

func askVectors(t *testing.T, path string, least int) {
	data, err := os.ReadFile(path)
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
		if why := v.beyond(); why != "" {
			t.Logf("%s is about more than one sign-in: %s", v.ID, why)
			continue
		}
		t.Run(v.ID+" "+v.Title, func(t *testing.T) { v.check(t, file.Goals) })
	}
	if asked < least {
		t.Errorf("%d vectors were asked, want %d or more", asked, least)
	}
}

// beyond says what of a vector no single sign-in can show; "" nothing.
func (v *vector) beyond() string {
	for _, key := range []string{"registrationCampaignForced", "legacyMfaMethods", "roleManagementPolicies"} {
		if v.Tenant[key] != nil {
			return key
		}
	}
	for _, a := range v.Accounts {
		roles, _ := a["roles"].([]any)
		for _, r := range roles {
			if role, _ := r.(map[string]any); role["assignment"] == "eligible" && strings.Contains(string(v.Query.Goal), "recover:") {
				return "the activation of a role"
			}
		}
	}
	return ""
}

// goal is what a vector wants to reach.
type goal struct {
	Client    string
	Audiences []string
	ClientApp []string `json:"clientAppTypes"`
	Mandatory string   `json:"mandatoryMfa"`
	LowPriv   bool     `json:"lowPrivOnly"`
	Stage     struct {
		Action    string
		Audiences []string
	}
	recovers bool
}

func (v *vector) goal(t *testing.T, goals map[string]json.RawMessage) goal {
	var g goal
	var name string
	text := v.Query.Goal
	if json.Unmarshal(text, &name) == nil {
		name, g.recovers = strings.CutPrefix(name, "recover:")
		text = goals[name]
	}
	if err := json.Unmarshal(text, &g); err != nil {
		t.Fatalf("goal %s: %v", text, err)
	}
	return g
}

// reached asks the evaluator at one point, with one order of the credentials.
func (v *vector) reached(w *World, g goal, a Attempt, kit []Shown) bool {
	a.UserID, a.AppID, a.Audiences, a.Used, a.LowPrivilege = v.Query.Account, g.Client, g.Audiences, kit, g.LowPriv
	a.Writes = g.Mandatory == "phase2"
	if a.ClientApp == "" {
		a.ClientApp = g.ClientApp[0]
	}
	if !w.Judge(a).Allowed {
		return false
	}
	if g.Stage.Action != "" {
		a.Action, a.Audiences = g.Stage.Action, g.Stage.Audiences
		return w.Judge(a).Allowed
	}
	for _, context := range v.Tenant["protectedActions"].(map[string]any) {
		if a.Context = context.(string); g.recovers && (!v.targeted(a.Context) || !w.Judge(a).Allowed) {
			return false // a protected action whose context no enabled policy targets is closed
		}
	}
	return true
}

func (v *vector) targeted(context string) bool {
	for _, p := range v.Tenant["policies"].([]any) {
		text, _ := json.Marshal(p)
		if p.(map[string]any)["state"] == "enabled" && strings.Contains(string(text), `"`+context+`"`) {
			return true
		}
	}
	return false
}

func (v *vector) check(t *testing.T, goals map[string]json.RawMessage) {
	state, g := v.state(t), v.goal(t, goals)
	kits := v.kits()
	environments, choices := v.points()
	hard, easy := v.judge(state, g, kits, choices, true), v.judge(state, g, kits, choices, false)
	got := v.verdict(t, goals)
	if got != v.Expect.Verdict {
		t.Errorf("got %s over %d points, want %s", got, len(environments), v.Expect.Verdict)
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
		"authenticationStrengthPolicies": "policies/authenticationStrengthPolicies", "agreements": "identityGovernance/termsOfUse/agreements",
		"servicePrincipals": "servicePrincipals"}
	if v.Tenant["protectedActions"] == nil {
		v.Tenant["protectedActions"] = map[string]any{}
	}
	for key, value := range v.Tenant {
		switch {
		case sets[key] != "":
			for _, o := range list(key) {
				id, _ := o["id"].(string)
				if key == "servicePrincipals" {
					id = o["appId"].(string)
				}
				s.Put(sets[key], id, o)
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
		case key == "cloud":
			s.Cloud = value.(string)
		case key != "protectedActions" && key != "lowPrivilegeScopesEnforced":
			t.Fatalf("the vector's tenant says %q, which this test does not translate", key)
		}
	}
	for _, a := range v.Accounts {
		id := a["id"].(string)
		kind, said := a["userType"]
		if !said {
			kind = "Member"
		}
		s.Put("users", id, Object{"id": id, "userPrincipalName": id + "@contoso.onmicrosoft.com", "accountEnabled": true, "userType": kind})
		if state, said := a["perUserMfa"]; said {
			s.Single["users/"+id+"/authentication/requirements"] = Object{"perUserMfaState": state}
		}
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

// kits are the credentials, in every order that puts another key or certificate
// first: of several only the first may count.
func (v *vector) kits() [][]Shown {
	var kit []Shown
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
			s.Synced = c["passkeyType"] == "synced"
		case "x509":
			s.Mode = map[any]string{"singleFactor": "x509CertificateSingleFactor", "multiFactor": "x509CertificateMultiFactor"}[c["protection"]]
			s.Issuer, _ = c["issuerSki"].(string)
			oids, _ := c["policyOids"].([]any)
			for _, o := range oids {
				s.Policies = append(s.Policies, o.(string))
			}
		}
		kit = append(kit, s)
	}
	out := [][]Shown{kit}
	for i := range kit {
		if i > 0 && (kit[i].Mode == "fido2" || strings.HasPrefix(kit[i].Mode, "x509")) {
			out = append(out, slices.Concat(kit[i:i+1], kit[:i], kit[i+1:]))
		}
	}
	return out
}

// dimension sets one coordinate of a point.
var dimensions = map[string]func(*Attempt, any){
	"platform":       func(a *Attempt, x any) { a.Platform = strings.TrimPrefix(x.(string), "unknown") },
	"resourceSeenIp": func(a *Attempt, x any) { a.ResourceIP = x.(string) },
	"address":        func(a *Attempt, x any) { a.IP = x.(string) },
	"country":        func(a *Attempt, x any) { a.Country = strings.TrimPrefix(x.(string), "unknown") },
	"signInRisk":     func(a *Attempt, x any) { a.SignInRisk = x.(string) },
	"userRisk":       func(a *Attempt, x any) { a.UserRisk = x.(string) },
	"insiderRisk":    func(a *Attempt, x any) { a.InsiderRisk = x.(string) },
	"flow":           func(a *Attempt, x any) { a.Flow = strings.TrimPrefix(x.(string), "none") },
	"clientAppType":  func(a *Attempt, x any) { a.ClientApp = x.(string) },
	"smartLockout":   func(a *Attempt, x any) { a.LockedOut = x.(bool) },
	"authService": func(a *Attempt, x any) {
		a.Outage = map[any]string{"normal": "", "outageNewSession": "newSession", "outageExistingSession": "existingSession"}[x]
	},
	"device": func(a *Attempt, x any) {
		o := x.(map[string]any)
		d := Device{Properties: map[string]string{}}
		for k, e := range o {
			text, _ := e.(string)
			switch k {
			case "registered":
				d.ID = map[any]string{true: "device"}[e]
			case "managed":
				d.Managed = e == true
			case "isCompliant":
				d.Compliant = e == "True"
			case "trustType":
				d.TrustType = text
			default:
				d.Properties[k] = text
			}
		}
		a.Device = d
	},
}

// points are the product of the environment's classes, and of what the person
// may choose at each.
func (v *vector) points() (environments []Attempt, choices []func(*Attempt)) {
	environments, choices = []Attempt{{}}, []func(*Attempt){func(*Attempt) {}}
	ips, countries := []any{"192.0.2.1", "2001:db8:ffff::1"}, []any{"XX", "unknown"}
	l, _ := v.Tenant["namedLocations"].([]any)
	for _, e := range l {
		o := e.(map[string]any)
		ranges, _ := o["ipRanges"].([]any)
		for _, r := range ranges {
			ips = append(ips, netip.MustParsePrefix(r.(map[string]any)["cidrAddress"].(string)).Addr().Next().String())
		}
		codes, _ := o["countriesAndRegions"].([]any)
		countries = append(countries, codes...)
	}
	whole := map[string][]any{"platform": {"windows", "macOS", "linux", "android", "iOS", "windowsPhone", "unknown"}, "address": ips, "country": countries,
		"signInRisk": {"none", "low", "medium", "high"}, "userRisk": {"none", "low", "medium", "high"}, "insiderRisk": {"none", "minor", "moderate", "elevated"},
		"flow": {"none", "deviceCodeFlow", "authenticationTransfer"}}
	if text, _ := json.Marshal(v.Tenant["policies"]); strings.Contains(string(text), "strictLocation") {
		whole["resourceSeenIp"] = ips
	}
	for _, name := range slices.Sorted(maps.Keys(dimensions)) {
		values, chosen := whole[name], false
		if name == "flow" {
			values = nil
		}
		asked, named := v.Query.Quantifiers[name]
		if name == "address" {
			if q, ok := v.Query.Quantifiers["ipLocations"]; ok {
				values = nil
				for _, ids := range q.ForAll.([]any) {
					values = append(values, v.point(map[string]any{"ipLocations": ids}).IP)
				}
			}
		}
		if named {
			from := asked.ForAll
			if from == nil {
				from, chosen = asked.Exists, true
			}
			if list, ok := from.([]any); ok {
				values = list
			} else {
				values = whole[name]
			}
		}
		set := dimensions[name]
		if chosen {
			var more []func(*Attempt)
			for _, c := range choices {
				for _, x := range values {
					more = append(more, func(a *Attempt) { c(a); set(a, x) })
				}
			}
			choices = more
		} else if len(values) > 0 {
			var more []Attempt
			for _, a := range environments {
				for _, x := range values {
					set(&a, x)
					more = append(more, a)
				}
			}
			environments = more
		}
	}
	return environments, choices
}

// point is one point of a vector; what it does not name takes its first value.
func (v *vector) point(named map[string]any) Attempt {
	a := Attempt{Platform: "windows", IP: "192.0.2.1", Country: "XX"}
	for name, q := range v.Query.Quantifiers {
		if list, ok := q.ForAll.([]any); ok && dimensions[name] != nil {
			dimensions[name](&a, list[0])
		}
	}
	for dimension, value := range named {
		switch dimension {
		case "ipLocations":
			for _, e := range v.Tenant["namedLocations"].([]any) {
				o := e.(map[string]any)
				for _, id := range value.([]any) {
					if o["id"] == id {
						a.IP = netip.MustParsePrefix(o["ipRanges"].([]any)[0].(map[string]any)["cidrAddress"].(string)).Addr().Next().String()
					}
				}
			}
		default:
			dimensions[dimension](&a, value)
		}
	}
	return a
}

func (v *vector) verdict(t *testing.T, goals map[string]json.RawMessage) string {
	state, g := v.state(t), v.goal(t, goals)
	kits := v.kits()
	environments, choices := v.points()
	hard, easy := v.judge(state, g, kits, choices, true), v.judge(state, g, kits, choices, false)
	proved, locked := true, false
	for _, a := range environments {
		proved = proved && hard(a)
		locked = locked || !easy(a)
	}
	switch {
	case locked:
		return "LOCKOUT"
	case proved:
		return "PROVED"
	}
	return "UNDETERMINED"
}

// judge is the evaluator under one reading.
func (v *vector) judge(state *State, g goal, kits [][]Shown, choices []func(*Attempt), against bool) func(Attempt) bool {
	w := NewWorld(state, noon)
	w.Against = against
	enforced, said := v.Tenant["lowPrivilegeScopesEnforced"]
	w.LegacyLowPrivilege, w.LowPrivilegeUnknown = said && enforced == false, said && enforced != true && enforced != false
	return func(a Attempt) bool {
		for _, choose := range choices {
			for _, kit := range kits {
				b := a
				choose(&b)
				if v.reached(w, g, b, kit) {
					return true
				}
			}
		}
		return false
	}
}
