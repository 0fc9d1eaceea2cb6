package trysailtest

import (
	"bytes"
	"net/http"
	"time"
)

const keepAliveEvery = time.Second

// A streamForm puts a stream's parts into a protocol's frames. Each method appends to
// a buffer that is used again and returns it: the provider stands behind benchmarks,
// where encoding a value for each frame would cost more than sending it.
type streamForm interface {
	begin(b []byte) []byte              // what comes before the first token
	token(b []byte, text string) []byte // blank text makes a delta without content
	end(b []byte) []byte
	fail(b []byte, e *apiError) []byte
	alive(b []byte) []byte // keeps the connection alive; none if the protocol has nothing
}

// stream sends one answer piece by piece.
type stream struct {
	x       *exchange
	form    streamForm
	control *http.ResponseController
	buf     []byte
}

// stream sends c, or as much of it as the exchange's fault lets through.
func (x *exchange) stream(c *completion, form streamForm, contentType string) {
	x.streaming = true
	x.head(contentType)
	x.w.Header().Set("Cache-Control", "no-cache")
	if x.fault.Kind == FaultEnd {
		closeDelimited(x.w.Header())
	}
	s := &stream{x: x, form: form, control: http.NewResponseController(x.w)}
	if !s.send(form.begin(s.buf[:0])) || !s.first() || !s.tokens(c.text) {
		x.breakOff(false)
		return
	}
	if x.fault.streamStop() >= 0 {
		s.stop()
		return
	}
	s.send(form.end(s.buf[:0]))
}

// send sends a whole frame at once and reports whether the client still reads.
func (s *stream) send(frame []byte) bool {
	s.buf = frame
	if _, err := s.x.w.Write(frame); err != nil {
		return false
	}
	return s.control.Flush() == nil
}

// first does what the fault wants done before the first token.
func (s *stream) first() bool {
	wait := s.x.p.firstTokenDelay
	switch f := s.x.fault; f.Kind {
	case FaultFirstToken:
		wait += f.After
	case FaultKeepAlive:
		if !s.keepAlive(f.After) {
			return false
		}
	case FaultEmpty:
		for range f.Tokens {
			if !s.send(s.form.token(s.buf[:0], "")) {
				return false
			}
		}
	default:
	}
	return s.x.fault.streamStop() == 0 || s.x.pause(wait)
}

// keepAlive sends a sign of life each second for so long.
func (s *stream) keepAlive(lasting time.Duration) bool {
	for ; lasting > 0; lasting -= keepAliveEvery {
		if !s.x.pause(min(lasting, keepAliveEvery)) || !s.send(s.form.alive(s.buf[:0])) {
			return false
		}
	}
	return true
}

// tokens sends the text's tokens up to the fault, at the provider's pace, and reports
// whether it could.
func (s *stream) tokens(text string) bool {
	stop, wait := s.x.fault.streamStop(), time.Duration(0)
	for sent := 0; text != "" && sent != stop; sent++ {
		var token string
		token, text = cutToken(text)
		if !s.x.pause(wait) || !s.send(s.form.token(s.buf[:0], token)) {
			return false
		}
		wait = s.x.p.tokenDelay
	}
	return true
}

// stop ends the stream as its fault says.
func (s *stream) stop() {
	switch f := s.x.fault; f.Kind {
	case FaultStall:
		for s.x.pause(keepAliveEvery) && s.send(s.form.alive(s.buf[:0])) {
		}
	case FaultError:
		s.send(s.form.fail(s.buf[:0], s.x.cause()))
		return // the providers end the answer well after they have told the error
	case FaultGarbage:
		frame := s.form.token(s.buf[:0], "garbage")
		s.send(bytes.Replace(frame, []byte("{"), []byte("{simulated garbage "), 1))
		return
	case FaultEnd:
		return // as if all were sent
	default:
	}
	s.x.breakOff(false)
}

// closeDelimited has the end of an answer told by the end of its connection, so that
// nobody can tell a whole one from a part: net/http neither counts nor chunks it.
func closeDelimited(h http.Header) { h.Set("Transfer-Encoding", "identity") }
