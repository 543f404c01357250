package sandbox_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"fmt"
	"html"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	. "halligan/internal/sandbox"
)

// site is a server of the pages on https://localhost, with a CA of its own.
type site struct {
	*Server
	state  *State
	URL    string
	CA     []byte // DER
	client *http.Client
	now    atomic.Int64
	page   string // the last page
	status int
}

func newSite(t testing.TB, state *State) *site {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &site{state: state}
	s.now.Store(time.Now().Unix())
	host := fmt.Sprintf("localhost:%d", listener.Addr().(*net.TCPAddr).Port)
	s.Server = NewPages(Config{State: state, Host: host, Now: func() time.Time { return time.Unix(s.now.Load(), 0) }, LogDelay: time.Minute})
	s.URL = "https://" + host
	ca, caKey := certificate(t, nil, nil, "Sandbox test CA")
	leaf, leafKey := certificate(t, ca, caKey, "localhost")
	s.CA = ca.Raw
	pool := x509.NewCertPool()
	pool.AddCert(ca)
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: s, ErrorLog: nil, ReadHeaderTimeout: time.Minute},
		TLS: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.Raw}, PrivateKey: leafKey}}, ClientAuth: ClientCertificates}}
	server.StartTLS()
	t.Cleanup(server.Close)
	jar, _ := cookiejar.New(nil)
	s.client = &http.Client{Jar: jar, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	return s
}

func certificate(t testing.TB, parent *x509.Certificate, parentKey *ecdsa.PrivateKey, name string) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(24 * time.Hour), DNSNames: []string{"localhost"}, IsCA: parent == nil, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	if parent == nil {
		parent, parentKey, c.DNSNames, c.ExtKeyUsage = c, k, nil, nil
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &k.PublicKey, parentKey)
	if err != nil {
		t.Fatal(err)
	}
	out, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return out, k
}

func (s *site) get(t testing.TB, path string) *site {
	t.Helper()
	r, err := s.client.Get(s.URL + path)
	return s.took(t, r, err)
}

var csrfField = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

// send posts the form of the last page.
func (s *site) send(t testing.TB, path string, fields ...string) *site {
	t.Helper()
	form := url.Values{}
	if m := csrfField.FindStringSubmatch(s.page); m != nil {
		form.Set("csrf", m[1])
	}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	r, err := s.client.PostForm(s.URL+path, form)
	return s.took(t, r, err)
}

func (s *site) took(t testing.TB, r *http.Response, err error) *site {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	data, _ := io.ReadAll(r.Body)
	s.page, s.status = html.UnescapeString(string(data)), r.StatusCode
	return s
}

func (s *site) sees(t testing.TB, want string) *site {
	t.Helper()
	if !strings.Contains(s.page, want) {
		t.Fatalf("the page (status %d) does not say %q:\n%s", s.status, want, s.page)
	}
	return s
}

const (
	secret = "correct horse battery"
	pass   = "Pass-1234"
	seed   = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" // RFC 6238, appendix B
)

// peopled is a tenant whose Ana can sign in.
func peopled(t testing.TB, methods ...string) *State {
	s := bare(t)
	s.Credentials[ana] = &Credentials{Password: secret}
	set := "users/" + ana + "/authentication/methods"
	s.Put(set, "28c10230-6103-485e-b985-444c60001490", object(t, `{"@odata.type":"#microsoft.graph.passwordAuthenticationMethod","id":"28c10230-6103-485e-b985-444c60001490"}`))
	for _, m := range methods {
		switch m {
		case "tap":
			s.Credentials[ana].TAP = pass
			s.Put(set, "tap", object(t, `{"@odata.type":"#microsoft.graph.temporaryAccessPassAuthenticationMethod","id":"tap","isUsableOnce":false,"isUsable":true}`))
		case "totp":
			s.Credentials[ana].TOTP = seed
			s.Put(set, "totp", object(t, `{"@odata.type":"#microsoft.graph.softwareOathAuthenticationMethod","id":"totp"}`))
		}
	}
	return s
}

func (s *site) named(t testing.TB) *site {
	t.Helper()
	return s.get(t, "/security-info").sees(t, "User name").send(t, "/signin", "step", "name", "user", "ana@contoso.onmicrosoft.com")
}

func (s *site) last(t testing.TB) Object {
	t.Helper()
	var out Object
	s.View(func(state *State) {
		if all := state.All("auditLogs/signIns"); len(all) > 0 {
			out = all[len(all)-1]
		}
	})
	if out == nil {
		t.Fatal("nothing was logged")
	}
	return out
}

func code(o Object) int { return o["status"].(Object)["errorCode"].(int) }

func TestPasswordThenCodeOpensSecurityInfo(t *testing.T) {
	s := newSite(t, peopled(t, "totp"))
	s.named(t).sees(t, "Password").send(t, "/signin", "step", "password", "secret", "wrong").sees(t, "incorrect")
	if got := code(s.last(t)); got != 50126 {
		t.Errorf("a wrong password is logged as %d, want 50126", got)
	}
	s.send(t, "/signin", "step", "password", "secret", secret).sees(t, "Code from your authenticator app")
	now := time.Unix(s.now.Load(), 0)
	s.send(t, "/signin", "step", "totp", "secret", "000000").sees(t, "did not work")
	if got := code(s.last(t)); got != 500121 {
		t.Errorf("a wrong code is logged as %d, want 500121", got)
	}
	s.send(t, "/signin", "step", "totp", "secret", TOTP(seed, now)).sees(t, "The methods with which you sign in")
	s.send(t, "/security-info", "step", "leave")
	s.named(t).send(t, "/signin", "step", "password", "secret", secret)
	s.send(t, "/signin", "step", "totp", "secret", TOTP(seed, now)).sees(t, "did not work") // a code is good once
}

func TestSecurityInfoIsJudgedAsUserAction(t *testing.T) {
	state := peopled(t)
	rule(t, state, `{"conditions":{"applications":{"includeApplications":[],"includeUserActions":["urn:user:registersecurityinfo"]}}}`)
	s := newSite(t, state)
	s.named(t).send(t, "/signin", "step", "password", "secret", secret).sees(t, "AADSTS53003").sees(t, "Correlation id")
	if record := s.last(t); code(record) != 53003 || record["conditionalAccessStatus"] != "failure" || s.status != http.StatusForbidden {
		t.Errorf("logged code %d, conditional access %v, page status %d", code(record), record["conditionalAccessStatus"], s.status)
	}
	s.get(t, "/security-info").sees(t, "User name") // not let in
}

func TestPasskeyNeedsMFAAndAppCanBeAddedAndRemoved(t *testing.T) {
	s := newSite(t, peopled(t))
	s.named(t).send(t, "/signin", "step", "password", "secret", secret).sees(t, "The methods with which")
	s.send(t, "/security-info", "step", "key").sees(t, "Temporary Access Pass")
	s.send(t, "/security-info", "step", "code")
	m := regexp.MustCompile(`<code>([A-Z2-7]{32})</code>`).FindStringSubmatch(s.page)
	if m == nil {
		t.Fatalf("no seed on the page:\n%s", s.page)
	}
	s.send(t, "/security-info", "step", "code-done", "secret", TOTP(m[1], time.Unix(s.now.Load(), 0))).sees(t, "was added")
	var id string
	s.View(func(state *State) {
		for _, have := range state.All("users/" + ana + "/authentication/methods") {
			if have["@odata.type"] == "#microsoft.graph.softwareOathAuthenticationMethod" {
				id = have["id"].(string)
			}
		}
		if n := len(state.All("auditLogs/directoryAudits")); id == "" || n != 1 {
			t.Errorf("method %q, %d audit records; want one of each", id, n)
		}
	})
	s.send(t, "/security-info", "step", "remove", "method", id).sees(t, "was removed")
	s.send(t, "/security-info", "step", "remove", "method", "28c10230-6103-485e-b985-444c60001490").sees(t, "cannot be removed")
}

func TestPassOpensPasskeyRegistration(t *testing.T) {
	s := newSite(t, peopled(t, "tap"))
	s.named(t).send(t, "/signin", "step", "choose", "method", "tap")
	s.send(t, "/signin", "step", "tap", "secret", "wrong").sees(t, "incorrect")
	if got := code(s.last(t)); got != 130503 {
		t.Errorf("a wrong pass is logged as %d, want 130503", got)
	}
	s.send(t, "/signin", "step", "tap", "secret", pass).sees(t, "The methods with which")
	s.send(t, "/security-info", "step", "key").sees(t, `"challenge"`)
	s.now.Add(int64(6 * 60))
	s.send(t, "/security-info", "step", "key").sees(t, "sign in again") // five minutes have passed
}

func TestCertificateOfTheHandshakeSignsIn(t *testing.T) {
	state := peopled(t)
	leaf, key := certificate(t, nil, nil, "ana")
	sum := sha256.Sum256(leaf.Raw)
	state.Credentials[ana].Certificates = []string{hex.EncodeToString(sum[:])}
	methods(t, state, `{"id":"X509Certificate","state":"enabled","includeTargets":[{"id":"all_users"}],"authenticationModeConfiguration":{"x509CertificateAuthenticationDefaultMode":"x509CertificateMultiFactor"}}`)
	s := newSite(t, state)
	s.named(t).send(t, "/signin", "step", "certificate").sees(t, "sent no certificate")
	transport := s.client.Transport.(*http.Transport).Clone()
	transport.TLSClientConfig.Certificates = []tls.Certificate{{Certificate: [][]byte{leaf.Raw}, PrivateKey: key}}
	s.client.Transport = transport
	s.named(t).send(t, "/signin", "step", "certificate").sees(t, "The methods with which")
}

func TestTenWrongPasswordsLockForAMinute(t *testing.T) {
	s := newSite(t, peopled(t))
	s.named(t)
	for range 10 {
		s.send(t, "/signin", "step", "password", "secret", "wrong").sees(t, "incorrect")
	}
	s.send(t, "/signin", "step", "password", "secret", secret).sees(t, "locked")
	if got := code(s.last(t)); got != 50053 {
		t.Errorf("logged as %d, want 50053", got)
	}
	s.now.Add(61)
	s.send(t, "/signin", "step", "password", "secret", secret).sees(t, "The methods with which")
}

func TestPagesRefuseForgedForms(t *testing.T) {
	s := newSite(t, peopled(t))
	s.named(t)
	form := url.Values{"step": {"password"}, "secret": {secret}, "csrf": {"guess"}}
	r, err := s.client.PostForm(s.URL+"/signin", form)
	if s.took(t, r, err); s.status != http.StatusForbidden {
		t.Errorf("a form with a guessed token: status %d, want 403", s.status)
	}
	s.named(t)
	request, _ := http.NewRequest("POST", s.URL+"/signin", strings.NewReader(url.Values{"step": {"name"}, "csrf": {csrfField.FindStringSubmatch(s.page)[1]}}.Encode()))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", "https://elsewhere.example")
	r, err = s.client.Do(request)
	if s.took(t, r, err); s.status != http.StatusForbidden {
		t.Errorf("a form from another site: status %d, want 403", s.status)
	}
	s.named(t)
	for range 70 {
		s.send(t, "/signin", "step", "name", "user", "nobody")
	}
	if s.status != http.StatusTooManyRequests {
		t.Errorf("70 posts in a minute: status %d, want 429", s.status)
	}
}

func TestPagesSetStrictHeaders(t *testing.T) {
	s := newSite(t, peopled(t))
	r, err := s.client.Get(s.URL + "/signin?to=security-info")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	policy := r.Header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("content security policy %q", policy)
	}
	c := r.Cookies()[0]
	if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode {
		t.Errorf("cookie %v", c)
	}
}

func TestCodesFollowRFC6238(t *testing.T) {
	// Appendix B of the RFC has eight digits; Entra shows the last six.
	for at, want := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		if got := TOTP(seed, time.Unix(at, 0)); got != want {
			t.Errorf("code at %d: got %s, want %s", at, got, want)
		}
	}
	if _, ok := CheckTOTP(seed, "287082", time.Unix(59+30*3, 0), 0); ok {
		t.Error("a code of three steps ago was taken")
	}
}
