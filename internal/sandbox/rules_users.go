package sandbox

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode"
)

// makeUser checks and completes a new user (entra-docs user-post-users).
func makeUser(c *call, st *State, o Object) error {
	for _, need := range []string{"accountEnabled", "displayName", "mailNickname", "userPrincipalName", "passwordProfile"} {
		if _, has := o[need]; !has {
			return badRequest("A value is required for property '%s' of resource 'User'.", need)
		}
	}
	if err := validUPN(st, text(o, "userPrincipalName"), ""); err != nil {
		return err
	}
	password, err := passwordOf(o)
	if err != nil {
		return err
	}
	id := text(o, "id")
	for k, v := range map[string]any{"userType": "Member", "createdDateTime": stamp(c.now), "deletedDateTime": nil, "onPremisesSyncEnabled": nil,
		"lastPasswordChangeDateTime": stamp(c.now), "creationType": nil, "businessPhones": []any{}, "otherMails": []any{}, "proxyAddresses": []any{},
		"assignedLicenses": []any{}, "assignedPlans": []any{}, "identities": []any{Object{"signInType": "userPrincipalName", "issuer": st.domain(), "issuerAssignedId": o["userPrincipalName"]}}} {
		if _, has := o[k]; !has {
			o[k] = v
		}
	}
	st.setPassword(o, password, stamp(c.now))
	st.Put("users/"+id+"/authentication/methods", passwordMethod, passwordObject(stamp(c.now)))
	return nil
}

// passwordMethod is the id that every password method has (graph.md section 3).
const passwordMethod = "28c10230-6103-485e-b985-444c60001490"

func passwordObject(at string) Object {
	return Object{"@odata.type": "#microsoft.graph.passwordAuthenticationMethod", "id": passwordMethod, "password": nil, "createdDateTime": at}
}

// setPassword keeps a password where Graph does not show it.
func (s *State) setPassword(o Object, password, at string) {
	id := key(text(o, "id"))
	cr := Credentials{}
	if have := s.Credentials[id]; have != nil {
		cr = *have
	}
	cr.Password = password
	s.Credentials[id] = &cr
	profile := maps.Clone(o["passwordProfile"].(Object))
	profile["password"] = nil
	for _, k := range []string{"forceChangePasswordNextSignIn", "forceChangePasswordNextSignInWithMfa"} {
		if _, has := profile[k]; !has {
			profile[k] = k == "forceChangePasswordNextSignIn"
		}
	}
	o["passwordProfile"] = profile
	o["lastPasswordChangeDateTime"] = at
}

// validUPN checks a user principal name: form, verified domain, uniqueness over
// users and deleted users' clash is left to restore (entra-docs user: property
// userPrincipalName).
func validUPN(st *State, upn, self string) error {
	local, domain, ok := strings.Cut(upn, "@")
	if !ok || local == "" || len(local) > 64 || strings.ContainsFunc(local, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("'.-_!#^~", r)
	}) {
		return badRequest("Property userPrincipalName is invalid.")
	}
	verified := slices.ContainsFunc(st.All("domains"), func(d Object) bool {
		return strings.EqualFold(text(d, "id"), domain) && d["isVerified"] != false
	})
	if !verified {
		return badRequest("The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain names in your organization.")
	}
	if other := st.userNamed(upn); other != nil && strings.EqualFold(text(other, "userPrincipalName"), upn) && !strings.EqualFold(text(other, "id"), self) {
		return badRequest("Another object with the same value for property userPrincipalName already exists.")
	}
	return nil
}

// passwordOf checks the password of a passwordProfile: 8 to 256 characters of
// three of four kinds, none of the words that everybody tries (entra-docs
// concept-sspr-policy, concept-password-ban-bad).
func passwordOf(o Object) (string, error) {
	profile, ok := o["passwordProfile"].(Object)
	password := text(profile, "password")
	if !ok || password == "" {
		return "", badRequest("The specified password does not comply with password complexity requirements. Please provide a different password.")
	}
	strong := !strings.Contains(text(o, "passwordPolicies"), "DisableStrongPassword")
	if err := complexPassword(password, strong); err != nil {
		return "", err
	}
	return password, nil
}

func complexPassword(password string, strong bool) error {
	kinds := [4]bool{}
	for _, r := range password {
		switch {
		case unicode.IsUpper(r):
			kinds[0] = true
		case unicode.IsLower(r):
			kinds[1] = true
		case unicode.IsDigit(r):
			kinds[2] = true
		default:
			kinds[3] = true
		}
	}
	n := 0
	for _, k := range kinds {
		if k {
			n++
		}
	}
	banned := slices.ContainsFunc([]string{"password", "p@ssw0rd", "welcome", "12345678", "qwerty"}, func(w string) bool { return strings.Contains(strings.ToLower(password), w) })
	length := len([]rune(password))
	if length < 8 || length > 256 || strong && (n < 3 || banned && length < 16) {
		return badRequest("The specified password does not comply with password complexity requirements. Please provide a different password.")
	}
	return nil
}

// sensitiveProperties are those of which the change is a sensitive action
// (entra-docs privileged-roles-permissions).
var sensitiveProperties = []string{"accountEnabled", "passwordProfile", "userPrincipalName", "mobilePhone", "businessPhones", "otherMails"}

// changeUser checks a changed user (entra-docs user-update).
func changeUser(c *call, st *State, before, after Object) error {
	if p := c.op.application; p != "" && !suffices("User.ReadWrite.All Directory.ReadWrite.All", c.caller.Permissions) {
		if err := c.narrow(); err != nil {
			return err
		}
	}
	for _, name := range sensitiveProperties {
		if _, has := c.body[name]; has {
			if err := c.sensitive(st, text(before, "id")); err != nil {
				return err
			}
			break
		}
	}
	if err := c.unrestricted(st, text(before, "id")); err != nil {
		return err
	}
	if upn := text(after, "userPrincipalName"); !strings.EqualFold(upn, text(before, "userPrincipalName")) {
		if err := validUPN(st, upn, text(before, "id")); err != nil {
			return err
		}
	}
	if before["accountEnabled"] == true && after["accountEnabled"] == false {
		if err := c.notLastAdministrator(st, text(before, "id")); err != nil {
			return err
		}
	}
	if profile, has := c.body["passwordProfile"].(Object); has {
		merged := Object{}
		if old, ok := before["passwordProfile"].(Object); ok {
			maps.Copy(merged, old)
		}
		maps.Copy(merged, profile)
		after["passwordProfile"] = merged
		if _, set := profile["password"]; set {
			password, err := passwordOf(after)
			if err != nil {
				return err
			}
			st.setPassword(after, password, stamp(c.now))
		}
	}
	return nil
}

// narrow lets the narrow permissions change only what they name (entra-docs
// user-update, "Permissions for specific scenarios").
func (c *call) narrow() error {
	for name := range c.body {
		need := map[string]string{"accountEnabled": "User.EnableDisableAccount.All", "passwordProfile": "User-PasswordProfile.ReadWrite.All",
			"identities": "User.ManageIdentities.All", "otherMails": "User-Mail.ReadWrite.All", "businessPhones": "User-Phone.ReadWrite.All", "mobilePhone": "User-Phone.ReadWrite.All"}[name]
		if need == "" || !suffices(need, c.caller.Permissions) {
			return denied()
		}
	}
	return nil
}

// removeUser moves a user to the deleted items, with its role assignments
// (entra-docs users-restore).
func removeUser(c *call, st *State, o Object) error {
	id := text(o, "id")
	if err := c.sensitive(st, id); err != nil {
		return err
	}
	if err := c.notLastAdministrator(st, id); err != nil {
		return err
	}
	for _, set := range []string{setAssignments, setActive, setEligible} {
		for _, a := range st.All(set) {
			if strings.EqualFold(text(a, "principalId"), id) {
				kept := maps.Clone(a)
				kept["~set"] = set
				st.Put(setDeleted+"/roleAssignments", text(a, "id"), kept)
				st.Delete(set, text(a, "id"))
			}
		}
	}
	bury(c, st, o, "user")
	return nil
}

func bury(c *call, st *State, o Object, typ string) {
	gone := typed(o, typ)
	gone["deletedDateTime"] = stamp(c.now)
	st.Put(setDeleted, text(o, "id"), gone)
}

// administrators are the users who can act as Global Administrator: active in
// the whole tenant, enabled, not deleted, themselves or through a group.
func (s *State) administrators() []string {
	var out []string
	for _, set := range []string{setAssignments, setActive} {
		for _, a := range s.All(set) {
			if !strings.EqualFold(text(a, "roleDefinitionId"), globalAdmin) || text(a, "directoryScopeId") != "/" {
				continue
			}
			for _, id := range append([]string{key(text(a, "principalId"))}, s.Linked("groups/members", text(a, "principalId"))...) {
				u := s.Get("users", id)
				if u != nil && u["accountEnabled"] != false && !slices.Contains(out, id) {
					out = append(out, id)
				}
			}
		}
	}
	return out
}

func lastAdministrator() error {
	return &graphError{http.StatusBadRequest, "Request_BadRequest", "Removing or disabling the last Global Administrator of the tenant is not allowed: at least one must remain."}
}

func (c *call) notLastAdministrator(st *State, user string) error {
	if list := st.administrators(); len(list) == 1 && list[0] == key(user) {
		return lastAdministrator()
	}
	return nil
}

// keepsAdministrator makes a change and takes it back when it would leave the
// tenant without a Global Administrator. what names the object for a change that
// finds nothing.
func (s *State) keepsAdministrator(what string, do func() bool, undo func()) error {
	had := len(s.administrators())
	if !do() {
		return notFound(what)
	}
	if had > 0 && len(s.administrators()) == 0 {
		undo()
		return lastAdministrator()
	}
	return nil
}

// restore answers POST /directory/deletedItems/{id}/restore.
func restore(c *call) (a answer, err error) {
	err = c.Update(func(st *State) error {
		if err := c.gates(nil, st); err != nil {
			return err
		}
		gone := st.Get(setDeleted, c.args["id"])
		if gone == nil {
			return notFound(c.args["id"])
		}
		typ := typeOf(gone, "directoryObject")
		back := maps.Clone(gone)
		delete(back, "@odata.type")
		back["deletedDateTime"] = nil
		set := "groups"
		if typ == "user" {
			set = "users"
			if !suffices("User.DeleteRestore.All User.ReadWrite.All", c.caller.Permissions) {
				return denied()
			}
			if other := st.userNamed(text(back, "userPrincipalName")); other != nil {
				return badRequest("Another object with the same value for property userPrincipalName already exists.")
			}
		}
		st.Delete(setDeleted, text(gone, "id"))
		st.Put(set, text(back, "id"), back)
		for _, r := range st.All(setDeleted + "/roleAssignments") {
			if strings.EqualFold(text(r, "principalId"), text(back, "id")) {
				kept := maps.Clone(r)
				home := text(r, "~set")
				delete(kept, "~set")
				st.Delete(setDeleted+"/roleAssignments", text(r, "id"))
				st.Put(home, text(r, "id"), kept)
			}
		}
		res := map[string]*resource{"users": users, "groups": groups}[set]
		c.audited(st, res, "Restore "+res.noun, gone, back)
		a = c.entity(http.StatusOK, "directoryObjects/$entity", shownAs(c.version, "directoryObject", typ, back, restoredProperties[typ]))
		return nil
	})
	return a, err
}

var restoredProperties = map[string][]string{"user": append([]string{}, userDefaults...)}

// purge answers DELETE /directory/deletedItems/{id}: for ever.
func purge(c *call) (answer, error) {
	return noContent, c.Update(func(st *State) error {
		if err := c.gates(nil, st); err != nil {
			return err
		}
		gone := st.Get(setDeleted, c.args["id"])
		if gone == nil {
			return notFound(c.args["id"])
		}
		id := text(gone, "id")
		st.Delete(setDeleted, id)
		delete(st.Credentials, key(id))
		delete(st.Sets, "users/"+key(id)+"/authentication/methods")
		for _, links := range st.Links {
			for from := range links {
				links[from] = slices.DeleteFunc(links[from], func(to string) bool { return to == key(id) })
			}
			delete(links, key(id))
		}
		c.audited(st, users, "Hard Delete user", gone, nil)
		return nil
	})
}

func deletedItems(cast string) *resource {
	res := &resource{set: setDeleted, typ: "directoryObject", context: "directoryObjects", directory: true}
	if cast != "" {
		res.cast, res.context = cast, plural(cast)
		if cast == "user" {
			res.view = func(c *call, st *State, o Object) Object { return o }
		}
	}
	return res
}

// revoke answers POST /users/{id}/revokeSignInSessions.
func revoke(c *call) (a answer, err error) {
	err = c.Update(func(st *State) error {
		if err := c.gates(nil, st); err != nil {
			return err
		}
		o, err := c.subject(st, "users")
		if err != nil {
			return err
		}
		if err := c.sensitive(st, text(o, "id")); err != nil {
			return err
		}
		after := maps.Clone(o)
		after["signInSessionsValidFromDateTime"] = stamp(c.now)
		after["refreshTokensValidFromDateTime"] = stamp(c.now)
		st.Put("users", text(o, "id"), after)
		c.audited(st, users, "Update StsRefreshTokenValidFrom Timestamp", o, after)
		a = answer{status: http.StatusOK, body: Object{"@odata.context": c.context("Edm.Boolean"), "value": true}}
		return nil
	})
	return a, err
}
