package api

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// bodyTime is how long a client of [API.Handler] may take for a body. What an operation reads has less.
const bodyTime = 30 * time.Second

// BodyTimeout returns a handler that gives each client so long to send a body, also one that next does not read, such as that of a request
// with a wrong key: before net/http writes the answer, it reads what is left of a body, for as long as the client likes. A
// client that has not sent all of it by then has its answer, and its connection is closed. Once next has read all of a body, it may take
// as long as it needs. [API.Handler] has this, with 30 s; programs use it
// for what they serve beside it, and where one is inside another, the outer one holds.
func BodyTimeout(next http.Handler, limit time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, timed := r.Body.(*timedBody); timed || r.Body == nil || r.Body == http.NoBody {
			next.ServeHTTP(w, r)
			return
		}
		control := http.NewResponseController(w)
		if control.SetReadDeadline(time.Now().Add(limit)) == nil { // else it is no connection, but a recorder in a test
			timed := *r
			timed.Body = &timedBody{r.Body, control}
			r = &timed
		}
		next.ServeHTTP(w, r)
	})
}

// A timedBody ends the time limit when it has come to its end. The limit is the connection's: it would end the context of the request, too, since
// net/http goes on reading then, to notice when the client leaves.
type timedBody struct {
	io.ReadCloser
	control *http.ResponseController
}

// Read implements [io.Reader].
func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}
