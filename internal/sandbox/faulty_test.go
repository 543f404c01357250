package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// leastGraph is the least of Graph that faults can strike.
func leastGraph(s *Server, mux *http.ServeMux) {
	list := func(set string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			s.View(func(state *State) {
				items := state.All(set)
				if set == "organization" {
					items = []Object{{"id": state.ID, "displayName": state.Name}}
				}
				oidcJSON(w, http.StatusOK, Object{"@odata.context": "x", "@odata.count": len(items), "value": items})
			})
		}
	}
	one := func(set string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			s.View(func(state *State) {
				o := state.Get(set, r.PathValue("id"))
				if o == nil {
					s.writeGraphError(w, r, http.StatusNotFound, "Request_ResourceNotFound", "no")
					return
				}
				oidcJSON(w, http.StatusOK, o)
			})
		}
	}
	write := func(set string, made bool) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			var body Object
			if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
				s.writeGraphError(w, r, http.StatusBadRequest, "BadRequest", err.Error())
				return
			}
			id, status := r.PathValue("id"), http.StatusNoContent
			if made {
				id, status = oidcID(), http.StatusCreated
			}
			body["id"] = id
			if err := s.Update(func(state *State) error { state.Put(set, id, body); return nil }); err != nil {
				return
			}
			if made {
				oidcJSON(w, status, body)
				return
			}
			w.WriteHeader(status)
		}
	}
	for path, set := range map[string]string{"organization": "organization", "users": "users", "groups": "groups",
		"identity/conditionalAccess/policies": policiesSet, "auditLogs/signIns": "auditLogs/signIns", "identityProtection/riskyUsers": "identityProtection/riskyUsers"} {
		mux.HandleFunc("GET /v1.0/"+path, list(set))
		mux.HandleFunc("GET /v1.0/"+path+"/{id}", one(set))
		mux.HandleFunc("POST /v1.0/"+path, write(set, true))
		mux.HandleFunc("PATCH /v1.0/"+path+"/{id}", write(set, false))
	}
	mux.HandleFunc("POST /v1.0/$batch", func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			Requests []struct{ ID, Method, URL string }
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || len(body.Requests) == 0 {
			s.writeGraphError(w, r, http.StatusBadRequest, "BadRequest", "no")
			return
		}
		var parts []Object
		for _, q := range body.Requests {
			inner, err := http.NewRequestWithContext(r.Context(), q.Method, "/v1.0"+q.URL, nil)
			if err != nil {
				continue
			}
			got := &recording{header: http.Header{}, status: http.StatusOK}
			mux.ServeHTTP(got, inner)
			o, _ := got.object()
			parts = append(parts, Object{"id": q.ID, "status": got.status, "headers": Object{}, "body": o})
		}
		oidcJSON(w, http.StatusOK, Object{"responses": parts})
	})
}

// faulty is a tenant under faults, and a client that is signed in.
type faulty struct {
	t     *testing.T
	site  *Site
	http  *http.Client
	token string
	clock *settable
}

// settable is a clock that tests move.
type settable struct {
	mu sync.Mutex
	at time.Time
}

func (c *settable) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *settable) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

const (
	testPolicy = "e0000000-0000-4000-8000-000000000007"
	policies   = "/v1.0/identity/conditionalAccess/policies"
)

func openFaulty(t *testing.T, config Config, faults ...string) *faulty {
	t.Helper()
	clock := &settable{at: time.Now()}
	config.Now, config.routes = clock.now, leastGraph
	site := openSite(t, config, func(s *State) {
		for i := range 5 {
			id := fmt.Sprintf("f0000000-0000-4000-8000-00000000000%d", i)
			s.Put("groups", id, Object{"id": id, "displayName": fmt.Sprintf("Group %d", i)})
		}
		s.Put(policiesSet, testPolicy, Object{"id": testPolicy, "displayName": "Require MFA", "state": "enabled",
			"conditions":    Object{"users": Object{"includeUsers": []any{"All"}}, "clientAppTypes": []any{"all"}},
			"grantControls": Object{"operator": "OR", "builtInControls": []any{"mfa"}}})
		s.Put("auditLogs/signIns", "s1", Object{"id": "s1"})
		s.Put("identityProtection/riskyUsers", "k1", Object{"id": "k1"})
	})
	f := &faulty{t: t, site: site, http: site.web(t), clock: clock}
	f.signIn()
	if err := site.SetFaults(faults...); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *faulty) signIn() (map[string]any, int) {
	f.t.Helper()
	body, status := f.site.atToken(f.t, url.Values{"grant_type": {"client_credentials"}, "client_id": {testApp}, "client_secret": {testSecret}, "scope": {graphScope[0]}})
	f.token, _ = body["access_token"].(string)
	return body, status
}

// answer is what came over the wire.
type wireAnswer struct {
	status int
	header http.Header
	raw    []byte
	body   Object
	err    error // of reading the body
}

func (a wireAnswer) value() []Object { return propList(a.body, "value") }
func (a wireAnswer) code() string    { return propText(propObject(a.body, "error"), "code") }
func (a wireAnswer) ids() string {
	var ids []string
	for _, o := range append(a.value(), propList(a.body, "responses")...) {
		ids = append(ids, strings.TrimPrefix(propText(o, "id"), "f0000000-0000-4000-8000-00000000000"))
	}
	return strings.Join(ids, " ")
}

// call sends one request; path may be a whole next link.
func (f *faulty) call(method, path string, body any) wireAnswer {
	f.t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		f.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(f.t.Context(), method, f.site.URL+strings.TrimPrefix(path, f.site.URL), bytes.NewReader(data))
	if err != nil {
		f.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+f.token)
	r.Header.Set("Content-Type", "application/json")
	res, err := f.http.Do(r)
	if err != nil {
		return wireAnswer{err: err}
	}
	defer res.Body.Close()
	a := wireAnswer{status: res.StatusCode, header: res.Header}
	a.raw, a.err = io.ReadAll(io.LimitReader(res.Body, 8<<20))
	_ = json.Unmarshal(a.raw, &a.body) // many are no JSON on purpose
	return a
}

func (f *faulty) get(path string) wireAnswer { return f.call(http.MethodGet, path, nil) }

func (f *faulty) batch(urls ...string) wireAnswer {
	var requests []any
	for i, u := range urls {
		requests = append(requests, Object{"id": fmt.Sprint(i + 1), "method": "GET", "url": u})
	}
	return f.call(http.MethodPost, "/v1.0/$batch", Object{"requests": requests})
}
