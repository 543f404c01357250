package sandbox

import (
	"encoding/base32"
	"maps"
	"net/http"
	"strings"
)

// setTokens are the hardware OATH tokens of the tenant (beta only).
const setTokens = "directory/authenticationMethodDevices/hardwareOathDevices"

var tokens = &resource{set: setTokens, typ: "hardwareOathTokenAuthenticationMethodDevice", kind: "Device", service: "Authentication Methods",
	category: "UserManagement", noun: "hardware OATH token", make: makeToken, change: changeFree,
	view: func(c *call, st *State, o Object) Object {
		out := maps.Clone(o)
		out["secretKey"] = nil
		return out
	},
	remove: func(c *call, st *State, o Object) error {
		if o["assignedTo"] != nil {
			return badRequest("A hardware OATH token that is assigned cannot be deleted.")
		}
		return nil
	}}

// makeToken checks and completes a hardware token (entra-docs
// authenticationmethoddevice-post-hardwareoathdevices).
func makeToken(c *call, st *State, o Object) error {
	for _, need := range []string{"serialNumber", "manufacturer", "model", "secretKey", "timeIntervalInSeconds"} {
		if o[need] == nil {
			return badRequest("A value is required for property '%s'.", need)
		}
	}
	if n, _ := number(o["timeIntervalInSeconds"]); n != 30 && n != 60 {
		return badRequest("timeIntervalInSeconds must be 30 or 60.")
	}
	secret := strings.ToUpper(strings.TrimRight(text(o, "secretKey"), "="))
	if raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret); err != nil || len(raw) < 10 {
		return badRequest("secretKey must be Base32.")
	}
	for _, d := range st.All(setTokens) {
		if strings.EqualFold(text(d, "serialNumber"), text(o, "serialNumber")) {
			return &graphError{409, "Conflict", "A token with the serial number " + text(o, "serialNumber") + " already exists."}
		}
	}
	o["status"], o["assignedTo"] = "available", nil
	for k, v := range map[string]any{"displayName": nil, "hashFunction": "hmacsha1", "lastUsedDateTime": nil} {
		if _, has := o[k]; !has {
			o[k] = v
		}
	}
	if to := text(o, "assignTo", "id"); to != "" {
		delete(o, "assignTo")
		u := st.userNamed(to)
		if u == nil {
			return notFound(to)
		}
		st.assignToken(o, u, "", stamp(c.now))
	}
	return nil
}

// assignToken gives a token to a user. The caller stores the token.
func (s *State) assignToken(token, user Object, displayName, at string) Object {
	token["status"] = "assigned"
	token["assignedTo"] = Object{"id": text(user, "id"), "displayName": user["displayName"]}
	m := Object{"@odata.type": "#microsoft.graph.hardwareOathAuthenticationMethod", "id": graphID(), "createdDateTime": at,
		"device": Object{"id": text(token, "id"), "displayName": displayName, "serialNumber": token["serialNumber"], "manufacturer": token["manufacturer"], "model": token["model"],
			"hashFunction": token["hashFunction"], "timeIntervalInSeconds": token["timeIntervalInSeconds"], "status": "assigned", "secretKey": nil}}
	s.Put(methodsOf(text(user, "id")), text(m, "id"), m)
	return m
}

// addToken answers POST hardwareOathMethods, assignAndActivate and
// assignAndActivateBySerialNumber. Activation needs a code of the token.
func addToken(activate, bySerial bool) func(*call) (answer, error) {
	return func(c *call) (a answer, err error) {
		err = c.Update(func(st *State) error {
			u, err := c.holder(st)
			if err != nil {
				return err
			}
			if _, ok := c.inScope(st, c.method(st, "HardwareOath"), text(u, "id")); !ok {
				return notInPolicy("Hardware OATH")
			}
			var have Object
			if bySerial {
				for _, d := range st.All(setTokens) {
					if strings.EqualFold(text(d, "serialNumber"), text(c.body, "serialNumber")) {
						have = d
					}
				}
			} else {
				have = st.Get(setTokens, text(c.body, "device", "id"))
			}
			if have == nil {
				return notFound(text(c.body, "device", "id") + text(c.body, "serialNumber"))
			}
			if text(have, "status") != "available" {
				return badRequest("The hardware OATH token is not available.")
			}
			token := maps.Clone(have)
			if activate && !validCode(text(token, "secretKey"), token, text(c.body, "verificationCode"), c.now) {
				return badRequest("The verification code is not correct.")
			}
			m := st.assignToken(token, u, text(c.body, "displayName"), stamp(c.now))
			if activate {
				m = st.activateToken(token, u, m)
			}
			st.Put(setTokens, text(token, "id"), token)
			c.methodAudit(st, u, "Admin registered security info", nil, m)
			a = noContent
			if !activate {
				a = c.entity(http.StatusCreated, "users('"+text(u, "id")+"')/authentication/hardwareOathMethods/$entity", shown(c.version, "hardwareOathAuthenticationMethod", m, nil))
			}
			return nil
		})
		return a, err
	}
}

func (s *State) activateToken(token, user, method Object) Object {
	token["status"] = "activated"
	m := maps.Clone(method)
	device := maps.Clone(m["device"].(Object))
	device["status"] = "activated"
	m["device"] = device
	s.Put(methodsOf(text(user, "id")), text(m, "id"), m)
	s.credential(text(user, "id"), func(cr *Credentials) { cr.TOTP = text(token, "secretKey") })
	return m
}

// setToken answers activate and deactivate.
func setToken(active bool) func(*call) (answer, error) {
	return func(c *call) (answer, error) {
		return noContent, c.Update(func(st *State) error {
			u, err := c.holder(st)
			if err != nil {
				return err
			}
			m := st.Get(methodsOf(text(u, "id")), c.args["sub"])
			if m == nil || typeOf(m, "authenticationMethod") != "hardwareOathAuthenticationMethod" {
				return notFound(c.args["sub"])
			}
			token := maps.Clone(st.Get(setTokens, text(m, "device", "id")))
			if token == nil {
				return notFound(text(m, "device", "id"))
			}
			if active && !validCode(text(token, "secretKey"), token, text(c.body, "verificationCode"), c.now) {
				return badRequest("The verification code is not correct.")
			}
			if active {
				st.activateToken(token, u, m)
			} else {
				token["status"] = "assigned"
				st.credential(text(u, "id"), func(cr *Credentials) { cr.TOTP = "" })
			}
			st.Put(setTokens, text(token, "id"), token)
			c.methodAudit(st, u, "Admin updated security info", m, m)
			return nil
		})
	}
}
