package graph_test

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"halligan/internal/graph"
)

const (
	tenant      = "11111111-2222-3333-4444-555555555555"
	otherTenant = "99999999-2222-3333-4444-555555555555"
	base        = "https://graph.test"
)

// token makes a JSON Web Token with these claims; nobody verifies its signature.
func token(claims map[string]any) string {
	body, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	enc := base64.RawURLEncoding.EncodeToString
	return enc([]byte(`{"alg":"none"}`)) + "." + enc(body) + "." + enc([]byte("signature"))
}

// credential hands out tokens and counts how often it was asked.
type credential struct {
	mu    sync.Mutex
	asked []policy.TokenRequestOptions
	give  func(n int, o policy.TokenRequestOptions) (azcore.AccessToken, error)
}

func (c *credential) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	c.mu.Lock()
	c.asked = append(c.asked, o)
	n := len(c.asked)
	c.mu.Unlock()
	if c.give != nil {
		return c.give(n, o)
	}
	return good(time.Hour), nil
}

func (c *credential) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.asked)
}

func good(life time.Duration) azcore.AccessToken {
	return azcore.AccessToken{
		Token:     token(map[string]any{"tid": tenant, "aud": base, "oid": "person", "scp": "Policy.Read.All User.Read.All"}),
		ExpiresOn: time.Now().Add(life),
	}
}

// wire is a network in memory. Real sockets do not work inside a synctest
// bubble, and most faults need no socket.
type wire struct {
	mu     sync.Mutex
	asked  []*http.Request
	at     []time.Time
	answer func(n int, r *http.Request) (*http.Response, error)
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
	}
	w.mu.Lock()
	w.asked = append(w.asked, r)
	w.at = append(w.at, time.Now())
	n := len(w.asked)
	w.mu.Unlock()
	resp, err := w.answer(n, r)
	if resp != nil {
		resp.Request = r
	}
	return resp, err
}

func (w *wire) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.asked)
}

func (w *wire) times() []time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]time.Time(nil), w.at...)
}

// reply makes an answer; the rest are names and values of headers.
func reply(status int, body string, headers ...string) *http.Response {
	r := &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), ProtoMajor: 1, ProtoMinor: 1}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

// inMemory returns a client whose network is the wire.
func inMemory(t testing.TB, w *wire, change ...func(*graph.Config)) *graph.Client {
	t.Helper()
	cloud, err := graph.CustomCloud(base, nil)
	if err != nil {
		t.Fatal(err)
	}
	config := graph.Config{
		Cloud: cloud, Tenant: tenant, Credential: &credential{},
		Wrap: func(http.RoundTripper) http.RoundTripper { return w },
	}
	for _, f := range change {
		f(&config)
	}
	c, err := graph.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// overTLS returns a client of a real TLS server on this machine.
func overTLS(t testing.TB, handler http.Handler, change ...func(*graph.Config)) (*graph.Client, *httptest.Server) {
	t.Helper()
	server := httptest.NewTLSServer(handler)
	t.Cleanup(server.Close)
	cloud, err := graph.CustomCloud(server.URL, rootsOf(server))
	if err != nil {
		t.Fatal(err)
	}
	config := graph.Config{Cloud: cloud, Tenant: tenant, Credential: &credential{give: func(int, policy.TokenRequestOptions) (azcore.AccessToken, error) {
		return azcore.AccessToken{Token: token(map[string]any{"tid": tenant, "aud": server.URL}), ExpiresOn: time.Now().Add(time.Hour)}, nil
	}}}
	for _, f := range change {
		f(&config)
	}
	c, err := graph.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return c, server
}

var policies = graph.Request{
	Operation: "list policies", Path: "/identity/conditionalAccess/policies",
	Family: graph.FamilyConditionalAccess, Permission: "Policy.Read.All",
}

var users = graph.Request{
	Operation: "list users", Path: "/users", Query: url.Values{"$select": {"id,displayName"}},
	Family: graph.FamilyDirectory, Permission: "User.Read.All",
}

// wantKind ends the test unless err is an *Error of this kind.
func wantKind(t testing.TB, err error, kind graph.Kind) *graph.Error {
	t.Helper()
	e, is := errors.AsType[*graph.Error](err)
	if !is {
		t.Fatalf("got %T %v, want an error of kind %q", err, err, kind)
	}
	if e.Kind != kind {
		t.Fatalf("got kind %q (%v), want %q", e.Kind, err, kind)
	}
	return e
}

// slow is a credential that never answers.
type slow struct{}

func (slow) GetToken(ctx context.Context, _ policy.TokenRequestOptions) (azcore.AccessToken, error) {
	<-ctx.Done()
	return azcore.AccessToken{}, ctx.Err()
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func mustURL(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil {
		panic(err)
	}
	return u
}

// newOtherServer is a server whose authority nobody here trusts.
func newOtherServer(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	data := pair(t, time.Now().Add(time.Hour))
	key, err := tls.X509KeyPair(data, data)
	if err != nil {
		t.Fatal(err)
	}
	server.TLS = &tls.Config{Certificates: []tls.Certificate{key}}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

// opaque gives a token that says nothing about itself.
func opaque(int, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "opaque", ExpiresOn: time.Now().Add(time.Hour)}, nil
}
