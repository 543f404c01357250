package lockout_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

func same2(a, b any) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return string(x) == string(y)
}

func (b *builder) policy(id string) obj {
	conditions := obj{"users": b.users(), "applications": b.applications(), "clientAppTypes": arr{"all"}}
	b.conditions(conditions)
	p := obj{"id": id, "displayName": id, "conditions": conditions, "grantControls": b.grant(),
		"state": one(b, "enabled", "enabled", "enabled", "enabled", "enabled", "enabled", "enabledForReportingButNotEnforced", "disabled")}
	if b.chance(30) {
		p["sessionControls"] = b.session()
	}
	if b.chance(5) {
		b.unheardOf(p)
	}
	return p
}

// unheardOf puts something into the policy that we do not model.
func (b *builder) unheardOf(p obj) {
	c := p["conditions"].(obj)
	switch b.r.IntN(12) {
	case 0:
		c["times"] = obj{"includedRanges": arr{}}
		c["times"].(obj)["allDay"] = true
	case 1:
		c["deviceStates"] = obj{"includeStates": arr{"All"}}
	case 2:
		p["newProperty"] = obj{"isEnabled": true}
	case 3:
		c["users"].(obj)["includeRobots"] = arr{"All"}
	case 4:
		c["applications"].(obj)["includeGalaxies"] = arr{"All"}
	case 5:
		if g, ok := p["grantControls"].(obj); ok {
			g["newControl"] = obj{"isEnabled": true}
		}
	case 6:
		p["sessionControls"] = obj{"newControl": obj{"isEnabled": true}}
	case 7:
		p["state"] = "auditing"
	case 8:
		c["weather"] = "rain"
	case 9:
		c["platforms"] = obj{"includePlatforms": arr{"linux", "newSystem"}}
	case 10:
		c["locations"] = obj{"includeLocations": arr{"All"}, "includeGalaxies": arr{"All"}}
	case 11:
		c["devices"] = obj{"includeDevices": arr{"All"}, "excludeDevices": arr{"Compliant"}}
	}
}

func (b *builder) users() obj {
	u := obj{}
	guests := obj{"guestOrExternalUserTypes": one(b, "internalGuest", "b2bCollaborationGuest,internalGuest", "b2bCollaborationMember"),
		"externalTenants": obj{"@odata.type": "#microsoft.graph.conditionalAccessAllExternalTenants", "membershipKind": "all"}}
	switch n := b.r.IntN(100); {
	case n < 55:
		u["includeUsers"] = arr{"All"}
	case n < 62:
		u["includeUsers"] = arr{account}
	case n < 75:
		u["includeGroups"] = atLeast(b, 30, b.groups...)
	case n < 87:
		u["includeRoles"] = atLeast(b, 30, roleGA, roleCA, roleSec, roleGR)
	case n < 91:
		u["includeGuestsOrExternalUsers"] = guests
	case n < 94:
		u["includeUsers"] = arr{"GuestsOrExternalUsers", "someone"}
	case n < 96:
		u["includeUsers"] = arr{"None"}
	case n < 98:
		u["includeUsers"] = arr{"AllAgentIdUsers"}
	}
	if b.chance(12) {
		u["excludeUsers"] = atLeast(b, 40, account, "someone", "GuestsOrExternalUsers")
	}
	if b.chance(25) {
		u["excludeGroups"] = atLeast(b, 25, b.groups...)
	}
	if b.chance(12) {
		u["excludeRoles"] = atLeast(b, 30, roleGA, roleCA, roleSec, roleGR)
	}
	if b.chance(4) {
		u["excludeGuestsOrExternalUsers"] = guests
	}
	return u
}

func (b *builder) applications() obj {
	a := obj{}
	tokens := []string{"MicrosoftAdminPortals", "Office365", appARM, appPortal, appGraph, appDirectory, appM365, appOwn, "AllAgentIdResources"}
	switch n := b.r.IntN(100); {
	case n < 60:
		a["includeApplications"] = arr{"All"}
		if b.chance(30) {
			a["excludeApplications"] = atLeast(b, 20, tokens...)
		}
	case n < 75:
		a["includeApplications"] = atLeast(b, 15, tokens...)
		if b.chance(20) {
			a["excludeApplications"] = atLeast(b, 15, tokens...)
		}
	case n < 80:
		a["includeApplications"] = one(b, arr{"None"}, arr{})
	case n < 87:
		a["includeUserActions"] = arr{one(b, "urn:user:registersecurityinfo", "urn:user:registersecurityinfo", "urn:user:registerdevice")}
	default:
		a["includeAuthenticationContextClassReferences"] = atLeast(b, 50, "c1", "c2")
	}
	if _, resource := a["includeApplications"]; resource && b.chance(8) {
		a["applicationFilter"] = obj{"mode": one(b, "include", "exclude"), "rule": b.applicationRule()}
	}
	return a
}

func (b *builder) applicationRule() string {
	atom := func() string {
		if b.chance(50) {
			return fmt.Sprintf(`CustomSecurityAttribute.Eng_Tier -%s "%s"`, one(b, "eq", "ne"), one(b, "gold", "iron"))
		}
		return fmt.Sprintf(`CustomSecurityAttribute.Eng_Tags -%s "%s"`, one(b, "contains", "notContains"), one(b, "red", "blue"))
	}
	if b.chance(6) {
		return "not a rule"
	}
	if b.chance(50) {
		return atom()
	}
	return "(" + atom() + ") -" + one(b, "and", "or") + " " + atom()
}

func (b *builder) conditions(c obj) {
	if b.chance(15) {
		c["clientAppTypes"] = atLeast(b, 35, "browser", "mobileAppsAndDesktopClients", "exchangeActiveSync", "other")
	}
	if b.chance(25) {
		p := obj{"includePlatforms": arr{"all"}}
		if b.chance(50) {
			p["includePlatforms"] = atLeast(b, 30, "windows", "macOS", "linux", "android", "iOS", "windowsPhone")
		}
		if b.chance(50) {
			p["excludePlatforms"] = atLeast(b, 30, "windows", "macOS", "linux", "android", "iOS", "windowsPhone")
		}
		c["platforms"] = p
	}
	if b.chance(30) {
		ids := slices.Concat([]string{"AllTrusted"}, b.ipLocations, b.countryLocations)
		if b.chance(15) {
			ids = append(ids, one(b, "l-gone", string(anyCompliantNetwork), string(mfaTrustedIPs)))
		}
		l := obj{"includeLocations": arr{"All"}}
		if b.chance(40) {
			l["includeLocations"] = atLeast(b, 40, ids...)
		}
		if b.chance(60) {
			l["excludeLocations"] = atLeast(b, 40, ids...)
		}
		c["locations"] = l
	}
	if b.chance(15) {
		c["signInRiskLevels"] = atLeast(b, 40, "none", "low", "medium", "high")
	}
	if b.chance(12) {
		c["userRiskLevels"] = atLeast(b, 40, "none", "low", "medium", "high")
	}
	if b.chance(8) {
		c["insiderRiskLevels"] = joined(atLeast(b, 50, "minor", "moderate", "elevated"))
	}
	if b.chance(12) {
		c["authenticationFlows"] = obj{"transferMethods": joined(atLeast(b, 50, "deviceCodeFlow", "authenticationTransfer"))}
	}
	if b.chance(18) {
		c["devices"] = obj{"deviceFilter": obj{"mode": one(b, "include", "exclude"), "rule": b.deviceRule(2)}}
	}
}

func joined(list arr) string {
	var out []string
	for _, v := range list {
		out = append(out, v.(string))
	}
	return strings.Join(out, ",")
}

func (b *builder) deviceRule(depth int) string {
	if b.chance(3) {
		return one(b, "device.model is nice", `device.shoeSize -eq "42"`, `(device.model -eq "x"`)
	}
	if depth > 0 && b.chance(35) {
		return "(" + b.deviceRule(depth-1) + one(b, " -and ", " -or ", " and ") + b.deviceRule(depth-1) + ")"
	}
	if depth > 0 && b.chance(10) {
		return "-not (" + b.deviceRule(depth-1) + ")"
	}
	switch b.r.IntN(7) {
	case 0:
		return "device.isCompliant " + one(b, "-eq", "-ne") + " " + one(b, "True", "False")
	case 1:
		return fmt.Sprintf(`device.trustType %s "%s"`, one(b, "-eq", "-ne", "Equals", "NotEquals"), one(b, "AzureAD", "ServerAD", "workplace"))
	case 2:
		return fmt.Sprintf(`device.trustType %s ["%s","%s"]`, one(b, "-in", "-notIn"), one(b, "AzureAD", "ServerAD"), one(b, "Workplace", "ServerAD"))
	case 3:
		return fmt.Sprintf(`device.extensionAttribute1 %s "%s"`, one(b, "-eq", "-ne", "-startsWith", "-notContains"), one(b, "SAW", "S"))
	case 4:
		return fmt.Sprintf(`device.physicalIds %s "%s"`, one(b, "-contains", "-notContains"), one(b, "[OrderID]:1", "[OrderID]:2", "[OrderID]"))
	}
	return fmt.Sprintf(`device.model %s "%s"`, one(b, "-eq", "-ne", "-startsWith", "-notStartsWith", "-endsWith", "-notEndsWith", "-contains", "-notContains"),
		one(b, "SAW", "saw-2", "1", "W-"))
}

func (b *builder) grant() any {
	g := obj{"operator": one(b, "OR", "OR", "AND", "AND")}
	var controls arr
	switch n := b.r.IntN(100); {
	case n < 25:
		controls = arr{"block"}
	case n < 30:
		return nil
	case n < 34:
		controls = arr{"riskRemediation"}
		g["authenticationStrength"] = obj{"id": one(b, b.strengths...)}
	case n < 40:
		controls = arr{"mfa", "passwordChange"}
		g["operator"] = "AND"
	default:
		controls = some(b, 13, "compliantDevice", "domainJoinedDevice", "approvedApplication", "compliantApplication", "passwordChange", "verifiedID", "unknownFutureValue")
		switch n := b.r.IntN(100); {
		case n < 45:
			controls = append(controls, "mfa")
		case n < 75:
			g["authenticationStrength"] = b.strength()
		}
		if b.chance(10) {
			g["termsOfUse"] = atLeast(b, 40, "t1", "t2", "t-gone")
		}
		if b.chance(6) {
			g["customAuthenticationFactors"] = arr{"third party"}
		}
	}
	if b.chance(3) {
		delete(g, "operator")
	}
	g["builtInControls"] = controls
	return g
}

func (b *builder) strength() obj {
	if b.chance(6) {
		return obj{"id": "s-gone"}
	}
	if b.chance(10) {
		return obj{"id": "s-inline", "displayName": "inline", "policyType": "custom", "allowedCombinations": atLeast(b, 40, "fido2", "password,sms", "x509CertificateMultiFactor")}
	}
	return obj{"id": one(b, b.strengths...)}
}

func (b *builder) session() obj {
	s := obj{}
	switch b.r.IntN(8) {
	case 0, 1:
		s["signInFrequency"] = obj{"isEnabled": b.chance(80), "frequencyInterval": one(b, "everyTime", "everyTime", "timeBased"), "authenticationType": "primaryAndSecondaryAuthentication"}
	case 2:
		s["secureSignInSession"] = obj{"isEnabled": b.chance(85)}
	case 3, 4:
		s["continuousAccessEvaluation"] = obj{"mode": one(b, "strictLocation", "strictLocation", "disabled")}
	case 5:
		s["cloudAppSecurity"] = obj{"isEnabled": b.chance(80), "cloudAppSecurityType": one(b, "blockDownloads", "mcasConfigured", "monitorOnly")}
	case 6:
		s["disableResilienceDefaults"] = b.chance(85)
	case 7:
		s["persistentBrowser"] = obj{"isEnabled": true, "mode": "never"}
		s["applicationEnforcedRestrictions"] = obj{"isEnabled": true}
	}
	return s
}
