package verify_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"halligan/lockout/verify"
)

type (
	obj = map[string]any
	arr = []any
)

// parse reads JSON written in a test.
func parse(text string) any {
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		panic(fmt.Sprintf("%v in %s", err, text))
	}
	return v
}

func text(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// proof is a hand-made Snapshot, question and certificate.
type proof struct {
	snap, cert obj
	q          verify.Question
	stale      bool // keep the digest as it is
}

const (
	globalAdmin = "62e90394-69f5-4237-9190-012177145e10"
	modelA      = "2fc0579f-8113-47ea-b116-bb5a8db9202a"
	modelB      = "ee882879-721c-4913-9775-3dfcce97072a"
)

// newProof is a tenant without policies, an emergency account with a key and a
// password, and the certificate that says so.
func newProof() *proof {
	p := &proof{q: verify.Question{Account: "bg", Goal: verify.Goal{Name: "entraAdminCenter"}}}
	p.snap = parse(`{
		"schema": "halligan-snapshot/1", "cloud": "public",
		"conditionalAccessPolicies": [],
		"namedLocations": [
			{"id": "l1", "raw": {"@odata.type": "#microsoft.graph.ipNamedLocation", "id": "l1", "isTrusted": true, "ipRanges": [{"cidrAddress": "10.0.0.0/8"}]}},
			{"id": "de", "raw": {"@odata.type": "#microsoft.graph.countryNamedLocation", "id": "de", "countriesAndRegions": ["DE"], "includeUnknownCountriesAndRegions": false}}],
		"authenticationStrengthPolicies": [
			{"id": "model-a", "raw": {"id": "model-a", "policyType": "custom", "allowedCombinations": ["fido2"],
				"combinationConfigurations": [{"@odata.type": "#microsoft.graph.fido2CombinationConfiguration", "appliesToCombinations": ["fido2"], "allowedAAGUIDs": ["` + modelA + `"]}]}},
			{"id": "model-b", "raw": {"id": "model-b", "policyType": "custom", "allowedCombinations": ["fido2"],
				"combinationConfigurations": [{"@odata.type": "#microsoft.graph.fido2CombinationConfiguration", "appliesToCombinations": ["fido2"], "allowedAAGUIDs": ["` + modelB + `"]}]}}],
		"authenticationMethodsPolicy": {"raw": {"policyMigrationState": "migrationComplete", "authenticationMethodConfigurations": [
			{"id": "Fido2", "state": "enabled", "includeTargets": [{"targetType": "group", "id": "all_users"}], "excludeTargets": []}]}},
		"securityDefaults": false,
		"users": [{"id": "bg", "userPrincipalName": "bg@contoso.onmicrosoft.com", "userType": "Member", "enabled": true}],
		"groups": [{"id": "outer", "members": ["inner"], "membersRead": true}, {"id": "inner", "members": ["bg"], "membersRead": true},
			{"id": "others", "members": ["someone"], "membersRead": true}, {"id": "unread", "members": ["someone"]}],
		"accounts": [{"id": "bg", "memberships": [], "methodsRead": true, "perUserMfa": "disabled", "methods": [
			{"id": "key", "type": "fido2", "aaGuid": "` + modelA + `", "passkeyType": "deviceBound"}, {"id": "pw", "type": "password"}]}],
		"roleAssignments": [{"principal": "bg", "role": "` + globalAdmin + `", "scope": "/", "assignment": "active"},
			{"principal": "bg", "role": "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9", "scope": "/", "assignment": "eligible"},
			{"principal": "bg", "role": "f2ef992c-3afb-46b9-b7cf-a126ee74c451", "scope": "/administrativeUnits/x", "assignment": "active"}],
		"roleManagementPolicies": [], "protectedActions": [], "agreements": [{"id": "terms"}, {"id": "terms-device", "perDevice": true}],
		"servicePrincipals": [], "domains": [{"name": "contoso.onmicrosoft.com", "authentication": "Managed"}]}`).(obj)
	parts := obj{}
	for _, name := range []string{"conditionalAccessPolicies", "namedLocations", "roleAssignments", "roleEligibility", "roleManagementPolicies", "protectedActions",
		"agreements", "domains", "users", "groups", "servicePrincipals"} {
		parts[name] = obj{"status": "read"}
	}
	p.snap["parts"] = parts
	p.cert = parse(`{
		"schema": "halligan-certificate/1", "account": "bg",
		"goal": {"name": "entraAdminCenter", "client": "c44b4083-3bb0-49c1-b47d-974e53cbdf3c", "audiences": ["c44b4083-3bb0-49c1-b47d-974e53cbdf3c",
			"797f4846-ba00-4fd7-ba43-dac1f8f63013", "00000003-0000-0000-c000-000000000000", "00000002-0000-0000-c000-000000000000"],
			"clientAppTypes": ["browser"], "mandatoryMfa": "phase1"},
		"dimensions": [
			{"dimension": "platform", "values": ["windows", "macOS", "linux", "android", "iOS", "windowsPhone", "unknown"]},
			{"dimension": "ipLocations", "values": [""]},
			{"dimension": "country", "values": ["XX", "unknown"]},
			{"dimension": "gpsCountry", "values": ["XX"]},
			{"dimension": "compliantNetwork", "values": ["false"]},
			{"dimension": "device", "values": ["unregistered"], "devices": [{"registered": false}]},
			{"dimension": "signInRisk", "values": ["none", "low", "medium", "high"]},
			{"dimension": "userRisk", "values": ["none", "low", "medium", "high"]},
			{"dimension": "insiderRisk", "values": ["none", "minor", "moderate", "elevated"]},
			{"dimension": "smartLockout", "values": ["false"]},
			{"dimension": "authService", "values": ["normal"]},
			{"dimension": "resourceSeenIp", "values": [""]}],
		"options": [{"choice": {"clientAppType": "browser", "flow": "none"}, "kit": ["key", "pw"]}],
		"leaves": [{"option": 0}],
		"lines": [],
		"gates": [
			{"gate": "accountEnabled", "leaf": -1, "reason": "enabled"},
			{"gate": "usableCredential", "leaf": -1, "reason": "primary", "credentials": ["key"], "combination": ["fido2"]},
			{"gate": "groupLimit", "leaf": -1, "reason": "withinLimit"},
			{"gate": "federation", "leaf": -1, "reason": "managedDomain"},
			{"gate": "passRegistration", "leaf": -1, "reason": "otherPrimary"},
			{"gate": "mandatoryMfa", "leaf": -1, "reason": "mfa", "credentials": ["key"], "combination": ["fido2"]},
			{"gate": "securityDefaults", "leaf": -1, "reason": "off"},
			{"gate": "perUserMfa", "leaf": -1, "reason": "disabled"},
			{"gate": "registrationCampaign", "leaf": -1, "reason": "noCampaign"},
			{"gate": "authService", "leaf": -1, "reason": "noOutage"},
			{"gate": "recoveryRole", "leaf": -1, "reason": "notAsked"},
			{"gate": "pimActivation", "leaf": -1, "reason": "notNeeded"},
			{"gate": "protectedAction", "leaf": -1, "reason": "notAsked"}]}`).(obj)
	return p
}

// policy adds a policy and, unless it is empty, the line about it.
func (p *proof) policy(raw, line string) *proof {
	list := p.snap["conditionalAccessPolicies"].(arr)
	id := fmt.Sprintf("p%d", len(list)+1)
	p.snap["conditionalAccessPolicies"] = append(list, obj{"id": id, "displayName": id, "raw": parse(raw)})
	if strings.Contains(raw, `"l1"`) || strings.Contains(raw, "AllTrusted") {
		p.dimension("ipLocations")["values"] = arr{"", "l1"}
	}
	if strings.Contains(raw, `"de"`) {
		p.dimension("country")["values"] = arr{"DE", "XX", "unknown"}
	}
	if line != "" {
		l := parse(line).(obj)
		base := obj{"policy": id, "stage": "signIn", "leaf": -1}
		maps.Copy(base, l)
		p.cert["lines"] = append(p.cert["lines"].(arr), base)
	}
	return p
}

func (p *proof) dimension(name string) obj {
	for _, d := range p.cert["dimensions"].(arr) {
		if d.(obj)["dimension"] == name {
			return d.(obj)
		}
	}
	panic("no dimension " + name)
}

func (p *proof) gate(name string) obj {
	for _, g := range p.cert["gates"].(arr) {
		if g.(obj)["gate"] == name {
			return g.(obj)
		}
	}
	panic("no gate " + name)
}

// set changes a member of the Snapshot or of the certificate, found by a path
// such as "users.0.enabled"; a nil value deletes it.
func set(in any, path string, v any) {
	steps := strings.Split(path, ".")
	for _, s := range steps[:len(steps)-1] {
		if list, ok := in.(arr); ok {
			var i int
			fmt.Sscan(s, &i)
			in = list[i]
		} else {
			in = in.(obj)[s]
		}
	}
	last := steps[len(steps)-1]
	switch x := in.(type) {
	case obj:
		if v == nil {
			delete(x, last)
		} else {
			x[last] = v
		}
	case arr:
		var i int
		fmt.Sscan(last, &i)
		x[i] = v
	}
}

// check verifies the certificate.
func (p *proof) check() error {
	s := text(p.snap)
	if !p.stale {
		sum := sha256.Sum256(s)
		p.cert["snapshot"] = hex.EncodeToString(sum[:])
	}
	return verify.Certificate(s, p.q, text(p.cert))
}

const (
	everybody = `"users":{"includeUsers":["All"]}`
	anything  = `"applications":{"includeApplications":["All"]}`
	blocks    = `"grantControls":{"operator":"OR","builtInControls":["block"]}`
)

func enabled(parts ...string) string { return `{"state":"enabled",` + strings.Join(parts, ",") + `}` }

func conditions(parts ...string) string { return `"conditions":{` + strings.Join(parts, ",") + `}` }

func users(members string) string { return `"users":{` + members + `}` }

func grant(op, members string) string {
	return `"grantControls":{"operator":"` + op + `",` + members + `}`
}

// asks is a policy for everybody and everything that asks for something.
func asks(op, members string) string {
	return enabled(conditions(everybody, anything), grant(op, members))
}

func excluded(kind, id string) string {
	return `{"reason":"excluded","route":{"kind":"` + kind + `","id":"` + id + `"}}`
}

func disjoint(condition string) string {
	return `{"reason":"disjoint","condition":"` + condition + `"}`
}

func satisfied(items ...string) string {
	return `{"reason":"satisfied","items":[` + strings.Join(items, ",") + `]}`
}

const (
	notIncluded = `{"reason":"userNotIncluded"}`
	notTarget   = `{"reason":"targetNotInGoal"}`
	mfaByKey    = `{"control":"mfa","credentials":["key"],"combination":["fido2"]}`
)

func byKey(control string) string {
	return `{"control":"` + control + `","credentials":["key"],"combination":["fido2"]}`
}

func TestLines(t *testing.T) {
	blockAll := func(more ...string) string {
		return enabled(conditions(append([]string{everybody, anything}, more...)...), blocks)
	}
	blockFor := func(u string) string { return enabled(conditions(users(u), anything), blocks) }
	blockOn := func(apps string) string {
		return enabled(conditions(everybody, `"applications":{`+apps+`}`), blocks)
	}
	for _, c := range []struct {
		name, policy, line string
		ok                 bool
	}{
		{"a report-only policy is not enforced", `{"state":"enabledForReportingButNotEnforced",` + conditions(everybody, anything) + "," + blocks + `}`, `{"reason":"notEnabled","state":"enabledForReportingButNotEnforced"}`, true},
		{"a disabled policy in PowerShell's spelling", `{"State":"Disabled","Conditions":{"Users":{"IncludeUsers":"All"}}}`, `{"reason":"notEnabled","state":"disabled"}`, true},
		{"an enabled policy is not disabled", blockAll(), `{"reason":"notEnabled","state":"disabled"}`, false},
		{"disabled is not report-only", `{"state":"disabled",` + conditions(everybody, anything) + "," + blocks + `}`, `{"reason":"notEnabled","state":"enabledForReportingButNotEnforced"}`, false},
		{"a state that nobody knows", `{"state":"sometimes",` + conditions(everybody, anything) + "," + blocks + `}`, `{"reason":"notEnabled","state":"sometimes"}`, false},
		{"a policy without a state", `{` + conditions(everybody, anything) + "," + blocks + `}`, `{"reason":"notEnabled","state":""}`, false},
		{"a state told twice", `{"state":"disabled","State":"enabled",` + conditions(everybody, anything) + "," + blocks + `}`, `{"reason":"notEnabled","state":"disabled"}`, false},

		{"somebody else is included", blockFor(`"includeUsers":["someone"]`), notIncluded, true},
		{"nobody is included", blockFor(`"includeUsers":["None"]`), notIncluded, true},
		{"everybody is included", blockFor(`"includeUsers":["All"]`), notIncluded, false},
		{"the account is included in other case", blockFor(`"includeUsers":["BG"]`), notIncluded, false},
		{"the account is included by name", blockFor(`"includeUsers":["bg@contoso.onmicrosoft.com"]`), notIncluded, false},
		{"another group is included", blockFor(`"includeGroups":["others"]`), notIncluded, true},
		{"a nested group is included", blockFor(`"includeGroups":["outer"]`), notIncluded, false},
		{"a group that was not read may be", blockFor(`"includeGroups":["unread"]`), notIncluded, false},
		{"a group that nobody knows may be", blockFor(`"includeGroups":["never-heard-of"]`), notIncluded, false},
		{"an active role is included", blockFor(`"includeRoles":["` + globalAdmin + `"]`), notIncluded, false},
		{"an eligible role does not match", blockFor(`"includeRoles":["b1be1c3e-b65d-4f19-8427-f6fa0d97feb9"]`), notIncluded, true},
		{"a role in an administrative unit does not match", blockFor(`"includeRoles":["f2ef992c-3afb-46b9-b7cf-a126ee74c451"]`), notIncluded, true},
		{"guests are included, the account is none", blockFor(`"includeUsers":["GuestsOrExternalUsers"],"includeGuestsOrExternalUsers":{"guestOrExternalUserTypes":"internalGuest"}`), notIncluded, true},
		{"something unknown may include", blockFor(`"includeUsers":["None"],"includeRobots":["R2"]`), notIncluded, false},
		{"a list that PowerShell lost may include", blockFor(`"includeUsers":"System.Object[]"`), notIncluded, false},
		{"a policy without conditions is for anybody", `{"state":"enabled","conditions":null,` + blocks + `}`, notIncluded, false},
		{"agents are no people", enabled(conditions(`"clientApplications":{"includeServicePrincipals":["All"]}`, anything), blocks), notIncluded, true},

		{"excluded by id", blockFor(`"includeUsers":["All"],"excludeUsers":["bg"]`), excluded("user", "bg"), true},
		{"excluded by another id", blockFor(`"includeUsers":["All"],"excludeUsers":["bg","someone"]`), excluded("user", "someone"), false},
		{"not excluded at all", blockFor(`"includeUsers":["All"]`), excluded("user", "bg"), false},
		{"excluded through a nested group", blockFor(`"includeUsers":["All"],"excludeGroups":["outer"]`), excluded("group", "outer"), true},
		{"excluded through a group without it", blockFor(`"includeUsers":["All"],"excludeGroups":["others"]`), excluded("group", "others"), false},
		{"excluded through a group that was not read", blockFor(`"includeUsers":["All"],"excludeGroups":["unread"]`), excluded("group", "unread"), false},
		{"excluded through an active role", blockFor(`"includeUsers":["All"],"excludeRoles":["` + globalAdmin + `"]`), excluded("role", globalAdmin), true},
		{"excluded through an eligible role", blockFor(`"includeUsers":["All"],"excludeRoles":["b1be1c3e-b65d-4f19-8427-f6fa0d97feb9"]`), excluded("role", "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9"), false},
		{"excluded as a guest that it is not", blockFor(`"includeUsers":["All"],"excludeUsers":["GuestsOrExternalUsers"]`), excluded("guest", "internalGuest"), false},
		{"excluded through a route that does not exist", blockFor(`"includeUsers":["All"],"excludeUsers":["bg"]`), excluded("luck", "bg"), false},
		{"excluded without a route", blockFor(`"includeUsers":["All"],"excludeUsers":["bg"]`), `{"reason":"excluded"}`, false},
		{"exclusions told twice", blockFor(`"includeUsers":["All"],"excludeUsers":[],"ExcludeUsers":["bg"]`), excluded("user", "bg"), false},
		{"the same exclusions told twice", blockFor(`"includeUsers":["All"],"excludeUsers":["bg"],"ExcludeUsers":["bg"]`), excluded("user", "bg"), true},
		{"exclusion wins over what is unknown", blockFor(`"includeUsers":["All"],"excludeUsers":["bg"],"includeRobots":["R2"]`), excluded("user", "bg"), true},

		{"another application", blockOn(`"includeApplications":["00000002-0000-0ff1-ce00-000000000000"]`), notTarget, true},
		{"Office 365 holds no audience of the portal", blockOn(`"includeApplications":["Office365"]`), notTarget, true},
		{"the admin portals hold the portal", blockOn(`"includeApplications":["MicrosoftAdminPortals"]`), notTarget, false},
		{"Azure management covers the portal", blockOn(`"includeApplications":["797F4846-ba00-4fd7-ba43-dac1f8f63013"]`), notTarget, false},
		{"all but the admin portals reaches the APIs", blockOn(`"includeApplications":["All"],"excludeApplications":["MicrosoftAdminPortals"]`), notTarget, false},
		{"a user action is no resource", blockOn(`"includeUserActions":["urn:user:registerdevice"]`), notTarget, true},
		{"a context is no resource", blockOn(`"includeAuthenticationContextClassReferences":["c1"]`), notTarget, true},
		{"an application filter on what was not read", blockOn(`"includeApplications":["None"],"applicationFilter":{"mode":"include","rule":"CustomSecurityAttribute.A_b -eq \"x\""}`), notTarget, true},
		{"an application filter that cannot be parsed", blockOn(`"includeApplications":["None"],"applicationFilter":{"mode":"include","rule":"CustomSecurityAttribute.A_b resembles \"x\""}`), notTarget, false},
		{"something unknown among the applications", blockOn(`"includeApplications":["None"],"includeGalaxies":["All"]`), notTarget, false},

		{"a browser is not legacy", blockAll(`"clientAppTypes":["exchangeActiveSync","other"]`), disjoint("clientAppTypes"), true},
		{"a browser is a browser", blockAll(`"clientAppTypes":["browser"]`), disjoint("clientAppTypes"), false},
		{"a kind of client that nobody knows", blockAll(`"clientAppTypes":["hologram"]`), disjoint("clientAppTypes"), false},
		{"no flow is chosen", blockAll(`"authenticationFlows":{"transferMethods":"deviceCodeFlow,authenticationTransfer"}`), disjoint("authenticationFlows"), true},
		{"there is no condition on platforms", blockAll(), disjoint("platforms"), false},
		{"iOS is a platform of the envelope", blockAll(`"platforms":{"includePlatforms":["iOS"]}`), disjoint("platforms"), false},
		{"no platform is left", blockAll(`"platforms":{"includePlatforms":["iOS"],"excludePlatforms":["all"]}`), disjoint("platforms"), true},
		{"a positive filter misses an unregistered device", blockAll(`"devices":{"deviceFilter":{"mode":"include","rule":"device.model -eq \"SAW\""}}`), disjoint("devices"), true},
		{"a negative filter matches it", blockAll(`"devices":{"deviceFilter":{"mode":"include","rule":"device.model -ne \"SAW\""}}`), disjoint("devices"), false},
		{"a filter that excludes what it matches", blockAll(`"devices":{"deviceFilter":{"mode":"exclude","rule":"device.model -ne \"SAW\""}}`), disjoint("devices"), true},
		{"a filter that nobody can parse", blockAll(`"devices":{"deviceFilter":{"mode":"include","rule":"device.model ~ \"SAW\""}}`), disjoint("devices"), false},
		{"a filter in a mode that nobody knows", blockAll(`"devices":{"deviceFilter":{"mode":"maybe","rule":"device.model -eq \"SAW\""}}`), disjoint("devices"), false},
		{"high risk is in the envelope", blockAll(`"signInRiskLevels":["high"]`), disjoint("signInRisk"), false},
		{"hidden risk is not known", blockAll(`"userRiskLevels":["hidden"]`), disjoint("userRisk"), false},
		{"a condition that does not exist", blockAll(), disjoint("weather"), false},
		{"trusted places only, none of them", blockAll(`"locations":{"includeLocations":["AllTrusted"],"excludeLocations":["l1"]}`), disjoint("locations"), true},
		{"outside of trusted places", blockAll(`"locations":{"includeLocations":["All"],"excludeLocations":["AllTrusted"]}`), disjoint("locations"), false},
		{"an excluded place that nobody knows excludes nothing", blockAll(`"locations":{"includeLocations":["l1"],"excludeLocations":["l1","nowhere"]}`), disjoint("locations"), true},
		{"an included place that nobody knows", blockAll(`"locations":{"includeLocations":["nowhere"]}`), disjoint("locations"), false},
		{"a network condition with something lost in it", blockAll(`"locations":{"includeLocations":["l1",{}],"excludeLocations":["l1"]}`), disjoint("locations"), false},
		{"a network condition with an unknown key", blockAll(`"locations":{"includeLocations":["l1"],"excludeLocations":["l1"],"includeOrbits":["low"]}`), disjoint("locations"), false},
		{"the compliant network is away", blockAll(`"locations":{"includeLocations":["3d46dbda-8382-466a-856d-eb00cbc6b910"]}`), disjoint("locations"), true},
		{"a time of day is not known", blockAll(`"times":{"x":1}`), disjoint("times"), false},

		{"MFA by a key", asks("OR", `"builtInControls":["mfa"]`), satisfied(mfaByKey), true},
		{"MFA by a password", asks("OR", `"builtInControls":["mfa"]`), satisfied(`{"control":"mfa","credentials":["pw"],"combination":["password"]}`), false},
		{"MFA by a key that is called something else", asks("OR", `"builtInControls":["mfa"]`), satisfied(`{"control":"mfa","credentials":["key"],"combination":["windowsHelloForBusiness"]}`), false},
		{"MFA by a key that is not there", asks("OR", `"builtInControls":["mfa"]`), satisfied(`{"control":"mfa","credentials":["other-key"],"combination":["fido2"]}`), false},
		{"MFA by a key and more than is needed", asks("OR", `"builtInControls":["mfa"]`), satisfied(`{"control":"mfa","credentials":["key","pw"],"combination":["fido2"]}`), false},
		{"MFA without evidence", asks("OR", `"builtInControls":["mfa"]`), satisfied(), false},
		{"MFA by a device", asks("OR", `"builtInControls":["mfa"]`), satisfied(`{"control":"mfa","by":"device"}`), false},
		{"MFA is said twice", asks("OR", `"builtInControls":["mfa"]`), satisfied(mfaByKey, mfaByKey), false},
		{"one of two is enough with OR", asks("OR", `"builtInControls":["mfa","compliantDevice"]`), satisfied(mfaByKey), true},
		{"one of two is not enough with AND", asks("AND", `"builtInControls":["mfa","compliantDevice"]`), satisfied(mfaByKey), false},
		{"one of two is not enough without operator", enabled(conditions(everybody, anything), `"grantControls":{"builtInControls":["mfa","compliantDevice"]}`), satisfied(mfaByKey), false},
		{"a bare workstation is not compliant", asks("OR", `"builtInControls":["compliantDevice"]`), satisfied(`{"control":"compliantDevice","by":"device"}`), false},
		{"an item that the policy does not ask for", asks("OR", `"builtInControls":["mfa"]`), satisfied(mfaByKey, `{"control":"termsOfUse","by":"browser"}`), false},
		{"block is never satisfied", asks("OR", `"builtInControls":["mfa","block"]`), satisfied(mfaByKey), false},
		{"a control that nobody knows, beside MFA", asks("OR", `"builtInControls":["mfa","oath of loyalty"]`), satisfied(mfaByKey), true},
		{"a control that nobody knows, with MFA", asks("AND", `"builtInControls":["mfa","oath of loyalty"]`), satisfied(mfaByKey), false},
		{"nothing is asked", enabled(conditions(everybody, anything)), satisfied(), true},
		{"nothing is asked, but a key is unknown", enabled(conditions(everybody, anything), `"obligations":{"x":1}`), satisfied(), false},
		{"nothing is asked, but something in the grant is unknown", asks("OR", `"builtInControls":[],"newControls":["x"]`), satisfied(), false},
		{"a strength by the right model", asks("OR", `"authenticationStrength":{"id":"model-a"}`), satisfied(byKey("authenticationStrength")), true},
		{"a strength by another model", asks("OR", `"authenticationStrength":{"id":"model-b"}`), satisfied(byKey("authenticationStrength")), false},
		{"a strength that nobody read", asks("OR", `"authenticationStrength":{"id":"model-c"}`), satisfied(byKey("authenticationStrength")), false},
		{"a strength inside the policy, its configurations not read", asks("OR", `"authenticationStrength":{"id":"model-c","allowedCombinations":["fido2"],"combinationConfigurations":[]}`), satisfied(byKey("authenticationStrength")), false},
		{"the built-in phishing-resistant strength", asks("OR", `"authenticationStrength":{"id":"00000000-0000-0000-0000-000000000004"}`), satisfied(byKey("authenticationStrength")), true},
		{"a strength by reference", asks("OR", `"authenticationStrength@odata.bind":"https://graph.microsoft.com/v1.0/policies/authenticationStrengthPolicies('model-a')"`), satisfied(byKey("authenticationStrength")), true},
		{"terms in a browser", asks("AND", `"builtInControls":["mfa"],"termsOfUse":["terms"]`), satisfied(mfaByKey, `{"control":"termsOfUse","by":"browser"}`), true},
		{"terms on each device", asks("AND", `"builtInControls":["mfa"],"termsOfUse":["terms-device"]`), satisfied(mfaByKey, `{"control":"termsOfUse","by":"browser"}`), false},
		{"terms that nobody knows", asks("AND", `"termsOfUse":["terms-other"]`), satisfied(`{"control":"termsOfUse","by":"browser"}`), false},
		{"a custom control", asks("OR", `"customAuthenticationFactors":["x"]`), satisfied(`{"control":"customAuthenticationFactor"}`), false},
		{"a password change by somebody who has one", asks("AND", `"builtInControls":["mfa","passwordChange"]`), satisfied(mfaByKey, byKey("passwordChange")), true},

		{"sign-in frequency every time, by a key", enabled(conditions(everybody, anything), `"sessionControls":{"signInFrequency":{"isEnabled":true,"frequencyInterval":"everyTime"}}`), satisfied(), true},
		{"a Defender session", enabled(conditions(everybody, anything), `"sessionControls":{"cloudAppSecurity":{"isEnabled":true,"cloudAppSecurityType":"blockDownloads"}}`), satisfied(), false},
		{"a Defender session that only watches", enabled(conditions(everybody, anything), `"sessionControls":{"cloudAppSecurity":{"isEnabled":true,"cloudAppSecurityType":"monitorOnly"}}`), satisfied(), true},
		{"a Defender session that is off", enabled(conditions(everybody, anything), `"sessionControls":{"cloudAppSecurity":{"isEnabled":false,"cloudAppSecurityType":"blockDownloads"}}`), satisfied(), true},
		{"token protection on a bare workstation", enabled(conditions(everybody, anything), `"sessionControls":{"secureSignInSession":{"isEnabled":true}}`), satisfied(), false},
		{"a session control that nobody knows", enabled(conditions(everybody, anything), `"sessionControls":{"thoughtControl":{"isEnabled":true}}`), satisfied(), false},
		{"a session control that nobody knows, off", enabled(conditions(everybody, anything), `"sessionControls":{"thoughtControl":{"isEnabled":false}}`), satisfied(), true},

		{"a reason that does not exist", blockAll(), `{"reason":"goodwill"}`, false},
		{"a line about another stage", blockFor(`"includeUsers":["None"]`), `{"reason":"userNotIncluded","stage":"stepUp"}`, false},
		{"a line about another policy", blockFor(`"includeUsers":["None"]`), `{"reason":"userNotIncluded","policy":"p2"}`, false},
		{"a line about a leaf that does not exist", blockFor(`"includeUsers":["None"]`), `{"reason":"userNotIncluded","leaf":1}`, false},
		{"a line that says more than it needs", blockFor(`"includeUsers":["None"]`), `{"reason":"userNotIncluded","state":"disabled"}`, false},
		{"no line", blockFor(`"includeUsers":["None"]`), "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := newProof().policy(c.policy, c.line).check()
			if c.ok && err != nil {
				t.Errorf("refused: %v", err)
			}
			if !c.ok && err == nil {
				t.Error("accepted")
			}
		})
	}
}

func TestErrorsNameTheLine(t *testing.T) {
	p := newProof().policy(asks("OR", `"builtInControls":["mfa"]`), satisfied(mfaByKey)).policy(enabled(conditions(everybody, anything), blocks), notIncluded)
	err := p.check()
	if err == nil || !strings.Contains(err.Error(), "line 2") || !strings.Contains(err.Error(), `"p2"`) {
		t.Errorf("got %v, want the second line and its policy named", err)
	}
}

func TestEveryGateIsNeededAndChecked(t *testing.T) {
	p := newProof()
	if err := p.check(); err != nil {
		t.Fatal(err)
	}
	gates := p.cert["gates"].(arr)
	for i, g := range gates {
		name := g.(obj)["gate"].(string)
		p := newProof()
		p.cert["gates"] = slices.Delete(slices.Clone(gates), i, i+1)
		if err := p.check(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: got %v", name, err)
		}
		p.cert["gates"] = append(slices.Clone(gates), g)
		if err := p.check(); err == nil {
			t.Errorf("%s given twice was accepted", name)
		}
		for _, reason := range []string{"enabled", "primary", "withinLimit", "managedDomain", "otherPrimary", "outOfScope", "notBrowser", "notRequired", "mfa", "off", "disabled",
			"noCampaign", "notForced", "noOutage", "notAsked", "eligible", "active", "notNeeded", "contextPolicies", "contextHasPolicy", "notProtected", ""} {
			if reason == g.(obj)["reason"] {
				continue
			}
			p := newProof()
			p.gate(name)["reason"] = reason
			if err := p.check(); err == nil {
				t.Errorf("%s because of %q was accepted", name, reason)
			}
		}
	}
}

func unmarshal(s string, into any) error { return json.Unmarshal([]byte(s), into) }
