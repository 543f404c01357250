package app

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	html "html/template"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"halligan/custody"
	"halligan/register"
)

// PasskeyPage is a page on this machine on which a person makes a passkey, or signs
// with it. A browser counts http://localhost as a place where passkeys are safe
// (W3C Secure Contexts 3.1); nothing leaves the machine. It lives as long as one
// ceremony, answers to one name and one address that nobody can guess, and shows
// what is signed.
type PasskeyPage struct {
	// Port is where passkeys are made and used; the register keeps it with each.
	Port int
	// Open shows the person the address.
	Open func(address string) error
}

// PasskeyPort is the port of PasskeyPage by itself.
const PasskeyPort = 8477

const ceremonyTime = 5 * time.Minute

func (p *PasskeyPage) origin() string { return fmt.Sprintf("http://localhost:%d", p.Port) }

// ceremony is what the page does, in the browser's own words.
type ceremony struct {
	Title, Says, Text, Button string
	Create                    bool
	Options                   html.JS // JSON made here, of no text from outside
	Nonce                     string
}

// Make has a person make a passkey, and returns what the register keeps of it.
func (p *PasskeyPage) Make(ctx context.Context, name string) (*register.Passkey, error) {
	party, err := webauthn.New(&webauthn.Config{RPID: "localhost", RPDisplayName: "Halligan", RPOrigins: []string{p.origin()}})
	if err != nil {
		return nil, fmt.Errorf("make a passkey: %w", err)
	}
	who := &passkeyUser{id: make([]byte, 32), name: name}
	if _, err := io.ReadFull(rand.Reader, who.id); err != nil {
		return nil, fmt.Errorf("make a passkey: %w", err)
	}
	options, session, err := party.BeginRegistration(who, webauthn.WithConveyancePreference(protocol.PreferNoAttestation),
		webauthn.WithAuthenticatorSelection(protocol.AuthenticatorSelection{ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired}))
	if err != nil {
		return nil, fmt.Errorf("make a passkey: %w", err)
	}
	answer, err := p.hold(ctx, ceremony{Title: "Make a passkey", Says: "For " + custody.Visible(name) + ", to approve requests with. The key asks for its PIN or a finger.", Button: "Make the passkey", Create: true}, options.Response)
	if err != nil {
		return nil, fmt.Errorf("make a passkey: %w", err)
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return nil, fmt.Errorf("make a passkey: the browser's answer: %w", err)
	}
	made, err := party.CreateCredential(who, *session, parsed)
	if err != nil {
		return nil, fmt.Errorf("make a passkey: %w", err)
	}
	return &register.Passkey{RPID: "localhost", Origin: p.origin(), CredentialID: base64.RawURLEncoding.EncodeToString(made.ID), PublicKey: base64.RawURLEncoding.EncodeToString(made.PublicKey)}, nil
}

// passkeyUser is a person to go-webauthn.
type passkeyUser struct {
	id   []byte
	name string
}

func (u *passkeyUser) WebAuthnID() []byte                         { return u.id }
func (u *passkeyUser) WebAuthnName() string                       { return u.name }
func (u *passkeyUser) WebAuthnDisplayName() string                { return u.name }
func (u *passkeyUser) WebAuthnCredentials() []webauthn.Credential { return nil }

// Sign has a person sign a text with their passkey.
func (p *PasskeyPage) Sign(ctx context.Context, key register.Passkey, text []byte, challenge string) (Signature, error) {
	origin, err := url.Parse(key.Origin)
	if err != nil || origin.Hostname() != "localhost" || origin.Scheme != "http" {
		return Signature{}, &hinted{fmt.Errorf("sign with a passkey: this one is for %.80q", key.Origin), "sign on the page where it was made, or use a key made here: halligan person add --passkey"}
	}
	port := PasskeyPort
	if _, err := fmt.Sscanf(origin.Port(), "%d", &port); err != nil {
		return Signature{}, fmt.Errorf("sign with a passkey: no port in %.80q", key.Origin)
	}
	here := PasskeyPage{Port: port, Open: p.Open}
	options := map[string]any{"challenge": challenge, "rpId": key.RPID, "userVerification": "required", "timeout": ceremonyTime.Milliseconds(),
		"allowCredentials": []any{map[string]any{"type": "public-key", "id": key.CredentialID}}}
	title := "Approve"
	if strings.HasPrefix(string(text), "halligan request\n") {
		title = "Ask for this"
	}
	answer, err := here.hold(ctx, ceremony{Title: title, Says: "Read it. With the passkey you sign exactly this:", Text: string(text), Button: "Sign with the passkey"}, options)
	if err != nil {
		return Signature{}, fmt.Errorf("sign with a passkey: %w", err)
	}
	return Signature{Method: custody.MethodPasskey, Text: string(answer)}, nil
}

// hold serves the page until the browser has answered.
func (p *PasskeyPage) hold(ctx context.Context, c ceremony, options any) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, ceremonyTime, errors.New("nobody used the page in time"))
	defer cancel()
	text, err := json.Marshal(options) // json escapes <, > and & for the script that it stands in
	if err != nil {
		return nil, err
	}
	c.Options, c.Nonce = html.JS(text), rand.Text()
	listeners, err := p.listen(ctx)
	if err != nil {
		return nil, &hinted{err, "another approval may be under way on this machine: end it first. If nobody knows of one, another account here may want to show you its own page: find out who listens there"}
	}
	path := "/" + rand.Text()
	answers := make(chan []byte, 1)
	server := &http.Server{Handler: p.handler(path, &c, answers), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, MaxHeaderBytes: 16 << 10}
	stopped := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() { stopped <- server.Serve(l) }() // ended by Close, below
	}
	defer func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if server.Shutdown(last) != nil {
			_ = server.Close()
		}
	}()
	if err := p.Open(p.origin() + path); err != nil {
		return nil, err
	}
	select {
	case answer := <-answers:
		return answer, nil
	case err := <-stopped:
		return nil, err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// listen takes both addresses that the name localhost may lead to. With one left
// free, another account of this machine could take it, and a browser would go there
// first: to a page of theirs, with the address that nobody should guess.
func (p *PasskeyPage) listen(ctx context.Context) (all []net.Listener, err error) {
	var lc net.ListenConfig
	for _, host := range []string{"127.0.0.1", "::1"} {
		l, err := lc.Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(p.Port)))
		if err != nil && host == "::1" && !errors.Is(err, syscall.EADDRINUSE) {
			continue // there is no IPv6 here
		}
		if err != nil {
			for _, l := range all {
				err = errors.Join(err, l.Close())
			}
			return nil, err
		}
		all = append(all, l)
	}
	return all, nil
}

const mostAnswer = 64 << 10

func (p *PasskeyPage) handler(path string, c *ceremony, answers chan<- []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'nonce-"+c.Nonce+"'; style-src 'nonce-"+c.Nonce+"'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		// Another name that leads to this machine must not reach the page (DNS rebinding).
		if r.Host != fmt.Sprintf("localhost:%d", p.Port) || subtle.ConstantTimeCompare([]byte(r.URL.Path), []byte(path)) != 1 {
			http.NotFound(w, r)
			return
		}
		switch r.Method {
		case http.MethodGet:
			h.Set("Content-Type", "text/html; charset=utf-8")
			_ = passkeyPage.Execute(w, c) // a browser that went away
		case http.MethodPost:
			if r.Header.Get("Origin") != p.origin() || r.Header.Get("Content-Type") != "application/json" {
				http.Error(w, "not from this page", http.StatusForbidden)
				return
			}
			answer, err := io.ReadAll(io.LimitReader(r.Body, mostAnswer+1))
			if err != nil || len(answer) > mostAnswer || !json.Valid(answer) {
				http.Error(w, "no answer of a passkey", http.StatusBadRequest)
				return
			}
			select {
			case answers <- answer:
				w.WriteHeader(http.StatusNoContent)
			default: // it is used once
				http.Error(w, "answered already", http.StatusConflict)
			}
		default:
			http.Error(w, "no", http.StatusMethodNotAllowed)
		}
	})
}

var passkeyPage = html.Must(html.New("passkey").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Halligan: {{.Title}}</title>
<style nonce="{{.Nonce}}">
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid; border-radius: 6px; padding: 1rem; }
button { font: inherit; padding: .6rem 1.2rem; }
#said { font-weight: bold; }
</style>
<h1>{{.Title}}</h1>
<p>{{.Says}}</p>
{{if .Text}}<pre>{{.Text}}</pre>{{end}}
<p><button id="go">{{.Button}}</button></p>
<p id="said" role="status"></p>
<script nonce="{{.Nonce}}">
const options = {{.Options}}, create = {{.Create}};
const said = document.getElementById("said"), button = document.getElementById("go");
button.addEventListener("click", async () => {
  button.disabled = true;
  said.textContent = "Use your key now.";
  try {
    const publicKey = create ? PublicKeyCredential.parseCreationOptionsFromJSON(options) : PublicKeyCredential.parseRequestOptionsFromJSON(options);
    const made = create ? await navigator.credentials.create({publicKey}) : await navigator.credentials.get({publicKey});
    const answer = await fetch(location.pathname, {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(made.toJSON())});
    if (!answer.ok) throw new Error(await answer.text());
    said.textContent = "Done. You can close this page, and go on in the terminal.";
  } catch (e) {
    said.textContent = "It did not work: " + e.message + " Try again, or press Ctrl-C in the terminal.";
    button.disabled = false;
  }
});
</script>
</html>
`))
