package entra

import (
	"strconv"
	"strings"
)

// graphPolicy writes a policy as Graph would, for one that was made or changed
// here and has no JSON of its own. What is unmodelled is not in it; the Snapshot
// carries that beside.
func graphPolicy(p *Policy) node {
	var o object
	if !strings.HasPrefix(string(p.ID), "file:") && !strings.HasPrefix(string(p.ID), "policy-") {
		o.text("id", string(p.ID))
	}
	o.text("displayName", p.DisplayName)
	o.text("state", string(p.State))
	o.text("templateId", string(p.TemplateID))
	o.set("conditions", graphConditions(&p.Conditions))
	o.set("grantControls", graphGrant(&p.Grant))
	o.set("sessionControls", graphSession(&p.Session))
	return o.node()
}

var null = node{kind: 'n'}

// list writes a list, also an empty one.
func list[S ~string](o *object, key string, of []S) {
	o.set(key, listNode(of, func(s *S) node { return textNode(string(*s)) }))
}

func graphConditions(c *Conditions) node {
	var o object
	u := object{}
	list(&u, "includeUsers", c.Users.IncludeUsers)
	list(&u, "excludeUsers", c.Users.ExcludeUsers)
	list(&u, "includeGroups", c.Users.IncludeGroups)
	list(&u, "excludeGroups", c.Users.ExcludeGroups)
	list(&u, "includeRoles", c.Users.IncludeRoles)
	list(&u, "excludeRoles", c.Users.ExcludeRoles)
	u.set("includeGuestsOrExternalUsers", graphGuests(c.Users.IncludeGuests))
	u.set("excludeGuestsOrExternalUsers", graphGuests(c.Users.ExcludeGuests))
	o.set("users", u.node())

	a := object{}
	list(&a, "includeApplications", c.Applications.Include)
	list(&a, "excludeApplications", c.Applications.Exclude)
	list(&a, "includeUserActions", c.Applications.UserActions)
	list(&a, "includeAuthenticationContextClassReferences", c.Applications.AuthContexts)
	a.set("applicationFilter", graphFilter(c.Applications.Filter))
	if c.Applications.GlobalSecureAccess {
		a.set("networkAccess", object{{key: "includeTrafficProfiles", val: textNode("unknownFutureValue")}}.node())
	}
	o.set("applications", a.node())

	list(&o, "clientAppTypes", c.ClientAppTypes)
	if p := c.Platforms; p != nil {
		var x object
		list(&x, "includePlatforms", p.Include)
		list(&x, "excludePlatforms", p.Exclude)
		o.set("platforms", x.node())
	}
	if l := c.Locations; l != nil {
		var x object
		list(&x, "includeLocations", l.Include)
		list(&x, "excludeLocations", l.Exclude)
		o.set("locations", x.node())
	}
	if c.DeviceFilter != nil {
		o.set("devices", object{{key: "deviceFilter", val: graphFilter(c.DeviceFilter)}}.node())
	}
	list(&o, "signInRiskLevels", c.SignInRisk)
	list(&o, "userRiskLevels", c.UserRisk)
	list(&o, "servicePrincipalRiskLevels", c.WorkloadRisk)
	if len(c.InsiderRisk) > 0 {
		o.text("insiderRiskLevels", join(c.InsiderRisk))
	}
	if len(c.Flows) > 0 {
		o.set("authenticationFlows", object{{key: "transferMethods", val: textNode(join(c.Flows))}}.node())
	}
	if c.Workload {
		var x object
		list(&x, "includeServicePrincipals", []string{"ServicePrincipalsInMyTenant"})
		o.set("clientApplications", x.node())
	}
	if c.Agents {
		var x object
		list(&x, "includeAgentUsers", []string{"All"})
		o.set("agents", x.node())
	}
	return o.node()
}

func join[S ~string](list []S) string {
	parts := make([]string, len(list))
	for i, s := range list {
		parts[i] = string(s)
	}
	return strings.Join(parts, ",")
}

func graphFilter(f *Filter) node {
	if f == nil {
		return null
	}
	var o object
	o.text("mode", string(f.Mode))
	o.text("rule", f.Rule)
	return o.node()
}

func graphGuests(g *Guests) node {
	if g == nil {
		return null
	}
	var o, t object
	o.text("guestOrExternalUserTypes", join(g.Types))
	if g.AllTenants {
		t.text("membershipKind", "all")
	} else {
		t.text("membershipKind", "enumerated")
		list(&t, "members", g.Tenants)
	}
	o.set("externalTenants", t.node())
	return o.node()
}

func graphGrant(g *Grant) node {
	if g.Operator == "" && len(g.Controls)+len(g.TermsOfUse)+len(g.CustomFactors) == 0 && g.Strength == nil {
		return null
	}
	var o object
	o.text("operator", string(g.Operator))
	list(&o, "builtInControls", g.Controls)
	list(&o, "termsOfUse", g.TermsOfUse)
	list(&o, "customAuthenticationFactors", g.CustomFactors)
	if s := g.Strength; s != nil {
		o.set("authenticationStrength", graphStrength(s))
	}
	return o.node()
}

func graphSession(s *Session) node {
	var o object
	on := func(key string, more ...pair) {
		o.set(key, object(append([]pair{{key: "isEnabled", val: boolNode(true)}}, more...)).node())
	}
	if f := s.SignInFrequency; f != nil {
		var x object
		x.text("authenticationType", f.AuthenticationType)
		if f.EveryTime {
			x.text("frequencyInterval", "everyTime")
		} else {
			x.text("frequencyInterval", "timeBased")
			x.text("type", f.Unit)
			x.set("value", node{kind: '0', text: strconv.Itoa(f.Value)})
		}
		on("signInFrequency", x...)
	}
	if s.PersistentBrowser != "" {
		on("persistentBrowser", pair{key: "mode", val: textNode(s.PersistentBrowser)})
	}
	if s.CloudAppSecurity != "" {
		on("cloudAppSecurity", pair{key: "cloudAppSecurityType", val: textNode(s.CloudAppSecurity)})
	}
	if s.AppEnforcedRestrictions {
		on("applicationEnforcedRestrictions")
	}
	if s.SecureSignInSession {
		on("secureSignInSession")
	}
	if s.ContinuousAccessEvaluation != "" {
		o.set("continuousAccessEvaluation", object{{key: "mode", val: textNode(s.ContinuousAccessEvaluation)}}.node())
	}
	if s.GlobalSecureAccess {
		on("globalSecureAccessFilteringProfile")
	}
	if s.DisableResilienceDefaults {
		o.set("disableResilienceDefaults", boolNode(true))
	}
	if len(o) == 0 {
		return null
	}
	return o.node()
}

func graphStrength(s *AuthStrength) node {
	if len(s.Raw) > 0 {
		return node{kind: kindRaw, text: string(s.Raw)}
	}
	var o object
	o.text("id", string(s.ID))
	o.text("displayName", s.DisplayName)
	o.text("policyType", s.PolicyType)
	if s.Combinations != nil {
		o.set("allowedCombinations", listNode(s.Combinations, combinationNode))
	}
	if s.ConfigurationsRead || len(s.Configurations) > 0 {
		o.set("combinationConfigurations", listNode(s.Configurations, graphConfiguration))
	}
	return o.node()
}

func combinationNode(c *Combination) node { return textNode(join(*c)) }

func graphConfiguration(c *CombinationConfiguration) node {
	var o object
	o.set("appliesToCombinations", listNode(c.AppliesTo, combinationNode))
	switch {
	case c.Unknown:
	case c.AAGUIDs != nil:
		o.text("@odata.type", "#microsoft.graph.fido2CombinationConfiguration")
		list(&o, "allowedAAGUIDs", c.AAGUIDs)
	default:
		o.text("@odata.type", "#microsoft.graph.x509CertificateCombinationConfiguration")
		list(&o, "allowedIssuerSkis", c.IssuerSKIs)
		list(&o, "allowedPolicyOIDs", c.PolicyOIDs)
	}
	return o.node()
}

func graphLocation(l *NamedLocation) node {
	var o object
	o.text("id", string(l.ID))
	o.text("displayName", l.DisplayName)
	switch l.Kind {
	case LocationIP:
		o.text("@odata.type", "#microsoft.graph.ipNamedLocation")
		o.set("isTrusted", boolNode(l.Trusted))
		o.set("ipRanges", listNode(l.Ranges, func(r *IPRange) node {
			family := "#microsoft.graph.iPv6Range"
			if r.First.Is4() {
				family = "#microsoft.graph.iPv4Range"
			}
			return object{{key: "@odata.type", val: textNode(family)}, {key: "lowerAddress", val: textNode(r.First.String())},
				{key: "upperAddress", val: textNode(r.Last.String())}}.node()
		}))
	case LocationCountry:
		o.text("@odata.type", "#microsoft.graph.countryNamedLocation")
		list(&o, "countriesAndRegions", l.Countries)
		o.set("includeUnknownCountriesAndRegions", boolNode(l.IncludeUnknown))
		o.text("countryLookupMethod", map[bool]string{false: "clientIpAddress", true: "authenticatorAppGps"}[l.GPS])
	case LocationCompliantNetwork:
		o.text("@odata.type", "#microsoft.graph.compliantNetworkNamedLocation")
		o.set("isTrusted", boolNode(l.Trusted))
	}
	return o.node()
}

func graphMethodsPolicy(m *MethodsPolicy) node {
	var o object
	o.text("policyMigrationState", m.MigrationState)
	o.set("authenticationMethodConfigurations", listNode(m.Methods, graphMethodConfiguration))
	if c := m.Campaign; c != nil {
		var x object
		x.text("state", c.State)
		x.number("snoozeDurationInDays", c.SnoozeDays)
		x.flag("enforceRegistrationAfterAllowedSnoozes", c.Enforce)
		x.set("includeTargets", listNode(c.Include, graphTarget))
		x.set("excludeTargets", listNode(c.Exclude, graphTarget))
		o.set("registrationEnforcement", object{{key: "authenticationMethodsRegistrationCampaign", val: x.node()}}.node())
	}
	return o.node()
}

func graphMethodConfiguration(m *MethodConfiguration) node {
	var o object
	o.text("id", m.ID)
	o.text("state", m.State)
	o.set("includeTargets", listNode(m.Include, graphTarget))
	o.set("excludeTargets", listNode(m.Exclude, graphTarget))
	o.set("keyRestrictions", graphRestrictions(m.KeyRestrictions))
	o.yes("isAttestationEnforced", m.AttestationEnforced)
	o.text("defaultPasskeyProfile", string(m.DefaultProfile))
	setList(&o, "passkeyProfiles", m.PasskeyProfiles, func(p *PasskeyProfile) node {
		var x object
		x.text("id", string(p.ID))
		x.text("name", p.Name)
		x.text("passkeyTypes", join(p.PasskeyTypes))
		x.set("keyRestrictions", graphRestrictions(p.KeyRestrictions))
		x.text("attestationEnforcement", p.Attestation)
		return x.node()
	})
	o.yes("isUsableOnce", m.TAPOneTimeOnly)
	o.number("maximumLifetimeInMinutes", m.TAPMaxLifetimeMinute)
	if m.External {
		o.text("@odata.type", "#microsoft.graph.externalAuthenticationMethodConfiguration")
	}
	return o.node()
}

func graphRestrictions(k *KeyRestrictions) node {
	if k == nil {
		return null
	}
	var o object
	o.set("isEnforced", boolNode(k.Enforced))
	o.text("enforcementType", k.Enforcement)
	list(&o, "aaGuids", k.AAGUIDs)
	return o.node()
}

func graphTarget(t *MethodTarget) node {
	var o object
	o.text("targetType", t.TargetType)
	o.text("id", string(t.ID))
	setList(&o, "allowedPasskeyProfiles", t.Profiles, func(p *ID) node { return textNode(string(*p)) })
	o.text("targetedAuthenticationMethod", t.Method)
	return o.node()
}
