package nn

import "plumbline/numeric/kernel"

// array is one of the parameter arrays, as products or look-ups read it: weights from in inputs to out outputs,
// either packed or as a table of a padded row for each input. Inputs and outputs come in blocks, such as the
// gates, each of which is padded on its own; the padding is 0 and stays it.
type array struct {
	at, size          int // among the parameters
	in, inBlock       int
	out, outBlock     int
	inputMajor, table bool // the plain array is in×out, not out×in; rows are looked up
	transpose         bool
	w, wt             kernel.Packed // not of a table
	rows              []float32     // of a table
}

// place is where number i is when blocks of the given size are padded.
func place(i, block int) int { return i/block*kernel.Pad(block) + i%block }

// k is how many rows a product with the weights runs over, and wide how many columns it gives.
func (a *array) k() int    { return place(a.in-1, a.inBlock) + 1 }
func (a *array) wide() int { return a.out / a.outBlock * kernel.Pad(a.outBlock) }

// index is where the weight from input i to output o is, counted from at.
func (a *array) index(i, o int) int {
	i, o = place(i, a.inBlock), place(o, a.outBlock)
	if a.table {
		return i*a.wide() + o
	}
	return a.w.Index(i, o)
}

// plainIndex is where it is in the plain array.
func (a *array) plainIndex(i, o int) int {
	if a.inputMajor {
		return i*a.out + o
	}
	return o*a.in + i
}

// part is the array's share of numbers that are laid out as the parameters are.
func (a *array) part(flat []float32) []float32 { return flat[a.at : a.at+a.size] }

// packed is the array's share of a gradient.
func (a *array) packed(flat []float32) kernel.Packed {
	return kernel.NewPacked(a.k(), a.wide(), a.part(flat))
}

func (a *array) flip() {
	if a.transpose {
		for j := range a.w.Panels() {
			kernel.TransposePanel(a.w, j, a.wt)
		}
	}
}

// recurrent is the layers of a network with their weights laid out for products.
type recurrent struct {
	Sequence
	arrays []*array // in the order of Params
	embed  *array   // nil: none
	layers []lstmLayer
	head   *array
	bias   *array
	size   int // of the parameters, padding included
	inWide int // columns of the first layer's input, padded; 0 where symbols are looked up in its weights
	wide   int // columns of the head, padded
	block  int // samples that are worked at once
}

type lstmLayer struct {
	Recurrent
	hid    int // units, padded
	wide   int // columns of the output, padded
	cells  []lstmCell
	single bool // only the final output is asked for
	first  int  // block of the states where the output begins
}

// lstmCell is one direction of a layer.
type lstmCell struct {
	wx, wh, bx, bh *array
	backwards      bool
	at             int // its first column of the output
}

// gap keeps rows of gates apart by other than powers of two, which fall on each other in the cache.
const gap = kernel.Width

// gates is the distance of two rows of gates.
func (l *lstmLayer) gates() int { return 4*l.hid + gap }

// maxBlock bounds the samples that are worked at once.
const maxBlock = 32

// block is how many samples are worked at once: fewer where there are many steps, whose states are all kept.
func (s Sequence) block() int { return max(8, min(maxBlock, 4096/s.Steps/8*8)) }

func newRecurrent(seq Sequence) *recurrent {
	s := &recurrent{Sequence: seq, wide: kernel.Pad(seq.Out), block: seq.block()}
	add := func(a array) *array {
		a.at = s.size
		if a.table {
			a.size = a.in * a.wide()
		} else {
			a.size = kernel.PackedLen(a.k(), a.wide())
		}
		s.size += a.size
		s.arrays = append(s.arrays, &a)
		return &a
	}
	if seq.Embed > 0 {
		s.embed = add(array{in: seq.Symbols, inBlock: seq.Symbols, out: seq.Embed, outBlock: seq.Embed,
			inputMajor: true, table: true})
	}
	onehot := seq.Symbols > 0 && seq.Embed == 0
	if !onehot {
		s.inWide = kernel.Pad(seq.Takes(0))
	}
	for i, l := range seq.Layers {
		ll := lstmLayer{Recurrent: l, hid: kernel.Pad(l.Out), first: 1}
		if l.Decoder {
			ll.first = 2
		}
		if i == len(seq.Layers)-1 {
			ll.single = !seq.Each
		} else {
			ll.single = seq.Layers[i+1].Repeat
		}
		block := l.In
		if i > 0 && !l.Decoder {
			block = seq.Layers[i-1].Out
		}
		back := i > 0 && !l.Decoder || seq.Embed > 0
		for d := range l.Columns() / l.Out {
			c := lstmCell{backwards: d == 1 || l.Decoder, at: d * ll.hid}
			c.wx = add(array{in: l.In, inBlock: block, out: 4 * l.Out, outBlock: l.Out, table: onehot && i == 0,
				transpose: back})
			c.wh = add(array{in: l.Out, inBlock: l.Out, out: 4 * l.Out, outBlock: l.Out, transpose: true})
			c.bx = add(array{in: 1, inBlock: 1, out: 4 * l.Out, outBlock: l.Out, table: true})
			c.bh = add(array{in: 1, inBlock: 1, out: 4 * l.Out, outBlock: l.Out, table: true})
			ll.cells = append(ll.cells, c)
		}
		ll.wide = len(ll.cells) * ll.hid
		s.layers = append(s.layers, ll)
	}
	top := seq.Layers[len(seq.Layers)-1]
	s.head = add(array{in: top.Columns(), inBlock: top.Out, out: seq.Out, outBlock: seq.Out, transpose: true})
	s.bias = add(array{in: 1, inBlock: 1, out: seq.Out, outBlock: seq.Out, table: true})
	return s
}

// lay puts the arrays over parameters.
func (s *recurrent) lay(p []float32) {
	for _, a := range s.arrays {
		if a.table {
			a.rows = a.part(p)
			continue
		}
		a.w = a.packed(p)
		if a.transpose {
			a.wt = kernel.NewPacked(kernel.Pad(a.wide()), a.k(), nil)
		}
	}
}

// load takes plain weights over.
func (s *recurrent) load(p Params, flat []float32) {
	for n, a := range s.arrays {
		to := a.part(flat)
		for o := range a.out {
			for i := range a.in {
				to[a.index(i, o)] = p[n][a.plainIndex(i, o)]
			}
		}
		a.flip()
	}
}

// flip brings all transposed weights up to date.
func (s *recurrent) flip() {
	for _, a := range s.arrays {
		a.flip()
	}
}

// plain is numbers of the parameters' layout in the order of Params.
func (s *recurrent) plain(flat []float32) Params {
	var out Params
	for _, a := range s.arrays {
		from, to := a.part(flat), make([]float32, a.in*a.out)
		for o := range a.out {
			for i := range a.in {
				to[a.plainIndex(i, o)] = from[a.index(i, o)]
			}
		}
		out = append(out, to)
	}
	return out
}

// sequenceWorkspace is memory for a block of samples. Whatever has steps is ordered by them: block t holds step t of
// all samples.
type sequenceWorkspace struct {
	x       []float32 // rows of inWide columns
	symbols []int32
	layers  []layerWorkspace
	y, want []float32 // rows of wide columns: the head's output, and then its gradient; targets
	dx      []float32 // gradient of x, for embeddings
	sums    []float32 // scratch for sums of gates
	row     []float32 // one sample's output without padding
	step    int       // in training, counted from 0
	first   int       // place of the block's first sample in its batch
	loss    float64   // sum over samples, steps and columns
	lanes   [kernel.Width]float32
}

// layerWorkspace is the memory of a layer. States have a block before the first step and one after the last, for
// what the two directions begin with: step t is block t+1.
type layerWorkspace struct {
	h, dh   []float32 // rows of wide columns
	cells   []cellWorkspace
	final   []float32 // of single layers: what each direction gave last
	dfinal  []float32
	dropped []float32 // h with dropout
	mask    []float32
	out     []float32 // what the next layer takes: some of the above
}

type cellWorkspace struct {
	g     []float32 // gates, and then the gradient of their sums
	c, tc []float32
	dc    []float32 // of one step
	bias  []float32
}

func (s *recurrent) workspace(training bool) *sequenceWorkspace {
	n, steps := s.block, s.Steps
	r := &sequenceWorkspace{}
	if s.inWide > 0 {
		r.x = kernel.Alloc(n * steps * s.inWide)
	}
	if s.Symbols > 0 {
		r.symbols = make([]int32, n*steps)
	}
	rows := n * s.outputs()
	r.y = kernel.Alloc(rows * s.wide)
	r.row = make([]float32, s.outputs()*s.Out)
	if training {
		r.want = kernel.Alloc(rows * s.wide)
		if s.Embed > 0 {
			r.dx = kernel.Alloc(n * steps * s.inWide)
		}
	}
	sums := 0
	for i := range s.layers {
		l := &s.layers[i]
		lr := layerWorkspace{h: kernel.Alloc(n * (steps + 2) * l.wide)}
		if l.single {
			lr.final = kernel.Alloc(n * l.wide)
		}
		for range l.cells {
			c := cellWorkspace{
				g: kernel.Alloc(n * steps * l.gates()), c: kernel.Alloc(n * (steps + 2) * l.hid),
				tc:   kernel.Alloc(n * steps * l.hid),
				bias: kernel.Alloc(4 * l.hid),
			}
			if training {
				c.dc = kernel.Alloc(n * l.hid)
			}
			lr.cells = append(lr.cells, c)
		}
		if training {
			lr.dh = kernel.Alloc(n * (steps + 2) * l.wide)
			if l.single {
				lr.dfinal = kernel.Alloc(n * l.wide)
			}
			if l.Dropout > 0 {
				lr.mask = kernel.Alloc(n * steps * l.wide)
				if !l.single {
					lr.dropped = kernel.Alloc(n * steps * l.wide)
				}
			}
			sums = max(sums, (n+1)*l.gates())
		}
		r.layers = append(r.layers, lr)
	}
	r.sums = kernel.Alloc(sums)
	return r
}

// fill takes samples over, as symbols or as rows of the first layer's input.
func (s *recurrent) fill(r *sequenceWorkspace, x []float32, rows []int32) {
	n := len(rows)
	for i, row := range rows {
		s.fillSample(r, x[int(row)*s.Steps*s.In:], i, n, s.Steps)
	}
}

// fillSample takes over steps of sample i of n.
func (s *recurrent) fillSample(r *sequenceWorkspace, x []float32, i, n, steps int) {
	for t := range steps {
		at := t*n + i
		if s.Symbols == 0 {
			copy(r.x[at*s.inWide:at*s.inWide+s.In], x[t*s.In:(t+1)*s.In])
			continue
		}
		symbol := int(x[t])
		r.symbols[at] = int32(symbol)
		if s.embed != nil {
			copy(r.x[at*s.inWide:(at+1)*s.inWide], s.embed.rows[symbol*s.inWide:(symbol+1)*s.inWide])
		}
	}
}

// input is what layer i takes.
func (s *recurrent) input(r *sequenceWorkspace, i int) (x []float32, wide int) {
	if i == 0 || s.layers[i].Decoder {
		return r.x, s.inWide
	}
	return r.layers[i-1].out, s.layers[i-1].wide
}

// forward runs some steps of n samples, from the states of carry if there are any, up to the last layer's
// output. Dropout is for training.
func (s *recurrent) forward(r *sequenceWorkspace, n, steps int, carry *State, dropout bool) {
	for i := range s.layers {
		l, lr := &s.layers[i], &r.layers[i]
		s.begin(r, i, n, steps, carry)
		for d := range l.cells {
			s.project(r, i, d, n, steps)
			l.run(lr, d, n, steps, carry != nil)
		}
		s.give(r, i, n, steps, dropout)
	}
}

// begin puts the first states of layer i where its steps look for them.
func (s *recurrent) begin(r *sequenceWorkspace, i, n, steps int, carry *State) {
	l, lr := &s.layers[i], &r.layers[i]
	end := (steps + 1) * n
	clear(lr.h[:n*l.wide])
	clear(lr.h[end*l.wide : (end+n)*l.wide])
	for d := range lr.cells {
		c := lr.cells[d].c
		clear(c[:n*l.hid])
		clear(c[end*l.hid : (end+n)*l.hid])
	}
	if carry != nil {
		copy(lr.h, carry.H[i])
		copy(lr.cells[0].c, carry.C[i])
	}
	if l.Decoder {
		from := &r.layers[i-1]
		copy(lr.h[end*l.wide:], from.h[(end-n)*l.wide:end*l.wide])
		copy(lr.cells[0].c[end*l.hid:], from.cells[0].c[(end-n)*l.hid:end*l.hid])
	}
}

// project makes the share that the input of layer i has in the sums of gates, with the biases, for all steps.
func (s *recurrent) project(r *sequenceWorkspace, i, d, n, steps int) {
	l, c, cr := &s.layers[i], &s.layers[i].cells[d], &r.layers[i].cells[d]
	ldg := l.gates()
	for j := range cr.bias {
		cr.bias[j] = c.bx.rows[j] + c.bh.rows[j]
	}
	x, wide := s.input(r, i)
	switch {
	case l.Decoder:
		if steps > 1 {
			kernel.Mul((steps-1)*n, l.In, x[n*wide:], wide, 1, c.wx.w, cr.g[n*ldg:], ldg, cr.bias, false)
		}
	case c.wx.table:
		for at, symbol := range r.symbols[:steps*n] {
			to := cr.g[at*ldg : at*ldg+4*l.hid]
			for j, w := range c.wx.rows[int(symbol)*4*l.hid : (int(symbol)+1)*4*l.hid] {
				to[j] = w + cr.bias[j]
			}
		}
	case l.Repeat:
		kernel.Mul(n, c.wx.k(), x, wide, 1, c.wx.w, cr.g, ldg, cr.bias, false)
		for t := 1; t < steps; t++ {
			copy(cr.g[t*n*ldg:(t+1)*n*ldg], cr.g[:n*ldg])
		}
	default:
		kernel.Mul(steps*n, c.wx.k(), x, wide, 1, c.wx.w, cr.g, ldg, cr.bias, false)
	}
}

// step is the time of the j-th step of a direction, and the block of the state that it begins with.
func (c *lstmCell) step(j, steps int) (t, from int) {
	if c.backwards {
		return steps - 1 - j, steps + 1 - j
	}
	return j, j
}

// count is how many steps the layer makes.
func (l *lstmLayer) count(steps int) int {
	if l.Decoder {
		return steps - 1
	}
	return steps
}

// run makes the steps of a direction. Where the first state is not 0, it is carried.
func (l *lstmLayer) run(lr *layerWorkspace, d, n, steps int, carried bool) {
	for j := range l.count(steps) {
		l.one(lr, d, n, steps, j, j > 0 || carried || l.Decoder)
	}
}

// one makes the j-th step of a direction.
func (l *lstmLayer) one(lr *layerWorkspace, d, n, steps, j int, recur bool) {
	c, cr := &l.cells[d], &lr.cells[d]
	t, from := c.step(j, steps)
	g := cr.g[t*n*l.gates():]
	if recur {
		kernel.Mul(n, l.Out, lr.h[from*n*l.wide+c.at:], l.wide, 1, c.wh.w, g, l.gates(), nil, true)
	}
	kernel.LSTM(n, l.hid, g, l.gates(), cr.c[from*n*l.hid:], cr.c[(t+1)*n*l.hid:], cr.tc[t*n*l.hid:],
		lr.h[(t+1)*n*l.wide+c.at:], l.wide)
}

// last is the block where a direction ends.
func (c *lstmCell) last(steps int) int {
	if c.backwards {
		return 1
	}
	return steps
}

// give makes the output of layer i.
func (s *recurrent) give(r *sequenceWorkspace, i, n, steps int, dropout bool) {
	l, lr := &s.layers[i], &r.layers[i]
	if l.single {
		for d := range l.cells {
			c := &l.cells[d]
			copyColumns(lr.final, lr.h[c.last(steps)*n*l.wide:], n, l.wide, c.at, l.hid)
		}
		lr.out = lr.final[:n*l.wide]
	} else {
		lr.out = lr.h[l.first*n*l.wide : (l.first+steps)*n*l.wide]
	}
	if !dropout || l.Dropout == 0 {
		return
	}
	for at := 0; at < len(lr.out); at += l.wide {
		row := at / l.wide
		s.mask(l, lr.mask[at:at+l.wide], i, r.step, (r.first+row%n)*s.Steps+row/n)
	}
	to := lr.out // the final output is a copy already
	if !l.single {
		to = lr.dropped[:len(lr.out)]
	}
	for j, v := range lr.out {
		to[j] = v * lr.mask[j]
	}
	lr.out = to
}

// mask is what a row of layer i's output is multiplied by, in the layout of the states.
func (s *recurrent) mask(l *lstmLayer, to []float32, i, step, place int) {
	Mask(to[:l.Columns()], l.Dropout, s.Seed, step, i, place)
	if len(l.cells) > 1 {
		copy(to[l.hid:l.hid+l.Out], to[l.Out:2*l.Out])
	}
	for d := range l.cells {
		clear(to[d*l.hid+l.Out : (d+1)*l.hid])
	}
}

// copyColumns copies a run of columns of n rows.
func copyColumns(to, from []float32, n, wide, at, columns int) {
	for i := range n {
		copy(to[i*wide+at:i*wide+at+columns], from[i*wide+at:i*wide+at+columns])
	}
}

// output makes the head's output for rows rows of the last layer's.
func (s *recurrent) output(r *sequenceWorkspace, rows int) {
	l := &s.layers[len(s.layers)-1]
	top := r.layers[len(s.layers)-1].out
	kernel.Mul(rows, s.head.k(), top, l.wide, 1, s.head.w, r.y, s.wide, s.bias.rows, false)
}

// backward makes g the gradient of the parameters, or with add adds it, but for the head's biases. The
// gradient of the head's output, rows rows, stands in r.y. Tables and biases are added to in any case.
func (s *recurrent) backward(r *sequenceWorkspace, n, rows int, g []float32, add bool) {
	last := len(s.layers) - 1
	l, lr := &s.layers[last], &r.layers[last]
	kernel.MulInto(s.head.k(), rows, lr.out, 1, l.wide, r.y, s.wide, s.head.packed(g), add)
	kernel.Mul(rows, s.Out, r.y, s.wide, 1, s.head.wt, s.gradientOf(r, last, n), l.wide, nil, false)
	for i := last; i >= 0; i-- {
		s.spread(r, i, n)
		for d := range s.layers[i].cells {
			s.back(r, i, d, n)
			s.weights(r, i, d, n, g, add)
		}
	}
	if s.embed != nil {
		to := s.embed.part(g)
		for at, symbol := range r.symbols[:s.Steps*n] {
			sum := to[int(symbol)*s.inWide : (int(symbol)+1)*s.inWide]
			for j, v := range r.dx[at*s.inWide : (at+1)*s.inWide] {
				sum[j] += v
			}
		}
	}
}

// gradientOf is where the gradient of what layer i gives belongs; layer −1 is the embedding.
func (s *recurrent) gradientOf(r *sequenceWorkspace, i, n int) []float32 {
	if i < 0 {
		return r.dx
	}
	l, lr := &s.layers[i], &r.layers[i]
	if l.single {
		return lr.dfinal[:n*l.wide]
	}
	return lr.dh[l.first*n*l.wide : (l.first+s.Steps)*n*l.wide]
}

// spread takes the gradient of what layer i gives back to its states, and that of the last cells.
func (s *recurrent) spread(r *sequenceWorkspace, i, n int) {
	l, lr := &s.layers[i], &r.layers[i]
	for d := range lr.cells {
		clear(lr.cells[d].dc[:n*l.hid])
	}
	if i+1 < len(s.layers) && s.layers[i+1].Decoder {
		next := &r.layers[i+1]
		end := (s.Steps + 1) * n
		clear(lr.dh[:end*l.wide])
		copy(lr.dh[(end-n)*l.wide:end*l.wide], next.dh[end*l.wide:])
		copy(lr.cells[0].dc[:n*l.hid], next.cells[0].dc)
		return
	}
	d := s.gradientOf(r, i, n)
	if l.Dropout > 0 {
		for j, m := range lr.mask[:len(d)] {
			d[j] *= m
		}
	}
	if l.single {
		clear(lr.dh[:(s.Steps+2)*n*l.wide])
		for k := range l.cells {
			c := &l.cells[k]
			copyColumns(lr.dh[c.last(s.Steps)*n*l.wide:], d, n, l.wide, c.at, l.hid)
		}
	}
}

// back goes through the steps of a direction from the last to the first.
func (s *recurrent) back(r *sequenceWorkspace, i, d, n int) {
	l, lr := &s.layers[i], &r.layers[i]
	c, cr := &l.cells[d], &lr.cells[d]
	for j := l.count(s.Steps) - 1; j >= 0; j-- {
		t, from := c.step(j, s.Steps)
		g := cr.g[t*n*l.gates():]
		kernel.LSTMGrad(n, l.hid, g, l.gates(), cr.c[from*n*l.hid:], cr.tc[t*n*l.hid:], cr.dc,
			lr.dh[(t+1)*n*l.wide+c.at:], l.wide)
		if j > 0 || l.Decoder {
			kernel.Mul(n, 4*l.hid, g, l.gates(), 1, c.wh.wt, lr.dh[from*n*l.wide+c.at:], l.wide, nil, true)
		}
	}
}

// weights makes the gradient of a direction's weights and of what layer i takes, from that of the gates.
func (s *recurrent) weights(r *sequenceWorkspace, i, d, n int, g []float32, add bool) {
	l, lr := &s.layers[i], &r.layers[i]
	c, cr := &l.cells[d], &lr.cells[d]
	ldg := l.gates()

	// The steps that begin with a state other than 0 are one less than all, in either direction; of a decoder
	// they are all, which are one less than a sample's.
	first := 1
	if c.backwards && !l.Decoder {
		first = 0
	}
	from := first
	if c.backwards {
		from += 2
	}
	if s.Steps > 1 {
		kernel.MulInto(l.Out, (s.Steps-1)*n, lr.h[from*n*l.wide+c.at:], 1, l.wide, cr.g[first*n*ldg:], ldg,
			c.wh.packed(g), add)
	} else if !add {
		clear(c.wh.part(g))
	}

	x, wide := s.input(r, i)
	dg, rows := cr.g[:s.Steps*n*ldg], s.Steps*n
	sums := r.sums[:ldg]
	switch {
	case l.Decoder:
		x, dg, rows = x[n*wide:], dg[n*ldg:], rows-n
	case l.Repeat: // one projection has served all steps: its gradient is the sum of theirs
		all := r.sums[ldg : ldg+n*ldg]
		clear(all)
		kernel.ColumnSums(s.Steps, n*ldg, dg, all)
		dg, rows = all, n
	}
	clear(sums)
	kernel.ColumnSums(rows, ldg, dg, sums)
	for _, b := range []*array{c.bx, c.bh} {
		to := b.part(g)
		for j, v := range sums[:4*l.hid] {
			to[j] += v
		}
	}
	switch {
	case c.wx.table:
		to := c.wx.part(g)
		for at, symbol := range r.symbols[:rows] {
			sum := to[int(symbol)*4*l.hid : (int(symbol)+1)*4*l.hid]
			for j, v := range dg[at*ldg : at*ldg+4*l.hid] {
				sum[j] += v
			}
		}
	case rows > 0:
		kernel.MulInto(c.wx.k(), rows, x, 1, wide, dg, ldg, c.wx.packed(g), add)
	case !add:
		clear(c.wx.part(g))
	}
	if c.wx.transpose {
		kernel.Mul(rows, 4*l.hid, dg, ldg, 1, c.wx.wt, s.gradientOf(r, i-1, n), wide, nil, d > 0)
	}
}
