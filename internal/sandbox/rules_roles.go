package sandbox

import (
	"maps"
	"slices"
	"strings"
)

// The template ids of built-in roles (entra-docs permissions-reference).
const (
	globalAdmin      = "62e90394-69f5-4237-9190-012177145e10"
	globalReader     = "f2ef992c-3afb-46b9-b7cf-a126ee74c451"
	privRoleAdmin    = "e8611ab8-c189-46e8-94e1-60213ab1f814"
	privAuthAdmin    = "7be44c8a-adaf-4e2a-84d6-ab2649e08a13"
	authAdmin        = "c4e39bd9-1100-46d3-8c65-fb160da0071f"
	authPolicyAdmin  = "0526716b-113d-4c15-b2c8-68e3c22b9f80"
	caAdmin          = "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9"
	securityAdmin    = "194ae4cb-b126-40b2-bd5b-6091b380977d"
	securityReader   = "5d6b6bb7-de71-4623-b4af-96380a352509"
	securityOperator = "5f2222b1-57c3-48ba-8ad5-d4759f1fde6f"
	userAdmin        = "fe930be7-5e62-47db-91af-98c3a49a38b1"
	helpdeskAdmin    = "729827e3-9c14-49f7-bb1b-9608f156bbb8"
	passwordAdmin    = "966707d0-3269-4727-9be2-8c3a10f19b9d"
	groupsAdmin      = "fdd7a751-b60b-444a-984c-02652fe8fa1c"
	appAdmin         = "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"
	cloudAppAdmin    = "158c047a-c907-4556-b7ef-446551a6b5f7"
	hybridAdmin      = "8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2"
	exchangeAdmin    = "29232cdf-9323-42fd-ade2-1d097af3e4de"
	sharepointAdmin  = "f28a1f50-f6e7-4571-818b-6a12f2af6b6c"
	intuneAdmin      = "3a2c62db-5318-420d-8d74-23affee5d9d5"
	directoryReader  = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b"
	directoryWriter  = "9360feb5-f418-4baa-8175-e2a00bac4301"
	directorySync    = "d29b2b05-8046-44ba-8758-1e26182fcf32"
	guestInviter     = "95e79109-95c0-4d8e-aee3-d01accf2d47b"
	reportsReader    = "4a5d8f65-41da-4de4-8968-e035b65339cf"
	licenseAdmin     = "4d6ac14f-3453-41d0-bef9-a3e0c569773a"
	domainAdmin      = "8329153b-31d0-4727-b945-745eb3bc5f31"
	governanceAdmin  = "45d8d3c5-c802-45c6-b32a-1d70b5e1e86e"
	lifecycleAdmin   = "59d46f88-662b-457b-bceb-5c3809e5908f"
	billingAdmin     = "b0f54661-2d74-4c50-afa3-1ec803f12efe"
	teamsAdmin       = "69091246-20e8-4a56-aa4d-066075b2a7a8"
	complianceAdmin  = "17315797-102d-40b4-93e0-432062caca18"
)

// builtInRole is one row of the built-in roles.
type builtInRole struct {
	id, name   string
	privileged bool
}

// builtInRoles are the built-in roles that the sandbox knows; privileged as
// permissions-reference marks them.
var builtInRoles = []builtInRole{
	{globalAdmin, "Global Administrator", true}, {globalReader, "Global Reader", true},
	{privRoleAdmin, "Privileged Role Administrator", true}, {privAuthAdmin, "Privileged Authentication Administrator", true},
	{authAdmin, "Authentication Administrator", true}, {authPolicyAdmin, "Authentication Policy Administrator", true},
	{caAdmin, "Conditional Access Administrator", true}, {securityAdmin, "Security Administrator", true},
	{securityReader, "Security Reader", true}, {securityOperator, "Security Operator", true},
	{userAdmin, "User Administrator", true}, {helpdeskAdmin, "Helpdesk Administrator", true},
	{passwordAdmin, "Password Administrator", true}, {groupsAdmin, "Groups Administrator", false},
	{appAdmin, "Application Administrator", true}, {cloudAppAdmin, "Cloud Application Administrator", true},
	{hybridAdmin, "Hybrid Identity Administrator", true}, {exchangeAdmin, "Exchange Administrator", false},
	{sharepointAdmin, "SharePoint Administrator", false}, {intuneAdmin, "Intune Administrator", true},
	{directoryReader, "Directory Readers", false}, {directoryWriter, "Directory Writers", true},
	{directorySync, "Directory Synchronization Accounts", true}, {guestInviter, "Guest Inviter", false},
	{reportsReader, "Reports Reader", false}, {licenseAdmin, "License Administrator", false},
	{domainAdmin, "Domain Name Administrator", true}, {governanceAdmin, "Identity Governance Administrator", false},
	{lifecycleAdmin, "Lifecycle Workflows Administrator", false}, {billingAdmin, "Billing Administrator", false},
	{teamsAdmin, "Teams Administrator", false}, {complianceAdmin, "Compliance Administrator", false},
}

const (
	setAssignments = "roleManagement/directory/roleAssignments"
	setActive      = "roleManagement/directory/roleAssignmentScheduleInstances"
	setEligible    = "roleManagement/directory/roleEligibilityScheduleInstances"
	setRoles       = "roleManagement/directory/roleDefinitions"
	setUnits       = "directory/administrativeUnits"
	setDeleted     = "directory/deletedItems"
	setPolicies    = "identity/conditionalAccess/policies"
	setLocations   = "identity/conditionalAccess/namedLocations"
	setContexts    = "identity/conditionalAccess/authenticationContextClassReferences"
	setStrengths   = "policies/authenticationStrengthPolicies"
	setPIMPolicies = "policies/roleManagementPolicies"
	setPIMAssigned = "policies/roleManagementPolicyAssignments"
	setGrants      = "oauth2PermissionGrants"
	pathMethods    = "policies/authenticationMethodsPolicy"
	pathDefaults   = "policies/identitySecurityDefaultsEnforcementPolicy"
	pathAuthorize  = "policies/authorizationPolicy"
	pathCross      = "policies/crossTenantAccessPolicy"
)

// rolesOf lists the template ids of the roles that a principal holds now, itself
// or through a role-assignable group, at a scope.
func (s *State) rolesOf(principal, scope string) []string {
	if principal == "" {
		return nil
	}
	found := map[string]bool{}
	groups := s.groupsOf(principal)
	for _, set := range []string{setAssignments, setActive} {
		for _, a := range s.All(set) {
			holder := key(text(a, "principalId"))
			if (holder == key(principal) || slices.Contains(groups, holder)) && text(a, "directoryScopeId") == scope {
				found[key(text(a, "roleDefinitionId"))] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// groupsOf lists the groups that hold a principal, directly or through others.
func (s *State) groupsOf(principal string) []string {
	parents := map[string][]string{}
	for group, members := range s.Links["groups/members"] {
		if s.Get("groups", group) == nil {
			continue
		}
		for _, m := range members {
			parents[m] = append(parents[m], group)
		}
	}
	var out []string
	for queue := []string{key(principal)}; len(queue) > 0; queue = queue[1:] {
		for _, g := range parents[queue[0]] {
			if !slices.Contains(out, g) {
				out = append(out, g)
				queue = append(queue, g)
			}
		}
	}
	slices.Sort(out)
	return out
}

// privileged reports whether a user is one whose credentials only a Privileged
// Authentication Administrator may touch: it holds, or is eligible for, a
// privileged role, or is in a role-assignable group (entra-docs
// privileged-roles-permissions, "who can perform sensitive actions").
func (s *State) privileged(user string) bool {
	groups := s.groupsOf(user)
	for _, set := range []string{setAssignments, setActive, setEligible} {
		for _, a := range s.All(set) {
			holder := key(text(a, "principalId"))
			if (holder == key(user) || slices.Contains(groups, holder)) && privilegedRole(text(a, "roleDefinitionId")) {
				return true
			}
		}
	}
	for _, relation := range []string{"groups/members", "groups/owners"} {
		for group, members := range s.Links[relation] {
			if slices.Contains(members, key(user)) && flag(s.Get("groups", group), "isAssignableToRole") {
				return true
			}
		}
	}
	return false
}

func privilegedRole(id string) bool {
	for _, r := range builtInRoles {
		if strings.EqualFold(r.id, id) {
			return r.privileged
		}
	}
	return true // a custom role: unknown is unsafe
}

// sensitive refuses a sensitive change of a user to a caller who may not make it:
// of a privileged user, only a Privileged Authentication or Global Administrator
// may, an application too; of one in a restricted unit, only a role at that unit.
func (c *call) sensitive(st *State, user string) error {
	if err := c.unrestricted(st, user); err != nil {
		return err
	}
	if !st.privileged(user) || c.holds(st, globalAdmin, privAuthAdmin) {
		return nil
	}
	return denied()
}

// unrestricted refuses a change of a member of a restricted management unit to
// whoever holds no role at that unit (entra-docs
// admin-units-restricted-management).
func (c *call) unrestricted(st *State, member string) error {
	for _, u := range st.All(setUnits) {
		if !flag(u, "isMemberManagementRestricted") || !slices.Contains(st.Linked("administrativeUnits/members", text(u, "id")), key(member)) {
			continue
		}
		if len(st.rolesOf(c.principal(st), "/administrativeUnits/"+text(u, "id"))) == 0 {
			return &graphError{403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation: the target object is a member of a restricted management administrative unit."}
		}
	}
	return nil
}
