package sandbox

import (
	"crypto/rand"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const consentPage = "/consent"

// consent waits for a person to accept what an application asks.
type consent struct {
	id     string
	flow   *Flow
	client oidcClient
	who    Signed
	asked  *askedScope
	wants  []string // scopes that nobody granted yet
	admin  bool     // the person may grant what needs an administrator
	forAll bool     // an administrator may grant for everybody
}

// consentAdmins are the roles that may consent to delegated permissions of
// Graph for everybody (entra-docs
// identity/enterprise-apps/grant-admin-consent): Global Administrator,
// Privileged Role Administrator, Cloud Application Administrator, Application
// Administrator.
var consentAdmins = []string{
	"62e90394-69f5-4237-9190-012177145e10", "e8611ab8-c189-46e8-94e1-60213ab1f814",
	"158c047a-c907-4556-b7ef-446551a6b5f7", "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",
}

// userScopes are scopes of Graph to which a person may consent without an
// administrator, when the tenant's own description of Graph does not say (graph
// permissions-reference, "AdminConsentRequired: No").
var userScopes = []string{"User.Read", "User.ReadBasic.All", "User.ReadWrite", "People.Read", "Mail.Read", "Calendars.Read",
	"Files.Read", "Contacts.Read", "openid", "profile", "email", "offline_access"}

// needsAdmin tells whether a scope needs an administrator.
func needsAdmin(state *State, resourceApp, scope string) bool {
	for _, published := range propList(principalOf(state, resourceApp), "oauth2PermissionScopes") {
		if strings.EqualFold(propText(published, "value"), scope) {
			return propText(published, "type") != "User"
		}
	}
	if resourceApp == armAppID {
		return !strings.EqualFold(scope, "user_impersonation")
	}
	return !slices.ContainsFunc(userScopes, func(s string) bool { return strings.EqualFold(s, scope) })
}

// granting are the scopes that a person's token for an application carries: all
// that were granted on the resource, as Entra writes them.
func (s *Server) granting(state *State, c *oidcClient, a *askedScope, user string) []string {
	var scopes []string
	if c.fixed != nil {
		if a.resource.appID == graphAppID {
			scopes = append(scopes, c.fixed...)
		} else {
			scopes = append(scopes, "user_impersonation")
		}
	}
	own, target := propText(principalOf(state, c.appID), "id"), propText(principalOf(state, a.resource.appID), "id")
	for _, g := range state.All("oauth2PermissionGrants") {
		if own == "" || target == "" || !strings.EqualFold(propText(g, "clientId"), own) || !strings.EqualFold(propText(g, "resourceId"), target) {
			continue
		}
		if propText(g, "consentType") == "AllPrincipals" || strings.EqualFold(propText(g, "principalId"), user) {
			scopes = append(scopes, strings.Fields(propText(g, "scope"))...)
		}
	}
	for _, one := range a.oidc {
		if one != "offline_access" {
			scopes = append(scopes, one)
		}
	}
	slices.Sort(scopes)
	return slices.Compact(scopes)
}

// missing are the scopes asked for that nobody granted.
func (s *Server) missing(state *State, c *oidcClient, a *askedScope, user string) []string {
	have := s.granting(state, c, a, user)
	want := slices.Clone(a.scopes)
	if a.all && c.registered != nil {
		want = append(want, requiredScopes(state, c.registered, a.resource.appID)...)
	}
	if len(have) == 0 && len(want) == 0 && c.fixed == nil {
		want = []string{"User.Read"} // nothing at all was ever granted: the least there is
	}
	return slices.DeleteFunc(want, func(scope string) bool {
		return slices.ContainsFunc(have, func(h string) bool { return strings.EqualFold(h, scope) })
	})
}

// requiredScopes are the delegated permissions that an application's
// registration lists (graph resources/requiredresourceaccess).
func requiredScopes(state *State, app Object, resourceApp string) []string {
	var scopes []string
	published := propList(principalOf(state, resourceApp), "oauth2PermissionScopes")
	for _, required := range propList(app, "requiredResourceAccess") {
		if !strings.EqualFold(propText(required, "resourceAppId"), resourceApp) {
			continue
		}
		for _, access := range propList(required, "resourceAccess") {
			for _, p := range published {
				if propText(access, "type") == "Scope" && strings.EqualFold(propText(p, "id"), propText(access, "id")) {
					scopes = append(scopes, propText(p, "value"))
				}
			}
		}
	}
	return scopes
}

// consentOr goes on when all is granted, and asks otherwise.
func (s *Server) consentOr(w http.ResponseWriter, r *http.Request, c *consent) {
	asked, e := s.parseScope(strings.Join(c.flow.Scopes, " "))
	if e != nil {
		s.refuse(w, r, c.flow, e)
		return
	}
	c.asked = asked
	s.View(func(state *State) {
		c.wants = s.missing(state, &c.client, asked, c.who.UserID)
		roles := roleTemplates(state, c.who.UserID)
		c.forAll = slices.ContainsFunc(roles, func(role string) bool { return slices.Contains(consentAdmins, role) })
		c.admin = c.forAll
		if policy := state.Single["policies/authorizationPolicy"]; policy != nil && !c.admin {
			// Nobody but an administrator consents when no grant policy is
			// assigned to people (graph resources/authorizationpolicy).
			user := propObject(policy, "defaultUserRolePermissions")
			if given, is := user["permissionGrantPoliciesAssigned"]; is && given != nil && len(propTexts(user, "permissionGrantPoliciesAssigned")) == 0 && len(c.wants) > 0 {
				e = deny(90094, state.Name, c.client.name, state.Name)
			}
		}
		if !c.admin && slices.ContainsFunc(c.wants, func(scope string) bool { return needsAdmin(state, asked.resource.appID, scope) }) {
			e = deny(90094, state.Name, c.client.name, state.Name)
		}
	})
	switch {
	case c.client.fixed != nil && len(c.wants) > 0:
		s.refuse(w, r, c.flow, deny(65002, c.client.appID, asked.resource.appID))
	case e != nil:
		s.refuse(w, r, c.flow, e)
	case len(c.wants) == 0 && c.flow.Prompt != "consent":
		s.finish(w, r, c.flow, c.who)
	default:
		s.waiting.mu.Lock()
		keepBounded(s.waiting.consents, c.id, c)
		s.waiting.mu.Unlock()
		http.Redirect(w, r, consentPage+"?"+url.Values{"id": {c.id}}.Encode(), http.StatusSeeOther)
	}
}

func (s *Server) consent(id string) *consent {
	s.waiting.mu.Lock()
	defer s.waiting.mu.Unlock()
	c := s.waiting.consents[id]
	if c == nil || s.now().Sub(c.flow.Begun) > flowLife {
		return nil
	}
	return c
}

var consentForm = template.Must(template.New("").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Permissions requested</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:2rem auto;padding:0 1rem}button{font:inherit;padding:.5rem 1.5rem;margin-right:.5rem}</style></head>
<body><main><p>{{.Tenant}} · an emulated tenant</p><h1>Permissions requested</h1>
<p><strong id="application">{{.Client}}</strong> would like to:</p>
<ul id="scopes">{{range .Scopes}}<li>{{.}}</li>{{end}}</ul>
<form method="post" action="{{.Action}}"><input type="hidden" name="id" value="{{.ID}}">
{{if .ForAll}}<p><label><input type="checkbox" name="everybody" value="yes"> Consent on behalf of your organization</label></p>{{end}}
<button id="accept" name="answer" value="accept">Accept</button><button id="cancel" name="answer" value="cancel">Cancel</button></form>
</main></body></html>
`))

func (s *Server) showConsent(w http.ResponseWriter, r *http.Request) {
	c := s.consent(r.URL.Query().Get("id"))
	if c == nil {
		s.showRefusal(w, r, deny(70019))
		return
	}
	scopes := c.wants
	if len(scopes) == 0 {
		scopes = c.asked.scopes
	}
	guardOIDCPage(w)
	_ = consentForm.Execute(w, map[string]any{"Tenant": s.name(), "Client": c.client.name, "Scopes": scopes,
		"Action": consentPage, "ID": c.id, "ForAll": c.forAll})
}

// takeConsent takes the answer. The id is the secret of the one browser that was
// sent to the page, so another site cannot answer for it.
func (s *Server) takeConsent(w http.ResponseWriter, r *http.Request) {
	c := s.consent(r.PostFormValue("id"))
	if c == nil {
		s.showRefusal(w, r, deny(70019))
		return
	}
	s.waiting.mu.Lock()
	_, still := s.waiting.consents[c.id]
	delete(s.waiting.consents, c.id)
	s.waiting.mu.Unlock()
	if !still { // two answers at once
		s.showRefusal(w, r, deny(70019))
		return
	}
	if r.PostFormValue("answer") != "accept" {
		s.refuse(w, r, c.flow, deny(65004))
		return
	}
	everybody := c.forAll && r.PostFormValue("everybody") == "yes"
	if err := s.Update(func(state *State) error { s.remember(state, c, everybody); return nil }); err != nil {
		s.showRefusal(w, r, deny(50000))
		return
	}
	s.finish(w, r, c.flow, c.who)
}

// remember writes the grant, and the service principals that it is between:
// consent installs an application in the tenant.
func (s *Server) remember(state *State, c *consent, everybody bool) {
	own := installed(state, c.client.appID, c.client.name)
	target := installed(state, c.asked.resource.appID, c.asked.resource.name)
	kind, principal := "Principal", any(c.who.UserID)
	if everybody {
		kind, principal = "AllPrincipals", nil
	}
	var before Object
	for _, g := range state.All("oauth2PermissionGrants") {
		if strings.EqualFold(propText(g, "clientId"), own) && strings.EqualFold(propText(g, "resourceId"), target) &&
			propText(g, "consentType") == kind && (everybody || strings.EqualFold(propText(g, "principalId"), c.who.UserID)) {
			before = g
		}
	}
	scopes := append(strings.Fields(propText(before, "scope")), c.wants...)
	slices.Sort(scopes)
	id := propText(before, "id")
	if id == "" {
		id = rand.Text()
	}
	after := Object{"id": id, "clientId": own, "resourceId": target, "consentType": kind, "principalId": principal,
		"scope": strings.Join(slices.Compact(scopes), " ")}
	state.Put("oauth2PermissionGrants", id, after)
	s.audit(state, Change{By: Caller{AppID: c.client.appID, UserID: c.who.UserID}, Activity: "Add delegated permission grant",
		Category: "ApplicationManagement", Service: "Core Directory", Type: "ServicePrincipal", Target: after, Before: before})
}

// installed is the id of an application's service principal, made when missing.
func installed(state *State, appID, name string) string {
	if sp := principalOf(state, appID); sp != nil {
		return propText(sp, "id")
	}
	id := oidcID()
	state.Put("servicePrincipals", id, Object{"id": id, "appId": appID, "displayName": name, "servicePrincipalType": "Application", "accountEnabled": true})
	return id
}
