package lockout

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"halligan/entra"
)

// maxLeaves bounds the cover of a certificate.
const maxLeaves = 20000

// certLeaf is a leaf before it is written.
type certLeaf struct {
	region box
	option int
}

// certify writes the proof of a problem in which no point is denied by every
// option.
func (p *Prover) certify(q *Question, a *account, pr *problem) (*Certificate, error) {
	sp := pr.cs.space
	leaves, err := pr.cover()
	if err != nil {
		return nil, err
	}
	c := &Certificate{Schema: CertificateSchema, Snapshot: p.snap.Digest(), Account: a.id, Goal: q.Goal, Now: q.Now, Supposing: p.view.Supposed}
	for i := range sp.dims {
		if d := &sp.dims[i]; !d.exists {
			c.Dimensions = append(c.Dimensions, CertDimension{d.name, d.values, d.devices})
		}
	}
	used := map[int]int{}
	for _, l := range leaves {
		if _, ok := used[l.option]; !ok {
			used[l.option] = len(c.Options)
			c.Options = append(c.Options, p.optionOf(pr, l.option))
		}
		c.Leaves = append(c.Leaves, Leaf{Region: pr.region(l.region), Option: used[l.option]})
	}
	shared := map[sharedLine]bool{}
	for i := range leaves {
		if err := p.certLeaf(c, q, a, pr, &leaves[i], i, shared); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// cover splits the forall space into boxes with an option that denies nothing
// in them.
func (pr *problem) cover() ([]certLeaf, error) {
	sp := pr.cs.space
	var out []certLeaf
	var split func(region box) error
	split = func(region box) error {
		if len(out) > maxLeaves {
			return fmt.Errorf("certificate: more than %d leaves", maxLeaves)
		}
		best, bestN, bestBox := -1, 0, box(nil)
		for o := range pr.bad {
			n, first := 0, box(nil)
			for i := range pr.bad[o] {
				if sp.meets(region, pr.bad[o][i].box) {
					if n++; first == nil {
						first = pr.bad[o][i].box
					}
				}
			}
			if n == 0 {
				out = append(out, certLeaf{region, o})
				return nil
			}
			if best < 0 || n < bestN {
				best, bestN, bestBox = o, n, first
			}
		}
		// Cut along a dimension in which the box, or else any denial, leaves
		// something of the region over; there is one, or every option would be
		// denied throughout.
		in, over, ok := sp.cut(region, bestBox)
		for o := 0; !ok && o < len(pr.bad); o++ {
			for i := 0; !ok && i < len(pr.bad[o]); i++ {
				in, over, ok = sp.cut(region, pr.bad[o][i].box)
			}
		}
		if !ok {
			return fmt.Errorf("certificate: a region is denied by every option")
		}
		if err := split(over); err != nil {
			return err
		}
		return split(in)
	}
	if err := split(sp.clone(sp.full)); err != nil {
		return nil, err
	}
	return out, nil
}

// region writes a box as the values of its restricted forall dimensions.
func (pr *problem) region(b box) map[Dimension][]string {
	sp := pr.cs.space
	out := map[Dimension][]string{}
	for i := range sp.dims {
		d := &sp.dims[i]
		if d.exists || sp.isFull(b, i) {
			continue
		}
		in := []string{}
		for v := range d.values {
			if sp.has(b, i, v) {
				in = append(in, d.values[v])
			}
		}
		out[d.name] = in
	}
	return out
}

// sharedLine tells lines that hold in every leaf apart.
type sharedLine struct {
	stage  string
	policy int
	role   entra.ID
	reason string
}

// certLeaf writes the lines of one leaf. Lines that hold in every leaf are
// written once, with leaf -1.
func (p *Prover) certLeaf(c *Certificate, q *Question, a *account, pr *problem, l *certLeaf, index int, shared map[sharedLine]bool) error {
	o := &pr.options[l.option]
	w := &denialWriter{p: p, pr: pr, q: q, a: a, o: o}
	single := len(c.Leaves) == 1
	stages := p.stages(q, a, o.role)
	c.Lines = slices.Grow(c.Lines, len(stages)*len(p.policies))
	for _, st := range stages {
		for _, pol := range p.policies {
			line, general := p.certLine(w, pr, &st, pol, l)
			if line == nil {
				return fmt.Errorf("certificate: no reason found why policy %q lets the account in (stage %s); please report this", pol.policy.Label(), st.name)
			}
			line.Leaf = index
			if general || single {
				key := sharedLine{st.name, pol.index, st.extra, line.Reason}
				if shared[key] {
					continue
				}
				shared[key] = true
				line.Leaf = -1
			}
			c.Lines = append(c.Lines, *line)
		}
	}
	m := p.someMoment(w, l.region)
	for i := range gates {
		reason, creds, comb, detail := gates[i].pass(w, m)
		g := CertGate{Gate: gates[i].name, Leaf: index, Reason: reason, Credentials: creds, Combination: comb, Detail: detail}
		if single {
			g.Leaf = -1
		}
		c.Gates = append(c.Gates, g)
	}
	return nil
}

// someMoment returns the first moment of a region.
func (p *Prover) someMoment(w *denialWriter, region box) *moment {
	var out moment
	found := false
	w.momentsOf([]Dimension{DimPlatform, DimDevice, DimClientApp, DimFlow, DimSmartLockout}, func(m *moment, part box) {
		if !found && w.pr.cs.meets(part, region) {
			out, found = *m, true
		}
	})
	return &out
}

// certLine finds the reason why a policy does not deny in a leaf; general says
// that the reason has nothing to do with the leaf.
func (p *Prover) certLine(w *denialWriter, pr *problem, st *stage, pol *compiled, l *certLeaf) (line *CertLine, general bool) {
	line = &CertLine{Policy: string(pol.policy.ID), Stage: st.name}
	quiet := !pol.gps && !pol.policy.Session.DisableResilienceDefaults
	if pol.enabled.v == no && quiet {
		line.Reason, line.State = ReasonNotEnabled, string(pol.policy.State)
		return line, true
	}
	inc, exc := p.usersMatch(w.a, pol, st.extra)
	anybody := w.activeSync(pol)
	if inc.v == no && !pol.namesGroupsOrRoles() && !anybody {
		line.Reason = ReasonUserNotIncluded
		return line, true
	}
	if p.targets(pol, st).v == no {
		line.Reason = ReasonTarget
		return line, true
	}
	if exc.v == yes && !pol.policy.Session.DisableResilienceDefaults && !anybody {
		if r := p.surestRoute(w.a, pol, st.extra); r != nil {
			line.Reason, line.Route = ReasonExcluded, r
			return line, true
		}
	}
	if pol.enabled.v == no {
		line.Reason, line.State = ReasonNotEnabled, string(pol.policy.State)
		return line, true
	}
	if cond := p.disjoint(w, pr, pol, l); cond != "" {
		line.Reason, line.Condition = ReasonDisjoint, cond
		return line, false
	}
	if exc.v == yes && !anybody {
		if r := p.surestRoute(w.a, pol, st.extra); r != nil {
			line.Reason, line.Route = ReasonExcluded, r
			return line, true
		}
	}
	if inc.v == no && !anybody {
		line.Reason = ReasonUserNotIncluded
		return line, true
	}
	items, ok := p.certItems(w, pr, st, pol, l)
	if !ok {
		return nil, false
	}
	line.Reason, line.Items = ReasonSatisfied, items
	return line, false
}

// surestRoute returns the exclusion route that is easiest to check: user, then
// group, role, guest.
func (p *Prover) surestRoute(a *account, pol *compiled, extra entra.ID) *Route {
	routes := p.routes(a, pol, extra)
	if len(routes) == 0 {
		return nil
	}
	return &routes[0]
}

// routes lists every exclusion route that surely holds.
func (p *Prover) routes(a *account, pol *compiled, extra entra.ID) []Route {
	u := &pol.policy.Conditions.Users
	var out []Route
	for _, id := range u.ExcludeUsers {
		if k := id.Key(); !pol.dropped[k] && (k == a.key || a.name != "" && k == strings.ToLower(a.name) || k == "all") {
			out = append(out, Route{Kind: "user", ID: string(id), Name: a.name})
		}
	}
	for _, id := range u.ExcludeGroups {
		if !pol.dropped[id.Key()] && p.memberOf(a, id).v == yes {
			name := ""
			if g := p.groups[id.Key()]; g != nil {
				name = g.DisplayName
			}
			out = append(out, Route{Kind: "group", ID: string(id), Name: name})
		}
	}
	for _, id := range u.ExcludeRoles {
		if !pol.dropped[id.Key()] && p.holdsRole(a, id, extra).v == yes {
			out = append(out, Route{Kind: "role", ID: string(id), Name: roleName(id)})
		}
	}
	if u.ExcludeGuests != nil && hasGuestType(u.ExcludeGuests, entra.GuestInternal) && u.ExcludeGuests.AllTenants && a.guest.v == yes ||
		contains(u.ExcludeUsers, "GuestsOrExternalUsers") && a.guest.v == yes {
		out = append(out, Route{Kind: "guest", ID: "internalGuest"})
	}
	return out
}

// conditionNames are the conditions of a policy by the dimension they read.
var conditionNames = []struct {
	dim  Dimension
	name string
}{
	{DimPlatform, "platforms"}, {DimDevice, "devices"}, {DimSignInRisk, "signInRisk"}, {DimUserRisk, "userRisk"},
	{DimInsiderRisk, "insiderRisk"}, {DimClientApp, "clientAppTypes"}, {DimFlow, "authenticationFlows"},
}

// disjoint names a condition of the policy that matches no sign-in of the leaf.
func (p *Prover) disjoint(w *denialWriter, pr *problem, pol *compiled, l *certLeaf) string {
	sp := pr.cs.space
	raw := pr.cs.raw[pol.index]
	for _, c := range conditionNames {
		i := sp.at(c.dim)
		if class := w.o.classes[i]; class >= 0 {
			if !sp.has(raw, i, class) {
				return c.name
			}
			continue
		}
		if !meet(sp.seg(raw, i), sp.seg(l.region, i)) {
			return c.name
		}
	}
	if pol.locInclude == nil || pol.gps {
		return ""
	}
	for _, b := range pr.cs.cond[1][pol.index] {
		if pb := w.project(b); pb != nil && sp.meets(pb, l.region) {
			return ""
		}
	}
	return "locations"
}

// certItems gathers what satisfies the policy wherever it applies in a leaf.
func (p *Prover) certItems(w *denialWriter, pr *problem, st *stage, pol *compiled, l *certLeaf) (items []CertItem, ok bool) {
	ok = true
	seen := map[string]bool{}
	w.moments(pol, func(m *moment, part box) {
		applies := false
		for _, b := range pr.cs.cond[1][pol.index] {
			if pb := w.project(b); pb != nil {
				both := pr.cs.clone(pb)
				applies = applies || pr.cs.and(both, pb, part) && pr.cs.meets(both, l.region)
			}
		}
		if !applies {
			return
		}
		for _, it := range p.items(w.a, pol, w.o.kit, m, w.q.Now) {
			if it.met.v == yes && !seen[it.control] {
				seen[it.control] = true
				items = append(items, it.cert)
			}
		}
		fails := p.denials(w.a, pol, st, w.o.kit, m, w.q.Now, true)
		if len(fails) == 0 {
			return
		}
		by := p.supersededBy(w, st, pol)
		if by == "" {
			return // denied only outside the leaf: the network or another condition says so
		}
		for _, f := range fails {
			if !seen[f.control] {
				seen[f.control] = true
				items = append(items, CertItem{Control: f.control, By: by})
			}
		}
	})
	return items, ok
}

// supersededBy names the policy on whose account a control is dropped.
func (p *Prover) supersededBy(w *denialWriter, st *stage, pol *compiled) string {
	for _, s := range p.scope(w.a, st, true) {
		x := s.pol
		if x == pol || !s.surely(false) {
			continue
		}
		if slices.Contains(pol.policy.Grant.Controls, entra.ControlPasswordChange) && slices.Contains(x.policy.Grant.Controls, entra.ControlRiskRemediation) ||
			st.kind == stageUserAction && pol.strength != nil && len(pol.actions) == 0 && x.strength != nil && len(x.actions) > 0 {
			return string(x.policy.ID)
		}
	}
	return ""
}

// sortedKeys returns the keys of a map in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
