// Package trysail keeps calls to AI services working when the services do not.
//
// A call runs under an [Operation]: a name with a strategy, a circuit breaker,
// retries and metrics. Operations live in an [Orchestrator].
//
//	orc, err := trysail.New(trysail.Config{}) // the zero value is the preset "simple"
//	...
//	summarize := orc.Operation("summarize")
//	text, err := trysail.Do(ctx, summarize, func(ctx context.Context) (string, error) {
//		return client.Summarize(ctx, document)
//	})
//
// # Order
//
// The order of policies is fixed, outermost first: fallback, time limit of the call,
// limiter, bulkhead, breaker, retry, time limit of the attempt, call. The breaker is asked once per call and told once, after the retries;
// between attempts the retry loop looks at it again and stops when somebody
// else's failures have opened it.
//
// # Errors
//
// Every failed call returns an [*Error]. It names the operation, the [Class] of
// the failure and the attempts made, and it wraps the dependency's own last
// error, so that [errors.Is] and [errors.As] see through it. What a class does
// is data: see [Consequence].
//
// # Cost
//
// A successful call costs two clock readings and a few atomic operations, and
// allocates nothing. Every function and method of this package may be called
// from several goroutines at once. The package uses the standard library only
// and starts no goroutine, except to deliver events to an [Observer].
package trysail
