package storetest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"halligan/evidence"
	"halligan/internal/store"
	"halligan/internal/storetest"
)

var server storetest.Shared

func TestMain(m *testing.M) {
	code := m.Run()
	if builtWriter.path != "" {
		os.RemoveAll(filepath.Dir(builtWriter.path))
	}
	if err := server.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stop postgres:", err)
		code = 1
	}
	os.Exit(code)
}

// place is where one test keeps its stores.
type place struct {
	t   *testing.T
	pg  *storetest.Server // nil for SQLite
	dir string
	key *evidence.LogKey

	last string // address of what was restored last
}

// address returns that of a new, empty store.
func (p *place) address(name string) string {
	if p.pg != nil {
		return p.pg.Database(p.t)
	}
	return filepath.Join(p.dir, name)
}

func (p *place) open(o store.Options) *store.DB {
	p.t.Helper()
	db, err := store.Open(p.t.Context(), o)
	if err != nil {
		p.t.Fatalf("open: %v", err)
	}
	p.t.Cleanup(func() { db.Close() })
	return db
}

// onEach runs a test on every kind of store. PostgreSQL is tried where its
// binaries are at hand.
func onEach(t *testing.T, test func(*testing.T, *place)) {
	t.Run("sqlite", func(t *testing.T) { test(t, newPlace(t, nil)) })
	t.Run("postgres", func(t *testing.T) { test(t, newPlace(t, server.Server(t))) })
}

func newPlace(t *testing.T, pg *storetest.Server) *place {
	return &place{t: t, pg: pg, dir: t.TempDir(), key: newKey(t, "tidewater-log-1", 1)}
}

// firstKey is the public half of the key with which the logs of the tests begin.
var firstKey = func() string {
	key, err := evidence.NewLogKey(bytes.NewReader(bytes.Repeat([]byte{1}, 32)), "tidewater-log-1")
	if err != nil {
		panic(err)
	}
	return key.Public()
}()

func newKey(t testing.TB, name string, seed byte) *evidence.LogKey {
	t.Helper()
	key, err := evidence.NewLogKey(bytes.NewReader(bytes.Repeat([]byte{seed}, 32)), name)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// entry is one that says what; the first of a log begins it.
func entry(v store.View, what string) []evidence.Entry {
	return []evidence.Entry{about(v, what, "")}
}

func about(v store.View, what, subject string) evidence.Entry {
	if v.Size() == 0 {
		begun := evidence.Begin(firstKey)
		begun.What, begun.Who, begun.Subject = what, []string{"ana"}, subject
		return begun
	}
	return evidence.Entry{Kind: evidence.KindNote, What: what, Who: []string{"ana"}, Subject: subject}
}

func saying(what string) store.Draft {
	return func(v store.View) ([]evidence.Entry, error) { return entry(v, what), nil }
}

func drafting(e evidence.Entry) store.Draft {
	return func(store.View) ([]evidence.Entry, error) { return []evidence.Entry{e}, nil }
}

// appender is a DB or a group of it.
type appender interface {
	add(ctx context.Context, draft store.Draft) ([]evidence.Entry, error)
}

type alone struct {
	db  *store.DB
	key *evidence.LogKey
}

func (a alone) add(ctx context.Context, draft store.Draft) ([]evidence.Entry, error) {
	return a.db.Append(ctx, a.key, draft)
}

type grouped struct{ *store.Group }

func (g grouped) add(ctx context.Context, draft store.Draft) ([]evidence.Entry, error) {
	return g.Append(ctx, draft)
}

func fill(t testing.TB, db *store.DB, key *evidence.LogKey, n int) {
	t.Helper()
	for i := range n {
		if _, err := db.Append(t.Context(), key, saying(fmt.Sprintf("step %d", i))); err != nil {
			t.Fatalf("append %d: %v", i, err)
		}
	}
}

// whats returns what every entry says, in order.
func whats(t testing.TB, db *store.DB) []string {
	t.Helper()
	var all []string
	err := db.View(t.Context(), func(v store.View) error {
		for e, err := range v.Find("", "") {
			if err != nil {
				return err
			}
			if e.Index != uint64(len(all)) {
				return fmt.Errorf("entry %d stands at %d", e.Index, len(all))
			}
			all = append(all, e.What)
		}
		if v.Size() != uint64(len(all)) {
			return fmt.Errorf("found %d entries of %d", len(all), v.Size())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func hint(err error) string {
	h, ok := errors.AsType[interface {
		error
		Hint() string
	}](err)
	if !ok {
		return ""
	}
	return h.Hint()
}

func subject(n int) string { return fmt.Sprintf("sha256:%064x", n) }

func TestWhatIsAppendedIsReadAndFound(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		address := p.address("log.db")
		db := p.open(store.Options{URL: address})
		for i := range 200 {
			got, err := db.Append(t.Context(), p.key, func(v store.View) ([]evidence.Entry, error) {
				if v.Size() != uint64(i) {
					t.Errorf("the draft sees %d entries, want %d", v.Size(), i)
				}
				return []evidence.Entry{about(v, fmt.Sprintf("step %d", i), subject(i%3))}, nil
			})
			if err != nil || len(got) != 1 || got[0].Index != uint64(i) || got[0].Time.IsZero() {
				t.Fatalf("append %d: got %v, %v", i, got, err)
			}
		}
		check := func(db *store.DB) {
			err := db.View(t.Context(), func(v store.View) error {
				found := 0
				for e, err := range v.Find(evidence.KindNote, subject(1)) {
					if err != nil {
						return err
					}
					// To ask in the middle of a search must be possible.
					same, err := v.Entry(e.Index)
					if err != nil || same.What != e.What || e.Index%3 != 1 {
						t.Errorf("found %v, entry is %v, %v", e, same, err)
					}
					found++
				}
				if found != 67 {
					t.Errorf("found %d, want 67", found)
				}
				if _, err := evidence.OpenCheckpoint(v.Checkpoint(), p.key.Public()); err != nil {
					t.Errorf("checkpoint: %v", err)
				}
				_, err := v.Entry(200)
				if err == nil {
					t.Error("an entry behind the end was read")
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		check(db)
		check(p.open(store.Options{URL: address, ReadOnly: true})) // beside the owner
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		check(p.open(store.Options{URL: address}))
	})
}

func TestEntriesOfOneDraftStandSideBySide(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		db := p.open(store.Options{URL: p.address("log.db")})
		fill(t, db, p.key, 1)
		group := db.Group(p.key)
		defer group.Close()
		var wait sync.WaitGroup
		for w := range 8 {
			wait.Go(func() {
				a := []appender{alone{db, p.key}, grouped{group}}[w%2]
				got, err := a.add(t.Context(), func(v store.View) ([]evidence.Entry, error) {
					return append(append(entry(v, fmt.Sprint(w)), entry(v, fmt.Sprint(w))...), entry(v, fmt.Sprint(w))...), nil
				})
				if err != nil || len(got) != 3 || got[1].Index != got[0].Index+1 || got[2].Index != got[0].Index+2 {
					t.Errorf("got %v, %v", got, err)
				}
			})
		}
		wait.Wait()
		all := whats(t, db)
		if len(all) != 25 {
			t.Fatalf("got %d entries, want 25", len(all))
		}
		for i := 1; i < len(all); i += 3 {
			if all[i] != all[i+1] || all[i] != all[i+2] {
				t.Errorf("entries of several drafts are mixed: %q", all)
			}
		}
	})
}

var errAlready = errors.New("already there")

func TestOfTwoDraftsThatRuleEachOtherOutOneWins(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		db := p.open(store.Options{URL: p.address("log.db")})
		fill(t, db, p.key, 1)
		group := db.Group(p.key)
		defer group.Close()
		for round := range 20 {
			for _, a := range []appender{alone{db, p.key}, grouped{group}} {
				s := subject(round)
				if _, is := a.(grouped); is {
					s = subject(1000 + round)
				}
				once := func(v store.View) ([]evidence.Entry, error) {
					for range v.Find(evidence.KindNote, s) {
						return nil, errAlready
					}
					return []evidence.Entry{about(v, "use the approval", s)}, nil
				}
				var wait sync.WaitGroup
				results := make([]error, 4)
				for i := range results {
					wait.Go(func() { _, results[i] = a.add(t.Context(), once) })
				}
				wait.Wait()
				won := 0
				for _, err := range results {
					if err == nil {
						won++
					} else if !errors.Is(err, errAlready) {
						t.Fatal(err)
					}
				}
				if won != 1 {
					t.Fatalf("round %d: %d drafts won, want one", round, won)
				}
			}
		}
	})
}

func TestSixteenAppendersLeaveNoGapAndLoseNothing(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		address := p.address("log.db")
		db := p.open(store.Options{URL: address})
		fill(t, db, p.key, 1)
		group := db.Group(p.key)
		var mutex sync.Mutex
		acknowledged := map[uint64]string{0: "step 0"}
		var wait sync.WaitGroup
		for w := range 16 {
			wait.Go(func() {
				a := []appender{alone{db, p.key}, grouped{group}}[w%2]
				last := uint64(0)
				for i := range 25 {
					what := fmt.Sprintf("worker %d step %d", w, i)
					got, err := a.add(t.Context(), saying(what))
					if err != nil || len(got) != 1 || got[0].Index <= last {
						t.Errorf("%s: got %v, %v after %d", what, got, err, last)
						return
					}
					last = got[0].Index
					mutex.Lock()
					acknowledged[last] = what
					mutex.Unlock()
				}
			})
		}
		wait.Wait()
		group.Close()
		if _, err := group.Append(t.Context(), saying("too late")); err == nil {
			t.Error("a closed group appended")
		}
		db.Close()
		all := whats(t, p.open(store.Options{URL: address}))
		if len(all) != 401 || len(acknowledged) != 401 {
			t.Fatalf("%d entries, %d acknowledged, want 401", len(all), len(acknowledged))
		}
		for i, what := range all {
			if acknowledged[uint64(i)] != what {
				t.Errorf("entry %d says %q, acknowledged was %q", i, what, acknowledged[uint64(i)])
			}
		}
	})
}

func TestAnErrorOfADraftLeavesNothingAndHarmsNoOther(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		db := p.open(store.Options{URL: p.address("log.db")})
		fill(t, db, p.key, 2)
		group := db.Group(p.key)
		defer group.Close()
		refused := errors.New("no")
		bad := map[string]store.Draft{
			"refuses":               func(store.View) ([]evidence.Entry, error) { return nil, refused },
			"an entry without what": func(v store.View) ([]evidence.Entry, error) { return append(entry(v, "half"), entry(v, "")...), nil },
			"a second beginning": func(v store.View) ([]evidence.Entry, error) {
				return []evidence.Entry{{Kind: evidence.KindLogBegun, What: "begin"}}, nil
			},
			"a line that is too long": func(v store.View) ([]evidence.Entry, error) {
				return append(entry(v, "half"), entry(v, strings.Repeat("x", evidence.MaxLine))...), nil
			},
		}
		for name, draft := range bad {
			for _, a := range []appender{alone{db, p.key}, grouped{group}} {
				if got, err := a.add(t.Context(), draft); err == nil {
					t.Errorf("%s: got %v, want an error", name, got)
				}
			}
		}
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		for _, a := range []appender{alone{db, p.key}, grouped{group}} {
			if _, err := a.add(cancelled, saying("too late")); !errors.Is(err, context.Canceled) {
				t.Errorf("cancelled: got %v", err)
			}
			func() {
				defer func() {
					if recover() == nil {
						t.Error("the panic of a draft was swallowed")
					}
				}()
				a.add(t.Context(), func(store.View) ([]evidence.Entry, error) { panic("draft") })
			}()
		}
		if got, err := db.Append(t.Context(), p.key, func(store.View) ([]evidence.Entry, error) { return nil, nil }); err != nil || len(got) != 0 {
			t.Errorf("nothing to write: got %v, %v", got, err)
		}
		fill(t, db, p.key, 1)
		if got := whats(t, db); !slices.Equal(got, []string{"step 0", "step 1", "step 0"}) {
			t.Errorf("got %q", got)
		}
	})
}

func TestOrderIsThatOfTheIndexWhateverTheClockSays(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
		at := []time.Time{now, now.AddDate(10, 0, 0), now.AddDate(-10, 0, 0), now, now.Add(-time.Hour), now.Add(time.Hour)}
		i := 0
		db := p.open(store.Options{URL: p.address("log.db"), Now: func() time.Time { return at[min(i, len(at)-1)] }})
		for i = range at {
			fill(t, db, p.key, 1)
		}
		err := db.View(t.Context(), func(v store.View) error {
			for i, want := range at {
				e, err := v.Entry(uint64(i))
				if err != nil || !e.Time.Equal(want) {
					t.Errorf("entry %d has the time %v, want %v (%v)", i, e.Time, want, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestAnotherKeyIsRefusedUnlessItTakesOver(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		address := p.address("log.db")
		db := p.open(store.Options{URL: address})
		fill(t, db, p.key, 3)
		next := newKey(t, "tidewater-log-2", 2)
		if _, err := db.Append(t.Context(), next, saying("sign as somebody else")); err == nil {
			t.Fatal("a key that is not of this log signed")
		} else if _, is := errors.AsType[*store.KeyError](err); !is || hint(err) == "" {
			t.Fatalf("got %v", err)
		}
		if _, err := db.Rotate(t.Context(), p.key, next, drafting(evidence.Rotate(p.key.Public(), next.Public(), json.RawMessage(`["ana","ben"]`)))); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Append(t.Context(), p.key, saying("sign with the old key")); err == nil {
			t.Error("the old key signed after the change")
		}
		fill(t, db, next, 2)
		db.Close()
		db = p.open(store.Options{URL: address})
		fill(t, db, next, 1)
		third := newKey(t, "tidewater-log-3", 3)
		if _, err := db.Replace(t.Context(), third, drafting(evidence.Lose(next.Public(), third.Public(), json.RawMessage(`["ana","ben"]`)))); err != nil {
			t.Fatal(err)
		}
		fill(t, db, third, 1)
		if got := whats(t, db); len(got) != 9 {
			t.Errorf("got %q", got)
		}
		report, err := db.Check(t.Context(), evidence.VerifyOptions{Keys: []string{p.key.Public(), third.Public()}})
		if err != nil || !report.Good() || len(report.Result.Losses) != 1 {
			t.Errorf("check: got %+v, %v", report, err)
		}
		if _, err := db.Append(t.Context(), third, drafting(evidence.Lose(next.Public(), third.Public(), nil))); err == nil {
			t.Error("an entry about a key was written where no key changes")
		}
	})
}
