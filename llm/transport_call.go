package llm

import (
	"bytes"
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

	mu   sync.Mutex // guards what follows
	seen Exchange   // of the newest answer
	over bool
}

// An answer is a response that is closed when another attempt was faster.
type answer struct {
	*http.Response
	stream *Stream // nil unless the response is one
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
	resp, err := c.transport.base().RoundTrip(r) //nolint:bodyclose // the caller gets the body
	if err != nil {
		return answer{}, c.judge(err)
	}
	c.note(resp)
	protocol := ProtocolOf(r.URL.Path, resp.Header.Get("Content-Type"))
	switch {
	case resp.StatusCode >= http.StatusBadRequest:
		return c.refused(resp)
	case resp.StatusCode/100 != 2:
		return answer{Response: resp}, nil // a redirection; or a WebSocket, whose body has no end
	case protocol == OtherEvents && !streams(resp), resp.Header.Get("Content-Encoding") != "":
		return answer{Response: resp}, nil // a file, a list of models; or the client decompresses by itself
	case streams(resp), protocol == GeminiArray:
		return c.open(ctx, resp, protocol)
	default:
		return c.whole(resp, protocol)
	}
}

// streams reports whether the answer is a stream.
func streams(resp *http.Response) bool {
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return kind == "text/event-stream" || kind == "application/x-ndjson"
}

// judge marks an error with what it means. A request that cannot be sent again is not.
func (c *call) judge(err error) error {
	if err == nil {
		return nil
	}
	return c.mark(ClassifyError(c.request.Context(), c.provider, err), err)
}

func (c *call) mark(v Verdict, err error) error {
	if !c.request.repeatable() {
		v = v.Committed()
	}
	return v.Mark(err)
}

// refused takes an answer with an error status.
func (c *call) refused(resp *http.Response) (answer, error) {
	body, err := keep(resp)
	if err != nil {
		return answer{}, c.judge(fmt.Errorf("read the answer with status %d: %w", resp.StatusCode, err))
	}
	v := Classify(Response{Provider: c.provider, Status: resp.StatusCode, Header: resp.Header, Body: body})
	return answer{Response: resp}, c.mark(v, &trysailhttp.StatusError{Status: resp.StatusCode, After: v.Delay})
}

// keep reads the body of an answer into memory, and returns it. Of one that is too long the rest
// stays where it is.
func keep(resp *http.Response) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		_ = resp.Body.Close() // the error says more
		return nil, err
	case len(body) > maxAnswer:
		resp.Body = readCloser{io.MultiReader(bytes.NewReader(body), resp.Body), resp.Body}
	default:
		_ = resp.Body.Close() // everything has been read
		resp.Body = io.NopCloser(bytes.NewReader(body))
	}
	return body, nil
}

// whole takes a plain answer with a good status, which may hold an error nevertheless.
func (c *call) whole(resp *http.Response, protocol Protocol) (answer, error) {
	body, err := keep(resp)
	if err != nil {
		return answer{}, c.judge(fmt.Errorf("read the answer: %w", err))
	}
	if err := c.readable(resp, protocol, body); err != nil {
		return answer{}, c.judge(err)
	}
	c.used(UsageOf(protocol, body))
	v := Classify(Response{Provider: c.provider, Status: resp.StatusCode, Header: resp.Header, Body: body})
	if !v.Failed {
		return answer{Response: resp}, nil
	}
	inside := ErrorInside(body)
	if inside == nil { // it was refused, or the model broke off: that is the caller's to read
		return answer{Response: resp}, c.mark(v, &AnswerError{v})
	}
	resp.StatusCode, resp.Status = v.status(), statusText(v.status())
	return answer{Response: resp}, c.mark(v, inside)
}

// readable returns an error for an answer that an SDK cannot read: a web page, or less than one
// document of JSON. To some SDKs a web page in place of a stream is an empty answer, and no error.
func (c *call) readable(resp *http.Response, protocol Protocol, body []byte) error {
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if resp.StatusCode != http.StatusOK || c.request.Method != http.MethodPost || len(body) > maxAnswer ||
		kind != "text/html" && kind != "application/json" {
		return nil
	}
	s := scanner{data: body}
	s.skip()
	if !s.bad && (s.end() || protocol == OllamaLines) { // which may have several
		return nil
	}
	return fmt.Errorf("%w: %d bytes of %s", ErrNotJSON, len(body), kind)
}

// open takes a stream, up to its first token.
func (c *call) open(ctx context.Context, resp *http.Response, protocol Protocol) (answer, error) {
	stream := NewStream(resp.Body, StreamConfig{
		Protocol: protocol, Choices: c.request.Choices,
		FirstToken: c.transport.FirstToken, Idle: c.transport.Idle,
	})
	err := stream.Begin(ctx)
	if err == nil {
		c.started()
		resp.Body, resp.ContentLength = &observed{stream, c}, -1
		return answer{resp, stream}, nil
	}
	var inside *InBandError
	if !errors.As(err, &inside) {
		return answer{}, c.judge(err)
	}
	v := Classify(Response{Provider: c.provider, Status: resp.StatusCode, Header: resp.Header, Body: inside.Frame, Stream: true})
	failed := errorOf(resp, v, inside.document(protocol)) //nolint:bodyclose // the caller gets the body
	return answer{Response: failed}, c.mark(v, err)
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

// errorOf makes an answer with an error status of a document that tells an error, so that an SDK
// can make its own error of it.
func errorOf(resp *http.Response, v Verdict, document []byte) *http.Response {
	header := resp.Header.Clone()
	header.Set("Content-Type", "application/json")
	header.Del("Content-Length")
	return &http.Response{
		StatusCode: v.status(), Status: statusText(v.status()), Proto: resp.Proto, ProtoMajor: resp.ProtoMajor, ProtoMinor: resp.ProtoMinor,
		Header: header, Body: io.NopCloser(bytes.NewReader(document)), ContentLength: int64(len(document)), Request: resp.Request,
	}
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
	c.request.close()
	err = c.end(err)
	switch {
	case a.Response == nil:
		return nil, err
	case c.request.Context().Err() != nil:
		_ = a.Body.Close() // the caller has left
		return nil, err
	}
	if a.Header == nil {
		a.Header = http.Header{}
	}
	if a.StatusCode >= http.StatusBadRequest {
		a.Header.Set("X-Should-Retry", "false")
	}
	return a.Response, nil
}

// An AnswerError is an answer in good order that is a failure: its content was refused, or the
// model broke off.
type AnswerError struct{ Verdict Verdict }

// Error says why.
func (e *AnswerError) Error() string {
	return "the provider's answer is a failure: " + e.Verdict.Reason
}
