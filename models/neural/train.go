package neural

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"plumbline/models"
)

// Training is how long and in what portions a network is trained.
type Training struct {
	Engine     string    `yaml:"engine" jsonschema:"enum=fused,enum=gorgonia" jsonschema_description:"what computes the gradients: the kernels of this program, or Gorgonia, some twenty times slower, to compare with"`
	Epochs     int       `yaml:"epochs" jsonschema:"minimum=1,maximum=100000" jsonschema_description:"passes over the training samples, at the most"`
	Batch      int       `yaml:"batch" jsonschema:"minimum=1,maximum=1000000" jsonschema_description:"samples a gradient step; the last batch of an epoch may be smaller"`
	Optimiser  Optimiser `yaml:"optimiser" jsonschema_description:"how gradients change weights"`
	StepEvery  int       `yaml:"step_every" jsonschema:"minimum=0" jsonschema_description:"epochs after which the learning rate is multiplied by step_factor; 0: never"`
	StepFactor float64   `yaml:"step_factor" jsonschema:"exclusiveMinimum=0,maximum=1" jsonschema_description:"see step_every"`
	Validation float64   `yaml:"validation" jsonschema:"minimum=0,exclusiveMaximum=1" jsonschema_description:"share of the training samples whose loss is watched instead of trained on; 0: none"`
	Noise      float64   `yaml:"noise" jsonschema:"minimum=0,exclusiveMaximum=1" jsonschema_description:"share of the input values that are set to 0, others each epoch, while the network is to give the rows as they are (a denoising auto-encoder; Vincent and others 2008); 0: none"`
	Patience   int       `yaml:"patience" jsonschema:"minimum=0" jsonschema_description:"with validation: epochs without a better validation loss after which training ends; 0: never. The weights of the best epoch are kept"`
}

// Check says what is wrong with the settings taken together.
func (t Training) Check() error {
	switch {
	case t.Patience > 0 && t.Validation == 0:
		return errors.New("patience needs validation: there is no held-out loss to watch")
	case t.StepEvery > 0 && t.StepFactor == 1:
		return errors.New("step_every needs a step_factor below 1")
	}
	return nil
}

// Train fits the network to map rows of x (n×In) to rows of t (n×Out) and returns the weights. Random
// streams: "init" draws the weights, "order" the batches, "validation" the held-out rows, "noise" what is
// corrupted.
func Train(ctx context.Context, env models.Env, cfg Training, net Network, x, t []float32, n int, bias float32) (Params, error) {
	return trainWith(ctx, env, cfg, net, x, t, n, bias, func(Trainer, []int32) error { return nil })
}

// trainWith is Train with something to be done before the first epoch and behind each: between gets the rows
// that are trained on, in the order of the epoch before.
func trainWith(ctx context.Context, env models.Env, cfg Training, net Network, x, t []float32, n int, bias float32, between func(tr Trainer, order []int32) error) (Params, error) {
	net.Optimiser = cfg.Optimiser
	if err := net.Check(); err != nil {
		return nil, err
	}
	e, err := LookupEngine(cfg.Engine)
	if err != nil {
		return nil, err
	}
	tr, err := e.New(net, net.NewParams(env.Rand("init"), bias), env.Parallel())
	if err != nil {
		return nil, err
	}
	defer tr.Close()
	order, held := holdOut(env.Rand("validation"), n, cfg.Validation)
	shuffle := env.Rand("order")
	in := x
	if cfg.Noise > 0 {
		in = make([]float32, len(x))
	}
	noise := env.Rand("noise")
	best, bestLoss, since := Params(nil), math.Inf(1), 0
	rate := cfg.Optimiser.Rate
	if err := between(tr, order); err != nil {
		return nil, err
	}
	for k := 1; k <= cfg.Epochs; k++ {
		shuffle.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		if cfg.Noise > 0 {
			corrupt(in, x, cfg.Noise, noise)
		}
		loss, err := tr.Epoch(ctx, in, t, order, cfg.Batch, rate)
		if err != nil {
			return nil, fmt.Errorf("epoch %d: %w", k, err)
		}
		if math.IsNaN(loss) || math.IsInf(loss, 0) {
			return nil, fmt.Errorf("epoch %d: the loss is %v: training diverged; take a smaller rate than %g, or scale the data", k, loss, cfg.Optimiser.Rate)
		}
		if err := between(tr, order); err != nil {
			return nil, err
		}
		valid := math.NaN()
		if len(held) > 0 {
			p := tr.Params()
			valid = net.loss(p, x, t, held)
			if since++; valid < bestLoss {
				best, bestLoss, since = p, valid, 0
			}
		}
		env.Progress(models.Epoch{N: k, Of: cfg.Epochs, Loss: loss, ValidLoss: valid, Rate: rate, Samples: len(order)})
		if cfg.Patience > 0 && since >= cfg.Patience {
			break
		}
		if cfg.StepEvery > 0 && k%cfg.StepEvery == 0 {
			rate *= cfg.StepFactor
		}
	}
	p := tr.Params()
	if best != nil {
		p = best
	}
	for _, a := range p {
		for _, v := range a {
			if v != v || math.IsInf(float64(v), 0) {
				return nil, fmt.Errorf("training diverged: a weight is %v; take a smaller rate than %g, or scale the data", v, cfg.Optimiser.Rate)
			}
		}
	}
	return p, nil
}

// corrupt copies values and sets so large a share of them to 0.
func corrupt(to, from []float32, share float64, r *rand.Rand) {
	for i, v := range from {
		if to[i] = v; r.Float64() < share {
			to[i] = 0
		}
	}
}

// holdOut is the rows to train on and those to watch, both in table order. At least one is trained on.
func holdOut(r *rand.Rand, n int, share float64) (train, held []int32) {
	k := min(int(math.Round(share*float64(n))), n-1)
	for i, j := range r.Perm(n) {
		if i < k {
			held = append(held, int32(j))
		} else {
			train = append(train, int32(j))
		}
	}
	slices.Sort(train)
	slices.Sort(held)
	return train, held
}

// loss is the mean loss over some rows.
func (n Network) loss(p Params, x, t []float32, rows []int32) float64 {
	s := n.NewScorer(p)
	out := n.Layers[len(n.Layers)-1].Out
	sum, latent := 0.0, 0.0
	for _, r := range rows {
		i := int(r)
		s.Each(x, i, i+1, 0, func(_ int, y []float32) { sum += MeanSquare(y, t[i*out:(i+1)*out]) })
		if n.Shrink > 0 {
			s.Each(x, i, i+1, n.Latent, func(_ int, z []float32) { latent += meanOfSquares(z) })
		}
	}
	return (sum + n.Shrink*latent) / float64(len(rows))
}
