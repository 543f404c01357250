package sandbox

import (
	"strings"
	"testing"
)

// Each rule of the directory is seen to refuse. "{kestrel}" and the like stand
// for the ids of users, "{group:NAME}" for groups.
func TestDirectoryRefuses(t *testing.T) {
	const user = "/v1.0/users"
	for _, c := range []struct {
		name, tenant, method, path, body string
		status                           int
		says                             string
	}{
		{"an unknown property", "contoso-p2", "PATCH", user + "/{kestrel}", `{"favouriteColour":"red"}`, 400, "Property 'favouriteColour' does not exist as a declared property or extension property."},
		{"a property of another type", "contoso-p2", "PATCH", user + "/{kestrel}", `{"accountEnabled":"yes"}`, 400, "Cannot convert"},
		{"a name that is taken", "contoso-p2", "POST", user, strings.Replace(newUser, "new@", "kestrel.ash@", 1), 400, "Another object with the same value for property userPrincipalName already exists."},
		{"a domain that is not the tenant's", "contoso-p2", "POST", user, strings.Replace(newUser, "contoso.onmicrosoft.com", "evil.example", 1), 400, "verified domain names"},
		{"a weak password", "contoso-p2", "POST", user, strings.Replace(newUser, "Str0ng-enough!", "password", 1), 400, "complexity"},
		{"a user without a password", "contoso-p2", "POST", user, `{"accountEnabled":true,"displayName":"x","mailNickname":"x","userPrincipalName":"x@contoso.onmicrosoft.com"}`, 400, "passwordProfile"},
		{"a role for a group that is not assignable to roles", "contoso-p2", "POST", "/v1.0/roleManagement/directory/roleAssignments", `{"principalId":"{group:IT}","roleDefinitionId":"` + globalReader + `","directoryScopeId":"/"}`, 400, "not assignable to roles"},
		{"a role-assignable group that is dynamic", "contoso-p2", "POST", "/v1.0/groups", `{"displayName":"g","mailEnabled":false,"mailNickname":"g","securityEnabled":true,"isAssignableToRole":true,"groupTypes":["DynamicMembership"],"membershipRule":"true"}`, 400, "isAssignableToRole"},
		{"isAssignableToRole changed", "contoso-hardened", "PATCH", "/v1.0/groups/{group:Pass enrolment}", `{"isAssignableToRole":false}`, 400, "immutable"},
		{"a group within a role-assignable group", "contoso-hardened", "POST", "/v1.0/groups/{group:Pass enrolment}/members/$ref", `{"@odata.id":"https://graph.microsoft.com/v1.0/directoryObjects/{group:IT}"}`, 400, "nesting"},
		{"a member that is there already", "contoso-p2", "POST", "/v1.0/groups/{group:IT}/members/$ref", `{"@odata.id":"https://graph.microsoft.com/v1.0/directoryObjects/{ada}"}`, 400, "already exist for the following modified properties: 'members'"},
		{"a member that is not there removed", "contoso-p2", "DELETE", "/v1.0/groups/{group:IT}/members/{kestrel}/$ref", ``, 404, "Request_ResourceNotFound"},
		{"a user in a restricted unit, by whoever has no role there", "contoso-hardened", "PATCH", user + "/{juniper}", `{"displayName":"x"}`, 403, "restricted management administrative unit"},
		{"a pass outside the policy's scope", "contoso-hardened", "POST", user + "/{ada}/authentication/temporaryAccessPassMethods", `{}`, 400, "not enabled for the user"},
		{"a pass where the method is off", "contoso-p2", "POST", user + "/{ada}/authentication/temporaryAccessPassMethods", `{}`, 400, "not enabled for the user"},
		{"a policy without users", "contoso-p2", "POST", "/v1.0/identity/conditionalAccess/policies", strings.Replace(newPolicy, `"All"`, ``, 1), 400, "1004: "},
		{"a policy without applications", "contoso-p2", "POST", "/v1.0/identity/conditionalAccess/policies", strings.Replace(newPolicy, `"includeApplications":["All"]`, ``, 1), 400, "1007: "},
		{"a policy without controls", "contoso-p2", "POST", "/v1.0/identity/conditionalAccess/policies", strings.Replace(newPolicy, `"builtInControls":["mfa"]`, `"builtInControls":[]`, 1), 400, "1010: "},
		{"block joined with MFA", "contoso-p2", "POST", "/v1.0/identity/conditionalAccess/policies", strings.Replace(newPolicy, `["mfa"]`, `["mfa","block"]`, 1), 400, "1012: "},
		{"an unknown control", "contoso-p2", "POST", "/v1.0/identity/conditionalAccess/policies", strings.Replace(newPolicy, `["mfa"]`, `["magic"]`, 1), 400, "magic"},
		{"a strength that does not exist", "contoso-p2", "POST", "/v1.0/identity/conditionalAccess/policies", strings.Replace(newPolicy, `"builtInControls":["mfa"]`, `"builtInControls":[],"authenticationStrength":{"id":"00000000-0000-0000-0000-000000000009"}`, 1), 400, "1132: "},
		{"a location that does not exist", "contoso-p2", "POST", "/v1.0/identity/conditionalAccess/policies", strings.Replace(newPolicy, `"conditions":{`, `"conditions":{"locations":{"includeLocations":["11111111-1111-4111-8111-111111111111"],"excludeLocations":[]},`, 1), 400, "1020: "},
		{"a condition that only beta has", "contoso-p2", "POST", "/v1.0/identity/conditionalAccess/policies", strings.Replace(newPolicy, `"conditions":{`, `"conditions":{"agentIdRiskLevels":"high",`, 1), 400, "agentIdRiskLevels"},
		{"a risk condition without P2", "contoso-p1", "POST", "/v1.0/identity/conditionalAccess/policies", strings.Replace(newPolicy, `"conditions":{`, `"conditions":{"userRiskLevels":["high"],`, 1), 403, "licensed"},
		{"security defaults beside enabled policies", "contoso-p2", "PATCH", "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy", `{"isEnabled":true}`, 400, "Security defaults cannot be enabled"},
		{"a built-in strength changed", "contoso-p2", "PATCH", "/v1.0/policies/authenticationStrengthPolicies/" + phishingResistant, `{"displayName":"x"}`, 400, "built-in"},
		{"a strength in use deleted", "contoso-hardened", "DELETE", "/v1.0/policies/authenticationStrengthPolicies/{strength:Emergency keys}", ``, 400, "referenced by"},
		{"a location in use deleted", "contoso-p2", "DELETE", "/v1.0/identity/conditionalAccess/namedLocations/{location:Home countries}", ``, 400, "1055: "},
		{"a Microsoft-managed policy deleted", "contoso-p2", "DELETE", "/v1.0/identity/conditionalAccess/policies/{policy:Microsoft-managed: Block device code flow}", ``, 400, "1143: "},
		{"a Microsoft-managed policy renamed", "contoso-p2", "PATCH", "/v1.0/identity/conditionalAccess/policies/{policy:Microsoft-managed: Block device code flow}", `{"displayName":"x"}`, 400, "1142: "},
		{"a method configuration without its type", "contoso-p2", "PATCH", "/v1.0/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/fido2", `{"state":"disabled"}`, 400, "@odata.type"},
		{"a pass policy with lifetimes the wrong way round", "contoso-p2", "PATCH", "/v1.0/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/temporaryAccessPass", `{"@odata.type":"#microsoft.graph.temporaryAccessPassAuthenticationMethodConfiguration","minimumLifetimeInMinutes":500}`, 400, "lifetimes"},
		{"PIM policies without a filter", "contoso-p2", "GET", "/v1.0/policies/roleManagementPolicyAssignments", ``, 400, "scopeId and scopeType"},
		{"an advanced query without the header", "contoso-p2", "GET", user + "?$filter=accountEnabled ne true", ``, 400, "Request_UnsupportedQuery"},
		{"a filter that is none", "contoso-p2", "GET", user + "?$filter=displayName eq", ``, 400, "Invalid filter clause"},
		{"an unknown property in a filter", "contoso-p2", "GET", user + "?$filter=colour eq 'red'", ``, 400, "Could not find a property named 'colour'"},
		{"an unknown property selected", "contoso-p2", "GET", user + "?$select=colour", ``, 400, "Could not find a property named 'colour'"},
		{"more users on a page than fit", "contoso-p2", "GET", user + "?$top=5000", ``, 400, "Invalid page size"},
		{"more than fifteen ids in a filter", "contoso-p2", "GET", user + "?$filter=id in (" + strings.Repeat("'a',", 15) + "'a')", ``, 400, "Max allowed: 15"},
		{"a relationship that cannot be expanded", "contoso-p2", "GET", user + "?$expand=photos", ``, 400, "photos"},
		{"a segment that does not exist", "contoso-p2", "GET", "/v1.0/unicorns", ``, 400, "Resource not found for the segment 'unicorns'"},
		{"a method that is not allowed", "contoso-p2", "DELETE", "/v1.0/domains", ``, 405, "not allowed"},
		{"what only beta has", "contoso-p2", "GET", user + "/{ada}/authentication/requirements", ``, 400, "Resource not found"},
		{"a body that is no JSON", "contoso-p2", "POST", user, `{"a":`, 400, "valid JSON"},
		{"an application as /me", "contoso-p2", "GET", "/v1.0/me", ``, 400, "delegated authentication flow"},
		{"a password reset by an application", "contoso-p2", "POST", user + "/{ada}/authentication/methods/" + passwordMethod + "/resetPassword", `{}`, 403, "Authorization_RequestDenied"},
		{"a location with a range that is too wide", "contoso-p2", "POST", "/v1.0/identity/conditionalAccess/namedLocations", `{"@odata.type":"#microsoft.graph.ipNamedLocation","displayName":"x","ipRanges":[{"@odata.type":"#microsoft.graph.iPv4CidrRange","cidrAddress":"0.0.0.0/0"}]}`, 400, "1032: "},
	} {
		b := newBench(t, c.tenant)
		path, body := b.filled(c.path), b.filled(c.body)
		r := b.do(c.method, path, body)
		if r.status != c.status || !strings.Contains(r.code(), c.says) {
			t.Errorf("%s: %s %s: got %d %s, want %d …%s…", c.name, c.method, path, r.status, r.code(), c.status, c.says)
		}
	}
}

// filled replaces {…} by ids.
func (b *bench) filled(s string) string {
	b.g.View(func(st *State) {
		for short, upn := range map[string]string{"{kestrel}": "kestrel.ash@" + exampleDomain, "{juniper}": "juniper.vale@" + exampleDomain, "{ada}": "ada.holm@" + exampleCustom} {
			if u := st.userNamed(upn); u != nil {
				s = strings.ReplaceAll(s, short, text(u, "id"))
			}
		}
		for kind, set := range map[string]string{"group": "groups", "strength": setStrengths, "location": setLocations, "policy": setPolicies} {
			for _, o := range st.All(set) {
				s = strings.ReplaceAll(s, "{"+kind+":"+text(o, "displayName")+"}", text(o, "id"))
			}
		}
	})
	return s
}

func TestLastGlobalAdministratorStays(t *testing.T) {
	b := newBench(t, "contoso-free")
	ada, bo := b.id("ada.holm@"+exampleCustom), b.id("bo.lind@"+exampleCustom)
	b.must(204, "DELETE", "/v1.0/users/"+bo, "")
	for _, c := range [][3]string{{"DELETE", "/v1.0/users/" + ada, ""}, {"PATCH", "/v1.0/users/" + ada, `{"accountEnabled":false}`}} {
		if r := b.do(c[0], c[1], c[2]); r.status != 400 || !strings.Contains(r.code(), "last Global Administrator") {
			t.Errorf("%s %s: %d %s", c[0], c[1], r.status, r.text)
		}
	}
	var id string
	b.g.View(func(st *State) {
		for _, a := range st.All(setAssignments) {
			if text(a, "principalId") == ada {
				id = text(a, "id")
			}
		}
	})
	b.must(400, "DELETE", "/v1.0/roleManagement/directory/roleAssignments/"+id, "")
	b.must(200, "GET", "/v1.0/roleManagement/directory/roleAssignments/"+id, "")
}

// An application with every permission and no role cannot touch what is
// privileged.
func TestApplicationNeedsRoleForPrivilegedUsers(t *testing.T) {
	b := newBench(t, "contoso-p2")
	b.caller.AppID = "another"
	kestrel, una := b.id("kestrel.ash@"+exampleDomain), b.id("una.lunde@"+exampleCustom)
	for _, c := range [][3]string{
		{"PATCH", "", `{"accountEnabled":false}`}, {"PATCH", "", `{"passwordProfile":{"password":"An0ther-one!"}}`}, {"DELETE", "", ""},
		{"POST", "/revokeSignInSessions", ""}, {"POST", "/authentication/phoneMethods", `{"phoneNumber":"+47 90000000","phoneType":"mobile"}`},
	} {
		if r := b.do(c[0], "/v1.0/users/"+kestrel+c[1], c[2]); r.status != 403 {
			t.Errorf("%s %s on an administrator: got %d", c[0], c[1], r.status)
		}
		if r := b.do(c[0], "/v1.0/users/"+una+c[1], c[2]); r.status >= 300 && c[1] != "/revokeSignInSessions" && c[1] != "/authentication/phoneMethods" {
			t.Errorf("%s %s on a user without a role: got %d %s", c[0], c[1], r.status, r.text)
		}
	}
}

// A person needs a role beside the permission.
func TestPersonNeedsRole(t *testing.T) {
	b := newBench(t, "contoso-p2")
	b.as("una.lunde@" + exampleCustom)
	b.must(403, "GET", "/v1.0/identity/conditionalAccess/policies", "")
	b.must(403, "GET", "/v1.0/auditLogs/signIns", "")
	b.must(200, "GET", "/v1.0/users?$top=2", "")
	b.must(200, "GET", "/v1.0/me", "")
	b.as("kestrel.ash@" + exampleDomain)
	b.must(200, "GET", "/v1.0/identity/conditionalAccess/policies", "")
	una := b.id("una.lunde@" + exampleCustom)
	r := b.must(202, "POST", "/v1.0/users/"+una+"/authentication/methods/"+passwordMethod+"/resetPassword", `{"newPassword":"Fresh-one-77"}`)
	operation := strings.TrimPrefix(r.header.Get("Location"), "https://"+testHost)
	if r := b.must(200, "GET", operation, ""); text(r.body, "status") != "succeeded" {
		t.Errorf("the reset: %s", r.text)
	}
	if r := b.must(400, "POST", "/v1.0/me/authentication/methods/"+passwordMethod+"/resetPassword", `{}`); !strings.Contains(r.text, "oneself") {
		t.Error(r.text)
	}
}

func TestPassIsShownOnceAndReplacesTheOld(t *testing.T) {
	b := newBench(t, "contoso-p2")
	ada := "/v1.0/users/" + b.id("ada.holm@"+exampleCustom) + "/authentication/temporaryAccessPassMethods"
	b.must(204, "PATCH", "/v1.0/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/TemporaryAccessPass",
		`{"@odata.type":"#microsoft.graph.temporaryAccessPassAuthenticationMethodConfiguration","state":"enabled","isUsableOnce":true}`)
	b.must(400, "POST", ada, `{"lifetimeInMinutes":5}`)
	b.must(400, "POST", ada, `{"isUsableOnce":false}`)
	b.must(400, "POST", ada, `{"startDateTime":"2020-01-01T00:00:00Z"}`)
	first := b.must(201, "POST", ada, `{"lifetimeInMinutes":60}`)
	second := b.must(201, "POST", ada, `{"lifetimeInMinutes":90}`)
	if text(first.body, "temporaryAccessPass") == "" || first.body["isUsable"] != true {
		t.Errorf("the pass is not shown when made: %s", first.text)
	}
	r := b.must(200, "GET", ada, "")
	if list := objects(r.body, "value"); len(list) != 1 || text(list[0], "id") != text(second.body, "id") || list[0]["temporaryAccessPass"] != nil {
		t.Errorf("after two passes: %s", r.text)
	}
	b.at = b.at.AddDate(0, 0, 1)
	if r := b.must(200, "GET", ada, ""); !strings.Contains(r.text, "Expired") {
		t.Errorf("a day later: %s", r.text)
	}
}

func TestPolicyLivesIsUsedAndComesBack(t *testing.T) {
	b := newBench(t, "contoso-p2")
	const set = "/v1.0/identity/conditionalAccess/policies"
	strength := text(b.must(201, "POST", "/v1.0/policies/authenticationStrengthPolicies", `{"displayName":"Keys","allowedCombinations":["fido2"]}`).body, "id")
	b.must(201, "POST", "/v1.0/policies/authenticationStrengthPolicies/"+strength+"/combinationConfigurations",
		`{"@odata.type":"#microsoft.graph.fido2CombinationConfiguration","allowedAAGUIDs":["`+yubikey+`"],"appliesToCombinations":["fido2"]}`)
	body := strings.Replace(newPolicy, `"builtInControls":["mfa"]`, `"builtInControls":[],"authenticationStrength":{"id":"`+strength+`"}`, 1)
	r := b.must(201, "POST", set, body)
	id := text(r.body, "id")
	if text(r.body, "grantControls", "authenticationStrength", "displayName") != "Keys" || texts(r.body, "conditions", "clientAppTypes")[0] != "all" {
		t.Errorf("a new policy reads back as %s", r.text)
	}
	b.must(400, "DELETE", "/v1.0/policies/authenticationStrengthPolicies/"+strength, "")
	if r := b.must(200, "GET", "/v1.0/policies/authenticationStrengthPolicies/"+strength+"/usage()", ""); len(objects(r.body, "mfa")) != 1 {
		t.Errorf("usage: %s", r.text)
	}
	b.must(204, "PATCH", set+"/"+id, `{"conditions":{"users":{"includeUsers":["All"],"excludeUsers":["`+b.id("kestrel.ash@"+exampleDomain)+`"]}}}`)
	if r := b.must(200, "GET", set+"/"+id, ""); len(texts(r.body, "conditions", "users", "excludeUsers")) != 1 || len(texts(r.body, "conditions", "applications", "includeApplications")) != 1 {
		t.Errorf("after a patch of the users: %s", r.text)
	}
	b.must(204, "DELETE", set+"/"+id, "")
	b.must(404, "GET", set+"/"+id, "")
	b.must(200, "POST", "/v1.0/identity/conditionalAccess/deletedItems/policies/"+id+"/restore", "")
	b.must(200, "GET", set+"/"+id, "")
}
