package evidence

import (
	"fmt"
	"math"

	"golang.org/x/mod/sumdb/tlog"
)

// ProveEntry returns the proof that entry index is part of the tree of the first
// size entries (RFC 6962 2.1.1). leaf returns the hash of an entry; it is called
// for every entry but the one that is proved, each once.
func ProveEntry(size, index uint64, leaf func(uint64) (Hash, error)) ([]Hash, error) {
	if index >= size || size > math.MaxInt64 {
		return nil, fmt.Errorf("prove entry %d of %d: there is none", index, size)
	}
	proof, err := tlog.ProveRecord(int64(size), int64(index), subtrees(leaf))
	if err != nil {
		return nil, fmt.Errorf("prove entry %d of %d: %w", index, size, err)
	}
	return proof, nil
}

// CheckEntry reports why the proof does not show that a line with this leaf hash
// is entry index of the log whose first size entries have this root.
func CheckEntry(proof []Hash, size uint64, root Hash, index uint64, leaf Hash) error {
	if index >= size || size > math.MaxInt64 {
		return fmt.Errorf("check entry %d of %d: there is none", index, size)
	}
	if err := tlog.CheckRecord(proof, int64(size), root, int64(index), leaf); err != nil {
		return fmt.Errorf("check entry %d of %d: the proof does not hold", index, size)
	}
	return nil
}

// ProveConsistency returns the proof that the first old entries of the tree of
// size entries are those of the smaller tree (RFC 6962 2.1.2). old is at least 1.
func ProveConsistency(old, size uint64, leaf func(uint64) (Hash, error)) ([]Hash, error) {
	if old == 0 || old > size || size > math.MaxInt64 {
		return nil, fmt.Errorf("prove that %d entries begin with %d: they cannot", size, old)
	}
	proof, err := tlog.ProveTree(int64(size), int64(old), subtrees(leaf))
	if err != nil {
		return nil, fmt.Errorf("prove that %d entries begin with %d: %w", size, old, err)
	}
	return proof, nil
}

// CheckConsistency reports why the proof does not show that the log of size
// entries with this root begins with the old entries that have oldRoot.
func CheckConsistency(proof []Hash, size uint64, root Hash, old uint64, oldRoot Hash) error {
	if old == 0 || old > size || size > math.MaxInt64 {
		return fmt.Errorf("check that %d entries begin with %d: they cannot", size, old)
	}
	if err := tlog.CheckTree(proof, int64(size), root, int64(old), oldRoot); err != nil {
		return fmt.Errorf("check that %d entries begin with %d: the proof does not hold", size, old)
	}
	return nil
}

// subtrees reads the inner hashes of a tree by computing them from its leaves.
func subtrees(leaf func(uint64) (Hash, error)) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]Hash, error) {
		hashes := make([]Hash, len(indexes))
		for i, stored := range indexes {
			level, n := tlog.SplitStoredHashIndex(stored)
			var tree Tree
			for k := uint64(n) << level; k < uint64(n+1)<<level; k++ {
				h, err := leaf(k)
				if err != nil {
					return nil, err
				}
				tree.Append(h)
			}
			hashes[i] = tree.Root()
		}
		return hashes, nil
	})
}
