package trysail_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/trysail-go/trysail"
)

// atOnce is the default policy with retries that do not wait.
func atOnce() trysail.Policy {
	return trysail.Policy{Retry: trysail.RetryPolicy{Backoff: trysail.BackoffNone}}
}

// What happens with every call, also during an outage, allocates nothing.
func TestHotPathsAllocateNothing(t *testing.T) {
	ctx := t.Context()
	success := func(context.Context) (int, error) { return 1, nil }
	closed, refusing, retrying := newOperation(t, trysail.Policy{}), newOperation(t, once()), newOperation(t, atOnce())
	plain := newOperation(t, trysail.Policy{Breaker: trysail.BreakerPolicy{Disabled: true}})
	trip(t, refusing)
	n := 0
	everySecond := func(context.Context) (int, error) {
		if n++; n%2 == 1 {
			return 0, errDown
		}
		return 1, nil
	}
	for name, f := range map[string]func(){
		"success":                   func() { _, _ = trysail.Do(ctx, closed, success) },
		"success without a breaker": func() { _, _ = trysail.Do(ctx, plain, success) },
		"refusal":                   func() { _, _ = trysail.Do(ctx, refusing, success) },
		"retry without a wait":      func() { _, _ = trysail.Do(ctx, retrying, everySecond) },
		"success with a fallback":   func() { _, _ = trysail.DoWithFallback(ctx, closed, success, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			if got := testing.AllocsPerRun(1000, f); got != 0 {
				t.Errorf("allocations = %v, want 0", got)
			}
		})
	}
}

// A probe of a load balancer asks for this every second.
func TestHealthAllocatesNothingWhenAllIsWell(t *testing.T) {
	orc := newOrchestrator(t, trysail.Config{})
	for i := range 100 {
		orc.Operation(fmt.Sprintf("operation-%d", i))
	}
	var h trysail.Health
	if got := testing.AllocsPerRun(100, func() { h = orc.Health() }); got != 0 {
		t.Errorf("allocations = %v, want 0", got)
	}
	if !h.Healthy || h.Operations != 100 || h.Breakers != 100 {
		t.Errorf("Health() = %+v, want 100 healthy operations", h)
	}
}
