package trysail

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// together runs f in goroutines that begin at the same time.
func together(n int, seed uint64, f func(r *rand.Rand)) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		all.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(i)))
			<-start
			f(r)
		})
	}
	close(start)
	all.Wait()
}

// Time stands still while goroutines of a bubble run, so that the state is one number.
func TestLimiterIsLinearizable(t *testing.T) {
	for seed := range *linearHistories {
		synctest.Test(t, func(t *testing.T) {
			const burst = 10
			l, err := NewLimiter(LimiterConfig{Rate: 1, Burst: burst})
			if err != nil {
				t.Fatal(err)
			}
			var p tape[int]
			all := crowd{size: 3}
			together(3, seed, func(r *rand.Rand) {
				for range 3 {
					all.meet()
					switch n := r.IntN(8); r.IntN(3) {
					case 0:
						p.record(func() (string, func(int) (int, bool)) { return allowStep(l, n) })
					case 1:
						p.record(func() (string, func(int) (int, bool)) { return untilStep(l) })
					default:
						reserveSteps(&p, l, n, r.IntN(12), burst)
					}
				}
			})
			p.check(t, burst, seed)
		})
		if t.Failed() {
			return
		}
	}
}

func allowStep(l *Limiter, n int) (string, func(int) (int, bool)) {
	ok := l.Allow(float64(n))
	return fmt.Sprintf("Allow(%d) = %v", n, ok), func(level int) (int, bool) {
		if level < n {
			return level, !ok
		}
		return level - n, ok
	}
}

func untilStep(l *Limiter) (string, func(int) (int, bool)) {
	got := l.Until()
	return fmt.Sprintf("Until() = %v", got), func(level int) (int, bool) {
		return level, got == time.Duration(max(0, 1-level))*time.Second
	}
}

// reserveSteps reserves and settles.
func reserveSteps(p *tape[int], l *Limiter, n, used, burst int) {
	var r *Reservation
	p.record(func() (string, func(int) (int, bool)) {
		got, err := l.Reserve(float64(n))
		var e *Error
		if !errors.As(err, &e) {
			r = &got
		}
		return fmt.Sprintf("Reserve(%d) = %v", n, err), func(level int) (int, bool) {
			if level >= n {
				return level - n, e == nil
			}
			return level, e != nil && e.RetryAfter == time.Duration(n-level)*time.Second
		}
	})
	if r == nil {
		return
	}
	p.record(func() (string, func(int) (int, bool)) {
		r.Settle(float64(used))
		return fmt.Sprintf("Settle(%d of %d)", used, n), func(level int) (int, bool) {
			return min(level+n-used, burst), true
		}
	})
}

// bulkheadState is the sequential model of a bulkhead without a queue.
type bulkheadState struct{ running, places int }

func TestBulkheadIsLinearizable(t *testing.T) {
	for seed := range *linearHistories {
		b := newBulkhead("op", BulkheadPolicy{MaxConcurrent: 1}) // for the last place two are enough to race
		var p tape[bulkheadState]
		all := crowd{size: 4}
		together(4, seed, func(r *rand.Rand) {
			for range 3 {
				all.meet()
				switch r.IntN(5) {
				case 0:
					p.record(func() (string, func(bulkheadState) (bulkheadState, bool)) { return runningStep(b) })
				case 1:
					p.record(func() (string, func(bulkheadState) (bulkheadState, bool)) { return placesStep(b, 1+r.IntN(2)) })
				default:
					enterSteps(&p, b)
				}
			}
		})
		p.check(t, bulkheadState{places: 1}, seed)
		if t.Failed() {
			return
		}
	}
}

func runningStep(b *bulkhead) (string, func(bulkheadState) (bulkheadState, bool)) {
	s := b.snapshot()
	return fmt.Sprintf("snapshot() = %+v", s), func(m bulkheadState) (bulkheadState, bool) {
		return m, s.Running == m.running && s.MaxConcurrent == m.places
	}
}

func placesStep(b *bulkhead, places int) (string, func(bulkheadState) (bulkheadState, bool)) {
	b.reconfigure(BulkheadPolicy{MaxConcurrent: places})
	return fmt.Sprintf("reconfigure(%d)", places), func(m bulkheadState) (bulkheadState, bool) {
		m.places = places
		return m, true
	}
}

func enterSteps(p *tape[bulkheadState], b *bulkhead) {
	entered := false
	p.record(func() (string, func(bulkheadState) (bulkheadState, bool)) {
		err := b.enter(context.Background())
		entered = err == nil
		return fmt.Sprintf("enter() = %v", err), func(m bulkheadState) (bulkheadState, bool) {
			if m.running >= m.places {
				return m, err != nil
			}
			m.running++
			return m, err == nil
		}
	})
	if !entered {
		return
	}
	p.record(func() (string, func(bulkheadState) (bulkheadState, bool)) {
		b.leave()
		return "leave()", func(m bulkheadState) (bulkheadState, bool) {
			m.running--
			return m, true
		}
	})
}
