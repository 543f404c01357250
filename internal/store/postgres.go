package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// postgres keeps the log in the tables of one schema of PostgreSQL 15 or newer.
var postgres = engine{
	name:       "postgres",
	migrations: "postgres",
	open:       openPostgres,
	hasTable: func(ctx context.Context, q querier, name string) (bool, error) {
		var is bool
		err := q.QueryRowContext(ctx, `select to_regclass($1) is not null`, name).Scan(&is)
		return is, err
	},
	settle: func(context.Context, *DB) error { return nil },
	tidy:   func(context.Context, *DB) error { return nil },
	begin:  "begin",
	insertEntry: `insert into entries ("index", kind, subject, line, leaf, note)
		select $1::bigint, $2::text, $3::text, $4::bytea, $5::bytea, $6::bytea where (select fence from store) = $7::bigint`,
	fence:     "select fence from store for update",
	bounded:   context.WithTimeout,
	frail:     true,
	transient: func(error) bool { return false },
	reading:   &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true},
	damage:    func(context.Context, *sql.Tx) ([]string, error) { return nil, nil },
}

// parameters are set for each session. A commit is acknowledged when it is
// flushed (https://www.postgresql.org/docs/15/wal-async-commit.html), and the
// server notices within a minute that the machine of an owner is gone.
var parameters = map[string]string{
	"application_name":        "halligan",
	"synchronous_commit":      "on",
	"tcp_keepalives_idle":     "20",
	"tcp_keepalives_interval": "10",
	"tcp_keepalives_count":    "3",
}

func openPostgres(ctx context.Context, d *DB) error {
	config, err := pgx.ParseConfig(d.options.URL)
	if err != nil {
		// The text of the error repeats the address; its cause does not.
		if cause := errors.Unwrap(err); cause != nil {
			return fmt.Errorf("open store %s: the address cannot be read: %v", d.Name(), cause)
		}
		return fmt.Errorf("open store %s: the address cannot be read", d.Name())
	}
	for name, value := range parameters {
		config.RuntimeParams[name] = value
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = min(10*time.Second, d.options.Patience)
	}
	d.read = stdlib.OpenDB(*config)
	d.read.SetMaxOpenConns(4)
	if d.options.ReadOnly {
		return nil
	}
	d.pool = stdlib.OpenDB(*config)
	d.pool.SetMaxIdleConns(-1) // what a migration opens beside the session is closed again
	if d.session, err = d.pool.Conn(ctx); err != nil {
		return fmt.Errorf("open store %s: %w", d.Name(), err)
	}
	if err := ownSchema(ctx, d); err != nil {
		return err
	}
	return d.watchFlushes(ctx)
}

// ownSchema takes a lock that lives as long as the session. The number in the
// table store is what decides about writing: a session can be lost unseen.
func ownSchema(ctx context.Context, d *DB) error {
	var schema sql.NullString
	if err := d.session.QueryRowContext(ctx, `select current_schema()`).Scan(&schema); err != nil {
		return fmt.Errorf("own store %s: %w", d.Name(), err)
	}
	if !schema.Valid {
		return &ForeignError{d.Name(), "no schema of the search path exists"}
	}
	sum := sha256.Sum256([]byte("halligan store\n" + schema.String))
	key := int64(binary.BigEndian.Uint64(sum[:8]))
	// The server may still be clearing up after an owner that was killed.
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 25 {
		var got bool
		if err := d.session.QueryRowContext(ctx, `select pg_try_advisory_lock($1)`, key).Scan(&got); err != nil {
			return fmt.Errorf("own store %s: %w", d.Name(), err)
		}
		if got {
			d.own = &schemaOwner{d.session, key}
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("own store %s: %w", d.Name(), context.Cause(ctx))
		}
	}
	var text string
	if present, err := d.engine.hasTable(ctx, d.session, "store"); err == nil && present {
		_ = d.session.QueryRowContext(ctx, `select owner from store`).Scan(&text) // told, not believed
	}
	return ownedError(d.Name(), []byte(text))
}

// schemaOwner is the lock of a session. To give it back with an answer spares the
// next owner to wait until the server notices that the session is closed.
type schemaOwner struct {
	session *sql.Conn
	key     int64
}

func (o *schemaOwner) release() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, _ = o.session.ExecContext(ctx, `select pg_advisory_unlock($1)`, o.key) // a lost session has lost its lock
	return ignoreDone(o.session.Close())
}

// watchFlushes warns where the server itself may lose what it acknowledged.
func (d *DB) watchFlushes(ctx context.Context) error {
	for _, setting := range []string{"fsync", "full_page_writes"} {
		var value string
		if err := d.session.QueryRowContext(ctx, `show `+setting).Scan(&value); err != nil {
			return fmt.Errorf("open store %s: ask for the setting %s: %w", d.Name(), setting, err)
		}
		if value != "on" {
			d.warnings = append(d.warnings, fmt.Sprintf("the server of store %s has %s = %s: it can lose what it acknowledged when it loses power", d.Name(), setting, value))
		}
	}
	return nil
}

// nameOf says where a store is without its user's password.
func nameOf(address string) string {
	if !isPostgres(address) {
		return address
	}
	parsed, err := url.Parse(address)
	if err != nil {
		return "postgres://(an address that cannot be read)"
	}
	host := parsed.Host
	if host == "" {
		host = parsed.Query().Get("host")
	}
	return "postgres://" + host + parsed.Path
}
