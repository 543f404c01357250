package sandbox

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Caller is whoever a request's token speaks for.
type Caller struct {
	AppID  string
	UserID string // "" for an application's own token
	// Permissions are the scopes of a delegated token or the app roles of an
	// application's.
	Permissions []string
	Audience    string // the resource: Graph, Resource Manager
}

// Delegated reports whether a person stands behind the call.
func (c Caller) Delegated() bool { return c.UserID != "" }

// tokenError is why a token does not open.
type tokenError struct {
	message string
	claims  string // a claims challenge, JSON
}

func (e *tokenError) Error() string { return e.message }

type callerKey struct{}

// caller verifies the bearer token of a request.
func (s *Server) caller(r *http.Request) (Caller, error) {
	if c, is := r.Context().Value(callerKey{}).(Caller); is {
		return c, nil // verified when the request came in
	}
	return s.verify(r)
}

func (s *Server) verify(r *http.Request) (Caller, error) {
	bearer, is := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !is || bearer == "" {
		return Caller{}, &tokenError{message: "Access token is empty."}
	}
	claims := jwt.MapClaims{}
	// The issuer's clock and this one are the same: no leeway beyond Graph's five minutes.
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithTimeFunc(s.now), jwt.WithExpirationRequired(), jwt.WithLeeway(0))
	_, err := parser.ParseWithClaims(bearer, claims, func(t *jwt.Token) (any, error) {
		if t.Header["kid"] != s.tokens.kid {
			return nil, errors.New("signed by a key that is not the tenant's")
		}
		return &s.tokens.key.PublicKey, nil
	})
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return Caller{}, &tokenError{message: "Lifetime validation failed, the token is expired."}
	case errors.Is(err, jwt.ErrTokenNotValidYet), errors.Is(err, jwt.ErrTokenUsedBeforeIssued):
		return Caller{}, &tokenError{message: "Lifetime validation failed, the token is not yet valid."}
	case errors.Is(err, jwt.ErrTokenSignatureInvalid), errors.Is(err, jwt.ErrTokenUnverifiable):
		return Caller{}, &tokenError{message: "Access token validation failure. Invalid signature."}
	case err != nil:
		return Caller{}, &tokenError{message: "CompactToken parsing failed: the token is malformed."}
	}
	return s.admit(r, claims)
}

// admit looks at what a genuine token says.
func (s *Server) admit(r *http.Request, claims jwt.MapClaims) (Caller, error) {
	say := func(name string) string { v, _ := claims[name].(string); return v }
	var tenant, cloud string
	s.View(func(state *State) { tenant, cloud = state.ID, state.Cloud })
	if !strings.EqualFold(say("tid"), tenant) || say("iss") != s.issuerV1(tenant) {
		return Caller{}, &tokenError{message: "Access token validation failure. Invalid issuer."}
	}
	want := graphAppID
	if strings.HasPrefix(r.URL.Path, "/subscriptions") || strings.HasPrefix(r.URL.Path, "/providers") {
		want = armAppID
	}
	got, known := s.resource(cloud, say("aud"))
	if !known || say("aud") == "" || got.appID != want {
		return Caller{}, &tokenError{message: "Access token validation failure. Invalid audience."}
	}
	c := Caller{AppID: say("appid"), Audience: got.appID}
	if say("idtyp") == "app" {
		if roles, is := claims["roles"].([]any); is {
			for _, role := range roles {
				c.Permissions = append(c.Permissions, fmt.Sprint(role))
			}
		}
		return c, s.challenged(r.URL.Path, claims)
	}
	c.UserID, c.Permissions = say("oid"), strings.Fields(say("scp"))
	if c.UserID == "" {
		return Caller{}, &tokenError{message: "Access token validation failure. The token names nobody."}
	}
	if err := s.revoked(c.UserID, claims); err != nil {
		return Caller{}, err
	}
	return c, s.challenged(r.URL.Path, claims)
}

// revoked applies the critical events of continuous access evaluation: the
// account is gone or disabled, its sessions were revoked. Only clients that said
// they can handle it are told before the token ends (entra-docs
// identity/conditional-access/concept-continuous-access-evaluation).
func (s *Server) revoked(user string, claims jwt.MapClaims) error {
	capable := false
	if list, is := claims["xms_cc"].([]any); is {
		capable = slices.Contains(list, any("cp1"))
	}
	if !capable {
		return nil
	}
	issued, _ := claims["auth_time"].(float64)
	var err error
	s.View(func(state *State) {
		account := state.Get("users", user)
		since, _ := time.Parse(time.RFC3339, propText(account, "signInSessionsValidFromDateTime"))
		switch {
		case account == nil:
			err = challenge("UserDeleted", s.now())
		case account["accountEnabled"] == false:
			err = challenge("UserDisabled", s.now())
		case int64(issued) < since.Unix():
			err = challenge("TokenCreatedWithOutdatedPolicies", since)
		}
	})
	return err
}

// challenge is the answer of a resource that wants a newer token (entra-docs
// identity-platform/claims-challenge).
func challenge(code string, since time.Time) *tokenError {
	claims, _ := json.Marshal(map[string]any{"access_token": map[string]any{
		"nbf": map[string]any{"essential": true, "value": fmt.Sprint(since.Unix())}}}) // strings and a bool
	return &tokenError{
		message: "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: " + code,
		claims:  string(claims),
	}
}

// authenticated verifies the token of a request to Graph or Resource Manager,
// once for all that is behind it.
func (s *Server) authenticated(w http.ResponseWriter, r *http.Request) (*http.Request, bool) {
	c, err := s.verify(r)
	if err != nil {
		s.writeUnauthorized(w, r, err)
		return nil, false
	}
	return r.WithContext(context.WithValue(r.Context(), callerKey{}, c)), true
}

func (s *Server) writeUnauthorized(w http.ResponseWriter, r *http.Request, err error) {
	header := fmt.Sprintf(`Bearer realm="", authorization_uri="%s/common/oauth2/v2.0/authorize", client_id="%s"`, s.base(), graphAppID)
	if e, is := errors.AsType[*tokenError](err); is && e.claims != "" {
		header += fmt.Sprintf(`, error="insufficient_claims", claims="%s"`, base64.StdEncoding.EncodeToString([]byte(e.claims)))
	}
	w.Header().Set("WWW-Authenticate", header)
	s.writeGraphError(w, r, http.StatusUnauthorized, "InvalidAuthenticationToken", err.Error())
}

// graphErrorBody is the shape of an error of Graph (graph errors).
func (s *Server) graphErrorBody(r *http.Request, code, message string) Object {
	return Object{"error": Object{"code": code, "message": message, "innerError": Object{
		"date": s.now().Format("2006-01-02T15:04:05"), "request-id": oidcID(), "client-request-id": correlationOf(r)}}}
}

func (s *Server) writeGraphError(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	body := s.graphErrorBody(r, code, message)
	inner := propObject(propObject(body, "error"), "innerError")
	w.Header().Set("request-id", propText(inner, "request-id"))
	w.Header().Set("client-request-id", propText(inner, "client-request-id"))
	oidcJSON(w, status, body)
}
