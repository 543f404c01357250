package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"halligan/evidence"
)

// writer is what the owner keeps between two appends. It is guarded by DB.turn.
type writer struct {
	statements map[string]*sql.Stmt
	tree       evidence.Tree
	head       uint64 // entries that the table head covers
	note       []byte
	signer     string // public half of the key that is known to have signed note
	sinceTidy  int    // pages written since the write-ahead log was carried over, roughly
	grown      bool   // the write-ahead log has its whole length
	witness    *witness
	remembered string  // the witness place that the store has noted
	moving     *string // where the witness place goes with this append
}

func (w *writer) close() {
	for _, statement := range w.statements {
		statement.Close()
	}
}

const keepNote = `insert into checkpoints (size, note, given) values ($1, $2, $3) on conflict (size) do nothing`

// keepEvery is how many entries lie between two checkpoints that are kept, which
// narrow down where a log was rewritten; the head moves with them.
const keepEvery = 64

// Draft says what to append after it has looked at the log, or that nothing
// must be: its error ends the append, and nothing happens. It must not use the
// DB itself. The entries it returns need no Index, and no Time if it is now.
type Draft func(View) ([]evidence.Entry, error)

// call is one draft on its way into a transaction.
type call struct {
	ctx     context.Context
	draft   Draft
	entries []evidence.Entry
	err     error
	panic   any
	done    chan struct{} // of a Group
}

func (c *call) result() ([]evidence.Entry, error) {
	if c.panic != nil {
		panic(c.panic)
	}
	return c.entries, c.err
}

// signing says how a transaction is signed.
type signing struct {
	key  *evidence.LogKey
	from string // public half that must have signed the newest checkpoint; empty when that key is lost
	keep bool   // the checkpoint is kept: a verifier needs it
}

// Append adds the entries of a draft, signed with the log key, in one
// transaction. It returns them with their place once they are durable. On an
// error nothing has happened, but for one case that [PoisonedError] and
// [WitnessError] name. Appends stand in line; each draft sees what those before
// it wrote. A context that ends stops the waiting and the draft, never a write.
func (d *DB) Append(ctx context.Context, key *evidence.LogKey, draft Draft) ([]evidence.Entry, error) {
	return d.appendOne(ctx, signing{key: key, from: key.Public()}, draft)
}

// Rotate appends the entry with which a new log key takes over from the old. The
// checkpoint over it is signed by both.
func (d *DB) Rotate(ctx context.Context, old, new *evidence.LogKey, draft Draft) ([]evidence.Entry, error) {
	return d.appendOne(ctx, signing{key: new.After(old), from: old.Public(), keep: true}, draft)
}

// Replace appends the entry that says that the log key is lost. Whoever verifies
// the log believes the new key only when told to.
func (d *DB) Replace(ctx context.Context, new *evidence.LogKey, draft Draft) ([]evidence.Entry, error) {
	return d.appendOne(ctx, signing{key: new, keep: true}, draft)
}

// Give notes that the newest checkpoint left the machine to a place, and returns
// it. Exports keep it.
func (d *DB) Give(ctx context.Context, place string) ([]byte, error) {
	if place == "" {
		return nil, errors.New("give a checkpoint: no place was named")
	}
	var note []byte
	err := d.exclusively(ctx, func(ctx context.Context) error {
		note = d.writer.note
		if len(note) == 0 {
			return errors.New("give a checkpoint: the log has no entries yet")
		}
		const keep = `insert into checkpoints (size, note, given) values ($1, $2, $3) on conflict (size) do update set given = excluded.given`
		if _, err := d.run(ctx, keep, int64(d.writer.tree.Size()), note, place); err != nil {
			return d.poisoned(sqliteError(err), false)
		}
		return nil
	})
	return note, err
}

func (d *DB) appendOne(ctx context.Context, s signing, draft Draft) ([]evidence.Entry, error) {
	c := &call{ctx: ctx, draft: draft}
	if err := d.write(ctx, s, []*call{c}); err != nil {
		return nil, err
	}
	return c.result()
}

// write puts what the calls draft into one transaction. An error concerns all.
func (d *DB) write(ctx context.Context, s signing, calls []*call) error {
	return d.exclusively(ctx, func(ctx context.Context) error {
		if err := d.signedBy(s.from); err != nil {
			return err
		}
		if err := d.engine.tidy(ctx, d); err != nil {
			return d.poisoned(err, false)
		}
		return d.witnessed(ctx, s, calls)
	})
}

// exclusively waits for its turn to write. The context that do gets does not end
// with that of the caller: to break off a write leaves it in doubt.
func (d *DB) exclusively(ctx context.Context, do func(context.Context) error) error {
	if d.options.ReadOnly {
		return fmt.Errorf("write to store %s: it was opened for reading", d.Name())
	}
	select {
	case d.turn <- struct{}{}:
	case <-d.ended:
		return errClosed
	case <-ctx.Done():
		return fmt.Errorf("write to store %s: wait for other appends: %w", d.Name(), context.Cause(ctx))
	}
	defer func() { <-d.turn }()
	if p := d.poison.Load(); p != nil {
		return p
	}
	ctx, cancel := d.engine.bounded(context.WithoutCancel(ctx), d.options.Patience)
	defer cancel()
	return do(ctx)
}

// signedBy makes sure that the key belongs to this log before it signs.
func (d *DB) signedBy(public string) error {
	w := &d.writer
	if public == "" || public == w.signer || w.tree.Size() == 0 {
		return nil
	}
	// Where one key took over from another both have signed: the second holds.
	if _, err := evidence.OpenCheckpoint(w.note, public); err != nil || !strings.HasPrefix(public, lastSigner(w.note)+"+") {
		return &KeyError{d.Name(), public}
	}
	w.signer = public
	return nil
}

// lastSigner returns name+hash of the key that signed last, in the form of
// C2SP signed-note.
func lastSigner(signed []byte) string {
	_, err := note.Open(signed, note.VerifierList())
	unverified, is := errors.AsType[*note.UnverifiedNoteError](err)
	if !is {
		return ""
	}
	signatures := unverified.Note.UnverifiedSigs
	last := signatures[len(signatures)-1]
	return fmt.Sprintf("%s+%08x", last.Name, last.Hash)
}

// poisoned ends all writing of this DB, and returns the error that says why.
func (d *DB) poisoned(why error, inDoubt bool) error {
	d.poison.CompareAndSwap(nil, &PoisonedError{d.Name(), why, inDoubt})
	return d.poison.Load()
}

// transaction is one that is being written.
type transaction struct {
	d     *DB
	ctx   context.Context
	s     signing
	tree  evidence.Tree // as it will be
	held  *held         // the newest entry, not written yet
	head  uint64        // where the table head will stand
	bytes int
	lost  *evidence.Checkpoint // given up by a restore
}

// transact writes the calls. prepare is called with the signed checkpoint before
// the commit.
func (d *DB) transact(ctx context.Context, s signing, calls []*call, lost *evidence.Checkpoint, prepare func(note []byte) error) (note []byte, err error) {
	if _, err := d.run(ctx, d.engine.begin); err != nil {
		if d.engine.transient(err) {
			return nil, fmt.Errorf("write to store %s: begin: %w", d.Name(), sqliteError(err))
		}
		return nil, d.poisoned(sqliteError(err), false)
	}
	open := true
	defer func() {
		if !open {
			return
		}
		if _, e := d.run(ctx, "rollback"); e != nil && d.poison.Load() == nil {
			err = d.poisoned(fmt.Errorf("roll back: %w", sqliteError(e)), false)
		}
	}()
	t := &transaction{d: d, ctx: ctx, s: s, tree: d.writer.tree.Clone(), head: d.writer.head, lost: lost}
	if err := t.fenced(d.engine.fence); err != nil {
		return nil, err
	}
	if err := t.restored(); err != nil {
		return nil, err
	}
	for _, c := range calls {
		if err := t.run(c); err != nil {
			return nil, err
		}
	}
	if !slices.ContainsFunc(calls, func(c *call) bool { return len(c.entries) > 0 }) {
		return nil, nil // nobody had anything to write
	}
	note, err = t.sign()
	if err != nil {
		return nil, err
	}
	if err := prepare(note); err != nil {
		return nil, err
	}
	open = false
	if _, err := d.run(ctx, "commit"); err != nil {
		return nil, d.poisoned(fmt.Errorf("commit: %w", sqliteError(err)), true)
	}
	w := &d.writer
	w.tree, w.head, w.note, w.signer, w.remembered = t.tree, t.head, note, s.key.Public(), w.place()
	w.sinceTidy += 4 + 2*t.bytes/4096
	d.pendingRestore = nil
	return note, nil
}

// prepared compiles a statement once for the session that writes.
func (d *DB) prepared(ctx context.Context, query string) (*sql.Stmt, error) {
	w := &d.writer
	if statement := w.statements[query]; statement != nil {
		return statement, nil
	}
	statement, err := d.session.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if w.statements == nil {
		w.statements = map[string]*sql.Stmt{}
	}
	w.statements[query] = statement
	return statement, nil
}

func (d *DB) run(ctx context.Context, query string, args ...any) (sql.Result, error) {
	statement, err := d.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	return statement.ExecContext(ctx, args...)
}

// exec changes tables; its failure is one of the store.
func (t *transaction) exec(query string, args ...any) (int64, error) {
	result, err := t.d.run(t.ctx, query, args...)
	if err != nil {
		return 0, t.d.poisoned(sqliteError(err), false)
	}
	n, err := result.RowsAffected()
	if err != nil {
		return 0, t.d.poisoned(err, false)
	}
	return n, nil
}

// fenced refuses to write when a newer owner has been here. In PostgreSQL it
// also keeps the next owner waiting until the transaction ends.
func (t *transaction) fenced(query string) error {
	if query == "" {
		return nil
	}
	var newest int64
	read, err := t.d.prepared(t.ctx, query)
	if err == nil {
		err = read.QueryRowContext(t.ctx).Scan(&newest)
	}
	if err != nil {
		return t.d.poisoned(sqliteError(err), false)
	}
	if newest != t.d.fence {
		return t.d.poisoned(&FencedError{t.d.Name(), t.d.fence, newest}, false)
	}
	return nil
}

// run lets one draft look at the log and writes what it returns. Only an error
// of the store is returned; one of the draft stays with its call.
func (t *transaction) run(c *call) error {
	entries, ok, err := t.drafted(c)
	if err != nil || !ok || len(entries) == 0 {
		return err
	}
	entries = slices.Clone(entries)
	lines, err := t.lines(entries, t.s.keep)
	if err != nil {
		c.err = err
		return nil
	}
	if err := t.insert(entries, lines); err != nil {
		return err
	}
	c.entries = entries
	return nil
}

func (t *transaction) drafted(c *call) (entries []evidence.Entry, ok bool, err error) {
	if c.ctx.Err() != nil {
		c.err = fmt.Errorf("write to store %s: %w", t.d.Name(), context.Cause(c.ctx))
		return nil, false, nil
	}
	if err := t.put(nil); err != nil { // the draft sees what those before it wrote
		return nil, false, err
	}
	finished := false
	defer func() {
		if finished {
			return
		}
		if p := recover(); p != nil {
			c.panic = p
		} else {
			c.err = errors.New("write to store: the draft ended its goroutine")
		}
	}()
	view := View{ctx: c.ctx, q: t.d.session, name: t.d.Name(), size: t.tree.Size(), head: t.d.writer.head, note: t.d.writer.note}
	if t.d.engine.frail {
		view.ctx = t.ctx
	}
	entries, c.err = c.draft(view)
	finished = true
	return entries, c.err == nil, nil
}

// lines gives the entries their places, and makes all lines before the first is
// written: a draft is written whole or not at all. The last of them changes the
// key, or none does.
func (t *transaction) lines(entries []evidence.Entry, newKey bool) ([][]byte, error) {
	lines := make([][]byte, len(entries))
	for i := range entries {
		e := &entries[i]
		e.Index = t.tree.Size() + uint64(i)
		if e.Time.IsZero() {
			e.Time = t.d.options.Now()
		}
		e.Time, e.Source = written(e.Time), written(e.Source)
		err := e.Check()
		if err == nil {
			err = t.aboutKeys(e, newKey && i == len(entries)-1)
		}
		if err == nil {
			lines[i], err = e.Line()
		}
		if err != nil {
			return nil, fmt.Errorf("write to store %s: %w", t.d.Name(), err)
		}
	}
	return lines, nil
}

// written is a time as a line keeps it.
func written(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(time.Millisecond)
}

// aboutKeys refuses entries about the log key that would make a log that nobody
// can verify.
func (t *transaction) aboutKeys(e *evidence.Entry, due bool) error {
	changes := e.Kind == evidence.KindLogKey || e.Kind == evidence.KindLogKeyLost
	if changes != due {
		return fmt.Errorf("write entry %d: an entry of kind %s is the last of a change of keys, and nothing else is", e.Index, e.Kind)
	}
	if e.Kind != evidence.KindLogBegun && !changes {
		return nil
	}
	var names struct{ Key, New string }
	if err := json.Unmarshal(e.Data, &names); err != nil || names.Key+names.New != t.s.key.Public() {
		return fmt.Errorf("write entry %d: %s does not name the key that signs it", e.Index, e.Kind)
	}
	return nil
}

// insert takes the entries. The last of them is held back: when nothing follows
// it is written with the checkpoint over it.
func (t *transaction) insert(entries []evidence.Entry, lines [][]byte) error {
	for i, e := range entries {
		if err := t.put(nil); err != nil {
			return err
		}
		t.held = &held{e, lines[i], evidence.LeafHash(lines[i])}
		t.tree.Append(t.held.leaf)
		t.bytes += len(lines[i])
	}
	return nil
}

// sign writes the checkpoint over what the tree now holds.
func (t *transaction) sign() ([]byte, error) {
	d, before := t.d, t.d.writer.tree.Size()
	note, err := t.s.key.Sign(evidence.Checkpoint{
		Origin:     d.origin(),
		Size:       t.tree.Size(),
		Root:       t.tree.Root(),
		Time:       d.options.Now(),
		Generation: uint64(d.generation()),
	})
	if err != nil {
		return nil, fmt.Errorf("write to store %s: %w", d.Name(), err)
	}
	due := t.s.keep || before/keepEvery != t.tree.Size()/keepEvery
	bare := t.held == nil // a later draft had a look at the newest entry, and added nothing
	if err := t.put(note); err != nil {
		return nil, err
	}
	if due || bare {
		if err := t.follow(note); err != nil {
			return nil, err
		}
	}
	why := ""
	if t.s.keep {
		why = "a change of keys"
		if before > 0 { // a change of keys is verified from the last word of the old one
			if _, err := t.exec(keepNote, int64(before), d.writer.note, why); err != nil {
				return nil, err
			}
		}
	}
	if due {
		if _, err := t.exec(keepNote, int64(t.tree.Size()), note, why); err != nil {
			return nil, err
		}
	}
	return note, nil
}

func (d *DB) origin() string { return evidence.OriginPrefix + d.identity.ID }
