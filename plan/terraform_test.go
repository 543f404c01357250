package plan_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"halligan/entra"
	"halligan/examples"
	"halligan/lockout"
	"halligan/plan"
)

func tidewater(t testing.TB) *entra.Snapshot {
	t.Helper()
	s, err := entra.Read(entra.Source{Name: "tidewater", FS: examples.Tidewater()})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "terraform", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func terraform(t testing.TB, name string) ([]plan.Change, []plan.Unknown) {
	t.Helper()
	changes, unknowns, err := plan.FromTerraform(fixture(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return changes, unknowns
}

func policyNamed(t testing.TB, s *entra.Snapshot, prefix string) *entra.Policy {
	t.Helper()
	c := s.View()
	for i := range c.Policies {
		if strings.HasPrefix(c.Policies[i].DisplayName, prefix) {
			return &c.Policies[i]
		}
	}
	t.Fatalf("no policy %s", prefix)
	return nil
}

// sameJSON compares two JSON texts as values.
func sameJSON(t testing.TB, got, want []byte) {
	t.Helper()
	g, err := entra.Canonical(got)
	if err != nil {
		t.Fatal(err)
	}
	w, err := entra.Canonical(want)
	if err != nil {
		t.Fatal(err)
	}
	if string(g) != string(w) {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
}

func TestTerraformEveryArgumentOfAPolicy(t *testing.T) {
	changes, unknowns := terraform(t, "every-argument.json")
	if len(changes) != 1 || len(unknowns) != 0 {
		t.Fatalf("got %d changes, %v unknown; want 1 change, nothing unknown", len(changes), unknowns)
	}
	sameJSON(t, changes[0].Object, fixture(t, "every-argument.graph.json"))
	p, err := entra.DecodePolicy(changes[0].Object)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Unmodelled) > 0 {
		t.Errorf("not modelled: %v", p.Unmodelled)
	}
	if got, want := changes[0].String(), `create policy "CA020: Everything that the provider knows"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTerraformEveryAction(t *testing.T) {
	changes, unknowns := terraform(t, "every-action.json")
	var got []string
	for _, c := range changes {
		got = append(got, c.String())
	}
	want := []string{
		`change policy "CA006: Block sign-ins from countries without business"`,
		`remove policy "CA014: Block everything outside the field tablets (retired)"`,
		`create policy "CA021: Block guests"`,
		`remove named location "Branch Rotterdam"`,
		`create named location "Branch Rotterdam"`,
		`change authentication strength "Emergency access keys"`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	var why []string
	for _, u := range unknowns {
		why = append(why, u.Address)
	}
	if want := []string{"azuread_group_member.south", "msgraph_resource.policy"}; !slices.Equal(why, want) {
		t.Errorf("not read, but bearing on a proof: got %v, want %v", why, want)
	}

	sameJSON(t, changes[4].Object, []byte(`{"id":"terraform:azuread_named_location.branch","@odata.type":"#microsoft.graph.countryNamedLocation","displayName":"Branch Rotterdam",`+
		`"countriesAndRegions":["NL"],"countryLookupMethod":"clientIpAddress","includeUnknownCountriesAndRegions":false}`))
	sameJSON(t, changes[5].Object, []byte(`{"displayName":"Emergency access keys","description":"The two key models that the emergency access accounts hold","allowedCombinations":["fido2"],`+
		`"combinationConfigurations":[{"@odata.type":"#microsoft.graph.fido2CombinationConfiguration","appliesToCombinations":["fido2"],"allowedAAGUIDs":["2fc0579f-8113-47ea-b116-bb5a8db9202a"]}]}`))

	base := tidewater(t)
	before := base.Digest()
	next, err := plan.Apply(base, changes...)
	if err != nil {
		t.Fatal(err)
	}
	if entra.NewSnapshot(base.Content()).Digest() != before {
		t.Error("the Snapshot that the changes were made on is no longer what it was")
	}
	d := plan.Diff(base, next)
	if len(d.Policies.Added) != 1 || len(d.Policies.Removed) != 1 || len(d.Policies.Changed) != 2 {
		t.Errorf("policies: %+v", d.Policies)
	}
	if len(d.Locations.Added) != 1 || len(d.Locations.Removed) != 1 || len(d.Strengths.Changed) != 1 {
		t.Errorf("locations %+v, strengths %+v", d.Locations, d.Strengths)
	}
	// CA004 holds a copy of the strength, and the plan took the exclusion out of
	// CA006.
	for i, want := range []string{"grantControls.authenticationStrength.combinationConfigurations.allowedAAGUIDs", "conditions.users.excludeGroups"} {
		if paths := d.Policies.Changed[i].Paths; len(paths) != 1 || paths[0].Path != want || len(paths[0].Removed) != 1 {
			t.Errorf("what changed in the policy: %+v, want one member less in %s", paths, want)
		}
	}
	goal, _ := lockout.ResolveGoal("entraAdminCenter")
	v, err := lockout.New(next).Prove(lockout.Question{Account: "ea-north@tidewaterinstruments.onmicrosoft.com", Goal: goal})
	if err != nil {
		t.Fatal(err)
	}
	if v.Outcome != lockout.Lockout || !strings.Contains(v.Counterexample.Sentence, "CA006") {
		t.Errorf("got %s, %v; want a lockout by CA006", v.Outcome, v.Counterexample)
	}
	// The policy that holds a copy of the strength has the new one.
	if s := policyNamed(t, next, "CA004").Grant.Strength; len(s.Configurations) != 1 || len(s.Configurations[0].AAGUIDs) != 1 {
		t.Errorf("the copy of the strength in CA004: %+v", s.Configurations)
	}
}

func TestTerraformUnknownBeforeApply(t *testing.T) {
	changes, unknowns := terraform(t, "unknown.json")
	next, err := plan.Apply(tidewater(t), changes...)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		policy     string
		unmodelled []string // paths
	}{
		{"CA030", nil}, // the one location that the expression refers to
		{"CA031", []string{"conditions.locations.excludeLocations[0]", "conditions.locations.excludeLocations[1]"}},
		{"CA032", []string{"conditions.locations.excludeLocations[0]", "conditions.users.excludeGroups[0]"}},
		{"CA033", nil}, // the one strength that the expression refers to
		{"CA034", nil}, // left out of the configuration, so the provider's default
		{"CA035", nil}, // inside a module
		{"CA036", nil}, // inside one of many modules
	}
	for _, tt := range tests {
		p := policyNamed(t, next, tt.policy)
		var got []string
		for _, u := range p.Unmodelled {
			got = append(got, u.Path)
		}
		if !slices.Equal(got, tt.unmodelled) {
			t.Errorf("%s: not modelled: got %v, want %v", tt.policy, got, tt.unmodelled)
		}
	}
	if got := policyNamed(t, next, "CA030").Conditions.Locations.Exclude; len(got) != 2 || got[1] != "terraform:azuread_named_location.lab" {
		t.Errorf("CA030 excludes %v, want headquarters and the lab", got)
	}
	if got := policyNamed(t, next, "CA033").Grant.Strength; got == nil || got.ID != "terraform:azuread_authentication_strength_policy.new" {
		t.Errorf("CA033 demands %v, want the new strength", got)
	}
	if got := policyNamed(t, next, "CA035").Conditions.Locations.Exclude; len(got) != 1 || got[0] != "terraform:module.inner.azuread_named_location.inner" {
		t.Errorf("CA035 excludes %v, want the location of the module", got)
	}
	if got := policyNamed(t, next, "CA036").Conditions.Locations.Exclude; len(got) != 1 || got[0] != `terraform:module.each["x].y"].azuread_named_location.inner` {
		t.Errorf("CA036 excludes %v, want the location of its instance of the module", got)
	}
	if f := policyNamed(t, next, "CA034").Session.SignInFrequency; f == nil || f.Value != 12 || f.EveryTime {
		t.Errorf("CA034: %+v, want 12 hours", f)
	}
	var got []string
	for _, u := range unknowns {
		got = append(got, strings.TrimSpace(u.Address+" "+u.Path))
	}
	want := []string{
		"azuread_conditional_access_policy.several conditions.locations.excluded_locations[0]",
		"azuread_conditional_access_policy.several conditions.locations.excluded_locations[1]",
		"azuread_conditional_access_policy.variable conditions.locations.excluded_locations[0]",
		"azuread_conditional_access_policy.variable conditions.users.excluded_groups[0]",
		"azuread_group.emergency",
	}
	if !slices.Equal(got, want) {
		t.Errorf("unknown: got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// What is unknown must never become empty: each of these policies would be
// harmless, or a certain lockout, if it did.
func TestTerraformUnknownIsNeitherProvedNorLockout(t *testing.T) {
	const everything = `{"display_name":"X","state":"enabled","conditions":[{"client_app_types":["all"],` +
		`"applications":[{"included_applications":["All"]}],"users":[{"included_users":["All"]}]}],"grant_controls":[{"operator":"OR","built_in_controls":["block"]}]}`
	tests := map[string]struct{ after, unknown string }{
		"the state":                 {strings.Replace(everything, `"state":"enabled",`, "", 1), `{"state":true}`},
		"the users":                 {strings.Replace(everything, `"users":[{"included_users":["All"]}]`, `"users":[{}]`, 1), `{"conditions":[{"users":[{"included_users":true}]}]}`},
		"one of the users":          {strings.Replace(everything, `"included_users":["All"]`, `"included_users":[null]`, 1), `{"conditions":[{"users":[{"included_users":[true]}]}]}`},
		"an excluded group":         {strings.Replace(everything, `"included_users":["All"]`, `"included_users":["All"],"excluded_groups":[null]`, 1), `{"conditions":[{"users":[{"excluded_groups":[true]}]}]}`},
		"all excluded groups":       {everything, `{"conditions":[{"users":[{"excluded_groups":true}]}]}`},
		"the block of users":        {strings.Replace(everything, `"users":[{"included_users":["All"]}]`, `"users":[]`, 1), `{"conditions":[{"users":true}]}`},
		"the applications":          {strings.Replace(everything, `{"included_applications":["All"]}`, `{}`, 1), `{"conditions":[{"applications":[{"included_applications":true}]}]}`},
		"all conditions":            {strings.Replace(everything, `"conditions":[{"client_app_types":["all"],"applications":[{"included_applications":["All"]}],"users":[{"included_users":["All"]}]}],`, ``, 1), `{"conditions":true}`},
		"the client applications":   {strings.Replace(everything, `"client_app_types":["all"],`, ``, 1), `{"conditions":[{"client_app_types":true}]}`},
		"a platform":                {strings.Replace(everything, `"client_app_types"`, `"platforms":[{"included_platforms":[null]}],"client_app_types"`, 1), `{"conditions":[{"platforms":[{"included_platforms":[true]}]}]}`},
		"the rule of a filter":      {strings.Replace(everything, `"client_app_types"`, `"devices":[{"filter":[{"mode":"exclude"}]}],"client_app_types"`, 1), `{"conditions":[{"devices":[{"filter":[{"rule":true}]}]}]}`},
		"the flows":                 {everything, `{"conditions":[{"authentication_flow_transfer_methods":true}]}`},
		"the insider risk":          {everything, `{"conditions":[{"insider_risk_levels":true}]}`},
		"the grant":                 {strings.Replace(everything, `,"grant_controls":[{"operator":"OR","built_in_controls":["block"]}]`, ``, 1), `{"grant_controls":true}`},
		"one of the grant controls": {strings.Replace(everything, `["block"]`, `["mfa",null]`, 1), `{"grant_controls":[{"built_in_controls":[false,true]}]}`},
		"the strength":              {strings.Replace(everything, `"built_in_controls":["block"]`, `"built_in_controls":[]`, 1), `{"grant_controls":[{"authentication_strength_policy_id":true}]}`},
	}
	base := tidewater(t)
	goal, _ := lockout.ResolveGoal("entraAdminCenter")
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			text := `{"format_version":"1.2","planned_values":{},"resource_changes":[{"address":"azuread_conditional_access_policy.x","mode":"managed",` +
				`"type":"azuread_conditional_access_policy","name":"x","change":{"actions":["create"],"before":null,"after":` + tt.after + `,"after_unknown":` + tt.unknown + `}}]}`
			changes, unknowns, err := plan.FromTerraform([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			if len(unknowns) != 1 {
				t.Errorf("unknown: got %v, want one", unknowns)
			}
			next, err := plan.Apply(base, changes...)
			if err != nil {
				t.Fatal(err)
			}
			v, err := lockout.New(next).Prove(lockout.Question{Account: "ea-north@tidewaterinstruments.onmicrosoft.com", Goal: goal})
			if err != nil {
				t.Fatal(err)
			}
			if v.Outcome != lockout.Undetermined {
				t.Errorf("got %s, want %s; policy: %s", v.Outcome, lockout.Undetermined, changes[0].Object)
			}
		})
	}
}

// An unknown id is matched with an object that the plan creates only when nothing
// else can be meant.
func TestTerraformReferenceIsFollowedOnlyWhenItIsPlain(t *testing.T) {
	tests := map[string]struct {
		references string
		unknown    int
		follow     bool
	}{
		"one id":                    {`"azuread_named_location.lab.object_id","azuread_named_location.lab"`, 1, true},
		"the id beside a known one": {`"azuread_named_location.old.id","azuread_named_location.old","azuread_named_location.lab.id","azuread_named_location.lab"`, 1, true},
		"two of one":                {`"azuread_named_location.lab.object_id","azuread_named_location.lab"`, 2, false},
		"two that are created":      {`"azuread_named_location.lab.id","azuread_named_location.more.id"`, 1, false},
		"one that the plan lacks":   {`"azuread_named_location.lab.id","azuread_named_location.ghost.id"`, 1, false},
		"a variable too":            {`"azuread_named_location.lab.id","var.more"`, 1, false},
		"a local value":             {`"local.id"`, 1, false},
		"another attribute":         {`"azuread_named_location.lab.ip","azuread_named_location.lab"`, 1, false},
		"an instance":               {`"azuread_named_location.lab[0].id","azuread_named_location.lab[0]"`, 1, false},
		"another type of resource":  {`"azuread_authentication_strength_policy.lab.id"`, 1, false},
		"no references":             {``, 1, false},
	}
	created := func(name, action string) string {
		return `{"address":"azuread_named_location.` + name + `","type":"azuread_named_location","change":{"actions":["` + action + `"],"before":{"object_id":"` + idA + `"},"after":{"display_name":"L","ip":[{"ip_ranges":["192.0.2.0/24"]}]},"after_unknown":{"id":true}}}`
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			nulls, trues := strings.TrimSuffix(strings.Repeat("null,", tt.unknown), ","), strings.TrimSuffix(strings.Repeat("true,", tt.unknown), ",")
			text := `{"format_version":"1.2","planned_values":{},"resource_changes":[` + created("lab", "create") + "," + created("more", "create") + "," + created("old", "no-op") +
				`,{"address":"azuread_conditional_access_policy.x","type":"azuread_conditional_access_policy","change":{"actions":["create"],"after":{"display_name":"X","conditions":[{"locations":[{"excluded_locations":[` + nulls +
				`]}]}]},"after_unknown":{"conditions":[{"locations":[{"excluded_locations":[` + trues + `]}]}]}}}],"configuration":{"root_module":{"resources":[{"address":"azuread_conditional_access_policy.x","expressions":{"conditions":[{"locations":[{"excluded_locations":{"references":[` +
				tt.references + `]}}]}]}}]}}}`
			changes, unknowns, err := plan.FromTerraform([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			object := string(changes[2].Object)
			if follow := strings.Contains(object, `["terraform:azuread_named_location.lab"]`); follow != tt.follow {
				t.Errorf("followed: %v, want %v: %s", follow, tt.follow, object)
			}
			if got := len(unknowns); !tt.follow && got != tt.unknown || tt.follow && got != 0 {
				t.Errorf("%d unknown: %v", got, unknowns)
			}
		})
	}
}

func TestTerraformSessionControlsThatAreOff(t *testing.T) {
	session := func(rest string) string {
		text := `{"format_version":"1.2","planned_values":{},"resource_changes":[{"address":"azuread_conditional_access_policy.x","type":"azuread_conditional_access_policy","change":{"actions":["create"],"after":{"display_name":"X","session_controls":[` + rest + `]}}}]}`
		changes, _, err := plan.FromTerraform([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		var o struct{ SessionControls json.RawMessage }
		if err := json.Unmarshal(changes[0].Object, &o); err != nil {
			t.Fatal(err)
		}
		return string(o.SessionControls)
	}
	tests := []struct{ arguments, want string }{
		{``, `null`},
		{`{"persistent_browser_mode":"never","sign_in_frequency":0,"cloud_app_security_policy":"","disable_resilience_defaults":false,"application_enforced_restrictions_enabled":false}`,
			`{"persistentBrowser":{"isEnabled":true,"mode":"never"},"signInFrequency":null,"cloudAppSecurity":null,"disableResilienceDefaults":null,"applicationEnforcedRestrictions":null}`},
		{`{"sign_in_frequency_interval":"everyTime"}`, `{"signInFrequency":{"isEnabled":true,"frequencyInterval":"everyTime"}}`},
	}
	for _, tt := range tests {
		sameJSON(t, []byte(session(tt.arguments)), []byte(tt.want))
	}
}

func TestTerraformVersionTwoOfTheProvider(t *testing.T) {
	changes, unknowns := terraform(t, "version-2.json")
	if len(unknowns) > 0 {
		t.Errorf("unknown: %v", unknowns)
	}
	base := tidewater(t)
	next, err := plan.Apply(base, changes...)
	if err != nil {
		t.Fatal(err)
	}
	d := plan.Diff(base, next).Policies
	if len(d.Changed) != 1 || len(d.Changed[0].Paths) != 1 || d.Changed[0].Paths[0].Path != "state" {
		t.Fatalf("got %+v, want only the state of CA012 changed", d)
	}
	if p := policyNamed(t, next, "CA012"); p.State != entra.StateEnabled || len(p.Unmodelled) > 0 {
		t.Errorf("CA012: state %s, not modelled %v", p.State, p.Unmodelled)
	}
}

func TestTerraformArgumentsOfANewerProvider(t *testing.T) {
	changes, unknowns := terraform(t, "newer-argument.json")
	p, err := entra.DecodePolicy(changes[0].Object)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, u := range p.Unmodelled {
		got = append(got, u.Path)
	}
	slices.Sort(got)
	if want := []string{"conditions.agent_risk_levels", "conditions.mood_levels", "conditions.users.included_agents"}; !slices.Equal(got, want) {
		t.Errorf("not modelled: got %v, want %v", got, want)
	}
	if len(unknowns) != 4 || unknowns[3].Address != "azuread_conditional_access_template.x" {
		t.Errorf("unknown: got %v, want three arguments and one resource", unknowns)
	}
}

// The provider does not manage everything that a policy can have. Whether Graph
// keeps such a setting next to one that the provider sends is not documented.
func TestTerraformUpdateOfAPolicyWithMoreThanTheProviderKnows(t *testing.T) {
	base := tidewater(t)
	c := base.Content()
	for i := range c.Policies {
		if strings.HasPrefix(c.Policies[i].DisplayName, "CA012") {
			raw := strings.Replace(string(c.Policies[i].Raw), `"sessionControls":null`, `"sessionControls":{"secureSignInSession":{"isEnabled":true}}`, 1)
			raw = strings.Replace(raw, `"includeAuthenticationContextClassReferences":[]`, `"includeAuthenticationContextClassReferences":["c2"]`, 1)
			p, err := entra.DecodePolicy([]byte(raw))
			if err != nil {
				t.Fatal(err)
			}
			c.Policies[i] = p
		}
	}
	changes, _ := terraform(t, "version-2.json")
	next, err := plan.Apply(entra.NewSnapshot(c), changes...)
	if err != nil {
		t.Fatal(err)
	}
	p := policyNamed(t, next, "CA012")
	if p.Session.SecureSignInSession {
		t.Error("the provider sends sessionControls null, which clears them")
	}
	if len(p.Unmodelled) != 1 || p.Unmodelled[0].Path != "conditions.applications.includeAuthenticationContextClassReferences" ||
		!strings.Contains(p.Unmodelled[0].Value, "keptUnlessReplaced") {
		t.Errorf("not modelled: got %v, want the authentication context", p.Unmodelled)
	}
}

func TestTerraformMistakes(t *testing.T) {
	planned := string(fixture(t, "no-changes.json"))
	policy := `{"address":"azuread_conditional_access_policy.x","mode":"managed","type":"azuread_conditional_access_policy","change":`
	with := func(change string) string {
		return strings.Replace(planned, `"resource_changes": []`, `"resource_changes": [`+policy+change+`}]`, 1)
	}
	tests := map[string]struct{ text, want, hint string }{
		"a state":                    {string(fixture(t, "state.json")), "a Terraform state, not a plan", "terraform show -json tfplan > plan.json"},
		"the log of plan -json":      {string(fixture(t, "log.ndjson")), "the log of terraform plan -json", "terraform show -json tfplan > plan.json"},
		"the binary plan":            {"PK\x03\x04", "not a Terraform plan", "terraform show -json"},
		"text":                       {"Terraform will perform the following actions:", "not a Terraform plan: line 1, column 1", "terraform show -json"},
		"another JSON file":          {`{"a":1}`, "not a Terraform plan", "terraform show -json"},
		"a format of the future":     {strings.Replace(planned, `"1.2"`, `"2.0"`, 1), `format version "2.0"`, "newer"},
		"a plan that failed":         {strings.Replace(planned, `"errored": false`, `"errored": true`, 1), "ended in an error", "plan again"},
		"an unknown action":          {with(`{"actions":["explode"],"before":null,"after":null}`), `azuread_conditional_access_policy.x: the action "explode" is not known`, ""},
		"an update without an id":    {with(`{"actions":["update"],"before":{"display_name":"X"},"after":{}}`), "does not say the id", ""},
		"a creation without content": {with(`{"actions":["create"],"before":null,"after":null}`), "does not say what the object will be", ""},
		"the wrong type":             {strings.Replace(planned, `"resource_changes": []`, `"resource_changes": 7`, 1), "cannot be read", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, _, err := plan.FromTerraform([]byte(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want %q", err, tt.want)
			}
			h, ok := err.(interface{ Hint() string })
			if !ok || !strings.Contains(h.Hint(), tt.hint) {
				t.Errorf("no hint with %q: %v", tt.hint, err)
			}
		})
	}
}

func TestTerraformWithoutChanges(t *testing.T) {
	changes, unknowns := terraform(t, "no-changes.json")
	if len(changes)+len(unknowns) > 0 {
		t.Errorf("got %v and %v, want nothing", changes, unknowns)
	}
}

func TestTerraformPlanThatIsNotAll(t *testing.T) {
	text := strings.Replace(string(fixture(t, "no-changes.json")), `"complete": true`,
		`"complete": false, "deferred_changes": [{"reason":"absent_prereq","resource_change":{"address":"azuread_conditional_access_policy.later","mode":"managed","type":"azuread_conditional_access_policy","change":{"actions":["create"]}}}]`, 1)
	_, unknowns, err := plan.FromTerraform([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if len(unknowns) != 2 || unknowns[0].Address != "azuread_conditional_access_policy.later" || !strings.Contains(unknowns[1].Why, "not complete") {
		t.Errorf("got %v, want the change that was put off, and that the plan is not complete", unknowns)
	}
}

// Windows PowerShell writes > as UTF-16.
func TestTerraformPlanInUTF16(t *testing.T) {
	for name, text := range map[string]string{"plan": string(fixture(t, "version-2.json")), "log": string(fixture(t, "log.ndjson"))} {
		data := []byte{0xFF, 0xFE}
		for _, u := range utf16.Encode([]rune(text)) {
			data = append(data, byte(u), byte(u>>8))
		}
		changes, _, err := plan.FromTerraform(data)
		switch name {
		case "plan":
			if err != nil || len(changes) != 1 {
				t.Errorf("got %v, %v; want one change", changes, err)
			}
		case "log":
			if err == nil || !strings.Contains(err.Error(), "the log of terraform") {
				t.Errorf("got %v, want the log named", err)
			}
		}
	}
}

func TestTerraformChangeOfAPolicyThatTheTenantDoesNotHave(t *testing.T) {
	changes, _ := terraform(t, "version-2.json")
	empty := entra.NewSnapshot(entra.Content{})
	_, err := plan.Apply(empty, changes...)
	if err == nil || !strings.Contains(err.Error(), "there is no policy") || !strings.Contains(err.Error(), "CA012") {
		t.Errorf("got %v, want an error that names the policy", err)
	}
}

func FuzzFromTerraform(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "terraform", "*"))
	if err != nil || len(files) == 0 {
		f.Fatal("no fixtures", err)
	}
	for _, name := range files {
		f.Add(fixture(f, filepath.Base(name)))
	}
	base := entra.NewSnapshot(entra.Content{})
	f.Fuzz(func(t *testing.T, data []byte) {
		changes, _, err := plan.FromTerraform(data)
		if err != nil {
			return
		}
		for _, c := range changes {
			if len(c.Object) > 0 && !json.Valid(c.Object) {
				t.Errorf("%s: not JSON: %s", c, c.Object)
			}
			if next, err := c.On(base); err == nil && next == base {
				t.Errorf("%s changed nothing", c)
			}
		}
	})
}
