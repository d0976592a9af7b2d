package classic

import (
	"context"
	"fmt"
	"math"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/parallel"
)

// moments are the means and population standard deviations of the columns.
type moments struct {
	mean []float64 // d
	sd   []float64 // d; 1 for a constant column, so that it is only shifted
}

// momentRows is the number of rows of one partial sum. Partial sums are added in order: the number of
// workers changes nothing.
const momentRows = 4096

// columnSums adds up term(j, x_ij) over the rows.
func columnSums(ctx context.Context, s *data.Set, workers int, term func(j int, v float64) float64) ([]float64, error) {
	parts := make([][]float64, (s.N+momentRows-1)/momentRows)
	err := models.ParallelRows(ctx, s.N, momentRows, workers, func() func(lo, hi int) {
		return func(lo, hi int) {
			sum := make([]float64, s.D)
			for i := lo; i < hi; i++ {
				for j, v := range s.Row(i) {
					sum[j] += term(j, float64(v))
				}
			}
			parts[lo/momentRows] = sum
		}
	})
	if err != nil {
		return nil, err
	}
	total := make([]float64, s.D)
	for _, sum := range parts {
		for j, v := range sum {
			total[j] += v
		}
	}
	return total, nil
}

// columnMeans are the means of the columns, exact for constant ones.
func columnMeans(ctx context.Context, s *data.Set, workers int) ([]float64, error) {
	parts := make([][]float64, (s.N+momentRows-1)/momentRows)
	err := parallel.Blocks(ctx, workers, s.N, momentRows, func(lo, hi int) {
		sum := make([]float64, s.D)
		for i := lo; i < hi; i++ {
			for j, v := range s.Row(i) {
				sum[j] += float64(v)
			}
		}
		parts[lo/momentRows] = sum
	})
	if err != nil {
		return nil, err
	}
	mean := make([]float64, s.D)
	for _, sum := range parts {
		for j, v := range sum {
			mean[j] += v
		}
	}
	for j, constant := range constantColumns(s) {
		if mean[j] /= float64(s.N); constant {
			mean[j] = float64(s.X[j]) // without a rounding error
		}
	}
	return mean, nil
}

func fitMoments(ctx context.Context, s *data.Set, workers int) (*moments, error) {
	mean, err := columnMeans(ctx, s, workers)
	if err != nil {
		return nil, err
	}
	squares, err := columnSums(ctx, s, workers, func(j int, v float64) float64 {
		diff := v - mean[j]
		return diff * diff
	})
	if err != nil {
		return nil, err
	}
	m := &moments{mean: mean, sd: squares}
	for j, sq := range squares {
		m.sd[j] = math.Sqrt(sq / float64(s.N))
	}
	for j, constant := range constantColumns(s) {
		if constant {
			m.sd[j] = 1
		}
	}
	return m, nil
}

// constantColumns says which columns have one value throughout.
func constantColumns(s *data.Set) []bool {
	out := make([]bool, s.D)
	open := make([]int, s.D)
	for j := range out {
		out[j], open[j] = true, j
	}
	for i := 1; i < s.N && len(open) > 0; i++ {
		row := s.Row(i)
		left := open[:0]
		for _, j := range open {
			if row[j] == s.X[j] {
				left = append(left, j)
			} else {
				out[j] = false
			}
		}
		open = left
	}
	return out
}

// z is the standardised value of column j.
func (m *moments) z(j int, v float32) float64 { return (float64(v) - m.mean[j]) / m.sd[j] }

func (m *moments) RowState() (any, models.Arrays) {
	return nil, models.Arrays{"mean": m.mean, "sd": m.sd}
}

func loadMoments(st models.State) (*moments, error) {
	mean, err := models.FiniteArray[float64](st.Arrays, "mean", st.Columns)
	if err != nil {
		return nil, err
	}
	deviations, err := models.FiniteArray[float64](st.Arrays, "sd", st.Columns)
	if err != nil {
		return nil, err
	}
	m := &moments{mean, deviations}
	for j, sd := range m.sd {
		// No deviation of float32 values is outside.
		if !(sd >= 1e-50 && sd <= 1e50) || math.Abs(m.mean[j]) > math.MaxFloat32 {
			return nil, fmt.Errorf("column %d has mean %v and deviation %v", j, m.mean[j], sd)
		}
	}
	return m, nil
}

// total is Σ v, in four sums side by side: one would wait for itself.
func total(v []float64) float64 {
	var a, b, c, d float64
	for ; len(v) >= 4; v = v[4:] {
		a, b, c, d = a+v[0], b+v[1], c+v[2], d+v[3]
	}
	for _, x := range v {
		a += x
	}
	return (a + b) + (c + d)
}
