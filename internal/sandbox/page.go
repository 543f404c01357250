package sandbox

import (
	"bytes"
	"crypto/rand"
	"crypto/subtle"
	"embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"
)

//go:embed pages
var pageFiles embed.FS

var pageTemplate = template.Must(template.ParseFS(pageFiles, "pages/*.html"))

// Limits of the pages. The cookie is bound to this host by its prefix.
const (
	pageCookie    = "__Host-halligan-signin"
	visitLife     = 30 * time.Minute
	visitLimit    = 2000
	postsInMinute = 60
	formLimit     = 256 << 10

	// Smart lockout's defaults (entra-docs howto-password-smart-lockout): ten
	// wrong passwords, one minute.
	lockoutAfter = 10
	lockoutFor   = time.Minute

	// Security information may be changed for so long after a sign-in with MFA;
	// a passkey needs a fresher one (entra-docs how-to-register-passkey).
	securityFresh = 10 * time.Minute
	passkeyFresh  = 5 * time.Minute
)

// visitor is one browser on the pages.
type visitor struct {
	csrf        string
	seen        time.Time
	posts       int
	since       time.Time
	flow        string // authorization that waits, "" none
	security    bool   // signing in to the security-info page
	userID      string
	name        string // as typed
	used        []Shown
	outcome     Outcome
	correlation string
	session     string
	where       surroundings
	ceremony    *webauthn.SessionData
	seed        string // of an authenticator app that is being added
	signed      *Signed
}

// surroundings are what the person pretends of place and machine.
type surroundings struct{ IP, Country, Platform, Device, Risk string }

// pageHouse holds the visitors; its handlers are the pages.
type pageHouse struct {
	s        *Server
	mu       sync.Mutex
	visitors map[string]*visitor
	wrong    map[string][]time.Time // wrong passwords by user
	codes    map[string]uint64      // last TOTP counter by user
	origin   *http.CrossOriginProtection
}

// pageRoutes serves the pages for people: sign-in and security information.
func (s *Server) pageRoutes(mux *http.ServeMux) {
	p := &pageHouse{s: s, visitors: map[string]*visitor{}, wrong: map[string][]time.Time{}, codes: map[string]uint64{}, origin: http.NewCrossOriginProtection()}
	mux.HandleFunc("GET /signin", p.with(p.signInPage))
	mux.HandleFunc("POST /signin", p.with(p.signInStep))
	mux.HandleFunc("GET /security-info", p.with(p.securityPage))
	mux.HandleFunc("POST /security-info", p.with(p.securityStep))
	mux.HandleFunc("GET /signin/page.css", pageFile("pages/page.css", "text/css; charset=utf-8"))
	mux.HandleFunc("GET /signin/page.js", pageFile("pages/page.js", "text/javascript; charset=utf-8"))
}

func pageFile(name, kind string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		data, err := pageFiles.ReadFile(name)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", kind)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		_, _ = w.Write(data) // the browser went away
	}
}

// with finds the visitor behind a request and holds the pages' lock meanwhile:
// one person at a time is enough for a sandbox, and keeps two tabs apart.
func (p *pageHouse) with(next func(http.ResponseWriter, *http.Request, *visitor)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		v := p.visitor(w, r)
		if r.Method == http.MethodPost && !p.mayPost(w, r, v) {
			return
		}
		next(w, r, v)
	}
}

func (p *pageHouse) mayPost(w http.ResponseWriter, r *http.Request, v *visitor) bool {
	now := p.s.now()
	if now.Sub(v.since) > time.Minute {
		v.since, v.posts = now, 0
	}
	if v.posts++; v.posts > postsInMinute {
		w.Header().Set("Retry-After", "60")
		http.Error(w, "Too many attempts. Wait a minute.", http.StatusTooManyRequests)
		return false
	}
	r.Body = http.MaxBytesReader(w, r.Body, formLimit)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "This form is too long.", http.StatusRequestEntityTooLarge)
		return false
	}
	sent := r.PostForm.Get("csrf")
	if p.origin.Check(r) != nil || subtle.ConstantTimeCompare([]byte(sent), []byte(v.csrf)) != 1 {
		http.Error(w, "This page is out of date. Go back and start again.", http.StatusForbidden)
		return false
	}
	return true
}

func (p *pageHouse) visitor(w http.ResponseWriter, r *http.Request) *visitor {
	now := p.s.now()
	if c, err := r.Cookie(pageCookie); err == nil {
		if v := p.visitors[c.Value]; v != nil && now.Sub(v.seen) < visitLife {
			v.seen = now
			return v
		}
	}
	for token, v := range p.visitors {
		if now.Sub(v.seen) >= visitLife || len(p.visitors) >= visitLimit {
			delete(p.visitors, token)
		}
	}
	token := pageToken()
	v := &visitor{csrf: pageToken(), seen: now}
	p.visitors[token] = v
	http.SetCookie(w, &http.Cookie{Name: pageCookie, Value: token, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	return v
}

// renew gives a visitor who has proved who they are a new cookie, so that one
// that was planted before is worth nothing.
func (p *pageHouse) renew(w http.ResponseWriter, v *visitor) {
	for token, have := range p.visitors {
		if have == v {
			delete(p.visitors, token)
		}
	}
	token := pageToken()
	p.visitors[token] = v
	http.SetCookie(w, &http.Cookie{Name: pageCookie, Value: token, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

func pageToken() string {
	var b [24]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// pageData is what the template shows.
type pageData struct {
	Title, CSRF, Flow, Error, User, Note string
	Stage                                string // name, choose, password, totp, tap, passkey, certificate, refused, security …
	Security                             bool
	Methods                              []pageMethod
	Where                                surroundings
	Options                              string // of a passkey ceremony, JSON
	Tenant                               string
	Refused                              *pageRefusal
	Registered                           []pageMethod
	Seed, URI                            string
	MayKey, MayCode                      bool
	Fiction                              string // what the sandbox made up for the person, for whoever tries it
}

type pageMethod struct{ ID, Name, Detail string }

type pageRefusal struct {
	Heading, Text                                          string
	Code                                                   int
	Request, Correlation, Time, App, AppID, IP, Device, OS string
	Back, Register                                         bool
}

// fiction is the made-up secret that a page asks for. It is shown as long as it is
// the one that the sandbox made up: nobody who tries the sandbox has an app with
// its codes.
func (p *pageHouse) fiction(state *State, user, stage string) string {
	c := state.Credentials[key(user)]
	name := propText(state.Get("users", user), "userPrincipalName")
	switch {
	case c == nil:
	case stage == "password" && c.Password != "" && c.Password == ExamplePassword(name):
		return c.Password
	case stage == "totp" && c.TOTP != "":
		return totpAt(c.TOTP, uint64(p.s.now().Unix()/totpStep))
	}
	return ""
}

// show writes a page. Its policy allows this server's own style and script, and
// forms to this server and to where the waiting authorization leads: browsers
// hold the redirect that follows a form to form-action too.
func (p *pageHouse) show(w http.ResponseWriter, v *visitor, code int, d pageData) {
	d.CSRF, d.Flow, d.Where, d.Security = v.csrf, v.flow, v.where, v.security
	p.s.View(func(state *State) {
		d.Tenant = state.Name
		d.Fiction = p.fiction(state, v.userID, d.Stage)
	})
	forms := "'self'"
	if f, ok := p.s.flow(v.flow); ok && v.flow != "" {
		if u, err := url.Parse(f.RedirectURI); err == nil && u.Host != "" && !strings.ContainsAny(u.Host, " ;,'\"") {
			forms += " " + u.Scheme + "://" + u.Host
		}
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; form-action "+forms+"; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	var b bytes.Buffer
	if err := pageTemplate.ExecuteTemplate(&b, "page.html", d); err != nil {
		http.Error(w, "This page could not be made.", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(code)
	_, _ = w.Write(b.Bytes()) // the browser went away
}
