package store

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func openSteps(t *testing.T, dir string, steps ...string) *Store {
	t.Helper()
	first, err := schema()
	if err != nil {
		t.Fatal(err)
	}
	s, err := openWith(t.Context(), Config{Dir: dir}.complete(), append(first, steps...))
	if err != nil {
		t.Fatalf("open with %d more steps: %v", len(steps), err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	return s
}

func number(t *testing.T, s *Store, text string) (n int) {
	t.Helper()
	if err := s.disk.read.QueryRowContext(t.Context(), text).Scan(&n); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return n
}

// A file of an older program is brought to the schema of this one, keeps what is in it, and an older program refuses it then. A step that
// fails leaves nothing of itself.
func TestMigrate(t *testing.T) {
	dir := t.TempDir()
	s := openSteps(t, dir)
	if _, err := s.Audit(t.Context(), Entry{Who: "ann", What: "x"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}

	more := "CREATE TABLE more (a) ; INSERT INTO more VALUES (42);"
	steps := append(slices.Clone(s.steps), more, "CREATE TABLE third (a); INSERT INTO nowhere VALUES (1);")
	if _, err := openWith(t.Context(), s.config, steps); err == nil || !strings.Contains(err.Error(), "migrate to schema 4: ") || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("open with a step that fails = %v, want an error with its number and the reason", err)
	}

	s = openSteps(t, dir, more)
	for text, want := range map[string]int{
		"SELECT a FROM more": 42, "SELECT count(*) FROM audit": 1, "PRAGMA user_version": 3, "SELECT count(*) FROM sqlite_schema WHERE name = 'third'": 0,
	} {
		if got := number(t, s, text); got != want {
			t.Errorf("%s = %d, want %d", text, got, want)
		}
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Config{Dir: dir}); !errors.Is(err, ErrNewer) {
		t.Errorf("Open() by an older program = %v, want %v", err, ErrNewer)
	}
}

func TestMigrationIsLogged(t *testing.T) {
	dir := t.TempDir()
	var log strings.Builder
	for _, steps := range [][]string{nil, {"CREATE TABLE more (a);"}, {"CREATE TABLE more (a);"}} {
		first, err := schema()
		if err != nil {
			t.Fatal(err)
		}
		s, err := openWith(t.Context(), Config{Dir: dir, Log: slog.New(slog.NewTextHandler(&log, nil))}.complete(), append(first, steps...))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Count(log.String(), "brought to the schema of this one"); got != 1 || !strings.Contains(log.String(), "from=2 to=3") {
		t.Errorf("the log tells %d times of a migration, want once, from 2 to 3:\n%s", got, log.String())
	}
}

// A row that cannot be stored is the fault of its caller alone: others in the batch are stored, and the disk is well.
func TestBadRowInBatch(t *testing.T) {
	s := openSteps(t, t.TempDir())
	bad := &statement{sql: "INSERT INTO runs (id, at, name, body) VALUES (?, NULL, '', '')"}
	good := &statement{sql: "INSERT INTO runs (id, at, name, body) VALUES (?, 1, '', '')"}
	var batch []*request
	for _, o := range []op{{good, []any{"a"}}, {bad, []any{"b"}}, {good, []any{"c"}}} {
		r := &request{done: make(chan error, 1), prepare: func(*numbers) []op { return []op{o} }}
		batch = append(batch, r)
		if err := s.send(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	for i, r := range batch {
		if err := <-r.done; (err != nil) != (i == 1) {
			t.Errorf("request %d: %v, want an error of the second only", i+1, err)
		}
	}
	if h := s.Health(); h.Degraded {
		t.Errorf("Health() = %+v, want a disk that is well", h)
	}
	if got := number(t, s, "SELECT count(*) FROM runs"); got != 2 {
		t.Errorf("%d runs are stored, want 2", got)
	}
}

// A file that breaks while it is in use is set aside at the next try, and what was held goes to the new one.
func TestFileBreaksWhileInUse(t *testing.T) {
	dir := t.TempDir()
	first, err := schema()
	if err != nil {
		t.Fatal(err)
	}
	s, err := openWith(t.Context(), Config{Dir: dir, RetryEvery: time.Millisecond}.complete(), first)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close(context.Background()) }()
	for range 50 {
		if _, err := s.Audit(t.Context(), Entry{Who: "ann", What: strings.Repeat("x", 1000)}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.disk.write.ExecContext(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, FileName)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 100; i < len(content); i++ {
		content[i] ^= 0xA5
	}
	if err := os.WriteFile(path, content, 0o600); err != nil { // the same file: it is not replaced, but written to
		t.Fatal(err)
	}
	if _, err := s.disk.write.ExecContext(t.Context(), "PRAGMA shrink_memory"); err != nil { // forget what was read
		t.Fatal(err)
	}
	kept := 0
	for s.Health().SetAside == "" && kept < 10_000 {
		if _, err := s.Audit(t.Context(), Entry{Who: "bob", What: "y"}); err != nil {
			t.Fatalf("Audit() beside a broken file = %v, want nil", err)
		}
		kept++
	}
	if s.Health().SetAside == "" {
		t.Fatalf("Health() = %+v, want the broken file set aside", s.Health())
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatalf("Close() = %v, want nil", err)
	}
	s = openSteps(t, dir)
	if got := number(t, s, "SELECT count(*) FROM audit WHERE who = 'bob'"); got != kept {
		t.Errorf("%d entries are in the new file, want the %d that were acknowledged", got, kept)
	}
}
