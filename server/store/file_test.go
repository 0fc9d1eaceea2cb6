package store_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trysail-go/trysail/monitor"
	"github.com/trysail-go/trysail/server/store"
)

func wantInUse(t *testing.T, what, dir string, err error) {
	t.Helper()
	if !errors.Is(err, store.ErrInUse) || !strings.Contains(err.Error(), filepath.Join(dir, store.FileName)) {
		t.Errorf("Open(%s) = %v, want %v and the path", what, err, store.ErrInUse)
	}
}

// filled makes a file with something in it, and returns its directory.
func filled(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	s := open(t, store.Config{Dir: dir})
	save(t, s, monitor.Batch{Events: events(1, 400)})
	audit(t, s, 1)
	shut(t, s)
	return dir
}

func execute(t *testing.T, path, text string) error {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	_, err = db.ExecContext(t.Context(), text)
	return err
}

// Whoever the directory is open to, what is in it is for its owner only.
func TestFilesAreTheOwnersOnly(t *testing.T) {
	open755 := t.TempDir()
	if err := os.Chmod(open755, 0o755); err != nil { //nolint:gosec // that is the case
		t.Fatal(err)
	}
	made := filepath.Join(t.TempDir(), "a", "b")
	for _, dir := range []string{open755, made} {
		s := open(t, store.Config{Dir: dir})
		audit(t, s, 1)
		files, err := os.ReadDir(dir)
		if err != nil || len(files) < 4 {
			t.Fatalf("%d files, %v, want the database, its log and the lock", len(files), err)
		}
		for _, file := range files {
			if info, err := file.Info(); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s has the mode %v, %v, want 0600", file.Name(), info.Mode(), err)
			}
		}
		shut(t, s)
	}
	if info, err := os.Stat(made); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory has the mode %v, %v, want 0700", info.Mode(), err)
	}
}

// A broken file is set aside as it is, said so, and a new one begun.
func TestCorruptFile(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"no database at all": func([]byte) []byte {
			return []byte("this is no database, and longer than the head of one: " + strings.Repeat("x", 200))
		},
		"a torn head":       func(b []byte) []byte { copy(b, "SQLite format 4"); return b },
		"cut off":           func(b []byte) []byte { return b[:len(b)/2] },
		"overwritten pages": func(b []byte) []byte { copy(b[len(b)/2:], bytes.Repeat([]byte("damage"), 2000)); return b },
	} {
		t.Run(name, func(t *testing.T) {
			dir := filled(t)
			path := filepath.Join(dir, store.FileName)
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			content = damage(content)
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			s := open(t, store.Config{Dir: dir, Log: slog.New(slog.NewTextHandler(&log, nil))})
			h := s.Health()
			if h.Degraded || !strings.HasPrefix(h.SetAside, path+".corrupt-") || !strings.Contains(log.String(), h.SetAside) {
				t.Errorf("Health() = %+v and the log says %q, want both to name the file that was set aside", h, log.String())
			}
			aside, err := os.ReadFile(h.SetAside)
			if err != nil || !bytes.Equal(aside, content) {
				t.Errorf("the file set aside: %v, %d bytes, want the %d that there were", err, len(aside), len(content))
			}
			same(t, "entries in the new file", len(auditLog(t, s, store.AuditQuery{})), 0)
			audit(t, s, 2)
			shut(t, s)
			again := open(t, store.Config{Dir: dir})
			same(t, "entries after another start", len(auditLog(t, again, store.AuditQuery{})), 1)
			same(t, "the file set aside then", again.Health().SetAside, "")
		})
	}
}

// What somebody has to decide about is left alone, and is an error that says what to do.
func TestFilesThatAreNotOurs(t *testing.T) {
	for name, c := range map[string]struct {
		sql, text string
		want      error
	}{
		"a newer schema": {
			"PRAGMA user_version = 99", "it has schema 99, and this program knows those up to 2: use the newer program, or move the file away", store.ErrNewer,
		},
		"another program's": {
			"PRAGMA application_id = 7", "choose another directory, or move the file away", store.ErrForeign,
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filled(t)
			path := filepath.Join(dir, store.FileName)
			if err := execute(t, path, c.sql); err != nil {
				t.Fatal(err)
			}
			if _, err := store.Open(t.Context(), store.Config{Dir: dir}); !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("Open() = %v, want %v and %q", err, c.want, c.text)
			}
			same(t, "entries, untouched", query(t, dir, "SELECT count(*) FROM audit"), "1")
		})
	}
	t.Run("a database without a mark", func(t *testing.T) {
		dir := t.TempDir()
		if err := execute(t, filepath.Join(dir, store.FileName), "CREATE TABLE theirs (a)"); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Open(t.Context(), store.Config{Dir: dir}); !errors.Is(err, store.ErrForeign) {
			t.Errorf("Open() = %v, want %v", err, store.ErrForeign)
		}
		same(t, "tables", query(t, dir, "SELECT group_concat(name) FROM sqlite_schema"), "theirs")
	})
	t.Run("a directory that is a file", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "data")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, dir := range []string{file, filepath.Join(file, "deeper")} {
			if _, err := store.Open(t.Context(), store.Config{Dir: dir}); err == nil || !strings.Contains(err.Error(), "want a directory") {
				t.Errorf("Open(%s) = %v, want an error that says that a directory is wanted", dir, err)
			}
		}
	})
}

// Nobody changes the audit log with SQL, but for those who know how.
func TestAuditLogIsFinal(t *testing.T) {
	dir := filled(t)
	for _, text := range []string{
		"UPDATE audit SET who = 'mallory'", "DELETE FROM audit", "UPDATE OR REPLACE audit SET id = 1",
	} {
		if err := execute(t, filepath.Join(dir, store.FileName), text); err == nil || !strings.Contains(err.Error(), "the audit log cannot be") {
			t.Errorf("%s: %v, want that it cannot be done", text, err)
		}
	}
	same(t, "entries", query(t, dir, "SELECT count(*) || who FROM audit"), "1ann")
}

// An operator may read the file with other programs while it is in use.
func TestReadersBeside(t *testing.T) {
	dir := t.TempDir()
	s := open(t, store.Config{Dir: dir})
	for i := range 3 {
		audit(t, s, i)
		same(t, "entries for another reader", query(t, dir, "SELECT count(*) FROM audit"), fmt.Sprint(i+1))
	}
}
