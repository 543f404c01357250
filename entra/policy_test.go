package entra_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"halligan/entra"
)

func decodePolicy(t *testing.T, text string) entra.Policy {
	t.Helper()
	p, err := entra.DecodePolicy([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Each spelling of a policy that people export means what it says.
func TestPolicySpellings(t *testing.T) {
	cases := []struct {
		name string
		text string
		get  func(entra.Policy) any
		want any
	}{
		{"keys as PowerShell spells them", `{"State":"enabled","Conditions":{"Users":{"IncludeUsers":["All"]}}}`,
			func(p entra.Policy) any { return [2]any{p.State, p.Conditions.Users.IncludeUsers[0]} }, [2]any{entra.StateEnabled, entra.ID("All")}},
		{"keys in odd case", `{"STATE":"enabled","conDitions":{"users":{"includeusers":["u"]}}}`,
			func(p entra.Policy) any { return [2]any{p.State, p.Conditions.Users.IncludeUsers[0]} }, [2]any{entra.StateEnabled, entra.ID("u")}},
		{"objects whose members are all null are not set",
			`{"Conditions":{"ClientAppTypes":["all"],"Users":{},"Locations":{"IncludeLocations":null,"ExcludeLocations":null},"Platforms":{"IncludePlatforms":[]},"Devices":{"DeviceFilter":{"Mode":null,"Rule":null}}},
			 "SessionControls":{"SignInFrequency":{"IsEnabled":null,"Value":null},"SecureSignInSession":{"IsEnabled":null}},"GrantControls":{"AuthenticationStrength":{"Id":null,"AllowedCombinations":null}}}`,
			func(p entra.Policy) any {
				return []bool{p.Conditions.Locations == nil, p.Conditions.Platforms == nil, p.Conditions.DeviceFilter == nil, p.Grant.Strength == nil, p.Session == entra.Session{}}
			},
			[]bool{true, true, true, true, true}},
		{"a state in other case", `{"state":"Disabled","conditions":{"users":{"includeUsers":["All"]}}}`, func(p entra.Policy) any { return p.State }, entra.StateDisabled},
		{"no state", `{"conditions":{"users":{"includeUsers":["All"]}}}`, func(p entra.Policy) any { return p.State }, entra.StateUnknown},
		{"an operator in lower case", `{"conditions":{"users":{"includeUsers":["All"]}},"grantControls":{"operator":"or","builtInControls":["Block"]}}`,
			func(p entra.Policy) any { return [2]any{p.Grant.Operator, p.Grant.Controls[0]} }, [2]any{entra.OperatorOr, entra.ControlBlock}},
		{"words among ids in other case", `{"conditions":{"users":{"includeUsers":["none"],"excludeUsers":["guestsorexternalusers"]},"applications":{"includeApplications":["all"]},"locations":{"includeLocations":["ALL"],"excludeLocations":["alltrusted"]}}}`,
			func(p entra.Policy) any {
				return []entra.ID{p.Conditions.Users.IncludeUsers[0], p.Conditions.Users.ExcludeUsers[0], p.Conditions.Applications.Include[0], p.Conditions.Locations.Include[0], p.Conditions.Locations.Exclude[0]}
			}, []entra.ID{"None", "GuestsOrExternalUsers", "All", "All", "AllTrusted"}},
		{"client applications in other case, and EAS by its other name", `{"conditions":{"users":{"includeUsers":["All"]},"clientAppTypes":["All","easSupported"]}}`,
			func(p entra.Policy) any { return p.Conditions.ClientAppTypes }, []entra.ClientAppType{entra.ClientAll, entra.ClientEAS}},
		{"flags in one string", `{"conditions":{"users":{"includeUsers":["All"]},"authenticationFlows":{"transferMethods":"deviceCodeFlow,authenticationTransfer"},"insiderRiskLevels":"elevated, moderate"}}`,
			func(p entra.Policy) any { return [2]any{p.Conditions.Flows, p.Conditions.InsiderRisk} },
			[2]any{[]entra.AuthFlow{entra.FlowDeviceCode, entra.FlowTransfer}, []entra.InsiderRisk{entra.InsiderElevated, entra.InsiderModerate}}},
		{"flags in a list", `{"conditions":{"users":{"includeUsers":["All"]},"authenticationFlows":{"transferMethods":["deviceCodeFlow"]}}}`,
			func(p entra.Policy) any { return p.Conditions.Flows }, []entra.AuthFlow{entra.FlowDeviceCode}},
		{"the flag none is no condition", `{"conditions":{"users":{"includeUsers":["All"]},"authenticationFlows":{"transferMethods":"none"}}}`,
			func(p entra.Policy) any { return len(p.Conditions.Flows) }, 0},
		{"guests of enumerated tenants", `{"conditions":{"users":{"excludeGuestsOrExternalUsers":{"guestOrExternalUserTypes":"internalGuest,serviceProvider","externalTenants":{"@odata.type":"#x","membershipKind":"enumerated","members":["%msptenantid%"]}}}}}`,
			func(p entra.Policy) any { return *p.Conditions.Users.ExcludeGuests },
			entra.Guests{Types: []entra.GuestType{entra.GuestInternal, entra.GuestServiceProvider}, Tenants: []entra.ID{"%msptenantid%"}}},
		{"guests of all tenants", `{"conditions":{"users":{"includeGuestsOrExternalUsers":{"guestOrExternalUserTypes":"internalGuest","externalTenants":{"membershipKind":"all"}}}}}`,
			func(p entra.Policy) any { return *p.Conditions.Users.IncludeGuests }, entra.Guests{Types: []entra.GuestType{entra.GuestInternal}, AllTenants: true}},
		{"guests of tenants without a kind", `{"conditions":{"users":{"excludeGuestsOrExternalUsers":{"guestOrExternalUserTypes":"internalGuest","externalTenants":{"members":["t"]}}}}}`,
			func(p entra.Policy) any { return *p.Conditions.Users.ExcludeGuests },
			entra.Guests{Types: []entra.GuestType{entra.GuestInternal}, Tenants: []entra.ID{"t"}}},
		{"conditions that the PowerShell SDK did not know", `{"AdditionalProperties":{"conditions":{"users":{"includeUsers":["All"]}}}}`,
			func(p entra.Policy) any { return p.Conditions.Users.IncludeUsers }, []entra.ID{"All"}},
		{"a list of one that PowerShell wrote as its element", `{"Conditions":{"Users":{"IncludeUsers":"All","ExcludeGroups":"g1"},"ClientAppTypes":"browser"},"GrantControls":{"BuiltInControls":"mfa"}}`,
			func(p entra.Policy) any {
				return []any{p.Conditions.Users.IncludeUsers, p.Conditions.Users.ExcludeGroups, p.Conditions.ClientAppTypes, p.Grant.Controls}
			},
			[]any{[]entra.ID{"All"}, []entra.ID{"g1"}, []entra.ClientAppType{entra.ClientBrowser}, []entra.GrantControl{entra.ControlMFA}}},
		{"placeholders and names in place of ids", `{"conditions":{"users":{"excludeUsers":["Current administrator will be excluded","<BREAK_GLASS>","bg@contoso.com","12345678-1234"]}}}`,
			func(p entra.Policy) any { return p.Conditions.Users.ExcludeUsers },
			[]entra.ID{"Current administrator will be excluded", "<BREAK_GLASS>", "bg@contoso.com", "12345678-1234"}},
		{"a strength that is only an annotation", `{"conditions":{"users":{"includeUsers":["All"]}},"grantControls":{"operator":"OR","authenticationStrength@odata.context":"https://graph","authenticationStrength":null}}`,
			func(p entra.Policy) any { return p.Grant.Strength == nil }, true},
		{"a strength bound by reference", `{"conditions":{"users":{"includeUsers":["All"]}},"grantControls":{"authenticationStrength@odata.bind":"https://graph.microsoft.com/v1.0/policies/authenticationStrengthPolicies('00000000-0000-0000-0000-000000000004')"}}`,
			func(p entra.Policy) any { return p.Grant.Strength.ID }, entra.ID("00000000-0000-0000-0000-000000000004")},
		{"a strength with its combinations", `{"conditions":{"users":{"includeUsers":["All"]}},"grantControls":{"authenticationStrength":{"id":"s","policyType":"custom","allowedCombinations":["password,sms","FIDO2"],"combinationConfigurations":[]}}}`,
			func(p entra.Policy) any {
				return []any{p.Grant.Strength.Combinations, p.Grant.Strength.ConfigurationsRead}
			},
			[]any{[]entra.Combination{{entra.ModePassword, entra.ModeSMS}, {entra.ModeFIDO2}}, false}},
		{"members of AdditionalProperties are members of the object", `{"AdditionalProperties":{"templateId":"tpl"},"Conditions":{"Users":{"IncludeUsers":["All"]},"AdditionalProperties":{"insiderRiskLevels":"minor"}}}`,
			func(p entra.Policy) any { return []any{p.TemplateID, p.Conditions.InsiderRisk} }, []any{entra.ID("tpl"), []entra.InsiderRisk{entra.InsiderMinor}}},
		{"session controls that are switched off", `{"conditions":{"users":{"includeUsers":["All"]}},"sessionControls":{"signInFrequency":{"isEnabled":false,"value":1,"type":"hours"},"persistentBrowser":{"isEnabled":false,"mode":"always"},"secureSignInSession":{"isEnabled":false},"future":{"isEnabled":false}}}`,
			func(p entra.Policy) any { return []any{p.Session, len(p.Unmodelled)} }, []any{entra.Session{}, 0}},
		{"session controls that are on", `{"conditions":{"users":{"includeUsers":["All"]}},"sessionControls":{"signInFrequency":{"isEnabled":true,"frequencyInterval":"everyTime","authenticationType":"secondaryAuthentication"},"secureSignInSession":{"isEnabled":true},"continuousAccessEvaluation":{"mode":"strictLocation"},"disableResilienceDefaults":true,"cloudAppSecurity":{"isEnabled":true,"cloudAppSecurityType":"blockDownloads"}}}`,
			func(p entra.Policy) any {
				f := *p.Session.SignInFrequency
				p.Session.SignInFrequency = nil
				return []any{f, p.Session}
			},
			[]any{entra.SignInFrequency{EveryTime: true, AuthenticationType: "secondaryAuthentication"},
				entra.Session{SecureSignInSession: true, ContinuousAccessEvaluation: "strictLocation", DisableResilienceDefaults: true, CloudAppSecurity: "blockDownloads"}}},
		{"policies of agents and workloads", `{"conditions":{"users":{"includeUsers":["All"]},"agentIdRiskLevels":"high","clientApplications":{"includeServicePrincipals":["ServicePrincipalsInMyTenant"]}}}`,
			func(p entra.Policy) any { return []bool{p.Conditions.Agents, p.Conditions.Workload} }, []bool{true, true}},
		{"traffic profiles", `{"conditions":{"users":{"includeUsers":["All"]},"applications":{"networkAccess":{"includeTrafficProfiles":"internet"}}}}`,
			func(p entra.Policy) any { return p.Conditions.Applications.GlobalSecureAccess }, true},
		{"a policy that Microsoft manages", `{"displayName":"Microsoft-managed: MFA for admins","conditions":{"users":{"includeUsers":["All"]}}}`, func(p entra.Policy) any { return p.Managed }, true},
		{"a byte order mark, Windows line ends and a value as a string", "\xEF\xBB\xBF{\r\n\"conditions\":{\"users\":{\"includeUsers\":[\"All\"]}},\r\n\"sessionControls\":{\"disableResilienceDefaults\":\"True\"}}\r\n",
			func(p entra.Policy) any { return p.Session.DisableResilienceDefaults }, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := decodePolicy(t, c.text)
			if got := c.get(p); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if len(p.Unmodelled) > 0 {
				t.Errorf("got unmodelled %+v, want none", p.Unmodelled)
			}
		})
	}
}

// What has no place in our types is recorded with its path and area, and what
// says nothing is not.
func TestPolicyRecordsWhatItDoesNotModel(t *testing.T) {
	policy := func(rest string) string { return `{"conditions":{"users":{"includeUsers":["All"]}` + rest + `}` }
	cases := []struct {
		name, text string
		want       []entra.Unmodelled
	}{
		{"nothing", policy(`}`), nil},
		{"an unknown key at the top", policy(`},"partialEnablementStrategy":"x"`), []entra.Unmodelled{{Area: entra.AreaOther, Path: "partialEnablementStrategy", Value: `"x"`, Kind: "key"}}},
		{"an unknown key that is null or empty", policy(`,"signInRiskDetections":null,"clients":{}},"partialEnablementStrategy":null,"future":[],"more":""`), nil},
		{"an unknown condition", policy(`,"times":{"includeTimes":["x"]}}`), []entra.Unmodelled{{Area: entra.AreaConditions, Path: "conditions.times", Value: `{"includeTimes":["x"]}`, Kind: "key"}}},
		{"an unknown condition that is false", policy(`,"future":false}`), []entra.Unmodelled{{Area: entra.AreaConditions, Path: "conditions.future", Value: `false`, Kind: "key"}}},
		{"device states of the preview", policy(`,"deviceStates":{"includeStates":["All"],"excludeStates":["Compliant"]},"devices":{"includeDevices":["All"],"excludeDeviceStates":[]}}`), []entra.Unmodelled{
			{Area: entra.AreaConditions, Path: "conditions.deviceStates", Value: `{"excludeStates":["Compliant"],"includeStates":["All"]}`, Kind: "key"},
			{Area: entra.AreaConditions, Path: "conditions.devices.includeDevices", Value: `["All"]`, Kind: "key"}}},
		{"an unknown key about users", `{"Conditions":{"Users":{"IncludeAgents":["x"]}}}`, []entra.Unmodelled{{Area: entra.AreaUsers, Path: "Conditions.Users.IncludeAgents", Value: `["x"]`, Kind: "key"}}},
		{"an unknown key about applications", policy(`,"applications":{"includeProtectionLevels":["x"]}}`), []entra.Unmodelled{{Area: entra.AreaTarget, Path: "conditions.applications.includeProtectionLevels", Value: `["x"]`, Kind: "key"}}},
		{"an unknown grant key", policy(`},"grantControls":{"customControls":["x"]}`), []entra.Unmodelled{{Area: entra.AreaGrant, Path: "grantControls.customControls", Value: `["x"]`, Kind: "key"}}},
		{"a bound reference", policy(`},"grantControls":{"termsOfUse@odata.bind":["x"]}`), []entra.Unmodelled{{Area: entra.AreaGrant, Path: "grantControls.termsOfUse@odata.bind", Value: `["x"]`, Kind: "key"}}},
		{"an unknown session control", policy(`},"sessionControls":{"blockSensitiveActions":{"isEnabled":true}}`), []entra.Unmodelled{{Area: entra.AreaSession, Path: "sessionControls.blockSensitiveActions", Value: `{"isEnabled":true}`, Kind: "key"}}},
		{"a session control of exports", policy(`},"sessionControls":{"networkAccessSecurity":{"isEnabled":true,"policyId":"x"}}`), []entra.Unmodelled{{Area: entra.AreaSession, Path: "sessionControls.networkAccessSecurity", Value: `{"isEnabled":true,"policyId":"x"}`, Kind: "key"}}},
		{"unknown members", `{"state":"paused","conditions":{"users":{"includeUsers":["All"]},"clientAppTypes":["pager"],"userRiskLevels":["hidden"],"applications":{"includeUserActions":["urn:user:accountrecovery"]}},"grantControls":{"operator":"XOR","builtInControls":["mfa","verifiedID"]}}`, []entra.Unmodelled{
			{Area: entra.AreaConditions, Path: "conditions.clientAppTypes[0]", Value: `"pager"`, Kind: "member"},
			{Area: entra.AreaConditions, Path: "conditions.userRiskLevels[0]", Value: `"hidden"`, Kind: "member"},
			{Area: entra.AreaGrant, Path: "grantControls.builtInControls[1]", Value: `"verifiedID"`, Kind: "member"},
			{Area: entra.AreaGrant, Path: "grantControls.operator", Value: `"XOR"`, Kind: "member"},
			{Area: entra.AreaOther, Path: "state", Value: `"paused"`, Kind: "member"},
			{Area: entra.AreaTarget, Path: "conditions.applications.includeUserActions[0]", Value: `"urn:user:accountrecovery"`, Kind: "member"}}},
		{"a list that PowerShell did not write out", `{"Conditions":{"Users":{"IncludeUsers":"System.Object[]"}}}`, []entra.Unmodelled{{Area: entra.AreaUsers, Path: "Conditions.Users.IncludeUsers", Value: `"System.Object[]"`, Kind: "type"}}},
		{"an object that PowerShell did not write out", `{"Conditions":{"Users":"@{IncludeUsers=System.Object[]}","Applications":"Microsoft.Graph.PowerShell.Models.X"},"GrantControls":"@{Operator=OR}"}`, []entra.Unmodelled{
			{Area: entra.AreaGrant, Path: "GrantControls", Value: `"@{Operator=OR}"`, Kind: "type"},
			{Area: entra.AreaTarget, Path: "Conditions.Applications", Value: `"Microsoft.Graph.PowerShell.Models.X"`, Kind: "type"},
			{Area: entra.AreaUsers, Path: "Conditions.Users", Value: `"@{IncludeUsers=System.Object[]}"`, Kind: "type"}}},
		{"conditions that PowerShell did not write out", `{"Conditions":"@{Users=}","GrantControls":null}`, []entra.Unmodelled{{Area: entra.AreaOther, Path: "Conditions", Value: `"@{Users=}"`, Kind: "type"}}},
		{"no conditions at all", `{"id":"p","state":"enabled","grantControls":{"builtInControls":["block"]}}`, []entra.Unmodelled{{Area: entra.AreaOther, Path: "conditions", Value: `null`, Kind: "type"}}},
		{"values of a wrong type", `{"state":1,"conditions":{"users":{"includeUsers":[{"id":"x"},""]},"platforms":["windows"],"devices":{"deviceFilter":{"mode":"include","rule":["a"]}}}}`, []entra.Unmodelled{
			{Area: entra.AreaConditions, Path: "conditions.devices.deviceFilter.rule", Value: `["a"]`, Kind: "type"},
			{Area: entra.AreaConditions, Path: "conditions.platforms", Value: `["windows"]`, Kind: "type"},
			{Area: entra.AreaOther, Path: "state", Value: `1`, Kind: "type"},
			{Area: entra.AreaUsers, Path: "conditions.users.includeUsers[0]", Value: `{"id":"x"}`, Kind: "type"},
			{Area: entra.AreaUsers, Path: "conditions.users.includeUsers[1]", Value: `""`, Kind: "type"}}},
		{"a key given twice with other values", `{"conditions":{"users":{"includeUsers":["All"]}},"sessionControls":null,"sessionControls":{"secureSignInSession":{"isEnabled":true}}}`, []entra.Unmodelled{{Area: entra.AreaSession, Path: "sessionControls", Value: `null`, Kind: "duplicate"}}},
		{"a key given twice in other case", `{"conditions":{"users":{"includeUsers":["a"],"IncludeUsers":["b"]}}}`, []entra.Unmodelled{{Area: entra.AreaUsers, Path: "conditions.users.IncludeUsers", Value: `["a"]`, Kind: "duplicate"}}},
		{"a key given twice with the same value", `{"conditions":{"users":{"includeUsers":["All"]}},"displayName":"x","displayName":"x"}`, nil},
		{"a new restriction in a strength", policy(`},"grantControls":{"authenticationStrength":{"id":"s","future":1}}`), []entra.Unmodelled{{Area: entra.AreaGrant, Path: "grantControls.authenticationStrength.future", Value: `1`, Kind: "key"}}},
		{"a new mode in a strength is only one more alternative", policy(`},"grantControls":{"authenticationStrength":{"id":"s","allowedCombinations":["fido2","future"]}}`), nil},
		{"annotations and keys of tools", policy(`,"users@odata.type":"#x"},"id@odata.type":"x","#microsoft.graph.restore":{"x":1},"@odata.editLink":"y","LocationInfo":[1],"tenantFilter":"x","GUID":"x","reportOnly":true,"source":"s","isSynced":true,"present":true,"_comment":"x","$schema":"y"`), nil},
		{"Graph's own keys that say nothing", policy(`},"createdDateTime":"/Date(1777595543778)/","modifiedDateTime":"2024-01-01T00:00:00Z","description":"x","templateId":"y"`), nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := decodePolicy(t, c.text).Unmodelled
			slices.SortFunc(got, func(a, b entra.Unmodelled) int { return strings.Compare(areaOrder(a)+a.Path, areaOrder(b)+b.Path) })
			if !reflect.DeepEqual(got, c.want) && len(got)+len(c.want) > 0 {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func areaOrder(u entra.Unmodelled) string {
	return map[entra.Area]string{entra.AreaConditions: "1", entra.AreaGrant: "2", entra.AreaOther: "3", entra.AreaSession: "4", entra.AreaTarget: "5", entra.AreaUsers: "6"}[u.Area]
}

// With two states nobody can say that the policy is off.
func TestPolicyWithTwoStatesIsOfUnknownState(t *testing.T) {
	p := decodePolicy(t, `{"state":"enabled","conditions":{"users":{"includeUsers":["All"]}},"State":"disabled"}`)
	if p.State != entra.StateUnknown {
		t.Errorf("got state %q, want unknown", p.State)
	}
}

func TestForeignKeysAreListed(t *testing.T) {
	p := decodePolicy(t, `{"conditions":{"users":{"includeUsers":["All"]}},"tenantFilter":"x","GUID":"y","_note":"z","present":true}`)
	if want := []string{"tenantFilter", "GUID", "_note", "present"}; !slices.Equal(p.Foreign, want) {
		t.Errorf("got foreign %q, want %q", p.Foreign, want)
	}
}

func TestLongUnmodelledValueIsCutAtACharacter(t *testing.T) {
	p := decodePolicy(t, `{"conditions":{"users":{"includeUsers":["All"]}},"future":"`+strings.Repeat("ä", 300)+`"}`)
	if got := p.Unmodelled[0].Value; len(got) > 200 || len(got) < 197 || strings.ContainsRune(got, '\uFFFD') {
		t.Errorf("got %d bytes: %q", len(got), got)
	}
}

func TestRawIsCanonical(t *testing.T) {
	p := decodePolicy(t, "\xEF\xBB\xBF{ \"b\" : 1.50,\r\n \"A\":[ true , null ], \"Conditions\":{\"Users\":{}}, \"a\":\"\\u00e4\\/<\\u0001\\n\" }")
	if want := `{"A":[true,null],"Conditions":{"Users":{}},"a":"ä/<\u0001\n","b":1.50}`; string(p.Raw) != want {
		t.Errorf("got  %s\nwant %s", p.Raw, want)
	}
}

// What Graph documents is modelled: no policy as Graph writes it leaves
// anything over, however its keys are spelled.
func TestGeneratedPoliciesAreModelledWhole(t *testing.T) {
	for i, g := range generatePolicies(200) {
		graph, shell := decodePolicy(t, string(marshal(t, g))), decodePolicy(t, string(marshal(t, pascal(g))))
		if len(graph.Unmodelled)+len(shell.Unmodelled) > 0 {
			t.Errorf("policy %d: unmodelled %v, %v", i, graph.Unmodelled, shell.Unmodelled)
		}
		graph.Raw, shell.Raw = nil, nil
		if !reflect.DeepEqual(graph, shell) {
			t.Errorf("policy %d: Graph's spelling means %+v\nPowerShell's %+v", i, graph, shell)
		}
	}
}

func TestSyntaxErrorsHaveAPlace(t *testing.T) {
	cases := []struct {
		name, text   string
		line, column int
		reason       string
	}{
		{"a comma before the end of a list", "{\r\n \"a\": [1,\r\n 2,\r\n ]}", 3, 3, "a comma before ']'"},
		{"a comma before the end of an object", "{\"a\":1,}", 1, 7, "a comma before '}'"},
		{"text that ends too early", "{\"a\":\n[1", 2, 3, "the text ends too early"},
		{"a byte that is no JSON", "{\"a\":\n\x00}", 2, 1, "invalid character '\\x00' at start of value"},
		{"nesting beyond the limit", strings.Repeat("[", 300), 1, 201, "nested too deeply"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := entra.DecodePolicy([]byte(c.text))
			want := fmt.Sprintf("line %d, column %d: not valid JSON: %s", c.line, c.column, c.reason)
			if err == nil || err.Error() != want {
				t.Errorf("got %v, want %s", err, want)
			}
		})
	}
}
