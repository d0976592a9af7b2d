package supervised

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/nn"
	"plumbline/numeric/elementary"
)

// MLP is a multi-layer perceptron: dense layers, and a logistic function of the last or, with more than two classes, a
// softmax. With w_i the weights of the rows and y_i their classes,
//
//	loss  = mean over a batch of −w_i·log p(y_i | x_i)
//	score = 1 − p(benign | x)
//
// (D. Rumelhart, G. Hinton, R. Williams, Learning representations by back-propagating errors, Nature 323, 1986; the
// optimiser and its rate as in scikit-learn.) A share of the rows is held out, and training ends when their loss falls
// no more: validation and patience, which 0 turns off. Columns should be scaled.
//
// An epoch costs O(n·w) for w weights, each scored row w.
type MLP struct {
	Common `yaml:",inline"`
	// sizes of the layers before the one that gives the classes; none: logistic or softmax regression
	Hidden []int `yaml:"hidden" jsonschema:"minimum=1,maximum=65536"`
	// of these layers
	Activation nn.Activation `yaml:"activation" jsonschema:"enum=relu,enum=leaky_relu,enum=tanh,enum=sigmoid"`
	// share of the outputs of these layers that is set to 0 in training (Srivastava and others 2014)
	Dropout     float64 `yaml:"dropout" jsonschema:"minimum=0,exclusiveMaximum=1"`
	nn.Training `yaml:",inline"`
}

func init() {
	models.Register(models.Info{
		Name: "mlp",
		Doc: "Multi-layer perceptron: a network of dense layers with a softmax of the classes; the score is the " +
			"probability of an attack.",
		Paper: "D. Rumelhart, G. Hinton, R. Williams, Learning representations by back-propagating errors, Nature, 1986",
		Needs: models.Needs{Input: data.Vectors, Labels: models.AllLabels},
		Defaults: func() models.Spec {
			s := &MLP{Common: defaultCommon(), Hidden: []int{64, 32}, Activation: nn.ReLU,
				Training: nn.DefaultTraining(100, 200)}
			s.Validation, s.Patience = 0.1, 10
			return s
		},
	})
}

// New checks the values and builds an unfitted detector.
func (s *MLP) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec("mlp", s); err != nil {
		return nil, err
	}
	err := s.Training.Check()
	if s.Engine != "fused" {
		err = errors.Join(err, fmt.Errorf("engine: %s has no cross-entropy; take fused", s.Engine))
	}
	if err != nil {
		return nil, fmt.Errorf("mlp: %w: %w", models.ErrSpec, err)
	}
	spec := *s
	return build(plan{name: "mlp", spec: s, common: s.Common, learn: spec.learn, load: spec.load}, env), nil
}

// perceptron is a trained network of k classes.
type perceptron struct {
	net nn.Network
	p   nn.Params
	k   int
}

func (s *MLP) network(d, k int) nn.Network {
	var net nn.Network
	for _, h := range append(s.Hidden[:len(s.Hidden):len(s.Hidden)], functions(k)) {
		net.Layers = append(net.Layers, nn.Dense{In: d, Out: h, Activation: s.Activation, Dropout: s.Dropout})
		d = h
	}
	last := &net.Layers[len(net.Layers)-1]
	last.Activation, last.Dropout = nn.Linear, 0
	return net
}

// crossEntropy is the objective of mlp; a row of targets has the row's weight at its class and 0 elsewhere.
type crossEntropy struct{ Classes int }

// Gradient is −Σ_c t_c·log p_c, and (Σt)·p − t in the margins.
func (o *crossEntropy) Gradient(b *nn.Batch) float64 {
	n, loss := float64(len(b.Output)), 0.0
	margins, p := make([]float64, functions(o.Classes)), make([]float64, o.Classes)
	for i, y := range b.Output {
		for c, v := range y {
			margins[c] = float64(v)
		}
		softmax(margins, p)
		total := 0.0
		for c, t := range b.Target[i] {
			total += float64(t)
			if t > 0 {
				loss -= float64(float64(t) * elementary.Log(max(p[c], leastProbability)))
			}
		}
		for c := range y {
			at := c + o.Classes - len(y) // a single margin is that of the last class
			b.Slope[i][c] = float32((float64(total*p[at]) - float64(b.Target[i][at])) / n)
		}
	}
	return loss
}

func (s *MLP) learn(ctx context.Context, env models.Env, p *problem) (classifier, error) {
	targets := make([]float32, p.n*p.k)
	for i, c := range p.y {
		targets[i*p.k+int(c)] = float32(p.w[i])
	}
	m := &perceptron{net: s.network(p.d, p.k), k: p.k}
	job := nn.TrainJob{Network: m.net, Inputs: p.x, Targets: targets, Rows: p.n}
	job.Network.Objective = &crossEntropy{p.k}
	var err error
	m.p, err = job.Train(ctx, env, s.Training)
	return m, err
}

func (m *perceptron) probabilities(ctx context.Context, env models.Env, x []float32, n int, out []float64) error {
	scorer := m.net.NewScorer(m.p)
	return env.Blocks(ctx, n, 1024, func(from, to int) {
		margins := make([]float64, functions(m.k))
		scorer.Clone().Each(x, from, to, 0, func(i int, y []float32) {
			for c, v := range y {
				if margins[c] = float64(v); !(math.Abs(margins[c]) <= nn.OverflowValue) { // float32 overflowed
					margins[c] = math.Copysign(nn.OverflowValue, margins[c])
				}
			}
			softmax(margins, out[i*m.k:(i+1)*m.k])
		})
	})
}

func (m *perceptron) state() (any, models.Arrays) { return nil, m.p.Named(m.net.Arrays()) }

func (s *MLP) load(_ json.RawMessage, arrays models.Arrays, d, k int) (classifier, error) {
	if d > 1<<20 {
		return nil, fmt.Errorf("%d columns", d)
	}
	net := s.network(d, k)
	p, err := nn.LoadParams(arrays, net.Arrays())
	return &perceptron{net, p, k}, err
}
