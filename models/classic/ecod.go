package classic

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sort"

	"plumbline/data"
	"plumbline/models"
)

// ECOD adds up how far out in the tails of every column a row's values lie. With the tail shares of n
// training rows and the scored row itself,
//
//	L_j = (1 + #{i : x_ij ≤ x_j}) / (n+1),   R_j = (1 + #{i : x_ij ≥ x_j}) / (n+1)
//
// and S_j = L_j where the training values of column j are skewed to the left, else R_j,
//
//	score(x) = max(Σ_j log 1/L_j, Σ_j log 1/R_j, Σ_j log 1/S_j)
//
// (Li, Zhao, Hu, Botta, Ionescu and Chen, ECOD: unsupervised outlier detection using empirical cumulative
// distribution functions, IEEE TKDE 2022, algorithm 1. There the scored rows are all part of the sample;
// here each joins the training rows alone, so that its score does not depend on the others.)
//
// Fit costs nd log n, each scored row d log n.
type ECOD struct{}

const ecod = "ecod"

func init() {
	models.Register(models.Info{
		Name: ecod,
		Doc:  "Empirical tail probabilities of a row's values, multiplied over the columns.",
		Paper: "Li, Zhao, Hu, Botta, Ionescu and Chen, ECOD: unsupervised outlier detection using empirical " +
			"cumulative distribution functions, IEEE TKDE 2022",
		Needs:         models.Needs{Input: data.Vectors},
		Deterministic: true,
		Defaults:      func() models.Spec { return &ECOD{} },
	})
}

// New builds an unfitted detector.
func (c *ECOD) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec(ecod, c); err != nil {
		return nil, err
	}
	return method{
		name: ecod, spec: c, env: env, min: 1,
		fit:  func(ctx context.Context, s *data.Set) (learned, error) { return fitECOD(ctx, env, s) },
		load: loadECOD,
	}.explainer(), nil
}

// ecodColumn is the distinct values of a column, rising, and how many rows have each or less.
type ecodColumn struct {
	values []float32
	upTo   []int32
	left   bool // skewed to the left
}

type ecodState struct {
	n       int
	columns []ecodColumn
}

func fitECOD(ctx context.Context, env models.Env, s *data.Set) (*ecodState, error) {
	m := &ecodState{n: s.N, columns: make([]ecodColumn, s.D)}
	err := parallelRows(ctx, s.D, 1, env.Parallel(), func() func(lo, hi int) {
		v := make([]float32, s.N)
		return func(j, _ int) {
			for i := range v {
				v[i] = s.X[i*s.D+j]
			}
			slices.Sort(v)
			m.columns[j] = newECODColumn(v)
		}
	})
	return m, err
}

// newECODColumn takes the sorted values of a column.
func newECODColumn(v []float32) ecodColumn {
	var c ecodColumn
	var mean float64
	for i, x := range v {
		mean += float64(x)
		if i+1 == len(v) || v[i+1] != x {
			c.values, c.upTo = append(c.values, x), append(c.upTo, int32(i+1))
		}
	}
	mean /= float64(len(v))
	// The sign of the third central moment, on the scale of the largest difference.
	scale := max(mean-float64(v[0]), float64(v[len(v)-1])-mean)
	var third float64
	for _, x := range v {
		if scale > 0 {
			t := (float64(x) - mean) / scale
			third += t * t * t
		}
	}
	c.left = third < 0
	return c
}

// tails are L and R of a value.
func (c *ecodColumn) tails(v float32, n int) (left, right float64) {
	at := sort.Search(len(c.values), func(i int) bool { return c.values[i] >= v }) // first not below v
	var below, upTo int32
	if at > 0 {
		below = c.upTo[at-1]
	}
	upTo = below
	if at < len(c.values) && c.values[at] == v {
		upTo = c.upTo[at]
	}
	return float64(1+upTo) / float64(n+1), float64(1+int32(n)-below) / float64(n+1)
}

// sums are the three sums of logarithms of a row.
func (m *ecodState) sums(row []float32) (left, right, skewed float64) {
	for j, v := range row {
		l, r := m.columns[j].tails(v, m.n)
		l, r = -math.Log(l), -math.Log(r)
		left += l
		right += r
		if m.columns[j].left {
			skewed += l
		} else {
			skewed += r
		}
	}
	return left, right, skewed
}

func (m *ecodState) score(ctx context.Context, s *data.Set, workers int, out []float64) error {
	return scoreRows(ctx, s.X, s.D, workers, out, func() func(row []float32) float64 {
		return func(row []float32) float64 {
			left, right, skewed := m.sums(row)
			return max(left, right, skewed)
		}
	})
}

// explain: the terms of the sum that is the score.
func (m *ecodState) explain(row []float32, out []float64) {
	left, right, skewed := m.sums(row)
	top := max(left, right, skewed)
	for j, v := range row {
		l, r := m.columns[j].tails(v, m.n)
		if top == left || top != right && m.columns[j].left {
			out[j] = -math.Log(l)
		} else {
			out[j] = -math.Log(r)
		}
	}
}

// ecodMeta is the JSON part of the saved state.
type ecodMeta struct {
	Rows int `json:"rows"`
}

func (m *ecodState) state() (any, models.Arrays) {
	var sizes, upTo []int32
	var left []uint8
	var values []float32
	for _, c := range m.columns {
		sizes = append(sizes, int32(len(c.values)))
		values, upTo = append(values, c.values...), append(upTo, c.upTo...)
		skew := uint8(0)
		if c.left {
			skew = 1
		}
		left = append(left, skew)
	}
	return ecodMeta{m.n}, models.Arrays{"sizes": sizes, "left": left, "values": values, "up_to": upTo}
}

func loadECOD(st models.State) (learned, error) {
	var meta ecodMeta
	err := st.Meta(&meta)
	if err != nil {
		return nil, err
	}
	sizes, err := models.Array[int32](st.Arrays, "sizes", -1)
	if err != nil || len(sizes) == 0 || meta.Rows < 1 || meta.Rows > math.MaxInt32-1 {
		return nil, fmt.Errorf("%d columns of %d rows", len(sizes), meta.Rows)
	}
	left, err := models.Array[uint8](st.Arrays, "left", len(sizes))
	if err != nil {
		return nil, err
	}
	values, err := models.FiniteArray[float32](st.Arrays, "values", -1)
	if err != nil {
		return nil, err
	}
	upTo, err := models.Array[int32](st.Arrays, "up_to", len(values))
	if err != nil {
		return nil, err
	}
	m := &ecodState{n: meta.Rows, columns: make([]ecodColumn, len(sizes))}
	for j, size := range sizes {
		if size < 1 || int(size) > len(values) {
			return nil, fmt.Errorf("column %d of %d values, %d left", j, size, len(values))
		}
		c := ecodColumn{values[:size:size], upTo[:size:size], left[j] != 0}
		if !slices.IsSorted(c.values) || !slices.IsSorted(c.upTo) || c.upTo[0] < 0 || int(c.upTo[size-1]) != m.n {
			return nil, fmt.Errorf("column %d is out of order", j)
		}
		m.columns[j] = c
		values, upTo = values[size:], upTo[size:]
	}
	if len(values) > 0 {
		return nil, fmt.Errorf("%d values too many", len(values))
	}
	return m, nil
}
