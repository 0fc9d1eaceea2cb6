package api_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/api"
	"github.com/trysail-go/trysail/server/store"
)

// A flaky log takes what it is told to take.
type flaky struct {
	mu      sync.Mutex
	fails   func(context.Context, api.AuditEntry) error // nil: it takes everything
	entries []api.AuditEntry
}

// Add implements [api.AuditLog].
func (f *flaky) Add(ctx context.Context, e api.AuditEntry) error {
	f.mu.Lock()
	fails := f.fails
	f.mu.Unlock()
	if fails != nil {
		if err := fails(ctx, e); err != nil {
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.entries = append(f.entries, e)
	return nil
}

// List implements [api.AuditLog].
func (f *flaky) List(context.Context, api.AuditQuery) ([]api.AuditEntry, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.entries), nil
}

func (f *flaky) set(fails func(context.Context, api.AuditEntry) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fails = fails
}

func (f *flaky) requests() (ids []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range f.entries {
		ids = append(ids, e.RequestID)
	}
	return ids
}

var errDisk = errors.New("disk on fire")

func onFire(context.Context, api.AuditEntry) error { return errDisk }

// newAudited returns an API with an operation x and that log, and what it logs.
func newAudited(t *testing.T, log api.AuditLog) (*api.API, *trysail.Orchestrator, *bytes.Buffer) {
	t.Helper()
	orc := newOrchestrator(t, trysail.Config{})
	orc.Operation("x")
	keys, err := api.NewKeys(key)
	must(t, err)
	var lines bytes.Buffer
	a, err := api.New(api.Config{Orchestrator: orc, Keys: keys, Audit: log, Logger: slog.New(slog.NewTextHandler(&lines, nil))})
	must(t, err)
	return a, orc, &lines
}

func force(id string) request {
	return post(base+"/circuit-breakers/x/force-open", `{"reason":"fire"}`).with("X-Request-ID", id)
}

// What a log does not take is not lost: the change is made and says so, the program's log has the entry at once, and the audit log when it is well.
func TestAuditLogThatFails(t *testing.T) {
	for name, fails := range map[string]func(context.Context, api.AuditEntry) error{
		"with an error": onFire,
		"with a panic":  func(context.Context, api.AuditEntry) error { panic("disk on fire") },
		"by hanging": func(ctx context.Context, _ api.AuditEntry) error {
			<-ctx.Done()
			return fmt.Errorf("disk on fire: %w", ctx.Err())
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := &flaky{fails: fails}
				a, orc, lines := newAudited(t, log)
				start := time.Now()
				for i := range 3 {
					if w := send(a, force(fmt.Sprint("r", i))); w.Code != 200 || orc.Operation("x").Breaker().State() != trysail.ForcedOpen {
						t.Fatalf("status %d in state %v, want 200: the change was made\n%s", w.Code, orc.Operation("x").Breaker().State(), w.Body)
					}
				}
				if took := time.Since(start); took > 15*time.Second {
					t.Errorf("three answers took %v, want at most 5 s each", took)
				}
				for _, want := range []string{"disk on fire", "who=admin-1", "what=breaker.force_open", "target=x", "forced-open", "request_id=r0", "remote_addr=192.0.2.1"} {
					if !strings.Contains(lines.String(), want) {
						t.Errorf("the log lacks %q:\n%s", want, lines)
					}
				}
				if n := strings.Count(lines.String(), "does not take"); n != 3 {
					t.Errorf("%d lines about entries, want one for each of 3:\n%s", n, lines)
				}
				if got := auditLog(t, a, ""); got.Unwritten != 3 || got.Count != 0 {
					t.Errorf("answer %+v, want 3 that are not written", got)
				}
				log.set(nil)
				send(a, force("r3"))
				if got, want := log.requests(), []string{"r0", "r1", "r2", "r3"}; !slices.Equal(got, want) {
					t.Errorf("the log has %q, want %q", got, want)
				}
				if got := auditLog(t, a, ""); got.Unwritten != 0 {
					t.Errorf("%d are not written, want 0", got.Unwritten)
				}
			})
		})
	}
}

// One entry that the log never takes does not hold up the others.
func TestAuditEntryThatIsNeverTaken(t *testing.T) {
	log := &flaky{fails: func(_ context.Context, e api.AuditEntry) error {
		if e.RequestID == "r0" {
			return errDisk
		}
		return nil
	}}
	a, _, _ := newAudited(t, log)
	for i := range 3 {
		send(a, force(fmt.Sprint("r", i)))
	}
	if got, want := log.requests(), []string{"r1", "r2"}; !slices.Equal(got, want) || auditLog(t, a, "").Unwritten != 1 {
		t.Errorf("the log has %q, want %q and one that is not written", got, want)
	}
}

// With too many entries that wait, nothing is changed any more, until the log is well.
func TestAuditLogThatFailsForLong(t *testing.T) {
	const most = 200
	log := &flaky{fails: onFire}
	a, orc, _ := newAudited(t, log)
	for range most {
		if w := send(a, force("r")); w.Code != 200 {
			t.Fatalf("status %d: %s", w.Code, w.Body)
		}
	}
	t.Run("audit log full", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			log := &flaky{fails: onFire}
			a, _, _ := newAudited(t, log)
			for range most {
				send(a, force("r"))
			}
			checkRow(t, a, base+"/circuit-breakers/{breaker_name}/reset", post(base+"/circuit-breakers/x/reset", ""), 503)
		})
	})
	generation := orc.Operation("x").Breaker().Snapshot().Generation
	p := checkProblem(t, send(a, force("late")), 503, "SERVICE_UNAVAILABLE")
	if !strings.Contains(p.Detail, "Nothing was changed") || orc.Operation("x").Breaker().Snapshot().Generation != generation {
		t.Errorf("detail %q, and the breaker %+v; want it as it was", p.Detail, orc.Operation("x").Breaker().Snapshot())
	}
	if w := send(a, get(base+"/circuit-breakers")); w.Code != 200 {
		t.Errorf("reading has status %d, want 200", w.Code)
	}
	log.set(nil)
	if w := send(a, force("again")); w.Code != 200 {
		t.Errorf("status %d after the log is well, want 200: %s", w.Code, w.Body)
	}
	if got := len(log.requests()); got != most+1 {
		t.Errorf("the log has %d entries, want %d", got, most+1)
	}
}

// Under fire from many admins, with a log that now and then fails, each change is in the log once in the end.
func TestAuditLogThatFailsNowAndThen(t *testing.T) {
	var mu sync.Mutex
	n := 0
	log := &flaky{fails: func(context.Context, api.AuditEntry) error {
		mu.Lock()
		defer mu.Unlock()
		if n++; n%3 != 0 {
			return errDisk
		}
		return nil
	}}
	orc := newOrchestrator(t, trysail.Config{})
	orc.Operation("x")
	keys, err := api.NewKeys(key)
	must(t, err)
	a, err := api.New(api.Config{Orchestrator: orc, Keys: keys, Audit: log})
	must(t, err)
	const admins, each = 8, 15
	var acting sync.WaitGroup
	for admin := range admins {
		acting.Go(func() {
			for i := range each {
				if w := send(a, force(fmt.Sprint(admin, "-", i))); w.Code != 200 {
					t.Errorf("status %d: %s", w.Code, w.Body)
				}
			}
		})
	}
	acting.Wait()
	log.set(nil)
	send(a, force("last"))
	got := log.requests()
	slices.Sort(got)
	if n := len(slices.Compact(slices.Clone(got))); n != admins*each+1 || len(got) != n {
		t.Errorf("%d entries of %d requests, want each of %d once", len(got), n, admins*each+1)
	}
}

// A client that leaves takes no entry with it.
func TestAuditOfAClientThatLeaves(t *testing.T) {
	log := &flaky{fails: func(ctx context.Context, _ api.AuditEntry) error { return ctx.Err() }}
	a, orc, _ := newAudited(t, log)
	r := httptest.NewRequest("POST", base+"/circuit-breakers/x/reset", nil)
	ctx, leave := context.WithCancel(r.Context())
	leave()
	r.Header.Set("X-API-Key", key)
	r.Header.Set("X-Request-ID", "gone")
	a.Handler().ServeHTTP(httptest.NewRecorder(), r.WithContext(ctx))
	if got := log.requests(); orc.Operation("x").Breaker().Snapshot().Generation != 1 || !slices.Equal(got, []string{"gone"}) {
		t.Errorf("the log has %q of generation %d, want the one change", got, orc.Operation("x").Breaker().Snapshot().Generation)
	}
}

// onDisk puts the store's audit log under an API, as a program does.
type onDisk struct{ *store.Store }

// Add implements [api.AuditLog].
func (l onDisk) Add(ctx context.Context, e api.AuditEntry) error {
	_, err := l.Audit(ctx, store.Entry(e))
	return err
}

// List implements [api.AuditLog].
func (l onDisk) List(ctx context.Context, q api.AuditQuery) ([]api.AuditEntry, error) {
	found, err := l.AuditLog(ctx, store.AuditQuery(q))
	entries := make([]api.AuditEntry, len(found))
	for i, e := range found {
		entries[i] = api.AuditEntry(e)
	}
	return entries, err
}

// With a log on disk who changed what is known after a restart, and a log that is closed loses nothing that it had.
func TestAuditLogOnDisk(t *testing.T) {
	dir := t.TempDir()
	open := func() (*api.API, *store.Store) {
		t.Helper()
		s, err := store.Open(t.Context(), store.Config{Dir: dir})
		must(t, err)
		a, _, _ := newAudited(t, onDisk{s})
		return a, s
	}
	a, s := open()
	for i := range 5 {
		send(a, force(fmt.Sprint("r", i)))
	}
	began := auditLog(t, a, "")
	must(t, s.Close(context.Background()))
	if w := send(a, force("closed")); w.Code != 200 {
		t.Errorf("status %d, want 200: the change was made", w.Code)
	}
	checkProblem(t, send(a, get(base+"/audit-log")), 500, "INTERNAL_ERROR")

	a, s = open()
	defer func() { must(t, s.Close(context.Background())) }()
	again := auditLog(t, a, "")
	if began.Count != 5 || fmt.Sprint(began.Entries) != fmt.Sprint(again.Entries) {
		t.Errorf("after the restart %+v, want as before %+v", again, began)
	}
	page := auditLog(t, a, "?limit=2&what=breaker.force_open&who=admin-1&target=x&from=2020-01-01T00:00:00Z&until=2261-01-01T00:00:00Z")
	if page.Count != 2 || page.Entries[0].RequestID != "r4" || page.NextBefore == nil {
		t.Fatalf("page %+v, want r4, r3 and where it goes on", page)
	}
	page = auditLog(t, a, fmt.Sprint("?limit=3&before=", *page.NextBefore))
	if page.Count != 3 || page.Entries[0].RequestID != "r2" || page.NextBefore != nil {
		t.Errorf("page %+v, want r2 to r0 and no more", page)
	}
}
