package trysailtest_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trysail-go/trysail/trysailtest"
)

const question = `{"model":"m","messages":[{"role":"user","content":"Why do boats float?"}]}`

// streamed returns the body of a chat request that wants a stream.
func streamed(body string) string { return strings.TrimSuffix(body, "}") + `,"stream":true}` }

// start starts a provider that the test's end closes.
func start(t *testing.T, cfg trysailtest.ProviderConfig) *trysailtest.ProviderServer {
	t.Helper()
	s, err := trysailtest.StartProvider(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
	})
	return s
}

// client talks to one provider.
type client struct {
	t    *testing.T
	http *http.Client
	url  string
}

func newClient(t *testing.T, url string) *client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &client{t, &http.Client{Transport: transport, Timeout: wedged}, url}
}

// wedged is how long a client waits for a provider that does not answer. It must be far more than 32 MiB take under the
// race detector on a machine that is busy with other things: some 3 s at a load of 5 on two cores, and 20 s were too few at 37.
const wedged = 4 * time.Minute

// reply is what a client saw of one answer.
type reply struct {
	status int
	header http.Header
	body   string
	err    error // of the request, or of reading the body
}

// do sends a request with the headers, given as pairs of name and value.
func (c *client) do(method, path, body string, headers ...string) reply {
	return c.doContext(c.t.Context(), method, path, body, headers...)
}

func (c *client) doContext(ctx context.Context, method, path, body string, headers ...string) reply {
	r, err := http.NewRequestWithContext(ctx, method, c.url+path, strings.NewReader(body))
	if err != nil {
		return reply{err: err}
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return reply{err: err}
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, resp.Header, string(data), err}
}

func (c *client) chat(body string, headers ...string) reply {
	return c.do(http.MethodPost, "/chat/completions", body, headers...)
}

// simulate asks the question under a script.
func (c *client) simulate(script, body string) reply {
	return c.chat(body, trysailtest.SimulateHeader, script)
}

// apiError is an error in OpenAI's form.
type apiError struct {
	Message, Type, Param, Code string
}

// apiError reads the reply's error; it is empty when there is none.
func (r reply) apiError() apiError {
	var body struct{ Error apiError }
	_ = json.Unmarshal([]byte(r.body), &body)
	return body.Error
}

// chunk is one event of a chat stream.
type chunk struct {
	ID, Object, Model string
	SystemFingerprint string `json:"system_fingerprint"`
	Created           int64
	Choices           []struct {
		Delta        struct{ Role, Content string }
		FinishReason string `json:"finish_reason"`
	}
	Usage *usage
	Error *apiError
}

type usage struct {
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
	Total      int `json:"total_tokens"`
}

// stream is what arrived of a chat stream.
type stream struct {
	chunks  []chunk
	tokens  []string
	finish  string
	done    bool // [DONE] came
	garbage int  // data that is not JSON
}

func (r reply) stream() stream {
	var s stream
	for line := range strings.Lines(r.body) {
		data, ok := strings.CutPrefix(strings.TrimSpace(line), "data: ")
		if !ok {
			continue
		}
		if data == "[DONE]" {
			s.done = true
			continue
		}
		s.add(data)
	}
	return s
}

func (s *stream) add(data string) {
	var c chunk
	if json.Unmarshal([]byte(data), &c) != nil {
		s.garbage++
		return
	}
	s.chunks = append(s.chunks, c)
	for _, choice := range c.Choices {
		if choice.Delta.Content != "" {
			s.tokens = append(s.tokens, choice.Delta.Content)
		}
		s.finish += choice.FinishReason
	}
}

// answer is a plain chat answer.
type answer struct {
	ID, Object, Model string
	SystemFingerprint string `json:"system_fingerprint"`
	Created           int64
	Choices           []struct {
		Message      struct{ Role, Content string }
		FinishReason string `json:"finish_reason"`
	}
	Usage usage
}

// answer reads a plain chat answer, or fails the test.
func (c *client) answer(r reply) answer {
	c.t.Helper()
	var a answer
	if err := json.Unmarshal([]byte(r.body), &a); err != nil || r.status != 200 || len(a.Choices) != 1 {
		c.t.Fatalf("answer = %d %s (%v), want a chat completion", r.status, r.body, err)
	}
	return a
}

// pipes is a network inside a synctest bubble: it dials and listens.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	close func()
}

func newPipes() *pipes {
	p := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
	p.close = sync.OnceFunc(func() { close(p.done) })
	return p
}

func (p *pipes) Dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.conns <- far:
		return near, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.close(); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes"} }

// bubbled mounts a provider in a server of a synctest bubble and returns both with a
// client that has no time-out.
func bubbled(t *testing.T, cfg trysailtest.ProviderConfig) (*trysailtest.Provider, *client) {
	t.Helper()
	p, err := trysailtest.NewProvider(cfg)
	if err != nil {
		t.Fatal(err)
	}
	network, server, served := newPipes(), &http.Server{Handler: p}, make(chan error, 1)
	go func() { served <- server.Serve(network) }()
	transport := &http.Transport{DialContext: network.Dial}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = p.Close()
		_ = server.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve() = %v", err)
		}
	})
	return p, &client{t, &http.Client{Transport: transport}, "http://provider/v1"}
}

// tokenTimes sends a streamed request and returns when each token came, from the
// request on, and when the role chunk came.
func (c *client) tokenTimes(script string) (role time.Duration, tokens []time.Duration) {
	c.t.Helper()
	began := time.Now()
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.url+"/chat/completions",
		strings.NewReader(streamed(question)))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set(trysailtest.SimulateHeader, script)
	resp, err := c.http.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		switch {
		case strings.Contains(lines.Text(), `"role"`):
			role = time.Since(began)
		case strings.Contains(lines.Text(), `"content"`):
			tokens = append(tokens, time.Since(began))
		}
	}
	if err := lines.Err(); err != nil {
		c.t.Fatal(err)
	}
	return role, tokens
}
