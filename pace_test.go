package trysail_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

// However the amounts are cut, at once there is no more than a burst.
func TestBurstHoldsABurst(t *testing.T) {
	for _, rate := range []float64{1e-6, 3, 7e5, 1e6 - 1, 9.9e6, 3e8, 7e8, 1e9} {
		for _, part := range []float64{0.49, 0.1, 0.01} {
			synctest.Test(t, func(t *testing.T) {
				l := newLimiter(t, trysail.LimiterConfig{Rate: rate})
				burst := l.Snapshot().Burst
				taken := 0.0
				for _, n := range []float64{part * burst, part * burst / 10, part * burst / 100} {
					for l.Allow(n) {
						taken += n
					}
				}
				if taken > burst+max(burst/1000, rate/1e5)*(1+1e-9) || rate < 1e5 && taken < 0.99*burst {
					t.Errorf("at %v a second, %v at a time: %v units at once, want the burst of %v", rate, part, taken, burst)
				}
			})
		}
	}
}

// A long row of units takes as long as the rate says: each its time, rounded up to a nanosecond.
func TestLimiterDoesNotDrift(t *testing.T) {
	for rate, each := range map[float64]time.Duration{3: 333_333_334, 0.7: 1_428_571_429, 1e-6: 1e15, 1e9: 1, 1e6: 1000} {
		bubble(t, fmt.Sprint(rate), func(t *testing.T) {
			l := newLimiter(t, trysail.LimiterConfig{Rate: rate, Burst: 1})
			start, want, n := time.Now(), time.Duration(0), min(1e5, 1e17/each.Nanoseconds())
			for i := range n {
				if i > 0 { // the first is free
					want += each
				}
				time.Sleep(l.Until())
				if !l.Allow(1) {
					t.Fatal("a unit is refused after the wait for it")
				}
			}
			if took := time.Since(start); took != want {
				t.Errorf("%d units took %v, want %v", n, took, want)
			}
		})
	}
}
