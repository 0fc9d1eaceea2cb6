package llm

import (
	"bytes"
	"fmt"
)

// An InBandError is an error that came inside an answer with a good status.
type InBandError struct {
	Type, Code, Message string // in the provider's words; each may be empty

	// Frame is the JSON document that carried the error, at most its first 64 KiB.
	Frame []byte
}

// maxFrame is how much of a frame an error keeps.
const maxFrame = 64 << 10

// Error names what the provider said.
func (e *InBandError) Error() string {
	return fmt.Sprintf("error inside the stream: %s (type %q, code %q)", e.Message, e.Type, e.Code)
}

// judge judges the frame, of which resp says what is known beside it.
func (e *InBandError) judge(resp Response) Verdict {
	resp.Body, resp.Stream = e.Frame, true
	v := Classify(resp)
	if !v.Failed { // nothing in it says so but its place, as in Cohere's flat ones
		resp.Event = "error"
		v = Classify(resp)
	}
	return v
}

// ErrorInside returns the error that a complete chat completion carries although its
// status was good, an [*InBandError], or nil. OpenRouter, for one, answers so.
func ErrorInside(body []byte) error {
	var i Inspector
	if i.see(Event{Data: body}); i.failed() {
		return i.progress.Err
	}
	return nil
}

// inBand returns the error that a frame stands for.
func (f *frame) inBand(text []byte) *InBandError {
	e := &InBandError{
		Type:    unquote(f.kind),
		Code:    codeOf(f.code),
		Message: unquote(f.message),
		Frame:   bytes.Clone(text[:min(len(text), maxFrame)]),
	}
	if len(f.raw) > 0 {
		e.read(&scanner{data: f.raw})
	}
	return e
}

// read reads an error that is an object, or as some servers have it a string.
func (e *InBandError) read(s *scanner) {
	if s.peek() == '"' {
		e.Message = unquote(s.text())
		return
	}
	for key := range s.members {
		switch string(key) {
		case "message":
			e.Message = unquote(s.text())
		case "type", "status", "error_type": // the second is Google's
			if kind := s.text(); len(kind) > 0 {
				e.Type = unquote(kind)
			}
		case "code":
			e.Code = codeOf(s.raw())
		default:
			s.skip()
		}
	}
}

// codeOf reads a code, which is a string at OpenAI and a number elsewhere.
func codeOf(raw []byte) string {
	if !present(raw) {
		return ""
	}
	return unquote(bytes.Trim(raw, `"`))
}
