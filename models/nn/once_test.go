package nn_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"plumbline/models"
	"plumbline/models/nn"
)

// memory keeps weights.
type memory map[string]*models.Weights

func (m memory) Find(key string) *models.Weights          { return m[key] }
func (m memory) Keep(key string, weights *models.Weights) { m[key] = weights }

// TestTrainedOnce: what was trained is taken over with its history, without an epoch of training; anything that could
// make other weights is trained anew.
func TestTrainedOnce(t *testing.T) {
	x := make([]float32, 60*3)
	for i := range x {
		x[i] = float32(i*i%17) / 17
	}
	cfg := nn.DefaultTraining(4, 8)
	cfg.Validation, cfg.Noise = 0.2, 0.1
	net := nn.Network{Layers: []nn.Dense{{In: 3, Out: 2, Activation: nn.Tanh}, {In: 2, Out: 3, Activation: nn.Linear}},
		Loss: nn.SquaredLoss, Latent: 1}
	job := func(change func(*nn.TrainJob)) nn.TrainJob {
		j := nn.TrainJob{Network: net, Inputs: x, Targets: x, Rows: 60, Bias: 0.1}
		if change != nil {
			change(&j)
		}
		return j
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel() // nothing can be trained
	train := func(ctx context.Context, j nn.TrainJob, seed uint64, cfg nn.Training, kept models.Trained) (nn.Params,
		string, error) {
		var history []models.Epoch
		env := models.Env{Seed: seed, Trained: kept, Observe: func(e models.Epoch) { history = append(history, e) }}
		p, err := j.Train(ctx, env, cfg)
		return p, fmt.Sprint(history), err
	}
	kept := memory{}
	alone, course, err := train(context.Background(), job(nil), 7, cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, ctx := range []context.Context{context.Background(), ended} {
		p, h, err := train(ctx, job(nil), 7, cfg, kept)
		if err != nil || !slices.EqualFunc(p, alone, slices.Equal[[]float32]) || h != course || len(kept) != 1 {
			t.Fatalf("%v: %v; history %s, alone %s; %d kept", ctx.Err(), err, h, course, len(kept))
		}
		p[0][0] = 1e9 // what is kept is not what a model has
	}
	longer := cfg
	longer.Epochs++
	y := slices.Clone(x)
	y[100] += 0.5
	for what, other := range map[string]struct {
		seed uint64
		cfg  nn.Training
		job  func(*nn.TrainJob)
	}{
		"another seed":      {8, cfg, nil},
		"more epochs":       {7, longer, nil},
		"other rows":        {7, cfg, func(j *nn.TrainJob) { j.Inputs = y }},
		"another target":    {7, cfg, func(j *nn.TrainJob) { j.Targets = y }},
		"another bias":      {7, cfg, func(j *nn.TrainJob) { j.Bias = 0 }},
		"a pull":            {7, cfg, func(j *nn.TrainJob) { j.Network.Shrink = 1 }},
		"a beginning":       {7, cfg, func(j *nn.TrainJob) { j.Start = alone }},
		"fewer rows":        {7, cfg, func(j *nn.TrainJob) { j.Order = []int32{1, 2, 3} }},
		"somebody watching": {7, cfg, func(j *nn.TrainJob) { j.OnEpoch = func(nn.Trainer, []int32) error { return nil } }},
	} {
		if _, _, err := train(ended, job(other.job), other.seed, other.cfg, kept); err == nil {
			t.Errorf("%s: weights without a training", what)
		}
	}
	if len(kept) != 1 {
		t.Errorf("%d trainings are kept, of which one came to its end", len(kept))
	}
}
