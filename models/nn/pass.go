package nn

import (
	"plumbline/numeric/kernel"
)

// A step of training takes each shard of a batch through a list of operations, forth and back. Where an
// operation needs to know the whole batch, as normalisation does, the list is cut: all shards finish a phase
// before the next begins, and keep all their rows at once. Lists of a single phase are gone through block by
// block, so that a block stays in the cache.

// op is one operation on a workspace's rows.
type op func(r *workspace, p *pass)

// pass is which rows a workspace holds, and what for.
type pass struct {
	shard     int
	g         []float32 // the shard's gradient
	x, target []float32
	rows      []int32
	first     int // place of the first row in the batch
	batch     int // rows of the batch
	step      int
	add       bool // g holds the gradient of an earlier block
	learn     bool // running averages
}

// compile is the phases of a step.
func (t *fused) compile() [][]op {
	var phases [][]op
	var list []op
	add := func(o ...op) { list = append(list, o...) }
	cut := func() { phases, list = append(phases, list), nil }
	last := len(t.stack.layers) - 1
	for i := range t.stack.layers {
		l := &t.stack.layers[i]
		if t.net.bridged(i) {
			add(t.cross)
		}
		if l.Norm {
			add(func(r *workspace, p *pass) { l.mul(len(p.rows), r.in[i], r.hat[i]); r.measure(l, i, len(p.rows)) })
			cut()
			add(func(r *workspace, p *pass) { t.normalise(r, p, l, i) })
		} else {
			add(func(r *workspace, p *pass) { l.mul(len(p.rows), r.in[i], r.act[i]) })
		}
		add(func(r *workspace, p *pass) { l.Activation.forward(r.act[i], len(p.rows), l.Out, kernel.Pad(l.Out)) })
		if l.Dropout > 0 {
			add(func(r *workspace, p *pass) { t.drop(r, p, l, i) })
		}
		if i+1 != t.net.Latent {
			continue
		}
		switch {
		case t.net.Variational != nil:
			add(t.sample)
			cut()
		case t.net.Centring > 0:
			add(t.members)
			cut()
		}
	}
	if t.net.Objective == nil {
		add(t.output)
	} else {
		add(t.show)
		cut()
		add(t.judge)
		cut()
		add(t.objectiveGrad)
	}
	for i := last; i >= 0; i-- {
		l := &t.stack.layers[i]
		add(func(r *workspace, p *pass) { l.gradient(len(p.rows), r.in[i], r.grad[i], p.g, p.add) })
		if i == 0 {
			break
		}
		before := &t.stack.layers[i-1]
		switch {
		case i == t.net.Latent && t.net.Variational != nil:
			add(func(r *workspace, p *pass) { l.mulBack(len(p.rows), r.grad[i], r.dz); t.sampleGrad(r, p) })
		case t.net.bridged(i):
			add(func(r *workspace, p *pass) { t.crossBack(r, p, l, i) })
		default:
			add(func(r *workspace, p *pass) { l.mulBack(len(p.rows), r.grad[i], r.grad[i-1]) })
		}
		if i == t.net.Latent && (t.net.Shrink > 0 || t.net.Centring > 0) {
			add(t.pull)
		}
		if i == t.net.Latent && t.net.Bridge != nil {
			add(t.pullBridge)
		}
		if before.Dropout > 0 {
			add(func(r *workspace, p *pass) {
				mask := r.mask[i-1]
				for j := range r.grad[i-1][:len(p.rows)*kernel.Pad(before.Out)] {
					r.grad[i-1][j] *= mask[j]
				}
			})
		}
		wide := kernel.Pad(before.Out)
		if !before.Norm {
			add(func(r *workspace, p *pass) {
				before.Activation.backward(r.grad[i-1], r.act[i-1], p.g[before.bias:before.bias+wide], len(p.rows),
					wide)
			})
			continue
		}
		add(func(r *workspace, p *pass) {
			before.Activation.backward(r.grad[i-1], r.act[i-1], p.g[before.bias+2*wide:before.bias+3*wide], len(p.rows),
				wide)
			kernel.ColumnProducts(len(p.rows), wide, r.grad[i-1], r.hat[i-1], p.g[before.bias+wide:before.bias+2*wide])
		})
		cut()
		add(func(r *workspace, p *pass) { t.normBack(r, p, before, i-1) })
	}
	add(t.fixBiases)
	cut()
	return phases
}

// phase takes shard k of a batch through phase s of a step.
func (t *fused) phase(s, k int, x, target []float32, batch []int32, step int, learn bool) {
	r := t.workspaces[k]
	p := &r.pass
	if s > 0 {
		for _, o := range t.phases[s] {
			o(r, p)
		}
		return
	}
	from, to := shardStart(len(batch), k), shardStart(len(batch), k+1)
	*p = pass{shard: k, g: t.update.shard(k), x: x, target: target, batch: len(batch), step: step, learn: learn}
	for i := range t.stack.layers { // the first block overwrites the weights' gradient, but adds to the others'
		l := &t.stack.layers[i]
		end := l.bias + kernel.Pad(l.Out)
		if l.Norm {
			end = l.bias + 3*kernel.Pad(l.Out)
		}
		clear(p.g[l.bias:end])
	}
	if from == to {
		clear(p.g)
		p.rows = nil
		for _, o := range t.phases[0] {
			o(r, p)
		}
		return
	}
	for ; from < to; from += r.size {
		p.rows, p.first = batch[from:min(from+r.size, to)], from
		gatherRows(r.in[0], kernel.Pad(t.stack.layers[0].In), x, t.stack.layers[0].In, p.rows)
		for _, o := range t.phases[0] {
			o(r, p)
		}
		p.add = true
	}
	p.add = false
}

// output makes the gradient of the last layer's sums, adds its column sums to the biases', and adds to the
// loss.
func (t *fused) output(r *workspace, p *pass) {
	last := len(t.stack.layers) - 1
	l := &t.stack.layers[last]
	rows, wide := len(p.rows), t.stack.wide
	in := t.stack.layers[0].In
	want := r.in[0]
	if !(rows > 0 && &p.x[0] == &p.target[0] && in == l.Out) {
		want = r.target
		gatherRows(want, wide, p.target, l.Out, p.rows)
	}
	db := p.g[l.bias : l.bias+wide]
	if l.Activation == Linear {
		r.loss += t.net.Loss.gradient(r, r.grad[last], want, db, rows, l.Out, wide, p.batch)
		return
	}
	copy(r.grad[last], r.act[last][:rows*wide])
	r.loss += t.net.Loss.gradient(r, r.grad[last], want, r.spare[:wide], rows, l.Out, wide, p.batch)
	l.Activation.backward(r.grad[last], r.act[last], db, rows, wide)
}

// gradient makes y the gradient of its loss against x, for some of the rows of a batch, adds the column sums to
// db, and is the sum of the rows' losses.
func (l Loss) gradient(r *workspace, y, x, db []float32, rows, out, wide, batch int) float64 {
	scale := 1 / (float64(batch) * float64(out))
	if l != AbsoluteLoss {
		return kernel.SquaredError(rows, wide, y, x, db, float32(2*scale), &r.lanes) / float64(out)
	}
	sum := 0.0
	step := float32(scale)
	for i, v := range y[:rows*wide] {
		switch d := v - x[i]; {
		case d > 0:
			y[i] = step
			sum += float64(d)
		case d < 0:
			y[i] = -step
			sum -= float64(d)
		default:
			y[i] = d // 0, or not a number
			sum += float64(d)
		}
	}
	kernel.ColumnSums(rows, wide, y, db)
	return sum / float64(out)
}

// drop sets a share of a layer's values to 0 and lets the others grow.
func (t *fused) drop(r *workspace, p *pass, l *fusedLayer, i int) {
	wide := kernel.Pad(l.Out)
	for k := range p.rows {
		at := k * wide
		Mask(r.mask[i][at:at+l.Out], l.Dropout, t.net.Seed, p.step, i, p.first+k)
		for j := at; j < at+l.Out; j++ {
			r.in[i+1][j] = r.act[i][j] * r.mask[i][j]
		}
	}
}

// workspace is memory for the rows of a shard that are worked at once.
type workspace struct {
	pass   pass
	size   int         // rows that it has space for
	in     [][]float32 // of each layer, and the output
	act    [][]float32 // what each layer's activation gave; in[i+1] unless that was changed on the way
	grad   [][]float32 // of each layer's sums; the last one's in place of what it gave, where it is linear
	hat    [][]float32 // of normalised layers, the normalised sums
	mask   [][]float32 // of layers that drop values, what they are multiplied by
	dz     []float32   // variational bottleneck: the gradient of what was drawn,
	slope  []float32   // and how much that grows with the log-variance
	target []float32
	loss   float64   // sum over the rows worked so far
	moment []moments // of normalised layers
	inv    []float32 // working space, a number a column, as the next two
	dot    []float32
	spare  []float32
	lanes  [kernel.Width]float32
	kl     float64
	member [][]float64 // centring: sums of the rows nearest to each centre,
	count  []float64   // and how many they are,
	push   [][]float32 // and by how much the gradient of each grows
	shown  shown       // to an objective
}

// allocate gives a workspace space for its shard of a batch.
func (t *fused) allocate(r *workspace, batch int) {
	rows := blockRows
	if len(t.phases) > 1 {
		rows = max(1, (batch+shards-1)/shards)
	}
	if rows <= r.size {
		return
	}
	s := t.stack
	k := len(s.layers)
	*r = workspace{size: rows, loss: r.loss, in: make([][]float32, k+1), act: make([][]float32, k),
		grad: make([][]float32, k), hat: make([][]float32, k), mask: make([][]float32, k), moment: make([]moments, k)}
	r.in[0] = kernel.Alloc(rows * kernel.Pad(s.layers[0].In))
	r.target = kernel.Alloc(rows * s.wide)
	most := 0
	for i, l := range s.layers {
		wide := kernel.Pad(l.Out)
		most = max(most, wide)
		r.act[i], r.grad[i] = kernel.Alloc(rows*wide), kernel.Alloc(rows*wide)
		r.in[i+1] = r.act[i]
		if l.Norm {
			r.hat[i] = kernel.Alloc(rows * wide)
			r.moment[i] = moments{mean: make([]float64, l.Out), m2: make([]float64, l.Out)}
		}
		if l.Dropout > 0 {
			r.mask[i], r.in[i+1] = kernel.Alloc(rows*wide), kernel.Alloc(rows*wide)
		}
		if t.net.Variational != nil && i+1 == t.net.Latent {
			narrow := kernel.Pad(t.net.Bottleneck())
			r.in[i+1], r.dz, r.slope = kernel.Alloc(rows*narrow), kernel.Alloc(rows*narrow), kernel.Alloc(rows*narrow)
		}
	}
	r.spare, r.inv, r.dot = kernel.Alloc(most), kernel.Alloc(most), kernel.Alloc(most)
	if t.net.Objective != nil {
		t.allocateObjective(r, rows)
	} else if s.layers[k-1].Activation == Linear {
		r.grad[k-1] = r.act[k-1]
	}
}
