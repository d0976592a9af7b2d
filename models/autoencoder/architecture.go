package autoencoder

import (
	"errors"
	"math"

	"plumbline/models/nn"
)

// Architecture is the layers of an auto-encoder on d columns: an encoder down to a bottleneck of b columns and
// a decoder that mirrors it. Of every layer but the bottleneck and the output, y = drop(f(norm(x·Wᵀ + b))).
type Architecture struct {
	// sizes of the encoder's layers, the bottleneck b last, where 0 stands for ⌊√d⌋+1; none: b = ⌊√d⌋+1 with two layers
	// between, ⌊(2d+b)/3⌉ and ⌊(d+2b)/3⌉ (Cao and others 2019)
	Hidden []int `yaml:"hidden" jsonschema:"minimum=0,maximum=65536"`
	// of the layers but the bottleneck and the output
	Activation nn.Activation `yaml:"activation" jsonschema:"enum=tanh,enum=relu,enum=sigmoid,enum=linear"`
	// of bottleneck and output: tanh, for inputs between -1 and 1, or linear
	OutputActivation nn.Activation `yaml:"ends" jsonschema:"enum=tanh,enum=linear"`
	// normalise the sums of the layers but the bottleneck and the output over each batch (Ioffe and Szegedy 2015)
	BatchNorm bool `yaml:"batch_norm"`
	// share of the outputs of these layers that is set to 0 in training (Srivastava and others 2014)
	Dropout float64 `yaml:"dropout" jsonschema:"minimum=0,exclusiveMaximum=1"`
	// the decoder has the transposed weights of the encoder, and biases of its own
	Tied bool `yaml:"tied"`
	// initial value of all biases
	Bias float64 `yaml:"bias" jsonschema:"minimum=-10,maximum=10"`
	// distance of the reconstruction from the row that training lowers: mean squared or mean absolute error
	Loss nn.Loss `yaml:"loss" jsonschema:"enum=mse,enum=mae"`
}

func defaultArchitecture(ends nn.Activation) Architecture {
	return Architecture{Hidden: []int{}, Activation: nn.Tanh, OutputActivation: ends, Loss: nn.SquaredLoss}
}

// Check says what is wrong with the settings taken together.
func (a Architecture) Check() error {
	for i, h := range a.Hidden {
		if h == 0 && i < len(a.Hidden)-1 {
			return errors.New("hidden: only the last size, that of the bottleneck, may be left to a rule by 0")
		}
	}
	return nil
}

// CaoSizes is the encoder sizes of Cao, Nicolau and McDermott 2019 for d columns.
func CaoSizes(d int) []int {
	b := rootSize(d)
	return []int{(2*d + b + 1) / 3, (d + 2*b + 1) / 3, b}
}

// rootSize is the bottleneck's size by the usual rule.
func rootSize(d int) int { return int(math.Sqrt(float64(d))) + 1 }

// Network is the auto-encoder on d columns, its Latent set.
func (a Architecture) Network(d int) nn.Network {
	sizes := append([]int{}, a.Hidden...)
	if len(sizes) == 0 {
		sizes = CaoSizes(d)
	} else if last := len(sizes) - 1; sizes[last] == 0 {
		sizes[last] = rootSize(d)
	}
	n := nn.Network{Layers: nn.Autoencoder(d, sizes, a.Activation), Loss: a.Loss, Latent: len(sizes)}
	k := len(n.Layers)
	for i := range n.Layers {
		l := &n.Layers[i]
		if i+1 == n.Latent || i+1 == k {
			l.Activation = a.OutputActivation
		} else {
			l.Norm, l.Dropout = a.BatchNorm, a.Dropout
		}
		if a.Tied && i >= n.Latent {
			l.Tied = k - i
		}
	}
	return n
}
