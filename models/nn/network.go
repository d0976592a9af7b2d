package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"plumbline/numeric/elementary"
)

// Activation is what a layer does to its sums.
type Activation string

const (
	Linear  Activation = "linear"
	Tanh    Activation = "tanh"
	ReLU    Activation = "relu"
	Sigmoid Activation = "sigmoid"
	Leaky   Activation = "leaky_relu" // max(v, leak·v); of the engine fused alone
)

// Dense is a fully connected layer: y = f(x·Wᵀ + b), with more where asked for: y = drop(f(norm(x·Wᵀ + b))).
type Dense struct {
	In, Out    int
	Activation Activation
	// Norm normalises each sum over the batch, then scales and shifts it by learnt numbers (Ioffe and Szegedy
	// 2015). Scoring takes running averages: of the mean and the unbiased variance, 0.9 old and 0.1 new.
	Norm bool
	// Dropout is the share of the outputs that are set to 0 in training; the others grow by 1/(1−share).
	Dropout float64
	// Tied, where above 0, is the number, from 1, of an earlier layer whose transposed weights this one has.
	Tied int
	// NoBias: the sums have no b.
	NoBias bool `json:",omitempty"`
}

// Network describes a feed-forward network and how it is trained: a stack of dense layers, the loss, and an
// optimiser. The loss is the mean squared (or absolute) error between output and target over samples and
// columns, plus what Latent, the number of layers up to the bottleneck, adds:
//   - Shrink times the mean over samples and columns of the squared distance of the bottleneck from the
//     nearest of Centres, or from 0 without any;
//   - Centring times the mean over Centres of the squared norm of the mean of a batch's rows that are nearest
//     to it, 0 for a centre without any;
//   - Variational.penalty of the bottleneck, which then gives means and log-variances and hands a draw on.
//
// An Objective stands in place of all of this.
type Network struct {
	Layers      []Dense
	Loss        Loss
	Optimiser   Optimiser
	Latent      int // 0 where nothing looks at the bottleneck
	Shrink      float64
	Centres     [][]float32
	Centring    float64
	Variational *Variational
	Objective   Objective `json:",omitempty"`
	Bridge      *Bridge   `json:",omitempty"`
	Seed        uint64    // of what is dropped and drawn
}

// Loss is how an output's distance from its target is measured.
type Loss string

const (
	SquaredLoss  Loss = "mse"
	AbsoluteLoss Loss = "mae"
)

// Variational makes the bottleneck's layer give b means μ and then b log-variances s; the next layer gets
// z = μ + exp(s/2)·ε with ε from N(0, 1). With α the variance of the prior,
//
//	KL      = mean over a batch of (1/2α)·mean_k(exp(s) + μ² − α − α·s + α·ln α)
//	penalty = Weight·KL, or Weight·log10(KL + 1) with Log
//
// (Kingma and Welling 2014; Log and a small α as in Cao, Nicolau and McDermott 2019).
type Variational struct {
	Alpha  float64
	Weight float64
	Log    bool
}

// Arrays lists what the network's Params hold: of each layer the weights, unless tied, the biases, and with
// normalisation its scales, shifts, running means and running variances.
func (n Network) Arrays() []Array {
	var out []Array
	for i, l := range n.Layers {
		add := func(p Part, size int) {
			out = append(out, Array{fmt.Sprintf("layer%d.%s", i, partNames[p]), i, p, size, p < Mean})
		}
		if l.Tied == 0 {
			add(Weight, l.In*l.Out)
		}
		if !l.NoBias {
			add(Bias, l.Out)
		}
		if l.Norm {
			for p := Scale; p <= Variance; p++ {
				add(p, l.Out)
			}
		}
	}
	return out
}

// Array is a part of a layer, nil where it has none.
func (n Network) Array(p Params, layer int, part Part) []float32 {
	for i, a := range n.Arrays() {
		if a.Layer == layer && a.Part == part {
			return p[i]
		}
	}
	return nil
}

// outWidth is how many columns layer i hands on.
func (n Network) outWidth(i int) int {
	if n.Bridge != nil && i+1 == n.Bridge.After {
		return n.Bottleneck() + BridgeColumns
	}
	if n.Variational != nil && i+1 == n.Latent {
		return n.Layers[i].Out / 2
	}
	return n.Layers[i].Out
}

// Bottleneck is how many columns the bottleneck has.
func (n Network) Bottleneck() int { return n.outWidth(n.Latent - 1) }

// Check says what is wrong with the description, if anything.
func (n Network) Check() error {
	if len(n.Layers) == 0 {
		return fmt.Errorf("neural: a network needs layers")
	}
	if err := n.checkBridge(); err != nil {
		return err
	}
	for i, l := range n.Layers {
		switch {
		case l.In < 1 || l.Out < 1:
			return fmt.Errorf("neural: layer %d is %d to %d", i, l.In, l.Out)
		case i > 0 && l.In != n.outWidth(i-1):
			return fmt.Errorf("neural: layer %d takes %d values, the one before gives %d", i, l.In, n.outWidth(i-1))
		case !(l.Dropout >= 0 && l.Dropout < 1):
			return fmt.Errorf("neural: layer %d drops a share of %v", i, l.Dropout)
		case i == len(n.Layers)-1 && (l.Norm || l.Dropout > 0):
			return fmt.Errorf("neural: the last layer can neither be normalised nor drop values")
		case l.NoBias && l.Norm:
			return fmt.Errorf("neural: layer %d is normalised, which shifts its sums, and has no biases", i)
		case l.Tied < 0 || l.Tied > i || l.Tied > 0 && n.Layers[l.Tied-1].Tied > 0:
			return fmt.Errorf("neural: layer %d cannot have the weights of layer %d", i, l.Tied-1)
		case l.Tied > 0 && (n.Layers[l.Tied-1].In != l.Out || n.Layers[l.Tied-1].Out != l.In):
			return fmt.Errorf("neural: the weights of layer %d, transposed, do not fit layer %d", l.Tied-1, i)
		}
		for j := range i {
			if l.Tied > 0 && n.Layers[j].Tied == l.Tied {
				return fmt.Errorf("neural: layers %d and %d have the same weights", j, i)
			}
		}
		switch l.Activation {
		case Linear, Tanh, ReLU, Sigmoid, Leaky:
		default:
			return fmt.Errorf("neural: layer %d: unknown activation %q", i, l.Activation)
		}
	}
	switch n.Loss {
	case "", SquaredLoss, AbsoluteLoss:
	default:
		return fmt.Errorf("neural: unknown loss %q", n.Loss)
	}
	if n.Latent < 0 || n.Latent >= len(n.Layers) || !(n.Shrink >= 0 && n.Shrink <= MaxShrink) {
		return fmt.Errorf("neural: a bottleneck after %d of %d layers, shrunk by %v", n.Latent, len(n.Layers), n.Shrink)
	}
	if n.Latent == 0 && (n.Shrink > 0 || n.Centring > 0 || n.Centres != nil || n.Variational != nil) {
		return fmt.Errorf("neural: a loss on a bottleneck that is not named")
	}
	if !(n.Centring >= 0 && n.Centring <= MaxShrink) || n.Centring > 0 && n.Centres == nil {
		return fmt.Errorf("neural: centring by %v around %d centres", n.Centring, len(n.Centres))
	}
	for _, c := range n.Centres {
		if len(c) != n.Bottleneck() {
			return fmt.Errorf("neural: a centre of %d numbers does not fit the bottleneck", len(c))
		}
	}
	if v := n.Variational; v != nil {
		if n.Layers[n.Latent-1].Out%2 != 0 || n.Shrink > 0 || n.Centres != nil || n.Layers[n.Latent-1].Dropout > 0 ||
			!(v.Alpha > 0 && v.Weight >= 0) {
			return fmt.Errorf("neural: a variational bottleneck needs as many means as log-variances, a prior of " +
				"positive variance, and no other loss on it")
		}
	}
	if err := n.checkObjective(); err != nil {
		return err
	}
	return n.Optimiser.check()
}

// MaxShrink bounds the weight of the latent squares.
const MaxShrink = 1e6

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
		layers = append(layers, Dense{In: in, Out: h, Activation: a})
		in = h
	}
	for i := len(hidden) - 2; i >= 0; i-- {
		layers = append(layers, Dense{In: in, Out: hidden[i], Activation: act})
		in = hidden[i]
	}
	return append(layers, Dense{In: in, Out: d, Activation: Linear})
}

// NewParams draws weights from Glorot's uniform distribution, U(±√(6/(in+out))), and sets all biases to
// bias (Glorot and Bengio 2010), those of log-variances to that of the prior. Normalisation begins with scales
// and variances of 1.
func (n Network) NewParams(r *rand.Rand, bias float32) Params {
	var p Params
	for _, a := range n.Arrays() {
		values := make([]float32, a.Len)
		l := n.Layers[a.Layer]
		switch a.Part {
		case Weight:
			limit := math.Sqrt(6 / float64(l.In+l.Out))
			for i := range values {
				values[i] = float32((float64(2*r.Float64()) - 1) * limit)
			}
		case Bias:
			fill(values, bias)
			if v := n.Variational; v != nil && a.Layer+1 == n.Latent {
				fill(values[n.Bottleneck():], float32(elementary.Log(v.Alpha)))
			}
		case Scale, Variance:
			fill(values, 1)
		}
		p = append(p, values)
	}
	return p
}

func fill(a []float32, v float32) {
	for i := range a {
		a[i] = v
	}
}

// Shape checks that params belong to the network.
func (n Network) Shape(p Params) error { return p.check(n.Arrays()) }

// Folded is the network as it scores: no layer tied or normalised, the weights so changed that it gives the
// same, and of a variational bottleneck the means.
func (n Network) Folded(p Params) (layers []Dense, weights [][2][]float32) {
	for i, l := range n.Layers {
		w := n.Array(p, i, Weight)
		if l.Tied > 0 {
			from := n.Array(p, l.Tied-1, Weight)
			w = make([]float32, len(from))
			for o := range l.Out {
				for k := range l.In {
					w[o*l.In+k] = from[k*l.Out+o]
				}
			}
		}
		b := n.Array(p, i, Bias)
		if l.NoBias {
			b = make([]float32, l.Out)
		}
		if l.Norm {
			w, b = slices.Clone(w), slices.Clone(b)
			scale, shift := n.Array(p, i, Scale), n.Array(p, i, Shift)
			mean, variance := n.Array(p, i, Mean), n.Array(p, i, Variance)
			for o := range l.Out {
				f := float64(scale[o]) / math.Sqrt(float64(variance[o])+normEpsilon)
				for k := range l.In {
					w[o*l.In+k] = float32(float64(w[o*l.In+k]) * f)
				}
				b[o] = float32(float64((float64(b[o])-float64(mean[o]))*f) + float64(shift[o]))
			}
		}
		out := n.outWidth(i)
		layers = append(layers, Dense{In: l.In, Out: out, Activation: l.Activation})
		weights = append(weights, [2][]float32{w[:out*l.In], b[:out]})
	}
	return layers, weights
}

// Leak is the slope of Leaky below 0.
const Leak = 0.01

// normEpsilon is what normalisation adds to variances.
const normEpsilon = 1e-5

func (a Activation) apply(v float32) float32 {
	switch a {
	case Tanh:
		return float32(elementary.Tanh(float64(v)))
	case ReLU:
		return max(v, 0)
	case Leaky:
		return max(v, Leak*v)
	case Sigmoid:
		return float32(1 / (1 + elementary.Exp(-float64(v))))
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
