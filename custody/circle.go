package custody

import (
	"slices"
	"strings"

	"halligan/register"
)

// personKey is what names of one person have in common.
func personKey(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

// Place returns the place with a name, or nil.
func (c *Circle) Place(name string) *register.Place {
	places := c.reg.Places
	for i := range places {
		if personKey(name) != "" && personKey(places[i].Name) == personKey(name) {
			return &places[i]
		}
	}
	return nil
}

// Reachers are all who could lay hands on a part: who holds it, and whoever can
// open the place. A seal shows that it was done and does not prevent it.
func (c *Circle) Reachers(p *register.Part) []string {
	var out []string
	add := func(name string) {
		if k := personKey(name); k != "" && !slices.Contains(out, k) {
			out = append(out, k)
		}
	}
	add(p.Holder)
	if at := c.Place(p.Place); at != nil {
		for _, a := range at.Access {
			add(a)
		}
	}
	return out
}

// Openers are those on whom one can count to fetch a part: who can open the place
// where it lies, and the holder only where the place says nothing.
func (c *Circle) Openers(p *register.Part) []string {
	if at := c.Place(p.Place); at != nil && len(at.Access) > 0 {
		var out []string
		for _, a := range at.Access {
			if k := personKey(a); k != "" && !slices.Contains(out, k) {
				out = append(out, k)
			}
		}
		return out
	}
	if personKey(p.Holder) == "" {
		return nil
	}
	return []string{personKey(p.Holder)}
}

// Person is somebody of the circle.
type Person struct {
	Key  string // by which Reachers and Openers name the person
	Name string
}

// People are all whom the register names as holding, opening or managing, in the
// order in which it does.
func (c *Circle) People() []Person {
	var out []Person
	seen := map[string]bool{}
	add := func(name string) {
		if k := personKey(name); k != "" && !seen[k] {
			seen[k] = true
			out = append(out, Person{k, strings.TrimSpace(name)})
		}
	}
	for _, h := range c.reg.People {
		add(h.Name)
		add(h.Manager)
	}
	for _, p := range c.reg.Places {
		for _, a := range p.Access {
			add(a)
		}
	}
	for _, p := range c.reg.Parts {
		add(p.Holder)
	}
	return out
}

// Actor is a person, or people who are not independent of each other.
type Actor struct {
	Name   string
	People []string // keys
}

// Actors are every person, every role, and every line: a manager with those
// directly below, and a person with all managers above.
func (c *Circle) Actors() []Actor {
	var out []Actor
	above := map[string]string{}
	below, roles := map[string][]string{}, map[string][]string{}
	for _, h := range c.reg.People {
		k, m := personKey(h.Name), personKey(h.Manager)
		if m != "" {
			above[k] = m
			below[m] = append(below[m], k)
		}
		if r := personKey(h.Title); r != "" {
			roles[r] = append(roles[r], k)
		}
	}
	people := c.People()
	for _, p := range people {
		out = append(out, Actor{p.Name, []string{p.Key}})
	}
	for _, p := range people {
		if len(below[p.Key]) > 0 {
			out = append(out, Actor{p.Name + " and those who report to " + p.Name, append([]string{p.Key}, below[p.Key]...)})
		}
		line := []string{p.Key}
		for m := above[p.Key]; m != "" && !slices.Contains(line, m); m = above[m] {
			line = append(line, m)
		}
		if len(line) > 2 {
			out = append(out, Actor{p.Name + " and the managers above", line})
		}
	}
	for _, h := range c.reg.People {
		r := personKey(h.Title)
		if len(roles[r]) > 1 && roles[r][0] == personKey(h.Name) {
			out = append(out, Actor{"the role " + strings.TrimSpace(h.Title), roles[r]})
		}
	}
	return out
}

// Completes reports whether an actor can bring a way together.
func (c *Circle) Completes(a Actor, w Way) Answer {
	has, open := 0, 0
	for _, n := range w.Needs {
		reached, nobody := false, len(n.Copies) == 0
		for _, p := range n.Copies {
			who := c.Reachers(p)
			nobody = nobody || len(who) == 0
			reached = reached || slices.ContainsFunc(who, func(k string) bool { return slices.Contains(a.People, k) })
		}
		switch {
		case reached:
			has++
		case nobody:
			open++ // nobody knows who has it: it may be this one
		}
	}
	if has == 0 {
		return No
	}
	return w.enough(has, open)
}

// enough judges a way of which some needs are met, and some more may be.
func (w *Way) enough(has, open int) Answer {
	if len(w.Needs) == 0 {
		return No
	}
	sure, least := len(w.Needs), len(w.Needs)
	switch {
	case w.Quorum && w.Enough > 0:
		sure, least = w.Enough, w.Enough
	case w.Quorum:
		least = min(2, len(w.Needs))
	}
	switch {
	case has >= sure:
		return Yes
	case has+open >= least:
		return Maybe
	}
	return No
}
