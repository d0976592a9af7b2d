package plot

import (
	"math"
	"slices"
)

// Point is a value of a chart of dots, with its interval where it has one (Low <= High) and what it is beside.
type Point struct {
	Name             string
	Value, Low, High float64
	Grey             bool    // a control
	Beside           float64 // another value of the row, drawn as a ring; NaN where there is none
}

// Dots draws a value for each row, a dot with its interval, on an axis below, with a mark at one value of the axis
// unless that is NaN. value and beside name the two values; beside is "" where no row has another.
func Dots(name, title string, width float64, axis Axis, mark float64, value, beside string, points []Point) *Figure {
	const line, below = 20, 40
	f := &Figure{Name: name, Title: title, Width: width, Height: float64(line*len(points)) + below + 6}
	left := 0.0
	for _, p := range points {
		left = max(left, wide(p.Name))
	}
	left = min(left, width*0.42) + 14
	right, bottom := width-20, f.Height-below
	x := func(v float64) float64 { return left + (right-left)*axis.at(v) }
	below0 := slices.ContainsFunc(points, func(p Point) bool { return p.Value < axis.Low || p.Beside < axis.Low })
	for _, v := range axis.ticks(max(2, int((right-left)/60))) {
		f.rule("grid", x(v), 4, x(v), bottom)
		text := axis.write(v)
		if below0 && x(v) == left {
			text = "≤ " + text // what is below stands here too, as 0 on a logarithmic axis
		}
		f.text(x(v), bottom+15, "middle", text)
	}
	f.text((left+right)/2, f.Height-6, "middle", cut(axis.Label, right-left))
	if mark >= axis.Low && mark <= axis.High {
		f.rule("mark", x(mark), 4, x(mark), bottom)
	}
	f.Table = [][]string{{"", value, "low", "high"}}
	if beside != "" {
		f.Table[0] = append(f.Table[0], beside)
		f.keys = []legendKey{{value, Colours[0]}, {beside, Colours[1]}}
	}
	for i, p := range points {
		y := 4 + line*(float64(i)+0.5)
		class := ""
		if p.Grey {
			class = " ctl"
		}
		f.text(left-8, y+4, "end", cut(p.Name, left-14))
		if p.Low <= p.High {
			f.rule("ci"+class, x(p.Low), y, x(p.High), y)
		}
		if beside != "" && !math.IsNaN(p.Beside) {
			f.add(shape{class: "bar", colour: Colours[1], points: []point{{x(p.Beside), y}}, radius: 3.5,
				tip: p.Name + ", " + beside + ": " + axis.write(p.Beside)})
		}
		if !math.IsNaN(p.Value) {
			f.add(shape{class: "pt" + class, points: []point{{x(p.Value), y}}, radius: 3.5,
				tip: p.Name + ": " + axis.write(p.Value)})
		}
		row := []string{p.Name, exact(p.Value), exact(p.Low), exact(p.High)}
		if beside != "" {
			row = append(row, exact(p.Beside))
		}
		f.Table = append(f.Table, row)
	}
	return f
}
