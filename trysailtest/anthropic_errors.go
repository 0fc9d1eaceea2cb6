package trysailtest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// statusOverloaded is Anthropic's, and others' who copied it; it is not registered.
const statusOverloaded = 529

// encode returns the error as Anthropic's JSON (docs.claude.com, "Errors").
func (anthropic) encode(e *apiError, x *exchange) []byte {
	type fields struct {
		Type    string `json:"type"`
		Message string `json:"message"`
		Details any    `json:"details,omitempty"`
	}
	body, err := json.Marshal(struct {
		Type      string `json:"type"`
		Error     fields `json:"error"`
		RequestID string `json:"request_id"`
	}{"error", fields{cmp.Or(e.kind, anthropicKind(e.status)), e.message, e.details}, x.id})
	if err != nil { // strings always encode
		return []byte(`{"type":"error"}`)
	}
	return body
}

// anthropicKind returns the error.type of a status.
func anthropicKind(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "authentication_error"
	case http.StatusPaymentRequired:
		return "billing_error"
	case http.StatusForbidden:
		return "permission_error"
	case http.StatusNotFound:
		return "not_found_error"
	case http.StatusConflict:
		return "conflict_error"
	case http.StatusRequestEntityTooLarge:
		return "request_too_large"
	case http.StatusTooManyRequests:
		return "rate_limit_error"
	case http.StatusServiceUnavailable, statusOverloaded:
		return "overloaded_error"
	case http.StatusGatewayTimeout:
		return "timeout_error"
	}
	if status >= 500 {
		return "api_error"
	}
	return "invalid_request_error"
}

// explain returns the error that Anthropic documents for a fault, in our words. A hint
// is in Retry-After; a rate limit tells it in its reset headers too.
func (anthropic) explain(f Fault, now time.Time) *apiError {
	e := anthropicMeaning(f.Kind)
	if e == nil {
		e = &apiError{status: f.Status, message: anthropicMessage(f.Status)}
	}
	if !e.hint(f, now) {
		return e
	}
	if f.Form != formReset {
		e.setHeader("Retry-After", retrySeconds(f.After))
	}
	if f.Form == formReset || e.status == http.StatusTooManyRequests && e.details == nil {
		e.setHeader("Anthropic-Ratelimit-Requests-Remaining", "0")
		e.setHeader("Anthropic-Ratelimit-Requests-Reset", resetTime(now.Add(max(f.After, 0))))
	}
	return e
}

// anthropicMeaning returns the error of a fault named by its meaning, or nil.
func anthropicMeaning(kind FaultKind) *apiError {
	switch kind {
	case FaultRateLimit:
		return &apiError{status: http.StatusTooManyRequests, message: anthropicMessage(http.StatusTooManyRequests)}
	case FaultQuota: // only details tells it from a rate limit
		return &apiError{
			status: http.StatusTooManyRequests, message: "This organization has reached its monthly spend limit.",
			details: map[string]string{"error_code": "enforced_spend_limit_reached"},
		}
	case FaultBilling:
		return &apiError{status: http.StatusPaymentRequired, message: "There is a problem with your payment details."}
	case FaultOverloaded:
		return &apiError{status: statusOverloaded, message: anthropicMessage(statusOverloaded)}
	case FaultContextLength:
		return &apiError{status: http.StatusBadRequest, message: "prompt is too long: 210432 tokens > 200000 maximum"}
	case FaultTooLarge:
		return &apiError{status: http.StatusRequestEntityTooLarge, message: "Request exceeds the maximum size"}
	case FaultContentPolicy:
		return &apiError{status: http.StatusBadRequest, message: "Output blocked by content filtering policy"}
	case FaultAuth:
		return &apiError{status: http.StatusUnauthorized, message: "invalid x-api-key"}
	case FaultModelNotFound:
		return &apiError{status: http.StatusNotFound, message: "model: no such model"}
	default:
		return nil
	}
}

// anthropicMessage returns the text of a status.
func anthropicMessage(status int) string {
	switch status {
	case http.StatusBadRequest:
		return "The request could not be understood."
	case http.StatusUnauthorized:
		return "invalid x-api-key"
	case http.StatusForbidden:
		return "Your API key may not use this resource."
	case http.StatusNotFound:
		return "model: no such model"
	case http.StatusRequestEntityTooLarge:
		return "Request exceeds the maximum size"
	case http.StatusTooManyRequests:
		return "The number of requests has exceeded your per-minute rate limit."
	case http.StatusInternalServerError:
		return "Internal server error"
	case http.StatusServiceUnavailable, statusOverloaded:
		return "Overloaded"
	case http.StatusGatewayTimeout:
		return "The request took too long."
	default:
		return fmt.Sprintf("Simulated answer with status %d.", status)
	}
}

// resetTime formats the end of a limit's window, rounded up to whole seconds.
func resetTime(t time.Time) string {
	return t.Add(time.Second - 1).UTC().Truncate(time.Second).Format(time.RFC3339)
}
