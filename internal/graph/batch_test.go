package graph_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"halligan/internal/graph"
)

// asked is one part of an envelope as it was sent.
type asked struct {
	ID      string            `json:"id"`
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
	Body    json.RawMessage   `json:"body"`
}

func parts(t testing.TB, r *http.Request) []asked {
	t.Helper()
	var envelope struct {
		Requests []asked `json:"requests"`
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(body, &envelope); err != nil {
		t.Fatal(err)
	}
	return envelope.Requests
}

func isBatch(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/$batch") }

func sealed(responses ...string) *http.Response {
	return reply(200, `{"responses":[`+strings.Join(responses, ",")+`]}`)
}

func user(i int) graph.Request {
	return graph.Request{Operation: fmt.Sprintf("read user %d", i), Path: fmt.Sprintf("/users/%d", i), Family: graph.FamilyDirectory, Permission: "User.Read.All"}
}

// batchOf runs three requests; /users/N alone answers {"id":"alone-N"}.
func batchOf(t *testing.T, requests []graph.Request, envelope func(parts []asked) *http.Response) (*wire, []graph.Result) {
	t.Helper()
	w := &wire{}
	w.answer = func(_ int, r *http.Request) (*http.Response, error) {
		if isBatch(r) {
			return envelope(parts(t, r)), nil
		}
		return reply(200, fmt.Sprintf(`{"id":"alone-%s"}`, r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:])), nil
	}
	return w, inMemory(t, w).Batch(t.Context(), requests)
}

func body(r graph.Result) string {
	if r.Err != nil {
		return "error: " + r.Err.Error()
	}
	if r.Answer == nil {
		return "no answer"
	}
	return string(r.Answer.Body)
}

// Fault 16.
func TestBatchFindsEachAnswerByItsID(t *testing.T) {
	three := []graph.Request{user(1), user(2), user(3)}
	ok := func(id int) string { return fmt.Sprintf(`{"id":"%d","status":200,"body":{"id":"in-%d"}}`, id, id) }
	tests := map[string]struct {
		responses []string
		want      [3]string
	}{
		"in another order":       {[]string{ok(3), ok(1), ok(2)}, [3]string{"in-1", "in-2", "in-3"}},
		"an id missing":          {[]string{ok(1), ok(3)}, [3]string{"in-1", "alone-2", "in-3"}},
		"an id twice":            {[]string{ok(1), ok(2), ok(2), ok(3)}, [3]string{"in-1", "alone-2", "in-3"}},
		"an id thrice":           {[]string{ok(1), ok(2), ok(2), ok(2), ok(3)}, [3]string{"in-1", "alone-2", "in-3"}},
		"an id never asked":      {[]string{ok(1), ok(2), ok(7), ok(3)}, [3]string{"in-1", "in-2", "in-3"}},
		"an id that looks alike": {[]string{ok(1), `{"id":"02","status":200,"body":{"id":"evil"}}`, ok(3)}, [3]string{"in-1", "alone-2", "in-3"}},
		"a failed dependency":    {[]string{ok(1), `{"id":"2","status":424,"body":{"error":{"code":"FailedDependency"}}}`, ok(3)}, [3]string{"in-1", "alone-2", "in-3"}},
		"429 and 503 mixed": {[]string{`{"id":"1","status":429,"headers":{"Retry-After":"3"},"body":{"error":{"code":"TooManyRequests"}}}`,
			`{"id":"2","status":503,"body":{"error":{"code":"ServiceUnavailable"}}}`, ok(3)}, [3]string{"alone-1", "alone-2", "in-3"}},
		"a body as a string":   {[]string{ok(1), `{"id":"2","status":200,"body":"{\"id\":\"in-2\"}"}`, ok(3)}, [3]string{"in-1", "in-2", "in-3"}},
		"a body in base64":     {[]string{ok(1), `{"id":"2","status":200,"headers":{"Content-Type":"application/json"},"body":"eyJpZCI6ImluLTIifQ=="}`, ok(3)}, [3]string{"in-1", "in-2", "in-3"}},
		"a status that is no":  {[]string{ok(1), `{"id":"2","status":0,"body":{"id":"x"}}`, ok(3)}, [3]string{"in-1", "alone-2", "in-3"}},
		"an error in a 200":    {[]string{ok(1), `{"id":"2","status":200,"body":{"error":{"code":"x"}}}`, ok(3)}, [3]string{"in-1", "error: read user 2: 200 x", "in-3"}},
		"denied, and said so":  {[]string{ok(1), `{"id":"2","status":403,"body":{"error":{"code":"Authorization_RequestDenied"}}}`, ok(3)}, [3]string{"in-1", "error: read user 2: 403 Authorization_RequestDenied", "in-3"}},
		"no responses at all":  {nil, [3]string{"alone-1", "alone-2", "alone-3"}},
		"a JSON that is a cut": {[]string{ok(1), `{"id":"2","status":200,"headers":{"Content-Type":"application/json"},"body":"{\"id\":\"in"}`, ok(3)}, [3]string{"in-1", "alone-2", "in-3"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, results := batchOf(t, three, func([]asked) *http.Response { return sealed(tt.responses...) })
				for i, want := range tt.want {
					if !strings.HasPrefix(want, "error") {
						want = fmt.Sprintf(`{"id":%q}`, want)
					}
					if got := body(results[i]); !strings.HasPrefix(got, want) {
						t.Errorf("part %d: got %s, want %s", i+1, got, want)
					}
				}
			})
		})
	}
}

func TestBatchWaitsAsLongAsAPartIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		_, results := batchOf(t, []graph.Request{user(1), user(2)}, func([]asked) *http.Response {
			return sealed(`{"id":"1","status":429,"headers":{"Retry-After":"5"}}`, `{"id":"2","status":200,"body":{"id":"x"}}`)
		})
		if took := time.Since(start); took != 5*time.Second || body(results[0]) != `{"id":"alone-1"}` {
			t.Errorf("took %s: %s", took, body(results[0]))
		}
	})
}

func TestBatchHoldsTwentyPartsOfOneVersion(t *testing.T) {
	var mu sync.Mutex
	sizes := map[string][]int{}
	w := &wire{answer: func(_ int, r *http.Request) (*http.Response, error) {
		list := parts(t, r)
		mu.Lock()
		sizes[r.URL.Path] = append(sizes[r.URL.Path], len(list))
		mu.Unlock()
		var out []string
		for _, p := range list {
			if p.Method != "GET" || !strings.HasPrefix(p.URL, "/users/") {
				t.Errorf("part %+v", p)
			}
			out = append(out, fmt.Sprintf(`{"id":%q,"status":200,"body":{"url":%q}}`, p.ID, p.URL))
		}
		return sealed(out...), nil
	}}
	var requests []graph.Request
	for i := range 45 {
		r := user(i)
		if i >= 42 {
			r.Version = graph.Beta
		}
		requests = append(requests, r)
	}
	for i, result := range inMemory(t, w).Batch(t.Context(), requests) {
		if want := fmt.Sprintf(`{"url":"/users/%d"}`, i); body(result) != want {
			t.Errorf("result %d: got %s, want %s", i, body(result), want)
		}
	}
	v1 := sizes["/v1.0/$batch"]
	if len(v1) != 3 || v1[0]+v1[1]+v1[2] != 42 || max(v1[0], v1[1], v1[2]) != 20 || len(sizes["/beta/$batch"]) != 1 {
		t.Errorf("envelopes: %v", sizes)
	}
}

func TestRefusedEnvelopeIsHalved(t *testing.T) {
	for _, status := range []int{400, 413} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			w, results := batchOf(t, []graph.Request{user(1), user(2), user(3), user(4)}, func(list []asked) *http.Response {
				for _, p := range list {
					if p.URL == "/users/3" {
						return reply(status, `{"error":{"code":"BadRequest","message":"too much"}}`)
					}
				}
				var out []string
				for _, p := range list {
					out = append(out, fmt.Sprintf(`{"id":%q,"status":200,"body":{"id":%q}}`, p.ID, "in"+p.URL))
				}
				return sealed(out...)
			})
			for i, want := range []string{"in/users/1", "in/users/2", "alone-3", "in/users/4"} {
				if got := body(results[i]); got != fmt.Sprintf(`{"id":%q}`, want) {
					t.Errorf("part %d: got %s, want %s", i+1, got, want)
				}
			}
			if w.count() > 8 {
				t.Errorf("%d requests", w.count())
			}
		})
	}
}

func TestWritesInABatchAreNeverSentTwice(t *testing.T) {
	write := graph.Request{Operation: "add a member", Method: "POST", Path: "/groups/g/members/$ref", Body: []byte(`{}`), Family: graph.FamilyDirectory}
	tests := map[string]func() *http.Response{
		"the answer is missing": func() *http.Response { return sealed(`{"id":"1","status":200,"body":{"id":"in-1"}}`) },
		"the part has a 503": func() *http.Response {
			return sealed(`{"id":"2","status":503}`, `{"id":"1","status":200,"body":{"id":"in-1"}}`)
		},
		"the part has a 429": func() *http.Response {
			return sealed(`{"id":"2","status":429}`, `{"id":"1","status":200,"body":{"id":"in-1"}}`)
		},
		"the envelope is a 504":  func() *http.Response { return reply(504, "") },
		"the envelope is broken": func() *http.Response { return reply(200, `{"responses":[`) },
	}
	for name, answer := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, results := batchOf(t, []graph.Request{user(1), write}, func([]asked) *http.Response { return answer() })
				if !errors.Is(results[1].Err, graph.ErrOutcomeUnknown) {
					t.Errorf("the write: %v", results[1].Err)
				}
				for _, r := range w.asked[1:] {
					if r.Method != "GET" {
						t.Errorf("sent again: %s %s", r.Method, r.URL)
					}
				}
				if errors.Is(results[0].Err, graph.ErrOutcomeUnknown) {
					t.Errorf("the read is said to be a write: %v", results[0].Err)
				}
			})
		})
	}
}

func TestListInABatchIsReadToItsEnd(t *testing.T) {
	w := &wire{answer: func(_ int, r *http.Request) (*http.Response, error) {
		if isBatch(r) {
			return sealed(`{"id":"1","status":200,"body":{"value":[{"id":"a"}],"@odata.nextLink":"https://graph.test/v1.0/users?p=2"}}`,
				`{"id":"2","status":200,"body":{"value":null}}`), nil
		}
		if r.URL.Query().Get("p") == "" { // read again: nobody counted the two pages
			return reply(200, `{"value":[{"id":"a"}],"@odata.nextLink":"https://graph.test/v1.0/users?p=2"}`), nil
		}
		return reply(200, `{"value":[{"id":"b"}]}`), nil
	}}
	a, b := users, users
	a.Paged, b.Paged = true, true
	results := inMemory(t, w).Batch(t.Context(), []graph.Request{a, b})
	if r := results[0]; r.Err != nil || !r.List.Complete || len(r.List.Items) != 2 {
		t.Errorf("%+v", r)
	}
	if r := results[1]; !errors.Is(r.Err, graph.ErrNullValue) || r.List.Complete {
		t.Errorf("%+v", r)
	}
}

func TestPacedLaneStaysOutOfTheEnvelope(t *testing.T) {
	w := &wire{answer: func(_ int, r *http.Request) (*http.Response, error) {
		if isBatch(r) {
			for _, p := range parts(t, r) {
				if strings.Contains(p.URL, "auditLogs") {
					t.Errorf("reports in an envelope")
				}
			}
			return sealed(`{"id":"1","status":200,"body":{}}`), nil
		}
		return reply(200, empty), nil
	}}
	reports := graph.Request{Path: "/auditLogs/directoryAudits", Family: graph.FamilyReports}
	for _, r := range inMemory(t, w).Batch(t.Context(), []graph.Request{reports, user(1)}) {
		if r.Err != nil {
			t.Error(r.Err)
		}
	}
}
