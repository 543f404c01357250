package entra

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// SnapshotSchema names the form of a Snapshot's JSON (docs/snapshot.md).
const SnapshotSchema = "halligan-snapshot/1"

// kindRaw marks a node whose text is canonical JSON already.
const kindRaw jsontext.Kind = 'r'

// object builds a JSON object; what is empty is left out.
type object []pair

func (o *object) set(key string, v node) { *o = append(*o, pair{key: key, val: v}) }

func (o *object) text(key, s string) {
	if s != "" {
		o.set(key, textNode(s))
	}
}

func (o *object) raw(key string, raw json.RawMessage) {
	if len(raw) > 0 {
		o.set(key, node{kind: kindRaw, text: string(raw)})
	}
}

func (o *object) number(key string, n int) {
	if n != 0 {
		o.set(key, node{kind: '0', text: strconv.Itoa(n)})
	}
}

// yes writes a boolean that is true.
func (o *object) yes(key string, b bool) {
	if b {
		o.set(key, boolNode(true))
	}
}

// flag writes a boolean that is known.
func (o *object) flag(key string, b *bool) {
	if b != nil {
		o.set(key, boolNode(*b))
	}
}

func (o *object) time(key string, t *time.Time) {
	if t != nil && !t.IsZero() {
		o.set(key, textNode(t.UTC().Format(time.RFC3339Nano)))
	}
}

func (o object) node() node { return node{kind: '{', pairs: o} }

func textNode(s string) node { return node{kind: '"', text: s} }

func boolNode(b bool) node {
	if b {
		return node{kind: 't'}
	}
	return node{kind: 'f'}
}

// listNode builds a list; setList leaves out an empty one.
func listNode[T any](list []T, item func(*T) node) node {
	n := node{kind: '['}
	for i := range list {
		n.items = append(n.items, item(&list[i]))
	}
	return n
}

func setList[T any](o *object, key string, list []T, item func(*T) node) {
	if len(list) > 0 {
		o.set(key, listNode(list, item))
	}
}

func texts[S ~string](o *object, key string, list []S) {
	setList(o, key, list, func(s *S) node { return textNode(string(*s)) })
}

// snapshotNode builds the JSON of a whole content.
func snapshotNode(c *Content) node {
	var o object
	o.text("schema", SnapshotSchema)
	o.text("tenantId", string(c.TenantID))
	o.text("cloud", c.Cloud)
	o.time("taken", &c.Taken)
	var parts object
	for _, p := range slices.Sorted(maps.Keys(c.Parts)) {
		var st object
		st.text("status", string(c.Parts[p].Status))
		st.text("detail", c.Parts[p].Detail)
		parts.set(string(p), st.node())
	}
	o.set("parts", parts.node())

	o.set(string(PartPolicies), listNode(c.Policies, policyNode))
	o.set(string(PartLocations), listNode(c.Locations, func(l *NamedLocation) node {
		return rawNode(l.ID, "", l.Origin, l.Raw, l.Unmodelled, nil)
	}))
	o.set(string(PartStrengths), listNode(c.Strengths, func(s *AuthStrength) node {
		return rawNode(s.ID, "", s.Origin, s.Raw, s.Unmodelled, nil)
	}))
	o.set(string(PartContexts), listNode(c.Contexts, contextNode))
	if m := c.MethodsPolicy; m != nil {
		o.set(string(PartMethodsPolicy), rawNode("", "", m.Origin, m.Raw, m.Unmodelled, nil))
	}
	o.flag(string(PartSecurityDefaults), c.SecurityDefaults)
	o.flag("ssprAllowed", c.SSPRAllowed)
	o.set(string(PartUsers), listNode(c.Users, userNode))
	o.set(string(PartGroups), listNode(c.Groups, groupNode))
	o.set(string(PartAccounts), listNode(c.Accounts, accountNode))
	o.set(string(PartRoleAssignments), listNode(c.RoleAssignments, assignmentNode))
	o.set(string(PartRolePolicies), listNode(c.RolePolicies, rolePolicyNode))
	o.set(string(PartProtectedActions), listNode(c.ProtectedActions, actionNode))
	o.set(string(PartAgreements), listNode(c.Agreements, agreementNode))
	o.set(string(PartApplications), listNode(c.Applications, applicationNode))
	o.set(string(PartDomains), listNode(c.Domains, domainNode))
	o.set("servicePlans", listNode(c.ServicePlans, func(p *ServicePlan) node { return textNode(string(*p)) }))
	if c.LegacyMethods != nil {
		o.set("legacyMethods", listNode(c.LegacyMethods, func(m *MethodType) node { return textNode(string(*m)) }))
	}
	o.flag("lowPrivilegeScopes", c.LowPrivilegeScopes)
	if c.RegistrationRuledOut {
		o.flag("registrationRuledOut", &c.RegistrationRuledOut)
	}
	if c.CampaignForced != nil {
		o.set("campaignForced", campaignNode(c.CampaignForced))
	}
	setList(&o, "objects", c.Objects, objectNode)
	setList(&o, "readings", c.Readings, readingNode)
	setList(&o, "supposed", c.Supposed, func(s *Supposition) node {
		var o object
		o.text("expression", s.Expression)
		o.text("meaning", s.Meaning)
		return o.node()
	})
	setList(&o, "troubles", c.Troubles, troubleNode)
	setList(&o, "notes", c.Notes, troubleNode)
	return o.node()
}

func policyNode(p *Policy) node {
	return rawNode(p.ID, p.DisplayName, p.Origin, p.Raw, p.Unmodelled, p.Foreign)
}

func rawNode(id ID, name string, at Origin, raw json.RawMessage, unmodelled []Unmodelled, foreign []string) node {
	var o object
	o.text("id", string(id))
	o.text("displayName", name)
	o.text("file", at.File)
	o.number("line", at.Line)
	o.text("path", at.Path)
	o.raw("raw", raw)
	setList(&o, "unmodelled", unmodelled, unmodelledNode)
	texts(&o, "foreign", foreign)
	return o.node()
}

// areaNames are the names of the areas in the JSON.
var areaNames = []string{AreaOther: "other", AreaUsers: "users", AreaTarget: "target", AreaConditions: "conditions",
	AreaGrant: "grant", AreaSession: "session"}

func unmodelledNode(u *Unmodelled) node {
	var o object
	o.text("area", areaNames[u.Area])
	o.text("path", u.Path)
	o.text("kind", u.Kind)
	o.text("value", u.Value)
	return o.node()
}

func troubleNode(t *Trouble) node {
	var o object
	o.text("file", t.File)
	o.number("line", t.Line)
	o.number("column", t.Column)
	o.text("what", t.What)
	return o.node()
}

func contextNode(c *AuthContext) node {
	var o object
	o.text("id", c.ID)
	o.text("displayName", c.DisplayName)
	o.yes("available", c.Available)
	return o.node()
}

func userNode(u *User) node {
	var o object
	o.text("id", string(u.ID))
	o.text("userPrincipalName", u.UserPrincipalName)
	o.text("displayName", u.DisplayName)
	o.text("userType", u.UserType)
	o.flag("enabled", u.Enabled)
	o.flag("onPremisesSync", u.OnPremisesSync)
	o.text("passwordPolicies", u.PasswordPolicies)
	o.yes("deleted", u.Deleted)
	setList(&o, "unmodelled", u.Unmodelled, unmodelledNode)
	return o.node()
}

func groupNode(g *Group) node {
	var o object
	o.text("id", string(g.ID))
	o.text("displayName", g.DisplayName)
	o.flag("roleAssignable", g.RoleAssignable)
	o.yes("dynamic", g.Dynamic)
	texts(&o, "members", g.Members)
	o.yes("membersRead", g.MembersRead)
	return o.node()
}

func accountNode(a *Account) node {
	var o object
	o.text("id", string(a.ID))
	texts(&o, "memberships", a.Memberships)
	o.yes("membershipsRead", a.MembersRead)
	setList(&o, "methods", a.Methods, wholeMethodNode)
	o.yes("methodsRead", a.MethodsRead)
	o.text("perUserMfa", a.PerUserMFA)
	return o.node()
}

// wholeMethodNode adds what only checks ask of a method.
func wholeMethodNode(m *AuthMethod) node {
	n := methodNode(m)
	if m.Raw != nil {
		o := object(n.pairs)
		o.raw("raw", m.Raw)
		n = o.node()
	}
	return n
}

func methodNode(m *AuthMethod) node {
	var o object
	o.text("id", string(m.ID))
	o.text("type", string(m.Type))
	o.text("displayName", m.DisplayName)
	o.text("aaGuid", m.AAGUID)
	o.text("passkeyType", m.PasskeyType)
	o.yes("isUsableOnce", m.UsableOnce)
	o.text("issuerSki", m.IssuerSKI)
	texts(&o, "policyOids", m.PolicyOIDs)
	if m.Type == MethodX509 {
		o.text("protection", map[bool]string{false: "singleFactor", true: "multiFactor"}[m.MultiFactor])
	}
	o.time("created", m.Created)
	return o.node()
}

func assignmentNode(a *RoleAssignment) node {
	var o object
	o.text("principal", string(a.Principal))
	o.text("role", string(a.Role))
	o.text("scope", a.Scope)
	o.text("assignment", string(a.Assignment))
	o.time("end", a.End)
	o.yes("activated", a.Activated)
	return o.node()
}

func rolePolicyNode(p *RolePolicy) node {
	var o object
	o.text("role", string(p.Role))
	o.yes("approvalRequired", p.ApprovalRequired)
	texts(&o, "approvers", p.Approvers)
	o.yes("mfaRequired", p.MFARequired)
	o.text("authContext", p.AuthContext)
	return o.node()
}

func actionNode(a *ProtectedAction) node {
	var o object
	o.text("action", a.Action)
	o.text("context", a.Context)
	return o.node()
}

func agreementNode(a *Agreement) node {
	var o object
	o.text("id", string(a.ID))
	o.text("displayName", a.DisplayName)
	o.yes("perDevice", a.PerDevice)
	return o.node()
}

func applicationNode(s *ServicePrincipal) node {
	var o, attributes object
	o.text("appId", string(s.AppID))
	o.text("displayName", s.DisplayName)
	for _, name := range slices.Sorted(maps.Keys(s.Attributes)) {
		attributes.set(name, listNode(s.Attributes[name], func(v *string) node { return textNode(*v) }))
	}
	if len(attributes) > 0 {
		o.set("attributes", attributes.node())
	}
	o.yes("attributesRead", s.AttributesRead)
	return o.node()
}

func domainNode(d *Domain) node {
	var o object
	o.text("name", d.Name)
	o.yes("initial", d.Initial)
	o.text("authentication", d.Authentication)
	o.text("idpMfa", d.IdpMFA)
	return o.node()
}

func campaignNode(c *RegistrationCampaign) node {
	var o object
	o.text("state", c.State)
	o.number("snoozeDays", c.SnoozeDays)
	o.flag("enforce", c.Enforce)
	setList(&o, "include", c.Include, campaignTargetNode)
	setList(&o, "exclude", c.Exclude, campaignTargetNode)
	return o.node()
}

func campaignTargetNode(t *MethodTarget) node {
	var o object
	o.text("targetType", t.TargetType)
	o.text("id", string(t.ID))
	texts(&o, "profiles", t.Profiles)
	o.text("method", t.Method)
	return o.node()
}
