package trysailtest

import (
	"net/http"
	"strconv"
	"time"
)

// openAI is the protocol of OpenAI's API, which most other providers copy.
type openAI struct{}

const (
	pathChat      = "/v1/chat/completions"
	pathResponses = "/v1/responses"
)

func (openAI) serve(x *exchange) {
	x.follow([]route{
		{http.MethodPost, pathChat, (*exchange).openAIChat},
		{http.MethodPost, pathResponses, (*exchange).openAIResponses},
		{http.MethodPost, "/v1/embeddings", (*exchange).openAIEmbeddings},
		{http.MethodGet, pathModels, (*exchange).openAIModels},
	})
}

// head sets what OpenAI sends with every answer (platform.openai.com, "Debugging
// requests" and "Rate limits", 2026-03): limits of 10,000 requests and two million
// tokens per minute, of which one needs 6 ms to be free again.
func (openAI) head(h http.Header, x *exchange) {
	h.Set("X-Request-Id", x.id)
	h.Set("Openai-Processing-Ms", strconv.FormatInt(time.Since(x.began).Milliseconds(), 10))
	h.Set("X-Ratelimit-Limit-Requests", "10000")
	h.Set("X-Ratelimit-Remaining-Requests", "9999")
	h.Set("X-Ratelimit-Reset-Requests", "6ms")
	h.Set("X-Ratelimit-Limit-Tokens", "2000000")
	h.Set("X-Ratelimit-Remaining-Tokens", "1999800")
	h.Set("X-Ratelimit-Reset-Tokens", "6ms")
}

// pathModels lists the models, in the form of whoever asks.
const pathModels = "/v1/models"

// chatModels lists the models that answer; requests may name any other.
func chatModels() []string { return []string{defaultModel, "simulated-chat-mini"} }

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
	for _, id := range append(chatModels(), defaultEmbeddingModel) {
		list.Data = append(list.Data, model{id, "model", 1767225600, "trysail"})
	}
	x.answerJSON(list)
}
