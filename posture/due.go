package posture

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"halligan/entra"
	"halligan/register"
)

// Due is something that must be done by a day.
type Due struct {
	Day  register.Day `json:"day"`
	What string       `json:"what"`
	// Overdue: the day has passed.
	Overdue bool `json:"overdue"`
}

// LastDrill returns when the account that waits longest was last proved by a
// drill; false when an account never was, or there is none.
func LastDrill(in *Input) (time.Time, bool) {
	var longest time.Time
	for i, s := range in.Accounts {
		var last time.Time
		for _, d := range in.Records.Drills {
			if d.OK && d.Account.Equal(s.ID) && d.At.After(last) && !d.At.After(in.Now) {
				last = d.At
			}
		}
		if last.IsZero() {
			return time.Time{}, false
		}
		if i == 0 || last.Before(longest) {
			longest = last
		}
	}
	return longest, len(in.Accounts) > 0
}

// Dues lists what must be done by when, the earliest first: drills, seals,
// training, the runbook, and what people attested or accepted. What is dated after
// today has not happened, and postpones nothing; of statements about the same, the
// one that holds longest counts.
func Dues(in *Input) []Due {
	r := in.Register.Or()
	s := r.Settings.Settled()
	today := register.DayOf(in.Now)
	var out []Due
	add := func(day register.Day, format string, args ...any) {
		out = append(out, Due{Day: day, What: fmt.Sprintf(format, args...), Overdue: day < today})
	}
	// again adds what must be done so many days after the last time, or today when
	// that lies in the future.
	again := func(last time.Time, days int, format string, args ...any) {
		day := today
		if !last.IsZero() && !last.After(in.Now) {
			day = register.DayOf(last.AddDate(0, 0, days))
		}
		add(day, format, args...)
	}
	for _, a := range in.Accounts {
		if a.Hypothesis {
			continue
		}
		if last, ok := LastDrill(&Input{Accounts: []Subject{a}, Records: in.Records, Now: in.Now}); ok {
			add(register.DayOf(last.AddDate(0, 0, s.DrillDays)), "drill %s", cmp.Or(a.Name, string(a.ID)))
		} else {
			add(today, "drill %s for the first time", cmp.Or(a.Name, string(a.ID)))
		}
	}
	for _, of := range sealsLooked(in, r) {
		again(of.at, s.SealDays, "verify seal %s", of.seal)
	}
	for _, h := range holdersOf(r, in.Records.Sets) {
		if t, is := h.Trained.Time(); is {
			again(t, s.TrainingDays, "train %s", h.Name)
		}
	}
	if at := in.Records.RunbookReviewed; !at.IsZero() {
		again(at, s.RunbookDays, "review the runbook")
	}
	for _, p := range slices.Concat(current(attested(r), today), current(acceptedRisks(r), today)) {
		add(p.until, "%s", p.what)
	}
	slices.SortFunc(out, func(a, b Due) int { return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.What, b.What)) })
	return out
}

// sealLooked is the number of a seal as the register writes it, and when somebody last
// looked at it.
type sealLooked struct {
	seal string
	at   time.Time
}

// sealsLooked are the seals of the register where looks are recorded at all, by sealKey.
// A number that no part bears any more is due no more: nobody can look at it.
func sealsLooked(in *Input, r *register.Register) map[string]*sealLooked {
	out := map[string]*sealLooked{}
	if in.Records.Seals == nil {
		return out
	}
	for _, p := range r.Parts {
		if key := sealKey(p.Seal); key != "" && out[key] == nil {
			out[key] = &sealLooked{seal: p.Seal}
		}
	}
	for _, c := range in.Records.Seals {
		if of := out[sealKey(c.Seal)]; of != nil && c.At.After(of.at) && !c.At.After(in.Now) {
			of.at = c.At
		}
	}
	return out
}

// promise is an attestation or an accepted risk, and what must be done when it
// ends.
type promise struct {
	check     string
	account   entra.ID
	on, until register.Day
	what      string
}

func attested(r *register.Register) []promise {
	var out []promise
	for _, a := range r.Attestations {
		out = append(out, promise{a.Check, a.Account, a.On, a.Until, fmt.Sprintf("attest %s anew (%s)", a.Check, a.By)})
	}
	return out
}

func acceptedRisks(r *register.Register) []promise {
	var out []promise
	for _, a := range r.Accepted {
		out = append(out, promise{a.Check, a.Account, a.On, a.Until, fmt.Sprintf("decide again on the accepted risk %s (%s)", a.Check, a.Owner)})
	}
	return out
}

// current leaves out promises that have not begun, and those that another one
// about the same, or about every account, outlasts.
func current(list []promise, today register.Day) []promise {
	var out []promise
	for i, p := range list {
		outlasted := false
		for j, q := range list {
			same := strings.EqualFold(p.check, q.check) && (q.account == "" || q.account.Equal(p.account))
			outlasted = outlasted || same && q.on <= today && (q.until > p.until || q.until == p.until && j < i)
		}
		if p.on <= today && !outlasted {
			out = append(out, p)
		}
	}
	return out
}
