package trysailhttp_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/trysailhttp"
)

// server answers the n-th request with the n-th of handlers; the last one repeats.
func server(t *testing.T, handlers ...http.HandlerFunc) (*httptest.Server, *atomic.Int64) {
	t.Helper()
	var seen, connections atomic.Int64
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := min(int(seen.Add(1)), len(handlers))
		handlers[n-1](w, r)
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s, &connections
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_, _ = fmt.Fprintf(w, "status %d", code)
	}
}

func echo(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(w, r.Body)
}

func reset(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	_ = conn.(*net.TCPConn).SetLinger(0)
	_ = conn.Close()
}

// operation retries at once, so that real sockets cost no real time.
func operation(t *testing.T) *trysail.Operation {
	t.Helper()
	orc, err := trysail.New(trysail.Config{Default: trysail.Policy{
		Retry: trysail.RetryPolicy{Backoff: trysail.BackoffNone},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return orc.Operation("chat")
}

func client(t *testing.T, op *trysail.Operation) *http.Client {
	t.Helper()
	base := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(base.CloseIdleConnections)
	return &http.Client{Transport: &trysailhttp.Transport{Operation: op, Base: base}, Timeout: 20 * time.Second}
}

func TestTransportAnswers(t *testing.T) {
	for name, tc := range map[string]struct {
		handlers []http.HandlerFunc
		status   int
		body     string
		retries  uint64
		failed   uint64
	}{
		"a good answer at once":               {[]http.HandlerFunc{echo}, 200, "hello", 0, 0},
		"the body again after failures":       {[]http.HandlerFunc{status(500), reset, echo}, 200, "hello", 2, 0},
		"the last error as it came":           {[]http.HandlerFunc{status(500), status(502), status(503)}, 503, "status 503", 2, 1},
		"a caller's mistake, once":            {[]http.HandlerFunc{status(400)}, 400, "status 400", 0, 1},
		"a mistake after a failure":           {[]http.HandlerFunc{status(500), status(404)}, 404, "status 404", 1, 1},
		"a redirect is no failure":            {[]http.HandlerFunc{status(304)}, 304, "", 0, 0},
		"an answer after resets and overload": {[]http.HandlerFunc{reset, status(529), echo}, 200, "hello", 2, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := server(t, tc.handlers...)
			op := operation(t)
			resp, err := client(t, op).Post(s.URL, "text/plain", strings.NewReader("hello"))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if resp.StatusCode != tc.status || string(body) != tc.body || err != nil {
				t.Errorf("got %d %q, %v; want %d %q", resp.StatusCode, body, err, tc.status, tc.body)
			}
			if m := op.Metrics(); m.Retries != tc.retries || m.Failed != tc.failed || m.Calls != 1 {
				t.Errorf("metrics %+v; want %d retries and %d failed of 1 call", m, tc.retries, tc.failed)
			}
		})
	}
}

func TestOneConnectionServesAllAttempts(t *testing.T) {
	s, connections := server(t, status(503))
	c := client(t, operation(t))
	for range 4 { // the fifth failed call would open the breaker
		resp, err := c.Post(s.URL, "text/plain", strings.NewReader("hello"))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("12 attempts used %d connections, want 1", n)
	}
}

func TestNoAnswerIsAnError(t *testing.T) {
	s, _ := server(t, reset)
	op := operation(t)
	c := client(t, op)
	for range 5 {
		_, err := c.Post(s.URL, "text/plain", strings.NewReader("hello"))
		var failed *trysail.Error
		if !errors.As(err, &failed) || failed.Attempts != 3 || failed.Class != trysail.ClassTransient {
			t.Fatalf("err = %v, want a transient *trysail.Error after 3 attempts", err)
		}
	}
	body := &closing{Reader: strings.NewReader("hello")}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL, body)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Do(req)
	if !errors.Is(err, trysail.ErrOpen) {
		t.Errorf("err = %v, want ErrOpen after 5 failed calls", err)
	}
	if !body.closed.Load() {
		t.Error("the body of a refused request was not closed")
	}
}

func TestBodyWithoutGetBodyIsSentOnce(t *testing.T) {
	s, _ := server(t, status(500), echo)
	op := operation(t)
	resp, err := client(t, op).Post(s.URL, "text/plain", io.MultiReader(strings.NewReader("hello")))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if m := op.Metrics(); resp.StatusCode != 500 || m.Retries != 0 {
		t.Errorf("got %d after %d retries, want 500 after none", resp.StatusCode, m.Retries)
	}
}

func TestServerForbidsRetry(t *testing.T) {
	s, _ := server(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Should-Retry", "false")
		w.WriteHeader(http.StatusServiceUnavailable)
	}, echo)
	op := operation(t)
	resp, err := client(t, op).Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 503 || op.Metrics().Retries != 0 {
		t.Errorf("got %d after %d retries, want 503 after none", resp.StatusCode, op.Metrics().Retries)
	}
}

// The context must live until the body has been read: time-outs and hedges of
// other libraries cut long answers short here.
func TestBodyOutlivesRoundTrip(t *testing.T) {
	const size = 4 << 20
	s, _ := server(t, status(500), func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(bytes.Repeat([]byte("x"), size))
	})
	resp, err := client(t, operation(t)).Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if n, err := io.Copy(io.Discard, resp.Body); n != size || err != nil {
		t.Errorf("read %d bytes, %v; want %d", n, err, size)
	}
}

func TestLongAndBrokenErrorBodies(t *testing.T) {
	for name, tc := range map[string]struct {
		handler http.HandlerFunc
		length  int
		broken  bool
	}{
		"longer than what is kept": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write(bytes.Repeat([]byte("x"), 200_000))
		}, 200_000, false},
		"shorter than it says": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte("xx"))
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, 2, true},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := server(t, tc.handler)
			resp, err := client(t, operation(t)).Get(s.URL)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if len(body) != tc.length || (err != nil) != tc.broken {
				t.Errorf("read %d bytes, %v; want %d, broken %t", len(body), err, tc.length, tc.broken)
			}
		})
	}
}

func TestAttemptHeader(t *testing.T) {
	var seen []string
	note := func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Get("X-Attempt"))
		w.WriteHeader(http.StatusInternalServerError)
	}
	s, _ := server(t, note)
	c := client(t, operation(t))
	c.Transport.(*trysailhttp.Transport).AttemptHeader = "X-Attempt"
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if got := strings.Join(seen, " "); got != "1 2 3" || req.Header.Get("X-Attempt") != "" {
		t.Errorf("the server saw %q and the caller's request holds %q; want 1 2 3 and nothing", got, req.Header.Get("X-Attempt"))
	}
}

func TestCertificateIsPermanent(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(echo))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	op := operation(t)
	_, err := client(t, op).Get(s.URL)
	if trysail.Classify(err) != trysail.ClassPermanent || op.Metrics().Retries != 0 {
		t.Errorf("err = %v, class %v after %d retries; want permanent after none", err, trysail.Classify(err), op.Metrics().Retries)
	}
}

func TestCallerLeavesDuringWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		orc, err := trysail.New(trysail.Config{})
		if err != nil {
			t.Fatal(err)
		}
		body := &closing{Reader: strings.NewReader("busy")}
		rt := &trysailhttp.Transport{Operation: orc.Operation("chat"), Base: roundTripper(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 503, Header: http.Header{}, Body: body}, nil
		})}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		time.AfterFunc(time.Second, cancel)
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://example.invalid", nil)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		resp, err := rt.RoundTrip(req)
		if resp != nil || !errors.Is(err, context.Canceled) || time.Since(start) != time.Second {
			t.Errorf("RoundTrip = %v, %v after %v; want context.Canceled after 1s", resp, err, time.Since(start))
		}
		if !body.closed.Load() {
			t.Error("the body of the discarded answer was not closed")
		}
	})
}

func TestWaitsAsTheServerAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		orc, err := trysail.New(trysail.Config{Default: trysail.Policy{Retry: trysail.RetryPolicy{NoJitter: true}}})
		if err != nil {
			t.Fatal(err)
		}
		calls := 0
		rt := &trysailhttp.Transport{Operation: orc.Operation("chat"), Base: roundTripper(func(*http.Request) (*http.Response, error) {
			calls++
			if calls == 1 {
				return &http.Response{StatusCode: 429, Header: http.Header{"Retry-After": {"17.5"}}, Body: http.NoBody}, nil
			}
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody}, nil
		})}
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://example.invalid", nil)
		start := time.Now()
		resp, err := rt.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if took := time.Since(start); took != 17500*time.Millisecond {
			t.Errorf("waited %v, want 17.5s", took)
		}
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// closing is a body that tells whether it was closed.
type closing struct {
	io.Reader
	closed atomic.Bool
}

func (c *closing) Close() error {
	c.closed.Store(true)
	return nil
}
