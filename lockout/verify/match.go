package verify

import "slices"

// classes are the values of each dimension that a certificate speaks of: for
// forall dimensions those it lists, for exists dimensions those its options name.
type classes struct {
	values  [nDims][]string
	devices []Device
	geo     *geography
}

// placeSet is one list of a network condition: by which classes of the four
// dimensions a place is known.
type placeSet struct {
	all                        bool
	ip, resource, country, gps []bool
	network                    bool
	open                       bool // something in it could not be resolved
	namesCountry               bool
}

// prepare works out what each condition of a policy matches.
func (c *checker) prepare(p *policy) {
	p.masks = map[string][]bool{}
	mask := func(d int, condition string, match func(v string) bool) {
		if p.matchesAll(condition) {
			return
		}
		m := make([]bool, len(c.values[d]))
		for i, v := range c.values[d] {
			m[i] = match(key(v))
		}
		p.masks[dimNames[d]] = m
	}
	in := func(list []string) func(string) bool {
		return func(v string) bool { return slices.Contains(list, v) }
	}
	if len(p.clients) > 0 && !slices.Contains(p.clients, "all") {
		mask(dClient, "clientapptypes", in(p.clients))
	}
	if pl := p.platforms; pl != nil {
		mask(dPlatform, "platforms", func(v string) bool {
			hit := len(pl.include) == 0 || slices.Contains(pl.include, v) || slices.Contains(pl.include, "all")
			return hit && !slices.Contains(pl.exclude, v) && !slices.Contains(pl.exclude, "all")
		})
	}
	for _, r := range []struct {
		d      int
		name   string
		levels []string
	}{{dSignInRisk, "signinrisklevels", p.signInRisk}, {dUserRisk, "userrisklevels", p.userRisk}, {dInsiderRisk, "insiderrisklevels", p.insiderRisk},
		{dFlow, "authenticationflows", p.flows}} {
		if len(r.levels) > 0 {
			mask(r.d, r.name, in(r.levels))
		}
	}
	if p.deviceFilter != nil && !p.matchesAll("devices") {
		m := make([]bool, len(c.devices))
		for i := range c.devices {
			m[i], _ = p.deviceMatch(&c.devices[i])
		}
		p.masks[dimNames[dDevice]] = m
	}
	if p.locations != nil {
		include := p.locations.include
		if len(include) == 0 {
			include = []string{"all"}
		}
		p.places = [2]*placeSet{c.placesOf(include), c.placesOf(p.locations.exclude)}
		for _, id := range append(slices.Clone(p.locations.include), p.locations.exclude...) {
			if l := c.t.locations[id]; l != nil && l.gps {
				p.gps = true
			}
		}
	}
}

func (c *checker) placesOf(ids []string) *placeSet {
	s := &placeSet{ip: make([]bool, len(c.values[dIP])), resource: make([]bool, len(c.values[dResourceIP])),
		country: make([]bool, len(c.values[dCountry])), gps: make([]bool, len(c.values[dGPS]))}
	for _, id := range ids {
		switch id {
		case "all":
			s.all = true
		case "alltrusted":
			s.open = s.open || !c.t.read("namedLocations")
			for _, l := range c.t.locations {
				if l.trusted {
					c.addPlace(s, l)
				}
			}
		case compliantNetwork:
			s.network = true
		default:
			l := c.t.locations[id]
			if l == nil || id == trustedIPs {
				s.open = true
				continue
			}
			c.addPlace(s, l)
			s.open = s.open || l.open
		}
	}
	return s
}

func (c *checker) addPlace(s *placeSet, l *location) {
	switch l.kind {
	case "ip":
		for i, v := range c.values[dIP] {
			s.ip[i] = s.ip[i] || c.geo.cells[v][key(l.id)]
		}
		for i, v := range c.values[dResourceIP] {
			s.resource[i] = s.resource[i] || c.geo.cells[v][key(l.id)]
		}
	case "country":
		values, set := c.values[dCountry], s.country
		if s.namesCountry = true; l.gps {
			values, set = c.values[dGPS], s.gps
		}
		for i, v := range values {
			set[i] = set[i] || v == unknownCountry && l.unknown || v != unknownCountry && v != otherCountry && slices.Contains(l.codes, v)
		}
	case "compliantNetwork":
		s.network = true
	default:
		s.open = true
	}
}

// conditions returns the box of every condition but the network.
func (p *policy) conditions() (b box) {
	for d, name := range dimNames {
		b[d] = p.masks[name]
	}
	return b
}

// mayApply returns boxes that together hold every sign-in to which the
// conditions may apply; with resource, by the address that the resource sees.
func (c *checker) mayApply(p *policy, resource bool) []box {
	b := p.conditions()
	inc, exc := p.places[0], p.places[1]
	if inc == nil || p.matchesAll("locations") {
		if resource {
			return nil
		}
		return []box{b}
	}
	return c.boxes(b, inc, exc, resource, inc.all || inc.open)
}

// surelyApplies returns boxes in which the conditions surely apply.
func (c *checker) surelyApplies(p *policy) []box {
	if len(p.loose) > 0 {
		return nil
	}
	b := p.conditions()
	if p.deviceFilter != nil {
		b[dDevice] = make([]bool, len(c.devices))
		for i := range c.devices {
			_, b[dDevice][i] = p.deviceMatch(&c.devices[i])
		}
	}
	inc, exc := p.places[0], p.places[1]
	if inc == nil {
		return []box{b}
	}
	if exc.open {
		return nil
	}
	return c.boxes(b, inc, exc, false, inc.all)
}

// boxes cuts a box by a network condition: every excluded class is taken away,
// then any included class of any of the four dimensions lets the policy apply.
func (c *checker) boxes(b box, inc, exc *placeSet, resource, everywhere bool) []box {
	ip, incIP, excIP := dIP, inc.ip, exc.ip
	if resource {
		ip, incIP, excIP = dResourceIP, inc.resource, exc.resource
	}
	network := make([]bool, len(c.values[dNetwork]))
	for i, v := range c.values[dNetwork] {
		network[i] = v == "true"
	}
	none := make([]bool, len(network))
	excNetwork, incNetwork := none, none
	if exc.network {
		excNetwork = network
	}
	if inc.network {
		incNetwork = network
	}
	lists := []struct {
		d        int
		inc, exc []bool
	}{{ip, incIP, excIP}, {dCountry, inc.country, exc.country}, {dGPS, inc.gps, exc.gps}, {dNetwork, incNetwork, excNetwork}}
	if exc.all {
		return nil
	}
	if resource {
		// The resource sees addresses only: it knows of no country and of no
		// compliant network, neither to exclude nor to leave out.
		everywhere = everywhere || slices.Contains(inc.country, true) || slices.Contains(inc.gps, true) || inc.network
		lists = lists[:1]
	}
	for _, l := range lists {
		rest := make([]bool, len(l.exc))
		for i, out := range l.exc {
			rest[i] = !out && (b[l.d] == nil || b[l.d][i])
		}
		b[l.d] = rest
	}
	if everywhere {
		return []box{b}
	}
	var out []box
	for _, l := range lists {
		x := b
		x[l.d] = make([]bool, len(l.inc))
		for i, in := range l.inc {
			x[l.d][i] = in && b[l.d][i]
		}
		out = append(out, x)
	}
	return out
}

// blind reports whether a policy has a condition that cannot be judged in an
// outage: groups, roles, risk, country or GPS; insider risk perhaps.
func (p *policy) blind() bool {
	return p.gps || p.namesGroups() || len(p.signInRisk)+len(p.userRisk)+len(p.insiderRisk) > 0 || p.namesCountry()
}

// namesCountry reports whether a location of a policy is, or may be, one by
// country or GPS.
func (p *policy) namesCountry() bool {
	return slices.ContainsFunc(p.places[:], func(s *placeSet) bool { return s != nil && (s.namesCountry || s.open) })
}

func (p *policy) namesGroups() bool {
	return len(p.includeGroups)+len(p.excludeGroups)+len(p.includeRoles)+len(p.excludeRoles) > 0
}

// mayTarget says whether a stage may be in the policy's target; surely asks the
// opposite way round.
func (a *account) targets(p *policy, st *stage, surely bool) bool {
	if p.mayTarget {
		return !surely
	}
	plain := len(p.actions)+len(p.contexts) == 0
	switch st.kind {
	case "context":
		return slices.Contains(p.contexts, key(st.context))
	case "userAction":
		action := key(st.action)
		if slices.Contains(p.actions, action) {
			return true
		}
		everything := slices.Contains(p.includeApps, "all") && action == "urn:user:registersecurityinfo" && len(st.audiences) == 0
		return plain && (everything || a.anyAudience(p, st, surely))
	}
	return plain && a.anyAudience(p, st, surely)
}

const directoryAudience = "00000002-0000-0000-c000-000000000000"

func (a *account) anyAudience(p *policy, st *stage, surely bool) bool {
	plain := slices.ContainsFunc(fold(st.audiences), func(aud string) bool { return a.inScope(p, aud, surely) })
	if !st.lowPriv {
		return plain
	}
	// Baseline scopes: once enforced the audience is the directory; before, such
	// a request escapes policies for all resources that exclude some.
	after := a.inScope(p, directoryAudience, surely)
	before := plain && !(slices.Contains(p.includeApps, "all") && p.excludesApps(!surely))
	enforced, known := a.t.lowPrivilege.flag()
	switch {
	case known && enforced:
		return after
	case known:
		return before
	case surely:
		return after && before
	}
	return after || before
}

// excludesApps reports whether some resource is excluded from a policy, surely or
// possibly. An exclusion of agent resources only may be none.
func (p *policy) excludesApps(surely bool) bool {
	if !surely {
		return len(p.excludeApps) > 0 || p.appFilter != nil && p.appFilter.mode != "include"
	}
	named := slices.ContainsFunc(p.excludeApps, func(app string) bool {
		return app != "all" && app != "none" && app != "allagentidresources"
	})
	return !p.exclusionsOpen && (named || p.appFilter != nil && p.appFilter.mode == "exclude")
}

func (a *account) inScope(p *policy, audience string, surely bool) bool {
	in := slices.Contains(p.includeApps, "all") || covers(p.includeApps, audience)
	out := covers(p.excludeApps, audience)
	if p.appFilter == nil {
		return in && !out
	}
	t := a.appMatch(p, audience)
	may, sure := t >= 0, t > 0
	if p.appFilter.mode == "" {
		may, sure = true, false
	}
	if p.appFilter.mode != "include" {
		// What the filter matches is taken out; with no mode nobody can say.
		out = out || !surely && sure && p.appFilter.mode == "exclude" || surely && (may || p.appFilter.mode == "")
	}
	if p.appFilter.mode != "exclude" {
		in = in || sure || !surely && may
	}
	return in && !out
}

// covers reports whether tokens of a list, service groups spelled out, name an
// application.
func covers(tokens []string, app string) bool {
	return slices.ContainsFunc(tokens, func(token string) bool {
		if token == "all" || token == "none" || token == "allagentidresources" {
			return false
		}
		return token == app || slices.Contains(serviceGroup(token), app)
	})
}
