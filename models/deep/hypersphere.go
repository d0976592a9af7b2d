package deep

import (
	"context"
	"fmt"
	"math"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/nn"
)

// Encoder is the network of a hypersphere: layers without biases, whose last gives the representation φ(x). Without
// biases, and with activations that have no upper bound, no network can map all rows to the centre whatever they hold,
// but the one whose weights are all 0 (Ruff and others 2018, propositions 1 to 3).
type Encoder struct {
	// sizes of the layers, that of the representation last
	Hidden []int `yaml:"hidden" jsonschema:"minItems=1,minimum=1,maximum=65536"`
	// of the layers but the last, which is linear
	Activation nn.Activation `yaml:"activation" jsonschema:"enum=leaky_relu,enum=relu,enum=linear"`
	// epochs for which an auto-encoder of the same layers is trained first; its encoder's weights are what training
	// begins with; 0: none
	Pretrain int `yaml:"pretrain" jsonschema:"minimum=0,maximum=100000"`
	// least distance of the centre's coordinates from 0: one nearer to it is moved there, since a representation of 0 is
	// what weights of 0 give
	CentreFloor float64 `yaml:"centre_floor" jsonschema:"exclusiveMinimum=0,maximum=10"`
}

func defaultEncoder() Encoder {
	return Encoder{Hidden: []int{32, 16, 8}, Activation: nn.Leaky, Pretrain: 20, CentreFloor: 0.1}
}

func (e Encoder) network(d int) nn.Network {
	return nn.Network{Layers: layers(d, e.Hidden, e.Activation, true)}
}

// start is the weights that training begins with.
func (e Encoder) start(ctx context.Context, env models.Env, cfg nn.Training, s *data.Set) (nn.Params, error) {
	net := e.network(s.D)
	p := net.NewParams(env.Rand("init"), 0)
	if e.Pretrain == 0 {
		return p, nil
	}
	pair := nn.Network{Layers: nn.Autoencoder(s.D, e.Hidden, e.Activation), Loss: nn.SquaredLoss}
	for i := range pair.Layers {
		pair.Layers[i].NoBias = true
	}
	cfg.Epochs, cfg.Validation, cfg.Patience = e.Pretrain, 0, 0
	env.Observe = nil // its progress is not that of training
	q, err := nn.TrainJob{Network: pair, Inputs: s.X, Targets: s.X, Rows: s.N}.Train(ctx, env, cfg)
	if err != nil {
		return nil, fmt.Errorf("pre-training: %w", err)
	}
	copy(p, q[:len(p)])
	return p, nil
}

// centre is the mean representation of rows, its coordinates kept from 0.
func (e Encoder) centre(net nn.Network, p nn.Params, s *data.Set, of func(row int) bool) ([]float64, error) {
	c := make([]float64, e.Hidden[len(e.Hidden)-1])
	n := 0.0
	net.NewScorer(p).Each(s.X, 0, s.N, 0, func(i int, z []float32) {
		if !of(i) {
			return
		}
		n++
		for j, v := range z {
			c[j] += float64(v)
		}
	})
	for j := range c {
		if c[j] /= n; !(math.Abs(c[j]) <= math.MaxFloat32) {
			return nil, fmt.Errorf("the representation of the training rows is not finite: scale the data")
		}
		if math.Abs(c[j]) < e.CentreFloor {
			c[j] = math.Copysign(e.CentreFloor, c[j])
		}
	}
	return c, nil
}

// distances is ‖φ(x) − c‖² of each row.
func distances(ctx context.Context, env models.Env, net nn.Network, p nn.Params, c []float64, s *data.Set) ([]float64,
	error) {
	out := make([]float64, s.N)
	scorer := net.NewScorer(p)
	err := env.Blocks(ctx, s.N, 1024, func(from, to int) {
		scorer.Clone().Each(s.X, from, to, 0, func(i int, z []float32) { out[i] = bounded(squaredDistance(z, c)) })
	})
	return out, err
}

// warnOfCollapse says so where a network gives one representation for all training rows, which differ: the hypersphere
// is then a point, and scores mean nothing.
func warnOfCollapse(env models.Env, model string, far []float64, s *data.Set) {
	for i := range far {
		if far[i] != far[0] {
			return
		}
	}
	for i := range s.N {
		for j, v := range s.Row(i) {
			if v != s.Row(0)[j] {
				env.Logger().Warn("the hypersphere collapsed: all training rows have one distance from its centre",
					"model", model, "distance", far[0])
				return
			}
		}
	}
}

// sphereState is what the hypersphere models save.
func sphereState(net nn.Network, p nn.Params, centre []float64) models.Arrays {
	arrays := p.Named(net.Arrays())
	arrays["centre"] = centre
	return arrays
}

func (e Encoder) load(st models.State) (net nn.Network, p nn.Params, centre []float64, err error) {
	if net, p, err = loadNetwork(st, e.network); err != nil {
		return
	}
	centre, err = models.FiniteArray[float64](st.Arrays, "centre", e.Hidden[len(e.Hidden)-1])
	return
}
