package classic

import (
	"context"
	"fmt"
	"math"
	"slices"

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
		Needs:    models.Needs{Input: data.Vectors},
		Seeded:   models.Never,
		Defaults: func() models.Spec { return &ECOD{} },
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
	tails  []ecodTails
}

// ecodTails is log 1/L and log 1/R. A column of k values has 2k+1 of them: 2i+1 is that of value i, 2i that
// of what lies below value i and above the one before.
type ecodTails struct{ left, right float64 }

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
			m.columns[j].tabulate(s.N)
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

// tabulate takes the logarithms once, so that scoring looks them up.
func (c *ecodColumn) tabulate(n int) {
	c.tails = make([]ecodTails, 2*len(c.values)+1)
	at := func(below, upTo int32) ecodTails {
		return ecodTails{
			left:  -math.Log(float64(1+upTo) / float64(n+1)),
			right: -math.Log(float64(1+int32(n)-below) / float64(n+1)),
		}
	}
	var below int32
	for i, upTo := range c.upTo {
		c.tails[2*i], c.tails[2*i+1] = at(below, below), at(below, upTo)
		below = upTo
	}
	c.tails[2*len(c.upTo)] = at(below, below)
}

// place is where the tails of a value stand.
func (c *ecodColumn) place(v float32) int {
	lo, hi := 0, len(c.values)
	for lo < hi { // the first value that is not below v
		if mid := int(uint(lo+hi) >> 1); c.values[mid] < v {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < len(c.values) && c.values[lo] == v {
		return 2*lo + 1
	}
	return 2 * lo
}

// ecodSums are the three sums of logarithms of a row.
type ecodSums struct{ left, right, skewed float64 }

func (s ecodSums) score() float64 { return max(s.left, s.right, s.skewed) }

// add adds the terms of column j of the rows from lo on to their sums. A column at a time keeps its table in the
// cache, and neighbours in a file often share values.
func (m *ecodState) add(x []float32, lo, j int, sums []ecodSums) {
	c, d := &m.columns[j], len(m.columns)
	last := x[lo*d+j]
	at := c.place(last)
	for i := range sums {
		if v := x[(lo+i)*d+j]; v != last {
			last, at = v, c.place(v)
		}
		t := c.tails[at]
		sums[i].left += t.left
		sums[i].right += t.right
		if c.left {
			sums[i].skewed += t.left
		} else {
			sums[i].skewed += t.right
		}
	}
}

func (m *ecodState) score(ctx context.Context, s *data.Set, workers int, out []float64) error {
	return parallelRows(ctx, s.N, ecodBlock, workers, func() func(lo, hi int) {
		var block [ecodBlock]ecodSums
		return func(lo, hi int) {
			sums := block[:hi-lo]
			clear(sums)
			for j := range m.columns {
				m.add(s.X, lo, j, sums)
			}
			for i := range sums {
				out[lo+i] = sums[i].score()
			}
		}
	})
}

// ecodBlock is the rows that a worker scores column by column.
const ecodBlock = 256

// explain: the terms of the sum that is the score.
func (m *ecodState) explain(row []float32, out []float64) {
	sums := make([]ecodSums, 1)
	for j := range m.columns {
		m.add(row, 0, j, sums)
	}
	top := sums[0].score()
	for j, v := range row {
		t := m.columns[j].tails[m.columns[j].place(v)]
		if top == sums[0].left || top != sums[0].right && m.columns[j].left {
			out[j] = t.left
		} else {
			out[j] = t.right
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
		c := ecodColumn{values: values[:size:size], upTo: upTo[:size:size], left: left[j] != 0}
		if !slices.IsSorted(c.values) || !slices.IsSorted(c.upTo) || c.upTo[0] < 0 || int(c.upTo[size-1]) != m.n {
			return nil, fmt.Errorf("column %d is out of order", j)
		}
		c.tabulate(m.n)
		m.columns[j] = c
		values, upTo = values[size:], upTo[size:]
	}
	if len(values) > 0 {
		return nil, fmt.Errorf("%d values too many", len(values))
	}
	return m, nil
}
