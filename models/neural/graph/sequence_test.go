package graph

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"plumbline/models/neural"
)

// sequences are recurrent networks that both engines run.
func sequences() map[string]neural.Sequence {
	adam := neural.Optimiser{Kind: "adam", Rate: 0.003, Rho: 0.9}
	two := []neural.Recurrent{{In: 5, Out: 7}, {In: 7, Out: 20}}
	return map[string]neural.Sequence{
		"one layer":  {Steps: 6, In: 18, Layers: []neural.Recurrent{{In: 18, Out: 33}}, Each: true, Out: 17, Loss: "mse", Optimiser: adam},
		"two layers": {Steps: 4, In: 5, Layers: two, Each: true, Out: 5, Loss: "mse", Optimiser: adam},
		"last step":  {Steps: 4, In: 5, Layers: two, Out: 3, Loss: "mse", Optimiser: neural.Optimiser{Kind: "sgd", Rate: 0.05, Momentum: 0.9}},
		"repeat":     {Steps: 3, In: 5, Layers: []neural.Recurrent{{In: 5, Out: 9}, {In: 9, Out: 6, Repeat: true}}, Each: true, Out: 5, Loss: "mse", Optimiser: neural.Optimiser{Kind: "adadelta", Rate: 1, Rho: 0.9}},
		"one step":   {Steps: 1, In: 5, Layers: two, Each: true, Out: 3, Loss: "mse", Optimiser: adam},
	}
}

// TestSequenceEnginesAgree: the same gradient, and the same loss over three epochs.
func TestSequenceEnginesAgree(t *testing.T) {
	both := engines(t)
	for name, s := range sequences() {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(7, 8))
			const n = 75
			x, target := make([]float32, n*s.Steps*s.In), make([]float32, n*s.Targets())
			for i := range x {
				x[i] = float32(r.NormFloat64())
			}
			for i := range target {
				target[i] = float32(r.Float64())
			}
			p := s.NewParams(r)
			order := make([]int32, n)
			for i, k := range r.Perm(n) {
				order[i] = int32(k)
			}
			losses, gradients := map[string][]float64{}, map[string]neural.Params{}
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
				for range 3 {
					loss, err := tr.Epoch(context.Background(), x, target, order, 30, s.Optimiser.Rate)
					if err != nil {
						t.Fatal(err)
					}
					losses[which] = append(losses[which], loss)
				}
			}
			for i, want := range losses["gorgonia"] {
				if math.Abs(losses["fused"][i]-want) > 1e-4*want {
					t.Errorf("losses %v, want %v", losses["fused"], losses["gorgonia"])
					break
				}
			}
			for i := range gradients["gorgonia"] {
				most := 0.0
				for _, v := range gradients["gorgonia"][i] {
					most = math.Max(most, math.Abs(float64(v)))
				}
				if most == 0 && s.Steps > 1 {
					t.Errorf("array %d has no gradient", i)
				}
				for k, want := range gradients["gorgonia"][i] {
					if got := gradients["fused"][i][k]; math.Abs(float64(got-want)) > 1e-4*most {
						t.Fatalf("gradient %d[%d] is %v, want %v", i, k, got, want)
					}
				}
			}
		})
	}
}

// TestSequencesAreRefused: what this engine cannot do it says, with the name of the one that can.
func TestSequencesAreRefused(t *testing.T) {
	for name, change := range map[string]func(*neural.Sequence){
		"loss":          func(s *neural.Sequence) { s.Loss = "mae" },
		"clip":          func(s *neural.Sequence) { s.Clip = 1 },
		"dropout":       func(s *neural.Sequence) { s.Layers[0].Dropout = 0.1 },
		"symbols":       func(s *neural.Sequence) { s.In, s.Symbols = 1, 5 },
		"bidirectional": func(s *neural.Sequence) { s.Layers[1].Bidirectional = true },
		"decoder":       func(s *neural.Sequence) { s.Layers[1] = neural.Recurrent{In: 5, Out: 7, Decoder: true} },
	} {
		s := sequences()["two layers"]
		change(&s)
		p := s.NewParams(rand.New(rand.NewPCG(1, 1)))
		if err := s.Check(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := (engine{}).NewSequence(s, p, 1); err == nil || !strings.Contains(err.Error(), "fused") {
			t.Errorf("%s: error %v", name, err)
		}
	}
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
