package classic

import (
	"context"

	"plumbline/data"
	"plumbline/models"
)

// COPOD adds up, by empirical copulas, how far out in the tails of every column a row's values lie. With the tail
// shares L_j and R_j of [ECOD], and S_j that of the two on whose side column j is skewed, where the skewness is that
// of the training rows and x together (Σ_i (x_ij − mean)³ < 0: left, else right),
//
//	score(x) = Σ_j max(log 1/S_j, ½ (log 1/L_j + log 1/R_j))               (tails: columns)
//	score(x) = max(Σ_j log 1/L_j, Σ_j log 1/R_j, Σ_j log 1/S_j)            (tails: sums)
//
// (Li, Zhao, Botta, Ionescu and Hu, COPOD: copula-based outlier detection, ICDM 2020, algorithm 1, for the second;
// PyOD's implementation has the first.) There the scored rows are all part of the sample; here each joins the training
// rows alone, so that its score does not depend on the others. In PyOD a column whose skewness is exactly 0 counts
// with both tails.
//
// Fit costs nd log n, each scored row d log n.
type COPOD struct {
	// where the larger of the tails is taken: in each of the columns, as in PyOD, or of the sums, as in the paper
	Tails string `yaml:"tails" jsonschema:"enum=columns,enum=sums"`
}

const copod = "copod"

func init() {
	models.Register(models.Info{
		Name:     copod,
		Doc:      "Copula-based outlier detection: empirical tail probabilities, the larger of the tails column by column.",
		Paper:    "Li, Zhao, Botta, Ionescu and Hu, COPOD: copula-based outlier detection, ICDM 2020",
		Needs:    models.Needs{Input: data.Vectors},
		Seeded:   models.Never,
		Defaults: func() models.Spec { return &COPOD{Tails: "columns"} },
	})
}

// New builds an unfitted detector.
func (c *COPOD) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec(copod, c); err != nil {
		return nil, err
	}
	sums := c.Tails == "sums"
	return models.RowMethod{
		Name: copod, Spec: c, Env: env, Min: 1,
		Fit: func(ctx context.Context, s *data.Set) (models.RowLearned, error) {
			t, err := tabulateTails(ctx, env, s)
			return &copodState{t, sums}, err
		},
		Load: func(st models.State) (models.RowLearned, error) {
			t, err := loadTails(st)
			return &copodState{t, sums}, err
		},
	}.Explainer(), nil
}

type copodState struct {
	tailTable
	sums bool
}

// leans says whether column c together with the value x is skewed to the left: the third central moment of n values
// and one more, from those of the n.
func (m *copodState) leans(c *tailColumn, x float32) bool {
	n, t := float64(m.n), (float64(x)-c.mean)/c.scale
	return c.third+float64(t*(float64(t*t*(n/(n+1))*((n-1)/(n+1)))-3*c.second/(n+1))) < 0
}

// terms fills what each column adds to the score.
func (m *copodState) terms(row []float32, left, right, skewed []float64) {
	for j, x := range row {
		c := &m.columns[j]
		t := c.tails[c.place(x)]
		left[j], right[j], skewed[j] = t.left, t.right, t.right
		if m.leans(c, x) {
			skewed[j] = t.left
		}
	}
}

// ExplainRow: the terms of the sum that is the score.
func (m *copodState) ExplainRow(row []float32, out []float64) {
	d := len(row)
	scratch := make([]float64, 3*d)
	m.fill(row, scratch, out)
}

func (m *copodState) fill(row []float32, scratch, out []float64) {
	d := len(row)
	left, right, skewed := scratch[:d], scratch[d:2*d], scratch[2*d:]
	m.terms(row, left, right, skewed)
	if !m.sums {
		for j := range out {
			out[j] = max(skewed[j], (left[j]+right[j])/2)
		}
		return
	}
	best := skewed
	for _, other := range [][]float64{left, right} {
		if total(other) > total(best) {
			best = other
		}
	}
	copy(out, best)
}

func (m *copodState) ScoreRows(ctx context.Context, s *data.Set, workers int, out []float64) error {
	return models.EachRow(ctx, s.X, s.D, workers, out, func() func(row []float32) float64 {
		scratch := make([]float64, 3*s.D)
		parts := make([]float64, s.D)
		return func(row []float32) float64 {
			m.fill(row, scratch, parts)
			return total(parts)
		}
	})
}
