package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"syscall"
)

// roundTrip sends the request to the target at hand.
func (e *exchange) roundTrip(ctx context.Context) (*http.Response, error) {
	here := e.walk.here
	e.address(here)
	trip := trip{transport: e.gateway.transport, trace: &e.trace, to: here, attempt: e.attempts, redialled: e.redialled}
	resp, err := trip.run(ctx)
	e.attempts, e.redialled = trip.attempt, trip.redialled
	return resp, err
}

// address makes the request as a visit's target gets it.
func (e *exchange) address(v *visit) {
	if v.out != nil {
		return
	}
	key := ""
	if v.key != nil {
		key = v.key.key
	}
	v.out = e.gateway.upstream(e, v.target, key)
}

// A trip is the way of a request to a target and of the head of its answer back.
type trip struct {
	transport http.RoundTripper
	trace     *trace
	to        *visit
	attempt   int  // its number; one more if the request was sent twice
	redialled bool // a dead connection has been replaced once in the call
}

// run makes it. A kept-alive connection that turns out to be dead costs one more try on a
// fresh one: AI providers close idle connections often, and nothing else is wrong then. net/http would do
// this by itself for a request marked as replayable, but on every idle connection in turn.
func (t *trip) run(ctx context.Context) (*http.Response, error) {
	var reused, answered bool
	trace := &httptrace.ClientTrace{
		GotConn:              func(info httptrace.GotConnInfo) { reused = info.Reused },
		GotFirstResponseByte: func() { answered = true },
	}
	resp, err := t.transport.RoundTrip(t.request(httptrace.WithClientTrace(ctx, trace)))
	stale := errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
	if err == nil || !stale || !reused || answered || t.redialled || ctx.Err() != nil {
		return resp, err
	}
	t.redialled = true
	t.attempt++ // the provider may have seen both
	if idle, ok := t.transport.(interface{ CloseIdleConnections() }); ok {
		idle.CloseIdleConnections()
	}
	return t.transport.RoundTrip(t.request(ctx))
}

// request returns the request of the next send.
func (t *trip) request(ctx context.Context) *http.Request {
	r := t.to.out.request(ctx, t.attempt, t.to.target)
	t.trace.mark(r, t.to.out)
	return r
}
