package lockout_test

import (
	"slices"
	"strings"

	"halligan/entra"
	"halligan/lockout"
)

// methodOf names the configuration of the methods policy that governs a type of
// credential; "" for what the policy does not govern.
var methodOf = map[entra.MethodType]string{
	entra.MethodFIDO2: "Fido2", entra.MethodTAP: "TemporaryAccessPass", entra.MethodHardwareOath: "HardwareOath",
	entra.MethodSoftwareOath: "SoftwareOath", entra.MethodX509: "X509Certificate", entra.MethodSMS: "Sms", entra.MethodVoice: "Voice",
	entra.MethodAuthenticatorPush: "MicrosoftAuthenticator", entra.MethodPhoneSignIn: "MicrosoftAuthenticator",
	entra.MethodEmail: "Email", entra.MethodQRCodePin: "QRCodePin",
}

// phoneEnd is the day on which Microsoft stops providing SMS and voice.
const phoneEnd lockout.Date = "2027-02-01"

// usable says whether a registered credential can be used (ca-semantics 4.1).
func (o *oracle) usable(m *entra.AuthMethod, q lockout.Question) tri {
	if (m.Type == entra.MethodSMS || m.Type == entra.MethodVoice) && q.Now >= phoneEnd && o.publicCloud() {
		return no
	}
	method := methodOf[m.Type]
	if method == "" {
		return yes
	}
	u := o.methodAllows(method)
	if m.Type == entra.MethodFIDO2 {
		u = u.and(o.keyAllowed(m))
	}
	if o.c.MethodsPolicy != nil && o.c.MethodsPolicy.MigrationState != "migrationComplete" {
		legacy := maybe
		if o.c.LegacyMethods != nil {
			legacy = sure(slices.Contains(o.c.LegacyMethods, m.Type))
		}
		if o.c.MethodsPolicy.MigrationState == "" {
			legacy = legacy.and(maybe)
		}
		if slices.Contains(legacyTypes, m.Type) {
			u = u.or(legacy)
		}
	}
	return u
}

// legacyTypes are what the legacy MFA settings could enable.
var legacyTypes = []entra.MethodType{entra.MethodSMS, entra.MethodVoice, entra.MethodAuthenticatorPush, entra.MethodSoftwareOath, entra.MethodHardwareOath}

func (o *oracle) publicCloud() bool { return o.c.Cloud == "" || o.c.Cloud == "public" }

// methodAllows: the method is on, and the account is included and not excluded.
func (o *oracle) methodAllows(id string) tri {
	m := o.c.MethodsPolicy.Method(id)
	if m == nil {
		return maybe
	}
	on := maybe
	switch m.State {
	case "enabled":
		on = yes
	case "disabled":
		on = no
	}
	return on.and(o.targeted(m.Include)).and(o.targeted(m.Exclude).not())
}

func (o *oracle) targeted(list []entra.MethodTarget) tri {
	found := no
	for _, t := range list {
		found = found.or(o.target1(t))
	}
	return found
}

func (o *oracle) target1(t entra.MethodTarget) tri {
	if t.TargetType == "user" {
		return sure(t.ID.Equal(o.account.ID))
	}
	return o.member(t.ID)
}

// keyAllowed: key restrictions bind at sign-in too. With passkey profiles, one
// of those in scope is enough.
func (o *oracle) keyAllowed(key *entra.AuthMethod) tri {
	m := o.c.MethodsPolicy.Method("Fido2")
	if m == nil {
		return maybe
	}
	if len(m.PasskeyProfiles) == 0 {
		return restricted(m.KeyRestrictions, key)
	}
	found := no
	for _, t := range m.Include {
		names := t.Profiles
		if len(names) == 0 && m.DefaultProfile != "" {
			names = []entra.ID{m.DefaultProfile}
		}
		for _, name := range names {
			found = found.or(o.target1(t).and(o.profileAllows(m, name, key)))
		}
	}
	return found
}

func (o *oracle) profileAllows(m *entra.MethodConfiguration, name entra.ID, key *entra.AuthMethod) tri {
	for _, p := range m.PasskeyProfiles {
		if !p.ID.Equal(name) {
			continue
		}
		kind := sure(slices.Contains(p.PasskeyTypes, key.PasskeyType))
		if key.PasskeyType == "" {
			kind = maybe
		}
		return kind.and(restricted(p.KeyRestrictions, key))
	}
	return maybe
}

func restricted(r *entra.KeyRestrictions, key *entra.AuthMethod) tri {
	if r == nil || !r.Enforced {
		return yes
	}
	if key.AAGUID == "" {
		return maybe
	}
	listed := slices.ContainsFunc(r.AAGUIDs, func(a string) bool { return strings.EqualFold(a, key.AAGUID) })
	switch r.Enforcement {
	case "allow":
		return sure(listed)
	case "block":
		return sure(!listed)
	}
	return maybe
}

// kits are the sets of credentials for one session: all that are usable, but at
// most one certificate and, on the adverse reading, at most one key.
func (o *oracle) kits(q lockout.Question, adverse bool) [][]entra.AuthMethod {
	var common, keys, certificates []entra.AuthMethod
	for _, m := range o.account.Methods {
		u := o.usable(&m, q)
		if u == no || adverse && u == maybe {
			continue
		}
		switch {
		case m.Type == entra.MethodX509:
			certificates = append(certificates, m)
		case m.Type == entra.MethodFIDO2 && adverse:
			keys = append(keys, m)
		default:
			common = append(common, m)
		}
	}
	var out [][]entra.AuthMethod
	for _, key := range oneOf(keys) {
		for _, certificate := range oneOf(certificates) {
			out = append(out, slices.Concat(common, key, certificate))
		}
	}
	return out
}

func oneOf(list []entra.AuthMethod) [][]entra.AuthMethod {
	if len(list) == 0 {
		return [][]entra.AuthMethod{nil}
	}
	var out [][]entra.AuthMethod
	for _, m := range list {
		out = append(out, []entra.AuthMethod{m})
	}
	return out
}

var primaries = []entra.MethodType{entra.MethodPassword, entra.MethodFIDO2, entra.MethodX509, entra.MethodTAP, entra.MethodWindowsHello,
	entra.MethodPhoneSignIn}

func hasPrimary(kit []entra.AuthMethod) bool {
	return slices.ContainsFunc(kit, func(m entra.AuthMethod) bool { return slices.Contains(primaries, m.Type) })
}

// onlyPrimaryIsPass: there is no way to begin a sign-in but a pass.
func onlyPrimaryIsPass(kit []entra.AuthMethod) bool {
	return !slices.ContainsFunc(kit, func(m entra.AuthMethod) bool { return m.Type != entra.MethodTAP && slices.Contains(primaries, m.Type) })
}

func modeOf(m *entra.AuthMethod) entra.CombinationMode {
	switch m.Type {
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
	}
	return entra.CombinationMode(m.Type) // the other names are the same
}

func mfaCombinations() []entra.Combination {
	out := []entra.Combination{{"windowsHelloForBusiness"}, {"fido2"}, {"x509CertificateMultiFactor"}, {"deviceBasedPush"},
		{"temporaryAccessPassOneTime"}, {"temporaryAccessPassMultiUse"}, {"federatedMultiFactor"}}
	for _, second := range []entra.CombinationMode{"microsoftAuthenticatorPush", "softwareOath", "hardwareOath", "x509CertificateSingleFactor",
		"x509CertificateMultiFactor", "sms", "voice"} {
		out = append(out, entra.Combination{"password", second})
	}
	return out
}

// builtIn are the three strengths that every tenant has.
var builtIn = map[string][]entra.Combination{
	"00000000-0000-0000-0000-000000000002": mfaCombinations(),
	"00000000-0000-0000-0000-000000000003": {{"windowsHelloForBusiness"}, {"fido2"}, {"x509CertificateMultiFactor"}, {"deviceBasedPush"}},
	"00000000-0000-0000-0000-000000000004": {{"windowsHelloForBusiness"}, {"fido2"}, {"x509CertificateMultiFactor"}},
}

func isMFA(kit []entra.AuthMethod) bool {
	return meets(kit, mfaCombinations(), nil) == yes
}

// meets says whether the kit holds one of the combinations, under the
// configurations that bind it.
func meets(kit []entra.AuthMethod, combinations []entra.Combination, configurations []entra.CombinationConfiguration) tri {
	found := no
	for _, c := range combinations {
		all := yes
		for _, mode := range c {
			one := no
			for i := range kit {
				if modeOf(&kit[i]) == mode {
					one = one.or(permitted(&kit[i], c, configurations))
				}
			}
			all = all.and(one)
		}
		if len(c) > 0 {
			found = found.or(all)
		}
	}
	return found
}

func permitted(m *entra.AuthMethod, c entra.Combination, configurations []entra.CombinationConfiguration) tri {
	ok := yes
	for _, k := range configurations {
		if !slices.ContainsFunc(k.AppliesTo, func(a entra.Combination) bool { return sameSet(a, c) }) {
			continue
		}
		switch {
		case k.Unknown:
			ok = ok.and(maybe)
		case m.Type == entra.MethodFIDO2 && k.AAGUIDs != nil:
			ok = ok.and(sure(slices.ContainsFunc(k.AAGUIDs, func(a string) bool { return strings.EqualFold(a, m.AAGUID) })))
		case m.Type == entra.MethodX509:
			issuer := len(k.IssuerSKIs) == 0 || slices.ContainsFunc(k.IssuerSKIs, func(s string) bool { return strings.EqualFold(s, m.IssuerSKI) })
			policy := len(k.PolicyOIDs) == 0 || slices.ContainsFunc(k.PolicyOIDs, func(s string) bool { return slices.Contains(m.PolicyOIDs, s) })
			ok = ok.and(sure(issuer && policy))
		}
	}
	return ok
}

func sameSet(a, b entra.Combination) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

// strength says whether the kit satisfies an authentication strength.
func (o *oracle) strength(s *entra.AuthStrength, kit []entra.AuthMethod) tri {
	for i := range o.c.Strengths {
		if known := &o.c.Strengths[i]; known.ID.Equal(s.ID) && known.Combinations != nil {
			return strengthMet(known, kit)
		}
	}
	if combinations, ok := builtIn[s.ID.Key()]; ok {
		return meets(kit, combinations, nil)
	}
	if s.Combinations != nil {
		return strengthMet(s, kit)
	}
	return maybe
}

func strengthMet(s *entra.AuthStrength, kit []entra.AuthMethod) tri {
	if s.ConfigurationsRead {
		return meets(kit, s.Combinations, s.Configurations)
	}
	// Keys and certificates may be restricted by what was not read.
	plain := slices.DeleteFunc(slices.Clone(s.Combinations), func(c entra.Combination) bool {
		return slices.ContainsFunc(c, func(m entra.CombinationMode) bool {
			return m == entra.ModeFIDO2 || m == entra.ModeX509Multi || m == entra.ModeX509Single
		})
	})
	return meets(kit, plain, nil).or(meets(kit, s.Combinations, nil).and(maybe))
}
