//go:build !unix

package runs

import "math"

// peakRSS is not known on this system.
func peakRSS() float64 { return math.NaN() }
