package posture

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"halligan/entra"
	"halligan/lockout/facts"
	"halligan/register"
)

func judgeFIDOPolicy(c *Case) Result {
	keys, read := c.MethodsOf(entra.MethodFIDO2)
	if p := c.Registered.Pattern; len(keys) == 0 && read && p != register.PatternUnknown && p != register.PatternFIDO2 {
		return notApplicable("the account has no security key, and its pattern needs none: %s", p)
	}
	cfg, miss := c.method("Fido2")
	if miss != nil {
		return *miss
	}
	if !strings.EqualFold(cfg.State, "enabled") {
		return fail("security keys are switched off in the methods policy: no key of the account works").on(Evidence{ID: cfg.ID, Detail: "state is " + cfg.State})
	}
	for _, t := range cfg.Exclude {
		if c.target(t) == yes {
			return fail("the methods policy excludes the account from security keys").on(c.group(t.ID, "excludeTargets of Fido2"))
		}
	}
	switch c.inScope(cfg.Include, cfg.Exclude) {
	case yes:
		return pass("security keys are on for the account")
	case no:
		return fail("the methods policy does not include the account for security keys").on(Evidence{ID: cfg.ID, Detail: "includeTargets"})
	}
	return c.unreadGroups("whether security keys are on for the account")
}

func judgeAAGUID(c *Case) Result {
	keys, read := c.MethodsOf(entra.MethodFIDO2)
	if len(keys) == 0 {
		if !read {
			return c.unreadMethods()
		}
		return notApplicable("no security key: see am-phish-resistant")
	}
	cfg, miss := c.method("Fido2")
	if miss != nil {
		return *miss
	}
	var results []Result
	for i := range keys {
		m := &keys[i]
		r := c.admitted(cfg, m)
		if r.Status == Pass {
			r = c.attested(cfg, m)
		}
		if r.Status == Pass && !read {
			r = c.unreadMethods()
		}
		results = append(results, r)
	}
	return merge(pass("nothing to admit"), results...)
}

// admitted: with passkey profiles, one that is in scope and wholly satisfied is
// enough; without, the restrictions of the method bind (entra-docs
// how-to-enable-passkey-fido2, how-to-authentication-passkey-profiles).
func (c *Case) admitted(cfg *entra.MethodConfiguration, m *entra.AuthMethod) Result {
	if len(cfg.PasskeyProfiles) == 0 {
		// A target or a default that names a profile shows that there are some;
		// without $expand=passkeyProfiles they are not in the answer.
		profiled := cfg.DefaultProfile != "" || slices.ContainsFunc(cfg.Include, func(t entra.MethodTarget) bool { return len(t.Profiles) > 0 })
		gone := c.Today() >= register.Day(facts.Date("fido2LegacyProperties").Date)
		if profiled || cfg.KeyRestrictions == nil && (gone || !c.rawMethod("Fido2").Known("keyRestrictions")) {
			return c.missing(entra.PartMethodsPolicy, "passkeyProfiles of Fido2 ($expand=passkeyProfiles)", "")
		}
		return c.restricted(cfg.KeyRestrictions, m, "the key restrictions")
	}
	scoped := false
	best := fail("no passkey profile that reaches the account admits a key of the model %s: it no longer signs in", m.AAGUID).on(methodEvidence(m, m.AAGUID))
	if cfg.DefaultProfile == "" && slices.ContainsFunc(cfg.Include, func(t entra.MethodTarget) bool { return len(t.Profiles) == 0 && c.target(t) != no }) {
		best = unknown("a target of security keys that reaches the account names no passkey profile, and the default one was not read").on(Evidence{ID: cfg.ID, Detail: "includeTargets"})
	}
	for i := range cfg.PasskeyProfiles {
		p := &cfg.PasskeyProfiles[i]
		in := c.profileScope(cfg, p.ID)
		if in == no {
			continue
		}
		scoped = true
		r := c.restricted(p.KeyRestrictions, m, "the passkey profile "+clauseOr(p.Name, string(p.ID)))
		if r.Status == Pass && len(p.PasskeyTypes) > 0 {
			switch {
			case m.PasskeyType == "":
				r = c.missing(entra.PartAccounts, "passkeyType", permMethods)
			case !slices.ContainsFunc(p.PasskeyTypes, func(t string) bool { return strings.EqualFold(t, m.PasskeyType) }):
				continue
			}
		}
		switch {
		case r.Status == Pass && in == yes:
			return r
		case r.Status == Pass:
			best = c.unreadGroups("which passkey profile reaches the account")
		case r.Status == Indeterminate && best.Status == Fail:
			best = r
		}
	}
	if !scoped && c.inScope(cfg.Include, cfg.Exclude) != no {
		return unknown("security keys reach the account, and no passkey profile that was read does: which key is admitted is not known").on(Evidence{ID: cfg.ID, Detail: "includeTargets name no profile for the account"})
	}
	if !scoped {
		// Then the method does not reach the account either: am-fido-policy-on says so.
		return pass("no passkey profile reaches the account: see am-fido-policy-on")
	}
	return best
}

// profileScope: a profile reaches the account by the targets that allow it, the
// default one by those that name none.
func (c *Case) profileScope(cfg *entra.MethodConfiguration, profile entra.ID) answer {
	out := no
	for _, t := range cfg.Include {
		if slices.ContainsFunc(t.Profiles, profile.Equal) || len(t.Profiles) == 0 && cfg.DefaultProfile.Equal(profile) {
			out = either(out, c.target(t))
		}
	}
	return out
}

func (c *Case) restricted(k *entra.KeyRestrictions, m *entra.AuthMethod, where string) Result {
	if k == nil || !k.Enforced {
		return pass("%s admit every model", where)
	}
	listed := slices.ContainsFunc(k.AAGUIDs, func(a string) bool { return entra.ID(a).Equal(entra.ID(m.AAGUID)) })
	switch {
	case m.AAGUID == "":
		return c.missing(entra.PartAccounts, "aaGuid", permMethods)
	case strings.EqualFold(k.Enforcement, "allow") && listed, strings.EqualFold(k.Enforcement, "block") && !listed:
		return pass("%s admit the keys", where)
	case k.Enforcement == "":
		return c.missing(entra.PartMethodsPolicy, "enforcementType", "")
	}
	return fail("%s refuse a key of the model %s: it no longer signs in", where, m.AAGUID).on(methodEvidence(m, m.AAGUID))
}

// attested: attestation acts at registration, yet one page names it among the
// reasons for which a key stops working (docs/unverified.md). A key that is known
// to have been registered without is therefore not known to be admitted.
func (c *Case) attested(cfg *entra.MethodConfiguration, m *entra.AuthMethod) Result {
	if cfg.AttestationEnforced && strings.EqualFold(entra.ParseFields(m.Raw).Str("attestationLevel"), "notAttested") {
		return unknown("attestation is enforced, and a key was registered without it: whether it still signs in is not documented in one voice").on(methodEvidence(m, "attestationLevel is notAttested"))
	}
	return pass("the policy admits every key of the account")
}

func judgeTAPScope(c *Case) Result {
	cfg, miss := c.method("TemporaryAccessPass")
	if miss != nil {
		return *miss
	}
	if !strings.EqualFold(cfg.State, "enabled") {
		return pass("passes are switched off")
	}
	longest, known := c.rawMethod("TemporaryAccessPass").Int("maximumLifetimeInMinutes")
	if !known {
		return c.missing(entra.PartMethodsPolicy, "maximumLifetimeInMinutes", "")
	}
	w, open := c.enrolling()
	in := c.inScope(cfg.Include, cfg.Exclude)
	switch {
	case in == yes && !open:
		r := fail("the account is in the scope of Temporary Access Pass, and no enrolment is declared: whoever may make a pass may become it")
		for _, t := range cfg.Include {
			if c.target(t) == yes {
				r = r.on(c.group(t.ID, "includeTargets of TemporaryAccessPass"))
			}
		}
		return r
	case longest > c.Settings.TAPMinutes:
		return fail("a pass may live %d minutes, at most %d wanted", longest, c.Settings.TAPMinutes).on(Evidence{ID: cfg.ID, Detail: "maximumLifetimeInMinutes"}).
			then(fmt.Sprintf("Entra admin center > Authentication methods > Policies > Temporary Access Pass > Configure > Edit > Maximum lifetime: %d minutes (for the whole tenant)", c.Settings.TAPMinutes))
	case in == maybe:
		return c.unreadGroups("whether the account is in the scope of Temporary Access Pass")
	case in == yes:
		return pass("in scope within the enrolment declared until %s", w.To.UTC().Format("2006-01-02 15:04"))
	}
	return pass("out of the scope of passes")
}

// weakMethods are those of S90 that Graph names.
var weakMethods = []string{"MicrosoftAuthenticator", "Sms", "Voice", "Email", "SoftwareOath"}

func judgeWeak(c *Case) Result {
	if on := c.View().SecurityDefaults; on != nil && *on {
		return notApplicable("security defaults are on, and may demand a method that is no key")
	}
	var results []Result
	for _, id := range weakMethods {
		switch {
		case id == "SoftwareOath" && c.oathAccepted(), id == "Email" && c.Registered.Pattern == register.PatternAccountReset:
			continue // the pattern rests on it; its own checks judge that
		}
		cfg, miss := c.method(id)
		switch {
		case miss != nil:
			results = append(results, *miss)
		case !strings.EqualFold(cfg.State, "enabled"):
			results = append(results, pass("off"))
		default:
			switch c.inScope(cfg.Include, cfg.Exclude) {
			case yes:
				results = append(results, fail("the methods policy allows the account %s", id).on(Evidence{ID: id, Detail: "enabled, and the account is in scope"}))
			case maybe:
				results = append(results, c.unreadGroups("whether the account may use "+id))
			}
		}
	}
	r := merge(pass("no weak method is allowed"), results...)
	if r.Status == Pass {
		r.Says = "no weak method is allowed"
	}
	return r
}

func judgeCampaign(c *Case) Result {
	k := c.View().MethodsPolicy
	if k == nil || k.Campaign == nil || k.Campaign.State == "" {
		return c.missing(entra.PartMethodsPolicy, "registrationEnforcement.authenticationMethodsRegistrationCampaign", "")
	}
	if strings.EqualFold(k.Campaign.State, "disabled") {
		return pass("the registration campaign is off")
	}
	raw := entra.ParseFields(k.Raw)
	for _, p := range []string{"includeTargets", "excludeTargets"} {
		if path := "registrationEnforcement.authenticationMethodsRegistrationCampaign." + p; !raw.Known(path) {
			return c.missing(entra.PartMethodsPolicy, path, "")
		}
	}
	in, out := c.targets(k.Campaign.Include), c.targets(k.Campaign.Exclude)
	if strings.EqualFold(k.Campaign.State, "default") {
		in = yes // managed by Microsoft, who chooses whom it reaches
	}
	switch {
	case out == yes:
		return pass("the registration campaign excludes the account")
	case in == no:
		return pass("the registration campaign does not reach the account")
	case in == yes && out == no:
		return fail("the registration campaign asks the account to register a method, and after a while it insists").on(
			Evidence{ID: "authenticationMethodsRegistrationCampaign", Detail: "state " + k.Campaign.State + ", the account is not under excludeTargets"})
	}
	return c.unreadGroups("whether the registration campaign reaches the account")
}

func judgeMigration(c *Case) Result {
	p := c.View().MethodsPolicy
	switch {
	case p == nil || p.MigrationState == "":
		return c.missing(entra.PartMethodsPolicy, "policyMigrationState", "")
	case strings.EqualFold(p.MigrationState, "migrationComplete"):
		return pass("the migration is complete")
	}
	return fail("the migration from the legacy settings is not complete: they still allow methods, and no programme can read them").on(
		Evidence{ID: "policyMigrationState", Detail: p.MigrationState}, vendorDate("legacyMethodSettings"))
}

// judgeRegistration: neither policy is in Graph v1.0. A supposition of the proof
// (registration=out-of-scope) is no statement of a person, so it does not count.
func judgeRegistration(*Case) Result {
	return unknown("the registration policies of self-service reset and ID Protection are not in Microsoft Graph: look at both pages and attest it")
}

func judgeCBA(c *Case) Result {
	is, known := c.certified()
	switch {
	case !is && c.Registered.Pattern == register.PatternCertificate && known:
		return notApplicable("no certificate is registered or bound: see am-phish-resistant")
	case !is && known:
		return notApplicable("the account has no certificate")
	case !is && c.Registered.Pattern != register.PatternCertificate && c.Registered.Pattern != register.PatternUnknown:
		return notApplicable("the account signs in by another pattern: %s", c.Registered.Pattern)
	case !is:
		return c.missing(entra.PartUsers, "authorizationInfo", permUserRead)
	}
	if st := c.Snapshot.Status(entra.PartCertificateAuthority); st.Status != entra.StatusRead {
		return c.unread(entra.PartCertificateAuthority, st)
	}
	authorities := c.Snapshot.Objects(entra.PartCertificateAuthority)
	if len(authorities) == 0 {
		return fail("the account has a certificate, and the tenant trusts no authority")
	}
	var results []Result
	for _, a := range c.relevant(authorities) {
		results = append(results, c.authority(a))
	}
	return merge(fail("no trusted authority issued the account's certificate"), results...)
}

// relevant are the authorities of the account's certificates and the roots above
// them; all, when it is not known who issued one.
func (c *Case) relevant(all []entra.Fields) []entra.Fields {
	certs, _ := c.MethodsOf(entra.MethodX509)
	var issuers []entra.ID
	for i := range certs {
		if certs[i].IssuerSKI == "" {
			return all
		}
		issuers = append(issuers, entra.ID(certs[i].IssuerSKI))
	}
	if len(issuers) == 0 {
		return all
	}
	var out []entra.Fields
	issued := false
	for _, a := range all {
		ski, known := a.Text("issuerSubjectKeyIdentifier")
		mine := known && slices.ContainsFunc(issuers, entra.ID(ski).Equal)
		issued = issued || mine || !known
		if mine || !known || !strings.EqualFold(a.Str("certificateAuthorityType"), "intermediate") {
			out = append(out, a)
		}
	}
	if !issued {
		return nil
	}
	return out
}

// authority judges one trusted authority (graph: certificateAuthorityDetail).
func (c *Case) authority(a entra.Fields) Result {
	ev := Evidence{ID: a.Str("id"), Name: a.Str("displayName")}
	end, known := a.Time("expirationDateTime")
	if !known || end.IsZero() {
		return c.missing(entra.PartCertificateAuthority, "expirationDateTime", "")
	}
	if left := days(c.Now, end); left < c.Settings.CertificateDays {
		ev.Detail = "ends on " + end.Format("2006-01-02")
		if !end.After(c.Now) {
			return fail("the authority %s has ended: its certificates are refused", ev.Name).on(ev)
		}
		return fail("the authority %s ends in %d days, and every certificate with it", ev.Name, left).on(ev)
	}
	list, known := a.Text("certificateRevocationListUrl")
	if !known {
		return c.missing(entra.PartCertificateAuthority, "certificateRevocationListUrl", "")
	}
	if list == "" {
		required, known := c.rawMethod("X509Certificate").Text("crlValidationConfiguration.state")
		switch {
		case !known:
			return c.missing(entra.PartMethodsPolicy, "crlValidationConfiguration of X509Certificate", "")
		case strings.EqualFold(required, "disabled") || required == "":
			return pass("no revocation list is asked for")
		}
		ev.Detail = "certificateRevocationListUrl is empty, and crlValidationConfiguration is " + required
		return fail("the authority %s has no revocation list, and the tenant refuses certificates without one", ev.Name).on(ev)
	}
	if !publicAddress(list) {
		ev.Detail = list
		return fail("the revocation list of %s is on an address that Microsoft cannot reach from outside", ev.Name).on(ev)
	}
	return pass("authorities and revocation lists will do; the end of the certificate itself is not in the directory")
}

// publicAddress: an http address on the internet. That it answers is not known.
func publicAddress(address string) bool {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || !strings.EqualFold(u.Scheme, "http") && !strings.EqualFold(u.Scheme, "https") {
		return false // ldap and file lists are not fetched
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if ip, err := netip.ParseAddr(host); err == nil {
		return !ip.IsPrivate() && !ip.IsLoopback() && !ip.IsLinkLocalUnicast() && !ip.IsUnspecified()
	}
	if !strings.Contains(host, ".") {
		return false
	}
	return !slices.ContainsFunc([]string{".local", ".internal", ".lan", ".intranet", ".corp", ".home.arpa", ".localhost"}, func(s string) bool { return strings.HasSuffix(host, s) })
}

// registrationKinds are the words of userRegistrationDetails.methodsRegistered
// that we know, by the kind of method that they are (graph:
// userRegistrationDetails; entra-docs howto-authentication-methods-activity).
var registrationKinds = map[string]string{
	"fido2securitykey": "key", "fido2": "key", "passkeydevicebound": "key",
	"passkeydeviceboundauthenticator": "phone", "passkeydeviceboundwindowshello": "computer", "passkeysynced": "phone",
	"windowshelloforbusiness": "computer", "macossecureenclavekey": "computer",
	"microsoftauthenticatorpush": "phone", "microsoftauthenticatorpasswordless": "phone", "mobilephone": "phone",
	"alternatemobilephone": "phone", "officephone": "phone", "softwareonetimepasscode": "softwareCode", "hardwareonetimepasscode": "hardwareCode",
	"email": "mail", "temporaryaccesspass": "pass", "securityquestion": "question", "password": "password",
}

var kindWords = map[string]string{"key": "security keys", "certificate": "certificates", "hardwareCode": "hardware tokens", "softwareCode": "software tokens"}

func judgeDifferent(c *Case) Result {
	if st := c.Snapshot.Status(entra.PartRoleEligibility); st.Status != entra.StatusRead && !c.Lacks(LicenceP2) {
		return c.unread(entra.PartRoleEligibility, st)
	}
	kinds, read := c.strongKinds()
	all, sure := c.administrators()
	total, counts, unsure := 0, map[string]int{}, 0
	for _, a := range all {
		if c.IsSubject(a.id) {
			continue
		}
		total++
		words, known := c.Snapshot.Details(entra.PartRegistrationDetails, a.id).Texts("methodsRegistered")
		if !known {
			unsure++
			continue
		}
		has, foreign := map[string]bool{}, false
		for _, w := range words {
			k := registrationKinds[strings.ToLower(w)]
			has[k], foreign = true, foreign || k == ""
		}
		for k := range has {
			counts[k]++
		}
		if foreign {
			unsure++
		}
	}
	switch {
	case !read:
		return c.unreadMethods()
	case len(kinds) == 0:
		return notApplicable("no strong method: see am-phish-resistant")
	case total == 0 && sure:
		return notApplicable("there is no other Global Administrator")
	}
	most, tipping := true, false
	for _, k := range kinds {
		most = most && counts[k]*2 > total
		tipping = tipping || counts[k]*2 <= total && (counts[k]+unsure)*2 > total
	}
	switch {
	case most:
		return fail("most of the %d other Global Administrators have %s too: what takes them takes the account", total, kindWords[kinds[0]]).on(
			Evidence{ID: kinds[0], Detail: "methodsRegistered"})
	case tipping || !sure:
		return c.missing(entra.PartRegistrationDetails, "methodsRegistered of every Global Administrator", "")
	}
	return pass("most of the %d other Global Administrators sign in by other methods", total)
}

// strongKinds are the kinds of strong methods that the account has.
func (c *Case) strongKinds() ([]string, bool) {
	all, read := c.Methods()
	var out []string
	add := func(k string) {
		if !slices.Contains(out, k) {
			out = append(out, k)
		}
	}
	for i := range all {
		switch all[i].Type {
		case entra.MethodFIDO2:
			add("key")
		case entra.MethodX509:
			add("certificate")
		case entra.MethodHardwareOath:
			add("hardwareCode")
		case entra.MethodSoftwareOath:
			add("softwareCode")
		}
	}
	return out, read
}
