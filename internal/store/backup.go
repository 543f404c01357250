package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"halligan/evidence"
)

// A backup is a SQLite store in one file, whichever database it comes from: the
// identity, all entries, the checkpoints and the head, copied in one snapshot
// while the owner goes on. So a store can also be moved from one database to the
// other. Every entry is compared with its hash and with the head on the way: a
// damaged store is not backed up over a good backup.

// Backup writes a copy of the store to a file that must not exist yet.
func (d *DB) Backup(ctx context.Context, path string) error {
	fail := func(err error) error { return fmt.Errorf("back up store %s to %s: %w", d.Name(), path, err) }
	if isPostgres(path) {
		return fail(errors.New("a backup is a file"))
	}
	err := createWhole(path, func(partial string) error {
		return d.reading(ctx, func(tx *sql.Tx) error {
			return d.copyStore(ctx, tx, Options{URL: partial, Now: d.options.Now}, "")
		})
	})
	if err != nil {
		return fail(err)
	}
	return nil
}

// createWhole makes a store under another name first, so that a file under the
// name asked for is always whole.
func createWhole(path string, write func(partial string) error) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(fs.ErrExist, err)
	}
	folder, err := os.MkdirTemp(filepath.Dir(path), ".halligan-partial-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	partial := filepath.Join(folder, "store")
	if err := write(partial); err != nil {
		return err
	}
	file, err := os.OpenFile(partial, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Rename(partial, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// RestoreOptions says what a restore may assume.
type RestoreOptions struct {
	// OriginalGone says that the store from which the backup was made is lost for
	// good. Then what the witness place knows beyond the backup is given up, by an
	// entry that names it. If the original runs again, it finds itself forked.
	OriginalGone bool
}

// Restore makes a store from a backup at a place where there is none: the path of
// a file, or the address of an empty database. The next append begins with an
// entry about the restore, and its checkpoints have the next generation.
func Restore(ctx context.Context, backup string, to Options, o RestoreOptions) error {
	from, done, err := openBackup(ctx, backup)
	if err != nil {
		return fmt.Errorf("restore store %s: %w", nameOf(to.URL), err)
	}
	defer done()
	fail := func(err error) error {
		return fmt.Errorf("restore store %s from %s: %w", nameOf(to.URL), backup, err)
	}
	err = from.reading(ctx, func(tx *sql.Tx) error {
		mark, err := from.restoreMark(ctx, tx, to, o)
		if err != nil {
			return err
		}
		if isPostgres(to.URL) {
			return from.copyStore(ctx, tx, to, mark)
		}
		return createWhole(to.URL, func(partial string) error {
			into := to
			into.URL, into.Witness = partial, ""
			return from.copyStore(ctx, tx, into, mark)
		})
	})
	if err != nil {
		return fail(err)
	}
	return nil
}

// openBackup opens a backup for reading. One of an older format is brought to the
// newest in a copy: a backup is never changed.
func openBackup(ctx context.Context, path string) (*DB, func(), error) {
	from, err := Open(ctx, Options{URL: path, ReadOnly: true})
	if _, older := errors.AsType[*OlderError](err); !older || isPostgres(path) {
		return from, func() { _ = from.Close() }, err
	}
	folder, err := os.MkdirTemp("", "halligan-restore-")
	if err != nil {
		return nil, nil, err
	}
	clean := func() { _ = os.RemoveAll(folder) }
	fail := func(err error) (*DB, func(), error) {
		clean()
		return nil, nil, fmt.Errorf("bring a copy of %s to the newest format: %w", path, err)
	}
	copied := filepath.Join(folder, "store")
	in, err := os.Open(path)
	if err != nil {
		return fail(err)
	}
	defer in.Close()
	out, err := os.OpenFile(copied, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fail(err)
	}
	_, err = io.Copy(out, in)
	if err = errors.Join(err, out.Close()); err != nil {
		return fail(err)
	}
	newest, err := Open(ctx, Options{URL: copied})
	if err == nil {
		err = newest.Close()
	}
	if err == nil {
		from, err = Open(ctx, Options{URL: copied, ReadOnly: true})
	}
	if err != nil {
		return fail(err)
	}
	return from, func() { _ = from.Close(); clean() }, nil
}

func (d *DB) restoreMark(ctx context.Context, tx *sql.Tx, to Options, o RestoreOptions) (string, error) {
	size, root, err := d.rootAt(ctx, tx, 0)
	if err == nil {
		_, root, err = d.rootAt(ctx, tx, size)
	}
	if err != nil {
		return "", err
	}
	now := to.Now
	if now == nil {
		now = time.Now
	}
	mark, err := json.Marshal(Restored{Size: size, Root: root.String(), Time: now().UTC(), OriginalGone: o.OriginalGone})
	return string(mark), err
}

// copyStore copies everything that tx sees into a new store. With a mark it is a
// restore.
func (d *DB) copyStore(ctx context.Context, tx *sql.Tx, o Options, mark string) error {
	to, err := Open(ctx, o)
	if err != nil {
		return err
	}
	defer to.Close()
	if to.writer.tree.Size() > 0 {
		return errors.New("there are entries already")
	}
	into, err := to.session.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer into.Rollback()
	var id, restored, witness string
	var created, generation int64
	err = tx.QueryRowContext(ctx, `select id, created, generation, restored, witness from store`).Scan(&id, &created, &generation, &restored, &witness)
	if err != nil {
		return err
	}
	if mark == "" {
		mark = restored // of a store whose restore is not in the log yet
	}
	_, err = into.ExecContext(ctx, `update store set id = $1, created = $2, generation = $3, restored = $4, witness = $5`,
		id, created, generation, mark, witness)
	if err != nil {
		return err
	}
	if err := d.copyEntries(ctx, tx, to, into); err != nil {
		return err
	}
	if err := copyNotes(ctx, tx, into); err != nil {
		return err
	}
	if err := into.Commit(); err != nil {
		return err
	}
	return to.single(ctx)
}

// single closes a store that was just made, as one file without a write-ahead log
// beside it: a backup is read from places where nothing can be written.
func (d *DB) single(ctx context.Context) error {
	if d.engine.name == "sqlite" {
		if err := d.read.Close(); err != nil {
			return err
		}
		var mode string
		if err := d.session.QueryRowContext(ctx, `pragma journal_mode(delete)`).Scan(&mode); err != nil {
			return sqliteError(err)
		}
		if mode != "delete" {
			return fmt.Errorf("the write-ahead log stays: journal mode is %s", mode)
		}
	}
	return d.Close()
}

// copyEntries copies the entries, and refuses a head or a newest checkpoint that
// is not theirs. The head of the copy stands at its end.
func (d *DB) copyEntries(ctx context.Context, tx *sql.Tx, to *DB, into *sql.Tx) error {
	damaged := func(format string, args ...any) error {
		return &DamagedError{"to copy", fmt.Sprintf(format, args...)}
	}
	e, err := d.end(ctx, tx)
	if err != nil {
		return err
	}
	var kept, headNote []byte
	if err := tx.QueryRowContext(ctx, `select tree, note from head`).Scan(&kept, &headNote); err != nil {
		return err
	}
	insert, err := into.PrepareContext(ctx, to.engine.insertEntry)
	if err != nil {
		return err
	}
	defer insert.Close()
	rows, err := tx.QueryContext(ctx, `select "index", kind, subject, line, leaf, note from entries order by "index"`)
	if err != nil {
		return err
	}
	defer rows.Close()
	var tree evidence.Tree
	for more := true; more; {
		if tree.Size() == e.head {
			want, err := tree.MarshalBinary()
			if err != nil || string(want) != string(kept) || d.speaksOf(headNote, &tree) != nil {
				return damaged("the head is not that of the entries")
			}
		}
		if more = rows.Next(); !more {
			break
		}
		var index int64
		var kind, subject string
		var line, leaf, note []byte
		if err := rows.Scan(&index, &kind, &subject, &line, &leaf, &note); err != nil {
			return err
		}
		hash := evidence.LeafHash(line)
		if uint64(index) != tree.Size() || string(hash[:]) != string(leaf) {
			return damaged("entry %d is missing or was changed", tree.Size())
		}
		tree.Append(hash)
		if _, err := insert.ExecContext(ctx, index, kind, subject, line, leaf, note, to.fence); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	rows.Close()
	whole, err := tree.MarshalBinary()
	if err != nil || tree.Size() != e.size || d.speaksOf(e.note, &tree) != nil {
		return errors.Join(damaged("the newest checkpoint is not that of the entries"), err)
	}
	if _, err := into.ExecContext(ctx, moveHead, int64(e.size), whole, append([]byte{}, e.note...), 0); err != nil {
		return err
	}
	_, err = into.ExecContext(ctx, fillUp, 0, int64(e.size))
	return err
}

func copyNotes(ctx context.Context, tx, into *sql.Tx) error {
	rows, err := tx.QueryContext(ctx, `select size, note, given from checkpoints order by size`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var size int64
		var note []byte
		var given string
		if err := rows.Scan(&size, &note, &given); err != nil {
			return err
		}
		if _, err := into.ExecContext(ctx, `insert into checkpoints (size, note, given) values ($1, $2, $3)`, size, note, given); err != nil {
			return err
		}
	}
	return rows.Err()
}
