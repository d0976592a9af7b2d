//go:build unix

package foreign

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestReadTablePipe: what is no regular file is an error, and a pipe that nobody writes to is not waited for.
func TestReadTablePipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "scores.csv")
	if err := syscall.Mkfifo(pipe, 0o644); err != nil {
		t.Skip(err)
	}
	for _, name := range []string{pipe, "/dev/zero"} {
		done := make(chan error, 1)
		go func() {
			_, err := readTable(name, name, 4)
			done <- err
		}()
		select {
		case err := <-done:
			if err == nil || !strings.Contains(err.Error(), "no regular file") {
				t.Errorf("%s: %v", name, err)
			}
		case <-time.After(time.Minute):
			t.Fatalf("%s: it is waited for", name)
		}
	}
}
