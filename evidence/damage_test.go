package evidence_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"halligan/evidence"
)

// damage is a log with something wrong, and the line that every verifier prints.
type damage struct {
	name        string
	files       map[string][]byte
	keys        []string
	checkpoints [][]byte
	want        string
}

// options are those of the case on top of others.
func (d damage) options(o evidence.VerifyOptions) evidence.VerifyOptions {
	o.Keys, o.Checkpoints = d.keys, d.checkpoints
	return o
}

func asFinding(err error) (*evidence.Finding, bool) { return errors.AsType[*evidence.Finding](err) }

// damages returns every deletion, swap, truncation, rollback, fork and forgery of
// a log of sixty entries.
func damages(t testing.TB) []damage {
	l := sixty(t).build(t)
	var all []damage
	for _, group := range []func(testing.TB, *fakeLog) []damage{untouched, deletions, swaps, truncations, forgeries, outsiders, keyTricks, strangeFiles} {
		all = append(all, group(t, l)...)
	}
	if slow && !full() { // thousands of swaps are not where a race hides
		n := 0
		all = slices.DeleteFunc(all, func(d damage) bool { n++; return n%13 != 0 && strings.Contains(d.name, " swapped") })
	}
	for i := range all {
		if all[i].keys == nil {
			all[i].keys = l.keys
		}
	}
	return all
}

func bad(index uint64, fault evidence.Fault) string { return fmt.Sprintf("bad %d %s", index, fault) }

func good(l *fakeLog) string {
	var tree evidence.Tree
	for _, line := range l.lines {
		tree.Append(evidence.LeafHash(line))
	}
	root := tree.Root()
	return fmt.Sprintf("good %d %x", len(l.lines), root[:])
}

func untouched(t testing.TB, l *fakeLog) []damage {
	all := []damage{
		{name: "the log as it is", files: l.files(), want: good(l)},
		{name: "with all its checkpoints from outside", files: l.files(), checkpoints: l.notes, want: good(l)},
		{name: "with its checkpoints from outside in another order", files: l.files(),
			checkpoints: [][]byte{l.notes[5], l.notes[0], l.notes[5], l.notes[9]}, want: good(l)},
		{name: "with the key alone that signs at the end", files: l.files(), keys: l.keys[2:], want: good(l)},
	}
	for i := range l.notes { // a checkpoint that is not there hides nothing, unless it is of a key or the last
		var want string
		switch l.sizes[i] {
		case 31, 46:
			want = bad(l.sizes[i-1], evidence.OtherKey)
		case 60:
			want = bad(l.sizes[i-1], evidence.Unsigned)
		default:
			want = good(l)
		}
		all = append(all, damage{name: fmt.Sprintf("without the checkpoint of %d", l.sizes[i]),
			files: files(l.lines, hashesOf(l.lines), deleted(l.notes, i)), want: want})
	}
	return all
}

func deletions(_ testing.TB, l *fakeLog) []damage {
	var all []damage
	hashes := hashesOf(l.lines)
	add := func(i int, what string, lines, hashes [][]byte, fault evidence.Fault) {
		if i == 59 {
			fault = evidence.Cut
		}
		all = append(all, damage{name: fmt.Sprintf("%s %d deleted", what, i), files: files(lines, hashes, l.notes), want: bad(uint64(i), fault)})
	}
	for i := range l.lines {
		add(i, "line", deleted(l.lines, i), hashes, evidence.Deleted)
		add(i, "line and hash", deleted(l.lines, i), deleted(hashes, i), evidence.Deleted)
		add(i, "hash", l.lines, deleted(hashes, i), evidence.Altered)
	}
	return all
}

func swaps(_ testing.TB, l *fakeLog) []damage {
	var all []damage
	hashes := hashesOf(l.lines)
	for j := range l.lines {
		for i := range j {
			all = append(all,
				damage{name: fmt.Sprintf("lines %d and %d swapped", i, j), files: files(swapped(l.lines, i, j), hashes, l.notes),
					want: bad(uint64(i), evidence.Moved)},
				damage{name: fmt.Sprintf("lines and hashes %d and %d swapped", i, j),
					files: files(swapped(l.lines, i, j), swapped(hashes, i, j), l.notes), want: bad(uint64(i), evidence.Moved)},
				damage{name: fmt.Sprintf("hashes %d and %d swapped", i, j), files: files(l.lines, swapped(hashes, i, j), l.notes),
					want: bad(uint64(i), evidence.Moved)})
		}
	}
	for j := range l.notes {
		for i := range j {
			last := uint64(0)
			if i > 0 {
				last = l.sizes[i-1]
			}
			want := bad(l.sizes[j], evidence.Malformed) // what follows is not of more entries
			if slices.ContainsFunc(l.sizes[i:j], func(s uint64) bool { return s == 31 || s == 46 }) {
				want = bad(last, evidence.OtherKey) // the checkpoint of a new key is not in its place
			}
			all = append(all, damage{name: fmt.Sprintf("checkpoints %d and %d swapped", l.sizes[i], l.sizes[j]),
				files: files(l.lines, hashes, swapped(l.notes, i, j)), want: want})
		}
	}
	return all
}

func truncations(_ testing.TB, l *fakeLog) []damage {
	var all []damage
	hashes := hashesOf(l.lines)
	add := func(what string, n int, files map[string][]byte, want string) {
		all = append(all, damage{name: fmt.Sprintf("%s cut to %d", what, n), files: files, want: want})
	}
	for n := range l.lines {
		cut := bad(uint64(n), evidence.Cut)
		add("lines", n, files(l.lines[:n], hashes, l.notes), cut)
		add("hashes", n, files(l.lines, hashes[:n], l.notes), cut)
		add("lines and hashes", n, files(l.lines[:n], hashes[:n], l.notes), cut)
		torn := files(l.lines, hashes, l.notes)
		whole := len(joined(l.lines[:n]))
		add("lines with a piece of the next", n, with(torn, evidence.EntriesFile, joined(l.lines)[:whole+9]), cut)
		add("lines but for a newline", n, with(torn, evidence.EntriesFile, joined(l.lines)[:whole+len(l.lines[n])]), cut)
		add("hashes with a piece of the next", n, with(torn, evidence.HashesFile, joined(hashes)[:65*n+9]), cut)
		add("lines, and one line without a newline", n,
			with(files(nil, hashes[:n], l.notes), evidence.EntriesFile, joined(l.lines)[:whole+9]), cut)
		// All three end together: only what no checkpoint covers is missed.
		notes := l.notes[:len(l.sizes)-len(slices.DeleteFunc(slices.Clone(l.sizes), func(s uint64) bool { return s <= uint64(n) }))]
		if last := l.before(uint64(n)); last != uint64(n) || n == 0 {
			add("everything", n, files(l.lines[:n], hashes[:n], notes), bad(last, evidence.Unsigned))
		}
	}
	for n, last := range append([]uint64{0}, l.sizes[:len(l.sizes)-1]...) {
		want := bad(last, evidence.Unsigned)
		if 0 < last && last < 46 { // a change of the key comes later, and nobody signed it
			want = bad(last, evidence.OtherKey)
		}
		add("checkpoints", n, files(l.lines, hashes, l.notes[:n]), want)
		piece := evidence.JoinCheckpoints(l.notes[:n+1])
		for _, less := range []int{1, 2, 30, 200} {
			add(fmt.Sprintf("checkpoints but for %d bytes", less), n,
				with(l.files(), evidence.CheckpointsFile, piece[:len(piece)-less]), bad(last, evidence.Malformed))
		}
	}
	return all
}

// forgeries are rewritings by somebody who has no key.
func forgeries(t testing.TB, l *fakeLog) []damage {
	var all []damage
	add := func(name string, files map[string][]byte, want string) {
		all = append(all, damage{name: name, files: files, want: want})
	}
	for i, original := range l.lines {
		forged := bytes.Replace(original, []byte(`"what":"act as it was"`), []byte(`"what":"act as it was not"`), 1)
		if bytes.Equal(forged, original) {
			forged = bytes.Replace(original, []byte(`"time":"2026`), []byte(`"time":"2025`), 1)
		}
		lines := replaced(l.lines, i, forged)
		add(fmt.Sprintf("line %d rewritten", i), files(lines, hashesOf(l.lines), l.notes), bad(uint64(i), evidence.Altered))
		add(fmt.Sprintf("hash %d rewritten", i), files(l.lines, hashesOf(lines), l.notes), bad(uint64(i), evidence.Altered))
		add(fmt.Sprintf("line %d rewritten with its hash", i), files(lines, hashesOf(lines), l.notes), bad(l.before(uint64(i)), evidence.Altered))
		if i > 0 && i < 59 {
			// Two entries change places and take each other's index.
			a, b := reindexed(l.lines[i+1], i+1, i), reindexed(l.lines[i], i, i+1)
			lines = replaced(replaced(l.lines, i, a), i+1, b)
			want := bad(l.before(uint64(i)), evidence.Altered)
			if i == 29 || i == 30 || i == 44 || i == 45 { // a change of the key stands where it did not
				want = bad(l.before(uint64(i)), evidence.OtherKey)
			}
			add(fmt.Sprintf("entries %d and %d swapped with their index", i, i+1), files(lines, hashesOf(lines), l.notes), want)
		}
	}
	more := append(slices.Clone(l.lines), reindexed(l.lines[59], 59, 60))
	add("an entry added", files(more, hashesOf(more), l.notes), bad(60, evidence.Unsigned))
	add("an entry added without its hash", files(more, hashesOf(l.lines), l.notes), bad(60, evidence.Cut))
	add("an entry added at the start", files(append([][]byte{l.lines[0]}, l.lines...), append(hashesOf(l.lines[:1]), hashesOf(l.lines)...), l.notes),
		bad(1, evidence.Moved))
	// The checkpoint is made to fit, and its signature does not.
	forger := sixty(t)
	forger.fork = 50
	f := forger.build(t)
	for i, n := range f.notes {
		if f.sizes[i] > 50 {
			text, _, _ := bytes.Cut(n, []byte("\n\n"))
			_, signature, _ := bytes.Cut(l.notes[i], []byte("\n\n"))
			f.notes[i] = slices.Concat(text, []byte("\n\n"), signature)
		}
	}
	add("rewritten with the roots, under the old signatures", f.files(), bad(48, evidence.Unsigned))
	return all
}

// reindexed gives a line another index.
func reindexed(line []byte, from, to int) []byte {
	return bytes.Replace(line, fmt.Appendf(nil, `{"index":%d,`, from), fmt.Appendf(nil, `{"index":%d,`, to), 1)
}

// outsiders are what only a checkpoint from outside shows: the holder of the key
// goes back, or keeps two histories.
func outsiders(t testing.TB, l *fakeLog) []damage {
	var all []damage
	hashes := hashesOf(l.lines)
	for i, size := range l.sizes {
		if size == 60 {
			continue
		}
		back := files(l.lines[:size], hashes[:size], l.notes[:i+1])
		want := bad(size, evidence.RolledBack)
		if size < 40 { // of a second key that was cut off nobody knows any more, unless it is given
			stranger := bad(0, evidence.OtherKey)
			if size == 31 {
				stranger = want
			}
			all = append(all, damage{name: fmt.Sprintf("rolled back to %d, first key alone, a checkpoint of the second", size), files: back,
				keys: l.keys[:1], checkpoints: l.notes[5:6], want: stranger})
		}
		all = append(all,
			damage{name: fmt.Sprintf("rolled back to %d", size), files: back, checkpoints: l.notes[len(l.notes)-1:], want: want},
			damage{name: fmt.Sprintf("rolled back to %d, all checkpoints at hand", size), files: back, checkpoints: l.notes, want: want})
	}
	for _, at := range []int{1, 7, 20, 31, 50, 59} {
		r := sixty(t)
		r.fork = at
		f := r.build(t)
		all = append(all,
			damage{name: fmt.Sprintf("forked at %d", at), files: f.files(), checkpoints: l.notes[len(l.notes)-1:], want: bad(0, evidence.Forked)},
			damage{name: fmt.Sprintf("forked at %d, all checkpoints at hand", at), files: f.files(), checkpoints: l.notes,
				want: bad(l.before(uint64(at)), evidence.Forked)})
	}
	stranger := newKey(t, "stranger", 9)
	var tree evidence.Tree
	for _, line := range l.lines {
		tree.Append(evidence.LeafHash(line))
	}
	root := tree.Root()
	for _, n := range []uint64{60, 61} {
		own := checkpoint(n, root)
		other := own
		other.Origin = evidence.OriginPrefix + strings.Repeat("f", 32)
		falsely := sign(t, newKey(t, "log-3", 3), own)
		falsely = bytes.Replace(falsely, []byte("13:0"), []byte("14:0"), 1)
		all = append(all,
			damage{name: fmt.Sprintf("a checkpoint of %d from outside by a stranger", n), files: l.files(),
				checkpoints: [][]byte{l.notes[2], sign(t, stranger, own)}, want: bad(16, evidence.OtherKey)},
			damage{name: fmt.Sprintf("a checkpoint of %d from outside with a false signature", n), files: l.files(),
				checkpoints: [][]byte{l.notes[2], falsely}, want: bad(16, evidence.Unsigned)},
			damage{name: fmt.Sprintf("a checkpoint of %d from outside of another log", n), files: l.files(),
				checkpoints: [][]byte{l.notes[2], sign(t, newKey(t, "log-3", 3), other)}, want: bad(16, evidence.Forked)})
	}
	return all
}
