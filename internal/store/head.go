package store

import (
	"context"
	"errors"
	"fmt"

	"halligan/evidence"
)

// An append writes one page where it can: the entry, and with it the checkpoint
// over everything up to it. The table head, which keeps the edge of the tree, and
// the table found, by which entries are found, follow every keepEvery entries, and
// whenever the newest entry bears no checkpoint. So the head stands at a place from
// which the log goes on: what it covers is in found, and the few entries after it
// are looked through.

// selectEnd returns how many entries there are, how many the head covers, and the
// checkpoint over all of them; null where there should be one and is none.
const selectEnd = `select e.size, h.size,
	case when e.size = h.size then h.note else (select note from entries where "index" = e.size - 1) end
	from head h, (select coalesce(max("index") + 1, 0) as size from entries) e`

// end is where a log ends.
type end struct {
	size uint64
	head uint64 // entries that the head covers
	note []byte // signed, over all; empty for an empty log
}

// end reads where the log ends. Beside a DamagedError it returns what there is.
func (d *DB) end(ctx context.Context, q querier) (end, error) {
	var size, head int64
	var e end
	if err := q.QueryRowContext(ctx, selectEnd).Scan(&size, &head, &e.note); err != nil {
		return end{}, fmt.Errorf("read store %s: read the head: %w", d.Name(), err)
	}
	e.size, e.head = uint64(size), uint64(head)
	if head > size {
		return e, &DamagedError{d.Name(), fmt.Sprintf("the head counts %d entries, and there are %d", head, size)}
	}
	if len(e.note) == 0 && size > 0 {
		return e, &DamagedError{d.Name(), fmt.Sprintf("the newest entry, number %d, has no checkpoint", size-1)}
	}
	return e, nil
}

// recall reads where the log ends, and refuses a store that contradicts itself.
func (d *DB) recall(ctx context.Context) error {
	w := &d.writer
	e, err := d.end(ctx, d.session)
	if err != nil {
		return err
	}
	var tree, note []byte
	if err := d.session.QueryRowContext(ctx, `select tree, note from head`).Scan(&tree, &note); err != nil {
		return fmt.Errorf("open store %s: read the head: %w", d.Name(), err)
	}
	if err := w.tree.UnmarshalBinary(tree); err != nil {
		return &DamagedError{d.Name(), "its head: " + err.Error()}
	}
	if w.tree.Size() != e.head {
		return &DamagedError{d.Name(), fmt.Sprintf("the head counts %d entries, its tree %d", e.head, w.tree.Size())}
	}
	if err := d.speaksOf(note, &w.tree); err != nil {
		return &DamagedError{d.Name(), "the checkpoint of the head is not that of its tree"}
	}
	leaves, err := d.leaves(ctx, e.head)
	if err != nil {
		return err
	}
	for _, leaf := range leaves {
		w.tree.Append(leaf)
	}
	if w.tree.Size() != e.size {
		return &DamagedError{d.Name(), fmt.Sprintf("entries are missing: there are %d, and the last is number %d", w.tree.Size(), e.size-1)}
	}
	if err := d.speaksOf(e.note, &w.tree); err != nil {
		return &DamagedError{d.Name(), "the checkpoint of the newest entry is not that of the entries"}
	}
	w.head, w.note = e.head, e.note
	return nil
}

var errOtherNote = errors.New("the checkpoint is about something else")

// speaksOf reports whether a checkpoint is about a tree of this log. Who signed
// it is not looked at.
func (d *DB) speaksOf(note []byte, tree *evidence.Tree) error {
	if tree.Size() == 0 {
		return nil
	}
	c, err := plainCheckpoint(note)
	if err != nil || c.Size != tree.Size() || c.Root != tree.Root() || c.Origin != d.origin() {
		return errOtherNote
	}
	return nil
}

// leaves returns the hashes of the entries from one on.
func (d *DB) leaves(ctx context.Context, from uint64) ([]evidence.Hash, error) {
	fail := func(err error) error {
		return fmt.Errorf("open store %s: read its last entries: %w", d.Name(), err)
	}
	rows, err := d.session.QueryContext(ctx, `select "index", leaf from entries where "index" >= $1 order by "index"`, int64(from))
	if err != nil {
		return nil, fail(err)
	}
	defer rows.Close()
	var out []evidence.Hash
	for rows.Next() {
		var index int64
		var raw []byte
		if err := rows.Scan(&index, &raw); err != nil {
			return nil, fail(err)
		}
		if uint64(index) != from+uint64(len(out)) || len(raw) != len(evidence.Hash{}) {
			return nil, &DamagedError{d.Name(), fmt.Sprintf("entry %d is missing or has no hash", from+uint64(len(out)))}
		}
		out = append(out, evidence.Hash(raw))
	}
	if err := rows.Err(); err != nil {
		return nil, fail(err)
	}
	return out, nil
}

// held is an entry that waits for the checkpoint over it.
type held struct {
	entry evidence.Entry
	line  []byte
	leaf  evidence.Hash
}

// put writes the entry that is held, if any, with the checkpoint over it or none.
func (t *transaction) put(note []byte) error {
	if t.held == nil {
		return nil
	}
	h := t.held
	t.held = nil
	d := t.d
	n, err := t.exec(d.engine.insertEntry, int64(h.entry.Index), string(h.entry.Kind), h.entry.Subject, h.line, h.leaf[:], note, d.fence)
	if err != nil {
		return err
	}
	if n != 1 { // the statement writes nothing when a newer owner has been here
		if err := t.fenced("select fence from store"); err != nil {
			return err
		}
		return d.poisoned(&DamagedError{d.Name(), fmt.Sprintf("entry %d was not taken: somebody else changed the store", h.entry.Index)}, false)
	}
	return nil
}

const (
	moveHead = `update head set size = $1, tree = $2, note = $3 where size = $4`
	fillUp   = `insert into found (kind, subject, "index") select kind, subject, "index" from entries where "index" >= $1 and "index" < $2`
)

// follow brings the head, and what entries are found by, to the end of the log.
func (t *transaction) follow(note []byte) error {
	d, from := t.d, t.d.writer.head
	tree, err := t.tree.MarshalBinary()
	if err != nil {
		return fmt.Errorf("write to store %s: %w", d.Name(), err)
	}
	n, err := t.exec(moveHead, int64(t.tree.Size()), tree, note, int64(from))
	if err != nil {
		return err
	}
	if n != 1 {
		return d.poisoned(&DamagedError{d.Name(), fmt.Sprintf("the head is no longer at %d entries: somebody else changed it", from)}, false)
	}
	if _, err := t.exec(fillUp, int64(from), int64(t.tree.Size())); err != nil {
		return err
	}
	t.head = t.tree.Size()
	return nil
}
