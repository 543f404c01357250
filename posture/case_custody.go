package posture

import (
	"slices"

	"halligan/custody"
	"halligan/entra"
	"halligan/register"
)

// circle is the model of who holds what where.
func (c *Case) circle() *custody.Circle { return custody.CircleOf(c.Register, c.Records.Sets...) }

// holdersOf are the holders of a register and who of its people opens a live sealed set,
// by a key or a share, whatever else they are: only the evidence knows those.
func holdersOf(r *register.Register, sets []custody.SealedSet) []register.Person {
	r = r.Or()
	is := map[string]bool{}
	for _, p := range r.Holders() {
		is[register.NameKey(p.Name)] = true
	}
	for i := range sets {
		for _, h := range sets[i].Holders {
			is[register.NameKey(h.Name)] = is[register.NameKey(h.Name)] || !sets[i].Voided
		}
	}
	return slices.DeleteFunc(slices.Clone(r.People), func(p register.Person) bool { return !is[register.NameKey(p.Name)] })
}

// keepers are holdersOf the case.
func (c *Case) keepers() []register.Person { return holdersOf(c.Register, c.Records.Sets) }

// trial is a loss that an account must survive.
type trial struct {
	name string
	lost []custody.Loss
}

// trials are one place, one key, one person, two people.
func (c *Case) trials() []trial {
	reg, circle := c.Register.Or(), c.circle()
	var out []trial
	for _, p := range reg.Places {
		out = append(out, trial{p.Name, []custody.Loss{custody.PlaceLost(p.Name)}})
	}
	for _, a := range reg.Accounts {
		for i, k := range circle.Keys(a) {
			l := custody.KeyLost(a.ID, k, i)
			out = append(out, trial{l.String(), []custody.Loss{l}})
		}
	}
	people := circle.People()
	for _, p := range people {
		out = append(out, trial{p.Name, []custody.Loss{custody.PersonLost(p.Name)}})
	}
	for i := range people {
		for j := i + 1; j < len(people); j++ {
			out = append(out, trial{people[i].Name + " and " + people[j].Name, []custody.Loss{custody.PersonLost(people[i].Name), custody.PersonLost(people[j].Name)}})
		}
	}
	return out
}

// closed are the registered accounts that open nothing.
func (c *Case) closed() []entra.ID {
	var out []entra.ID
	for _, a := range c.Register.Or().Accounts {
		if u := c.userOf(a.ID); u != nil && (u.Deleted || u.Enabled != nil && !*u.Enabled) {
			out = append(out, a.ID)
		}
	}
	return out
}

// holds reports whether one loss is part of a trial.
func (t *trial) holds(l custody.Loss) bool { return slices.Contains(t.lost, l) }
