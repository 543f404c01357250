package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"halligan/evidence"
)

// A store that had a witness place once is not written without it: whoever puts an
// older copy in its place would only have to leave the witness out. So the place
// stands in the store, and moves by an entry of the log that the old place sees.

// witnessPlace is where the newest checkpoint is kept; empty when there is none.
func (d *DB) witnessPlace() string { return cmp.Or(d.options.Witness, d.identity.Witness) }

// otherWitness refuses a place that is not the one the store has.
func (d *DB) otherWitness(known string) error {
	given := d.options.Witness
	if given == "" || known == "" || given == known {
		return nil
	}
	return &OtherWitnessError{d.Name(), known, given}
}

// place is what the store notes with the append that is under way.
func (w *writer) place() string {
	switch {
	case w.moving != nil:
		return *w.moving
	case w.witness != nil:
		return w.witness.place
	}
	return w.remembered
}

// WitnessMove says where the witness place of a store goes.
type WitnessMove struct {
	To string // folder; empty: there is none from now on
	// OldGone says that the old place is lost. Otherwise it must agree with the log
	// once more, and keeps the checkpoint of the entry about the move.
	OldGone bool
}

// MoveWitness gives the store another witness place, with the entries of a draft
// that say so. The new place must be empty of this log, or know a beginning of it.
func (d *DB) MoveWitness(ctx context.Context, key *evidence.LogKey, m WitnessMove, draft Draft) ([]evidence.Entry, error) {
	c := &call{ctx: ctx, draft: draft}
	err := d.exclusively(ctx, func(ctx context.Context) error {
		if err := d.signedBy(key.Public()); err != nil {
			return err
		}
		if err := d.engine.tidy(ctx, d); err != nil {
			return d.poisoned(err, false)
		}
		return d.move(ctx, signing{key: key, from: key.Public()}, m, c)
	})
	if err != nil {
		return nil, err
	}
	return c.result()
}

func (d *DB) move(ctx context.Context, s signing, m WitnessMove, c *call) (err error) {
	w := &d.writer
	var to *witness
	if m.To != "" {
		if m.To, err = filepath.Abs(m.To); err != nil {
			return err
		}
		if m.To == w.remembered && !m.OldGone {
			return fmt.Errorf("move the witness of store %s: it is %s already", d.Name(), m.To)
		}
		to = &witness{place: m.To, id: d.identity.ID}
		lock, err := to.lock(ctx)
		if err != nil {
			return err
		}
		defer lock.Close()
		if err := d.introduce(ctx, to); err != nil {
			return err
		}
	}
	old := w.witness
	if m.OldGone {
		w.witness = nil
	}
	w.moving = &m.To
	err = d.witnessed(ctx, s, []*call{c})
	w.moving = nil
	if err != nil || len(c.entries) == 0 {
		w.witness = old
		return err
	}
	w.witness = to
	if to == nil {
		return nil
	}
	if err := errors.Join(to.prepare(w.note, nil), to.publish(w.note)); err != nil {
		failed := &WitnessError{Place: to.place, Why: err, Written: true}
		d.poison.CompareAndSwap(nil, &PoisonedError{d.Name(), failed, false})
		return failed
	}
	return nil
}

// introduce makes a new place know the log as it is, before the store says that
// this is its place: an interruption in between must not leave a store whose place
// knows nothing of it.
func (d *DB) introduce(ctx context.Context, to *witness) error {
	if len(d.writer.note) == 0 {
		return fmt.Errorf("move the witness of store %s: the log has no entries yet", d.Name())
	}
	if _, err := os.Lstat(to.path(".checkpoint")); !errors.Is(err, fs.ErrNotExist) {
		_, err := d.compare(ctx, d.session, to, nil)
		if fork, is := errors.AsType[*ForkError](err); is {
			return d.distrust(fork)
		}
		if err != nil {
			return err
		}
	}
	if err := to.prepare(d.writer.note, nil); err != nil {
		return err
	}
	if err := to.publish(d.writer.note); err != nil {
		return &WitnessError{Place: to.place, Why: err}
	}
	return nil
}
