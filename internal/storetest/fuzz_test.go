package storetest_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"halligan/evidence"
	"halligan/internal/store"
)

// A witness place is outside: whatever lies there must be read without harm, and
// only a checkpoint of this log passes.
func FuzzAWitnessFileIsReadWithoutHarm(f *testing.F) {
	dir := f.TempDir()
	witness := filepath.Join(dir, "witness")
	if err := os.Mkdir(witness, 0o700); err != nil {
		f.Fatal(err)
	}
	db, err := store.Open(f.Context(), store.Options{URL: filepath.Join(dir, "log.db"), Witness: witness})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { db.Close() })
	fill(f, db, newKey(f, "tidewater-log-1", 1), 5)
	file := filepath.Join(witness, db.Identity().ID+".checkpoint")
	note, err := os.ReadFile(file)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][]byte{note, nil, []byte("noise"), otherRoot(note), note[:len(note)/2], append(note, note...), bytes.Replace(note, []byte("\n5\n"), []byte("\n18446744073709551615\n"), 1),
		bytes.Replace(note, []byte("\n5\n"), []byte("\n-5\n"), 1), bytes.Replace(note, []byte("\n5\n"), []byte("\n0\n"), 1), bytes.Repeat([]byte("\n"), 1000)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		report, err := db.Check(t.Context(), evidence.VerifyOptions{Keys: []string{firstKey}})
		if err != nil {
			t.Fatal(err)
		}
		if report.Good() && !bytes.HasPrefix(content, []byte(evidence.OriginPrefix+db.Identity().ID+"\n")) {
			t.Errorf("%q passes for a checkpoint of this log", content)
		}
	})
}
