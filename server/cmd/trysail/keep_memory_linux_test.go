package main

import (
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/trysail-go/trysail/monitor"
)

// resident is how much memory the process has, in bytes.
func resident(t *testing.T) int {
	t.Helper()
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

// Without a data directory events go the same way as with one, the newest few of them stay, and memory does not grow with how many come.
func TestEventsInMemory(t *testing.T) {
	k, log, shut := keeping(t, "")
	defer shut()
	m, err := monitor.New(remembered())
	if err != nil {
		t.Fatal(err)
	}
	k.restore(t.Context(), m)
	k.persist(m)
	subject := monitor.Subject{Preset: "simple", Operation: "load", Session: "s-1", User: "ann", Metadata: map[string]any{"note": strings.Repeat("x", 200)}}
	record := func(n int) {
		t.Helper()
		for range n {
			m.RecordConfigLoad(subject, time.Millisecond)
		}
		patience := time.Now().Add(time.Minute)
		for tick := time.Tick(5 * time.Millisecond); ; <-tick { // until all is stored
			kept, _, err := k.store.Newest(t.Context(), 1_000_000, 0)
			if n := len(kept); err != nil || n > 100+1000 {
				t.Fatalf("%d events are in the store, %v, want at most 100 and what comes until it is pruned", n, err)
			} else if n > 0 && kept[n-1].Seq == m.Newest() {
				return
			}
			if time.Now().After(patience) {
				t.Fatalf("the store has %d events, but not the newest", len(kept))
			}
		}
	}
	record(20_000) // what is bounded is full then
	before := resident(t)
	for range 4 {
		record(10_000)
	}
	if grown := resident(t) - before; grown > 16<<20 {
		t.Errorf("memory has grown by %d bytes with 40,000 events, want next to nothing", grown)
	}
	if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "end with the program") {
		t.Errorf("the log says %s, want only that nothing outlives the program", text)
	}
}
