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

// Step is one evaluation of Conditional Access on the way to a goal. The zero
// value is the request for the goal's resources.
type Step struct {
	Action    string     // the performance of a user action: urn:user:registersecurityinfo
	Audiences []entra.ID // of the action
	Context   string     // stepping up for an authentication context: c1
}

// Applier says which policies apply to single sign-ins of one question: the same
// conditions by which Prove judges all of them, for comparing with somebody else's
// answer. It is not safe for concurrent use.
type Applier struct {
	p     *Prover
	q     Question
	a     *account
	cs    *compiledSpace
	scope [2][]scoped // adverse last, as in compiledSpace
	whole [2]*problem // made when first asked for
}

// Applier prepares a question. Only the sign-in to the goal is looked at, not
// what follows it.
func (p *Prover) Applier(q Question) (*Applier, error) { return p.ApplierOf(q, Step{}) }

// ApplierOf prepares a question; which policies apply is asked of one step of it.
func (p *Prover) ApplierOf(q Question, step Step) (*Applier, error) {
	cs, err := p.spaceFor(&q)
	if err != nil {
		return nil, err
	}
	a := p.account(q.Account)
	out := &Applier{p: p, q: q, a: a, cs: cs}
	st := p.stages(&q, a, "")[0]
	switch {
	case step.Action != "":
		st = stage{name: "userAction", kind: stageUserAction, action: step.Action, audiences: step.Audiences}
	case step.Context != "":
		st = stage{name: "stepUp", kind: stageContext, context: step.Context}
	}
	for r, adverse := range []bool{false, true} {
		out.scope[r] = p.scope(a, &st, adverse)
	}
	return out, nil
}

// Denied is Prover.At for many points of one question: whether a point is denied
// on the adverse and on the favourable reading, by any step.
func (x *Applier) Denied(at map[Dimension]string) (adverse, favourable bool, err error) {
	point, err := x.p.pointOf(x.cs, at)
	if err != nil {
		return false, false, err
	}
	for r := range x.whole {
		if x.whole[r] == nil {
			x.whole[r] = x.p.build(&x.q, x.a, x.cs, r == 1)
		}
	}
	return x.whole[1].denies(point), x.whole[0].denies(point), nil
}

// denies reports whether every option has a denial that holds the point.
func (pr *problem) denies(point []int) bool {
	return !slices.ContainsFunc(pr.bad, func(list []denial) bool {
		return !slices.ContainsFunc(list, func(d denial) bool { return holds(pr.cs.space, d.box, point) })
	})
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
