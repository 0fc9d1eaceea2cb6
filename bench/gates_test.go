package bench_test

import (
	"testing"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/bulkhead"
	"github.com/failsafe-go/failsafe-go/ratelimiter"
	"golang.org/x/time/rate"

	"github.com/trysail-go/trysail"
)

// BenchmarkLimiter measures the question whether a call is within the rate, which it is.
func BenchmarkLimiter(b *testing.B) {
	for _, g := range limiters(unlimited) {
		b.Run(g.name, func(b *testing.B) { verify(b, "admitted", loop(b, g.prepare(b)), b.N) })
	}
}

// BenchmarkLimiterParallel measures the same, asked by as many goroutines as there are processors.
func BenchmarkLimiterParallel(b *testing.B) {
	for _, g := range limiters(unlimited) {
		b.Run(g.name, func(b *testing.B) { verify(b, "admitted", loopParallel(b, g.prepare(b)), b.N) })
	}
}

// BenchmarkBulkhead measures a call that finds a place.
func BenchmarkBulkhead(b *testing.B) {
	for _, g := range bulkheads(places) {
		b.Run(g.name, func(b *testing.B) {
			call := g.prepare(b, dependency{plain: one, cancellable: oneCancellable})
			verify(b, "sum of the results", loop(b, call), b.N)
		})
	}
}

// A limiterGate asks one library's limiter; 1 is a call that is admitted.
type limiterGate struct {
	name    string
	prepare func(testing.TB) func() (int, error)
}

// limiters returns limiters that let so many calls through in a second, and at once.
func limiters(perSecond int) []limiterGate {
	gate := func(allow func() bool) func() (int, error) {
		return func() (int, error) {
			if !allow() {
				return 0, errLimited
			}
			return 1, nil
		}
	}
	return []limiterGate{
		{"trysail", func(tb testing.TB) func() (int, error) {
			limiter, err := trysail.NewLimiter(trysail.LimiterConfig{Rate: float64(perSecond), Burst: float64(perSecond)})
			if err != nil {
				tb.Fatal(err)
			}
			return gate(func() bool { return limiter.Allow(1) })
		}},
		{"x/time/rate", func(testing.TB) func() (int, error) {
			limiter := rate.NewLimiter(rate.Limit(perSecond), perSecond)
			return gate(func() bool { return limiter.Allow() })
		}},
		{"failsafe-go", func(testing.TB) func() (int, error) {
			limiter := ratelimiter.NewBursty[int](uint(perSecond), time.Second)
			return gate(func() bool { return limiter.TryAcquirePermit() })
		}},
	}
}

// A bulkheadGate makes a call under one library's bulkhead.
type bulkheadGate struct {
	name    string
	prepare func(testing.TB, dependency) func() (int, error)
}

// bulkheads returns bulkheads with so many places. The way into trysail's is a whole call, metrics and
// latency included; failsafe-go has that and one by hand.
func bulkheads(size int) []bulkheadGate {
	return []bulkheadGate{
		{"trysail", func(tb testing.TB, d dependency) func() (int, error) {
			orc, err := trysail.New(trysail.Config{Default: trysail.Policy{
				Bulkhead: trysail.BulkheadPolicy{MaxConcurrent: size},
				Breaker:  trysail.BreakerPolicy{Disabled: true},
				Retry:    trysail.RetryPolicy{Disabled: true},
			}})
			if err != nil {
				tb.Fatal(err)
			}
			ctx, op := tb.Context(), orc.Operation("bench")
			return func() (int, error) { return trysail.Do(ctx, op, d.cancellable) }
		}},
		{"channel", func(_ testing.TB, d dependency) func() (int, error) {
			free := make(chan struct{}, size)
			return func() (int, error) {
				select {
				case free <- struct{}{}:
					defer func() { <-free }()
					return d.plain()
				default:
					return 0, errFull
				}
			}
		}},
		{"failsafe-go-permit", func(_ testing.TB, d dependency) func() (int, error) {
			free := bulkhead.New[int](uint(size))
			return func() (int, error) {
				if !free.TryAcquirePermit() {
					return 0, errFull
				}
				defer free.ReleasePermit()
				return d.plain()
			}
		}},
		{"failsafe-go", func(_ testing.TB, d dependency) func() (int, error) {
			executor := failsafe.With[int](bulkhead.New[int](uint(size)))
			return func() (int, error) { return executor.Get(d.plain) }
		}},
	}
}
