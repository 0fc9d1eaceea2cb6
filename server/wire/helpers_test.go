package wire_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trysail-go/trysail/server/wire"
)

// A rawServer writes an answer of bytes for each request, in turn for each connection.
type rawServer struct {
	url      string
	accepted atomic.Int32
	closed   chan struct{} // gets one for each connection that its client has closed
}

// script is what one connection of the server does.
type script func(c net.Conn, r *bufio.Reader)

// serveRaw runs the scripts, the last for all further connections.
func serveRaw(tb testing.TB, scripts ...script) *rawServer {
	tb.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = ln.Close() })
	s := &rawServer{url: "http://" + ln.Addr().String(), closed: make(chan struct{}, 100)}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			n := int(s.accepted.Add(1)) - 1
			go func() {
				defer func() { _ = c.Close() }()
				r := bufio.NewReader(c)
				scripts[min(n, len(scripts)-1)](c, r)
				if _, err := r.Peek(1); err != nil { // the end, or a reset if something had not been read
					s.closed <- struct{}{}
				}
			}()
		}
	}()
	return s
}

// says answers each request with the same bytes.
func says(answer string) script {
	return func(c net.Conn, r *bufio.Reader) {
		for readRequest(r) == nil {
			if _, err := io.WriteString(c, answer); err != nil {
				return
			}
		}
	}
}

func readRequest(r *bufio.Reader) error {
	req, err := http.ReadRequest(r)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, req.Body)
	return err
}

func newBase() *http.Transport {
	return &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 100, IdleConnTimeout: time.Minute}
}

func newTransport(tb testing.TB) *wire.Transport {
	tb.Helper()
	t := wire.New(newBase())
	tb.Cleanup(t.CloseIdleConnections)
	return t
}

func newRequest(tb testing.TB, method, url, body string) *http.Request {
	tb.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(tb.Context(), method, url, reader)
	if err != nil {
		tb.Fatal(err)
	}
	return req
}

// get sends a request and returns its whole answer.
func get(rt http.RoundTripper, req *http.Request) (*http.Response, string, error) {
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return nil, "", err
	}
	text, err := io.ReadAll(resp.Body)
	return resp, string(text), errors.Join(err, resp.Body.Close())
}

const fine = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// within fails the test when nothing comes.
func within[T any](tb testing.TB, from <-chan T, what string) (v T) {
	tb.Helper()
	select {
	case v = <-from:
	case <-time.After(10 * time.Second):
		tb.Fatal("not within 10s: " + what)
	}
	return v
}
