package lockout

import (
	"slices"

	"halligan/entra"
)

// Applicability is whether one enabled policy applies to a sign-in: surely, or
// only when what is not known turns out against the account.
type Applicability struct {
	Policy           entra.ID
	Name             string
	Surely, Possibly bool
}

// Applier says which policies apply to single sign-ins of one question: the same
// conditions by which Prove judges all of them, for comparing with somebody else's
// answer. It is not safe for concurrent use.
type Applier struct {
	p     *Prover
	cs    *compiledSpace
	scope [2][]scoped // adverse last, as in compiledSpace
}

// Applier prepares a question. Only the sign-in to the goal is looked at, not
// what follows it.
func (p *Prover) Applier(q Question) (*Applier, error) {
	cs, err := p.spaceFor(&q)
	if err != nil {
		return nil, err
	}
	a := p.account(q.Account)
	out := &Applier{p: p, cs: cs}
	signIn := p.stages(&q, a, "")[0]
	for r, adverse := range []bool{false, true} {
		out.scope[r] = p.scope(a, &signIn, adverse)
	}
	return out, nil
}

// Values lists the values that a dimension of the question has.
func (x *Applier) Values(d Dimension) []string {
	if i := x.cs.at(d); i >= 0 {
		return slices.Clone(x.cs.dims[i].values)
	}
	return nil
}

// At returns every enabled policy and whether it applies at a point. Dimensions
// that are not named take their first value.
func (x *Applier) At(at map[Dimension]string) ([]Applicability, error) {
	point, err := x.p.pointOf(x.cs, at)
	if err != nil {
		return nil, err
	}
	var out []Applicability
	for _, pol := range x.p.policies {
		if pol.enabled.v == no {
			continue
		}
		out = append(out, Applicability{Policy: pol.policy.ID, Name: pol.policy.DisplayName,
			Surely: x.applies(0, pol, point), Possibly: x.applies(1, pol, point)})
	}
	return out, nil
}

func (x *Applier) applies(r int, pol *compiled, point []int) bool {
	i := slices.IndexFunc(x.scope[r], func(s scoped) bool { return s.pol == pol })
	if i < 0 {
		return false
	}
	s := &x.scope[r][i]
	if !s.apply {
		// Whether exclusions hold for Exchange ActiveSync policies on all users is
		// not documented.
		eas := x.cs.at(DimClientApp)
		return r == 1 && pol.activeSyncForAll() && x.cs.dims[eas].values[point[eas]] == string(entra.ClientEAS) && s.aim.may(true)
	}
	return slices.ContainsFunc(x.cs.cond[r][pol.index], func(b box) bool {
		for d := range point { // those that the operator chooses too: here they are chosen
			if !x.cs.has(b, d, point[d]) {
				return false
			}
		}
		return true
	})
}
