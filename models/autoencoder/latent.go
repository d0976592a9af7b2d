package autoencoder

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
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
	spec    LatentSpec

	net      nn.Network
	p        nn.Params
	scale    []float32       // what each column of the bottleneck is multiplied by; nil: nothing
	oneClass models.Detector // of the bottleneck; nil where the reconstruction error is the score
}

// LatentSpec is what makes a score of a trained auto-encoder.
type LatentSpec struct {
	Score       string           `yaml:"score" jsonschema:"enum=latent,enum=reconstruction" jsonschema_description:"what the one-class model says of the bottleneck, or the reconstruction error"`
	Latent      models.Reference `yaml:"latent" jsonschema_description:"one-class model of the bottleneck: a name, or {model, params}; any model of vectors that learns without labels. znorm is the distance from the standardised centroid, centroid the plain one, knn with k: 100000 and distance: mean the mean distance from all training rows"`
	LatentScale string           `yaml:"latent_scale" jsonschema:"enum=none,enum=maxabs,enum=zscore" jsonschema_description:"what the bottleneck's columns are divided by before: nothing, the largest absolute value or the standard deviation among the training rows"`
}

func defaultLatentSpec() LatentSpec {
	return LatentSpec{Score: "latent", Latent: models.ReferenceTo("znorm"), LatentScale: "none"}
}

func (b *latentDetector) check() error {
	if err := b.train.Check(); err != nil {
		return err
	}
	if _, err := b.spec.Latent.Build(b.env); err != nil {
		return fmt.Errorf("latent: %w", err)
	}
	return nil
}

func (b *latentDetector) Fit(ctx context.Context, train *data.Set) error {
	b.p, b.oneClass = nil, nil
	if err := models.CheckVectors(b.name, train, 0, 1); err != nil {
		return err
	}
	net := b.network(train.D)
	p, err := nn.TrainJob{Network: net, Inputs: train.X, Targets: train.X, Rows: train.N, Bias: float32(b.bias)}.Train(ctx, b.env, b.train)
	if err != nil {
		return fmt.Errorf("%s: %w", b.name, err)
	}
	if b.spec.Score == "reconstruction" {
		b.net, b.p, b.scale = net, p, nil
		return nil
	}
	latent, err := b.latent(ctx, net, p, nil, train)
	if err != nil {
		return err
	}
	scale := b.findScale(latent)
	rescale(latent, scale)
	on, err := b.spec.Latent.Build(b.env)
	if err == nil {
		err = on.Fit(ctx, latent)
	}
	if err != nil {
		return fmt.Errorf("%s: latent: %w", b.name, err)
	}
	b.net, b.p, b.scale, b.oneClass = net, p, scale, on
	return nil
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
func (b *latentDetector) latent(ctx context.Context, net nn.Network, p nn.Params, scale []float32, s *data.Set) (*data.Set, error) {
	d := net.Bottleneck()
	out := &data.Set{Kind: data.Vectors, N: s.N, D: d, X: make([]float32, s.N*d)}
	for k := range d {
		out.Features = append(out.Features, data.Feature{Name: fmt.Sprint("z", k+1)})
	}
	scorer := net.NewScorer(p)
	err := b.env.Blocks(ctx, s.N, 1024, func(from, to int) {
		scorer.Clone().Each(s.X, from, to, net.Latent, func(i int, z []float32) {
			for k, v := range z {
				if !(math.Abs(float64(v)) <= nn.OverflowValue) {
					v = nn.OverflowValue
				}
				out.X[i*d+k] = v
			}
		})
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", b.name, err)
	}
	rescale(out, scale)
	return out, nil
}

func (b *latentDetector) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	if b.p == nil {
		return nil, fmt.Errorf("%s: %w", b.name, models.ErrNotFitted)
	}
	if err := models.CheckVectors(b.name, s, b.net.Layers[0].In, 0); err != nil {
		return nil, err
	}
	if b.oneClass == nil {
		out, err := b.net.ReconstructionErrors(ctx, b.env, b.p, s)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", b.name, err)
		}
		return out, nil
	}
	latent, err := b.latent(ctx, b.net, b.p, b.scale, s)
	if err != nil {
		return nil, err
	}
	out, err := b.oneClass.Score(ctx, latent)
	if err != nil {
		return nil, fmt.Errorf("%s: latent: %w", b.name, err)
	}
	return out, nil
}

func (b *latentDetector) Save(w io.Writer) error {
	if b.p == nil {
		return fmt.Errorf("%s: save: %w", b.name, models.ErrNotFitted)
	}
	arrays := b.net.NamedArrays(b.p)
	if b.scale != nil {
		arrays["scale"] = b.scale
	}
	if b.oneClass != nil {
		var on bytes.Buffer
		if err := b.oneClass.Save(&on); err != nil {
			return fmt.Errorf("%s: save: latent: %w", b.name, err)
		}
		arrays["latent"] = on.Bytes()
	}
	return models.WriteState(w, b.name, nn.StateMeta{Width: b.net.Layers[0].In}, arrays)
}

func (b *latentDetector) Load(r io.Reader) error {
	var meta nn.StateMeta
	arrays, err := models.ReadState(r, b.name, &meta)
	if err != nil {
		return err
	}
	net, p, err := load(meta, b.name, arrays, b.network)
	if err != nil {
		return err
	}
	if b.spec.Score == "reconstruction" {
		b.net, b.p, b.scale, b.oneClass = net, p, nil, nil
		return nil
	}
	var scale []float32
	if b.spec.LatentScale != "none" {
		if scale, err = models.Array[float32](arrays, "scale", net.Bottleneck()); err != nil {
			return fmt.Errorf("%s: load: %w", b.name, err)
		}
		for _, v := range scale {
			if !(v > 0 && v <= math.MaxFloat32) {
				return fmt.Errorf("%s: load: %w: the bottleneck is scaled by %v", b.name, models.ErrState, v)
			}
		}
	}
	raw, err := models.Array[uint8](arrays, "latent", -1)
	if err != nil {
		return fmt.Errorf("%s: load: %w", b.name, err)
	}
	on, err := b.spec.Latent.Build(b.env)
	if err == nil {
		err = on.Load(bytes.NewReader(raw))
	}
	if err != nil {
		return fmt.Errorf("%s: load: latent: %w", b.name, err)
	}
	// a model on another number of columns would be refused when it scores
	one := &data.Set{Kind: data.Vectors, N: 1, D: net.Bottleneck(), X: make([]float32, net.Bottleneck())}
	if _, err := on.Score(context.Background(), one); err != nil {
		return fmt.Errorf("%s: load: %w: latent: %w", b.name, models.ErrState, err)
	}
	b.net, b.p, b.scale, b.oneClass = net, p, scale, on
	return nil
}

// build checks the settings of a model and makes a detector of them.
func (b *latentDetector) build(spec models.Spec, architecture Architecture) (models.Detector, error) {
	if err := models.CheckSpec(b.name, spec); err != nil {
		return nil, err
	}
	if err := errors.Join(architecture.Check(), b.check()); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", b.name, models.ErrSpec, err)
	}
	b.bias = architecture.Bias
	return b, nil
}

var _ models.Detector = (*latentDetector)(nil)
