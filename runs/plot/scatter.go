package plot

import (
	"math"
	"strconv"
)

// Cloud is points of one name.
type Cloud struct {
	Name string
	X, Y []float64
}

// Level is a value of the upright axis that is drawn as a line across; NaN is none.
type Level struct {
	Name  string
	Value float64
}

// Scatter draws clouds of points in a plane, the first in grey and the others in the order of [Colours]; those beyond
// the colours share the last. The ends of the axes are those of the points and levels. Both axes have one scale where
// square is set, as in a plane that keeps distances.
func Scatter(name, title string, width, height float64, x, y Axis, square bool, clouds []Cloud,
	levels ...Level) *Figure {
	f := &Figure{Name: name, Title: title, Width: width, Height: height}
	xLabel, yLabel := x.Label, y.Label
	x.span(clouds, func(c *Cloud) []float64 { return c.X })
	y.span(clouds, func(c *Cloud) []float64 { return c.Y }, levels...)
	fr := newFrame(f, x, y)
	if per := (x.High - x.Low) / fr.width; square {
		if other := (y.High - y.Low) / fr.height; other > per {
			grow := (other*fr.width - (x.High - x.Low)) / 2
			x.Low, x.High = x.Low-grow, x.High+grow
		} else {
			grow := (per*fr.height - (y.High - y.Low)) / 2
			y.Low, y.High = y.Low-grow, y.High+grow
		}
		f.shapes = nil
		fr = newFrame(f, x, y)
	}
	f.Table = [][]string{{xLabel, yLabel, "class"}}
	n := 0
	for _, c := range clouds {
		n += len(c.X)
	}
	radius := 1.8
	if n < 60 {
		radius = 3.5
	} else if n < 400 {
		radius = 2.6
	}
	for _, l := range levels {
		if !math.IsNaN(l.Value) {
			f.rule("mark", fr.left, fr.py(l.Value), fr.left+fr.width, fr.py(l.Value))
			f.keys = append(f.keys, legendKey{l.Name + ", dotted", lookOf("mark").stroke})
		}
	}
	for i, c := range clouds {
		if len(c.X) == 0 {
			continue
		}
		colour := cloudColour(i)
		f.keys = append(f.keys, legendKey{c.Name, colour})
		for k := range c.X {
			f.add(shape{class: "cloud", colour: colour, points: []point{{fr.px(c.X[k]), fr.py(c.Y[k])}}, radius: radius})
			f.Table = append(f.Table, []string{strconv.FormatFloat(c.X[k], 'g', 6, 64),
				strconv.FormatFloat(c.Y[k], 'g', 6, 64), c.Name})
		}
	}
	return f
}

// cloudColour is the colour of a cloud by its place: grey, then those of series.
func cloudColour(i int) string {
	if i == 0 {
		return "#8a929c"
	}
	return Colours[min(i-1, len(Colours)-1)]
}

// span sets the ends of an axis to the smallest and the largest of the values and levels, a little wider.
func (a *Axis) span(clouds []Cloud, of func(*Cloud) []float64, levels ...Level) {
	low, high := math.Inf(1), math.Inf(-1)
	take := func(v float64) {
		if !math.IsNaN(v) {
			low, high = min(low, v), max(high, v)
		}
	}
	for i := range clouds {
		for _, v := range of(&clouds[i]) {
			take(v)
		}
	}
	for _, l := range levels {
		take(l.Value)
	}
	switch more := math.Pow(high/low, 0.03); {
	case math.IsInf(low, 0):
		a.Low, a.High, a.Log = 0, 1, false
	case !(low < high):
		a.Low, a.High, a.Log = low-1, low+1, false
	case a.Log:
		a.Low, a.High = low/more, high*more
	default:
		a.Low, a.High = low-0.03*(high-low), high+0.03*(high-low)
	}
}
