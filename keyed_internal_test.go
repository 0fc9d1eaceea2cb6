package trysail

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// full returns an operation that remembers as many keys as it may, k0 to k999, used in that order.
func full(t *testing.T) *Operation {
	t.Helper()
	orc, err := New(Config{Default: Policy{Retry: RetryPolicy{Disabled: true}, Breaker: BreakerPolicy{FailureThreshold: 2}}})
	if err != nil {
		t.Fatal(err)
	}
	op := orc.Operation("op")
	for i := range keysPerOperation {
		op.For(fmt.Sprint("k", i))
	}
	return op
}

// failing makes calls for a key that fail.
func failing(op *Operation, key string, calls int) {
	for range calls {
		_, _ = Do(context.Background(), op.For(key), func(context.Context) (int, error) { return 0, errors.New("down") })
	}
}

func (op *Operation) remembers(key string) bool {
	_, ok := op.keyed(key)
	return ok
}

// Whoever comes with ever new keys must not make each caller of the others wait until all have been looked at.
func TestKeysAreLookedAtNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := full(t)
		op.For("first")
		keys := op.keys.Load()
		looked := keys.linedUp
		if looked == 0 || op.remembers("k0") || !op.remembers("k1") {
			t.Fatalf("looked at %d, k0 %t, k1 %t; want k0 forgotten", looked, op.remembers("k0"), op.remembers("k1"))
		}
		time.Sleep(time.Duration(lineUpStep) - 1)
		for i := range 300 {
			op.For(fmt.Sprint("new", i))
		}
		if keys.linedUp != looked || op.remembers("k300") || !op.remembers("k301") {
			t.Errorf("looked at %d, k300 %t, k301 %t; want %d, and the oldest forgotten",
				keys.linedUp, op.remembers("k300"), op.remembers("k301"), looked)
		}
		time.Sleep(time.Nanosecond)
		op.For("last")
		if keys.linedUp != looked+lineUpStep || len(keys.entries) != keysPerOperation {
			t.Errorf("looked at %d of %d, want %d of %d", keys.linedUp, len(keys.entries), looked+lineUpStep, keysPerOperation)
		}
	})
}

// What happened since all were looked at is known of those whose turn it is.
func TestKeysThatChangedSinceTheyWereLookedAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := full(t)
		op.For("first")      // k0 goes
		op.For("k1")         // used again
		failing(op, "k2", 1) // a streak, and used
		failing(op, "k3", 2) // open
		op.For("second")     // k4 goes
		for i := range keysPerOperation {
			op.For(fmt.Sprint("new", i)) // everything that can go, goes
		}
		for key, want := range map[string]bool{"k1": true, "k2": true, "k3": true, "k4": false, "k5": false, "first": false} {
			if got := op.remembers(key); got != want {
				t.Errorf("%s is remembered: %t, want %t", key, got, want)
			}
		}
	})
}

// While all others fail, new keys go first; then those that fail, the oldest first; then those that are open.
func TestKeysGoByWhatIsLostWithThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := full(t)
		for i := range keysPerOperation {
			failing(op, fmt.Sprint("k", i), 1+i%2) // the odd ones are open
		}
		failing(op, "new0", 1) // in place of k0, which fails
		failing(op, "new1", 2) // in place of k2
		op.For("new2")         // in place of k4
		op.For("new3")         // in place of new2
		for key, want := range map[string]bool{"k0": false, "k1": true, "k2": false, "k4": false, "k6": true, "new0": true, "new1": true, "new2": false, "new3": true} {
			if got := op.remembers(key); got != want {
				t.Errorf("%s is remembered: %t, want %t", key, got, want)
			}
		}
		for i := range keysPerOperation {
			failing(op, fmt.Sprint("more", i), 2)
		}
		open := 0
		for _, child := range op.Keys() {
			if child.Breaker().State() == Open {
				open++
			}
		}
		if open < keysPerOperation-1 || op.remembers("k6") {
			t.Errorf("%d of %d are open, k6 remembered %t; want no streak kept while a breaker is forgotten", open, keysPerOperation, op.remembers("k6"))
		}
	})
}

// An open breaker is not forgotten for want of another look at those who are well again.
func TestOpenKeyStaysWhileAnotherIsWellAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := full(t)
		for i := range keysPerOperation {
			failing(op, fmt.Sprint("k", i), 2)
		}
		op.For("a") // in place of k0: all are open
		failing(op, "a", 2)
		op.For("k500").Breaker().Close(Override{})
		op.For("b")
		if !op.remembers("k1") || op.remembers("k500") {
			t.Errorf("k1 %t, k500 %t; want the one forgotten that is well", op.remembers("k1"), op.remembers("k500"))
		}
	})
}
