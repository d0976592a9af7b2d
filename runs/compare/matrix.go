package compare

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"plumbline/eval"
)

// matrix writes one Markdown table: a line for each model, a column for each data set, and the mean rank, 1 for the
// best, among the models that have a result on every data set. The others stand at the end.
func (c *Comparison) matrix(w io.Writer) error {
	cells, values := map[string][]string{}, map[string][]float64{} // of each label, one for each data set
	for g := range c.Groups {
		for i := range c.Groups[g].Rows {
			r := &c.Groups[g].Rows[i]
			if cells[r.Label] == nil {
				cells[r.Label], values[r.Label] = make([]string, len(c.Groups)), make([]float64, len(c.Groups))
				for k := range cells[r.Label] {
					cells[r.Label][k], values[r.Label][k] = "–", math.NaN()
				}
			}
			cells[r.Label][g] = plusMinus(r.Main)
			if values[r.Label][g] = r.Main.Mean; r.OK < r.Cells {
				cells[r.Label][g] += fmt.Sprintf(" (%d of %d)", r.OK, r.Cells)
			}
		}
	}
	var whole, part []string
	for label, v := range values {
		if slices.ContainsFunc(v, math.IsNaN) {
			part = append(part, label)
		} else {
			whole = append(whole, label)
		}
	}
	slices.Sort(whole)
	slices.Sort(part)
	blocks := make([][]float64, len(c.Groups))
	for g := range blocks {
		for _, label := range whole {
			v := values[label][g]
			blocks[g] = append(blocks[g], direction(c.Metric)*v)
		}
	}
	ranks, err := eval.Friedman(blocks)
	if err != nil {
		return err
	}
	rank := map[string]float64{}
	for i, label := range whole {
		rank[label] = ranks.Mean[i]
	}
	slices.SortStableFunc(whole, func(a, b string) int {
		switch {
		case rank[a] < rank[b]:
			return -1
		case rank[a] > rank[b]:
			return 1
		}
		return 0
	})
	var b strings.Builder
	fmt.Fprintf(&b, "| %s |", title(c.Metric))
	for _, g := range c.Groups {
		fmt.Fprintf(&b, " %s |", g.Data)
	}
	b.WriteString(" mean rank |\n|" + strings.Repeat(" --- |", len(c.Groups)+2) + "\n")
	for _, label := range slices.Concat(whole, part) {
		fmt.Fprintf(&b, "| %s | %s |", label, strings.Join(cells[label], " | "))
		if r, ok := rank[label]; ok {
			fmt.Fprintf(&b, " %.1f |\n", r)
		} else {
			b.WriteString(" – |\n")
		}
	}
	warnings := slices.Clone(c.Warnings)
	for _, g := range c.Groups {
		for _, text := range g.Warnings {
			warnings = append(warnings, g.Data+": "+text)
		}
	}
	for i, text := range warnings {
		if i == 0 {
			b.WriteByte('\n')
		}
		b.WriteString("- warning: " + text + "\n")
	}
	_, err = io.WriteString(w, b.String())
	return err
}
