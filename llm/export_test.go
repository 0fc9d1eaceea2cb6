package llm

// StreamError lets a test stand in for net/http's own error.
type StreamError = streamError
