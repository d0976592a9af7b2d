package autoencoder

import (
	"context"
	"errors"
	"fmt"
	"io"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/nn"
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
	Pretrain     int `yaml:"pretrain" jsonschema:"minimum=0,maximum=100000" jsonschema_description:"epochs for which each layer of the encoder, beginning with the first, is trained alone to rebuild what the layers before give it, with the noise of this spec; its weights, and the transposed ones in the decoder, are what training begins with (Vincent and others 2010); 0: none"`
	nn.Training  `yaml:",inline"`
}

func (s *AESpec) stretched(factor float64) models.Spec {
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
	return &ae{spec: *s, env: env}, nil
}

type ae struct {
	spec AESpec
	env  models.Env
	net  nn.Network
	p    nn.Params
}

func (a *ae) Fit(ctx context.Context, train *data.Set) error {
	a.p = nil
	if err := models.CheckVectors("ae", train, 0, 1); err != nil {
		return err
	}
	net := a.spec.Network(train.D)
	fit := nn.TrainJob{Network: net, Inputs: train.X, Targets: train.X, Rows: train.N, Bias: float32(a.spec.Bias)}
	if a.spec.Pretrain > 0 {
		start, err := nn.Pretrain(ctx, a.env, a.spec.Training, a.spec.Pretrain, fit)
		if err != nil {
			return fmt.Errorf("ae: %w", err)
		}
		fit.Start = start
	}
	p, err := fit.Train(ctx, a.env, a.spec.Training)
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
	out, err := a.net.ReconstructionErrors(ctx, a.env, a.p, s)
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
	return models.WriteState(w, "ae", nn.StateMeta{Width: a.net.Layers[0].In}, a.net.NamedArrays(a.p))
}

func (a *ae) Load(r io.Reader) error {
	var meta nn.StateMeta
	arrays, err := models.ReadState(r, "ae", &meta)
	if err != nil {
		return err
	}
	net, p, err := load(meta, "ae", arrays, a.spec.Network)
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
