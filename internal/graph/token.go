package graph

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// SignInError is a token that could not be had, or that is not for here.
type SignInError struct {
	Operation string
	Why       string // cleaned, without the answer of the token endpoint
	Code      string // AADSTS code, when there is one
	Cure      string
	Kind      Kind // KindNotSignedIn, or KindUnavailable when nobody could be asked

	cause error
}

// Error implements error.
func (e *SignInError) Error() string { return e.Operation + ": not signed in: " + e.Why }

// Hint says what a person can do about it.
func (e *SignInError) Hint() string {
	if e.Cure != "" {
		return e.Cure
	}
	return hints[KindNotSignedIn]
}

// Unwrap gives the cause; its text may be long and foreign.
func (e *SignInError) Unwrap() error { return e.cause }

// holdFailure is how long a failed sign-in is not tried again: sixty requests
// that wait for one token must not become sixty sign-ins.
const holdFailure = 10 * time.Second

// reuse is how long a token is given out again although its authority says
// that it has ended already (expires_in 0): one token per request would be a
// storm on the token endpoint.
const reuse = 10 * time.Second

// gate stands between azcore and the credential: one sign-in at a time for each
// audience, a failure remembered for a moment, and each new token looked at.
type gate struct {
	inner  azcore.TokenCredential
	cloud  Cloud
	tenant string
	now    func() time.Time
	off    map[Defence]bool

	mu     sync.Mutex
	keys   map[string]*held
	claims map[string]string // by scopes: what the last challenge asked for
	last   Claims            // of the last token for Graph
	tid    string            // of the first token
}

// held is the state of one audience.
type held struct {
	turn   chan struct{} // holds one element while nobody asks
	newer  string        // claims that want a newer token than one that was refused
	token  azcore.AccessToken
	got    time.Time
	failed error
	until  time.Time
}

func newGate(c Config) *gate {
	return &gate{inner: c.Credential, cloud: c.Cloud, tenant: c.Tenant, now: c.Now, off: c.Without, keys: map[string]*held{}, claims: map[string]string{}}
}

// GetToken implements azcore.TokenCredential.
func (g *gate) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if g.off[DefenceHold] {
		token, err := g.inner.GetToken(ctx, o)
		if err != nil {
			err = explainSignIn(err, nil)
		}
		return token, err
	}
	scopes := strings.Join(o.Scopes, " ")
	g.mu.Lock()
	o.Claims = cmp.Or(o.Claims, g.claims[scopes])
	g.mu.Unlock()
	h := g.held(scopes + "\x00" + o.Claims)
	select {
	case <-h.turn:
		defer func() { h.turn <- struct{}{} }()
	case <-ctx.Done():
		return azcore.AccessToken{}, context.Cause(ctx)
	}
	if token, err, known := g.kept(h, o.Claims != ""); known {
		return token, err
	}
	if o.Claims == "" {
		o.Claims = g.newer(h)
	}
	// What the sign-in sends says nothing about whether the request has left.
	noting, lost := withLost(context.WithValue(ctx, outKey{}, nil))
	token, err := g.inner.GetToken(noting, o)
	if err == nil {
		err = g.examine(token, o.Scopes)
	} else if ctx.Err() != nil {
		return azcore.AccessToken{}, context.Cause(ctx) // says nothing about the sign-in
	} else {
		err = explainSignIn(err, lost.Load())
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if err != nil {
		h.failed, h.until = err, time.Now().Add(holdFailure)
		return azcore.AccessToken{}, err
	}
	h.token, h.got, h.failed, h.newer = token, time.Now(), nil, ""
	return token, nil
}

// kept returns what need not be asked for again: a failure of a moment ago, a
// token of a moment ago, and the answer to a challenge that was answered already.
func (g *gate) kept(h *held, challenged bool) (token azcore.AccessToken, failed error, known bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	switch {
	case h.failed != nil && now.Before(h.until):
		return token, h.failed, true
	case h.token.Token == "":
		return token, nil, false
	case now.Sub(h.got) < reuse && !g.off[DefenceReuse], challenged && now.Before(h.token.ExpiresOn.Add(-5*time.Minute)):
		return h.token, nil, true
	}
	return token, nil, false
}

func (g *gate) held(key string) *held {
	g.mu.Lock()
	defer g.mu.Unlock()
	h := g.keys[key]
	if h == nil {
		h = &held{turn: make(chan struct{}, 1)}
		h.turn <- struct{}{}
		g.keys[key] = h
	}
	return h
}

func (g *gate) newer(h *held) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return h.newer
}

// newerThan asks for a token that was issued after another. Microsoft's library
// would else return the refused one from its memory, until it ends by the local
// clock, which may be the one that is wrong (entra-docs "Claims challenges, claims
// requests and client capabilities").
func newerThan(token string) string {
	var times struct {
		IssuedAt int64 `json:"iat"`
	}
	if parts := strings.Split(token, "."); len(parts) == 3 {
		if data, err := base64.RawURLEncoding.DecodeString(parts[1]); err == nil {
			_ = json.Unmarshal(data, &times) // zero asks for any
		}
	}
	return fmt.Sprintf(`{"access_token":{"nbf":{"essential":true,"value":"%d"}}}`, times.IssuedAt+1)
}

// forget drops a token that was refused, so that the next one is fetched. Many
// requests may come back with the same refused token; only the first drops it.
func (g *gate) forget(token string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, h := range g.keys {
		if h.token.Token == token {
			h.token = azcore.AccessToken{}
			h.newer = newerThan(token)
		}
	}
}

// refusals tells the gate of a token that was refused before azcore drops it. In the
// other order another request could fetch it from the gate in between, and azcore would
// give it to the one attempt that was meant for a new token.
type refusals struct {
	gate   *gate
	scopes []string
}

// firstKey marks the context of a request: true until a token was renewed for it. What
// is refused with a new token as well keeps that token: it is not the token.
type firstKey struct{}

// Do implements policy.Policy, next to the wire.
func (p refusals) Do(req *policy.Request) (*http.Response, error) {
	resp, err := req.Next()
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		return resp, err
	}
	first, _ := req.Raw().Context().Value(firstKey{}).(bool)
	switch claims := challengeOf(resp.Header); {
	case claims != "":
		p.gate.challenged(p.scopes, claims)
	case (first || p.gate.off[DefenceRenewOnce]) && !p.gate.off[DefenceRenew]:
		p.gate.forget(strings.TrimPrefix(req.Raw().Header.Get("Authorization"), "Bearer "))
	}
	return resp, nil
}

var challengeClaims = regexp.MustCompile(`\bclaims="([A-Za-z0-9+/=_-]+)"`)

// challengeOf returns the claims that a 401 asks for, "" none (entra-docs "Claims
// challenges, claims requests and client capabilities").
func challengeOf(h http.Header) string {
	for _, line := range h.Values("Www-Authenticate") {
		if m := challengeClaims.FindStringSubmatch(line); m != nil && strings.Contains(line, `error="insufficient_claims"`) {
			for _, e := range []*base64.Encoding{base64.StdEncoding, base64.RawURLEncoding} { // azcore takes both
				if claims, err := e.DecodeString(m[1]); err == nil {
					return string(claims)
				}
			}
		}
	}
	return ""
}

// challenged has every later request for these scopes take the token that answers the
// challenge.
func (g *gate) challenged(scopes []string, claims string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.claims[strings.Join(scopes, " ")] = claims
}

// examine looks at a new token: whose it is, and for whom. It is not a check of
// the signature, which is Graph's to make; it notices a mistake early, before
// one tenant's answers are taken for another's.
func (g *gate) examine(token azcore.AccessToken, scopes []string) error {
	claims, err := ReadClaims(token.Token)
	if err != nil {
		return nil // an opaque token: Graph judges it, and CheckTenant the answers
	}
	toGraph := len(scopes) > 0 && strings.HasPrefix(scopes[0], g.cloud.Graph+"/")
	if toGraph && claims.Audience != "" && !g.audience(claims.Audience) && !g.off[DefenceAudience] {
		return &SignInError{Operation: "look at the token", Kind: KindNotSignedIn, Why: fmt.Sprintf("it is for %s, not for %s", clean(claims.Audience, 80), g.cloud.Graph),
			Cure: "Check the cloud and the application that you sign in to."}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.checkTenant(claims.Tenant); err != nil {
		return err
	}
	if toGraph {
		g.last = claims
	}
	return nil
}

func (g *gate) audience(aud string) bool {
	aud = strings.TrimSuffix(aud, "/")
	if strings.EqualFold(aud, g.cloud.Graph) {
		return true
	}
	for _, a := range g.cloud.Audiences {
		if strings.EqualFold(aud, a) {
			return true
		}
	}
	return false
}

// checkTenant compares a tenant's id with the one that was asked for, or, when
// that is a domain, with the one of the first token.
func (g *gate) checkTenant(id string) error {
	if id == "" || g.off[DefenceTenant] {
		return nil
	}
	want := g.tenant
	if !guid.MatchString(want) {
		want = g.tid
	}
	if want == "" {
		g.tid = id
		return nil
	}
	if !strings.EqualFold(id, want) {
		return &SecurityError{Operation: "check the tenant", Why: fmt.Sprintf("this is tenant %s, and %s was asked for", clean(id, 40), want)}
	}
	return nil
}

// CheckTenant compares the id of the organization that an answer names with the
// tenant that was asked for. An answer of another tenant is a *SecurityError.
func (c *Client) CheckTenant(id string) error {
	if !guid.MatchString(id) && !c.gate.off[DefenceTenant] {
		return &SecurityError{Operation: "check the tenant", Why: fmt.Sprintf("%q is no id of a tenant", clean(id, 40))}
	}
	c.gate.mu.Lock()
	defer c.gate.mu.Unlock()
	return c.gate.checkTenant(id)
}

// Claims returns what the token for Graph says, and fetches one if there is none.
func (c *Client) Claims(ctx context.Context) (Claims, error) {
	scopes := c.config.Scopes
	if len(scopes) == 0 {
		scopes = []string{c.config.Cloud.Graph + "/.default"}
	}
	token, err := c.gate.GetToken(ctx, policy.TokenRequestOptions{Scopes: scopes, EnableCAE: true})
	if err != nil {
		if signIn := signInError("sign in", err); signIn != nil {
			return Claims{}, signIn
		}
		return Claims{}, err
	}
	return ReadClaims(token.Token)
}

// signInError finds the SignInError in an error, or makes one of azidentity's.
func signInError(operation string, err error) error {
	if e, is := errors.AsType[*SignInError](err); is {
		named := *e
		named.Operation = operation
		return &named
	}
	if isCredentialError(err) {
		e := explainSignIn(err, nil).(*SignInError)
		e.Operation = operation
		return e
	}
	return nil
}

func isCredentialError(err error) bool {
	if _, is := errors.AsType[*azidentity.AuthenticationFailedError](err); is {
		return true
	}
	_, is := errors.AsType[*azidentity.AuthenticationRequiredError](err)
	return is
}

// explainSignIn says in one line why a sign-in failed. The text of the token
// endpoint is cut at the first line: below come trace ids and the raw answer.
// lost is why the last request had no answer, if it had none.
func explainSignIn(err error, lost *error) error {
	e := &SignInError{Operation: "sign in", Kind: KindNotSignedIn, cause: err}
	text := err.Error()
	if lost != nil {
		if a, is := errors.AsType[*answered](*lost); is {
			text, lost = text+" "+a.text, nil // searched for words below, never shown
		}
	}
	e.Code = aadsts.FindString(text)
	if lost != nil {
		e.Kind = KindUnavailable
		why := plainCause(*lost)
		e.Why, e.Cure = "the sign-in service cannot be reached: "+clean(why, maxMessage), hints[KindUnavailable]
		switch {
		case isCertificate(*lost):
			e.Cure = "Its certificate is not from an authority that is trusted here. A sandbox makes a new one at each start: sign in again with the --ca that it printed. Where a proxy looks into TLS: ca_bundle: in halligan.yaml."
		case strings.Contains(why, "127.0.0.1") || strings.Contains(why, "[::1]") || strings.Contains(why, "localhost"):
			e.Cure = "Nothing listens there: is `halligan sandbox` running, and on this port?"
		}
	} else if failed, is := errors.AsType[*azidentity.AuthenticationFailedError](err); is && failed.RawResponse != nil {
		e.Why = fmt.Sprintf("the sign-in service answered %d", failed.RawResponse.StatusCode)
		if failed.RawResponse.StatusCode == http.StatusTooManyRequests || failed.RawResponse.StatusCode >= 500 {
			e.Kind = KindUnavailable
			e.Cure = "The sign-in service is busy or down. Try again in some minutes; https://status.cloud.microsoft says whether it is Microsoft."
		}
	} else {
		e.Why = clean(firstLine(text), maxMessage)
	}
	if e.Code != "" {
		e.Why += " (" + e.Code + ")"
	}
	if cure, known := cures[e.Code]; known {
		e.Why, e.Cure = cure.why+" ("+e.Code+")", cure.cure
		return e
	}
	for _, word := range oauthWords {
		if strings.Contains(text, word.word) {
			e.Why, e.Cure = word.why+ifCode(e.Code), word.cure
			break
		}
	}
	return e
}

func ifCode(code string) string {
	if code == "" {
		return ""
	}
	return " (" + code + ")"
}

// oauthWords are the errors of the sign-in service, and of the browser, that carry
// no AADSTS number of their own (RFC 6749 4.1.2.1, RFC 8628 3.5, entra-docs v2-oauth2-device-code).
var oauthWords = []struct{ word, why, cure string }{
	{"InteractiveBrowserCredential: exit status", "no browser could be opened on this machine", "Sign in on another machine with `halligan login --device-code`."},
	{"executable file not found", "no browser could be opened on this machine", "Sign in on another machine with `halligan login --device-code`."},
	{"declined scopes", "some of the permissions were not granted", "Accept all of them, or have an administrator consent first: `halligan permissions` lists them."},
	{"authorization_declined", "the sign-in or the consent was refused: the page that refused it says why", "If consent was missing: accept it, or have an administrator consent first (`halligan permissions`). If a policy blocks device codes: sign in without --device-code."},
	{"access_denied", "the consent was refused", "Sign in again and accept, or have an administrator consent first: `halligan permissions` lists what is asked for."},
	{"expired_token", "the code was not entered in time", "Start again, and enter the code within 15 minutes."},
	{"code_expired", "the code was not entered in time", "Start again, and enter the code within 15 minutes."},
	{"bad_verification_code", "the code was not recognised", "Start again."},
}

func firstLine(s string) string {
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" {
			return line
		}
	}
	return ""
}
