package graph_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"halligan/internal/graph"
)

// record is an event that becomes visible at a time of its own.
type record struct {
	id          string
	at, visible time.Duration // after the start
}

// logs answers from records, as Graph filters by time.
func logs(t *testing.T, start time.Time, records []record, filters *[]string) *wire {
	return &wire{answer: func(_ int, r *http.Request) (*http.Response, error) {
		filter := r.URL.Query().Get("$filter")
		if filters != nil {
			*filters = append(*filters, r.URL.Path+" "+filter)
		}
		_, rest, _ := strings.Cut(filter, " ge ")
		from, err := time.Parse(time.RFC3339, strings.Fields(rest)[0])
		if err != nil {
			t.Errorf("filter %q: %v", filter, err)
		}
		items := []string{}
		for _, e := range records {
			at := start.Add(e.at)
			if time.Since(start) >= e.visible && !at.Before(from) {
				items = append(items, fmt.Sprintf(`{"id":%q,"createdDateTime":%q}`, e.id, at.UTC().Format(time.RFC3339)))
			}
		}
		return reply(200, `{"value":[`+strings.Join(items, ",")+`]}`, "Date", time.Now().UTC().Format(http.TimeFormat)), nil
	}}
}

func ids(events []json.RawMessage) (out []string) {
	for _, e := range events {
		var o struct{ ID string }
		if json.Unmarshal(e, &o) == nil {
			out = append(out, o.ID)
		}
	}
	return out
}

func follower(t *testing.T, w *wire, config graph.FollowConfig) *graph.Follower {
	t.Helper()
	f, err := inMemory(t, w).FollowLog(config)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestEachEventIsGivenOnceHoweverLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		records := []record{
			{"on time", 5 * time.Minute, 6 * time.Minute},
			{"10 minutes late", 20 * time.Minute, 30 * time.Minute},
			{"3 hours late", 30 * time.Minute, 210 * time.Minute},
			{"23 hours late", time.Hour, 24 * time.Hour},
			{"twice", 2 * time.Hour, 2 * time.Hour}, {"twice", 2 * time.Hour, 10 * time.Hour},
		}
		f := follower(t, logs(t, start, records, nil), graph.FollowConfig{Log: graph.LogSignIns, Since: start})
		given := map[string]int{}
		for time.Since(start) < 26*time.Hour {
			time.Sleep(5 * time.Minute)
			look, err := f.Look(t.Context())
			if err != nil || look.Gap != nil {
				t.Fatalf("%+v: %v", look, err)
			}
			for _, id := range ids(look.Events) {
				given[id]++
				if after := time.Since(start); id == "10 minutes late" && after > 35*time.Minute {
					t.Errorf("%q was given only after %s", id, after)
				}
			}
			f.Commit(look)
		}
		for _, e := range records {
			if given[e.id] != 1 {
				t.Errorf("%q was given %d times", e.id, given[e.id])
			}
		}
		time.Sleep(30 * time.Minute)
		if look, err := f.Look(t.Context()); err != nil || len(look.Events) != 0 {
			t.Errorf("%v: %v", ids(look.Events), err)
		} else {
			time.Sleep(30 * time.Hour)
			f.Commit(graph.Look{To: time.Now()})
			if _, seen := f.State(); len(seen) != 0 {
				t.Errorf("%d ids are kept for ever", len(seen))
			}
		}
	})
}

func TestEventsThatWereNotSafeComeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		w := logs(t, start, []record{{"a", 0, 0}}, nil)
		f := follower(t, w, graph.FollowConfig{Log: graph.LogSignIns, Since: start})
		time.Sleep(time.Minute)
		for range 2 {
			if look, err := f.Look(t.Context()); err != nil || len(look.Events) != 1 {
				t.Fatalf("%v: %v", ids(look.Events), err)
			}
		}
		look, _ := f.Look(t.Context())
		f.Commit(look)
		through, seen := f.State()
		next := follower(t, w, graph.FollowConfig{Log: graph.LogSignIns, Since: through, Seen: seen})
		if look, err := next.Look(t.Context()); err != nil || len(look.Events) != 0 {
			t.Errorf("after a restart: %v, %v", ids(look.Events), err)
		}
	})
}

// Fault 31, at this layer: what the tenant no longer keeps is said to be missing.
func TestTimeThatIsNoLongerKeptIsAGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		f := follower(t, logs(t, start, nil, nil), graph.FollowConfig{Log: graph.LogAudits, Since: start})
		time.Sleep(9 * 24 * time.Hour)
		look, err := f.Look(t.Context())
		if err != nil || look.Gap == nil || !look.Gap.From.Equal(start) || look.Gap.To.Sub(start) != 48*time.Hour {
			t.Errorf("%+v: %v", look.Gap, err)
		}
		f.Commit(look)
		time.Sleep(time.Minute)
		if look, err := f.Look(t.Context()); err != nil || look.Gap != nil {
			t.Errorf("the gap is said twice: %+v %v", look.Gap, err)
		}
	})
}

func TestFailedLookIsNotTakenForSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(int, *http.Request) (*http.Response, error) {
			return reply(403, `{"error":{"code":"Authentication_RequestFromNonPremiumTenantOrB2CTenant","message":"Neither tenant is B2C or tenant doesn't have premium license"}}`), nil
		}}
		f := follower(t, w, graph.FollowConfig{Log: graph.LogSignIns, Since: time.Now()})
		_, err := f.Look(t.Context())
		wantKind(t, err, graph.KindNotLicensed)
	})
}

func TestQuestionsAboutAccountsAreCutIntoPieces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var accounts []string
		for i := range 23 {
			accounts = append(accounts, fmt.Sprintf("aaaaaaaa-0000-0000-0000-%012d", i))
		}
		for log, want := range map[graph.Log]int{graph.LogSignIns: 3, graph.LogAudits: 5} {
			var filters []string
			f := follower(t, logs(t, time.Now(), nil, &filters), graph.FollowConfig{Log: log, Since: time.Now(), Accounts: accounts})
			if _, err := f.Look(t.Context()); err != nil {
				t.Fatal(err)
			}
			if len(filters) != want {
				t.Errorf("%s: %d questions, want %d", log, len(filters), want)
			}
			all := strings.Join(filters, "\n")
			for _, id := range accounts {
				if !strings.Contains(all, id) {
					t.Errorf("%s: nobody asks about %s", log, id)
				}
			}
			if log == graph.LogSignIns && (!strings.Contains(all, "nonInteractiveUser") || !strings.HasPrefix(all, "/beta/")) {
				t.Errorf("sign-ins without a person are not asked for: %s", all)
			}
		}
	})
	for name, config := range map[string]graph.FollowConfig{
		"no time":        {Log: graph.LogSignIns},
		"another log":    {Log: "x", Since: time.Now()},
		"a name":         {Log: graph.LogSignIns, Since: time.Now(), Accounts: []string{"ann' or 1 eq 1"}},
		"a kind unknown": {Log: graph.LogSignIns, Since: time.Now(), Kinds: []string{"x"}},
	} {
		if _, err := inMemory(t, &wire{}).FollowLog(config); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

// A clock that is ahead must not skip what Graph has not yet reached.
func TestClockAheadLosesNoEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		w := logs(t, start, []record{{"a", 40 * time.Minute, 40 * time.Minute}}, nil)
		c := inMemory(t, w, func(c *graph.Config) { c.Now = func() time.Time { return time.Now().Add(2 * time.Hour) } })
		f, err := c.FollowLog(graph.FollowConfig{Log: graph.LogSignIns, Since: start, Deep: 1000 * time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		var given []string
		for range 4 {
			look, err := f.Look(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			given = append(given, ids(look.Events)...)
			f.Commit(look)
			time.Sleep(30 * time.Minute)
		}
		if !slices.Equal(given, []string{"a"}) {
			t.Errorf("given %v", given)
		}
	})
}

func TestDeltaJoinsPagesAndStartsAgain(t *testing.T) {
	const link = base + "/v1.0/groups/delta?$deltatoken="
	w := &wire{answer: func(_ int, r *http.Request) (*http.Response, error) {
		switch q := r.URL.Query(); {
		case q.Get("$deltatoken") == "old":
			return reply(410, `{"error":{"code":"syncStateNotFound"}}`, "Location", "https://evil.example/"), nil
		case q.Get("$deltatoken") == "1":
			return reply(200, `{"value":[{"id":"a","@removed":{"reason":"deleted"}},{"id":"b","displayName":"B2"}],"@odata.deltaLink":"`+link+`2"}`), nil
		case q.Get("$skiptoken") == "2":
			return reply(200, `{"value":[{"id":"a","members@delta":[{"id":"y"}]},{"id":"c"},{"id":"c","@removed":{"reason":"changed"}}],"@odata.deltaLink":"`+link+`1"}`), nil
		}
		return reply(200, `{"value":[{"id":"a","displayName":"A","members@delta":[{"id":"x"}]},{"id":"b"}],"@odata.nextLink":"`+base+`/v1.0/groups/delta?$skiptoken=2"}`), nil
	}}
	c := inMemory(t, w)
	r := graph.Request{Operation: "follow groups", Path: "/groups/delta", Family: graph.FamilyDirectory}
	d, err := c.Delta(t.Context(), r, "")
	if err != nil || !d.Whole || len(d.Changed) != 2 || d.Link != link+"1" || d.Removed["c"] != "changed" {
		t.Fatalf("%+v: %v", d, err)
	}
	if got := string(d.Changed[0]); got != `{"displayName":"A","id":"a","members@delta":[{"id":"x"},{"id":"y"}]}` {
		t.Errorf("got %s", got)
	}
	if d, err = c.Delta(t.Context(), r, d.Link); err != nil || d.Whole || len(d.Changed) != 1 || d.Removed["a"] != "deleted" {
		t.Errorf("%+v: %v", d, err)
	}
	if d, err = c.Delta(t.Context(), r, link+"old"); err != nil || !d.Whole || len(d.Changed) != 2 {
		t.Errorf("a link that is too old: %+v: %v", d, err)
	}
	before := w.count()
	for _, foreign := range []string{"https://evil.example/v1.0/groups/delta", base + "/beta/groups/delta", base + "/v1.0/" + otherTenant + "/groups/delta"} {
		if _, err := c.Delta(t.Context(), r, foreign); graph.KindOf(err) != graph.KindRefused || w.count() != before {
			t.Errorf("a foreign link: %d requests, %v", w.count()-before, err)
		}
	}
	w.answer = func(int, *http.Request) (*http.Response, error) {
		return reply(200, `{"value":[],"@odata.deltaLink":"https://evil.example/v1.0/groups/delta"}`), nil
	}
	if d, err := c.Delta(t.Context(), r, ""); graph.KindOf(err) != graph.KindRefused || d.Link != "" {
		t.Errorf("a foreign link for the next time: %+v: %v", d, err)
	}
	w.answer = func(int, *http.Request) (*http.Response, error) { return reply(200, empty), nil }
	if d, err := c.Delta(t.Context(), r, ""); !errors.Is(err, graph.ErrNoValue) || d.Link != "" {
		t.Errorf("without a link for the next time: %+v: %v", d, err)
	}
}
