// Package testbrowser drives a real Chromium for tests: with a fresh profile
// whose own certificate store trusts one authority, and with a virtual security
// key. Only _test.go files import it.
//
// HALLIGAN_CHROMIUM names the browser. A test that needs it skips without, and
// says so; with HALLIGAN_REQUIRE=1 it fails (internal/testenv).
package testbrowser

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"halligan/internal/testenv"
)

// Browser is one Chromium with one page open.
type Browser struct {
	t   testing.TB
	ctx context.Context
	key webauthn.AuthenticatorID
}

// patience is how long a page may take to say what is expected of it.
const patience = 30 * time.Second

// Open starts Chromium on a page. It trusts the authority in ca, PEM, beside
// those of the system, where it is not nil; the browser ends with the test.
func Open(t testing.TB, ca []byte, address string) *Browser {
	t.Helper()
	path := testenv.Folder(t, "HALLIGAN_CHROMIUM")
	home := t.TempDir()
	if ca != nil {
		trust(t, home, ca)
	}
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.UserDataDir(filepath.Join(home, "profile")), chromedp.Headless, chromedp.NoSandbox,
		chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.Env("HOME=" + home), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true)}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, end := chromedp.NewContext(allocator)
	t.Cleanup(end)
	b := &Browser{t: t, ctx: ctx}
	// The first call starts the browser, whose life is that of its context: no
	// deadline here.
	if err := chromedp.Do(ctx, chromedp.Navigate(address)); err != nil {
		t.Fatalf("open %s: %v", address, err)
	}
	soon, cancel := b.soon()
	defer cancel()
	if _, err := chromedp.Call(soon, webauthn.Enable, webauthn.EnableParams{}); err != nil {
		t.Fatalf("turn virtual keys on: %v", err)
	}
	added, err := chromedp.Call(soon, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Ctap2version: webauthn.Ctap2versionCtap21, Transport: webauthn.AuthenticatorTransportUsb,
		HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true}})
	if err != nil {
		t.Fatalf("add a virtual key: %v", err)
	}
	b.key = added.AuthenticatorID
	return b
}

// trust puts a CA into the certificate store that Chromium reads in this home
// (chromium docs/linux/cert_management.md).
func trust(t testing.TB, home string, ca []byte) {
	t.Helper()
	certutil, err := exec.LookPath("certutil")
	if err != nil {
		t.Fatalf("HALLIGAN_CHROMIUM is set, and there is no certutil (libnss3-tools) to make its profile trust the sandbox: %v", err)
	}
	store, file := filepath.Join(home, ".pki", "nssdb"), filepath.Join(home, "ca.pem")
	if err := os.MkdirAll(store, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, ca, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"-N", "-d", "sql:" + store, "--empty-password"}, {"-A", "-d", "sql:" + store, "-t", "C,,", "-n", "sandbox", "-i", file}} {
		if out, err := exec.Command(certutil, args...).CombinedOutput(); err != nil {
			t.Fatalf("certutil %v: %v: %s", args, err, out)
		}
	}
}

func (b *Browser) soon() (context.Context, context.CancelFunc) {
	return context.WithTimeout(b.ctx, patience)
}

// Visit leaves the page for another and waits until that says a text.
func (b *Browser) Visit(address, want string) {
	b.t.Helper()
	ctx, cancel := b.soon()
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Navigate(address)); err != nil {
		b.t.Fatalf("open %s: %v", address, err)
	}
	b.Do("", want)
}

// Do runs a script in the page, none when it is "", and waits until the page
// says a text. The wait is the browser's: it is told of each change.
func (b *Browser) Do(script, want string) {
	b.t.Helper()
	ctx, cancel := b.soon()
	defer cancel()
	if script != "" {
		if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("(()=>{"+script+";return true})()")); err != nil {
			b.t.Fatalf("run %s: %v", script, err)
		}
	}
	if err := b.until(ctx, want); err != nil {
		text, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string]("location.href + '\\n' + document.body.innerText"))
		b.t.Fatalf("the page does not say %q: %v\n%s", want, err, text)
	}
}

func (b *Browser) until(ctx context.Context, want string) error {
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

// Says reports whether the page says a text now.
func (b *Browser) Says(text string) bool {
	b.t.Helper()
	ctx, cancel := b.soon()
	defer cancel()
	says, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("document.body.innerText.includes(`"+text+"`)"))
	if err != nil {
		b.t.Fatal(err)
	}
	return says
}

// StopVerifying makes the key no longer ask who holds it.
func (b *Browser) StopVerifying() {
	b.t.Helper()
	ctx, cancel := b.soon()
	defer cancel()
	if _, err := chromedp.Call(ctx, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: b.key, IsUserVerified: false}); err != nil {
		b.t.Fatal(err)
	}
}
