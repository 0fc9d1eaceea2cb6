package trysail_test

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

// Nobody waits at limiter or bulkhead to be refused by a breaker that is open already.
func TestNobodyWaitsForAnOpenBreaker(t *testing.T) {
	limiter := trysail.LimiterPolicy{Rate: 0.01, Burst: 1, MaxWait: time.Hour}
	bulkhead := trysail.BulkheadPolicy{MaxConcurrent: 1, MaxQueue: 10, MaxWait: time.Hour}
	none := time.Duration(-1)
	for name, tc := range map[string]struct {
		policy trysail.Policy
		open   func(t *testing.T, op *trysail.Operation)
		waits  time.Duration // none: it is refused at once
	}{
		"limiter, open":               {gated(limiter, trysail.BulkheadPolicy{}), opens, none},
		"limiter, open for a few":     {sparing(gated(limiter, trysail.BulkheadPolicy{})), opens, 100 * time.Second},
		"bulkhead, open for a few":    {sparing(gated(trysail.LimiterPolicy{}, bulkhead)), opens, 100 * time.Second},
		"both, forced open for a few": {sparing(gated(limiter, bulkhead)), forces, none},
		"limiter, forced open":        {gated(limiter, trysail.BulkheadPolicy{}), forces, none},
		"limiter, half-open":          {gated(limiter, trysail.BulkheadPolicy{}), halves, 99 * time.Second},
		"limiter, closed":             {gated(limiter, trysail.BulkheadPolicy{}), nothing, 100 * time.Second},
		"bulkhead, open":              {gated(trysail.LimiterPolicy{}, bulkhead), opens, none},
		"bulkhead, forced open":       {gated(trysail.LimiterPolicy{}, bulkhead), forces, none},
		"bulkhead, half-open":         {gated(trysail.LimiterPolicy{}, bulkhead), halves, 99 * time.Second},
		"bulkhead, closed":            {gated(trysail.LimiterPolicy{}, bulkhead), nothing, 100 * time.Second},
		"bulkhead, no breaker":        {gated(trysail.LimiterPolicy{}, bulkhead), nil, 100 * time.Second},
		"both, open":                  {gated(limiter, bulkhead), opens, none},
		"a limit without a wait":      {gated(trysail.LimiterPolicy{Rate: 0.01}, trysail.BulkheadPolicy{MaxConcurrent: 1}), opens, none},
	} {
		bubble(t, name, func(t *testing.T) {
			tc.policy.Breaker.Disabled = tc.open == nil
			op, r := listening(t, tc.policy)
			var first sync.WaitGroup
			first.Go(func() { _ = lasting(t, op, 100*time.Second, nil) }) // has the only turn and the only place
			defer first.Wait()
			synctest.Wait()
			if tc.open != nil {
				tc.open(t, op)
			}
			before, told := op.Metrics(), len(r.heard())
			start := time.Now()
			err := call(t, op, nil)
			took, m := time.Since(start), op.Metrics()
			heard := r.heard()[told:]
			if tc.waits != none {
				if err != nil || took != tc.waits || m.Rejected != before.Rejected {
					t.Errorf("Do() = %v after %v with %+v, want it made after %v", err, took, m, tc.waits)
				}
				return
			}
			if !errors.Is(err, trysail.ErrOpen) || took != 0 || m.Rejected != before.Rejected+1 || m.Limited+m.Full != 0 || m.Calls != m.Succeeded+m.Failed {
				t.Errorf("Do() = %v after %v with %+v, want a refusal by the breaker at once", err, took, m)
			}
			if len(heard) != 1 || heard[0].Kind != trysail.EventCall || !errors.Is(heard[0].Err, trysail.ErrOpen) || heard[0].Attempt != 0 {
				t.Errorf("heard %+v, want the refusal", heard)
			}
		})
	}
}

// sparing has the breaker refuse one call of a billion.
func sparing(p trysail.Policy) trysail.Policy {
	p.Breaker.Enforce = 1e-9
	return p
}

func opens(_ *testing.T, op *trysail.Operation) {
	op.Breaker().OpenUntil(time.Now().Add(time.Hour), "test")
}

func forces(_ *testing.T, op *trysail.Operation) { op.Breaker().ForceOpen(trysail.Override{}) }

func halves(t *testing.T, op *trysail.Operation) { probing(t, op) }

// A call that got its turn at the limiter gives it back when the breaker refuses it at the bulkhead.
func TestRefusalAtTheBulkheadUsesNoRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, gated(trysail.LimiterPolicy{Rate: 0.01, Burst: 3, MaxWait: time.Hour}, trysail.BulkheadPolicy{MaxConcurrent: 1, MaxQueue: 10}))
		h := hold(t, op)
		forces(t, op)
		for range 5 {
			if err := call(t, op, nil); !errors.Is(err, trysail.ErrOpen) {
				t.Errorf("Do() = %v, want %v", err, trysail.ErrOpen)
			}
		}
		l, _ := op.Limiter()
		b, _ := op.Bulkhead()
		if l.Available < 1.999 || l.Available > 2.001 || b.Running != 1 || b.Waits != 0 {
			t.Errorf("Limiter() = %+v, Bulkhead() = %+v; want two turns left, and nobody who waited", l, b)
		}
		_ = h.end(nil)
	})
}

// Those who wait when the breaker opens leave together, at the turn of the first.
func TestWaitersLeaveAnOpenBreakerTogether(t *testing.T) {
	for name, tc := range map[string]struct {
		policy trysail.Policy
		at     time.Duration
	}{
		"the limiter's":                         {gated(trysail.LimiterPolicy{Rate: 0.1, Burst: 1, MaxWait: time.Hour}, trysail.BulkheadPolicy{}), 10 * time.Second},
		"the bulkhead's":                        {gated(trysail.LimiterPolicy{}, trysail.BulkheadPolicy{MaxConcurrent: 1, MaxQueue: 10, MaxWait: time.Hour}), 100 * time.Second},
		"the limiter's, before a full bulkhead": {gated(trysail.LimiterPolicy{Rate: 0.1, Burst: 1, MaxWait: time.Hour}, trysail.BulkheadPolicy{MaxConcurrent: 1, MaxQueue: 10, MaxWait: time.Hour}), 10 * time.Second},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, tc.policy)
			start := time.Now()
			var all sync.WaitGroup
			all.Go(func() { _ = lasting(t, op, 100*time.Second, nil) })
			synctest.Wait()
			for range 5 {
				all.Go(func() {
					if err := call(t, op, nil); !errors.Is(err, trysail.ErrOpen) || time.Since(start) != tc.at {
						t.Errorf("Do() = %v after %v, want %v after %v", err, time.Since(start), trysail.ErrOpen, tc.at)
					}
				})
			}
			time.Sleep(time.Second)
			forces(t, op)
			all.Wait()
			if m := op.Metrics(); m.Rejected != 5 || m.Limited+m.Full != 0 {
				t.Errorf("Metrics() = %+v, want five refusals by the breaker", m)
			}
		})
	}
}
