package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/trysail-go/trysail"
)

// An allowance is what is left of the limits of a key or an operation, whatever plan it is in.
type allowance struct {
	requests, tokens atomic.Pointer[trysail.Limiter] // nil without such a limit
	purse            purse
}

// limit gives an allowance the limiters that its plan wants, of units a minute. What is in use stays in use.
func (a *allowance) limit(requests, tokens float64) {
	for _, l := range []struct {
		of *atomic.Pointer[trysail.Limiter]
		n  float64
	}{{&a.requests, requests}, {&a.tokens, tokens}} {
		limiter := l.of.Load()
		switch {
		case l.n == 0:
			l.of.Store(nil)
		case limiter != nil:
			_ = limiter.SetRate(l.n/60, l.n) // the number has been checked
		default:
			limiter, _ = trysail.NewLimiter(trysail.LimiterConfig{Rate: l.n / 60, Burst: l.n}) // likewise
			l.of.Store(limiter)
		}
	}
}

// A bound is what may be used by whoever has a key, or under an operation.
type bound struct {
	kind, name                string // such as "key"
	requests, tokens, dollars float64
	*allowance
}

// A hold is what a request has taken of a bound before it is known what it uses.
type hold struct {
	requests, tokens *trysail.Reservation // nil without such a limit
	dollars          float64
	purse            *purse // nil if none is held
}

// bounds returns those of a request.
func (e *exchange) bounds() (all [2]*bound) {
	if c := e.asker; c != nil {
		all[0] = &bound{"key", c.Name, c.Requests, c.Tokens, c.Dollars, c.allowance}
	}
	all[1] = e.plan.operations[e.operation.Name()]
	return all
}

// charge takes what the request is likely to use from its bounds, or refuses it and takes nothing.
func (g *Gateway) charge(e *exchange) *fault {
	for i, b := range e.bounds() {
		if b == nil {
			continue
		}
		h := &hold{}
		if bad := h.take(e, b); bad != nil {
			h.cancel()
			for _, before := range e.held[:i] {
				before.cancel()
			}
			e.held = [2]*hold{}
			return bad
		}
		e.held[i] = h
	}
	return nil
}

// take takes what the request is likely to use, or says what is missing.
func (h *hold) take(e *exchange, b *bound) *fault {
	var err error
	if h.requests, err = take(b.allowance.requests.Load(), 1); err != nil {
		return b.over("requests", b.requests, err)
	}
	if !e.billable() {
		return nil
	}
	if h.tokens, err = take(b.allowance.tokens.Load(), e.estimate()); err != nil {
		return b.over("tokens", b.tokens, err)
	}
	if b.dollars > 0 {
		amount := e.mayCost()
		if wait, left := b.purse.hold(time.Now(), b.dollars, amount); wait > 0 {
			return b.broke(amount, left, wait)
		}
		h.purse, h.dollars = &b.purse, amount
	}
	return nil
}

// take reserves units. More than the burst could never be had; the difference is settled.
func take(l *trysail.Limiter, n float64) (*trysail.Reservation, error) {
	if l == nil {
		return nil, nil //nolint:nilnil // no limit, no reservation
	}
	r, err := l.Reserve(min(n, l.Snapshot().Burst))
	if err != nil {
		return nil, err
	}
	return &r, nil
}

// cancel gives everything back.
func (h *hold) cancel() {
	if h == nil {
		return
	}
	for _, r := range []*trysail.Reservation{h.requests, h.tokens} {
		if r != nil {
			r.Cancel()
		}
	}
	if h.purse != nil {
		h.purse.settle(time.Now(), h.dollars, 0)
	}
}

// release settles what the request has taken by what it has used. One that was sent nowhere has used nothing.
func (e *exchange) release(used bill) {
	for _, h := range e.held {
		switch {
		case h == nil:
		case len(e.legs) == 0:
			h.cancel()
		default:
			h.settle(used)
		}
	}
}

func (h *hold) settle(used bill) {
	if h.purse != nil {
		h.purse.settle(time.Now(), h.dollars, used.dollars)
	}
	if h.requests != nil {
		h.requests.Settle(1)
	}
	if h.tokens != nil {
		h.tokens.Settle(float64(used.input + used.output))
	}
}

// over is the fault of a request beyond a limit.
func (b *bound) over(what string, limit float64, err error) *fault {
	f := &fault{
		status: http.StatusTooManyRequests, kind: "rate_limit_error", code: b.kind + "_rate_limited", retryAfter: time.Second,
		message: fmt.Sprintf("The %s %q has used its %v %s a minute.", b.kind, b.name, limit, what),
	}
	var refused *trysail.Error
	if errors.As(err, &refused) {
		f.retryAfter = max(refused.RetryAfter, time.Second)
	}
	return f
}

// broke is the fault of a request for which there is no money left.
func (b *bound) broke(amount, left float64, wait time.Duration) *fault {
	return &fault{
		status: http.StatusTooManyRequests, kind: "insufficient_quota", code: b.kind + "_budget_exhausted", retryAfter: wait, final: wait > time.Minute,
		message: fmt.Sprintf("The %s %q may spend %v dollars a day, of which %v are left, and this request may cost %v.",
			b.kind, b.name, b.dollars, nanodollars(left), nanodollars(amount)),
	}
}
