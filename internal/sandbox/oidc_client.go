package sandbox

import (
	"net/url"
	"slices"
	"strings"
)

const (
	graphAppID = "00000003-0000-0000-c000-000000000000"
	armAppID   = "797f4846-ba00-4fd7-ba43-dac1f8f63013"
)

// apiResource is an API for which tokens are issued.
type apiResource struct {
	appID, name string
	audiences   []string // application ID URIs by which it is asked for
}

// apiResources are those of this sandbox, per cloud (entra-docs
// identity-platform/authentication-national-cloud and
// graph/deployments). The first audience is written when a client names none.
var apiResources = map[string][]apiResource{
	"": {
		{graphAppID, "Microsoft Graph", []string{"https://graph.microsoft.com"}},
		{armAppID, "Windows Azure Service Management API", []string{"https://management.azure.com", "https://management.core.windows.net"}},
	},
	"usgov": {
		{graphAppID, "Microsoft Graph", []string{"https://graph.microsoft.us", "https://dod-graph.microsoft.us"}},
		{armAppID, "Windows Azure Service Management API", []string{"https://management.usgovcloudapi.net", "https://management.core.usgovcloudapi.net"}},
	},
	"china": {
		{graphAppID, "Microsoft Graph", []string{"https://microsoftgraph.chinacloudapi.cn"}},
		{armAppID, "Windows Azure Service Management API", []string{"https://management.chinacloudapi.cn", "https://management.core.chinacloudapi.cn"}},
	},
}

// oidcClient is an application that asks for tokens.
type oidcClient struct {
	appID, name string
	public      bool
	// registered is the application object, known applications of Microsoft have none.
	registered Object
	// fixed are the only scopes of Graph that Microsoft preauthorized; nil: asks freely.
	fixed     []string
	redirects []string
	disabled  bool
}

// knownClients are applications of Microsoft that exist in every tenant.
var knownClients = []oidcClient{
	// entra-docs and graph: "Microsoft Graph Command Line Tools"; asks for any
	// delegated scope, a person consents.
	{appID: "14d82eec-204b-4c2f-b7e8-296a70dab67e", name: "Microsoft Graph Command Line Tools", public: true},
	// Preauthorized, and no more than this: Azure/azure-cli issue 33062.
	{appID: "04b07795-8ddb-461a-bbee-02f9e1bf7b46", name: "Microsoft Azure CLI", public: true, fixed: []string{
		"Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All", "AuditLog.Read.All",
		"DelegatedPermissionGrant.ReadWrite.All", "Directory.AccessAsUser.All", "Group.ReadWrite.All",
		"User.Read.All", "User.ReadWrite.All",
	}},
}

// client finds an application by its client id.
func (s *Server) client(id string) (c oidcClient, found bool) {
	for _, known := range knownClients {
		if strings.EqualFold(known.appID, id) {
			return known, true
		}
	}
	s.View(func(state *State) {
		for _, app := range state.All("applications") {
			if !strings.EqualFold(propText(app, "appId"), id) || id == "" {
				continue
			}
			c, found = oidcClient{appID: propText(app, "appId"), name: propText(app, "displayName"), registered: app}, true
			c.public = app["isFallbackPublicClient"] == true
			c.redirects = slices.Concat(propTexts(propObject(app, "publicClient"), "redirectUris"),
				propTexts(propObject(app, "web"), "redirectUris"), propTexts(propObject(app, "spa"), "redirectUris"))
			if len(propList(app, "passwordCredentials"))+len(propList(app, "keyCredentials"))+len(propList(app, "federatedIdentityCredentials")) == 0 &&
				len(propTexts(propObject(app, "publicClient"), "redirectUris")) > 0 {
				c.public = true
			}
		}
		sp := principalOf(state, id)
		c.disabled = found && sp != nil && sp["accountEnabled"] == false
		if sp == nil && found {
			found = false // registered, and never installed in this tenant
		}
	})
	return c, found
}

// principalOf is the service principal of an application; nil none.
func principalOf(state *State, appID string) Object {
	for _, sp := range state.All("servicePrincipals") {
		if strings.EqualFold(propText(sp, "appId"), appID) {
			return sp
		}
	}
	return nil
}

// allowsRedirect: a public client may use its loopback address on any port
// (entra-docs identity-platform/reply-url, RFC 8252 section 7.3); all else is
// compared whole.
func (c *oidcClient) allowsRedirect(uri string) bool {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme == "" || u.Host == "" || u.Fragment != "" || u.User != nil {
		return false
	}
	if slices.Contains(c.redirects, uri) {
		return true
	}
	if u.Scheme != "http" {
		return false
	}
	for _, have := range append([]string{"http://localhost"}, c.redirects...) {
		if have == "http://localhost" && !(c.public && c.registered == nil) && !slices.Contains(c.redirects, have) {
			continue // built in for Microsoft's own; others must register it
		}
		h, err := url.Parse(have)
		if err != nil || h.Scheme != "http" || h.Hostname() != "localhost" && h.Hostname() != "127.0.0.1" {
			continue
		}
		if strings.EqualFold(h.Hostname(), u.Hostname()) && strings.TrimSuffix(h.Path, "/") == strings.TrimSuffix(u.Path, "/") {
			return true
		}
	}
	return false
}

// oidcScopes belong to sign-in itself, not to a resource.
var oidcScopes = []string{"openid", "profile", "email", "offline_access"}

// askedScope is what a scope parameter means.
type askedScope struct {
	resource apiResource
	audience string // as the client named it, without slash
	prefix   string // the same, where it named this sandbox by its own address
	scopes   []string
	all      bool // .default
	oidc     []string
}

func (a *askedScope) wants(scope string) bool { return slices.Contains(a.oidc, scope) }

// parseScope reads a scope parameter; bare names are Graph's (entra-docs
// identity-platform/scopes-oidc).
func (s *Server) parseScope(scope string) (*askedScope, *refusal) {
	a := &askedScope{}
	cloud := ""
	s.View(func(state *State) { cloud = state.Cloud })
	for _, one := range strings.Fields(scope) {
		if slices.Contains(oidcScopes, strings.ToLower(one)) {
			a.oidc = append(a.oidc, strings.ToLower(one))
			continue
		}
		audience, name := "", one
		if i := strings.LastIndex(one, "/"); i >= 0 {
			audience, name = strings.TrimRight(one[:i], "/"), one[i+1:]
		}
		r, known := s.resource(cloud, audience)
		if !known {
			return nil, deny(500011, audience, s.name())
		}
		if a.resource.appID != "" && a.resource.appID != r.appID {
			return nil, deny(28000, scope)
		}
		if a.prefix == "" {
			a.prefix = audience
		}
		if audience == "" || strings.EqualFold(audience, s.base()) {
			audience = r.audiences[0]
		}
		a.resource, a.audience = r, audience
		if name == ".default" {
			a.all = true
			continue
		}
		if name == "" || strings.ContainsAny(name, `"\`) {
			return nil, deny(70011, one)
		}
		a.scopes = append(a.scopes, name)
	}
	if a.resource.appID == "" { // sign-in alone is for Graph's profile
		a.resource, _ = s.resource(cloud, "")
		a.audience = a.resource.audiences[0]
	}
	return a, nil
}

// resource finds an API by the address or id by which a client asks for it. The
// sandbox's own address stands for Graph, since that is what it serves.
func (s *Server) resource(cloud, audience string) (apiResource, bool) {
	list := apiResources[cloud]
	for _, r := range list {
		if audience == "" || strings.EqualFold(audience, r.appID) || strings.EqualFold(audience, s.base()) ||
			slices.ContainsFunc(r.audiences, func(have string) bool { return strings.EqualFold(have, audience) }) {
			return r, true
		}
	}
	return apiResource{}, false
}

func (s *Server) name() (name string) {
	s.View(func(state *State) { name = state.Name })
	return name
}

// text, texts, object and list read one property of an object of the state,
// whether it was decoded from JSON or built in Go; another type reads as absent.
func propText(o Object, key string) string {
	v, _ := o[key].(string)
	return v
}

func propTexts(o Object, key string) []string {
	switch v := o[key].(type) {
	case []string:
		return v
	case []any:
		out := make([]string, 0, len(v))
		for _, e := range v {
			if one, is := e.(string); is {
				out = append(out, one)
			}
		}
		return out
	}
	return nil
}

func propObject(o Object, key string) Object {
	v, _ := o[key].(map[string]any)
	return v
}

func propList(o Object, key string) []Object {
	switch v := o[key].(type) {
	case []Object:
		return v
	case []any:
		out := make([]Object, 0, len(v))
		for _, e := range v {
			if one, is := e.(map[string]any); is {
				out = append(out, one)
			}
		}
		return out
	}
	return nil
}
