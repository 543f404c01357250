package posture

import (
	"slices"
	"strings"
	"time"

	"halligan/entra"
	"halligan/register"
)

var checksPasswords = []Check{
	{ID: "pw-never-expires", Theme: ThemePasswords, Severity: High, PerAccount: true,
		Title:      "The account's password never expires",
		Why:        []string{"S15", "S79", "S109"},
		References: []string{"CIS M365 1.3.1 (domain)", "SCuBA MS.AAD.6.1 (domain)"},
		Reads:      []entra.Part{entra.PartUsers},
		Fix: Fix{Portal: []string{"set it by Graph: no portal shows the flag of one user"},
			Graph: []string{`PATCH /users/{id} {"passwordPolicies": "DisablePasswordExpiration"}`}},
		Judge: judgeNeverExpires},
	{ID: "pw-no-forced-change", Theme: ThemePasswords, Severity: High, PerAccount: true,
		Title: "Nobody has to change the account's password at the next sign-in",
		Why:   []string{"S15", "S19"}, References: []string{"azd-emergency-access (sets it)"},
		Reads: []entra.Part{entra.PartUsers},
		Fix: Fix{Portal: []string{"set it by Graph; a reset in the portal sets the demand again"},
			Graph: []string{`PATCH /users/{id} {"passwordProfile": {"forceChangePasswordNextSignIn": false, "forceChangePasswordNextSignInWithMfa": false}}`}},
		Judge: judgeForcedChange},
	{ID: "pw-age-vs-use", Theme: ThemePasswords, Severity: High, PerAccount: true,
		Title:      "The password was changed after the last use or release",
		Why:        []string{"S120"},
		References: []string{"ISM-1614"},
		Reads:      []entra.Part{entra.PartUsers},
		Fix: Fix{Portal: []string{"set a new password, seal it, and record the part anew", "revoke the sessions"},
			Graph:   []string{`PATCH /users/{id} {"passwordProfile": {"password": "…", "forceChangePasswordNextSignIn": false}}`, "POST /users/{id}/revokeSignInSessions"},
			Command: []string{"halligan request seal --replaces", "halligan seal"}},
		Judge: judgePasswordAge},
	{ID: "pw-discarded-or-held", Theme: ThemePasswords, Severity: High, PerAccount: true,
		Title: "It is declared what became of the password, and custody agrees",
		Why:   []string{"S17", "S105", "S106", "S107", "S108"},
		Fix: Fix{Portal: []string{"write password: discarded, split or vaulted for the account into halligan.yaml", "record where each part lies and who holds it"},
			Command: []string{"halligan custody add", "halligan custody list"}},
		Judge: judgeHeld},
	{ID: "pw-sspr-pattern", Theme: ThemePasswords, Severity: Medium, PerAccount: true,
		Title:      "Administrators cannot reset their own password, unless the account rests on that",
		Why:        []string{"S108: a reset by one person is not two", "entra-docs concept-sspr-policy: administrators have their own rule, beside the methods policy"},
		References: []string{"Maester EIDSCA.AP01"},
		Reads:      []entra.Part{entra.PartAuthorization},
		Fix: Fix{Portal: []string{"set it by Graph, for all administrators of the tenant", "an account that is meant to be opened by a reset: write pattern: accountReset into halligan.yaml"},
			Graph: []string{`PATCH /policies/authorizationPolicy {"allowedToUseSSPR": false}`}},
		Judge: judgeSSPR},
}

// neverExpires is passwordValidityPeriodInDays of a domain whose passwords never
// expire; null stands for 90 days (graph: domain).
const neverExpires = 2147483647

func judgeNeverExpires(c *Case) Result {
	u, ok := c.User()
	if !ok {
		return notApplicable("the account was not found: see id-not-deleted")
	}
	policies, known := c.UserFields().Text("passwordPolicies")
	if !known {
		return c.missing(entra.PartUsers, "passwordPolicies", permUserRead)
	}
	for _, p := range strings.Split(policies, ",") {
		if strings.EqualFold(strings.TrimSpace(p), "DisablePasswordExpiration") {
			return pass("DisablePasswordExpiration is set on the account")
		}
	}
	ev := c.user(u.ID, "passwordPolicies is "+clauseOr(policies, "empty"))
	if st := c.Snapshot.Status(entra.PartDomains); st.Status != entra.StatusRead {
		return c.unread(entra.PartDomains, st)
	}
	_, domain, _ := strings.Cut(u.UserPrincipalName, "@")
	f := c.Snapshot.Details(entra.PartDomains, entra.ID(domain))
	validity, set := f.Int("passwordValidityPeriodInDays")
	switch {
	case !f.Known("passwordValidityPeriodInDays"):
		return c.missing(entra.PartDomains, "passwordValidityPeriodInDays", "")
	case !set:
		return fail("the password expires with those of the domain %s, after 90 days", domain).on(ev)
	case validity < neverExpires:
		return fail("the password expires with those of the domain %s, after %d days", domain, validity).on(ev)
	}
	if st := c.Snapshot.Status(entra.PartOnPremisesSync); st.Status != entra.StatusRead {
		return c.unread(entra.PartOnPremisesSync, st)
	}
	for _, s := range c.Snapshot.Objects(entra.PartOnPremisesSync) {
		on, known := s.Flag("features.cloudPasswordPolicyForPasswordSyncedUsersEnabled")
		switch {
		case !known:
			return c.missing(entra.PartOnPremisesSync, "features.cloudPasswordPolicyForPasswordSyncedUsersEnabled", "")
		case on:
			return fail("the cloud password policy binds synchronized users too, and the account has no exemption of its own").on(ev)
		}
	}
	return pass("passwords of the domain %s never expire", domain)
}

func judgeForcedChange(c *Case) Result {
	if _, ok := c.User(); !ok {
		return notApplicable("the account was not found: see id-not-deleted")
	}
	f := c.UserFields()
	// A demand that is seen decides even when the other one was not read.
	for _, p := range []string{"forceChangePasswordNextSignIn", "forceChangePasswordNextSignInWithMfa"} {
		if on, _ := f.Flag("passwordProfile." + p); on {
			return fail("the password must be changed at the next sign-in: what lies in the safe then no longer opens").on(c.user(c.Subject.ID, p+" is true"))
		}
	}
	for _, p := range []string{"forceChangePasswordNextSignIn", "forceChangePasswordNextSignInWithMfa"} {
		if _, known := f.Flag("passwordProfile." + p); !known {
			return c.missing(entra.PartUsers, "passwordProfile."+p, permUserRead)
		}
	}
	return pass("no change is demanded")
}

func judgePasswordAge(c *Case) Result {
	if _, ok := c.User(); !ok {
		return notApplicable("the account was not found: see id-not-deleted")
	}
	switch c.Registered.Password {
	case register.PasswordDiscarded:
		return notApplicable("the password was discarded: a use by key shows it to nobody")
	case register.PasswordUnknown:
		return notApplicable("what became of the password is not declared: see pw-discarded-or-held")
	}
	f := c.UserFields()
	changed, known := f.Time("lastPasswordChangeDateTime")
	if !known {
		return c.missing(entra.PartUsers, "lastPasswordChangeDateTime", permUserRead)
	}
	var last time.Time
	what := ""
	seen := func(at time.Time, word string) {
		if at.After(last) {
			last, what = at, word
		}
	}
	for _, u := range c.Records.Uses {
		if u.Account.Equal(c.Subject.ID) {
			seen(u.At, "a use or release")
		}
	}
	for _, d := range c.Records.Drills {
		if d.Account.Equal(c.Subject.ID) {
			seen(d.At, "a drill")
		}
	}
	// What the log saw counts too, be it recorded or not; it lags by up to a day.
	if at, ok := f.Time("signInActivity.lastSuccessfulSignInDateTime"); ok {
		seen(at, "a sign-in")
	}
	switch {
	case !last.IsZero() && !changed.After(last):
		return fail("%s on %s came after the last change of the password: who saw it then still has it", what, last.UTC().Format("2006-01-02")).on(
			c.user(c.Subject.ID, "lastPasswordChangeDateTime is "+changed.UTC().Format(time.RFC3339)))
	case c.Records.Uses == nil && c.Records.Drills == nil:
		return notSetUp("no use, release or drill is recorded, so a release would not be seen here")
	case last.IsZero():
		return pass("no use is recorded")
	}
	return pass("changed on %s, after the last use", changed.UTC().Format("2006-01-02"))
}

func judgeHeld(c *Case) Result {
	if c.Register.Or().Account(c.Subject.ID) == nil {
		return notSetUp("the account is not registered, and nothing is declared of its password")
	}
	var whole, halves []Evidence
	for _, p := range c.Register.Parts {
		if !p.Account.Equal(c.Subject.ID) {
			continue
		}
		e := Evidence{Name: clauseOr(p.Holder, p.Place), Detail: string(p.Kind)}
		switch p.Kind {
		case register.PartPassword:
			whole = append(whole, e)
		case register.PartPasswordHalf, register.PartShare:
			halves = append(halves, e)
		}
	}
	recorded := len(c.Register.Parts) > 0
	switch p := c.Registered.Password; {
	case p == register.PasswordUnknown:
		return fail("what became of the password is not declared: discarded, split or vaulted").on(c.user(c.Subject.ID, "password is not in halligan.yaml"))
	case p == register.PasswordDiscarded && len(whole)+len(halves) > 0:
		return fail("the password is declared discarded, and custody has parts of it").on(slices.Concat(whole, halves)...)
	case p == register.PasswordDiscarded:
		return pass("discarded, and nobody holds a part")
	case !recorded:
		return notSetUp("the password is declared %s, and no custody is recorded yet", p)
	case p == register.PasswordSplit && len(whole) > 0:
		return fail("the password is declared split, and custody has the whole").on(whole...)
	case p == register.PasswordSplit && len(halves) < 2:
		return fail("the password is declared split, and custody has %d of its parts", len(halves)).on(c.user(c.Subject.ID, "two parts or more"))
	case p == register.PasswordVaulted && len(whole)+len(halves) == 0:
		return fail("the password is declared vaulted, and custody has no record of it").on(c.user(c.Subject.ID, "no part of kind password"))
	case p != register.PasswordSplit && p != register.PasswordVaulted:
		return unknown("what became of the password is not a word that is known here: %s", p)
	}
	return pass("declared, and custody agrees: %d parts", len(whole)+len(halves))
}

func judgeSSPR(c *Case) Result {
	on := c.View().SSPRAllowed
	if on == nil {
		return c.missing(entra.PartAuthorization, "allowedToUseSSPR", "")
	}
	reset := c.Registered.Pattern == register.PatternAccountReset
	ev := Evidence{ID: "authorizationPolicy", Detail: "allowedToUseSSPR"}
	switch {
	case reset && *on:
		return pass("the account is opened by a reset, which is on; one person can do that alone (S108)")
	case reset:
		return fail("the account is to be opened by a reset, and resets are off for administrators").on(ev)
	case *on:
		return fail("administrators can reset their own password: a second door, with weaker locks than the key").on(ev)
	}
	return pass("resets are off for administrators")
}
