package evidence_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"halligan/evidence"
)

// fakeLog is a log as its store would keep it, for damaging.
type fakeLog struct {
	lines [][]byte
	notes [][]byte
	sizes []uint64
	keys  []string // that the binder holds
}

// hostile are texts that people and tenants put into names.
var hostile = []string{
	"plain", "\"},\n{\"index\":0,\"kind\":\"log-begun\"", "\u202egpj.exe", "a\x00b\x1b[2J", "\r\n", "\xff\xfe", "\U0001F692 Gr\u00fc\u00dfe",
	"</script><script>", "=cmd|' /C calc'!A0", "\u2028\u2029\ufeff", "\\u0041\\", "\u0440\u0430ypal", "",
}

// someEntry returns the entry that every log of the tests has at index i.
func someEntry(i int, flavour string) evidence.Entry {
	e := evidence.Entry{
		Kind: evidence.Kinds[6+i%11].Kind, Who: []string{"ana", hostile[i%len(hostile)]}, What: "act " + flavour,
		On: hostile[(i+3)%len(hostile)], RequestIDs: []string{fmt.Sprint(i)}, Subject: digest,
	}
	if i%4 == 1 {
		e.Source, e.Skew, e.Refers = noon.Add(time.Duration(i)*time.Second), 250*time.Millisecond, ref(uint64(i-1))
	}
	if i%5 == 2 {
		e.Data, _ = json.Marshal(map[string]any{"n": i, "text": hostile[(i+7)%len(hostile)]})
	}
	return e
}

// recipe says how a log of the tests comes about.
type recipe struct {
	size      int
	sizes     []uint64                   // of the checkpoints; those after a new key are added
	keys      []*evidence.LogKey         // first, and after each change
	changes   map[int]string             // index of an entry: "rotated" or "lost"
	fork      int                        // from this index on other things happened; 0 is never
	entry     func(i int) evidence.Entry // the entries; nil is someEntry
	keyEntry  func(e *evidence.Entry)    // spoils entries about keys
	checkNote func(i int, c *evidence.Checkpoint, k *evidence.LogKey) *evidence.LogKey
}

func (r recipe) build(t testing.TB) *fakeLog {
	t.Helper()
	l := &fakeLog{}
	var tree evidence.Tree
	key, changes := r.keys[0], 0
	for i := range r.size {
		flavour := "as it was"
		if r.fork > 0 && i >= r.fork {
			flavour = "as it was not"
		}
		e, signer := someEntry(i, flavour), key
		if r.entry != nil {
			e = r.entry(i)
		}
		if i == 0 {
			e = evidence.Begin(key.Public())
		}
		if how := r.changes[i]; how != "" {
			changes++
			old := key
			key = r.keys[changes]
			agreed := json.RawMessage(`["ana ssh-sig","ben ssh-sig"]`)
			if how == "lost" {
				e, signer = evidence.Lose(old.Public(), key.Public(), agreed), key
			} else {
				e, signer = evidence.Rotate(old.Public(), key.Public(), agreed), key.After(old)
			}
		}
		if r.keyEntry != nil && (i == 0 || r.changes[i] != "") {
			r.keyEntry(&e)
		}
		e.Index, e.Time = uint64(i), noon.Add(time.Duration(i)*time.Second)
		l.lines = append(l.lines, line(t, e))
		tree.Append(evidence.LeafHash(l.lines[i]))
		if size := uint64(i + 1); slices.Contains(r.sizes, size) || r.changes[i] != "" {
			c := checkpoint(size, tree.Root())
			if r.checkNote != nil {
				signer = r.checkNote(i, &c, signer)
			}
			if signer != nil {
				l.notes, l.sizes = append(l.notes, sign(t, signer, c)), append(l.sizes, size)
			}
		}
	}
	for _, k := range r.keys {
		l.keys = append(l.keys, k.Public())
	}
	return l
}

// sixty is the log that is damaged in every way: 60 entries, a new key after 30,
// a lost key after 45.
func sixty(t testing.TB) recipe {
	return recipe{
		size: 60, sizes: []uint64{1, 7, 16, 25, 40, 48, 59, 60},
		keys:    []*evidence.LogKey{newKey(t, "log-1", 1), newKey(t, "log-2", 2), newKey(t, "log-3", 3)},
		changes: map[int]string{30: "rotated", 45: "lost"},
	}
}

func joined(lines [][]byte) []byte {
	var b []byte
	for _, l := range lines {
		b = append(append(b, l...), '\n')
	}
	return b
}

func hashesOf(lines [][]byte) [][]byte {
	var hashes [][]byte
	for _, l := range lines {
		h := evidence.LeafHash(l)
		hashes = append(hashes, fmt.Appendf(nil, "%x", h[:]))
	}
	return hashes
}

// files returns the exported folder of lines, hashes and notes.
func files(lines, hashes, notes [][]byte) map[string][]byte {
	return map[string][]byte{
		evidence.EntriesFile: joined(lines), evidence.HashesFile: joined(hashes), evidence.CheckpointsFile: evidence.JoinCheckpoints(notes),
	}
}

func (l *fakeLog) files() map[string][]byte { return files(l.lines, hashesOf(l.lines), l.notes) }

func folder(files map[string][]byte) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, content := range files {
		fsys[name] = &fstest.MapFile{Data: content}
	}
	return fsys
}

// with returns the folder with one file replaced; without it for nil.
func with(files map[string][]byte, name string, content []byte) map[string][]byte {
	files = maps.Clone(files)
	files[name] = content
	if content == nil {
		delete(files, name)
	}
	return files
}

func deleted(list [][]byte, i int) [][]byte { return slices.Delete(slices.Clone(list), i, i+1) }

func swapped(list [][]byte, i, j int) [][]byte {
	list = slices.Clone(list)
	list[i], list[j] = list[j], list[i]
	return list
}

func replaced(list [][]byte, i int, by []byte) [][]byte {
	list = slices.Clone(list)
	list[i] = by
	return list
}

// before returns the largest size of a checkpoint that is not above n.
func (l *fakeLog) before(n uint64) uint64 {
	last := uint64(0)
	for _, s := range l.sizes {
		if s <= n {
			last = s
		}
	}
	return last
}

// machine returns the line that a verifier prints; the error when it cannot judge.
func machine(files map[string][]byte, o evidence.VerifyOptions) string {
	result, err := evidence.Verify(folder(files), o)
	if err == nil {
		return result.Machine()
	}
	if f, is := asFinding(err); is {
		return f.Machine()
	}
	return err.Error()
}
