package sandbox

import (
	"net/netip"
	"slices"
	"strings"
)

// item is one thing that a policy asks for, and whether it is met.
type item struct {
	control string
	met     truth
}

// grant evaluates the grant controls of a policy that applies (entra-docs
// concept-conditional-access-grant).
func (w *World) grant(p *caPolicy, q *question, k *kit, all *applying) (items []item, met truth) {
	for _, c := range p.controls {
		items = append(items, item{controlName(c), w.control(c, p, q, k, all)})
	}
	if p.strength != nil {
		items = append(items, item{"authenticationStrength", w.strengthMet(p, q, k, all)})
	}
	for _, id := range p.terms {
		items = append(items, item{"termsOfUse", w.termsMet(id, q)})
	}
	for range p.custom {
		items = append(items, item{"customAuthenticationFactor", w.customMet(q)})
	}
	met = yes
	if len(items) > 0 && !p.operatorAnd {
		met = no
	}
	for _, i := range items {
		if p.operatorAnd {
			met = met.and(i.met)
		} else {
			met = met.or(i.met)
		}
	}
	if slices.Contains(p.controls, "block") && !w.is("block inside OR is one choice") {
		met = no // block denies, whatever the operator
	}
	for _, name := range p.obscureGrant {
		q.note("grant control " + name)
		items = append(items, item{name, maybe})
		met = met.and(maybe)
	}
	return items, met
}

var controlNames = []string{"block", "mfa", "compliantDevice", "domainJoinedDevice", "approvedApplication", "compliantApplication",
	"passwordChange", "riskRemediation"}

func controlName(c string) string {
	for _, n := range controlNames {
		if wireSame(n, c) {
			return n
		}
	}
	return c
}

func legacyClient(q *question) bool { return q.client == "exchangeactivesync" || q.client == "other" }

// control evaluates a built-in control. Legacy clients satisfy none.
func (w *World) control(name string, p *caPolicy, q *question, k *kit, all *applying) truth {
	d := &q.Device
	mobile := q.platform == "ios" || q.platform == "android"
	switch name {
	case "block":
		return no
	case "mfa":
		return k.mfa
	}
	if legacyClient(q) {
		return no
	}
	switch name {
	case "compliantdevice": // not for the device code flow
		if !d.registered() || !d.Compliant || q.flow == "devicecodeflow" {
			return no
		}
		if q.platform == "unknown" || q.platform == "windowsphone" {
			q.note("compliant device on an unsupported platform")
			return maybe
		}
		return yes
	case "domainjoineddevice":
		return truthOf(d.hybrid() && q.platform == "windows" && q.flow != "devicecodeflow")
	case "approvedapplication":
		return truthOf(mobile && d.registered() && d.ApprovedApp)
	case "compliantapplication":
		if q.platform == "windows" && d.registered() && d.AppMAM {
			q.note("app protection on Windows")
			return maybe
		}
		return truthOf(mobile && d.registered() && d.AppMAM)
	case "passwordchange":
		if all.remediated {
			return yes // a policy with risk remediation takes its place
		}
		return k.mfa.and(truthOf(k.modes["password"]))
	case "riskremediation":
		if q.who.guest != "" {
			return no
		}
		if k.modes["password"] {
			return yes
		}
		// A kit without a password is remediated by signing in again when no
		// password was compromised; the risk level does not say which it is.
		q.note("risk remediation without a password")
		return maybe
	}
	q.note("grant control " + name)
	return maybe
}

func (w *World) strengthMet(p *caPolicy, q *question, k *kit, all *applying) truth {
	if q.Outage == "existingSession" {
		// The backup service does not evaluate strengths (entra-docs
		// resilience-defaults); whether a session could begin that meets none is
		// another matter.
		if w.satisfies(q, k, p.strength) == yes {
			return yes
		}
		q.note("authentication strength in a session that goes on during an outage")
		return maybe
	}
	if q.Action != "" && all.actionStrength && len(p.actions) == 0 {
		return yes // replaced by the one aimed at the action
	}
	return w.satisfies(q, k, p.strength)
}

func (w *World) termsMet(id string, q *question) truth {
	if legacyClient(q) || q.PasswordGrant {
		return no // accepted in an interactive browser
	}
	a := w.state.Get("identityGovernance/termsOfUse/agreements", id)
	if a == nil {
		if q.Device.registered() {
			return yes
		}
		q.note("terms of use that the tenant does not hold")
		return maybe
	}
	return truthOf(!wireBool(a["isPerDeviceAcceptanceRequired"]) || q.Device.registered())
}

func (w *World) customMet(q *question) truth {
	if !w.at.Before(customControlsEnd) {
		q.note("custom controls after their retirement")
		return maybe
	}
	return truthOf(q.Custom && !legacyClient(q) && !q.PasswordGrant)
}

// session evaluates the session controls that can keep a person out.
func (w *World) session(p *caPolicy, q *question, k *kit) []item {
	var out []item
	if p.everyTime && (k.mfa != yes || len(k.modes) == 1 && k.modes["temporaryaccesspassonetime"]) {
		q.note("sign-in frequency every time without MFA")
		out = append(out, item{"signInFrequencyEveryTime", maybe})
	}
	if p.narrowing {
		if t := w.bindable(p, q); t != yes {
			out = append(out, item{"secureSignInSession", t})
		}
	}
	if p.defender == "blockdownloads" || p.defender == "mcasconfigured" || p.defender == "unknownfuturevalue" {
		q.note("session policy in Defender for Cloud Apps")
		out = append(out, item{"cloudAppSecurity", maybe})
	}
	for _, name := range p.obscureSession {
		q.note("session control " + name)
		out = append(out, item{name, maybe})
	}
	return out
}

// Resources whose native clients token protection covers (entra-docs
// concept-token-protection): Exchange Online, SharePoint Online, Teams.
var tokenProtected = []string{"00000002-0000-0ff1-ce00-000000000000", "00000003-0000-0ff1-ce00-000000000000", "cc15fd57-2c6c-4117-a88c-83b1d56b4bbe",
	"1fec8e78-bce4-4aaf-ab1b-5451cc387264"}

// bindable decides token protection (entra-docs
// deployment-guide-token-protection-web-apps): a device that is not registered
// has no key to bind a token to; of platforms that the page does not name nobody
// says what becomes.
func (w *World) bindable(p *caPolicy, q *question) truth {
	meets := func(list []string) bool {
		return slices.ContainsFunc(q.audiences, func(a string) bool { return slices.Contains(list, a) })
	}
	if q.Device.registered() {
		if q.platform == "windows" || q.platform == "macos" || q.platform == "ios" && q.client == "mobileappsanddesktopclients" {
			return yes
		}
		q.note("token protection on another platform")
		return maybe
	}
	switch q.client {
	case "browser":
		if p.named797 && meets(append([]string{msARM}, appGroups[msARM]...)) {
			return no
		}
	case "mobileappsanddesktopclients":
		native := q.platform == "windows" || q.platform == "macos" || q.platform == "ios"
		if native && meets(tokenProtected) {
			return no
		}
	}
	q.note("token protection of all resources")
	return maybe
}

// strictly: under strict location enforcement the address that the resource sees
// must pass the location conditions too; it knows ranges of addresses alone
// (entra-docs concept-continuous-access-evaluation-strict-enforcement). Whether
// the enforcement of one policy reaches the locations of another is not said.
func (v *verdict) strictly(applied []Applied, all *applying) {
	w, q := v.w, v.q
	if q.ResourceIP == "" || q.ResourceIP == q.IP || !all.strict {
		return
	}
	ip, _ := netip.ParseAddr(q.ResourceIP)
	for i, p := range w.policies {
		if p.state != "enabled" || !p.usesLocations || applied[i].Applies {
			continue
		}
		here := w.locationAt(p, q, ip.Unmap(), true)
		for i := range conditions {
			if conditions[i].reason != "location" {
				here = here.and(conditions[i].match(w, p, q))
			}
		}
		if _, met := w.grant(p, q, v.kit, all); here == no || met == yes {
			continue
		}
		if p.strict && here == yes {
			v.deny(p.id, "strictLocation")
		} else {
			v.doubt(p.id, "strictLocation", "strict location enforcement of another policy")
		}
	}
}

// applying is what must be known of all policies that apply before one is judged.
type applying struct {
	remediated     bool // one asks for risk remediation
	actionStrength bool // one aimed at the user action asks for a strength
	strict         bool
}

func survey(list []*caPolicy, q *question) *applying {
	out := &applying{}
	for _, p := range list {
		out.remediated = out.remediated || slices.Contains(p.controls, "riskremediation")
		out.actionStrength = out.actionStrength || p.strength != nil && slices.Contains(p.actions, strings.ToLower(q.Action))
		out.strict = out.strict || p.strict
	}
	return out
}
