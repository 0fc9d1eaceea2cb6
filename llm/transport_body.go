package llm

import (
	"io"
	"net/http"
	"runtime"
	"sync"

	"github.com/trysail-go/trysail"
)

// deliver gives the caller an answer. The call ends with the body: what is in memory already has ended,
// what still comes is read under the attempt's context, which the permit holds.
func (c *call) deliver(a answer, permit *trysail.Permit) *http.Response {
	c.settleOn(a.seen)
	finish := func(err error) {
		err = c.judge(err)
		permit.Done(err)
		_ = c.end(err)
	}
	switch stream := a.stream; {
	case stream != nil:
		stream.OnEnd(func(err error) {
			c.streamed(stream.Progress())
			if v, bad := stream.ending(); err == nil && bad {
				err = v.Committed().Mark(&AnswerError{v})
			}
			finish(err)
		})
		body := &observed{stream, c}
		// Of who forgets to close it at least connection and tokens are had back.
		runtime.AddCleanup(body, func(s *Stream) { _ = s.Close() }, stream)
		a.Body = body
	case a.coming:
		rest := &coming{body: a.Body, end: finish}
		body := &passed{rest}
		runtime.AddCleanup(body, func(rest *coming) { _ = rest.Close() }, rest)
		a.Body = body
	default:
		finish(nil)
	}
	a.Request = c.request.caller
	return a.Response
}

// observed is a stream that tells how its reader gets on.
type observed struct {
	*Stream
	call *call
}

// Read passes the stream on.
func (o *observed) Read(p []byte) (int, error) {
	o.call.waits()
	n, err := o.Stream.Read(p)
	o.call.waited()
	return n, err
}

// passed is a body that is not looked at. It stands before coming so that the garbage
// collector can tell that its reader has gone.
type passed struct{ *coming }

// coming is a body that still comes from the network, and tells once how it ended. Who closes it early has
// what he wanted.
type coming struct {
	body io.ReadCloser
	once sync.Once
	end  func(error)
}

// Read passes the body on.
func (c *coming) Read(p []byte) (int, error) {
	n, err := c.body.Read(p)
	switch err {
	case nil:
	case io.EOF:
		c.tell(nil)
	default:
		c.tell(err)
	}
	return n, err
}

// Close closes the body.
func (c *coming) Close() error {
	defer c.tell(nil)
	return c.body.Close()
}

func (c *coming) tell(err error) { c.once.Do(func() { c.end(err) }) }
