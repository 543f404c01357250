package app

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	html "html/template"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// visit is one ceremony at the page.
type visit struct {
	page       *PasskeyPage
	path, code string
	shown      *ceremony
	answers    chan []byte // one
	failed     chan error  // one

	mu    sync.Mutex
	tries int // with a wrong code
}

const (
	mostTries  = 5
	mostAnswer = 64 << 10
)

var errGuessed = &hinted{errors.New("a wrong code was given on the page too often"), "was it you? Then give the command again. If not, another account of this machine found the page: find out which"}

// hold serves the page until the browser has answered.
func (p *PasskeyPage) hold(ctx context.Context, c ceremony, options any) (answer []byte, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, ceremonyTime, errors.New("nobody used the page in time"))
	defer cancel()
	text, err := json.Marshal(options) // json escapes <, > and & for the script that it stands in
	if err != nil {
		return nil, err
	}
	number, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return nil, err
	}
	c.Options, c.Nonce = html.JS(text), rand.Text()
	v := &visit{page: p, path: "/" + rand.Text(), code: fmt.Sprintf("%06d", number), shown: &c, answers: make(chan []byte, 1), failed: make(chan error, 1)}
	listeners, err := p.listen(ctx)
	if err != nil {
		return nil, &hinted{err, "another approval may be under way on this machine: end it first. If nobody knows of one, another account here may want to show you its own page: find out who listens there"}
	}
	server := &http.Server{Handler: v, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, MaxHeaderBytes: 16 << 10}
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
	file, remove, err := forward(p.origin() + v.path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, remove()) }()
	if err := p.Open(PasskeyVisit{File: file, Address: p.origin() + v.path, Code: v.code[:3] + " " + v.code[3:]}); err != nil {
		return nil, err
	}
	select {
	case answer := <-v.answers:
		return answer, nil
	case err := <-v.failed:
		return nil, err
	case err := <-stopped:
		return nil, err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

var forwardPage = html.Must(html.New("forward").Parse(`<!doctype html>
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0;url={{.}}">
<title>Halligan</title>
<p><a href="{{.}}">Go on</a></p>
`))

// forward writes a file that leads a browser to an address. The arguments of a
// process are seen by every account of the machine, and the address must not be.
func forward(address string) (path string, remove func() error, err error) {
	folder, err := os.MkdirTemp("", "halligan-") // mode 0700
	if err != nil {
		return "", nil, fmt.Errorf("write a page that leads to the passkeys: %w", err)
	}
	remove = func() error { return os.RemoveAll(folder) }
	path = filepath.Join(folder, "passkey.html")
	var text bytes.Buffer
	if err = forwardPage.Execute(&text, address); err == nil {
		err = os.WriteFile(path, text.Bytes(), 0o600)
	}
	if err != nil {
		return "", nil, errors.Join(fmt.Errorf("write a page that leads to the passkeys: %w", err), remove())
	}
	return path, remove, nil
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

// ServeHTTP implements http.Handler.
func (v *visit) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h, nonce := w.Header(), v.shown.Nonce
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'nonce-"+nonce+"'; style-src 'nonce-"+nonce+"'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	// Another name that leads to this machine must not reach the page (DNS rebinding).
	if r.Host != fmt.Sprintf("localhost:%d", v.page.Port) || subtle.ConstantTimeCompare([]byte(r.URL.Path), []byte(v.path)) != 1 {
		http.NotFound(w, r)
		return
	}
	switch r.Method {
	case http.MethodGet:
		h.Set("Content-Type", "text/html; charset=utf-8")
		_ = passkeyPage.Execute(w, v.shown) // a browser that went away
	case http.MethodPost:
		v.answered(w, r)
	default:
		http.Error(w, "no", http.StatusMethodNotAllowed)
	}
}

// answered takes what the page sends: the code by itself before a key is used, and
// with what the key made.
func (v *visit) answered(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Origin") != v.page.origin() || r.Header.Get("Content-Type") != "application/json" {
		http.Error(w, "not from this page", http.StatusForbidden)
		return
	}
	var said struct {
		Code   string          `json:"code"`
		Answer json.RawMessage `json:"answer"`
	}
	text, err := io.ReadAll(io.LimitReader(r.Body, mostAnswer+1))
	if err != nil || len(text) > mostAnswer || json.Unmarshal(text, &said) != nil {
		http.Error(w, "no answer of a passkey", http.StatusBadRequest)
		return
	}
	if !v.knows(said.Code) {
		http.Error(w, "That is not the code in the terminal.", http.StatusForbidden)
		return
	}
	if said.Answer != nil {
		select {
		case v.answers <- said.Answer:
		default: // it is used once
			http.Error(w, "answered already", http.StatusConflict)
			return
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// knows compares a code with that in the terminal, a few times.
func (v *visit) knows(code string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.tries >= mostTries {
		return false
	}
	if subtle.ConstantTimeCompare([]byte(strings.ReplaceAll(code, " ", "")), []byte(v.code)) == 1 {
		return true
	}
	if v.tries++; v.tries == mostTries {
		v.failed <- errGuessed
	}
	return false
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
button, input { font: inherit; padding: .6rem 1.2rem; }
#said { font-weight: bold; }
</style>
<h1>{{.Title}}</h1>
<p>{{.Says}}</p>
{{if .Text}}<pre>{{.Text}}</pre>{{end}}
<p><label>Code from the terminal: <input id="code" inputmode="numeric" autocomplete="off" autofocus size="8"></label></p>
<p><button id="go">{{.Button}}</button></p>
<p id="said" role="status"></p>
<script nonce="{{.Nonce}}">
const options = {{.Options}}, create = {{.Create}};
const said = document.getElementById("said"), button = document.getElementById("go"), code = document.getElementById("code");
const send = async (what) => {
  const answer = await fetch(location.pathname, {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({code: code.value, ...what})});
  if (!answer.ok) throw new Error(await answer.text());
};
button.addEventListener("click", async () => {
  button.disabled = true;
  try {
    await send({});
    said.textContent = "Use your key now.";
    const publicKey = create ? PublicKeyCredential.parseCreationOptionsFromJSON(options) : PublicKeyCredential.parseRequestOptionsFromJSON(options);
    const made = create ? await navigator.credentials.create({publicKey}) : await navigator.credentials.get({publicKey});
    await send({answer: made.toJSON()});
    said.textContent = "Done. You can close this page, and go on in the terminal.";
  } catch (e) {
    said.textContent = "It did not work: " + e.message + " Try again, or press Ctrl-C in the terminal.";
    button.disabled = false;
  }
});
</script>
</html>
`))
