package join

import (
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"plumbline/data"
)

// normal is a value in the form in which values of both tables are compared.
func normal(text string) string {
	text = strings.ToLower(strings.TrimSpace(text))
	if strings.ContainsAny(text, ":.") {
		if a, err := netip.ParseAddr(text); err == nil {
			return a.Unmap().String()
		}
	}
	if decimal(text) {
		if v, err := strconv.ParseFloat(text, 64); err == nil {
			return strconv.FormatFloat(v, 'f', -1, 64)
		}
	}
	return text
}

// decimal says whether a text is a plain number of few digits. Identifiers with leading zeros or exponents are none.
func decimal(text string) bool {
	whole, fraction, _ := strings.Cut(text, ".")
	if whole == "" || len(whole)+len(fraction) > 15 || len(whole) > 1 && whole[0] == '0' {
		return false
	}
	for _, c := range whole + fraction {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// values are the normal texts of a column's rows, as codes into texts; −1 is missing.
type values struct {
	code  []int32
	texts []string
}

// newValues numbers the values of a column.
func newValues(c *data.Column) values {
	v := values{code: make([]int32, c.Len())}
	ids := map[string]int32{}
	id := func(text string) int32 {
		text = normal(text)
		if text == "" {
			return -1
		}
		n, ok := ids[text]
		if !ok {
			n = int32(len(v.texts))
			ids[text] = n
			v.texts = append(v.texts, text)
		}
		return n
	}
	switch c.Type {
	case data.Number:
		seen := map[float64]int32{}
		for i, x := range c.Num {
			if math.IsNaN(x) {
				v.code[i] = -1
				continue
			}
			n, ok := seen[x]
			if !ok {
				n = id(strconv.FormatFloat(x, 'f', -1, 64))
				seen[x] = n
			}
			v.code[i] = n
		}
	case data.Time:
		for i, x := range c.Nanos {
			v.code[i] = -1
			if x != data.NoTime {
				v.code[i] = id(time.Unix(0, x).UTC().Format(time.RFC3339Nano))
			}
		}
	default:
		levels := make([]int32, len(c.Levels))
		for i, text := range c.Levels {
			levels[i] = id(text)
		}
		for i, code := range c.Code {
			v.code[i] = -1
			if code != data.Missing {
				v.code[i] = levels[code]
			}
		}
	}
	return v
}

var usualLayouts = []string{
	time.RFC3339Nano, "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04",
	time.DateOnly, "2006/01/02 15:04:05",
}

// instants are the times of a column in nanoseconds since 1970, data.NoTime where there is none.
func instants(t *data.Table, c *data.Column, layouts []string) ([]int64, error) {
	switch c.Type {
	case data.Time:
		return c.Nanos, nil
	case data.Number:
		out := make([]int64, len(c.Num))
		for i, v := range c.Num {
			if out[i] = data.NoTime; !math.IsNaN(v) {
				if v < 0 || v > maxEpoch {
					return nil, fmt.Errorf("%s: %v is not a time in seconds since 1970", t.Where(int32(i)), v)
				}
				out[i] = nanos(v)
			}
		}
		return out, nil
	}
	levels := make([]int64, len(c.Levels))
	bad := make([]bool, len(c.Levels))
	for i, text := range c.Levels {
		at, ok := instant(strings.TrimSpace(text), layouts)
		levels[i], bad[i] = at, !ok
	}
	out := make([]int64, len(c.Code))
	for i, code := range c.Code {
		switch out[i] = data.NoTime; {
		case code == data.Missing:
		case bad[code]:
			return nil, fmt.Errorf("%s: column %s: %q is not a time; time_layouts says how times are written",
				t.Where(int32(i)), c.Name, c.Levels[code])
		default:
			out[i] = levels[code]
		}
	}
	return out, nil
}

const maxEpoch = 1 << 33

// nanos is a time of seconds, exact to the nanosecond where the seconds are whole or have few decimals.
func nanos(seconds float64) int64 {
	whole := math.Floor(seconds)
	return int64(whole)*1e9 + int64(math.Round((seconds-whole)*1e9))
}

func instant(text string, layouts []string) (int64, bool) {
	if text == "" {
		return data.NoTime, true
	}
	if v, err := strconv.ParseFloat(text, 64); err == nil && v >= 0 && v <= maxEpoch {
		return nanos(v), true
	}
	for _, l := range append(layouts[:len(layouts):len(layouts)], usualLayouts...) {
		if at, err := time.Parse(l, text); err == nil && at.Year() >= 1678 && at.Year() <= 2261 {
			return at.UnixNano(), true
		}
	}
	return 0, false
}
