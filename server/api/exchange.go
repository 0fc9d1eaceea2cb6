package api

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// guardKey is where an operation's metadata hold its [guard].
const guardKey = "guard"

// An adapter puts huma's operations on the API's mux.
type adapter struct{ *API }

// Handle implements [huma.Adapter].
func (a adapter) Handle(op *huma.Operation, handler func(huma.Context)) {
	g, _ := op.Metadata[guardKey].(guard)
	if slices.ContainsFunc(op.Parameters, func(p *huma.Param) bool { return p.In == "query" }) {
		op.Responses[strconv.Itoa(http.StatusUnprocessableEntity)] = problemRef(http.StatusUnprocessableEntity)
	}
	a.mux.HandleFunc(op.Method+" "+op.Path, func(w http.ResponseWriter, r *http.Request) {
		if !a.admit(w, r, g) {
			return
		}
		if faults := checkQuery(r, op); len(faults) > 0 {
			WriteProblem(w, r, invalid(faults))
			return
		}
		x := &exchange{humaContext: humago.NewContext(op, r, w)}
		handler(x)
		x.begin()
	})
}

// ServeHTTP implements [huma.Adapter].
func (a adapter) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.serve(w, r) }

// humaContext is [huma.Context] under a name that its method Context leaves free.
type humaContext = huma.Context

// An exchange is one request and its answer as huma sees them. It keeps the status
// back until the body comes, so that a body that cannot be written becomes a
// problem and not half an answer.
type exchange struct {
	humaContext
	status int // what huma wants
	better int // what we want instead, or 0
	began  bool
}

// Unwrap returns the adapter's own context.
func (x *exchange) Unwrap() huma.Context { return x.humaContext }

// Header implements [huma.Context]. It hides Accept: every answer is JSON, and a
// client that would rather have something else is better served with JSON than with a
// 406 after its operation has run (RFC 9110, 12.5.1 allows it).
func (x *exchange) Header(name string) string {
	if name == "Accept" {
		return ""
	}
	return x.humaContext.Header(name)
}

// SetStatus implements [huma.Context].
func (x *exchange) SetStatus(status int) { x.status = cmp.Or(x.better, status) }

// Status implements [huma.Context].
func (x *exchange) Status() int { return x.status }

// BodyWriter implements [huma.Context].
func (x *exchange) BodyWriter() io.Writer { return x }

// Write implements [io.Writer].
func (x *exchange) Write(p []byte) (int, error) {
	x.begin()
	return x.humaContext.BodyWriter().Write(p)
}

// begin sends the status, once.
func (x *exchange) begin() {
	if x.began {
		return
	}
	x.began = true
	x.humaContext.SetStatus(x.status)
}

// complete makes a [Problem] of every error before it is written, huma's own
// included. The other way to do that, huma.NewError, is a variable for the whole
// process.
func complete(schemas huma.Registry) huma.Transformer {
	return func(ctx huma.Context, _ string, body any) (any, error) {
		var p Problem
		switch e := body.(type) {
		case *huma.ErrorModel:
			p = ofHuma(e, ctx.Operation(), schemas)
		case *refusal:
			p = e.Problem
		default:
			return body, nil
		}
		if x, ok := ctx.(*exchange); ok {
			x.better = p.Status
		}
		return p.complete(callerOf(ctx.Context()).requestID), nil
	}
}

// format is how huma reads and writes JSON.
func format() huma.Format {
	var used writers
	return huma.Format{
		Marshal: func(w io.Writer, v any) error {
			out := &witness{Writer: w}
			err := used.encodeTo(out, v)
			if err != nil && !out.wrote {
				// huma would answer 200 with a sentence about it. Nothing has been sent
				// yet, so rescue can still answer 500.
				panic(err)
			}
			return err
		},
		Unmarshal: unmarshal,
	}
}

// A witness knows whether anything was written.
type witness struct {
	io.Writer
	wrote bool
}

// Write implements [io.Writer].
func (w *witness) Write(p []byte) (int, error) {
	w.wrote = true
	return w.Writer.Write(p)
}

// unmarshal is [json.Unmarshal] with errors that outsiders may read: they quote nothing of what was sent.
//
// Bytes that are not UTF-8 are refused: encoding/json takes them for another text.
func unmarshal(text []byte, into any) error {
	if !utf8.Valid(text) {
		at := 0
		for r, n := utf8.DecodeRune(text); r != utf8.RuneError || n > 1; r, n = utf8.DecodeRune(text[at:]) {
			at += n
		}
		return fmt.Errorf("wanted JSON in UTF-8; %s", place(text, at))
	}
	err := json.Unmarshal(text, into)
	if err == nil {
		return nil
	}
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		at := min(max(int(syntax.Offset)-1, 0), len(text)) // the offset counts the byte at fault
		if strings.HasPrefix(syntax.Error(), "unexpected end") {
			at = len(text)
		}
		return fmt.Errorf("wanted a JSON value; %s", place(text, at))
	}
	return errors.New("wanted a JSON value of another type")
}

// place says where a text breaks.
func place(text []byte, at int) string {
	before := text[:at]
	return fmt.Sprintf("it breaks at line %d, column %d (byte %d)",
		bytes.Count(before, []byte("\n"))+1, utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])+1, at)
}
