package app

import (
	"cmp"
	"fmt"
	"slices"

	"halligan/custody"
	"halligan/register"
)

// alone says who could open an account alone after a change, and could not before: what
// approvers must know of it. It says what is sure by the custody part alone. Managers
// are in the other part, so it knows of persons, and of no line of report.
func alone(before, after []byte) ([]string, error) {
	const most = 12
	old := &register.Register{}
	if before != nil {
		var err error
		if old, err = register.FromCustody(before); err != nil {
			return nil, err
		}
	}
	now, err := register.FromCustody(after)
	if err != nil {
		return nil, err
	}
	was, out := alonesOf(custody.CircleOf(old), old), []string{}
	for _, one := range alonesOf(custody.CircleOf(now), now) {
		if !slices.ContainsFunc(was, func(w opensAlone) bool { return w.same(&one) }) {
			out = append(out, "after this "+one.String())
		}
	}
	if n := len(out) - most; n > 0 {
		out = append(out[:most], fmt.Sprintf("and %d more of this kind: halligan survive", n))
	}
	return out, nil
}

// opensAlone is somebody who surely can open an account alone, or people of one line or
// role who can.
type opensAlone struct {
	account *register.Account
	opening custody.Opening
}

func (o opensAlone) same(other *opensAlone) bool {
	return o.account.ID.Equal(other.account.ID) && slices.EqualFunc(o.opening.People, other.opening.People, register.SamePerson)
}

func (o opensAlone) String() string {
	of := custody.Openings{Certain: []custody.Opening{o.opening}}
	return breach(&of, of.Certain, cmp.Or(o.account.Name, string(o.account.ID)), "")
}

// alonesOf are those of a register, in the order of its accounts.
func alonesOf(c *custody.Circle, r *register.Register) (out []opensAlone) {
	for i := range r.Accounts {
		for _, o := range c.Openings(r.Accounts[i]).Certain {
			if o.Breaks() {
				out = append(out, opensAlone{&r.Accounts[i], o})
			}
		}
	}
	return out
}

// openAlone are the accounts that do not take two people who are independent of each
// other. It is so now; since when, the register does not say.
func (c *clocks) openAlone() {
	const most = 4 // of one account
	told := map[string]int{}
	for _, one := range alonesOf(custody.CircleOf(c.r, c.held.Sets(c.r)...), c.r) {
		if key := one.account.ID.Key(); told[key] < most {
			told[key]++
			c.add(c.today, "look how: halligan survive. Then move a part of it, or hand it over: halligan custody move PART --to PLACE, halligan custody hand-over PART --to NAME", "%s", one)
		}
	}
}
