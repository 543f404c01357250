package posture

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"halligan/entra"
	"halligan/register"
)

const (
	pageEmergency = "entra-docs security-emergency-access"
	permUserRead  = "User.Read.All"
)

var checksIdentity = []Check{
	{ID: "id-count-min", Theme: ThemeIdentity, Severity: Critical, Setting: "accountsMin",
		Asks:       []entra.Part{entra.PartUsers, entra.PartAccounts},
		Title:      "Two or more emergency accounts exist, are enabled and can sign in",
		Why:        []string{"S10", "S45", "S121", pageEmergency},
		References: []string{"CIS M365 1.1.2", "ZeroTrustAssessment 21835", "Guardrails GR13", "M365-Assess BREAKGLASS-001"},
		Fix: Fix{Portal: []string{"Entra admin center > Users > New user: create another cloud-only account in the initial domain", "assign Global Administrator to it, active and permanent", "register a security key for it"},
			Graph:   []string{"POST /users", "POST /roleManagement/directory/roleAssignments"},
			Command: []string{"halligan init --from … --account OBJECT-ID"}},
		Judge: judgeCountMin},
	{ID: "id-count-max", Theme: ThemeIdentity, Severity: Medium, Setting: "accountsMax",
		Title:      "There are no more emergency accounts than needed",
		Why:        []string{"S85"},
		References: []string{"ZeroTrustAssessment 21835", "CIPP E8_Admin_07"},
		Fix:        Fix{Portal: []string{"decide which accounts stay", "take the role from the others and delete them"}, Graph: []string{"DELETE /users/{id}"}},
		Judge:      judgeCountMax},
	{ID: "id-enabled", Theme: ThemeIdentity, Severity: Critical, PerAccount: true,
		Title: "The account is enabled",
		Why:   []string{"S70"}, References: []string{"azd-emergency-access set-up gate"},
		Reads: []entra.Part{entra.PartUsers},
		Fix: Fix{Portal: []string{"Entra admin center > Users > the account > Edit properties > Account enabled"},
			Graph: []string{`PATCH /users/{id} {"accountEnabled": true}`}},
		Judge: judgeEnabled},
	{ID: "id-not-deleted", Theme: ThemeIdentity, Severity: Critical, PerAccount: true,
		Title: "The registered object still exists, and its name was not given to another",
		Why:   []string{"S45", "entra-docs users-restore"}, References: []string{"Maester MT.1066"},
		Fix: Fix{Portal: []string{"Entra admin center > Users > Deleted users > the account > Restore user (within 30 days)", "when it was made anew: enter the new object id in every policy, group and in halligan.yaml, and register its keys again"},
			Graph: []string{"POST /directory/deletedItems/{id}/restore"}},
		Judge: judgeNotDeleted},
	{ID: "id-cloud-only", Theme: ThemeIdentity, Severity: Critical, PerAccount: true,
		Title: "The account is cloud-only, not synchronized",
		Why:   []string{"S46", pageEmergency}, References: []string{"CIS M365 1.1.1", "SCuBA MS.AAD.7.3", "Maester MT.1026"},
		Reads: []entra.Part{entra.PartUsers},
		Fix: Fix{Portal: []string{"create a new account in the cloud, in the initial domain", "give it the role and the keys, prove it, then take the role from the synchronized one"},
			Graph: []string{"POST /users"}},
		Judge: judgeCloudOnly},
	{ID: "id-domain", Theme: ThemeIdentity, Severity: Critical, PerAccount: true,
		Title: "The account's name is in the tenant's initial domain, which is managed",
		Why:   []string{"S18", "S47", "a lost DNS name, domain or identity provider takes the account with it"}, References: []string{"CIPP E8"},
		Reads: []entra.Part{entra.PartUsers, entra.PartDomains},
		Fix: Fix{Portal: []string{"Entra admin center > Users > the account > Edit properties > User principal name: choose the onmicrosoft.com domain"},
			Graph: []string{`PATCH /users/{id} {"userPrincipalName": "name@tenant.onmicrosoft.com"}`}},
		Judge: judgeDomain},
	{ID: "id-member-type", Theme: ThemeIdentity, Severity: High, PerAccount: true,
		Title: "The account is a member, with no identity elsewhere",
		Why:   []string{pageEmergency}, References: []string{"Maester MT.1025", "Guardrails"},
		Reads: []entra.Part{entra.PartUsers},
		Fix:   Fix{Portal: []string{"create a new account of type Member in the initial domain and retire this one"}, Graph: []string{"POST /users"}},
		Judge: judgeMemberType},
	{ID: "id-upn-length", Theme: ThemeIdentity, Severity: Medium, PerAccount: true, Setting: "upnWarn",
		Title: "The account's name is short enough for key enrolment",
		Why:   []string{"S42: a name of 50 characters broke the registration of three keys"},
		Reads: []entra.Part{entra.PartUsers},
		Fix: Fix{Portal: []string{"rename the account before a key is enrolled", "reset a key that was enrolled under the long name and enrol it again"},
			Graph: []string{`PATCH /users/{id} {"userPrincipalName": "…"}`}},
		Judge: judgeUPNLength},
	{ID: "id-upn-name", Theme: ThemeIdentity, Severity: Low, PerAccount: true, Conflict: "C1", Setting: "names",
		Title: "The account's name gives nothing away and can be typed under stress",
		Why:   []string{"S50", "S122", "attack tools probe breakglass1@ and the like"},
		Reads: []entra.Part{entra.PartUsers},
		Fix: Fix{Portal: []string{"choose a short, pronounceable name without a hint of its purpose", "rename the account and print the binder anew"},
			Graph: []string{`PATCH /users/{id} {"userPrincipalName": "…", "displayName": "…"}`}},
		Judge: judgeUPNName},
	{ID: "id-not-personal", Theme: ThemeIdentity, Severity: Medium, PerAccount: true, Conflict: "C8", Setting: "owner",
		Title: "The account belongs to no single person",
		Why:   []string{"S103", pageEmergency + ": not connected with any individual user's device"}, References: []string{"Guardrails Check-BreakGlassAccountOwnersInformation (asks for the opposite)"},
		Reads: []entra.Part{entra.PartUsers},
		Fix:   Fix{Portal: []string{"Entra admin center > Users > the account > Properties: clear mobile phone, other e-mails, manager and employee id"}, Graph: []string{`PATCH /users/{id} {"mobilePhone": null, "otherMails": [], "employeeId": null}`, "DELETE /users/{id}/manager/$ref"}},
		Judge: judgeNotPersonal},
	{ID: "id-no-licence", Theme: ThemeIdentity, Severity: Low, PerAccount: true, Conflict: "C7", Setting: "licence",
		Title: "The account has no licence and no mailbox",
		Why:   []string{"S20"}, References: []string{"Maester MT.1028", "CIS M365 1.1.4", "Guardrails Check-BreakGlassAccountIdentityProtectionLicense (asks for the opposite)"},
		Reads: []entra.Part{entra.PartUsers},
		Fix:   Fix{Portal: []string{"Entra admin center > Users > the account > Licenses: remove all"}, Graph: []string{`POST /users/{id}/assignLicense {"addLicenses": [], "removeLicenses": ["…"]}`}},
		Judge: judgeNoLicence},
	{ID: "id-unregistered-bg", Theme: ThemeIdentity, Severity: Medium,
		Title:      "No account looks like an emergency account and is not registered",
		Why:        []string{"S3", "github.com/maester365/maester/issues/620"},
		References: []string{"Maester (guesses)", "M365-Assess (guesses)"},
		Reads:      []entra.Part{entra.PartPolicies},
		Fix:        Fix{Portal: []string{"decide what the account is", "an emergency account: register it; any other: take it out of the exclusions"}, Command: []string{"halligan init --from … --account OBJECT-ID"}},
		Judge:      judgeUnregistered},
}

func judgeCountMin(c *Case) Result {
	least := c.Settings.AccountsMin
	if c.Register == nil || len(c.Register.Accounts) == 0 {
		return notSetUp("no emergency account is registered: Microsoft Entra does not know which they are, and nobody should guess (S3)")
	}
	usable, open := 0, 0
	var ev []Evidence
	var missing []Missing
	for _, s := range c.emergency() {
		at := *c
		at.Subject = &s
		u, ok := at.User()
		methods, read := at.Methods()
		switch {
		case ok && u.Deleted:
			ev = append(ev, c.user(s.ID, "deleted"))
		case ok && u.Enabled != nil && !*u.Enabled:
			ev = append(ev, c.user(s.ID, "disabled"))
		case !ok && c.absent(entra.PartUsers, s.ID):
			ev = append(ev, c.user(s.ID, "does not exist"))
		case !ok || u.Enabled == nil:
			open++
			ev = append(ev, c.user(s.ID, "not read"))
			missing = append(missing, at.missing(entra.PartUsers, "accountEnabled", "").Missing...)
		case !read:
			open++
			ev = append(ev, c.user(s.ID, "its methods were not read"))
			missing = append(missing, at.missing(entra.PartAccounts, "methods", "").Missing...)
		case len(methods) == 0:
			ev = append(ev, c.user(s.ID, "has no method to sign in with"))
		default:
			usable++
		}
	}
	switch {
	case usable >= least:
		return pass("%d accounts are enabled and have a method to sign in with", usable)
	case usable+open >= least:
		r := unknown("%d of at least %d accounts are known to be usable, of %d it is not known", usable, least, open).on(ev...)
		r.Missing = missing
		return r
	}
	return fail("%d of at least %d accounts are usable", usable, least).on(ev...)
}

func judgeCountMax(c *Case) Result {
	if c.Register == nil || len(c.Register.Accounts) == 0 {
		return notSetUp("no emergency account is registered")
	}
	n, most := len(c.Register.Accounts), c.Settings.AccountsMax
	if n <= most {
		return pass("%d accounts, at most %d wanted", n, most)
	}
	r := fail("%d accounts are registered, at most %d wanted: each is a permanent Global Administrator to be guarded", n, most)
	for _, a := range c.Register.Accounts {
		r = r.on(c.user(a.ID, ""))
	}
	return r
}

func judgeEnabled(c *Case) Result {
	u, ok := c.User()
	switch {
	case !ok:
		return notApplicable("the account was not found: see id-not-deleted")
	case u.Enabled == nil:
		return c.missing(entra.PartUsers, "accountEnabled", permUserRead)
	case *u.Enabled:
		return pass("enabled")
	}
	return fail("the account is disabled: nobody can sign in with it").on(c.user(u.ID, "accountEnabled is false"))
}

func judgeNotDeleted(c *Case) Result {
	name := c.Registered.Name
	own, exists := c.User()
	for _, u := range c.View().Users {
		if name == "" || u.Deleted || u.ID.Equal(c.Subject.ID) || !strings.EqualFold(u.UserPrincipalName, name) {
			continue
		}
		was := "registered, gone"
		if exists {
			was = "registered, now " + clauseOr(own.UserPrincipalName, "under another name")
		}
		return fail("the name now belongs to another object: what excludes and targets the old id does not reach it").on(
			c.user(u.ID, "has the name"), Evidence{ID: string(c.Subject.ID), Name: name, Detail: was})
	}
	if exists {
		u := own
		_, st := c.Snapshot.Of(entra.PartUsers, entra.ID(name)) // whoever has the name
		switch {
		case u.Deleted:
			return fail("the account was deleted; it can be restored within 30 days").on(c.user(u.ID, "deletedDateTime is set"))
		case name != "" && u.UserPrincipalName == "":
			return c.missing(entra.PartUsers, "userPrincipalName", permUserRead)
		case name != "" && !strings.EqualFold(name, u.UserPrincipalName) && st.Status != entra.StatusRead:
			// Somebody whom nobody read may have the name now.
			return c.unread(entra.PartUsers, st).on(c.user(u.ID, "registered as "+name))
		case name != "" && !strings.EqualFold(name, u.UserPrincipalName):
			return pass("the account exists under another name than the register has: %s", u.UserPrincipalName).on(c.user(u.ID, "registered as "+name))
		}
		return pass("the account exists")
	}
	for _, d := range c.Snapshot.Objects(entra.PartDeletedUsers) {
		if d.ID().Equal(c.Subject.ID) {
			at, _ := d.Text("deletedDateTime")
			return fail("the account was deleted%s; it can be restored within 30 days", clause(" on ", at)).on(Evidence{ID: string(d.ID()), Name: d.Str("userPrincipalName"), Detail: "among the deleted users"})
		}
	}
	if !c.absent(entra.PartUsers, c.Subject.ID) {
		return c.unread(entra.PartUsers, c.Snapshot.Status(entra.PartUsers))
	}
	return fail("no user has the registered object id").on(Evidence{ID: string(c.Subject.ID), Name: name})
}

func clause(before, text string) string {
	if text == "" {
		return ""
	}
	return before + text
}

func judgeCloudOnly(c *Case) Result {
	u, ok := c.User()
	if !ok {
		return notApplicable("the account was not found: see id-not-deleted")
	}
	f := c.UserFields()
	sid, sidKnown := f.Text("onPremisesSecurityIdentifier")
	_, synced := f.Flag("onPremisesSyncEnabled") // null: never synchronized
	switch {
	case u.OnPremisesSync != nil && *u.OnPremisesSync:
		return fail("the account is synchronized from a directory on premises").on(c.user(u.ID, "onPremisesSyncEnabled is true"))
	case sid != "":
		return fail("the account comes from a directory on premises").on(c.user(u.ID, "onPremisesSecurityIdentifier is set"))
	case u.OnPremisesSync == nil && !synced:
		return c.missing(entra.PartUsers, "onPremisesSyncEnabled", permUserRead)
	case !sidKnown:
		return c.missing(entra.PartUsers, "onPremisesSecurityIdentifier", permUserRead)
	}
	return pass("cloud-only")
}

func judgeDomain(c *Case) Result {
	u, ok := c.User()
	if !ok {
		return notApplicable("the account was not found: see id-not-deleted")
	}
	_, domain, ok := strings.Cut(u.UserPrincipalName, "@")
	if !ok {
		return c.missing(entra.PartUsers, "userPrincipalName", permUserRead)
	}
	for _, d := range c.View().Domains {
		if !strings.EqualFold(d.Name, domain) {
			continue
		}
		ev := Evidence{ID: d.Name, Detail: fmt.Sprintf("isInitial %v, authenticationType %s", d.Initial, d.Authentication)}
		switch {
		case d.Authentication == "":
			return c.missing(entra.PartDomains, "authenticationType", "")
		case d.Authentication != "Managed":
			return fail("the domain %s is federated: without its identity provider nobody signs in", d.Name).on(ev)
		case !d.Initial:
			return fail("the name is in the domain %s, not in the tenant's initial domain", d.Name).on(ev)
		}
		return pass("the name is in the initial domain %s, which is managed", d.Name)
	}
	return fail("the domain %s of the name is none of the tenant's", domain).on(c.user(u.ID, u.UserPrincipalName))
}

func judgeMemberType(c *Case) Result {
	u, ok := c.User()
	if !ok {
		return notApplicable("the account was not found: see id-not-deleted")
	}
	f := c.UserFields()
	state, known := f.Text("externalUserState")
	switch {
	case u.UserType == "":
		return c.missing(entra.PartUsers, "userType", permUserRead)
	case !strings.EqualFold(u.UserType, "Member"):
		return fail("the account is of type %s", u.UserType).on(c.user(u.ID, "userType"))
	case state != "":
		return fail("the account was invited from elsewhere").on(c.user(u.ID, "externalUserState is "+state))
	}
	ids, idsKnown := f.List("identities")
	for _, id := range ids {
		if t := id.Str("signInType"); t != "" && !strings.EqualFold(t, "userPrincipalName") && !strings.EqualFold(t, "userName") && !strings.EqualFold(t, "emailAddress") {
			return fail("the account signs in with an identity of %s", id.Str("issuer")).on(c.user(u.ID, "identities: signInType "+t))
		}
	}
	switch {
	case !known:
		return c.missing(entra.PartUsers, "externalUserState", permUserRead)
	case !idsKnown:
		return c.missing(entra.PartUsers, "identities", permUserRead)
	}
	return pass("a member of the tenant, with no identity elsewhere")
}

func judgeUPNLength(c *Case) Result {
	u, ok := c.User()
	if !ok || u.UserPrincipalName == "" {
		return c.missing(entra.PartUsers, "userPrincipalName", permUserRead)
	}
	local, _, _ := strings.Cut(u.UserPrincipalName, "@")
	whole, part := utf8.RuneCountInString(u.UserPrincipalName), utf8.RuneCountInString(local)
	ev := c.user(u.ID, fmt.Sprintf("%d characters, %d before the @", whole, part))
	switch {
	case whole > c.Settings.UPNMax:
		return fail("the name has %d characters: key enrolment is known to fail from 50 on", whole).on(ev)
	case part > c.Settings.UPNWarn:
		return fail("the name has %d characters before the @, more than %d", part, c.Settings.UPNWarn).on(ev)
	}
	return pass("%d characters", whole)
}

// obviousWords give an emergency account away.
var obviousWords = []string{"breakglass", "break-glass", "break_glass", "break.glass", "emergency", "notfall", "urgence", "admin", "rescue", "firecall", "globaladm", "recovery", "superuser", "root"}

// famousNames are those that are guessed first; a sample, not a claim to be whole.
var famousNames = []string{"jamesbond", "jbond", "batman", "superman", "lukeskywalker", "darthvader", "frodo", "gandalf", "neo", "johnwick", "elonmusk", "billgates", "spiderman", "harrypotter"}

func judgeUPNName(c *Case) Result {
	u, ok := c.User()
	if !ok || u.UserPrincipalName == "" {
		return c.missing(entra.PartUsers, "userPrincipalName", permUserRead)
	}
	local, _, _ := strings.Cut(u.UserPrincipalName, "@")
	folded, word := strings.ToLower(local+" "+u.DisplayName), ""
	joined := strings.NewReplacer(" ", "", ".", "", "-", "", "_", "").Replace(folded)
	for _, w := range obviousWords {
		if strings.Contains(folded, w) || strings.Contains(joined, w) {
			word = w
			break
		}
	}
	ev := c.user(u.ID, "display name "+u.DisplayName)
	switch {
	case strings.ContainsFunc(local, func(r rune) bool { return r > 127 }):
		return fail("the name has characters that look alike or are not on every keyboard").on(ev)
	case c.Settings.Names == "any":
		return pass("any name is accepted (setting names)")
	case c.Settings.Names == "recognisable":
		if word == "" {
			return fail("the name is not recognisable as that of an emergency account (setting names: recognisable)").on(ev)
		}
		return pass("recognisable by %q", word)
	case word != "":
		return fail("the name gives the account away: %q", word).on(ev)
	case slices.ContainsFunc(famousNames, func(n string) bool { return strings.Contains(joined, n) && len(n) > 3 || joined == n }):
		return fail("the name is that of somebody famous, and guessed early").on(ev)
	case !pronounceable(local):
		return fail("the name cannot be pronounced: under stress it is mistyped").on(ev)
	}
	return pass("innocuous and pronounceable")
}

// pronounceable: no five consonants or digits in a row.
func pronounceable(name string) bool {
	run := 0
	for _, r := range strings.ToLower(name) {
		switch {
		case strings.ContainsRune("aeiouy.-_", r):
			run = 0
		default:
			if run++; run >= 5 {
				return false
			}
		}
	}
	return name != ""
}

func judgeNotPersonal(c *Case) Result {
	f := c.UserFields()
	mails, ok := f.Texts("otherMails")
	if !ok {
		return c.missing(entra.PartUsers, "otherMails", permUserRead)
	}
	phone, ok := f.Text("mobilePhone")
	if !ok {
		return c.missing(entra.PartUsers, "mobilePhone", permUserRead)
	}
	employee, ok := f.Text("employeeId")
	if !ok {
		return c.missing(entra.PartUsers, "employeeId", permUserRead)
	}
	if !f.Known("manager") {
		return c.missing(entra.PartUsers, "manager ($expand=manager)", permUserRead)
	}
	manager := f.Object("manager").Str("id") + f.Object("manager").Str("@odata.id")
	var bad []string
	if len(mails) > 0 {
		bad = append(bad, "another e-mail address")
	}
	if phone != "" {
		bad = append(bad, "a mobile phone")
	}
	if employee != "" {
		bad = append(bad, "an employee id")
	}
	if c.Settings.Owner == "manager" {
		if manager == "" {
			return fail("the account has no manager, which the setting owner asks for").on(c.user(c.Subject.ID, "manager is empty"))
		}
	} else if manager != "" {
		bad = append(bad, "a manager")
	}
	if len(bad) > 0 {
		return fail("the account is bound to a person by %s", strings.Join(bad, ", ")).on(c.user(c.Subject.ID, strings.Join(bad, ", ")))
	}
	return pass("bound to no person")
}

func judgeNoLicence(c *Case) Result {
	f := c.UserFields()
	licences, ok := f.List("assignedLicenses")
	if !ok {
		return c.missing(entra.PartUsers, "assignedLicenses", permUserRead)
	}
	mail, ok := f.Text("mail")
	if !ok {
		return c.missing(entra.PartUsers, "mail", permUserRead)
	}
	switch {
	case c.Settings.Licence == "accepted":
		return pass("licences are accepted (setting licence)")
	case c.Settings.Licence == "required" && len(licences) == 0:
		return fail("the account has no licence, which the setting licence asks for").on(c.user(c.Subject.ID, "assignedLicenses is empty"))
	case c.Settings.Licence == "required":
		return pass("%d licences", len(licences))
	case len(licences) > 0:
		r := fail("the account has %d licences: cost, services and a mailbox that nobody needs", len(licences))
		for _, l := range licences {
			r = r.on(Evidence{ID: l.Str("skuId"), Detail: "assigned"})
		}
		return r
	case mail != "":
		return fail("the account has a mail address").on(c.user(c.Subject.ID, "mail is "+mail)).
			then("Exchange admin center > Mailboxes: remove the mailbox; else Entra admin center > Users > the account > Properties: clear the e-mail address")
	}
	return pass("no licence and no mailbox")
}

func judgeUnregistered(c *Case) Result {
	if c.Register == nil || len(c.Register.Accounts) == 0 {
		return notSetUp("no emergency account is registered")
	}
	var found []Evidence
	open := false
	for _, p := range Proposals(c.Snapshot) {
		if c.Register.Account(p.ID) != nil || p.Kind == "group" && registeredGroup(c.Register, p.ID) {
			continue
		}
		if p.Kind == "group" && c.onlySubjects(p.ID) {
			continue
		}
		switch {
		case p.Strong():
			found = append(found, Evidence{ID: string(p.ID), Name: p.Name, Detail: strings.Join(p.Signs, "; ")})
		case p.Kind == "group" && !c.wholeGroup(p.ID):
			open = true // somebody in it may be excluded by others too
		}
	}
	switch {
	case len(found) > 0:
		return fail("%d objects are treated like emergency accounts and are not registered", len(found)).on(found...)
	case open:
		return unknown("policies exclude groups whose members were not read")
	}
	return pass("nothing else is treated like an emergency account")
}

func registeredGroup(r *register.Register, id entra.ID) bool {
	return slices.ContainsFunc(r.Groups, func(g register.Group) bool { return g.ID.Equal(id) })
}

// onlySubjects reports whether a group was read and holds nobody but emergency
// accounts.
func (c *Case) onlySubjects(id entra.ID) bool {
	members, sure := c.usersIn(id)
	return sure && !slices.ContainsFunc(members, func(m entra.ID) bool { return !c.IsSubject(m) })
}
