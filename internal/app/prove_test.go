package app_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"halligan/entra"
	"halligan/internal/app"
	"halligan/lockout"
)

const (
	keyAccount  = "aaaaaaaa-0000-4000-8000-000000000001"
	spare       = "aaaaaaaa-0000-4000-8000-000000000002"
	rescueGroup = "bbbbbbbb-0000-4000-8000-000000000001"
)

// policy writes a policy for all users and resources.
func policy(id, name, exclude, grant string) string {
	return `{"id":"` + id + `","displayName":"` + name + `","state":"enabled","conditions":{"users":{"includeUsers":["All"],` + exclude +
		`},"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]},"grantControls":` + grant + `}`
}

var (
	compliantExcluding = policy("00000000-0000-4000-8000-00000000000a", "CA010 compliant device", `"excludeGroups":["`+rescueGroup+`"]`, `{"operator":"OR","builtInControls":["compliantDevice"]}`)
	mfaExcluding       = policy("00000000-0000-4000-8000-00000000000b", "CA011 MFA", `"excludeGroups":["`+rescueGroup+`"]`, `{"operator":"OR","builtInControls":["mfa"]}`)
	compliantForAll    = policy("00000000-0000-4000-8000-00000000000c", "CA012 compliant device", `"excludeUsers":[]`, `{"operator":"OR","builtInControls":["compliantDevice"]}`)
)

// known states everything that the policies leave open.
var known = []string{"member=" + rescueGroup, "role=GlobalAdministrator", "key=any", "methods=default", "ordinary"}

func source(policies ...string) []entra.Source {
	return []entra.Source{{Name: "policies.json", Data: []byte(`{"value":[` + strings.Join(policies, ",") + `]}`)}}
}

func prove(t *testing.T, req app.ProveRequest) *app.Report {
	t.Helper()
	if req.Now == "" {
		req.Now = "2026-11-21"
	}
	r, err := app.Prove(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	conforms(t, r)
	return r
}

// conforms holds a report against docs/prove.schema.json.
func conforms(t *testing.T, r *app.Report) {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join("..", "..", "docs", "prove.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(value); err != nil {
		t.Errorf("the report does not conform to its schema: %v", err)
	}
}

func TestVerdicts(t *testing.T) {
	tests := map[string]struct {
		req      app.ProveRequest
		verdict  lockout.Outcome
		trouble  bool
		settled  bool
		sentence string // of the first goal
	}{
		"an excluded account with a key": {
			app.ProveRequest{Sources: source(compliantExcluding, mfaExcluding), Accounts: []string{keyAccount}, Suppose: known},
			lockout.Proved, false, true, keyAccount + " can always reach the Microsoft Entra admin center, supposing what is stated",
		},
		"a policy that forgets the exclusion": {
			app.ProveRequest{Sources: source(compliantExcluding, compliantForAll), Accounts: []string{keyAccount}, Suppose: known},
			lockout.Lockout, true, true, keyAccount + ` cannot be sure to reach the Microsoft Entra admin center: from any unregistered machine, anywhere, in a browser: policy "CA012 compliant device" demands a compliant device`,
		},
		"nothing known of the account": {
			app.ProveRequest{Sources: source(compliantExcluding), Accounts: []string{keyAccount}},
			lockout.Undetermined, false, false, "not known whether " + keyAccount + " can always reach the Microsoft Entra admin center",
		},
		"no account named": {
			app.ProveRequest{Sources: source(compliantExcluding, mfaExcluding), Suppose: known[1:]},
			lockout.Proved, false, false, "a member of " + rescueGroup + " can always reach",
		},
		"nobody is excluded": {
			app.ProveRequest{Sources: source(compliantForAll)},
			lockout.Lockout, true, false, "an account that no policy names cannot be sure",
		},
		"a policy that cannot be read": {
			app.ProveRequest{Sources: append(source(compliantExcluding), entra.Source{Name: "broken.json", Data: []byte("{\n \"x\": ,")}), Accounts: []string{keyAccount}, Suppose: known},
			lockout.Undetermined, false, false, "not known whether",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := prove(t, tt.req)
			if r.Verdict != tt.verdict || r.Trouble() != tt.trouble || r.Settled() != tt.settled {
				t.Errorf("got %s, trouble %v, settled %v; want %s, %v, %v", r.Verdict, r.Trouble(), r.Settled(), tt.verdict, tt.trouble, tt.settled)
			}
			if got := r.Accounts[0].Goals[0].Sentence; !strings.HasPrefix(got, tt.sentence) {
				t.Errorf("got sentence %q, want it to begin %q", got, tt.sentence)
			}
		})
	}
}

// Graph PowerShell is another way in. Blocking it is no lockout of the account,
// and having only it is no proof.
func TestAnotherWayInDoesNotCount(t *testing.T) {
	blocked := strings.Replace(policy("00000000-0000-4000-8000-00000000000d", "no scripts", `"excludeUsers":[]`, `{"operator":"OR","builtInControls":["block"]}`),
		`"clientAppTypes":["all"]`, `"clientAppTypes":["mobileAppsAndDesktopClients"]`, 1)
	r := prove(t, app.ProveRequest{Sources: source(compliantExcluding, blocked), Accounts: []string{keyAccount}, Suppose: known})
	last := r.Accounts[0].Goals[2]
	if r.Verdict != lockout.Proved || r.Trouble() || last.Outcome != lockout.Lockout || last.Counts {
		t.Errorf("got %s, and %s for %s (counts: %v); want PROVED, and LOCKOUT that does not count", r.Verdict, last.Outcome, last.Goal, last.Counts)
	}
	named := prove(t, app.ProveRequest{Sources: source(compliantExcluding, blocked), Accounts: []string{keyAccount}, Suppose: known, Goals: []string{"graphPowerShell"}})
	if named.Verdict != lockout.Lockout {
		t.Errorf("asked for by name: got %s, want LOCKOUT", named.Verdict)
	}
}

// Nothing at all is not a tenant without policies.
func TestNoPolicyIsNotProved(t *testing.T) {
	for name, text := range map[string]string{"an empty object": "{}", "a user only": `{"id":"` + keyAccount + `","userPrincipalName":"a@contoso.example","accountEnabled":true}`} {
		t.Run(name, func(t *testing.T) {
			r := prove(t, app.ProveRequest{Sources: []entra.Source{{Name: "x.json", Data: []byte(text)}}, Accounts: []string{keyAccount}, Suppose: known[:4]})
			if r.Verdict == lockout.Proved || !r.Incomplete || r.PoliciesRead != 0 || len(r.Troubles) == 0 {
				t.Errorf("got %s, incomplete %v, %d policies, troubles %v; want it not proved, and why", r.Verdict, r.Incomplete, r.PoliciesRead, r.Troubles)
			}
		})
	}
}

func TestUnknownThingsAreRefusedWithAHint(t *testing.T) {
	tests := map[string]struct {
		req        app.ProveRequest
		want, hint string
	}{
		"a goal":           {app.ProveRequest{Goals: []string{"entraAdminCentre"}}, `no goal "entraAdminCentre"`, "entraAdminCenter"},
		"a name":           {app.ProveRequest{Accounts: []string{"nobody@contoso.example"}}, `no account "nobody@contoso.example"`, "object id"},
		"an empty account": {app.ProveRequest{Accounts: []string{" "}}, "needs a name", "object id"},
		"a supposition":    {app.ProveRequest{Accounts: []string{keyAccount}, Suppose: []string{"luck=good"}}, `suppose "luck=good"`, "member=GROUP"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.req.Sources = source(compliantExcluding)
			_, err := app.Prove(t.Context(), tt.req)
			refused, is := errors.AsType[*app.RequestError](err)
			if !is || !strings.Contains(err.Error(), tt.want) || !strings.Contains(refused.Hint(), tt.hint) {
				t.Errorf("got %v; want a refusal with %q and a hint with %q", err, tt.want, tt.hint)
			}
		})
	}
}

func TestSettlesMostFirst(t *testing.T) {
	r := prove(t, app.ProveRequest{Sources: source(compliantExcluding, mfaExcluding), Accounts: []string{keyAccount}})
	list := r.Accounts[0].Settle
	if len(list) == 0 || list[0].ID != "group-membership" && list[0].ID != "methods" {
		t.Fatalf("got %+v, want membership or methods first", list)
	}
	if !slices.IsSortedFunc(list, func(a, b app.Settlement) int { return b.Touches - a.Touches }) {
		t.Errorf("got %+v, want the most telling first", list)
	}
	if i := slices.IndexFunc(list, func(s app.Settlement) bool { return s.ID == "group-membership" }); i < 0 || !strings.Contains(list[i].How, "/users/"+keyAccount+"/transitiveMemberOf") {
		t.Errorf("got %+v, want the call for this very account", list)
	}
}

func TestMarginAndIndependence(t *testing.T) {
	r := prove(t, app.ProveRequest{Sources: source(compliantExcluding, mfaExcluding), Accounts: []string{keyAccount, spare}, Suppose: known, Margin: true})
	if m := r.Accounts[0].Margin; m == nil || m.K != 1 {
		t.Fatalf("got margin %+v, want 1", r.Accounts[0].Margin)
	}
	if r.Independence == nil || !slices.ContainsFunc(r.Independence.SinglePoints, func(e lockout.Event) bool { return slices.Equal(e, lockout.Event{"deleteGroup", rescueGroup}) }) {
		t.Errorf("got %+v, want the deletion of the group among them", r.Independence)
	}
}

func TestChange(t *testing.T) {
	r := prove(t, app.ProveRequest{Sources: source(compliantExcluding), With: source(compliantExcluding, mfaExcluding, compliantForAll), Accounts: []string{keyAccount}, Suppose: known})
	c := r.Change
	if c == nil || !c.Worse || !r.Trouble() || r.Verdict != lockout.Lockout {
		t.Fatalf("got change %+v and %s, want it worse and a lockout", c, r.Verdict)
	}
	if len(c.Policies) != 2 || c.Policies[0].Kind != "added" {
		t.Errorf("got %+v, want two added policies", c.Policies)
	}
	v := c.Verdicts[0]
	if v.Before != lockout.Proved || v.After != lockout.Lockout || !v.Alone || len(v.Because) != 1 || v.Because[0].Name != "CA012 compliant device" {
		t.Errorf("got %+v, want that CA012 alone made it worse", v)
	}
	back := prove(t, app.ProveRequest{Sources: source(compliantExcluding, compliantForAll), With: source(compliantExcluding), Accounts: []string{keyAccount}, Suppose: known})
	if back.Change.Worse || back.Trouble() || back.Change.Verdicts[0].Because[0].Kind != "removed" {
		t.Errorf("got %+v, want the removal to make it better", back.Change)
	}
}

// The published policy sets: every policy is counted, no report leaves the
// schema, nobody is proved without being named.
func TestCorpus(t *testing.T) {
	for _, set := range corpusSets(t) {
		sources := set.sources(t)
		t.Run(set.Repo+" "+set.Source, func(t *testing.T) {
			r := prove(t, app.ProveRequest{Sources: sources})
			if r.PoliciesRead != len(set.Policies) || len(r.Accounts) == 0 || r.Settled() {
				t.Errorf("got %d policies and %d accounts, settled %v; want %d, some, false", r.PoliciesRead, len(r.Accounts), r.Settled(), len(set.Policies))
			}
		})
	}
}
