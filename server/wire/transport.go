package wire

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync"
	"syscall"
)

// maxBody is how large a request may be that is written before its answer is read. What a socket takes at once
// cannot wait for a server that answers first.
const maxBody = 64 << 10

// A Transport is an [http.RoundTripper] that speaks HTTP/1.1 with as little ado as it can. Answers and errors are those of
// http.Transport, with three differences: an idle connection that its server has closed is closed when it is next looked at, or after the
// idle time-out; an answer 101 to a request that did not ask for an upgrade has no body to write to; and what Close leaves unread of a
// body ends the connection. Several goroutines may use it.
type Transport struct {
	base *http.Transport
	able bool // base has no setting that is not heeded here
	idle pool

	// plain holds the hosts that have answered with HTTP/1.1 over TLS: those others may prefer HTTP/2. It grows
	// with the hosts that are asked.
	plain sync.Map
}

// New returns a transport with the settings of base, which makes the requests that it does not make itself. base must
// not be changed from then on.
func New(base *http.Transport) *Transport {
	t := &Transport{base: base, able: able(base)}
	t.idle.limits(base)
	return t
}

// able reports whether a transport has only settings that are heeded here.
func able(base *http.Transport) bool {
	return base.DialTLSContext == nil && base.DialTLS == nil && base.Dial == nil && //nolint:staticcheck // deprecated, and still in use
		base.DisableCompression && !base.DisableKeepAlives && base.MaxConnsPerHost == 0 &&
		base.ResponseHeaderTimeout == 0 && base.Protocols == nil && base.HTTP2 == nil
}

// CloseIdleConnections closes the connections that serve no request.
func (t *Transport) CloseIdleConnections() {
	t.idle.closeAll()
	t.base.CloseIdleConnections()
}

// RoundTrip implements [http.RoundTripper].
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if !t.able || !simple(req) || t.proxied(req) {
		return t.base.RoundTrip(req)
	}
	at := place{req.URL.Scheme, req.URL.Host}
	if at.scheme == "https" {
		if _, plain := t.plain.Load(at.host); !plain {
			return t.learn(req)
		}
	}
	return t.send(req, at)
}

// proxied reports whether the request does not go straight to its host.
func (t *Transport) proxied(req *http.Request) bool {
	if t.base.Proxy == nil {
		return false
	}
	proxy, err := t.base.Proxy(req)
	return proxy != nil || err != nil
}

// learn has the base make the request, and notes whether the host speaks HTTP/1.1.
func (t *Transport) learn(req *http.Request) (*http.Response, error) {
	resp, err := t.base.RoundTrip(req)
	if err == nil && resp.ProtoMajor == 1 && resp.TLS != nil {
		t.plain.Store(req.URL.Host, true)
	}
	return resp, err
}

// send makes the request. One that may be repeated is, when its connection turns out to be dead.
func (t *Transport) send(req *http.Request, at place) (*http.Response, error) {
	trace := hooks{httptrace.ContextClientTrace(req.Context())}
	trace.getConn(at)
	c := t.idle.take(at)
	if c == nil {
		return t.sendFresh(req, at, trace)
	}
	resp, err := c.roundTrip(req, trace)
	if err == nil || c.answered || !gone(err) || req.Context().Err() != nil {
		return resp, err
	}
	again, ok := repeatable(req)
	if !ok {
		return nil, err
	}
	return t.sendFresh(again, at, trace)
}

func (t *Transport) sendFresh(req *http.Request, at place, trace hooks) (*http.Response, error) {
	c, err := t.dial(req.Context(), at, trace)
	if err != nil {
		closeBody(req)
		return nil, err
	}
	return c.roundTrip(req, trace)
}

// repeatable returns a copy of a request to send again, if nothing happens twice by that (RFC 9110, 9.2.2; net/http has the same rule).
func repeatable(req *http.Request) (*http.Request, bool) {
	switch req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
	default:
		if !has(req.Header, "Idempotency-Key") && !has(req.Header, "X-Idempotency-Key") {
			return nil, false
		}
	}
	if req.Body == nil || req.Body == http.NoBody {
		return req, true
	}
	if req.GetBody == nil {
		return nil, false
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, false
	}
	again := *req
	again.Body = body
	return &again, true
}

// gone reports whether an error is that of a connection that the server has closed.
func gone(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}

// A place is where connections lead to.
type place struct{ scheme, host string }

// address returns the host with its port.
func (p place) address() string {
	u := url.URL{Host: p.host}
	port := u.Port()
	switch {
	case port != "":
	case p.scheme == "https":
		port = "443"
	default:
		port = "80"
	}
	return net.JoinHostPort(u.Hostname(), port)
}
