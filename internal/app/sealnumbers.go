package app

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"halligan/custody"
	"halligan/register"
)

// A number of a seal is used once: a second seal of that number could take the place of
// the first, and nobody who looks would see it.

// wore is a part that bore a number until a day.
type wore struct {
	part  string
	until time.Time
}

// worn notes which numbers came off which parts between two custody parts of a
// register. A part that was renamed, or that goes back to its own number, does not
// count.
func (h *Held) worn(before, now *register.Register, at time.Time) {
	named := func(name string) *register.Part {
		if i := slices.IndexFunc(now.Parts, func(p register.Part) bool { return register.NameKey(p.Name) == register.NameKey(name) }); i >= 0 {
			return &now.Parts[i]
		}
		return nil
	}
	renamed := renamedParts(before, now)
	for _, list := range h.numbers {
		for i := range list {
			list[i].part = cmp.Or(renamed[list[i].part], list[i].part)
		}
	}
	for _, p := range before.Parts {
		is := named(cmp.Or(renamed[p.Name], p.Name))
		if p.Seal != "" && (is == nil || !sameNumber(is.Seal, p.Seal)) {
			h.numbers[plainSeal(p.Seal)] = append(h.numbers[plainSeal(p.Seal)], wore{p.Name, at})
		}
	}
}

// usedBefore says what the log has against a number for a part; "" nothing.
func (h *Held) usedBefore(name, seal string) string {
	if h == nil || seal == "" {
		return ""
	}
	if b := h.Broken(seal); b != nil && b.Part != name && !slices.Contains(h.trail(name).open, b) {
		return fmt.Sprintf("its number is that of a seal that was found broken on %s by %s, on %s", register.DayOf(b.At), b.By, b.Part)
	}
	for _, w := range h.numbers[plainSeal(seal)] {
		if w.part != name {
			return fmt.Sprintf("its number was on %s until %s, and a number is used once", w.part, register.DayOf(w.until))
		}
	}
	return ""
}

// twin is another part that bears the same number in another place; "" none. Parts in
// one place may lie in one envelope.
func twin(r *register.Register, names []string, at int) string {
	p := &r.Parts[at]
	for i := range r.Parts {
		q := &r.Parts[i]
		if i != at && p.Seal != "" && sameNumber(p.Seal, q.Seal) && register.NameKey(p.Place) != register.NameKey(q.Place) {
			return names[i] + " in " + orNone(q.Place)
		}
	}
	return ""
}

// numbersUsed are the clocks of numbers that are used twice.
func (c *clocks) numbersUsed() {
	names := c.r.PartNames()
	for i, name := range names {
		do := "look which seal lies there, and put the part under a new one: halligan custody move " + quote(name) + " --seal NEW" + asking
		if other := twin(c.r, names, i); other != "" {
			c.add(c.today, do, "%s: the number of its seal is on %s, too, and a number is used once", name, other)
		}
		if used := c.held.usedBefore(name, c.r.Parts[i].Seal); used != "" {
			c.add(c.today, do, "%s: %s", name, used)
		}
	}
}

// SealWarnings says what is against the number of a seal that somebody is about to ask
// for, by the subject of the question.
func (a *App) SealWarnings(ctx context.Context, subject string) ([]string, error) {
	var change CustodyChange
	if subject == "" || json.Unmarshal([]byte(subject), &change) != nil {
		return nil, nil // as it stands, or what Ask refuses
	}
	r := *a.Register.Or()
	r.Parts = slices.Clone(r.Parts)
	at, seal := len(r.Parts), change.Seal
	if change.Add != nil {
		r.Parts, seal = append(r.Parts, *change.Add), change.Add.Seal
	} else if i, err := r.FindPart(change.Part); err == nil {
		at = i
		if change.To != "" {
			r.Parts[at].Place = change.To
		}
		if seal != "" {
			r.Parts[at].Seal = seal
		}
	}
	if seal == "" || at == len(r.Parts) {
		return nil, nil
	}
	held, err := a.Held(ctx)
	if err != nil {
		return nil, err
	}
	var out []string
	names := r.PartNames()
	if other := twin(&r, names, at); other != "" {
		out = append(out, fmt.Sprintf("seal %s: the number is on %s, too, and a number is used once", seal, other))
	}
	if b := held.Broken(seal); b != nil && b.Part == names[at] {
		out = append(out, fmt.Sprintf("seal %s: %s: take another number", seal, brokenText(b)))
	} else if used := held.usedBefore(names[at], seal); used != "" {
		out = append(out, fmt.Sprintf("seal %s: %s", seal, used))
	}
	return out, nil
}

// notes are what approvers must know of a change beside its lines: who is given what
// they cannot get at, and numbers that are used twice.
func (d *custodyDiff) notes(after []byte) ([]string, error) {
	const most = 12
	r, err := register.FromCustody(after)
	if err != nil {
		return nil, err
	}
	out := d.slid()
	names := r.PartNames()
	for _, p := range d.parts {
		if p.is == nil {
			continue
		}
		at := slices.Index(names, p.name)
		if other := twin(r, names, at); other != "" && (p.was == nil || p.was.Seal != p.is.Seal || p.was.Place != p.is.Place) {
			out = append(out, fmt.Sprintf("part %s: the number of its seal is on %s, too", p.name, other))
		}
		if p.was == nil || p.was.Holder != p.is.Holder {
			if shut := shutOut(r, p.is); shut != "" {
				out = append(out, "part "+p.name+": "+shut)
			}
		}
	}
	if n := len(out) - most; n > 0 {
		out = append(out[:most], fmt.Sprintf("and %d more of this kind: halligan custody list", n))
	}
	return out, nil
}

// shutOut says that whoever holds a part cannot open the place where it lies; "" they
// can, or it is not recorded who can.
func shutOut(r *register.Register, p *register.Part) string {
	at := custody.CircleOf(r).Place(p.Place)
	if at == nil || len(at.Access) == 0 || p.Holder == "" || slices.ContainsFunc(at.Access, func(n string) bool { return register.SamePerson(n, p.Holder) }) {
		return ""
	}
	opens := func(q register.Part) bool {
		return q.Kind == register.PartCombination && register.NameKey(q.Opens) == register.NameKey(at.Name) && register.SamePerson(q.Holder, p.Holder)
	}
	if slices.ContainsFunc(r.Parts, opens) {
		return ""
	}
	return fmt.Sprintf("%s cannot open %s, where it lies: %s can", p.Holder, at.Name, strings.Join(at.Access, ", "))
}
