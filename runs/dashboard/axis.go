package dashboard

import (
	"fmt"
	"math"
	"time"

	"plumbline/data"
)

// maxBins is the most bins of the time axis.
const maxBins = 288

// nowhere is the bin of a flow without a time.
const nowhere = math.MaxUint16

// Axis is the time axis: bins of Step milliseconds from Start, or of Step rows where the data has no time.
type Axis struct {
	Start   int64 `json:"start"` // milliseconds since 1970, UTC; 0 in rows
	Step    int64 `json:"step"`
	Bins    int   `json:"bins"`
	Rows    bool  `json:"rows"`    // the data has no time: the axis is the order of its rows
	Missing int   `json:"missing"` // flows without a time
}

// steps are lengths of bins in milliseconds, each a multiple of the one before or a divisor of a day.
var steps = []int64{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000,
	300_000, 600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 10_800_000, 21_600_000, 43_200_000, 86_400_000}

// newAxis is the axis over times in nanoseconds; nil is the order of n rows. It needs a row.
func newAxis(nanos []int64, n int) Axis {
	first, last, missing := int64(math.MaxInt64), int64(math.MinInt64), 0
	for _, v := range nanos {
		if v == data.NoTime {
			missing++
			continue
		}
		first, last = min(first, v), max(last, v)
	}
	if first > last {
		step := round125(float64(n) / maxBins)
		return Axis{Step: step, Bins: int((int64(n) + step - 1) / step), Rows: true}
	}
	from, to := floorDiv(first, 1e6), floorDiv(last, 1e6)
	step := steps[len(steps)-1]
	for _, s := range steps {
		if (to-from)/s+2 <= maxBins {
			step = s
			break
		}
	}
	for (to-from)/step+2 > maxBins {
		step *= 2
	}
	a := Axis{Start: floorDiv(from, step) * step, Step: step, Missing: missing}
	a.Bins = int((to-a.Start)/step) + 1
	return a
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// round125 is the smallest of 1, 2 and 5 times a power of ten that is no less than v, at least 1.
func round125(v float64) int64 {
	for p := int64(1); ; p *= 10 {
		for _, m := range []int64{1, 2, 5} {
			if float64(m*p) >= v {
				return m * p
			}
		}
	}
}

// bin is where milliseconds since 1970, or a row, stand.
func (a *Axis) bin(at int64) int { return int(floorDiv(at-a.Start, a.Step)) }

// edge is where a bin begins.
func (a *Axis) edge(bin int) int64 { return a.Start + int64(bin)*a.Step }

// day is how many bins a day has, 0 where it is no whole number or the axis has no time.
func (a *Axis) day() int {
	const day = 86_400_000
	if a.Rows || day%a.Step != 0 {
		return 0
	}
	return int(day / a.Step)
}

// slot is a bin's place in the day.
func (a *Axis) slot(bin int) int {
	d := a.day()
	return int(floorDiv(a.edge(bin), a.Step)%int64(d)+int64(d)) % d
}

// width is the length of a bin in words.
func (a *Axis) width() string {
	if a.Rows {
		if a.Step == 1 {
			return "row"
		}
		return fmt.Sprintf("%d rows", a.Step)
	}
	d := time.Duration(a.Step) * time.Millisecond
	for _, u := range []struct {
		of   time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		if d >= u.of && d%u.of == 0 {
			if d == u.of {
				return u.name
			}
			return fmt.Sprintf("%d %ss", d/u.of, u.name)
		}
	}
	return fmt.Sprintf("%d ms", a.Step)
}

// moment writes an edge of the axis.
func (a *Axis) moment(at int64) string {
	if a.Rows {
		return fmt.Sprintf("row %d", at+1)
	}
	t := time.UnixMilli(at).UTC()
	if a.Step < 60_000 {
		return t.Format("2 January 2006, 15:04:05")
	}
	return t.Format("2 January 2006, 15:04")
}
