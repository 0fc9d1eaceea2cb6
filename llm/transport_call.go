package llm

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/trysail-go/trysail"
)

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
	case encoding(resp.Header) != "":
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
