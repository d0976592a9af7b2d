package supervised

import (
	"context"
	"encoding/json"
	"fmt"
	"math"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/elementary"
	"plumbline/numeric/trees"
)

// votes is the mean of the class probabilities of trees.
type votes struct {
	k     int
	trees []*trees.Tree
}

func (m *votes) probabilities(ctx context.Context, env models.Env, x []float32, n int, out []float64) error {
	d := len(x) / max(n, 1)
	walk := walker(m.trees, n)
	return env.Blocks(ctx, n, 128, func(from, to int) {
		clear(out[from*m.k : to*m.k])
		rows, leaves := trees.NewRows(x[from*d:to*d], d), make([]int32, to-from)
		for t, tr := range m.trees { // a tree at a time stays in the cache
			walk(t, rows, leaves)
			for i, leaf := range leaves {
				p := tr.Value[int(leaf)*m.k:][:m.k]
				sum := out[(from+i)*m.k:][:m.k]
				for c, v := range p {
					sum[c] += v
				}
			}
		}
		for i := from * m.k; i < to*m.k; i++ {
			out[i] /= float64(len(m.trees))
		}
	})
}

// walkedRows is from how many rows on walkers pay.
const walkedRows = 256

// walker takes some of n rows through tree t of a list, and fills out with where they end.
func walker(list []*trees.Tree, n int) func(t int, rows *trees.Rows, out []int32) {
	if n < walkedRows {
		return func(t int, rows *trees.Rows, out []int32) { rows.Leaves(list[t], out) }
	}
	walkers := make([]*trees.Walker, len(list))
	for t, tr := range list {
		walkers[t] = trees.NewWalker(tr)
	}
	return func(t int, rows *trees.Rows, out []int32) { walkers[t].Leaves(rows, out) }
}

// contributions are the Shapley values of the probability of an attack.
func (m *votes) contributions(row []float32, out []float64) {
	clear(out)
	for _, t := range m.trees {
		trees.Shapley(t, row, func(node int) float64 { return 1 - t.Value[node*m.k] }, out)
	}
	for j := range out {
		out[j] /= float64(len(m.trees))
	}
}

func (m *votes) state() (any, models.Arrays) { return struct{}{}, pack(m.trees) }

func loadVotes(meta json.RawMessage, arrays models.Arrays, d, k int) (classifier, error) {
	if err := noMeta(meta); err != nil {
		return nil, err
	}
	list, err := loadProbabilityTrees(arrays, d, k)
	return &votes{k, list}, err
}

// Tree is a classification tree:
//
//	score(x) = share of attacks, by weight, among the training rows in the leaf of x
//
// Of all splits of a node, x_j ≤ t with t halfway between values that follow each other, it takes the one that lowers
// the impurity most; ties go to the first column and the lowest t. (L. Breiman, J. Friedman, R. Olshen and C. Stone,
// Classification and Regression Trees, 1984.)
//
// Fit costs about n·d·depth, each scored row the depth.
type Tree struct {
	Common `yaml:",inline"`
	Growth `yaml:",inline"`
}

func init() {
	models.Register(models.Info{
		Name:     "tree",
		Doc:      "Classification tree; the score is the share of attacks among the training rows in a row's leaf.",
		Paper:    "L. Breiman, J. Friedman, R. Olshen and C. Stone, Classification and Regression Trees, 1984",
		Needs:    models.Needs{Input: data.Vectors, Labels: models.AllLabels},
		Seeded:   calibrated,
		Defaults: func() models.Spec { return &Tree{defaultCommon(), defaultGrowth()} },
	})
	models.Register(models.Info{
		Name: "random_forest",
		Doc: "Classification trees on resampled rows, each split over some columns; the score is the mean share of " +
			"attacks in a row's leaves.",
		Paper:    "L. Breiman, Random Forests, Machine Learning 45, 2001",
		Needs:    models.Needs{Input: data.Vectors, Labels: models.AllLabels},
		Defaults: func() models.Spec { return &Forest{defaultCommon(), defaultGrowth(), 100, "sqrt", true} },
	})
	models.Register(models.Info{
		Name: "extra_trees",
		Doc: "Classification trees with random thresholds; the score is the mean share of attacks in a row's " +
			"leaves.",
		Paper:    "P. Geurts, D. Ernst and L. Wehenkel, Extremely randomized trees, Machine Learning 63, 2006",
		Needs:    models.Needs{Input: data.Vectors, Labels: models.AllLabels},
		Defaults: func() models.Spec { return &ExtraTrees{Forest{defaultCommon(), defaultGrowth(), 100, "sqrt", false}} },
	})
}

// New checks the values and builds an unfitted detector.
func (s *Tree) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec("tree", s); err != nil {
		return nil, err
	}
	spec := *s
	return explained{build(plan{
		name: "tree", spec: s, common: s.Common, load: loadVotes,
		learn: func(ctx context.Context, env models.Env, p *problem) (classifier, error) {
			t, err := growOne(ctx, env, p, spec.Growth)
			return &votes{p.k, []*trees.Tree{t}}, err
		},
	}, env)}, nil
}

// growOne grows a tree on all rows and columns.
func growOne(ctx context.Context, env models.Env, p *problem, how Growth) (*trees.Tree, error) {
	grid, err := trees.NewGrid(ctx, p.x, p.n, p.d, env.Parallel())
	if err != nil {
		return nil, err
	}
	g := &trees.Grower{Growth: how.growth(), Grid: grid, Y: p.y, K: p.k, W: p.w, Features: p.d}
	rows := make([]int32, p.n)
	for i := range rows {
		rows[i] = int32(i)
	}
	return g.Grow(ctx, rows)
}

// Forest is a random forest:
//
//	score(x) = (1/T) Σ_t (share of attacks in the leaf of x in tree t)
//
// Each tree is grown on n rows drawn with replacement (bootstrap), and each node tries a random choice of columns,
// those in which its rows do not differ among them; it goes on until one differs, as scikit-learn does. (L. Breiman,
// Random Forests, Machine Learning 2001.) With bootstrap the share of training rows that the trees which did not see
// them call wrong, the out-of-bag error, is the loss in history.csv.
//
// Fit costs about T·n·√d·log n, each scored row T·depth.
type Forest struct {
	Common `yaml:",inline"`
	Growth `yaml:",inline"`
	// number of trees
	Trees int `yaml:"trees" jsonschema:"minimum=1,maximum=100000"`
	// columns that a node tries: sqrt (⌊√d⌋), log2 (⌊log₂ d⌋) or all
	Features string `yaml:"max_features" jsonschema:"enum=sqrt,enum=log2,enum=all"`
	// whether each tree sees n rows drawn with replacement, or all rows
	Bootstrap bool `yaml:"bootstrap"`
}

// ExtraTrees is a forest of extremely randomised trees: a node draws one threshold for each column that it tries,
// evenly between the lowest and the highest value there, and takes the best of them. Everything else is as in
// [Forest]. (P. Geurts, D. Ernst and L. Wehenkel, Extremely randomized trees, Machine Learning 2006.)
type ExtraTrees struct {
	Forest `yaml:",inline"`
}

// New checks the values and builds an unfitted detector.
func (s *Forest) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec("random_forest", s); err != nil {
		return nil, err
	}
	return s.build("random_forest", s, false, env), nil
}

// New checks the values and builds an unfitted detector.
func (s *ExtraTrees) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec("extra_trees", s); err != nil {
		return nil, err
	}
	return s.build("extra_trees", s, true, env), nil
}

func (s *Forest) build(name string, spec models.Spec, random bool, env models.Env) models.Detector {
	own := *s
	return explained{build(plan{
		name: name, spec: spec, common: s.Common, load: loadVotes,
		learn: func(ctx context.Context, env models.Env, p *problem) (classifier, error) {
			return own.grow(ctx, env, p, random)
		},
	}, env)}
}

// columns is how many of d columns a node tries.
func (s *Forest) columns(d int) int {
	switch s.Features {
	case "sqrt":
		return max(1, int(math.Sqrt(float64(d))))
	case "log2":
		return max(1, int(elementary.Log2(float64(d))))
	}
	return d
}

// grow grows the trees. Each has a random stream of its own, so that the forest does not depend on the workers.
func (s *Forest) grow(ctx context.Context, env models.Env, p *problem, random bool) (*votes, error) {
	grid, err := trees.NewGrid(ctx, p.x, p.n, p.d, env.Parallel())
	if err != nil {
		return nil, err
	}
	m := &votes{p.k, make([]*trees.Tree, s.Trees)}
	bags := make([]bag, s.Trees)
	errs := make([]error, s.Trees)
	err = env.Blocks(ctx, s.Trees, 1, func(t, _ int) {
		r := env.Rand(fmt.Sprintf("tree/%d", t))
		g := &trees.Grower{Growth: s.growth(), Grid: grid, Y: p.y, K: p.k, W: p.w, Features: s.columns(p.d),
			Random: random, Rand: r}
		rows := make([]int32, p.n)
		for i := range rows {
			rows[i] = int32(i)
		}
		if s.Bootstrap { // a row that was drawn m times counts m-fold
			times := make([]float64, p.n)
			for range p.n {
				times[r.IntN(p.n)]++
			}
			w := make([]float64, p.n)
			rows = rows[:0]
			bags[t] = make(bag, (p.n+63)/64)
			for i, m := range times {
				if m > 0 {
					w[i] = m * p.w[i]
					rows = append(rows, int32(i))
					bags[t].add(i)
				}
			}
			g.W = w
		}
		m.trees[t], errs[t] = g.Grow(ctx, rows)
	})
	if err != nil {
		return nil, err
	}
	for _, e := range errs {
		if e != nil {
			return nil, e
		}
	}
	loss := math.NaN()
	if s.Bootstrap {
		if loss, err = m.outOfBag(ctx, env, p, bags); err != nil {
			return nil, err
		}
	}
	env.Progress(models.Epoch{N: 1, Of: 1, Loss: loss, ValidLoss: math.NaN(), Rate: math.NaN(), Samples: p.n})
	return m, nil
}

// bag is a set of rows.
type bag []uint64

func (b bag) add(i int)      { b[i/64] |= 1 << (i % 64) }
func (b bag) has(i int) bool { return b[i/64]>>(i%64)&1 != 0 }

// outOfBag is the weighted share of rows whose class the trees that did not see them get wrong. Rows that all trees
// saw are left out; NaN where there are no others.
func (m *votes) outOfBag(ctx context.Context, env models.Env, p *problem, bags []bag) (float64, error) {
	const block = 256
	sums := make([][2]float64, (p.n+block-1)/block)
	err := env.Blocks(ctx, p.n, block, func(from, to int) {
		total := make([]float64, p.k)
		for i := from; i < to; i++ {
			clear(total)
			seen := false
			for t, b := range bags {
				if !b.has(i) {
					seen = true
					leaf := m.trees[t].Leaf(p.row(i))
					for c := range total {
						total[c] += m.trees[t].Value[leaf*p.k+c]
					}
				}
			}
			if !seen {
				continue
			}
			best := 0
			for c, v := range total {
				if v > total[best] {
					best = c
				}
			}
			at := &sums[from/block]
			at[1] += p.w[i]
			if best != int(p.y[i]) {
				at[0] += p.w[i]
			}
		}
	})
	var wrong, all float64
	for _, s := range sums {
		wrong, all = wrong+s[0], all+s[1]
	}
	return wrong / all, err
}
