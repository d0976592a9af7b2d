package supervised

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/elementary"
	"plumbline/numeric/trees"
)

// Boosting is gradient boosting of histogram trees. With margins F (one for two classes, else one per class) that start
// at the log-odds of the classes, each round fits a tree to the gradient g and curvature h of the logistic loss:
//
//	gain of a split = G_L²/(H_L+λ) + G_R²/(H_R+λ) − G²/(H+λ),  value of a leaf = −η G/(H+λ)
//	score(x) = 1 / (1 + e^−F(x)),  with more classes 1 − softmax(F(x))[benign]
//
// Columns are cut into at most Bins quantile bins, and trees grow leaf by leaf, the split of the largest gain first.
// (J. Friedman, Greedy Function Approximation, Annals of Statistics 2001; G. Ke and others, LightGBM, NeurIPS 2017,
// for histograms and growth by leaves.)
//
// Missing values go, at each split, to the side that training shows to be better, and where it had none in that column,
// to the side of more rows. A column of categories is split into two groups of them: sorted by G/(H+Support), some of
// one end go left and all others right; categories of less than Support rows go right, and those that training did not
// have, where missing values go. Both come so where the steps of the preprocessing say native.
//
// The settings are those of scikit-learn's HistGradientBoostingClassifier. With early stopping a share of the training
// rows is held out, and the rounds end when their loss has not improved for Patience rounds.
//
// Fit costs n·d a round and level, each scored row Rounds·depth.
type Boosting struct {
	Common `yaml:",inline"`
	// rounds of boosting at most
	Rounds int `yaml:"rounds" jsonschema:"minimum=1,maximum=100000"`
	// share of a tree's values that is added, η
	Rate float64 `yaml:"learning_rate" jsonschema:"exclusiveMinimum=0,maximum=1"`
	// leaves of a tree at most
	Leaves int `yaml:"max_leaves" jsonschema:"minimum=2,maximum=65536"`
	// largest depth; 0 for none
	MaxDepth int `yaml:"max_depth" jsonschema:"minimum=0,maximum=10000"`
	// rows that a leaf has at least
	MinLeaf int `yaml:"min_samples_leaf" jsonschema:"minimum=1,maximum=1000000000"`
	// L2 regularisation of leaf values, λ
	Lambda float64 `yaml:"l2" jsonschema:"minimum=0,maximum=1e9"`
	// bins of a column of numbers at most
	Bins int `yaml:"bins" jsonschema:"minimum=2,maximum=255"`
	// rows, weighted by curvature, that a category needs to be told apart, and what smooths the order of categories
	Support float64 `yaml:"min_category" jsonschema:"minimum=0,maximum=1e9"`
	// rounds without a better held-out loss that end the training; 0 for no early stopping
	Patience int `yaml:"patience" jsonschema:"minimum=0,maximum=100000"`
	// share of the training rows that is held out for early stopping
	Validation float64 `yaml:"validation" jsonschema:"exclusiveMinimum=0,exclusiveMaximum=1"`
}

func init() {
	models.Register(models.Info{
		Name: "boosting",
		Doc:  "Gradient boosting of histogram trees; the score is the probability of an attack.",
		Paper: "J. Friedman, Greedy Function Approximation: A Gradient Boosting Machine, Annals of Statistics 29, 2001; " +
			"G. Ke and others, LightGBM, NeurIPS 2017",
		Needs:  models.Needs{Input: data.Vectors, Labels: models.AllLabels, Native: true},
		Seeded: func(s models.Spec) bool { return calibrated(s) || s.(*Boosting).Patience > 0 },
		Defaults: func() models.Spec {
			return &Boosting{
				Common:     defaultCommon(),
				Rounds:     100,
				Rate:       0.1,
				Leaves:     31,
				MinLeaf:    20,
				Bins:       255,
				Support:    10,
				Validation: 0.1,
			}
		},
	})
}

// New checks the values and builds an unfitted detector.
func (s *Boosting) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec("boosting", s); err != nil {
		return nil, err
	}
	spec := *s
	return explained{build(plan{
		name: "boosting", spec: s, common: s.Common, load: loadBoosted, native: true,
		learn: func(ctx context.Context, env models.Env, p *problem) (classifier, error) {
			return spec.boost(ctx, env, p)
		},
	}, env)}, nil
}

// boosted is the sum of trees. Tree t adds to the margin t mod functions.
type boosted struct {
	k     int
	start []float64 // margins without a tree
	trees []*trees.Tree
}

func (m *boosted) probabilities(ctx context.Context, env models.Env, x []float32, n int, out []float64) error {
	d, nf := len(x)/max(n, 1), functions(m.k)
	walk := walker(m.trees, n)
	return env.Blocks(ctx, n, 128, func(from, to int) {
		f := make([]float64, (to-from)*nf)
		for i := range to - from {
			copy(f[i*nf:], m.start)
		}
		rows, leaves := trees.NewRows(x[from*d:to*d], d), make([]int32, to-from)
		for t, tr := range m.trees {
			walk(t, rows, leaves)
			for i, leaf := range leaves {
				f[i*nf+t%nf] += tr.Value[leaf]
			}
		}
		for i := from; i < to; i++ {
			softmax(f[(i-from)*nf:(i-from+1)*nf], out[i*m.k:(i+1)*m.k])
		}
	})
}

// contributions are the Shapley values of the margin of attacks, or minus that of benign rows.
func (m *boosted) contributions(row []float32, out []float64) {
	clear(out)
	nf := functions(m.k)
	for t, tr := range m.trees {
		if t%nf == 0 {
			trees.Shapley(tr, row, func(node int) float64 { return tr.Value[node] }, out)
		}
	}
	if nf > 1 {
		for j := range out {
			out[j] = -out[j]
		}
	}
}

func (m *boosted) state() (any, models.Arrays) {
	arrays := pack(m.trees)
	arrays["start"] = m.start
	return struct{}{}, arrays
}

func loadBoosted(meta json.RawMessage, arrays models.Arrays, d, k int) (classifier, error) {
	if err := noMeta(meta); err != nil {
		return nil, err
	}
	m := &boosted{k: k}
	var err error
	if m.start, err = models.FiniteArray[float64](arrays, "start", functions(k)); err != nil {
		return nil, err
	}
	m.trees, err = unpack(arrays, d, 1)
	return m, err
}

func (s *Boosting) boost(ctx context.Context, env models.Env, p *problem) (*boosted, error) {
	train, held := p, (*problem)(nil)
	if s.Patience > 0 {
		var err error
		if train, held, err = s.holdOut(env, p); err != nil {
			return nil, err
		}
	}
	b, err := trees.NewBins(ctx, train.x, train.n, train.d, s.Bins, train.categories, env.Parallel())
	if err != nil {
		return nil, err
	}
	nf := functions(p.k)
	m := &boosted{k: p.k, start: logOdds(train)}
	g := trees.NewGradientGrower(b, trees.GradientGrowth{Rate: s.Rate, Lambda: s.Lambda, Leaves: s.Leaves,
		MaxDepth: s.MaxDepth, MinLeaf: s.MinLeaf, Support: s.Support}, env.Parallel())
	f := startMargins(m.start, train.n)
	var fHeld []float64
	if held != nil {
		fHeld = startMargins(m.start, held.n)
	}
	grad, hess := make([]float64, train.n), make([]float64, train.n)
	prob := make([]float64, train.n*p.k)
	best, bestAt := math.Inf(1), 0
	for round := range s.Rounds {
		loss := train.margins(f, prob)
		for c := range nf {
			derive(train, prob, c, nf, grad, hess)
			t, where, err := g.Grow(ctx, grad, hess)
			if err != nil {
				return nil, err
			}
			m.trees = append(m.trees, t)
			for i, leaf := range where {
				f[i*nf+c] += t.Value[leaf]
			}
			if held != nil {
				for i := range held.n {
					fHeld[i*nf+c] += t.Value[t.Leaf(held.row(i))]
				}
			}
		}
		ep := models.Epoch{N: round + 1, Of: s.Rounds, Loss: loss, ValidLoss: math.NaN(), Rate: s.Rate, Samples: train.n}
		if held != nil {
			ep.ValidLoss = held.margins(fHeld, make([]float64, held.n*p.k))
			if ep.ValidLoss < best {
				best, bestAt = ep.ValidLoss, round
			}
		}
		env.Progress(ep)
		if held != nil && round-bestAt >= s.Patience {
			break
		}
	}
	if held != nil {
		m.trees = m.trees[:(bestAt+1)*nf]
	}
	return m, nil
}

// holdOut splits off the rows that tell when to stop, of each class its share.
func (s *Boosting) holdOut(env models.Env, p *problem) (train, held *problem, err error) {
	folds := max(2, int(math.Round(1/s.Validation)))
	of := stratifiedFolds(p.y, p.k, folds, env.Rand("validation"))
	var in, out []int32
	for i, f := range of {
		if f == 0 {
			out = append(out, int32(i))
		} else {
			in = append(in, int32(i))
		}
	}
	if len(in) == 0 || len(out) == 0 {
		return nil, nil, fmt.Errorf("%w: %d rows are too few for early stopping", models.ErrInput, p.n)
	}
	return p.only(in), p.only(out), nil
}

// logOdds is where margins begin: the log-odds of attacks, or the logarithms of the shares of the classes.
func logOdds(p *problem) []float64 {
	share := make([]float64, p.k)
	sum := 0.0
	for i, c := range p.y {
		share[c] += p.w[i]
		sum += p.w[i]
	}
	for c := range share {
		share[c] = min(max(share[c]/sum, 1e-15), 1-1e-15)
	}
	if p.k == 2 {
		return []float64{elementary.Log(share[1] / (1 - share[1]))}
	}
	for c := range share {
		share[c] = elementary.Log(share[c])
	}
	return share
}

func startMargins(start []float64, n int) []float64 { return slices.Repeat(start, n) }

// margins turns margins into probabilities, and gives the weighted mean of −log of that of the row's class.
func (p *problem) margins(f, prob []float64) float64 {
	nf := functions(p.k)
	var sum, weight float64
	for i, c := range p.y {
		softmax(f[i*nf:(i+1)*nf], prob[i*p.k:(i+1)*p.k])
		sum -= float64(p.w[i] * elementary.Log(math.Max(prob[i*p.k+int(c)], leastProbability)))
		weight += p.w[i]
	}
	return sum / weight
}

// derive is the gradient and curvature of the loss by one margin.
func derive(p *problem, prob []float64, c, nf int, grad, hess []float64) {
	class := c
	if nf == 1 {
		class = 1
	}
	for i, y := range p.y {
		q := prob[i*p.k+class]
		hit := 0.0
		if int(y) == class {
			hit = 1
		}
		grad[i] = p.w[i] * (q - hit)
		hess[i] = p.w[i] * q * (1 - q)
	}
}
