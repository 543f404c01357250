package lockout_test

import (
	"slices"
	"strings"
)

// makeTenant makes what is not policies, groups, strengths and locations.
func (b *builder) makeTenant(t obj, goal any) {
	name, _ := goal.(string)
	custom, _ := goal.(obj)
	recovers := strings.HasPrefix(name, "recover:") || custom["recover"] == true
	if b.chance(8) {
		t["securityDefaults"] = true
	}
	if b.chance(6) {
		t["cloud"] = "usgov"
	}
	if b.chance(10) {
		t["mandatoryMfa"] = obj{"phase1": b.chance(50), "phase2": b.chance(50)}
	}
	if custom["lowPrivOnly"] == true {
		t["lowPrivilegeScopesEnforced"] = one[any](b, true, false, "unknown")
	}
	if recovers && b.chance(60) {
		t["protectedActions"] = obj{"microsoft.directory/conditionalAccessPolicies/basic/update": one(b, "c1", "c1", "c2")}
	}
	if recovers && b.chance(40) {
		t["roleManagementPolicies"] = obj{one(b, roleGA, roleCA, roleSec): obj{"approvalRequired": b.chance(60)}}
	}
	if b.chance(35) {
		t["agreements"] = arr{obj{"id": "t1"}, obj{"id": "t2", "isPerDeviceAcceptanceRequired": true}}
	}
	if b.chance(30) {
		t["servicePrincipals"] = arr{obj{"appId": one(b, appGraph, appARM, appOwn, appPortal), "customSecurityAttributes": obj{"Eng": obj{"Tier": one(b, "gold", "iron"),
			"Tags": atLeast(b, 50, "red", "blue")}}}}
	}
	if b.chance(30) {
		t["authenticationMethodsPolicy"] = b.methodsPolicy()
		if b.chance(30) {
			t["legacyMfaMethods"] = some(b, 40, "sms", "voice", "softwareOath", "hardwareOath", "microsoftAuthenticatorPush")
		}
	}
	if b.chance(10) {
		t["registrationCampaignForced"] = obj{"includeTargets": arr{b.target("targetedAuthenticationMethod", one(b, "microsoftAuthenticator", "fido2"))},
			"excludeTargets": b.targets(20)}
	}
}

func (b *builder) target(more ...any) obj {
	t := obj{"targetType": "group", "id": one(b, "all_users", "all_users", "g1", "g2", "g4")}
	if b.chance(15) {
		t = obj{"targetType": "user", "id": account}
	}
	for i := 0; i+1 < len(more); i += 2 {
		t[more[i].(string)] = more[i+1]
	}
	return t
}

func (b *builder) targets(percent int) arr {
	if b.chance(percent) {
		return arr{obj{"targetType": "group", "id": one(b, "g1", "g2", "g3", "g4")}}
	}
	return arr{}
}

func (b *builder) methodsPolicy() obj {
	list := arr{}
	for _, id := range []string{"Fido2", "TemporaryAccessPass", "HardwareOath", "SoftwareOath", "X509Certificate", "Sms", "Voice", "MicrosoftAuthenticator"} {
		if b.chance(60) {
			continue
		}
		m := obj{"@odata.type": "#microsoft.graph." + strings.ToLower(id[:1]) + id[1:] + "AuthenticationMethodConfiguration", "id": id,
			"state": one(b, "enabled", "enabled", "enabled", "disabled"), "includeTargets": arr{b.target()}, "excludeTargets": b.targets(20)}
		if id == "Fido2" {
			b.keyPolicy(m)
		}
		list = append(list, m)
	}
	p := obj{"authenticationMethodConfigurations": list}
	if b.chance(80) {
		p["policyMigrationState"] = one(b, "migrationComplete", "migrationInProgress", "preMigration")
	}
	return p
}

func (b *builder) restrictions() obj {
	return obj{"isEnforced": b.chance(75), "enforcementType": one(b, "allow", "block"), "aaGuids": some(b, 50, keyA, keyB)}
}

func (b *builder) keyPolicy(m obj) {
	switch {
	case b.chance(50):
		m["keyRestrictions"] = b.restrictions()
	case b.chance(50):
		profiles := arr{}
		for _, id := range []string{"00000000-0000-0000-0000-0000000000a1", "00000000-0000-0000-0000-0000000000a2"} {
			p := obj{"id": id, "name": id, "passkeyTypes": one(b, "deviceBound", "synced", "deviceBound,synced")}
			if b.chance(60) {
				p["keyRestrictions"] = b.restrictions()
			}
			profiles = append(profiles, p)
		}
		m["passkeyProfiles"] = profiles
		m["defaultPasskeyProfile"] = "00000000-0000-0000-0000-0000000000a1"
		m["includeTargets"] = arr{b.target("allowedPasskeyProfiles", atLeast(b, 50, "00000000-0000-0000-0000-0000000000a1", "00000000-0000-0000-0000-0000000000a2")),
			b.target("allowedPasskeyProfiles", atLeast(b, 50, "00000000-0000-0000-0000-0000000000a1", "00000000-0000-0000-0000-0000000000a2"))}
	}
}

// quantifiers override some dimensions.
func (b *builder) quantifiers() obj {
	q := obj{}
	side := func(values any) obj {
		if b.chance(35) {
			return obj{"exists": values}
		}
		return obj{"forall": values}
	}
	text := func(dimension string, percent int, values ...string) {
		if b.chance(percent) {
			q[dimension] = side(atLeast(b, 40, values...))
		}
	}
	text("platform", 60, "windows", "macOS", "linux", "android", "iOS", "windowsPhone", "unknown")
	text("signInRisk", 50, "none", "low", "medium", "high")
	text("userRisk", 50, "none", "low", "medium", "high")
	text("insiderRisk", 60, "none", "minor", "moderate", "elevated")
	text("flow", 15, "none", "deviceCodeFlow", "authenticationTransfer")
	text("authService", 8, "normal", "outageExistingSession", "outageNewSession")
	text("country", 15, "DE", "FR", "XX", "unknown")
	if b.chance(15) {
		q["flow"] = side("*")
	}
	if b.chance(15) {
		q["clientAppType"] = side(atLeast(b, 50, "browser", "mobileAppsAndDesktopClients", "exchangeActiveSync", "other"))
	}
	for _, d := range []string{"compliantNetwork", "smartLockout"} {
		if b.chance(12) {
			q[d] = side(atLeast(b, 60, true, false))
		}
	}
	if b.chance(35) {
		q["device"] = side(b.devices())
	}
	return q
}

func (b *builder) devices() any {
	if b.chance(10) {
		return "*"
	}
	out := arr{}
	for range 1 + b.r.IntN(3) {
		d := obj{"registered": b.chance(80)}
		if d["registered"] == true {
			if b.chance(50) {
				d["managed"] = true
			}
			if b.chance(60) {
				d["isCompliant"] = one(b, "True", "True", "False")
			}
			if b.chance(60) {
				d["trustType"] = one(b, "AzureAD", "ServerAD", "Workplace")
			}
			if b.chance(50) {
				d["model"] = one(b, "SAW-1", "saw-2", "Other")
			}
			if b.chance(50) {
				d["extensionAttribute1"] = one(b, "SAW", "x")
			}
			if b.chance(30) {
				d["physicalIds"] = atLeast(b, 50, "[OrderID]:1", "[OrderID]:2")
			}
		}
		if !slices.ContainsFunc(out, func(x any) bool { return same2(x, d) }) {
			out = append(out, d)
		}
	}
	return out
}

// asksForBoth makes two policies for everybody, each satisfied by another key or
// another certificate of the account: the kits decide.
func (b *builder) asksForBoth(t, vector obj) {
	credentials, strengths := arr{}, arr{}
	keys := b.chance(50)
	for i, id := range []string{"s-first", "s-second"} {
		s := obj{"id": id, "displayName": id, "policyType": "custom", "allowedCombinations": arr{"fido2"}, "combinationConfigurations": arr{
			obj{"@odata.type": "#microsoft.graph.fido2CombinationConfiguration", "appliesToCombinations": arr{"fido2"}, "allowedAAGUIDs": arr{one(b, keyA, keyB)}}}}
		c := obj{"type": "fido2", "id": "k" + id, "aaGuid": []string{keyA, keyB}[i], "passkeyType": "deviceBound"}
		if !keys {
			s["allowedCombinations"] = arr{"x509CertificateMultiFactor"}
			s["combinationConfigurations"] = arr{obj{"@odata.type": "#microsoft.graph.x509CertificateCombinationConfiguration",
				"appliesToCombinations": arr{"x509CertificateMultiFactor"}, "allowedIssuerSkis": arr{one(b, "SKI1", "SKI2")}}}
			c = obj{"type": "x509", "id": "k" + id, "issuerSki": []string{"SKI1", "SKI2"}[i], "protection": "multiFactor"}
		}
		strengths, credentials = append(strengths, s), append(credentials, c)
		p := b.policy("both-" + id)
		p["state"] = "enabled"
		p["grantControls"] = obj{"operator": "OR", "builtInControls": arr{}, "authenticationStrength": obj{"id": id}}
		if b.chance(60) {
			p["conditions"].(obj)["users"] = obj{"includeUsers": arr{"All"}}
			p["conditions"].(obj)["applications"] = obj{"includeApplications": arr{"All"}}
		}
		t["policies"] = append(t["policies"].(arr)[:min(i+1, len(t["policies"].(arr)))], p)
	}
	t["authenticationStrengthPolicies"] = strengths
	vector["accounts"].(arr)[0].(obj)["credentials"] = credentials
}
