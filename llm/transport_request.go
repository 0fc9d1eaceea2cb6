package llm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// maxRequest is how much of a request is kept, so that it can be sent again.
const maxRequest = 32 << 20

// A request is what a caller wants sent, and what its body says about itself.
type request struct {
	*http.Request // a copy: a hedge that has lost may look at it after the caller has got it back

	caller *http.Request
	body   []byte
	rest   io.ReadCloser // what is over maxRequest; nil if nothing is

	Model     string
	Choices   int   // answers that are asked for; 0 if not said
	MaxOutput int64 // tokens that the answer may have; 0 if not said
}

// readRequest reads the body of a request, which is closed then. Beside an error, too, there is a
// request: all but its body.
func readRequest(r *http.Request) (*request, error) {
	q := &request{Request: r.Clone(r.Context()), caller: r}
	var err error
	if r.Body != nil && r.Body != http.NoBody {
		err = q.read(r.Body)
	}
	q.inspect()
	return q, err
}

// read takes the body in. A caller who leaves meanwhile does not wait for it.
func (q *request) read(body io.ReadCloser) error {
	ctx := q.Context()
	if q.GetBody == nil { // otherwise it is memory
		unlink := context.AfterFunc(ctx, func() { _ = body.Close() })
		defer unlink()
	}
	data, err := readUpTo(maxRequest+1, body, q.ContentLength)
	if err != nil {
		err = errors.Join(fmt.Errorf("read the request's body: %w", err), body.Close())
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return err
	}
	q.body = data
	if len(data) > maxRequest {
		q.rest = &closedOnce{Reader: body, closeBody: sync.OnceValue(body.Close)}
		return nil
	}
	_ = body.Close() // everything has been read
	return nil
}

// closedOnce is a body that both the network and the call may close.
type closedOnce struct {
	io.Reader
	closeBody func() error
}

// Close closes it the first time.
func (c *closedOnce) Close() error { return c.closeBody() }

// readUpTo reads limit bytes at most. expected is how many there are said to be; negative
// if that is not known.
func readUpTo(limit int64, r io.Reader, expected int64) ([]byte, error) {
	const trusted = 1 << 20 // what nobody has sent yet costs no more memory than this
	var buffer bytes.Buffer
	buffer.Grow(int(min(max(expected, 0), trusted, limit)) + bytes.MinRead)
	_, err := buffer.ReadFrom(io.LimitReader(r, limit))
	return buffer.Bytes(), err
}

// inspect finds out what the request asks for. What cannot be read is left out.
func (q *request) inspect() {
	if s := (scanner{data: q.body}); q.rest == nil && s.peek() == '{' {
		q.readFields(&s)
	}
	if q.Model == "" {
		q.Model = modelIn(q.URL.Path)
	}
}

// readFields reads an object of the request. Of those inside it only the ones that hold what the others
// have at the top are looked at: generationConfig is Gemini's, inferenceConfig Bedrock's, options Ollama's.
func (q *request) readFields(s *scanner) {
	for key := range s.members {
		switch string(key) {
		case "model":
			q.Model = unquote(s.text())
		case "n", "candidateCount", "candidate_count":
			q.Choices = int(min(max(s.number(), 0), maxChoices))
		case "max_tokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens", "maxTokens", "num_predict":
			q.MaxOutput = max(q.MaxOutput, s.number())
		case "generationConfig", "generation_config", "inferenceConfig", "options":
			q.readFields(s)
		default:
			s.skip()
		}
	}
}

// modelIn returns the model that a path names: Gemini's …/models/NAME:generateContent, Azure's
// …/deployments/NAME/chat/completions, Bedrock's /model/NAME/converse.
func modelIn(path string) string {
	if _, name, ok := strings.Cut(path, "/deployments/"); ok {
		name, _, _ = strings.Cut(name, "/")
		return name
	}
	if name, ok := strings.CutPrefix(path, "/model/"); ok {
		return name[:max(strings.LastIndexByte(name, '/'), 0)] // the name of a profile has slashes
	}
	_, name, ok := strings.Cut(path, "/models/")
	if !ok {
		_, name, _ = strings.Cut(path, "/tunedModels/")
	}
	if colon := strings.LastIndexByte(name, ':'); colon >= 0 {
		name = name[:colon]
	}
	return name
}

// repeatable reports whether the request can be sent more than once.
func (q *request) repeatable() bool { return q.rest == nil }

// build returns the request of an attempt, which ends with ctx.
func (q *request) build(ctx context.Context, header string, number int64) *http.Request {
	r := q.Clone(ctx)
	if r.Header == nil {
		r.Header = http.Header{}
	}
	if header != "" {
		r.Header.Set(header, strconv.FormatInt(number, 10))
	}
	// A POST with this key, which is not sent, counts as one that may be repeated: net/http then mends
	// by itself a connection that the server had closed while it was idle (Go 1.26, net/http/transfer.go).
	if _, ok := r.Header["Idempotency-Key"]; !ok && q.repeatable() {
		r.Header["Idempotency-Key"] = nil
	}
	switch {
	case q.rest != nil:
		r.Body = readCloser{io.MultiReader(bytes.NewReader(q.body), q.rest), q.rest}
	case len(q.body) > 0:
		r.Body = io.NopCloser(bytes.NewReader(q.body))
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(q.body)), nil }
		r.ContentLength = int64(len(q.body))
	case r.Body != nil: // it was empty, and has been closed
		r.Body, r.GetBody, r.ContentLength = http.NoBody, nil, 0
	}
	return r
}

// readCloser reads from one and closes another.
type readCloser struct {
	io.Reader
	io.Closer
}

// close gives up what has not been sent.
func (q *request) close() {
	if q.rest != nil {
		_ = q.rest.Close() // nobody waits for it any more
	}
}
