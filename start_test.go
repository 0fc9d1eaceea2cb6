package trysail_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

// began runs Start with the attempts and returns the context of the last one.
func began(ctx context.Context, op *trysail.Operation, f func(ctx context.Context, attempt int) error) (own context.Context, p *trysail.Permit, err error) {
	n := 0
	_, p, err = trysail.Start(ctx, op, func(ctx context.Context) (string, error) {
		n++
		own = ctx
		return "stream", f(ctx, n)
	})
	return own, p, err
}

// The limit of an attempt bounds the begin, to the nanosecond, and not what comes after.
func TestStartLimitsOnlyTheBegin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, within(time.Minute, 20*time.Second))
		own, permit, err := began(t.Context(), op, func(context.Context, int) error { time.Sleep(20*time.Second - 1); return nil })
		if err != nil || own.Err() != nil {
			t.Fatalf("Start() = %v with a context that is %v, want both nil", err, own.Err())
		}
		time.Sleep(24 * time.Hour) // Total does not apply either
		if own.Err() != nil {
			t.Errorf("a day into the stream its context is %v, want it alive", own.Err())
		}
		permit.Done(nil)
		if own.Err() == nil || t.Context().Err() != nil {
			t.Errorf("after Done the contexts are %v and %v, want the stream's ended alone", own.Err(), t.Context().Err())
		}
		if m := op.Metrics(); m.Succeeded != 1 || m.Calls != 1 {
			t.Errorf("Metrics() = %+v, want one success", m)
		}
	})
}

// An answer whose begin came too late has a context that has ended: it cannot be read,
// and so it must not be handed out as a success.
func TestStartHandsOutNoDeadStream(t *testing.T) {
	for name, late := range map[string]time.Duration{"at the limit": 0, "after it": 1} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, within(0, 20*time.Second))
			own, permit, err := began(t.Context(), op, func(_ context.Context, attempt int) error {
				if attempt == 1 {
					time.Sleep(20*time.Second + late) // a client that looks at its context too late
				}
				return nil
			})
			synctest.Wait()
			if err == nil && own.Err() != nil {
				t.Errorf("Start() = nil with a context that has ended: %v", context.Cause(own))
			}
			if permit != nil {
				permit.Done(nil)
			}
		})
	}
}

func TestStartEndsTheContextOfAttemptsThatFail(t *testing.T) {
	for name, end := range map[string]func() error{
		"failure": func() error { return errBadRequest },
		"panic":   func() error { panic("oops") },
		"goexit":  func() error { runtime.Goexit(); return nil },
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, within(0, 20*time.Second))
			var own context.Context
			done := make(chan struct{})
			go func() {
				defer close(done)
				defer func() { _ = recover() }()
				_, _, _ = trysail.Start(t.Context(), op, func(ctx context.Context) (int, error) { own = ctx; return 0, end() })
			}()
			<-done
			if own.Err() == nil || errors.Is(context.Cause(own), trysail.ErrAttemptTimeout) {
				t.Errorf("the context is %v because of %v, want it ended at once", own.Err(), context.Cause(own))
			}
			if m := op.Metrics(); m.Failed != 1 || m.Panics != map[bool]uint64{true: 1}[name != "failure"] {
				t.Errorf("Metrics() = %+v, want one failed call", m)
			}
		})
	}
}

func TestStartIsExhausted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, within(0, 20*time.Second))
		start := time.Now()
		_, permit, err := began(t.Context(), op, func(ctx context.Context, _ int) error { return hang(ctx) })
		wantError(t, err, trysail.Error{Operation: "op", Class: trysail.ClassTransient, Attempts: 3}, trysail.ErrAttemptTimeout)
		if m, s := op.Metrics(), op.Breaker().Snapshot(); permit != nil || time.Since(start) != 64*time.Second || s.Failures != 1 || m.Canceled != 0 {
			t.Errorf("Start() = %v in %v, Metrics() = %+v, %d failures; want no permit in 64s and one", permit, time.Since(start), m, s.Failures)
		}
	})
}

func TestStartWhoseCallerLeaves(t *testing.T) {
	for name, tc := range map[string]struct {
		leaves time.Duration
		after  bool // Start has returned
	}{
		"before the begin": {10 * time.Second, false},
		"in the stream":    {10 * time.Minute, true},
	} {
		bubble(t, name, func(t *testing.T) {
			op := newOperation(t, within(0, 20*time.Second))
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(tc.leaves, cancel)
			own, permit, err := began(ctx, op, func(ctx context.Context, _ int) error {
				if tc.after {
					return nil
				}
				return hang(ctx)
			})
			if tc.after {
				permit.Done(hang(own))
			} else if permit != nil || !errors.Is(err, context.Canceled) || errors.Is(err, trysail.ErrAttemptTimeout) {
				t.Errorf("Start() = %v, %v; want %v alone", permit, err, context.Canceled)
			}
			if m, s := op.Metrics(), op.Breaker().Snapshot(); m.Canceled != 1 || m.Calls != 1 || s.Failures != 0 {
				t.Errorf("Metrics() = %+v, %d failures; want one canceled call and none", m, s.Failures)
			}
		})
	}
}

func TestStartAsAProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, trysail.Policy{Breaker: trysail.BreakerPolicy{FailureThreshold: 1}})
		halfOpen(t, op)
		n := 0
		_, permit, err := began(t.Context(), op, func(context.Context, int) error { n++; return errDown })
		if permit != nil || n != 1 || !errors.Is(err, errDown) {
			t.Errorf("probe = %v after %d attempts, want %v after 1", err, n, errDown)
		}
		wantState(t, op, trysail.Open)
		time.Sleep(time.Minute)
		_, permit, err = began(t.Context(), op, func(context.Context, int) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		wantState(t, op, trysail.HalfOpen) // the begin decides nothing
		permit.Done(nil)
		wantState(t, op, trysail.Closed)
	})
}

// To operations inside, the limit of the begin is a deadline as it is under Do: the hung
// dependency has failed, and nobody has left.
func TestStartsLimitIsNoCancellationInside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := newOperation(t, once())
		_, _, _ = began(t.Context(), newOperation(t, within(0, 20*time.Second)), func(ctx context.Context, _ int) error {
			_, err := trysail.Do(ctx, inner, func(ctx context.Context) (int, error) { return 0, hang(ctx) })
			return err
		})
		if m, s := inner.Metrics(), inner.Breaker().Snapshot(); m.Canceled != 0 || s.Failures == 0 {
			t.Errorf("Metrics() = %+v, %d failures; want failures of the inner operation and nothing canceled", m, s.Failures)
		}
	})
}

// The end of a stream is judged by itself. That its begin took several attempts has
// nothing to do with it.
func TestStreamIsNotJudgedByEarlierAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOrchestrator(t, trysail.Config{
			Default: within(0, 20*time.Second),
			Classes: map[trysail.Class]trysail.Consequence{trysail.ClassRateLimited: {Retry: true}}, // does not count
		}).Operation("op")
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		own, permit, err := began(ctx, op, func(_ context.Context, attempt int) error {
			if attempt == 1 {
				return errLimit
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		permit.Done(hang(own)) // the stream hung until the caller's deadline
		got := op.Explain()
		if s := op.Breaker().Snapshot(); s.Failures != 1 || len(got) != 1 || got[0].Class != trysail.ClassTransient || got[0].Attempts != 2 {
			t.Errorf("%d failures, Explain() = %+v; want one, transient, of 2 attempts", s.Failures, got)
		}
	})
}

// The same goes for a call that the operation inside begins when the limit has passed.
func TestCallAfterStartsLimitIsNotCanceled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := newOperation(t, once())
		policy := within(0, 20*time.Second)
		policy.Retry.Disabled = true
		_, _, _ = began(t.Context(), newOperation(t, policy), func(ctx context.Context, _ int) error {
			<-ctx.Done()
			_, err := trysail.Do(ctx, inner, succeeds)
			if !errors.Is(err, context.DeadlineExceeded) || trysail.Classify(err) != trysail.ClassTransient {
				t.Errorf("inner Do() = %v, want %v: nobody has left", err, context.DeadlineExceeded)
			}
			return err
		})
		if m := inner.Metrics(); m.Canceled != 0 || m.Failed != 1 {
			t.Errorf("Metrics() = %+v, want one call that failed and none canceled", m)
		}
	})
}

// A limit of the attempt must not hide what the attempt said before it.
func TestStartUnderALimitTellsWhatFailed(t *testing.T) {
	for name, tc := range map[string]struct {
		after time.Duration
		err   error
		late  bool
	}{
		"in time":                {20*time.Second - 1, errDown, false},
		"too late":               {20*time.Second + 1, errDown, true},
		"an answer that is late": {20*time.Second + 1, nil, true},
	} {
		bubble(t, name, func(t *testing.T) {
			policy := within(0, 20*time.Second)
			policy.Retry.Disabled = true
			_, permit, err := began(t.Context(), newOperation(t, policy), func(context.Context, int) error {
				time.Sleep(tc.after)
				return tc.err
			})
			if permit != nil || errors.Is(err, trysail.ErrAttemptTimeout) != tc.late || tc.err != nil && !errors.Is(err, tc.err) {
				t.Errorf("Start() = %v, %v; want no permit, %v and, %t, the limit", permit, err, tc.err, tc.late)
			}
		})
	}
}
