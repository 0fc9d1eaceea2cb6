package store_test

import (
	"fmt"
	"testing"

	"github.com/trysail-go/trysail/monitor"
	"github.com/trysail-go/trysail/server/store"
)

// BenchmarkSave stores events as a collector does, in batches of 1,000 and smaller ones.
func BenchmarkSave(b *testing.B) {
	for _, size := range []int{1000, 100, 1} {
		b.Run(fmt.Sprint("batch ", size), func(b *testing.B) {
			s := open(b, store.Config{Dir: b.TempDir(), FlushEvery: 1}) // a lone caller has nobody to wait for
			batch := monitor.Batch{Events: events(1, size)}
			b.ReportAllocs()
			for b.Loop() {
				save(b, s, batch)
				for i := range batch.Events {
					batch.Events[i].Seq += uint64(size)
				}
			}
			b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// BenchmarkAudit stores entries from many goroutines, which share commits.
func BenchmarkAudit(b *testing.B) {
	s := open(b, store.Config{Dir: b.TempDir()})
	b.SetParallelism(50)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.Audit(b.Context(), entry(1)); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}

// BenchmarkStart opens a store of 30,000 events and reads what a collector is restored with.
func BenchmarkStart(b *testing.B) {
	dir := b.TempDir()
	s := open(b, store.Config{Dir: dir})
	for first := 1; first < 30_000; first += 1000 {
		save(b, s, monitor.Batch{Events: events(first, first+999)})
	}
	shut(b, s)
	for b.Loop() {
		s, err := store.Open(b.Context(), store.Config{Dir: dir})
		if err != nil {
			b.Fatal(err)
		}
		found, _, err := s.Newest(b.Context(), 30_000, 1000)
		if err != nil || len(found) != 30_000 {
			b.Fatalf("Newest() = %d events, %v, want 30,000", len(found), err)
		}
		b.StopTimer()
		shut(b, s)
		b.StartTimer()
	}
}
