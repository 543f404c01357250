package sandbox

import (
	"maps"
	"slices"
	"strings"
)

// verdict gathers what denies and what would go on.
type verdict struct {
	w        *World
	q        *question
	kit      *kit
	blockers []Blocker
	strong   []*strength // combinations that are wanted; nil inside: MFA
	rank     int         // of the worst blocker
	code     int
}

// Judge decides one attempt.
func (w *World) Judge(a Attempt) Outcome {
	out := w.judge(&a)
	if len(out.Unsure) == 0 {
		return out
	}
	// What nobody documents is named only where it decides.
	w.Against = !w.Against
	w.forget()
	other := w.judge(&a)
	w.Against = !w.Against
	w.forget()
	if other.Allowed == out.Allowed && slices.EqualFunc(other.Policies, out.Policies, func(x, y Applied) bool { return x.Applies == y.Applies }) {
		out.Unsure = nil
	}
	return out
}

func (w *World) forget() {
	for _, p := range w.people {
		if p != nil {
			clear(p.usableModes)
		}
	}
}

func (w *World) judge(a *Attempt) Outcome {
	who := w.signer(a.UserID)
	if who == nil {
		return Outcome{Code: 50034, Reason: reasonText(50034), Blockers: []Blocker{{"account", "unknownUser"}}}
	}
	q := w.question(a, who)
	v := &verdict{w: w, q: q}
	v.kit = w.accept(q)
	v.account()
	v.tenant()
	applied := v.policies()
	out := Outcome{Allowed: len(v.blockers) == 0, Policies: applied, Blockers: v.blockers, MFA: v.kit.mfa == yes,
		Unsure: slices.Sorted(maps.Keys(q.unsure))}
	if !out.Allowed {
		if v.rank >= rankStrong && len(v.strong) > 0 {
			out.Wants = v.wants()
		}
		out.Code = v.code
		if len(out.Wants) == 0 && v.rank == rankStrong && v.code == 50076 && !legacyClient(q) && !q.PasswordGrant {
			out.Code = 50079 // must register first
		}
		out.Reason = reasonText(out.Code)
	}
	return out
}

// Ranks say which of several blockers a person is told of first (entra-docs
// concept-conditional-access-grant: the order of prompts).
const (
	rankService = iota
	rankAccount
	rankBlock
	rankStrong
	rankDevice
	rankLast
	rankNone
)

type denial struct{ rank, code int }

var denials = map[string]denial{
	"backupAuthNewSession": {rankService, 90033}, "disabled": {rankAccount, 50057}, "noUsableCredential": {rankAccount, 50126},
	"smartLockout": {rankAccount, 50053}, "tooManyGroups": {rankAccount, 53003},
	"block": {rankBlock, 53003}, "securityDefaultsBlock": {rankBlock, 530035}, "gpsLocation": {rankBlock, 53003},
	"strictLocation": {rankBlock, 53003}, "disableResilienceDefaults": {rankBlock, 53003}, "riskRemediation": {rankBlock, 50135},
	"mfa": {rankStrong, 50076}, "authenticationStrength": {rankStrong, 50076}, "mandatoryMfaPhase1": {rankStrong, 50076},
	"mandatoryMfaPhase2": {rankStrong, 50076}, "securityDefaultsMfa": {rankStrong, 50076}, "perUserMfa": {rankStrong, 50076},
	"compliantDevice": {rankDevice, 53000}, "domainJoinedDevice": {rankDevice, 53001}, "approvedApplication": {rankDevice, 53002},
	"compliantApplication": {rankDevice, 53009}, "passwordChange": {rankLast, 50142}, "termsOfUse": {rankLast, 50158},
	"customAuthenticationFactor": {rankLast, 50158}, "secureSignInSession": {rankDevice, 530084},
	"signInFrequencyEveryTime": {rankLast, 70044}, "registrationCampaign": {rankLast, 50125},
}

// deny records a blocker.
func (v *verdict) deny(source, control string) {
	v.blockers = append(v.blockers, Blocker{source, control})
	d, known := denials[control]
	if !known {
		d = denial{rankLast, 53003}
	}
	if len(v.blockers) == 1 || d.rank < v.rank {
		v.rank, v.code = d.rank, d.code
	}
}

// doubt records a blocker that only one reading knows.
func (v *verdict) doubt(source, control, what string) {
	v.q.note(what)
	if v.w.Against {
		v.deny(source, control)
	}
}

// account holds the gates of the account itself.
func (v *verdict) account() {
	q := v.q
	if strings.EqualFold(q.Outage, "newSession") {
		v.deny("service", "backupAuthNewSession") // entra-docs resilience-defaults
	}
	if enabled, said := q.who.user["accountEnabled"].(bool); said && !enabled {
		v.deny("account", "disabled")
	}
	if v.kit.first == "" {
		if q.LockedOut && len(q.Used) > 0 && wireSame(q.Used[0].Mode, "password") {
			v.deny("account", "smartLockout")
		} else {
			v.deny("account", "noUsableCredential")
		}
	}
	if q.who.tooManyIn {
		v.doubt("account", "tooManyGroups", "account in more than 2048 groups")
	}
	if q.who.perUserMFA && v.kit.mfa != yes && !v.w.is("per-user MFA ignored") {
		v.needMFA("account", "perUserMfa", v.kit.mfa)
	}
}

// needMFA records that MFA is missing.
func (v *verdict) needMFA(source, control string, met truth) {
	if met == maybe {
		met = v.w.lean(false)
	}
	if met != yes {
		v.deny(source, control)
		v.strong = append(v.strong, nil)
	}
}

// tenant holds what the tenant or Microsoft asks of everybody.
func (v *verdict) tenant() {
	w, q := v.w, v.q
	if control := w.mandatory(q); control != "" && !w.is("mandatory MFA ignored") {
		v.needMFA("tenant", control, v.kit.mfa)
	}
	if w.defaults && !w.is("security defaults ignored") {
		v.securityDefaults()
	}
	v.campaign()
}

// mandatory is Microsoft's own demand for MFA, from which no policy excludes
// (entra-docs concept-mandatory-multifactor-authentication): phase 1 on the
// portals, phase 2 on clients that write through Azure Resource Manager. Public
// cloud only.
func (w *World) mandatory(q *question) string {
	if w.foreign || q.Action != "" || q.Context != "" {
		return ""
	}
	switch app := strings.ToLower(q.AppID); {
	case app == msPortal && !w.at.Before(mandatoryPortals), app == msM365 && !w.at.Before(mandatoryM365):
		return "mandatoryMfaPhase1"
	case q.Writes && slices.Contains(q.audiences, msARM) && !w.at.Before(mandatoryClients):
		if w.at.Before(mandatoryNoDelay) {
			q.note("postponement of mandatory MFA")
			if !w.Against {
				return ""
			}
		}
		return "mandatoryMfaPhase2"
	}
	return ""
}

// securityDefaults: entra-docs fundamentals/security-defaults.
func (v *verdict) securityDefaults() {
	q := v.q
	if legacyClient(q) || q.flow == "devicecodeflow" {
		v.deny("tenant", "securityDefaultsBlock")
		return
	}
	admin := false
	for role := range q.who.roles {
		admin = admin || securityDefaultsRoles[role]
	}
	azure := slices.ContainsFunc(q.audiences, func(a string) bool { return a == msARM || a == msPortal })
	if admin || azure {
		v.needMFA("tenant", "securityDefaultsMfa", v.kit.mfa)
	}
	if v.kit.mfa == yes && !v.registeredForDefaults() {
		v.doubt("tenant", "securityDefaultsMfa", "registration that security defaults ask of a passkey alone")
	}
	if len(q.who.methods) > 0 && v.kit.mfa != yes && !admin && !azure && !v.w.canMFA(q.who) {
		v.deny("tenant", "securityDefaultsMfa") // must register
		v.strong = append(v.strong, nil)
	}
}

// registeredForDefaults: a method of the kinds that the registration of security
// defaults names: an authenticator app, a code, a phone.
func (v *verdict) registeredForDefaults() bool {
	return slices.ContainsFunc(v.q.who.methods, func(m Object) bool {
		kind := strings.ToLower(wireText(m["@odata.type"]))
		return strings.Contains(kind, "authenticatorauth") || strings.Contains(kind, "oath") || strings.Contains(kind, "phone")
	}) || slices.ContainsFunc(v.kit.shown, func(s Shown) bool { return methodModes[strings.ToLower(s.Mode)].legacy })
}

// canMFA: the person has methods that make a combination of the MFA strength.
func (w *World) canMFA(u *signer) bool {
	k := &kit{modes: w.reachable(u)}
	return slices.ContainsFunc(judgedStrengths[strengthMFA], func(c string) bool { return k.holds(strings.Split(c, ",")) })
}

// campaign is the registration campaign, which forces registration once its skips
// are used up; nobody can read from Graph whether they are (entra-docs
// how-to-mfa-registration-campaign).
func (v *verdict) campaign() {
	w, q := v.w, v.q
	c := wireObject(wireObject(w.state.Single["policies/authenticationMethodsPolicy"]["registrationEnforcement"])["authenticationMethodsRegistrationCampaign"])
	if !wireSame(wireText(c["state"]), "enabled") || v.kit.mfa != yes || q.client != "browser" {
		return
	}
	if forced, said := c["enforceRegistrationAfterAllowedSnoozes"].(bool); said && !forced || q.platform == "android" || q.platform == "ios" {
		return
	}
	if slices.ContainsFunc(wireObjects(c["excludeTargets"]), func(t Object) bool { return q.who.target(t) }) {
		return
	}
	for _, t := range wireObjects(c["includeTargets"]) {
		method := strings.ToLower(wireText(t["targetedAuthenticationMethod"]))
		if !q.who.target(t) || method == "fido2" && q.platform == "linux" {
			continue
		}
		has := method == "fido2" && v.kit.modes["fido2"] || slices.ContainsFunc(q.who.methods, func(m Object) bool {
			return strings.HasPrefix(strings.ToLower(wireText(m["@odata.type"])), "#microsoft.graph."+method)
		})
		name := map[string]string{"microsoftauthenticator": "microsoftauthenticatorpush"}[method]
		if name == "" {
			name = method
		}
		if !has && w.modeUsable(q.who, name) != no {
			v.doubt("tenant", "registrationCampaign", "skips of the registration campaign")
			return
		}
	}
}

// wants lists the combinations of modes that would meet every demand for MFA or
// strength together with what was shown, and that the person can show.
func (v *verdict) wants() [][]string {
	w := v.w
	have := w.reachable(v.q.who)
	var candidates [][]string
	for _, s := range v.strong {
		if s != nil {
			candidates = append(candidates, s.combinations...)
			continue
		}
		for _, c := range judgedStrengths[strengthMFA] {
			candidates = append(candidates, normalCombination(c))
		}
	}
	var out [][]string
	seen := map[string]bool{}
	for _, c := range candidates {
		k := &kit{shown: slices.Clone(v.kit.shown), modes: maps.Clone(v.kit.modes), first: v.kit.first}
		possible := true
		for _, m := range c {
			possible = possible && (k.modes[m] || have[m])
			if !k.modes[m] {
				k.shown = append(k.shown, w.example(v.q.who, m)...)
			}
			k.modes[m] = true
		}
		name := strings.Join(c, ",")
		if !possible || seen[name] {
			continue
		}
		seen[name] = true
		met := true
		for _, s := range v.strong {
			if s == nil {
				met = met && w.multifactor(v.q, k) != no
			} else {
				met = met && w.satisfies(v.q, k, s) != no
			}
		}
		if met {
			named := make([]string, len(c))
			for i, m := range c {
				named[i] = methodModes[m].name
			}
			out = append(out, named)
		}
	}
	return out
}

// example makes the registered keys of a person into shown methods, so that the
// configurations of a strength can be asked about them.
func (w *World) example(u *signer, name string) []Shown {
	if name != "fido2" {
		return []Shown{{Mode: name}}
	}
	var out []Shown
	for _, m := range u.methods {
		if wireSame(wireText(m["@odata.type"]), "#microsoft.graph.fido2AuthenticationMethod") {
			out = append(out, Shown{Mode: name, MethodID: wireText(m["id"]), AAGUID: strings.ToLower(wireText(m["aaGuid"]))})
		}
	}
	return out
}
