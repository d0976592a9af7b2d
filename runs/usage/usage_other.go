//go:build !unix

package usage

import (
	"math"
	"time"
)

// PeakRSS is not known on this system.
func PeakRSS() float64 { return math.NaN() }

// ProcessTime is not known on this system.
func ProcessTime() time.Duration { return 0 }
