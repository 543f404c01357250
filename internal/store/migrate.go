package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

// Migrations go forward only. Each is one transaction in both databases, so that
// one that was interrupted has not happened and is done by the next owner.
//
//go:embed migrations
var migrations embed.FS

// versions is the table in which the migrations that were done are noted. Its
// name is ours, so that another program in the same database is not misread.
const versions = "halligan_version"

var gooseDialect = map[string]goose.Dialect{"sqlite": goose.DialectSQLite3, "postgres": goose.DialectPostgres}

func (d *DB) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations/"+d.engine.migrations)
	if err != nil {
		return fmt.Errorf("migrate store %s: %w", d.Name(), err)
	}
	know, err := newest(files)
	if err != nil {
		return fmt.Errorf("migrate store %s: %w", d.Name(), err)
	}
	have, err := d.format(ctx)
	if err != nil {
		return err
	}
	if have > know {
		return &NewerError{d.Name(), have, know}
	}
	d.identity.Format = know
	if d.options.ReadOnly {
		if have < know {
			return &OlderError{d.Name(), have, know}
		}
		return nil
	}
	if have == know {
		return nil
	}
	provider, err := goose.NewProvider(gooseDialect[d.engine.name], d.pool, files,
		goose.WithTableName(versions), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("migrate store %s: %w", d.Name(), err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate store %s from format %d to %d: %w", d.Name(), have, know, err)
	}
	return nil
}

func newest(files fs.FS) (int64, error) {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return 0, err
	}
	var know int64
	for _, name := range names {
		version, err := goose.NumericComponent(name)
		if err != nil {
			return 0, err
		}
		know = max(know, version)
	}
	return know, nil
}

// format reads the format without changing anything: 0 for an empty database.
func (d *DB) format(ctx context.Context) (int64, error) {
	var have sql.NullInt64
	present, err := d.engine.hasTable(ctx, d.read, versions)
	if err == nil && present {
		err = d.read.QueryRowContext(ctx, `select max(version_id) from `+versions+` where is_applied`).Scan(&have)
	}
	if err != nil {
		return 0, fmt.Errorf("open store %s: read its format: %w", d.Name(), err)
	}
	return have.Int64, nil
}
