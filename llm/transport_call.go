package llm

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/trysailhttp"
)

// maxAnswer is how long a plain answer may be that is read to its end before the caller gets it.
const maxAnswer = 32 << 20

// A call is one request with its attempts.
type call struct {
	transport   *Transport
	request     *request
	op          *trysail.Operation
	provider    Provider
	began       time.Time
	attempts    atomic.Int64 // hedges are sent at the same time
	reservation *trysail.Reservation

	prompt int64 // tokens of the request, as estimated; 0 without a reservation

	mu      sync.Mutex // guards what follows, and the sightings
	seen    *sighting  // of the newest answer, or the one that the caller gets; may be nil
	settled bool       // it is the latter
	over    bool
	since   time.Time // when the reader of a stream began to wait; zero if it does not
}

// An answer is a response that is closed when another attempt was faster.
type answer struct {
	*http.Response
	stream *Stream   // nil unless the response is one
	coming bool      // the body is not read: it still comes from the network
	seen   *sighting // may be nil
}

// Close gives the connection back.
func (a answer) Close() error {
	if a.Response == nil {
		return nil
	}
	return a.Body.Close()
}

// attempt sends the request once. Beside an error there may be an answer that tells it.
func (c *call) attempt(ctx context.Context) (answer, error) {
	r := c.request.build(ctx, c.transport.AttemptHeader, c.attempts.Add(1))
	resp, err := c.transport.base().RoundTrip(r) //nolint:bodyclose // each way closes it or hands it on
	switch {
	case err != nil:
		return answer{}, c.judge(err)
	case resp == nil:
		return answer{}, c.judge(trysail.Permanent(errNoResponse))
	case resp.Body == nil:
		resp.Body = http.NoBody
	}
	if resp.Header == nil {
		resp.Header = http.Header{}
	}
	a := answer{Response: resp, seen: c.note(resp)}
	if resp.StatusCode >= http.StatusBadRequest {
		return c.refused(ctx, a)
	}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	protocol := ProtocolOf(r.URL.Path, kind)
	switch {
	case resp.StatusCode == http.StatusSwitchingProtocols:
		return a, nil // what comes is no answer any more
	case resp.StatusCode/100 != 2:
		a.coming = true // a redirection
		return a, nil
	case resp.Header.Get("Content-Encoding") != "":
		a.coming = true // the client decompresses by itself
		return a, nil
	case streams(kind, protocol):
		return c.open(ctx, a, protocol)
	case protocol == OtherEvents && kind != "application/json":
		a.coming = true // a file, or something that is not known
		return a, nil
	default:
		return c.whole(a, protocol)
	}
}

// errNoResponse tells of a Base that breaks the rules of [http.RoundTripper].
var errNoResponse = errors.New("llm.Transport: Base returned neither an answer nor an error")

// streams reports whether an answer of that content type is a stream that can be read.
func streams(kind string, protocol Protocol) bool {
	return kind == "text/event-stream" || kind == "application/x-ndjson" && protocol == OllamaLines || protocol == GeminiArray
}

// judge marks an error with what it means. A request that cannot be sent again is not.
func (c *call) judge(err error) error {
	if err == nil {
		return nil
	}
	v := ClassifyError(c.request.Context(), c.provider, err)
	return c.mark(c.transport.Resend.apply(v, c.request.Method), err)
}

func (c *call) mark(v Verdict, err error) error {
	if !c.request.repeatable() {
		v = v.Committed()
	}
	return v.Mark(err)
}

// refused takes an answer with an error status. One whose body breaks off tells its status nevertheless.
func (c *call) refused(ctx context.Context, a answer) (answer, error) {
	body, err := readUpTo(maxAnswer, a.Body, a.ContentLength)
	_ = a.Body.Close() // the rest, if any, is of no use
	if err != nil && ctx.Err() != nil {
		return answer{}, c.judge(fmt.Errorf("read the answer with status %d: %w", a.StatusCode, err))
	}
	a.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), broken{cmp.Or(err, io.EOF)}))
	v := Classify(Response{Provider: c.provider, Status: a.StatusCode, Header: a.Header, Body: body})
	return a, c.mark(v, &trysailhttp.StatusError{Status: a.StatusCode, After: v.Delay})
}

// broken is a reader that fails as the connection did.
type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

// whole takes a plain answer with a good status. It may hold an error nevertheless, if it is the answer of a
// model; the failed job that one asks about is a good answer.
func (c *call) whole(a answer, protocol Protocol) (answer, error) {
	body, err := readUpTo(maxAnswer+1, a.Body, a.ContentLength)
	switch {
	case err != nil:
		_ = a.Body.Close() // the error says more
		return answer{}, c.judge(fmt.Errorf("read the answer: %w", err))
	case len(body) > maxAnswer:
		a.Body = readCloser{io.MultiReader(bytes.NewReader(body), a.Body), a.Body}
		a.coming = true
		return a, nil
	}
	_ = a.Body.Close() // everything has been read
	a.Body = io.NopCloser(bytes.NewReader(body))
	if c.request.Method != http.MethodPost || a.StatusCode != http.StatusOK {
		return a, nil
	}
	known := protocol != OtherEvents
	if !known {
		protocol = OpenAIChat // for the usage of embeddings and the like
	}
	i := Inspector{Protocol: protocol}
	_ = i.see(Event{Data: body})
	c.told(a.seen, i.progress)
	if !known {
		return a, nil
	}
	if err = c.inside(a, body, i.progress.Err); errors.Is(err, errNoAnswer) {
		a = answer{} // to some SDKs a web page in place of a stream is an empty answer, and no error
	}
	return a, err
}

// inside returns the failure that a model's answer holds, nil if it holds none. read is what the
// inspector found wrong with it.
func (c *call) inside(a answer, body []byte, read error) error {
	v := Classify(Response{Provider: c.provider, Status: a.StatusCode, Header: a.Header, Body: body})
	var inside *InBandError
	kind, _, _ := mime.ParseMediaType(a.Header.Get("Content-Type"))
	switch found := errors.As(read, &inside); {
	case !v.Failed && kind != "text/html" && kind != "application/json":
		return nil // a form that is not known
	case !v.Failed && (errors.Is(read, ErrNotJSON) || len(body) == 0):
		return c.judge(errNoAnswer) // a proxy's page, or the begin of an answer whose connection was closed
	case !v.Failed:
		return nil
	case !found && !errors.As(ErrorInside(body), &inside):
		return c.mark(v, &AnswerError{v}) // refused, or the model broke off: that is the caller's to read
	}
	a.StatusCode, a.Status = v.status(), statusText(v.status())
	return c.mark(v, inside)
}

// errNoAnswer tells of an answer with a good status that is not one.
var errNoAnswer = fmt.Errorf("%w, or not complete", ErrNotJSON)

// open takes a stream, up to its first token.
func (c *call) open(ctx context.Context, a answer, protocol Protocol) (answer, error) {
	stream := NewStream(a.Body, StreamConfig{
		Protocol: protocol, Choices: c.request.Choices,
		FirstToken: c.transport.FirstToken, Idle: c.transport.Idle,
	})
	err := stream.Begin(ctx)
	if err == nil {
		c.started(a.seen)
		a.Body, a.stream, a.ContentLength = stream, stream, -1
		if v, bad := stream.ending(); bad && v.Retryable {
			return c.slip(a, v)
		}
		return a, nil
	}
	var inside *InBandError
	if !errors.As(err, &inside) {
		return answer{}, c.judge(err)
	}
	v := inside.judge(Response{Provider: c.provider, Status: a.StatusCode, Header: a.Header})
	becomeError(a.Response, v, inside.document(protocol))
	return a, c.mark(v, err)
}

// slip takes a stream that is over before its reader has seen any of it, because the model broke off. It is tried
// again as a plain answer would be; the last one is the caller's to read.
func (c *call) slip(a answer, v Verdict) (answer, error) {
	rest, err := readUpTo(maxAnswer, a.stream, -1)
	c.told(a.seen, a.stream.Progress())
	_ = a.stream.Close() // it has ended
	a.Body = io.NopCloser(io.MultiReader(bytes.NewReader(rest), broken{cmp.Or(err, io.EOF)}))
	a.stream = nil
	return a, c.mark(v, &AnswerError{v})
}

// document returns the error as its provider tells it without a stream.
func (e *InBandError) document(protocol Protocol) []byte {
	if protocol != OpenAIResponses {
		return e.Frame // it has that form already
	}
	// The events "error" and "response.failed" have another (openai-go v3.96.0, responses/response.go).
	kind := e.Type
	if kind == "error" || kind == "response.failed" { // the event's
		kind = ""
	}
	type fields struct {
		Message string `json:"message"`
		Type    string `json:"type"`
		Code    string `json:"code"`
	}
	document, err := json.Marshal(map[string]fields{"error": {e.Message, kind, e.Code}})
	if err != nil { // texts always encode
		return e.Frame
	}
	return document
}

// becomeError makes an answer with an error status of a stream that told an error in its first
// frame, so that an SDK can make its own error of it.
func becomeError(resp *http.Response, v Verdict, frame []byte) {
	resp.StatusCode, resp.Status = v.status(), statusText(v.status())
	resp.Header = resp.Header.Clone()
	resp.Header.Set("Content-Type", "application/json")
	resp.Header.Del("Content-Length")
	resp.TransferEncoding, resp.Trailer = nil, nil
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(frame)), int64(len(frame))
}

// status returns the status of an answer with that verdict.
func (v Verdict) status() int {
	switch {
	case v.Status >= http.StatusBadRequest:
		return v.Status
	case v.Class == trysail.ClassRateLimited, v.Class == trysail.ClassQuotaExhausted:
		return http.StatusTooManyRequests
	case v.Class == trysail.ClassOverloaded && v.Reason == "overloaded_error": // Anthropic's
		return 529
	case v.Class == trysail.ClassOverloaded:
		return http.StatusServiceUnavailable
	case v.Class == trysail.ClassTransient:
		return http.StatusBadGateway
	case v.Scope == ScopeAccount:
		return http.StatusUnauthorized
	case v.Scope == ScopeTarget:
		return http.StatusNotFound
	default:
		return http.StatusBadRequest
	}
}

func statusText(code int) string { return fmt.Sprintf("%d %s", code, http.StatusText(code)) }

// failed returns what the caller gets of a call that failed: the provider's last answer if there is one.
func (c *call) failed(a answer, err error) (*http.Response, error) {
	if a.Response != nil {
		c.settleOn(a.seen)
	}
	err = c.giveUp(err)
	switch {
	case a.Response == nil:
		return nil, err
	case a.stream != nil || a.coming || c.request.Context().Err() != nil:
		_ = a.Close() // it came too late, or the caller has left
		return nil, err
	}
	if a.StatusCode >= http.StatusBadRequest {
		a.Header.Set("X-Should-Retry", "false")
	}
	a.Request = c.request.caller
	return a.Response, nil
}

// An AnswerError is an answer in good order that is a failure: its content was refused, or the
// model broke off.
type AnswerError struct{ Verdict Verdict }

// Error says why.
func (e *AnswerError) Error() string {
	return "the provider's answer is a failure: " + e.Verdict.Reason
}
