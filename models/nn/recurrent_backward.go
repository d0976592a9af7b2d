package nn

import "plumbline/numeric/kernel"

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
