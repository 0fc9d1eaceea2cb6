package trysailtest

import (
	"encoding/json"
	"errors"
)

// responsesRequest is what the provider reads of a request to the Responses API.
type responsesRequest struct {
	Model           string         `json:"model"`
	Input           responsesInput `json:"input"`
	Instructions    string         `json:"instructions"`
	MaxOutputTokens *int           `json:"max_output_tokens"`
	Stream          bool           `json:"stream"`
}

// responsesInput is a string, or an array of items of which the messages count.
type responsesInput []turn

// UnmarshalJSON implements [json.Unmarshaler].
func (in *responsesInput) UnmarshalJSON(data []byte) error {
	if data[0] == '"' {
		var text content
		if err := json.Unmarshal(data, &text); err != nil {
			return err
		}
		*in = responsesInput{{"user", text}}
		return nil
	}
	if err := json.Unmarshal(data, (*[]turn)(in)); err != nil {
		return errors.New("input must be a string or an array of messages")
	}
	return nil
}

func (x *exchange) openAIResponses() {
	var request responsesRequest
	if e := decode(x.body, &request); e != nil {
		x.fail(e)
		return
	}
	if e := request.check(); e != nil {
		x.fail(e)
		return
	}
	c := x.complete(request.prompt(), "resp_")
	if request.Stream {
		x.stream(c, &responsesStream{x: x, c: c, item: randomID("msg_")}, eventStream)
		return
	}
	x.answerJSON(c.response(c.responseStatus(), c.responseItem(randomID("msg_"))))
}

func (r *responsesRequest) check() *apiError {
	switch {
	case len(r.Input) == 0:
		return badRequest("input", "\"input\" must be a text or at least one message.")
	case r.MaxOutputTokens != nil && *r.MaxOutputTokens < 1:
		return badRequest("max_output_tokens", "\"max_output_tokens\" must be at least 1.")
	}
	return nil
}

func (r *responsesRequest) prompt() prompt {
	turns := []turn(r.Input)
	if r.Instructions != "" {
		turns = append([]turn{{"system", content(r.Instructions)}}, turns...)
	}
	return prompt{r.Model, turns, r.MaxOutputTokens}
}

type response struct {
	ID                string              `json:"id"`
	Object            string              `json:"object"`
	CreatedAt         int64               `json:"created_at"`
	Status            string              `json:"status"`
	Error             *responseError      `json:"error"`
	IncompleteDetails *responseIncomplete `json:"incomplete_details"`
	Instructions      *string             `json:"instructions"`
	Metadata          struct{}            `json:"metadata"`
	Model             string              `json:"model"`
	Output            []responseItem      `json:"output"`
	ParallelToolCalls bool                `json:"parallel_tool_calls"`
	Temperature       float64             `json:"temperature"`
	ToolChoice        string              `json:"tool_choice"`
	Tools             []struct{}          `json:"tools"`
	TopP              float64             `json:"top_p"`
	Usage             *responseUsage      `json:"usage"`
}

type responseError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

type responseIncomplete struct {
	Reason string `json:"reason"`
}

type responseItem struct {
	ID      string `json:"id"`
	Type    string `json:"type"`
	Status  string `json:"status"`
	Role    string `json:"role"`
	Content []any  `json:"content"` // responseText or responseRefusal
}

type responseText struct {
	Type        string     `json:"type"`
	Text        string     `json:"text"`
	Annotations []struct{} `json:"annotations"`
	Logprobs    []struct{} `json:"logprobs"`
}

type responseRefusal struct {
	Type    string `json:"type"`
	Refusal string `json:"refusal"`
}

type responseUsage struct {
	InputTokens        int            `json:"input_tokens"`
	InputTokensDetails map[string]int `json:"input_tokens_details"`
	OutputTokens       int            `json:"output_tokens"`
	OutputDetails      map[string]int `json:"output_tokens_details"`
	TotalTokens        int            `json:"total_tokens"`
}

// response returns c as far as its status says it has come.
func (c *completion) response(status string, output ...responseItem) *response {
	r := &response{
		ID: c.id, Object: "response", CreatedAt: c.created, Status: status, Model: c.model,
		Output: append([]responseItem{}, output...), ParallelToolCalls: true, Temperature: 1, TopP: 1,
		ToolChoice: "auto", Tools: []struct{}{},
	}
	switch status {
	case "incomplete":
		r.IncompleteDetails = &responseIncomplete{"max_output_tokens"}
		if c.finish == finishRefused {
			r.IncompleteDetails.Reason = "content_filter"
		}
	case "completed":
	default:
		return r // and no usage yet
	}
	r.Usage = &responseUsage{
		InputTokens: c.prompt, InputTokensDetails: map[string]int{"cached_tokens": 0},
		OutputTokens: c.tokens, OutputDetails: map[string]int{"reasoning_tokens": 0},
		TotalTokens: c.prompt + c.tokens,
	}
	return r
}

// responseStatus returns how the Responses API calls the end of an answer.
func (c *completion) responseStatus() string {
	if c.finish == finishStop {
		return "completed"
	}
	return "incomplete"
}

func (c *completion) responseItem(id string) responseItem {
	return responseItem{id, "message", c.responseStatus(), "assistant", []any{c.responsePart(c.text)}}
}

func (c *completion) responsePart(text string) any {
	if c.finish == finishRefused {
		return responseRefusal{"refusal", text}
	}
	return responseText{"output_text", text, []struct{}{}, []struct{}{}}
}
