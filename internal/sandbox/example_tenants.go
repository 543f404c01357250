package sandbox

func buildFree(b *builder) {
	b.st.Single[pathDefaults]["isEnabled"] = true
	b.employ()
	b.assign(b.staff["ada.holm"], globalAdmin, "/")
	b.assign(b.staff["bo.lind"], globalAdmin, "/")
	b.assign(b.staff["dag.moe"], helpdeskAdmin, "/")
}

func buildP1(b *builder) {
	b.employ()
	b.administrators(false)
	b.usual([]string{b.staff["ada.holm"]}, nil) // the head of IT is excluded from everything
	b.guest()
}

func buildP2(b *builder) {
	b.employ()
	b.administrators(true)
	accounts := b.emergency("kestrel.ash", "larkin.reed")
	for _, id := range accounts {
		b.assign(id, globalAdmin, "/")
		b.key(id, "primary", yubikey)
	}
	group := b.group("Conditional Access exclusions", "", nil, accounts...)
	b.usual(nil, []string{group})
	b.risk([]string{group})
	b.guest()
	for _, r := range []string{globalAdmin, privRoleAdmin, caAdmin, securityAdmin} {
		b.pim(r, r == globalAdmin, b.staff["ada.holm"], b.staff["eli.strand"])
	}
	b.review()
}

// buildPasswordOnly: two accounts that nobody has touched for years, excluded
// one by one.
func buildPasswordOnly(b *builder) {
	b.employ()
	b.administrators(false)
	accounts := b.emergency("breakglass1", "breakglass2")
	for _, id := range accounts {
		b.assign(id, globalAdmin, "/")
	}
	b.usual(accounts, nil)
	b.policy("CA008 Require compliant device for Office", "enabled", scope{includeUsers: everybody, excludeUsers: accounts[:1]}, demand("compliantDevice", "domainJoinedDevice"),
		Object{"applications": Object{"includeApplications": []any{"Office365"}}})
	b.guest()
}

// buildShared: the exclusion group has grown over the years.
func buildShared(b *builder) {
	b.employ()
	b.administrators(true)
	accounts := b.emergency("emergency.admin")
	b.eligible(accounts[0], globalAdmin)
	b.softwareOath(accounts[0], "2023-06-01T09:00:00Z")
	service := []string{b.user("svc-scanner@"+exampleCustom, "Scanner mail", nil), b.user("svc-backup@"+exampleCustom, "Backup", nil), b.user("svc-meetingroom@"+exampleCustom, "Meeting room", nil)}
	group := b.group("MFA exclusions", "", nil, append(service, accounts[0])...)
	b.st.Link("groups/owners", group, b.staff["dag.moe"])
	b.usual(nil, []string{group})
	b.risk([]string{group})
	b.pim(globalAdmin, true, b.staff["ada.holm"])
	b.pim(caAdmin, false)
	b.app("Policy pipeline", "Policy.Read.All", "Policy.ReadWrite.ConditionalAccess", "Group.ReadWrite.All")
	b.guest()
	b.review()
}

// buildHardened: as the catalogue of checks asks for, as far as a tenant goes.
// Custody, drills and the register are people's work.
func buildHardened(b *builder) {
	b.sku("Microsoft_Entra_ID_Governance", []string{"Entra_Identity_Governance"})
	b.employ()
	b.administrators(true)
	accounts := b.emergency("juniper.vale", "marlow.finch", "hazel.thorn")
	group := b.group("CA exclusions juniper", "role", Object{"isManagementRestricted": true}, accounts...)
	b.group("Pass enrolment", "role", Object{"isManagementRestricted": true})
	for _, id := range accounts {
		b.assign(id, globalAdmin, "/")
		b.key(id, "primary", yubikey)
		b.key(id, "spare", epass)
		b.st.Get("users", id)["isManagementRestricted"] = true
	}
	b.assign(b.staff["eli.strand"], privAuthAdmin, "/administrativeUnits/"+b.restrictedUnit("Emergency accounts", append(accounts, group)...))
	custom := b.strength("Emergency keys", yubikey, epass)
	b.policy("Emergency accounts: phishing-resistant MFA", "enabled", scope{includeGroups: []string{group}}, demandStrength(custom), nil)
	b.hardenedPolicies([]string{group})
	b.hardenedMethods(group)
	for _, r := range []string{globalAdmin, privRoleAdmin, privAuthAdmin, caAdmin, securityAdmin, userAdmin} {
		b.pim(r, r != userAdmin, b.staff["ada.holm"], b.staff["eli.strand"])
	}
	b.st.Single[pathAuthorize]["allowedToUseSSPR"] = false
	b.monitoring()
}

const (
	yubikey = "cb69481e-8ff7-4039-93ec-0a2729a154a8"
	epass   = "ee041bce-25e5-4cdb-8f86-897fd6418464"
)

func (b *builder) hardenedPolicies(out []string) {
	all := scope{includeUsers: everybody, excludeGroups: out}
	b.policy("CA001 Phishing-resistant MFA for administrators", "enabled", scope{includeRoles: adminRoles, excludeGroups: out}, demandStrength(phishingResistant), nil)
	b.policy("CA002 Require MFA for all users", "enabled", all, demand("mfa"), nil)
	b.policy("CA003 Block legacy authentication", "enabled", all, demand("block"), Object{"clientAppTypes": []any{"exchangeActiveSync", "other"}})
	b.policy("CA004 Block device code flow and authentication transfer", "enabled", all, demand("block"), Object{"authenticationFlows": Object{"transferMethods": "deviceCodeFlow,authenticationTransfer"}})
	b.policy("CA005 Block other countries", "enabled", all, demand("block"), Object{"locations": Object{"includeLocations": []any{"All"}, "excludeLocations": []any{b.country()}}})
	b.policy("CA009 Secure security info registration", "enabled", all, demand("mfa"), Object{"applications": Object{"includeUserActions": []any{"urn:user:registersecurityinfo"}}})
	b.policy("CA010 Block unknown platforms", "enabled", all, demand("block"), Object{"platforms": Object{"includePlatforms": []any{"all"}, "excludePlatforms": []any{"windows", "macOS", "linux", "android", "iOS"}}})
	b.risk(out)
}

func (b *builder) hardenedMethods(group string) {
	all := Object{"targetType": "group", "id": "all_users", "isRegistrationRequired": false, "allowedPasskeyProfiles": []any{}}
	b.method("Fido2", Object{"includeTargets": []any{all}, "isAttestationEnforced": true, "isSelfServiceRegistrationAllowed": true,
		"keyRestrictions": Object{"isEnforced": true, "enforcementType": "allow", "aaGuids": []any{yubikey, epass}}})
	b.method("TemporaryAccessPass", Object{"state": "enabled", "isUsableOnce": true, "minimumLifetimeInMinutes": 10, "maximumLifetimeInMinutes": 60, "defaultLifetimeInMinutes": 30,
		"includeTargets": []any{Object{"targetType": "group", "id": b.id("group", "Pass enrolment"), "isRegistrationRequired": false}}})
	for _, id := range []string{"SoftwareOath", "Email", "MicrosoftAuthenticator"} {
		b.method(id, Object{"excludeTargets": []any{Object{"targetType": "group", "id": group}}})
	}
	campaign := b.st.Single[pathMethods]["registrationEnforcement"].(Object)["authenticationMethodsRegistrationCampaign"].(Object)
	campaign["state"], campaign["excludeTargets"] = "enabled", []any{Object{"targetType": "group", "id": group}}
}

// administrators gives IT its roles: for ever, or to be activated.
func (b *builder) administrators(pim bool) {
	give := b.assign
	if pim {
		give = func(principal, role, _ string) { b.eligible(principal, role) }
	}
	for _, a := range []struct{ name, role string }{{"ada", globalAdmin}, {"bo", exchangeAdmin}, {"cleo", securityAdmin}, {"eli", caAdmin}} {
		id := b.user("adm."+a.name+"@"+exampleDomain, "Administrator "+a.name, nil)
		b.authenticator(id)
		b.key(id, "work key", yubikey)
		give(id, a.role, "/")
	}
	second := b.user("adm.second@"+exampleDomain, "Administrator second", nil)
	b.authenticator(second)
	b.key(second, "work key", yubikey)
	b.assign(second, globalAdmin, "/")
	b.assign(b.staff["dag.moe"], helpdeskAdmin, "/")
}

// emergency adds accounts of the initial domain that belong to nobody.
func (b *builder) emergency(names ...string) []string {
	var out []string
	for _, n := range names {
		id := b.user(n+"@"+exampleDomain, n, Object{"displayName": titled(n), "passwordPolicies": "DisablePasswordExpiration"})
		b.st.Single["users/"+id+"/authentication/requirements"] = Object{"perUserMfaState": "disabled"}
		out = append(out, id)
	}
	return out
}

func titled(name string) string {
	out := []rune(name)
	up := true
	for i, r := range out {
		switch {
		case r == '.':
			out[i], up = ' ', true
		case up:
			if r >= 'a' && r <= 'z' {
				out[i] = r - 'a' + 'A'
			}
			up = false
		}
	}
	return string(out)
}

func (b *builder) guest() {
	b.user("kim_fabrikam.example#EXT#@"+exampleDomain, "Kim Nord", Object{"userType": "Guest", "creationType": "Invitation", "externalUserState": "Accepted", "mail": "kim@fabrikam.example",
		"identities": []any{Object{"signInType": "federated", "issuer": "ExternalAzureAD", "issuerAssignedId": nil}}})
}

// strength adds a custom strength of security keys of named models.
func (b *builder) strength(name string, aaguids ...string) string {
	id := b.id("strength", name)
	b.st.Put(setStrengths, id, Object{"id": id, "displayName": name, "description": "", "policyType": "custom", "requirementsSatisfied": "mfa", "createdDateTime": "2026-01-10T09:00:00Z",
		"modifiedDateTime": "2026-01-10T09:00:00Z", "allowedCombinations": []any{"fido2"},
		"combinationConfigurations": []any{Object{"@odata.type": "#microsoft.graph.fido2CombinationConfiguration", "id": b.id("configuration", name), "appliesToCombinations": []any{"fido2"}, "allowedAAGUIDs": anys(aaguids)}}})
	return id
}

// restrictedUnit adds a restricted management administrative unit.
func (b *builder) restrictedUnit(name string, members ...string) string {
	id := b.id("unit", name)
	b.st.Put(setUnits, id, Object{"id": id, "displayName": name, "description": nil, "visibility": "HiddenMembership", "isMemberManagementRestricted": true, "membershipRule": nil, "membershipType": nil,
		"membershipRuleProcessingState": nil, "deletedDateTime": nil})
	for _, m := range members {
		b.st.Link("administrativeUnits/members", id, m)
	}
	return id
}

// review adds an access review of all groups that takes away what nobody answers
// for.
func (b *builder) review() {
	id := b.id("review", "Groups")
	b.st.Put("identityGovernance/accessReviews/definitions", id, Object{"id": id, "displayName": "Review of groups", "status": "InProgress", "createdDateTime": "2026-01-05T08:00:00Z", "lastModifiedDateTime": "2026-01-05T08:00:00Z",
		"descriptionForAdmins": "", "descriptionForReviewers": "", "scope": Object{"@odata.type": "#microsoft.graph.accessReviewQueryScope", "query": "/v1.0/groups/" + b.id("group", "IT") + "/transitiveMembers", "queryType": "MicrosoftGraph", "queryRoot": nil},
		"reviewers": []any{}, "fallbackReviewers": []any{}, "instanceEnumerationScope": nil, "stageSettings": []any{}, "additionalNotificationRecipients": []any{},
		"settings": Object{"mailNotificationsEnabled": true, "reminderNotificationsEnabled": true, "justificationRequiredOnApproval": true, "defaultDecisionEnabled": true, "defaultDecision": "Deny",
			"instanceDurationInDays": 14, "autoApplyDecisionsEnabled": true, "recommendationsEnabled": true, "applyActions": []any{Object{"@odata.type": "#microsoft.graph.removeAccessApplyAction"}}}})
}

// monitoring sends the logs to a workspace, with an alert rule for the accounts.
func (b *builder) monitoring() {
	sub := b.id("subscription", "operations")
	group := "/subscriptions/" + sub + "/resourceGroups/security"
	workspace := group + "/providers/Microsoft.OperationalInsights/workspaces/entra-logs"
	b.st.Put("arm/workspaces", workspace, Object{"id": workspace, "name": "entra-logs", "type": "Microsoft.OperationalInsights/workspaces", "location": "norwayeast",
		"properties": Object{"customerId": b.id("workspace", "entra-logs"), "provisioningState": "Succeeded", "retentionInDays": 180, "sku": Object{"name": "PerGB2018"}}})
	logs := []any{}
	for _, c := range []string{"SignInLogs", "NonInteractiveUserSignInLogs", "ServicePrincipalSignInLogs", "ManagedIdentitySignInLogs", "AuditLogs", "RiskyUsers", "UserRiskEvents", "MicrosoftGraphActivityLogs"} {
		logs = append(logs, Object{"category": c, "enabled": true, "retentionPolicy": Object{"enabled": false, "days": 0}})
	}
	setting := "/providers/microsoft.aadiam/diagnosticSettings/entra"
	b.st.Put("arm/diagnosticSettings", setting, Object{"id": setting, "name": "entra", "type": "microsoft.aadiam/diagnosticSettings", "properties": Object{"workspaceId": workspace, "logs": logs}})
	query := "SigninLogs | where UserId in ("
	for i, n := range []string{"juniper.vale", "marlow.finch", "hazel.thorn"} {
		if i > 0 {
			query += ", "
		}
		query += `"` + b.id("user", n+"@"+exampleDomain) + `"`
	}
	query += ")"
	action := group + "/providers/Microsoft.Insights/actionGroups/on-call"
	b.st.Put("arm/actionGroups", action, Object{"id": action, "name": "on-call", "type": "Microsoft.Insights/ActionGroups", "location": "Global", "properties": Object{"groupShortName": "on-call", "enabled": true,
		"emailReceivers": []any{Object{"name": "security", "emailAddress": "security@" + exampleCustom, "useCommonAlertSchema": true, "status": "Enabled"}}, "smsReceivers": []any{}, "voiceReceivers": []any{}, "webhookReceivers": []any{}}})
	rule := group + "/providers/Microsoft.Insights/scheduledQueryRules/emergency-sign-in"
	b.st.Put("arm/scheduledQueryRules", rule, Object{"id": rule, "name": "emergency-sign-in", "type": "Microsoft.Insights/scheduledQueryRules", "location": "norwayeast", "kind": "LogAlert",
		"properties": Object{"displayName": "Emergency account signed in", "severity": 0, "enabled": true, "scopes": []any{workspace}, "evaluationFrequency": "PT5M", "windowSize": "PT10M", "autoMitigate": false,
			"criteria": Object{"allOf": []any{Object{"query": query, "timeAggregation": "Count", "operator": "GreaterThan", "threshold": 0, "failingPeriods": Object{"numberOfEvaluationPeriods": 1, "minFailingPeriodsToAlert": 1}}}},
			"actions":  Object{"actionGroups": []any{action}, "customProperties": Object{}}}})
}
