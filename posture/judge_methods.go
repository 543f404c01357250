package posture

import (
	"fmt"
	"slices"
	"strings"

	"halligan/custody"
	"halligan/entra"
	"halligan/lockout/facts"
	"halligan/register"
)

func methodEvidence(m *entra.AuthMethod, detail string) Evidence {
	return Evidence{ID: string(m.ID), Name: m.DisplayName, Detail: detail}
}

// oathAccepted: the tenant says that one-time codes will do for this account (C5).
func (c *Case) oathAccepted() bool {
	return c.Registered.Pattern == register.PatternOATH && c.Settings.Methods == "oathAccepted"
}

func judgePhishResistant(c *Case) Result {
	strong, read := c.MethodsOf(entra.MethodFIDO2, entra.MethodX509)
	single := false
	for i := range strong {
		switch m := &strong[i]; {
		case m.Type == entra.MethodFIDO2:
			return pass("a security key")
		case m.MultiFactor:
			return pass("a certificate that counts as two factors")
		default:
			single = true
		}
	}
	switch bound, r := c.boundCertificate(); {
	case bound == yes:
		return pass("a certificate that counts as two factors")
	case !read:
		return c.unreadMethods()
	case r != nil:
		return *r
	}
	if c.oathAccepted() {
		if oath, _ := c.MethodsOf(entra.MethodHardwareOath, entra.MethodSoftwareOath); len(oath) > 0 {
			return notApplicable("the pattern oath is accepted (setting methods): see am-oath-alternate")
		}
	}
	all, _ := c.Methods()
	r := fail("the account has neither a security key nor a certificate: a password alone no longer opens the admin portals, and an exclusion from a policy exempts nobody from that")
	if single {
		r = fail("the account has only a certificate that counts as one factor, and no security key")
	}
	for i := range all {
		r = r.on(methodEvidence(&all[i], string(all[i].Type)))
	}
	for _, id := range []string{"mandatoryMfaPortals", "mandatoryMfaM365AdminCenter", "mandatoryMfaPhase2"} {
		r = r.on(vendorDate(id))
	}
	return r
}

// vendorDate is evidence of what Microsoft changed, and since when.
func vendorDate(id string) Evidence { return Evidence{ID: id, Detail: facts.Date(id).Text} }

// boundCertificate: Graph does not list certificates among the methods; the
// binding on the user and the mode in the methods policy say what one would be
// worth (graph: authorizationInfo, x509CertificateAuthenticationModeConfiguration).
func (c *Case) boundCertificate() (answer, *Result) {
	ids, known := c.UserFields().Texts("authorizationInfo.certificateUserIds")
	if !known || len(ids) == 0 {
		return no, nil // nothing bound that we know of; no certificate is claimed
	}
	cfg, miss := c.method("X509Certificate")
	if miss != nil {
		return maybe, miss
	}
	if cfg.State == "disabled" || c.inScope(cfg.Include, cfg.Exclude) == no {
		return no, nil
	}
	mode := c.rawMethod("X509Certificate").Object("authenticationModeConfiguration")
	rules, rulesKnown := mode.List("rules")
	def, defKnown := mode.Text("x509CertificateAuthenticationDefaultMode")
	switch {
	case c.inScope(cfg.Include, cfg.Exclude) == maybe:
		r := c.unreadGroups("whether certificates are enabled for the account")
		return maybe, &r
	case !rulesKnown || !defKnown:
		r := c.missing(entra.PartMethodsPolicy, "authenticationModeConfiguration of X509Certificate", "")
		return maybe, &r
	case len(rules) > 0:
		r := unknown("a certificate is bound to the account; which rule of the methods policy its certificate meets is not in the directory")
		return maybe, &r
	case strings.EqualFold(def, "x509CertificateMultiFactor"):
		return yes, nil
	}
	return no, nil
}

func judgeTwoKeys(c *Case) Result {
	if p := c.Registered.Pattern; p != register.PatternUnknown && p != register.PatternFIDO2 {
		return notApplicable("the account signs in by another pattern: %s", p)
	}
	keys, read := c.MethodsOf(entra.MethodFIDO2)
	want := c.Settings.KeysPerAccount
	switch {
	case len(keys) >= want:
		return pass("%d security keys", len(keys))
	case !read:
		return c.unreadMethods()
	}
	r := fail("%d of %d security keys", len(keys), want)
	for i := range keys {
		r = r.on(methodEvidence(&keys[i], keys[i].AAGUID))
	}
	return r
}

func judgeDeviceBound(c *Case) Result {
	keys, read := c.MethodsOf(entra.MethodFIDO2)
	var synced []Evidence
	open := false
	for i := range keys {
		switch m := &keys[i]; {
		case strings.EqualFold(m.PasskeyType, "synced"):
			synced = append(synced, methodEvidence(m, "passkeyType is synced"))
		case !strings.EqualFold(m.PasskeyType, "deviceBound"):
			open = true
		}
	}
	switch {
	case len(synced) > 0:
		return fail("%d passkeys are synced to somebody's cloud", len(synced)).on(synced...)
	case !read:
		return c.unreadMethods()
	case open:
		return c.missing(entra.PartAccounts, "passkeyType", permMethods)
	case len(keys) == 0:
		return notApplicable("no passkey: see am-phish-resistant")
	}
	return pass("%d keys, each bound to its device", len(keys))
}

// modelOf is the model of a registered key as the inventory has it; "" where that says
// it of a key with another AAGUID.
func (c *Case) modelOf(account entra.ID, m *entra.AuthMethod) string {
	if a := c.Register.Or().Account(account); a != nil {
		for _, k := range a.Keys {
			if sameKey(k.ID, string(m.ID)) && (k.AAGUID == "" || entra.ID(k.AAGUID).Equal(entra.ID(m.AAGUID))) {
				return strings.TrimSpace(k.Model)
			}
		}
	}
	return ""
}

func judgeModelDiversity(c *Case) Result {
	var all []register.Key
	open := false
	var ev []Evidence
	for _, s := range c.emergency() {
		at := *c
		at.Subject = &s
		keys, read := at.MethodsOf(entra.MethodFIDO2)
		open = open || !read
		for i := range keys {
			model := c.modelOf(s.ID, &keys[i])
			one := register.Key{AAGUID: keys[i].AAGUID, Model: model}
			if one.AAGUID == "" {
				one.Model, open = "", true // what the inventory says of it is not enough
			}
			all = append(all, one)
			ev = append(ev, methodEvidence(&keys[i], clauseOr(model, keys[i].AAGUID)))
		}
	}
	two := c.circle().TwoModels(all...)
	switch {
	case two == custody.Yes:
		return pass("%d keys of two models or more", len(all))
	case open || len(c.emergency()) == 0:
		return c.missing(entra.PartAccounts, "aaGuid", permMethods)
	case len(all) == 0:
		return notApplicable("no account has a security key: see am-phish-resistant")
	case two == custody.Maybe:
		// Two AAGUIDs that the inventory calls by one name are one model under two
		// firmwares, or two models.
		return fail("the inventory calls all %d keys by one model", len(all)).on(ev...)
	}
	return fail("all %d keys are of one model", len(all)).on(ev...)
}

func clauseOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// sameKey compares ids of credentials. They are Base64URL, so their case counts;
// padding does not (graph: fido2AuthenticationMethod).
func sameKey(a, b string) bool {
	trim := func(s string) string { return strings.TrimRight(strings.TrimSpace(s), "=") }
	return trim(a) != "" && trim(a) == trim(b)
}

func judgeKeyRegistry(c *Case) Result {
	registered, read := c.MethodsOf(entra.MethodFIDO2, entra.MethodX509)
	inventory := c.Registered.Keys
	switch {
	case len(inventory) == 0 && len(registered) == 0 && read:
		return notApplicable("no key is registered, and none is in the inventory: see am-phish-resistant")
	case len(inventory) == 0:
		return notSetUp("no key of this account is in the inventory, so nobody would notice one that vanished or was added")
	}
	var bad, open []Evidence
	for i := range registered {
		m := &registered[i]
		at := slices.IndexFunc(inventory, func(k register.Key) bool { return sameKey(k.ID, string(m.ID)) })
		switch {
		case at < 0 && slices.ContainsFunc(inventory, func(k register.Key) bool { return k.ID == "" }):
			open = append(open, methodEvidence(m, "registered; the inventory has a key without its id"))
		case at < 0:
			bad = append(bad, methodEvidence(m, "registered, and not in the inventory"))
		case inventory[at].AAGUID != "" && m.AAGUID != "" && !entra.ID(inventory[at].AAGUID).Equal(entra.ID(m.AAGUID)):
			bad = append(bad, methodEvidence(m, fmt.Sprintf("of the model %s; the inventory says %s", m.AAGUID, inventory[at].AAGUID)))
		}
	}
	for _, k := range inventory {
		known := slices.ContainsFunc(registered, func(m entra.AuthMethod) bool { return sameKey(k.ID, string(m.ID)) })
		switch {
		case known:
		case k.ID == "":
			open = append(open, Evidence{Name: k.Label, Detail: "in the inventory without its id"})
		case read:
			bad = append(bad, Evidence{ID: k.ID, Name: k.Label, Detail: "in the inventory, and not registered"})
		}
	}
	switch {
	case len(bad) > 0:
		return fail("%d keys differ from the inventory", len(bad)).on(bad...)
	case !read:
		return c.unreadMethods()
	case len(open) > 0:
		return unknown("the inventory has keys without their id: they cannot be told from unknown ones").on(open...).then("write id: beside each key in halligan.yaml, from GET /users/{id}/authentication/fido2Methods")
	}
	return pass("%d keys, as in the inventory", len(registered))
}

func judgeKeyOneAccount(c *Case) Result {
	if c.Register == nil || len(c.Register.Accounts) == 0 {
		return notSetUp("no emergency account is registered, and no key is in an inventory")
	}
	type entry struct {
		account register.Account
		key     register.Key
	}
	var keys []entry
	for _, a := range c.Register.Accounts {
		for _, k := range a.Keys {
			keys = append(keys, entry{a, k})
		}
	}
	if len(keys) == 0 {
		return notSetUp("no key is in the inventory")
	}
	name := func(e entry) string {
		return clauseOr(e.key.Label, e.key.ID) + " of " + clauseOr(e.account.Name, string(e.account.ID))
	}
	serial := func(k register.Key) string { return strings.ToLower(strings.Join(strings.Fields(k.Serial), "")) }
	var shared, open []Evidence
	for i, a := range keys {
		if serial(a.key) == "" {
			open = append(open, Evidence{ID: a.key.ID, Name: name(a), Detail: "no serial number"})
		}
		for _, b := range keys[i+1:] {
			// A serial number is the vendor's: the same one under two models is two keys.
			apart := a.key.AAGUID != "" && b.key.AAGUID != "" && !entra.ID(a.key.AAGUID).Equal(entra.ID(b.key.AAGUID))
			if same := serial(a.key); same != "" && same == serial(b.key) && !apart || sameKey(a.key.ID, b.key.ID) {
				shared = append(shared, Evidence{ID: a.key.Serial, Name: name(a), Detail: "the same key as " + name(b)})
			}
		}
	}
	switch {
	case len(shared) > 0:
		return fail("a key stands twice in the inventory: losing it costs more than one account can spare").on(shared...)
	case len(open) > 0:
		return unknown("%d keys have no serial number, so two accounts may share one", len(open)).on(open...)
	}
	return pass("%d keys, each with a serial number of its own", len(keys))
}

// Passkeys in Microsoft Authenticator are registered as FIDO2 and bound to a
// device, which is somebody's phone (entra-docs how-to-enable-authenticator-passkey).
var authenticatorPasskeys = []entra.ID{"de1e552d-db1d-4423-a619-566b625cdc84", "90a3ccdf-635c-4729-a248-9b709135078f"}

// personalMethods belong to a person's phone, mailbox or computer, in words.
var personalMethods = map[entra.MethodType]string{
	entra.MethodSMS: "a phone number", entra.MethodVoice: "a phone number", entra.MethodEmail: "an e-mail address",
	entra.MethodAuthenticatorPush: "Microsoft Authenticator", entra.MethodPhoneSignIn: "phone sign-in of Microsoft Authenticator",
	entra.MethodSoftwareOath: "a software token", entra.MethodWindowsHello: "Windows Hello for Business",
	entra.MethodPlatform: "a platform credential", entra.MethodQRCodePin: "a QR code",
}

func judgeNoPersonal(c *Case) Result {
	all, read := c.Methods()
	var bad, open []Evidence
	for i := range all {
		m := &all[i]
		word := personalMethods[m.Type]
		switch {
		case m.Type == entra.MethodSoftwareOath && c.oathAccepted(): // am-oath-alternate
		case m.Type == entra.MethodEmail && c.Registered.Pattern == register.PatternAccountReset: // the shared mailbox of S108
		case word != "":
			bad = append(bad, methodEvidence(m, word))
		case m.Type == entra.MethodFIDO2 && slices.ContainsFunc(authenticatorPasskeys, entra.ID(m.AAGUID).Equal):
			bad = append(bad, methodEvidence(m, "a passkey in Microsoft Authenticator, on a phone"))
		case m.Type == entra.MethodFIDO2 && m.AAGUID == "":
			open = append(open, methodEvidence(m, "a passkey whose model was not read"))
		case m.Type == entra.MethodUnknown || m.Type == entra.MethodExternal:
			open = append(open, methodEvidence(m, "a method of a kind that is not known here"))
		}
	}
	switch {
	case len(bad) > 0:
		return fail("%d methods belong to a person or a device of one", len(bad)).on(bad...)
	case !read:
		return c.unreadMethods()
	case len(open) > 0:
		return unknown("%d methods may belong to a person", len(open)).on(open...)
	}
	return pass("no method belongs to a person")
}

func judgeNoTAP(c *Case) Result {
	passes, read := c.MethodsOf(entra.MethodTAP)
	w, open := c.enrolling()
	switch {
	case len(passes) > 0 && open:
		return pass("a pass, within the enrolment declared until %s", w.To.UTC().Format("2006-01-02 15:04"))
	case len(passes) > 0:
		return fail("the account has a Temporary Access Pass, and no enrolment is declared").on(methodEvidence(&passes[0], "temporaryAccessPass"))
	case !read:
		return c.unreadMethods()
	}
	return pass("no pass")
}

func judgePerUserMFA(c *Case) Result {
	a := c.account()
	switch {
	case a == nil || a.PerUserMFA == "":
		return c.missing(entra.PartAccounts, "perUserMfaState (beta)", "Policy.Read.All")
	case strings.EqualFold(a.PerUserMFA, "disabled"):
		return pass("per-user MFA is off")
	case strings.EqualFold(a.PerUserMFA, "enabled"), strings.EqualFold(a.PerUserMFA, "enforced"):
		return fail("per-user MFA is %s: it asks for factors that the account should not have", strings.ToLower(a.PerUserMFA)).on(c.user(a.ID, "perUserMfaState is "+a.PerUserMFA))
	}
	return unknown("the state of per-user MFA is not one that is known here: %s", a.PerUserMFA)
}

func judgeOATH(c *Case) Result {
	if c.Registered.Pattern != register.PatternOATH {
		return notApplicable("the account does not sign in by one-time codes")
	}
	hardware, read := c.MethodsOf(entra.MethodHardwareOath)
	software, _ := c.MethodsOf(entra.MethodSoftwareOath)
	switch {
	case len(software) > 0:
		return fail("the account has a software token: its seed lies on a phone").on(methodEvidence(&software[0], "softwareOath"))
	case len(hardware) == 0 && !read:
		return c.unreadMethods()
	case len(hardware) == 0:
		return fail("the pattern is oath, and the account has no hardware token").on(c.user(c.Subject.ID, "no hardwareOath method"))
	}
	var tokens, passwords []string
	for _, p := range c.Register.Or().Parts {
		switch {
		case !p.Account.Equal(c.Subject.ID):
		case p.Kind == register.PartToken:
			tokens = append(tokens, strings.TrimSpace(p.Holder))
		case p.Kind == register.PartPassword || p.Kind == register.PartPasswordHalf:
			passwords = append(passwords, strings.TrimSpace(p.Holder))
		}
	}
	if len(tokens) == 0 || len(passwords) == 0 || slices.Contains(tokens, "") || slices.Contains(passwords, "") {
		return notSetUp("who holds the token and who the password is not recorded")
	}
	for _, t := range tokens {
		if slices.ContainsFunc(passwords, func(p string) bool { return strings.EqualFold(p, t) }) {
			return fail("%s holds both the token and the password", t).on(Evidence{Name: t, Detail: "token and password"})
		}
	}
	return unknown("a hardware token, held apart from the password; where its seed is kept only a person can know")
}
