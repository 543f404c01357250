package sandbox

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// caError is an error of Conditional Access: a number in the message (graph.md
// section 5). Microsoft lists no numbers; those used here are of the form, and
// only the form is promised.
func caError(number int, format string, args ...any) error {
	return &graphError{400, "BadRequest", fmt.Sprintf("%d: %s", number, fmt.Sprintf(format, args...))}
}

var caPolicies = &resource{set: setPolicies, typ: "conditionalAccessPolicy", unpaged: true, kind: "Policy", service: "Conditional Access", category: "Policy",
	noun: "conditional access policy", make: makePolicy, change: changePolicy, remove: removePolicy, view: policyView}

var locations = &resource{set: setLocations, typ: "namedLocation", unpaged: true, kind: "Policy", service: "Conditional Access", category: "Policy",
	noun: "named location", make: makeLocation, change: func(c *call, st *State, before, after Object) error {
		after["modifiedDateTime"] = stamp(c.now)
		return validLocation(after)
	}, remove: removeLocation}

var contexts = &resource{set: setContexts, typ: "authenticationContextClassReference", unpaged: true, kind: "Policy", service: "Conditional Access", category: "Policy",
	noun: "authentication context", make: func(c *call, st *State, o Object) error { return validContext(st, o) },
	change: func(c *call, st *State, before, after Object) error { return validContext(st, after) },
	remove: func(c *call, st *State, o Object) error {
		if p := policyWith(st, text(o, "id"), "conditions", "applications", "includeAuthenticationContextClassReferences"); p != nil {
			return caError(1052, "The authentication context %s is used by the policy '%s' and cannot be deleted.", text(o, "id"), text(p, "displayName"))
		}
		return nil
	}}

var strengths = &resource{set: setStrengths, typ: "authenticationStrengthPolicy", unpaged: true, kind: "Policy", service: "Conditional Access", category: "Policy",
	noun: "authentication strength policy", make: makeStrength, change: changeStrength, remove: removeStrength}

// policyView reads the strength of a policy expanded, as Graph gives it back
// (graph.md section 3).
func policyView(c *call, st *State, o Object) Object {
	strength, ok := dig(o, "grantControls", "authenticationStrength").(Object)
	if !ok {
		return o
	}
	out := maps.Clone(o)
	grant := maps.Clone(o["grantControls"].(Object))
	if full := st.Get(setStrengths, text(strength, "id")); full != nil {
		inner := maps.Clone(full)
		inner["combinationConfigurations@odata.context"] = nil
		delete(inner, "combinationConfigurations@odata.context")
		grant["authenticationStrength"] = inner
	}
	out["grantControls"] = grant
	return out
}

func makePolicy(c *call, st *State, o Object) error {
	if err := validPolicy(c, st, o); err != nil {
		return err
	}
	o["createdDateTime"], o["modifiedDateTime"], o["deletedDateTime"] = stamp(c.now), nil, nil
	if _, has := o["templateId"]; !has {
		o["templateId"] = nil
	}
	return nil
}

func changePolicy(c *call, st *State, before, after Object) error {
	if managed(before) {
		for name := range c.body {
			if name != "state" && name != "conditions" && !strings.HasPrefix(name, "@") {
				return caError(1142, "A Microsoft-managed policy can be changed only in its state and exclusions.")
			}
		}
	}
	after["modifiedDateTime"] = stamp(c.now)
	if patch, ok := c.body["conditions"].(Object); ok {
		merged := maps.Clone(before["conditions"].(Object))
		if given, ok := after["conditions"].(Object); ok {
			for k := range patch {
				merged[k] = given[k]
			}
		}
		after["conditions"] = merged
	}
	return validPolicy(c, st, after)
}

// managed reports whether Microsoft manages a policy.
func managed(o Object) bool {
	return text(o, "templateId") != "" && strings.HasPrefix(text(o, "displayName"), "Microsoft-managed")
}

func removePolicy(c *call, st *State, o Object) error {
	if managed(o) {
		return caError(1143, "A Microsoft-managed policy cannot be deleted.")
	}
	return buryCA(c, st, "identity/conditionalAccess/deletedItems/policies", o)
}

func buryCA(c *call, st *State, set string, o Object) error {
	gone := maps.Clone(o)
	gone["deletedDateTime"] = stamp(c.now)
	st.Put(set, text(o, "id"), gone)
	return nil
}

// validPolicy checks a policy as a whole and completes it (entra-docs
// conditionalaccessroot-post-policies: what is required; the rules between
// conditions).
func validPolicy(c *call, st *State, o Object) error {
	if text(o, "displayName") == "" || len(text(o, "displayName")) > 256 {
		return caError(1001, "Policy displayName is required and must not be longer than 256 characters.")
	}
	if text(o, "state") == "" {
		return caError(1002, "Policy state is required.")
	}
	cond, ok := o["conditions"].(Object)
	if !ok {
		return caError(1003, "Policy conditions are required.")
	}
	completePolicy(o)
	if dig(cond, "clientApplications") == nil && isEmpty(cond, "users", "includeUsers", "includeGroups", "includeRoles") && dig(cond, "users", "includeGuestsOrExternalUsers") == nil {
		return caError(1004, "Policy conditions must include at least one user, group, role or guest.")
	}
	if isEmpty(cond, "applications", "includeApplications", "includeUserActions", "includeAuthenticationContextClassReferences") && dig(cond, "applications", "applicationFilter") == nil {
		return caError(1007, "Policy conditions must include at least one application, user action or authentication context.")
	}
	if o["grantControls"] == nil && o["sessionControls"] == nil {
		return caError(1009, "A policy must have grant controls or session controls.")
	}
	for _, check := range []func(*State, Object) error{validGrant, validTargets, validPlaces} {
		if err := check(st, o); err != nil {
			return err
		}
	}
	if len(texts(cond, "userRiskLevels"))+len(texts(cond, "signInRiskLevels"))+len(texts(cond, "servicePrincipalRiskLevels")) > 0 {
		if err := c.licence(st, "P2"); err != nil {
			return err
		}
	}
	if o["state"] == "enabled" && flag(st.Single[pathDefaults], "isEnabled") {
		return caError(1190, "Security Defaults is enabled in the tenant. You must disable Security defaults before enabling a Conditional Access policy.")
	}
	return nil
}

// completePolicy gives a policy the members that Graph always shows.
func completePolicy(o Object) {
	cond := o["conditions"].(Object)
	if list, _ := cond["clientAppTypes"].([]any); len(list) == 0 {
		cond["clientAppTypes"] = []any{"all"}
	}
	if cond["applications"] == nil {
		cond["applications"] = Object{}
	}
	if cond["users"] == nil {
		cond["users"] = Object{}
	}
	complete("conditionalAccessConditionSet", cond)
	if grant, ok := o["grantControls"].(Object); ok {
		if text(grant, "operator") == "" {
			grant["operator"] = "OR"
		}
		if address := text(grant, "authenticationStrength@odata.bind"); address != "" {
			grant["authenticationStrength"] = Object{"id": address[strings.LastIndex(address, "/")+1:]}
			delete(grant, "authenticationStrength@odata.bind")
		}
		if s, ok := grant["authenticationStrength"].(Object); ok {
			grant["authenticationStrength"] = Object{"id": text(s, "id")}
		} else {
			grant["authenticationStrength"] = nil
		}
		for _, list := range []string{"builtInControls", "customAuthenticationFactors", "termsOfUse"} {
			if grant[list] == nil {
				grant[list] = []any{}
			}
		}
	}
	for _, k := range []string{"grantControls", "sessionControls", "description"} {
		if _, has := o[k]; !has {
			o[k] = nil
		}
	}
}

func isEmpty(o Object, part string, lists ...string) bool {
	for _, l := range lists {
		if len(texts(o, part, l)) > 0 {
			return false
		}
	}
	return true
}

func validGrant(st *State, o Object) error {
	grant, ok := o["grantControls"].(Object)
	if !ok {
		return nil
	}
	controls := texts(grant, "builtInControls")
	id := text(grant, "authenticationStrength", "id")
	if len(controls) == 0 && id == "" && len(texts(grant, "termsOfUse"))+len(texts(grant, "customAuthenticationFactors")) == 0 {
		return caError(1010, "Grant controls must contain at least one control.")
	}
	if op := text(grant, "operator"); op != "AND" && op != "OR" {
		return caError(1011, "Grant controls operator must be AND or OR.")
	}
	if slices.Contains(controls, "block") && (len(controls) > 1 || id != "") {
		return caError(1012, "The block control cannot be combined with other controls.")
	}
	if id != "" && slices.Contains(controls, "mfa") {
		return caError(1131, "The control mfa and an authentication strength cannot be used together.")
	}
	if id != "" && st.Get(setStrengths, id) == nil {
		return caError(1132, "The authentication strength %s does not exist.", id)
	}
	for _, tou := range texts(grant, "termsOfUse") {
		if st.Get("identityGovernance/termsOfUse/agreements", tou) == nil {
			return caError(1049, "The terms of use %s does not exist.", tou)
		}
	}
	return nil
}

// words that stand in lists of ids.
var wordsOfLists = []string{"all", "none", "guestsorexternalusers", "alltrusted", "office365", "microsoftadminportals", "serviceprincipalsinmytenant", "allagentidresources"}

// validTargets checks the form of the ids of users, groups and roles; whether
// they live is not asked (graph.md section 3).
func validTargets(st *State, o Object) error {
	for _, list := range []string{"includeUsers", "excludeUsers", "includeGroups", "excludeGroups", "includeRoles", "excludeRoles"} {
		for _, id := range texts(o, "conditions", "users", list) {
			if !slices.Contains(wordsOfLists, strings.ToLower(id)) && !isID(id) {
				return caError(1014, "Invalid value '%s' in %s: an object id is expected.", id, list)
			}
			if strings.HasSuffix(list, "Roles") && st.Get(setRoles, id) == nil {
				return caError(1036, "The role %s in %s does not exist.", id, list)
			}
		}
	}
	for _, ref := range texts(o, "conditions", "applications", "includeAuthenticationContextClassReferences") {
		if st.Get(setContexts, ref) == nil {
			return caError(1040, "The authentication context %s does not exist.", ref)
		}
	}
	return nil
}

func validPlaces(st *State, o Object) error {
	for _, list := range []string{"includeLocations", "excludeLocations"} {
		for _, id := range texts(o, "conditions", "locations", list) {
			if !slices.Contains(wordsOfLists, strings.ToLower(id)) && id != "00000000-0000-0000-0000-000000000000" && st.Get(setLocations, id) == nil {
				return caError(1020, "The named location %s in %s does not exist.", id, list)
			}
		}
	}
	return nil
}

func isID(s string) bool {
	return len(s) == 36 && strings.Count(s, "-") == 4 && strings.Trim(strings.ToLower(s), "0123456789abcdef-") == ""
}

// policyWith finds a policy that names an id in one of its lists.
func policyWith(st *State, id string, path ...string) Object {
	for _, p := range st.All(setPolicies) {
		if slices.ContainsFunc(texts(p, path...), func(have string) bool { return strings.EqualFold(have, id) }) {
			return p
		}
	}
	return nil
}

func makeLocation(c *call, st *State, o Object) error {
	o["createdDateTime"], o["modifiedDateTime"], o["deletedDateTime"] = stamp(c.now), stamp(c.now), nil
	return validLocation(o)
}

func validLocation(o Object) error {
	if text(o, "displayName") == "" {
		return caError(1030, "A named location must have a displayName.")
	}
	switch typeOf(o, "namedLocation") {
	case "ipNamedLocation":
		ranges := objects(o, "ipRanges")
		if len(ranges) == 0 || len(ranges) > 2000 {
			return caError(1031, "An IP named location must have between 1 and 2000 ranges.")
		}
		for _, r := range ranges {
			p, err := netip.ParsePrefix(text(r, "cidrAddress"))
			if err != nil || p.Bits() < 8 {
				return caError(1032, "Invalid IP range '%s'.", text(r, "cidrAddress"))
			}
		}
		if o["isTrusted"] == nil {
			o["isTrusted"] = false
		}
	case "countryNamedLocation":
		if len(texts(o, "countriesAndRegions")) == 0 {
			return caError(1033, "A country named location must have at least one country.")
		}
		if o["includeUnknownCountriesAndRegions"] == nil {
			o["includeUnknownCountriesAndRegions"] = false
		}
		if o["countryLookupMethod"] == nil {
			o["countryLookupMethod"] = "clientIpAddress"
		}
	case "namedLocation":
		return caError(1034, "A named location must say its @odata.type.")
	}
	return nil
}

func removeLocation(c *call, st *State, o Object) error {
	for _, list := range []string{"includeLocations", "excludeLocations"} {
		if p := policyWith(st, text(o, "id"), "conditions", "locations", list); p != nil {
			return caError(1055, "The named location is used by the policy '%s' and cannot be deleted.", text(p, "displayName"))
		}
	}
	if flag(o, "isTrusted") {
		return caError(1056, "A trusted named location cannot be deleted: set isTrusted to false first.") // ipnamedlocation-delete
	}
	return buryCA(c, st, "identity/conditionalAccess/deletedItems/namedLocations", o)
}

func validContext(st *State, o Object) error {
	id := text(o, "id")
	number := strings.TrimPrefix(id, "c")
	if n := len(number); id == number || n < 1 || n > 2 || strings.Trim(number, "0123456789") != "" || number[0] == '0' {
		return caError(1060, "The id of an authentication context must be c1 to c99.")
	}
	if text(o, "displayName") == "" {
		return caError(1061, "An authentication context must have a displayName.")
	}
	for k, v := range map[string]any{"description": nil, "isAvailable": false} {
		if _, has := o[k]; !has {
			o[k] = v
		}
	}
	return nil
}

func makeStrength(c *call, st *State, o Object) error {
	if text(o, "displayName") == "" || len(texts(o, "allowedCombinations")) == 0 {
		return badRequest("displayName and allowedCombinations are required for an authentication strength policy.")
	}
	o["policyType"], o["requirementsSatisfied"] = "custom", "mfa"
	o["createdDateTime"], o["modifiedDateTime"] = stamp(c.now), stamp(c.now)
	if o["description"] == nil {
		o["description"] = ""
	}
	configs, _ := o["combinationConfigurations"].([]any)
	for _, e := range configs {
		if err := makeConfiguration(o, e.(Object)); err != nil {
			return err
		}
	}
	if configs == nil {
		o["combinationConfigurations"] = []any{}
	}
	return nil
}

func changeStrength(c *call, st *State, before, after Object) error {
	if before["policyType"] == "builtIn" {
		return badRequest("A built-in authentication strength policy cannot be changed.")
	}
	if _, has := c.body["allowedCombinations"]; has {
		return badRequest("allowedCombinations cannot be changed here: use updateAllowedCombinations.") // authenticationstrengthpolicy-update
	}
	after["modifiedDateTime"] = stamp(c.now)
	return nil
}

func removeStrength(c *call, st *State, o Object) error {
	if o["policyType"] == "builtIn" {
		return badRequest("A built-in authentication strength policy cannot be deleted.")
	}
	if users := st.strengthUsers(text(o, "id")); len(users) > 0 {
		return badRequest("The authentication strength policy is referenced by the Conditional Access policy '%s' and cannot be deleted.", text(users[0], "displayName"))
	}
	return nil
}

// strengthUsers are the policies that demand a strength.
func (s *State) strengthUsers(id string) []Object {
	return slices.DeleteFunc(s.All(setPolicies), func(p Object) bool {
		return !strings.EqualFold(text(p, "grantControls", "authenticationStrength", "id"), id)
	})
}

func makeConfiguration(strength, o Object) error {
	typ := typeOf(o, "authenticationCombinationConfiguration")
	need := map[string]string{"fido2CombinationConfiguration": "fido2", "x509CertificateCombinationConfiguration": "x509Certificate"}[typ]
	applies := texts(o, "appliesToCombinations")
	if need == "" || len(applies) == 0 {
		return badRequest("A combination configuration must say its @odata.type and appliesToCombinations.")
	}
	for _, a := range applies {
		if !strings.HasPrefix(a, need) || !slices.Contains(texts(strength, "allowedCombinations"), a) {
			return badRequest("The combination '%s' is not allowed by the authentication strength policy.", a)
		}
	}
	o["id"] = graphID()
	complete("authenticationCombinationConfiguration", o)
	return nil
}

// exclusiveDefaults refuses security defaults while a Conditional Access policy
// is enabled (entra-docs security-defaults).
func exclusiveDefaults(c *call, st *State, before, after Object) error {
	if after["isEnabled"] != true || before["isEnabled"] == true {
		return nil
	}
	for _, p := range st.All(setPolicies) {
		if p["state"] == "enabled" {
			return badRequest("Security defaults cannot be enabled while the Conditional Access policy '%s' is enabled.", text(p, "displayName"))
		}
	}
	return nil
}
