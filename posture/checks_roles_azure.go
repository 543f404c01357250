package posture

import (
	"strings"

	"halligan/entra"
)

// The Azure scopes at which a right reaches every subscription: the root, and the
// root management group, whose id is that of the tenant (azure-docs
// governance/management-groups/overview).
func (c *Case) atAzureRoot(scope string) answer {
	const groups = "/providers/Microsoft.Management/managementGroups/"
	tenant, scope := c.View().TenantID, strings.TrimSuffix(scope, "/")
	switch {
	case scope == "", tenant != "" && strings.EqualFold(scope, groups+string(tenant)):
		return yes
	case tenant == "" && len(scope) > len(groups) && strings.EqualFold(scope[:len(groups)], groups):
		return maybe // whose id is that of the tenant is not known
	}
	return no
}

// The built-in roles of Azure that can mend access to subscriptions.
var azureRecoveryRoles = map[string]string{
	"8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Owner",
	"18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": "User Access Administrator",
}

func judgeAzureRoot(c *Case) Result {
	wanted := c.Register.Or().Tenant.AzureRoot
	var held []Evidence
	recovery, open := false, false
	for _, o := range c.Snapshot.Objects(entra.PartAzureRoles) {
		scope, okScope := o.Text("properties.scope")
		principal, okWho := o.Text("properties.principalId")
		if !okScope || !okWho || scope == "" {
			open = true
			continue
		}
		root := c.atAzureRoot(scope)
		if root == no {
			continue
		}
		in := no
		switch kind := o.Str("properties.principalType"); {
		case c.Subject.ID.Equal(entra.ID(principal)):
			in = yes
		case strings.EqualFold(kind, "Group"), kind == "" && !c.isUser(entra.ID(principal)):
			in = c.inGroup(c.Subject.ID, entra.ID(principal))
		}
		if in == no {
			continue
		}
		id := o.Str("properties.roleDefinitionId")
		if in == maybe || root == maybe || wanted && id == "" {
			open = true
			continue
		}
		id = strings.ToLower(id[strings.LastIndexByte(id, '/')+1:])
		name := azureRecoveryRoles[id]
		recovery = recovery || name != ""
		if name == "" {
			name = "role " + id
		}
		held = append(held, Evidence{ID: principal, Name: c.userName(entra.ID(principal)), Detail: name + " at " + scope})
	}
	switch {
	case len(held) > 0 && !wanted:
		return fail("the account has rights at the Azure root, and the register does not want them").on(held...)
	case wanted && recovery:
		return pass("the account has the rights at the Azure root that the register wants").on(held...)
	case open:
		return unknown("not known whether the account has rights at the Azure root: groups, assignments or the id of the tenant were not read")
	case wanted:
		return fail("the register wants rights at the Azure root, and the account is neither Owner nor User Access Administrator there").on(held...)
	}
	return pass("no rights at the Azure root")
}
