package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"halligan/evidence"
)

// maxNotes is how many checkpoints an export has at most.
const maxNotes = 256

// Export writes the log as a folder that evidence.Verify reads, as it is at this
// moment (docs/evidence-format.md). The folder must not exist yet, or be empty.
func (d *DB) Export(ctx context.Context, folder string) error {
	fail := func(err error) error { return fmt.Errorf("export store %s to %s: %w", d.Name(), folder, err) }
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fail(err)
	}
	if there, err := os.ReadDir(folder); err != nil {
		return fail(err)
	} else if len(there) > 0 {
		return fail(errors.New("the folder is not empty"))
	}
	err := d.asFolder(ctx, func(log fs.FS, _ *sql.Tx) error {
		for _, name := range exported {
			if err := copyOut(log, name, filepath.Join(folder, name)); err != nil {
				return err
			}
		}
		return syncDir(folder)
	})
	if err != nil {
		return fail(err)
	}
	return nil
}

func copyOut(from fs.FS, name, to string) error {
	in, err := from.Open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err == nil {
		err = out.Sync()
	}
	return errors.Join(err, out.Close())
}

var exported = []string{evidence.CheckpointsFile, evidence.EntriesFile, evidence.HashesFile}

// asFolder calls use with the log in the form of an exported folder, read from one
// snapshot as it is asked for.
func (d *DB) asFolder(ctx context.Context, use func(fs.FS, *sql.Tx) error) error {
	return d.reading(ctx, func(tx *sql.Tx) error {
		e, err := d.end(ctx, tx)
		if err != nil && !Damaged(err) { // whoever verifies sees the damage
			return err
		}
		notes, err := d.notes(ctx, tx, int64(e.size), e.note)
		if err != nil {
			return err
		}
		return use(&folder{ctx, tx, evidence.JoinCheckpoints(notes)}, tx)
	})
}

// notes returns the checkpoints that are kept, thinned out, and the newest.
func (d *DB) notes(ctx context.Context, tx *sql.Tx, size int64, newest []byte) ([][]byte, error) {
	rows, err := tx.QueryContext(ctx, `select note, given from checkpoints where size < $1 order by size`, size)
	if err != nil {
		return nil, fmt.Errorf("read the checkpoints: %w", err)
	}
	defer rows.Close()
	type kept struct {
		note []byte
		must bool
	}
	var all []kept
	spare := 0
	for rows.Next() {
		var k kept
		var given string
		if err := rows.Scan(&k.note, &given); err != nil {
			return nil, fmt.Errorf("read the checkpoints: %w", err)
		}
		if k.must = given != ""; !k.must {
			spare++
		}
		all = append(all, k)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the checkpoints: %w", err)
	}
	room := max(maxNotes-1-(len(all)-spare), 1)
	step := max((spare+room-1)/room, 1)
	var notes [][]byte
	n := 0
	for _, k := range all {
		if k.must || n%step == 0 {
			notes = append(notes, k.note)
		}
		if !k.must {
			n++
		}
	}
	if len(newest) > 0 {
		notes = append(notes, newest)
	}
	return notes, nil
}

// folder is a log as an fs.FS: three files that are made while they are read.
type folder struct {
	ctx         context.Context // of the call that reads; the folder does not outlive it
	tx          *sql.Tx
	checkpoints []byte
}

// Open implements fs.FS.
func (f *folder) Open(name string) (fs.File, error) {
	switch name {
	case evidence.CheckpointsFile:
		return &file{name: name, more: once(f.checkpoints)}, nil
	case evidence.EntriesFile:
		return &file{name: name, more: f.rows("line", func(b, line []byte) []byte { return append(append(b, line...), '\n') })}, nil
	case evidence.HashesFile:
		return &file{name: name, more: f.rows("leaf", func(b, leaf []byte) []byte { return append(hex.AppendEncode(b, leaf), '\n') })}, nil
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// ReadDir implements fs.ReadDirFS.
func (f *folder) ReadDir(name string) ([]fs.DirEntry, error) {
	if name != "." {
		return nil, &fs.PathError{Op: "read", Path: name, Err: fs.ErrNotExist}
	}
	var all []fs.DirEntry
	for _, name := range exported {
		all = append(all, fs.FileInfoToDirEntry(&file{name: name}))
	}
	return all, nil
}

func once(content []byte) func() ([]byte, error) {
	return func() ([]byte, error) {
		c := content
		content = nil
		return c, nil
	}
}

// rows returns a function that gives a column of all entries, some at a time.
// Rows that are missing are not made up for: whoever verifies sees the gap.
func (f *folder) rows(column string, add func(b, value []byte) []byte) func() ([]byte, error) {
	next := int64(0)
	query := fmt.Sprintf(`select "index", %s from entries where "index" >= $1 order by "index" limit 512`, column)
	return func() ([]byte, error) {
		rows, err := f.tx.QueryContext(f.ctx, query, next)
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		var b []byte
		for rows.Next() {
			var value []byte
			if err := rows.Scan(&next, &value); err != nil {
				return nil, err
			}
			next++
			b = add(b, value)
		}
		return b, rows.Err()
	}
}

// file is one file of a folder, and its own description.
type file struct {
	name string
	more func() ([]byte, error) // the next bytes; none at the end
	left bytes.Reader
}

// Read implements fs.File.
func (f *file) Read(p []byte) (int, error) {
	if f.left.Len() == 0 {
		b, err := f.more()
		if err != nil {
			return 0, err
		}
		if len(b) == 0 {
			return 0, io.EOF
		}
		f.left.Reset(slices.Clone(b))
	}
	return f.left.Read(p)
}

// Close implements fs.File.
func (f *file) Close() error { return nil }

// Stat implements fs.File. The size is not known before the file was read.
func (f *file) Stat() (fs.FileInfo, error) { return f, nil }

func (f *file) Name() string       { return f.name }
func (f *file) Size() int64        { return 0 }
func (f *file) Mode() fs.FileMode  { return 0o400 }
func (f *file) ModTime() time.Time { return time.Time{} }
func (f *file) IsDir() bool        { return false }
func (f *file) Sys() any           { return nil }
