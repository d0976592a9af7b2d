package flows

import (
	"strconv"
)

// formatNumber writes a number with as many digits as tell it from all others; whole ones without a point.
func formatNumber(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// formatTime writes a time as seconds since 1970 with six decimals, as Zeek does; nanoseconds are cut off.
func formatTime(nanos int64) string {
	micros := nanos / 1000
	sign := ""
	if micros < 0 {
		micros, sign = -micros, "-"
	}
	text := strconv.FormatInt(micros%1e6, 10)
	return sign + strconv.FormatInt(micros/1e6, 10) + "." + "000000"[:6-len(text)] + text
}
