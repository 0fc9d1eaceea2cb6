package trysailtest

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// chatStream sends a completion as OpenAI's chunks. The chunks are put together by
// hand: the provider stands behind benchmarks, and encoding each would cost more
// than sending it.
type chatStream struct {
	eventStream
	start []byte // of every chunk
	usage bool   // whether the client wants usage
	buf   []byte // reused by every chunk
}

// streamChat sends c, or as much of it as the exchange's fault lets through.
func (x *exchange) streamChat(c *completion, withUsage bool) {
	s := &chatStream{eventStream: x.openStream(), start: chunkStart(c), usage: withUsage}
	if !s.sendChunk(`{"role":"assistant","content":"","refusal":null}`, "") || !s.sendTokens(c.text) {
		x.breakOff(false)
		return
	}
	if x.fault.streamStop() >= 0 {
		s.fail()
		return
	}
	if s.sendChunk(`{}`, c.finish) && (!withUsage || s.sendUsage(c.usage)) {
		s.send([]byte("data: [DONE]\n\n"))
	}
}

// sendTokens sends the text's tokens up to the fault, at the provider's pace, and
// reports whether it could.
func (s *chatStream) sendTokens(text string) bool {
	stop, wait := s.x.fault.streamStop(), s.x.p.firstTokenDelay
	if s.x.fault.Kind == FaultFirstToken {
		wait += s.x.fault.After
	}
	for sent := 0; text != "" && sent != stop; sent++ {
		var token string
		token, text = cutToken(text)
		if !s.x.pause(wait) || !s.sendToken(token) {
			return false
		}
		wait = s.x.p.tokenDelay
	}
	return true
}

// fail ends the stream as its fault says.
func (s *chatStream) fail() {
	switch s.x.fault.Kind {
	case FaultStall:
		s.stall()
	case FaultError:
		e := openAIErrorBody(openAIStatus(http.StatusInternalServerError, 0))
		s.send(append(append([]byte("data: "), e...), "\n\n"...))
		return // OpenAI ends the answer well after it has told the error
	case FaultGarbage:
		s.send([]byte("data: {\"id\": simulated garbage\n\n"))
		return
	default:
	}
	s.x.breakOff(false)
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

func (s *chatStream) sendToken(token string) bool {
	s.buf = append(s.buf[:0], s.start...)
	s.buf = append(s.buf, `{"index":0,"delta":{"content":`...)
	s.buf = appendQuoted(s.buf, token)
	s.buf = append(s.buf, `},"logprobs":null,"finish_reason":null}]`...)
	return s.endChunk()
}

// sendChunk sends a chunk that holds the delta, given as JSON; finish may be blank.
func (s *chatStream) sendChunk(delta, finish string) bool {
	s.buf = append(s.buf[:0], s.start...)
	s.buf = append(s.buf, `{"index":0,"delta":`...)
	s.buf = append(s.buf, delta...)
	s.buf = append(s.buf, `,"logprobs":null,"finish_reason":`...)
	if finish == "" {
		s.buf = append(s.buf, `null}]`...)
	} else {
		s.buf = append(appendQuoted(s.buf, finish), `}]`...)
	}
	return s.endChunk()
}

func (s *chatStream) endChunk() bool {
	if s.usage { // OpenAI sends it as null until the last chunk
		s.buf = append(s.buf, `,"usage":null`...)
	}
	s.buf = append(s.buf, "}\n\n"...)
	return s.send(s.buf)
}

func (s *chatStream) sendUsage(usage chatUsage) bool {
	body, err := json.Marshal(usage)
	if err != nil {
		return false
	}
	s.buf = append(append(s.buf[:0], s.start...), `],"usage":`...)
	s.buf = append(append(s.buf, body...), "}\n\n"...)
	return s.send(s.buf)
}

// appendQuoted appends s, which is valid UTF-8, as a JSON string.
func appendQuoted(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' {
			quoted, err := json.Marshal(s)
			if err != nil { // strings always encode
				return append(b, `""`...)
			}
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}
