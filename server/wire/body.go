package wire

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
)

// A body is that of an answer. The connection is in its hands until it ends.
type body struct {
	inner io.ReadCloser
	conn  *conn
	ctx   context.Context //nolint:containedctx // it lives as long as the request it belongs to
	stop  func() bool     // ends the watch over ctx; false if ctx has ended
	keep  bool            // the connection may be used again
	trace hooks
	ended atomic.Bool
	err   error // what Read ends with; of the goroutine that reads
}

// errClosed is what Read says after Close, as net/http's bodies do.
var errClosed = errors.New("http: read on closed response body")

// Read implements [io.Reader]. At the end of the body the connection goes back to the pool.
func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if b.ended.Load() {
		return 0, errClosed
	}
	n, err := b.inner.Read(p)
	if err == nil {
		return n, nil
	}
	switch {
	case errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		b.end(b.keep)
	case b.ctx.Err() != nil:
		err = context.Cause(b.ctx)
		b.end(false)
	default:
		b.end(false)
	}
	b.err = err
	return n, err
}

// Close implements [io.Closer]. What has not been read is not waited for.
func (b *body) Close() error {
	b.end(false)
	return nil
}

// end gives the connection away, once.
func (b *body) end(keep bool) {
	if b.ended.Swap(true) {
		return
	}
	if !b.stop() || !keep || b.conn.reader.Buffered() > 0 {
		_ = b.conn.Close()
		return
	}
	b.trace.put(b.conn.pool.put(b.conn))
}
