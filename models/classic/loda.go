package classic

import (
	"context"
	"fmt"
	"math"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/elementary"
)

// LODA is an ensemble of one-dimensional histograms of random projections. Projection i has ⌊√d⌋ weights other than
// 0, standard normal and in random columns; the training rows' projections fall into bins of equal width between
// their extremes. With p_i(x) the share of the training rows in the bin of x, the outermost for what lies outside,
//
//	score(x) = −1/k Σ_i log(p_i(x) + 1e-12)
//
// (Pevný, Loda: lightweight on-line detector of anomalies, Machine Learning 102, 2016, equation 2, with densities for
// shares: bins of one projection are equally wide, so that this moves its scores by a constant.) PyOD 3.6.5 looks
// values up one bin too high, since it searches the edges without the first; that is not repeated here.
//
// The paper explains a score by the projections with and those without a column (equation 5): the contribution of a
// column is the difference of the mean −log p_i between the two over its standard error, 0 where either has fewer
// than two projections.
//
// Fit costs kn√d, each scored row k√d.
type LODA struct {
	// projections; 100 as in PyOD
	Projections int `yaml:"projections" jsonschema:"minimum=1,maximum=100000"`
	// bins of a histogram; 10 as in PyOD
	Bins int `yaml:"bins" jsonschema:"minimum=1,maximum=65536"`
}

const loda = "loda"

func init() {
	models.Register(models.Info{
		Name:     loda,
		Doc:      "Histograms of sparse random projections; the score is the mean negative log share of a row's bins.",
		Paper:    "Pevný, Loda: lightweight on-line detector of anomalies, Machine Learning 102, 2016",
		Needs:    models.Needs{Input: data.Vectors},
		Defaults: func() models.Spec { return &LODA{Projections: 100, Bins: 10} },
	})
}

// New builds an unfitted detector.
func (c *LODA) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec(loda, c); err != nil {
		return nil, err
	}
	spec := *c
	return models.RowMethod{
		Name: loda, Spec: c, Env: env, Min: 1,
		Fit:  func(ctx context.Context, s *data.Set) (models.RowLearned, error) { return fitLODA(ctx, spec, env, s) },
		Load: func(st models.State) (models.RowLearned, error) { return loadLODA(spec, st) },
	}.Explainer(), nil
}

type lodaState struct {
	bins    int
	wide    int       // weights of a projection
	columns []int32   // k×wide
	weights []float64 // k×wide
	low     []float64 // k
	high    []float64 // k
	rarity  []float64 // k×bins: −log(share + 1e-12)
}

func fitLODA(ctx context.Context, c LODA, env models.Env, s *data.Set) (*lodaState, error) {
	k, wide := c.Projections, max(1, int(math.Sqrt(float64(s.D))))
	m := &lodaState{
		bins: c.Bins, wide: wide, columns: make([]int32, 0, k*wide), weights: make([]float64, 0, k*wide),
		low: make([]float64, k), high: make([]float64, k), rarity: make([]float64, k*c.Bins),
	}
	r := env.Rand("loda projections")
	for range k {
		for _, j := range r.Perm(s.D)[:wide] {
			m.columns = append(m.columns, int32(j))
			m.weights = append(m.weights, r.NormFloat64())
		}
	}
	err := models.ParallelRows(ctx, k, 1, env.Parallel(), func() func(lo, hi int) {
		y := make([]float64, s.N)
		return func(i, _ int) {
			for r := range y {
				if r%4096 == 0 && ctx.Err() != nil {
					return
				}
				y[r] = m.project(i, s.Row(r))
			}
			m.low[i], m.high[i] = y[0], y[0]
			for _, v := range y {
				m.low[i], m.high[i] = min(m.low[i], v), max(m.high[i], v)
			}
			counts := m.rarity[i*m.bins : (i+1)*m.bins]
			for _, v := range y {
				counts[m.bin(i, v)]++
			}
			for b, n := range counts {
				counts[b] = -elementary.Log(n/float64(s.N) + 1e-12)
			}
		}
	})
	return m, err
}

// project is the product of the row with projection i.
func (m *lodaState) project(i int, row []float32) float64 {
	var sum float64
	for at := i * m.wide; at < (i+1)*m.wide; at++ {
		sum += float64(m.weights[at] * float64(row[m.columns[at]]))
	}
	return sum
}

// bin is where v falls in the histogram of projection i.
func (m *lodaState) bin(i int, v float64) int {
	low, high := m.low[i], m.high[i]
	switch {
	case v <= low:
		return 0
	case v >= high:
		return m.bins - 1
	default:
		return min(int((v-low)/(high-low)*float64(m.bins)), m.bins-1)
	}
}

func (m *lodaState) ScoreRows(ctx context.Context, s *data.Set, workers int, out []float64) error {
	return models.EachRow(ctx, s.X, s.D, workers, out, func() func(row []float32) float64 {
		return func(row []float32) float64 {
			var sum float64
			for i := range m.low {
				sum += m.rarity[i*m.bins+m.bin(i, m.project(i, row))]
			}
			return sum / float64(len(m.low))
		}
	})
}

// ExplainRow: the t statistic of the projections with a column against those without.
func (m *lodaState) ExplainRow(row []float32, out []float64) {
	type moments struct{ n, sum, squares float64 }
	add := func(a *moments, v float64) { a.n, a.sum, a.squares = a.n+1, a.sum+v, a.squares+float64(v*v) }
	with := make([]moments, len(row))
	var all moments
	for i := range m.low {
		v := m.rarity[i*m.bins+m.bin(i, m.project(i, row))]
		add(&all, v)
		for _, j := range m.columns[i*m.wide : (i+1)*m.wide] {
			add(&with[j], v)
		}
	}
	for j, a := range with {
		out[j] = 0
		b := moments{all.n - a.n, all.sum - a.sum, all.squares - a.squares}
		if a.n < 2 || b.n < 2 {
			continue
		}
		error2 := 0.0 // squared standard error of the difference
		for _, g := range []moments{a, b} {
			mean := g.sum / g.n
			error2 += max(0, g.squares/g.n-float64(mean*mean)) / (g.n - 1)
		}
		if error2 > 1e-18 {
			out[j] = (a.sum/a.n - b.sum/b.n) / math.Sqrt(error2)
		}
	}
}

func (m *lodaState) RowState() (any, models.Arrays) {
	return nil, models.Arrays{"columns": m.columns, "weights": m.weights, "low": m.low, "high": m.high,
		"rarity": m.rarity}
}

func loadLODA(c LODA, st models.State) (models.RowLearned, error) {
	k := c.Projections
	m := &lodaState{bins: c.Bins, wide: max(1, int(math.Sqrt(float64(st.Columns))))}
	var err error
	if m.columns, err = models.Array[int32](st.Arrays, "columns", k*m.wide); err != nil {
		return nil, err
	}
	for _, j := range m.columns {
		if j < 0 || int(j) >= st.Columns {
			return nil, fmt.Errorf("a projection of column %d, of %d", j, st.Columns)
		}
	}
	for _, a := range []struct {
		name string
		into *[]float64
		n    int
	}{{"weights", &m.weights, k * m.wide}, {"low", &m.low, k}, {"high", &m.high, k}, {"rarity", &m.rarity, k * m.bins}} {
		if *a.into, err = models.FiniteArray[float64](st.Arrays, a.name, a.n); err != nil {
			return nil, err
		}
	}
	for i, v := range m.rarity {
		if v < -1e-9 || v > 28 {
			return nil, fmt.Errorf("a share of e^-(%v) in bin %d", v, i)
		}
	}
	return m, nil
}
