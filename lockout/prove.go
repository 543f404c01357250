package lockout

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"halligan/entra"
)

// Prove answers one question.
//
// PROVED: for every forall-point there is a choice of the operator and a kit
// under which nothing denies, whatever is not known read against the account.
// LOCKOUT: some point is denied even with everything read in its favour.
// UNDETERMINED: the two readings differ.
func (p *Prover) Prove(q Question) (Verdict, error) {
	cs, err := p.spaceFor(&q)
	if err != nil {
		return Verdict{}, err
	}
	a := p.account(q.Account)
	v := Verdict{Account: a.id, AccountName: a.name, Goal: q.Goal.Name, Supposing: p.view.Supposed, Envelope: envelopeLines(cs.space)}
	adverse := p.build(&q, a, cs, true)
	ain := newInstance(cs.space, adverse.bad)
	point, denied := ain.find()
	switch {
	case ain.over:
		v.Outcome = Undetermined
		v.Unknowns = []Unknown{{ID: "search-limit", What: "the search gave up: the policies interact in more ways than it may try", Settle: "narrow the envelope"}}
	case !denied && p.incomplete():
		v.Outcome = Undetermined
		v.Unknowns = []Unknown{p.incompleteUnknown()}
	case !denied:
		v.Outcome = Proved
		if v.Certificate, err = p.certify(&q, a, adverse); err != nil {
			return Verdict{}, err
		}
	default:
		p.denied(&q, a, cs, adverse, point, &v)
	}
	p.lines(&q, a, adverse, &v)
	p.leans(&q, a, adverse, &v)
	if q.Goal.Recover && v.Outcome != Proved {
		v.Recovery = p.recoveryPaths(&q, a, &v)
	}
	return v, nil
}

// incomplete: an incomplete set of policies is not a Snapshot to prove on.
func (p *Prover) incomplete() bool {
	return !p.read(entra.PartPolicies) || len(p.view.Troubles) > 0
}

func (p *Prover) incompleteUnknown() Unknown {
	u := Unknown{ID: "incomplete-read", What: "not every policy could be read", Settle: "export the policies again, all pages"}
	if p.read(entra.PartPolicies) {
		u.What, u.Settle = "something that was given could not be read, and nobody knows what it was", "export it again"
	}
	if len(p.view.Troubles) > 0 {
		t := p.view.Troubles[0]
		u.What += fmt.Sprintf(": %s", t.What)
		u.Subject = t.File
	}
	return u
}

// denied fills in a verdict when the adverse reading denies a point.
func (p *Prover) denied(q *Question, a *account, cs *compiledSpace, adverse *problem, point []int, v *Verdict) {
	favourable := p.build(q, a, cs, false)
	fin := newInstance(cs.space, favourable.bad)
	if fp, ok := fin.find(); ok {
		v.Outcome = Lockout
		v.Counterexample = p.counterexample(q, favourable, fp)
		v.Also = p.furtherWays(q, favourable, v.Counterexample)
		return
	}
	v.Outcome = Undetermined
	v.Counterexample = p.counterexample(q, adverse, point)
	v.Unknowns = p.unknownsOf(adverse, favourable, v.Counterexample)
}

// maxAlso bounds the further counterexamples of a verdict.
const maxAlso = 20

// furtherWays finds, for every source of denial that no counterexample has
// named yet, the nearest point at which it takes part in a lockout.
func (p *Prover) furtherWays(q *Question, pr *problem, first *Counterexample) []*Counterexample {
	named := map[string]bool{}
	note := func(c *Counterexample) {
		for _, x := range c.Causes {
			named[x.Source] = true
		}
	}
	note(first)
	var out []*Counterexample
	var reduced [][]box
	for _, list := range pr.bad {
		reduced = append(reduced, pr.cs.maximal(boxesOf(list, "", nil)))
	}
	for i := range pr.causes {
		source := pr.causes[i].Source
		if named[source] || len(out) == maxAlso {
			continue
		}
		for o := range pr.bad {
			own := boxesOf(pr.bad[o], source, pr.causes)
			if len(own) == 0 {
				continue
			}
			own = pr.cs.maximal(own)
			in := &instance{sp: pr.cs.space}
			for other, list := range reduced {
				if other == o {
					in.bad = append(in.bad, own)
					continue
				}
				in.bad = append(in.bad, slices.DeleteFunc(slices.Clone(list), func(b box) bool {
					return !slices.ContainsFunc(own, func(x box) bool { return pr.cs.meets(x, b) })
				}))
			}
			if point, ok := in.find(); ok {
				c := p.counterexample(q, pr, point)
				note(c)
				out = append(out, c)
				break
			}
		}
	}
	return out
}

// boxesOf returns the boxes of denials, with source only those of that source.
func boxesOf(list []denial, source string, causes []Cause) []box {
	var out []box
	for i := range list {
		if source == "" || causes[list[i].cause].Source == source {
			out = append(out, list[i].box)
		}
	}
	return out
}

// unknownsOf lists what the verdict turns on: first what the counterexample
// shows, then whatever else makes an adverse denial only possible.
func (p *Prover) unknownsOf(adverse, favourable *problem, c *Counterexample) []Unknown {
	var first, rest []int
	for _, cause := range c.Causes {
		for _, u := range cause.Because {
			first = join(first, []int{p.unknowns.add(u)})
		}
	}
	for _, list := range adverse.bad {
		for i := range list {
			rest = join(rest, list[i].why)
		}
	}
	out := p.unknowns.pick(first)
	for _, u := range p.unknowns.pick(rest) {
		if !slices.Contains(out, u) {
			out = append(out, u)
		}
	}
	return out
}

func envelopeLines(sp *space) []EnvelopeLine {
	var out []EnvelopeLine
	for i := range sp.dims {
		d := &sp.dims[i]
		q := "forall"
		if d.exists {
			q = "exists"
		}
		out = append(out, EnvelopeLine{d.name, q, d.values})
	}
	return out
}

// counterexample tells a denied point: the causes of every option, and the
// largest box around the point that a greedy choice of denials gives.
func (p *Prover) counterexample(q *Question, pr *problem, point []int) *Counterexample {
	sp := pr.cs.space
	c := &Counterexample{Point: map[Dimension]string{}, Box: map[Dimension][]string{}}
	cur := sp.clone(sp.full)
	union := map[causeKey]*Cause{}
	var order []causeKey
	for o := range pr.options {
		od := OptionDenial{Option: p.optionOf(pr, o)}
		best, bestScore := -1, -1
		seen := map[int]int{}
		for i := range pr.bad[o] {
			d := &pr.bad[o][i]
			if !holds(sp, d.box, point) {
				continue
			}
			if at, ok := seen[d.cause]; ok {
				od.Causes[at].Because = p.unknowns.pick(join(p.intern(od.Causes[at].Because), d.why))
			} else {
				seen[d.cause] = len(od.Causes)
				cause := pr.causes[d.cause]
				cause.Because = p.unknowns.pick(d.why)
				od.Causes = append(od.Causes, cause)
			}
			if score := fullness(sp, cur, d.box); score > bestScore {
				best, bestScore = i, score
			}
		}
		if best >= 0 {
			sp.and(cur, cur, pr.bad[o][best].box)
		}
		for i := range od.Causes {
			k := causeKey{od.Causes[i].Source, od.Causes[i].Name, od.Causes[i].Control, od.Causes[i].Stage}
			if union[k] == nil {
				cp := od.Causes[i]
				union[k] = &cp
				order = append(order, k)
			}
		}
		c.Options = append(c.Options, od)
	}
	for _, k := range order {
		c.Causes = append(c.Causes, *union[k])
	}
	rank := func(source string) int {
		return slices.Index([]string{sourceTenant, sourceAccount, sourceService}, source)
	}
	slices.SortStableFunc(c.Causes, func(x, y Cause) int { return rank(x.Source) - rank(y.Source) })
	for i := range sp.dims {
		d := &sp.dims[i]
		if d.exists {
			continue
		}
		c.Point[d.name] = d.values[point[i]]
		if sp.isFull(cur, i) {
			continue
		}
		var in []string
		for v := range d.values {
			if sp.has(cur, i, v) {
				in = append(in, d.values[v])
			}
		}
		c.Box[d.name] = in
	}
	c.Sentence = p.sentence(q, pr, c, cur)
	return c
}

func (p *Prover) intern(us []Unknown) []int {
	var out []int
	for _, u := range us {
		out = append(out, p.unknowns.add(u))
	}
	return out
}

func holds(sp *space, b box, point []int) bool {
	for i := range sp.dims {
		if !sp.dims[i].exists && !sp.has(b, i, point[i]) {
			return false
		}
	}
	return true
}

// fullness counts the dimensions left unrestricted when b is met with cur.
func fullness(sp *space, cur, b box) int {
	n := 0
	for i := range sp.dims {
		a, s, full := sp.seg(cur, i), sp.seg(b, i), sp.seg(sp.full, i)
		same := true
		for w := range a {
			same = same && a[w]&s[w] == full[w]
		}
		if same {
			n++
		}
	}
	return n
}

func (p *Prover) optionOf(pr *problem, o int) Option {
	opt := &pr.options[o]
	out := Option{Choice: map[Dimension]string{}, Kit: opt.kit.ids}
	if out.Kit == nil {
		out.Kit = []string{}
	}
	for i, c := range opt.classes {
		if c >= 0 {
			out.Choice[pr.cs.dims[i].name] = pr.cs.dims[i].values[c]
		}
	}
	if opt.role != "" {
		out.Choice[DimActivate] = string(opt.role)
	}
	return out
}

// At judges one forall-point: whether it is denied on the adverse and on the
// favourable reading, and by what (adverse causes where only that one denies).
// Dimensions that are not named take their first class.
func (p *Prover) At(q Question, at map[Dimension]string) (deniedP, deniedO bool, causes []Cause, err error) {
	cs, err := p.spaceFor(&q)
	if err != nil {
		return false, false, nil, err
	}
	point, err := p.pointOf(cs, at)
	if err != nil {
		return false, false, nil, err
	}
	a := p.account(q.Account)
	var hit [2]*problem
	for r, adverse := range []bool{false, true} {
		pr := p.build(&q, a, cs, adverse)
		if pr.denies(point) {
			hit[r] = pr
		}
	}
	if pr := hit[0]; pr != nil {
		causes = p.counterexample(&q, pr, point).Causes
	} else if pr := hit[1]; pr != nil {
		causes = p.counterexample(&q, pr, point).Causes
	}
	return hit[1] != nil, hit[0] != nil, causes, nil
}

// pointOf finds the classes of a point; dimensions that are not named take their
// first class.
func (p *Prover) pointOf(cs *compiledSpace, at map[Dimension]string) ([]int, error) {
	point := make([]int, len(cs.dims))
	for _, name := range slices.Sorted(maps.Keys(at)) {
		i := cs.at(name)
		if i < 0 {
			return nil, fmt.Errorf("point: there is no dimension %q", name)
		}
		d := &cs.dims[i]
		v, ok := p.canonicalValue(name, d, at[name])
		c := d.index(v)
		if !ok || c < 0 {
			if c = -1; name == DimCountry || name == DimGPSCountry {
				c = d.index(countryOther)
			}
			if c < 0 {
				return nil, fmt.Errorf("point: %q is not a value of dimension %s (it has: %s)", at[name], name, strings.Join(d.values, ", "))
			}
		}
		point[i] = c
	}
	return point, nil
}

// Blast measures how much of the envelope is surely denied, and which share
// each policy alone denies. It costs a count per policy, so Prove leaves it out;
// nil when the space is too large to count.
func (p *Prover) Blast(q Question) (*Blast, error) {
	cs, err := p.spaceFor(&q)
	if err != nil {
		return nil, err
	}
	pr := p.build(&q, p.account(q.Account), cs, false)
	return p.blast(pr, newInstance(cs.space, pr.bad)), nil
}

func (p *Prover) blast(pr *problem, in *instance) *Blast {
	denied, points, ok := in.count()
	if !ok || points == 0 {
		return nil
	}
	b := &Blast{Denied: denied, Points: points, Share: float64(denied) / float64(points)}
	sources := map[string]string{}
	for _, list := range pr.bad {
		for i := range list {
			c := &pr.causes[list[i].cause]
			sources[c.Source] = c.Name
		}
	}
	for _, src := range slices.Sorted(maps.Keys(sources)) {
		var without [][]denial
		for _, list := range pr.bad {
			without = append(without, slices.DeleteFunc(slices.Clone(list), func(d denial) bool { return pr.causes[d.cause].Source == src }))
		}
		rest, _, ok := newInstance(pr.cs.space, without).count()
		if ok && rest < denied {
			b.Only = append(b.Only, BlastShare{src, sources[src], float64(denied-rest) / float64(points)})
		}
	}
	slices.SortStableFunc(b.Only, func(x, y BlastShare) int {
		switch {
		case x.Share > y.Share:
			return -1
		case x.Share < y.Share:
			return 1
		}
		return strings.Compare(x.Policy, y.Policy)
	})
	return b
}
