package bench_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/bulkhead"
	"github.com/failsafe-go/failsafe-go/fallback"
	"github.com/failsafe-go/failsafe-go/ratelimiter"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
	"github.com/failsafe-go/failsafe-go/timeout"
	"github.com/sony/gobreaker/v2"
	"golang.org/x/time/rate"

	"github.com/trysail-go/trysail"
)

// The further numbers of the stacks that have every policy.
const (
	places         = 64               // of the bulkhead
	attemptLimit   = 30 * time.Second // of each attempt
	unlimited      = 1e9              // calls a second; nothing waits and nothing is refused
	fallbackAnswer = 1000
)

// BenchmarkEverything measures a call that succeeds, with every policy on.
func BenchmarkEverything(b *testing.B) {
	for _, s := range full() {
		b.Run(s.name, func(b *testing.B) {
			dep := &scripted{}
			sum := loop(b, s.prepare(b, dep.dependency(), unlimited))
			verify(b, "sum of the results", sum, b.N) // a fallback would answer more
			verify(b, "attempts", dep.calls, b.N)
		})
	}
}

// A fullStack is a stack with every policy:
// fallback(limiter(bulkhead(breaker(retry(attempt timeout(call)))))).
type fullStack struct {
	name string

	// prepare returns the call that is measured. perSecond is the rate of the limiter and
	// how many calls it lets through at once.
	prepare func(tb testing.TB, d dependency, perSecond int) func() (int, error)
}

func full() []fullStack {
	return []fullStack{
		{"trysail", fullTrysail},
		{"by-hand+gobreaker", fullByHand},
		{"failsafe-go", fullFailsafe},
	}
}

func fullTrysail(tb testing.TB, d dependency, perSecond int) func() (int, error) {
	orc, err := trysail.New(trysail.Config{Default: trysail.Policy{
		Attempt:  attemptLimit,
		Limiter:  trysail.LimiterPolicy{Rate: float64(perSecond), Burst: float64(perSecond)},
		Bulkhead: trysail.BulkheadPolicy{MaxConcurrent: places},
		Breaker:  trysail.BreakerPolicy{FailureThreshold: threshold, RecoveryTimeout: openFor},
		Retry:    trysail.RetryPolicy{Attempts: attempts, Backoff: trysail.BackoffNone},
	}})
	if err != nil {
		tb.Fatal(err)
	}
	ctx, op := tb.Context(), orc.Operation("bench")
	return func() (int, error) { return trysail.DoWithFallback(ctx, op, d.cancellable, answerInstead) }
}

func answerInstead(context.Context, error) (int, error) { return fallbackAnswer, nil }

var (
	errLimited = errors.New("rate limit reached")
	errFull    = errors.New("bulkhead full")
)

// A byHand is what one writes around gobreaker without a library for the rest.
type byHand struct {
	limiter *rate.Limiter
	places  chan struct{}
	breaker *gobreaker.CircuitBreaker[int]
	call    func(context.Context) (int, error)
}

func fullByHand(tb testing.TB, d dependency, perSecond int) func() (int, error) {
	h := &byHand{
		limiter: rate.NewLimiter(rate.Limit(perSecond), perSecond),
		places:  make(chan struct{}, places),
		breaker: newGobreaker(),
		call:    d.cancellable,
	}
	ctx := tb.Context()
	return func() (int, error) {
		value, err := h.do(ctx)
		if err != nil {
			return answerInstead(ctx, err)
		}
		return value, nil
	}
}

func (h *byHand) do(ctx context.Context) (int, error) {
	if !h.limiter.Allow() {
		return 0, errLimited
	}
	select {
	case h.places <- struct{}{}:
		defer func() { <-h.places }()
	default:
		return 0, errFull
	}
	return h.breaker.Execute(func() (int, error) { return h.attempts(ctx) })
}

func (h *byHand) attempts(ctx context.Context) (value int, err error) {
	for range attempts {
		if value, err = h.attempt(ctx); err == nil || ctx.Err() != nil {
			break
		}
	}
	return value, err
}

func (h *byHand) attempt(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptLimit)
	defer cancel()
	return h.call(ctx)
}

// fullFailsafe gives the executor its context once for all calls, which is its fastest form. A
// context of each caller's would need a copy of the executor for each call.
func fullFailsafe(tb testing.TB, d dependency, perSecond int) func() (int, error) {
	executor := failsafe.With[int](
		fallback.NewWithFunc(func(failsafe.Execution[int]) (int, error) { return fallbackAnswer, nil }),
		ratelimiter.NewBursty[int](uint(perSecond), time.Second),
		bulkhead.New[int](places),
		newFailsafeBreaker(),
		retrypolicy.NewBuilder[int]().WithMaxAttempts(attempts).ReturnLastFailure().Build(),
		timeout.New[int](attemptLimit),
	).WithContext(tb.Context())
	call := func(exec failsafe.Execution[int]) (int, error) { return d.cancellable(exec.Context()) }
	return func() (int, error) { return executor.GetWithExecution(call) }
}
