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

// load takes plain weights over, and the running averages.
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

// plain is numbers of the parameters' layout in the order of Params; where flat is a gradient, that of the
// running averages is 0.
func (t *fused) plain(flat []float32, gradient bool) Params {
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

// stack is the layers of a network with their weights packed, ready for products.
type stack struct {
	layers []fusedLayer
	size   int // of the parameters, padding included
	wide   int // columns of the output, padded
}

type fusedLayer struct {
	Dense
	tied           *fusedLayer   // whose weights this one has, transposed
	shared         bool          // with a later layer
	w              kernel.Packed // In×Out
	b              []float32     // padded, as the next two
	scale, shift   []float32
	wt             kernel.Packed // Out×In, for gradients of the input and for who is tied to it
	at, bias       int           // where weights and biases are among the parameters; scale and shift follow
	transpose      bool
	mean, variance []float32
}

func newStack(n Network) *stack {
	s := &stack{layers: make([]fusedLayer, len(n.Layers))}
	for i, l := range n.Layers {
		f := &s.layers[i]
		f.Dense, f.at, f.bias = l, s.size, s.size
		if l.Tied > 0 {
			f.tied = &s.layers[l.Tied-1]
			f.tied.shared, f.tied.transpose = true, true
		} else {
			f.bias += kernel.PackedLen(l.In, l.Out)
			f.transpose = i > 0
		}
		s.size = f.bias + kernel.Pad(l.Out)
		if l.Norm {
			s.size += 2 * kernel.Pad(l.Out)
		}
	}
	s.wide = kernel.Pad(n.Layers[len(n.Layers)-1].Out)
	return s
}

// lay puts the layers over parameters.
func (s *stack) lay(p []float32) {
	for i := range s.layers {
		l := &s.layers[i]
		wide := kernel.Pad(l.Out)
		l.b = p[l.bias : l.bias+wide]
		if l.Norm {
			l.scale, l.shift = p[l.bias+wide:l.bias+2*wide], p[l.bias+2*wide:l.bias+3*wide]
		}
		if l.tied != nil {
			continue
		}
		l.w = kernel.NewPacked(l.In, l.Out, p[l.at:l.bias])
		if l.transpose {
			l.wt = kernel.NewPacked(kernel.Pad(l.Out), l.In, nil)
		}
	}
}

// set takes plain weights, Out×In.
func (l *fusedLayer) set(w []float32) {
	for o := range l.Out {
		for k := range l.In {
			l.w.Data[l.w.Index(k, o)] = w[o*l.In+k]
		}
	}
	l.flip()
}

// get writes packed weights to plain ones, Out×In.
func (l *fusedLayer) get(from kernel.Packed, w []float32) {
	for o := range l.Out {
		for k := range l.In {
			w[o*l.In+k] = from.Data[from.Index(k, o)]
		}
	}
}

// flip brings the transposed weights up to date.
func (l *fusedLayer) flip() {
	if l.transpose {
		for j := range l.w.Panels() {
			kernel.TransposePanel(l.w, j, l.wt)
		}
	}
}

// mul makes out the layer's sums of rows of x.
func (l *fusedLayer) mul(rows int, x, out []float32) {
	w := l.w
	if l.tied != nil {
		w = l.tied.wt
	}
	kernel.Mul(rows, l.In, x, kernel.Pad(l.In), 1, w, out, kernel.Pad(l.Out), l.b, false)
}

// mulBack makes out the gradient of the layer's input from that of its sums.
func (l *fusedLayer) mulBack(rows int, d, out []float32) {
	w := l.wt
	if l.tied != nil {
		w = l.tied.w
	}
	kernel.Mul(rows, l.Out, d, kernel.Pad(l.Out), 1, w, out, kernel.Pad(l.In), nil, false)
}

// gradient writes the gradient of the weights to its place in g, or adds it.
func (l *fusedLayer) gradient(rows int, x, d, g []float32, add bool) {
	if rows == 0 {
		return
	}
	if t := l.tied; t != nil { // it comes before the layer whose weights it has, on the way back
		kernel.MulInto(t.In, rows, d, 1, kernel.Pad(l.Out), x, kernel.Pad(l.In),
			kernel.NewPacked(t.In, t.Out, g[t.at:t.bias]), add)
		return
	}
	kernel.MulInto(l.In, rows, x, 1, kernel.Pad(l.In), d, kernel.Pad(l.Out),
		kernel.NewPacked(l.In, l.Out, g[l.at:l.bias]), add || l.shared)
}

// forward applies the activation to rows of out columns, wide apart; padding stays 0.
func (a Activation) forward(x []float32, rows, out, wide int) {
	switch a {
	case Tanh:
		kernel.Tanh(x[:rows*wide])
	case ReLU:
		for i, v := range x[:rows*wide] {
			if v < 0 {
				x[i] = 0
			}
		}
	case Leaky:
		for i, v := range x[:rows*wide] {
			if v < 0 {
				x[i] = leak * v
			}
		}
	case Sigmoid:
		for i := range rows {
			for j, v := range x[i*wide : i*wide+out] {
				x[i*wide+j] = Sigmoid.apply(v)
			}
		}
	}
}

// backward multiplies the gradient d of what the activation gave, a, by its derivative, and adds the column
// sums to db.
func (f Activation) backward(d, a, db []float32, rows, wide int) {
	switch f {
	case Tanh:
		kernel.TanhGrad(rows, wide, d, a, db)
		return
	case ReLU:
		for i, v := range a[:rows*wide] {
			if !(v > 0) {
				d[i] = 0
			}
		}
	case Leaky:
		for i, v := range a[:rows*wide] {
			if !(v > 0) {
				d[i] *= leak
			}
		}
	case Sigmoid:
		for i, v := range a[:rows*wide] {
			d[i] *= v * (1 - v)
		}
	}
	kernel.ColumnSums(rows, wide, d, db)
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

// flip brings all transposed weights up to date.
func (s *stack) flip() {
	for i := range s.layers {
		s.layers[i].flip()
	}
}

// gatherRows copies rows of d columns to rows wide apart; the padding stays 0.
func gatherRows(to []float32, wide int, from []float32, d int, rows []int32) {
	for i, r := range rows {
		copy(to[i*wide:i*wide+d], from[int(r)*d:(int(r)+1)*d])
	}
}

func (s *stack) spans() []span {
	var out []span
	for i := range s.layers {
		l := &s.layers[i]
		if l.tied == nil {
			for j := range l.w.Panels() {
				at, width := l.w.Panel(j)
				u := span{from: l.at + at, to: l.at + at + width*l.w.Rows, w: &l.w, wt: &l.wt, panel: -1}
				if l.transpose {
					u.panel = j
				}
				out = append(out, u)
			}
		}
		rest := kernel.Pad(l.Out)
		if l.Norm {
			rest *= 3
		}
		out = append(out, span{from: l.bias, to: l.bias + rest, panel: -1})
	}
	return out
}

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
	return t.loss() / float64(len(rows)), t.plain(t.sum, true), nil
}

func (t *fused) Params() Params { return t.plain(t.p, false) }

func (t *fused) Close() error { return nil }

// Scorer runs rows through a trained network, block by block. It is not safe for concurrent use; Clone makes
// another one on the same weights.
type Scorer struct {
	stack *stack
	act   [][]float32
}

// NewScorer packs weights for scoring.
func (n Network) NewScorer(p Params) *Scorer {
	layers, weights := n.plain(p)
	s := newStack(Network{Layers: layers})
	s.lay(kernel.Alloc(s.size))
	for i, w := range weights {
		s.layers[i].set(w[0])
		copy(s.layers[i].b, w[1])
	}
	return &Scorer{s, s.acts()}
}

// Clone shares the weights and nothing else.
func (s *Scorer) Clone() *Scorer { return &Scorer{s.stack, s.stack.acts()} }

// acts is memory for a block's input and what each layer makes of it.
func (s *stack) acts() [][]float32 {
	out := [][]float32{kernel.Alloc(blockRows * kernel.Pad(s.layers[0].In))}
	for _, l := range s.layers {
		out = append(out, kernel.Alloc(blockRows*kernel.Pad(l.Out)))
	}
	return out
}

// forward makes the activations of a block whose input stands in act[0], through the first depth layers.
func (s *stack) forward(act [][]float32, rows, depth int) {
	for i := range depth {
		l := &s.layers[i]
		l.mul(rows, act[i], act[i+1])
		l.Activation.forward(act[i+1], rows, l.Out, kernel.Pad(l.Out))
	}
}

// Each calls f with the output of the first depth layers (0: all) for rows from to to−1 of the n×d matrix x.
// What f gets is valid until it returns, and does not depend on which rows are asked for together.
func (s *Scorer) Each(x []float32, from, to, depth int, f func(row int, out []float32)) {
	if depth == 0 {
		depth = len(s.stack.layers)
	}
	out := s.stack.layers[depth-1].Out
	wide := kernel.Pad(out)
	for ; from < to; from += blockRows {
		n := s.fill(x, from, to)
		s.stack.forward(s.act, n, depth)
		for i := range n {
			f(from+i, s.act[depth][i*wide:i*wide+out])
		}
	}
}

// Errors writes the mean squared error of the reconstruction of rows from to to−1 to out: the score RE(x).
func (s *Scorer) Errors(x []float32, from, to int, out []float64) {
	layers := s.stack.layers
	in, depth := layers[0].In, len(layers)
	wide := kernel.Pad(in)
	for ; from < to; from += blockRows {
		n := s.fill(x, from, to)
		s.stack.forward(s.act, n, depth)
		for i := range n {
			row := s.act[depth][i*wide : (i+1)*wide]
			out[from+i] = float64(kernel.SquareDistance(row, s.act[0][i*wide:(i+1)*wide])) / float64(in)
		}
	}
}

// fill copies a block of rows that begins at from, and says how many they are.
func (s *Scorer) fill(x []float32, from, to int) int {
	in := s.stack.layers[0].In
	wide := kernel.Pad(in)
	n := min(blockRows, to-from)
	for i := range n {
		copy(s.act[0][i*wide:i*wide+in], x[(from+i)*in:(from+i+1)*in])
	}
	return n
}
