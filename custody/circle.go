package custody

import (
	"cmp"
	"slices"
	"strings"

	"halligan/register"
)

// Place returns the place with a name, or nil.
func (c *Circle) Place(name string) *register.Place {
	places := c.reg.Places
	for i := range places {
		if register.NameKey(name) != "" && register.NameKey(places[i].Name) == register.NameKey(name) {
			return &places[i]
		}
	}
	return nil
}

// Places are those of the register.
func (c *Circle) Places() []register.Place { return slices.Clone(c.reg.Places) }

// Reachers are all who could lay hands on a part: who holds it, whoever can open the
// place, and whoever could lay hands on the combination of the place. A seal shows
// that it was done and does not prevent it.
func (c *Circle) Reachers(p *register.Part) []string {
	who, _ := c.hands(p)
	return who
}

// hands are the Reachers of a part, and whether somebody may reach it who is not
// recorded: because nobody is; because its place, or one with a combination of that, has
// neither access nor a combination; or because it is not recorded where a combination is.
func (c *Circle) hands(p *register.Part) (out []string, unknown bool) {
	add := func(name string) {
		if k := register.NameKey(name); k != "" && !slices.Contains(out, k) {
			out = append(out, k)
		}
	}
	add(p.Holder)
	places := []string{register.NameKey(p.Place)} // a combination may lie in a place with one
	for i := 0; i < len(places); i++ {
		access, combinations := c.opens(places[i])
		unknown = unknown || places[i] != "" && len(access)+len(combinations) == 0
		for _, a := range access {
			add(a)
		}
		for _, one := range combinations {
			add(one.Holder)
			at := register.NameKey(one.Place)
			unknown = unknown || at == "" && register.NameKey(one.Holder) == ""
			if at != "" && !slices.Contains(places, at) {
				places = append(places, at)
			}
		}
	}
	return out, unknown || len(out) == 0
}

// Openers are those on whom one can count to fetch a part: who can open the place
// where it lies, or can fetch a combination of it; the holder only where the place says
// neither.
func (c *Circle) Openers(p *register.Part) []string {
	var out []string
	add := func(name string) {
		if k := register.NameKey(name); k != "" && !slices.Contains(out, k) {
			out = append(out, k)
		}
	}
	seen := map[string]bool{}
	parts := []*register.Part{p} // the part, and combinations on the way to it
	for i := 0; i < len(parts); i++ {
		at := register.NameKey(parts[i].Place)
		access, combinations := c.opens(at)
		if len(access)+len(combinations) == 0 {
			add(parts[i].Holder)
		} else if !seen[at] {
			seen[at] = true
			for _, a := range access {
				add(a)
			}
			parts = append(parts, slices.DeleteFunc(combinations, Locked)...)
		}
	}
	return out
}

// opens are who can open a place by themselves, and the combinations of it.
func (c *Circle) opens(place string) (access []string, combinations []*register.Part) {
	if place == "" {
		return nil, nil
	}
	if at := c.Place(place); at != nil {
		for _, a := range at.Access {
			if register.NameKey(a) != "" {
				access = append(access, a)
			}
		}
	}
	for i := range c.reg.Parts {
		if p := &c.reg.Parts[i]; p.Kind == register.PartCombination && register.NameKey(p.Opens) == place {
			combinations = append(combinations, p)
		}
	}
	return access, combinations
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
		if k := register.NameKey(name); k != "" && !seen[k] {
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
	for _, s := range c.sealed {
		for _, h := range s.Holders {
			add(h.Name)
		}
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
		k, m := register.NameKey(h.Name), register.NameKey(h.Manager)
		if m != "" {
			above[k] = m
			below[m] = append(below[m], k)
		}
		if r := register.NameKey(h.Title); r != "" {
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
		r := register.NameKey(h.Title)
		if len(roles[r]) > 1 && roles[r][0] == register.NameKey(h.Name) {
			out = append(out, Actor{"the role " + strings.TrimSpace(h.Title), roles[r]})
		}
	}
	return out
}

// All are the needs and the shares.
func (w *Way) All() []Need { return slices.Concat(w.Needs, w.Shares) }

// shares returns how many shares it takes, on the reading against the way and on that
// for it.
func (w *Way) shares() (sure, least int) {
	switch {
	case len(w.Shares) == 0:
		return 0, 0
	case w.Enough > 0:
		return w.Enough, w.Enough
	}
	return len(w.Shares), min(cmp.Or(w.Least, 2), len(w.Shares))
}

// reachersOf are who could lay hands on a need for certain and use it, who may, and
// whether somebody might who is not recorded, or nobody has to.
func (c *Circle) reachersOf(n Need) (sure, perhaps []string, nobody bool) {
	nobody = len(n.Copies) == 0 || n.Unsure
	only := register.NameKey(n.Only)
	for _, p := range n.Copies {
		who, unknown := c.hands(p)
		nobody = nobody || unknown
		for _, k := range who {
			if (only == "" || k == only) && !Locked(p) {
				sure = append(sure, k)
			} else {
				perhaps = append(perhaps, k)
			}
		}
	}
	if n.OneOf { // for certain has it who has all of them
		sure, perhaps = inAll(sure, perhaps, len(n.Copies))
	}
	for _, p := range n.Perhaps {
		who, unknown := c.hands(p)
		perhaps, nobody = append(perhaps, who...), nobody || unknown
	}
	return sure, perhaps, nobody
}

// inAll keeps those who stand in a list as often as wanted, and adds the others to more.
func inAll(list, more []string, wanted int) (all, some []string) {
	count := map[string]int{}
	for _, k := range list {
		count[k]++
	}
	for _, k := range list {
		if count[k] == wanted {
			all = append(all, k)
		} else {
			more = append(more, k)
		}
	}
	return all, more
}

// Completes reports whether an actor can bring a way together.
func (c *Circle) Completes(a Actor, w Way) Answer {
	// How many an actor has, and how many nobody knows who has: it may be this one.
	some := false // it has something, for certain or perhaps
	count := func(needs []Need) (has, open int) {
		for _, n := range needs {
			sure, perhaps, nobody := c.reachersOf(n)
			mine := func(k string) bool { return slices.Contains(a.People, k) }
			reached, may := slices.ContainsFunc(sure, mine), slices.ContainsFunc(perhaps, mine)
			some = some || reached || may
			if reached {
				has++
			} else if nobody || may {
				open++
			}
		}
		return has, open
	}
	has, open := count(w.Needs)
	shares, perhaps := count(w.Shares)
	sure, least := w.shares()
	switch {
	case !some, has+open < len(w.Needs), shares+perhaps < least:
		return No
	case has == len(w.Needs) && shares >= sure && !w.Doubted:
		return Yes
	}
	return Maybe
}

// Empty reports whether nobody wrote down any part.
func (c *Circle) Empty() bool { return len(c.reg.Parts) == 0 }
