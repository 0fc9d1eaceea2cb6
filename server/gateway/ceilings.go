package gateway

import (
	"net/http"
	"strings"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
)

// ceilings learns from the headers of an answer what the provider has left for us. That goes before what we think is free: an account of which nothing is
// left is closed, and of a target's tokens no more are free than the provider says. What is said of a client's own account is the client's affair.
func (e *exchange) ceilings(h http.Header) {
	here := e.walk.here
	if here.key == nil {
		return
	}
	now := time.Now()
	for _, l := range llm.LimitsOf(h, now) {
		if l.Remaining < 0 {
			continue
		}
		tokens := strings.HasSuffix(l.Name, "tokens")
		if limiter := here.target.tokens.Load(); tokens && limiter != nil && len(here.target.keys) == 1 {
			e.lower(limiter, float64(l.Remaining))
		}
		wait := l.Reset.Sub(now)
		if l.Remaining > 0 || l.Reset.IsZero() || wait <= 0 {
			continue
		}
		// The reset is when all are free again; the next request is free earlier, and so are the tokens of another one like this.
		share := 1.0
		if l.Limit > 0 {
			share = 1 / float64(l.Limit)
		}
		if tokens {
			share *= max(e.estimate(), 1)
		}
		here.key.close(e.gateway.now() + int64(float64(wait)*min(share, 1)))
	}
}

// lower takes what a target has free beyond a number, and what this call has reserved besides: the provider has counted the call, and the rest of its
// reservation comes back when it ends.
func (e *exchange) lower(l *trysail.Limiter, most float64) {
	free := l.Snapshot().Available
	more := free - most
	if e.walk.here.reservation != nil {
		more += e.estimate()
	}
	if more <= 0 || free <= 0 {
		return
	}
	if r, err := l.Reserve(min(more, free)); err == nil { // else somebody else has taken of it just now, and the next answer will tell
		r.Settle(more)
	}
}
