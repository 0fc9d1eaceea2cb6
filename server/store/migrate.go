package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"strings"
)

// The files of the schema: each is applied once, in the order of their names, and never changes once it is released.
//
//go:embed migrations/*.sql
var migrations embed.FS

// application marks our files: "trys" in ASCII.
const application = 0x74727973

// schema returns the migrations, the first of which leads to schema 1.
func schema() ([]string, error) {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	steps := make([]string, len(files))
	for i, name := range files {
		if want := fmt.Sprintf("migrations/%04d_", i+1); !strings.HasPrefix(name, want) {
			return nil, fmt.Errorf("migration %s: want a name that begins with %s", name, want)
		}
		text, err := fs.ReadFile(migrations, name)
		if err != nil {
			return nil, err
		}
		steps[i] = string(text)
	}
	return steps, nil
}

// migrate brings a database to the schema of this program, one step in one transaction, each of which is there with its number
// or not at all. It returns the number that the schema had.
func migrate(ctx context.Context, db *sql.DB, steps []string) (have int, err error) {
	var app, tables int
	err = db.QueryRowContext(ctx, `SELECT (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version),
		(SELECT count(*) FROM sqlite_schema)`).Scan(&app, &have, &tables)
	switch {
	case err != nil:
		return 0, err
	case app != application && (tables > 0 || have > 0 || app != 0):
		return have, fmt.Errorf("%w: choose another directory, or move the file away", ErrForeign)
	case have > len(steps):
		return have, fmt.Errorf("%w: it has schema %d, and this program knows those up to %d: use the newer program, or move the file away",
			ErrNewer, have, len(steps))
	}
	for i := have; i < len(steps); i++ {
		if err := step(ctx, db, i+1, steps[i]); err != nil {
			return have, fmt.Errorf("migrate to schema %d: %w", i+1, err)
		}
	}
	return have, nil
}

func step(ctx context.Context, db *sql.DB, number int, text string) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	text += fmt.Sprintf("\nPRAGMA application_id = %d; PRAGMA user_version = %d;", application, number)
	if _, err := tx.ExecContext(ctx, text); err != nil {
		return err
	}
	return tx.Commit()
}
