package store

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
)

// Errors that callers may want to tell apart; match them with [errors.Is].
var (
	// ErrClosed says that the store has been closed, or is being closed. Nothing was stored.
	ErrClosed = errors.New("the store is closed")

	// ErrFull says that the disk cannot be written and that Config.MaxHeld or Config.MaxHeldBytes is reached. Nothing was stored.
	ErrFull = errors.New("the disk cannot be written and no more may be held in memory")

	// ErrInUse says that another store has the file open, in this process or in another.
	ErrInUse = errors.New("in use by another process: only one at a time may use it")

	// ErrNewer says that a newer program has written the file.
	ErrNewer = errors.New("written by a newer program")

	// ErrForeign says that the file is a database, but not one of this package.
	ErrForeign = errors.New("the database of another program")

	// ErrNotFound says that there is nothing of that ID.
	ErrNotFound = errors.New("not found")
)

// Primary result codes of SQLite; see https://www.sqlite.org/rescode.html.
const (
	codeBusy       = 5
	codeCorrupt    = 11
	codeFull       = 13
	codeTooBig     = 18
	codeConstraint = 19
	codeMismatch   = 20
	codeNotADB     = 26
)

// codeOf returns the primary result code of an error of SQLite, 0 of others.
func codeOf(err error) int {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return 0
	}
	return e.Code() & 0xFF
}

// corrupt reports whether an error says that the file is no sound database.
func corrupt(err error) bool {
	code := codeOf(err)
	return code == codeCorrupt || code == codeNotADB || errors.Is(err, errUnsound)
}

// errUnsound is what the check of a file found.
var errUnsound = errors.New("the check of the file failed")

// ofRow reports whether an error is about what was to be stored, and not about where.
func ofRow(err error) bool {
	code := codeOf(err)
	return code == codeTooBig || code == codeConstraint || code == codeMismatch
}

// final reports whether an error is one that waiting does not cure: somebody has to decide.
func final(err error) bool {
	return errors.Is(err, ErrInUse) || errors.Is(err, ErrNewer) || errors.Is(err, ErrForeign) || errors.Is(err, errNoDir)
}

var errNoDir = errors.New("want a directory")

// about names the file in an error.
func about(path string, err error) error { return fmt.Errorf("store %s: %w", path, err) }
