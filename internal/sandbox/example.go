package sandbox

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// example is one example tenant.
type example struct {
	name, what, plan string
	build            func(*builder)
}

// examples are the tenants that a sandbox can begin as. Every person in them has
// a password, ExamplePassword.
var examples = []example{
	{"contoso-free", "a small company without a licence: security defaults, one administrator who is everything", "Free", buildFree},
	{"contoso-p1", "Conditional Access with the usual gaps, and no emergency account", "P1", buildP1},
	{"contoso-p2", "Conditional Access, PIM and risk policies, with two emergency accounts that have keys", "P2", buildP2},
	{"contoso-password-only", "lived-in: two emergency accounts with a password only, excluded from every policy by user id", "P1", buildPasswordOnly},
	{"contoso-pim-shared", "lived-in: one emergency account, eligible through PIM, in an exclusion group that service accounts share", "P2", buildShared},
	{"contoso-hardened", "lived-in: everything as right as a tenant can be", "P2", buildHardened},
}

// ExampleNames lists the example tenants.
func ExampleNames() []string {
	var out []string
	for _, e := range examples {
		out = append(out, e.name)
	}
	return out
}

// ExampleAbout says in a sentence what an example tenant is; "" for an unknown name.
func ExampleAbout(name string) string {
	for _, e := range examples {
		if e.name == name {
			return e.what
		}
	}
	return ""
}

// Example makes an example tenant, the same every time.
func Example(name string) (*State, error) {
	for _, e := range examples {
		if e.name == name {
			b := newBuilder(e.name, e.plan)
			e.build(b)
			b.auditor()
			return b.st, nil
		}
	}
	return nil, &unknownExample{name}
}

type unknownExample struct{ name string }

func (e *unknownExample) Error() string {
	return fmt.Sprintf("open the example tenant %q: there is none of this name", e.name)
}

// Hint names the examples that there are.
func (e *unknownExample) Hint() string { return "one of: " + strings.Join(ExampleNames(), ", ") }

// ExamplePassword is the password of a person in an example tenant: a fiction
// that opens nothing else.
func ExamplePassword(userPrincipalName string) string {
	local, _, _ := strings.Cut(strings.ToLower(userPrincipalName), "@")
	return "Sandbox-" + local + "-2026!"
}

// builder puts a tenant together.
type builder struct {
	st   *State
	born time.Time
	// staff are the ids of the people by the local part of their name.
	staff map[string]string
}

const (
	exampleDomain = "contoso.onmicrosoft.com"
	exampleCustom = "contoso.example"
)

func newBuilder(name, plan string) *builder {
	b := &builder{st: NewState(derivedID("halligan example tenant", name), "Contoso", plan), born: time.Date(2023, 3, 6, 8, 0, 0, 0, time.UTC), staff: map[string]string{}}
	b.domains()
	b.licences(plan)
	for _, r := range builtInRoles {
		b.st.Put(setRoles, r.id, Object{"id": r.id, "templateId": r.id, "displayName": r.name, "description": r.name + ", as Microsoft defines it.", "isBuiltIn": true, "isEnabled": true,
			"isPrivileged": r.privileged, "resourceScopes": []any{"/"}, "version": "1", "rolePermissions": []any{Object{"allowedResourceActions": []any{"microsoft.directory/*/standard/read"}, "condition": nil}}})
	}
	for _, s := range tenantStrengths() {
		b.st.Put(setStrengths, text(s, "id"), s)
	}
	for path, o := range defaultSingle {
		b.st.Single[path] = copied(o)
	}
	b.firstParties()
	b.protectedActions()
	b.azure()
	return b
}

func (b *builder) id(kind, name string) string { return derivedID(b.st.ID, kind, name) }

func (b *builder) domains() {
	for _, d := range []struct {
		name    string
		initial bool
	}{{exampleDomain, true}, {exampleCustom, false}} {
		b.st.Put("domains", d.name, Object{"id": d.name, "authenticationType": "Managed", "availabilityStatus": nil, "isAdminManaged": true, "isDefault": !d.initial, "isInitial": d.initial,
			"isRoot": true, "isVerified": true, "passwordNotificationWindowInDays": 14, "passwordValidityPeriodInDays": 2147483647, "supportedServices": []any{"Email", "OfficeCommunicationsOnline"}, "state": nil})
	}
	b.st.Put("organization", b.st.ID, Object{"id": b.st.ID, "displayName": "Contoso", "createdDateTime": stamp(b.born), "countryLetterCode": "NO", "tenantType": "AAD", "onPremisesSyncEnabled": nil,
		"deletedDateTime": nil, "securityComplianceNotificationMails": []any{}, "technicalNotificationMails": []any{"it@" + exampleCustom}, "businessPhones": []any{}, "assignedPlans": []any{},
		"verifiedDomains": []any{Object{"name": exampleDomain, "isDefault": false, "isInitial": true, "type": "Managed", "capabilities": "Email, OfficeCommunicationsOnline"},
			Object{"name": exampleCustom, "isDefault": true, "isInitial": false, "type": "Managed", "capabilities": "Email, OfficeCommunicationsOnline"}}})
	b.st.Put("directory/onPremisesSynchronization", b.st.ID, Object{"id": b.st.ID, "configuration": Object{"accidentalDeletionPrevention": Object{"synchronizationPreventionType": "enabledForCount", "alertThreshold": 500}},
		"features": Object{"passwordSyncEnabled": false, "blockCloudObjectTakeoverThroughHardMatchEnabled": true, "blockSoftMatchEnabled": true, "passwordWritebackEnabled": false}})
}

// licencePlans are the service plans that a licence brings.
var licencePlans = map[string][]string{"Free": {"EXCHANGE_S_FOUNDATION"}, "P1": {"AAD_PREMIUM"}, "P2": {"AAD_PREMIUM", "AAD_PREMIUM_P2"}}

func (b *builder) licences(plan string) {
	name := map[string]string{"Free": "AAD_BASIC", "P1": "AAD_PREMIUM", "P2": "AAD_PREMIUM_P2"}[plan]
	b.sku(name, licencePlans[plan])
}

func (b *builder) sku(name string, plans []string) {
	list := []any{}
	for _, p := range plans {
		list = append(list, Object{"servicePlanId": derivedID("service plan", p), "servicePlanName": p, "provisioningStatus": "Success", "appliesTo": "User"})
	}
	id := derivedID("sku", name)
	b.st.Put("subscribedSkus", b.st.ID+"_"+id, Object{"id": b.st.ID + "_" + id, "skuId": id, "skuPartNumber": name, "accountId": b.st.ID, "accountName": "contoso", "appliesTo": "User",
		"capabilityStatus": "Enabled", "consumedUnits": 24, "prepaidUnits": Object{"enabled": 50, "suspended": 0, "warning": 0, "lockedOut": 0}, "servicePlans": list, "subscriptionIds": []any{}})
}

// applications of Microsoft that exist in every tenant, by application id.
var firstParties = []struct{ app, name string }{
	{"00000003-0000-0000-c000-000000000000", "Microsoft Graph"},
	{commandLineTools, "Microsoft Graph Command Line Tools"},
	{"c44b4083-3bb0-49c1-b47d-974e53cbdf3c", "Azure Portal"},
	{"04b07795-8ddb-461a-bbee-02f9e1bf7b46", "Microsoft Azure CLI"},
	{"1950a258-227b-4e31-a9cf-717495945fc2", "Microsoft Azure PowerShell"},
	{"797f4846-ba00-4fd7-ba43-dac1f8f63013", "Windows Azure Service Management API"},
	{"00000002-0000-0ff1-ce00-000000000000", "Office 365 Exchange Online"},
	{"00000003-0000-0ff1-ce00-000000000000", "Office 365 SharePoint Online"},
	{"cc15fd57-2c6c-4117-a88c-83b1d56b4bbe", "Microsoft Teams Services"},
	{"00000006-0000-0ff1-ce00-000000000000", "Microsoft Office 365 Portal"},
	{"0000000a-0000-0000-c000-000000000000", "Microsoft Intune"},
}

const microsoftTenant = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"

func (b *builder) firstParties() {
	for _, a := range firstParties {
		sp := b.principal(a.app, a.name, microsoftTenant)
		if a.name != "Microsoft Graph" {
			continue
		}
		roles, scopes := []any{}, []any{}
		for _, p := range graphPermissions() {
			roles = append(roles, Object{"id": roleID(p), "value": p, "displayName": p, "description": p, "allowedMemberTypes": []any{"Application"}, "isEnabled": true, "origin": "Application"})
			scopes = append(scopes, Object{"id": derivedID("scope", p), "value": p, "type": "Admin", "isEnabled": true, "adminConsentDisplayName": p, "adminConsentDescription": p,
				"userConsentDisplayName": p, "userConsentDescription": p})
		}
		sp["appRoles"], sp["oauth2PermissionScopes"] = roles, scopes
	}
}

// takeover are permissions that Halligan looks for and that the table of
// operations does not name (graph.md section 2).
var takeover = []string{"User.Read", "openid", "profile", "email", "offline_access", "User.RevokeSessions.All", "UserAuthMethod-Passkey.ReadWrite.All", "UserAuthMethod-TAP.ReadWrite.All",
	"UserAuthMethod-Password.ReadWrite.All", "Policy.ReadWrite.CrossTenantAccess", "RoleAssignmentSchedule.ReadWrite.Directory", "RoleEligibilitySchedule.ReadWrite.Directory",
	"PrivilegedAccess.ReadWrite.AzureADGroup", "Domain.ReadWrite.All", "Domain-InternalFederation.ReadWrite.All", "Organization.ReadWrite.All", "LifecycleWorkflows.ReadWrite.All",
	"RoleManagement.ReadWrite.Directory", "AppRoleAssignment.ReadWrite.All", "Application.ReadWrite.All", "Directory.ReadWrite.All", "Mail.Send", "Sites.Read.All"}

// graphPermissions are the permissions that Microsoft Graph offers here.
func graphPermissions() []string {
	seen := map[string]bool{}
	for _, op := range slices.Concat(userOperations, directoryOperations, policyOperations, tenantOperations) {
		for _, p := range strings.FieldsFunc(op.application+" "+op.delegated, func(r rune) bool { return r == ' ' || r == '+' || r == '=' }) {
			seen[p] = true
		}
	}
	for _, p := range takeover {
		seen[p] = true
	}
	return keys(seen)
}

// roleIDs are the ids of app roles of Microsoft Graph that are well known; the
// others are the sandbox's own.
var roleIDs = map[string]string{
	"Directory.Read.All": "7ab1d382-f21e-4acd-a863-ba3e13f7da61", "User.Read.All": "df021288-bdef-4463-88db-98f22de89214",
	"Group.Read.All": "5b567255-7703-4780-807c-7be8301ae99b", "Policy.Read.All": "246dd0d5-5bd0-4def-940b-0421030a5b68",
	"AuditLog.Read.All": "b0afded3-3588-46d8-8b3d-9842eff778da", "RoleManagement.ReadWrite.Directory": "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8",
	"User.ReadWrite.All": "741f803b-c850-494e-b5df-cde7c675a1ca", "Directory.ReadWrite.All": "19dbc75e-c2e2-444c-a770-ec69d8559fc7",
	"Application.ReadWrite.All": "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9", "AppRoleAssignment.ReadWrite.All": "06b708a9-e830-4db3-a914-8e69da51d44f",
}

func roleID(permission string) string {
	if id := roleIDs[permission]; id != "" {
		return id
	}
	return derivedID("app role", permission)
}

// principal adds a service principal.
func (b *builder) principal(app, name, owner string) Object {
	id := b.id("service principal", app)
	o := Object{"id": id, "appId": app, "displayName": name, "appDisplayName": name, "accountEnabled": true, "servicePrincipalType": "Application", "appOwnerOrganizationId": owner,
		"deletedDateTime": nil, "appRoles": []any{}, "oauth2PermissionScopes": []any{}, "servicePrincipalNames": []any{app}, "tags": []any{},
		"appRoleAssignmentRequired": false, "signInAudience": "AzureADMultipleOrgs", "keyCredentials": []any{}, "passwordCredentials": []any{}, "alternativeNames": []any{}, "replyUrls": []any{}}
	b.st.Put("servicePrincipals", id, o)
	return o
}

// app adds an application of the tenant's own, with a secret and permissions, and
// returns the id of its service principal.
func (b *builder) app(name string, permissions ...string) string {
	appID := b.id("application", name)
	keyID := b.id("secret", name)
	b.st.Secrets[keyID] = "Sandbox-secret-of-" + strings.ReplaceAll(strings.ToLower(name), " ", "-")
	id := b.id("application object", name)
	b.st.Put("applications", id, Object{"id": id, "appId": appID, "displayName": name, "createdDateTime": stamp(b.born), "signInAudience": "AzureADMyOrg", "deletedDateTime": nil,
		"passwordCredentials": []any{Object{"keyId": keyID, "displayName": "sandbox", "hint": "San", "startDateTime": stamp(b.born), "endDateTime": "2036-01-01T00:00:00Z", "secretText": nil, "customKeyIdentifier": nil}},
		"keyCredentials":      []any{}, "requiredResourceAccess": []any{}, "appRoles": []any{}, "identifierUris": []any{}, "publisherDomain": exampleCustom, "tags": []any{}})
	sp := text(b.principal(appID, name, b.st.ID), "id")
	graphSP := b.id("service principal", firstParties[0].app)
	for _, p := range permissions {
		a := b.id("app role assignment", name+p)
		b.st.Put(setAppRoles, a, Object{"id": a, "appRoleId": roleID(p), "createdDateTime": stamp(b.born), "deletedDateTime": nil, "principalDisplayName": name, "principalId": sp,
			"principalType": "ServicePrincipal", "resourceDisplayName": "Microsoft Graph", "resourceId": graphSP})
	}
	return sp
}

// protectedActions are a few resource actions, of which some can be bound to an
// authentication context.
func (b *builder) protectedActions() {
	set := "roleManagement/directory/resourceNamespaces/microsoft.directory/resourceActions"
	for _, name := range []string{"microsoft.directory/conditionalAccessPolicies/basic/update", "microsoft.directory/conditionalAccessPolicies/create",
		"microsoft.directory/conditionalAccessPolicies/delete", "microsoft.directory/namedLocations/basic/update", "microsoft.directory/deletedItems/delete"} {
		id := strings.ReplaceAll(strings.TrimPrefix(name, "microsoft.directory/"), "/", "-")
		b.st.Put(set, id, Object{"id": id, "name": name, "description": name, "actionVerb": "PATCH", "authenticationContextId": nil, "isAuthenticationContextSettable": true, "isPrivileged": true, "resourceScopeId": nil})
	}
}

// azure is one subscription with a workspace that the sign-in logs flow to.
func (b *builder) azure() {
	sub := b.id("subscription", "operations")
	b.st.Put("arm/subscriptions", sub, Object{"id": "/subscriptions/" + sub, "subscriptionId": sub, "tenantId": b.st.ID, "displayName": "Operations", "state": "Enabled"})
}
