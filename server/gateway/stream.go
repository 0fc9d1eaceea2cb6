package gateway

import (
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
)

// heldBytes is what a stream may hold before its first token: more than any protocol's opening.
const heldBytes = 256 << 10

// A relay passes a stream on.
type relay struct {
	*exchange
	watch     *watchdog
	resp      *http.Response
	inspector llm.Inspector
	idle      timeoutError
	held      []byte // read and not sent: all until the commit point, then the begin of an event
	through   int64  // how many bytes of the stream were sent
	final     byte   // the last byte that was sent, white space aside
	tokens    int
}

// takeStream reads a stream and passes it on from its first token. Its error is the
// outcome of the attempt, known when the stream ends.
func (e *exchange) takeStream(resp *http.Response, watch *watchdog, dialect llm.Protocol) error {
	r := &relay{
		exchange: e, watch: watch, resp: resp,
		inspector: llm.Inspector{Protocol: dialect, Choices: e.choices},
		idle:      e.idleLimit(),
	}
	defer func() { e.relayed = e.committed }()
	defer r.count()
	e.tale = e.tell(dialect)
	buffer := make([]byte, 16<<10)
	for {
		n, err := resp.Body.Read(buffer)
		if n > 0 {
			if err := r.take(buffer[:n]); err != nil {
				return r.end(err)
			}
		}
		switch {
		case err == nil:
		case r.inspector.Progress().Closed:
			return r.end(nil) // it said that nothing follows: how the connection ends does not matter
		case errors.Is(err, io.EOF):
			return r.end(r.inspector.End())
		default:
			return r.end(err)
		}
	}
}

// count notes what the stream has used.
func (r *relay) count() {
	progress := r.inspector.Progress()
	if r.usage.told = progress.Usage; !progress.Ended || progress.Usage.Output == 0 {
		r.usage.events = progress.Tokens // an event holds a token or some
	}
}

// take looks at the next piece and sends what may be sent.
func (r *relay) take(piece []byte) error {
	bad := r.inspector.Feed(piece)
	r.held = append(r.held, piece...)
	progress := r.inspector.Progress()
	if !r.committed {
		if bad != nil {
			return bad
		}
		if !progress.Started && len(r.held) < heldBytes {
			return nil
		}
		r.firstToken = time.Since(r.started)
		r.commit(r.resp)
	}
	switch {
	case progress.Closed:
		r.watch.expect(&timeoutError{"the end of the connection", closingLimit})
	case progress.Tokens > r.tokens:
		r.tokens = progress.Tokens
		r.watch.expect(&r.idle)
	}
	whole := r.told(int(r.inspector.Whole() - r.through))
	err := r.watch.aside(func() error { return r.forward(whole) })
	if err != nil {
		return err
	}
	return bad
}

// told shows n of the bytes that are held to the tale, if there is one, and returns how many of them are sent: not an error, after which another target may go on.
func (r *relay) told(n int) int {
	for at := 0; r.tale != nil && at < n; {
		f := frame(r.held[at:n])
		if f == nil { // comments, or line ends of another kind
			r.tale.closed = r.tale.closed || !onlyComments(r.held[at:n])
			return n
		}
		if !r.tale.closed && r.tale.see(f) {
			if r.tale.goesOn() {
				return at
			}
			r.tale.closed = true // the client gets the error
		}
		at += len(f)
	}
	return n
}

// closingLimit is how long a provider may take to end a stream that has said that nothing
// follows. Waiting for it keeps the connection fit for the next request.
const closingLimit = time.Second

// forward sends n of the bytes that are held.
func (r *relay) forward(n int) error {
	if n <= 0 {
		return nil
	}
	r.walk.here.veil(r.held[:n]) // whole events, in which a key is whole
	if err := r.flush(r.held[:n]); err != nil {
		return err
	}
	r.final = lastByte(r.final, r.held[:n])
	r.through += int64(n)
	r.held = append(r.held[:0], r.held[n:]...)
	return nil
}

// end finishes a stream that ended with err, nil if it is complete.
func (r *relay) end(err error) error {
	if !r.committed {
		return r.endUnseen(err)
	}
	if err == nil {
		if err = r.forward(len(r.held)); err == nil {
			err = r.refusal()
		}
		return err
	}
	if r.gone {
		return err
	}
	if r.tale.goesOn() {
		r.suspended = true
		return err
	}
	r.broken = true
	var inBand *llm.InBandError
	if !errors.As(err, &inBand) {
		// The provider's own error event has been passed on; otherwise the
		// client hears of it from us. What is held is half an event, and is kept back.
		r.interrupt(r.inspector.Protocol, r.final, nil)
	} else if r.inspector.Protocol == llm.GeminiArray && r.final != ']' {
		_ = r.flush([]byte("]")) // without it, no client could read the array, nor the error in it
	}
	return err
}

// endUnseen finishes a stream of which the client has seen nothing.
func (r *relay) endUnseen(err error) error {
	if err != nil {
		return err
	}
	// Complete, but without content: the model refused, or the protocol is not known.
	if err := r.refusal(); err != nil && r.route.OnContentPolicy == Next {
		r.walk.here.veil(r.held)
		r.received = &received{r.resp.StatusCode, r.resp.Header, r.held}
		r.declined = r.received
		return err
	}
	r.commit(r.resp)
	if err := r.forward(len(r.held)); err != nil {
		return err
	}
	return r.refusal()
}

// refusal returns the error of a complete stream whose model refused to answer, nil if it did not.
func (r *relay) refusal() error {
	reason := r.inspector.Progress().Finished
	if !errors.Is(llm.Finished(reason), llm.ErrRefused) {
		return nil
	}
	v := llm.Verdict{Class: trysail.ClassContentPolicy, Failed: true, Scope: llm.ScopeRequest, Reason: "refused", Status: r.resp.StatusCode}
	return v.Mark(&llm.AnswerError{Verdict: v})
}
