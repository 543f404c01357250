package lockout_test

import (
	"encoding/json"
	"testing"

	"halligan/lockout"
)

// findings are worlds in which the prover and full enumeration once differed,
// with what is right. Those that a vector has words for are among the corner
// vectors too.
var findings = []struct {
	name   string
	tweaks []string
	world  string
	want   lockout.Outcome
}{
	{"a sign-in by pass outside a browser is not interrupted", []string{"registration not ruled out"},
		`{"accounts":[{"id":"bg1","credentials":[{"type":"temporaryAccessPass"}]}],"query":{"account":"bg1","goal":"graphPowerShell","kind":"prove",
			"quantifiers":{"clientAppType":{"exists":["mobileAppsAndDesktopClients"]}}},"tenant":{}}`, lockout.Proved},
	{"a sign-in by pass in a browser may be", []string{"registration not ruled out"},
		`{"accounts":[{"id":"bg1","credentials":[{"type":"temporaryAccessPass"}]}],"query":{"account":"bg1","goal":"graphPowerShell","kind":"prove",
			"quantifiers":{"clientAppType":{"exists":["browser"]}}},"tenant":{}}`, lockout.Undetermined},
	{"in a kind of client that one cannot choose it may be", []string{"registration not ruled out"},
		`{"accounts":[{"id":"bg1","credentials":[{"type":"temporaryAccessPass"}]}],"query":{"account":"bg1","goal":"graphPowerShell","kind":"prove",
			"quantifiers":{"clientAppType":{"forall":["browser","mobileAppsAndDesktopClients"]}}},"tenant":{}}`, lockout.Undetermined},
	{"a custom control after their retirement", []string{"after SMS and voice"},
		`{"accounts":[{"id":"bg1","credentials":[{"type":"fido2"}]}],"query":{"account":"bg1","goal":"graphPowerShell","kind":"prove"},"tenant":{"policies":[
			{"id":"p1","state":"enabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]}},"grantControls":{"customAuthenticationFactors":["third party"]}}]}}`, lockout.Undetermined},
	{"a custom control before", nil,
		`{"accounts":[{"id":"bg1","credentials":[{"type":"fido2"}]}],"query":{"account":"bg1","goal":"graphPowerShell","kind":"prove"},"tenant":{"policies":[
			{"id":"p1","state":"enabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]}},"grantControls":{"customAuthenticationFactors":["third party"]}}]}}`, lockout.Lockout},
	{"a forced campaign for a method that the account perhaps may not use", []string{"methods policy not read"},
		`{"accounts":[{"id":"bg1","credentials":[{"type":"password"},{"type":"softwareOath"}]}],"query":{"account":"bg1","goal":"azureCliWrite","kind":"prove"},
			"tenant":{"registrationCampaignForced":{"includeTargets":[{"id":"all_users"}]}}}`, lockout.Undetermined},
	{"a forced campaign for passkeys, methods policy not read", []string{"methods policy not read"},
		`{"accounts":[{"id":"bg1","credentials":[{"type":"windowsHelloForBusiness"}]}],"query":{"account":"bg1","goal":"azureCliWrite","kind":"prove"},
			"tenant":{"registrationCampaignForced":{"includeTargets":[{"id":"all_users","targetedAuthenticationMethod":"fido2"}]}}}`, lockout.Undetermined},
	{"a forced campaign for Authenticator, which everybody may use", nil,
		`{"accounts":[{"id":"bg1","credentials":[{"type":"windowsHelloForBusiness"}]}],"query":{"account":"bg1","goal":"azureCliWrite","kind":"prove"},
			"tenant":{"registrationCampaignForced":{"includeTargets":[{"id":"all_users"}]}}}`, lockout.Lockout},
	{"an ActiveSync policy for guests, the exclusion not read", []string{"memberships not read, groups read"},
		`{"accounts":[{"id":"bg1","credentials":[{"type":"password"}]}],"query":{"account":"bg1","goal":{"audiences":["00000003-0000-0000-c000-000000000000"],"clientAppTypes":["exchangeActiveSync"]},"kind":"prove"},
			"tenant":{"policies":[{"id":"p1","state":"enabled","conditions":{"users":{"includeUsers":["GuestsOrExternalUsers"],"excludeGroups":["g-gone"]},"applications":{"includeApplications":["All"]},
			"clientAppTypes":["exchangeActiveSync"]},"grantControls":{"operator":"OR","builtInControls":["block"]}}]}}`, lockout.Undetermined},
	{"the resource does not see a compliant network", nil,
		`{"accounts":[{"id":"bg1","credentials":[{"type":"password"}]}],"query":{"account":"bg1","goal":"graphPowerShell","kind":"prove","quantifiers":{"compliantNetwork":{"exists":[true]}}},
			"tenant":{"namedLocations":[{"@odata.type":"#microsoft.graph.compliantNetworkNamedLocation","id":"3d46dbda-8382-466a-856d-eb00cbc6b910","isTrusted":true}],"policies":[
			{"id":"p1","state":"enabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]},"locations":{"includeLocations":["All"],"excludeLocations":["AllTrusted"]}},
			"grantControls":{"operator":"OR","builtInControls":["block"]},"sessionControls":{"continuousAccessEvaluation":{"mode":"strictLocation"}}}]}}`, lockout.Undetermined},
	{"a forced campaign for passkeys, not every model allowed", nil,
		`{"accounts":[{"id":"bg1","credentials":[{"type":"windowsHelloForBusiness"}]}],"query":{"account":"bg1","goal":"azureCliWrite","kind":"prove"},
			"tenant":{"registrationCampaignForced":{"includeTargets":[{"id":"all_users","targetedAuthenticationMethod":"fido2"}]},
			"authenticationMethodsPolicy":{"authenticationMethodConfigurations":[{"@odata.type":"#microsoft.graph.fido2AuthenticationMethodConfiguration","id":"Fido2","state":"enabled",
			"includeTargets":[{"id":"all_users"}],"passkeyProfiles":[{"id":"00000000-0000-0000-0000-0000000000a1"}]}]}}}`, lockout.Undetermined},
}

func TestFindingsOfFullEnumeration(t *testing.T) {
	for _, f := range findings {
		w := &world{tweaks: f.tweaks}
		if err := json.Unmarshal([]byte(f.world), &w.vector); err != nil {
			t.Fatalf("%s: %v", f.name, err)
		}
		w.vector["id"], w.vector["title"], w.vector["expect"] = "finding", f.name, obj{}
		want, why, err := w.disagreement()
		switch {
		case err != nil:
			t.Errorf("%s: %v", f.name, err)
		case why != "":
			t.Errorf("%s: %s", f.name, why)
		case want.outcome != f.want:
			t.Errorf("%s: prover and full enumeration agree on %s, want %s", f.name, want.outcome, f.want)
		}
		p, err := proved(f.name, w)
		if err != nil {
			t.Error(err)
		}
		if p != nil {
			n := p.audit(true)
			n.report(t)
		}
	}
}
