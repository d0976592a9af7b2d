package neural

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"

	"plumbline/data"
	"plumbline/models"
)

func init() {
	models.Register(models.Info{
		Name:     "sae",
		Doc:      "Shrink auto-encoder: one whose bottleneck is pulled to the origin; a one-class model on the bottleneck gives the score.",
		Paper:    "V. L. Cao, M. Nicolau, J. McDermott, Learning Neural Representations for Network Anomaly Detection, IEEE Transactions on Cybernetics 2019",
		Needs:    models.Needs{Input: data.Vectors},
		Defaults: func() models.Spec { return defaultSAE() },
	})
}

func defaultSAE() *SAESpec {
	return &SAESpec{
		Hidden: []int{}, Activation: Tanh, Ends: Tanh, Shrink: 10, Latent: models.ReferenceTo("znorm"),
		Training: Training{Engine: "fused", Epochs: 100, Batch: 100, Optimiser: Optimiser{Kind: "adam", Rate: 0.001, Momentum: 0.9, Rho: 0.9}, StepFactor: 0.5, Validation: 0.2, Patience: 10},
	}
}

// SAESpec configures sae. With encoder e: ℝᵈ → ℝᵇ and decoder g: ℝᵇ → ℝᵈ,
//
//	loss  = mean over a batch of (1/d)·Σ_j (x_j − g(e(x))_j)² + λ·(1/b)·Σ_k e(x)_k²
//	score = score of the one-class model that was fitted to e(x) of the training rows
//
// (Cao, Nicolau and McDermott 2019, equation 3 with the means over columns of the authors' program.) Their CEN
// is znorm on the bottleneck, their KDE, LOF and OCSVM are the models of these names. Inputs should lie
// between −1 and 1 (scale: maxabs), as the output does. Unlike theirs, the decoder's weights are its own, not
// the transposed ones of the encoder.
type SAESpec struct {
	Hidden     []int            `yaml:"hidden" jsonschema:"minimum=1,maximum=65536" jsonschema_description:"sizes of the encoder's layers, the bottleneck b last; none: b = ⌊√d⌋+1 with two layers between, ⌊(2d+b)/3⌉ and ⌊(d+2b)/3⌉"`
	Activation Activation       `yaml:"activation" jsonschema:"enum=tanh,enum=relu,enum=sigmoid,enum=linear" jsonschema_description:"of the hidden layers but the bottleneck"`
	Ends       Activation       `yaml:"ends" jsonschema:"enum=tanh,enum=linear" jsonschema_description:"activation of bottleneck and output: tanh as in the paper, for inputs between -1 and 1, or linear"`
	Shrink     float64          `yaml:"shrink" jsonschema:"minimum=0,maximum=1000000" jsonschema_description:"λ: weight of the squares at the bottleneck"`
	Latent     models.Reference `yaml:"latent" jsonschema_description:"model that judges the bottleneck: a name, or {model, params}; any model of vectors that learns without labels"`
	Bias       float64          `yaml:"bias" jsonschema:"minimum=-10,maximum=10" jsonschema_description:"initial value of all biases"`
	Training   `yaml:",inline"`
}

// New checks the values.
func (s *SAESpec) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec("sae", s); err != nil {
		return nil, err
	}
	if err := s.Training.Check(); err != nil {
		return nil, fmt.Errorf("sae: %w: %w", models.ErrSpec, err)
	}
	if _, err := s.Latent.Build(env); err != nil {
		return nil, fmt.Errorf("sae: %w: latent: %w", models.ErrSpec, err)
	}
	return &sae{spec: *s, env: env}, nil
}

type sae struct {
	spec SAESpec
	env  models.Env
	net  Network
	p    Params
	on   models.Detector // of the bottleneck
}

func (a *sae) network(d int) Network {
	hidden := a.spec.Hidden
	if len(hidden) == 0 {
		hidden = CaoSizes(d)
	}
	n := Network{Layers: Autoencoder(d, hidden, a.spec.Activation), Optimiser: a.spec.Optimiser, Latent: len(hidden), Shrink: a.spec.Shrink}
	n.Layers[len(hidden)-1].Activation = a.spec.Ends
	n.Layers[len(n.Layers)-1].Activation = a.spec.Ends
	return n
}

func (a *sae) Fit(ctx context.Context, train *data.Set) error {
	a.p, a.on = nil, nil
	if err := models.CheckVectors("sae", train, 0, 1); err != nil {
		return err
	}
	net := a.network(train.D)
	p, err := Train(ctx, a.env, a.spec.Training, net, train.X, train.X, train.N, float32(a.spec.Bias))
	if err != nil {
		return fmt.Errorf("sae: %w", err)
	}
	latent, err := a.latent(ctx, net, p, train)
	if err != nil {
		return err
	}
	on, err := a.spec.Latent.Build(a.env)
	if err == nil {
		err = on.Fit(ctx, latent)
	}
	if err != nil {
		return fmt.Errorf("sae: latent: %w", err)
	}
	a.net, a.p, a.on = net, p, on
	return nil
}

// farthest is what a bottleneck's value is where float32 overflowed on the way.
const farthest = 1e18

// latent is the bottleneck's values of a set.
func (a *sae) latent(ctx context.Context, net Network, p Params, s *data.Set) (*data.Set, error) {
	b := net.Layers[net.Latent-1].Out
	out := &data.Set{Kind: data.Vectors, N: s.N, D: b, X: make([]float32, s.N*b)}
	for k := range b {
		out.Columns = append(out.Columns, fmt.Sprint("z", k+1))
	}
	scorer := net.NewScorer(p)
	err := a.env.Blocks(ctx, s.N, 1024, func(from, to int) {
		scorer.Clone().Each(s.X, from, to, net.Latent, func(i int, z []float32) {
			for k, v := range z {
				if !(math.Abs(float64(v)) <= farthest) {
					v = farthest
				}
				out.X[i*b+k] = v
			}
		})
	})
	if err != nil {
		return nil, fmt.Errorf("sae: %w", err)
	}
	return out, nil
}

func (a *sae) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	if a.p == nil {
		return nil, fmt.Errorf("sae: %w", models.ErrNotFitted)
	}
	if err := models.CheckVectors("sae", s, a.net.Layers[0].In, 0); err != nil {
		return nil, err
	}
	latent, err := a.latent(ctx, a.net, a.p, s)
	if err != nil {
		return nil, err
	}
	out, err := a.on.Score(ctx, latent)
	if err != nil {
		return nil, fmt.Errorf("sae: latent: %w", err)
	}
	return out, nil
}

func (a *sae) Save(w io.Writer) error {
	if a.p == nil {
		return fmt.Errorf("sae: save: %w", models.ErrNotFitted)
	}
	var on bytes.Buffer
	if err := a.on.Save(&on); err != nil {
		return fmt.Errorf("sae: save: latent: %w", err)
	}
	arrays := a.p.arrays()
	arrays["latent"] = on.Bytes()
	return models.WriteState(w, "sae", widthMeta{a.net.Layers[0].In}, arrays)
}

func (a *sae) Load(r io.Reader) error {
	var meta widthMeta
	arrays, err := models.ReadState(r, "sae", &meta)
	if err != nil {
		return err
	}
	net, p, err := meta.load("sae", arrays, a.network)
	if err != nil {
		return err
	}
	raw, err := models.Array[uint8](arrays, "latent", -1)
	if err != nil {
		return fmt.Errorf("sae: load: %w", err)
	}
	on, err := a.spec.Latent.Build(a.env)
	if err == nil {
		err = on.Load(bytes.NewReader(raw))
	}
	if err != nil {
		return fmt.Errorf("sae: load: latent: %w", err)
	}
	// a model on another number of columns would be refused when it scores
	one := &data.Set{Kind: data.Vectors, N: 1, D: net.Layers[net.Latent-1].Out, X: make([]float32, net.Layers[net.Latent-1].Out)}
	if _, err := on.Score(context.Background(), one); err != nil {
		return fmt.Errorf("sae: load: %w: latent: %w", models.ErrState, err)
	}
	a.net, a.p, a.on = net, p, on
	return nil
}

var _ models.Detector = (*sae)(nil)
