package models

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"plumbline/configs/settings"
)

// EnumOrNumber is a setting that is one of a few names, or a number in decimal.
type EnumOrNumber struct {
	Words []string
	Fits  func(v float64) bool
	Want  string // what fits, for errors
}

// Number is the value of text that is a number, and 0 for one of Words.
func (e EnumOrNumber) Number(text string) (float64, error) {
	if slices.Contains(e.Words, text) {
		return 0, nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is neither a number nor one of %s%s", text, strings.Join(e.Words, ", "),
			settings.DidYouMean(text, e.Words))
	}
	if !e.Fits(v) {
		return 0, fmt.Errorf("%v is out of range: want %s", v, e.Want)
	}
	return v, nil
}

// Decode reads the setting and checks it.
func (e EnumOrNumber) Decode(d settings.Node) (string, settings.Problems) {
	var text string
	if ps := d.Decode(&text); len(ps) > 0 {
		return "", ps
	}
	if _, err := e.Number(text); err != nil {
		return "", settings.Problems{d.Problem("%v", err)}
	}
	return text, nil
}

// YAML is the setting as a file holds it: numbers as numbers.
func (e EnumOrNumber) YAML(text string) any {
	if v, err := e.Number(text); err == nil && v != 0 {
		return v
	}
	return text
}
