package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"

	"halligan/evidence"
)

// View is the log as it is at one moment. It is good until the function that got
// it returns, and for one goroutine.
type View struct {
	ctx  context.Context // of the call that made the view; a view does not outlive it
	q    querier
	name string
	size uint64
	head uint64 // entries that are found by the table found; the others are looked through
	note []byte
}

// View calls read with the log as it is now. What is appended meanwhile is not seen.
func (d *DB) View(ctx context.Context, read func(View) error) error {
	return d.reading(ctx, func(tx *sql.Tx) error {
		v, err := d.viewOf(ctx, tx)
		if err != nil {
			return err
		}
		return read(v)
	})
}

func (d *DB) reading(ctx context.Context, read func(*sql.Tx) error) error {
	if d.closed.Load() {
		return errClosed
	}
	tx, err := d.read.BeginTx(ctx, d.engine.reading)
	if err != nil {
		return fmt.Errorf("read store %s: %w", d.Name(), err)
	}
	defer tx.Rollback()
	return read(tx)
}

var errClosed = errors.New("use store: it is closed")

func (d *DB) viewOf(ctx context.Context, q querier) (View, error) {
	e, err := d.end(ctx, q)
	if err != nil && !(d.options.ReadOnly && Damaged(err)) { // a damaged log is read, never written
		return View{}, err
	}
	return View{ctx: ctx, q: q, name: d.Name(), size: e.size, head: e.head, note: e.note}, nil
}

// Size returns the number of entries.
func (v View) Size() uint64 { return v.size }

// Checkpoint returns the signed note over all entries, nil for an empty log.
// Within a draft it is that of the log before this transaction.
func (v View) Checkpoint() []byte { return v.note }

// Line returns the line of entry i as it was written.
func (v View) Line(i uint64) ([]byte, error) {
	if i >= v.size {
		return nil, fmt.Errorf("read entry %d of store %s: the log has %d", i, v.name, v.size)
	}
	var line, leaf []byte
	err := v.q.QueryRowContext(v.ctx, `select line, leaf from entries where "index" = $1`, int64(i)).Scan(&line, &leaf)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, &DamagedError{v.name, fmt.Sprintf("entry %d is missing", i)}
	}
	if err != nil {
		return nil, fmt.Errorf("read entry %d of store %s: %w", i, v.name, err)
	}
	return line, v.sound(i, line, leaf)
}

func (v View) sound(i uint64, line, leaf []byte) error {
	if hash := evidence.LeafHash(line); string(hash[:]) != string(leaf) {
		return &DamagedError{v.name, fmt.Sprintf("entry %d was changed: it does not have its hash", i)}
	}
	return nil
}

// Entry returns entry i.
func (v View) Entry(i uint64) (evidence.Entry, error) {
	line, err := v.Line(i)
	if err != nil {
		return evidence.Entry{}, err
	}
	return v.parse(i, line)
}

func (v View) parse(i uint64, line []byte) (evidence.Entry, error) {
	entry, err := evidence.ParseLine(line)
	if err == nil && entry.Index != i {
		err = fmt.Errorf("it says that it is entry %d", entry.Index)
	}
	if err != nil {
		return evidence.Entry{}, &DamagedError{v.name, fmt.Sprintf("entry %d: %v", i, err)}
	}
	return entry, nil
}

// page is how many entries are read at a time: a loop over entries may ask for
// others, which PostgreSQL does not answer in the middle of a result.
const page = 64

// widePage is the same for all entries of a kind: what they are found by is ordered
// by subject, so that each page sorts those that are left.
const widePage = 1024

// Find returns the entries of a kind about a subject, in order. An empty kind is
// every kind, an empty subject every subject. It ends after the first error.
func (v View) Find(kind evidence.Kind, subject string) iter.Seq2[evidence.Entry, error] {
	return v.FindFrom(0, kind, subject)
}

// FindFrom is Find beginning with entry from.
func (v View) FindFrom(from uint64, kind evidence.Kind, subject string) iter.Seq2[evidence.Entry, error] {
	most := page
	if kind != "" && subject == "" {
		most = widePage
	}
	query, args := finding(kind, subject, most)
	return func(yield func(evidence.Entry, error) bool) {
		for next := from; ; {
			stretch := []any{int64(next), int64(v.size)}
			if len(args) > 0 {
				stretch = append(stretch, int64(max(next, v.head)))
			}
			entries, err := v.page(query, append(stretch, args...))
			for _, e := range entries {
				if !yield(e, nil) {
					return
				}
				next = e.Index + 1
			}
			if err != nil {
				yield(evidence.Entry{}, err)
				return
			}
			if len(entries) < most {
				return
			}
		}
	}
}

// finding is a query for the first entries, most in number, of a kind about a subject in the stretch of
// the log from $1 to before $2; $3, which a query for everything lacks, is where what
// is looked through begins. Each half
// stops by itself: a log may have a million entries of a kind.
func finding(kind evidence.Kind, subject string, most int) (query string, args []any) {
	const columns = `select e."index", e.line, e.leaf from entries e `
	last := fmt.Sprintf(` order by "index" limit %d`, most)
	where := ""
	for _, c := range []struct{ column, value string }{{"kind", string(kind)}, {"subject", subject}} {
		if c.value != "" {
			args = append(args, c.value)
			where += fmt.Sprintf(" and %s = $%d", c.column, len(args)+3)
		}
	}
	if where == "" {
		return columns + `where e."index" >= $1 and e."index" < $2` + last, nil
	}
	return columns + `join (
		select * from (select "index" from found where "index" >= $1 and "index" < $2 and "index" < $3` + where + last + `) a
		union all
		select * from (select "index" from entries where "index" >= $3 and "index" < $2` + where + last + `) b
		) f on f."index" = e."index" order by e."index"` + fmt.Sprintf(" limit %d", most), args
}

func (v View) page(query string, args []any) ([]evidence.Entry, error) {
	rows, err := v.q.QueryContext(v.ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("find in store %s: %w", v.name, err)
	}
	defer rows.Close()
	var entries []evidence.Entry
	for rows.Next() {
		var index int64
		var line, leaf []byte
		if err := rows.Scan(&index, &line, &leaf); err != nil {
			return entries, fmt.Errorf("find in store %s: %w", v.name, err)
		}
		if err := v.sound(uint64(index), line, leaf); err != nil {
			return entries, err
		}
		entry, err := v.parse(uint64(index), line)
		if err != nil {
			return entries, err
		}
		entries = append(entries, entry)
	}
	if err := rows.Err(); err != nil {
		return entries, fmt.Errorf("find in store %s: %w", v.name, err)
	}
	return entries, nil
}
