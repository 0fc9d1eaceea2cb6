package wire_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trysail-go/trysail/server/wire"
)

func TestKeepsConnection(t *testing.T) {
	for name, answer := range map[string]string{
		"length": fine, "chunked": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "no body": "HTTP/1.1 204 No Content\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			s, rt := serveRaw(t, says(answer)), newTransport(t)
			for range 20 {
				if _, _, err := get(rt, newRequest(t, http.MethodPost, s.url, "question")); err != nil {
					t.Fatal(err)
				}
			}
			if n := s.accepted.Load(); n != 1 {
				t.Errorf("%d connections for 20 requests, want 1", n)
			}
		})
	}
}

func TestWritesAsNetHTTP(t *testing.T) {
	heads := make(chan string, 2)
	s := serveRaw(t, func(c net.Conn, r *bufio.Reader) {
		var head strings.Builder
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			if head.WriteString(line); line == "\r\n" {
				break
			}
		}
		text := make([]byte, 8)
		if _, err := io.ReadFull(r, text); err != nil {
			return
		}
		heads <- head.String() + string(text)
		_, _ = io.WriteString(c, fine)
	})
	var got []string
	for _, rt := range []http.RoundTripper{newTransport(t), newBase()} {
		req := newRequest(t, http.MethodPost, s.url+"/v1/a%2Fb?x=1&y=%20", "question")
		req.Header = http.Header{"Accept": {"a", "b"}, "X-Odd_Name": {" spaces "}, "Content-Type": {"application/json"}, "User-Agent": {"me"}}
		req.Host = "other.example"
		if _, _, err := get(rt, req); err != nil {
			t.Fatal(err)
		}
		got = append(got, within(t, heads, "a request"))
	}
	if got[0] != got[1] {
		t.Errorf("sent %q, want %q", got[0], got[1])
	}
}

// TestClosedWhileIdle is why a connection is looked at before it is used: providers close idle ones often.
func TestClosedWhileIdle(t *testing.T) {
	hangUp := make(chan struct{})
	gone := make(chan struct{})
	s := serveRaw(t, func(c net.Conn, r *bufio.Reader) {
		_ = readRequest(r)
		_, _ = io.WriteString(c, fine)
		<-hangUp
		_ = c.Close()
		close(gone)
	}, says(fine))
	rt := newTransport(t)
	for i := range 2 {
		if _, text, err := get(rt, newRequest(t, http.MethodPost, s.url, "question")); err != nil || text != "ok" {
			t.Fatalf("request %d: %q, %v", i, text, err)
		}
		if i == 0 {
			close(hangUp)
			within(t, gone, "the server hangs up")
		}
	}
	if n := s.accepted.Load(); n != 2 {
		t.Errorf("%d connections, want 2", n)
	}
}

// TestClosedOnUse is the case that no look can see: the server closes when the request is on its way.
func TestClosedOnUse(t *testing.T) {
	once := func(c net.Conn, r *bufio.Reader) {
		_ = readRequest(r)
		_, _ = io.WriteString(c, fine)
		_ = readRequest(r)
		_ = c.Close()
	}
	for name, tc := range map[string]struct {
		method, key string
		ok          bool
	}{
		"GET is sent again":                    {http.MethodGet, "", true},
		"POST is not":                          {http.MethodPost, "", false},
		"POST with a key for it is sent again": {http.MethodPost, "1", true},
	} {
		t.Run(name, func(t *testing.T) {
			s, rt := serveRaw(t, once, says(fine)), newTransport(t)
			if _, _, err := get(rt, newRequest(t, http.MethodPost, s.url, "question")); err != nil {
				t.Fatal(err)
			}
			req := newRequest(t, tc.method, s.url, map[string]string{http.MethodPost: "question"}[tc.method])
			if tc.key != "" {
				req.Header.Set("Idempotency-Key", tc.key)
			}
			var reused, answered bool
			trace := httptrace.ClientTrace{
				GotConn:              func(i httptrace.GotConnInfo) { reused = reused || i.Reused },
				GotFirstResponseByte: func() { answered = true },
			}
			_, text, err := get(rt, req.WithContext(httptrace.WithClientTrace(req.Context(), &trace)))
			if tc.ok != (err == nil && text == "ok") || !tc.ok && !errors.Is(err, io.EOF) {
				t.Errorf("%q, %v", text, err)
			}
			if !reused || answered != tc.ok {
				t.Errorf("reused %v, answered %v; want true, %v", reused, answered, tc.ok)
			}
		})
	}
}

func TestCancel(t *testing.T) {
	const half = "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf"
	why := errors.New("enough")
	for name, before := range map[string]string{"before the head": "", "in the head": half[:20], "in the body": half} {
		t.Run(name, func(t *testing.T) {
			began := make(chan struct{})
			s := serveRaw(t, func(c net.Conn, r *bufio.Reader) {
				_ = readRequest(r)
				_, _ = io.WriteString(c, before)
				close(began)
			}, says(fine))
			rt := newTransport(t)
			ctx, cancel := context.WithCancelCause(t.Context())
			go func() {
				<-began
				cancel(why)
			}()
			if _, _, err := get(rt, newRequest(t, http.MethodPost, s.url, "question").WithContext(ctx)); !errors.Is(err, why) {
				t.Errorf("error %v, want %v", err, why)
			}
			within(t, s.closed, "the connection is closed")
			if _, text, err := get(rt, newRequest(t, http.MethodPost, s.url, "question")); err != nil || text != "ok" {
				t.Errorf("the next request: %q, %v", text, err)
			}
		})
	}
	t.Run("before it began", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(why)
		body := &watched{Reader: strings.NewReader("question")}
		req := newRequest(t, http.MethodPost, serveRaw(t, says(fine)).url, "question").WithContext(ctx)
		req.Body = body
		if _, err := newTransport(t).RoundTrip(req); !errors.Is(err, why) || !body.closed {
			t.Errorf("error %v, body closed %v; want %v, true", err, body.closed, why)
		}
	})
}

type watched struct {
	io.Reader
	closed bool
}

func (w *watched) Close() error {
	w.closed = true
	return nil
}

func TestCloseLeavesNothing(t *testing.T) {
	s, rt := serveRaw(t, says("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf")), newTransport(t)
	resp, err := rt.RoundTrip(newRequest(t, http.MethodGet, s.url, ""))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(resp.Body.Close(), resp.Body.Close()); err != nil {
		t.Error(err)
	}
	within(t, s.closed, "the connection is closed")
	if n, err := resp.Body.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("Read after Close = %d, %v; want an error", n, err)
	}
}

func TestHeadHasALimit(t *testing.T) {
	s := serveRaw(t, says("HTTP/1.1 200 OK\r\nX-Long: "+strings.Repeat("a", 9000)+"\r\nContent-Length: 0\r\n\r\n"))
	base := newBase()
	base.MaxResponseHeaderBytes = 8000
	rt := wire.New(base)
	if _, _, err := get(rt, newRequest(t, http.MethodGet, s.url, "")); err == nil || !strings.Contains(err.Error(), "8000 bytes") {
		t.Errorf("error %v, want one that names the limit of 8000 bytes", err)
	}
	base = newBase()
	base.MaxResponseHeaderBytes = 10_000
	if _, _, err := get(wire.New(base), newRequest(t, http.MethodGet, s.url, "")); err != nil {
		t.Error(err)
	}
}

func TestInformationalAnswersHaveALimit(t *testing.T) {
	endless := func(c net.Conn, r *bufio.Reader) {
		_ = readRequest(r)
		for {
			if _, err := io.WriteString(c, "HTTP/1.1 102 Processing\r\nX-Long: "+strings.Repeat("a", 5000)+"\r\n\r\n"); err != nil {
				return
			}
		}
	}
	if _, _, err := get(newTransport(t), newRequest(t, http.MethodGet, serveRaw(t, endless).url, "")); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("error %v, want one that says that the head is too large", err)
	}
	count := 0
	trace := httptrace.ClientTrace{Got1xxResponse: func(code int, _ textproto.MIMEHeader) error {
		if count++; count > 3000 {
			return errors.New("enough")
		}
		return nil
	}}
	req := newRequest(t, http.MethodGet, serveRaw(t, endless).url, "")
	if _, _, err := get(newTransport(t), req.WithContext(httptrace.WithClientTrace(req.Context(), &trace))); err == nil || err.Error() != "enough" {
		t.Errorf("error %v, want the hook's", err)
	}
}

func TestIdleConnectionsEnd(t *testing.T) {
	for name, end := range map[string]func(*wire.Transport){
		"after their time": func(*wire.Transport) {},
		"when told":        (*wire.Transport).CloseIdleConnections,
	} {
		t.Run(name, func(t *testing.T) {
			s, base := serveRaw(t, says(fine)), newBase()
			if name == "after their time" {
				base.IdleConnTimeout = time.Millisecond
			}
			rt := wire.New(base)
			for range 2 { // the timer starts again
				if _, _, err := get(rt, newRequest(t, http.MethodGet, s.url, "")); err != nil {
					t.Fatal(err)
				}
				end(rt)
				within(t, s.closed, "the connection is closed")
			}
		})
	}
}

// TestRefusedBeforeRead is a server that answers when it has seen the head, and hangs up.
func TestRefusedBeforeRead(t *testing.T) {
	s := serveRaw(t, func(c net.Conn, r *bufio.Reader) {
		if _, err := r.Peek(1); err != nil {
			return
		}
		_, _ = io.WriteString(c, "HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno")
		_, _ = io.Copy(io.Discard, r)
	})
	resp, text, err := get(newTransport(t), newRequest(t, http.MethodPost, s.url, strings.Repeat("a", 60<<10)))
	if err != nil || resp.StatusCode != http.StatusRequestEntityTooLarge || text != "no" {
		t.Errorf("%v, %q, %v; want the answer", resp, text, err)
	}
}

// TestOtherRequests go to net/http, which they must reach whole.
func TestOtherRequests(t *testing.T) {
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		_, _ = w.Write(text)
	})
	plain := httptest.NewServer(echo)
	defer plain.Close()
	rt := newTransport(t)
	large := strings.Repeat("a", 1<<20)
	for name, change := range map[string]func(*http.Request){
		"large":    func(*http.Request) {},
		"no end":   func(r *http.Request) { r.ContentLength = -1 },
		"expect":   func(r *http.Request) { r.Header.Set("Expect", "100-continue") },
		"trailers": func(r *http.Request) { r.ContentLength, r.Trailer = -1, http.Header{"X-End": {"1"}} },
	} {
		t.Run(name, func(t *testing.T) {
			req := newRequest(t, http.MethodPost, plain.URL, large)
			change(req)
			if _, text, err := get(rt, req); err != nil || text != large {
				t.Errorf("%d bytes, %v", len(text), err)
			}
		})
	}
	for name, spoil := range map[string]func(*http.Request){
		"header name":  func(r *http.Request) { r.Header["a b"] = []string{"1"} },
		"header value": func(r *http.Request) { r.Header["A"] = []string{"1\r\nB: 2"} },
		"method":       func(r *http.Request) { r.Method = "A B" },
		"no host":      func(r *http.Request) { r.URL = &url.URL{Scheme: "http"} },
		"scheme":       func(r *http.Request) { r.URL = &url.URL{Scheme: "ftp", Host: "a"} },
	} {
		t.Run("bad "+name, func(t *testing.T) {
			req := newRequest(t, http.MethodPost, plain.URL, "question")
			spoil(req)
			if _, _, err := get(rt, req); err == nil {
				t.Error("no error, want net/http's")
			}
		})
	}
}

func TestProxy(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "proxy for "+r.URL.Host) }))
	defer proxy.Close()
	at, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	base := newBase()
	base.Proxy = http.ProxyURL(at)
	if _, text, err := get(wire.New(base), newRequest(t, http.MethodGet, "http://provider.example/", "")); err != nil || text != "proxy for provider.example" {
		t.Errorf("%q, %v", text, err)
	}
}

func TestTLS(t *testing.T) {
	for name, tc := range map[string]struct {
		http2 bool
		proto string
	}{"HTTP/2 where the server has it": {true, "HTTP/2.0"}, "HTTP/1.1": {false, "HTTP/1.1"}} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }))
			s.EnableHTTP2 = tc.http2
			s.StartTLS()
			defer s.Close()
			base := newBase()
			base.ForceAttemptHTTP2 = true
			base.TLSClientConfig = s.Client().Transport.(*http.Transport).TLSClientConfig.Clone() //nolint:forcetypeassert // httptest's is one
			base.TLSClientConfig.NextProtos = nil
			rt := wire.New(base)
			defer rt.CloseIdleConnections()
			for range 5 {
				resp, text, err := get(rt, newRequest(t, http.MethodPost, s.URL, "question"))
				if err != nil || text != tc.proto || resp.TLS == nil || !resp.TLS.HandshakeComplete {
					t.Fatalf("%q, %v; want %q over TLS", text, err, tc.proto)
				}
			}
		})
	}
}

// TestManyAtOnce has callers who read all, who close early and who leave share the connections.
func TestManyAtOnce(t *testing.T) {
	long := strings.Repeat("0123456789", 5000)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		_, _ = io.WriteString(w, string(text)+long)
	}))
	defer s.Close()
	rt := newTransport(t)
	var all sync.WaitGroup
	for caller := range 16 {
		all.Go(func() {
			for i := range 50 {
				question := strings.Repeat(string(rune('a'+caller)), i+1)
				ctx, cancel := context.WithCancel(t.Context())
				resp, err := rt.RoundTrip(newRequest(t, http.MethodPost, s.URL, question).WithContext(ctx))
				if err != nil {
					t.Error(err)
					cancel()
					return
				}
				switch i % 3 {
				case 0:
					cancel()
				case 1:
					_, _ = io.ReadFull(resp.Body, make([]byte, 10))
				default:
					if text, err := io.ReadAll(resp.Body); err != nil || !bytes.Equal(text, []byte(question+long)) {
						t.Errorf("%d bytes, %v; want %d", len(text), err, len(question)+len(long))
					}
				}
				_ = resp.Body.Close()
				cancel()
			}
		})
	}
	all.Wait()
}
