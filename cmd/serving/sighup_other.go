//go:build !unix

package serving

import "os"

// reloadOn does nothing: there is no such signal, and files are looked at every two seconds.
func reloadOn(chan<- os.Signal) {}
