package trysailtest

const systemFingerprint = "fp_7472797361"

// chatRequest is what the provider reads of a chat completion request.
type chatRequest struct {
	Model               string `json:"model"`
	Messages            []turn `json:"messages"`
	MaxTokens           *int   `json:"max_tokens"`
	MaxCompletionTokens *int   `json:"max_completion_tokens"`
	Stream              bool   `json:"stream"`
	StreamOptions       struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
}

type chatUsage struct {
	PromptTokens     int `json:"prompt_tokens"`
	CompletionTokens int `json:"completion_tokens"`
	TotalTokens      int `json:"total_tokens"`
}

func (x *exchange) openAIChat() {
	var request chatRequest
	if e := decode(x.body, &request); e != nil {
		x.fail(e)
		return
	}
	if e := request.check(); e != nil {
		x.fail(e)
		return
	}
	c := x.complete(request.prompt(), "chatcmpl-")
	if request.Stream {
		x.stream(c, newChatStream(c, &request, x), eventStream)
		return
	}
	x.answerJSON(c.chatAnswer())
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

func (r *chatRequest) prompt() prompt {
	limit := r.MaxTokens
	if r.MaxCompletionTokens != nil { // the newer name wins
		limit = r.MaxCompletionTokens
	}
	return prompt{r.Model, r.Messages, limit}
}

// chatFinish returns how OpenAI's chat calls the end of an answer.
func (c *completion) chatFinish() string {
	if c.finish == finishRefused {
		return "content_filter"
	}
	return string(c.finish)
}

func (c *completion) chatUsage() chatUsage {
	return chatUsage{c.prompt, c.tokens, c.prompt + c.tokens}
}

type chatChoice struct {
	Index   int `json:"index"`
	Message struct {
		Role    string  `json:"role"`
		Content *string `json:"content"`
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

func (c *completion) chatAnswer() *chatAnswer {
	a := &chatAnswer{
		ID: c.id, Object: "chat.completion", Created: c.created, Model: c.model,
		Usage: c.chatUsage(), SystemFingerprint: systemFingerprint,
	}
	choice := &a.Choices[0]
	choice.Message.Role, choice.FinishReason = "assistant", c.chatFinish()
	if c.finish == finishRefused {
		choice.Message.Refusal = &c.text
	} else {
		choice.Message.Content = &c.text
	}
	return a
}
