package plot

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Formats are those that a figure can be written in.
var Formats = []string{"svg", "pdf", "png"}

// DPI is how many dots to an inch an image of a figure has.
const DPI = 300

// Write writes the figure in one of [Formats].
func (f *Figure) Write(w io.Writer, format string) error {
	switch format {
	case "svg":
		return f.SVG(w)
	case "pdf":
		return f.PDF(w)
	case "png":
		return f.PNG(w, DPI)
	}
	return fmt.Errorf("plot: format %q: want %s", format, strings.Join(Formats, ", "))
}

// venue is how wide a column of a publisher's template is, and its text, in inches.
type venue struct {
	name         string
	column, text float64
}

// Widths of the templates IEEEtran, acmart (sigconf), llncs, elsarticle (5p), usenix-2020 and neurips.
var venues = []venue{{"ieee", 3.5, 7.16}, {"acm", 3.33, 7}, {"lncs", 4.8, 4.8}, {"elsevier", 3.54, 7.48},
	{"usenix", 3.33, 7}, {"neurips", 5.5, 5.5}}

// Pixels is a width as users write it, in pixels: inches from 2 to 20, or a venue's name for its column, with -wide for
// the width of its text.
func Pixels(width string) (float64, error) {
	name, wide := strings.CutSuffix(width, "-wide")
	if i := slices.IndexFunc(venues, func(v venue) bool { return v.name == name }); i >= 0 {
		if wide {
			return math.Round(venues[i].text * pixelsPerInch), nil
		}
		return math.Round(venues[i].column * pixelsPerInch), nil
	}
	if v, err := strconv.ParseFloat(width, 64); err == nil && v >= 2 && v <= 20 {
		return math.Round(v * pixelsPerInch), nil
	}
	return 0, fmt.Errorf("plot: width %q: want inches from 2 to 20 or %s", width, strings.Join(Venues(), ", "))
}

// Venues are the names that [Pixels] knows.
func Venues() (names []string) {
	for _, v := range venues {
		names = append(names, v.name)
		if v.text != v.column {
			names = append(names, v.name+"-wide")
		}
	}
	return names
}
