package nn

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestLSTMByHand: two steps of one unit, worked out by hand. The first has the sums i = 0.5, f = 0, g = 1 and
// o = −1, so c = σ(0.5)·tanh(1) = 0.6224593·0.7615942 = 0.4740614 and h = σ(−1)·tanh(c) = 0.2689414·0.4414750 =
// 0.1187309. In the second,
// h is added to the sum of i alone: c = c/2 + σ(0.6187309)·tanh(1) = 0.7320135 and h = 0.2689414·0.6242956 = 0.1678990.
// The head
// gives 2h + 0.1.
func TestLSTMByHand(t *testing.T) {
	s := Sequence{Steps: 2, In: 1, Layers: []Recurrent{{In: 1, Out: 1}}, Each: true, Out: 1, Loss: "mse",
		Optimiser: Optimiser{Kind: "sgd", Rate: 1}}
	// sums at an input of 1: 0.5+0.1−0.1, 1−0.5−0.5, 2+0−1, −1+0.5−0.5
	p := Params{{0.5, 1, 2, -1}, {1, 0, 0, 0}, {0.1, -0.5, 0, 0.5}, {-0.1, -0.5, -1, -0.5}, {2}, {0.1}}
	sc, err := s.NewScorer(p)
	if err != nil {
		t.Fatal(err)
	}
	var got []float32
	if err := sc.Each([]float32{1, 1}, 0, 1, func(_ int, y []float32) { got = slices.Clone(y) }); err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{0.3374618, 0.4357979} {
		if len(got) != 2 || math.Abs(float64(got[i])-want) > 1e-6 {
			t.Fatalf("outputs %v, want %v at step %d", got, want, i)
		}
	}
}

// TestSequenceScorer checks the scores against the reference, whichever samples are asked for together, and a
// decoder's against one that is fed its own outputs.
func TestSequenceScorer(t *testing.T) {
	for name, s := range sequences() {
		t.Run(name, func(t *testing.T) {
			const n = 150
			x, _ := samples(s, n)
			p := s.randomParams()
			sc, err := s.NewScorer(p)
			if err != nil {
				t.Fatal(err)
			}
			var all [][]float32
			if err := sc.Each(x, 0, n, func(i int, y []float32) {
				if i != len(all) {
					t.Fatalf("sample %d after %d", i, len(all))
				}
				all = append(all, slices.Clone(y))
			}); err != nil {
				t.Fatal(err)
			}
			if len(all) != n {
				t.Fatalf("%d samples, want %d", len(all), n)
			}
			wide := widen(p)
			for _, i := range []int{0, 1, 63, 64, 149} {
				want := slices.Concat(refOutputs(s, wide, x[i*s.Steps*s.In:(i+1)*s.Steps*s.In], nil, true)...)
				if len(all[i]) != len(want) {
					t.Fatalf("%d outputs, want %d", len(all[i]), len(want))
				}
				for j, v := range want {
					if math.Abs(float64(all[i][j])-v) > 1e-5*math.Max(1, math.Abs(v)) {
						t.Fatalf("sample %d: output %d is %v, want %v", i, j, all[i][j], v)
					}
				}
				if s.Loss == "mse" {
					target := make([]float32, n*s.Targets())
					sum := 0.0
					for _, v := range want {
						sum += v * v
					}
					loss, err := sc.Loss(x, target, []int32{int32(i), int32(i)})
					if mean := sum / float64(len(want)); err != nil || math.Abs(loss-mean) > 1e-4*mean {
						t.Errorf("the loss of sample %d is %v, want %v: %v", i, loss, mean, err)
					}
				}
				if err := sc.Clone().Each(x, i, i+1, func(_ int, y []float32) {
					if !slices.Equal(y, all[i]) {
						t.Errorf("sample %d alone gives other bits", i)
					}
				}); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// TestSequenceScorerLoss: the loss of a scorer is that of the trainer where there is neither dropout nor a decoder.
func TestSequenceScorerLoss(t *testing.T) {
	for name, s := range sequences() {
		if strings.Contains(name, "dropout") || strings.Contains(name, "decoder") {
			continue
		}
		x, target := samples(s, 150)
		p := s.randomParams()
		rows := make([]int32, 140)
		for i := range rows {
			rows[i] = int32(i + 5)
		}
		tr, err := fusedEngine{}.NewSequence(s, p, 1)
		if err != nil {
			t.Fatal(err)
		}
		sc, err := s.NewScorer(p)
		if err != nil {
			t.Fatal(err)
		}
		want, _, err := tr.Gradient(x, target, rows)
		if err != nil {
			t.Fatal(err)
		}
		got, err := sc.Loss(x, target, rows)
		if err != nil || math.Abs(got-want) > 1e-5*math.Abs(want) {
			t.Errorf("%s: loss %v, want %v: %v", name, got, want, err)
		}
		if _, err := sc.Loss(x, target, nil); err == nil {
			t.Errorf("%s: no samples have a loss", name)
		}
		if _, err := sc.Loss(x, target, []int32{150}); err == nil {
			t.Errorf("%s: a sample that is not there has a loss", name)
		}
	}
}

// TestSequenceBlocks: the gradient of a batch of many blocks is the mean of those of its parts.
func TestSequenceBlocks(t *testing.T) {
	for name, s := range sequences() {
		if strings.Contains(name, "dropout") {
			continue
		}
		const n, part = 200, 20
		x, target := samples(s, n)
		tr, err := fusedEngine{}.NewSequence(s, s.randomParams(), 1)
		if err != nil {
			t.Fatal(err)
		}
		rows := make([]int32, n)
		for i := range rows {
			rows[i] = int32(i)
		}
		loss, g, err := tr.Gradient(x, target, rows)
		if err != nil {
			t.Fatal(err)
		}
		mean, want := 0.0, widen(g)
		for i := range want {
			clear(want[i])
		}
		for from := 0; from < n; from += part {
			l, some, err := tr.Gradient(x, target, rows[from:from+part])
			if err != nil {
				t.Fatal(err)
			}
			mean += l * part / n
			for i := range some {
				for k, v := range some[i] {
					want[i][k] += float64(v) * part / n
				}
			}
		}
		if math.Abs(loss-mean) > 1e-5*math.Abs(mean) {
			t.Errorf("%s: loss %v, want %v", name, loss, mean)
		}
		for i := range want {
			for k, v := range want[i] {
				if math.Abs(float64(g[i][k])-v) > 1e-5 {
					t.Fatalf("%s: gradient %d[%d] is %v, want %v", name, i, k, g[i][k], v)
				}
			}
		}
	}
}

// TestLongSequences: samples of many steps are worked in smaller blocks, to the gradient of the reference.
func TestLongSequences(t *testing.T) {
	if testing.Short() {
		t.Skip("values of long traces")
	}
	s := Sequence{Steps: 700, In: 2, Layers: []Recurrent{{In: 2, Out: 3}}, Out: 1, Loss: "mse",
		Optimiser: Optimiser{Kind: "sgd", Rate: 0.1}}
	x, target := samples(s, 40)
	p := s.NewParams(rand.New(rand.NewPCG(1, 2)))
	var rows []int32
	for i := range 40 {
		rows = append(rows, int32(i))
	}
	tr, err := fusedEngine{}.NewSequence(s, p, 1)
	if err != nil {
		t.Fatal(err)
	}
	loss, g, err := tr.Gradient(x, target, rows)
	if err != nil {
		t.Fatal(err)
	}
	wide := widen(p)
	if want := refLoss(s, wide, x, target, rows, nil); math.Abs(loss-want) > 1e-5*want {
		t.Errorf("loss %v, want %v", loss, want)
	}
	some := wide[:1]
	for k, v := range numeric(some, func() float64 { return refLoss(s, wide, x, target, rows, nil) })[0] {
		if math.Abs(float64(g[0][k])-v) > 1e-4*math.Max(0.02, math.Abs(v)) {
			t.Fatalf("gradient 0[%d] is %v, want %v", k, g[0][k], v)
		}
	}
}

// TestStream: a stream gives the bits of a whole sequence, however it is cut, and goes on from a saved state.
func TestStream(t *testing.T) {
	for _, name := range []string{"one layer", "two layers", "last step", "embedding", "one-hot"} {
		s := sequences()[name]
		s.Steps, s.Each = 200, true
		x, _ := samples(s, 1)
		sc, err := s.NewScorer(s.randomParams())
		if err != nil {
			t.Fatal(err)
		}
		var want []float32
		if err := sc.Each(x, 0, 1, func(_ int, y []float32) { want = slices.Clone(y) }); err != nil {
			t.Fatal(err)
		}
		for _, each := range []bool{true, false} {
			short := s
			short.Steps, short.Each = 3, each
			st, err := sc.NewState()
			if err != nil {
				t.Fatal(err)
			}
			at := 0
			for _, cut := range []int{1, 2, 60, 0, 137} {
				again, err := short.NewScorer(s.randomParams())
				if err != nil {
					t.Fatal(err)
				}
				saved := &State{}
				for i := range st.H {
					saved.H, saved.C = append(saved.H, slices.Clone(st.H[i])), append(saved.C, slices.Clone(st.C[i]))
				}
				if err := again.Continue(saved, x[at*s.In:(at+cut)*s.In], func(step int, y []float32) {
					if !slices.Equal(y, want[(at+step)*s.Out:(at+step+1)*s.Out]) {
						t.Fatalf("%s: step %d of a stream differs", name, at+step)
					}
				}); err != nil {
					t.Fatal(err)
				}
				st, at = saved, at+cut
			}
			if at != 200 {
				t.Fatal("the stream was not read to its end")
			}
		}
	}
}

func TestStreamRefuses(t *testing.T) {
	for _, name := range []string{"bidirectional", "repeat", "decoder"} {
		s := sequences()[name]
		sc, err := s.NewScorer(s.randomParams())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sc.NewState(); err == nil {
			t.Errorf("%s: follows a stream", name)
		}
	}
	s := sequences()["one-hot"]
	sc, err := s.NewScorer(s.randomParams())
	if err != nil {
		t.Fatal(err)
	}
	st, err := sc.NewState()
	if err != nil {
		t.Fatal(err)
	}
	never := func(int, []float32) { t.Error("something is scored") }
	if sc.Continue(st, []float32{9}, never) == nil || sc.Continue(st, []float32{0.5}, never) == nil {
		t.Error("an unknown symbol is taken")
	}
	if sc.Continue(&State{}, []float32{1}, never) == nil || sc.Continue(nil, []float32{1}, never) == nil {
		t.Error("a state of another network is taken")
	}
	if err := sc.Each(make([]float32, 3), 0, 1, never); err == nil {
		t.Error("a short sample is taken")
	}
}
