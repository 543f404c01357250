package sandbox

import (
	"slices"
	"strings"
)

// caPolicy is a Conditional Access policy, read once from its raw JSON. Lists
// hold lower case.
type caPolicy struct {
	id, name string
	state    string // lower case
	raw      Object

	users, notUsers              []string
	groups, notGroups            []string
	roles, notRoles              []string
	guests, notGuests            *guestRule
	workload                     bool // its subject is service principals or agents
	hasUsers                     bool
	apps, notApps                []string
	actions, contexts            []string
	appFilter, deviceFilter      *filterRule
	network                      bool // targets Global Secure Access traffic
	clients                      []string
	platforms, notPlatforms      []string
	places, notPlaces            []string
	signInRisk, userRisk         []string
	insiderRisk, flows           []string
	workloadRisk, agentRisk      bool
	obscure                      []string // conditions that nobody documents, or unknown to us
	operatorAnd                  bool
	controls                     []string
	strength                     *strength
	terms, custom                []string
	obscureGrant                 []string
	everyTime, narrowing, strict bool
	defender                     string // cloudAppSecurityType, "" off
	noResilience                 bool
	obscureSession               []string
	sessionNames                 []string // as enforcedSessionControls has them
	usesLocations, usesDevices   bool
	named797                     bool
}

// guestRule is a conditionalAccessGuestsOrExternalUsers.
type guestRule struct {
	kinds   []string
	tenants []string // members of an enumerated list; nil: every tenant
	listed  bool
}

// strength is an authentication strength: combinations, each a sorted list of
// modes, and what binds them.
type strength struct {
	id, name     string
	combinations [][]string
	bounds       []narrowing
	unknown      bool
}

// narrowing is a combinationConfiguration.
type narrowing struct {
	applies  []string // normalised combinations
	aaguids  []string
	issuers  []string
	policies []string
	obscure  bool
}

func (w *World) compile(raw Object) *caPolicy {
	p := &caPolicy{raw: raw, id: wireText(raw["id"]), name: wireText(raw["displayName"]), state: strings.ToLower(wireText(raw["state"]))}
	c := wireObject(raw["conditions"])
	p.compileUsers(c)
	p.compileTarget(c)
	p.compileConditions(c)
	w.compileGrant(p, wireObject(raw["grantControls"]))
	p.compileSession(wireObject(raw["sessionControls"]))
	p.obscureSession = append(p.obscureSession, wireUnknown(raw, "id", "displayName", "description", "state", "conditions", "grantControls", "sessionControls",
		"createdDateTime", "modifiedDateTime", "deletedDateTime", "templateId", "partialEnablementStrategy")...)
	if w.is("disabled policies enforced") && p.state == "disabled" {
		p.state = "enabled"
	}
	if w.is("report-only enforced") && p.state == "enabledforreportingbutnotenforced" {
		p.state = "enabled"
	}
	return p
}

func (p *caPolicy) compileUsers(c Object) {
	u := wireObject(c["users"])
	p.users, p.notUsers = wireList(u["includeUsers"]), wireList(u["excludeUsers"])
	p.groups, p.notGroups = wireList(u["includeGroups"]), wireList(u["excludeGroups"])
	p.roles, p.notRoles = wireList(u["includeRoles"]), wireList(u["excludeRoles"])
	p.guests, p.notGuests = readGuests(u["includeGuestsOrExternalUsers"]), readGuests(u["excludeGuestsOrExternalUsers"])
	p.hasUsers = len(p.users)+len(p.groups)+len(p.roles) > 0 || p.guests != nil
	if w := wireObject(c["clientApplications"]); len(wireList(w["includeServicePrincipals"])) > 0 || len(wireList(w["includeAgentIdServicePrincipals"])) > 0 {
		p.workload = true
	}
	for _, k := range wireUnknown(u, "includeUsers", "excludeUsers", "includeGroups", "excludeGroups", "includeRoles", "excludeRoles",
		"includeGuestsOrExternalUsers", "excludeGuestsOrExternalUsers") {
		p.obscure = append(p.obscure, "users."+k)
	}
}

func readGuests(v any) *guestRule {
	o := wireObject(v)
	if wireEmpty(o) {
		return nil
	}
	g := &guestRule{kinds: wireList(o["guestOrExternalUserTypes"])}
	if t := wireObject(o["externalTenants"]); wireSame(wireText(t["membershipKind"]), "enumerated") {
		g.listed, g.tenants = true, wireList(t["members"])
	}
	return g
}

func (p *caPolicy) compileTarget(c Object) {
	a := wireObject(c["applications"])
	p.apps, p.notApps = wireList(a["includeApplications"]), wireList(a["excludeApplications"])
	p.actions, p.contexts = wireList(a["includeUserActions"]), wireList(a["includeAuthenticationContextClassReferences"])
	p.appFilter = readFilter(a["applicationFilter"], "customsecurityattribute")
	p.network = !wireEmpty(a["networkAccess"]) || !wireEmpty(a["globalSecureAccess"])
	p.named797 = slices.Contains(p.apps, msARM)
	for _, k := range wireUnknown(a, "includeApplications", "excludeApplications", "includeUserActions",
		"includeAuthenticationContextClassReferences", "applicationFilter", "networkAccess", "globalSecureAccess") {
		p.obscure = append(p.obscure, "applications."+k)
	}
}

func (p *caPolicy) compileConditions(c Object) {
	p.clients = wireList(c["clientAppTypes"])
	platforms := wireObject(c["platforms"])
	p.platforms, p.notPlatforms = wireList(platforms["includePlatforms"]), wireList(platforms["excludePlatforms"])
	places := wireObject(c["locations"])
	p.places, p.notPlaces = wireList(places["includeLocations"]), wireList(places["excludeLocations"])
	p.usesLocations = len(p.places)+len(p.notPlaces) > 0
	p.signInRisk, p.userRisk = wireList(c["signInRiskLevels"]), wireList(c["userRiskLevels"])
	p.insiderRisk = slices.DeleteFunc(wireList(c["insiderRiskLevels"]), func(s string) bool { return s == "none" })
	flows := wireObject(c["authenticationFlows"])
	p.flows = slices.DeleteFunc(wireList(flows["transferMethods"]), func(s string) bool { return s == "none" })
	p.workloadRisk = len(wireList(c["servicePrincipalRiskLevels"])) > 0
	p.agentRisk = len(wireList(c["agentIdRiskLevels"])) > 0
	d := wireObject(c["devices"])
	p.deviceFilter = readFilter(d["deviceFilter"], "device")
	p.usesDevices = p.deviceFilter != nil
	for where, o := range map[string]Object{"devices.": d, "platforms.": platforms, "locations.": places, "authenticationFlows.": flows} {
		for _, k := range wireUnknown(o, "deviceFilter", "includePlatforms", "excludePlatforms", "includeLocations", "excludeLocations", "transferMethods") {
			p.obscure = append(p.obscure, where+k)
		}
	}
	// times and deviceStates have no documented meaning any more; agents and
	// agentContext are conditions of agent identities.
	p.obscure = append(p.obscure, wireUnknown(c, "users", "applications", "clientAppTypes", "platforms", "locations", "devices", "signInRiskLevels",
		"userRiskLevels", "insiderRiskLevels", "authenticationFlows", "servicePrincipalRiskLevels", "agentIdRiskLevels", "clientApplications")...)
	slices.Sort(p.obscure)
}

func (w *World) compileGrant(p *caPolicy, g Object) {
	p.operatorAnd = wireSame(wireText(g["operator"]), "AND")
	if w.is("OR read as AND") {
		p.operatorAnd = true
	}
	if w.is("AND read as OR") {
		p.operatorAnd = false
	}
	p.controls = wireList(g["builtInControls"])
	p.terms, p.custom = wireList(g["termsOfUse"]), wireList(g["customAuthenticationFactors"])
	if s := wireObject(g["authenticationStrength"]); !wireEmpty(s) {
		p.strength = w.readStrength(s)
	}
	p.obscureGrant = wireUnknown(g, "operator", "builtInControls", "termsOfUse", "customAuthenticationFactors", "authenticationStrength")
}

// readStrength prefers the strength as the tenant holds it to the copy inside a
// policy, which lacks combinationConfigurations in some answers.
func (w *World) readStrength(inline Object) *strength {
	id := wireText(inline["id"])
	s := &strength{id: id, name: wireText(inline["displayName"])}
	whole := w.state.Get("policies/authenticationStrengthPolicies", id)
	if whole == nil {
		whole = inline
	}
	if n := wireText(whole["displayName"]); n != "" {
		s.name = n
	}
	// One element is a comma list, so the list is split here and not by wireList.
	for _, e := range wireElements(whole["allowedCombinations"]) {
		s.combinations = append(s.combinations, normalCombination(e))
	}
	if len(s.combinations) == 0 {
		for _, e := range judgedStrengths[strings.ToLower(id)] {
			s.combinations = append(s.combinations, normalCombination(e))
		}
		s.unknown = len(s.combinations) == 0
	}
	for _, c := range wireObjects(whole["combinationConfigurations"]) {
		b := narrowing{aaguids: wireList(c["allowedAAGUIDs"]), issuers: wireList(c["allowedIssuerSkis"]), policies: wireList(c["allowedPolicyOIDs"])}
		for _, e := range wireElements(c["appliesToCombinations"]) {
			b.applies = append(b.applies, strings.Join(normalCombination(e), ","))
		}
		b.obscure = len(wireUnknown(c, "id", "allowedAAGUIDs", "allowedIssuerSkis", "allowedPolicyOIDs", "appliesToCombinations")) > 0
		s.bounds = append(s.bounds, b)
	}
	return s
}

func wireElements(v any) []string {
	var out []string
	switch list := v.(type) {
	case []string:
		return list
	case []any:
		for _, e := range list {
			if s, ok := e.(string); ok {
				out = append(out, s)
			}
		}
	}
	return out
}

// normalCombination makes combinations comparable: the order of their modes
// differs between tenants and pages.
func normalCombination(s string) []string {
	list := wireList(s)
	slices.Sort(list)
	return list
}

func (p *caPolicy) compileSession(s Object) {
	on := func(name string) Object {
		c := wireObject(s[name])
		if enabled, said := c["isEnabled"].(bool); wireEmpty(c) || said && !enabled {
			return nil
		}
		p.sessionNames = append(p.sessionNames, name)
		return c
	}
	if c := on("signInFrequency"); c != nil && wireSame(wireText(c["frequencyInterval"]), "everyTime") {
		p.everyTime = true
	}
	p.narrowing = on("secureSignInSession") != nil
	if c := on("continuousAccessEvaluation"); c != nil {
		p.strict = wireSame(wireText(c["mode"]), "strictLocation")
	}
	if c := on("cloudAppSecurity"); c != nil {
		p.defender = strings.ToLower(wireText(c["cloudAppSecurityType"]))
	}
	on("persistentBrowser")
	on("applicationEnforcedRestrictions")
	on("globalSecureAccessFilteringProfile")
	p.noResilience = wireBool(s["disableResilienceDefaults"])
	p.obscureSession = wireUnknown(s, "signInFrequency", "secureSignInSession", "continuousAccessEvaluation", "cloudAppSecurity",
		"persistentBrowser", "applicationEnforcedRestrictions", "globalSecureAccessFilteringProfile", "disableResilienceDefaults")
}
