package custody

import (
	"cmp"
	"slices"

	"halligan/entra"
	"halligan/register"
)

// blackBox are losses that only together shut a way out in the tenant.
type blackBox struct {
	among []int
	// clauses are the smallest sets after which the tenant does not let the way in,
	// doubts those after which that is not known. Where they are too many to find, it
	// is asked about each state.
	clauses, doubts [][]int
	ask             func(lost []Loss) Answer
	asked           map[string]Answer
}

// answer says whether the tenant lets the way in.
func (b *blackBox) answer(s *Survey, lost []bool) Answer {
	if b.ask == nil {
		all := func(set []int) bool { return !slices.ContainsFunc(set, func(i int) bool { return !lost[i] }) }
		switch {
		case slices.ContainsFunc(b.clauses, all):
			return No
		case slices.ContainsFunc(b.doubts, all):
			return Maybe
		}
		return Yes
	}
	var gone []Loss
	k := make([]byte, 0, len(b.among))
	for _, i := range b.among {
		if lost[i] {
			gone = append(gone, s.losses[i])
			k = append(k, 1)
		} else {
			k = append(k, 0)
		}
	}
	if len(gone) == 0 {
		return Yes
	}
	if a, has := b.asked[string(k)]; has {
		return a
	}
	a := b.ask(gone)
	b.asked[string(k)] = a
	return a
}

// support is what the tenant's letting in rests on, beside what is already held: of
// each set that would end it one loss that is not there.
func (b *blackBox) support(st *state, held []int) []int {
	if b.ask != nil {
		return b.among
	}
	sets := b.clauses
	if st.read == adverse {
		sets = slices.Concat(sets, b.doubts)
	}
	var out []int
	for _, set := range sets {
		if !slices.ContainsFunc(set, func(i int) bool { return !st.lost[i] && (slices.Contains(held, i) || slices.Contains(out, i)) }) {
			out = append(out, set[slices.IndexFunc(set, func(i int) bool { return !st.lost[i] })])
		}
	}
	return out
}

// asksMost bounds how often the tenant is asked for the smallest sets of one way.
const asksMost = 1500

// smallestSets finds every smallest set of some losses that is bad, where more of them
// are never better. whole is false where it would take too many questions.
func smallestSets(all []Loss, bad func([]Loss) bool) (sets [][]Loss, whole bool) {
	asks := 0
	isBad := func(set []Loss) bool { asks++; return bad(set) }
	seen := map[string]bool{}
	var without func(spared []Loss)
	without = func(spared []Loss) {
		key := ""
		for _, l := range all {
			key += map[bool]string{true: "1", false: "0"}[slices.Contains(spared, l)]
		}
		if asks > asksMost || seen[key] {
			return
		}
		seen[key] = true
		left := slices.DeleteFunc(slices.Clone(all), func(l Loss) bool { return slices.Contains(spared, l) })
		at := slices.IndexFunc(sets, func(set []Loss) bool {
			return !slices.ContainsFunc(set, func(l Loss) bool { return slices.Contains(spared, l) })
		})
		if at < 0 {
			if !isBad(left) {
				return
			}
			for i := 0; i < len(left); { // what can be left out is
				if less := slices.Delete(slices.Clone(left), i, i+1); isBad(less) {
					left = less
				} else {
					i++
				}
			}
			at, sets = len(sets), append(sets, left)
		}
		for _, l := range sets[at] {
			without(append(slices.Clone(spared), l))
		}
	}
	without(nil)
	return sets, asks <= asksMost
}

// tenant adds the tenant's side to every way.
func (s *Survey) tenant(o *Outlook) {
	for i := range s.accounts {
		a := &s.accounts[i]
		own := s.ownServices(a.Register())
		for _, p := range a.paths {
			if o.Tenant == nil || p.never == Maybe {
				s.untold(p, a.Register(), own, o.Services)
			} else {
				s.told(p, o.Tenant, slices.Concat(own, o.Services))
			}
		}
	}
}

// Register returns the account as the register has it.
func (a *surveyed) Register() register.Account { return a.Account }

// ownServices are the settings of the tenant on which the register says that an
// account rests.
func (s *Survey) ownServices(a register.Account) []Loss {
	var out []Loss
	for _, g := range s.circle.reg.Groups {
		if g.Use == register.GroupExclusion {
			out = append(out, GroupLost(g.ID, g.Name))
		}
	}
	if d, can := domainOf(a); can {
		out = append(out, d, IdPDown)
	}
	return out
}

// GroupLost is the loss of a group.
func GroupLost(id entra.ID, name string) Loss {
	return Loss{LossGroup, id.Key(), cmp.Or(name, string(id))}
}

// PolicyLost is a policy that was changed so that it binds the accounts.
func PolicyLost(id entra.ID, name string) Loss {
	return Loss{LossPolicy, cmp.Or(id.Key(), register.NameKey(name)), cmp.Or(name, string(id))}
}

// untold is a way of which the tenant was not read: the domain that an account is
// named by takes it, the rest may.
func (s *Survey) untold(p *path, a register.Account, own, more []Loss) {
	for _, l := range slices.Concat(own, more) {
		if l.Kind == LossDomain && l.ID != "" {
			p.dies = append(p.dies, s.id(l))
		} else {
			p.may = append(p.may, s.id(l))
		}
	}
	for _, of := range s.circle.reg.Policies {
		if of.Treatment == register.TreatmentExcluded || of.Treatment == register.TreatmentIncluded {
			p.may = append(p.may, s.id(PolicyLost(of.ID, of.Name)))
		}
	}
}

// told asks the tenant about a way. What the tenant lets in after all losses together
// it lets in after each few of them, as Tenant promises.
func (s *Survey) told(p *path, ask Tenant, services []Loss) {
	p.never = ask(p.way, nil)
	if p.never == No {
		return
	}
	var rest, perhaps []Loss
	for _, l := range services {
		switch a := ask(p.way, []Loss{l}); {
		case a == No:
			p.dies = append(p.dies, s.id(l))
		case a == Maybe && p.never == Yes:
			p.may = append(p.may, s.id(l))
			perhaps = append(perhaps, l)
		default:
			s.id(l)
			rest = append(rest, l)
		}
	}
	all := slices.Concat(rest, perhaps)
	shut := len(all) > 1 && ask(p.way, all) == No // what perhaps shuts it out may surely, with another
	doubt := p.never == Yes && len(rest) > 1 && ask(p.way, rest) != Yes
	if !shut && !doubt {
		return
	}
	p.box = &blackBox{among: s.ids(all...)}
	whole := true
	find := func(of []Loss, bad func(Answer) bool) (out [][]int) {
		sets, found := smallestSets(of, func(lost []Loss) bool { return bad(ask(p.way, lost)) })
		for _, set := range sets {
			out = append(out, s.ids(set...))
		}
		whole = whole && found
		return out
	}
	if shut {
		p.box.clauses = find(all, func(a Answer) bool { return a == No })
	}
	if doubt {
		p.box.doubts = find(rest, func(a Answer) bool { return a != Yes })
	}
	if !whole {
		p.box.asked, p.box.ask = map[string]Answer{}, func(lost []Loss) Answer { return ask(p.way, lost) }
	}
}
