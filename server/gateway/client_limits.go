package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
)

// An allowance is what is left of a key's limits, whatever plan it is in.
type allowance struct {
	requests, tokens atomic.Pointer[trysail.Limiter] // nil without such a limit
	purse            purse
}

// A hold is what a request has taken of its key's limits before it is known what it uses.
type hold struct {
	requests, tokens *trysail.Reservation // nil without such a limit
	dollars          float64
	purse            *purse // nil if none is held
}

// limit gives an allowance the limiters that its key's plan wants. What is in use stays in use.
func (c *client) limit() {
	for _, l := range []struct {
		of *atomic.Pointer[trysail.Limiter]
		n  float64
	}{{&c.requests, c.Requests}, {&c.tokens, c.Tokens}} {
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

// charge takes what the request is likely to use from the limits of its key, or refuses it and takes nothing.
func (g *Gateway) charge(e *exchange) *fault {
	c := e.asker
	if c == nil {
		return nil
	}
	h := &hold{}
	var err error
	if h.requests, err = take(c.requests.Load(), 1); err != nil {
		return c.over("requests", c.Requests, err)
	}
	if e.billable() {
		if h.tokens, err = take(c.tokens.Load(), e.estimate()); err != nil {
			h.cancel()
			return c.over("tokens", c.Tokens, err)
		}
		if c.Dollars > 0 {
			h.dollars = e.mayCost()
			wait, left := c.purse.hold(time.Now(), c.Dollars, h.dollars)
			if wait > 0 {
				h.cancel()
				return c.broke(h.dollars, left, wait)
			}
			h.purse = &c.purse
		}
	}
	e.held = h
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

func (h *hold) cancel() {
	for _, r := range []*trysail.Reservation{h.requests, h.tokens} {
		if r != nil {
			r.Cancel()
		}
	}
}

// assumedOutput is how many tokens an answer may have whose request does not bound them, as far as money is reserved for it.
const assumedOutput = 4096

// mayCost returns what the request may cost at the dearest of its targets.
func (e *exchange) mayCost() (dollars float64) {
	for _, p := range e.route.places {
		dollars = max(dollars, e.mayCostAt(p.target))
	}
	return dollars
}

// mayCostAt returns what one send of the request may cost at a target.
func (e *exchange) mayCostAt(t *target) float64 {
	e.estimate()
	b := bill{input: int64(e.usage.prompt), output: int64(e.usage.output)}
	if b.output == 0 && e.dialect != llm.OtherEvents {
		b.output = assumedOutput * int64(max(e.choices, 1))
	}
	dollars, _ := t.Price.of(b)
	return dollars
}

// release settles what the request has taken by what it has used. One that was sent nowhere has used nothing.
func (e *exchange) release(used bill) {
	h := e.held
	if h == nil {
		return
	}
	if h.purse != nil {
		h.purse.settle(time.Now(), h.dollars, used.dollars)
	}
	if len(e.legs) == 0 {
		h.cancel()
		return
	}
	if h.requests != nil {
		h.requests.Settle(1)
	}
	if h.tokens != nil {
		h.tokens.Settle(float64(used.input + used.output))
	}
}

// over is the fault of a request beyond a limit.
func (c *client) over(what string, limit float64, err error) *fault {
	f := &fault{
		status: http.StatusTooManyRequests, kind: "rate_limit_error", code: "key_rate_limited", retryAfter: time.Second,
		message: fmt.Sprintf("The key %q has used its %v %s a minute.", c.Name, limit, what),
	}
	var refused *trysail.Error
	if errors.As(err, &refused) {
		f.retryAfter = max(refused.RetryAfter, time.Second)
	}
	return f
}

// broke is the fault of a request for which there is no money left.
func (c *client) broke(amount, left float64, wait time.Duration) *fault {
	return &fault{
		status: http.StatusTooManyRequests, kind: "insufficient_quota", code: "key_budget_exhausted", retryAfter: wait, final: wait > time.Minute,
		message: fmt.Sprintf("The key %q may spend %v dollars a day, of which %v are left, and this request may cost %v.",
			c.Name, c.Dollars, nanodollars(left), nanodollars(amount)),
	}
}
