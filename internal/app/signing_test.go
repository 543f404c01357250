package app_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"halligan/custody"
	"halligan/internal/app"
	"halligan/internal/store"
	"halligan/register"
)

// apart gives the store back: from now on it is read, and opened for writing only
// once somebody has signed.
func (w *world) apart() {
	w.t.Helper()
	w.closes()
	read, err := app.ReadLedger(w.t.Context(), w.place)
	if err != nil {
		w.t.Fatal(err)
	}
	w.db = read
	key, err := w.place.Keys.Load()
	if err != nil {
		w.t.Fatal(err)
	}
	w.Ledger = app.Owned{DB: read, Key: key}
	w.Open = func(ctx context.Context) (app.Ledger, func() error, error) { return app.OpenLedger(ctx, w.place) }
}

// meanwhile does something with the store while somebody signs: it must be free.
func (a *actor) meanwhile(do func(*world)) app.Sign {
	return func(ctx context.Context, text []byte, challenge string) (app.Signature, error) {
		a.w.t.Helper()
		db, err := store.Open(ctx, store.Options{URL: a.w.place.Store, Now: func() time.Time { return a.w.now }})
		if err != nil {
			a.w.t.Fatalf("while %s signs the store is not free: %v", a.name, err)
		}
		key, err := a.w.place.Keys.Load()
		if err != nil {
			a.w.t.Fatal(err)
		}
		other := *a.w
		program := *a.w.App
		other.App, program.Ledger, program.Open = &program, app.Owned{DB: db, Key: key}, nil
		other.people = map[string]*actor{}
		for name, p := range a.w.people {
			other.people[name] = &actor{&other, name, p.signer}
		}
		do(&other)
		if err := db.Close(); err != nil {
			a.w.t.Fatal(err)
		}
		return a.sign(ctx, text, challenge)
	}
}

// A person may take minutes to sign: nobody is kept from the store meanwhile.
func TestTheStoreIsFreeWhileSomebodySigns(t *testing.T) {
	w := begun(t)
	w.apart()
	records := func(o *world) {
		if _, err := o.Record(t.Context(), app.Record{Kind: "check", What: "check"}); err != nil {
			t.Error(err)
		}
	}
	ana, ben := w.As("ana"), w.As("ben")
	asked, err := w.Ask(t.Context(), app.Question{Verb: custody.VerbAccept, On: riskyPart, Why: "incident 4711", By: "ana", Sign: ana.meanwhile(records)})
	if err != nil {
		t.Fatal(err)
	}
	w.apart()
	out, err := w.Approve(t.Context(), asked.Request.Hash(), "ben", time.Time{}, ben.meanwhile(records))
	if err != nil || out.Done == nil {
		t.Fatalf("got %+v, %v", out, err)
	}
	w.apart()
	asked, err = w.Ask(t.Context(), app.Question{Verb: custody.VerbLogKey, Why: "yearly", By: "ana", Sign: ana.meanwhile(records)})
	if err != nil {
		t.Fatal(err)
	}
	w.apart()
	if out, err = w.Approve(t.Context(), asked.Request.Hash(), "ben", time.Time{}, ben.meanwhile(records)); err != nil || out.Done == nil {
		t.Fatalf("a change of the key: got %+v, %v", out, err)
	}
}

// What was read before somebody signed is not believed after.
func TestWhatChangedWhileSomebodySignedIsSeen(t *testing.T) {
	joins := func(name string) func(*register.Register) {
		return func(r *register.Register) {
			r.People = append(r.People, register.Person{Name: name, Roles: []register.Role{register.RoleViewer}})
		}
	}
	leaves := func(o *world) { // ben is taken out, and that is approved
		o.edits(func(r *register.Register) { r.People = append(r.People[:1], r.People[2:]...) })
		o.As("carol").Approves(o.As("ana").Requests(custody.VerbRegister))
	}
	t.Run("the approver was removed", func(t *testing.T) {
		w := begun(t)
		ask := w.As("ana").Requests(custody.VerbLogKey)
		w.apart()
		if out, err := w.Approve(t.Context(), ask, "ben", time.Time{}, w.As("ben").meanwhile(leaves)); err == nil {
			t.Errorf("his approval counts: %+v", out)
		}
	})
	t.Run("another register was approved", func(t *testing.T) {
		w := begun(t)
		w.apart()
		w.edits(joins("dora"))
		sign := w.As("ana").meanwhile(func(o *world) {
			o.edits(joins("emil"))
			o.As("carol").Approves(o.As("mallory").Requests(custody.VerbRegister))
		})
		if asked, err := w.Ask(t.Context(), app.Question{Verb: custody.VerbRegister, Why: "dora joins", By: "ana", Sign: sign}); err == nil {
			t.Errorf("it was asked for: %+v", asked)
		}
	})
	t.Run("the log has another key", func(t *testing.T) {
		w := begun(t)
		w.apart()
		sign := w.As("ana").meanwhile(func(o *world) { o.As("carol").Approves(o.As("mallory").Requests(custody.VerbLogKey)) })
		_, err := w.Ask(t.Context(), app.Question{Verb: custody.VerbLogKey, Why: "yearly", By: "ana", Sign: sign})
		if err == nil || !strings.Contains(err.Error(), "the log has gone on meanwhile") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("the request was used", func(t *testing.T) {
		w := begun(t)
		ask := w.As("ana").Requests(custody.VerbAccept)
		w.apart()
		if out, err := w.Approve(t.Context(), ask, "ben", time.Time{}, w.As("ben").meanwhile(func(o *world) { o.As("carol").Approves(ask) })); err == nil {
			t.Errorf("it was approved again: %+v", out)
		}
	})
	t.Run("another store took its place", func(t *testing.T) {
		w := begun(t)
		ask := w.As("ana").Requests(custody.VerbAccept)
		w.apart()
		other := begun(t, sharing(w))
		other.closes()
		w.Open = func(ctx context.Context) (app.Ledger, func() error, error) { return app.OpenLedger(ctx, other.place) }
		if out, err := w.As("ben").approves(ask); err == nil || !strings.Contains(err.Error(), "what was signed is for store") {
			t.Errorf("got %+v, %v", out, err)
		}
	})
}
