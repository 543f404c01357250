package sandbox

// users of a policy, as builders write them.
type scope struct {
	includeUsers, includeGroups, includeRoles, excludeUsers, excludeGroups []string
}

var everybody = []string{"All"}

// policy adds a Conditional Access policy.
func (b *builder) policy(name, state string, who scope, grant Object, more Object) string {
	id := b.id("policy", name)
	cond := Object{"clientAppTypes": []any{"all"}, "applications": Object{"includeApplications": []any{"All"}},
		"users": Object{"includeUsers": anys(who.includeUsers), "includeGroups": anys(who.includeGroups), "includeRoles": anys(who.includeRoles),
			"excludeUsers": anys(who.excludeUsers), "excludeGroups": anys(who.excludeGroups), "excludeRoles": []any{}}}
	o := Object{"id": id, "displayName": name, "description": nil, "templateId": nil, "createdDateTime": "2024-03-04T10:00:00Z", "modifiedDateTime": "2026-10-02T09:00:00Z", "deletedDateTime": nil, "state": state,
		"conditions": cond, "grantControls": grant, "sessionControls": nil}
	for k, v := range more {
		switch k {
		case "templateId", "sessionControls", "createdDateTime", "modifiedDateTime", "description":
			o[k] = v
		default:
			cond[k] = v
		}
	}
	if grant == nil {
		o["grantControls"] = nil
	}
	completePolicy(o)
	b.st.Put(setPolicies, id, o)
	return id
}

func demand(controls ...string) Object {
	return Object{"operator": "OR", "builtInControls": anys(controls), "customAuthenticationFactors": []any{}, "termsOfUse": []any{}, "authenticationStrength": nil}
}

func demandStrength(id string) Object {
	o := demand()
	o["authenticationStrength"] = Object{"id": id}
	return o
}

const phishingResistant = "00000000-0000-0000-0000-000000000004"

// adminRoles are the roles that policies for administrators name.
var adminRoles = []string{globalAdmin, privRoleAdmin, privAuthAdmin, securityAdmin, caAdmin, exchangeAdmin, sharepointAdmin, userAdmin, helpdeskAdmin, authAdmin, appAdmin, cloudAppAdmin, passwordAdmin, billingAdmin}

// usual are the policies that most tenants have; who names what they exclude.
func (b *builder) usual(excludeUsers, excludeGroups []string) {
	out := scope{includeUsers: everybody, excludeUsers: excludeUsers, excludeGroups: excludeGroups}
	admins := scope{includeRoles: adminRoles, excludeUsers: excludeUsers, excludeGroups: excludeGroups}
	b.policy("CA001 Require MFA for administrators", "enabled", admins, demand("mfa"), nil)
	b.policy("CA002 Require MFA for all users", "enabled", out, demand("mfa"), nil)
	b.policy("CA003 Block legacy authentication", "enabled", out, demand("block"), Object{"clientAppTypes": []any{"exchangeActiveSync", "other"}})
	b.policy("CA004 Require MFA for Azure management", "enabled", out, demand("mfa"), Object{"applications": Object{"includeApplications": []any{"797f4846-ba00-4fd7-ba43-dac1f8f63013"}}})
	b.policy("CA005 Block other countries", "enabledForReportingButNotEnforced", out, demand("block"), Object{"locations": Object{"includeLocations": []any{"All"}, "excludeLocations": []any{b.country()}}})
	b.policy("Microsoft-managed: Block device code flow", "enabledForReportingButNotEnforced", out, demand("block"), Object{"templateId": "b7d3a9de-3e5c-4d6d-9a5e-2f9a1c6f0a11",
		"authenticationFlows": Object{"transferMethods": "deviceCodeFlow"}})
}

func (b *builder) country() string {
	id := b.id("location", "Home countries")
	if b.st.Get(setLocations, id) == nil {
		b.st.Put(setLocations, id, Object{"@odata.type": "#microsoft.graph.countryNamedLocation", "id": id, "displayName": "Home countries", "countriesAndRegions": []any{"NO", "SE", "DK"},
			"includeUnknownCountriesAndRegions": false, "countryLookupMethod": "clientIpAddress", "createdDateTime": "2024-03-04T10:00:00Z", "modifiedDateTime": "2024-03-04T10:00:00Z", "deletedDateTime": nil})
	}
	office := b.id("location", "Head office")
	b.st.Put(setLocations, office, Object{"@odata.type": "#microsoft.graph.ipNamedLocation", "id": office, "displayName": "Head office", "isTrusted": true,
		"ipRanges": []any{Object{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "198.51.100.0/24"}}, "createdDateTime": "2024-03-04T10:00:00Z", "modifiedDateTime": "2024-03-04T10:00:00Z", "deletedDateTime": nil})
	return id
}

// risk are the policies on risk, which need P2.
func (b *builder) risk(excludeGroups []string) {
	out := scope{includeUsers: everybody, excludeGroups: excludeGroups}
	b.policy("CA006 Block high user risk", "enabled", out, demand("block"), Object{"userRiskLevels": []any{"high"}})
	b.policy("CA007 Require MFA at sign-in risk", "enabled", out, demand("mfa"), Object{"signInRiskLevels": []any{"high", "medium"}})
}

// pim adds the PIM policy of a role: what activation asks for.
func (b *builder) pim(role string, approval bool, approvers ...string) {
	id := "DirectoryRole_" + b.st.ID + "_" + derivedID(b.st.ID, "pim", role)
	target := func(caller, level string) Object {
		return Object{"caller": caller, "operations": []any{"all"}, "level": level, "inheritableSettings": []any{}, "enforcedSettings": []any{}}
	}
	people := []any{}
	for _, a := range approvers {
		people = append(people, Object{"@odata.type": "#microsoft.graph.singleUser", "userId": a, "id": a, "description": text(b.st.Get("users", a), "displayName")})
	}
	rules := []any{
		Object{"@odata.type": "#microsoft.graph.unifiedRoleManagementPolicyExpirationRule", "id": "Expiration_Admin_Eligibility", "isExpirationRequired": false, "maximumDuration": "P365D", "target": target("Admin", "Eligibility")},
		Object{"@odata.type": "#microsoft.graph.unifiedRoleManagementPolicyExpirationRule", "id": "Expiration_Admin_Assignment", "isExpirationRequired": false, "maximumDuration": "P180D", "target": target("Admin", "Assignment")},
		Object{"@odata.type": "#microsoft.graph.unifiedRoleManagementPolicyExpirationRule", "id": "Expiration_EndUser_Assignment", "isExpirationRequired": true, "maximumDuration": "PT4H", "target": target("EndUser", "Assignment")},
		Object{"@odata.type": "#microsoft.graph.unifiedRoleManagementPolicyEnablementRule", "id": "Enablement_Admin_Assignment", "enabledRules": []any{"Justification"}, "target": target("Admin", "Assignment")},
		Object{"@odata.type": "#microsoft.graph.unifiedRoleManagementPolicyEnablementRule", "id": "Enablement_EndUser_Assignment", "enabledRules": []any{"MultiFactorAuthentication", "Justification"}, "target": target("EndUser", "Assignment")},
		Object{"@odata.type": "#microsoft.graph.unifiedRoleManagementPolicyApprovalRule", "id": "Approval_EndUser_Assignment", "target": target("EndUser", "Assignment"),
			"setting": Object{"isApprovalRequired": approval, "isApprovalRequiredForExtension": false, "isRequestorJustificationRequired": true, "approvalMode": "SingleStage",
				"approvalStages": []any{Object{"approvalStageTimeOutInDays": 1, "isApproverJustificationRequired": true, "escalationTimeInMinutes": 0, "isEscalationEnabled": false, "primaryApprovers": people, "escalationApprovers": []any{}}}}},
		Object{"@odata.type": "#microsoft.graph.unifiedRoleManagementPolicyAuthenticationContextRule", "id": "AuthenticationContext_EndUser_Assignment", "isEnabled": false, "claimValue": "", "target": target("EndUser", "Assignment")},
		Object{"@odata.type": "#microsoft.graph.unifiedRoleManagementPolicyNotificationRule", "id": "Notification_Admin_Admin_Assignment", "notificationType": "Email", "recipientType": "Admin", "notificationLevel": "All",
			"isDefaultRecipientsEnabled": true, "notificationRecipients": []any{"security@" + exampleCustom}, "target": target("Admin", "Assignment")},
	}
	b.st.Put(setPIMPolicies, id, Object{"id": id, "displayName": "DirectoryRole", "description": "DirectoryRole", "isOrganizationDefault": false, "scopeId": "/", "scopeType": "DirectoryRole",
		"lastModifiedDateTime": "2025-02-01T00:00:00Z", "lastModifiedBy": Object{"id": nil, "displayName": nil}, "rules": rules})
	a := id + "_" + role
	b.st.Put(setPIMAssigned, a, Object{"id": a, "policyId": id, "roleDefinitionId": role, "scopeId": "/", "scopeType": "DirectoryRole"})
}

// method changes one configuration of the methods policy.
func (b *builder) method(id string, more Object) {
	list, _ := b.st.Single[pathMethods]["authenticationMethodConfigurations"].([]any)
	for _, e := range list {
		if o := e.(Object); o["id"] == id {
			for k, v := range more {
				o[k] = v
			}
		}
	}
}
