package lockout

import (
	"slices"

	"halligan/entra"
)

// resilience adds what a policy that disables resilience defaults denies to an
// existing session in an outage (ca-semantics 3.4).
func (w *denialWriter) resilience(st *stage, s *scoped) {
	sp := w.pr.cs.space
	at := sp.at(DimAuthService)
	v := sp.dims[at].index("outageExistingSession")
	if v < 0 || !s.pol.blindInOutage(w.pr.adverse) {
		return
	}
	// Tokens for resources are what the backup service issues; the rest of the
	// way to the goal is not described.
	described := sure(true)
	if st.kind != stageResource {
		described = w.p.unknowns.open(Unknown{ID: "resilience-other-stages", Subject: string(s.pol.policy.ID),
			What: "what a policy without resilience defaults does in an outage to a step-up or a user action is not documented", Settle: "leave resilience defaults on"})
	}
	spared := w.p.sparedInOutage(w.a, s.pol)
	// A group or role is not looked up in an outage: the policy denies in or out
	// of it.
	reached := s.in.or(sure(s.pol.namesGroupsOrRoles()).and(s.aim))
	boxes, why := w.outageBoxes(s.pol)
	hit := s.pol.enabled.and(reached).and(spared.not()).and(described)
	if !hit.may(w.pr.adverse) && w.activeSync(s.pol) {
		survives := spared
		if spared.v == yes {
			survives = w.p.unknowns.open(Unknown{ID: "eas-all-users", Subject: string(s.pol.policy.ID),
				What: "whether exclusions hold for Exchange ActiveSync policies on all users is not documented", Settle: "do not rely on an ActiveSync client"})
		}
		hit = s.pol.enabled.and(s.aim).and(survives.not()).and(described)
		boxes = w.activeSyncOnly(boxes)
	}
	if !hit.may(w.pr.adverse) || len(boxes) == 0 {
		return
	}
	if hit.v == unknown {
		why = join(hit.why, why)
	}
	w.moments(s.pol, func(m *moment, part box) {
		if w.satisfiedAtStart(s.pol, m) {
			return
		}
		for _, b := range boxes {
			nb := sp.clone(b)
			sp.clear(nb, at)
			sp.set(nb, at, v)
			if !sp.and(nb, nb, part) {
				continue
			}
			w.add(nb, w.pr.cause(string(s.pol.policy.ID), s.pol.policy.DisplayName, controlResilience, st.name), why)
		}
	})
}

// sparedInOutage says whether an exclusion holds in an outage. Direct assignment
// is the documented remedy.
func (p *Prover) sparedInOutage(a *account, pol *compiled) ans {
	u := &pol.policy.Conditions.Users
	spared := sure(false)
	if named := a.name != "" && contains(u.ExcludeUsers, a.name); (named || contains(u.ExcludeUsers, a.key)) && !pol.dropped[a.key] {
		spared = sure(true)
		if len(u.IncludeGroups)+len(u.ExcludeGroups)+len(u.IncludeRoles)+len(u.ExcludeRoles) > 0 {
			spared = p.unknowns.open(Unknown{ID: "resilience-direct-user", Subject: string(pol.policy.ID),
				What: "whether a direct exclusion holds in an outage when the policy also names groups or roles is not documented", Settle: "take the groups out of the policy, or leave resilience defaults on"})
		}
	}
	if contains(u.ExcludeUsers, "GuestsOrExternalUsers") || u.ExcludeGuests != nil && hasGuestType(u.ExcludeGuests, entra.GuestInternal) {
		spared = spared.or(a.guest.and(p.unknowns.open(Unknown{ID: "resilience-guest", Subject: string(pol.policy.ID),
			What: "whether an exclusion of guests holds in an outage is not documented", Settle: "exclude the account directly"})))
	}
	if spared.v == yes && pol.openUserExclusions {
		spared = pol.unmodelledAns(p)
	}
	return spared
}

// outageBoxes are the sign-ins for which the conditions of a policy hold as far
// as they can be evaluated in an outage. Sign-in and user risk, country and GPS
// cannot, and count as met; whether insider risk and the other locations beside
// a country can, nobody says.
func (w *denialWriter) outageBoxes(pol *compiled) ([]box, []int) {
	cs := w.pr.cs
	if pol.widenConditions && !w.pr.adverse {
		return nil, nil
	}
	policy, bare := *pol.policy, *pol
	policy.Conditions.SignInRisk, policy.Conditions.UserRisk = nil, nil
	if w.pr.adverse {
		policy.Conditions.InsiderRisk = nil
	}
	bare.policy = &policy
	base, why := w.p.narrow(cs.space, &bare, w.pr.adverse, true)
	if base == nil {
		return nil, why
	}
	if pol.namesCountry(w.pr.adverse) {
		if w.pr.adverse {
			return []box{base}, why
		}
		inc, exc := *pol.locInclude, *pol.locExclude
		inc.all = inc.all || anyTrue(inc.country) || anyTrue(inc.gps)
		exc.country, exc.gps = make([]bool, len(exc.country)), make([]bool, len(exc.gps))
		bare.locInclude, bare.locExclude = &inc, &exc
	}
	boxes, locWhy := w.p.locationBoxes(cs, &bare, base, DimIP, w.pr.adverse)
	if w.pr.adverse && pol.looseLocations {
		boxes = []box{base}
	}
	return boxes, join(why, locWhy)
}

// namesCountry reports whether the network condition names a country or GPS, or,
// adversely, a location that was not read.
func (c *compiled) namesCountry(adverse bool) bool {
	return slices.ContainsFunc([]*locSet{c.locInclude, c.locExclude}, func(s *locSet) bool {
		return s != nil && (anyTrue(s.country) || anyTrue(s.gps) || adverse && len(s.why) > 0)
	})
}

// namesGroupsOrRoles reports whether a policy without resilience defaults
// includes people by group or role: in an outage it denies "in or out of the
// group".
func (c *compiled) namesGroupsOrRoles() bool {
	u := &c.policy.Conditions.Users
	return c.policy.Session.DisableResilienceDefaults && len(u.IncludeGroups)+len(u.IncludeRoles) > 0
}

// blindInOutage reports whether the policy has a condition that cannot be
// evaluated in real time: group or role membership, risk, country or GPS;
// adversely also insider risk.
func (c *compiled) blindInOutage(adverse bool) bool {
	cond := &c.policy.Conditions
	u := &cond.Users
	return len(u.IncludeGroups)+len(u.ExcludeGroups)+len(u.IncludeRoles)+len(u.ExcludeRoles)+len(cond.SignInRisk)+len(cond.UserRisk) > 0 ||
		c.gps || c.namesCountry(adverse) || adverse && len(cond.InsiderRisk) > 0
}

// satisfiedAtStart judges the required controls as they were when the session
// began; authentication strengths are not evaluated in an outage.
func (w *denialWriter) satisfiedAtStart(pol *compiled, m *moment) bool {
	items := w.p.items(w.a, pol, w.o.kit, m, w.q.Now)
	met := 0
	for _, it := range items {
		if it.met.may(!w.pr.adverse) || it.control == controlStrength && !w.pr.adverse {
			met++
		}
	}
	if len(items) == 0 {
		return true
	}
	if op := pol.policy.Grant.Operator; op == entra.OperatorOr || op == entra.OperatorUnknown && !w.pr.adverse {
		return met > 0
	}
	return met == len(items)
}
