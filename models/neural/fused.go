package neural

import (
	"context"
	"math"

	"plumbline/models/kernel"
)

func init() { RegisterEngine("fused", fusedEngine{}) }

// fusedEngine trains dense networks on the kernels of package kernel. Weights stay packed as products read
// them; a batch is worked in blocks of rows that stay in the cache, and cut into a fixed number of shards
// whose gradients are added in order, so that the weights do not depend on the number of workers.
type fusedEngine struct{}

const (
	blockRows   = 64  // of a batch that are worked at once
	shards      = 2   // that a batch is cut into
	worthASplit = 128 // rows of a batch from which a second worker pays
	burst       = 16  // batches between two looks at the context
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
	t.stack = newStack(n.Layers)
	size := t.stack.size
	t.p, t.g = kernel.Alloc(size), kernel.Alloc(shards*size)
	t.stack.lay(t.p)
	t.stack.load(p)
	if n.Optimiser.Kind == "adam" {
		t.m, t.v = kernel.Alloc(size), kernel.Alloc(size)
	} else {
		t.sum = kernel.Alloc(size)
		t.step = NewStepper(n.Optimiser, Params{t.p})
	}
	t.units = t.stack.units()
	for range shards {
		t.rooms = append(t.rooms, t.stack.room(true))
	}
	return t, nil
}

// fused is a network in training.
type fused struct {
	net     Network
	workers int
	stack   *stack
	p, g    []float32 // parameters, and a gradient of the same layout for each shard
	m, v    []float32 // Adam's averages
	sum     []float32 // of the shards' gradients, for the other optimisers
	step    *Stepper
	t       int // Adam's steps so far
	units   []unit
	rooms   []*room
}

// stack is the layers of a network with their weights packed, ready for products.
type stack struct {
	layers []fusedLayer
	size   int // of the parameters, padding included
	wide   int // columns of the output, padded
}

type fusedLayer struct {
	Dense
	w         kernel.Packed // In×Out
	b         []float32     // padded
	wt        kernel.Packed // Out×In, of all layers but the first; for gradients of the input
	at, bias  int           // where weights and biases are among the parameters
	transpose bool
}

func newStack(layers []Dense) *stack {
	s := &stack{}
	for i, l := range layers {
		f := fusedLayer{Dense: l, at: s.size, transpose: i > 0}
		f.bias = s.size + kernel.PackedLen(l.In, l.Out)
		s.size = f.bias + kernel.Pad(l.Out)
		s.layers = append(s.layers, f)
	}
	s.wide = kernel.Pad(layers[len(layers)-1].Out)
	return s
}

// lay puts the layers over parameters.
func (s *stack) lay(p []float32) {
	for i := range s.layers {
		l := &s.layers[i]
		l.w = kernel.NewPacked(l.In, l.Out, p[l.at:l.bias])
		l.b = p[l.bias : l.bias+kernel.Pad(l.Out)]
		if l.transpose {
			l.wt = kernel.NewPacked(kernel.Pad(l.Out), l.In, nil)
		}
	}
}

// load takes plain weights over.
func (s *stack) load(p Params) {
	for i := range s.layers {
		l := &s.layers[i]
		for o := range l.Out {
			for k := range l.In {
				l.w.Data[l.w.Index(k, o)] = p[2*i][o*l.In+k]
			}
		}
		copy(l.b, p[2*i+1])
		l.flip()
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

// plain is numbers of the parameters' layout in the order of Params.
func (s *stack) plain(flat []float32) Params {
	var out Params
	for i := range s.layers {
		l := &s.layers[i]
		w, b := make([]float32, l.Out*l.In), make([]float32, l.Out)
		from := kernel.NewPacked(l.In, l.Out, flat[l.at:l.bias])
		for o := range l.Out {
			for k := range l.In {
				w[o*l.In+k] = from.Data[from.Index(k, o)]
			}
		}
		copy(b, flat[l.bias:])
		out = append(out, w, b)
	}
	return out
}

// room is memory for one block: the activations, of the input too, and their gradients.
type room struct {
	act, grad [][]float32
	target    []float32
	loss      float64 // sum of squared errors
	latent    float64 // sum of squares at the bottleneck
	lanes     [kernel.Width]float32
}

func (s *stack) room(training bool) *room {
	r := &room{act: [][]float32{kernel.Alloc(blockRows * kernel.Pad(s.layers[0].In))}}
	if training {
		r.grad = append(r.grad, nil)
		r.target = kernel.Alloc(blockRows * s.wide)
	}
	for _, l := range s.layers {
		r.act = append(r.act, kernel.Alloc(blockRows*kernel.Pad(l.Out)))
		if training {
			r.grad = append(r.grad, kernel.Alloc(blockRows*kernel.Pad(l.Out)))
		}
	}
	return r
}

// forward makes the activations of a block whose input stands in r.act[0], through the first depth layers.
func (s *stack) forward(r *room, rows, depth int) {
	for i := range depth {
		l := &s.layers[i]
		wide := kernel.Pad(l.Out)
		out := r.act[i+1][:rows*wide]
		kernel.Mul(rows, l.In, r.act[i], kernel.Pad(l.In), 1, l.w, out, wide, l.b, false)
		l.Activation.forward(out, rows, l.Out, wide)
	}
}

// forward applies the activation to rows of out columns, wide apart; padding stays 0.
func (a Activation) forward(x []float32, rows, out, wide int) {
	switch a {
	case Tanh:
		kernel.Tanh(x)
	case ReLU:
		for i, v := range x {
			if v < 0 {
				x[i] = 0
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
	case Sigmoid:
		for i, v := range a[:rows*wide] {
			d[i] *= v * (1 - v)
		}
	}
	kernel.ColumnSums(rows, wide, d, db)
}

// gradient makes g the gradient of some rows of a batch of so many, and adds their squared errors to the
// room's loss.
func (t *fused) gradient(r *room, g []float32, x, target []float32, rows []int32, batch int) {
	s := t.stack
	if len(rows) == 0 {
		clear(g)
		return
	}
	for i := range s.layers { // the first block of rows overwrites the weights' gradient, but adds to the biases'
		l := &s.layers[i]
		clear(g[l.bias : l.bias+kernel.Pad(l.Out)])
	}
	last := len(s.layers) - 1
	in, out := s.layers[0].In, s.layers[last].Out
	scale := float32(2 / (float64(batch) * float64(out)))
	same := &x[0] == &target[0] && in == out
	for from := 0; from < len(rows); from += blockRows {
		block := rows[from:min(from+blockRows, len(rows))]
		n := len(block)
		gatherRows(r.act[0], kernel.Pad(in), x, in, block)
		want := r.act[0]
		if !same {
			want = r.target
			gatherRows(want, s.wide, target, out, block)
		}
		s.forward(r, n, len(s.layers))
		d := r.output(s, n, want, g, scale)
		for i := last; i >= 0; i-- {
			l := &s.layers[i]
			kernel.MulInto(l.In, n, r.act[i], 1, kernel.Pad(l.In), d, kernel.Pad(l.Out), kernel.NewPacked(l.In, l.Out, g[l.at:l.bias]), from > 0)
			if i == 0 {
				break
			}
			before := &s.layers[i-1]
			wide := kernel.Pad(before.Out)
			kernel.Mul(n, l.Out, d, kernel.Pad(l.Out), 1, l.wt, r.grad[i], wide, nil, false)
			d = r.grad[i]
			if i == t.net.Latent && t.net.Shrink > 0 {
				pull := float32(2 * t.net.Shrink / (float64(batch) * float64(before.Out)))
				if t.net.Centres == nil {
					r.latent += shrink(d, r.act[i], n*wide, pull)
				} else {
					r.latent += t.gather(d, r.act[i], n, wide, pull)
				}
			}
			before.Activation.backward(d, r.act[i], g[before.bias:before.bias+wide], n, wide)
		}
	}
}

// output is the gradient of the last layer's sums for n rows, whose column sums it adds to the biases', and
// adds to the loss.
func (r *room) output(s *stack, n int, want, g []float32, scale float32) []float32 {
	last := len(s.layers) - 1
	l := &s.layers[last]
	db := g[l.bias : l.bias+s.wide]
	y := r.act[last+1]
	if l.Activation == Linear {
		r.loss += kernel.SquaredError(n, s.wide, y, want, db, scale, &r.lanes)
		return y
	}
	d := r.grad[last+1]
	copy(d, y[:n*s.wide])
	r.loss += squaredError(d, want, n*s.wide, scale)
	l.Activation.backward(d, y, db, n, s.wide)
	return d
}

// shrink adds the gradient of squares, pull·z, to d, and is the sum of the squares.
func shrink(d, z []float32, n int, pull float32) float64 {
	sum := 0.0
	for i, v := range z[:n] {
		d[i] += pull * v
		sum += float64(float64(v) * float64(v))
	}
	return sum
}

// gather adds the gradient of squared distances from the nearest centre, pull·(z−c), to the rows of d, and is
// the sum of the distances.
func (t *fused) gather(d, z []float32, rows, wide int, pull float32) float64 {
	sum := 0.0
	for i := range rows {
		row := z[i*wide : i*wide+t.stack.layers[t.net.Latent-1].Out]
		centre := t.net.Centres[nearest(t.net.Centres, row)]
		for j, v := range row {
			e := v - centre[j]
			d[i*wide+j] += pull * e
			sum += float64(float64(e) * float64(e))
		}
	}
	return sum
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

// squaredError is kernel.SquaredError without column sums.
func squaredError(y, x []float32, n int, scale float32) float64 {
	sum := 0.0
	for i := range n {
		d := y[i] - x[i]
		sum += float64(float64(d) * float64(d))
		y[i] = d * scale
	}
	return sum
}

// gatherRows copies rows of d columns to rows wide apart; the padding stays 0.
func gatherRows(to []float32, wide int, from []float32, d int, rows []int32) {
	for i, r := range rows {
		copy(to[i*wide:i*wide+d], from[int(r)*d:(int(r)+1)*d])
	}
}

// unit is a run of parameters that are updated at once, and the panel that is transposed behind it.
type unit struct {
	from, to     int
	layer, panel int // panel −1: none
}

func (s *stack) units() []unit {
	var out []unit
	for i := range s.layers {
		l := &s.layers[i]
		for j := range l.w.Panels() {
			at, width := l.w.Panel(j)
			u := unit{from: l.at + at, to: l.at + at + width*l.w.Rows, layer: i, panel: -1}
			if l.transpose {
				u.panel = j
			}
			out = append(out, u)
		}
		out = append(out, unit{from: l.bias, to: l.bias + kernel.Pad(l.Out), layer: i, panel: -1})
	}
	return out
}

// update applies the shards' gradients to share k of so many of the units.
func (t *fused) update(k, of int, rate float64, step int) {
	size := t.stack.size
	lr := float32(rate / (1 - math.Pow(0.9, float64(step))))
	root := float32(1 / math.Sqrt(1-math.Pow(0.999, float64(step))))
	for _, u := range t.units[len(t.units)*k/of : len(t.units)*(k+1)/of] {
		kernel.Adam(t.p[u.from:u.to], t.m[u.from:u.to], t.v[u.from:u.to], t.g[u.from:], shards, size, lr, root)
		if u.panel >= 0 {
			l := &t.stack.layers[u.layer]
			kernel.TransposePanel(l.w, u.panel, l.wt)
		}
	}
}

// stepAll is update for the optimisers that package kernel does not have.
func (t *fused) stepAll(rate float64) {
	size := t.stack.size
	copy(t.sum, t.g[:size])
	for s := 1; s < shards; s++ {
		for i, v := range t.g[s*size : (s+1)*size] {
			t.sum[i] += v
		}
	}
	t.step.Step(Params{t.p}, Params{t.sum}, rate)
	for i := range t.stack.layers {
		t.stack.layers[i].flip()
	}
}

// shard is part k of a batch.
func shard(rows []int32, k int) []int32 {
	return rows[len(rows)*k/shards : len(rows)*(k+1)/shards]
}

func (t *fused) Epoch(ctx context.Context, x, target []float32, order []int32, batch int, rate float64) (float64, error) {
	for _, r := range t.rooms {
		r.loss, r.latent = 0, 0
	}
	workers := t.workers
	if batch < worthASplit {
		workers = 1
	}
	for from := 0; from < len(order); from += burst * batch {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		t.burst(x, target, order[from:min(from+burst*batch, len(order))], batch, rate, workers)
	}
	return t.loss(len(order)), nil
}

// burst is a step for each batch of some rows.
func (t *fused) burst(x, target []float32, rows []int32, batch int, rate float64, workers int) {
	steps := (len(rows) + batch - 1) / batch
	size := t.stack.size
	tm := &team{}
	crew(workers, func(w int) {
		for st := range steps {
			b := rows[st*batch : min((st+1)*batch, len(rows))]
			tm.phase(w, uint32(2*st), shards, func(k int) {
				t.gradient(t.rooms[k], t.g[k*size:(k+1)*size], x, target, shard(b, k), len(b))
			})
			updates := workers
			if t.step != nil {
				updates = 1
			}
			tm.phase(w, uint32(2*st+1), updates, func(k int) {
				if t.step != nil {
					t.stepAll(rate)
				} else {
					t.update(k, updates, rate, t.t+st+1)
				}
			})
		}
	})
	t.t += steps
}

// loss is the mean loss of so many rows that the rooms have met.
func (t *fused) loss(rows int) float64 {
	sum, latent := 0.0, 0.0
	for _, r := range t.rooms {
		sum += r.loss
		latent += r.latent
	}
	loss := sum / (float64(rows) * float64(t.stack.layers[len(t.stack.layers)-1].Out))
	if t.net.Shrink > 0 {
		loss += t.net.Shrink * latent / (float64(rows) * float64(t.stack.layers[t.net.Latent-1].Out))
	}
	return loss
}

func (t *fused) Gradient(x, target []float32, rows []int32) (float64, Params, error) {
	size := t.stack.size
	for k, r := range t.rooms {
		r.loss, r.latent = 0, 0
		t.gradient(r, t.g[k*size:(k+1)*size], x, target, shard(rows, k), len(rows))
	}
	sum := make([]float32, size)
	for k := range shards {
		for i, v := range t.g[k*size : (k+1)*size] {
			sum[i] += v
		}
	}
	return t.loss(len(rows)), t.stack.plain(sum), nil
}

func (t *fused) Params() Params { return t.stack.plain(t.p) }

func (t *fused) Close() error { return nil }

// Scorer runs rows through a trained network, block by block. It is not safe for concurrent use; Clone makes
// another one on the same weights.
type Scorer struct {
	stack *stack
	room  *room
}

// NewScorer packs weights for scoring.
func (n Network) NewScorer(p Params) *Scorer {
	s := newStack(n.Layers)
	s.lay(kernel.Alloc(s.size))
	s.load(p)
	return &Scorer{s, s.room(false)}
}

// Clone shares the weights and nothing else.
func (s *Scorer) Clone() *Scorer { return &Scorer{s.stack, s.stack.room(false)} }

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
		s.stack.forward(s.room, n, depth)
		for i := range n {
			f(from+i, s.room.act[depth][i*wide:i*wide+out])
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
		s.stack.forward(s.room, n, depth)
		for i := range n {
			row := s.room.act[depth][i*wide : (i+1)*wide]
			out[from+i] = float64(kernel.SquareDistance(row, s.room.act[0][i*wide:(i+1)*wide])) / float64(in)
		}
	}
}

// fill copies a block of rows that begins at from, and says how many they are.
func (s *Scorer) fill(x []float32, from, to int) int {
	in := s.stack.layers[0].In
	wide := kernel.Pad(in)
	n := min(blockRows, to-from)
	for i := range n {
		copy(s.room.act[0][i*wide:i*wide+in], x[(from+i)*in:(from+i+1)*in])
	}
	return n
}
