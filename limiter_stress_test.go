package trysail_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

// While time stands still nothing comes free, so that the account must come out to the
// last unit, however the goroutines went.
func TestStressLimiterAccountsComeOut(t *testing.T) {
	const callers, calls, burst = 16, 1000, 1_000_000
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(t, trysail.LimiterConfig{Rate: 1000, Burst: burst, MaxWait: time.Hour})
		var used atomic.Int64
		var all sync.WaitGroup
		for seed := range uint64(callers) {
			all.Go(func() {
				r := rand.New(rand.NewPCG(seed, 2))
				for range calls {
					n := r.Int64N(50)
					switch r.IntN(4) {
					case 0:
						if l.Allow(float64(n)) {
							used.Add(n)
						}
					case 1:
						ctx, cancel := context.WithCancel(t.Context())
						cancel()
						_ = l.Wait(ctx, float64(n))
					default:
						reserved, err := l.Reserve(float64(n))
						if err != nil {
							break
						}
						actual := r.Int64N(60)
						var twice sync.WaitGroup
						twice.Go(func() { reserved.Settle(float64(actual)) })
						twice.Go(func() { reserved.Settle(float64(actual)) })
						twice.Wait()
						used.Add(actual)
					}
				}
			})
		}
		all.Wait()
		s := l.Snapshot()
		if want := float64(burst - used.Load()); s.Available != want || s.Open != 0 || s.Waiting != 0 || s.Misuses == 0 {
			t.Errorf("Snapshot() = %+v, want %v available, nothing open, nobody waiting, and misuses", s, want)
		}
	})
}

// Callers who wait, leave, settle and penalize at the same instants: what was used is
// never more than the burst and what the time brought, and in the end the bucket is full.
func TestStressLimiterKeepsItsBound(t *testing.T) {
	const callers, calls, rate, burst = 24, 60, 20, 100
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			l, start := newLimiter(t, trysail.LimiterConfig{Rate: rate, Burst: burst, MaxWait: time.Minute}), time.Now()
			var mu sync.Mutex
			used := 0.0
			use := func(n float64) {
				mu.Lock()
				defer mu.Unlock()
				used += n
				if most := burst + rate*time.Since(start).Seconds(); used > most+1e-6 {
					t.Errorf("seed %d: used and reserved = %v after %v, want at most %v", seed, used, time.Since(start), most)
				}
			}
			var all sync.WaitGroup
			for i := range callers {
				all.Go(func() {
					r := rand.New(rand.NewPCG(seed, uint64(i)))
					for range calls {
						n := float64(r.IntN(burst / 4))
						ctx, cancel := context.WithCancel(t.Context())
						timer := time.AfterFunc(time.Second*time.Duration(r.IntN(20)), cancel)
						switch r.IntN(4) {
						case 0:
							if r, err := l.Reserve(n); err == nil {
								use(n)
								time.Sleep(time.Second)
								use(-n / 2) // before it is there for others
								r.Settle(n / 2)
							}
						case 1:
							l.Penalize(time.Now().Add(time.Second * time.Duration(r.IntN(3))))
							time.Sleep(time.Second)
						default:
							if l.Wait(ctx, n) == nil {
								use(n)
							}
						}
						timer.Stop()
						cancel()
					}
				})
			}
			all.Wait()
			time.Sleep(time.Minute)
			if s := l.Snapshot(); s.Available != burst || s.Waiting != 0 || s.Open != 0 {
				t.Errorf("seed %d: Snapshot() = %+v, want a full bucket, nobody waiting and nothing open", seed, s)
			}
		})
	}
}
