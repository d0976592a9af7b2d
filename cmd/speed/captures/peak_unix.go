//go:build unix

package main

import (
	"os"
	"syscall"
)

// peak is the most memory that the process, or one that it waited for, had at a time, in bytes.
func peak(p *os.ProcessState) int64 {
	u, ok := p.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	return int64(u.Maxrss) * 1024
}
