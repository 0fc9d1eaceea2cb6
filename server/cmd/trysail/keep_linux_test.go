package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// inside runs the test in a process with mounts of its own, in which it may mount, and reports whether this is it.
func inside(t *testing.T) bool {
	t.Helper()
	const env = "TRYSAIL_TEST_INSIDE"
	if os.Getenv(env) == t.Name() {
		return true
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), env+"="+t.Name())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	if uid := os.Getuid(); uid != 0 { // root of a user namespace may mount, too
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("in a process of its own: %v\n%s", err, out)
	}
	return false
}

// disk is a small one of its own.
func disk(t *testing.T) string {
	t.Helper()
	if err := syscall.Mount("none", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// fill leaves no room on a disk.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("fill the disk: %v, want %v", err, syscall.ENOSPC)
	}
	_ = f.Close()
}

type storeView struct {
	State, File, Reason string
	Since               *time.Time
	Held                int `json:"held_rows"`
}

// awaitStore waits until the store is in a state.
func (s *served) awaitStore(state string) storeView {
	s.t.Helper()
	var health struct {
		Store storeView
	}
	patience := time.Now().Add(time.Minute)
	for tick := time.Tick(20 * time.Millisecond); ; <-tick {
		s.ask("GET", "/health/detailed", "", &health)
		if health.Store.State == state {
			return health.Store
		}
		if time.Now().After(patience) {
			s.t.Fatalf("the store is %+v, want it %s\n%s", health.Store, state, s.log)
		}
	}
}

// A disk that cannot be written costs no answer: calls go on, changes are made, /health/detailed says what is the matter, and when the
// disk is well again all of it is written.
func TestDisksThatFail(t *testing.T) {
	if !inside(t) {
		return
	}
	for name, tc := range map[string]struct{ spoil, mend func(dir string) }{
		"full": {
			func(dir string) { fill(t, filepath.Join(dir, "filler")) },
			func(dir string) { _ = os.Remove(filepath.Join(dir, "filler")) },
		},
		"gone, and one that is read-only in its place": {
			func(dir string) {
				if err := syscall.Mount("none", dir, "tmpfs", syscall.MS_RDONLY, ""); err != nil {
					t.Fatal(err)
				}
			},
			func(dir string) {
				if err := syscall.Unmount(dir, 0); err != nil {
					t.Fatal(err)
				}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := disk(t)
			env := []string{"API_KEY=secret", "TRYSAIL_DATA_DIR=" + dir}
			s := serve(t, env...)
			s.awaitStore("disk")
			tc.spoil(dir)
			var done json.RawMessage
			for i, reason := range []string{"one", "two", "three"} { // a disk that is full may still take one
				s.ask("POST", "/config/reload", `{"custom_config":{"retry_attempts":`+string(rune('4'+i))+`,"operation_overrides":{"qa":"critical"}},"reason":"`+reason+`"}`, &done)
			}
			for range 30 { // a file that is full has room in its last page
				s.send("POST", "/v1/chat/completions", completionBody, "X-Trysail-Simulate", "500,ok", "X-Trysail-Operation", "chat")
				if s.storeState() == "degraded" {
					break
				}
			}
			h := s.awaitStore("degraded")
			if h.Reason == "" || h.Since == nil || h.File != "trysail.db" || strings.Contains(h.Reason, dir) {
				t.Errorf("the health of the store is %+v, want why and since when, without the directory", h)
			}
			if resp, body := s.send("GET", internal+"/health", ""); !strings.Contains(body, `"healthy":true`) {
				t.Errorf("health: status %d\n%s", resp.StatusCode, body)
			}
			if resp, _ := s.send("POST", "/v1/chat/completions", completionBody); resp.StatusCode != 200 {
				t.Errorf("a call: status %d, want 200", resp.StatusCode)
			}
			events := s.events()
			tc.mend(dir)
			if h := s.awaitStore("disk"); h.Held != 0 || h.Since != nil {
				t.Errorf("the health of the store is %+v, want nothing held", h)
			}
			s.end()

			s = serve(t, env...)
			var reasons []string
			for _, v := range s.versions() {
				reasons = append(reasons, v.Reason)
			}
			if got := strings.Join(reasons, " "); !strings.Contains(got, "three two one") {
				t.Errorf("versions after a restart are for %q, want all that were acknowledged", got)
			}
			if now := s.events(); len(now) < len(events) || strings.Join(now[:len(events)], "\n") != strings.Join(events, "\n") {
				t.Errorf("%d events after a restart, want them to begin with those %d of before", len(now), len(events))
			}
			s.end()
		})
	}
}

// A directory that cannot be written at the start is no reason not to serve: it is said, and used as soon as it can be.
func TestStartsBesideADiskThatFails(t *testing.T) {
	if !inside(t) {
		return
	}
	dir := disk(t)
	if err := syscall.Mount("none", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	s := serve(t, "API_KEY=secret", "TRYSAIL_DATA_DIR="+filepath.Join(dir, "data"))
	if !strings.Contains(s.log.String(), "the disk cannot be written; what comes is held in memory") {
		t.Errorf("the log does not say so:\n%s", s.log)
	}
	s.awaitStore("degraded")
	if err := syscall.Mount("none", dir, "", syscall.MS_REMOUNT, ""); err != nil {
		t.Fatal(err)
	}
	s.awaitStore("disk")
	s.end()
}

// A program that ends while the disk cannot be written says what is lost, and ends with another code than 0.
func TestSaysWhatIsLost(t *testing.T) {
	if !inside(t) {
		return
	}
	dir := disk(t)
	s := serve(t, "API_KEY=secret", "TRYSAIL_DATA_DIR="+dir)
	s.awaitStore("disk")
	if err := syscall.Mount("none", dir, "tmpfs", syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Unmount(dir, 0) }()
	var done json.RawMessage
	s.ask("POST", "/config/reload", `{"custom_config":{"retry_attempts":7}}`, &done)
	s.awaitStore("degraded")
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.log.await(t, "rows held in memory are lost") // first: Wait leaves unread what is in the pipe
	err := s.cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("it ended with %v, want exit code 1", err)
	}
}
