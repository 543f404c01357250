package sandbox

import (
	"crypto/rand"
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"strings"
)

// signInPage is where a person signs in; flowParam names the waiting
// authorization there.
const (
	signInPage = "/signin"
	flowParam  = "flow"
)

// loginPaths are the addresses of sign-in below /{tenant}, with and without the
// version as clients use them.
var loginPaths = []struct {
	path   string
	answer func(*Server, http.ResponseWriter, *http.Request)
}{
	{"v2.0/.well-known/openid-configuration", (*Server).openIDConfiguration},
	{".well-known/openid-configuration", (*Server).openIDConfiguration},
	{"discovery/v2.0/keys", (*Server).publicKeys},
	{"discovery/keys", (*Server).publicKeys},
	{"oauth2/v2.0/authorize", (*Server).authorize},
	{"oauth2/v2.0/token", (*Server).token},
	{"oauth2/v2.0/devicecode", (*Server).deviceCode},
	{"oauth2/v2.0/logout", (*Server).signOut},
}

func (s *Server) oidcRoutes(mux *http.ServeMux) {
	for _, p := range loginPaths {
		mux.HandleFunc("/{tenant}/"+p.path, func(w http.ResponseWriter, r *http.Request) { p.answer(s, w, r) })
	}
	mux.HandleFunc("GET /common/discovery/instance", s.discoverInstance)
	mux.HandleFunc("GET "+devicePage, s.showDevicePage)
	mux.HandleFunc("POST "+devicePage, s.takeUserCode)
	mux.HandleFunc("GET "+consentPage, s.showConsent)
	mux.HandleFunc("POST "+consentPage, s.takeConsent)
}

// serveLogin answers everything that is not Graph.
func (s *Server) serveLogin(w http.ResponseWriter, r *http.Request) {
	s.setDate(w)
	if strings.HasSuffix(r.URL.Path, "/oauth2/v2.0/token") && s.faultToken(w, r) {
		return
	}
	if s.faults.outage("signin") && !strings.HasSuffix(r.URL.Path, "/openid-configuration") {
		if r.Method == http.MethodGet {
			s.showRefusal(w, r, deny(90033))
			return
		}
		s.writeRefusal(w, r, deny(90033))
		return
	}
	s.mux.ServeHTTP(w, r)
}

// tenantOf checks the tenant in the address: its id, a verified domain, or a
// shared name where people sign in.
func (s *Server) tenantOf(r *http.Request) (id string, shared bool, e *refusal) {
	name := r.PathValue("tenant")
	s.View(func(state *State) {
		switch {
		case strings.EqualFold(name, state.ID):
			id = state.ID
		case strings.EqualFold(name, "common"), strings.EqualFold(name, "organizations"):
			id, shared = state.ID, true
		default:
			for _, d := range state.All("domains") {
				if strings.EqualFold(propText(d, "id"), name) && d["isVerified"] != false {
					id = state.ID
				}
			}
		}
	})
	if id == "" {
		return "", false, deny(90002, name)
	}
	return id, shared, nil
}

// openIDConfiguration is entra-docs identity-platform/v2-protocols-oidc.
func (s *Server) openIDConfiguration(w http.ResponseWriter, r *http.Request) {
	id, shared, e := s.tenantOf(r)
	if e != nil {
		s.writeRefusal(w, r, e)
		return
	}
	issuer := s.issuerV2(id)
	if shared {
		id = strings.ToLower(r.PathValue("tenant"))
		issuer = s.issuerV2("{tenantid}")
	}
	at := s.base() + "/" + id
	oidcJSON(w, http.StatusOK, map[string]any{
		"issuer": issuer, "authorization_endpoint": at + "/oauth2/v2.0/authorize", "token_endpoint": at + "/oauth2/v2.0/token",
		"device_authorization_endpoint": at + "/oauth2/v2.0/devicecode", "end_session_endpoint": at + "/oauth2/v2.0/logout",
		"jwks_uri": at + "/discovery/v2.0/keys", "response_modes_supported": []string{"query", "fragment", "form_post"},
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"pairwise"},
		"id_token_signing_alg_values_supported": []string{"RS256"}, "scopes_supported": oidcScopes,
		"token_endpoint_auth_methods_supported":            []string{"client_secret_post", "private_key_jwt", "client_secret_basic"},
		"token_endpoint_auth_signing_alg_values_supported": []string{"RS256", "PS256"},
		"claims_supported":                                 []string{"sub", "iss", "aud", "exp", "iat", "auth_time", "acr", "nonce", "preferred_username", "name", "tid", "ver", "oid"},
		"tenant_region_scope":                              nil,
		"cloud_instance_name":                              s.config.Host,
		"msgraph_host":                                     s.config.Host,
		"request_uri_parameter_supported":                  false,
	})
}

// discoverInstance tells a client that this one name is a sign-in service.
func (s *Server) discoverInstance(w http.ResponseWriter, _ *http.Request) {
	oidcJSON(w, http.StatusOK, map[string]any{
		"tenant_discovery_endpoint": s.base() + "/common/v2.0/.well-known/openid-configuration", "api-version": "1.1",
		"metadata": []any{map[string]any{"preferred_network": s.config.Host, "preferred_cache": s.config.Host, "aliases": []string{s.config.Host}}},
	})
}

func (s *Server) publicKeys(w http.ResponseWriter, r *http.Request) {
	id, _, e := s.tenantOf(r)
	if e != nil {
		s.writeRefusal(w, r, e)
		return
	}
	oidcJSON(w, http.StatusOK, s.tokens.keys(s.issuerV2(id)))
}

// authorize begins a sign-in in the browser (entra-docs
// identity-platform/v2-oauth2-auth-code-flow). Errors go back to the client only
// once its redirect address is known to be its own.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		s.showRefusal(w, r, deny(90014, "request"))
		return
	}
	id, _, e := s.tenantOf(r)
	if e != nil {
		s.showRefusal(w, r, e)
		return
	}
	f := &Flow{ID: rand.Text(), ClientID: r.Form.Get("client_id"), RedirectURI: r.Form.Get("redirect_uri"), State: r.Form.Get("state"),
		Nonce: r.Form.Get("nonce"), Challenge: r.Form.Get("code_challenge"), method: r.Form.Get("code_challenge_method"),
		ResponseMode: r.Form.Get("response_mode"), LoginHint: r.Form.Get("login_hint"), Prompt: r.Form.Get("prompt"),
		Claims: r.Form.Get("claims"), Begun: s.now()}
	c, known := s.client(f.ClientID)
	if !known {
		s.showRefusal(w, r, deny(700016, f.ClientID, s.name()))
		return
	}
	if c.disabled {
		s.showRefusal(w, r, deny(7000112, c.appID))
		return
	}
	if !c.allowsRedirect(f.RedirectURI) {
		s.showRefusal(w, r, deny(50011, f.RedirectURI, c.appID))
		return
	}
	if e := s.checkAuthorize(f, r.Form, id); e != nil {
		s.refuse(w, r, f, e)
		return
	}
	s.waiting.begin(f)
	http.Redirect(w, r, signInPage+"?"+url.Values{flowParam: {f.ID}}.Encode(), http.StatusFound)
}

// checkAuthorize fills the flow from what is asked.
func (s *Server) checkAuthorize(f *Flow, form url.Values, tenant string) *refusal {
	switch f.ResponseMode {
	case "", "query", "form_post", "fragment":
	default:
		mode := f.ResponseMode
		f.ResponseMode = "query"
		return deny(70007, mode)
	}
	if got := form.Get("response_type"); got != "code" {
		if strings.Contains(got, "id_token") {
			return deny(700054)
		}
		return deny(70005, got)
	}
	if form.Get("scope") == "" {
		return deny(90014, "scope")
	}
	asked, e := s.parseScope(form.Get("scope"))
	if e != nil {
		return e
	}
	f.Resource, f.audience = asked.resource.appID, asked.audience
	f.Scopes = strings.Fields(form.Get("scope"))
	if f.method == "" && f.Challenge != "" {
		f.method = "plain" // RFC 7636 section 4.3
	}
	if f.Challenge != "" && (f.method != "S256" && f.method != "plain" || len(f.Challenge) < 43 || len(f.Challenge) > 128) {
		return deny(501491)
	}
	if f.Prompt == "none" {
		// The sandbox keeps no browser session: every sign-in shows itself.
		return deny(50058)
	}
	return nil
}

// granted ends a flow for a person who was let in: it asks for consent where
// that is missing and sends the browser back with a code.
func (s *Server) granted(w http.ResponseWriter, r *http.Request, f *Flow, who Signed) {
	if !s.waiting.end(f) {
		s.showRefusal(w, r, deny(70019))
		return
	}
	if who.At.IsZero() {
		who.At = s.now()
	}
	if who.SessionID == "" {
		who.SessionID = oidcID()
	}
	c, known := s.client(f.ClientID)
	if !known {
		s.showRefusal(w, r, deny(700016, f.ClientID, s.name()))
		return
	}
	s.consentOr(w, r, &consent{id: rand.Text(), flow: f, client: c, who: who})
}

// finish sends the browser back with a code, or lets the device go on.
func (s *Server) finish(w http.ResponseWriter, r *http.Request, f *Flow, who Signed) {
	g := &codeGrant{flow: *f, who: who, family: rand.Text()}
	if f.Device {
		s.finishDevice(w, r, f, g)
		return
	}
	code := s.waiting.newCode(g, s.now())
	s.sendBack(w, r, f, url.Values{"code": {code}, "session_state": {who.SessionID}})
}

// refused ends a flow with an OAuth error.
func (s *Server) refused(w http.ResponseWriter, r *http.Request, f *Flow, code, description string) {
	s.waiting.end(f)
	s.refuse(w, r, f, &refusal{stsError{oauth: code, status: http.StatusBadRequest}, description})
}

// refuse tells the client, by way of the browser.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, f *Flow, e *refusal) {
	if f.Device {
		s.refuseDevice(w, r, f, e)
		return
	}
	description := e.description
	if e.code > 0 {
		description = e.full(oidcID(), correlationOf(r), s.now())
	}
	s.sendBack(w, r, f, url.Values{"error": {e.oauth}, "error_description": {description}})
}

var formPost = template.Must(template.New("").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Working…</title></head>
<body><form method="post" action="{{.To}}">
{{range $name, $values := .Fields}}{{range $values}}<input type="hidden" name="{{$name}}" value="{{.}}">
{{end}}{{end}}<noscript><p>Script is off. <button type="submit">Continue</button></p></noscript></form>
<script nonce="{{.Nonce}}">document.forms[0].submit();</script></body></html>
`))

// sendBack returns to the client's redirect address in the way that it asked for.
func (s *Server) sendBack(w http.ResponseWriter, r *http.Request, f *Flow, values url.Values) {
	if f.State != "" {
		values.Set("state", f.State)
	}
	guardOIDCPage(w)
	if f.ResponseMode == "form_post" {
		var b [16]byte
		_, _ = rand.Read(b[:]) // never fails since Go 1.24
		nonce := base64.RawStdEncoding.EncodeToString(b[:])
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'nonce-"+nonce+"'; frame-ancestors 'none'; base-uri 'none'")
		_ = formPost.Execute(w, struct {
			To     string
			Fields url.Values
			Nonce  string
		}{f.RedirectURI, values, nonce})
		return
	}
	target, err := url.Parse(f.RedirectURI) // checked by allowsRedirect
	if err != nil {
		s.showRefusal(w, r, deny(50011, f.RedirectURI, f.ClientID))
		return
	}
	if f.ResponseMode == "fragment" {
		target.Fragment, target.RawFragment = "", ""
		http.Redirect(w, r, target.String()+"#"+values.Encode(), http.StatusFound)
		return
	}
	query := target.Query()
	for name, v := range values {
		query[name] = v
	}
	target.RawQuery = query.Encode()
	http.Redirect(w, r, target.String(), http.StatusFound)
}

// signOut ends a session. The sandbox keeps none in the browser.
func (s *Server) signOut(w http.ResponseWriter, _ *http.Request) {
	guardOIDCPage(w)
	_, _ = w.Write([]byte("<!DOCTYPE html><title>Signed out</title><p>You signed out of your account.</p>\n"))
}
