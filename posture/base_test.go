package posture_test

import (
	"testing"

	"halligan/posture"
)

// The base passes every check, or says why one is not applicable to it. What only
// a person can know is attested: no data could make it pass.
func TestTheBaseIsGood(t *testing.T) {
	for _, f := range posture.Judge(baseWorld(t).input(t)) {
		if f.Status != posture.Pass && f.Status != posture.NotApplicable && !(f.Status == posture.Attested && f.Check.Attestable) {
			t.Errorf("%s %s: %s: %s %v", f.Check.ID, f.AccountName, f.Status, f.Says, f.Missing)
		}
	}
}

// In the base every account is proved, so a check that asks the prover has what
// it needs.
func TestTheBaseIsProved(t *testing.T) {
	for _, a := range baseWorld(t).input(t).Accounts {
		for _, v := range a.Verdicts {
			if v.Outcome != "PROVED" {
				t.Errorf("%s, %s: %s %+v", a.Name, v.Goal, v.Outcome, v.Unknowns)
			}
		}
	}
}
