package app

import (
	"fmt"
	"slices"
	"time"

	"halligan/posture"
	"halligan/register"
)

// How looks count. They are taken in the order of the log. A part that was missing is
// found by anybody who finds it with the recorded number. A number that did not agree
// is cleared up by somebody else, who finds all well under the same seal: whoever put
// another seal on could read the recorded number the next time. A broken seal heals by
// a new one alone. Where a part was put under a new seal, by an approved change, what
// was found before is past. Where its seal was taken away instead, it is not: somebody
// else finds the part intact without a seal, or anybody under a new one.

// trail is what the looks at one part tell, under whatever names it had.
type trail struct {
	last *Looked
	// open are the looks whose finding was not cleared up.
	open []*Looked
	// bare: a seal came off while something was open, so that a new number alone
	// clears up nothing.
	bare bool
	// seal is the number that the part has, as plainSeal, where known says so;
	// recorded: by an approved change, not by a look alone.
	seal     string
	known    bool
	recorded bool
	files    map[string]string // by the number, as plainSeal: SHA-256 of the first sealed file
}

// agreed reports whether a part was found intact with the recorded number.
func (d *VerifiedData) agreed() bool { return d.State == PartIntact && sameNumber(d.Wanted, d.Seal) }

// well reports whether nothing was wrong with a part as it was found.
func (d *VerifiedData) well() bool { return d.agreed() && (d.Good || d.Waits) }

// take goes on by one look.
func (t *trail) take(l *Looked) {
	t.last = l
	if key := plainSeal(l.Wanted); l.File != "" && t.files[key] == "" {
		t.files[key] = l.File
	}
	// Whoever changes the file alone and looks clears up nothing.
	counts := !l.Unapproved && (!t.recorded || t.seal == plainSeal(l.Wanted))
	if !t.recorded {
		t.sealed(l.Wanted)
	}
	if counts && l.agreed() {
		t.open = slices.DeleteFunc(t.open, func(o *Looked) bool { return o.clearedBy(l) })
		t.bare = t.bare && len(t.open) > 0
	}
	switch {
	case l.State == PartBroken:
		t.open = slices.DeleteFunc(t.open, func(o *Looked) bool { return o.State == PartMissing })
		t.open = append(t.open, l)
	case l.State == PartMissing, !sameNumber(l.Wanted, l.Seal):
		t.open = append(t.open, l)
	}
}

// clearedBy reports whether a later look, which agreed, clears up what this one found.
func (o *Looked) clearedBy(l *Looked) bool {
	same := sameNumber(o.Wanted, l.Wanted)
	switch {
	case o.State == PartMissing:
		return true
	case o.State == PartBroken && same && l.Wanted != "", !l.well():
		return false
	case !same && l.Wanted != "":
		return true // under a new seal
	}
	return !register.SamePerson(o.By, l.By)
}

// sealed goes on by the number that the register has.
func (t *trail) sealed(number string) {
	is := plainSeal(number)
	switch {
	case !t.known || is == t.seal:
	case is == "":
		t.bare = len(t.open) > 0
	case !t.bare:
		t.open = nil
	}
	t.seal, t.known = is, true
}

// merged is the trail of a part that somebody looked at under two names.
func (t *trail) merged(o *trail) *trail {
	if o == nil {
		return t
	}
	t.open, t.bare = append(t.open, o.open...), t.bare || o.bare
	slices.SortStableFunc(t.open, func(a, b *Looked) int { return int(a.Index) - int(b.Index) })
	if t.last == nil || o.last != nil && o.last.Index > t.last.Index {
		t.last = o.last
	}
	for number, file := range o.files {
		if t.files[number] == "" {
			t.files[number] = file
		}
	}
	return t
}

// state is the finding of a kind that is open; nil none.
func (t *trail) state(is func(*Looked) bool) *Looked {
	if t == nil {
		return nil
	}
	if i := slices.IndexFunc(t.open, is); i >= 0 {
		return t.open[i]
	}
	return nil
}

func (t *trail) missing() *Looked {
	return t.state(func(l *Looked) bool { return l.State == PartMissing })
}

// broken is one that does not lie in the number that the part has.
func (t *trail) broken() *Looked {
	return t.state(func(l *Looked) bool { return l.State == PartBroken })
}

func (t *trail) misread() *Looked {
	return t.state(func(l *Looked) bool { return l.State != PartMissing && l.State != PartBroken })
}

// openText tells for people what is open of a look, and who must look.
func (t *trail) openText(o *Looked) string {
	day := register.DayOf(o.At)
	switch {
	case o.State == PartMissing:
		return fmt.Sprintf("was found missing on %s by %s", day, o.By)
	case o.State == PartBroken && o.Wanted != "" && t.seal == "":
		return fmt.Sprintf("its seal was found broken on %s by %s, and was taken away: somebody other than %s must look, or it takes a new seal and a look", day, o.By, o.By)
	case o.State == PartBroken && !sameNumber(o.Wanted, t.seal):
		return fmt.Sprintf("its seal was found broken on %s by %s: somebody must look under the new one", day, o.By)
	case o.State == PartBroken && o.Wanted == "":
		return fmt.Sprintf("its envelope was found broken on %s by %s: somebody other than %s must look, or it takes a new seal", day, o.By, o.By)
	case o.State == PartBroken:
		return brokenText(o)
	}
	return fmt.Sprintf("the number on its seal was not the recorded one when %s looked on %s: somebody other than %s must look", o.By, day, o.By)
}

// after is what stays open of a part once somebody has looked at it, in words.
func (h *Held) after(l *Looked) []string {
	t := h.trail(l.Part)
	next := *t
	next.open, next.files = slices.Clone(t.open), map[string]string{}
	next.take(l)
	var out []string
	for _, o := range next.open {
		if text := next.openText(o); o != l && !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}

// looks goes through looks and changes of custody in the order of the log, and at last
// to the register as it is.
func (h *Held) looks(events []heldEvent, is *register.Register) {
	var held *register.Register
	for _, e := range events {
		switch {
		case e.custody != nil:
			h.follow(held, e.custody, true)
			held = e.custody
		case e.look != nil:
			h.look(&Looked{*e.look, e.at, e.index})
		}
	}
	now := &register.Register{Parts: slices.Clone(is.Or().Parts)}
	for i, name := range is.PartNames() {
		now.Parts[i].Name = name
	}
	h.follow(held, now, false)
	for i := range now.Parts {
		h.finds(&now.Parts[i])
	}
	for _, t := range h.trails {
		for _, o := range t.open {
			if o.Wanted != "" && o.State != PartBroken {
				h.Records.Seals = append(h.Records.Seals, posture.SealCheck{Seal: o.Wanted, At: o.At})
			}
		}
	}
	slices.SortFunc(h.Records.Seals, func(a, b posture.SealCheck) int { return a.At.Compare(b.At) })
}

func (h *Held) look(l *Looked) {
	h.trail(l.Part).take(l)
	if h.Broken(l.Wanted) == nil && l.Wanted != "" && l.State == PartBroken {
		h.broken[plainSeal(l.Wanted)] = l
	}
	if l.Wanted != "" && (l.agreed() && !l.Unapproved || l.State == PartBroken) {
		h.Records.Seals = append(h.Records.Seals, posture.SealCheck{Seal: l.Wanted, At: l.At, Intact: l.agreed()})
	}
}

// trail is that of a part, which begins when there is none.
func (h *Held) trail(part string) *trail {
	key := register.NameKey(part)
	if h.trails[key] == nil {
		h.trails[key] = &trail{files: map[string]string{}}
	}
	return h.trails[key]
}

// follow goes from one custody part of a register to the next: trails follow parts that
// are called otherwise, and learn their numbers where these were approved.
func (h *Held) follow(before, now *register.Register, recorded bool) {
	moved := map[string]*trail{}
	for from, to := range renamedParts(before.Or(), now) {
		if t := h.trails[register.NameKey(from)]; t != nil {
			delete(h.trails, register.NameKey(from))
			moved[register.NameKey(to)] = t
		}
	}
	for to, t := range moved {
		if other := h.trails[to]; partNamed(before.Or(), to) != nil {
			h.trails[to] = t // what was found of the part that had the name before went with it
		} else {
			h.trails[to] = t.merged(other)
		}
	}
	for _, p := range now.Parts {
		t := h.trail(p.Name)
		if t.recorded && !recorded {
			continue // a number that somebody wrote into the file is not one that was put on
		}
		t.sealed(p.Seal)
		t.recorded = t.recorded || recorded
	}
}

// finds notes for the checks what is open of a part.
func (h *Held) finds(p *register.Part) {
	t := h.trail(p.Name)
	for _, o := range []*Looked{t.missing(), t.broken(), t.misread()} {
		if o != nil {
			h.Records.Found = append(h.Records.Found, posture.PartFound{Part: p.Name, What: t.openText(o), At: o.At, Missing: o.State == PartMissing})
			return
		}
	}
}

// missing are the parts that were not there at the last look, and that nobody found or
// put under another seal since: by their place among the parts, how that is known.
func (h *Held) missing(r *register.Register) map[int]string {
	out := map[int]string{}
	for i, name := range r.PartNames() {
		if t := h.trails[register.NameKey(name)]; t.missing() != nil {
			out[i] = t.openText(t.missing())
		}
	}
	return out
}

// wrongSince is what is wrong with a part since some look, with its day; "" nothing
// that a look did not clear up. A number that was found broken anywhere counts.
func (h *Held) wrongSince(name, seal string) (day time.Time, what string) {
	t := h.trails[register.NameKey(name)]
	b := h.Broken(seal)
	switch {
	case t.missing() != nil:
		return t.missing().At, t.openText(t.missing())
	case b != nil:
		return b.At, brokenText(b)
	case t.broken() != nil:
		return t.broken().At, t.openText(t.broken())
	case t.misread() != nil:
		return t.misread().At, t.openText(t.misread())
	}
	return time.Time{}, ""
}

// found tells what is missing or broken, for somebody who relies on the parts.
func (h *Held) found(r *register.Register) []string {
	var out []string
	for i, name := range r.PartNames() {
		t := h.trails[register.NameKey(name)]
		switch _, what := h.wrongSince(name, r.Parts[i].Seal); {
		case what == "":
		case t.missing() != nil:
			out = append(out, name+" "+what+", and counts as lost")
		default:
			out = append(out, name+": "+what+". What lies behind it counts as there")
		}
	}
	return out
}
