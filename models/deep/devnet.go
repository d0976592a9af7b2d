package deep

import (
	"context"
	"errors"
	"math"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/nn"
	"plumbline/numeric/stat"
)

func init() {
	models.Register(models.Info{
		Name: "devnet",
		Doc: "Deviation network: a network whose output is small for most rows and at least some standard deviations " +
			"above a normal reference for labelled attacks; the score is that deviation.",
		Paper: "G. Pang, C. Shen, A. van den Hengel, Deep Anomaly Detection with Deviation Networks, KDD 2019",
		Needs: models.Needs{Input: data.Vectors, Labels: models.SomeLabels},
		Defaults: func() models.Spec {
			s := &DevNet{Hidden: []int{20}, Reference: 5000, Margin: 5, Batches: 20, Training: nn.DefaultTraining(50, 512)}
			s.Optimiser.Kind, s.Optimiser.Clip, s.Optimiser.WeightDecay = "rmsprop", 1, 0.01
			return s
		},
	})
}

// DevNet configures devnet. With a network φ: ℝᵈ → ℝ, and µ and σ the mean and the standard deviation of a number of
// draws from N(0, 1),
//
//	dev(x) = (φ(x) − µ)/σ
//	loss   = mean over a batch of |dev(x)| for a row and max(0, a − dev(x)) for a labelled attack
//	score  = dev(x)
//
// (equations 3 to 6). In an epoch labelled attacks are met as often as other rows: each is repeated. Departures: the
// original draws batches of one half attacks with replacement, and here all rows of an epoch, the repeated attacks
// among them, are met in random order, so that halves are so on average; its decay is on the hidden layer alone.
//
// An epoch costs O(max(n, batches·batch)·w) for w weights, a score O(w).
type DevNet struct {
	// sizes of the layers before the one that gives the score
	Hidden []int `yaml:"hidden" jsonschema:"minItems=1,minimum=1,maximum=65536"`
	// draws of the reference scores
	Reference int `yaml:"reference" jsonschema:"minimum=2,maximum=10000000"`
	// a: deviation that attacks are to have
	Margin float64 `yaml:"margin" jsonschema:"exclusiveMinimum=0,maximum=1000"`
	// batches of an epoch, at least: rows are repeated where there are fewer
	Batches     int `yaml:"batches" jsonschema:"minimum=0,maximum=100000"`
	nn.Training `yaml:",inline"`
}

// New checks the values.
func (s *DevNet) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec("devnet", s); err != nil {
		return nil, err
	}
	if err := badSpec("devnet", checkTraining(s.Training)); err != nil {
		return nil, err
	}
	m := devNet{spec: *s, env: env}
	return models.NewFitted(models.Method[*devNet]{
		Name: "devnet", Spec: s, Reads: models.ReadsRows, Labels: true, Min: 2, Fit: m.fit, Load: m.load,
	}), nil
}

// devNet is the settings and, in what fit and load return, what was learned.
type devNet struct {
	spec DevNet
	env  models.Env
	net  nn.Network
	p    nn.Params
	goal deviation
}

// deviation is the objective of devnet; a target is 1 for a labelled attack and 0 for other rows.
type deviation struct{ Mean, Sd, Margin float64 }

// Gradient is that of the loss of DevNet; where it has a kink, 0.
func (o *deviation) Gradient(b *nn.Batch) float64 {
	n := float64(len(b.Output))
	sum := 0.0
	for i, y := range b.Output {
		dev := (float64(y[0]) - o.Mean) / o.Sd
		slope := 0.0
		switch {
		case b.Target[i][0] != 1:
			sum += math.Abs(dev)
			if dev != 0 {
				slope = math.Copysign(1, dev)
			}
		case dev < o.Margin:
			sum += o.Margin - dev
			slope = -1
		}
		b.Slope[i][0] = float32(slope / (o.Sd * n))
	}
	return sum
}

func (s *DevNet) network(d int) nn.Network {
	return nn.Network{Layers: layers(d, append(s.Hidden[:len(s.Hidden):len(s.Hidden)], 1), nn.ReLU, false)}
}

// reference is the mean and the standard deviation of draws from N(0, 1).
func (s *DevNet) reference(env models.Env) deviation {
	r := env.Rand("reference")
	draws := make([]float64, s.Reference)
	for i := range draws {
		draws[i] = r.NormFloat64()
	}
	mean, sd := stat.MeanSD(draws)
	return deviation{mean, sd, s.Margin}
}

// balanced is the rows of an epoch: as many attacks as others, each list repeated until it is long enough.
func balanced(others, attacks []int32, least int) []int32 {
	half := max(len(others), len(attacks), least)
	out := make([]int32, 0, 2*half)
	for i := range half {
		out = append(out, others[i%len(others)], attacks[i%len(attacks)])
	}
	return out
}

func (m devNet) fit(ctx context.Context, train *data.Set) (_ *devNet, err error) {
	targets, others, attacks, err := attackTargets(train)
	if err != nil {
		return nil, err
	}
	m.goal = m.spec.reference(m.env)
	m.net = m.spec.network(train.D)
	job := nn.TrainJob{Network: m.net, Inputs: train.X, Targets: targets, Rows: train.N,
		Order: balanced(others, attacks, m.spec.Batches*m.spec.Batch/2)}
	job.Network.Objective = &m.goal
	m.p, err = job.Train(ctx, m.env, m.spec.Training)
	return &m, err
}

// Score is the deviation from the reference.
func (m *devNet) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	out := make([]float64, s.N)
	scorer := m.net.NewScorer(m.p)
	err := m.env.Blocks(ctx, s.N, 1024, func(from, to int) {
		scorer.Clone().Each(s.X, from, to, 0, func(i int, y []float32) {
			out[i] = bounded((float64(y[0]) - m.goal.Mean) / m.goal.Sd)
		})
	})
	return out, err
}

// State is the weights and the reference.
func (m *devNet) State() (any, models.Arrays, error) {
	arrays := m.p.Named(m.net.Arrays())
	arrays["reference"] = []float64{m.goal.Mean, m.goal.Sd}
	return nil, arrays, nil
}

func (m devNet) load(st models.State) (_ *devNet, err error) {
	if m.net, m.p, err = loadNetwork(st, m.spec.network); err != nil {
		return nil, err
	}
	ref, err := models.FiniteArray[float64](st.Arrays, "reference", 2)
	if err != nil {
		return nil, err
	}
	if m.goal = (deviation{ref[0], ref[1], m.spec.Margin}); !(m.goal.Sd > 0) {
		return nil, errors.New("the reference has no spread")
	}
	return &m, nil
}
