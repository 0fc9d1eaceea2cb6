package trysailtest

import (
	"net/http"
	"time"
)

// anthropic is the protocol of Anthropic's API.
type anthropic struct{}

const (
	pathMessages    = "/v1/messages"
	pathCountTokens = "/v1/messages/count_tokens"
)

func (anthropic) serve(x *exchange) {
	x.follow([]route{
		{http.MethodPost, pathMessages, (*exchange).anthropicMessages},
		{http.MethodPost, pathCountTokens, (*exchange).anthropicCount},
		{http.MethodGet, pathModels, (*exchange).anthropicModels},
	})
}

// head sets what Anthropic sends with every answer (docs.claude.com, "Rate limits",
// "Errors: request id", 2026-03).
func (anthropic) head(h http.Header, x *exchange) {
	h.Set("Request-Id", x.id)
	h.Set("Anthropic-Organization-Id", "00000000-0000-4000-8000-000000000000")
	reset := resetTime(time.Now())
	for _, limit := range []struct{ name, limit, remaining string }{
		{"Anthropic-Ratelimit-Requests-", "4000", "3999"},
		{"Anthropic-Ratelimit-Tokens-", "480000", "479000"},
		{"Anthropic-Ratelimit-Input-Tokens-", "400000", "400000"},
		{"Anthropic-Ratelimit-Output-Tokens-", "80000", "79000"},
	} {
		h.Set(limit.name+"Limit", limit.limit)
		h.Set(limit.name+"Remaining", limit.remaining)
		h.Set(limit.name+"Reset", reset)
	}
}

// anthropicModels lists the models. It is for requests with an Anthropic-Version
// header alone, because OpenAI has its list at the same path.
func (x *exchange) anthropicModels() {
	type model struct {
		Type        string `json:"type"`
		ID          string `json:"id"`
		DisplayName string `json:"display_name"`
		CreatedAt   string `json:"created_at"`
	}
	list := struct {
		Data    []model `json:"data"`
		HasMore bool    `json:"has_more"`
		FirstID string  `json:"first_id"`
		LastID  string  `json:"last_id"`
	}{}
	for _, id := range chatModels() {
		list.Data = append(list.Data, model{"model", id, id, "2026-01-01T00:00:00Z"})
	}
	list.FirstID, list.LastID = list.Data[0].ID, list.Data[len(list.Data)-1].ID
	x.answerJSON(list)
}
