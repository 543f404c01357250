package custody

import (
	"cmp"
	"slices"
	"strings"

	"halligan/entra"
	"halligan/register"
)

// openingsMost bounds the sets of people that are kept of one account, and
// comparisonsMost what it may take to find them.
const openingsMost, comparisonsMost = 4000, 20_000_000

// comparing counts what is left of that.
type comparing struct{ left int }

func (w *comparing) over(sets int) bool { return w.left < 0 || sets > openingsMost }

// Opening is a set of people who together could lay hands on all of a way to open an
// account, and of whom none can be left out. It says nothing of whether they may.
type Opening struct {
	People []string `json:"people"` // names
	// Ways are those that they could bring together.
	Ways []string `json:"ways"`
	// Line is the role or line of management that all of them are of; "" none.
	Line string `json:"line,omitempty"`
	// Why says of each part who reaches it.
	Why []string `json:"why"`
}

// Breaks reports whether the rule of two people fails: one alone, or people who are
// not independent of each other.
func (o *Opening) Breaks() bool { return len(o.People) < 2 || o.Line != "" }

// Openings is who could open one account.
type Openings struct {
	Account entra.ID `json:"account"`
	Name    string   `json:"name,omitempty"`
	// Certain are sets by what is recorded. Possible are those that suffice where
	// whoever has what is not recorded is one of them, or is found; a set that is
	// certain is not among them.
	Certain  []Opening `json:"certain"`
	Possible []Opening `json:"possible"`
	// Places hold all of a way: whoever opens one opens the account.
	Places []Together `json:"places"`
	// Unrecorded says of each way that somebody of whom nothing is recorded may have
	// wholly what is not recorded of it.
	Unrecorded []string `json:"unrecorded,omitempty"`
	// Unknown: how the account is opened is not recorded.
	Unknown bool `json:"unknown,omitempty"`
	// Reset: whoever resets the password opens it alone (S108).
	Reset bool `json:"reset,omitempty"`
	Cut   bool `json:"cut,omitempty"`
}

// TwoPeople is whether it takes two people, not of one line: no where a certain set
// breaks that, not known where a possible one does or where it is not recorded how
// the account is opened.
func (o *Openings) TwoPeople() Answer {
	breaks := func(list []Opening) bool {
		return slices.ContainsFunc(list, func(x Opening) bool { return x.Breaks() })
	}
	switch {
	case o.Reset, breaks(o.Certain):
		return No
	case o.Unknown, o.Cut, breaks(o.Possible), len(o.Unrecorded) > 0, len(o.Certain) == 0:
		return Maybe
	}
	return Yes
}

// team is a set of people as numbers, sorted, with the ways that it opens.
type team struct {
	who  []int
	ways []int
}

// Openings finds the minimal sets of people who could open an account. Seals are not
// looked at: they show that it was done.
func (c *Circle) Openings(a register.Account) *Openings {
	ways, known := c.AllWays(a)
	out := &Openings{Account: a.ID, Name: a.Name, Unknown: !known, Reset: a.Pattern == register.PatternAccountReset, Certain: []Opening{}, Possible: []Opening{}, Places: c.Together(a)}
	people := c.People()
	number := map[string]int{}
	for i, p := range people {
		number[p.Key] = i
	}
	work := &comparing{comparisonsMost}
	var sure, perhaps []team
	for i := range ways {
		if gap := c.Unrecorded(&ways[i]); gap != "" && !slices.Contains(out.Unrecorded, gap) {
			out.Unrecorded = append(out.Unrecorded, gap)
		}
		for _, of := range []struct {
			all   *[]team
			found bool
		}{{&sure, false}, {&perhaps, true}} {
			if ways[i].Doubted && !of.found {
				continue
			}
			teams, cut := c.teams(&ways[i], number, of.found, work)
			if cut || len(teams)+len(*of.all) > openingsMost {
				out.Cut = true
				continue
			}
			*of.all = mergeTeams(*of.all, teams, i)
		}
	}
	actors := c.Actors()
	tell := func(t team) Opening {
		o := Opening{People: []string{}, Ways: []string{}, Why: []string{}}
		var keys []string
		for _, i := range t.who {
			o.People, keys = append(o.People, people[i].Name), append(keys, people[i].Key)
		}
		for _, a := range actors {
			if len(a.People) > 1 && len(keys) > 1 && o.Line == "" && !slices.ContainsFunc(keys, func(k string) bool { return !slices.Contains(a.People, k) }) {
				o.Line = a.Name
			}
		}
		for _, i := range t.ways {
			o.Ways = append(o.Ways, ways[i].Name)
			o.Why = append(o.Why, c.reaches(&ways[i], keys))
		}
		return o
	}
	for _, t := range sure {
		out.Certain = append(out.Certain, tell(t))
	}
	for _, t := range perhaps {
		if len(t.who) > 0 && !slices.ContainsFunc(sure, func(s team) bool { return slices.Equal(s.who, t.who) }) {
			out.Possible = append(out.Possible, tell(t))
		}
	}
	return out
}

// teams are the minimal sets for one way. Where found is true, whoever may have what
// nobody is recorded for is found.
func (c *Circle) teams(w *Way, number map[string]int, found bool, work *comparing) (out [][]int, cut bool) {
	sets, open := [][]int{{}}, false
	for _, n := range w.Needs {
		who, nobody := c.whoReaches(n, number, found)
		switch {
		case found && nobody:
			open = true
		case len(who) == 0:
			return nil, false
		default:
			if sets = work.times(sets, who); work.over(len(sets)) {
				return nil, true
			}
		}
	}
	sure, least := w.shares()
	take := sure
	if found {
		take = least
	}
	var reach [][]int // of each share that people are recorded for
	for _, n := range w.Shares {
		if who, nobody := c.whoReaches(n, number, found); found && nobody {
			take, open = take-1, true
		} else if len(who) > 0 {
			reach = append(reach, who)
		}
	}
	if take > len(reach) || len(w.Needs)+len(w.Shares) == 0 {
		return nil, false
	}
	if take > 0 {
		if sets = work.quorum(sets, reach, take); work.over(len(sets)) {
			return nil, true
		}
	}
	if out = work.minimal(sets); !open || len(out) != 1 || len(out[0]) > 0 {
		return out, false
	}
	// Nobody recorded is needed: whoever has any of it, and the unknown.
	out = nil
	for _, n := range w.All() {
		who, _ := c.whoReaches(n, number, true)
		for _, i := range who {
			out = append(out, []int{i})
		}
	}
	return work.minimal(out), false
}

// whoReaches are the people who reach a copy of a need, or, where found is true, may
// reach one, and whether somebody might who is not recorded.
func (c *Circle) whoReaches(n Need, number map[string]int, found bool) (who []int, nobody bool) {
	keys, perhaps, nobody := c.reachersOf(n)
	if found {
		keys = append(keys, perhaps...)
	}
	for _, k := range keys {
		who = append(who, number[k])
	}
	slices.Sort(who)
	return slices.Compact(who), nobody
}

// quorum adds to each set people for so many shares.
func (w *comparing) quorum(sets, reach [][]int, take int) (out [][]int) {
	pick := make([]int, 0, take)
	var choose func(from int)
	choose = func(from int) {
		if w.left--; w.over(len(out)) {
			return
		}
		if len(pick) == take {
			more := sets
			for _, i := range pick {
				if more = w.times(more, reach[i]); w.over(len(more)) {
					w.left = -1
					return
				}
			}
			out = w.minimal(append(out, more...))
			return
		}
		for i := from; i < len(reach); i++ {
			pick = append(pick, i)
			choose(i + 1)
			pick = pick[:len(pick)-1]
		}
	}
	choose(0)
	return out
}

// times adds to each set one of some people, unless one of them is in it.
func (w *comparing) times(sets [][]int, who []int) [][]int {
	var out [][]int
	for _, set := range sets {
		if slices.ContainsFunc(set, func(i int) bool { return slices.Contains(who, i) }) {
			out = append(out, set)
			continue
		}
		for _, i := range who {
			more := append(slices.Clone(set), i)
			slices.Sort(more)
			out = append(out, more)
		}
	}
	return w.minimal(out)
}

// minimal leaves the sets that hold no other, as far as what is left of the work goes.
func (w *comparing) minimal(sets [][]int) [][]int {
	slices.SortFunc(sets, func(a, b []int) int { return cmp.Or(cmp.Compare(len(a), len(b)), slices.Compare(a, b)) })
	var out [][]int
	for _, set := range sets {
		if w.left -= len(out); w.left < 0 {
			return out
		}
		if !slices.ContainsFunc(out, func(less []int) bool { return within(less, set) }) {
			out = append(out, set)
		}
	}
	return out
}

// within reports whether a set is part of another.
func within(less, set []int) bool {
	return !slices.ContainsFunc(less, func(i int) bool { return !slices.Contains(set, i) })
}

// mergeTeams adds the sets of one way to those of others.
func mergeTeams(all []team, sets [][]int, way int) []team {
	for _, set := range sets {
		at := slices.IndexFunc(all, func(t team) bool { return slices.Equal(t.who, set) })
		if at < 0 {
			all = append(all, team{who: set})
			at = len(all) - 1
		}
		all[at].ways = append(all[at].ways, way)
	}
	slices.SortStableFunc(all, func(a, b team) int {
		return cmp.Or(cmp.Compare(len(a.who), len(b.who)), slices.Compare(a.who, b.who))
	})
	var out []team
	for _, t := range all {
		if !slices.ContainsFunc(out, func(less team) bool { return within(less.who, t.who) }) {
			out = append(out, t)
		}
	}
	return out
}

// reaches says of each need of a way who of some people reaches it, and how.
func (c *Circle) reaches(w *Way, keys []string) string {
	names := map[string]string{}
	for _, p := range c.People() {
		names[p.Key] = p.Name
	}
	var out []string
	for i, n := range w.All() {
		say := ""
		for j, p := range slices.Concat(n.Copies, n.Perhaps) {
			for _, k := range c.Reachers(p) {
				if say != "" || !slices.Contains(keys, k) {
					continue
				}
				if say = names[k] + " holds " + n.What; k != register.NameKey(p.Holder) {
					say = names[k] + " opens " + p.Place + " where " + n.What + " lies"
				}
				other := func(p *register.Part) bool { return !slices.Contains(c.Reachers(p), k) }
				if j >= len(n.Copies) || Locked(p) || n.OneOf && slices.ContainsFunc(n.Copies, other) || n.Only != "" && k != register.NameKey(n.Only) {
					say = "perhaps " + say
				}
			}
		}
		if say == "" && n.Unsure {
			say = "whether it takes " + n.What + " is not recorded"
		} else if say == "" && i < len(w.Needs) {
			if say = "who has " + n.What + " is not recorded"; c.unopened(n) != "" {
				say = "who opens " + c.unopened(n) + " where " + n.What + " lies is not recorded"
			}
		}
		if say != "" {
			out = append(out, say)
		}
	}
	if w.Doubted {
		return w.Name + ", which may work: " + strings.Join(out, ", ")
	}
	return w.Name + ": " + strings.Join(out, ", ")
}
