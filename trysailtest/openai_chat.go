package trysailtest

import (
	"encoding/json"
	"errors"
	"strings"
)

const (
	defaultModel      = "simulated-chat"
	systemFingerprint = "fp_7472797361"
)

// chatRequest is what the provider reads of a chat completion request.
type chatRequest struct {
	Model               string        `json:"model"`
	Messages            []chatMessage `json:"messages"`
	MaxTokens           *int          `json:"max_tokens"`
	MaxCompletionTokens *int          `json:"max_completion_tokens"`
	Stream              bool          `json:"stream"`
	StreamOptions       struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
}

type chatMessage struct {
	Role    string      `json:"role"`
	Content chatContent `json:"content"`
}

// chatContent is the text of a message: a string, or an array of parts of which only
// those with text count.
type chatContent string

// UnmarshalJSON implements [json.Unmarshaler].
func (c *chatContent) UnmarshalJSON(data []byte) error {
	if data[0] != '[' {
		var text *string
		if err := json.Unmarshal(data, &text); err != nil {
			return errors.New("content must be a string or an array of parts")
		}
		if text != nil { // null stands beside tool calls
			*c = chatContent(*text)
		}
		return nil
	}
	var parts []struct {
		Text string `json:"text"`
	}
	if err := json.Unmarshal(data, &parts); err != nil {
		return errors.New("content must be a string or an array of parts")
	}
	var text strings.Builder
	for _, part := range parts {
		text.WriteString(part.Text)
	}
	*c = chatContent(text.String())
	return nil
}

// completion is the answer to a chat request before it takes a form.
type completion struct {
	id      string
	created int64
	model   string
	text    string
	finish  string // "stop" or "length"
	usage   chatUsage
}

type chatUsage struct {
	PromptTokens     int `json:"prompt_tokens"`
	CompletionTokens int `json:"completion_tokens"`
	TotalTokens      int `json:"total_tokens"`
}

func (x *exchange) openAIChat() {
	var request chatRequest
	if e := decodeOpenAI(x.body, &request); e != nil {
		x.fail(*e)
		return
	}
	if e := request.check(); e != nil {
		x.fail(*e)
		return
	}
	c := x.complete(&request)
	if request.Stream {
		x.streamChat(c, request.StreamOptions.IncludeUsage)
		return
	}
	x.answerJSON(c.json())
}

func (r *chatRequest) check() *apiError {
	switch {
	case len(r.Messages) == 0:
		return badRequest("messages", "\"messages\" must hold at least one message.")
	case r.MaxTokens != nil && *r.MaxTokens < 1:
		return badRequest("max_tokens", "\"max_tokens\" must be at least 1.")
	case r.MaxCompletionTokens != nil && *r.MaxCompletionTokens < 1:
		return badRequest("max_completion_tokens", "\"max_completion_tokens\" must be at least 1.")
	}
	return nil
}

// complete makes up the answer. The same model and messages give the same text.
func (x *exchange) complete(r *chatRequest) *completion {
	question, size, seed := r.Messages[len(r.Messages)-1].Content, 0, hashText(hashStart, r.Model)
	for _, m := range r.Messages {
		if m.Role == "user" {
			question = m.Content
		}
		size += len(m.Content)
		seed = hashText(seed, string(m.Content))
	}
	c := &completion{
		id: randomID("chatcmpl-"), created: x.began.Unix(), model: r.Model,
		text: x.p.prose.answer(string(question), seed), finish: "stop",
	}
	if c.model == "" {
		c.model = defaultModel
	}
	sent := c.limit(r)
	prompt := (size + 3) / 4
	c.usage = chatUsage{prompt, sent, prompt + sent}
	return c
}

// limit shortens the text to what the request allows and returns its tokens' number.
func (c *completion) limit(r *chatRequest) int {
	limit := -1
	for _, allowed := range []*int{r.MaxTokens, r.MaxCompletionTokens} { // the newer name wins
		if allowed != nil {
			limit = *allowed
		}
	}
	sent := 0
	for rest := c.text; rest != ""; sent++ {
		if sent == limit {
			c.text, c.finish = c.text[:len(c.text)-len(rest)], "length"
			return sent
		}
		_, rest = cutToken(rest)
	}
	return sent
}

type chatChoice struct {
	Index   int `json:"index"`
	Message struct {
		Role    string  `json:"role"`
		Content string  `json:"content"`
		Refusal *string `json:"refusal"`
	} `json:"message"`
	Logprobs     *struct{} `json:"logprobs"`
	FinishReason string    `json:"finish_reason"`
}

type chatAnswer struct {
	ID                string        `json:"id"`
	Object            string        `json:"object"`
	Created           int64         `json:"created"`
	Model             string        `json:"model"`
	Choices           [1]chatChoice `json:"choices"`
	Usage             chatUsage     `json:"usage"`
	SystemFingerprint string        `json:"system_fingerprint"`
}

func (c *completion) json() *chatAnswer {
	a := &chatAnswer{
		ID: c.id, Object: "chat.completion", Created: c.created, Model: c.model,
		Usage: c.usage, SystemFingerprint: systemFingerprint,
	}
	choice := &a.Choices[0]
	choice.Message.Role, choice.Message.Content = "assistant", c.text
	choice.FinishReason = c.finish
	return a
}
