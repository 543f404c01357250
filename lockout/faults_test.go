package lockout

import (
	"os"
	"testing"
)

// vectorsOf reads a file of vectors.
func vectorsOf(t *testing.T, name string) *VectorFile {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	f, err := ReadVectors(data)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// caughtBy names the first vector whose verdict or points change under a fault.
func caughtBy(t *testing.T, files []*VectorFile, f fault) string {
	t.Helper()
	for _, file := range files {
		for i := range file.Vectors {
			v := &file.Vectors[i]
			s, err := v.Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			q, err := v.Question(s)
			if err != nil {
				continue // asks about several accounts
			}
			want, err := New(s).Prove(q)
			if err != nil {
				t.Fatal(err)
			}
			got, err := newProver(s, f).Prove(q)
			if err != nil || got.Outcome != want.Outcome {
				return v.ID
			}
			for _, at := range []map[Dimension]string{v.Expect.DenyPoint, v.Expect.AllowPoint} {
				if at == nil {
					continue
				}
				p1, o1, _, err1 := New(s).At(q, at)
				p2, o2, _, err2 := newProver(s, f).At(q, at)
				if err1 != nil || err2 != nil || p1 != p2 || o1 != o2 {
					return v.ID
				}
			}
		}
	}
	return ""
}

// Each deliberate fault of the evaluator changes the verdict of some worked
// vector, which the selftest would report.
func TestDeliberateFaultsAreCaught(t *testing.T) {
	files := []*VectorFile{vectorsOf(t, "testdata/vectors/ca-vectors.json"), vectorsOf(t, "testdata/vectors/corner-vectors.json")}
	caught := 0
	for f := faultNone + 1; f < faultCount; f++ {
		if faultNames[f] == "" {
			t.Errorf("fault %d has no name", f)
		}
		if id := caughtBy(t, files, f); id != "" {
			caught++
			t.Logf("%-70s caught by %s", faultNames[f], id)
		} else {
			t.Errorf("%s: no vector notices", faultNames[f])
		}
	}
	if id := caughtBy(t, files, faultNone); id != "" {
		t.Errorf("without a fault vector %s changes its verdict", id)
	}
	if caught < 25 {
		t.Errorf("%d faults are caught, want at least 25", caught)
	}
}
