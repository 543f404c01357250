package entra

import "strings"

// The vocabularies of a policy (graph/types v1.0 and beta, August 2026).
var (
	stateWords    = words(string(StateEnabled), string(StateReportOnly), string(StateDisabled))
	userWords     = words("All", "None", "GuestsOrExternalUsers", "AllAgentIdUsers")
	appWords      = words("All", "None", "Office365", "MicrosoftAdminPortals", "AllAgentIdResources")
	locationWords = words("All", "AllTrusted")
	anyID         = words()
	clientWords   = words(string(ClientAll), string(ClientBrowser), string(ClientNative), string(ClientEAS), "easSupported", string(ClientOther))
	platformWords = words(string(PlatformAll), string(PlatformWindows), string(PlatformMacOS), string(PlatformLinux),
		string(PlatformAndroid), string(PlatformIOS), string(PlatformWindowsPhone))
	riskWords    = words(string(RiskNone), string(RiskLow), string(RiskMedium), string(RiskHigh))
	insiderWords = words(string(InsiderMinor), string(InsiderModerate), string(InsiderElevated))
	flowWords    = words(string(FlowDeviceCode), string(FlowTransfer))
	guestWords   = words(string(GuestInternal), string(GuestB2BCollaboration), string(GuestB2BMember), string(GuestB2BDirect),
		string(GuestOther), string(GuestServiceProvider))
	filterWords   = words(string(FilterInclude), string(FilterExclude))
	operatorWords = words(string(OperatorAnd), string(OperatorOr))
	controlWords  = words(string(ControlBlock), string(ControlMFA), string(ControlCompliantDevice), string(ControlDomainJoinedDevice),
		string(ControlApprovedApplication), string(ControlCompliantApplication), string(ControlPasswordChange), string(ControlRiskRemediation))
	actionWords  = words("urn:user:registersecurityinfo", "urn:user:registerdevice")
	tenancyWords = words("all", "enumerated")

	persistentWords = words("always", "never")
	appCloudWords   = words("mcasConfigured", "monitorOnly", "blockDownloads")
	accessEvalWords = words("strictEnforcement", "disabled", "strictLocation")
	intervalWords   = words("timeBased", "everyTime")
	unitWords       = words("days", "hours")
	againWords      = words("primaryAndSecondaryAuthentication", "secondaryAuthentication")
)

var policyKeys = table(map[string]func(*walk, *Policy, *node){
	"id":               func(w *walk, p *Policy, v *node) { p.ID = w.id(v) },
	"displayName":      func(w *walk, p *Policy, v *node) { p.DisplayName = w.text(v) },
	"state":            func(w *walk, p *Policy, v *node) { p.State = readState(w, v) },
	"templateId":       func(w *walk, p *Policy, v *node) { p.TemplateID = w.id(v) },
	"conditions":       func(w *walk, p *Policy, v *node) { conditionKeys.read(w, &p.Conditions, v) },
	"grantControls":    func(w *walk, p *Policy, v *node) { grantKeys.read(w, &p.Grant, v) },
	"sessionControls":  func(w *walk, p *Policy, v *node) { sessionKeys.read(w, &p.Session, v) },
	"createdDateTime":  harmless[Policy],
	"modifiedDateTime": harmless[Policy],
	"description":      harmless[Policy],
})

func readState(w *walk, v *node) PolicyState {
	s := member[PolicyState](w, v, stateWords)
	if _, known := stateWords.find(string(s)); !known {
		return StateUnknown
	}
	return s
}

// decodePolicy reads one policy of the document.
func decodePolicy(doc *document, obj *node, origin Origin) (Policy, []Trouble) {
	w := &walk{doc: doc}
	p := Policy{Origin: origin}
	policyKeys.read(w, &p, obj)
	if !obj.has("conditions") {
		// Graph always writes conditions. Without them nobody can say whom the
		// policy is for; the empty conditions would mean nobody.
		w.unmodelled = append(w.unmodelled, Unmodelled{AreaOther, "conditions", "null", "type"})
	}
	for _, u := range w.unmodelled {
		if u.Kind == "duplicate" && strings.EqualFold(u.Path, "state") {
			p.State = StateUnknown // one of the two may enforce the policy
		}
	}
	p.Managed = strings.HasPrefix(strings.ToLower(p.DisplayName), "microsoft-managed:")
	p.Unmodelled, p.Foreign = w.unmodelled, w.foreign
	p.Raw = doc.canonical(obj)
	return p, w.notes
}

var conditionKeys = table(map[string]func(*walk, *Conditions, *node){
	"users":        func(w *walk, c *Conditions, v *node) { userKeys.read(w, &c.Users, v) },
	"applications": func(w *walk, c *Conditions, v *node) { applicationKeys.read(w, &c.Applications, v) },
	"clientAppTypes": func(w *walk, c *Conditions, v *node) {
		for _, t := range members[ClientAppType](w, v, clientWords) {
			if t == "easSupported" {
				t = ClientEAS
			}
			c.ClientAppTypes = append(c.ClientAppTypes, t)
		}
	},
	"platforms": func(w *walk, c *Conditions, v *node) {
		if !v.unset() {
			c.Platforms = &Platforms{}
			platformKeys.read(w, c.Platforms, v)
		}
	},
	"locations": func(w *walk, c *Conditions, v *node) {
		if !v.unset() {
			c.Locations = &Locations{}
			locationConditionKeys.read(w, c.Locations, v)
		}
	},
	"devices":          func(w *walk, c *Conditions, v *node) { deviceKeys.read(w, c, v) },
	"signInRiskLevels": func(w *walk, c *Conditions, v *node) { c.SignInRisk = members[RiskLevel](w, v, riskWords) },
	"userRiskLevels":   func(w *walk, c *Conditions, v *node) { c.UserRisk = members[RiskLevel](w, v, riskWords) },
	"servicePrincipalRiskLevels": func(w *walk, c *Conditions, v *node) {
		c.WorkloadRisk = members[RiskLevel](w, v, riskWords)
	},
	"insiderRiskLevels": func(w *walk, c *Conditions, v *node) { c.InsiderRisk = flags[InsiderRisk](w, v, insiderWords) },
	"authenticationFlows": func(w *walk, c *Conditions, v *node) {
		flowKeys.read(w, c, v)
	},
	"clientApplications": func(w *walk, c *Conditions, v *node) {
		workloadKeys.read(w, c, v)
	},
	"agents":            agents,
	"agentContext":      agents,
	"agentIdRiskLevels": agents,
})

// agents: whatever stands there is about agent identities, never about a
// person.
func agents(_ *walk, c *Conditions, v *node) { c.Agents = c.Agents || !v.unset() }

var flowKeys = table(map[string]func(*walk, *Conditions, *node){
	"transferMethods": func(w *walk, c *Conditions, v *node) { c.Flows = flags[AuthFlow](w, v, flowWords) },
})

var workloadKeys = table(map[string]func(*walk, *Conditions, *node){
	"includeServicePrincipals":        workload,
	"excludeServicePrincipals":        workload,
	"servicePrincipalFilter":          workload,
	"includeAgentIdServicePrincipals": workload,
	"excludeAgentIdServicePrincipals": workload,
	"agentIdServicePrincipalFilter":   workload,
})

func workload(_ *walk, c *Conditions, v *node) { c.Workload = c.Workload || !v.unset() }

// deviceKeys reads the device filter. The preview forms (device states, lists of
// devices) are no longer documented and stay unmodelled.
var deviceKeys = table(map[string]func(*walk, *Conditions, *node){
	"deviceFilter": func(w *walk, c *Conditions, v *node) { c.DeviceFilter = readFilter(w, v) },
})

var filterKeys = table(map[string]func(*walk, *Filter, *node){
	"mode": func(w *walk, f *Filter, v *node) { f.Mode = member[FilterMode](w, v, filterWords) },
	"rule": func(w *walk, f *Filter, v *node) { f.Rule = w.text(v) },
})

func readFilter(w *walk, v *node) *Filter {
	if v.unset() {
		return nil
	}
	f := &Filter{}
	filterKeys.read(w, f, v)
	if _, known := filterWords.find(string(f.Mode)); !known {
		f.Mode = FilterUnknown
	}
	return f
}

var platformKeys = table(map[string]func(*walk, *Platforms, *node){
	"includePlatforms": func(w *walk, p *Platforms, v *node) { p.Include = members[Platform](w, v, platformWords) },
	"excludePlatforms": func(w *walk, p *Platforms, v *node) { p.Exclude = members[Platform](w, v, platformWords) },
})

var locationConditionKeys = table(map[string]func(*walk, *Locations, *node){
	"includeLocations": func(w *walk, l *Locations, v *node) { l.Include = w.ids(v, locationWords) },
	"excludeLocations": func(w *walk, l *Locations, v *node) { l.Exclude = w.ids(v, locationWords) },
})

var userKeys = table(map[string]func(*walk, *Users, *node){
	"includeUsers":                 func(w *walk, u *Users, v *node) { u.IncludeUsers = w.ids(v, userWords) },
	"excludeUsers":                 func(w *walk, u *Users, v *node) { u.ExcludeUsers = w.ids(v, userWords) },
	"includeGroups":                func(w *walk, u *Users, v *node) { u.IncludeGroups = w.ids(v, anyID) },
	"excludeGroups":                func(w *walk, u *Users, v *node) { u.ExcludeGroups = w.ids(v, anyID) },
	"includeRoles":                 func(w *walk, u *Users, v *node) { u.IncludeRoles = w.ids(v, anyID) },
	"excludeRoles":                 func(w *walk, u *Users, v *node) { u.ExcludeRoles = w.ids(v, anyID) },
	"includeGuestsOrExternalUsers": func(w *walk, u *Users, v *node) { u.IncludeGuests = readGuests(w, v) },
	"excludeGuestsOrExternalUsers": func(w *walk, u *Users, v *node) { u.ExcludeGuests = readGuests(w, v) },
})

func readGuests(w *walk, v *node) *Guests {
	if v.unset() {
		return nil
	}
	g := &Guests{AllTenants: true}
	guestKeys.read(w, g, v)
	if len(g.Types) == 0 && len(g.Tenants) == 0 {
		return nil
	}
	if len(g.Tenants) > 0 {
		g.AllTenants = false
	}
	return g
}

var guestKeys = table(map[string]func(*walk, *Guests, *node){
	"guestOrExternalUserTypes": func(w *walk, g *Guests, v *node) { g.Types = flags[GuestType](w, v, guestWords) },
	"externalTenants":          func(w *walk, g *Guests, v *node) { tenantKeys.read(w, g, v) },
})

var tenantKeys = table(map[string]func(*walk, *Guests, *node){
	"membershipKind": func(w *walk, g *Guests, v *node) {
		g.AllTenants = member[string](w, v, tenancyWords) != "enumerated"
	},
	"members": func(w *walk, g *Guests, v *node) { g.Tenants = w.ids(v, anyID) },
})

var applicationKeys = table(map[string]func(*walk, *Applications, *node){
	"includeApplications": func(w *walk, a *Applications, v *node) { a.Include = w.ids(v, appWords) },
	"excludeApplications": func(w *walk, a *Applications, v *node) { a.Exclude = w.ids(v, appWords) },
	"applicationFilter":   func(w *walk, a *Applications, v *node) { a.Filter = readFilter(w, v) },
	"includeUserActions":  func(w *walk, a *Applications, v *node) { a.UserActions = members[string](w, v, actionWords) },
	"includeAuthenticationContextClassReferences": func(w *walk, a *Applications, v *node) {
		a.AuthContexts = w.texts(v)
	},
	"globalSecureAccess": traffic,
	"networkAccess":      traffic,
})

// traffic: policies for network traffic profiles are no goal's target.
func traffic(_ *walk, a *Applications, v *node) {
	a.GlobalSecureAccess = a.GlobalSecureAccess || !v.unset()
}

var grantKeys = table(map[string]func(*walk, *Grant, *node){
	"operator": func(w *walk, g *Grant, v *node) {
		g.Operator = member[GrantOperator](w, v, operatorWords)
		if _, known := operatorWords.find(string(g.Operator)); !known {
			g.Operator = OperatorUnknown
		}
	},
	"builtInControls":             func(w *walk, g *Grant, v *node) { g.Controls = members[GrantControl](w, v, controlWords) },
	"termsOfUse":                  func(w *walk, g *Grant, v *node) { g.TermsOfUse = w.ids(v, anyID) },
	"customAuthenticationFactors": func(w *walk, g *Grant, v *node) { g.CustomFactors = w.texts(v) },
	"authenticationStrength": func(w *walk, g *Grant, v *node) {
		if v.unset() {
			return
		}
		g.Strength = inlineStrength(w, v)
	},
	"authenticationStrength@odata.bind": func(w *walk, g *Grant, v *node) {
		if id := boundID(w.text(v)); id != "" {
			g.Strength = &AuthStrength{ID: id}
		} else if !v.unset() {
			w.unexpected(v)
		}
	},
})

// boundID takes the id out of a reference such as
// https://graph.microsoft.com/v1.0/policies/authenticationStrengthPolicies/ID
// or …/authenticationStrengthPolicies('ID').
func boundID(reference string) ID {
	last := reference[strings.LastIndexByte(reference, '/')+1:]
	if open := strings.IndexByte(last, '('); open >= 0 {
		last = strings.Trim(last[open:], "()'")
	}
	return ID(last)
}

// switchable is a session control as Graph writes it: an object with isEnabled.
type switchable struct {
	Enabled                          *bool
	Mode, Type, Interval, Unit, Auth string
	Value                            int
}

var switchKeys = table(map[string]func(*walk, *switchable, *node){
	"isEnabled":            func(w *walk, s *switchable, v *node) { s.Enabled = w.flag(v) },
	"profileId":            harmless[switchable],
	"policyId":             harmless[switchable],
	"cloudAppSecurityType": func(w *walk, s *switchable, v *node) { s.Type = member[string](w, v, appCloudWords) },
})

var browserKeys = table(map[string]func(*walk, *switchable, *node){
	"isEnabled": func(w *walk, s *switchable, v *node) { s.Enabled = w.flag(v) },
	"mode":      func(w *walk, s *switchable, v *node) { s.Mode = member[string](w, v, persistentWords) },
})

var evaluationKeys = table(map[string]func(*walk, *switchable, *node){
	"isEnabled": func(w *walk, s *switchable, v *node) { s.Enabled = w.flag(v) },
	"mode":      func(w *walk, s *switchable, v *node) { s.Mode = member[string](w, v, accessEvalWords) },
})

var frequencyKeys = table(map[string]func(*walk, *switchable, *node){
	"isEnabled":          func(w *walk, s *switchable, v *node) { s.Enabled = w.flag(v) },
	"frequencyInterval":  func(w *walk, s *switchable, v *node) { s.Interval = member[string](w, v, intervalWords) },
	"type":               func(w *walk, s *switchable, v *node) { s.Unit = member[string](w, v, unitWords) },
	"value":              func(w *walk, s *switchable, v *node) { s.Value = w.integer(v) },
	"authenticationType": func(w *walk, s *switchable, v *node) { s.Auth = member[string](w, v, againWords) },
})

// switched reads a session control and reports whether it is on. Set but
// without isEnabled it is on.
func switched(w *walk, v *node, k keys[switchable]) (switchable, bool) {
	var s switchable
	if v.unset() || off(v) {
		return s, false
	}
	if v.kind != '{' {
		if on := w.flag(v); on == nil || !*on {
			return s, false
		}
		return s, true
	}
	k.read(w, &s, v)
	return s, s.Enabled == nil || *s.Enabled
}

// off reports whether the object says isEnabled false; its other members then
// mean nothing.
func off(v *node) bool {
	e := v.get("isEnabled")
	return e != nil && (e.kind == 'f' || e.kind == '"' && strings.EqualFold(e.text, "false"))
}

var sessionKeys = table(map[string]func(*walk, *Session, *node){
	"signInFrequency": func(w *walk, s *Session, v *node) {
		if f, on := switched(w, v, frequencyKeys); on {
			s.SignInFrequency = &SignInFrequency{EveryTime: f.Interval == "everyTime", Value: f.Value, Unit: f.Unit, AuthenticationType: f.Auth}
		}
	},
	"persistentBrowser": func(w *walk, s *Session, v *node) {
		if b, on := switched(w, v, browserKeys); on {
			s.PersistentBrowser = b.Mode
		}
	},
	"cloudAppSecurity": func(w *walk, s *Session, v *node) {
		if c, on := switched(w, v, switchKeys); on {
			if s.CloudAppSecurity = c.Type; c.Type == "" {
				s.CloudAppSecurity = "unknown"
			}
		}
	},
	"applicationEnforcedRestrictions": func(w *walk, s *Session, v *node) {
		_, s.AppEnforcedRestrictions = switched(w, v, switchKeys)
	},
	"secureSignInSession": func(w *walk, s *Session, v *node) { _, s.SecureSignInSession = switched(w, v, switchKeys) },
	"continuousAccessEvaluation": func(w *walk, s *Session, v *node) {
		if e, on := switched(w, v, evaluationKeys); on {
			s.ContinuousAccessEvaluation = e.Mode
		}
	},
	"disableResilienceDefaults": func(w *walk, s *Session, v *node) { s.DisableResilienceDefaults = w.isTrue(v) },
	"globalSecureAccessFilteringProfile": func(w *walk, s *Session, v *node) {
		if _, on := switched(w, v, switchKeys); on {
			s.GlobalSecureAccess = true
		}
	},
	"networkAccessSecurity": func(w *walk, s *Session, v *node) {
		if _, on := switched(w, v, switchKeys); on {
			s.GlobalSecureAccess = true
			w.record("key", v) // seen in exports, in no metadata
		}
	},
})
