package nn

import "plumbline/numeric/kernel"

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
