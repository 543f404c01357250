package entra_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"
)

// generatePolicies makes policies as Graph v1.0 answers them: every documented
// key, always the same ones for the same n.
func generatePolicies(n int) []map[string]any {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	guid := func() string {
		return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", r.Uint32(), r.IntN(1<<16), r.IntN(1<<12), r.IntN(1<<12), r.Int64N(1<<48))
	}
	guids := func(most int) []any {
		out := make([]any, r.IntN(most+1))
		for i := range out {
			out[i] = guid()
		}
		return out
	}
	pick := func(of ...any) any { return of[r.IntN(len(of))] }
	list := func(of ...any) []any { return of }
	out := make([]map[string]any, n)
	for i := range out {
		out[i] = map[string]any{
			"id": guid(), "templateId": nil, "displayName": fmt.Sprintf("CA%03d: Generated policy", i),
			"createdDateTime": "2024-02-03T04:05:06.0789Z", "modifiedDateTime": nil,
			"state": pick("enabled", "enabledForReportingButNotEnforced", "disabled"),
			"conditions": map[string]any{
				"userRiskLevels": list(), "signInRiskLevels": pick(list(), list("high"), list("high", "medium")),
				"clientAppTypes":    pick(list("all"), list("browser", "mobileAppsAndDesktopClients"), list("exchangeActiveSync", "other")),
				"platforms":         pick(nil, map[string]any{"includePlatforms": list("all"), "excludePlatforms": list("iOS", "android")}),
				"locations":         pick(nil, map[string]any{"includeLocations": list("All"), "excludeLocations": guids(5)}),
				"devices":           pick(nil, map[string]any{"deviceFilter": map[string]any{"mode": "exclude", "rule": `device.isCompliant -eq True -or device.trustType -eq "ServerAD"`}}),
				"insiderRiskLevels": pick(nil, "elevated", "moderate,elevated"), "servicePrincipalRiskLevels": list(), "clientApplications": nil,
				"authenticationFlows": pick(nil, map[string]any{"transferMethods": "deviceCodeFlow,authenticationTransfer"}),
				"applications": map[string]any{
					"includeApplications": pick(list("All"), list("Office365"), guids(4)), "excludeApplications": guids(2),
					"includeUserActions": list(), "includeAuthenticationContextClassReferences": list(), "applicationFilter": nil,
				},
				"users": map[string]any{
					"includeUsers": pick(list("All"), guids(3)), "excludeUsers": guids(2), "includeGroups": guids(2), "excludeGroups": guids(4),
					"includeRoles": guids(14), "excludeRoles": list(), "includeGuestsOrExternalUsers": nil,
					"excludeGuestsOrExternalUsers": pick(nil, map[string]any{
						"guestOrExternalUserTypes": "internalGuest,serviceProvider",
						"externalTenants":          map[string]any{"membershipKind": "enumerated", "members": guids(2)},
					}),
				},
			},
			"grantControls": pick(nil, map[string]any{
				"operator": pick("AND", "OR"), "builtInControls": pick(list("block"), list("mfa"), list("mfa", "compliantDevice")),
				"customAuthenticationFactors": list(), "termsOfUse": list(), "authenticationStrength": nil,
				"authenticationStrength@odata.context": "https://graph.microsoft.com/v1.0/$metadata#identity/conditionalAccess/policies('x')/grantControls/authenticationStrength/$entity",
			}),
			"sessionControls": pick(nil, map[string]any{
				"disableResilienceDefaults": nil, "applicationEnforcedRestrictions": nil, "cloudAppSecurity": nil, "secureSignInSession": nil,
				"signInFrequency":   map[string]any{"value": 4, "type": "hours", "authenticationType": "primaryAndSecondaryAuthentication", "frequencyInterval": "timeBased", "isEnabled": true},
				"persistentBrowser": map[string]any{"mode": "never", "isEnabled": true},
			}),
		}
	}
	return out
}

// pascal spells all keys as PowerShell does.
func pascal(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			if !strings.Contains(k, "@") {
				k = string(unicode.ToUpper(rune(k[0]))) + k[1:]
			}
			out[k] = pascal(x)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = pascal(x)
		}
		return out
	}
	return v
}

func marshal(t testing.TB, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
