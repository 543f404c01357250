package lockout_test

import (
	"slices"
	"strings"

	"halligan/entra"
)

// gates are the hurdles that do not depend on what is asked for.
func (o *oracle) gates(pt *point, kit []entra.AuthMethod) tri {
	d := o.saying("account:noUsableCredential", sure(!hasPrimary(kit)))
	disabled := maybe
	if o.user.Enabled != nil {
		disabled = sure(!*o.user.Enabled)
	}
	d = d.or(o.saying("account:disabled", disabled.or(sure(o.user.Deleted))))
	d = d.or(o.saying("account:perUserMfa", o.perUserMFA(pt, kit)))
	d = d.or(o.saying("account:tooManyGroups", sure(len(o.account.Memberships) > 2048).and(maybe)))
	d = d.or(o.saying("service:backupAuthNewSession", sure(pt.service == "outageNewSession")))
	d = d.or(o.saying("tenant:registrationCampaign", o.campaign(pt, kit)))
	if !o.c.RegistrationRuledOut && pt.client == "browser" {
		d = d.or(o.saying("tenant:registrationAfterPass", sure(onlyPrimaryIsPass(kit)).and(maybe)))
	}
	return d
}

func (o *oracle) perUserMFA(pt *point, kit []entra.AuthMethod) tri {
	switch o.account.PerUserMFA {
	case "disabled":
		return no
	case "enabled", "enforced":
		if legacy(pt) {
			return maybe // MFA on every modern sign-in; what becomes of others is not said
		}
		return sure(!o.mfa(pt, kit))
	}
	return sure(!o.mfa(pt, kit)).and(maybe)
}

// tenantGates are mandatory MFA and security defaults.
func (o *oracle) tenantGates(s *stage, pt *point, kit []entra.AuthMethod) tri {
	d := no
	if o.q.Goal.MandatoryMFA != "" && o.publicCloud() {
		d = d.or(o.saying("tenant:mandatoryMfa", sure(!o.mfa(pt, kit))))
	}
	on := maybe
	switch {
	case o.c.SecurityDefaults != nil:
		on = sure(*o.c.SecurityDefaults)
	case slices.ContainsFunc(o.c.Policies, func(p entra.Policy) bool { return p.State == entra.StateEnabled }):
		on = no // they cannot be on together with an enabled policy
	}
	return d.or(o.saying("tenant:securityDefaultsMfa", on.and(o.securityDefaults(s, pt, kit))))
}

// administrators are the roles for which security defaults ask for MFA at every
// sign-in; only some that the worlds use.
var administrators = []entra.ID{"62e90394-69f5-4237-9190-012177145e10", "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9", "194ae4cb-b126-40b2-bd5b-6091b380977d"}

func (o *oracle) securityDefaults(s *stage, pt *point, kit []entra.AuthMethod) tri {
	if legacy(pt) || pt.flow == "deviceCodeFlow" {
		return yes
	}
	asked := no
	for _, id := range []entra.ID{"797f4846-ba00-4fd7-ba43-dac1f8f63013", "c44b4083-3bb0-49c1-b47d-974e53cbdf3c"} {
		asked = asked.or(sure(slices.ContainsFunc(s.audiences, id.Equal)))
	}
	asked = asked.or(o.anyRole(administrators, s))
	d := asked.and(sure(!o.mfa(pt, kit)))
	// Everybody must have registered; whether a passkey alone is enough for that
	// is not known.
	registered := no
	for _, m := range o.account.Methods {
		switch m.Type {
		case entra.MethodAuthenticatorPush, entra.MethodSoftwareOath, entra.MethodHardwareOath, entra.MethodPhoneSignIn, entra.MethodSMS, entra.MethodVoice:
			registered = registered.or(o.usable(&m, o.q))
		case entra.MethodFIDO2, entra.MethodX509, entra.MethodWindowsHello, entra.MethodTAP:
			if m.Type != entra.MethodX509 || m.MultiFactor {
				registered = registered.or(o.usable(&m, o.q).and(maybe))
			}
		}
	}
	return d.or(registered.not())
}

// campaign: a registration campaign whose skips are used up, or may be.
func (o *oracle) campaign(pt *point, kit []entra.AuthMethod) tri {
	if pt.platform == "android" || pt.platform == "iOS" || !o.mfa(pt, kit) {
		return no
	}
	d := no
	if c := o.c.CampaignForced; c != nil {
		d = d.or(o.nudged(c, pt))
	}
	if m := o.c.MethodsPolicy; m != nil && m.Campaign != nil && (m.Campaign.Enforce == nil || *m.Campaign.Enforce) && m.Campaign.State != "disabled" {
		d = d.or(o.nudged(m.Campaign, pt).and(maybe))
	}
	if d == no {
		return no
	}
	return d.and(o.uninterrupted(pt))
}

func (o *oracle) nudged(c *entra.RegistrationCampaign, pt *point) tri {
	d := no
	for _, t := range c.Include {
		wanted := no
		if strings.EqualFold(t.Method, "fido2") {
			// Whether who may not register a passkey, or not any, is spared is not known.
			wanted = o.methodAllows("Fido2").and(o.anyPasskey()).or(maybe).and(sure(pt.platform != "linux" && !holdsType(o.account.Methods, entra.MethodFIDO2)))
		} else {
			wanted = o.methodAllows("MicrosoftAuthenticator").and(sure(!holdsType(o.account.Methods, entra.MethodAuthenticatorPush) &&
				!holdsType(o.account.Methods, entra.MethodPhoneSignIn)))
		}
		d = d.or(o.target1(t).and(wanted))
	}
	return d.and(o.targeted(c.Exclude).not())
}

// anyPasskey: passkeys of every model and kind may be registered.
func (o *oracle) anyPasskey() tri {
	m := o.c.MethodsPolicy.Method("Fido2")
	return sure(m != nil && len(m.PasskeyProfiles) == 0 && (m.KeyRestrictions == nil || !m.KeyRestrictions.Enforced))
}

// uninterrupted: the campaign is never shown on a sign-in with terms of use or a
// custom control, or where a policy blocks the registration.
func (o *oracle) uninterrupted(pt *point) tri {
	shown := yes
	signIn := &stage{name: "signIn", audiences: o.q.Goal.Audiences, lowPriv: o.q.Goal.LowPrivOnly}
	register := &stage{name: "userAction", action: "urn:user:registersecurityinfo"}
	for i := range o.c.Policies {
		p := &o.c.Policies[i]
		if len(p.Grant.TermsOfUse)+len(p.Grant.CustomFactors) > 0 {
			shown = shown.and(o.applies(p, signIn, pt).not().or(maybe)) // unless they were accepted before
		}
		if slices.Contains(p.Grant.Controls, entra.ControlBlock) && len(p.Conditions.Applications.UserActions) > 0 {
			shown = shown.and(o.applies(p, register, pt).not())
		}
	}
	return shown
}

// session says whether a session control denies where the policy applies.
func (o *oracle) session(p *entra.Policy, s *stage, pt *point, kit []entra.AuthMethod) tri {
	d := no
	ctl := &p.Session
	if f := ctl.SignInFrequency; f != nil && f.EveryTime {
		again := slices.DeleteFunc(slices.Clone(kit), func(m entra.AuthMethod) bool { return m.Type == entra.MethodTAP && m.UsableOnce })
		d = d.or(sure(!o.mfa(pt, again)).and(maybe))
	}
	switch ctl.CloudAppSecurity {
	case "", "monitorOnly":
	default:
		d = d.or(maybe)
	}
	if ctl.SecureSignInSession {
		d = d.or(tokenProtection(p, pt))
	}
	return d
}

const resourceManager entra.ID = "797f4846-ba00-4fd7-ba43-dac1f8f63013"

// tokenProtection: only tokens bound to a registered device. What it does to
// resources that the documentation does not name is not known.
func tokenProtection(p *entra.Policy, pt *point) tri {
	browser := pt.client == string(entra.ClientBrowser)
	switch {
	case !pt.device.Registered && browser && slices.ContainsFunc(p.Conditions.Applications.Include, resourceManager.Equal):
		return yes
	case pt.device.Registered && pt.platform == "windows":
		return no
	case pt.device.Registered && pt.platform == "macOS" && (!browser || wellKnown(pt.device)):
		return no
	case pt.device.Registered && pt.platform == "iOS" && !browser:
		return no
	}
	return maybe
}
