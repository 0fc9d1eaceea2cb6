package store_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail/monitor"
	"github.com/trysail-go/trysail/server/store"
)

// everywhere runs a test in a bubble, with a file and with memory.
func everywhere(t *testing.T, test func(*testing.T, string)) {
	t.Helper()
	for name, dir := range map[string]string{"file": t.TempDir(), "memory": ""} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				t.Helper()
				test(t, dir)
			})
		})
	}
}

// Each goes when its time has come, and not before.
func TestPruneByAge(t *testing.T) {
	everywhere(t, func(t *testing.T, dir string) {
		hour := store.Keep{For: time.Hour}
		s := open(t, store.Config{Dir: dir, Events: hour, Alerts: hour, Runs: hour, Versions: hour, Audit: hour, PruneEvery: time.Minute})
		now := time.Now()
		e := events(1, 1)
		e[0].Time = now
		a := alert(1, 1)
		a.Time, a.Last = now, now
		save(t, s, monitor.Batch{Events: e, Alerts: []monitor.Alert{a}})
		version := func() store.Version {
			t.Helper()
			v, err := s.AddVersion(t.Context(), store.Version{Who: "ann", Config: json.RawMessage("1")})
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		version()
		newer := version()
		if err := s.AddRun(t.Context(), store.Run{ID: "a", Body: json.RawMessage("1")}); err != nil {
			t.Fatal(err)
		}
		audit(t, s, 1)
		counts := func() string {
			t.Helper()
			e, a := newest(t, s)
			r, err := s.Runs(t.Context(), store.RunQuery{})
			v, err2 := s.Versions(t.Context(), 0, 0)
			if err := errors.Join(err, err2); err != nil {
				t.Fatal(err)
			}
			if len(v) > 0 {
				same(t, "the newest version", v[0].ID, newer.ID)
			}
			return fmt.Sprint(len(e), len(a), len(r), len(v), len(auditLog(t, s, store.AuditQuery{})))
		}
		time.Sleep(time.Hour - time.Second)
		synctest.Wait()
		same(t, "events, alerts, runs, versions and entries before an hour", counts(), "1 1 1 2 1")
		time.Sleep(time.Minute + time.Second)
		synctest.Wait()
		same(t, "after an hour and a minute", counts(), "0 0 0 1 0")
		shut(t, s)
	})
}

// Of too many the oldest go, and of events those of the same group; also many at once, a piece at a time.
func TestPruneByCount(t *testing.T) {
	everywhere(t, func(t *testing.T, dir string) {
		s := open(t, store.Config{
			Dir: dir, Events: store.Keep{Most: 10}, Alerts: store.Keep{Most: 2}, Runs: store.Keep{Most: 2}, Versions: store.Keep{Most: 2}, Audit: store.Keep{Most: 3},
			PruneEvery: time.Hour,
		})
		synctest.Wait()
		all := events(1, 2500)
		for i := range all {
			all[i].Time = time.Now()
			if i >= 5 {
				all[i].Kind = monitor.PerformanceEvent
			}
		}
		var alerts []monitor.Alert
		for i := range 5 {
			alerts = append(alerts, alert(i+1, 1))
			if err := s.AddRun(t.Context(), store.Run{ID: fmt.Sprint(i), Time: time.Now().Add(time.Duration(-i) * time.Minute), Body: json.RawMessage("1")}); err != nil {
				t.Fatal(err)
			}
			if _, err := s.AddVersion(t.Context(), store.Version{Who: fmt.Sprint(i), Config: json.RawMessage("1")}); err != nil {
				t.Fatal(err)
			}
			audit(t, s, i)
		}
		save(t, s, monitor.Batch{Events: all, Alerts: alerts})
		e, _ := newest(t, s)
		if dir == "" {
			same(t, "events that memory takes", len(e), 15) // of what is too much none is taken
		} else {
			same(t, "events before", len(e), 2500)
		}
		time.Sleep(time.Hour + time.Minute)
		synctest.Wait()
		e, a := newest(t, s)
		same(t, "events", len(e), 15)
		same(t, "the oldest", e[0].Seq, 1)
		same(t, "the oldest of the traffic", e[5].Seq, 2491)
		same(t, "alerts", len(a), 2)
		same(t, "the older alert", a[0].ID, 4)
		runs, err := s.Runs(t.Context(), store.RunQuery{})
		if err != nil || len(runs) != 2 || runs[0].ID != "0" || runs[1].ID != "1" {
			t.Errorf("Runs() = %v, %v, want 0 and 1", runs, err)
		}
		versions, err := s.Versions(t.Context(), 0, 0)
		if err != nil || len(versions) != 2 || versions[0].Who != "4" {
			t.Errorf("Versions() = %v, %v, want 4 and 3", versions, err)
		}
		same(t, "entries", fmt.Sprint(targets(auditLog(t, s, store.AuditQuery{}))), "[op-4 op-3 op-2]")
		audit(t, s, 5) // the log still takes some
		shut(t, s)
	})
}

// What is removed gives its space back.
func TestPruneShrinksTheFile(t *testing.T) {
	dir := t.TempDir()
	size := func() int64 {
		info, err := os.Stat(filepath.Join(dir, store.FileName))
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	s := open(t, store.Config{Dir: dir})
	for i := range 10 {
		if err := s.AddRun(t.Context(), store.Run{ID: fmt.Sprint(i), Body: json.RawMessage(`"` + strings.Repeat("x", 50_000) + `"`)}); err != nil {
			t.Fatal(err)
		}
	}
	shut(t, s)
	before := size()
	s = open(t, store.Config{Dir: dir, Runs: store.Keep{Most: 1}})
	if err := s.AddRun(t.Context(), store.Run{ID: "9", Body: json.RawMessage("1")}); err != nil { // comes after the first pruning or before: Close ends both
		t.Fatal(err)
	}
	shut(t, s)
	s = open(t, store.Config{Dir: dir, Runs: store.Keep{Most: 1}})
	audit(t, s, 1)
	shut(t, s)
	if after := size(); after > before/4 {
		t.Errorf("the file has %d bytes after pruning and had %d, want less than a quarter", after, before)
	}
}

// blocked makes the file impossible to open, and returns what makes it possible again.
func blocked(t *testing.T, dir string) (mend func()) {
	t.Helper()
	path := filepath.Join(dir, store.FileName)
	aside := filepath.Join(t.TempDir(), "aside")
	for _, suffix := range []string{"-wal", "-shm", ""} {
		if err := os.Rename(path+suffix, aside+suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		for _, suffix := range []string{"-wal", "-shm", ""} {
			if err := os.Rename(aside+suffix, path+suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
		}
	}
}

// A file that was moved away is noticed, and tried again exactly when it was said.
func TestMovedFile(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, store.Config{Dir: dir})
		audit(t, s, 1)
		mend := blocked(t, dir)
		audit(t, s, 2)
		h := s.Health()
		if !h.Degraded || h.Held != 1 || !strings.Contains(h.Reason, "moved away or replaced") {
			t.Errorf("Health() = %+v, want that the file was replaced, and one row held", h)
		}
		time.Sleep(12 * time.Second)
		synctest.Wait()
		if now := s.Health(); !now.Degraded || !now.Since.Equal(h.Since) || now.Held != 1 {
			t.Errorf("Health() after 12 s = %+v, want the same Since as %+v", now, h)
		}
		same(t, "entries for readers", fmt.Sprint(targets(auditLog(t, s, store.AuditQuery{}))), "[op-2]")
		mend()
		retry := s.Health().Retry
		time.Sleep(time.Until(retry) - 1)
		synctest.Wait()
		same(t, "degraded before the time", s.Health().Degraded, true)
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		same(t, "degraded at the time", s.Health().Degraded, false)
		same(t, "entries", fmt.Sprint(targets(auditLog(t, s, store.AuditQuery{}))), "[op-2 op-1]")
		shut(t, s)
	})
	same(t, "entries in the file", query(t, dir, "SELECT count(*) FROM audit"), "2")
}

// The clock was set back while the file could not be read: numbers that were given meanwhile are not those of other rows.
func TestClockSetBack(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) { // in 2000
		s := open(t, store.Config{Dir: dir, Audit: store.Keep{For: 365 * 24 * time.Hour}})
		time.Sleep(time.Hour)
		audit(t, s, 1)
		audit(t, s, 2)
		shut(t, s)
	})
	mend := blocked(t, dir)
	synctest.Test(t, func(t *testing.T) { // in 2000 again, an hour earlier
		s := open(t, store.Config{Dir: dir})
		same(t, "degraded", s.Health().Degraded, true)
		audit(t, s, 3)
		audit(t, s, 4)
		mend()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		same(t, "degraded", s.Health().Degraded, false)
		audit(t, s, 5)
		same(t, "entries", fmt.Sprint(targets(auditLog(t, s, store.AuditQuery{}))), "[op-5 op-4 op-3 op-2 op-1]")
		shut(t, s)
	})
}
