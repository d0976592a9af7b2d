package nn

import (
	"context"
	"slices"

	"plumbline/numeric/kernel"
)

func init() { RegisterEngine("fused", fusedEngine{}) }

// fusedEngine trains dense networks on the kernels of package kernel. Weights stay packed as products read
// them; a batch is worked in blocks of rows that stay in the cache, and cut into a fixed number of shards
// whose gradients are added in order, so that the weights do not depend on the number of workers.
type fusedEngine struct{}

const (
	blockRows       = 64  // of a batch that are worked at once
	shards          = 2   // that a batch is cut into
	worthASplit     = 128 // rows of a batch from which a second worker pays
	batchesPerCheck = 16  // batches between two looks at the context
)

// New builds a trainer with its own copy of the weights.
func (fusedEngine) New(n Network, p Params, workers int) (Trainer, error) {
	if err := n.Check(); err != nil {
		return nil, err
	}
	if err := n.Shape(p); err != nil {
		return nil, err
	}
	t := &fused{net: n, workers: max(1, min(workers, shards))}
	t.stack = newStack(n)
	t.update = newUpdate(n.Optimiser, t.stack.size, 0, t.stack.flip)
	t.stack.lay(t.p)
	t.load(p)
	t.setSpans(t.stack.spans())
	t.phases = t.compile()
	for range shards {
		t.workspaces = append(t.workspaces, &workspace{})
	}
	return t, nil
}

// fused is a network in training.
type fused struct {
	net     Network
	workers int
	stack   *stack
	update
	phases     [][]op
	workspaces []*workspace
}

// load takes over weights as Params has them, and the running averages.
func (t *fused) load(p Params) {
	for i, a := range t.net.Arrays() {
		l := &t.stack.layers[a.Layer]
		switch a.Part {
		case Weight:
			l.set(p[i])
		case Bias:
			copy(l.b, p[i])
		case Scale:
			copy(l.scale, p[i])
		case Shift:
			copy(l.shift, p[i])
		case Mean:
			l.mean = slices.Clone(p[i])
		case Variance:
			l.variance = slices.Clone(p[i])
		}
	}
}

// unpacked is numbers of the parameters' layout in the order of Params; where flat is a gradient, that of the
// running averages is 0.
func (t *fused) unpacked(flat []float32, gradient bool) Params {
	var out Params
	for _, a := range t.net.Arrays() {
		l := &t.stack.layers[a.Layer]
		values := make([]float32, a.Len)
		switch a.Part {
		case Weight:
			l.get(kernel.NewPacked(l.In, l.Out, flat[l.at:l.bias]), values)
		case Bias:
			copy(values, flat[l.bias:])
		case Scale:
			copy(values, flat[l.bias+kernel.Pad(l.Out):])
		case Shift:
			copy(values, flat[l.bias+2*kernel.Pad(l.Out):])
		case Mean:
			if !gradient {
				copy(values, l.mean)
			}
		case Variance:
			if !gradient {
				copy(values, l.variance)
			}
		}
		out = append(out, values)
	}
	return out
}

// SetCentres changes the centres of the loss.
func (t *fused) SetCentres(centres [][]float32) error {
	n := t.net
	n.Centres = centres
	if err := n.Check(); err != nil {
		return err
	}
	t.net = n
	return nil
}

// Centres is the centres of the loss.
func (t *fused) Centres() [][]float32 { return t.net.Centres }

// shardStart is where part k of a batch of n rows begins.
func shardStart(n, k int) int { return n * k / shards }

// shardOf is part k of a batch.
func shardOf(rows []int32, k int) []int32 {
	return rows[shardStart(len(rows), k):shardStart(len(rows), k+1)]
}

func (t *fused) Epoch(ctx context.Context, x, target []float32, order []int32, batch int, rate float64) (float64,
	error) {
	for _, r := range t.workspaces {
		r.loss = 0
		t.allocate(r, min(batch, len(order)))
	}
	workers := t.workers
	if batch < worthASplit {
		workers = 1
	}
	for from := 0; from < len(order); from += batchesPerCheck * batch {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		t.steps(x, target, order[from:min(from+batchesPerCheck*batch, len(order))], batch, rate, workers)
	}
	return t.loss() / float64(len(order)), nil
}

// steps is a step for each batch of some rows.
func (t *fused) steps(x, target []float32, rows []int32, batch int, rate float64, workers int) {
	steps := (len(rows) + batch - 1) / batch
	perStep := uint32(len(t.phases) + 1)
	runWorkers(workers, func(tm *barrier, w int) {
		for st := range steps {
			b := rows[st*batch : min((st+1)*batch, len(rows))]
			for s := range t.phases {
				tm.run(w, uint32(st)*perStep+uint32(s), shards,
					func(k int) { t.phase(s, k, x, target, b, t.t+st, true) })
			}
			tasks := t.tasks(workers)
			tm.run(w, uint32(st+1)*perStep-1, tasks, func(k int) { t.apply(k, tasks, rate, t.t+st+1) })
		}
	})
	t.t += steps
}

// loss is the sum of the losses in the workspaces.
func (t *fused) loss() float64 {
	sum := 0.0
	for _, r := range t.workspaces {
		sum += r.loss
	}
	return sum
}

func (t *fused) Gradient(x, target []float32, rows []int32) (float64, Params, error) {
	for _, r := range t.workspaces {
		r.loss = 0
		t.allocate(r, len(rows))
	}
	for s := range t.phases {
		for k := range shards {
			t.phase(s, k, x, target, rows, t.t, false)
		}
	}
	t.total()
	return t.loss() / float64(len(rows)), t.unpacked(t.sum, true), nil
}

func (t *fused) Params() Params { return t.unpacked(t.p, false) }

func (t *fused) Close() error { return nil }
