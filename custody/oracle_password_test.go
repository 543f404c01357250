package custody_test

import (
	"slices"

	"halligan/custody"
	"halligan/register"
)

// passwordWay is a way to the password.
type passwordWay struct {
	name string
	is   int
}

func (o *oracle) passwords(a register.Account) []passwordWay {
	var out []passwordWay
	recorded := func(kind register.PartKind, set string) (list []int) {
		for j, p := range o.reg.Parts {
			if p.Account == a.ID && p.Kind == kind && p.Set == set {
				list = append(list, j)
			}
		}
		return list
	}
	best := func(list []int) int {
		is := 0
		for _, j := range list {
			is = max(is, o.fetched(j, true))
		}
		return is
	}
	if list := recorded(register.PartPassword, ""); len(list) > 0 {
		out = append(out, passwordWay{"the password", best(list)})
	}
	named := 0
	for _, id := range setIDs {
		if len(recorded(register.PartPassword, id))+len(recorded(register.PartShare, id))+len(recorded(register.PartPasswordHalf, id)) > 0 {
			named++
		}
	}
	var closed []int // sealed files of which nobody says who opens them
	for _, id := range setIDs {
		files := recorded(register.PartPassword, id)
		set := o.set(id)
		if set == nil {
			if len(recorded(register.PartShare, id)) == 0 { // its shares would open it
				closed = append(closed, files...)
			}
			continue
		}
		if set.Voided || len(files)+len(recorded(register.PartShare, id)) == 0 {
			continue
		}
		name := "the sealed password"
		if named > 1 {
			name += " of set " + id
		}
		file := best(files)
		if len(files) == 0 {
			file = 1 // it lies somewhere
		}
		var holders []int
		for i := range set.Holders {
			holders = append(holders, o.holder(set, i, recorded(register.PartShare, id)))
		}
		all := len(set.Pairs) == 0
		if n := len(set.Holders); len(set.Pairs) == n*(n-1)/2 {
			all = true
		}
		if !all {
			for _, p := range set.Pairs {
				out = append(out, passwordWay{name + " by " + set.Holders[p[0]].Name + " and " + set.Holders[p[1]].Name, min(file, holders[p[0]], holders[p[1]])})
			}
			continue
		}
		slices.Sort(holders)
		out = append(out, passwordWay{name, min(file, holders[len(holders)-set.Need])}) // the weakest of the best
	}
	if len(closed) > 0 {
		out = append(out, passwordWay{"the sealed password", min(1, best(closed))})
	}
	for _, kind := range []register.PartKind{register.PartPasswordHalf, register.PartShare} {
		groups := 0
		for _, id := range append([]string{""}, setIDs...) {
			if len(recorded(kind, id)) > 0 {
				groups++
			}
		}
		for _, id := range append([]string{""}, setIDs...) {
			list := recorded(kind, id)
			set := o.set(id)
			if len(list) == 0 || set != nil && (set.Voided || kind == register.PartShare) {
				continue
			}
			name := "the password in parts"
			if groups > 1 && id == "" {
				name += " of no set that is recorded"
			} else if groups > 1 {
				name += " of set " + id
			}
			is := o.quorum(list)
			if files := recorded(register.PartPassword, id); id != "" && kind == register.PartShare && len(files) > 0 {
				is = min(is, best(files)) // without the file they open nothing
			}
			out = append(out, passwordWay{name, is})
		}
	}
	if len(out) == 0 {
		out = append(out, passwordWay{"the password", 1})
	}
	return out
}

// quorum is whether enough of some parts of a password can be fetched.
func (o *oracle) quorum(list []int) int {
	needed, sure, perhaps := 0, 0, 0
	for _, j := range list {
		needed = max(needed, o.reg.Parts[j].Needed)
		switch o.fetched(j, true) {
		case 2:
			sure, perhaps = sure+1, perhaps+1
		case 1:
			perhaps++
		}
	}
	elsewhere := max(0, max(needed, 2)-len(list)) // that are not recorded
	perhaps += elsewhere
	least, enough := needed, needed
	if needed == 0 {
		least, enough = 2, len(list)+elsewhere
	}
	switch {
	case sure >= enough:
		return 2
	case perhaps >= least:
		return 1
	}
	return 0
}

func (o *oracle) set(id string) *custody.SealedSet {
	for i := range o.sets {
		if id != "" && o.sets[i].ID == id {
			return &o.sets[i]
		}
	}
	return nil
}

// holder is whether one of those who open a set can do their part.
func (o *oracle) holder(set *custody.SealedSet, at int, shares []int) int {
	h := set.Holders[at]
	of := func(name string) (list []int) {
		for _, j := range shares {
			if fold(o.reg.Parts[j].Holder) == fold(name) {
				list = append(list, j)
			}
		}
		return list
	}
	if own := of(h.Name); len(own) > 0 {
		is := 0
		for _, j := range own {
			if !h.ByKey {
				is = max(is, o.fetched(j, true))
				continue
			}
			// The share helps nobody else. Who must send somebody for it may not get it.
			is = max(is, min(1, o.person(h.Name)), min(1, o.fetched(j, true)))
			if slices.ContainsFunc(o.byThemselves(j), func(n string) bool { return fold(n) == fold(h.Name) }) {
				is = max(is, min(o.there(j, true), o.person(h.Name)))
			}
		}
		return is
	}
	if h.ByKey {
		return o.person(h.Name)
	}
	// Papers that nobody of the set holds were handed over by those who hold none.
	var loose []int
	for _, j := range shares {
		if !slices.ContainsFunc(set.Holders, func(x custody.SealedHolder) bool { return fold(x.Name) == fold(o.reg.Parts[j].Holder) }) {
			loose = append(loose, j)
		}
	}
	before, bare := 0, 0
	for i, x := range set.Holders {
		if !x.ByKey && len(of(x.Name)) == 0 {
			bare++
			if i < at {
				before++
			}
		}
	}
	if len(loose) <= bare && before < len(loose) {
		return o.fetched(loose[before], true)
	}
	return 1
}

// opens is whether people could open an account: by what is recorded (2), or with
// whoever has what is not (1).
func (o *oracle) opens(c *custody.Circle, a register.Account, people []string, found bool) bool {
	ways, _ := c.Ways(a)
	for _, w := range append(ways, c.BriefWays(a)...) {
		ok, some := len(w.Needs)+len(w.Shares) > 0, false
		for _, n := range w.Needs {
			reached, may := o.reached(n, people)
			ok = ok && (reached || found && may > 0)
			some = some || reached || found && may > 1
		}
		has := 0
		for _, n := range w.Shares {
			reached, may := o.reached(n, people)
			some = some || reached || found && may > 1
			if reached || found && may > 0 {
				has++
			}
		}
		take := len(w.Shares)
		switch {
		case w.Enough > 0:
			take = w.Enough
		case found:
			take = min(2, take)
		}
		if ok && has >= take && some {
			return true
		}
	}
	return false
}

// reached is whether one of some people has a copy of a need; may is 1 where it is not
// recorded who has one, 2 where one of the people perhaps does.
func (o *oracle) reached(n custody.Need, people []string) (reached bool, may int) {
	if len(n.Copies) == 0 {
		may = 1
	}
	for _, p := range n.Copies {
		who := o.hands(p, nil)
		if len(who) == 0 {
			may = max(may, 1)
		}
		for _, x := range who {
			switch {
			case !slices.Contains(people, x):
			case n.Only == "" || fold(n.Only) == x:
				reached = true
			default:
				may = 2
			}
		}
	}
	for _, p := range n.Perhaps {
		if slices.ContainsFunc(o.hands(p, nil), func(x string) bool { return slices.Contains(people, x) }) {
			may = 2
		}
	}
	return reached, may
}

// hands are all who could lay hands on a part.
func (o *oracle) hands(p *register.Part, been []string) (who []string) {
	if p.Holder != "" {
		who = append(who, fold(p.Holder))
	}
	if p.Place == "" || slices.Contains(been, fold(p.Place)) {
		return who
	}
	been = append(slices.Clone(been), fold(p.Place))
	for _, at := range o.reg.Places {
		if fold(at.Name) == fold(p.Place) {
			for _, x := range at.Access {
				who = append(who, fold(x))
			}
		}
	}
	for i := range o.reg.Parts {
		if c := &o.reg.Parts[i]; c.Kind == register.PartCombination && fold(c.Opens) == fold(p.Place) {
			who = append(who, o.hands(c, been)...)
		}
	}
	return who
}
