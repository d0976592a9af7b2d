package classic

import (
	"context"
	"fmt"
	"math"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/cluster"
	"plumbline/numeric/factor"
)

// pcaPoints is PyOD's form of PCA: a standardised row z is compared with the unit eigenvectors v_j of the correlations
// as if these were points,
//
//	score(x) = Σ_j ‖z − v_j‖ / w_j,    z_c = (x_c − mean_c) / sd_c
//
// with w_j the share of the variance along v_j. An eigenvector is that with its largest entry positive, as in
// scikit-learn from 1.5 on: with the other sign the score is another. Directions with a share of at most 1e-12 are left
// out; PyOD divides by what rounding leaves of them.
type pcaPoints struct {
	mean, unit []float64 // d: unit is 1/sd, 1 for constant columns
	points     []float64 // k×d
	weights    []float64 // k: 1/w
}

func fitPCAPoints(ctx context.Context, env models.Env, s *data.Set) (*pcaPoints, error) {
	mean, err := columnMeans(ctx, s, env.Parallel())
	if err != nil {
		return nil, err
	}
	cov, err := cluster.Covariance(ctx, models.RowMatrix(s), mean, nil, env.Parallel())
	if err != nil {
		return nil, err
	}
	d := s.D
	m := &pcaPoints{mean: mean, unit: make([]float64, d)}
	for j := range m.unit {
		m.unit[j] = 1
		if v := cov[j*d+j]; v > 0 {
			m.unit[j] = 1 / math.Sqrt(v)
		}
	}
	for i := range d {
		for j := range d {
			cov[i*d+j] *= m.unit[i] * m.unit[j]
		}
	}
	values, vectors, err := factor.Eigen(cov, d)
	if err != nil {
		return nil, err
	}
	all := 0.0
	for _, v := range values {
		all += max(v, 0)
	}
	for i, v := range values {
		if v/all > 1e-12 {
			m.weights = append(m.weights, all/v)
			m.points = append(m.points, upright(vectors[i*d:(i+1)*d])...)
		}
	}
	if len(m.weights) == 0 { // all columns are constant: the distance from their values
		m.weights, m.points = []float64{1}, make([]float64, d)
	}
	return m, nil
}

// upright is the vector or its opposite: that whose entry of the largest magnitude is positive.
func upright(v []float64) []float64 {
	at := 0
	for j, x := range v {
		if math.Abs(x) > math.Abs(v[at]) {
			at = j
		}
	}
	if v[at] < 0 {
		for j := range v {
			v[j] = -v[j]
		}
	}
	return v
}

// visit gives, for each point, its weight, and the squares of the differences from it in squares.
func (m *pcaPoints) visit(row []float32, squares []float64, each func(weight, distance float64)) {
	d := len(row)
	for k, w := range m.weights {
		sum := 0.0
		for j, x := range row {
			t := float64((float64(x)-m.mean[j])*m.unit[j]) - m.points[k*d+j]
			squares[j] = float64(t * t)
			sum += squares[j]
		}
		each(w, math.Sqrt(sum))
	}
}

func (m *pcaPoints) ScoreRows(ctx context.Context, s *data.Set, workers int, out []float64) error {
	return models.EachRow(ctx, s.X, s.D, workers, out, func() func(row []float32) float64 {
		squares := make([]float64, s.D)
		return func(row []float32) float64 {
			sum := 0.0
			m.visit(row, squares, func(weight, distance float64) { sum += float64(weight * distance) })
			return sum
		}
	})
}

// ExplainRow: each distance is dealt out by the squares that it is made of.
func (m *pcaPoints) ExplainRow(row []float32, out []float64) {
	squares := make([]float64, len(row))
	clear(out)
	m.visit(row, squares, func(weight, distance float64) {
		if distance > 0 {
			for j, v := range squares {
				out[j] += float64(weight * (v / distance))
			}
		}
	})
}

func (m *pcaPoints) RowState() (any, models.Arrays) {
	return nil, models.Arrays{"mean": m.mean, "unit": m.unit, "points": m.points, "weights": m.weights}
}

func loadPCAPoints(st models.State) (models.RowLearned, error) {
	weights, err := models.FiniteArray[float64](st.Arrays, "weights", -1)
	if err != nil {
		return nil, err
	}
	d := st.Columns
	if len(weights) < 1 || len(weights) > d {
		return nil, fmt.Errorf("%d directions of %d columns", len(weights), d)
	}
	m := &pcaPoints{weights: weights}
	if m.mean, err = models.FiniteArray[float64](st.Arrays, "mean", d); err != nil {
		return nil, err
	}
	if m.unit, err = models.FiniteArray[float64](st.Arrays, "unit", d); err != nil {
		return nil, err
	}
	if m.points, err = models.FiniteArray[float64](st.Arrays, "points", len(weights)*d); err != nil {
		return nil, err
	}
	for k, w := range weights {
		if w < 1 || w > 2e12 {
			return nil, fmt.Errorf("direction %d has weight %v", k, w)
		}
	}
	for _, v := range m.points {
		if math.Abs(v) > 1.001 {
			return nil, fmt.Errorf("an entry of a unit vector is %v", v)
		}
	}
	for j, v := range m.unit {
		if v <= 0 {
			return nil, fmt.Errorf("column %d has a deviation of 1/%v", j, v)
		}
	}
	return m, nil
}
