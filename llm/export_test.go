package llm

import "net/http"

// StreamError lets a test stand in for net/http's own error.
type StreamError = streamError

// Asked returns what a request asks for, and the error of reading it.
func Asked(r *http.Request) (model string, choices int, maxOutput int64, err error) {
	q, err := readRequest(r)
	return q.Model, q.Choices, q.MaxOutput, err
}
