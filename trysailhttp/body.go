package trysailhttp

import (
	"bytes"
	"io"
	"net/http"
)

// keptBody is how much of an error's body is read ahead. Providers' errors are a few
// hundred bytes; a proxy's error page may be some kilobytes.
const keptBody = 64 << 10

// keepBody reads an error's body into memory and closes the connection's end of
// it, so that the connection can be used again while the next attempt waits, and
// the body can still be read if there is none. What is over the limit stays on
// the connection.
func keepBody(resp *http.Response) {
	head, err := io.ReadAll(io.LimitReader(resp.Body, keptBody+1))
	if err == nil && len(head) > keptBody {
		resp.Body = &joined{Reader: io.MultiReader(bytes.NewReader(head), resp.Body), Closer: resp.Body}
		return
	}
	_ = resp.Body.Close()
	if err != nil {
		resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(head), broken{err}))
		return
	}
	resp.Body = io.NopCloser(bytes.NewReader(head))
}

type joined struct {
	io.Reader
	io.Closer
}

// broken is a reader that fails as the connection did.
type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }
