package app_test

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"halligan/custody"
	"halligan/evidence"
	"halligan/internal/app"
	"halligan/internal/store"
	"halligan/internal/testenv"
	"halligan/register"
)

func (w *world) key() *evidence.LogKey { return w.Ledger.(app.Owned).Key }

// verifies exports the log and verifies the folder alone.
func (w *world) verifies(keys ...string) (*evidence.Result, error) {
	w.t.Helper()
	folder := filepath.Join(w.t.TempDir(), "export")
	if err := w.db.Export(w.t.Context(), folder); err != nil {
		w.t.Fatal(err)
	}
	return evidence.Verify(os.DirFS(folder), evidence.VerifyOptions{Keys: keys})
}

func note(what string) evidence.Entry { return evidence.Entry{Kind: evidence.KindNote, What: what} }

func (w *world) appendsBy(key *evidence.LogKey) error {
	_, err := w.db.Append(w.t.Context(), key, func(store.View) ([]evidence.Entry, error) { return []evidence.Entry{note("by this key")}, nil })
	return err
}

// reopens closes the store and opens it as the next command does.
func (w *world) reopens() {
	w.t.Helper()
	w.closes()
	ledger, end, err := app.OpenLedger(w.t.Context(), w.place)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { end() })
	w.Ledger, w.db = ledger, ledger.(app.Owned).DB
}

func TestTwoPeopleChangeTheLogKey(t *testing.T) {
	w := begun(t)
	old := w.key()
	ask := w.As("ana").Requests(custody.VerbLogKey)
	if err := w.Does(ask); !errors.Is(err, custody.ReasonTooFew) {
		t.Fatalf("one person: %v", err)
	}
	if _, err := w.As("ana").approves(ask); !errors.Is(err, custody.ReasonOwn) {
		t.Fatalf("one person twice: %v", err)
	}
	done := w.As("ben").Approves(ask).Done
	if done == nil || done.Intent == 0 || done.Outcome != done.Intent+1 {
		t.Fatalf("%+v", done)
	}
	now := w.key()
	if now.Public() == old.Public() {
		t.Fatal("the key is the old one")
	}
	if on, err := w.place.Keys.Load(); err != nil || on.Public() != now.Public() {
		t.Fatalf("kept is %v, %v", on, err)
	}
	w.smuggles(note("after it"))
	if err := w.appendsBy(old); err == nil {
		t.Fatal("the old key signs on")
	} else if _, is := errors.AsType[*store.KeyError](err); !is {
		t.Fatal(err)
	}
	r, err := w.verifies(old.Public())
	if err != nil || len(r.Keys) != 2 || r.Keys[1].Key != now.Public() || r.Keys[1].From != done.Outcome+2 {
		t.Fatalf("followed from the old key: %+v, %v", r, err)
	}
	changed := w.entries(evidence.KindLogKey, ask)
	var d struct{ Signatures []string }
	if len(changed) != 1 || json.Unmarshal(changed[0].Data, &d) != nil || len(d.Signatures) != 2 {
		t.Fatalf("%+v", changed)
	}
	for i, name := range []string{"ana", "ben"} {
		if a, err := custody.ParseApproval([]byte(d.Signatures[i])); err != nil || a.Person != name || a.Request != ask {
			t.Errorf("signature %d: %+v, %v", i, a, err)
		}
	}
	// Nobody changes it once more with the same request, and a second change follows the first.
	if err := w.Does(ask); !errors.Is(err, custody.ReasonUsed) {
		t.Error(err)
	}
	w.As("ben").Approves(w.As("ana").Requests(custody.VerbLogKey))
	if r, err := w.verifies(old.Public()); err != nil || len(r.Keys) != 3 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestARequestForTheKeyOfYesterdayIsStale(t *testing.T) {
	w := begun(t)
	first, second := w.As("ana").Requests(custody.VerbLogKey), w.As("mallory").Requests(custody.VerbLogKey)
	w.As("ben").Approves(first)
	held := w.key().Public()
	if _, err := w.As("ben").approves(second); err == nil {
		t.Error("changed again")
	} else {
		hinted(t, err)
	}
	if w.key().Public() != held {
		t.Error("another key")
	}
}

// interrupted is a place for keys where the process ends at a step.
type interrupted struct {
	app.KeyFile
	at string
}

var errEnded = errors.New("the process ended here")

func (k interrupted) Prepare(s custody.Secret) error {
	return errors.Join(k.KeyFile.Prepare(s), map[string]error{"prepare": errEnded}[k.at])
}

func (k interrupted) Promote() error {
	if k.at == "promote" {
		return errEnded
	}
	return k.KeyFile.Promote()
}

func TestAChangeOfKeysMayBeInterruptedAnywhere(t *testing.T) {
	for _, at := range []string{"prepare", "promote"} {
		t.Run("at "+at, func(t *testing.T) {
			w := begun(t)
			old := w.key().Public()
			ask := w.As("ana").Requests(custody.VerbLogKey)
			w.Keys = interrupted{w.place.Keys.(app.KeyFile), at}
			if _, err := w.As("ben").approves(ask); !errors.Is(err, errEnded) {
				t.Fatal(err)
			}
			w.Keys = w.place.Keys
			w.reopens()
			if changed := w.key().Public() != old; changed != (at == "promote") {
				t.Errorf("changed: %v", changed)
			}
			w.smuggles(note("goes on"))
			if on, err := w.place.Keys.Load(); err != nil || on.Public() != w.key().Public() {
				t.Errorf("kept is another key: %v", err)
			}
			if at == "promote" {
				if next, err := w.place.Keys.Prepared(); next != nil || err != nil {
					t.Errorf("a prepared key is left: %v", err)
				}
				ask = w.As("ana").Requests(custody.VerbLogKey)
				w.As("ben").Approves(ask)
			} else if err := w.Does(ask); err != nil {
				t.Error(err)
			}
			if _, err := w.verifies(old); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestALogKeyThatOthersCanReadIsRefused(t *testing.T) {
	if runtime.GOOS == "windows" {
		testenv.Missing(t, "files have no modes on Windows")
	}
	w := begun(t)
	path := w.place.Keys.String()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info.Mode(), err)
	}
	w.closes()
	for _, mode := range []os.FileMode{0o640, 0o604, 0o644} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, _, err := app.OpenLedger(t.Context(), w.place); err == nil {
			t.Fatalf("mode %o is taken", mode)
		} else {
			hinted(t, err)
		}
	}
}

// As the owner alone can change the key, whoever reaches the store through
// another process is told, and loses nothing by trying.
func TestTheKeyIsNotChangedThroughTheOwner(t *testing.T) {
	w := begun(t)
	ask := w.As("ana").Requests(custody.VerbLogKey)
	mine := w.Ledger
	w.Ledger = served(t, w)
	if _, err := w.As("ana").asks(custody.VerbLogKey); err == nil {
		t.Error("asked")
	} else {
		hinted(t, err)
	}
	got, err := w.As("ben").approves(ask)
	if err == nil || got == nil || got.Missing != 0 || got.Done != nil {
		t.Fatalf("%+v, %v", got, err)
	}
	hinted(t, err)
	w.Ledger = mine
	if err := w.Does(ask); err != nil {
		t.Error(err)
	}
}

// lose takes the log key away.
func (w *world) lose() *app.Loss {
	w.t.Helper()
	if err := os.Remove(w.place.Keys.String()); err != nil {
		w.t.Fatal(err)
	}
	w.Ledger = nil // nobody can write
	return &app.Loss{File: w.place.Keys.String() + ".lost", DB: w.db}
}

func (a *actor) asksLoss(l *app.Loss) (*app.Asked, error) {
	return a.w.AskLoss(a.w.t.Context(), l, app.Question{Verb: custody.VerbLogKeyLost, Why: "the disk broke", By: a.name, Sign: a.sign})
}

func (a *actor) approvesLoss(l *app.Loss) (*app.Approved, error) {
	return a.w.ApproveLoss(a.w.t.Context(), l, a.name, time.Time{}, a.sign)
}

func TestTwoPeopleGoOnWhenTheLogKeyIsLost(t *testing.T) {
	w := begun(t)
	old := w.key()
	l := w.lose()
	if _, _, err := openedBy(t, w); err == nil {
		t.Fatal("a log is opened for writing without its key")
	} else {
		hinted(t, err)
	}
	w.opensWithoutKey(l)
	if _, err := w.As("ben").approvesLoss(l); err == nil {
		t.Error("nobody has asked")
	} else {
		hinted(t, err)
	}
	if _, err := w.AskLoss(t.Context(), l, app.Question{Why: "lost", By: "ana"}); !errors.Is(err, custody.ReasonUnsigned) {
		t.Errorf("unsigned: %v", err)
	}
	if _, err := w.As("ben").asksLoss(l); !errors.Is(err, custody.ReasonMayNotAsk) {
		t.Errorf("ben does not operate: %v", err)
	}
	asked, err := w.As("ana").asksLoss(l)
	if err != nil || asked.Needed != 1 {
		t.Fatalf("%+v, %v", asked, err)
	}
	if _, err := w.As("ana").approvesLoss(l); !errors.Is(err, custody.ReasonOwn) {
		t.Errorf("one person: %v", err)
	}
	if _, err := w.As("victor").approvesLoss(l); !errors.Is(err, custody.ReasonRight) {
		t.Errorf("victor: %v", err)
	}
	kept, err := os.ReadFile(l.File)
	if err != nil {
		t.Fatal(err)
	}
	got, err := w.As("ben").approvesLoss(l)
	if err != nil || got.Done == nil || got.Missing != 0 {
		t.Fatalf("%+v, %v", got, err)
	}
	hash := asked.Request.Hash()
	w.db = l.DB
	w.reopens()
	for kind, n := range map[evidence.Kind]int{evidence.KindRequest: 1, evidence.KindApproval: 1, evidence.KindIntent: 1, evidence.KindOutcome: 1, evidence.KindLogKeyLost: 1} {
		if e := w.entries(kind, hash); len(e) != n {
			t.Errorf("%d entries of kind %s", len(e), kind)
		}
	}
	if out := w.entries(evidence.KindOutcome, hash); *out[0].Refers != got.Done.Intent || out[0].Index != got.Done.Outcome {
		t.Errorf("%+v, %+v", out[0], got.Done)
	}
	if err := w.appendsBy(old); err == nil {
		t.Error("the lost key, found again, signs on")
	}
	w.smuggles(note("goes on"))
	if _, err := w.verifies(old.Public()); err == nil {
		t.Error("the new key is believed by itself")
	} else if f, is := errors.AsType[*evidence.Finding](err); !is || f.Fault != evidence.OtherKey {
		t.Error(err)
	}
	if r, err := w.verifies(old.Public(), w.key().Public()); err != nil || len(r.Losses) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	if s := w.standing(); !s.Stands() {
		t.Errorf("%+v", s)
	}
	// The same file brings no third key.
	if _, err := os.Stat(l.File); !errors.Is(err, os.ErrNotExist) {
		t.Error("the request is left", err)
	}
	if err := os.WriteFile(l.File, kept, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := w.As("ben").approvesLoss(&app.Loss{File: l.File, DB: w.db}); !errors.Is(err, custody.ReasonUsed) {
		t.Errorf("used again: %v", err)
	}
	if on, err := w.place.Keys.Load(); err != nil || on.Public() != w.key().Public() {
		t.Errorf("kept is another key: %v", err)
	}
	// A log that lost a key changes keys as any other.
	w.As("ben").Approves(w.As("ana").Requests(custody.VerbLogKey))
	if c, err := w.Checkpoint(t.Context()); err != nil || c.Key != w.key().Public() {
		t.Errorf("%+v, %v", c, err)
	}
	second := w.key().Public()
	l = w.lose()
	w.opensWithoutKey(l)
	if _, err := w.As("ana").asksLoss(l); err != nil {
		t.Fatal(err)
	}
	if _, err := w.As("ben").approvesLoss(l); err != nil {
		t.Fatal(err)
	}
	w.db = l.DB
	w.reopens()
	if r, err := w.verifies(second, w.key().Public(), old.Public()); err != nil || len(r.Losses) != 2 {
		t.Errorf("%+v, %v", r, err)
	}
}

func openedBy(t *testing.T, w *world) (app.Ledger, func() error, error) {
	t.Helper()
	w.closes()
	return app.OpenLedger(t.Context(), w.place)
}

func (w *world) opensWithoutKey(l *app.Loss) {
	w.t.Helper()
	w.db.Close()
	var err error
	if w.db, err = store.Open(w.t.Context(), store.Options{URL: w.place.Store, Now: func() time.Time { return w.now }}); err != nil {
		w.t.Fatal(err)
	}
	l.DB = w.db
}

// The rules are those that were approved, wherever halligan.yaml has got to.
func TestALostKeyIsDecidedByTheApprovedRegister(t *testing.T) {
	w := begun(t)
	l := w.lose()
	w.edits(func(r *register.Register) {
		r.Quorum = register.Quorum{People: 1}
		r.Person("victor").Roles = []register.Role{register.RoleApprover}
	})
	if _, err := w.As("mallory").asksLoss(l); err != nil {
		t.Fatal(err)
	}
	for name, reason := range map[string]custody.Reason{"mallory": custody.ReasonOwn, "victor": custody.ReasonRight} {
		if _, err := w.As(name).approvesLoss(l); !errors.Is(err, reason) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got, err := w.As("ben").approvesLoss(l); err != nil || got.Done == nil {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestOneApprovalOfALossCountsOnce(t *testing.T) {
	w := begun(t, quorum(2))
	l := w.lose()
	if _, err := w.As("ana").asksLoss(l); err != nil {
		t.Fatal(err)
	}
	if got, err := w.As("ben").approvesLoss(l); err != nil || got.Missing != 1 || got.Done != nil {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := w.As("ben").approvesLoss(l); !errors.Is(err, custody.ReasonTwice) {
		t.Errorf("ben again: %v", err)
	}
	got, err := w.As("carol").approvesLoss(l)
	if err != nil || got.Done == nil {
		t.Fatalf("%+v, %v", got, err)
	}
	approvals := entriesOf(t, w.db, evidence.KindApproval, got.Request.Hash())
	if len(approvals) != 2 {
		t.Fatalf("%+v", approvals)
	}
	for _, e := range approvals {
		var d struct{ Key string }
		if json.Unmarshal(e.Data, &d) != nil || d.Key == "" {
			t.Errorf("entry %d does not say which key signed: %s", e.Index, e.Data)
		}
	}
}

func TestALostKeyMayBeReplacedWithAnInterruption(t *testing.T) {
	w := begun(t)
	old := w.key().Public()
	l := w.lose()
	if _, err := w.As("ana").asksLoss(l); err != nil {
		t.Fatal(err)
	}
	w.Keys = interrupted{w.place.Keys.(app.KeyFile), "promote"}
	if _, err := w.As("ben").approvesLoss(l); !errors.Is(err, errEnded) {
		t.Fatal(err)
	}
	w.reopens()
	w.smuggles(note("goes on"))
	if w.key().Public() == old {
		t.Error("the old key")
	}
	if r, err := w.verifies(old, w.key().Public()); err != nil || len(r.Losses) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	if !slices.ContainsFunc(w.entries(evidence.KindOutcome, ""), func(e evidence.Entry) bool { return e.What == string(custody.VerbLogKeyLost) }) {
		t.Error("no outcome")
	}
}

// A key that was prepared for a log that never took it is no key: it must neither
// stay nor keep people from asking for a new one.
func TestAKeyThatTheLogDidNotTakeIsDiscarded(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		kept bool
	}{
		"refused":                   {custody.ReasonTooFew, false},
		"poisoned before":           {&store.PoisonedError{Why: errEnded}, false},
		"in doubt":                  {&store.PoisonedError{Why: errEnded, InDoubt: true}, true},
		"the witness is not there":  {&store.WitnessError{Why: errEnded}, false},
		"the witness is not told":   {&store.WitnessError{Why: errEnded, Written: true}, true},
		"the owner does not answer": {&store.DoubtError{Why: errEnded, Owner: &store.OwnedError{}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			keys := app.KeyFile{Path: filepath.Join(t.TempDir(), "log.key")}
			key, err := evidence.NewLogKey(rand.Reader, "tidewater-2")
			if err != nil {
				t.Fatal(err)
			}
			_, err = app.ChangeKey(keys, key, func() ([]evidence.Entry, error) { return nil, fmt.Errorf("append: %w", c.err) })
			if !errors.Is(err, c.err) {
				t.Errorf("got %v, want %v", err, c.err)
			}
			if next, err := keys.Prepared(); err != nil || (next != nil) != c.kept {
				t.Errorf("the prepared key is there: %v, want %v (%v)", next != nil, c.kept, err)
			}
		})
	}
}

func TestAPreparedKeyCountsOnlyWhenTheLogTookIt(t *testing.T) {
	w := begun(t)
	lost := func(want bool) {
		t.Helper()
		if is, err := app.KeyLost(t.Context(), w.place); err != nil || is != want {
			t.Errorf("lost: %v, %v, want %v", is, err, want)
		}
	}
	keys := w.place.Keys.(app.KeyFile)
	held := w.key()
	lost(false)
	other, err := evidence.NewLogKey(rand.Reader, "tidewater-9")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Remove(keys.Path), keys.Prepare(other.Secret())); err != nil {
		t.Fatal(err)
	}
	lost(true)
	if err := os.WriteFile(keys.Path+".next", []byte("cut o"), 0o600); err != nil { // the process ended while it was written
		t.Fatal(err)
	}
	lost(true)
	if err := keys.Prepare(held.Secret()); err != nil {
		t.Fatal(err)
	}
	lost(false)
	if err := errors.Join(keys.Discard(), keys.Discard()); err != nil {
		t.Fatal(err)
	}
	lost(true)
}
