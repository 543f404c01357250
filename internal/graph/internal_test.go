package graph

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode"
)

// These look at functions that are not exported: through the door each input
// would cost a client.

// Fault 2.
func TestRetryAfterInEveryForm(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"7":                             7 * time.Second,
		" 7 ":                           7 * time.Second,
		"2.128":                         2128 * time.Millisecond,
		"0":                             time.Second,
		"0.2":                           time.Second,
		"-3":                            0,
		"1000000000":                    24 * time.Hour,
		"99999999999999999999999999999": 24 * time.Hour,
		"1e3":                           0,
		"Inf":                           0,
		"NaN":                           0,
		"0x10":                          0,
		"":                              0,
		"soon":                          0,
		"7;8":                           0,
		"Sat, 21 Nov 2026 12:00:30 GMT": 30 * time.Second,
		"Sat, 21 Nov 2026 11:00:00 GMT": time.Second,
		"Sat, 21 Nov 2096 12:00:00 GMT": 24 * time.Hour,
	} {
		got, reason := retryAfter(value, now)
		if got != want || reason == "" {
			t.Errorf("%q: got %s (%s), want %s", value, got, reason, want)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{"7", "2.128", "-1", "1e9", "Sat, 21 Nov 2026 12:00:30 GMT", "\x00", "9223372036854775807"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		got, reason := retryAfter(value, time.Unix(1.7e9, 0))
		if got != 0 && got < floorWait || got > maxTold {
			t.Errorf("%q: %s is outside the bounds", value, got)
		}
		if reason == "" || strings.IndexFunc(reason, unicode.IsControl) >= 0 {
			t.Errorf("%q: reason %q", value, reason)
		}
	})
}

// Fault 11: whatever is followed goes to the host, seen by the reader that the
// HTTP client uses.
func FuzzLink(f *testing.F) {
	const base, tenant = "https://graph.test", "11111111-2222-3333-4444-555555555555"
	for _, s := range []string{
		base + "/v1.0/users?$skiptoken=1", base + ":443/v1.0/users", base + ".evil/v1.0/users", base + "@evil/v1.0/users", "https://gr%61ph.test/v1.0/users",
		base + "/v1.0/../beta", base + "/v1.0/" + tenant + "/users", base + "\\@evil/v1.0/", "https://graph.test:443:8443/v1.0/", base + "/v1.0/users#@evil",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, link string) {
		if checkLink(base, "/v1.0", tenant, link) != "" {
			return
		}
		r, err := http.NewRequest("GET", link, nil)
		if err != nil {
			t.Fatalf("%q was accepted, and is no address: %v", link, err)
		}
		u := r.URL
		if u.Scheme != "https" || !strings.EqualFold(u.Hostname(), "graph.test") || u.Port() != "" && u.Port() != "443" || u.User != nil || u.Fragment != "" {
			t.Errorf("%q was accepted and leads to %s", link, u.Redacted())
		}
		if !strings.HasPrefix(u.Path, "/v1.0/") || strings.Contains(u.Path+"/", "/../") {
			t.Errorf("%q was accepted and leads to path %s", link, u.Path)
		}
		if again, err := url.Parse(u.String()); err != nil || again.Host != u.Host {
			t.Errorf("%q is read in two ways", link)
		}
	})
}

// Fault 16: no answer is ever given to a part that it does not name.
func FuzzBatch(f *testing.F) {
	for _, s := range []string{
		`{"responses":[{"id":"1","status":200,"body":{"of":"1"}},{"id":"2","status":200,"body":{"of":"2"}}]}`,
		`{"responses":[{"id":"2","status":200},{"id":"2","status":429,"headers":{"Retry-After":3}}]}`,
		`{"responses":[{"id":1,"status":200,"body":"eyJ9"},{"id":"01"},{"id":null}]}`, `{"responses":null}`, `[]`, `{`,
	} {
		f.Add([]byte(s))
	}
	c := &Client{lanes: NewPacer()}
	f.Fuzz(func(t *testing.T, body []byte) {
		const n = 3
		answers, err := openEnvelope(body, n, true)
		if len(answers) != n {
			t.Fatalf("%d answers to %d parts", len(answers), n)
		}
		for i, a := range answers {
			if a != nil && strings.Trim(string(a.ID), `"`) != strconv.Itoa(i+1) {
				t.Errorf("part %d has the answer of %s", i+1, a.ID)
			}
			answer, failed := c.judgePart(Request{Method: "GET", Operation: "x"}, a, http.Header{}, err)
			if (answer == nil) == (failed == nil) {
				t.Errorf("part %d: neither or both", i+1)
			}
			if answer != nil && (answer.Status/100 != 2 || answer.Body != nil && !json.Valid(answer.Body)) {
				t.Errorf("part %d: %d %q is a success", i+1, answer.Status, answer.Body)
			}
			if failed != nil && failed.err != nil && strings.IndexFunc(failed.err.Error(), unicode.IsControl) >= 0 {
				t.Errorf("part %d: %q", i+1, failed.err.Error())
			}
		}
	})
}

func FuzzPage(f *testing.F) {
	for _, s := range []string{`{"value":[{"id":"a"}],"@odata.nextLink":"x","@odata.count":1}`, `{"value":null}`, `{}`, `[]`, `{"value":[],"value":null}`, `{"@odata.count":-1,"value":[]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if !json.Valid(body) {
			return
		}
		p, err := readPage(Request{Operation: "x"}, &Answer{Status: 200, Body: body})
		if err == nil && p.items == nil {
			t.Errorf("%q is a list without a value", body)
		}
	})
}

func FuzzClaims(f *testing.F) {
	f.Add("a.eyJ0aWQiOiJ4In0.c")
	f.Add("..")
	f.Fuzz(func(t *testing.T, token string) {
		c, err := ReadClaims(token)
		if err != nil && len(token) > 8 && strings.Contains(err.Error(), token) {
			t.Errorf("the token is in the error")
		}
		for _, s := range []string{c.Tenant, c.App, c.Object, c.Name} {
			if strings.IndexFunc(s, unicode.IsControl) >= 0 {
				t.Errorf("%q was not cleaned", s)
			}
		}
	})
}

// The environment's proxy cannot be tried over the loopback, which it never
// applies to; so this looks at the transport itself.
func TestProxyIsTheGivenOneOrNone(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://proxy.example:1")
	d, err := newDoer(network{})
	if err != nil {
		t.Fatal(err)
	}
	if d.client.Transport.(*opener).inner.(*http.Transport).Proxy != nil {
		t.Error("a proxy that nobody gave")
	}
	given := &url.URL{Scheme: "http", Host: "proxy.example:8080"}
	if d, err = newDoer(network{proxy: given}); err != nil {
		t.Fatal(err)
	}
	got, err := d.client.Transport.(*opener).inner.(*http.Transport).Proxy(&http.Request{URL: &url.URL{Scheme: "https", Host: "graph.microsoft.com"}})
	if err != nil || got.String() != given.String() {
		t.Errorf("got %s, %v", got, err)
	}
	for _, bad := range []string{"proxy:8080", "ftp://proxy", "http://"} {
		u, err := url.Parse(bad)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := newDoer(network{proxy: u}); err == nil {
			t.Errorf("proxy %q was taken", bad)
		}
	}
	for _, address := range []string{"http://graph.test/", "https://evil.example/", "https://user@graph.test/"} {
		r, err := http.NewRequest("GET", address, nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp, err := d.only("https://graph.test", 0).Do(r); err == nil {
			resp.Body.Close()
			t.Errorf("sent to %s", address)
		} else if KindOf(err) != KindRefused {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// Requests that begin together make one connection; when it cannot be made, each
// of them fails, and nobody waits for ever.
func TestRequestsThatBeginTogetherMakeOneConnection(t *testing.T) {
	var made atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "{}") }))
	server.EnableHTTP2 = true
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			made.Add(1)
		}
	}
	server.StartTLS()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	all := func() (failed int64) {
		d, err := newDoer(network{roots: roots})
		if err != nil {
			t.Fatal(err)
		}
		var wait sync.WaitGroup
		var bad atomic.Int64
		for range 40 {
			wait.Go(func() {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
				if err != nil {
					t.Error(err)
					return
				}
				resp, err := d.only(server.URL, 0).Do(req)
				if err != nil {
					bad.Add(1)
					return
				}
				resp.Body.Close()
			})
		}
		wait.Wait()
		return bad.Load()
	}
	if failed := all(); failed != 0 || made.Load() > 2 { // a second one may slip in
		t.Errorf("got %d connections and %d failures, want one connection", made.Load(), failed)
	}
	server.Close()
	if failed := all(); failed != 40 {
		t.Errorf("got %d failures without a server, want 40", failed)
	}
}

// In a throttled lane the next request leaves a second after the answer to the one
// before, however long that was on its way.
func TestSpacingCountsFromTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun, c := time.Now(), &Client{config: Config{Rand: rand.Reader}}
		l := &lane{rule: Families[FamilyConditionalAccess], spacing: time.Second, last429: begun}
		if err := l.depart(t.Context(), c, turn{}); err != nil { // left before the lane was throttled
			t.Fatal(err)
		}
		go func() { time.Sleep(3 * time.Second); l.arrive() }()
		for _, want := range []time.Duration{4 * time.Second, 5 * time.Second} {
			if err := l.depart(t.Context(), c, turn{paced: true}); err != nil {
				t.Fatal(err)
			}
			if got := time.Since(begun); got != want {
				t.Errorf("left after %s, want after %s", got, want)
			}
			l.arrive()
		}
		short, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		if err := l.depart(t.Context(), c, turn{}); err != nil {
			t.Fatal(err)
		}
		if err := l.depart(short, c, turn{paced: true}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v while another is under way, want the end of its time", err)
		}
	})
}
