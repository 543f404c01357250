package examples_test

import (
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"halligan/entra"
	"halligan/examples"
	"halligan/lockout"
	"halligan/plan"
	"halligan/register"
)

// accounts are the emergency access accounts of the example tenant.
var accounts = []entra.ID{"ea-north@tidewaterinstruments.onmicrosoft.com", "ea-south@tidewaterinstruments.onmicrosoft.com"}

var goals = []string{"entraAdminCenter", "recover:entraAdminCenter", "m365AdminCenter", "graphPowerShell", "azureCliWrite"}

// today is the day for which vendor dates are read.
const today = lockout.Date("2026-08-01")

func tenant(t *testing.T) *entra.Snapshot {
	t.Helper()
	s, err := entra.Read(entra.Source{Name: "tidewater", FS: examples.Tidewater()})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func drafted(t *testing.T, s *entra.Snapshot, name string) *entra.Snapshot {
	t.Helper()
	data, err := examples.Draft(name)
	if err != nil {
		t.Fatal(err)
	}
	changes, err := plan.FromDraft(entra.Source{Name: name, Data: data})
	if err != nil {
		t.Fatal(err)
	}
	next, err := plan.Apply(s, changes...)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// verdicts judges every account and goal and returns what is not as wanted.
func verdicts(t *testing.T, s *entra.Snapshot, want lockout.Outcome) (sentences []string) {
	t.Helper()
	p := lockout.New(s)
	for _, account := range accounts {
		for _, name := range goals {
			goal, ok := lockout.ResolveGoal(name)
			if !ok {
				t.Fatalf("no goal %s", name)
			}
			v, err := p.Prove(lockout.Question{Account: account, Goal: goal, Now: today})
			if err != nil {
				t.Fatal(err)
			}
			if v.Outcome != want {
				t.Errorf("%s to %s: got %s, want %s; unknown: %v", account, name, v.Outcome, want, v.Unknowns)
			}
			if v.Counterexample != nil {
				sentences = append(sentences, v.Counterexample.Sentence)
			}
		}
	}
	return sentences
}

func TestExampleTenantIsWholeAndUnderstood(t *testing.T) {
	s := tenant(t)
	c := s.View()
	if s.Incomplete() {
		t.Errorf("incomplete: %v", c.Troubles)
	}
	for _, n := range c.Notes {
		t.Errorf("note: %v", n)
	}
	if got := s.PoliciesRead(); got != 14 {
		t.Errorf("got %d policies, want 14", got)
	}
	for i := range c.Policies {
		if p := &c.Policies[i]; len(p.Unmodelled)+len(p.Foreign) > 0 {
			t.Errorf("policy %s: not modelled: %v, foreign: %v", p.Label(), p.Unmodelled, p.Foreign)
		}
	}
	for i := range c.Locations {
		if l := &c.Locations[i]; len(l.Unmodelled) > 0 {
			t.Errorf("location %s: not modelled: %v", l.DisplayName, l.Unmodelled)
		}
	}
	for _, m := range c.MethodsPolicy.Methods {
		if len(m.Unmodelled) > 0 {
			t.Errorf("method %s: not modelled: %v", m.ID, m.Unmodelled)
		}
	}
	states := map[entra.PolicyState]int{}
	for i := range c.Policies {
		states[c.Policies[i].State]++
	}
	if states[entra.StateEnabled] != 12 || states[entra.StateReportOnly] != 1 || states[entra.StateDisabled] != 1 {
		t.Errorf("states: %v, want 12 enabled, 1 report-only, 1 disabled", states)
	}
}

// What a group says of its members and an account of its groups must agree, or
// the example would teach something that cannot be.
func TestExampleTenantAgreesWithItself(t *testing.T) {
	c := tenant(t).View()
	for i := range c.Groups {
		g := &c.Groups[i]
		if !g.MembersRead {
			continue
		}
		for j := range c.Accounts {
			a := &c.Accounts[j]
			if inside := slices.ContainsFunc(g.Members, a.ID.Equal); inside != slices.ContainsFunc(a.Memberships, g.ID.Equal) {
				t.Errorf("group %s and account %s do not agree whether the one holds the other", g.DisplayName, a.ID)
			}
		}
		for _, m := range g.Members {
			if !slices.ContainsFunc(c.Users, func(u entra.User) bool { return u.ID.Equal(m) }) {
				t.Errorf("group %s has a member %s that is no user", g.DisplayName, m)
			}
		}
	}
}

func TestExampleTenantHasTwoKeyModelsPerAccount(t *testing.T) {
	c := tenant(t).View()
	if len(c.Accounts) < 2 {
		t.Fatalf("got %d accounts, want at least 2", len(c.Accounts))
	}
	holders := 0
	for i := range c.Accounts {
		models := map[string]bool{}
		for _, m := range c.Accounts[i].Methods {
			if m.Type == entra.MethodFIDO2 {
				models[m.AAGUID] = true
			}
		}
		if len(models) == 2 {
			holders++
		}
	}
	if holders != 2 {
		t.Errorf("%d accounts have keys of two models, want 2", holders)
	}
}

func TestDemoInThreeActs(t *testing.T) {
	healthy := tenant(t)
	verdicts(t, healthy, lockout.Proved)
	careless := drafted(t, healthy, "careless-policy.json")
	for _, s := range verdicts(t, careless, lockout.Lockout) {
		if !strings.Contains(s, "CA015: Require a compliant device for all users") {
			t.Errorf("the counterexample does not name the careless policy: %s", s)
		}
	}
	repaired := drafted(t, careless, "repaired-policy.json")
	verdicts(t, repaired, lockout.Proved)
	d := plan.Diff(healthy, repaired)
	if len(d.Policies.Added) != 1 || len(d.Policies.Removed)+len(d.Policies.Changed) > 0 {
		t.Errorf("the repair is not one added policy: %+v", d.Policies)
	}
	verdicts(t, drafted(t, healthy, "repaired-policy.json"), lockout.Proved)
}

// Every single thing that --as-if can ask of the tenant leaves the accounts in,
// or takes them out for the reason that it should.
func TestExampleTenantUnderAsIf(t *testing.T) {
	s := tenant(t)
	tests := []struct {
		expression string
		want       lockout.Outcome
	}{
		{"report-only=enabled", lockout.Proved},
		{"enable=CA014: Block everything outside the field tablets (retired)", lockout.Proved},
		{"remove=CA004: Require emergency access keys for emergency access accounts", lockout.Proved},
		{"disable=CA002: Require multifactor authentication for all users", lockout.Proved},
		{"withdraw-key-model=2fc0579f-8113-47ea-b116-bb5a8db9202a", lockout.Proved},
		{"withdraw-key-model=234cd403-35a2-4cc2-8015-77ea280c77f5", lockout.Proved},
		{"disable-method=TemporaryAccessPass", lockout.Proved},
		{"disable-method=Fido2", lockout.Lockout},
		{"delete-group=CA-EmergencyAccess", lockout.Lockout},
		{"delete-group=PIM-Administrators", lockout.Proved},
	}
	for _, tt := range tests {
		t.Run(tt.expression, func(t *testing.T) {
			change, err := plan.ParseAsIf(tt.expression)
			if err != nil {
				t.Fatal(err)
			}
			next, err := change.On(s)
			if err != nil {
				t.Fatal(err)
			}
			verdicts(t, next, tt.want)
		})
	}
}

func TestPipelinesAreYAMLAndAskTheSame(t *testing.T) {
	for _, name := range []string{"github-actions/halligan.yml", "azure-devops/azure-pipelines.yml"} {
		t.Run(name, func(t *testing.T) {
			data, err := fs.ReadFile(examples.FS(), name)
			if err != nil {
				t.Fatal(err)
			}
			var pipeline map[string]any
			if err := yaml.Unmarshal(data, &pipeline); err != nil {
				t.Fatal(err)
			}
			if pipeline["jobs"] == nil {
				t.Error("no jobs")
			}
			for _, want := range []string{
				"terraform plan -input=false -out=tfplan",
				"terraform show -json tfplan > plan.json",
				`halligan prove --from tenant --with plan.json "${accounts[@]}" --format html -o report.html || code=$?`,
				`exit "$code"`,
			} {
				if !strings.Contains(string(data), want) {
					t.Errorf("lacks %q", want)
				}
			}
		})
	}
}

func TestRegistersAreRead(t *testing.T) {
	names, err := fs.Glob(examples.FS(), "registers/*.yaml")
	if err != nil || len(names) != 3 {
		t.Fatalf("got %q, %v", names, err)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			text, err := examples.Register(path.Base(name))
			if err != nil {
				t.Fatal(err)
			}
			r, err := register.Parse(path.Base(name), text)
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Accounts) == 0 || len(r.Parts) == 0 {
				t.Errorf("got %d accounts, %d parts", len(r.Accounts), len(r.Parts))
			}
		})
	}
}

// The register of the example tenant names what is there.
func TestRegisterOfTheExampleTenantFitsIt(t *testing.T) {
	text, err := examples.Register("two-accounts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	r, err := register.Parse("two-accounts.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	c := tenant(t).View()
	stated := 0
	for i := range c.Policies {
		if _, is := r.Treatment(&c.Policies[i]); is {
			stated++
		}
	}
	if stated != len(r.Policies) {
		t.Errorf("%d of %d policies of the register are in the tenant", stated, len(r.Policies))
	}
	for _, a := range r.Accounts {
		if !slices.ContainsFunc(c.Users, func(u entra.User) bool { return u.ID.Equal(a.ID) && u.UserPrincipalName == a.Name }) {
			t.Errorf("no user %s %s in the tenant", a.ID, a.Name)
		}
	}
	for _, g := range r.Groups {
		if !slices.ContainsFunc(c.Groups, func(o entra.Group) bool { return o.ID.Equal(g.ID) && o.DisplayName == g.Name }) {
			t.Errorf("no group %s %s in the tenant", g.ID, g.Name)
		}
	}
}

// Hollins Joinery is the tenant of one-admin.yaml: Entra Free, security defaults,
// no policies.
func TestTheFreeTenantIsWhole(t *testing.T) {
	s, err := entra.Read(entra.Source{Name: "hollins", FS: examples.Hollins()})
	if err != nil {
		t.Fatal(err)
	}
	c := s.View()
	if s.Incomplete() || len(c.Policies) != 0 || s.Status(entra.PartPolicies).Status != entra.StatusRead || c.SecurityDefaults == nil || !*c.SecurityDefaults {
		t.Errorf("incomplete %v, %d policies, security defaults %v, troubles %v", s.Incomplete(), len(c.Policies), c.SecurityDefaults, c.Troubles)
	}
	text, err := examples.Register("one-admin.yaml")
	if err != nil {
		t.Fatal(err)
	}
	r, err := register.Parse("one-admin.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range r.Accounts {
		if !slices.ContainsFunc(c.Users, func(u entra.User) bool { return u.ID.Equal(a.ID) && u.UserPrincipalName == a.Name }) {
			t.Errorf("no user %s %s in the tenant", a.ID, a.Name)
		}
	}
}

// An example that no test loads goes stale unseen.
func TestEveryExampleIsLoaded(t *testing.T) {
	loaded := []string{"tenants/tidewater/*.json", "tenants/hollins/*.json", "drafts/careless-policy.json", "drafts/repaired-policy.json",
		"registers/*.yaml", "custody/*.yaml", "custody/*.txt", "custody/broken/*", "custody/combine.py", "custody/stick.sh", "github-actions/halligan.yml", "azure-devops/azure-pipelines.yml"}
	err := fs.WalkDir(examples.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if !slices.ContainsFunc(loaded, func(pattern string) bool { ok, _ := path.Match(pattern, name); return ok }) {
			t.Errorf("%s is loaded by no test", name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
