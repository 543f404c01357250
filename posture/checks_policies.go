package posture

import "halligan/entra"

const (
	pageCAUsers    = "entra-docs concept-conditional-access-users-groups"
	pageCAGrant    = "entra-docs concept-conditional-access-grant"
	pageCASession  = "entra-docs concept-conditional-access-session"
	pageCANetwork  = "entra-docs concept-assignment-network"
	pageResilience = "entra-docs resilience-defaults"
	pageStrengths  = "entra-docs concept-authentication-strengths"
	pageProtected  = "entra-docs protected-actions-add"
	pageAdminPR    = "entra-docs policy-admin-phish-resistant-mfa"
	pageDefaults   = "entra-docs security-defaults"

	portalCA  = "Entra admin center > Conditional Access > Policies > the policy > "
	graphCA   = "PATCH /identity/conditionalAccess/policies/{id} "
	exclude   = portalCA + "Users > Exclude: add the group of the emergency accounts (two people approve)"
	graphExcl = graphCA + `{"conditions": {"users": {"excludeGroups": ["…"]}}}: give the whole object users, with all that it had`
	proveIt   = "halligan prove"
)

var excludeFix = Fix{Portal: []string{exclude, "wait until the change has arrived, then prove the accounts again"}, Graph: []string{graphExcl}, Command: []string{proveIt}}

// The checks of Conditional Access have EvenWithout: policies stay in force when
// a licence ends, so that the policies decide, not the licence (unreadPolicies).
var checksPolicies = []Check{
	{ID: "ca-not-blocked", Theme: ThemePolicies, Severity: Critical, PerAccount: true, Licence: LicenceP1, EvenWithout: true, Conflict: "C3", Setting: "policies",
		Title:      "No policy stops the account on its way to the admin center and to mending the policies",
		Why:        []string{"S58", "S61", "S63", "S96", pageEmergency},
		References: []string{"Maester MT.1005", "ZeroTrustAssessment 21835", "CA-Breakglass-Exclusion-Validator", "azd-emergency-access"},
		Fix:        excludeFix, Judge: judgeNotBlocked},
	{ID: "ca-intended-included", Theme: ThemePolicies, Severity: High, PerAccount: true, Licence: LicenceP1, EvenWithout: true, Conflict: "C3", Setting: "policies",
		Title:      "Each policy treats the account as the register intends",
		Why:        []string{"S40", "S61", "github.com/MicrosoftDocs/entra-docs/pull/1373 (Microsoft's two texts)"},
		References: []string{"Maester MT.1036 (indirectly)"},
		Fix: Fix{Portal: []string{"included: " + portalCA + "Users > Include: add the group of the emergency accounts, take it out of Exclude, and switch the policy on", "excluded: " + exclude, "a policy that is gone: create it anew, or take it out of halligan.yaml"},
			Graph: []string{graphCA + `{"conditions": {"users": {…}}, "state": "enabled"}`}, Command: []string{proveIt}},
		Judge: judgeIntended},
	{ID: "ca-fallback-exists", Theme: ThemePolicies, Severity: Medium, PerAccount: true, Licence: LicenceP1, EvenWithout: true, Conflict: "C3", Setting: "policies",
		Title:      "A policy demands phishing-resistant multifactor authentication of the account",
		Why:        []string{"S40", pageEmergency + ", step 4", "github.com/maester365/maester/issues/717"},
		References: []string{"Maester MT.1036"},
		Fix: Fix{Portal: []string{"Entra admin center > Conditional Access > New policy: Users: the group of the emergency accounts; Resources: all; no conditions; Grant: authentication strength Phishing-resistant MFA", "report-only first; prove the accounts; then on"},
			Graph: []string{"POST /identity/conditionalAccess/policies"}, Command: []string{proveIt}},
		Judge: judgeFallback},
	{ID: "ca-report-only-clean", Theme: ThemePolicies, Severity: Medium, PerAccount: true, Licence: LicenceP1, EvenWithout: true,
		Title:      "No policy that is off or report-only would stop the account when it is switched on",
		Why:        []string{"S96", "entra-docs managed-policies: Microsoft switches its own policies on by itself"},
		References: []string{"Maester MT.1005", "azd-emergency-access"},
		Fix:        excludeFix, Judge: judgeReportOnly},
	{ID: "ca-whatif-matrix", Theme: ThemePolicies, Severity: Critical, PerAccount: true, Licence: LicenceP1,
		Title:      "Microsoft's own evaluation finds no policy that the account cannot meet",
		Why:        []string{"S96", "S97", "proof beats reading: the same questions put to Microsoft", "graph: conditionalaccessroot-evaluate"},
		References: []string{"Maester MT.1034"},
		Reads:      []entra.Part{entra.PartWhatIf},
		Fix: Fix{Portal: []string{"Entra admin center > Conditional Access > What If: put the question that failed", exclude},
			Graph: []string{"POST /identity/conditionalAccess/evaluate", graphExcl}, Command: []string{proveIt}},
		Judge: judgeWhatIf},
	{ID: "ca-device-unmeetable", Theme: ThemePolicies, Severity: Critical, PerAccount: true, Licence: LicenceP1, EvenWithout: true,
		Title: "No policy demands a managed device, an app, terms of use or a new password of the account",
		Why:   []string{"S63", "S111", pageCAGrant},
		Fix:   excludeFix, Judge: judgeDevice},
	{ID: "ca-location", Theme: ThemePolicies, Severity: High, PerAccount: true, Licence: LicenceP1, EvenWithout: true,
		Title:      "The account gets in from wherever it is used",
		Why:        []string{"S63", "S96", pageCANetwork},
		References: []string{"Maester MT.1191"},
		Fix:        excludeFix, Judge: judgeLocation},
	{ID: "ca-session", Theme: ThemePolicies, Severity: Medium, PerAccount: true, Licence: LicenceP1, EvenWithout: true,
		Title: "No session control that can break a recovery reaches the account",
		Why:   []string{"S96", pageCASession, pageResilience},
		Fix: Fix{Portal: []string{exclude, portalCA + "Session: leave resilience defaults on"},
			Graph: []string{graphExcl, graphCA + `{"sessionControls": {"disableResilienceDefaults": false}}`}, Command: []string{proveIt}},
		Judge: judgeSession},
	{ID: "ca-authflow-userAction", Theme: ThemePolicies, Severity: High, PerAccount: true, Licence: LicenceP1, EvenWithout: true,
		Title:      "No policy on user actions or authentication flows stops the account's recovery or the enrolment of a key",
		Why:        []string{"S13", "entra-docs policy-all-users-security-info-registration"},
		References: []string{"Maester MT.1011"},
		Fix: Fix{Portal: []string{exclude, "or: exclude the group for the time of a declared enrolment window only"},
			Graph: []string{graphExcl}, Command: []string{proveIt}},
		Judge: judgeAuthFlow},
	{ID: "ca-authcontext", Theme: ThemePolicies, Severity: High, PerAccount: true, Licence: LicenceP1, EvenWithout: true,
		Title: "Every protected action has a policy for its context, and the account can meet it",
		Why:   []string{pageProtected + ": a context without an enabled policy is never satisfied", "S58"},
		Reads: []entra.Part{entra.PartProtectedActions},
		Fix: Fix{Portal: []string{"Entra admin center > Conditional Access > New policy: target the authentication context; exclude the emergency accounts, or demand phishing-resistant MFA", "or: Entra admin center > Roles & admins > Protected actions: take the protection off (aka.ms/MSALProtectedActions)"},
			Graph: []string{"GET /roleManagement/directory/resourceNamespaces/microsoft.directory/resourceActions?$select=name,authenticationContextId", graphExcl}, Command: []string{proveIt}},
		Judge: judgeAuthContext},
	{ID: "ca-strength-fits", Theme: ThemePolicies, Severity: Critical, PerAccount: true, Licence: LicenceP1, EvenWithout: true, Conflict: "C3",
		Title: "Every authentication strength that is demanded of the account admits each of its keys",
		Why:   []string{"S6", "S56", pageStrengths, "entra-docs concept-authentication-strength-advanced-options"},
		Reads: []entra.Part{entra.PartAccounts},
		Fix: Fix{Portal: []string{"Entra admin center > Authentication methods > Authentication strengths > the strength > Edit: add the AAGUID of the key, or take the restriction off", "or enrol a key of an admitted model"},
			Graph: []string{"PATCH /policies/authenticationStrengthPolicies/{id}/combinationConfigurations/{id}"}, Command: []string{proveIt}},
		Judge: judgeStrength},
	{ID: "ca-stale-ref", Theme: ThemePolicies, Severity: High, Licence: LicenceP1, EvenWithout: true,
		Title:      "No policy excludes an account or group that no longer exists",
		Why:        []string{"S45", "github.com/maester365/maester/issues/620", "a new object under the old name has another id, and no exclusion"},
		References: []string{"Maester MT.1066", "Maester MT.1038"},
		Fix: Fix{Portal: []string{portalCA + "Users > Exclude: put the object that exists in the place of the one that is gone", "or restore the deleted object within 30 days"},
			Graph: []string{"GET /directory/deletedItems/microsoft.graph.user", graphExcl}},
		Judge: judgeStale},
	{ID: "ca-role-exclusion-trap", Theme: ThemePolicies, Severity: High, PerAccount: true, Licence: LicenceP1, EvenWithout: true,
		Title: "The account is not excluded by its role alone",
		Why:   []string{pageAdminPR, pageCAUsers + ": a role that is custom or held in an administrative unit does not count", "who excludes a role excludes every administrator who holds it"},
		Fix: Fix{Portal: []string{portalCA + "Users > Exclude: add the group of the emergency accounts, then take the directory role out"},
			Graph: []string{graphExcl}, Command: []string{proveIt}},
		Judge: judgeRoleTrap},
	{ID: "ca-new-policy-watch", Theme: ThemePolicies, Severity: High, Licence: LicenceP1, EvenWithout: true, Setting: "reevaluateMinutes",
		Title: "A change of Conditional Access is judged again within the time that was set",
		Why:   []string{"S33", "the next policy that somebody makes is the one that locks out"}, References: []string{"azd-emergency-access"},
		Fix:   Fix{Command: []string{"halligan watch"}, Graph: []string{"GET /auditLogs/directoryAudits?$filter=category eq 'Policy'"}},
		Judge: judgeNewPolicyWatch},
	{ID: "ca-exclusion-exclusive", Theme: ThemePolicies, Severity: High,
		Title:      "The groups that exclude the accounts hold nobody else",
		Why:        []string{"S91", "S24", "github.com/maester365/maester/issues/197"},
		References: []string{"Maester MT.1005"},
		Fix: Fix{Portal: []string{"give service accounts and others a group of their own, bound to their places", "Entra admin center > Groups > the group > Members: take everybody out who is no emergency account"},
			Graph: []string{"GET /groups/{id}/transitiveMembers", "DELETE /groups/{id}/members/{id}/$ref"}},
		Judge: judgeExclusive},
	{ID: "sd-mode", Theme: ThemePolicies, Severity: Critical,
		Title:      "Security defaults fit the accounts' methods, or policies take their place",
		Why:        []string{"S9", "S12", "S43", pageDefaults},
		References: []string{"Maester MT.1021"},
		Reads:      []entra.Part{entra.PartSecurityDefaults},
		Fix: Fix{Portal: []string{"security defaults on: enrol a key for each account", "off and no licence for Conditional Access: Entra admin center > Overview > Properties > Manage security defaults"},
			Graph: []string{`PATCH /policies/identitySecurityDefaultsEnforcementPolicy {"isEnabled": true}`, "POST /users/{id}/authentication/fido2Methods"}},
		Judge: judgeSecurityDefaults},
	{ID: "mmfa-ready", Theme: ThemePolicies, Severity: Critical, PerAccount: true, Conflict: "C9", Setting: "mfa",
		Title: "The account has a method for the multifactor authentication that Microsoft itself demands",
		Why:   []string{"S1", "S83", "S84", pageMandatory},
		Reads: []entra.Part{entra.PartAccounts},
		Fix: Fix{Portal: []string{"give the account a Temporary Access Pass within a declared window, sign in at aka.ms/mysecurityinfo and add a security key", "until then Microsoft Graph PowerShell can mend policies with a password alone, where no policy stops it"},
			Graph: []string{"POST /users/{id}/authentication/fido2Methods"}},
		Judge: judgeMandatoryReady},
}
