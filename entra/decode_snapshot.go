package entra

import (
	"maps"
	"slices"
	"time"
)

// The keys of a Snapshot's JSON (docs/snapshot.md). Reading takes back exactly
// what encode.go writes.

var snapshotKeys = table(map[string]func(*walk, *Content, *node){
	"schema":   harmless[Content],
	"tenantId": func(w *walk, c *Content, v *node) { c.TenantID = w.id(v) },
	"cloud":    func(w *walk, c *Content, v *node) { c.Cloud = w.text(v) },
	"taken": func(w *walk, c *Content, v *node) {
		if t := w.time(v); t != nil {
			c.Taken = *t
		}
	},
	"parts": readParts,
	string(PartPolicies): func(w *walk, c *Content, v *node) {
		w.list(v, func(e *node) { c.Policies = append(c.Policies, readPolicyEntry(w, e)) })
	},
	string(PartLocations): func(w *walk, c *Content, v *node) {
		w.list(v, func(e *node) {
			x := entryOf(w, e)
			l, _ := decodeLocation(w.doc, x.raw, x.at)
			l.ID, l.Unmodelled = x.id, union(l.Unmodelled, x.unmodelled)
			c.Locations = append(c.Locations, l)
		})
	},
	string(PartStrengths): func(w *walk, c *Content, v *node) {
		w.list(v, func(e *node) {
			x := entryOf(w, e)
			s, _ := decodeStrength(w.doc, x.raw, x.at)
			s.ID, s.Unmodelled = x.id, union(s.Unmodelled, x.unmodelled)
			c.Strengths = append(c.Strengths, s)
		})
	},
	string(PartContexts): listKey(func(c *Content) *[]AuthContext { return &c.Contexts }, contextKeys),
	string(PartMethodsPolicy): func(w *walk, c *Content, v *node) {
		x := entryOf(w, v)
		m, _ := decodeMethodsPolicy(w.doc, x.raw, x.at)
		m.Unmodelled = union(m.Unmodelled, x.unmodelled)
		c.MethodsPolicy = &m
	},
	string(PartSecurityDefaults): func(w *walk, c *Content, v *node) { c.SecurityDefaults = w.flag(v) },
	"ssprAllowed":                func(w *walk, c *Content, v *node) { c.SSPRAllowed = w.flag(v) },
	string(PartUsers):            listKey(func(c *Content) *[]User { return &c.Users }, userEntryKeys),
	string(PartGroups):           listKey(func(c *Content) *[]Group { return &c.Groups }, groupEntryKeys),
	string(PartAccounts):         listKey(func(c *Content) *[]Account { return &c.Accounts }, accountEntryKeys),
	string(PartRoleAssignments):  listKey(func(c *Content) *[]RoleAssignment { return &c.RoleAssignments }, assignmentEntryKeys),
	string(PartRolePolicies):     listKey(func(c *Content) *[]RolePolicy { return &c.RolePolicies }, rolePolicyEntryKeys),
	string(PartProtectedActions): listKey(func(c *Content) *[]ProtectedAction { return &c.ProtectedActions }, actionEntryKeys),
	string(PartAgreements):       listKey(func(c *Content) *[]Agreement { return &c.Agreements }, agreementEntryKeys),
	string(PartApplications):     listKey(func(c *Content) *[]ServicePrincipal { return &c.Applications }, applicationEntryKeys),
	string(PartDomains):          listKey(func(c *Content) *[]Domain { return &c.Domains }, domainEntryKeys),
	"servicePlans": func(w *walk, c *Content, v *node) {
		w.strings(v, func(s string) { c.ServicePlans = append(c.ServicePlans, ServicePlan(s)) })
	},
	"legacyMethods": func(w *walk, c *Content, v *node) {
		c.LegacyMethods = append([]MethodType{}, members[MethodType](w, v, methodWords)...)
	},
	"lowPrivilegeScopes": func(w *walk, c *Content, v *node) { c.LowPrivilegeScopes = w.flag(v) },
	"registrationRuledOut": func(w *walk, c *Content, v *node) {
		b := w.flag(v)
		c.RegistrationRuledOut = b != nil && *b
	},
	"campaignForced": func(w *walk, c *Content, v *node) {
		c.CampaignForced = &RegistrationCampaign{}
		campaignEntryKeys.read(w, c.CampaignForced, v)
	},
	"objects":  listKey(func(c *Content) *[]Object { return &c.Objects }, objectKeys),
	"readings": listKey(func(c *Content) *[]Reading { return &c.Readings }, readingKeys),
	"supposed": listKey(func(c *Content) *[]Supposition { return &c.Supposed }, suppositionKeys),
	"troubles": listKey(func(c *Content) *[]Trouble { return &c.Troubles }, troubleKeys),
	"notes":    listKey(func(c *Content) *[]Trouble { return &c.Notes }, troubleKeys),
})

// listKey reads a list of small objects.
func listKey[T any](to func(*Content) *[]T, k keys[T]) func(*walk, *Content, *node) {
	return func(w *walk, c *Content, v *node) {
		into := to(c)
		w.list(v, func(e *node) {
			var x T
			k.read(w, &x, e)
			*into = append(*into, x)
		})
	}
}

var statusWords = words(string(StatusNotAsked), string(StatusRead), string(StatusDenied), string(StatusCutShort))

var partKeys = table(map[string]func(*walk, *PartState, *node){
	"status": func(w *walk, s *PartState, v *node) { s.Status = member[Status](w, v, statusWords) },
	"detail": func(w *walk, s *PartState, v *node) { s.Detail = w.text(v) },
})

func readParts(w *walk, c *Content, v *node) {
	c.Parts = make(map[Part]PartState, len(v.pairs))
	for i := range v.pairs {
		var st PartState
		partKeys.read(w, &st, &v.pairs[i].val)
		c.Parts[Part(v.pairs[i].key)] = st
	}
}

// entry is an object that travels as the JSON it came in.
type entry struct {
	id         ID
	name       string
	at         Origin
	raw        *node
	unmodelled []Unmodelled
	foreign    []string
}

var entryKeys = table(map[string]func(*walk, *entry, *node){
	"id":          func(w *walk, e *entry, v *node) { e.id = w.id(v) },
	"displayName": func(w *walk, e *entry, v *node) { e.name = w.text(v) },
	"file":        func(w *walk, e *entry, v *node) { e.at.File = w.text(v) },
	"line":        func(w *walk, e *entry, v *node) { e.at.Line = w.integer(v) },
	"path":        func(w *walk, e *entry, v *node) { e.at.Path = w.text(v) },
	"raw":         func(_ *walk, e *entry, v *node) { e.raw = v },
	"unmodelled": func(w *walk, e *entry, v *node) {
		w.list(v, func(n *node) {
			var u Unmodelled
			unmodelledKeys.read(w, &u, n)
			e.unmodelled = append(e.unmodelled, u)
		})
	},
	"foreign": func(w *walk, e *entry, v *node) { e.foreign = w.texts(v) },
})

var unmodelledKeys = table(map[string]func(*walk, *Unmodelled, *node){
	"area":  func(w *walk, u *Unmodelled, v *node) { u.Area = Area(max(0, slices.Index(areaNames, w.text(v)))) },
	"path":  func(w *walk, u *Unmodelled, v *node) { u.Path = w.text(v) },
	"kind":  func(w *walk, u *Unmodelled, v *node) { u.Kind = w.text(v) },
	"value": func(_ *walk, u *Unmodelled, v *node) { u.Value = v.text },
})

func entryOf(w *walk, v *node) entry {
	var e entry
	entryKeys.read(w, &e, v)
	if e.raw == nil || e.raw.kind != '{' {
		w.unexpected(v)
		e.raw = &node{kind: '{'}
	}
	return e
}

func readPolicyEntry(w *walk, v *node) Policy {
	e := entryOf(w, v)
	p, _ := decodePolicy(w.doc, e.raw, e.at)
	p.ID, p.Unmodelled = e.id, union(p.Unmodelled, e.unmodelled)
	if e.name != "" {
		p.DisplayName = e.name
	}
	p.Foreign = append(p.Foreign, e.foreign...)
	return p
}

// union adds what was recorded when the object was first read; the JSON may
// have been written anew since.
func union(found, recorded []Unmodelled) []Unmodelled {
	for _, u := range recorded {
		if !slices.Contains(found, u) {
			found = append(found, u)
		}
	}
	return found
}

var contextKeys = table(map[string]func(*walk, *AuthContext, *node){
	"id":          func(w *walk, c *AuthContext, v *node) { c.ID = w.text(v) },
	"displayName": func(w *walk, c *AuthContext, v *node) { c.DisplayName = w.text(v) },
	"available":   func(w *walk, c *AuthContext, v *node) { c.Available = w.isTrue(v) },
})

var userEntryKeys = table(map[string]func(*walk, *User, *node){
	"id":                func(w *walk, u *User, v *node) { u.ID = w.id(v) },
	"userPrincipalName": func(w *walk, u *User, v *node) { u.UserPrincipalName = w.text(v) },
	"displayName":       func(w *walk, u *User, v *node) { u.DisplayName = w.text(v) },
	"userType":          func(w *walk, u *User, v *node) { u.UserType = w.text(v) },
	"enabled":           func(w *walk, u *User, v *node) { u.Enabled = w.flag(v) },
	"onPremisesSync":    func(w *walk, u *User, v *node) { u.OnPremisesSync = w.flag(v) },
	"passwordPolicies":  func(w *walk, u *User, v *node) { u.PasswordPolicies = w.text(v) },
	"deleted":           func(w *walk, u *User, v *node) { u.Deleted = w.isTrue(v) },
	"unmodelled": func(w *walk, u *User, v *node) {
		w.list(v, func(n *node) {
			var x Unmodelled
			unmodelledKeys.read(w, &x, n)
			u.Unmodelled = append(u.Unmodelled, x)
		})
	},
})

var groupEntryKeys = table(map[string]func(*walk, *Group, *node){
	"id":             func(w *walk, g *Group, v *node) { g.ID = w.id(v) },
	"displayName":    func(w *walk, g *Group, v *node) { g.DisplayName = w.text(v) },
	"roleAssignable": func(w *walk, g *Group, v *node) { g.RoleAssignable = w.flag(v) },
	"dynamic":        func(w *walk, g *Group, v *node) { g.Dynamic = w.isTrue(v) },
	"members":        func(w *walk, g *Group, v *node) { g.Members = w.ids(v, anyID) },
	"membersRead":    func(w *walk, g *Group, v *node) { g.MembersRead = w.isTrue(v) },
})

var accountEntryKeys = table(map[string]func(*walk, *Account, *node){
	"id":              func(w *walk, a *Account, v *node) { a.ID = w.id(v) },
	"memberships":     func(w *walk, a *Account, v *node) { a.Memberships = w.ids(v, anyID) },
	"membershipsRead": func(w *walk, a *Account, v *node) { a.MembersRead = w.isTrue(v) },
	"methods": func(w *walk, a *Account, v *node) {
		w.list(v, func(e *node) {
			var m AuthMethod
			methodEntryKeys.read(w, &m, e)
			a.Methods = append(a.Methods, m)
		})
	},
	"methodsRead": func(w *walk, a *Account, v *node) { a.MethodsRead = w.isTrue(v) },
	"perUserMfa":  func(w *walk, a *Account, v *node) { a.PerUserMFA = w.text(v) },
})

var protectionWords = words("singleFactor", "multiFactor")

var methodEntryKeys = table(map[string]func(*walk, *AuthMethod, *node){
	"id":           func(w *walk, m *AuthMethod, v *node) { m.ID = w.id(v) },
	"type":         func(w *walk, m *AuthMethod, v *node) { m.Type = member[MethodType](w, v, methodWords) },
	"displayName":  func(w *walk, m *AuthMethod, v *node) { m.DisplayName = w.text(v) },
	"aaGuid":       func(w *walk, m *AuthMethod, v *node) { m.AAGUID = w.text(v) },
	"passkeyType":  func(w *walk, m *AuthMethod, v *node) { m.PasskeyType = w.text(v) },
	"isUsableOnce": func(w *walk, m *AuthMethod, v *node) { m.UsableOnce = w.isTrue(v) },
	"issuerSki":    func(w *walk, m *AuthMethod, v *node) { m.IssuerSKI = w.text(v) },
	"policyOids":   func(w *walk, m *AuthMethod, v *node) { m.PolicyOIDs = w.texts(v) },
	"protection": func(w *walk, m *AuthMethod, v *node) {
		m.MultiFactor = member[string](w, v, protectionWords) == "multiFactor"
	},
	"created": func(w *walk, m *AuthMethod, v *node) { m.Created = w.time(v) },
	"raw":     func(_ *walk, m *AuthMethod, v *node) { m.Raw = v.canonical(nil) },
})

var assignmentWords = words(string(AssignmentActive), string(AssignmentEligible))

var assignmentEntryKeys = table(map[string]func(*walk, *RoleAssignment, *node){
	"principal":  func(w *walk, a *RoleAssignment, v *node) { a.Principal = w.id(v) },
	"role":       func(w *walk, a *RoleAssignment, v *node) { a.Role = w.id(v) },
	"scope":      func(w *walk, a *RoleAssignment, v *node) { a.Scope = w.text(v) },
	"assignment": func(w *walk, a *RoleAssignment, v *node) { a.Assignment = member[Assignment](w, v, assignmentWords) },
	"end":        func(w *walk, a *RoleAssignment, v *node) { a.End = w.time(v) },
	"activated":  func(w *walk, a *RoleAssignment, v *node) { a.Activated = w.isTrue(v) },
})

var rolePolicyEntryKeys = table(map[string]func(*walk, *RolePolicy, *node){
	"role":             func(w *walk, p *RolePolicy, v *node) { p.Role = w.id(v) },
	"approvalRequired": func(w *walk, p *RolePolicy, v *node) { p.ApprovalRequired = w.isTrue(v) },
	"approvers":        func(w *walk, p *RolePolicy, v *node) { p.Approvers = w.ids(v, anyID) },
	"mfaRequired":      func(w *walk, p *RolePolicy, v *node) { p.MFARequired = w.isTrue(v) },
	"authContext":      func(w *walk, p *RolePolicy, v *node) { p.AuthContext = w.text(v) },
})

var actionEntryKeys = table(map[string]func(*walk, *ProtectedAction, *node){
	"action":  func(w *walk, a *ProtectedAction, v *node) { a.Action = w.text(v) },
	"context": func(w *walk, a *ProtectedAction, v *node) { a.Context = w.text(v) },
})

var agreementEntryKeys = table(map[string]func(*walk, *Agreement, *node){
	"id":          func(w *walk, a *Agreement, v *node) { a.ID = w.id(v) },
	"displayName": func(w *walk, a *Agreement, v *node) { a.DisplayName = w.text(v) },
	"perDevice":   func(w *walk, a *Agreement, v *node) { a.PerDevice = w.isTrue(v) },
})

var applicationEntryKeys = table(map[string]func(*walk, *ServicePrincipal, *node){
	"appId":       func(w *walk, s *ServicePrincipal, v *node) { s.AppID = w.id(v) },
	"displayName": func(w *walk, s *ServicePrincipal, v *node) { s.DisplayName = w.text(v) },
	"attributes": func(w *walk, s *ServicePrincipal, v *node) {
		s.Attributes = make(map[string][]string, len(v.pairs))
		for i := range v.pairs {
			s.Attributes[v.pairs[i].key] = w.texts(&v.pairs[i].val)
		}
	},
	"attributesRead": func(w *walk, s *ServicePrincipal, v *node) { s.AttributesRead = w.isTrue(v) },
})

var domainEntryKeys = table(map[string]func(*walk, *Domain, *node){
	"name":           func(w *walk, d *Domain, v *node) { d.Name = w.text(v) },
	"initial":        func(w *walk, d *Domain, v *node) { d.Initial = w.isTrue(v) },
	"authentication": func(w *walk, d *Domain, v *node) { d.Authentication = w.text(v) },
	"idpMfa":         func(w *walk, d *Domain, v *node) { d.IdpMFA = w.text(v) },
})

var campaignEntryKeys = table(map[string]func(*walk, *RegistrationCampaign, *node){
	"state":      func(w *walk, c *RegistrationCampaign, v *node) { c.State = w.text(v) },
	"snoozeDays": func(w *walk, c *RegistrationCampaign, v *node) { c.SnoozeDays = w.integer(v) },
	"enforce":    func(w *walk, c *RegistrationCampaign, v *node) { c.Enforce = w.flag(v) },
	"include":    func(w *walk, c *RegistrationCampaign, v *node) { c.Include = readTargetEntries(w, v) },
	"exclude":    func(w *walk, c *RegistrationCampaign, v *node) { c.Exclude = readTargetEntries(w, v) },
})

var targetEntryKeys = table(map[string]func(*walk, *MethodTarget, *node){
	"targetType": func(w *walk, t *MethodTarget, v *node) { t.TargetType = w.text(v) },
	"id":         func(w *walk, t *MethodTarget, v *node) { t.ID = w.id(v) },
	"profiles":   func(w *walk, t *MethodTarget, v *node) { t.Profiles = w.ids(v, anyID) },
	"method":     func(w *walk, t *MethodTarget, v *node) { t.Method = w.text(v) },
})

func readTargetEntries(w *walk, v *node) []MethodTarget {
	var out []MethodTarget
	w.list(v, func(e *node) {
		var t MethodTarget
		targetEntryKeys.read(w, &t, e)
		out = append(out, t)
	})
	return out
}

var suppositionKeys = table(map[string]func(*walk, *Supposition, *node){
	"expression": func(w *walk, s *Supposition, v *node) { s.Expression = w.text(v) },
	"meaning":    func(w *walk, s *Supposition, v *node) { s.Meaning = w.text(v) },
})

var troubleKeys = table(map[string]func(*walk, *Trouble, *node){
	"file":   func(w *walk, t *Trouble, v *node) { t.File = w.text(v) },
	"line":   func(w *walk, t *Trouble, v *node) { t.Line = w.integer(v) },
	"column": func(w *walk, t *Trouble, v *node) { t.Column = w.integer(v) },
	"what":   func(w *walk, t *Trouble, v *node) { t.What = w.text(v) },
})

// time reads a time; anything else that is set is unexpected.
func (w *walk) time(v *node) *time.Time {
	t := readTime(v.text)
	if t == nil && !v.unset() {
		w.unexpected(v)
	}
	return t
}

// snapshot takes in a Snapshot that was written before.
func (r *reader) snapshot(doc *document, v *node) {
	if schema := v.str("schema"); schema != SnapshotSchema {
		r.trouble(doc, v.off, "a snapshot of the form "+schema+", which this version cannot read ("+SnapshotSchema+")")
		return
	}
	w := &walk{doc: doc, verbatim: true}
	var c Content
	snapshotKeys.read(w, &c, v)
	for _, u := range w.unmodelled {
		r.trouble(doc, v.off, "the snapshot has something at "+u.Path+" that this version cannot read ("+u.Kind+"): "+u.Value)
	}
	r.objects += 1 + len(c.Policies) + len(c.Locations) + len(c.Users) + len(c.Groups)
	r.merge(doc, v, c)
}

// merge adds the content of a Snapshot to what the other sources gave.
func (r *reader) merge(doc *document, v *node, c Content) {
	to := &r.content
	switch {
	case to.TenantID == "":
		to.TenantID, r.tenantFile = c.TenantID, doc.file
	case c.TenantID != "" && !to.TenantID.Equal(c.TenantID):
		r.trouble(doc, v.off, "is of tenant "+string(c.TenantID)+", while "+r.tenantFile+" is of tenant "+string(to.TenantID))
	}
	if c.Cloud != "" {
		to.Cloud = c.Cloud
	}
	if to.Taken.IsZero() || !c.Taken.IsZero() && c.Taken.Before(to.Taken) {
		to.Taken = c.Taken // the oldest reading tells how stale the whole is
	}
	if to.Parts == nil {
		to.Parts = map[Part]PartState{}
	}
	for _, p := range slices.Sorted(maps.Keys(c.Parts)) {
		if rank[c.Parts[p].Status] > rank[to.Parts[p].Status] {
			to.Parts[p] = c.Parts[p]
		}
	}
	to.Policies = append(to.Policies, c.Policies...)
	to.Locations = append(to.Locations, c.Locations...)
	to.Strengths = append(to.Strengths, c.Strengths...)
	to.Contexts = append(to.Contexts, c.Contexts...)
	to.Users = append(to.Users, c.Users...)
	to.Groups = append(to.Groups, c.Groups...)
	to.RoleAssignments = append(to.RoleAssignments, c.RoleAssignments...)
	to.RolePolicies = append(to.RolePolicies, c.RolePolicies...)
	to.ProtectedActions = append(to.ProtectedActions, c.ProtectedActions...)
	to.Agreements = append(to.Agreements, c.Agreements...)
	to.Applications = append(to.Applications, c.Applications...)
	to.Domains = append(to.Domains, c.Domains...)
	to.ServicePlans = append(to.ServicePlans, c.ServicePlans...)
	to.Objects = append(to.Objects, c.Objects...)
	to.Readings = append(to.Readings, c.Readings...)
	supposed := make(map[Supposition]bool, len(to.Supposed))
	for _, x := range to.Supposed {
		supposed[x] = true
	}
	for _, x := range c.Supposed {
		if !supposed[x] {
			supposed[x] = true
			to.Supposed = append(to.Supposed, x)
		}
	}
	say := speak(to)
	for _, t := range c.Troubles {
		say.trouble(t)
	}
	for _, n := range c.Notes {
		say.note(n)
	}
	for _, a := range c.Accounts {
		r.account(a)
	}
	r.setSwitch(doc, v, &to.SecurityDefaults, c.SecurityDefaults, "security defaults are")
	r.setSwitch(doc, v, &to.SSPRAllowed, c.SSPRAllowed, "self-service password reset for admins is")
	r.setSwitch(doc, v, &to.LowPrivilegeScopes, c.LowPrivilegeScopes, "enforcement for baseline scopes is")
	to.RegistrationRuledOut = to.RegistrationRuledOut || c.RegistrationRuledOut
	if c.LegacyMethods != nil {
		to.LegacyMethods = append(append([]MethodType{}, to.LegacyMethods...), c.LegacyMethods...)
	}
	if c.CampaignForced != nil {
		to.CampaignForced = c.CampaignForced
	}
	if c.MethodsPolicy != nil {
		if to.MethodsPolicy != nil && string(to.MethodsPolicy.Raw) != string(c.MethodsPolicy.Raw) {
			r.trouble(doc, v.off, "a second authentication methods policy with other content; the first one is kept")
		} else {
			to.MethodsPolicy = c.MethodsPolicy
		}
	}
}

// rank orders the statuses of a part that two sources give: one that knows of
// missing objects wins, then one that has them all.
var rank = map[Status]int{"": 0, StatusNotAsked: 1, StatusDenied: 2, StatusRead: 3, StatusCutShort: 4}
