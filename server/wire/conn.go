package wire

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/textproto"
	"syscall"
	"time"
)

// A conn is a connection. It belongs to one request at a time, or to the pool.
type conn struct {
	net.Conn
	at     place
	pool   *pool
	reader *bufio.Reader
	head   int64 // how many bytes of the answer's head may still come; negative: no limit, the body is read

	socket syscall.RawConn // nil if it cannot be looked at
	look   func(fd uintptr) bool
	silent bool // what look found

	reused   bool
	answered bool      // the first byte of an answer has come
	since    time.Time // idle since
}

// Read implements [io.Reader], for the buffered reader: it ends an answer whose head has no end.
func (c *conn) Read(p []byte) (int, error) {
	if c.head < 0 {
		return c.Conn.Read(p)
	}
	if c.head == 0 {
		return 0, errHead
	}
	n, err := c.Conn.Read(p[:min(int64(len(p)), c.head)])
	c.head -= int64(n)
	return n, err
}

var errHead = errors.New("the head of the answer is too large")

// long is when everything is too late.
var long = time.Unix(1, 0) //nolint:gochecknoglobals // a constant

// roundTrip sends a request and reads the head of its answer. The connection goes back to the pool when the body
// has been read.
func (c *conn) roundTrip(req *http.Request, trace hooks) (*http.Response, error) {
	ctx := req.Context()
	if ctx.Err() != nil {
		_ = c.pool.put(c)
		closeBody(req)
		return nil, context.Cause(ctx)
	}
	trace.gotConn(c)
	// A read or a write that waits ends with the context, and so does the connection.
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(long) })
	resp, err := c.exchange(req, trace)
	if err != nil {
		stop()
		_ = c.Close()
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, err
	}
	b := &body{inner: resp.Body, conn: c, ctx: ctx, stop: stop, keep: !resp.Close && !req.Close && resp.StatusCode >= http.StatusOK, trace: trace}
	resp.Body = b
	if b.inner == http.NoBody {
		resp.Body = http.NoBody
		b.end(b.keep)
	}
	return resp, nil
}

// exchange writes the request and reads the answer until its body.
func (c *conn) exchange(req *http.Request, trace hooks) (*http.Response, error) {
	wrote := c.write(req)
	trace.wrote(wrote)
	if wrote != nil && !gone(wrote) {
		return nil, wrote
	}
	// A server that refuses a request may answer before it has read it, and close: the answer tells more than the failed write.
	resp, err := c.readHead(req, trace)
	if err != nil {
		return nil, firstOf(wrote, err)
	}
	if wrote != nil {
		resp.Close = true
	}
	return resp, nil
}

func firstOf(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// write sends the request in one piece.
func (c *conn) write(req *http.Request) error {
	buffer := c.pool.buffer()
	defer c.pool.giveBack(buffer)
	if err := req.Write(buffer); err != nil {
		return fmt.Errorf("read the request to be sent: %w", err)
	}
	if _, err := c.Write(buffer.Bytes()); err != nil {
		return fmt.Errorf("send the request: %w", err)
	}
	return nil
}

// readHead reads until the body of the answer. Informational answers before it count towards the limit of its head, unless a hook
// hears of them, which may count for itself: net/http has the same rule.
func (c *conn) readHead(req *http.Request, trace hooks) (*http.Response, error) {
	c.answered = false
	c.head = c.pool.headSize
	if _, err := c.reader.Peek(1); err != nil {
		return nil, fmt.Errorf("wait for the answer: %w", err)
	}
	c.answered = true
	trace.firstByte()
	for {
		resp, err := http.ReadResponse(c.reader, req)
		if err != nil {
			return nil, c.headError(err)
		}
		if resp.StatusCode >= 200 || resp.StatusCode == http.StatusSwitchingProtocols || resp.StatusCode < 100 {
			c.head = -1
			resp.TLS = c.state()
			return resp, nil
		}
		heard, err := trace.informed(resp.StatusCode, textproto.MIMEHeader(resp.Header))
		if err != nil {
			return nil, err
		}
		if heard {
			c.head = c.pool.headSize
		}
	}
}

func (c *conn) headError(err error) error {
	if c.head == 0 {
		return fmt.Errorf("%w: over %d bytes", errHead, c.pool.headSize)
	}
	return fmt.Errorf("read the head of the answer: %w", err)
}

// fresh reports whether the server has neither closed the connection nor said anything: an idle connection is good for a request
// only then.
func (c *conn) fresh() bool {
	if c.reader.Buffered() > 0 {
		return false
	}
	if c.socket == nil {
		return true
	}
	c.silent = false
	err := c.socket.Read(c.look)
	return err == nil && c.silent
}
