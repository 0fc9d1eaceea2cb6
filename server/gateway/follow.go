package gateway

import (
	"context"
	"errors"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
)

// attempt is what the engine runs and repeats: sends to a target, and after certain failures at once to the next. A stream is passed on
// to the client as soon as it has begun; every other answer is kept until the call has ended.
func (e *exchange) attempt(ctx context.Context) (struct{}, error) {
	e.rounds++
	if err := e.ready(ctx); err != nil {
		return struct{}{}, err
	}
	for {
		v, err := e.try(ctx)
		if err == nil {
			e.settle(ctx, llm.Verdict{}, nil)
			return struct{}{}, nil
		}
		if e.suspended {
			return struct{}{}, e.finish(ctx, v, err)
		}
		again, err := e.follow(ctx, v, err)
		if again {
			continue
		}
		if v.Class == trysail.ClassRateLimited {
			err = trysail.Neutral(err) // the account's gate holds the next ones back, for as long as is needed and no longer
		}
		return struct{}{}, err
	}
}

// finish has an answer that broke off gone on with, if that is possible.
func (e *exchange) finish(ctx context.Context, v llm.Verdict, err error) error {
	if err = e.goOn(ctx, v, err); err == nil {
		e.settle(ctx, llm.Verdict{}, nil)
	}
	return err
}

// ready sees to it that there is a target to send to.
func (e *exchange) ready(ctx context.Context) error {
	w := &e.walk
	if w.here == nil {
		return untouched(w.arrive(ctx))
	}
	e.slept += time.Since(e.failedAt)
	now := e.gateway.now()
	k := w.here.key
	open := k == nil || k.closedUntil(now) == 0
	if !open { // others have found out meanwhile that the account cannot be used
		open = w.here.unlock(now, false) == nil || w.pause(ctx, time.Duration(k.closedUntil(now)-now))
	}
	if open && w.here.fund(e) == nil {
		return nil
	}
	if next, ok := w.others(); ok && e.pay(next) {
		e.settle(ctx, e.verdict, e.failure)
		if w.arrive(ctx) == nil {
			return nil
		}
	}
	return trysail.Committed(e.failure)
}

// untouched marks a refusal as one that no attempt was made for: it is not repeated, and says nothing about the operation.
func untouched(refusal error) error { return trysail.Neutral(trysail.Committed(refusal)) }

// follow does what follows a failed send. It reports whether to send again at once; otherwise the engine gets the error that it returns.
func (e *exchange) follow(ctx context.Context, v llm.Verdict, err error) (again bool, _ error) {
	e.verdict, e.failure, e.failedAt = v, err, time.Now()
	e.learn(v)
	if ctx.Err() != nil {
		return false, err
	}
	w := &e.walk
	next, others := w.others()
	s := situation{
		committed: e.committed, others: others, larger: v.Class == trysail.ClassContextLength && w.larger(),
		keys: w.here.spare(e.gateway.now()), last: e.last(ctx, v),
		sends: w.here.sends, timeouts: e.timeouts, onPolicy: e.route.OnContentPolicy,
	}
	m := decide(v, s)
	if m == repeat && !s.last {
		if policy := e.operation.Policy(); policy.Retry.Budget.Take(policy.Retry.Cost) {
			return false, trysail.Paid(err)
		}
		s.last = true
		m = decide(v, s)
	}
	switch m {
	case end:
	case repeat:
		return false, err
	case swap:
		if e.pay(w.here.target) && w.here.unlock(e.gateway.now(), false) == nil && w.here.fund(e) == nil {
			return true, nil
		}
	case onward:
		if v.Class == trysail.ClassContextLength {
			w.window = max(w.window, w.here.target.Window)
			next, _ = w.others()
		}
		if e.pay(next) {
			e.settle(ctx, v, err)
			if w.arrive(ctx) == nil {
				return true, nil
			}
		}
	}
	return false, trysail.Committed(err)
}

// pay takes a send beyond the first, to a target or with another key, from the operation's retry budget. When that is used up, a target that is well gets it
// nevertheless: the budget keeps load from what is failing, and there it does no harm.
func (e *exchange) pay(next *target) bool {
	policy := e.operation.Policy()
	return policy.Retry.Budget.Take(policy.Retry.Cost) || next != nil && next.well(e.gateway.now())
}

// last reports whether the engine will not try again after a failure.
func (e *exchange) last(ctx context.Context, v llm.Verdict) bool {
	r := e.operation.RetryPolicy(ctx)
	limit := r.Attempts
	if row := r.Classes[v.Class].Attempts; row > 0 {
		limit = row
	}
	if v.Once {
		e.onces++
	}
	if b := e.operation.Breaker(); b != nil && b.State().Refuses() {
		return true // this call is a probe, or one of those that the engine ends now
	}
	if !v.Retryable || r.Disabled || e.rounds >= limit || e.onces > 1 {
		return true
	}
	wait := longestWait(&r, e.rounds, v.Delay)
	deadline, limited := ctx.Deadline()
	return limited && time.Until(deadline) <= wait || e.slept+wait > r.DelayBudget
}

// longestWait returns how long the engine may wait after the n-th attempt.
func longestWait(r *trysail.RetryPolicy, n int, asked time.Duration) time.Duration {
	if r.Backoff == trysail.BackoffNone {
		return asked + min(asked/10, time.Second)
	}
	own := min(max(r.Base<<min(n, 20), r.MinDelay), r.MaxDelay) + r.Jitter
	return max(own, asked+min(asked/10, time.Second))
}

// settle ends the visit at hand. err is the error of its newest send, nil if that was good.
func (e *exchange) settle(ctx context.Context, v llm.Verdict, err error) {
	here := e.walk.here
	if here == nil {
		return
	}
	switch {
	case err == nil && here.key != nil:
		here.key.answered()
	case err == nil:
	case e.neutral(ctx, v):
		err = trysail.Neutral(err)
	case v.Class == trysail.ClassPermanent && v.Scope == llm.ScopeTarget && v.Status == 0:
		err = trysail.Transient(err) // no such host, or a certificate that is no good: nothing of it is the request's fault
		here.target.failed.Store(e.gateway.now())
	case counts(v.Class):
		here.target.failed.Store(e.gateway.now())
	}
	e.walk.leave(err)
}

// neutral reports whether a failure says nothing about the target: what is wrong with an account is noted there, and a client
// with little patience has found out little.
func (e *exchange) neutral(ctx context.Context, v llm.Verdict) bool {
	const patience = 10 * time.Second
	impatient := e.control.timeout > 0 && errors.Is(ctx.Err(), context.DeadlineExceeded) && time.Since(e.sentAt) < patience
	return impatient || v.Class == trysail.ClassRateLimited || v.Scope == llm.ScopeAccount
}

// counts reports whether failures of a class are the target's.
func counts(c trysail.Class) bool {
	return c == trysail.ClassTransient || c == trysail.ClassOverloaded || c == trysail.ClassBadAnswer
}
