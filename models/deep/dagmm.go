package deep

import (
	"context"
	"errors"
	"fmt"
	"math"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/nn"
	"plumbline/numeric/cluster"
)

func init() {
	models.Register(models.Info{
		Name: "dagmm",
		Doc: "Deep auto-encoding Gaussian mixture: an auto-encoder and, on its bottleneck and errors, a mixture whose " +
			"memberships a second network gives, trained as one; the score is the energy of a row in the mixture.",
		Paper: "B. Zong, Q. Song, M. R. Min, W. Cheng, C. Lumezanu, D. Cho, H. Chen, Deep Autoencoding Gaussian Mixture " +
			"Model for Unsupervised Anomaly Detection, ICLR 2018",
		Needs:    models.Needs{Input: data.Vectors},
		Defaults: func() models.Spec { return defaultDAGMM() },
	})
}

func defaultDAGMM() *DAGMM {
	s := &DAGMM{Hidden: []int{60, 30, 10, 1}, Estimation: []int{10}, Dropout: 0.5, Components: 4, Energy: 0.1,
		Penalty: 0.005, Ridge: 1e-6, Training: nn.DefaultTraining(200, 256)}
	s.Optimiser.Clip = 5
	return s
}

// DAGMM configures dagmm. A compression network, an auto-encoder with the bottleneck z and the reconstruction x', gives
//
//	f(x) = (z, ‖x−x'‖/‖x‖, x·x'/(‖x‖·‖x'‖))
//
// and an estimation network with softmax makes memberships γ of K Gaussians of it, whose parameters are those that the
// rows of a batch have with these memberships. With E(f) = −log Σ_k φ_k N(f; µ_k, Σ_k) the energy,
//
//	loss  = mean over a batch of ‖x−x'‖² + λ1·E(f(x)), plus λ2·Σ_k Σ_j 1/(Σ_k)_jj
//	score = E(f(x)), of the mixture that all training rows have after training
//
// (equations 2 to 8). The training is known to be unstable: covariances become singular, components die, gradients
// explode. Here λ2 and a ridge on the diagonals keep covariances from being singular, components with hardly a row are
// left out, gradients are clipped (optimiser.clip), and where the loss is no number in spite of that, Fit ends with an
// error. Departures: ridge, dead components and clipping; the norms that are divided by are at least 1e-6;
// batches of 256 and a rate of 0.001 in place of 1024 and 0.0001, with which 200 epochs on some thousand rows would
// hardly move the weights (the paper has 20,000 epochs on small tables).
//
// An epoch costs O(n·(w + K·b²)) for w weights and f of b numbers, a score O(w + K·b²).
type DAGMM struct {
	// sizes of the encoder's layers, that of the bottleneck last; the decoder mirrors them
	Hidden []int `yaml:"hidden" jsonschema:"minItems=1,minimum=1,maximum=65536"`
	// sizes of the estimation network's layers before the memberships
	Estimation []int `yaml:"estimation" jsonschema:"minItems=1,minimum=1,maximum=65536"`
	// share of the outputs of the estimation network's layers that is set to 0 in training
	Dropout float64 `yaml:"dropout" jsonschema:"minimum=0,exclusiveMaximum=1"`
	// K: Gaussians
	Components int `yaml:"components" jsonschema:"minimum=1,maximum=1000"`
	// λ1: weight of the energy
	Energy float64 `yaml:"energy" jsonschema:"minimum=0,maximum=1000"`
	// λ2: weight of the reciprocals of the variances
	Penalty float64 `yaml:"penalty" jsonschema:"minimum=0,maximum=1000"`
	// what is added to the diagonals of the covariances
	Ridge       float64 `yaml:"ridge" jsonschema:"exclusiveMinimum=0,maximum=1"`
	nn.Training `yaml:",inline"`
}

// New checks the values.
func (s *DAGMM) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec("dagmm", s); err != nil {
		return nil, err
	}
	if err := badSpec("dagmm", checkTraining(s.Training)); err != nil {
		return nil, err
	}
	m := dagmm{spec: *s, env: env}
	return models.NewFitted(models.Method[*dagmm]{
		Name: "dagmm", Spec: s, Reads: models.ReadsRows, Min: 1, Fit: m.fit, Load: m.load,
	}), nil
}

// Rescaled is the same with a training that is this many times as long.
func (s *DAGMM) Rescaled(factor float64) models.Spec {
	longer := *s
	longer.Training = s.Training.Stretched(factor)
	return &longer
}

// dagmm is the settings and, in what fit and load return, what was learned.
type dagmm struct {
	spec DAGMM
	env  models.Env
	net  nn.Network
	p    nn.Params
	mix  []component
}

// network is both networks as one.
func (s *DAGMM) network(d int) nn.Network {
	n := nn.Network{Layers: nn.Autoencoder(d, s.Hidden, nn.Tanh), Latent: len(s.Hidden)}
	n.Bridge = &nn.Bridge{After: len(n.Layers), Weight: 1}
	n.Objective = &energyGoal{s.Energy, s.Penalty, s.Ridge}
	joined := s.Hidden[len(s.Hidden)-1] + nn.BridgeColumns
	for _, l := range layers(joined, append(s.Estimation[:len(s.Estimation):len(s.Estimation)], s.Components), nn.Tanh,
		false) {
		if l.Activation != nn.Linear {
			l.Dropout = s.Dropout
		}
		n.Layers = append(n.Layers, l)
	}
	return n
}

func (m dagmm) fit(ctx context.Context, train *data.Set) (*dagmm, error) {
	m.net = m.spec.network(train.D)
	job := nn.TrainJob{Network: m.net, Inputs: train.X, Targets: train.X, Rows: train.N}
	var err error
	if m.p, err = job.Train(ctx, m.env, m.spec.Training); err != nil {
		return nil, err
	}
	f, err := m.joined(ctx, train)
	if err != nil {
		return nil, err
	}
	estimation, weights := m.estimation()
	gamma := make([][]float64, train.N)
	width := estimation.Layers[0].In
	rows := make([][]float32, train.N)
	estimation.NewScorer(weights).Each(f, 0, train.N, 0, func(i int, logits []float32) {
		gamma[i] = make([]float64, len(logits))
		memberships(logits, gamma[i])
		rows[i] = f[i*width : (i+1)*width]
	})
	m.mix, err = mixtureOf(gamma, rows, m.spec.Ridge)
	return &m, err
}

// compression is the auto-encoder.
func (m *dagmm) compression() (nn.Network, nn.Params) {
	n := nn.Network{Layers: m.net.Layers[:m.net.Bridge.After]}
	return n, m.p[:len(n.Arrays())]
}

// estimation is the network of the memberships.
func (m *dagmm) estimation() (nn.Network, nn.Params) {
	n := nn.Network{Layers: m.net.Layers[m.net.Bridge.After:]}
	return n, m.p[len(m.p)-len(n.Arrays()):]
}

// joined is f of each row.
func (m *dagmm) joined(ctx context.Context, s *data.Set) ([]float32, error) {
	b := m.net.Bottleneck()
	width := b + nn.BridgeColumns
	out := make([]float32, s.N*width)
	scorer := func() *nn.Scorer { n, p := m.compression(); return n.NewScorer(p) }()
	err := m.env.Blocks(ctx, s.N, 1024, func(from, to int) {
		own := scorer.Clone()
		own.Each(s.X, from, to, m.net.Latent, func(i int, z []float32) { copy(out[i*width:], z) })
		own.Each(s.X, from, to, 0, func(i int, y []float32) {
			f := out[i*width : (i+1)*width]
			nn.BridgeFeatures(s.Row(i), f[:b], y, f)
			for j, v := range f {
				if !(math.Abs(float64(v)) <= nn.OverflowValue) {
					f[j] = nn.OverflowValue
				}
			}
		})
	})
	return out, err
}

// Score is the energy of each row.
func (m *dagmm) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	f, err := m.joined(ctx, s)
	if err != nil {
		return nil, err
	}
	out := make([]float64, s.N)
	width := len(f) / max(1, s.N)
	err = m.env.Blocks(ctx, s.N, 1024, func(from, to int) {
		for i := from; i < to; i++ {
			out[i] = energy(m.mix, f[i*width:(i+1)*width], nil)
		}
	})
	return out, err
}

// State is the weights and the mixture.
func (m *dagmm) State() (any, models.Arrays, error) {
	arrays := m.p.Named(m.net.Arrays())
	var shares, means, whitening []float64
	d := m.net.Bottleneck() + nn.BridgeColumns
	for _, c := range m.mix {
		shares = append(shares, c.share)
		if c.share == 0 {
			means, whitening = append(means, make([]float64, d)...), append(whitening, make([]float64, d*d)...)
			continue
		}
		means, whitening = append(means, c.mean...), append(whitening, c.g.W...)
	}
	arrays["shares"], arrays["means"], arrays["whitening"] = shares, means, whitening
	return nil, arrays, nil
}

func (m dagmm) load(st models.State) (_ *dagmm, err error) {
	if m.net, m.p, err = loadNetwork(st, m.spec.network); err != nil {
		return nil, err
	}
	d, k := m.net.Bottleneck()+nn.BridgeColumns, m.spec.Components
	shares, err := models.FiniteArray[float64](st.Arrays, "shares", k)
	means, err2 := models.FiniteArray[float64](st.Arrays, "means", k*d)
	whitening, err3 := models.FiniteArray[float64](st.Arrays, "whitening", k*d*d)
	if err := errors.Join(err, err2, err3); err != nil {
		return nil, err
	}
	total := 0.0
	for i, v := range shares {
		total += v
		c := component{share: v, mean: means[i*d : (i+1)*d]}
		w := whitening[i*d*d : (i+1)*d*d]
		for j := range d {
			if v > 0 && !(w[j*d+j] > 0) {
				return nil, fmt.Errorf("component %d has no density", i)
			}
		}
		if v > 0 {
			c.g = cluster.Whitened(c.mean, w)
		}
		m.mix = append(m.mix, c)
		if !(v >= 0) {
			return nil, fmt.Errorf("component %d has a share of %v", i, v)
		}
	}
	if !(math.Abs(total-1) < 1e-6) {
		return nil, fmt.Errorf("the components' shares add up to %v", total)
	}
	return &m, nil
}
