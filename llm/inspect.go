package llm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// A Protocol is the dialect of a stream.
type Protocol uint8

// The protocols.
const (
	OpenAIChat      Protocol = iota // chat completions, and completions
	OpenAIResponses                 // the Responses API
	OtherEvents                     // an event stream that nothing is known about: its first event is content, its end is always clean
)

// A Progress is what a stream has shown so far.
type Progress struct {
	Started  bool   // content has come: the commit point is passed
	Ended    bool   // every answer that was asked for has said that it is complete
	Closed   bool   // the stream has said that nothing follows
	Err      error  // the error that it carried, an [*InBandError]
	Model    string // the model that answers, as the provider names it
	Finished string // why the model stopped, such as "stop" or "length"
	Events   int

	// Tokens counts events with content, as far as can be told without decoding each. Empty
	// deltas and comments are signs of life, not of progress.
	Tokens int

	// Malformed counts events that are not JSON, after content had come. One of
	// them does not spoil an answer that is under way; before the content it does.
	Malformed int
}

// An InBandError is an error that came inside a stream with a good status.
type InBandError struct {
	Type, Code, Message string
}

// Error names what the provider said.
func (e *InBandError) Error() string {
	return fmt.Sprintf("error inside the stream: %s (type %q, code %q)", e.Message, e.Type, e.Code)
}

// ErrTruncated means that a stream closed in good order without having said that
// it is complete.
var ErrTruncated = errors.New("stream ended before it was complete")

// ErrNotJSON means that an event before the first content is not JSON.
var ErrNotJSON = errors.New("stream begins with an event that is not JSON")

// An Inspector watches a stream as it passes. The zero value watches OpenAI's
// chat completions.
//
// Only what tells something is decoded: every event until the first content,
// and later those that may hold an end or an error. Nothing is kept but the
// event that is incomplete.
type Inspector struct {
	Protocol Protocol

	// Choices is how many answers were asked for: the n of a chat completion. 0 means 1.
	Choices int

	parser   Parser
	progress Progress
	finished int // choices that have said that they are complete
}

// Feed takes the next piece of the stream.
func (i *Inspector) Feed(piece []byte) error {
	if i.progress.Err != nil {
		return i.progress.Err
	}
	if err := i.parser.Feed(piece, i.see); err != nil {
		i.progress.Err = err
	}
	return i.progress.Err
}

// Progress returns what the stream has shown so far.
func (i *Inspector) Progress() Progress { return i.progress }

// End returns the error with which a stream that was closed in good order must
// be taken: nil when it is complete, [ErrTruncated] when it is not.
func (i *Inspector) End() error {
	switch {
	case i.progress.Err != nil:
		return i.progress.Err
	case i.progress.Ended, i.Protocol == OtherEvents:
		return nil
	default:
		return ErrTruncated
	}
}

// Whole returns how many bytes of the stream consist of whole events; see
// [Parser.Whole].
func (i *Inspector) Whole() int64 { return i.parser.Whole() }

// doneMarker is the data of the last event in OpenAI's protocol.
const doneMarker = "[DONE]"

// see takes an event and reports whether to go on.
func (i *Inspector) see(e Event) bool {
	i.progress.Events++
	if i.progress.Closed || len(bytes.TrimSpace(e.Data)) == 0 {
		return true // what follows the end, and a keep-alive in the form of an event
	}
	switch i.Protocol {
	case OpenAIChat:
		i.progress.Err = i.seeChat(e.Data)
	case OpenAIResponses:
		i.progress.Err = i.seeResponses(e)
	case OtherEvents:
		i.progress.Started = true
		i.progress.Tokens++
	}
	return i.progress.Err == nil
}

// chatFrame is what matters of a chat completion's chunk. Content is left raw: some
// models stream lists and objects where others stream text.
type chatFrame struct {
	Model   string          `json:"model"`
	Error   json.RawMessage `json:"error"`
	Choices []struct {
		FinishReason string          `json:"finish_reason"`
		Text         json.RawMessage `json:"text"` // of the older completions
		Delta        struct {
			Content          json.RawMessage `json:"content"`
			ReasoningContent json.RawMessage `json:"reasoning_content"`
			Reasoning        json.RawMessage `json:"reasoning"`
			Refusal          json.RawMessage `json:"refusal"`
			ToolCalls        json.RawMessage `json:"tool_calls"`
			FunctionCall     json.RawMessage `json:"function_call"`
			Audio            json.RawMessage `json:"audio"`
		} `json:"delta"`
	} `json:"choices"`
}

func (i *Inspector) seeChat(data []byte) error {
	if string(data) == doneMarker {
		// By itself it proves nothing: some servers send it after an error, too.
		i.progress.Closed = i.progress.Ended
		return nil
	}
	// After the first content nothing matters but an end or an error.
	if i.progress.Started && !bytes.Contains(data, []byte(`"error"`)) && !mayFinish(data) {
		if !bytes.Contains(data, []byte(`"content":""`)) && !bytes.Contains(data, []byte(`"delta":{}`)) {
			i.progress.Tokens++
		}
		return nil
	}
	var f chatFrame
	if err := decode(data, &f); err != nil {
		return i.malformed(err)
	}
	if present(f.Error) {
		return inBand(f.Error)
	}
	if i.progress.Model == "" {
		i.progress.Model = f.Model
	}
	return i.seeChoices(&f)
}

func (i *Inspector) seeChoices(f *chatFrame) error {
	for n := range f.Choices {
		c := &f.Choices[n]
		d := &c.Delta
		if present(c.Text) || present(d.Content) || present(d.ReasoningContent) || present(d.Reasoning) || present(d.Refusal) ||
			present(d.ToolCalls) || present(d.FunctionCall) || present(d.Audio) {
			i.progress.Started = true
			i.progress.Tokens++
		}
		if c.FinishReason == "error" {
			return &InBandError{Type: "server_error", Message: "the provider ended the answer with an error"}
		}
		if c.FinishReason == "" {
			continue
		}
		i.finished++
		i.progress.Tokens++
		i.progress.Finished = c.FinishReason
		if i.finished >= max(i.Choices, 1) {
			// An answer may be complete and empty.
			i.progress.Started, i.progress.Ended = true, true
		}
	}
	return nil
}

// decode reads a frame. A field of another type than expected is left out; only
// what is no JSON is an error.
func decode(data []byte, frame any) error {
	err := json.Unmarshal(data, frame)
	if errors.As(err, new(*json.UnmarshalTypeError)) {
		return nil
	}
	return err
}

func (i *Inspector) malformed(err error) error {
	if i.progress.Started {
		i.progress.Malformed++
		return nil
	}
	return fmt.Errorf("%w: %w", ErrNotJSON, err)
}

// mayFinish reports whether a chunk names a finish reason that is not null.
func mayFinish(data []byte) bool {
	for {
		_, after, found := bytes.Cut(data, []byte(`"finish_reason"`))
		if !found {
			return false
		}
		if !bytes.HasPrefix(bytes.TrimLeft(after, ": \t"), []byte("null")) {
			return true
		}
		data = after
	}
}

// responsesFrame is what matters of an event of the Responses API.
type responsesFrame struct {
	Type     string `json:"type"`
	Code     string `json:"code"`
	Message  string `json:"message"`
	Response struct {
		Model             string          `json:"model"`
		Error             json.RawMessage `json:"error"`
		IncompleteDetails struct {
			Reason string `json:"reason"`
		} `json:"incomplete_details"`
	} `json:"response"`
	Error json.RawMessage `json:"error"`
}

func (i *Inspector) seeResponses(e Event) error {
	if string(e.Data) == doneMarker {
		return nil
	}
	if i.progress.Started && bytes.HasSuffix(e.Name, []byte(".delta")) {
		i.progress.Tokens++
		return nil
	}
	var f responsesFrame
	if err := decode(e.Data, &f); err != nil {
		return i.malformed(err)
	}
	if i.progress.Model == "" {
		i.progress.Model = f.Response.Model
	}
	switch {
	case f.Type == "error" && present(f.Error):
		return inBand(f.Error)
	case f.Type == "error":
		return &InBandError{Type: "error", Code: f.Code, Message: f.Message}
	case f.Type == "response.failed":
		return inBand(f.Response.Error)
	case f.Type == "response.completed", f.Type == "response.incomplete":
		i.progress.Started, i.progress.Ended, i.progress.Closed = true, true, true
		i.progress.Finished = f.Response.IncompleteDetails.Reason
	case strings.HasSuffix(f.Type, ".delta"):
		i.progress.Started = true
		i.progress.Tokens++
	}
	return nil
}

// present reports whether a raw value holds something: it is there, and not null nor
// an empty text, list or object.
func present(raw json.RawMessage) bool {
	switch string(raw) {
	case "", "null", `""`, "[]", "{}":
		return false
	default:
		return true
	}
}

// inBand reads an error that is an object, or as some servers have it a string.
func inBand(raw json.RawMessage) error {
	var object struct {
		Type    string          `json:"type"`
		Code    json.RawMessage `json:"code"` // a string at OpenAI, a number elsewhere
		Message string          `json:"message"`
	}
	if json.Unmarshal(raw, &object) == nil {
		return &InBandError{Type: object.Type, Code: string(bytes.Trim(object.Code, `"`)), Message: object.Message}
	}
	var text string
	_ = json.Unmarshal(raw, &text)
	return &InBandError{Message: text}
}

// ErrorInside returns the error that a complete chat completion carries although its
// status was good, an [*InBandError], or nil. OpenRouter, for one, answers so.
func ErrorInside(body []byte) error {
	if !bytes.Contains(body, []byte(`"error"`)) {
		return nil
	}
	var completion struct {
		Error   json.RawMessage `json:"error"`
		Choices []struct {
			Error json.RawMessage `json:"error"`
		} `json:"choices"`
	}
	if decode(body, &completion) != nil {
		return nil
	}
	if present(completion.Error) {
		return inBand(completion.Error)
	}
	for _, c := range completion.Choices {
		if present(c.Error) {
			return inBand(c.Error)
		}
	}
	return nil
}
