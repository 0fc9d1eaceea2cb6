package wire

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"syscall"
	"time"
)

// dial opens a connection. It ends with the context, and with the base's limits.
func (t *Transport) dial(ctx context.Context, at place, trace hooks) (*conn, error) {
	dial := t.base.DialContext
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	raw, err := dial(ctx, "tcp", at.address())
	if err != nil {
		return nil, cause(ctx, err)
	}
	c := &conn{Conn: raw, at: at, pool: &t.idle}
	if sc, ok := raw.(syscall.Conn); ok {
		if c.socket, err = sc.SyscallConn(); err != nil {
			c.socket = nil
		}
	}
	c.look = func(fd uintptr) bool {
		c.silent = quiet(fd)
		return true
	}
	if at.scheme == "https" {
		if c.Conn, err = t.handshake(ctx, raw, at, trace); err != nil {
			_ = raw.Close()
			return nil, cause(ctx, err)
		}
	}
	c.reader = bufio.NewReaderSize(c, t.idle.readSize)
	return c, nil
}

// handshake agrees on TLS and on HTTP/1.1.
func (t *Transport) handshake(ctx context.Context, raw net.Conn, at place, trace hooks) (net.Conn, error) {
	config := &tls.Config{}
	if t.base.TLSClientConfig != nil {
		config = t.base.TLSClientConfig.Clone()
	}
	if config.ServerName == "" {
		config.ServerName = (&url.URL{Host: at.host}).Hostname()
	}
	config.NextProtos = []string{"http/1.1"}
	if limit := t.base.TLSHandshakeTimeout; limit > 0 {
		_ = raw.SetDeadline(time.Now().Add(limit))
		defer func() { _ = raw.SetDeadline(time.Time{}) }()
	}
	secure := tls.Client(raw, config)
	trace.tlsBegins()
	err := secure.HandshakeContext(ctx)
	trace.tlsEnds(secure, err)
	if err != nil {
		return nil, fmt.Errorf("agree on TLS: %w", err)
	}
	return secure, nil
}

// cause returns why the context has ended, if it has, or else the error.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// state returns what was agreed on, nil without TLS.
func (c *conn) state() *tls.ConnectionState {
	secure, ok := c.Conn.(*tls.Conn)
	if !ok {
		return nil
	}
	state := secure.ConnectionState()
	return &state
}
