package gateway_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
)

// recorded returns what a handler answers, without a socket.
func recorded(h http.Handler, path, body string) string {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body)) //nolint:noctx // nothing of it lasts
	r.Header.Set("Content-Type", "application/json")
	h.ServeHTTP(w, r)
	return w.Body.String()
}

// A piece is what a client reads of an answer, of one event of a stream or of one element of an array, in whatever protocol.
type piece struct {
	Type    string `json:"type"`
	Choices []struct {
		Message, Delta struct {
			Content string `json:"content"`
		}
		Error json.RawMessage `json:"error"`
	} `json:"choices"`
	Content []struct {
		Text string `json:"text"`
	} `json:"content"`
	Candidates []struct {
		Content struct {
			Parts []struct {
				Text string `json:"text"`
			} `json:"parts"`
		} `json:"content"`
	} `json:"candidates"`
	Output []struct {
		Content []struct {
			Text string `json:"text"`
		} `json:"content"`
	} `json:"output"`
	Delta json.RawMessage `json:"delta"`
	Error json.RawMessage `json:"error"`
}

// heard returns the text that a client reads, and how many errors it is told.
func (m manner) heard(streamed bool, body string) (text string, failures int, err error) {
	pieces, err := m.pieces(streamed, body)
	for _, p := range pieces {
		text += p.text()
		if p.Type == "error" || p.Type == "response.failed" || len(p.Error) > 0 && string(p.Error) != "null" {
			failures++
		}
	}
	return text, failures, err
}

func (m manner) pieces(streamed bool, body string) (pieces []piece, err error) {
	switch {
	case !streamed && strings.HasPrefix(body, "["): // the error of Gemini's stream that is an array
		err = json.Unmarshal([]byte(body), &pieces)
		return pieces, err
	case !streamed:
		var p piece
		err = json.Unmarshal([]byte(body), &p)
		return []piece{p}, err
	case m.contentType == "application/json":
		err = json.Unmarshal([]byte(body), &pieces)
		return pieces, err
	}
	for line := range strings.SplitSeq(strings.ReplaceAll(body, "\r\n", "\n"), "\n") {
		data, ok := strings.CutPrefix(line, "data: ")
		if !ok || data == "[DONE]" {
			continue
		}
		var p piece
		if err := json.Unmarshal([]byte(data), &p); err != nil {
			return pieces, fmt.Errorf("event %.100q: %w", data, err)
		}
		pieces = append(pieces, p)
	}
	return pieces, nil
}

func (p piece) text() (text string) {
	for _, c := range p.Choices {
		text += c.Message.Content + c.Delta.Content
	}
	for _, c := range p.Content {
		text += c.Text
	}
	for _, c := range p.Candidates {
		for _, part := range c.Content.Parts {
			text += part.Text
		}
	}
	for _, o := range p.Output {
		for _, c := range o.Content {
			text += c.Text
		}
	}
	switch p.Type {
	case "content_block_delta":
		var delta struct{ Text string }
		_ = json.Unmarshal(p.Delta, &delta) // another kind of delta has no text
		text += delta.Text
	case "response.output_text.delta":
		var delta string
		_ = json.Unmarshal(p.Delta, &delta)
		text += delta
	}
	return text
}
