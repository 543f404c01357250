package posture

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"halligan/custody"
	"halligan/entra"
	"halligan/register"
)

var checksDrills = []Check{
	{ID: "drl-account-90d", Theme: ThemeDrills, Severity: High, PerAccount: true, Conflict: "C6", Setting: "drillDays", Licence: LicenceP1, EvenWithout: true,
		Title:      "The account was proved by a sign-in, not too long ago",
		Why:        []string{"S35", "S69", "S75", pageEmergency},
		References: []string{"ISM-1615", "Guardrails GR1 (365 days)"},
		Fix: Fix{Portal: []string{"sign in with the account and a key as the runbook says, and record it"},
			Command: []string{"halligan drill"}},
		Judge: judgeAccountDrill},
	{ID: "drl-key-90d", Theme: ThemeDrills, Severity: High, PerAccount: true, Conflict: "C6", Setting: "drillDays", Licence: LicenceP1, EvenWithout: true,
		Title:      "Each key of the account was proved by a sign-in, not too long ago",
		Why:        []string{"S35", "S69", "the sign-in log of v1.0 does not tell which key was used: only who held it can say"},
		References: []string{"ISM-1615"},
		Fix: Fix{Portal: []string{"sign in once with each key, and record which one it was"},
			Command: []string{"halligan drill"}},
		Judge: judgeKeyDrill},
	{ID: "drl-triggered", Theme: ThemeDrills, Severity: Medium, PerAccount: true,
		Title:      "The account was proved again after the last change of staff, subscription, policies, methods or keys",
		Why:        []string{pageEmergency + ": validate when staff or the subscription changed"},
		References: []string{"ISM-1615"},
		Fix: Fix{Portal: []string{"sign in with the account, and record it"},
			Command: []string{"halligan drill"}},
		Judge: judgeTriggered},
	{ID: "drl-alert-proved", Theme: ThemeDrills, Severity: High, PerAccount: true, Setting: "ackMinutes",
		Title: "The last drill raised an alert, and the people on watch acknowledged it in time",
		Why:   []string{"S67", "S118", "S119"},
		Fix: Fix{Portal: []string{"mend the alert or the watch, and drill again"},
			Command: []string{"halligan drill", "halligan alert test"}},
		Judge: judgeAlertProved},
	{ID: "drl-admin-task", Theme: ThemeDrills, Severity: Medium, PerAccount: true,
		Title:      "The last drill did a harmless administrative task, and the log has it",
		Why:        []string{"S97", pageEmergency + ": make sure that the account can sign in and perform administrative tasks"},
		References: []string{"azd-emergency-access (documentation)"},
		Fix: Fix{Portal: []string{"drill again: change the description of a test group, and find the change in the audit log"},
			Graph:   []string{"GET /auditLogs/directoryAudits?$filter=initiatedBy/user/id eq '{id}'"},
			Command: []string{"halligan drill"}},
		Judge: judgeAdminTask},
	{ID: "drl-post-reset", Theme: ThemeDrills, Severity: High, PerAccount: true,
		Title:      "After the last drill the sessions were revoked, what was shown was rotated, and everything was sealed again",
		Why:        []string{"S120"},
		References: []string{"ISM-1614"},
		Reads:      []entra.Part{entra.PartUsers},
		Fix: Fix{Portal: []string{"revoke the sessions, set a new password where one was shown, seal the parts and record the seals"},
			Graph:   []string{"POST /users/{id}/revokeSignInSessions"},
			Command: []string{"halligan request seal --replaces", "halligan seal"}},
		Judge: judgePostReset},
	{ID: "drl-people-rotated", Theme: ThemeDrills, Severity: Medium,
		Title: "Two different pairs of people or more carried out drills within a year",
		Why:   []string{"S104", "S116"},
		Fix: Fix{Portal: []string{"plan the next drill with people who have not done one"},
			Command: []string{"halligan drill"}},
		Judge: judgePeople},
	{ID: "drl-runbook-current", Theme: ThemeDrills, Severity: Medium, Setting: "runbookDays",
		Title: "The runbook was reviewed within the quarter",
		Why:   []string{"S72", "S73"},
		Fix: Fix{Portal: []string{"walk through the runbook with somebody who has not written it, and record the day"},
			Command: []string{"halligan binder"}},
		Judge: judgeRunbook},
	{ID: "drl-scenario-coverage", Theme: ThemeDrills, Severity: Medium,
		Title: "The loss of the identity provider, of MFA, of the phones and of a key person was each exercised within a year",
		Why:   []string{"S44", "S101", "S115"},
		Fix: Fix{Portal: []string{"plan drills for the scenarios that are missing"},
			Command: []string{"halligan drill"}},
		Judge: judgeScenarios},
}

// drillYear is the year within which people and scenarios must have been through a
// drill, in days.
const drillYear = 365

// scenarios are those that a drill can exercise (Drill.Scenario).
var scenarios = []string{"idpDown", "mfaDown", "phonesDown", "keyPersonGone"}

// lastDrill returns the last drill of an account that fits; one that is dated in
// the future is none.
func (c *Case) lastDrill(account entra.ID, fits func(Drill) bool) (last Drill, ok bool) {
	for _, d := range c.Records.Drills {
		if d.Account.Equal(account) && !d.At.After(c.Now) && !d.At.IsZero() && fits(d) && (!ok || d.At.After(last.At)) {
			last, ok = d, true
		}
	}
	return last, ok
}

func succeeded(d Drill) bool { return d.OK }

// round returns the drills of the account on the last occasion: those within a day
// before the last one.
func (c *Case) round() []Drill {
	last, ok := c.lastDrill(c.Subject.ID, func(Drill) bool { return true })
	if !ok {
		return nil
	}
	var out []Drill
	for _, d := range c.Records.Drills {
		if d.Account.Equal(c.Subject.ID) && !d.At.After(last.At) && last.At.Sub(d.At) < 24*time.Hour {
			out = append(out, d)
		}
	}
	return out
}

// noDrill is the answer where nothing is recorded of which a check could ask more.
func (c *Case) noDrill() Result { return notSetUp("no drill of the account is recorded") }

func drillEvidence(d Drill, detail string) Evidence {
	return Evidence{ID: d.Key, Name: "drill of " + d.At.UTC().Format(time.DateOnly), Detail: detail}
}

func judgeAccountDrill(c *Case) Result {
	most := c.Settings.DrillDays
	last, proved := c.lastDrill(c.Subject.ID, succeeded)
	at, how := last.At, "a drill"
	seen, known := c.UserFields().Time("signInActivity.lastSuccessfulSignInDateTime")
	if f := c.UserFields(); f.Known("signInActivity") && f.Null("signInActivity") {
		known = true // asked for and null: it has never signed in (graph-docs resources/signinactivity)
	}
	if known && seen.After(at) && !seen.After(c.Now) {
		at, how = seen, "a sign-in"
	}
	switch {
	case !at.IsZero() && days(at, c.Now) <= most:
		return pass("proved by %s %d days ago", how, days(at, c.Now))
	case proved || !at.IsZero():
		return fail("nobody has proved the account for %d days, at most %d are wanted", days(at, c.Now), most).on(
			c.user(c.Subject.ID, "last by "+how+" on "+at.UTC().Format(time.DateOnly)))
	case c.Records.Drills == nil && !known && !c.Lacks(LicenceP1):
		return c.missing(entra.PartUsers, "signInActivity", "AuditLog.Read.All")
	case c.Records.Drills == nil:
		return notSetUp("no drill is recorded, and no sign-in of the account is known")
	}
	return fail("the account was never proved by a drill").on(c.user(c.Subject.ID, "no drill succeeded"))
}

func judgeKeyDrill(c *Case) Result {
	switch {
	case c.Records.Drills == nil:
		return notSetUp("no drill is recorded")
	case len(c.Registered.Keys) == 0 && (c.Registered.Pattern == register.PatternFIDO2 || c.Registered.Pattern == register.PatternCertificate || c.Registered.Pattern == register.PatternUnknown):
		return notSetUp("no key of the account is registered, so that none can be told from another")
	case len(c.Registered.Keys) == 0:
		return notApplicable("the account is opened without a key (pattern %s)", c.Registered.Pattern)
	}
	var results []Result
	for _, k := range c.Registered.Keys {
		name := cmp.Or(k.Label, k.Serial, k.ID)
		last, ok := c.lastDrill(c.Subject.ID, func(d Drill) bool { return d.OK && d.Key != "" && custody.KeyIs(k, d.Key) })
		switch {
		case !ok:
			results = append(results, fail("a key was never proved").on(Evidence{ID: k.ID, Name: name, Detail: "no drill"}))
		case days(last.At, c.Now) > c.Settings.DrillDays:
			results = append(results, fail("a key was not proved for more than %d days", c.Settings.DrillDays).on(Evidence{ID: k.ID, Name: name, Detail: "last on " + last.At.UTC().Format(time.DateOnly)}))
		default:
			results = append(results, pass("each of %d keys was proved within %d days", len(c.Registered.Keys), c.Settings.DrillDays))
		}
	}
	return merge(Result{}, results...)
}

func judgeTriggered(c *Case) Result {
	if c.Records.Changes == nil {
		return notSetUp("no change that asks for a drill is recorded")
	}
	if c.Records.Drills == nil {
		return notSetUp("no drill is recorded")
	}
	last, _ := c.lastDrill(c.Subject.ID, succeeded)
	var results []Result
	for _, e := range c.Records.Changes {
		if e.At.IsZero() {
			results = append(results, unknown("when something changed is not recorded").on(Evidence{Name: e.What, Detail: e.Kind + " change"}))
			continue
		}
		if e.At.After(c.Now) || !e.At.After(last.At) {
			continue
		}
		results = append(results, fail("what the account rests on changed after its last drill").on(
			Evidence{Name: e.What, Detail: fmt.Sprintf("%s change on %s", e.Kind, e.At.UTC().Format(time.DateOnly))}))
	}
	if len(c.Records.Changes) == 0 {
		return pass("nothing is recorded on which an extra drill would follow")
	}
	return merge(pass("proved after the last of %d changes", len(c.Records.Changes)), results...)
}

func judgeAlertProved(c *Case) Result {
	last, ok := c.lastDrill(c.Subject.ID, func(Drill) bool { return true })
	if !ok {
		return c.noDrill()
	}
	took := last.AcknowledgedAt.Sub(last.AlertAt)
	switch {
	case last.AlertAt.IsZero():
		return fail("the last drill raised no alert").on(drillEvidence(last, "no alert"))
	case last.AcknowledgedAt.IsZero():
		return fail("nobody acknowledged the alert of the last drill").on(drillEvidence(last, "no acknowledgement"))
	case last.AlertAt.Before(last.At):
		return unknown("the alert of the last drill is recorded before the drill: the clocks differ").on(drillEvidence(last, "alert at "+last.AlertAt.UTC().Format(time.RFC3339)))
	case last.AlertAt.After(c.Now) || last.AcknowledgedAt.After(c.Now):
		return unknown("the alert of the last drill or its acknowledgement lies in the future: the clocks differ").on(drillEvidence(last, "acknowledged at "+last.AcknowledgedAt.UTC().Format(time.RFC3339)))
	case took < 0:
		return unknown("the alert of the last drill is recorded as acknowledged before it came: the clocks differ").on(drillEvidence(last, took.String()))
	case took > time.Duration(c.Settings.AckMinutes)*time.Minute:
		return fail("the alert of the last drill was acknowledged after %s, within %d minutes is wanted", took.Round(time.Minute), c.Settings.AckMinutes).on(drillEvidence(last, "acknowledged late"))
	}
	return pass("acknowledged %s after the alert", took.Round(time.Minute))
}

func judgeAdminTask(c *Case) Result {
	round := c.round()
	if len(round) == 0 {
		return c.noDrill()
	}
	if slices.ContainsFunc(round, func(d Drill) bool { return d.OK && d.AdminTask }) {
		return pass("done and logged in the last drill")
	}
	return fail("the last drill only signed in: whether the account may do anything was not proved").on(drillEvidence(round[0], "no administrative task"))
}

func judgePostReset(c *Case) Result {
	round := c.round()
	if len(round) == 0 {
		return c.noDrill()
	}
	last := slices.MaxFunc(round, func(a, b Drill) int { return a.At.Compare(b.At) })
	all := func(f func(Drill) bool) bool {
		return !slices.ContainsFunc(round, func(d Drill) bool { return !f(d) })
	}
	f := c.UserFields()
	valid, known := f.Time("signInSessionsValidFromDateTime")
	var open []string
	switch {
	case known && !valid.After(last.At):
		// What the directory says outweighs a tick on a list.
		open = append(open, "the sessions were not revoked")
	case !known && !all(func(d Drill) bool { return d.SessionsRevoked }):
		return c.missing(entra.PartUsers, "signInSessionsValidFromDateTime", permUserRead)
	}
	// A discarded password was shown to nobody.
	if p := c.Registered.Password; p == register.PasswordVaulted || p == register.PasswordSplit {
		changed, _ := f.Time("lastPasswordChangeDateTime")
		if !changed.After(last.At) && !all(func(d Drill) bool { return d.Rotated }) {
			open = append(open, "the password was not changed")
		}
	}
	if !all(func(d Drill) bool { return d.Resealed }) {
		open = append(open, "not everything was sealed again")
	}
	if len(open) > 0 {
		return fail("the last drill was not finished: %s", strings.Join(open, ", ")).on(drillEvidence(last, strings.Join(open, ", ")))
	}
	return pass("finished after the drill of %s; for passes see am-no-tap", last.At.UTC().Format(time.DateOnly))
}

func judgePeople(c *Case) Result {
	if c.Records.Drills == nil {
		return notSetUp("no drill is recorded")
	}
	pairs := map[string]string{}
	for _, d := range c.Records.Drills {
		if !d.OK || d.At.After(c.Now) || days(d.At, c.Now) > drillYear {
			continue
		}
		var people []string
		for _, p := range d.People {
			if p = strings.ToLower(strings.TrimSpace(p)); p != "" && !slices.Contains(people, p) {
				people = append(people, p)
			}
		}
		if len(people) < 2 {
			continue // one person alone is no pair (S104)
		}
		slices.Sort(people)
		pairs[strings.Join(people, "\x00")] = strings.Join(d.People, " and ")
	}
	if len(pairs) >= 2 {
		return pass("%d different pairs within a year", len(pairs))
	}
	r := fail("%d different pairs of people carried out drills within a year, two are wanted", len(pairs))
	for _, p := range pairs {
		r = r.on(Evidence{Name: p, Detail: "always the same"})
	}
	return r
}

func judgeRunbook(c *Case) Result {
	at := c.Records.RunbookReviewed
	switch {
	case at.IsZero():
		return notSetUp("no review of the runbook is recorded")
	case at.After(c.Now):
		return unknown("the review of the runbook is dated %s, in the future", at.UTC().Format(time.DateOnly))
	case days(at, c.Now) > c.Settings.RunbookDays:
		return fail("the runbook was not reviewed for %d days, at most %d are wanted", days(at, c.Now), c.Settings.RunbookDays).on(Evidence{Name: "runbook", Detail: "reviewed on " + at.UTC().Format(time.DateOnly)})
	}
	return pass("reviewed %d days ago", days(at, c.Now))
}

func judgeScenarios(c *Case) Result {
	if c.Records.Drills == nil {
		return notSetUp("no drill is recorded")
	}
	var done []string
	for _, d := range c.Records.Drills {
		if d.OK && !d.At.After(c.Now) && days(d.At, c.Now) <= drillYear {
			done = append(done, d.Scenario)
		}
	}
	if missing := lacking(done, scenarios); len(missing) > 0 {
		r := fail("not exercised within a year: %s", strings.Join(missing, ", "))
		for _, m := range missing {
			r = r.on(Evidence{Name: m, Detail: "no drill"})
		}
		return r
	}
	return pass("all four were exercised within a year")
}
