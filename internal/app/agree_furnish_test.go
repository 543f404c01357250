package app_test

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"halligan/entra"
)

// furnisher invents a tenant around published policies: whoever and whatever they
// name, as Graph would give it.
type furnisher struct {
	r        *rand.Rand
	policies []entra.Policy
	answers  []entra.Answer
	accounts []entra.ID
	groups   []entra.ID
	members  map[string][]map[string]any
	inner    map[string]entra.ID // groups in which people are, by the outer one
}

func (f *furnisher) id(kind string, n int) entra.ID {
	h := sha256.Sum256(fmt.Appendf(nil, "%s %d %d", kind, n, agreeSeed))
	return entra.ID(fmt.Sprintf("%x-%x-4%s-8%s-%x", h[:4], h[4:6], fmt.Sprintf("%x", h[6:8])[:3], fmt.Sprintf("%x", h[8:10])[:3], h[10:16]))
}

func (f *furnisher) add(part entra.Part, subject entra.ID, relation string, items ...any) {
	a := entra.Answer{Part: part, Subject: subject, Relation: relation, State: entra.PartState{Status: entra.StatusRead}, Where: string(part)}
	for _, i := range items {
		a.Items = append(a.Items, mustJSON(i))
	}
	f.answers = append(f.answers, a)
}

// invitee is a person to be invented.
type invitee struct {
	id     entra.ID
	guest  string // "", "internal", "external"
	groups []entra.ID
	roles  []entra.ID
	kit    int // 0: by turns
}

func (f *furnisher) furnish() {
	f.members, f.inner = map[string][]map[string]any{}, map[string]entra.ID{}
	seen := map[string]bool{}
	var list []invitee
	add := func(i invitee) {
		if key := fmt.Sprint(i.id, i.guest, i.groups, i.roles); !seen[key] && len(list) < 40 {
			seen[key] = true
			list = append(list, i)
		}
	}
	var groups, roles []entra.ID
	add(invitee{})
	for i := range f.policies {
		u := &f.policies[i].Conditions.Users
		groups, roles = append(append(groups, u.IncludeGroups...), u.ExcludeGroups...), append(append(roles, u.IncludeRoles...), u.ExcludeRoles...)
		if f.policies[i].State != entra.StateEnabled {
			continue
		}
		// Somebody for whom it is meant, and somebody whom it excludes.
		for n, part := range []struct {
			users, groups, roles []entra.ID
			guests               *entra.Guests
		}{{u.IncludeUsers, u.IncludeGroups, u.IncludeRoles, u.IncludeGuests}, {u.ExcludeUsers, u.ExcludeGroups, u.ExcludeRoles, u.ExcludeGuests}} {
			free := func(ids, not []entra.ID) []entra.ID {
				out := slices.DeleteFunc(slices.Clone(ids), func(id entra.ID) bool { return id == "" || n == 0 && slices.ContainsFunc(not, id.Equal) })
				return out[:min(len(out), 1)]
			}
			if g := free(part.groups, u.ExcludeGroups); len(g) > 0 {
				add(invitee{groups: g})
			}
			if r := free(part.roles, u.ExcludeRoles); len(r) > 0 {
				add(invitee{roles: r})
			}
			for _, id := range part.users {
				if id.IsGUID() {
					add(invitee{id: id})
					break
				}
			}
			if part.guests != nil || slices.ContainsFunc(part.users, func(id entra.ID) bool { return id.Equal("GuestsOrExternalUsers") }) {
				add(invitee{guest: "internal"})
				add(invitee{guest: "external"})
			}
		}
	}
	some := func(ids []entra.ID) []entra.ID {
		var out []entra.ID
		for _, id := range ids {
			if id != "" && f.r.IntN(3) == 0 && len(out) < 4 && !slices.ContainsFunc(out, id.Equal) {
				out = append(out, id)
			}
		}
		return out
	}
	for _, g := range groups { // a few people each, with different methods
		for _, kit := range []int{9, 3, 1, 0} { // the other model, both, a password, the first
			if strings.HasPrefix(string(g), "corner ") {
				list = append(list, invitee{groups: []entra.ID{g}, kit: kit})
			}
		}
	}
	for range 6 {
		add(invitee{groups: some(groups), roles: some(roles)})
	}
	for n, i := range list {
		f.invite(n, i, roles)
	}
	for _, g := range f.groups {
		var items []any
		for _, m := range f.members[g.Key()] {
			items = append(items, m)
		}
		f.add(entra.PartGroups, g, entra.RelationMembers, items...)
	}
	f.locations()
	f.methods(groups)
	f.rest()
}

// invite adds a person. Half of the groups are entered through a nested one.
func (f *furnisher) invite(n int, i invitee, roles []entra.ID) {
	if i.id == "" {
		i.id = f.id("person", n)
	}
	upn, kind := fmt.Sprintf("person%d@contoso.onmicrosoft.com", n), "Member"
	switch i.guest {
	case "internal":
		upn, kind = fmt.Sprintf("guest%d@contoso.onmicrosoft.com", n), "Guest"
	case "external":
		upn, kind = fmt.Sprintf("guest%d_fabrikam.example#EXT#@contoso.onmicrosoft.com", n), "Guest"
	}
	user := map[string]any{"@odata.type": "#microsoft.graph.user", "id": i.id, "userPrincipalName": upn, "userType": kind, "accountEnabled": n%17 != 16, "onPremisesSyncEnabled": nil}
	f.accounts = append(f.accounts, i.id)
	f.add(entra.PartUsers, "", "", user)
	var of []any
	join := func(g entra.ID) {
		of = append(of, map[string]any{"@odata.type": "#microsoft.graph.group", "id": g, "displayName": "Group " + string(g)})
		if !slices.ContainsFunc(f.groups, g.Equal) {
			f.groups = append(f.groups, g)
		}
	}
	for k, g := range i.groups {
		join(g)
		if (n+k)%2 == 0 {
			f.members[g.Key()] = append(f.members[g.Key()], user)
			continue
		}
		in := f.inner[g.Key()]
		if in == "" {
			in = f.id("inner group", len(f.inner))
			f.inner[g.Key()] = in
			f.members[g.Key()] = append(f.members[g.Key()], map[string]any{"@odata.type": "#microsoft.graph.group", "id": in, "displayName": "Inner"})
		}
		join(in)
		f.members[in.Key()] = append(f.members[in.Key()], user)
	}
	f.add(entra.PartAccounts, i.id, entra.RelationMemberships, of...)
	f.add(entra.PartAccounts, i.id, entra.RelationRequirements, map[string]any{"perUserMfaState": []string{"disabled", "disabled", "disabled", "disabled", "disabled", "disabled", "enforced"}[n%7]})
	f.add(entra.PartAccounts, i.id, entra.RelationMethods, f.kit(n, i.kit)...)
	assign := func(part entra.Part, role entra.ID, scope string) {
		f.add(part, "", "", map[string]any{"id": f.id(string(part)+string(i.id)+scope, len(f.answers)), "principalId": i.id, "roleDefinitionId": role, "directoryScopeId": scope})
	}
	f.add(entra.PartRoleAssignments, "", "")
	f.add(entra.PartRoleEligibility, "", "")
	for _, r := range i.roles {
		assign(entra.PartRoleAssignments, r, "/")
	}
	for k, r := range roles { // held in ways that do not count
		if r != "" && !slices.ContainsFunc(i.roles, r.Equal) && (n+k)%6 == 0 {
			if k%2 == 0 {
				assign(entra.PartRoleEligibility, r, "/")
			} else {
				assign(entra.PartRoleAssignments, r, "/administrativeUnits/"+string(f.id("unit", 1)))
			}
		}
	}
}

// cornerPolicies are what published sets hardly have: each for a group of its
// own, so that no other hides what it does.
func cornerPolicies() []entra.Source {
	type object = map[string]any
	var out []any
	add := func(name string, conditions, grant, session object) {
		c := object{"clientAppTypes": []any{"all"}, "applications": object{"includeApplications": []any{"All"}}, "users": object{"includeGroups": []any{"corner " + name}}}
		for k, v := range conditions {
			c[k] = v
		}
		out = append(out, object{"id": "corner policy " + name, "displayName": name, "state": "enabled", "conditions": c, "grantControls": grant, "sessionControls": session})
	}
	demand := func(operator string, controls ...any) object {
		return object{"operator": operator, "builtInControls": controls}
	}
	strength := func(id, combination string, bound object) object {
		bound["appliesToCombinations"] = []any{combination}
		return object{"operator": "OR", "builtInControls": []any{}, "authenticationStrength": object{"id": id, "displayName": id, "policyType": "custom",
			"allowedCombinations": []any{combination}, "combinationConfigurations": []any{bound}}}
	}
	keys := func(model string) object {
		return object{"@odata.type": "#microsoft.graph.fido2CombinationConfiguration", "id": "models", "allowedAAGUIDs": []any{model}}
	}
	issued := func(by string) object {
		return object{"@odata.type": "#microsoft.graph.x509CertificateCombinationConfiguration", "id": "issuers", "allowedIssuerSkis": []any{by}, "allowedPolicyOIDs": []any{}}
	}
	both := object{"users": object{"includeGroups": []any{"corner pair"}}}
	add("one model", nil, strength("s-yubi", "fido2", keys(yubikey5)), nil)
	add("first of two models", both, strength("s-yubi", "fido2", keys(yubikey5)), nil)
	add("second of two models", both, strength("s-epass", "fido2", keys(epassK9)), nil)
	add("first issuer", object{"users": object{"includeGroups": []any{"corner certificates"}}}, strength("s-aa", "x509CertificateMultiFactor", issued("aa11")), nil)
	add("second issuer", object{"users": object{"includeGroups": []any{"corner certificates"}}}, strength("s-bb", "x509CertificateMultiFactor", issued("bb22")), nil)
	add("one issuer", nil, strength("s-aa", "x509CertificateMultiFactor", issued("aa11")), nil)
	add("negative filter", object{"devices": object{"deviceFilter": object{"mode": "include", "rule": `device.model -ne "SAW"`}}}, demand("OR", "block"), nil)
	add("block among others", nil, demand("OR", "block", "mfa"), nil)
	add("both of two", nil, demand("AND", "mfa", "compliantDevice"), nil)
	add("insider", object{"insiderRiskLevels": "moderate,elevated"}, demand("OR", "block"), nil)
	add("every time", nil, nil, object{"signInFrequency": object{"isEnabled": true, "frequencyInterval": "everyTime", "authenticationType": "primaryAndSecondaryAuthentication"}})
	add("step up", object{"applications": object{"includeAuthenticationContextClassReferences": []any{"c1"}}}, demand("OR", "mfa"), nil)
	add("no resilience", nil, demand("OR", "mfa"), object{"disableResilienceDefaults": true})
	add("away", object{"locations": object{"includeLocations": []any{"All"}, "excludeLocations": []any{"AllTrusted"}}}, demand("OR", "block"), nil)
	add("device code", object{"authenticationFlows": object{"transferMethods": "deviceCodeFlow,authenticationTransfer"}}, demand("OR", "block"), nil)
	return []entra.Source{{Name: "corners.json", Data: mustJSON(out)}}
}

const (
	yubikey5 = "cb69481e-8ff7-4039-93ec-0a2729a154a8"
	epassK9  = "ee041bce-25e5-4cdb-8f86-897fd6418464"
)

// kit are the registered methods of a person.
func (f *furnisher) kit(n, kit int) []any {
	method := func(kind string, more ...any) map[string]any {
		o := map[string]any{"@odata.type": "#microsoft.graph." + kind + "AuthenticationMethod", "id": string(f.id(kind, n*10+len(more)))}
		for i := 0; i+1 < len(more); i += 2 {
			o[more[i].(string)] = more[i+1]
		}
		return o
	}
	password := method("password")
	key := method("fido2", "aaGuid", yubikey5, "passkeyType", "deviceBound")
	spare := method("fido2", "aaGuid", epassK9, "passkeyType", "deviceBound", "model", "ePass")
	once := method("temporaryAccessPass", "isUsableOnce", true, "isUsable", true)
	kits := [][]any{
		{password, key}, {password}, {password, method("softwareOath")}, {key, spare}, {password, method("microsoftAuthenticator")}, {password, key, spare},
		{method("temporaryAccessPass", "isUsableOnce", false, "isUsable", true)}, {password, method("windowsHelloForBusiness")}, {password, method("phone", "phoneType", "mobile")},
		{spare}, {password, method("hardwareOath")}, {once, password}, {password, method("external")}, {once}, {key},
	}
	if kit == 0 {
		kit = n % len(kits)
	}
	return kits[kit]
}

// locations that the policies name: by address, by country, the odd one unknown.
func (f *furnisher) locations() {
	seen, named := map[string]bool{}, map[string]int{}
	n := 0
	for i := range f.policies {
		if l := f.policies[i].Conditions.Locations; l != nil {
			for _, id := range slices.Concat(l.Include, l.Exclude) {
				named[id.Key()] += len(l.Include) + len(l.Exclude)
			}
		}
	}
	f.add(entra.PartLocations, "", "")
	trusted := map[string]any{"@odata.type": "#microsoft.graph.ipNamedLocation", "id": f.id("head office", 0), "displayName": "Head office", "isTrusted": true,
		"ipRanges": []any{map[string]any{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "198.51.100.0/24"}, map[string]any{"@odata.type": "#microsoft.graph.iPv6CidrRange", "cidrAddress": "2001:db8:1::/48"}}}
	f.add(entra.PartLocations, "", "", trusted)
	for i := range f.policies {
		l := f.policies[i].Conditions.Locations
		if l == nil {
			continue
		}
		for _, id := range slices.Concat(l.Include, l.Exclude) {
			k := id.Key()
			if seen[k] || k == "" || k == "all" || k == "alltrusted" || strings.HasPrefix(k, "00000000-0000-0000") || k == "3d46dbda-8382-466a-856d-eb00cbc6b910" {
				continue
			}
			seen[k] = true
			n++
			few := named[k] < 4 // what is not known of it concerns few policies
			if few && n%11 == 3 {
				continue // deleted
			}
			switch n % 7 {
			case 1, 4, 6:
				f.add(entra.PartLocations, "", "", map[string]any{"@odata.type": "#microsoft.graph.ipNamedLocation", "id": id, "displayName": fmt.Sprint("Site ", n), "isTrusted": n%2 == 0,
					"ipRanges": []any{map[string]any{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": fmt.Sprintf("10.%d.0.0/%d", n%250, 14+n%8)}}})
			default:
				lookup := "clientIpAddress"
				if few && n%11 == 5 {
					lookup = "authenticatorAppGps"
				}
				f.add(entra.PartLocations, "", "", map[string]any{"@odata.type": "#microsoft.graph.countryNamedLocation", "id": id, "displayName": fmt.Sprint("Countries ", n),
					"countriesAndRegions": []any{[]string{"NO", "SE", "DE", "CN", "BR"}[n%5], []string{"US", "FI"}[n%2]}, "includeUnknownCountriesAndRegions": n%3 == 0, "countryLookupMethod": lookup})
			}
		}
	}
}

// methods is the authentication methods policy.
func (f *furnisher) methods(groups []entra.ID) {
	everyone := []any{map[string]any{"targetType": "group", "id": "all_users", "isRegistrationRequired": false}}
	state := func() string { return []string{"enabled", "enabled", "enabled", "disabled"}[f.r.IntN(4)] }
	var out []any
	if len(groups) > 0 && f.r.IntN(2) == 0 && groups[0] != "" {
		out = []any{map[string]any{"targetType": "group", "id": groups[f.r.IntN(len(groups))]}}
	}
	migration := []string{"migrationComplete", "migrationComplete", "migrationInProgress"}[f.r.IntN(3)]
	restricted := f.r.IntN(3) == 0
	config := func(id, kind, state string, more ...any) map[string]any {
		o := map[string]any{"@odata.type": "#microsoft.graph." + kind + "AuthenticationMethodConfiguration", "id": id, "state": state, "includeTargets": everyone, "excludeTargets": out}
		for i := 0; i+1 < len(more); i += 2 {
			o[more[i].(string)] = more[i+1]
		}
		return o
	}
	f.add(entra.PartMethodsPolicy, "", "", map[string]any{"id": "authenticationMethodsPolicy", "policyMigrationState": migration, "authenticationMethodConfigurations": []any{
		config("Fido2", "fido2", "enabled", "keyRestrictions", map[string]any{"isEnforced": restricted, "enforcementType": "allow", "aaGuids": []any{yubikey5}}, "isAttestationEnforced", false),
		config("TemporaryAccessPass", "temporaryAccessPass", state()), config("SoftwareOath", "softwareOath", state()), config("HardwareOath", "hardwareOath", state()),
		config("Sms", "sms", state()), config("Voice", "voice", state()), config("MicrosoftAuthenticator", "microsoftAuthenticator", state()),
		config("X509Certificate", "x509Certificate", "enabled"), config("Email", "email", "enabled"), config("QRCodePin", "qrCodePin", "disabled")}})
}

func (f *furnisher) rest() {
	f.add(entra.PartSecurityDefaults, "", "", map[string]any{"id": "00000000-0000-0000-0000-000000000005", "isEnabled": false})
	f.add(entra.PartDomains, "", "", map[string]any{"id": "contoso.onmicrosoft.com", "authenticationType": "Managed", "isInitial": true, "isVerified": true})
	f.add(entra.PartAgreements, "", "")
	seen := map[string]bool{}
	for i := range f.policies {
		for n, id := range f.policies[i].Grant.TermsOfUse {
			if !seen[id.Key()] && id != "" {
				seen[id.Key()] = true
				f.add(entra.PartAgreements, "", "", map[string]any{"id": id, "displayName": "Terms", "isPerDeviceAcceptanceRequired": n%2 == 1})
			}
		}
	}
}
