package posture_test

import (
	"slices"
	"testing"
	"time"

	"halligan/posture"
	"halligan/register"
)

func TestWhatIsDue(t *testing.T) {
	const north, south = "aaaaaaaa-0000-4000-8000-000000000001", "AAAAAAAA-0000-4000-8000-000000000002"
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	past, future := now.AddDate(0, 0, -10), now.AddDate(0, 0, 10)
	tests := map[string]struct {
		register register.Register
		records  posture.Records
		want     []string
	}{
		"an attestation that was renewed": {register.Register{Attestations: []register.Attestation{
			{Check: "gov-iac-drift", By: "Ana", On: "2026-01-01", Until: "2026-06-30"},
			{Check: "GOV-iac-drift", By: "Ben", On: "2026-11-01", Until: "2027-06-30"},
			{Check: "gov-writers", By: "Ana", On: "2026-01-01", Until: "2026-06-30"},
		}}, posture.Records{}, []string{"2026-06-30 attest gov-writers anew (Ana), overdue", "2027-06-30 attest GOV-iac-drift anew (Ben)"}},
		"each account has its own": {register.Register{Attestations: []register.Attestation{
			{Check: "gov-iac-drift", Account: north, By: "Ana", On: "2026-01-01", Until: "2026-06-30"},
			{Check: "gov-iac-drift", Account: south, By: "Ben", On: "2026-11-01", Until: "2027-06-30"},
		}}, posture.Records{}, []string{"2026-06-30 attest gov-iac-drift anew (Ana), overdue", "2027-06-30 attest gov-iac-drift anew (Ben)"}},
		"one for the tenant renews those of accounts": {register.Register{Attestations: []register.Attestation{
			{Check: "gov-iac-drift", Account: north, By: "Ana", On: "2026-01-01", Until: "2026-06-30"},
			{Check: "gov-iac-drift", By: "Ben", On: "2026-11-01", Until: "2027-06-30"},
		}}, posture.Records{}, []string{"2027-06-30 attest gov-iac-drift anew (Ben)"}},
		"one that has not begun renews nothing": {register.Register{Attestations: []register.Attestation{
			{Check: "gov-iac-drift", By: "Ana", On: "2026-01-01", Until: "2026-06-30"},
			{Check: "gov-iac-drift", By: "Ben", On: "2026-12-01", Until: "2027-06-30"},
		}}, posture.Records{}, []string{"2026-06-30 attest gov-iac-drift anew (Ana), overdue"}},
		"the same twice is due once": {register.Register{Attestations: []register.Attestation{
			{Check: "gov-iac-drift", By: "Ana", On: "2026-01-01", Until: "2026-12-31"},
			{Check: "gov-iac-drift", By: "Ana", On: "2026-01-01", Until: "2026-12-31"},
		}}, posture.Records{}, []string{"2026-12-31 attest gov-iac-drift anew (Ana)"}},
		"an accepted risk that was decided again": {register.Register{Accepted: []register.Accepted{
			{Check: "am-two-keys", Account: north, Owner: "Ana", On: "2026-01-01", Until: "2026-06-30"},
			{Check: "am-two-keys", Account: north, Owner: "Ana", On: "2026-07-01", Until: "2026-12-31"},
			{Check: "am-two-keys", Account: north, Owner: "Eve", On: "2027-07-01", Until: "2027-12-31"},
		}}, posture.Records{}, []string{"2026-12-31 decide again on the accepted risk am-two-keys (Ana)"}},
		"a seal looked at in the future": {register.Register{Parts: []register.Part{{Kind: register.PartKey, Seal: "1"}, {Kind: register.PartPIN, Seal: "2"}}}, posture.Records{Seals: []posture.SealCheck{{Seal: "1", At: past}, {Seal: "1", At: future}, {Seal: "2", At: future}}},
			[]string{"2026-11-21 verify seal 2", "2027-02-09 verify seal 1"}},
		"a seal that the register writes otherwise": {register.Register{Parts: []register.Part{{Kind: register.PartKey, Seal: "ab 12"}}}, posture.Records{Seals: []posture.SealCheck{{Seal: "AB12", At: past}, {Seal: "aB1 2", At: past.AddDate(0, 0, -1)}}},
			[]string{"2027-02-09 verify seal ab 12"}},
		"a number that no part bears any more": {register.Register{Parts: []register.Part{{Kind: register.PartKey, Seal: "2"}}}, posture.Records{Seals: []posture.SealCheck{{Seal: "1", At: past.AddDate(-1, 0, 0)}}},
			[]string{"2026-11-21 verify seal 2"}},
		"the part is gone": {register.Register{}, posture.Records{Seals: []posture.SealCheck{{Seal: "1", At: past.AddDate(-1, 0, 0)}}}, nil},
		"a training in the future": {register.Register{People: []register.Person{{Name: "Ana", Trained: "2026-11-21"}, {Name: "Ben", Trained: "2026-11-22"}, {Name: "Eve"}}}, posture.Records{},
			[]string{"2026-11-21 train Ben", "2027-11-21 train Ana"}},
		"a runbook reviewed in the future": {register.Register{}, posture.Records{RunbookReviewed: future}, []string{"2026-11-21 review the runbook"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, d := range posture.Dues(&posture.Input{Register: &tt.register, Records: tt.records, Now: now}) {
				text := string(d.Day) + " " + d.What
				if d.Overdue {
					text += ", overdue"
				}
				got = append(got, text)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

// Somebody who left and still stands under the access opens the place all the same.
func TestWhoLeftAndStillHasAccessIsTold(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	r := &register.Register{People: []register.Person{{Name: "Ben"}}, Places: []register.Place{{Name: "Safe", Access: []string{"Ana", "Ben"}, CombinationChanged: "2026-11-01"}}}
	records := &posture.Records{Knew: []posture.Knower{{Place: "safe", Person: "ana", At: now.AddDate(0, 0, -1), Left: true}, {Place: "safe", Person: "ben", At: now.AddDate(0, 0, -1), Left: true}}}
	if got := posture.StaleCombinations(r, records, now); len(got) != 1 || got[0].Person != "ana" || !got[0].Known {
		t.Errorf("got %+v", got)
	}
}
