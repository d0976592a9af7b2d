//go:build !darwin && !dragonfly && !freebsd && !linux && !netbsd && !openbsd

package cache

import "os"

// load reads a file; a mapped one could not be removed here.
func load(path string) ([]byte, error) { return os.ReadFile(path) }
