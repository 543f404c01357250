package verify

import (
	"fmt"
	"slices"
	"strings"
)

// gateChecks are the hurdles outside the policies; each must have a line in
// every leaf, and the check says whether it is true there.
var gateChecks = map[string]func(c *checker, g *gateLine, sc *scene) error{
	"accountEnabled": func(c *checker, g *gateLine, _ *scene) error {
		enabled, known := c.a.user.get("enabled").flag()
		return unless(g, g.Reason == "enabled" && known && enabled && !c.a.user.is("deleted"))
	},
	"usableCredential": gateUsable,
	"groupLimit": func(c *checker, g *gateLine, _ *scene) error {
		return unless(g, g.Reason == "withinLimit" && len(c.a.groups) <= 2048)
	},
	"federation":           gateFederation,
	"passRegistration":     gatePass,
	"mandatoryMfa":         gateMandatory,
	"securityDefaults":     gateDefaults,
	"perUserMfa":           gatePerUser,
	"registrationCampaign": gateCampaign,
	"authService": func(c *checker, g *gateLine, sc *scene) error {
		for i, v := range c.values[dService] {
			if v == "outageNewSession" && (sc.box[dService] == nil || sc.box[dService][i]) {
				return fmt.Errorf("the backup service serves no new sessions")
			}
		}
		return unless(g, g.Reason == "noOutage")
	},
	"recoveryRole":    gateRole,
	"pimActivation":   gateActivation,
	"protectedAction": gateProtected,
}

func unless(g *gateLine, ok bool) error {
	if ok {
		return nil
	}
	return fmt.Errorf("%q does not hold", g.Reason)
}

// bare refuses evidence that the reason of a gate has no use for.
func (g *gateLine) bare() error {
	evidence := g.Reason == "mfa" || g.Reason == "primary"
	detail := slices.Contains([]string{"eligible", "active", "contextHasPolicy"}, g.Reason)
	if !evidence && len(g.Credentials)+len(g.Combination) > 0 || !detail && g.Detail != "" {
		return fmt.Errorf("it says more than the reason %q needs", g.Reason)
	}
	return nil
}

// everywhere calls f for every moment of a scene and stops at an error.
func (c *checker) everywhere(sc *scene, f func(m *moment) error) error {
	return c.moments(sc.box, []int{dClient, dFlow, dLocked}, func(m *moment, _ box) error { return f(m) })
}

// somewhere reports whether f holds at some moment of a scene.
func (c *checker) somewhere(sc *scene, f func(m *moment) bool) bool {
	return c.everywhere(sc, func(m *moment) error {
		if f(m) {
			return errFound
		}
		return nil
	}) != nil
}

func gateUsable(c *checker, g *gateLine, sc *scene) error {
	if err := c.everywhere(sc, func(m *moment) error {
		if !sc.kit.primary(m.locked) {
			return fmt.Errorf("the kit holds nothing to begin a sign-in with (%s)", m)
		}
		return nil
	}); err != nil {
		return err
	}
	named := c.somewhere(sc, func(m *moment) bool {
		return len(g.Combination) == 1 && slices.Contains(primaries, key(g.Combination[0])) && sc.kit.shows(g.Credentials, g.Combination, nil, m.locked)
	})
	return unless(g, g.Reason == "primary" && named)
}

func gateFederation(c *checker, g *gateLine, _ *scene) error {
	managed := false
	switch key(c.a.domain.str("authentication")) {
	case "managed":
		managed = true
	case "federated":
		mfa := key(c.a.domain.str("idpMfa"))
		managed = mfa != "" && mfa != "enforcemfabyfederatedidp"
	default:
		managed = strings.HasSuffix(c.a.name, ".onmicrosoft.com") ||
			c.t.read("domains") && !slices.ContainsFunc(c.t.domains, func(d *value) bool { return key(d.str("authentication")) == "federated" })
	}
	return unless(g, g.Reason == "managedDomain" && managed)
}

// onlyPass reports whether a pass is all that the kit begins with.
func (k *kit) onlyPass(locked bool) bool {
	pass := func(x *credential) bool { return x.kind == "temporaryaccesspass" }
	other := func(x *credential) bool { return slices.Contains(primaries, x.mode) && !pass(x) }
	return slices.ContainsFunc(k.open(locked), pass) && !slices.ContainsFunc(k.open(locked), other)
}

// gatePass: a sign-in by pass in a browser may be interrupted by registration.
func gatePass(c *checker, g *gateLine, sc *scene) error {
	only := func(m *moment) bool { return sc.kit.onlyPass(m.locked) }
	if !c.t.registrationOut && c.somewhere(sc, func(m *moment) bool { return only(m) && m.client == "browser" }) {
		return fmt.Errorf("a sign-in by pass may be interrupted by registration")
	}
	holds := false // at some moment of the scene; the others are no worse
	switch g.Reason {
	case "outOfScope":
		holds = c.t.registrationOut && c.somewhere(sc, only)
	case "notBrowser":
		holds = c.somewhere(sc, func(m *moment) bool { return only(m) && m.client != "browser" })
	case "otherPrimary":
		holds = c.somewhere(sc, func(m *moment) bool { return !only(m) })
	}
	return unless(g, holds)
}

// mfa checks a line that says by what credentials the sign-in is multifactor.
func (c *checker) mfa(g *gateLine, sc *scene) error {
	if err := c.everywhere(sc, func(m *moment) error {
		if m.legacy() || !sc.kit.mfa(m.locked) {
			return fmt.Errorf("the sign-in is not multifactor (%s)", m)
		}
		return nil
	}); err != nil {
		return err
	}
	return unless(g, g.Reason == "mfa" && c.somewhere(sc, func(m *moment) bool { return sc.kit.showsMFA(g.Credentials, g.Combination, m.locked) }))
}

func gateMandatory(c *checker, g *gateLine, sc *scene) error {
	if c.goal.MandatoryMFA == "" || c.t.cloud != "" && c.t.cloud != "public" {
		return unless(g, g.Reason == "notRequired")
	}
	return c.mfa(g, sc)
}

// defaultsOff reports whether security defaults are surely off: they cannot be on
// beside enabled policies.
func (t *tenant) defaultsOff() bool {
	if on, known := t.securityDefaults.flag(); known {
		return !on
	}
	return slices.ContainsFunc(t.policies, func(p *policy) bool { return p.state == "enabled" })
}

func gateDefaults(c *checker, g *gateLine, sc *scene) error {
	if c.t.defaultsOff() {
		return unless(g, g.Reason == "off")
	}
	if c.somewhere(sc, func(m *moment) bool { return m.legacy() || m.flow == "deviceCodeFlow" }) {
		return fmt.Errorf("security defaults block legacy clients and device code")
	}
	// Whether anything else satisfies the registration that they demand is not
	// documented, a passkey included.
	registered := slices.ContainsFunc(c.creds, func(x *credential) bool {
		return slices.Contains([]string{"microsoftauthenticatorpush", "devicebasedpush", "softwareoath", "hardwareoath", "sms", "voice"}, x.kind) && c.a.usable(x, c.now)
	})
	if !registered {
		return fmt.Errorf("security defaults may ask for a registration that the account's methods do not satisfy")
	}
	return c.mfa(g, sc)
}

func gatePerUser(c *checker, g *gateLine, sc *scene) error {
	if key(c.a.own.str("perUserMfa")) == "disabled" {
		return unless(g, g.Reason == "disabled")
	}
	return c.mfa(g, sc)
}

func gateCampaign(c *checker, g *gateLine, sc *scene) error {
	running := slices.ContainsFunc(c.t.campaigns, func(x *campaign) bool { return !x.disabled && len(x.include) > 0 })
	if !running {
		return unless(g, g.Reason == "noCampaign")
	}
	if g.Reason != "notForced" {
		return unless(g, false)
	}
	for _, x := range c.t.campaigns {
		for _, passkey := range []bool{false, true} {
			if c.mayForce(x, passkey, sc) {
				return fmt.Errorf("a registration campaign may force a method on the account")
			}
		}
	}
	return nil
}

// mayForce reports whether a campaign may force its method, a passkey or
// Authenticator, on the account.
func (c *checker) mayForce(x *campaign, passkey bool, sc *scene) bool {
	include := slices.DeleteFunc(slices.Clone(x.include), func(t target) bool { return (t.method == "fido2") != passkey })
	shown := false // on some platform of the leaf
	for i, v := range c.values[dPlatform] {
		if sc.box[dPlatform] == nil || sc.box[dPlatform][i] {
			shown = shown || v != "android" && v != "iOS" && !(passkey && v == "linux")
		}
	}
	has := slices.ContainsFunc(c.creds, func(r *credential) bool {
		return passkey && r.kind == "fido2" || !passkey && (r.kind == "microsoftauthenticatorpush" || r.kind == "devicebasedpush")
	})
	nudged := c.somewhere(sc, func(m *moment) bool { return !m.legacy() && sc.kit.mfa(m.locked) }) // it comes after MFA
	switch {
	case x.disabled, len(include) == 0, !shown, has, !nudged, !x.mayEnforce && !x.forced:
		return false
	case !c.a.targeted(include, false), c.a.targeted(x.exclude, true):
		return false
	case !passkey && c.authenticatorOff(), c.registrationBlocked(sc):
		return false
	}
	return true
}

// authenticatorOff reports whether the account surely may not use Authenticator.
func (c *checker) authenticatorOff() bool {
	m := c.t.methods["microsoftauthenticator"]
	return m != nil && !m.open && (m.state == "disabled" || !c.a.targeted(m.include, false) || c.a.targeted(m.exclude, true))
}

// registrationBlocked reports whether a policy surely blocks the registration of
// security information throughout a scene: the campaign is not shown then.
func (c *checker) registrationBlocked(sc *scene) bool {
	st := &stage{name: "registration", kind: "userAction", action: "urn:user:registersecurityinfo"}
	var by []box
	for _, p := range c.t.policies {
		if slices.Contains(p.actions, st.action) && slices.Contains(p.controls, "block") && p.state == "enabled" && c.a.surelyIncludes(p, "") &&
			!c.a.mayExclude(p, "") && c.a.targets(p, st, true) {
			by = append(by, c.surelyApplies(p)...)
		}
	}
	steps := maxSteps
	return covered(sc.box, by, &steps)
}

func gateRole(c *checker, g *gateLine, sc *scene) error {
	role := key(g.Detail)
	switch {
	case !c.goal.Recover:
		return unless(g, g.Reason == "notAsked")
	case sc.role != "":
		return unless(g, g.Reason == "eligible" && role == sc.role && c.a.eligible[role] && slices.Contains(recoveryRoles(), role))
	}
	return unless(g, g.Reason == "active" && c.a.active[role] && slices.Contains(recoveryRoles(), role))
}

func gateActivation(c *checker, g *gateLine, sc *scene) error {
	if sc.role == "" {
		return unless(g, g.Reason == "notNeeded")
	}
	rp := c.t.rolePolicies[sc.role]
	if rp == nil && !c.t.read("roleManagementPolicies") {
		return fmt.Errorf("what PIM asks for at activation was not read")
	}
	if rp.is("approvalRequired") {
		return fmt.Errorf("another person must approve the activation")
	}
	ctx := key(rp.str("authContext"))
	targeted := slices.ContainsFunc(c.t.policies, func(p *policy) bool { return slices.Contains(p.contexts, ctx) })
	// A context that no policy targets falls back to MFA.
	if rp != nil && !rp.is("mfaRequired") && (ctx == "" || targeted) {
		return unless(g, g.Reason == "contextPolicies")
	}
	return c.mfa(g, sc)
}

func gateProtected(c *checker, g *gateLine, _ *scene) error {
	ctx := c.t.protected[actionUpdate]
	switch {
	case !c.goal.Recover:
		return unless(g, g.Reason == "notAsked")
	case ctx == "":
		return unless(g, g.Reason == "notProtected" && c.t.read("protectedActions"))
	}
	enabled := slices.ContainsFunc(c.t.policies, func(p *policy) bool { return p.state == "enabled" && slices.Contains(p.contexts, ctx) })
	return unless(g, g.Reason == "contextHasPolicy" && key(g.Detail) == ctx && enabled)
}

// gates checks that every gate has one true line in every leaf.
func (c *checker) gates(cert *certificate) error {
	seen := map[string]bool{}
	for i := range cert.Gates {
		g := &cert.Gates[i]
		check := gateChecks[g.Gate]
		if check == nil {
			return fmt.Errorf("gate line %d: the gate %q is not known", i+1, g.Gate)
		}
		if g.Leaf < -1 || g.Leaf >= len(c.scenes) {
			return fmt.Errorf("gate line %d: there is no leaf %d", i+1, g.Leaf)
		}
		if err := g.bare(); err != nil {
			return fmt.Errorf("gate line %d (%s): %v", i+1, g.Gate, err)
		}
		for s := range c.scenes {
			if g.Leaf >= 0 && g.Leaf != s {
				continue
			}
			at := fmt.Sprint(g.Gate, " ", s)
			if seen[at] {
				return fmt.Errorf("gate line %d: the gate %s has two lines in leaf %d", i+1, g.Gate, s)
			}
			seen[at] = true
			if err := check(c, g, &c.scenes[s]); err != nil {
				return fmt.Errorf("gate line %d (%s, leaf %d): %v", i+1, g.Gate, s, err)
			}
		}
	}
	for gate := range gateChecks {
		for s := range c.scenes {
			if !seen[fmt.Sprint(gate, " ", s)] {
				return fmt.Errorf("the gate %s has no line in leaf %d", gate, s)
			}
		}
	}
	return nil
}
