package plot

import (
	"encoding/csv"
	"fmt"
	"html"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Figure is a drawing with the numbers that it shows.
type Figure struct {
	Name          string // of the file that it would be, without an extension
	Title         string // for those who cannot see it
	Width, Height float64
	Table         [][]string // what is drawn, heads first

	body strings.Builder
	keys []legendKey // of a file of its own; a page has its own legend
}

// legendKey is a name with the colour of its line.
type legendKey struct{ name, colour string }

// Colours of series, in their order: distinguishable for the colour-blind (Okabe and Ito, 2008).
var Colours = []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00"}

// Style is what classes look like where no page says so.
const Style = `text{font:11px sans-serif;fill:#444}.grid{stroke:#e4e5e3}.base{stroke:#888}` +
	`.line{fill:none;stroke-width:1.8;stroke-linejoin:round}.rest{fill:none;stroke:#bbb;stroke-width:1}` +
	`.chance{fill:none;stroke:#888;stroke-dasharray:3 4}.band{opacity:.18}.benign{fill:#8a929c;opacity:.5}` +
	`.attack{fill:#d55e00;opacity:.55}.mark{stroke:#444;stroke-dasharray:2 3}`

// Inline is the figure as an element of an HTML page.
func (f *Figure) Inline() string { return f.element("") }

// SVG writes the figure as a file of its own.
func (f *Figure) SVG(w io.Writer) error {
	_, err := io.WriteString(w, f.element(` xmlns="http://www.w3.org/2000/svg"`)+"\n")
	return err
}

func (f *Figure) element(namespace string) string {
	style, above := "", 0.0
	if namespace != "" {
		var legend string
		legend, above = f.legend()
		style = "<style>" + Style + "</style>" + legend
	}
	return fmt.Sprintf(`<svg%s viewBox="0 %s %s %s" role="img" aria-label="%s">%s%s</svg>`, namespace, number(-above),
		number(f.Width), number(f.Height+above), html.EscapeString(f.Title), style, f.body.String())
}

// legend is the keys in lines above the figure, and the height that they take up.
func (f *Figure) legend() (elements string, height float64) {
	const line, character, mark, left = 16, 6.2, 20, 8
	var b strings.Builder
	x, y := float64(left), 12.0 // from the top of the legend, which is moved up by its height
	for _, k := range f.keys {
		width := mark + character*float64(utf8.RuneCountInString(k.name)) + 14
		if x > left && x+width > f.Width {
			x, y = left, y+line
		}
		fmt.Fprintf(&b, `<path class="line" stroke="%s" d="M%s %sH%s"/><text x="%s" y="%s">%s</text>`, k.colour, number(x),
			number(y-4), number(x+mark-6), number(x+mark), number(y), html.EscapeString(k.name))
		x += width
	}
	if f.keys == nil {
		return "", 0
	}
	height = y + 6
	return fmt.Sprintf(`<g transform="translate(0 %s)">%s</g>`, number(-height), b.String()), height
}

// CSV writes the numbers that the figure shows.
func (f *Figure) CSV(w io.Writer) error {
	c := csv.NewWriter(w)
	if err := c.WriteAll(f.Table); err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	return nil
}

// add writes elements; %s of texts must be escaped.
func (f *Figure) add(format string, args ...any) { fmt.Fprintf(&f.body, format, args...) }

func (f *Figure) text(x, y float64, anchor, s string) {
	f.add(`<text x="%s" y="%s" text-anchor="%s">%s</text>`, number(x), number(y), anchor, html.EscapeString(s))
}

func (f *Figure) rule(class string, x1, y1, x2, y2 float64) {
	f.add(`<line class="%s" x1="%s" y1="%s" x2="%s" y2="%s"/>`, class, number(x1), number(y1), number(x2), number(y2))
}

// path is points as the d of a path element, without those that are not numbers and those that a straight line to the
// next passes anyway.
func path(x, y []float64) string {
	type point struct{ x, y float64 }
	var points []point
	for i := range x {
		p := point{math.Round(x[i]*10) / 10, math.Round(y[i]*10) / 10}
		if math.IsNaN(p.x) || math.IsNaN(p.y) {
			continue
		}
		if n := len(points); n > 1 {
			a, b := points[n-2], points[n-1]
			if a.y == b.y && b.y == p.y || a.x == b.x && b.x == p.x {
				points = points[:n-1]
			}
		}
		points = append(points, p)
	}
	var b strings.Builder
	for i, p := range points {
		switch {
		case i == 0:
			b.WriteString("M" + number(p.x) + " " + number(p.y))
		case p.y == points[i-1].y:
			b.WriteString("H" + number(p.x))
		case p.x == points[i-1].x:
			b.WriteString("V" + number(p.y))
		default:
			b.WriteString("L" + number(p.x) + " " + number(p.y))
		}
	}
	return b.String()
}

// number is a coordinate to a tenth of a pixel.
func number(v float64) string {
	return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
}
