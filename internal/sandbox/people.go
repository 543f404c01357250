package sandbox

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
)

// Person is somebody who can sign in, with what the sandbox made up for them.
type Person struct {
	ID       string   `json:"id"`
	UPN      string   `json:"userPrincipalName"`
	Name     string   `json:"displayName"`
	Password string   `json:"password,omitempty"`
	TOTP     string   `json:"totp,omitempty"` // seed, Base32
	TAP      string   `json:"temporaryAccessPass,omitempty"`
	Passkeys int      `json:"passkeys,omitempty"`
	Roles    []string `json:"roles,omitempty"` // by name where the tenant tells it
}

// People are the enabled accounts that have something to sign in with, auditors and
// administrators first.
func (s *Server) People() []Person {
	people := []Person{}
	s.View(func(state *State) {
		for _, user := range state.All("users") {
			id := propText(user, "id")
			c := state.Credentials[key(id)]
			if c == nil || user["accountEnabled"] == false {
				continue
			}
			p := Person{ID: id, UPN: propText(user, "userPrincipalName"), Name: propText(user, "displayName"),
				Password: c.Password, TOTP: c.TOTP, TAP: c.TAP, Passkeys: passkeyCount(c)}
			for _, role := range roleTemplates(state, id) {
				name := propText(state.Get("roleManagement/directory/roleDefinitions", role), "displayName")
				p.Roles = append(p.Roles, cmp.Or(name, role))
			}
			if p.Password != "" || p.TAP != "" || p.Passkeys > 0 || len(c.Certificates) > 0 {
				people = append(people, p)
			}
		}
	})
	slices.SortStableFunc(people, func(a, b Person) int {
		return cmp.Or(auditors(b)-auditors(a), min(1, len(b.Roles))-min(1, len(a.Roles)), strings.Compare(a.UPN, b.UPN))
	})
	return people
}

// auditors counts an auditor as one: whoever tries Halligan looks for that person.
func auditors(p Person) int {
	if slices.Contains(p.Roles, "Global Reader") {
		return 1
	}
	return 0
}

// passkeyCount counts passkeys, kept by method id.
func passkeyCount(c *Credentials) int {
	var byID map[string]json.RawMessage
	if json.Unmarshal(c.Passkeys, &byID) == nil {
		return len(byID)
	}
	var list []json.RawMessage
	if json.Unmarshal(c.Passkeys, &list) == nil {
		return len(list)
	}
	return 0
}

// App is an application that can sign in with a made-up secret.
type App struct {
	ClientID string `json:"clientId"`
	Name     string `json:"displayName"`
	Secret   string `json:"secret"`
}

// Apps are the applications that have a secret.
func (s *Server) Apps() []App {
	apps := []App{}
	s.View(func(state *State) {
		for _, app := range state.All("applications") {
			for _, p := range propList(app, "passwordCredentials") {
				if secret := state.Secrets[key(propText(p, "keyId"))]; secret != "" && s.within(p) {
					apps = append(apps, App{propText(app, "appId"), propText(app, "displayName"), secret})
					break
				}
			}
		}
	})
	return apps
}

// TenantID is the id of the tenant.
func (s *Server) TenantID() (id string) {
	s.View(func(state *State) { id = state.ID })
	return id
}

// TenantName is the display name of the tenant.
func (s *Server) TenantName() string { return s.name() }
