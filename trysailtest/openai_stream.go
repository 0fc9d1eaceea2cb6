package trysailtest

import (
	"encoding/json"
	"strconv"
)

const eventStream = "text/event-stream"

// chatStream puts a completion into OpenAI's chunks.
type chatStream struct {
	c     *completion
	x     *exchange
	start []byte // of every chunk
	usage bool   // whether the client wants usage
}

func newChatStream(c *completion, r *chatRequest, x *exchange) *chatStream {
	return &chatStream{c: c, x: x, start: chunkStart(c), usage: r.StreamOptions.IncludeUsage}
}

// chunkStart returns what all chunks of c begin with.
func chunkStart(c *completion) []byte {
	b := append(make([]byte, 0, 256), `data: {"id":"`...)
	b = append(b, c.id...)
	b = append(b, `","object":"chat.completion.chunk","created":`...)
	b = strconv.AppendInt(b, c.created, 10)
	b = append(b, `,"model":`...)
	b = appendQuoted(b, c.model)
	return append(b, `,"system_fingerprint":"`+systemFingerprint+`","choices":[`...)
}

func (s *chatStream) begin(b []byte) []byte {
	return s.chunk(b, `{"role":"assistant","content":"","refusal":null}`, "")
}

func (s *chatStream) token(b []byte, text string) []byte {
	b = append(b, s.start...)
	if s.c.finish == finishRefused {
		b = append(b, `{"index":0,"delta":{"refusal":`...)
	} else {
		b = append(b, `{"index":0,"delta":{"content":`...)
	}
	b = appendQuoted(b, text)
	b = append(b, `},"logprobs":null,"finish_reason":null}]`...)
	return s.endChunk(b)
}

func (s *chatStream) end(b []byte) []byte {
	b = s.chunk(b, `{}`, s.c.chatFinish())
	if s.usage {
		b = append(append(b, s.start...), `],"usage":`...)
		b = append(appendJSON(b, s.c.chatUsage()), "}\n\n"...)
	}
	return append(b, doneFrame...)
}

const doneFrame = "data: [DONE]\n\n"

func (s *chatStream) fail(b []byte, e *apiError) []byte {
	body := s.x.protocol.encode(e, s.x)
	switch s.x.fault.Form {
	case formChunk: // OpenRouter (openrouter.ai, "Errors and debugging": mid-stream errors)
		b = append(append(b, s.start...), `{"index":0,"delta":{"content":""},"finish_reason":"error"}],"error":`...)
		return append(appendJSON(b, map[string]any{"code": e.status, "message": e.message}), "}\n\n"...)
	case formDone: // vLLM sends both
		return append(appendFrame(b, "", body), doneFrame...)
	default:
		return appendFrame(b, "", body)
	}
}

func (s *chatStream) alive(b []byte) []byte { return append(b, aliveComment...) }

// aliveComment is DeepSeek's; OpenRouter's is another comment.
const aliveComment = ": keep-alive\n\n"

// chunk appends a chunk that holds the delta, given as JSON; finish may be blank.
func (s *chatStream) chunk(b []byte, delta, finish string) []byte {
	b = append(b, s.start...)
	b = append(b, `{"index":0,"delta":`...)
	b = append(b, delta...)
	b = append(b, `,"logprobs":null,"finish_reason":`...)
	if finish == "" {
		b = append(b, `null}]`...)
	} else {
		b = append(appendQuoted(b, finish), `}]`...)
	}
	return s.endChunk(b)
}

func (s *chatStream) endChunk(b []byte) []byte {
	if s.usage { // OpenAI sends it as null until the last chunk
		b = append(b, `,"usage":null`...)
	}
	return append(b, "}\n\n"...)
}

// appendFrame appends a server-sent event; the event's name may be blank.
func appendFrame(b []byte, event string, data []byte) []byte {
	if event != "" {
		b = append(append(append(b, "event: "...), event...), '\n')
	}
	b = append(append(b, "data: "...), data...)
	return append(b, "\n\n"...)
}

// appendJSON appends v, which JSON can hold.
func appendJSON(b []byte, v any) []byte {
	encoded, err := json.Marshal(v)
	if err != nil {
		return append(b, "null"...)
	}
	return append(b, encoded...)
}

// appendQuoted appends s, which is valid UTF-8, as a JSON string.
func appendQuoted(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' {
			return appendJSON(b, s)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}
