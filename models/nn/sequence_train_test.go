package nn

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

func trainedSequence(t testing.TB, s Sequence, n, batch, workers, epochs int) (Params, []float64) {
	t.Helper()
	x, target := samples(s, n)
	tr, err := fusedEngine{}.NewSequence(s, s.NewParams(rand.New(rand.NewPCG(1, 2))), workers)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	losses := epochsOf(t, tr, x, target, shuffled(rand.New(rand.NewPCG(3, 4)), n), batch, s.Optimiser.Rate, epochs)
	return tr.Params(), losses
}

// epochsOf trains for some epochs and gives their losses.
func epochsOf(t testing.TB, tr Trainer, x, target []float32, order []int32, batch int, rate float64, n int) []float64 {
	t.Helper()
	var losses []float64
	for range n {
		loss, err := tr.Epoch(context.Background(), x, target, order, batch, rate)
		if err != nil {
			t.Fatal(err)
		}
		losses = append(losses, loss)
	}
	return losses
}

// shuffled is the rows 0 … n−1 in random order.
func shuffled(r *rand.Rand, n int) (order []int32) {
	for _, k := range r.Perm(n) {
		order = append(order, int32(k))
	}
	return order
}

// TestSequenceSameWeightsForAnyWorkers: the number of workers changes no bit of any network, clipped or not,
// whatever the batch and the optimiser.
func TestSequenceSameWeightsForAnyWorkers(t *testing.T) {
	for name, s := range sequences() {
		for i, kind := range []string{"adam", "sgd", "adadelta"} {
			s.Optimiser.Kind, s.Optimiser.Momentum = kind, 0.9
			s.Clip = []float64{0, 0.1, 1000}[i]
			for _, batch := range []int{1, 50, 150, 400} {
				if testing.Short() && batch != 150 {
					continue
				}
				what := fmt.Sprintf("%s, %s, batch %d", name, kind, batch)
				sameForAnyWorkers(t, what, func(workers int) (Params, []float64) {
					return trainedSequence(t, s, 200, batch, workers, 2)
				})
			}
		}
	}
}

// TestSequenceSameWeightsForAnyInstructions: AVX2, AVX-512 and plain Go learn the same bits.
func TestSequenceSameWeightsForAnyInstructions(t *testing.T) {
	if testing.Short() {
		t.Skip("processes of other instructions")
	}
	hash := func() string {
		all := ""
		for _, name := range []string{"wide", "bidirectional", "repeat", "decoder", "embedding", "one-hot", "gaussian",
			"dropout"} {
			s := sequences()[name]
			s.Clip = 0.2
			p, _ := trainedSequence(t, s, 150, 60, 2, 2)
			all += fmt.Sprint(p)
		}
		return all
	}
	sameForAnyInstructions(t, hash)
}

// TestClip: a step of plain descent with rate 1 is the numeric gradient, shortened to the bound where it is
// longer, for the optimisers of either kind.
func TestClip(t *testing.T) {
	s := sequences()["two layers"]
	x, target := samples(s, 5)
	p := s.randomParams()
	rows := []int32{0, 1, 2, 3, 4}
	wide := widen(p)
	g := numeric(wide, func() float64 { return refLoss(s, wide, x, target, rows, nil) })
	norm := 0.0
	for _, a := range g {
		for _, v := range a {
			norm += v * v
		}
	}
	norm = math.Sqrt(norm)
	s.Optimiser = Optimiser{Kind: "sgd", Rate: 1}
	for _, bound := range []float64{norm / 3, norm * 3} {
		s.Clip = bound
		tr, err := fusedEngine{}.NewSequence(s, p, 1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tr.Epoch(context.Background(), x, target, rows, 5, 1); err != nil {
			t.Fatal(err)
		}
		now := tr.Params()
		for i := range g {
			for k, v := range g[i] {
				want := v * math.Min(1, bound/norm)
				if got := float64(p[i][k]) - float64(now[i][k]); math.Abs(got-want) > 1e-4*math.Max(0.02,
					math.Abs(want)) {
					t.Fatalf("bound %v of a norm of %v: step %d[%d] is %v, want %v", bound, norm, i, k, got, want)
				}
			}
		}
	}
	// Adam's averages after one step are a tenth and a thousandth of the gradient and its square
	s.Optimiser, s.Clip = Optimiser{Kind: "adam", Rate: 0.01}, norm/3
	tr, err := fusedEngine{}.NewSequence(s, p, 2)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tr.Epoch(context.Background(), x, target, rows, 5, 0.01); err != nil {
		t.Fatal(err)
	}
	f := tr.(*fusedSequence)
	for i, a := range f.s.unpacked(f.m) {
		for k, v := range a {
			if want := g[i][k] / 30; math.Abs(float64(v)-want) > 1e-4*math.Max(0.002, math.Abs(want)) {
				t.Fatalf("average %d[%d] is %v, want %v", i, k, v, want)
			}
		}
	}
}

// TestSequenceLearns: every network lowers its loss on a problem that it can learn by heart.
func TestSequenceLearns(t *testing.T) {
	if testing.Short() {
		t.Skip("some thousand steps")
	}
	for name, s := range sequences() {
		s.Optimiser.Rate = 0.01
		_, losses := trainedSequence(t, s, 16, 16, 1, 200)
		first, last := losses[0], losses[len(losses)-1]
		if !(last < first-0.1*math.Abs(first)) {
			t.Errorf("%s: the loss went from %v to %v", name, first, last)
		}
	}
}

// TestSequenceAllocates: an epoch of many steps allocates no more than one of few.
func TestSequenceAllocates(t *testing.T) {
	for _, name := range []string{"two layers", "repeat", "decoder", "embedding", "one-hot", "gaussian", "dropout"} {
		s := sequences()[name]
		s.Clip = 1
		for _, kind := range []string{"adam", "sgd"} {
			s.Optimiser.Kind = kind
			x, target := samples(s, 40)
			tr, err := fusedEngine{}.NewSequence(s, s.randomParams(), 1)
			if err != nil {
				t.Fatal(err)
			}
			order := make([]int32, 40)
			for i := range order {
				order[i] = int32(i)
			}
			count := func(n int) float64 {
				return testing.AllocsPerRun(5, func() {
					if _, err := tr.Epoch(context.Background(), x, target, order[:n], 1, 0.001); err != nil {
						t.Fatal(err)
					}
				})
			}
			if few, many := count(2), count(40); many > few {
				t.Errorf("%s, %s: 2 steps allocate %v times, 40 steps %v times", name, kind, few, many)
			}
		}
		sc, err := s.NewScorer(s.randomParams())
		if err != nil {
			t.Fatal(err)
		}
		x, _ := samples(s, 200)
		if n := testing.AllocsPerRun(5, func() {
			if err := sc.Each(x, 0, 200, func(int, []float32) {}); err != nil {
				t.Fatal(err)
			}
		}); n > 0 {
			t.Errorf("%s: scoring allocates %v times", name, n)
		}
	}
}

func TestSequenceStops(t *testing.T) {
	s := sequences()["one layer"]
	x, target := samples(s, 4)
	tr, err := fusedEngine{}.NewSequence(s, s.randomParams(), 2)
	if err != nil {
		t.Fatal(err)
	}
	order := make([]int32, 1_000_000)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := tr.Epoch(ctx, x, target, order, 64, 0.001); !errors.Is(err, context.Canceled) ||
		tr.(*fusedSequence).t != 0 {
		t.Errorf("error %v", err)
	}
	ctx, cancel = context.WithCancel(context.Background())
	done := make(chan error)
	go func() {
		_, err := tr.Epoch(ctx, x, target, order, 64, 0.001)
		done <- err
	}()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if steps := tr.(*fusedSequence).t; steps > 15625/2 {
		t.Errorf("stopped after %d steps", steps)
	}
	if _, err := tr.Epoch(context.Background(), x, target, order[:500], 64, 0.001); err != nil {
		t.Error(err)
	}
}

// BenchmarkLSTM is an epoch over 20,000 sequences of 20 steps and 32 columns, batches of 64, Adam: C predicts
// the next step at each by 64 units, C2 is an auto-encoder of 64 units that repeats its code.
func BenchmarkLSTM(b *testing.B) {
	adam := Optimiser{Kind: "adam", Rate: 0.001}
	for _, c := range []struct {
		name string
		s    Sequence
	}{
		{"C", Sequence{Steps: 20, In: 32, Layers: []Recurrent{{In: 32, Out: 64}}, Each: true, Out: 32, Loss: "mse",
			Optimiser: adam}},
		{"C2", Sequence{Steps: 20, In: 32, Layers: []Recurrent{{In: 32, Out: 64}, {In: 64, Out: 64, Repeat: true}},
			Each: true, Out: 32, Loss: "mse", Optimiser: adam}},
	} {
		const n = 20000
		x, target := samples(c.s, n)
		order := shuffled(rand.New(rand.NewPCG(3, 4)), n)
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/workers=%d", c.name, workers), func(b *testing.B) {
				tr, err := fusedEngine{}.NewSequence(c.s, c.s.NewParams(rand.New(rand.NewPCG(1, 2))), workers)
				if err != nil {
					b.Fatal(err)
				}
				defer tr.Close()
				b.ReportAllocs()
				for b.Loop() {
					if _, err := tr.Epoch(context.Background(), x, target, order, 64, 0.001); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "sequences/s")
			})
		}
	}
}
