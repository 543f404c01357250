package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// applicationID marks a SQLite file as ours ("HALL" in its header).
const applicationID = 0x48414c4c

// defaultPages is the number of pages after which the write-ahead log is carried
// over into the database: 4 MiB.
const defaultPages = 1024

// sqlite keeps the log in one file, with a write-ahead log that is flushed at
// each commit (https://sqlite.org/wal.html, https://sqlite.org/pragma.html#pragma_synchronous).
var sqlite = engine{
	name:       "sqlite",
	migrations: "sqlite",
	open:       openSQLite,
	hasTable: func(ctx context.Context, q querier, name string) (bool, error) {
		var n int
		err := q.QueryRowContext(ctx, `select count(*) from sqlite_master where type = 'table' and name = $1`, name).Scan(&n)
		return n > 0, err
	},
	settle: settleSQLite,
	tidy:   tidySQLite,
	begin:  "begin immediate",
	insertEntry: `insert into entries ("index", kind, subject, line, leaf, note)
		select $1, $2, $3, $4, $5, $6 where (select fence from store) = $7`,
	// A disk cannot be waited for with a limit, and a context that can end costs
	// the driver a goroutine for each statement.
	bounded: func(ctx context.Context, _ time.Duration) (context.Context, context.CancelFunc) {
		return ctx, func() {}
	},
	transient: func(err error) bool {
		e, ok := errors.AsType[*driver.Error](err)
		return ok && e.Code()&0xff == sqlite3.SQLITE_BUSY
	},
	reading: nil,
	damage:  damageSQLite,
}

var (
	readPragmas  = []string{"busy_timeout(5000)", "query_only(1)", "trusted_schema(0)", "cell_size_check(1)"}
	writePragmas = []string{"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "wal_autocheckpoint(0)", "trusted_schema(0)", "cell_size_check(1)"}
)

func dsn(path, mode string, pragmas []string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // a drive of Windows
	}
	address := url.URL{Scheme: "file", Path: path}
	return address.String() + "?" + url.Values{"mode": {mode}, "_pragma": pragmas}.Encode()
}

func openSQLite(ctx context.Context, d *DB) error {
	path, err := sqlitePath(d.options.URL)
	if err != nil {
		return fmt.Errorf("open store %s: %w", d.Name(), err)
	}
	d.path = path
	mode := "ro"
	if !d.options.ReadOnly {
		mode = "rwc"
		own, err := ownFile(path+".owner", d.Name(), d.options.Now())
		if err != nil {
			return err
		}
		d.own = own
		if err := createFile(path); err != nil {
			return fmt.Errorf("open store %s: %w", d.Name(), err)
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("open store %s: %w", d.Name(), err)
	}
	if n := otherNames(info); n > 0 {
		return &ForeignError{d.Name(), fmt.Sprintf("the file has %d more names (hard links), and each would be locked apart", n)}
	}
	if d.read, err = sql.Open("sqlite", dsn(path, map[bool]string{true: "ro", false: "rw"}[d.options.ReadOnly], readPragmas)); err != nil {
		return fmt.Errorf("open store %s: %w", d.Name(), err)
	}
	d.read.SetMaxOpenConns(4)
	if err := ours(ctx, d); err != nil || d.options.ReadOnly {
		return err
	}
	if d.pool, err = sql.Open("sqlite", dsn(path, mode, writePragmas)); err != nil {
		return fmt.Errorf("open store %s: %w", d.Name(), err)
	}
	d.pool.SetMaxIdleConns(-1) // what a migration opens beside the session is closed again
	if d.session, err = d.pool.Conn(ctx); err != nil {
		return fmt.Errorf("open store %s: %w", d.Name(), sqliteError(err))
	}
	return nil
}

// sqlitePath follows links, so that a store has one lock however it is named.
func sqlitePath(given string) (string, error) {
	path, err := filepath.Abs(given)
	if err != nil {
		return "", err
	}
	whole, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		dir, err := filepath.EvalSymlinks(filepath.Dir(path))
		return filepath.Join(dir, filepath.Base(path)), err
	}
	return whole, err
}

// createFile makes an empty file that only its owner may read, and its name durable.
func createFile(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// ours refuses a file of another program before anything is changed in it.
func ours(ctx context.Context, d *DB) error {
	var id, tables int
	err := d.read.QueryRowContext(ctx, `pragma application_id`).Scan(&id)
	if err == nil {
		err = d.read.QueryRowContext(ctx, `select count(*) from sqlite_master where type = 'table' and name not in ('sqlite_sequence', $1)`, versions).Scan(&tables)
	}
	if e, ok := errors.AsType[*driver.Error](err); ok && e.Code()&0xff == sqlite3.SQLITE_NOTADB {
		return &ForeignError{d.Name(), "the file is not a SQLite database"}
	}
	if err != nil {
		return fmt.Errorf("open store %s: %w", d.Name(), sqliteError(err))
	}
	// A store whose first migration was interrupted has no mark and no tables yet.
	if id != applicationID && (tables > 0 || id != 0) {
		return &ForeignError{d.Name(), "the SQLite database belongs to another program"}
	}
	return nil
}

// settleSQLite carries everything in the write-ahead log over into the database
// before the first write. After a flush that failed, its pages may be in memory
// alone although a later flush succeeds; written again, they are flushed again.
func settleSQLite(ctx context.Context, d *DB) error {
	busy, err := checkpointSQLite(ctx, d, "truncate")
	if err == nil && busy {
		return &ReaderError{d.Name()} // behind its back the log would grow on from pages that memory alone may have
	}
	return err
}

// tidySQLite does by itself what SQLite would do after a commit, where its
// failure would go unseen.
func tidySQLite(ctx context.Context, d *DB) error {
	w := &d.writer
	if !w.grown && w.sinceTidy >= d.options.Pages/32 {
		w.grown = true
		growLog(d.path+"-wal", int64(d.options.Pages+d.options.Pages/4)*(4096+24))
	}
	if w.sinceTidy < d.options.Pages {
		return nil
	}
	w.sinceTidy = 0
	_, err := checkpointSQLite(ctx, d, "passive") // what a reader still needs is carried over another time
	return err
}

// growLog fills the write-ahead log up with zeros once it is clear that more than
// a few entries are written: to overwrite a file costs a flush half of what it
// costs to lengthen it. Zeros are no frame: their salt is not that of the log's
// header (https://sqlite.org/fileformat2.html#wal_file_format). What fails here
// fails again where it is noticed.
func growLog(path string, whole int64) {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Size() > 0 && info.Size() < whole {
		_, _ = file.WriteAt(make([]byte, whole-info.Size()), info.Size())
	}
}

func checkpointSQLite(ctx context.Context, d *DB, mode string) (busy bool, err error) {
	var pages, done int
	err = d.session.QueryRowContext(ctx, `pragma wal_checkpoint(`+mode+`)`).Scan(&busy, &pages, &done)
	if err != nil {
		return false, fmt.Errorf("carry the write-ahead log of store %s over: %w", d.Name(), sqliteError(err))
	}
	return busy, nil
}

func damageSQLite(ctx context.Context, tx *sql.Tx) ([]string, error) {
	rows, err := tx.QueryContext(ctx, `pragma integrity_check(20)`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return nil, err
		}
		if line != "ok" {
			found = append(found, line)
		}
	}
	return found, rows.Err()
}

// sqliteTroubles explain what the driver says in its own terms, and what to do.
var sqliteTroubles = map[int]fileTrouble{
	sqlite3.SQLITE_FULL:     {"the disk is full", "make room on the disk, and give the command again"},
	sqlite3.SQLITE_IOERR:    {"the disk or the file system failed", "look at the disk; then run halligan store check"},
	sqlite3.SQLITE_CORRUPT:  {"the file is damaged", (*DamagedError)(nil).Hint()},
	sqlite3.SQLITE_READONLY: {"the file cannot be written", "give this account the right to write the file and its folder"},
	sqlite3.SQLITE_CANTOPEN: {"the file cannot be opened", "give this account the right to the file and its folder"},
	sqlite3.SQLITE_BUSY:     {"another program writes to the file", "end whatever else uses the file: only halligan may"},
}

type fileTrouble struct{ why, hint string }

// fileError is a trouble with the file of a store.
type fileError struct {
	fileTrouble
	code int
	err  error
}

func (e *fileError) Error() string { return e.why + ": " + e.err.Error() }

// Hint says what to do next.
func (e *fileError) Hint() string { return e.hint }

// Unwrap gives what the driver said.
func (e *fileError) Unwrap() error { return e.err }

// Damaged reports whether an error says that a store is damaged, and not that it
// cannot be reached or used.
func Damaged(err error) bool {
	if _, is := errors.AsType[*DamagedError](err); is {
		return true
	}
	f, is := errors.AsType[*fileError](err)
	return is && f.code == sqlite3.SQLITE_CORRUPT
}

func sqliteError(err error) error {
	e, ok := errors.AsType[*driver.Error](err)
	if !ok {
		return err
	}
	code := e.Code() & 0xff
	if t, is := sqliteTroubles[code]; is {
		return &fileError{t, code, err}
	}
	return err
}
