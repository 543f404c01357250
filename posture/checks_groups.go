package posture

import (
	"fmt"
	"slices"
	"strings"

	"halligan/entra"
	"halligan/lockout/facts"
)

const (
	pageRMAU       = "entra-docs admin-units-restricted-management"
	pageRoleGroups = "entra-docs groups-concept"
	permGroupRead  = "GroupMember.Read.All"
)

var checksGroups = []Check{
	{ID: "grp-exists-static", Theme: ThemeGroups, Severity: Critical,
		Title: "The group that excludes the accounts exists, is a static security group of the cloud, and holds every one of them",
		Why:   []string{"S24", "a rule that changes, or a directory on premises, drops the accounts from every exclusion at once"}, References: []string{"azd-emergency-access"},
		Fix: Fix{Portal: []string{"Entra admin center > Groups > New group: type Security, role-assignable, membership Assigned; add the accounts", "put it beside the old group in every policy, prove the accounts, then take the old group out"},
			Graph: []string{`POST /groups {"securityEnabled": true, "mailEnabled": false, "groupTypes": [], "isAssignableToRole": true}`, "POST /groups/{id}/members/$ref"}},
		Judge: judgeGroupStatic},
	{ID: "grp-protected", Theme: ThemeGroups, Severity: High,
		Title:      "Only Global and Privileged Role Administrators can change who is in the group that excludes the accounts",
		Why:        []string{"any Groups Administrator or owner could lock the accounts in, or smuggle somebody past the policies", pageRoleGroups, pageRMAU},
		References: []string{"Maester MT.1035"},
		Fix: Fix{Portal: []string{"make the group anew as role-assignable (it cannot be changed later), or put it into a restricted management administrative unit", "Entra admin center > Groups > the group > Owners: remove all"},
			Graph: []string{`POST /groups {"isAssignableToRole": true}`, "DELETE /groups/{id}/owners/{id}/$ref"}},
		Judge: judgeGroupProtected},
	{ID: "grp-foreign-memberships", Theme: ThemeGroups, Severity: Medium, PerAccount: true,
		Title: "The account is in no group beside those of the register",
		Why:   []string{"S48"},
		Reads: []entra.Part{entra.PartAccounts},
		Fix: Fix{Portal: []string{"Entra admin center > Users > the account > Groups: remove what is not needed", "a group that is meant: write it into halligan.yaml, under the account's groups"},
			Graph: []string{"GET /users/{id}/transitiveMemberOf/microsoft.graph.group", "DELETE /groups/{id}/members/{id}/$ref"}},
		Judge: judgeForeignMemberships},
	{ID: "au-restricted", Theme: ThemeGroups, Severity: High, PerAccount: true, Licence: LicenceP1,
		Title: "The account is in a static restricted management administrative unit",
		Why:   []string{pageRMAU + ": else every help desk role that may reset administrators can", "S54"}, References: []string{"azd-emergency-access"},
		Reads: []entra.Part{entra.PartUsers, entra.PartAdministrativeUnits},
		Fix: Fix{Portal: []string{"Entra admin center > Roles & admins > Admin units > Add: Restricted management yes, membership Assigned; add the accounts", "read au-recoverable first", "deliberately without: accept the risk in halligan.yaml"},
			Graph: []string{`POST /directory/administrativeUnits {"displayName": "…", "isMemberManagementRestricted": true}`, "POST /directory/administrativeUnits/{id}/members/$ref"}},
		Judge: judgeRestricted},
	{ID: "au-recoverable", Theme: ThemeGroups, Severity: High, Licence: LicenceP1, Attestable: true,
		Title: "Somebody can still mend an account that lies in a restricted management administrative unit",
		Why:   []string{pageRMAU + ", Limitations: a password in it is reset by roles on the unit only; applications need a role on it; taking an account out takes up to 30 minutes"},
		Reads: []entra.Part{entra.PartAdministrativeUnits},
		Fix: Fix{Portal: []string{"Entra admin center > Roles & admins > Admin units > the unit > Roles: assign the role that the product's application needs", "write into the runbook: take the account out of the unit, wait 30 minutes, mend, put it back"},
			Graph: []string{"POST /directory/administrativeUnits/{id}/scopedRoleMembers"}, Command: []string{`halligan attest au-recoverable --by NAME --until DATE --note "the runbook has the step"`}},
		Judge: judgeRecoverable},
	{ID: "au-scoped-admins", Theme: ThemeGroups, Severity: High, Licence: LicenceP1,
		Title: "Only people and applications of the register hold roles on the unit of the accounts",
		Why:   []string{pageRMAU + ": they can reset the accounts' methods and passwords", "S11"},
		Reads: []entra.Part{entra.PartAdministrativeUnits},
		Fix: Fix{Portal: []string{"Entra admin center > Roles & admins > Admin units > the unit > Roles: remove who is not meant", "who is meant: write the object id into halligan.yaml, under people or writers"},
			Graph: []string{"DELETE /directory/administrativeUnits/{id}/scopedRoleMembers/{id}"}},
		Judge: judgeScopedAdmins},
}

// eachExclusionGroup judges the groups that exclude the accounts.
func (c *Case) eachExclusionGroup(good Result, judge func(id entra.ID, g *entra.Group, f entra.Fields) []Result) Result {
	groups := c.ExclusionGroups()
	if len(groups) == 0 {
		return notSetUp("no group is registered that excludes the accounts")
	}
	var out []Result
	for _, id := range groups {
		g, ok := c.Group(id)
		if st := c.Snapshot.Status(entra.PartGroups); !ok && !c.absent(entra.PartGroups, id) {
			out = append(out, c.unread(entra.PartGroups, st).on(c.group(id, "")))
			continue
		}
		out = append(out, judge(id, g, c.Snapshot.Details(entra.PartGroups, id))...)
	}
	return merge(good, out...)
}

func judgeGroupStatic(c *Case) Result {
	groups := c.ExclusionGroups()
	kind := c.eachExclusionGroup(pass("%d groups, static and of the cloud, hold every account", len(groups)), func(id entra.ID, g *entra.Group, f entra.Fields) []Result {
		if g == nil {
			return []Result{fail("the group that excludes the accounts does not exist").on(c.group(id, "not found"))}
		}
		return c.kindOfGroup(id, g, f)
	})
	if kind.Status == NotSetUp || kind.Status == Fail {
		return kind
	}
	out := []Result{kind}
	for _, s := range c.emergency() {
		if s.Hypothesis {
			continue
		}
		at := *c
		at.Subject = &s
		in := no
		for _, id := range groups {
			in = either(in, at.holds(id))
			if in != yes {
				in = either(in, at.inGroup(s.ID, id))
			}
		}
		switch in {
		case no:
			out = append(out, fail("%s is in no group that excludes the accounts", clauseOr(s.Name, string(s.ID))).on(at.user(s.ID, "not a member")))
		case maybe:
			out = append(out, at.unreadGroups("whether the account is in the group"))
		}
	}
	return merge(kind, out...)
}

// kindOfGroup: a static security group of the cloud without a mailbox.
func (c *Case) kindOfGroup(id entra.ID, g *entra.Group, f entra.Fields) []Result {
	types, typesKnown := f.Texts("groupTypes")
	rule, _ := f.Text("membershipRule")
	synced, syncedKnown := f.Flag("onPremisesSyncEnabled")
	mail, mailKnown := f.Flag("mailEnabled")
	security, securityKnown := f.Flag("securityEnabled")
	has := func(kind string) bool {
		return slices.ContainsFunc(types, func(t string) bool { return strings.EqualFold(t, kind) })
	}
	var bad []string
	for what, is := range map[string]bool{
		"its membership follows a rule":                g.Dynamic || has("DynamicMembership") || rule != "",
		"it is a Microsoft 365 group":                  has("Unified"),
		"it is synchronized from on premises":          synced,
		"it is mail-enabled":                           mail,
		"it is no security group, which policies need": securityKnown && !security,
	} {
		if is {
			bad = append(bad, what)
		}
	}
	if len(bad) > 0 {
		slices.Sort(bad)
		return []Result{fail("the group %q will not do: %s", c.GroupName(id), strings.Join(bad, "; ")).on(c.group(id, strings.Join(bad, "; ")))}
	}
	for property, known := range map[string]bool{"groupTypes": typesKnown, "onPremisesSyncEnabled": syncedKnown, "mailEnabled": mailKnown, "securityEnabled": securityKnown} {
		if !known {
			return []Result{c.missing(entra.PartGroups, property, permGroupRead).on(c.group(id, ""))}
		}
	}
	return nil
}

func judgeGroupProtected(c *Case) Result {
	return c.eachExclusionGroup(pass("only Global and Privileged Role Administrators can change the group"), func(id entra.ID, g *entra.Group, f entra.Fields) []Result {
		if g == nil {
			return nil // grp-exists-static
		}
		var out []Result
		assignable, known := f.Flag("isAssignableToRole")
		if g.RoleAssignable != nil {
			assignable, known = *g.RoleAssignable, true
		}
		restricted, restrictedKnown := f.Flag("isManagementRestricted")
		switch {
		case assignable: // it takes no groups as members
		case restricted:
			out = append(out, c.nestedProtected(id, g)...)
		case !known:
			out = append(out, c.missing(entra.PartGroups, "isAssignableToRole", permGroupRead).on(c.group(id, "")))
		case !restrictedKnown:
			out = append(out, c.missing(entra.PartGroups, "isManagementRestricted", permGroupRead).on(c.group(id, "")))
		default:
			out = append(out, fail("every administrator of groups can change the members of %q", c.GroupName(id)).on(c.group(id, "neither role-assignable nor under restricted management")))
		}
		owners, st := c.Snapshot.Of(entra.PartGroupOwners, id)
		if len(owners) > 0 {
			r := fail("the group %q has %d owners, who can change its members", c.GroupName(id), len(owners)).on(c.group(id, ""))
			for _, o := range owners {
				r = r.on(c.user(o.ID(), "owner"))
			}
			out = append(out, r)
		} else if st.Status != entra.StatusRead {
			out = append(out, c.unread(entra.PartGroupOwners, st).on(c.group(id, "")))
		}
		return append(out, c.expires(id, f)...)
	})
}

// nestedProtected: who may change a group in a protected one changes who is in both.
func (c *Case) nestedProtected(id entra.ID, g *entra.Group) []Result {
	var out []Result
	if !g.MembersRead {
		out = append(out, c.unreadGroup(id))
	}
	for _, m := range g.Members {
		in, ok := c.Group(m)
		if !ok {
			continue
		}
		f := c.Snapshot.Details(entra.PartGroups, m)
		assignable, known := f.Flag("isAssignableToRole")
		if in.RoleAssignable != nil {
			assignable, known = *in.RoleAssignable, true
		}
		restricted, restrictedKnown := f.Flag("isManagementRestricted")
		switch {
		case assignable, restricted:
		case !known || !restrictedKnown:
			out = append(out, c.missing(entra.PartGroups, "isAssignableToRole, isManagementRestricted", permGroupRead).on(c.group(m, "in "+c.GroupName(id))))
		default:
			out = append(out, fail("every administrator of groups can change the members of %q, which is in %q", c.GroupName(m), c.GroupName(id)).on(c.group(m, "in "+c.GroupName(id))))
		}
	}
	return out
}

// expires: expiration policies are for Microsoft 365 groups only (entra-docs
// groups-lifecycle); a group of another kind is exempt.
func (c *Case) expires(id entra.ID, f entra.Fields) []Result {
	types, known := f.Texts("groupTypes")
	if !known || !slices.ContainsFunc(types, func(t string) bool { return strings.EqualFold(t, "Unified") }) {
		return nil // what kind it is, grp-exists-static asks
	}
	if st := c.Snapshot.Status(entra.PartGroupLifecycle); st.Status != entra.StatusRead {
		return []Result{c.unread(entra.PartGroupLifecycle, st)}
	}
	for _, p := range c.Snapshot.Objects(entra.PartGroupLifecycle) {
		switch managed := p.Str("managedGroupTypes"); {
		case strings.EqualFold(managed, "All"):
			return []Result{fail("the group %q expires with all Microsoft 365 groups", c.GroupName(id)).on(Evidence{ID: string(p.ID()), Detail: "managedGroupTypes All"})}
		case !strings.EqualFold(managed, "None"):
			return []Result{unknown("whether the group %q is among those that expire was not read", c.GroupName(id)).on(Evidence{ID: string(p.ID()), Detail: "managedGroupTypes " + managed})}
		}
	}
	return nil
}

func judgeForeignMemberships(c *Case) Result {
	ids, read := c.Memberships()
	allowed := slices.Concat(c.ExclusionGroups(), c.Registered.Groups)
	for _, g := range c.Register.Or().Groups {
		allowed = append(allowed, g.ID)
	}
	var foreign []Evidence
	for _, id := range ids {
		if !slices.ContainsFunc(allowed, id.Equal) {
			foreign = append(foreign, c.group(id, "not in the register"))
		}
	}
	switch {
	case len(foreign) > 0:
		return fail("the account is in %d groups that the register does not name", len(foreign)).on(foreign...)
	case !read:
		return c.missing(entra.PartAccounts, "memberships", permGroupRead)
	}
	return pass("%d groups, all named in the register", len(ids))
}

// restrictedUnits are the restricted management administrative units that hold an
// account, and whether these are known to be all.
func (c *Case) restrictedUnits(holds func(member entra.ID) bool) (units []entra.Fields, missing *Result) {
	for _, u := range c.Snapshot.Objects(entra.PartAdministrativeUnits) {
		restricted, known := u.Flag("isMemberManagementRestricted")
		if known && !restricted {
			continue
		}
		members, st := c.Snapshot.Of(entra.PartUnitMembers, u.ID())
		switch {
		case !known:
			r := c.missing(entra.PartAdministrativeUnits, "isMemberManagementRestricted", "").on(unitEvidence(u, ""))
			missing = &r
		case slices.ContainsFunc(members, func(m entra.Fields) bool { return holds(m.ID()) }):
			units = append(units, u)
		case st.Status != entra.StatusRead:
			r := c.unread(entra.PartUnitMembers, st).on(unitEvidence(u, ""))
			missing = &r
		}
	}
	return units, missing
}

func unitEvidence(u entra.Fields, detail string) Evidence {
	return Evidence{ID: string(u.ID()), Name: u.Str("displayName"), Detail: detail}
}

func judgeRestricted(c *Case) Result {
	restricted, known := c.UserFields().Flag("isManagementRestricted")
	switch {
	case !known:
		return c.missing(entra.PartUsers, "isManagementRestricted", permUserRead)
	case !restricted:
		return fail("the account is in no restricted management administrative unit: whoever may reset administrators may reset it").on(c.user(c.Subject.ID, "isManagementRestricted is false"))
	}
	units, missing := c.restrictedUnits(c.Subject.ID.Equal)
	var dynamic []Result
	for _, u := range units {
		// dynamic or assigned; null is the default, which behaves as assigned (graph:
		// administrativeUnit).
		kind, known := u.Text("membershipType")
		switch {
		case !known:
			dynamic = append(dynamic, c.missing(entra.PartAdministrativeUnits, "membershipType", "").on(unitEvidence(u, "")))
		case strings.EqualFold(kind, "Dynamic"):
			dynamic = append(dynamic, fail("the unit %q follows a rule, which can drop the account", u.Str("displayName")).on(unitEvidence(u, u.Str("membershipRule"))))
		default:
			return pass("in the unit %q", u.Str("displayName"))
		}
	}
	switch {
	case len(dynamic) > 0:
		return merge(dynamic[0], dynamic...)
	case missing != nil:
		return *missing
	}
	return unknown("the account is under restricted management, and no unit that was read holds it").on(c.user(c.Subject.ID, "isManagementRestricted is true"))
}

// scopedRoles are the roles that somebody holds on a unit.
func (c *Case) scopedRoles(u entra.Fields) ([]entra.Fields, *Result) {
	roles, st := c.Snapshot.Of(entra.PartUnitRoles, u.ID())
	if st.Status != entra.StatusRead {
		r := c.unread(entra.PartUnitRoles, st).on(unitEvidence(u, ""))
		return roles, &r
	}
	return roles, nil
}

func judgeRecoverable(c *Case) Result {
	units, missing := c.restrictedUnits(c.IsSubject)
	var out []Result
	for _, u := range units {
		roles, unread := c.scopedRoles(u)
		outside := slices.ContainsFunc(roles, func(r entra.Fields) bool {
			id := entra.ID(r.Str("roleMemberInfo.id"))
			return id != "" && !c.IsSubject(id)
		})
		switch {
		case outside:
		case unread != nil:
			out = append(out, *unread)
		default:
			out = append(out, fail("nobody outside holds a role on the unit %q: whoever is to mend an account in it must first take it out, and wait", u.Str("displayName")).
				on(unitEvidence(u, fmt.Sprintf("%d scoped roles", len(roles)))))
		}
	}
	switch {
	case len(out) > 0:
		return merge(out[0], out...)
	case missing != nil:
		return *missing
	case len(units) == 0:
		return notApplicable("no account is in a restricted management administrative unit: see au-restricted")
	}
	return pass("%d units with roles on them", len(units))
}

func judgeScopedAdmins(c *Case) Result {
	if c.Register == nil {
		return notSetUp("no register names who may hold roles on the unit")
	}
	groups := c.ExclusionGroups()
	units, missing := c.restrictedUnits(func(m entra.ID) bool { return c.IsSubject(m) || slices.ContainsFunc(groups, m.Equal) })
	var out []Result
	for _, u := range units {
		roles, unread := c.scopedRoles(u)
		if unread != nil {
			out = append(out, *unread)
		}
		for _, r := range roles {
			id := entra.ID(r.Str("roleMemberInfo.id"))
			if id == "" {
				out = append(out, c.missing(entra.PartUnitRoles, "roleMemberInfo", ""))
				continue
			}
			out = append(out, c.onUnit(u, id, r.Str("roleMemberInfo.displayName"), "role "+r.Str("roleId"))...)
		}
		// Who can activate a role on the unit stands among the assignments only.
		for _, a := range c.View().RoleAssignments {
			if strings.EqualFold(a.Scope, "/administrativeUnits/"+string(u.ID())) {
				out = append(out, c.onUnit(u, a.Principal, "", fmt.Sprintf("%s, %s", facts.RoleName(a.Role), a.Assignment))...)
			}
		}
	}
	switch {
	case len(out) > 0:
		return merge(out[0], out...)
	case missing != nil:
		return *missing
	case len(units) == 0:
		return notApplicable("no account is in a restricted management administrative unit: see au-restricted")
	}
	return pass("everybody with a role on the unit is named in the register")
}

// onUnit judges one role that is held on the unit, by somebody or through a group.
func (c *Case) onUnit(u entra.Fields, id entra.ID, name, detail string) []Result {
	var out []Result
	people, sure := []entra.ID{id}, true
	if c.isGroup(id) {
		people, sure = c.usersIn(id)
	}
	for _, p := range people {
		if !c.named(p) {
			out = append(out, fail("somebody whom the register does not name holds a role on the unit %q", u.Str("displayName")).
				on(Evidence{ID: string(p), Name: clauseOr(c.userName(p), name), Detail: detail}))
		}
	}
	if !sure {
		out = append(out, c.unreadGroup(id))
	}
	return out
}

// named reports whether the register names a person or an application.
func (c *Case) named(id entra.ID) bool {
	if c.IsSubject(id) {
		return true
	}
	for _, h := range c.Register.People {
		if h.ID != "" && h.ID.Equal(id) {
			return true
		}
	}
	for _, w := range c.Register.Writers {
		if w.ID.Equal(id) {
			return true
		}
	}
	return false
}
