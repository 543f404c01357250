package entra_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"halligan/entra"
)

// bare takes away what a comparison of meaning leaves out.
func bare[T any](list []T) []T {
	for i := range list {
		v := reflect.ValueOf(&list[i]).Elem()
		for _, name := range []string{"Raw", "Origin"} {
			if f := v.FieldByName(name); f.IsValid() {
				f.SetZero()
			}
		}
	}
	return list
}

// What stands beside the policies is recognised by its content and means what
// Graph documents.
func TestTenantDataIsRecognised(t *testing.T) {
	until := time.Date(2026, 5, 13, 19, 57, 38, 453000000, time.UTC)
	cases := []struct {
		name, text string
		get        func(entra.Content) any
		want       any
	}{
		{"a user", `{"id":"u1","userPrincipalName":"bg@x","displayName":"BG","userType":"member","accountEnabled":true,"onPremisesSyncEnabled":null,"passwordPolicies":"DisablePasswordExpiration","city":"x"}`,
			func(c entra.Content) any { return bare(c.Users) },
			[]entra.User{{ID: "u1", UserPrincipalName: "bg@x", DisplayName: "BG", UserType: "Member", Enabled: ptr(true), PasswordPolicies: "DisablePasswordExpiration"}}},
		{"users in a list that says so", `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users(id,displayName)","value":[{"id":"u1","displayName":"x"}]}`,
			func(c entra.Content) any { return []any{bare(c.Users), c.Parts[entra.PartUsers].Status, c.Cloud} },
			[]any{[]entra.User{{ID: "u1", DisplayName: "x"}}, entra.StatusNotAsked, "public"}},
		{"one user read twice, each time in part", `[{"id":"u1","userPrincipalName":"bg@x","mail":null},{"id":"U1","userPrincipalName":"BG@x","accountEnabled":false}]`,
			func(c entra.Content) any { return []any{len(c.Users), *c.Users[0].Enabled, len(c.Troubles)} }, []any{1, false, 0}},
		{"one user read twice with a contradiction", `[{"id":"u1","userPrincipalName":"bg@x","accountEnabled":true},{"id":"u1","userPrincipalName":"bg@x","accountEnabled":false}]`,
			func(c entra.Content) any { return []any{len(c.Users), len(c.Troubles)} }, []any{2, 1}},
		{"a user with memberships", `{"id":"u1","userPrincipalName":"bg@x","transitiveMemberOf":[{"@odata.type":"#microsoft.graph.group","id":"g1"},{"@odata.type":"#microsoft.graph.directoryRole","id":"x","roleTemplateId":"r1"},{"@odata.type":"#microsoft.graph.administrativeUnit","id":"au"}]}`,
			func(c entra.Content) any { return []any{c.Accounts, bare(c.RoleAssignments)} },
			[]any{[]entra.Account{{ID: "u1", Memberships: []entra.ID{"g1"}, MembersRead: true}}, []entra.RoleAssignment{{Principal: "u1", Role: "r1", Scope: "/", Assignment: entra.AssignmentActive}}}},
		{"a user with direct memberships only", `{"id":"u1","userPrincipalName":"bg@x","memberOf":[{"id":"g1"}]}`,
			func(c entra.Content) any { return c.Accounts }, []entra.Account{{ID: "u1", Memberships: []entra.ID{"g1"}}}},
		{"a group with members", `{"id":"g1","displayName":"G","groupTypes":["DynamicMembership"],"isAssignableToRole":true,"members":[{"@odata.type":"#microsoft.graph.user","id":"u1","userPrincipalName":"a@b"},{"id":"g2"}]}`,
			func(c entra.Content) any { return []any{bare(c.Groups), len(c.Users)} },
			[]any{[]entra.Group{{ID: "g1", DisplayName: "G", RoleAssignable: ptr(true), Dynamic: true, Members: []entra.ID{"g2", "u1"}, MembersRead: true}}, 1}},
		{"a group with one member that PowerShell wrote without a list", `{"Id":"g1","GroupTypes":[],"Members":{"Id":"u1","AdditionalProperties":{"userPrincipalName":"a@b"}}}`,
			func(c entra.Content) any { return bare(c.Groups) }, []entra.Group{{ID: "g1", Members: []entra.ID{"u1"}, MembersRead: true}}},
		{"a group with as many members as Graph expands at most", fmt.Sprintf(`{"id":"g1","groupTypes":[],"members":[%s]}`, manyMembers(20)),
			func(c entra.Content) any {
				return []any{len(c.Groups[0].Members), c.Groups[0].MembersRead, len(c.Notes)}
			}, []any{20, false, 1}},
		{"a group with more members than are there", `{"id":"g1","groupTypes":[],"members":[{"id":"u1"}],"members@odata.nextLink":"x"}`,
			func(c entra.Content) any { return c.Groups[0].MembersRead }, false},
		{"a group without members", `{"id":"g1","groupTypes":[],"members":[]}`, func(c entra.Content) any { return c.Groups[0].MembersRead }, true},
		{"a group whose members were not asked for", `{"id":"g1","groupTypes":[]}`, func(c entra.Content) any { return c.Groups[0].MembersRead }, false},
		{"a group whose members PowerShell did not write out", `{"id":"g1","groupTypes":[],"members":"System.Object[]"}`, func(c entra.Content) any { return c.Groups[0].MembersRead }, false},
		{"a deleted group", `{"id":"g1","groupTypes":[],"deletedDateTime":"2024-01-01T00:00:00Z"}`, func(c entra.Content) any { return len(c.Groups) }, 0},
		{"methods of an account", `{"@odata.context":"https://graph.microsoft.us/v1.0/$metadata#users('u1')/authentication/methods","value":[{"@odata.type":"#microsoft.graph.passwordAuthenticationMethod","id":"m1"},{"@odata.type":"#microsoft.graph.fido2AuthenticationMethod","id":"m2","aaGuid":"a","model":"Key 5","passkeyType":"deviceBound","createdDateTime":"2026-05-13T19:57:38.453Z"},{"@odata.type":"#microsoft.graph.phoneAuthenticationMethod","id":"m3","phoneType":"office"},{"@odata.type":"#microsoft.graph.temporaryAccessPassAuthenticationMethod","id":"m4","isUsableOnce":true},{"@odata.type":"#microsoft.graph.futureAuthenticationMethod","id":"m5"}]}`,
			func(c entra.Content) any { return []any{c.Accounts[0].ID, bare(c.Accounts[0].Methods), c.Cloud} },
			[]any{entra.ID("u1"), []entra.AuthMethod{{ID: "m1", Type: entra.MethodPassword}, {ID: "m2", Type: entra.MethodFIDO2, DisplayName: "Key 5", AAGUID: "a", PasskeyType: "deviceBound", Created: &until}, {ID: "m3", Type: entra.MethodVoice}, {ID: "m4", Type: entra.MethodTAP, UsableOnce: true}, {ID: "m5"}}, "usgov"}},
		{"methods of nobody knows whom", `{"value":[{"@odata.type":"#microsoft.graph.fido2AuthenticationMethod","id":"m2"}]}`,
			func(c entra.Content) any { return []any{len(c.Accounts), len(c.Notes)} }, []any{0, 1}},
		{"per-user MFA", `{"@odata.context":"https://graph.microsoft.com/beta/$metadata#users('u1')/authentication/requirements","perUserMfaState":"Enforced"}`,
			func(c entra.Content) any { return c.Accounts }, []entra.Account{{ID: "u1", PerUserMFA: "enforced"}}},
		{"role assignments", `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#roleManagement/directory/roleAssignments","value":[{"id":"x","principalId":"u1","roleDefinitionId":"r1","directoryScopeId":"/"}]}`,
			func(c entra.Content) any {
				return []any{bare(c.RoleAssignments), c.Parts[entra.PartRoleAssignments].Status}
			},
			[]any{[]entra.RoleAssignment{{Principal: "u1", Role: "r1", Scope: "/", Assignment: entra.AssignmentActive}}, entra.StatusRead}},
		{"a role assignment alone", `{"id":"x","principalId":"u1","roleDefinitionId":"r1","directoryScopeId":"/administrativeUnits/a"}`,
			func(c entra.Content) any {
				return []any{c.RoleAssignments[0].Scope, c.Parts[entra.PartRoleAssignments].Status}
			}, []any{"/administrativeUnits/a", entra.StatusNotAsked}},
		{"an assignment and its schedule instance are one", `[{"principalId":"u1","roleDefinitionId":"r1","directoryScopeId":"/"},{"PrincipalId":"u1","RoleDefinitionId":"r1","DirectoryScopeId":"/","AssignmentType":"Activated","EndDateTime":"/Date(1778702258453+0200)/"}]`,
			func(c entra.Content) any { return bare(c.RoleAssignments) },
			[]entra.RoleAssignment{{Principal: "u1", Role: "r1", Scope: "/", Assignment: entra.AssignmentActive, Activated: true, End: &until}}},
		{"eligible assignments", `[{"principalId":"u1","roleDefinitionId":"r1","directoryScopeId":"/","roleEligibilityScheduleId":"x","endDateTime":null},{"principal":{"id":"u2"},"roleDefinition":{"id":"d","templateId":"r2"},"directoryScopeId":"/","scheduleInfo":{"expiration":{"endDateTime":"2026-05-13T19:57:38.453Z"}}}]`,
			func(c entra.Content) any {
				return []any{bare(c.RoleAssignments), c.Parts[entra.PartRoleEligibility].Status, c.Parts[entra.PartRoleAssignments].Status}
			},
			[]any{[]entra.RoleAssignment{{Principal: "u1", Role: "r1", Scope: "/", Assignment: entra.AssignmentEligible}, {Principal: "u2", Role: "r2", Scope: "/", Assignment: entra.AssignmentEligible, End: &until}}, entra.StatusRead, entra.Status("")}},
		{"assignments that a report shows among other things", `{"findings":[{"principalId":"u1","roleDefinitionId":"r1","directoryScopeId":"/"}]}`,
			func(c entra.Content) any {
				return []any{len(c.RoleAssignments), c.Parts[entra.PartRoleAssignments].Status}
			}, []any{1, entra.StatusNotAsked}},
		{"a request for a role is no assignment", `{"action":"adminAssign","principalId":"u1","roleDefinitionId":"r1","directoryScopeId":"/"}`,
			func(c entra.Content) any { return len(c.RoleAssignments) }, 0},
		{"directory roles with members", `{"value":[{"id":"x","roleTemplateId":"r1","displayName":"GA","members":[{"id":"u1"}]}]}`,
			func(c entra.Content) any { return bare(c.RoleAssignments) }, []entra.RoleAssignment{{Principal: "u1", Role: "r1", Scope: "/", Assignment: entra.AssignmentActive}}},
		{"ScubaGear's privileged roles", `{"privileged_roles":[{"DisplayName":"GA","RoleTemplateId":"r1","Assignments":[{"PrincipalId":"u1","RoleDefinitionId":"r1","DirectoryScopeId":"/","AssignmentType":"Assigned"}],"Rules":[{"Id":"Approval_EndUser_Assignment","setting":{"isApprovalRequired":true,"approvalStages":[{"primaryApprovers":[{"userId":"u2"},{"groupId":"g1"}]}]}},{"Id":"Enablement_EndUser_Assignment","enabledRules":["MultiFactorAuthentication","Justification"]},{"Id":"AuthenticationContext_EndUser_Assignment","isEnabled":true,"claimValue":"c1"},{"Id":"Approval_Admin_Assignment","setting":{"isApprovalRequired":true}}]}]}`,
			func(c entra.Content) any {
				return []any{bare(c.RoleAssignments), bare(c.RolePolicies), c.Parts[entra.PartRoleAssignments].Status, c.Parts[entra.PartRolePolicies].Status}
			},
			[]any{[]entra.RoleAssignment{{Principal: "u1", Role: "r1", Scope: "/", Assignment: entra.AssignmentActive}},
				[]entra.RolePolicy{{Role: "r1", ApprovalRequired: true, Approvers: []entra.ID{"u2", "g1"}, MFARequired: true, AuthContext: "c1"}}, entra.StatusNotAsked, entra.StatusNotAsked}},
		{"role management policies", `{"value":[{"id":"x","scopeId":"/","scopeType":"DirectoryRole","roleDefinitionId":"r1","policy":{"id":"y","rules":[{"id":"AuthenticationContext_EndUser_Assignment","isEnabled":false,"claimValue":"c1"}]}},{"scopeType":"Group","roleDefinitionId":"member","policy":{"rules":[]}}]}`,
			func(c entra.Content) any {
				return []any{bare(c.RolePolicies), c.Parts[entra.PartRolePolicies].Status}
			}, []any{[]entra.RolePolicy{{Role: "r1"}}, entra.StatusRead}},
		{"protected actions", `{"value":[{"name":"microsoft.directory/conditionalAccessPolicies/basic/update","authenticationContextId":"c1"},{"name":"y","authenticationContextId":null}]}`,
			func(c entra.Content) any { return bare(c.ProtectedActions) }, []entra.ProtectedAction{{Action: "microsoft.directory/conditionalAccessPolicies/basic/update", Context: "c1"}, {Action: "y"}}},
		{"agreements", `{"value":[{"id":"a1","displayName":"T","isPerDeviceAcceptanceRequired":true}]}`, func(c entra.Content) any { return bare(c.Agreements) }, []entra.Agreement{{ID: "a1", DisplayName: "T", PerDevice: true}}},
		{"applications with attributes", `{"value":[{"appId":"app","displayName":"A","servicePrincipalType":"Application","customSecurityAttributes":{"Eng":{"@odata.type":"#x","Project@odata.type":"#Collection(String)","Project":["a","b"],"Certified":true}}},{"appId":"b","servicePrincipalType":"Application"}]}`,
			func(c entra.Content) any { return bare(c.Applications) },
			[]entra.ServicePrincipal{{AppID: "app", DisplayName: "A", Attributes: map[string][]string{"Eng_Project": {"a", "b"}, "Eng_Certified": {"true"}}, AttributesRead: true}, {AppID: "b"}}},
		{"domains", `{"value":[{"id":"x.example","authenticationType":"Federated","isInitial":false,"isVerified":true,"federationConfiguration":[{"federatedIdpMfaBehavior":"enforceMfaByFederatedIdp"}]}]}`,
			func(c entra.Content) any { return bare(c.Domains) }, []entra.Domain{{Name: "x.example", Authentication: "Federated", IdpMFA: "enforceMfaByFederatedIdp"}}},
		{"licences", `{"value":[{"skuPartNumber":"A","capabilityStatus":"Enabled","servicePlans":[{"servicePlanName":"AAD_PREMIUM_P2","provisioningStatus":"Success"},{"servicePlanName":"OFF","provisioningStatus":"Disabled"}]},{"skuPartNumber":"B","capabilityStatus":"Suspended","servicePlans":[{"servicePlanName":"GONE","provisioningStatus":"Success"}]}]}`,
			func(c entra.Content) any { return []any{c.ServicePlans, c.Parts[entra.PartLicences].Status} }, []any{[]entra.ServicePlan{"AAD_PREMIUM_P2"}, entra.StatusRead}},
		{"authentication contexts", `{"value":[{"id":"c1","displayName":"Admin","isAvailable":true}]}`, func(c entra.Content) any { return bare(c.Contexts) }, []entra.AuthContext{{ID: "c1", DisplayName: "Admin", Available: true}}},
		{"security defaults and self-service reset", `[{"id":"00000000-0000-0000-0000-000000000005","displayName":"Security Defaults","isEnabled":true},{"id":"authorizationPolicy","allowedToUseSSPR":false}]`,
			func(c entra.Content) any {
				return []any{*c.SecurityDefaults, *c.SSPRAllowed, c.Parts[entra.PartSecurityDefaults].Status}
			}, []any{true, false, entra.StatusRead}},
		{"security defaults that contradict each other", `[{"id":"00000000-0000-0000-0000-000000000005","isEnabled":true},{"id":"00000000-0000-0000-0000-000000000005","isEnabled":false}]`,
			func(c entra.Content) any { return len(c.Troubles) }, 1},
		{"the tenant", `{"value":[{"@odata.type":"#microsoft.graph.organization","id":"aaaaaaaa-0000-0000-0000-000000000001"}]}`, func(c entra.Content) any { return c.TenantID }, entra.ID("aaaaaaaa-0000-0000-0000-000000000001")},
		{"a record of a change names accounts, but is none", `{"value":[{"id":"a","activityDisplayName":"Update policy","initiatedBy":{"user":{"id":"u1","userPrincipalName":"a@b","userType":"Member"}}}]}`,
			func(c entra.Content) any { return len(c.Users) }, 0},
		{"a report about users is none", `{"value":[{"@odata.type":"#microsoft.graph.userRegistrationDetails","id":"u1","userPrincipalName":"a@b","userType":"member","methodsRegistered":[]}]}`,
			func(c entra.Content) any { return len(c.Users) }, 0},
		{"a list of deleted things", `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#identity/conditionalAccess/deletedItems/namedLocations","value":[]}`,
			func(c entra.Content) any { return c.Parts[entra.PartLocations].Status }, entra.Status("")},
	}
	schema := snapshotSchema(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := read(t, "in.json", c.text)
			if got := c.get(s.Content()); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
			checkRoundTrip(t, s)
			checkSchema(t, schema, s)
		})
	}
}

func manyMembers(n int) string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf(`{"id":"u%d"}`, i))
	}
	return strings.Join(out, ",")
}

func TestNamedLocations(t *testing.T) {
	ip := func(first, last string) entra.IPRange {
		return entra.IPRange{First: netip.MustParseAddr(first), Last: netip.MustParseAddr(last)}
	}
	cases := []struct {
		name, text string
		want       entra.NamedLocation
		unmodelled string
	}{
		{"addresses in every notation", `{"@odata.type":"#microsoft.graph.ipNamedLocation","id":"l","isTrusted":true,"ipRanges":[{"@odata.type":"#microsoft.graph.iPv4CidrRange","cidrAddress":"192.0.2.77/24"},{"cidrAddress":"2001:db8::/127"},{"lowerAddress":"198.51.100.1","upperAddress":"198.51.100.9"},"203.0.113.5/32",{"cidrAddress":"203.0.113.7"}]}`,
			entra.NamedLocation{ID: "l", Kind: entra.LocationIP, Trusted: true, Ranges: []entra.IPRange{ip("192.0.2.0", "192.0.2.255"), ip("2001:db8::", "2001:db8::1"), ip("198.51.100.1", "198.51.100.9"), ip("203.0.113.5", "203.0.113.5"), ip("203.0.113.7", "203.0.113.7")}}, ""},
		{"the PowerShell SDK", `{"Id":"l","DisplayName":"HQ","AdditionalProperties":{"@odata.type":"#microsoft.graph.ipNamedLocation","isTrusted":false,"ipRanges":[{"cidrAddress":"192.0.2.0/31"}]}}`,
			entra.NamedLocation{ID: "l", DisplayName: "HQ", Kind: entra.LocationIP, Ranges: []entra.IPRange{ip("192.0.2.0", "192.0.2.1")}}, ""},
		{"countries", `{"@odata.type":"#microsoft.graph.countryNamedLocation","id":"l","countriesAndRegions":["de","FR"],"includeUnknownCountriesAndRegions":true,"countryLookupMethod":"AuthenticatorAppGps"}`,
			entra.NamedLocation{ID: "l", Kind: entra.LocationCountry, Countries: []string{"DE", "FR"}, IncludeUnknown: true, GPS: true}, ""},
		{"no type, but countries", `{"id":"l","displayName":"C","countriesAndRegions":["DE"]}`, entra.NamedLocation{ID: "l", DisplayName: "C", Kind: entra.LocationCountry, Countries: []string{"DE"}}, ""},
		{"the compliant network", `{"@odata.type":"#microsoft.graph.compliantNetworkNamedLocation","id":"3d46dbda-8382-466a-856d-eb00cbc6b910","isTrusted":true,"compliantNetworkType":"allTenantCompliantNetworks"}`,
			entra.NamedLocation{ID: "3d46dbda-8382-466a-856d-eb00cbc6b910", Kind: entra.LocationCompliantNetwork, Trusted: true}, ""},
		{"an address that is a placeholder", `{"@odata.type":"#microsoft.graph.ipNamedLocation","id":"l","ipRanges":[{"cidrAddress":"192.0.2.0/31"},{"cidrAddress":"xx.xx.xx.xx/32"}]}`,
			entra.NamedLocation{ID: "l", Kind: entra.LocationIP, Ranges: []entra.IPRange{ip("192.0.2.0", "192.0.2.1")}}, "type ipRanges[1]"},
		{"a range the wrong way round", `{"@odata.type":"#microsoft.graph.ipNamedLocation","id":"l","ipRanges":[{"lowerAddress":"192.0.2.9","upperAddress":"192.0.2.1"}]}`,
			entra.NamedLocation{ID: "l", Kind: entra.LocationIP}, "type ipRanges[0]; type ipRanges"},
		{"addresses that were lost", `{"@odata.type":"#microsoft.graph.ipNamedLocation","id":"l","ipRanges":"System.Object[]"}`, entra.NamedLocation{ID: "l", Kind: entra.LocationIP}, "type ipRanges; type ipRanges"},
		{"a kind of location that does not exist yet", `{"@odata.type":"#microsoft.graph.futureNamedLocation","ipRanges":[],"displayName":"x","id":"l","planet":"Mars"}`,
			entra.NamedLocation{ID: "l", DisplayName: "x", Kind: entra.LocationUnknown}, "key planet; member @odata.type"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := read(t, "in.json", c.text)
			if len(s.View().Locations) != 1 {
				t.Fatalf("got %d locations, want 1", len(s.View().Locations))
			}
			got := s.Content().Locations[0]
			var unmodelled []string
			one, err := entra.DecodeLocation([]byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			for _, u := range one.Unmodelled {
				unmodelled = append(unmodelled, u.Kind+" "+u.Path)
			}
			if strings.Join(unmodelled, "; ") != c.unmodelled {
				t.Errorf("got unmodelled %q, want %q", unmodelled, c.unmodelled)
			}
			got.Raw, got.Origin, got.Unmodelled = nil, entra.Origin{}, nil
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
			checkRoundTrip(t, s)
		})
	}
}

func TestStrengths(t *testing.T) {
	s, err := entra.DecodeStrength([]byte(`{"id":"s","displayName":"S","policyType":"Custom","requirementsSatisfied":"mfa","allowedCombinations":["fido2","password, microsoftAuthenticatorPush"],
		"combinationConfigurations":[{"@odata.type":"#microsoft.graph.fido2CombinationConfiguration","id":"c","appliesToCombinations":["fido2"],"allowedAAGUIDs":[]},
		{"appliesToCombinations":["x509CertificateMultiFactor"],"allowedIssuerSkis":["k"],"allowedPolicyOIDs":null},{"appliesToCombinations":["sms"],"future":1}]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := entra.AuthStrength{ID: "s", DisplayName: "S", PolicyType: "custom", ConfigurationsRead: true,
		Combinations: []entra.Combination{{entra.ModeFIDO2}, {entra.ModePassword, entra.ModeAuthenticatorPush}},
		Configurations: []entra.CombinationConfiguration{
			{AppliesTo: []entra.Combination{{entra.ModeFIDO2}}, AAGUIDs: []string{}}, // an empty allow-list allows no key
			{AppliesTo: []entra.Combination{{entra.ModeX509Multi}}, IssuerSKIs: []string{"k"}},
			{AppliesTo: []entra.Combination{{entra.ModeSMS}}, Unknown: true}},
		Unmodelled: []entra.Unmodelled{{Path: "combinationConfigurations[2].future", Value: "1", Kind: "key"}}}
	s.Raw = nil
	if !reflect.DeepEqual(s, want) {
		t.Errorf("got  %+v\nwant %+v", s, want)
	}
}

// ScubaGear and EntraExporter keep the methods beside the policy.
func TestMethodsPolicyIsPutTogether(t *testing.T) {
	fido := `{"@odata.type":"#microsoft.graph.fido2AuthenticationMethodConfiguration","id":"Fido2","state":"Enabled","includeTargets":[{"targetType":"group","id":"all_users","allowedPasskeyProfiles":["p"]}],"excludeTargets":[],"isAttestationEnforced":true,"keyRestrictions":{"isEnforced":true,"enforcementType":"allow","aaGuids":["a"]},"passkeyProfiles":[{"id":"p","name":"n","passkeyTypes":"deviceBound,synced","attestationEnforcement":"registrationOnly","keyRestrictions":null}]}`
	tap := `{"@odata.type":"#microsoft.graph.temporaryAccessPassAuthenticationMethodConfiguration","state":"disabled","isUsableOnce":true,"maximumLifetimeInMinutes":480,"includeTargets":[]}`
	policy := `"policyMigrationState":"migrationComplete","registrationEnforcement":{"authenticationMethodsRegistrationCampaign":{"state":"default","snoozeDurationInDays":1,"includeTargets":[{"id":"all_users","targetType":"group","targetedAuthenticationMethod":"fido2"}],"excludeTargets":[]}}`
	want := entra.MethodsPolicy{MigrationState: "migrationComplete",
		Campaign: &entra.RegistrationCampaign{State: "default", SnoozeDays: 1, Include: []entra.MethodTarget{{TargetType: "group", ID: "all_users", Method: "fido2"}}},
		Methods: []entra.MethodConfiguration{
			{ID: "Fido2", State: "enabled", Include: []entra.MethodTarget{{TargetType: "group", ID: "all_users", Profiles: []entra.ID{"p"}}}, AttestationEnforced: true,
				KeyRestrictions: &entra.KeyRestrictions{Enforced: true, Enforcement: "allow", AAGUIDs: []string{"a"}},
				PasskeyProfiles: []entra.PasskeyProfile{{ID: "p", Name: "n", PasskeyTypes: []string{"deviceBound", "synced"}, Attestation: "registrationOnly"}}},
			{ID: "TemporaryAccessPass", State: "disabled", TAPOneTimeOnly: true, TAPMaxLifetimeMinute: 480}}}
	cases := []struct {
		name   string
		texts  []string
		whole  bool
		status entra.Status
	}{
		{"in one object", []string{`{` + policy + `,"authenticationMethodConfigurations":[` + fido + `,` + tap + `]}`}, true, entra.StatusRead},
		{"ScubaGear", []string{`{"authentication_method":[{"authentication_method_policy":{` + policy + `},"authentication_method_feature_settings":[` + tap + `,` + fido + `]}]}`}, true, entra.StatusRead},
		{"one file each", []string{fido, `{` + policy + `}`, tap}, true, entra.StatusRead},
		{"the methods without the policy", []string{fido, tap}, false, entra.StatusCutShort},
		{"the policy without the methods", []string{`{` + policy + `}`}, false, entra.StatusCutShort},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var sources []entra.Source
			for i, text := range c.texts {
				sources = append(sources, entra.Source{Name: fmt.Sprint(i), Data: []byte(text)})
			}
			s, _ := entra.Read(sources...)
			if st := s.Status(entra.PartMethodsPolicy); st.Status != c.status {
				t.Errorf("got status %v, want %v", st, c.status)
			}
			got := *s.Content().MethodsPolicy
			if len(got.Unmodelled) > 0 {
				t.Errorf("got unmodelled %v", got.Unmodelled)
			}
			slices.SortFunc(got.Methods, func(a, b entra.MethodConfiguration) int { return strings.Compare(a.ID, b.ID) })
			got.Raw, got.Origin = nil, entra.Origin{}
			if c.whole && !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
			checkRoundTrip(t, s)
		})
	}
	files := []entra.Source{{Name: "p", Data: []byte(`{` + policy + `}`)}, {Name: "f", Data: []byte(fido)}, {Name: "t", Data: []byte(tap)}}
	one, _ := entra.Read(files...)
	slices.Reverse(files)
	if other, _ := entra.Read(files...); one.Digest() != other.Digest() {
		t.Error("the order of the files changes the digest")
	}
	contradiction, _ := entra.Read(entra.Source{Name: "a", Data: []byte(fido)}, entra.Source{Name: "b", Data: []byte(strings.Replace(fido, "Enabled", "disabled", 1))})
	if got := len(contradiction.View().Troubles); got != 1 {
		t.Errorf("a method given twice with other content: got %d troubles, want 1", got)
	}
}

// Content may be changed in every part without touching the Snapshot.
func TestContentIsACopy(t *testing.T) {
	s := entra.NewSnapshot(fullContent())
	before := s.Digest()
	scramble := s.Content()
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Pointer:
			if !v.IsNil() {
				walk(v.Elem())
			}
		case reflect.Slice:
			for i := range v.Len() {
				walk(v.Index(i))
			}
		case reflect.Map:
			for _, k := range v.MapKeys() {
				v.SetMapIndex(k, reflect.Zero(v.Type().Elem()))
			}
		case reflect.Struct:
			if v.Type() != reflect.TypeFor[netip.Addr]() && v.Type() != reflect.TypeFor[time.Time]() {
				for i := range v.NumField() {
					walk(v.Field(i))
				}
			}
		default:
			v.SetZero()
		}
	}
	walk(reflect.ValueOf(&scramble).Elem())
	if got := entra.NewSnapshot(*s.View()).Digest(); got != before {
		t.Error("changing the copy changed the Snapshot")
	}
}

// Whoever changes a policy clears its Raw and gets the JSON of what it is now.
func TestChangedPolicyIsWrittenAnew(t *testing.T) {
	s := read(t, "p.json", strings.Replace(onePolicy, `"grantControls"`, `"future":1,"grantControls"`, 1))
	c := s.Content()
	c.Policies[0].State, c.Policies[0].Raw = entra.StateDisabled, nil
	changed := entra.NewSnapshot(c)
	var raw struct{ State string }
	if err := json.Unmarshal(changed.View().Policies[0].Raw, &raw); err != nil || raw.State != "disabled" {
		t.Errorf("got state %q in the JSON, error %v", raw.State, err)
	}
	again := read(t, "s.json", string(changed.JSON()))
	p := again.View().Policies[0]
	if p.State != entra.StateDisabled || len(p.Unmodelled) != 1 {
		t.Errorf("got state %q, unmodelled %v", p.State, p.Unmodelled)
	}
	checkRoundTrip(t, changed)
}

// A policy that only exists as values has the JSON that Graph would write.
func TestPoliciesMadeHereMeanTheSameInJSON(t *testing.T) {
	for i, g := range generatePolicies(100) {
		want := decodePolicy(t, string(marshal(t, g)))
		c := entra.Content{Policies: []entra.Policy{want}}
		c.Policies[0].Raw = nil
		got := decodePolicy(t, string(entra.NewSnapshot(c).View().Policies[0].Raw))
		got.Raw, want.Raw = nil, nil
		if !reflect.DeepEqual(got, want) {
			t.Errorf("policy %d: got  %+v\nwant %+v", i, got, want)
		}
	}
}
