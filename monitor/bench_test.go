package monitor_test

import (
	"context"
	"io"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/monitor"
)

func BenchmarkRecord(b *testing.B) {
	s := monitor.Subject{Preset: "production", Operation: "load_preset"}
	b.Run("usage", func(b *testing.B) {
		c := must(b, monitor.Config{})
		b.ReportAllocs()
		for b.Loop() {
			c.RecordPresetUsage(s)
		}
		report(b, c)
	})
	b.Run("load in a session", func(b *testing.B) {
		c := must(b, monitor.Config{})
		s := s
		s.Session = "session-1"
		b.ReportAllocs()
		for b.Loop() {
			c.RecordConfigLoad(s, 12*time.Millisecond)
		}
		report(b, c)
	})
	b.Run("validation", func(b *testing.B) {
		c := must(b, monitor.Config{})
		b.ReportAllocs()
		for b.Loop() {
			c.RecordValidation(s, true)
		}
		report(b, c)
	})
	b.Run("metadata", func(b *testing.B) {
		c := must(b, monitor.Config{})
		s := s
		s.Metadata = map[string]any{"batch_size": 100, "processing_time_ms": 1500}
		b.ReportAllocs()
		for b.Loop() {
			c.RecordPresetUsage(s)
		}
		report(b, c)
	})
	b.Run("repeated error", func(b *testing.B) {
		c := must(b, monitor.Config{})
		b.ReportAllocs()
		for b.Loop() {
			c.RecordConfigError(s, io.ErrUnexpectedEOF)
		}
		report(b, c)
	})
	for name, e := range engineEvents() {
		b.Run("observe a "+name, func(b *testing.B) {
			c := must(b, monitor.Config{})
			b.ReportAllocs()
			for b.Loop() {
				c.Observe(e)
			}
			report(b, c)
		})
	}
	b.Run("parallel", func(b *testing.B) {
		c := must(b, monitor.Config{})
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				c.RecordPresetUsage(s)
			}
		})
		report(b, c)
	})
	b.Run("clock alone", func(b *testing.B) {
		base, sum := time.Now(), time.Duration(0)
		for b.Loop() {
			sum += time.Since(base)
		}
		runtime.KeepAlive(sum)
	})
}

// engineEvents are what the engine reports with calls.
func engineEvents() map[string]trysail.Event {
	return map[string]trysail.Event{
		"call":        {Kind: trysail.EventCall, Operation: "chat", Attempt: 1, Took: 12_345 * time.Microsecond},
		"failed call": {Kind: trysail.EventCall, Operation: "chat", Attempt: 3, Took: 12_345 * time.Microsecond, Err: io.ErrUnexpectedEOF},
		"retry":       {Kind: trysail.EventRetry, Operation: "chat", Attempt: 2, Wait: 250 * time.Millisecond, Err: io.ErrUnexpectedEOF},
	}
}

// report says how many of the recorded events were dropped.
func report(b *testing.B, c *monitor.Collector) {
	b.Helper()
	n := c.Counts()
	b.ReportMetric(float64(n.Dropped)/float64(n.Recorded+n.Dropped), "dropped/op")
}

func BenchmarkStatistics(b *testing.B) {
	c := filled(b, 10_000)
	for b.Loop() {
		if s := c.Statistics(0); s.Loads == 0 {
			b.Fatal("Statistics() has no loads")
		}
	}
}

func BenchmarkPerformance(b *testing.B) {
	c := filled(b, 10_000)
	for b.Loop() {
		if p := c.Performance(0); p.Samples == 0 {
			b.Fatal("Performance() has no samples")
		}
	}
}

func BenchmarkExport(b *testing.B) {
	const events = 1_000_000
	c := filled(b, events)
	for _, f := range []monitor.Format{monitor.JSON, monitor.CSV, monitor.NDJSON} {
		b.Run(string(f), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				done, err := c.Export(context.Background(), io.Discard, f, 0)
				if err != nil || done.Events != events {
					b.Fatalf("Export() = %+v, %v; want %d events", done, err, events)
				}
			}
			b.ReportMetric(events*float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

func filled(b *testing.B, n int) *monitor.Collector {
	b.Helper()
	c := must(b, monitor.Config{MaxEvents: n})
	for i := range n {
		s := monitor.Subject{Preset: []string{"simple", "development", "production"}[i%3], Operation: "load_preset", Session: "session-1"}
		if i%2 == 0 {
			c.RecordConfigLoad(s, time.Duration(i%90)*time.Millisecond)
		} else {
			s.Metadata = map[string]any{"config_type": "custom"}
			c.RecordPresetUsage(s)
		}
	}
	return c
}

// BenchmarkRecordUnderReaders records 50,000 events a second while somebody asks for everything without a pause. Of
// interest is what is dropped.
func BenchmarkRecordUnderReaders(b *testing.B) {
	c := filled(b, 100_000)
	var group sync.WaitGroup
	done := make(chan struct{})
	group.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				c.Statistics(0)
			}
		}
	})
	s := monitor.Subject{Preset: "production"}
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	start, sent := time.Now(), 0
	for b.Loop() {
		<-ticker.C
		for due := int(time.Since(start).Seconds() * 50_000); sent < due; sent++ {
			c.RecordPresetUsage(s)
		}
	}
	b.ReportMetric(float64(sent)/time.Since(start).Seconds(), "events/s")
	close(done)
	group.Wait()
	report(b, c)
}
