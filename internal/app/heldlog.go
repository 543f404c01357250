package app

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"halligan/custody"
	"halligan/evidence"
	"halligan/internal/store"
	"halligan/posture"
	"halligan/register"
)

// heldEvent is an entry of the log that tells of custody: a look, the custody part or
// the people as they were recorded.
type heldEvent struct {
	index   uint64
	at      time.Time
	look    *VerifiedData
	custody *register.Register
	people  *register.Register
}

// heldEvents are those entries in the order of the log. The time that an entry tells
// is that of the machine that wrote it, and orders nothing.
func heldEvents(v store.View) ([]heldEvent, error) {
	var out []heldEvent
	for kind, read := range heldKinds {
		for e, err := range v.Find(kind, "") {
			if err != nil {
				return nil, err
			}
			event := heldEvent{index: e.Index, at: e.Time}
			is, err := read(&e, &event)
			if err != nil {
				return nil, err
			}
			if is {
				out = append(out, event)
			}
		}
	}
	slices.SortFunc(out, func(a, b heldEvent) int { return cmp.Compare(a.index, b.index) })
	return out, nil
}

// heldKinds read what an entry tells of custody, and whether it is relied on.
var heldKinds = map[evidence.Kind]func(*evidence.Entry, *heldEvent) (bool, error){
	evidence.KindCustodyVerified: func(e *evidence.Entry, to *heldEvent) (bool, error) {
		var d VerifiedData
		if json.Unmarshal(e.Data, &d) != nil || d.Part == "" {
			return false, nil // not of this program: it tells nothing that could be relied on
		}
		to.look = &d
		return true, nil
	},
	evidence.KindCustody: func(e *evidence.Entry, to *heldEvent) (is bool, err error) {
		var d custodyData
		if slices.Contains(e.Marks, MarkSide) {
			return false, nil // decides nothing
		}
		if err := json.Unmarshal(e.Data, &d); err != nil {
			return false, err
		}
		to.custody, err = register.FromCustody([]byte(d.Custody))
		return true, err
	},
	evidence.KindRegister: func(e *evidence.Entry, to *heldEvent) (is bool, err error) {
		var d registerData
		if slices.Contains(e.Marks, MarkSide) {
			return false, nil
		}
		if err := json.Unmarshal(e.Data, &d); err != nil {
			return false, err
		}
		to.people, err = register.FromDeciding([]byte(d.Deciding))
		return true, err
	},
}

func (h *Held) binders(v store.View) error {
	for e, err := range v.Find(evidence.KindBinderPrinted, "") {
		if err != nil {
			return err
		}
		var d BinderData
		if json.Unmarshal(e.Data, &d) == nil && d.Digest != "" && !e.Time.Before(h.Records.BinderPrinted) {
			h.Binder, h.Records.BinderPrinted, h.Records.BinderDigest = &d, e.Time, d.Digest
		}
	}
	return nil
}

// changes are when the register changed by an approval, which numbers came off, who
// left, and who knows what they should not.
func (h *Held) changes(events []heldEvent) {
	known := openers{alias: map[string]string{}}
	for _, e := range events {
		known.learn(e.people)
	}
	var held, people *register.Register
	for _, e := range events {
		switch {
		case e.custody != nil:
			h.changed(e.at)
			h.worn(held.Or(), e.custody, e.at)
			h.shutOut(&known, held.Or(), e.custody, people, e.at)
			held = e.custody
		case e.people != nil:
			h.changed(e.at)
			for _, p := range people.Or().People {
				stays := func(q register.Person) bool {
					return register.SamePerson(q.Name, p.Name) || p.ID != "" && q.ID.Equal(p.ID)
				}
				if !slices.ContainsFunc(e.people.People, stays) {
					h.Records.Changes = append(h.Records.Changes, posture.ChangeEvent{Kind: "staff", What: p.Name, At: e.at})
					h.left(&known, held.Or(), p.Name, e.at)
				}
			}
			people = e.people
			h.staff = append(h.staff, e)
		}
	}
}

func (h *Held) changed(at time.Time) {
	if at.After(h.Records.RegisterChanged) {
		h.Records.RegisterChanged = at
	}
}

// openers knows who could open a place, and which names are of one person.
type openers struct{ alias map[string]string } // a name, as register.NameKey, to the id

func (o *openers) learn(people *register.Register) {
	for _, p := range people.Or().People {
		if p.ID != "" {
			o.alias[register.NameKey(p.Name)] = p.ID.Key()
		}
	}
}

func (o *openers) same(a, b string) bool {
	return a == b || o.alias[a] != "" && o.alias[a] == o.alias[b]
}

func (o *openers) in(list []string, name string) bool {
	return slices.ContainsFunc(list, func(n string) bool { return o.same(n, name) })
}

// left notes the places that somebody who leaves could open as custody was recorded
// then.
func (h *Held) left(o *openers, held *register.Register, name string, at time.Time) {
	circle := custody.CircleOf(held)
	for _, p := range held.Places {
		if o.in(posture.PlaceOpeners(circle, p.Name), register.NameKey(name)) {
			h.Records.Knew = append(h.Records.Knew, posture.Knower{Place: p.Name, Person: name, At: at, Left: true})
		}
	}
}

// shutOut notes who could open a place before a change of custody and cannot after it.
// Who had left by then learned nothing more.
func (h *Held) shutOut(o *openers, before, now, people *register.Register, at time.Time) {
	was, is := custody.CircleOf(before), custody.CircleOf(now)
	for _, p := range before.Places {
		name := placeNow(before, now, &p)
		if name == "" {
			continue
		}
		h.placeRenamed(p.Name, name)
		after := posture.PlaceOpeners(is, name)
		for _, key := range posture.PlaceOpeners(was, p.Name) {
			gone := slices.ContainsFunc(h.Records.Knew, func(k posture.Knower) bool {
				return k.Left && k.Place == name && o.same(register.NameKey(k.Person), key)
			}) && people.Person(key) == nil
			if !o.in(after, key) && !gone {
				h.Records.Knew = append(h.Records.Knew, posture.Knower{Place: name, Person: nameOfKey(was, key), At: at})
			}
		}
	}
}

// placeNow is the name of a place after a change: its own, or that of one that came when
// it went and is the same place under another name: of the same kind and site, or with
// a part that lay in it and the same day of the last change of the combination; "" it
// is gone.
func placeNow(before, now *register.Register, p *register.Place) string {
	if q := now.Place(p.Name); q != nil {
		return q.Name
	}
	stays := func(q *register.Place) bool {
		return q.CombinationChanged == p.CombinationChanged && slices.ContainsFunc(before.Parts, func(was register.Part) bool {
			is := partNamed(now, was.Name)
			return is != nil && register.NameKey(was.Place) == register.NameKey(p.Name) && register.NameKey(is.Place) == register.NameKey(q.Name)
		})
	}
	for i := range now.Places {
		q := &now.Places[i]
		if before.Place(q.Name) == nil && (strings.EqualFold(q.Kind, p.Kind) && register.NameKey(q.Site) == register.NameKey(p.Site) || stays(q)) {
			return q.Name
		}
	}
	return ""
}

func (h *Held) placeRenamed(from, to string) {
	for i := range h.Records.Knew {
		if k := &h.Records.Knew[i]; k.Place == from {
			k.Place = to
		}
	}
}

// nameOfKey is how a person is written whom custody names by a key.
func nameOfKey(c *custody.Circle, key string) string {
	for _, p := range c.People() {
		if p.Key == key {
			return p.Name
		}
	}
	return key
}
