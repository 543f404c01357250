package plan_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"halligan/entra"
	"halligan/plan"
)

func policyJSON(id, name, state, rest string) string {
	if id != "" {
		id = fmt.Sprintf(`"id":%q,`, id)
	}
	return fmt.Sprintf(`{%s"displayName":%q,"state":%q,%s}`, id, name, state, rest)
}

const (
	idA = "aaaaaaaa-0000-4000-8000-000000000001"
	idB = "aaaaaaaa-0000-4000-8000-000000000002"
	idC = "aaaaaaaa-0000-4000-8000-000000000003"

	blockAll = `"conditions":{"users":{"includeUsers":["All"],"excludeGroups":["` + emergencyGroup + `"]},"applications":{"includeApplications":["All"]},"clientAppTypes":["all"],"signInRiskLevels":["high"]},"grantControls":{"operator":"OR","builtInControls":["block"]},"sessionControls":null`
)

func draft(t testing.TB, base *entra.Snapshot, text string) *entra.Snapshot {
	t.Helper()
	changes, err := plan.FromDraft(entra.Source{Name: "draft.json", Data: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	next, err := plan.Apply(base, changes...)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

func TestDraftUpdatesByIDAndElseCreates(t *testing.T) {
	base := made(t, policyJSON(idA, "A", "enabled", blockAll))
	tests := map[string]struct {
		draft    string
		policies int
	}{
		"the same id":             {policyJSON(strings.ToUpper(idA), "A2", "disabled", blockAll), 1},
		"another id":              {policyJSON(idB, "B", "enabled", blockAll), 2},
		"no id":                   {policyJSON("", "B", "enabled", blockAll), 2},
		"no id and the same name": {policyJSON("", "A", "enabled", blockAll), 2}, // Graph allows two of one name
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			next := draft(t, base, tt.draft)
			if got := next.PoliciesRead(); got != tt.policies {
				t.Errorf("got %d policies, want %d", got, tt.policies)
			}
			for _, p := range next.View().Policies {
				if p.ID == "" {
					t.Error("a policy without an id")
				}
			}
		})
	}
}

// Graph documents that what a PATCH does not mention stays, with the conditions
// as its example. What it does with the members of conditions.users is not
// documented, and a wrong guess could keep an exclusion that is gone.
func TestDraftThatMentionsLessThanTheTenantHas(t *testing.T) {
	base := made(t, policyJSON(idA, "A", "enabled", blockAll))
	tests := []struct {
		name, draft string
		excluded    int
		unmodelled  string // path, "" none
	}{
		{"only the state", `{"id":"` + idA + `","displayName":"A","state":"disabled","grantControls":null}`, 1, ""},
		{"one condition", `{"id":"` + idA + `","state":"enabled","conditions":{"signInRiskLevels":["low"]},"grantControls":null}`, 1, ""},
		{"the users without their exclusion", `{"id":"` + idA + `","conditions":{"users":{"includeUsers":["All"]}}}`, 0, "conditions.users.excludeGroups"},
		{"the users with an empty exclusion", `{"id":"` + idA + `","conditions":{"users":{"includeUsers":["All"],"excludeGroups":[]}}}`, 0, ""},
		{"no users at all", `{"id":"` + idA + `","displayName":"A","conditions":{"users":null,"applications":{"includeApplications":["All"]}}}`, 0, ""},
		{"the controls without their operator", `{"id":"` + idA + `","displayName":"A","state":"enabled","grantControls":{"builtInControls":["mfa"]}}`, 1, "grantControls.operator"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := draft(t, base, tt.draft).View().Policies[0]
			if got := len(p.Conditions.Users.ExcludeGroups); got != tt.excluded {
				t.Errorf("%d groups are certainly excluded, want %d", got, tt.excluded)
			}
			switch {
			case tt.unmodelled == "" && len(p.Unmodelled) > 0:
				t.Errorf("not modelled: %v, want nothing", p.Unmodelled)
			case tt.unmodelled != "" && (len(p.Unmodelled) != 1 || p.Unmodelled[0].Path != tt.unmodelled):
				t.Errorf("not modelled: %v, want %s", p.Unmodelled, tt.unmodelled)
			}
		})
	}
	// What is off may be kept or cleared: it is off.
	off := made(t, policyJSON(idA, "A", "enabled", strings.Replace(blockAll, `"sessionControls":null`, `"sessionControls":{"persistentBrowser":{"isEnabled":true,"mode":"never"},"secureSignInSession":{"isEnabled":false},"disableResilienceDefaults":false}`, 1)))
	if p := draft(t, off, `{"id":"`+idA+`","grantControls":null,"sessionControls":{"persistentBrowser":null}}`).View().Policies[0]; len(p.Unmodelled) > 0 || p.Session.SecureSignInSession {
		t.Errorf("not modelled: %v, session %+v; want nothing", p.Unmodelled, p.Session)
	}
	if p := draft(t, base, tests[1].draft).View().Policies[0]; len(p.Conditions.SignInRisk) != 1 || p.Conditions.SignInRisk[0] != entra.RiskLow {
		t.Errorf("the condition of the draft: %v", p.Conditions.SignInRisk)
	}
}

// A strength is given by the object, by its id, or by a reference; each replaces
// the others.
func TestDraftReplacesAStrengthHoweverItIsGiven(t *testing.T) {
	inline := `"authenticationStrength":{"id":"` + idB + `","displayName":"S","policyType":"custom","allowedCombinations":["fido2"],"combinationConfigurations":[]}`
	bound := `"authenticationStrength@odata.bind":"https://graph.microsoft.com/v1.0/policies/authenticationStrengthPolicies/` + idC + `"`
	body := func(strength string) string {
		return `"conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]}},"grantControls":{"operator":"OR","builtInControls":[],` + strength + `}`
	}
	tests := map[string]struct{ before, after, want string }{
		"an object by a reference": {inline, bound, idC},
		"a reference by an object": {bound, inline, idB},
		"an object by an id":       {inline, `"authenticationStrength":{"id":"` + idC + `"}`, idC},
		"a reference by null":      {bound, `"authenticationStrength":null`, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			base := made(t, policyJSON(idA, "A", "enabled", body(tt.before)))
			p := draft(t, base, policyJSON(idA, "A", "enabled", body(tt.after))).View().Policies[0]
			got := entra.ID("")
			if p.Grant.Strength != nil {
				got = p.Grant.Strength.ID
			}
			if n := strings.Count(string(p.Raw), "authenticationStrength"); n > 1+strings.Count(string(p.Raw), "authenticationStrengthPolicies") {
				t.Errorf("the strength is given %d times: %s", n, p.Raw)
			}
			if got != entra.ID(tt.want) || len(p.Unmodelled) > 0 {
				t.Errorf("got strength %q, not modelled %v; want %q", got, p.Unmodelled, tt.want)
			}
		})
	}
}

// A change of a strength reaches the policies that hold a copy of it, also when
// the export held the strength only there.
func TestStrengthChangesInThePoliciesThatHoldACopy(t *testing.T) {
	grant := func(id string) string {
		return `"conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]}},"grantControls":{"operator":"OR","builtInControls":[],"authenticationStrength":{"id":"` + id + `","displayName":"S","policyType":"custom","allowedCombinations":["fido2","password,hardwareOath"],"combinationConfigurations":[]}}`
	}
	const byID = `"conditions":{"users":{"includeUsers":["All"]}},"grantControls":{"operator":"OR","builtInControls":[],"authenticationStrength":{"id":"` + idC + `"}}`
	base := made(t, "["+policyJSON(idA, "A", "enabled", grant(idC))+","+policyJSON(idB, "B", "enabled", grant("other"))+","+policyJSON(idC, "C", "enabled", byID)+"]")
	c := plan.Change{Verb: plan.VerbUpdate, Kind: plan.KindStrength, Subject: idC, Object: []byte(`{"allowedCombinations":["fido2"]}`)}
	next, err := c.On(base)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{1, 2, 0} {
		if got := len(next.View().Policies[i].Grant.Strength.Combinations); got != want {
			t.Errorf("policy %d: %d combinations, want %d", i, got, want)
		}
	}
	listed := next.View().Strengths
	if len(listed) != 1 || listed[0].ConfigurationsRead {
		t.Errorf("listed: %+v; want the strength, its configurations unread", listed)
	}
}

func TestDraftsThatCannotBeUsed(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"nothing of a tenant": {`{"a":1}`, "holds no policy"},
		"broken JSON":         {`{"displayName":"A",}`, "draft.json:1:"},
		"one broken of two":   {`[` + policyJSON("", "A", "enabled", blockAll) + `,{"state":}]`, "draft.json:1:"},
	}
	for name, tt := range tests {
		if _, err := plan.FromDraft(entra.Source{Name: "draft.json", Data: []byte(tt.text)}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", name, err, tt.want)
		}
	}
	if _, err := plan.FromDraft(); err == nil {
		t.Error("no source: no error")
	}
}

func TestSecondExportReplacesWhatItRead(t *testing.T) {
	base := tidewater(t)
	// The second export: two policies gone, one other, one location less, no
	// strengths; security defaults on, a group with one member.
	c := base.Content()
	keep := map[string]bool{}
	for i := range c.Policies {
		if !strings.HasPrefix(c.Policies[i].DisplayName, "CA014") && !strings.HasPrefix(c.Policies[i].DisplayName, "CA012") {
			keep[string(c.Policies[i].ID)] = true
		}
	}
	var list []string
	for i := range c.Policies {
		if keep[string(c.Policies[i].ID)] {
			list = append(list, strings.Replace(string(c.Policies[i].Raw), `"CA001: Block legacy`, `"CA001: Stop legacy`, 1))
		}
	}
	sources := []string{
		`{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#identity/conditionalAccess/policies","value":[` + strings.Join(list, ",") + `]}`,
		`{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#identity/conditionalAccess/namedLocations","value":[]}`,
		`{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#policies/identitySecurityDefaultsEnforcementPolicy/$entity","id":"00000000-0000-0000-0000-000000000005","isEnabled":true}`,
		`{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#groups","value":[{"id":"` + emergencyGroup + `","displayName":"CA-EmergencyAccess","groupTypes":[],"securityEnabled":true,"mailEnabled":false,"members":[{"id":"2786d9fb-aa4e-4778-8abb-11a546852728"}]}]}`,
	}
	next, err := plan.Apply(base, plan.FromSnapshot(base, made(t, sources...))...)
	if err != nil {
		t.Fatal(err)
	}
	d := plan.Diff(base, next)
	if len(d.Policies.Removed) != 2 || len(d.Policies.Changed) != 1 || len(d.Locations.Removed) != 3 || len(d.Strengths.Removed) != 0 {
		t.Errorf("policies %+v, locations %+v, strengths %+v", d.Policies, d.Locations, d.Strengths)
	}
	v := next.View()
	if !*v.SecurityDefaults {
		t.Error("security defaults are as they were")
	}
	for _, g := range v.Groups {
		if g.ID == emergencyGroup && len(g.Members) != 1 {
			t.Errorf("the group has the members %v", g.Members)
		}
	}
	if len(v.Groups) != len(base.View().Groups) {
		t.Errorf("%d groups, want %d: an export of some groups removes none", len(v.Groups), len(base.View().Groups))
	}
	if len(v.RoleAssignments) != len(base.View().RoleAssignments) || v.MethodsPolicy == nil || len(v.Accounts) != len(base.View().Accounts) {
		t.Error("a part that the second export did not read is not as it was")
	}
	if same := plan.FromSnapshot(base, base); len(same) != 0 {
		t.Errorf("an export of the same tenant makes the changes %v", same)
	}
}

func TestSecondExportThatIsNotAllRemovesNothing(t *testing.T) {
	base := made(t, "["+policyJSON(idA, "A", "enabled", blockAll)+","+policyJSON(idB, "B", "enabled", blockAll)+"]")
	page := `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#identity/conditionalAccess/policies","@odata.nextLink":"https://graph.microsoft.com/x","value":[` + policyJSON(idA, "A", "enabled", blockAll) + `]}`
	if got := plan.FromSnapshot(base, made(t, page)); len(got) != 0 {
		t.Errorf("got %v, want no change", got)
	}
}

func TestRecognise(t *testing.T) {
	one, two := policyJSON(idA, "A", "enabled", blockAll), policyJSON(idB, "B", "enabled", blockAll)
	tests := map[string]struct {
		text string
		want plan.Format
	}{
		"one policy":                {one, plan.FormatDraft},
		"a location":                {`{"@odata.type":"#microsoft.graph.ipNamedLocation","displayName":"L","ipRanges":[{"cidrAddress":"192.0.2.0/24"}]}`, plan.FormatDraft},
		"a list of policies":        {"[" + one + "," + two + "]", plan.FormatExport},
		"a list without ids":        {"[" + policyJSON("", "A", "enabled", blockAll) + "," + policyJSON("", "B", "enabled", blockAll) + "]", plan.FormatDraft},
		"a Graph list of one":       {`{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#identity/conditionalAccess/policies","value":[` + one + `]}`, plan.FormatExport},
		"a Snapshot":                {string(tidewater(t).JSON()), plan.FormatExport},
		"a Terraform plan":          {string(fixture(t, "every-action.json")), plan.FormatTerraformPlan},
		"a plan without changes":    {string(fixture(t, "no-changes.json")), plan.FormatTerraformPlan},
		"a Terraform state":         {string(fixture(t, "state.json")), plan.FormatTerraformState},
		"a state file":              {`{"version":4,"terraform_version":"1.13.4","serial":3,"lineage":"x","outputs":{},"resources":[]}`, plan.FormatTerraformState},
		"the log of plan -json":     {string(fixture(t, "log.ndjson")), plan.FormatTerraformLog},
		"something else":            {`{"a":1}`, plan.FormatUnknown},
		"no JSON":                   {"hello", plan.FormatUnknown},
		"nothing":                   {"", plan.FormatUnknown},
		"an archive that is broken": {"PK\x03\x04hello", plan.FormatUnknown},
	}
	for name, tt := range tests {
		if got := plan.Recognise([]byte(tt.text)); got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
	if got := plan.Recognise(zipped(t, "tfplan", "x")); got != plan.FormatTerraformBinary {
		t.Errorf("a binary plan: got %q", got)
	}
	if got := plan.Recognise(zipped(t, "policies.json", one)); got != plan.FormatExport {
		t.Errorf("an archive: got %q", got)
	}
}

func TestReadTellsFilesAndFoldersApart(t *testing.T) {
	named := made(t, "["+policyJSON(idA, "A", "enabled", blockAll)+","+policyJSON(idB, "B", "enabled", blockAll)+"]")
	templates := made(t, policyJSON("", "A", "enabled", blockAll), policyJSON("", "B", "enabled", blockAll))
	file := func(text string) entra.Source { return entra.Source{Name: "f.json", Data: []byte(text)} }
	folder := func(texts ...string) entra.Source {
		files := fstest.MapFS{}
		for i, text := range texts {
			files[fmt.Sprintf("%d.json", i)] = &fstest.MapFile{Data: []byte(text)}
		}
		return entra.Source{Name: "folder", FS: files}
	}
	changedB := policyJSON(idB, "B", "disabled", blockAll)
	newB := policyJSON("", "B", "disabled", blockAll)
	const context = `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#identity/conditionalAccess/policies","value":`
	tests := map[string]struct {
		base    *entra.Snapshot
		sources []entra.Source
		format  plan.Format
		says    string
	}{
		"a draft":                         {named, []entra.Source{file(changedB)}, plan.FormatDraft, `set policy "B"`},
		"a folder of exported policies":   {named, []entra.Source{folder(changedB)}, plan.FormatExport, `remove policy "A", change policy "B"`},
		"a folder of templates":           {named, []entra.Source{folder(newB)}, plan.FormatDraft, `set policy "B"`},
		"a list of half of the policies":  {named, []entra.Source{file("[" + changedB + "]")}, plan.FormatExport, `remove policy "A", change policy "B"`},
		"a list of few of the policies":   {tidewater(t), []entra.Source{file("[" + changedB + "," + policyJSON(idC, "C", "enabled", blockAll) + "]")}, plan.FormatDraft, `set policy "B", set policy "C"`},
		"Graph's list of no policy":       {named, []entra.Source{file(context + "[]}")}, plan.FormatExport, `remove policy "A", remove policy "B"`},
		"Graph's list of other policies":  {named, []entra.Source{file(context + "[" + policyJSON(idC, "C", "enabled", blockAll) + "]}")}, plan.FormatExport, `remove policy "A", remove policy "B", create policy "C"`},
		"templates against templates":     {templates, []entra.Source{folder(newB)}, plan.FormatExport, `remove policy "A", change policy "B"`},
		"an archive":                      {named, []entra.Source{{Name: "a.zip", Data: zipped(t, "b.json", changedB)}}, plan.FormatExport, `remove policy "A", change policy "B"`},
		"two drafts without ids":          {named, []entra.Source{file(newB), file(policyJSON("", "C", "enabled", blockAll))}, plan.FormatDraft, `set policy "C", set policy "B"`},
		"a Terraform plan":                {named, []entra.Source{file(string(fixture(t, "every-argument.json")))}, plan.FormatTerraformPlan, `create policy "CA020: Everything that the provider knows"`},
		"a Snapshot of the tenant itself": {named, []entra.Source{file(string(named.JSON()))}, plan.FormatExport, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p, err := plan.Read(tt.base, tt.sources...)
			if err != nil {
				t.Fatal(err)
			}
			var says []string
			for _, c := range p.Changes {
				says = append(says, c.String())
			}
			if got := strings.Join(says, ", "); p.Format != tt.format || got != tt.says {
				t.Errorf("got %s: %s; want %s: %s", p.Format, got, tt.format, tt.says)
			}
			if _, err := plan.Apply(tt.base, p.Changes...); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestReadNamesTheFileAndWhatToGiveInstead(t *testing.T) {
	base := tidewater(t)
	file := func(data []byte) entra.Source { return entra.Source{Name: "plan.json", Data: data} }
	tests := map[string]struct {
		sources    []entra.Source
		want, hint string
	}{
		"a state":                  {[]entra.Source{file(fixture(t, "state.json"))}, "plan.json: a Terraform state, not a plan", "terraform show -json"},
		"the log":                  {[]entra.Source{file(fixture(t, "log.ndjson"))}, "plan.json: the log of terraform", "terraform show -json"},
		"the binary plan":          {[]entra.Source{file(zipped(t, "tfplan", "x"))}, "plan.json: a Terraform plan in its binary form", "terraform show -json"},
		"something else":           {[]entra.Source{file([]byte(`{"a":1}`))}, "plan.json: neither a draft", "give a draft"},
		"a broken draft":           {[]entra.Source{file([]byte(`{"conditions":`))}, "plan.json:1:", ""},
		"a plan of a later format": {[]entra.Source{file([]byte(`{"format_version":"7.0","planned_values":{}}`))}, `plan.json: a Terraform plan in format version "7.0"`, "newer"},
		"an empty folder":          {[]entra.Source{{Name: "folder", FS: fstest.MapFS{}}}, "folder: neither a draft", "give a draft"},
		"a plan and something":     {[]entra.Source{file(fixture(t, "no-changes.json")), file([]byte(policyJSON("", "A", "enabled", blockAll)))}, "beside other sources", "alone"},
		"a state and something":    {[]entra.Source{file([]byte(policyJSON("", "A", "enabled", blockAll))), file(fixture(t, "state.json"))}, "a Terraform state", "terraform show -json"},
	}
	for name, tt := range tests {
		_, err := plan.Read(base, tt.sources...)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", name, err, tt.want)
			continue
		}
		if e, ok := errors.AsType[*plan.FormatError](err); tt.hint != "" && (!ok || !strings.Contains(e.Hint(), tt.hint)) {
			t.Errorf("%s: got %v, want the hint %q", name, err, tt.hint)
		}
	}
}
