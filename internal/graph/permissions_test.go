package graph_test

import (
	"strings"
	"testing"

	"halligan/entra"
	"halligan/internal/graph"
)

// Consent for a permission that writes is never asked for by reading.
func TestReadingNeedsNoPermissionThatWrites(t *testing.T) {
	needs := graph.Needs()
	if len(needs) < 15 {
		t.Fatalf("only %d permissions", len(needs))
	}
	for _, n := range needs {
		if strings.Contains(n.Permission, "Write") || n.Permission == "" || strings.HasPrefix(n.Permission, "Directory.AccessAsUser") {
			t.Errorf("%s needs %q", n.Feature, n.Permission)
		}
	}
}

// Every part of a Snapshot is read by some request, so that no check waits for
// what nobody asks.
func TestEveryPartIsAskedFor(t *testing.T) {
	asked := map[entra.Part]bool{}
	for _, n := range graph.Needs() {
		for _, p := range n.Parts {
			asked[p] = true
		}
	}
	for _, info := range entra.PartTable {
		if !asked[info.Part] {
			t.Errorf("nothing reads %s", info.What)
		}
	}
}
