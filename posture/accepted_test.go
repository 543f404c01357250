package posture_test

import (
	"strings"
	"testing"
	"time"

	"halligan/entra"
	"halligan/posture"
	"halligan/register"
)

// Nobody approves a risk of his own, however the name is spelled.
func TestAnAcceptedRiskHasTwoPeople(t *testing.T) {
	const id = "aaaaaaaa-0000-4000-8000-000000000001"
	for approver, want := range map[string]posture.Status{
		"Ben Okoro": posture.AcceptedRisk, "Ana Ribeiro": posture.Fail, "ANA RIBEIRO": posture.Fail, " ana  ribeiro ": posture.Fail,
	} {
		t.Run(approver, func(t *testing.T) {
			r := &register.Register{Version: register.Version, Accounts: []register.Account{{ID: id}}, Accepted: []register.Accepted{{Check: "id-count-min", Reason: "small",
				Owner: "Ana Ribeiro", Approver: approver, On: "2026-11-01", Until: "2026-12-31", Compensating: []string{"id-count-max"}}}}
			in := &posture.Input{Snapshot: entra.NewSnapshot(entra.Content{}), Register: r, Now: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC), Accounts: []posture.Subject{{ID: id}}}
			for _, f := range posture.Judge(in) {
				if f.Check.ID != "id-count-min" {
					continue
				}
				if f.Status != want || want == posture.Fail && !strings.Contains(f.Lapsed, "no approver") {
					t.Errorf("got %s, lapsed %q; want %s", f.Status, f.Lapsed, want)
				}
			}
		})
	}
}
