package llm

import (
	"cmp"
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/trysail-go/trysail"
)

// An Exchange is what a [Transport] saw of one request with all its attempts.
type Exchange struct {
	Operation string
	Provider  Provider
	Model     string // as the answer names it, or else the request
	Attempts  int    // hedges included
	Status    int    // of the answer that the caller got, as it came, or else of the newest; 0 if there was none
	RequestID string // the provider's, of the same answer

	Took       time.Duration // until the answer was complete, or it was given up
	FirstToken time.Duration // until the caller could read the first of a stream; 0 if it is none
	LongestGap time.Duration // the longest wait for more of a stream after that

	Usage  Usage   // 0 where the provider did not tell
	Limits []Limit // what that answer said of them

	// SDKRetries is how often the SDK had made this request before: both retry, and attempts
	// multiply. Switch one off.
	SDKRetries int

	Err     error   // nil if the answer was complete
	Verdict Verdict // what Err means
}

// A sighting is what one attempt has shown.
type sighting struct {
	Exchange
	tokens int // of a stream that did not tell its usage to the end: what came
}

// note begins the sighting of an attempt with what its headers say. It is nil if nobody wants to know.
func (c *call) note(resp *http.Response) *sighting {
	t := c.transport
	if t.Observe == nil && t.Tokens == nil {
		return nil
	}
	seen := &sighting{}
	seen.Status, seen.RequestID = resp.StatusCode, requestIDIn(resp.Header)
	seen.Limits = LimitsOf(resp.Header, time.Now())
	if t.Tokens != nil {
		learn(t.Tokens, seen.Limits)
		if t.LearnLimits {
			follow(t.Tokens, seen.Limits)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.settled {
		c.seen = seen
	}
	return seen
}

// learn makes the limiter wait for what the provider says is used up. That goes before what
// was thought to be free.
func learn(tokens *trysail.Limiter, limits []Limit) {
	for _, l := range limits {
		if strings.HasSuffix(l.Name, "tokens") && l.Remaining == 0 && !l.Reset.IsZero() {
			tokens.Penalize(l.Reset)
		}
	}
}

// follow gives the limiter the rate and the burst of the account, unless they are what it has, nearly. Input and output
// have limits of their own at Anthropic, whose "tokens" are those that are tighter.
func follow(tokens *trysail.Limiter, limits []Limit) {
	for _, l := range limits {
		rate, ok := l.Rate(time.Now())
		if l.Name != "tokens" || !ok {
			continue
		}
		const noise = 0.15 // of the resets, which are rounded
		if s := tokens.Snapshot(); s.Burst != float64(l.Limit) || math.Abs(s.Rate-rate) > noise*s.Rate {
			_ = tokens.SetRate(rate, float64(l.Limit)) // one out of range changes nothing
		}
	}
}

// told remembers what a plain answer tells of itself.
func (c *call) told(seen *sighting, p Progress) {
	if seen == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	seen.Usage, seen.Model = p.Usage, p.Model
}

// started remembers that a stream has shown its first token.
func (c *call) started(seen *sighting) {
	if seen == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	seen.FirstToken = max(time.Since(c.began), 1)
}

// settleOn says which attempt the caller's answer is from. What others show from now on, which have
// lost, does not count.
func (c *call) settleOn(seen *sighting) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settled = true
	if seen != nil {
		c.seen = seen
	}
}

// streamed remembers what a stream that has ended has told.
func (c *call) streamed(p Progress) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		return
	}
	c.measure() // the wait in which it broke off is the most telling one
	c.seen.Usage, c.seen.Model = p.Usage, p.Model
	if !p.Ended || p.Usage.Output == 0 {
		c.seen.tokens = p.Tokens // an event holds a token or some
	}
}

// waits remembers that the reader of a stream waits.
func (c *call) waits() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.since = time.Now()
}

// waited remembers the end of a wait for a stream.
func (c *call) waited() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.measure()
	c.since = time.Time{}
}

// measure takes the wait at hand into account. c.mu is held.
func (c *call) measure() {
	if c.seen != nil && !c.since.IsZero() {
		c.seen.LongestGap = max(c.seen.LongestGap, time.Since(c.since))
	}
}

// giveUp ends a call that has no answer, and returns err.
func (c *call) giveUp(err error) error {
	if c.request != nil {
		c.request.close()
	}
	return c.end(err)
}

// end ends the call, once, and returns err.
func (c *call) end(err error) error {
	c.mu.Lock()
	over := c.over
	c.over, c.settled = true, true
	var seen sighting
	if c.seen != nil {
		seen = *c.seen
	}
	c.mu.Unlock()
	if over {
		return err
	}
	c.settle(&seen, err)
	if c.transport.Observe != nil {
		c.transport.Observe(c.exchange(seen.Exchange, err))
	}
	return err
}

// exchange completes what was seen of the call.
func (c *call) exchange(e Exchange, err error) Exchange {
	e.Provider, e.Attempts = c.provider, int(c.attempts.Load())
	e.Took, e.Err = time.Since(c.began), err
	if c.op != nil {
		e.Operation = c.op.Name()
	}
	if c.request == nil {
		return e // it could not even be read
	}
	e.Model = cmp.Or(e.Model, c.request.Model)
	if err != nil {
		e.Verdict = ClassifyError(c.request.Context(), c.provider, err)
	}
	if before, err := strconv.Atoi(first(c.request.Header, "X-Stainless-Retry-Count")); err == nil {
		e.SDKRetries = max(before, 0)
	}
	return e
}

// reserve takes the tokens that the request will use, as far as can be told before.
func (c *call) reserve(ctx context.Context) error {
	l := c.transport.Tokens
	if l == nil {
		return nil
	}
	// A larger amount than the burst could never be had; the difference is settled.
	n := min(c.estimate(), l.Snapshot().Burst)
	left := c.transport.TokenWait
	for {
		r, err := l.Reserve(n)
		var refused *trysail.Error
		switch {
		case err == nil:
			c.reservation = &r
			return nil
		case !errors.As(err, &refused), !errors.Is(err, trysail.ErrLimited), refused.RetryAfter > left:
			return err
		}
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= refused.RetryAfter {
			return err
		}
		left -= refused.RetryAfter
		if !pause(ctx, refused.RetryAfter) {
			return context.Cause(ctx)
		}
	}
}

// pause waits, and reports whether ctx lasted.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// estimate returns how many tokens the request may use altogether. It is not counted in integers: who
// asks for 2^62 tokens gets no negative number of them.
func (c *call) estimate() float64 {
	estimate := c.transport.Estimate
	if estimate == nil {
		estimate = EstimateTokens
	}
	c.prompt = max(estimate(c.request.body), 0)
	return float64(c.prompt) + float64(c.request.MaxOutput)*float64(max(c.request.Choices, 1))
}

// settle ends the reservation with what was used. Of a stream that broke off, or did not tell, that is the prompt
// and what came. Of another call that failed nothing is known to have been used unless the provider said so.
func (c *call) settle(seen *sighting, err error) {
	output := max(seen.Usage.Output, int64(seen.tokens))
	switch {
	case c.reservation == nil:
	case seen.Usage.Input+output > 0:
		c.reservation.Settle(float64(cmp.Or(seen.Usage.Input, c.prompt)) + float64(output))
	case err != nil:
		c.reservation.Cancel()
	default:
		c.reservation.Settle(-1) // as was reserved
	}
}
