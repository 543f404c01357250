package posture

import (
	"fmt"
	"slices"
	"strings"

	"halligan/entra"
	"halligan/lockout"
	"halligan/lockout/facts"
)

func judgeStale(c *Case) Result {
	if r := c.unreadPolicies(); r != nil {
		return *r
	}
	v := c.View()
	var gone, unseen []Evidence
	var open []Missing
	look := func(p *entra.Policy, id entra.ID, part entra.Part, exists answer, kind string) {
		st := c.Snapshot.Status(part)
		switch {
		case exists == no, exists == maybe && st.Status == entra.StatusRead:
			gone = append(gone, Evidence{ID: string(id), Name: p.Label(), Detail: "excludes a " + kind + " that does not exist"})
		case exists == maybe:
			unseen = append(unseen, Evidence{ID: string(id), Name: p.Label(), Detail: "excludes a " + kind + " that was not read"})
			if !slices.ContainsFunc(open, func(m Missing) bool { return m.Part == part }) {
				open = append(open, c.unread(part, st).Missing...)
			}
		}
	}
	for i := range v.Policies {
		p := &v.Policies[i]
		if p.State == entra.StateDisabled {
			continue
		}
		for _, id := range p.Conditions.Users.ExcludeUsers {
			if id.IsGUID() { // not "GuestsOrExternalUsers", nor the placeholder of a template
				look(p, id, entra.PartUsers, c.userExists(id), "user")
			}
		}
		for _, id := range p.Conditions.Users.ExcludeGroups {
			if id.IsGUID() {
				exists := maybe
				switch {
				case c.isGroup(id):
					exists = yes
				case c.absent(entra.PartGroups, id):
					exists = no
				}
				look(p, id, entra.PartGroups, exists, "group")
			}
		}
	}
	switch {
	case len(gone) > 0:
		return c.besideExclusion(fail("%d exclusions are of objects that no longer exist, and exclude nobody", len(gone)).on(gone...))
	case len(open) > 0:
		r := unknown("not every object that policies exclude was read").on(unseen...)
		r.Missing = open
		return r
	}
	return pass("every object that policies exclude exists")
}

// userExists: a deleted user is known to be gone; one that was not read is not.
func (c *Case) userExists(id entra.ID) answer {
	for _, u := range c.View().Users {
		if u.ID.Equal(id) {
			if u.Deleted {
				return no
			}
			return yes
		}
	}
	if !c.Snapshot.Details(entra.PartDeletedUsers, id).Empty() || slices.ContainsFunc(c.Snapshot.Objects(entra.PartDeletedUsers), func(f entra.Fields) bool { return f.ID().Equal(id) }) {
		return no
	}
	if c.absent(entra.PartUsers, id) {
		return no
	}
	return maybe
}

func judgeRoleTrap(c *Case) Result {
	if r := c.unjudged(); r != nil {
		return *r
	}
	var out []Result
	seen := map[string]bool{}
	for _, v := range c.verdicts() {
		for _, l := range v.Policies {
			p := policyOf(c.View(), entra.ID(l.Policy))
			if p == nil || p.State == entra.StateDisabled || seen[p.ID.Key()] {
				continue
			}
			seen[p.ID.Key()] = true
			u := &p.Conditions.Users
			if c.listed(u.IncludeUsers, u.IncludeGroups, u.IncludeRoles, u.IncludeGuests) == no {
				continue // it needs no exclusion
			}
			if r := c.roleTrap(p, l.Routes); r != nil {
				out = append(out, *r)
			}
		}
	}
	return c.besideExclusion(merge(pass("no exclusion of the account rests on its role"), out...))
}

func (c *Case) roleTrap(p *entra.Policy, routes []lockout.Route) *Result {
	if len(routes) > 0 && !slices.ContainsFunc(routes, func(r lockout.Route) bool { return r.Kind != "role" }) {
		r := fail("policy %q excludes the account by its role alone, and with it everybody who holds the role", p.Label())
		for _, x := range routes {
			r = r.on(policyEvidence(p, "excludes the role "+facts.RoleName(entra.ID(x.ID))))
		}
		return &r
	}
	if len(routes) > 0 {
		return nil
	}
	// An exclusion that looks right and excludes nobody: the role is custom, or the
	// account holds it in an administrative unit only.
	for _, role := range p.Conditions.Users.ExcludeRoles {
		for _, a := range c.View().RoleAssignments {
			if !a.Role.Equal(role) || !a.Principal.Equal(c.Subject.ID) {
				continue
			}
			builtIn := facts.RoleName(role) != string(role)
			if !builtIn || a.Scope != "/" && a.Scope != "" || a.Assignment != entra.AssignmentActive {
				r := fail("policy %q excludes a role that the account holds, and Conditional Access does not count it: custom, limited in scope, or not active", p.Label()).
					on(policyEvidence(p, fmt.Sprintf("role %s, scope %s, %s", facts.RoleName(role), a.Scope, a.Assignment)))
				return &r
			}
		}
	}
	return nil
}

func judgeNewPolicyWatch(c *Case) Result {
	w := c.Records.Watch
	if w == nil {
		return notSetUp("nothing watches the policies")
	}
	most := c.Settings.ReevaluateMinutes
	ev := Evidence{Detail: fmt.Sprintf("%d minutes, at most %d wanted", w.ReevaluateMinutes, most)}
	switch {
	case w.ReevaluateMinutes <= 0:
		return fail("a changed policy is not judged again").on(ev)
	case w.ReevaluateMinutes > most:
		return fail("a changed policy is judged again only after %d minutes", w.ReevaluateMinutes).on(ev)
	}
	return pass("a changed policy is judged again within %d minutes", w.ReevaluateMinutes)
}

func judgeExclusive(c *Case) Result {
	groups := c.ExclusionGroups()
	if len(groups) == 0 {
		return notApplicable("no group excludes the accounts")
	}
	var out []Result
	for _, id := range groups {
		if !c.isGroup(id) {
			out = append(out, c.unreadGroup(id))
			continue
		}
		members, sure := c.usersIn(id)
		var others []Evidence
		for _, m := range members {
			if !c.IsSubject(m) {
				others = append(others, c.user(m, "in the group, and no emergency account"))
			}
		}
		switch {
		case len(others) > 0:
			out = append(out, fail("the group %q excludes %d others beside the emergency accounts", c.GroupName(id), len(others)).on(c.group(id, "")).on(others...))
		case !sure:
			out = append(out, c.unreadGroup(id))
		}
	}
	return merge(pass("%d groups hold emergency accounts only", len(groups)), out...)
}

// unreadGroup is the result for a group of which not every member was read.
func (c *Case) unreadGroup(id entra.ID) Result {
	if !c.isGroup(id) && !c.absent(entra.PartGroups, id) {
		return c.unread(entra.PartGroups, c.Snapshot.Status(entra.PartGroups)).on(c.group(id, ""))
	}
	if !c.isGroup(id) {
		return unknown("the group %s does not exist: see grp-exists-static", id).on(c.group(id, "not found"))
	}
	return c.missing(entra.PartGroups, "members", "").on(c.group(id, ""))
}

// WhatIfTarget is a resource for which Microsoft is asked, by application id:
// evaluate takes no groups of applications.
type WhatIfTarget struct{ Name, App string }

// WhatIfTargets are the portals, Microsoft Graph and Exchange Online.
var WhatIfTargets = []WhatIfTarget{
	{"the admin portals", "c44b4083-3bb0-49c1-b47d-974e53cbdf3c"},
	{"Microsoft Graph", "00000003-0000-0000-c000-000000000000"},
	{"Exchange Online", "00000002-0000-0ff1-ce00-000000000000"},
}

// WhatIfPlatforms are the platforms of which each is to be asked about once.
var WhatIfPlatforms = []string{"windows", "macOS", "linux", "android", "iOS"}

// judgeWhatIf reads what Microsoft answered: each object of the part is one
// evaluation, the request (signInContext, signInConditions) with the value of the
// answer beside it. Every target is to be asked with each client, place and risk
// together, and every platform once; the proof ranges over the rest.
func judgeWhatIf(c *Case) Result {
	list, _ := c.Snapshot.Of(entra.PartWhatIf, c.Subject.ID)
	asked, platforms, countries := map[string]bool{}, map[string]bool{}, map[string]bool{}
	var out []Result
	type question struct{ app, client, risk, country string }
	var questions []question
	for _, f := range list {
		apps, _ := f.Texts("signInContext.includeApplications")
		q := question{client: strings.ToLower(f.Str("signInConditions.clientAppType")), country: strings.ToUpper(f.Str("signInConditions.country")), risk: "none"}
		if strings.EqualFold(f.Str("signInConditions.signInRiskLevel"), "high") && strings.EqualFold(f.Str("signInConditions.userRiskLevel"), "high") {
			q.risk = "high"
		}
		platforms[strings.ToLower(f.Str("signInConditions.devicePlatform"))] = true
		countries[q.country] = q.country != ""
		for _, app := range apps {
			q.app = entra.ID(app).Key()
			questions = append(questions, q)
		}
		out = append(out, c.evaluation(f)...)
	}
	var places []string
	for x, named := range countries {
		if named {
			places = append(places, x)
		}
	}
	for _, q := range questions {
		asked[strings.Join([]string{q.app, q.client, q.risk, q.country}, " ")] = true
	}
	var lacking []string
	if len(places) < 2 {
		lacking = append(lacking, "a second country")
	}
	for _, t := range WhatIfTargets {
		for _, client := range []string{"browser", "mobileappsanddesktopclients"} {
			for _, risk := range []string{"none", "high"} {
				n := 0
				for _, place := range places {
					if asked[strings.Join([]string{t.App, client, risk, place}, " ")] {
						n++
					}
				}
				if n < 2 {
					lacking = append(lacking, fmt.Sprintf("%s by %s with risk %s", t.Name, client, risk))
				}
			}
		}
	}
	for _, p := range WhatIfPlatforms {
		if !platforms[strings.ToLower(p)] {
			lacking = append(lacking, "platform "+p)
		}
	}
	for _, d := range c.Records.Disagreements {
		if d.Account.Equal(c.Subject.ID) {
			out = append(out, fail("Microsoft and the proof disagree: the verdict is not to be relied on until it is known why").on(Evidence{ID: string(d.Policy), Name: d.Name, Detail: d.Says}))
		}
	}
	if len(lacking) > 0 {
		r := c.missing(entra.PartWhatIf, "evaluations", "")
		r.Says = fmt.Sprintf("Microsoft was not asked everything: %d questions lack, the first: %s", len(lacking), lacking[0])
		out = append(out, r)
	}
	return c.besideExclusion(merge(pass("in %d evaluations no policy applies that the account cannot meet", len(list)), out...))
}

// evaluation judges one answer of Microsoft's. Strengths are judged by
// ca-strength-fits, MFA by mmfa-ready.
func (c *Case) evaluation(f entra.Fields) []Result {
	results, ok := f.List("value")
	if !ok {
		return []Result{c.missing(entra.PartWhatIf, "value", "")}
	}
	var out []Result
	for _, x := range results {
		applies, known := x.Flag("policyApplies")
		ev := Evidence{ID: string(x.ID()), Name: x.Str("displayName"), Detail: fmt.Sprintf("%s, %s, %s", f.Str("signInConditions.clientAppType"), f.Str("signInConditions.devicePlatform"), f.Str("signInConditions.country"))}
		if known && !applies || x.Str("state") != "" && !strings.EqualFold(x.Str("state"), string(entra.StateEnabled)) {
			continue
		}
		controls, controlsKnown := x.Texts("grantControls.builtInControls")
		none := x.Known("grantControls") && x.Object("grantControls").Empty()
		switch {
		case !known:
			out = append(out, c.missing(entra.PartWhatIf, "policyApplies", "").on(ev))
		case none:
		case !controlsKnown:
			out = append(out, c.missing(entra.PartWhatIf, "grantControls", "").on(ev))
		default:
			if bad := unmeetable(x, controls); len(bad) > 0 {
				out = append(out, fail("Microsoft says that policy %q applies, and it %s", clauseOr(ev.Name, ev.ID), demands(bad)).on(ev))
			}
		}
	}
	return out
}

func unmeetable(x entra.Fields, controls []string) []string {
	var bad []string
	others := !x.Object("grantControls.authenticationStrength").Empty()
	for _, control := range controls {
		switch {
		case strings.EqualFold(control, string(entra.ControlBlock)):
			return []string{string(entra.ControlBlock)}
		case slices.ContainsFunc(deviceControls, func(d string) bool { return strings.EqualFold(d, control) }):
			bad = append(bad, control)
		default:
			others = true
		}
	}
	if terms, _ := x.Texts("grantControls.termsOfUse"); len(terms) > 0 {
		bad = append(bad, "termsOfUse")
	}
	if others && !strings.EqualFold(x.Str("grantControls.operator"), string(entra.OperatorAnd)) {
		return nil
	}
	return bad
}
