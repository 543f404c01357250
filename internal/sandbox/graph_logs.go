package sandbox

import (
	"maps"
	"slices"
	"strings"
)

// signIns are the sign-in log: newest first, interactive ones unless beta asks
// for others (entra-docs signin-list).
var signIns = &resource{set: "auditLogs/signIns", typ: "signIn", context: "auditLogs/signIns", gate: notLate,
	all: func(c *call, st *State) ([]Object, error) {
		asked := false
		c.query.filter.walk(func(f *filterNode) {
			asked = asked || len(f.path) > 0 && strings.EqualFold(f.path[0], "signInEventTypes")
		})
		return newest(c, st, "auditLogs/signIns", "createdDateTime", func(o Object) bool {
			kinds := texts(o, "signInEventTypes")
			return c.version == beta && (asked || c.args["id"] != "") || len(kinds) == 0 && o["isInteractive"] != false || slices.Contains(kinds, "interactiveUser")
		}), nil
	},
	view: func(c *call, st *State, o Object) Object {
		if suffices("Policy.Read.ConditionalAccess Policy.Read.All", c.caller.Permissions) {
			return o
		}
		out := maps.Clone(o)
		out["appliedConditionalAccessPolicies"] = []any{}
		return out
	}}

var directoryAudits = &resource{set: "auditLogs/directoryAudits", typ: "directoryAudit", context: "auditLogs/directoryAudits", gate: notLate,
	all: func(c *call, st *State) ([]Object, error) {
		return newest(c, st, "auditLogs/directoryAudits", "activityDateTime", func(Object) bool { return true }), nil
	}}

// notLate refuses the options that the logs do not support.
func notLate(c *call, st *State) error {
	if c.query.count || c.query.search != "" {
		return badRequest("The query options $count and $search are not supported for this resource.")
	}
	return nil
}

// newest lists the records that can be seen by now, newest first.
func newest(c *call, st *State, set, when string, keep func(Object) bool) []Object {
	list := slices.DeleteFunc(st.All(set), func(o Object) bool { return !c.logged(o, when) || !keep(o) })
	if len(c.query.order) == 0 {
		slices.SortStableFunc(list, func(a, b Object) int { return strings.Compare(text(b, when), text(a, when)) })
	}
	return list
}

// logged reports whether a record has come into the log by now (Config.LogDelay).
func (c *call) logged(o Object, when string) bool {
	if c.config.LogDelay <= 0 {
		return true
	}
	return text(o, when) <= stamp(c.now.Add(-c.config.LogDelay))
}

// registrations are the registration details of users: kept, or worked out from
// their methods (entra-docs userregistrationdetails).
var registrations = &resource{set: "reports/authenticationMethods/userRegistrationDetails", typ: "userRegistrationDetails",
	find: func(c *call, st *State, id string) Object {
		if u := st.Get("users", id); u != nil {
			return st.registration(u, stamp(c.now))
		}
		return nil
	}}

// readRegistrations answers the list without making a million records: they are
// made for the page that is asked for.
func readRegistrations(c *call) (a answer, err error) {
	selected, err := c.chosen(registrations)
	if err != nil {
		return a, err
	}
	if err := c.advanced(registrations); err != nil {
		return a, err
	}
	c.View(func(st *State) {
		if err = c.gates(nil, st); err != nil {
			return
		}
		page := *registrations
		at := stamp(c.now)
		src := source{st.Count("users"), func(i int) Object {
			if u := st.At("users", i); u != nil {
				return st.registration(u, at)
			}
			return nil
		}}
		a, err = page.paged(c, st, src, selected)
	})
	return a, err
}

// mfaMethods are the methods that count for multifactor authentication, as
// methodsRegistered names them.
var registeredNames = map[string]string{
	"fido2AuthenticationMethod": "passKeyDeviceBound", "microsoftAuthenticatorAuthenticationMethod": "microsoftAuthenticatorPush",
	"softwareOathAuthenticationMethod": "softwareOneTimePasscode", "hardwareOathAuthenticationMethod": "hardwareOneTimePasscode",
	"phoneAuthenticationMethod": "mobilePhone", "emailAuthenticationMethod": "email", "windowsHelloForBusinessAuthenticationMethod": "windowsHelloForBusiness",
	"temporaryAccessPassAuthenticationMethod": "temporaryAccessPass",
}

func (s *State) registration(u Object, at string) Object {
	id := text(u, "id")
	if have := s.Get("reports/authenticationMethods/userRegistrationDetails", id); have != nil {
		return have
	}
	var names []any
	mfa, passwordless := false, false
	for _, m := range s.All(methodsOf(id)) {
		typ := typeOf(m, "authenticationMethod")
		name := registeredNames[typ]
		if name == "" {
			continue
		}
		names = append(names, name)
		mfa = mfa || name != "email"
		passwordless = passwordless || name == "passKeyDeviceBound" || name == "windowsHelloForBusiness"
	}
	if names == nil {
		names = []any{}
	}
	kind := "member"
	if strings.EqualFold(text(u, "userType"), "Guest") {
		kind = "guest"
	}
	return Object{"id": id, "userPrincipalName": u["userPrincipalName"], "userDisplayName": u["displayName"], "userType": kind, "isAdmin": s.isAdmin(id),
		"isSsprRegistered": mfa, "isSsprEnabled": false, "isSsprCapable": false, "isMfaRegistered": mfa, "isMfaCapable": mfa, "isPasswordlessCapable": passwordless,
		"methodsRegistered": names, "isSystemPreferredAuthenticationMethodEnabled": true, "systemPreferredAuthenticationMethods": []any{},
		"userPreferredMethodForSecondaryAuthentication": "none", "lastUpdatedDateTime": at}
}

// isAdmin reports whether a user holds a role itself.
func (s *State) isAdmin(id string) bool {
	for _, set := range []string{setAssignments, setActive} {
		c := s.Sets[set]
		if c == nil {
			continue
		}
		for _, a := range c.ByID {
			if strings.EqualFold(text(a, "principalId"), id) {
				return true
			}
		}
	}
	return false
}

var riskyUsers = &resource{set: "identityProtection/riskyUsers", typ: "riskyUser"}

var riskDetections = &resource{set: "identityProtection/riskDetections", typ: "riskDetection"}

var accessReviews = &resource{set: "identityGovernance/accessReviews/definitions", typ: "accessReviewScheduleDefinition"}

var workflows = &resource{set: "identityGovernance/lifecycleWorkflows/workflows", typ: "identityGovernance.workflow"}

var agreements = &resource{set: "identityGovernance/termsOfUse/agreements", typ: "agreement", unpaged: true}

var lifecyclePolicies = &resource{set: "groupLifecyclePolicies", typ: "groupLifecyclePolicy", unpaged: true}

var domains = &resource{set: "domains", typ: "domain", unpaged: true}

var federation = &resource{set: "domains/{id}/federationConfiguration", typ: "internalDomainFederation", unpaged: true}

var skus = &resource{set: "subscribedSkus", typ: "subscribedSku", unpaged: true}

var organizations = &resource{set: "organization", typ: "organization", unpaged: true}

var pki = &resource{set: "directory/publicKeyInfrastructure/certificateBasedAuthConfigurations", typ: "certificateBasedAuthPki", unpaged: true}

var authorities = &resource{set: "directory/publicKeyInfrastructure/certificateBasedAuthConfigurations/{id}/certificateAuthorities", typ: "certificateAuthorityDetail", unpaged: true}

var synchronization = &resource{set: "directory/onPremisesSynchronization", typ: "onPremisesDirectorySynchronization", unpaged: true}

// licences answers …/licenseDetails of a user from its assigned licences.
var licences = hanging("users", "licenseDetails", "licenseDetails", func(c *call, st *State, u Object) []Object {
	out := []Object{}
	for _, l := range objects(u, "assignedLicenses") {
		for _, sku := range st.All("subscribedSkus") {
			if strings.EqualFold(text(sku, "skuId"), text(l, "skuId")) {
				out = append(out, Object{"id": derivedID(text(u, "id"), text(l, "skuId")), "skuId": sku["skuId"], "skuPartNumber": sku["skuPartNumber"], "servicePlans": sku["servicePlans"]})
			}
		}
	}
	return out
})

var workflowTasks = within("identityGovernance/lifecycleWorkflows/workflows", "", "tasks", "identityGovernance.task", "identityGovernance/lifecycleWorkflows/workflows/tasks")
