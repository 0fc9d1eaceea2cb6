package trysailtest

// messagesRequest is what the provider reads of a request to the Messages API.
type messagesRequest struct {
	Model     string  `json:"model"`
	System    content `json:"system"`
	Messages  []turn  `json:"messages"`
	MaxTokens *int    `json:"max_tokens"`
	Stream    bool    `json:"stream"`
}

func (x *exchange) anthropicMessages() {
	var request messagesRequest
	if e := decode(x.body, &request); e != nil {
		x.fail(e)
		return
	}
	if e := request.check(); e != nil {
		x.fail(e)
		return
	}
	c := x.complete(prompt{request.Model, request.turns(), request.MaxTokens}, "msg_")
	if c.finish == finishRefused { // the refusal is in the stop reason alone
		c.text, c.tokens = "", 0
	}
	if request.Stream {
		x.stream(c, &messageStream{x, c}, eventStream)
		return
	}
	x.answerJSON(c.message())
}

func (r *messagesRequest) check() *apiError {
	switch {
	case r.MaxTokens == nil:
		return badRequest("max_tokens", "max_tokens: Field required")
	case *r.MaxTokens < 1:
		return badRequest("max_tokens", "max_tokens: must be greater than or equal to 1")
	}
	return r.checkMessages()
}

func (r *messagesRequest) checkMessages() *apiError {
	if len(r.Messages) == 0 {
		return badRequest("messages", "messages: at least one message is required")
	}
	return nil
}

func (r *messagesRequest) turns() []turn {
	if r.System == "" {
		return r.Messages
	}
	return append([]turn{{"system", r.System}}, r.Messages...)
}

// anthropicCount answers how many tokens a request would have.
func (x *exchange) anthropicCount() {
	var request messagesRequest
	if e := decode(x.body, &request); e != nil {
		x.fail(e)
		return
	}
	if e := request.checkMessages(); e != nil {
		x.fail(e)
		return
	}
	x.answerJSON(map[string]int{"input_tokens": countPrompt(request.turns())})
}

type message struct {
	ID           string         `json:"id"`
	Type         string         `json:"type"`
	Role         string         `json:"role"`
	Model        string         `json:"model"`
	Content      []messageBlock `json:"content"`
	StopReason   *string        `json:"stop_reason"`
	StopSequence *string        `json:"stop_sequence"`
	StopDetails  *stopDetails   `json:"stop_details"`
	Usage        messageUsage   `json:"usage"`
}

type messageBlock struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// stopDetails says why a refusal was one.
type stopDetails struct {
	Type        string `json:"type"`
	Category    string `json:"category"`
	Explanation string `json:"explanation"`
}

type messageUsage struct {
	InputTokens              int    `json:"input_tokens"`
	CacheCreationInputTokens int    `json:"cache_creation_input_tokens"`
	CacheReadInputTokens     int    `json:"cache_read_input_tokens"`
	OutputTokens             int    `json:"output_tokens"`
	ServiceTier              string `json:"service_tier"`
}

func (c *completion) message() *message {
	m := c.messageStart(c.tokens)
	if c.text != "" {
		m.Content = append(m.Content, messageBlock{"text", c.text})
	}
	reason := c.stopReason()
	m.StopReason, m.StopDetails = &reason, c.stopDetails()
	return m
}

// messageStart returns the message before it has content.
func (c *completion) messageStart(tokens int) *message {
	return &message{
		ID: c.id, Type: "message", Role: "assistant", Model: c.model, Content: []messageBlock{},
		Usage: messageUsage{InputTokens: c.prompt, OutputTokens: tokens, ServiceTier: "standard"},
	}
}

// stopReason returns how Anthropic calls the end of an answer.
func (c *completion) stopReason() string {
	switch c.finish {
	case finishLength:
		return "max_tokens"
	case finishRefused, finishBlocked:
		return "refusal"
	default:
		return "end_turn"
	}
}

func (c *completion) stopDetails() *stopDetails {
	if c.finish != finishRefused {
		return nil
	}
	return &stopDetails{"refusal", "general_harms", refusalText}
}
