package app_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"halligan/custody"
	"halligan/evidence"
	"halligan/internal/app"
)

// writes writes a side log beside the store; without a key it makes one.
func (w *world) writes(key *evidence.LogKey, entries ...evidence.Entry) string {
	w.t.Helper()
	path, err := app.WriteSide(w.place.Side, key, w.now, entries)
	if err != nil {
		w.t.Fatal(err)
	}
	return path
}

func (w *world) merges(folder string) *app.Merged {
	w.t.Helper()
	m, err := w.MergeSide(w.t.Context(), folder)
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

func TestASideLogIsMergedOnceAndMarked(t *testing.T) {
	for _, ours := range []bool{true, false} {
		t.Run(fmt.Sprintf("with the log key: %v", ours), func(t *testing.T) {
			w := begun(t)
			var key *evidence.LogKey
			if ours {
				key = w.key()
			}
			place := uint64(1)
			at := w.now.Add(-time.Hour)
			folder := w.writes(key, note("the accounts were used"), evidence.Entry{Kind: evidence.KindOutcome, What: "open", Why: "fire", Refers: &place, Time: at, Data: []byte(`{"result":"done"}`)})
			w.later(time.Hour)
			size := len(w.entries("", ""))
			m := w.merges(folder)
			if m.Entries != 2 || m.Ours != ours || m.Before || m.Index != uint64(size) {
				t.Fatalf("%+v", m)
			}
			all := w.entries("", "")[size:]
			if len(all) != 3 || all[0].Kind != evidence.KindSideLog || !strings.Contains(string(all[0].Data), fmt.Sprintf(`"ours":%v`, ours)) {
				t.Fatalf("%+v", all)
			}
			for i, e := range all {
				if slices.Contains(e.Marks, custody.MarkUnsigned) == ours || i > 0 && !slices.Contains(e.Marks, app.MarkSide) {
					t.Errorf("entry %d: marks %q", e.Index, e.Marks)
				}
			}
			if !all[2].Time.Equal(at) || all[2].Why != "fire (about entry 1 of the log)" || all[2].Refers != nil {
				t.Errorf("%+v", all[2])
			}
			if again := w.merges(folder); !again.Before || again.Index != m.Index || len(w.entries("", "")) != size+3 {
				t.Errorf("merged twice: %+v", again)
			}
			if moved := folder + "-moved"; os.Rename(folder, moved) != nil || !w.merges(moved).Before {
				t.Error("merged twice under another name")
			}
			if _, err := w.verifies(w.key().Public()); err != nil {
				t.Error(err)
			}
		})
	}
}

// A side log is a log of its own, which others can verify.
func TestASideLogVerifiesAlone(t *testing.T) {
	w := begun(t)
	folder := w.writes(w.key(), note("one"), note("two"))
	if r, err := evidence.Verify(os.DirFS(folder), evidence.VerifyOptions{Keys: []string{w.key().Public()}}); err != nil || r.Size != 3 {
		t.Errorf("%+v, %v", r, err)
	}
	if info, err := os.Stat(filepath.Join(folder, evidence.EntriesFile)); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if list, err := app.SideLogs(w.place.Side); err != nil || !slices.Equal(list, []string{folder}) {
		t.Errorf("%q, %v", list, err)
	}
	if list, err := app.SideLogs(filepath.Join(w.place.Side, "none")); err != nil || len(list) != 0 {
		t.Errorf("%q, %v", list, err)
	}
}

// A key that was changed may be in other hands: what it signs is a claim.
func TestAnOldKeySignsNoSideLogOfOurs(t *testing.T) {
	w := begun(t)
	old := w.key()
	w.As("ben").Approves(w.As("ana").Requests(custody.VerbLogKey))
	if m := w.merges(w.writes(old, note("the accounts were not used"))); m.Ours {
		t.Error("believed")
	}
	if m := w.merges(w.writes(w.key(), note("the accounts were used"))); !m.Ours {
		t.Error("not believed")
	}
}

// The marks of a claim do not depend on whoever made the claim.
func TestAForgedSideLogIsAClaimThroughout(t *testing.T) {
	w := begun(t)
	forged := malloryKey(t)
	folder := w.writes(forged, evidence.Entry{Kind: evidence.KindAttest, What: "attest", Who: []string{"ben"}})
	if m := w.merges(folder); m.Ours {
		t.Error("believed")
	}
	e := w.entries(evidence.KindAttest, "")
	if len(e) != 1 || !slices.Contains(e[0].Marks, custody.MarkUnsigned) {
		t.Errorf("%+v", e)
	}
}

func TestAnAlteredSideLogIsRefused(t *testing.T) {
	w := begun(t)
	for _, c := range []struct {
		name   string
		change func(folder string) error
	}{
		{"a word changed", replacing(evidence.EntriesFile, "not used", "now used")},
		{"an entry cut off", func(f string) error { return cutLast(filepath.Join(f, evidence.EntriesFile)) }},
		{"an entry cut off with its hash", func(f string) error {
			return errors.Join(cutLast(filepath.Join(f, evidence.EntriesFile)), cutLast(filepath.Join(f, evidence.HashesFile)))
		}},
		{"a word changed with its hash", func(f string) error {
			return errors.Join(replacing(evidence.EntriesFile, "not used", "now used")(f), rehash(f))
		}},
		{"no checkpoint", func(f string) error { return os.WriteFile(filepath.Join(f, evidence.CheckpointsFile), nil, 0o600) }},
		{"another file", func(f string) error { return os.WriteFile(filepath.Join(f, "more.txt"), nil, 0o600) }},
		{"nothing there", func(f string) error { return os.Remove(filepath.Join(f, evidence.EntriesFile)) }},
		{"no line", func(f string) error { return os.WriteFile(filepath.Join(f, evidence.EntriesFile), nil, 0o600) }},
		{"too long", func(f string) error {
			return os.WriteFile(filepath.Join(f, evidence.EntriesFile), bytes.Repeat([]byte("a\n"), 3<<20), 0o600)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder := w.writes(w.key(), note("the accounts were used"), note("the accounts were not used"))
			if err := c.change(folder); err != nil {
				t.Fatal(err)
			}
			size := len(w.entries("", ""))
			if m, err := w.MergeSide(t.Context(), folder); err == nil {
				t.Errorf("merged: %+v", m)
			}
			if len(w.entries("", "")) != size {
				t.Error("something of it is in the log")
			}
		})
	}
}

func replacing(file, from, to string) func(string) error {
	return func(folder string) error {
		path := filepath.Join(folder, file)
		text, err := os.ReadFile(path)
		if err == nil && !bytes.Contains(text, []byte(from)) {
			err = fmt.Errorf("%s has no %q", path, from)
		}
		return errors.Join(err, os.WriteFile(path, bytes.Replace(text, []byte(from), []byte(to), 1), 0o600))
	}
}

func cutLast(path string) error {
	text, err := os.ReadFile(path)
	lines := bytes.SplitAfter(text, []byte("\n"))
	return errors.Join(err, os.WriteFile(path, bytes.Join(lines[:len(lines)-2], nil), 0o600))
}

func rehash(folder string) error {
	text, err := os.ReadFile(filepath.Join(folder, evidence.EntriesFile))
	var out strings.Builder
	for line := range bytes.Lines(text) {
		leaf := evidence.LeafHash(bytes.TrimSuffix(line, []byte("\n")))
		out.WriteString(hex.EncodeToString(leaf[:]) + "\n")
	}
	return errors.Join(err, os.WriteFile(filepath.Join(folder, evidence.HashesFile), []byte(out.String()), 0o600))
}

// What others decide by does not come into the log by a side log, whoever signed it.
func TestASideLogDoesNotRule(t *testing.T) {
	w := begun(t)
	w.edits(func(r *registerType) { silence(r) })
	text, digest := w.Register.Deciding()
	may := []evidence.Kind{evidence.KindOutcome, evidence.KindNote, evidence.KindCheck, evidence.KindProve, evidence.KindAttest, evidence.KindRefusal, evidence.KindOpened}
	for _, k := range evidence.Kinds {
		if k.Kind == evidence.KindLogBegun {
			continue // each begins so
		}
		folder := w.writes(w.key(), evidence.Entry{Kind: k.Kind, What: "rule", After: digest, Subject: digest, Data: jsonOf(t, map[string]string{"deciding": string(text), "new": w.key().Public(), "old": w.key().Public()})})
		_, err := w.MergeSide(t.Context(), folder)
		if slices.Contains(may, k.Kind) {
			if err != nil {
				t.Errorf("%s: %v", k.Kind, err)
			}
			continue
		}
		if err == nil || len(w.entries(k.Kind, digest)) > 0 {
			t.Errorf("%s comes in", k.Kind)
		} else {
			hinted(t, err)
		}
	}
	if s := w.standing(); s.Stands() || s.Approved == digest {
		t.Errorf("%+v", s)
	}
}

// What a side log says about the time does not make every request too old.
func TestASideLogDoesNotTurnTheClock(t *testing.T) {
	for _, kind := range []evidence.Kind{evidence.KindOutcome, evidence.KindNote} {
		w := begun(t)
		ask := w.As("ana").Requests(custody.VerbAccept)
		w.merges(w.writes(nil, evidence.Entry{Kind: kind, What: "look at the clock", Time: w.now.AddDate(500, 0, 0)}))
		if _, err := w.As("ben").approves(ask); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
