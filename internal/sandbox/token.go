package sandbox

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// grantTypes are the ways to a token.
var grantTypes = map[string]func(*Server, *http.Request, *tokenRequest) (*tokenAnswer, *refusal){
	"authorization_code": (*Server).byCode,
	"refresh_token":      (*Server).byRefresh,
	"client_credentials": (*Server).byClient,
	"password":           (*Server).byPassword,
	"urn:ietf:params:oauth:grant-type:device_code": (*Server).byDevice,
	"device_code": (*Server).byDevice, // as MSAL of older versions writes it
}

// tokenRequest is what every grant needs.
type tokenRequest struct {
	tenant string
	shared bool
	client oidcClient
	acr    string // appidacr
	cae    bool
	claims bool // answers a claims challenge
}

// tokenAnswer is what a grant comes to.
type tokenAnswer struct {
	asked   *askedScope
	who     *Signed
	nonce   string
	refresh *codeGrant // what a refresh token shall stand for; nil none
}

// token is the token endpoint (entra-docs identity-platform/v2-oauth2-auth-code-flow,
// -client-creds-grant-flow, -device-code, -oauth-ropc).
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	body, e := s.issue(r)
	if e != nil {
		s.writeRefusal(w, r, e)
		return
	}
	oidcJSON(w, http.StatusOK, body)
}

func (s *Server) issue(r *http.Request) (map[string]any, *refusal) {
	if r.Method != http.MethodPost {
		return nil, deny(90014, "grant_type")
	}
	if err := r.ParseForm(); err != nil {
		return nil, deny(90014, "grant_type")
	}
	tenant, shared, e := s.tenantOf(r)
	if e != nil {
		return nil, e
	}
	kind := r.PostForm.Get("grant_type")
	byGrant := grantTypes[kind]
	if kind == "" {
		return nil, deny(90014, "grant_type")
	}
	if byGrant == nil {
		return nil, deny(70003, kind)
	}
	q := &tokenRequest{tenant: tenant, shared: shared}
	q.cae, q.claims = readClaims(r.PostForm.Get("claims"))
	if q.client, q.acr, e = s.clientOf(r, q); e != nil {
		return nil, e
	}
	answer, e := byGrant(s, r, q)
	if e != nil {
		return nil, e
	}
	return s.answerToken(q, answer)
}

// answerToken makes the tokens of an answer.
func (s *Server) answerToken(q *tokenRequest, a *tokenAnswer) (map[string]any, *refusal) {
	m := minting{client: q.client, acr: q.acr, asked: a.asked, who: a.who, nonce: a.nonce, cae: q.cae, answers: q.claims, issuedAt: s.now()}
	access, life, err := s.mint(m)
	if err != nil {
		return nil, deny(50000)
	}
	seconds := int(life.Seconds()) - 1
	if f, on := s.faults.on(22); on && f.Variant == "zero" {
		seconds = 0
	}
	body := map[string]any{"token_type": "Bearer", "access_token": access, "expires_in": seconds, "ext_expires_in": seconds}
	if a.who == nil {
		return body, nil
	}
	s.View(func(state *State) {
		scopes := s.granting(state, &q.client, a.asked, a.who.UserID)
		// Scopes come back as they were asked for: clients compare (entra-docs
		// identity-platform/v2-oauth2-auth-code-flow).
		prefix := cmp.Or(a.asked.prefix, a.asked.audience)
		for i, scope := range scopes {
			if !slices.Contains(oidcScopes, scope) {
				scopes[i] = prefix + "/" + scope
			}
		}
		if a.asked.all {
			scopes = append(scopes, prefix+"/.default")
		}
		body["scope"] = strings.Join(scopes, " ")
	})
	if a.asked.wants("openid") || a.asked.wants("profile") {
		if body["id_token"], err = s.mintID(m); err != nil {
			return nil, deny(50000)
		}
		body["client_info"] = clientInfo(a.who.UserID, q.tenant)
	}
	if a.refresh != nil && a.asked.wants("offline_access") {
		body["refresh_token"] = s.waiting.newRefresh(*a.refresh, s.now())
	}
	return body, nil
}

// readClaims reads the claims parameter: whether the client can handle a
// challenge (cp1), and whether it answers one.
func readClaims(raw string) (capable, answers bool) {
	var claims struct {
		AccessToken map[string]struct {
			Values []string `json:"values"`
			Value  string   `json:"value"`
		} `json:"access_token"`
	}
	if json.Unmarshal([]byte(raw), &claims) != nil {
		return false, false
	}
	capable = slices.Contains(claims.AccessToken["xms_cc"].Values, "cp1") || claims.AccessToken["xms_cc"].Value == "cp1"
	_, nbf := claims.AccessToken["nbf"]
	_, acrs := claims.AccessToken["acrs"]
	return capable, nbf || acrs
}

// byCode redeems an authorization code, once.
func (s *Server) byCode(r *http.Request, q *tokenRequest) (*tokenAnswer, *refusal) {
	code := r.PostForm.Get("code")
	s.waiting.mu.Lock()
	g := s.waiting.codes[code]
	reused := g != nil && g.used
	if reused {
		s.waiting.revoked[g.family] = true // RFC 6749 section 4.1.2
	}
	s.waiting.mu.Unlock()
	switch {
	case code == "":
		return nil, deny(90014, "code")
	case g == nil || !strings.EqualFold(g.flow.ClientID, q.client.appID):
		return nil, deny(70000, "code")
	case reused:
		return nil, deny(54005)
	case !s.now().Before(g.expires):
		return nil, deny(70008)
	case r.PostForm.Get("redirect_uri") != g.flow.RedirectURI:
		return nil, deny(50011, r.PostForm.Get("redirect_uri"), q.client.appID)
	case !verifies(g.flow.Challenge, g.flow.method, r.PostForm.Get("code_verifier")):
		return nil, deny(501481)
	}
	s.waiting.mu.Lock()
	twice := g.used
	g.used = true
	s.waiting.mu.Unlock()
	if twice {
		return nil, deny(54005)
	}
	return s.forPerson(r, q, g, strings.Join(g.flow.Scopes, " "))
}

// verifies is RFC 7636 section 4.6. A verifier without a challenge is refused
// too: somebody else began the flow.
func verifies(challenge, method, verifier string) bool {
	if challenge == "" {
		return verifier == ""
	}
	got := verifier
	if method == "S256" {
		sum := sha256.Sum256([]byte(verifier))
		got = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	return subtle.ConstantTimeCompare([]byte(got), []byte(challenge)) == 1
}

// byRefresh redeems a refresh token. It is replaced at each use; the old one
// stays good, as Entra's do (entra-docs identity-platform/refresh-tokens).
func (s *Server) byRefresh(r *http.Request, q *tokenRequest) (*tokenAnswer, *refusal) {
	s.waiting.mu.Lock()
	g := s.waiting.refresh[r.PostForm.Get("refresh_token")]
	revoked := g != nil && s.waiting.revoked[g.family]
	s.waiting.mu.Unlock()
	switch {
	case g == nil || !strings.EqualFold(g.flow.ClientID, q.client.appID):
		return nil, deny(70000, "refresh_token")
	case revoked:
		return nil, deny(50173)
	case !s.now().Before(g.expires):
		return nil, deny(70008)
	}
	if e := s.judgeAgain(r, g, q); e != nil {
		return nil, e
	}
	scope := r.PostForm.Get("scope")
	if scope == "" {
		scope = strings.Join(g.flow.Scopes, " ")
	}
	return s.forPerson(r, q, g, scope)
}

// judgeAgain applies the policies of now to a sign-in of before.
func (s *Server) judgeAgain(r *http.Request, g *codeGrant, q *tokenRequest) *refusal {
	if g.who.Attempt == nil {
		return nil
	}
	again := *g.who.Attempt
	again.AppID = q.client.appID
	if o := s.signIn(r.Context(), again); !o.Allowed {
		return deniedBy(o)
	}
	return nil
}

func (s *Server) byDevice(r *http.Request, q *tokenRequest) (*tokenAnswer, *refusal) {
	code := r.PostForm.Get("device_code")
	if code == "" {
		code = r.PostForm.Get("code")
	}
	if code == "" {
		return nil, deny(90014, "device_code")
	}
	g, e := s.redeemDevice(code, &q.client)
	if e != nil {
		return nil, e
	}
	return s.forPerson(r, q, g, strings.Join(g.flow.Scopes, " "))
}

// forPerson checks that the person may still have a token, and that what is
// asked was granted.
func (s *Server) forPerson(_ *http.Request, q *tokenRequest, g *codeGrant, scope string) (*tokenAnswer, *refusal) {
	asked, e := s.parseScope(scope)
	if e != nil {
		return nil, e
	}
	if len(asked.oidc) == 0 { // what was asked at the beginning goes on
		if begun, e := s.parseScope(strings.Join(g.flow.Scopes, " ")); e == nil {
			asked.oidc = begun.oidc
		}
	}
	if e := s.mayHave(q, asked, &g.who); e != nil {
		return nil, e
	}
	return &tokenAnswer{asked: asked, who: &g.who, nonce: g.flow.Nonce, refresh: g}, nil
}

func (s *Server) mayHave(q *tokenRequest, asked *askedScope, who *Signed) (e *refusal) {
	s.View(func(state *State) {
		user := state.Get("users", who.UserID)
		since, _ := time.Parse(time.RFC3339, propText(user, "signInSessionsValidFromDateTime"))
		switch {
		case user == nil:
			e = deny(50034, who.UserID, state.Name)
		case user["accountEnabled"] == false:
			e = deny(50057)
		case who.At.Unix() < since.Unix():
			e = deny(50173)
		case len(s.missing(state, &q.client, asked, who.UserID)) > 0:
			e = deny(65001, q.client.appID, q.client.name)
		}
	})
	return e
}

// byPassword is the resource owner password grant. It can show nothing but a
// password, and is judged as such (entra-docs identity-platform/v2-oauth-ropc).
func (s *Server) byPassword(r *http.Request, q *tokenRequest) (*tokenAnswer, *refusal) {
	name, password := r.PostForm.Get("username"), r.PostForm.Get("password")
	asked, e := s.parseScope(r.PostForm.Get("scope"))
	if e != nil {
		return nil, e
	}
	var id, right string
	s.View(func(state *State) {
		for _, user := range state.All("users") {
			if strings.EqualFold(propText(user, "userPrincipalName"), name) && name != "" {
				id = propText(user, "id")
			}
		}
		if c := state.Credentials[key(id)]; c != nil && id != "" {
			right = c.Password
		}
	})
	if id == "" {
		return nil, deny(50034, name, s.name())
	}
	attempt := Attempt{UserID: id, AppID: q.client.appID, Resource: asked.resource.appID, ClientApp: "mobileAppsAndDesktopClients",
		IP: remoteIP(r), UserAgent: r.UserAgent(), UserRisk: "none", SignInRisk: "none", PasswordGrant: true}
	correct := right != "" && subtle.ConstantTimeCompare([]byte(right), []byte(password)) == 1
	if correct {
		attempt.Used = []Shown{{Mode: "password", MethodID: passwordMethodID}}
	}
	o := s.signIn(r.Context(), attempt)
	if !correct { // whatever the judgement says: a wrong password is no sign-in
		return nil, deny(50126)
	}
	if !o.Allowed {
		return nil, deniedBy(o)
	}
	who := Signed{UserID: id, Methods: []string{"pwd"}, At: s.now(), SessionID: oidcID(), Attempt: &attempt}
	g := &codeGrant{flow: Flow{ClientID: q.client.appID, Scopes: strings.Fields(r.PostForm.Get("scope"))}, who: who, family: oidcID()}
	return s.forPerson(r, q, g, r.PostForm.Get("scope"))
}

// passwordMethodID is the same for everybody (graph resources/passwordauthenticationmethod).
const passwordMethodID = "28c10230-6103-485e-b985-444c60001490"

func remoteIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	return host
}
