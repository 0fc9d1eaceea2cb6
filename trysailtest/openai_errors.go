package trysailtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// apiError is an error answer. Blank fields but the message are sent as null.
type apiError struct {
	status     int
	kind, code string // OpenAI's error.type and error.code
	param      string // the request's field at fault
	message    string
}

// fail sends an error answer.
func (x *exchange) fail(e apiError) {
	x.send(e.status, "application/json", openAIErrorBody(e))
}

// openAIErrorBody returns the error as OpenAI's JSON (platform.openai.com, "Error codes").
func openAIErrorBody(e apiError) []byte {
	type fields struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Param   *string `json:"param"`
		Code    *string `json:"code"`
	}
	body, err := json.Marshal(struct {
		Error fields `json:"error"`
	}{fields{e.message, e.kind, orNull(e.param), orNull(e.code)}})
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

// openAIStatus returns the error that OpenAI documents for a status, in our words, or
// a general one. A 429 without Retry-After gives no hint at all, so that it can test
// what a client does on its own.
func openAIStatus(status int, after time.Duration) apiError {
	e := apiError{status: status, kind: "invalid_request_error"}
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
		e.kind, e.code, e.message = "tokens", "rate_limit_exceeded", rateLimitMessage(after)
	case http.StatusInternalServerError:
		e.kind, e.message = "server_error", "The server failed while it worked on your request."
	case http.StatusBadGateway, http.StatusServiceUnavailable:
		e.kind, e.code = "service_unavailable_error", "server_is_overloaded"
		e.message = "The service is not available at the moment."
	case http.StatusGatewayTimeout:
		e.kind, e.message = "server_error", "The model did not answer in time."
	case 529: // no registered status; Anthropic's, and others' who copied it
		e.kind, e.code, e.message = "overloaded_error", "overloaded", "The model is overloaded."
	default:
		if status >= 500 {
			e.kind = "server_error"
		}
		e.message = fmt.Sprintf("Simulated answer with status %d.", status)
	}
	return e
}

func rateLimitMessage(after time.Duration) string {
	message := "Rate limit reached on tokens per min (TPM)."
	if after > 0 {
		message += fmt.Sprintf(" Please try again in %v.", after)
	}
	return message
}

// openAIBodyError returns the answer to a body that could not be read.
func openAIBodyError(err error) apiError {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return openAIStatus(http.StatusRequestEntityTooLarge, 0)
	}
	return *badRequest("", "The request's body could not be read.")
}

// openAIScriptError returns the answer to an unusable script.
func openAIScriptError(err error) apiError {
	e := badRequest(SimulateHeader, fmt.Sprintf("The header %s is unusable: %v.", SimulateHeader, err))
	e.code = "invalid_script"
	return *e
}

func badRequest(param, message string) *apiError {
	return &apiError{
		status: http.StatusBadRequest, kind: "invalid_request_error", param: param, message: message,
	}
}

// decodeOpenAI reads a request's body into v. It returns what to answer if it cannot.
func decodeOpenAI(body []byte, v any) *apiError {
	err := json.Unmarshal(body, v)
	if err == nil {
		return nil
	}
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &wrongType) && wrongType.Field != "" {
		return badRequest(wrongType.Field, fmt.Sprintf("%q cannot be a JSON %s.", wrongType.Field, wrongType.Value))
	}
	return badRequest("", fmt.Sprintf("The body is not the JSON wanted here: %v.", err))
}
