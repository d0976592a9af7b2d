package deep

import (
	"context"
	"errors"
	"math"
	"slices"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/nn"
	"plumbline/numeric/stat"
)

func init() {
	models.Register(models.Info{
		Name: "deep_svdd",
		Doc: "Deep support vector data description: a network that maps rows close to one centre; the score is the " +
			"squared distance from it.",
		Paper: "L. Ruff, R. Vandermeulen, N. Goernitz, L. Deecke, S. A. Siddiqui, A. Binder, E. Müller, M. Kloft, Deep " +
			"One-Class Classification, ICML 2018",
		Needs:    models.Needs{Input: data.Vectors},
		Defaults: func() models.Spec { return defaultDeepSVDD() },
	})
}

func defaultDeepSVDD() *DeepSVDD {
	s := &DeepSVDD{Encoder: defaultEncoder(), Objective: "one_class", Nu: 0.1, WarmUp: 10,
		Training: nn.DefaultTraining(50, 128)}
	s.Optimiser.WeightDecay = 1e-6
	return s
}

// DeepSVDD configures deep_svdd. With a network φ without biases and the centre c, the mean of φ(x) over the training
// rows before training,
//
//	one_class      loss = (1/n)·Σ_i ‖φ(x_i) − c‖²
//	soft_boundary  loss = R² + (1/(ν·n))·Σ_i max(0, ‖φ(x_i) − c‖² − R²)
//	score          ‖φ(x) − c‖², with soft_boundary less R²
//
// (equations 3 and 4; the decay of the weights is the optimiser's weight_decay.) R² is the (1−ν)-quantile of the
// training rows' squared distances, which makes the loss least for the weights as they are, anew after each epoch from
// the last one of the warm-up on. Departures: the original begins from an auto-encoder's weights on images by
// convolutions, and takes R from the last batch alone; the layers here are dense, of the sizes that the authors took
// for tables in their later Deep SAD; the rate is 0.001 throughout unless a schedule lowers it.
//
// An epoch costs O(n·w) for w weights, a score O(w).
type DeepSVDD struct {
	Encoder `yaml:",inline"`
	// what is trained for: all rows near the centre, or all but a share ν of them within a radius
	Objective string `yaml:"objective" jsonschema:"enum=one_class,enum=soft_boundary"`
	// ν, for soft_boundary: share of the training rows that may lie outside
	Nu float64 `yaml:"nu" jsonschema:"exclusiveMinimum=0,maximum=1"`
	// for soft_boundary: epochs in which the radius stays 0
	WarmUp      int `yaml:"warm_up" jsonschema:"minimum=0,maximum=100000"`
	nn.Training `yaml:",inline"`
}

// New checks the values.
func (s *DeepSVDD) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec("deep_svdd", s); err != nil {
		return nil, err
	}
	if err := badSpec("deep_svdd", checkTraining(s.Training)); err != nil {
		return nil, err
	}
	m := deepSVDD{spec: *s, env: env}
	return models.NewFitted(models.Method[*deepSVDD]{
		Name: "deep_svdd", Spec: s, Reads: models.ReadsRows, Min: 1, Fit: m.fit, Load: m.load,
	}), nil
}

// Rescaled is the same with a training that is this many times as long.
func (s *DeepSVDD) Rescaled(factor float64) models.Spec {
	longer := *s
	longer.Training = s.Training.Stretched(factor)
	return &longer
}

// deepSVDD is the settings and, in what fit and load return, what was learned.
type deepSVDD struct {
	spec   DeepSVDD
	env    models.Env
	net    nn.Network
	p      nn.Params
	centre []float64
	radius float64 // R², 0 for one_class
}

// sphere is the objective of deep_svdd.
type sphere struct {
	Centre []float64
	Soft   bool
	Nu     float64
	square float64 // R²
}

// Gradient is that of the loss of DeepSVDD.
func (o *sphere) Gradient(b *nn.Batch) float64 {
	n := float64(len(b.Output))
	sum := 0.0
	for i, z := range b.Output {
		far := squaredDistance(z, o.Centre)
		weight := 1.0
		if o.Soft {
			sum += o.square
			if far, weight = far-o.square, 1/o.Nu; far <= 0 {
				continue
			}
		}
		sum += float64(weight * far)
		for j, v := range z {
			b.Slope[i][j] = float32(2 * weight * (float64(v) - o.Centre[j]) / n)
		}
	}
	return sum
}

func (m deepSVDD) fit(ctx context.Context, train *data.Set) (*deepSVDD, error) {
	m.net = m.spec.network(train.D)
	start, err := m.spec.start(ctx, m.env, m.spec.Training, train)
	if err != nil {
		return nil, err
	}
	if m.centre, err = m.spec.Encoder.centre(m.net, start, train, func(int) bool { return true }); err != nil {
		return nil, err
	}
	goal := &sphere{Centre: m.centre, Soft: m.spec.Objective == "soft_boundary", Nu: m.spec.Nu}
	job := nn.TrainJob{Network: m.net, Inputs: train.X, Targets: train.X, Rows: train.N, Start: start}
	job.Network.Objective = goal
	if goal.Soft {
		done := -1 // epochs
		job.OnEpoch = func(tr nn.Trainer, _ []int32) (err error) {
			if done++; done >= m.spec.WarmUp {
				goal.square, err = m.quantile(ctx, tr.Params(), train)
			}
			return err
		}
		job.OnResume = func(tr nn.Trainer, epochs int) (err error) {
			if done = epochs; done >= m.spec.WarmUp {
				goal.square, err = m.quantile(ctx, tr.Params(), train)
			}
			return err
		}
	}
	if m.p, err = job.Train(ctx, m.env, m.spec.Training); err != nil {
		return nil, err
	}
	far, err := distances(ctx, m.env, m.net, m.p, m.centre, train)
	if err != nil {
		return nil, err
	}
	warnOfCollapse(m.env, "deep_svdd", far, train)
	if goal.Soft {
		slices.Sort(far)
		m.radius = stat.Quantile(far, 1-m.spec.Nu)
	}
	return &m, nil
}

// quantile is R² for the weights as they are.
func (m *deepSVDD) quantile(ctx context.Context, p nn.Params, train *data.Set) (float64, error) {
	far, err := distances(ctx, m.env, m.net, p, m.centre, train)
	slices.Sort(far)
	return stat.Quantile(far, 1-m.spec.Nu), err
}

// Score is the squared distance from the centre, or from the boundary.
func (m *deepSVDD) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	far, err := distances(ctx, m.env, m.net, m.p, m.centre, s)
	for i := range far {
		far[i] -= m.radius
	}
	return far, err
}

// State is the weights, the centre and the radius.
func (m *deepSVDD) State() (any, models.Arrays, error) {
	arrays := sphereState(m.net, m.p, m.centre)
	arrays["radius"] = []float64{m.radius}
	return nil, arrays, nil
}

func (m deepSVDD) load(st models.State) (_ *deepSVDD, err error) {
	if m.net, m.p, m.centre, err = m.spec.Encoder.load(st); err != nil {
		return nil, err
	}
	radius, err := models.FiniteArray[float64](st.Arrays, "radius", 1)
	if err != nil {
		return nil, err
	}
	if m.radius = radius[0]; !(m.radius >= 0 && m.radius <= math.MaxFloat32) {
		return nil, errors.New("the radius is out of range")
	}
	return &m, nil
}
