package lockout

import (
	"fmt"
	"slices"
	"strings"

	"halligan/entra"
	"halligan/lockout/facts"
)

const (
	actionUpdate = "microsoft.directory/conditionalAccessPolicies/basic/update"

	sourceTenant  = "tenant"
	sourceAccount = "account"
	sourceService = "service"
)

// gateResult is what a gate says of one option at one moment.
type gateResult struct {
	fails   bool
	why     []int
	control string
	// only restricts the denial to classes of one dimension; nil: all.
	only      Dimension
	onlyValue func(string) bool
	// except are boxes in which the gate does not deny.
	except []box
}

// gate is a hurdle outside the policies (ca-semantics 4).
type gate struct {
	name   string // as in certificates
	source string
	stage  string
	judge  func(w *denialWriter, m *moment) gateResult
	// pass explains, for certificates and people, why the gate is open.
	pass func(w *denialWriter, m *moment) (reason string, creds []string, comb entra.Combination, detail string)
}

func plainly(reason string) func(*denialWriter, *moment) (string, []string, entra.Combination, string) {
	return func(*denialWriter, *moment) (string, []string, entra.Combination, string) {
		return reason, nil, nil, ""
	}
}

// gates is the table of gates, in the order in which they are told.
var gates = []gate{
	{"accountEnabled", sourceAccount, "signIn", gateEnabled, plainly("enabled")},
	{"usableCredential", sourceAccount, "signIn", gateUsable, passUsable},
	{"groupLimit", sourceAccount, "signIn", gateGroupLimit, plainly("withinLimit")},
	{"federation", sourceAccount, "signIn", gateFederation, plainly("managedDomain")},
	{"passRegistration", sourceAccount, "signIn", gatePassRegistration, passPassRegistration},
	{"mandatoryMfa", sourceTenant, "signIn", gateMandatoryMFA, passMandatoryMFA},
	{"securityDefaults", sourceTenant, "signIn", gateSecurityDefaults, passSecurityDefaults},
	{"perUserMfa", sourceAccount, "signIn", gatePerUserMFA, passPerUserMFA},
	{"registrationCampaign", sourceTenant, "signIn", gateCampaign, passCampaign},
	{"authService", sourceService, "signIn", gateAuthService, plainly("noOutage")},
	{"recoveryRole", sourceAccount, "activation", gateRecoveryRole, passRecoveryRole},
	{"pimActivation", sourceTenant, "activation", gateActivation, passActivation},
	{"protectedAction", sourceTenant, "stepUp", gateProtectedAction, passProtectedAction},
}

// gates adds what the gates deny to an option.
func (w *denialWriter) gates() {
	sp := w.pr.cs.space
	dep := []Dimension{DimClientApp, DimFlow, DimSmartLockout}
	for i := range gates {
		g := &gates[i]
		w.momentsOf(dep, func(m *moment, part box) {
			r := g.judge(w, m)
			if !r.fails {
				return
			}
			b := sp.clone(part)
			if r.only != "" {
				at := sp.at(r.only)
				for v, value := range sp.dims[at].values {
					if !r.onlyValue(value) {
						sp.seg(b, at)[v/64] &^= 1 << uint(v%64)
					}
				}
			}
			for _, piece := range sp.subtractAll(b, r.except) {
				w.add(piece, w.pr.cause(g.source, "", r.control, g.stage), r.why)
			}
		})
	}
}

func denyIf(fails bool, control string) gateResult { return gateResult{fails: fails, control: control} }

// fromAns denies when the answer to "is the gate open" does not hold on the
// reading.
func (w *denialWriter) fromAns(open ans, control string) gateResult {
	return gateResult{fails: !open.may(!w.pr.adverse), why: open.why, control: control}
}

func gateEnabled(w *denialWriter, _ *moment) gateResult {
	return w.fromAns(w.a.enabled, "accountDisabled")
}

func gateUsable(w *denialWriter, m *moment) gateResult {
	r := denyIf(!w.o.kit.hasPrimary(m.locked), "noUsableCredential")
	r.why = w.o.kit.why
	return r
}

func passUsable(w *denialWriter, m *moment) (string, []string, entra.Combination, string) {
	for _, c := range w.o.kit.creds {
		if mode := w.o.kit.modeOf(c); primaryModes[mode] && !(m.locked && c.Type == entra.MethodPassword) {
			return "primary", []string{string(c.ID)}, entra.Combination{mode}, ""
		}
	}
	return "primary", nil, nil, ""
}

func gateGroupLimit(w *denialWriter, _ *moment) gateResult {
	if len(w.a.groups) <= maxGroups || !w.pr.adverse {
		return gateResult{}
	}
	return gateResult{fails: true, control: "groupLimit", why: []int{w.p.unknowns.add(Unknown{ID: "group-limit",
		What: fmt.Sprintf("an account in more than %d groups may be blocked", maxGroups), Settle: "take the account out of groups"})}}
}

// gateFederation: with enforceMfaByFederatedIdp only the provider's own MFA
// counts; the cloud methods are then ignored adversely.
func gateFederation(w *denialWriter, _ *moment) gateResult {
	d := w.p.domainOf(w.a)
	open := sure(true)
	switch {
	case d != nil && strings.EqualFold(d.Authentication, "Managed"):
	case d != nil && strings.EqualFold(d.Authentication, "Federated"):
		if d.IdpMFA == "" || strings.EqualFold(d.IdpMFA, "enforceMfaByFederatedIdp") {
			open = w.p.unknowns.open(Unknown{ID: "federated-idp-mfa", Subject: d.Name, What: "the domain is federated; with enforceMfaByFederatedIdp no cloud method counts", Settle: "move the account to the onmicrosoft.com domain"})
		}
	case strings.HasSuffix(strings.ToLower(w.a.name), ".onmicrosoft.com"):
	case w.p.read(entra.PartDomains) && !slices.ContainsFunc(w.p.view.Domains, func(d entra.Domain) bool { return strings.EqualFold(d.Authentication, "Federated") }):
	default:
		open = w.p.unknowns.open(Unknown{ID: "domain-authentication", What: "whether the account's domain is managed or federated was not read",
			Settle: "export the domains (GET /domains) or --suppose ordinary"})
	}
	return w.fromAns(open, "federatedDomain")
}

// gatePassRegistration: after a browser sign-in with a pass, an account in scope
// of a registration policy must register methods first, keys not offered
// (entra-docs howto-authentication-temporary-access-pass).
func gatePassRegistration(w *denialWriter, m *moment) gateResult {
	if w.p.view.RegistrationRuledOut || m.client != entra.ClientBrowser || !onlyPass(w.o.kit, m.locked) {
		return gateResult{}
	}
	open := w.p.unknowns.open(Unknown{ID: "pass-registration", What: "whether the account is in scope of SSPR or ID Protection registration, which interrupts a sign-in by pass, is not in Graph",
		Settle: "look it up in the portal and --suppose registration=out-of-scope"})
	return w.fromAns(open, "passRegistration")
}

func onlyPass(k *kit, locked bool) bool {
	pass := false
	for _, c := range k.creds {
		mode := k.modeOf(c)
		switch {
		case c.Type == entra.MethodTAP:
			pass = true
		case primaryModes[mode] && !(locked && c.Type == entra.MethodPassword):
			return false
		}
	}
	return pass
}

func passPassRegistration(w *denialWriter, m *moment) (string, []string, entra.Combination, string) {
	switch {
	case !onlyPass(w.o.kit, m.locked):
		return "otherPrimary", nil, nil, ""
	case m.client != entra.ClientBrowser:
		return "notBrowser", nil, nil, ""
	}
	return "outOfScope", nil, nil, ""
}

// mfaResult denies when the kit makes no claim of MFA.
func (w *denialWriter) mfaResult(m *moment, control string) gateResult {
	met, _ := w.p.mfaMet(w.o.kit, m)
	return w.fromAns(met, control)
}

func (w *denialWriter) passMFA(m *moment) (string, []string, entra.Combination, string) {
	c, used, _ := w.o.kit.mfa(m.locked)
	return "mfa", credIDs(used), c, ""
}

var mandatoryControls = map[string]string{"phase1": "mandatoryMfaPhase1", "phase2": "mandatoryMfaPhase2"}

// gateMandatoryMFA: Microsoft's own requirement, without exclusion (entra-docs
// concept-mandatory-multifactor-authentication); public cloud only.
func gateMandatoryMFA(w *denialWriter, m *moment) gateResult {
	if !w.mandatory() {
		return gateResult{}
	}
	return w.mfaResult(m, mandatoryControls[w.q.Goal.MandatoryMFA])
}

func (w *denialWriter) mandatory() bool {
	cloud := strings.ToLower(w.p.view.Cloud)
	return w.q.Goal.MandatoryMFA != "" && (cloud == "" || cloud == "public") && !w.p.fault(faultMandatoryMFAIgnored)
}

func passMandatoryMFA(w *denialWriter, m *moment) (string, []string, entra.Combination, string) {
	if !w.mandatory() {
		return "notRequired", nil, nil, ""
	}
	return w.passMFA(m)
}

// securityDefaults is on, off or not known. Enabled policies cannot exist
// beside security defaults.
func (p *Prover) securityDefaults() ans {
	if p.view.SecurityDefaults != nil {
		return sure(*p.view.SecurityDefaults)
	}
	for _, pol := range p.policies {
		if pol.policy.State == entra.StateEnabled {
			return sure(false)
		}
	}
	return p.unknowns.open(Unknown{ID: "security-defaults", What: "whether security defaults are on was not read",
		Settle: "export GET /policies/identitySecurityDefaultsEnforcementPolicy or --suppose ordinary"})
}

// gateSecurityDefaults: MFA for administrators at every sign-in, legacy and
// device code sign-ins blocked, no exclusions (entra-docs security-defaults).
func gateSecurityDefaults(w *denialWriter, m *moment) gateResult {
	on := w.p.securityDefaults()
	if on.v == no || w.p.fault(faultSecurityDefaultsIgnored) {
		return gateResult{}
	}
	if m.legacy() {
		return w.fromAns(on.not(), "securityDefaultsLegacyAuth")
	}
	if m.flow == entra.FlowDeviceCode {
		return w.fromAns(on.not(), "securityDefaultsDeviceCode")
	}
	met, _ := w.p.mfaMet(w.o.kit, m)
	return w.fromAns(on.not().or(w.registered().and(met.or(w.defaultsSpare()))), "securityDefaultsMfa")
}

// defaultsSpare: security defaults ask the listed administrators at every
// sign-in and everybody for the portals and Resource Manager; whom else they
// ask "when necessary" nobody can say.
func (w *denialWriter) defaultsSpare() ans {
	for _, aud := range w.q.Goal.Audiences {
		if portals, _ := facts.ServiceGroup(string(armApp)); aud.Equal(armApp) || slices.ContainsFunc(portals, aud.Equal) {
			return sure(false)
		}
	}
	for _, r := range facts.Roles() {
		if r.SecurityDefaultsMFA && w.p.holdsRole(w.a, r.ID, w.o.role).v == yes {
			return sure(false)
		}
	}
	return w.p.unknowns.open(Unknown{ID: "security-defaults-when-necessary", What: "when security defaults ask a person without an administrator role for MFA is not documented", Settle: "register a method that meets MFA"})
}

// registered says whether the account has registered what security defaults
// demand of everybody, without grace: Authenticator or a one-time code, usable.
// Whether a passkey and the like count is not documented; a password or a
// single-factor certificate does not.
func (w *denialWriter) registered() ans {
	if w.o.kit.anything {
		return sure(true)
	}
	r := sure(false)
	if w.a.facts == nil || !w.a.facts.MethodsRead {
		r = ans{unknown, w.o.kit.why}
	}
	for i := 0; w.a.facts != nil && i < len(w.a.facts.Methods); i++ {
		m := &w.a.facts.Methods[i]
		if w.p.lost[string(m.ID)] {
			continue
		}
		counts := sure(true)
		switch m.Type {
		case entra.MethodAuthenticatorPush, entra.MethodPhoneSignIn, entra.MethodHardwareOath, entra.MethodSoftwareOath, entra.MethodSMS, entra.MethodVoice:
		case entra.MethodPassword, entra.MethodEmail, entra.MethodQRCodePin:
			continue
		default:
			if m.Type == entra.MethodX509 && !m.MultiFactor {
				continue
			}
			counts = w.p.unknowns.open(Unknown{ID: "security-defaults-passkey-registration",
				What: "whether a passkey alone satisfies the registration that security defaults demand is not documented", Settle: "register a method that security defaults surely count (Authenticator or a one-time code), or drill the sign-in"})
		}
		r = r.or(counts.and(w.p.usable(w.a, m, w.q.Now)))
	}
	return r
}

func passSecurityDefaults(w *denialWriter, m *moment) (string, []string, entra.Combination, string) {
	if w.p.securityDefaults().v == no {
		return "off", nil, nil, ""
	}
	return w.passMFA(m)
}

func (w *denialWriter) perUserMFA() ans {
	state := ""
	if w.a.facts != nil {
		state = strings.ToLower(w.a.facts.PerUserMFA)
	}
	switch state {
	case "disabled":
		return sure(false)
	case "enabled", "enforced":
		return sure(!w.p.fault(faultPerUserMFAIgnored))
	}
	return w.p.unknowns.open(Unknown{ID: "per-user-mfa", What: "the account's per-user MFA state was not read",
		Settle: "read beta /users/{id}/authentication/requirements or --suppose ordinary"})
}

// gatePerUserMFA: MFA on every modern sign-in, regardless of policies.
func gatePerUserMFA(w *denialWriter, m *moment) gateResult {
	on := w.perUserMFA()
	met, _ := w.p.mfaMet(w.o.kit, m)
	if m.legacy() {
		met = w.p.unknowns.open(Unknown{ID: "per-user-mfa-legacy", What: "what per-user MFA does to a legacy client is not documented", Settle: "use a modern client"})
	}
	return w.fromAns(on.not().or(met), "perUserMfa")
}

func passPerUserMFA(w *denialWriter, m *moment) (string, []string, entra.Combination, string) {
	if w.perUserMFA().v == no {
		return "disabled", nil, nil, ""
	}
	return w.passMFA(m)
}

func gateAuthService(w *denialWriter, _ *moment) gateResult {
	return gateResult{fails: !w.p.fault(faultOutageIgnored), control: "backupAuthNewSession", only: DimAuthService,
		onlyValue: func(v string) bool { return v == "outageNewSession" }}
}

// gateCampaign: a registration campaign that forces a method the account does
// not have (ca-semantics 4.5). Never shown on Android and iOS; a passkey never
// on Linux.
func gateCampaign(w *denialWriter, m *moment) gateResult {
	r := gateResult{control: "registrationCampaign", only: DimPlatform}
	linux := false
	for _, n := range w.nudges() {
		shown := w.fromAns(w.nudged(n, m).not(), r.control)
		if shown.fails {
			r.fails, r.why = true, join(r.why, shown.why)
			linux = linux || !n.passkey
		}
	}
	r.onlyValue = func(v string) bool {
		return v != string(entra.PlatformAndroid) && v != string(entra.PlatformIOS) && (linux || v != string(entra.PlatformLinux))
	}
	if r.fails {
		r.except = w.registrationBlocked()
		if !w.pr.adverse {
			r.except = append(r.except, w.otherPrompts()...)
		}
	}
	return r
}

// otherPrompts are the sign-ins on which terms of use or a custom control may be
// asked for; a campaign is not shown on those.
func (w *denialWriter) otherPrompts() []box {
	st := w.p.stages(w.q, w.a, w.o.role)[0]
	var out []box
	for _, s := range w.p.scope(w.a, &st, true) {
		g := &s.pol.policy.Grant
		if s.apply && len(g.TermsOfUse)+len(g.CustomFactors) > 0 {
			for _, b := range w.pr.cs.cond[1][s.pol.index] {
				if pb := w.project(b); pb != nil {
					out = append(out, pb)
				}
			}
		}
	}
	return out
}

func passCampaign(w *denialWriter, m *moment) (string, []string, entra.Combination, string) {
	if len(w.nudges()) == 0 {
		return "noCampaign", nil, nil, ""
	}
	return "notForced", nil, nil, ""
}

// nudge is what one campaign asks of some accounts: to register a method.
type nudge struct {
	campaign *entra.RegistrationCampaign
	include  []entra.MethodTarget
	passkey  bool // else Microsoft Authenticator
	forced   bool // stated by a person: the skips are used up
}

// nudges are those of the methods policy and of a campaign that a person says
// is forced; the one does not make up for the other.
func (w *denialWriter) nudges() []nudge {
	var out []nudge
	add := func(c *entra.RegistrationCampaign, forced bool) {
		for _, passkey := range []bool{false, true} {
			targets := slices.DeleteFunc(slices.Clone(c.Include), func(t entra.MethodTarget) bool { return strings.EqualFold(t.Method, "fido2") != passkey })
			if len(targets) > 0 {
				out = append(out, nudge{c, targets, passkey, forced})
			}
		}
	}
	if c := w.p.view.CampaignForced; c != nil {
		add(c, true)
	}
	if mp := w.p.view.MethodsPolicy; mp != nil && mp.Campaign != nil && !strings.EqualFold(mp.Campaign.State, "disabled") {
		add(mp.Campaign, false)
	}
	return out
}

// nudged says whether a campaign interrupts the account's sign-in.
func (w *denialWriter) nudged(n nudge, m *moment) ans {
	if m.legacy() || w.o.kit.anything || !n.forced && n.campaign.Enforce != nil && !*n.campaign.Enforce {
		return sure(false)
	}
	in, _ := w.p.targeted(w.a, n.include)
	out, _ := w.p.targeted(w.a, n.campaign.Exclude)
	met, _ := w.p.mfaMet(w.o.kit, m)
	if met.v == no {
		return sure(false) // the nudge comes after MFA
	}
	hit := in.and(out.not()).and(met)
	has := func(m entra.AuthMethod) bool {
		return n.passkey && m.Type == entra.MethodFIDO2 || !n.passkey && (m.Type == entra.MethodAuthenticatorPush || m.Type == entra.MethodPhoneSignIn)
	}
	if w.a.facts != nil && slices.ContainsFunc(w.a.facts.Methods, has) {
		return sure(false)
	}
	if hit.v != no {
		hit = hit.and(w.mayRegister(n.passkey))
	}
	if !n.forced {
		// Whether skips are used up is not in Graph.
		hit = hit.and(w.p.unknowns.open(Unknown{ID: "registration-campaign", What: "the account is in scope of a registration campaign that may force a method on it once its skips are used up",
			Settle: "exclude the account from the campaign (registrationEnforcement.authenticationMethodsRegistrationCampaign.excludeTargets)"}))
	}
	return hit
}

// mayRegister says whether an account is one that a campaign for a method holds
// up: only who may use Authenticator is asked to register it; whether one for
// passkeys spares who may not register one, or not every model, is not documented.
func (w *denialWriter) mayRegister(passkey bool) ans {
	mp := w.p.view.MethodsPolicy
	switch {
	case mp == nil:
		return w.p.unknowns.open(Unknown{ID: "campaign-without-methods-policy", What: "whether the account may use the method of the registration campaign was not read",
			Settle: "export the methods policy (GET /policies/authenticationMethodsPolicy) or --suppose methods=default"})
	case !passkey:
		return w.p.methodEnabled(w.a, mp, "MicrosoftAuthenticator", &entra.AuthMethod{Type: entra.MethodAuthenticatorPush})
	case w.p.methodEnabled(w.a, mp, "Fido2", &entra.AuthMethod{Type: entra.MethodFIDO2}).v == yes && len(mp.Method("Fido2").PasskeyProfiles) == 0:
		return sure(true)
	}
	return w.p.unknowns.open(Unknown{ID: "campaign-for-a-method-not-allowed", What: "whether a campaign for passkeys holds up an account that may not register one, or not every model, is not documented",
		Settle: "exclude the account from the campaign"})
}

// registrationBlocked are the sign-ins in which a policy blocks the registration
// of security information, adversely only those where it surely does: a campaign
// is not shown there.
func (w *denialWriter) registrationBlocked() []box {
	st := &stage{kind: stageUserAction, action: securityInfoAct}
	r := b2i(!w.pr.adverse)
	var out []box
	for _, pol := range w.p.policies {
		if !pol.actions[securityInfoAct] || !slices.Contains(pol.policy.Grant.Controls, entra.ControlBlock) {
			continue
		}
		inc, exc := w.p.usersMatch(w.a, pol, "")
		if !pol.enabled.and(inc).and(exc.not()).and(w.p.targets(pol, st)).may(!w.pr.adverse) {
			continue
		}
		boxes := w.pr.cs.cond[r][pol.index]
		if strings.EqualFold(pol.policy.Session.ContinuousAccessEvaluation, "strictLocation") {
			boxes = slices.Concat(boxes, w.pr.cs.resource[r][pol.index])
		}
		for _, b := range boxes {
			if pb := w.project(b); pb != nil {
				out = append(out, pb)
			}
		}
	}
	return out
}
