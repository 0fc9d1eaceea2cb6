package configfile_test

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/trysail-go/trysail/server/configfile"
)

// A file that somebody has open for writing is not read, however long it takes him.
func TestWatchWaitsForTheWriter(t *testing.T) {
	w := watch(t, newFile(t), false, false)
	f, err := os.OpenFile(w.path, os.O_WRONLY|os.O_TRUNC, 0)
	must(t, err)
	_, err = f.WriteString("good: half") // good YAML, and not what the writer means
	must(t, err)
	select {
	case err := <-w.writing:
		if !strings.Contains(err.Error(), "what was in force is still: somebody has it open for writing") {
			t.Errorf("alert %v", err)
		}
	case got := <-w.applied:
		t.Fatalf("applied %q while it was being written", got)
	case <-time.After(20 * time.Second):
		t.Fatal("no alert about the writer")
	}
	_, err = f.WriteString("-full")
	must(t, err)
	must(t, f.Close())
	w.next("good: half-full")
	w.quiet()
}

func TestWatchRefusesWhatCouldBlock(t *testing.T) {
	path := newFile(t)
	w := watch(t, path, false, false)
	must(t, os.Remove(path))
	must(t, syscall.Mkfifo(path, 0o600))
	for got := ""; !strings.Contains(got, "it is a special file"); {
		select {
		case got = <-w.alerts:
		case <-time.After(20 * time.Second):
			t.Fatal("no alert about the pipe")
		}
	}
	if _, err := configfile.Read(path, nil); err == nil || !strings.Contains(err.Error(), "want a regular file") {
		t.Errorf("Read(a pipe) = %v", err)
	}
}
