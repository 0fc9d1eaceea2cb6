package trysail_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
)

func TestResetMetrics(t *testing.T) {
	for name, prepare := range map[string]func(*testing.T, *trysail.Operation){
		"of a new operation":       func(*testing.T, *trysail.Operation) {},
		"of one with failures":     func(t *testing.T, op *trysail.Operation) { _ = call(t, op, errDown) },
		"of one that is open":      trips,
		"of one that is half-open": halfOpens,
		"of one that is forced open": func(_ *testing.T, op *trysail.Operation) {
			op.Breaker().ForceOpen(trysail.Override{Reason: "maintenance"})
		},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, once())
			_ = call(t, op, nil)
			_ = call(t, op, context.Canceled)
			prepare(t, op)
			_ = call(t, op, errBadRequest)
			before, decisions, counted := op.Breaker().Snapshot(), len(op.Explain()), op.Metrics()
			if got := op.ResetMetrics(); got != counted {
				t.Errorf("ResetMetrics() = %+v, want what there was: %+v", got, counted)
			}
			if got, want := op.Metrics(), (trysail.OperationMetrics{Operation: "op"}); got != want {
				t.Errorf("Metrics() = %+v, want %+v", got, want)
			}
			if got := op.Breaker().Snapshot(); got != before {
				t.Errorf("the breaker is %+v, want it as before: %+v", got, before)
			}
			if got := len(op.Explain()); got != decisions {
				t.Errorf("%d decisions, want the %d from before", got, decisions)
			}
		})
	}
}

// What is counted afterwards is counted as ever, in every counter that there is.
func TestMetricsAfterAReset(t *testing.T) {
	policy := once()
	policy.Bulkhead.MaxConcurrent = 1
	bubble(t, "twice", func(t *testing.T) {
		op := newOperation(t, policy)
		for range 2 {
			start := time.Now()
			_ = call(t, op, nil)
			_ = call(t, op, errBadRequest)
			_, _ = trysail.Do(t.Context(), op, func(context.Context) (int, error) { return 0, call(t, op, nil) })
			trip(t, op) // with one call to spare: that a place was missing was a failure, too
			_ = call(t, op, nil)
			want := trysail.OperationMetrics{
				Operation: "op", Calls: 10, Succeeded: 1, Failed: 9, Rejected: 2, Full: 1, Opens: 1, LastSuccess: start.UTC(), LastFailure: start.UTC(),
			}
			if got := op.Metrics(); got != want {
				t.Errorf("Metrics() = %+v, want %+v", got, want)
			}
			op.Breaker().Reset("test")
			op.ResetMetrics()
		}
	})
}

func TestResetMetricsOfKeys(t *testing.T) {
	op := newOperation(t, once())
	key := op.For("tenant")
	_ = call(t, key, nil)
	other := op.For("other")
	_ = call(t, other, nil)
	key.ResetMetrics()
	if a, b := key.Metrics().Calls, other.Metrics().Calls; a != 0 || b != 1 {
		t.Errorf("%d and %d calls, want those of the one key forgotten", a, b)
	}
	op.ResetMetrics()
	if got := other.Metrics().Calls; got != 0 {
		t.Errorf("%d calls of a key, want 0 with those of its operation", got)
	}
}

// Resetting while calls run loses no more than what was counted before, and sums always agree.
func TestResetMetricsWhileCallsRun(t *testing.T) {
	op := newOperation(t, trysail.Policy{Retry: trysail.RetryPolicy{Disabled: true}, Breaker: trysail.BreakerPolicy{Disabled: true}})
	const callers, calls = 4, 2000
	var running sync.WaitGroup
	var forgotten uint64
	for range callers {
		running.Go(func() {
			for i := range calls {
				_ = call(t, op, map[bool]error{true: errDown}[i%3 == 0])
			}
		})
	}
	for range 200 {
		forgotten += op.ResetMetrics().Calls
		if m := op.Metrics(); m.Calls != m.Succeeded+m.Failed || m.Calls > callers*calls {
			t.Errorf("Metrics() = %+v, want sums that agree", m)
		}
	}
	running.Wait()
	if forgotten += op.ResetMetrics().Calls; forgotten != callers*calls {
		t.Errorf("resets have ended %d calls, want each of %d once", forgotten, callers*calls)
	}
	_ = call(t, op, nil)
	if m := op.Metrics(); m.Calls != 1 || m.Succeeded != 1 {
		t.Errorf("Metrics() = %+v, want the one call", m)
	}
}

func TestResetMetricsOfNothing(t *testing.T) {
	var none *trysail.Operation
	none.ResetMetrics()
	new(trysail.Operation).ResetMetrics()
}
