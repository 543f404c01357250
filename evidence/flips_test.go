package evidence_test

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"

	"halligan/evidence"
)

// flip is one bit of one file turned round, and the entry that it belongs to.
type flip struct {
	name      string
	byte, bit int
	index     uint64
}

// flips returns every bit of every file of a log, or one of each stride of them.
// A bit of a line or of its hash belongs to that entry, a bit of a checkpoint to
// the first entry that the checkpoint before it does not cover.
func flips(l *fakeLog, stride int) []flip {
	var all []flip
	n := 0
	add := func(name string, start, size int, index uint64) {
		for i := range size * 8 {
			if n++; n%stride == 0 {
				all = append(all, flip{name, start + i/8, i % 8, index})
			}
		}
	}
	for _, file := range []struct {
		name  string
		parts [][]byte
	}{{evidence.EntriesFile, l.lines}, {evidence.HashesFile, hashesOf(l.lines)}} {
		start := 0
		for i, part := range file.parts {
			add(file.name, start, len(part)+1, uint64(i))
			start += len(part) + 1
		}
	}
	start, last := 0, uint64(0)
	for i, note := range l.notes {
		add(evidence.CheckpointsFile, start, len(note)+1, last)
		start, last = start+len(note)+1, l.sizes[i]
	}
	return all
}

func (f flip) apply(files map[string][]byte) map[string][]byte {
	content := bytes.Clone(files[f.name])
	content[f.byte] ^= 1 << f.bit
	return with(files, f.name, content)
}

func (f flip) String() string { return fmt.Sprintf("%s byte %d bit %d", f.name, f.byte, f.bit) }

// full reports whether the exhaustive sizes are wanted.
func full() bool { return os.Getenv("HALLIGAN_FULL") == "1" }

func TestEveryBitFlippedIsFoundAndNamed(t *testing.T) {
	l := sixty(t).build(t)
	stride := 1
	if slow && !full() {
		stride = 61
	}
	all := flips(l, stride)
	t.Logf("%d flips", len(all))
	defer debug.SetGCPercent(debug.SetGCPercent(1600)) // each verification leaves a little behind
	var wg sync.WaitGroup
	for part := range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			o, files := evidence.VerifyOptions{Keys: l.keys}.Remembering(), l.files()
			for i := part; i < len(all); i += runtime.GOMAXPROCS(0) {
				got := machine(all[i].apply(files), o)
				if !strings.HasPrefix(got, fmt.Sprintf("bad %d ", all[i].index)) {
					t.Errorf("%s: got %q, want entry %d", all[i], got, all[i].index)
				}
			}
		})
	}
	wg.Wait()
}
