package nn

import (
	"context"
	"errors"
	"math"
	"sync/atomic"

	"plumbline/numeric/kernel"
)

// NewSequence builds a trainer with its own copy of the weights.
func (fusedEngine) NewSequence(seq Sequence, p Params, workers int) (Trainer, error) {
	if err := seq.Check(); err != nil {
		return nil, err
	}
	if err := seq.Shape(p); err != nil {
		return nil, err
	}
	s := newRecurrent(seq)
	t := &fusedSequence{s: s, workers: max(1, min(workers, shards))}
	t.p, t.g = kernel.Alloc(s.size), kernel.Alloc(shards*s.size)
	s.lay(t.p)
	s.load(p, t.p)
	if seq.Optimiser.plainAdam() {
		t.m, t.v = kernel.Alloc(s.size), kernel.Alloc(s.size)
	} else {
		t.sum = kernel.Alloc(s.size)
		t.flat, t.flatSum = Params{t.p}, Params{t.sum}
		t.step = NewStepper(seq.Optimiser, t.flat)
	}
	t.spans = s.spans()
	t.squares = make([]float64, len(t.spans))
	for range shards {
		t.workspaces = append(t.workspaces, s.workspace(true))
	}
	return t, nil
}

// fusedSequence is a recurrent network in training. As in fused, a batch is cut into a fixed number of shards
// whose gradients are added in order.
type fusedSequence struct {
	s             *recurrent
	workers       int
	p, g          []float32 // parameters, and a gradient of the same layout for each shard
	sum           []float32 // of the shards' gradients, for the other optimisers
	flat, flatSum Params    // p and sum, for the stepper
	memory
	spans      []sequenceSpan
	squares    []float64 // of the batch's gradient, for each unit
	workspaces []*sequenceWorkspace
	job        job
}

// job is the epoch at work.
type job struct {
	ctx       context.Context
	x, target []float32
	order     []int32
	batch     int
	rate      float64
	done      int // steps
	stopped   atomic.Bool
}

// sequenceSpan is a run of parameters that are updated at once, and the panel that is transposed after it.
type sequenceSpan struct {
	from, to int
	a        *array
	panel    int // −1: none
}

// runLength is how many numbers of a table are updated at once, a multiple of kernel.Width.
const runLength = 4096

func (s *recurrent) spans() []sequenceSpan {
	var out []sequenceSpan
	for _, a := range s.arrays {
		if a.table {
			for from := 0; from < a.size; from += runLength {
				out = append(out, sequenceSpan{a.at + from, a.at + min(from+runLength, a.size), a, -1})
			}
			continue
		}
		for j := range a.w.Panels() {
			at, width := a.w.Panel(j)
			u := sequenceSpan{a.at + at, a.at + at + width*a.w.Rows, a, -1}
			if a.transpose {
				u.panel = j
			}
			out = append(out, u)
		}
	}
	return out
}

// gradient makes g the gradient of shard k of a batch, at a step counted from 0, and adds the losses to the
// workspace's.
func (t *fusedSequence) gradient(k int, x, target []float32, batch []int32, step int) {
	s, r, rows := t.s, t.workspaces[k], shardOf(batch, k)
	g := t.g[k*s.size : (k+1)*s.size]
	if len(rows) == 0 {
		clear(g)
		return
	}
	for _, a := range s.arrays { // products overwrite, but tables and biases are added to
		if a.table {
			clear(a.part(g))
		}
	}
	r.step, r.first = step, shard(len(batch), k)
	for from := 0; from < len(rows); from += s.block {
		block := rows[from:min(from+s.block, len(rows))]
		n := len(block)
		s.fill(r, x, block)
		s.forward(r, n, s.Steps, nil, true)
		s.output(r, n*s.outputs())
		s.lossGradient(r, n, target, block, len(batch), s.bias.part(g))
		s.backward(r, n, n*s.outputs(), g, from > 0)
		r.first += n
	}
}

// norm is the share of some units in the squared norm of the batch's gradient.
func (t *fusedSequence) norm(k, of int) {
	size := t.s.size
	for i := len(t.spans) * k / of; i < len(t.spans)*(k+1)/of; i++ {
		u, sum := t.spans[i], 0.0
		for j := u.from; j < u.to; j++ {
			v := t.g[j]
			for s := 1; s < shards; s++ {
				v += t.g[s*size+j]
			}
			sum += float64(float64(v) * float64(v))
		}
		t.squares[i] = sum
	}
}

// clip is what the batch's gradient is multiplied by.
func (t *fusedSequence) clip() float32 {
	sum := 0.0
	for _, v := range t.squares {
		sum += v
	}
	if norm := math.Sqrt(sum); norm > t.s.Clip {
		return float32(t.s.Clip / norm)
	}
	return 1
}

// update applies the shards' gradients to share k of the spans, which are cut into the given number of shares.
func (t *fusedSequence) update(k, of int, rate float64, step int, factor float32) {
	size := t.s.size
	lr := float32(rate / (1 - math.Pow(0.9, float64(step))))
	root := float32(1 / math.Sqrt(1-math.Pow(0.999, float64(step))))
	for _, u := range t.spans[len(t.spans)*k/of : len(t.spans)*(k+1)/of] {
		if factor != 1 {
			for s := range shards {
				g := t.g[s*size+u.from : s*size+u.to]
				for i := range g {
					g[i] *= factor
				}
			}
		}
		kernel.Adam(t.p[u.from:u.to], t.m[u.from:u.to], t.v[u.from:u.to], t.g[u.from:], shards, size, lr, root)
		if u.panel >= 0 {
			kernel.TransposePanel(u.a.w, u.panel, u.a.wt)
		}
	}
}

// stepAll is update for the optimisers that package kernel does not have.
func (t *fusedSequence) stepAll(rate float64, factor float32) {
	t.add()
	if factor != 1 {
		for i := range t.sum {
			t.sum[i] *= factor
		}
	}
	t.step.Step(t.flat, t.flatSum, rate)
	for _, a := range t.s.arrays {
		a.flip()
	}
}

// add makes sum that of the shards' gradients.
func (t *fusedSequence) add() {
	size := t.s.size
	copy(t.sum, t.g[:size])
	for s := 1; s < shards; s++ {
		for i, v := range t.g[s*size : (s+1)*size] {
			t.sum[i] += v
		}
	}
}

func (t *fusedSequence) Epoch(ctx context.Context, x, target []float32, order []int32, batch int,
	rate float64) (float64, error) {
	if batch < 1 {
		return 0, errors.New("neural: batches of no samples")
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if err := t.s.CheckSamples(x, target, order); err != nil {
		return 0, err
	}
	for _, r := range t.workspaces {
		r.loss = 0
	}
	workers := t.workers
	if batch*t.s.Steps < worthASplit {
		workers = 1
	}
	j := &t.job
	j.ctx, j.x, j.target, j.order, j.batch, j.rate = ctx, x, target, order, batch, rate
	j.done = 0
	j.stopped.Store(false)
	defer func() { j.ctx, j.x, j.target, j.order = nil, nil, nil, nil }()
	steps := (len(order) + batch - 1) / batch
	runWorkers(workers, func(tm *barrier, w int) { t.work(tm, w, workers, steps) })
	t.t += j.done
	if j.stopped.Load() {
		return 0, ctx.Err()
	}
	return t.loss(len(order)), nil
}

// work is what one of the workers does in an epoch: phases for the shards' gradients, for their norm if it
// is bounded, and for the update.
func (t *fusedSequence) work(tm *barrier, w, workers, steps int) {
	j := &t.job
	updates, perStep := workers, uint32(2)
	if t.s.Clip > 0 {
		perStep = 3
	}
	if t.step != nil {
		updates = 1
	}
	for st := range steps {
		b := j.order[st*j.batch : min((st+1)*j.batch, len(j.order))]
		step := t.t + st + 1
		number := uint32(st) * perStep
		tm.run(w, number, shards, func(k int) { t.gradient(k, j.x, j.target, b, step-1) })
		if t.s.Clip > 0 {
			tm.run(w, number+1, workers, func(k int) { t.norm(k, workers) })
		}
		tm.run(w, number+perStep-1, updates, func(k int) {
			factor := float32(1)
			if t.s.Clip > 0 {
				factor = t.clip()
			}
			if t.step != nil {
				t.stepAll(j.rate, factor)
			} else {
				t.update(k, updates, j.rate, step, factor)
			}
			if k == 0 {
				j.done = st + 1
				if j.ctx.Err() != nil { // who sees this early leaves the phases that are open to the other
					j.stopped.Store(true)
				}
			}
		})
		if j.stopped.Load() {
			return
		}
	}
}

// loss is the mean loss of the given number of rows, whose losses the workspaces have summed.
func (t *fusedSequence) loss(rows int) float64 {
	sum := 0.0
	for _, r := range t.workspaces {
		sum += r.loss
	}
	return sum / (float64(rows) * float64(t.s.Targets()))
}

func (t *fusedSequence) Gradient(x, target []float32, rows []int32) (float64, Params, error) {
	if err := t.s.CheckSamples(x, target, rows); err != nil {
		return 0, nil, err
	}
	runWorkers(1, func(*barrier, int) {
		for k, r := range t.workspaces {
			r.loss = 0
			t.gradient(k, x, target, rows, t.t)
		}
	})
	size := t.s.size
	sum := make([]float32, size)
	for k := range shards {
		for i, v := range t.g[k*size : (k+1)*size] {
			sum[i] += v
		}
	}
	return t.loss(len(rows)), t.s.plain(sum), nil
}

func (t *fusedSequence) Params() Params { return t.s.plain(t.p) }

func (t *fusedSequence) Close() error { return nil }
