package api

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"time"
)

// A Problem is the body of every answer that is not a success: problem details
// after RFC 9457, with the members that this API adds.
type Problem struct {
	// Type identifies the kind of problem. Default "about:blank", which means that
	// there is nothing to know beyond the status.
	Type string `json:"type" doc:"A URI reference; about:blank when the status says it all."`

	// Title is the status in words. Default: as in net/http.
	Title string `json:"title" doc:"The status in words."`

	// Status is the HTTP status, 400 to 599. Default 500.
	Status int `json:"status" minimum:"400" maximum:"599" doc:"The HTTP status."`

	// Detail says what went wrong, for people. Everybody may read it.
	Detail string `json:"detail" doc:"What went wrong, for people."`

	// ErrorCode says what went wrong, for programs. Default: what the status means.
	ErrorCode string `json:"error_code" doc:"What went wrong, for programs, such as VALIDATION_ERROR." example:"NOT_FOUND"`

	// Errors holds single faults. Default: none.
	Errors []Fault `json:"errors" nullable:"false" doc:"Single faults; empty when detail says it all."`

	// Warnings and Suggestions are about what was sent, as far as it was checked. Default: none.
	Warnings    []string `json:"warnings,omitempty" nullable:"false" doc:"What else is unwise about a configuration that was sent."`
	Suggestions []string `json:"suggestions,omitempty" nullable:"false" doc:"What would be right in its place."`

	// RequestID is the request's X-Request-ID. [WriteProblem] sets it.
	RequestID string `json:"request_id" doc:"The request's X-Request-ID; the log has it too."`

	// Timestamp is when the problem was answered. [WriteProblem] sets it.
	Timestamp time.Time `json:"timestamp"`
}

// A Fault is a single thing that is wrong with a request.
type Fault struct {
	// Location says where, such as "body.configuration.retry_attempts".
	Location string `json:"location" doc:"Where, such as path.breaker_name."`

	// Message says what.
	Message string `json:"message" doc:"What is wrong, or what was wanted."`

	// Value may help to put it right. It is never what the client sent, which may
	// be a secret.
	Value any `json:"value,omitempty" doc:"What may help to put it right. Never what was sent."`
}

// problemType is the media type of a [Problem].
const problemType = "application/problem+json"

// WriteProblem answers r with p. Programs use it for what they refuse outside of
// [API.Handler], so that all their errors look alike.
func WriteProblem(w http.ResponseWriter, r *http.Request, p Problem) {
	who := callerOf(r.Context())
	if who.requestID == "" {
		who = newCaller(r)
	}
	p = p.complete(who.requestID)
	h := w.Header()
	setCommonHeaders(h, who.requestID)
	h.Set("Content-Type", problemType)
	h.Del("Content-Length") // of an answer that was begun and given up
	w.WriteHeader(p.Status)
	if b, err := encode(p); err == nil {
		_, _ = w.Write(b) // the client is gone, and nobody is left to tell
	}
}

// complete returns p with its defaults filled in.
func (p Problem) complete(requestID string) Problem {
	p.Status = cmp.Or(p.Status, http.StatusInternalServerError)
	p.Type = cmp.Or(p.Type, "about:blank")
	p.Title = cmp.Or(p.Title, http.StatusText(p.Status))
	p.Detail = cmp.Or(p.Detail, p.Title)
	p.ErrorCode = cmp.Or(p.ErrorCode, errorCode(p.Status))
	if p.Errors == nil {
		p.Errors = []Fault{}
	}
	p.RequestID = requestID
	p.Timestamp = instant(time.Now())
	return p
}

// errorCode is what a status means.
func errorCode(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "AUTHENTICATION_ERROR"
	case http.StatusForbidden:
		return "AUTHORIZATION_ERROR"
	case http.StatusNotFound:
		return "NOT_FOUND"
	case http.StatusMethodNotAllowed:
		return "METHOD_NOT_ALLOWED"
	case http.StatusRequestTimeout:
		return "REQUEST_TIMEOUT"
	case http.StatusConflict:
		return "CONFLICT"
	case http.StatusRequestEntityTooLarge:
		return "REQUEST_TOO_LARGE"
	case http.StatusUnsupportedMediaType:
		return "UNSUPPORTED_MEDIA_TYPE"
	case http.StatusTooManyRequests:
		return "RATE_LIMIT_EXCEEDED"
	case http.StatusServiceUnavailable:
		return "SERVICE_UNAVAILABLE"
	}
	if status < http.StatusInternalServerError {
		return "VALIDATION_ERROR"
	}
	return "INTERNAL_ERROR"
}

// encode returns v as the API writes it.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	err := encodeTo(&b, v)
	return b.Bytes(), err
}

// encodeTo is the one way in which the API writes JSON. Nothing is written of what cannot be encoded, and all else at once.
func encodeTo(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false) // nosniff keeps browsers from taking it for HTML
	return e.Encode(v)
}
