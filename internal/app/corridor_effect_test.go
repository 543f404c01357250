package app_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"halligan/custody"
	"halligan/entra"
	"halligan/evidence"
	"halligan/internal/app"
	"halligan/internal/store"
	"halligan/register"
)

// A target is what the effects of these tests change. The other side may lose its
// answer, or not look as it should.
type target struct {
	is             string // digest
	done           int    // how often the effect was run
	fails, loses   error  // it is not changed; it is changed and the answer is lost
	becomes        string // what it becomes, when not what was asked for
	blind          error  // it cannot be read back
	before, during func()
}

var was, wanted = register.DigestOf([]byte("report only")), register.DigestOf([]byte("on"))

func newTarget() *target { return &target{is: was, becomes: wanted} }

func (p *target) deed() app.Deed {
	return app.Deed{Before: was,
		Effect: func(context.Context) (string, []string, time.Time, error) {
			p.done++
			if p.before != nil {
				p.before()
			}
			if p.fails != nil {
				return "", nil, time.Time{}, p.fails
			}
			p.is = p.becomes
			if p.during != nil {
				p.during()
			}
			return wanted, []string{"5f0c1b9e"}, time.Date(2026, 11, 21, 8, 59, 58, 0, time.UTC), p.loses
		},
		ReadBack: func(ctx context.Context) (string, error) {
			if p.blind != nil || ctx.Err() != nil {
				return "", errors.Join(p.blind, ctx.Err())
			}
			return p.is, nil
		}}
}

// approved is a world with a request that ben approved, and that nobody has
// carried out.
func approved(t testing.TB, set ...setUp) (*world, string) {
	w := begun(t, set...)
	ask := w.As("ana").Requests(custody.VerbAccept)
	w.handsIn(ask, w.As("ben").prepares(w.request(ask)))
	return w, ask
}

func result(t *testing.T, e evidence.Entry) string {
	t.Helper()
	text := string(e.Data)
	for _, r := range []string{"done", "failed", "unknown"} {
		if strings.Contains(text, `"result":"`+r+`"`) {
			return r
		}
	}
	t.Fatalf("entry %d has no result: %s", e.Index, text)
	return ""
}

func TestTheIntentIsInTheLogBeforeTheEffect(t *testing.T) {
	w, ask := approved(t)
	p := newTarget()
	p.before = func() {
		other, err := app.ReadLedger(t.Context(), w.place) // as another process sees it
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		intent := entriesOf(t, other, evidence.KindIntent, ask)
		if len(intent) != 1 || intent[0].Before != was || !slices.Equal(intent[0].Who, []string{"ana", "ben"}) || len(entriesOf(t, other, evidence.KindOutcome, ask)) != 0 {
			t.Errorf("before the effect the log has: %+v", intent)
		}
	}
	done, err := w.Through(t.Context(), ask, p.deed())
	if err != nil || p.done != 1 || p.is != wanted {
		t.Fatalf("%v; run %d times", err, p.done)
	}
	out := w.entries(evidence.KindOutcome, ask)
	if len(out) != 1 || out[0].Index != done.Outcome || *out[0].Refers != done.Intent || result(t, out[0]) != "done" || out[0].After != wanted || !slices.Equal(out[0].RequestIDs, []string{"5f0c1b9e"}) || out[0].Skew != 2*time.Second {
		t.Fatalf("%+v", out)
	}
	if _, err := w.Through(t.Context(), ask, p.deed()); !errors.Is(err, custody.ReasonUsed) || p.done != 1 {
		t.Errorf("again: %v; run %d times", err, p.done)
	}
}

func TestWithoutEvidenceNothingIsDone(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, w *world){
		"the store is closed": func(t *testing.T, w *world) { w.closes() },
		"another key":         func(t *testing.T, w *world) { w.Ledger = app.Owned{DB: w.db, Key: malloryKey(t)} },
		"the store was opened for reading": func(t *testing.T, w *world) {
			db, err := store.Open(t.Context(), store.Options{URL: w.place.Store, ReadOnly: true})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { db.Close() })
			w.Ledger = app.Owned{DB: db, Key: w.Ledger.(app.Owned).Key}
		},
		"the witness place is gone, then there again": func(t *testing.T, w *world) {
			w.closes()
			place := t.TempDir()
			db, err := store.Open(t.Context(), store.Options{URL: w.place.Store, Witness: place})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { db.Close() })
			w.db, w.Ledger = db, app.Owned{DB: db, Key: w.Ledger.(app.Owned).Key}
			w.smuggles(evidence.Entry{Kind: evidence.KindNote, What: "first under the witness"})
			if err := os.Rename(place, place+".gone"); err != nil {
				t.Fatal(err)
			}
		},
		// The failure comes after the request was judged and the intent made.
		"the witness place takes nothing": func(t *testing.T, w *world) {
			w.closes()
			place := t.TempDir()
			db, err := store.Open(t.Context(), store.Options{URL: w.place.Store, Witness: place})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { db.Close() })
			w.db, w.Ledger = db, app.Owned{DB: db, Key: w.Ledger.(app.Owned).Key}
			if err := os.Mkdir(filepath.Join(place, db.Identity().ID+".next"), 0o700); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, ask := approved(t)
			p := newTarget()
			spoil(t, w)
			if done, err := w.Through(t.Context(), ask, p.deed()); err == nil || done != nil {
				t.Errorf("%+v, %v", done, err)
			}
			if p.done != 0 || p.is != was {
				t.Errorf("it was done %d times", p.done)
			}
		})
	}
}

// A store that failed once while it wrote takes nothing more, and so nothing is
// done: the log is cut off in the middle of an append.
func TestAPoisonedStoreStopsTheCorridor(t *testing.T) {
	w, ask := approved(t)
	place := t.TempDir()
	w.closes()
	db, err := store.Open(t.Context(), store.Options{URL: w.place.Store, Witness: place})
	if err != nil {
		t.Fatal(err)
	}
	w.db, w.Ledger = db, app.Owned{DB: db, Key: w.Ledger.(app.Owned).Key}
	w.smuggles(evidence.Entry{Kind: evidence.KindNote, What: "first under the witness"})
	// The witness comes to know a longer log than ours: a copy of the store runs.
	fork(t, w, place)
	p := newTarget()
	if _, err := w.Through(t.Context(), ask, p.deed()); err == nil {
		t.Error("carried out")
	} else if _, is := errors.AsType[*store.ForkError](err); !is {
		t.Errorf("%v", err)
	}
	if _, err := w.Through(t.Context(), ask, p.deed()); err == nil {
		t.Error("carried out")
	} else if _, is := errors.AsType[*store.PoisonedError](err); !is {
		t.Errorf("%v", err)
	}
	if p.done != 0 {
		t.Errorf("it was done %d times", p.done)
	}
}

// fork has a copy of the store write under the same witness.
func fork(t *testing.T, w *world, place string) {
	t.Helper()
	copied := filepath.Join(t.TempDir(), "evidence.db")
	if err := w.db.Backup(t.Context(), copied); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), store.Options{URL: copied, Witness: place})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for range 2 {
		if _, err := db.Append(t.Context(), w.Ledger.(app.Owned).Key, func(store.View) ([]evidence.Entry, error) {
			return []evidence.Entry{{Kind: evidence.KindNote, What: "in the copy"}}, nil
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// What became of an act is what is read back, whatever the answer was.
func TestTheOutcomeIsWhatIsReadBack(t *testing.T) {
	gone := errors.New("the connection was reset")
	other := register.DigestOf([]byte("somebody else's"))
	for _, c := range []struct {
		name   string
		change func(*target)
		result string
		after  string
		unsure bool
	}{
		{"it was done", func(*target) {}, "done", wanted, false},
		{"it failed and nothing is changed", func(p *target) { p.fails = gone }, "failed", was, false},
		{"the answer was lost and it is changed", func(p *target) { p.loses = gone }, "done", wanted, false},
		{"the answer was lost and it is something else", func(p *target) { p.loses, p.becomes = gone, other }, "unknown", other, true},
		{"the answer was good and it is something else", func(p *target) { p.becomes = other }, "unknown", other, true},
		{"the answer was good and nothing is changed", func(p *target) { p.becomes = was }, "unknown", was, true},
		{"it cannot be read back", func(p *target) { p.blind = errors.New("503") }, "unknown", "", true},
		{"it failed and cannot be read back", func(p *target) { p.fails, p.blind = gone, errors.New("503") }, "unknown", "", true},
		{"it failed and is something else", func(p *target) { p.fails, p.is = gone, other }, "unknown", other, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, ask := approved(t)
			p := newTarget()
			c.change(p)
			done, err := w.Through(t.Context(), ask, p.deed())
			if (err == nil) != (c.result == "done") {
				t.Errorf("error %v", err)
			}
			unsure, is := errors.AsType[*app.UnsureError](err)
			if is != c.unsure || is && (unsure.Intent != done.Intent || unsure.Hint() == "") {
				t.Errorf("error %v", err)
			}
			if p.fails != nil && !errors.Is(err, gone) {
				t.Errorf("the cause is lost: %v", err)
			}
			out := w.entries(evidence.KindOutcome, ask)
			if len(out) != 1 || result(t, out[0]) != c.result || out[0].After != c.after || *out[0].Refers != done.Intent || out[0].Index != done.Outcome {
				t.Fatalf("%+v, %+v", out, done)
			}
			if _, err := w.Through(t.Context(), ask, p.deed()); !errors.Is(err, custody.ReasonUsed) || p.done != 1 {
				t.Errorf("it is repeated: %v; run %d times", err, p.done)
			}
		})
	}
}

// Ctrl-C after the effect does not lose the evidence of it.
func TestCtrlCAfterTheEffectLeavesItsOutcome(t *testing.T) {
	w, ask := approved(t)
	ctx, cancel := context.WithCancel(t.Context())
	p := newTarget()
	p.during = cancel
	if _, err := w.Through(ctx, ask, p.deed()); err != nil {
		t.Error(err)
	}
	if out := w.entries(evidence.KindOutcome, ask); len(out) != 1 || result(t, out[0]) != "done" {
		t.Errorf("%+v", out)
	}
	// Before the effect it ends everything, and the request stays unused.
	w, ask = approved(t)
	p = newTarget()
	if _, err := w.Through(ctx, ask, p.deed()); !errors.Is(err, context.Canceled) || p.done != 0 || len(w.entries(evidence.KindIntent, ask)) != 0 {
		t.Errorf("%v; run %d times", err, p.done)
	}
}

// An outcome that the log does not take is written beside it, says so, and comes
// into the log later.
func TestAnOutcomeThatTheLogDoesNotTakeIsLate(t *testing.T) {
	for name, lose := range map[string]error{"done": nil, "unknown": errors.New("503")} {
		t.Run(name, func(t *testing.T) {
			w, ask := approved(t)
			key := w.Ledger.(app.Owned).Key
			w.SideLog = func(entries []evidence.Entry) (string, error) {
				return app.WriteSide(w.place.Side, key, w.now, entries)
			}
			p := newTarget()
			p.during, p.blind = w.closes, lose
			done, err := w.Through(t.Context(), ask, p.deed())
			if err == nil || done == nil || done.Late == "" || done.Outcome != 0 {
				t.Fatalf("%+v, %v", done, err)
			}
			if _, unsure := errors.AsType[*app.UnsureError](err); unsure != (lose != nil) {
				t.Errorf("%v", err)
			}
			w.opens()
			waiting, err := app.SideLogs(w.place.Side)
			if err != nil || !slices.Equal(waiting, []string{done.Late}) {
				t.Fatalf("%q, %v", waiting, err)
			}
			merged, err := w.MergeSide(t.Context(), done.Late)
			if err != nil || merged.Entries != 1 || !merged.Ours {
				t.Fatalf("%+v, %v", merged, err)
			}
			out := w.entries(evidence.KindOutcome, ask)
			if len(out) != 1 || result(t, out[0]) != name || !slices.Contains(out[0].Marks, app.MarkLate) || !slices.Contains(out[0].Marks, app.MarkSide) || !out[0].Time.Equal(w.now) {
				t.Fatalf("%+v", out)
			}
		})
	}
	t.Run("nor can it be written beside", func(t *testing.T) {
		w, ask := approved(t)
		p := newTarget()
		p.during = w.closes
		if done, err := w.Through(t.Context(), ask, p.deed()); err == nil || done == nil || done.Late != "" {
			t.Fatalf("%+v, %v", done, err)
		}
	})
}

// Two processes carry out one request at the same moment: one as the owner of the
// store, one through it. The effect is run once.
func TestOneOfTwoProcessesWins(t *testing.T) {
	race := func(t *testing.T, set ...setUp) (ran int64, errs []error) {
		w, ask := approved(t, set...)
		remote := served(t, w)
		other := *w.App
		other.Ledger = remote
		var count atomic.Int64
		deed := app.Deed{Before: was, ReadBack: func(context.Context) (string, error) { return wanted, nil },
			Effect: func(context.Context) (string, []string, time.Time, error) {
				count.Add(1)
				return wanted, nil, time.Time{}, nil
			}}
		var group sync.WaitGroup
		errs = make([]error, 2)
		start := make(chan struct{})
		for i, a := range []*app.App{w.App, &other} {
			group.Go(func() {
				<-start
				_, errs[i] = a.Through(t.Context(), ask, deed)
			})
		}
		close(start)
		group.Wait()
		return count.Load(), errs
	}
	for range 5 {
		ran, errs := race(t)
		if ran != 1 || (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs...), custody.ReasonUsed) {
			t.Fatalf("run %d times: %v", ran, errs)
		}
	}
	if ran, errs := race(t, lacking(custody.DefenceOnce)); ran != 2 {
		t.Errorf("without the defence it is run %d times: %v", ran, errs)
	}
}

// served has the world's store served on its socket, and reaches it.
func served(t *testing.T, w *world) *store.Remote {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	key := w.Ledger.(app.Owned).Key
	go func() { ended <- w.db.Serve(ctx, key, w.place.Socket, nil) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return reached(t, w)
}

// reached waits until somebody answers on the socket.
func reached(t *testing.T, w *world) *store.Remote {
	t.Helper()
	for {
		r, err := store.Reach(t.Context(), store.Options{URL: w.place.Store, Now: func() time.Time { return w.now }}, w.place.Socket)
		if err == nil {
			t.Cleanup(func() { r.Close() })
			return r
		}
		if t.Context().Err() != nil {
			t.Fatal(err)
		}
	}
}

// A log may have anything in it: an entry that should be a request and names none
// does not stop the others.
func TestAnEntryThatNamesNoRequestIsPassedOver(t *testing.T) {
	w := begun(t)
	w.smuggles(evidence.Entry{Kind: evidence.KindRequest, Tenant: entra.ID(tidewater), What: "accept"})
	w.As("ben").Approves(w.As("ana").Requests(custody.VerbAccept))
}
