package llm_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
)

// serve starts a server, and returns a client that reaches it through a transport.
func serve(t *testing.T, h2 bool, handler http.HandlerFunc) (*http.Client, string, *llm.Transport) {
	t.Helper()
	s := httptest.NewUnstartedServer(handler)
	s.EnableHTTP2 = h2
	if h2 {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	orc, err := trysail.New(trysail.Config{Default: trysail.Policy{
		Attempt: time.Minute, Retry: trysail.RetryPolicy{Backoff: trysail.BackoffNone},
		Hedge: trysail.HedgePolicy{After: 30 * time.Second},
	}})
	if err != nil {
		t.Fatal(err)
	}
	rt := &llm.Transport{Operation: orc.Operation("chat"), Base: s.Client().Transport}
	return &http.Client{Transport: rt}, s.URL, rt
}

// ask sends a question and reads the answer.
func ask(t *testing.T, client *http.Client, url string) (*http.Response, string) {
	t.Helper()
	resp, err := client.Post(url, "application/json", strings.NewReader(plain))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	read, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(read)
}

// The ways in which bodies come over the network.
func TestTransportOverTheNetwork(t *testing.T) {
	write := func(w http.ResponseWriter, kind, text string) {
		w.Header().Set("Content-Type", kind)
		_, _ = io.WriteString(w, text)
	}
	for name, tc := range map[string]struct {
		h2     bool
		path   string
		answer func(w http.ResponseWriter, attempt int64)
		want   string
		sent   int64
	}{
		"HTTP/2":             {true, "/v1/chat/completions", func(w http.ResponseWriter, _ int64) { write(w, "application/json", good) }, good, 1},
		"a stream by HTTP/2": {true, "/v1/chat/completions", func(w http.ResponseWriter, _ int64) { write(w, events, delta+ending1) }, delta + ending1, 1},
		"a reset by HTTP/2": {true, "/v1/chat/completions", func(w http.ResponseWriter, n int64) {
			if n == 1 {
				panic(http.ErrAbortHandler)
			}
			write(w, "application/json", good)
		}, good, 2},
		"a trailer": {false, "/v1/chat/completions", func(w http.ResponseWriter, _ int64) {
			w.Header().Set("Trailer", "X-End")
			write(w, "application/json", good)
			w.Header().Set("X-End", "yes")
		}, good, 1},
		"closed by HTTP/1.0, cut": {false, "/v1/chat/completions", func(w http.ResponseWriter, n int64) {
			text := good
			if n == 1 {
				text = good[:50]
			}
			conn, _, _ := http.NewResponseController(w).Hijack()
			_, _ = fmt.Fprintf(conn, "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n%s", text)
			_ = conn.Close()
		}, good, 2},
		"early hints": {false, "/v1/chat/completions", func(w http.ResponseWriter, _ int64) {
			w.WriteHeader(http.StatusEarlyHints)
			write(w, "application/json", good)
		}, good, 1},
		"gzip": {false, "/v1/chat/completions", func(w http.ResponseWriter, n int64) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Header().Set("Content-Type", "application/json")
			z := gzip.NewWriter(w)
			if n == 1 {
				_, _ = io.WriteString(z, `{"error":{"code":503}}`)
			} else {
				_, _ = io.WriteString(z, good)
			}
			_ = z.Close()
		}, good, 2},
		"a file": {false, "/v1/audio/speech", func(w http.ResponseWriter, _ int64) {
			write(w, "audio/mpeg", strings.Repeat("a", 1<<20))
		}, strings.Repeat("a", 1<<20), 1},
	} {
		t.Run(name, func(t *testing.T) {
			var sent atomic.Int64
			client, url, _ := serve(t, tc.h2, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				if _, ok := r.Header["Idempotency-Key"]; ok {
					t.Error("the mark for net/http went over the wire")
				}
				tc.answer(w, sent.Add(1))
			})
			resp, read := ask(t, client, url+tc.path)
			if read != tc.want || sent.Load() != tc.sent || resp.StatusCode != 200 || resp.ProtoMajor == 2 != tc.h2 {
				t.Errorf("read %.80q by %s after %d attempts, want %.80q after %d", read, resp.Proto, sent.Load(), tc.want, tc.sent)
			}
			if _, declared := resp.Trailer["X-End"]; declared && resp.Trailer.Get("X-End") != "yes" {
				t.Error("the trailer is lost")
			}
		})
	}
}

// A connection that the server has closed while it was idle is mended without an attempt.
func TestTransportStaleConnection(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	var seen atomic.Int64
	go func() {
		for n := 0; ; n++ {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			in := bufio.NewReader(conn)
			for range 2 - n { // the first connection takes two requests, and answers one
				r, err := http.ReadRequest(in)
				if err != nil {
					break
				}
				_, _ = io.Copy(io.Discard, r.Body)
				if seen.Add(1) != 2 {
					_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(good), good)
				}
			}
			_ = conn.Close()
		}
	}()
	base := &http.Transport{}
	t.Cleanup(base.CloseIdleConnections)
	client, _, rt := serve(t, false, nil)
	rt.Base = base
	attempts := 0
	rt.Observe = func(e llm.Exchange) { attempts += e.Attempts }
	for range 2 {
		if _, read := ask(t, client, "http://"+l.Addr().String()+"/v1/chat/completions"); read != good {
			t.Errorf("read %q, want an answer", read)
		}
	}
	if attempts != 2 || seen.Load() != 3 {
		t.Errorf("%d attempts of which the server saw %d requests, want 2 and 3", attempts, seen.Load())
	}
}

// A connection that becomes another protocol's is handed over.
func TestTransportUpgrade(t *testing.T) {
	client, url, _ := serve(t, false, func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, _ := http.NewResponseController(w).Hijack()
		defer func() { _ = conn.Close() }()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		line, _ := rw.ReadString('\n')
		_, _ = io.WriteString(conn, line)
	})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/v1/realtime", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", "echo")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	conn, ok := resp.Body.(io.ReadWriteCloser)
	if !ok {
		t.Fatalf("the body is a %T, want one that can be written to", resp.Body)
	}
	_, _ = io.WriteString(conn, "hello\n")
	if read, err := io.ReadAll(conn); string(read) != "hello\n" || err != nil {
		t.Errorf("read %q, %v; want the echo", read, err)
	}
	_ = conn.Close()
}

// The server of a forgotten hedge sees that its client has left.
func TestTransportHedgeOverTheNetwork(t *testing.T) {
	var sent atomic.Int64
	left := make(chan struct{})
	client, url, rt := serve(t, false, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if sent.Add(1) == 1 {
			<-r.Context().Done()
			close(left)
			return
		}
		w.Header().Set("Content-Type", events)
		_, _ = io.WriteString(w, delta)
		_ = http.NewResponseController(w).Flush()
		<-left
		_, _ = io.WriteString(w, ending1)
	})
	orc, err := trysail.New(trysail.Config{Default: trysail.Policy{Hedge: trysail.HedgePolicy{After: 20 * time.Millisecond}}})
	if err != nil {
		t.Fatal(err)
	}
	client.Timeout = time.Minute
	ctx := llm.WithOperation(context.Background(), orc.Operation("hedged"))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/chat/completions", strings.NewReader(plain))
	if err != nil {
		t.Fatal(err)
	}
	rt.Observe = func(e llm.Exchange) {
		if e.Attempts != 2 || e.Err != nil {
			t.Errorf("exchange %+v, want a hedge that answered", e)
		}
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if read, err := io.ReadAll(resp.Body); string(read) != delta+ending1 || err != nil {
		t.Errorf("read %q, %v; want the whole stream", read, err)
	}
}
