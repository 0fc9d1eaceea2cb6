package trysail_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

// The next calls after a refusal get the same error in a short way. It must not be open a
// moment longer than what it rests on.
func TestR10TheShortWayToARefusalEnds(t *testing.T) {
	apply := func(policy trysail.Policy) func(*testing.T, *trysail.Orchestrator) {
		return func(t *testing.T, orc *trysail.Orchestrator) {
			if _, err := orc.Apply(trysail.Config{Default: policy}); err != nil {
				t.Fatal(err)
			}
		}
	}
	unguarded := once()
	unguarded.Breaker = trysail.BreakerPolicy{Disabled: true}
	of := func(orc *trysail.Orchestrator) *trysail.Breaker { return orc.Operation("op").Breaker() }
	for name, tc := range map[string]struct {
		change func(*testing.T, *trysail.Orchestrator)
		want   error // of the next call
	}{
		"the breaker is gone": {apply(unguarded), nil},
		"reset":               {func(_ *testing.T, orc *trysail.Orchestrator) { of(orc).Reset("") }, nil},
		"disabled":            {func(_ *testing.T, orc *trysail.Orchestrator) { of(orc).Disable(trysail.Override{}) }, nil},
		"nothing":             {func(*testing.T, *trysail.Orchestrator) {}, trysail.ErrOpen},
	} {
		bubble(t, name, func(t *testing.T) {
			orc := newOrchestrator(t, trysail.Config{Default: once()})
			op := orc.Operation("op")
			trip(t, op)
			for range 3 {
				_, _ = refusal(t, op)
			}
			tc.change(t, orc)
			if err := call(t, op, nil); !errors.Is(err, tc.want) {
				t.Errorf("the next call = %v, want %v", err, tc.want)
			}
		})
	}
}

// The short way has the same edges as the long one: the end of the open time to the nanosecond,
// and a caller who has left is not told of the breaker.
func TestR10TheShortWayToARefusalIsExact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, once())
		trip(t, op)
		time.Sleep(time.Minute - time.Millisecond) // the recovery timeout is a minute
		for range 3 {
			_, _ = refusal(t, op)
		}
		time.Sleep(time.Millisecond - 1)
		_, _ = refusal(t, op)

		gone, leave := context.WithCancel(t.Context())
		leave()
		if _, err := trysail.Do(gone, op, succeeds); !errors.Is(err, context.Canceled) {
			t.Errorf("Do() of a caller who has left = %v, want context.Canceled", err)
		}
		if m := op.Metrics(); m.Rejected != 4 || m.Canceled != 1 {
			t.Errorf("rejected %d, canceled %d; want 4 and 1", m.Rejected, m.Canceled)
		}
		time.Sleep(time.Nanosecond)
		if err := call(t, op, nil); err != nil {
			t.Errorf("the call at the end of the open time = %v, want a probe that succeeds", err)
		}
	})
}
