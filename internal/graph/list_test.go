package graph_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"halligan/internal/graph"
)

// Fault 10.
func TestPagesThatGoOnForEverAreCut(t *testing.T) {
	link := func(page int) string {
		return fmt.Sprintf(`{"value":[{"id":"%d"}],"@odata.nextLink":"%s/v1.0/users?$skiptoken=%d"}`, page, base, page)
	}
	tests := map[string]struct {
		next  func(n int) int
		cause error
		asked int
	}{
		"the same link again": {func(int) int { return 1 }, graph.ErrLoop, 2},
		"a circle of three":   {func(n int) int { return n % 3 }, graph.ErrLoop, 4},
		"more than the limit": {func(n int) int { return n }, graph.ErrTooMany, 50},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := &wire{answer: func(n int, _ *http.Request) (*http.Response, error) { return reply(200, link(tt.next(n))), nil }}
			list, err := inMemory(t, w, func(c *graph.Config) { c.Limits.Pages = 50 }).List(t.Context(), users)
			wantKind(t, err, graph.KindCut)
			if !errors.Is(err, tt.cause) || list.Complete || list.Cut == "" || w.count() != tt.asked {
				t.Errorf("asked %d times, complete %v, cut %q: %v", w.count(), list.Complete, list.Cut, err)
			}
		})
	}
	t.Run("time is up", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := &wire{answer: func(n int, _ *http.Request) (*http.Response, error) {
				time.Sleep(time.Second)
				return reply(200, link(n)), nil
			}}
			start := time.Now()
			list, err := inMemory(t, w, func(c *graph.Config) { c.Limits.List = 20 * time.Second }).List(t.Context(), users)
			if err == nil || list.Complete || time.Since(start) > 21*time.Second {
				t.Errorf("took %s, complete %v: %v", time.Since(start), list.Complete, err)
			}
		})
	})
	t.Run("an empty last page is fine", func(t *testing.T) {
		w := &wire{answer: func(_ int, r *http.Request) (*http.Response, error) {
			if !strings.Contains(r.URL.RawQuery, "skiptoken") {
				return reply(200, link(1)), nil
			}
			return reply(200, empty), nil
		}}
		list, err := inMemory(t, w).List(t.Context(), users)
		if err != nil || !list.Complete || list.Pages != 2 || len(list.Items) != 1 {
			t.Errorf("%+v: %v", list, err)
		}
	})
}

// badLinks are links that must not be followed (fault 11).
var badLinks = map[string]string{
	"another host":              "https://evil.example/v1.0/users?$skiptoken=1",
	"a sub-domain trick":        "https://graph.test.evil/v1.0/users",
	"a longer name":             "https://notgraph.test/v1.0/users",
	"a sub-domain":              "https://a.graph.test/v1.0/users",
	"a user name":               "https://graph.test@evil.example/v1.0/users",
	"our host after a user":     "https://user:pw@graph.test/v1.0/users",
	"http":                      "http://graph.test/v1.0/users",
	"another scheme":            "ftp://graph.test/v1.0/users",
	"no scheme":                 "//graph.test/v1.0/users",
	"a path alone":              "/v1.0/users",
	"another port":              "https://graph.test:8443/v1.0/users",
	"another API version":       "https://graph.test/beta/users",
	"a version that begins so":  "https://graph.test/v1.0x/users",
	"no version":                "https://graph.test/users",
	"another tenant":            "https://graph.test/v1.0/" + otherTenant + "/users",
	"another tenant's domain":   "https://graph.test/v1.0/fabrikam.com/users",
	"an IPv6 literal":           "https://[::1]/v1.0/users",
	"a homograph":               "https://gr\u0430ph.test/v1.0/users",
	"its punycode":              "https://xn--grph-43d.test/v1.0/users",
	"an escaped host":           "https://gr%61ph.test/v1.0/users",
	"a backslash":               "https://graph.test\\@evil.example/v1.0/users",
	"a tab":                     "https://graph.test\t/v1.0/users",
	"a line break":              "https://graph.test/v1.0/users?a=\r\nX: y",
	"a climb":                   "https://graph.test/v1.0/../beta/users",
	"an escaped climb":          "https://graph.test/v1.0/%2e%2e/beta/users",
	"an escaped slash in climb": "https://graph.test/v1.0/a%2f..%2f../beta",
	"a fragment":                "https://graph.test/v1.0/users#x",
	"a dot at the end":          "https://graph.test./v1.0/users",
	"too long":                  "https://graph.test/v1.0/users?$skiptoken=" + strings.Repeat("a", 40<<10),
}

func TestForeignLinksAreRefusedAndNotAsked(t *testing.T) {
	for name, link := range badLinks {
		t.Run(name, func(t *testing.T) {
			w := &wire{answer: func(int, *http.Request) (*http.Response, error) {
				return reply(200, fmt.Sprintf(`{"value":[{"id":"a"}],"@odata.nextLink":%q}`, link)), nil
			}}
			if strings.ContainsAny(link, "\t\r") {
				escaped := strings.NewReplacer("\t", `\t`, "\r", `\r`, "\n", `\n`).Replace(link)
				w.answer = func(int, *http.Request) (*http.Response, error) {
					return reply(200, `{"value":[{"id":"a"}],"@odata.nextLink":"`+escaped+`"}`), nil
				}
			}
			list, err := inMemory(t, w).List(t.Context(), users)
			if _, is := errors.AsType[*graph.SecurityError](err); !is {
				t.Fatalf("got %T %v, want a SecurityError", err, err)
			}
			if w.count() != 1 || list.Complete || graph.KindOf(err) != graph.KindRefused {
				t.Errorf("asked %d times, complete %v", w.count(), list.Complete)
			}
			if strings.Contains(err.Error(), "pw") || len(err.Error()) > 400 {
				t.Errorf("the error says too much: %s", err)
			}
		})
	}
}

func TestOwnLinksAreFollowed(t *testing.T) {
	for name, link := range map[string]string{
		"plain":                "https://graph.test/v1.0/users?$skiptoken=RFNwdAIAAQ%2b&$top=5",
		"the standard port":    "https://graph.test:443/v1.0/users?$skiptoken=1",
		"capitals in the host": "https://GRAPH.test/v1.0/users?$skiptoken=1",
		"our tenant":           "https://graph.test/v1.0/" + tenant + "/users?$skiptoken=1",
		"a cast":               "https://graph.test/v1.0/users/x/transitiveMemberOf/microsoft.graph.directoryRole?$skiptoken=1",
		"a quoted key":         "https://graph.test/v1.0/users('a%40b.com')/memberOf?$skiptoken=1",
	} {
		t.Run(name, func(t *testing.T) {
			w := &wire{answer: func(n int, r *http.Request) (*http.Response, error) {
				if r.Header.Get("ConsistencyLevel") != "eventual" {
					t.Errorf("page %d has no ConsistencyLevel", n)
				}
				if !strings.Contains(r.URL.RawQuery, "skiptoken") {
					return reply(200, fmt.Sprintf(`{"value":[{"id":"a"}],"@odata.nextLink":%q}`, link)), nil
				}
				if r.URL.String() != link {
					t.Errorf("followed %s, want %s", r.URL, link)
				}
				return reply(200, `{"value":[{"id":"b"}]}`), nil
			}}
			r := users
			r.Eventual = true
			list, err := inMemory(t, w).List(t.Context(), r)
			if err != nil || !list.Complete || len(list.Items) != 2 {
				t.Errorf("%+v: %v", list, err)
			}
		})
	}
}

// Fault 13.
func TestItemThatComesTwiceCountsOnce(t *testing.T) {
	w := &wire{answer: func(_ int, r *http.Request) (*http.Response, error) {
		if r.URL.Query().Get("p") == "" {
			return reply(200, `{"value":[{"id":"a","v":1},{"id":"b"},{"x":1},{"x":1}],"@odata.nextLink":"https://graph.test/v1.0/users?p=2"}`), nil
		}
		return reply(200, `{"value":[{"id":"a","v":2},{"id":"c"}]}`), nil
	}}
	list, err := inMemory(t, w).List(t.Context(), users)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(list.Items[0]); got != `{"id":"a","v":2}` {
		t.Errorf("the item is %s, want it as it was last", got)
	}
	if len(list.Items) != 5 {
		t.Errorf("%d items, want a, b, c and two without an id", len(list.Items))
	}
}

func TestCountThatDiffersIsReadOnceMore(t *testing.T) {
	counted := users
	counted.Query = url.Values{"$count": {"true"}}
	counted.Eventual = true
	for name, tt := range map[string]struct {
		second string
		ok     bool
	}{
		"and then it fits": {`{"@odata.count":2,"value":[{"id":"a"},{"id":"b"}]}`, true},
		"and it stays so":  {`{"@odata.count":2,"value":[{"id":"a"}]}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := &wire{answer: func(n int, _ *http.Request) (*http.Response, error) {
				if n == 1 {
					return reply(200, `{"@odata.count":2,"value":[{"id":"a"}]}`), nil
				}
				return reply(200, tt.second), nil
			}}
			list, err := inMemory(t, w).List(t.Context(), counted)
			if w.count() != 2 || !list.Again || list.Complete != tt.ok || (err == nil) != tt.ok {
				t.Errorf("%d reads, %+v: %v", w.count(), list, err)
			}
			if !tt.ok && !errors.Is(err, graph.ErrCount) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// Fault 13, where Graph gives no count: two readings of several pages agree, or
// nobody knows what is missing.
func TestPagesWithoutACountAreReadUntilTwoReadingsAgree(t *testing.T) {
	const first, last = `{"value":[{"id":"a"}],"@odata.nextLink":"https://graph.test/v1.0/users?p=2"}`, `{"value":[{"id":"%d"}]}`
	logs := users
	logs.Family = graph.FamilyReports
	for name, tt := range map[string]struct {
		request graph.Request
		second  func(reading int) int // what is on the second page
		asked   int
		ok      bool
	}{
		"the same again":         {users, func(int) int { return 7 }, 4, true},
		"another one, then same": {users, func(reading int) int { return min(reading, 2) }, 6, true},
		"each time another one":  {users, func(reading int) int { return reading }, 6, false},
		"a log":                  {logs, func(reading int) int { return reading }, 2, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := &wire{answer: func(n int, r *http.Request) (*http.Response, error) {
				if r.URL.Query().Get("p") == "" {
					return reply(200, first), nil
				}
				return reply(200, fmt.Sprintf(last, tt.second(n/2))), nil
			}}
			list, err := inMemory(t, w).List(t.Context(), tt.request)
			if w.count() != tt.asked || list.Complete != tt.ok || (err == nil) != tt.ok || !tt.ok && !errors.Is(err, graph.ErrCount) {
				t.Errorf("%d requests, want %d; %+v: %v", w.count(), tt.asked, list, err)
			}
		})
	}
}

// Where a list cannot be counted after all, it is read without.
func TestACountThatIsRefusedIsDoneWithout(t *testing.T) {
	w := &wire{answer: func(_ int, r *http.Request) (*http.Response, error) {
		if r.URL.Query().Has("$count") {
			return reply(400, `{"error":{"code":"BadRequest","message":"$count is not supported"}}`), nil
		}
		return reply(200, `{"value":[{"id":"a"}]}`), nil
	}}
	r := users
	r.Query = url.Values{"$count": {"true"}}
	list, err := inMemory(t, w).List(t.Context(), r)
	if err != nil || !list.Complete || len(list.Items) != 1 || w.count() != 2 || r.Query.Get("$count") == "" {
		t.Errorf("%d requests, %+v: %v", w.count(), list, err)
	}
}

func TestPathsThatLeaveTheInterfaceAreRefused(t *testing.T) {
	w := &wire{answer: func(int, *http.Request) (*http.Response, error) { return reply(200, `{}`), nil }}
	c := inMemory(t, w)
	for _, path := range []string{"", "users", "//evil.example/users", "/../beta/users", "/%2e%2e/beta", "/users?a=b", "/users#a", "/a\\b", "/a b", "/a%zz"} {
		if _, err := c.Do(t.Context(), graph.Request{Path: path}); err == nil {
			t.Errorf("path %q was taken", path)
		}
	}
	if w.count() != 0 {
		t.Errorf("%d requests were sent", w.count())
	}
	if got := graph.PathOf("users", "../x", "a/b?c#d"); got != "/users/..%2Fx/a%2Fb%3Fc%23d" {
		t.Errorf("got %s", got)
	}
	if _, err := c.Do(t.Context(), graph.Request{Path: graph.PathOf("users", "../x")}); err == nil {
		t.Errorf("an id that climbs was taken")
	}
}
