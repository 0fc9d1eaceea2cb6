package trysail_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

// throttled is a policy of one attempt with a throttle, whose breaker never opens by itself.
func throttled(p trysail.ThrottlePolicy) trysail.Policy {
	policy := once()
	policy.Breaker.Disabled = true
	policy.Throttle = p
	return policy
}

// errFull is what a dependency says that takes no more calls.
var errFull = trysail.Unavailable(errDown)

// sent makes n calls a second apart, of which the dependency takes those that taken says, and
// returns how many reached it.
func sent(t *testing.T, op *trysail.Operation, n int, taken func(i int) bool) (reached int) {
	t.Helper()
	for i := range n {
		time.Sleep(time.Second)
		_, err := trysail.Do(t.Context(), op, func(context.Context) (int, error) {
			reached++
			if !taken(i) {
				return 0, errFull
			}
			return 1, nil
		})
		if errors.Is(err, trysail.ErrThrottled) && trysail.Classify(err) != trysail.ClassOverloaded {
			t.Fatalf("a dropped call is of class %v, want overloaded", trysail.Classify(err))
		}
	}
	return reached
}

// A dependency that takes half of the calls offered gets Factor times what it takes: the
// shares that the formula of the SRE book settles at.
func TestThrottleSettles(t *testing.T) {
	for factor, want := range map[float64]float64{2: 1, 1.5: 0.75, 1.1: 0.55} {
		bubble(t, fmt.Sprint(factor), func(t *testing.T) {
			op := newOperation(t, throttled(trysail.ThrottlePolicy{Factor: factor, Window: time.Hour, MinCalls: 100}))
			const n = 12_000
			capacity := 0.0
			reached := 0
			for range n { // the dependency takes a call every two seconds, and can be a hundred behind
				time.Sleep(time.Second)
				capacity = min(capacity+0.5, 100)
				_, _ = trysail.Do(t.Context(), op, func(context.Context) (int, error) {
					reached++
					if capacity < 1 {
						return 0, errFull
					}
					capacity--
					return 1, nil
				})
			}
			if got := float64(reached) / n; math.Abs(got-want) > 0.04 {
				t.Errorf("with Factor %v %.3f of the calls are sent, want %.2f", factor, got, want)
			}
		})
	}
}

// In an outage the ceiling lets calls through, so that its end is seen.
func TestThrottleInAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, throttled(trysail.ThrottlePolicy{Factor: 2}))
		reached := sent(t, op, 3000, func(int) bool { return false })
		if reached < 220 || reached > 420 {
			t.Errorf("%d of 3000 calls were sent, want about a tenth", reached)
		}
		s, ok := op.Throttle()
		if m := op.Metrics(); !ok || s.Share != 0.9 || s.Taken != 0 || s.Dropped != uint64(3000-reached) ||
			m.Throttled != s.Dropped || m.Calls != m.Succeeded+m.Failed {
			t.Errorf("Throttle() = %+v, %t with %+v; want 0.9 of the calls dropped", s, ok, m)
		}
		// The dependency is well again.
		sent(t, op, 1200, func(int) bool { return true })
		if s, _ := op.Throttle(); s.Share != 0 {
			t.Errorf("Throttle() = %+v after twenty minutes of health, want nothing dropped", s)
		}
		if reached := sent(t, op, 100, func(int) bool { return true }); reached != 100 {
			t.Errorf("%d of 100 calls were sent to a healthy dependency, want all", reached)
		}
	})
}

// Even the smallest Factor finds back to a dependency that is well again, and drops nothing of one that takes
// 99 of 100 calls. How long it takes is luck: half of 2000 runs took half an hour, 9 of 10 less than an hour, one two hours. So
// at least half of twenty must be back within an hour, and all of them in the end.
func TestThrottleWithTheSmallestFactor(t *testing.T) {
	const operations = 20
	inTime := 0
	for range operations {
		synctest.Test(t, func(t *testing.T) {
			op := newOperation(t, throttled(trysail.ThrottlePolicy{Factor: 1.05}))
			sent(t, op, 3000, func(int) bool { return false })
			dropped := 0 // the last minute of health in which a call was
			for minute := 1; minute <= dropped+10; minute++ {
				if minute > 12*60 {
					t.Fatalf("calls are dropped after twelve hours of health: %v", op.Explain())
				}
				if sent(t, op, 60, func(int) bool { return true }) < 60 {
					dropped = minute
				}
			}
			if dropped <= 60 {
				inTime++
			}
			if reached := sent(t, op, 5000, func(i int) bool { return i%100 != 0 }); reached != 5000 {
				t.Errorf("%d of 5000 calls were sent, want all", reached)
			}
		})
	}
	if inTime < operations/2 {
		t.Errorf("%d of %d operations sent all calls after an hour of health, want at least half", inTime, operations)
	}
}

func TestThrottleForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, throttled(trysail.ThrottlePolicy{Factor: 2, Window: time.Minute, MaxShare: 0.999}))
		sent(t, op, 60, func(int) bool { return false })
		time.Sleep(time.Minute + 5*time.Second)
		if err := call(t, op, nil); err != nil {
			t.Errorf("a call after a window of silence: %v, want it sent", err)
		}
	})
}

func TestThrottleWaitsForEnoughCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, throttled(trysail.ThrottlePolicy{Factor: 1.05, MinCalls: 20, MaxShare: 0.99}))
		if reached := sent(t, op, 20, func(int) bool { return false }); reached != 20 {
			t.Errorf("%d of the first 20 calls were sent, want all", reached)
		}
		if s, _ := op.Throttle(); s.Share < 0.95 || s.Share > 0.96 { // 20/21
			t.Errorf("Throttle() = %+v, want 20/21 dropped from now on", s)
		}
	})
}

// What is not the dependency's refusal is none.
func TestWhatAThrottleCounts(t *testing.T) {
	for name, tc := range map[string]struct {
		outcome error
		taken   bool
	}{
		"a success":       {nil, true},
		"a bad request":   {errBadRequest, true},
		"a rate limit":    {trysail.RateLimited(errDown, 0), false},
		"no capacity":     {errFull, false},
		"a fault":         {errDown, false},
		"a quota used up": {trysail.WithClass(errDown, trysail.ClassQuotaExhausted, 0), false},
	} {
		t.Run(name, func(t *testing.T) {
			op := newOperation(t, throttled(trysail.ThrottlePolicy{Factor: 2}))
			_ = call(t, op, tc.outcome)
			if s, _ := op.Throttle(); s.Calls != 1 || (s.Taken == 1) != tc.taken {
				t.Errorf("Throttle() = %+v, want one call and taken %t", s, tc.taken)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, throttled(trysail.ThrottlePolicy{Factor: 2}))
		leaving(t, op, time.Second)
		func() {
			defer func() { _ = recover() }()
			_, _ = trysail.Do(t.Context(), op, func(context.Context) (int, error) { panic("oops") })
		}()
		if s, _ := op.Throttle(); s.Calls != 0 {
			t.Errorf("Throttle() = %+v after a caller who left and a panic, want nothing counted", s)
		}
	})
}

// A bad request is one also when its answer came too late: the dependency has taken the call, and the
// load is not to blame.
func TestLateBadRequestIsNoOverload(t *testing.T) {
	for name, limit := range map[string]func(*trysail.Policy, context.Context) (context.Context, context.CancelFunc){
		"of the caller": func(_ *trysail.Policy, ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, time.Second)
		},
		"of an attempt": func(p *trysail.Policy, ctx context.Context) (context.Context, context.CancelFunc) {
			p.Attempt = time.Second
			return context.WithCancel(ctx)
		},
		"of the call": func(p *trysail.Policy, ctx context.Context) (context.Context, context.CancelFunc) {
			p.Total = time.Second
			return context.WithCancel(ctx)
		},
	} {
		bubble(t, name, func(t *testing.T) {
			policy := adaptive(trysail.BulkheadPolicy{MaxConcurrent: 100})
			policy.Throttle.Factor = 2
			ctx, cancel := limit(&policy, t.Context())
			defer cancel()
			op := newOperation(t, policy)
			_, _ = trysail.Do(ctx, op, func(context.Context) (int, error) { time.Sleep(time.Second); return 0, errBadRequest })
			if s, _ := op.Throttle(); s.Calls != 1 || s.Taken != 1 {
				t.Errorf("Throttle() = %+v, want one call, which was taken", s)
			}
			wantLimit(t, op, 20)
		})
	}
}

// Calls under way say nothing yet: of calls that take a minute there are always many.
func TestThrottleCountsCallsWhenTheyEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, throttled(trysail.ThrottlePolicy{Factor: 1.05}))
		for range 100 {
			hold(t, op)
		}
		if s, _ := op.Throttle(); s.Calls != 0 || s.Share != 0 {
			t.Errorf("Throttle() = %+v with 100 calls under way, want nothing", s)
		}
	})
}

func TestThrottleRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, throttled(trysail.ThrottlePolicy{Factor: 1.05, MaxShare: 0.999}))
		for {
			err := call(t, op, errFull)
			if !errors.Is(err, trysail.ErrThrottled) {
				continue
			}
			s, _ := op.Throttle()
			want := fmt.Sprintf(`operation "op": not called: throttled: the dependency took 0 of the last %d calls, within 2m0s`, s.Calls-1)
			if err.Error() != want {
				t.Errorf("refusal %q, want %q", err, want)
			}
			decisions := op.Explain()
			if last := decisions[len(decisions)-1]; last.Outcome != "refused" || !strings.Contains(last.Reason, "throttled") {
				t.Errorf("Explain() ends with %+v, want the refusal", last)
			}
			return
		}
	})
}

// Refusals are many, and each has other numbers: they must not crowd out what else there is to explain.
func TestRefusalsAtTheGatesAreExplainedNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, throttled(trysail.ThrottlePolicy{Factor: 1.05, MaxShare: 0.999}))
		refused := func() (n int) {
			for _, d := range op.Explain() {
				if d.Outcome == "refused" {
					n += d.Times
				}
			}
			return n
		}
		for refused() == 0 {
			_ = call(t, op, errFull)
		}
		for range 1000 {
			_ = call(t, op, errFull)
		}
		if n := refused(); n != 1 {
			t.Errorf("%d refusals of one moment are explained, want 1", n)
		}
		time.Sleep(10 * time.Millisecond)
		for range 100 {
			_ = call(t, op, errFull)
		}
		if n := refused(); n != 2 {
			t.Errorf("%d refusals are explained after 10ms, want 2", n)
		}
	})
}

func TestApplyChangesTheThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		orc := newOrchestrator(t, trysail.Config{Default: throttled(trysail.ThrottlePolicy{Factor: 2})})
		op := orc.Operation("op")
		sent(t, op, 30, func(int) bool { return false })
		before, _ := op.Throttle()
		apply := func(p trysail.ThrottlePolicy) (trysail.ThrottleSnapshot, bool) {
			t.Helper()
			if _, err := orc.Apply(trysail.Config{Default: throttled(p)}); err != nil {
				t.Fatal(err)
			}
			return op.Throttle()
		}
		if s, ok := apply(trysail.ThrottlePolicy{Factor: 2, MaxShare: 0.5}); !ok || s.Share != 0.5 || s.Calls != before.Calls {
			t.Errorf("with another ceiling: %+v, %t; want 0.5 and the window kept", s, ok)
		}
		if _, ok := apply(trysail.ThrottlePolicy{Factor: 2, Disabled: true}); ok {
			t.Error("a throttle that is switched off is there")
		}
		if err := call(t, op, nil); err != nil {
			t.Errorf("a call without throttle: %v", err)
		}
		if s, ok := apply(trysail.ThrottlePolicy{Factor: 3}); !ok || s.Calls != before.Calls {
			t.Errorf("switched on again: %+v, want the window of before", s)
		}
		if s, ok := apply(trysail.ThrottlePolicy{Factor: 3, Window: time.Minute}); !ok || s.Calls != 0 || s.Share != 0 {
			t.Errorf("with another window: %+v, want it empty", s)
		}
	})
}

// Numbers that make it drop calls take effect on the very next one.
func TestApplySwitchesTheThrottleOnAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var passed int
		for range 3 { // a share of 200/201 lets the first through now and then, but not three times
			policy := throttled(trysail.ThrottlePolicy{Factor: 1.05, MinCalls: 1000, MaxShare: 0.9999})
			orc := newOrchestrator(t, trysail.Config{Default: policy})
			op := orc.Operation("op")
			for range 200 {
				_ = call(t, op, errFull)
			}
			policy.Throttle.MinCalls = 10
			if _, err := orc.Apply(trysail.Config{Default: policy}); err != nil {
				t.Fatal(err)
			}
			if err := call(t, op, nil); err == nil {
				passed++
			}
		}
		if passed == 3 {
			t.Error("the first call after Apply was let through three times, want it dropped")
		}
	})
}

func TestThrottleLimitsAndDefaults(t *testing.T) {
	for name, p := range map[string]trysail.ThrottlePolicy{
		"the least": {Factor: 1.05, Window: time.Second, MinCalls: 1, MaxShare: 1e-9},
		"the most":  {Factor: 100, Window: time.Hour, MinCalls: 10_000, MaxShare: 1 - 1e-9},
	} {
		if got := newOperation(t, throttled(p)).Policy().Throttle; got != p {
			t.Errorf("%s: Policy().Throttle = %+v, want %+v", name, got, p)
		}
	}
	want := trysail.ThrottlePolicy{Factor: 2, Window: 2 * time.Minute, MinCalls: 10, MaxShare: 0.9}
	if got := newOperation(t, throttled(trysail.ThrottlePolicy{Factor: 2})).Policy().Throttle; got != want {
		t.Errorf("Policy().Throttle = %+v, want %+v", got, want)
	}
}

func TestBadThrottle(t *testing.T) {
	const min10 = "want 1 to 10000"
	for name, tc := range map[string]struct {
		policy trysail.ThrottlePolicy
		want   []string
	}{
		"nothing to do":   {trysail.ThrottlePolicy{Window: time.Minute}, []string{"Throttle.Factor is 0, want a number, because Window is 1m0s"}},
		"below one":       {trysail.ThrottlePolicy{Factor: 0.9}, []string{"Throttle.Factor is 0.9, want 1.05 to 100"}},
		"no way back":     {trysail.ThrottlePolicy{Factor: 1.0499}, []string{"Throttle.Factor is 1.0499, want 1.05 to 100"}},
		"no number":       {trysail.ThrottlePolicy{Factor: math.NaN()}, []string{"Throttle.Factor is NaN, want 1.05 to 100"}},
		"all at once":     {trysail.ThrottlePolicy{Factor: 101, Window: 1, MinCalls: -1, MaxShare: 1}, []string{"Factor is 101", "Window is 1ns, want 1s to 1h", "MinCalls is -1, " + min10, "MaxShare is 1, want more than 0 and less than 1"}},
		"too many":        {trysail.ThrottlePolicy{Factor: 2, MinCalls: 10_001}, []string{"MinCalls is 10001, " + min10}},
		"a share of NaN":  {trysail.ThrottlePolicy{Factor: 2, MaxShare: math.NaN()}, []string{"MaxShare is NaN"}},
		"a negative one":  {trysail.ThrottlePolicy{Factor: -2}, []string{"Throttle.Factor is -2, want 1.05 to 100"}},
		"too long":        {trysail.ThrottlePolicy{Factor: 2, Window: time.Hour + 1}, []string{"Window is 1h0m0.000000001s"}},
		"a lonely number": {trysail.ThrottlePolicy{MinCalls: 3}, []string{"MinCalls 3"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := trysail.New(trysail.Config{Default: trysail.Policy{Throttle: tc.policy}})
			for _, want := range tc.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("New() = %v, want %q in it", err, want)
				}
			}
		})
	}
}

func TestThrottleAllocatesNothing(t *testing.T) {
	op := newOperation(t, throttled(trysail.ThrottlePolicy{Factor: 2}))
	if n := testing.AllocsPerRun(100, func() {
		_, _ = trysail.Do(context.Background(), op, func(context.Context) (int, error) { return 1, nil })
	}); n != 0 {
		t.Errorf("a call through the throttle makes %v allocations, want 0", n)
	}
}
