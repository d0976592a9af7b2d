package autoencoder

import (
	"context"
	"fmt"
	"slices"

	"plumbline/models"
	"plumbline/models/nn"
)

// pretrain is weights for an auto-encoder whose encoder's layers were trained one by one, each to rebuild what
// the layers before it make of the rows, from what they make of them with noise on it (Vincent and others 2010,
// section 3.5). The decoder gets the weights by which each rebuilt its input.
func pretrain(ctx context.Context, env models.Env, cfg nn.Training, epochs int, j nn.TrainJob) (nn.Params, error) {
	start := j.Network.NewParams(env.Rand("init"), j.Bias)
	cfg.Epochs, cfg.Validation, cfg.Patience = epochs, 0, 0
	env.Observe, env.Watch = nil, nil // its progress is not that of training
	x := j.Inputs
	k := len(j.Network.Layers)
	for i := range j.Network.Latent {
		l := j.Network.Layers[i]
		back := j.Network.Layers[k-1-i]
		tied := 0
		if back.Tied > 0 {
			tied = 1
		}
		pair := nn.Network{Layers: []nn.Dense{{In: l.In, Out: l.Out, Activation: l.Activation},
			{In: l.Out, Out: l.In, Activation: back.Activation, Tied: tied}}, Loss: j.Network.Loss}
		if i > 0 {
			pair.Layers[1].Activation = j.Network.Layers[i-1].Activation // of what is rebuilt
		}
		p, err := nn.TrainJob{Network: pair, Inputs: x, Targets: x, Rows: j.Rows, Bias: j.Bias}.Train(ctx, env, cfg)
		if err != nil {
			return nil, fmt.Errorf("pre-training of layer %d: %w", i+1, err)
		}
		copy(j.Network.Array(start, i, nn.Weight), pair.Array(p, 0, nn.Weight))
		copy(j.Network.Array(start, i, nn.Bias), pair.Array(p, 0, nn.Bias))
		copy(j.Network.Array(start, k-1-i, nn.Bias), pair.Array(p, 1, nn.Bias))
		if w := j.Network.Array(start, k-1-i, nn.Weight); w != nil {
			copy(w, pair.Array(p, 1, nn.Weight))
		}
		next := make([]float32, 0, j.Rows*l.Out)
		scorer := pair.NewScorer(p)
		scorer.Each(x, 0, j.Rows, 1, func(_ int, h []float32) { next = append(next, h...) })
		x = slices.Clip(next)
	}
	return start, nil
}
