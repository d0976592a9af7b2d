package nn

import (
	"context"
	"math"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/kernel"
)

// WithVariational makes the bottleneck of an auto-encoder one that is sampled. A decoder's first layer that shares
// the weights of the bottleneck's gets its own.
func (n Network) WithVariational(v Variational) Network {
	n.Layers[n.Latent-1].Out *= 2
	n.Layers[n.Latent-1].Activation = Linear
	n.Layers[n.Latent].Tied = 0
	n.Variational = &v
	return n
}

// OverflowValue stands for a number that overflowed float32 on the way.
const OverflowValue = 1e18

// ReconstructionErrors is RE(x) of a set's rows.
func (n Network) ReconstructionErrors(ctx context.Context, env models.Env, p Params, s *data.Set) ([]float64, error) {
	out := make([]float64, s.N)
	scorer := n.NewScorer(p)
	err := env.Blocks(ctx, s.N, 1024, func(from, to int) {
		scorer.Clone().Errors(s.X, from, to, out)
		for i := from; i < to; i++ {
			if !(out[i] <= math.MaxFloat32) { // float32 overflowed on the way: as far off as can be
				out[i] = math.MaxFloat32
			}
		}
	})
	return out, err
}

// Scorer runs rows through a trained network, block by block. It is not safe for concurrent use; Clone makes
// another one on the same weights.
type Scorer struct {
	stack *stack
	act   [][]float32
}

// NewScorer packs weights for scoring.
func (n Network) NewScorer(p Params) *Scorer {
	layers, weights := n.Folded(p)
	s := newStack(Network{Layers: layers})
	s.lay(kernel.Alloc(s.size))
	for i, w := range weights {
		s.layers[i].set(w[0])
		copy(s.layers[i].b, w[1])
	}
	return &Scorer{s, s.acts()}
}

// Clone shares the weights and nothing else.
func (s *Scorer) Clone() *Scorer { return &Scorer{s.stack, s.stack.acts()} }

// acts is memory for a block's input and what each layer makes of it.
func (s *stack) acts() [][]float32 {
	out := [][]float32{kernel.Alloc(blockRows * kernel.Pad(s.layers[0].In))}
	for _, l := range s.layers {
		out = append(out, kernel.Alloc(blockRows*kernel.Pad(l.Out)))
	}
	return out
}

// forward makes the activations of a block whose input stands in act[0], through the first depth layers.
func (s *stack) forward(act [][]float32, rows, depth int) {
	for i := range depth {
		l := &s.layers[i]
		l.mul(rows, act[i], act[i+1])
		l.Activation.forward(act[i+1], rows, l.Out, kernel.Pad(l.Out))
	}
}

// Each calls f with the output of the first depth layers (0: all) for rows from to to−1 of the n×d matrix x.
// What f gets is valid until it returns, and does not depend on which rows are asked for together.
func (s *Scorer) Each(x []float32, from, to, depth int, f func(row int, out []float32)) {
	if depth == 0 {
		depth = len(s.stack.layers)
	}
	out := s.stack.layers[depth-1].Out
	wide := kernel.Pad(out)
	for ; from < to; from += blockRows {
		n := s.fill(x, from, to)
		s.stack.forward(s.act, n, depth)
		for i := range n {
			f(from+i, s.act[depth][i*wide:i*wide+out])
		}
	}
}

// Errors writes the mean squared error of the reconstruction of rows from to to−1 to out: the score RE(x).
func (s *Scorer) Errors(x []float32, from, to int, out []float64) {
	layers := s.stack.layers
	in, depth := layers[0].In, len(layers)
	wide := kernel.Pad(in)
	for ; from < to; from += blockRows {
		n := s.fill(x, from, to)
		s.stack.forward(s.act, n, depth)
		for i := range n {
			row := s.act[depth][i*wide : (i+1)*wide]
			out[from+i] = float64(kernel.SquareDistance(row, s.act[0][i*wide:(i+1)*wide])) / float64(in)
		}
	}
}

// fill copies a block of rows that begins at from, and says how many they are.
func (s *Scorer) fill(x []float32, from, to int) int {
	in := s.stack.layers[0].In
	wide := kernel.Pad(in)
	n := min(blockRows, to-from)
	for i := range n {
		copy(s.act[0][i*wide:i*wide+in], x[(from+i)*in:(from+i+1)*in])
	}
	return n
}
