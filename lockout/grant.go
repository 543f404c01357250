package lockout

import (
	"slices"
	"strings"

	"halligan/entra"
	"halligan/lockout/facts"
)

// moment is the part of a sign-in point on which the satisfaction of a grant
// can depend.
type moment struct {
	platform entra.Platform
	device   *Device
	client   entra.ClientAppType
	flow     entra.AuthFlow
	locked   bool // smart lockout: the password is refused
}

// legacy clients satisfy no MFA, terms, custom or device control.
func (m *moment) legacy() bool { return m.client == entra.ClientEAS || m.client == entra.ClientOther }

// failure is one control that is not satisfied.
type failure struct {
	control string
	why     []int
}

// item is one item of a grant, judged.
type item struct {
	control string
	met     ans
	cert    CertItem
}

// controlJudge says whether a built-in control is met.
type controlJudge func(p *Prover, a *account, pol *compiled, k *kit, m *moment) (ans, CertItem)

// controls is the table of built-in grant controls (ca-semantics 3.1). A member
// that is not here is not known.
var controls = map[entra.GrantControl]controlJudge{
	entra.ControlBlock: func(*Prover, *account, *compiled, *kit, *moment) (ans, CertItem) { return sure(false), CertItem{} },
	entra.ControlMFA: func(p *Prover, _ *account, _ *compiled, k *kit, m *moment) (ans, CertItem) {
		return p.mfaMet(k, m)
	},
	entra.ControlCompliantDevice: func(p *Prover, _ *account, _ *compiled, _ *kit, m *moment) (ans, CertItem) {
		ok := m.device.Registered && m.device.is("isCompliant", "true") && m.flow != entra.FlowDeviceCode && !m.legacy()
		return sure(ok), CertItem{By: "device"}
	},
	entra.ControlDomainJoinedDevice: func(p *Prover, _ *account, _ *compiled, _ *kit, m *moment) (ans, CertItem) {
		ok := m.device.Registered && m.device.is("trustType", "ServerAD") && m.platform == entra.PlatformWindows &&
			m.flow != entra.FlowDeviceCode && !m.legacy()
		return sure(ok), CertItem{By: "device"}
	},
	entra.ControlApprovedApplication: func(p *Prover, _ *account, pol *compiled, _ *kit, m *moment) (ans, CertItem) {
		return p.brokerApp(pol, m, entra.PlatformIOS, entra.PlatformAndroid), CertItem{By: "device"}
	},
	entra.ControlCompliantApplication: func(p *Prover, _ *account, pol *compiled, _ *kit, m *moment) (ans, CertItem) {
		return p.brokerApp(pol, m, entra.PlatformIOS, entra.PlatformAndroid, entra.PlatformWindows), CertItem{By: "device"}
	},
	entra.ControlPasswordChange: func(p *Prover, _ *account, _ *compiled, k *kit, m *moment) (ans, CertItem) {
		// MFA first, then change of a known cloud password.
		met, cert := p.mfaMet(k, m)
		if !k.anything && k.has(entra.ModePassword, m.locked, nil) == nil {
			met = sure(false)
		}
		return met, cert
	},
	entra.ControlRiskRemediation: func(p *Prover, a *account, pol *compiled, k *kit, m *moment) (ans, CertItem) {
		met, cert := p.mfaMet(k, m)
		switch {
		case a.guest.v == yes:
			return sure(false), cert
		case k.anything || k.has(entra.ModePassword, m.locked, nil) != nil:
			return met, cert
		}
		open := p.unknowns.open(Unknown{ID: "risk-remediation-without-password", Subject: string(pol.policy.ID),
			What: "whether a person without a password can remediate risk after a detection with a compromised password is not documented", Settle: "exclude the account, or keep a known password in the kit"})
		return met.and(open), cert
	},
}

func (p *Prover) mfaMet(k *kit, m *moment) (ans, CertItem) {
	if m.legacy() {
		return sure(false), CertItem{}
	}
	c, used, ok := k.mfa(m.locked)
	if ok {
		return sure(true), CertItem{Credentials: credIDs(used), Combination: c}
	}
	return kitAnswer(k), CertItem{}
}

// kitAnswer is the answer "the kit does not do it", open where credentials of
// unknown usability were left out of the kit.
func kitAnswer(k *kit) ans {
	if len(k.why) > 0 {
		return ans{unknown, k.why}
	}
	return sure(false)
}

// brokerApp: approved and protected apps are broker-registered apps on the
// named platforms; whether the client of a goal is one of them is not known.
func (p *Prover) brokerApp(pol *compiled, m *moment, platforms ...entra.Platform) ans {
	if !m.device.Registered || m.legacy() || !slices.Contains(platforms, m.platform) {
		return sure(false)
	}
	return p.unknowns.open(Unknown{ID: "broker-app", Subject: string(pol.policy.ID),
		What: "whether the sign-in comes from an approved or protected app is not known", Settle: "exclude the account"})
}

func credIDs(used []*entra.AuthMethod) []string {
	var out []string
	for _, m := range used {
		out = append(out, string(m.ID))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// items judges every item of the policy's grant at a moment.
func (p *Prover) items(a *account, pol *compiled, k *kit, m *moment, now Date) []item {
	g := &pol.policy.Grant
	var out []item
	for _, c := range g.Controls {
		judge := controls[c]
		if judge == nil {
			out = append(out, item{control: string(c), met: p.unknowns.open(Unknown{ID: "grant-control", Subject: string(pol.policy.ID),
				What: "the grant control " + string(c) + " is not modelled", Settle: "exclude the account from the policy"})})
			continue
		}
		met, cert := judge(p, a, pol, k, m)
		cert.Control = string(c)
		out = append(out, item{string(c), met, cert})
	}
	if g.Strength != nil {
		met, cert := p.strengthMet(pol, k, m)
		cert.Control = controlStrength
		out = append(out, item{controlStrength, met, cert})
	}
	for _, id := range g.TermsOfUse {
		met := p.termsMet(id, m)
		out = append(out, item{controlTerms, met, CertItem{Control: controlTerms, By: "browser"}})
	}
	for range g.CustomFactors {
		met := sure(false)
		if now != "" && string(now) >= string(facts.Date("customControlsRetirement").Date) {
			met = p.unknowns.open(Unknown{ID: "custom-control-after-retirement", Subject: string(pol.policy.ID),
				What: "what a policy with a custom control does after their retirement is not documented", Settle: "remove the custom control"})
		}
		out = append(out, item{controlCustom, met, CertItem{Control: controlCustom}})
	}
	return out
}

const (
	controlStrength   = "authenticationStrength"
	controlTerms      = "termsOfUse"
	controlCustom     = "customAuthenticationFactor"
	controlGPS        = "gpsLocation"
	controlToken      = "secureSignInSession"
	controlEveryTime  = "signInFrequencyEveryTime"
	controlMCAS       = "cloudAppSecurity"
	controlResilience = "disableResilienceDefaults"
	controlUnmodelled = "unmodelled"
)

func (p *Prover) termsMet(id entra.ID, m *moment) ans {
	if m.legacy() {
		return sure(false)
	}
	if m.device.Registered {
		return sure(true)
	}
	for i := range p.view.Agreements {
		if p.view.Agreements[i].ID.Equal(id) {
			return sure(!p.view.Agreements[i].PerDevice)
		}
	}
	if st := p.snap.Status(entra.PartAgreements); st.Status == entra.StatusRead && st.Detail == supposedDetail {
		return sure(true)
	}
	return p.unknowns.open(Unknown{ID: "terms-per-device", Subject: string(id),
		What: "whether the terms of use must be accepted on each device was not read", Settle: "export them (GET /identityGovernance/termsOfUse/agreements) or --suppose terms=per-user"})
}

// strength is an authentication strength resolved for use.
type strength struct {
	name         string
	combinations []entra.Combination
	configs      []entra.CombinationConfiguration
	known        bool // combinations are known
	configsKnown bool
	// odd: the strength holds something that is not modelled and could restrict
	// every combination.
	odd bool
}

// resolveStrength joins what the policy carries inline, what the tenant lists
// and what is built in.
func (p *Prover) resolveStrength(s *entra.AuthStrength) *strength {
	if s == nil {
		return nil
	}
	out := &strength{name: s.DisplayName, combinations: s.Combinations, configs: s.Configurations, configsKnown: s.ConfigurationsRead, known: len(s.Combinations) > 0}
	out.odd = restricts(s)
	for i := range p.view.Strengths {
		t := &p.view.Strengths[i]
		if !t.ID.Equal(s.ID) {
			continue
		}
		out.odd = out.odd || restricts(t)
		if len(t.Combinations) > 0 {
			out.combinations, out.known = t.Combinations, true
		}
		if t.ConfigurationsRead {
			out.configs, out.configsKnown = t.Configurations, true
		}
		if out.name == "" {
			out.name = t.DisplayName
		}
	}
	if b, ok := facts.BuiltInStrength(s.ID); ok {
		if !out.known {
			out.combinations, out.known = b.Combinations, true
		}
		out.configsKnown = true // built-in strengths carry no configurations
		if out.name == "" {
			out.name = b.DisplayName
		}
	}
	if out.name == "" {
		out.name = string(s.ID)
	}
	return out
}

// restricts reports whether a strength holds something unmodelled. An unknown
// mode in a combination only makes that combination useless.
func restricts(s *entra.AuthStrength) bool {
	return slices.ContainsFunc(s.Unmodelled, func(u entra.Unmodelled) bool { return u.Kind != "member" })
}

// configurable reports whether a combination can be bound by a configuration
// that was not read.
func configurable(c entra.Combination) bool {
	return slices.ContainsFunc(c, func(m entra.CombinationMode) bool {
		return m == entra.ModeFIDO2 || m == entra.ModeX509Single || m == entra.ModeX509Multi
	})
}

func (p *Prover) strengthMet(pol *compiled, k *kit, m *moment) (ans, CertItem) {
	if m.legacy() {
		return sure(false), CertItem{}
	}
	s := pol.strength
	if k.anything {
		return sure(true), CertItem{}
	}
	if !s.known {
		return p.unknowns.open(Unknown{ID: "strength", Subject: string(pol.policy.Grant.Strength.ID),
			What:   "the combinations of authentication strength " + s.name + " were not read",
			Settle: "export the strengths (GET /policies/authenticationStrengthPolicies?$expand=combinationConfigurations)"}), CertItem{}
	}
	configs := s.configs
	if p.fault(faultConfigurationsIgnored) {
		configs = nil
	}
	var open ans
	maybe := false
	for _, c := range s.combinations {
		used := k.combination(c, configs, m.locked)
		if used == nil {
			continue
		}
		if s.odd || configurable(c) && !s.configsKnown || boundByUnknown(configs, c) {
			maybe = true
			continue
		}
		return sure(true), CertItem{Credentials: credIDs(used), Combination: c}
	}
	if maybe {
		open = p.unknowns.open(Unknown{ID: "strength-configuration", Subject: string(pol.policy.Grant.Strength.ID),
			What:   "the key models or issuers that strength " + s.name + " admits were not read",
			Settle: "export its combinationConfigurations"})
		return open, CertItem{}
	}
	return kitAnswer(k), CertItem{}
}

func boundByUnknown(configs []entra.CombinationConfiguration, c entra.Combination) bool {
	return slices.ContainsFunc(configs, func(cfg entra.CombinationConfiguration) bool {
		return cfg.Unknown && (len(cfg.AppliesTo) == 0 || slices.ContainsFunc(cfg.AppliesTo, func(x entra.Combination) bool { return sameCombination(x, c) }))
	})
}

// denials returns the controls of the policy that fail at a moment, nil when
// it is satisfied. On the adverse reading what is not known fails.
func (p *Prover) denials(a *account, pol *compiled, st *stage, k *kit, m *moment, now Date, adverse bool) []failure {
	items := p.items(a, pol, k, m, now)
	var fails []failure
	for _, it := range items {
		if !it.met.may(!adverse) {
			fails = append(fails, failure{it.control, it.met.why})
		}
	}
	op := pol.policy.Grant.Operator
	if p.fault(faultOperatorsSwapped) {
		op = map[entra.GrantOperator]entra.GrantOperator{entra.OperatorAnd: entra.OperatorOr, entra.OperatorOr: entra.OperatorAnd}[op]
	}
	either := op == entra.OperatorOr || op == entra.OperatorUnknown && !adverse
	blocked := slices.ContainsFunc(fails, func(f failure) bool { return f.control == string(entra.ControlBlock) })
	if either && len(fails) < len(items) && !blocked {
		fails = nil
	}
	return append(fails, p.sessionDenials(a, pol, st, k, m, adverse)...)
}

// sessionDenials are the session controls that can hurt (ca-semantics 3.4).
func (p *Prover) sessionDenials(a *account, pol *compiled, st *stage, k *kit, m *moment, adverse bool) []failure {
	s := &pol.policy.Session
	var out []failure
	if s.SignInFrequency != nil && s.SignInFrequency.EveryTime && adverse && !p.fault(faultEveryTimeIgnored) {
		// Full reauthentication; without MFA it may loop, with a one-time pass
		// nobody says.
		c, _, ok := k.mfa(m.locked)
		onePass := len(c) == 1 && c[0] == entra.ModeTAPOneTime && !k.mfaWithout(entra.ModeTAPOneTime, m.locked)
		if !ok || onePass || m.legacy() {
			out = append(out, failure{controlEveryTime, []int{p.unknowns.add(Unknown{ID: "everytime-without-mfa", Subject: string(pol.policy.ID),
				What: "sign-in frequency \"every time\" may loop for a kit without MFA or with only a one-time pass", Settle: "give the account a key, or exclude it"})}})
		}
	}
	if s.SecureSignInSession {
		if f, ok := p.tokenProtection(pol, st, m, adverse); ok {
			out = append(out, f)
		}
	}
	if t := strings.ToLower(s.CloudAppSecurity); adverse && t != "" && t != "monitoronly" {
		out = append(out, failure{controlMCAS, []int{p.unknowns.add(Unknown{ID: "cloud-app-security", Subject: string(pol.policy.ID),
			What: "the outcome of a Defender for Cloud Apps session is decided there", Settle: "exclude the account"})}})
	}
	if adverse && len(pol.mayDeny) > 0 {
		out = append(out, failure{controlUnmodelled, pol.mayDeny})
	}
	return out
}

// mfaWithout reports whether the kit is MFA without credentials of a mode.
func (k *kit) mfaWithout(mode entra.CombinationMode, locked bool) bool {
	rest := &kit{federated: k.federated}
	for _, m := range k.creds {
		if k.modeOf(m) != mode {
			rest.creds = append(rest.creds, m)
		}
	}
	_, _, ok := rest.mfa(locked)
	return ok
}

// tokenProtection: only device-bound tokens (entra-docs
// concept-token-protection, deployment-guide-token-protection-web-apps).
func (p *Prover) tokenProtection(pol *compiled, st *stage, m *moment, adverse bool) (failure, bool) {
	if !m.device.Registered && m.client == entra.ClientBrowser && pol.include[armApp.Key()] && st.kind == stageResource {
		return failure{control: controlToken}, true
	}
	managed := m.device.Managed || m.device.managed()
	bound := m.device.Registered && (m.platform == entra.PlatformWindows || m.platform == entra.PlatformMacOS && managed || m.platform == entra.PlatformIOS && m.client == entra.ClientNative)
	if !adverse || bound {
		return failure{}, false
	}
	return failure{controlToken, []int{p.unknowns.add(Unknown{ID: "token-protection", Subject: string(pol.policy.ID),
		What: "whether token protection of this policy refuses the portal sign-in of an unbound device is not documented", Settle: "exclude the account"})}}, true
}
