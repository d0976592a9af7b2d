package neural

import (
	"context"
	"fmt"
	"io"
	"math"

	"plumbline/data"
	"plumbline/models"
)

func init() {
	models.Register(models.Info{
		Name:     "ae",
		Doc:      "Auto-encoder: a network that squeezes a row through a bottleneck; the score is the reconstruction error.",
		Paper:    "N. Japkowicz, C. Myers, M. Gluck, A Novelty Detection Approach to Classification, IJCAI 1995; as in S. Winiecki's comparison of 2025",
		Needs:    models.Needs{Input: data.Vectors},
		Defaults: func() models.Spec { return defaultAE() },
	})
}

func defaultAE() *AESpec {
	return &AESpec{
		Hidden: []int{}, Activation: Tanh, Bias: 0.01,
		Training: Training{Engine: "fused", Epochs: 20, Batch: 256, Optimiser: Optimiser{Kind: "adam", Rate: 0.001, Momentum: 0.9, Rho: 0.9}, StepFactor: 0.5},
	}
}

// AESpec configures ae. With encoder e: ℝᵈ → ℝᵇ and decoder g: ℝᵇ → ℝᵈ, both stacks of dense layers with a
// linear bottleneck and output,
//
//	loss  = mean over a batch of RE(x)
//	score = RE(x) = (1/d)·Σ_j (x_j − g(e(x))_j)²
//
// Winiecki's networks also have batch normalisation, which this one has not. An epoch costs O(n·w) for w
// weights, a score O(w).
type AESpec struct {
	Hidden     []int      `yaml:"hidden" jsonschema:"minimum=1,maximum=65536" jsonschema_description:"sizes of the encoder's layers, the bottleneck b last; none: b = ⌊√d⌋+1 with two layers between, ⌊(2d+b)/3⌉ and ⌊(d+2b)/3⌉ (Cao and others 2019)"`
	Activation Activation `yaml:"activation" jsonschema:"enum=tanh,enum=relu,enum=sigmoid,enum=linear" jsonschema_description:"of the hidden layers but the bottleneck"`
	Bias       float64    `yaml:"bias" jsonschema:"minimum=-10,maximum=10" jsonschema_description:"initial value of all biases"`
	Training   `yaml:",inline"`
}

// New checks the values.
func (s *AESpec) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec("ae", s); err != nil {
		return nil, err
	}
	if err := s.Training.Check(); err != nil {
		return nil, fmt.Errorf("ae: %w: %w", models.ErrSpec, err)
	}
	return &ae{spec: *s, env: env}, nil
}

// CaoSizes is the encoder sizes of Cao, Nicolau and McDermott 2019 for d columns.
func CaoSizes(d int) []int {
	b := int(math.Sqrt(float64(d))) + 1
	return []int{(2*d + b + 1) / 3, (d + 2*b + 1) / 3, b}
}

type ae struct {
	spec AESpec
	env  models.Env
	net  Network
	p    Params
}

func (a *ae) network(d int) Network {
	hidden := a.spec.Hidden
	if len(hidden) == 0 {
		hidden = CaoSizes(d)
	}
	return Network{Layers: Autoencoder(d, hidden, a.spec.Activation), Optimiser: a.spec.Optimiser}
}

func (a *ae) Fit(ctx context.Context, train *data.Set) error {
	a.p = nil
	if err := models.CheckVectors("ae", train, 0, 1); err != nil {
		return err
	}
	net := a.network(train.D)
	p, err := Train(ctx, a.env, a.spec.Training, net, train.X, train.X, train.N, float32(a.spec.Bias))
	if err != nil {
		return fmt.Errorf("ae: %w", err)
	}
	a.net, a.p = net, p
	return nil
}

func (a *ae) check(s *data.Set) error {
	if a.p == nil {
		return fmt.Errorf("ae: %w", models.ErrNotFitted)
	}
	return models.CheckVectors("ae", s, a.net.Layers[0].In, 0)
}

func (a *ae) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	if err := a.check(s); err != nil {
		return nil, err
	}
	out := make([]float64, s.N)
	scorer := a.net.NewScorer(a.p)
	err := a.env.Blocks(ctx, s.N, 1024, func(from, to int) {
		scorer.Clone().Errors(s.X, from, to, out)
		for i := from; i < to; i++ {
			if !(out[i] <= math.MaxFloat32) { // float32 overflowed on the way: as far off as can be
				out[i] = math.MaxFloat32
			}
		}
	})
	if err != nil {
		return nil, fmt.Errorf("ae: %w", err)
	}
	return out, nil
}

// Explain gives each column's squared reconstruction error.
func (a *ae) Explain(ctx context.Context, s *data.Set) ([]string, [][]float64, error) {
	if err := a.check(s); err != nil {
		return nil, nil, err
	}
	out := make([][]float64, s.N)
	scorer := a.net.NewScorer(a.p)
	for from := 0; from < s.N; from += 1024 {
		if ctx.Err() != nil {
			return nil, nil, fmt.Errorf("ae: %w", ctx.Err())
		}
		scorer.Each(s.X, from, min(from+1024, s.N), 0, func(i int, y []float32) {
			out[i] = make([]float64, s.D)
			for j, v := range s.Row(i) {
				d := float64(v) - float64(y[j])
				out[i][j] = d * d
			}
		})
	}
	return s.ColumnNames(), out, nil
}

func (a *ae) Save(w io.Writer) error {
	if a.p == nil {
		return fmt.Errorf("ae: save: %w", models.ErrNotFitted)
	}
	return models.WriteState(w, "ae", widthMeta{a.net.Layers[0].In}, a.p.arrays())
}

func (a *ae) Load(r io.Reader) error {
	var meta widthMeta
	arrays, err := models.ReadState(r, "ae", &meta)
	if err != nil {
		return err
	}
	net, p, err := meta.load("ae", arrays, a.network)
	if err != nil {
		return err
	}
	a.net, a.p = net, p
	return nil
}

var (
	_ models.Detector  = (*ae)(nil)
	_ models.Explainer = (*ae)(nil)
)
