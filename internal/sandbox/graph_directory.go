package sandbox

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// directorySets are the sets of directory objects, with their types.
var directorySets = []struct{ set, typ string }{
	{"users", "user"}, {"groups", "group"}, {"servicePrincipals", "servicePrincipal"}, {"applications", "application"},
	{"devices", "device"}, {setUnits, "administrativeUnit"},
}

// directoryObject finds a directory object by id, and its type.
func (s *State) directoryObject(id string) (Object, string) {
	for _, d := range directorySets {
		if o := s.Get(d.set, id); o != nil {
			return o, d.typ
		}
	}
	return nil, ""
}

// typed is a copy of a directory object that says its type.
func typed(o Object, typ string) Object {
	out := maps.Clone(o)
	out["@odata.type"] = "#microsoft.graph." + typ
	return out
}

var userDefaults = []string{"businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone", "officeLocation",
	"preferredLanguage", "surname", "userPrincipalName", "id"}

var users = &resource{set: "users", typ: "user", directory: true, defaults: userDefaults, kind: "User", category: "UserManagement", noun: "user",
	make: makeUser, change: changeUser, remove: removeUser, gate: userGate,
	find: func(c *call, st *State, id string) Object {
		if name := c.args["key"]; name != "" {
			id = name
		}
		return st.userNamed(id)
	}}

var groups = &resource{set: "groups", typ: "group", directory: true, kind: "Group", category: "GroupManagement", noun: "group",
	make: makeGroup, change: changeGroup, remove: removeGroup}

var applications = &resource{set: "applications", typ: "application", directory: true, kind: "Application", category: "ApplicationManagement", noun: "application",
	make: makeApplication, change: changeFree, remove: func(c *call, st *State, o Object) error { return nil }, find: byAppID("applications")}

var servicePrincipals = &resource{set: "servicePrincipals", typ: "servicePrincipal", directory: true, kind: "ServicePrincipal", category: "ApplicationManagement", noun: "service principal",
	make: makeServicePrincipal, change: changeFree, remove: func(c *call, st *State, o Object) error { return nil }, find: byAppID("servicePrincipals")}

var devices = &resource{set: "devices", typ: "device", directory: true}

var units = &resource{set: setUnits, typ: "administrativeUnit", context: "administrativeUnits", directory: true, kind: "AdministrativeUnit", category: "AdministrativeUnit", noun: "administrative unit",
	make: makeUnit, change: changeUnit, remove: func(c *call, st *State, o Object) error {
		delete(st.Links["administrativeUnits/members"], key(text(o, "id")))
		return nil
	}}

func changeFree(c *call, st *State, before, after Object) error { return nil }

// byAppID finds by id, or by the key appId of name(appId='…').
func byAppID(set string) func(*call, *State, string) Object {
	return func(c *call, st *State, id string) Object {
		if app := c.args["key"]; app != "" {
			for _, o := range st.All(set) {
				if strings.EqualFold(text(o, "appId"), app) {
					return o
				}
			}
			return nil
		}
		return st.Get(set, id)
	}
}

// userGate refuses signInActivity to tenants and tokens that may not read it
// (entra-docs user-list: P1 or P2 and AuditLog.Read.All).
func userGate(c *call, st *State) error {
	asked := slices.ContainsFunc(c.query.selected, func(s string) bool { return strings.EqualFold(s, "signInActivity") })
	c.query.filter.walk(func(f *filterNode) {
		asked = asked || len(f.path) > 0 && strings.EqualFold(f.path[0], "signInActivity")
	})
	if !asked {
		return nil
	}
	if plans[st.Plan] < 1 {
		return &graphError{403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", "Neither tenant is B2C or tenant doesn't have premium license"}
	}
	if !suffices("AuditLog.Read.All", c.caller.Permissions) {
		return denied()
	}
	return nil
}

// subject finds the user, group or other object that the request's {id} names.
func (c *call) subject(st *State, set string) (Object, error) {
	o := st.Get(set, c.args["id"])
	switch set {
	case "users":
		o = st.userNamed(c.args["id"])
	case "servicePrincipals", "applications":
		o = byAppID(set)(c, st, c.args["id"])
	}
	if o == nil || !c.visible(st, text(o, "id")) {
		return nil, notFound(c.args["id"])
	}
	return o, nil
}

// related answers a list of directory objects that hang on one of a set. cast
// is the one type asked for, "" all.
func related(set, cast string, list func(c *call, st *State, o Object) []Object) func(*call) (answer, error) {
	res := &resource{typ: "directoryObject", context: "directoryObjects", directory: true}
	if cast != "" {
		res = &resource{typ: cast, context: plural(cast), directory: true}
	}
	return func(c *call) (a answer, err error) {
		r := *res
		r.all = func(c *call, st *State) ([]Object, error) {
			o, err := c.subject(st, set)
			if err != nil {
				return nil, err
			}
			all := list(c, st, o)
			if cast != "" {
				all = slices.DeleteFunc(all, func(o Object) bool { return typeOf(o, "directoryObject") != cast })
			}
			return all, nil
		}
		return readAll(&r)(c)
	}
}

func plural(typ string) string {
	if strings.HasSuffix(typ, "y") {
		return strings.TrimSuffix(typ, "y") + "ies"
	}
	return typ + "s"
}

// resolved turns ids into typed directory objects; what is gone is left out.
func (s *State) resolved(ids []string) []Object {
	out := []Object{}
	for _, id := range ids {
		if o, typ := s.directoryObject(id); o != nil {
			out = append(out, typed(o, typ))
		}
	}
	return out
}

func linkedBy(relation string) func(*call, *State, Object) []Object {
	return func(c *call, st *State, o Object) []Object { return st.resolved(st.Linked(relation, text(o, "id"))) }
}

// holders are the objects whose relation leads to an object: memberOf.
func (s *State) holders(relation, id string) []string {
	var out []string
	for _, from := range keys(s.Links[relation]) {
		if slices.Contains(s.Links[relation][from], key(id)) {
			out = append(out, from)
		}
	}
	return out
}

func memberOf(c *call, st *State, o Object) []Object {
	id := text(o, "id")
	out := st.resolved(st.holders("groups/members", id))
	return append(out, st.otherContainers(id)...)
}

func transitiveMemberOf(c *call, st *State, o Object) []Object {
	id := text(o, "id")
	return append(st.resolved(st.groupsOf(id)), st.otherContainers(id)...)
}

// otherContainers are the directory roles and administrative units of an object.
func (s *State) otherContainers(id string) []Object {
	out := s.resolved(s.holders("administrativeUnits/members", id))
	for _, role := range s.rolesOf(id, "/") {
		if def := s.Get(setRoles, role); def != nil {
			out = append(out, s.directoryRole(def))
		}
	}
	return out
}

// directoryRole is the activated role of a role definition; its id is another
// than the template's (entra-docs directoryrole).
func (s *State) directoryRole(def Object) Object {
	template := text(def, "templateId")
	return Object{"@odata.type": "#microsoft.graph.directoryRole", "id": derivedID(s.ID, template), "displayName": def["displayName"],
		"description": def["description"], "roleTemplateId": template, "deletedDateTime": nil}
}

func transitiveMembers(c *call, st *State, o Object) []Object {
	var ids []string
	for queue := []string{key(text(o, "id"))}; len(queue) > 0; queue = queue[1:] {
		for _, m := range st.Linked("groups/members", queue[0]) {
			if !slices.Contains(ids, m) {
				ids = append(ids, m)
				queue = append(queue, m)
			}
		}
	}
	return st.resolved(ids)
}

func ownedObjects(c *call, st *State, o Object) []Object {
	id := text(o, "id")
	ids := st.Linked("users/ownedObjects", id)
	for _, relation := range []string{"groups/owners", "applications/owners", "servicePrincipals/owners"} {
		for _, h := range st.holders(relation, id) {
			if !slices.Contains(ids, h) {
				ids = append(slices.Clone(ids), h)
			}
		}
	}
	return st.resolved(ids)
}

var relationSet = map[string]string{"groups/members": "groups", "groups/owners": "groups", "administrativeUnits/members": setUnits,
	"applications/owners": "applications", "servicePrincipals/owners": "servicePrincipals"}

// relate answers POST …/$ref.
func relate(relation string) func(*call) (answer, error) {
	set := relationSet[relation]
	_, property, _ := strings.Cut(relation, "/")
	return func(c *call) (answer, error) {
		address, _ := c.body["@odata.id"].(string)
		id := address[strings.LastIndex(address, "/")+1:]
		if id == "" || len(c.body) != 1 {
			return answer{}, badRequest("The request body must contain '@odata.id' with the address of a directory object.")
		}
		return noContent, c.Update(func(st *State) error {
			if err := c.gates(nil, st); err != nil {
				return err
			}
			o, err := c.subject(st, set)
			if err != nil {
				return err
			}
			target, typ := st.directoryObject(id)
			if target == nil || !c.visible(st, id) {
				return notFound(id)
			}
			if err := c.mayRelate(st, relation, o, typ); err != nil {
				return err
			}
			if !st.Link(relation, text(o, "id"), text(target, "id")) {
				return badRequest("One or more added object references already exist for the following modified properties: '%s'.", property)
			}
			c.relation(st, relation, "Add", o, target)
			return nil
		})
	}
}

// unrelate answers DELETE …/{ref}/$ref.
func unrelate(relation string) func(*call) (answer, error) {
	set := relationSet[relation]
	return func(c *call) (answer, error) {
		return noContent, c.Update(func(st *State) error {
			if err := c.gates(nil, st); err != nil {
				return err
			}
			o, err := c.subject(st, set)
			if err != nil {
				return err
			}
			if err := c.mayRelate(st, relation, o, ""); err != nil {
				return err
			}
			id := c.args["ref"]
			if relation == "groups/members" {
				if err := st.keepsAdministrator(id, func() bool { return st.Unlink(relation, text(o, "id"), id) }, func() { st.Link(relation, text(o, "id"), id) }); err != nil {
					return err
				}
			} else if !st.Unlink(relation, text(o, "id"), id) {
				return notFound(id)
			}
			target, _ := st.directoryObject(id)
			c.relation(st, relation, "Remove", o, target)
			return nil
		})
	}
}

// relation writes the audit record of a change of members or owners; its target
// is the object that came or went.
func (c *call) relation(st *State, relation, verb string, o, target Object) {
	noun := map[string]string{"groups/members": "member to group", "groups/owners": "owner to group", "administrativeUnits/members": "member to administrative unit"}[relation]
	if noun == "" {
		noun = "owner to application"
	}
	if verb == "Remove" {
		noun = strings.Replace(noun, " to ", " from ", 1)
	}
	change := Change{By: c.caller, Activity: verb + " " + noun, Category: "GroupManagement", Service: "Core Directory", Type: "Group"}
	if strings.HasPrefix(relation, "administrativeUnits") {
		change.Category, change.Type = "AdministrativeUnit", "AdministrativeUnit"
	}
	after := maps.Clone(o)
	after[strings.SplitN(relation, "/", 2)[1]] = []any{text(target, "id")}
	if verb == "Add" {
		change.Before, change.Target = o, after
	} else {
		change.Before, change.Target = after, o
	}
	c.audit(st, change)
}

// countOf answers …/$count as plain text.
func countOf(res *resource) func(*call) (answer, error) {
	return func(c *call) (a answer, err error) {
		if !c.query.eventual {
			return a, badRequest("$count is not currently supported.")
		}
		c.query.count = true
		if err := c.advanced(res); err != nil {
			return a, err
		}
		c.View(func(st *State) {
			var src source
			if src, err = res.source(c, st); err != nil {
				return
			}
			n := 0
			if c.query.filter == nil && res.all == nil {
				a = answer{status: http.StatusOK, body: itoa(st.Total(res.set))}
				return
			}
			for i := range src.count {
				if o := src.at(i); o != nil && (c.query.filter == nil || c.query.filter.matches(o, nil)) {
					n++
				}
			}
			a = answer{status: http.StatusOK, body: itoa(n)}
		})
		return a, err
	}
}

// getByIDs answers POST /directoryObjects/getByIds.
func getByIDs(c *call) (a answer, err error) {
	ids := texts(c.body, "ids")
	if len(ids) == 0 || len(ids) > 1000 {
		return a, badRequest("Invalid number of ids: between 1 and 1000 are supported.")
	}
	wanted := texts(c.body, "types")
	c.View(func(st *State) {
		value := []any{}
		for _, o := range st.resolved(ids) {
			typ := typeOf(o, "directoryObject")
			fits := func(w string) bool { return strings.EqualFold(w, typ) || strings.EqualFold(w, "directoryObject") }
			if len(wanted) > 0 && !slices.ContainsFunc(wanted, fits) || !c.visible(st, text(o, "id")) {
				continue
			}
			value = append(value, shown(c.version, "directoryObject", o, c.query.selected))
		}
		a = answer{status: http.StatusOK, body: Object{"@odata.context": c.context("directoryObjects"), "value": value}}
	})
	return a, nil
}

// manager answers GET, PUT and DELETE of a user's manager.
func manager(c *call) (a answer, err error) {
	c.View(func(st *State) {
		var o Object
		if o, err = c.subject(st, "users"); err != nil {
			return
		}
		list := st.resolved(st.Linked("users/manager", text(o, "id")))
		if len(list) == 0 {
			err = notFound("manager")
			return
		}
		a = c.entity(http.StatusOK, "directoryObjects/$entity", shown(c.version, "directoryObject", list[0], c.query.selected))
	})
	return a, err
}

func removeManager(c *call) (answer, error) {
	return noContent, c.Update(func(st *State) error {
		o, err := c.subject(st, "users")
		if err != nil {
			return err
		}
		have := st.Linked("users/manager", text(o, "id"))
		if len(have) == 0 {
			return notFound("manager")
		}
		st.Unlink("users/manager", text(o, "id"), have[0])
		c.audited(st, users, "Remove manager", o, o)
		return nil
	})
}
