package nn

import (
	"context"
	"math"

	"plumbline/data"
	"plumbline/models"
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
