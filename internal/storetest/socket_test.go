package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"halligan/evidence"
	"halligan/internal/store"
)

// served opens a store as its owner and serves it; end stops the serving.
func served(t *testing.T, p *place, o store.Options) (db *store.DB, socket string, end func() error) {
	t.Helper()
	db, socket = p.open(o), filepath.Join(p.dir, "s.sock")
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- db.Serve(ctx, p.key, socket, nil) }()
	var once sync.Once
	var err error
	end = func() error { once.Do(func() { stop(); err = <-ended }); return err }
	t.Cleanup(func() {
		if err := end(); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return db, socket, end
}

// reach waits until the owner serves.
func reach(t *testing.T, o store.Options, socket string) *store.Remote {
	t.Helper()
	for {
		r, err := store.Reach(t.Context(), o, socket)
		if err == nil {
			t.Cleanup(func() { r.Close() })
			return r
		}
		if !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		runtime.Gosched()
	}
}

// Commands that run while halligan serve owns the store append through it: each
// draft sees the log as it is, and of two that must exclude each other one wins.
func TestCommandsAppendThroughTheOwner(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		o := store.Options{URL: p.address("log.db")}
		db, socket, _ := served(t, p, o)
		fill(t, db, p.key, 2)
		subject := "sha256:" + strings.Repeat("ab", 32)
		won := errors.New("somebody else was first")
		once := func(v store.View) ([]evidence.Entry, error) {
			for range v.Find(evidence.KindNote, subject) {
				return nil, won
			}
			return []evidence.Entry{about(v, "use it", subject)}, nil
		}
		var wait sync.WaitGroup
		var lock sync.Mutex
		winners := 0
		for n := range 4 {
			r := reach(t, o, socket)
			wait.Go(func() {
				for i := range 5 {
					entries, err := r.Append(t.Context(), saying(fmt.Sprintf("command %d, entry %d", n, i)))
					if err != nil || len(entries) != 1 {
						t.Errorf("append: %v", err)
						return
					}
				}
				_, err := r.Append(t.Context(), once)
				lock.Lock()
				defer lock.Unlock()
				if err == nil {
					winners++
				} else if !errors.Is(err, won) {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		if winners != 1 {
			t.Errorf("%d commands used what is good for one", winners)
		}
		if err := db.View(t.Context(), func(v store.View) error {
			if v.Size() != 2+4*5+1 {
				t.Errorf("got %d entries", v.Size())
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
	})
}

func TestOwnerRefusesWhatIsNotItsOwn(t *testing.T) {
	p := newPlace(t, nil)
	o := store.Options{URL: p.address("log.db")}
	_, socket, end := served(t, p, o)
	r := reach(t, o, socket)
	if _, err := r.Append(t.Context(), saying("the first")); err != nil {
		t.Fatal(err)
	}
	other := store.Options{URL: p.address("other.db")}
	fill(t, p.open(other), p.key, 1)
	var refused *store.RefusedError
	if _, err := reach(t, other, socket).Append(t.Context(), saying("to another log")); !errors.As(err, &refused) {
		t.Errorf("got %v, want a refusal: the owner has another store", err)
	}
	if _, err := r.Append(t.Context(), func(store.View) ([]evidence.Entry, error) {
		return []evidence.Entry{{Kind: "never-heard-of", What: "x"}}, nil
	}); !errors.As(err, &refused) {
		t.Errorf("got %v, want a refusal: no such kind", err)
	}
	if err := end(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
	if _, err := r.Append(t.Context(), saying("after its end")); err == nil {
		t.Error("appended without an owner")
	}
}

func TestSocketTakesNobodysPlace(t *testing.T) {
	p := newPlace(t, nil)
	db := p.open(store.Options{URL: p.address("log.db")})
	file := filepath.Join(p.dir, "letter.txt")
	if err := os.WriteFile(file, []byte("dear"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := db.Serve(t.Context(), p.key, file, nil); err == nil {
		t.Error("a file was taken for a socket")
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "dear" {
		t.Errorf("the file is gone: %v", err)
	}
	long := filepath.Join(p.dir, strings.Repeat("l", 120))
	err := db.Serve(t.Context(), p.key, long, nil)
	hinted, is := errors.AsType[interface {
		error
		Hint() string
	}](err)
	if !is || !strings.Contains(hinted.Hint(), "shorter path") {
		t.Errorf("got %v, want a hint at the length of the path", err)
	}
}
