package storetest_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"halligan/evidence"
	"halligan/internal/store"
)

func TestAWitnessThatWasTamperedWithIsNotBelieved(t *testing.T) {
	type tamper struct {
		do     func(file string, before []byte) error
		reopen bool
	}
	for name, tampered := range map[string]tamper{
		"emptied":           {func(file string, _ []byte) error { return os.Remove(file) }, true},
		"emptied meanwhile": {func(file string, _ []byte) error { return os.Remove(file) }, false},
		"taken back":        {func(file string, before []byte) error { return os.WriteFile(file, before, 0o600) }, false},
		"filled with noise": {func(file string, _ []byte) error { return os.WriteFile(file, []byte("noise"), 0o600) }, true},
		"of another log": {func(file string, before []byte) error {
			return os.WriteFile(file, []byte(strings.Replace(string(before), "evidence/", "evidence/0", 1)), 0o600)
		}, true},
		"with another root":  {func(file string, before []byte) error { return os.WriteFile(file, otherRoot(before), 0o600) }, true},
		"a folder in place":  {func(file string, _ []byte) error { return errors.Join(os.Remove(file), os.Mkdir(file, 0o700)) }, true},
		"its folder is gone": {func(file string, _ []byte) error { return os.RemoveAll(filepath.Dir(file)) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t, nil)
			original, _, witness := pair(t, p, 0)
			file := filepath.Join(witness, original.Identity().ID+".checkpoint")
			before, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			fill(t, original, p.key, 1)
			if tampered.reopen {
				original.Close()
			}
			if err := tampered.do(file, before); err != nil {
				t.Fatal(err)
			}
			if tampered.reopen {
				original = p.open(store.Options{URL: filepath.Join(p.dir, "log.db"), Witness: witness})
			}
			_, err = original.Append(t.Context(), p.key, saying("unwitnessed"))
			_, isWitness := errors.AsType[*store.WitnessError](err)
			_, isFork := errors.AsType[*store.ForkError](err)
			if !isWitness && !isFork || hint(err) == "" {
				t.Errorf("got %v", err)
			}
			if got := whats(t, original); len(got) != 6 {
				t.Errorf("%d entries, want 6: an append that failed left something", len(got))
			}
		})
	}
}

// Whoever puts an older copy in the place of the store would only have to leave the
// witness out, or give an empty one.
func TestAStoreRemembersItsWitnessPlace(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		original, _, witness := pair(t, p, 0)
		address := p.last
		known := filepath.Join(witness, original.Identity().ID+".checkpoint")
		original.Close()
		another := t.TempDir()
		other := store.Options{URL: address, Witness: another}
		if db, err := store.Open(t.Context(), other); err == nil {
			db.Close()
			t.Error("opened for writing under another witness")
		} else if refused, is := errors.AsType[*store.OtherWitnessError](err); !is || refused.Known != witness || !strings.Contains(hint(err), "halligan store witness") {
			t.Errorf("got %v", err)
		}
		other.ReadOnly = true
		if report := check(t, p.open(other)); report.Good() {
			t.Error("check takes another witness place")
		}
		before, err := os.ReadFile(known)
		if err != nil {
			t.Fatal(err)
		}
		db := p.open(store.Options{URL: address})
		fill(t, db, p.key, 1)
		after, err := os.ReadFile(known)
		if err != nil || string(after) == string(before) {
			t.Errorf("without the option the witness is not told: %v", err)
		}
		db.Close()
		t.Chdir(filepath.Dir(witness))
		fill(t, p.open(store.Options{URL: address, Witness: "witness"}), p.key, 1) // the same place
	})
}

// The place may know the log before the store knows the place: it is remembered all
// the same.
func TestAWitnessPlaceThatKnowsTheLogIsRemembered(t *testing.T) {
	p := newPlace(t, nil)
	address := p.address("log.db")
	db := p.open(store.Options{URL: address})
	fill(t, db, p.key, 2)
	note, err := db.Give(t.Context(), "the witness place")
	if err != nil {
		t.Fatal(err)
	}
	witness := t.TempDir()
	if err := os.WriteFile(filepath.Join(witness, db.Identity().ID+".checkpoint"), note, 0o600); err != nil {
		t.Fatal(err)
	}
	db.Close()
	db = p.open(store.Options{URL: address, Witness: witness})
	fill(t, db, p.key, 1)
	db.Close()
	if got := p.open(store.Options{URL: address}).Identity().Witness; got != witness {
		t.Errorf("it remembers %q, want %q", got, witness)
	}
}

func TestAnOlderCopyIsFoundByTheWitnessItRemembers(t *testing.T) {
	p := newPlace(t, nil)
	original, _, _ := pair(t, p, 0)
	address := filepath.Join(p.dir, "log.db")
	original.Close()
	old, err := os.ReadFile(address)
	if err != nil {
		t.Fatal(err)
	}
	original = p.open(store.Options{URL: address})
	fill(t, original, p.key, 2)
	original.Close()
	if err := os.WriteFile(address, old, 0o600); err != nil {
		t.Fatal(err)
	}
	forked(t, p.open(store.Options{URL: address}), p, true)
}

func TestAWitnessPlaceIsMovedByAnEntryThatTheOldOneSees(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		db, _, old := pair(t, p, 0)
		file := db.Identity().ID + ".checkpoint"
		knows := func(place string, size uint64) {
			t.Helper()
			text, err := os.ReadFile(filepath.Join(place, file))
			if err != nil {
				t.Fatal(err)
			}
			if c, err := evidence.OpenCheckpoint(text, firstKey); err != nil || c.Size != size {
				t.Errorf("%s knows %+v, %v, want %d entries", place, c, err, size)
			}
		}
		to := t.TempDir()
		if _, err := db.MoveWitness(t.Context(), p.key, store.WitnessMove{To: to}, saying("moved")); err != nil {
			t.Fatal(err)
		}
		knows(old, 6)
		knows(to, 6)
		fill(t, db, p.key, 1)
		knows(old, 6)
		knows(to, 7)
		address := p.last
		db.Close()
		db = p.open(store.Options{URL: address})
		if db.Identity().Witness != to {
			t.Errorf("it remembers %s, want %s", db.Identity().Witness, to)
		}
		if report := check(t, db); !report.Good() {
			t.Errorf("check says %+v", report)
		}
		// The place is gone: nothing is written, moving it without saying so included.
		if err := os.RemoveAll(to); err != nil {
			t.Fatal(err)
		}
		third := t.TempDir()
		if _, err := db.MoveWitness(t.Context(), p.key, store.WitnessMove{To: third}, saying("moved")); err == nil {
			t.Error("moved although the old place was not asked")
		}
		if report := check(t, db); report.Good() {
			t.Error("check does not miss the witness place")
		}
		if _, err := db.MoveWitness(t.Context(), p.key, store.WitnessMove{To: third, OldGone: true}, saying("moved")); err != nil {
			t.Fatal(err)
		}
		knows(third, 8)
		if _, err := db.MoveWitness(t.Context(), p.key, store.WitnessMove{}, saying("none")); err != nil {
			t.Fatal(err)
		}
		knows(third, 9)
		fill(t, db, p.key, 1)
		knows(third, 9)
		// A place that knows another log of this store is no new place, but a finding.
		text, err := os.ReadFile(filepath.Join(third, file))
		if err != nil {
			t.Fatal(err)
		}
		fork := t.TempDir()
		if err := os.WriteFile(filepath.Join(fork, file), otherRoot(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err = db.MoveWitness(t.Context(), p.key, store.WitnessMove{To: fork, OldGone: true}, saying("moved"))
		if _, is := errors.AsType[*store.ForkError](err); !is || db.Poisoned() == nil {
			t.Errorf("moved to a place that contradicts the log: %v", err)
		}
	})
}

func otherRoot(note []byte) []byte {
	lines := strings.SplitAfter(string(note), "\n")
	first := "A"
	if strings.HasPrefix(lines[2], first) {
		first = "B"
	}
	lines[2] = first + lines[2][1:]
	return []byte(strings.Join(lines, ""))
}
