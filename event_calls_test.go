package trysail_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

// listening returns an operation under the policy, and an observer that hears of calls, too.
func listening(t *testing.T, policy trysail.Policy) (*trysail.Operation, *recorder) {
	t.Helper()
	r := &recorder{}
	return newOrchestrator(t, trysail.Config{Default: policy, Observer: r, ObserveCalls: true}).Operation("op"), r
}

// callsHeard returns the events of calls so far.
func (r *recorder) callsHeard() (ends []trysail.Event) {
	for _, e := range r.heard() {
		if e.Kind == trysail.EventCall {
			ends = append(ends, e)
		}
	}
	return ends
}

func TestEndsOfCallsAreTold(t *testing.T) {
	cancelled := func(t *testing.T) context.Context {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		return ctx
	}
	type end struct {
		attempts   int
		took, wait time.Duration
		class      trysail.Class
		is         error // nil: a success
	}
	for name, tc := range map[string]struct {
		run  func(t *testing.T, op *trysail.Operation)
		want end
	}{
		"a success": {
			func(t *testing.T, op *trysail.Operation) { _ = lasting(t, op, 3*time.Second, nil) },
			end{1, 3 * time.Second, 0, 0, nil},
		},
		"a failure": {
			func(t *testing.T, op *trysail.Operation) { _ = lasting(t, op, time.Second, errBadRequest) },
			end{1, time.Second, 0, trysail.ClassPermanent, errBadRequest},
		},
		"a success after a retry": {
			func(t *testing.T, op *trysail.Operation) {
				_, _, _ = attempts(t.Context(), op, func(attempt int) error { return []error{errDown, nil}[attempt-1] })
			},
			end{2, 2 * time.Second, 0, 0, nil},
		},
		"a caller who was gone": {
			func(t *testing.T, op *trysail.Operation) {
				_, _, _ = attempts(cancelled(t), op, func(int) error { return nil })
			},
			end{0, 0, 0, trysail.ClassCanceled, context.Canceled},
		},
		"a refusal": {
			func(t *testing.T, op *trysail.Operation) {
				op.Breaker().ForceOpen(trysail.Override{})
				_ = call(t, op, nil)
			},
			end{0, 0, 0, trysail.ClassOverloaded, trysail.ErrOpen},
		},
		"a full bulkhead": {
			func(t *testing.T, op *trysail.Operation) {
				hold(t, op)
				_ = call(t, op, nil)
			},
			end{0, 0, 0, trysail.ClassOverloaded, trysail.ErrBulkheadFull},
		},
		"a permit": {
			func(t *testing.T, op *trysail.Operation) {
				p := acquire(t.Context(), t, op)
				time.Sleep(time.Minute)
				p.Done(nil)
			},
			end{1, time.Minute, 0, 0, nil},
		},
		"a stream that breaks": {
			func(t *testing.T, op *trysail.Operation) {
				_, p, _ := began(t.Context(), op, func(context.Context, int) error { return nil })
				p.Done(errDown)
			},
			end{1, 0, 0, trysail.ClassTransient, errDown},
		},
	} {
		bubble(t, name, func(t *testing.T) {
			op, r := listening(t, trysail.Policy{
				Retry:    trysail.RetryPolicy{NoJitter: true},
				Bulkhead: trysail.BulkheadPolicy{MaxConcurrent: 1},
			})
			tc.run(t, op)
			heard := r.callsHeard()
			if len(heard) != 1 {
				t.Fatalf("heard of %d calls, want 1: %+v", len(heard), heard)
			}
			e := heard[0]
			got := end{e.Attempt, e.Took, e.Wait, e.Class, tc.want.is}
			if got != tc.want || !errors.Is(e.Err, tc.want.is) || e.Operation != "op" || e.Time.IsZero() {
				t.Errorf("heard %+v, want %+v", e, tc.want)
			}
		})
	}
}

func TestPanicIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op, r := listening(t, once())
		func() {
			defer func() { _ = recover() }()
			_, _ = trysail.Do(t.Context(), op, func(context.Context) (int, error) { panic("oops") })
		}()
		if heard := r.callsHeard(); len(heard) != 1 || heard[0].Err == nil || heard[0].Attempt != 1 {
			t.Errorf("heard %+v, want one failed call", heard)
		}
	})
}

func TestWaitAtTheGatesIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op, r := listening(t, gated(trysail.LimiterPolicy{Rate: 1, Burst: 1, MaxWait: time.Minute}, trysail.BulkheadPolicy{}))
		_, _ = call(t, op, nil), lasting(t, op, time.Minute, nil)
		if heard := r.callsHeard(); len(heard) != 2 || heard[1].Wait != time.Second || heard[1].Took != time.Minute {
			t.Errorf("heard %+v, want a second call that waited 1s and took 1m0s", heard)
		}
	})
}

// Also of those who waited in vain.
func TestWaitInVainIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op, r := listening(t, gated(trysail.LimiterPolicy{}, trysail.BulkheadPolicy{MaxConcurrent: 1, MaxQueue: 1, MaxWait: time.Minute}))
		hold(t, op)
		_ = call(t, op, nil)
		if heard := r.callsHeard(); len(heard) != 1 || heard[0].Wait != time.Minute || heard[0].Took != 0 {
			t.Errorf("heard %+v, want a refused call that waited 1m0s", heard)
		}
	})
}

func TestCallsAreNotToldUnasked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op, r := observed(t, once())
		_, _ = call(t, op, nil), call(t, op.For("key"), errDown)
		if heard := r.heard(); len(heard) != 0 {
			t.Errorf("heard %+v, want nothing", heard)
		}
	})
}

func TestCallsOfKeysAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op, r := listening(t, once())
		_ = call(t, op.For("key"), nil)
		if heard := r.callsHeard(); len(heard) != 1 || heard[0].Operation != "op[key]" {
			t.Errorf("heard %+v, want one call of op[key]", heard)
		}
	})
}

func TestFallbacksAreTold(t *testing.T) {
	for name, tc := range map[string]struct {
		answer error
		class  trysail.Class
	}{
		"an answer": {nil, 0},
		"none":      {errBadRequest, trysail.ClassTransient}, // the first error decides
	} {
		bubble(t, name, func(t *testing.T) {
			op, r := observed(t, once())
			_, err := trysail.DoWithFallback(t.Context(), op,
				func(context.Context) (int, error) { return 0, errDown },
				func(context.Context, error) (int, error) { return 1, tc.answer })
			heard := r.heard()
			if len(heard) != 1 || heard[0].Kind != trysail.EventFallback || !errors.Is(heard[0].Err, err) || heard[0].Class != tc.class {
				t.Errorf("heard %+v, want a fallback with %v of class %v", heard, err, tc.class)
			}
		})
	}
}

// Calls are many; what is rarer must not be lost because of them.
func TestCallsLeaveRoomForOtherEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		block := make(chan struct{})
		kinds := map[trysail.EventKind]int{}
		orc := newOrchestrator(t, trysail.Config{ObserveCalls: true, Default: once(), Observer: observer(func(e trysail.Event) {
			<-block
			kinds[e.Kind]++
		})})
		op := orc.Operation("op")
		op.Breaker().Reset("the observer is busy with this one")
		synctest.Wait()
		for range 3000 {
			_ = call(t, op, nil)
		}
		for range 2048 {
			op.Breaker().Reset("there is room for this one")
		}
		close(block)
		synctest.Wait()
		if kinds[trysail.EventCall] != 2048 || kinds[trysail.EventTransition] != 2049 || orc.DroppedEvents() != 952 {
			t.Errorf("heard %v and dropped %d; want 2048 calls, 2049 transitions and 952", kinds, orc.DroppedEvents())
		}
	})
}

func TestEventKindText(t *testing.T) {
	for kind, want := range map[trysail.EventKind]string{
		0: "EventKind(0)", trysail.EventTransition: "transition", trysail.EventRetry: "retry", trysail.EventHedge: "hedge",
		trysail.EventFallback: "fallback", trysail.EventCall: "call", 6: "EventKind(6)",
	} {
		if got := kind.String(); got != want {
			t.Errorf("EventKind(%d).String() = %q, want %q", kind, got, want)
		}
	}
}

// Apply leaves alone who observes, and what.
func TestApplyKeepsWhatIsObserved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{}
		orc := newOrchestrator(t, trysail.Config{Default: once(), Observer: r, ObserveCalls: true})
		if _, err := orc.Apply(trysail.Config{Default: once()}); err != nil {
			t.Fatal(err)
		}
		_ = call(t, orc.Operation("later"), nil)
		if heard := r.callsHeard(); len(heard) != 1 || !orc.Configuration().ObserveCalls {
			t.Errorf("heard %+v, want the call", heard)
		}
	})
}

// A call that waited and was turned away has waited nevertheless.
func TestWaitOfACallThatWasTurnedAwayIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op, r := listening(t, gated(trysail.LimiterPolicy{}, trysail.BulkheadPolicy{MaxConcurrent: 1, MaxQueue: 5, MaxWait: 3 * time.Second}))
		first := hold(t, op)
		_ = call(t, op, nil)
		if heard := r.callsHeard(); len(heard) != 1 || heard[0].Wait != 3*time.Second || heard[0].Took != 0 {
			t.Errorf("heard %+v, want a refusal after a wait of 3s", heard)
		}
		_ = first.end(nil)
	})
}
