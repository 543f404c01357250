package evidence

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
)

// The files of an exported log; there is no other in the folder.
const (
	EntriesFile     = "entries.jsonl"   // the lines, each with its newline
	HashesFile      = "hashes.txt"      // their leaf hashes in lower-case hexadecimal, a line each
	CheckpointsFile = "checkpoints.txt" // signed checkpoints, see JoinCheckpoints
)

// maxCheckpoints is the most bytes that CheckpointsFile may have.
const maxCheckpoints = 1 << 20

// JoinCheckpoints returns the content of CheckpointsFile: the notes by ascending
// size, each followed by an empty line. The last must be of the whole log, and
// the one right after each change of the key must be among them.
func JoinCheckpoints(notes [][]byte) []byte {
	var b []byte
	for _, n := range notes {
		b = append(append(b, n...), '\n')
	}
	return b
}

// checkFolder reports a file too many, too few, or that is no file.
func checkFolder(fsys fs.FS) error {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return fmt.Errorf("verify evidence: read the folder: %w", err)
	}
	want := []string{CheckpointsFile, EntriesFile, HashesFile}
	for _, e := range entries {
		if !slices.Contains(want, e.Name()) {
			return &Finding{0, WrongFile, fmt.Sprintf("%q does not belong there", e.Name())}
		}
		if !e.Type().IsRegular() {
			return &Finding{0, WrongFile, fmt.Sprintf("%q is not a plain file", e.Name())}
		}
	}
	if len(entries) != len(want) {
		return &Finding{0, WrongFile, "not all of " + EntriesFile + ", " + HashesFile + " and " + CheckpointsFile + " are there"}
	}
	return nil
}

// errLong is for a line of more than MaxLine bytes.
var errLong = errors.New("line too long")

// lines reads a file line by line. It keeps one byte before each line, which is
// set to zero: with it the line is what RFC 6962 hashes, without another copy.
type lines struct {
	file       fs.File
	name       string
	buf        []byte
	start, end int // what is read and not given yet
	eof        bool
	torn       bool // at the end: bytes without a newline were left
}

func openLines(fsys fs.FS, name string) (*lines, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("verify evidence: %w", err)
	}
	return &lines{file: f, name: name, buf: make([]byte, 16<<10), start: 1, end: 1}, nil
}

func (l *lines) close() { _ = l.file.Close() } // it was only read

// next returns a zero byte and the next line without its newline, valid until the
// next call; io.EOF at the end, errLong when the line has more than MaxLine bytes.
func (l *lines) next() ([]byte, error) {
	long, seen := false, 0 // seen is how much of what is there has no newline
	for {
		if i := bytes.IndexByte(l.buf[l.start+seen:l.end], '\n'); i >= 0 {
			leaf := l.buf[l.start-1 : l.start+seen+i]
			l.start += seen + i + 1
			if long || len(leaf)-1 > MaxLine {
				return nil, errLong
			}
			leaf[0] = 0
			return leaf, nil
		}
		if l.end-l.start > MaxLine {
			long = true
			l.start = l.end // forget it: a huge line takes no memory
		}
		seen = l.end - l.start
		if l.eof {
			l.torn = l.torn || long || l.end > l.start
			l.start = l.end
			if long {
				return nil, errLong
			}
			return nil, io.EOF
		}
		if err := l.fill(); err != nil {
			return nil, err
		}
	}
}

// fill reads more, behind what is there.
func (l *lines) fill() error {
	if l.start > 1 {
		l.end = 1 + copy(l.buf[1:], l.buf[l.start:l.end])
		l.start = 1
	}
	if l.end == len(l.buf) {
		l.buf = append(l.buf, make([]byte, len(l.buf))...)
	}
	n, err := l.file.Read(l.buf[l.end:])
	l.end += n
	switch {
	case errors.Is(err, io.EOF):
		l.eof = true
	case err != nil:
		return fmt.Errorf("verify evidence: read %s: %w", l.name, err)
	}
	return nil
}

// anyLine reports whether a line of a file, with its zero byte, is one for which
// is returns true. Lines that are too long are none.
func anyLine(fsys fs.FS, name string, is func([]byte) bool) (bool, error) {
	l, err := openLines(fsys, name)
	if err != nil {
		return false, err
	}
	defer l.close()
	for {
		leaf, err := l.next()
		switch {
		case errors.Is(err, errLong):
		case errors.Is(err, io.EOF):
			return false, nil
		case err != nil:
			return false, err
		case is(leaf):
			return true, nil
		}
	}
}

func readCheckpoints(fsys fs.FS) ([]byte, error) {
	f, err := fsys.Open(CheckpointsFile)
	if err != nil {
		return nil, fmt.Errorf("verify evidence: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	b, err := io.ReadAll(io.LimitReader(f, maxCheckpoints+1))
	if err != nil {
		return nil, fmt.Errorf("verify evidence: read %s: %w", CheckpointsFile, err)
	}
	if len(b) > maxCheckpoints {
		return nil, &Finding{0, Malformed, fmt.Sprintf("%s has more than %d bytes", CheckpointsFile, maxCheckpoints)}
	}
	return b, nil
}

// nextNote cuts the first note and the empty line after it from the text of
// CheckpointsFile; nil when it does not begin with one. Only two places of a note
// have two newlines: after its text, and after its signatures.
func nextNote(b []byte) (*signedCheckpoint, []byte) {
	text := bytes.Index(b, []byte("\n\n"))
	if text < 0 {
		return nil, b
	}
	end := bytes.Index(b[text+2:], []byte("\n\n"))
	if end < 0 {
		return nil, b
	}
	end += text + 2
	n, err := readNote(b[:end+1])
	if err != nil {
		return nil, b
	}
	return n, b[end+2:]
}
