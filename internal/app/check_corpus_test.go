package app_test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"halligan/internal/app"
	"halligan/posture"
	"halligan/register"
)

func keysOf(t *testing.T, v any) []string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	return slices.Sorted(maps.Keys(m))
}

// Every published set is checked, with and without a register; the report has
// the keys of a report of prove, and policies alone never settle anything.
func TestEveryPublishedSetIsChecked(t *testing.T) {
	sets := corpusSets(t)
	if len(sets) != 62 {
		t.Errorf("%d sets, want 62", len(sets))
	}
	for _, set := range sets {
		t.Run(set.Repo+" "+set.Source, func(t *testing.T) {
			sources := set.sources(t)
			prove := app.ProveRequest{Sources: sources, Now: "2026-11-21", Tool: "halligan test"}
			proved, err := app.Prove(t.Context(), prove)
			if err != nil {
				t.Fatal(err)
			}
			bare, err := app.Check(t.Context(), app.CheckRequest{ProveRequest: prove, Time: checkDay})
			if err != nil {
				t.Fatal(err)
			}
			conformsToCheck(t, bare)
			keys := keysOf(t, bare)
			for _, k := range keysOf(t, proved) {
				if !slices.Contains(keys, k) {
					t.Errorf("the report of check lacks %q, which prove has", k)
				}
			}
			if bare.PoliciesRead != len(set.Policies) || bare.Settled() || bare.Grade == posture.Green {
				t.Errorf("%d policies, settled %v, %s", bare.PoliciesRead, bare.Settled(), bare.Grade)
			}
			r := &register.Register{Version: 1, Accounts: []register.Account{{ID: "0a0a0a0a-0000-4000-8000-000000000001"}, {ID: "0a0a0a0a-0000-4000-8000-000000000002"}}}
			with, err := app.Check(t.Context(), app.CheckRequest{ProveRequest: prove, Time: checkDay, Register: r})
			if err != nil {
				t.Fatal(err)
			}
			conformsToCheck(t, with)
			if len(with.Accounts) != 2 || with.Hypothesis || with.Grade == posture.Green {
				t.Errorf("%d accounts, hypothesis %v, %s", len(with.Accounts), with.Hypothesis, with.Grade)
			}
			for _, f := range with.Findings {
				if f.Status == posture.Pass && f.Account != "" && len(f.Evidence) == 0 && f.Theme == posture.ThemeIdentity {
					t.Errorf("%s passes for an account of which nothing was read", f.Check)
				}
			}
		})
	}
}
