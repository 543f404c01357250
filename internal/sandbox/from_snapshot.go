package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"halligan/entra"
)

// FromSnapshot makes a tenant of a Snapshot: its objects as Graph gave them, and
// for what nobody read Entra's defaults. Everybody gets a fictional password.
// The licence follows from the service plans; unknown ones count as P2, so that
// nothing that was read is hidden.
func FromSnapshot(snapshot *entra.Snapshot) (*State, error) {
	c := snapshot.View()
	id := c.TenantID.Key()
	if id == "" { // exports seldom say whose they are
		id = derivedID("a tenant that nobody named", snapshot.Digest())
	}
	b := newBuilder("snapshot "+id, planOf(c))
	b.st = NewState(id, "Tenant "+id, b.st.Plan)
	if c.Cloud != "public" {
		b.st.Cloud = c.Cloud
	}
	if !c.Taken.IsZero() {
		b.born = c.Taken
	}
	b.defaults(c)
	l := &loader{b: b}
	l.objects(c)
	l.people(c)
	l.policies(c)
	l.roles(c)
	l.tenant(c)
	l.azure(snapshot)
	b.visitors()
	return b.st, l.err
}

// azure adds the subscriptions in which the resources lie; where resources were
// read and there were none, one that is empty.
func (l *loader) azure(snapshot *entra.Snapshot) {
	st := l.b.st
	add := func(id string) {
		st.Put("arm/subscriptions", id, Object{"id": "/subscriptions/" + id, "subscriptionId": id, "displayName": "Subscription", "state": "Enabled", "tenantId": st.ID})
	}
	for _, set := range []string{"arm/scheduledQueryRules", "arm/workspaces"} {
		for _, o := range st.All(set) {
			if rest, ok := strings.CutPrefix(strings.ToLower(text(o, "id")), "/subscriptions/"); ok {
				id, _, _ := strings.Cut(rest, "/")
				add(id)
			}
		}
	}
	if len(st.All("arm/subscriptions")) == 0 && snapshot.Status(entra.PartAlertRules).Status == entra.StatusRead {
		add(l.b.id("subscription", "empty"))
	}
}

// visitors adds those who may look at the tenant without being of it: an
// application with a secret, and an auditor.
func (b *builder) visitors() {
	b.app(ReaderName, readerPermissions...)
	domain := exampleDomain
	for _, d := range b.st.All("domains") {
		if initial, _ := d["isInitial"].(bool); initial || domain == exampleDomain {
			domain = text(d, "id")
		}
	}
	b.auditor(domain)
}

func planOf(c *entra.Content) string {
	plan := "Free"
	if len(c.ServicePlans) == 0 {
		return "P2"
	}
	for _, p := range c.ServicePlans {
		switch strings.ToUpper(string(p)) {
		case "AAD_PREMIUM_P2":
			return "P2"
		case "AAD_PREMIUM":
			plan = "P1"
		}
	}
	return plan
}

// defaults are what every tenant has, unless the Snapshot tells more.
func (b *builder) defaults(c *entra.Content) {
	for _, r := range builtInRoles {
		b.st.Put(setRoles, r.id, Object{"id": r.id, "templateId": r.id, "displayName": r.name, "description": r.name, "isBuiltIn": true, "isEnabled": true,
			"isPrivileged": r.privileged, "resourceScopes": []any{"/"}, "rolePermissions": []any{}})
	}
	for _, s := range tenantStrengths() {
		b.st.Put(setStrengths, text(s, "id"), s)
	}
	for path, o := range defaultSingle {
		b.st.Single[path] = copied(o)
	}
	b.firstParties()
	b.st.Put("organization", b.st.ID, Object{"id": b.st.ID, "displayName": b.st.Name, "verifiedDomains": []any{}, "onPremisesSyncEnabled": nil})
}

// loader takes a Snapshot apart; the first error stays.
type loader struct {
	b   *builder
	err error
}

// raw reads an object as Graph gave it; an empty one when there is none.
func (l *loader) raw(what string, raw json.RawMessage) Object {
	if len(raw) == 0 {
		return Object{}
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	o := Object{}
	if err := d.Decode(&o); err != nil && l.err == nil {
		l.err = fmt.Errorf("make a sandbox of a snapshot: read %s: %v", what, err)
	}
	o, _ = asGraph(o).(Object)
	for k := range o { // contexts are the source's
		if strings.Contains(k, "@odata.context") {
			delete(o, k)
		}
	}
	return o
}

// asGraph spells the names of properties as Graph does: PowerShell writes the
// objects that it got from Graph with a capital letter first. Two spellings of
// one name keep the one that says something.
func asGraph(v any) any {
	switch v := v.(type) {
	case Object:
		out := make(Object, len(v))
		for _, k := range keys(v) {
			name := k
			if c := k[:min(len(k), 1)]; c >= "A" && c <= "Z" && !strings.Contains(k, "@") {
				name = strings.ToLower(c) + k[1:]
			}
			if e := asGraph(v[k]); out[name] == nil {
				out[name] = e
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = asGraph(v[i])
		}
		return out
	}
	return v
}

// fill puts a value where the object has none.
func fill(o Object, name string, v any) {
	if have, is := o[name]; !is || have == nil {
		o[name] = v
	}
}

// fillAll puts what was kept of an object beside what was read typed.
func fillAll(o, kept Object) {
	for k, v := range kept {
		fill(o, k, v)
	}
}

// partSets are the sets to which the kept objects of a part belong; {subject} is
// the object that they hang on.
var partSets = map[entra.Part]string{
	entra.PartUsers: "users", entra.PartGroups: "groups", entra.PartOrganization: "organization", entra.PartDeletedUsers: setDeleted, entra.PartAdministrativeUnits: setUnits,
	entra.PartGroupLifecycle: "groupLifecyclePolicies", entra.PartRegistrationDetails: "reports/authenticationMethods/userRegistrationDetails",
	entra.PartCertificateAuthority: "directory/publicKeyInfrastructure/certificateBasedAuthConfigurations", entra.PartOnPremisesSync: "directory/onPremisesSynchronization",
	entra.PartRiskyUsers: "identityProtection/riskyUsers", entra.PartRiskDetections: "identityProtection/riskDetections", entra.PartSignIns: "auditLogs/signIns",
	entra.PartDirectoryAudits: "auditLogs/directoryAudits", entra.PartLifecycleWorkflows: "identityGovernance/lifecycleWorkflows/workflows",
	entra.PartAccessReviews: "identityGovernance/accessReviews/definitions", entra.PartAppRoleAssignments: setAppRoles, entra.PartUserAppRoles: setAppRoles,
	entra.PartUserGrants: setGrants, entra.PartDevices: "devices", entra.PartAzureRoles: "arm/roleAssignments", entra.PartDiagnostics: "arm/diagnosticSettings",
	entra.PartAlertRules: "arm/scheduledQueryRules", entra.PartWorkspaces: "arm/workspaces", entra.PartDomains: "domains", entra.PartLicences: "subscribedSkus",
	entra.PartApplications: "servicePrincipals", entra.PartRoleAssignments: setAssignments, entra.PartRoleEligibility: setEligible, entra.PartLocations: setLocations,
	entra.PartContexts: setContexts, entra.PartAgreements: "identityGovernance/termsOfUse/agreements", entra.PartStrengths: setStrengths,
	entra.PartProtectedActions: "roleManagement/directory/resourceNamespaces/microsoft.directory/resourceActions",
}

// partLinks are the relationships that the kept objects of a part are one end of.
var partLinks = map[entra.Part]string{entra.PartUnitMembers: "administrativeUnits/members", entra.PartGroupOwners: "groups/owners", entra.PartDevices: "users/registeredDevices", entra.PartOwnedObjects: "users/ownedObjects"}

func (l *loader) objects(c *entra.Content) {
	for _, o := range c.Objects {
		raw := l.raw("an object of "+string(o.Part), o.Raw)
		id := text(raw, "id")
		if relation, ok := partLinks[o.Part]; ok && id != "" {
			l.b.st.Link(relation, o.Subject.Key(), id)
		}
		switch o.Part {
		case entra.PartRolePolicies:
			l.rolePolicy(raw)
			continue
		case entra.PartUnitRoles:
			l.scoped(o.Subject.Key(), raw)
			continue
		}
		set, ok := partSets[o.Part]
		if !ok {
			continue
		}
		if id == "" {
			id = o.Subject.Key()
			if set != "users" && set != "groups" {
				id = derivedID(l.b.st.ID, string(o.Part), string(o.Raw))
			}
			raw["id"] = id
		}
		if manager, is := raw["manager"].(map[string]any); is && o.Part == entra.PartUsers && text(manager, "id") != "" {
			if l.b.st.Get("users", text(manager, "id")) == nil {
				l.b.st.Put("users", text(manager, "id"), manager)
			}
			l.b.st.Link("users/manager", id, text(manager, "id"))
		}
		if o.Part == entra.PartUsers {
			delete(raw, "manager")
		}
		if o.Part == entra.PartDeletedUsers {
			fill(raw, "@odata.type", "#microsoft.graph.user")
		}
		have := l.b.st.Get(set, id)
		merged := copied(raw)
		for k, v := range have {
			if _, is := merged[k]; !is {
				merged[k] = v
			}
		}
		l.b.st.Put(set, id, merged)
	}
}

func (l *loader) rolePolicy(raw Object) {
	role := text(raw, "roleDefinitionId")
	policy, _ := raw["policy"].(Object)
	id := text(raw, "policyId")
	if id == "" {
		id = "DirectoryRole_" + l.b.st.ID + "_" + derivedID(l.b.st.ID, "pim", role)
	}
	if policy != nil {
		policy = copied(policy)
		for k, v := range map[string]any{"id": id, "scopeId": "/", "scopeType": "DirectoryRole", "displayName": "DirectoryRole", "description": "DirectoryRole", "isOrganizationDefault": false, "rules": []any{}} {
			fill(policy, k, v)
		}
		l.b.st.Put(setPIMPolicies, id, policy)
	}
	a := copied(raw)
	delete(a, "policy")
	for k, v := range map[string]any{"id": id + "_" + role, "policyId": id, "scopeId": "/", "scopeType": "DirectoryRole"} {
		fill(a, k, v)
	}
	l.b.st.Put(setPIMAssigned, text(a, "id"), a)
}

func (l *loader) scoped(unit string, raw Object) {
	role := text(raw, "roleId")
	l.assignment(setAssignments, text(raw, "roleMemberInfo", "id"), role, "/administrativeUnits/"+unit, text(raw, "id"))
}

func (l *loader) assignment(set, principal, role, scope, id string) Object {
	if id == "" {
		id = derivedID(l.b.st.ID, set, principal, role, scope)
	}
	o := Object{"id": id, "principalId": principal, "roleDefinitionId": role, "directoryScopeId": scope}
	l.b.st.Put(set, id, o)
	if l.b.st.Get(setRoles, role) == nil {
		l.b.st.Put(setRoles, role, Object{"id": role, "templateId": role, "displayName": "Role " + role, "description": nil, "isBuiltIn": true, "isEnabled": true, "resourceScopes": []any{"/"}, "rolePermissions": []any{}})
	}
	return o
}

func (l *loader) people(c *entra.Content) {
	st := l.b.st
	for _, u := range c.Users {
		set := "users"
		if u.Deleted {
			set = setDeleted
		}
		o := l.raw("a user", u.Raw)
		for k, v := range st.Get(set, u.ID.Key()) {
			fill(o, k, v)
		}
		for k, v := range map[string]any{"id": u.ID.Key(), "userPrincipalName": u.UserPrincipalName, "displayName": u.DisplayName, "userType": u.UserType, "passwordPolicies": u.PasswordPolicies} {
			if v != "" {
				fill(o, k, v)
			}
		}
		if u.Enabled != nil {
			fill(o, "accountEnabled", *u.Enabled)
		}
		if u.OnPremisesSync != nil {
			fill(o, "onPremisesSyncEnabled", *u.OnPremisesSync)
		}
		if u.Deleted {
			o["@odata.type"] = "#microsoft.graph.user"
			fill(o, "deletedDateTime", stamp(l.b.born))
		}
		st.Put(set, u.ID.Key(), o)
	}
	for _, o := range st.All("users") {
		fill(o, "businessPhones", []any{})
		st.Credentials[key(text(o, "id"))] = &Credentials{Password: ExamplePassword(text(o, "userPrincipalName"))}
	}
	for _, g := range c.Groups {
		o := l.raw("a group", g.Raw)
		for k, v := range st.Get("groups", g.ID.Key()) {
			fill(o, k, v)
		}
		fill(o, "id", g.ID.Key())
		fill(o, "displayName", g.DisplayName)
		fill(o, "securityEnabled", true)
		if g.RoleAssignable != nil {
			fill(o, "isAssignableToRole", *g.RoleAssignable)
		}
		if g.Dynamic {
			fill(o, "groupTypes", []any{"DynamicMembership"})
		}
		delete(o, "members")
		st.Put("groups", g.ID.Key(), o)
		for _, m := range g.Members {
			st.Link("groups/members", g.ID.Key(), m.Key())
		}
	}
	for _, a := range c.Accounts {
		l.account(a)
	}
}

// methodTypes are Graph's types of the methods of a Snapshot.
var methodTypes = map[entra.MethodType]string{
	entra.MethodPassword: "password", entra.MethodFIDO2: "fido2", entra.MethodTAP: "temporaryAccessPass", entra.MethodHardwareOath: "hardwareOath",
	entra.MethodSoftwareOath: "softwareOath", entra.MethodSMS: "phone", entra.MethodVoice: "phone", entra.MethodAuthenticatorPush: "microsoftAuthenticator",
	entra.MethodPhoneSignIn: "microsoftAuthenticator", entra.MethodWindowsHello: "windowsHelloForBusiness", entra.MethodPlatform: "platformCredential",
	entra.MethodEmail: "email", entra.MethodQRCodePin: "qrCodePin", entra.MethodExternal: "external",
}

func (l *loader) account(a entra.Account) {
	st, id := l.b.st, a.ID.Key()
	for _, g := range a.Memberships {
		if st.Get("groups", g.Key()) == nil {
			st.Put("groups", g.Key(), Object{"id": g.Key(), "displayName": "Group " + string(g), "securityEnabled": true, "groupTypes": []any{}})
		}
		// A membership may be indirect: add it only where no group that was read has it.
		if !slices.Contains(st.groupsOf(id), g.Key()) {
			st.Link("groups/members", g.Key(), id)
		}
	}
	for _, m := range a.Methods {
		o := l.raw("a method", m.Raw)
		if name := methodTypes[m.Type]; name != "" {
			fill(o, "@odata.type", "#microsoft.graph."+name+"AuthenticationMethod")
		}
		fill(o, "id", string(m.ID))
		if m.Type == entra.MethodFIDO2 {
			fill(o, "aaGuid", m.AAGUID)
			fill(o, "displayName", m.DisplayName)
			fill(o, "model", modelName(m.AAGUID))
			if m.PasskeyType != "" {
				fill(o, "passkeyType", m.PasskeyType)
			}
		}
		if m.Created != nil {
			fill(o, "createdDateTime", stamp(*m.Created))
		}
		if text(o, "@odata.type") != "" {
			st.Put(methodsOf(id), text(o, "id"), o)
		}
	}
	if a.PerUserMFA != "" {
		st.Single["users/"+id+"/authentication/requirements"] = Object{"perUserMfaState": a.PerUserMFA}
	}
}

func (l *loader) policies(c *entra.Content) {
	st := l.b.st
	put := func(set, what string, id entra.ID, raw json.RawMessage) Object {
		o := l.raw(what, raw)
		for k, v := range st.Get(set, id.Key()) {
			fill(o, k, v)
		}
		fill(o, "id", string(id))
		st.Put(set, id.Key(), o)
		return o
	}
	for i := range c.Policies {
		o := put(setPolicies, "a policy", c.Policies[i].ID, c.Policies[i].Raw)
		grant, _ := o["grantControls"].(Object)
		inline, _ := grant["authenticationStrength"].(Object)
		if _, ok := o["conditions"].(Object); ok {
			completePolicy(o)
		}
		// What a policy carries of a strength is all there is of one that nobody read.
		if id := text(inline, "id"); id != "" && inline["allowedCombinations"] != nil && st.Get(setStrengths, id) == nil {
			fill(inline, "combinationConfigurations", []any{})
			st.Put(setStrengths, id, inline)
		}
	}
	for i := range c.Locations {
		put(setLocations, "a named location", c.Locations[i].ID, c.Locations[i].Raw)
	}
	for i := range c.Strengths {
		o := put(setStrengths, "a strength", c.Strengths[i].ID, c.Strengths[i].Raw)
		fill(o, "combinationConfigurations", []any{})
	}
	for i := range c.Contexts {
		put(setContexts, "an authentication context", entra.ID(c.Contexts[i].ID), c.Contexts[i].Raw)
	}
	for i := range c.Agreements {
		put("identityGovernance/termsOfUse/agreements", "terms of use", c.Agreements[i].ID, c.Agreements[i].Raw)
	}
	if c.MethodsPolicy != nil && len(c.MethodsPolicy.Raw) > 0 {
		o := l.raw("the authentication methods policy", c.MethodsPolicy.Raw)
		for k, v := range st.Single[pathMethods] {
			fill(o, k, v)
		}
		st.Single[pathMethods] = o
	}
	if c.SecurityDefaults != nil {
		st.Single[pathDefaults]["isEnabled"] = *c.SecurityDefaults
	}
	if c.SSPRAllowed != nil {
		st.Single[pathAuthorize]["allowedToUseSSPR"] = *c.SSPRAllowed
	}
}

func (l *loader) roles(c *entra.Content) {
	for _, a := range c.RoleAssignments {
		raw := l.raw("a role assignment", a.Raw)
		set := setAssignments
		if a.Assignment == entra.AssignmentEligible {
			set = setEligible
		}
		scope := a.Scope
		if scope == "" {
			scope = "/"
		}
		o := l.assignment(set, a.Principal.Key(), a.Role.Key(), scope, text(raw, "id"))
		if set == setAssignments && !a.Activated && a.End == nil {
			st := l.b.st
			st.Put(setActive, text(o, "id"), instance(o, l.b.born))
			continue
		}
		more := instance(o, l.b.born)
		if a.End != nil {
			more["endDateTime"] = a.End.UTC().Format(time.RFC3339)
		}
		if set == setEligible {
			delete(more, "assignmentType")
			delete(more, "roleAssignmentOriginId")
			delete(more, "roleAssignmentScheduleId")
			more["roleEligibilityScheduleId"] = o["id"]
			l.b.st.Put(setEligible, text(o, "id"), more)
			continue
		}
		if a.Activated {
			more["assignmentType"] = "Activated"
		}
		l.b.st.Put(setActive, text(o, "id"), more)
	}
	for _, p := range c.RolePolicies {
		if len(p.Raw) > 0 {
			l.rolePolicy(l.raw("a PIM policy", p.Raw))
		}
	}
	for _, p := range c.ProtectedActions {
		o := l.raw("a protected action", p.Raw)
		fill(o, "id", strings.ReplaceAll(strings.TrimPrefix(p.Action, "microsoft.directory/"), "/", "-"))
		fill(o, "name", p.Action)
		l.b.st.Put(partSets[entra.PartProtectedActions], text(o, "id"), o)
	}
}

func (l *loader) tenant(c *entra.Content) {
	st := l.b.st
	for i := range c.Domains {
		d := &c.Domains[i]
		o := l.raw("a domain", d.Raw)
		fillAll(o, st.Get("domains", d.Name))
		fill(o, "id", d.Name)
		fill(o, "isInitial", d.Initial)
		fill(o, "isVerified", true)
		if d.Authentication != "" {
			fill(o, "authenticationType", d.Authentication)
		}
		st.Put("domains", d.Name, o)
		if d.IdpMFA != "" {
			st.Put("domains/"+key(d.Name)+"/federationConfiguration", derivedID(d.Name), Object{"id": derivedID(d.Name), "federatedIdpMfaBehavior": d.IdpMFA})
		}
	}
	for i := range c.Applications {
		a := &c.Applications[i]
		o := l.raw("a service principal", a.Raw)
		fill(o, "appId", string(a.AppID))
		fill(o, "displayName", a.DisplayName)
		for _, have := range st.All("servicePrincipals") {
			if strings.EqualFold(text(have, "appId"), string(a.AppID)) && text(o, "id") == "" {
				o["id"] = have["id"]
			}
		}
		fill(o, "id", derivedID(st.ID, "service principal", string(a.AppID)))
		fillAll(o, st.Get("servicePrincipals", text(o, "id")))
		st.Put("servicePrincipals", text(o, "id"), o)
	}
	if len(st.All("subscribedSkus")) == 0 && len(c.ServicePlans) > 0 {
		var plans []string
		for _, p := range c.ServicePlans {
			plans = append(plans, string(p))
		}
		l.b.sku("SNAPSHOT", plans)
	}
}
