package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"halligan/evidence"
)

// witness is a folder in another place that holds the newest checkpoint of the
// log. Before an append it must hold the beginning of our log, and after it ours:
// of two copies of a store that both run, the second to write finds a checkpoint
// that is not of its own past.
//
// The checkpoint lies there as ID.checkpoint. The next one is written and flushed
// as ID.next before the transaction commits, and renamed after: what the witness
// knows is never ahead of what is durable here. ID.lock keeps two copies from
// looking at the same time. When the newest checkpoint is given up after a
// restore, it stays there as ID.lost-SIZE.checkpoint.
type witness struct {
	place, id string
	seen      []byte // the checkpoint that is known to be of our past
}

func (w *witness) path(suffix string) string { return filepath.Join(w.place, w.id+suffix) }

// witnessPatience is how long another writer may hold the witness place.
const witnessPatience = 10 * time.Second

// witnessed is one append under the eyes of the witness, if there is one.
func (d *DB) witnessed(ctx context.Context, s signing, calls []*call) error {
	w := d.writer.witness
	if w == nil {
		_, err := d.transact(ctx, s, calls, nil, func([]byte) error { return nil })
		return err
	}
	lock, err := w.lock(ctx)
	if err != nil {
		return err
	}
	defer lock.Close()
	lost, err := d.compare(ctx, d.session, w, d.pendingRestore)
	if fork, is := errors.AsType[*ForkError](err); is {
		return d.distrust(fork)
	}
	if err != nil {
		return err
	}
	note, err := d.transact(ctx, s, calls, lost, func(note []byte) error { return w.prepare(note, lost) })
	if err != nil || note == nil {
		return err
	}
	if err := w.publish(note); err != nil {
		failed := &WitnessError{Place: w.place, Why: err, Written: true}
		d.poison.CompareAndSwap(nil, &PoisonedError{d.Name(), failed, false})
		return failed
	}
	return nil
}

// distrust ends all writing: what follows a fork is evidence for nobody.
func (d *DB) distrust(fork *ForkError) error {
	d.poison.CompareAndSwap(nil, &PoisonedError{d.Name(), fork, false})
	return fork
}

func (w *witness) lock(ctx context.Context) (*os.File, error) {
	file, err := os.OpenFile(w.path(".lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, &WitnessError{Place: w.place, Why: err}
	}
	ctx, cancel := context.WithTimeout(ctx, witnessPatience)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		err := lockFile(file)
		if err == nil {
			return file, nil
		}
		if !errors.Is(err, errLocked) {
			file.Close()
			return nil, &WitnessError{Place: w.place, Why: err}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			file.Close()
			return nil, &WitnessError{Place: w.place, Why: errors.New("another process holds it for too long")}
		}
	}
}

// compare makes sure that the witness knows a beginning of our log. With a restore
// whose original is gone, it returns the checkpoint that is given up.
func (d *DB) compare(ctx context.Context, q querier, w *witness, restored *Restored) (*evidence.Checkpoint, error) {
	there, err := os.ReadFile(w.path(".checkpoint"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, d.unknownPlace(ctx, q, w)
	}
	if err != nil {
		info, statErr := os.Stat(w.path(".checkpoint"))
		return nil, &WitnessError{Place: w.place, Why: err, Unasked: statErr != nil || info.Mode().IsRegular()}
	}
	if w.seen != nil && bytes.Equal(there, w.seen) {
		return nil, nil
	}
	known, err := plainCheckpoint(there)
	if err != nil {
		return nil, &WitnessError{Place: w.place, Why: fmt.Errorf("%s: %v", w.path(".checkpoint"), err)}
	}
	size, root, err := d.rootAt(ctx, q, known.Size)
	if err != nil {
		return nil, err
	}
	if known.Origin == d.origin() && known.Size <= size && known.Root == root {
		if w.seen != nil && known.Size < d.writer.tree.Size() {
			// In this process it has already held a later one.
			return nil, &WitnessError{Place: w.place, Why: fmt.Errorf("it went back to a checkpoint of %d entries", known.Size)}
		}
		w.seen = there
		return nil, nil
	}
	if restored != nil && restored.OriginalGone && known.Origin == d.origin() && known.Generation <= uint64(d.identity.Generation) {
		return &known, nil
	}
	if given, err := d.givenUp(ctx, q, known); given || err != nil {
		return nil, err
	}
	return nil, &ForkError{Name: d.Name(), Witness: w.place, Size: size, Known: known.Size, RolledBack: known.Size > size}
}

// lostData is what the entry about a restore says of the log that was given up.
type lostData struct {
	Size uint64 `json:"lostSize,omitempty"`
	Root string `json:"lostRoot,omitempty"`
}

// givenUp reports whether our log says that what the witness knows was given up: a
// power cut may have come after that entry and before the witness was told.
func (d *DB) givenUp(ctx context.Context, q querier, known evidence.Checkpoint) (bool, error) {
	if known.Origin != d.origin() {
		return false, nil
	}
	v, err := d.viewOf(ctx, q)
	if err != nil {
		return false, err
	}
	for e, err := range v.Find(evidence.KindRestored, "") {
		if err != nil {
			return false, err
		}
		var lost lostData
		if json.Unmarshal(e.Data, &lost) == nil && lost.Size == known.Size && lost.Root == known.Root.String() {
			return true, nil
		}
	}
	return false, nil
}

// unknownPlace accepts an empty place of a store that had none; afterwards its emptiness means that
// somebody emptied it.
func (d *DB) unknownPlace(ctx context.Context, q querier, w *witness) error {
	if _, err := os.Stat(w.place); err != nil {
		return &WitnessError{Place: w.place, Why: err, Unasked: true}
	}
	var place string
	if err := q.QueryRowContext(ctx, `select witness from store`).Scan(&place); err != nil {
		return fmt.Errorf("read store %s: %w", d.Name(), err)
	}
	if place == w.place {
		return &WitnessError{Place: w.place, Why: fmt.Errorf("it no longer holds %s.checkpoint", w.id)}
	}
	return nil
}

// rootAt returns the size of our log and the root of its first n entries.
func (d *DB) rootAt(ctx context.Context, q querier, n uint64) (size uint64, root evidence.Hash, err error) {
	e, err := d.end(ctx, q)
	if err != nil && !Damaged(err) { // what is wrong with the end is told where it is looked at
		return 0, root, err
	}
	if n > e.size {
		return e.size, root, nil
	}
	rows, err := q.QueryContext(ctx, `select leaf from entries where "index" < $1 order by "index"`, int64(n))
	if err != nil {
		return 0, root, fmt.Errorf("read store %s: %w", d.Name(), err)
	}
	defer rows.Close()
	var tree evidence.Tree
	for rows.Next() {
		var leaf evidence.Hash
		var raw []byte
		if err := rows.Scan(&raw); err != nil {
			return 0, root, fmt.Errorf("read store %s: %w", d.Name(), err)
		}
		copy(leaf[:], raw)
		tree.Append(leaf)
	}
	return e.size, tree.Root(), rows.Err()
}

// prepare writes the next checkpoint so that only a rename is left to do.
func (w *witness) prepare(note []byte, lost *evidence.Checkpoint) error {
	if lost != nil {
		there, err := os.ReadFile(w.path(".checkpoint"))
		if err == nil {
			err = writeDurably(w.path(fmt.Sprintf(".lost-%d.checkpoint", lost.Size)), there)
		}
		if err != nil {
			return &WitnessError{Place: w.place, Why: err}
		}
	}
	if err := writeDurably(w.path(".next"), note); err != nil {
		return &WitnessError{Place: w.place, Why: err}
	}
	return nil
}

func (w *witness) publish(note []byte) error {
	if err := os.Rename(w.path(".next"), w.path(".checkpoint")); err != nil {
		return err
	}
	w.seen = note
	return syncDir(w.place)
}

func writeDurably(path string, content []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// plainCheckpoint reads what a signed checkpoint says without believing it: what
// it says is compared with a log that is at hand.
func plainCheckpoint(signed []byte) (evidence.Checkpoint, error) {
	var c evidence.Checkpoint
	_, err := note.Open(signed, note.VerifierList())
	unverified, is := errors.AsType[*note.UnverifiedNoteError](err)
	if !is {
		return c, errors.New("not a signed checkpoint")
	}
	lines := strings.Split(unverified.Note.Text, "\n")
	if len(lines) < 4 {
		return c, errors.New("not a signed checkpoint")
	}
	c.Origin = lines[0]
	if _, err := fmt.Sscanf(lines[1], "%d", &c.Size); err != nil {
		return c, errors.New("not a signed checkpoint: no size")
	}
	if c.Root, err = tlog.ParseHash(lines[2]); err != nil {
		return c, errors.New("not a signed checkpoint: no root")
	}
	for _, line := range lines[3:] {
		if g, is := strings.CutPrefix(line, "generation "); is {
			if _, err := fmt.Sscanf(g, "%d", &c.Generation); err != nil {
				return c, errors.New("not a signed checkpoint: no generation")
			}
		}
	}
	return c, nil
}

// Restored is the mark that a restore leaves for the next append, which turns it
// into an entry.
type Restored struct {
	Size         uint64    `json:"size"` // of the backup
	Root         string    `json:"root"` // of the backup, base64
	Time         time.Time `json:"time"` // of the restore
	OriginalGone bool      `json:"originalGone,omitempty"`
}

func parseRestored(text string) (*Restored, error) {
	if text == "" {
		return nil, nil
	}
	r := &Restored{}
	if err := json.Unmarshal([]byte(text), r); err != nil {
		return nil, fmt.Errorf("its mark of a restore cannot be read: %w", err)
	}
	return r, nil
}

// restored writes the entry about a restore before anything else is appended.
func (t *transaction) restored() error {
	d := t.d
	if place := d.writer.place(); place != d.writer.remembered {
		if _, err := t.exec(`update store set witness = $1`, place); err != nil {
			return err
		}
	}
	r := d.pendingRestore
	if r == nil {
		return nil
	}
	if _, err := t.exec(`update store set generation = $1, restored = ''`, d.generation()); err != nil {
		return err
	}
	if d.writer.tree.Size() == 0 {
		return nil // entry 0 begins a log, and nothing can be missing before it
	}
	data := struct {
		Size         uint64 `json:"size"`
		Root         string `json:"root"`
		Generation   int64  `json:"generation"`
		OriginalGone bool   `json:"originalGone,omitempty"`
		lostData
	}{Size: r.Size, Root: r.Root, Generation: d.generation(), OriginalGone: r.OriginalGone}
	if t.lost != nil {
		data.lostData = lostData{t.lost.Size, t.lost.Root.String()}
	}
	text, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("write to store %s: %w", d.Name(), err)
	}
	entries := []evidence.Entry{{
		Kind: evidence.KindRestored, What: "restore the store", On: d.origin(), Time: r.Time,
		Why: fmt.Sprintf("a backup of %d entries took the place of the store", r.Size), Data: text,
	}}
	lines, err := t.lines(entries, false)
	if err != nil {
		return err
	}
	return t.insert(entries, lines)
}

// generation is that of the checkpoints this owner signs.
func (d *DB) generation() int64 {
	if d.identity.Restored != nil {
		return d.identity.Generation + 1
	}
	return d.identity.Generation
}
