package posture

import (
	"fmt"
	"slices"
	"strings"

	"halligan/entra"
	"halligan/lockout/facts"
	"halligan/register"
)

const (
	// RASI gives what GET /roleAssignments does not: the end, and whether an
	// assignment is an activation (graph: unifiedRoleAssignmentScheduleInstance).
	permRASI     = "RoleAssignmentSchedule.Read.Directory"
	permRolePIM  = "RoleManagement.Read.Directory"
	portalRole   = "Entra admin center > ID Governance > Privileged Identity Management > Microsoft Entra roles > "
	graphGrantGA = `POST /roleManagement/directory/roleAssignmentScheduleRequests {"action": "adminAssign", "principalId": "…", "roleDefinitionId": "62e90394-69f5-4237-9190-012177145e10", "directoryScopeId": "/", "scheduleInfo": {"expiration": {"type": "noExpiration"}}}`
)

// PrivilegedRoleAdministrator is the template id of the role.
const PrivilegedRoleAdministrator entra.ID = "e8611ab8-c189-46e8-94e1-60213ab1f814"

var checksRoles = []Check{
	{ID: "role-ga-active", Theme: ThemeRoles, Severity: Critical, PerAccount: true,
		Title:      "The account holds Global Administrator, active and for the whole tenant",
		Why:        []string{"S21", "S52", "S53", "S95", pageEmergency, "an eligible role asks PIM, an approver or a second factor in the very hour in which they may be down"},
		References: []string{"ZeroTrustAssessment", "azd-emergency-access set-up gate", "CIPP"},
		Reads:      []entra.Part{entra.PartRoleAssignments},
		Fix: Fix{Portal: []string{portalRole + "Roles > Global Administrator > Add assignments: the account, Active, Permanently assigned", "take away its eligible assignment"},
			Graph: []string{graphGrantGA, "without PIM: POST /roleManagement/directory/roleAssignments"}},
		Judge: judgeRoleActive},
	{ID: "role-ga-permanent", Theme: ThemeRoles, Severity: Critical, PerAccount: true, Licence: LicenceP2,
		Title:      "The account's Global Administrator role does not end",
		Why:        []string{"S52", pageEmergency},
		References: []string{"SCuBA MS.AAD.7.4 (exempts emergency accounts)", "ZeroTrustAssessment"},
		Reads:      []entra.Part{entra.PartRoleAssignments},
		Fix: Fix{Portal: []string{portalRole + "Assignments > Active assignments > the account > Update: Permanently assigned"},
			Graph: []string{graphGrantGA}},
		Judge: judgeRolePermanent},
	{ID: "role-pim-policy-allows", Theme: ThemeRoles, Severity: High, Licence: LicenceP2,
		Title: "PIM lets Global Administrator be assigned actively and without an end",
		Why:   []string{"S52", "inferred: a rule that demands an end gives the next assignment one, and the role then ends in silence"},
		Reads: []entra.Part{entra.PartRolePolicies},
		Fix: Fix{Portal: []string{portalRole + "Settings > Global Administrator > Edit > Assignment: Allow permanent active assignment"},
			Graph: []string{`PATCH /policies/roleManagementPolicies/{id}/rules/Expiration_Admin_Assignment {"@odata.type": "#microsoft.graph.unifiedRoleManagementPolicyExpirationRule", "isExpirationRequired": false}`}},
		Judge: judgePIMPolicy},
	{ID: "role-not-via-group", Theme: ThemeRoles, Severity: Medium, PerAccount: true,
		Title:      "The account holds Global Administrator itself, not only through a group",
		Why:        []string{"S48", "github.com/cisagov/ScubaGear/issues/255", "who manages the group, or the groups in PIM, takes the role away"},
		References: []string{"ScubaGear issue 255"},
		Reads:      []entra.Part{entra.PartRoleAssignments},
		Fix: Fix{Portal: []string{portalRole + "Roles > Global Administrator > Add assignments: the account itself, Active, Permanently assigned", "prove the account, then take it out of the group"},
			Graph: []string{graphGrantGA}},
		Judge: judgeRoleDirect},
	{ID: "role-azure-root", Theme: ThemeRoles, Severity: Medium, PerAccount: true, Licence: LicenceAzure,
		Title:      "The account's rights at the Azure root are those that the register says",
		Why:        []string{"rights at / reach every subscription; some modules grant Owner there unasked", "S80"},
		References: []string{"Maester MT.1056"},
		Reads:      []entra.Part{entra.PartAzureRoles},
		Fix: Fix{Portal: []string{"rights that nobody wants: az role assignment delete --assignee OBJECT-ID --scope /", "rights that are wanted: write tenant.azureRoot: true into halligan.yaml"},
			Graph: []string{"DELETE {arm}/providers/Microsoft.Authorization/roleAssignments/{id}"}},
		Judge: judgeAzureRoot},
	{ID: "role-ga-others", Theme: ThemeRoles, Severity: Medium, Setting: "globalAdminsMax",
		Title:      "Few people are Global Administrator, and nobody but the emergency accounts is for ever",
		Why:        []string{"S85", "the more permanent administrators, the more ways to lock everybody out"},
		References: []string{"SCuBA MS.AAD.7.1", "SCuBA MS.AAD.7.4", "CIS M365 1.1.3", "Maester MT.1032"},
		Reads:      []entra.Part{entra.PartRoleAssignments},
		Fix: Fix{Portal: []string{portalRole + "Roles > Global Administrator: take away what is not needed", "make the others eligible; give lesser roles"},
			Graph: []string{"DELETE /roleManagement/directory/roleAssignments/{id}", "POST /roleManagement/directory/roleEligibilityScheduleRequests"}},
		Judge: judgeGlobalAdmins},
	{ID: "role-approver-deadlock", Theme: ThemeRoles, Severity: High, Licence: LicenceP2,
		Title: "Where activating a top role needs approval, there is somebody to approve",
		Why:   []string{pageEmergency + ": a role that requires approval, and no approvers"},
		Reads: []entra.Part{entra.PartRolePolicies},
		Fix: Fix{Portal: []string{portalRole + "Settings > the role > Edit > Require approval to activate: name two or more approvers who exist and are enabled"},
			Graph: []string{"PATCH /policies/roleManagementPolicies/{id}/rules/Approval_EndUser_Assignment"}},
		Judge: judgeApprovers},
}

// grant is one assignment of Global Administrator that reaches the account.
type grant struct {
	*entra.RoleAssignment
	// group through which it comes; "" none that is known.
	group entra.ID
	// raw is the assignment as Graph gave it; it may know nothing.
	raw entra.Fields
}

// narrow: not for the whole tenant. A scope that is not known is not known to be.
func (g grant) narrow() bool { return g.Scope != "" && g.Scope != "/" }

// grants returns the active or eligible assignments of Global Administrator that
// reach the account, and whether others may.
func (c *Case) grants(how entra.Assignment) (list []grant, sure bool) {
	sure = true
	v := c.View()
	for i := range v.RoleAssignments {
		a := &v.RoleAssignments[i]
		if !a.Role.Equal(GlobalAdministrator) || a.Assignment != how {
			continue
		}
		g := grant{RoleAssignment: a, raw: c.assignmentFields(a)}
		switch {
		case a.Principal.Equal(c.Subject.ID):
		case !c.isGroup(a.Principal) && c.isUser(a.Principal):
			continue
		default:
			in := c.inGroup(c.Subject.ID, a.Principal)
			if in == maybe && !c.isGroup(a.Principal) && principalKind(g.raw) != "" && principalKind(g.raw) != "group" {
				continue
			}
			sure = sure && in != maybe
			if in != yes {
				continue
			}
			g.group = a.Principal
		}
		list = append(list, g)
	}
	return list, sure
}

// assignmentFields finds the object behind an assignment: the same principal,
// role, scope and way of assignment.
func (c *Case) assignmentFields(a *entra.RoleAssignment) entra.Fields {
	part := entra.PartRoleAssignments
	if a.Assignment == entra.AssignmentEligible {
		part = entra.PartRoleEligibility
	}
	objects, _ := c.Snapshot.Of(part, a.Principal)
	for _, o := range objects {
		role := o.Str("roleDefinition.templateId")
		if role == "" {
			role = o.Str("roleDefinitionId")
		}
		scope, _ := o.Text("directoryScopeId")
		if !a.Role.Equal(entra.ID(role)) || !strings.EqualFold(scope, a.Scope) {
			continue
		}
		if t := o.Str("assignmentType"); t != "" && strings.EqualFold(t, "Activated") != a.Activated {
			continue
		}
		return o
	}
	return entra.Fields{}
}

// principalKind is the type of an expanded principal: user, group,
// servicePrincipal, or "" when it was not expanded.
func principalKind(f entra.Fields) string { return strings.ToLower(f.Object("principal").ODataType()) }

func (c *Case) grantEvidence(g grant, detail string) Evidence {
	if g.group != "" {
		return c.group(g.group, detail)
	}
	return c.user(g.Principal, detail)
}

// activation reports whether an assignment is an eligible role that is active for
// some hours. GET /roleAssignments does not say; then nobody who is eligible
// counts as assigned.
func (c *Case) activation(g grant) answer {
	switch {
	case g.Activated:
		return yes
	case strings.EqualFold(g.raw.Str("assignmentType"), "Assigned"), c.Lacks(LicenceP2):
		return no
	}
	eligible, sure := c.grants(entra.AssignmentEligible)
	eligible = slices.DeleteFunc(eligible, grant.narrow)
	if len(eligible) == 0 && sure && c.Snapshot.Status(entra.PartRoleEligibility).Status == entra.StatusRead {
		return no
	}
	return maybe
}

func judgeRoleActive(c *Case) Result {
	active, sure := c.grants(entra.AssignmentActive)
	var narrow, activated, ended []Evidence
	var open *Result
	for _, g := range active {
		switch {
		case g.Scope == "":
			r := c.missing(entra.PartRoleAssignments, "directoryScopeId", "")
			open = &r
		case g.narrow():
			narrow = append(narrow, c.grantEvidence(g, "only in "+g.Scope))
		case g.End != nil && !g.End.After(c.Now):
			ended = append(ended, c.grantEvidence(g, "ended on "+string(register.DayOf(*g.End))))
		default:
			switch c.activation(g) {
			case no:
				return pass("Global Administrator, active for the whole tenant")
			case yes:
				activated = append(activated, c.grantEvidence(g, "an eligible role, active for some hours"))
			default:
				r := c.missing(entra.PartRoleAssignments, "assignmentType (roleAssignmentScheduleInstances)", permRASI)
				open = &r
			}
		}
	}
	eligible, _ := c.grants(entra.AssignmentEligible)
	switch {
	case open != nil:
		return *open
	case !sure:
		return c.unreadGroups("whether the account holds Global Administrator")
	case len(activated) > 0:
		return fail("Global Administrator is active only by activation, and ends with it").on(activated...)
	case len(eligible) > 0:
		return fail("the account is only eligible for Global Administrator: PIM must work before it can help").on(c.grantEvidence(eligible[0], "eligible"))
	case len(ended) > 0:
		return fail("Global Administrator has ended").on(ended...)
	case len(narrow) > 0:
		return fail("Global Administrator is not assigned for the whole tenant").on(narrow...)
	}
	return fail("the account is not Global Administrator").on(c.user(c.Subject.ID, "no active assignment"))
}

func judgeRolePermanent(c *Case) Result {
	active, sure := c.grants(entra.AssignmentActive)
	var ends []Evidence
	open, noScope := false, false
	for _, g := range active {
		end, known := g.raw.Time("endDateTime")
		switch {
		case g.narrow(), g.Activated:
		case g.Scope == "":
			noScope = true
		case g.End != nil:
			ends = append(ends, c.grantEvidence(g, "ends on "+g.End.Format("2006-01-02")))
		case known && !end.IsZero():
			ends = append(ends, c.grantEvidence(g, "ends on "+end.Format("2006-01-02")))
		case known:
			return pass("Global Administrator without an end")
		default:
			open = true
		}
	}
	switch {
	case noScope:
		return c.missing(entra.PartRoleAssignments, "directoryScopeId", "")
	case open:
		return c.missing(entra.PartRoleAssignments, "endDateTime (roleAssignmentScheduleInstances)", permRASI)
	case !sure:
		return c.unreadGroups("whether the account holds Global Administrator")
	case len(ends) > 0:
		return fail("Global Administrator ends: after that day the account helps nobody").on(ends...)
	}
	return notApplicable("the account holds no active assignment: see role-ga-active")
}

func judgeRoleDirect(c *Case) Result {
	active, sure := c.grants(entra.AssignmentActive)
	var groups []Evidence
	open, noScope := false, false
	for _, g := range active {
		member := g.raw.Str("memberType")
		switch {
		case g.narrow():
		case g.Scope == "":
			noScope = true
		case g.group != "":
			groups = append(groups, c.grantEvidence(g, "holds Global Administrator"))
		case member != "" && !strings.EqualFold(member, "Direct"):
			groups = append(groups, c.grantEvidence(g, "memberType is "+member))
		case member != "", !g.raw.Empty() && !g.raw.Known("assignmentType") && !g.raw.Known("startDateTime"):
			// roleAssignments name the principal to whom a role was given, and have
			// no memberType; schedule instances say Direct.
			return pass("the role was given to the account itself")
		default:
			open = true // schedule instances, and lists of memberships, name those in groups too
		}
	}
	switch {
	case noScope:
		return c.missing(entra.PartRoleAssignments, "directoryScopeId", "")
	case open:
		return c.missing(entra.PartRoleAssignments, "memberType", permRASI)
	case !sure && len(groups) == 0:
		return c.unreadGroups("whether the account holds Global Administrator")
	case len(groups) > 0:
		return fail("the account is Global Administrator through a group only").on(groups...)
	}
	return notApplicable("the account holds no active assignment: see role-ga-active")
}

// rolePolicy returns a rule of PIM for a role, or the result that says what is
// missing (graph: the ids of rules are fixed).
func (c *Case) roleRule(role entra.ID, rule string) (entra.Fields, *Result) {
	f := c.Snapshot.Details(entra.PartRolePolicies, role)
	rules, ok := f.List("policy.rules")
	if ok {
		for _, r := range rules {
			if strings.EqualFold(r.Str("id"), rule) {
				return r, nil
			}
		}
	}
	r := c.missing(entra.PartRolePolicies, fmt.Sprintf("the rule %s of %s ($expand=policy($expand=rules))", rule, facts.RoleName(role)), permRolePIM)
	return entra.Fields{}, &r
}

func judgePIMPolicy(c *Case) Result {
	rule, miss := c.roleRule(GlobalAdministrator, "Expiration_Admin_Assignment")
	if miss != nil {
		return *miss
	}
	required, known := rule.Flag("isExpirationRequired")
	switch {
	case !known || rule.Null("isExpirationRequired"):
		return c.missing(entra.PartRolePolicies, "isExpirationRequired", permRolePIM)
	case required:
		return fail("PIM demands an end of active assignments of Global Administrator").on(
			Evidence{ID: "Expiration_Admin_Assignment", Detail: "isExpirationRequired is true, at most " + rule.Str("maximumDuration")})
	}
	return pass("PIM allows an active assignment without an end")
}

// administrator is somebody who is or can become Global Administrator.
type administrator struct {
	id entra.ID
	// permanent: an active assignment without an end; maybe when the end was not
	// read.
	permanent answer
}

// administrators returns who holds Global Administrator for the whole tenant,
// active or eligible, through groups too, and whether these are all.
func (c *Case) administrators() (out []administrator, sure bool) {
	sure = true
	v := c.View()
	for i := range v.RoleAssignments {
		a := &v.RoleAssignments[i]
		if !a.Role.Equal(GlobalAdministrator) || a.Scope != "/" && a.Scope != "" {
			continue
		}
		raw := c.assignmentFields(a)
		permanent := no
		if a.Assignment == entra.AssignmentActive && !a.Activated && a.End == nil {
			permanent = maybe
			if end, known := raw.Time("endDateTime"); known && end.IsZero() {
				permanent = yes
			}
		}
		ids, whole := c.assigned(a)
		sure = sure && whole
		for _, id := range ids {
			at := slices.IndexFunc(out, func(x administrator) bool { return x.id.Equal(id) })
			if at < 0 {
				out = append(out, administrator{id, permanent})
			} else {
				out[at].permanent = either(out[at].permanent, permanent)
			}
		}
	}
	if st := c.Snapshot.Status(entra.PartRoleEligibility); st.Status != entra.StatusRead && !c.Lacks(LicenceP2) {
		sure = false
	}
	return out, sure
}

// assigned returns the users to whom an assignment gives its role, through groups
// too, and whether these are all.
func (c *Case) assigned(a *entra.RoleAssignment) (ids []entra.ID, sure bool) {
	switch kind := principalKind(c.assignmentFields(a)); {
	case c.isGroup(a.Principal):
		return c.usersIn(a.Principal)
	case !c.isUser(a.Principal) && (kind == "" || kind == "group"):
		return []entra.ID{a.Principal}, false // a group that nobody read, perhaps
	}
	return []entra.ID{a.Principal}, true
}

// holders returns who holds a role for the whole tenant, active or eligible as
// asked, through groups too, and whether these are all.
func (c *Case) holders(role entra.ID, how entra.Assignment) (ids []entra.ID, sure bool) {
	sure = true
	v := c.View()
	for i := range v.RoleAssignments {
		a := &v.RoleAssignments[i]
		if !a.Role.Equal(role) || a.Assignment != how || a.Scope != "/" && a.Scope != "" {
			continue
		}
		to, whole := c.assigned(a)
		sure = sure && whole
		for _, id := range to {
			if !slices.ContainsFunc(ids, id.Equal) {
				ids = append(ids, id)
			}
		}
	}
	return ids, sure
}

func judgeGlobalAdmins(c *Case) Result {
	all, sure := c.administrators()
	least, most := c.Settings.GlobalAdminsMin, c.Settings.GlobalAdminsMax
	var permanent, open []Evidence
	for _, a := range all {
		switch {
		case c.IsSubject(a.id):
		case a.permanent == yes:
			permanent = append(permanent, c.user(a.id, "active without an end"))
		case a.permanent == maybe:
			open = append(open, c.user(a.id, "active; whether it ends was not read"))
		}
	}
	switch {
	case len(all) > most:
		r := fail("%d accounts are or can become Global Administrator, at most %d wanted", len(all), most)
		for _, a := range all {
			r = r.on(c.user(a.id, ""))
		}
		return r
	case len(all) < least && sure:
		return fail("%d accounts are Global Administrator, at least %d wanted", len(all), least)
	case c.Register == nil || len(c.Register.Accounts) == 0:
		return notSetUp("no emergency account is registered: the other administrators cannot be told from them")
	case c.Lacks(LicenceP2) && sure:
		return pass("%d accounts are Global Administrator; without PIM none of them can be eligible", len(all))
	case len(permanent) > 0:
		return fail("%d Global Administrators beside the emergency accounts hold the role for ever", len(permanent)).on(permanent...)
	case len(open) > 0:
		return c.missing(entra.PartRoleAssignments, "endDateTime (roleAssignmentScheduleInstances)", permRASI).on(open...)
	case !sure:
		return unknown("%d Global Administrators are known, and there may be more: groups or eligible assignments were not read", len(all))
	}
	return pass("%d accounts are or can become Global Administrator, and only the emergency accounts for ever", len(all))
}

func judgeApprovers(c *Case) Result {
	var results []Result
	for _, role := range []entra.ID{GlobalAdministrator, PrivilegedRoleAdministrator} {
		results = append(results, c.approval(role))
	}
	return merge(unknown("no rules were read"), results...)
}

func (c *Case) approval(role entra.ID) Result {
	rule, miss := c.roleRule(role, "Approval_EndUser_Assignment")
	if miss != nil {
		return *miss
	}
	required, known := rule.Flag("setting.isApprovalRequired")
	if !known {
		return c.missing(entra.PartRolePolicies, "setting.isApprovalRequired", permRolePIM)
	}
	if !required {
		return pass("activating %s needs no approval", facts.RoleName(role))
	}
	stages, known := rule.List("setting.approvalStages")
	if !known {
		return c.missing(entra.PartRolePolicies, "setting.approvalStages", permRolePIM)
	}
	found, named := no, 0
	var ev []Evidence
	for _, stage := range stages {
		who, known := stage.List("primaryApprovers")
		if !known {
			return c.missing(entra.PartRolePolicies, "primaryApprovers", permRolePIM)
		}
		for _, w := range who {
			named++
			can, e := c.canApprove(w)
			found = either(found, can)
			ev = append(ev, e...)
		}
	}
	switch {
	case named == 0:
		return c.defaultApprovers(role)
	case found == yes:
		return pass("activating %s needs approval, and there are approvers", facts.RoleName(role))
	case found == maybe:
		return unknown("activating %s needs approval, and of none of the approvers it is known that they exist and are enabled", facts.RoleName(role)).on(ev...)
	}
	return fail("activating %s needs approval, and no approver is there to give it", facts.RoleName(role)).on(ev...)
}

// canApprove: an approver counts who exists, is enabled, and is no emergency
// account: those must not be needed for everyday work, nor be woken by it (S64).
func (c *Case) canApprove(w entra.Fields) (answer, []Evidence) {
	user, group := entra.ID(w.Str("userId")), entra.ID(w.Str("groupId"))
	ids, sure := []entra.ID{user}, true
	switch {
	case user == "" && group == "":
		return maybe, []Evidence{{Detail: "an approver of a kind that is not known: " + w.ODataType()}}
	case user == "":
		ids, sure = c.usersIn(group)
		if len(ids) == 0 && sure {
			return no, []Evidence{c.group(group, "an empty group")}
		}
	}
	found := no
	if !sure {
		found = maybe
	}
	var ev []Evidence
	for _, id := range ids {
		can, why := c.awake(id)
		found = either(found, can)
		if can != yes {
			ev = append(ev, c.user(id, why))
		}
	}
	return found, ev
}

// awake reports whether a user can act in everyday work.
func (c *Case) awake(id entra.ID) (answer, string) {
	if c.IsSubject(id) {
		return no, "an emergency account"
	}
	v := c.View()
	at := slices.IndexFunc(v.Users, func(u entra.User) bool { return u.ID.Equal(id) })
	switch {
	case at < 0 && slices.ContainsFunc(c.Snapshot.Objects(entra.PartDeletedUsers), func(d entra.Fields) bool { return d.ID().Equal(id) }):
		return no, "deleted"
	case at < 0:
		// The users of a Snapshot are seldom all of the tenant.
		return maybe, "not read"
	case v.Users[at].Deleted:
		return no, "deleted"
	case v.Users[at].Enabled == nil:
		return maybe, "whether it is enabled was not read"
	case !*v.Users[at].Enabled:
		return no, "disabled"
	}
	return yes, ""
}

// defaultApprovers: none is named. Microsoft is said to ask whoever is active as
// Privileged Role Administrator or Global Administrator then (docs/unverified.md),
// so with nobody active but emergency accounts it is a deadlock in any case.
func (c *Case) defaultApprovers(role entra.ID) Result {
	if st := c.Snapshot.Status(entra.PartRoleAssignments); st.Status != entra.StatusRead {
		return c.unread(entra.PartRoleAssignments, st)
	}
	for _, top := range []entra.ID{GlobalAdministrator, PrivilegedRoleAdministrator} {
		ids, sure := c.holders(top, entra.AssignmentActive)
		for _, id := range ids {
			if can, _ := c.awake(id); can != no {
				sure = false
			}
		}
		if !sure {
			return unknown("activating %s needs approval and no approver is named: whether the active administrators are asked is not documented well enough to rely on", facts.RoleName(role))
		}
	}
	return fail("activating %s needs approval, no approver is named, and nobody but the emergency accounts is active", facts.RoleName(role)).on(
		Evidence{ID: "Approval_EndUser_Assignment", Detail: "primaryApprovers is empty"})
}
