package posture

import (
	"regexp"
	"slices"
	"strings"

	"halligan/entra"
	"halligan/lockout/facts"
)

// --- access reviews -------------------------------------------------------------

var (
	guid         = regexp.MustCompile(`(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	guestsOnly   = regexp.MustCompile(`(?i)usertype\s+eq\s+'guest'`)
	unifiedOnly  = regexp.MustCompile(`(?i)grouptypes/any\(\s*\w+\s*:\s*\w+\s+eq\s+'unified'\s*\)`)
	otherKind    = regexp.MustCompile(`(?i)isof\(\s*principal\s*,\s*'microsoft\.graph\.serviceprincipal'\s*\)|accesspackageassignments|/serviceprincipals\b`)
	eligibleOnly = regexp.MustCompile(`(?i)roleeligibilityschedule`)
)

// plusAsSpace: queries are stored as they were sent, a space often as "+" or "%20".
var plusAsSpace = strings.NewReplacer("+", " ", "%20", " ", "%27", "'")

// reviewed reports whether a review is about the account's role or groups. Scopes
// are queries of Graph (graph: accessreviews-scope-concept); one of a form that is
// not known is not known to spare the account.
func (c *Case) reviewed(d entra.Fields, member bool) (answer, string) {
	scope := d.Object("scope")
	query := func(f entra.Fields) string { return plusAsSpace.Replace(f.Str("query")) }
	principals, _ := scope.List("principalScopes")
	who := maybe
	for i, p := range principals {
		q := query(p)
		is := maybe
		switch {
		case member && guestsOnly.MatchString(q), otherKind.MatchString(q):
			is = no
		case strings.HasPrefix(strings.ToLower(q), "/users") && !strings.Contains(q, "$filter"), c.names(q, []entra.ID{c.Subject.ID}):
			is = yes
		}
		if i == 0 {
			who = is
		} else {
			who = either(who, is)
		}
	}
	resources, _ := scope.List("resourceScopes")
	var queries []string
	for _, r := range resources {
		queries = append(queries, query(r))
	}
	if len(principals)+len(resources) == 0 {
		q := query(scope)
		if member && guestsOnly.MatchString(q) {
			return no, ""
		}
		who = yes // a query of resources means all who have access
		if strings.HasPrefix(strings.TrimSpace(q), "./") {
			q = query(d.Object("instanceEnumerationScope"))
		}
		queries = append(queries, q)
	}
	reach, what := no, ""
	if len(queries) == 0 {
		reach, what = maybe, "something that its scope does not name"
	}
	for _, q := range queries {
		is, word := c.resource(q)
		if is == yes || is == maybe && reach == no {
			reach, what = is, word
		}
	}
	return both(who, reach), what
}

func (c *Case) names(query string, ids []entra.ID) bool {
	return slices.ContainsFunc(guid.FindAllString(query, -1), func(g string) bool { return slices.ContainsFunc(ids, entra.ID(g).Equal) })
}

// resource reports whether one query of resources means something that the account
// has.
func (c *Case) resource(query string) (answer, string) {
	switch {
	case otherKind.MatchString(query):
		return no, ""
	case c.names(query, []entra.ID{GlobalAdministrator}):
		if eligibleOnly.MatchString(query) && c.activeOnly() {
			return no, "" // it is about eligible assignments, and the account's is active
		}
		return yes, "Global Administrator"
	case c.names(query, c.ownGroups()), c.names(query, []entra.ID{c.Subject.ID}):
		return yes, "a group"
	case guid.MatchString(query):
		if _, all := c.Memberships(); !all && strings.Contains(strings.ToLower(query), "/groups/") {
			return maybe, "a group that the account may be in"
		}
		return no, "" // another group, role or application
	case unifiedOnly.MatchString(query) && c.noUnified():
		return no, "" // such reviews leave role-assignable and security groups out
	}
	return maybe, "something that its scope does not name"
}

// activeOnly reports whether the account is known to hold no eligible assignment of
// Global Administrator.
func (c *Case) activeOnly() bool {
	if c.Snapshot.Status(entra.PartRoleEligibility).Status != entra.StatusRead {
		return false
	}
	ids, sure := c.holders(GlobalAdministrator, entra.AssignmentEligible)
	return sure && !slices.ContainsFunc(ids, c.Subject.ID.Equal)
}

// noUnified reports whether no group of the account is a Microsoft 365 group that
// such a review takes: a role-assignable one is left out.
func (c *Case) noUnified() bool {
	in, all := c.Memberships()
	if !all {
		return false
	}
	return !slices.ContainsFunc(in, func(id entra.ID) bool {
		if g, ok := c.Group(id); ok && g.RoleAssignable != nil && *g.RoleAssignable {
			return false
		}
		kinds, known := c.Snapshot.Details(entra.PartGroups, id).Texts("groupTypes")
		return !known || containsFold(kinds, "Unified")
	})
}

// --- writers ----------------------------------------------------------------------

// writerPermissions are the application permissions of Microsoft Graph by which an
// account can be disabled, deleted, robbed of role, methods or exclusions, or taken
// over. The ids are the same in every tenant (microsoftgraph
// microsoft-graph-devx-content: permissions).
var writerPermissions = map[string]string{
	"5eb59dd3-1da2-4329-8733-9dabdc435916": "AdministrativeUnit.ReadWrite.All",
	"06b708a9-e830-4db3-a914-8e69da51d44f": "AppRoleAssignment.ReadWrite.All",
	"1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9": "Application.ReadWrite.All",
	"ef5f7d5c-338f-44b0-86c3-351f46c8bb5f": "AccessReview.ReadWrite.All",
	"8e8e4742-1d95-4f68-9d56-6ee75648c72a": "DelegatedPermissionGrant.ReadWrite.All",
	"19dbc75e-c2e2-444c-a770-ec69d8559fc7": "Directory.ReadWrite.All",
	"7e05723c-0bb0-42da-be95-ae9f08a6e53c": "Domain.ReadWrite.All",
	"62a82d76-70ea-41e2-9197-370581804d09": "Group.ReadWrite.All",
	"dbaae8cf-10b5-4b86-a4a1-f871c94c6695": "GroupMember.ReadWrite.All",
	"5c505cf4-8424-4b8e-aa14-ee06e3bb23e3": "LifecycleWorkflows.ReadWrite.All",
	"94c88098-1d9d-4c42-a356-4d5a95312554": "LifecycleWorkflows-Workflow.ReadWrite.All",
	"292d869f-3427-49a8-9dab-8c70152b74e9": "Organization.ReadWrite.All",
	"29c18626-4985-4dcd-85c0-193eef327366": "Policy.ReadWrite.AuthenticationMethod",
	"fb221be6-99f2-473f-bd32-01c6a0e9ca3b": "Policy.ReadWrite.Authorization",
	"01c0a623-fc9b-48e9-b794-0756f8e8f067": "Policy.ReadWrite.ConditionalAccess",
	"338163d7-f101-4c92-94ba-ca46fe52447c": "Policy.ReadWrite.CrossTenantAccess",
	"2dcf8603-09eb-4078-b1ec-d30a1a76b873": "Policy.ReadWrite.IdentityProtection",
	"1c6e93a6-28e2-4cbb-9f64-1a46a821124d": "Policy.ReadWrite.SecurityDefaults",
	"854d9ab1-6657-4ec8-be45-823027bcd009": "PrivilegedAccess.ReadWrite.AzureAD",
	"2f6817f8-7b12-4f0f-bc18-eeaf60705a9e": "PrivilegedAccess.ReadWrite.AzureADGroup",
	"41202f2c-f7ab-45be-b001-85c9728b9d69": "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup",
	"618b6020-bca8-4de6-99f6-ef445fa4d857": "PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup",
	"a2b63618-5350-462d-b1b3-ba6eb3684e26": "PublicKeyInfrastructure.ReadWrite.All",
	"dd199f4a-f148-40a4-a2ec-f0069cc799ec": "RoleAssignmentSchedule.ReadWrite.Directory",
	"d3495511-98b7-4df3-b317-4e35c19f6129": "RoleAssignmentSchedule.Remove.Directory",
	"fee28b28-e1f3-4841-818e-2704dc62245f": "RoleEligibilitySchedule.ReadWrite.Directory",
	"9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8": "RoleManagement.ReadWrite.Directory",
	"31e08e0a-d3f7-4ca2-ac39-7343fb83e8ad": "RoleManagementPolicy.ReadWrite.Directory",
	"eccc023d-eccf-4e7b-9683-8813ab36cecc": "User.DeleteRestore.All",
	"3011c876-62b7-4ada-afa2-506cbbecc68c": "User.EnableDisableAccount.All",
	"c529cfca-c91b-489c-af2b-d92990b66ce6": "User.ManageIdentities.All",
	"741f803b-c850-494e-b5df-cde7c675a1ca": "User.ReadWrite.All",
	"77f3a031-c388-4f99-b373-dc68676a979e": "User.RevokeSessions.All",
	"cc117bb9-00cf-4eb8-b580-ea2a878fe8f7": "User-PasswordProfile.ReadWrite.All",
	"50483e42-d915-4231-9639-7fdb7fd190e5": "UserAuthenticationMethod.ReadWrite.All",
	"e8ecb853-1435-4a49-95ba-ec5b31b11672": "UserAuthMethod-Email.ReadWrite.All",
	"c7a22c2e-5b01-4129-8159-6c8be2c78f16": "UserAuthMethod-External.ReadWrite.All",
	"7e9ebcc1-90aa-4471-8051-e68d6b4e9c89": "UserAuthMethod-HardwareOATH.ReadWrite.All",
	"c833c349-a1ab-4b6d-94a2-fa9a8674420c": "UserAuthMethod-MicrosoftAuthApp.ReadWrite.All",
	"0400e371-7db1-4338-a269-96069eb65227": "UserAuthMethod-Passkey.ReadWrite.All",
	"f6d38dfd-ec08-4995-8f07-23e929df0936": "UserAuthMethod-Password.ReadWrite.All",
	"6e85d483-7092-4375-babe-0a94a8213a58": "UserAuthMethod-Phone.ReadWrite.All",
	"1a87acf4-a9ca-4576-a974-452ea265d5f6": "UserAuthMethod-PlatformCred.ReadWrite.All",
	"4869299f-18c3-40c8-98f2-222657e67db1": "UserAuthMethod-QR.ReadWrite.All",
	"787442d4-3c6e-4e99-aa95-8ccca20a48ff": "UserAuthMethod-SoftwareOATH.ReadWrite.All",
	"627169a8-8c15-451c-861a-5b80e383de5c": "UserAuthMethod-TAP.ReadWrite.All",
	"f14eee8a-713e-45aa-8223-2ab74632db1a": "UserAuthMethod-WindowsHello.ReadWrite.All",
}

// writerRoles are the directory roles by which an application can do the same
// (entra-docs permissions-reference).
var writerRoles = []entra.ID{
	GlobalAdministrator,
	PrivilegedRoleAdministrator,
	"7be44c8a-adaf-4e2a-84d6-ab2649e08a13", // Privileged Authentication Administrator
	"b1be1c3e-b65d-4f19-8427-f6fa0d97feb9", // Conditional Access Administrator
	"194ae4cb-b126-40b2-bd5b-6091b380977d", // Security Administrator
	"0526716b-113d-4c15-b2c8-68e3c22b9f80", // Authentication Policy Administrator
	"9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3", // Application Administrator
	"158c047a-c907-4556-b7ef-446551a6b5f7", // Cloud Application Administrator
	"8329153b-31d0-4727-b945-745eb3bc5f31", // Domain Name Administrator
	"8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2", // Hybrid Identity Administrator
	"e00e864a-17c5-4a4b-9c06-f5b95a8d5bd8", // Partner Tier2 Support
}

// permissionName returns the name of an application permission: from the table, or
// from the roles of the service principal that offers it, when those were read.
func (c *Case) permissionName(resource, role string) (string, bool) {
	if n := writerPermissions[entra.ID(role).Key()]; n != "" {
		return n, true
	}
	roles, _ := c.Snapshot.Details(entra.PartApplications, entra.ID(resource)).List("appRoles")
	for _, r := range roles {
		if r.ID().Equal(entra.ID(role)) {
			return r.Str("value"), true
		}
	}
	return "", false
}

// mayWrite reports whether a permission is one of those in the table, or of a
// family of them that Microsoft adds to.
func mayWrite(name string) bool {
	for _, n := range writerPermissions {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	folded := strings.ToLower(name)
	return strings.HasPrefix(folded, "userauthmethod-") && strings.HasSuffix(folded, ".readwrite.all") || strings.HasPrefix(folded, "domain-") && strings.Contains(folded, "readwrite")
}

// anyAccess is the app role that only says that a principal is assigned (graph:
// appRoleAssignment).
const anyAccess entra.ID = "00000000-0000-0000-0000-000000000000"

func judgeWriters(c *Case) Result {
	can := map[string][]string{} // service principal → what it may
	names := map[string]string{}
	var open []Evidence
	note := func(id entra.ID, name, what string) {
		if !slices.Contains(can[id.Key()], what) {
			can[id.Key()] = append(can[id.Key()], what)
		}
		if names[id.Key()] == "" {
			names[id.Key()] = name
		}
	}
	for _, a := range c.Snapshot.Objects(entra.PartAppRoleAssignments) {
		id, role := entra.ID(a.Str("principalId")), a.Str("appRoleId")
		ev := Evidence{ID: string(id), Name: a.Str("principalDisplayName"), Detail: "permission " + clauseOr(role, "not shown") + " of " + clauseOr(a.Str("resourceDisplayName"), a.Str("resourceId"))}
		if t, ok := a.Text("principalType"); ok && !strings.EqualFold(t, "ServicePrincipal") || anyAccess.Equal(entra.ID(role)) {
			continue
		}
		name, ok := c.permissionName(a.Str("resourceId"), role)
		switch {
		case !ok || id == "":
			open = append(open, ev)
		case mayWrite(name):
			note(id, ev.Name, name)
		}
	}
	v := c.View()
	for i := range v.RoleAssignments {
		a := &v.RoleAssignments[i]
		if !slices.ContainsFunc(writerRoles, a.Role.Equal) || a.Scope != "/" && a.Scope != "" {
			continue
		}
		if principalKind(c.assignmentFields(a)) == "serviceprincipal" || c.isApplication(a.Principal) {
			note(a.Principal, c.assignmentFields(a).Str("principal.displayName"), facts.RoleName(a.Role))
			continue
		}
		if !c.isGroup(a.Principal) {
			continue
		}
		// Applications can be in a group that holds the role.
		members, _ := c.usersIn(a.Principal)
		for _, m := range members {
			if c.isApplication(m) {
				note(m, c.Snapshot.Details(entra.PartApplications, m).Str("displayName"), facts.RoleName(a.Role)+" through "+c.GroupName(a.Principal))
			}
		}
	}
	var found []Evidence
	for id := range can {
		if !c.approved(entra.ID(id)) {
			slices.Sort(can[id])
			found = append(found, Evidence{ID: id, Name: names[id], Detail: strings.Join(can[id], ", ")})
		}
	}
	slices.SortFunc(found, func(a, b Evidence) int { return strings.Compare(a.ID, b.ID) })
	switch {
	case len(found) > 0 && len(c.Register.Or().Writers) == 0:
		return notSetUp("no application is approved as a writer yet, and %d could lock the accounts out", len(found)).on(found...)
	case len(found) > 0:
		return fail("%d applications could lock the accounts out and are not approved", len(found)).on(found...)
	case len(open) > 0:
		r := c.missing(entra.PartApplications, "appRoles", "").on(open...)
		r.Says = "some permissions of applications are known by id only: the roles of what offers them were not read"
		return r
	}
	if st := c.Snapshot.Status(entra.PartRoleAssignments); st.Status != entra.StatusRead {
		return c.unread(entra.PartRoleAssignments, st) // an application may hold a role
	}
	return pass("%d applications could lock the accounts out, each approved with a reason", len(can))
}

// isApplication reports whether an object is known to be a service principal.
func (c *Case) isApplication(id entra.ID) bool {
	if !c.Snapshot.Details(entra.PartApplications, id).Empty() {
		return true
	}
	return slices.ContainsFunc(c.Snapshot.Objects(entra.PartAppRoleAssignments), func(f entra.Fields) bool {
		return id.Equal(entra.ID(f.Str("principalId"))) && strings.EqualFold(f.Str("principalType"), "ServicePrincipal")
	})
}

// approved reports whether the register approves a service principal, by its object
// id or by the id of its application.
func (c *Case) approved(id entra.ID) bool {
	app := entra.ID(c.Snapshot.Details(entra.PartApplications, id).Str("appId"))
	for _, w := range c.Register.Or().Writers {
		if w.ID.Equal(id) || app != "" && w.ID.Equal(app) {
			return true
		}
	}
	return false
}
