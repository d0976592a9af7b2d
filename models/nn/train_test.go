package nn

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"plumbline/models"
	"plumbline/models/nn/schedule"
)

// script is an engine whose networks, one weight and one bias, take the weights of a list one after the
// other, whatever the data. Its losses are those of the list too.
type script struct {
	weights []float32
	losses  []float64
	rates   []float64
	sizes   []int
	k       int
}

func (s *script) New(Network, Params, int) (Trainer, error) { s.k = 0; return s, nil }
func (s *script) NewSequence(Sequence, Params, int) (Trainer, error) {
	return nil, errors.New("not asked for")
}
func (s *script) Close() error   { return nil }
func (s *script) Params() Params { return Params{{s.weights[s.k-1]}, {0}} }
func (s *script) Gradient(_, _ []float32, _ []int32) (float64, Params, error) {
	return 0, nil, errors.New("not asked for")
}

func (s *script) Epoch(ctx context.Context, _, _ []float32, order []int32, _ int, rate float64) (float64, error) {
	s.rates, s.sizes = append(s.rates, rate), append(s.sizes, len(order))
	s.k++
	return s.losses[s.k-1], ctx.Err()
}

var one = &script{}

func init() { RegisterEngine("script", one) }

// train trains y = w·x on the pairs (1, 1): the loss of weight w is (w−1)².
func train(t *testing.T, s script, cfg Training) (Params, []models.Epoch, error) {
	t.Helper()
	*one = s
	cfg.Engine, cfg.Batch, cfg.Optimiser = "script", 4, Optimiser{Kind: "sgd", Rate: 1}
	x := make([]float32, 10)
	for i := range x {
		x[i] = 1
	}
	var seen []models.Epoch
	p, err := rebuild(x).Train(context.Background(),
		models.Env{Observe: func(e models.Epoch) { seen = append(seen, e) }}, cfg)
	return p, seen, err
}

// rebuild is the training of one linear unit to give back its input.
func rebuild(x []float32) TrainJob {
	return TrainJob{Network: Network{Layers: []Dense{{In: 1, Out: 1, Activation: Linear}}}, Inputs: x, Targets: x,
		Rows: len(x)}
}

func TestBestEpochAndPatience(t *testing.T) {
	s := script{weights: []float32{3, 1.1, 2, 2, 0.9}, losses: make([]float64, 5)}
	p, seen, err := train(t, s, Training{Epochs: 5, Validation: 0.3, Patience: 2})
	if err != nil || p[0][0] != 1.1 || len(seen) != 4 {
		t.Errorf("weights %v after %d epochs, %v; want those of the second of four", p, len(seen), err)
	}
	if one.sizes[0] != 7 || math.Abs(seen[1].ValidLoss-0.01) > 1e-6 {
		t.Errorf("%d rows train, validation loss %v", one.sizes[0], seen[1].ValidLoss)
	}
	if p, seen, err = train(t, s, Training{Epochs: 5, Validation: 0.3}); err != nil || p[0][0] != 0.9 &&
		p[0][0] != 1.1 || len(seen) != 5 {
		t.Errorf("without patience: weights %v after %d epochs, %v", p, len(seen), err)
	}
	if p, _, err = train(t, s, Training{Epochs: 3}); err != nil || p[0][0] != 2 || one.sizes[0] != 10 {
		t.Errorf("without validation: weights %v, %v; want the last epoch's", p, err)
	}
}

func TestSchedule(t *testing.T) {
	s := script{weights: make([]float32, 5), losses: make([]float64, 5)}
	if _, _, err := train(t, s, Training{Epochs: 5,
		Schedule: schedule.Schedule{Kind: "step", Every: 2, Factor: 0.5}}); err != nil ||
		!slices.Equal(one.rates, []float64{1, 1, 0.5, 0.5, 0.25}) {
		t.Errorf("rates %v, %v", one.rates, err)
	}
}

func TestDivergence(t *testing.T) {
	_, _, err := train(t, script{weights: make([]float32, 3), losses: []float64{1, math.NaN(), 1}}, Training{Epochs: 3})
	if err == nil || !strings.Contains(err.Error(), "epoch 2: the loss is NaN") ||
		!strings.Contains(err.Error(), "smaller rate than 1") {
		t.Errorf("loss: %v", err)
	}
	_, _, err = train(t, script{weights: []float32{float32(math.Inf(1))}, losses: []float64{1}}, Training{Epochs: 1})
	if err == nil || !strings.Contains(err.Error(), "a weight is +Inf") {
		t.Errorf("weight: %v", err)
	}
}

func TestTrainingChecks(t *testing.T) {
	for _, c := range []Training{{Patience: 3}, {Schedule: schedule.Schedule{Kind: "multistep"}}} {
		if c.Check() == nil {
			t.Errorf("%+v is accepted", c)
		}
	}
}

// TestCorrupt: the share asked for, other values each time, and nothing else.
func TestCorrupt(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	from, to := make([]float32, 20000), make([]float32, 20000)
	for i := range from {
		from[i] = 1
	}
	corrupt(to, from, 0.1, r)
	first, zeros := slices.Clone(to), 0
	for _, v := range to {
		switch v {
		case 0:
			zeros++
		case 1:
		default:
			t.Fatalf("value %v", v)
		}
	}
	if zeros < 1800 || zeros > 2200 {
		t.Errorf("%d of 20000 values are corrupted", zeros)
	}
	if corrupt(to, from, 0.1, r); slices.Equal(first, to) {
		t.Error("the same values twice")
	}
}

// TestNoiseIsOnInputsAlone: the network is to give the rows as they are, from rows with holes.
func TestNoiseIsOnInputsAlone(t *testing.T) {
	spy := &noiseSpy{}
	engines["spy"] = spy
	defer delete(engines, "spy")
	x := []float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	cfg := Training{Engine: "spy", Epochs: 2, Batch: 4, Optimiser: Optimiser{Kind: "sgd", Rate: 1}, Noise: 0.5}
	if _, err := rebuild(x).Train(context.Background(), models.Env{}, cfg); err != nil {
		t.Fatal(err)
	}
	if len(spy.in) != 2 || slices.Equal(spy.in[0], spy.in[1]) || !slices.Contains(spy.in[0], 0) ||
		!slices.Equal(spy.target, x) {
		t.Errorf("inputs %v, target %v", spy.in, spy.target)
	}
}

type noiseSpy struct {
	in     [][]float32
	target []float32
}

func (s *noiseSpy) New(Network, Params, int) (Trainer, error) { return s, nil }
func (s *noiseSpy) NewSequence(Sequence, Params, int) (Trainer, error) {
	return nil, errors.New("not asked for")
}
func (s *noiseSpy) Close() error   { return nil }
func (s *noiseSpy) Params() Params { return Params{{1}, {0}} }
func (s *noiseSpy) Gradient(_, _ []float32, _ []int32) (float64, Params, error) {
	return 0, nil, errors.New("not asked for")
}

func (s *noiseSpy) Epoch(_ context.Context, x, t []float32, _ []int32, _ int, _ float64) (float64, error) {
	s.in, s.target = append(s.in, slices.Clone(x)), t
	return 1, nil
}
