package app

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"halligan/custody"
	"halligan/evidence"
	"halligan/internal/print"
	"halligan/internal/store"
	"halligan/procedure"
	"halligan/register"
)

// BinderPrinted is the data of an entry about a printed binder.
type BinderPrinted struct {
	Version string `json:"version"` // as it stands on each page
	Digest  string `json:"digest"`  // register.Register.Digest
}

// Binder makes the binder of a register as of a day: what stands in it, the runbooks,
// and a version that is the day. Where there is a log, App.Binder gives it a number.
func Binder(ctx context.Context, r *register.Register, day time.Time) (*print.Binder, error) {
	day = day.UTC().Truncate(24 * time.Hour) // printed twice on a day, it is the same
	survey, err := Survive(ctx, SurviveRequest{Register: r})
	if err != nil {
		return nil, fmt.Errorf("work out who still gets in after which loss: %w", err)
	}
	return &print.Binder{Ways: waysOf(survey), Survival: lossesOf(survey), Picture: SurvivePicture(survey).SVG(),
		Register: r, Digest: r.Digest(), Version: day.Format(time.DateOnly), Date: day,
		Runbooks: procedure.Runbooks(), Opening: procedure.StockOpening(), First: procedure.FirstMinutes()}, nil
}

// waysOf are the ways in as they are.
func waysOf(r *SurviveReport) []print.Way {
	var out []print.Way
	for _, w := range r.Now {
		takes := w.With
		if w.Works != custody.Yes {
			takes = append(slices.Clone(takes), cmp.Or(w.Why, "what it takes is not recorded"))
		}
		out = append(out, print.Way{Label: w.Label, Account: cmp.Or(w.Name, string(w.Account)), Takes: takes})
	}
	return out
}

// lossesOf are the lines for paper: what leaves the fewest ways first. They rest on
// the register alone, which is what paper can know.
func lossesOf(r *SurviveReport) []print.Loss {
	var out []print.Loss
	ways := map[string]int{}
	for _, t := range slices.Concat(r.Scenarios, r.Losses) {
		var left []string
		for _, w := range t.Ways {
			switch w.Works {
			case custody.Yes:
				left = append(left, w.Label)
			case custody.Maybe:
				left = append(left, w.Label+" (not known)")
			}
		}
		text := strings.Join(left, ", ")
		if len(left) == len(t.Ways) && !strings.Contains(text, "(not known)") {
			text = "every way in"
		}
		i := slices.IndexFunc(out, func(l print.Loss) bool { return l.Left == text })
		if i < 0 {
			i, ways[text] = len(out), len(left)
			out = append(out, print.Loss{Left: text})
		}
		if !slices.Contains(out[i].Lost, t.Title) {
			out[i].Lost = append(out[i].Lost, t.Title)
		}
	}
	slices.SortStableFunc(out, func(a, b print.Loss) int { return cmp.Compare(ways[a.Left], ways[b.Left]) })
	return out
}

// Binder makes the binder with what only the log knows: the number of this print,
// which is one more than prints are recorded, and the key that signs the log.
func (a *App) Binder(ctx context.Context, day time.Time) (b *print.Binder, number int, err error) {
	if b, err = Binder(ctx, a.Register, day); err != nil {
		return nil, 0, err
	}
	number = 1
	err = a.Ledger.View(ctx, func(v store.View) error {
		for _, err := range v.Find(evidence.KindBinderPrinted, "") {
			if err != nil {
				return err
			}
			number++
		}
		b.LogKey, err = lastWord(v)
		return err
	})
	b.Version = strconv.Itoa(number)
	return b, number, err
}

// RecordOfBinder is what is recorded of a print; text is what was printed.
func RecordOfBinder(number int, r *register.Register, text []byte) Record {
	digest := r.Digest()
	return Record{Kind: evidence.KindBinderPrinted, What: "print the binder", On: "version " + strconv.Itoa(number), Why: "register " + digest,
		After: register.DigestOf(text), Data: BinderPrinted{strconv.Itoa(number), digest}}
}
