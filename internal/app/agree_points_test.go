package app_test

import (
	"fmt"
	"slices"
	"strings"

	"halligan/entra"
	"halligan/internal/sandbox"
	"halligan/lockout"
)

// signIn is one sign-in of one tenant: a value for every dimension.
type signIn struct {
	who              int
	goal             *agreeGoal
	client, platform string
	ip, resource     int
	country, gps     string
	compliant        bool // network
	device           int
	flow             string
	userRisk, risk   string
	insider          string
	locked           bool
	outage           string
}

var (
	agreeClients   = []string{"browser", "mobileAppsAndDesktopClients", "exchangeActiveSync", "other"}
	agreePlatforms = []string{"windows", "macOS", "linux", "android", "iOS", "windowsPhone", ""}
	agreeRisks     = []string{"none", "low", "medium", "high"}
	agreeInsider   = []string{"none", "minor", "moderate", "elevated"}
	agreeFlows     = []string{"", "deviceCodeFlow", "authenticationTransfer"}
)

func (t *agreeTenant) one(list []string) string { return list[t.r.IntN(len(list))] }

// any is a random sign-in: mostly an ordinary one with a few things odd.
func (t *agreeTenant) any() signIn {
	odd := func(n int) bool { return t.r.IntN(n) == 0 }
	at := signIn{who: t.r.IntN(len(t.people)), goal: &t.goals[t.r.IntN(len(t.goals))], client: t.one(agreeClients[:2]), platform: t.one(agreePlatforms),
		ip: t.r.IntN(len(t.addresses)), country: t.one(t.countries), gps: t.one(t.countries), userRisk: "none", risk: "none", insider: "none"}
	at.resource = at.ip
	if odd(5) {
		at.client = t.one(agreeClients)
	}
	if odd(3) {
		at.userRisk = t.one(agreeRisks)
	}
	if odd(3) {
		at.risk = t.one(agreeRisks)
	}
	if odd(5) {
		at.insider = t.one(agreeInsider)
	}
	if odd(3) {
		at.device = t.r.IntN(len(t.devices))
	}
	if odd(5) {
		at.flow = t.one(agreeFlows)
	}
	at.compliant = odd(6)
	at.locked = odd(20)
	if odd(15) {
		at.outage = t.one([]string{"existingSession", "newSession"})
	}
	if odd(20) {
		at.resource = t.r.IntN(len(t.addresses))
	}
	return at
}

// aim is a random sign-in that a policy is meant for, or one that it is not, as
// far as the policy's own words tell.
func (t *agreeTenant) aim(i int, in bool) signIn {
	at := t.any()
	if !in {
		switch out := t.outside[i]; {
		case len(out) > 0 && t.r.IntN(2) == 0:
			at.who = out[t.r.IntN(len(out))]
		case t.r.IntN(3) == 0:
			at.goal = &t.goals[slices.IndexFunc(t.goals, func(g agreeGoal) bool { return g.step.Context == "c99" })]
		}
		return at
	}
	c := &t.enabled[i].Conditions
	if in := t.inside[i]; len(in) > 0 {
		at.who = in[t.r.IntN(len(in))]
	}
	t.aimGoal(c, &at)
	pick(t, c.ClientAppTypes, &at.client, agreeClients)
	if c.Platforms != nil {
		fits := slices.DeleteFunc(slices.Clone(agreePlatforms), func(p string) bool {
			named := func(list []entra.Platform) bool {
				return slices.ContainsFunc(list, func(x entra.Platform) bool { return strings.EqualFold(string(x), p) })
			}
			all := slices.ContainsFunc(c.Platforms.Include, func(x entra.Platform) bool { return strings.EqualFold(string(x), "all") })
			return !all && len(c.Platforms.Include) > 0 && !named(c.Platforms.Include) || named(c.Platforms.Exclude)
		})
		if len(fits) > 0 {
			at.platform = t.one(fits)
		}
	}
	pick(t, c.UserRisk, &at.userRisk, agreeRisks)
	pick(t, c.SignInRisk, &at.risk, agreeRisks)
	pick(t, c.InsiderRisk, &at.insider, agreeInsider)
	pick(t, c.Flows, &at.flow, agreeFlows)
	if c.DeviceFilter != nil {
		at.device = t.r.IntN(len(t.devices))
	}
	t.aimPlace(i, &at)
	at.resource = at.ip
	return at
}

// pick chooses one of the values that a condition names.
func pick[T ~string](t *agreeTenant, list []T, value *string, all []string) {
	fits := slices.DeleteFunc(slices.Clone(all), func(v string) bool {
		return !slices.ContainsFunc(list, func(x T) bool { return strings.EqualFold(string(x), v) || strings.EqualFold(string(x), "all") })
	})
	if len(fits) > 0 {
		*value = t.one(fits)
	}
}

func (t *agreeTenant) aimGoal(c *entra.Conditions, at *signIn) {
	a := &c.Applications
	var want []string
	for _, x := range a.UserActions {
		want = append(want, strings.ToLower(x))
	}
	for _, x := range a.AuthContexts {
		want = append(want, "context "+x)
	}
	for _, id := range a.Include {
		switch id.Key() {
		case "all":
			return
		case "office365":
			want = append(want, "app "+exchangeOnline.Key(), "m365AdminCenter")
		case "microsoftadminportals":
			want = append(want, "entraAdminCenter", "m365AdminCenter")
		case "797f4846-ba00-4fd7-ba43-dac1f8f63013":
			want = append(want, "entraAdminCenter", "azureCliWrite")
		default:
			want = append(want, "app "+id.Key())
			for i := range t.goals {
				if slices.ContainsFunc(t.goals[i].goal.Audiences, id.Equal) {
					want = append(want, t.goals[i].name)
				}
			}
		}
	}
	var fits []*agreeGoal
	for i := range t.goals {
		if slices.Contains(want, t.goals[i].name) {
			fits = append(fits, &t.goals[i])
		}
	}
	if len(fits) > 0 {
		at.goal = fits[t.r.IntN(len(fits))]
	}
}

// aimPlace: a place of the include list that no excluded one holds.
func (t *agreeTenant) aimPlace(i int, at *signIn) {
	if places := t.places[i]; len(places) > 0 {
		place := places[t.r.IntN(len(places))]
		at.ip, at.country, at.gps = place.ip, t.countries[place.country], t.countries[place.country]
	}
}

// agreePlace is an address and a country, by their indices.
type agreePlace struct{ ip, country int }

// placesOf are the addresses and countries that a policy's lists of locations
// hold; none when it has no such lists.
func (t *agreeTenant) placesOf(l *entra.Locations) (out []agreePlace) {
	if l == nil || len(l.Include) == 0 {
		return nil
	}
	byIP, byCountry := t.reach(l.Include)
	notIP, notCountry := t.reach(l.Exclude)
	for i := range t.addresses {
		for c := range t.countries {
			if (byIP[i] || byCountry[c]) && !notIP[i] && !notCountry[c] {
				out = append(out, agreePlace{i, c})
			}
		}
	}
	return out
}

// reach says which addresses and which countries a list of locations holds.
func (t *agreeTenant) reach(list []entra.ID) (byIP, byCountry []bool) {
	byIP, byCountry = make([]bool, len(t.addresses)), make([]bool, len(t.countries))
	view := t.snap.View()
	for _, id := range list {
		for a := range byIP {
			byIP[a] = byIP[a] || id.Equal("All")
		}
		for i := range view.Locations {
			l := &view.Locations[i]
			if !l.ID.Equal(id) && !(id.Equal("AllTrusted") && l.Trusted) {
				continue
			}
			for a := range byIP {
				byIP[a] = byIP[a] || slices.Contains(strings.Split(t.addresses[a].locations, ","), string(l.ID))
			}
			for c, code := range t.countries {
				byCountry[c] = byCountry[c] || slices.ContainsFunc(l.Countries, func(x string) bool { return strings.EqualFold(x, code) }) || l.IncludeUnknown && code == ""
			}
		}
	}
	return byIP, byCountry
}

// point is the sign-in in the prover's words.
func (t *agreeTenant) point(at *signIn) map[lockout.Dimension]string {
	or := func(v, other string) string {
		if v == "" {
			return other
		}
		return v
	}
	truth := map[bool]string{false: "false", true: "true"}
	outage := map[string]string{"": "normal", "existingSession": "outageExistingSession", "newSession": "outageNewSession"}
	name := "unregistered"
	if at.device > 0 {
		name = string(mustJSON(proverDevice(&t.devices[at.device])))
	}
	return map[lockout.Dimension]string{
		lockout.DimPlatform: or(at.platform, "unknown"), lockout.DimIP: t.addresses[at.ip].locations, lockout.DimResourceIP: t.addresses[at.resource].locations,
		lockout.DimCountry: or(at.country, "unknown"), lockout.DimGPSCountry: or(at.gps, "unknown"), lockout.DimCompliantNetwork: truth[at.compliant],
		lockout.DimDevice: name, lockout.DimSignInRisk: at.risk, lockout.DimUserRisk: at.userRisk, lockout.DimInsiderRisk: at.insider,
		lockout.DimClientApp: at.client, lockout.DimFlow: or(at.flow, "none"), lockout.DimSmartLockout: truth[at.locked], lockout.DimAuthService: outage[at.outage],
	}
}

// attempts are the sign-in in the evaluator's words: one attempt for each step of
// the goal.
func (t *agreeTenant) attempts(at *signIn) []sandbox.Attempt {
	g := at.goal
	a := sandbox.Attempt{UserID: string(t.people[at.who].id), AppID: string(g.goal.Client), Audiences: texts(g.goal.Audiences), LowPrivilege: g.goal.LowPrivOnly,
		Writes: g.goal.MandatoryMFA == "phase2", ClientApp: at.client, Platform: at.platform, IP: t.addresses[at.ip].ip, ResourceIP: t.addresses[at.resource].ip,
		Country: at.country, GPSCountry: at.gps, CompliantNetwork: at.compliant, Device: t.devices[at.device], Flow: at.flow, UserRisk: at.userRisk,
		SignInRisk: at.risk, InsiderRisk: at.insider, LockedOut: at.locked, Outage: at.outage}
	switch {
	case g.step.Context != "":
		a.Context = g.step.Context
		return []sandbox.Attempt{a}
	case g.step.Action != "":
		b := a
		b.Action, b.Audiences = g.step.Action, texts(g.step.Audiences)
		return []sandbox.Attempt{a, b}
	}
	return []sandbox.Attempt{a}
}

func texts(ids []entra.ID) []string {
	out := []string{}
	for _, id := range ids {
		out = append(out, string(id))
	}
	return out
}

// tell describes a sign-in for whoever has to find out who is right.
func (t *agreeTenant) tell(at *signIn) string {
	p := &t.people[at.who]
	var kit []string
	for _, s := range p.kits[0] {
		kit = append(kit, s.Mode)
	}
	return fmt.Sprintf("%s (%s) for %s: %v; kit %s", p.name, p.id, at.goal.name, t.point(at), strings.Join(kit, ","))
}

// never says why a policy can apply to none of the sign-ins, or to all; "" it can
// do both.
func (t *agreeTenant) never(i int, fewOn, fewOff bool) string {
	if !fewOn && !fewOff {
		return ""
	}
	c := &t.enabled[i].Conditions
	none := func(ids []entra.ID) bool {
		return !slices.ContainsFunc(ids, func(id entra.ID) bool { return !id.Equal("None") })
	}
	u, a := &c.Users, &c.Applications
	trouble := len(t.enabled[i].Unmodelled) > 0
	switch {
	case fewOn && none(u.IncludeUsers) && len(u.IncludeGroups)+len(u.IncludeRoles) == 0 && u.IncludeGuests == nil:
		return "never: it includes no person"
	case fewOn && none(a.Include) && len(a.UserActions)+len(a.AuthContexts) == 0:
		return "never: it has no target that a person signs in to"
	case fewOn && len(t.inside[i]) == 0:
		return "never: whoever it includes it excludes too"
	case fewOn && u.IncludeGuests != nil && len(u.IncludeUsers)+len(u.IncludeGroups)+len(u.IncludeRoles) == 0 && !slices.ContainsFunc(u.IncludeGuests.Types, func(g entra.GuestType) bool {
		return strings.EqualFold(string(g), "internalGuest") || strings.HasPrefix(string(g), "b2bCollaboration")
	}):
		return "never: it is for guests that sign in elsewhere"
	case fewOn && t.gone(c):
		return "not surely: it names a location that is gone, or one by GPS, or the MFA trusted IPs"
	case trouble:
		return "not surely: it holds something that nobody documents"
	}
	return ""
}

// gone reports whether a policy names a location of which not everything can be
// told.
func (t *agreeTenant) gone(c *entra.Conditions) bool {
	if c.Locations == nil {
		return false
	}
	view := t.snap.View()
	return slices.ContainsFunc(slices.Concat(c.Locations.Include, c.Locations.Exclude), func(id entra.ID) bool {
		if id.Equal("All") || id.Equal("AllTrusted") || id.Equal("3d46dbda-8382-466a-856d-eb00cbc6b910") {
			return false
		}
		at := slices.IndexFunc(view.Locations, func(l entra.NamedLocation) bool { return l.ID.Equal(id) })
		return at < 0 || view.Locations[at].GPS
	})
}
