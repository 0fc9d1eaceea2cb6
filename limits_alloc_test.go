package trysail

import (
	"context"
	"testing"
)

// What happens to every call allocates nothing; only a wait or a refusal does.
func TestLimitsAllocateNothing(t *testing.T) {
	ctx := t.Context()
	l, err := NewLimiter(LimiterConfig{Rate: 1e9, Burst: 1e9})
	if err != nil {
		t.Fatal(err)
	}
	b := newBulkhead("op", BulkheadPolicy{MaxConcurrent: 1})
	for name, f := range map[string]func(){
		"Allow":  func() { l.Allow(1) },
		"refuse": func() { l.Allow(2e9) },
		"Wait":   func() { _ = l.Wait(ctx, 1.5) },
		"Reserve and Settle": func() {
			r, _ := l.Reserve(2)
			r.Settle(1)
		},
		"enter and leave": func() {
			_ = b.enter(ctx)
			b.leave()
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := testing.AllocsPerRun(1000, f); got != 0 {
				t.Errorf("allocations = %v, want 0", got)
			}
		})
	}
}

func BenchmarkLimiter(b *testing.B) {
	ctx := context.Background()
	for name, f := range map[string]func(*Limiter){
		"clock":            func(l *Limiter) { _ = l.clock.now() }, // the floor
		"allow":            func(l *Limiter) { l.Allow(1) },
		"allow 1.5":        func(l *Limiter) { l.Allow(1.5) },
		"wait":             func(l *Limiter) { _ = l.Wait(ctx, 1) },
		"reserve, settle":  func(l *Limiter) { r, _ := l.Reserve(2); r.Settle(1) },
		"refuse":           func(l *Limiter) { l.Allow(1e10) },
		"refuse with when": func(l *Limiter) { _, _ = l.Reserve(1e9) },
	} {
		b.Run(name, func(b *testing.B) {
			l, _ := NewLimiter(LimiterConfig{Rate: 1e9, Burst: 1e9})
			b.ReportAllocs()
			for b.Loop() {
				f(l)
			}
		})
		b.Run(name+", parallel", func(b *testing.B) {
			l, _ := NewLimiter(LimiterConfig{Rate: 1e9, Burst: 1e9})
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					f(l)
				}
			})
		})
	}
}

func BenchmarkBulkhead(b *testing.B) {
	ctx := context.Background()
	b.Run("enter and leave", func(b *testing.B) {
		places := newBulkhead("op", BulkheadPolicy{MaxConcurrent: 10})
		b.ReportAllocs()
		for b.Loop() {
			_ = places.enter(ctx)
			places.leave()
		}
	})
	b.Run("parallel", func(b *testing.B) {
		places := newBulkhead("op", BulkheadPolicy{MaxConcurrent: 10})
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				_ = places.enter(ctx)
				places.leave()
			}
		})
	})
	b.Run("full", func(b *testing.B) {
		places := newBulkhead("op", BulkheadPolicy{MaxConcurrent: 1})
		_ = places.enter(ctx)
		b.ReportAllocs()
		for b.Loop() {
			_ = places.enter(ctx)
		}
	})
	b.Run("one waits", func(b *testing.B) {
		places := newBulkhead("op", completed(BulkheadPolicy{MaxConcurrent: 1, MaxQueue: 4}))
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if places.enter(ctx) == nil {
					places.leave()
				}
			}
		})
	})
}
