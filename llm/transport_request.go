package llm

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// maxRequest is how much of a request is kept, so that it can be sent again.
const maxRequest = 32 << 20

// A request is what a caller wants sent, and what its body says about itself.
type request struct {
	*http.Request
	body []byte
	rest io.ReadCloser // what is over maxRequest; nil if nothing is

	Model     string
	Choices   int   // answers that are asked for; 0 if not said
	MaxOutput int64 // tokens that the answer may have; 0 if not said
}

// readRequest reads the body of a request, which is closed then.
func readRequest(r *http.Request) (*request, error) {
	q := &request{Request: r}
	if r.Body != nil && r.Body != http.NoBody {
		var err error
		if q.body, err = io.ReadAll(io.LimitReader(r.Body, maxRequest+1)); err != nil {
			return nil, errors.Join(fmt.Errorf("read the request's body: %w", err), r.Body.Close())
		}
		if len(q.body) > maxRequest {
			q.rest = r.Body
		} else {
			_ = r.Body.Close() // everything has been read
		}
	}
	q.inspect()
	return q, nil
}

// inspect finds out what the request asks for. What cannot be read is left out.
func (q *request) inspect() {
	var fields struct {
		Model               string `json:"model"`
		N                   int    `json:"n"`
		MaxTokens           int64  `json:"max_tokens"`
		MaxCompletionTokens int64  `json:"max_completion_tokens"`
		MaxOutputTokens     int64  `json:"max_output_tokens"`
		GenerationConfig    struct {
			CandidateCount  int   `json:"candidateCount"`
			MaxOutputTokens int64 `json:"maxOutputTokens"`
		} `json:"generationConfig"`
	}
	if q.rest == nil && len(q.body) > 0 {
		_ = json.Unmarshal(q.body, &fields) // a field of another type is one that is not said
	}
	q.Model = cmp.Or(fields.Model, modelIn(q.URL.Path))
	q.Choices = max(fields.N, fields.GenerationConfig.CandidateCount)
	q.MaxOutput = max(fields.MaxTokens, fields.MaxCompletionTokens, fields.MaxOutputTokens, fields.GenerationConfig.MaxOutputTokens)
}

// modelIn returns the model that a path names, as Gemini's do: …/models/NAME:generateContent.
func modelIn(path string) string {
	_, name, ok := strings.Cut(path, "/models/")
	if !ok {
		return ""
	}
	name, _, _ = strings.Cut(name, ":")
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
