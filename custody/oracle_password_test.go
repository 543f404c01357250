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
			if len(recorded(register.PartShare, id))+len(recorded(register.PartPasswordHalf, id)) == 0 { // its shares would open it
				closed = append(closed, files...)
			}
			continue
		}
		shares, halves := recorded(register.PartShare, id), set.Holders[0].Half > 0
		if halves {
			shares = append(shares, recorded(register.PartPasswordHalf, id)...)
		}
		if set.Voided || len(files)+len(shares) == 0 {
			continue
		}
		name := "the sealed password"
		if halves {
			name = "the password in parts"
		}
		if named > 1 {
			name += " of set " + id
		}
		file := best(files)
		if len(files) == 0 {
			file = 1 // it lies somewhere
		}
		var holders []int
		for i := range set.Holders {
			holders = append(holders, o.holder(set, i, shares))
		}
		if halves { // one of each, and the file but for what is on paper
			for i, one := range set.Holders {
				for j, other := range set.Holders {
					is := min(holders[i], holders[j])
					if one.ByKey || other.ByKey {
						is = min(is, file)
					}
					if one.Half == 1 && other.Half == 2 {
						out = append(out, passwordWay{name + " by " + one.Name + " and " + other.Name, is})
					}
				}
			}
			continue
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
			if len(list) == 0 || set != nil && (set.Voided || kind == register.PartShare || set.Holders[0].Half > 0) {
				continue
			}
			name := "the password in parts"
			if groups > 1 && id == "" {
				name += " of no set that is recorded"
			} else if groups > 1 {
				name += " of set " + id
			}
			is := o.quorum(kind, list)
			if files := recorded(register.PartPassword, id); id != "" && set == nil && len(files) > 0 {
				with := best(files) // without the file shares open nothing, and perhaps halves
				if kind == register.PartPasswordHalf {
					with = max(1, with)
				}
				is = min(is, with)
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
func (o *oracle) quorum(kind register.PartKind, list []int) int {
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
	} else if kind == register.PartPasswordHalf { // some may be copies of others
		enough = len(list) + elsewhere
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
	if h.ByKey && (h.Stranger || !slices.ContainsFunc(o.reg.People, func(p register.Person) bool { return fold(p.Name) == fold(h.Name) })) {
		return 1 // whoever it is now
	}
	known := func(x custody.SealedHolder) bool {
		return !x.Stranger && slices.ContainsFunc(o.reg.People, func(p register.Person) bool { return fold(p.Name) == fold(x.Name) })
	}
	alike := h.Half == 0 && len(set.Pairs) == 0
	// Papers that nobody of the set holds, or somebody beside the own, were handed over by
	// those who hold none. Each is one of some.
	var over [][]int
	for _, j := range shares {
		if !slices.ContainsFunc(set.Holders, func(x custody.SealedHolder) bool { return fold(x.Name) == fold(o.reg.Parts[j].Holder) }) {
			over = append(over, []int{j})
		}
	}
	before, bare := 0, 0
	for i, x := range set.Holders {
		has := of(x.Name)
		if !x.ByKey && len(has) == 0 {
			bare++
			if i < at {
				before++
			}
		}
		for more := 1; more < len(has) && (known(x) || !x.ByKey); more++ {
			if which := has; !x.ByKey && alike {
				over = append(over, which[more:more+1])
			} else {
				over = append(over, which)
			}
		}
	}
	fits := len(over) <= bare && (alike || bare == 1)
	oneOf := func(list []int, is func(int) int) int {
		least, most := 2, 0
		for _, j := range list {
			least, most = min(least, is(j)), max(most, is(j))
		}
		if least < 2 {
			return min(1, most)
		}
		return 2
	}
	paper := func(j int) int { return o.fetched(j, true) }
	own := of(h.Name)
	switch {
	case h.ByKey && len(own) > 0:
		// The share helps nobody else. Who must send somebody for it may not get it.
		mine := func(j int) int {
			if slices.ContainsFunc(o.byThemselves(j), func(n string) bool { return fold(n) == fold(h.Name) }) {
				return min(o.there(j, true), o.person(h.Name))
			}
			return min(1, o.fetched(j, true))
		}
		is := min(1, o.person(h.Name))
		for _, j := range own {
			is = max(is, min(1, paper(j)))
			if bare == 0 {
				is = max(is, mine(j)) // they are copies
			}
		}
		return max(is, oneOf(own, mine))
	case h.ByKey:
		return o.person(h.Name)
	case len(own) > 0 && bare == 0:
		is := 0
		for _, j := range own {
			is = max(is, paper(j))
		}
		return is
	case len(own) > 0 && fits && alike:
		return paper(own[0])
	case len(own) > 0:
		return oneOf(own, paper)
	case fits && before < len(over):
		return oneOf(over[before], paper)
	}
	return 1
}

// doors are the ways by which somebody might open an account: those of its pattern and
// its passes; and, which may work, those that it would have by any other pattern, as far
// as a part is recorded, and those through void sets as if they were not.
func (o *oracle) doors(c *custody.Circle, a register.Account) (sure, may []custody.Way) {
	sure, _ = c.Ways(a)
	sure = append(sure, c.BriefWays(a)...)
	pattern := a.Pattern
	if pattern == "" && len(a.Keys) > 0 {
		pattern = register.PatternFIDO2
	}
	has := func(kinds ...register.PartKind) bool {
		return slices.ContainsFunc(o.reg.Parts, func(p register.Part) bool { return p.Account == a.ID && slices.Contains(kinds, p.Kind) })
	}
	as := func(c *custody.Circle, other register.Pattern, is func(custody.Way) bool) (n int) {
		clone := a
		clone.Pattern = other
		ways, _ := c.Ways(clone)
		for _, w := range ways {
			if is(w) {
				may, n = append(may, w), n+1
			}
		}
		return n
	}
	of := func(n custody.Need) bool { return len(n.Copies)+len(n.Perhaps) > 0 }
	any := func(w custody.Way) bool { return slices.ContainsFunc(w.All(), of) }
	certificate, key := register.PatternCertificate, register.PatternFIDO2
	password := pattern == register.PatternOATH || pattern == register.PatternSplitPassword || pattern == register.PatternVault
	if pattern != key {
		as(c, key, func(w custody.Way) bool { return of(w.Needs[0]) || pattern != certificate && any(w) })
	}
	if pattern != certificate {
		as(c, certificate, func(w custody.Way) bool { return of(w.Needs[0]) })
	}
	if !password && as(c, register.PatternVault, any) == 0 && has(register.PartToken) {
		as(c, register.PatternOATH, any)
	}
	for _, id := range setIDs { // void sets
		set := o.set(id)
		if set == nil || !set.Voided {
			continue
		}
		good := *set
		good.Voided = false
		old := *o.reg
		old.Parts = slices.DeleteFunc(slices.Clone(old.Parts), func(p register.Part) bool {
			return p.Account == a.ID && p.Set != id && p.Kind != register.PartToken
		})
		with := register.PatternVault
		if pattern == register.PatternOATH {
			with = pattern
		}
		if slices.ContainsFunc(old.Parts, func(p register.Part) bool { return p.Account == a.ID && p.Set == id }) {
			as(custody.CircleOf(&old, good), with, any)
		}
	}
	return sure, may
}

// together is whether a place holds all of a way to open an account.
func (o *oracle) together(c *custody.Circle, a register.Account, place string) int {
	best := 0
	sure, may := o.doors(c, a)
	for i, w := range append(slices.Clone(sure), may...) {
		is, all := 2, w.Needs
		if i >= len(sure) {
			is = 1
		}
		there := func(n custody.Need) (is int) {
			if n.Unsure {
				is = 1
			}
			for j, list := range [][]*register.Part{n.Copies, n.Perhaps} {
				for _, p := range list {
					if fold(p.Place) != place || n.Only != "" {
						continue
					}
					all := !n.OneOf || !slices.ContainsFunc(n.Copies, func(p *register.Part) bool { return fold(p.Place) != place })
					if is = max(is, 1); j == 0 && !sealedOtherwise(p) && all {
						return 2
					}
				}
			}
			return is
		}
		for _, n := range all {
			is = min(is, there(n))
		}
		if len(w.Shares) > 0 {
			var have []int
			for _, n := range w.Shares {
				have = append(have, there(n))
			}
			slices.Sort(have)
			slices.Reverse(have)
			least, enough := w.Enough, w.Enough
			if enough == 0 {
				least, enough = min(max(2, w.Least), len(have)), len(have)
			}
			if have[enough-1] < 2 {
				is = min(is, 1, have[least-1])
			}
		}
		best = max(best, is)
	}
	return best
}

// opens is whether people could open an account: by what is recorded, or, where found is
// true, with whoever has what is not; of nobody, whether such a one may have it all.
func (o *oracle) opens(c *custody.Circle, a register.Account, people []string, found bool) bool {
	ways, may := o.doors(c, a)
	if found {
		ways = append(ways, may...)
	}
	for _, w := range ways {
		ok, some := len(w.Needs)+len(w.Shares) > 0, people == nil
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
			take = min(max(2, w.Least), take)
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
	if len(n.Copies) == 0 || n.Unsure {
		may = 1
	}
	for _, p := range n.Copies {
		who := o.hands(p, nil)
		if len(who) == 0 || o.stranger(p, nil) {
			may = max(may, 1)
		}
		for _, x := range who {
			switch {
			case !slices.Contains(people, x):
			case sealedOtherwise(p):
				may = 2
			case n.OneOf && slices.ContainsFunc(n.Copies, func(p *register.Part) bool { return !slices.Contains(o.hands(p, nil), x) }):
				may = 2
			case n.Only == "" || fold(n.Only) == x:
				reached = true
			default:
				may = 2
			}
		}
	}
	for _, p := range n.Perhaps {
		if len(o.hands(p, nil)) == 0 || o.stranger(p, nil) {
			may = max(may, 1)
		}
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

// stranger is whether somebody who is not recorded may get at a part: nobody wrote down
// who opens where it lies, or where a combination of that is.
func (o *oracle) stranger(p *register.Part, been []string) bool {
	if p.Place == "" {
		return p.Holder == ""
	}
	if slices.Contains(been, fold(p.Place)) {
		return false
	}
	been = append(slices.Clone(been), fold(p.Place))
	opened, stranger := false, false
	for _, at := range o.reg.Places {
		opened = opened || fold(at.Name) == fold(p.Place) && len(at.Access) > 0
	}
	for i := range o.reg.Parts {
		if c := &o.reg.Parts[i]; c.Kind == register.PartCombination && fold(c.Opens) == fold(p.Place) {
			opened, stranger = true, stranger || o.stranger(c, been)
		}
	}
	return stranger || !opened
}
