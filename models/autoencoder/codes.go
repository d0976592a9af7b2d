package autoencoder

import (
	"context"
	"fmt"
	"math"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/nn"
)

// codes is the bottleneck's values of a set.
func codes(ctx context.Context, env models.Env, net nn.Network, p nn.Params, s *data.Set) (*data.Set, error) {
	d := net.Bottleneck()
	out := &data.Set{Kind: data.Vectors, N: s.N, D: d, X: make([]float32, s.N*d)}
	names := make([]string, d)
	for k := range names {
		names[k] = fmt.Sprint("z", k+1)
	}
	out.Features = data.Quantities(names...)
	scorer := net.NewScorer(p)
	err := env.Blocks(ctx, s.N, 1024, func(from, to int) {
		scorer.Clone().Each(s.X, from, to, net.Latent, func(i int, z []float32) {
			for k, v := range z {
				if !(math.Abs(float64(v)) <= nn.OverflowValue) {
					v = nn.OverflowValue
				}
				out.X[i*d+k] = v
			}
		})
	})
	return out, err
}

// watched is a TrainJob's OnEpoch that lets the environment see the codes of each epoch, after a next one; nil where
// nobody watches and there is no next.
func watched(env models.Env, net nn.Network, next func(nn.Trainer, []int32) error) func(nn.Trainer, []int32) error {
	if env.Watch == nil {
		return next
	}
	epoch := 0
	return func(tr nn.Trainer, order []int32) error {
		if next != nil {
			if err := next(tr, order); err != nil {
				return err
			}
		}
		now := epoch
		epoch++
		return env.Watch(now, func(ctx context.Context, s *data.Set) (*data.Set, error) {
			return codes(ctx, env, net, tr.Params(), s)
		})
	}
}

// Codes is the bottleneck.
func (d *aeDetector) Codes(ctx context.Context, s *data.Set) (*data.Set, error) {
	a, err := d.Ready(s)
	if err != nil {
		return nil, err
	}
	return codes(ctx, a.env, a.net, a.p, s)
}

// Codes is the bottleneck.
func (d *caeDetector) Codes(ctx context.Context, s *data.Set) (*data.Set, error) {
	a, err := d.Ready(s)
	if err != nil {
		return nil, err
	}
	return codes(ctx, a.env, a.net, a.p, s)
}

// Codes is the bottleneck, as the network has it.
func (d latentModel) Codes(ctx context.Context, s *data.Set) (*data.Set, error) {
	b, err := d.Ready(s)
	if err != nil {
		return nil, err
	}
	return codes(ctx, b.env, b.net, b.p, s)
}

var (
	_ models.Coder = (*aeDetector)(nil)
	_ models.Coder = (*caeDetector)(nil)
	_ models.Coder = latentModel{}
)
