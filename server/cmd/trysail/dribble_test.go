package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Whatever the path, a client that sends a body byte by byte has its answer and its connection closed after --client-timeout.
func TestClientsThatDribble(t *testing.T) {
	s := serve(t, "API_KEY=secret", "TRYSAIL_CLIENT_TIMEOUT=200ms")
	for head, want := range map[string]int{
		"GET /healthz":                        200,
		"POST /nothing":                       404,
		"POST /v1/nothing":                    408,
		"POST /v1/chat/completions":           408,
		"POST /internal/resilience/config/x":  404,
		"POST " + internal + "/config/reload": 401,
	} {
		t.Run(head, func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			_, _ = io.WriteString(conn, head+" HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
			closed := make(chan struct{})
			defer close(closed)
			go func() {
				for tick := time.Tick(20 * time.Millisecond); ; {
					select {
					case <-tick:
						_, _ = io.WriteString(conn, " ")
					case <-closed:
						return
					}
				}
			}()
			_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatalf("no answer: %v", err)
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			if resp.StatusCode != want || !resp.Close {
				t.Errorf("status %d, the connection is closed %v; want %d and closed", resp.StatusCode, resp.Close, want)
			}
		})
	}
}
