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

// task is what a network of a sequential detector is to do with a window.
type task interface {
	symbols() bool // works on symbols, not on the rows of events
	// network is the description for events of size columns, or an alphabet of size symbols.
	network(size int) nn.Sequence
	// example is a window as it is trained on: input and target.
	example(s *data.Set, w window, x, t []float32)
	// input is a window as it is judged.
	input(s *data.Set, w window, x []float32)
	// score judges a window by what the network gave.
	score(s *data.Set, w window, out []float32) float64
}

// fittedTask is a task that takes from the training set what the network's description depends on.
type fittedTask interface {
	task
	learn(s *data.Set) task
	arrays() models.Arrays // what was learnt, to be saved
	restore(arrays models.Arrays, size int) (task, error)
}

// residualTask is a task whose errors are vectors.
type residualTask interface {
	task
	// vectors is how many error vectors a window has, and how wide they are.
	vectors(s *data.Set, w window) (n, width int)
	// errors writes a window's error vectors.
	errors(s *data.Set, w window, out, to []float32)
}

// overlapping is a task that may score an event by all windows that hold it. Its error vectors are those of a
// window's last events, in their order.
type overlapping interface {
	residualTask
	shared() bool
}

// explainsColumns is a task that gives the terms of a window's score: one for each column of the events.
type explainsColumns interface {
	task
	terms(s *data.Set, w window, out []float32, to []float64)
}

// explainsEvents is a task that gives the terms of a window's score: one for each of the last events, as many as it
// sees.
type explainsEvents interface {
	task
	steps(s *data.Set, w window, out []float32, to []float64)
}

// ResidualSpec makes a score of a network's error vectors.
type ResidualSpec struct {
	// what a one-class model says of the errors, or their mean square
	Score string `yaml:"score" jsonschema:"enum=model,enum=mean"`
	// with score: model, the one-class model of the error vectors: a name, or {model, params}. mahalanobis is the
	// log-density of a normal distribution but for constants, as in the papers
	Errors models.Reference `yaml:"errors"`
	// with score: model, share of the training windows that the network is not trained on and whose errors the
	// one-class model learns
	Calibration float64 `yaml:"calibration" jsonschema:"exclusiveMinimum=0,exclusiveMaximum=1"`

	random bool // calibration windows are drawn, not the last ones
}

func defaultResidualSpec() ResidualSpec {
	return ResidualSpec{Score: "model", Errors: models.ReferenceTo("mahalanobis"), Calibration: 0.25}
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

func (q *sequential) hasResidualModel() bool { return q.residual != nil && q.residual.Score == "model" }

// splitWindows is the windows that a network is trained on, and those whose errors are learnt. A single window is
// both.
func (j *ResidualSpec) splitWindows(env models.Env, list []window) (learn, calibrate []window) {
	if len(list) == 1 {
		return list, list
	}
	n := min(max(1, int(math.Round(j.Calibration*float64(len(list))))), len(list)-1)
	if !j.random {
		return list[:len(list)-n], list[len(list)-n:]
	}
	drawn := make([]bool, len(list))
	for _, i := range env.Rand("calibration").Perm(len(list))[:n] {
		drawn[i] = true
	}
	for i, w := range list {
		if drawn[i] {
			calibrate = append(calibrate, w)
		} else {
			learn = append(learn, w)
		}
	}
	return learn, calibrate
}

// each gives what the network says of windows to f, from several goroutines at once.
func (q *sequential) each(ctx context.Context, s *data.Set, list []window, f func(i int, out []float32)) error {
	const block = 128
	type workspace struct {
		scorer *nn.SequenceScorer
		x      []float32
	}
	wide := q.net.Steps * q.net.In
	workspaces := sync.Pool{New: func() any { return &workspace{q.base.Clone(), make([]float32, block*wide)} }}
	var mu sync.Mutex
	var failed error
	err := q.env.Blocks(ctx, len(list), block, func(from, to int) {
		r := workspaces.Get().(*workspace)
		defer workspaces.Put(r)
		for i := from; i < to; i++ {
			q.task.input(s, list[i], r.x[(i-from)*wide:(i-from+1)*wide])
		}
		err := r.scorer.Each(r.x, 0, to-from, func(i int, out []float32) {
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
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return err
	}
	return nil
}

// errorsOf is the error vectors of windows; first[i] is where those of window i begin.
func (q *sequential) errorsOf(ctx context.Context, s *data.Set, list []window) (set *data.Set, first []int, err error) {
	e := q.task.(residualTask)
	first = make([]int, len(list)+1)
	width := 0
	for i, w := range list {
		var n int
		n, width = e.vectors(s, w)
		first[i+1] = first[i] + n
	}
	set = &data.Set{Kind: data.Vectors, N: first[len(list)], D: width, X: make([]float32, first[len(list)]*width)}
	err = q.each(ctx, s, list, func(i int, out []float32) {
		to := set.X[first[i]*width : first[i+1]*width]
		e.errors(s, list[i], out, to)
		for k, v := range to {
			if !(math.Abs(float64(v)) <= nn.OverflowValue) {
				to[k] = nn.OverflowValue
			}
		}
	})
	return set, first, err
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

// judgements are the scores of error vectors.
func (q *sequential) judgements(ctx context.Context, set *data.Set) ([]float64, error) {
	if q.residualModel != nil {
		return q.residualModel.Score(ctx, set)
	}
	out := make([]float64, set.N)
	for i := range out {
		for _, v := range set.Row(i) {
			out[i] += float64(v) * float64(v) / float64(set.D)
		}
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

// explained is a sequential detector that gives reasons.
type explained struct{ *models.Fitted[*sequential] }

// Explain gives the terms of the window's score that pooling takes, or their means over all windows: of each
// column of the events, or of each of the last events. Where a model judges the errors, they are a column's mean
// squared error, from which its score does not follow.
func (e explained) Explain(ctx context.Context, s *data.Set) ([]string, [][]float64, error) {
	q, err := e.Ready(s)
	if err != nil {
		return nil, nil, err
	}
	var names []string
	terms := func(w window, y []float32, to []float64) {}
	switch t := q.task.(type) {
	case explainsColumns:
		names = s.ColumnNames()
		terms = func(w window, y []float32, to []float64) { t.terms(s, w, y, to) }
	case explainsEvents:
		names = eventNames(q.windowing.Window)
		terms = func(w window, y []float32, to []float64) { t.steps(s, w, y, to) }
	}
	if s.N == 0 {
		return names, nil, nil
	}
	list, first := windows(s, q.task.symbols(), q.pool == "last")
	if q.pool == "max" { // the window that is the score
		scores, err := q.scores(ctx, s, list)
		if err != nil {
			return nil, nil, err
		}
		var top []window
		at := make([]int32, 1, s.N+1)
		for i := range s.N {
			if mine := scores[first[i]:first[i+1]]; len(mine) > 0 {
				top = append(top, list[int(first[i])+slices.Index(mine, slices.Max(mine))])
			}
			at = append(at, int32(len(top)))
		}
		list, first = top, at
	}
	out := make([][]float64, s.N)
	for i := range out {
		out[i] = make([]float64, len(names))
	}
	rows := make([]float64, len(list)*len(names))
	err = q.each(ctx, s, list, func(i int, y []float32) { terms(list[i], y, rows[i*len(names):(i+1)*len(names)]) })
	if err != nil {
		return nil, nil, err
	}
	for i := range out {
		n := float64(first[i+1] - first[i])
		for k := first[i]; k < first[i+1]; k++ {
			for j := range names {
				out[i][j] += min(rows[int(k)*len(names)+j], math.MaxFloat32) / n
			}
		}
	}
	return names, out, nil
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
