package plan_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"halligan/entra"
	"halligan/plan"
)

// made reads a Snapshot from JSON texts.
func made(t testing.TB, texts ...string) *entra.Snapshot {
	t.Helper()
	var sources []entra.Source
	for i, text := range texts {
		sources = append(sources, entra.Source{Name: fmt.Sprintf("%d.json", i), Data: []byte(text)})
	}
	s, err := entra.Read(sources...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func asIf(t testing.TB, s *entra.Snapshot, expression string) *entra.Snapshot {
	t.Helper()
	c, err := plan.ParseAsIf(expression)
	if err != nil {
		t.Fatal(err)
	}
	next, err := c.On(s)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

const emergencyGroup = "bc86f236-9a8f-47b6-88e1-ee622e9ae0ce"

// policiesOf lists a policy's state by the first word of its name.
func statesOf(s *entra.Snapshot) map[string]entra.PolicyState {
	out := map[string]entra.PolicyState{}
	for _, p := range s.View().Policies {
		name, _, _ := strings.Cut(p.DisplayName, ":")
		out[name] = p.State
	}
	return out
}

func TestAsIfChangesJSONAndTypesAlike(t *testing.T) {
	base := tidewater(t)
	group := func(s *entra.Snapshot, id string) *entra.Group {
		for i := range s.View().Groups {
			if s.View().Groups[i].ID.Equal(entra.ID(id)) {
				return &s.View().Groups[i]
			}
		}
		return nil
	}
	tests := []struct {
		expression, says string
		holds            func(s *entra.Snapshot) bool
	}{
		{"report-only=enabled", "enable every report-only policy",
			func(s *entra.Snapshot) bool {
				return statesOf(s)["CA012"] == entra.StateEnabled && statesOf(s)["CA014"] == entra.StateDisabled
			}},
		{"enable=CA014: Block everything outside the field tablets (retired)", `enable policy "CA014: Block everything outside the field tablets (retired)"`,
			func(s *entra.Snapshot) bool { return statesOf(s)["CA014"] == entra.StateEnabled }},
		{"disable= ca001: block legacy authentication ", `disable policy "ca001: block legacy authentication"`,
			func(s *entra.Snapshot) bool { return statesOf(s)["CA001"] == entra.StateDisabled }},
		{"REMOVE=" + string(policyNamed(t, base, "CA003").ID), `remove policy "` + string(policyNamed(t, base, "CA003").ID) + `"`,
			func(s *entra.Snapshot) bool { _, ok := statesOf(s)["CA003"]; return !ok && s.PoliciesRead() == 13 }},
		{"remove-exclusion=CA001: Block legacy authentication:" + strings.ToUpper(emergencyGroup), `remove the exclusion of ` + strings.ToUpper(emergencyGroup) + ` from policy "CA001: Block legacy authentication"`,
			func(s *entra.Snapshot) bool {
				return len(policyNamed(t, s, "CA001").Conditions.Users.ExcludeGroups) == 0
			}},
		{"remove-exclusion=CA001: Block legacy authentication:CA-EmergencyAccess", `remove the exclusion of CA-EmergencyAccess from policy "CA001: Block legacy authentication"`,
			func(s *entra.Snapshot) bool {
				return len(policyNamed(t, s, "CA001").Conditions.Users.ExcludeGroups) == 0 && len(policyNamed(t, s, "CA002").Conditions.Users.ExcludeGroups) == 1
			}},
		{"withdraw-key-model=2FC0579F-8113-47ea-b116-bb5a8db9202a", "withdraw the key model 2FC0579F-8113-47ea-b116-bb5a8db9202a",
			func(s *entra.Snapshot) bool {
				k := s.View().MethodsPolicy.Method("Fido2").KeyRestrictions
				return k.Enforced && k.Enforcement == "allow" && len(k.AAGUIDs) == 2 && !slices.Contains(k.AAGUIDs, "2fc0579f-8113-47ea-b116-bb5a8db9202a")
			}},
		{"delete-group=ca-emergencyaccess", `delete the group "ca-emergencyaccess"`,
			func(s *entra.Snapshot) bool {
				for _, a := range s.View().Accounts {
					if slices.ContainsFunc(a.Memberships, entra.ID(emergencyGroup).Equal) {
						return false
					}
				}
				g := group(s, emergencyGroup)
				return g != nil && g.MembersRead && len(g.Members) == 0
			}},
		{"disable-method=fido2", "disable the method fido2",
			func(s *entra.Snapshot) bool { return s.View().MethodsPolicy.Method("Fido2").State == "disabled" }},
		{"security-defaults=ON", "turn security defaults on",
			func(s *entra.Snapshot) bool { return *s.View().SecurityDefaults }},
	}
	for _, tt := range tests {
		t.Run(tt.expression, func(t *testing.T) {
			c, err := plan.ParseAsIf(tt.expression)
			if err != nil {
				t.Fatal(err)
			}
			if c.String() != tt.says {
				t.Errorf("says %s, want %s", c, tt.says)
			}
			before := base.Digest()
			next, err := c.On(base)
			if err != nil {
				t.Fatal(err)
			}
			if !tt.holds(next) {
				t.Error("the change is not in the typed form")
			}
			if tt.holds(base) || entra.NewSnapshot(base.Content()).Digest() != before {
				t.Error("the change is in the Snapshot that it was made on")
			}
			// The JSON alone says the same: written and read again.
			again, err := entra.Read(entra.Source{Name: "again", Data: next.JSON()})
			if err != nil {
				t.Fatal(err)
			}
			if !tt.holds(again) || again.Digest() != next.Digest() {
				t.Error("the JSON of the Snapshot says something else than its types")
			}
			for i := range next.View().Policies {
				p := &next.View().Policies[i]
				decoded, err := entra.DecodePolicy(p.Raw)
				if err != nil {
					t.Fatal(err)
				}
				if decoded.State != p.State || len(decoded.Conditions.Users.ExcludeGroups) != len(p.Conditions.Users.ExcludeGroups) {
					t.Errorf("policy %s: the JSON says something else than its types", p.Label())
				}
			}
		})
	}
}

func TestEveryFormOfAsIfIsTested(t *testing.T) {
	for _, form := range plan.AsIfForms() {
		expression := strings.NewReplacer("on|off", "off", "POLICY:ID", "P:I", "POLICY", "P", "GROUP", "G", "METHOD", "M", "AAGUID", "A").Replace(form[0])
		c, err := plan.ParseAsIf(expression)
		if err != nil {
			t.Errorf("%s: %v", form[0], err)
			continue
		}
		if strings.Contains(c.String(), "unknown") || form[1] == "" {
			t.Errorf("%s: says %q, help %q", form[0], c, form[1])
		}
	}
}

func TestDocumentNamesEveryFormOfAsIf(t *testing.T) {
	document, err := os.ReadFile("../docs/changes.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range plan.AsIfForms() {
		if row := "| `" + strings.ReplaceAll(form[0], "|", `\|`) + "` | " + form[1] + " |"; !strings.Contains(string(document), row) {
			t.Errorf("docs/changes.md lacks the row %s", row)
		}
	}
}

func TestAsIfExpressionsThatCannotBe(t *testing.T) {
	tests := []struct{ expression, want, hint string }{
		{"", `"" is not something`, "possible are"},
		{"enabel=X", `"enabel" is not something`, `did you mean "enable"?`},
		{"remove-exlusion=X:Y", `"remove-exlusion" is not`, `did you mean "remove-exclusion"?`},
		{"xyzzy=1", `"xyzzy" is not`, "possible are report-only=enabled"},
		{"enable", "does not say of what", "write enable=POLICY"},
		{"enable=  ", "does not say of what", "write enable=POLICY"},
		{"report-only=disabled", `"disabled" is not possible`, "write report-only=enabled"},
		{"security-defaults=maybe", `"maybe" is not possible`, "write security-defaults=on|off"},
		{"remove-exclusion=X", "of which policy and whom", "write remove-exclusion=POLICY:ID"},
		{"remove-exclusion=X:", "of which policy and whom", "write remove-exclusion=POLICY:ID"},
	}
	for _, tt := range tests {
		_, err := plan.ParseAsIf(tt.expression)
		e, ok := errors.AsType[*plan.ExpressionError](err)
		if !ok || !strings.Contains(e.Error(), tt.want) || !strings.Contains(e.Hint(), tt.hint) {
			t.Errorf("%q: got %v, want %q with the hint %q", tt.expression, err, tt.want, tt.hint)
		}
	}
}

func TestWhatDoesNotExistIsNamedWithWhatMayBeMeant(t *testing.T) {
	twins := made(t, `[{"id":"11111111-1111-4111-8111-111111111111","displayName":"Twin","state":"enabled","conditions":{"users":{"includeUsers":["All"]}},"grantControls":{"operator":"OR","builtInControls":["mfa"]}},`+
		`{"id":"22222222-2222-4222-8222-222222222222","displayName":"twin","state":"enabled","conditions":{"users":{"includeUsers":["All"]}},"grantControls":{"operator":"OR","builtInControls":["mfa"]}},`+
		`{"id":"33333333-3333-4333-8333-333333333333","displayName":"Twin","state":"disabled","conditions":{"users":{"includeUsers":["All"]}},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}]`)
	tests := []struct {
		on                     *entra.Snapshot
		expression, want, hint string
	}{
		{nil, "enable=CA014: Block everything outside the field tablet (retired)", "there is no policy", `did you mean "CA014: Block everything outside the field tablets (retired)"?`},
		{nil, "enable=CA14", `there is no policy "CA14"`, `did you mean "CA014: Block everything outside the field tablets (retired)"`},
		{nil, "remove=legacy", `there is no policy "legacy" among the 14`, `"CA001: Block legacy authentication"`},
		{nil, "delete-group=CA-EmergencyAcess", "there is no group", `"CA-EmergencyAccess"`},
		{nil, "disable-method=Fido", "there is no method", `"Fido2"`},
		{nil, "withdraw-key-model=2fc0579f-8113-47ea-b116-bb5a8db9202b", "there is no key model", `"2fc0579f-8113-47ea-b116-bb5a8db9202a"`},
		{nil, "remove-exclusion=CA001: Block legacy authentication:nobody", `there is no exclusion "nobody" among the 1`, emergencyGroup},
		{nil, "remove-exclusion=CA099:nobody", `there is no policy "CA099"`, ""},
		{twins, "enable=Twin", `2 policies are called "Twin"`, "give the id: 11111111-1111-4111-8111-111111111111 or 33333333-3333-4333-8333-333333333333"},
		{twins, "disable-method=Fido2", "the authentication methods policy was not read", ""},
		{twins, "withdraw-key-model=x", `there is no key model "x" among the 0`, ""},
	}
	for _, tt := range tests {
		s := tt.on
		if s == nil {
			s = tidewater(t)
		}
		c, err := plan.ParseAsIf(tt.expression)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.On(s)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.expression, err, tt.want)
			continue
		}
		if e, ok := errors.AsType[*plan.ReferenceError](err); tt.hint != "" && (!ok || !strings.Contains(e.Hint(), tt.hint)) {
			t.Errorf("%s: got the hint of %v, want %q", tt.expression, err, tt.hint)
		}
	}
	// Spelled exactly, the one in another case is found.
	if next := asIf(t, twins, "disable=twin"); next.View().Policies[1].State != entra.StateDisabled {
		t.Error("the exact name was not preferred")
	}
}

func TestChangesMadeByHandAreChecked(t *testing.T) {
	s := tidewater(t)
	policy := json.RawMessage(`{"id":"` + string(policyNamed(t, s, "CA001").ID) + `","displayName":"X"}`)
	tests := map[string]struct {
		change plan.Change
		want   string
	}{
		"no verb":                {plan.Change{}, `unknown change ""`},
		"a kind that is none":    {plan.Change{Verb: plan.VerbCreate, Object: policy}, "of which kind"},
		"no object":              {plan.Change{Verb: plan.VerbCreate, Kind: plan.KindPolicy}, "parse object"},
		"null for an object":     {plan.Change{Verb: plan.VerbCreate, Kind: plan.KindPolicy, Object: json.RawMessage("null")}, "null is no object"},
		"an id that is taken":    {plan.Change{Verb: plan.VerbCreate, Kind: plan.KindPolicy, Object: policy}, "exists already"},
		"an update by name":      {plan.Change{Verb: plan.VerbUpdate, Kind: plan.KindPolicy, Subject: "CA001: Block legacy authentication", Object: policy}, "not its id"},
		"a replacement of none":  {plan.Change{Verb: plan.VerbReplace, Kind: plan.KindStrength, Subject: "x", Object: policy}, "there is no authentication strength"},
		"security defaults half": {plan.Change{Verb: plan.VerbSetSecurityDefaults, Value: "half"}, "neither on nor off"},
		"a part of nothing":      {plan.Change{Verb: plan.VerbTakePart, Subject: "domains"}, "no part"},
	}
	for name, tt := range tests {
		if _, err := tt.change.On(s); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", name, err, tt.want)
		}
	}
	if same, err := plan.Apply(s); err != nil || same != s {
		t.Errorf("no changes: got another Snapshot, %v", err)
	}
}

func TestKeyModelWithdrawnUnderEachRestriction(t *testing.T) {
	const a, b = "2fc0579f-8113-47ea-b116-bb5a8db9202a", "234cd403-35a2-4cc2-8015-77ea280c77f5"
	tests := map[string]struct{ before, want string }{
		"an allow-list loses it":                  {`{"isEnforced":true,"enforcementType":"allow","aaGuids":["` + a + `","` + b + `"]}`, `{"isEnforced":true,"enforcementType":"allow","aaGuids":["` + b + `"]}`},
		"a block-list gains it":                   {`{"isEnforced":true,"enforcementType":"block","aaGuids":["` + b + `"]}`, `{"isEnforced":true,"enforcementType":"block","aaGuids":["` + b + `","` + a + `"]}`},
		"a list that is not enforced gives way":   {`{"isEnforced":false,"enforcementType":"allow","aaGuids":["` + b + `"]}`, `{"isEnforced":true,"enforcementType":"block","aaGuids":["` + a + `"]}`},
		"without restrictions there is one then":  {`null`, `{"isEnforced":true,"enforcementType":"block","aaGuids":["` + a + `"]}`},
		"an enforcement we do not know stays":     {`{"isEnforced":true,"enforcementType":"mood","aaGuids":["` + b + `"]}`, `{"isEnforced":true,"enforcementType":"mood","aaGuids":["` + b + `"]}`},
		"spelled as PowerShell does, it is found": {`{"IsEnforced":true,"EnforcementType":"Allow","AaGuids":["` + strings.ToUpper(a) + `"]}`, `{"IsEnforced":true,"EnforcementType":"Allow","AaGuids":[]}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := made(t, `{"policyMigrationState":"migrationComplete","authenticationMethodConfigurations":[{"@odata.type":"#microsoft.graph.fido2AuthenticationMethodConfiguration","id":"Fido2","state":"enabled","keyRestrictions":`+tt.before+
				`,"passkeyProfiles":[{"id":"p","keyRestrictions":`+tt.before+`}]}]}`,
				`{"@odata.context":"x#users('44444444-4444-4444-8444-444444444444')/authentication/methods","value":[{"@odata.type":"#microsoft.graph.fido2AuthenticationMethod","id":"k","aaGuid":"`+a+`"}]}`)
			var got struct {
				AuthenticationMethodConfigurations []struct {
					KeyRestrictions json.RawMessage
					PasskeyProfiles []struct{ KeyRestrictions json.RawMessage }
				}
			}
			if err := json.Unmarshal(asIf(t, s, "withdraw-key-model="+a).View().MethodsPolicy.Raw, &got); err != nil {
				t.Fatal(err)
			}
			sameJSON(t, got.AuthenticationMethodConfigurations[0].KeyRestrictions, []byte(tt.want))
			sameJSON(t, got.AuthenticationMethodConfigurations[0].PasskeyProfiles[0].KeyRestrictions, []byte(tt.want))
		})
	}
}

// A key given twice is one that nobody can say the value of. That must survive a
// change, which reads and writes the JSON anew.
func TestKeyGivenTwiceStaysUnknownThroughAChange(t *testing.T) {
	s := made(t, `{"id":"11111111-1111-4111-8111-111111111111","displayName":"Twice","state":"disabled","conditions":{"users":{"includeUsers":["All"],"includeUsers":["None"]},"applications":{"includeApplications":["All"]}},"grantControls":{"operator":"OR","builtInControls":["block"]}}`)
	twice := func(s *entra.Snapshot) bool {
		return slices.ContainsFunc(s.View().Policies[0].Unmodelled, func(u entra.Unmodelled) bool { return u.Kind == "duplicate" })
	}
	if !twice(s) {
		t.Fatal("the decoder did not notice")
	}
	if next := asIf(t, s, "enable=Twice"); !twice(next) {
		t.Error("forgotten when the policy was enabled")
	}
	draft := `{"id":"11111111-1111-4111-8111-111111111111","displayName":"Twice","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]}}}`
	changes, err := plan.FromDraft(entra.Source{Name: "d.json", Data: []byte(draft)})
	if err != nil {
		t.Fatal(err)
	}
	next, err := plan.Apply(s, changes...)
	if err != nil {
		t.Fatal(err)
	}
	if twice(next) {
		t.Error("the draft says the value, and it still counts as given twice")
	}
	// A draft, and a second export, that give a key twice.
	double := strings.Replace(draft, `"conditions"`, `"state":"enabled","state":"disabled","conditions"`, 1)
	for name, on := range map[string]*entra.Snapshot{"created": entra.NewSnapshot(entra.Content{}), "updated": next} {
		changes, err := plan.FromDraft(entra.Source{Name: "d.json", Data: []byte(double)})
		if err != nil {
			t.Fatal(err)
		}
		if after, err := plan.Apply(on, changes...); err != nil || !twice(after) {
			t.Errorf("forgotten when a draft was %s: %v", name, err)
		}
	}
	if after, err := plan.Apply(next, plan.FromSnapshot(next, made(t, double))...); err != nil || !twice(after) {
		t.Errorf("forgotten when a second export replaced the policy: %v", err)
	}
	state := made(t, `{"id":"11111111-1111-4111-8111-111111111111","displayName":"Twice","state":"disabled","state":"enabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]}},"grantControls":{"operator":"OR","builtInControls":["block"]}}`)
	if next := asIf(t, state, "disable=Twice"); twice(next) || next.View().Policies[0].State != entra.StateDisabled {
		t.Error("a state that was set is still unknown")
	}
}

func TestExclusionOfAGroupWhoseNameHoldsAColon(t *testing.T) {
	s := made(t, `{"id":"11111111-1111-4111-8111-111111111111","displayName":"CA1: Block","state":"enabled","conditions":{"users":{"includeUsers":["All"],"excludeGroups":["`+emergencyGroup+`"],"excludeRoles":["role"]}},"grantControls":{"operator":"OR","builtInControls":["block"]}}`,
		`{"@odata.type":"#microsoft.graph.group","id":"`+emergencyGroup+`","displayName":"Team: Emergency"}`)
	u := asIf(t, s, "remove-exclusion=CA1: Block:Team: Emergency").View().Policies[0].Conditions.Users
	if len(u.ExcludeGroups) != 0 || len(u.ExcludeRoles) != 1 {
		t.Errorf("excluded: groups %v, roles %v; want the role only", u.ExcludeGroups, u.ExcludeRoles)
	}
}

// The id that a Snapshot gave to a template stays when the template changes.
func TestPolicyWithoutAnIDKeepsTheOneItWasGiven(t *testing.T) {
	s := made(t, "["+policyJSON("", "A", "disabled", blockAll)+","+policyJSON("", "B", "disabled", blockAll)+"]")
	id := policyNamed(t, s, "A").ID
	c := plan.Change{Verb: plan.VerbUpdate, Kind: plan.KindPolicy, Subject: string(id), Object: []byte(`{"displayName":"Renamed"}`)}
	next, err := c.On(s)
	if err != nil {
		t.Fatal(err)
	}
	if got := policyNamed(t, next, "Renamed").ID; got != id {
		t.Errorf("got %s, want %s", got, id)
	}
}

func TestMethodGivenTwiceOrNullSurvivesAChange(t *testing.T) {
	s := made(t, `{"policyMigrationState":"migrationComplete","authenticationMethodConfigurations":[null,{"id":"Sms","state":"enabled","state":"disabled"},{"id":"Fido2","state":"enabled"}]}`)
	next := asIf(t, s, "disable-method=Fido2").View().MethodsPolicy
	if got := next.Method("Fido2").State; got != "disabled" {
		t.Errorf("Fido2 is %s", got)
	}
	if len(next.Method("Sms").Unmodelled) != 1 {
		t.Errorf("Sms: not modelled: %v, want the state that was given twice", next.Method("Sms").Unmodelled)
	}
}

// PowerShell spells keys its own way; a change must not add a second spelling.
func TestChangeKeepsTheSpellingOfKeys(t *testing.T) {
	s := made(t, `{"Id":"11111111-1111-4111-8111-111111111111","DisplayName":"Pascal","State":"disabled","Conditions":{"Users":{"IncludeUsers":["All"],"ExcludeGroups":"`+emergencyGroup+`"},"Applications":{"IncludeApplications":["All"]}},"GrantControls":{"Operator":"OR","BuiltInControls":["block"]}}`)
	next := asIf(t, asIf(t, s, "enable=Pascal"), "remove-exclusion=Pascal:"+emergencyGroup)
	p := next.View().Policies[0]
	if p.State != entra.StateEnabled || len(p.Conditions.Users.ExcludeGroups) != 0 {
		t.Errorf("state %s, excluded %v", p.State, p.Conditions.Users.ExcludeGroups)
	}
	if text := string(p.Raw); strings.Contains(text, `"state"`) || strings.Contains(text, `"excludeGroups"`) {
		t.Errorf("a second spelling: %s", text)
	}
}

func FuzzParseAsIf(f *testing.F) {
	for _, form := range plan.AsIfForms() {
		f.Add(form[0])
	}
	f.Add("remove-exclusion=CA001: Block:legacy:authentication:CA-EmergencyAccess")
	s := tidewater(f)
	f.Fuzz(func(t *testing.T, expression string) {
		c, err := plan.ParseAsIf(expression)
		if err != nil {
			if e, ok := errors.AsType[*plan.ExpressionError](err); !ok || e.Hint() == "" {
				t.Errorf("%q: an error without a hint: %v", expression, err)
			}
			return
		}
		if next, err := c.On(s); err == nil && next == nil || c.String() == "" {
			t.Errorf("%q: no Snapshot and no error", expression)
		}
	})
}
