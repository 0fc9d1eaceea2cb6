package trysailtest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"
)

// A Dependency stands for what a program calls: a provider, a database, a cache. It does what
// a script says, attempt by attempt, and remembers what it was asked. Its method Call is the
// function for [trysail.Do], [trysail.Start] and their like, Fallback the one for
// [trysail.DoWithFallback].
//
// A Dependency comes from [NewDependency]. It is safe for concurrent use.
type Dependency[T any] struct {
	t     testing.TB
	value T

	mu       sync.Mutex // guards what follows
	outcomes []Outcome  // of the attempts to come; the last one stays
	attempts []Attempt
	running  int
	peak     int
}

// An Attempt is one time that a [Dependency] was called.
type Attempt struct {
	Began, Ended time.Time // Ended is zero while it runs
	Beside       int       // how many attempts ran when it began
	Err          error     // what it returned
	Cause        error     // why its context had ended when it ended; nil if it had not
	Reason       error     // of [Dependency.Fallback]: why it was asked
}

// NewDependency returns a dependency whose good answers are value, and whose attempts go
// as script says: see [ParseOutcomes]. The last outcome counts for all later attempts. A
// script that cannot be read ends the test.
func NewDependency[T any](t testing.TB, value T, script string) *Dependency[T] {
	t.Helper()
	d := &Dependency[T]{t: t, value: value}
	d.Plan(script)
	return d
}

// Plan replaces what comes of the attempts that have not begun. A script that cannot be read
// ends the test.
func (d *Dependency[T]) Plan(script string) {
	d.t.Helper()
	outcomes, err := ParseOutcomes(script)
	if err != nil {
		d.t.Fatalf("script of a dependency: %v", err)
	}
	d.PlanOutcomes(outcomes...)
}

// PlanOutcomes is [Dependency.Plan] for what no text can say, such as errors of an SDK. With no
// outcomes, all attempts are answered.
func (d *Dependency[T]) PlanOutcomes(outcomes ...Outcome) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.outcomes = slices.Clone(outcomes)
}

// Call is an attempt. Beside an error it returns the zero value.
func (d *Dependency[T]) Call(ctx context.Context) (T, error) { return d.attempt(ctx, nil) }

// Fallback is an attempt that is made for a reason; see [Attempt].
func (d *Dependency[T]) Fallback(ctx context.Context, reason error) (T, error) {
	return d.attempt(ctx, reason)
}

// Attempts returns the attempts so far, in the order in which they began. In a bubble it
// first waits, as [testing/synctest.Wait] does, so that those that are due to end have ended.
func (d *Dependency[T]) Attempts() []Attempt {
	settle()
	return d.since(0)
}

// Peak returns how many attempts have run at the same time, at most.
func (d *Dependency[T]) Peak() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.peak
}

// since returns the attempts from the one with that number on.
func (d *Dependency[T]) since(number int) []Attempt {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.attempts[number:])
}

func (d *Dependency[T]) attempt(ctx context.Context, reason error) (value T, err error) {
	number, outcome := d.begin(reason)
	defer func() { d.end(number, err, context.Cause(ctx)) }()
	err = outcome.play(ctx)
	if errors.Is(err, errScriptedPanic) {
		panic(err)
	}
	if err != nil {
		return value, err
	}
	return d.value, nil
}

// begin notes an attempt, and returns its number and what is to come of it.
func (d *Dependency[T]) begin(reason error) (number int, o Outcome) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.outcomes) > 0 {
		o = d.outcomes[0]
	}
	if len(d.outcomes) > 1 {
		d.outcomes = d.outcomes[1:]
	}
	d.attempts = append(d.attempts, Attempt{Began: time.Now(), Beside: d.running, Reason: reason})
	d.running++
	d.peak = max(d.peak, d.running)
	return len(d.attempts) - 1, o
}

func (d *Dependency[T]) end(number int, err, cause error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	a := &d.attempts[number]
	a.Ended, a.Err, a.Cause = time.Now(), err, cause
	d.running--
}
