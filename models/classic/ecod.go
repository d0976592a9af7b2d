package classic

import (
	"context"

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
//	score(x) = max(Σ_j log 1/L_j, Σ_j log 1/R_j, Σ_j log 1/S_j)            (tails: sums)
//	score(x) = Σ_j max(log 1/L_j, log 1/R_j)                               (tails: columns)
//
// (Li, Zhao, Hu, Botta, Ionescu and Chen, ECOD: unsupervised outlier detection using empirical cumulative
// distribution functions, IEEE TKDE 2022, algorithm 1, for the first; PyOD's implementation has the
// second.) There the scored rows are all part of the sample; here each joins the training rows alone, so that its score
// does not depend on the others. In PyOD a column whose skewness is exactly 0 counts with both tails.
//
// Fit costs nd log n, each scored row d log n.
type ECOD struct {
	// where the larger of the tails is taken: of the sums, as in the paper, or in each of the columns, as in PyOD
	Tails string `yaml:"tails" jsonschema:"enum=sums,enum=columns"`
}

const ecod = "ecod"

func init() {
	models.Register(models.Info{
		Name: ecod,
		Doc:  "Empirical tail probabilities of a row's values, multiplied over the columns.",
		Paper: "Li, Zhao, Hu, Botta, Ionescu and Chen, ECOD: unsupervised outlier detection using empirical " +
			"cumulative distribution functions, IEEE TKDE 2022",
		Needs:    models.Needs{Input: data.Vectors},
		Seeded:   models.Never,
		Defaults: func() models.Spec { return &ECOD{Tails: "sums"} },
	})
}

// New builds an unfitted detector.
func (c *ECOD) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec(ecod, c); err != nil {
		return nil, err
	}
	byColumn := c.Tails == "columns"
	return models.RowMethod{
		Name: ecod, Spec: c, Env: env, Min: 1,
		Fit: func(ctx context.Context, s *data.Set) (models.RowLearned, error) {
			t, err := tabulateTails(ctx, env, s)
			return &ecodState{t, byColumn}, err
		},
		Load: func(st models.State) (models.RowLearned, error) {
			t, err := loadTails(st)
			return &ecodState{t, byColumn}, err
		},
	}.Explainer(), nil
}

// ecodState is the tails of the columns.
type ecodState struct {
	tailTable
	byColumn bool
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
		if m.byColumn {
			sums[i].left += max(t.left, t.right)
			continue
		}
		sums[i].left += t.left
		sums[i].right += t.right
		if c.third < 0 {
			sums[i].skewed += t.left
		} else {
			sums[i].skewed += t.right
		}
	}
}

func (m *ecodState) ScoreRows(ctx context.Context, s *data.Set, workers int, out []float64) error {
	return models.ParallelRows(ctx, s.N, ecodBlock, workers, func() func(lo, hi int) {
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

// ExplainRow: the terms of the sum that is the score.
func (m *ecodState) ExplainRow(row []float32, out []float64) {
	sums := make([]ecodSums, 1)
	for j := range m.columns {
		m.add(row, 0, j, sums)
	}
	top := sums[0].score()
	for j, v := range row {
		t := m.columns[j].tails[m.columns[j].place(v)]
		if m.byColumn {
			out[j] = max(t.left, t.right)
		} else if top == sums[0].left || top != sums[0].right && m.columns[j].third < 0 {
			out[j] = t.left
		} else {
			out[j] = t.right
		}
	}
}
