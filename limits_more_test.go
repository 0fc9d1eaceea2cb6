package trysail_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

// Whatever the limits, a caller who leaves says nothing about the dependency.
func TestCancelIsNeutralUnderLimits(t *testing.T) {
	for name, tc := range map[string]struct {
		leaves time.Duration
		word   func(context.Context) error
		last   error // of an attempt before
	}{
		"during the first attempt":         {10 * time.Second, hang, nil},
		"said in other words":              {10 * time.Second, func(ctx context.Context) error { <-ctx.Done(); return errDown }, nil},
		"during a wait":                    {21 * time.Second, hang, trysail.ErrAttemptTimeout},
		"during the second attempt":        {30 * time.Second, hang, trysail.ErrAttemptTimeout},
		"in the nanosecond before a limit": {20*time.Second - 1, hang, nil},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, within(time.Minute, 20*time.Second))
			errLeft := errors.New("the user closed the window")
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(tc.leaves, func() { cancel(errLeft) })
			_, took, err := timed(ctx, op, func(ctx context.Context, _ int) error { return tc.word(ctx) })
			if took != tc.leaves || !errors.Is(err, context.Canceled) || trysail.Classify(err) != trysail.ClassCanceled {
				t.Errorf("Do() = %v in %v, want it canceled in %v", err, took, tc.leaves)
			}
			if errors.Is(err, trysail.ErrTotalTimeout) || errors.Is(err, trysail.ErrAttemptTimeout) != (tc.last != nil) {
				t.Errorf("Do() = %v, want no limit in it but that of an earlier attempt: %v", err, tc.last)
			}
			if s, m := op.Breaker().Snapshot(), op.Metrics(); s.Failures != 0 || m.Canceled != 1 || m.Calls != 1 {
				t.Errorf("Snapshot() = %+v, Metrics() = %+v; want a canceled call and no failure", s, m)
			}
		})
	}
}

// What an attempt left behind ends with it, whether it succeeded, failed or panicked.
func TestContextOfAnAttemptEndsWithIt(t *testing.T) {
	for limits, policy := range map[string]trysail.Policy{
		"total": within(time.Minute, 0), "attempt": within(0, 20*time.Second), "both": within(time.Minute, 20*time.Second),
	} {
		for how, end := range map[string]func() error{
			"success": func() error { return nil },
			"failure": func() error { return errBadRequest },
			"panic":   func() error { panic("oops") },
		} {
			bubble(t, limits+", "+how, func(t *testing.T) {
				var own context.Context
				func() {
					defer func() { _ = recover() }()
					_, _, _ = timed(t.Context(), newOperation(t, policy), func(ctx context.Context, _ int) error {
						own = ctx
						if ctx.Err() != nil {
							t.Errorf("the context has ended before: %v", ctx.Err())
						}
						return end()
					})
				}()
				if own.Err() == nil || t.Context().Err() != nil {
					t.Errorf("after Do the attempt's context is %v and the caller's %v, want the first ended", own.Err(), t.Context().Err())
				}
				if cause := context.Cause(own); !errors.Is(cause, context.Canceled) {
					t.Errorf("Cause() = %v, want %v: no limit has passed", cause, context.Canceled)
				}
			})
		}
	}
}

// Each attempt has a context of its own, and its end says whose it was.
func TestCausesOfAttemptsThatEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var causes []error
		_, _, _ = timed(t.Context(), newOperation(t, within(50*time.Second, 20*time.Second)), func(ctx context.Context, _ int) error {
			if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) > 20*time.Second {
				t.Errorf("Deadline() = %v, %t; want one within 20s", time.Until(deadline), ok)
			}
			err := hang(ctx)
			causes = append(causes, context.Cause(ctx))
			return err
		})
		if want := []error{trysail.ErrAttemptTimeout, trysail.ErrAttemptTimeout, trysail.ErrTotalTimeout}; !slices.Equal(causes, want) {
			t.Errorf("causes = %v, want %v", causes, want)
		}
	})
}

// An answer that is complete is kept, however late it came.
func TestLateSuccessIsASuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, within(30*time.Second, 20*time.Second))
		_, took, err := timed(t.Context(), op, func(context.Context, int) error { time.Sleep(time.Minute); return nil })
		if m := op.Metrics(); err != nil || took != time.Minute || m.Succeeded != 1 {
			t.Errorf("Do() = %v in %v, %+v; want a success after 1m0s", err, took, m)
		}
	})
}

func TestExplainTellsWhoseLimitHasPassed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, within(30*time.Second, 0))
		_, _, _ = timed(t.Context(), op, func(ctx context.Context, _ int) error { return hang(ctx) })
		got := op.Explain()
		if len(got) != 1 || strings.Contains(got[0].Reason, "caller") {
			t.Errorf("Explain() = %+v, want the call's own limit as the reason: the caller has none", got)
		}
	})
}

// A probe may be a stream, of which Attempt bounds the begin only.
func TestProbeTimeoutFollowsAttempt(t *testing.T) {
	for name, tc := range map[string]struct{ attempt, own, want time.Duration }{
		"no limit":           {0, 0, 2 * time.Minute},
		"never less":         {20 * time.Second, 0, 2 * time.Minute},
		"ten seconds longer": {3 * time.Minute, 0, 190 * time.Second},
		"an hour at most":    {time.Hour, 0, time.Hour},
		"stated":             {20 * time.Second, 20 * time.Second, 20 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			policy := within(0, tc.attempt)
			policy.Breaker.ProbeTimeout = tc.own
			if got := newOperation(t, policy).Policy().Breaker.ProbeTimeout; got != tc.want {
				t.Errorf("ProbeTimeout with Attempt %v = %v, want %v", tc.attempt, got, tc.want)
			}
		})
	}
	// The default that an operation's own Attempt replaces is not a stated one.
	op, err := newOrchestrator(t, trysail.Config{Default: within(0, time.Second)}).Register("op",
		trysail.OperationConfig{Policy: trysail.Policy{Attempt: 5 * time.Minute}})
	if err != nil || op.Policy().Breaker.ProbeTimeout != 310*time.Second {
		t.Errorf("Register() = %v, want ProbeTimeout 5m10s", err)
	}
}

func TestBadLimits(t *testing.T) {
	probe := func(p trysail.Policy, d time.Duration) trysail.Policy { p.Breaker.ProbeTimeout = d; return p }
	for name, tc := range map[string]struct {
		policy trysail.Policy
		want   []string
	}{
		"negative": {within(-1, -time.Second), []string{
			"Total is -1ns, want 0s, which is no limit, to 24h", "Attempt is -1s, want 0s, which is no limit, to 1h",
		}},
		"too long": {within(24*time.Hour+1, time.Hour+1), []string{
			"Total is 24h0m0.000000001s, want", "Attempt is 1h0m0.000000001s, want 0s",
		}},
		"Attempt over Total": {within(20*time.Second, 20*time.Second+1), []string{
			"Attempt is 20.000000001s, want at most Total, which is 20s",
		}},
		"ProbeTimeout under Attempt": {probe(within(0, 20*time.Second), 20*time.Second-1), []string{
			"Breaker.ProbeTimeout is 19.999999999s, want at least Attempt, which is 20s",
		}},
		"all at once": {probe(within(10*time.Second, 20*time.Second), -1), []string{
			"Attempt is 20s, want at most Total, which is 10s",
			"Breaker.ProbeTimeout is -1ns, want at least Attempt",
			"Breaker.ProbeTimeout is -1ns, want more than 0s",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := trysail.New(trysail.Config{Default: tc.policy})
			wantFaults(t, err, tc.want...)
			_, err = newOrchestrator(t, trysail.Config{}).Register("op", trysail.OperationConfig{Policy: tc.policy})
			wantFaults(t, err, tc.want...)
		})
	}
	for name, policy := range map[string]trysail.Policy{
		"the longest": within(24*time.Hour, time.Hour), "the shortest": within(1, 1), "Attempt alone": within(0, time.Hour),
	} {
		t.Run(name, func(t *testing.T) {
			if p := newOperation(t, policy).Policy(); p.Total != policy.Total || p.Attempt != policy.Attempt {
				t.Errorf("Policy() = %+v, want the limits of %+v", p, policy)
			}
		})
	}
}

// Limits cost those who have them.
func TestNoAllocationsWithoutLimits(t *testing.T) {
	ctx, op := t.Context(), newOperation(t, trysail.Policy{})
	other := func(context.Context, error) (int, error) { return 2, nil }
	for name, f := range map[string]func(){
		"success":         func() { _, _ = trysail.Do(ctx, op, succeeds) },
		"two fallbacks":   func() { _, _ = trysail.DoWithFallback(ctx, op, succeeds, other, other) },
		"keyed operation": func() { _, _ = trysail.Do(ctx, op.For("a"), succeeds) },
	} {
		t.Run(name, func(t *testing.T) {
			f()
			if got := testing.AllocsPerRun(1000, f); got != 0 {
				t.Errorf("allocations = %v, want 0", got)
			}
		})
	}
}

func TestRefusedCallTakesNoTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op, r := listening(t, gated(trysail.LimiterPolicy{}, trysail.BulkheadPolicy{MaxConcurrent: 1, MaxQueue: 1, MaxWait: time.Second}))
		first := hold(t, op)
		_ = call(t, op, nil) // waits for a second in vain
		if heard := r.callsHeard(); len(heard) != 1 || heard[0].Took != 0 || heard[0].Attempt != 0 {
			t.Errorf("heard %+v, want one call without attempts, which took no time with the dependency", heard)
		}
		_ = first.end(nil)
	})
}

func TestProbeTimeoutUnderTheLongestAttempt(t *testing.T) {
	policy := within(0, time.Hour)
	policy.Breaker.ProbeTimeout = time.Hour - 1
	_, err := trysail.New(trysail.Config{Default: policy})
	wantFaults(t, err, "Default.Breaker.ProbeTimeout is 59m59.999999999s, want at least Attempt, which is 1h0m0s")
}

// Which of the two comes first at that instant is chance.
func TestPlaceAtTheEndOfTheLimitIsOfNoUse(t *testing.T) {
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			policy := gated(trysail.LimiterPolicy{}, trysail.BulkheadPolicy{MaxConcurrent: 1, MaxQueue: 1})
			policy.Total = time.Second
			op := newOperation(t, policy)
			first, err := op.Acquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			time.AfterFunc(time.Second, func() { first.Done(nil) })
			if err := call(t, op, nil); !errors.Is(err, trysail.ErrTotalTimeout) {
				t.Errorf("Do() = %v, want the end of its limit", err)
			}
			synctest.Wait()
		})
	}
}
