package evidence

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// Tree is what must be kept of a log to add to it and to know its root: the
// roots of the complete subtrees at its right edge, at most 64 hashes. The zero
// value is the empty tree. It is not safe for concurrent use.
type Tree struct {
	size uint64
	edge []Hash // from the largest subtree to the smallest, one for each bit of size
}

// Append adds the hash of the next leaf.
func (t *Tree) Append(leaf Hash) {
	for s := t.size; s&1 == 1; s >>= 1 {
		last := len(t.edge) - 1
		leaf = tlog.NodeHash(t.edge[last], leaf)
		t.edge = t.edge[:last]
	}
	t.edge = append(t.edge, leaf)
	t.size++
}

// Size returns the number of leaves.
func (t *Tree) Size() uint64 { return t.size }

// Root returns the root of the tree, RFC 6962 2.1.
func (t *Tree) Root() Hash {
	if t.size == 0 {
		empty, _ := tlog.TreeHash(0, nil)
		return empty
	}
	root := t.edge[len(t.edge)-1]
	for i := len(t.edge) - 2; i >= 0; i-- {
		root = tlog.NodeHash(t.edge[i], root)
	}
	return root
}

// Clone returns a copy that can grow apart.
func (t *Tree) Clone() Tree { return Tree{t.size, append([]Hash(nil), t.edge...)} }

// MarshalBinary returns the size, eight bytes big-endian, and the hashes.
func (t *Tree) MarshalBinary() ([]byte, error) {
	b := binary.BigEndian.AppendUint64(nil, t.size)
	for _, h := range t.edge {
		b = append(b, h[:]...)
	}
	return b, nil
}

// UnmarshalBinary reads what MarshalBinary wrote and refuses any other length.
func (t *Tree) UnmarshalBinary(b []byte) error {
	if len(b) < 8 {
		return errors.New("read tree: cut off")
	}
	size := binary.BigEndian.Uint64(b)
	n := bits.OnesCount64(size)
	if len(b) != 8+n*tlog.HashSize {
		return fmt.Errorf("read tree: %d bytes do not hold a tree of %d entries", len(b), size)
	}
	t.size, t.edge = size, make([]Hash, n)
	for i := range t.edge {
		copy(t.edge[i][:], b[8+i*tlog.HashSize:])
	}
	return nil
}
