package graph

import (
	"halligan/entra"
)

// question is one request that reading a tenant makes. The table below is all of
// them: permissions, docs/permissions.md and what the emulated tenant must serve
// follow from it.
type question struct {
	part entra.Part
	// relation is which list of the part this is; "" the part's own objects.
	relation string
	version  Version
	// path has {id} where the subject's id goes, and {ids} where a filter names
	// several.
	path  string
	query string // as in a URL, not yet escaped
	// single: the answer is one object, not a list.
	single bool
	// post: a POST that changes nothing.
	post bool
	// family is whose quota it uses; "" the directory's.
	family Family
	// pages is how many pages are read at most; 0: the client's own limit.
	pages int
	// permission is what this request needs beside that of its part, or in its
	// place.
	permission string
	// what it reads in words, where that is not the part; "" the part.
	what string
	// some: no tenant is without any of these; an empty list is no answer.
	some bool
	// granted: whoever reads as an application does so by one of these, so that
	// there are some.
	granted bool
	// counted: the list comes with its count, with which the items are compared.
	// Graph counts these only under ConsistencyLevel: eventual (graph-docs
	// "Advanced query capabilities on Microsoft Entra ID objects").
	counted bool
	// beside: what is read adds to objects of the part that another question
	// reads. Its failure leaves properties unknown, and the part read.
	beside bool
	// licensed: without the licence there is nothing of it to read, so a refusal
	// for want of one leaves the part as the other questions found it.
	licensed bool
}

// userProperties are what the proof and the checks ask of a user (docs/export.md).
const userProperties = "id,userPrincipalName,displayName,userType,accountEnabled,onPremisesSyncEnabled,onPremisesSecurityIdentifier,onPremisesImmutableId,identities,externalUserState," +
	"otherMails,mobilePhone,employeeId,department,jobTitle,assignedLicenses,mail,passwordPolicies,passwordProfile,createdDateTime,lastPasswordChangeDateTime,signInSessionsValidFromDateTime," +
	"isManagementRestricted,authorizationInfo,employeeHireDate"

// personProperties are what is asked of other people: holders of keys, holders of
// roles.
const personProperties = "id,userPrincipalName,displayName,userType,accountEnabled,onPremisesSyncEnabled"

const groupProperties = "id,displayName,groupTypes,isAssignableToRole,securityEnabled,mailEnabled,onPremisesSyncEnabled,isManagementRestricted,membershipRule,expirationDateTime,visibility"

// graphApplication is Microsoft Graph's own application id, the same everywhere.
const graphApplication = "00000003-0000-0000-c000-000000000000"

// tenantQuestions are asked once, at the start.
var tenantQuestions = []question{
	{part: entra.PartOrganization, version: V1, path: "/organization", some: true},
	// These two can be counted (graph-docs conditionalaccessroot-list-policies,
	// conditionalaccessroot-list-namedlocations): the proof must not rest on a list
	// that lacks one.
	{part: entra.PartPolicies, version: V1, path: "/identity/conditionalAccess/policies", query: "$count=true", family: FamilyConditionalAccess},
	{part: entra.PartLocations, version: V1, path: "/identity/conditionalAccess/namedLocations", query: "$count=true", family: FamilyConditionalAccess},
	{part: entra.PartStrengths, version: V1, path: "/policies/authenticationStrengthPolicies", query: "$expand=combinationConfigurations"},
	{part: entra.PartContexts, version: V1, path: "/identity/conditionalAccess/authenticationContextClassReferences"},
	// v1.0 has neither systemCredentialPreferences nor the end of a campaign's
	// snoozes (graph: authenticationMethodsPolicy, beta).
	{part: entra.PartMethodsPolicy, version: Beta, path: "/policies/authenticationMethodsPolicy", single: true},
	{part: entra.PartSecurityDefaults, version: V1, path: "/policies/identitySecurityDefaultsEnforcementPolicy", single: true},
	{part: entra.PartAuthorization, version: V1, path: "/policies/authorizationPolicy", single: true},
	{part: entra.PartRoleAssignments, version: V1, path: "/roleManagement/directory/roleAssignments", query: "$expand=principal", some: true},
	// Only the instances say whether an active role is permanent.
	{part: entra.PartRoleAssignments, version: V1, path: "/roleManagement/directory/roleAssignmentScheduleInstances", permission: "RoleAssignmentSchedule.Read.Directory", what: "whether role assignments are permanent", licensed: true},
	{part: entra.PartRoleEligibility, version: V1, path: "/roleManagement/directory/roleEligibilityScheduleInstances", query: "$expand=principal"},
	{part: entra.PartRolePolicies, version: V1, path: "/policies/roleManagementPolicyAssignments",
		query: "$filter=scopeId eq '/' and scopeType eq 'DirectoryRole'&$expand=policy($expand=rules)"},
	{part: entra.PartProtectedActions, version: Beta, path: "/roleManagement/directory/resourceNamespaces/microsoft.directory/resourceActions",
		query: "$filter=isAuthenticationContextSettable eq true"},
	{part: entra.PartAgreements, version: V1, path: "/identityGovernance/termsOfUse/agreements"},
	{part: entra.PartApplications, version: V1, path: "/servicePrincipals", query: "$select=id,appId,displayName,servicePrincipalType,accountEnabled&$top=999&$count=true", pages: 40, some: true, counted: true},
	{part: entra.PartApplications, version: V1, path: "/servicePrincipals(appId='" + graphApplication + "')", query: "$select=id,appId,displayName,appRoles", single: true, beside: true},
	{part: entra.PartAppRoleAssignments, version: V1, path: "/servicePrincipals(appId='" + graphApplication + "')/appRoleAssignedTo", query: "$top=999", pages: 40, granted: true},
	{part: entra.PartDomains, version: V1, path: "/domains", some: true},
	{part: entra.PartLicences, version: V1, path: "/subscribedSkus"},
	{part: entra.PartDeletedUsers, version: V1, path: "/directory/deletedItems/microsoft.graph.user", query: "$select=id,userPrincipalName,displayName,deletedDateTime&$top=999", pages: 10},
	{part: entra.PartAdministrativeUnits, version: V1, path: "/directory/administrativeUnits"},
	{part: entra.PartGroupLifecycle, version: V1, path: "/groupLifecyclePolicies"},
	// Administrators only: the report has a row for every user.
	{part: entra.PartRegistrationDetails, version: V1, path: "/reports/authenticationMethods/userRegistrationDetails", query: "$filter=isAdmin eq true", family: FamilyReports},
	{part: entra.PartLifecycleWorkflows, version: V1, path: "/identityGovernance/lifecycleWorkflows/workflows", query: "$expand=tasks"},
	{part: entra.PartAccessReviews, version: V1, path: "/identityGovernance/accessReviews/definitions", query: "$top=100"},
}

// accountQuestions are asked of every emergency account.
var accountQuestions = []question{
	{part: entra.PartUsers, version: V1, path: "/users/{id}", query: "$select=" + userProperties + "&$expand=manager($select=id,displayName)", single: true},
	// In a request of their own: without a licence, or without the permission,
	// each of these is refused with the whole request it stands in.
	{part: entra.PartUsers, version: V1, path: "/users/{id}", query: "$select=id,signInActivity", single: true, permission: "AuditLog.Read.All", what: "the accounts' last sign-ins", beside: true},
	{part: entra.PartUsers, version: V1, path: "/users/{id}", query: "$select=id,employeeLeaveDateTime", single: true, permission: "User-LifeCycleInfo.Read.All", what: "the last working day", beside: true},
	{part: entra.PartAccounts, relation: entra.RelationMemberships, version: V1, path: "/users/{id}/transitiveMemberOf", query: "$top=999", permission: "GroupMember.Read.All", what: "the accounts' groups"},
	{part: entra.PartAccounts, relation: entra.RelationMethods, version: V1, path: "/users/{id}/authentication/methods", what: "the accounts' authentication methods"},
	{part: entra.PartAccounts, relation: entra.RelationRequirements, version: Beta, path: "/users/{id}/authentication/requirements", single: true, permission: "Policy.Read.All", what: "the accounts' per-user MFA"},
	{part: entra.PartUserGrants, version: V1, path: "/users/{id}/oauth2PermissionGrants"},
	{part: entra.PartUserAppRoles, version: V1, path: "/users/{id}/appRoleAssignments"},
	{part: entra.PartOwnedObjects, version: V1, path: "/users/{id}/ownedObjects"},
	{part: entra.PartDevices, version: V1, path: "/users/{id}/registeredDevices"},
	{part: entra.PartDevices, version: V1, path: "/users/{id}/ownedDevices"},
}

// Questions asked once for all accounts together, with a filter that names them;
// the records are then dealt to the accounts.
var (
	riskyUsers     = question{part: entra.PartRiskyUsers, version: V1, path: "/identityProtection/riskyUsers", query: "$filter={ids}", family: FamilyIdentityProtection}
	riskDetections = question{part: entra.PartRiskDetections, version: V1, path: "/identityProtection/riskDetections", query: "$filter={ids}", family: FamilyIdentityProtection}
	signIns        = question{part: entra.PartSignIns, version: V1, path: "/auditLogs/signIns", query: "$filter=({ids}) and createdDateTime ge {since}&$top=1000", family: FamilyReports, pages: 5}
	accountAudits  = question{part: entra.PartDirectoryAudits, version: V1, path: "/auditLogs/directoryAudits", query: "$filter=activityDateTime ge {since} and ({ids})&$top=1000", family: FamilyReports, pages: 5}
	// policyAudits tells whether a policy was changed while we read.
	policyAudits = question{part: entra.PartDirectoryAudits, version: V1, path: "/auditLogs/directoryAudits", query: "$filter=activityDateTime ge {since} and category eq 'Policy'&$top=10", family: FamilyReports, beside: true}
)

// Questions about what the first answers named.
var (
	// Only Global Administrators may read it, and no application (graph-docs
	// onpremisesdirectorysynchronization-get).
	synchronization = question{part: entra.PartOnPremisesSync, version: V1, path: "/directory/onPremisesSynchronization"}
	someUsers       = question{part: entra.PartUsers, version: V1, path: "/users", query: "$filter={ids}&$select=" + personProperties}
	leavingUsers    = question{part: entra.PartUsers, version: V1, path: "/users", query: "$filter={ids}&$select=id,employeeLeaveDateTime", permission: "User-LifeCycleInfo.Read.All", what: "the last working day", beside: true}
	someGroups      = question{part: entra.PartGroups, version: V1, path: "/groups", query: "$filter={ids}&$select=" + groupProperties}
	// v1.0 leaves service principals out of members and owners (graph-docs
	// group-list-owners).
	groupMembers = question{part: entra.PartGroups, relation: entra.RelationMembers, version: Beta, path: "/groups/{id}/members", query: "$select=" + personProperties + "&$top=999", what: "the members of groups", pages: 5}
	groupOwners  = question{part: entra.PartGroupOwners, version: Beta, path: "/groups/{id}/owners", query: "$select=id,displayName,userPrincipalName"}
	unitMembers  = question{part: entra.PartUnitMembers, version: V1, path: "/directory/administrativeUnits/{id}/members", query: "$select=id,displayName,userPrincipalName&$top=999", pages: 5}
	unitRoles    = question{part: entra.PartUnitRoles, version: V1, path: "/directory/administrativeUnits/{id}/scopedRoleMembers"}
	federation   = question{part: entra.PartDomains, version: V1, path: "/domains/{id}/federationConfiguration", permission: "Domain-InternalFederation.Read.All", what: "the federation of domains"}
	certificates = question{part: entra.PartCertificateAuthority, version: V1, path: "/directory/publicKeyInfrastructure/certificateBasedAuthConfigurations"}
	authorities  = question{part: entra.PartCertificateAuthority, version: V1, path: "/directory/publicKeyInfrastructure/certificateBasedAuthConfigurations/{id}/certificateAuthorities"}
	// registrations are those of administrators who are eligible only: the report
	// does not count them as administrators.
	registrations = question{part: entra.PartRegistrationDetails, version: V1, path: "/reports/authenticationMethods/userRegistrationDetails", query: "$filter={ids}", family: FamilyReports, beside: true}
	// tellingNames finds accounts that are called like emergency accounts, where
	// nobody has said which they are. It proposes; it decides nothing.
	tellingNames = question{part: entra.PartUsers, version: V1, path: "/users", query: "$filter={names}&$select=" + personProperties + "&$top=50", pages: 1}
)

// whatIf is put by CrossCheck, once for each sign-in that is compared.
var whatIf = question{part: entra.PartWhatIf, version: V1, path: "/identity/conditionalAccess/evaluate", post: true, family: FamilyConditionalAccess}

// Questions to Azure Resource Manager, asked when the caller wants them.
var (
	azureQuestions = []question{
		{part: entra.PartAzureRoles, version: ARM, path: "/providers/Microsoft.Authorization/roleAssignments", query: "api-version=2022-04-01&$filter=atScope()"},
		{part: entra.PartDiagnostics, version: ARM, path: "/providers/microsoft.aadiam/diagnosticSettings", query: "api-version=2017-04-01"},
	}
	subscriptions = question{what: "the Azure subscriptions", version: ARM, path: "/subscriptions", query: "api-version=2022-12-01"}
	// Per subscription, {id} is its id.
	alertRules = question{part: entra.PartAlertRules, version: ARM, path: "/subscriptions/{id}/providers/Microsoft.Insights/scheduledQueryRules", query: "api-version=2023-12-01"}
	workspaces = question{part: entra.PartWorkspaces, version: ARM, path: "/subscriptions/{id}/providers/Microsoft.OperationalInsights/workspaces", query: "api-version=2023-09-01"}
	// Per workspace, {id} is its whole resource id.
	sentinelRules = question{part: entra.PartAlertRules, version: ARM, path: "{id}/providers/Microsoft.SecurityInsights/alertRules", query: "api-version=2024-03-01", beside: true}
)
