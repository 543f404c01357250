package sandbox

import (
	"crypto/sha256"
	"slices"
	"strconv"
	"strings"
)

// expander answers what $expand of a relationship shows.
type expander func(c *call, st *State, o Object) (value any, typ string)

// expanders by declared type and relationship.
var expanders = map[string]expander{
	"user/manager": func(c *call, st *State, o Object) (any, string) {
		list := st.resolved(st.Linked("users/manager", text(o, "id")))
		if len(list) == 0 {
			return nil, ""
		}
		return list[0], "directoryObject"
	},
	"user/memberOf":                                         manyDirectory(memberOf),
	"user/transitiveMemberOf":                               manyDirectory(transitiveMemberOf),
	"user/registeredDevices":                                manyDirectory(linkedBy("users/registeredDevices")),
	"user/ownedDevices":                                     manyDirectory(linkedBy("users/ownedDevices")),
	"user/ownedObjects":                                     manyDirectory(ownedObjects),
	"group/members":                                         manyDirectory(linkedBy("groups/members")),
	"group/owners":                                          manyDirectory(linkedBy("groups/owners")),
	"group/memberOf":                                        manyDirectory(memberOf),
	"group/transitiveMembers":                               manyDirectory(transitiveMembers),
	"group/transitiveMemberOf":                              manyDirectory(transitiveMemberOf),
	"administrativeUnit/members":                            manyDirectory(linkedBy("administrativeUnits/members")),
	"application/owners":                                    manyDirectory(linkedBy("applications/owners")),
	"servicePrincipal/owners":                               manyDirectory(linkedBy("servicePrincipals/owners")),
	"user/appRoleAssignments":                               many("appRoleAssignment", assignmentsOf("principalId")),
	"group/appRoleAssignments":                              many("appRoleAssignment", assignmentsOf("principalId")),
	"user/oauth2PermissionGrants":                           many("oAuth2PermissionGrant", grantsOf("principalId")),
	"servicePrincipal/appRoleAssignments":                   many("appRoleAssignment", assignmentsOf("principalId")),
	"servicePrincipal/appRoleAssignedTo":                    many("appRoleAssignment", assignmentsOf("resourceId")),
	"servicePrincipal/oauth2PermissionGrants":               many("oAuth2PermissionGrant", grantsOf("clientId")),
	"unifiedRoleAssignment/principal":                       onePrincipal,
	"unifiedRoleAssignment/roleDefinition":                  oneRole,
	"unifiedRoleAssignmentScheduleInstance/principal":       onePrincipal,
	"unifiedRoleAssignmentScheduleInstance/roleDefinition":  oneRole,
	"unifiedRoleEligibilityScheduleInstance/principal":      onePrincipal,
	"unifiedRoleEligibilityScheduleInstance/roleDefinition": oneRole,
	"unifiedRoleManagementPolicyAssignment/policy": func(c *call, st *State, o Object) (any, string) {
		if p := st.Get(setPIMPolicies, text(o, "policyId")); p != nil {
			return p, "unifiedRoleManagementPolicy"
		}
		return nil, ""
	},
	"unifiedRoleManagementPolicy/rules":                              inObject("rules", "unifiedRoleManagementPolicyRule"),
	"unifiedRoleManagementPolicy/effectiveRules":                     inObject("rules", "unifiedRoleManagementPolicyRule"),
	"authenticationStrengthPolicy/combinationConfigurations":         inObject("combinationConfigurations", "authenticationCombinationConfiguration"),
	"authenticationMethodsPolicy/authenticationMethodConfigurations": inObject("authenticationMethodConfigurations", "authenticationMethodConfiguration"),
	"identityGovernance.workflow/tasks":                              inObject("tasks", "identityGovernance.task"),
}

func manyDirectory(list func(*call, *State, Object) []Object) expander {
	return func(c *call, st *State, o Object) (any, string) {
		all := list(c, st, o)
		return all[:min(len(all), maxExpand)], "directoryObject"
	}
}

func many(typ string, list func(*call, *State, Object) []Object) expander {
	return func(c *call, st *State, o Object) (any, string) { return list(c, st, o), typ }
}

func inObject(property, typ string) expander {
	return func(c *call, st *State, o Object) (any, string) { return objects(o, property), typ }
}

func onePrincipal(c *call, st *State, o Object) (any, string) {
	if list := st.resolved([]string{text(o, "principalId")}); len(list) > 0 {
		return list[0], "directoryObject"
	}
	return nil, ""
}

func oneRole(c *call, st *State, o Object) (any, string) {
	if r := st.Get(setRoles, text(o, "roleDefinitionId")); r != nil {
		return r, "unifiedRoleDefinition"
	}
	return nil, ""
}

// expanded adds what $expand asks for to an answer.
func (c *call) expanded(st *State, declared string, o, out Object) error {
	return c.expandInto(st, declared, o, out, c.query.expand)
}

func (c *call) expandInto(st *State, declared string, o, out Object, list []expansion) error {
	for _, e := range list {
		name, f := expanderOf(typeOf(o, declared), e.name)
		if f == nil {
			if name, f = expanderOf(declared, e.name); f == nil {
				return badRequest("Parsing OData Select and Expand failed: Could not find a property named '%s' on type 'microsoft.graph.%s'.", e.name, declared)
			}
		}
		v, typ := f(c, st, o)
		switch v := v.(type) {
		case nil:
			out[name] = nil
		case Object:
			inner := shown(c.version, typ, v, e.selected)
			if err := c.expandInto(st, typ, v, inner, e.inner); err != nil {
				return err
			}
			out[name] = inner
		case []Object:
			value := []any{}
			for _, one := range v {
				if e.filter != nil && !e.filter.matches(one, nil) {
					continue
				}
				inner := shown(c.version, typ, one, e.selected)
				if err := c.expandInto(st, typ, one, inner, e.inner); err != nil {
					return err
				}
				value = append(value, inner)
			}
			out[name] = value
		}
	}
	return nil
}

func expanderOf(declared, name string) (string, expander) {
	for k, f := range expanders {
		typ, property, _ := strings.Cut(k, "/")
		if typ == declared && strings.EqualFold(property, name) {
			return property, f
		}
	}
	return "", nil
}

func itoa(n int) string { return strconv.Itoa(n) }

// derivedID is an id that follows from others, the same every time.
func derivedID(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(strings.Join(parts, "\x00"))))
	b := slices.Clone(sum[:16])
	b[6], b[8] = b[6]&0x0f|0x50, b[8]&0x3f|0x80
	return idOf(b)
}
