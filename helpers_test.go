package trysail_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
)

// errDown is what a dependency says that does not work.
var errDown = errors.New("down")

// errBadRequest is a neutral outcome: the dependency works, the request does not.
var errBadRequest = trysail.Permanent(errors.New("bad request"))

// once is the policy of tests of the breaker: each call is one attempt. The
// breaker has the default numbers: 5 failures, 60 s, 1 probe, 2 min for it.
func once() trysail.Policy {
	return trysail.Policy{Retry: trysail.RetryPolicy{Disabled: true}}
}

// newOrchestrator returns an orchestrator with a configuration that must be good.
func newOrchestrator(t testing.TB, cfg trysail.Config) *trysail.Orchestrator {
	t.Helper()
	orc, err := trysail.New(cfg)
	if err != nil {
		t.Fatalf("New(%+v) = %v", cfg, err)
	}
	return orc
}

// newOperation returns an operation under the policy.
func newOperation(t testing.TB, policy trysail.Policy) *trysail.Operation {
	t.Helper()
	return newOrchestrator(t, trysail.Config{Default: policy}).Operation("op")
}

// bubble runs f as a subtest in a bubble of its own.
func bubble(t *testing.T, name string, f func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

// call makes a call whose every attempt ends with outcome.
func call(t testing.TB, op *trysail.Operation, outcome error) error {
	t.Helper()
	_, err := trysail.Do(t.Context(), op, func(context.Context) (int, error) { return 0, outcome })
	return err
}

// trip makes calls fail until the breaker is open.
func trip(t testing.TB, op *trysail.Operation) {
	t.Helper()
	for range op.Policy().Breaker.FailureThreshold {
		_ = call(t, op, errDown)
	}
	wantState(t, op, trysail.Open)
}

// halfOpen trips the breaker and waits until probes are let through.
func halfOpen(t testing.TB, op *trysail.Operation) {
	t.Helper()
	trip(t, op)
	time.Sleep(op.Policy().Breaker.RecoveryTimeout)
	wantState(t, op, trysail.HalfOpen)
}

func wantState(t testing.TB, op *trysail.Operation, want trysail.State) {
	t.Helper()
	if got := op.Breaker().State(); got != want {
		t.Fatalf("State() = %v, want %v", got, want)
	}
}

// A held call runs until the test says how it ends, or ends itself.
type held struct {
	outcome chan error
	result  chan error
}

// hold starts a call that the breaker must admit.
func hold(t testing.TB, op *trysail.Operation) *held {
	t.Helper()
	h, err := try(t, op)
	if err != nil {
		t.Fatalf("Do() = %v, want the call admitted", err)
	}
	return h
}

// try starts a call, or returns why the breaker did not admit it.
func try(t testing.TB, op *trysail.Operation) (*held, error) {
	t.Helper()
	h := &held{make(chan error), make(chan error, 1)}
	running := make(chan struct{})
	go func() {
		_, err := trysail.Do(t.Context(), op, func(context.Context) (int, error) {
			close(running)
			select {
			case outcome := <-h.outcome:
				return 0, outcome
			case <-t.Context().Done():
				return 0, t.Context().Err()
			}
		})
		h.result <- err
	}()
	select {
	case <-running:
		return h, nil
	case err := <-h.result:
		return nil, err
	}
}

// end ends the call and returns what Do returned.
func (h *held) end(outcome error) error {
	h.outcome <- outcome
	return <-h.result
}

// A recorder is an observer that remembers.
type recorder struct {
	mu     sync.Mutex // guards events
	events []trysail.Event
}

// Observe implements [trysail.Observer].
func (r *recorder) Observe(e trysail.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

// heard returns the events so far, once all that are due have been delivered.
// It works in a bubble only.
func (r *recorder) heard() []trysail.Event {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]trysail.Event(nil), r.events...)
}

// observer makes a function an observer.
type observer func(trysail.Event)

// Observe implements [trysail.Observer].
func (f observer) Observe(e trysail.Event) { f(e) }

// rated is the policy of tests of the rate rules: each call is one attempt, and
// calls that fail in a row are no reason by themselves.
func rated(breaker trysail.BreakerPolicy) trysail.Policy {
	policy := once()
	policy.Breaker = breaker
	policy.Breaker.RatesOnly = true
	return policy
}

// calls makes calls, one for each letter: s succeeds, f fails, n is neutral. In
// upper case they take a nanosecond more than SlowCall, which makes them slow; e
// takes exactly that long. It works in a bubble only if calls take time.
func calls(t testing.TB, op *trysail.Operation, letters string) {
	t.Helper()
	limit := op.Policy().Breaker.SlowCall
	for _, letter := range letters {
		switch letter {
		case 's':
			_ = call(t, op, nil)
		case 'f':
			_ = call(t, op, errDown)
		case 'n':
			_ = call(t, op, errBadRequest)
		case 'e':
			_ = lasting(t, op, limit, nil)
		case 'S':
			_ = lasting(t, op, limit+1, nil)
		case 'F':
			_ = lasting(t, op, limit+1, errDown)
		case 'N':
			_ = lasting(t, op, limit+1, errBadRequest)
		default:
			t.Fatalf("calls(%q): unknown letter %q", letters, letter)
		}
	}
}

// lasting makes a call that takes d. It works in a bubble only.
func lasting(t testing.TB, op *trysail.Operation, d time.Duration, outcome error) error {
	t.Helper()
	_, err := trysail.Do(t.Context(), op, func(context.Context) (int, error) {
		time.Sleep(d)
		return 0, outcome
	})
	return err
}

// probing opens the breaker for a second by hand and waits until it is half-open,
// whatever its rules are.
func probing(t testing.TB, op *trysail.Operation) {
	t.Helper()
	op.Breaker().OpenUntil(time.Now().Add(time.Second), "test")
	time.Sleep(time.Second)
	wantState(t, op, trysail.HalfOpen)
}

// register gives the operation "op" another policy for its breaker.
func register(t testing.TB, orc *trysail.Orchestrator, breaker trysail.BreakerPolicy) {
	t.Helper()
	policy := once()
	policy.Breaker = breaker
	if _, err := orc.Register("op", trysail.OperationConfig{Policy: policy}); err != nil {
		t.Fatal(err)
	}
}

// refusal makes a call that the breaker must refuse, and returns why it did.
func refusal(t testing.TB, op *trysail.Operation) (*trysail.Error, *trysail.OpenError) {
	t.Helper()
	err := call(t, op, nil)
	var (
		e *trysail.Error
		o *trysail.OpenError
	)
	if !errors.As(err, &e) || !errors.As(err, &o) || !errors.Is(err, trysail.ErrOpen) {
		t.Fatalf("Do() = %v, want a refusal", err)
	}
	return e, o
}

// leaving makes a call whose caller leaves after d. It works in a bubble only.
func leaving(t testing.TB, op *trysail.Operation, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(d, cancel)
	_, err := trysail.Do(ctx, op, func(ctx context.Context) (int, error) {
		<-ctx.Done()
		return 0, ctx.Err()
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Do() = %v, want %v", err, context.Canceled)
	}
}
