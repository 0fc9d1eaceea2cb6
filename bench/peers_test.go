package bench_test

import (
	"context"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/eapache/go-resiliency/breaker"
	"github.com/eapache/go-resiliency/retrier"
	goretry "github.com/sethvargo/go-retry"
)

// withResiliency is go-resiliency's breaker and retrier. Neither carries a value, so that the
// closure brings it out, as every caller's must.
func withResiliency(_ testing.TB, d dependency) func() (int, error) {
	circuit := breaker.New(threshold, 1, openFor)
	repeat := retrier.New(retrier.ConstantBackoff(attempts-1, 0), nil)
	return func() (value int, err error) {
		once := func() (err error) {
			value, err = d.plain()
			return err
		}
		err = circuit.Run(func() error { return repeat.Run(once) })
		return value, err
	}
}

// withBackoff makes the options once for all calls, which is its fastest form.
func withBackoff(tb testing.TB, d dependency) func() (int, error) {
	circuit, ctx := newGobreaker(), tb.Context()
	options := []backoff.RetryOption{backoff.WithBackOff(&backoff.ZeroBackOff{}), backoff.WithMaxTries(attempts)}
	retried := func() (int, error) { return backoff.Retry(ctx, d.plain, options...) }
	return func() (int, error) { return circuit.Execute(retried) }
}

// withGoRetry makes a backoff for each call, because one counts the retries of one call only.
// Its own constant backoff refuses a wait of zero.
func withGoRetry(tb testing.TB, d dependency) func() (int, error) {
	circuit, ctx := newGobreaker(), tb.Context()
	marked := func(ctx context.Context) (int, error) {
		value, err := d.cancellable(ctx)
		return value, goretry.RetryableError(err) // nil stays nil
	}
	atOnce := goretry.BackoffFunc(func() (time.Duration, bool) { return 0, false })
	retried := func() (int, error) {
		return goretry.DoValue(ctx, goretry.WithMaxRetries(attempts-1, atOnce), marked)
	}
	return func() (int, error) { return circuit.Execute(retried) }
}
