package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trysail-go/trysail/monitor"
	"github.com/trysail-go/trysail/server/store"
)

// kinds runs a test with a file, whose path is awkward, and with memory.
func kinds(t *testing.T, test func(*testing.T, *store.Store, store.Config)) {
	t.Helper()
	t.Run("file", func(t *testing.T) {
		cfg := store.Config{Dir: filepath.Join(t.TempDir(), "a b?c#d%20é", "deep")}
		s := open(t, cfg)
		test(t, s, cfg)
		shut(t, s)
		if _, err := os.Stat(filepath.Join(cfg.Dir, store.FileName)); err != nil {
			t.Errorf("the file: %v, want it in its directory", err)
		}
	})
	t.Run("memory", func(t *testing.T) {
		s := open(t, store.Config{})
		test(t, s, store.Config{})
		shut(t, s)
	})
}

func TestMonitoring(t *testing.T) {
	kinds(t, func(t *testing.T, s *store.Store, _ store.Config) {
		want := events(1, 20)
		first, second, again := alert(1, 1), alert(2, 1), alert(2, 7)
		save(t, s, monitor.Batch{Events: want[:10], Alerts: []monitor.Alert{first, second}})
		save(t, s, monitor.Batch{Events: want[5:], Alerts: []monitor.Alert{again}}) // half of it again
		save(t, s, monitor.Batch{})
		gotEvents, gotAlerts := newest(t, s)
		if diff := cmp.Diff(want, gotEvents); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]monitor.Alert{first, again}, gotAlerts); diff != "" {
			t.Errorf("alerts (-want +got):\n%s", diff)
		}
		few, one, err := s.Newest(t.Context(), 3, 1)
		if err != nil || len(few) != 3 || few[0].Seq != 18 || len(one) != 1 || one[0].ID != 2 {
			t.Errorf("Newest(3, 1) = %v, %v, %v, want the events 18 to 20 and alert 2", few, one, err)
		}
	})
}

// A gateway is restarted: its collector goes on where the one before was stopped.
func TestCollectorGoesOn(t *testing.T) {
	dir := t.TempDir()
	export := func() (string, monitor.Counts) {
		s := open(t, store.Config{Dir: dir})
		c, err := monitor.New(monitor.Config{})
		if err != nil {
			t.Fatal(err)
		}
		stored, raised := newest(t, s)
		if err := c.Restore(stored, raised); err != nil {
			t.Fatalf("Restore() = %v, want nil", err)
		}
		before, _, err := c.ExportText(monitor.JSON, 0)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- c.Persist(ctx, s, time.Millisecond) }()
		for range 30 {
			c.RecordConfigError(monitor.Subject{Preset: "simple", Session: "s"}, errors.New("no such file"))
		}
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Persist() = %v, want nil", err)
		}
		shut(t, s)
		return before, c.Counts()
	}
	export()
	first, _ := export()
	second, counts := export()
	same(t, "events of the first two", strings.Count(second, "config_error"), 60)
	if !strings.HasPrefix(second, strings.TrimSuffix(first, "\n]\n")) {
		t.Error("the second export does not begin with the first one: want the same events in the same order")
	}
	same(t, "restored", counts.Restored, 60)
	same(t, "alerts: about the error and about the share of errors, which repeat", counts.Alerts, 2)
	same(t, "integrity", query(t, dir, "PRAGMA integrity_check"), "ok")
}

// A collector that was not restored counts from 1 again. What was stored stays, and so does the order.
func TestCollectorThatWasNotRestored(t *testing.T) {
	dir := t.TempDir()
	for range 3 {
		s := open(t, store.Config{Dir: dir})
		save(t, s, monitor.Batch{Events: events(1, 5), Alerts: []monitor.Alert{alert(1, 1)}})
		save(t, s, monitor.Batch{Events: events(4, 7), Alerts: []monitor.Alert{alert(1, 2)}})
		shut(t, s)
	}
	stored, raised := newest(t, open(t, store.Config{Dir: dir}))
	same(t, "events", len(stored), 21)
	same(t, "the newest", stored[20].Seq, 21)
	same(t, "alerts", len(raised), 3)
	same(t, "repeats", raised[0].Count+raised[1].Count+raised[2].Count, 6)
}

// Busy traffic crowds out neither transitions nor what happens to the configuration.
func TestGroupsAreKeptApart(t *testing.T) {
	s := open(t, store.Config{})
	all := events(1, 300)
	for i := range all[2:] {
		all[i+2].Kind, all[i+2].Metadata = monitor.PerformanceEvent, `{"event":"retry"}`
	}
	all[1].Kind, all[1].Metadata = monitor.PerformanceEvent, `{"event":"breaker_transition","from":"closed"}`
	save(t, s, monitor.Batch{Events: all})
	found, _, err := s.Newest(t.Context(), 5, 0)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "events", len(found), 7)
	same(t, "the oldest", found[0].Seq, 1)
	same(t, "the next", found[1].Seq, 2)
	same(t, "the third", found[2].Seq, 296)
}

func TestSaveRefuses(t *testing.T) {
	change := func(f func(*monitor.Event)) monitor.Batch {
		all := events(1, 2)
		f(&all[1])
		return monitor.Batch{Events: all}
	}
	for name, c := range map[string]struct {
		batch monitor.Batch
		want  string
	}{
		"no number":           {change(func(e *monitor.Event) { e.Seq = 0 }), "event 2 of 2: its Seq is 0"},
		"a number too large":  {change(func(e *monitor.Event) { e.Seq = math.MaxUint64 }), "Seq is 18446744073709551615"},
		"no number as value":  {change(func(e *monitor.Event) { e.Value = math.NaN() }), "value is NaN"},
		"no time":             {change(func(e *monitor.Event) { e.Time = time.Time{} }), "time is 0001-01-01"},
		"an alert without ID": {monitor.Batch{Events: events(1, 1), Alerts: []monitor.Alert{{}}}, "alert 1 of 1: its ID is 0"},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, store.Config{})
			if err := s.Save(t.Context(), c.batch); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Save() = %v, want an error with %q", err, c.want)
			}
			stored, _ := newest(t, s)
			same(t, "events stored of a batch that was refused", len(stored), 0)
		})
	}
}

func TestRuns(t *testing.T) {
	kinds(t, func(t *testing.T, s *store.Store, _ store.Config) {
		at := begun()
		for i, r := range []store.Run{{ID: "a", Name: "quick"}, {ID: "b", Name: "full"}, {ID: "c", Name: "quick"}, {ID: "a", Name: "again"}} {
			r.Time, r.Body = at.Add(time.Duration(i)*time.Hour), json.RawMessage(`{"p50": 1}`)
			if err := s.AddRun(t.Context(), r); err != nil {
				t.Fatalf("AddRun(%s) = %v", r.ID, err)
			}
		}
		ids := func(q store.RunQuery) (found string) {
			all, err := s.Runs(t.Context(), q)
			if err != nil {
				t.Fatalf("Runs(%+v) = %v", q, err)
			}
			for _, r := range all {
				found += r.ID
			}
			return found
		}
		same(t, "all", ids(store.RunQuery{}), "acb")
		same(t, "the newest two", ids(store.RunQuery{Limit: 2}), "ac")
		same(t, "by name", ids(store.RunQuery{Name: "quick"}), "c")
		same(t, "from and until", ids(store.RunQuery{From: at.Add(time.Hour), Until: at.Add(3 * time.Hour)}), "cb")
		got, err := s.Run(t.Context(), "a")
		want := store.Run{ID: "a", Time: at.Add(3 * time.Hour), Name: "again", Body: json.RawMessage(`{"p50": 1}`)}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("Run(a) = %v, -want +got:\n%s", err, diff)
		}
		if _, err := s.Run(t.Context(), "none"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Run(none) = %v, want %v", err, store.ErrNotFound)
		}
	})
}

func TestVersions(t *testing.T) {
	kinds(t, func(t *testing.T, s *store.Store, _ store.Config) {
		var all []store.Version
		for _, who := range []string{"ann", "bob", "cyd"} {
			v, err := s.AddVersion(t.Context(), store.Version{Who: who, Note: "n", Config: json.RawMessage(`{"a":[1]}`)})
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, v)
		}
		slices.Reverse(all)
		got, err := s.Versions(t.Context(), 0, 0)
		if diff := cmp.Diff(all, got); err != nil || diff != "" {
			t.Errorf("Versions() = %v, -want +got:\n%s", err, diff)
		}
		got, err = s.Versions(t.Context(), all[0].ID, 1)
		if diff := cmp.Diff(all[1:2], got); err != nil || diff != "" {
			t.Errorf("Versions(before the newest, 1) = %v, -want +got:\n%s", err, diff)
		}
		one, err := s.Version(t.Context(), all[2].ID)
		if diff := cmp.Diff(all[2], one); err != nil || diff != "" {
			t.Errorf("Version() = %v, -want +got:\n%s", err, diff)
		}
		if _, err := s.Version(t.Context(), 1); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Version(1) = %v, want %v", err, store.ErrNotFound)
		}
	})
}

func TestAuditLog(t *testing.T) {
	kinds(t, func(t *testing.T, s *store.Store, _ store.Config) {
		first := audit(t, s, 1)
		second, err := s.Audit(t.Context(), store.Entry{Time: begun(), Who: "bob", What: "config.apply", After: json.RawMessage(`null`)})
		if err != nil {
			t.Fatal(err)
		}
		third := audit(t, s, 3)
		if diff := cmp.Diff([]store.Entry{third, second, first}, auditLog(t, s, store.AuditQuery{})); diff != "" {
			t.Errorf("AuditLog() -want +got:\n%s", diff)
		}
		for name, c := range map[string]struct {
			query store.AuditQuery
			want  []store.Entry
		}{
			"who":            {store.AuditQuery{Who: "bob"}, []store.Entry{second}},
			"who and target": {store.AuditQuery{Who: "ann", Target: "op-3"}, []store.Entry{third}},
			"what":           {store.AuditQuery{What: "breaker.reset", Limit: 1}, []store.Entry{third}},
			"the next page":  {store.AuditQuery{Before: second.ID}, []store.Entry{first}},
			"until":          {store.AuditQuery{Until: second.Time.Add(1)}, []store.Entry{second}},
			"from":           {store.AuditQuery{From: third.Time}, []store.Entry{third}},
			"nobody":         {store.AuditQuery{Who: `' OR 1=1 --`}, []store.Entry{}},
		} {
			if diff := cmp.Diff(c.want, auditLog(t, s, c.query)); diff != "" {
				t.Errorf("%s: AuditLog(%+v) -want +got:\n%s", name, c.query, diff)
			}
		}
		if first.ID >= second.ID || second.ID >= third.ID || third.ID >= 1<<53 {
			t.Errorf("IDs are %d, %d and %d, want them to grow and to stay below 2^53", first.ID, second.ID, third.ID)
		}
	})
}

func TestBadRows(t *testing.T) {
	s := open(t, store.Config{})
	good := json.RawMessage(`{}`)
	long := strings.Repeat("x", 1025)
	for name, c := range map[string]struct {
		do   func() error
		want []string
	}{
		"a run":             {func() error { return s.AddRun(t.Context(), store.Run{Name: long}) }, []string{"ID is empty", "Name has 1025 bytes", "Body is no JSON"}},
		"a run of last age": {func() error { return s.AddRun(t.Context(), store.Run{ID: "a", Time: time.Unix(-1e10, 0), Body: good}) }, []string{"Time: its time is 1653"}},
		"a version": {func() error {
			_, err := s.AddVersion(t.Context(), store.Version{Note: "\xff", Config: json.RawMessage(`{"a":`)})
			return err
		}, []string{"Who is empty", "Note is", "Config is no JSON"}},
		"an entry": {func() error {
			_, err := s.Audit(t.Context(), store.Entry{Before: json.RawMessage("x"), After: json.RawMessage(`"` + strings.Repeat("x", 4<<20) + `"`)})
			return err
		}, []string{"Who is empty", "What is empty", "Before is no JSON", "After has 4194306 bytes, want at most 4194304"}},
		"a limit": {func() error { _, err := s.AuditLog(t.Context(), store.AuditQuery{Limit: 1001}); return err }, []string{"limit is 1001, want 1 to 1000"}},
		"a count": {func() error { _, _, err := s.Newest(t.Context(), -1, 0); return err }, []string{"-1 events"}},
	} {
		err := c.do()
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want an error with %q", name, err, want)
			}
		}
	}
}

// Many store at once, and what each was told is stored is there.
func TestManyAtOnce(t *testing.T) {
	cfg := store.Config{Dir: t.TempDir(), Queue: 4, BatchRows: 16}
	s := open(t, cfg)
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := range 25 {
				if _, err := s.Audit(t.Context(), entry(worker*100+i)); err != nil {
					t.Errorf("Audit() = %v, want nil", err)
				}
				if got := auditLog(t, s, store.AuditQuery{Target: entry(worker*100 + i).Target}); len(got) != 1 {
					t.Errorf("%d entries for what has just been stored, want 1", len(got))
				}
			}
		})
	}
	all.Wait()
	same(t, "entries", len(auditLog(t, s, store.AuditQuery{})), 200)
}

func TestClose(t *testing.T) {
	s := open(t, store.Config{Dir: t.TempDir()})
	var all sync.WaitGroup
	var mu sync.Mutex
	stored := 0
	for range 20 {
		all.Go(func() {
			_, err := s.Audit(t.Context(), entry(1))
			if err != nil && !errors.Is(err, store.ErrClosed) {
				t.Errorf("Audit() beside Close = %v, want nil or %v", err, store.ErrClosed)
			}
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				stored++
			}
		})
	}
	shut(t, s)
	all.Wait()
	shut(t, s)
	if _, err := s.Audit(t.Context(), entry(1)); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Audit() after Close = %v, want %v", err, store.ErrClosed)
	}
	again := open(t, store.Config{Dir: filepath.Dir(s.Health().Path)})
	same(t, "entries after Close", len(auditLog(t, again, store.AuditQuery{})), stored)
}

func TestContextThatHasEnded(t *testing.T) {
	s := open(t, store.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Save(ctx, monitor.Batch{Events: events(1, 1)}); !errors.Is(err, context.Canceled) {
		t.Errorf("Save() = %v, want %v", err, context.Canceled)
	}
	if _, err := s.AuditLog(ctx, store.AuditQuery{}); !errors.Is(err, context.Canceled) {
		t.Errorf("AuditLog() = %v, want %v", err, context.Canceled)
	}
	stored, _ := newest(t, s)
	same(t, "events", len(stored), 0)
}

func TestBadConfig(t *testing.T) {
	_, err := store.Open(t.Context(), store.Config{
		Events: store.Keep{For: time.Millisecond}, Audit: store.Keep{Most: -1}, BatchRows: -1, FlushEvery: time.Hour, MaxHeldBytes: 1, MaxMemoryBytes: 7,
	})
	for _, want := range []string{
		"store config: ", "Events.For is 1ms, want 1s to", "Audit.Most is -1, want 1 to", "BatchRows is -1", "FlushEvery is 1h0m0s, want 1ns to 10s", "MaxHeldBytes is 1, want 4096 to", "MaxMemoryBytes is 7, want 1048576 to",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Open() = %v, want an error with %q", err, want)
		}
	}
}
