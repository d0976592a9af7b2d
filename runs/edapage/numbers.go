package edapage

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// grouped is a whole number with its digits in groups of three.
func grouped(v float64) string {
	s := strconv.FormatFloat(math.Round(v), 'f', 0, 64)
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "−", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// human is a number to about four figures, as a person writes it.
func human(v float64) string {
	a := math.Abs(v)
	switch {
	case math.IsNaN(v):
		return "–"
	case math.IsInf(v, 0):
		return strconv.FormatFloat(v, 'g', -1, 64)
	case v == math.Trunc(v) && a < 1e6, a >= 1000 && a < 1e6:
		return grouped(v)
	case a >= 1e6 || a < 1e-3:
		return strings.Replace(strings.Replace(strconv.FormatFloat(v, 'e', 2, 64), "e+0", "e", 1), "e+", "e", 1)
	}
	return strings.Replace(strconv.FormatFloat(v, 'g', 4, 64), "-", "−", 1)
}

// short is a number to its last digit.
func short(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// fixed is a number to some decimals; one beyond a thousand to none.
func fixed(v float64, decimals int) string {
	if math.IsNaN(v) {
		return "–"
	}
	if math.Abs(v) >= 1000 {
		return human(v)
	}
	return strings.Replace(strconv.FormatFloat(v, 'f', decimals, 64), "-", "−", 1)
}

// percent is a share; one that is not 0 never reads as 0.
func percent(v float64) string {
	switch p := 100 * v; {
	case math.IsNaN(v):
		return "–"
	case p == 0:
		return "0 %"
	case p < 0.01:
		return "< 0.01 %"
	case p < 1:
		return strconv.FormatFloat(p, 'g', 2, 64) + " %"
	default:
		return strconv.FormatFloat(p, 'f', 1, 64) + " %"
	}
}

func numberOf(v float64, decimals int) number { return number{fixed(v, decimals), sortable(v)} }

func sortable(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', 7, 64)
}

// rounded is a value of the page's data to five figures, nil where it is undefined.
func rounded(v float64) any {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return json.Number(strconv.FormatFloat(v, 'g', 5, 64))
}
