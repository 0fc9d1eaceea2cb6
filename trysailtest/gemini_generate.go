package trysailtest

// generateRequest is what the provider reads of a request to generateContent. Google
// takes both spellings of a field; its SDKs send one and its manual shows the other.
type generateRequest struct {
	Contents          []geminiContent `json:"contents"`
	System            geminiContent   `json:"systemInstruction"`
	SystemInstruction geminiContent   `json:"system_instruction"`
	GenerationConfig  struct {
		MaxOutputTokens *int `json:"maxOutputTokens"`
	} `json:"generationConfig"`
}

type geminiContent struct {
	Parts []part `json:"parts"`
	Role  string `json:"role,omitempty"`
}

func (x *exchange) geminiGenerate() {
	var request generateRequest
	if e := decode(x.body, &request); e != nil {
		x.fail(e)
		return
	}
	if e := request.check(); e != nil {
		x.fail(e)
		return
	}
	model, verb := geminiTarget(x.r.URL.Path)
	c := x.complete(prompt{model, request.turns(), request.GenerationConfig.MaxOutputTokens}, "")
	if c.finish == finishRefused || c.finish == finishBlocked { // what is blocked is not shown
		c.text, c.tokens = "", 0
	}
	switch {
	case verb == verbGenerate:
		x.answerJSON(c.generated(c.text, true))
	case x.inArray():
		x.stream(c, &generateStream{x: x, c: c, array: true}, "application/json")
	default:
		x.stream(c, &generateStream{x: x, c: c}, eventStream)
	}
}

func (r *generateRequest) check() *apiError {
	limit := r.GenerationConfig.MaxOutputTokens
	switch {
	case len(r.Contents) == 0:
		return badRequest("contents", "* GenerateContentRequest.contents: contents is not specified")
	case limit != nil && *limit < 1:
		return badRequest("maxOutputTokens", "max_output_tokens must be positive.")
	}
	return nil
}

func (r *generateRequest) turns() []turn {
	turns := make([]turn, 0, len(r.Contents)+1)
	if system := joinParts(append(r.System.Parts, r.SystemInstruction.Parts...)); system != "" {
		turns = append(turns, turn{"system", system})
	}
	for _, c := range r.Contents {
		role := c.Role
		if role == "" { // which Google takes for the user
			role = "user"
		}
		turns = append(turns, turn{role, joinParts(c.Parts)})
	}
	return turns
}

// geminiCount answers how many tokens a request would have.
func (x *exchange) geminiCount() {
	var request generateRequest
	if e := decode(x.body, &request); e != nil {
		x.fail(e)
		return
	}
	x.answerJSON(map[string]int{"totalTokens": countPrompt(request.turns())})
}

// generated is a GenerateContentResponse: the whole answer or a piece of it.
type generated struct {
	Candidates     []geminiCandidate `json:"candidates,omitempty"`
	PromptFeedback map[string]string `json:"promptFeedback,omitempty"`
	Usage          geminiUsage       `json:"usageMetadata"`
	ModelVersion   string            `json:"modelVersion"`
	ResponseID     string            `json:"responseId"`
}

type geminiCandidate struct {
	Content      *geminiContent `json:"content,omitempty"`
	FinishReason string         `json:"finishReason,omitempty"`
	Index        int            `json:"index"`
}

type geminiUsage struct {
	Prompt     int `json:"promptTokenCount"`
	Candidates int `json:"candidatesTokenCount,omitempty"`
	Total      int `json:"totalTokenCount"`
}

// generated returns a piece of the answer; the last one tells the end and the usage.
func (c *completion) generated(text string, last bool) *generated {
	g := &generated{Usage: geminiUsage{Prompt: c.prompt, Total: c.prompt}, ModelVersion: c.model, ResponseID: c.id}
	if last && c.finish == finishBlocked {
		g.PromptFeedback = map[string]string{"blockReason": "SAFETY"}
		return g
	}
	candidate := geminiCandidate{Content: &geminiContent{[]part{{text}}, "model"}}
	if last {
		candidate.FinishReason = c.finishReason()
		g.Usage.Candidates, g.Usage.Total = c.tokens, c.prompt+c.tokens
	}
	if c.finish == finishRefused {
		candidate.Content = nil
	}
	g.Candidates = []geminiCandidate{candidate}
	return g
}

// finishReason returns how Gemini calls the end of an answer.
func (c *completion) finishReason() string {
	switch c.finish {
	case finishLength:
		return "MAX_TOKENS"
	case finishRefused, finishBlocked:
		return "SAFETY"
	default:
		return "STOP"
	}
}
