package sandbox

import (
	"crypto/rand"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// methodsOf is the set of the authentication methods of a user.
func methodsOf(user string) string { return "users/" + key(user) + "/authentication/methods" }

// userMethods are the methods of one type; cast "" all.
func userMethods(cast, collection string) *resource {
	res := &resource{set: "users/{id}/authentication/methods", typ: "authenticationMethod", cast: cast,
		context: "users('{id}')/authentication/" + collection, unpaged: true, kind: "User", service: "Authentication Methods", category: "UserManagement",
		noun: "authentication method"}
	res.all = func(c *call, st *State) ([]Object, error) {
		u, err := c.subject(st, "users")
		if err != nil {
			return nil, err
		}
		list := st.All(methodsOf(text(u, "id")))
		if !slices.ContainsFunc(list, func(o Object) bool { return text(o, "id") == passwordMethod }) {
			list = append([]Object{passwordObject(text(u, "createdDateTime"))}, list...)
		}
		out := []Object{}
		for _, o := range list {
			t := types().types[typeOf(o, "authenticationMethod")]
			if t != nil && (t.only == "" || t.only == c.version) && (cast == "" || types().is(t.name, cast)) {
				out = append(out, o)
			}
		}
		return out, nil
	}
	res.view = func(c *call, st *State, o Object) Object { return methodView(c, st, o) }
	return res
}

// methodView is a method as a read shows it: no password, no pass, and whether a
// pass can be used now.
func methodView(c *call, st *State, o Object) Object {
	out := maps.Clone(o)
	switch typeOf(o, "authenticationMethod") {
	case "temporaryAccessPassAuthenticationMethod":
		out["temporaryAccessPass"] = nil
		usable, why := passUsable(o, c.now)
		out["isUsable"], out["methodUsabilityReason"] = usable, why
	case "passwordAuthenticationMethod":
		out["password"] = nil
	case "fido2AuthenticationMethod":
		delete(out, "publicKeyCredential")
	}
	return out
}

func passUsable(o Object, now time.Time) (bool, string) {
	start, err := time.Parse(time.RFC3339, text(o, "startDateTime"))
	minutes, _ := number(o["lifetimeInMinutes"])
	switch {
	case err != nil:
		return false, "NotYetValid"
	case now.Before(start):
		return false, "NotYetValid"
	case !now.Before(start.Add(time.Duration(minutes) * time.Minute)):
		return false, "Expired"
	case flag(o, "~used"):
		return false, "OneTimeUsed"
	}
	return true, "EnabledByPolicy"
}

// holder finds the user whose methods are changed and checks that the caller may.
func (c *call) holder(st *State) (Object, error) {
	if err := c.gates(nil, st); err != nil {
		return nil, err
	}
	u, err := c.subject(st, "users")
	if err != nil {
		return nil, err
	}
	return u, c.sensitive(st, text(u, "id"))
}

// addMethod answers POST of a method; build checks and completes it.
func addMethod(cast, collection string, build func(c *call, st *State, user, o Object) error) func(*call) (answer, error) {
	return func(c *call) (a answer, err error) {
		o, err := written(c.version, cast, c.body)
		if err != nil {
			return a, err
		}
		err = c.Update(func(st *State) error {
			u, err := c.holder(st)
			if err != nil {
				return err
			}
			o["@odata.type"] = "#microsoft.graph." + cast
			if err := build(c, st, u, o); err != nil {
				return err
			}
			if text(o, "id") == "" {
				o["id"] = graphID()
			}
			if o["createdDateTime"] == nil {
				o["createdDateTime"] = stamp(c.now)
			}
			shownOnce := shown(c.version, cast, o, nil)
			stored := maps.Clone(o)
			if cast == "temporaryAccessPassAuthenticationMethod" {
				stored["temporaryAccessPass"] = nil
			}
			st.Put(methodsOf(text(u, "id")), text(o, "id"), stored)
			c.methodAudit(st, u, "Admin registered security info", nil, stored)
			a = c.entity(http.StatusCreated, "users('"+text(u, "id")+"')/authentication/"+collection+"/$entity", shownOnce)
			return nil
		})
		return a, err
	}
}

func (c *call) methodAudit(st *State, user Object, activity string, before, after Object) {
	withMethod := func(m Object) Object {
		o := maps.Clone(user)
		if m != nil {
			o["authenticationMethod"] = text(m, "@odata.type")
		}
		return o
	}
	c.audit(st, Change{By: c.caller, Activity: activity, Category: "UserManagement", Service: "Authentication Methods", Type: "User", Before: withMethod(before), Target: withMethod(after)})
}

// removeMethod answers DELETE of a method.
func removeMethod(cast string) func(*call) (answer, error) {
	res := userMethods(cast, "methods")
	return func(c *call) (answer, error) {
		return noContent, c.Update(func(st *State) error {
			u, err := c.holder(st)
			if err != nil {
				return err
			}
			o, err := res.get(c, st)
			if err != nil {
				return err
			}
			id := text(o, "id")
			st.Delete(methodsOf(text(u, "id")), id)
			st.forget(text(u, "id"), cast, id)
			for _, d := range st.All(setTokens) {
				if cast == "hardwareOathAuthenticationMethod" && strings.EqualFold(text(d, "id"), text(o, "device", "id")) {
					free := maps.Clone(d)
					free["status"], free["assignedTo"] = "available", nil
					st.Put(setTokens, text(d, "id"), free)
				}
			}
			c.methodAudit(st, u, "Admin deleted security info", o, nil)
			return nil
		})
	}
}

// forget drops the credential that belonged to a method.
func (s *State) forget(user, cast, id string) {
	have := s.Credentials[key(user)]
	if have == nil {
		return
	}
	cr := *have
	switch cast {
	case "temporaryAccessPassAuthenticationMethod":
		cr.TAP = ""
	case "softwareOathAuthenticationMethod", "hardwareOathAuthenticationMethod":
		cr.TOTP = ""
	case "fido2AuthenticationMethod":
		cr.Passkeys = withoutPasskey(cr.Passkeys, id)
	}
	s.Credentials[key(user)] = &cr
}

// method is the configuration of a method in the methods policy.
func (c *call) method(st *State, id string) Object {
	for _, m := range objects(c.single(st, pathMethods), "authenticationMethodConfigurations") {
		if strings.EqualFold(text(m, "id"), id) {
			return m
		}
	}
	return nil
}

// inScope reports whether a method is on for a user: enabled, included by a
// target and excluded by none (entra-docs concept-authentication-methods-manage).
// It returns the target that includes.
func (c *call) inScope(st *State, config Object, user string) (Object, bool) {
	if config == nil || text(config, "state") != "enabled" {
		return nil, false
	}
	groups := st.groupsOf(user)
	hits := func(t Object) bool {
		id := key(text(t, "id"))
		return id == "all_users" || id == key(user) || slices.Contains(groups, id)
	}
	if slices.ContainsFunc(objects(config, "excludeTargets"), hits) {
		return nil, false
	}
	for _, t := range objects(config, "includeTargets") {
		if hits(t) {
			return t, true
		}
	}
	return nil, false
}

func notInPolicy(method string) error {
	return badRequest("%s is not enabled for the user by the authentication methods policy.", method)
}

// makePass checks and completes a new Temporary Access Pass (entra-docs
// authentication-post-temporaryaccesspassmethods, howto-authentication-temporary-access-pass).
func makePass(c *call, st *State, user, o Object) error {
	config := c.method(st, "TemporaryAccessPass")
	id := text(user, "id")
	if _, ok := c.inScope(st, config, id); !ok {
		return notInPolicy("Temporary Access Pass")
	}
	minutes, given := number(o["lifetimeInMinutes"])
	least, _ := number(config["minimumLifetimeInMinutes"])
	most, _ := number(config["maximumLifetimeInMinutes"])
	if !given {
		minutes, _ = number(config["defaultLifetimeInMinutes"])
	}
	if minutes < least || minutes > most {
		return badRequest("The lifetime of the Temporary Access Pass must be between %v and %v minutes.", least, most)
	}
	once, asked := o["isUsableOnce"].(bool)
	if forced := flag(config, "isUsableOnce"); forced && asked && !once {
		return badRequest("The Temporary Access Pass policy demands passes that are usable once.")
	} else if !asked {
		once = forced
	}
	start := c.now
	if s := text(o, "startDateTime"); s != "" {
		t, err := time.Parse(time.RFC3339, s)
		if err != nil || t.Before(c.now.Add(-5*time.Minute)) {
			return badRequest("The startDateTime of the Temporary Access Pass must not be in the past.")
		}
		start = t
	}
	if text(user, "userType") == "Guest" {
		return badRequest("A Temporary Access Pass cannot be created for a guest.")
	}
	length, _ := number(config["defaultLength"])
	pass := randomText(max(8, int(length)))
	o["lifetimeInMinutes"], o["isUsableOnce"], o["startDateTime"] = int(minutes), once, stamp(start)
	o["temporaryAccessPass"], o["isUsable"], o["methodUsabilityReason"] = pass, !start.After(c.now), "EnabledByPolicy"
	if start.After(c.now) {
		o["methodUsabilityReason"] = "NotYetValid"
	}
	for _, m := range st.All(methodsOf(id)) { // a new one replaces the old
		if typeOf(m, "authenticationMethod") == "temporaryAccessPassAuthenticationMethod" {
			st.Delete(methodsOf(id), text(m, "id"))
		}
	}
	st.credential(id, func(cr *Credentials) { cr.TAP = pass })
	return nil
}

// credential changes what a user signs in with.
func (s *State) credential(user string, f func(*Credentials)) {
	cr := Credentials{}
	if have := s.Credentials[key(user)]; have != nil {
		cr = *have
	}
	f(&cr)
	s.Credentials[key(user)] = &cr
}

const passAlphabet = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789+*=?"

func randomText(n int) string {
	var b [64]byte
	n = min(n, len(b))
	_, _ = rand.Read(b[:n])
	for i := range n {
		b[i] = passAlphabet[int(b[i])%len(passAlphabet)]
	}
	return string(b[:n])
}

func makePhone(c *call, st *State, user, o Object) error {
	number, kind := text(o, "phoneNumber"), text(o, "phoneType")
	if !strings.HasPrefix(number, "+") || len(number) < 8 || kind == "" {
		return badRequest("phoneNumber of the form '+1 2065555555' and phoneType are required.")
	}
	ids := map[string]string{"mobile": "3179e48a-750b-4051-897c-87b9720928f7", "alternateMobile": "b6332ec1-7057-4abe-9331-3d72feddfe41", "office": "e37fc753-ff3b-4958-9484-eaa9425c82bc"}
	o["id"] = ids[kind] // phoneauthenticationmethod: one id per type
	if st.Get(methodsOf(text(user, "id")), ids[kind]) != nil {
		return &graphError{409, "Conflict", "A phone of the type " + kind + " already exists for the user."}
	}
	o["smsSignInState"] = "notAllowedByPolicy"
	return nil
}

func makeEmail(c *call, st *State, user, o Object) error {
	o["id"] = "3ddfcfc8-9383-446f-83cc-3ab9be4be18f" // emailauthenticationmethod: the same for everybody
	if !strings.Contains(text(o, "emailAddress"), "@") {
		return badRequest("emailAddress is required.")
	}
	if st.Get(methodsOf(text(user, "id")), text(o, "id")) != nil {
		return &graphError{409, "Conflict", "An email method already exists for the user."}
	}
	return nil
}

// resetPassword answers POST …/resetPassword: delegated only, never one's own
// (entra-docs authenticationmethod-resetpassword).
func resetPassword(c *call) (a answer, err error) {
	if !strings.EqualFold(c.args["sub"], passwordMethod) {
		return a, notFound(c.args["sub"])
	}
	for name := range c.body {
		if name != "newPassword" && name != "requireChangeOnNextSignIn" {
			return a, badRequest("Property '%s' does not exist as a declared property or extension property.", name)
		}
	}
	password := text(c.body, "newPassword")
	generated := password == ""
	if generated {
		password = randomText(14) + "a7"
	} else if err := complexPassword(password, true); err != nil {
		return a, err
	}
	operation := graphID()
	err = c.Update(func(st *State) error {
		u, err := c.holder(st)
		if err != nil {
			return err
		}
		if strings.EqualFold(text(u, "id"), c.caller.UserID) {
			return badRequest("A password reset of oneself is not allowed: use changePassword.")
		}
		after := maps.Clone(u)
		force, asked := c.body["requireChangeOnNextSignIn"].(bool)
		after["passwordProfile"] = Object{"forceChangePasswordNextSignIn": force || !asked, "forceChangePasswordNextSignInWithMfa": false, "password": nil}
		st.setPassword(after, password, stamp(c.now))
		st.Put("users", text(u, "id"), after)
		st.Put("users/"+key(text(u, "id"))+"/authentication/operations", operation, Object{"id": operation, "status": "succeeded", "statusDetail": nil, "createdDateTime": stamp(c.now),
			"lastActionDateTime": stamp(c.now), "resourceLocation": "https://" + c.config.Host + "/" + c.version + "/users/" + text(u, "id") + "/authentication/methods/" + passwordMethod})
		c.audited(st, users, "Reset user password", u, after)
		a = answer{status: http.StatusAccepted, header: http.Header{"Location": {"https://" + c.config.Host + "/" + c.version + "/users/" + text(u, "id") + "/authentication/operations/" + operation}}}
		if generated {
			a.body = Object{"@odata.context": c.context("microsoft.graph.passwordResetResponse"), "newPassword": password}
		}
		return nil
	})
	return a, err
}

var operations = &resource{set: "users/{id}/authentication/operations", typ: "longRunningOperation", context: "users('{id}')/authentication/operations", unpaged: true,
	find: func(c *call, st *State, id string) Object {
		u, err := c.subject(st, "users")
		if err != nil {
			return nil
		}
		return st.Get("users/"+key(text(u, "id"))+"/authentication/operations", id)
	}}

// readPerUser answers GET of what a user has once under authentication/.
func readPerUser(name, typ string, fallback Object) func(*call) (answer, error) {
	return func(c *call) (a answer, err error) {
		c.View(func(st *State) {
			var u Object
			if err = c.gates(nil, st); err != nil {
				return
			}
			if u, err = c.subject(st, "users"); err != nil {
				return
			}
			o := st.Single["users/"+key(text(u, "id"))+"/authentication/"+name]
			if o == nil {
				o = fallback
			}
			a = c.entity(http.StatusOK, "users('"+text(u, "id")+"')/authentication/"+name, shown(c.version, typ, o, nil))
		})
		return a, err
	}
}

// updatePerUser answers PATCH of the same.
func updatePerUser(name, typ, activity string, fallback Object) func(*call) (answer, error) {
	return func(c *call) (answer, error) {
		patch, err := written(c.version, typ, c.body)
		if err != nil {
			return answer{}, err
		}
		return noContent, c.Update(func(st *State) error {
			u, err := c.holder(st)
			if err != nil {
				return err
			}
			path := "users/" + key(text(u, "id")) + "/authentication/" + name
			after := maps.Clone(fallback)
			maps.Copy(after, st.Single[path])
			maps.Copy(after, patch)
			before := maps.Clone(u)
			before[name] = st.Single[path]
			st.Single[path] = after
			now := maps.Clone(u)
			now[name] = after
			c.audited(st, users, activity, before, now)
			return nil
		})
	}
}

var (
	noRequirement = Object{"perUserMfaState": "disabled"}
	noPreference  = Object{"isSystemPreferredAuthenticationMethodEnabled": true, "userPreferredMethodForSecondaryAuthentication": nil, "systemPreferredAuthenticationMethod": nil}
)
