package recurrent

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/nn"
	"plumbline/numeric/parallel"
)

// sequential scores traces by a recurrent network: the settings and, in what fit and load return, what was learned.
type sequential struct {
	name      string
	env       models.Env
	windowing WindowSpec
	pool      string
	cfg       nn.Training
	task      task
	// residual, where there is one, makes scores of error vectors, in place of the task.
	residual *ResidualSpec

	net           nn.Sequence
	p             nn.Params
	base          *nn.SequenceScorer
	residualModel models.Detector // of error vectors; nil where no model scores them
}

// detector checks the settings of a model and makes a detector of them.
func (q sequential) detector(spec models.Spec, more ...error) (*models.Fitted[*sequential], error) {
	if err := models.CheckSpec(q.name, spec); err != nil {
		return nil, err
	}
	more = append(more, q.cfg.Check())
	if q.cfg.Optimiser.Clip > 0 {
		more = append(more, errors.New("gradients are clipped by clip, not by optimiser.clip"))
	}
	if q.task.symbols() && q.cfg.Noise > 0 {
		more = append(more, errors.New("noise is for numbers: this model works on symbols"))
	}
	if q.hasResidualModel() {
		if _, err := q.residual.Errors.Build(q.env); err != nil {
			more = append(more, fmt.Errorf("errors: %w", err))
		}
	}
	if err := errors.Join(more...); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", q.name, models.ErrSpec, err)
	}
	_, labels := q.task.(classifyTask)
	m := models.Method[*sequential]{
		Name: q.name, Spec: spec, Reads: models.ReadsEvents, Labels: labels, Min: 1, Fit: q.fit, Load: q.load,
	}
	if q.task.symbols() {
		m.Reads = models.ReadsSymbols
	}
	return models.NewFitted(m), nil
}

func (q sequential) fit(ctx context.Context, train *data.Set) (*sequential, error) {
	list, _ := windows(train, q.task.symbols(), q.pool == "last")
	list = q.windowing.sample(q.env, list)
	size := train.D
	if q.task.symbols() {
		size = len(train.Alphabet)
	}
	if len(list) == 0 || size == 0 {
		return nil, fmt.Errorf("%w: %d traces without an event", models.ErrInput, train.N)
	}
	learn, calibrate := list, []window(nil)
	if q.hasResidualModel() {
		learn, calibrate = q.residual.splitWindows(q.env, list)
	}
	if t, ok := q.task.(fittedTask); ok {
		q.task = t.learn(train)
	}
	q.net = q.task.network(size)
	q.net.Optimiser = q.cfg.Optimiser
	wide, targets := q.net.Steps*q.net.In, q.net.Targets()
	x, t := make([]float32, len(learn)*wide), make([]float32, len(learn)*targets)
	err := q.env.Blocks(ctx, len(learn), 1024, func(from, to int) {
		for i := from; i < to; i++ {
			q.task.example(train, learn[i], x[i*wide:(i+1)*wide], t[i*targets:(i+1)*targets])
		}
	})
	if err != nil {
		return nil, err
	}
	if q.p, err = nn.TrainSequence(ctx, q.env, q.cfg, q.net, x, t, len(learn)); err != nil {
		return nil, err
	}
	if q.base, err = q.net.NewScorer(q.p); err != nil {
		return nil, err
	}
	if q.hasResidualModel() {
		set, _, err := q.errorsOf(ctx, train, calibrate)
		if err != nil {
			return nil, err
		}
		if q.residualModel, err = q.residual.Errors.Fit(ctx, q.env, set); err != nil {
			return nil, fmt.Errorf("errors: %w", err)
		}
	}
	return &q, nil
}

// each gives what the network says of windows to f, from several goroutines at once.
func (q *sequential) each(ctx context.Context, s *data.Set, list []window, f func(i int, out []float32)) error {
	const block = 128
	wide := q.net.Steps * q.net.In
	var mu sync.Mutex
	var failed error
	err := parallel.Workspaces(ctx, q.env.Parallel(), len(list), block, func() func(from, to int) {
		scorer, x := q.base.Clone(), make([]float32, block*wide)
		return func(from, to int) {
			for i := from; i < to; i++ {
				q.task.input(s, list[i], x[(i-from)*wide:(i-from+1)*wide])
			}
			err := scorer.Each(x, 0, to-from, func(i int, out []float32) {
				for k, v := range out {
					if !(math.Abs(float64(v)) <= nn.OverflowValue) { // float32 overflowed on the way
						out[k] = float32(math.Copysign(nn.OverflowValue, float64(v)))
					}
				}
				f(from+i, out)
			})
			if err != nil {
				mu.Lock()
				failed = err
				mu.Unlock()
			}
		}
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return err
	}
	return nil
}

// scores judges windows: all of a trace in the order of their ends, or one for a trace.
func (q *sequential) scores(ctx context.Context, s *data.Set, list []window) ([]float64, error) {
	out := make([]float64, len(list))
	t, shared := q.task.(overlapping)
	shared = shared && t.shared()
	if q.residualModel == nil && !shared {
		err := q.each(ctx, s, list, func(i int, y []float32) { out[i] = finite(q.task.score(s, list[i], y)) })
		return out, err
	}
	times := make([]float64, len(list)) // that an event was judged
	const chunk = 4096                  // bounds the error vectors in memory
	for from := 0; from < len(list); from += chunk {
		part := list[from:min(from+chunk, len(list))]
		set, first, err := q.errorsOf(ctx, s, part)
		if err != nil {
			return nil, err
		}
		scores, err := q.judgements(ctx, set)
		if err != nil {
			return nil, fmt.Errorf("errors: %w", err)
		}
		for i, w := range part {
			own := scores[first[i]:first[i+1]]
			for k, v := range own {
				at := from + i
				if shared { // the window that ends with the event, if it is there
					if at -= len(own) - 1 - k; at < 0 || list[at] != (window{w.trace, w.end - int32(len(own)-1-k)}) {
						continue
					}
				}
				out[at] += v
				times[at]++
			}
		}
	}
	for i := range out {
		out[i] = finite(out[i] / times[i])
	}
	return out, nil
}

// finite is v, or the largest number where it is beyond.
func finite(v float64) float64 {
	if !(v <= math.MaxFloat64) {
		return math.MaxFloat64
	}
	return v
}

// Score gives an empty trace 0.
func (q *sequential) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	list, first := windows(s, q.task.symbols(), q.pool == "last")
	scores, err := q.scores(ctx, s, list)
	if err != nil {
		return nil, err
	}
	out := make([]float64, s.N)
	for i := range out {
		out[i] = q.pooled(scores[first[i]:first[i+1]])
	}
	return out, nil
}

func (q *sequential) pooled(scores []float64) float64 {
	if len(scores) == 0 {
		return 0
	}
	if q.pool == "max" {
		return slices.Max(scores)
	}
	sum := 0.0
	for _, v := range scores {
		sum += v / float64(len(scores))
	}
	return finite(sum)
}

// State is the weights, what the task learned, and the model of the errors.
func (q *sequential) State() (any, models.Arrays, error) {
	arrays := q.p.Named(q.net.Arrays())
	if t, ok := q.task.(fittedTask); ok {
		maps.Copy(arrays, t.arrays())
	}
	if q.residualModel != nil {
		if err := q.residual.Errors.Save(arrays, "errors", q.residualModel); err != nil {
			return nil, nil, fmt.Errorf("errors: %w", err)
		}
	}
	return nil, arrays, nil
}

func (q sequential) load(st models.State) (_ *sequential, err error) {
	size := st.Columns
	if q.task.symbols() {
		size = len(st.Alphabet)
	}
	if size < 1 || size > 1<<20 {
		return nil, fmt.Errorf("events of %d columns or symbols", size)
	}
	if t, ok := q.task.(fittedTask); ok {
		if q.task, err = t.restore(st.Arrays, size); err != nil {
			return nil, err
		}
	}
	q.net = q.task.network(size)
	q.net.Optimiser = q.cfg.Optimiser
	if err := q.net.Check(); err != nil {
		return nil, err
	}
	if q.p, err = nn.LoadParams(st.Arrays, q.net.Arrays()); err != nil {
		return nil, err
	}
	if q.base, err = q.net.NewScorer(q.p); err != nil || !q.hasResidualModel() {
		return &q, err
	}
	one := &data.Set{
		Kind: data.Traces, N: 1, D: size, Alphabet: []string{"a"},
		Traces: []data.Trace{{Events: make([]float32, size), Symbols: []int32{0}}},
	}
	_, columns := q.task.(residualTask).vectors(one, window{0, 1})
	if q.residualModel, err = q.residual.Errors.Load(st.Arrays, "errors", q.env, columns); err != nil {
		return nil, fmt.Errorf("errors: %w", err)
	}
	return &q, nil
}

var _ models.Explainer = explained{}

// lstmStack is LSTM layers one on the other, each followed by dropout.
func lstmStack(in int, units []int, dropout float64) (out []nn.Recurrent) {
	for _, h := range units {
		out = append(out, nn.Recurrent{In: in, Out: h, Dropout: dropout})
		in = h
	}
	return out
}
