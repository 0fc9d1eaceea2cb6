package bench_test

import (
	"context"
	"testing"
	"time"

	"github.com/avast/retry-go/v5"
	"github.com/eapache/go-resiliency/breaker"
	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
	"github.com/sony/gobreaker/v2"

	"github.com/trysail-go/trysail"
)

// The numbers of every stack. They are trysail's defaults, without waits.
const (
	threshold = 5
	openFor   = 60 * time.Second
	attempts  = 3
)

// A dependency is what the stacks call, in the two signatures that they take.
// It is made before the clock runs: a closure made for each call would cost
// failsafe-go an allocation and trysail none.
type dependency struct {
	plain       func() (int, error)
	cancellable func(context.Context) (int, error)
}

// A stack is one library, or two together, set up to call a dependency.
type stack struct {
	name    string
	retries bool
	refusal error // what an open breaker answers
	grudges bool  // whether failures count on after a success, until none has come for openFor

	// prepare returns the call that is measured. All policies are made here.
	prepare func(testing.TB, dependency) func() (int, error)
}

// stacks returns what is compared. Where a stack has retries, the nesting is
// trysail's: breaker(retry(call)).
func stacks() []stack {
	return []stack{
		{name: "trysail", retries: true, refusal: trysail.ErrOpen, prepare: withTrysail},
		{name: "gobreaker", refusal: gobreaker.ErrOpenState, prepare: withGobreaker},
		{name: "failsafe-go-breaker", refusal: circuitbreaker.ErrOpen, prepare: withFailsafeBreaker},
		{name: "failsafe-go-permit", refusal: circuitbreaker.ErrOpen, prepare: withFailsafePermit},
		{name: "failsafe-go", retries: true, refusal: circuitbreaker.ErrOpen, prepare: withFailsafe},
		{name: "go-resiliency", retries: true, refusal: breaker.ErrBreakerOpen, grudges: true, prepare: withResiliency},
		{name: "retry-go+gobreaker", retries: true, refusal: gobreaker.ErrOpenState, prepare: withRetryGo},
		{name: "backoff+gobreaker", retries: true, refusal: gobreaker.ErrOpenState, prepare: withBackoff},
		{name: "go-retry+gobreaker", retries: true, refusal: gobreaker.ErrOpenState, prepare: withGoRetry},
	}
}

// withTrysail has metrics too, since trysail always has. Of the others, only backoff and
// go-retry heed a context of the caller's.
func withTrysail(tb testing.TB, d dependency) func() (int, error) {
	orc, err := trysail.New(trysail.Config{Default: trysail.Policy{
		Breaker: trysail.BreakerPolicy{FailureThreshold: threshold, RecoveryTimeout: openFor},
		Retry:   trysail.RetryPolicy{Attempts: attempts, Backoff: trysail.BackoffNone},
	}})
	if err != nil {
		tb.Fatal(err)
	}
	ctx, op := tb.Context(), orc.Operation("bench")
	return func() (int, error) { return trysail.Do(ctx, op, d.cancellable) }
}

func withGobreaker(_ testing.TB, d dependency) func() (int, error) {
	breaker := newGobreaker()
	return func() (int, error) { return breaker.Execute(d.plain) }
}

func withFailsafeBreaker(_ testing.TB, d dependency) func() (int, error) {
	executor := failsafe.With[int](newFailsafeBreaker())
	return func() (int, error) { return executor.Get(d.plain) }
}

// withFailsafePermit asks and tells the breaker by hand. That is the fastest way
// to use it; a panic in the dependency goes uncounted.
func withFailsafePermit(_ testing.TB, d dependency) func() (int, error) {
	breaker := newFailsafeBreaker()
	return func() (int, error) {
		if !breaker.TryAcquirePermit() {
			return 0, circuitbreaker.ErrOpen
		}
		value, err := d.plain()
		if err != nil {
			breaker.RecordFailure()
			return value, err
		}
		breaker.RecordSuccess()
		return value, nil
	}
}

func withFailsafe(_ testing.TB, d dependency) func() (int, error) {
	policy := retrypolicy.NewBuilder[int]().WithMaxAttempts(attempts).ReturnLastFailure().Build()
	executor := failsafe.With[int](newFailsafeBreaker(), policy)
	return func() (int, error) { return executor.Get(d.plain) }
}

func withRetryGo(_ testing.TB, d dependency) func() (int, error) {
	return retryGo(d)
}

// untimed is retry-go without the timer that it starts for a wait of zero too.
// Nobody writes that by accident, so it stands beside the ordinary form, and only
// where an attempt fails.
func untimed() stack {
	prepare := func(_ testing.TB, d dependency) func() (int, error) {
		elapsed := make(elapsedTimer)
		close(elapsed)
		return retryGo(d, retry.WithTimer(elapsed))
	}
	return stack{name: "retry-go-untimed+gobreaker", retries: true, refusal: gobreaker.ErrOpenState, prepare: prepare}
}

// retryGo uses one retrier for all calls, which is its fastest form. A context
// of the caller's would need a new retrier for each call.
func retryGo(d dependency, more ...retry.Option) func() (int, error) {
	breaker := newGobreaker()
	retrier := retry.NewWithData[int](append(more,
		retry.Attempts(attempts),
		retry.Delay(0),
		retry.DelayType(retry.FixedDelay),
		retry.LastErrorOnly(true),
	)...)
	retried := func() (int, error) { return retrier.Do(d.plain) }
	return func() (int, error) { return breaker.Execute(retried) }
}

// An elapsedTimer is a closed channel: every wait is over at once.
type elapsedTimer chan time.Time

func (t elapsedTimer) After(time.Duration) <-chan time.Time { return t }

func newGobreaker() *gobreaker.CircuitBreaker[int] {
	return gobreaker.NewCircuitBreaker[int](gobreaker.Settings{
		Timeout: openFor,
		ReadyToTrip: func(counts gobreaker.Counts) bool { // its default opens with the sixth
			return counts.ConsecutiveFailures >= threshold
		},
	})
}

func newFailsafeBreaker() circuitbreaker.CircuitBreaker[int] {
	return circuitbreaker.NewBuilder[int]().WithFailureThreshold(threshold).WithDelay(openFor).Build()
}
