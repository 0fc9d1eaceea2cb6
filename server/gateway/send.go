package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
	"github.com/trysail-go/trysail/trysailhttp"
)

// once sends the request once, to the target at hand, and takes what comes. Beside an error it returns what that means.
func (e *exchange) once(ctx context.Context) (llm.Verdict, error) {
	here := e.walk.here
	e.attempts++
	here.sends++
	watch := watch(ctx, e.firstLimit(ctx, len(e.walk.tried) > 0))
	defer watch.stop()
	e.reset(watch.begun)
	resp, err := e.roundTrip(watch.ctx)
	if err != nil {
		return e.judge(ctx, watch, err)
	}
	defer resp.Body.Close() //nolint:errcheck // nothing can be done, and nothing is lost
	return e.take(ctx, resp, watch)
}

// reset forgets what the send before has brought.
func (e *exchange) reset(sentAt time.Time) {
	e.received, e.sentAt = nil, sentAt
	e.usage.told, e.usage.events = llm.Usage{}, 0
}

// take takes an answer of the target at hand.
func (e *exchange) take(ctx context.Context, resp *http.Response, watch *watchdog) (_ llm.Verdict, err error) {
	e.ceilings(resp.Header)
	if resp.StatusCode < http.StatusBadRequest {
		e.walk.here.veilHeader(resp.Header)
	}
	e.providerID = providerID(resp.Header)
	dialect := dialectOf(e.protocol, e.client.URL.Path, resp.Header.Get("Content-Type"))
	switch kindOf(resp, dialect) {
	case oddAnswer:
		err = badAnswer{fmt.Sprintf("the status %03d", resp.StatusCode)}
	case errorAnswer:
		return e.takeError(resp, watch) // its status decides, whatever happens to its body
	case encodedAnswer:
		err = e.passOn(resp, watch, nil) // asked for or not: it cannot be looked into
	case streamAnswer:
		err = e.takeStream(resp, watch, dialect)
	case plainAnswer:
		err = e.takePlain(resp, watch)
	}
	return e.judge(ctx, watch, err)
}

// A kind is what an answer is by its head.
type kind uint8

const (
	oddAnswer kind = iota // there is no such status
	errorAnswer
	encodedAnswer // compressed
	streamAnswer
	plainAnswer
)

func kindOf(resp *http.Response, dialect llm.Protocol) kind {
	switch {
	case resp.StatusCode < http.StatusOK || resp.StatusCode > 599:
		return oddAnswer
	case resp.StatusCode >= http.StatusBadRequest:
		return errorAnswer
	case isEncoded(resp.Header):
		return encodedAnswer
	case isEventStream(resp.Header), dialect == llm.GeminiArray:
		return streamAnswer
	default:
		return plainAnswer
	}
}

// judge says what the error of a send means.
func (e *exchange) judge(ctx context.Context, watch *watchdog, err error) (llm.Verdict, error) {
	if err == nil {
		return llm.Verdict{}, nil
	}
	var late timeoutError
	if errors.As(context.Cause(watch.ctx), &late) {
		err = late
		e.timeouts++
	}
	v := llm.ClassifyError(ctx, e.walk.here.target.provider, err)
	switch {
	case e.gone:
		v = llm.Verdict{Class: trysail.ClassCanceled, Failed: true, Scope: llm.ScopeCaller, Reason: "client"}
	case v.Class == trysail.ClassTransient && errors.As(err, new(badAnswer)):
		v.Once = true // a proxy's page, or half an answer: see the same rule of llm.Transport
	}
	if e.idempotent() && v.Scope == llm.ScopeNetwork {
		v.Once = false // it costs nothing
	}
	if e.committed {
		v = v.Committed()
	}
	return v, v.Mark(err)
}

// idempotent reports whether the request may be made any number of times.
func (e *exchange) idempotent() bool {
	return e.client.Method == http.MethodGet || e.client.Method == http.MethodHead
}

// firstLimit is how long the provider may take until something useful has come. The last of several targets has what is left of the
// whole time: there is nobody else to ask.
func (e *exchange) firstLimit(ctx context.Context, later bool) timeoutError {
	limit := timeoutError{"the answer", e.gateway.limits.Plain}
	if e.streamed {
		limit = timeoutError{"the first token", e.gateway.limits.FirstToken}
	}
	if !later {
		return limit
	}
	if _, others := e.walk.others(); others {
		return limit
	}
	if deadline, ok := ctx.Deadline(); ok {
		limit.limit = max(limit.limit, time.Until(deadline))
	}
	return limit
}

// idleLimit is how long the provider may pause in the middle of an answer.
func (e *exchange) idleLimit() timeoutError {
	return timeoutError{"anything but keep-alives", e.gateway.limits.Idle}
}

// takeError keeps an error answer, so that it can be passed on if it is the last.
func (e *exchange) takeError(resp *http.Response, watch *watchdog) (llm.Verdict, error) {
	watch.expect(&timeoutError{"the body of an error", errorBodyLimit})
	// Where the body breaks off, the status still tells more than "unreachable".
	body, _ := io.ReadAll(io.LimitReader(resp.Body, e.gateway.limits.Answer))
	e.received = e.walk.here.redacted(&received{resp.StatusCode, resp.Header, body})
	e.refused = e.received
	v := llm.Classify(llm.Response{
		Provider: e.walk.here.target.provider, Status: resp.StatusCode, Header: resp.Header, Body: body,
	})
	return v, v.Mark(&trysailhttp.StatusError{Status: resp.StatusCode, After: v.Delay})
}

// takePlain reads an answer that is no stream. It is not sent before it is
// complete, so that an attempt that breaks off can be repeated; only an answer over the
// limit is passed on as it comes.
func (e *exchange) takePlain(resp *http.Response, watch *watchdog) error {
	if kind := mediaType(resp.Header); kind == "text/html" {
		return badAnswer{"an HTML page where an answer was expected"}
	}
	body, err := e.readAnswer(resp)
	switch {
	case err != nil:
		return fmt.Errorf("read the provider's answer: %w", err)
	case int64(len(body)) > e.gateway.limits.Answer:
		return e.passOn(resp, watch, body)
	case e.mustBeJSON(resp) && !wellFormed(body):
		return badAnswer{"an answer that is not JSON"}
	}
	e.walk.here.veil(body)
	e.usage.told = e.usageIn(body)
	if e.isAnswer(resp) {
		if err := e.inside(resp, body); err != nil {
			return err
		}
	}
	e.received = &received{resp.StatusCode, resp.Header, body}
	return nil
}

// isAnswer reports whether a body is the answer of a model, in which there may be an error. The failed job that one asks about is a good answer.
func (e *exchange) isAnswer(resp *http.Response) bool {
	return e.dialect != llm.OtherEvents && e.client.Method == http.MethodPost && resp.StatusCode == http.StatusOK
}

// inside returns the failure that a model's answer with a good status holds, nil if it holds none. A refusal is the client's to read.
func (e *exchange) inside(resp *http.Response, body []byte) error {
	v := llm.Classify(llm.Response{Provider: e.walk.here.target.provider, Status: resp.StatusCode, Header: resp.Header, Body: body})
	if !v.Failed {
		return nil
	}
	if err := llm.ErrorInside(body); err != nil {
		return v.Mark(err)
	}
	e.received = &received{resp.StatusCode, resp.Header, body}
	if v.Class == trysail.ClassContentPolicy {
		e.declined = e.received
	}
	return v.Mark(&llm.AnswerError{Verdict: v})
}

// readAnswer reads up to one byte over the limit.
func (e *exchange) readAnswer(resp *http.Response) ([]byte, error) {
	var body bytes.Buffer
	body.Grow(int(min(max(resp.ContentLength, 0), firstBuffer)) + bytes.MinRead)
	_, err := body.ReadFrom(io.LimitReader(resp.Body, e.gateway.limits.Answer+1))
	return body.Bytes(), err
}

// mustBeJSON reports whether an answer that is not JSON is a failure.
func (e *exchange) mustBeJSON(resp *http.Response) bool {
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusCreated || e.client.Method == http.MethodHead {
		return false
	}
	return e.dialect != llm.OtherEvents || isJSON(resp.Header.Get("Content-Type"))
}
