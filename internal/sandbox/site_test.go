package sandbox

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Whoever trusts the sandbox's authority trusts it for localhost alone.
func TestAuthorityVouchesForLocalhostAlone(t *testing.T) {
	now := time.Now()
	a, err := NewAuthority(now)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	path, err := a.Save(folder)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(data, a.PEM()) || bytes.Contains(data, []byte("PRIVATE")) {
		t.Errorf("the file holds %q, %v", data, err)
	}
	files, err := os.ReadDir(folder)
	if err != nil || len(files) != 1 {
		t.Errorf("the folder holds %v, %v", files, err)
	}
	block, rest := pem.Decode(data)
	ca, err := x509.ParseCertificate(block.Bytes)
	if err != nil || len(bytes.TrimSpace(rest)) != 0 {
		t.Fatalf("%v, and %q", err, rest)
	}
	if !ca.PermittedDNSDomainsCritical || strings.Join(ca.PermittedDNSDomains, " ") != "localhost" || !ca.MaxPathLenZero || ca.NotAfter.Sub(now) > 7*24*time.Hour {
		t.Errorf("the authority is %+v", ca)
	}
	leaf, err := x509.ParseCertificate(a.leaf.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	for name, fine := range map[string]bool{"localhost": true, "localhost.example": false, "127.0.0.1": false, "graph.microsoft.com": false} {
		if _, err := leaf.Verify(x509.VerifyOptions{Roots: a.Pool(), DNSName: name}); (err == nil) != fine {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: a.Pool(), DNSName: "localhost", CurrentTime: now.AddDate(0, 0, 8)}); err == nil {
		t.Error("it is still trusted after a week")
	}
}

func TestSandboxServesThisMachineUnderOneName(t *testing.T) {
	var refused *refusedAddress
	for _, address := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0", "example.com:0"} {
		if _, err := Open(t.Context(), Config{State: testState()}, address); !errors.As(err, &refused) || refused.Hint() == "" {
			t.Errorf("%s: got %v", address, err)
		}
	}
	site := openSite(t, Config{}, nil)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, site.URL+"/"+testTenant+"/v2.0/.well-known/openid-configuration", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "rebound.evil.example"
	res, err := site.web(t).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("under another name: got %d", res.StatusCode)
	}
	config := &tls.Config{RootCAs: site.Pool(), ServerName: "127.0.0.1"}
	if conn, err := tls.Dial("tcp", site.config.Host, config); err == nil {
		_ = conn.Close()
		t.Error("the certificate holds for another name")
	}
}

// admin asks at the administrator's door.
func (s *Site) admin(t *testing.T, method, path, body string, change func(*http.Request)) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+"/sandbox/"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set(adminHeader, s.AdminKey())
	change(r)
	res, err := s.web(t).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(data)
}

func TestAdministratorsDoorNeedsTheKey(t *testing.T) {
	site := openSite(t, Config{}, nil)
	for name, change := range map[string]func(*http.Request){
		"no key":           func(r *http.Request) { r.Header.Del(adminHeader) },
		"a wrong key":      func(r *http.Request) { r.Header.Set(adminHeader, "guess") },
		"a page elsewhere": func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") },
	} {
		for _, p := range adminPaths {
			method, path, _ := strings.Cut(p.pattern, " /sandbox/")
			if status, body := site.admin(t, method, path, "{}", change); status != http.StatusForbidden || strings.Contains(body, testSecret) {
				t.Errorf("%s at %s: got %d %s", name, p.pattern, status, body)
			}
		}
	}
}

func TestAdministratorTurnsTheTenant(t *testing.T) {
	site := openSite(t, Config{}, nil)
	as := func(*http.Request) {}
	_, before := site.admin(t, "GET", "state", "", as)
	if err := site.Update(func(s *State) error { s.Delete("users", testBob); return nil }); err != nil {
		t.Fatal(err)
	}
	if _, after := site.admin(t, "GET", "state", "", as); after == before || strings.Contains(after, "bob@") {
		t.Error("the dump does not show the change")
	}
	if status, _ := site.admin(t, "POST", "reset", "", as); status != http.StatusNoContent {
		t.Errorf("reset: got %d", status)
	}
	if _, again := site.admin(t, "GET", "state", "", as); again != before {
		t.Error("after the reset the dump is another")
	}
	begun := site.now()
	if status, body := site.admin(t, "POST", "clock", `{"advance":"48h"}`, as); status != 200 || site.now().Sub(begun) < 48*time.Hour {
		t.Errorf("clock: got %d %s", status, body)
	}
	if status, body := site.admin(t, "PUT", "outage", `{"outages":["mfa"]}`, as); status != 200 || !site.faults.outage("mfa") {
		t.Errorf("outage: got %d %s", status, body)
	}
	if status, body := site.admin(t, "PUT", "faults", `{"faults":["11=evil-suffix,times=2"]}`, as); status != 200 || !strings.Contains(body, `"variant":"evil-suffix"`) || !site.faults.outage("mfa") {
		t.Errorf("faults: got %d %s", status, body)
	}
	for path, body := range map[string]string{"faults": `{"faults":["99"]}`, "outage": `{"outages":["power"]}`} {
		if status, answer := site.admin(t, "PUT", path, body, as); status != http.StatusBadRequest {
			t.Errorf("%s: got %d %s", path, status, answer)
		}
	}
	if fault, on := site.faults.on(11); !on || fault.Times != 2 {
		t.Errorf("a wrong fault changed what is on: %+v", fault)
	}
	if status, body := site.admin(t, "POST", "clock", `{"advance":"48h","moon":1}`, as); status != http.StatusBadRequest {
		t.Errorf("an unknown key: got %d %s", status, body)
	}
	if status, body := site.admin(t, "GET", "stats", "", as); status != 200 || !strings.Contains(body, `"requests"`) {
		t.Errorf("stats: got %d %s", status, body)
	}
}

func TestSignInOutageStopsEverybody(t *testing.T) {
	f := openFaulty(t, Config{})
	if err := f.site.SetOutages("signin"); err != nil {
		t.Fatal(err)
	}
	if body, status := f.site.atToken(t, url.Values{"grant_type": {"client_credentials"}}); status != 503 || errorCode(body) != "90033" {
		t.Errorf("token: got %d %v", status, body)
	}
	if got := f.site.surfer(t, testAda, "accept").get(f.site.URL + authorizeQuery(func(url.Values) {})); got.status != 503 {
		t.Errorf("page: got %d", got.status)
	}
	if got := f.get("/v1.0/users"); got.status != 200 {
		t.Errorf("who is in stays in: got %d", got.status)
	}
}

func TestStateSurvivesInItsFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "contoso.json")
	site := openSite(t, Config{File: file}, nil)
	if err := site.Update(func(s *State) error { s.Delete("users", testBob); return nil }); err != nil {
		t.Fatal(err)
	}
	want, err := site.Dump()
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", info.Mode(), err)
	}
	again := openSite(t, Config{File: file}, nil)
	if got, err := again.Dump(); err != nil || !bytes.Equal(got, want) {
		t.Errorf("the second run begins elsewhere, %v", err)
	}
	if err := again.Reset(); err != nil {
		t.Fatal(err)
	}
	again.View(func(s *State) {
		if s.Get("users", testBob) == nil {
			t.Error("the reset did not go back to the beginning")
		}
	})
	var other *otherTenant
	if _, err := New(Config{State: NewState(testBob, "Fabrikam", "P1"), File: file}); !errors.As(err, &other) || other.Hint() == "" {
		t.Errorf("another tenant's file: got %v", err)
	}
	for name, content := range map[string]string{"cut": string(want[:len(want)/2]), "unknown key": `{"id":"x","moon":1}`, "no tenant": `{}`} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := New(Config{State: testState(), File: file}); err == nil {
			t.Errorf("%s: was taken", name)
		}
	}
}
