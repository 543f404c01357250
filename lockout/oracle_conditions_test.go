package lockout_test

import (
	"slices"
	"strings"

	"halligan/entra"
	"halligan/lockout"
)

// stage is one thing that is evaluated at a point: a resource request, a user
// action or a step-up, each with the roles that are active then.
type stage struct {
	name      string // signIn, activation, signInWithRole, userAction, stepUp
	audiences []entra.ID
	lowPriv   bool
	action    string   // of a user action
	context   string   // of a step-up
	activated entra.ID // role activated before, "" none
}

// address is where a sign-in comes from, as Microsoft Entra or the resource sees
// it.
type address struct {
	locations []string
	resource  bool
}

// matches says whether the assignments of a policy match (ca-semantics 2), its
// state apart. from is the address at which locations are evaluated.
func (o *oracle) matches(p *entra.Policy, s *stage, pt *point, from address) tri {
	return o.users(p, s, pt).and(o.target(p, s)).and(o.conditions(p, pt).and(o.network(p, pt, from)))
}

// conditions are all assignments but users, target and network. A condition with
// something in it that we do not know may match or not; a condition that we do
// not know at all may fail to match.
func (o *oracle) conditions(p *entra.Policy, pt *point) tri {
	c := &p.Conditions
	in := func(list []string, v string) tri {
		return sure(len(list) == 0 || slices.ContainsFunc(list, func(x string) bool { return strings.EqualFold(x, v) }))
	}
	clients := in(strs(c.ClientAppTypes), pt.client)
	if slices.Contains(c.ClientAppTypes, entra.ClientAll) {
		clients = yes
	}
	devices := yes
	if f := c.DeviceFilter; f != nil {
		devices = filterApplies(f.Mode, deviceRule(f.Rule, pt.device))
	}
	parts := map[string]tri{
		"clientapptypes": clients, "platforms": sure(platformMatches(c.Platforms, pt.platform)), "devices": devices,
		"signinrisklevels": in(strs(c.SignInRisk), pt.signIn), "userrisklevels": in(strs(c.UserRisk), pt.user),
		"insiderrisklevels": in(strs(c.InsiderRisk), pt.insider), "authenticationflows": in(strs(c.Flows), pt.flow),
	}
	for _, name := range unknownConditions(p) {
		switch {
		case name == "devices.includedevices" || name == "devices.excludedevices" || name == "devices.devicestates":
			parts[name] = maybe // a retired form beside the filter
		case name != "locations":
			parts[strings.Split(name, ".")[0]] = maybe
		}
	}
	all := yes
	for _, t := range parts {
		all = all.and(t)
	}
	return all
}

// unknownConditions are the conditions in which there is something that we do
// not know: the key below "conditions", for devices with the next one.
func unknownConditions(p *entra.Policy) []string {
	var out []string
	for _, u := range p.Unmodelled {
		if u.Area != entra.AreaConditions {
			continue
		}
		steps := strings.Split(strings.ToLower(u.Path), ".")
		name, _, _ := strings.Cut(steps[1], "[")
		if name == "devices" && len(steps) > 2 {
			name += "." + steps[2]
		}
		out = append(out, name)
	}
	return out
}

// retired: these conditions are of a kind we know, only what they match is not
// known any more.
func retired(u entra.Unmodelled) bool {
	path := strings.ToLower(u.Path)
	return u.Area == entra.AreaConditions && slices.ContainsFunc([]string{"conditions.times", "conditions.time", "conditions.devicestates", "conditions.devices.includedevices",
		"conditions.devices.excludedevices", "conditions.devices.includedevicestates", "conditions.devices.excludedevicestates"},
		func(known string) bool {
			return path == known || strings.HasPrefix(path, known+".") || strings.HasPrefix(path, known+"[")
		})
}

func strs[T ~string](list []T) []string {
	var out []string
	for _, v := range list {
		out = append(out, string(v))
	}
	return out
}

func platformMatches(p *entra.Platforms, v string) bool {
	if p == nil {
		return true
	}
	names := func(list []entra.Platform) bool {
		return slices.Contains(list, entra.PlatformAll) || slices.Contains(list, entra.Platform(v))
	}
	return (len(p.Include) == 0 || names(p.Include)) && !names(p.Exclude)
}

// filterApplies: mode include applies where the rule is true, mode exclude where
// it is false.
func filterApplies(mode entra.FilterMode, rule tri) tri {
	switch mode {
	case entra.FilterInclude:
		return rule
	case entra.FilterExclude:
		return rule.not()
	}
	return maybe
}

func (o *oracle) network(p *entra.Policy, pt *point, from address) tri {
	l := p.Conditions.Locations
	if slices.ContainsFunc(unknownConditions(p), func(n string) bool { return strings.HasPrefix(n, "locations") }) {
		return maybe
	}
	if l == nil {
		return yes
	}
	inside := func(list []entra.ID) tri {
		found := no
		for _, id := range list {
			found = found.or(o.inLocation(id, pt, from))
		}
		return found
	}
	included := inside(l.Include)
	if len(l.Include) == 0 {
		included = yes
	}
	return included.and(inside(l.Exclude).not())
}

const (
	anyCompliantNetwork entra.ID = "3d46dbda-8382-466a-856d-eb00cbc6b910"
	mfaTrustedIPs       entra.ID = "00000000-0000-0000-0000-000000000000"
)

func (o *oracle) inLocation(id entra.ID, pt *point, from address) tri {
	switch {
	case id.Equal("All"):
		return yes
	case id.Equal("AllTrusted"):
		found := no
		for i := range o.c.Locations {
			if l := &o.c.Locations[i]; l.Trusted {
				found = found.or(inNamed(l, pt, from))
			}
		}
		return found
	case id.Equal(mfaTrustedIPs):
		return maybe // its ranges are not in Graph
	}
	for i := range o.c.Locations {
		if o.c.Locations[i].ID.Equal(id) {
			return inNamed(&o.c.Locations[i], pt, from)
		}
	}
	if id.Equal(anyCompliantNetwork) {
		if from.resource {
			return maybe
		}
		return sure(pt.compliantNetwork)
	}
	return maybe // a location we do not know
}

func inNamed(l *entra.NamedLocation, pt *point, from address) tri {
	country := pt.country
	switch l.Kind {
	case entra.LocationIP:
		if len(l.Ranges) == 0 {
			return maybe // they were not read
		}
		return sure(slices.Contains(from.locations, string(l.ID)))
	case entra.LocationCompliantNetwork:
		if from.resource {
			return maybe // the resource sees addresses, nothing else
		}
		return sure(pt.compliantNetwork)
	case entra.LocationCountry:
		if l.GPS {
			country = pt.gps
		}
		if from.resource {
			return maybe
		}
		if len(l.Countries) == 0 {
			return maybe // likewise
		}
		return sure(country == "unknown" && l.IncludeUnknown || slices.Contains(l.Countries, country))
	}
	return maybe
}

// asksGPS: the network condition names a location by GPS.
func (o *oracle) asksGPS(p *entra.Policy) bool {
	if p.Conditions.Locations == nil {
		return false
	}
	return slices.ContainsFunc(append(slices.Clone(p.Conditions.Locations.Include), p.Conditions.Locations.Exclude...), func(id entra.ID) bool {
		return slices.ContainsFunc(o.c.Locations, func(l entra.NamedLocation) bool {
			return l.GPS && (l.ID.Equal(id) || id.Equal("AllTrusted") && l.Trusted)
		})
	})
}

// users says whether the policy is for the account with the roles of the stage.
func (o *oracle) users(p *entra.Policy, s *stage, pt *point) tri {
	u := &p.Conditions.Users
	included := o.anyUser(u.IncludeUsers).or(o.anyGroup(u.IncludeGroups)).or(o.anyRole(u.IncludeRoles, s)).or(o.guest(u.IncludeGuests))
	excluded := o.anyUser(u.ExcludeUsers).or(o.anyGroup(u.ExcludeGroups)).or(o.anyRole(u.ExcludeRoles, s)).or(o.guest(u.ExcludeGuests))
	if pt.client == string(entra.ClientEAS) && slices.Contains(p.Conditions.ClientAppTypes, entra.ClientEAS) && wideForEAS(u) {
		// Such a policy is for everybody; whether exclusions survive is not known.
		included, excluded = yes, excluded.and(maybe)
	}
	if unknownIn(p, entra.AreaUsers) || withoutConditions(p) {
		included = maybe // what we do know as an exclusion still wins
		if excluded != yes {
			excluded = maybe
		}
	}
	return included.and(excluded.not())
}

func wideForEAS(u *entra.Users) bool {
	return len(u.IncludeRoles) > 0 || u.IncludeGuests != nil || slices.ContainsFunc(u.IncludeUsers, func(id entra.ID) bool {
		return id.Equal("All") || id.Equal("GuestsOrExternalUsers")
	})
}

func (o *oracle) anyUser(ids []entra.ID) tri {
	found := no
	for _, id := range ids {
		switch {
		case id.Equal("All"), id.Equal(o.account.ID):
			found = yes
		case id.Equal("GuestsOrExternalUsers"):
			found = found.or(o.isGuest())
		}
	}
	return found
}

func (o *oracle) isGuest() tri {
	switch o.user.UserType {
	case "Guest":
		return yes
	case "Member":
		return no
	}
	return maybe
}

// guest: an emergency account that is a guest is an internal one.
func (o *oracle) guest(g *entra.Guests) tri {
	if g == nil || !slices.Contains(g.Types, entra.GuestInternal) {
		return no
	}
	return o.isGuest()
}

func (o *oracle) anyGroup(ids []entra.ID) tri {
	found := no
	for _, id := range ids {
		found = found.or(o.member(id))
	}
	return found
}

// member: membership is transitive.
func (o *oracle) member(group entra.ID) tri {
	if group.Equal("all_users") {
		return yes
	}
	if o.account.MembersRead {
		return sure(slices.ContainsFunc(o.account.Memberships, group.Equal))
	}
	return o.inside(group, map[string]bool{})
}

func (o *oracle) inside(group entra.ID, seen map[string]bool) tri {
	if seen[group.Key()] {
		return no
	}
	seen[group.Key()] = true
	for _, g := range o.c.Groups {
		if !g.ID.Equal(group) {
			continue
		}
		if !g.MembersRead {
			return maybe
		}
		found := no
		for _, m := range g.Members {
			if m.Equal(o.account.ID) {
				return yes
			}
			if slices.ContainsFunc(o.c.Groups, func(g entra.Group) bool { return g.ID.Equal(m) }) {
				found = found.or(o.inside(m, seen))
			}
		}
		return found
	}
	return maybe
}

func (o *oracle) anyRole(ids []entra.ID, s *stage) tri {
	found := no
	for _, id := range ids {
		found = found.or(o.holds(id, s))
	}
	return found
}

// holds: only an active assignment for the whole tenant counts, or the role that
// was activated before this stage.
func (o *oracle) holds(role entra.ID, s *stage) tri {
	if s.activated != "" && s.activated.Equal(role) {
		return yes
	}
	return o.assigned(role, entra.AssignmentActive)
}

func (o *oracle) assigned(role entra.ID, how entra.Assignment) tri {
	found := no
	for _, r := range o.c.RoleAssignments {
		if !r.Role.Equal(role) || r.Assignment != how || r.Scope != "/" {
			continue
		}
		if r.Principal.Equal(o.account.ID) {
			return yes
		}
		if slices.ContainsFunc(o.c.Groups, func(g entra.Group) bool { return g.ID.Equal(r.Principal) }) {
			found = found.or(o.member(r.Principal))
		}
	}
	part := entra.PartRoleAssignments
	if how == entra.AssignmentEligible {
		part = entra.PartRoleEligibility
	}
	if o.s.Status(part).Status != entra.StatusRead {
		found = found.or(maybe)
	}
	return found
}

// The applications behind the names that stand for several.
var applicationGroups = map[string][]entra.ID{
	"microsoftadminportals": {"c44b4083-3bb0-49c1-b47d-974e53cbdf3c", "00000006-0000-0ff1-ce00-000000000000"},
	"office365":             {"00000006-0000-0ff1-ce00-000000000000", "00000002-0000-0ff1-ce00-000000000000"},
	"797f4846-ba00-4fd7-ba43-dac1f8f63013": {"797f4846-ba00-4fd7-ba43-dac1f8f63013",
		"c44b4083-3bb0-49c1-b47d-974e53cbdf3c"},
}

const directoryAudience entra.ID = "00000002-0000-0000-c000-000000000000"

// target says whether one of the audiences, the action or the context of the
// stage is in the scope of the policy.
func (o *oracle) target(p *entra.Policy, s *stage) tri {
	if unknownIn(p, entra.AreaTarget) || withoutConditions(p) {
		return maybe
	}
	a := &p.Conditions.Applications
	switch {
	case s.context != "":
		return sure(slices.ContainsFunc(a.AuthContexts, func(c string) bool { return strings.EqualFold(c, s.context) }))
	case s.action != "" && len(a.UserActions) > 0:
		return sure(slices.ContainsFunc(a.UserActions, func(u string) bool { return strings.EqualFold(u, s.action) }))
	case len(a.UserActions) > 0 || len(a.AuthContexts) > 0:
		return no
	}
	inScope := func(audiences []entra.ID) tri {
		found := no
		for _, id := range audiences {
			found = found.or(o.covers(a, id))
		}
		return found
	}
	if !s.lowPriv {
		found := inScope(s.audiences)
		if s.action != "" && !strings.EqualFold(s.action, "urn:user:registersecurityinfo") {
			found = found.and(maybe) // of other actions nobody says that resources count
		}
		return found
	}
	// A request for baseline scopes only used to escape policies for all resources
	// with exclusions. Under the new rule it is evaluated for the directory.
	old, current := inScope(s.audiences), inScope([]entra.ID{directoryAudience})
	if slices.ContainsFunc(a.Include, entra.ID("All").Equal) {
		old = old.and(excludesSome(a).not())
	}
	switch {
	case o.c.LowPrivilegeScopes == nil && old != current:
		return maybe
	case o.c.LowPrivilegeScopes == nil || *o.c.LowPrivilegeScopes:
		return current
	}
	return old
}

// excludesSome: some resource is excluded; that agent resources alone are one, or
// what a filter of unknown mode excludes, is not known.
func excludesSome(a *entra.Applications) tri {
	found := no
	for _, id := range a.Exclude {
		if id.Equal("AllAgentIdResources") || id.Equal("None") {
			found = found.or(maybe)
		} else {
			found = yes
		}
	}
	switch {
	case a.Filter == nil || a.Filter.Mode == entra.FilterInclude:
	case a.Filter.Mode == entra.FilterExclude:
		found = yes
	default:
		found = found.or(maybe)
	}
	return found
}

// covers says whether one audience is included and not excluded.
func (o *oracle) covers(a *entra.Applications, audience entra.ID) tri {
	listed := func(list []entra.ID) tri {
		return sure(slices.ContainsFunc(list, func(token entra.ID) bool {
			return token.Equal("All") || token.Equal(audience) || slices.ContainsFunc(applicationGroups[token.Key()], audience.Equal)
		}))
	}
	included, excluded := listed(a.Include), listed(a.Exclude)
	if f := a.Filter; f != nil {
		rule := o.applicationRule(f.Rule, audience)
		switch f.Mode {
		case entra.FilterInclude:
			included = included.or(rule)
		case entra.FilterExclude:
			excluded = excluded.or(rule)
		default:
			included, excluded = included.or(rule.and(maybe)), excluded.or(rule.and(maybe))
		}
	}
	return included.and(excluded.not())
}

func (o *oracle) applicationRule(text string, audience entra.ID) tri {
	r, err := parseRule(text)
	if err != nil {
		return maybe
	}
	for _, s := range r.subjects() {
		if !strings.HasPrefix(strings.ToLower(s), "customsecurityattribute.") {
			return maybe
		}
	}
	for _, sp := range o.c.Applications {
		if !sp.AppID.Equal(audience) {
			continue
		}
		if !sp.AttributesRead {
			return maybe
		}
		return r.eval(func(subject string) ([]string, bool) {
			for name, values := range sp.Attributes {
				if strings.EqualFold("CustomSecurityAttribute."+name, subject) {
					return values, true
				}
			}
			return nil, true
		})
	}
	if o.s.Status(entra.PartApplications).Status == entra.StatusRead {
		return r.eval(func(string) ([]string, bool) { return nil, true }) // not in the tenant: no attributes
	}
	return maybe
}

// unlocked returns the kit without what a smart lockout takes away.
func unlocked(kit []entra.AuthMethod, pt *point) []entra.AuthMethod {
	if !pt.lockedOut {
		return kit
	}
	return slices.DeleteFunc(slices.Clone(kit), func(m entra.AuthMethod) bool { return m.Type == entra.MethodPassword })
}

var _ = lockout.Proved
