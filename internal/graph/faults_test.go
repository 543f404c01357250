package graph_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"halligan/internal/graph"
)

const empty = `{"value":[]}`

// Fault 1.
func TestThrottledReadWaitsAsLongAsItIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(n int, r *http.Request) (*http.Response, error) {
			if n == 1 {
				return reply(429, `{"error":{"code":"TooManyRequests","message":"slow"}}`, "Retry-After", "7"), nil
			}
			return reply(200, empty), nil
		}}
		var waits []graph.Event
		c := inMemory(t, w, func(c *graph.Config) {
			c.Observe = func(e graph.Event) {
				if e.What == "waiting" {
					waits = append(waits, e)
				}
			}
		})
		if _, err := c.List(t.Context(), users); err != nil {
			t.Fatal(err)
		}
		at := w.times()
		if got := at[1].Sub(at[0]); got != 7*time.Second {
			t.Errorf("waited %s, want 7s", got)
		}
		if len(waits) != 1 || waits[0].Wait != 7*time.Second || waits[0].Status != 429 {
			t.Errorf("waits: %+v", waits)
		}
		if s := c.Stats(); s.Throttled != 1 || s.Again != 1 || s.Attempts != 2 {
			t.Errorf("stats: %+v", s)
		}
	})
}

// Fault 1, the other half: only the affected request waits.
func TestOthersGoOnWhileOneIsThrottled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		w := &wire{}
		first := true
		w.answer = func(n int, r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/groups") && first {
				first = false
				return reply(429, "", "Retry-After", "30"), nil
			}
			return reply(200, empty), nil
		}
		c := inMemory(t, w)
		groups := users
		groups.Path = "/groups"
		var wg sync.WaitGroup
		took := map[string]time.Duration{}
		var mu sync.Mutex
		for name, r := range map[string]graph.Request{"groups": groups, "users": users, "policies": policies} {
			wg.Go(func() {
				if _, err := c.List(t.Context(), r); err != nil {
					t.Error(err)
				}
				mu.Lock()
				took[name] = time.Since(start)
				mu.Unlock()
			})
		}
		wg.Wait()
		if took["groups"] != 30*time.Second || took["users"] != 0 || took["policies"] != 0 {
			t.Errorf("took %v", took)
		}
	})
}

// Fault 2, through the door; retry_test.go has the header alone.
func TestStrangeRetryAfterIsClamped(t *testing.T) {
	tests := map[string]struct {
		value    string
		min, max time.Duration
		fails    bool
	}{
		"a fraction":         {"2.128", 2128 * time.Millisecond, 2128 * time.Millisecond, false},
		"zero":               {"0", time.Second, time.Second, false},
		"negative":           {"-5", time.Second, 2 * time.Second, false},
		"a word":             {"soon", time.Second, 2 * time.Second, false},
		"a billion seconds":  {"1000000000", 0, 0, true},
		"a date in 9 s":      {"Sat, 01 Jan 2000 00:00:09 GMT", 9 * time.Second, 9 * time.Second, false},
		"a date in the past": {"Fri, 31 Dec 1999 00:00:00 GMT", time.Second, time.Second, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &wire{answer: func(n int, r *http.Request) (*http.Response, error) {
					if n == 1 {
						return reply(429, "", "Retry-After", tt.value, "Date", "Sat, 01 Jan 2000 00:00:00 GMT"), nil
					}
					return reply(200, empty), nil
				}}
				start := time.Now()
				_, err := inMemory(t, w).List(t.Context(), users)
				if tt.fails {
					e := wantKind(t, err, graph.KindThrottled)
					if !strings.Contains(e.RetryReason, tt.value) || !strings.Contains(e.RetryReason, "no time") {
						t.Errorf("reason %q does not say why", e.RetryReason)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if took := time.Since(start); took < tt.min || took > tt.max {
					t.Errorf("took %s, want %s to %s", took, tt.min, tt.max)
				}
			})
		})
	}
}

// Fault 3. The emulated quota is Graph's: one request a second for the tenant,
// and no Retry-After.
func TestConditionalAccessKeepsToOneASecondAfterTheFirst429(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var last time.Time
		var mu sync.Mutex
		refused := 0
		w := &wire{answer: func(n int, r *http.Request) (*http.Response, error) {
			mu.Lock()
			defer mu.Unlock()
			if strings.Contains(r.URL.Path, "/users") {
				return reply(200, empty), nil
			}
			if !last.IsZero() && time.Since(last) < time.Second {
				refused++
				return reply(429, `{"error":{"code":"TooManyRequests","message":"x"}}`), nil
			}
			last = time.Now()
			return reply(200, empty), nil
		}}
		pacer := graph.NewPacer()
		one := inMemory(t, w, func(c *graph.Config) { c.Pacer = pacer })
		two := inMemory(t, w, func(c *graph.Config) { c.Pacer = pacer })
		start := time.Now()
		var wg sync.WaitGroup
		for i := range 8 {
			c := []*graph.Client{one, two}[i%2]
			r := policies
			if i%4 == 3 {
				r.Family, r.Path = graph.FamilyIdentityProtection, "/identityProtection/riskyUsers"
			}
			wg.Go(func() {
				if _, err := c.List(t.Context(), r); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		took := time.Since(start)
		if floor := 7 * time.Second; took < floor || took > floor*12/10 {
			t.Errorf("8 reads took %s, want 7s to 8.4s", took)
		}
		if refused > 7 {
			t.Errorf("%d were refused: after the first burst none should be", refused)
		}
		start = time.Now()
		if _, err := one.List(t.Context(), users); err != nil || time.Since(start) != 0 {
			t.Errorf("another lane waited %s: %v", time.Since(start), err)
		}
		other := inMemory(t, w, func(c *graph.Config) {
			c.Pacer, c.Tenant = pacer, "contoso.com"
		})
		time.Sleep(time.Second)
		start = time.Now()
		if _, err := other.List(t.Context(), policies); err != nil || time.Since(start) != 0 {
			t.Errorf("another tenant waited %s: %v", time.Since(start), err)
		}
	})
}

func TestReportsKeepToFiveInTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(int, *http.Request) (*http.Response, error) { return reply(200, empty), nil }}
		c := inMemory(t, w)
		var wg sync.WaitGroup
		for range 12 {
			wg.Go(func() {
				r := graph.Request{Path: "/auditLogs/signIns", Family: graph.FamilyReports}
				if _, err := c.List(t.Context(), r); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		at := w.times()
		for i := 5; i < len(at); i++ {
			if gap := at[i].Sub(at[i-5]); gap < 10*time.Second {
				t.Errorf("requests %d to %d began within %s", i-5, i, gap)
			}
		}
		if took := at[11].Sub(at[0]); took != 20*time.Second {
			t.Errorf("12 requests took %s, want 20s", took)
		}
	})
}

func TestThrottledReportsWaitTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		w := &wire{answer: func(n int, _ *http.Request) (*http.Response, error) {
			if n == 1 {
				return reply(429, "", "Retry-After", "40"), nil
			}
			return reply(200, empty), nil
		}}
		c := inMemory(t, w)
		var wg sync.WaitGroup
		for i := range 3 {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * time.Second)
				if _, err := c.List(t.Context(), graph.Request{Path: "/auditLogs/signIns", Family: graph.FamilyReports}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if at := w.times(); len(at) != 4 || at[1].Sub(start) < 40*time.Second {
			t.Errorf("asked %d times, the second after %s", len(at), at[1].Sub(start))
		}
	})
}

func TestDirectorySlowsDownBeforeTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(n int, _ *http.Request) (*http.Response, error) {
			if n <= 3 {
				return reply(200, empty, "x-ms-throttle-limit-percentage", "1.8", "x-ms-resource-unit", "2"), nil
			}
			return reply(200, empty, "x-ms-resource-unit", "2"), nil
		}}
		c := inMemory(t, w)
		for range 6 {
			if _, err := c.List(t.Context(), users); err != nil {
				t.Fatal(err)
			}
		}
		at := w.times()
		if got := at[3].Sub(at[2]); got < time.Second {
			t.Errorf("near the limit the gap is %s", got)
		}
		if got := at[5].Sub(at[4]); got != 0 {
			t.Errorf("away from the limit the gap is %s", got)
		}
		if got := c.Stats().Units; got != 12 {
			t.Errorf("counted %d units, want 12", got)
		}
	})
}

// Fault 4.
func TestThrottledForEverEndsAtTheDeadline(t *testing.T) {
	for name, r := range map[string]graph.Request{"directory": users, "conditional access": policies} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &wire{answer: func(_ int, r *http.Request) (*http.Response, error) {
					if r.URL.Path == "/v1.0/groups" {
						return reply(200, empty), nil
					}
					return reply(429, ""), nil
				}}
				c := inMemory(t, w, func(c *graph.Config) { c.Limits.Operation = time.Minute })
				start := time.Now()
				list, err := c.List(t.Context(), r)
				e, is := errors.AsType[*graph.Error](err)
				if !is || e.Kind != graph.KindThrottled && e.Kind != graph.KindDeadline {
					t.Fatalf("got %v", err)
				}
				if took := time.Since(start); took > time.Minute {
					t.Errorf("took %s, more than the deadline", took)
				}
				if list.Complete || list.Cut == "" {
					t.Errorf("the list is said to be complete: %+v", list)
				}
				if w.count() > 60 {
					t.Errorf("%d requests in a minute", w.count())
				}
				other := users
				other.Path = "/groups"
				if _, err := c.List(t.Context(), other); err != nil {
					t.Errorf("another request: %v", err)
				}
			})
		})
	}
}

// Fault 5.
func TestServerErrorsOfReadsAreTriedAgainWithinABound(t *testing.T) {
	page := "<html>proxy.corp.example\x1b[31m Bearer eyJhbGciOiJub25lIn0.eyJhIjoxfQ.c2ln " + strings.Repeat("x", 5000) + "</html>"
	for _, status := range []int{500, 502, 503, 504} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &wire{answer: func(n int, _ *http.Request) (*http.Response, error) {
					if n <= 2 {
						return reply(status, page, "Content-Type", "text/html"), nil
					}
					return reply(200, empty), nil
				}}
				if _, err := inMemory(t, w).List(t.Context(), users); err != nil || w.count() != 3 {
					t.Errorf("%d attempts: %v", w.count(), err)
				}
				w = &wire{answer: func(int, *http.Request) (*http.Response, error) {
					return reply(status, page, "Content-Type", "text/html"), nil
				}}
				_, err := inMemory(t, w).List(t.Context(), users)
				e := wantKind(t, err, graph.KindUnavailable)
				if w.count() != 4 || e.Attempts != 4 {
					t.Errorf("%d attempts, want 4", w.count())
				}
				text := err.Error()
				if strings.Contains(text, "proxy.corp") || strings.Contains(text, "eyJ") || strings.ContainsAny(text, "\x1b\n") || len(text) > 500 {
					t.Errorf("the page is in the error: %s", text)
				}
			})
		})
	}
}

// Fault 6.
func TestWritesAreNeverSentTwice(t *testing.T) {
	reset := &net.OpError{Op: "read", Err: errors.New("connection reset by peer")}
	tests := map[string]func() (*http.Response, error){
		"504 after the work":          func() (*http.Response, error) { return reply(504, "<html>"), nil },
		"500":                         func() (*http.Response, error) { return reply(500, ""), nil },
		"503 with a Retry-After":      func() (*http.Response, error) { return reply(503, "", "Retry-After", "1"), nil },
		"429 after the work":          func() (*http.Response, error) { return reply(429, "", "Retry-After", "1"), nil },
		"a reset":                     func() (*http.Response, error) { return nil, reset },
		"half an answer":              func() (*http.Response, error) { return reply(201, `{"id":"a","displ`), nil },
		"a body that breaks off":      func() (*http.Response, error) { return broken(201, `{"id":`), nil },
		"a success that is no answer": func() (*http.Response, error) { return reply(200, "<html>", "Content-Type", "text/html"), nil },
	}
	for name, answer := range tests {
		for _, method := range []string{"POST", "PATCH", "PUT", "DELETE"} {
			t.Run(name+" to "+method, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := &wire{answer: func(int, *http.Request) (*http.Response, error) { return answer() }}
					_, err := inMemory(t, w).Do(t.Context(), graph.Request{Method: method, Path: "/identity/conditionalAccess/policies", Body: []byte(`{}`), Family: graph.FamilyConditionalAccess})
					if w.count() != 1 {
						t.Errorf("sent %d times", w.count())
					}
					if !errors.Is(err, graph.ErrOutcomeUnknown) {
						t.Errorf("got %v, want the outcome to be unknown", err)
					}
					if h, is := err.(interface{ Hint() string }); !is || !strings.Contains(h.Hint(), "Look at the object") {
						t.Errorf("the hint does not say to look first")
					}
				})
			})
		}
	}
}

func TestRefusedWriteIsKnownNotToBeDone(t *testing.T) {
	dial := &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	for name, answer := range map[string]func() (*http.Response, error){
		"400": func() (*http.Response, error) {
			return reply(400, `{"error":{"code":"BadRequest","message":"1007: x"}}`), nil
		},
		"403": func() (*http.Response, error) {
			return reply(403, `{"error":{"code":"Authorization_RequestDenied"}}`), nil
		},
		"404":           func() (*http.Response, error) { return reply(404, ``), nil },
		"no connection": func() (*http.Response, error) { return nil, dial },
	} {
		t.Run(name, func(t *testing.T) {
			w := &wire{answer: func(int, *http.Request) (*http.Response, error) { return answer() }}
			_, err := inMemory(t, w).Do(t.Context(), graph.Request{Method: "POST", Path: "/groups", Body: []byte(`{}`)})
			if err == nil || errors.Is(err, graph.ErrOutcomeUnknown) || w.count() != 1 {
				t.Errorf("%d attempts, %v", w.count(), err)
			}
		})
	}
}

// broken is an answer whose connection ends in the middle of the body.
func broken(status int, part string) *http.Response {
	r := reply(status, "")
	r.Body = io.NopCloser(io.MultiReader(strings.NewReader(part), failing{}))
	return r
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("connection reset by peer") }

// drip sends one byte a second until the request is given up.
type drip struct{ r *http.Request }

func (d drip) Read(p []byte) (int, error) {
	select {
	case <-time.After(time.Second):
		p[0] = ' '
		return 1, nil
	case <-d.r.Context().Done():
		return 0, d.r.Context().Err()
	}
}

// endless never ends and is never slow.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// Fault 7.
func TestResetInTheMiddleOfAnAnswerIsReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(n int, _ *http.Request) (*http.Response, error) {
			if n == 1 {
				return broken(200, `{"value":[{"id":"a"}`), nil
			}
			return reply(200, `{"value":[{"id":"a"}]}`), nil
		}}
		list, err := inMemory(t, w).List(t.Context(), users)
		if err != nil || len(list.Items) != 1 || w.count() != 2 {
			t.Errorf("%d attempts, %d items: %v", w.count(), len(list.Items), err)
		}
	})
}

func TestSlowDripIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(_ int, r *http.Request) (*http.Response, error) {
			resp := reply(200, "")
			resp.Body = io.NopCloser(drip{r})
			return resp, nil
		}}
		start := time.Now()
		_, err := inMemory(t, w, func(c *graph.Config) { c.Limits.Attempt, c.Limits.Attempts = 10*time.Second, 2 }).List(t.Context(), users)
		if !errors.Is(err, graph.ErrTooSlow) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(start); took < 20*time.Second || took > 22*time.Second {
			t.Errorf("took %s, want two attempts of 10s", took)
		}
	})
}

// Faults 8 and 9.
func TestWhatIsNoListIsNeverAnEmptyOne(t *testing.T) {
	tests := map[string]struct {
		body  string
		cause error
	}{
		"cut off":             {`{"value":[{"id":"a"},`, graph.ErrTruncated},
		"nothing":             {``, graph.ErrTruncated},
		"a page of a proxy":   {`<html>sign in to the network</html>`, graph.ErrNotJSON},
		"an error inside":     {`{"error":{"code":"UnknownError","message":""}}`, graph.ErrErrorInside},
		"an error beside":     {`{"value":[],"error":{"code":"x"}}`, graph.ErrErrorInside},
		"value null":          {`{"value":null}`, graph.ErrNullValue},
		"no value":            {`{"@odata.context":"x"}`, graph.ErrNoValue},
		"value an object":     {`{"value":{"id":"a"}}`, graph.ErrNoValue},
		"value in capitals":   {`{"Value":[{"id":"a"}]}`, graph.ErrNoValue},
		"a list without":      {`[]`, graph.ErrNoValue},
		"a link that is none": {`{"value":[],"@odata.nextLink":7}`, graph.ErrNoValue},
		"an empty link":       {`{"value":[],"@odata.nextLink":""}`, graph.ErrNoValue},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &wire{answer: func(int, *http.Request) (*http.Response, error) { return reply(200, tt.body), nil }}
				list, err := inMemory(t, w).List(t.Context(), users)
				if wantKind(t, err, graph.KindMalformed); !errors.Is(err, tt.cause) {
					t.Errorf("got %v, want %v", err, tt.cause)
				}
				if list.Complete || list.Cut == "" {
					t.Errorf("the list is said to be complete")
				}
			})
		})
	}
	w := &wire{answer: func(int, *http.Request) (*http.Response, error) { return reply(200, empty), nil }}
	if list, err := inMemory(t, w).List(t.Context(), users); err != nil || !list.Complete || len(list.Items) != 0 {
		t.Errorf("an empty list: %+v %v", list, err)
	}
}

// Fault 12.
func TestRedirectsAreNotFollowed(t *testing.T) {
	called := false
	trap := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	defer trap.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, to := range []string{trap.URL + "/v1.0/users", "http://169.254.169.254/metadata", "/v1.0/elsewhere"} {
			asked := 0
			c, server := overTLS(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked++
				w.Header().Set("Location", to)
				w.WriteHeader(status)
			}))
			_ = server
			_, err := c.Do(t.Context(), users)
			if _, is := errors.AsType[*graph.SecurityError](err); !is || asked != 1 || called {
				t.Errorf("%d to %s: asked %d times, trap called %v: %v", status, to, asked, called, err)
			}
		}
	}
}

// Fault 25, and every other way to mix clouds.
func TestCloudsAreNotMixed(t *testing.T) {
	mixed := func(name string, change func(*graph.Cloud)) graph.Cloud {
		c, err := graph.CloudNamed(name)
		if err != nil {
			t.Fatal(err)
		}
		change(&c)
		return c
	}
	tests := map[string]graph.Cloud{
		"national authority, global Graph":  mixed("usgov", func(c *graph.Cloud) { c.Graph = "https://graph.microsoft.com" }),
		"global authority, national Graph":  mixed("public", func(c *graph.Cloud) { c.Graph = "https://microsoftgraph.chinacloudapi.cn" }),
		"one cloud under the name of other": mixed("china", func(c *graph.Cloud) { c.Name = "public" }),
		"Microsoft's Graph, own authority":  {Name: "custom", Authority: "https://login.evil.example", Graph: "https://graph.microsoft.com", Resource: "https://graph.microsoft.com", Logs: "https://graph.microsoft.com"},
		"Microsoft's Graph as a custom one": {Name: "custom", Authority: "https://graph.microsoft.com", Graph: "https://graph.microsoft.com", Resource: "https://graph.microsoft.com", Logs: "https://graph.microsoft.com"},
		"only Graph is somewhere else":      {Name: "custom", Authority: "https://localhost:1", Graph: "https://localhost:2", Resource: "https://localhost:1", Logs: "https://localhost:1"},
		"the same with a dot at the end":    {Name: "custom", Authority: "https://graph.microsoft.com.", Graph: "https://graph.microsoft.com.", Resource: "https://graph.microsoft.com.", Logs: "https://graph.microsoft.com."},
		"a public cloud with own roots":     mixed("public", func(c *graph.Cloud) { c.Roots = rootsOf(httptest.NewTLSServer(nil)) }),
		"http":                              {Name: "custom", Authority: "http://localhost", Graph: "http://localhost", Resource: "http://localhost", Logs: "http://localhost"},
		"a path":                            {Name: "custom", Authority: "https://localhost/a", Graph: "https://localhost/a", Resource: "https://localhost/a", Logs: "https://localhost/a"},
		"no cloud":                          {},
	}
	for name, cloud := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := graph.New(graph.Config{Cloud: cloud, Credential: &credential{}})
			if _, is := errors.AsType[*graph.ConfigError](err); !is {
				t.Errorf("got %v, want a ConfigError", err)
			}
		})
	}
	public, _ := graph.CloudNamed("public")
	if _, err := graph.New(graph.Config{Cloud: public, Credential: &credential{}, Scopes: []string{"https://graph.microsoft.us/User.Read.All"}}); err == nil {
		t.Errorf("a scope of another cloud was taken")
	}
	for _, cloud := range graph.Clouds {
		if _, err := graph.New(graph.Config{Cloud: cloud, Credential: &credential{}}); err != nil {
			t.Errorf("%s: %v", cloud.Name, err)
		}
	}
}
