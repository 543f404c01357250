package sandbox

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"crypto"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/golang-jwt/jwt/v5"
)

// newCertificate makes a certificate that an application could register.
func newCertificate(t *testing.T, from time.Time, days int) (*x509.Certificate, *rsa.PrivateKey) {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "halligan"}, NotBefore: from, NotAfter: from.AddDate(0, 0, days)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, k
}

// withApp changes the one application.
func withApp(s *State, change func(app Object)) {
	app := maps.Clone(s.Get("applications", testAppObj))
	change(app)
	s.Put("applications", testAppObj, app)
}

func registerCertificate(s *State, cert *x509.Certificate) {
	withApp(s, func(app Object) {
		app["keyCredentials"] = []any{map[string]any{"keyId": "cert-1", "key": base64.StdEncoding.EncodeToString(cert.Raw), "type": "AsymmetricX509Cert", "usage": "Verify"}}
	})
}

func registerWorkload(s *State, issuer, subject string) {
	s.Put("applications/"+testAppObj+"/federatedIdentityCredentials", "fic", Object{"id": "fic", "issuer": issuer, "subject": subject, "audiences": []any{WorkloadAudience}})
}

func TestAzidentitySignsInWithACertificate(t *testing.T) {
	cert, k := newCertificate(t, time.Now().Add(-time.Hour), 30)
	site := openSite(t, Config{}, func(s *State) { registerCertificate(s, cert) })
	credential, err := azidentity.NewClientCertificateCredential(testTenant, testApp, []*x509.Certificate{cert}, k,
		&azidentity.ClientCertificateCredentialOptions{ClientOptions: site.azure(t), DisableInstanceDiscovery: true})
	if err != nil {
		t.Fatal(err)
	}
	if c, err := site.as(getToken(t, credential)); err != nil || c.AppID != testApp {
		t.Errorf("got %+v, %v", c, err)
	}
}

func TestAzidentitySignsInWithAnAssertion(t *testing.T) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	const issuer = "https://token.actions.example"
	site := openSite(t, Config{Issuers: map[string]crypto.PublicKey{issuer: &k.PublicKey}}, func(s *State) { registerWorkload(s, issuer, "repo:contoso/infra") })
	credential, err := azidentity.NewClientAssertionCredential("contoso.example", testApp, func(context.Context) (string, error) {
		return jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{"iss": issuer, "sub": "repo:contoso/infra", "aud": WorkloadAudience,
			"exp": time.Now().Add(time.Minute).Unix()}).SignedString(k)
	}, &azidentity.ClientAssertionCredentialOptions{ClientOptions: site.azure(t), DisableInstanceDiscovery: true})
	if err != nil {
		t.Fatal(err)
	}
	if c, err := site.as(getToken(t, credential)); err != nil || c.AppID != testApp {
		t.Errorf("got %+v, %v", c, err)
	}
}

func TestAzidentitySignsInWithAWorkloadTokenFile(t *testing.T) {
	site := openSite(t, Config{}, nil)
	if err := site.Update(func(s *State) error {
		registerWorkload(s, site.WorkloadIssuer(), "system:serviceaccount:halligan:reader")
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	token, err := site.WorkloadToken("system:serviceaccount:halligan:reader")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token), 0o600); err != nil {
		t.Fatal(err)
	}
	credential, err := azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{ClientOptions: site.azure(t),
		ClientID: testApp, TenantID: testTenant, TokenFilePath: file, DisableInstanceDiscovery: true})
	if err != nil {
		t.Fatal(err)
	}
	if c, err := site.as(getToken(t, credential)); err != nil || c.AppID != testApp {
		t.Errorf("got %+v, %v", c, err)
	}
}

func TestAzidentitySignsInWithADeviceCode(t *testing.T) {
	site := openSite(t, Config{}, nil)
	ada := site.surfer(t, testAda, "accept")
	credential, err := azidentity.NewDeviceCodeCredential(&azidentity.DeviceCodeCredentialOptions{ClientOptions: site.azure(t), TenantID: testTenant,
		ClientID: graphCLI, DisableInstanceDiscovery: true, UserPrompt: func(_ context.Context, m azidentity.DeviceCodeMessage) error {
			if wrong := ada.post(m.VerificationURL, url.Values{"code": {"NOTACODE"}}); !strings.Contains(wrong.body, "Check the code") {
				t.Errorf("a wrong code got %q", wrong.body)
			}
			done := ada.browse(ada.post(m.VerificationURL, url.Values{"code": {strings.ToLower(m.UserCode)}}))
			if !strings.Contains(done.body, "You have signed in to the Microsoft Graph Command Line Tools application") {
				t.Errorf("got %d %q", done.status, done.body)
			}
			return nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	token, err := credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://graph.microsoft.com/Policy.Read.All", "https://graph.microsoft.com/User.Read"}})
	if err != nil {
		t.Fatal(err)
	}
	c, err := site.as(token.Token)
	if err != nil || c.UserID != testAda || !slices.Contains(c.Permissions, "Policy.Read.All") {
		t.Errorf("got %+v, %v", c, err)
	}
	if strings.Join(ada.saw, " ") != "Policy.Read.All User.Read" {
		t.Errorf("the consent page showed %q", ada.saw)
	}
	// The cached account refreshes silently, for other scopes already granted too.
	again, err := credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://graph.microsoft.com/User.Read"}})
	if err != nil || again.Token == "" {
		t.Errorf("silent: %v", err)
	}
}

// The interactive browser of azidentity: PKCE, form_post to a loopback address.
// Its browser is replaced by an HTTP client, since azidentity opens the system's.
func browserToken(t *testing.T, site *Site, p *surfer, scopes, claims string) (map[string]any, int) {
	t.Helper()
	verifier := rand.Text() + rand.Text()
	sum := sha256.Sum256([]byte(verifier))
	query := url.Values{"client_id": {graphCLI}, "response_type": {"code"}, "redirect_uri": {"http://localhost:49999"}, "scope": {scopes},
		"state": {"a state"}, "nonce": {"a nonce"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"}, "response_mode": {"form_post"}, "claims": {claims}}
	to, form := p.returned(p.browse(p.get(site.URL + "/organizations/oauth2/v2.0/authorize?" + query.Encode())))
	if to != "http://localhost:49999" || form.Get("state") != "a state" || form.Get("code") == "" {
		t.Fatalf("the browser came back to %q with %v", to, form)
	}
	return site.atToken(t, url.Values{"grant_type": {"authorization_code"}, "client_id": {graphCLI}, "code": {form.Get("code")}, "code_verifier": {verifier},
		"redirect_uri": {"http://localhost:49999"}, "scope": {scopes}, "claims": {claims}})
}

// atToken posts to the token endpoint.
func (s *Site) atToken(t *testing.T, form url.Values) (map[string]any, int) {
	t.Helper()
	return s.tokensAt(t, testTenant, form)
}

func (s *Site) tokensAt(t *testing.T, tenant string, form url.Values) (map[string]any, int) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/"+tenant+"/oauth2/v2.0/token", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := s.web(t).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return decoded(t, res.Body), res.StatusCode
}

const loginScopes = "openid offline_access profile https://graph.microsoft.com/User.Read https://graph.microsoft.com/Policy.Read.All"

func TestBrowserSignInRefreshesAndRemembersConsent(t *testing.T) {
	site := openSite(t, Config{}, nil)
	ada := site.surfer(t, testAda, "accept")
	tokens, status := browserToken(t, site, ada, loginScopes, "")
	if status != http.StatusOK {
		t.Fatalf("got %d %v", status, tokens)
	}
	if len(ada.saw) != 2 {
		t.Errorf("the consent page showed %q", ada.saw)
	}
	claims := jwt.MapClaims{}
	if _, _, err := jwt.NewParser().ParseUnverified(tokens["id_token"].(string), claims); err != nil {
		t.Fatal(err)
	}
	if claims["nonce"] != "a nonce" || claims["aud"] != graphCLI || claims["preferred_username"] != "ada@contoso.example" || claims["tid"] != testTenant {
		t.Errorf("the id token says %v", claims)
	}
	if _, _, err := jwt.NewParser().ParseUnverified(tokens["access_token"].(string), claims); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(claims["wids"].([]any), any(globalAdm)) || claims["idtyp"] != "user" || claims["ver"] != "1.0" {
		t.Errorf("the access token says %v", claims)
	}
	refreshed, status := site.atToken(t, url.Values{"grant_type": {"refresh_token"}, "client_id": {graphCLI}, "refresh_token": {tokens["refresh_token"].(string)}, "scope": {loginScopes}})
	if status != http.StatusOK || refreshed["refresh_token"] == tokens["refresh_token"] || refreshed["access_token"] == nil {
		t.Errorf("refresh: %d %v", status, refreshed)
	}
	other := site.surfer(t, testAda, "cancel")
	if tokens, status := browserToken(t, site, other, loginScopes, ""); status != http.StatusOK || len(other.saw) != 0 {
		t.Errorf("the second time: %d %v, asked again for %q", status, tokens, other.saw)
	}
}

func authorizeQuery(change func(url.Values)) string {
	q := url.Values{"client_id": {graphCLI}, "response_type": {"code"}, "redirect_uri": {"http://localhost:49999"}, "scope": {loginScopes},
		"state": {"s"}, "code_challenge": {strings.Repeat("a", 43)}, "code_challenge_method": {"S256"}}
	change(q)
	return "/" + testTenant + "/oauth2/v2.0/authorize?" + q.Encode()
}

func TestAuthorizeSendsErrorsBack(t *testing.T) {
	site := openSite(t, Config{}, nil)
	tests := map[string]struct {
		user, consent string
		change        func(url.Values)
		want          string // part of error_description
		wantError     string
	}{
		"a person who cancels":                          {testAda, "cancel", func(url.Values) {}, "AADSTS65004", "access_denied"},
		"a scope that needs an administrator":           {testBob, "accept", func(url.Values) {}, "AADSTS90094", "consent_required"},
		"no page may be shown":                          {testAda, "accept", func(q url.Values) { q.Set("prompt", "none") }, "AADSTS50058", "login_required"},
		"two resources at once":                         {testAda, "accept", func(q url.Values) { q.Set("scope", "User.Read https://management.azure.com/user_impersonation") }, "AADSTS28000", "invalid_request"},
		"a resource that nobody knows":                  {testAda, "accept", func(q url.Values) { q.Set("scope", "https://nothing.example/.default") }, "AADSTS500011", "invalid_resource"},
		"an implicit token":                             {testAda, "accept", func(q url.Values) { q.Set("response_type", "id_token") }, "AADSTS700054", "unsupported_response_type"},
		"a challenge that is no hash":                   {testAda, "accept", func(q url.Values) { q.Set("code_challenge", "short") }, "AADSTS501491", "invalid_request"},
		"Azure CLI and a scope that it has not (33062)": {testAda, "accept", func(q url.Values) { q.Set("client_id", azureCLI) }, "AADSTS65002", "invalid_request"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := site.surfer(t, tt.user, tt.consent)
			to, form := p.returned(p.browse(p.get(site.URL + authorizeQuery(tt.change))))
			if to != "http://localhost:49999" || form.Get("error") != tt.wantError || !strings.Contains(form.Get("error_description"), tt.want) || form.Get("code") != "" || form.Get("state") != "s" {
				t.Errorf("came back to %s with %v", to, form)
			}
		})
	}
}

// Errors about the client itself are shown, and never sent to an address that
// may be somebody else's.
func TestAuthorizeShowsWhatCannotBeSentBack(t *testing.T) {
	site := openSite(t, Config{}, nil)
	tests := map[string]struct {
		change func(url.Values)
		want   string
	}{
		"another redirect address":         {func(q url.Values) { q.Set("redirect_uri", "https://evil.example/") }, "AADSTS50011"},
		"a loopback address with a path":   {func(q url.Values) { q.Set("redirect_uri", "http://localhost:1/other") }, "AADSTS50011"},
		"loopback under another name":      {func(q url.Values) { q.Set("redirect_uri", "http://localhost.evil.example:1") }, "AADSTS50011"},
		"loopback with a user":             {func(q url.Values) { q.Set("redirect_uri", "http://localhost@evil.example") }, "AADSTS50011"},
		"an application that nobody knows": {func(q url.Values) { q.Set("client_id", testBob) }, "AADSTS700016"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := site.surfer(t, testAda, "accept").get(site.URL + authorizeQuery(tt.change))
			if got.location != "" || got.status != http.StatusBadRequest || !strings.Contains(got.body, tt.want) {
				t.Errorf("got %d to %q: %s", got.status, got.location, got.body)
			}
		})
	}
	got := site.surfer(t, testAda, "accept").get(site.URL + strings.Replace(authorizeQuery(func(url.Values) {}), testTenant, testBob, 1))
	if got.status != http.StatusBadRequest || !strings.Contains(got.body, "AADSTS90002") {
		t.Errorf("another tenant: got %d %s", got.status, got.body)
	}
}

func errorCode(body map[string]any) string {
	codes, _ := body["error_codes"].([]any)
	if len(codes) != 1 {
		return fmt.Sprint(body)
	}
	return fmt.Sprintf("%.0f", codes[0])
}

func TestTokenEndpointRefuses(t *testing.T) {
	cert, k := newCertificate(t, time.Now().Add(-time.Hour), 30)
	site := openSite(t, Config{}, func(s *State) { registerCertificate(s, cert) })
	if err := site.Update(func(s *State) error { registerWorkload(s, site.WorkloadIssuer(), "me"); return nil }); err != nil {
		t.Fatal(err)
	}
	good := func() jwt.MapClaims {
		return jwt.MapClaims{"aud": site.URL + "/" + testTenant + "/oauth2/v2.0/token", "iss": testApp, "sub": testApp, "exp": time.Now().Add(time.Minute).Unix()}
	}
	_, s256 := certificateThumbprints(cert.Raw)
	signed := func(method jwt.SigningMethod, k any, header, thumb string, change func(jwt.MapClaims)) func(url.Values) {
		return func(q url.Values) {
			claims := good()
			change(claims)
			token := jwt.NewWithClaims(method, claims)
			if header != "" {
				token.Header[header] = thumb
			}
			text, err := token.SignedString(k)
			if err != nil {
				t.Fatal(err)
			}
			q.Del("client_secret")
			q.Set("client_assertion_type", clientAssertionType)
			q.Set("client_assertion", text)
		}
	}
	same := func(jwt.MapClaims) {}
	_, otherKey := newCertificate(t, time.Now(), 1)
	tests := map[string]struct {
		change func(url.Values)
		want   string
	}{
		"nothing wrong":                 {func(url.Values) {}, ""},
		"a good certificate":            {signed(jwt.SigningMethodPS256, k, "x5t#S256", s256, same), ""},
		"a wrong secret":                {func(q url.Values) { q.Set("client_secret", "guess") }, "7000215"},
		"the secret's id":               {func(q url.Values) { q.Set("client_secret", "key-1") }, "7000215"},
		"a secret that has ended":       {func(q url.Values) { q.Set("client_secret", "an~ended~secret") }, "7000222"},
		"no secret":                     {func(q url.Values) { q.Del("client_secret") }, "7000218"},
		"no scope .default":             {func(q url.Values) { q.Set("scope", "https://graph.microsoft.com/User.Read.All") }, "1002012"},
		"a grant that nobody knows":     {func(q url.Values) { q.Set("grant_type", "magic") }, "70003"},
		"no grant":                      {func(q url.Values) { q.Del("grant_type") }, "90014"},
		"an unknown application":        {func(q url.Values) { q.Set("client_id", testBob) }, "700016"},
		"a secret for a public client":  {func(q url.Values) { q.Set("client_id", graphCLI) }, "700025"},
		"alg none":                      {signed(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, "x5t#S256", s256, same), "700027"},
		"a key that is not registered":  {signed(jwt.SigningMethodPS256, otherKey, "x5t#S256", s256, same), "700027"},
		"an unregistered certificate":   {signed(jwt.SigningMethodPS256, k, "x5t#S256", "AAAA", same), "700027"},
		"the public key as a password":  {signed(jwt.SigningMethodHS256, []byte(cert.Raw), "x5t#S256", s256, same), "700027"},
		"an assertion for another door": {signed(jwt.SigningMethodPS256, k, "x5t#S256", s256, func(c jwt.MapClaims) { c["aud"] = "https://login.microsoftonline.com/x" }), "700023"},
		"an assertion that has ended":   {signed(jwt.SigningMethodPS256, k, "x5t#S256", s256, func(c jwt.MapClaims) { c["exp"] = time.Now().Add(-time.Hour).Unix() }), "700024"},
		"an assertion without an end":   {signed(jwt.SigningMethodPS256, k, "x5t#S256", s256, func(c jwt.MapClaims) { delete(c, "exp") }), "700024"},
		"an assertion of another app":   {signed(jwt.SigningMethodPS256, k, "x5t#S256", s256, func(c jwt.MapClaims) { c["sub"] = testBob }), "50012"},
		"an outside issuer":             {signed(jwt.SigningMethodRS256, k, "", "", func(c jwt.MapClaims) { c["iss"] = "https://evil.example" }), "700211"},
		"another subject": {signed(jwt.SigningMethodRS256, k, "", "", func(c jwt.MapClaims) {
			c["iss"], c["sub"] = site.WorkloadIssuer(), "you"
		}), "700213"},
		"another audience": {signed(jwt.SigningMethodRS256, k, "", "", func(c jwt.MapClaims) {
			c["iss"], c["sub"], c["aud"] = site.WorkloadIssuer(), "me", "api://other"
		}), "700212"},
		"a workload token that another key signed": {signed(jwt.SigningMethodRS256, k, "", "", func(c jwt.MapClaims) {
			c["iss"], c["sub"], c["aud"] = site.WorkloadIssuer(), "me", WorkloadAudience
		}), "50012"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			form := url.Values{"grant_type": {"client_credentials"}, "client_id": {testApp}, "client_secret": {testSecret}, "scope": {graphScope[0]}}
			tt.change(form)
			body, status := site.atToken(t, form)
			if tt.want == "" {
				if status != http.StatusOK || body["access_token"] == nil {
					t.Errorf("got %d %v", status, body)
				}
				return
			}
			if errorCode(body) != tt.want || status < 400 || body["access_token"] != nil {
				t.Errorf("got %d %v, want %s", status, body, tt.want)
			}
			for _, field := range []string{"error", "error_description", "timestamp", "trace_id", "correlation_id", "error_uri"} {
				if s, _ := body[field].(string); s == "" {
					t.Errorf("the error has no %s", field)
				}
			}
		})
	}
	if body, _ := site.tokensAt(t, testBob, url.Values{"grant_type": {"client_credentials"}}); errorCode(body) != "90002" {
		t.Errorf("another tenant: got %v", body)
	}
	if body, _ := site.tokensAt(t, "common", url.Values{"grant_type": {"client_credentials"}, "client_id": {testApp}, "client_secret": {testSecret}, "scope": {graphScope[0]}}); errorCode(body) != "50059" {
		t.Errorf("common: got %v", body)
	}
}

func TestCodeIsGoodOnceForItsOwner(t *testing.T) {
	var clock testClock
	site := openSite(t, Config{Now: func() time.Time { return time.Now().Add(clock.offset) }}, nil)
	const redirect = "http://localhost:49999"
	code := func(t *testing.T) (code, verifier string) {
		t.Helper()
		verifier = rand.Text() + rand.Text()
		sum := sha256.Sum256([]byte(verifier))
		p := site.surfer(t, testAda, "accept")
		_, form := p.returned(p.browse(p.get(site.URL + authorizeQuery(func(q url.Values) { q.Set("code_challenge", base64.RawURLEncoding.EncodeToString(sum[:])) }))))
		if form.Get("code") == "" {
			t.Fatalf("no code: %v", form)
		}
		return form.Get("code"), verifier
	}
	redeem := func(t *testing.T, code, verifier string, change func(url.Values)) (map[string]any, int) {
		form := url.Values{"grant_type": {"authorization_code"}, "client_id": {graphCLI}, "code": {code}, "code_verifier": {verifier}, "redirect_uri": {redirect}}
		change(form)
		return site.atToken(t, form)
	}
	tests := map[string]struct {
		change func(url.Values)
		want   string
	}{
		"another verifier":           {func(q url.Values) { q.Set("code_verifier", strings.Repeat("b", 43)) }, "501481"},
		"no verifier":                {func(q url.Values) { q.Del("code_verifier") }, "501481"},
		"the challenge as verifier":  {func(q url.Values) { q.Set("code_verifier", strings.Repeat("a", 43)) }, "501481"},
		"another redirect address":   {func(q url.Values) { q.Set("redirect_uri", "http://localhost:1") }, "50011"},
		"another client":             {func(q url.Values) { q.Set("client_id", azureCLI) }, "70000"},
		"a code that nobody made":    {func(q url.Values) { q.Set("code", "1.Aguess") }, "70000"},
		"a refresh token for a code": {func(q url.Values) { q.Set("grant_type", "refresh_token"); q.Set("refresh_token", q.Get("code")) }, "70000"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c, v := code(t)
			if body, _ := redeem(t, c, v, tt.change); errorCode(body) != tt.want {
				t.Errorf("got %v, want %s", body, tt.want)
			}
		})
	}
	t.Run("a code that was used ends what came of it", func(t *testing.T) {
		c, v := code(t)
		tokens, status := redeem(t, c, v, func(url.Values) {})
		if status != http.StatusOK {
			t.Fatalf("got %v", tokens)
		}
		if body, _ := redeem(t, c, v, func(url.Values) {}); errorCode(body) != "54005" {
			t.Errorf("the second time: %v", body)
		}
		body, _ := site.atToken(t, url.Values{"grant_type": {"refresh_token"}, "client_id": {graphCLI}, "refresh_token": {tokens["refresh_token"].(string)}})
		if errorCode(body) != "50173" {
			t.Errorf("its refresh token: %v", body)
		}
	})
	t.Run("a code that has ended", func(t *testing.T) {
		c, v := code(t)
		clock.offset = codeLife + time.Second
		if body, _ := redeem(t, c, v, func(url.Values) {}); errorCode(body) != "70008" {
			t.Errorf("got %v", body)
		}
	})
}

func TestDeviceCodeAnswers(t *testing.T) {
	var clock testClock
	begun := time.Now()
	site := openSite(t, Config{Now: func() time.Time { return begun.Add(clock.offset) }}, nil)
	begin := func(t *testing.T) (code, user string) {
		t.Helper()
		p := site.surfer(t, testAda, "cancel")
		got := p.post(site.URL+"/organizations/oauth2/v2.0/devicecode", url.Values{"client_id": {graphCLI}, "scope": {loginScopes}})
		body := decoded(t, strings.NewReader(got.body))
		return body["device_code"].(string), body["user_code"].(string)
	}
	poll := func(t *testing.T, code string) string {
		body, _ := site.atToken(t, url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "client_id": {graphCLI}, "device_code": {code}})
		return fmt.Sprint(body["error"])
	}
	code, user := begin(t)
	for range devicePolls {
		if got := poll(t, code); got != "authorization_pending" {
			t.Fatalf("got %s", got)
		}
	}
	if got := poll(t, code); got != "slow_down" {
		t.Errorf("too many polls: got %s", got)
	}
	clock.offset = deviceInterval
	if got := poll(t, code); got != "authorization_pending" {
		t.Errorf("after a pause: got %s", got)
	}
	p := site.surfer(t, testAda, "cancel")
	p.browse(p.post(site.URL+devicePage, url.Values{"code": {user}}))
	if got := poll(t, code); got != "authorization_declined" {
		t.Errorf("refused by the person: got %s", got)
	}
	code, _ = begin(t)
	clock.offset += deviceLife
	if got := poll(t, code); got != "expired_token" {
		t.Errorf("too late: got %s", got)
	}
	if got := poll(t, "guess"); got != "bad_verification_code" {
		t.Errorf("a guess: got %s", got)
	}
}
