package entra

// The parts that no proof needs, only checks. Their objects are kept as Graph
// gives them (Snapshot.Objects, Snapshot.Of).
const (
	PartOrganization         Part = "organization"
	PartDeletedUsers         Part = "deletedUsers"
	PartAdministrativeUnits  Part = "administrativeUnits"
	PartUnitMembers          Part = "administrativeUnitMembers"
	PartUnitRoles            Part = "scopedRoleMembers"
	PartGroupOwners          Part = "groupOwners"
	PartGroupLifecycle       Part = "groupLifecyclePolicies"
	PartRegistrationDetails  Part = "userRegistrationDetails"
	PartCertificateAuthority Part = "certificateAuthorities"
	PartOnPremisesSync       Part = "onPremisesSynchronization"
	PartWhatIf               Part = "conditionalAccessEvaluations"
	PartRiskyUsers           Part = "riskyUsers"
	PartRiskDetections       Part = "riskDetections"
	PartSignIns              Part = "signIns"
	PartDirectoryAudits      Part = "directoryAudits"
	PartLifecycleWorkflows   Part = "lifecycleWorkflows"
	PartAccessReviews        Part = "accessReviews"
	PartAppRoleAssignments   Part = "servicePrincipalAppRoleAssignments"
	PartUserGrants           Part = "oauth2PermissionGrants"
	PartUserAppRoles         Part = "userAppRoleAssignments"
	PartOwnedObjects         Part = "ownedObjects"
	PartDevices              Part = "devices"
	PartAzureRoles           Part = "azureRoleAssignments"
	PartDiagnostics          Part = "diagnosticSettings"
	PartAlertRules           Part = "alertRules"
	PartWorkspaces           Part = "logAnalyticsWorkspaces"
)

// PartInfo says what a part is and what reading it takes.
type PartInfo struct {
	Part Part
	// What is the part in words, for a sentence: "the sign-in log".
	What string
	// Request is the request that reads it; {id} is the subject.
	Request string
	// Permission is the least Graph permission, or the Azure right; application
	// and delegated permissions have the same name.
	Permission string
	// PerSubject: read for one account, group or unit at a time.
	PerSubject bool
	// Licence that the tenant needs: "", "P1", "P2", "Governance", "Azure".
	Licence string
	Beta    bool
	// PersonOnly: Graph refuses an application without a signed-in person.
	PersonOnly bool
}

// PartTable lists every part of a Snapshot (graph: operations, permissions
// reference).
var PartTable = []PartInfo{
	{Part: PartPolicies, What: "the Conditional Access policies", Request: "GET /identity/conditionalAccess/policies", Permission: "Policy.Read.All", Licence: "P1"},
	{Part: PartLocations, What: "the named locations", Request: "GET /identity/conditionalAccess/namedLocations", Permission: "Policy.Read.All", Licence: "P1"},
	{Part: PartStrengths, What: "the authentication strengths", Request: "GET /identity/conditionalAccess/authenticationStrength/policies", Permission: "Policy.Read.All", Licence: "P1"},
	{Part: PartContexts, What: "the authentication contexts", Request: "GET /identity/conditionalAccess/authenticationContextClassReferences", Permission: "Policy.Read.ConditionalAccess", Licence: "P1"},
	{Part: PartMethodsPolicy, What: "the authentication methods policy", Request: "GET /policies/authenticationMethodsPolicy", Permission: "Policy.Read.AuthenticationMethod"},
	{Part: PartSecurityDefaults, What: "the security defaults", Request: "GET /policies/identitySecurityDefaultsEnforcementPolicy", Permission: "Policy.Read.All"},
	{Part: PartAuthorization, What: "the authorization policy", Request: "GET /policies/authorizationPolicy", Permission: "Policy.Read.All"},
	{Part: PartUsers, What: "the users", Request: "GET /users/{id}", Permission: "User.Read.All"},
	{Part: PartGroups, What: "the groups", Request: "GET /groups/{id}", Permission: "GroupMember.Read.All"},
	{Part: PartAccounts, What: "the accounts' groups and methods", Request: "GET /users/{id}/transitiveMemberOf, GET /users/{id}/authentication/methods", Permission: "UserAuthenticationMethod.Read.All", PerSubject: true},
	{Part: PartRoleAssignments, What: "the role assignments", Request: "GET /roleManagement/directory/roleAssignments", Permission: "RoleManagement.Read.Directory"},
	{Part: PartRoleEligibility, What: "the eligible role assignments", Request: "GET /roleManagement/directory/roleEligibilityScheduleInstances", Permission: "RoleEligibilitySchedule.Read.Directory", Licence: "P2"},
	{Part: PartRolePolicies, What: "the PIM rules of the roles", Request: "GET /policies/roleManagementPolicyAssignments", Permission: "RoleManagement.Read.Directory", Licence: "P2"},
	{Part: PartProtectedActions, What: "the protected actions", Request: "GET /roleManagement/directory/resourceNamespaces/microsoft.directory/resourceActions", Permission: "RoleManagement.Read.Directory", Licence: "P1", Beta: true},
	{Part: PartAgreements, What: "the terms of use", Request: "GET /identityGovernance/termsOfUse/agreements", Permission: "Agreement.Read.All", Licence: "P1"},
	{Part: PartApplications, What: "the service principals", Request: "GET /servicePrincipals", Permission: "Application.Read.All"},
	{Part: PartDomains, What: "the domains", Request: "GET /domains", Permission: "Domain.Read.All"},
	{Part: PartLicences, What: "the licences", Request: "GET /subscribedSkus", Permission: "LicenseAssignment.Read.All"},
	{Part: PartOrganization, What: "the organization", Request: "GET /organization", Permission: "Organization.Read.All"},
	{Part: PartDeletedUsers, What: "the deleted users", Request: "GET /directory/deletedItems/microsoft.graph.user", Permission: "User.Read.All"},
	{Part: PartAdministrativeUnits, What: "the administrative units", Request: "GET /directory/administrativeUnits", Permission: "AdministrativeUnit.Read.All"},
	{Part: PartUnitMembers, What: "the members of administrative units", Request: "GET /directory/administrativeUnits/{id}/members", Permission: "AdministrativeUnit.Read.All", PerSubject: true},
	{Part: PartUnitRoles, What: "the scoped role members of administrative units", Request: "GET /directory/administrativeUnits/{id}/scopedRoleMembers", Permission: "RoleManagement.Read.Directory", PerSubject: true},
	{Part: PartGroupOwners, What: "the owners of groups", Request: "GET /groups/{id}/owners", Permission: "GroupMember.Read.All", PerSubject: true},
	{Part: PartGroupLifecycle, What: "the group expiration policies", Request: "GET /groupLifecyclePolicies", Permission: "Directory.Read.All", Licence: "P1"},
	{Part: PartRegistrationDetails, What: "the registration details of users", Request: "GET /reports/authenticationMethods/userRegistrationDetails", Permission: "AuditLog.Read.All", Licence: "P1"},
	{Part: PartCertificateAuthority, What: "the certificate authorities", Request: "GET /directory/publicKeyInfrastructure/certificateBasedAuthConfigurations, GET /directory/publicKeyInfrastructure/certificateBasedAuthConfigurations/{id}/certificateAuthorities", Permission: "PublicKeyInfrastructure.Read.All"},
	{Part: PartOnPremisesSync, What: "the directory synchronization settings", Request: "GET /directory/onPremisesSynchronization", Permission: "OnPremDirectorySynchronization.Read.All", PersonOnly: true},
	{Part: PartWhatIf, What: "Microsoft's own evaluations (What If)", Request: "POST /identity/conditionalAccess/evaluate", Permission: "Policy.Read.ConditionalAccess", PerSubject: true, Licence: "P1"},
	{Part: PartRiskyUsers, What: "the risk state of users", Request: "GET /identityProtection/riskyUsers/{id}", Permission: "IdentityRiskyUser.Read.All", PerSubject: true, Licence: "P2"},
	{Part: PartRiskDetections, What: "the risk detections", Request: "GET /identityProtection/riskDetections", Permission: "IdentityRiskEvent.Read.All", PerSubject: true, Licence: "P2"},
	{Part: PartSignIns, What: "the sign-in log", Request: "GET /auditLogs/signIns", Permission: "AuditLog.Read.All", PerSubject: true, Licence: "P1"},
	{Part: PartDirectoryAudits, What: "the audit log", Request: "GET /auditLogs/directoryAudits", Permission: "AuditLog.Read.All", PerSubject: true},
	{Part: PartLifecycleWorkflows, What: "the lifecycle workflows", Request: "GET /identityGovernance/lifecycleWorkflows/workflows", Permission: "LifecycleWorkflows-Workflow.Read.All", Licence: "Governance"},
	{Part: PartAccessReviews, What: "the access reviews", Request: "GET /identityGovernance/accessReviews/definitions", Permission: "AccessReview.Read.All", Licence: "P2"},
	{Part: PartAppRoleAssignments, What: "the permissions of service principals", Request: "GET /servicePrincipals(appId='00000003-0000-0000-c000-000000000000')/appRoleAssignedTo", Permission: "Application.Read.All"},
	{Part: PartUserGrants, What: "the accounts' delegated grants", Request: "GET /users/{id}/oauth2PermissionGrants", Permission: "Directory.Read.All", PerSubject: true},
	{Part: PartUserAppRoles, What: "the accounts' app role assignments", Request: "GET /users/{id}/appRoleAssignments", Permission: "Directory.Read.All", PerSubject: true},
	{Part: PartOwnedObjects, What: "what the accounts own", Request: "GET /users/{id}/ownedObjects", Permission: "Directory.Read.All", PerSubject: true},
	{Part: PartDevices, What: "the accounts' devices", Request: "GET /users/{id}/registeredDevices, GET /users/{id}/ownedDevices", Permission: "Directory.Read.All", PerSubject: true},
	{Part: PartAzureRoles, What: "the role assignments at the Azure root", Request: "GET {arm}/providers/Microsoft.Authorization/roleAssignments?$filter=atScope()", Permission: "Reader at /", Licence: "Azure"},
	{Part: PartDiagnostics, What: "the diagnostic settings of Microsoft Entra ID", Request: "GET {arm}/providers/microsoft.aadiam/diagnosticSettings", Permission: "Reader", Licence: "Azure"},
	{Part: PartAlertRules, What: "the tenant's own alert rules", Request: "GET {arm}/subscriptions/{subscription}/providers/Microsoft.Insights/scheduledQueryRules, GET {arm}/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.OperationalInsights/workspaces/{workspace}/providers/Microsoft.SecurityInsights/alertRules", Permission: "Reader", Licence: "Azure"},
	{Part: PartWorkspaces, What: "the Log Analytics workspaces", Request: "GET {arm}/subscriptions, GET {arm}/subscriptions/{subscription}/providers/Microsoft.OperationalInsights/workspaces", Permission: "Reader", Licence: "Azure"},
}

// Info returns the row of a part; of one that the table does not have, its name
// only.
func (p Part) Info() PartInfo {
	for i := range PartTable {
		if PartTable[i].Part == p {
			return PartTable[i]
		}
	}
	return PartInfo{Part: p, What: string(p)}
}
