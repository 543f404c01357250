package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"

	"halligan/evidence"
)

// Report is what a check of a store found.
type Report struct {
	Size     uint64
	Result   *evidence.Result  // of the whole log; nil for an empty one
	Evidence *evidence.Finding // the first entry that is not what was signed
	Damage   []string          // what the database says about itself, and where its tables disagree
	Fork     *ForkError        // what the witness place knows better
	Witness  error             // why the witness place is not to be believed, or could not be asked
}

// Good reports whether nothing was found.
func (r *Report) Good() bool {
	return r.Evidence == nil && len(r.Damage) == 0 && r.Fork == nil && r.Witness == nil
}

// Check reads all of the store: the database's own structure, every entry and
// checkpoint as evidence.Verify does, the columns that were made from the
// entries, the head, and the witness place. An error says that the check itself
// could not be done.
func (d *DB) Check(ctx context.Context, o evidence.VerifyOptions) (*Report, error) {
	r := &Report{}
	err := d.asFolder(ctx, func(log fs.FS, tx *sql.Tx) error {
		var err error
		if r.Damage, err = d.engine.damage(ctx, tx); err != nil {
			return sqliteError(err)
		}
		e, err := d.end(ctx, tx)
		if damage, is := errors.AsType[*DamagedError](err); is {
			r.Damage, err = append(r.Damage, damage.Error()), nil
		}
		if err != nil {
			return err
		}
		r.Size = e.size
		if err := d.checkColumns(ctx, tx, r, e); err != nil {
			return err
		}
		if e.size > 0 || len(o.Checkpoints) > 0 {
			r.Result, err = evidence.Verify(log, o)
			if finding, is := errors.AsType[*evidence.Finding](err); is {
				r.Evidence, err = finding, nil
			}
			if err != nil {
				return err
			}
		}
		return d.checkWitness(ctx, tx, r)
	})
	if err != nil {
		return nil, fmt.Errorf("check store %s: %w", d.Name(), err)
	}
	return r, nil
}

// checkColumns compares what was copied out of the entries, and the head, with them.
func (d *DB) checkColumns(ctx context.Context, tx *sql.Tx, r *Report, e end) error {
	rows, err := tx.QueryContext(ctx, `select "index", kind, subject, line, leaf, note from entries order by "index"`)
	if err != nil {
		return fmt.Errorf("read the entries: %w", err)
	}
	defer rows.Close()
	damaged := func(format string, args ...any) {
		if len(r.Damage) < 20 {
			r.Damage = append(r.Damage, fmt.Sprintf(format, args...))
		}
	}
	var tree, atHead evidence.Tree
	for rows.Next() {
		var index int64
		var kind, subject string
		var line, leaf, note []byte
		if err := rows.Scan(&index, &kind, &subject, &line, &leaf, &note); err != nil {
			return fmt.Errorf("read the entries: %w", err)
		}
		hash := evidence.LeafHash(line)
		entry, err := evidence.ParseLine(line)
		switch {
		case uint64(index) != tree.Size():
			damaged("entry %d is missing, entry %d is there", tree.Size(), index)
			return nil
		case string(leaf) != string(hash[:]):
			damaged("entry %d does not have its hash", index)
		case err != nil:
			damaged("entry %d: %v", index, err)
		case string(entry.Kind) != kind || entry.Subject != subject:
			damaged("entry %d would be found as what it is not: its kind or subject was changed beside it", index)
		}
		tree.Append(hash)
		if len(note) > 0 && d.speaksOf(note, &tree) != nil {
			damaged("the checkpoint of entry %d is not that of the entries up to it", index)
		}
		if tree.Size() == e.head {
			atHead = tree.Clone()
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read the entries: %w", err)
	}
	rows.Close()
	if d.speaksOf(e.note, &tree) != nil {
		damaged("the newest checkpoint is not that of the entries")
	}
	return d.checkHead(ctx, tx, &atHead, e, damaged)
}

// checkHead compares the head, and what entries are found by, with the entries.
func (d *DB) checkHead(ctx context.Context, tx *sql.Tx, tree *evidence.Tree, e end, damaged func(string, ...any)) error {
	var kept, note []byte
	if err := tx.QueryRowContext(ctx, `select tree, note from head`).Scan(&kept, &note); err != nil {
		return fmt.Errorf("read the head: %w", err)
	}
	want, err := tree.MarshalBinary()
	if err != nil {
		return err
	}
	if string(want) != string(kept) {
		damaged("the tree in the head is not that of the entries")
	}
	if d.speaksOf(note, tree) != nil {
		damaged("the checkpoint in the head is not that of the entries")
	}
	var there, right int64
	const counts = `select count(*), count(e."index") from found f
		left join entries e on e."index" = f."index" and e.kind = f.kind and e.subject = f.subject and f."index" < $1`
	if err := tx.QueryRowContext(ctx, counts, int64(e.head)).Scan(&there, &right); err != nil {
		return fmt.Errorf("read what entries are found by: %w", err)
	}
	if there != int64(e.head) || right != there {
		damaged("entries would not be found: of %d, %d are listed, and %d rightly", e.head, there, right)
	}
	return nil
}

func (d *DB) checkWitness(ctx context.Context, tx *sql.Tx, r *Report) error {
	var text, known string
	if err := tx.QueryRowContext(ctx, `select restored, witness from store`).Scan(&text, &known); err != nil {
		return err
	}
	place := cmp.Or(known, d.options.Witness)
	if place == "" {
		return nil
	}
	w := &witness{place: place, id: d.identity.ID}
	restored, err := parseRestored(text)
	if err != nil {
		return err
	}
	_, err = d.compare(ctx, tx, w, restored)
	if fork, is := errors.AsType[*ForkError](err); is {
		r.Fork = fork
		return nil
	}
	if failed, is := errors.AsType[*WitnessError](err); is {
		r.Witness = failed
		return nil
	}
	if err == nil && d.options.ReadOnly {
		r.Witness = d.otherWitness(known)
	}
	return err
}
