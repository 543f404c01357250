package sandbox

import (
	"crypto/rand"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	devicePage     = "/devicelogin"
	deviceLife     = 15 * time.Minute
	deviceInterval = 5 * time.Second
	// Clients begin with quick polls (MSAL for Go: 50 ms, tripling), which Entra
	// bears. More than these within one interval are told to slow down.
	devicePolls = 10
)

// userCodeLetters leave out what people confuse.
const userCodeLetters = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"

func newUserCode() string {
	b := make([]byte, 9)
	_, _ = rand.Read(b) // never fails since Go 1.24
	for i := range b {
		b[i] = userCodeLetters[int(b[i])%len(userCodeLetters)]
	}
	return string(b)
}

// deviceCode begins a device sign-in (entra-docs identity-platform/v2-oauth2-device-code).
func (s *Server) deviceCode(w http.ResponseWriter, r *http.Request) {
	_, _, e := s.tenantOf(r)
	var asked *askedScope
	c, known := s.client(r.PostFormValue("client_id"))
	switch {
	case e != nil:
	case !known:
		e = deny(700016, r.PostFormValue("client_id"), s.name())
	case c.disabled:
		e = deny(7000112, c.appID)
	case !c.public:
		e = deny(7000218)
	default:
		asked, e = s.parseScope(r.PostFormValue("scope"))
	}
	if e != nil {
		s.writeRefusal(w, r, e)
		return
	}
	f := &Flow{ID: rand.Text(), ClientID: c.appID, Claims: r.PostFormValue("claims"), Resource: asked.resource.appID,
		audience: asked.audience, Scopes: strings.Fields(r.PostFormValue("scope")), Device: true, Begun: s.now(), userCode: newUserCode()}
	code := rand.Text() + rand.Text()
	s.waiting.mu.Lock()
	keepBounded(s.waiting.devices, code, &deviceGrant{flow: f, code: code, expires: s.now().Add(deviceLife)})
	s.waiting.mu.Unlock()
	page := s.base() + devicePage
	oidcJSON(w, http.StatusOK, map[string]any{
		"user_code": f.userCode, "device_code": code, "verification_uri": page,
		"expires_in": int(deviceLife.Seconds()), "interval": int(deviceInterval.Seconds()),
		"message": fmt.Sprintf("To sign in, use a web browser to open the page %s and enter the code %s to authenticate.", page, f.userCode),
	})
}

var deviceForm = template.Must(template.New("").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Enter code</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:2rem auto;padding:0 1rem}button,input{font:inherit;padding:.5rem}</style></head>
<body><main>{{if .Done}}<h1>{{.Title}}</h1><p id="done">{{.Done}}</p>{{else}}<h1>Enter code</h1>
<p>Do not enter a code that somebody sent you.</p>{{with .Error}}<p id="error" role="alert">{{.}}</p>{{end}}
<form method="post" action="{{.Action}}"><label>Code <input name="code" autocomplete="off" autofocus value="{{.Code}}"></label>
<button>Next</button></form>{{end}}</main></body></html>
`))

type deviceView struct{ Action, Code, Error, Title, Done string }

func (s *Server) showDeviceView(w http.ResponseWriter, status int, v deviceView) {
	guardOIDCPage(w)
	w.WriteHeader(status)
	v.Action = devicePage
	_ = deviceForm.Execute(w, v)
}

func (s *Server) showDevicePage(w http.ResponseWriter, r *http.Request) {
	s.showDeviceView(w, http.StatusOK, deviceView{Code: r.URL.Query().Get("code")})
}

// takeUserCode sends the person who typed a code to the sign-in page.
func (s *Server) takeUserCode(w http.ResponseWriter, r *http.Request) {
	typed := strings.ToUpper(strings.ReplaceAll(strings.TrimSpace(r.PostFormValue("code")), "-", ""))
	s.waiting.mu.Lock()
	var found *Flow
	for _, d := range s.waiting.devices {
		if d.flow.userCode == typed && d.granted == nil && d.denied == nil && s.now().Before(d.expires) {
			found = d.flow
		}
	}
	if found != nil {
		keepBounded(s.waiting.flows, found.ID, found)
	}
	s.waiting.mu.Unlock()
	if found == nil {
		s.showDeviceView(w, http.StatusOK, deviceView{Error: "That code didn't work. Check the code and try again."})
		return
	}
	http.Redirect(w, r, signInPage+"?"+url.Values{flowParam: {found.ID}}.Encode(), http.StatusSeeOther)
}

func (s *Server) deviceOf(f *Flow) *deviceGrant {
	for _, d := range s.waiting.devices {
		if d.flow == f {
			return d
		}
	}
	return nil
}

func (s *Server) finishDevice(w http.ResponseWriter, r *http.Request, f *Flow, g *codeGrant) {
	s.waiting.mu.Lock()
	d := s.deviceOf(f)
	if d != nil {
		d.granted = g
	}
	s.waiting.mu.Unlock()
	if d == nil {
		s.showRefusal(w, r, deny(70019))
		return
	}
	c, _ := s.client(f.ClientID)
	s.showDeviceView(w, http.StatusOK, deviceView{Title: c.name,
		Done: fmt.Sprintf("You have signed in to the %s application on your device. You may now close this window.", c.name)})
}

func (s *Server) refuseDevice(w http.ResponseWriter, r *http.Request, f *Flow, e *refusal) {
	s.waiting.mu.Lock()
	if d := s.deviceOf(f); d != nil {
		d.denied = deny(declined)
	}
	s.waiting.mu.Unlock()
	s.showDeviceView(w, http.StatusOK, deviceView{Title: "Not signed in", Done: e.description})
}

// redeemDevice is one poll of the device.
func (s *Server) redeemDevice(code string, c *oidcClient) (*codeGrant, *refusal) {
	s.waiting.mu.Lock()
	defer s.waiting.mu.Unlock()
	d := s.waiting.devices[code]
	if d == nil || !strings.EqualFold(d.flow.ClientID, c.appID) {
		return nil, deny(70018)
	}
	now := s.now()
	if !now.Before(d.expires) {
		return nil, deny(70019)
	}
	recent := d.polls[:0]
	for _, at := range d.polls {
		if now.Sub(at) < deviceInterval {
			recent = append(recent, at)
		}
	}
	d.polls = append(recent, now)
	switch {
	case d.denied != nil:
		return nil, d.denied
	case d.granted != nil:
		delete(s.waiting.devices, code)
		return d.granted, nil
	case len(d.polls) > devicePolls:
		return nil, deny(slowDown)
	}
	return nil, deny(70016)
}
