package investigate

import (
	"context"
	"math"
	"slices"
	"strconv"

	"plumbline/data"
	"plumbline/models"
	"plumbline/runs/bundle"
)

// causesOf is the cause of each sample, those that alarm says nothing of without one; nil for a model that gives no
// reasons and cannot be asked for them.
func causesOf(ctx context.Context, det models.Detector, needs models.Needs, s *data.Set, raw []float64,
	alarm func(int) bool) ([]models.Cause, error) {
	if i, ok := det.(models.Investigator); ok {
		return i.Causes(ctx, s)
	}
	out := make([]models.Cause, s.N)
	for i := range out {
		out[i] = models.Cause{Name: "none", Event: -1}
	}
	x, ok := det.(models.Explainer)
	switch {
	case ok:
		names, parts, err := x.Explain(ctx, s)
		if err != nil {
			return nil, err
		}
		for i, v := range parts {
			if k := largest(v[:min(len(v), len(names))]); k >= 0 {
				out[i].Name = names[k]
			}
		}
	case s.Kind == data.Vectors && !needs.Batch:
		var rows []int
		for i := range s.N {
			if alarm(i) {
				rows = append(rows, i)
			}
		}
		if err := replaced(ctx, det, s, raw, rows, out); err != nil {
			return nil, err
		}
	default:
		return nil, nil
	}
	return out, nil
}

// largest is the place of the largest number, the first of equal ones; −1 where there is none.
func largest(v []float64) int {
	top, at := math.Inf(-1), -1
	for k, c := range v {
		if c > top {
			top, at = c, k
		}
	}
	return at
}

// source is the columns of the matrix that come from one column of the data.
type source struct {
	name    string
	columns []int
}

// sources is the columns of the matrix by what they come from, in order.
func sources(s *data.Set) (out []source) {
	names := s.ColumnNames()
	at := map[string]int{}
	for j := range s.D {
		name := names[j]
		if len(s.Features) == s.D && s.Features[j].Source != "" {
			name = s.Features[j].Source
		}
		k, ok := at[name]
		if !ok {
			k = len(out)
			at[name] = k
			out = append(out, source{name: name})
		}
		out[k].columns = append(out[k].columns, j)
	}
	return out
}

// batch is how many rows are scored at a time.
const batch = 4096

// replaced asks a model that gives no reasons for those of some rows: a row's cause is the source column that its score
// falls most without (see falls). A row whose score falls with none has the cause "none".
func replaced(ctx context.Context, det models.Detector, s *data.Set, raw []float64, rows []int,
	out []models.Cause) error {
	best := make([]float64, s.N) // fall of the score
	return falls(ctx, det, s, raw, rows, medians(s, raw), func(src *source, i int, fall float64) {
		if row := rows[i]; fall > best[row] {
			best[row], out[row].Name = fall, src.name
		}
	})
}

// falls says by how much the score of each of some rows falls, for rows[i] and each source column, when the values of
// the column are replaced by those of the middle row. It takes a score for each of the rows and source columns.
func falls(ctx context.Context, det models.Detector, s *data.Set, raw []float64, rows []int, middle []float32,
	say func(src *source, i int, fall float64)) error {
	from := sources(s)
	for k := range from {
		for at := 0; at < len(rows); at += batch {
			some := rows[at:min(at+batch, len(rows))]
			changed := s.Subset(some).Unlabelled()
			for i := range some {
				for _, j := range from[k].columns {
					changed.X[i*s.D+j] = middle[j]
				}
			}
			got, err := bundle.Score(ctx, det, changed)
			if err != nil {
				return err
			}
			for i, row := range some {
				say(&from[k], at+i, raw[row]-got[i])
			}
		}
	}
	return nil
}

// medians is the middle row of samples: the lower median of each column over the half of the samples that score lowest.
func medians(s *data.Set, raw []float64) []float32 {
	limit := slices.Sorted(slices.Values(raw))[(len(raw)-1)/2]
	out := make([]float32, s.D)
	var column []float32
	for j := range out {
		column = column[:0]
		for i, v := range raw {
			if v <= limit {
				column = append(column, s.X[i*s.D+j])
			}
		}
		slices.Sort(column)
		out[j] = column[(len(column)-1)/2]
	}
	return out
}

// Expectation is what a model expects in one column.
type Expectation struct {
	Column int
	Values [][]float64 // of all samples
}

// ExpectedOf is what the model expects, by the name of the column; nil of a model that expects nothing.
func ExpectedOf(ctx context.Context, det models.Detector, s *data.Set) (map[string]Expectation, error) {
	e, ok := det.(models.Expecter)
	if !ok || s.Kind != data.Vectors {
		return nil, nil
	}
	values, err := e.Expected(ctx, s)
	if err != nil {
		return nil, err
	}
	out := make(map[string]Expectation, s.D)
	for j, name := range s.ColumnNames() {
		out[name] = Expectation{j, values}
	}
	return out, nil
}

// of is the actual and the expected value of a sample.
func (e Expectation) of(s *data.Set, i int) (actual, expected string) {
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
	return number(float64(s.Row(i)[e.Column])), number(e.Values[i][e.Column])
}
