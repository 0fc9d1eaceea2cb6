package trysail_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

// lenient is a policy under which each failure opens the breaker, which then refuses that share.
func lenient(share float64, breaker trysail.BreakerPolicy) trysail.Policy {
	breaker.Enforce = share
	return breaking(breaker)
}

// leak starts a call that the breaker would have refused, as often as it takes.
func leak(t testing.TB, op *trysail.Operation) *held {
	t.Helper()
	for range 10_000 {
		before := op.Metrics().Leaked
		h, err := try(t, op)
		switch {
		case err != nil:
		case op.Metrics().Leaked > before:
			return h
		default:
			_ = h.end(nil)
		}
	}
	t.Fatal("none of 10000 calls was leaked")
	return nil
}

// A call that has to wait for its turn or its place gets through an open breaker as often as any other: only
// an operator's refusal comes before the wait.
func TestR9EnforceRefusesItsShareOfThoseWhoWait(t *testing.T) {
	const n = 2_000
	for name, p := range map[string]trysail.Policy{
		"for a turn":  gated(trysail.LimiterPolicy{Rate: 1, Burst: 1, MaxWait: time.Hour}, trysail.BulkheadPolicy{}),
		"for a place": gated(trysail.LimiterPolicy{}, trysail.BulkheadPolicy{MaxConcurrent: 1, MaxQueue: n, MaxWait: time.Hour}),
	} {
		bubble(t, name, func(t *testing.T) {
			p.Breaker.Enforce = 0.25
			op := newOperation(t, p)
			var all sync.WaitGroup
			all.Go(func() { _ = lasting(t, op, time.Second, nil) }) // takes the turn and the place
			synctest.Wait()
			opens(t, op)
			before := op.Metrics()
			for range n {
				all.Go(func() { _ = call(t, op, nil) })
			}
			all.Wait()
			m := op.Metrics()
			if refused := float64(m.Rejected-before.Rejected) / n; math.Abs(refused-0.25) > 0.06 || m.Leaked+m.Rejected != n {
				t.Errorf("Metrics() = %+v, want a quarter of %d calls refused and the others leaked", m, n)
			}
			forces(t, op)
			before = op.Metrics()
			all.Go(func() { _ = call(t, op, nil) })
			all.Wait()
			if m := op.Metrics(); m.Rejected != before.Rejected+1 {
				t.Errorf("Metrics() = %+v, want the operator's refusal", m)
			}
		})
	}
}

// Whatever the breaker would refuse, it refuses that share of, and counts the rest.
func TestR9EnforceRefusesItsShare(t *testing.T) {
	const n = 20_000
	for name, tc := range map[string]struct {
		prepare func(*testing.T, *trysail.Operation)
		enforce float64
		want    float64 // which share is refused
	}{
		"open":                  {trips, 0.25, 0.25},
		"open, all":             {trips, 1, 1},
		"open, the default":     {trips, 0, 1},
		"open, next to nothing": {trips, math.SmallestNonzeroFloat64, 0},
		"half-open": {func(t *testing.T, op *trysail.Operation) {
			halfOpen(t, op)
			hold(t, op)
		}, 0.75, 0.75},
		"on the ramp": {func(t *testing.T, op *trysail.Operation) {
			trip(t, op)
			recovers(t, op)
		}, 0.5, 0.45}, // a tenth is not refused at all
		"closed":             {nothing, 0.5, 0},
		"forced open":        {func(_ *testing.T, op *trysail.Operation) { op.Breaker().ForceOpen(trysail.Override{}) }, 0.1, 1},
		"disabled":           {func(_ *testing.T, op *trysail.Operation) { op.Breaker().Disable(trysail.Override{}) }, 0.5, 0},
		"opened by hand":     {func(_ *testing.T, op *trysail.Operation) { op.Breaker().OpenUntil(time.Now().Add(time.Hour), "x") }, 0.25, 0.25},
		"restored":           {restores, 0.25, 0.25},
		"applied afterwards": {applies, 1, 0.25},
	} {
		bubble(t, name, func(t *testing.T) {
			orc := newOrchestrator(t, trysail.Config{Default: lenient(tc.enforce, trysail.BreakerPolicy{RampUp: time.Hour})})
			op := orc.Operation("op")
			tc.prepare(t, op)
			if name == "applied afterwards" {
				apply(t, orc, trysail.Config{Default: lenient(0.25, trysail.BreakerPolicy{})})
			}
			state, before := op.Breaker().State(), op.Metrics()
			refused := 0
			for range n {
				switch err := call(t, op, errBadRequest); {
				case errors.Is(err, trysail.ErrOpen):
					refused++
				case !errors.Is(err, errBadRequest):
					t.Fatalf("Do() = %v, want the call's own error or %v", err, trysail.ErrOpen)
				}
			}
			got, bound := float64(refused)/n, 6*math.Sqrt(tc.want*(1-tc.want)/n) // six deviations
			if math.Abs(got-tc.want) > bound {
				t.Errorf("%.4f of the calls were refused, want %.4f ± %.4f", got, tc.want, bound)
			}
			m := op.Metrics()
			leaked, rejected, calls := m.Leaked-before.Leaked, m.Rejected-before.Rejected, m.Calls-before.Calls
			if rejected != uint64(refused) || calls != n || state.Refuses() && leaked != n-rejected {
				t.Errorf("metrics count %d calls, %d refused, %d leaked; %d of %d were refused", calls, rejected, leaked, refused, n)
			}
			wantState(t, op, state)
		})
	}
}

// restores puts the breaker into the state in which another one with the default policy was.
func restores(t *testing.T, op *trysail.Operation) {
	other := newOperation(t, once())
	trip(t, other)
	if err := op.Breaker().Restore(other.Breaker().Snapshot()); err != nil {
		t.Fatal(err)
	}
}

// applies leaves a refusal behind that no later call may get.
func applies(t *testing.T, op *trysail.Operation) {
	trip(t, op)
	_, _ = refusal(t, op)
}

// Enforcement that is made strict refuses every call at once.
func TestR9EnforceCanBeRaised(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		orc := newOrchestrator(t, trysail.Config{Default: lenient(0.5, trysail.BreakerPolicy{})})
		op := orc.Operation("op")
		trip(t, op)
		_ = leak(t, op).end(nil)
		change := apply(t, orc, trysail.Config{Default: lenient(1, trysail.BreakerPolicy{})})
		if got, want := diff(change), ".Breaker.Enforce: 0.5 -> 1\nop.Breaker.Enforce: 0.5 -> 1\n"; got != want {
			t.Errorf("Apply() changed %q, want %q", got, want)
		}
		for range 1000 {
			_, _ = refusal(t, op)
		}
		if s := op.Breaker().Snapshot(); s.State != trysail.Open || s.Enforce != 1 || s.Generation != 1 {
			t.Errorf("Snapshot() = %+v, want open as before, with Enforce 1", s)
		}
	})
}

// The breaker goes its way as if it had refused what it leaked.
func TestR9LeakedCallsMoveNothing(t *testing.T) {
	for ends, outcome := range map[string]error{"succeed": nil, "fail": errDown, "are neutral": errBadRequest} {
		bubble(t, ends, func(t *testing.T) {
			op := newOperation(t, lenient(0.5, trysail.BreakerPolicy{RampUp: time.Minute}))
			time.Sleep(time.Second)
			trip(t, op)
			unmoved := func(when string) {
				t.Helper()
				now, later := leak(t, op), leak(t, op)
				before := op.Breaker().Snapshot()
				_ = now.end(outcome)
				if got := op.Breaker().Snapshot(); got != before {
					t.Errorf("%s: Snapshot() = %+v\nwant it as before %+v", when, got, before)
				}
				go func() { // the other one ends in a later state
					time.Sleep(90 * time.Second)
					_ = later.end(outcome)
				}()
			}
			unmoved("open")
			time.Sleep(time.Minute - 1)
			unmoved("open, just before the end")
			time.Sleep(time.Nanosecond)
			wantState(t, op, trysail.HalfOpen)
			probe := hold(t, op)
			unmoved("half-open")
			time.Sleep(time.Second)
			if s := op.Breaker().Snapshot(); s.State != trysail.HalfOpen || s.Probes != 1 {
				t.Errorf("Snapshot() = %+v, want half-open with the one probe", s)
			}
			_ = probe.end(nil)
			wantState(t, op, trysail.Closed)
			unmoved("on the ramp")
			time.Sleep(time.Hour)
			if s := op.Breaker().Snapshot(); s.State != trysail.Closed || s.Generation != 3 || s.Stale != 0 {
				t.Errorf("Snapshot() = %+v, want closed in generation 3, and nothing stale", s)
			}
		})
	}
}

// Calls that were leaked on a ramp are none whose slowness opens the breaker.
func TestR9LeakedCallsAreNotOverdue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, lenient(0.1, trysail.BreakerPolicy{RampUp: time.Hour, SlowRate: 0.5, SlowCall: time.Second, MinCalls: 1}))
		trip(t, op)
		recovers(t, op)
		var hanging []*held
		for range 50 {
			hanging = append(hanging, leak(t, op))
		}
		time.Sleep(time.Minute)
		if s := op.Breaker().Snapshot(); s.Overdue != 0 {
			t.Errorf("Overdue = %d, want 0", s.Overdue)
		}
		before := op.Breaker().Snapshot()
		for _, h := range hanging {
			_ = h.end(nil)
		}
		if got := op.Breaker().Snapshot(); got != before {
			t.Errorf("Snapshot() after slow leaked calls = %+v, want %+v", got, before)
		}
	})
}

func TestR9LeakedCallMakesOneAttemptWhileTheBreakerIsOpen(t *testing.T) {
	for name, tc := range map[string]struct {
		meanwhile func(*trysail.Breaker)
		attempts  int
	}{
		"open":          {func(*trysail.Breaker) {}, 1},
		"half-open":     {func(b *trysail.Breaker) { time.Sleep(2 * time.Hour); b.State() }, 1},
		"closed by now": {func(b *trysail.Breaker) { b.Reset("test") }, 3},
	} {
		bubble(t, name, func(t *testing.T) {
			policy := lenient(0.5, trysail.BreakerPolicy{})
			policy.Retry = trysail.RetryPolicy{Attempts: 3}
			op := newOperation(t, policy)
			op.Breaker().OpenUntil(time.Now().Add(time.Hour), "test")
			attempts, err := 0, trysail.ErrOpen
			for i := 0; i < 10_000 && errors.Is(err, trysail.ErrOpen); i++ {
				_, err = trysail.Do(t.Context(), op, func(context.Context) (int, error) {
					if attempts++; attempts == 1 {
						tc.meanwhile(op.Breaker())
					}
					return 0, errDown
				})
			}
			var e *trysail.Error
			if !errors.As(err, &e) || e.Attempts != tc.attempts || attempts != tc.attempts || !errors.Is(err, errDown) {
				t.Errorf("Do() = %v after %d attempts, want %v after %d", err, attempts, errDown, tc.attempts)
			}
			all := op.Explain()
			if last := all[len(all)-1]; last.Outcome != "failed" || last.Attempts != tc.attempts || !strings.HasSuffix(last.Reason, "because of Enforce") {
				t.Errorf("Explain() ends with %+v, want it to say that the call was leaked", last)
			}
		})
	}
}

// Streams are leaked as calls are, and so are the calls of a key.
func TestR9PermitsAreLeaked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := lenient(0.5, trysail.BreakerPolicy{})
		op := newOperation(t, policy).For("tenant")
		trip(t, op)
		begin := func(context.Context) (int, error) { return 1, nil }
		var acquired, started *trysail.Permit
		for range 10_000 {
			if acquired != nil && started != nil {
				break
			}
			if p, err := op.Acquire(t.Context()); err == nil {
				acquired.Done(nil)
				acquired = p
			}
			if _, p, err := trysail.Start(t.Context(), op, begin); err == nil {
				started.Done(nil)
				started = p
			}
		}
		if acquired == nil || started == nil {
			t.Fatal("none of 10000 calls was leaked")
		}
		time.Sleep(time.Minute)
		wantState(t, op, trysail.HalfOpen)
		before, m := op.Breaker().Snapshot(), op.Metrics()
		acquired.Done(nil)
		started.Done(errDown)
		if got := op.Breaker().Snapshot(); got != before {
			t.Errorf("Snapshot() = %+v, want it unmoved, %+v", got, before)
		}
		if got := op.Metrics(); got.Succeeded != m.Succeeded+1 || got.Failed != m.Failed+1 || got.P95Response < 59*time.Second {
			t.Errorf("Metrics() = %+v after %+v, want a success and a failure more, with their latency", got, m)
		}
	})
}

func TestR9EventsTellLeakedCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{}
		op := newOrchestrator(t, trysail.Config{Default: lenient(0.5, trysail.BreakerPolicy{}), Observer: r, ObserveCalls: true}).Operation("op")
		_ = call(t, op, nil)
		trip(t, op)
		for range 200 {
			_ = call(t, op, nil)
			_ = call(t, op, errDown)
		}
		leaked := uint64(0)
		for i, e := range r.heard() {
			if e.Kind != trysail.EventCall {
				continue
			}
			if want := i > 2 && !errors.Is(e.Err, trysail.ErrOpen); e.Leaked != want {
				t.Errorf("event %d %+v, want it leaked: %v", i, e, want)
			}
			if e.Leaked {
				leaked++
			}
		}
		if m := op.Metrics(); leaked == 0 || leaked != m.Leaked || m.Leaked+m.Rejected != 400 {
			t.Errorf("%d events of leaked calls, metrics %+v; want 400 leaked or refused", leaked, m)
		}
	})
}

// Neither the calls that are leaked allocate, nor the refusals beside them, which share their error.
func TestR9EnforceAllocatesNothing(t *testing.T) {
	op, ctx := newOperation(t, lenient(0.5, trysail.BreakerPolicy{})), t.Context()
	trip(t, op)
	success := func(context.Context) (int, error) { return 1, nil }
	op.Breaker().OpenUntil(time.Now().Add(time.Hour), "test")
	for range 100 {
		_, _ = trysail.Do(ctx, op, success) // the counters come with the first
	}
	if got := testing.AllocsPerRun(10_000, func() { _, _ = trysail.Do(ctx, op, success) }); got != 0 {
		t.Errorf("allocations = %v, want 0", got)
	}
}

// Many callers at a breaker that refuses half of them: none is lost, and none moves it.
func TestStressLeakedCalls(t *testing.T) {
	const callers, calls = 16, 1000
	policy := lenient(0.5, trysail.BreakerPolicy{})
	policy.Retry = trysail.RetryPolicy{Attempts: 2, Backoff: trysail.BackoffNone}
	op, c := newOperation(t, policy), &crowd{}
	op.Breaker().OpenUntil(time.Now().Add(24*time.Hour), "stress")
	before := op.Breaker().Snapshot()
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for range calls {
				c.call(t.Context(), op)
			}
		})
	}
	all.Wait()
	m := op.Metrics()
	ran := c.succeeded.Load() + c.failed.Load() + c.canceled.Load() + c.panicked.Load()
	if ran != m.Leaked || c.rejected.Load() != m.Rejected || ran+m.Rejected != callers*calls || m.Calls != callers*calls || m.Retries != 0 {
		t.Errorf("%d ran, %d were refused, metrics %+v; want all of %d, without retries", ran, c.rejected.Load(), m, callers*calls)
	}
	if ran == 0 || m.Rejected == 0 {
		t.Errorf("%d ran, %d were refused, want some of each", ran, m.Rejected)
	}
	if got := op.Breaker().Snapshot(); got != before {
		t.Errorf("Snapshot() = %+v, want it unmoved, %+v", got, before)
	}
}
