package trysail_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
)

// The checks of retry wrappers on which other libraries were compared, under the
// default policy: 3 attempts with waits of 2 s and jitter.
func TestRetryBehaviour(t *testing.T) {
	for name, check := range map[string]func(*testing.T, *trysail.Operation){
		"a context that is cancelled already gives no attempt":  cancelledContextGivesNoAttempt,
		"a context that is over already gives no attempt":       expiredContextGivesNoAttempt,
		"context.Canceled from the function is not retried":     canceledIsNotRetried,
		"cancelling during a wait ends the call at once":        cancelEndsTheWait,
		"after exhaustion the last error can be matched":        exhaustionKeepsTheLastError,
		"no attempt follows once the function saw cancellation": noAttemptAfterCancel,
	} {
		bubble(t, name, func(t *testing.T) { check(t, newOperation(t, trysail.Policy{})) })
	}
}

// attempts runs a call whose function is told its attempt, and returns how many
// there were and how long they took.
func attempts(ctx context.Context, op *trysail.Operation, f func(attempt int) error) (n int, took time.Duration, err error) {
	start := time.Now()
	_, err = trysail.Do(ctx, op, func(context.Context) (int, error) {
		n++
		return 0, f(n)
	})
	return n, time.Since(start), err
}

func always(err error) func(int) error { return func(int) error { return err } }

func cancelledContextGivesNoAttempt(t *testing.T, op *trysail.Operation) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	n, _, err := attempts(ctx, op, always(errDown))
	if n != 0 || !errors.Is(err, context.Canceled) || trysail.Classify(err) != trysail.ClassCanceled {
		t.Errorf("Do(cancelled) = %v after %d attempts, want %v after 0", err, n, context.Canceled)
	}
	if m := op.Metrics(); m.Calls != 1 || m.Failed != 1 || m.Canceled != 1 {
		t.Errorf("Metrics() = %+v, want one call, failed and cancelled", m)
	}
}

func expiredContextGivesNoAttempt(t *testing.T, op *trysail.Operation) {
	ctx, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	n, _, err := attempts(ctx, op, always(errDown))
	if n != 0 || !errors.Is(err, context.DeadlineExceeded) || trysail.Classify(err) != trysail.ClassTransient {
		t.Errorf("Do(expired) = %v after %d attempts, want %v after 0", err, n, context.DeadlineExceeded)
	}
	if m := op.Metrics(); m.Calls != 1 || m.Failed != 1 || m.Canceled != 0 {
		t.Errorf("Metrics() = %+v, want one call, failed and not cancelled", m)
	}
}

func canceledIsNotRetried(t *testing.T, op *trysail.Operation) {
	n, took, err := attempts(t.Context(), op, always(context.Canceled))
	if n != 1 || took != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("Do() = %v after %d attempts and %v, want %v after 1 and no wait", err, n, took, context.Canceled)
	}
}

func cancelEndsTheWait(t *testing.T, op *trysail.Operation) {
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(time.Second, cancel)
	n, took, err := attempts(ctx, op, always(errDown))
	if n != 1 || took != time.Second {
		t.Errorf("Do() took %v with %d attempts, want 1s with 1", took, n)
	}
	if !errors.Is(err, ctx.Err()) || !errors.Is(err, errDown) {
		t.Errorf("Do() = %v, want one that is both %v and %v", err, ctx.Err(), errDown)
	}
	if m := op.Metrics(); m.Canceled != 1 || m.Retries != 0 {
		t.Errorf("Metrics() = %+v, want one cancelled call without retries", m)
	}
}

func exhaustionKeepsTheLastError(t *testing.T, op *trysail.Operation) {
	errFirst, errLast := errors.New("first"), errors.New("last")
	n, _, err := attempts(t.Context(), op, func(attempt int) error {
		if attempt < 3 {
			return errFirst
		}
		return errLast
	})
	var e *trysail.Error
	if !errors.As(err, &e) || e.Attempts != 3 || n != 3 {
		t.Fatalf("Do() = %v after %d attempts, want an Error that names 3", err, n)
	}
	if !errors.Is(err, errLast) || errors.Is(err, errFirst) {
		t.Errorf("Do() = %v, want %v and not %v", err, errLast, errFirst)
	}
}

func noAttemptAfterCancel(t *testing.T, op *trysail.Operation) {
	ctx, cancel := context.WithCancel(t.Context())
	n, _, err := attempts(ctx, op, func(attempt int) error {
		if attempt == 1 {
			return errDown
		}
		cancel()
		return ctx.Err()
	})
	if n != 2 || !errors.Is(err, context.Canceled) || !errors.Is(err, errDown) {
		t.Errorf("Do() = %v after %d attempts, want %v and %v after 2", err, n, context.Canceled, errDown)
	}
}
