package runs

import (
	"plumbline/eval"
	"plumbline/runs/experiment"
	"plumbline/runs/record"
)

// Summary is summary.json: each model on each data set over its seeds and folds.
type Summary struct {
	Name    string       `json:"name"`
	Cells   int          `json:"cells"`
	OK      int          `json:"ok"`
	Entries []SummaryRow `json:"entries"`
}

// SummaryRow is one model on one data set.
type SummaryRow struct {
	Data    string                  `json:"data"`
	Label   string                  `json:"label"`
	Unit    string                  `json:"unit"`
	OK      int                     `json:"ok"`
	Cells   int                     `json:"cells"`
	Metrics map[string]eval.Repeats `json:"metrics"` // by name, over the cells that are ok
}

// summarise joins the cells of each model on each data set, in the order of the results.
func summarise(e *experiment.Experiment, m *record.Manifest, results []record.Result) Summary {
	s := Summary{Name: e.Name, Cells: len(results), Entries: []SummaryRow{}}
	at := map[[2]string]int{}
	var groups [][]record.Result
	for _, r := range results {
		key := [2]string{r.Data, r.Label}
		i, ok := at[key]
		if !ok {
			i = len(groups)
			at[key] = i
			groups = append(groups, nil)
			s.Entries = append(s.Entries, SummaryRow{
				Data: r.Data, Label: r.Label, Unit: r.Unit, Metrics: map[string]eval.Repeats{},
			})
		}
		s.Entries[i].Cells++
		if r.Status == record.OK {
			s.OK++
			s.Entries[i].OK++
			groups[i] = append(groups[i], r)
		}
	}
	for i, g := range groups {
		overlap := m.FoldOverlap(s.Entries[i].Data, g)
		for _, metric := range eval.MetricTable() {
			if metric.Better == eval.Neither {
				continue
			}
			v := make([]eval.Repetition, len(g))
			for k := range g {
				v[k] = eval.Repetition{Fold: g[k].Fold, Value: g[k].Metric(metric.Name)}
			}
			s.Entries[i].Metrics[metric.Name] = eval.Pool(v, overlap, metric.Range)
		}
	}
	return s
}
