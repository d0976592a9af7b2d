package terminal

import (
	"io"
	"math"
	"os"
	"strings"

	"golang.org/x/term"
)

// Draws says whether pictures of characters can be shown: the stream is a terminal that says it reads UTF-8.
func Draws(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb" && utf8Locale(os.Getenv)
}

// utf8Locale follows the order in which a locale's variables hold.
func utf8Locale(env func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToUpper(env(name)); v != "" {
			return strings.Contains(v, "UTF-8") || strings.Contains(v, "UTF8")
		}
	}
	return false
}

// Bars is values as bars of eighths of a line, the largest as high as a line; 0 and less is the lowest bar, undefined
// values are blanks.
func Bars(values []float64) string {
	top := 0.0
	for _, v := range values {
		if v > top && !math.IsInf(v, 0) {
			top = v
		}
	}
	var b strings.Builder
	for _, v := range values {
		switch {
		case math.IsNaN(v):
			b.WriteByte(' ')
		case v <= 0 || top == 0:
			b.WriteRune('▁')
		default:
			b.WriteRune([]rune("▁▂▃▄▅▆▇█")[int(math.Min(7, math.Floor(8*v/top)))])
		}
	}
	return b.String()
}

// Strip is a value with its interval on an axis from one end to another, width characters long: ●, and ─ where the
// interval reaches. Undefined values give a blank strip.
func Strip(low, value, high, from, to float64, width int) string {
	line := []rune(strings.Repeat(" ", width))
	at := func(v float64) int {
		return int(math.Round(math.Min(1, math.Max(0, (v-from)/(to-from))) * float64(width-1)))
	}
	if !(from < to) || math.IsNaN(value) {
		return string(line)
	}
	if low <= high {
		for i := at(low); i <= at(high); i++ {
			line[i] = '─'
		}
	}
	line[at(value)] = '●'
	return string(line)
}
