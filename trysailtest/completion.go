package trysailtest

import (
	"cmp"
	"encoding/json"
	"errors"
	"strings"
)

const (
	defaultModel = "simulated-chat"
	refusalText  = "I cannot help with that."
)

// prompt is what the provider reads of a request for text, whatever its protocol.
type prompt struct {
	model string
	turns []turn
	limit *int // how many tokens the answer may have; nil is no limit
}

type turn struct {
	Role    string  `json:"role"`
	Content content `json:"content"`
}

// content is the text of a turn: a string, or an array of parts of which only those
// with text count.
type content string

// UnmarshalJSON implements [json.Unmarshaler].
func (c *content) UnmarshalJSON(data []byte) error {
	if data[0] != '[' {
		var text *string
		if err := json.Unmarshal(data, &text); err != nil {
			return errors.New("content must be a string or an array of parts")
		}
		if text != nil { // null stands beside tool calls
			*c = content(*text)
		}
		return nil
	}
	var parts []part
	if err := json.Unmarshal(data, &parts); err != nil {
		return errors.New("content must be a string or an array of parts")
	}
	*c = joinParts(parts)
	return nil
}

// part is a piece of content in every protocol.
type part struct {
	Text string `json:"text"`
}

func joinParts(parts []part) content {
	var text strings.Builder
	for _, part := range parts {
		text.WriteString(part.Text)
	}
	return content(text.String())
}

// How an answer ends, before a protocol has its own word for it.
type finish string

const (
	finishStop    finish = "stop"
	finishLength  finish = "length"
	finishRefused finish = "refused" // what text there is says so
	finishBlocked finish = "blocked" // the prompt was refused; Gemini's
)

// completion is the answer to a prompt before it takes a protocol's form.
type completion struct {
	id      string
	created int64
	model   string
	text    string
	finish  finish
	prompt  int // tokens of the prompt
	tokens  int // tokens of the text
}

// complete makes up the answer. The same model and turns give the same text.
func (x *exchange) complete(p prompt, idPrefix string) *completion {
	question, size, seed := p.turns[len(p.turns)-1].Content, 0, hashText(hashStart, p.model)
	for _, t := range p.turns {
		if t.Role == "user" {
			question = t.Content
		}
		size += len(t.Content)
		seed = hashText(seed, string(t.Content))
	}
	c := &completion{
		id: randomID(idPrefix), created: x.began.Unix(), model: cmp.Or(p.model, defaultModel),
		text: x.p.prose.answer(string(question), seed), finish: finishStop, prompt: tokensIn(size),
	}
	if x.fault.Kind == FaultContentPolicy {
		c.text, c.finish, p.limit = refusalText, finishRefused, nil
		if x.fault.Form == "" {
			c.finish = finishBlocked
		}
	}
	c.shorten(p.limit)
	return c
}

// tokensIn estimates the tokens of a text of so many bytes.
func tokensIn(bytes int) int { return (bytes + 3) / 4 }

// shorten cuts the text to what the request allows and counts its tokens.
func (c *completion) shorten(limit *int) {
	for rest := c.text; rest != ""; c.tokens++ {
		if limit != nil && c.tokens == *limit {
			c.text, c.finish = c.text[:len(c.text)-len(rest)], finishLength
			return
		}
		_, rest = cutToken(rest)
	}
}

// countPrompt returns the tokens of a prompt.
func countPrompt(turns []turn) int {
	size := 0
	for _, t := range turns {
		size += len(t.Content)
	}
	return tokensIn(size)
}
