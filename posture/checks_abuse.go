package posture

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"halligan/entra"
)

var checksAbuse = []Check{
	{ID: "abu-grants", Theme: ThemeAbuse, Severity: High, PerAccount: true,
		Title: "The account has consented to nothing and is assigned to no application",
		Why:   []string{"S64", "a consent or an assignment outlives the use in which it was made"},
		Reads: []entra.Part{entra.PartUserGrants, entra.PartUserAppRoles},
		Fix: Fix{Portal: []string{"Entra admin center > Enterprise applications > the application > Permissions, Users and groups: revoke and remove", "find out who made it and when: abu-actions-review"},
			Graph: []string{"DELETE /oauth2PermissionGrants/{id}", "DELETE /users/{id}/appRoleAssignments/{id}"}},
		Judge: judgeGrants},
	{ID: "abu-owned-apps", Theme: ThemeAbuse, Severity: High, PerAccount: true,
		Title:      "The account owns no application, service principal or group",
		Why:        []string{"S64", "an owner can add a secret to an application, and use it later"},
		References: []string{"Maester MT.1063", "Maester MT.1077"},
		Reads:      []entra.Part{entra.PartOwnedObjects},
		Fix: Fix{Portal: []string{"name another owner, remove the account, and look at the secrets of the application"},
			Graph: []string{"DELETE /applications/{id}/owners/{id}/$ref", "DELETE /groups/{id}/owners/{id}/$ref"}},
		Judge: judgeOwned},
	{ID: "abu-devices", Theme: ThemeAbuse, Severity: High, PerAccount: true,
		Title: "The account has no device",
		Why:   []string{"S64", "a registered device holds a primary refresh token: it signs in without the key"},
		Reads: []entra.Part{entra.PartDevices},
		Fix: Fix{Portal: []string{"Entra admin center > Devices > the device > Delete", "revoke the sessions of the account"},
			Graph: []string{"DELETE /devices/{id}", "POST /users/{id}/revokeSignInSessions"}},
		Judge: judgeDevices},
	{ID: "abu-actions-review", Theme: ThemeAbuse, Severity: High, PerAccount: true,
		Title:      "Everything that the account did belongs to a drill, a declared window or a use that was closed",
		Why:        []string{"S67", "S68", "S114", pageEmergency + ": review after each use"},
		References: []string{"azd-emergency-access"},
		Reads:      []entra.Part{entra.PartDirectoryAudits},
		Fix: Fix{Portal: []string{"find out who did it; without an answer it is an incident", "undo what a use left behind: roles granted, objects made, policies changed", "close the use"},
			Graph:   []string{"GET /auditLogs/directoryAudits?$filter=initiatedBy/user/id eq '{id}'"},
			Command: []string{"halligan incident"}},
		Judge: judgeActions},
}

// basicScopes are the delegated permissions that only sign in and read the own
// profile (graph: permissions reference).
var basicScopes = []string{"openid", "profile", "email", "offline_access", "User.Read"}

func judgeGrants(c *Case) Result {
	var results []Result
	grants, _ := c.Snapshot.Of(entra.PartUserGrants, c.Subject.ID)
	for _, g := range grants {
		ev := Evidence{ID: string(g.ID()), Name: g.Str("clientId")}
		scope, known := g.Text("scope")
		more := slices.DeleteFunc(strings.Fields(scope), func(s string) bool { return containsFold(basicScopes, s) })
		switch {
		case strings.EqualFold(g.Str("consentType"), "AllPrincipals"):
			// A consent for everybody is not the account's own.
		case !known:
			results = append(results, c.missing(entra.PartUserGrants, "scope", "").on(ev))
		case len(more) > 0:
			ev.Detail = "consented to " + strings.Join(more, " ")
			results = append(results, fail("the account has consented to an application").on(ev))
		}
	}
	roles, _ := c.Snapshot.Of(entra.PartUserAppRoles, c.Subject.ID)
	for _, r := range roles {
		id, known := r.Text("appRoleId")
		ev := Evidence{ID: string(r.ID()), Name: r.Str("resourceDisplayName"), Detail: "app role " + id}
		switch {
		case !known:
			results = append(results, c.missing(entra.PartUserAppRoles, "appRoleId", "").on(ev))
		case !anyAccess.Equal(entra.ID(id)):
			results = append(results, fail("the account is assigned to a role of an application").on(ev))
		}
	}
	return merge(pass("no consent and no assignment beyond the default"), results...)
}

func judgeOwned(c *Case) Result {
	var results []Result
	owned, _ := c.Snapshot.Of(entra.PartOwnedObjects, c.Subject.ID)
	for _, o := range owned {
		kind := o.ODataType()
		ev := Evidence{ID: string(o.ID()), Name: o.Str("displayName"), Detail: kind}
		switch strings.ToLower(kind) {
		case "application", "serviceprincipal", "group":
			results = append(results, fail("the account owns something: a way back in that needs no key").on(ev))
		case "device":
			// abu-devices
		default:
			results = append(results, unknown("the account owns something whose kind was not read").on(ev))
		}
	}
	return merge(pass("owns nothing"), results...)
}

func judgeDevices(c *Case) Result {
	devices, _ := c.Snapshot.Of(entra.PartDevices, c.Subject.ID)
	if len(devices) == 0 {
		return pass("no device")
	}
	r := fail("the account has %d devices", len(devices))
	for _, d := range devices {
		r = r.on(Evidence{ID: string(d.ID()), Name: d.Str("displayName"), Detail: strings.TrimSpace(d.Str("trustType") + " " + d.Str("operatingSystem"))})
	}
	return r
}

// useHours is for how long after a drill or a release what the account does counts
// as part of it, where no window was declared. A working day and its handover.
const useHours = 12

// attributed reports whether an action belongs to something that was declared, and
// whether that was a use that nobody has closed.
func (c *Case) attributed(at time.Time) (known, open bool) {
	within := func(from time.Time) bool { return !at.Before(from) && at.Sub(from) <= useHours*time.Hour }
	for _, u := range c.Records.Uses {
		if u.Account.Equal(c.Subject.ID) && within(u.At) {
			return true, !u.Closed
		}
	}
	for _, w := range c.Records.Windows {
		if w.Account.Equal(c.Subject.ID) && w.covers(at) {
			return true, false
		}
	}
	for _, d := range c.Records.Drills {
		if d.Account.Equal(c.Subject.ID) && within(d.At) {
			return true, false
		}
	}
	return false, false
}

func judgeActions(c *Case) Result {
	audits, _ := c.Snapshot.Of(entra.PartDirectoryAudits, c.Subject.ID)
	var results []Result
	var left []Evidence
	for _, a := range audits {
		by, known := a.Text("initiatedBy.user.id")
		if known && !c.Subject.ID.Equal(entra.ID(by)) || !known && a.Known("initiatedBy") && !a.Known("initiatedBy.user.id") && !a.Object("initiatedBy.app").Empty() {
			continue // done to the account, or by an application
		}
		ev := actionEvidence(a)
		at, timed := a.Time("activityDateTime")
		switch {
		case !known:
			results = append(results, c.missing(entra.PartDirectoryAudits, "initiatedBy", "").on(ev))
			continue
		case !timed || at.IsZero():
			results = append(results, c.missing(entra.PartDirectoryAudits, "activityDateTime", "").on(ev))
			continue
		}
		declared, open := c.attributed(at)
		switch {
		case !declared:
			results = append(results, fail("the account did something that no drill, window or use explains").on(ev))
		case open:
			results = append(results, fail("a use of the account is not closed: what it did was not reviewed").on(ev))
		default:
			if leaves(a.Str("activityDisplayName")) {
				left = append(left, ev)
			}
		}
	}
	if len(left) > 0 {
		return merge(pass("all is explained; %d of its actions left something behind, to be looked at once more", len(left)).on(left...), results...)
	}
	return merge(pass("nothing that is not explained, as far back as the log goes"), results...)
}

// leaves reports whether an activity of the audit log makes or grants something
// (entra-docs reference-audit-activities: "Add user", "Add member to role", …).
func leaves(activity string) bool {
	for _, p := range []string{"add ", "create", "consent", "invite", "register"} {
		if strings.HasPrefix(strings.ToLower(activity), p) {
			return true
		}
	}
	return false
}

func actionEvidence(a entra.Fields) Evidence {
	var on []string
	targets, _ := a.List("targetResources")
	for _, t := range targets {
		on = append(on, clauseOr(t.Str("displayName"), clauseOr(t.Str("userPrincipalName"), t.Str("id"))))
	}
	return Evidence{ID: string(a.ID()), Name: a.Str("activityDisplayName"), Detail: fmt.Sprintf("%s: %s", a.Str("activityDateTime"), strings.Join(on, ", "))}
}
