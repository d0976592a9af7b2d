package supervised

import (
	"context"
	"encoding/json"
	"errors"
	"math"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/elementary"
	"plumbline/numeric/trees"
)

// AdaBoost adds up small trees, each grown on rows weighted by how often the ones before were wrong (SAMME). Round t
// with the weighted error e has the vote α = η (log((1−e)/e) + log(k−1)), and the weights of the rows that it gets
// wrong are multiplied by e^α. With V_c the share of the votes that is for class c,
//
//	p(c | x) ∝ exp(V_c(x) / (k−1)),  score(x) = 1 − p(benign | x)
//
// (Y. Freund and R. Schapire, A Decision-Theoretic Generalization of On-Line Learning, JCSS 1997; J. Zhu, H. Zou, S.
// Rosset and T. Hastie, Multi-class AdaBoost, Statistics and Its Interface 2009.) It ends early when a tree is right
// everywhere or no better than chance.
//
// Fit costs Rounds·n·d·depth, each scored row Rounds·depth.
type AdaBoost struct {
	Common `yaml:",inline"`
	// trees at most
	Rounds int `yaml:"rounds" jsonschema:"minimum=1,maximum=100000"`
	// share of each vote that counts, η
	Rate float64 `yaml:"learning_rate" jsonschema:"exclusiveMinimum=0,maximum=10"`
	// largest depth of a tree
	Depth int `yaml:"max_depth" jsonschema:"minimum=1,maximum=64"`
}

func init() {
	models.Register(models.Info{
		Name: "adaboost",
		Doc:  "Small trees on rows weighted by earlier errors; the score is the probability of an attack by their votes.",
		Paper: "Y. Freund and R. Schapire, A Decision-Theoretic Generalization of On-Line Learning and an Application " +
			"to Boosting, JCSS 55, 1997",
		Needs:    models.Needs{Input: data.Vectors, Labels: models.AllLabels},
		Seeded:   calibrated,
		Defaults: func() models.Spec { return &AdaBoost{defaultCommon(), 50, 1, 1} },
	})
}

// New checks the values and builds an unfitted detector.
func (s *AdaBoost) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec("adaboost", s); err != nil {
		return nil, err
	}
	spec := *s
	return build(plan{
		name: "adaboost", spec: s, common: s.Common, load: loadSAMME,
		learn: func(ctx context.Context, env models.Env, p *problem) (classifier, error) {
			return spec.boost(ctx, env, p)
		},
	}, env), nil
}

// samme is trees with votes.
type samme struct {
	k     int
	trees []*trees.Tree
	alpha []float64
}

func (s *AdaBoost) boost(ctx context.Context, env models.Env, p *problem) (*samme, error) {
	grid, err := trees.NewGrid(ctx, p.x, p.n, p.d, env.Parallel())
	if err != nil {
		return nil, err
	}
	w := make([]float64, p.n)
	total := 0.0
	for _, v := range p.w {
		total += v
	}
	for i, v := range p.w {
		w[i] = v / total
	}
	how := defaultGrowth()
	how.MaxDepth = s.Depth
	g := &trees.Grower{Growth: how.growth(), Grid: grid, Y: p.y, K: p.k, W: w, Features: p.d}
	m := &samme{k: p.k}
	rows, wrong := make([]int32, p.n), make([]bool, p.n)
	for round := range s.Rounds {
		for i := range rows {
			rows[i] = int32(i)
		}
		t, err := g.Grow(ctx, rows)
		if err != nil {
			return nil, err
		}
		miss, sum := 0.0, 0.0
		for i := range p.n {
			wrong[i] = t.Class(p.row(i), p.k) != int(p.y[i])
			if sum += w[i]; wrong[i] {
				miss += w[i]
			}
		}
		miss /= sum
		env.Progress(
			models.Epoch{N: round + 1, Of: s.Rounds, Loss: miss, ValidLoss: math.NaN(), Rate: s.Rate, Samples: p.n},
		)
		if miss <= 0 {
			m.trees, m.alpha = append(m.trees, t), append(m.alpha, 1)
			break
		}
		if miss >= 1-1/float64(p.k) {
			if round == 0 {
				return nil, errors.New("the first tree is no better than chance")
			}
			break
		}
		alpha := s.Rate * (elementary.Log((1-miss)/miss) + elementary.Log(float64(p.k-1)))
		m.trees, m.alpha = append(m.trees, t), append(m.alpha, alpha)
		sum = 0
		for i := range w {
			if wrong[i] {
				w[i] *= elementary.Exp(alpha)
			}
			sum += w[i]
		}
		for i := range w {
			if w[i] /= sum; !(w[i] > 1e-300) { // a weight of 0 would take the row out
				w[i] = 1e-300
			}
		}
	}
	return m, nil
}

func (m *samme) probabilities(ctx context.Context, env models.Env, x []float32, n int, out []float64) error {
	d := len(x) / max(n, 1)
	all := 0.0
	for _, a := range m.alpha {
		all += a
	}
	scale := float64(m.k - 1)
	return env.Blocks(ctx, n, 128, func(from, to int) {
		f := make([]float64, m.k)
		for i := from; i < to; i++ {
			clear(f)
			for t, tr := range m.trees {
				f[tr.Class(x[i*d:(i+1)*d], m.k)] += m.alpha[t] / all
			}
			for c := range f {
				f[c] /= scale
			}
			if m.k == 2 {
				softmax([]float64{f[1] - f[0]}, out[i*2:i*2+2])
			} else {
				softmax(f, out[i*m.k:(i+1)*m.k])
			}
		}
	})
}

func (m *samme) state() (any, models.Arrays) {
	arrays := pack(m.trees)
	arrays["alpha"] = m.alpha
	return struct{}{}, arrays
}

func loadSAMME(meta json.RawMessage, arrays models.Arrays, d, k int) (classifier, error) {
	if err := noMeta(meta); err != nil {
		return nil, err
	}
	list, err := loadProbabilityTrees(arrays, d, k)
	if err != nil {
		return nil, err
	}
	m := &samme{k: k, trees: list}
	if m.alpha, err = models.FiniteArray[float64](arrays, "alpha", len(list)); err != nil {
		return nil, err
	}
	for _, a := range m.alpha {
		if !(a > 0) {
			return nil, errState
		}
	}
	return m, nil
}
