package gateway

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
)

// errOvertaken is why a send is called off that is not needed any more. For the target's breaker that is the caller's leaving: neither a success nor a
// failure, and only where a rule is about slow calls, a slow one if it was.
var errOvertaken = trysail.WithClass(trysail.ErrHedgeLost, trysail.ClassCanceled, 0)

// A racer is a send that has not come to its commit point. Its goroutine brings it there and touches nothing of the call but what is here; then it
// hands itself over, once, or, if it was called off, ends its visit.
type racer struct {
	visit   *visit
	hedge   bool // it is the second one, and must get its target's permit
	trip    trip
	watch   *watchdog
	ctx     context.Context //nolint:containedctx // it lives as long as the racer
	cancel  context.CancelCauseFunc
	reads   reads
	prompt  float64 // tokens that it costs, as estimated
	results chan<- *racer
	log     *slog.Logger

	state  atomic.Int32 // setOff, sent or calledOff
	sentAt time.Time    // valid from sent on

	// What has come of it; the call's from when it is handed over.
	refused  error // the target does not take the call
	resp     *http.Response
	err      error // there is no answer
	commits  bool  // taking it sends the client a part
	readyAt  time.Time
	panicked any

	number int  // of its first send; the call's alone, as is the next
	taken  bool // it has been looked at

	mu     sync.Mutex // guards what follows
	lost   bool
	handed bool
}

// States of a racer.
const (
	setOff    int32 = iota // it waits for its permit
	sent                   // the provider may have the request
	calledOff              // nothing was sent, and nothing will be
)

// run is the racer's goroutine.
func (c *racer) run() {
	defer c.hand()
	defer func() { c.panicked = recover() }()
	if c.hedge {
		permit, err := c.visit.target.operation.Acquire(c.ctx)
		if err != nil {
			c.refused = err
			return
		}
		c.visit.permit = permit
		c.visit.target.visits.Add(1)
	}
	c.sentAt = time.Now()
	if !c.state.CompareAndSwap(setOff, sent) {
		return
	}
	if c.resp, c.err = c.trip.run(c.watch.ctx); c.err == nil { //nolint:bodyclose // close does
		c.commits = c.reads.ahead(c.resp, c.watch)
	}
	c.readyAt = time.Now()
}

// hand hands the racer over, or gives it up if nobody wants it any more.
func (c *racer) hand() {
	c.mu.Lock()
	lost := c.lost
	if !lost {
		c.handed = true
		c.results <- c // there is room
	}
	c.mu.Unlock()
	if lost {
		c.release()
	}
}

// callOff reports whether the racer has been kept from sending anything.
func (c *racer) callOff() bool { return c.state.CompareAndSwap(setOff, calledOff) }

// lose ends a racer that is not needed. Its provider hears of it at once.
func (c *racer) lose() {
	c.mu.Lock()
	again, handed := c.lost, c.handed
	c.lost = true
	c.mu.Unlock()
	c.cancel(trysail.ErrHedgeLost)
	if handed && !again {
		c.release()
	}
}

// release ends the visit of one that was lost.
func (c *racer) release() {
	c.close()
	if c.panicked != nil {
		c.log.Error("panic in a send that was not needed any more", "panic", c.panicked)
	}
	used := usage{}
	if c.state.Load() == sent {
		used.prompt, used.told.Input = c.prompt, int64(c.prompt) // the provider has read it, and what else is unknown
	}
	if c.hedge && c.visit.permit == nil {
		c.visit.spend(0)
		c.visit.settleTokens(&used, errOvertaken)
		return
	}
	c.visit.end(&used, errOvertaken)
}

// close gives back what belongs to the send.
func (c *racer) close() {
	c.watch.stop()
	if c.resp != nil {
		_ = c.resp.Body.Close() // nothing can be done, and nothing is lost
	}
}

// reads reads ahead: as much of an answer as is needed to see whether it is one.
type reads struct {
	protocol Protocol
	path     string
	choices  int
	limit    int64 // of a plain answer
}

// ahead reads on to the commit point and leaves an answer from which everything can be read again. It reports whether taking it sends the client something.
func (r *reads) ahead(resp *http.Response, watch *watchdog) (commits bool) {
	dialect := dialectOf(r.protocol, r.path, resp.Header.Get("Content-Type"))
	body := &replay{ReadCloser: resp.Body}
	switch kindOf(resp, dialect) {
	case oddAnswer:
		return false
	case encodedAnswer:
		return true
	case errorAnswer:
		watch.expect(&timeoutError{"the body of an error", errorBodyLimit})
		body.fill(r.limit)
	case plainAnswer:
		body.fill(r.limit + 1)
		commits = int64(len(body.head)) > r.limit
	case streamAnswer:
		commits = body.toFirstToken(llm.Inspector{Protocol: dialect, Choices: r.choices})
	}
	resp.Body = body
	return commits
}

// A replay is a body of which a part has been read.
type replay struct {
	io.ReadCloser
	head  []byte // what has been read and comes again
	after error  // what came behind it; nil: the rest of the body
}

// Read implements [io.Reader].
func (r *replay) Read(p []byte) (int, error) {
	if len(r.head) > 0 {
		n := copy(p, r.head)
		r.head = r.head[n:]
		return n, nil
	}
	if r.after != nil {
		return 0, r.after
	}
	return r.ReadCloser.Read(p)
}

// fill reads up to n bytes.
func (r *replay) fill(n int64) {
	var head bytes.Buffer
	_, r.after = head.ReadFrom(io.LimitReader(r.ReadCloser, n))
	r.head = head.Bytes()
	if r.after == nil && int64(len(r.head)) < n {
		r.after = io.EOF
	}
}

// toFirstToken reads a stream up to where it is passed on, and reports whether it is.
func (r *replay) toFirstToken(inspector llm.Inspector) bool {
	buffer := make([]byte, 16<<10)
	for {
		n, err := r.ReadCloser.Read(buffer)
		r.head = append(r.head, buffer[:n]...)
		if inspector.Feed(buffer[:n]) != nil {
			r.after = err
			return false
		}
		switch {
		case inspector.Progress().Started || len(r.head) >= heldBytes:
			r.after = err
			return true
		case errors.Is(err, io.EOF):
			r.after = err
			return inspector.End() == nil
		case err != nil:
			r.after = err
			return false
		}
	}
}
