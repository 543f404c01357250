package sandbox

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// clientAssertionType is RFC 7523 section 2.2.
const clientAssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// clientOf finds the application of a token request and checks what it shows
// for itself. acr is appidacr of its tokens.
func (s *Server) clientOf(r *http.Request, q *tokenRequest) (c oidcClient, acr string, e *refusal) {
	id, secret := r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	if user, pass, is := r.BasicAuth(); is { // RFC 6749 section 2.3.1: both are form-encoded
		id, _ = url.QueryUnescape(user)
		secret, _ = url.QueryUnescape(pass)
	}
	assertion := r.PostForm.Get("client_assertion")
	if id == "" && assertion == "" {
		return c, "", deny(90014, "client_id")
	}
	c, known := s.client(id)
	switch {
	case !known:
		return c, "", deny(700016, id, s.name())
	case c.disabled:
		return c, "", deny(7000112, c.appID)
	case c.public && c.registered == nil && (secret != "" || assertion != ""):
		return c, "", deny(700025)
	case secret != "":
		return c, "1", s.checkSecret(&c, secret)
	case assertion != "":
		if r.PostForm.Get("client_assertion_type") != clientAssertionType {
			return c, "", deny(90014, "client_assertion_type")
		}
		return c, "2", s.checkAssertion(r, &c, q, assertion)
	case c.public && r.PostForm.Get("grant_type") != "client_credentials":
		return c, "0", nil
	}
	return c, "", deny(7000218)
}

// checkSecret compares with the secrets of the application that have not ended.
func (s *Server) checkSecret(c *oidcClient, secret string) *refusal {
	if f, on := s.faults.on(24); on && f.Variant == "secret-rotated" && s.faults.take(f) {
		return deny(7000215, c.appID)
	}
	right, ended := false, false
	s.View(func(state *State) {
		for _, p := range propList(c.registered, "passwordCredentials") {
			have := state.Secrets[key(propText(p, "keyId"))]
			if have == "" || subtle.ConstantTimeCompare([]byte(have), []byte(secret)) != 1 {
				continue
			}
			if s.within(p) {
				right = true
			} else {
				ended = true
			}
		}
	})
	switch {
	case right:
		return nil
	case ended:
		return deny(7000222, c.appID)
	}
	return deny(7000215, c.appID)
}

// within tells whether a credential is in its time.
func (s *Server) within(credential Object) bool {
	from, errFrom := time.Parse(time.RFC3339, propText(credential, "startDateTime"))
	to, errTo := time.Parse(time.RFC3339, propText(credential, "endDateTime"))
	now := s.now()
	return (errFrom != nil || !now.Before(from)) && (errTo != nil || now.Before(to))
}

// checkAssertion checks a signed statement of the application: by a certificate
// that is registered on it, or by an issuer that it trusts.
func (s *Server) checkAssertion(r *http.Request, c *oidcClient, q *tokenRequest, assertion string) *refusal {
	if f, on := s.faults.on(24); on && f.Variant == "certificate-expired" && s.faults.take(f) {
		return deny(700027, "the certificate has expired")
	}
	claims := jwt.MapClaims{}
	parsed, _, err := jwt.NewParser().ParseUnverified(assertion, claims)
	if err != nil {
		return deny(50012, "the client assertion is malformed")
	}
	// Outside issuers name certificates in their headers too: who issued it decides.
	if iss, _ := claims.GetIssuer(); strings.EqualFold(iss, c.appID) {
		return s.checkCertificate(r, c, q, assertion, parsed.Header)
	}
	return s.checkFederated(c, assertion, claims)
}

// checkCertificate is entra-docs identity-platform/certificate-credentials.
func (s *Server) checkCertificate(r *http.Request, c *oidcClient, q *tokenRequest, assertion string, header map[string]any) *refusal {
	cert, ended := s.certificateOf(c, header)
	switch {
	case ended:
		return deny(700027, "the key was expired")
	case cert == nil:
		return deny(700027, "the key was not found")
	}
	endpoint := s.base() + "/" + r.PathValue("tenant")
	audiences := []string{endpoint + "/oauth2/v2.0/token", s.base() + "/" + q.tenant + "/oauth2/v2.0/token", endpoint + "/v2.0", s.issuerV2(q.tenant)}
	claims := jwt.MapClaims{}
	_, err := jwt.NewParser(jwt.WithValidMethods([]string{"RS256", "PS256"}), jwt.WithTimeFunc(s.now), jwt.WithLeeway(5*time.Minute),
		jwt.WithExpirationRequired()).ParseWithClaims(assertion, claims, func(*jwt.Token) (any, error) { return cert.PublicKey, nil })
	switch {
	case errors.Is(err, jwt.ErrTokenExpired), errors.Is(err, jwt.ErrTokenNotValidYet), errors.Is(err, jwt.ErrTokenRequiredClaimMissing):
		return deny(700024)
	case err != nil:
		return deny(700027, "the signature is wrong")
	}
	aud, _ := claims.GetAudience()
	iss, _ := claims.GetIssuer()
	sub, _ := claims.GetSubject()
	switch {
	case !slices.ContainsFunc(aud, func(a string) bool { return slices.Contains(audiences, a) }):
		return deny(700023)
	case !strings.EqualFold(iss, c.appID) || !strings.EqualFold(sub, c.appID):
		return deny(50012, "issuer and subject of the client assertion must be the application")
	}
	return nil
}

// certificateOf finds the registered certificate that an assertion names.
func (s *Server) certificateOf(c *oidcClient, header map[string]any) (cert *x509.Certificate, ended bool) {
	named := func(k string) string {
		v, _ := header[k].(string)
		return strings.NewReplacer("=", "", "+", "-", "/", "_").Replace(v)
	}
	s.View(func(*State) {
		for _, k := range propList(c.registered, "keyCredentials") {
			der, err := base64.StdEncoding.DecodeString(propText(k, "key"))
			if err != nil {
				continue
			}
			have, err := x509.ParseCertificate(der)
			if err != nil {
				continue
			}
			s1, s256 := certificateThumbprints(der)
			if named("x5t") != s1 && named("x5t#S256") != s256 {
				continue
			}
			if !s.within(k) || s.now().After(have.NotAfter) {
				ended = true
				continue
			}
			cert = have
		}
	})
	return cert, ended && cert == nil
}

// checkFederated is entra-docs workload-id/workload-identity-federation: issuer,
// subject and audience must be those of one federated identity credential.
func (s *Server) checkFederated(c *oidcClient, assertion string, unverified jwt.MapClaims) *refusal {
	iss, _ := unverified.GetIssuer()
	sub, _ := unverified.GetSubject()
	aud, _ := unverified.GetAudience()
	var credentials []Object
	s.View(func(state *State) {
		// The collection of its own, or within the application.
		credentials = append(state.All("applications/"+key(propText(c.registered, "id"))+"/federatedIdentityCredentials"),
			propList(c.registered, "federatedIdentityCredentials")...)
	})
	matches := func(name string, value func(string) bool) bool {
		credentials = slices.DeleteFunc(slices.Clone(credentials), func(o Object) bool { return !value(propText(o, name)) })
		return len(credentials) > 0
	}
	switch { // compared to the letter: "case-sensitive"
	case len(credentials) == 0:
		return deny(70021, iss, sub, strings.Join(aud, " "))
	case !matches("issuer", func(v string) bool { return v == iss }):
		return deny(700211, iss)
	case !matches("subject", func(v string) bool { return v == sub }):
		return deny(700213, sub)
	}
	if !slices.ContainsFunc(credentials, func(o Object) bool {
		return slices.ContainsFunc(propTexts(o, "audiences"), func(a string) bool { return slices.Contains(aud, a) })
	}) {
		return deny(700212, strings.Join(aud, " "))
	}
	issuerKey := s.issuerKey(iss)
	if issuerKey == nil {
		return deny(50012, "the sandbox has no key of the issuer "+iss)
	}
	methods := []string{"RS256"}
	if _, is := issuerKey.(*ecdsa.PublicKey); is {
		methods = []string{"ES256", "ES384"}
	}
	_, err := jwt.NewParser(jwt.WithValidMethods(methods), jwt.WithTimeFunc(s.now), jwt.WithLeeway(5*time.Minute), jwt.WithExpirationRequired()).
		ParseWithClaims(assertion, jwt.MapClaims{}, func(*jwt.Token) (any, error) { return issuerKey, nil })
	switch {
	case errors.Is(err, jwt.ErrTokenExpired), errors.Is(err, jwt.ErrTokenNotValidYet), errors.Is(err, jwt.ErrTokenRequiredClaimMissing):
		return deny(700024)
	case err != nil:
		return deny(50012, "the signature of the client assertion is wrong")
	}
	return nil
}

// WorkloadIssuer is the issuer of workload tokens that the sandbox makes itself.
func (s *Server) WorkloadIssuer() string { return s.base() + "/sandbox/issuer" }

// WorkloadAudience is what federated credentials use (entra-docs
// workload-id/workload-identity-federation).
const WorkloadAudience = "api://AzureADTokenExchange"

// WorkloadToken makes a token of the sandbox's own issuer for a subject, as a
// cluster or a pipeline would.
func (s *Server) WorkloadToken(subject string) (string, error) {
	now := s.now()
	return s.tokens.sign(jwt.MapClaims{"iss": s.WorkloadIssuer(), "sub": subject, "aud": WorkloadAudience,
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(time.Hour).Unix(), "jti": oidcID()})
}

func (s *Server) issuerKey(issuer string) crypto.PublicKey {
	if issuer == s.WorkloadIssuer() {
		return &s.tokens.key.PublicKey
	}
	switch k := s.config.Issuers[issuer].(type) {
	case *rsa.PublicKey:
		return k
	case *ecdsa.PublicKey:
		return k
	}
	return nil
}

// byClient is the token of an application itself.
func (s *Server) byClient(r *http.Request, q *tokenRequest) (*tokenAnswer, *refusal) {
	if q.shared {
		return nil, deny(50059)
	}
	asked, e := s.parseScope(r.PostForm.Get("scope"))
	if e != nil {
		return nil, e
	}
	if !asked.all || len(asked.scopes) > 0 {
		return nil, deny(1002012, r.PostForm.Get("scope"))
	}
	return &tokenAnswer{asked: asked}, nil
}
