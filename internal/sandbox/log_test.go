package sandbox_test

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	. "halligan/internal/sandbox"
	"halligan/internal/testenv"
)

// records are the shapes that the sandbox writes: let in, refused, by device code,
// by the password grant, in report-only; and changes of each kind.
func records(t *testing.T) (signIns, audits []Object) {
	state := peopled(t, "totp")
	location(t, state, hq)
	rule(t, state, mfaRule)
	rule(t, state, `{"state":"enabledForReportingButNotEnforced","grantControls":{"builtInControls":["compliantDevice"]},"sessionControls":{"signInFrequency":{"isEnabled":true}}}`)
	s := NewPages(Config{State: state, Host: "localhost:1", Now: func() time.Time { return noon }, LogDelay: 2 * time.Minute})
	for _, a := range []Attempt{
		attempt(nil),
		attempt(func(a *Attempt) { a.Used, a.IP = password(), "198.51.100.9" }),
		attempt(func(a *Attempt) { a.Used = with("softwareOath") }),
		attempt(func(a *Attempt) { a.Used, a.Wrong = nil, "password" }),
		attempt(func(a *Attempt) { a.Flow, a.AppID, a.Resource = "deviceCodeFlow", shell, graphAPI }),
		attempt(func(a *Attempt) { a.PasswordGrant, a.AppID, a.Resource, a.Used = true, shell, graphAPI, password() }),
		attempt(func(a *Attempt) { a.Context = "c1" }),
		attempt(func(a *Attempt) { a.UserID = "nobody" }),
	} {
		if out := s.SignIn(t, a); out.LogID == "" {
			t.Fatalf("no record of %+v", a)
		}
	}
	policy := object(t, `{"id":"p1","displayName":"p1","state":"enabled"}`)
	changes := []Change{
		{By: Caller{UserID: ana, AppID: shell}, Activity: "Update conditional access policy", Category: "Policy", Service: "Conditional Access", Before: policy, Target: object(t, `{"id":"p1","displayName":"p1","state":"disabled"}`), Type: "Policy"},
		{By: Caller{AppID: shell}, Activity: "Update user", Category: "UserManagement", Before: object(t, `{"id":"u","accountEnabled":true}`),
			Target: object(t, `{"id":"u","accountEnabled":false,"userPrincipalName":"u@x","passwordProfile":{"password":"hunter2"}}`), Type: "User"},
		{By: Caller{UserID: ana}, Activity: "Delete group", Category: "GroupManagement", Before: object(t, `{"id":"g","displayName":"g","groupTypes":["Unified"]}`), Type: "Group", Failed: "Microsoft.Online.Workflows.ValidationException"},
	}
	if err := s.Update(func(state *State) error {
		for _, c := range changes {
			s.Audit(state, c)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	s.View(func(state *State) {
		signIns, audits = state.All("auditLogs/signIns"), state.All("auditLogs/directoryAudits")
	})
	return signIns, audits
}

func TestSignInRecordsSayWhatHappened(t *testing.T) {
	signIns, _ := records(t)
	type row struct {
		code                       int
		access, requirement, event string
		protocol                   string
	}
	want := []row{{0, "success", "multiFactorAuthentication", "", "none"}, {50076, "failure", "multiFactorAuthentication", "", "none"},
		{0, "success", "multiFactorAuthentication", "", "none"}, {50126, "notApplied", "singleFactorAuthentication", "", "none"},
		{0, "success", "multiFactorAuthentication", "", "deviceCode"}, {50076, "failure", "multiFactorAuthentication", "", "ropc"},
		{0, "notApplied", "multiFactorAuthentication", "", "none"}, {50034, "notApplied", "singleFactorAuthentication", "", "none"}}
	for i, w := range want {
		r := signIns[i]
		got := row{code(r), r["conditionalAccessStatus"].(string), r["authenticationRequirement"].(string), "", r["authenticationProtocol"].(string)}
		if got != w {
			t.Errorf("record %d: got %+v, want %+v", i, got, w)
		}
	}
	applied := signIns[0]["appliedConditionalAccessPolicies"].([]any)
	if len(applied) != 2 || applied[0].(Object)["result"] != "success" || applied[1].(Object)["result"] != "reportOnlyFailure" {
		t.Errorf("applied policies %v", applied)
	}
	if n := len(signIns[1]["networkLocationDetails"].([]any)); n != 1 {
		t.Errorf("%d named locations hold the address, want 1", n)
	}
}

func TestRecordsAppearAfterTheDelay(t *testing.T) {
	now := noon
	s := NewPages(Config{State: bare(t), Host: "localhost:1", Now: func() time.Time { return now }, LogDelay: 2 * time.Minute})
	s.SignIn(t, attempt(nil))
	var record Object
	s.View(func(state *State) { record = state.All("auditLogs/signIns")[0] })
	if s.Visible(record) {
		t.Error("visible at once, want after two minutes")
	}
	now = noon.Add(2 * time.Minute)
	if !s.Visible(record) {
		t.Error("not visible after two minutes")
	}
}

func TestAuditRecordsHoldThePolicyAndNoSecret(t *testing.T) {
	_, audits := records(t)
	changed := audits[0]["targetResources"].([]any)[0].(Object)["modifiedProperties"].([]any)[0].(Object)
	if changed["displayName"] != "ConditionalAccessPolicy" || !strings.Contains(changed["newValue"].(string), `"state":"disabled"`) || !strings.Contains(changed["oldValue"].(string), `"state":"enabled"`) {
		t.Errorf("policy change %v", changed)
	}
	if audits[0]["initiatedBy"].(Object)["user"] == nil || audits[1]["initiatedBy"].(Object)["app"] == nil {
		t.Errorf("initiators %v and %v", audits[0]["initiatedBy"], audits[1]["initiatedBy"])
	}
	all, _ := json.Marshal(audits)
	if strings.Contains(string(all), "hunter2") {
		t.Error("a password stands in the audit log")
	}
	if audits[2]["result"] != "failure" || audits[2]["operationType"] != "Delete" {
		t.Errorf("failed deletion: %v, %v", audits[2]["result"], audits[2]["operationType"])
	}
}

func TestOutagesTakeMethodsDown(t *testing.T) {
	for kind, want := range map[string][2]int{"mfa": {0, 500121}, "signin": {90033, 90033}} {
		state := peopled(t, "totp")
		s := NewOutage(Config{State: state, Host: "localhost:1", Now: func() time.Time { return noon }}, kind)
		key := s.SignIn(t, attempt(nil)).Code
		code := s.SignIn(t, attempt(func(a *Attempt) { a.Used = with("softwareOath") })).Code
		if key != want[0] || code != want[1] {
			t.Errorf("outage of %s: passkey ends with %d, code from an app with %d; want %v", kind, key, code, want)
		}
	}
}

// contract is the flat index of Graph's types.
type contract map[string]struct {
	Base       string
	Properties map[string]string
	Members    []string
	Open       bool
}

// check names what a record has that its type does not.
func (c contract) check(kind, path string, o Object, problems *[]string) {
	known := map[string]string{}
	for t := kind; t != ""; t = c[t].Base {
		maps.Copy(known, c[t].Properties)
		if c[t].Open {
			return
		}
	}
	for name, value := range o {
		declared, ok := known[name]
		if !ok {
			*problems = append(*problems, path+"."+name+": no property of "+kind)
			continue
		}
		bare := strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(declared, "Collection("), "?"), ")")
		if value == nil && !strings.HasSuffix(declared, "?") {
			*problems = append(*problems, path+"."+name+": null, but "+declared)
		}
		list, isList := value.([]any)
		if isList != strings.HasPrefix(declared, "Collection(") && value != nil {
			*problems = append(*problems, path+"."+name+": is a list or not, unlike "+declared)
		}
		if !isList {
			list = []any{value}
		}
		for _, e := range list {
			if inner, ok := e.(Object); ok {
				c.check(bare, path+"."+name, inner, problems)
			}
			if text, ok := e.(string); ok && len(c[bare].Members) > 0 && !slices.Contains(c[bare].Members, text) {
				*problems = append(*problems, path+"."+name+": "+text+" is no member of "+bare)
			}
		}
	}
}

func readContract(t *testing.T, name string) contract {
	data, err := os.ReadFile(filepath.Join(testenv.Folder(t, "HALLIGAN_CONTRACT"), name))
	if err != nil {
		t.Fatal(err)
	}
	var c contract
	if err := json.Unmarshal(data, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRecordsHaveTheShapeOfGraphsTypes(t *testing.T) {
	v1, beta := readContract(t, "types-v1.0.json"), readContract(t, "types-beta.json")
	signIns, audits := records(t)
	var problems []string
	for _, r := range signIns {
		beta.check("microsoft.graph.signIn", "beta signIn", LogView(r, "beta"), &problems)
		v1.check("microsoft.graph.signIn", "v1.0 signIn", LogView(r, "v1.0"), &problems)
	}
	for _, r := range audits {
		beta.check("microsoft.graph.directoryAudit", "directoryAudit", r, &problems)
		v1.check("microsoft.graph.directoryAudit", "directoryAudit", r, &problems)
	}
	slices.Sort(problems)
	for _, p := range slices.Compact(problems) {
		t.Error(p)
	}
	// The check itself must be able to fail.
	problems = nil
	beta.check("microsoft.graph.signIn", "signIn", Object{"riskState": "worried", "moon": 1, "id": []any{}}, &problems)
	if len(problems) != 3 {
		t.Errorf("three defects were planted, %d found: %v", len(problems), problems)
	}
}

// Of published records: what real ones always have, ours have too.
func TestRecordsHaveWhatPublishedOnesAlwaysHave(t *testing.T) {
	signIns, audits := records(t)
	count := map[string]map[string]int{"signIn": {}, "audit": {}}
	total := map[string]int{}
	root := filepath.Join(testenv.Folder(t, "HALLIGAN_CORPUS"), "logs")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Base(path) == "manifest.json" || filepath.Ext(path) != ".json" {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var o Object
		if json.Unmarshal(data, &o) != nil {
			return nil // some are published with a comma too many
		}
		if inner, ok := o["properties"].(map[string]any); ok {
			o = inner
		}
		kind := ""
		if _, ok := o["activityDisplayName"]; ok {
			kind = "audit"
		} else if _, ok := o["conditionalAccessStatus"]; ok && o["userId"] != nil {
			kind = "signIn"
		}
		if kind != "" {
			total[kind]++
			for k := range o {
				count[kind][k]++
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if total["signIn"] < 5 || total["audit"] < 10 {
		t.Fatalf("only %v published records were read", total)
	}
	// Names of Azure Monitor's envelope and of retired properties, which Graph's type does not have.
	foreign := []string{"resourceTenantId"}
	for kind, r := range map[string]Object{"signIn": signIns[0], "audit": audits[0]} {
		for name, n := range count[kind] {
			if _, have := r[name]; n == total[kind] && !have && !slices.Contains(foreign, name) {
				t.Errorf("all %d published %s records have %s, ours do not", n, kind, name)
			}
		}
	}
}

func TestWhatIfAnswersForEveryPolicy(t *testing.T) {
	s := bare(t)
	rule(t, s, `{}`)
	rule(t, s, `{"conditions":{"users":{"excludeUsers":["`+ana+`"]}}}`)
	rule(t, s, `{"state":"disabled","conditions":{"applications":{"includeApplications":["Office365"]}}}`)
	rule(t, s, `{"conditions":{"platforms":{"includePlatforms":["iOS"]},"signInRiskLevels":["high"]}}`)
	rule(t, s, `{"state":"enabledForReportingButNotEnforced","conditions":{"applications":{"includeApplications":[],"includeUserActions":["urn:user:registersecurityinfo"]}}}`)
	ask := func(more string) []Object {
		t.Helper()
		list, err := WhatIf(s, noon, object(t, `{"signInIdentity":{"@odata.type":"#microsoft.graph.userSignIn","userId":"`+ana+`"},
			"signInContext":{"@odata.type":"#microsoft.graph.applicationContext","includeApplications":["`+graphAPI+`"]}`+more+`}`))
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	want := []string{"notSet", "users", "application,policyNotEnabled", "notEnoughInformation,signInRisk", "userActions"}
	for i, o := range ask(`,"signInConditions":{"signInRiskLevel":"low","clientAppType":"browser"}`) {
		if o["analysisReasons"] != want[i] || o["policyApplies"] != (i == 0) || o["displayName"] == nil {
			t.Errorf("policy %d: applies %v, %v; want %s", i+1, o["policyApplies"], o["analysisReasons"], want[i])
		}
	}
	if got := len(ask(`,"signInConditions":{},"appliedPoliciesOnly":true`)); got != 1 {
		t.Errorf("%d policies apply, want 1", got)
	}
	if _, err := WhatIf(s, noon, object(t, `{"signInIdentity":{"userId":"nobody"},"signInContext":{}}`)); err == nil {
		t.Error("a question about nobody was answered")
	}
}
