package graph_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"halligan/custody"
	"halligan/internal/graph"

	"halligan/internal/testenv"
)

const app = "aaaaaaaa-0000-0000-0000-000000000001"

// authority is a sign-in service on this machine, with Graph beside it.
type authority struct {
	*httptest.Server
	mu    sync.Mutex
	forms []url.Values // what the token endpoint was sent
	paths []string
	pend  int // how often a device code is still pending
	fail  func(w http.ResponseWriter) bool
}

func newAuthority(t *testing.T) *authority {
	a := &authority{}
	a.Server = httptest.NewTLSServer(http.HandlerFunc(a.serve))
	t.Cleanup(a.Close)
	return a
}

func (a *authority) serve(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.paths = append(a.paths, r.URL.Path)
	w.Header().Set("Content-Type", "application/json")
	root := a.URL + "/" + tenant
	switch {
	case strings.HasSuffix(r.URL.Path, "/openid-configuration"):
		json.NewEncoder(w).Encode(map[string]string{"issuer": root + "/v2.0", "authorization_endpoint": root + "/oauth2/v2.0/authorize",
			"token_endpoint": root + "/oauth2/v2.0/token", "device_authorization_endpoint": root + "/oauth2/v2.0/devicecode"})
	case strings.HasSuffix(r.URL.Path, "/devicecode"):
		r.ParseForm()
		a.forms = append(a.forms, r.PostForm)
		json.NewEncoder(w).Encode(map[string]any{"user_code": "ABCD\x1b[1m", "device_code": "d", "verification_uri": a.URL + "/device", "expires_in": 900, "interval": 1, "message": "m"})
	case strings.HasSuffix(r.URL.Path, "/token"):
		r.ParseForm()
		a.forms = append(a.forms, r.PostForm)
		if a.fail != nil && a.fail(w) {
			return
		}
		if strings.Contains(r.PostForm.Get("grant_type"), "device_code") && a.pend > 0 {
			a.pend--
			w.WriteHeader(400)
			fmt.Fprint(w, `{"error":"authorization_pending","error_description":"AADSTS70016: pending"}`)
			return
		}
		id := token(map[string]any{"aud": app, "iss": root + "/v2.0", "tid": tenant, "oid": "person", "sub": "s", "preferred_username": "ann@contoso.com", "exp": time.Now().Add(time.Hour).Unix()})
		info := base64.RawURLEncoding.EncodeToString([]byte(`{"uid":"person","utid":"` + tenant + `"}`))
		json.NewEncoder(w).Encode(map[string]any{"token_type": "Bearer", "expires_in": 3600, "scope": r.PostForm.Get("scope"), "refresh_token": "refresh", "id_token": id, "client_info": info,
			"access_token": token(map[string]any{"tid": tenant, "aud": a.URL, "oid": "person"})})
	default:
		w.Write([]byte(`{"value":[]}`))
	}
}

func (a *authority) tokens() (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, p := range a.paths {
		if strings.HasSuffix(p, "/token") {
			n++
		}
	}
	return n
}

func (a *authority) signIn(t *testing.T, m graph.Method) graph.SignIn {
	t.Helper()
	cloud, err := graph.CustomCloud(a.URL, rootsOf(a.Server))
	if err != nil {
		t.Fatal(err)
	}
	return graph.SignIn{Method: m, Cloud: cloud, Tenant: tenant, ClientID: app}
}

// read signs in and reads a list with the token.
func read(t *testing.T, s graph.SignIn) error {
	t.Helper()
	credential, err := s.Build()
	if err != nil {
		return err
	}
	c, err := graph.New(graph.Config{Cloud: s.Cloud, Tenant: s.Tenant, Credential: credential})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.List(t.Context(), users)
	return err
}

func file(t *testing.T, content []byte, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, content, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// pair makes a certificate with its key, in PEM form.
func pair(t *testing.T, ends time.Time) []byte {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "reader"}, NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: ends}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
}

func TestApplicationsSignIn(t *testing.T) {
	tests := map[string]struct {
		method graph.Method
		change func(*graph.SignIn)
		grant  string
		sends  string // a field of the form
	}{
		"secret from a file":   {graph.MethodSecret, func(s *graph.SignIn) { s.SecretFile = file(t, []byte("s3cret\n"), 0o600) }, "client_credentials", "client_secret"},
		"secret from a prompt": {graph.MethodSecret, func(s *graph.SignIn) { s.Secret = custody.NewSecret([]byte("s3cret")) }, "client_credentials", "client_secret"},
		"certificate": {graph.MethodCertificate, func(s *graph.SignIn) { s.CertificateFile = file(t, pair(t, time.Now().Add(time.Hour)), 0o600) },
			"client_credentials", "client_assertion"},
		"federated token": {graph.MethodWorkload, func(s *graph.SignIn) { s.TokenFile = file(t, []byte(token(map[string]any{"sub": "pod"})), 0o600) },
			"client_credentials", "client_assertion"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			a := newAuthority(t)
			s := a.signIn(t, tt.method)
			tt.change(&s)
			if err := read(t, s); err != nil {
				t.Fatal(err)
			}
			form := a.forms[len(a.forms)-1]
			if form.Get("grant_type") != tt.grant || form.Get(tt.sends) == "" || !strings.Contains(form.Get("scope"), a.URL+"/.default") {
				t.Errorf("sent %v", form)
			}
			if v := form.Get("client_secret"); v != "" && v != "s3cret" {
				t.Errorf("sent the secret %q", v)
			}
			if a.tokens() != 1 {
				t.Errorf("%d tokens", a.tokens())
			}
		})
	}
}

func TestPersonSignsInWithACode(t *testing.T) {
	a := newAuthority(t)
	a.pend = 1
	s := a.signIn(t, graph.MethodDeviceCode)
	shown := ""
	s.Prompt = func(_ context.Context, address, code string) error {
		shown = address + " " + code
		return nil
	}
	credential, account, err := s.Login(t.Context(), []string{"User.Read.All", "Policy.Read.All"})
	if err != nil {
		t.Fatal(err)
	}
	if shown != a.URL+"/device ABCD[1m" {
		t.Errorf("showed %q", shown)
	}
	if account.Username != "ann@contoso.com" || account.TenantID != tenant || account.HomeAccountID == "" {
		t.Errorf("account %+v", account)
	}
	scope := a.forms[0].Get("scope")
	if !strings.Contains(scope, a.URL+"/Policy.Read.All "+a.URL+"/User.Read.All") || strings.Contains(scope, ".default") {
		t.Errorf("asked for %q", scope)
	}
	before := a.tokens()
	c, err := graph.New(graph.Config{Cloud: s.Cloud, Tenant: tenant, Credential: credential, Scopes: s.Scopes([]string{"User.Read.All", "Policy.Read.All"})})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.List(t.Context(), users); err != nil || a.tokens() != before {
		t.Errorf("%d more tokens: %v", a.tokens()-before, err)
	}
}

func TestNobodyIsAskedUnlessAllowed(t *testing.T) {
	for _, m := range []graph.Method{graph.MethodDeviceCode, graph.MethodBrowser} {
		a := newAuthority(t)
		s := a.signIn(t, m)
		s.Prompt = func(context.Context, string, string) error { t.Error("asked"); return nil }
		err := read(t, s)
		e, is := errors.AsType[*graph.SignInError](err)
		if !is || !strings.Contains(e.Hint(), "halligan login") {
			t.Errorf("%s: %v", m, err)
		}
	}
}

func TestSignInThatNobodyFinishesEnds(t *testing.T) {
	a := newAuthority(t)
	a.pend = 1 << 30
	s := a.signIn(t, graph.MethodDeviceCode)
	ctx, stop := context.WithCancel(t.Context())
	s.Prompt = func(context.Context, string, string) error { stop(); return nil }
	_, _, err := s.Login(ctx, nil)
	e, is := errors.AsType[*graph.SignInError](err)
	if !is || !strings.Contains(e.Hint(), "Start again") {
		t.Errorf("got %v", err)
	}
}

// Fault 24, at the token endpoint itself.
func TestTroubleAtTheTokenEndpointHasAClearCause(t *testing.T) {
	tests := map[string]struct {
		status int
		body   string
		says   string
		most   int // token requests
	}{
		"expired secret": {401, `{"error":"invalid_client","error_description":"AADSTS7000222: The provided client secret keys for app are expired. Trace ID: x","error_codes":[7000222]}`, "the client secret has expired (AADSTS7000222)", 1},
		"wrong tenant":   {400, `{"error":"invalid_request","error_description":"AADSTS90002: Tenant 'x' not found."}`, "there is no such tenant (AADSTS90002)", 1},
		"429":            {429, `{"error":"temporarily_unavailable"}`, "answered 429", 1},
		"500":            {500, `<html>`, "answered 500", 3},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			a := newAuthority(t)
			a.fail = func(w http.ResponseWriter) bool {
				if tt.status == 429 {
					w.Header().Set("Retry-After", "3600")
				}
				w.WriteHeader(tt.status)
				fmt.Fprint(w, tt.body)
				return true
			}
			s := a.signIn(t, graph.MethodSecret)
			s.Secret = custody.NewSecret([]byte("s3cret"))
			credential, err := s.Build()
			if err != nil {
				t.Fatal(err)
			}
			c, err := graph.New(graph.Config{Cloud: s.Cloud, Tenant: tenant, Credential: credential})
			if err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			for range 10 {
				wg.Go(func() {
					_, err := c.List(t.Context(), users)
					e, is := errors.AsType[*graph.SignInError](err)
					if !is || !strings.Contains(e.Error(), tt.says) || e.Hint() == "" {
						t.Errorf("got %v", err)
					}
					if text := fmt.Sprint(err); strings.Contains(text, "s3cret") || strings.Contains(text, "Trace") || strings.Contains(text, "\n") {
						t.Errorf("the error says too much: %s", text)
					}
				})
			}
			wg.Wait()
			if n := a.tokens(); n > tt.most {
				t.Errorf("%d token requests, want at most %d", n, tt.most)
			}
		})
	}
}

// Fault 7, at the token endpoint.
func TestEndlessAnswerOfTheTokenEndpointIsCut(t *testing.T) {
	a := newAuthority(t)
	a.fail = func(w http.ResponseWriter) bool {
		w.Write([]byte(strings.Repeat(" ", 5<<20))) // a good answer follows
		return false
	}
	s := a.signIn(t, graph.MethodSecret)
	s.Secret = custody.NewSecret([]byte("s3cret"))
	if err := read(t, s); err == nil {
		t.Error("it was read to its end")
	}
}

func TestSignInServiceThatCannotBeReachedIsNotTheUsersFault(t *testing.T) {
	a := newAuthority(t)
	s := a.signIn(t, graph.MethodSecret)
	s.Secret = custody.NewSecret([]byte("s3cret"))
	s.Wrap = func(http.RoundTripper) http.RoundTripper {
		return roundTrip(func(*http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
		})
	}
	err := read(t, s)
	if graph.KindOf(err) != graph.KindUnavailable || !strings.Contains(err.Error(), "cannot be reached") || !strings.Contains(err.(interface{ Hint() string }).Hint(), "doctor") {
		t.Errorf("got %q: %v", graph.KindOf(err), err)
	}
}

func TestSignInIsCheckedBeforeAnythingIsSent(t *testing.T) {
	a := newAuthority(t)
	tests := map[string]struct {
		method graph.Method
		change func(*graph.SignIn)
		says   string
	}{
		"no such way":             {"smoke", func(*graph.SignIn) {}, "no such way"},
		"no secret":               {graph.MethodSecret, func(*graph.SignIn) {}, "the secret is missing"},
		"no client id":            {graph.MethodSecret, func(s *graph.SignIn) { s.ClientID = ""; s.SecretFile = "x" }, "the client id is missing"},
		"a name for a client id":  {graph.MethodSecret, func(s *graph.SignIn) { s.ClientID = "my app"; s.SecretFile = "x" }, "no client id"},
		"a tenant that is a path": {graph.MethodBrowser, func(s *graph.SignIn) { s.Tenant = "contoso.com/../x" }, "no id and no domain"},
		"no file":                 {graph.MethodSecret, func(s *graph.SignIn) { s.SecretFile = "/nonexistent/file" }, "no such file"},
		"an empty secret":         {graph.MethodSecret, func(s *graph.SignIn) { s.SecretFile = file(t, []byte(" \n"), 0o600) }, "empty"},
		"no token file":           {graph.MethodWorkload, func(s *graph.SignIn) { s.TokenFile = "/nonexistent/file" }, "no such file"},
		"no certificate in it":    {graph.MethodCertificate, func(s *graph.SignIn) { s.CertificateFile = file(t, []byte("hello"), 0o600) }, "no certificate"},
		"an ended certificate":    {graph.MethodCertificate, func(s *graph.SignIn) { s.CertificateFile = file(t, pair(t, time.Now().Add(-24*time.Hour)), 0o600) }, "it ended on"},
		"Azure CLI for a sandbox": {graph.MethodAzureCLI, func(*graph.SignIn) {}, "Microsoft's clouds only"},
		"a store of others":       {graph.MethodBrowser, func(s *graph.SignIn) { s.CacheName = "../../etc/passwd" }, "no name of a store"},
	}
	if runtime.GOOS != "windows" {
		tests["a secret that all may read"] = struct {
			method graph.Method
			change func(*graph.SignIn)
			says   string
		}{graph.MethodSecret, func(s *graph.SignIn) { s.SecretFile = file(t, []byte("x"), 0o644) }, "others than its owner"}
		tests["a key that the group may read"] = struct {
			method graph.Method
			change func(*graph.SignIn)
			says   string
		}{graph.MethodCertificate, func(s *graph.SignIn) {
			s.CertificateFile = file(t, pair(t, time.Now().Add(time.Hour)), 0o640)
		}, "others than its owner"}
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := a.signIn(t, tt.method)
			tt.change(&s)
			_, err := s.Build()
			e, is := errors.AsType[*graph.ConfigError](err)
			if !is || !strings.Contains(e.Error(), tt.says) || e.Hint() == "" {
				t.Errorf("got %v, want %q", err, tt.says)
			}
		})
	}
	if len(a.paths) != 0 {
		t.Errorf("sent %v", a.paths)
	}
}

func TestTokenRequestsGoToTheAuthorityOnly(t *testing.T) {
	t.Setenv("AZURE_AUTHORITY_HOST", "https://evil.example")
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	a := newAuthority(t)
	s := a.signIn(t, graph.MethodSecret)
	s.Secret = custody.NewSecret([]byte("s3cret"))
	if err := read(t, s); err != nil {
		t.Errorf("the environment was asked: %v", err)
	}
	t.Setenv("AZURE_REGIONAL_AUTHORITY_NAME", "evilregion")
	before := a.tokens()
	err := read(t, s)
	if _, is := errors.AsType[*graph.ConfigError](err); !is || a.tokens() != before {
		t.Errorf("a region in the environment: %v", err)
	}
}

func TestSecretDoesNotPrint(t *testing.T) {
	s := graph.SignIn{Secret: custody.NewSecret([]byte("s3cret"))}
	data, err := json.Marshal(struct{ S custody.Secret }{s.Secret})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %s %q %x", s, s, s, s.Secret, s.Secret, s.Secret), string(data)} {
		if strings.Contains(text, "s3cret") || strings.Contains(text, "733363726574") || strings.Contains(text, "115 51") {
			t.Errorf("printed %s", text)
		}
	}
}

func TestEachWayToSignInIsDescribed(t *testing.T) {
	for _, r := range graph.Methods {
		if r.Says == "" || strings.ContainsAny(r.Says, "\n") {
			t.Errorf("%s says %q", r.Method, r.Says)
		}
		if got, err := graph.RuleOf(r.Method); err != nil || got.Method != r.Method {
			t.Errorf("%s: %v", r.Method, err)
		}
		public, _ := graph.CloudNamed("")
		s := graph.SignIn{Method: r.Method, Cloud: public}
		if scopes := s.Scopes([]string{"A.Read", "A.Read"}); len(scopes) != 1 || !strings.HasPrefix(scopes[0], "https://graph.microsoft.com/") {
			t.Errorf("%s: %v", r.Method, scopes)
		}
	}
	for _, name := range []graph.Method{graph.MethodSecret, graph.MethodAzureCLI} {
		if r, _ := graph.RuleOf(name); r.Warning == "" {
			t.Errorf("%s has no warning", name)
		}
	}
}

func TestProfileIsKeptWithoutSecrets(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	if _, err := graph.LoadProfile(dir, ""); !errors.Is(err, graph.ErrNoProfile) {
		t.Errorf("got %v", err)
	}
	store := graph.NewStoreName()
	p := graph.Profile{Method: graph.MethodBrowser, Cloud: "public", Tenant: tenant, Permissions: []string{"User.Read.All"}, Store: store}
	if err := graph.SaveProfile(dir, "", p); err != nil {
		t.Fatal(err)
	}
	p.Tenant = otherTenant
	if err := graph.SaveProfile(dir, "other", p); err != nil {
		t.Fatal(err)
	}
	got, err := graph.LoadProfile(dir, "default")
	if err != nil || got.Tenant != tenant || got.Store != store {
		t.Errorf("%+v: %v", got, err)
	}
	if info, err := os.Stat(filepath.Join(dir, "profile.json")); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("%v: %v", info, err)
	}
	if err := graph.RemoveProfile(dir, ""); err != nil {
		t.Error(err)
	}
	if _, err := graph.LoadProfile(dir, ""); !errors.Is(err, graph.ErrNoProfile) {
		t.Errorf("after logout: %v", err)
	}
	if _, err := graph.LoadProfile(dir, "other"); err != nil {
		t.Errorf("the other profile: %v", err)
	}
	for _, name := range []string{"../x", "A", "a/b", strings.Repeat("a", 50)} {
		if err := graph.SaveProfile(dir, name, p); err == nil {
			t.Errorf("profile %q was saved", name)
		}
	}
	for name, text := range map[string]string{"no JSON": "{", "another version": `{"version":2}`, "unknown keys": `{"version":1,"token":"x"}`, "a store of others": `{"version":1,"store":"../x"}`} {
		if err := os.WriteFile(filepath.Join(dir, "profile.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := graph.LoadProfile(dir, ""); err == nil || errors.Is(err, graph.ErrNoProfile) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLogoutRemovesTheTokens(t *testing.T) {
	if runtime.GOOS == "windows" {
		testenv.Missing(t, "the folder of the store cannot be moved on Windows")
	}
	home := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", home)
	persist, where, why := graph.Store()
	if where == "" || persist == (why != "") {
		t.Errorf("persist %v, where %q, why %q", persist, where, why)
	}
	if !persist {
		testenv.Missing(t, "tokens cannot be kept here: "+why)
	}
	a := newAuthority(t)
	s := a.signIn(t, graph.MethodDeviceCode)
	s.CacheName = graph.NewStoreName()
	s.Prompt = func(context.Context, string, string) error { return nil }
	_, account, err := s.Login(t.Context(), []string{"User.Read.All"})
	if err != nil {
		t.Fatal(err)
	}
	profile := graph.Profile{Method: s.Method, Cloud: "custom", Base: a.URL, Tenant: tenant, ClientID: app, Account: &account, Store: s.CacheName}
	dir := t.TempDir()
	if err := graph.SaveProfile(dir, "", profile); err != nil {
		t.Fatal(err)
	}

	// Another process: the profile, the store, and nobody to ask.
	again := func() (string, error) {
		p, err := graph.LoadProfile(dir, "")
		if err != nil {
			return "", err
		}
		next, err := p.SignIn()
		if err != nil {
			return "", err
		}
		next.Cloud = s.Cloud // with its roots, which are no file here
		credential, err := next.Build()
		if err != nil {
			return "", err
		}
		tk, err := credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: s.Scopes([]string{"User.Read.All"}), EnableCAE: true})
		return tk.Token, err
	}
	before := a.tokens()
	if tk, err := again(); err != nil || tk == "" || a.tokens() != before {
		t.Fatalf("the token was not kept: %d more requests, %v", a.tokens()-before, err)
	}
	files, _ := filepath.Glob(filepath.Join(home, ".IdentityService", "*"))
	for _, f := range files {
		if data, err := os.ReadFile(f); err != nil || strings.Contains(string(data), "refresh") {
			t.Errorf("%s is not encrypted: %v", f, err)
		}
	}
	if err := graph.RemoveProfile(dir, ""); err != nil {
		t.Fatal(err)
	}
	left, _ := filepath.Glob(filepath.Join(home, ".IdentityService", s.CacheName+"*"))
	if len(files) == 0 || len(left) != 0 {
		t.Errorf("before %v, left %v", files, left)
	}
	if err := graph.SaveProfile(dir, "", profile); err != nil {
		t.Fatal(err)
	}
	if _, err := again(); err == nil {
		t.Error("the token is still there")
	}
}

// A key that is no RSA key cannot sign an assertion; say so before sending.
func TestCertificateOfAnotherKindIsRefused(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, _ := x509.MarshalPKCS8PrivateKey(key)
	a := newAuthority(t)
	s := a.signIn(t, graph.MethodCertificate)
	s.CertificateFile = file(t, append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...), 0o600)
	if err := read(t, s); err == nil {
		t.Error("it was taken")
	} else if _, is := err.(interface{ Hint() string }); !is {
		t.Errorf("no hint: %T %v", err, err)
	}
}
