package classic

import (
	"fmt"
	"strconv"
	"strings"

	"plumbline/data/strictyaml"
)

// wordOrNumber is a setting that is one of a few words, or a number in decimal.
type wordOrNumber struct {
	words []string
	fits  func(v float64) bool
	want  string // what fits, for errors
}

// number is the value of text that is a number, and 0 for a word.
func (w wordOrNumber) number(text string) (float64, error) {
	for _, word := range w.words {
		if text == word {
			return 0, nil
		}
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is neither a number nor one of %s%s", text, strings.Join(w.words, ", "), strictyaml.DidYouMean(text, w.words))
	}
	if !w.fits(v) {
		return 0, fmt.Errorf("%v is out of range: want %s", v, w.want)
	}
	return v, nil
}

// decode reads the setting and checks it.
func (w wordOrNumber) decode(d strictyaml.Doc) (string, strictyaml.Problems) {
	var text string
	if ps := d.Decode(&text); len(ps) > 0 {
		return "", ps
	}
	if _, err := w.number(text); err != nil {
		return "", strictyaml.Problems{d.Problem("%v", err)}
	}
	return text, nil
}

// yaml is the setting as a file holds it: numbers as numbers.
func (w wordOrNumber) yaml(text string) any {
	if v, err := w.number(text); err == nil && v != 0 {
		return v
	}
	return text
}
