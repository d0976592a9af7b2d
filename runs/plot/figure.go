package plot

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"
	"unicode/utf8"

	"plumbline/runs/visible"
)

// Figure is a drawing with the numbers that it shows. Lengths are pixels, 96 to an inch.
type Figure struct {
	Name          string // of the file that it would be, without an extension
	Title         string // for those who cannot see it
	Width, Height float64
	Table         [][]string // what is drawn, heads first

	shapes []shape
	keys   []legendKey // of a file of its own; a page has its own legend
	frames []*Figure   // of a film, in SVG files
}

// legendKey is a name with the colour of its line.
type legendKey struct{ name, colour string }

type point struct{ x, y float64 }

// shape is one stroke, area, disc or text. Its class says how it looks, but for what colour and opacity say of it.
type shape struct {
	class   string
	colour  string  // of the stroke, or of the area in a class that has areas; "" as the class has it
	opacity float64 // 0: as the class has it
	points  []point
	closed  bool
	radius  float64 // of a disc around the first point
	text    string  // at the first point
	anchor  string
	upright bool   // the text runs upwards
	tip     string // shown where a reader points
}

// Colours of series, in their order: distinguishable for the colour-blind (Okabe and Ito, 2008).
var Colours = []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00"}

// look is how a class is drawn on paper: "" is no stroke or no area, "-" one whose colour each shape has.
type look struct {
	class        string
	stroke, fill string
	width        float64
	dash         []float64
	opacity      float64
}

var looks = []look{
	{class: "grid", stroke: "#e4e5e3", width: 1},
	{class: "base", stroke: "#888888", width: 1},
	{class: "line", stroke: "-", width: 1.8},
	{class: "rest", stroke: "#bbbbbb", width: 1},
	{class: "chance", stroke: "#888888", width: 1, dash: []float64{3, 4}},
	{class: "band", fill: "-", opacity: 0.18},
	{class: "bar", fill: "-"},
	{class: "cell", fill: "#0072b2"},
	{class: "benign", fill: "#8a929c", opacity: 0.5},
	{class: "attack", fill: "#d55e00", opacity: 0.55},
	{class: "frame", stroke: "#cccccc", width: 1},
	{class: "mark", stroke: "#444444", width: 1, dash: []float64{2, 3}},
	{class: "ink", stroke: "#333333", width: 1.2},
	{class: "thick", stroke: "#0072b2", width: 4},
	{class: "node", stroke: "#333333", fill: "#ffffff", width: 1.2},
	{class: "tip", fill: "#333333"},
	{class: "ground", fill: "#ffffff", opacity: 0.85},
	{class: "value", fill: "#1a1f24"}, // text on a cell
	{class: "ci", stroke: "#0b5cad", width: 2},
	{class: "pt", fill: "#0b5cad"},
	{class: "ci ctl", stroke: "#777777", width: 2},
	{class: "pt ctl", fill: "#777777"},
	{class: "cloud", fill: "-", opacity: 0.6},
}

// textSize is the height of letters in pixels, 8.25 points on paper, and textWidth the width of most.
const textSize, textWidth, textColour = 11, 6.2, "#444444"

func lookOf(class string) look {
	for _, l := range looks {
		if l.class == class {
			return l
		}
	}
	panic("plot: no look for the class " + class) // a fault of this package
}

// CSV writes the numbers that the figure shows.
func (f *Figure) CSV(w io.Writer) error {
	c := csv.NewWriter(w)
	if err := c.WriteAll(f.Table); err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	return nil
}

func (f *Figure) add(s shape) {
	s.text, s.tip = visible.Text(s.text), visible.Text(s.tip)
	f.shapes = append(f.shapes, s)
}

func (f *Figure) text(x, y float64, anchor, s string) {
	f.add(shape{points: []point{{x, y}}, anchor: anchor, text: s})
}

func (f *Figure) rule(class string, x1, y1, x2, y2 float64) {
	f.add(shape{class: class, points: []point{{x1, y1}, {x2, y2}}})
}

// box is an area with straight sides.
func (f *Figure) box(class, colour string, opacity, x, y, width, height float64, tip string) {
	f.add(shape{class: class, colour: colour, opacity: opacity, closed: true, tip: tip,
		points: []point{{x, y}, {x + width, y}, {x + width, y + height}, {x, y + height}}})
}

// wide is about how many pixels a text takes.
func wide(s string) float64 { return textWidth * float64(utf8.RuneCountInString(s)) }

// cut is a text shortened to a width in pixels, about.
func cut(s string, width float64) string {
	if n := int(width / textWidth); utf8.RuneCountInString(s) > n {
		return string([]rune(s)[:max(1, n-1)]) + "…"
	}
	return s
}

// legend is the keys in lines above the figure, and the height that they take up.
func (f *Figure) legend() (shapes []shape, height float64) {
	const line, mark, left = 16, 20, 8
	x, y := float64(left), 12.0 // from the top of the legend, which is moved up by its height
	for _, k := range f.keys {
		name := cut(visible.Text(k.name), f.Width-left-mark-6)
		width := mark + wide(name) + 14
		if x > left && x+width-14 > f.Width {
			x, y = left, y+line
		}
		shapes = append(shapes, shape{class: "line", colour: k.colour, points: []point{{x, y - 4}, {x + mark - 6, y - 4}}},
			shape{points: []point{{x + mark, y}}, text: name})
		x += width
	}
	if shapes == nil {
		return nil, 0
	}
	height = y + 6
	for i := range shapes {
		for k := range shapes[i].points {
			shapes[i].points[k].y -= height
		}
	}
	return shapes, height
}

// straight is points rounded to a tenth of a pixel, without those that are not numbers and those that a straight line
// to the next passes anyway.
func straight(x, y []float64) (points []point) {
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
	return points
}

// exact is a value of a table; undefined ones are empty.
func exact(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
