package llm

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/trysail-go/trysail"
)

// A Transport is an [http.RoundTripper] for the SDKs of AI providers: it makes each request a
// call of an operation, and knows what the answers mean. It may be used by several goroutines at
// once, and by several SDKs.
//
// Answers are judged by [Classify], errors of the network by [ClassifyError]; both say whether and
// when to try again. Plain answers are read to their end, up to 32 MiB, and streams up to their first token
// before the caller gets them, so that everything that breaks until then is tried again, an error
// inside a good answer included. A stream that breaks later is an error for its reader and never a
// clean end: see [Stream]. What is no answer of a model, such as a file, is passed on as it comes.
//
// The outcome is told to the breaker when the body has ended or is closed, which the caller must do. Of one
// that was forgotten, connection, permit and tokens are had back when the garbage collector finds it.
//
// When the attempts are used up, the answer of the last one is returned as it came, so that the
// SDK makes its own error of it; it says "x-should-retry: false", which keeps the SDKs of OpenAI and
// Anthropic from multiplying attempts. An error that came inside a good answer is returned with the
// status that it would have had. An error is returned only when the last attempt had no answer.
//
// Switch the SDK's own retries off: option.WithMaxRetries(0) with OpenAI's and Anthropic's;
// genai has none unless asked. Requests are kept in memory, up to 32 MiB; a larger one is sent once. A request
// of some kilobytes costs about 12 us, a stream about 0.5 us for each of its events.
type Transport struct {
	// Operation is what requests run under. Required, unless Choose or [WithOperation] name one.
	Operation *trysail.Operation

	// Choose, if set, names the operation of a request for a model, such as Operation.For(model);
	// model is empty where the request names none. If it returns nil, Operation counts. It must not
	// read the request's body.
	Choose func(r *http.Request, model string) *trysail.Operation

	// Base makes the attempts. Default [http.DefaultTransport].
	Base http.RoundTripper

	// Provider is who answers. Default: known by the request's host, see [ProviderOf].
	Provider Provider

	// FirstToken and Idle limit streams: see [StreamConfig].
	FirstToken, Idle time.Duration

	// Resend says how often a request is sent again whose connection broke, or was silent for too long, when the
	// provider may have had all of it. Default [ResendOnce]. GET and HEAD cost nothing and follow the policy alone.
	Resend Resend

	// AttemptHeader, if set, is a header that tells the server the number of the attempt, from 1.
	AttemptHeader string

	// Tokens, if set, limits tokens, not calls: each request takes an estimate of what it will
	// use before it is sent, and the difference is settled when the usage is known.
	Tokens *trysail.Limiter

	// LearnLimits sets the rate and the burst of Tokens by what answers say of the account's limit, as far as that can be
	// told: see [Limit.Rate]. Who shares an account with others should leave it off and give each a share.
	LearnLimits bool

	// TokenWait is how long a request may wait for its tokens. Default 0: it does not wait, but
	// fails with [trysail.ErrLimited].
	TokenWait time.Duration

	// Estimate returns how many tokens a request's body has. Default [EstimateTokens].
	Estimate func(body []byte) int64

	// Observe, if set, hears of each request when it has ended. It is called by the goroutine
	// that ended it, so it should be quick.
	Observe func(Exchange)
}

// A Resend is how often to send a request again that may have been answered, and billed, already.
type Resend uint8

// How often.
const (
	ResendOnce     Resend = iota // once in a call
	ResendNever                  // not at all: rather an error than a second bill
	ResendAsPolicy               // as often as the policy tries again after other failures
)

// apply changes the verdict on a failed attempt.
func (r Resend) apply(v Verdict, method string) Verdict {
	switch {
	case !v.Once || v.Scope != ScopeNetwork:
		return v
	case method == http.MethodGet, method == http.MethodHead, r == ResendAsPolicy:
		v.Once = false
	case r == ResendNever:
		return v.Committed()
	}
	return v
}

// ErrNoOperation means that a request has no operation to run under.
var ErrNoOperation = errors.New("llm.Transport: no operation: set Operation, or give the request one by WithOperation")

type operationKey struct{}

// WithOperation returns a context whose requests run under op, whatever the transport's own
// operation is.
func WithOperation(ctx context.Context, op *trysail.Operation) context.Context {
	return context.WithValue(ctx, operationKey{}, op)
}

// errPanicked is what an observer hears of a request whose attempt panicked.
var errPanicked = errors.New("llm.Transport: panic")

// RoundTrip implements [http.RoundTripper].
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	c := &call{transport: t, began: time.Now()}
	returned := false
	defer func() {
		if !returned { // the panic of Base or of a function goes on its way
			_ = c.giveUp(errPanicked)
		}
	}()
	resp, err := c.run(r)
	returned = true
	return resp, err
}

// run makes the request.
func (c *call) run(r *http.Request) (*http.Response, error) {
	if err := c.prepare(r); err != nil {
		return nil, c.giveUp(err)
	}
	if err := c.reserve(r.Context()); err != nil {
		return nil, c.giveUp(err)
	}
	attempt := c.attempt
	if c.request.repeatable() {
		attempt = trysail.Hedged(c.op, attempt)
	}
	a, permit, err := trysail.Start(r.Context(), c.op, attempt)
	if err != nil {
		return c.failed(a, err)
	}
	return c.deliver(a, permit), nil
}

// prepare reads the request and finds its operation.
func (c *call) prepare(r *http.Request) error {
	t := c.transport
	var err error
	c.request, err = readRequest(r)
	if c.provider = t.Provider; c.provider == "" {
		c.provider = ProviderOf(r.URL.Host)
	}
	if err != nil {
		return err
	}
	if c.op, _ = r.Context().Value(operationKey{}).(*trysail.Operation); c.op == nil && t.Choose != nil {
		c.op = t.Choose(r, c.request.Model)
	}
	if c.op == nil {
		c.op = t.Operation
	}
	if c.op == nil {
		return ErrNoOperation
	}
	return nil
}

// base returns who makes the attempts.
func (t *Transport) base() http.RoundTripper {
	if t.Base != nil {
		return t.Base
	}
	return http.DefaultTransport
}
