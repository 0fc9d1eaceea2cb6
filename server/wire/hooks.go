package wire

import (
	"crypto/tls"
	"net/http/httptrace"
	"net/textproto"
	"time"
)

// hooks are those of a request's context. Without one they do nothing.
type hooks struct{ trace *httptrace.ClientTrace }

func (h hooks) getConn(at place) {
	if h.trace != nil && h.trace.GetConn != nil {
		h.trace.GetConn(at.address())
	}
}

func (h hooks) gotConn(c *conn) {
	if h.trace == nil || h.trace.GotConn == nil {
		return
	}
	info := httptrace.GotConnInfo{Conn: c.Conn, Reused: c.reused, WasIdle: c.reused}
	if c.reused {
		info.IdleTime = time.Since(c.since)
	}
	h.trace.GotConn(info)
}

func (h hooks) wrote(err error) {
	if h.trace != nil && h.trace.WroteRequest != nil {
		h.trace.WroteRequest(httptrace.WroteRequestInfo{Err: err})
	}
}

func (h hooks) firstByte() {
	if h.trace != nil && h.trace.GotFirstResponseByte != nil {
		h.trace.GotFirstResponseByte()
	}
}

// informed reports whether anybody has heard of an informational answer.
func (h hooks) informed(code int, header textproto.MIMEHeader) (bool, error) {
	if h.trace == nil || h.trace.Got1xxResponse == nil {
		return false, nil
	}
	return true, h.trace.Got1xxResponse(code, header)
}

func (h hooks) put(err error) {
	if h.trace != nil && h.trace.PutIdleConn != nil {
		h.trace.PutIdleConn(err)
	}
}

func (h hooks) tlsBegins() {
	if h.trace != nil && h.trace.TLSHandshakeStart != nil {
		h.trace.TLSHandshakeStart()
	}
}

func (h hooks) tlsEnds(c *tls.Conn, err error) {
	if h.trace != nil && h.trace.TLSHandshakeDone != nil {
		h.trace.TLSHandshakeDone(c.ConnectionState(), err)
	}
}
