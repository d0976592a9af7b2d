package nn_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/autoencoder"
	"plumbline/models/deep"
	"plumbline/models/nn"
	"plumbline/models/recurrent"
)

// kept is checkpoints in memory. stop, where there is one, is called after a number of them were saved.
type kept struct {
	states map[string][]byte
	saves  int
	after  int
	stop   func()
}

func (k *kept) Load(name string) ([]byte, error) { return k.states[name], nil }

func (k *kept) Save(name string, state []byte) error {
	k.states[name] = state
	if k.saves++; k.saves == k.after {
		k.stop()
	}
	return nil
}

func defaults(t *testing.T, model string) models.Spec {
	t.Helper()
	info, err := models.Lookup(model)
	if err != nil {
		t.Fatal(err)
	}
	return info.Defaults()
}

// repeating is traces that repeat a b c from any of them on, with values of their own.
func repeating(n int) *data.Set {
	r := rand.New(rand.NewPCG(1, 17))
	s := &data.Set{Kind: data.Traces, D: 2, N: n, Alphabet: []string{"a", "b", "c"}}
	for range n {
		at := r.IntN(3)
		var tr data.Trace
		for range 12 {
			tr.Symbols = append(tr.Symbols, int32(at))
			tr.Events = append(tr.Events, float32(at)+float32(r.NormFloat64())/10, float32(r.NormFloat64()))
			at = (at + 1) % 3
		}
		s.Traces = append(s.Traces, tr)
	}
	return s
}

// TestGoingOn: a training that is interrupted and goes on from its checkpoint learns what one does that was not,
// bit for bit, and reports the same history.
func TestGoingOn(t *testing.T) {
	defer nn.CheckpointAlways()()
	r := rand.New(rand.NewPCG(4, 4))
	vectors := &data.Set{Kind: data.Vectors, N: 300, D: 5, X: make([]float32, 1500)}
	for i := range vectors.X {
		vectors.X[i] = float32(r.NormFloat64())
	}
	for i := range vectors.N {
		vectors.Attack = append(vectors.Attack, i%9 == 0)
	}
	traces := repeating(80)
	train := nn.DefaultTraining(9, 32)
	train.CheckEvery, train.Validation, train.Patience = 2, 0.2, 4
	train.Schedule.Kind, train.Schedule.Every = "step", 3
	ae := func(change func(*autoencoder.AESpec)) models.Spec {
		s := defaults(t, "ae").(*autoencoder.AESpec)
		s.Training = train
		s.Noise = 0.1
		change(s)
		return s
	}
	cae := defaults(t, "cae").(*autoencoder.CAESpec)
	cae.Training = train
	pred := defaults(t, "lstm_pred").(*recurrent.PredSpec)
	pred.Training, pred.Score, pred.Dropout = train, "mean", 0.2
	svdd := defaults(t, "deep_svdd").(*deep.DeepSVDD)
	svdd.Training, svdd.Objective, svdd.WarmUp, svdd.Pretrain = train, "soft_boundary", 2, 0
	svdd.Patience, svdd.Schedule.Every = 0, 4
	dagmm := defaults(t, "dagmm").(*deep.DAGMM)
	dagmm.Training = train
	devnet := defaults(t, "devnet").(*deep.DevNet)
	devnet.Training = train
	for name, c := range map[string]struct {
		spec models.Spec
		set  *data.Set
	}{
		"objective": {svdd, vectors},
		"bridge":    {dagmm, vectors},
		"repeated":  {devnet, vectors},
		"adam":      {ae(func(*autoencoder.AESpec) {}), vectors},
		"adadelta": {ae(func(s *autoencoder.AESpec) {
			s.Optimiser = nn.Optimiser{Kind: "adadelta", Rate: 0.5,
				Rho: 0.9}
		}), vectors},
		"momentum": {ae(func(s *autoencoder.AESpec) {
			s.Optimiser = nn.Optimiser{Kind: "sgd", Rate: 0.01, Momentum: 0.9, Rho: 0.9}
		}), vectors},
		"staged":   {ae(func(s *autoencoder.AESpec) { s.BatchNorm, s.Dropout, s.Tied = true, 0.2, true }), vectors},
		"centres":  {cae, vectors},
		"sequence": {pred, traces},
	} {
		fit := func(ctx context.Context, store models.Checkpoints) ([]float64, []models.Epoch, error) {
			var history []models.Epoch
			d, err := c.spec.New(models.Env{Seed: 5, Workers: 2, Checkpoints: store,
				Observe: func(e models.Epoch) { history = append(history, e) }})
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Fit(ctx, c.set); err != nil {
				return nil, history, err
			}
			scores, err := d.Score(context.Background(), c.set)
			return scores, history, err
		}
		want, whole, err := fit(context.Background(), nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		store := &kept{states: map[string][]byte{}, after: 4, stop: cancel}
		if _, _, err := fit(ctx, store); !errors.Is(err, context.Canceled) {
			t.Fatalf("%s: interrupted: %v", name, err)
		}
		got, history, err := fit(context.Background(), store)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: scores after going on differ, %v", name, err)
		}
		if store.saves != 8 {
			t.Errorf("%s: %d checkpoints, want one after each epoch but the last, 4 of them before the interruption",
				name, store.saves)
		}
		if len(history) != len(whole) {
			t.Fatalf("%s: a history of %d epochs, want %d", name, len(history), len(whole))
		}
		for i := range whole {
			if a, b := history[i], whole[i]; a.N != b.N || a.Loss != b.Loss || a.Rate != b.Rate ||
				a.Samples != b.Samples || a.ValidLoss != b.ValidLoss && a.ValidLoss == a.ValidLoss {
				t.Errorf("%s: epoch %+v, want %+v", name, a, b)
			}
		}
		// what does not fit is passed over
		for key, state := range store.states {
			other, err := nn.WithoutFirstArray(state)
			if err != nil {
				t.Fatal(err)
			}
			for what, raw := range map[string][]byte{"of another network": other, "cut": state[:len(state)-9],
				"empty": {}, "other": []byte("no checkpoint")} {
				bad := &kept{states: map[string][]byte{key: raw}}
				if got, _, err := fit(context.Background(), bad); err != nil || !slices.Equal(got, want) {
					t.Errorf("%s: with a checkpoint that is %s: %v", name, what, err)
				}
			}
		}
	}
}

// TestInterruptLeavesACheckpoint: a training that is interrupted before it was time for a checkpoint leaves one of its
// last whole epoch, and goes on from there to what one learns that was not interrupted.
func TestInterruptLeavesACheckpoint(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 5))
	set := &data.Set{Kind: data.Vectors, N: 300, D: 5, X: make([]float32, 1500)}
	for i := range set.X {
		set.X[i] = float32(r.NormFloat64())
	}
	for _, model := range []string{"ae", "cae"} {
		fit := func(ctx context.Context, store models.Checkpoints, observe func(models.Epoch)) ([]float64, error) {
			spec := defaults(t, model)
			switch s := spec.(type) {
			case *autoencoder.AESpec:
				s.Training = nn.DefaultTraining(9, 32)
			case *autoencoder.CAESpec:
				s.Training = nn.DefaultTraining(9, 32)
			}
			d, err := spec.New(models.Env{Seed: 5, Workers: 2, Checkpoints: store, Observe: observe})
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Fit(ctx, set); err != nil {
				return nil, err
			}
			return d.Score(context.Background(), set)
		}
		want, err := fit(context.Background(), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		store := &kept{states: map[string][]byte{}}
		_, err = fit(ctx, store, func(e models.Epoch) {
			if e.N == 5 {
				cancel()
			}
		})
		if !errors.Is(err, context.Canceled) || store.saves != 1 {
			t.Fatalf("%s: %d checkpoints, %v", model, store.saves, err)
		}
		for _, state := range store.states {
			if n := nn.CheckpointEpochs(state); n != 5 {
				t.Errorf("%s: a checkpoint after epoch %d, want 5", model, n)
			}
		}
		got, err := fit(context.Background(), store, nil)
		if err != nil || !slices.Equal(got, want) || store.saves != 1 {
			t.Errorf("%s: scores after going on differ, or a training that was not interrupted left a checkpoint: %d, %v",
				model, store.saves, err)
		}
	}
}
