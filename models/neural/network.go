package neural

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Activation is what a layer does to its sums.
type Activation string

const (
	Linear  Activation = "linear"
	Tanh    Activation = "tanh"
	ReLU    Activation = "relu"
	Sigmoid Activation = "sigmoid"
)

// Dense is a fully connected layer: y = f(x·Wᵀ + b).
type Dense struct {
	In, Out    int
	Activation Activation
}

// Network describes a feed-forward network and how it is trained: a stack of dense layers, the loss, and an
// optimiser. The loss is the mean squared error between output and target over samples and columns, plus,
// where Shrink is above 0, Shrink times the mean over samples and columns of the squared distance of what the
// first Latent layers give from the nearest of Centres, or from 0 without any.
type Network struct {
	Layers    []Dense
	Optimiser Optimiser
	Latent    int // layers up to the bottleneck; 0 where nothing looks at it
	Shrink    float64
	Centres   [][]float32
}

// Params are a network's weights: for each layer W (Out×In, row-major) and then b (Out).
type Params [][]float32

// Check says what is wrong with the description, if anything.
func (n Network) Check() error {
	if len(n.Layers) == 0 {
		return fmt.Errorf("neural: a network needs layers")
	}
	for i, l := range n.Layers {
		switch {
		case l.In < 1 || l.Out < 1:
			return fmt.Errorf("neural: layer %d is %d to %d", i, l.In, l.Out)
		case i > 0 && l.In != n.Layers[i-1].Out:
			return fmt.Errorf("neural: layer %d takes %d values, the one before gives %d", i, l.In, n.Layers[i-1].Out)
		}
		switch l.Activation {
		case Linear, Tanh, ReLU, Sigmoid:
		default:
			return fmt.Errorf("neural: layer %d: unknown activation %q", i, l.Activation)
		}
	}
	if n.Latent < 0 || n.Latent >= len(n.Layers) || n.Shrink > 0 && n.Latent == 0 || !(n.Shrink >= 0 && n.Shrink <= maxShrink) {
		return fmt.Errorf("neural: a bottleneck behind %d of %d layers, shrunk by %v", n.Latent, len(n.Layers), n.Shrink)
	}
	for _, c := range n.Centres {
		if n.Latent == 0 || len(c) != n.Layers[n.Latent-1].Out {
			return fmt.Errorf("neural: a centre of %d numbers does not fit the bottleneck", len(c))
		}
	}
	return n.Optimiser.check()
}

// maxShrink bounds the weight of the latent squares.
const maxShrink = 1e6

// Autoencoder is the layers of a symmetric auto-encoder on d columns: hidden sizes down to the bottleneck
// and back. The bottleneck and the output are linear.
func Autoencoder(d int, hidden []int, act Activation) []Dense {
	var layers []Dense
	in := d
	for i, h := range hidden {
		a := act
		if i == len(hidden)-1 {
			a = Linear
		}
		layers = append(layers, Dense{in, h, a})
		in = h
	}
	for i := len(hidden) - 2; i >= 0; i-- {
		layers = append(layers, Dense{in, hidden[i], act})
		in = hidden[i]
	}
	return append(layers, Dense{in, d, Linear})
}

// NewParams draws weights from Glorot's uniform distribution, U(±√(6/(in+out))), and sets all biases to
// bias (Glorot and Bengio 2010).
func (n Network) NewParams(r *rand.Rand, bias float32) Params {
	var p Params
	for _, l := range n.Layers {
		limit := math.Sqrt(6 / float64(l.In+l.Out))
		w := make([]float32, l.Out*l.In)
		for i := range w {
			w[i] = float32((2*r.Float64() - 1) * limit)
		}
		b := make([]float32, l.Out)
		for i := range b {
			b[i] = bias
		}
		p = append(p, w, b)
	}
	return p
}

// Shape checks that params belong to the network.
func (n Network) Shape(p Params) error {
	if len(p) != 2*len(n.Layers) {
		return fmt.Errorf("neural: %d parameter arrays for %d layers", len(p), len(n.Layers))
	}
	for i, l := range n.Layers {
		if len(p[2*i]) != l.Out*l.In || len(p[2*i+1]) != l.Out {
			return fmt.Errorf("neural: layer %d has %d weights and %d biases, wants %d and %d", i, len(p[2*i]), len(p[2*i+1]), l.Out*l.In, l.Out)
		}
	}
	return nil
}

func (a Activation) apply(v float32) float32 {
	switch a {
	case Tanh:
		return float32(math.Tanh(float64(v)))
	case ReLU:
		return max(v, 0)
	case Sigmoid:
		return float32(1 / (1 + math.Exp(-float64(v))))
	}
	return v
}

// meanOfSquares is the mean of the squares, in float64.
func meanOfSquares(a []float32) float64 {
	sum := 0.0
	for _, v := range a {
		sum += float64(float64(v) * float64(v))
	}
	return sum / float64(len(a))
}

// MeanSquare is the mean over columns of (a−b)², in float64.
func MeanSquare(a, b []float32) float64 {
	sum := 0.0
	for i := range a {
		d := float64(a[i]) - float64(b[i])
		sum += float64(d * d)
	}
	return sum / float64(len(a))
}
