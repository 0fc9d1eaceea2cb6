package trysailhttp

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"

	"github.com/trysail-go/trysail"
)

// A Transport is an [http.RoundTripper] that makes each request a call of an
// operation. It may be used by several goroutines at once.
//
// An answer with an error status is a failure of the class that [Mark] gives
// it. When the attempts are used up, the last answer is returned as it came, so
// that the client can read what the server said; an error is returned only when
// there is no answer: the network failed, the caller gave up, or the breaker is
// open (match it with [trysail.ErrOpen]).
//
// Every method is retried, POST too: calls to AI models have no effects but
// their cost. Use an operation without retries where that is wrong. A request whose body has no
// GetBody cannot be repeated, so it is sent once; [http.NewRequest] sets GetBody for
// byte slices, buffers and strings.
//
// The operation's time limits bound the wait for the headers. Nothing is cancelled when
// RoundTrip returns, so the body can be read for as long as the caller likes.
// The breaker judges a call when its headers arrive. A hedge is a second request beside the first; the one
// that is not needed is ended, and its answer closed.
type Transport struct {
	// Operation is what requests run under. Required.
	Operation *trysail.Operation

	// Base makes the attempts. Default [http.DefaultTransport].
	Base http.RoundTripper

	// AttemptHeader, if set, is a header that tells the server the number of the
	// attempt, from 1.
	AttemptHeader string
}

// RoundTrip implements [http.RoundTripper].
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	e := exchange{transport: t, request: req}
	attempt := e.attempt
	if e.repeatable() {
		attempt = trysail.Hedged(t.Operation, attempt)
	}
	answer, err := trysail.Do(req.Context(), t.Operation, attempt)
	if e.attempts.Load() == 0 && req.Body != nil {
		_ = req.Body.Close() // a RoundTripper closes the body, also when it sends nothing
	}
	resp := answer.Response
	switch {
	case err == nil:
		return resp, nil
	case resp == nil:
		return nil, err
	case req.Context().Err() != nil:
		_ = resp.Body.Close()
		return nil, err
	default:
		return resp, nil
	}
}

// An exchange is one request with its attempts.
type exchange struct {
	transport *Transport
	request   *http.Request
	attempts  atomic.Int64 // hedges are sent at the same time
}

// An answer is a response that is closed when another attempt was faster.
type answer struct{ *http.Response }

// Close gives the connection back.
func (a answer) Close() error {
	if a.Response == nil {
		return nil
	}
	return a.Body.Close()
}

// attempt sends the request once. For an answer with an error status it returns
// both the answer and the error that stands for it.
func (e *exchange) attempt(ctx context.Context) (answer, error) {
	req, err := e.prepare(e.attempts.Add(1))
	if err != nil {
		return answer{}, trysail.Permanent(err)
	}
	resp, err := roundTrip(ctx, e.base(), req)
	if err != nil {
		return answer{}, e.unlessSpent(Mark(err))
	}
	if resp.StatusCode < http.StatusBadRequest {
		return answer{resp}, nil
	}
	keepBody(resp)
	return answer{resp}, e.unlessSpent(FromResponse(resp))
}

// prepare returns the request to send: the caller's own at first, then copies
// with the body from the start. A RoundTripper must not change the caller's.
func (e *exchange) prepare(number int64) (*http.Request, error) {
	req := e.request
	if number == 1 && e.transport.AttemptHeader == "" {
		return req, nil
	}
	again := req.WithContext(req.Context())
	if e.transport.AttemptHeader != "" {
		again.Header = req.Header.Clone()
		if again.Header == nil {
			again.Header = http.Header{}
		}
		again.Header.Set(e.transport.AttemptHeader, strconv.FormatInt(number, 10))
	}
	if number > 1 && req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			return nil, err
		}
		again.Body = body
	}
	return again, nil
}

// roundTrip sends the request, and gives up when ctx ends, which is under the time limits of the
// operation. The answer's body does not depend on ctx any more: it lives until it is closed.
func roundTrip(ctx context.Context, base http.RoundTripper, req *http.Request) (*http.Response, error) {
	if ctx == req.Context() {
		return base.RoundTrip(req) // there are no limits
	}
	own, cancel := context.WithCancelCause(req.Context())
	unlink := context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })
	resp, err := base.RoundTrip(req.WithContext(own))
	if !unlink() || err != nil {
		// The limit has passed, perhaps while the headers arrived.
		cancel(nil)
		if err == nil {
			_ = resp.Body.Close()
			err = context.Cause(ctx)
		}
		return nil, err
	}
	resp.Body = &released{resp.Body, cancel}
	return resp, nil
}

// released is a body whose context ends when it is closed.
type released struct {
	io.ReadCloser
	cancel context.CancelCauseFunc
}

// Close closes the body and ends its context.
func (r *released) Close() error {
	defer r.cancel(nil)
	return r.ReadCloser.Close()
}

// unlessSpent keeps an error from being retried when the body cannot be sent a
// second time.
func (e *exchange) unlessSpent(err error) error {
	if !e.repeatable() {
		return trysail.Committed(err)
	}
	return err
}

// repeatable reports whether the request can be sent more than once.
func (e *exchange) repeatable() bool {
	req := e.request
	return req.Body == nil || req.Body == http.NoBody || req.GetBody != nil
}

func (e *exchange) base() http.RoundTripper {
	if e.transport.Base != nil {
		return e.transport.Base
	}
	return http.DefaultTransport
}
