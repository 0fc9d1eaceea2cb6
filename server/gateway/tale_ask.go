package gateway

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/trysail-go/trysail/llm"
)

// goOnExactly asks a model to go on. OpenAI's protocol has no other way to begin an answer for it.
const goOnExactly = "Your last message was cut off by a broken connection. Go on with it exactly where it stopped, even in the middle of a word. " +
	"Do not repeat any of it, do not apologize, and do not mention this."

// ask returns a request for the rest of the answer to the request body, or false if there is nothing left to ask for. What came so far goes along: as the begin of
// the model's answer in Anthropic's protocol (https://docs.anthropic.com/en/docs/build-with-claude/prompt-engineering/prefill-claudes-response, 2025: it must not end
// with white space); in OpenAI's as its last message, with the request to go on. The limit of tokens is what is left of it.
func (t *tale) ask(body []byte) ([]byte, bool) {
	var asked map[string]json.RawMessage
	var messages []json.RawMessage
	if json.Unmarshal(body, &asked) != nil || json.Unmarshal(asked["messages"], &messages) != nil {
		return nil, false
	}
	text := t.text.String()
	if t.dialect == llm.AnthropicMessages {
		whole := len(text)
		text = strings.TrimRight(text, " \t\r\n")
		t.trimmed = len(text) < whole
		messages = append(messages, saying("assistant", text))
	} else {
		messages = append(messages, saying("assistant", text), saying("user", goOnExactly))
	}
	asked["messages"] = encoded(messages)
	for _, limit := range [...]string{"max_tokens", "max_completion_tokens"} {
		var n int
		if asked[limit] == nil || says(asked[limit], `null`) {
			continue
		}
		if json.Unmarshal(asked[limit], &n) != nil || n <= t.events {
			return nil, false
		}
		asked[limit] = encoded(n - t.events)
	}
	return encoded(asked), true
}

// saying returns a message.
func saying(role, text string) json.RawMessage {
	return encoded(struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	}{role, text})
}

// encoded returns the JSON of a value that cannot fail to have one, with texts as they are.
func encoded(value any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(value)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
