package sandbox_test

import (
	"context"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	. "halligan/internal/sandbox"
	"halligan/internal/testenv"
)

// browser is a Chromium with a fresh profile that trusts a site's CA, and a
// virtual security key.
type browser struct {
	ctx context.Context
	key webauthn.AuthenticatorID
	url string
}

func newBrowser(t *testing.T, s *site) *browser {
	t.Helper()
	path := testenv.Folder(t, "HALLIGAN_CHROMIUM")
	home := t.TempDir()
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.UserDataDir(filepath.Join(home, "profile")), chromedp.Headless, chromedp.NoSandbox,
		chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.Env("HOME=" + home), chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true)}
	if !trust(t, home, s.CA) {
		t.Log("certutil (libnss3-tools) is not installed: this run ignores certificate errors")
		options = append(options, chromedp.Flag("ignore-certificate-errors", true))
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, end := chromedp.NewContext(allocator)
	t.Cleanup(end)
	b := &browser{ctx: ctx, url: s.URL}
	if err := chromedp.Do(ctx, chromedp.Navigate(s.URL+"/security-info")); err != nil {
		t.Fatalf("open the page: %v", err)
	}
	tctx, cancel := b.soon()
	defer cancel()
	if _, err := chromedp.Call(tctx, webauthn.Enable, webauthn.EnableParams{}); err != nil {
		t.Fatalf("turn virtual keys on: %v", err)
	}
	added, err := chromedp.Call(tctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Ctap2version: webauthn.Ctap2versionCtap21, Transport: webauthn.AuthenticatorTransportUsb,
		HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true}})
	if err != nil {
		t.Fatalf("add a virtual key: %v", err)
	}
	b.key = added.AuthenticatorID
	return b
}

// trust puts a CA into the profile's own certificate store.
func trust(t *testing.T, home string, der []byte) bool {
	t.Helper()
	certutil, err := exec.LookPath("certutil")
	if err != nil {
		return false
	}
	store, file := filepath.Join(home, ".pki", "nssdb"), filepath.Join(home, "ca.pem")
	if err := os.MkdirAll(store, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"-N", "-d", "sql:" + store, "--empty-password"}, {"-A", "-d", "sql:" + store, "-t", "C,,", "-n", "sandbox", "-i", file}} {
		if out, err := exec.Command(certutil, args...).CombinedOutput(); err != nil {
			t.Fatalf("certutil %v: %v: %s", args, err, out)
		}
	}
	return true
}

func (b *browser) soon() (context.Context, context.CancelFunc) {
	return context.WithTimeout(b.ctx, 30*time.Second)
}

// do runs a script in the page and waits until the page says a text. The wait is
// the browser's: it is told of each change.
func (b *browser) do(t *testing.T, script, want string) {
	t.Helper()
	ctx, cancel := b.soon()
	defer cancel()
	if script != "" {
		if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("(()=>{"+script+";return true})()")); err != nil {
			t.Fatalf("run %s: %v", script, err)
		}
	}
	if err := b.until(ctx, want); err != nil {
		text, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string]("document.body.innerText"))
		t.Fatalf("the page does not say %q: %v\n%s", want, err, text)
	}
}

func (b *browser) until(ctx context.Context, want string) error {
	const wait = `new Promise(done => { const see = () => document.body && document.body.innerText.includes(WANT) && done(true);
		see(); new MutationObserver(see).observe(document, {subtree: true, childList: true, characterData: true, attributes: true}); })`
	for {
		_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](strings.Replace(wait, "WANT", "`"+want+"`", 1), chromedp.EvalAwaitPromise))
		if err == nil || ctx.Err() != nil {
			return err
		}
		// The page was left for the next one while we watched it: watch that.
	}
}

func (b *browser) nameAndPassword(t *testing.T) {
	t.Helper()
	b.do(t, "", "User name")
	b.do(t, `document.querySelector("#user").value = "ana@contoso.onmicrosoft.com"; document.querySelector("form").requestSubmit()`, "Temporary Access Pass")
}

// The ceremony is real: Chromium makes the key and signs, the page verifies.
func TestChromiumRegistersAPasskeyAndSignsInWithIt(t *testing.T) {
	s := newSite(t, peopled(t, "tap"))
	b := newBrowser(t, s)
	b.nameAndPassword(t)
	b.do(t, `document.querySelector("button[value=tap]").click()`, "Sign in another way")
	b.do(t, `document.querySelector("#secret").value = "`+pass+`"; document.querySelector("form").requestSubmit()`, "The methods with which you sign in")
	b.do(t, `document.querySelector("button[value=key]").click()`, "Add the passkey")
	b.do(t, `document.querySelector("#name").value = "Safe"; document.querySelector("form").requestSubmit()`, "Your passkey was added")
	var method Object
	s.View(func(state *State) {
		for _, m := range state.All("users/" + ana + "/authentication/methods") {
			if m["@odata.type"] == "#microsoft.graph.fido2AuthenticationMethod" {
				method = m
			}
		}
	})
	if method["displayName"] != "Safe" || method["aaGuid"] == "" || method["passkeyType"] != "deviceBound" {
		t.Fatalf("Graph would show the key as %v", method)
	}

	// The same key cannot be registered twice.
	b.do(t, `document.querySelector("button[value=key]").click()`, "Add the passkey")
	b.do(t, `document.querySelector("#name").value = "Again"; document.querySelector("form").requestSubmit()`, "registered already")
	b.do(t, `location = "/security-info"`, "The methods with which you sign in")
	b.do(t, `document.querySelector("button[value=leave]").click()`, "User name")

	// Without a name: the key says who it belongs to.
	b.do(t, `document.querySelector("button[value=passkey]").click()`, "Use my passkey")
	b.do(t, `document.querySelector("form").requestSubmit()`, "The methods with which you sign in")
	if record := s.last(t); code(record) != 0 || record["authenticationRequirement"] != "multiFactorAuthentication" {
		t.Errorf("the sign-in is logged as code %d, %v", code(record), record["authenticationRequirement"])
	}

	// A key that does not check who holds it is refused.
	b.do(t, `document.querySelector("button[value=leave]").click()`, "User name")
	ctx, cancel := b.soon()
	defer cancel()
	if _, err := chromedp.Call(ctx, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: b.key, IsUserVerified: false}); err != nil {
		t.Fatal(err)
	}
	b.do(t, `document.querySelector("button[value=passkey]").click()`, "Use my passkey")
	b.do(t, `document.querySelector("form").requestSubmit()`, "The key was not used")
}

func TestChromiumKeyOfAForbiddenModelIsNotRegistered(t *testing.T) {
	state := peopled(t, "tap")
	methods(t, state, `{"id":"Fido2","state":"enabled","includeTargets":[{"id":"all_users"}],"keyRestrictions":{"isEnforced":true,"enforcementType":"allow","aaGuids":["`+keyModel+`"]}}`)
	s := newSite(t, state)
	b := newBrowser(t, s)
	b.nameAndPassword(t)
	b.do(t, `document.querySelector("button[value=tap]").click()`, "Sign in another way")
	b.do(t, `document.querySelector("#secret").value = "`+pass+`"; document.querySelector("form").requestSubmit()`, "The methods with which you sign in")
	b.do(t, `document.querySelector("button[value=key]").click()`, "Add the passkey")
	b.do(t, `document.querySelector("#name").value = "Safe"; document.querySelector("form").requestSubmit()`, "does not allow this model of key")
}
