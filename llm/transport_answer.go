package llm

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/trysail-go/trysail/trysailhttp"
)

// maxAnswer is how long a plain answer may be that is read to its end before the caller gets it.
const maxAnswer = 32 << 20

// errorBodyLimit is how long the body of an error may take. Its status has said the most.
const errorBodyLimit = 10 * time.Second

// refused takes an answer with an error status. One whose body breaks off tells its status nevertheless.
func (c *call) refused(ctx context.Context, a answer) (answer, error) {
	closing := sync.OnceValue(a.Body.Close)
	late := time.AfterFunc(errorBodyLimit, func() { _ = closing() })
	body, err := readUpTo(maxAnswer, a.Body, a.ContentLength)
	late.Stop()
	_ = closing() // the rest, if any, is of no use
	if err != nil && ctx.Err() != nil {
		return answer{}, c.judge(fmt.Errorf("read the answer with status %d: %w", a.StatusCode, err))
	}
	a.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), broken{cmp.Or(err, io.EOF)}))
	v := Classify(Response{Provider: c.provider, Status: a.StatusCode, Header: a.Header, Body: readable(body, a.Header)})
	return a, c.mark(v, &trysailhttp.StatusError{Status: a.StatusCode, After: v.Delay})
}

// encoding returns how a body is compressed, "" if it is not.
func encoding(h http.Header) string {
	name := strings.ToLower(strings.TrimSpace(h.Get("Content-Encoding")))
	if name == "identity" {
		return ""
	}
	return name
}

// readable returns what [Classify] looks at of a body. net/http decompresses what it has asked for itself; a client that
// asks for gzip gets it as it comes, but a quota must not look like a rate for that.
func readable(body []byte, h http.Header) []byte {
	if name := encoding(h); name != "gzip" && name != "x-gzip" {
		return body
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return body
	}
	text, _ := io.ReadAll(io.LimitReader(z, MaxBody)) // what is broken later has a begin
	return text
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
	known := protocol != OtherEvents || isConverse(c.request.URL.Path)
	if protocol == OtherEvents {
		protocol = OpenAIChat // for the usage of embeddings, of Bedrock and the like
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

// isConverse reports whether a path is that of a plain answer of Bedrock, /model/NAME/converse.
func isConverse(path string) bool {
	return strings.HasPrefix(path, "/model/") && strings.HasSuffix(path, "/converse")
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
