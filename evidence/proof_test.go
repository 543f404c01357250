package evidence_test

import (
	"errors"
	"testing"

	"halligan/evidence"
)

func leafOf(leaves []evidence.Hash) func(uint64) (evidence.Hash, error) {
	return func(i uint64) (evidence.Hash, error) { return leaves[i], nil }
}

func TestEveryEntryIsProvedAndNoOther(t *testing.T) {
	leaves := someLeaves(40)
	for size := 1; size <= len(leaves); size++ {
		root := oracleRoot(leaves[:size])
		for i := range size {
			proof, err := evidence.ProveEntry(uint64(size), uint64(i), leafOf(leaves))
			if err != nil {
				t.Fatal(err)
			}
			for claimed := range size {
				err := evidence.CheckEntry(proof, uint64(size), root, uint64(claimed), leaves[i])
				if (err == nil) != (claimed == i) {
					t.Errorf("entry %d of %d claimed to be %d: %v", i, size, claimed, err)
				}
			}
			if err := evidence.CheckEntry(proof, uint64(size), root, uint64(i), evidence.LeafHash([]byte("other"))); err == nil {
				t.Errorf("entry %d of %d: another line is proved", i, size)
			}
			for cut := range proof {
				if evidence.CheckEntry(proof[:cut], uint64(size), root, uint64(i), leaves[i]) == nil {
					t.Errorf("entry %d of %d: proved by %d of %d hashes", i, size, cut, len(proof))
				}
			}
		}
	}
}

func TestEveryBeginningIsProvedAndNoOther(t *testing.T) {
	leaves := someLeaves(40)
	other := append([]evidence.Hash{evidence.LeafHash([]byte("other"))}, leaves[1:]...)
	for size := 1; size <= len(leaves); size++ {
		root := oracleRoot(leaves[:size])
		for old := 1; old <= size; old++ {
			proof, err := evidence.ProveConsistency(uint64(old), uint64(size), leafOf(leaves))
			if err != nil {
				t.Fatal(err)
			}
			if err := evidence.CheckConsistency(proof, uint64(size), root, uint64(old), oracleRoot(leaves[:old])); err != nil {
				t.Errorf("%d begins with %d: %v", size, old, err)
			}
			if evidence.CheckConsistency(proof, uint64(size), root, uint64(old), oracleRoot(other[:old])) == nil {
				t.Errorf("%d begins with another %d: proved", size, old)
			}
			if evidence.CheckConsistency(proof, uint64(size), oracleRoot(other[:size]), uint64(old), oracleRoot(leaves[:old])) == nil {
				t.Errorf("another %d begins with %d: proved", size, old)
			}
		}
	}
}

func TestProofsOfNothingAreRefused(t *testing.T) {
	leaves := someLeaves(4)
	broken := errors.New("cannot be read")
	for name, prove := range map[string]func() error{
		"an entry after the last": func() error { _, err := evidence.ProveEntry(4, 4, leafOf(leaves)); return err },
		"a log without entries":   func() error { _, err := evidence.ProveConsistency(0, 4, leafOf(leaves)); return err },
		"a longer beginning":      func() error { _, err := evidence.ProveConsistency(5, 4, leafOf(leaves)); return err },
		"a size beyond all":       func() error { _, err := evidence.ProveEntry(1<<63, 0, leafOf(leaves)); return err },
		"checking an entry after the last": func() error {
			return evidence.CheckEntry(nil, 4, oracleRoot(leaves), 4, leaves[0])
		},
		"checking a log without entries": func() error {
			return evidence.CheckConsistency(nil, 4, oracleRoot(leaves), 0, oracleRoot(nil))
		},
	} {
		if err := prove(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	failing := func(uint64) (evidence.Hash, error) { return evidence.Hash{}, broken }
	if _, err := evidence.ProveEntry(4, 1, failing); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
	if _, err := evidence.ProveConsistency(3, 4, failing); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
}

// The sizes that docs/performance.md states.
func TestProofsAreSmall(t *testing.T) {
	same := evidence.LeafHash(nil)
	leaf := func(uint64) (evidence.Hash, error) { return same, nil }
	for _, c := range []struct {
		size                uint64
		entry, consistently int
	}{{1_000, 320, 320}, {20_000, 480, 512}, {1_000_000, 640, 640}} {
		var entry, consistency int
		for _, i := range []uint64{0, c.size / 3, c.size/2 + 1, c.size - 1} {
			proof, err := evidence.ProveEntry(c.size, i, leaf)
			if err != nil {
				t.Fatal(err)
			}
			entry = max(entry, 32*len(proof))
			if proof, err = evidence.ProveConsistency(i+1, c.size, leaf); err != nil {
				t.Fatal(err)
			}
			consistency = max(consistency, 32*len(proof))
		}
		t.Logf("%d entries: an entry in %d bytes, a beginning in %d bytes", c.size, entry, consistency)
		if entry > c.entry || consistency > c.consistently {
			t.Errorf("%d entries: %d and %d bytes, want at most %d and %d", c.size, entry, consistency, c.entry, c.consistently)
		}
	}
}
