package nn

import (
	"context"
	"errors"
	"sync/atomic"
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
	t.update = newUpdate(seq.Optimiser, s.size, seq.Clip, s.flip)
	s.lay(t.p)
	s.load(p, t.p)
	t.setSpans(s.spans())
	for range shards {
		t.workspaces = append(t.workspaces, s.workspace(true))
	}
	return t, nil
}

// fusedSequence is a recurrent network in training. As in fused, a batch is cut into a fixed number of shards
// whose gradients are added in order.
type fusedSequence struct {
	s       *recurrent
	workers int
	update
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

// runLength is how many numbers of a table are updated at once, a multiple of kernel.Width.
const runLength = 4096

func (s *recurrent) spans() []span {
	var out []span
	for _, a := range s.arrays {
		if a.table {
			for from := 0; from < a.size; from += runLength {
				out = append(out, span{from: a.at + from, to: a.at + min(from+runLength, a.size), panel: -1})
			}
			continue
		}
		for j := range a.w.Panels() {
			at, width := a.w.Panel(j)
			u := span{from: a.at + at, to: a.at + at + width*a.w.Rows, w: &a.w, wt: &a.wt, panel: -1}
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
	g := t.shard(k)
	if len(rows) == 0 {
		clear(g)
		return
	}
	for _, a := range s.arrays { // products overwrite, but tables and biases are added to
		if a.table {
			clear(a.part(g))
		}
	}
	r.step, r.first = step, shardStart(len(batch), k)
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
	tasks, perStep := t.tasks(workers), uint32(2)
	if t.clip > 0 {
		perStep = 3
	}
	for st := range steps {
		b := j.order[st*j.batch : min((st+1)*j.batch, len(j.order))]
		step := t.t + st + 1
		number := uint32(st) * perStep
		tm.run(w, number, shards, func(k int) { t.gradient(k, j.x, j.target, b, step-1) })
		if t.clip > 0 {
			tm.run(w, number+1, workers, func(k int) { t.norm(k, workers) })
		}
		tm.run(w, number+perStep-1, tasks, func(k int) {
			t.apply(k, tasks, j.rate, step)
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
	t.total()
	return t.loss(len(rows)), t.s.unpacked(t.sum), nil
}

func (t *fusedSequence) Params() Params { return t.s.unpacked(t.p) }

func (t *fusedSequence) Close() error { return nil }
