package app_test

import (
	"strings"
	"testing"
	"time"

	"halligan/custody"
	"halligan/internal/app"
	"halligan/register"
)

// What would be lost is not recorded, so which ways are left is not known either: no way
// is told that was worked out with nothing lost.
func TestALossThatNobodyKnowsLeavesNoWayForSure(t *testing.T) {
	const north, south = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"
	r := &register.Register{Accounts: []register.Account{{ID: north, Pattern: register.PatternFIDO2}, {ID: south, Pattern: register.PatternFIDO2}},
		Places: []register.Place{{Name: "Safe"}, {Name: "Bank", OffSite: true}},
		Parts: []register.Part{{Kind: register.PartKey, Account: north, Key: "A", Place: "Safe", Holder: "Ana"}, {Kind: register.PartPIN, Account: north, Key: "A", Place: "Bank", Holder: "Ana"},
			{Kind: register.PartKey, Account: south, Key: "B", Place: "Bank", Holder: "Ana"}, {Kind: register.PartPIN, Account: south, Key: "B", Place: "Safe", Holder: "Ana"}}}
	report, err := app.Survive(t.Context(), app.SurviveRequest{Register: r})
	must(t, err)
	conformsToSurvive(t, report)
	unclear := map[string]string{"office-burnt": "which site is the main office", "two-people-gone": "two people are not recorded"}
	for _, s := range report.Scenarios {
		if want := unclear[s.Name]; want != "" && (!strings.Contains(s.Unclear, want) || s.Works != custody.Maybe || s.Ways == nil || len(s.Ways) != 0) {
			t.Errorf("%s: %q, %s, ways %v", s.Name, s.Unclear, s.Works, s.Ways)
		}
		if unclear[s.Name] == "" && len(s.Ways) == 0 {
			t.Errorf("%s: no ways", s.Name)
		}
	}
	b, err := app.Binder(t.Context(), r, time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC))
	must(t, err)
	found := 0
	for _, l := range b.Survival {
		for _, want := range unclear {
			if strings.Contains(l.Left, want) {
				found++
				if l.Holds != "not known" || strings.Contains(l.Left, "every way") {
					t.Errorf("%+v", l)
				}
			}
		}
	}
	if found != len(unclear) {
		t.Errorf("on paper: %+v", b.Survival)
	}
}
