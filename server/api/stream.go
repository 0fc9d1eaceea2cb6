package api

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// A stream is an answer whose body is written piece by piece.
type stream struct {
	header map[string]string // Content-Type among them
	write  func(context.Context, *flow) error
	close  func() // runs at the end, also when nothing was written; may be nil
}

// A flow is where a [stream] goes.
type flow struct {
	io.Writer
	header  http.Header
	control *http.ResponseController
}

// pieceTime is how long a client may take for one piece, 64 KiB or an event. One that takes nothing for so long is
// gone, or would hold a connection for ever.
const pieceTime = 30 * time.Second

// Write implements [io.Writer].
func (f *flow) Write(p []byte) (int, error) {
	f.hurry()
	return f.Writer.Write(p)
}

// Flush sends what was written.
func (f *flow) Flush() error {
	f.hurry()
	return f.control.Flush()
}

// hurry gives the client its time anew. What cannot have deadlines is no connection, but a recorder in a test.
func (f *flow) hurry() { _ = f.control.SetWriteDeadline(time.Now().Add(pieceTime)) }

// trail says something after the body.
func (f *flow) trail(name string, n int) {
	f.header.Set(http.TrailerPrefix+name, strconv.Itoa(n))
}

// media are the types that a [stream] may have, with their schemas.
type media map[string]func(huma.Registry) *huma.Schema

func schemaOf[T any](r huma.Registry) *huma.Schema { return r.Schema(typeOf[T](), true, "") }

// handleStream is [handle] for operations that answer a [stream]. An error before the stream is a problem; one in the
// middle of it cuts the connection, so that half an answer is not taken for a whole one.
func handleStream[In any](types media, run func(context.Context, *In) (*stream, error)) binding {
	return func(a *API, op huma.Operation) {
		content := map[string]*huma.MediaType{}
		for name, schema := range types {
			content[name] = &huma.MediaType{Schema: schema(a.huma.OpenAPI().Components.Schemas)}
		}
		op.Responses["200"].Content = content
		huma.Register(a.huma, op, func(ctx context.Context, in *In) (*huma.StreamResponse, error) {
			s, err := run(ctx, in)
			if err != nil {
				return nil, a.refuse(ctx, err)
			}
			return &huma.StreamResponse{Body: func(x huma.Context) { a.send(x, s) }}, nil
		})
	}
}

// handleLong is [handle] for operations that may take longer than a server's time limits for a request: the client has its time for
// the answer from when there is one.
func handleLong[In, View any](run func(context.Context, *In) (*View, error)) binding {
	return handleStream(media{typeJSON: schemaOf[View]}, func(ctx context.Context, in *In) (*stream, error) {
		view, err := run(ctx, in)
		if err != nil {
			return nil, err
		}
		text, err := encode(view)
		if err != nil {
			return nil, err
		}
		return &stream{
			header: map[string]string{"Content-Type": typeJSON},
			write: func(_ context.Context, to *flow) error {
				_, err := to.Write(text)
				return err
			},
		}, nil
	})
}

// send writes a stream.
func (a *API) send(x huma.Context, s *stream) {
	if s.close != nil {
		defer s.close()
	}
	r, w := humago.Unwrap(x)
	for name, value := range s.header {
		x.SetHeader(name, value)
	}
	x.SetStatus(http.StatusOK)
	if r.Method == http.MethodHead {
		return
	}
	f := &flow{Writer: x.BodyWriter(), header: w.Header(), control: http.NewResponseController(w)}
	err := s.write(r.Context(), f)
	if err == nil {
		err = f.Flush()
	}
	if err != nil {
		a.log.DebugContext(r.Context(), "stream broke off", "path", r.URL.Path, "error", err, "request_id", callerOf(r.Context()).requestID)
		panic(http.ErrAbortHandler)
	}
	_ = f.control.SetWriteDeadline(time.Time{}) // the connection may serve another request
}
