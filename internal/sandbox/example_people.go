package sandbox

import (
	"encoding/base32"
	"strings"
)

// staff are the people of Contoso: name, job, department.
var staffList = [][3]string{
	{"Ada Holm", "Head of IT", "IT"}, {"Bo Lind", "System administrator", "IT"}, {"Cleo Dahl", "System administrator", "IT"}, {"Dag Moe", "Service desk", "IT"},
	{"Eli Strand", "Security officer", "IT"}, {"Fia Berg", "Chief executive", "Management"}, {"Geir Aas", "Chief financial officer", "Finance"}, {"Hedda Vik", "Accountant", "Finance"},
	{"Isak Lie", "Accountant", "Finance"}, {"Jon Eide", "Developer", "Product"}, {"Kaja Foss", "Developer", "Product"}, {"Lars Hagen", "Developer", "Product"},
	{"Mia Solberg", "Designer", "Product"}, {"Nils Tangen", "Product manager", "Product"}, {"Oda Ruud", "Sales", "Sales"}, {"Per Bakke", "Sales", "Sales"},
	{"Runa Haug", "Sales", "Sales"}, {"Siv Nygaard", "Human resources", "People"}, {"Tor Myhre", "Legal", "People"}, {"Una Lunde", "Reception", "People"},
	{"Vidar Sand", "Warehouse", "Logistics"}, {"Wenche Ness", "Warehouse", "Logistics"}, {"Yngve Krog", "Driver", "Logistics"}, {"Ola Wold", "Driver", "Logistics"},
}

// employ adds the staff. IT has administrators' accounts of its own from P1 on.
func (b *builder) employ() {
	for i, p := range staffList {
		given, family, _ := strings.Cut(p[0], " ")
		local := strings.ToLower(given + "." + family)
		id := b.user(local+"@"+exampleCustom, p[0], Object{"givenName": given, "surname": family, "jobTitle": p[1], "department": p[2], "mail": local + "@" + exampleCustom,
			"mobilePhone": "+47 900 00 0" + itoa(100+i), "officeLocation": "Oslo", "usageLocation": "NO", "assignedLicenses": []any{b.licence()}})
		b.staff[local] = id
		b.authenticator(id)
		b.signedIn(id, i)
		if i > 0 {
			b.st.Link("users/manager", id, b.staff["ada.holm"])
		}
	}
	b.group("All employees", "", nil)
	b.group("IT", "", nil, b.staff["ada.holm"], b.staff["bo.lind"], b.staff["cleo.dahl"], b.staff["dag.moe"], b.staff["eli.strand"])
	for _, id := range keys(b.staff) {
		b.st.Link("groups/members", b.id("group", "All employees"), b.staff[id])
	}
	b.app(ReaderName, readerPermissions...)
	b.app("HR connector", "User.Read.All")
}

// auditor adds somebody who may read everything and change nothing, with a
// password and codes, and the consent to Microsoft Graph Command Line Tools that
// an administrator gave for everybody: who tries Halligan signs in as this
// person.
func (b *builder) auditor(domain string) {
	upn := "gaia.rune@" + domain
	id := b.user(upn, "Gaia Rune", Object{"givenName": "Gaia", "surname": "Rune", "jobTitle": "Auditor", "department": "Management", "mail": upn, "usageLocation": "NO", "assignedLicenses": []any{b.licence()}})
	b.authenticator(id)
	b.assign(id, globalReader, "/")
	grant := b.id("consent", commandLineTools)
	b.st.Put("oauth2PermissionGrants", grant, Object{"id": grant, "clientId": b.id("service principal", commandLineTools), "consentType": "AllPrincipals", "principalId": nil,
		"resourceId": b.id("service principal", firstParties[0].app), "scope": strings.Join(readerPermissions, " ")})
}

// commandLineTools is Microsoft Graph Command Line Tools.
const commandLineTools = "14d82eec-204b-4c2f-b7e8-296a70dab67e"

// ReaderName is the application that every example tenant has for being read, with
// a made-up secret (Server.Apps).
const ReaderName = "Halligan reader"

// readerPermissions are what reading a tenant takes at least.
var readerPermissions = []string{"AccessReview.Read.All", "AdministrativeUnit.Read.All", "Agreement.Read.All", "Application.Read.All", "AuditLog.Read.All", "Directory.Read.All", "Domain-InternalFederation.Read.All", "Domain.Read.All",
	"GroupMember.Read.All", "IdentityRiskEvent.Read.All", "IdentityRiskyUser.Read.All", "LicenseAssignment.Read.All", "LifecycleWorkflows-Workflow.Read.All", "OnPremDirectorySynchronization.Read.All",
	"Organization.Read.All", "Policy.Read.All", "Policy.Read.AuthenticationMethod", "Policy.Read.ConditionalAccess", "PublicKeyInfrastructure.Read.All", "RoleAssignmentSchedule.Read.Directory", "RoleEligibilitySchedule.Read.Directory",
	"RoleManagement.Read.Directory", "RoleManagementPolicy.Read.Directory", "User-LifeCycleInfo.Read.All", "User.Read.All", "UserAuthenticationMethod.Read.All"}

func (b *builder) licence() Object {
	for _, sku := range b.st.All("subscribedSkus") {
		return Object{"skuId": sku["skuId"], "disabledPlans": []any{}}
	}
	return Object{}
}

// user adds a person, with a password method.
func (b *builder) user(upn, name string, more Object) string {
	id := b.id("user", upn)
	created := stamp(b.born)
	local, _, _ := strings.Cut(upn, "@")
	o := Object{"id": id, "userPrincipalName": upn, "displayName": name, "mailNickname": local, "userType": "Member", "accountEnabled": true, "createdDateTime": created, "deletedDateTime": nil,
		"businessPhones": []any{}, "givenName": nil, "surname": nil, "jobTitle": nil, "mail": nil, "mobilePhone": nil, "officeLocation": nil, "preferredLanguage": nil,
		"passwordPolicies": nil, "lastPasswordChangeDateTime": created, "signInSessionsValidFromDateTime": created, "onPremisesSyncEnabled": nil, "onPremisesSecurityIdentifier": nil,
		"onPremisesImmutableId": nil, "creationType": nil, "employeeId": nil, "employeeType": nil, "employeeHireDate": nil, "employeeLeaveDateTime": nil, "otherMails": []any{}, "proxyAddresses": []any{},
		"assignedLicenses": []any{}, "assignedPlans": []any{}, "usageLocation": nil, "department": nil, "companyName": nil, "isManagementRestricted": false, "isResourceAccount": nil,
		"externalUserState": nil, "securityIdentifier": "S-1-12-1-" + id[:8], "ageGroup": nil, "showInAddressList": nil, "authorizationInfo": Object{"certificateUserIds": []any{}},
		"identities":      []any{Object{"signInType": "userPrincipalName", "issuer": exampleDomain, "issuerAssignedId": upn}},
		"passwordProfile": Object{"forceChangePasswordNextSignIn": false, "forceChangePasswordNextSignInWithMfa": false, "password": nil}, "signInActivity": nil}
	for k, v := range more {
		o[k] = v
	}
	b.st.Put("users", id, o)
	b.st.Put(methodsOf(id), passwordMethod, passwordObject(created))
	b.st.Credentials[id] = &Credentials{Password: ExamplePassword(upn)}
	return id
}

// authenticator gives a person the Authenticator app and a code generator.
func (b *builder) authenticator(user string) {
	at := "2024-04-02T07:30:00Z"
	app := b.id("authenticator", user)
	b.st.Put(methodsOf(user), app, Object{"@odata.type": "#microsoft.graph.microsoftAuthenticatorAuthenticationMethod", "id": app, "displayName": "Phone", "deviceTag": "SoftwareTokenActivated",
		"phoneAppVersion": "6.2410.7000", "createdDateTime": at})
	b.softwareOath(user, at)
}

func (b *builder) softwareOath(user, at string) {
	id := b.id("software token", user)
	b.st.Put(methodsOf(user), id, Object{"@odata.type": "#microsoft.graph.softwareOathAuthenticationMethod", "id": id, "secretKey": nil, "createdDateTime": at})
	seed := strings.ReplaceAll(derivedID("seed", user), "-", "")
	b.st.credential(user, func(c *Credentials) {
		c.TOTP = base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString([]byte(seed)[:20])
	})
}

// key gives a person a security key that was registered long ago. It stands in
// Graph; a person who wants to sign in with it registers one of their own.
func (b *builder) key(user, name, aaguid string) {
	id := strings.ReplaceAll(b.id("key", user+name), "-", "") + "AA"
	b.st.Put(methodsOf(user), id, Object{"@odata.type": "#microsoft.graph.fido2AuthenticationMethod", "id": id, "displayName": name, "aaGuid": aaguid, "model": modelName(aaguid),
		"attestationCertificates": []any{}, "attestationLevel": "attested", "passkeyType": "deviceBound", "createdDateTime": "2026-01-12T09:00:00Z"})
}

// group adds a group; assignable is "role" for a role-assignable one.
func (b *builder) group(name, assignable string, more Object, members ...string) string {
	id := b.id("group", name)
	o := Object{"id": id, "displayName": name, "description": nil, "createdDateTime": stamp(b.born), "renewedDateTime": stamp(b.born), "deletedDateTime": nil, "expirationDateTime": nil,
		"groupTypes": []any{}, "mail": nil, "mailEnabled": false, "mailNickname": strings.ToLower(strings.ReplaceAll(name, " ", "")), "securityEnabled": true, "membershipRule": nil,
		"membershipRuleProcessingState": nil, "onPremisesSyncEnabled": nil, "isManagementRestricted": false, "proxyAddresses": []any{}, "visibility": nil, "isAssignableToRole": nil,
		"securityIdentifier": "S-1-12-1-" + id[:8], "onPremisesProvisioningErrors": []any{}, "resourceProvisioningOptions": []any{}, "theme": nil}
	if assignable != "" {
		o["isAssignableToRole"] = true
	}
	for k, v := range more {
		o[k] = v
	}
	b.st.Put("groups", id, o)
	for _, m := range members {
		b.st.Link("groups/members", id, m)
	}
	return id
}

// assign gives a role for ever.
func (b *builder) assign(principal, role, scope string) {
	id := b.id("role assignment", principal+role+scope)
	a := Object{"id": id, "principalId": principal, "roleDefinitionId": role, "directoryScopeId": scope}
	b.st.Put(setAssignments, id, a)
	if b.st.Plan == "P2" {
		b.st.Put(setActive, id, instance(a, b.born))
	}
}

// eligible makes a role one that a person can activate.
func (b *builder) eligible(principal, role string) {
	id := b.id("eligible", principal+role)
	b.st.Put(setEligible, id, Object{"id": id, "principalId": principal, "roleDefinitionId": role, "directoryScopeId": "/", "appScopeId": nil, "startDateTime": stamp(b.born), "endDateTime": nil,
		"memberType": "Direct", "roleEligibilityScheduleId": id})
}

// signedIn writes a sign-in of a person some days ago, and when it was.
func (b *builder) signedIn(user string, n int) {
	at := stamp(b.born.AddDate(3, 7, 10).AddDate(0, 0, -n%9))
	u := b.st.Get("users", user)
	if b.st.Plan != "Free" {
		u["signInActivity"] = Object{"lastSignInDateTime": at, "lastSignInRequestId": b.id("request", user), "lastNonInteractiveSignInDateTime": at, "lastNonInteractiveSignInRequestId": b.id("request 2", user),
			"lastSuccessfulSignInDateTime": at, "lastSuccessfulSignInRequestId": b.id("request", user)}
	}
	id := b.id("sign-in", user)
	b.st.Put("auditLogs/signIns", id, Object{"id": id, "createdDateTime": at, "userId": user, "userPrincipalName": strings.ToLower(text(u, "userPrincipalName")), "userDisplayName": u["displayName"],
		"appId": firstParties[2].app, "appDisplayName": firstParties[2].name, "resourceId": firstParties[5].app, "resourceDisplayName": firstParties[5].name, "resourceTenantId": b.st.ID, "homeTenantId": b.st.ID,
		"ipAddress": "192.0.2." + itoa(10+n), "clientAppUsed": "Browser", "correlationId": b.id("correlation", user), "conditionalAccessStatus": "success", "isInteractive": true,
		"riskDetail": "none", "riskLevelAggregated": "none", "riskLevelDuringSignIn": "none", "riskState": "none", "riskEventTypes_v2": []any{}, "appliedConditionalAccessPolicies": []any{},
		"status": Object{"errorCode": 0, "failureReason": "Other.", "additionalDetails": nil}, "deviceDetail": Object{"deviceId": "", "displayName": "", "operatingSystem": "Windows11", "browser": "Edge 141.0", "isCompliant": false, "isManaged": false, "trustType": ""},
		"location":         Object{"city": "Oslo", "state": "Oslo", "countryOrRegion": "NO", "geoCoordinates": Object{"altitude": nil, "latitude": 59.91, "longitude": 10.75}},
		"signInEventTypes": []any{"interactiveUser"}, "authenticationRequirement": "multiFactorAuthentication", "userType": "member", "originalRequestId": b.id("request", user), "authenticationDetails": []any{}})
}
