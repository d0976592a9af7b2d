package plot

import (
	"math"
	"slices"
	"strconv"
)

// Coordinate is one of several axes side by side: numbers from Low to High, or words in the order given.
type Coordinate struct {
	Name      string
	Low, High float64
	Log       bool
	Words     []string // a value is its place in the list
}

// at is where a value stands from 0, below, to 1.
func (c *Coordinate) at(v float64) float64 {
	if len(c.Words) > 0 {
		return (v + 0.5) / float64(len(c.Words))
	}
	if !(c.Low < c.High) {
		return 0.5
	}
	return Axis{Low: c.Low, High: c.High, Log: c.Log}.at(v)
}

func (c *Coordinate) write(v float64) string {
	if len(c.Words) > 0 {
		return c.Words[int(v)]
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// Parallel draws each line through its value on every axis, undefined ones left out, in grey but for those that are
// marked, which lie on top.
func Parallel(name, title string, width float64, axes []Coordinate, lines [][]float64, marked []bool) *Figure {
	const top, bottom = 34, 22
	f := &Figure{Name: name, Title: title, Width: width, Height: math.Max(200, 0.33*width) + top}
	side := 10.0
	for _, c := range axes {
		side = math.Max(side, math.Min(wide(c.Name)/2+4, width*0.15))
	}
	step := (width - 2*side) / math.Max(1, float64(len(axes)-1))
	x := func(k int) float64 { return side + step*float64(k) }
	y := func(k int, v float64) float64 { return top + (f.Height-top-bottom)*(1-axes[k].at(v)) }
	f.Table = [][]string{nil}
	for k := range axes {
		f.Table[0] = append(f.Table[0], axes[k].Name)
	}
	for _, on := range []bool{false, true} {
		for i, l := range lines {
			if marked[i] != on {
				continue
			}
			var px, py []float64
			for k, v := range l {
				if !math.IsNaN(v) {
					px, py = append(px, x(k)), append(py, y(k, v))
				}
			}
			if on {
				f.curve("line", Colours[0], straight(px, py), "chosen")
			} else {
				f.curve("rest", "", straight(px, py), "")
			}
		}
	}
	f.keys = []legendKey{{"trials", lookOf("rest").stroke}}
	if slices.Contains(marked, true) {
		f.keys = append(f.keys, legendKey{"chosen", Colours[0]})
	}
	for k := range axes {
		c := &axes[k]
		f.rule("base", x(k), top, x(k), f.Height-bottom)
		f.text(x(k), 12, "middle", cut(c.Name, step-4))
		switch {
		case len(c.Words) > 0:
			for v, word := range c.Words {
				// words stand on the side where there is another axis, on a ground that covers the lines
				word, anchor, at := cut(word, step/2), "start", x(k)+5
				if k == len(axes)-1 {
					anchor, at = "end", x(k)-5
				}
				left := at - 3
				if anchor == "end" {
					left = at - wide(word) - 3
				}
				f.box("ground", "", 0, left, y(k, float64(v))-textSize/2-2, wide(word)+6, textSize+4, "")
				f.text(at, y(k, float64(v))+4, anchor, word)
			}
		default:
			f.text(x(k), top-6, "middle", c.write(c.High))
			f.text(x(k), f.Height-bottom+14, "middle", c.write(c.Low))
		}
	}
	for _, l := range lines {
		var row []string
		for k, v := range l {
			if math.IsNaN(v) {
				row = append(row, "")
				continue
			}
			row = append(row, axes[k].write(v))
		}
		f.Table = append(f.Table, row)
	}
	return f
}
