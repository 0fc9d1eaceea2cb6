package gateway

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
)

// An exchange is one request of a client with all its attempts.
type exchange struct {
	gateway *Gateway
	w       http.ResponseWriter
	started time.Time
	id      string
	trace   trace

	// Of the request.
	client    *http.Request
	plan      *snapshot
	asker     *client  // whose key it carries; nil if none of the plan's
	held      [2]*hold // of what its key and its operation may use
	operation *trysail.Operation
	route     *route
	control   control
	body      []byte
	protocol  Protocol
	dialect   llm.Protocol // of its answers
	model     string
	isJSON    bool // the body is JSON
	streamed  bool
	choices   int // answers asked for; 0 means one

	// Of the attempts.
	walk       walk
	attempts   int           // sends to any target
	rounds     int           // attempts as the engine counts them
	onces      int           // failures that are worth one more attempt only
	timeouts   int           // limits of ours that have passed
	slept      time.Duration // between attempts
	redialled  bool          // a dead connection has been replaced once
	sentAt     time.Time     // the newest send
	failedAt   time.Time     // its end
	verdict    llm.Verdict   // of the newest failure
	failure    error
	usage      usage
	since      time.Time // the end of the newest send, at first the begin of the call
	legs       []leg     // the sends
	leg        [2]leg    // what legs mostly is
	hedge      hedged
	racers     sync.WaitGroup
	tale       *tale     // of the stream, where it may be gone on with; nil otherwise
	suspended  bool      // it has broken off, and the client has not been told
	providerID string    // its id for the newest answer
	received   *received // the last attempt's answer, if it came in whole
	refused    *received // the newest error answer of any attempt
	declined   *received // an answer in which the model refused

	// Of the answer.
	err        error         // what the call failed with
	committed  bool          // the client has been sent a part
	relayed    bool          // it is a stream that was passed on
	broken     bool          // the client must see that the answer is not complete
	gone       bool          // the client takes no more
	stopped    bool          // the gateway itself gave up, because it stops
	firstToken time.Duration // 0 when there was none
	status     int           // sent to the client; 0 when nothing was
	sent       int64
	allowed    time.Time // when the client was last given its time
}

// received is an answer that came in whole.
type received struct {
	status int
	header http.Header
	body   []byte
}

// passOn sends an answer as it comes, beginning with head, which has been read.
func (e *exchange) passOn(resp *http.Response, watch *watchdog, head []byte) error {
	idle := e.idleLimit()
	if resp.ContentLength > 0 {
		e.w.Header().Set("Content-Length", strconv.FormatInt(resp.ContentLength, 10))
	}
	e.commit(resp)
	here, buffer := e.walk.here, make([]byte, 64<<10)
	here.veil(head)
	kept := here.begun(head)
	if err := watch.aside(func() error { return e.send(head[:len(head)-kept]) }); err != nil {
		return err
	}
	copy(buffer, head[len(head)-kept:])
	for {
		watch.expect(&idle)
		n, err := resp.Body.Read(buffer[kept:])
		piece := buffer[:kept+n]
		here.veil(piece)
		if kept = 0; !errors.Is(err, io.EOF) {
			kept = here.begun(piece)
		}
		if sendErr := watch.aside(func() error { return e.flush(piece[:len(piece)-kept]) }); sendErr != nil {
			return sendErr
		}
		copy(buffer, piece[len(piece)-kept:])
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			e.broken = true
			return err
		}
	}
}

// sendPiece is how much a client must take within its limit.
const sendPiece = 64 << 10

// errorBodyLimit is how long the body of an error is waited for. It comes with the
// headers, or it is not worth waiting for.
const errorBodyLimit = 5 * time.Second

// commit sends the head of the answer. From here on nothing can be repeated.
func (e *exchange) commit(resp *http.Response) {
	returned(e.w.Header(), resp.Header)
	e.stamp()
	e.committed, e.status = true, resp.StatusCode
	e.w.WriteHeader(resp.StatusCode)
}

// send writes a piece of the answer to the client. A client that does not take it
// within the limit, or has gone, is no failure of the provider.
func (e *exchange) send(piece []byte) error {
	for part := range slices.Chunk(piece, sendPiece) {
		e.allow()
		n, err := e.w.Write(part)
		e.sent += int64(n)
		if err != nil {
			return e.lost(err)
		}
	}
	return nil
}

// allow gives the client its time for the next piece, and up to an eighth more: to set the time anew for each of many small pieces would
// cost more than to send them.
func (e *exchange) allow() {
	now, limit := time.Now(), e.gateway.limits.Client
	if now.Sub(e.allowed) < limit/8 {
		return
	}
	e.allowed = now
	_ = http.NewResponseController(e.w).SetWriteDeadline(now.Add(limit + limit/8))
}

// flush sends a piece and sees to it that it is on its way.
func (e *exchange) flush(piece []byte) error {
	if err := e.send(piece); err != nil || len(piece) == 0 {
		return err
	}
	if err := http.NewResponseController(e.w).Flush(); err != nil {
		return e.lost(err)
	}
	return nil
}

// lost notes that the client takes no more. That is its decision, not a failure.
func (e *exchange) lost(err error) error {
	e.gone = true
	return trysail.WithClass(fmt.Errorf("send to the client: %w", err), trysail.ClassCanceled, 0)
}

// badAnswer is the error of an answer with a good status and no good content.
type badAnswer struct{ what string }

func (b badAnswer) Error() string { return "the provider sent " + b.what }

// isEncoded reports whether a body is compressed, although that was not asked for.
func isEncoded(h http.Header) bool {
	encoding := h.Get("Content-Encoding")
	return encoding != "" && encoding != "identity"
}

func isEventStream(h http.Header) bool { return mediaType(h) == "text/event-stream" }
