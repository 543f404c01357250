package entra

import "strings"

// kind is one sort of object that exports hold, and how it is told from others
// by its content. The name of a file is never asked.
type kind struct {
	part Part
	// shape reports whether an object is of this kind by its own keys.
	shape func(*node) bool
	// listed reports whether an object may be of this kind when it stands in a
	// list that says so; nil: only by its shape.
	listed func(*node) bool
	// read takes the object into the content.
	read func(*reader, *document, *node, Origin)
	// names are the keys under which reports keep a list of this kind, and the
	// ends of the @odata.context of such a list; in lower case, without "_",
	// and with "." for "/".
	names []string
	// single is true for what a tenant has once: then one is all of them.
	single bool
	// typed is true for what becomes a noun of this package.
	typed bool
	// slice is true for what sources give some of by design: a filtered query
	// cannot be told from a whole list. Such a list never counts as all of them.
	slice bool
}

// kindTable lists what is recognised. The first whose shape fits wins.
func kindTable() []*kind {
	out := typedKinds()
	for _, k := range out {
		k.typed = true
	}
	return append(out, keptKinds()...)
}

// typedKinds are what becomes a noun of this package. The first of a part is the
// object that Graph lists under the part's request.
func typedKinds() []*kind {
	return []*kind{
		{part: PartPolicies, shape: looksLikePolicy, listed: mayBePolicy, read: (*reader).policy,
			names: []string{"conditionalaccesspolicies", "conditionalaccess.policies", "conditionalaccesspolicy", "capolicies"}},
		{part: PartLocations, shape: looksLikeLocation, listed: identified, read: (*reader).location,
			names: []string{"namedlocations", "conditionalaccess.namedlocations"}},
		{part: PartStrengths, shape: looksLikeStrength, listed: identified, read: (*reader).strength,
			names: []string{"authenticationstrengthpolicies", "authenticationstrength.policies", "authenticationstrengths",
				"policies.authenticationstrengthpolicies"}},
		{part: PartContexts, shape: looksLikeContext, listed: identified, read: (*reader).authContext,
			names: []string{"authenticationcontextclassreferences", "authenticationcontexts"}},
		{part: PartMethodsPolicy, shape: looksLikeMethodsPolicy, read: (*reader).methodsPolicy, single: true,
			names: []string{"authenticationmethodspolicy", "policies.authenticationmethodspolicy", "authenticationmethodpolicy"}},
		{part: PartMethodsPolicy, shape: looksLikeMethodConfiguration, read: (*reader).methodConfiguration, single: true,
			names: []string{"authenticationmethodconfigurations", "authenticationmethodfeaturesettings"}},
		{part: PartSecurityDefaults, shape: looksLikeSecurityDefaults, listed: func(v *node) bool { return v.get("isEnabled") != nil },
			read: (*reader).securityDefaults, single: true,
			names: []string{"identitysecuritydefaultsenforcementpolicy", "policies.identitysecuritydefaultsenforcementpolicy", "securitydefaults"}},
		{part: PartAuthorization, shape: func(v *node) bool { return v.get("allowedToUseSSPR") != nil },
			read: (*reader).authorization, single: true, names: []string{"authorizationpolicy", "policies.authorizationpolicy", "authorizationpolicies"}},
		{part: PartRoleEligibility, shape: looksLikeEligibility, listed: looksLikeAssignment, read: (*reader).eligibility,
			names: []string{"roleeligibilityscheduleinstances", "roleeligibilityschedules", "unifiedroleeligibilityscheduleinstance", "unifiedroleeligibilityschedule", "directory.roleeligibilityscheduleinstances",
				"directory.roleeligibilityschedules"}},
		{part: PartRoleAssignments, shape: looksLikeAssignment, read: (*reader).assignment,
			names: []string{"roleassignments", "directory.roleassignments", "unifiedroleassignmentscheduleinstance", "unifiedroleassignmentschedule", "roleassignmentscheduleinstances",
				"directory.roleassignmentscheduleinstances", "roleassignmentschedules", "directory.roleassignmentschedules"}},
		{part: PartRoleAssignments, shape: looksLikeDirectoryRole, read: (*reader).directoryRole, slice: true,
			names: []string{"directoryroles"}},
		{part: PartRoleAssignments, shape: looksLikePrivilegedRole, read: (*reader).privilegedRole, slice: true, names: []string{"privilegedroles"}},
		{part: PartRolePolicies, shape: looksLikeRolePolicy, read: (*reader).rolePolicy,
			names: []string{"rolemanagementpolicyassignments", "policies.rolemanagementpolicyassignments"}},
		{part: PartProtectedActions, shape: looksLikeResourceAction, listed: func(v *node) bool { return v.get("name") != nil },
			read: (*reader).resourceAction, names: []string{"resourceactions"}},
		{part: PartAgreements, shape: func(v *node) bool { return v.get("isPerDeviceAcceptanceRequired") != nil }, listed: identified,
			read: (*reader).agreement, names: []string{"agreements", "termsofuse.agreements", "identitygovernance.termsofuse.agreements"}},
		{part: PartApplications, shape: looksLikeServicePrincipal, listed: func(v *node) bool { return v.get("appId") != nil },
			read: (*reader).servicePrincipal, slice: true, names: []string{"serviceprincipals"}},
		{part: PartDomains, shape: looksLikeDomain, listed: identified, read: (*reader).domain, names: []string{"domains", "domainsettings"}},
		{part: PartLicences, shape: looksLikeSku, read: (*reader).sku, names: []string{"subscribedskus"}},
		{part: PartLicences, shape: looksLikePlan, read: (*reader).plan, names: []string{"serviceplans"}},
		{part: PartGroups, shape: looksLikeGroup, listed: identified, read: (*reader).group, slice: true, names: []string{"groups"}},
		{part: PartUsers, shape: looksLikeUser, listed: identified, read: (*reader).user, slice: true, names: []string{"users"}},
		{part: PartAccounts, shape: looksLikeMethod, read: (*reader).looseMethod, slice: true},
		{part: PartAccounts, shape: func(v *node) bool { return v.get("perUserMfaState") != nil && v.get("userPrincipalName") == nil },
			read: (*reader).requirements, slice: true},
	}
}

// kept are parts whose objects are kept as they are, for the checks, with the key
// that says whom an object is about and the names of their lists.
var kept = []struct {
	part    Part
	subject string
	names   []string
}{
	{PartAdministrativeUnits, "id", []string{"administrativeunits", "directory.administrativeunits"}},
	{PartGroupLifecycle, "id", []string{"grouplifecyclepolicies"}},
	{PartRegistrationDetails, "id", []string{"userregistrationdetails", "authenticationmethods.userregistrationdetails"}},
	{PartOnPremisesSync, "id", []string{"onpremisessynchronization", "directory.onpremisessynchronization"}},
	{PartCertificateAuthority, "id", []string{"certificatebasedauthconfigurations", "publickeyinfrastructure.certificatebasedauthconfigurations"}},
	{PartRiskyUsers, "id", []string{"riskyusers", "identityprotection.riskyusers"}},
	{PartRiskDetections, "userId", []string{"riskdetections", "identityprotection.riskdetections"}},
	{PartLifecycleWorkflows, "id", []string{"lifecycleworkflows.workflows", "identitygovernance.lifecycleworkflows.workflows"}},
	{PartAccessReviews, "id", []string{"accessreviews.definitions", "identitygovernance.accessreviews.definitions"}},
}

// keptKinds tells the kept parts by the list that they stand in, never by their
// keys.
func keptKinds() []*kind {
	var out []*kind
	for _, k := range kept {
		out = append(out, &kind{part: k.part, names: k.names, shape: func(*node) bool { return false }, listed: identified,
			read: func(r *reader, doc *document, v *node, _ Origin) {
				r.keep(k.part, ID(v.str(k.subject)), doc.canonical(v))
			}})
	}
	return out
}

func identified(v *node) bool { return v.get("id") != nil }

// anyKey reports whether the object has one of the keys, whatever their value.
func anyKey(v *node, keys ...string) bool {
	for _, k := range keys {
		if v.get(k) != nil {
			return true
		}
	}
	return false
}

// member returns a value of the object, also one that the PowerShell SDK put
// into AdditionalProperties.
func (n *node) member(key string) *node {
	if v := n.get(key); v != nil {
		return v
	}
	return n.get("AdditionalProperties").get(key)
}

// has reports whether the object has a key with something in it.
func (n *node) has(key string) bool {
	v := n.member(key)
	return v != nil && !v.unset()
}

// odataType returns the type of an object without its namespace; "" when it
// does not say.
func odataType(obj *node) string {
	v := obj.member("@odata.type")
	if v == nil {
		v = obj.get("OdataType")
	}
	if v == nil || v.kind != '"' {
		return ""
	}
	return v.text[strings.LastIndexByte(v.text, '.')+1:]
}

func isType(v *node, name string) bool { return strings.EqualFold(odataType(v), name) }

func looksLikePolicy(v *node) bool {
	c := v.get("conditions")
	if c == nil {
		return v.get("grantControls") != nil && anyKey(v, "state", "displayName", "sessionControls")
	}
	if c.kind == '{' && anyKey(c, "users", "applications", "clientAppTypes", "clientApplications", "signInRiskLevels", "userRiskLevels") {
		return true
	}
	return c.kind != '[' && anyKey(v, "grantControls", "sessionControls")
}

// mayBePolicy: among policies, whatever says its state, or its id and name, is
// one.
func mayBePolicy(v *node) bool {
	return looksLikePolicy(v) || anyKey(v, "state", "conditions", "grantControls") || v.get("id") != nil && v.get("displayName") != nil
}

func looksLikeLocation(v *node) bool {
	if strings.HasSuffix(strings.ToLower(odataType(v)), "namedlocation") {
		return true
	}
	return v.member("countriesAndRegions") != nil || v.member("compliantNetworkType") != nil ||
		v.member("ipRanges") != nil && (v.member("isTrusted") != nil || v.get("displayName") != nil)
}

func looksLikeStrength(v *node) bool {
	return v.get("allowedCombinations") != nil && v.get("conditions") == nil
}

func looksLikeContext(v *node) bool {
	if isType(v, "authenticationContextClassReference") {
		return true
	}
	id := v.str("id")
	return len(id) >= 2 && len(id) <= 3 && (id[0] == 'c' || id[0] == 'C') && id[1] >= '1' && id[1] <= '9' && v.get("isAvailable") != nil
}

func looksLikeMethodsPolicy(v *node) bool {
	return v.get("policyMigrationState") != nil || v.get("registrationEnforcement") != nil ||
		v.get("authenticationMethodConfigurations") != nil
}

func looksLikeMethodConfiguration(v *node) bool {
	t := strings.ToLower(odataType(v))
	return strings.HasSuffix(t, "authenticationmethodconfiguration") || strings.HasSuffix(t, "authenticationconfiguration") && v.get("state") != nil
}

func looksLikeSecurityDefaults(v *node) bool {
	return isType(v, "identitySecurityDefaultsEnforcementPolicy") ||
		v.get("isEnabled") != nil && (ID(v.str("id")).Equal("00000000-0000-0000-0000-000000000005") || strings.EqualFold(v.str("displayName"), "Security Defaults"))
}

func looksLikeAssignment(v *node) bool {
	return anyKey(v, "principalId", "principal") && anyKey(v, "roleDefinitionId", "roleDefinition") &&
		anyKey(v, "directoryScopeId", "appScopeId", "directoryScope") && v.get("action") == nil // requests are not assignments
}

func looksLikeEligibility(v *node) bool {
	return looksLikeAssignment(v) && (v.get("roleEligibilityScheduleId") != nil ||
		v.get("scheduleInfo") != nil && v.get("assignmentType") == nil)
}

func looksLikeDirectoryRole(v *node) bool {
	return isType(v, "directoryRole") || v.get("roleTemplateId") != nil && v.get("displayName") != nil && v.get("assignments") == nil
}

func looksLikePrivilegedRole(v *node) bool {
	return v.get("roleTemplateId") != nil && v.get("assignments") != nil
}

func looksLikeRolePolicy(v *node) bool {
	return v.get("roleDefinitionId") != nil && v.get("policy").get("rules") != nil
}

func looksLikeResourceAction(v *node) bool {
	return v.get("authenticationContextId") != nil && v.get("name") != nil
}

func looksLikeServicePrincipal(v *node) bool {
	return v.get("appId") != nil && v.get("appDisplayName") == nil && anyKey(v, "servicePrincipalType", "customSecurityAttributes", "servicePrincipalNames") ||
		isType(v, "servicePrincipal") || v.get("appId") != nil && anyKey(v, "servicePrincipalType")
}

func looksLikeDomain(v *node) bool {
	return v.get("authenticationType") != nil && anyKey(v, "isInitial", "isVerified") && v.get("id") != nil
}

func looksLikeSku(v *node) bool { return v.get("skuPartNumber") != nil && v.get("servicePlans") != nil }

func looksLikePlan(v *node) bool {
	return v.get("servicePlanName") != nil && v.get("provisioningStatus") != nil
}

func looksLikeGroup(v *node) bool {
	return isType(v, "group") || v.get("id") != nil && (v.get("groupTypes") != nil || v.get("isAssignableToRole") != nil ||
		v.get("securityEnabled") != nil && v.get("mailEnabled") != nil)
}

// looksLikeUser leaves out log records and reports, which name accounts too.
func looksLikeUser(v *node) bool {
	if t := odataType(v); t != "" {
		return strings.EqualFold(t, "user")
	}
	return v.get("userPrincipalName") != nil && v.get("id") != nil &&
		anyKey(v, "accountEnabled", "userType", "mail", "givenName", "businessPhones", "onPremisesSyncEnabled", "transitiveMemberOf", "memberOf", "authentication")
}

// looksLikeLog reports whether an object is a record of a sign-in or a change.
// It names policies and accounts as they were once.
func looksLikeLog(v *node) bool {
	return anyKey(v, "appliedConditionalAccessPolicies", "conditionalAccessStatus", "initiatedBy", "activityDisplayName")
}

func looksLikeMethod(v *node) bool {
	return strings.HasSuffix(strings.ToLower(odataType(v)), "authenticationmethod")
}
