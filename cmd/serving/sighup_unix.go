//go:build unix

package serving

import (
	"os"
	"os/signal"
	"syscall"
)

// reloadOn has the signal that asks for models to be read again.
func reloadOn(c chan<- os.Signal) { signal.Notify(c, syscall.SIGHUP) }
