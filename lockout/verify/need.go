package verify

import (
	"fmt"
	"slices"

	"halligan/lockout/facts"
)

// moment is the part of a sign-in on which the satisfaction of a policy depends.
type moment struct {
	platform, client, flow string
	device                 *Device
	locked                 bool
}

func (m *moment) String() string {
	s := fmt.Sprintf("%s, %s, flow %s, %s", m.platform, m.client, m.flow, m.device.name())
	if m.locked {
		s += ", password locked"
	}
	return s
}

// legacy clients satisfy no MFA, terms, custom or device control.
func (m *moment) legacy() bool { return m.client == "exchangeActiveSync" || m.client == "other" }

// scene is a leaf of the certificate with the option that works in it.
type scene struct {
	index int
	box   box
	kit   *kit
	role  string // activated, folded; "" none
	opt   *option
}

// stage is one evaluation of Conditional Access on the way to the goal.
type stage struct {
	name, kind      string // kind: resource, userAction, context
	audiences       []string
	action, context string
	extra           string // role that is active in addition
	lowPriv         bool
}

// moments calls f for every moment of a box that differs in one of the
// dimensions; the others stand at their first class. It stops at an error.
func (c *checker) moments(b box, dims []int, f func(m *moment, at box) error) error {
	var m moment
	at := b
	var walk func(i int) error
	walk = func(i int) error {
		if i == len(momentDims) {
			return f(&m, at)
		}
		d := momentDims[i]
		whole := at[d]
		for v := range c.values[d] {
			if whole != nil && !whole[v] {
				continue
			}
			c.set(&m, d, v)
			if slices.Contains(dims, d) {
				at[d] = make([]bool, len(c.values[d]))
				at[d][v] = true
			}
			if err := walk(i + 1); err != nil {
				return err
			}
			at[d] = whole
			if !slices.Contains(dims, d) {
				return nil
			}
		}
		return nil
	}
	return walk(0)
}

var momentDims = []int{dPlatform, dDevice, dClient, dFlow, dLocked}

func (c *checker) set(m *moment, d, v int) {
	text := c.values[d][v]
	switch d {
	case dPlatform:
		m.platform = text
	case dDevice:
		m.device = &c.devices[v]
	case dClient:
		m.client = text
	case dFlow:
		m.flow = text
	case dLocked:
		m.locked = text == "true"
	}
}

// depends lists the dimensions on which the satisfaction of a policy depends.
func (p *policy) depends() []int {
	out := []int{dClient, dFlow, dLocked}
	if p.tokens || slices.Contains(p.controls, "domainjoineddevice") {
		return append(out, dDevice, dPlatform)
	}
	if slices.Contains(p.controls, "compliantdevice") || len(p.terms) > 0 {
		return append(out, dDevice)
	}
	return out
}

// met says of one item of the policy's grant whether it is surely met.
func (c *checker) met(p *policy, k *kit, control string, m *moment) bool {
	switch control {
	case "mfa":
		return !m.legacy() && k.mfa(m.locked)
	case "authenticationstrength":
		return !m.legacy() && p.strength != nil && k.meets(c.t.resolve(p.strength), m.locked)
	case "compliantdevice":
		return !m.legacy() && m.flow != "deviceCodeFlow" && m.device.is("isCompliant", "true")
	case "domainjoineddevice":
		return !m.legacy() && m.flow != "deviceCodeFlow" && m.platform == "windows" && m.device.is("trustType", "ServerAD")
	case "passwordchange":
		// MFA first, then the change of a known cloud password.
		return !m.legacy() && k.mfa(m.locked) && k.has("password", m.locked)
	case "riskremediation":
		guest, known := c.a.guest()
		return known && !guest && !m.legacy() && k.mfa(m.locked) && k.has("password", m.locked)
	}
	return false // block, custom factors, broker apps, and what is not known
}

// termsMet says whether an agreement can be accepted: not on each device anew
// from one that is not registered.
func (c *checker) termsMet(id string, m *moment) bool {
	if m.legacy() {
		return false
	}
	if m.device.Registered {
		return true
	}
	if x := c.t.agreements[id]; x != nil {
		return !x.is("perDevice")
	}
	return c.t.supposed["agreements"] // that none is per device
}

// grantItems lists the items of the grant, folded.
func (p *policy) grantItems() []string {
	out := slices.Clone(p.controls)
	if p.strength != nil {
		out = append(out, "authenticationstrength")
	}
	for range p.terms {
		out = append(out, "termsofuse")
	}
	for range p.customFactors {
		out = append(out, "customauthenticationfactor")
	}
	return out
}

// satisfied says whether the policy lets the sign-in pass. Items count only when
// they are claimed; without is a control that is dropped. A nil claim claims
// everything.
func (c *checker) satisfied(p *policy, k *kit, m *moment, claimed map[string]bool, without string) bool {
	items := p.grantItems()
	met, terms := 0, 0
	for _, it := range items {
		ok := it == without
		switch {
		case it == "block":
			return false
		case it == "termsofuse":
			ok = ok || c.termsMet(p.terms[terms], m)
			terms++
		default:
			ok = ok || c.met(p, k, it, m)
		}
		if ok && (claimed == nil || claimed[it]) {
			met++
		}
	}
	enough := met == len(items) || p.operator == "or" && met > 0
	return enough && c.sessionHarmless(p, k, m)
}

// sessionHarmless judges the session controls that can hurt.
func (c *checker) sessionHarmless(p *policy, k *kit, m *moment) bool {
	if p.never || p.cloudApps != "" && p.cloudApps != "monitoronly" {
		return false
	}
	if p.everyTime {
		// Full reauthentication: without MFA it may loop, and with only a
		// one-time pass nobody says.
		lasting := slices.DeleteFunc(slices.Clone(k.open(m.locked)), func(x *credential) bool { return x.mode == "temporaryaccesspassonetime" })
		if m.legacy() || !claims(lasting) {
			return false
		}
	}
	if p.tokens {
		native := m.client == "mobileAppsAndDesktopClients"
		bound := m.platform == "windows" || m.platform == "macOS" && (native || m.device.managed()) || m.platform == "iOS" && native
		if !bound || !m.device.Registered {
			return false
		}
	}
	return true
}

// requirement checks that the policy is satisfied wherever boxes and scene meet.
func (c *checker) requirement(p *policy, st *stage, sc *scene, boxes []box, claimed map[string]bool) error {
	for _, b := range boxes {
		here, ok := meet(b, sc.box)
		if !ok {
			continue
		}
		err := c.moments(here, p.depends(), func(m *moment, at box) error {
			if c.satisfied(p, sc.kit, m, claimed, "") || c.superseded(p, st, sc, m, at, claimed) {
				return nil
			}
			return fmt.Errorf("it is not satisfied at %s", m)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// droppable names the control of the policy that another policy can take the
// place of.
func droppable(p *policy, st *stage) string {
	switch {
	case slices.Contains(p.controls, "passwordchange"):
		return "passwordchange"
	case st.kind == "userAction" && p.strength != nil && len(p.actions) == 0:
		return "authenticationstrength"
	}
	return ""
}

// supersedes reports whether a policy takes the place of a control of another
// one, as far as account and target go: risk remediation that of a password
// change, a strength aimed at the user action that of one for all resources.
func (c *checker) supersedes(x, p *policy, st *stage, drop string) bool {
	kind := drop == "passwordchange" && slices.Contains(x.controls, "riskremediation") ||
		drop == "authenticationstrength" && x.strength != nil && len(x.actions) > 0
	return kind && x != p && x.state == "enabled" && c.a.surelyIncludes(x, st.extra) && !c.a.mayExclude(x, st.extra) && c.a.targets(x, st, true)
}

// superseded says whether the failing control is dropped in all of a box.
func (c *checker) superseded(p *policy, st *stage, sc *scene, m *moment, at box, claimed map[string]bool) bool {
	drop := droppable(p, st)
	if drop == "" || claimed != nil && !claimed[drop] || !c.satisfied(p, sc.kit, m, claimed, drop) {
		return false
	}
	var by []box
	for _, x := range c.t.policies {
		if c.supersedes(x, p, st, drop) {
			by = append(by, c.surelyApplies(x)...)
		}
	}
	steps := maxSteps
	return len(by) > 0 && covered(at, by, &steps)
}

// inScope reports whether a policy that may be enforced may concern the account
// in a stage.
func (c *checker) inScope(p *policy, st *stage) bool {
	return (p.state == "enabled" || p.state == "") && c.a.mayInclude(p, st.extra) && !c.surelyExcluded(p, st) && c.a.targets(p, st, false)
}

// surelyExcluded reports whether some route of exclusion holds.
func (c *checker) surelyExcluded(p *policy, st *stage) bool {
	for _, r := range []struct {
		kind string
		ids  []string
	}{{"user", p.excludeUsers}, {"group", p.excludeGroups}, {"role", p.excludeRoles}, {"guest", []string{"internalguest"}}} {
		for _, id := range r.ids {
			if c.a.excluded(p, &Route{Kind: r.kind, ID: id}, st.extra) == nil {
				return true
			}
		}
	}
	return false
}

// resourceBoxes are where a policy applies by the address that the resource
// sees: only where a policy with strict location enforcement, itself or another
// one, applies but for its own network condition.
func (c *checker) resourceBoxes(p *policy, st *stage) []box {
	if !c.geo.strict || p.locations == nil {
		return nil
	}
	var out []box
	for _, s := range c.t.policies {
		if !s.strictLocation || !c.inScope(s, st) {
			continue
		}
		for _, b := range c.mayApply(p, true) {
			if both, ok := meet(s.conditions(), b); ok {
				out = append(out, both)
			}
		}
	}
	return out
}

// locationPrompt: a location by GPS asks the Authenticator app, in report-only
// mode too; without push the person may be blocked.
func (c *checker) locationPrompt(p *policy, st *stage, sc *scene) error {
	if !p.gps || p.state == "disabled" || sc.kit.has("microsoftauthenticatorpush", false) || !c.a.mayInclude(p, st.extra) ||
		c.surelyExcluded(p, st) || !c.a.targets(p, st, false) {
		return nil
	}
	if _, ok := meet(p.conditions(), sc.box); !ok {
		return nil
	}
	return fmt.Errorf("it asks for the location by GPS, and the kit has no Authenticator push")
}

// outage: with resilience defaults disabled, a policy with a condition that
// cannot be judged in an outage denies an existing session, in or out of the
// group, unless its controls were met when the session began.
func (c *checker) outage(p *policy, st *stage, sc *scene) error {
	if !p.noBackup || p.state != "enabled" && p.state != "" || !p.blind() {
		return nil
	}
	during := box{}
	during[dService] = make([]bool, len(c.values[dService]))
	for i, v := range c.values[dService] {
		during[dService][i] = v == "outageExistingSession"
	}
	here, ok := meet(sc.box, during)
	if !ok || !c.a.targets(p, st, false) {
		return nil
	}
	reached := c.a.mayInclude(p, st.extra) || len(p.includeGroups)+len(p.includeRoles) > 0
	// A direct exclusion is the documented remedy.
	spared := slices.ContainsFunc(p.excludeUsers, c.a.isMe) && !p.namesGroups() && !p.exclusionsOpen
	if spared || !reached {
		sync := c.bySync([]box{here})
		if !c.syncsAll(p) || len(sync) == 0 {
			return nil
		}
		here = sync[0]
	}
	for _, b := range c.mayApply(p, false) {
		for _, d := range []int{dSignInRisk, dUserRisk, dInsiderRisk, dCountry, dGPS} {
			b[d] = nil
		}
		if p.namesCountry() {
			// Whether the rest of the network condition is looked at is not said.
			b[dIP], b[dNetwork] = nil, nil
		}
		at, ok := meet(b, here)
		if !ok {
			continue
		}
		if err := c.moments(at, p.depends(), func(m *moment, _ box) error {
			bare := *p
			bare.never, bare.cloudApps, bare.everyTime, bare.tokens = false, "", false, false
			if c.satisfied(&bare, sc.kit, m, nil, "") {
				return nil
			}
			return fmt.Errorf("resilience defaults are disabled and its controls were not met at the start of a session (%s)", m)
		}); err != nil {
			return err
		}
	}
	return nil
}

// serviceGroup spells out a token of a list of applications, folded.
func serviceGroup(token string) []string {
	if len(token) < 9 {
		return nil
	}
	apps, _ := facts.ServiceGroup(token)
	return modesOf(apps)
}

// activeSync are the boxes in which an exclusion may not hold: a policy for
// ActiveSync on all users, guests or roles makes all users subject to it, and
// whether exclusions survive is not documented.
func (c *checker) activeSync(p *policy) []box {
	if !c.syncsAll(p) {
		return nil
	}
	return c.bySync(c.mayApply(p, false))
}

func (c *checker) syncsAll(p *policy) bool {
	wide := len(p.includeRoles) > 0 || p.includeGuests != nil || slices.ContainsFunc(p.includeUsers, func(u string) bool {
		return u == "all" || u == "guestsorexternalusers"
	})
	return wide && (slices.Contains(p.clients, "exchangeactivesync") || p.matchesAll("clientapptypes"))
}

// bySync narrows boxes to sign-ins by Exchange ActiveSync.
func (c *checker) bySync(boxes []box) (out []box) {
	var client box
	client[dClient] = make([]bool, len(c.values[dClient]))
	for i, v := range c.values[dClient] {
		client[dClient][i] = v == "exchangeActiveSync"
	}
	for _, b := range boxes {
		if both, ok := meet(b, client); ok {
			out = append(out, both)
		}
	}
	return out
}
