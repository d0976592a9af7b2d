package deep

import (
	"context"
	"fmt"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/nn"
)

func init() {
	models.Register(models.Info{
		Name: "deep_sad",
		Doc: "Deep semi-supervised anomaly detection: a network that maps rows close to one centre and labelled attacks " +
			"away from it; the score is the squared distance from it.",
		Paper: "L. Ruff, R. Vandermeulen, N. Görnitz, A. Binder, E. Müller, K.-R. Müller, M. Kloft, Deep Semi-Supervised " +
			"Anomaly Detection, ICLR 2020",
		Needs:    models.Needs{Input: data.Vectors, Labels: models.SomeLabels},
		Defaults: func() models.Spec { return defaultDeepSAD() },
	})
}

func defaultDeepSAD() *DeepSAD {
	s := &DeepSAD{Encoder: defaultEncoder(), Eta: 1, Training: nn.DefaultTraining(50, 128)}
	s.Optimiser.WeightDecay = 1e-6
	return s
}

// DeepSAD configures deep_sad. With a network φ without biases, the centre c, the mean of φ(x) before training over
// the rows that are not labelled attacks, n such rows and m attacks a,
//
//	loss  = (1/(n+m))·(Σ_i ‖φ(x_i) − c‖² + η·Σ_k 1/(‖φ(a_k) − c‖² + 1e-6))
//	score = ‖φ(x) − c‖²
//
// (equation 7 without labelled benign rows, which the paper weighs by η too.) Departures: the centre leaves labelled
// attacks out; the layers are dense and of one size for all data sets.
//
// An epoch costs O((n+m)·w) for w weights, a score O(w).
type DeepSAD struct {
	Encoder `yaml:",inline"`
	// η: weight of a labelled attack beside that of another row
	Eta         float64 `yaml:"eta" jsonschema:"exclusiveMinimum=0,maximum=1000000"`
	nn.Training `yaml:",inline"`
}

// New checks the values.
func (s *DeepSAD) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec("deep_sad", s); err != nil {
		return nil, err
	}
	if err := badSpec("deep_sad", checkTraining(s.Training)); err != nil {
		return nil, err
	}
	m := deepSAD{spec: *s, env: env}
	return models.NewFitted(models.Method[*deepSAD]{
		Name: "deep_sad", Spec: s, Reads: models.ReadsRows, Labels: true, Min: 2, Fit: m.fit, Load: m.load,
	}), nil
}

// deepSAD is the settings and, in what fit and load return, what was learned.
type deepSAD struct {
	spec   DeepSAD
	env    models.Env
	net    nn.Network
	p      nn.Params
	centre []float64
}

// repelling is the objective of deep_sad; a target is 1 for a labelled attack and 0 for other rows.
type repelling struct {
	Centre []float64
	Eta    float64
}

const repelFloor = 1e-6

// Gradient is that of the loss of DeepSAD.
func (o *repelling) Gradient(b *nn.Batch) float64 {
	n := float64(len(b.Output))
	sum := 0.0
	for i, z := range b.Output {
		far := squaredDistance(z, o.Centre)
		slope := 1.0
		if b.Target[i][0] == 1 {
			near := 1 / (far + repelFloor)
			far, slope = o.Eta*near, -o.Eta*near*near
		}
		sum += far
		for j, v := range z {
			b.Slope[i][j] = float32(2 * slope * (float64(v) - o.Centre[j]) / n)
		}
	}
	return sum
}

// attackTargets is 1 for attacks and 0 for other rows, and the places of both.
func attackTargets(s *data.Set) (targets []float32, others, attacks []int32, err error) {
	targets = make([]float32, s.N)
	for i, a := range s.Attack {
		if a {
			targets[i] = 1
			attacks = append(attacks, int32(i))
		} else {
			others = append(others, int32(i))
		}
	}
	if len(attacks) == 0 || len(others) == 0 {
		err = fmt.Errorf("%w: %d labelled attacks and %d other rows to learn from: both are needed", models.ErrInput,
			len(attacks), len(others))
	}
	return targets, others, attacks, err
}

func (m deepSAD) fit(ctx context.Context, train *data.Set) (*deepSAD, error) {
	targets, _, _, err := attackTargets(train)
	if err != nil {
		return nil, err
	}
	m.net = m.spec.network(train.D)
	start, err := m.spec.start(ctx, m.env, m.spec.Training, train)
	if err != nil {
		return nil, err
	}
	m.centre, err = m.spec.Encoder.centre(m.net, start, train, func(i int) bool { return targets[i] == 0 })
	if err != nil {
		return nil, err
	}
	job := nn.TrainJob{Network: m.net, Inputs: train.X, Targets: targets, Rows: train.N, Start: start}
	job.Network.Objective = &repelling{m.centre, m.spec.Eta}
	if m.p, err = job.Train(ctx, m.env, m.spec.Training); err != nil {
		return nil, err
	}
	far, err := distances(ctx, m.env, m.net, m.p, m.centre, train)
	warnOfCollapse(m.env, "deep_sad", far, train)
	return &m, err
}

// Score is the squared distance from the centre.
func (m *deepSAD) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	return distances(ctx, m.env, m.net, m.p, m.centre, s)
}

// State is the weights and the centre.
func (m *deepSAD) State() (any, models.Arrays, error) {
	return nil, sphereState(m.net, m.p, m.centre), nil
}

func (m deepSAD) load(st models.State) (_ *deepSAD, err error) {
	m.net, m.p, m.centre, err = m.spec.Encoder.load(st)
	return &m, err
}
