package llm_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/trysail-go/trysail/llm"
)

// A vector is one entry of testdata/provider_vectors.json.
type vector struct {
	Name     string
	Provider llm.Provider
	Kind     string // http, stream, body200 or transport
	Status   int
	Headers  map[string]string
	Body     string
	Event    string `json:"sse_event"`

	GoError   string `json:"go_error"`
	Phase     string
	CallerCtx string `json:"caller_ctx"`

	WantClass     string `json:"want_class"`
	WantRetryable bool   `json:"want_retryable"`
	WantDelay     *int64 `json:"want_delay_ms"`
	WantScope     string `json:"want_scope"`
}

func vectors(tb testing.TB) []vector {
	tb.Helper()
	file, err := os.ReadFile("testdata/provider_vectors.json")
	if err != nil {
		tb.Fatal(err)
	}
	var all []vector
	if err := json.Unmarshal(file, &all); err != nil {
		tb.Fatal(err)
	}
	return all
}

func (v vector) response() llm.Response {
	h := http.Header{}
	for name, value := range v.Headers {
		h.Set(name, value)
	}
	return llm.Response{
		Provider: v.Provider, Status: v.Status, Header: h, Body: []byte(v.Body),
		Stream: v.Kind == "stream", Event: v.Event,
	}
}

// outcome is what a vector fixes of a verdict, as text, so that it can be compared and read.
func outcome(v llm.Verdict) string {
	delay := "no delay"
	if v.HasDelay {
		delay = fmt.Sprintf("%d ms", (v.Delay+time.Millisecond-1)/time.Millisecond)
	}
	if !v.Failed {
		return "none"
	}
	return fmt.Sprintf("%v, retryable %t, %s, scope %s", v.Class, v.Retryable, delay, v.Scope)
}

func (v vector) want() string {
	delay := "no delay"
	if v.WantDelay != nil {
		delay = fmt.Sprintf("%d ms", *v.WantDelay)
	}
	if v.WantClass == "none" {
		return "none"
	}
	return fmt.Sprintf("%s, retryable %t, %s, scope %s", v.WantClass, v.WantRetryable, delay, v.WantScope)
}

func TestVectors(t *testing.T) {
	for _, v := range vectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			got := v.judge(t)
			if outcome(got) != v.want() {
				t.Errorf("%s:\n got %s (reason %q)\nwant %s", v.Body, outcome(got), got.Reason, v.want())
			}
		})
	}
}

func (v vector) judge(t *testing.T) llm.Verdict {
	t.Helper()
	if v.Kind != "transport" {
		return llm.Classify(v.response())
	}
	ctx, cancel := callerContext(t, v.CallerCtx)
	defer cancel()
	got := llm.ClassifyError(ctx, v.Provider, goError(t, v.GoError))
	if v.Phase == "after_first_byte" {
		got = got.Committed()
	}
	return got
}

func callerContext(t *testing.T, state string) (context.Context, context.CancelFunc) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	switch {
	case strings.HasPrefix(state, "canceled"), strings.HasPrefix(state, "cancelled"):
		cancel()
	case strings.HasPrefix(state, "deadline"):
		cancel()
		return context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	case state == "alive":
	default:
		t.Fatalf("caller_ctx %q is not known", state)
	}
	return ctx, cancel
}

// timeout is a net.Error of net/http, whose own types are not exported.
type timeout struct{ text string }

func (e timeout) Error() string   { return e.text }
func (e timeout) Timeout() bool   { return true }
func (e timeout) Temporary() bool { return true }
func (e timeout) Is(err error) bool {
	return err == context.DeadlineExceeded
}

// http2Error copies itself into what looks for it, as net/http's own error does.
type http2Error struct{ code uint32 }

func (e http2Error) Error() string { return "stream error: stream ID 1" }
func (e http2Error) As(target any) bool {
	stream, ok := target.(*llm.StreamError)
	if ok {
		*stream = llm.StreamError{StreamID: 1, Code: e.code}
	}
	return ok
}

// goErrors builds the errors that the vectors name.
func goErrors() map[string]error {
	post := func(err error) error { return &url.Error{Op: "Post", URL: "https://example.invalid", Err: err} }
	op := func(name string, err error) error { return post(&net.OpError{Op: name, Net: "tcp", Err: err}) }
	return map[string]error{
		"syscall.ECONNREFUSED":                                                 op("dial", os.NewSyscallError("connect", syscall.ECONNREFUSED)),
		"syscall.ECONNRESET":                                                   op("read", os.NewSyscallError("read", syscall.ECONNRESET)),
		"syscall.EPIPE (net.OpError op=write)":                                 op("write", os.NewSyscallError("write", syscall.EPIPE)),
		"context.DeadlineExceeded":                                             post(context.DeadlineExceeded),
		"context.DeadlineExceeded from our per-attempt context":                post(context.DeadlineExceeded),
		"context.Canceled":                                                     post(context.Canceled),
		"http.ErrSchemeMismatch":                                               post(http.ErrSchemeMismatch),
		"*tls.CertificateVerificationError{x509.HostnameError}":                post(&tls.CertificateVerificationError{Err: x509.HostnameError{Certificate: &x509.Certificate{}, Host: "a"}}),
		"*tls.CertificateVerificationError{x509.UnknownAuthorityError}":        post(&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}),
		"http2 StreamError code=ENHANCE_YOUR_CALM":                             post(http2Error{11}),
		"http2 StreamError code=INTERNAL_ERROR":                                post(http2Error{2}),
		"http2 StreamError code=REFUSED_STREAM":                                post(http2Error{7}),
		"*net.DNSError{IsTimeout:true}":                                        op("dial", &net.DNSError{Err: "i/o timeout", IsTimeout: true, IsTemporary: true}),
		"*net.DNSError{IsNotFound:true}":                                       op("dial", &net.DNSError{Err: "no such host", IsNotFound: true}),
		"net/http: timeout awaiting response headers (Is DeadlineExceeded)":    post(timeout{"net/http: timeout awaiting response headers"}),
		"Client.Timeout exceeded while awaiting headers (Is DeadlineExceeded)": post(timeout{"Client.Timeout exceeded while awaiting headers"}),
		"net/http: TLS handshake timeout":                                      post(timeout{"net/http: TLS handshake timeout"}),
		"*url.Error{io.EOF}":                                                   post(io.EOF),
		"io.ErrUnexpectedEOF":                                                  io.ErrUnexpectedEOF,
	}
}

func goError(t *testing.T, name string) error {
	t.Helper()
	errs := goErrors()
	if err, ok := errs[name]; ok {
		return err
	}
	t.Fatalf("go_error %q is not among %q", name, slices.Sorted(maps.Keys(errs)))
	return errors.New(name)
}
