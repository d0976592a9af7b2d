package plot

import "math"

// Line is a curve over the points of its chart. Low and High, a band, may be nil.
type Line struct {
	Name         string
	Y, Low, High []float64 // NaN: no value
}

// frame is the area of a chart in its figure.
type frame struct {
	*Figure
	x, y                     Axis
	left, top, width, height float64
}

func newFrame(f *Figure, x, y Axis) *frame {
	fr := &frame{Figure: f, x: x, y: y, left: 12, top: 8}
	for _, v := range y.ticks(5) {
		fr.left = max(fr.left, 14+wide(y.write(v)))
	}
	fr.width, fr.height = f.Width-fr.left-12, f.Height-fr.top-40
	for _, v := range y.ticks(5) {
		fr.rule("grid", fr.left, fr.py(v), fr.left+fr.width, fr.py(v))
		fr.text(fr.left-6, fr.py(v)+4, "end", y.write(v))
	}
	for _, v := range x.ticks(max(2, int(fr.width/60))) {
		fr.rule("grid", fr.px(v), fr.top, fr.px(v), fr.top+fr.height)
		anchor := "middle"
		if fr.px(v) > fr.left+fr.width-14 {
			anchor = "end" // nothing is cut at the edge
		}
		fr.text(fr.px(v), fr.top+fr.height+15, anchor, x.write(v))
	}
	label := x.Label
	if y.Label != "" {
		label = y.Label + " against " + x.Label
	}
	middle := fr.left + fr.width/2
	if wide(label) > fr.width {
		middle = f.Width / 2
	}
	fr.text(middle, f.Height-6, "middle", cut(label, f.Width-8))
	return fr
}

func (f *frame) px(v float64) float64 { return f.left + f.width*f.x.at(v) }
func (f *frame) py(v float64) float64 { return f.top + f.height*(1-f.y.at(v)) }

// points is values as places of the figure.
func (f *frame) points(x, y []float64) (px, py []float64) {
	for i := range x {
		px, py = append(px, f.px(x[i])), append(py, math.NaN())
		if !math.IsNaN(y[i]) {
			py[i] = f.py(y[i])
		}
	}
	return px, py
}

// fewPoints is the most points of a chart whose curves show each as a disc.
const fewPoints = 12

// Lines draws curves over common points x: the first in the order of [Colours], with their bands, those beyond in grey
// below them. diagonal draws y = x, what chance gives in a ROC diagram.
func Lines(name, title string, width, height float64, x, y Axis, at []float64, lines []Line, diagonal bool) *Figure {
	f := &Figure{Name: name, Title: title, Width: width, Height: height}
	fr := newFrame(f, x, y)
	f.Table = [][]string{{x.Label}}
	for _, v := range at {
		f.Table = append(f.Table, []string{exact(v)})
	}
	if diagonal {
		px, py := fr.points(at, at)
		f.add(shape{class: "chance", points: straight(px, py)})
	}
	for i := len(lines) - 1; i >= len(Colours); i-- {
		px, py := fr.points(at, lines[i].Y)
		f.curve("rest", "", straight(px, py), lines[i].Name)
	}
	for i := min(len(lines), len(Colours)) - 1; i >= 0; i-- {
		l := &lines[i]
		px, py := fr.points(at, l.Y)
		if l.Low != nil {
			_, low := fr.points(at, l.Low)
			_, high := fr.points(at, l.High)
			f.add(shape{class: "band", colour: Colours[i], points: around(px, low, high), closed: true})
		}
		f.curve("line", Colours[i], straight(px, py), l.Name)
		for k := range px { // what lies between few values was not measured
			if len(at) <= fewPoints && len(at) > 1 && !math.IsNaN(py[k]) {
				f.add(shape{class: "bar", colour: Colours[i], points: []point{{px[k], py[k]}}, radius: 2.5})
			}
		}
	}
	for i, l := range lines {
		if i < len(Colours) {
			f.keys = append(f.keys, legendKey{l.Name, Colours[i]})
		}
		f.column(l.Name, l.Y)
		if l.Low != nil {
			f.column(l.Name+" low", l.Low)
			f.column(l.Name+" high", l.High)
		}
	}
	return f
}

// column adds a column to the figure's numbers.
func (f *Figure) column(name string, v []float64) {
	f.Table[0] = append(f.Table[0], name)
	for i := range v {
		f.Table[i+1] = append(f.Table[i+1], exact(v[i]))
	}
}

// curve adds a line; one point alone is a disc.
func (f *Figure) curve(class, colour string, points []point, tip string) {
	switch len(points) {
	case 0:
	case 1:
		if colour == "" {
			colour = lookOf(class).stroke
		}
		f.add(shape{class: "bar", colour: colour, points: points, radius: 2.5, tip: tip})
	default:
		f.add(shape{class: class, colour: colour, points: points, tip: tip})
	}
}

// around is the outline of a band, where it is defined.
func around(x, low, high []float64) []point {
	var px, py []float64
	for i := range x {
		px, py = append(px, x[i]), append(py, high[i])
	}
	for i := len(x) - 1; i >= 0; i-- {
		px, py = append(px, x[i]), append(py, low[i])
	}
	return straight(px, py)
}
