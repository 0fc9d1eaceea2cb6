package gateway

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A fault is an answer of the gateway's own that says what went wrong.
type fault struct {
	status     int
	kind       string // OpenAI's error type
	code       string
	message    string
	retryAfter time.Duration
	final      bool // the client's SDK should not try again by itself
}

func badRequest(code, message string) *fault {
	return &fault{status: http.StatusBadRequest, kind: "invalid_request_error", code: code, message: message}
}

func internalError(message string) *fault {
	return &fault{status: http.StatusInternalServerError, kind: "server_error", code: "internal_error", message: message}
}

// unserved is the fault of a request for which there is no target.
func (s *snapshot) unserved(p Protocol) *fault {
	var served []string
	for other, r := range s.rest {
		if r != nil {
			served = append(served, Protocol(other).String())
		}
	}
	return &fault{
		status: http.StatusNotFound, kind: "invalid_request_error", code: "no_target", final: true,
		message: fmt.Sprintf("This gateway has no target that speaks %s protocol. It has some for: %s.", p.vendor(), strings.Join(served, ", ")),
	}
}

// errorObject is the error of OpenAI's protocol (https://platform.openai.com/docs/guides/error-codes, 2025).
type errorObject struct {
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    string  `json:"code"`
}

// object returns the fault in a protocol's own form, such that its SDKs make their own typed errors of it.
func (f *fault) object(p Protocol, requestID string) any {
	switch p {
	case AnthropicProtocol:
		return map[string]any{
			"type": "error", "request_id": requestID,
			"error": map[string]string{"type": f.anthropicType(), "message": f.message},
		}
	case GeminiProtocol:
		return map[string]any{"error": map[string]any{
			"code": f.status, "message": f.message, "status": f.googleStatus(), "details": f.googleDetails(requestID),
		}}
	default:
		return map[string]errorObject{"error": {Message: f.message, Type: f.kind, Code: f.code}}
	}
}

// anthropicType returns Anthropic's type of an error (https://docs.anthropic.com/en/api/errors, 2025).
func (f *fault) anthropicType() string {
	switch f.status {
	case http.StatusUnauthorized:
		return "authentication_error"
	case http.StatusForbidden:
		return "permission_error"
	case http.StatusNotFound:
		return "not_found_error"
	case http.StatusRequestEntityTooLarge:
		return "request_too_large"
	case http.StatusTooManyRequests:
		return "rate_limit_error"
	case http.StatusServiceUnavailable, 529:
		return "overloaded_error"
	case http.StatusGatewayTimeout:
		return "timeout_error"
	}
	if f.status >= http.StatusInternalServerError {
		return "api_error"
	}
	return "invalid_request_error"
}

// googleStatus returns the name of an error as Google's APIs know it (https://cloud.google.com/apis/design/errors, 2025).
func (f *fault) googleStatus() string {
	switch f.status {
	case http.StatusUnauthorized:
		return "UNAUTHENTICATED"
	case http.StatusForbidden:
		return "PERMISSION_DENIED"
	case http.StatusNotFound:
		return "NOT_FOUND"
	case http.StatusTooManyRequests:
		return "RESOURCE_EXHAUSTED"
	case http.StatusInternalServerError:
		return "INTERNAL"
	case http.StatusNotImplemented, http.StatusMethodNotAllowed:
		return "UNIMPLEMENTED"
	case http.StatusGatewayTimeout, http.StatusRequestTimeout:
		return "DEADLINE_EXCEEDED"
	}
	if f.status > http.StatusInternalServerError {
		return "UNAVAILABLE"
	}
	return "INVALID_ARGUMENT"
}

func (f *fault) googleDetails(requestID string) []any {
	const types = "type.googleapis.com/google.rpc."
	details := []any{
		map[string]any{"@type": types + "ErrorInfo", "reason": strings.ToUpper(f.code), "domain": "trysail"},
		map[string]any{"@type": types + "RequestInfo", "requestId": requestID},
	}
	if f.retryAfter > 0 {
		details = append(details, map[string]any{"@type": types + "RetryInfo", "retryDelay": fmt.Sprintf("%ds", f.seconds())})
	}
	return details
}

// seconds returns when to come back, in whole seconds.
func (f *fault) seconds() int { return int(math.Ceil(f.retryAfter.Seconds())) }

// refuse sends a fault.
func (e *exchange) refuse(f *fault) {
	body, _ := json.Marshal(f.object(e.protocol, e.id)) // texts and numbers only: it cannot fail
	h := e.w.Header()
	h.Set("Content-Type", "application/json")
	if f.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(f.seconds()))
	}
	if f.final {
		h.Set("X-Should-Retry", "false")
	}
	e.write(f.status, append(body, '\n'))
}
