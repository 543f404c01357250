package app_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"halligan/custody"
	"halligan/evidence"
	"halligan/internal/app"
	"halligan/internal/store"
	"halligan/internal/storetest"
	"halligan/register"
)

type registerType = register.Register

// noticing is a context that tells when somebody waits on it.
type noticing struct {
	context.Context
	once  *sync.Once
	waits chan struct{}
}

func newNoticing(ctx context.Context) noticing {
	return noticing{ctx, &sync.Once{}, make(chan struct{})}
}

func (n noticing) Done() <-chan struct{} {
	n.once.Do(func() { close(n.waits) })
	return n.Context.Done()
}

func TestASecondCommandWaitsForAShortOwner(t *testing.T) {
	w := begun(t)
	ctx := newNoticing(t.Context())
	type opened struct {
		ledger app.Ledger
		end    func() error
		err    error
	}
	got := make(chan opened, 1)
	go func() {
		l, end, err := app.OpenLedger(ctx, w.place)
		got <- opened{l, end, err}
	}()
	select {
	case <-ctx.waits: // it has found the store owned
	case o := <-got:
		t.Fatalf("it does not wait: %v", o.err)
	}
	w.smuggles(note("by the first"))
	w.closes()
	o := <-got
	if o.err != nil {
		t.Fatal(o.err)
	}
	defer o.end()
	if _, is := o.ledger.(app.Owned); !is {
		t.Errorf("%T", o.ledger)
	}
	w.Ledger = o.ledger
	w.As("ben").Approves(w.As("ana").Requests(custody.VerbAccept))
}

func TestWhoWaitsForAnOwnerCanBeInterrupted(t *testing.T) {
	w := begun(t)
	inner, cancel := context.WithCancel(t.Context())
	ctx := newNoticing(inner)
	got := make(chan error, 1)
	go func() {
		_, _, err := app.OpenLedger(ctx, w.place)
		got <- err
	}()
	select {
	case <-ctx.waits:
	case err := <-got:
		t.Fatalf("it does not wait: %v", err)
	}
	cancel()
	if err := <-got; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// While halligan serve owns the store, others ask and approve through it.
func TestCommandsGoThroughWhoServesTheStore(t *testing.T) {
	w := begun(t)
	served(t, w)
	l, end, err := app.OpenLedger(t.Context(), w.place)
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	if _, is := l.(*store.Remote); !is {
		t.Fatalf("%T", l)
	}
	w.Ledger = l
	w.edits(func(r *register.Register) { silence(r) })
	ask := w.As("ana").Requests(custody.VerbRegister)
	if _, err := w.As("mallory").approves(ask[:10]); err == nil {
		t.Error("a prefix with sha256: is taken")
	}
	if got := w.As("ben").Approves(ask[len("sha256:"):][:12]); got.Done == nil || got.Done.Outcome != got.Done.Intent+2 {
		t.Errorf("%+v", got)
	}
	if s := w.standing(); !s.Stands() {
		t.Errorf("%+v", s)
	}
	if _, err := w.As("mallory").approves(ask); !errors.Is(err, custody.ReasonUsed) {
		t.Errorf("%v", err)
	}
}

func TestEvidenceThatNobodyBeganIsNotBegunByLooking(t *testing.T) {
	place := app.Place{Store: filepath.Join(t.TempDir(), "none", "evidence.db"), Keys: app.KeyFile{Path: filepath.Join(t.TempDir(), "log.key")}}
	_, _, err := app.OpenLedger(t.Context(), place)
	_, readErr := app.ReadLedger(t.Context(), place)
	for _, err := range []error{err, readErr, place.Exists()} {
		if none, is := errors.AsType[*app.NoStoreError](err); !is || none.Name != place.Store {
			t.Errorf("%v", err)
		} else {
			hinted(t, err)
		}
	}
	if _, err := os.Stat(filepath.Dir(place.Store)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something was made: %v", err)
	}
}

func TestALogBeginsOnce(t *testing.T) {
	w := newWorld(t)
	key := w.key().Public()
	w.closes()
	again, begun, err := app.BeginLedger(t.Context(), w.place, tidewater, w.Account)
	if err != nil || begun || again != key {
		t.Errorf("%q, %v, %v", again, begun, err)
	}
	if err := os.Remove(w.place.Keys.String()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := app.BeginLedger(t.Context(), w.place, tidewater, w.Account); err == nil {
		t.Error("a log whose key is lost is begun anew")
	} else if _, is := errors.AsType[*app.NoKeyError](err); !is {
		t.Error(err)
	}
	if _, err := os.Stat(w.place.Keys.String()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a key was made: %v", err)
	}
}

func TestStandingFollowsTheRegister(t *testing.T) {
	w := newWorld(t)
	_, digest := w.Register.Deciding()
	if s := w.standing(); s.Approved != "" || s.Current != digest || s.Stands() {
		t.Errorf("%+v", s)
	}
	ask := w.As("ana").Requests(custody.VerbBegin)
	w.As("ben").Approves(ask)
	if s := w.standing(); s.Approved != digest || !s.Stands() || s.Since != w.entries(evidence.KindRegister, ask)[0].Index {
		t.Errorf("%+v", s)
	}
	w.edits(func(r *register.Register) { r.People[0].Trained = "2026-11-01" }) // decides nothing
	if s := w.standing(); !s.Stands() {
		t.Errorf("%+v", s)
	}
	w.edits(func(r *register.Register) { r.Quorum.Approvals = 2 })
	if s := w.standing(); s.Stands() || s.Approved != digest {
		t.Errorf("%+v", s)
	}
}

// Nobody proves who they are for a record, and the record says so.
func TestRecordsAreMarked(t *testing.T) {
	w := newWorld(t)
	snapshot := register.DigestOf([]byte("snapshot"))
	risk := app.Record{Kind: evidence.KindAcceptedRisk, What: "accept", Subject: snapshot, Data: map[string]string{"check": riskyPart}}
	first, err := w.Record(t.Context(), app.Record{Kind: evidence.KindCheck, What: "check", Subject: snapshot, Data: map[string]int{"open": 3}}, risk)
	if err != nil || len(first) != 2 {
		t.Fatalf("%+v, %v", first, err)
	}
	for _, e := range first {
		if !slices.Equal(e.Marks, []string{custody.MarkUnsigned, app.MarkUnapproved}) || !slices.Equal(e.Who, []string{w.Account}) || e.Tenant != tidewater || e.Subject != snapshot {
			t.Errorf("%+v", e)
		}
	}
	w.As("ben").Approves(w.As("ana").Requests(custody.VerbBegin))
	second, err := w.Record(t.Context(), app.Record{Kind: evidence.KindProve, What: "prove"}, risk)
	if err != nil || len(second) != 1 || !slices.Equal(second[0].Marks, []string{custody.MarkUnsigned}) {
		t.Errorf("an accepted risk is recorded once: %+v, %v", second, err)
	}
}

func TestACheckpointIsForThePaper(t *testing.T) {
	w := begun(t)
	c, err := w.Checkpoint(t.Context())
	if err != nil || c.Size != uint64(len(w.entries("", ""))) || c.Key != w.key().Public() || c.Store != w.Ledger.Identity().ID {
		t.Fatalf("%+v, %v", c, err)
	}
	if _, err := evidence.OpenCheckpoint([]byte(c.Note), c.Key); err != nil {
		t.Error(err)
	}
	empty, err := store.Open(t.Context(), store.Options{URL: filepath.Join(t.TempDir(), "empty.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer empty.Close()
	w.Ledger = app.Owned{DB: empty, Key: w.key()}
	if _, err := w.Checkpoint(t.Context()); err == nil {
		t.Error("an empty log has one")
	} else {
		hinted(t, err)
	}
}

// In a database there may be a log although there is no file: a key that is made
// for it would sign nothing, and stand where the real one belongs.
func TestALedgerInADatabaseIsNotBegunAnewWithoutItsKey(t *testing.T) {
	server := storetest.Postgres(t)
	dir := t.TempDir()
	place := app.Place{Store: server.Database(t), Side: filepath.Join(dir, "side"), Keys: app.KeyFile{Path: filepath.Join(dir, "log.key")}}
	begin := func() (string, bool, error) { return app.BeginLedger(t.Context(), place, tidewater, "os:pat@fire1") }
	key, begun, err := begin()
	if err != nil || !begun {
		t.Fatalf("%v, %v", begun, err)
	}
	if again, begun, err := begin(); err != nil || begun || again != key {
		t.Errorf("again: %q, %v, %v", again, begun, err)
	}
	if err := os.Rename(place.Keys.String(), place.Keys.String()+".backup"); err != nil {
		t.Fatal(err)
	}
	_, begun, err = begin()
	if _, none := errors.AsType[*app.NoKeyError](err); !none || begun {
		t.Errorf("without its key: %v, %v", begun, err)
	}
	hinted(t, err)
	for _, suffix := range []string{"", ".next"} {
		if _, err := os.Stat(place.Keys.String() + suffix); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("a key was made at %s: %v", suffix, err)
		}
	}
}
