package classic

import (
	"context"
	"fmt"
	"math"
	"sync"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/elementary"
	"plumbline/numeric/isolation"
)

// IForest is the isolation forest: trees that cut random subsamples at random places; rows that end up
// alone after few cuts are anomalous. With T trees of ψ rows, h_t(x) the number of cuts on the way to the
// leaf of x plus c(m) for the m training rows of that leaf, and c(m) the mean path length of an
// unsuccessful search in a binary tree of m keys,
//
//	c(m)     = 2(ln(m−1) + 0.5772…) − 2(m−1)/m,  c(2) = 1, c(1) = 0
//	score(x) = 2^(−1/T Σ_t h_t(x) / c(ψ))          in (0, 1)
//
// (Liu, Ting and Zhou, Isolation forest, ICDM 2008, equations 1 and 2.) A node draws a column among those
// that vary in it by more than 1e-7 and a threshold uniformly between the extremes; depth is limited to
// ⌈log2 ψ⌉. Subsamples are without replacement as in the paper, or with (bootstrap).
//
// With an extension level e from 1 on, a node is cut by a plane through a random point of its box instead: its normal
// has standard normal entries in e+1 random columns of those that vary in the node (Hariri, Kind and Brunner, Extended
// isolation forest, IEEE TKDE 33, 2021; there constant columns may be drawn, too, and cut nothing off).
//
// With a contamination c, what a share c of the training scores lies above is taken from all scores, so that those
// above 0 are the anomalies, as in scikit-learn, whose sign is the other; it costs a score of every training row.
//
// Fit costs Tψ log ψ steps, each scored row T log ψ, with planes e+1 times as much.
type IForest struct {
	// number of trees; 100 as in the paper
	Trees int `yaml:"trees" jsonschema:"minimum=1,maximum=100000"`
	// training rows of a tree; 256 as in the paper; all where there are fewer
	MaxSamples int `yaml:"max_samples" jsonschema:"minimum=1"`
	// share of the columns that a tree may cut, drawn anew for each; 1 is all
	MaxFeatures float64 `yaml:"max_features" jsonschema:"exclusiveMinimum=0,maximum=1"`
	// draw a tree's rows with replacement
	Bootstrap bool `yaml:"bootstrap"`
	// e: columns that a cut looks at, less one; 0: cuts along columns; as many as there are columns less one at most
	Extension int `yaml:"extension" jsonschema:"minimum=0,maximum=65535"`
	// share of the training rows that get scores above 0; 0: scores are as in the paper
	Contamination float64 `yaml:"contamination" jsonschema:"minimum=0,maximum=0.5"`
}

const iforest = "iforest"

func init() {
	models.Register(models.Info{
		Name: iforest,
		Doc: "Isolation forest: random cuts of random subsamples; the score falls with the cuts that isolate " +
			"a row.",
		Paper:    "Liu, Ting and Zhou, Isolation forest, ICDM 2008",
		Needs:    models.Needs{Input: data.Vectors},
		Defaults: func() models.Spec { return &IForest{Trees: 100, MaxSamples: 256, MaxFeatures: 1} },
	})
}

// New builds an unfitted detector.
func (c *IForest) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec(iforest, c); err != nil {
		return nil, err
	}
	spec := *c
	method := models.RowMethod{
		Name: iforest, Spec: c, Env: env, Min: 1,
		Fit: func(ctx context.Context, s *data.Set) (models.RowLearned, error) {
			m, err := spec.grow(ctx, env, s)
			if err != nil || spec.Contamination == 0 {
				return m, err
			}
			return withOffset(ctx, m, spec.Contamination, env, s)
		},
		Load: func(st models.State) (models.RowLearned, error) {
			m, err := spec.load(st)
			if err != nil || spec.Contamination == 0 {
				return m, err
			}
			return loadOffset(m, st)
		},
	}
	if spec.Extension > 0 { // planes belong to no column
		return method.Detector(), nil
	}
	return method.Explainer(), nil
}

// grow is a forest of either kind.
func (c IForest) grow(ctx context.Context, env models.Env, s *data.Set) (models.RowLearned, error) {
	if c.Extension > 0 {
		return fitOblique(ctx, c, env, s)
	}
	return fitIForest(ctx, c, env, s)
}

func (c IForest) load(st models.State) (models.RowLearned, error) {
	if c.Extension > 0 {
		return loadOblique(c, st)
	}
	return loadIForest(st)
}

type iforestState struct {
	d     int
	psi   int // rows of a tree
	trees []isolation.Tree

	once sync.Once
	mean [][]float64 // by tree and node: mean path of its training rows; made when it is first asked for

	laid    sync.Once
	walkers *isolation.Walkers // of the trees; made when rows are first scored
}

// treesAStep is how many trees are grown between two reports.
const treesAStep = 64

// grower is for the trees of one fit.
func (c IForest) grower(s *data.Set) *isolation.Grower {
	return isolation.NewGrower(s.X, s.N, isolation.Settings{Rows: min(c.MaxSamples, s.N), MaxFeatures: c.MaxFeatures,
		Bootstrap: c.Bootstrap})
}

func fitIForest(ctx context.Context, c IForest, env models.Env, s *data.Set) (*iforestState, error) {
	m := &iforestState{d: s.D, psi: min(c.MaxSamples, s.N), trees: make([]isolation.Tree, c.Trees)}
	steps := (c.Trees + treesAStep - 1) / treesAStep
	for step := range steps {
		first := step * treesAStep
		n := min(treesAStep, c.Trees-first)
		err := models.ParallelRows(ctx, n, 1, env.Parallel(), func() func(lo, hi int) {
			g := c.grower(s)
			return func(i, _ int) { m.trees[first+i] = g.Grow(env.Rand(fmt.Sprint("iforest tree ", first+i))) }
		})
		if err != nil {
			return nil, err
		}
		env.Progress(models.Epoch{N: step + 1, Of: steps, Loss: math.NaN(), ValidLoss: math.NaN(), Rate: math.NaN(),
			Samples: n * m.psi})
	}
	return m, nil
}

func (m *iforestState) ScoreRows(ctx context.Context, s *data.Set, workers int, out []float64) error {
	m.laid.Do(func() { m.walkers = isolation.NewWalkers(m.trees) })
	return isolationScores(ctx, s.N, workers, len(m.trees), m.psi, out, func() func(lo, hi int) {
		var room []isolation.Four
		return func(lo, hi int) { room = m.walkers.Sums(s.X[lo*m.d:hi*m.d], m.d, out[lo:hi], room) }
	})
}

// isolationScores is the scores 2^(−E[h]/c(ψ)) of n rows by some trees; what newFill gives each goroutine puts the sums
// of the paths of the rows lo to hi−1 over the trees, in their order, into out. With one row a tree, c is 0 and so are
// all paths; the score is then 1/2, as in scikit-learn.
func isolationScores(ctx context.Context, n, workers, trees, psi int, out []float64,
	newFill func() func(lo, hi int)) error {
	scale := float64(trees) * isolation.AveragePath(psi)
	return models.ParallelRows(ctx, n, 256, workers, func() func(lo, hi int) {
		fill := newFill()
		return func(lo, hi int) {
			fill(lo, hi)
			for i := lo; i < hi; i++ {
				if scale == 0 {
					out[i] = 0.5
				} else {
					out[i] = elementary.Exp2(-out[i] / scale)
				}
			}
		}
	})
}

// iforestMeta is the JSON part of the saved state.
type iforestMeta struct {
	Rows int `json:"rows_per_tree"`
}

func (m *iforestState) RowState() (any, models.Arrays) {
	f := isolation.Flatten(m.trees)
	return iforestMeta{m.psi},
		models.Arrays{"sizes": f.Sizes, "column": f.Column, "cut": f.Cut, "right": f.Right, "path": f.Path}
}

func loadIForest(st models.State) (models.RowLearned, error) {
	var meta iforestMeta
	if err := st.Meta(&meta); err != nil {
		return nil, err
	}
	m := &iforestState{d: st.Columns, psi: meta.Rows}
	var f isolation.Flat
	var err error
	if f.Sizes, err = models.Array[int32](st.Arrays, "sizes", -1); err != nil {
		return nil, err
	}
	if f.Column, err = models.Array[int32](st.Arrays, "column", -1); err != nil {
		return nil, err
	}
	if f.Right, err = models.Array[int32](st.Arrays, "right", len(f.Column)); err != nil {
		return nil, err
	}
	if f.Cut, err = models.FiniteArray[float32](st.Arrays, "cut", len(f.Column)); err != nil {
		return nil, err
	}
	if f.Path, err = models.FiniteArray[float64](st.Arrays, "path", len(f.Column)); err != nil {
		return nil, err
	}
	if m.d < 1 || m.psi < 1 || len(f.Sizes) < 1 {
		return nil, fmt.Errorf("%d trees of %d rows, %d columns", len(f.Sizes), m.psi, m.d)
	}
	m.trees, err = f.Trees(m.d)
	return m, err
}
