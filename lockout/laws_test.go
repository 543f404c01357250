package lockout_test

import (
	"os"
	"slices"
	"testing"

	"halligan/entra"
	"halligan/lockout"
)

// law is a change of a world and what it may do to the verdict.
type law struct {
	name string
	// change returns false where the law says nothing.
	change func(c *entra.Content, account entra.ID) bool
	holds  func(before, after lockout.Outcome) bool
}

func rankOf(o lockout.Outcome) int {
	return slices.Index([]lockout.Outcome{lockout.Lockout, lockout.Undetermined, lockout.Proved}, o)
}

func sameOutcome(before, after lockout.Outcome) bool { return before == after }

// The metamorphic laws of the semantics (docs/prover.md, 3 and 4).
var laws = []law{
	{"an exclusion never makes PROVED worse", func(c *entra.Content, id entra.ID) bool {
		for i := range c.Policies {
			u := &c.Policies[i].Conditions.Users
			u.ExcludeUsers = append(slices.Clone(u.ExcludeUsers), id)
		}
		return len(c.Policies) > 0
	}, func(before, after lockout.Outcome) bool { return before != lockout.Proved || after == lockout.Proved }},
	{"a further key never makes PROVED worse", func(c *entra.Content, id entra.ID) bool {
		for i := range c.Accounts {
			if c.Accounts[i].ID.Equal(id) {
				c.Accounts[i].Methods = append(slices.Clone(c.Accounts[i].Methods), entra.AuthMethod{ID: "spare", Type: entra.MethodFIDO2, AAGUID: "77777777-7777-4777-8777-777777777777", PasskeyType: "deviceBound"})
				return true
			}
		}
		return false
	}, func(before, after lockout.Outcome) bool { return before != lockout.Proved || after == lockout.Proved }},
	{"switching a report-only policy on never improves", func(c *entra.Content, _ entra.ID) bool {
		changed := false
		for i := range c.Policies {
			p := &c.Policies[i]
			// A policy for a context or an action can open what is closed without
			// any, and risk remediation takes the place of a password change.
			if p.State != entra.StateReportOnly || len(p.Conditions.Applications.AuthContexts)+len(p.Conditions.Applications.UserActions)+len(p.Unmodelled) > 0 ||
				slices.Contains(p.Grant.Controls, entra.ControlRiskRemediation) || len(p.Grant.TermsOfUse)+len(p.Grant.CustomFactors) > 0 {
				continue
			}
			p.State, changed = entra.StateEnabled, true
		}
		return changed && c.SecurityDefaults != nil
	}, func(before, after lockout.Outcome) bool { return rankOf(after) <= rankOf(before) }},
	{"the order of policies, locations and groups changes nothing", func(c *entra.Content, _ entra.ID) bool {
		slices.Reverse(c.Policies)
		slices.Reverse(c.Locations)
		slices.Reverse(c.Groups)
		return true
	}, sameOutcome},
	{"splitting an address range changes nothing", func(c *entra.Content, _ entra.ID) bool {
		changed := false
		for i := range c.Locations {
			l := &c.Locations[i]
			var out []entra.IPRange
			for _, r := range l.Ranges {
				if r.First == r.Last {
					out = append(out, r)
					continue
				}
				out = append(out, entra.IPRange{First: r.First.Next(), Last: r.Last}, entra.IPRange{First: r.First, Last: r.First})
				changed = true
			}
			l.Ranges = out
		}
		return changed
	}, sameOutcome},
	{"\"all\" platforms are every platform listed", func(c *entra.Content, _ entra.ID) bool {
		changed := false
		for i := range c.Policies {
			if pl := c.Policies[i].Conditions.Platforms; pl != nil && slices.Equal(pl.Include, []entra.Platform{entra.PlatformAll}) {
				c.Policies[i].Conditions.Platforms = &entra.Platforms{Exclude: pl.Exclude, Include: []entra.Platform{entra.PlatformWindows, entra.PlatformMacOS,
					entra.PlatformLinux, entra.PlatformAndroid, entra.PlatformIOS, entra.PlatformWindowsPhone, entra.PlatformUnknown}}
				changed = true
			}
		}
		return changed
	}, sameOutcome},
}

func TestMetamorphicLaws(t *testing.T) {
	worlds := 250
	if os.Getenv("HALLIGAN_FULL") == "1" {
		worlds = 3000
	}
	type trial struct {
		law           *law
		before, after lockout.Outcome
	}
	type result struct {
		w      *world
		trials []trial
		err    error
	}
	work := func(seed int) (r result) {
		r.w = makeWorld(uint64(seed))
		s, q, err := r.w.question()
		if err != nil {
			r.err = err
			return r
		}
		before, err := lockout.New(s).Prove(q)
		if err != nil {
			return r
		}
		for i := range laws {
			c := s.Content()
			if !laws[i].change(&c, q.Account) {
				continue
			}
			if after, err := lockout.New(entra.NewSnapshot(c)).Prove(q); err == nil {
				r.trials = append(r.trials, trial{&laws[i], before.Outcome, after.Outcome})
			}
		}
		return r
	}
	tried, moved := map[string]int{}, map[string]int{}
	inParallel(worlds, work, func(seed int, r result) bool {
		if r.err != nil {
			t.Fatalf("world %d: %v", seed, r.err)
		}
		for _, x := range r.trials {
			tried[x.law.name]++
			if x.before != x.after {
				moved[x.law.name]++
			}
			if !x.law.holds(x.before, x.after) {
				t.Errorf("world %d: %s: %s before, %s after\n%s", seed, x.law.name, x.before, x.after, r.w.compact())
			}
		}
		return true
	})
	for _, l := range laws {
		t.Logf("%-60s tried %4d times, the verdict moved %d times", l.name, tried[l.name], moved[l.name])
		if tried[l.name] < 20 {
			t.Errorf("%s: tried %d times, too few to mean anything", l.name, tried[l.name])
		}
	}
}
