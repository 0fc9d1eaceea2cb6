package store_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/trysail-go/trysail/monitor"
	"github.com/trysail-go/trysail/server/store"
)

// inside runs the test in a process of its own, whose limits and mounts are its own, too, and reports whether this is it.
func inside(t *testing.T, flags uintptr) bool {
	t.Helper()
	const env = "TRYSAIL_STORE_INSIDE"
	if os.Getenv(env) == t.Name() {
		return true
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), env+"="+t.Name())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags, Pdeathsig: syscall.SIGKILL}
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("in a process of its own: %v\n%s", err, out)
	}
	return false
}

// A volume is a directory that can be made unwritable as disks become so.
type volume struct {
	dir         string
	spoil, mend func()
}

// mounted returns a small file system of its own. Only root may have one, and only in a process with its own mounts.
func mounted(t *testing.T, size string) string {
	t.Helper()
	if err := syscall.Mount("none", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// full is a volume that gets full: one that really is if we are root, otherwise one on which files may not grow.
func full(t *testing.T) volume {
	t.Helper()
	if os.Getuid() != 0 {
		return limited(t)
	}
	dir := mounted(t, "512k")
	filler := filepath.Join(dir, "filler")
	return volume{
		dir: dir,
		spoil: func() {
			f, err := os.Create(filler)
			for err == nil {
				_, err = f.Write(make([]byte, 4096))
			}
			if !errors.Is(err, syscall.ENOSPC) {
				t.Fatalf("fill the disk: %v, want %v", err, syscall.ENOSPC)
			}
			_ = f.Close()
		},
		mend: func() {
			if err := os.Remove(filler); err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
		},
	}
}

// limited is a volume on which files may not grow: the kernel's limit for this process.
func limited(t *testing.T) volume {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ)
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	set := func(limit syscall.Rlimit) func() {
		return func() {
			if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
				t.Fatal(err)
			}
		}
	}
	return volume{dir: t.TempDir(), spoil: set(syscall.Rlimit{Cur: 1024, Max: old.Max}), mend: set(old)}
}

// readOnly is a volume that can be mounted for reading only, or if we are not root a directory that we may not write to.
func readOnly(t *testing.T) volume {
	t.Helper()
	if os.Getuid() != 0 {
		dir := t.TempDir()
		set := func(mode os.FileMode) func() {
			return func() {
				for _, path := range []string{dir, filepath.Join(dir, store.FileName), filepath.Join(dir, store.FileName+".lock")} {
					if err := os.Chmod(path, mode); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		return volume{dir: dir, spoil: set(0o500), mend: set(0o700)}
	}
	dir := mounted(t, "4m")
	set := func(flags uintptr) func() {
		return func() {
			if err := syscall.Mount("none", dir, "", syscall.MS_REMOUNT|flags, ""); err != nil {
				t.Fatal(err)
			}
		}
	}
	return volume{dir: dir, spoil: set(syscall.MS_RDONLY), mend: set(0)}
}

// ownMounts are the flags of a process that may mount, if we may have one.
func ownMounts() uintptr {
	if os.Getuid() != 0 {
		return 0
	}
	return syscall.CLONE_NEWNS
}

// well is a log that says when a disk is well again.
type well chan string

func (w well) Write(line []byte) (int, error) {
	if strings.Contains(string(line), "well again") {
		w <- string(line)
	}
	return len(line), nil
}

// A disk is full while the store is used.
func TestDiskFull(t *testing.T) {
	if inside(t, ownMounts()) {
		fillsUp(t, full(t))
	}
}

// The same, whoever runs it.
func TestFilesThatMayNotGrow(t *testing.T) {
	if inside(t, 0) {
		fillsUp(t, limited(t))
	}
}

func fillsUp(t *testing.T, v volume) {
	t.Helper()
	again := make(well, 1)
	cfg := store.Config{Dir: v.dir, MaxHeld: 40, RetryEvery: 10 * time.Millisecond, Log: slog.New(slog.NewTextHandler(again, nil))}
	s := open(t, cfg)
	defer v.mend()
	save(t, s, monitor.Batch{Events: events(1, 10)})
	var want []string
	for round := range 2 { // the second time with a file that was opened again
		v.spoil()
		want = append(want, untilFull(t, s, round)...)
		h := s.Health()
		if !h.Degraded || h.Reason == "" || h.Since.IsZero() || h.Retry.IsZero() || h.Held == 0 || h.Held > 40 || h.Refused == 0 {
			t.Errorf("Health() on a full disk = %+v, want that it is degraded, why, since when and how much is held", h)
		}
		err := s.Save(t.Context(), monitor.Batch{Events: events(1000, 1060)})
		if !errors.Is(err, store.ErrFull) || !strings.Contains(err.Error(), "rows are: ") {
			t.Errorf("Save(more than may be held) = %v, want %v with numbers and the reason", err, store.ErrFull)
		}
		wantEntries(t, s, want)
		v.mend()
		<-again
		if h := s.Health(); h.Degraded || h.Held != 0 || h.HeldBytes != 0 || h.Reason != "" || !h.Since.IsZero() {
			t.Errorf("Health() of a disk that is well again = %+v, want nothing held", h)
		}
		wantEntries(t, s, want)
		want = append(want, audit(t, s, 5000+round).Target)
	}
	v.spoil()
	for i := range 3 {
		want = append(want, audit(t, s, 6000+i).Target)
	}
	v.mend()
	shut(t, s) // writes what is held
	s = open(t, cfg)
	wantEntries(t, s, want)
	stored, _ := newest(t, s)
	same(t, "events", len(stored), 10)

	v.spoil()
	held := 0
	for ; !s.Health().Degraded; held++ { // what still finds room is in the file
		audit(t, s, 7000+held)
	}
	h := s.Health()
	if err := s.Close(context.Background()); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%d rows held in memory are lost", h.Held)) {
		t.Errorf("Close() on a full disk = %v, want an error that says that %d rows are lost", err, h.Held)
	}
	v.mend()
	same(t, "integrity", query(t, v.dir, "PRAGMA integrity_check"), "ok")
	same(t, "entries in the file", query(t, v.dir, "SELECT count(*) FROM audit"), fmt.Sprint(len(want)+held-h.Held))
}

// untilFull adds entries until no more are taken, and returns those that were.
func untilFull(t *testing.T, s *store.Store, round int) (taken []string) {
	t.Helper()
	for i := range 10_000 {
		e, err := s.Audit(t.Context(), entry(10_000*(round+1)+i))
		if errors.Is(err, store.ErrFull) {
			return taken
		}
		if err != nil {
			t.Fatalf("Audit() on a full disk = %v, want nil or %v", err, store.ErrFull)
		}
		taken = append(taken, e.Target)
	}
	t.Fatalf("10,000 entries were taken on a full disk, want at most 40 and what finds room")
	return nil
}

// wantEntries fails the test unless the log has exactly these entries, in this order.
func wantEntries(t *testing.T, s *store.Store, want []string) {
	t.Helper()
	var got []string
	for q := (store.AuditQuery{Limit: 7}); ; {
		page := auditLog(t, s, q)
		got = append(got, targets(page)...)
		if len(page) < 7 {
			break
		}
		q.Before = page[len(page)-1].ID
	}
	slices.Reverse(got)
	if !slices.Equal(got, want) {
		t.Errorf("the log has %d entries %v, want %d %v", len(got), got, len(want), want)
	}
}

// A disk can only be read when the program starts, and has things on it: they stay, and what comes goes after them.
func TestReadOnly(t *testing.T) {
	if !inside(t, ownMounts()) {
		return
	}
	v := readOnly(t)
	again := make(well, 1)
	cfg := store.Config{Dir: v.dir, RetryEvery: 10 * time.Millisecond, Log: slog.New(slog.NewTextHandler(again, nil))}
	s := open(t, cfg)
	save(t, s, monitor.Batch{Events: events(1, 5), Alerts: []monitor.Alert{alert(1, 1)}})
	want := []string{audit(t, s, 1).Target, audit(t, s, 2).Target}
	shut(t, s)

	v.spoil()
	s = open(t, cfg)
	h := s.Health()
	if !h.Degraded || !strings.Contains(h.Path, v.dir) {
		t.Fatalf("Health() of a disk for reading only = %+v, want that it is degraded", h)
	}
	stored, _ := newest(t, s)
	same(t, "events while the file cannot be opened", len(stored), 0)
	save(t, s, monitor.Batch{Events: events(1, 3), Alerts: []monitor.Alert{alert(1, 1)}}) // by a collector that counts from 1 again
	want = append(want, audit(t, s, 3).Target)
	wantEntries(t, s, want[2:])
	v.mend()
	<-again
	save(t, s, monitor.Batch{Events: events(2, 4), Alerts: []monitor.Alert{alert(1, 9), alert(2, 1)}})
	want = append(want, audit(t, s, 4).Target)
	wantEntries(t, s, want)
	shut(t, s)

	s = open(t, cfg)
	wantEntries(t, s, want)
	stored, raised := newest(t, s)
	same(t, "events", len(stored), 9)
	same(t, "the newest", stored[8].Seq, 9)
	same(t, "alerts", len(raised), 3)
	same(t, "the count of the one that has repeated", raised[1].Count, 9)
}
