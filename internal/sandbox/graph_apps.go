package sandbox

import (
	"net/http"
	"slices"
	"strings"
)

const setAppRoles = "appRoleAssignments"

// assignmentsOf lists the app role assignments of which a property is an object.
func assignmentsOf(property string) func(*call, *State, Object) []Object {
	return func(c *call, st *State, o Object) []Object {
		return slices.DeleteFunc(st.All(setAppRoles), func(a Object) bool { return !strings.EqualFold(text(a, property), text(o, "id")) })
	}
}

func grantsOf(property string) func(*call, *State, Object) []Object {
	return func(c *call, st *State, o Object) []Object {
		return slices.DeleteFunc(st.All(setGrants), func(a Object) bool { return !strings.EqualFold(text(a, property), text(o, "id")) })
	}
}

// hanging is a resource of what hangs on an object of a set.
func hanging(set, typ, context string, list func(*call, *State, Object) []Object) *resource {
	return &resource{set: set, typ: typ, context: context, all: func(c *call, st *State) ([]Object, error) {
		o, err := c.subject(st, set)
		if err != nil {
			return nil, err
		}
		return list(c, st, o), nil
	}}
}

var grants = &resource{set: setGrants, typ: "oAuth2PermissionGrant", kind: "ServicePrincipal", category: "ApplicationManagement", noun: "delegated permission grant",
	make: func(c *call, st *State, o Object) error {
		for _, need := range []string{"clientId", "consentType", "resourceId", "scope"} {
			if text(o, need) == "" {
				return badRequest("A value is required for property '%s'.", need)
			}
		}
		if (text(o, "consentType") == "Principal") != (text(o, "principalId") != "") {
			return badRequest("principalId is required with consentType Principal, and must be null with AllPrincipals.")
		}
		for _, sp := range []string{"clientId", "resourceId"} {
			if st.Get("servicePrincipals", text(o, sp)) == nil {
				return notFound(text(o, sp))
			}
		}
		for _, have := range st.All(setGrants) {
			if text(have, "clientId") == text(o, "clientId") && text(have, "resourceId") == text(o, "resourceId") && text(have, "principalId") == text(o, "principalId") {
				return &graphError{409, "Request_MultipleObjectsWithSameKeyValue", "Permission entry already exists."}
			}
		}
		return nil
	}, change: changeFree}

// addAppRole answers POST appRoleAssignments and appRoleAssignedTo (entra-docs
// serviceprincipal-post-approleassignments).
func addAppRole(c *call) (a answer, err error) {
	o, err := written(c.version, "appRoleAssignment", c.body)
	if err != nil {
		return a, err
	}
	err = c.Update(func(st *State) error {
		if err := c.gates(nil, st); err != nil {
			return err
		}
		if _, err := c.subject(st, "servicePrincipals"); err != nil {
			return err
		}
		principal, typ := st.directoryObject(text(o, "principalId"))
		resource := st.Get("servicePrincipals", text(o, "resourceId"))
		if principal == nil || resource == nil {
			return notFound(text(o, "principalId"))
		}
		role := text(o, "appRoleId")
		if role != "00000000-0000-0000-0000-000000000000" && !slices.ContainsFunc(objects(resource, "appRoles"), func(r Object) bool { return strings.EqualFold(text(r, "id"), role) }) {
			return badRequest("Permission being assigned was not found on application '%s'.", text(resource, "appId"))
		}
		for _, have := range st.All(setAppRoles) {
			if strings.EqualFold(text(have, "principalId"), text(o, "principalId")) && strings.EqualFold(text(have, "resourceId"), text(o, "resourceId")) && strings.EqualFold(text(have, "appRoleId"), role) {
				return badRequest("Permission being assigned already exists on the object.")
			}
		}
		o["id"], o["createdDateTime"] = graphID(), stamp(c.now)
		o["principalType"] = strings.ToUpper(typ[:1]) + typ[1:]
		o["principalDisplayName"], o["resourceDisplayName"] = principal["displayName"], resource["displayName"]
		st.Put(setAppRoles, text(o, "id"), o)
		c.audited(st, servicePrincipals, "Add app role assignment to service principal", nil, o)
		a = c.entity(http.StatusCreated, "appRoleAssignments/$entity", shown(c.version, "appRoleAssignment", o, nil))
		return nil
	})
	return a, err
}

func eraseAppRole(c *call) (answer, error) {
	return noContent, c.Update(func(st *State) error {
		if err := c.gates(nil, st); err != nil {
			return err
		}
		o := st.Get(setAppRoles, c.args["sub"])
		if o == nil {
			return notFound(c.args["sub"])
		}
		st.Delete(setAppRoles, text(o, "id"))
		c.audited(st, servicePrincipals, "Remove app role assignment from service principal", o, nil)
		return nil
	})
}

// addPassword answers POST /applications/{id}/addPassword: the secret is shown
// once.
func addPassword(c *call) (a answer, err error) {
	err = c.Update(func(st *State) error {
		if err := c.gates(nil, st); err != nil {
			return err
		}
		app, err := c.subject(st, "applications")
		if err != nil {
			return err
		}
		secret := randomText(40)
		name := text(c.body, "passwordCredential", "displayName")
		credential := Object{"keyId": graphID(), "displayName": name, "hint": secret[:3], "startDateTime": stamp(c.now), "endDateTime": stamp(c.now.AddDate(2, 0, 0)),
			"customKeyIdentifier": nil, "secretText": nil}
		after := copied(app)
		list, _ := after["passwordCredentials"].([]any)
		after["passwordCredentials"] = append(list, credential)
		st.Put("applications", text(app, "id"), after)
		if st.Secrets == nil {
			st.Secrets = map[string]string{}
		}
		st.Secrets[text(credential, "keyId")] = secret
		c.audited(st, applications, "Update application – Certificates and secrets management", app, after)
		out := copied(credential)
		out["secretText"] = secret
		a = c.entity(http.StatusOK, "microsoft.graph.passwordCredential", out)
		return nil
	})
	return a, err
}
