//go:build unix

package runs

import (
	"math"
	"runtime"
	"syscall"
)

// peakRSS is the largest resident memory of the process so far, in MB. Cells that run side by side share it.
func peakRSS() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return math.NaN()
	}
	unit := 1024.0 // Linux counts in KiB
	if runtime.GOOS == "darwin" {
		unit = 1
	}
	return float64(u.Maxrss) * unit / 1e6
}
