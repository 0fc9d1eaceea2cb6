package trysail

import "context"

// A callRetry is what a context says about the retries of its calls.
type callRetry struct {
	strategy *RetryPolicy // nil: the operation's own
	attempts int          // at most; 0: as the policy says
}

type callRetryKey struct{}

// WithStrategy returns a context whose calls try again as often, and wait as long, as the numbers of s say, in place
// of the operation's own: attempts, budget for waits, first, least and longest wait, jitter. All else stays the operation's: its breaker,
// its limits, the formula of the waits, its retry budget, rows for single classes, and retries that are switched off. A strategy that does not exist changes nothing.
// It costs nothing as long as nothing fails.
func WithStrategy(ctx context.Context, s Strategy) context.Context {
	if _, err := ParseStrategy(string(s)); err != nil {
		return ctx
	}
	own, _ := ctx.Value(callRetryKey{}).(callRetry)
	numbers := s.Policy().Retry
	own.strategy = &numbers
	return context.WithValue(ctx, callRetryKey{}, own)
}

// WithAttempts returns a context whose calls make n attempts at most, the first included; fewer if the policy says so. An n under 1
// counts as 1. It costs nothing as long as nothing fails.
func WithAttempts(ctx context.Context, n int) context.Context {
	own, _ := ctx.Value(callRetryKey{}).(callRetry)
	own.attempts = max(n, 1)
	return context.WithValue(ctx, callRetryKey{}, own)
}

// RetryPolicy returns what a call under ctx does after failures: the policy's own, or what [WithStrategy] and [WithAttempts] make of it.
func (op *Operation) RetryPolicy(ctx context.Context) RetryPolicy {
	return *retryUnder(ctx, &op.settings.Load().policy.Retry)
}

// retry returns the policy of the call's retries.
func (c *call) retry(ctx context.Context) *RetryPolicy {
	return retryUnder(ctx, &c.set.policy.Retry)
}

// retryUnder returns policy, or a copy with what ctx says.
func retryUnder(ctx context.Context, policy *RetryPolicy) *RetryPolicy {
	own, ok := ctx.Value(callRetryKey{}).(callRetry)
	if !ok {
		return policy
	}
	r := *policy
	if s := own.strategy; s != nil {
		r.Attempts, r.DelayBudget, r.Base, r.MinDelay, r.MaxDelay, r.Jitter = s.Attempts, s.DelayBudget, s.Base, s.MinDelay, s.MaxDelay, s.Jitter
	}
	if own.attempts > 0 {
		r.Attempts = min(r.Attempts, own.attempts)
		for class := range r.Classes {
			if row := &r.Classes[class]; row.Attempts > own.attempts {
				row.Attempts = own.attempts
			}
		}
	}
	return &r
}
