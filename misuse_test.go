package trysail_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

// "defer permit.Done(err)" is often written before the error of Acquire is looked at.
func TestPermitThatThereIsNot(t *testing.T) {
	op := newOperation(t, trysail.Policy{Bulkhead: trysail.BulkheadPolicy{MaxConcurrent: 1}})
	defer acquire(t.Context(), t, op).Done(nil)
	permit, err := op.Acquire(t.Context())
	if permit != nil || !errors.Is(err, trysail.ErrBulkheadFull) {
		t.Fatalf("Acquire() = %v, %v; want no permit", permit, err)
	}
	permit.Done(err)
	new(trysail.Permit).Done(nil)
	if m := op.Metrics(); m.Misuses != 0 || m.Calls != 1 {
		t.Errorf("Metrics() = %+v, want nothing counted but the refusal", m)
	}
}

// An Operation that was made by hand has no orchestrator.
func TestOperationMadeByHand(t *testing.T) {
	fine := func(context.Context) (int, error) { return 1, nil }
	for name, op := range map[string]*trysail.Operation{"nil": nil, "zero": new(trysail.Operation), "key": new(trysail.Operation).For("a")} {
		if _, err := trysail.Do(t.Context(), op, fine); !errors.Is(err, trysail.ErrNoOperation) {
			t.Errorf("%s: Do() = %v, want ErrNoOperation", name, err)
		}
		if _, err := trysail.Do(t.Context(), op.For("key"), trysail.Hedged(op, fine)); !errors.Is(err, trysail.ErrNoOperation) {
			t.Errorf("%s: Do() of a key, hedged = %v, want ErrNoOperation", name, err)
		}
		if p, err := op.Acquire(t.Context()); p != nil || !errors.Is(err, trysail.ErrNoOperation) {
			t.Errorf("%s: Acquire() = %v, %v; want ErrNoOperation", name, p, err)
		}
		for _, r := range trysail.Batch(t.Context(), op, []int{1, 2}, func(context.Context, int) (int, error) { return 1, nil }) {
			if !errors.Is(r.Err, trysail.ErrNoOperation) {
				t.Errorf("%s: Batch() = %v, want ErrNoOperation", name, r)
			}
		}
	}
}

// badError is an error of which nothing can be asked, as a nil pointer that was returned as an error.
type badError struct{ cause *error }

func (*badError) Error() string   { return "bad" }
func (e *badError) Unwrap() error { return *e.cause }

// An error whose methods panic must not keep the place of its call, whichever way it comes.
func TestErrorWhoseMethodsPanic(t *testing.T) {
	for name, end := range map[string]func(op *trysail.Operation){
		"Do": func(op *trysail.Operation) {
			_, _ = trysail.Do(t.Context(), op, func(context.Context) (int, error) { return 0, &badError{} })
		},
		"Start": func(op *trysail.Operation) {
			_, _, _ = trysail.Start(t.Context(), op, func(context.Context) (int, error) { return 0, &badError{} })
		},
		"Done": func(op *trysail.Operation) { acquire(t.Context(), t, op).Done(&badError{}) },
	} {
		t.Run(name, func(t *testing.T) {
			op := newOperation(t, trysail.Policy{
				Bulkhead: trysail.BulkheadPolicy{MaxConcurrent: 1}, Breaker: trysail.BreakerPolicy{FailureThreshold: 1},
			})
			func() {
				defer func() {
					if recover() == nil {
						t.Error("the panic did not go on")
					}
				}()
				end(op)
			}()
			if s, _ := op.Bulkhead(); s.Running != 0 {
				t.Errorf("Bulkhead() = %+v, want no place taken", s)
			}
			if m := op.Metrics(); m.Calls != 1 || m.Failed != 1 || m.Panics != 1 {
				t.Errorf("Metrics() = %+v, want one failed call", m)
			}
			wantState(t, op, trysail.Open)
		})
	}
}

// A call of which no outcome comes is explained like others.
func TestExplainOfCallsWithoutOutcome(t *testing.T) {
	op := newOperation(t, once())
	func() {
		defer func() { _ = recover() }()
		_, _ = trysail.Do(t.Context(), op, func(context.Context) (int, error) { panic("at once") })
	}()
	got := op.Explain()
	if len(got) != 1 || got[0].Outcome != "failed" || !strings.Contains(got[0].Reason, "panicked") || got[0].Attempts != 1 || got[0].Time.IsZero() {
		t.Errorf("Explain() = %+v, want the panic", got)
	}
	func() { acquire(t.Context(), t, op) }() // and forgets it
	if !collect(func() bool { return op.Metrics().Misuses == 1 }) {
		t.Fatal("the permit was not taken back")
	}
	got = op.Explain()
	if last := got[len(got)-1]; len(got) != 2 || last.Outcome != "failed" || !strings.Contains(last.Reason, "nobody called Done") || last.Attempts != 1 {
		t.Errorf("Explain() = %+v, want the lost permit", got)
	}
}

// The observer hears of a permit that a panic gave back as of one attempt.
func TestAttemptsOfAPermitWhoseErrorPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var heard recorder
		op := newOrchestrator(t, trysail.Config{Default: once(), Observer: &heard, ObserveCalls: true}).Operation("op")
		func() {
			defer func() { _ = recover() }()
			acquire(t.Context(), t, op).Done(&badError{})
		}()
		synctest.Wait()
		if got := heard.heard(); len(got) != 1 || got[0].Attempt != 1 || got[0].Err == nil {
			t.Errorf("heard %+v, want a failed call of one attempt", got)
		}
	})
}

// A stream that comes when the caller has gone is closed, as one that comes too late.
func TestStartClosesWhatNobodyWaitsFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := newOperation(t, trysail.Policy{Attempt: time.Minute})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		closed := 0
		_, permit, err := trysail.Start(ctx, op, func(context.Context) (closing, error) {
			time.Sleep(2 * time.Second) // deaf to its context
			return func() error { closed++; return nil }, nil
		})
		if permit != nil || !errors.Is(err, context.DeadlineExceeded) || closed != 1 {
			t.Errorf("Start() = %v, %v with %d closed, want the deadline, and all closed", permit, err, closed)
		}
	})
}
