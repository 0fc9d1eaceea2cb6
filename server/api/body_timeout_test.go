package api_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/api"
)

// dribble sends a request and its body a byte at a time, until the server closes the connection. It returns the answer, nil for none.
func dribble(t *testing.T, address, head string) *http.Response {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	must(t, err)
	defer func() { _ = conn.Close() }()
	_, err = io.WriteString(conn, head+"Host: x\r\nContent-Length: 100000\r\n\r\n")
	must(t, err)
	closed := make(chan struct{})
	go func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				_, _ = io.WriteString(conn, " ")
			case <-closed:
				return
			}
		}
	}()
	defer close(closed)
	must(t, conn.SetReadDeadline(time.Now().Add(time.Minute)))
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Errorf("%q: %v, want an answer", head, err)
		return nil
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Errorf("%q: the connection goes on", head)
	} else if timeout, ok := err.(net.Error); ok && timeout.Timeout() { //nolint:errorlint // conn returns it as it is
		t.Errorf("%q: the connection is held open", head)
	}
	return resp
}

// A client that sends a body byte by byte holds no connection for long, also where nobody reads the body.
func TestBodiesThatNobodyReads(t *testing.T) {
	handler := newAPI(t, newOrchestrator(t, trysail.Config{})).Handler()
	server := httptest.NewServer(api.BodyTimeout(handler, 50*time.Millisecond))
	t.Cleanup(server.Close)
	for head, want := range map[string]int{
		"POST " + base + "/config/validate HTTP/1.1\r\n":                                        401,
		"POST " + base + "/config/validate HTTP/1.1\r\nX-API-Key: guess\r\n":                    401,
		"GET " + base + "/health HTTP/1.1\r\n":                                                  200,
		"DELETE " + base + "/health HTTP/1.1\r\n":                                               405,
		"OPTIONS " + base + "/health HTTP/1.1\r\n":                                              204,
		"POST /internal/nothing HTTP/1.1\r\n":                                                   404,
		"GET /internal/openapi.json HTTP/1.1\r\n":                                               200,
		"GET " + base + "/performance/thresholds HTTP/1.1\r\nConnection: keep-alive\r\n":        200,
		"GET " + base + "/performance/history HTTP/1.1\r\nX-API-Key: " + key + "\r\n":           200,
		"GET " + base + "/monitoring/export?stream=true HTTP/1.1\r\nX-API-Key: " + key + "\r\n": 200,
	} {
		t.Run(strings.ReplaceAll(head, "\r\n", " "), func(t *testing.T) {
			t.Parallel()
			if resp := dribble(t, strings.TrimPrefix(server.URL, "http://"), head); resp != nil && resp.StatusCode != want {
				t.Errorf("status %d, want %d", resp.StatusCode, want)
			}
		})
	}
}

// A client that looks for an answer only when all of its body is sent gets it, unless the body is out of all proportion.
func TestBodyTooLargeIsAnswered(t *testing.T) {
	server := httptest.NewServer(newAPI(t, newOrchestrator(t, trysail.Config{})).Handler())
	t.Cleanup(server.Close)
	for size, keep := range map[int]bool{1<<20 + 1: true, 3 << 20: true, 8 << 20: true, 64 << 20: false} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
		must(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		must(t, conn.SetDeadline(time.Now().Add(time.Minute)))
		_, err = fmt.Fprintf(conn, "POST %s/config/validate HTTP/1.1\r\nHost: x\r\nX-API-Key: %s\r\nContent-Length: %d\r\n\r\n", base, key, size)
		must(t, err)
		sent, err := io.WriteString(conn, strings.Repeat(" ", size))
		if !keep {
			if sent == size && err == nil {
				t.Errorf("all of %d bytes were taken", size)
			}
			continue
		}
		must(t, err)
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		must(t, err)
		if resp.StatusCode != http.StatusRequestEntityTooLarge || resp.Close {
			t.Errorf("%d bytes: status %d, the connection is closed %v; want 413 and kept", size, resp.StatusCode, resp.Close)
		}
		_ = resp.Body.Close()
	}
}

// Whoever has sent the body may wait for the answer as long as it takes.
func TestBodyTimeoutIsNoTimeoutOfTheAnswer(t *testing.T) {
	server := httptest.NewServer(api.BodyTimeout(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		select {
		case <-r.Context().Done():
			err = r.Context().Err()
		case <-time.After(200 * time.Millisecond):
		}
		_, _ = fmt.Fprint(w, string(text), err)
	}), 50*time.Millisecond))
	defer server.Close()
	resp, err := http.Post(server.URL, "text/plain", strings.NewReader("hello "))
	must(t, err)
	defer func() { _ = resp.Body.Close() }()
	if text, err := io.ReadAll(resp.Body); err != nil || string(text) != "hello <nil>" {
		t.Errorf("answer %q, %v", text, err)
	}
}
