package bench_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// fullTest runs a test for each stack with every policy, in a bubble.
func fullTest(t *testing.T, test func(*testing.T, fullStack)) {
	for _, s := range full() {
		t.Run(s.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, s) })
		})
	}
}

// wantAnswer makes a call and checks what came of it.
func wantAnswer(t *testing.T, what string, call func() (int, error), want int) {
	t.Helper()
	if got, err := call(); got != want || err != nil {
		t.Errorf("%s: %d, %v, want %d, nil", what, got, err, want)
	}
}

func TestFullStacksRetryAndFallBackAlike(t *testing.T) {
	for name, tc := range map[string]struct{ failures, calls, answer int }{
		"success makes one attempt":            {0, 1, 1},
		"two failures are repeated":            {2, 3, 1},
		"after three the fallback answers":     {3, 3, fallbackAnswer},
		"so it does for what never gets right": {1000, 3, fallbackAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			fullTest(t, func(t *testing.T, s fullStack) {
				dep := &scripted{failures: tc.failures}
				wantAnswer(t, "call", s.prepare(t, dep.dependency(), unlimited), tc.answer)
				if dep.calls != tc.calls {
					t.Errorf("%d attempts, want %d", dep.calls, tc.calls)
				}
			})
		})
	}
}

func TestFullStacksOpenAlike(t *testing.T) {
	fullTest(t, func(t *testing.T, s fullStack) {
		dep := &scripted{failures: 1000}
		call := s.prepare(t, dep.dependency(), unlimited)
		for range threshold {
			wantAnswer(t, "failed call", call, fallbackAnswer)
		}
		made := dep.calls
		time.Sleep(openFor - 1)
		wantAnswer(t, "before the time", call, fallbackAnswer)
		if dep.calls != made {
			t.Errorf("an open breaker let %d attempts through, want none", dep.calls-made)
		}
		time.Sleep(2 * time.Nanosecond) // gobreaker wants a nanosecond more than the others
		dep.failures = 0
		wantAnswer(t, "after the time", call, 1)
	})
}

func TestFullStacksLimitAlike(t *testing.T) {
	const perSecond = 4 // of 3 trysail lets 2 through at once, because it rounds each up to whole nanoseconds
	fullTest(t, func(t *testing.T, s fullStack) {
		dep := &scripted{}
		call := s.prepare(t, dep.dependency(), perSecond)
		for range perSecond {
			wantAnswer(t, "within the rate", call, 1)
		}
		wantAnswer(t, "over the rate", call, fallbackAnswer)
		time.Sleep(time.Second)
		wantAnswer(t, "a second later", call, 1)
	})
}

// TestFullStacksEndAttemptsAlike lets the first attempt hang.
func TestFullStacksEndAttemptsAlike(t *testing.T) {
	fullTest(t, func(t *testing.T, s fullStack) {
		calls := 0
		hangOnce := func(ctx context.Context) (int, error) {
			if calls++; calls == 1 {
				<-ctx.Done()
				return 0, ctx.Err()
			}
			return 1, nil
		}
		began := time.Now()
		wantAnswer(t, "call", s.prepare(t, dependency{cancellable: hangOnce}, unlimited), 1)
		if took := time.Since(began); took != attemptLimit || calls != 2 {
			t.Errorf("took %v and %d attempts, want %v and 2", took, calls, attemptLimit)
		}
	})
}

// TestFullStacksFillAlike fills the bulkhead with calls that hang.
func TestFullStacksFillAlike(t *testing.T) {
	fullTest(t, func(t *testing.T, s fullStack) {
		finish := make(chan struct{})
		call := s.prepare(t, hanging(finish), unlimited)
		var running sync.WaitGroup
		for range places {
			running.Go(func() { wantAnswer(t, "call with a place", call, 1) })
		}
		synctest.Wait()
		wantAnswer(t, "call without a place", call, fallbackAnswer)
		close(finish)
		running.Wait()
		wantAnswer(t, "call after the others", call, 1)
	})
}

// hanging answers 1 when finish is closed.
func hanging(finish chan struct{}) dependency {
	answer := func() (int, error) {
		<-finish
		return 1, nil
	}
	return dependency{plain: answer, cancellable: func(context.Context) (int, error) { return answer() }}
}
