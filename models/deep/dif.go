package deep

import (
	"context"
	"errors"
	"fmt"
	"math"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/nn"
	"plumbline/numeric/elementary"
	"plumbline/numeric/isolation"
	"plumbline/numeric/stat"
)

func init() {
	models.Register(models.Info{
		Name: "dif",
		Doc: "Deep isolation forest: isolation trees on what networks of random weights make of rows; the score falls " +
			"with the cuts that isolate a row and grows with its distances from them.",
		Paper: "H. Xu, G. Pang, Y. Wang, Y. Wang, Deep Isolation Forest for Anomaly Detection, IEEE Transactions on " +
			"Knowledge and Data Engineering 35, 2023",
		Needs: models.Needs{Input: data.Vectors},
		Defaults: func() models.Spec {
			return &DIF{Networks: 50, Trees: 6, MaxSamples: 256, Hidden: []int{500, 100}, Representation: 20,
				Activation: nn.Tanh}
		},
	})
}

// DIF configures dif. Networks φ_1 … φ_r without biases, whose weights are drawn from N(0, 1) and not trained, give r
// representations of a row, each column of which is standardised by the training rows and goes through tanh. On each
// of them t isolation trees are grown on ψ rows, as those of iforest are. With h(x) the path of a row in a tree, c(ψ)
// as for iforest, and g(x) the mean of |z_j − cut| over the cuts on the path, z the representation,
//
//	score(x) = mean over representations of 2^(−mean h(x)/c(ψ)) · mean g(x), the inner means over the trees on one
//
// which follows the authors' code in PyOD, as to tanh and the outer mean too. Departures: the mean and deviation of a
// column are those of the training rows (there, of the batch that is scored), so that a row's score is its own; their
// scaling of the inputs to [0, 1] is left to preprocessing. Columns should be scaled: with weights of N(0, 1) large
// values leave no more of tanh than signs.
//
// Fit costs n·r·w for w weights of a network and r·t·ψ·log ψ steps, a score r·w and r·t·log ψ.
type DIF struct {
	// r: networks
	Networks int `yaml:"networks" jsonschema:"minimum=1,maximum=10000"`
	// t: trees on each representation
	Trees int `yaml:"trees" jsonschema:"minimum=1,maximum=10000"`
	// ψ: training rows of a tree; all where there are fewer
	MaxSamples int `yaml:"max_samples" jsonschema:"minimum=1"`
	// sizes of the networks' layers before the representation
	Hidden []int `yaml:"hidden" jsonschema:"minimum=1,maximum=65536"`
	// columns of a representation
	Representation int `yaml:"representation" jsonschema:"minimum=1,maximum=65536"`
	// of the layers but the last, which is linear
	Activation nn.Activation `yaml:"activation" jsonschema:"enum=tanh,enum=relu,enum=leaky_relu,enum=sigmoid"`
}

// New checks the values.
func (s *DIF) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec("dif", s); err != nil {
		return nil, err
	}
	m := dif{spec: *s, env: env}
	return models.NewFitted(models.Method[*dif]{
		Name: "dif", Spec: s, Reads: models.ReadsRows, Min: 1, Fit: m.fit, Load: m.load,
	}), nil
}

// dif is the settings and, in what fit and load return, the forests.
type dif struct {
	spec  DIF
	env   models.Env
	seed  uint64 // of the networks
	psi   int
	parts []isolatedView
}

// isolatedView is one representation and the trees on it.
type isolatedView struct {
	net       nn.Network
	p         nn.Params
	mean, inv []float64 // of the columns of the representation: mean and one over the standard deviation
	trees     []isolation.Tree
}

// network is network i of a seed.
func (s *DIF) network(seed uint64, d, i int) (nn.Network, nn.Params) {
	sizes := append(s.Hidden[:len(s.Hidden):len(s.Hidden)], s.Representation)
	net := nn.Network{Layers: layers(d, sizes, s.Activation, true)}
	r := models.Env{Seed: seed}.Rand(fmt.Sprint("dif network ", i))
	var p nn.Params
	for _, a := range net.Arrays() {
		w := make([]float32, a.Len)
		for k := range w {
			w[k] = float32(r.NormFloat64())
		}
		p = append(p, w)
	}
	return net, p
}

func (m dif) fit(ctx context.Context, train *data.Set) (*dif, error) {
	m.seed, m.psi = m.env.Seed, min(m.spec.MaxSamples, train.N)
	m.parts = make([]isolatedView, m.spec.Networks)
	for i := range m.parts {
		v := &m.parts[i]
		v.net, v.p = m.spec.network(m.seed, train.D, i)
		d := m.spec.Representation
		z := make([]float32, train.N*d)
		scorer := v.net.NewScorer(v.p)
		if err := m.env.Blocks(ctx, train.N, 256, func(from, to int) {
			scorer.Clone().Each(train.X, from, to, 0, func(k int, out []float32) { copy(z[k*d:], out) })
		}); err != nil {
			return nil, err
		}
		v.standard(z, train.N, d)
		v.trees = make([]isolation.Tree, m.spec.Trees)
		err := models.ParallelRows(ctx, m.spec.Trees, 1, m.env.Parallel(), func() func(lo, hi int) {
			g := isolation.NewGrower(z, train.N, isolation.Settings{Rows: m.psi, MaxFeatures: 1})
			return func(k, _ int) { v.trees[k] = g.Grow(m.env.Rand(fmt.Sprint("dif tree ", i, " ", k))) }
		})
		if err != nil {
			return nil, err
		}
		m.env.Progress(models.Epoch{N: i + 1, Of: len(m.parts), Loss: math.NaN(), ValidLoss: math.NaN(), Rate: math.NaN(),
			Samples: train.N})
	}
	return &m, nil
}

// standard takes the means and deviations of a representation and standardises it.
func (v *isolatedView) standard(z []float32, n, d int) {
	v.mean, v.inv = make([]float64, d), make([]float64, d)
	column := make([]float64, n)
	for j := range d {
		for i := range column {
			column[i] = float64(z[i*d+j])
		}
		mean, variance := stat.MeanVariance(column)
		v.mean[j] = mean
		if v.inv[j] = 1 / math.Sqrt(variance); !(v.inv[j] <= math.MaxFloat32) {
			v.inv[j] = 1
		}
		if !(math.Abs(mean) <= math.MaxFloat32) {
			v.mean[j], v.inv[j] = 0, 1
		}
	}
	for i := range n {
		v.scale(z[i*d : (i+1)*d])
	}
}

// scale standardises a representation in place and takes it through tanh.
func (v *isolatedView) scale(z []float32) {
	for j, u := range z {
		if z[j] = float32(elementary.Tanh((float64(u) - v.mean[j]) * v.inv[j])); z[j] != z[j] { // overflow on the way
			z[j] = 0
		}
	}
}

// Score is high for rows that are isolated early and far from the cuts.
func (m *dif) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	out := make([]float64, s.N)
	trees := float64(m.spec.Trees)
	whole := trees * isolation.AveragePath(m.psi)
	scorers := make([]*nn.Scorer, len(m.parts))
	for i := range m.parts {
		scorers[i] = m.parts[i].net.NewScorer(m.parts[i].p)
	}
	err := m.env.Blocks(ctx, s.N, 256, func(from, to int) {
		for p := range m.parts {
			if ctx.Err() != nil {
				return
			}
			v := &m.parts[p]
			scorers[p].Clone().Each(s.X, from, to, 0, func(i int, z []float32) {
				v.scale(z)
				path, far := 0.0, 0.0
				for t := range v.trees {
					h, g := v.trees[t].Deviation(z)
					path += h
					far += g
				}
				if whole > 0 { // trees of one row have no cuts: 0
					out[i] += elementary.Exp2(-path/whole) * far / trees
				}
			})
		}
		for i := from; i < to; i++ {
			out[i] /= float64(len(m.parts))
		}
	})
	return out, err
}

// difMeta is the JSON part of the saved state.
type difMeta struct {
	Seed uint64 `json:"seed"` // of the networks, whose weights it stands for
	Rows int    `json:"rows_per_tree"`
}

// State is the trees, and the seed that the networks are drawn from.
func (m *dif) State() (any, models.Arrays, error) {
	var trees []isolation.Tree
	var scale []float64
	for _, v := range m.parts {
		trees = append(trees, v.trees...)
		scale = append(append(scale, v.mean...), v.inv...)
	}
	f := isolation.Flatten(trees)
	return difMeta{m.seed, m.psi}, models.Arrays{"sizes": f.Sizes, "column": f.Column, "cut": f.Cut, "right": f.Right,
		"path": f.Path, "scale": scale}, nil
}

func (m dif) load(st models.State) (*dif, error) {
	var meta difMeta
	if err := st.Meta(&meta); err != nil {
		return nil, err
	}
	d := m.spec.Representation
	var f isolation.Flat
	var err, err2, err3, err4, err5 error
	f.Sizes, err = models.Array[int32](st.Arrays, "sizes", m.spec.Networks*m.spec.Trees)
	f.Column, err2 = models.Array[int32](st.Arrays, "column", -1)
	f.Right, err3 = models.Array[int32](st.Arrays, "right", len(f.Column))
	f.Cut, err4 = models.FiniteArray[float32](st.Arrays, "cut", len(f.Column))
	f.Path, err5 = models.FiniteArray[float64](st.Arrays, "path", len(f.Column))
	scale, err6 := models.FiniteArray[float64](st.Arrays, "scale", m.spec.Networks*2*d)
	if err := errors.Join(err, err2, err3, err4, err5, err6); err != nil {
		return nil, err
	}
	if meta.Rows < 1 || st.Columns > maxColumns {
		return nil, fmt.Errorf("trees of %d rows, %d columns", meta.Rows, st.Columns)
	}
	trees, err := f.Trees(d)
	if err != nil {
		return nil, err
	}
	m.seed, m.psi = meta.Seed, meta.Rows
	for i := range m.spec.Networks {
		v := isolatedView{trees: trees[i*m.spec.Trees : (i+1)*m.spec.Trees]}
		v.mean, v.inv = scale[2*i*d:(2*i+1)*d], scale[(2*i+1)*d:(2*i+2)*d]
		v.net, v.p = m.spec.network(m.seed, st.Columns, i)
		m.parts = append(m.parts, v)
	}
	return &m, nil
}
