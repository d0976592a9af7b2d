//go:build unix

package claim

import (
	"errors"
	"syscall"
)

// exists says whether there is a process of that number.
func exists(pid int) bool { return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }
