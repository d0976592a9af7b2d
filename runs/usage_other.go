//go:build !unix

package runs

import (
	"math"
	"time"
)

// peakRSS is not known on this system.
func peakRSS() float64 { return math.NaN() }

// processTime is not known on this system.
func processTime() time.Duration { return 0 }
