package runs

import (
	"math"

	"plumbline/eval"
)

// Summary is summary.json: each model on each data set over its seeds.
type Summary struct {
	Name    string       `json:"name"`
	Cells   int          `json:"cells"`
	OK      int          `json:"ok"`
	Entries []SummaryRow `json:"entries"`
}

// SummaryRow is one model on one data set.
type SummaryRow struct {
	Data  string            `json:"data"`
	Label string            `json:"label"`
	OK    int               `json:"ok"`
	Cells int               `json:"cells"`
	Means map[string]Number `json:"means"`
	SDs   map[string]Number `json:"sds"`
}

// summarise is the means and standard deviations over seeds, in the order of the results.
func summarise(e *Experiment, results []Result) Summary {
	s := Summary{Name: e.Name, Cells: len(results)}
	at := map[[2]string]int{}
	var groups [][]Result
	for _, r := range results {
		if r.Status == OK {
			s.OK++
		}
		key := [2]string{r.Data, r.Label}
		i, ok := at[key]
		if !ok {
			i = len(groups)
			at[key] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], r)
	}
	for _, g := range groups {
		row := SummaryRow{Data: g[0].Data, Label: g[0].Label, Cells: len(g), Means: map[string]Number{}, SDs: map[string]Number{}}
		for _, metric := range Metrics() {
			var v []float64
			for i := range g {
				if g[i].Status == OK {
					v = append(v, g[i].Metric(metric))
				}
			}
			rep := eval.Repeat(v)
			row.Means[metric], row.SDs[metric] = Number(rep.Mean), Number(rep.SD)
			if rep.N == 0 {
				row.Means[metric] = Number(math.NaN())
			}
		}
		for i := range g {
			if g[i].Status == OK {
				row.OK++
			}
		}
		s.Entries = append(s.Entries, row)
	}
	return s
}
