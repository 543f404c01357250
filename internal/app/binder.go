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

// NoEvidenceAtHand says why a binder was not compared with what was approved.
const NoEvidenceAtHand = "no evidence was at hand"

// UnapprovedError is for a register that is not what was approved, where only an
// approved one will do.
type UnapprovedError struct{ What []string }

func (e *UnapprovedError) Error() string { return strings.Join(e.What, "; ") }

// Hint says what to do next.
func (*UnapprovedError) Hint() string {
	return "undo the change in halligan.yaml, or have it approved (halligan request register, halligan request custody); without --record it is printed, and each page says that it is not approved"
}

// Binder makes the binder of a register as of a day: what stands in it, the runbooks,
// and a version that is the day. Where there is a log, App.Binder gives it a number.
func Binder(ctx context.Context, r *register.Register, day time.Time) (*print.Binder, error) {
	return binderOf(ctx, r, nil, day)
}

// binderOf makes it with what the log knows of looks; nil: that was not read.
func binderOf(ctx context.Context, r *register.Register, held *Held, day time.Time) (*print.Binder, error) {
	day = day.UTC().Truncate(24 * time.Hour) // printed twice on a day, it is the same
	survey, err := Survive(ctx, SurviveRequest{Register: r, Held: held})
	if err != nil {
		return nil, fmt.Errorf("work out who still gets in after which loss: %w", err)
	}
	looks := []string{unlooked}
	if held != nil {
		looks = held.found(r.Or())
	}
	return &print.Binder{Uncompared: NoEvidenceAtHand, Sealed: sealedFilesOf(r.Or(), held), Marks: held.marks(r.Or()), Ways: waysOf(survey), Looks: looks, Survival: lossesOf(survey), Picture: SurvivePicture(survey),
		Register: r, Digest: r.Digest(), Version: day.Format(time.DateOnly), Date: day,
		Runbooks: procedure.Runbooks(), Opening: procedure.StockOpening(), First: procedure.FirstMinutes()}, nil
}

// sealedFilesOf are the live sets as the binder has them.
func sealedFilesOf(r *register.Register, held *Held) []print.SealedFile {
	var out []print.SealedFile
	for _, l := range held.Live(r, nil) {
		one := print.SealedFile{Set: l.Set, Day: string(l.On), Files: l.Files, Opens: l.Opens, Of: l.What, Holders: l.Holders}
		if a := r.Account(l.Account); a != nil && l.Account != "" {
			one.Of += " of " + cmp.Or(a.Name, string(a.ID))
		}
		for _, p := range r.Parts {
			if setKey(p.Set) == l.Set && p.Kind == register.PartPassword && p.Place != "" {
				one.Lies = append(one.Lies, p.Place)
			}
		}
		out = append(out, one)
	}
	return out
}

// marks say of each part what was found wrong with it, and that its set is void.
func (h *Held) marks(r *register.Register) []string {
	if h == nil {
		return nil
	}
	out := make([]string, len(r.Parts))
	for i, name := range r.PartNames() {
		day, wrong := h.wrongSince(name, r.Parts[i].Seal)
		t := h.trail(name)
		switch {
		case wrong == "":
		case t.missing() != nil:
			out[i] = "MISSING since " + string(register.DayOf(day))
		case t.broken() != nil || h.Broken(r.Parts[i].Seal) != nil:
			out[i] = "SEAL BROKEN since " + string(register.DayOf(day))
		default:
			out[i] = "OTHER SEAL NUMBER since " + string(register.DayOf(day))
		}
		if s := h.set(r.Parts[i].Set); s != nil && s.void != "" {
			out[i] = strings.TrimPrefix(out[i]+"\nVOID since "+string(register.DayOf(s.voidOn))+": do not use", "\n")
		}
	}
	return out
}

// waysOf are the ways in as they are.
func waysOf(r *SurviveReport) []print.Way {
	var out []print.Way
	for _, w := range r.Now {
		takes := w.With
		if w.Works != custody.Yes {
			takes = append(slices.Clone(takes), cmp.Or(w.Why, "what it takes is not recorded"))
		}
		out = append(out, print.Way{Name: w.Label, Account: cmp.Or(w.Name, string(w.Account)), Takes: takes})
	}
	return out
}

// getsIn says whether somebody gets in, on paper.
var getsIn = map[custody.Answer]string{custody.Yes: "yes", custody.No: "NOBODY", custody.Maybe: "not known"}

// lossesOf are the lines for paper. They rest on the register and on the last looks,
// which is what paper can know.
func lossesOf(r *SurviveReport) []print.Loss {
	var out []print.Loss
	for _, t := range slices.Concat(r.Scenarios, r.Losses) {
		left := map[custody.Answer][]string{}
		for _, w := range t.Ways {
			left[w.Works] = append(left[w.Works], w.Label)
		}
		text := strings.Join(left[custody.Yes], ", ")
		if n := len(left[custody.Yes]); n > 1 && n == len(t.Ways) {
			text = "every way"
		}
		if perhaps := left[custody.Maybe]; len(perhaps) > 0 {
			text = strings.TrimPrefix(text+"; perhaps "+strings.Join(perhaps, ", "), "; ")
		}
		out = append(out, print.Loss{Lost: t.Title, Holds: getsIn[t.Works], Left: cmp.Or(t.Unclear, text)})
	}
	return out
}

// Binder makes the binder with what only the log knows: the number of this print,
// which is one more than prints are recorded, and the key that signs the log.
func (a *App) Binder(ctx context.Context, day time.Time) (b *print.Binder, err error) {
	held, err := a.Held(ctx)
	if err != nil {
		return nil, err
	}
	if b, err = binderOf(ctx, a.Register, held, day); err != nil {
		return nil, err
	}
	var begun bool
	b.Uncompared = ""
	if b.Unapproved, begun, err = a.Unapproved(ctx); err != nil {
		return nil, err
	}
	if !begun {
		b.Uncompared = "nothing of this register was approved yet"
	}
	number := 1
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
	return b, err
}
