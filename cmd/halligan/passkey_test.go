package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"halligan/internal/app"
	"halligan/internal/testbrowser"
)

// tidewater is the tenant of the example.
const tidewater = "8c1f2a30-4b5d-4e6f-8a7b-9c0d1e2f3a4b"

// atPage is a command of the program that waits for somebody at its page.
type atPage struct {
	file, address, code string // what the browser is given, where it leads, and what is typed in there

	ended chan int
	said  *bytes.Buffer // both streams; read it after the end
}

// atPageOf runs a command until it opens its page.
func atPageOf(t *testing.T, home string, args ...string) *atPage {
	t.Helper()
	p := &atPage{ended: make(chan int, 1), said: &bytes.Buffer{}}
	opened := make(chan string, 1)
	c := &console{stdin: strings.NewReader(""), stdout: p.said, stderr: p.said, getenv: func(name string) string {
		if name == "HALLIGAN_HOME" {
			return home
		}
		return ""
	}, browse: func(file string) error { opened <- file; return nil }}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	go func() { p.ended <- c.run(ctx, args) }() // ended by ctx
	select {
	case p.file = <-opened: // what it has said until then is read before it goes on
	case code := <-p.ended:
		t.Fatalf("%q ended with %d before it opened its page: %s", args, code, p.said)
	}
	text, err := os.ReadFile(p.file)
	must(t, err)
	address, code := regexp.MustCompile(`url=([^"]+)"`).FindSubmatch(text), regexp.MustCompile(`(?m)^Code: ([0-9]{3} [0-9]{3})\.`).FindSubmatch(p.said.Bytes())
	if address == nil || code == nil {
		t.Fatalf("the file is %s, and it says %s", text, p.said)
	}
	p.address, p.code = string(address[1]), string(code[1])
	return p
}

func (p *atPage) wants(t *testing.T, code int, text string) {
	t.Helper()
	if got := <-p.ended; got != code || !strings.Contains(p.said.String(), text) {
		t.Fatalf("it ends with %d, want %d and %q:\n%s", got, code, text, p.said)
	}
}

// passkeyHouse has a register without people.
func passkeyHouse(t *testing.T) (home string, run func(want int, args ...string) string) {
	t.Helper()
	from, err := filepath.Abs(filepath.Join("..", "..", "examples", "tenants", "tidewater"))
	must(t, err)
	dir := t.TempDir()
	t.Chdir(dir)
	home = filepath.Join(dir, "home")
	run = func(want int, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		c := &console{stdin: strings.NewReader(""), stdout: &out, stderr: &out, getenv: func(name string) string {
			if name == "HALLIGAN_HOME" {
				return home
			}
			return ""
		}}
		if got := c.run(t.Context(), args); got != want {
			t.Fatalf("%q ends with %d, want %d: %s", args, got, want, out.String())
		}
		return out.String()
	}
	run(0, "init", "--from", from, "--tenant", tidewater, "--account", "ea-north@tidewaterinstruments.onmicrosoft.com", "--people", "2")
	return home, run
}

// press types the code in and presses the button.
func (p *atPage) press() string { return pressWith(p.code) }

func pressWith(code string) string {
	return fmt.Sprintf(`document.getElementById("code").value = %q; document.getElementById("go").click()`, code)
}

func (p *atPage) fileURL() string { return "file://" + p.file }

// Two people make passkeys in a real browser, one asks with hers and the other
// approves with his; each sees what is signed. Hers does not sign for him.
func TestPasskeysMadeAndUsedInABrowser(t *testing.T) {
	home, run := passkeyHouse(t)
	making := atPageOf(t, home, "person", "add", "Ana Weiss", "--role", "operator", "--role", "approver", "--passkey")
	b := testbrowser.Open(t, nil, making.fileURL())
	for _, name := range []string{"Ana Weiss", "Ben Ode"} {
		if name != "Ana Weiss" {
			making = atPageOf(t, home, "person", "add", name, "--role", "approver", "--passkey")
			b.Visit(making.fileURL(), "Make a passkey")
		}
		b.Do("", "For "+name+", to approve requests with.")
		b.Do(pressWith("no code"), "It did not work: That is not the code in the terminal.")
		b.Do(making.press(), "Done. You can close this page")
		making.wants(t, 0, "halligan.yaml: "+name)
	}
	if out := run(0, "person", "list"); len(regexp.MustCompile(`signs with passkey\s+SHA256:`).FindAllString(out, -1)) != 2 {
		t.Errorf("person list says %s", out)
	}

	asking := atPageOf(t, home, "request", "begin", "--by", "Ana Weiss", "--why", "first register", "--passkey")
	b.Visit(asking.fileURL(), "why       first register")
	b.Do(asking.press(), "Done.")
	asking.wants(t, 0, "1 approval is needed")
	request := regexp.MustCompile(`(?m)^Request ([0-9a-f]{12})$`).FindStringSubmatch(asking.said.String())[1]

	text, err := os.ReadFile("halligan.yaml")
	must(t, err)
	ids := regexp.MustCompile(`credentialId: "?([^"\s]+)`).FindAllStringSubmatch(string(text), -1)
	if len(ids) != 2 {
		t.Fatalf("the register has %d passkeys: %s", len(ids), text)
	}
	// mallory at ben's page signs the right text with another's passkey.
	wrong := atPageOf(t, home, "approve", request, "--as", "Ben Ode", "--passkey")
	b.Visit(wrong.fileURL(), "person    Ben Ode")
	b.Do(fmt.Sprintf(`code.value = %q; const o = PublicKeyCredential.parseRequestOptionsFromJSON({...options, allowCredentials: [{type: "public-key", id: %q}]});
		navigator.credentials.get({publicKey: o}).then(made => fetch(location.pathname, {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({code: code.value, answer: made.toJSON()})}))
			.then(r => { document.getElementById("said").textContent = "sent " + r.status })`, wrong.code, ids[0][1]), "sent 204")
	wrong.wants(t, 1, "count the approval of Ben Ode")

	approving := atPageOf(t, home, "approve", request, "--as", "Ben Ode", "--passkey")
	b.Visit(approving.fileURL(), "I approve this:")
	b.Do(approving.press(), "Done.")
	approving.wants(t, 0, "Carried out")
	if out := run(0, "person", "list"); !strings.Contains(out, "This is what was approved") {
		t.Errorf("person list says %s", out)
	}

	// A key that does not ask who holds it does not sign.
	b.StopVerifying()
	run(0, "person", "add", "Carl Roe", "--role", "viewer")
	unverified := atPageOf(t, home, "request", "register", "--by", "Ana Weiss", "--why", "Carl joins", "--passkey")
	b.Visit(unverified.fileURL(), "Carl Roe")
	b.Do(unverified.press(), "It did not work: ")
}

// The page is for the browser that the person sees: another name for this machine,
// another address, another page and another method get nothing, and what is there
// runs nothing but its own script.
func TestPasskeyPageAnswersItsOwnBrowserAlone(t *testing.T) {
	home, _ := passkeyHouse(t)
	at := atPageOf(t, home, "person", "add", "Ana Weiss", "--role", "approver", "--passkey")
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: late}
	ask := func(method, address, host, origin, kind, body string) (int, http.Header, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
		must(t, err)
		if host != "" {
			r.Host = host
		}
		r.Header.Set("Origin", origin)
		r.Header.Set("Content-Type", kind)
		resp, err := client.Do(r)
		must(t, err)
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		must(t, err)
		return resp.StatusCode, resp.Header, string(text)
	}
	own := fmt.Sprintf("http://localhost:%d", app.PasskeyPort)
	if !regexp.MustCompile("^" + own + `/[A-Z2-7]{26}$`).MatchString(at.address) {
		t.Errorf("the address is %s", at.address)
	}
	const asJSON = "application/json"
	for name, c := range map[string]struct {
		method, address, host, origin, kind, body string
		want                                      int
	}{
		"another name (DNS rebinding)": {"GET", at.address, fmt.Sprintf("attacker.example:%d", app.PasskeyPort), "", "", "", 404},
		"this machine by number":       {"GET", at.address, fmt.Sprintf("127.0.0.1:%d", app.PasskeyPort), "", "", "", 404},
		"another address":              {"GET", own + "/", "", "", "", "", 404},
		"a guess":                      {"POST", own + "/AAAAAAAAAAAAAAAAAAAAAAAAAA", "", own, asJSON, "{}", 404},
		"no code":                      {"POST", at.address, "", own, asJSON, `{"answer": {}}`, 403},
		"another page":                 {"POST", at.address, "", "https://attacker.example", asJSON, "{}", 403},
		"no page":                      {"POST", at.address, "", "", asJSON, "{}", 403},
		"a form":                       {"POST", at.address, "", own, "text/plain", "{}", 403},
		"no JSON":                      {"POST", at.address, "", own, asJSON, "{", 400},
		"too much":                     {"POST", at.address, "", own, asJSON, `"` + strings.Repeat("x", 1<<17) + `"`, 400},
		"another method":               {"PUT", at.address, "", own, asJSON, "{}", 405},
	} {
		if got, _, _ := ask(c.method, c.address, c.host, c.origin, c.kind, c.body); got != c.want {
			t.Errorf("%s: got %d, want %d", name, got, c.want)
		}
	}
	code, header, text := ask("GET", at.address, "", "", "", "")
	policy := header.Get("Content-Security-Policy")
	if code != 200 || !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("got %d and the policy %q", code, policy)
	}
	nonce := regexp.MustCompile(`script-src 'nonce-([^']+)'`).FindStringSubmatch(policy)
	if nonce == nil || !strings.Contains(text, `<script nonce="`+nonce[1]+`">`) || header.Get("Cache-Control") != "no-store" || header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("headers %v", header)
	}
	// What is no passkey ends it, and it was the only answer.
	withCode := fmt.Sprintf(`{"code": %q, "answer": {}}`, at.code)
	if got, _, _ := ask("POST", at.address, "", own, asJSON, withCode); got != 204 {
		t.Errorf("an answer gets %d", got)
	}
	at.wants(t, 1, "error: make a passkey: the browser's answer")
	if resp, err := client.Post(at.address, asJSON, strings.NewReader(withCode)); err == nil {
		resp.Body.Close()
		t.Errorf("a second answer gets %s", resp.Status)
	}
	text2, err := os.ReadFile("halligan.yaml")
	must(t, err)
	if bytes.Contains(text2, []byte("Ana")) {
		t.Error("she is in the register all the same")
	}
}

// Whoever else finds the address does not know the code in the terminal, and guesses
// it a few times at most. What other accounts see of the browser, its arguments,
// leads nowhere.
func TestAnotherAccountCannotAnswerForThePersonAtThePage(t *testing.T) {
	home, _ := passkeyHouse(t)
	at := atPageOf(t, home, "person", "add", "Ana Weiss", "--role", "approver", "--passkey")
	for _, path := range []string{at.file, filepath.Dir(at.file)} {
		info, err := os.Stat(path)
		must(t, err)
		if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("others may read %s: %s", path, info.Mode())
		}
	}
	secret := at.address[strings.LastIndex(at.address, "/")+1:]
	if strings.Contains(at.file, secret) {
		t.Errorf("the browser is given %s, which holds the secret of the page", at.file)
	}
	post := func(code string) int {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), "POST", at.address, strings.NewReader(fmt.Sprintf(`{"code": %q, "answer": {}}`, code)))
		must(t, err)
		r.Header.Set("Origin", fmt.Sprintf("http://localhost:%d", app.PasskeyPort))
		r.Header.Set("Content-Type", "application/json")
		resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: late}).Do(r)
		must(t, err)
		must(t, resp.Body.Close())
		return resp.StatusCode
	}
	right := strings.ReplaceAll(at.code, " ", "")
	for i := range 5 {
		guess := fmt.Sprintf("%06d", i)
		if guess == right {
			guess = "999999"
		}
		if got := post(guess); got != 403 {
			t.Errorf("guess %d gets %d", i, got)
		}
	}
	at.wants(t, 1, "hint: was it you? Then give the command again.")
	if _, err := os.Stat(filepath.Dir(at.file)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file is left: %v", err)
	}
}

// Somebody else who holds either of the addresses of localhost could show a page of
// their own: then there is none of ours, and it is said.
func TestPasskeyPageNeedsBothAddressesOfThisMachine(t *testing.T) {
	_, run := passkeyHouse(t)
	for _, host := range []string{"127.0.0.1", "::1"} {
		l, err := net.Listen("tcp", net.JoinHostPort(host, fmt.Sprint(app.PasskeyPort)))
		if err != nil && host == "::1" {
			t.Logf("no IPv6 here: %v", err)
			continue
		}
		must(t, err)
		if out := run(1, "person", "add", "Ana Weiss", "--role", "approver", "--passkey"); !strings.Contains(out, "hint: another approval may be under way") {
			t.Errorf("%s: %s", host, out)
		}
		must(t, l.Close())
	}
}

// A passkey is asked of who has one.
func TestApproveByPasskeyWithoutOne(t *testing.T) {
	_, run := passkeyHouse(t)
	if out := run(1, "request", "begin", "--by", "Ana Weiss", "--why", "x", "--passkey"); !strings.Contains(out, "hint: halligan person list") {
		t.Error(out)
	}
}
