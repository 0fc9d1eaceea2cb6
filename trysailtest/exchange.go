package trysailtest

import (
	"bytes"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

const maxBody = 32 << 20

// exchange is one request under way.
type exchange struct {
	p         *Provider
	w         http.ResponseWriter
	r         *http.Request
	protocol  protocol
	id        string // of the request
	body      []byte
	fault     Fault
	began     time.Time
	streaming bool // a stream has begun
}

// readBody reads the whole request, so that net/http watches the connection and ends
// the request's context when the client leaves.
func (x *exchange) readBody() error {
	if x.r.Body == nil || x.r.ContentLength == 0 {
		return nil
	}
	var buf bytes.Buffer
	// The client's word is taken for up to a MiB; beyond, memory follows what comes.
	buf.Grow(int(min(max(x.r.ContentLength, 0), 1<<20)) + bytes.MinRead)
	_, err := buf.ReadFrom(http.MaxBytesReader(x.w, x.r.Body, maxBody))
	x.body = buf.Bytes()
	return err
}

// answer sends a good plain answer, unless the exchange's fault has other plans.
func (x *exchange) answer(body []byte) {
	wait := x.p.firstTokenDelay
	switch x.fault.Kind {
	case FaultError:
		x.fail(x.cause())
		return
	case FaultStall:
		x.hang()
		return
	case FaultGarbage:
		body = []byte("simulated garbage: {\"id\": \"chatcmpl-")
	case FaultFirstToken:
		wait += x.fault.After
	case FaultKeepAlive:
		x.answerSlowly(body)
		return
	default:
	}
	if !x.pause(wait) {
		x.breakOff(false)
		return
	}
	switch x.fault.Kind {
	case FaultCut:
		x.sendPart(body[:len(body)/2], len(body))
	case FaultShort:
		x.sendPart(body, 2*len(body))
	case FaultEnd:
		x.head("application/json")
		closeDelimited(x.w.Header())
		_, _ = x.w.Write(body[:len(body)/2])
	default:
		x.head("application/json")
		x.write(http.StatusOK, body)
	}
}

// answerSlowly sends a blank line each second while the answer is to come, as DeepSeek
// does (api-docs.deepseek.com, "Rate Limit").
func (x *exchange) answerSlowly(body []byte) {
	x.head("application/json")
	control := http.NewResponseController(x.w)
	for wait := x.fault.After; wait > 0; wait -= keepAliveEvery {
		if !x.pause(min(wait, keepAliveEvery)) {
			x.breakOff(false)
			return
		}
		_, _ = x.w.Write([]byte("\n"))
		_ = control.Flush() // if it cannot, the client has left and the next pause ends
	}
	if !x.pause(x.p.firstTokenDelay) {
		x.breakOff(false)
		return
	}
	_, _ = x.w.Write(body)
}

// write sends a whole answer after its headers were set.
func (x *exchange) write(status int, body []byte) {
	x.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	x.w.WriteHeader(status)
	_, _ = x.w.Write(body) // whoever left does not miss it
}

// sendPart promises length bytes, sends body and breaks the connection off.
func (x *exchange) sendPart(body []byte, length int) {
	x.head("application/json")
	x.w.Header().Set("Content-Length", strconv.Itoa(length))
	_, _ = x.w.Write(body)
	_ = http.NewResponseController(x.w).Flush() // if it cannot, breaking off is all the same
	x.breakOff(false)
}

// head sets the headers that every answer has.
func (x *exchange) head(contentType string) {
	x.w.Header().Set("Content-Type", contentType)
	x.protocol.head(x.w.Header(), x)
}

// pause waits for d and reports whether it could: the client may leave and the
// provider may close meanwhile.
func (x *exchange) pause(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-x.r.Context().Done():
	case <-x.p.closing:
	}
	return false
}

// hang waits until the client leaves or the provider closes.
func (x *exchange) hang() {
	select {
	case <-x.r.Context().Done():
	case <-x.p.closing:
	}
	// Returning would send an empty answer with status 200.
	x.breakOff(true)
}

// breakOff closes the connection in the middle of the answer: with a TCP reset, which
// may overtake what was sent before, or in the ordinary way, which does not.
func (x *exchange) breakOff(reset bool) {
	conn, _, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // net/http's own word for it; it logs nothing
	}
	if tcp, ok := conn.(interface{ SetLinger(sec int) error }); ok && reset {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// randomID returns the prefix and 32 hexadecimal digits.
func randomID(prefix string) string {
	const digits = "0123456789abcdef"
	id := make([]byte, 0, 48)
	id = append(id, prefix...)
	for range 2 {
		for bits, i := rand.Uint64(), 0; i < 16; i++ {
			id = append(id, digits[bits&15])
			bits >>= 4
		}
	}
	return string(id)
}
