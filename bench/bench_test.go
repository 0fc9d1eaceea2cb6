package bench_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
)

var errDown = errors.New("dependency is down")

// BenchmarkClosed measures a call that succeeds.
func BenchmarkClosed(b *testing.B) {
	for _, s := range stacks() {
		b.Run(s.name, func(b *testing.B) {
			dep := &scripted{}
			sum := loop(b, s.prepare(b, dep.dependency()))
			verify(b, "sum of the results", sum, b.N)
			verify(b, "attempts", dep.calls, b.N)
		})
	}
}

// BenchmarkRetry1 measures a call whose first attempt fails and whose second
// succeeds, with no wait between them.
func BenchmarkRetry1(b *testing.B) {
	for _, s := range append(stacks(), untimed()) {
		if !s.retries {
			continue
		}
		b.Run(s.name, func(b *testing.B) {
			dep := &scripted{failures: 1, repeat: true}
			sum := loop(b, s.prepare(b, dep.dependency()))
			verify(b, "sum of the results", sum, b.N)
			verify(b, "attempts", dep.calls, 2*b.N)
		})
	}
}

// BenchmarkOpen measures a refusal. A run of over a minute fails, because the
// breaker is not open for longer.
func BenchmarkOpen(b *testing.B) {
	for _, s := range stacks() {
		b.Run(s.name, func(b *testing.B) {
			dep := &scripted{failures: threshold * attempts}
			call := s.prepare(b, dep.dependency())
			for range threshold {
				_, _ = call() // the failures that open the breaker
			}
			made, refused := dep.calls, 0
			var last error
			b.ReportAllocs()
			for b.Loop() {
				if _, err := call(); err != nil {
					refused++
					last = err
				}
			}
			verify(b, "refusals", refused, b.N)
			verify(b, "attempts", dep.calls-made, 0)
			if !errors.Is(last, s.refusal) {
				b.Fatalf("last refusal is %v, want %v", last, s.refusal)
			}
		})
	}
}

// BenchmarkParallel measures a call that succeeds, made through one breaker by
// as many goroutines as there are processors.
func BenchmarkParallel(b *testing.B) {
	for _, s := range stacks() {
		b.Run(s.name, func(b *testing.B) {
			call := s.prepare(b, dependency{plain: one, cancellable: oneCancellable})
			verify(b, "sum of the results", loopParallel(b, call), b.N)
		})
	}
}

// loop measures call and returns the sum of its results. Calling through a
// variable costs every stack the same one to two nanoseconds.
func loop(b *testing.B, call func() (int, error)) (sum int) {
	b.ReportAllocs()
	for b.Loop() {
		value, err := call()
		if err != nil {
			b.Fatal(err)
		}
		sum += value
	}
	return sum
}

// loopParallel is loop on as many goroutines as there are processors. A call that fails adds nothing
// to the sum.
func loopParallel(b *testing.B, call func() (int, error)) int {
	var total atomic.Int64
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		sum := 0
		for pb.Next() {
			if value, err := call(); err == nil {
				sum += value
			}
		}
		total.Add(int64(sum))
	})
	return int(total.Load())
}

// verify fails a benchmark that did not do its work: what skips it must not
// look fast.
func verify(b *testing.B, what string, got, want int) {
	b.Helper()
	if got != want {
		b.Fatalf("%s: %d, want %d", what, got, want)
	}
}

// scripted is a dependency that fails a number of times and then answers 1. It
// is for one goroutine.
type scripted struct {
	failures int
	repeat   bool // whether the script begins again after each answer
	calls    int
	failed   int
}

func (s *scripted) answer() (int, error) {
	s.calls++
	if s.failed < s.failures {
		s.failed++
		return 0, errDown
	}
	if s.repeat {
		s.failed = 0
	}
	return 1, nil
}

func (s *scripted) dependency() dependency {
	return dependency{
		plain:       func() (int, error) { return s.answer() },
		cancellable: func(context.Context) (int, error) { return s.answer() },
	}
}

func one() (int, error) { return 1, nil }

func oneCancellable(context.Context) (int, error) { return 1, nil }
