package sandbox

import (
	"net/http"
	"slices"
	"strings"
)

// operation is one row of the table of operations: what Graph serves, to whom,
// and at what price.
type operation struct {
	method, path string
	only         string // the one version that has it; "" both
	// application and delegated are the permissions of which one suffices, least
	// first; A+B are needed together.
	application, delegated string
	// licence that the tenant needs: "", P1, P2, Governance.
	licence string
	// roles names, for delegated calls, the Entra roles of which the person must
	// hold one (roleSets); "" any person.
	roles string
	// family is what throttling counts the request to.
	family string
	// units is the cost in resource units before $select, $expand and $top.
	units int
	do    func(*call) (answer, error)
	doc   string // page of the documentation
}

func (op *operation) versions() []string {
	if op.only != "" {
		return []string{op.only}
	}
	return []string{v1, beta}
}

// allowed checks the permissions of the caller's token.
func (c *call) allowed() error {
	list := c.op.application
	if c.caller.Delegated() {
		list = c.op.delegated
		if list == "" && c.op.application != "" {
			return denied()
		}
	} else if list == "" && c.op.delegated != "" {
		return &graphError{403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation: application-only access is not supported."}
	}
	if list == "" || suffices(list, c.caller.Permissions) {
		return nil
	}
	if own, ok := ownPermission[c.op.path]; ok && c.caller.Delegated() && strings.EqualFold(c.args["id"], c.caller.UserID) && suffices(own, c.caller.Permissions) {
		return nil
	}
	if strings.HasPrefix(c.op.family, "policy") {
		return &graphError{403, "AccessDenied", "You cannot perform the requested operation, required scopes are missing in the token."}
	}
	return denied()
}

// ownPermission is what suffices for a person's own object.
var ownPermission = map[string]string{
	"/users/{id}": "User.Read", "/users/{id}/memberOf": "User.Read", "/users/{id}/transitiveMemberOf": "User.Read",
}

func suffices(list string, have []string) bool {
	return slices.ContainsFunc(strings.Fields(list), func(one string) bool {
		for _, need := range strings.Split(one, "+") {
			if !slices.ContainsFunc(have, func(h string) bool { return covers(h, need) }) {
				return false
			}
		}
		return true
	})
}

// covers reports whether a permission gives what another does: writing includes
// reading.
func covers(have, need string) bool {
	return strings.EqualFold(have, need) || strings.EqualFold(strings.Replace(have, ".ReadWrite.", ".Read.", 1), need)
}

// ranks of the licences that a tenant may have.
var plans = map[string]int{"": 0, "Free": 0, "P1": 1, "P2": 2}

// licensed refuses what the tenant has no licence for (graph.md section 2).
func (c *call) licensed(st *State) error { return c.licence(st, c.op.licence) }

func (c *call) licence(st *State, need string) error {
	switch need {
	case "":
		return nil
	case "Governance":
		if st.governed() {
			return nil
		}
		return &graphError{403, "AccessDenied", "Insufficient license to perform the operation: the tenant needs Microsoft Entra ID Governance."}
	}
	if plans[st.Plan] >= plans[need] {
		return nil
	}
	if strings.HasPrefix(c.op.family, "reports") {
		return &graphError{403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", "Neither tenant is B2C or tenant doesn't have premium license"}
	}
	if c.op.family == "pim" {
		return &graphError{400, "AadPremiumLicenseRequired", "The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license."}
	}
	return &graphError{403, "AccessDenied", "Your tenant is not licensed for this feature."}
}

// governed reports whether the tenant has Microsoft Entra ID Governance.
func (s *State) governed() bool {
	for _, sku := range s.All("subscribedSkus") {
		for _, p := range objects(sku, "servicePlans") {
			if strings.Contains(strings.ToUpper(text(p, "servicePlanName")), "IDENTITY_GOVERNANCE") {
				return true
			}
		}
	}
	return false
}

// roleSets are the Entra roles of which one is needed for a delegated call, by
// the name that the table of operations uses (the "Permissions" section of each
// page). Global Administrator may do everything; Global Reader reads.
var roleSets = map[string][]string{
	"policyRead":    {globalReader, securityReader, securityAdmin, securityOperator, caAdmin},
	"policyWrite":   {securityAdmin, caAdmin},
	"methodsRead":   {globalReader, authPolicyAdmin, securityReader, securityAdmin},
	"methodsWrite":  {authPolicyAdmin},
	"userMethods":   {authAdmin, privAuthAdmin},
	"userMethodsRO": {globalReader, authAdmin, privAuthAdmin},
	"userWrite":     {userAdmin, privAuthAdmin},
	"userDelete":    {userAdmin, privAuthAdmin},
	"password":      {userAdmin, privAuthAdmin, authAdmin, helpdeskAdmin, passwordAdmin},
	"revoke":        {userAdmin, privAuthAdmin, authAdmin, helpdeskAdmin, passwordAdmin},
	"groupWrite":    {userAdmin, groupsAdmin, privRoleAdmin, directoryWriter},
	"unitWrite":     {privRoleAdmin},
	"roleRead":      {globalReader, privRoleAdmin, securityReader, securityAdmin, directoryReader},
	"roleWrite":     {privRoleAdmin},
	"logs":          {globalReader, securityReader, securityAdmin, securityOperator, reportsReader},
	"risk":          {globalReader, securityReader, securityAdmin, securityOperator},
	"appWrite":      {appAdmin, cloudAppAdmin},
	"consent":       {privRoleAdmin},
	"governance":    {globalReader, governanceAdmin, securityReader},
	"lifecycle":     {globalReader, lifecycleAdmin},
	"tenantWrite":   {},
}

// role checks the Entra role of the person behind a delegated call.
func (c *call) role(st *State) error {
	if !c.caller.Delegated() || c.op.roles == "" {
		return nil
	}
	if c.holds(st, append([]string{globalAdmin}, roleSets[c.op.roles]...)...) {
		return nil
	}
	if strings.EqualFold(c.args["id"], c.caller.UserID) && c.op.method == http.MethodGet && strings.HasPrefix(c.op.roles, "userMethods") {
		return nil // one's own methods
	}
	if strings.HasPrefix(c.op.family, "policy") {
		return &graphError{403, "AccessDenied", "You cannot perform the requested operation, required scopes are missing in the token or the signed-in user is not in a supported role."}
	}
	if strings.HasPrefix(c.op.family, "reports") {
		return &graphError{403, "Authentication_MSGraphPermissionMissing", "User is not in the allowed roles"}
	}
	return denied()
}

// holds reports whether the caller, person or application, holds one of the
// roles in the whole tenant.
func (c *call) holds(st *State, roles ...string) bool {
	return slices.ContainsFunc(st.rolesOf(c.principal(st), "/"), func(r string) bool { return slices.Contains(roles, r) })
}

// principal is the id of the caller's own object: the user, or the service
// principal of an application.
func (c *call) principal(st *State) string {
	if c.caller.Delegated() {
		return c.caller.UserID
	}
	for _, sp := range st.All("servicePrincipals") {
		if strings.EqualFold(text(sp, "appId"), c.caller.AppID) {
			return text(sp, "id")
		}
	}
	return ""
}

// cost is the resource units of the request (graph.md section 5: $select -1,
// $expand +1, $top < 20 -1, never below 1).
func (c *call) cost() int {
	n := max(1, c.op.units)
	if c.query.selected != nil {
		n--
	}
	if c.query.expand != nil {
		n++
	}
	if c.query.top > 0 && c.query.top < 20 {
		n--
	}
	return max(1, n)
}
