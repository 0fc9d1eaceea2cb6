package trysail_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
)

// server accepts one connection at a time and gives it to handle, which must
// close it. It returns the server's address.
func server(t *testing.T, handle func(*net.TCPConn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			handle(c.(*net.TCPConn))
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return l.Addr().String()
}

// read connects to addr, says something and reads to the end.
func read(t *testing.T, addr string) error {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	_, _ = io.WriteString(c, "hello")
	_, err = io.ReadFull(c, make([]byte, 10))
	return err
}

func refused(t *testing.T) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	return read(t, addr)
}

func reset(t *testing.T) error {
	return read(t, server(t, func(c *net.TCPConn) {
		_, _ = io.ReadFull(c, make([]byte, 5))
		_ = c.SetLinger(0)
		_ = c.Close()
	}))
}

func hangUp(t *testing.T) error {
	return read(t, server(t, func(c *net.TCPConn) {
		_, _ = io.ReadFull(c, make([]byte, 5))
		_ = c.Close()
	}))
}

func cutShort(t *testing.T) error {
	return read(t, server(t, func(c *net.TCPConn) {
		_, _ = io.WriteString(c, "half")
		_, _ = io.ReadFull(c, make([]byte, 5))
		_ = c.Close()
	}))
}

func readTimeout(t *testing.T) error {
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	if err := near.SetReadDeadline(time.Now().Add(-time.Second)); err != nil {
		t.Fatal(err)
	}
	_, err := near.Read(make([]byte, 1))
	return err
}

func dialTimeout(t *testing.T) error {
	d := net.Dialer{Deadline: time.Now().Add(-time.Second)}
	_, err := d.DialContext(t.Context(), "tcp", server(t, func(c *net.TCPConn) { _ = c.Close() }))
	return err
}

// get asks a server that closes the connection in place of an answer.
func get(ctx context.Context, t *testing.T) error {
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer s.Close()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := s.Client().Do(req)
	if err == nil {
		_ = resp.Body.Close()
	}
	return err
}

// Real errors of the network, made by real sockets, are worth a second attempt.
// errors.Is proves that each is what it is meant to be.
func TestClassifyNetwork(t *testing.T) {
	for name, tc := range map[string]struct {
		provoke func(*testing.T) error
		is      error
		want    trysail.Class
	}{
		"connection refused":   {refused, syscall.ECONNREFUSED, transient},
		"connection reset":     {reset, syscall.ECONNRESET, transient},
		"closed before a byte": {hangUp, io.EOF, transient},
		"closed half-way":      {cutShort, io.ErrUnexpectedEOF, transient},
		"time-out of a read":   {readTimeout, os.ErrDeadlineExceeded, transient},
		"time-out of a dial":   {dialTimeout, context.DeadlineExceeded, transient},
		"http, no answer":      {func(t *testing.T) error { return get(t.Context(), t) }, io.EOF, transient},
		"http, caller left": {func(t *testing.T) error {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			return get(ctx, t)
		}, context.Canceled, canceled},
		"http, caller out of time": {func(t *testing.T) error {
			ctx, cancel := context.WithTimeout(t.Context(), 0)
			defer cancel()
			return get(ctx, t)
		}, context.DeadlineExceeded, transient},
	} {
		t.Run(name, func(t *testing.T) {
			err := tc.provoke(t)
			if !errors.Is(err, tc.is) {
				t.Fatalf("the network said %v, want %v", err, tc.is)
			}
			if got := trysail.Classify(err); got != tc.want {
				t.Errorf("Classify(%v) = %v, want %v", err, got, tc.want)
			}
		})
	}
}

func TestClassifyNames(t *testing.T) {
	for name, err := range map[string]*net.DNSError{
		"not found": {Err: "no such host", Name: "api.example.invalid", IsNotFound: true},
		"timeout":   {Err: "i/o timeout", Name: "api.example.invalid", IsTimeout: true},
		"temporary": {Err: "server misbehaving", Name: "api.example.invalid", IsTemporary: true},
	} {
		t.Run(name, func(t *testing.T) {
			wrapped := &url.Error{Op: "Post", URL: "https://api.example.invalid", Err: &net.OpError{Op: "dial", Net: "tcp", Err: err}}
			for _, err := range []error{err, wrapped} {
				if got := trysail.Classify(err); got != transient {
					t.Errorf("Classify(%v) = %v, want %v", err, got, transient)
				}
			}
		})
	}
}
