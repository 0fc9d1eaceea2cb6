package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
	"github.com/trysail-go/trysail/trysailhttp"
)

// An exchange is one request of a client with all its attempts.
type exchange struct {
	gateway *Gateway
	w       http.ResponseWriter
	started time.Time
	id      string

	// Of the request.
	operation *trysail.Operation
	request   *http.Request // as the provider gets it
	body      []byte
	protocol  llm.Protocol
	model     string
	streamed  bool
	choices   int // answers asked for; 0 means one

	// Of the attempts.
	attempts  int
	redialled bool // a dead connection has been replaced once
	timeouts  int
	received  *received // the last attempt's answer, if it came in whole
	refused   *received // the newest error answer of any attempt

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

// attempt sends the request once. A stream is passed on to the client as soon as it
// has begun; every other answer is kept until the call has ended.
func (e *exchange) attempt(ctx context.Context) (struct{}, error) {
	e.attempts++
	e.received = nil
	watch := watch(ctx, e.firstLimit())
	defer watch.stop()
	resp, err := e.roundTrip(watch.ctx)
	if err != nil {
		return struct{}{}, e.judge(watch, trysailhttp.Mark(err))
	}
	defer resp.Body.Close() //nolint:errcheck // nothing can be done, and nothing is lost
	switch {
	case resp.StatusCode < http.StatusOK || resp.StatusCode > 599:
		err = badAnswer{fmt.Sprintf("the status %03d", resp.StatusCode)}
	case resp.StatusCode >= http.StatusBadRequest:
		return struct{}{}, e.takeError(resp, watch) // its status decides, whatever happens to its body
	case isEncoded(resp.Header):
		err = e.passOn(resp, watch, nil) // asked for or not: it cannot be looked into
	case isEventStream(resp.Header):
		err = e.takeStream(resp, watch)
	default:
		err = e.takePlain(resp, watch)
	}
	return struct{}{}, e.judge(watch, err)
}

// firstLimit is how long the provider may take until something useful has come.
func (e *exchange) firstLimit() timeoutError {
	if e.streamed {
		return timeoutError{"the first token", e.gateway.limits.FirstToken}
	}
	return timeoutError{"the answer", e.gateway.limits.Plain}
}

// idleLimit is how long the provider may pause in the middle of an answer.
func (e *exchange) idleLimit() timeoutError {
	return timeoutError{"anything but keep-alives", e.gateway.limits.Idle}
}

// outgoing returns the request for the next attempt.
func (e *exchange) outgoing(ctx context.Context) *http.Request {
	req := e.request.WithContext(ctx)
	if len(e.body) > 0 {
		req.Body = io.NopCloser(bytes.NewReader(e.body))
	}
	if e.gateway.simulated {
		req.Header = req.Header.Clone()
		req.Header.Set(attemptHeader, strconv.Itoa(e.attempts))
	}
	return req
}

// judge says what an attempt's error means for the next one.
func (e *exchange) judge(watch *watchdog, err error) error {
	if err == nil {
		return nil
	}
	var late timeoutError
	if errors.As(context.Cause(watch.ctx), &late) {
		err = late
		e.timeouts++
	}
	// Who waited in vain twice should not be made to wait a third time.
	if e.committed || e.timeouts > 1 {
		return trysail.Committed(err)
	}
	return err
}

// roundTrip sends the request. A kept-alive connection that turns out to be dead costs one more try on a
// fresh one: AI providers close idle connections often, and nothing else is wrong then. net/http would do
// this by itself for a request marked as replayable, but on every idle connection in turn.
func (e *exchange) roundTrip(ctx context.Context) (*http.Response, error) {
	var reused, answered bool
	trace := &httptrace.ClientTrace{
		GotConn:              func(info httptrace.GotConnInfo) { reused = info.Reused },
		GotFirstResponseByte: func() { answered = true },
	}
	resp, err := e.gateway.transport.RoundTrip(e.outgoing(httptrace.WithClientTrace(ctx, trace)))
	stale := errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
	if err == nil || !stale || !reused || answered || e.redialled || ctx.Err() != nil {
		return resp, err
	}
	e.redialled = true
	e.attempts++ // the provider may have seen both
	if idle, ok := e.gateway.transport.(interface{ CloseIdleConnections() }); ok {
		idle.CloseIdleConnections()
	}
	return e.gateway.transport.RoundTrip(e.outgoing(ctx))
}

// takeError keeps an error answer, so that it can be passed on if it is the last.
func (e *exchange) takeError(resp *http.Response, watch *watchdog) error {
	watch.expect(&timeoutError{"the body of an error", errorBodyLimit})
	// Where the body breaks off, the status still tells more than "unreachable".
	body, _ := io.ReadAll(io.LimitReader(resp.Body, e.gateway.limits.Answer))
	e.received = &received{resp.StatusCode, resp.Header, body}
	e.refused = e.received
	return trysailhttp.FromResponse(resp)
}

// takePlain reads an answer that is no stream. It is not sent before it is
// complete, so that an attempt that breaks off can be repeated; only an answer over the
// limit is passed on as it comes.
func (e *exchange) takePlain(resp *http.Response, watch *watchdog) error {
	if kind := mediaType(resp.Header); kind == "text/html" {
		return badAnswer{"an HTML page where an answer was expected"}
	}
	body, err := e.readAnswer(resp)
	switch {
	case err != nil:
		return fmt.Errorf("read the provider's answer: %w", err)
	case int64(len(body)) > e.gateway.limits.Answer:
		return e.passOn(resp, watch, body)
	case e.mustBeJSON(resp) && !json.Valid(body):
		return badAnswer{"an answer that is not JSON"}
	}
	if e.protocol == llm.OpenAIChat {
		if err := llm.ErrorInside(body); err != nil {
			return classed(err)
		}
	}
	e.received = &received{resp.StatusCode, resp.Header, body}
	return nil
}

// readAnswer reads up to one byte over the limit.
func (e *exchange) readAnswer(resp *http.Response) ([]byte, error) {
	var body bytes.Buffer
	body.Grow(int(min(max(resp.ContentLength, 0), firstBuffer)) + bytes.MinRead)
	_, err := body.ReadFrom(io.LimitReader(resp.Body, e.gateway.limits.Answer+1))
	return body.Bytes(), err
}

// mustBeJSON reports whether an answer that is not JSON is a failure.
func (e *exchange) mustBeJSON(resp *http.Response) bool {
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusCreated || e.request.Method == http.MethodHead {
		return false
	}
	return e.protocol != llm.OtherEvents || isJSON(resp.Header.Get("Content-Type"))
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
