package gateway

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
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

	// Of the request.
	client    *http.Request
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
	walk      walk
	attempts  int           // sends to any target
	rounds    int           // attempts as the engine counts them
	onces     int           // failures that are worth one more attempt only
	timeouts  int           // limits of ours that have passed
	slept     time.Duration // between attempts
	redialled bool          // a dead connection has been replaced once
	sentAt    time.Time     // the newest send
	failedAt  time.Time     // its end
	verdict   llm.Verdict   // of the newest failure
	failure   error
	usage     usage
	received  *received // the last attempt's answer, if it came in whole
	refused   *received // the newest error answer of any attempt
	declined  *received // an answer in which the model refused

	// Of the answer.
	err        error         // what the call failed with
	committed  bool          // the client has been sent a part
	broken     bool          // the client must see that the answer is not complete
	gone       bool          // the client takes no more
	stopped    bool          // the gateway itself gave up, because it stops
	firstToken time.Duration // 0 when there was none
	status     int           // sent to the client; 0 when nothing was
	sent       int64
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
	if err := watch.aside(func() error { return e.send(head) }); err != nil {
		return err
	}
	buffer := make([]byte, 64<<10)
	for {
		watch.expect(&idle)
		n, err := resp.Body.Read(buffer)
		if sendErr := watch.aside(func() error { return e.flush(buffer[:n]) }); sendErr != nil {
			return sendErr
		}
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
	control := http.NewResponseController(e.w)
	for part := range slices.Chunk(piece, sendPiece) {
		_ = control.SetWriteDeadline(time.Now().Add(e.gateway.limits.Client))
		n, err := e.w.Write(part)
		e.sent += int64(n)
		if err != nil {
			return e.lost(err)
		}
	}
	return nil
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

func mediaType(h http.Header) string {
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return kind
}

// isEncoded reports whether a body is compressed, although that was not asked for.
func isEncoded(h http.Header) bool {
	encoding := h.Get("Content-Encoding")
	return encoding != "" && encoding != "identity"
}

func isEventStream(h http.Header) bool { return mediaType(h) == "text/event-stream" }
