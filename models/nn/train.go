package nn

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"plumbline/models"
	"plumbline/models/nn/schedule"
	"plumbline/numeric/cluster"
)

// Training is how long and in what portions a network is trained.
type Training struct {
	// what computes the gradients: the kernels of this program, or Gorgonia, slower, to compare with
	Engine string `yaml:"engine" jsonschema:"enum=fused,enum=gorgonia"`
	// passes over the training samples, at most
	Epochs int `yaml:"epochs" jsonschema:"minimum=1,maximum=100000"`
	// samples a gradient step; the last batch of an epoch may be smaller
	Batch int `yaml:"batch" jsonschema:"minimum=1,maximum=1000000"`
	// how gradients change weights
	Optimiser Optimiser `yaml:"optimiser"`
	// how the learning rate goes on from epoch to epoch
	Schedule schedule.Schedule `yaml:"schedule"`
	// share of the input values that are set to 0, others each epoch, while the network is to give the rows as they are
	// (a denoising auto-encoder; Vincent and others 2008); 0: none
	Noise float64 `yaml:"noise" jsonschema:"minimum=0,exclusiveMaximum=1"`
	// share of the training samples whose loss is watched instead of trained on; 0: none. The weights of the best look
	// are kept
	Validation float64 `yaml:"validation" jsonschema:"minimum=0,exclusiveMaximum=1"`
	// with validation: epochs from one look at the held-out loss to the next
	CheckEvery int `yaml:"check_every" jsonschema:"minimum=1,maximum=100000"`
	// with validation: looks in a row without a better held-out loss after which training ends; 0: never
	Patience int `yaml:"patience" jsonschema:"minimum=0,maximum=100000"`
	// share by which a held-out loss must be below the best one to count as better
	Improvement float64 `yaml:"improvement" jsonschema:"minimum=0,exclusiveMaximum=1"`
}

func DefaultTraining(epochs, batch int) Training {
	return Training{Engine: "fused", Epochs: epochs, Batch: batch, Optimiser: defaultOptimiser(),
		Schedule: schedule.Default(), CheckEvery: 1}
}

// Check says what is wrong with the settings taken together.
func (t Training) Check() error {
	if t.Patience > 0 && t.Validation == 0 {
		return errors.New("patience needs validation: there is no held-out loss to watch")
	}
	return t.Schedule.Check()
}

// Stretched is a training longer by the factor, with falls of the rate further apart by it (Winiecki 2025).
func (t Training) Stretched(factor float64) Training {
	times := func(n int) int { return max(1, int(factor*float64(n))) }
	t.Epochs = times(t.Epochs)
	t.Schedule.Every = times(t.Schedule.Every)
	return t
}

// TrainJob is one training of a network: rows of Inputs are to be mapped to rows of Targets.
type TrainJob struct {
	Network         Network
	Inputs, Targets []float32
	Rows            int
	Bias            float32
	Start           Params // nil: drawn
	// Order is the rows that are trained on, where that is not each row once: a row as often as it stands there.
	Order []int32
	// OnEpoch, where there is one, is called before the first epoch and after each, with the rows that are
	// trained on in the order of the epoch before.
	OnEpoch func(tr Trainer, order []int32) error
	// OnResume is called in place of OnEpoch before the first epoch where training goes on from a checkpoint, with the
	// number of epochs that are done.
	OnResume func(tr Trainer, epochs int) error
}

// Train trains the network and returns its weights, whose biases began as Bias. Random streams: "init" draws the
// weights, "order" the batches, "validation" the held-out rows, "noise" what is corrupted, "chance" what is dropped and
// drawn.
func (j TrainJob) Train(ctx context.Context, env models.Env, cfg Training) (Params, error) {
	net := j.Network
	net.Seed = env.Rand("chance").Uint64()
	net.Optimiser = cfg.Optimiser
	if err := net.Check(); err != nil {
		return nil, err
	}
	var watched, wanted []float32
	l := loop{
		x: j.Inputs, t: j.Targets, n: j.Rows, rows: j.Order, onEpoch: j.OnEpoch, onResume: j.OnResume,
		description: []any{net, j.Start, j.Bias, j.Order, fmt.Sprintf("%T", net.Objective)},
		begin: func(e Engine) (Trainer, error) {
			start := j.Start
			if start == nil {
				start = net.NewParams(env.Rand("init"), j.Bias)
			}
			return e.New(net, start, env.Parallel())
		},
		held: func(tr Trainer, p Params, rows []int32) (float64, error) {
			if watched == nil {
				watched, wanted = takeRows(j.Inputs, len(j.Inputs)/j.Rows, rows),
					takeRows(j.Targets, len(j.Targets)/j.Rows, rows)
			}
			if net.Objective != nil {
				return net.objectiveLoss(p, watched, wanted, len(rows))
			}
			if c, ok := tr.(Centred); ok {
				net.Centres = c.Centres()
			}
			return net.loss(p, watched, wanted, len(rows)), nil
		},
	}
	if env.Trained == nil || j.OnEpoch != nil || j.OnResume != nil || net.Objective != nil {
		return l.run(ctx, env, cfg)
	}
	return l.once(ctx, env, cfg)
}

// TrainSequence is Train for a recurrent network: x is n samples of Steps·In numbers, t their targets.
func TrainSequence(ctx context.Context, env models.Env, cfg Training, s Sequence, x, t []float32, n int) (Params,
	error) {
	s.Seed = env.Rand("chance").Uint64()
	s.Optimiser = cfg.Optimiser
	if err := s.Check(); err != nil {
		return nil, err
	}
	return loop{
		x: x, t: t, n: n, description: s,
		begin: func(e Engine) (Trainer, error) {
			return e.NewSequence(s, s.NewParams(env.Rand("init")), env.Parallel())
		},
		held: func(_ Trainer, p Params, rows []int32) (float64, error) {
			scorer, err := s.NewScorer(p)
			if err != nil {
				return 0, err
			}
			return scorer.Loss(x, t, rows)
		},
	}.run(ctx, env, cfg)
}

// loop is the epochs of a network's training, whatever the network.
type loop struct {
	x, t     []float32
	n        int
	rows     []int32 // as Order in TrainJob
	begin    func(e Engine) (Trainer, error)
	held     func(tr Trainer, p Params, rows []int32) (float64, error) // loss of held-out rows; always the same ones
	onEpoch  func(tr Trainer, order []int32) error                     // as in TrainJob
	onResume func(tr Trainer, epochs int) error                        // as in TrainJob

	description any // of the network and what it begins with
}

func (l loop) run(ctx context.Context, env models.Env, cfg Training) (Params, error) {
	onEpoch := l.onEpoch
	if onEpoch == nil {
		onEpoch = func(Trainer, []int32) error { return nil }
	}
	e, err := LookupEngine(cfg.Engine)
	if err != nil {
		return nil, err
	}
	tr, err := l.begin(e)
	if err != nil {
		return nil, err
	}
	defer tr.Close()
	order, held := holdOut(env.Rand("validation"), l.n, cfg.Validation)
	if l.rows != nil {
		if order = without(l.rows, held); len(order) == 0 {
			return nil, fmt.Errorf("all rows to train on are held out (validation: %v)", cfg.Validation)
		}
	}
	shuffle := env.Rand("order")
	in := l.x
	if cfg.Noise > 0 {
		in = make([]float32, len(l.x))
	}
	noise := env.Rand("noise")
	best, bestLoss, since := Params(nil), math.Inf(1), 0
	look := max(1, cfg.CheckEvery)
	advance := func() { // what the random streams give to an epoch
		shuffle.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		if cfg.Noise > 0 {
			corrupt(in, l.x, cfg.Noise, noise)
		}
	}
	begin := 1
	var history []models.Epoch
	keep := l.checkpointer(env, cfg, tr)
	if c := keep.resume(tr, cfg.Epochs); c != nil {
		best, bestLoss, since, begin, history = c.best, c.bestLoss, c.since, c.epochs+1, c.history
		for _, e := range history {
			advance()
			env.Progress(e)
		}
		if l.onResume != nil {
			if err := l.onResume(tr, c.epochs); err != nil {
				return nil, err
			}
		}
	} else if err := onEpoch(tr, order); err != nil {
		return nil, err
	}
	for k := begin; k <= cfg.Epochs; k++ {
		advance()
		rate := cfg.Schedule.Rate(cfg.Optimiser.Rate, k-1, cfg.Epochs)
		loss, err := tr.Epoch(ctx, in, l.t, order, cfg.Batch, rate)
		if err != nil {
			if ctx.Err() != nil { // the weights are somewhere in the epoch, what was remembered is at its beginning
				keep.save()
			}
			return nil, fmt.Errorf("epoch %d: %w", k, err)
		}
		if math.IsNaN(loss) || math.IsInf(loss, 0) {
			return nil,
				fmt.Errorf("epoch %d: the loss is %v: training diverged; take a smaller rate than %g, or scale the data",
					k, loss, cfg.Optimiser.Rate)
		}
		if err := onEpoch(tr, order); err != nil {
			return nil, err
		}
		valid := math.NaN()
		if len(held) > 0 && (k%look == 0 || k == cfg.Epochs) {
			p := tr.Params()
			if valid, err = l.held(tr, p, held); err != nil {
				return nil, fmt.Errorf("epoch %d: held-out loss: %w", k, err)
			}
			if since++; valid < bestLoss*(1-cfg.Improvement) || best == nil {
				best, bestLoss, since = p, valid, 0
			}
		}
		history = append(history, models.Epoch{N: k, Of: cfg.Epochs, Loss: loss, ValidLoss: valid, Rate: rate,
			Samples: len(order)})
		env.Progress(history[len(history)-1])
		if cfg.Patience > 0 && since >= cfg.Patience || k == cfg.Epochs {
			break
		}
		keep.epoch(tr, &checkpoint{epochs: k, since: since, bestLoss: bestLoss, best: best, history: history})
	}
	p := tr.Params()
	if best != nil {
		p = best
	}
	for _, a := range p {
		for _, v := range a {
			if v != v || math.IsInf(float64(v), 0) {
				return nil,
					fmt.Errorf("training diverged: a weight is %v; take a smaller rate than %g, or scale the data", v,
						cfg.Optimiser.Rate)
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

// without is the rows that are not among some ascending others.
func without(rows, others []int32) []int32 {
	return slices.DeleteFunc(slices.Clone(rows), func(r int32) bool {
		_, found := slices.BinarySearch(others, r)
		return found
	})
}

// takeRows is some rows of a matrix.
func takeRows(x []float32, d int, rows []int32) []float32 {
	out := make([]float32, 0, len(rows)*d)
	for _, r := range rows {
		out = append(out, x[int(r)*d:(int(r)+1)*d]...)
	}
	return out
}

// loss is the mean loss over rows, without anything dropped or drawn and with the running averages of
// normalisation. What concerns whole batches, Centring, is left out.
func (n Network) loss(p Params, x, t []float32, rows int) float64 {
	s := n.NewScorer(p)
	out := n.Layers[len(n.Layers)-1].Out
	sum := 0.0
	s.Each(x, 0, rows, 0, func(i int, y []float32) { sum += n.Loss.of(y, t[i*out:(i+1)*out]) })
	if n.Shrink > 0 {
		s.Each(x, 0, rows, n.Latent, func(_ int, z []float32) {
			if n.Centres == nil {
				sum += float64(n.Shrink * meanOfSquares(z))
			} else {
				sum += n.Shrink * cluster.SquaredDistance(z, n.Centres[cluster.Nearest(n.Centres, z)]) / float64(len(z))
			}
		})
	}
	loss := sum / float64(rows)
	if v := n.Variational; v != nil {
		encoder := Network{Layers: n.Layers[:n.Latent]}
		kl := 0.0
		encoder.NewScorer(p[:len(encoder.Arrays())]).Each(x, 0, rows, 0, func(_ int, z []float32) {
			b := len(z) / 2
			for j := range b {
				kl += v.divergence(float64(z[j]), float64(z[b+j])) / float64(b)
			}
		})
		penalty, _ := v.penalty(kl / float64(rows))
		loss += penalty
	}
	return loss
}

// of is the mean over columns of an output's distance from its target, in float64.
func (l Loss) of(y, t []float32) float64 {
	if l != AbsoluteLoss {
		return MeanSquare(y, t)
	}
	sum := 0.0
	for i, v := range y {
		sum += math.Abs(float64(v) - float64(t[i]))
	}
	return sum / float64(len(y))
}
