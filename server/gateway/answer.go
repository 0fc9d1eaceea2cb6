package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
)

// clientGone is the status in the log when the client left before its answer. It
// is nginx's, and is never sent.
const clientGone = 499

// A fault is an answer of the gateway's own that says what went wrong.
type fault struct {
	status     int
	kind       string // OpenAI's error type
	code       string
	message    string
	retryAfter time.Duration
	final      bool // the client's SDK should not try again by itself
}

// errorObject is the error of OpenAI's protocol.
type errorObject struct {
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    string  `json:"code"`
}

func badRequest(code, message string) *fault {
	return &fault{status: http.StatusBadRequest, kind: "invalid_request_error", code: code, message: message}
}

func internalError(message string) *fault {
	return &fault{status: http.StatusInternalServerError, kind: "server_error", code: "internal_error", message: message}
}

// refuse sends a fault.
func (e *exchange) refuse(f *fault) {
	body, _ := json.Marshal(map[string]errorObject{ // strings only: it cannot fail
		"error": {Message: f.message, Type: f.kind, Code: f.code},
	})
	h := e.w.Header()
	h.Set("Content-Type", "application/json")
	if f.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(f.retryAfter.Seconds()))))
	}
	if f.final {
		h.Set("X-Should-Retry", "false")
	}
	e.write(f.status, append(body, '\n'))
}

// answer sends what came of the call.
func (e *exchange) answer() {
	switch {
	case e.stopped:
		e.refuse(&fault{
			status: http.StatusServiceUnavailable, kind: "server_error", code: "gateway_stopping", retryAfter: time.Second,
			message: "The gateway is stopping, and could not wait for the answer.",
		})
	case e.err != nil && trysail.Classify(e.err) == trysail.ClassCanceled:
		e.status = clientGone
	case e.err == nil && e.received != nil:
		e.pass(e.received)
	case e.received != nil:
		e.passError(e.received)
	case errors.Is(e.err, context.DeadlineExceeded) && e.refused != nil:
		e.passError(e.refused) // it tells more than that time ran out
	default:
		e.refuse(faultOf(e.err))
	}
}

// pass sends a provider's answer as it came.
func (e *exchange) pass(r *received) {
	returned(e.w.Header(), r.header)
	if length := r.header.Get("Content-Length"); e.request.Method == http.MethodHead && length != "" {
		e.stamp()
		e.w.Header().Set("Content-Length", length) // of what a GET would bring
		e.status = r.status
		e.w.WriteHeader(r.status)
		return
	}
	e.write(r.status, r.body)
}

// passError sends a provider's error as it came, or in its place one that an SDK
// can read. A client that was retried for need not retry.
func (e *exchange) passError(r *received) {
	if !json.Valid(r.body) {
		h := e.w.Header()
		for name, as := range map[string]string{"Retry-After": "Retry-After", RequestIDHeader: ProviderIDHeader} {
			if value := r.header.Get(name); value != "" {
				h.Set(as, value)
			}
		}
		e.refuse(&fault{
			status: r.status, kind: "server_error", code: "unreadable_provider_error", final: e.attempts > 1,
			message: fmt.Sprintf("The provider answered %d %s, with a body that is not JSON.", r.status, http.StatusText(r.status)),
		})
		return
	}
	returned(e.w.Header(), r.header)
	if e.attempts > 1 {
		e.w.Header().Set("X-Should-Retry", "false")
	}
	e.write(r.status, r.body)
}

// write sends a whole answer.
func (e *exchange) write(status int, body []byte) {
	e.stamp()
	e.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	e.status = status
	e.w.WriteHeader(status)
	_ = e.send(body) // the client has gone: the log shows how much it took
}

// stamp sets the headers that tell what happened.
func (e *exchange) stamp() {
	h := e.w.Header()
	h.Set(RequestIDHeader, e.id)
	h.Set(AttemptsHeader, strconv.Itoa(e.attempts))
	h.Set(BreakerHeader, e.breakerState())
}

func (e *exchange) breakerState() string {
	if e.operation == nil || e.operation.Breaker() == nil {
		return "none"
	}
	return e.operation.Breaker().State().String()
}

// faultOf returns the answer for a call that ended without one of the provider's.
// Every one of these is final: what could be repeated has been.
func faultOf(err error) *fault {
	f := &fault{status: http.StatusBadGateway, kind: "server_error", final: true}
	var (
		failed *trysail.Error
		late   timeoutError
		bad    badAnswer
		inBand *llm.InBandError
	)
	if errors.As(err, &failed) {
		f.retryAfter = failed.RetryAfter
	}
	switch {
	case errors.Is(err, trysail.ErrOpen):
		f.status, f.code = http.StatusServiceUnavailable, "circuit_breaker_open"
		f.retryAfter = max(f.retryAfter, time.Second)
		f.message = fmt.Sprintf("The provider keeps failing, so operation %q is paused: its circuit breaker is open.", failed.Operation)
	case errors.As(err, &late):
		f.status, f.code = http.StatusGatewayTimeout, "provider_timeout"
		f.message = fmt.Sprintf("The provider did not send %s within %v.", late.what, late.limit)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, errTotal):
		f.status, f.code, f.message = http.StatusGatewayTimeout, "time_limit", "The time limit of the whole request has passed."
	case errors.As(err, &bad):
		f.code, f.message = "bad_provider_answer", fmt.Sprintf("The provider sent %s.", bad.what)
	case errors.Is(err, llm.ErrNotJSON), errors.Is(err, llm.ErrLineTooLong):
		f.code, f.message = "bad_provider_answer", "The provider sent a stream that cannot be read."
	case errors.As(err, &inBand):
		f.code, f.message = "provider_error_inside", fmt.Sprintf("The provider sent an error inside a good answer: %s", inBand.Message)
	case errors.Is(err, llm.ErrTruncated):
		f.code, f.message = "stream_interrupted", "The provider's stream ended before its first token."
	default:
		f.code, f.message = "provider_unreachable", "The provider could not be reached, or its connection broke off."
	}
	return f
}
