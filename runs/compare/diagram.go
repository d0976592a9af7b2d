package compare

import (
	"fmt"
	"math"

	"plumbline/runs/plot"
)

// Diagram is the diagram of critical differences (Demšar, JMLR 2006, figure 1), of a width in pixels: models at their
// mean ranks, 1 to the left, and bars over those that Nemenyi's test does not tell apart. With fewer than 5 data sets
// there is none, since no difference could show.
func (o *OverTests) Diagram(width float64) (*plot.Figure, error) {
	f := &o.Friedman
	k := len(o.Models)
	if f.N < fewSets || k < 2 || math.IsNaN(f.CD) {
		return nil, fmt.Errorf("compare: a diagram of critical differences wants at least %d data sets and 2 models, "+
			"not %d and %d", fewSets, f.N, k)
	}
	return plot.Ranks("critical-differences", fmt.Sprintf("Critical differences of mean ranks over %d data sets", f.N),
		width, o.Models, f.Mean, o.bars(), f.CD,
		fmt.Sprintf("critical difference %.2f (Nemenyi, .05), %d data sets", f.CD, f.N)), nil
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
