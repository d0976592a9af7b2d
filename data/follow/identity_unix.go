//go:build unix

package follow

import (
	"os"
	"syscall"
)

// identity is the device and inode of a file.
func identity(st os.FileInfo) (device, inode uint64) {
	if s, ok := st.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Dev), s.Ino
	}
	return 0, 0
}
