package trysail_test

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

// What Overrule and Renew return is the breaker before and after, and they do the same as the methods that return a state.
func TestOverruleTellsBeforeAndAfter(t *testing.T) {
	o := trysail.Override{Reason: "maintenance", Author: "ada", For: time.Hour}
	type pair struct{ was, is trysail.BreakerSnapshot }
	overrule := func(to trysail.State) func(*testing.T, *trysail.Breaker) pair {
		return func(t *testing.T, b *trysail.Breaker) pair {
			was, is, err := b.Overrule(to, o)
			if err != nil {
				t.Fatal(err)
			}
			return pair{was, is}
		}
	}
	for name, tc := range map[string]struct {
		told  func(*testing.T, *trysail.Breaker) pair
		plain func(*trysail.Breaker)
	}{
		"forced open":  {overrule(trysail.ForcedOpen), func(b *trysail.Breaker) { b.ForceOpen(o) }},
		"disabled":     {overrule(trysail.Disabled), func(b *trysail.Breaker) { b.Disable(o) }},
		"metrics only": {overrule(trysail.MetricsOnly), func(b *trysail.Breaker) { b.MetricsOnly(o) }},
		"closed":       {overrule(trysail.Closed), func(b *trysail.Breaker) { b.Close(o) }},
		"reset": {
			func(_ *testing.T, b *trysail.Breaker) pair { was, is := b.Renew("x"); return pair{was, is} },
			func(b *trysail.Breaker) { b.Reset("x") },
		},
	} {
		for situation, prepare := range situations {
			bubble(t, situation+" becomes "+name, func(t *testing.T) {
				op, other := newOperation(t, once()), newOperation(t, once())
				prepare(t, op)
				prepare(t, other)
				before := op.Breaker().Snapshot()
				got := tc.told(t, op.Breaker())
				if want := (pair{before, op.Breaker().Snapshot()}); got != want {
					t.Errorf("before and after %+v\nwant %+v", got, want)
				}
				tc.plain(other.Breaker())
				if a, b := got.is, other.Breaker().Snapshot(); a.State != b.State || a.Reason != b.Reason || a.Generation != b.Generation || a.Override != b.Override {
					t.Errorf("after %+v, want as the plain method does: %+v", a, b)
				}
			})
		}
	}
}

func TestOverruleToAStateThatNoOperatorSets(t *testing.T) {
	for _, to := range []trysail.State{trysail.Open, trysail.HalfOpen, 77} {
		op := newOperation(t, once())
		before := op.Breaker().Snapshot()
		_, _, err := op.Breaker().Overrule(to, trysail.Override{})
		want := `breaker "op": state is ` + to.String() + ", want forced-open, disabled, metrics-only or closed"
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Overrule(%v) = %v, want %q", to, err, want)
		}
		if got := op.Breaker().Snapshot(); got != before {
			t.Errorf("after the error the breaker is %+v, want it as before: %+v", got, before)
		}
	}
}

// Of operators who act at once each has ended what exactly one other has begun: their answers form a chain.
func TestOverruleAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, once())
		trip(t, op)
		first := op.Breaker().Snapshot().Generation
		const each = 50
		targets := []trysail.State{trysail.ForcedOpen, trysail.Disabled, trysail.MetricsOnly, trysail.Closed}
		var mu sync.Mutex
		ended := map[uint64]trysail.State{} // by the generation that was ended
		began := map[uint64]trysail.State{first: trysail.Open}
		var acting sync.WaitGroup
		for _, to := range targets {
			acting.Go(func() {
				for range each {
					was, is, err := op.Breaker().Overrule(to, trysail.Override{})
					mu.Lock()
					if err != nil || is.State != to || is.Generation != was.Generation+1 {
						t.Errorf("Overrule(%v) = %+v, %+v, %v; want the next generation in that state", to, was, is, err)
					}
					ended[was.Generation], began[is.Generation] = was.State, is.State
					mu.Unlock()
				}
			})
		}
		acting.Wait()
		if len(ended) != each*len(targets) {
			t.Fatalf("%d generations were ended, want %d, each once", len(ended), each*len(targets))
		}
		for generation, state := range ended {
			if began[generation] != state {
				t.Errorf("generation %d was ended as %v, and had begun as %v", generation, state, began[generation])
			}
		}
	})
}
