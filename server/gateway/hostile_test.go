package gateway_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/server/gateway"
)

// raw starts a provider that answers the n-th connection's requests with whatever
// serve writes, and tells how many requests it has read.
func raw(t *testing.T, serve func(conn net.Conn, n int64)) (url string, requests *atomic.Int64) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	requests = new(atomic.Int64)
	var all sync.WaitGroup
	t.Cleanup(func() {
		_ = ln.Close()
		all.Wait()
	})
	all.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer conn.Close()
				reader := bufio.NewReader(conn)
				for {
					req, err := http.ReadRequest(reader)
					if err != nil {
						return
					}
					_, _ = io.Copy(io.Discard, req.Body)
					serve(conn, requests.Add(1))
				}
			})
		}
	})
	return "http://" + ln.Addr().String() + "/v1", requests
}

// say writes a whole answer with headers and a body, and closes nothing.
func say(conn net.Conn, status, headers, body string) {
	_, _ = fmt.Fprintf(conn, "HTTP/1.1 %s\r\nContent-Length: %d\r\n%s\r\n%s", status, len(body), headers, body)
}

const (
	jsonType   = "Content-Type: application/json\r\n"
	streamHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
	firstToken = `data: {"choices":[{"index":0,"delta":{"content":"hi"}}]}` + "\n\n"
	lastToken  = `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n"
	doneEvent  = "data: [DONE]\n\n"
)

// A provider that takes a request and hangs up is asked again at most as often as
// the answer says, however many idle connections there are.
func TestDeadConnectionsAreNotTriedInTurn(t *testing.T) {
	var failing atomic.Bool
	gate := make(chan struct{})
	url, requests := raw(t, func(conn net.Conn, _ int64) {
		if failing.Load() {
			_ = conn.Close()
			return
		}
		<-gate
		say(conn, "200 OK", jsonType, `{"choices":[]}`)
	})
	r := newRig(t, func(c *gateway.Config) { c.Plan = planOf(url) })
	var warm sync.WaitGroup
	for range 30 {
		warm.Go(func() { r.ask(plainBody, "") })
	}
	for requests.Load() < 30 {
		time.Sleep(time.Millisecond) // a real socket cannot be waited for otherwise
	}
	close(gate)
	warm.Wait()
	failing.Store(true)
	before := requests.Load()
	got := r.ask(plainBody, "")
	if sent := fmt.Sprint(requests.Load() - before); got.status != 502 || sent != got.header.Get(gateway.AttemptsHeader) {
		t.Errorf("status %d, %s attempts, but the provider read %s requests", got.status, got.header.Get(gateway.AttemptsHeader), sent)
	}
}

// One stale connection costs no wait and is no failure of the call.
func TestStaleConnectionIsReplaced(t *testing.T) {
	url, _ := raw(t, func(conn net.Conn, n int64) {
		if n == 2 {
			_ = conn.Close()
			return
		}
		say(conn, "200 OK", jsonType, `{"choices":[]}`)
	})
	r := newRig(t, func(c *gateway.Config) { c.Plan = planOf(url) })
	for n := range 2 {
		if got := r.ask(plainBody, ""); got.status != 200 {
			t.Errorf("request %d: status %d, %v", n, got.status, got.err)
		}
	}
	if m := r.metrics("chat"); m.Retries != 0 || m.Succeeded != 2 {
		t.Errorf("metrics %+v, want two successes without retries", m)
	}
}

func TestHowStreamsEnd(t *testing.T) {
	const clean, told = "clean", "told"
	two := strings.Replace(streamBody, `"stream"`, `"n":2,"stream"`, 1)
	for name, tc := range map[string]struct {
		body, stream string
		reset        bool
		want         string
	}{
		"with the marker":                   {streamBody, firstToken + lastToken + doneEvent, false, clean},
		"with a reset after the marker":     {streamBody, firstToken + lastToken + doneEvent, true, clean},
		"with an error after the marker":    {streamBody, firstToken + lastToken + doneEvent + `data: {"error":{"message":"late"}}` + "\n\n", false, clean},
		"without the marker":                {streamBody, firstToken + lastToken, false, clean},
		"in the middle of the marker":       {streamBody, firstToken + lastToken + "data: [DO", false, told},
		"without an end":                    {streamBody, firstToken, false, told},
		"one of two answers":                {two, firstToken + lastToken, false, told},
		"both of two answers":               {two, firstToken + lastToken + strings.Replace(lastToken, `"index":0`, `"index":1`, 1), false, clean},
		"content that is a list":            {streamBody, `data: {"choices":[{"delta":{"content":[{"text":"hi"}]}}]}` + "\n\n" + lastToken, false, clean},
		"a keep-alive in form of an event":  {streamBody, "data:\n\n" + firstToken + lastToken, false, clean},
		"carriage returns as line ends":     {streamBody, strings.ReplaceAll(firstToken+lastToken+doneEvent, "\n", "\r"), false, clean},
		"the first byte order mark is none": {streamBody, "\xef\xbb\xbf" + firstToken + lastToken, false, clean},
	} {
		t.Run(name, func(t *testing.T) {
			url, _ := raw(t, func(conn net.Conn, _ int64) {
				_, _ = io.WriteString(conn, streamHead+tc.stream)
				if tc.reset {
					time.Sleep(20 * time.Millisecond) // a reset overtakes what is under way
					_ = conn.(*net.TCPConn).SetLinger(0)
				}
				_ = conn.Close()
			})
			r := newRig(t, func(c *gateway.Config) { c.Plan = planOf(url) })
			got := r.ask(tc.body, "")
			end := clean
			if got.err != nil {
				end = "broken"
			}
			if got.err != nil && strings.Contains(got.body, "stream_interrupted") {
				end = told
			}
			if got.status != 200 || end != tc.want || end == clean && got.body != tc.stream {
				t.Errorf("status %d, end %s, want %s\n%q", got.status, end, tc.want, got.body)
			}
			if m := r.metrics("chat"); (m.Succeeded == 1) != (tc.want == clean) {
				t.Errorf("metrics %+v", m)
			}
		})
	}
}

// A complete stream is not held up by a provider that keeps the connection open.
func TestCompleteStreamDoesNotWait(t *testing.T) {
	url, _ := raw(t, func(conn net.Conn, _ int64) {
		_, _ = io.WriteString(conn, streamHead+firstToken+lastToken+doneEvent)
		_, _ = conn.Read(make([]byte, 1)) // until the gateway closes it
	})
	r := newRig(t, func(c *gateway.Config) { c.Plan = planOf(url) })
	started := time.Now()
	got := r.ask(streamBody, "")
	if got.err != nil || !strings.HasSuffix(got.body, doneEvent) || time.Since(started) > 10*time.Second {
		t.Errorf("after %v: %v, %q; want a clean end long before the idle limit", time.Since(started), got.err, got.body)
	}
	if m := r.metrics("chat"); m.Succeeded != 1 {
		t.Errorf("metrics %+v, want a success", m)
	}
}

func TestEmptyDeltasDoNotHideAStall(t *testing.T) {
	url, _ := raw(t, func(conn net.Conn, _ int64) {
		_, err := io.WriteString(conn, streamHead+firstToken)
		for ; err == nil; _, err = io.WriteString(conn, `data: {"choices":[{"delta":{"content":""}}]}`+"\n\n") {
			time.Sleep(10 * time.Millisecond)
		}
	})
	r := newRig(t, func(c *gateway.Config) {
		c.Plan, c.Limits = planOf(url), gateway.Limits{Idle: 200 * time.Millisecond, Total: 20 * time.Second}
	})
	started := time.Now()
	if got := r.ask(streamBody, ""); got.err == nil || !strings.Contains(got.body, "stream_interrupted") || time.Since(started) > 10*time.Second {
		t.Errorf("after %v: %v, want an interrupted stream after 200ms", time.Since(started), got.err)
	}
}

// A client that reads slowly is not the provider's fault.
//
// On a machine with much to do the provider is late now and then, too, and a short limit is rightly passed. So it is tried with longer ones:
// a limit that held for the client would be passed with each.
func TestSlowReaderIsNoStall(t *testing.T) {
	for idle := 150 * time.Millisecond; ; idle *= 4 {
		err := readSlowly(t, idle)
		if err == nil {
			return
		}
		if idle > 2*time.Second {
			t.Fatal(err)
		}
		t.Logf("with a limit of %v: %v", idle, err)
	}
}

// readSlowly reads a stream after four times of the limit between two pieces, and returns what was wrong with it.
func readSlowly(t *testing.T, idle time.Duration) error {
	t.Helper()
	big := strings.Replace(firstToken, "hi", strings.Repeat("x", 60_000), 1)
	url, _ := raw(t, func(conn net.Conn, _ int64) {
		_, _ = io.WriteString(conn, streamHead+strings.Repeat(big, 400)+lastToken+doneEvent)
		_ = conn.Close()
	})
	r := newRig(t, func(c *gateway.Config) {
		c.Plan, c.Limits = planOf(url), gateway.Limits{Idle: idle, Client: 2 * time.Minute}
	})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+"/v1/chat/completions", strings.NewReader(streamBody))
	if err != nil {
		return err
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	time.Sleep(4 * idle) // the client does something else; real sockets have no other clock
	n, err := io.Copy(io.Discard, resp.Body)
	want := int64(len(big)*400 + len(lastToken) + len(doneEvent))
	if err == nil && n != want {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return fmt.Errorf("read %d bytes, want %d: %w", n, want, err)
	}
	return nil
}

// The status of an error decides, also when its body never comes.
func TestErrorWhoseBodyHangs(t *testing.T) {
	url, requests := raw(t, func(conn net.Conn, _ int64) {
		_, _ = io.WriteString(conn, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 1000\r\n\r\n{")
		_, _ = conn.Read(make([]byte, 1))
	})
	r := newRig(t, func(c *gateway.Config) { c.Plan = planOf(url) })
	got := r.ask(plainBody, "")
	if _, code, _ := got.failure(t); got.status != 401 || code != "unreadable_provider_error" || requests.Load() != 1 {
		t.Errorf("status %d, code %q after %d requests; want 401, unreadable_provider_error, 1", got.status, code, requests.Load())
	}
}

func TestOddAnswers(t *testing.T) {
	for name, tc := range map[string]struct {
		status, headers, body string
		want                  int
		code                  string
		header                [2]string // name and value that the client must see
	}{
		"a status under 100":        {"099 Odd", jsonType, `{}`, 502, "bad_provider_answer", [2]string{}},
		"a status over 599":         {"777 Odd", jsonType, `{}`, 502, "bad_provider_answer", [2]string{}},
		"an error inside a 200":     {"200 OK", jsonType, `{"error":{"code":502,"message":"gone"}}`, 502, "provider_error_inside", [2]string{}},
		"an error that is a page":   {"503 Busy", "Retry-After: 0\r\nX-Request-Id: p1\r\n", "<html>", 503, "unreadable_provider_error", [2]string{"Retry-After", "0"}},
		"a page keeps its id":       {"503 Busy", "X-Request-Id: p1\r\n", "<html>", 503, "unreadable_provider_error", [2]string{gateway.ProviderIDHeader, "p1"}},
		"a wish to be asked again":  {"500 Odd", jsonType + "X-Should-Retry: true\r\n", `{"error":{"code":"x"}}`, 500, "x", [2]string{"X-Should-Retry", "false"}},
		"headers that are not its":  {"400 Bad", jsonType + "X-Trysail-Target: evil\r\nX-Trysail-Attempts: 9\r\n", `{"error":{"code":"x"}}`, 400, "x", [2]string{"X-Trysail-Target", "one"}},
		"a made-up provider id":     {"400 Bad", jsonType + "X-Trysail-Provider-Request-Id: fake\r\n", `{"error":{"code":"x"}}`, 400, "x", [2]string{gateway.ProviderIDHeader, ""}},
		"compressed without asking": {"200 OK", jsonType + "Content-Encoding: gzip\r\n", "\x1f\x8b", 200, "", [2]string{"Content-Encoding", "gzip"}},
	} {
		t.Run(name, func(t *testing.T) {
			url, _ := raw(t, func(conn net.Conn, _ int64) { say(conn, tc.status, tc.headers, tc.body) })
			r := newRig(t, func(c *gateway.Config) { c.Plan = planOf(url) })
			got := r.ask(plainBody, "", "Accept-Encoding", "identity")
			if got.status != tc.want {
				t.Fatalf("status %d, want %d\n%s", got.status, tc.want, got.body)
			}
			if tc.code != "" {
				if _, code, _ := got.failure(t); code != tc.code {
					t.Errorf("code %q, want %q", code, tc.code)
				}
			}
			if name := tc.header[0]; name != "" && got.header.Get(name) != tc.header[1] {
				t.Errorf("%s is %q, want %q", name, got.header.Get(name), tc.header[1])
			}
		})
	}
}

func TestKeysOfThisServerInAnyForm(t *testing.T) {
	seen := make(chan http.Header, 1)
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen <- r.Header.Clone()
		w.WriteHeader(http.StatusNoContent)
	}))
	defer provider.Close()
	r := newRig(t, func(c *gateway.Config) {
		c.Plan = planOf(provider.URL)
		c.OwnKey = func(s string) bool { return s == "own-key" }
	})
	for header, value := range map[string]string{
		"Authorization": "Bearer\town-key", "Proxy-Token": "Token own-key", "Api-Key": "own-key", "X-Any": "a=own-key, b", "X-Bare": `"own-key"`,
	} {
		r.do(t.Context(), http.MethodGet, "/v1/models", "", header, value)
		if got := <-seen; strings.Contains(fmt.Sprint(got), "own-key") {
			t.Errorf("%s: %q reaches the provider: %v", header, value, got)
		}
	}
}

func TestWhatIsNotForwarded(t *testing.T) {
	r := newRig(t, nil)
	for name, tc := range map[string]struct {
		method, path string
		status       int
	}{
		"a way out of the base path":      {"GET", "/v1/%2e%2e/%2e%2e/admin", 400},
		"another one":                     {"GET", "/v1/..%2fadmin", 400},
		"a method that shows the request": {"TRACE", "/v1/models", 405},
	} {
		t.Run(name, func(t *testing.T) {
			if got := r.do(t.Context(), tc.method, tc.path, ""); got.status != tc.status {
				t.Errorf("status %d, %v; want %d", got.status, got.err, tc.status)
			}
		})
	}
	if n := r.provider.Total(); n != 0 {
		t.Errorf("the provider was called %d times, want never", n)
	}
	if got := r.do(t.Context(), http.MethodHead, "/v1/models", ""); got.status != 200 && got.status != 405 {
		t.Errorf("HEAD: status %d, %v", got.status, got.err)
	}
}

func TestOperationsStayWithinTheirLimit(t *testing.T) {
	r := newRig(t, func(c *gateway.Config) { c.Limits = gateway.Limits{Operations: 10} })
	var calls sync.WaitGroup
	for i := range 64 {
		calls.Go(func() { r.ask(plainBody, "ok", gateway.OperationHeader, fmt.Sprintf("op-%d", i)) })
	}
	calls.Wait()
	if n := len(r.orchestrator.Operations()); n != 11 {
		t.Errorf("%d operations, want 10 and that of the target", n)
	}
}

// When the server stops, running requests end with an honest answer.
func TestStoppingIsTold(t *testing.T) {
	for name, body := range map[string]string{"plain": plainBody, "stream": streamBody} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			base, stop := context.WithCancelCause(context.Background())
			gw, err := gateway.New(gateway.Config{Orchestrator: mustNew(t), Plan: planOf(r.provider.URL)})
			if err != nil {
				t.Fatal(err)
			}
			server := httptest.NewUnstartedServer(gw)
			server.Config.BaseContext = func(net.Listener) context.Context { return base }
			server.Start()
			defer server.Close()
			seen := r.provider.Total()
			time.AfterFunc(50*time.Millisecond, func() {
				for r.provider.Total() == seen {
					time.Sleep(time.Millisecond) // a real socket cannot be waited for otherwise
				}
				stop(gateway.ErrStopping)
			})
			direct := *r
			direct.url = server.URL
			got := direct.ask(body, "stall:3")
			if !strings.Contains(got.body, "gateway_stopping") && !strings.Contains(got.body, "stream_interrupted") {
				t.Errorf("status %d, %v: %q", got.status, got.err, got.body)
			}
		})
	}
}

func mustNew(t *testing.T) *trysail.Orchestrator {
	t.Helper()
	orc, err := trysail.New(trysail.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return orc
}

func TestUploadsGrowWithWhatArrives(t *testing.T) {
	r := newRig(t, nil)
	body := bytes.Repeat([]byte("x"), 3<<20)
	got := r.do(t.Context(), http.MethodPost, "/v1/files", string(body), "Content-Type", "application/octet-stream")
	if got.status != 404 {
		t.Errorf("status %d, %v; want the provider's 404", got.status, got.err)
	}
	if seen := r.provider.Requests(); len(seen) != 1 {
		t.Errorf("the provider saw %d requests, want 1", len(seen))
	}
}
