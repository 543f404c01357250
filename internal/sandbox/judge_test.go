package sandbox_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	. "halligan/internal/sandbox"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

const (
	ana      = "a0000000-0000-0000-0000-000000000001"
	globals  = "62e90394-69f5-4237-9190-012177145e10"
	readers  = "f2ef992c-3afb-46b9-b7cf-a126ee74c451"
	portal   = "c44b4083-3bb0-49c1-b47d-974e53cbdf3c"
	shell    = "14d82eec-204b-4c2f-b7e8-296a70dab67e"
	graphAPI = "00000003-0000-0000-c000-000000000000"
	keyModel = "2fc0579f-8113-47ea-b116-bb5a8db9202a"
	rareKey  = "ee882879-721c-4913-9775-3dfcce97072a"
)

// object reads JSON as the sandbox holds it.
func object(t testing.TB, text string) Object {
	t.Helper()
	var o Object
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatalf("read %s: %v", text, err)
	}
	return o
}

// bare is a tenant with Ana, an active Global Administrator, and nothing else.
func bare(t testing.TB) *State {
	s := NewState("tenant", "Contoso", "P2")
	s.Put("users", ana, object(t, `{"id":"`+ana+`","displayName":"Ana","userPrincipalName":"ana@contoso.onmicrosoft.com","accountEnabled":true,"userType":"Member"}`))
	assign(t, s, "roleAssignments", globals, "/")
	return s
}

func assign(t testing.TB, s *State, set, role, scope string) {
	s.Put("roleManagement/directory/"+set, set+role+scope, object(t,
		`{"id":"`+set+role+scope+`","principalId":"`+ana+`","roleDefinitionId":"`+role+`","directoryScopeId":"`+scope+`"}`))
}

func group(t testing.TB, s *State, id string, members ...string) {
	s.Put("groups", id, object(t, `{"id":"`+id+`","displayName":"`+id+`"}`))
	for _, m := range members {
		s.Link("groups/members", id, m)
	}
}

// rule adds an enabled policy of all users and resources, changed by JSON that is
// laid over it.
func rule(t testing.TB, s *State, overlay string) {
	p := object(t, `{"id":"p","displayName":"p","state":"enabled","conditions":{"users":{"includeUsers":["All"]},
		"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]},"grantControls":{"operator":"OR","builtInControls":["block"]}}`)
	lay(p, object(t, overlay))
	id := "p" + string(rune('1'+len(s.All("identity/conditionalAccess/policies"))))
	p["id"], p["displayName"] = id, id
	s.Put("identity/conditionalAccess/policies", id, p)
}

func lay(base, over Object) {
	for k, v := range over {
		if o, ok := v.(map[string]any); ok {
			if b, ok := base[k].(map[string]any); ok {
				lay(b, o)
				continue
			}
		}
		base[k] = v
	}
}

func location(t testing.TB, s *State, text string) {
	o := object(t, text)
	s.Put("identity/conditionalAccess/namedLocations", o["id"].(string), o)
}

func fido() []Shown     { return []Shown{{Mode: "fido2", AAGUID: keyModel}} }
func password() []Shown { return []Shown{{Mode: "password"}} }
func with(more ...string) []Shown {
	out := password()
	for _, m := range more {
		out = append(out, Shown{Mode: m})
	}
	return out
}

// attempt is a sign-in to the Entra admin center with a passkey from a bare
// Windows machine, changed by f.
func attempt(f func(*Attempt)) Attempt {
	a := Attempt{UserID: ana, AppID: portal, ClientApp: "browser", Platform: "windows", IP: "192.0.2.7", Country: "NL", Used: fido()}
	if f != nil {
		f(&a)
	}
	return a
}

const mfaRule = `{"grantControls":{"builtInControls":["mfa"]}}`

// question is one tenant, one sign-in and what Microsoft says becomes of it.
type question struct {
	name    string
	tenant  func(t testing.TB, s *State)
	attempt func(*Attempt)
	code    int // 0 allowed
	unsure  bool
	flaw    string // the planted fault that this case finds
}

func rules(overlays ...string) func(testing.TB, *State) {
	return func(t testing.TB, s *State) {
		for _, o := range overlays {
			rule(t, s, o)
		}
	}
}

const hq = `{"@odata.type":"#microsoft.graph.ipNamedLocation","id":"hq","isTrusted":true,"ipRanges":[{"cidrAddress":"198.51.100.0/24"},{"cidrAddress":"2001:db8::/32"}]}`
const germany = `{"@odata.type":"#microsoft.graph.countryNamedLocation","id":"de","countriesAndRegions":["DE"],"includeUnknownCountriesAndRegions":true,"countryLookupMethod":"clientIpAddress"}`

var questions = []question{
	{name: "no policy, passkey"},
	{name: "no policy, password to a portal: mandatory MFA", attempt: func(a *Attempt) { a.Used = password() }, code: 50079, flaw: "mandatory MFA ignored"},
	{name: "no policy, password to Graph PowerShell", attempt: func(a *Attempt) { a.AppID, a.Resource, a.Used = shell, graphAPI, password() }},
	{name: "unknown user", attempt: func(a *Attempt) { a.UserID = "nobody" }, code: 50034},
	{name: "nothing shown", attempt: func(a *Attempt) { a.Used = nil }, code: 50126},
	{name: "second factor alone", attempt: func(a *Attempt) { a.Used = []Shown{{Mode: "softwareOath"}} }, code: 50126},
	{name: "account disabled", tenant: func(t testing.TB, s *State) { s.Get("users", ana)["accountEnabled"] = false }, code: 50057},
	{name: "smart lockout holds the password", attempt: func(a *Attempt) { a.Used, a.LockedOut = password(), true }, code: 50053},
	{name: "smart lockout leaves the passkey", attempt: func(a *Attempt) { a.LockedOut = true }},

	{name: "block all", tenant: rules(`{}`), code: 53003},
	{name: "excluded by id", tenant: rules(`{"conditions":{"users":{"excludeUsers":["` + ana + `"]}}}`), flaw: "excluded users ignored"},
	{name: "includes nobody", tenant: rules(`{"conditions":{"users":{"includeUsers":["None"]}}}`)},
	{name: "no users at all", tenant: rules(`{"conditions":{"users":{"includeUsers":[]}}}`)},
	{name: "excluded by group", tenant: func(t testing.TB, s *State) {
		group(t, s, "g", ana)
		rule(t, s, `{"conditions":{"users":{"excludeGroups":["g"]}}}`)
	}, flaw: "excluded groups ignored"},
	{name: "excluded by nested group", tenant: func(t testing.TB, s *State) {
		group(t, s, "inner", ana)
		group(t, s, "outer", "inner")
		rule(t, s, `{"conditions":{"users":{"excludeGroups":["outer"]}}}`)
	}, flaw: "nested groups not followed"},
	{name: "excluded by a group that is gone", tenant: func(t testing.TB, s *State) {
		s.Link("groups/members", "gone", ana)
		rule(t, s, `{"conditions":{"users":{"excludeGroups":["gone"]}}}`)
	}, code: 53003},
	{name: "excluded by active role", tenant: rules(`{"conditions":{"users":{"excludeRoles":["` + globals + `"]}}}`), flaw: "excluded roles ignored"},
	{name: "included by active role", tenant: rules(`{"conditions":{"users":{"includeUsers":[],"includeRoles":["` + globals + `"]}}}`), code: 53003},
	{name: "role through a group", tenant: func(t testing.TB, s *State) {
		group(t, s, "g", ana)
		s.Put("roleManagement/directory/roleAssignments", "r", object(t, `{"principalId":"g","roleDefinitionId":"`+readers+`","directoryScopeId":"/"}`))
		rule(t, s, `{"conditions":{"users":{"includeUsers":[],"includeRoles":["`+readers+`"]}}}`)
	}, code: 53003},
	{name: "eligible role is no role", tenant: func(t testing.TB, s *State) {
		assign(t, s, "roleEligibilityScheduleInstances", readers, "/")
		rule(t, s, `{"conditions":{"users":{"includeUsers":[],"includeRoles":["`+readers+`"]}}}`)
	}, flaw: "eligible roles counted"},
	{name: "role over an administrative unit is no role", tenant: func(t testing.TB, s *State) {
		assign(t, s, "roleAssignments", readers, "/administrativeUnits/au1")
		rule(t, s, `{"conditions":{"users":{"includeUsers":[],"includeRoles":["`+readers+`"]}}}`)
	}, flaw: "unit-scoped roles counted"},
	{name: "custom role is no role", tenant: func(t testing.TB, s *State) {
		s.Put("roleManagement/directory/roleDefinitions", readers, object(t, `{"id":"`+readers+`","isBuiltIn":false}`))
		assign(t, s, "roleAssignments", readers, "/")
		rule(t, s, `{"conditions":{"users":{"includeUsers":[],"includeRoles":["`+readers+`"]}}}`)
	}},
	{name: "role whose activation has ended", tenant: func(t testing.TB, s *State) {
		s.Put("roleManagement/directory/roleAssignmentScheduleInstances", "r", object(t, `{"principalId":"`+ana+`","roleDefinitionId":"`+readers+`","directoryScopeId":"/","endDateTime":"2026-11-21T11:00:00Z"}`))
		rule(t, s, `{"conditions":{"users":{"includeUsers":[],"includeRoles":["`+readers+`"]}}}`)
	}},
	{name: "guests alone", tenant: rules(`{"conditions":{"users":{"includeUsers":["GuestsOrExternalUsers"]}}}`)},
	{name: "guest is included by all", tenant: func(t testing.TB, s *State) {
		s.Get("users", ana)["userType"] = "Guest"
		rule(t, s, `{}`)
	}, code: 53003, flaw: "guests counted as members"},
	{name: "internal guest by kind", tenant: func(t testing.TB, s *State) {
		s.Get("users", ana)["userType"] = "Guest"
		rule(t, s, `{"conditions":{"users":{"includeUsers":[],"includeGuestsOrExternalUsers":{"guestOrExternalUserTypes":"internalGuest,serviceProvider"}}}}`)
	}, code: 53003},
	{name: "workload identities", tenant: rules(`{"conditions":{"clientApplications":{"includeServicePrincipals":["ServicePrincipalsInMyTenant"]}}}`)},

	{name: "report-only", tenant: rules(`{"state":"enabledForReportingButNotEnforced"}`), flaw: "report-only enforced"},
	{name: "disabled", tenant: rules(`{"state":"disabled"}`), flaw: "disabled policies enforced"},

	{name: "no application", tenant: rules(`{"conditions":{"applications":{"includeApplications":["None"]}}}`)},
	{name: "admin portals", tenant: rules(`{"conditions":{"applications":{"includeApplications":["MicrosoftAdminPortals"]}}}`), code: 53003, flaw: "application groups not expanded"},
	{name: "all but the admin portals still meets Graph", tenant: rules(`{"conditions":{"applications":{"excludeApplications":["MicrosoftAdminPortals"]}}}`), code: 53003},
	{name: "Office 365 is not the Entra admin center", tenant: rules(`{"conditions":{"applications":{"includeApplications":["Office365"]}}}`)},
	{name: "Office 365 is the Microsoft 365 admin center", tenant: rules(`{"conditions":{"applications":{"includeApplications":["Office365"]}}}`),
		attempt: func(a *Attempt) { a.AppID = "00000006-0000-0ff1-ce00-000000000000" }, code: 53003},
	{name: "the only audience is excluded", tenant: rules(`{"conditions":{"applications":{"excludeApplications":["` + graphAPI + `"]}}}`),
		attempt: func(a *Attempt) { a.AppID, a.Resource = shell, graphAPI }, flaw: "excluded applications ignored"},
	{name: "low-privilege scopes do not escape", tenant: rules(`{"conditions":{"applications":{"excludeApplications":["` + graphAPI + `"]}}}`),
		attempt: func(a *Attempt) { a.AppID, a.Resource, a.LowPrivilege = shell, graphAPI, true }, code: 53003},
	{name: "filter for applications", tenant: func(t testing.TB, s *State) {
		s.Put("servicePrincipals", "sp", object(t, `{"id":"sp","appId":"`+graphAPI+`","customSecurityAttributes":{"Tier":{"Level":"zero"}}}`))
		rule(t, s, `{"conditions":{"applications":{"includeApplications":[],"applicationFilter":{"mode":"include","rule":"CustomSecurityAttribute.Tier_Level -eq \"zero\""}}}}`)
	}, attempt: func(a *Attempt) { a.AppID, a.Resource = shell, graphAPI }, code: 53003},
	{name: "user action policy leaves a sign-in alone", tenant: rules(`{"conditions":{"applications":{"includeApplications":[],"includeUserActions":["urn:user:registersecurityinfo"]}}}`)},
	{name: "user action", tenant: rules(`{"conditions":{"applications":{"includeApplications":[],"includeUserActions":["urn:user:registersecurityinfo"]}}}`),
		attempt: func(a *Attempt) { a.Action, a.AppID = "urn:user:registersecurityinfo", "" }, code: 53003},
	{name: "all resources act on registration", tenant: rules(`{}`), attempt: func(a *Attempt) { a.Action, a.AppID = "urn:user:registersecurityinfo", "" }, code: 53003},
	{name: "strength for the action replaces the one for all resources", tenant: rules(
		`{"grantControls":{"builtInControls":[],"authenticationStrength":{"id":"00000000-0000-0000-0000-000000000004"}}}`,
		`{"conditions":{"applications":{"includeApplications":[],"includeUserActions":["urn:user:registersecurityinfo"]}},"grantControls":{"builtInControls":[],"authenticationStrength":{"id":"00000000-0000-0000-0000-000000000002"}}}`),
		attempt: func(a *Attempt) {
			a.Action, a.AppID, a.Used = "urn:user:registersecurityinfo", "", []Shown{{Mode: "temporaryAccessPassMultiUse"}}
		}},
	{name: "context policy leaves a sign-in alone", tenant: rules(`{"conditions":{"applications":{"includeApplications":[],"includeAuthenticationContextClassReferences":["c1"]}}}`), flaw: "context policies always apply"},
	{name: "context", tenant: rules(`{"conditions":{"applications":{"includeApplications":[],"includeAuthenticationContextClassReferences":["c1"]}}}`),
		attempt: func(a *Attempt) { a.Context = "c1" }, code: 53003},

	{name: "legacy clients alone", tenant: rules(`{"conditions":{"clientAppTypes":["exchangeActiveSync","other"]}}`)},
	{name: "a legacy client satisfies nothing", tenant: rules(mfaRule), attempt: func(a *Attempt) { a.AppID, a.Resource, a.ClientApp = shell, graphAPI, "other" },
		code: 50076, flaw: "legacy clients satisfy MFA"},
	{name: "exclusion from a policy for Exchange ActiveSync", tenant: rules(`{"conditions":{"clientAppTypes":["exchangeActiveSync"],"users":{"excludeUsers":["` + ana + `"]}}}`),
		attempt: func(a *Attempt) { a.ClientApp, a.AppID, a.Resource = "exchangeActiveSync", shell, graphAPI }, unsure: true},
	{name: "all platforms include the unknown", tenant: rules(`{"conditions":{"platforms":{"includePlatforms":["all"],"excludePlatforms":["windows","macOS","iOS","android"]}}}`),
		attempt: func(a *Attempt) { a.Platform = "" }, code: 53003, flaw: "unknown platform escapes all"},
	{name: "excluded platform", tenant: rules(`{"conditions":{"platforms":{"includePlatforms":["all"],"excludePlatforms":["windows"]}}}`)},

	{name: "outside the trusted locations", tenant: func(t testing.TB, s *State) {
		location(t, s, hq)
		rule(t, s, `{"conditions":{"locations":{"includeLocations":["All"],"excludeLocations":["AllTrusted"]}}}`)
	}, code: 53003},
	{name: "inside a trusted location", tenant: func(t testing.TB, s *State) {
		location(t, s, hq)
		rule(t, s, `{"conditions":{"locations":{"includeLocations":["All"],"excludeLocations":["AllTrusted"]}}}`)
	}, attempt: func(a *Attempt) { a.IP = "2001:db8::7" }, flaw: "trusted location inverted"},
	{name: "unknown country", tenant: func(t testing.TB, s *State) {
		location(t, s, germany)
		rule(t, s, `{"conditions":{"locations":{"includeLocations":["de"]}}}`)
	}, attempt: func(a *Attempt) { a.Country = "" }, code: 53003, flaw: "unknown country never matches"},
	{name: "another country", tenant: func(t testing.TB, s *State) {
		location(t, s, germany)
		rule(t, s, `{"conditions":{"locations":{"includeLocations":["de"]}}}`)
	}},
	{name: "location that is gone", tenant: rules(`{"conditions":{"locations":{"includeLocations":["gone"]}}}`), unsure: true},
	{name: "GPS location without Authenticator", tenant: func(t testing.TB, s *State) {
		location(t, s, `{"@odata.type":"#microsoft.graph.countryNamedLocation","id":"gps","countriesAndRegions":["DE"],"countryLookupMethod":"authenticatorAppGps"}`)
		rule(t, s, `{"state":"enabledForReportingButNotEnforced","conditions":{"locations":{"includeLocations":["gps"]}}}`)
	}, unsure: true},
	{name: "strict location", tenant: func(t testing.TB, s *State) {
		location(t, s, hq)
		rule(t, s, `{"conditions":{"locations":{"includeLocations":["All"],"excludeLocations":["hq"]}},"sessionControls":{"continuousAccessEvaluation":{"mode":"strictLocation"}}}`)
	}, attempt: func(a *Attempt) { a.IP, a.ResourceIP = "198.51.100.1", "192.0.2.1" }, code: 53003},

	{name: "negative filter meets a bare device", tenant: rules(`{"conditions":{"devices":{"deviceFilter":{"mode":"include","rule":"device.trustType -ne \"ServerAD\""}}}}`), code: 53003, flaw: "negative operator fails on null"},
	{name: "positive filter leaves a bare device", tenant: rules(`{"conditions":{"devices":{"deviceFilter":{"mode":"include","rule":"device.model -contains \"Book\" -or (device.isCompliant -eq True)"}}}}`), flaw: "filter mode inverted"},
	{name: "excluded device", tenant: rules(`{"conditions":{"devices":{"deviceFilter":{"mode":"exclude","rule":"device.physicalIds -contains \"[ZTDId]:7\" -and -not device.displayName -startsWith 'OLD'"}}}}`),
		attempt: func(a *Attempt) {
			a.Device = Device{ID: "d", TrustType: "AzureAD", Properties: map[string]string{"physicalIds": "x,[ZTDID]:7", "displayName": "NEW-1"}}
		}},
	{name: "rule that does not parse", tenant: rules(`{"conditions":{"devices":{"deviceFilter":{"mode":"include","rule":"device.model -resembles \"x\""}}}}`), unsure: true},
	{name: "extension attribute of an unmanaged device", tenant: rules(`{"conditions":{"devices":{"deviceFilter":{"mode":"include","rule":"device.extensionAttribute1 -eq \"SAW\""}}}}`),
		attempt: func(a *Attempt) { a.Device = Device{ID: "d", TrustType: "Workplace"} }, unsure: true},

	{name: "sign-in risk", tenant: rules(`{"conditions":{"signInRiskLevels":["high"]}}`), attempt: func(a *Attempt) { a.SignInRisk = "high" }, code: 53003},
	{name: "no user risk", tenant: rules(`{"conditions":{"userRiskLevels":["high"]}}`), flaw: "user risk ignored"},
	{name: "insider risk as flags", tenant: rules(`{"conditions":{"insiderRiskLevels":"moderate,elevated"}}`), attempt: func(a *Attempt) { a.InsiderRisk = "elevated" }, code: 53003, flaw: "flags read as one word"},
	{name: "device code flow", tenant: rules(`{"conditions":{"authenticationFlows":{"transferMethods":"deviceCodeFlow"}}}`), attempt: func(a *Attempt) { a.Flow = "deviceCodeFlow" }, code: 53003},
	{name: "times", tenant: rules(`{"conditions":{"times":{"includedRanges":["x"]}}}`), unsure: true},
	{name: "condition of tomorrow", tenant: rules(`{"conditions":{"phaseOfTheMoon":["full"]}}`), unsure: true},

	{name: "MFA by passkey", tenant: rules(mfaRule)},
	{name: "MFA or compliant device", tenant: rules(`{"grantControls":{"builtInControls":["mfa","compliantDevice"]}}`), flaw: "OR read as AND"},
	{name: "MFA and compliant device", tenant: rules(`{"grantControls":{"operator":"AND","builtInControls":["mfa","compliantDevice"]}}`), code: 53000, flaw: "AND read as OR"},
	{name: "block wins over the rest of its policy", tenant: rules(`{"grantControls":{"builtInControls":["block","mfa"]}}`), code: 53003, flaw: "block inside OR is one choice"},
	{name: "hybrid joined", tenant: rules(`{"grantControls":{"builtInControls":["domainJoinedDevice"]}}`), code: 53001},
	{name: "approved app", tenant: rules(`{"grantControls":{"builtInControls":["approvedApplication"]}}`), code: 53002},
	{name: "app protection", tenant: rules(`{"grantControls":{"builtInControls":["compliantApplication"]}}`), code: 53009},
	{name: "password change of a passkey", tenant: rules(`{"grantControls":{"operator":"AND","builtInControls":["mfa","passwordChange"]}}`), code: 50142},
	{name: "terms of use", tenant: func(t testing.TB, s *State) {
		s.Put("identityGovernance/termsOfUse/agreements", "tou", object(t, `{"id":"tou","isPerDeviceAcceptanceRequired":true}`))
		rule(t, s, `{"grantControls":{"builtInControls":[],"termsOfUse":["tou"]}}`)
	}, code: 50158},
	{name: "custom control", tenant: rules(`{"grantControls":{"builtInControls":[],"customAuthenticationFactors":["Duo"]}}`), code: 50158},
	{name: "risk remediation without a password", tenant: rules(`{"grantControls":{"builtInControls":["riskRemediation"]}}`), unsure: true},
	{name: "control of tomorrow", tenant: rules(`{"grantControls":{"builtInControls":["faceScan"]}}`), unsure: true},
	{name: "phishing-resistant strength, TOTP", tenant: rules(`{"grantControls":{"builtInControls":[],"authenticationStrength":{"id":"00000000-0000-0000-0000-000000000004"}}}`),
		attempt: func(a *Attempt) { a.Used = with("softwareOath") }, code: 50079},
	{name: "strength limits the model of key", tenant: func(t testing.TB, s *State) {
		s.Put("policies/authenticationStrengthPolicies", "s", object(t, `{"id":"s","allowedCombinations":["fido2"],"combinationConfigurations":[{"appliesToCombinations":["fido2"],"allowedAAGUIDs":["`+rareKey+`"]}]}`))
		rule(t, s, `{"grantControls":{"builtInControls":[],"authenticationStrength":{"id":"s"}}}`)
	}, code: 50079, flaw: "allowed AAGUIDs ignored"},
	{name: "token protection of Resource Manager", tenant: rules(`{"conditions":{"applications":{"includeApplications":["797f4846-ba00-4fd7-ba43-dac1f8f63013"]}},"grantControls":null,"sessionControls":{"secureSignInSession":{"isEnabled":true}}}`), code: 530084},
	{name: "token protection of everything", tenant: rules(`{"grantControls":null,"sessionControls":{"secureSignInSession":{"isEnabled":true}}}`), unsure: true},
	{name: "Defender decides", tenant: rules(`{"grantControls":null,"sessionControls":{"cloudAppSecurity":{"isEnabled":true,"cloudAppSecurityType":"blockDownloads"}}}`), unsure: true},

	{name: "key restrictions bind sign-in", tenant: func(t testing.TB, s *State) {
		methods(t, s, `{"id":"Fido2","state":"enabled","includeTargets":[{"id":"all_users"}],"keyRestrictions":{"isEnforced":true,"enforcementType":"allow","aaGuids":["`+rareKey+`"]}}`)
	}, code: 50126, flaw: "key restrictions ignored"},
	{name: "method for others", tenant: func(t testing.TB, s *State) {
		methods(t, s, `{"id":"Fido2","state":"enabled","includeTargets":[{"id":"all_users"}],"excludeTargets":[{"id":"`+ana+`"}]}`)
	}, code: 50126, flaw: "method targets ignored"},
	{name: "one passkey profile is enough", tenant: func(t testing.TB, s *State) {
		methods(t, s, `{"id":"Fido2","state":"enabled","includeTargets":[{"id":"all_users","allowedPasskeyProfiles":["x","y"]}],"passkeyProfiles":[
			{"id":"x","passkeyTypes":"synced"},{"id":"y","passkeyTypes":"deviceBound","keyRestrictions":{"isEnforced":true,"enforcementType":"allow","aaGuids":["`+keyModel+`"]}}]}`)
	}},
	{name: "per-user MFA", tenant: func(t testing.TB, s *State) {
		s.Single["users/"+ana+"/authentication/requirements"] = Object{"perUserMfaState": "enforced"}
	}, attempt: func(a *Attempt) { a.AppID, a.Resource, a.Used = shell, graphAPI, password() }, code: 50079, flaw: "per-user MFA ignored"},
	{name: "security defaults", tenant: func(t testing.TB, s *State) {
		s.Single["policies/identitySecurityDefaultsEnforcementPolicy"] = Object{"isEnabled": true}
	}, attempt: func(a *Attempt) { a.AppID, a.Resource, a.Used = shell, graphAPI, password() }, code: 50079, flaw: "security defaults ignored"},
	{name: "security defaults block device code", tenant: func(t testing.TB, s *State) {
		s.Single["policies/identitySecurityDefaultsEnforcementPolicy"] = Object{"isEnabled": true}
	}, attempt: func(a *Attempt) { a.Flow = "deviceCodeFlow" }, code: 530035},
	{name: "outage, new session", attempt: func(a *Attempt) { a.Outage = "newSession" }, code: 90033},
	{name: "outage, resilience turned off for a group", tenant: func(t testing.TB, s *State) {
		group(t, s, "g", ana)
		rule(t, s, `{"conditions":{"users":{"excludeGroups":["g"]}},"grantControls":{"builtInControls":["compliantDevice"]},"sessionControls":{"disableResilienceDefaults":true}}`)
	}, attempt: func(a *Attempt) { a.Outage = "existingSession" }, code: 53003},
}

func methods(t testing.TB, s *State, configuration string) {
	s.Single["policies/authenticationMethodsPolicy"] = Object{"policyMigrationState": "migrationComplete",
		"authenticationMethodConfigurations": []any{map[string]any(object(t, configuration))}}
}

func (c question) state(t testing.TB) *State {
	s := bare(t)
	if c.tenant != nil {
		c.tenant(t, s)
	}
	return s
}

func TestEvaluatorDecidesAsMicrosoftDocuments(t *testing.T) {
	for _, c := range questions {
		t.Run(c.name, func(t *testing.T) {
			out := Judge(c.state(t), noon, attempt(c.attempt))
			if c.unsure {
				w := NewWorld(c.state(t), noon)
				w.Against = true
				hard := w.Judge(attempt(c.attempt))
				if len(out.Unsure) == 0 || !out.Allowed || hard.Allowed {
					t.Errorf("got allowed %v (unsure of %q), and read against the person %v; want both readings to differ", out.Allowed, out.Unsure, hard.Allowed)
				}
				return
			}
			if out.Code != c.code || out.Allowed != (c.code == 0) || len(out.Unsure) > 0 {
				t.Errorf("got code %d, blockers %v, unsure %q; want code %d", out.Code, out.Blockers, out.Unsure, c.code)
			}
		})
	}
}

// A table that no planted fault can break proves nothing.
func TestEveryPlantedFaultOfTheEvaluatorIsFound(t *testing.T) {
	if len(Flaws) < 15 {
		t.Errorf("%d faults to plant, want 15 or more", len(Flaws))
	}
	for _, flaw := range Flaws {
		t.Run(flaw, func(t *testing.T) {
			i := slices.IndexFunc(questions, func(c question) bool { return c.flaw == flaw })
			if i < 0 {
				t.Fatal("no case of the table names this fault")
			}
			c := questions[i]
			sound := Judge(c.state(t), noon, attempt(c.attempt))
			flawed := NewFlawedWorld(c.state(t), noon, flaw).Judge(attempt(c.attempt))
			if sound.Allowed == flawed.Allowed {
				t.Errorf("case %q is allowed %v with the fault and without", c.name, sound.Allowed)
			}
		})
	}
}

func TestOutcomeNamesWhatWouldGoOn(t *testing.T) {
	s := bare(t)
	rule(t, s, mfaRule)
	s.Put("users/"+ana+"/authentication/methods", "m1", object(t, `{"@odata.type":"#microsoft.graph.fido2AuthenticationMethod","id":"m1","aaGuid":"`+keyModel+`"}`))
	s.Put("users/"+ana+"/authentication/methods", "m2", object(t, `{"@odata.type":"#microsoft.graph.softwareOathAuthenticationMethod","id":"m2"}`))
	s.Put("users/"+ana+"/authentication/methods", "m3", object(t, `{"@odata.type":"#microsoft.graph.passwordAuthenticationMethod","id":"m3"}`))
	out := Judge(s, noon, attempt(func(a *Attempt) { a.Used = password() }))
	got, _ := json.Marshal(out.Wants)
	if out.Code != 50076 || string(got) != `[["fido2"],["password","softwareOath"]]` {
		t.Errorf("got code %d, wants %s", out.Code, got)
	}
}

func BenchmarkJudge(b *testing.B) {
	s := bare(b)
	location(b, s, hq)
	location(b, s, germany)
	group(b, s, "g", ana)
	for range 10 {
		rule(b, s, `{"conditions":{"users":{"excludeGroups":["other"]},"locations":{"includeLocations":["All"],"excludeLocations":["AllTrusted"]}},"grantControls":{"builtInControls":["mfa"]}}`)
		rule(b, s, `{"conditions":{"locations":{"includeLocations":["de"]}}}`)
		rule(b, s, `{"conditions":{"users":{"excludeGroups":["g"]}}}`)
		rule(b, s, `{"conditions":{"signInRiskLevels":["high"]}}`)
		rule(b, s, `{"grantControls":{"builtInControls":[],"authenticationStrength":{"id":"00000000-0000-0000-0000-000000000004"}}}`)
	}
	w := NewWorld(s, noon)
	a := attempt(nil)
	for b.Loop() {
		w.Judge(a)
	}
}
