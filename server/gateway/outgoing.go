package gateway

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// An outgoing is a request as a target gets it.
type outgoing struct {
	*http.Request // without a body
	body          []byte
	marked        bool // its headers have been sent once
}

// request returns the request of the next send.
func (o *outgoing) request(ctx context.Context, attempt int, t *target) *http.Request {
	r := o.WithContext(ctx)
	if len(o.body) > 0 {
		r.Body = io.NopCloser(bytes.NewReader(o.body))
	}
	if t.Simulated {
		r.Header = r.Header.Clone()
		r.Header.Set(attemptHeader, strconv.Itoa(attempt))
	}
	return r
}

// upstream returns the request as a target gets it when it is asked with key.
func (g *Gateway) upstream(e *exchange, t *target, key string) *outgoing {
	r := e.client
	to := *t.base
	path, escaped := r.URL.Path, r.URL.EscapedPath()
	body := e.body
	if name := t.Models[e.model]; name != "" && name != e.model {
		switch {
		case e.protocol == GeminiProtocol:
			path, escaped = renamedPath(path, name)
		case r.Method == http.MethodGet: // it asks about the model
			list := modelsPath(e.protocol) + "/"
			path, escaped = list+name, list+url.PathEscape(name)
		case e.isJSON:
			body = renamed(body, name)
		}
	}
	if t.Protocol == OpenAIProtocol { // its base URL brings the version
		path, escaped = strings.TrimPrefix(path, "/v1"), strings.TrimPrefix(escaped, "/v1")
	}
	to.Path, to.RawPath = t.base.Path+path, t.base.EscapedPath()+escaped
	to.RawQuery = g.query(r.URL.RawQuery, t.Protocol, key)
	req := &http.Request{
		Method: r.Method, URL: &to, Host: to.Host, Header: g.forwarded(r.Header, t, key),
		ContentLength: int64(len(body)),
		Proto:         "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	req.Header.Set(RequestIDHeader, e.id)
	if len(body) > 0 {
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	}
	return &outgoing{Request: req, body: body}
}

// authorize sees to it that a target gets one key: the given one or, if that is empty, what the client has sent in the places where the protocol
// has its keys. Keys of this server have been dropped before.
func authorize(h http.Header, p Protocol, key string) {
	const anthropic, gemini = "X-Api-Key", "X-Goog-Api-Key"
	if key != "" || p != AnthropicProtocol {
		delete(h, anthropic)
	}
	if key != "" || p != GeminiProtocol {
		delete(h, gemini)
	}
	if key == "" {
		return // Authorization is OpenAI's place, and that of OAuth at the others
	}
	delete(h, "Authorization")
	switch p {
	case AnthropicProtocol:
		h.Set(anthropic, key)
	case GeminiProtocol:
		h.Set(gemini, key) // a header, for addresses get into logs
	default:
		h.Set("Authorization", "Bearer "+key)
	}
}

// query returns the query that a target gets: without keys of this server, and without the client's key if there is another one. What stays is as it was.
func (g *Gateway) query(raw string, p Protocol, key string) string {
	if raw == "" {
		return ""
	}
	var kept []string
	for part := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(part, "=")
		if text, err := url.QueryUnescape(value); err == nil {
			value = text
		}
		ours := value != "" && g.owns(value)
		if ours || name == "key" && p == GeminiProtocol && key != "" {
			continue
		}
		kept = append(kept, part)
	}
	return strings.Join(kept, "&")
}
