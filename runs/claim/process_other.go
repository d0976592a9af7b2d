//go:build !unix

package claim

import "os"

// exists says whether there is a process of that number.
func exists(pid int) bool {
	p, err := os.FindProcess(pid)
	if err == nil {
		p.Release()
	}
	return err == nil
}
