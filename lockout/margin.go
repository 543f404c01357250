package lockout

import (
	"maps"
	"slices"
	"strings"

	"halligan/entra"
)

// Event is one elementary mistake or loss, as the vectors spell it:
// removeExclusion POLICY ID, enablePolicy POLICY, deleteGroup ID, disableMethod
// METHOD, revokeAaguid AAGUID, loseSite SITE, loseCustodian NAME,
// loseCredential ID.
type Event []string

// Margin says how many single mistakes an account is away from being no longer
// proved.
type Margin struct {
	// K is the least number of events after which the verdict is not PROVED; 0
	// when it is not PROVED now, -1 when more than Limit events are needed.
	K     int       `json:"k"`
	Limit int       `json:"limit"`
	Sets  [][]Event `json:"sets"` // every set of K events
}

// Independence lists what would take all of several accounts at once.
type Independence struct {
	SinglePoints []Event `json:"singlePointsOfFailure"`
}

const (
	marginLimit = 3
	// maxMarginSets bounds the sets that are listed; a margin that has more is
	// thin in more ways than anybody will read.
	maxMarginSets = 1000
)

// without returns the prover of a world in which events have taken something
// away. Policies keep their compiled conditions.
func (p *Prover) without(events []Event, holdings map[string]Holding) *Prover {
	n := *p
	n.deletedGroups, n.disabledMethods = maps.Clone(p.deletedGroups), maps.Clone(p.disabledMethods)
	n.revokedModels, n.lost = maps.Clone(p.revokedModels), maps.Clone(p.lost)
	for _, e := range events {
		switch e[0] {
		case "deleteGroup":
			n.deletedGroups[entra.ID(e[1]).Key()] = true
		case "disableMethod":
			n.disabledMethods[strings.ToLower(e[1])] = true
		case "revokeAaguid":
			n.revokedModels[strings.ToLower(e[1])] = true
		case "loseCredential":
			n.lost[e[1]] = true
		case "loseSite":
			for id, h := range holdings {
				if h.Site == e[1] {
					n.lost[id] = true
				}
			}
		case "loseCustodian":
			for id, h := range holdings {
				if len(h.Custodians) == 1 && h.Custodians[0] == e[1] {
					n.lost[id] = true
				}
			}
		}
	}
	return &n
}

// losses lists the events that take credentials, methods, models or groups
// away, as far as they touch the account.
func (p *Prover) losses(q *Question) []Event {
	a := p.account(q.Account)
	var out []Event
	add := func(e Event) {
		if !slices.ContainsFunc(out, func(x Event) bool { return slices.Equal(x, e) }) {
			out = append(out, e)
		}
	}
	for _, g := range sortedKeys(a.groups) {
		if p.groupMatters(g) {
			id := g
			if gr := p.groups[g]; gr != nil {
				id = string(gr.ID)
			}
			add(Event{"deleteGroup", id})
		}
	}
	if a.facts != nil {
		for i := range a.facts.Methods {
			m := &a.facts.Methods[i]
			if id := methodPolicyIDs[m.Type]; id != "" {
				add(Event{"disableMethod", id})
			}
			if m.Type == entra.MethodFIDO2 && m.AAGUID != "" {
				add(Event{"revokeAaguid", m.AAGUID})
			}
			add(Event{"loseCredential", string(m.ID)})
			if h, ok := q.Holdings[string(m.ID)]; ok {
				if h.Site != "" {
					add(Event{"loseSite", h.Site})
				}
				for _, c := range h.Custodians {
					add(Event{"loseCustodian", c})
				}
			}
		}
	}
	return out
}

// groupMatters reports whether a policy, a role or a method names the group, or
// a group that holds it.
func (p *Prover) groupMatters(key string) bool {
	for i := range p.view.Policies {
		u := &p.view.Policies[i].Conditions.Users
		if contains(u.IncludeGroups, key) || contains(u.ExcludeGroups, key) {
			return true
		}
	}
	for i := range p.view.RoleAssignments {
		if p.view.RoleAssignments[i].Principal.Key() == key {
			return true
		}
	}
	for i := range p.view.Groups {
		if contains(p.view.Groups[i].Members, key) {
			return true
		}
	}
	if mp := p.view.MethodsPolicy; mp != nil {
		for i := range mp.Methods {
			for _, t := range append(slices.Clone(mp.Methods[i].Include), mp.Methods[i].Exclude...) {
				if t.ID.Key() == key {
					return true
				}
			}
		}
	}
	return false
}

// latent is a policy that does not bind the account now, and the events that
// together would make it.
type latent struct {
	pol    *compiled
	events []Event
	boxes  [][]denial // per option, as if it bound
}

// latents finds the policies that at most limit events would switch on for the
// account, with what they would then deny.
func (p *Prover) latents(q *Question, a *account, cs *compiledSpace, base *problem, limit int) []latent {
	var out []latent
	for i, pol := range p.policies {
		var events []Event
		if pol.enabled.v == no {
			events = append(events, Event{"enablePolicy", string(pol.policy.ID)})
		}
		excluded := false
		for _, r := range p.routes(a, pol, "") {
			if excluded = true; r.Kind != "guest" {
				events = append(events, Event{"removeExclusion", string(pol.policy.ID), r.ID})
			}
		}
		if len(events) == 0 || len(events) > limit || pol.enabled.v == yes && !excluded {
			continue
		}
		as := *pol
		as.enabled, as.dropped = sure(true), idSet{}
		for _, e := range events {
			if e[0] == "removeExclusion" {
				as.dropped[entra.ID(e[2]).Key()] = true
			}
		}
		alone := *p
		alone.policies = slices.Clone(p.policies)
		alone.policies[i] = &as
		pr := alone.build(q, a, cs, true)
		l := latent{pol: pol, events: events}
		some := false
		for _, list := range pr.bad {
			own := slices.DeleteFunc(slices.Clone(list), func(d denial) bool { return pr.causes[d.cause].Source != string(pol.policy.ID) })
			l.boxes = append(l.boxes, own)
			some = some || len(own) > 0
		}
		if some && len(pr.bad) == len(base.bad) {
			out = append(out, l)
		}
	}
	return out
}

// Margin finds the fewest events after which the account is no longer proved.
func (p *Prover) Margin(q Question) (Margin, error) {
	m := Margin{Limit: marginLimit, K: -1}
	failing, err := p.failing(q, 0)
	if err != nil {
		return m, err
	}
	if len(failing) > 0 {
		m.K, m.Sets = 0, [][]Event{{}}
		return m, nil
	}
	for k := 1; k <= marginLimit; k++ {
		sets, err := p.failing(q, k)
		if err != nil {
			return m, err
		}
		if len(sets) > 0 {
			m.K, m.Sets = k, sets
			return m, nil
		}
	}
	return m, nil
}

// failing lists the sets of exactly k events after which the account is not
// proved; it is asked for growing k, so every set it finds is minimal.
func (p *Prover) failing(q Question, k int) ([][]Event, error) {
	cs, err := p.spaceFor(&q)
	if err != nil {
		return nil, err
	}
	var out [][]Event
	seen := map[string]bool{}
	emit := func(events []Event) {
		events = slices.Clone(events)
		slices.SortFunc(events, func(a, b Event) int { return slices.Compare(a, b) })
		var key strings.Builder
		for _, e := range events {
			key.WriteString(strings.Join(e, "\x00") + "\x01")
		}
		if !seen[key.String()] && len(out) < maxMarginSets {
			seen[key.String()] = true
			out = append(out, events)
		}
	}
	for n := 0; n <= k; n++ {
		choose(p.losses(&q), n, func(lost []Event) {
			w := p.without(lost, q.Holdings)
			a := w.account(q.Account)
			base := w.build(&q, a, cs, true)
			if n == k {
				if _, denied := newInstance(cs.space, base.bad).find(); denied {
					emit(lost)
				}
				return
			}
			w.activations(&q, a, cs, base, k-n, func(events []Event) { emit(append(slices.Clone(lost), events...)) })
		})
	}
	slices.SortFunc(out, compareSets)
	return out, nil
}

func compareSets(a, b []Event) int {
	return slices.CompareFunc(a, b, func(x, y Event) int { return slices.Compare(x, y) })
}

// activations hands over every set of exactly n events that switch policies on
// and after which some point is denied.
func (p *Prover) activations(q *Question, a *account, cs *compiledSpace, base *problem, n int, f func([]Event)) {
	list := p.latents(q, a, cs, base, n)
	var pick func(from, left int, bad [][]denial, events []Event)
	pick = func(from, left int, bad [][]denial, events []Event) {
		for i := from; i < len(list); i++ {
			l := &list[i]
			if len(l.events) > left {
				continue
			}
			joined := make([][]denial, len(bad))
			for o := range bad {
				joined[o] = append(slices.Clone(bad[o]), l.boxes[o]...)
			}
			all := append(slices.Clone(events), l.events...)
			if len(l.events) == left {
				if _, denied := newInstance(cs.space, joined).find(); denied {
					f(all)
				}
				continue
			}
			if len(bad) > 1 { // with one option a single policy decides
				pick(i+1, left-len(l.events), joined, all)
			}
		}
	}
	pick(0, n, base.bad, nil)
}

func choose(events []Event, n int, f func([]Event)) {
	var rec func(from int, have []Event)
	rec = func(from int, have []Event) {
		if len(have) == n {
			f(have)
			return
		}
		for i := from; i < len(events); i++ {
			rec(i+1, append(have[:len(have):len(have)], events[i]))
		}
	}
	rec(0, nil)
}

// Independence lists the single events after which none of several accounts is
// proved.
func (p *Prover) Independence(qs []Question) (Independence, error) {
	var all []Event
	add := func(e Event) {
		if !slices.ContainsFunc(all, func(x Event) bool { return slices.Equal(x, e) }) {
			all = append(all, e)
		}
	}
	for i := range qs {
		for _, e := range p.losses(&qs[i]) {
			add(e)
		}
		a := p.account(qs[i].Account)
		for _, pol := range p.policies {
			if pol.enabled.v == no {
				add(Event{"enablePolicy", string(pol.policy.ID)})
			}
			for _, r := range p.routes(a, pol, "") {
				if r.Kind != "guest" {
					add(Event{"removeExclusion", string(pol.policy.ID), r.ID})
				}
			}
		}
	}
	var out Independence
	for _, e := range all {
		fails := 0
		for i := range qs {
			proved, err := p.provedAfter(&qs[i], e)
			if err != nil {
				return out, err
			}
			if proved {
				break
			}
			fails++
		}
		if fails == len(qs) {
			out.SinglePoints = append(out.SinglePoints, e)
		}
	}
	slices.SortFunc(out.SinglePoints, func(a, b Event) int { return slices.Compare(a, b) })
	return out, nil
}

// provedAfter judges one account after one event.
func (p *Prover) provedAfter(q *Question, e Event) (bool, error) {
	cs, err := p.spaceFor(q)
	if err != nil {
		return false, err
	}
	w := p.without([]Event{e}, q.Holdings)
	w.policies = slices.Clone(p.policies)
	for i, pol := range p.policies {
		if len(e) < 2 || string(pol.policy.ID) != e[1] {
			continue
		}
		switch e[0] {
		case "enablePolicy":
			as := *pol
			as.enabled = sure(true)
			w.policies[i] = &as
		case "removeExclusion":
			as := *pol
			as.dropped = idSet{entra.ID(e[2]).Key(): true}
			w.policies[i] = &as
		}
	}
	pr := w.build(q, w.account(q.Account), cs, true)
	_, denied := newInstance(cs.space, pr.bad).find()
	return !denied, nil
}
