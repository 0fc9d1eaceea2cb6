package trysailtest_test

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/trysailtest"
)

// A dependency that takes a call every five seconds gets twice as many, as the factor says, and not
// the one a second that is wanted.
func TestKitOnThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := once()
		policy.Breaker.Disabled = true
		policy.Throttle = trysail.ThrottlePolicy{Factor: 2}
		op, recorder := trysailtest.Operation(t, policy)
		const seconds = 2000
		capacity := 0.0
		for range seconds {
			capacity = min(capacity+0.2, 10)
			script := "503"
			if capacity >= 1 {
				script = "ok"
			}
			switch call := trysailtest.Run(t, op, script); {
			case call.Attempts == 0:
				call.Want(t, "not called in 0s: throttled")
			case call.Err == nil:
				capacity--
			}
			time.Sleep(time.Second)
		}
		dropped := 0
		for _, e := range recorder.Events(trysail.EventCall) {
			if errors.Is(e.Err, trysail.ErrThrottled) {
				dropped++
			}
		}
		s, _ := op.Throttle()
		if dropped < seconds/2 || dropped > seconds*3/4 || uint64(dropped) != s.Dropped {
			t.Errorf("%d of %d calls were dropped, %d by its own count; want some 60 %%", dropped, seconds, s.Dropped)
		}
	})
}

func TestKitOnBulkhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := once()
		policy.Bulkhead = trysail.BulkheadPolicy{MaxConcurrent: 1, MaxQueue: 2, MaxWait: 15 * time.Second}
		op, _ := trysailtest.Operation(t, policy)
		wantCalls(t, together(t, op, 4, "ok after 10s"),
			"ok after 1 attempt in 10s",
			"ok after 1 attempt in 20s",
			"not called in 15s: bulkhead is full",
			"not called in 0s: bulkhead is full")
	})
}

func TestKitOnQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := once()
		policy.Bulkhead = trysail.BulkheadPolicy{MaxConcurrent: 1, MaxQueue: 2, MaxWait: time.Minute}
		op, recorder := trysailtest.Operation(t, policy)
		together(t, op, 4, "ok after 10s")
		recorder.Want(t, `
			 0s  call not made: bulkhead is full: 1 of 1 places taken, 2 of 2 waiting
			10s  call ok after 1 attempt in 10s
			20s  call ok after 1 attempt in 10s, after waiting 10s for a place
			30s  call ok after 1 attempt in 10s, after waiting 20s for a place
		`)
	})
}

// A bulkhead bounds the attempts at a dependency that many callers share.
func TestKitOnConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := once()
		policy.Bulkhead = trysail.BulkheadPolicy{MaxConcurrent: 3, MaxQueue: 20, MaxWait: time.Hour}
		op, _ := trysailtest.Operation(t, policy)
		model := trysailtest.NewDependency(t, "text", "ok after 10s")
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() { _, _ = trysail.Do(t.Context(), op, model.Call) })
		}
		all.Wait()
		if model.Peak() != 3 || len(model.Attempts()) != 20 {
			t.Errorf("%d attempts, %d at once; want 20, and 3 at once", len(model.Attempts()), model.Peak())
		}
	})
}

func TestKitOnLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := once()
		policy.Limiter = trysail.LimiterPolicy{Rate: 0.5, Burst: 1, MaxWait: 3 * time.Second}
		op, _ := trysailtest.Operation(t, policy)
		wantCalls(t, together(t, op, 3, "ok"),
			"ok after 1 attempt in 0s",
			"ok after 1 attempt in 2s",
			"not called in 0s: rate limit is reached")
	})
}
