package app_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"halligan/custody"
	"halligan/internal/graph"
	"halligan/internal/sandbox"
)

// An emulated tenant of which four accounts are read, as an application with a
// secret reads it. Over sockets it is as fast as this machine; in memory, inside a
// synctest bubble, its time is exact: 80 ms are 80 ms, and computing takes none.

// roundTrip is what each request takes at least.
const roundTripTime = 80 * time.Millisecond

// place is an emulated tenant and a client that reads it.
type place struct {
	server   *sandbox.Server
	client   *graph.Client
	config   graph.Config // of the client
	line     http.RoundTripper
	scope    graph.Scope
	traffic  *traffic
	tenantID string
}

// placeOptions are how a tenant is emulated.
type placeOptions struct {
	example string // "contoso-hardened" when empty
	number  int    // not 0: a tenant of its own, with accounts of its own
	change  func(*sandbox.State)
	config  sandbox.Config
	limits  graph.Limits
	pacer   *graph.Pacer
}

func (o *placeOptions) state(t testing.TB) *sandbox.State {
	t.Helper()
	st, err := sandbox.Example(cmp.Or(o.example, "contoso-hardened"))
	if err != nil {
		t.Fatal(err)
	}
	if o.number > 0 {
		st = numbered(t, st, o.number)
	}
	if o.change != nil {
		o.change(st)
	}
	return st
}

// numbered makes another tenant of an example: its own id, its own accounts.
func numbered(t testing.TB, st *sandbox.State, n int) *sandbox.State {
	t.Helper()
	text, err := json.Marshal(st)
	if err != nil {
		t.Fatal(err)
	}
	for i, id := range append([]string{st.ID}, emergencyAccounts(t, st)...) {
		text = bytes.ReplaceAll(text, []byte(id), fmt.Appendf(nil, "7e7a0000-%04d-4000-8000-%012d", i, n))
	}
	other := sandbox.NewState("", "", "")
	if err := json.Unmarshal(text, other); err != nil {
		t.Fatal(err)
	}
	return other
}

// overSockets opens a tenant on this machine.
func overSockets(t testing.TB, o placeOptions) *place {
	t.Helper()
	o.config.State = o.state(t)
	site, err := sandbox.Open(t.Context(), o.config, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := site.Close(); err != nil {
			t.Error(err)
		}
	})
	cloud, err := graph.CustomCloud(site.URL, site.Pool())
	if err != nil {
		t.Fatal(err)
	}
	return o.place(t, site.Server, cloud, func(rt http.RoundTripper) http.RoundTripper { return rt })
}

// inMemory opens a tenant that is reached without a network.
func inMemory(t testing.TB, o placeOptions) *place {
	t.Helper()
	o.config.State = o.state(t)
	o.config.Host = "localhost:8443"
	server, err := sandbox.New(o.config)
	if err != nil {
		t.Fatal(err)
	}
	cloud, err := graph.CustomCloud("https://"+o.config.Host, nil)
	if err != nil {
		t.Fatal(err)
	}
	return o.place(t, server, cloud, func(http.RoundTripper) http.RoundTripper { return direct{server} })
}

// place signs the application in: from then on its token is at hand.
func (o *placeOptions) place(t testing.TB, server *sandbox.Server, cloud graph.Cloud, wrap func(http.RoundTripper) http.RoundTripper) *place {
	t.Helper()
	st, traffic := o.config.State, &traffic{}
	id, secret := secretOf(t, st, "Halligan reader")
	credential, err := graph.SignIn{Method: graph.MethodSecret, Cloud: cloud, Tenant: st.ID, ClientID: id, Secret: custody.NewSecret([]byte(secret)), Wrap: wrap}.Build()
	if err != nil {
		t.Fatal(err)
	}
	config := graph.Config{Cloud: cloud, Tenant: st.ID, Credential: credential, Limits: o.limits, Pacer: o.pacer,
		Wrap: func(rt http.RoundTripper) http.RoundTripper { return traffic.over(wrap(rt)) }}
	p := &place{server: server, config: config, traffic: traffic, tenantID: st.ID, scope: graph.Scope{Accounts: emergencyAccounts(t, st)}}
	p.reconnect(t)
	if _, err := p.client.Do(t.Context(), graph.Request{Path: "/organization", Family: graph.FamilyDirectory}); err != nil {
		t.Fatal(err)
	}
	traffic.forget()
	return p
}

// reconnect makes a client that knows nothing of the one before; the token is
// still at hand.
func (p *place) reconnect(t testing.TB) { p.anew(t, p.config) }

// forgetful makes a client that knows nothing of the one before but its
// connections.
func (p *place) forgetful(t testing.TB) {
	config, line := p.config, p.line
	config.Wrap = func(http.RoundTripper) http.RoundTripper { return line }
	p.anew(t, config)
}

func (p *place) anew(t testing.TB, config graph.Config) {
	t.Helper()
	wrap := config.Wrap
	config.Wrap = func(rt http.RoundTripper) http.RoundTripper {
		p.line = wrap(rt)
		return p.line
	}
	client, err := graph.New(config)
	if err != nil {
		t.Fatal(err)
	}
	p.client = client
}

// secretOf finds the id and the secret of an application.
func secretOf(t testing.TB, st *sandbox.State, name string) (id, secret string) {
	t.Helper()
	for _, a := range st.All("applications") {
		if a["displayName"] != name {
			continue
		}
		list, _ := a["passwordCredentials"].([]any)
		for _, c := range list {
			if o, is := c.(sandbox.Object); is {
				key, _ := o["keyId"].(string)
				id, _ = a["appId"].(string)
				return id, st.Secrets[key]
			}
		}
	}
	t.Fatalf("no application %q with a secret", name)
	return "", ""
}

// emergencyAccounts are the ids of the four accounts that are read: those of
// contoso-hardened, else whoever comes first.
func emergencyAccounts(t testing.TB, st *sandbox.State) []string {
	t.Helper()
	var out, others []string
	for _, u := range st.All("users") {
		local, _, _ := strings.Cut(u["userPrincipalName"].(string), "@")
		if slices.Contains([]string{"juniper.vale", "marlow.finch", "hazel.thorn", "adm.second"}, local) {
			out = append(out, u["id"].(string))
		} else {
			others = append(others, u["id"].(string))
		}
	}
	if out = append(out, others...); len(out) < 4 {
		t.Fatalf("got %d people, want 4 to read", len(out))
	}
	return out[:4]
}

// direct carries requests to a server without a network.
type direct struct{ server http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	in := r.Clone(r.Context())
	in.RequestURI, in.RemoteAddr, in.Host = r.URL.RequestURI(), "192.0.2.1:1234", r.URL.Host
	if in.Body == nil {
		in.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	d.server.ServeHTTP(w, in)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

// traffic is what a client sent: each request, when it began and when it ended.
type traffic struct {
	mu   sync.Mutex
	sent []sending
}

type sending struct {
	method, url string
	parts       []string // of a batch: version and address of each
	start, end  time.Time
	status      int
}

func (t *traffic) over(rt http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		s := sending{method: r.Method, url: r.URL.RequestURI(), start: time.Now()}
		if strings.HasSuffix(r.URL.Path, "/$batch") {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return nil, err
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			var envelope struct {
				Requests []struct{ URL string }
			}
			if err := json.Unmarshal(body, &envelope); err != nil {
				return nil, err
			}
			for _, part := range envelope.Requests {
				s.parts = append(s.parts, strings.TrimSuffix(r.URL.Path, "/$batch")+part.URL)
			}
		}
		resp, err := rt.RoundTrip(r)
		s.end = time.Now()
		if resp != nil {
			s.status = resp.StatusCode
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		t.sent = append(t.sent, s)
		return resp, err
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func (t *traffic) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sent = nil
}

// requests are what went over the wire.
func (t *traffic) requests() []sending {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.sent)
}

// reads are the addresses that were read, alone or in a batch.
func (t *traffic) reads() []string {
	var out []string
	for _, s := range t.requests() {
		if s.parts == nil {
			out = append(out, s.url)
		}
		out = append(out, s.parts...)
	}
	slices.Sort(out)
	return out
}

// waves is how many requests followed one another: the most of which none began
// before the one ahead of it had ended.
func (t *traffic) waves() int {
	sent := t.requests()
	slices.SortFunc(sent, func(a, b sending) int { return a.end.Compare(b.end) })
	n, free := 0, time.Time{}
	for _, s := range sent {
		if !s.start.Before(free) {
			n, free = n+1, s.end
		}
	}
	return n
}

// request makes a request of an address that was read.
func request(t testing.TB, address string) graph.Request {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	version, _, _ := strings.Cut(strings.TrimPrefix(u.EscapedPath(), "/"), "/")
	return graph.Request{Version: graph.Version(version), Path: strings.TrimPrefix(u.EscapedPath(), "/"+version), Query: u.Query()}
}
