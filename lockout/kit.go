package lockout

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"halligan/entra"
	"halligan/lockout/facts"
)

// kit is the set of credentials used in one sign-in session.
type kit struct {
	creds []*entra.AuthMethod
	ids   []string
	// anything: the account's methods were not read; on the favourable reading
	// the kit can be whatever is needed.
	anything bool
	// why lists what is not known about credentials that were left out of the
	// kit, or about the methods as a whole.
	why []int
	// federated: the password belongs to another identity provider.
	federated bool
}

// The tables below are read once: package facts hands out copies.
var (
	mfaCombinations = sync.OnceValue(facts.MFACombinations)
	recoveryRoles   = sync.OnceValue(facts.RecoveryRoles)
	smsVoiceEnd     = sync.OnceValue(func() Date { return Date(facts.Date("smsVoiceRetirement").Date) })
)

// primaryModes can begin a sign-in; the rest are second factors
// (ca-semantics 3.3).
var primaryModes = map[entra.CombinationMode]bool{
	entra.ModePassword: true, entra.ModeFIDO2: true, entra.ModeX509Single: true, entra.ModeX509Multi: true,
	entra.ModeTAPOneTime: true, entra.ModeTAPMultiUse: true, entra.ModeWindowsHello: true, entra.ModeDeviceBasedPush: true,
	entra.ModeFederatedSingle: true, entra.ModeFederatedMulti: true,
}

// modeOf is the mode a credential contributes to combinations.
func (k *kit) modeOf(m *entra.AuthMethod) entra.CombinationMode {
	switch m.Type {
	case entra.MethodPassword:
		if k.federated {
			return entra.ModeFederatedSingle
		}
		return entra.ModePassword
	case entra.MethodTAP:
		if m.UsableOnce {
			return entra.ModeTAPOneTime
		}
		return entra.ModeTAPMultiUse
	case entra.MethodX509:
		if m.MultiFactor {
			return entra.ModeX509Multi
		}
		return entra.ModeX509Single
	case entra.MethodExternal, entra.MethodUnknown, entra.MethodPlatform:
		return ""
	}
	return entra.CombinationMode(m.Type)
}

// has returns the first credential of a mode that passes the test.
func (k *kit) has(mode entra.CombinationMode, locked bool, ok func(*entra.AuthMethod) bool) *entra.AuthMethod {
	for _, m := range k.creds {
		if locked && m.Type == entra.MethodPassword {
			continue // smart lockout: the password is refused
		}
		if k.modeOf(m) == mode && (ok == nil || ok(m)) {
			return m
		}
	}
	return nil
}

func (k *kit) hasPrimary(locked bool) bool {
	if k.anything {
		return true
	}
	for _, m := range k.creds {
		if locked && m.Type == entra.MethodPassword {
			continue
		}
		if primaryModes[k.modeOf(m)] {
			return true
		}
	}
	return false
}

// combination returns the credentials that make up a combination under the
// configurations that bind it, or nil.
func (k *kit) combination(c entra.Combination, configs []entra.CombinationConfiguration, locked bool) []*entra.AuthMethod {
	used := make([]*entra.AuthMethod, 0, len(c))
	for _, mode := range c {
		m := k.has(mode, locked, func(m *entra.AuthMethod) bool { return admits(configs, c, mode, m) })
		if m == nil {
			return nil
		}
		used = append(used, m)
	}
	return used
}

// satisfies returns the first combination of the list that the kit holds.
func (k *kit) satisfies(list []entra.Combination, configs []entra.CombinationConfiguration, locked bool) (entra.Combination, []*entra.AuthMethod) {
	for _, c := range list {
		if len(c) == 0 {
			continue
		}
		if used := k.combination(c, configs, locked); used != nil {
			return c, used
		}
	}
	return nil, nil
}

// admits says whether the configurations that bind the combination accept the
// credential (entra-docs concept-authentication-strength-advanced-options).
func admits(configs []entra.CombinationConfiguration, c entra.Combination, mode entra.CombinationMode, m *entra.AuthMethod) bool {
	for i := range configs {
		cfg := &configs[i]
		if !slices.ContainsFunc(cfg.AppliesTo, func(x entra.Combination) bool { return sameCombination(x, c) }) {
			continue
		}
		switch mode {
		case entra.ModeFIDO2:
			if cfg.AAGUIDs != nil && !newIDSet(cfg.AAGUIDs).has(entra.ID(m.AAGUID)) {
				return false
			}
		case entra.ModeX509Single, entra.ModeX509Multi:
			// OR within a list, AND between the lists.
			if len(cfg.IssuerSKIs) > 0 && (m.IssuerSKI == "" || !newIDSet(cfg.IssuerSKIs).has(entra.ID(m.IssuerSKI))) {
				return false
			}
			if len(cfg.PolicyOIDs) > 0 && !anyOID(m.PolicyOIDs, cfg.PolicyOIDs) {
				return false
			}
		}
	}
	return true
}

// anyOID: of more than five policy OIDs only the first five matching ones in
// lexical order count; one match is enough either way.
func anyOID(have, want []string) bool {
	for _, h := range have {
		if slices.Contains(want, h) {
			return true
		}
	}
	return false
}

func sameCombination(a, b entra.Combination) bool {
	if len(a) != len(b) {
		return false
	}
	for _, m := range a {
		if !slices.ContainsFunc(b, func(x entra.CombinationMode) bool { return strings.EqualFold(string(x), string(m)) }) {
			return false
		}
	}
	return true
}

// mfa says whether the kit makes a claim of multifactor authentication: a
// combination of the built-in strength, or a primary with an external method.
func (k *kit) mfa(locked bool) (entra.Combination, []*entra.AuthMethod, bool) {
	if k.anything {
		return nil, nil, true
	}
	if c, used := k.satisfies(mfaCombinations(), nil, locked); c != nil {
		return c, used, true
	}
	for _, m := range k.creds {
		if m.Type == entra.MethodExternal && k.hasPrimary(locked) {
			return nil, []*entra.AuthMethod{m}, true
		}
	}
	return nil, nil, false
}

// kits lists the maximal kits of an account for a reading: more credentials
// never hurt, so only the choice among keys (one in a session on the adverse
// reading; whether two can answer two strengths is not documented) and among
// certificates (one, cached by the browser) is left.
func (p *Prover) kits(a *account, adverse bool, now Date) []*kit {
	base := &kit{federated: p.federated(a)}
	if a.facts == nil || !a.facts.MethodsRead {
		base.why = []int{p.unknowns.add(Unknown{ID: "methods", What: "the account's registered methods were not read",
			Settle: "export them (GET /users/{id}/authentication/methods) or --suppose key=AAGUID"})}
		base.anything = !adverse
		if a.facts == nil || adverse && len(a.facts.Methods) == 0 {
			return []*kit{base}
		}
	}
	var keys, certs []*entra.AuthMethod
	for i := range a.facts.Methods {
		m := &a.facts.Methods[i]
		if p.lost[string(m.ID)] {
			continue
		}
		u := p.usable(a, m, now)
		if !u.may(!adverse) {
			base.why = join(base.why, u.why)
			continue
		}
		switch {
		case m.Type == entra.MethodFIDO2 && (adverse || p.fault(faultOneKeyEver)):
			keys = append(keys, m)
		case m.Type == entra.MethodX509 && !p.fault(faultCertificatesCombine):
			certs = append(certs, m)
		default:
			base.creds = append(base.creds, m)
		}
	}
	var out []*kit
	for _, key := range orNone(keys) {
		for _, cert := range orNone(certs) {
			k := &kit{creds: slices.Clone(base.creds), anything: base.anything, why: base.why, federated: base.federated}
			if key != nil {
				k.creds = append(k.creds, key)
			}
			if cert != nil {
				k.creds = append(k.creds, cert)
			}
			for _, m := range k.creds {
				k.ids = append(k.ids, string(m.ID))
			}
			slices.Sort(k.ids)
			out = append(out, k)
		}
	}
	return dropEquivalent(out)
}

// dropEquivalent keeps one of several kits that no rule can tell apart: the
// same types with the same key models and certificates.
func dropEquivalent(kits []*kit) []*kit {
	seen := map[string]bool{}
	var out []*kit
	for _, k := range kits {
		var sig []string
		for _, m := range k.creds {
			sig = append(sig, fmt.Sprintf("%s|%s|%s|%s|%v|%v|%v", m.Type, strings.ToLower(m.AAGUID), m.PasskeyType, m.IssuerSKI, m.PolicyOIDs, m.MultiFactor, m.UsableOnce))
		}
		slices.Sort(sig)
		s := strings.Join(sig, "\n")
		if !seen[s] {
			seen[s] = true
			out = append(out, k)
		}
	}
	return out
}

func orNone(list []*entra.AuthMethod) []*entra.AuthMethod {
	if len(list) == 0 {
		return []*entra.AuthMethod{nil}
	}
	return list
}

// methodPolicyIDs maps a type of credential to the method that governs it.
// The password is governed by none.
var methodPolicyIDs = map[entra.MethodType]string{
	entra.MethodFIDO2: "Fido2", entra.MethodTAP: "TemporaryAccessPass", entra.MethodHardwareOath: "HardwareOath",
	entra.MethodSoftwareOath: "SoftwareOath", entra.MethodX509: "X509Certificate", entra.MethodSMS: "Sms",
	entra.MethodVoice: "Voice", entra.MethodAuthenticatorPush: "MicrosoftAuthenticator",
	entra.MethodPhoneSignIn: "MicrosoftAuthenticator", entra.MethodEmail: "Email", entra.MethodQRCodePin: "QRCodePin",
}

// usable says whether a registered credential can be used to sign in
// (ca-semantics 4.1).
func (p *Prover) usable(a *account, m *entra.AuthMethod, now Date) ans {
	id, governed := methodPolicyIDs[m.Type]
	if p.disabledMethods[strings.ToLower(id)] && governed || p.revokedModels[strings.ToLower(m.AAGUID)] && m.Type == entra.MethodFIDO2 {
		return sure(false)
	}
	switch m.Type {
	case entra.MethodPassword, entra.MethodWindowsHello, entra.MethodPlatform:
		return sure(true)
	case entra.MethodUnknown:
		return p.unknowns.open(Unknown{ID: "method-type", Subject: string(m.ID), What: "a registered method is of a type that we do not know", Settle: "name its type in the export"})
	case entra.MethodSMS, entra.MethodVoice:
		// Microsoft-provided SMS and voice end (entra-docs
		// concept-sms-voice-retirement).
		if now != "" && now >= smsVoiceEnd() {
			return sure(false)
		}
	}
	if !governed {
		return sure(true)
	}
	mp := p.view.MethodsPolicy
	if mp == nil {
		return p.unknowns.open(Unknown{ID: "methods-policy", What: "the authentication methods policy was not read",
			Settle: "export it (GET /policies/authenticationMethodsPolicy) or --suppose methods=default"})
	}
	r := p.methodEnabled(a, mp, id, m)
	if r.v != yes && slices.Contains(p.view.LegacyMethods, m.Type) && !strings.EqualFold(mp.MigrationState, "migrationComplete") {
		return sure(true)
	}
	if r.v == no && !strings.EqualFold(mp.MigrationState, "migrationComplete") && p.view.LegacyMethods == nil && legacyGoverned[m.Type] {
		return p.unknowns.open(Unknown{ID: "legacy-methods", Subject: string(m.Type),
			What:   "the methods policy does not enable the method and the migration is not complete; the legacy settings are not in Graph",
			Settle: "look at the legacy MFA and SSPR settings, or finish the migration"})
	}
	return r
}

// legacyGoverned are the methods that the legacy MFA settings could enable.
var legacyGoverned = map[entra.MethodType]bool{entra.MethodSMS: true, entra.MethodVoice: true,
	entra.MethodAuthenticatorPush: true, entra.MethodSoftwareOath: true, entra.MethodHardwareOath: true}

func (p *Prover) methodEnabled(a *account, mp *entra.MethodsPolicy, id string, m *entra.AuthMethod) ans {
	cfg := mp.Method(id)
	if cfg == nil {
		return p.unknowns.open(Unknown{ID: "method-configuration", Subject: id,
			What: fmt.Sprintf("the methods policy says nothing of %s", id), Settle: "export the whole policy with its configurations"})
	}
	switch strings.ToLower(cfg.State) {
	case "enabled":
	case "disabled":
		return sure(false)
	default:
		return p.unknowns.open(Unknown{ID: "method-configuration", Subject: id,
			What: fmt.Sprintf("the state of method %s is not known", id), Settle: "export the whole policy with its configurations"})
	}
	in, profiles := p.targeted(a, cfg.Include)
	out, _ := p.targeted(a, cfg.Exclude)
	if p.fault(faultMethodExclusionIgnored) {
		out = sure(false)
	}
	r := in.and(out.not())
	if len(cfg.Unmodelled) > 0 {
		r = r.and(p.unknowns.open(Unknown{ID: "method-configuration", Subject: id,
			What: fmt.Sprintf("the configuration of method %s holds something that is not modelled (%s)", id, cfg.Unmodelled[0].Path), Settle: "export the policy again, or exclude the account from what it adds"}))
	}
	if m.Type != entra.MethodFIDO2 || r.v == no {
		return r
	}
	if len(cfg.PasskeyProfiles) > 0 {
		return r.and(p.anyProfile(cfg, profiles, m))
	}
	if p.fault(faultKeyRestrictionsIgnored) {
		return r
	}
	return r.and(p.keyAllowed(cfg.KeyRestrictions, m.AAGUID))
}

// targeted says whether a list of method targets holds the account, and which
// passkey profiles come with the targets that may hold it.
func (p *Prover) targeted(a *account, targets []entra.MethodTarget) (ans, map[string]ans) {
	r := sure(false)
	profiles := map[string]ans{}
	for _, t := range targets {
		var hit ans
		switch {
		case t.ID.Key() == "all_users":
			hit = sure(true)
		case strings.EqualFold(t.TargetType, "user"):
			hit = sure(t.ID.Key() == a.key)
		default:
			hit = p.memberOf(a, t.ID)
		}
		r = r.or(hit)
		for _, pr := range t.Profiles {
			old, ok := profiles[pr.Key()]
			if !ok {
				old = sure(false)
			}
			profiles[pr.Key()] = old.or(hit)
		}
	}
	return r, profiles
}

// anyProfile: with several passkey profiles in scope one that is fully
// satisfied is enough.
func (p *Prover) anyProfile(cfg *entra.MethodConfiguration, scoped map[string]ans, m *entra.AuthMethod) ans {
	if len(scoped) == 0 && cfg.DefaultProfile != "" {
		scoped = map[string]ans{cfg.DefaultProfile.Key(): sure(true)}
	}
	r := sure(false)
	for i := range cfg.PasskeyProfiles {
		pr := &cfg.PasskeyProfiles[i]
		in, ok := scoped[pr.ID.Key()]
		if !ok {
			continue
		}
		kind := sure(true)
		if len(pr.PasskeyTypes) > 0 {
			if m.PasskeyType == "" {
				kind = p.unknowns.open(Unknown{ID: "passkey-type", Subject: string(m.ID), What: "whether the key is device-bound was not read", Settle: "read fido2Methods with passkeyType"})
			} else {
				kind = sure(slices.ContainsFunc(pr.PasskeyTypes, func(t string) bool { return strings.EqualFold(t, m.PasskeyType) }))
			}
		}
		r = r.or(in.and(kind).and(p.keyAllowed(pr.KeyRestrictions, m.AAGUID)))
	}
	return r
}

// keyAllowed: key restrictions bind registration and sign-in (entra-docs
// how-to-enable-passkey-fido2).
func (p *Prover) keyAllowed(kr *entra.KeyRestrictions, aaguid string) ans {
	if kr == nil || !kr.Enforced {
		return sure(true)
	}
	listed := newIDSet(kr.AAGUIDs).has(entra.ID(aaguid))
	switch {
	case aaguid == "":
		return p.unknowns.open(Unknown{ID: "key-model", What: "the model (AAGUID) of a key was not read", Settle: "read fido2Methods with aaGuid"})
	case strings.EqualFold(kr.Enforcement, "allow"):
		return sure(listed)
	case strings.EqualFold(kr.Enforcement, "block"):
		return sure(!listed)
	}
	return p.unknowns.open(Unknown{ID: "key-restriction-kind", What: "whether the key restriction allows or blocks is not known", Settle: "read keyRestrictions.enforcementType"})
}
