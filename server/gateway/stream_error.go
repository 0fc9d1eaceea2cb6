package gateway

import (
	"bytes"
	"encoding/json"
	"net/http"

	"github.com/trysail-go/trysail/llm"
)

// interrupt tells the client that a stream has broken off: by the provider's own event if that was kept back, or else by one of ours.
func (e *exchange) interrupt(dialect llm.Protocol, last byte, own []byte) {
	e.broken = true
	if own == nil {
		own = e.interruption(dialect, last)
	}
	_ = e.flush(own)
}

// interruption returns what tells the client that a stream has broken off, in the protocol's own form. last is the last byte that it was sent
// but for white space, which says in a JSON array whether an element has ended.
func (e *exchange) interruption(dialect llm.Protocol, last byte) []byte {
	f := &fault{
		status: http.StatusBadGateway, kind: "server_error", code: "stream_interrupted",
		message: "The provider's answer broke off. What has been sent is not complete.",
	}
	event := f.object(e.protocol, e.id)
	if dialect == llm.OpenAIResponses {
		event = map[string]any{"type": "error", "code": f.code, "message": f.message, "param": nil}
	}
	data, _ := json.Marshal(event) // texts and numbers only: it cannot fail
	switch {
	case dialect == llm.GeminiArray:
		if last != ',' && last != '[' {
			data = append([]byte(",\n"), data...)
		}
		return append(data, ']')
	case dialect == llm.OpenAIResponses, e.protocol == AnthropicProtocol:
		return []byte("event: error\ndata: " + string(data) + "\n\n")
	default:
		return []byte("data: " + string(data) + "\n\n")
	}
}

// lastByte returns the last byte of a piece that is no white space, or before if there is none.
func lastByte(before byte, piece []byte) byte {
	if text := bytes.TrimRight(piece, " \t\r\n"); len(text) > 0 {
		return text[len(text)-1]
	}
	return before
}
