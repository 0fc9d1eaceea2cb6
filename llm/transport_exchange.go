package llm

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/trysail-go/trysail"
)

// An Exchange is what a [Transport] saw of one request with all its attempts.
type Exchange struct {
	Operation string
	Provider  Provider
	Model     string // as the answer names it, or else the request
	Attempts  int    // hedges included
	Status    int    // of the newest answer; 0 if there was none
	RequestID string // the provider's, of the newest answer

	Took       time.Duration // until the answer was complete, or it was given up
	FirstToken time.Duration // until the caller could read the first of a stream; 0 if it is none
	LongestGap time.Duration // the longest wait for more of a stream after that

	Usage  Usage   // 0 where the provider did not tell
	Limits []Limit // what the newest answer said of them

	// SDKRetries is how often the SDK had made this request before: both retry, and attempts
	// multiply. Switch one off.
	SDKRetries int

	Err     error   // nil if the answer was complete
	Verdict Verdict // what Err means
}

// note remembers what the newest answer says in its headers.
func (c *call) note(resp *http.Response) {
	limits := LimitsOf(resp.Header, time.Now())
	c.learn(limits)
	if c.transport.Observe == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen.Status, c.seen.Limits = resp.StatusCode, limits
	c.seen.RequestID = requestIDIn(resp.Header)
}

// learn makes the limiter wait for what the provider says is used up. That goes before what
// was thought to be free.
func (c *call) learn(limits []Limit) {
	for _, l := range limits {
		if c.transport.Tokens != nil && l.Name == "tokens" && l.Remaining == 0 && !l.Reset.IsZero() {
			c.transport.Tokens.Penalize(l.Reset)
		}
	}
}

// used remembers the usage of a plain answer.
func (c *call) used(u Usage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen.Usage = u
}

// observed is a stream that tells how its reader gets on.
type observed struct {
	*Stream
	call *call
}

// Read passes the stream on.
func (o *observed) Read(p []byte) (int, error) {
	began := time.Now()
	n, err := o.Stream.Read(p)
	o.call.waited(began)
	return n, err
}

// started remembers that a stream has shown its first token.
func (c *call) started() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen.FirstToken == 0 {
		c.seen.FirstToken = max(time.Since(c.began), 1)
	}
}

// streamed remembers what a stream that has ended has told.
func (c *call) streamed(p Progress) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen.Usage, c.seen.Model = p.Usage, p.Model
}

// waited remembers a wait for a stream.
func (c *call) waited(began time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen.LongestGap = max(c.seen.LongestGap, time.Since(began))
}

// end settles the call, once, and returns err.
func (c *call) end(err error) error {
	c.mu.Lock()
	over := c.over
	c.over = true
	e := c.seen
	c.mu.Unlock()
	if over {
		return err
	}
	c.settle(e.Usage, err)
	if c.transport.Observe == nil {
		return err
	}
	e.Operation, e.Provider, e.Attempts = c.op.Name(), c.provider, int(c.attempts.Load())
	e.Took, e.Err = time.Since(c.began), err
	if e.Model == "" {
		e.Model = c.request.Model
	}
	if err != nil {
		e.Verdict = ClassifyError(c.request.Context(), c.provider, err)
	}
	_, _ = fmt.Sscan(c.request.Header.Get("X-Stainless-Retry-Count"), &e.SDKRetries) // no number: none
	c.transport.Observe(e)
	return err
}

// reserve takes the tokens that the request will use, as far as can be told before.
func (c *call) reserve(ctx context.Context) error {
	l := c.transport.Tokens
	if l == nil {
		return nil
	}
	n := float64(c.estimate())
	n = min(n, l.Snapshot().Burst) // a larger one could never be had; the difference is settled
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

// estimate returns how many tokens the request may use altogether.
func (c *call) estimate() int64 {
	estimate := c.transport.Estimate
	if estimate == nil {
		estimate = EstimateTokens
	}
	return max(estimate(c.request.body), 0) + max(c.request.MaxOutput, 0)*int64(max(c.request.Choices, 1))
}

// settle ends the reservation with what was used. Of a failed call nothing is known to have been used
// unless the provider said so.
func (c *call) settle(u Usage, err error) {
	switch total := u.Input + u.Output; {
	case c.reservation == nil:
	case total > 0:
		c.reservation.Settle(float64(total))
	case err != nil:
		c.reservation.Cancel()
	default:
		c.reservation.Settle(-1) // as was reserved
	}
}
