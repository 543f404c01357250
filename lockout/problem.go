package lockout

import (
	"slices"
	"strings"

	"halligan/entra"
)

// denial is a box of sign-ins that one option of the operator cannot pass, and
// the cause. The exists dimensions of the box are full: an option fixes them.
type denial struct {
	box   box
	cause int // index into problem.causes
	why   []int
}

// option is one choice of the operator: a class for each exists dimension, a
// kit, and the eligible role to activate (recover goals).
type option struct {
	classes []int // per dimension; -1 forall
	kit     *kit
	role    entra.ID
}

// problem is a question compiled for one reading: the account is denied at a
// point iff every option has a denial that holds the point.
type problem struct {
	cs      *compiledSpace
	adverse bool
	options []option
	bad     [][]denial
	causes  []Cause
	causeAt map[causeKey]int
}

// causeKey is the comparable part of a Cause.
type causeKey struct{ source, name, control, stage string }

func (pr *problem) cause(source, name, control, stage string) int {
	k := causeKey{source, name, control, stage}
	if i, ok := pr.causeAt[k]; ok {
		return i
	}
	pr.causeAt[k] = len(pr.causes)
	pr.causes = append(pr.causes, Cause{Source: source, Name: name, Control: control, Stage: stage})
	return len(pr.causes) - 1
}

// scoped is a policy that may apply to the account in a stage.
type scoped struct {
	pol   *compiled
	in    ans // includes the account and the target, exclusion aside
	out   ans // excluded
	aim   ans // the target alone
	why   []int
	apply bool // on the reading at hand, exclusion considered
}

// build compiles a question for one reading.
func (p *Prover) build(q *Question, a *account, cs *compiledSpace, adverse bool) *problem {
	pr := &problem{cs: cs, adverse: adverse, causeAt: map[causeKey]int{}}
	roles := []entra.ID{""}
	if q.Goal.Recover {
		roles = p.roleChoices(a)
	}
	kits := p.kits(a, adverse, q.Now)
	for _, role := range roles {
		stages := p.stages(q, a, role)
		var inScope [][]scoped
		for i := range stages {
			inScope = append(inScope, p.scope(a, &stages[i], adverse))
		}
		for _, classes := range existsChoices(cs.space) {
			for _, k := range kits {
				o := option{classes: classes, kit: k, role: role}
				pr.options = append(pr.options, o)
				pr.bad = append(pr.bad, p.optionDenials(pr, q, a, &o, stages, inScope))
			}
		}
	}
	if p.fault(faultLastOptionOnly) {
		pr.options, pr.bad = pr.options[len(pr.options)-1:], pr.bad[len(pr.bad)-1:]
	}
	return pr
}

// existsChoices lists every combination of classes of the exists dimensions.
func existsChoices(sp *space) [][]int {
	start := make([]int, len(sp.dims))
	for i := range start {
		start[i] = -1
	}
	out := [][]int{start}
	for i := range sp.dims {
		if !sp.dims[i].exists {
			continue
		}
		var next [][]int
		for _, c := range out {
			for v := range sp.dims[i].values {
				n := slices.Clone(c)
				n[i] = v
				next = append(next, n)
			}
		}
		out = next
	}
	return out
}

// stages lists the evaluations of Conditional Access on the way to the goal,
// all at the same point with the same kit.
func (p *Prover) stages(q *Question, a *account, role entra.ID) []stage {
	g := &q.Goal
	out := []stage{{name: "signIn", audiences: g.Audiences, lowPriv: g.LowPrivOnly}}
	if g.Stage != nil {
		out = append(out, stage{name: "userAction", kind: stageUserAction, action: g.Stage.Action, audiences: g.Stage.Audiences})
	}
	if !g.Recover {
		return out
	}
	if role != "" {
		if rp := p.rolePolicy(role); rp != nil && rp.AuthContext != "" {
			out = append(out, stage{name: "activation", kind: stageContext, context: rp.AuthContext})
		}
		if !p.fault(faultActivationKeepsOldRoles) {
			out = append(out, stage{name: "signInWithRole", audiences: g.Audiences, lowPriv: g.LowPrivOnly, extra: role})
		}
	}
	if ctx := p.protectedBy(actionUpdate); ctx != "" && !p.fault(faultProtectedActionIgnored) {
		out = append(out, stage{name: "stepUp", kind: stageContext, context: ctx, extra: role})
	}
	return out
}

// scope selects the policies that the reading lets apply to the account in a
// stage.
func (p *Prover) scope(a *account, st *stage, adverse bool) []scoped {
	var out []scoped
	for _, pol := range p.policies {
		on := pol.enabled
		if !on.may(true) && !pol.gps && !pol.policy.Session.DisableResilienceDefaults {
			continue
		}
		t := p.targets(pol, st)
		if p.fault(faultUserActionMatchesResource) && st.kind == stageResource && len(pol.actions) > 0 ||
			p.fault(faultContextMatchesResource) && st.kind == stageResource && len(pol.contexts) > 0 {
			t = sure(true)
		}
		if t.v == no {
			continue
		}
		inc, exc := p.usersMatch(a, pol, st.extra)
		if inc.v == no && !pol.namesGroupsOrRoles() && !pol.activeSyncForAll() {
			continue
		}
		all := on.and(inc).and(exc.not()).and(t)
		s := scoped{pol: pol, in: inc.and(t), out: exc, aim: t, apply: all.may(adverse)}
		if all.v == unknown {
			s.why = all.why
		}
		out = append(out, s)
	}
	return out
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// optionDenials collects everything that denies one option.
func (p *Prover) optionDenials(pr *problem, q *Question, a *account, o *option, stages []stage, inScope [][]scoped) []denial {
	w := &denialWriter{p: p, pr: pr, q: q, a: a, o: o}
	w.gates()
	for i := range stages {
		w.stage(&stages[i], inScope[i])
	}
	return w.out
}

// denialWriter collects the denials of one option.
type denialWriter struct {
	p   *Prover
	pr  *problem
	q   *Question
	a   *account
	o   *option
	out []denial
}

// add projects a box on the option and keeps it unless it is empty.
func (w *denialWriter) add(b box, cause int, why []int) {
	if pb := w.project(b); pb != nil {
		w.out = append(w.out, denial{pb, cause, why})
	}
}

func (w *denialWriter) project(b box) box {
	sp := w.pr.cs.space
	for i, c := range w.o.classes {
		if c >= 0 && !sp.has(b, i, c) {
			return nil
		}
	}
	pb := sp.clone(b)
	for i, c := range w.o.classes {
		if c >= 0 {
			sp.fill(pb, i)
		}
	}
	if sp.empty(pb) {
		return nil
	}
	return pb
}

// stage adds what the policies in scope deny.
func (w *denialWriter) stage(st *stage, list []scoped) {
	r := b2i(w.pr.adverse)
	for i := range list {
		s := &list[i]
		pol := s.pol
		apply := s.apply
		why := s.why
		if !apply && w.activeSync(pol) {
			hit := pol.enabled.and(s.aim)
			if s.out.v != no {
				hit = hit.and(w.p.unknowns.open(Unknown{ID: "eas-all-users", Subject: string(pol.policy.ID),
					What: "whether exclusions hold for Exchange ActiveSync policies on all users is not documented", Settle: "do not rely on an ActiveSync client"}))
			}
			if hit.may(w.pr.adverse) {
				w.policy(st, pol, w.activeSyncOnly(w.pr.cs.cond[r][pol.index]), join(hit.why, w.pr.cs.condWhy[r][pol.index]), list)
			}
		}
		if apply {
			w.policy(st, pol, w.pr.cs.cond[r][pol.index], join(why, w.pr.cs.condWhy[r][pol.index]), list)
			w.strictLocation(st, s, list, why)
		}
		if pol.gps && w.pr.adverse {
			w.gpsPrompt(st, s)
		}
		if pol.policy.Session.DisableResilienceDefaults && !w.p.fault(faultOutageIgnored) {
			w.resilience(st, s)
		}
	}
}

// activeSyncForAll: Exchange ActiveSync policies assigned to all users, guests or
// roles "cause all users to be subject of the policy".
func (c *compiled) activeSyncForAll() bool {
	u := &c.policy.Conditions.Users
	return contains(c.policy.Conditions.ClientAppTypes, string(entra.ClientEAS)) && (len(u.IncludeRoles) > 0 || u.IncludeGuests != nil ||
		contains(u.IncludeUsers, "All") || contains(u.IncludeUsers, "GuestsOrExternalUsers"))
}

// activeSync reports whether the option can be a sign-in by Exchange ActiveSync
// to which such a policy applies.
func (w *denialWriter) activeSync(pol *compiled) bool {
	at := w.pr.cs.at(DimClientApp)
	eas := w.pr.cs.dims[at].index(string(entra.ClientEAS))
	c := w.o.classes[at]
	return eas >= 0 && (c < 0 || c == eas) && pol.activeSyncForAll()
}

// activeSyncOnly narrows boxes to sign-ins by Exchange ActiveSync.
func (w *denialWriter) activeSyncOnly(boxes []box) []box {
	sp := w.pr.cs.space
	at := sp.at(DimClientApp)
	only := sp.clone(sp.full)
	sp.clear(only, at)
	sp.set(only, at, sp.dims[at].index(string(entra.ClientEAS)))
	var out []box
	for _, b := range boxes {
		if nb := sp.clone(b); sp.and(nb, b, only) {
			out = append(out, nb)
		}
	}
	return out
}

// policy adds the boxes in which a policy applies and is not satisfied.
func (w *denialWriter) policy(st *stage, pol *compiled, boxes []box, why []int, list []scoped) {
	if len(boxes) == 0 {
		return
	}
	stands := slices.ContainsFunc(boxes, func(b box) bool { return w.project(b) != nil })
	if !stands {
		return
	}
	w.moments(pol, func(m *moment, part box) {
		fails := w.p.denials(w.a, pol, st, w.o.kit, m, w.q.Now, w.pr.adverse)
		if len(fails) == 0 {
			return
		}
		over := w.superseders(st, pol, m, fails, list)
		for _, b := range boxes {
			nb := w.pr.cs.clone(b)
			if !w.pr.cs.and(nb, b, part) {
				continue
			}
			for _, piece := range w.pr.cs.subtractAll(nb, over) {
				for _, f := range fails {
					w.add(piece, w.pr.cause(string(pol.policy.ID), pol.policy.DisplayName, f.control, st.name), join(why, f.why))
				}
			}
		}
	})
}

// superseders returns the boxes in which the failing control is dropped: a
// password change where a risk remediation policy applies, and a strength of a
// policy for all resources where a strength aimed at the user action applies.
func (w *denialWriter) superseders(st *stage, pol *compiled, m *moment, fails []failure, list []scoped) []box {
	var drop string
	var by func(*compiled) bool
	switch {
	case slices.Contains(pol.policy.Grant.Controls, entra.ControlPasswordChange):
		drop = string(entra.ControlPasswordChange)
		by = func(x *compiled) bool { return slices.Contains(x.policy.Grant.Controls, entra.ControlRiskRemediation) }
	case st.kind == stageUserAction && pol.strength != nil && len(pol.actions) == 0:
		drop = controlStrength
		by = func(x *compiled) bool { return x.strength != nil && len(x.actions) > 0 }
	default:
		return nil
	}
	if !w.satisfiedWithout(st, pol, m, drop) {
		return nil
	}
	// Adversely only what surely applies supersedes; favourably what may.
	r := b2i(!w.pr.adverse)
	var out []box
	for i := range list {
		x := list[i].pol
		if x == pol || !by(x) || !list[i].surely(!w.pr.adverse) {
			continue
		}
		for _, b := range w.pr.cs.cond[r][x.index] {
			if pb := w.project(b); pb != nil {
				out = append(out, b)
			}
		}
	}
	return out
}

// surely reports whether the policy applies to account and target, or, when
// loosely is set, may.
func (s *scoped) surely(loosely bool) bool {
	return s.pol.enabled.and(s.in).and(s.out.not()).may(loosely)
}

// satisfiedWithout judges the policy as if one control were met.
func (w *denialWriter) satisfiedWithout(st *stage, pol *compiled, m *moment, control string) bool {
	items := w.p.items(w.a, pol, w.o.kit, m, w.q.Now)
	failed := 0
	for _, it := range items {
		if it.control == control {
			continue
		}
		if !it.met.may(!w.pr.adverse) {
			failed++
		}
	}
	if failed > 0 && pol.policy.Grant.Operator != entra.OperatorOr {
		return false
	}
	return len(w.p.sessionDenials(w.a, pol, st, w.o.kit, m, w.pr.adverse)) == 0
}

// moments enumerates the forall classes on which the satisfaction of a policy
// can depend, and hands each with the box of its classes.
func (w *denialWriter) moments(pol *compiled, f func(*moment, box)) {
	w.momentsOf(w.p.dependsOn(pol), f)
}

func (w *denialWriter) momentsOf(dep []Dimension, f func(*moment, box)) {
	sp := w.pr.cs.space
	var axes []int
	m := moment{device: &sp.dim(DimDevice).devices[0]}
	set := func(at, v int) {
		value := sp.dims[at].values[v]
		switch sp.dims[at].name {
		case DimPlatform:
			m.platform = entra.Platform(value)
		case DimDevice:
			m.device = &sp.dims[at].devices[v]
		case DimClientApp:
			m.client = entra.ClientAppType(value)
		case DimFlow:
			m.flow = entra.AuthFlow(value)
		case DimSmartLockout:
			m.locked = value == "true" && !w.p.fault(faultSmartLockoutIgnored)
		}
	}
	for _, name := range []Dimension{DimPlatform, DimDevice, DimClientApp, DimFlow, DimSmartLockout} {
		at := sp.at(name)
		c := w.o.classes[at]
		if c < 0 && len(sp.dims[at].values) > 1 && slices.Contains(dep, name) {
			axes = append(axes, at)
			continue
		}
		set(at, max(c, 0))
	}
	part := sp.clone(sp.full)
	var walk func(i int)
	walk = func(i int) {
		if i == len(axes) {
			f(&m, part)
			return
		}
		at := axes[i]
		for v := range sp.dims[at].values {
			sp.clear(part, at)
			sp.set(part, at, v)
			set(at, v)
			walk(i + 1)
		}
		sp.fill(part, at)
	}
	walk(0)
}

// dependsOn lists the dimensions on which the satisfaction of a policy depends.
func (p *Prover) dependsOn(pol *compiled) []Dimension {
	g := &pol.policy.Grant
	dep := []Dimension{DimClientApp, DimSmartLockout}
	device := pol.policy.Session.SecureSignInSession || len(g.TermsOfUse) > 0
	platform := pol.policy.Session.SecureSignInSession
	for _, c := range g.Controls {
		switch c {
		case entra.ControlCompliantDevice:
			device = true
		case entra.ControlDomainJoinedDevice, entra.ControlApprovedApplication, entra.ControlCompliantApplication:
			device, platform = true, true
		}
	}
	if device {
		dep = append(dep, DimDevice, DimFlow)
	}
	if platform {
		dep = append(dep, DimPlatform)
	}
	return dep
}

// strictLocation: a policy with strict location enforcement is evaluated at the
// address that the resource sees too (entra-docs
// concept-continuous-access-evaluation-strict-enforcement). Whether it makes
// resources enforce the locations of other policies is not documented.
func (w *denialWriter) strictLocation(st *stage, s *scoped, list []scoped, why []int) {
	r := b2i(w.pr.adverse)
	if !strings.EqualFold(s.pol.policy.Session.ContinuousAccessEvaluation, "strictLocation") {
		return
	}
	w.policy(st, s.pol, w.pr.cs.resource[r][s.pol.index], join(why, w.pr.cs.condWhy[r][s.pol.index]), list)
	where := w.pr.cs.where[r][s.pol.index]
	if !w.pr.adverse || where == nil {
		return
	}
	for i := range list {
		x := list[i].pol
		if x == s.pol || !list[i].apply {
			continue
		}
		var boxes []box
		for _, b := range w.pr.cs.resource[r][x.index] {
			if nb := w.pr.cs.clone(b); w.pr.cs.and(nb, where, b) {
				boxes = append(boxes, nb)
			}
		}
		w.policy(st, x, boxes, []int{w.p.unknowns.add(Unknown{ID: "strict-location-of-others", Subject: string(x.policy.ID),
			What:   "whether strict location enforcement of one policy makes resources enforce the locations of another is not documented",
			Settle: "exclude the account from the policy with strict enforcement"})}, list)
	}
}

// gpsPrompt: a location by GPS needs Authenticator push; without it the person
// may be blocked, in report-only mode too.
func (w *denialWriter) gpsPrompt(st *stage, s *scoped) {
	k := w.o.kit
	if k.anything || k.has(entra.ModeAuthenticatorPush, false, nil) != nil || s.pol.policy.State == entra.StateDisabled {
		return
	}
	if !s.in.and(s.out.not()).may(true) {
		return
	}
	where := w.pr.cs.where[1][s.pol.index]
	if where == nil {
		return
	}
	why := []int{w.p.unknowns.add(Unknown{ID: "gps-location", Subject: string(s.pol.policy.ID),
		What: "a location by GPS asks the Authenticator app; what happens without it is not documented", Settle: "exclude the account, or use a location by address"})}
	w.add(where, w.pr.cause(string(s.pol.policy.ID), s.pol.policy.DisplayName, controlGPS, st.name), why)
}
