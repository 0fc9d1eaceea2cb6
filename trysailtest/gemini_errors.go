package trysailtest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// geminiStatus is Google's error (google.rpc.Status as JSON). Its details are one of
// the messages of google/rpc/error_details.proto each.
type geminiStatus struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Status  string `json:"status"`
	Details any    `json:"details,omitempty"`
}

type quotaFailure struct {
	Type       string           `json:"@type"`
	Violations []quotaViolation `json:"violations"`
}

type quotaViolation struct {
	Metric     string            `json:"quotaMetric"`
	ID         string            `json:"quotaId"`
	Dimensions map[string]string `json:"quotaDimensions"`
	Value      string            `json:"quotaValue"`
}

type retryInfo struct {
	Type  string `json:"@type"`
	Delay string `json:"retryDelay"`
}

type errorInfo struct {
	Type   string `json:"@type"`
	Reason string `json:"reason"`
	Domain string `json:"domain"`
}

// encode returns the error as Gemini's JSON. Without "alt=sse" a stream is an array,
// and so is its error.
func (gemini) encode(e *apiError, x *exchange) []byte {
	body, err := json.Marshal(struct {
		Error geminiStatus `json:"error"`
	}{geminiStatus{e.status, e.message, geminiCode(e.status), e.details}})
	if err != nil { // nothing here that JSON cannot hold
		return []byte(`{"error":{}}`)
	}
	if x.inArray() && !x.streaming {
		return append(append([]byte("["), body...), ']')
	}
	return body
}

// geminiCode returns the name of google.rpc.Code for an HTTP status.
func geminiCode(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "UNAUTHENTICATED"
	case http.StatusForbidden:
		return "PERMISSION_DENIED"
	case http.StatusNotFound:
		return "NOT_FOUND"
	case http.StatusConflict:
		return "ABORTED"
	case http.StatusPaymentRequired, http.StatusTooManyRequests:
		return "RESOURCE_EXHAUSTED"
	case 499:
		return "CANCELLED"
	case http.StatusNotImplemented, http.StatusMethodNotAllowed:
		return "UNIMPLEMENTED"
	case http.StatusServiceUnavailable:
		return "UNAVAILABLE"
	case http.StatusGatewayTimeout:
		return "DEADLINE_EXCEEDED"
	}
	if status >= 500 {
		return "INTERNAL"
	}
	return "INVALID_ARGUMENT"
}

// explain returns the error that Google documents for a fault, in our words. A hint is
// in the body: Gemini sends none in headers.
func (gemini) explain(f Fault, now time.Time) *apiError {
	e, details := geminiMeaning(f), []any(nil)
	if e == nil {
		e = &apiError{status: f.Status, message: geminiMessage(f.Status)}
	}
	switch {
	case f.Kind == FaultQuota: // the day is over, and yet a short delay stands beside it
		f.After = cmp.Or(f.After, 47*time.Second)
		details = append(details, geminiQuota("GenerateRequestsPerDayPerProjectPerModel-FreeTier",
			"GenerateRequestsPerMinutePerProjectPerModel-FreeTier"))
	case f.Kind == FaultAuth:
		details = append(details, errorInfo{googleType + "ErrorInfo", "API_KEY_INVALID", "googleapis.com"})
	case e.status == http.StatusTooManyRequests:
		details = append(details, geminiQuota("GenerateRequestsPerMinutePerProjectPerModel-FreeTier"))
	}
	if e.hint(f, now) {
		delay := retrySeconds(f.After) + "s"
		details = append(details, retryInfo{googleType + "RetryInfo", delay})
		if f.Form == "" && e.status == http.StatusTooManyRequests {
			e.message += " Please retry in " + delay + "."
		}
	}
	if details != nil {
		e.details = details
	}
	return e
}

const googleType = "type.googleapis.com/google.rpc."

func geminiQuota(ids ...string) quotaFailure {
	failure := quotaFailure{Type: googleType + "QuotaFailure"}
	for _, id := range ids {
		value := 15
		if strings.Contains(id, "PerDay") {
			value = 200
		}
		failure.Violations = append(failure.Violations, quotaViolation{
			Metric:     "generativelanguage.googleapis.com/generate_content_free_tier_requests",
			ID:         id,
			Dimensions: map[string]string{"location": "global", "model": defaultModel},
			Value:      strconv.Itoa(value),
		})
	}
	return failure
}

// geminiMeaning returns the error of a fault named by its meaning, or nil.
func geminiMeaning(f Fault) *apiError {
	switch f.Kind {
	case FaultRateLimit, FaultQuota: // the same words for both
		return &apiError{status: http.StatusTooManyRequests, message: geminiMessage(http.StatusTooManyRequests)}
	case FaultBilling:
		return &apiError{status: http.StatusPaymentRequired, message: "Your prepaid credits are used up."}
	case FaultOverloaded:
		return &apiError{status: http.StatusServiceUnavailable, message: geminiMessage(http.StatusServiceUnavailable)}
	case FaultContextLength:
		return &apiError{
			status:  http.StatusBadRequest,
			message: "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
		}
	case FaultTooLarge:
		return &apiError{status: http.StatusBadRequest, message: "Request payload size exceeds the limit: 20971520 bytes."}
	case FaultAuth: // as a bad request
		return &apiError{status: http.StatusBadRequest, message: "API key not valid. Please pass a valid API key."}
	case FaultModelNotFound:
		return &apiError{status: http.StatusNotFound, message: geminiMessage(http.StatusNotFound)}
	case FaultContentPolicy: // in a stream; a plain answer has no such error
		return &apiError{status: http.StatusBadRequest, message: "The request was blocked for safety reasons."}
	default:
		return nil
	}
}

// geminiMessage returns the text of a status.
func geminiMessage(status int) string {
	switch status {
	case http.StatusBadRequest:
		return "The request could not be understood."
	case http.StatusForbidden:
		return "The caller does not have permission."
	case http.StatusNotFound:
		return "The model is not found, or does not support this method."
	case http.StatusTooManyRequests:
		return "You exceeded your current quota, please check your plan and billing details."
	case http.StatusInternalServerError:
		return "An internal error has occurred."
	case http.StatusServiceUnavailable:
		return "The model is overloaded. Please try again later."
	case http.StatusGatewayTimeout:
		return "The deadline expired before the operation could complete."
	default:
		return fmt.Sprintf("Simulated answer with status %d.", status)
	}
}
