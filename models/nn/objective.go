package nn

import (
	"fmt"

	"plumbline/numeric/kernel"
)

// Objective is what a network is trained for, where that is not the distance of each output from its target. Its
// exported fields, or what it gives as JSON, tell objectives apart whose trainings must not be taken for each other's.
type Objective interface {
	// Gradient returns the sum of the losses of a batch's rows and fills Slope (and Joint, with a bridge) with the
	// gradient of their mean. It is called by one goroutine at a time, and belongs to one training.
	Gradient(b *Batch) float64
}

// Batch is the rows of a gradient step, in their order. The slices are valid until the objective returns.
type Batch struct {
	Target [][]float32
	Output [][]float32 // what the last layer gave
	Slope  [][]float32 // the gradient of the mean loss in Output, to be filled
	Bridge [][]float32 // what the bridge gave, without one empty
	Joint  [][]float32 // the gradient of the mean loss in Bridge but for what comes through Output; 0 at first
}

// Bridge joins an auto-encoder and a network that looks at it: after layer After, which gives a reconstruction x' of
// the input x, the next layer gets the bottleneck z and two distances of x' from x instead,
//
//	f = (z, ‖x−x'‖/‖x‖, x·x'/(‖x‖·‖x'‖))
//
// and the loss grows by Weight times the mean over rows of ‖x−x'‖² (Zong and others 2018).
type Bridge struct {
	After  int
	Weight float64
}

// BridgeColumns is how many numbers a [Bridge] adds to the bottleneck.
const BridgeColumns = 2

// bridged says whether layer i reads what the bridge gives.
func (n Network) bridged(i int) bool { return n.Bridge != nil && i == n.Bridge.After }

func (n Network) checkBridge() error {
	b := n.Bridge
	if b == nil {
		return nil
	}
	if n.Objective == nil || n.Latent < 1 || b.After <= n.Latent || b.After >= len(n.Layers) || !(b.Weight >= 0) ||
		n.Layers[b.After-1].Out != n.Layers[0].In || n.Layers[n.Latent-1].Dropout > 0 ||
		n.Layers[b.After-1].Dropout > 0 {
		return fmt.Errorf("neural: a bridge wants a bottleneck and a reconstruction before it, which drop no values, " +
			"layers and an objective after it")
	}
	return nil
}

func (n Network) checkObjective() error {
	if n.Objective == nil {
		return nil
	}
	if n.Loss != "" || n.Shrink > 0 || n.Centring > 0 || n.Centres != nil || n.Variational != nil {
		return fmt.Errorf("neural: an objective and another loss")
	}
	for i, l := range n.Layers {
		if l.Norm {
			return fmt.Errorf("neural: layer %d is normalised, which does not go with an objective", i)
		}
	}
	return nil
}

// shown is what an objective sees of a shard, and what it leaves there.
type shown struct {
	batch          Batch     // of the whole batch, in the first workspace
	features, from []float32 // what the bridge gives, and the gradient of that
	dz             []float32 // what of it goes to the bottleneck past the reconstruction
	grad           []float32
}

// allocateObjective gives a workspace of some rows what an objective needs.
func (t *fused) allocateObjective(r *workspace, rows int) {
	if b := t.net.Bridge; b != nil {
		wide := kernel.Pad(t.net.Bottleneck() + BridgeColumns)
		r.shown.features, r.shown.from = kernel.Alloc(rows*wide), kernel.Alloc(rows*wide)
		r.shown.grad = kernel.Alloc(rows * wide)
		r.shown.dz = kernel.Alloc(rows * kernel.Pad(t.net.Bottleneck()))
		r.in[b.After] = r.shown.features
	}
}

// show empties what the objective fills.
func (t *fused) show(r *workspace, p *pass) {
	last := len(t.stack.layers) - 1
	clear(r.grad[last])
	clear(r.shown.from)
}

// judge lets the objective look at the whole batch; it is done once, by the first shard.
func (t *fused) judge(r *workspace, p *pass) {
	if p.shard != 0 {
		return
	}
	last := len(t.stack.layers) - 1
	out, wide := t.stack.layers[last].Out, t.stack.wide
	b := &r.shown.batch
	*b = Batch{b.Target[:0], b.Output[:0], b.Slope[:0], b.Bridge[:0], b.Joint[:0]}
	in := t.stack.layers[0].In
	for _, o := range t.workspaces {
		for i, row := range o.pass.rows {
			width := len(p.target) / (len(p.x) / in)
			b.Target = append(b.Target, p.target[int(row)*width:(int(row)+1)*width])
			b.Output = append(b.Output, o.act[last][i*wide:i*wide+out])
			b.Slope = append(b.Slope, o.grad[last][i*wide:i*wide+out])
			if t.net.Bridge == nil {
				continue
			}
			f := t.net.Bottleneck() + BridgeColumns
			at := i * kernel.Pad(f)
			b.Bridge = append(b.Bridge, o.shown.features[at:at+f])
			b.Joint = append(b.Joint, o.shown.from[at:at+f])
		}
	}
	r.loss += t.net.Objective.Gradient(b)
}

// objectiveGrad takes the gradient that the objective left through the last activation, and adds its column sums to
// the biases'.
func (t *fused) objectiveGrad(r *workspace, p *pass) {
	last := len(t.stack.layers) - 1
	l := &t.stack.layers[last]
	l.Activation.backward(r.grad[last], r.act[last], p.g[l.bias:l.bias+t.stack.wide], len(p.rows), t.stack.wide)
}

// fixBiases leaves no gradient to the biases of layers that have none.
func (t *fused) fixBiases(_ *workspace, p *pass) {
	for i := range t.stack.layers {
		if l := &t.stack.layers[i]; l.NoBias {
			clear(p.g[l.bias : l.bias+kernel.Pad(l.Out)])
		}
	}
}

// objectiveLoss is the mean loss of rows as one batch, without anything dropped.
func (n Network) objectiveLoss(p Params, x, t []float32, rows int) (float64, error) {
	n.Layers = append([]Dense{}, n.Layers...)
	for i := range n.Layers {
		n.Layers[i].Dropout = 0
	}
	tr, err := fusedEngine{}.New(n, p, 1)
	if err != nil {
		return 0, err
	}
	defer tr.Close()
	all := make([]int32, rows)
	for i := range all {
		all[i] = int32(i)
	}
	loss, _, err := tr.Gradient(x, t, all)
	return loss, err
}
