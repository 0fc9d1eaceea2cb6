package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// A client asks one server. It comes from [connection.open].
type client struct {
	server  *url.URL
	key     apiKey
	timeout time.Duration
	http    *http.Client
}

// A request is what a client asks for.
type request struct {
	method string
	path   string // the whole path, escaped
	query  url.Values
	body   []byte // JSON; nil: none
}

// errSilent is why a request ends when the server says nothing for too long.
var errSilent = errors.New("the server says nothing")

// newClient returns a client that follows no redirect: the key is for the server that was named, and a POST must not become a GET.
func newClient(server *url.URL, key apiKey, timeout time.Duration) *client {
	return &client{server: server, key: key, timeout: timeout, http: &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// do sends a request and returns the answer, if it is a good one. The answer's body must be closed. From the beginning to its end the
// server may be silent for the client's timeout at most.
func (c *client) do(ctx context.Context, r request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	silence := time.AfterFunc(c.timeout, func() { cancel(errSilent) })
	resp, err := c.send(ctx, r)
	if err != nil {
		silence.Stop()
		err = c.explain(ctx, r, err)
		cancel(nil)
		return nil, err
	}
	resp.Body = &heard{ReadCloser: resp.Body, ctx: ctx, cancel: cancel, silence: silence, client: c, request: r}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		defer func() { _ = resp.Body.Close() }()
		return nil, c.refusal(r, resp)
	}
	return resp, nil
}

func (c *client) send(ctx context.Context, r request) (*http.Response, error) {
	target := c.server.String() + r.path
	if len(r.query) > 0 {
		target += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, target, strings.NewReader(string(r.body)))
	if err != nil {
		return nil, err //nolint:wrapcheck // explain does
	}
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.key.text != "" {
		req.Header.Set("Authorization", "Bearer "+c.key.text)
	}
	req.Header.Set("User-Agent", "trysail/"+versionText())
	return c.http.Do(req) //nolint:wrapcheck // explain does
}

// maxRead bounds the answers that are read whole.
const maxRead = 64 << 20

// read sends a request and returns the JSON that is the answer, as the server wrote it.
func (c *client) read(ctx context.Context, r request) ([]byte, error) {
	resp, err := c.do(ctx, r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	return wholeJSON(r, resp)
}

// wholeJSON reads an answer that must be JSON.
func wholeJSON(r request, resp *http.Response) ([]byte, error) {
	if !isJSON(resp.Header) {
		return nil, fmt.Errorf("%s %s: the answer is %q, want JSON: is that a Trysail server?", r.method, r.path, resp.Header.Get("Content-Type"))
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxRead+1))
	if err != nil {
		return nil, err //nolint:wrapcheck // heard has explained it
	}
	if len(text) > maxRead {
		return nil, fmt.Errorf("%s %s: the answer has more than %d MiB; trysail api get --output raw writes it as it comes", r.method, r.path, maxRead>>20)
	}
	return text, nil
}

// heard is the body of an answer, whose every piece shows that the server is still there.
type heard struct {
	io.ReadCloser
	ctx     context.Context //nolint:containedctx // it is the request's
	cancel  context.CancelCauseFunc
	silence *time.Timer
	client  *client
	request request
}

// Read implements [io.Reader].
func (h *heard) Read(p []byte) (int, error) {
	n, err := h.ReadCloser.Read(p)
	if n > 0 && h.ctx.Err() == nil {
		h.silence.Reset(h.client.timeout)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = h.client.explain(h.ctx, h.request, err)
	}
	return n, err //nolint:wrapcheck // explained
}

// Close implements [io.Closer].
func (h *heard) Close() error {
	h.silence.Stop()
	h.cancel(nil)
	return h.ReadCloser.Close() //nolint:wrapcheck // nobody looks
}
