package neural

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"plumbline/data"
	"plumbline/models"
)

// kept is checkpoints in memory. stop, where there is one, is called after so many were saved.
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

// TestGoingOn: a training that is interrupted and goes on from its checkpoint learns what one does that was not,
// bit for bit, and reports the same history.
func TestGoingOn(t *testing.T) {
	was := checkpointEvery
	checkpointEvery = 0
	defer func() { checkpointEvery = was }()
	r := rand.New(rand.NewPCG(4, 4))
	vectors := &data.Set{Kind: data.Vectors, N: 300, D: 5, X: make([]float32, 1500)}
	for i := range vectors.X {
		vectors.X[i] = float32(r.NormFloat64())
	}
	traces := ordered(80, false, 1)
	train := defaultTraining(9, 32)
	train.CheckEvery, train.Validation, train.Patience = 2, 0.2, 4
	train.Schedule.Kind, train.Schedule.Every = "step", 3
	ae := func(change func(*AESpec)) models.Spec {
		s := defaultAE()
		s.Training = train
		s.Noise = 0.1
		change(s)
		return s
	}
	cae := defaultCAE()
	cae.Training = train
	pred := defaultPred()
	pred.Training, pred.Score, pred.Dropout = train, "mean", 0.2
	for name, c := range map[string]struct {
		spec models.Spec
		set  *data.Set
	}{
		"adam":     {ae(func(*AESpec) {}), vectors},
		"adadelta": {ae(func(s *AESpec) { s.Optimiser = Optimiser{Kind: "adadelta", Rate: 0.5, Rho: 0.9} }), vectors},
		"momentum": {ae(func(s *AESpec) { s.Optimiser = Optimiser{Kind: "sgd", Rate: 0.01, Momentum: 0.9, Rho: 0.9} }), vectors},
		"staged":   {ae(func(s *AESpec) { s.BatchNorm, s.Dropout, s.Tied = true, 0.2, true }), vectors},
		"centres":  {cae, vectors},
		"sequence": {pred, traces},
	} {
		fit := func(ctx context.Context, store models.Checkpoints) ([]float64, []models.Epoch, error) {
			var history []models.Epoch
			d, err := c.spec.New(models.Env{Seed: 5, Workers: 2, Checkpoints: store, Observe: func(e models.Epoch) { history = append(history, e) }})
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
			t.Errorf("%s: %d checkpoints, want one after each epoch but the last, 4 of them before the interruption", name, store.saves)
		}
		if len(history) != len(whole) {
			t.Fatalf("%s: a history of %d epochs, want %d", name, len(history), len(whole))
		}
		for i := range whole {
			if a, b := history[i], whole[i]; a.N != b.N || a.Loss != b.Loss || a.Rate != b.Rate || a.Samples != b.Samples || a.ValidLoss != b.ValidLoss && a.ValidLoss == a.ValidLoss {
				t.Errorf("%s: epoch %+v, want %+v", name, a, b)
			}
		}
		// what does not fit is passed over
		for key, state := range store.states {
			stranger, err := readCheckpoint(state)
			if err != nil {
				t.Fatal(err)
			}
			stranger.params = stranger.params[1:]
			other, err := stranger.write()
			if err != nil {
				t.Fatal(err)
			}
			for what, raw := range map[string][]byte{"of another network": other, "cut": state[:len(state)-9], "empty": {}, "other": []byte("no checkpoint")} {
				bad := &kept{states: map[string][]byte{key: raw}}
				if got, _, err := fit(context.Background(), bad); err != nil || !slices.Equal(got, want) {
					t.Errorf("%s: with a checkpoint that is %s: %v", name, what, err)
				}
			}
		}
	}
}

// TestOtherTraining: a training of other data, settings or seed does not take a checkpoint for its own.
func TestOtherTraining(t *testing.T) {
	x, cfg, net := []float32{1, 2}, defaultTraining(3, 4), defaultArchitecture(Tanh).Network(4)
	mark := func(seed uint64, cfg Training, net Network, x, y []float32) string {
		f, err := fingerprint(seed, cfg, net, x, y)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	base := mark(1, cfg, net, x, x)
	other, deeper := cfg, net
	other.Batch++
	deeper.Shrink = 1
	for what, f := range map[string]string{
		"seed":    mark(2, cfg, net, x, x),
		"setting": mark(1, other, net, x, x),
		"network": mark(1, cfg, deeper, x, x),
		"data":    mark(1, cfg, net, []float32{1, 3}, x),
		"target":  mark(1, cfg, net, x, []float32{2, 2}),
	} {
		if f == base {
			t.Errorf("another %s has the same fingerprint", what)
		}
	}
	if mark(1, cfg, net, x, x) != base {
		t.Error("the same training has another fingerprint")
	}
	if _, err := fingerprint(1, cfg, math.NaN(), x, x); err == nil {
		t.Error("what JSON cannot hold has a fingerprint")
	}
}

func FuzzCheckpoint(f *testing.F) {
	c := &checkpoint{epochs: 1, params: Params{{1, 2}}, averages: [][]float32{{3}}, centres: [][]float32{{4}}, best: Params{{5}}, history: []models.Epoch{{N: 1, Of: 2, Loss: 1}}}
	raw, err := c.write()
	if err != nil {
		f.Fatal(err)
	}
	again, err := readCheckpoint(raw)
	if err != nil || !reflect.DeepEqual(again, c) {
		f.Fatalf("%+v, %v; written %+v", again, err, c)
	}
	f.Add(raw)
	f.Add([]byte(strings.Replace(string(raw), `"Params":1`, `"Params":9`, 1)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if c, err := readCheckpoint(raw); err == nil && len(c.history) != c.epochs {
			t.Errorf("%d epochs with a history of %d", c.epochs, len(c.history))
		}
	})
}
