package value

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"time"
)

// maxSeconds bounds times in seconds since 1970 (the year 2242), and leastMillis is from where a number of seconds is
// taken for milliseconds (1973), a thousand times that for microseconds, and so on: no time is in two of the ranges.
const (
	maxSeconds  = 1 << 33
	leastMillis = 100_000_000_000
)

// Epoch reads a time as the seconds since 1970 with a decimal fraction, exact to the nanosecond, with or without an
// exponent. Whole numbers too large for seconds are milliseconds (from 10¹¹ on), microseconds (10¹⁴) or nanoseconds
// (10¹⁷). The result is in nanoseconds.
func Epoch(b []byte) (int64, error) {
	if bytes.ContainsAny(b, "eE") {
		plain, ok := withoutExponent(b)
		if !ok {
			return 0, notSeconds(b)
		}
		b = plain
	}
	var sec, frac int64
	i, scale, digits := 0, int64(-1), 0
	for ; i < len(b); i++ {
		c := b[i]
		switch {
		case c == '.' && scale < 0:
			scale = 1e9
		case c < '0' || c > '9':
			return 0, notSeconds(b)
		case scale < 0:
			if digits++; sec > (math.MaxInt64-9)/10 {
				return outOfRange(b)
			}
			sec = sec*10 + int64(c-'0')
		case scale > 1:
			scale /= 10
			frac += int64(c-'0') * scale
		}
	}
	switch {
	case digits == 0:
		return 0, notSeconds(b)
	case sec <= maxSeconds:
		return sec*1e9 + frac, nil
	case sec >= leastMillis*1e6:
		return sec, nil
	case sec >= leastMillis*1e3 && sec <= maxSeconds*1e6:
		return sec*1e3 + frac/1e6, nil
	case sec >= leastMillis && sec <= maxSeconds*1e3:
		return sec*1e6 + frac/1e3, nil
	}
	return outOfRange(b)
}

func notSeconds(b []byte) error { return fmt.Errorf("%q is not a time in seconds since 1970", b) }

func outOfRange(b []byte) (int64, error) {
	return 0, fmt.Errorf("%q seconds since 1970 is out of range", b)
}

// withoutExponent writes a decimal such as 2.385642e+09 out.
func withoutExponent(b []byte) ([]byte, bool) {
	at := bytes.IndexAny(b, "eE")
	exp, err := strconv.Atoi(string(b[at+1:]))
	const most = 30
	if err != nil || exp < -most || exp > most {
		return nil, false
	}
	whole, fraction, _ := bytes.Cut(b[:at], []byte{'.'})
	if len(whole)+len(fraction) > 2*most {
		return nil, false
	}
	digits := append(bytes.Clone(whole), fraction...)
	point := len(whole) + exp
	for point < 1 {
		digits = append([]byte{'0'}, digits...)
		point++
	}
	for point > len(digits) {
		digits = append(digits, '0')
	}
	if len(whole)+len(fraction) == 0 {
		return nil, false
	}
	return append(append(bytes.Clone(digits[:point]), '.'), digits[point:]...), true
}

// Times is how a source writes its times.
type Times struct {
	Layouts []string // in Go's reference time; none: as Epoch reads them
	// WorkHours has the hours 1 to 7 be those of the afternoon: the repair of a 12-hour clock that lost its AM and PM,
	// for what was recorded in working hours.
	WorkHours bool
}

// Parse is a time in nanoseconds since 1970; one without a zone counts as UTC.
func (t Times) Parse(b []byte) (int64, error) {
	if len(t.Layouts) == 0 {
		return Epoch(b)
	}
	s := string(b)
	for _, l := range t.Layouts {
		if l == "unix" {
			if v, err := Epoch(b); err == nil {
				return v, nil
			}
			continue
		}
		if at, err := time.Parse(l, s); err == nil {
			if y := at.Year(); y < 1678 || y > 2261 {
				return 0, fmt.Errorf("time %q is out of range", s)
			}
			if h := at.Hour(); t.WorkHours && h >= 1 && h <= 7 {
				at = at.Add(12 * time.Hour)
			}
			return at.UnixNano(), nil
		}
	}
	return 0, fmt.Errorf("%q is not a time of layout %q", s, t.Layouts)
}
