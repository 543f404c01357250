package evidence

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strconv"

	"golang.org/x/mod/sumdb/note"
)

// VerifyOptions says what a log is measured against. All of it comes from
// outside the folder.
type VerifyOptions struct {
	Keys        []string // public log keys, from the binder; at least one
	Checkpoints [][]byte // signed checkpoints that left the machine earlier

	without step                                               // tests show with it that every step is needed
	check   func(v note.Verifier, text, signature []byte) bool // tests remember signatures with it; nil is v.Verify
}

// step is one comparison that Verify makes.
type step uint32

const (
	stepFolder step = 1 << iota
	stepHash
	stepCutEntries
	stepCutHashes
	stepIndex
	stepForm
	stepOrigin
	stepAscending
	stepSigners
	stepSignature
	stepRoot
	stepKeyChain
	stepKeySealed
	stepUnreached
	stepCovered
	stepTrust
	stepOutsideSignature
	stepOutsideRoot
	stepRolledBack
	steps = iota
)

// Vouch says which key signs for which entries.
type Vouch struct {
	Key  string `json:"key"` // public half
	From uint64 `json:"from"`
	To   uint64 `json:"to"` // entries From to To-1
}

// Loss is a place where a key took over from one that was lost.
type Loss struct {
	Index uint64 `json:"index"` // of the entry
	Old   string `json:"old"`
	New   string `json:"new"`
}

// Result is what was verified. With a Finding it covers what is good before it.
type Result struct {
	Origin      string
	Size        uint64 // entries that a good checkpoint covers
	Root        Hash   // of these entries
	Keys        []Vouch
	Losses      []Loss
	Checkpoints []Checkpoint // the good ones of the folder, in order
	Outside     int          // checkpoints from outside that agree
}

// Machine returns the line that every verifier prints: "good SIZE ROOT", the root
// in lower-case hexadecimal.
func (r *Result) Machine() string { return fmt.Sprintf("good %d %x", r.Size, r.Root[:]) }

// Verify reads an exported log and compares every byte of it with what was
// signed. It goes from the first entry to the last, judges each checkpoint where
// its size is reached, and stops at the first thing that is wrong, which it
// returns as a *Finding. Any other error means that the log could not be read or
// that the options are wrong; then nothing is known. docs/evidence-format.md has
// the steps and their order.
func Verify(fsys fs.FS, o VerifyOptions) (*Result, error) {
	w := &walk{fsys: fsys, o: o}
	if err := w.begin(); err != nil {
		return &w.result, err
	}
	entries, err := openLines(fsys, EntriesFile)
	if err != nil {
		return &w.result, err
	}
	defer entries.close()
	hashes, err := openLines(fsys, HashesFile)
	if err != nil {
		return &w.result, err
	}
	defer hashes.close()
	for {
		more, err := w.entry(entries, hashes)
		if err == nil && more {
			err = w.reached()
		}
		if err == nil && !more {
			err = w.end()
		}
		if err != nil || !more {
			return &w.result, err
		}
	}
}

// walk is where Verify is.
type walk struct {
	fsys   fs.FS
	o      VerifyOptions
	given  []note.Verifier // the keys of the caller
	result Result

	tree Tree

	notes    []byte            // what is left of CheckpointsFile
	next     *signedCheckpoint // the next of the folder; nil when there is none
	last     uint64            // size of the last good one
	outside  []*signedCheckpoint
	lastOut  uint64 // size of the last one from outside that agreed
	chain    []note.Verifier
	sealing  []note.Verifier // who must sign at the next size, because the key changed
	trusted  bool            // the key that signs now leads back to one of the caller's
	distrust uint64          // entry from which on nothing does
}

func (w *walk) on(s step) bool { return w.o.without&s == 0 }

func (w *walk) size() uint64 { return w.tree.Size() }

// begin reads the options and the first checkpoint.
func (w *walk) begin() error {
	if len(w.o.Keys) == 0 {
		return noKeyError{}
	}
	for _, k := range w.o.Keys {
		v, err := parsePublic(k)
		if err != nil {
			return err
		}
		w.given = append(w.given, v)
	}
	for i, b := range w.o.Checkpoints {
		n, err := readNote(b)
		if err != nil {
			return fmt.Errorf("verify evidence: checkpoint %d from outside: %w", i+1, err)
		}
		w.outside = append(w.outside, n)
	}
	slices.SortStableFunc(w.outside, func(a, b *signedCheckpoint) int { return cmp.Compare(a.Size, b.Size) })
	if err := checkFolder(w.fsys); err != nil && (w.on(stepFolder) || !isFinding(err)) {
		return err
	}
	var err error
	if w.notes, err = readCheckpoints(w.fsys); err != nil {
		return err
	}
	if len(w.notes) == 0 {
		return &Finding{0, Unsigned, "there is no checkpoint"}
	}
	return w.nextCheckpoint()
}

func isFinding(err error) bool {
	_, is := errors.AsType[*Finding](err)
	return is
}

// nextCheckpoint reads the next checkpoint of the folder into w.next.
func (w *walk) nextCheckpoint() error {
	w.next = nil
	if len(w.notes) == 0 {
		return nil
	}
	if w.next, w.notes = nextNote(w.notes); w.next == nil {
		return &Finding{w.last, Malformed, "the checkpoint after this is not in the form of one"}
	}
	if w.result.Origin == "" {
		w.result.Origin = w.next.Origin
	}
	if w.on(stepOrigin) && w.next.Origin != w.result.Origin {
		return &Finding{w.last, Malformed, "the checkpoint after this is of another log"}
	}
	if w.on(stepAscending) && w.next.Size <= w.last {
		return &Finding{w.last, Malformed, "the checkpoint after this is not of more entries"}
	}
	return nil
}

// entry takes the next entry; false when there is none.
func (w *walk) entry(entries, hashes *lines) (bool, error) {
	i := w.size()
	line, errLine := entries.next()
	text, errHash := hashes.next()
	for _, err := range []error{errLine, errHash} {
		switch {
		case errors.Is(err, errLong):
			return false, &Finding{i, Malformed, fmt.Sprintf("a line of more than %d bytes", MaxLine)}
		case err != nil && !errors.Is(err, io.EOF):
			return false, err
		}
	}
	if errLine != nil || errHash != nil {
		if w.on(stepCutEntries) && (errHash == nil || entries.torn) {
			return false, &Finding{i, Cut, EntriesFile + " ends here"}
		}
		if w.on(stepCutHashes) && (errLine == nil || hashes.torn) {
			return false, &Finding{i, Cut, HashesFile + " ends here"}
		}
		return false, nil
	}
	leaf := Hash(sha256.Sum256(line)) // RFC 6962 2.1: a zero byte, then the line
	line = line[1:]
	var written [2 * len(leaf)]byte
	hex.Encode(written[:], leaf[:])
	if w.on(stepHash) && !bytes.Equal(written[:], text[1:]) {
		return false, w.mismatch(i, written[:], text[1:])
	}
	if err := w.form(i, line); err != nil {
		return false, err
	}
	w.tree.Append(leaf)
	return true, nil
}

// mismatch says what it is when line i and hash i do not fit: the line stands
// where another should, or one of the two was altered.
func (w *walk) mismatch(i uint64, ofLine, listed []byte) error {
	listedElsewhere, err := anyLine(w.fsys, HashesFile, func(h []byte) bool { return bytes.Equal(h[1:], ofLine) })
	if err != nil {
		return err
	}
	if !listedElsewhere {
		return &Finding{i, Altered, "the line and its hash do not fit"}
	}
	still, err := anyLine(w.fsys, EntriesFile, func(line []byte) bool {
		leaf := sha256.Sum256(line)
		return hex.EncodeToString(leaf[:]) == string(listed)
	})
	if err != nil {
		return err
	}
	if still {
		return &Finding{i, Moved, "another entry stands in its place"}
	}
	return &Finding{i, Deleted, "its hash is there, its line is not"}
}

// form looks at what must be right in a line before anybody reads it as JSON: its
// index, that it is printable, that it ends. And it follows the key of the log.
func (w *walk) form(i uint64, line []byte) error {
	var room [40]byte
	begin := append(strconv.AppendUint(append(room[:0], `{"index":`...), i, 10), ',')
	rest, is := bytes.CutPrefix(line, begin)
	if !is && w.on(stepIndex) {
		if !someIndex.Match(line) {
			return &Finding{i, Malformed, "the line does not begin with its index"}
		}
		own := bytes.Clone(begin)
		still, err := anyLine(w.fsys, EntriesFile, func(line []byte) bool { return bytes.HasPrefix(line[1:], own) })
		if err != nil {
			return err
		}
		if still {
			return &Finding{i, Moved, "another entry stands in its place"}
		}
		return &Finding{i, Deleted, "neither its line nor its hash is there"}
	}
	if w.on(stepForm) && (!bytes.HasPrefix(rest, []byte(`"kind":"`)) || !printable(line) || line[len(line)-1] != '}') {
		return &Finding{i, Malformed, "the line is not that of an entry"}
	}
	if i > 0 && !bytes.HasPrefix(rest, []byte(`"kind":"log-`)) {
		return nil
	}
	return w.followKey(i, line)
}

// someIndex is how a line begins.
var someIndex = regexp.MustCompile(`^\{"index":(?:0|[1-9][0-9]{0,17}),`)

// printable reports whether every byte is of 0x20 to 0x7E. It takes 32 at a
// time: it looks at every byte of the log.
func printable(line []byte) bool {
	const each = 0x0101010101010101
	// The high bit of a byte is set in one of these when it is below 0x20, is 0x7F,
	// or has its high bit set; no carry crosses a byte that is good.
	odd := func(x uint64) uint64 { return (x - 0x20*each) | (x + each) | x }
	for ; len(line) >= 32; line = line[32:] {
		a, b := binary.LittleEndian.Uint64(line), binary.LittleEndian.Uint64(line[8:])
		c, d := binary.LittleEndian.Uint64(line[16:]), binary.LittleEndian.Uint64(line[24:])
		if (odd(a)|odd(b)|odd(c)|odd(d))&(0x80*each) != 0 {
			return false
		}
	}
	for _, c := range line {
		if c < 0x20 || c > 0x7E {
			return false
		}
	}
	return true
}
