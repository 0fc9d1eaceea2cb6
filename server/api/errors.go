package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// maxKnown bounds the names that a [missingError] tells.
const maxKnown = 20

// A missingError reports that something has no such name.
type missingError struct {
	kind  string   // what was looked for, such as "Operation"
	param string   // the path parameter that held the name
	name  string   // the name
	known []string // the names there are
}

func (e *missingError) Error() string { return fmt.Sprintf("%s '%s' not found", e.kind, e.name) }

func (e *missingError) problem() Problem {
	fault := Fault{Location: "path." + e.param, Message: "unknown name; there are none yet"}
	if n := len(e.known); n > 0 {
		shown := e.known[:min(n, maxKnown)]
		fault.Message = fmt.Sprintf("unknown name; value has %d of %d known ones", len(shown), n)
		fault.Value = shown
	}
	return Problem{Status: http.StatusNotFound, Detail: e.Error(), Errors: []Fault{fault}}
}

// A problemError is a problem that an operation itself words: all of it may be read by outsiders.
type problemError struct{ Problem }

func (e *problemError) Error() string { return e.Detail }

func badRequest(detail string, faults ...Fault) error {
	return &problemError{Problem{Status: http.StatusBadRequest, Detail: detail, Errors: faults}}
}

// retryLater is what Retry-After says with every 503: for how long, nobody knows. Most benchmarks take less, a program that was
// stopped is often back by then, and a client that comes every 5 s costs nothing.
const retryLater = 5 * time.Second

// A laterError says that the server cannot do something now, and why.
type laterError struct{ detail string }

func (e *laterError) Error() string { return e.detail }

func (e *laterError) problem() Problem {
	return Problem{Status: http.StatusServiceUnavailable, Detail: e.detail}
}

// A refusal is a problem on its way through huma.
type refusal struct {
	Problem
	after time.Duration // for Retry-After; 0: it is not sent
}

// Error implements error.
func (r *refusal) Error() string { return r.Detail }

// GetStatus implements [huma.StatusError].
func (r *refusal) GetStatus() int { return r.Status }

// ContentType implements [huma.ContentTypeFilter].
func (r *refusal) ContentType(string) string { return problemType }

// GetHeaders implements [huma.HeadersError].
func (r *refusal) GetHeaders() http.Header {
	if r.after == 0 {
		return nil
	}
	return http.Header{"Retry-After": {strconv.Itoa(wholeSeconds(r.after))}}
}

// refuse decides what outsiders may read of an operation's error.
func (a *API) refuse(ctx context.Context, err error) *refusal {
	if missing, ok := errors.AsType[*missingError](err); ok {
		return &refusal{Problem: missing.problem()}
	}
	if worded, ok := errors.AsType[*problemError](err); ok {
		return &refusal{Problem: worded.Problem}
	}
	if later, ok := errors.AsType[*laterError](err); ok {
		return &refusal{later.problem(), retryLater}
	}
	a.log.ErrorContext(ctx, "operation of the API failed", "error", err, "request_id", callerOf(ctx).requestID)
	return &refusal{Problem: internal()}
}

func internal() Problem {
	return Problem{
		Status: http.StatusInternalServerError,
		Detail: "Something went wrong inside; the server's log has more under this request_id",
	}
}

// Limits on what a problem tells about a rejected request.
const (
	maxFaults    = 20
	maxFaultText = 200
)

const invalidDetail = "The request is not valid; errors says why"

// ofHuma rewrites an error of huma's own. Its values are dropped, since they repeat
// what was sent, an unknown property even the whole body. So are the texts of media type errors, which
// quote it; those of JSON errors are of unmarshal.
func ofHuma(e *huma.ErrorModel, op *huma.Operation, schemas huma.Registry) Problem {
	p := Problem{Status: e.Status, Detail: invalidDetail}
	quiet := ""
	switch e.Status {
	case http.StatusBadRequest: // malformed JSON or no body: as invalid as any other shape
		p.Status = http.StatusUnprocessableEntity
		if len(e.Errors) == 0 {
			quiet = "wanted a JSON value"
		}
	case http.StatusUnsupportedMediaType:
		p.Detail, quiet = "The body must be application/json", "wanted application/json"
	case http.StatusRequestEntityTooLarge:
		return tooLarge()
	case http.StatusRequestTimeout:
		p.Detail = "The body took too long to arrive"
	case http.StatusInternalServerError: // all that huma finds itself: the body broke off
		p.Status, p.Detail, quiet = http.StatusBadRequest, "The body broke off", "wanted the whole body"
	}
	for _, detail := range e.Errors[:min(len(e.Errors), maxFaults)] {
		if detail == nil {
			continue
		}
		message := cmp.Or(wantAt(op, schemas, detail.Location), detail.Message)
		if quiet != "" {
			message = quiet
		}
		p.Errors = append(p.Errors, Fault{Location: cut(cmp.Or(detail.Location, "body")), Message: cut(message)})
	}
	if len(p.Errors) == 0 && quiet != "" {
		p.Errors = []Fault{{Location: "body", Message: quiet}}
	}
	return p
}

func tooLarge() Problem {
	return Problem{
		Status: http.StatusRequestEntityTooLarge,
		Detail: fmt.Sprintf("The body must not be larger than %d bytes", maxBody),
	}
}

func cut(s string) string {
	if len(s) <= maxFaultText {
		return s
	}
	return strings.ToValidUTF8(s[:maxFaultText], "") + "…"
}
