package recurrent

import (
	"context"
	"math"
	"slices"

	"plumbline/data"
	"plumbline/models"
)

// explained is a sequential detector that gives reasons.
type explained struct{ *models.Fitted[*sequential] }

// Explain gives the terms of the window's score that pooling takes, or their means over all windows: of each
// column of the events, or of each of the last events. Where a model judges the errors, they are a column's mean
// squared error, from which its score does not follow.
func (e explained) Explain(ctx context.Context, s *data.Set) ([]string, [][]float64, error) {
	q, err := e.Ready(s)
	if err != nil {
		return nil, nil, err
	}
	var names []string
	terms := func(w window, y []float32, to []float64) {}
	switch t := q.task.(type) {
	case explainsColumns:
		names = s.ColumnNames()
		terms = func(w window, y []float32, to []float64) { t.terms(s, w, y, to) }
	case explainsEvents:
		names = eventNames(q.windowing.Window)
		terms = func(w window, y []float32, to []float64) { t.steps(s, w, y, to) }
	}
	if s.N == 0 {
		return names, nil, nil
	}
	list, first := windows(s, q.task.symbols(), q.pool == "last")
	if q.pool == "max" { // the window that is the score
		scores, err := q.scores(ctx, s, list)
		if err != nil {
			return nil, nil, err
		}
		var top []window
		at := make([]int32, 1, s.N+1)
		for i := range s.N {
			if mine := scores[first[i]:first[i+1]]; len(mine) > 0 {
				top = append(top, list[int(first[i])+slices.Index(mine, slices.Max(mine))])
			}
			at = append(at, int32(len(top)))
		}
		list, first = top, at
	}
	out := make([][]float64, s.N)
	for i := range out {
		out[i] = make([]float64, len(names))
	}
	rows := make([]float64, len(list)*len(names))
	err = q.each(ctx, s, list, func(i int, y []float32) { terms(list[i], y, rows[i*len(names):(i+1)*len(names)]) })
	if err != nil {
		return nil, nil, err
	}
	for i := range out {
		n := float64(first[i+1] - first[i])
		for k := first[i]; k < first[i+1]; k++ {
			for j := range names {
				out[i][j] += min(rows[int(k)*len(names)+j], math.MaxFloat32) / n
			}
		}
	}
	return names, out, nil
}
