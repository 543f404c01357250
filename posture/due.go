package posture

import (
	"cmp"
	"fmt"
	"slices"
	"time"

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
// training, the runbook, and what people attested or accepted.
func Dues(in *Input) []Due {
	r := in.Register.Or()
	s := r.Settings.Settled()
	today := register.DayOf(in.Now)
	var out []Due
	add := func(day register.Day, format string, args ...any) {
		out = append(out, Due{Day: day, What: fmt.Sprintf(format, args...), Overdue: day < today})
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
	seals := map[string]time.Time{}
	for _, c := range in.Records.Seals {
		if c.At.After(seals[c.Seal]) {
			seals[c.Seal] = c.At
		}
	}
	for seal, at := range seals {
		add(register.DayOf(at.AddDate(0, 0, s.SealDays)), "verify seal %s", seal)
	}
	for _, h := range r.Holders {
		if t, err := time.Parse(time.DateOnly, string(h.Trained)); err == nil {
			add(register.DayOf(t.AddDate(0, 0, s.TrainingDays)), "train %s", h.Name)
		}
	}
	if !in.Records.RunbookReviewed.IsZero() {
		add(register.DayOf(in.Records.RunbookReviewed.AddDate(0, 0, s.RunbookDays)), "review the runbook")
	}
	for _, a := range r.Attestations {
		add(a.Until, "attest %s anew (%s)", a.Check, a.By)
	}
	for _, a := range r.Accepted {
		add(a.Until, "decide again on the accepted risk %s (%s)", a.Check, a.Owner)
	}
	slices.SortFunc(out, func(a, b Due) int { return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.What, b.What)) })
	return out
}
