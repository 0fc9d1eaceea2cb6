package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/trysail-go/trysail"
)

// clientGone is the status in the log when the client left before its answer. It
// is nginx's, and is never sent.
const clientGone = 499

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
	case e.declined != nil:
		e.pass(e.declined) // nobody had a better answer
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
	if length := r.header.Get("Content-Length"); e.client.Method == http.MethodHead && length != "" {
		e.stamp()
		e.w.Header().Set("Content-Length", length) // of what a GET would bring
		e.status = r.status
		e.w.WriteHeader(r.status)
		return
	}
	e.write(r.status, r.body)
}

// passError sends a provider's error as it came, or in its place one that an SDK
// can read. A client that was retried for need not retry, nor one whose quota is used up: its SDK would ask once more, and show
// the refusal of a parked account in place of the provider's own word.
func (e *exchange) passError(r *received) {
	if r.status < http.StatusBadRequest { // a refusal, or half an answer: that is the client's to read
		e.pass(r)
		return
	}
	final := e.attempts > 1 || e.verdict.Class == trysail.ClassQuotaExhausted
	if !json.Valid(r.body) {
		h := e.w.Header()
		if after := r.header.Get("Retry-After"); after != "" {
			h.Set("Retry-After", after)
		}
		if id := providerID(r.header); id != "" {
			h.Set(ProviderIDHeader, id)
		}
		e.refuse(&fault{
			status: r.status, kind: "server_error", code: "unreadable_provider_error", final: final,
			message: fmt.Sprintf("The provider answered %d %s, with a body that is not JSON.", r.status, http.StatusText(r.status)),
		})
		return
	}
	returned(e.w.Header(), r.header)
	if final {
		e.w.Header().Set("X-Should-Retry", "false")
	}
	e.write(r.status, r.body)
}

// write sends a whole answer, and sees to it that it is on its way before the log has its line.
func (e *exchange) write(status int, body []byte) {
	e.stamp()
	e.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	e.status = status
	e.w.WriteHeader(status)
	_ = e.flush(body) // the client has gone: the log shows how much it took
}
