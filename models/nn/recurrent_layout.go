package nn

import "plumbline/numeric/kernel"

// array is one of the parameter arrays, as products or look-ups read it: weights from in inputs to out outputs,
// either packed or as a table of a padded row for each input. Inputs and outputs come in blocks, such as the
// gates, each of which is padded on its own; the padding is 0 and stays it.
type array struct {
	at, size          int // among the parameters
	in, inBlock       int
	out, outBlock     int
	inputMajor, table bool // the array of Params is in×out, not out×in; rows are looked up
	transpose         bool
	w, wt             kernel.Packed // not of a table
	rows              []float32     // of a table
}

// place is where number i is when blocks of the given size are padded.
func place(i, block int) int { return i/block*kernel.Pad(block) + i%block }

// k is how many rows a product with the weights runs over, and wide how many columns it gives.
func (a *array) k() int { return place(a.in-1, a.inBlock) + 1 }

func (a *array) wide() int { return a.out / a.outBlock * kernel.Pad(a.outBlock) }

// index is where the weight from input i to output o is, counted from at.
func (a *array) index(i, o int) int {
	i, o = place(i, a.inBlock), place(o, a.outBlock)
	if a.table {
		return i*a.wide() + o
	}
	return a.w.Index(i, o)
}

// paramsIndex is where it is in the array of Params.
func (a *array) paramsIndex(i, o int) int {
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

// load takes over weights as Params has them.
func (s *recurrent) load(p Params, flat []float32) {
	for n, a := range s.arrays {
		to := a.part(flat)
		for o := range a.out {
			for i := range a.in {
				to[a.index(i, o)] = p[n][a.paramsIndex(i, o)]
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

// unpacked is numbers of the parameters' layout in the order of Params.
func (s *recurrent) unpacked(flat []float32) Params {
	var out Params
	for _, a := range s.arrays {
		from, to := a.part(flat), make([]float32, a.in*a.out)
		for o := range a.out {
			for i := range a.in {
				to[a.paramsIndex(i, o)] = from[a.index(i, o)]
			}
		}
		out = append(out, to)
	}
	return out
}
