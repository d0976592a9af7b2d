package autoencoder

import (
	"context"
	"errors"
	"fmt"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/nn"
)

func init() {
	models.Register(models.Info{
		Name: "ae",
		Doc: "Auto-encoder: a network that squeezes a row through a bottleneck; the score is the reconstruction " +
			"error.",
		Paper: "N. Japkowicz, C. Myers, M. Gluck, A Novelty Detection Approach to Classification, IJCAI 1995; as " +
			"in S. Winiecki's comparison of 2025",
		Needs:    models.Needs{Input: data.Vectors},
		Defaults: func() models.Spec { return defaultAE() },
	})
}

func defaultAE() *AESpec {
	s := &AESpec{Architecture: defaultArchitecture(nn.Linear), Training: nn.DefaultTraining(20, 256)}
	s.Bias = 0.01
	return s
}

// AESpec configures ae. With encoder e: ℝᵈ → ℝᵇ and decoder g: ℝᵇ → ℝᵈ, both stacks of dense layers,
//
//	loss  = mean over a batch of RE(x), or of the mean absolute difference
//	score = RE(x) = (1/d)·Σ_j (x_j − g(e(x))_j)²
//
// An epoch costs O(n·w) for w weights, a score O(w).
type AESpec struct {
	Architecture `yaml:",inline"`
	// epochs for which each layer of the encoder, beginning with the first, is trained alone to rebuild what the layers
	// before give it, with the noise of this spec; its weights, and the transposed ones in the decoder, are what
	// training begins with (Vincent and others 2010); 0: none
	Pretrain    int `yaml:"pretrain" jsonschema:"minimum=0,maximum=100000"`
	nn.Training `yaml:",inline"`
}

// Rescaled is the same with a training that is this many times as long.
func (s *AESpec) Rescaled(factor float64) models.Spec {
	longer := *s
	longer.Training = s.Training.Stretched(factor)
	return &longer
}

// New checks the values.
func (s *AESpec) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec("ae", s); err != nil {
		return nil, err
	}
	if err := errors.Join(s.Architecture.Check(), s.Training.Check()); err != nil {
		return nil, fmt.Errorf("ae: %w: %w", models.ErrSpec, err)
	}
	m := ae{spec: *s, env: env}
	return &aeDetector{models.NewFitted(models.Method[*ae]{
		Name: "ae", Spec: s, Reads: models.ReadsRows, Min: 1, Fit: m.fit, Load: m.load,
	})}, nil
}

// aeDetector is the detector.
type aeDetector struct{ *models.Fitted[*ae] }

// ae is the settings and, in what fit and load return, the trained network.
type ae struct {
	spec AESpec
	env  models.Env
	net  nn.Network
	p    nn.Params
}

func (a ae) fit(ctx context.Context, train *data.Set) (*ae, error) {
	a.net = a.spec.Network(train.D)
	fit := nn.TrainJob{Network: a.net, Inputs: train.X, Targets: train.X, Rows: train.N, Bias: float32(a.spec.Bias),
		OnEpoch: watched(a.env, a.net, nil)}
	var err error
	if a.spec.Pretrain > 0 {
		if fit.Start, err = pretrain(ctx, a.env, a.spec.Training, a.spec.Pretrain, fit); err != nil {
			return nil, err
		}
	}
	a.p, err = fit.Train(ctx, a.env, a.spec.Training)
	return &a, err
}

// Score is the reconstruction error of each row.
func (a *ae) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	return a.net.ReconstructionErrors(ctx, a.env, a.p, s)
}

// Explain gives each column's squared reconstruction error.
func (d *aeDetector) Explain(ctx context.Context, s *data.Set) ([]string, [][]float64, error) {
	out, err := d.rebuilt(ctx, s, func(x, y float32) float64 {
		diff := float64(x) - float64(y)
		return diff * diff
	})
	if err != nil {
		return nil, nil, err
	}
	return s.ColumnNames(), out, nil
}

// Expected gives each row as the network rebuilds it.
func (d *aeDetector) Expected(ctx context.Context, s *data.Set) ([][]float64, error) {
	return d.rebuilt(ctx, s, func(_, y float32) float64 { return float64(y) })
}

// rebuilt is what of makes of each value and what the network rebuilds of it.
func (d *aeDetector) rebuilt(ctx context.Context, s *data.Set, of func(x, y float32) float64) ([][]float64, error) {
	a, err := d.Ready(s)
	if err != nil {
		return nil, err
	}
	out := make([][]float64, s.N)
	scorer := a.net.NewScorer(a.p)
	for from := 0; from < s.N; from += 1024 {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("ae: explain: %w", ctx.Err())
		}
		scorer.Each(s.X, from, min(from+1024, s.N), 0, func(i int, y []float32) {
			out[i] = make([]float64, s.D)
			for j, v := range s.Row(i) {
				out[i][j] = of(v, y[j])
			}
		})
	}
	return out, nil
}

// Reconstruction is the score.
func (d *aeDetector) Reconstruction(ctx context.Context, s *data.Set) ([]float64, error) {
	return d.Score(ctx, s)
}

// State is the weights.
func (a *ae) State() (any, models.Arrays, error) { return nil, a.p.Named(a.net.Arrays()), nil }

func (a ae) load(st models.State) (_ *ae, err error) {
	a.net, a.p, err = load(st, a.spec.Network)
	return &a, err
}

var (
	_ models.Detector  = (*aeDetector)(nil)
	_ models.Explainer = (*aeDetector)(nil)
	_ models.Expecter  = (*aeDetector)(nil)

	_ models.Reconstructor = (*aeDetector)(nil)
)
