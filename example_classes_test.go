package trysail_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/trysail-go/trysail"
)

// A client's error that knows its HTTP status needs no mark.
type apiError struct{ status int }

func (e apiError) Error() string       { return fmt.Sprint("HTTP ", e.status) }
func (e apiError) HTTPStatusCode() int { return e.status }

func ExampleClassify() {
	for _, err := range []error{
		errors.New("something"),
		context.Canceled,
		fmt.Errorf("post: %w", apiError{400}),
		apiError{429},
		apiError{529},
		trysail.Permanent(apiError{500}),
	} {
		fmt.Printf("%v: %v\n", err, trysail.Classify(err))
	}
	// Output:
	// something: transient
	// context canceled: canceled
	// post: HTTP 400: permanent
	// HTTP 429: rate_limited
	// HTTP 529: overloaded
	// HTTP 500: permanent
}

func ExampleStatusClass() {
	fmt.Println(trysail.StatusClass(503), trysail.StatusClass(404), trysail.StatusClass(408))
	// Output: overloaded permanent transient
}

// What the server asked for is a floor. Here it exceeds what the operation may
// wait in all, so the call ends at once and the caller learns the time.
func ExampleRateLimited() {
	orc, _ := trysail.New(trysail.Config{})
	_, err := trysail.Do(context.Background(), orc.Operation("qa"), func(context.Context) (int, error) {
		return 0, trysail.RateLimited(errors.New("slow down"), 10*time.Minute)
	})
	fmt.Println(err)
	// Output: operation "qa": rate_limited: slow down (retry after 10m0s)
}

// Money comes back with the month, not with the next attempt.
func ExampleWithClass() {
	orc, _ := trysail.New(trysail.Config{})
	_, err := trysail.Do(context.Background(), orc.Operation("qa"), func(context.Context) (int, error) {
		return 0, trysail.WithClass(errors.New("budget spent"), trysail.ClassQuotaExhausted, 0)
	})
	fmt.Println(err)
	// Output: operation "qa": quota_exhausted: budget spent
}

// A stream that breaks off after the caller saw a part of it is not repeated.
func ExampleCommitted() {
	orc, _ := trysail.New(trysail.Config{})
	var shown strings.Builder
	_, err := trysail.Do(context.Background(), orc.Operation("chat"), func(context.Context) (int, error) {
		shown.WriteString("Once upon a ")
		return 0, trysail.Committed(errors.New("connection reset"))
	})
	fmt.Printf("%q, %v\n", shown.String(), err)
	// Output: "Once upon a ", operation "chat": transient: connection reset
}

// Who waited in vain for a gateway twice should not be made to wait a third time.
func ExampleOnce() {
	orc, _ := trysail.New(trysail.Config{Default: trysail.Policy{Retry: trysail.RetryPolicy{Backoff: trysail.BackoffNone}}})
	_, err := trysail.Do(context.Background(), orc.Operation("chat"), func(context.Context) (int, error) {
		return 0, trysail.Once(errors.New("gateway time-out"))
	})
	fmt.Println(err)
	// Output: operation "chat": transient after 2 attempts: gateway time-out
}

func ExampleTransient() {
	err := trysail.Transient(apiError{404}) // an eventually consistent service
	fmt.Println(err, trysail.Classify(err))
	// Output: HTTP 404 transient
}

func ExamplePermanent() {
	err := trysail.Permanent(errors.New("no such tool"))
	fmt.Println(err, trysail.Classify(err))
	// Output: no such tool permanent
}

func ExampleUnavailable() {
	err := trysail.Unavailable(errors.New("no GPU left"))
	fmt.Println(err, trysail.Classify(err))
	// Output: no GPU left overloaded
}

func ExampleParseStrategy() {
	fmt.Println(trysail.ParseStrategy("critical"))
	fmt.Println(trysail.ParseStrategy("brave"))
	// Output:
	// critical <nil>
	//  unknown strategy "brave", want one of [aggressive balanced conservative critical]
}

func ExampleStrategies() {
	for _, s := range trysail.Strategies() {
		p := s.Policy()
		fmt.Printf("%-12s %d attempts, opens after %d failures for %v\n",
			s, p.Retry.Attempts, p.Breaker.FailureThreshold, p.Breaker.RecoveryTimeout)
	}
	// Output:
	// aggressive   2 attempts, opens after 3 failures for 30s
	// balanced     3 attempts, opens after 5 failures for 1m0s
	// conservative 5 attempts, opens after 8 failures for 2m0s
	// critical     7 attempts, opens after 10 failures for 5m0s
}

// A printer is an observer that passes transitions on. It is called by a
// goroutine of the orchestrator's.
type printer chan string

// Observe implements [trysail.Observer].
func (p printer) Observe(e trysail.Event) {
	if e.Kind == trysail.EventTransition {
		p <- fmt.Sprintf("%s: %v -> %v, %s", e.Operation, e.From, e.To, e.Reason)
	}
}

func ExampleObserver() {
	lines := make(printer)
	orc, _ := trysail.New(trysail.Config{Observer: lines})
	op := orc.Operation("qa")
	outage(op)
	fmt.Println(<-lines)
	op.Breaker().Reset("drill is over")
	fmt.Println(<-lines)
	// Output:
	// qa: closed -> open, 5 calls in a row failed
	// qa: open -> closed, reset: drill is over
}

func ExampleOperationMetrics() {
	orc, _ := trysail.New(trysail.Config{})
	op := orc.Operation("qa")
	for i := range 4 {
		_, _ = trysail.Do(context.Background(), op, func(context.Context) (int, error) {
			if i == 3 {
				return 0, trysail.Permanent(errors.New("bad request"))
			}
			return i, nil
		})
	}
	m := op.Metrics()
	fmt.Printf("%d calls, %d failed, %.0f %% good\n", m.Calls, m.Failed, 100*m.SuccessRate())
	// Output: 4 calls, 1 failed, 75 % good
}
