package autoencoder

import (
	"context"
	"errors"
	"fmt"
	"math"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/nn"
)

// latentDetector is an auto-encoder with a one-class model on its bottleneck, or with the reconstruction error as
// its score.
type latentDetector struct {
	name    string
	env     models.Env
	network func(d int) nn.Network
	bias    float64
	train   nn.Training
	// epochs for which each layer of the encoder is trained alone before
	pretrain int
	spec     LatentSpec

	net      nn.Network
	p        nn.Params
	scale    []float32       // what each column of the bottleneck is multiplied by; nil: nothing
	oneClass models.Detector // of the bottleneck; nil where the reconstruction error is the score
}

// LatentSpec is what makes a score of a trained auto-encoder.
type LatentSpec struct {
	// what the one-class model says of the bottleneck, or the reconstruction error
	Score string `yaml:"score" jsonschema:"enum=latent,enum=reconstruction"`
	// one-class model of the bottleneck: a name, or {model, params}; any model of vectors that learns without labels.
	// znorm is the distance from the standardised centroid, centroid the plain one, knn with k: 100000 and distance:
	// mean the mean distance from all training rows
	Latent models.Reference `yaml:"latent"`
	// what the bottleneck's columns are divided by before: nothing, the largest absolute value or the standard
	// deviation among the training rows
	LatentScale string `yaml:"latent_scale" jsonschema:"enum=none,enum=maxabs,enum=zscore"`
}

func defaultLatentSpec() LatentSpec {
	return LatentSpec{Score: "latent", Latent: models.ReferenceTo("znorm"), LatentScale: "none"}
}

func (b latentDetector) fit(ctx context.Context, train *data.Set) (*latentDetector, error) {
	b.net = b.network(train.D)
	job := nn.TrainJob{Network: b.net, Inputs: train.X, Targets: train.X, Rows: train.N, Bias: float32(b.bias),
		OnEpoch: watched(b.env, b.net, nil)}
	var err error
	if b.pretrain > 0 {
		if job.Start, err = pretrain(ctx, b.env, b.train, b.pretrain, job); err != nil {
			return nil, err
		}
	}
	if b.p, err = job.Train(ctx, b.env, b.train); err != nil || b.spec.Score == "reconstruction" {
		return &b, err
	}
	latent, err := b.latent(ctx, train)
	if err != nil {
		return nil, err
	}
	b.scale = b.findScale(latent)
	rescale(latent, b.scale)
	if b.oneClass, err = b.spec.Latent.Fit(ctx, b.env, latent); err != nil {
		return nil, fmt.Errorf("latent: %w", err)
	}
	return &b, nil
}

// findScale is one over the spread of the columns of a set; 1 where they have none.
func (b *latentDetector) findScale(s *data.Set) []float32 {
	if b.spec.LatentScale == "none" {
		return nil
	}
	out := make([]float32, s.D)
	for j := range out {
		most, sum, squares := 0.0, 0.0, 0.0
		for i := range s.N {
			v := float64(s.X[i*s.D+j])
			most, sum = math.Max(most, math.Abs(v)), sum+v
		}
		mean := sum / float64(s.N)
		for i := range s.N {
			d := float64(s.X[i*s.D+j]) - mean
			squares += float64(d * d)
		}
		spread := most
		if b.spec.LatentScale == "zscore" {
			spread = math.Sqrt(squares / float64(s.N))
		}
		if out[j] = float32(1 / spread); !(out[j] > 0 && out[j] <= math.MaxFloat32) {
			out[j] = 1
		}
	}
	return out
}

func rescale(s *data.Set, scale []float32) {
	if scale == nil {
		return
	}
	for i := range s.X {
		if s.X[i] *= scale[i%s.D]; !(math.Abs(float64(s.X[i])) <= nn.OverflowValue) {
			s.X[i] = float32(math.Copysign(nn.OverflowValue, float64(s.X[i])))
		}
	}
}

// latent is the bottleneck's values of a set, scaled.
func (b *latentDetector) latent(ctx context.Context, s *data.Set) (*data.Set, error) {
	out, err := codes(ctx, b.env, b.net, b.p, s)
	if err != nil {
		return nil, err
	}
	rescale(out, b.scale)
	return out, nil
}

// Score is that of the bottleneck by the one-class model, or the reconstruction error.
func (b *latentDetector) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	if b.oneClass == nil {
		return b.net.ReconstructionErrors(ctx, b.env, b.p, s)
	}
	latent, err := b.latent(ctx, s)
	if err != nil {
		return nil, err
	}
	out, err := b.oneClass.Score(ctx, latent)
	if err != nil {
		return nil, fmt.Errorf("latent: %w", err)
	}
	return out, nil
}

// State is the weights, the scale and the one-class model.
func (b *latentDetector) State() (any, models.Arrays, error) {
	arrays := b.p.Named(b.net.Arrays())
	if b.scale != nil {
		arrays["scale"] = b.scale
	}
	if b.oneClass != nil {
		if err := b.spec.Latent.Save(arrays, "latent", b.oneClass); err != nil {
			return nil, nil, fmt.Errorf("latent: %w", err)
		}
	}
	return nil, arrays, nil
}

func (b latentDetector) load(st models.State) (_ *latentDetector, err error) {
	if b.net, b.p, err = load(st, b.network); err != nil || b.spec.Score == "reconstruction" {
		return &b, err
	}
	if b.spec.LatentScale != "none" {
		if b.scale, err = models.FiniteArray[float32](st.Arrays, "scale", b.net.Bottleneck()); err != nil {
			return nil, err
		}
		for _, v := range b.scale {
			if v <= 0 {
				return nil, fmt.Errorf("the bottleneck is scaled by %v", v)
			}
		}
	}
	if b.oneClass, err = b.spec.Latent.Load(st.Arrays, "latent", b.env, b.net.Bottleneck()); err != nil {
		return nil, fmt.Errorf("latent: %w", err)
	}
	return &b, nil
}

// detector checks the settings of a model and makes a detector of them.
func (b latentDetector) detector(spec models.Spec, architecture Architecture) (models.Detector, error) {
	if err := models.CheckSpec(b.name, spec); err != nil {
		return nil, err
	}
	err := errors.Join(architecture.Check(), b.train.Check())
	if _, wrong := b.spec.Latent.Build(b.env); wrong != nil {
		err = errors.Join(err, fmt.Errorf("latent: %w", wrong))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", b.name, models.ErrSpec, err)
	}
	b.bias = architecture.Bias
	return latentModel{models.NewFitted(models.Method[*latentDetector]{
		Name: b.name, Spec: spec, Reads: models.ReadsRows, Min: 1, Fit: b.fit, Load: b.load,
	})}, nil
}

// latentModel is the detector.
type latentModel struct {
	*models.Fitted[*latentDetector]
}

// Reconstruction is that of the decoder.
func (d latentModel) Reconstruction(ctx context.Context, s *data.Set) ([]float64, error) {
	b, err := d.Ready(s)
	if err != nil {
		return nil, err
	}
	return b.net.ReconstructionErrors(ctx, b.env, b.p, s)
}

var (
	_ models.Detector      = latentModel{}
	_ models.Reconstructor = latentModel{}
)
