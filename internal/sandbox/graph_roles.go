package sandbox

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

var roleDefinitions = &resource{set: setRoles, typ: "unifiedRoleDefinition", unpaged: true, kind: "Role", category: "RoleManagement", noun: "role definition",
	make: func(c *call, st *State, o Object) error {
		if err := c.licence(st, "P1"); err != nil {
			return err
		}
		if text(o, "displayName") == "" || o["rolePermissions"] == nil || o["isEnabled"] == nil {
			return badRequest("displayName, rolePermissions and isEnabled are required for a role definition.")
		}
		o["isBuiltIn"], o["resourceScopes"] = false, []any{"/"}
		if text(o, "templateId") == "" {
			o["templateId"] = o["id"]
		}
		return nil
	},
	change: func(c *call, st *State, before, after Object) error {
		if flag(before, "isBuiltIn") {
			return badRequest("A built-in role definition cannot be changed.")
		}
		return nil
	},
	remove: func(c *call, st *State, o Object) error {
		if flag(o, "isBuiltIn") {
			return badRequest("A built-in role definition cannot be deleted.")
		}
		return nil
	}}

// roleAssignments are the active assignments: those made for ever and those that
// PIM activated (graph.md section 3).
var roleAssignments = &resource{set: setAssignments, typ: "unifiedRoleAssignment", kind: "Role", category: "RoleManagement", noun: "member to role",
	make: makeAssignment, all: func(c *call, st *State) ([]Object, error) {
		list := st.All(setAssignments)
		for _, a := range st.All(setActive) {
			if text(a, "memberType") != "Direct" || slices.ContainsFunc(list, func(have Object) bool { return sameAssignment(have, a) }) {
				continue
			}
			list = append(list, Object{"id": a["id"], "principalId": a["principalId"], "roleDefinitionId": a["roleDefinitionId"], "directoryScopeId": a["directoryScopeId"]})
		}
		return list, nil
	}}

func sameAssignment(a, b Object) bool {
	for _, k := range []string{"principalId", "roleDefinitionId", "directoryScopeId"} {
		if !strings.EqualFold(text(a, k), text(b, k)) {
			return false
		}
	}
	return true
}

// makeAssignment checks a new role assignment (entra-docs
// rbacapplication-post-roleassignments).
func makeAssignment(c *call, st *State, o Object) error {
	role, principal := text(o, "roleDefinitionId"), text(o, "principalId")
	if role == "" || principal == "" {
		return badRequest("principalId and roleDefinitionId are required.")
	}
	if text(o, "directoryScopeId") == "" && text(o, "appScopeId") == "" {
		return badRequest("One of directoryScopeId and appScopeId is required.")
	}
	if st.Get(setRoles, role) == nil {
		return notFound(role)
	}
	target, typ := st.directoryObject(principal)
	if target == nil || !c.visible(st, principal) {
		return notFound(principal)
	}
	switch {
	case typ == "group" && !flag(target, "isAssignableToRole"):
		return badRequest("The group is not assignable to roles: isAssignableToRole is not true.")
	case !slices.Contains([]string{"user", "group", "servicePrincipal"}, typ):
		return badRequest("The principal is not a user, group or service principal.")
	}
	if unit, ok := strings.CutPrefix(text(o, "directoryScopeId"), "/administrativeUnits/"); ok && st.Get(setUnits, unit) == nil {
		return notFound(unit)
	}
	for _, have := range st.All(setAssignments) {
		if sameAssignment(have, o) {
			return &graphError{http.StatusBadRequest, "Request_BadRequest", "A conflicting object with one or more of the specified property values is present in the directory (RoleAssignmentExists)."}
		}
	}
	st.Put(setActive, text(o, "id"), instance(o, c.now))
	return nil
}

// instance is the schedule instance of an assignment for ever.
func instance(a Object, at time.Time) Object {
	return Object{"id": a["id"], "principalId": a["principalId"], "roleDefinitionId": a["roleDefinitionId"], "directoryScopeId": a["directoryScopeId"], "appScopeId": nil,
		"startDateTime": stamp(at), "endDateTime": nil, "assignmentType": "Assigned", "memberType": "Direct", "roleAssignmentOriginId": a["id"], "roleAssignmentScheduleId": a["id"]}
}

// eraseAssignment answers DELETE of a role assignment.
func eraseAssignment(c *call) (answer, error) {
	return noContent, c.Update(func(st *State) error {
		if err := c.gates(nil, st); err != nil {
			return err
		}
		o, err := roleAssignments.get(c, st)
		if err != nil {
			return err
		}
		id := text(o, "id")
		stored, active := st.Get(setAssignments, id), []Object{}
		for _, a := range st.All(setActive) {
			if sameAssignment(a, o) {
				active = append(active, a)
			}
		}
		drop := func() bool {
			gone := st.Delete(setAssignments, id)
			for _, a := range active {
				gone = st.Delete(setActive, text(a, "id")) || gone
			}
			return gone
		}
		undo := func() {
			if stored != nil {
				st.Put(setAssignments, id, stored)
			}
			for _, a := range active {
				st.Put(setActive, text(a, "id"), a)
			}
		}
		if err := st.keepsAdministrator(id, drop, undo); err != nil {
			return err
		}
		c.audit(st, Change{By: c.caller, Activity: "Remove member from role", Category: "RoleManagement", Service: "Core Directory", Before: o, Type: "Role"})
		return nil
	})
}

var activeInstances = &resource{set: setActive, typ: "unifiedRoleAssignmentScheduleInstance"}

var eligibleInstances = &resource{set: setEligible, typ: "unifiedRoleEligibilityScheduleInstance"}

var rolePolicies = &resource{set: setPIMPolicies, typ: "unifiedRoleManagementPolicy", gate: scopedFilter}

var rolePolicyAssignments = &resource{set: setPIMAssigned, typ: "unifiedRoleManagementPolicyAssignment", gate: scopedFilter}

// scopedFilter demands the $filter on scopeId and scopeType that lists of PIM
// policies need (entra-docs policyroot-list-rolemanagementpolicyassignments).
func scopedFilter(c *call, st *State) error {
	if c.args["id"] != "" {
		return nil
	}
	named := map[string]bool{}
	c.query.filter.walk(func(f *filterNode) {
		if len(f.path) == 1 && f.op == "eq" {
			named[strings.ToLower(f.path[0])] = true
		}
	})
	if !named["scopeid"] || !named["scopetype"] {
		return &graphError{400, "InvalidFilter", "The filter is invalid: scopeId and scopeType are required in $filter."}
	}
	return nil
}

var roleRules = within(setPIMPolicies, "", "rules", "unifiedRoleManagementPolicyRule", "policies/roleManagementPolicies/rules")

// updateRule answers PATCH of one rule of a PIM policy.
func updateRule(c *call) (answer, error) {
	patch, err := written(c.version, "unifiedRoleManagementPolicyRule", c.body)
	if err != nil {
		return answer{}, err
	}
	return noContent, c.Update(func(st *State) error {
		if err := c.gates(nil, st); err != nil {
			return err
		}
		before := st.Get(setPIMPolicies, c.args["id"])
		if before == nil {
			return notFound(c.args["id"])
		}
		after := copied(before)
		list, _ := after["rules"].([]any)
		at := configurationAt(list, c.args["sub"])
		if at < 0 {
			return notFound(c.args["sub"])
		}
		rule := list[at].(Object)
		if t := text(patch, "@odata.type"); t != "" && t != text(rule, "@odata.type") {
			return badRequest("The @odata.type '%s' does not fit the rule '%s'.", t, c.args["sub"])
		}
		for k, v := range patch {
			rule[k] = v
		}
		after["lastModifiedDateTime"] = stamp(c.now)
		st.Put(setPIMPolicies, text(before, "id"), after)
		c.audit(st, Change{By: c.caller, Activity: "Update role setting in PIM", Category: "RoleManagement", Service: "PIM", Before: before, Target: after, Type: "Policy"})
		return nil
	})
}

var resourceActions = &resource{set: "roleManagement/directory/resourceNamespaces/microsoft.directory/resourceActions", typ: "unifiedRbacResourceAction"}

// scopedMembers are the scoped role members of an administrative unit: the role
// assignments at its scope.
var scopedMembers = &resource{set: setUnits, typ: "scopedRoleMembership", context: "scopedRoleMemberships", unpaged: true,
	all: func(c *call, st *State) ([]Object, error) {
		u, err := c.subject(st, setUnits)
		if err != nil {
			return nil, err
		}
		id := text(u, "id")
		out := []Object{}
		for _, a := range st.All(setAssignments) {
			if !strings.EqualFold(text(a, "directoryScopeId"), "/administrativeUnits/"+id) {
				continue
			}
			who, _ := st.directoryObject(text(a, "principalId"))
			out = append(out, Object{"id": a["id"], "administrativeUnitId": id, "roleId": derivedID(st.ID, text(a, "roleDefinitionId")),
				"roleMemberInfo": Object{"id": a["principalId"], "displayName": who["displayName"]}})
		}
		return out, nil
	}}

// addScoped answers POST …/scopedRoleMembers.
func addScoped(c *call) (a answer, err error) {
	role, member := text(c.body, "roleId"), text(c.body, "roleMemberInfo", "id")
	err = c.Update(func(st *State) error {
		if err := c.gates(nil, st); err != nil {
			return err
		}
		u, err := c.subject(st, setUnits)
		if err != nil {
			return err
		}
		for _, def := range st.All(setRoles) {
			if strings.EqualFold(derivedID(st.ID, text(def, "templateId")), role) {
				role = text(def, "id")
			}
		}
		o := Object{"id": graphID(), "roleDefinitionId": role, "principalId": member, "directoryScopeId": "/administrativeUnits/" + text(u, "id")}
		if err := makeAssignment(c, st, o); err != nil {
			return err
		}
		st.Put(setAssignments, text(o, "id"), o)
		c.audited(st, units, "Add scoped member to role", nil, o)
		who, _ := st.directoryObject(member)
		a = c.entity(http.StatusCreated, "scopedRoleMemberships/$entity", Object{"id": o["id"], "administrativeUnitId": text(u, "id"), "roleId": derivedID(st.ID, role),
			"roleMemberInfo": Object{"id": member, "displayName": who["displayName"]}})
		return nil
	})
	return a, err
}

func eraseScoped(c *call) (answer, error) {
	return noContent, c.Update(func(st *State) error {
		if err := c.gates(nil, st); err != nil {
			return err
		}
		a := st.Get(setAssignments, c.args["sub"])
		if a == nil || !strings.EqualFold(text(a, "directoryScopeId"), "/administrativeUnits/"+c.args["id"]) {
			return notFound(c.args["sub"])
		}
		st.Delete(setAssignments, text(a, "id"))
		st.Delete(setActive, text(a, "id"))
		c.audited(st, units, "Remove scoped member from role", a, nil)
		return nil
	})
}

var directoryRoles = &resource{set: "directoryRoles", typ: "directoryRole", unpaged: true, all: func(c *call, st *State) ([]Object, error) {
	out := []Object{}
	seen := map[string]bool{}
	for _, a := range st.All(setAssignments) {
		role := key(text(a, "roleDefinitionId"))
		if def := st.Get(setRoles, role); def != nil && flag(def, "isBuiltIn") && !seen[role] {
			seen[role] = true
			r := st.directoryRole(def)
			delete(r, "@odata.type")
			out = append(out, r)
		}
	}
	return out, nil
}}
