package posture

import (
	"cmp"
	"slices"
	"strings"

	"halligan/lockout"
)

// Grade is the whole in one word.
type Grade string

// The grades.
const (
	Green Grade = "green" // every account proved, nothing critical or high is open
	Amber Grade = "amber" // no known lock-out, but not everything is known or in order
	Red   Grade = "red"   // an account can be locked out or taken over, or a critical check fails
)

// GradeOf returns the grade and the reasons that keep it from being better. It is
// never green while there is no registered account, a registered account was not
// judged, an account is not PROVED, a verdict rests on a supposition, or a check
// of critical or high severity fails, could not be told, is about something not
// set up, or is an accepted risk. A critical check that is only attested keeps
// it amber too, and so does a register by which one person decides alone.
func GradeOf(in *Input, findings []Finding) (Grade, []string) {
	accounts := in.Accounts
	grade := Green
	var reasons []string
	lower := func(g Grade, why string) {
		if g == Red || grade == Green {
			grade = g
		}
		if !slices.Contains(reasons, why) {
			reasons = append(reasons, why)
		}
	}
	for _, a := range in.Register.Or().Accounts {
		if !slices.ContainsFunc(accounts, func(s Subject) bool { return s.ID.Equal(a.ID) }) {
			lower(Amber, cmp.Or(a.Name, string(a.ID))+" is registered and was not judged")
		}
	}
	if q := in.Register.Or().Quorum; q.People == 1 {
		second := "nobody outside keeps a sealed second part"
		if outside := strings.TrimSpace(q.Outside); outside != "" {
			second = outside + " outside keeps the sealed second part"
		}
		lower(Amber, "one person decides alone; "+second)
	}
	if len(accounts) == 0 {
		lower(Amber, "no emergency account is registered or proposed")
	}
	for i := range accounts {
		a := &accounts[i]
		name := cmp.Or(a.Name, string(a.ID))
		if a.Hypothesis {
			lower(Amber, "nobody registered "+name+" as an emergency account")
		}
		if len(a.Verdicts) == 0 {
			lower(Amber, name+" was not judged by the prover")
		}
		for j := range a.Verdicts {
			switch v := &a.Verdicts[j]; {
			case v.Outcome == lockout.Lockout:
				lower(Red, name+" can be locked out")
			case v.Outcome != lockout.Proved:
				lower(Amber, "not known whether "+name+" can be locked out")
			case len(v.Supposing) > 0:
				lower(Amber, "the proof for "+name+" rests on what was supposed")
			}
		}
	}
	for i := range findings {
		f := &findings[i]
		switch {
		case f.Check.Severity == Critical && f.Status == Fail:
			lower(Red, f.Check.ID+" fails")
		case f.Check.Severity == Critical && (f.Status == Indeterminate || f.Status == NotSetUp || f.Status == AcceptedRisk || f.Status == Attested):
			lower(Amber, f.Check.ID+" is "+f.Status.Words())
		case f.Check.Severity == High && f.Status == Fail:
			lower(Amber, f.Check.ID+" fails")
		case f.Check.Severity == High && (f.Status == Indeterminate || f.Status == NotSetUp || f.Status == AcceptedRisk):
			lower(Amber, f.Check.ID+" is "+f.Status.Words())
		}
	}
	return grade, reasons
}
