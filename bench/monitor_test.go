package bench_test

import (
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/monitor"
)

// BenchmarkRecord measures what recording an event costs whoever does it, filing and rules included: without metadata, with two
// fields in a map, and as the observer of a call.
func BenchmarkRecord(b *testing.B) {
	subject := monitor.Subject{Preset: "production", Operation: "load_preset"}
	with := subject
	with.Metadata = map[string]any{"batch_size": 100, "processing_time_ms": 1500}
	call := trysail.Event{Kind: trysail.EventCall, Operation: "chat", Attempt: 1, Took: 12_345 * time.Microsecond}
	for _, row := range []struct {
		name   string
		record func(*monitor.Collector)
	}{
		{"trysail", func(c *monitor.Collector) { c.RecordPresetUsage(subject) }},
		{"with-a-map", func(c *monitor.Collector) { c.RecordPresetUsage(with) }},
		{"observed-call", func(c *monitor.Collector) { c.Observe(call) }},
	} {
		b.Run(row.name, func(b *testing.B) {
			c := newCollector(b, 0)
			measureCPU(b, func() { row.record(c) })
			n := c.Counts()
			verify(b, "events recorded and none dropped", int(n.Recorded)-int(n.Dropped), b.N)
		})
	}
}

// exported is how many events BenchmarkExport writes.
const exported = 1_000_000

// BenchmarkExport measures an export of all events to nowhere.
func BenchmarkExport(b *testing.B) {
	b.Run("trysail", func(b *testing.B) {
		c := newCollector(b, exported)
		for i := range exported {
			c.RecordConfigLoad(monitor.Subject{Preset: "production", Session: "session-1"}, time.Duration(i%90)*time.Millisecond)
		}
		written := 0
		measureCPU(b, func() {
			done, err := c.Export(context.Background(), io.Discard, monitor.JSON, 0)
			if err == nil {
				written += done.Events
			}
		})
		verify(b, "events exported", written, b.N*exported)
	})
}

func newCollector(b *testing.B, events int) *monitor.Collector {
	b.Helper()
	c, err := monitor.New(monitor.Config{MaxEvents: events})
	if err != nil {
		b.Fatal(err)
	}
	return c
}

// BenchmarkHealth measures the question how many breakers of a thousand operations are open: none.
func BenchmarkHealth(b *testing.B) {
	b.Run("trysail", func(b *testing.B) {
		const operations = 1000
		orc, err := trysail.New(trysail.Config{})
		if err != nil {
			b.Fatal(err)
		}
		for i := range operations {
			orc.Operation(fmt.Sprintf("operation-%d", i))
		}
		healthy := 0
		measureCPU(b, func() {
			if h := orc.Health(); h.Healthy && h.Breakers == operations {
				healthy++
			}
		})
		verify(b, "healthy answers", healthy, b.N)
	})
}
