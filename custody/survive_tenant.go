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
	asked map[string]Answer
	ask   func(lost []Loss) Answer
}

// answer says whether the tenant lets the way in.
func (b *blackBox) answer(s *Survey, lost []bool) Answer {
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
	switch {
	case len(all) > 1 && ask(p.way, all) == No: // what perhaps shuts it out may surely, with another
	case len(rest) > 1 && ask(p.way, rest) != p.never:
		all = rest
	default:
		return
	}
	p.box = &blackBox{among: s.ids(all...), asked: map[string]Answer{}, ask: func(lost []Loss) Answer { return ask(p.way, lost) }}
}
