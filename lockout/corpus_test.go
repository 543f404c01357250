package lockout_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"halligan/entra"
	"halligan/internal/testenv"
	"halligan/lockout"
)

// policySet is one published tenant export or baseline.
type policySet struct {
	Repo, Source string
	Policies     []string
}

func corpusSets(t *testing.T) (root string, sets []policySet) {
	root = filepath.Join(testenv.Folder(t, "HALLIGAN_CORPUS"), "conditional-access")
	b, err := os.ReadFile(filepath.Join(root, "sets.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &sets); err != nil {
		t.Fatal(err)
	}
	return root, sets
}

func (s policySet) read(t *testing.T, root string) *entra.Snapshot {
	t.Helper()
	var src []entra.Source
	for _, name := range s.Policies {
		data, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		src = append(src, entra.Source{Name: name, Data: data})
	}
	snap, err := entra.Read(src...)
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

// supposed fills in for a candidate what a set of policies cannot hold: an
// ordinary account with one key, actively Global Administrator.
func supposed(t *testing.T, snap *entra.Snapshot, c lockout.Candidate) *entra.Snapshot {
	t.Helper()
	exprs := append(slices.Clone(c.Suppose), "role=GlobalAdministrator", "key=2fc0579f-8113-47ea-b116-bb5a8db9202a", "methods=default", "ordinary")
	if c.Kind == "user" {
		exprs = append(exprs, "member=none")
	}
	s, err := lockout.Suppose(snap, c.Account(), exprs)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEveryPublishedSetIsJudged(t *testing.T) {
	root, sets := corpusSets(t)
	if len(sets) != 62 {
		t.Fatalf("the corpus has %d sets, want 62", len(sets))
	}
	goals := []string{"entraAdminCenter", "recover:entraAdminCenter", "graphPowerShell", "azureCliWrite"}
	large := 0
	for _, set := range sets {
		snap := set.read(t, root)
		if snap.PoliciesRead() != len(set.Policies) {
			t.Errorf("%s %s: %d policies read, want %d", set.Repo, set.Source, snap.PoliciesRead(), len(set.Policies))
		}
		candidates := lockout.Candidates(snap, 3)
		if len(candidates) == 0 {
			candidates = []lockout.Candidate{{Kind: "user", ID: "11111111-1111-4111-8111-111111111111"}}
		}
		enabled := 0
		for _, p := range snap.View().Policies {
			if p.State == entra.StateEnabled {
				enabled++
			}
		}
		for i, c := range candidates {
			for _, s := range []*entra.Snapshot{snap, supposed(t, snap, c)} {
				p := lockout.New(s)
				for _, name := range goals {
					g, _ := lockout.ResolveGoal(name)
					v, err := p.Prove(lockout.Question{Account: c.Account(), Goal: g, Now: "2026-11-21"})
					if err != nil {
						t.Errorf("%s %s %s: %v", set.Repo, set.Source, name, err)
						continue
					}
					if len(v.Policies) != len(set.Policies) {
						t.Errorf("%s %s: a verdict tells of %d policies of %d", set.Repo, set.Source, len(v.Policies), len(set.Policies))
					}
					if s == snap && v.Outcome == lockout.Proved {
						t.Errorf("%s %s: %s is PROVED for an account of which nothing was read", set.Repo, set.Source, name)
					}
					if v.Outcome == lockout.Undetermined && len(v.Unknowns) == 0 {
						t.Errorf("%s %s: UNDETERMINED without saying what is not known", set.Repo, set.Source)
					}
					if v.Outcome == lockout.Proved && len(v.Supposing) == 0 {
						t.Errorf("%s %s: PROVED without its suppositions", set.Repo, set.Source)
					}
					if s != snap && name == "entraAdminCenter" && i == 0 && enabled >= 20 {
						t.Logf("%-50s %-60s %2d enabled, %s %s: %s", set.Repo, filepath.Base(set.Source), enabled, c.Kind, c.ID, v.Outcome)
						if v.Outcome == lockout.Proved {
							large++
						}
					}
				}
			}
		}
	}
	if large < 4 {
		t.Errorf("%d sets with 20 or more enabled policies are PROVED supposing, want at least 4", large)
	}
}

func TestTheScubaGearSampleNamesExactlyItsRiskPolicies(t *testing.T) {
	root, sets := corpusSets(t)
	i := slices.IndexFunc(sets, func(s policySet) bool {
		return strings.HasSuffix(s.Source, "Sample-Reports/ProviderSettingsExport.json")
	})
	snap := sets[i].read(t, root)
	var risky []string
	for _, p := range snap.View().Policies {
		if len(p.Conditions.SignInRisk)+len(p.Conditions.UserRisk) > 0 {
			risky = append(risky, string(p.ID))
		}
	}
	g, _ := lockout.ResolveGoal("entraAdminCenter")
	account := entra.ID("11111111-1111-4111-8111-111111111111")
	for _, s := range []*entra.Snapshot{snap, supposed(t, snap, lockout.Candidate{Kind: "user", ID: account})} {
		v, err := lockout.New(s).Prove(lockout.Question{Account: account, Goal: g, Now: "2026-11-21"})
		if err != nil {
			t.Fatal(err)
		}
		if v.Outcome != lockout.Lockout {
			t.Fatalf("got %s, want LOCKOUT", v.Outcome)
		}
		var named, blocks []string
		for _, c := range append([]*lockout.Counterexample{v.Counterexample}, v.Also...) {
			for _, cause := range c.Causes {
				if !slices.Contains(named, cause.Source) {
					named = append(named, cause.Source)
				}
			}
		}
		for _, l := range v.Policies {
			if l.Relation == lockout.RelBlocks {
				blocks = append(blocks, l.Policy)
			}
		}
		for _, list := range [][]string{risky, named, blocks} {
			slices.Sort(list)
		}
		if len(risky) == 0 || !slices.Equal(named, risky) || !slices.Equal(blocks, risky) {
			t.Errorf("the counterexamples name %v and the matrix %v, the risk policies are %v", named, blocks, risky)
		}
	}
}
