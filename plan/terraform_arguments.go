package plan

import (
	"encoding/json"
	"maps"
	"strings"
)

// resource is one type of resource of the provider hashicorp/azuread.
type resource struct {
	name      string
	kind      Kind
	arguments arguments
	// finish completes the object once all arguments are in place.
	finish func(object)
}

// argument is what becomes of one argument of a resource.
type argument struct {
	// to is the key of Graph's object; dots lead into objects inside it; "" the
	// argument says nothing about the object in force.
	to string
	// as writes a value that is known; nil: as it is.
	as func(any) any
	// list: the value is a list, whose elements may be unknown one by one.
	list bool
	// refers is the type of resource that the ids in the value may refer to.
	refers string
	// fallback, where not nil, is what the provider sends when the configuration
	// leaves out an argument that Terraform calls unknown until then.
	fallback any
	// block are the arguments of a nested block.
	block arguments
	// many: the block may be repeated and becomes a list.
	many bool
	// finish completes the object of a block.
	finish func(object)
}

type arguments map[string]argument

const (
	policyResource   = "azuread_conditional_access_policy"
	locationResource = "azuread_named_location"
	strengthResource = "azuread_authentication_strength_policy"
)

// resources is the table of what is read. Arguments are those of the provider's
// documentation, versions 2 and 3.
var resources = []resource{
	{policyResource, KindPolicy, arguments{
		"id": {}, "object_id": {}, "timeouts": {},
		"display_name":     {to: "displayName"},
		"state":            {to: "state"},
		"conditions":       {to: "conditions", block: conditionArguments},
		"grant_controls":   {to: "grantControls", block: grantArguments},
		"session_controls": {to: "sessionControls", block: sessionArguments, finish: finishSession},
	}, nil},
	{locationResource, KindLocation, arguments{
		"id": {}, "object_id": {}, "timeouts": {},
		"display_name": {to: "displayName"},
		"ip": {to: "ip", block: arguments{
			"ip_ranges": {to: "ipRanges", list: true, as: each(ipRange)},
			"trusted":   {to: "isTrusted", as: boolean},
		}},
		"country": {to: "country", block: arguments{
			"countries_and_regions":                 {to: "countriesAndRegions", list: true},
			"include_unknown_countries_and_regions": {to: "includeUnknownCountriesAndRegions", as: boolean},
			"country_lookup_method":                 {to: "countryLookupMethod", fallback: "clientIpAddress"},
		}},
	}, finishLocation},
	{strengthResource, KindStrength, arguments{
		"id": {}, "object_id": {}, "timeouts": {},
		"display_name":         {to: "displayName"},
		"description":          {to: "description"},
		"allowed_combinations": {to: "allowedCombinations", list: true},
		"fido2_combination_configuration": {to: "fido2", many: true, block: arguments{
			"id":              {},
			"allowed_aaguids": {to: "allowedAAGUIDs", list: true},
		}},
		"x509_certificate_combination_configuration": {to: "x509", many: true, block: arguments{
			"id":                      {},
			"applies_to_combinations": {to: "appliesToCombinations", list: true},
			"allowed_issuer_skis":     {to: "allowedIssuerSkis", list: true},
			"allowed_policy_oids":     {to: "allowedPolicyOIDs", list: true},
		}},
	}, finishStrength},
}

func resourceFor(name string) *resource {
	for i := range resources {
		if resources[i].name == name {
			return &resources[i]
		}
	}
	return nil
}

var filterArguments = arguments{"mode": {to: "mode"}, "rule": {to: "rule"}}

var guestArguments = arguments{
	"guest_or_external_user_types": {to: "guestOrExternalUserTypes", list: true, as: commaJoined},
	"external_tenants": {to: "externalTenants", block: arguments{
		"membership_kind": {to: "membershipKind"},
		"members":         {to: "members", list: true},
	}},
}

var conditionArguments = arguments{
	"client_app_types": {to: "clientAppTypes", list: true},
	"applications": {to: "applications", block: arguments{
		"included_applications": {to: "includeApplications", list: true, as: each(guid)},
		"excluded_applications": {to: "excludeApplications", list: true, as: each(guid)},
		"included_user_actions": {to: "includeUserActions", list: true},
		"filter":                {to: "applicationFilter", block: filterArguments},
	}},
	"users": {to: "users", block: arguments{
		"included_users":                    {to: "includeUsers", list: true, as: each(guid)},
		"excluded_users":                    {to: "excludeUsers", list: true, as: each(guid)},
		"included_groups":                   {to: "includeGroups", list: true, as: each(guid)},
		"excluded_groups":                   {to: "excludeGroups", list: true, as: each(guid)},
		"included_roles":                    {to: "includeRoles", list: true, as: each(guid)},
		"excluded_roles":                    {to: "excludeRoles", list: true, as: each(guid)},
		"included_guests_or_external_users": {to: "includeGuestsOrExternalUsers", block: guestArguments},
		"excluded_guests_or_external_users": {to: "excludeGuestsOrExternalUsers", block: guestArguments},
	}},
	"client_applications": {to: "clientApplications", block: arguments{
		"included_service_principals": {to: "includeServicePrincipals", list: true, as: each(guid)},
		"excluded_service_principals": {to: "excludeServicePrincipals", list: true, as: each(guid)},
		"filter":                      {to: "servicePrincipalFilter", block: filterArguments},
	}},
	"devices": {to: "devices", block: arguments{
		"filter": {to: "deviceFilter", block: filterArguments},
	}},
	"locations": {to: "locations", block: arguments{
		"included_locations": {to: "includeLocations", list: true, as: each(guid), refers: locationResource},
		"excluded_locations": {to: "excludeLocations", list: true, as: each(guid), refers: locationResource},
	}},
	"platforms": {to: "platforms", block: arguments{
		"included_platforms": {to: "includePlatforms", list: true},
		"excluded_platforms": {to: "excludePlatforms", list: true},
	}},
	"sign_in_risk_levels":                  {to: "signInRiskLevels", list: true},
	"user_risk_levels":                     {to: "userRiskLevels", list: true},
	"service_principal_risk_levels":        {to: "servicePrincipalRiskLevels", list: true},
	"insider_risk_levels":                  {to: "insiderRiskLevels", as: filled, fallback: ""},
	"authentication_flow_transfer_methods": {to: "authenticationFlows.transferMethods", list: true, as: commaJoined},
}

var grantArguments = arguments{
	"operator":                          {to: "operator"},
	"built_in_controls":                 {to: "builtInControls", list: true},
	"custom_authentication_factors":     {to: "customAuthenticationFactors", list: true},
	"terms_of_use":                      {to: "termsOfUse", list: true, as: each(guid)},
	"authentication_strength_policy_id": {to: "authenticationStrength", as: strengthRef, refers: strengthResource},
}

// sessionArguments go by the names of their own; finishSession makes Graph's
// objects of them.
var sessionArguments = arguments{
	"application_enforced_restrictions_enabled": {to: "applicationEnforcedRestrictions", as: enabled("")},
	"cloud_app_security_policy":                 {to: "cloudAppSecurity", as: enabled("cloudAppSecurityType")},
	"disable_resilience_defaults":               {to: "disableResilienceDefaults", as: filled},
	"persistent_browser_mode":                   {to: "persistentBrowser", as: enabled("mode")},
	"sign_in_frequency":                         {to: "value", as: filled},
	"sign_in_frequency_period":                  {to: "type", as: filled},
	"sign_in_frequency_authentication_type":     {to: "authenticationType", as: filled, fallback: ""},
	"sign_in_frequency_interval":                {to: "frequencyInterval", as: filled, fallback: ""},
}

// finishSession gathers what belongs to the sign-in frequency. The provider
// switches it on when there is a number or an interval.
func finishSession(o object) {
	frequency := map[string]any{}
	for _, k := range []string{"value", "type", "authenticationType", "frequencyInterval"} {
		if v := o[k]; v != nil {
			frequency[k] = v
		}
		delete(o, k)
	}
	if frequency["value"] == nil && frequency["frequencyInterval"] == nil {
		o["signInFrequency"] = nil
		return
	}
	frequency["isEnabled"] = true
	o["signInFrequency"] = frequency
}

// finishLocation brings the members of the one block to the top.
func finishLocation(o object) {
	types := map[string]string{"ip": "#microsoft.graph.ipNamedLocation", "country": "#microsoft.graph.countryNamedLocation"}
	for key, name := range types {
		block := asObject(o[key])
		delete(o, key)
		if block == nil {
			continue
		}
		o["@odata.type"] = name
		maps.Copy(o, block)
	}
}

// finishStrength makes one list of the two kinds of configuration. A provider
// that knows neither says nothing about them.
func finishStrength(o object) {
	types := map[string]string{"fido2": "#microsoft.graph.fido2CombinationConfiguration",
		"x509": "#microsoft.graph.x509CertificateCombinationConfiguration"}
	said := false
	list := []any{}
	for _, key := range []string{"fido2", "x509"} {
		v, ok := o[key]
		delete(o, key)
		said = said || ok
		for _, e := range elements(v) {
			if c := asObject(e); c != nil {
				c["@odata.type"] = types[key]
				if key == "fido2" {
					c["appliesToCombinations"] = []any{"fido2"}
				}
			}
			list = append(list, e)
		}
	}
	if said {
		o["combinationConfigurations"] = list
	}
}

// each writes the elements of a list.
func each(as func(any) any) func(any) any {
	return func(v any) any {
		out := []any{}
		for _, e := range elements(v) {
			if asObject(e) == nil { // an unknown element stays as it is
				e = as(e)
			}
			out = append(out, e)
		}
		return out
	}
}

func guid(v any) any {
	if s, ok := v.(string); ok {
		return lastGUID(s)
	}
	return v
}

func boolean(v any) any {
	if v == nil {
		return false
	}
	return v
}

// filled writes a zero value, which the provider does not tell from an absent
// one, as null.
func filled(v any) any {
	if zero(v) {
		return nil
	}
	return v
}

func zero(v any) bool {
	switch v := v.(type) {
	case bool:
		return !v
	case json.Number:
		f, err := v.Float64()
		return err == nil && f == 0
	}
	return unset(v)
}

// enabled writes a session control; the argument is its member of that name.
func enabled(member string) func(any) any {
	return func(v any) any {
		if zero(v) {
			return nil
		}
		o := map[string]any{"isEnabled": true}
		if member != "" {
			o[member] = v
		}
		return o
	}
}

func strengthRef(v any) any {
	if s, ok := v.(string); ok && s != "" {
		return map[string]any{"id": lastGUID(s)}
	}
	return nil
}

func ipRange(v any) any {
	s, ok := v.(string)
	if !ok {
		return v
	}
	family := "iPv4CidrRange"
	if strings.Contains(s, ":") {
		family = "iPv6CidrRange"
	}
	return map[string]any{"@odata.type": "#microsoft.graph." + family, "cidrAddress": s}
}

// commaJoined writes a list as Graph's flags; one with an unknown element stays
// a list, which the decoder reads too.
func commaJoined(v any) any {
	var words []string
	for _, e := range elements(v) {
		s, ok := e.(string)
		if !ok {
			return v
		}
		words = append(words, s)
	}
	if len(words) == 0 {
		return nil
	}
	return strings.Join(words, ",")
}
