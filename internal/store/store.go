// Package store keeps the evidence log on a disk or in a database and loses
// nothing that it has acknowledged.
//
// It promises four things. What [DB.Append] returned without an error survives
// kill -9, a full disk and a loss of power, as far as the disk keeps what it
// said it had written. Entries stand in one order without gaps, whatever the
// clock does. A transaction is whole or absent. And one process at a time owns
// a store: a second is refused and told who the owner is.
//
// It speaks of an owner (the process that may write), a head (size and root of
// the log, with its signed checkpoint), a witness place (a folder elsewhere
// that knows the newest checkpoint) and a fork (two logs that share a beginning
// and then differ). A store is one SQLite file or one schema of PostgreSQL; the
// suite in internal/storetest holds both to the same promises.
//
// It refuses to write when it cannot vouch for what it wrote: after any failed
// write or flush the DB is poisoned until it is opened anew ([PoisonedError]),
// because a second, successful flush says nothing about the first. It refuses a
// store of a newer format ([NewerError]), a store that another process owns
// ([OwnedError]), a database that belongs to another program ([ForeignError]),
// a log that a witness contradicts ([ForkError]), and another witness place than
// the one it has ([OtherWitnessError]). The key that signs
// checkpoints is never in the store.
package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"halligan/evidence"
)

// Options says which store to open and how.
type Options struct {
	// URL is the path of a SQLite file, or a postgres:// address. An address may
	// hold a password: it stands in no error.
	URL string
	// ReadOnly opens for reading beside an owner. Nothing is created or migrated.
	ReadOnly bool
	// Witness is a folder in another place than the store, where the newest
	// checkpoint is kept. The store remembers it: empty means the place that it had
	// last, and another one is refused ([DB.MoveWitness] changes it). Without any no
	// fork can be found.
	Witness string
	// Now tells the time that entries bear; nil means time.Now. The order of
	// entries never depends on it.
	Now func() time.Time
	// Pages is how many pages of 4 KiB the write-ahead log of SQLite gathers before
	// they are carried over into the database; 0 means 1024.
	Pages int
	// Patience bounds how long one transaction waits for PostgreSQL; 0 means 30 s.
	Patience time.Duration
}

// DB is an open store. Its methods may be called by several goroutines.
type DB struct {
	engine  *engine
	options Options
	read    *sql.DB   // snapshots of the log
	pool    *sql.DB   // holds the one session that writes; nil when ReadOnly
	session *sql.Conn // taken by whoever holds turn
	path    string    // of a SQLite file, without links
	turn    chan struct{}
	own     owner
	closed  atomic.Bool
	ended   chan struct{} // closed by Close
	poison  atomic.Pointer[PoisonedError]

	identity Identity
	fence    int64
	warnings []string
	writer   writer // guarded by turn

	pendingRestore *Restored // guarded by turn
}

// Identity says which log a store holds.
type Identity struct {
	ID         string    // 32 hex digits; a restored copy keeps them
	Created    time.Time // by the clock of the machine that made it
	Format     int64
	Generation int64     // raised by the first append after a restore
	Restored   *Restored // a restore that no entry has recorded yet
	Witness    string    // the place that knows the newest checkpoint; empty when there was none
}

// owner is what keeps others from writing; release gives it up.
type owner interface{ release() error }

// engine is one kind of database. The texts of queries are shared; what differs
// stands here.
type engine struct {
	name       string
	migrations string
	open       func(ctx context.Context, d *DB) error // opens read and, as the owner, pool and session
	hasTable   func(ctx context.Context, q querier, name string) (bool, error)
	settle     func(ctx context.Context, d *DB) error // before the first write of an owner
	tidy       func(ctx context.Context, d *DB) error // before each write transaction
	begin      string
	// insertEntry writes one entry for whoever is the newest owner, and nothing for
	// anybody else.
	insertEntry string
	fence       string                                                                                  // locks and reads the number of the newest owner at the beginning; empty when the end of a transaction will do
	bounded     func(ctx context.Context, patience time.Duration) (context.Context, context.CancelFunc) // how long a transaction may take
	frail       bool                                                                                    // a query that is cancelled ends the session
	transient   func(err error) bool                                                                    // beginning failed, and nothing is wrong
	reading     *sql.TxOptions
	damage      func(ctx context.Context, tx *sql.Tx) ([]string, error)
}

func isPostgres(address string) bool {
	return strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://")
}

func (o Options) engine() *engine {
	if isPostgres(o.URL) {
		return &postgres
	}
	return &sqlite
}

// Open opens the store, and creates it where there is none. As its owner it
// brings the tables to the newest format first. Close it.
func Open(ctx context.Context, o Options) (*DB, error) {
	if o.URL == "" {
		return nil, errors.New("open store: no path or address was given")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Pages == 0 {
		o.Pages = defaultPages
	}
	if o.Patience == 0 {
		o.Patience = 30 * time.Second
	}
	if o.Witness != "" {
		place, err := filepath.Abs(o.Witness)
		if err != nil {
			return nil, fmt.Errorf("open store %s: %w", nameOf(o.URL), err)
		}
		o.Witness = place
	}
	d := &DB{engine: o.engine(), options: o, turn: make(chan struct{}, 1), ended: make(chan struct{})}
	if err := d.start(ctx); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func (d *DB) start(ctx context.Context) error {
	if err := d.engine.open(ctx, d); err != nil {
		return err
	}
	if err := d.migrate(ctx); err != nil {
		return err
	}
	if d.options.ReadOnly {
		return d.identify(ctx, d.read)
	}
	if err := d.found(ctx); err != nil {
		return err
	}
	if err := d.engine.settle(ctx, d); err != nil {
		return err
	}
	if err := d.identify(ctx, d.session); err != nil {
		return err
	}
	d.pendingRestore = d.identity.Restored
	if err := d.otherWitness(d.identity.Witness); err != nil {
		return err
	}
	d.writer.remembered = d.identity.Witness
	if place := d.witnessPlace(); place != "" {
		d.writer.witness = &witness{place: place, id: d.identity.ID}
	}
	return d.recall(ctx)
}

// found gives a new store its identity, and makes this process the newest owner.
func (d *DB) found(ctx context.Context) error {
	id := make([]byte, 16)
	rand.Read(id) // never fails
	tx, err := d.session.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("open store %s: begin: %w", d.Name(), err)
	}
	defer tx.Rollback()
	_, err = tx.ExecContext(ctx, `insert into store (one, id, created, fence, owner, generation, restored, witness)
		values (1, $1, $2, 0, '', 0, '', '') on conflict (one) do nothing`, hex.EncodeToString(id), d.options.Now().UnixMilli())
	if err == nil {
		empty, _ := new(evidence.Tree).MarshalBinary()
		_, err = tx.ExecContext(ctx, `insert into head (one, size, tree, note) values (1, 0, $1, $2) on conflict (one) do nothing`, empty, []byte{})
	}
	if err != nil {
		return fmt.Errorf("open store %s: give it an identity: %w", d.Name(), err)
	}
	err = tx.QueryRowContext(ctx, `update store set fence = fence + 1, owner = $1 returning fence`, thisProcess(d.options.Now()).text()).Scan(&d.fence)
	if err != nil {
		return fmt.Errorf("open store %s: become its owner: %w", d.Name(), err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("open store %s: become its owner: %w", d.Name(), err)
	}
	return nil
}

// querier is a pool, a session or a transaction.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func (d *DB) identify(ctx context.Context, q querier) error {
	var created int64
	var restored string
	i := &d.identity
	err := q.QueryRowContext(ctx, `select id, created, generation, restored, witness from store`).Scan(&i.ID, &created, &i.Generation, &restored, &i.Witness)
	if err != nil {
		return fmt.Errorf("open store %s: read its identity: %w", d.Name(), err)
	}
	i.Created = time.UnixMilli(created).UTC()
	i.Restored, err = parseRestored(restored)
	if err != nil {
		return fmt.Errorf("open store %s: %w", d.Name(), err)
	}
	return nil
}

// Identity says which log this is, as it was when the store was opened.
func (d *DB) Identity() Identity { return d.identity }

// Name says where the store is, without secrets.
func (d *DB) Name() string { return nameOf(d.options.URL) }

// Warnings says what makes the store weaker than promised, for example a
// database server that does not flush.
func (d *DB) Warnings() []string { return d.warnings }

// Poisoned returns why the store refuses to write, or nil.
func (d *DB) Poisoned() error {
	if p := d.poison.Load(); p != nil {
		return p
	}
	return nil
}

// Close waits for the append that is under way, and gives the store up.
func (d *DB) Close() error {
	if d.closed.Swap(true) {
		return nil
	}
	close(d.ended)
	d.turn <- struct{}{} // never given back: nobody writes any more
	var all []error
	d.writer.close()
	if o, is := d.own.(*schemaOwner); is {
		all, d.own = append(all, o.release()), nil
	}
	if d.session != nil {
		all = append(all, ignoreDone(d.session.Close()))
	}
	if d.read != nil {
		all = append(all, d.read.Close())
	}
	if d.pool != nil {
		all = append(all, d.pool.Close())
	}
	if d.own != nil { // last: nobody else may come before the files are closed
		all = append(all, d.own.release())
	}
	return errors.Join(all...)
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrConnDone) {
		return nil
	}
	return err
}
