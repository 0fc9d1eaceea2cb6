package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// streamBody asks for a stream.
var streamBody = strings.Replace(completionBody, `"model"`, `"stream":true,"model"`, 1)

// An h2c is a client that speaks HTTP/2 without TLS and nothing else.
type h2c struct {
	http.Client
	dials atomic.Int32
}

func newH2C(t *testing.T) *h2c {
	t.Helper()
	c := &h2c{}
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{
		Protocols: &protocols,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			c.dials.Add(1)
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	c.Client = http.Client{Transport: transport, Timeout: time.Minute}
	return c
}

// ask sends a request and returns the answer, whose body the caller closes.
func (c *h2c) ask(ctx context.Context, method, url, body string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	resp, err := c.Do(req)
	if err == nil && resp.ProtoMajor != 2 {
		_ = resp.Body.Close()
		return nil, fmt.Errorf("the answer is %s, want HTTP/2", resp.Proto)
	}
	return resp, err
}

func TestHTTP2WithoutTLS(t *testing.T) {
	s, c := serve(t), newH2C(t)
	for name, tc := range map[string]struct {
		method, path, body string
		status             int
		want               string // in the answer
	}{
		"a completion":        {"POST", "/v1/chat/completions", completionBody, 200, `"finish_reason":"stop"`},
		"a stream":            {"POST", "/v1/chat/completions", streamBody, 200, "data: [DONE]\n\n"},
		"the internal API":    {"GET", internal + "/health", "", 200, `"healthy":true`},
		"a problem":           {"GET", internal + "/metrics/nobody", "", 404, "Operation 'nobody' not found"},
		"a probe":             {"GET", "/readyz", "", 200, "ok\n"},
		"a body too large":    {"POST", internal + "/config/validate", strings.Repeat(" ", 1<<20+1), 413, "must not be larger"},
		"a path of two ways":  {"GET", "/v1/./models", "", 404, "Write it without"},
		"an export in pieces": {"GET", internal + "/monitoring/export?stream=true&format=csv", "", 200, "timestamp,metric_type"},
	} {
		t.Run(name, func(t *testing.T) {
			resp, err := c.ask(t.Context(), tc.method, s.url+tc.path, tc.body)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			text, err := io.ReadAll(resp.Body)
			if err != nil || resp.StatusCode != tc.status || !strings.Contains(string(text), tc.want) {
				t.Errorf("status %d, %v, body %.300q; want %d and %q", resp.StatusCode, err, text, tc.status, tc.want)
			}
		})
	}
	if resp, _ := s.send("GET", "/readyz", ""); resp.ProtoMajor != 1 {
		t.Errorf("a client of HTTP/1.1 is answered in %s", resp.Proto)
	}
}

// A web page's own name, which points here, is refused in HTTP/2 as well: there it is called :authority.
func TestHTTP2ChecksTheHost(t *testing.T) {
	s, c := serve(t), newH2C(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+internal+"/health", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "evil.example"
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden || resp.ProtoMajor != 2 {
		t.Errorf("status %d in %s, want 403 in HTTP/2", resp.StatusCode, resp.Proto)
	}
}

// When a client resets its stream, the provider's request ends, and the other streams of the connection go on.
func TestHTTP2CancelReachesTheProvider(t *testing.T) {
	left := make(chan struct{}, 1)
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, `data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"a"}}]}`+"\n\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		left <- struct{}{}
	}))
	defer provider.Close()
	s, c := serve(t, "OPENAI_API_KEY=sk-test", "OPENAI_BASE_URL="+provider.URL+"/v1"), newH2C(t)
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	resp, err := c.ask(ctx, http.MethodPost, s.url+"/v1/chat/completions", streamBody)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.ReadFull(resp.Body, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	select {
	case <-left:
		t.Fatal("the provider's request ended before the client left")
	default:
	}
	leave()
	select {
	case <-left:
	case <-time.After(20 * time.Second):
		t.Fatal("the provider's request goes on after the client has left")
	}
	other, err := c.ask(t.Context(), http.MethodGet, s.url+"/readyz", "")
	if err != nil {
		t.Fatal(err)
	}
	_ = other.Body.Close()
	if n := c.dials.Load(); n != 1 {
		t.Errorf("%d connections, want one", n)
	}
}

func TestHTTP2ManyStreamsOverOneConnection(t *testing.T) {
	const streams = 100
	s, c := serve(t, "TRYSAIL_SIMULATE_TOKEN_DELAY=20ms"), newH2C(t)
	first, err := c.ask(t.Context(), http.MethodGet, s.url+"/readyz", "") // or each dials for itself
	if err != nil {
		t.Fatal(err)
	}
	_ = first.Body.Close()
	begun, ends := sync.WaitGroup{}, make(chan error, streams)
	begun.Add(streams)
	for range streams {
		go func() {
			resp, err := c.ask(t.Context(), http.MethodPost, s.url+"/v1/chat/completions", streamBody)
			begun.Done()
			if err != nil {
				ends <- err
				return
			}
			defer resp.Body.Close()
			begun.Wait() // all of them at once
			text, err := io.ReadAll(resp.Body)
			if err == nil && !strings.HasSuffix(string(text), "data: [DONE]\n\n") {
				err = fmt.Errorf("status %d: %.200q", resp.StatusCode, text)
			}
			ends <- err
		}()
	}
	for range streams {
		if err := <-ends; err != nil {
			t.Error(err)
		}
	}
	if n := c.dials.Load(); n != 1 {
		t.Errorf("%d connections, want one", n)
	}
}

func TestHTTP2StopsInGoodOrder(t *testing.T) {
	s, c := serve(t, "TRYSAIL_SIMULATE_TOKEN_DELAY=20ms", "TRYSAIL_SHUTDOWN_TIMEOUT=20s"), newH2C(t)
	resp, err := c.ask(t.Context(), http.MethodPost, s.url+"/v1/chat/completions", streamBody)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil || !strings.HasSuffix(string(text), "data: [DONE]\n\n") {
		t.Errorf("the stream ended with %.100q, %v", text, err)
	}
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("it ended with %v\n%s", err, s.log)
	}
	if late, err := c.ask(t.Context(), http.MethodGet, s.url+"/readyz", ""); err == nil {
		_ = late.Body.Close()
		t.Errorf("a request after the end is answered %d", late.StatusCode)
	}
}

// A provider's stream that breaks off must not look complete in HTTP/2 either.
func TestHTTP2StreamThatBreaksOff(t *testing.T) {
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, `data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"a"}}]}`+"\n\n")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}))
	defer provider.Close()
	s, c := serve(t, "OPENAI_API_KEY=sk-test", "OPENAI_BASE_URL="+provider.URL+"/v1"), newH2C(t)
	resp, err := c.ask(t.Context(), http.MethodPost, s.url+"/v1/chat/completions", streamBody)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if strings.Contains(string(text), "[DONE]") || err == nil && !strings.Contains(string(text), `"error"`) {
		t.Errorf("the stream looks complete: %q, %v", text, err)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		t.Error("the stream did not end")
	}
}

// A body that stops coming costs its own request, not those beside it on the connection.
func TestHTTP2BodyThatStalls(t *testing.T) {
	s, c := serve(t, "TRYSAIL_CLIENT_TIMEOUT=300ms"), newH2C(t)
	for path, want := range map[string]int{"/v1/chat/completions": 408, "/nothing": 404, internal + "/config/validate": 408} {
		body, stalled := io.Pipe()
		go func() { _, _ = io.WriteString(stalled, `{"a`) }()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+path, body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		resp, err := c.Do(req)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		_ = stalled.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: status %d, want %d", path, resp.StatusCode, want)
		}
	}
	if n := c.dials.Load(); n != 1 {
		t.Errorf("%d connections, want one", n)
	}
}
