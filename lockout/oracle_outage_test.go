package lockout_test

import (
	"slices"

	"halligan/entra"
)

// outage: a policy that switched resilience off, in an outage, for an existing
// session. What cannot be looked up then (groups, roles, risk, country and GPS)
// counts against the session; whether insider risk can is not said.
func (o *oracle) outage(p *entra.Policy, s *stage, pt *point, kit []entra.AuthMethod) tri {
	c := &p.Conditions
	u := &c.Users
	people := len(u.IncludeGroups)+len(u.ExcludeGroups)+len(u.IncludeRoles)+len(u.ExcludeRoles) > 0
	country := o.namesCountry(c.Locations)
	blind := sure(people || len(c.SignInRisk)+len(c.UserRisk) > 0).or(country).or(sure(len(c.InsiderRisk) > 0).and(maybe))

	rest := *p
	rest.Conditions.SignInRisk, rest.Conditions.UserRisk = nil, nil
	conditions := o.conditions(&rest, pt)
	rest.Conditions.InsiderRisk = nil
	conditions = conditions.or(o.conditions(&rest, pt).and(maybe))

	// The country is taken as matching; whether the rest of the network condition
	// is then still looked at is not said.
	network := o.networkButCountry(p, pt)
	network = network.or(network.not().and(country).and(maybe))

	d := blind.and(o.usersInOutage(p, s, pt)).and(o.target(p, s)).and(conditions).and(network)
	if s.context != "" || s.action != "" {
		d = d.and(maybe) // only tokens for resources are described
	}
	return d.and(o.satisfiedBefore(p, s, pt, kit).not())
}

// usersInOutage: groups and roles concern everybody then. A direct exclusion is
// the documented remedy; beside groups, or by being a guest, nobody says.
func (o *oracle) usersInOutage(p *entra.Policy, s *stage, pt *point) tri {
	u := &p.Conditions.Users
	included := o.anyUser(u.IncludeUsers).or(o.guest(u.IncludeGuests)).or(sure(len(u.IncludeGroups)+len(u.IncludeRoles) > 0))
	spared := sure(slices.ContainsFunc(u.ExcludeUsers, o.account.ID.Equal))
	if len(u.IncludeGroups)+len(u.ExcludeGroups)+len(u.IncludeRoles)+len(u.ExcludeRoles) > 0 {
		spared = spared.and(maybe)
	}
	if slices.ContainsFunc(u.ExcludeUsers, entra.ID("GuestsOrExternalUsers").Equal) {
		spared = spared.or(o.isGuest().and(maybe))
	}
	spared = spared.or(o.guest(u.ExcludeGuests).and(maybe))
	if pt.client == string(entra.ClientEAS) && slices.Contains(p.Conditions.ClientAppTypes, entra.ClientEAS) && wideForEAS(u) {
		included, spared = yes, spared.and(maybe)
	}
	if unknownIn(p, entra.AreaUsers) || withoutConditions(p) {
		included = included.or(maybe)
		spared = spared.or(maybe)
	}
	return included.and(spared.not())
}

// namesCountry: a location by country or GPS is named, or one that we do not know.
func (o *oracle) namesCountry(l *entra.Locations) tri {
	found := no
	if l == nil {
		return no
	}
	for _, id := range slices.Concat(l.Include, l.Exclude) {
		if !id.Equal("All") && !id.Equal("AllTrusted") {
			found = found.or(o.isCountry(id))
		}
	}
	return found
}

func (o *oracle) isCountry(id entra.ID) tri {
	for _, l := range o.c.Locations {
		if l.ID.Equal(id) {
			return sure(l.Kind == entra.LocationCountry)
		}
	}
	if id.Equal(anyCompliantNetwork) {
		return no
	}
	return maybe
}

// networkButCountry evaluates the network condition as if countries matched.
func (o *oracle) networkButCountry(p *entra.Policy, pt *point) tri {
	if l := p.Conditions.Locations; l != nil {
		q := *p
		in := entra.Locations{Include: l.Include}
		for _, id := range l.Include {
			if o.isCountry(id) == yes {
				in.Include = []entra.ID{"All"}
			}
		}
		for _, id := range l.Exclude {
			if o.isCountry(id) != yes {
				in.Exclude = append(in.Exclude, id)
			}
		}
		q.Conditions.Locations = &in
		return o.network(&q, pt, address{locations: pt.where})
	}
	return o.network(p, pt, address{locations: pt.where})
}

// satisfiedBefore: the controls that were satisfied when the session began.
// Strengths are not evaluated in an outage; that one which is not met does no
// harm where resilience is off is not said.
func (o *oracle) satisfiedBefore(p *entra.Policy, s *stage, pt *point, kit []entra.AuthMethod) tri {
	met := o.grant(p, s, pt, kit)
	if p.Grant.Strength == nil {
		return met
	}
	without := *p
	without.Grant.Strength = nil
	if p.Grant.Operator == entra.OperatorOr {
		return met.or(maybe)
	}
	return met.or(o.grant(&without, s, pt, kit).and(maybe))
}
