package sandbox

import (
	"context"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// surfer is a browser with somebody in front of it: the sign-in page lets them
// in at once, the consent page gets the answer.
type surfer struct {
	t       *testing.T
	site    *Site
	client  *http.Client
	user    string
	consent string // accept or cancel
	saw     []string
}

func (s *Site) surfer(t *testing.T, user, consent string) *surfer {
	return &surfer{t: t, site: s, client: s.web(t), user: user, consent: consent}
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
var action = regexp.MustCompile(`<form method="post" action="([^"]*)">`)
var scopeItem = regexp.MustCompile(`<li>([^<]*)</li>`)

// page is one answer that the person sees.
type page struct {
	status   int
	body     string
	location string
}

func (p *surfer) do(r *http.Request) page {
	p.t.Helper()
	res, err := p.client.Do(r)
	if err != nil {
		p.t.Error(err)
		return page{}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Error(err)
	}
	return page{res.StatusCode, string(body), res.Header.Get("Location")}
}

func (p *surfer) get(to string) page {
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, to, nil)
	if err != nil {
		p.t.Error(err)
		return page{}
	}
	return p.do(r)
}

func (p *surfer) post(to string, form url.Values) page {
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, to, strings.NewReader(form.Encode()))
	if err != nil {
		p.t.Error(err)
		return page{}
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return p.do(r)
}

// browse follows what the sandbox says until it sends the browser elsewhere.
// The sign-in page itself is not this test's matter: its end is called directly.
func (p *surfer) browse(at page) page {
	for range 10 {
		switch {
		case strings.HasPrefix(at.location, signInPage+"?"):
			u, _ := url.Parse(at.location)
			f, ok := p.site.flow(u.Query().Get(flowParam))
			if !ok {
				p.t.Errorf("no flow at %s", at.location)
				return at
			}
			got := &recording{header: http.Header{}, status: http.StatusOK}
			r, _ := http.NewRequestWithContext(context.Background(), http.MethodPost, p.site.URL+signInPage, nil)
			p.site.granted(got, r, f, Signed{UserID: p.user, Methods: []string{"pwd", "mfa"}, MFA: true})
			at = page{got.status, got.body.String(), got.header.Get("Location")}
		case strings.HasPrefix(at.location, consentPage+"?"):
			at = p.get(p.site.URL + at.location)
			for _, m := range scopeItem.FindAllStringSubmatch(at.body, -1) {
				p.saw = append(p.saw, m[1])
			}
			form := url.Values{"answer": {p.consent}}
			for _, m := range hidden.FindAllStringSubmatch(at.body, -1) {
				form.Set(m[1], html.UnescapeString(m[2]))
			}
			at = p.post(p.site.URL+consentPage, form)
		default:
			return at
		}
	}
	return at
}

// Where the browser comes back to is a form that posts itself (MSAL's way) or a
// redirect.
func (p *surfer) returned(at page) (to string, form url.Values) {
	form = url.Values{}
	if m := action.FindStringSubmatch(at.body); m != nil && at.location == "" {
		for _, m := range hidden.FindAllStringSubmatch(at.body, -1) {
			form.Set(m[1], html.UnescapeString(m[2]))
		}
		return html.UnescapeString(m[1]), form
	}
	u, err := url.Parse(at.location)
	if err != nil {
		p.t.Error(err)
		return "", form
	}
	form = u.Query()
	u.RawQuery = ""
	return u.String(), form
}
