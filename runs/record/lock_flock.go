//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package record

import (
	"errors"
	"os"
	"syscall"
)

// Lock claims an open file for this process, or together with others that share it, and says whether another one has
// it. The system gives the claim up with the process, however that ends. Where the file system knows no locks there is
// none.
func Lock(f *os.File, shared bool) (taken bool) {
	how := syscall.LOCK_EX
	if shared {
		how = syscall.LOCK_SH
	}
	err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
	return errors.Is(err, syscall.EWOULDBLOCK)
}
