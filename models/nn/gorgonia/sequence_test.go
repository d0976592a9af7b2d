package gorgonia

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"plumbline/models/nn"
)

// sequences are recurrent networks of every kind, sizes on both sides of what the kernels pad to.
func sequences() map[string]nn.Sequence {
	adam := nn.Optimiser{Kind: "adam", Rate: 0.003, Rho: 0.9}
	two := func() []nn.Recurrent { return []nn.Recurrent{{In: 5, Out: 7}, {In: 7, Out: 20}} }
	numbers := func(change func(s *nn.Sequence)) nn.Sequence {
		s := nn.Sequence{Steps: 4, In: 5, Layers: two(), Each: true, Out: 6, Loss: "mse", Optimiser: adam, Seed: 9}
		change(&s)
		return s
	}
	symbols := func(change func(s *nn.Sequence)) nn.Sequence {
		s := nn.Sequence{Steps: 4, In: 1, Symbols: 9, Layers: []nn.Recurrent{{In: 9, Out: 6}}, Out: 9, Loss: "softmax",
			Optimiser: adam}
		change(&s)
		return s
	}
	encdec := func(s *nn.Sequence) {
		s.Layers, s.Out = []nn.Recurrent{{In: 5, Out: 18}, {In: 5, Out: 18, Decoder: true}}, 5
	}
	return map[string]nn.Sequence{
		"two layers": numbers(func(s *nn.Sequence) {}),
		"one layer": numbers(func(s *nn.Sequence) {
			s.Steps, s.In, s.Layers, s.Out = 6, 18, []nn.Recurrent{{In: 18, Out: 33}}, 17
		}),
		"last step": numbers(func(s *nn.Sequence) {
			s.Each, s.Optimiser = false, nn.Optimiser{Kind: "sgd", Rate: 0.05, Momentum: 0.9}
		}),
		"one step": numbers(func(s *nn.Sequence) { s.Steps = 1 }),
		"repeat": numbers(func(s *nn.Sequence) {
			s.Layers = []nn.Recurrent{{In: 5, Out: 9}, {In: 9, Out: 6, Repeat: true}}
			s.Optimiser = nn.Optimiser{Kind: "adadelta", Rate: 1, Rho: 0.9}
		}),
		"both ways": numbers(func(s *nn.Sequence) {
			s.Layers = []nn.Recurrent{{In: 5, Out: 7, Bidirectional: true}, {In: 14, Out: 17, Bidirectional: true}}
		}),
		"both ways, last": numbers(func(s *nn.Sequence) {
			s.Layers, s.Each = []nn.Recurrent{{In: 5, Out: 7, Bidirectional: true}}, false
		}),
		"both ways, repeat": numbers(func(s *nn.Sequence) {
			s.Layers = []nn.Recurrent{{In: 5, Out: 7, Bidirectional: true},
				{In: 14, Out: 8, Bidirectional: true, Repeat: true}}
		}),
		"decoder":           numbers(encdec),
		"decoder, mae":      numbers(func(s *nn.Sequence) { encdec(s); s.Loss = "mae" }),
		"decoder, one step": numbers(func(s *nn.Sequence) { encdec(s); s.Steps = 1 }),
		"decoder, dropout":  numbers(func(s *nn.Sequence) { encdec(s); s.Layers[1].Dropout = 0.4 }),
		"clip":              numbers(func(s *nn.Sequence) { s.Clip = 0.05 }),
		"mae":               numbers(func(s *nn.Sequence) { s.Loss = "mae" }),
		"logistic":          numbers(func(s *nn.Sequence) { s.Loss = "logistic" }),
		"logistic, last":    numbers(func(s *nn.Sequence) { s.Loss, s.Out, s.Each = "logistic", 1, false }),
		"gaussian":          numbers(func(s *nn.Sequence) { s.Loss = "gaussian" }),
		"gaussian, last":    numbers(func(s *nn.Sequence) { s.Loss, s.Each = "gaussian", false }),
		"classes": numbers(func(s *nn.Sequence) {
			s.Loss, s.Out, s.Classes = "gaussian", 4+3+2,
				[]int{3, 2}
		}),
		"classes, last": numbers(func(s *nn.Sequence) {
			s.Loss, s.Out, s.Classes, s.Each = "gaussian", 5, []int{5},
				false
		}),
		"softmax": numbers(func(s *nn.Sequence) { s.Loss = "softmax" }),
		"dropout": numbers(func(s *nn.Sequence) { s.Layers[0].Dropout, s.Layers[1].Dropout = 0.3, 0.5 }),
		"dropout, last": numbers(func(s *nn.Sequence) {
			s.Layers[0].Dropout, s.Layers[1].Dropout, s.Each = 0.3, 0.5,
				false
		}),
		"dropout, both ways": numbers(func(s *nn.Sequence) {
			s.Layers = []nn.Recurrent{{In: 5, Out: 7, Bidirectional: true, Dropout: 0.2},
				{In: 14, Out: 8, Repeat: true, Dropout: 0.4}}
		}),
		"one-hot": symbols(func(s *nn.Sequence) {}),
		"one-hot, each, both ways": symbols(func(s *nn.Sequence) {
			s.Each, s.Layers = true, []nn.Recurrent{{In: 9, Out: 6, Bidirectional: true}}
		}),
		"embedding":       symbols(func(s *nn.Sequence) { s.Embed, s.Layers = 5, two() }),
		"embedding, each": symbols(func(s *nn.Sequence) { s.Embed, s.Layers, s.Each = 5, two(), true }),
	}
}

// samples are n random samples of a network, and targets for them.
func samples(s nn.Sequence, n int, r *rand.Rand) (x, target []float32) {
	x, target = make([]float32, n*s.Steps*s.In), make([]float32, n*s.Targets())
	for i := range x {
		x[i] = float32(r.NormFloat64())
		if s.Symbols > 0 {
			x[i] = float32(r.IntN(s.Symbols))
		}
	}
	for i := range target {
		target[i] = float32(r.Float64())
		classes := s.Classes
		if s.Loss == "softmax" {
			classes = []int{s.Out}
		}
		per := s.Targets()
		if s.Each {
			per /= s.Steps
		}
		if group := i%per - per + len(classes); group >= 0 {
			target[i] = float32(r.IntN(classes[group]))
		}
	}
	return x, target
}

// TestSequenceEnginesAgree: the same gradient, and the same loss over three epochs.
func TestSequenceEnginesAgree(t *testing.T) {
	if testing.Short() {
		t.Skip("the same goroutines as in the tests of one engine")
	}
	both := engines(t)
	for name, s := range sequences() {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(7, 8))
			const n = 75
			x, target := samples(s, n, r)
			p := s.NewParams(r)
			if s.Loss == "gaussian" && len(s.Classes) == 0 { // one of the variances below its floor
				p[len(p)-1][s.Out-1] = -5.5
			}
			order := shuffled(r, n)
			losses, gradients := map[string][]float64{}, map[string]nn.Params{}
			for which, engine := range both {
				tr, err := engine.NewSequence(s, p, 2)
				if err != nil {
					t.Fatal(err)
				}
				defer tr.Close()
				for i, a := range tr.Params() {
					for k, v := range a {
						if v != p[i][k] {
							t.Fatalf("%s: weight %d[%d] is %v, want %v", which, i, k, v, p[i][k])
						}
					}
				}
				for range 2 { // a second evaluation must not add to the first
					loss, g, err := tr.Gradient(x, target, order[:30])
					if err != nil {
						t.Fatal(err)
					}
					losses[which], gradients[which] = append(losses[which], loss), g
				}
				losses[which] = append(losses[which], threeEpochs(t, tr, x, target, order, 30, s.Optimiser.Rate)...)
			}
			sameLosses(t, losses)
			for i, g := range gradients["gorgonia"] {
				if farthestFromZero(g) == 0 && s.Steps > 1 {
					t.Errorf("array %d has no gradient", i)
				}
			}
			sameGradients(t, gradients, 0)
		})
	}
}

// TestLargeLogits: what the head gives may be so large that its exponential overflows.
func TestLargeLogits(t *testing.T) {
	for _, loss := range []string{"softmax", "logistic"} {
		s := nn.Sequence{Steps: 2, In: 1, Layers: []nn.Recurrent{{In: 1, Out: 1}}, Out: 2, Loss: loss,
			Optimiser: nn.Optimiser{Kind: "sgd", Rate: 1}}
		p := s.NewParams(rand.New(rand.NewPCG(1, 1)))
		copy(p[len(p)-2], []float32{0, 0})
		copy(p[len(p)-1], []float32{300, -300})
		want := 600.0 // softmax of class 1; logistic: 300 for a 0 at 300, 300 for a 1 at −300
		target := []float32{1}
		if loss == "logistic" {
			want, target = 300, []float32{0, 1}
		}
		for name, e := range engines(t) {
			tr, err := e.NewSequence(s, p, 1)
			if err != nil {
				t.Fatal(err)
			}
			defer tr.Close()
			got, g, err := tr.Gradient([]float32{1, 2}, target, []int32{0})
			if err != nil || math.Abs(got-want) > 1e-3 {
				t.Errorf("%s, %s: loss %v, %v, want %v", name, loss, got, err, want)
			}
			size := 1.0
			if loss == "logistic" {
				size = 0.5
			}
			if b := g[len(g)-1]; math.Abs(float64(b[0])-size) > 1e-5 || math.Abs(float64(b[1])+size) > 1e-5 {
				t.Errorf("%s, %s: gradient of the biases %v", name, loss, b)
			}
		}
	}
}

func TestSequenceData(t *testing.T) {
	s := sequences()["two layers"]
	p := s.NewParams(rand.New(rand.NewPCG(1, 1)))
	if _, err := (engine{}).NewSequence(s, p[1:], 1); err == nil {
		t.Error("weights of another network are taken")
	}
	tr, err := engine{}.NewSequence(s, p, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	for name, rows := range map[string][]int32{"no such sample": {1}, "negative sample": {-1}, "no samples": nil} {
		if _, _, err := tr.Gradient(make([]float32, 20), make([]float32, 20), rows); err == nil {
			t.Errorf("%s: has a gradient", name)
		}
		if _, err := tr.Epoch(context.Background(), make([]float32, 20), make([]float32, 20), rows, 1, 1); err == nil {
			t.Errorf("%s: is trained on", name)
		}
	}
}
