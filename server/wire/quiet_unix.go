//go:build unix

package wire

import "syscall"

// quiet reports whether there is nothing to read, not even the end.
func quiet(fd uintptr) bool {
	var one [1]byte
	_, err := syscall.Read(int(fd), one[:])
	return err == syscall.EAGAIN
}
