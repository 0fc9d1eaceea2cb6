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
	"syscall"
	"time"
)

// A database is an open one: a file, or memory.
type database struct {
	write *sql.DB // one connection
	read  *sql.DB // those of readers; for memory the same
	path  string  // "" for memory
	file  os.FileInfo
	found int // the schema that it had, 0 for a new one
}

// patience is how long a connection waits for the lock of another one, in milliseconds.
const patience = "busy_timeout(5000)"

// dsn returns the address of a file for SQLite.
//
// Transactions are immediate: one that reads first and writes later fails when another has written meanwhile, and no time-out
// helps. Every commit is synced, or what was acknowledged would be lost when the machine loses power.
func dsn(path string, pragmas ...string) string {
	q := url.Values{"_txlock": {"immediate"}, "_pragma": append(pragmas, "trusted_schema(0)")}
	return "file:" + (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath() + "?" + q.Encode()
}

// openMemory returns an empty database in memory.
func openMemory(ctx context.Context, steps []string) (*database, error) {
	db, err := sql.Open("sqlite", "file::memory:?_txlock=immediate")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // another connection would be another database
	if _, err := migrate(ctx, db, steps); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &database{write: db, read: db}, nil
}

// openFile opens a file, or makes it; with check, its content is looked at first.
func openFile(ctx context.Context, path string, steps []string, check bool) (*database, error) {
	pragmas := []string{patience, "journal_mode(WAL)", "synchronous(FULL)", "journal_size_limit(16777216)", "cell_size_check(1)"}
	if info, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
		pragmas = append([]string{"auto_vacuum(2)"}, pragmas...) // works for a new file only, and would write to any other
	}
	if err := ownFile(path); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", dsn(path, pragmas...))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	d := &database{write: db, path: path}
	if err := d.prepare(ctx, steps, check); err != nil {
		return nil, errors.Join(err, d.close())
	}
	return d, nil
}

func (d *database) prepare(ctx context.Context, steps []string, check bool) error {
	if check {
		if err := sound(ctx, d.write); err != nil {
			return err
		}
	}
	var err error
	if d.found, err = migrate(ctx, d.write, steps); err != nil {
		return err
	}
	// Migrating may have found nothing to do, and a disk that cannot be written should be known now.
	if _, err := d.write.ExecContext(ctx, "UPDATE audit_end SET id = id"); err != nil {
		return err
	}
	if d.file, err = os.Stat(d.path); err != nil {
		return err
	}
	if d.read, err = sql.Open("sqlite", dsn(d.path, patience, "query_only(1)")+"&mode=ro"); err != nil {
		return err
	}
	d.read.SetMaxOpenConns(4)
	return nil
}

// sound looks whether a file is a sound database.
func sound(ctx context.Context, db *sql.DB) error {
	var found string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&found); err != nil {
		return err
	}
	if found != "ok" {
		return fmt.Errorf("%w: %s", errUnsound, found)
	}
	return nil
}

// moved reports whether the file is no longer where it was: what is written to it then is lost.
func (d *database) moved() error {
	if d.path == "" {
		return nil
	}
	now, err := os.Stat(d.path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(now, d.file) {
		return errMoved
	}
	return err
}

var errMoved = errors.New("the file was moved away or replaced while it was in use")

func (d *database) close() error {
	if d == nil {
		return nil
	}
	var err error
	if d.read != nil && d.read != d.write {
		err = d.read.Close() // first, so that closing the last connection tidies up the log
	}
	return errors.Join(err, d.write.Close())
}

// makeDir makes the directory of the file.
func makeDir(dir string) error {
	err := os.MkdirAll(dir, 0o700)
	if errors.Is(err, syscall.ENOTDIR) || errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w: %w", errNoDir, err)
	}
	return err
}

// ownFile makes a file that only its owner may read, if there is none: SQLite would let everybody read it. What SQLite puts beside a
// file gets the file's own mode.
func ownFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// setAside gives a broken file, and what belongs to it, another name.
func setAside(path string) (string, error) {
	aside := fmt.Sprintf("%s.corrupt-%s", path, time.Now().UTC().Format("20060102T150405.000000000Z"))
	for _, suffix := range []string{"-wal", "-shm", ""} { // the file last: a new one must not meet an old log
		if err := os.Rename(path+suffix, aside+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return aside, nil
}

// lockFile takes the lock that goes with a file, and returns what gives it back.
//
// It is a lock of SQLite on an empty database beside the file: it works the same on every system, ends with the process however that ends, and
// holds between two stores of one process, too. The file itself cannot be locked so without shutting out readers.
func lockFile(ctx context.Context, path string) (unlock func() error, err error) {
	if err := ownFile(path + ".lock"); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", dsn(path+".lock", "busy_timeout(1000)")) // who has it does not give it back soon
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if _, err = conn.ExecContext(ctx, "BEGIN EXCLUSIVE"); err != nil {
		if codeOf(err) == codeBusy {
			err = ErrInUse
		}
		return nil, errors.Join(err, conn.Close(), db.Close())
	}
	return func() error { return errors.Join(conn.Close(), db.Close()) }, nil
}
