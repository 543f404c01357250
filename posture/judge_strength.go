package posture

import (
	"fmt"
	"slices"
	"strings"

	"halligan/entra"
	"halligan/lockout/facts"
)

// strengthRules is an authentication strength with what the policy, the tenant's
// list and Microsoft's own table say of it.
type strengthRules struct {
	name string
	// combinations is nil where nobody read them.
	combinations []entra.Combination
	configs      []entra.CombinationConfiguration
	configsRead  bool
	odd          bool // holds something that is not known here
}

func (c *Case) strength(s *entra.AuthStrength) strengthRules {
	out := strengthRules{name: s.DisplayName, combinations: s.Combinations, configs: s.Configurations, configsRead: s.ConfigurationsRead, odd: restricting(s)}
	v := c.View()
	for i := range v.Strengths {
		t := &v.Strengths[i]
		if !t.ID.Equal(s.ID) {
			continue
		}
		out.odd = out.odd || restricting(t)
		if len(t.Combinations) > 0 {
			out.combinations = t.Combinations
		}
		if t.ConfigurationsRead {
			out.configs, out.configsRead = t.Configurations, true
		}
		out.name = clauseOr(out.name, t.DisplayName)
	}
	if b, ok := facts.BuiltInStrength(s.ID); ok {
		if len(out.combinations) == 0 {
			out.combinations = b.Combinations
		}
		out.configsRead = true // built-in strengths carry no configurations
		out.name = clauseOr(out.name, b.DisplayName)
	}
	out.name = clauseOr(out.name, string(s.ID))
	if len(out.combinations) == 0 {
		out.combinations = nil
	}
	return out
}

func restricting(s *entra.AuthStrength) bool {
	return slices.ContainsFunc(s.Unmodelled, func(u entra.Unmodelled) bool { return u.Kind != "member" })
}

// phishingResistant: every combination is one of the built-in strength of that
// name.
func (s *strengthRules) phishingResistant() bool {
	return len(s.combinations) > 0 && !slices.ContainsFunc(s.combinations, func(x entra.Combination) bool {
		return len(x) != 1 || x[0] != entra.ModeFIDO2 && x[0] != entra.ModeWindowsHello && x[0] != entra.ModeX509Multi
	})
}

// admits says whether a security key meets the strength by itself.
func (s *strengthRules) admits(key *entra.AuthMethod) answer {
	alone := func(list []entra.Combination) bool {
		return slices.ContainsFunc(list, func(x entra.Combination) bool { return len(x) == 1 && x[0] == entra.ModeFIDO2 })
	}
	if !alone(s.combinations) {
		return no
	}
	found := yes
	for _, cfg := range s.configs {
		if len(cfg.AppliesTo) > 0 && !alone(cfg.AppliesTo) {
			continue
		}
		switch {
		case cfg.Unknown, len(cfg.AAGUIDs) > 0 && key.AAGUID == "":
			found = maybe
		case len(cfg.AAGUIDs) > 0 && !slices.ContainsFunc(cfg.AAGUIDs, func(a string) bool { return entra.ID(a).Equal(entra.ID(key.AAGUID)) }):
			return no
		}
	}
	if s.odd || !s.configsRead {
		return maybe
	}
	return found
}

func judgeStrength(c *Case) Result {
	if r := c.unjudged(); r != nil {
		return *r
	}
	keys, read := c.MethodsOf(entra.MethodFIDO2)
	if !read {
		return c.unreadMethods()
	}
	var out []Result
	n := 0
	for _, p := range c.reaching(entra.StateEnabled) {
		if p.Grant.Strength == nil || conditionOwner(p) != "" || forLegacyClients(p) || !c.conditionFits(p) {
			continue
		}
		n++
		s := c.strength(p.Grant.Strength)
		switch {
		case c.reach(p) == maybe:
			out = append(out, c.unreachable(p))
		case s.combinations == nil:
			out = append(out, c.missing(entra.PartStrengths, "allowedCombinations of "+s.name, "").on(policyEvidence(p, s.name)))
		case len(keys) > 0:
			out = append(out, c.keysMeet(p, &s, keys))
		default:
			out = append(out, c.withoutKey(p, &s))
		}
	}
	return merge(pass("%d policies demand a strength of the account, and each key meets it", n), out...)
}

func (c *Case) keysMeet(p *entra.Policy, s *strengthRules, keys []entra.AuthMethod) Result {
	var refused []Evidence
	open := false
	for i := range keys {
		switch s.admits(&keys[i]) {
		case no:
			refused = append(refused, methodEvidence(&keys[i], "AAGUID "+keys[i].AAGUID))
		case maybe:
			open = true
		}
	}
	switch {
	case len(refused) > 0:
		return fail("the strength %q of policy %q refuses %d of %d keys", s.name, p.Label(), len(refused), len(keys)).on(policyEvidence(p, s.name)).on(refused...)
	case open && !s.configsRead:
		return c.missing(entra.PartStrengths, "combinationConfigurations of "+s.name, "").on(policyEvidence(p, s.name))
	case open:
		return unknown("whether the strength %q of policy %q admits every key is not known", s.name, p.Label()).on(policyEvidence(p, s.name))
	}
	return pass("the strength %q of policy %q admits %d keys", s.name, p.Label(), len(keys))
}

// withoutKey: an account without a key is judged by the prover, except where it
// has no phishing-resistant method at all though it should; that is found by
// am-phish-resistant.
func (c *Case) withoutKey(p *entra.Policy, s *strengthRules) Result {
	strong, _ := c.MethodsOf(entra.MethodX509, entra.MethodWindowsHello)
	has := slices.ContainsFunc(strong, func(m entra.AuthMethod) bool { return m.MultiFactor || m.Type == entra.MethodWindowsHello })
	for _, h := range owned(harms(c.View(), c.verdicts()), c.Check.ID) {
		switch {
		case !h.policy.ID.Equal(p.ID):
		case c.multifactor() == no || !has && s.phishingResistant() && !c.oathAccepted():
			return pass("no method that the strength %q could admit: see am-phish-resistant", s.name)
		default:
			return c.results([]harm{h})[0]
		}
	}
	return pass("the account meets the strength %q of policy %q", s.name, p.Label())
}

// modesOf are the ways in which a registered method takes part in a combination.
// A Temporary Access Pass is no standing method (am-no-tap).
var modesOf = map[entra.MethodType]entra.CombinationMode{
	entra.MethodPassword: entra.ModePassword, entra.MethodFIDO2: entra.ModeFIDO2, entra.MethodHardwareOath: entra.ModeHardwareOath, entra.MethodSoftwareOath: entra.ModeSoftwareOath,
	entra.MethodSMS: entra.ModeSMS, entra.MethodVoice: entra.ModeVoice, entra.MethodAuthenticatorPush: entra.ModeAuthenticatorPush, entra.MethodPhoneSignIn: entra.ModeDeviceBasedPush,
	entra.MethodWindowsHello: entra.ModeWindowsHello,
}

// multifactor reports whether the account's registered methods give multifactor
// authentication. Whether they may be used is a matter of the checks of the
// methods policy.
func (c *Case) multifactor() answer {
	methods, read := c.Methods()
	modes := map[entra.CombinationMode]bool{}
	external := false
	ended := facts.Date("smsVoiceRetirement").Date <= string(c.Today())
	for i := range methods {
		m := &methods[i]
		external = external || m.Type == entra.MethodExternal
		mode := modesOf[m.Type]
		if m.Type == entra.MethodX509 {
			if mode = entra.ModeX509Single; m.MultiFactor {
				mode = entra.ModeX509Multi
			}
		}
		if mode != "" && !(ended && (mode == entra.ModeSMS || mode == entra.ModeVoice)) {
			modes[mode] = true
		}
	}
	// External methods count as the second factor (entra-docs
	// how-to-authentication-external-method-manage).
	if external && modes[entra.ModePassword] {
		return yes
	}
	for _, combination := range facts.MFACombinations() {
		if !slices.ContainsFunc(combination, func(m entra.CombinationMode) bool { return !modes[m] }) {
			return yes
		}
	}
	bound, r := c.boundCertificate()
	switch {
	case bound == yes:
		return yes
	case r != nil, !read, slices.ContainsFunc(methods, func(m entra.AuthMethod) bool { return m.Type == entra.MethodUnknown }):
		return maybe
	}
	return no
}

func judgeMandatoryReady(c *Case) Result {
	if !c.publicCloud() {
		return notApplicable("Microsoft demands this in its public cloud only, the tenant is in %s", c.View().Cloud)
	}
	surfaces := strings.Join(c.mandatory(), "; ")
	switch c.multifactor() {
	case yes:
		return pass("the account has a method for %s", surfaces)
	case maybe:
		if _, read := c.Methods(); !read {
			return c.unreadMethods()
		}
		return unknown("whether one of the account's methods gives multifactor authentication is not known")
	}
	r := fail("no method of the account gives multifactor authentication: these refuse it, whatever excludes it: %s", surfaces)
	methods, _ := c.Methods()
	for i := range methods {
		r = r.on(methodEvidence(&methods[i], string(methods[i].Type)))
	}
	return r
}

func judgeSecurityDefaults(c *Case) Result {
	on := c.View().SecurityDefaults
	if on == nil {
		return c.missing(entra.PartSecurityDefaults, "isEnabled", "")
	}
	if !*on {
		return c.withoutDefaults()
	}
	if len(c.emergency()) == 0 {
		return notSetUp("no emergency account is registered")
	}
	var out []Result
	for _, s := range c.emergency() {
		at := *c
		at.Subject = &s
		strong, read := at.MethodsOf(entra.MethodFIDO2, entra.MethodX509)
		has := slices.ContainsFunc(strong, func(m entra.AuthMethod) bool { return m.Type == entra.MethodFIDO2 || m.MultiFactor })
		bound, r := at.boundCertificate()
		switch {
		case has || bound == yes:
		case !read:
			out = append(out, at.unreadMethods())
		case r != nil:
			out = append(out, *r)
		default:
			out = append(out, fail("security defaults are on, exclude nobody, and an account has neither a key nor a certificate").on(at.user(s.ID, "no key")))
		}
	}
	return merge(pass("security defaults are on, and every account has a key or a certificate"), out...)
}

// withoutDefaults: without security defaults only policies demand anything of the
// administrators, and those need a licence.
func (c *Case) withoutDefaults() Result {
	active := slices.ContainsFunc(c.View().Policies, func(p entra.Policy) bool { return p.State == entra.StateEnabled })
	st := c.Snapshot.Status(entra.PartPolicies)
	switch {
	case active:
		return pass("security defaults are off; Conditional Access is in use")
	case c.Lacks(LicenceP1):
		return fail("security defaults are off and the tenant has no licence for Conditional Access: nothing protects the other administrators").
			on(Evidence{Detail: "isEnabled is false, no service plan " + strings.Join(licencePlans[LicenceP1], " or ")})
	case st.Status != entra.StatusRead:
		return c.unread(entra.PartPolicies, st)
	}
	licences := c.Snapshot.Status(entra.PartLicences)
	if licences.Status != entra.StatusRead {
		return c.unread(entra.PartLicences, licences)
	}
	return fail("security defaults are off and no policy is on: nothing protects the administrators").on(Evidence{Detail: fmt.Sprintf("%d policies, none enabled", len(c.View().Policies))})
}
