package gateway

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/trysail-go/trysail"
)

// The headers by which a request says how it is to be treated, as far as its route allows.
const (
	StrategyHeader = "X-Trysail-Strategy" // the strategy of its retries, such as "critical"
	TimeoutHeader  = "X-Trysail-Timeout"  // how long it may take with all its attempts, such as "2s", or in seconds
	RetriesHeader  = "X-Trysail-Retries"  // how many attempts beyond the first: 0 to 19, and never more than the strategy has
	FallbackHeader = "X-Trysail-Fallback" // "off": no other target after the first; in an answer: the targets that were tried before
	PriorityHeader = "X-Trysail-Priority" // "interactive", "batch" or "background": who goes first where calls wait
)

// A control is what a request says by these headers.
type control struct {
	strategy trysail.Strategy
	timeout  time.Duration // 0: not said
	attempts int           // 0: not said
	priority trysail.Priority
	pinned   bool    // no other target after the first
	given    []given // what was said
}

// given is a header that was given, and what forbids it.
type given struct {
	header string
	denied func(Allowed) bool
}

// controlOf reads the headers. A value that means nothing is refused: who asks for a time limit and gets none has been told a lie.
func controlOf(h http.Header) (control, *fault) {
	var c control
	for _, f := range [...]struct {
		header string
		denied func(Allowed) bool
		read   func(*control, string) (want string)
	}{
		{StrategyHeader, func(a Allowed) bool { return a.NoStrategy }, readStrategy},
		{TimeoutHeader, func(a Allowed) bool { return a.NoTimeout }, readTimeout},
		{RetriesHeader, func(a Allowed) bool { return a.NoRetries }, readRetries},
		{FallbackHeader, func(a Allowed) bool { return a.NoFallback }, readFallback},
		{PriorityHeader, func(a Allowed) bool { return a.NoPriority }, readPriority},
	} {
		value := h[f.header]
		if value == nil {
			continue
		}
		if want := f.read(&c, strings.TrimSpace(value[0])); want != "" || len(value) > 1 {
			code := "invalid_" + strings.ToLower(strings.TrimPrefix(f.header, "X-Trysail-"))
			if want == "" {
				want = "one value"
			}
			return c, badRequest(code, fmt.Sprintf("%s is %q, want %s.", f.header, clip(strings.Join(value, ", ")), want))
		}
		c.given = append(c.given, given{f.header, f.denied})
	}
	return c, nil
}

func readStrategy(c *control, value string) (want string) {
	s, err := trysail.ParseStrategy(value)
	if err != nil {
		return fmt.Sprintf("one of %v", trysail.Strategies())
	}
	c.strategy = s
	return ""
}

func readTimeout(c *control, value string) (want string) {
	d, err := time.ParseDuration(value)
	if seconds, bad := strconv.ParseFloat(value, 64); bad == nil && seconds < 1e6 { // NaN is none
		d, err = time.Duration(seconds*float64(time.Second)), nil
	}
	if err != nil || d < time.Millisecond {
		return `a time of at least 1ms, such as "2s", "1m30s" or 2.5, which is in seconds`
	}
	c.timeout = d
	return ""
}

func readRetries(c *control, value string) (want string) {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 || n > 19 {
		return "a number from 0 to 19"
	}
	c.attempts = n + 1
	return ""
}

func readFallback(c *control, value string) (want string) {
	switch value {
	case "off":
		c.pinned = true
	case "on":
	default:
		return `"off" or "on"`
	}
	return ""
}

func readPriority(c *control, value string) (want string) {
	for _, p := range []trysail.Priority{trysail.PriorityInteractive, trysail.PriorityBatch, trysail.PriorityBackground} {
		if value == p.String() {
			c.priority = p
			return ""
		}
	}
	return `"interactive", "batch" or "background"`
}

// forbidden returns why the route does not allow what was said, or nil.
func (c *control) forbidden(a Allowed) *fault {
	for _, g := range c.given {
		if g.denied(a) {
			return badRequest("header_not_allowed", g.header+" is not allowed here: leave it out.")
		}
	}
	return nil
}

// under returns ctx with what was said, which the engine reads there.
func (c *control) under(ctx context.Context, r *route) context.Context {
	if strategy := c.strategy; strategy != "" {
		ctx = trysail.WithStrategy(ctx, strategy)
	} else if r.Strategy != "" {
		ctx = trysail.WithStrategy(ctx, r.Strategy)
	}
	if c.attempts > 0 {
		ctx = trysail.WithAttempts(ctx, c.attempts)
	}
	if c.priority != trysail.PriorityInteractive {
		ctx = trysail.WithPriority(ctx, c.priority)
	}
	return ctx
}

// limit returns how long the request may take. What it says itself holds as far as it is less than the route's limit; a twentieth of it, at
// most 100 ms, is kept for the answer, so that the client has that in time.
func (c *control) limit(r *route, l *Limits) time.Duration {
	total := r.total(l)
	if c.timeout == 0 || c.timeout >= total {
		return total
	}
	return c.timeout - min(c.timeout/20, 100*time.Millisecond)
}
