package trysailtest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// ErrScripted is found in every error, and in every panic, that a [Dependency] makes up.
var ErrScripted = errors.New("scripted failure")

// errScriptedPanic is what a [Dependency] panics with.
var errScriptedPanic = fmt.Errorf("panic: %w", ErrScripted)

// An Outcome is what comes of one attempt at a [Dependency]. Its zero value is an
// answer, at once. [ParseOutcomes] makes outcomes from text.
type Outcome struct {
	// Err is what the attempt fails with. Nil: it answers.
	Err error

	// After is how long the attempt takes. The end of its context ends it earlier, with
	// the context's error.
	After time.Duration

	// Hang lets the attempt take until its context ends. After and Deaf have no meaning then.
	Hang bool

	// Deaf lets the attempt take all of After, whatever becomes of its context.
	Deaf bool

	// Panic ends the attempt with a panic, whose value wraps [ErrScripted].
	Panic bool
}

// play is the attempt.
func (o Outcome) play(ctx context.Context) error {
	if err := o.take(ctx); err != nil {
		return err
	}
	if o.Panic {
		return errScriptedPanic
	}
	return o.Err
}

// take lets the time of the attempt pass, and fails when the context ends it.
func (o Outcome) take(ctx context.Context) error {
	switch {
	case o.Hang:
		<-ctx.Done()
		return ctx.Err()
	case o.After <= 0:
		return nil
	case o.Deaf:
		<-time.After(o.After)
		return nil
	default:
		return pause(ctx, o.After)
	}
}

// pause waits for d, or until ctx ends, and returns ctx's error then.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// statusError is the error of a client that got an HTTP status.
type statusError int

func (s statusError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", int(s), http.StatusText(int(s)))) // 529 has no text
}

func (s statusError) Unwrap() error { return ErrScripted }

// HTTPStatusCode is what package trysail, and code under test, look for.
func (s statusError) HTTPStatusCode() int { return int(s) }
