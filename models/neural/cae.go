package neural

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"

	"plumbline/data"
	"plumbline/models"
)

func init() {
	models.Register(models.Info{
		Name:     "cae",
		Doc:      "Clustering auto-encoder: rows are drawn to centres in the bottleneck while it learns to rebuild them; the score is the distance from the nearest centre.",
		Paper:    "V. Q. Nguyen, V. H. Nguyen, N.-A. Le-Khac, V. L. Cao, Clustering-Based Deep Autoencoders for Network Anomaly Detection, FDSE 2020; the loss as in S. Winiecki's comparison of 2025",
		Needs:    models.Needs{Input: data.Vectors},
		Defaults: func() models.Spec { return defaultCAE() },
	})
}

func defaultCAE() *CAESpec {
	return &CAESpec{
		Hidden: []int{}, Activation: Tanh, Clusters: 3, Force: 300, Bias: 0.01,
		Training: Training{Engine: "fused", Epochs: 100, Batch: 100, Optimiser: Optimiser{Kind: "adam", Rate: 0.001, Momentum: 0.9, Rho: 0.9}, StepFactor: 0.5},
	}
}

// CAESpec configures cae. With encoder e, decoder g and centres c_1 … c_k in the bottleneck,
//
//	D(x)  = min_j ‖e(x) − c_j‖
//	loss  = mean over a batch of (1/d)·Σ_j (x_j − g(e(x))_j)² + κ·D(x)²
//	score = D(x)
//
// The centres begin as those of k-means on the bottleneck of the first batch's rows and take one step of
// Lloyd's algorithm over all training rows behind each epoch; a centre that no row is nearest to stays. The
// published loss has a term ω·mean ‖c_j‖² besides, which has no gradient, since the centres are constants in
// an epoch, and is left out.
type CAESpec struct {
	Hidden     []int      `yaml:"hidden" jsonschema:"minimum=1,maximum=65536" jsonschema_description:"sizes of the encoder's layers, the bottleneck b last; none: b = ⌊√d⌋+1 with two layers between, ⌊(2d+b)/3⌉ and ⌊(d+2b)/3⌉"`
	Activation Activation `yaml:"activation" jsonschema:"enum=tanh,enum=relu,enum=sigmoid,enum=linear" jsonschema_description:"of the hidden layers but the bottleneck"`
	Clusters   int        `yaml:"clusters" jsonschema:"minimum=1,maximum=100" jsonschema_description:"k: centres"`
	Force      float64    `yaml:"force" jsonschema:"minimum=0,maximum=10000" jsonschema_description:"κ: weight of the squared distances"`
	Bias       float64    `yaml:"bias" jsonschema:"minimum=-10,maximum=10" jsonschema_description:"initial value of all biases"`
	Training   `yaml:",inline"`
}

// New checks the values.
func (s *CAESpec) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec("cae", s); err != nil {
		return nil, err
	}
	if err := s.Training.Check(); err != nil {
		return nil, fmt.Errorf("cae: %w: %w", models.ErrSpec, err)
	}
	if s.Engine != "fused" {
		return nil, fmt.Errorf("cae: %w: engine %s knows no centres: take fused", models.ErrSpec, s.Engine)
	}
	return &cae{spec: *s, env: env}, nil
}

type cae struct {
	spec    CAESpec
	env     models.Env
	net     Network
	p       Params
	centres [][]float32
}

func (a *cae) network(d int) Network {
	hidden := a.spec.Hidden
	if len(hidden) == 0 {
		hidden = CaoSizes(d)
	}
	b := hidden[len(hidden)-1]
	// Shrink weighs a mean over columns, κ a sum
	return Network{Layers: Autoencoder(d, hidden, a.spec.Activation), Optimiser: a.spec.Optimiser, Latent: len(hidden), Shrink: a.spec.Force * float64(b)}
}

func (a *cae) Fit(ctx context.Context, train *data.Set) error {
	a.p = nil
	if err := models.CheckVectors("cae", train, 0, 1); err != nil {
		return err
	}
	net := a.network(train.D)
	b := net.Layers[net.Latent-1].Out
	net.Centres = [][]float32{make([]float32, b)} // until the first batch is seen
	var centres [][]float32
	p, err := trainWith(ctx, a.env, a.spec.Training, net, train.X, train.X, train.N, float32(a.spec.Bias), func(tr Trainer, order []int32) error {
		var err error
		if centres == nil {
			centres, err = a.begin(ctx, net, tr.Params(), train, order)
		} else {
			centres, err = a.step(ctx, net, tr.Params(), train, order, centres)
		}
		if err != nil {
			return err
		}
		return tr.(Centred).SetCentres(centres)
	})
	if err != nil {
		return fmt.Errorf("cae: %w", err)
	}
	a.net, a.p, a.centres = net, p, centres
	return nil
}

// begin is the centres of the first batch's rows.
func (a *cae) begin(ctx context.Context, net Network, p Params, train *data.Set, order []int32) ([][]float32, error) {
	rows := order[:min(a.spec.Batch, len(order))]
	scorer := net.NewScorer(p)
	var z [][]float32
	for _, r := range rows {
		scorer.Each(train.X, int(r), int(r)+1, net.Latent, func(_ int, out []float32) { z = append(z, slices.Clone(out)) })
	}
	return kmeansCentres(ctx, z, a.spec.Clusters, a.env.Rand("centres"))
}

// step is one step of Lloyd's algorithm over the training rows.
func (a *cae) step(ctx context.Context, net Network, p Params, train *data.Set, order []int32, centres [][]float32) ([][]float32, error) {
	b := len(centres[0])
	trained := make([]bool, train.N)
	for _, r := range order {
		trained[r] = true
	}
	// sums of blocks are added in order, so that the workers change no bit
	const block = 4096
	type total struct {
		sum [][]float64
		n   []float64
	}
	totals := make([]total, (train.N+block-1)/block)
	scorer := net.NewScorer(p)
	err := a.env.Blocks(ctx, train.N, block, func(from, to int) {
		t := total{make([][]float64, len(centres)), make([]float64, len(centres))}
		for c := range t.sum {
			t.sum[c] = make([]float64, b)
		}
		scorer.Clone().Each(train.X, from, to, net.Latent, func(i int, z []float32) {
			if !trained[i] {
				return
			}
			c := nearest(centres, z)
			t.n[c]++
			for j, v := range z {
				t.sum[c][j] += float64(v)
			}
		})
		totals[from/block] = t
	})
	if err != nil {
		return nil, err
	}
	out := make([][]float32, len(centres))
	for c := range centres {
		n, sum := 0.0, make([]float64, b)
		for _, t := range totals {
			n += t.n[c]
			for j := range sum {
				sum[j] += t.sum[c][j]
			}
		}
		out[c] = slices.Clone(centres[c])
		for j := range sum {
			if v := sum[j] / n; n > 0 && math.Abs(v) <= farthest {
				out[c][j] = float32(v)
			}
		}
	}
	return out, nil
}

func (a *cae) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	if a.p == nil {
		return nil, fmt.Errorf("cae: %w", models.ErrNotFitted)
	}
	if err := models.CheckVectors("cae", s, a.net.Layers[0].In, 0); err != nil {
		return nil, err
	}
	out := make([]float64, s.N)
	scorer := a.net.NewScorer(a.p)
	err := a.env.Blocks(ctx, s.N, 1024, func(from, to int) {
		scorer.Clone().Each(s.X, from, to, a.net.Latent, func(i int, z []float32) {
			least := math.Inf(1)
			for _, c := range a.centres {
				least = min(least, distance(z, c))
			}
			if out[i] = math.Sqrt(least); !(out[i] <= farthest) { // float32 overflowed on the way
				out[i] = farthest
			}
		})
	})
	if err != nil {
		return nil, fmt.Errorf("cae: %w", err)
	}
	return out, nil
}

func (a *cae) Save(w io.Writer) error {
	if a.p == nil {
		return fmt.Errorf("cae: save: %w", models.ErrNotFitted)
	}
	arrays := a.p.arrays()
	arrays["centres"] = slices.Concat(a.centres...)
	return models.WriteState(w, "cae", widthMeta{a.net.Layers[0].In}, arrays)
}

func (a *cae) Load(r io.Reader) error {
	var meta widthMeta
	arrays, err := models.ReadState(r, "cae", &meta)
	if err != nil {
		return err
	}
	net, p, err := meta.load("cae", arrays, a.network)
	if err != nil {
		return err
	}
	flat, err := models.Array[float32](arrays, "centres", -1)
	if err != nil {
		return fmt.Errorf("cae: load: %w", err)
	}
	b := net.Layers[net.Latent-1].Out
	if len(flat) == 0 || len(flat)%b != 0 {
		return fmt.Errorf("cae: load: %w: %d numbers for centres of %d", models.ErrState, len(flat), b)
	}
	var centres [][]float32
	for len(flat) > 0 {
		for _, v := range flat[:b] {
			if v-v != 0 {
				return fmt.Errorf("cae: load: %w: a centre is at %v", models.ErrState, v)
			}
		}
		centres, flat = append(centres, flat[:b:b]), flat[b:]
	}
	a.net, a.p, a.centres = net, p, centres
	return nil
}

var _ models.Detector = (*cae)(nil)
