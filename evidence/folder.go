package evidence

import (
	"bufio"
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

// lines reads a file line by line.
type lines struct {
	file fs.File
	buf  *bufio.Reader
	long []byte // a line that does not fit into buf
	name string
	torn bool // at the end: bytes without a newline were left
}

func openLines(fsys fs.FS, name string) (*lines, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("verify evidence: %w", err)
	}
	return &lines{file: f, buf: bufio.NewReaderSize(f, 16<<10), name: name}, nil
}

func (l *lines) close() { _ = l.file.Close() } // it was only read

// next returns the next line without its newline, valid until the next call;
// io.EOF at the end, errLong when it has more than MaxLine bytes.
func (l *lines) next() ([]byte, error) {
	b, err := l.buf.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		b, err = l.rest(b)
	}
	switch {
	case err == nil:
		return b[:len(b)-1], nil
	case errors.Is(err, io.EOF):
		l.torn = l.torn || len(b) > 0
		return nil, io.EOF
	case errors.Is(err, errLong):
		return nil, errLong
	}
	return nil, fmt.Errorf("verify evidence: read %s: %w", l.name, err)
}

// rest reads on to the end of a line of which b is the beginning.
func (l *lines) rest(b []byte) ([]byte, error) {
	l.long = append(l.long[:0], b...)
	for {
		b, err := l.buf.ReadSlice('\n')
		if len(l.long) <= MaxLine+1 {
			l.long = append(l.long, b...) // a little more than the limit, never all of a huge line
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if len(bytes.TrimSuffix(l.long, []byte("\n"))) > MaxLine && (err == nil || errors.Is(err, io.EOF)) {
			return nil, errLong
		}
		return l.long, err
	}
}

// anyLine reports whether a line of a file is one for which is returns true.
// Lines that are too long are none.
func anyLine(fsys fs.FS, name string, is func([]byte) bool) (bool, error) {
	l, err := openLines(fsys, name)
	if err != nil {
		return false, err
	}
	defer l.close()
	for {
		line, err := l.next()
		switch {
		case errors.Is(err, errLong):
		case errors.Is(err, io.EOF):
			return false, nil
		case err != nil:
			return false, err
		case is(line):
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
