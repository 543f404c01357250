package sandbox

import (
	"slices"
	"strings"
)

// policies judges every policy and says what each did.
func (v *verdict) policies() []Applied {
	w, q := v.w, v.q
	out := make([]Applied, len(w.policies))
	var now []*caPolicy
	for i, p := range w.policies {
		out[i] = Applied{ID: p.id, Name: p.name, Result: "notEnabled"}
		if p.state != "enabled" && p.state != "enabledforreportingbutnotenforced" {
			continue
		}
		enforced := p.state == "enabled"
		unsure := q.unsure
		if !enforced {
			q.unsure = map[string]bool{} // decides nothing
		}
		t := w.applies(p, q, nil)
		q.unsure = unsure
		if t == maybe {
			t = w.lean(true)
		}
		out[i].Applies = t == yes && (enforced || q.Action == "") // report-only knows no user actions
		out[i].Result = "notApplied"
		if !enforced {
			out[i].Result = "reportOnlyNotApplied"
		}
		if enforced && out[i].Applies {
			now = append(now, p)
		}
		v.gps(p)
	}
	all := survey(now, q)
	for _, p := range w.policies {
		// Where the policy itself has the location condition, it applies at none of
		// the places that are allowed and enforces there all the same.
		all.strict = all.strict || p.strict && p.usesLocations && p.state == "enabled"
	}
	for i, p := range w.policies {
		if out[i].Applies {
			v.enforce(p, &out[i], all)
		} else if p.state == "enabled" && strings.EqualFold(q.Outage, "existingSession") {
			v.resilience(p, all)
		}
	}
	v.strictly(out, all)
	return out
}

// enforce judges a policy that applies.
func (v *verdict) enforce(p *caPolicy, a *Applied, all *applying) {
	w, q := v.w, v.q
	enforced := p.state == "enabled"
	unsure := q.unsure
	if !enforced {
		q.unsure = map[string]bool{}
	}
	items, met := w.grant(p, q, v.kit, all)
	session := w.session(p, q, v.kit)
	q.unsure = unsure
	a.Grant, a.Session = grantNames(p), slices.Clone(p.sessionNames)
	if met == maybe {
		met = w.lean(false)
	}
	a.Result = policyResult(enforced, met == yes, items)
	if !enforced {
		return
	}
	if met != yes {
		for _, i := range items {
			if i.met == yes || i.met == maybe && !w.Against {
				continue
			}
			v.deny(p.id, i.control)
			v.want(i.control, p)
		}
	}
	for _, i := range session {
		if i.met == no || w.Against {
			v.deny(p.id, i.control)
			a.Result = policyResult(enforced, false, nil)
		}
	}
}

func (v *verdict) want(control string, p *caPolicy) {
	switch control {
	case "mfa", "passwordChange":
		v.strong = append(v.strong, nil)
	case "authenticationStrength":
		v.strong = append(v.strong, p.strength)
	}
}

func policyResult(enforced, met bool, items []item) string {
	switch {
	case enforced && met:
		return "success"
	case enforced:
		return "failure"
	case met:
		return "reportOnlySuccess"
	}
	for _, i := range items {
		if i.met == no && i.control != "mfa" && i.control != "authenticationStrength" && i.control != "termsOfUse" &&
			i.control != "passwordChange" && i.control != "customAuthenticationFactor" {
			return "reportOnlyFailure"
		}
	}
	return "reportOnlyInterrupted" // the person would have been asked for something
}

// grantNames are enforcedGrantControls as a sign-in record shows them.
func grantNames(p *caPolicy) []string {
	var out []string
	for _, c := range p.controls {
		out = append(out, grantLabels[c])
	}
	if p.strength != nil {
		out = append(out, "Authentication strength - "+p.strength.name)
	}
	if len(p.terms) > 0 {
		out = append(out, "TermsOfUse")
	}
	if len(p.custom) > 0 {
		out = append(out, "CustomControl")
	}
	return out
}

var grantLabels = map[string]string{"block": "Block", "mfa": "Mfa", "compliantdevice": "RequireCompliantDevice",
	"domainjoineddevice": "RequireDomainJoinedDevice", "approvedapplication": "RequireApprovedApp", "compliantapplication": "RequireCompliantApp",
	"passwordchange": "PasswordChange", "riskremediation": "RiskRemediation"}

// gps: a policy with a GPS location prompts through Microsoft Authenticator, in
// report-only mode too, where not sharing "may result in a block" (entra-docs
// concept-assignment-network).
func (v *verdict) gps(p *caPolicy) {
	if !p.usesLocations || v.q.who.hasPush() {
		return
	}
	for _, id := range slices.Concat(p.places, p.notPlaces) {
		if pl := v.w.places[id]; pl != nil && pl.gps && v.w.matchUsers(p, v.q) == yes && v.w.matchTarget(p, v.q) == yes &&
			v.w.matchClient(p, v.q) == yes && v.w.matchPlatform(p, v.q) == yes {
			v.doubt(p.id, "gpsLocation", "GPS location without Microsoft Authenticator")
			return
		}
	}
}

// resilience judges, during an outage, a policy that turned resilience defaults
// off and does not apply by what can be seen: when it has a condition that cannot
// be evaluated in real time (groups, roles, risk, country), a session whose
// controls were not satisfied at its start is denied, in or out of the group
// (entra-docs conditional-access/resilience-defaults).
func (v *verdict) resilience(p *caPolicy, all *applying) {
	w, q := v.w, v.q
	country := slices.ContainsFunc(slices.Concat(p.places, p.notPlaces), func(id string) bool { return w.places[id] != nil && w.places[id].country })
	blind := len(p.insiderRisk)+len(p.groups)+len(p.notGroups)+len(p.roles)+len(p.notRoles)+len(p.signInRisk)+len(p.userRisk) > 0 || country
	if !p.noResilience || !blind || p.workload {
		return
	}
	// What can be seen: the target, the client, the platform, the device, the flow.
	for _, f := range []func(*World, *caPolicy, *question) truth{(*World).matchTarget, (*World).matchClient, (*World).matchPlatform, (*World).matchDevice} {
		if f(w, p, q) == no {
			return
		}
	}
	if len(p.flows) > 0 && !slices.Contains(p.flows, q.flow) || !country && w.matchLocation(p, q) == no {
		return
	}
	named := slices.Contains(p.users, "all") || slices.Contains(p.users, q.who.id)
	if !named && len(p.groups)+len(p.roles) == 0 {
		return
	}
	if _, met := w.grant(p, q, v.kit, all); met == yes {
		return
	}
	if len(p.groups)+len(p.notGroups)+len(p.roles)+len(p.notRoles)+len(p.signInRisk)+len(p.userRisk) == 0 && !country {
		v.doubt(p.id, "disableResilienceDefaults", "insider risk during an outage")
		return
	}
	if slices.Contains(p.notUsers, q.who.id) {
		if len(p.groups)+len(p.notGroups)+len(p.roles)+len(p.notRoles) > 0 {
			v.doubt(p.id, "disableResilienceDefaults", "direct exclusion from a policy with groups during an outage")
		}
		return
	}
	v.deny(p.id, "disableResilienceDefaults")
}
