package evidence_test

import (
	"crypto/sha256"
	"fmt"
	"testing"

	"halligan/evidence"
)

// oracleRoot is the root by the words of RFC 6962 2.1, without any memory.
func oracleRoot(leaves []evidence.Hash) evidence.Hash {
	switch len(leaves) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return leaves[0]
	}
	k := 1
	for k*2 < len(leaves) {
		k *= 2
	}
	left, right := oracleRoot(leaves[:k]), oracleRoot(leaves[k:])
	return sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...))
}

func someLeaves(n int) []evidence.Hash {
	leaves := make([]evidence.Hash, n)
	for i := range leaves {
		leaves[i] = evidence.LeafHash(fmt.Appendf(nil, "entry %d", i))
	}
	return leaves
}

func TestTheTreeIsThatOfRFC6962(t *testing.T) {
	leaves := someLeaves(300)
	var tree evidence.Tree
	for n := range len(leaves) + 1 {
		if got, want := tree.Root(), oracleRoot(leaves[:n]); got != want || tree.Size() != uint64(n) {
			t.Fatalf("%d entries: got %d and %s, want %s", n, tree.Size(), got, want)
		}
		saved, err := tree.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		tree = evidence.Tree{}
		if err := tree.UnmarshalBinary(saved); err != nil {
			t.Fatal(err)
		}
		if n < len(leaves) {
			before := tree.Root()
			other := tree.Clone()
			other.Append(evidence.LeafHash([]byte("other")))
			if tree.Root() != before {
				t.Fatalf("%d entries: the clone changed the tree", n)
			}
			tree.Append(leaves[n])
		}
	}
}

func TestASavedTreeOfAnotherLengthIsRefused(t *testing.T) {
	var tree evidence.Tree
	for _, l := range someLeaves(5) {
		tree.Append(l)
	}
	saved, _ := tree.MarshalBinary()
	for n := range len(saved) {
		if err := new(evidence.Tree).UnmarshalBinary(saved[:n]); err == nil {
			t.Errorf("read %d of %d bytes", n, len(saved))
		}
	}
	if err := new(evidence.Tree).UnmarshalBinary(append(saved, 0)); err == nil {
		t.Error("read one byte more")
	}
}

func FuzzTree(f *testing.F) {
	f.Add(make([]byte, 8))
	f.Add(append(make([]byte, 7), append([]byte{1}, make([]byte, 32)...)...))
	f.Fuzz(func(t *testing.T, data []byte) {
		var tree evidence.Tree
		if tree.UnmarshalBinary(data) != nil {
			return
		}
		if again, _ := tree.MarshalBinary(); string(again) != string(data) {
			t.Errorf("read %x, wrote %x", data, again)
		}
		tree.Append(evidence.Hash{})
		tree.Root()
	})
}
