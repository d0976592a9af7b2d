package plot

import (
	"fmt"
	"math"
)

// Ranks draws mean ranks with what does not differ, the diagram of critical differences (Demšar, JMLR 2006, figure 1):
// models at their mean ranks in ascending order, 1 to the left, and bars over the stretches that a test does not tell
// apart, each from one model to another by place. Differences up to critical are drawn as the length above the axis.
func Ranks(name, title string, width float64, models []string, ranks []float64, stretches [][2]int, critical float64,
	caption string) *Figure {
	const line, top = 18, 66.0
	k := len(models)
	f := &Figure{Name: name, Title: title, Width: width}
	label := func(i int) string { return fmt.Sprintf("%s %.2f", models[i], ranks[i]) }
	side := 0.0
	for i := range models {
		side = max(side, wide(label(i)))
	}
	side = min(side, width*0.32) + 16
	x := func(rank float64) float64 { return side + (rank-1)/float64(k-1)*(width-2*side) }
	end := math.Min(x(1+critical), width-side)
	f.rule("ink", x(1), 26, end, 26)
	f.rule("ink", x(1), 22, x(1), 30)
	if 1+critical <= float64(k) {
		f.rule("ink", end, 22, end, 30)
	} else {
		caption += ": wider than the axis"
	}
	if wide(caption) > width-x(1) {
		f.text(width/2, 15, "middle", cut(caption, width-8))
	} else {
		f.text(x(1), 15, "start", caption)
	}
	f.rule("ink", x(1), top, x(float64(k)), top)
	every := int(math.Ceil(float64(k) / math.Max(2, (width-2*side)/24)))
	for r := 1; r <= k; r++ {
		if (r-1)%every == 0 {
			f.rule("ink", x(float64(r)), top-6, x(float64(r)), top)
			f.text(x(float64(r)), top-10, "middle", fmt.Sprint(r))
		}
	}
	for i, s := range stretches {
		y := top + 10 + 8*float64(i)
		f.rule("thick", x(ranks[s[0]])-3, y, x(ranks[s[1]])+3, y)
	}
	first, left := top+18+8*float64(len(stretches)), (k+1)/2
	f.Height = first + float64(left)*line + 8
	f.Table = [][]string{{"model", "mean rank"}}
	for i, m := range models {
		at, row, to, anchor, room := x(ranks[i]), i, side-8, "end", side-14
		if i >= left {
			row, to, anchor = k-1-i, width-side+8, "start"
		}
		y := first + 6 + float64(row)*line
		f.add(shape{class: "ink", points: []point{{at, top}, {at, y}, {to, y}}})
		if anchor == "end" {
			f.text(to-4, y+4, anchor, cut(label(i), room))
		} else {
			f.text(to+4, y+4, anchor, cut(label(i), room))
		}
		f.Table = append(f.Table, []string{m, exact(ranks[i])})
	}
	return f
}
