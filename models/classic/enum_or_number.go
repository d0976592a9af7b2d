package classic

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"plumbline/configs/settings"
)

// enumOrNumber is a setting that is one of a few names, or a number in decimal.
type enumOrNumber struct {
	enum []string
	fits func(v float64) bool
	want string // what fits, for errors
}

// number is the value of text that is a number, and 0 for one of enum.
func (e enumOrNumber) number(text string) (float64, error) {
	if slices.Contains(e.enum, text) {
		return 0, nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is neither a number nor one of %s%s", text, strings.Join(e.enum, ", "),
			settings.DidYouMean(text, e.enum))
	}
	if !e.fits(v) {
		return 0, fmt.Errorf("%v is out of range: want %s", v, e.want)
	}
	return v, nil
}

// decode reads the setting and checks it.
func (e enumOrNumber) decode(d settings.Doc) (string, settings.Problems) {
	var text string
	if ps := d.Decode(&text); len(ps) > 0 {
		return "", ps
	}
	if _, err := e.number(text); err != nil {
		return "", settings.Problems{d.Problem("%v", err)}
	}
	return text, nil
}

// yaml is the setting as a file holds it: numbers as numbers.
func (e enumOrNumber) yaml(text string) any {
	if v, err := e.number(text); err == nil && v != 0 {
		return v
	}
	return text
}
