package compare

import (
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"
)

// Measures of the diagram, in pixels.
const (
	diagramAxis = 560 // length of the axis of ranks
	diagramLine = 22  // from one label to the next
	diagramChar = 7.2 // of a label, on average
)

// diagramStyle is the colours, with others where the reader's page is dark.
const diagramStyle = `<style>.ground{fill:#fff} .ink{stroke:#222} .bar{stroke:#0072B2} text{fill:#222}
@media (prefers-color-scheme: dark){.ground{fill:#16181d} .ink{stroke:#e5e7eb} .bar{stroke:#56B4E9} text{fill:#e5e7eb}}
</style>
`

// Diagram writes the diagram of critical differences (Demšar, JMLR 2006, figure 1) as SVG: models at their mean ranks,
// 1 to the left, and bars over those that Nemenyi's test does not tell apart. With fewer than five data sets there is
// none, since no difference could show.
func (o *OverTests) Diagram(w io.Writer) error {
	f := &o.Friedman
	k := len(o.Models)
	if f.N < fewSets || k < 2 || math.IsNaN(f.CD) {
		return fmt.Errorf("compare: a diagram of critical differences wants at least %d data sets and 2 models, "+
			"not %d and %d", fewSets, f.N, k)
	}
	longest := 0
	for _, m := range o.Models {
		longest = max(longest, utf8.RuneCountInString(m))
	}
	side := math.Ceil(float64(longest+7)*diagramChar) + 24
	width := diagramAxis + 2*side
	x := func(rank float64) float64 { return side + (rank-1)/float64(k-1)*diagramAxis }
	bars := o.bars()
	const top = 84.0
	first := top + 20 + 9*float64(len(bars))
	left := (k + 1) / 2
	height := first + float64(left)*diagramLine + 34
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" `+
		`font-family="system-ui, sans-serif" font-size="13">`+"\n", width, height, width, height)
	fmt.Fprintf(&b, "<title>Critical differences of mean ranks over %d data sets</title>\n", f.N)
	b.WriteString(diagramStyle)
	fmt.Fprintf(&b, `<rect class="ground" width="%.0f" height="%.0f"/>`+"\n", width, height)
	drawn := func(class string, x1, y1, x2, y2, thick float64) {
		fmt.Fprintf(&b, `<line class="%s" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke-width="%g"/>`+"\n",
			class, x1, y1, x2, y2, thick)
	}
	line := func(x1, y1, x2, y2, thick float64) { drawn("ink", x1, y1, x2, y2, thick) }
	text := func(at, y float64, anchor, s string) {
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" text-anchor="%s">%s</text>`+"\n", at, y, anchor, htmlText(s))
	}
	// the critical difference, from rank 1
	end := math.Min(x(1+f.CD), side+diagramAxis)
	line(x(1), 32, end, 32, 2)
	line(x(1), 27, x(1), 37, 2)
	caption := fmt.Sprintf("critical difference %.2f (Nemenyi, .05), %d data sets", f.CD, f.N)
	if 1+f.CD > float64(k) {
		caption += ": wider than the axis"
	} else {
		line(end, 27, end, 37, 2)
	}
	text(x(1), 20, "start", caption)
	// the axis
	line(x(1), top, x(float64(k)), top, 1.5)
	every := max(1, int(math.Ceil(float64(k)/20)))
	for r := 1; r <= k; r++ {
		if (r-1)%every != 0 {
			continue
		}
		line(x(float64(r)), top-7, x(float64(r)), top, 1)
		text(x(float64(r)), top-12, "middle", fmt.Sprint(r))
	}
	for i, bar := range bars {
		y := top + 12 + 9*float64(i)
		drawn("bar", x(f.Mean[bar[0]])-3, y, x(f.Mean[bar[1]])+3, y, 4)
	}
	for i, m := range o.Models {
		at, row, to, anchor := x(f.Mean[i]), i, side-10, "end"
		if i >= left {
			row, to, anchor = k-1-i, side+diagramAxis+10, "start"
		}
		y := first + 14 + float64(row)*diagramLine
		line(at, top, at, y, 1)
		line(at, y, to, y, 1)
		label := fmt.Sprintf("%s %.2f", m, f.Mean[i])
		if anchor == "start" {
			text(to+5, y+4, anchor, label)
		} else {
			text(to-5, y+4, anchor, label)
		}
	}
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// bars is the first and last model of each longest stretch of mean ranks that are no further apart than the critical
// difference, of two models or more.
func (o *OverTests) bars() (out [][2]int) {
	f := &o.Friedman
	last := -1
	for i := range o.Models {
		j := i
		for j+1 < len(o.Models) && f.Mean[j+1]-f.Mean[i] <= f.CD {
			j++
		}
		if j > i && j > last {
			out = append(out, [2]int{i, j})
			last = j
		}
	}
	return out
}
