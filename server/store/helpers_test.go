package store_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/trysail-go/trysail/monitor"
	"github.com/trysail-go/trysail/server/store"
)

func TestMain(m *testing.M) {
	if do := os.Getenv(childEnv); do != "" {
		os.Exit(child(do, os.Getenv(childDir)))
	}
	goleak.VerifyTestMain(m)
}

// open opens a store that the test closes.
func open(t testing.TB, cfg store.Config) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatalf("Open(%q) = %v, want a store", cfg.Dir, err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) }) // for tests that fail before they close it
	return s
}

func shut(t testing.TB, s *store.Store) {
	t.Helper()
	if err := s.Close(context.Background()); err != nil {
		t.Errorf("Close() = %v, want nil", err)
	}
}

// begun is a time near now that has nanoseconds, so that it shows what is lost of them.
func begun() time.Time {
	return time.Now().Add(-time.Minute).Truncate(time.Second).Add(123456789).UTC()
}

// events returns events with the numbers from first to last.
func events(first, last int) []monitor.Event {
	at := begun()
	var all []monitor.Event
	for i := first; i <= last; i++ {
		all = append(all, monitor.Event{
			Seq: uint64(i), Time: at.Add(time.Duration(i) * time.Microsecond), Kind: monitor.ConfigLoad, Preset: "simple", Operation: "load",
			Value: float64(i) / 3, Metadata: `{"n":1}`, Session: "s", User: "ü",
		})
	}
	return all
}

func alert(id, count int) monitor.Alert {
	at := begun()
	return monitor.Alert{
		ID: uint64(id), Time: at, Level: monitor.LevelError, Rule: monitor.RuleConfigError, Title: "t", Description: "d", Preset: "simple",
		Kind: monitor.ConfigError, Actual: 1, Metadata: `{"operation":"load"}`, Count: count, Last: at.Add(time.Duration(count) * time.Second),
	}
}

func save(t testing.TB, s *store.Store, b monitor.Batch) {
	t.Helper()
	if err := s.Save(t.Context(), b); err != nil {
		t.Fatalf("Save(%d events, %d alerts) = %v, want nil", len(b.Events), len(b.Alerts), err)
	}
}

func newest(t testing.TB, s *store.Store) ([]monitor.Event, []monitor.Alert) {
	t.Helper()
	e, a, err := s.Newest(t.Context(), 1_000_000, 1_000_000)
	if err != nil {
		t.Fatalf("Newest() = %v, want nil", err)
	}
	return e, a
}

// audit adds an entry about the number n.
func audit(t testing.TB, s *store.Store, n int) store.Entry {
	t.Helper()
	e, err := s.Audit(t.Context(), entry(n))
	if err != nil {
		t.Fatalf("Audit(%d) = %v, want nil", n, err)
	}
	return e
}

func entry(n int) store.Entry {
	return store.Entry{
		Who: "ann", What: "breaker.reset", Target: fmt.Sprint("op-", n), Before: json.RawMessage(`{"state":"open"}`), RequestID: "r1", Address: "192.0.2.1", ClaimedUser: "ünal",
	}
}

func auditLog(t testing.TB, s *store.Store, q store.AuditQuery) []store.Entry {
	t.Helper()
	all, err := s.AuditLog(t.Context(), q)
	if err != nil {
		t.Fatalf("AuditLog(%+v) = %v, want nil", q, err)
	}
	return all
}

// targets is what entries are about, for comparing.
func targets(all []store.Entry) (found []string) {
	for _, e := range all {
		found = append(found, e.Target)
	}
	return found
}

// same fails the test unless got is want.
func same[V comparable](t testing.TB, what string, got, want V) {
	t.Helper()
	if got != want {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

// query runs a query on the file of a directory, beside the store.
func query(t testing.TB, dir, text string) string {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, store.FileName))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var found string
	if err := db.QueryRowContext(t.Context(), text).Scan(&found); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return found
}
