package gateway

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/trysail-go/trysail/llm"
)

// A tale is what a client has been sent of an answer, as long as another target could go on with it: text alone, in one answer of a protocol in which
// that can be asked for. It follows the stream frame by frame.
type tale struct {
	dialect llm.Protocol
	text    strings.Builder
	events  int  // that brought text: about a token each
	closed  bool // what was sent cannot be gone on with: it holds something else, or is complete
	failure []byte

	// Of OpenAI's chunks, which are all alike.
	id, model, created json.RawMessage

	block int  // of Anthropic's message: the one that is open
	open  bool // there is one

	again   bool    // a target has been asked to go on
	resumed *target // the target that goes on, once it has
	trimmed bool    // white space at the end was not passed to it
}

// tell returns a tale for the answer, or nil if it is not to be gone on with, or could not be.
func (e *exchange) tell(dialect llm.Protocol) *tale {
	if !e.route.Continue || !e.streamed || !e.isJSON || !continuable(e.protocol, e.client.URL.Path, e.body) {
		return nil
	}
	return &tale{dialect: dialect}
}

// continuable reports whether an answer to a request is text and nothing else, as far as the request tells. A request with a member that is not known is not:
// it may ask for anything.
func continuable(p Protocol, path string, body []byte) bool {
	known := map[string]bool{}
	switch {
	case p == OpenAIProtocol && strings.HasSuffix(path, "/chat/completions"):
		for name := range strings.FieldsSeq(`model messages stream stream_options max_tokens max_completion_tokens temperature top_p stop presence_penalty
			frequency_penalty seed user metadata store service_tier logit_bias prompt_cache_key prompt_cache_retention safety_identifier reasoning_effort verbosity`) {
			known[name] = true
		}
	case p == AnthropicProtocol && strings.HasSuffix(path, "/messages"):
		for name := range strings.FieldsSeq(`model messages system stream max_tokens temperature top_p top_k stop_sequences metadata service_tier`) {
			known[name] = true
		}
	default:
		return false
	}
	var asked map[string]json.RawMessage
	if json.Unmarshal(body, &asked) != nil {
		return false
	}
	for name, value := range asked {
		if !known[name] && !asksNothing(name, value) {
			return false
		}
	}
	var messages []struct {
		Role string `json:"role"`
	}
	return json.Unmarshal(asked["messages"], &messages) == nil && len(messages) > 0 && messages[len(messages)-1].Role != "assistant"
}

// asksNothing reports whether a member is as good as not there.
func asksNothing(name string, value json.RawMessage) bool {
	switch name {
	case "n":
		return says(value, `null`, `1`)
	case "response_format":
		return says(value, `null`, `{"type":"text"}`)
	case "thinking":
		return says(value, `null`, `{"type":"disabled"}`)
	default:
		return says(value, `null`, `false`, `[]`, `{}`)
	}
}

// says reports whether a value is one of those, white space aside.
func says(value json.RawMessage, values ...string) bool {
	var plain bytes.Buffer
	if json.Compact(&plain, value) != nil {
		return false
	}
	for _, v := range values {
		if plain.String() == v {
			return true
		}
	}
	return false
}

// frame returns the first frame of a stream with the empty line that ends it, or nil if it is not complete.
func frame(stream []byte) []byte {
	for i, c := range stream {
		if c != '\n' {
			continue
		}
		switch rest := stream[i+1:]; {
		case bytes.HasPrefix(rest, []byte("\n")):
			return stream[:i+2]
		case bytes.HasPrefix(rest, []byte("\r\n")):
			return stream[:i+3]
		}
	}
	return nil
}

// onlyComments reports whether there is nothing else in the lines of a part of a stream.
func onlyComments(part []byte) bool {
	for line := range bytes.Lines(part) {
		if text := bytes.TrimRight(line, "\r\n"); len(text) > 0 && text[0] != ':' {
			return false
		}
	}
	return true
}

// dataOf returns the data of a frame, nil if it has none.
func dataOf(frame []byte) (data []byte) {
	var p llm.Parser
	_ = p.Feed(frame, func(e llm.Event) bool {
		data = bytes.Clone(e.Data)
		return true
	})
	return data
}

// see takes a frame before it is sent. It reports whether that is an error, which is kept instead.
func (t *tale) see(frame []byte) (failed bool) {
	data := dataOf(frame)
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return false // a comment
	case string(data) == "[DONE]":
		t.closed = true
		return false
	}
	var f storyFrame
	if err := json.Unmarshal(data, &f); err != nil {
		t.closed = true
		return false
	}
	if f.Type == "error" || len(f.Error) > 0 && string(f.Error) != "null" {
		t.failure = bytes.Clone(frame)
		return true
	}
	if t.dialect == llm.AnthropicMessages {
		t.seeMessage(&f)
	} else {
		t.seeChunk(&f)
	}
	return false
}

// A storyFrame is what is looked at in a frame, of either protocol.
type storyFrame struct {
	Error json.RawMessage `json:"error"`

	ID      json.RawMessage `json:"id"`
	Model   json.RawMessage `json:"model"`
	Created json.RawMessage `json:"created"`
	Choices []struct {
		Index    int                        `json:"index"`
		Delta    map[string]json.RawMessage `json:"delta"`
		Finish   *string                    `json:"finish_reason"`
		Logprobs json.RawMessage            `json:"logprobs"`
	} `json:"choices"`

	Type  string `json:"type"`
	Index int    `json:"index"`
	Delta struct {
		Type string `json:"type"`
		Text string `json:"text"`
	} `json:"delta"`
	Block struct {
		Type string `json:"type"`
		Text string `json:"text"`
	} `json:"content_block"`
}

// seeChunk takes a chunk of a chat completion.
func (t *tale) seeChunk(f *storyFrame) {
	if t.id == nil {
		t.id, t.model, t.created = f.ID, f.Model, f.Created
	}
	for _, c := range f.Choices {
		text, plain := textIn(c.Delta)
		t.closed = t.closed || !plain || c.Index != 0 || c.Finish != nil || len(c.Logprobs) > 0 && string(c.Logprobs) != "null"
		t.add(text)
	}
}

// textIn returns the text of a chunk's delta, and whether there is nothing else in it.
func textIn(delta map[string]json.RawMessage) (text string, plain bool) {
	plain = true
	for name, value := range delta {
		switch {
		case name == "role", says(value, `null`, `""`, `[]`, `{}`):
		case name == "content" && json.Unmarshal(value, &text) == nil:
		default:
			plain = false
		}
	}
	return text, plain
}

// seeMessage takes an event of a message.
func (t *tale) seeMessage(f *storyFrame) {
	switch f.Type {
	case "message_start", "ping":
	case "content_block_start":
		t.closed = t.closed || t.open || t.text.Len() > 0 || f.Block.Type != "text"
		t.block, t.open = f.Index, true
		t.add(f.Block.Text)
	case "content_block_delta":
		t.closed = t.closed || f.Delta.Type != "text_delta"
		t.add(f.Delta.Text)
	default: // the block or the message ends, or something unheard of happens
		t.closed = true
	}
}

func (t *tale) add(text string) {
	if text != "" {
		t.events++
		t.text.WriteString(text)
	}
}

// goesOn reports whether the answer can be gone on with.
func (t *tale) goesOn() bool {
	return t != nil && !t.closed && t.resumed == nil && strings.TrimSpace(t.text.String()) != "" && (t.open || t.dialect != llm.AnthropicMessages)
}
