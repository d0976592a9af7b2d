package nn

import (
	"plumbline/numeric/kernel"
)

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
