package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
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
			return copyStore(ctx, tx, Options{URL: partial, Now: d.options.Now}, "")
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
	from, err := Open(ctx, Options{URL: backup, ReadOnly: true})
	if err != nil {
		return fmt.Errorf("restore store %s: %w", nameOf(to.URL), err)
	}
	defer from.Close()
	fail := func(err error) error {
		return fmt.Errorf("restore store %s from %s: %w", nameOf(to.URL), backup, err)
	}
	err = from.reading(ctx, func(tx *sql.Tx) error {
		mark, err := from.restoreMark(ctx, tx, to, o)
		if err != nil {
			return err
		}
		if isPostgres(to.URL) {
			return copyStore(ctx, tx, to, mark)
		}
		return createWhole(to.URL, func(partial string) error {
			into := to
			into.URL, into.Witness = partial, ""
			return copyStore(ctx, tx, into, mark)
		})
	})
	if err != nil {
		return fail(err)
	}
	return nil
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
func copyStore(ctx context.Context, tx *sql.Tx, o Options, mark string) error {
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
	if err := copyEntries(ctx, tx, into); err != nil {
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

// copyEntries copies the entries and the head, and refuses a head that is not theirs.
func copyEntries(ctx context.Context, tx, into *sql.Tx) error {
	insert, err := into.PrepareContext(ctx, insertEntry)
	if err != nil {
		return err
	}
	defer insert.Close()
	rows, err := tx.QueryContext(ctx, `select "index", kind, subject, line, leaf from entries order by "index"`)
	if err != nil {
		return err
	}
	defer rows.Close()
	var tree evidence.Tree
	for rows.Next() {
		var index int64
		var kind, subject string
		var line, leaf []byte
		if err := rows.Scan(&index, &kind, &subject, &line, &leaf); err != nil {
			return err
		}
		hash := evidence.LeafHash(line)
		if uint64(index) != tree.Size() || string(hash[:]) != string(leaf) {
			return &DamagedError{"to copy", fmt.Sprintf("entry %d is missing or was changed", tree.Size())}
		}
		tree.Append(hash)
		if _, err := insert.ExecContext(ctx, index, kind, subject, line, leaf); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	rows.Close()
	var size int64
	var kept, note []byte
	if err := tx.QueryRowContext(ctx, `select size, tree, note from head`).Scan(&size, &kept, &note); err != nil {
		return err
	}
	if want, err := tree.MarshalBinary(); err != nil || string(want) != string(kept) || uint64(size) != tree.Size() {
		return &DamagedError{"to copy", "the head is not that of the entries"}
	}
	_, err = into.ExecContext(ctx, `update head set size = $1, tree = $2, note = $3`, size, kept, note)
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
