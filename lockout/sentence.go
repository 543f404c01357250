package lockout

import (
	"fmt"
	"slices"
	"strings"

	"halligan/entra"
)

// sentence tells a counterexample so that a tired person understands it: "from
// an unregistered Linux machine, anywhere, in a browser: policy "CA012"
// demands a compliant device".
func (p *Prover) sentence(q *Question, pr *problem, c *Counterexample, cur box) string {
	var where []string
	where = append(where, p.machinePhrase(pr, c))
	where = append(where, p.placePhrase(pr.cs.space, c))
	for _, d := range []struct {
		dim Dimension
		fmt string
	}{
		{DimSignInRisk, "when the sign-in is scored %s risk"}, {DimUserRisk, "when the user is scored %s risk"}, {DimInsiderRisk, "at insider risk %s"},
		{DimFlow, "by %s"}, {DimAuthService, "with the sign-in service in state %s"}, {DimResourceIP, "with the resource seeing the address in %s"},
	} {
		if v, ok := c.Box[d.dim]; ok && !(d.dim == DimFlow && slices.Equal(v, []string{"none"})) && !(d.dim == DimAuthService && slices.Equal(v, []string{"normal"})) {
			where = append(where, fmt.Sprintf(d.fmt, strings.Join(orOutside(v), " or ")))
		}
	}
	if slices.Contains(c.Box[DimSmartLockout], "true") && len(c.Box[DimSmartLockout]) == 1 {
		where = append(where, "with the password locked by smart lockout")
	}
	if len(c.Options) > 0 {
		where = append(where, clientPhrase(c.Options))
	}
	return strings.Join(slices.DeleteFunc(where, func(s string) bool { return s == "" }), ", ") + ": " + causesPhrase(c.Causes)
}

var platformNames = map[string]string{"windows": "Windows", "macOS": "macOS", "linux": "Linux", "android": "Android", "iOS": "iOS", "windowsPhone": "Windows Phone", "unknown": "unrecognised"}

func (p *Prover) machinePhrase(pr *problem, c *Counterexample) string {
	kind := "machine"
	if in, ok := c.Box[DimPlatform]; ok {
		var names []string
		for _, v := range in {
			names = append(names, platformNames[v])
		}
		kind = strings.Join(names, ", ") + " machine"
		if i := strings.LastIndex(kind, ", "); i >= 0 {
			kind = kind[:i] + " or " + kind[i+2:]
		}
	}
	what := "unregistered"
	d := pr.cs.dim(DimDevice)
	switch at := d.index(c.Point[DimDevice]); {
	case at < 0: // the operator chooses
		what = "available"
	case d.devices[at].Registered:
		what = "registered"
	}
	article := "a"
	if what != "registered" {
		article = "an"
	}
	if _, ok := c.Box[DimPlatform]; !ok {
		return fmt.Sprintf("from any %s %s", what, kind)
	}
	return fmt.Sprintf("from %s %s %s", article, what, kind)
}

func (p *Prover) placePhrase(sp *space, c *Counterexample) string {
	var parts []string
	if in, ok := c.Box[DimIP]; ok {
		parts = append(parts, p.addressPhrase(in))
	}
	if in, ok := c.Box[DimCountry]; ok {
		parts = append(parts, "from "+countryPhrase(in, sp.dim(DimCountry).values))
	}
	if in, ok := c.Box[DimGPSCountry]; ok {
		parts = append(parts, "by GPS in "+countryPhrase(in, sp.dim(DimGPSCountry).values))
	}
	if in, ok := c.Box[DimCompliantNetwork]; ok && len(in) == 1 {
		parts = append(parts, map[string]string{"true": "on the compliant network", "false": "off the compliant network"}[in[0]])
	}
	if len(parts) == 0 {
		return "anywhere"
	}
	return strings.Join(parts, " ")
}

func (p *Prover) addressPhrase(cells []string) string {
	var names []string
	outside := false
	for _, cell := range cells {
		if cell == "" {
			outside = true
			continue
		}
		for _, id := range strings.Split(cell, ",") {
			name := id
			if l := p.places.byID[entra.ID(id).Key()]; l != nil && l.DisplayName != "" {
				name = fmt.Sprintf("%q", l.DisplayName)
			}
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	if len(names) > 4 {
		names = append(names[:4], fmt.Sprintf("%d more locations", len(names)-4))
	}
	in := "from an address in " + strings.Join(names, " or ")
	switch {
	case outside && len(names) > 0:
		return "from an address outside every named location, or in " + strings.Join(names, " or ")
	case outside:
		return "from an address outside every named location"
	}
	return in
}

func countryPhrase(in, all []string) string {
	var names []string
	for _, c := range in {
		switch c {
		case countryOther:
			names = append(names, "a country that no location names")
		case countryUnknown:
			names = append(names, "an address without a country")
		default:
			names = append(names, c)
		}
	}
	if len(names) > 6 {
		var out []string
		for _, c := range all {
			if !slices.Contains(in, c) {
				out = append(out, c)
			}
		}
		if len(out) <= 6 {
			return "any country but " + strings.Join(out, ", ")
		}
		names = append(names[:6], fmt.Sprintf("%d more", len(names)-6))
	}
	return strings.Join(names, " or ")
}

var clientNames = map[string]string{"browser": "in a browser", "mobileAppsAndDesktopClients": "in a desktop or command-line client", "exchangeActiveSync": "by Exchange ActiveSync", "other": "by a legacy client"}

func clientPhrase(options []OptionDenial) string {
	var names []string
	for _, o := range options {
		if n := clientNames[o.Option.Choice[DimClientApp]]; n != "" && !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return strings.Join(names, " or ")
}

func orOutside(v []string) []string {
	out := slices.Clone(v)
	for i := range out {
		switch out[i] {
		case "":
			out[i] = "no named location"
		case "deviceCodeFlow":
			out[i] = "device code flow"
		case "authenticationTransfer":
			out[i] = "authentication transfer"
		}
	}
	return out
}

// controlPhrases say what a control does to the account.
var controlPhrases = map[string]string{
	"block": "blocks the sign-in", "mfa": "demands multifactor authentication, which no kit of the account gives",
	"authenticationStrength": "demands an authentication strength that no kit of the account meets",
	"compliantDevice":        "demands a compliant device", "domainJoinedDevice": "demands a hybrid joined Windows device",
	"approvedApplication": "demands an approved client app", "compliantApplication": "demands an app protection policy",
	"passwordChange": "demands a password change, which the account cannot do", "riskRemediation": "demands risk remediation, which the account cannot do",
	"termsOfUse": "demands terms of use accepted on a registered device", "customAuthenticationFactor": "demands a custom control of a third party",
	"gpsLocation": "asks the Authenticator app for a location", "secureSignInSession": "demands a token bound to a registered device",
	"signInFrequencyEveryTime": "demands full reauthentication every time", "disableResilienceDefaults": "is enforced in an outage on data that cannot be evaluated then",
	"cloudAppSecurity": "hands the session to Defender for Cloud Apps", "unmodelled": "holds something that is not modelled",
	"mandatoryMfaPhase1": "Microsoft's mandatory MFA refuses a sign-in without MFA (no exclusion exists)", "mandatoryMfaPhase2": "Microsoft's mandatory MFA refuses a change without MFA (no exclusion exists)",
	"securityDefaultsMfa": "security defaults demand MFA and a method registered for it", "securityDefaultsLegacyAuth": "security defaults block legacy clients", "securityDefaultsDeviceCode": "security defaults block device code flow",
	"registrationCampaign": "a registration campaign forces a method on the account", "pimApproval": "another person must approve the role", "pimMfa": "activating the role demands MFA",
	"protectedActionNoEnabledPolicy": "editing policies is protected by a context that no enabled policy satisfies", "protectedAction": "editing policies may be a protected action",
	"noUsableCredential": "the account has no usable credential to begin a sign-in with", "perUserMfa": "per-user MFA demands MFA", "accountDisabled": "the account is disabled",
	"groupLimit": "the account is in too many groups", "federatedDomain": "the sign-in depends on a federated identity provider", "passRegistration": "a sign-in by pass may be held up by registration",
	"noRecoveryRole": "the account holds no active role that may change policies", "backupAuthNewSession": "the sign-in service is out and serves no new sessions",
}

func causesPhrase(causes []Cause) string {
	var out []string
	for _, c := range causes {
		phrase := controlPhrases[c.Control]
		if phrase == "" {
			phrase = "demands " + c.Control + ", which is not modelled"
		}
		if c.Source != sourceTenant && c.Source != sourceAccount && c.Source != sourceService {
			name := c.Name
			if name == "" {
				name = c.Source
			}
			phrase = fmt.Sprintf("policy %q %s", name, phrase)
		}
		if len(c.Because) > 0 {
			phrase += " (possibly)"
		}
		switch c.Stage {
		case "stepUp":
			phrase += " when policies are edited"
		case "activation", "signInWithRole":
			phrase += " once the role is activated"
		case "userAction":
			phrase += " when the action is performed"
		}
		if !slices.Contains(out, phrase) {
			out = append(out, phrase)
		}
	}
	if len(out) > 6 {
		out = append(out[:6], fmt.Sprintf("and %d more", len(out)-6))
	}
	return strings.Join(out, "; ")
}
