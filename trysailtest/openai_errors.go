package trysailtest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// encode returns the error as OpenAI's JSON (platform.openai.com, "Error codes").
func (openAI) encode(e *apiError, _ *exchange) []byte {
	type fields struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Param   *string `json:"param"`
		Code    *string `json:"code"`
	}
	kind := "invalid_request_error"
	if e.status >= 500 {
		kind = "server_error"
	}
	body, err := json.Marshal(struct {
		Error fields `json:"error"`
	}{fields{e.message, cmp.Or(e.kind, kind), orNull(e.param), orNull(e.code)}})
	if err != nil { // strings always encode
		return []byte(`{"error":null}`)
	}
	return body
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// explain returns the error that OpenAI documents for a fault, in our words. A hint is
// in Retry-After; a rate limit tells it in its text and reset headers too. A 429
// without one gives no hint at all, so that it can test what a client does on its own.
func (openAI) explain(f Fault, now time.Time) *apiError {
	e := openAIMeaning(f.Kind)
	if e == nil {
		e = openAIStatus(f.Status)
	}
	if !e.hint(f, now) {
		return e
	}
	after := max(f.After, 0)
	if f.Form != formReset {
		e.setHeader("Retry-After", retrySeconds(f.After))
	}
	if f.Form == formReset || e.code == "rate_limit_exceeded" {
		e.setHeader("X-Ratelimit-Remaining-Tokens", "0")
		e.setHeader("X-Ratelimit-Reset-Tokens", after.String())
	}
	if e.code == "rate_limit_exceeded" && f.Form == "" && after > 0 {
		e.message += fmt.Sprintf(" Please try again in %v.", after)
	}
	return e
}

// openAIMeaning returns the error of a fault named by its meaning, or nil.
func openAIMeaning(kind FaultKind) *apiError {
	switch kind {
	case FaultRateLimit:
		return openAIStatus(http.StatusTooManyRequests)
	case FaultQuota:
		return &apiError{
			status: http.StatusTooManyRequests, kind: "insufficient_quota", code: "insufficient_quota",
			message: "You exceeded your current quota, please check your plan and billing details.",
		}
	case FaultBilling:
		return &apiError{
			status: http.StatusTooManyRequests, kind: "insufficient_quota", code: "credit_balance_exhausted",
			message: "Your organization has no credits left.",
		}
	case FaultOverloaded:
		return openAIStatus(http.StatusServiceUnavailable)
	case FaultContextLength:
		return &apiError{
			status: http.StatusBadRequest, param: "messages", code: "context_length_exceeded",
			message: "This model's maximum context length is 128000 tokens. However, your messages resulted in 140123 tokens.",
		}
	case FaultTooLarge: // a 429, but one that no wait mends
		return &apiError{
			status: http.StatusTooManyRequests, kind: "tokens", code: "rate_limit_exceeded",
			message: "Request too large for this model on tokens per min (TPM): Limit 30000, Requested 36278.",
		}
	case FaultContentPolicy:
		return &apiError{
			status: http.StatusBadRequest, code: "content_policy_violation",
			message: "Your request was rejected by our safety system.",
		}
	case FaultAuth:
		return openAIStatus(http.StatusUnauthorized)
	case FaultModelNotFound:
		return openAIStatus(http.StatusNotFound)
	default:
		return nil
	}
}

// openAIStatus returns the error of a status, or a general one.
func openAIStatus(status int) *apiError {
	e := &apiError{status: status}
	switch status {
	case http.StatusBadRequest:
		e.message = "The request could not be understood."
	case http.StatusUnauthorized:
		e.code, e.message = "invalid_api_key", "The API key is not valid."
	case http.StatusForbidden:
		e.kind, e.code = "request_forbidden", "unsupported_country_region_territory"
		e.message = "The API is not offered in your country, region or territory."
	case http.StatusNotFound:
		e.code, e.message = "model_not_found", "The model does not exist, or you may not use it."
	case http.StatusRequestTimeout:
		e.kind, e.message = "request_timeout", "The request took too long to arrive."
	case http.StatusConflict:
		e.kind, e.message = "conflict_error", "Another request is changing the same resource."
	case http.StatusRequestEntityTooLarge:
		e.code, e.message = "request_too_large", "The request is larger than 32 MiB."
	case http.StatusUnprocessableEntity:
		e.message = "The request is well formed, but cannot be carried out."
	case http.StatusTooManyRequests:
		e.kind, e.code, e.message = "tokens", "rate_limit_exceeded", "Rate limit reached on tokens per min (TPM)."
	case http.StatusInternalServerError:
		e.message = "The server failed while it worked on your request."
	case http.StatusBadGateway, http.StatusServiceUnavailable:
		e.kind, e.code = "service_unavailable_error", "server_is_overloaded"
		e.message = "The service is not available at the moment."
	case http.StatusGatewayTimeout:
		e.message = "The model did not answer in time."
	case statusOverloaded:
		e.kind, e.code, e.message = "overloaded_error", "overloaded", "The model is overloaded."
	default:
		e.message = fmt.Sprintf("Simulated answer with status %d.", status)
	}
	return e
}
