// Package gorgonia runs networks on Gorgonia: the description becomes an expression graph, its gradient is
// derived symbolically, and a tape machine evaluates both. It registers the engine "gorgonia" and is the
// only package that imports Gorgonia.
package gorgonia

import (
	"errors"
	"slices"

	G "gorgonia.org/gorgonia"

	"plumbline/models/nn"
	"plumbline/numeric/cluster"
)

func init() { nn.RegisterEngine("gorgonia", engine{}) }

type engine struct{}

// New builds a trainer with its own copy of the weights.
func (engine) New(n nn.Network, p nn.Params, _ int) (nn.Trainer, error) {
	if err := n.Check(); err != nil {
		return nil, err
	}
	if err := n.Shape(p); err != nil {
		return nil, err
	}
	if n.Objective != nil || slices.ContainsFunc(n.Layers, func(l nn.Dense) bool { return l.NoBias }) {
		return nil, errors.New("gorgonia: networks with an objective of their own, or layers without biases, are trained " +
			"by the engine fused alone")
	}
	d := &dense{net: n, arrays: n.Arrays()}
	var matrices nn.Params
	var trained []int
	for i, a := range d.arrays {
		matrices = append(matrices, flip(n, a, p[i], false))
		if a.Trained {
			trained = append(trained, i)
		}
	}
	d.trainer = newTrainer(d, n.Optimiser, 0, matrices, trained)
	return d, nil
}

// dense is a feed-forward network in training. Its matrices are its arrays, weights In×Out.
type dense struct {
	*trainer
	net    nn.Network
	arrays []nn.Array
}

// flip turns layer weights from Out×In to the In×Out that the graph multiplies by, or back; others are copied.
func flip(n nn.Network, a nn.Array, w []float32, back bool) []float32 {
	out := slices.Clone(w)
	if a.Part != nn.Weight {
		return out
	}
	rows, cols := n.Layers[a.Layer].Out, n.Layers[a.Layer].In
	if back {
		rows, cols = cols, rows
	}
	for r := range rows {
		for c := range cols {
			out[c*rows+r] = w[r*cols+c]
		}
	}
	return out
}

// norm is the moments of a normalised layer's sums.
type norm struct {
	layer          int
	mean, variance G.Value
}

func (d *dense) widths() (sample, target int) {
	return d.net.Layers[0].In, d.net.Layers[len(d.net.Layers)-1].Out
}

func (d *dense) check(_, _ []float32, rows []int32) error {
	if len(rows) == 0 {
		return errors.New("gorgonia: no samples")
	}
	return nil
}

func (d *dense) loss(e expression, tp *tape) *G.Node {
	b := builder{e, d, tp}
	return b.network()
}

func (d *dense) unpacked(matrices nn.Params) nn.Params {
	out := make(nn.Params, len(matrices))
	for i := range out {
		out[i] = flip(d.net, d.arrays[i], matrices[i], true)
	}
	return out
}

// average brings the running averages of normalised layers up to date.
func (d *dense) average(tp *tape, rows int) {
	if rows < 2 {
		return
	}
	for _, m := range tp.norms {
		mean, variance := m.mean.Data().([]float32), m.variance.Data().([]float32)
		to, wide := d.net.Array(d.params, m.layer, nn.Mean), d.net.Array(d.params, m.layer, nn.Variance)
		for j := range to {
			to[j] += float32(0.1 * (mean[j] - to[j]))
			wide[j] += float32(0.1 * (variance[j]*float32(rows)/float32(rows-1) - wide[j]))
		}
	}
}

// prepare finds the nearest centre of each row of the bottleneck, by running the graph once.
func (d *dense) prepare(tp *tape) error {
	if tp.near == nil {
		return nil
	}
	near, members := tp.nearValues.Data().([]float32), tp.memberValues.Data().([]float32)
	clear(near)
	clear(members)
	if err := let(tp); err != nil {
		return err
	}
	if err := tp.vm.RunAll(); err != nil {
		return err
	}
	z := slices.Clone(tp.latent.Data().([]float32))
	for _, node := range tp.params { // the first run's gradients are of other centres
		if g, err := node.Grad(); err == nil {
			clear(g.Data().([]float32))
		}
	}
	tp.vm.Reset()
	wide := d.net.Bottleneck()
	rows := len(z) / wide
	count := make([]float32, len(d.net.Centres))
	of := make([]int, rows)
	for i := range rows {
		of[i] = cluster.Nearest(d.net.Centres, z[i*wide:(i+1)*wide])
		count[of[i]]++
	}
	for i, c := range of {
		copy(near[i*wide:(i+1)*wide], d.net.Centres[c])
		members[c*rows+i] = 1 / count[c]
	}
	return let(tp)
}

func let(tp *tape) error {
	return errors.Join(G.Let(tp.near, tp.nearValues), G.Let(tp.members, tp.memberValues))
}

// SetCentres changes the centres of the loss.
func (d *dense) SetCentres(centres [][]float32) error {
	n := d.net
	n.Centres = centres
	if err := n.Check(); err != nil {
		return err
	}
	if len(centres) != len(d.net.Centres) { // graphs are made for a number of centres
		if err := d.Close(); err != nil {
			return err
		}
	}
	d.net = n
	return nil
}

// Centres is the centres of the loss.
func (d *dense) Centres() [][]float32 { return d.net.Centres }

var _ nn.Centred = (*dense)(nil)
