package configfile

import (
	"os"
	"syscall"
)

// setLease is F_SETLEASE of fcntl(2), the same on all architectures.
const setLease = 1024

// writers asks the kernel whether somebody has f open for writing: it grants a read lease only when
// nobody has (fcntl(2), "Leases"). The lease is given back at once, so that a writer waits for
// microseconds at most. Files of others, and some file systems, know no leases.
func writers(f *os.File) writing {
	raw, err := f.SyscallConn()
	if err != nil {
		return unknownWriter
	}
	answer := unknownWriter
	err = raw.Control(func(fd uintptr) {
		switch _, _, refused := syscall.Syscall(syscall.SYS_FCNTL, fd, setLease, syscall.F_RDLCK); refused {
		case 0:
			answer = noWriter
			_, _, _ = syscall.Syscall(syscall.SYS_FCNTL, fd, setLease, syscall.F_UNLCK)
		case syscall.EAGAIN:
			answer = someWriter
		default: // no leases here
		}
	})
	if err != nil {
		return unknownWriter
	}
	return answer
}
