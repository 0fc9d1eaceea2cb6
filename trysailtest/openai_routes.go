package trysailtest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// serveOpenAI answers a request as OpenAI's API would.
func (x *exchange) serveOpenAI() {
	method, serve := http.MethodPost, x.openAIChat
	switch x.r.URL.Path {
	case "/v1/chat/completions":
	case "/v1/embeddings":
		serve = x.openAIEmbeddings
	case "/v1/models":
		method, serve = http.MethodGet, x.openAIModels
	default:
		x.fail(apiError{
			status: http.StatusNotFound, kind: "invalid_request_error", code: "unknown_url",
			message: fmt.Sprintf("There is nothing at %s %s.", x.r.Method, x.r.URL.Path),
		})
		return
	}
	if x.r.Method != method {
		x.w.Header().Set("Allow", method)
		x.fail(apiError{
			status: http.StatusMethodNotAllowed, kind: "invalid_request_error", code: "method_not_allowed",
			message: fmt.Sprintf("%s does not take %s, use %s.", x.r.URL.Path, x.r.Method, method),
		})
		return
	}
	serve()
}

// setOpenAIHeaders sets what OpenAI sends with every answer (platform.openai.com,
// "Debugging requests" and "Rate limits", 2026-03): a limit of 10,000 requests per
// minute, of which one needs 6 ms to be free again.
func setOpenAIHeaders(h http.Header, took time.Duration) {
	h.Set("X-Request-Id", randomID("req_"))
	h.Set("Openai-Processing-Ms", strconv.FormatInt(took.Milliseconds(), 10))
	h.Set("X-Ratelimit-Limit-Requests", "10000")
	h.Set("X-Ratelimit-Remaining-Requests", "9999")
	h.Set("X-Ratelimit-Reset-Requests", "6ms")
}

// openAIModels lists the models. Requests may name any other.
func (x *exchange) openAIModels() {
	type model struct {
		ID      string `json:"id"`
		Object  string `json:"object"`
		Created int64  `json:"created"`
		OwnedBy string `json:"owned_by"`
	}
	list := struct {
		Object string  `json:"object"`
		Data   []model `json:"data"`
	}{Object: "list"}
	for _, id := range []string{defaultModel, "simulated-chat-mini", defaultEmbeddingModel} {
		list.Data = append(list.Data, model{id, "model", 1767225600, "trysail"})
	}
	x.answerJSON(list)
}

// answerJSON sends v as a good plain answer.
func (x *exchange) answerJSON(v any) {
	body, err := json.Marshal(v)
	if err != nil { // no answer holds what JSON cannot
		x.fail(openAIStatus(http.StatusInternalServerError, 0))
		return
	}
	x.answer(body)
}

// randomID returns the prefix and 32 hexadecimal digits.
func randomID(prefix string) string {
	const digits = "0123456789abcdef"
	id := make([]byte, 0, 48)
	id = append(id, prefix...)
	for range 2 {
		for bits, i := rand.Uint64(), 0; i < 16; i++ {
			id = append(id, digits[bits&15])
			bits >>= 4
		}
	}
	return string(id)
}
