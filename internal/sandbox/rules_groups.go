package sandbox

import (
	"slices"
	"strings"
)

// makeGroup checks and completes a new group (entra-docs group-post-groups,
// groups-concept: role-assignable groups).
func makeGroup(c *call, st *State, o Object) error {
	for _, need := range []string{"displayName", "mailEnabled", "mailNickname", "securityEnabled"} {
		if _, has := o[need]; !has {
			return badRequest("A value is required for property '%s' of resource 'Group'.", need)
		}
	}
	dynamic := slices.Contains(texts(o, "groupTypes"), "DynamicMembership")
	if flag(o, "isAssignableToRole") {
		if err := c.licence(st, "P1"); err != nil {
			return err
		}
		if !suffices("RoleManagement.ReadWrite.Directory", c.caller.Permissions) || c.caller.Delegated() && !c.holds(st, globalAdmin, privRoleAdmin) {
			return denied()
		}
		if dynamic || o["securityEnabled"] != true || flag(o, "mailEnabled") && !slices.Contains(texts(o, "groupTypes"), "Unified") {
			return badRequest("Group with isAssignableToRole must be security enabled, not mail enabled, and not dynamic.")
		}
		n := 0
		for _, g := range st.All("groups") {
			if flag(g, "isAssignableToRole") {
				n++
			}
		}
		if n >= 500 {
			return badRequest("The tenant has reached the limit of 500 role-assignable groups.")
		}
	}
	if dynamic && text(o, "membershipRule") == "" {
		return badRequest("A membershipRule is required for a group with DynamicMembership.")
	}
	id := text(o, "id")
	for _, relation := range []string{"members", "owners"} {
		if err := bindRefs(st, o, relation, id); err != nil {
			return err
		}
	}
	for k, v := range map[string]any{"createdDateTime": stamp(c.now), "renewedDateTime": stamp(c.now), "deletedDateTime": nil, "description": nil, "groupTypes": []any{}, "mail": nil,
		"isAssignableToRole": nil, "onPremisesSyncEnabled": nil, "proxyAddresses": []any{}, "visibility": nil, "membershipRule": nil, "membershipRuleProcessingState": nil,
		"securityIdentifier": "S-1-12-1-" + strings.ReplaceAll(id[:8], "-", "")} {
		if _, has := o[k]; !has {
			o[k] = v
		}
	}
	return nil
}

// bindRefs links what relation@odata.bind names.
func bindRefs(st *State, o Object, relation, id string) error {
	for _, address := range texts(o, relation+"@odata.bind") {
		target := address[strings.LastIndex(address, "/")+1:]
		if have, _ := st.directoryObject(target); have == nil {
			return notFound(target)
		}
		st.Link("groups/"+relation, id, target)
	}
	delete(o, relation+"@odata.bind")
	return nil
}

func changeGroup(c *call, st *State, before, after Object) error {
	if before["isAssignableToRole"] != after["isAssignableToRole"] {
		return badRequest("Property 'isAssignableToRole' is immutable and cannot be changed after the group was created.")
	}
	return c.mayManageGroup(st, before)
}

func removeGroup(c *call, st *State, o Object) error {
	if err := c.mayManageGroup(st, o); err != nil {
		return err
	}
	bury(c, st, o, "group")
	return nil
}

// mayManageGroup refuses changes of a role-assignable group to whoever may not
// manage roles, and of a member of a restricted unit (entra-docs
// groups-concept).
func (c *call) mayManageGroup(st *State, group Object) error {
	if err := c.unrestricted(st, text(group, "id")); err != nil {
		return err
	}
	if !flag(group, "isAssignableToRole") {
		return nil
	}
	owner := slices.Contains(st.Linked("groups/owners", text(group, "id")), key(c.principal(st)))
	if !suffices("RoleManagement.ReadWrite.Directory", c.caller.Permissions) || c.caller.Delegated() && !owner && !c.holds(st, globalAdmin, privRoleAdmin) {
		return denied()
	}
	return nil
}

// mayRelate checks a change of members or owners; typ is the type of what is
// added, "" for removals.
func (c *call) mayRelate(st *State, relation string, o Object, typ string) error {
	switch relation {
	case "groups/members", "groups/owners":
		if slices.Contains(texts(o, "groupTypes"), "DynamicMembership") && relation == "groups/members" {
			return badRequest("Cannot update the membership of a group with dynamic membership.")
		}
		if typ == "group" && (flag(o, "isAssignableToRole") || relation == "groups/owners") {
			return badRequest("Groups cannot be added to a group that is assignable to roles: nesting is not supported.")
		}
		if typ != "" && !slices.Contains([]string{"user", "group", "servicePrincipal", "device"}, typ) {
			return badRequest("Unsupported resource type '%s' for a member.", typ)
		}
		return c.mayManageGroup(st, o)
	case "administrativeUnits/members":
		if typ != "" && !slices.Contains([]string{"user", "group", "device"}, typ) {
			return badRequest("Unsupported resource type '%s' for a member.", typ)
		}
		if flag(o, "isMemberManagementRestricted") && !suffices("AdministrativeUnit.ReadWrite.All", c.caller.Permissions) {
			return denied()
		}
	}
	return nil
}

// makeUnit checks a new administrative unit (entra-docs
// directory-post-administrativeunits).
func makeUnit(c *call, st *State, o Object) error {
	if text(o, "displayName") == "" {
		return badRequest("A value is required for property 'displayName' of resource 'AdministrativeUnit'.")
	}
	if err := c.licence(st, "P1"); err != nil {
		return err
	}
	for k, v := range map[string]any{"description": nil, "visibility": nil, "deletedDateTime": nil, "isMemberManagementRestricted": false, "membershipRule": nil, "membershipType": nil, "membershipRuleProcessingState": nil} {
		if _, has := o[k]; !has {
			o[k] = v
		}
	}
	return nil
}

func changeUnit(c *call, st *State, before, after Object) error {
	if before["isMemberManagementRestricted"] != after["isMemberManagementRestricted"] {
		return badRequest("Property 'isMemberManagementRestricted' cannot be changed after the administrative unit was created.")
	}
	return nil
}

func makeApplication(c *call, st *State, o Object) error {
	if text(o, "displayName") == "" {
		return badRequest("A value is required for property 'displayName' of resource 'Application'.")
	}
	o["appId"] = graphID()
	for k, v := range map[string]any{"createdDateTime": stamp(c.now), "signInAudience": "AzureADMyOrg", "passwordCredentials": []any{}, "keyCredentials": []any{},
		"requiredResourceAccess": []any{}, "appRoles": []any{}, "identifierUris": []any{}, "publisherDomain": st.domain()} {
		if _, has := o[k]; !has {
			o[k] = v
		}
	}
	return nil
}

func makeServicePrincipal(c *call, st *State, o Object) error {
	app := text(o, "appId")
	if app == "" {
		return badRequest("A value is required for property 'appId' of resource 'ServicePrincipal'.")
	}
	for _, have := range st.All("servicePrincipals") {
		if strings.EqualFold(text(have, "appId"), app) {
			return &graphError{409, "Request_MultipleObjectsWithSameKeyValue", "The service principal cannot be created, updated, or restored because the service principal name " + app + " is already in use."}
		}
	}
	name := text(o, "displayName")
	for _, a := range st.All("applications") {
		if strings.EqualFold(text(a, "appId"), app) {
			name = text(a, "displayName")
		}
	}
	for k, v := range map[string]any{"displayName": name, "appDisplayName": name, "accountEnabled": true, "appRoles": []any{}, "oauth2PermissionScopes": []any{},
		"servicePrincipalType": "Application", "servicePrincipalNames": []any{app}, "tags": []any{}, "appRoleAssignmentRequired": false, "appOwnerOrganizationId": st.ID} {
		if _, has := o[k]; !has || o[k] == "" {
			o[k] = v
		}
	}
	return nil
}
