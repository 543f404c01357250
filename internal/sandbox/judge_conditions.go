package sandbox

import (
	"net/netip"
	"slices"
	"strings"
)

// question is an attempt made ready for the policies: lower case, its audiences
// known, its addresses read.
type question struct {
	*Attempt
	who       *signer
	audiences []string
	client    string // client app type, lower case
	platform  string
	flow      string
	ip        netip.Addr
	unsure    map[string]bool
	// What-If may leave things open: then these are set, and a policy that asks
	// for one of them cannot be decided.
	open map[string]bool
}

func (w *World) question(a *Attempt, who *signer) *question {
	q := &question{Attempt: a, who: who, client: strings.ToLower(a.ClientApp), platform: strings.ToLower(a.Platform),
		flow: strings.ToLower(a.Flow), unsure: map[string]bool{}}
	if q.client == "" {
		q.client = "browser"
	}
	if q.client == "eassupported" {
		q.client = "exchangeactivesync"
	}
	if q.platform == "" {
		q.platform = "unknown"
	}
	q.ip, _ = netip.ParseAddr(a.IP)
	q.ip = q.ip.Unmap()
	q.audiences = audiences(a)
	return q
}

func audiences(a *Attempt) []string {
	if a.Audiences != nil {
		return wireList(a.Audiences)
	}
	if a.Action != "" && a.Resource == "" {
		return []string{msSecurityInfo}
	}
	out := slices.Clone(audiencesOf[strings.ToLower(a.AppID)])
	if r := strings.ToLower(a.Resource); r != "" && !slices.Contains(out, r) {
		out = append(out, r)
	}
	if len(out) == 0 {
		out = []string{strings.ToLower(a.AppID)}
	}
	return out
}

// note records an undocumented behaviour that was met.
func (q *question) note(what string) { q.unsure[what] = true }

// caCondition is one assignment of a policy: whether it matches, and the What-If
// reason when it does not.
type caCondition struct {
	reason string
	match  func(*World, *caPolicy, *question) truth
}

// conditions in the order of What-If's reasons; all are ANDed (entra-docs
// concept-conditional-access-policies).
var conditions = []caCondition{
	{"users", (*World).matchUsers},
	{"application", (*World).matchTarget},
	{"devicePlatform", (*World).matchPlatform},
	{"devices", (*World).matchDevice},
	{"clientApps", (*World).matchClient},
	{"location", (*World).matchLocation},
	{"signInRisk", func(w *World, p *caPolicy, q *question) truth {
		return q.risk("signInRisk", p.signInRisk, q.SignInRisk)
	}},
	{"userRisk", func(w *World, p *caPolicy, q *question) truth {
		if w.is("user risk ignored") {
			return yes
		}
		return q.risk("userRisk", p.userRisk, q.UserRisk)
	}},
	{"insiderRisk", func(w *World, p *caPolicy, q *question) truth {
		return q.risk("insiderRisk", w.flags(p.insiderRisk), q.InsiderRisk)
	}},
	{"authenticationFlow", func(w *World, p *caPolicy, q *question) truth {
		if len(p.flows) == 0 {
			return yes
		}
		return q.known("authenticationFlow", truthOf(slices.Contains(w.flags(p.flows), q.flow)))
	}},
	{"invalidCondition", (*World).matchObscure},
}

func (w *World) flags(list []string) []string {
	if w.is("flags read as one word") && len(list) > 1 {
		return []string{strings.Join(list, ",")}
	}
	return list
}

// known replaces a decision by "not enough information" when the caller left the
// input open.
func (q *question) known(input string, t truth) truth {
	if q.open[input] {
		q.note("open:" + input)
		return no
	}
	return t
}

func (q *question) risk(input string, levels []string, level string) truth {
	if len(levels) == 0 {
		return yes
	}
	if level == "" {
		level = "none"
	}
	return q.known(input, truthOf(slices.Contains(levels, strings.ToLower(level))))
}

// applies decides whether a policy, were it enabled, would apply. Reasons are
// gathered only when asked for.
func (w *World) applies(p *caPolicy, q *question, reasons *[]string) truth {
	out := yes
	for i := range conditions {
		t := conditions[i].match(w, p, q)
		out = out.and(t)
		if t == no {
			if reasons == nil {
				return no
			}
			*reasons = append(*reasons, reasonOf(conditions[i].reason, p, q))
		}
	}
	return out
}

func reasonOf(reason string, p *caPolicy, q *question) string {
	if reason == "users" && p.workload {
		return "workloadIdentities"
	}
	if reason == "application" {
		switch {
		case len(p.contexts) > 0:
			return "authenticationContext"
		case len(p.actions) > 0:
			return "userActions"
		}
	}
	return reason
}

func (w *World) matchUsers(p *caPolicy, q *question) truth {
	if p.workload || p.workloadRisk {
		return no // entra-docs conditional-access/workload-identity
	}
	u := q.who
	named := slices.Contains(p.users, u.id)
	broad := slices.Contains(p.users, "all") || w.guestListed(p.users, u) || anyOf(p.roles, u.roles)
	active := q.client == "exchangeactivesync" && p.names(q.client)
	if active && (len(p.roles) > 0 || p.guests != nil || slices.Contains(p.users, "guestsorexternalusers")) {
		broad = true // such a policy makes all users subject to it (entra-docs concept-conditional-access-conditions)
	}
	in := truthOf(named || broad || anyOf(p.groups, u.groups)).or(w.guestMatch(p.guests, q))
	if w.is("guests counted as members") && u.guest != "" && slices.Contains(p.users, "all") {
		in = no
	}
	if in == no {
		return no
	}
	out := no
	if !w.is("excluded users ignored") {
		out = truthOf(slices.Contains(p.notUsers, u.id) || slices.Contains(p.notUsers, "all") || w.guestListed(p.notUsers, u))
	}
	if !w.is("excluded groups ignored") {
		out = out.or(truthOf(anyOf(p.notGroups, u.groups)))
	}
	if !w.is("excluded roles ignored") {
		out = out.or(truthOf(anyOf(p.notRoles, u.roles)))
	}
	out = out.or(w.guestMatch(p.notGuests, q))
	if out == yes && broad && active {
		// Whether its exclusions survive is not said.
		q.note("exclusions of Exchange ActiveSync policies")
		out = maybe
	}
	return in.and(-out)
}

func (p *caPolicy) names(client string) bool {
	return slices.Contains(p.clients, client) || client == "exchangeactivesync" && slices.Contains(p.clients, "eassupported")
}

func anyOf(ids []string, have map[string]bool) bool {
	return slices.ContainsFunc(ids, func(id string) bool { return have[id] })
}

// guestListed reads the token that older policies hold in their user lists.
func (w *World) guestListed(list []string, u *signer) bool {
	return u.guest != "" && slices.Contains(list, "guestsorexternalusers")
}

func (w *World) guestMatch(g *guestRule, q *question) truth {
	if g == nil || q.who.guest == "" || !slices.Contains(g.kinds, q.who.guest) {
		return no
	}
	if g.listed && q.who.guest != "internalguest" {
		q.note("home tenant of a guest")
		return maybe
	}
	return yes
}

func (w *World) matchTarget(p *caPolicy, q *question) truth {
	switch {
	case q.Action != "":
		if slices.Contains(p.actions, strings.ToLower(q.Action)) {
			return yes
		}
		if len(p.actions)+len(p.contexts) > 0 || !slices.Contains(p.apps, "all") {
			return no
		}
		// Policies on all resources act while security information is registered
		// (entra-docs concept-authentication-strength-how-it-works). Of device
		// registration nobody says so.
		t := w.matchAudiences(p, q)
		if t != no && !wireSame(q.Action, "urn:user:registersecurityinfo") {
			q.note("policies on all resources during device registration")
			return maybe
		}
		return t
	case q.Context != "":
		return truthOf(slices.Contains(p.contexts, strings.ToLower(q.Context)))
	case len(p.contexts) > 0 && w.is("context policies always apply"):
		return yes
	case len(p.actions)+len(p.contexts) > 0:
		return no
	}
	return w.matchAudiences(p, q)
}

// matchAudiences: a policy applies if one of the audiences is in its scope
// (entra-docs troubleshoot-conditional-access, "Audience reporting").
func (w *World) matchAudiences(p *caPolicy, q *question) truth {
	list := q.audiences
	if q.LowPrivilege && slices.Contains(p.apps, "all") && len(p.notApps) > 0 {
		if w.LowPrivilegeUnknown {
			q.note("enforcement of low-privilege scopes")
			return maybe
		}
		if w.LegacyLowPrivilege {
			if len(p.notApps) == 1 && p.notApps[0] == "allagentidresources" {
				q.note("baseline scopes where only agent resources are excluded")
				return maybe
			}
			return no
		}
		list = []string{msDirectory}
	}
	out := no
	for _, app := range list {
		out = out.or(w.inScope(p, q, app))
	}
	return out
}

func (w *World) inScope(p *caPolicy, q *question, app string) truth {
	in := truthOf(slices.Contains(p.apps, "all") || w.appListed(p.apps, app))
	out := truthOf(w.appListed(p.notApps, app) && !w.is("excluded applications ignored"))
	if p.appFilter != nil {
		t := w.appMatches(p.appFilter, q, app)
		if p.appFilter.include {
			in = in.or(t)
			if slices.Contains(p.apps, "all") {
				in = t
			}
		} else {
			out = out.or(t)
		}
	}
	return in.and(-out)
}

func (w *World) appListed(list []string, app string) bool {
	if slices.Contains(list, app) {
		return true
	}
	if w.is("application groups not expanded") {
		return false
	}
	return slices.ContainsFunc(list, func(token string) bool { return slices.Contains(appGroups[token], app) })
}

// appMatches evaluates a filter for applications on the service principal's
// custom security attributes (entra-docs concept-filter-for-applications).
func (w *World) appMatches(f *filterRule, q *question, app string) truth {
	if f.test == nil {
		q.note("filter for applications that does not parse")
		return maybe
	}
	var principal Object
	for _, sp := range w.state.All("servicePrincipals") {
		if wireSame(wireText(sp["appId"]), app) {
			principal = sp
			break
		}
	}
	if principal == nil && w.state.Sets["servicePrincipals"] == nil {
		q.note("attributes of an application that the tenant does not hold")
		return maybe
	}
	sets := wireObject(principal["customSecurityAttributes"])
	return truthOf(f.test(func(name string) []string {
		name = strings.TrimPrefix(name, "customsecurityattribute.")
		for set, attributes := range sets {
			for attribute, value := range wireObject(attributes) {
				if wireSame(set+"_"+attribute, name) {
					if s, ok := value.(string); ok {
						return []string{s}
					}
					return wireElements(value)
				}
			}
		}
		return nil
	}))
}

var clientNames = []string{"all", "browser", "mobileappsanddesktopclients", "exchangeactivesync", "eassupported", "other"}

func (w *World) matchClient(p *caPolicy, q *question) truth {
	if len(p.clients) == 0 || slices.Contains(p.clients, "all") {
		return yes
	}
	if p.names(q.client) {
		return q.known("clientAppType", yes)
	}
	if slices.ContainsFunc(p.clients, func(c string) bool { return !slices.Contains(clientNames, c) }) {
		q.note("unknown client app type")
		return maybe
	}
	return q.known("clientAppType", no)
}

var platformNames = []string{"all", "android", "ios", "windows", "windowsphone", "macos", "linux"}

func (w *World) matchPlatform(p *caPolicy, q *question) truth {
	if len(p.platforms)+len(p.notPlatforms) == 0 {
		return yes
	}
	in := truthOf(len(p.platforms) == 0 || slices.Contains(p.platforms, "all") || slices.Contains(p.platforms, q.platform))
	if w.is("unknown platform escapes all") && q.platform == "unknown" {
		in = no
	}
	out := truthOf(slices.Contains(p.notPlatforms, q.platform) || slices.Contains(p.notPlatforms, "all"))
	strange := func(c string) bool { return !slices.Contains(platformNames, c) }
	if in == no && slices.ContainsFunc(p.platforms, strange) || out == no && slices.ContainsFunc(p.notPlatforms, strange) {
		q.note("unknown platform in a policy")
		return maybe
	}
	return q.known("devicePlatform", in.and(-out))
}

func (w *World) matchLocation(p *caPolicy, q *question) truth {
	if !p.usesLocations {
		return yes
	}
	return w.locationAt(p, q, q.ip, false)
}

// locationAt decides the location condition for an address; byResource is the
// view of continuous access evaluation, which knows addresses alone.
func (w *World) locationAt(p *caPolicy, q *question, ip netip.Addr, byResource bool) truth {
	in := truthOf(len(p.places) == 0)
	for _, id := range p.places {
		in = in.or(w.atPlace(id, q, ip, byResource))
	}
	out := no
	for _, id := range p.notPlaces {
		out = out.or(w.atPlace(id, q, ip, byResource))
	}
	return in.and(-out)
}

func (w *World) atPlace(id string, q *question, ip netip.Addr, byResource bool) truth {
	switch id {
	case placeAll:
		return yes
	case placeAllTrusted:
		out := no
		for name, pl := range w.places {
			if pl.trusted {
				out = out.or(w.inside(name, pl, q, ip, byResource))
			}
		}
		return out
	case placeMFATrusted:
		q.note("ranges of the MFA trusted IPs")
		return maybe
	case placeCompliant:
		return q.known("location", truthOf(q.CompliantNetwork))
	}
	pl := w.places[id]
	if pl == nil {
		q.note("unknown named location")
		return maybe
	}
	return w.inside(id, pl, q, ip, byResource)
}

func (w *World) inside(id string, pl *place, q *question, ip netip.Addr, byResource bool) truth {
	switch {
	case pl.obscure:
		q.note("named location of an unknown kind")
		return maybe
	case pl.compliant:
		return q.known("location", truthOf(q.CompliantNetwork))
	case pl.country:
		country := strings.ToLower(q.Country)
		if pl.gps {
			if !q.who.hasPush() {
				q.note("GPS location without Microsoft Authenticator")
				return maybe
			}
			country = strings.ToLower(q.GPSCountry)
		}
		if byResource {
			return no
		}
		if country == "" {
			return q.known("country", truthOf(pl.unknown))
		}
		return q.known("country", truthOf(slices.Contains(pl.countries, country)))
	}
	return q.known("ipAddress", truthOf(slices.ContainsFunc(pl.ranges, func(r netip.Prefix) bool { return r.Contains(ip) })))
}

func (u *signer) hasPush() bool {
	return slices.ContainsFunc(u.methods, func(m Object) bool {
		return wireSame(wireText(m["@odata.type"]), "#microsoft.graph.microsoftAuthenticatorAuthenticationMethod")
	})
}

// matchDevice evaluates the filter for devices (entra-docs
// concept-condition-filters-for-devices): of an unregistered device every
// attribute is null.
func (w *World) matchDevice(p *caPolicy, q *question) truth {
	f := p.deviceFilter
	if f == nil {
		return yes
	}
	if q.open["deviceInfo"] {
		return q.known("deviceInfo", no)
	}
	if f.test == nil {
		q.note("filter for devices that does not parse")
		return maybe
	}
	d := &q.Device
	if f.extends && d.registered() && !d.Managed && !d.Compliant && !d.hybrid() {
		q.note("extension attributes of an unmanaged device")
		return maybe
	}
	hit := f.test(func(name string) []string { return d.attribute(name) })
	if w.is("negative operator fails on null") && !d.registered() {
		hit = false
	}
	return truthOf(hit == (f.include != w.is("filter mode inverted")))
}

func (d *Device) attribute(name string) []string {
	if !d.registered() {
		return nil
	}
	switch name {
	case "deviceid":
		return oneText(d.ID)
	case "trusttype":
		if d.TrustType == "" && d.Joined {
			return []string{"ServerAD"}
		}
		return oneText(d.TrustType)
	case "iscompliant":
		if d.Compliant {
			return []string{"True"}
		}
		return []string{"False"}
	}
	for k, v := range d.Properties {
		if wireSame(k, name) && v != "" {
			if name == "physicalids" || name == "systemlabels" {
				return strings.Split(v, ",")
			}
			return []string{v}
		}
	}
	return nil
}

func oneText(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// matchObscure: conditions without documented meaning may or may not match.
func (w *World) matchObscure(p *caPolicy, q *question) truth {
	out := yes
	for _, name := range p.obscure {
		q.note("condition " + name)
		out = maybe
	}
	if p.agentRisk {
		q.note("agent risk on a person")
		out = maybe
	}
	if p.network && len(p.apps) == 0 {
		return no
	}
	return out
}
