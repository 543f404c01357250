package posture_test

import (
	"fmt"
	"slices"
	"testing"

	"halligan/entra"
	"halligan/lockout"
	"halligan/posture"
)

// More report-only policies than are proved at once are all named.
func TestEveryReportOnlyPolicyIsNamed(t *testing.T) {
	w := baseWorld(t)
	const n = 40
	for i := range n {
		id := fmt.Sprintf("bbbbbbbb-1111-4000-8000-%012d", i)
		policy := map[string]any{"id": id, "displayName": fmt.Sprintf("Block %d", i), "raw": map[string]any{"id": id, "displayName": fmt.Sprintf("Block %d", i),
			"state": "enabledForReportingButNotEnforced", "conditions": map[string]any{"users": map[string]any{"includeUsers": []any{"All"}},
				"applications": map[string]any{"includeApplications": []any{"All"}}, "clientAppTypes": []any{"all"}},
			"grantControls": map[string]any{"operator": "OR", "builtInControls": []any{"block"}}}}
		if err := w.apply(step{Place: "snapshot/conditionalAccessPolicies", Add: policy}); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range posture.Judge(w.input(t)) {
		if f.Check.ID != "ca-report-only-clean" {
			continue
		}
		named := 0
		for _, e := range f.Evidence {
			if e.Detail == "state enabledForReportingButNotEnforced" {
				named++
			}
		}
		if f.Status != posture.Fail || named != n {
			t.Errorf("%s: %s, names %d of %d policies", f.AccountName, f.Status, named, n)
		}
	}
}

// An account that the prover was not asked about passes none of the checks that
// rest on its verdict.
func TestWithoutAVerdictNoPolicyIsHarmless(t *testing.T) {
	in := baseWorld(t).input(t)
	for i := range in.Accounts {
		in.Accounts[i].Verdicts = nil
	}
	got := statuses(posture.Judge(in))
	for _, id := range []string{"ca-not-blocked", "ca-device-unmeetable", "ca-location", "ca-session", "ca-authflow-userAction", "ca-authcontext", "ca-strength-fits",
		"ca-role-exclusion-trap", "risk-policies-excluded"} {
		expect(t, id, worst(got, id), posture.Indeterminate)
	}
}

// What was asked beside the two goals that decide is a route, not a demand: a
// policy that stops Graph PowerShell only does not stop the account.
func TestOtherGoalsAreRoutes(t *testing.T) {
	w := baseWorld(t)
	for _, s := range []step{{Place: "snapshot/conditionalAccessPolicies/id=bbbbbbbb-0000-4000-8000-000000000007/raw/conditions/users/excludeGroups", To: []any{}},
		{Place: "snapshot/conditionalAccessPolicies/id=bbbbbbbb-0000-4000-8000-000000000007/raw/conditions/clientAppTypes", To: []any{"mobileAppsAndDesktopClients"}}} {
		if err := w.apply(s); err != nil {
			t.Fatal(err)
		}
	}
	in := w.input(t)
	g, _ := lockout.ResolveGoal("graphPowerShell")
	prover := lockout.New(in.Snapshot)
	for i := range in.Accounts {
		v, err := prover.Prove(lockout.Question{Account: in.Accounts[i].ID, Goal: g})
		if err != nil {
			t.Fatal(err)
		}
		if v.Outcome != lockout.Lockout {
			t.Fatalf("Graph PowerShell: %s", v.Outcome)
		}
		in.Accounts[i].Verdicts = append(in.Accounts[i].Verdicts, v)
	}
	expect(t, "ca-not-blocked", worst(statuses(posture.Judge(in)), "ca-not-blocked"), posture.Pass)
}

// Without a register the policies, the risk and the groups are judged from data.
func TestPoliciesAreJudgedForHypotheses(t *testing.T) {
	in := baseWorld(t).input(t)
	in.Register = nil
	for i := range in.Accounts {
		in.Accounts[i].Hypothesis = true
	}
	got := statuses(posture.Judge(in))
	for id, want := range map[string]posture.Status{
		"ca-not-blocked": posture.Pass, "ca-intended-included": posture.NotSetUp, "ca-fallback-exists": posture.Pass, "ca-report-only-clean": posture.Pass,
		"ca-whatif-matrix": posture.Pass, "ca-exclusion-exclusive": posture.Pass, "ca-stale-ref": posture.Pass, "mmfa-ready": posture.Pass, "sd-mode": posture.Pass,
		"risk-policies-excluded": posture.Pass, "grp-exists-static": posture.Pass, "grp-protected": posture.Pass, "au-scoped-admins": posture.NotSetUp, "au-restricted": posture.Pass,
	} {
		expect(t, id, worst(got, id), want)
	}
}

// Judging leaves the Snapshot as it was, though policies are switched on in copies
// of it.
func TestJudgingChangesNothing(t *testing.T) {
	in := baseWorld(t).input(t)
	before := slices.Clone(in.Snapshot.JSON())
	content := in.Snapshot.Content()
	posture.Judge(in)
	if string(entra.NewSnapshot(in.Snapshot.Content()).JSON()) != string(before) || len(content.Policies) != len(in.Snapshot.View().Policies) {
		t.Error("the Snapshot was changed")
	}
}
