package store_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/trysail-go/trysail/monitor"
	"github.com/trysail-go/trysail/server/store"
)

// The test binary started with these in its environment is a child that works in a directory.
const childEnv, childDir = "TRYSAIL_STORE_CHILD", "TRYSAIL_STORE_DIR"

// child is what the children of the tests do.
func child(do, dir string) int {
	s, err := store.Open(context.Background(), store.Config{Dir: dir, PruneEvery: 5 * time.Millisecond, FlushEvery: time.Millisecond})
	if err != nil {
		fmt.Println("error", err)
		return 1
	}
	switch do {
	case "write":
		return childWrite(s)
	case "hold": // the file, until it is killed or its input ends
		fmt.Println("open")
		_, _ = io.Copy(io.Discard, os.Stdin)
		return 0
	}
	fmt.Println("error unknown work", do)
	return 1
}

// childWrite stores without end, and says what was acknowledged.
func childWrite(s *store.Store) int {
	said := make(chan string)
	for worker := range 2 {
		go func() {
			for i := 0; ; i++ {
				name := fmt.Sprintf("%d-%d-%d", os.Getpid(), worker, i)
				if _, err := s.Audit(context.Background(), store.Entry{Who: "child", What: "write", Target: name}); err != nil {
					said <- "error " + err.Error()
				}
				said <- "audit " + name
			}
		}()
	}
	go func() {
		_, _, err := s.Newest(context.Background(), 1, 1)
		if err != nil {
			said <- "error " + err.Error()
		}
		for first := 1; ; first += 20 {
			b := monitor.Batch{Events: events(first, first+19)}
			for i := range b.Events {
				b.Events[i].Session = fmt.Sprintf("%d-%d", os.Getpid(), b.Events[i].Seq)
			}
			if err := s.Save(context.Background(), b); err != nil {
				said <- "error " + err.Error()
			}
			said <- fmt.Sprintf("events %d-%d", os.Getpid(), first+19)
		}
	}()
	for line := range said {
		if _, err := fmt.Println(line); err != nil {
			return 1
		}
	}
	return 0
}

// start starts a child, which the test ends by the function returned: it kills the child, waits for it, and returns what it has said
// since.
func start(t *testing.T, do, dir string) (said *bufio.Scanner, kill func() []string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childEnv+"="+do, childDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said = bufio.NewScanner(out)
	return said, func() (rest []string) {
		_ = cmd.Process.Kill() // SIGKILL: it cannot do anything more
		for said.Scan() {
			rest = append(rest, said.Text())
		}
		_ = cmd.Wait() // says that it was killed
		_ = in.Close()
		return rest
	}
}

// A process is killed in the middle of writing, again and again. Whatever it said was stored is there.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	acknowledged := map[string]int{} // and in which round
	for round, lines := range []int{0, 1, 2, 3, 7, 20, 45, 46, 90, 200} {
		said, kill := start(t, "write", dir)
		var all []string
		for len(all) < lines && said.Scan() {
			all = append(all, said.Text())
		}
		all = append(all, kill()...)
		if len(all) < lines {
			t.Fatalf("round %d: the child said %q and ended, want %d lines", round, all, lines)
		}
		for _, line := range all[:max(len(all)-1, 0)] { // the last may be torn
			if strings.HasPrefix(line, "error") {
				t.Fatalf("round %d: the child said %q", round, line)
			}
			acknowledged[line] = round
		}
	}
	s := open(t, store.Config{Dir: dir})
	if h := s.Health(); h.Degraded || h.SetAside != "" {
		t.Errorf("Health() = %+v, want a sound file", h)
	}
	there := map[string]bool{}
	for q := (store.AuditQuery{}); ; {
		page := auditLog(t, s, q)
		for _, e := range page {
			there["audit "+e.Target] = true
			q.Before = e.ID
		}
		if len(page) < store.MaxLimit {
			break
		}
	}
	stored, _ := newest(t, s)
	for _, e := range stored {
		there["events "+e.Session] = true
	}
	for line, round := range acknowledged {
		if !there[line] {
			t.Errorf("round %d: %q was acknowledged and is lost", round, line)
		}
	}
	if len(acknowledged) < 400 {
		t.Errorf("%d rows were acknowledged, want some hundreds: the test proves little", len(acknowledged))
	}
	shut(t, s)
	same(t, "integrity", query(t, dir, "PRAGMA integrity_check"), "ok")
	t.Logf("%d acknowledged, %d entries and events stored", len(acknowledged), len(there))
}

// One process at a time has the file, and a dead one has it no more.
func TestOnlyOneProcess(t *testing.T) {
	dir := t.TempDir()
	said, kill := start(t, "hold", dir)
	if !said.Scan() || said.Text() != "open" {
		t.Fatalf("the child said %q, want open", said.Text())
	}
	_, err := store.Open(t.Context(), store.Config{Dir: dir})
	wantInUse(t, "the file of another process", dir, err)
	kill()
	open(t, store.Config{Dir: dir})
	_, err = store.Open(t.Context(), store.Config{Dir: dir})
	wantInUse(t, "a file that this process has open", dir, err)
}
