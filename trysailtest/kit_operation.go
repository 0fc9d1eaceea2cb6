package trysailtest

import (
	"testing"
	"time"

	"github.com/trysail-go/trysail"
)

// Operation returns an operation "op" under the policy, in an orchestrator of its own, and a
// recorder that hears all of it. The policy's zero fields take the numbers of
// [trysail.Balanced], as everywhere. If the test fails, its log tells what the recorder
// has heard of late. A bad policy ends the test.
func Operation(t testing.TB, policy trysail.Policy) (*trysail.Operation, *Recorder) {
	t.Helper()
	r := new(Recorder)
	orc, err := trysail.New(trysail.Config{Default: policy, Observer: r, ObserveCalls: true})
	if err != nil {
		t.Fatalf("operation of a test: %v", err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("what the recorder has heard last:\n%s", indented(timeline(r.Events(), logged)))
		}
	})
	return orc.Operation("op"), r
}

// logged is how many events a failed test tells.
const logged = 50

// Exact returns the policy without what is random in it, so that a test can name every
// time, and what a breaker refuses: Retry.Jitter, what is added to the waits that a server asks for,
// Breaker.RecoveryJitter and Breaker.Enforce. A Retry.Backoff other than [trysail.BackoffExponential] stays as
// random as it is.
func Exact(policy trysail.Policy) trysail.Policy {
	policy.Retry.NoJitter = true
	policy.Breaker.RecoveryJitter = 0
	policy.Breaker.Enforce = 1
	return policy
}

// Trip opens op's breaker, by as many failed calls as its rules want. The calls are not retried, so
// it takes no time, unless a limiter lets them wait. Where failed calls do not open the breaker, because it looks at slow
// ones only or a limit keeps the calls out, it is opened by hand. If an operator's word keeps
// the breaker from opening, or there is none, the test ends.
func Trip(t testing.TB, op *trysail.Operation) {
	t.Helper()
	b, policy := breaker(t, op), op.Policy().Breaker
	for range failuresToOpen(policy, b.Snapshot().WindowCalls) {
		if b.State() == trysail.Open {
			return
		}
		permit, err := op.Acquire(t.Context())
		if err != nil {
			break
		}
		permit.Done(ErrScripted)
	}
	if b.State() != trysail.Open {
		b.OpenUntil(time.Now().Add(policy.RecoveryTimeout), "opened by a test")
	}
	mustState(t, op, trysail.Open)
}

// failuresToOpen returns how many failed calls should open a breaker whose window holds so many.
func failuresToOpen(p trysail.BreakerPolicy, windowCalls int) int {
	switch {
	case !p.RatesOnly:
		return p.FailureThreshold
	case p.FailureRate > 0:
		return p.MinCalls + p.WindowCalls + 9*windowCalls // for a rate of 0.9, if all of those succeeded
	default:
		return 0
	}
}

// HalfOpen brings op's breaker to where it lets probes through: it trips it, unless it is open,
// and waits until the open time has passed, which in a bubble takes none.
func HalfOpen(t testing.TB, op *trysail.Operation) {
	t.Helper()
	b := breaker(t, op)
	if b.State() == trysail.HalfOpen {
		return
	}
	if b.State() != trysail.Open {
		Trip(t, op)
	}
	for s := b.Snapshot(); s.State == trysail.Open; s = b.Snapshot() {
		if err := pause(t.Context(), max(time.Until(s.NextAttemptAt), 1)); err != nil {
			t.Fatalf("while the breaker of %q was open: %v", op.Name(), err)
		}
	}
	mustState(t, op, trysail.HalfOpen)
}

// WantState fails the test unless op's breaker is in the state want.
func WantState(t testing.TB, op *trysail.Operation, want trysail.State) {
	t.Helper()
	if s := breaker(t, op).Snapshot(); s.State != want {
		t.Errorf("breaker of %q is %v (%s), want %v", op.Name(), s.State, s.Reason, want)
	}
}

// mustState is WantState where nothing that follows would make sense.
func mustState(t testing.TB, op *trysail.Operation, want trysail.State) {
	t.Helper()
	if s := breaker(t, op).Snapshot(); s.State != want {
		t.Fatalf("breaker of %q is %v (%s) and cannot be brought to %v", op.Name(), s.State, s.Reason, want)
	}
}

// breaker returns op's breaker; without one the test ends.
func breaker(t testing.TB, op *trysail.Operation) *trysail.Breaker {
	t.Helper()
	b := op.Breaker()
	if b == nil {
		t.Fatalf("operation %q has no breaker: its policy says so", op.Name())
	}
	return b
}
