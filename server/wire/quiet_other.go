//go:build !unix

package wire

// quiet takes it that the server has not closed the connection: here nobody can look without waiting.
func quiet(uintptr) bool { return true }
