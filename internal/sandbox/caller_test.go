package sandbox

import (
	"errors"
	"maps"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// A token opens Graph only as it was issued.
func TestTokensThatAreRefused(t *testing.T) {
	var clock testClock
	begun := time.Now()
	site := openSite(t, Config{Now: func() time.Time { return begun.Add(clock.offset) }}, nil)
	other := openSite(t, Config{State: NewState(testBob, "Fabrikam", "P1")}, nil)
	claims := func() jwt.MapClaims {
		return jwt.MapClaims{"aud": "https://graph.microsoft.com", "iss": site.issuerV1(testTenant), "tid": testTenant, "appid": testApp,
			"idtyp": "app", "exp": begun.Add(time.Hour).Unix(), "iat": begun.Unix(), "nbf": begun.Unix()}
	}
	with := func(change func(jwt.MapClaims)) string {
		c := claims()
		change(c)
		token, err := site.tokens.sign(c)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	sign := func(method jwt.SigningMethod, k any) string {
		token := jwt.NewWithClaims(method, claims())
		token.Header["kid"] = site.tokens.kid
		text, err := token.SignedString(k)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	foreign, err := other.tokens.sign(claims())
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]string{
		"no token":                         "",
		"no JWT":                           "abc",
		"alg none":                         sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType),
		"the key's name as a password":     sign(jwt.SigningMethodHS256, []byte(site.tokens.kid)),
		"another tenant's key":             foreign,
		"another tenant":                   with(func(c jwt.MapClaims) { c["tid"], c["iss"] = testBob, site.issuerV1(testBob) }),
		"another issuer":                   with(func(c jwt.MapClaims) { c["iss"] = "https://evil.example/" }),
		"another audience":                 with(func(c jwt.MapClaims) { c["aud"] = "https://vault.azure.net" }),
		"Resource Manager's audience":      with(func(c jwt.MapClaims) { c["aud"] = "https://management.azure.com" }),
		"the audience of a national cloud": with(func(c jwt.MapClaims) { c["aud"] = "https://graph.microsoft.us" }),
		"no audience":                      with(func(c jwt.MapClaims) { delete(c, "aud") }),
		"ended":                            with(func(c jwt.MapClaims) { c["exp"] = begun.Add(-time.Minute).Unix() }),
		"no end":                           with(func(c jwt.MapClaims) { delete(c, "exp") }),
		"not begun":                        with(func(c jwt.MapClaims) { c["nbf"] = begun.Add(time.Minute).Unix() }),
		"a person without a name":          with(func(c jwt.MapClaims) { c["idtyp"] = "user" }),
		"a workload token":                 must(site.WorkloadToken("x")),
	}
	if _, err := site.as(with(func(jwt.MapClaims) {})); err != nil {
		t.Fatalf("the good one: %v", err)
	}
	for name, token := range tests {
		t.Run(name, func(t *testing.T) {
			if c, err := site.as(token); err == nil {
				t.Errorf("was let in as %+v", c)
			}
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, site.URL+"/v1.0/organization", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+token)
			res, err := site.web(t).Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body := decoded(t, res.Body)
			if res.StatusCode != http.StatusUnauthorized || propText(propObject(body, "error"), "code") != "InvalidAuthenticationToken" || res.Header.Get("WWW-Authenticate") == "" {
				t.Errorf("got %d %v", res.StatusCode, body)
			}
		})
	}
}

func must(s string, err error) string {
	if err != nil {
		panic(err)
	}
	return s
}

func TestRevokedSessionsAreChallenged(t *testing.T) {
	site := openSite(t, Config{}, nil)
	capable, _ := browserToken(t, site, site.surfer(t, testAda, "accept"), loginScopes, `{"access_token":{"xms_cc":{"values":["cp1"]}}}`)
	plain, _ := browserToken(t, site, site.surfer(t, testAda, "accept"), loginScopes, "")
	if _, err := site.as(capable["access_token"].(string)); err != nil {
		t.Fatal(err)
	}
	if err := site.Update(func(s *State) error {
		user := maps.Clone(s.Get("users", testAda))
		user["signInSessionsValidFromDateTime"] = time.Now().Add(time.Minute).UTC().Format(time.RFC3339)
		s.Put("users", testAda, user)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	_, err := site.as(capable["access_token"].(string))
	if e, is := errors.AsType[*tokenError](err); !is || e.claims == "" {
		t.Errorf("a client that can be challenged: got %v", err)
	}
	if _, err := site.as(plain["access_token"].(string)); err != nil {
		t.Errorf("a client that cannot keeps its token to the end: got %v", err)
	}
	for name, tokens := range map[string]map[string]any{"capable": capable, "plain": plain} {
		body, _ := site.atToken(t, url.Values{"grant_type": {"refresh_token"}, "client_id": {graphCLI}, "refresh_token": {tokens["refresh_token"].(string)}})
		if errorCode(body) != "50173" {
			t.Errorf("%s: refresh got %v", name, body)
		}
	}
}

// Each error names the page that it was taken from.
func TestEveryErrorHasItsPage(t *testing.T) {
	for code, e := range stsErrors {
		if e.source == "" || e.oauth == "" || e.status < 400 || e.text == "" {
			t.Errorf("%d: %+v", code, e)
		}
	}
}

func TestPasswordGrantNeedsThePassword(t *testing.T) {
	site := openSite(t, Config{}, nil)
	tests := map[string]struct{ user, password, want string }{
		"a wrong password":             {"ada@contoso.example", "guess", "50126"},
		"no password":                  {"ada@contoso.example", "", "50126"},
		"somebody who has no password": {"bob@contoso.example", "", "50126"},
		"nobody":                       {"eve@contoso.example", "x", "50034"},
		"no name":                      {"", "x", "50034"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			body, _ := site.atToken(t, url.Values{"grant_type": {"password"}, "client_id": {graphCLI}, "username": {tt.user}, "password": {tt.password}, "scope": {"openid User.Read"}})
			if errorCode(body) != tt.want {
				t.Errorf("got %v", body)
			}
		})
	}
}
