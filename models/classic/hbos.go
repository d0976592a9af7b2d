package classic

import (
	"context"
	"fmt"
	"math"
	"slices"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/elementary"
)

// HBOS adds up how rare a row's value is in every column, by histograms of equal bins between the
// extremes of the training rows. With h_j(x) the count of the bin that x_j falls into over that of the
// column's fullest bin, and 0 outside the extremes,
//
//	score(x) = Σ_j log 1/(h_j(x) + a)
//
// (Goldstein and Dengel, Histogram-based outlier score (HBOS): a fast unsupervised anomaly detection
// algorithm, KI 2012.) The constant a, which the paper does not have, bounds what one column can say.
//
// In PyOD's form (its version 3.6.5) h_j is the density of the bin, its share of the rows by its width, so that the
// scale of a column counts, and logarithms are of base 2. A bin has the rows from its lower edge up to below the upper
// one, but a value on an edge is looked up in the bin below. Up to half a width outside the extremes the outer bin
// counts, farther out the column's lowest. A constant column has bins that are 1/bins wide, around its value.
//
// Fit costs nd, each scored row d, in PyOD's form d log bins.
type HBOS struct {
	// bins of a column; 10 as in PyOD
	Bins int `yaml:"bins" jsonschema:"minimum=1,maximum=65536"`
	// added to the height of a bin; 0.1 as in PyOD
	Smooth float64 `yaml:"smooth" jsonschema:"exclusiveMinimum=0,maximum=1"`
	// paper: heights relative to the fullest bin; pyod: densities, with PyOD's edges of bins
	Form string `yaml:"form" jsonschema:"enum=paper,enum=pyod"`
}

// pyodForm is the form of a score as PyOD has it.
const pyodForm = "pyod"

const hbos = "hbos"

func init() {
	models.Register(models.Info{
		Name: hbos,
		Doc:  "Histogram-based outlier score: how rare the values of a row are, column by column.",
		Paper: "Goldstein and Dengel, Histogram-based outlier score (HBOS): a fast unsupervised anomaly " +
			"detection algorithm, KI 2012",
		Needs:    models.Needs{Input: data.Vectors},
		Seeded:   models.Never,
		Defaults: func() models.Spec { return &HBOS{Bins: 10, Smooth: 0.1, Form: "paper"} },
	})
}

// New builds an unfitted detector.
func (c *HBOS) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec(hbos, c); err != nil {
		return nil, err
	}
	spec := *c
	return models.RowMethod{
		Name: hbos, Spec: c, Env: env, Min: 1,
		Fit: func(ctx context.Context, s *data.Set) (models.RowLearned, error) {
			if spec.Form == pyodForm {
				return fitDensities(ctx, spec, env, s)
			}
			return fitHBOS(ctx, spec, env, s)
		},
		Load: loadHBOS,
	}.Explainer(), nil
}

type hbosState struct {
	bins    int
	low     []float32 // d
	high    []float32 // d
	rarity  []float64 // d×bins: log 1/(h+a)
	outside float64   // log 1/a
}

func fitHBOS(ctx context.Context, c HBOS, env models.Env, s *data.Set) (*hbosState, error) {
	m := newHistograms(c, s)
	m.outside = -elementary.Log(c.Smooth)
	err := m.count(ctx, env, s, m.extremes, func(lo, hi int, row []float32) {
		for j := lo; j < hi; j++ {
			m.rarity[j*m.bins+m.bin(j, row[j])]++
		}
	})
	for j := range s.D {
		m.toRarity(m.rarity[j*m.bins:(j+1)*m.bins], c.Smooth)
	}
	return m, err
}

func newHistograms(c HBOS, s *data.Set) *hbosState {
	return &hbosState{
		bins: c.Bins, low: slices.Clone(s.Row(0)), high: slices.Clone(s.Row(0)), rarity: make([]float64, s.D*c.Bins),
	}
}

// count shows the columns from lo to hi of all rows to each of the passes in turn, on several goroutines.
func (m *hbosState) count(ctx context.Context, env models.Env, s *data.Set,
	passes ...func(lo, hi int, row []float32)) error {
	return models.ParallelRows(ctx, s.D, 8, env.Parallel(), func() func(lo, hi int) {
		return func(lo, hi int) {
			for _, pass := range passes {
				for i := range s.N {
					if i%4096 == 0 && ctx.Err() != nil {
						return
					}
					pass(lo, hi, s.Row(i))
				}
			}
		}
	})
}

func (m *hbosState) extremes(lo, hi int, row []float32) {
	for j := lo; j < hi; j++ {
		m.low[j], m.high[j] = min(m.low[j], row[j]), max(m.high[j], row[j])
	}
}

// toRarity turns the counts of a column into log 1/(h+a).
func (m *hbosState) toRarity(v []float64, a float64) {
	var top float64
	for _, n := range v {
		top = max(top, n)
	}
	for b, n := range v {
		v[b] = -elementary.Log(n/top + a)
	}
}

// bin is the bin of value v in column j, or −1 outside the extremes.
func (m *hbosState) bin(j int, v float32) int {
	low, high := float64(m.low[j]), float64(m.high[j])
	switch x := float64(v); {
	case x < low || x > high:
		return -1
	case high == low:
		return 0
	default:
		return min(int((x-low)/(high-low)*float64(m.bins)), m.bins-1)
	}
}

func (m *hbosState) ScoreRows(ctx context.Context, s *data.Set, workers int, out []float64) error {
	return scoreByParts(ctx, s, workers, out, m.ExplainRow)
}

// scoreByParts scores rows by the sum of what explain says of each column.
func scoreByParts(
	ctx context.Context, s *data.Set, workers int, out []float64, explain func(row []float32, parts []float64),
) error {
	return models.EachRow(ctx, s.X, s.D, workers, out, func() func(row []float32) float64 {
		parts := make([]float64, s.D)
		return func(row []float32) float64 {
			explain(row, parts)
			return total(parts)
		}
	})
}

// ExplainRow: the rarity of every value, which add up to the score.
func (m *hbosState) ExplainRow(row []float32, out []float64) {
	for j, v := range row {
		out[j] = m.outside
		if b := m.bin(j, v); b >= 0 {
			out[j] = m.rarity[j*m.bins+b]
		}
	}
}

// hbosMeta is the JSON part of the saved state.
type hbosMeta struct {
	Bins    int     `json:"bins"`
	Outside float64 `json:"outside"`
	Form    string  `json:"form,omitempty"`
}

func (m *hbosState) RowState() (any, models.Arrays) {
	return hbosMeta{Bins: m.bins, Outside: m.outside}, models.Arrays{"low": m.low, "high": m.high, "rarity": m.rarity}
}

func loadHBOS(st models.State) (models.RowLearned, error) {
	var meta hbosMeta
	err := st.Meta(&meta)
	if err != nil {
		return nil, err
	}
	d := st.Columns
	if meta.Bins < 1 || meta.Bins > 65536 {
		return nil, fmt.Errorf("%d columns of %d bins", d, meta.Bins)
	}
	m := &hbosState{bins: meta.Bins, outside: meta.Outside}
	if m.low, err = models.FiniteArray[float32](st.Arrays, "low", d); err != nil {
		return nil, err
	}
	if m.high, err = models.FiniteArray[float32](st.Arrays, "high", d); err != nil {
		return nil, err
	}
	if m.rarity, err = models.FiniteArray[float64](st.Arrays, "rarity", d*m.bins); err != nil {
		return nil, err
	}
	for _, v := range append([]float64{m.outside}, m.rarity...) {
		if math.Abs(v) > 1e6 {
			return nil, fmt.Errorf("a rarity of %v", v)
		}
	}
	if meta.Form == pyodForm {
		for j := range d {
			if m.low[j] > m.high[j] {
				return nil, fmt.Errorf("a column from %v to %v", m.low[j], m.high[j])
			}
		}
		return newDensities(m), nil
	}
	return m, nil
}
