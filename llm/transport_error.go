package llm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/trysail-go/trysail"
)

// document returns the error as its provider tells it without a stream.
func (e *InBandError) document(protocol Protocol) []byte {
	if protocol != OpenAIResponses {
		return e.Frame // it has that form already
	}
	// The events "error" and "response.failed" have another (openai-go v3.96.0, responses/response.go).
	kind := e.Type
	if kind == "error" || kind == "response.failed" { // the event's
		kind = ""
	}
	type fields struct {
		Message string `json:"message"`
		Type    string `json:"type"`
		Code    string `json:"code"`
	}
	document, err := json.Marshal(map[string]fields{"error": {e.Message, kind, e.Code}})
	if err != nil { // texts always encode
		return e.Frame
	}
	return document
}

// becomeError makes an answer with an error status of a stream that told an error in its first
// frame, so that an SDK can make its own error of it.
func becomeError(resp *http.Response, v Verdict, frame []byte) {
	resp.StatusCode, resp.Status = v.status(), statusText(v.status())
	resp.Header = resp.Header.Clone()
	resp.Header.Set("Content-Type", "application/json")
	resp.Header.Del("Content-Length")
	resp.TransferEncoding, resp.Trailer = nil, nil
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(frame)), int64(len(frame))
}

// status returns the status of an answer with that verdict.
func (v Verdict) status() int {
	switch {
	case v.Status >= http.StatusBadRequest:
		return v.Status
	case v.Class == trysail.ClassRateLimited, v.Class == trysail.ClassQuotaExhausted:
		return http.StatusTooManyRequests
	case v.Class == trysail.ClassOverloaded && v.Reason == "overloaded_error": // Anthropic's
		return 529
	case v.Class == trysail.ClassOverloaded:
		return http.StatusServiceUnavailable
	case v.Class == trysail.ClassTransient:
		return http.StatusBadGateway
	case v.Scope == ScopeAccount:
		return http.StatusUnauthorized
	case v.Scope == ScopeTarget:
		return http.StatusNotFound
	default:
		return http.StatusBadRequest
	}
}

func statusText(code int) string { return fmt.Sprintf("%d %s", code, http.StatusText(code)) }
