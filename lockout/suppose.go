package lockout

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"halligan/entra"
	"halligan/lockout/facts"
)

// A supposition states what was not read. It is a pure function of the content
// of a Snapshot and its meaning is printed wherever the verdict is.
type supposition struct {
	name    string
	form    string // for help: member=GROUP[,GROUP…]
	help    string
	apply   func(c *entra.Content, account entra.ID, value string) (meaning string, err error)
	noValue bool
}

// suppositions is the table of what may be supposed.
var suppositions = []supposition{
	{"member", "member=GROUP[,GROUP…]", "the account is a member of these groups and of no other", supposeMember, false},
	{"role", "role=ROLE[,ROLE…]", "the account holds these roles, active and tenant-wide, and no other", supposeRole, false},
	{"key", "key=AAGUID[,AAGUID…]", "the account has these FIDO2 keys (AAGUID, or any for a model that nothing names)", supposeKey, false},
	{"method", "method=TYPE[,TYPE…]", "the account has these methods: password, hardwareOath, softwareOath, x509, temporaryAccessPass, …", supposeMethod, false},
	{"methods", "methods=default", "the authentication methods policy enables every method for everybody without restriction", supposeMethods, false},
	{"ordinary", "ordinary", "the account is an enabled, cloud-only member without per-user MFA; security defaults off; nothing protects the editing of policies", supposeOrdinary, true},
	{"licence", "licence=free|P1|P2", "the tenant holds this licence", supposeLicence, false},
	{"location", "location=ID:CIDR[+CIDR…][:trusted] or ID:COUNTRY[+COUNTRY…]", "a named location that was not read", supposeLocation, false},
	{"terms", "terms=per-user", "no terms of use must be accepted on each device", supposeTerms, false},
	{"baseline-scopes", "baseline-scopes=enforced|not-enforced", "policies for all resources cover requests for baseline scopes", supposeScopes, false},
	{"registration", "registration=out-of-scope", "no registration policy interrupts the account after a sign-in by pass", supposeRegistration, false},
	{"strength", "strength=ID:METHOD[+METHOD…]", "the combinations of an authentication strength that was not read (a combination joins modes with &)", supposeStrength, false},
}

// SuppositionForms lists what may be supposed, form and meaning, for help.
func SuppositionForms() [][2]string {
	var out [][2]string
	for _, s := range suppositions {
		out = append(out, [2]string{s.form, s.help})
	}
	return out
}

// SupposeError says what is wrong with a supposition.
type SupposeError struct {
	Expression, Problem, hint string
	// Word is what was written where one of Near was probably meant; both may be
	// empty.
	Word string
	Near []string
}

func (e *SupposeError) Error() string { return fmt.Sprintf("suppose %q: %s", e.Expression, e.Problem) }

// Hint returns what to write instead.
func (e *SupposeError) Hint() string { return e.hint }

// Suppose returns the Snapshot with the stated facts about one account filled
// in. What was read is never overwritten: a supposition that contradicts the
// Snapshot is an error.
func Suppose(s *entra.Snapshot, account entra.ID, expressions []string) (*entra.Snapshot, error) {
	if len(expressions) == 0 {
		return s, nil
	}
	c := copyContent(s.View())
	for _, raw := range expressions {
		expr := strings.TrimSpace(raw)
		name, value, has := strings.Cut(expr, "=")
		i := slices.IndexFunc(suppositions, func(x supposition) bool { return strings.EqualFold(x.name, strings.TrimSpace(name)) })
		if i < 0 {
			var forms []string
			for _, x := range suppositions {
				forms = append(forms, x.form)
			}
			return nil, &SupposeError{raw, "is nothing that can be supposed", "one of: " + strings.Join(forms, "; "), "", nil}
		}
		sup := &suppositions[i]
		if sup.noValue == has || !sup.noValue && strings.TrimSpace(value) == "" {
			return nil, &SupposeError{raw, "is not of the form " + sup.form, sup.help, "", nil}
		}
		meaning, err := sup.apply(c, account, strings.TrimSpace(value))
		if known, is := errors.AsType[*SupposeError](err); is {
			known.Expression = raw
			return nil, known
		}
		if err != nil {
			return nil, &SupposeError{raw, err.Error(), "write " + sup.form, "", nil}
		}
		c.Supposed = append(c.Supposed, entra.Supposition{Expression: expr, Meaning: meaning})
	}
	return entra.NewSnapshot(*c), nil
}

// copyContent copies what suppositions change.
func copyContent(v *entra.Content) *entra.Content {
	c := *v
	c.Parts = maps.Clone(v.Parts)
	if c.Parts == nil {
		c.Parts = map[entra.Part]entra.PartState{}
	}
	c.Accounts = slices.Clone(v.Accounts)
	for i := range c.Accounts {
		c.Accounts[i].Memberships = slices.Clone(c.Accounts[i].Memberships)
		c.Accounts[i].Methods = slices.Clone(c.Accounts[i].Methods)
	}
	c.Users = slices.Clone(v.Users)
	c.RoleAssignments = slices.Clone(v.RoleAssignments)
	c.Locations = slices.Clone(v.Locations)
	c.Strengths = slices.Clone(v.Strengths)
	c.ServicePlans = slices.Clone(v.ServicePlans)
	c.Supposed = slices.Clone(v.Supposed)
	return &c
}

func accountOf(c *entra.Content, id entra.ID) *entra.Account {
	for i := range c.Accounts {
		if c.Accounts[i].ID.Equal(id) {
			return &c.Accounts[i]
		}
	}
	c.Accounts = append(c.Accounts, entra.Account{ID: id})
	return &c.Accounts[len(c.Accounts)-1]
}

func userOf(c *entra.Content, id entra.ID) *entra.User {
	for i := range c.Users {
		if c.Users[i].ID.Equal(id) {
			return &c.Users[i]
		}
	}
	c.Users = append(c.Users, entra.User{ID: id})
	return &c.Users[len(c.Users)-1]
}

func split(value string) []string {
	var out []string
	for _, v := range strings.Split(value, ",") {
		if v = strings.TrimSpace(v); v != "" {
			out = append(out, v)
		}
	}
	return out
}

// supposedDetail marks a part that a person stated.
const supposedDetail = "supposed"

func setPart(c *entra.Content, part entra.Part) {
	if c.Parts[part].Status != entra.StatusRead {
		c.Parts[part] = entra.PartState{Status: entra.StatusRead, Detail: supposedDetail}
	}
}

func supposeMember(c *entra.Content, id entra.ID, value string) (string, error) {
	a := accountOf(c, id)
	if a.MembersRead && !supposedAlready(c, "member") {
		return "", fmt.Errorf("the account's groups were read; leave the supposition out, what was read counts")
	}
	var strange []entra.ID
	for _, g := range split(value) {
		if strings.EqualFold(g, "none") {
			continue
		}
		group, known, err := groupMeant(c, g)
		if err != nil {
			return "", err
		}
		if !known {
			strange = append(strange, group)
		}
		if !slices.ContainsFunc(a.Memberships, group.Equal) {
			a.Memberships = append(a.Memberships, group)
		}
	}
	a.MembersRead = true
	if len(a.Memberships) == 0 {
		return "the account is a member of no group", nil
	}
	meaning := "the account is a member of " + strings.Join(groupLabels(c, a.Memberships), ", ") + " and of no other group"
	if len(strange) > 0 {
		meaning += "; beware: no policy or group list that was read names " + joinIDs(strange)
	}
	return meaning, nil
}

// groupMeant finds the group that a person means by an id or display name, and
// whether anything that was read names it. A name that fits no group or several
// is an error: a guess would prove something about another group.
func groupMeant(c *entra.Content, ref string) (id entra.ID, known bool, err error) {
	named := namedGroups(c)
	if slices.ContainsFunc(named, entra.ID(ref).Equal) {
		return entra.ID(ref), true, nil
	}
	var fits []entra.ID
	near := []string{}
	for i := range c.Groups {
		g := &c.Groups[i]
		if strings.EqualFold(strings.TrimSpace(g.DisplayName), ref) {
			fits = append(fits, g.ID)
		}
		if g.DisplayName != "" {
			near = append(near, g.DisplayName)
		}
	}
	switch {
	case len(fits) == 1:
		return fits[0], true, nil
	case len(fits) > 1:
		return "", false, &SupposeError{Problem: fmt.Sprintf("%d groups are called %q", len(fits), ref), hint: "give the object id: " + strings.Join(texts(fits), " or ")}
	case entra.ID(ref).IsGUID():
		return entra.ID(ref), false, nil
	}
	return "", false, &SupposeError{Problem: fmt.Sprintf("no group %q in what was read", ref), Word: ref, Near: append(near, texts(named)...),
		hint: "give the object id of the group"}
}

// namedGroups are the ids under which policies, group lists, memberships and
// roles name groups.
func namedGroups(c *entra.Content) []entra.ID {
	var out []entra.ID
	for i := range c.Groups {
		out = append(append(out, c.Groups[i].ID), c.Groups[i].Members...)
	}
	for i := range c.Policies {
		u := &c.Policies[i].Conditions.Users
		out = append(append(out, u.IncludeGroups...), u.ExcludeGroups...)
	}
	for i := range c.Accounts {
		out = append(out, c.Accounts[i].Memberships...)
	}
	for i := range c.RoleAssignments {
		out = append(out, c.RoleAssignments[i].Principal)
	}
	if m := c.MethodsPolicy; m != nil {
		for i := range m.Methods {
			for _, t := range slices.Concat(m.Methods[i].Include, m.Methods[i].Exclude) {
				out = append(out, t.ID)
			}
		}
	}
	return out
}

// groupLabels names groups by id and, where it was read, display name.
func groupLabels(c *entra.Content, ids []entra.ID) []string {
	out := texts(ids)
	for i := range out {
		at := slices.IndexFunc(c.Groups, func(g entra.Group) bool { return g.ID.Equal(ids[i]) })
		if at >= 0 && c.Groups[at].DisplayName != "" {
			out[i] = fmt.Sprintf("%q (%s)", c.Groups[at].DisplayName, ids[i])
		}
	}
	return out
}

func texts(ids []entra.ID) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = string(id)
	}
	return out
}

func supposedAlready(c *entra.Content, name string) bool {
	return slices.ContainsFunc(c.Supposed, func(s entra.Supposition) bool {
		return strings.HasPrefix(strings.ToLower(s.Expression), name+"=")
	})
}

func joinIDs[T ~string](ids []T) string {
	var out []string
	for _, id := range ids {
		out = append(out, string(id))
	}
	return strings.Join(out, ", ")
}

// roleAliases are the names people use for roles on the command line.
var roleAliases = map[string]entra.ID{
	"ga": "62e90394-69f5-4237-9190-012177145e10", "globaladministrator": "62e90394-69f5-4237-9190-012177145e10",
	"conditionalaccessadministrator": "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9", "securityadministrator": "194ae4cb-b126-40b2-bd5b-6091b380977d",
}

func supposeRole(c *entra.Content, id entra.ID, value string) (string, error) {
	if s := c.Parts[entra.PartRoleAssignments]; s.Status == entra.StatusRead && s.Detail != supposedDetail {
		return "", fmt.Errorf("the role assignments were read; leave the supposition out, what was read counts")
	}
	var names []string
	for _, r := range split(value) {
		if strings.EqualFold(r, "none") {
			continue
		}
		role, ok := roleAliases[strings.ToLower(strings.ReplaceAll(r, " ", ""))]
		if !ok {
			if role = entra.ID(r); !role.IsGUID() {
				return "", fmt.Errorf("%q is neither a known role name nor a template id", r)
			}
		}
		c.RoleAssignments = append(c.RoleAssignments, entra.RoleAssignment{Principal: id, Role: role, Scope: "/", Assignment: entra.AssignmentActive})
		names = append(names, fmt.Sprintf("%s (%s)", facts.RoleName(role), role))
	}
	setPart(c, entra.PartRoleAssignments)
	setPart(c, entra.PartRoleEligibility)
	setPart(c, entra.PartRolePolicies)
	if len(names) == 0 {
		return "the account holds no role", nil
	}
	return "the account holds " + strings.Join(names, ", ") + ", active and tenant-wide, and no other role", nil
}

func supposeKey(c *entra.Content, id entra.ID, value string) (string, error) {
	a := accountOf(c, id)
	if a.MethodsRead && !supposedAlready(c, "key") && !supposedAlready(c, "method") {
		return "", fmt.Errorf("the account's methods were read; leave the supposition out, what was read counts")
	}
	for _, k := range split(value) {
		if strings.EqualFold(k, "any") {
			k = "00000000-0000-0000-0000-000000000000"
		}
		if !entra.ID(k).IsGUID() {
			return "", fmt.Errorf("%q is no AAGUID", k)
		}
		a.Methods = append(a.Methods, entra.AuthMethod{ID: entra.ID(fmt.Sprintf("supposed key %d", len(a.Methods)+1)), Type: entra.MethodFIDO2, AAGUID: strings.ToLower(k), PasskeyType: "deviceBound"})
	}
	a.MethodsRead = true
	keys := "one device-bound FIDO2 key"
	if n := countMethods(a, entra.MethodFIDO2); n > 1 {
		keys = fmt.Sprintf("%d device-bound FIDO2 keys", n)
	}
	return fmt.Sprintf("the account has %s in all (AAGUID %s) and no method beyond those supposed", keys, strings.Join(split(value), ", ")), nil
}

func countMethods(a *entra.Account, t entra.MethodType) int {
	n := 0
	for i := range a.Methods {
		if a.Methods[i].Type == t {
			n++
		}
	}
	return n
}

func supposeMethod(c *entra.Content, id entra.ID, value string) (string, error) {
	a := accountOf(c, id)
	if a.MethodsRead && !supposedAlready(c, "key") && !supposedAlready(c, "method") {
		return "", fmt.Errorf("the account's methods were read; leave the supposition out, what was read counts")
	}
	known := []entra.MethodType{entra.MethodPassword, entra.MethodTAP, entra.MethodHardwareOath, entra.MethodSoftwareOath, entra.MethodX509, entra.MethodSMS,
		entra.MethodVoice, entra.MethodAuthenticatorPush, entra.MethodPhoneSignIn, entra.MethodWindowsHello, entra.MethodExternal}
	for _, m := range split(value) {
		i := slices.IndexFunc(known, func(t entra.MethodType) bool { return strings.EqualFold(string(t), m) })
		if i < 0 {
			return "", fmt.Errorf("%q is no method (known: %s)", m, joinIDs(known))
		}
		a.Methods = append(a.Methods, entra.AuthMethod{ID: entra.ID("supposed " + string(known[i])), Type: known[i], MultiFactor: known[i] == entra.MethodX509})
	}
	a.MethodsRead = true
	return "the account has " + strings.Join(split(value), ", ") + " and no method beyond those supposed", nil
}

func supposeMethods(c *entra.Content, _ entra.ID, value string) (string, error) {
	if !strings.EqualFold(value, "default") {
		return "", fmt.Errorf("only \"default\" can be supposed of the methods policy")
	}
	if c.MethodsPolicy != nil {
		return "", fmt.Errorf("the methods policy was read; leave the supposition out, what was read counts")
	}
	mp := &entra.MethodsPolicy{MigrationState: "migrationComplete"}
	for _, id := range slices.Sorted(maps.Values(methodPolicyIDs)) {
		if mp.Method(id) == nil {
			mp.Methods = append(mp.Methods, entra.MethodConfiguration{ID: id, State: "enabled", Include: []entra.MethodTarget{{TargetType: "group", ID: "all_users"}}})
		}
	}
	c.MethodsPolicy = mp
	setPart(c, entra.PartMethodsPolicy)
	return "the authentication methods policy enables every method for everybody, without key restrictions, and runs no registration campaign", nil
}

func supposeOrdinary(c *entra.Content, id entra.ID, _ string) (string, error) {
	u := userOf(c, id)
	on, off := true, false
	if u.UserType == "" {
		u.UserType = "Member"
	}
	if u.Enabled == nil {
		u.Enabled = &on
	}
	if u.OnPremisesSync == nil {
		u.OnPremisesSync = &off
	}
	a := accountOf(c, id)
	if a.PerUserMFA == "" {
		a.PerUserMFA = "disabled"
	}
	if c.SecurityDefaults == nil {
		c.SecurityDefaults = &off
		setPart(c, entra.PartSecurityDefaults)
	}
	setPart(c, entra.PartDomains)
	setPart(c, entra.PartProtectedActions)
	return "where it was not read: the account is an enabled, cloud-only member of a managed domain without per-user MFA; security defaults are off; no protected action guards the editing of policies", nil
}

func supposeLicence(c *entra.Content, _ entra.ID, value string) (string, error) {
	plans := map[string][]entra.ServicePlan{"free": nil, "p1": {"AAD_PREMIUM"}, "p2": {"AAD_PREMIUM", "AAD_PREMIUM_P2"}}
	add, ok := plans[strings.ToLower(value)]
	if !ok {
		return "", fmt.Errorf("%q is no licence", value)
	}
	if s := c.Parts[entra.PartLicences]; s.Status == entra.StatusRead && s.Detail != supposedDetail {
		return "", fmt.Errorf("the licences were read; leave the supposition out, what was read counts")
	}
	c.ServicePlans = append(c.ServicePlans, add...)
	setPart(c, entra.PartLicences)
	return "the tenant holds Entra ID " + value, nil
}

func supposeLocation(c *entra.Content, _ entra.ID, value string) (string, error) {
	trusted := false
	if rest, ok := strings.CutSuffix(value, ":trusted"); ok {
		value, trusted = rest, true
	}
	id, spec, ok := strings.Cut(value, ":")
	if !ok || id == "" || spec == "" {
		return "", fmt.Errorf("a location needs an id and what it holds")
	}
	for i := range c.Locations {
		if c.Locations[i].ID.Equal(entra.ID(id)) {
			return "", fmt.Errorf("location %s was read; a supposition may not overrule it", id)
		}
	}
	l := entra.NamedLocation{ID: entra.ID(id), DisplayName: id, Trusted: trusted}
	for _, x := range strings.Split(spec, "+") {
		if pre, err := netip.ParsePrefix(x); err == nil {
			l.Kind = entra.LocationIP
			l.Ranges = append(l.Ranges, entra.IPRange{First: pre.Masked().Addr(), Last: lastAddr(pre)})
		} else if len(x) == 2 {
			l.Kind = entra.LocationCountry
			l.Countries = append(l.Countries, strings.ToUpper(x))
		} else {
			return "", fmt.Errorf("%q is neither a CIDR range nor a country code", x)
		}
	}
	if len(l.Ranges) > 0 && len(l.Countries) > 0 {
		return "", fmt.Errorf("a location holds addresses or countries, not both")
	}
	c.Locations = append(c.Locations, l)
	kind := "not trusted"
	if trusted {
		kind = "trusted"
	}
	return fmt.Sprintf("named location %s holds %s and is %s", id, strings.ReplaceAll(spec, "+", ", "), kind), nil
}

// lastAddr is the last address of a prefix.
func lastAddr(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 1 << uint(7-i%8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

func supposeTerms(c *entra.Content, _ entra.ID, value string) (string, error) {
	if !strings.EqualFold(value, "per-user") {
		return "", fmt.Errorf("only \"per-user\" can be supposed of terms of use")
	}
	setPart(c, entra.PartAgreements)
	return "no terms of use must be accepted on each device", nil
}

func supposeScopes(c *entra.Content, _ entra.ID, value string) (string, error) {
	b := strings.EqualFold(value, "enforced")
	if !b && !strings.EqualFold(value, "not-enforced") {
		return "", fmt.Errorf("it is \"enforced\" or \"not-enforced\"")
	}
	c.LowPrivilegeScopes = &b
	return "policies for all resources are " + strings.ToLower(value) + " on requests for baseline scopes", nil
}

func supposeRegistration(c *entra.Content, _ entra.ID, value string) (string, error) {
	if !strings.EqualFold(value, "out-of-scope") {
		return "", fmt.Errorf("only \"out-of-scope\" can be supposed of registration policies")
	}
	c.RegistrationRuledOut = true
	return "the account is outside the scope of SSPR registration and of the ID Protection registration policy", nil
}

func supposeStrength(c *entra.Content, _ entra.ID, value string) (string, error) {
	id, spec, ok := strings.Cut(value, ":")
	if !ok || id == "" || spec == "" {
		return "", fmt.Errorf("a strength needs an id and its combinations")
	}
	s := entra.AuthStrength{ID: entra.ID(id), DisplayName: id, PolicyType: "custom", ConfigurationsRead: true}
	for _, comb := range strings.Split(spec, "+") {
		var out entra.Combination
		for _, m := range strings.Split(comb, "&") {
			out = append(out, entra.CombinationMode(strings.TrimSpace(m)))
		}
		s.Combinations = append(s.Combinations, out)
	}
	c.Strengths = append(c.Strengths, s)
	return fmt.Sprintf("authentication strength %s admits %s, without limits on key models or issuers", id, spec), nil
}
