package nn

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
)

// TestSequenceGradient checks the loss and its gradient against the reference in float64 and its differences.
func TestSequenceGradient(t *testing.T) {
	if testing.Short() {
		t.Skip("some thousand losses of the reference")
	}
	for name, s := range sequences() {
		t.Run(name, func(t *testing.T) {
			x, target := samples(s, 12)
			p := s.randomParams()
			tr, err := fusedEngine{}.NewSequence(s, p, 1)
			if err != nil {
				t.Fatal(err)
			}
			rows := []int32{7, 1, 11, 0, 4}
			wide := widen(p)
			loss, g, err := tr.Gradient(x, target, rows)
			if err != nil {
				t.Fatal(err)
			}
			if len(g) != len(p) {
				t.Fatalf("%d arrays of gradients, want %d", len(g), len(p))
			}
			mask := drawn(tr, rows)
			f := func() float64 { return refLoss(s, wide, x, target, rows, mask) }
			if want := f(); math.Abs(loss-want) > 1e-5*math.Abs(want) {
				t.Fatalf("loss %v, want %v", loss, want)
			}
			for i, want := range numeric(wide, f) {
				most := 0.0
				for k, v := range want {
					most = math.Max(most, math.Abs(v))
					if math.Abs(float64(g[i][k])-v) > 1e-4*math.Max(0.02, math.Abs(v)) {
						t.Fatalf("gradient %d[%d] is %v, want %v", i, k, g[i][k], v)
					}
				}
				if most == 0 && s.Steps > 1 {
					t.Errorf("array %d has no gradient: the case is too weak", i)
				}
			}
			again, g2, err := tr.Gradient(x, target, rows)
			if err != nil || again != loss || fmt.Sprint(g2) != fmt.Sprint(g) {
				t.Errorf("a second evaluation gives something else: loss %v, then %v, %v", loss, again, err)
			}
		})
	}
}

// drawn is the dropout that a trainer has just used for rows, or nil.
func drawn(tr Trainer, rows []int32) func(sample, layer, step, j int) float64 {
	f := tr.(*fusedSequence)
	if !slices.ContainsFunc(f.s.Layers, func(l Recurrent) bool { return l.Dropout > 0 }) {
		return nil
	}
	return func(sample, layer, step, j int) float64 {
		l := &f.s.layers[layer]
		if l.Dropout == 0 {
			return 1
		}
		k, i := 0, sample
		if first := len(shardOf(rows, 0)); sample >= first {
			k, i = 1, sample-first
		}
		n := len(shardOf(rows, k))
		return float64(f.workspaces[k].layers[layer].mask[(step*n+i)*l.wide+place(j, l.Out)])
	}
}

// TestDropoutShare: as many outputs are dropped as asked for, others in every step, and scoring drops none.
func TestDropoutShare(t *testing.T) {
	s := Sequence{Steps: 10, In: 2, Layers: []Recurrent{{In: 2, Out: 20, Dropout: 0.3}}, Each: true, Out: 1,
		Loss: "mse", Optimiser: Optimiser{Kind: "sgd", Rate: 0.1}}
	const n = 60
	x, target := samples(s, n)
	p := s.randomParams()
	tr, err := fusedEngine{}.NewSequence(s, p, 1)
	if err != nil {
		t.Fatal(err)
	}
	rows := make([]int32, n)
	for i := range rows {
		rows[i] = int32(i)
	}
	masks := func() (out []float32) {
		for _, r := range tr.(*fusedSequence).workspaces {
			for at, m := range r.layers[0].mask[:n/shards*10*32] {
				if at%32 < 20 {
					out = append(out, m)
				}
			}
		}
		return out
	}
	if _, err := tr.Epoch(context.Background(), x, target, rows, n, 0); err != nil {
		t.Fatal(err)
	}
	first := masks()
	zeros := 0
	for _, m := range first {
		switch m {
		case 0:
			zeros++
		case float32(1 / 0.7):
		default:
			t.Fatalf("an output is multiplied by %v", m)
		}
	}
	if share := float64(zeros) / float64(len(first)); math.Abs(share-0.3) > 0.015 {
		t.Errorf("%v of the outputs are dropped", share)
	}
	if _, err := tr.Epoch(context.Background(), x, target, rows, n, 0); err != nil {
		t.Fatal(err)
	}
	if slices.Equal(first, masks()) {
		t.Error("two steps drop the same outputs")
	}
}

// TestLossEdges: the losses and their gradients where formulas taken literally overflow or have no derivative.
func TestLossEdges(t *testing.T) {
	nan := math.NaN()
	for name, c := range map[string]struct {
		loss    string
		y, t, g []float32
		want    float64
	}{
		"no distance":      {"mae", []float32{1, 3, -2}, []float32{1, 1, 1}, []float32{0, 0.5, -0.5}, 5},
		"huge logits":      {"softmax", []float32{1000, 0, -1000}, []float32{1}, []float32{0.5, -0.5, 0}, 1000},
		"sure and right":   {"logistic", []float32{200, -200}, []float32{1, 0}, []float32{0, 0}, 0},
		"sure and wrong":   {"logistic", []float32{200, -200}, []float32{0, 1}, []float32{0.5, -0.5}, 400},
		"variance's floor": {"gaussian", []float32{1, -100}, []float32{0}, []float32{50, 0}, 50 + math.Log(0.01)/2},
		"no number, mae":   {"mae", []float32{float32(nan), 0}, []float32{0, 0}, []float32{float32(nan), 0}, nan},
		"no number, mse":   {"mse", []float32{float32(nan), 0}, []float32{0, 0}, []float32{float32(nan), 0}, nan},
		"no number, class": {"softmax", []float32{0, float32(nan)}, []float32{0}, []float32{float32(nan), float32(nan)},
			nan},
		"no number, gauss": {"gaussian", []float32{0, float32(nan)}, []float32{0},
			[]float32{float32(nan), float32(nan)}, nan},
		"no number, log": {"logistic", []float32{float32(nan)}, []float32{0}, []float32{float32(nan)}, nan},
	} {
		y := slices.Clone(c.y)
		got := losses[c.loss](y, c.t, 0.5)
		same := func(a, b float64) bool {
			return math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= 1e-5*math.Max(1, math.Abs(b))
		}
		if !same(got, c.want) {
			t.Errorf("%s: loss %v, want %v", name, got, c.want)
		}
		for j, v := range y {
			if !same(float64(v), float64(c.g[j])) {
				t.Errorf("%s: gradient %v, want %v", name, y, c.g)
				break
			}
		}
	}
}

func TestSequenceRefuses(t *testing.T) {
	for name, change := range map[string]func(*Sequence){
		"no steps":               func(s *Sequence) { s.Steps = 0 },
		"no columns":             func(s *Sequence) { s.In = 0 },
		"no layers":              func(s *Sequence) { s.Layers = nil },
		"no units":               func(s *Sequence) { s.Layers[1].Out = 0 },
		"unlike layers":          func(s *Sequence) { s.Layers[1].In = 6 },
		"unlike input":           func(s *Sequence) { s.Layers[0].In = 6 },
		"no head":                func(s *Sequence) { s.Out = 0 },
		"unknown loss":           func(s *Sequence) { s.Loss = "hinge" },
		"unknown optimiser":      func(s *Sequence) { s.Optimiser.Kind = "lion" },
		"negative clip":          func(s *Sequence) { s.Clip = -1 },
		"no number as clip":      func(s *Sequence) { s.Clip = math.NaN() },
		"one class":              func(s *Sequence) { s.Loss, s.Out = "softmax", 1 },
		"odd gaussian":           func(s *Sequence) { s.Loss = "gaussian" },
		"odd beside classes":     func(s *Sequence) { s.Loss, s.Out, s.Classes = "gaussian", 6, []int{3} },
		"classes of one":         func(s *Sequence) { s.Loss, s.Out, s.Classes = "gaussian", 3, []int{1} },
		"classes beyond":         func(s *Sequence) { s.Loss, s.Out, s.Classes = "gaussian", 4, []int{3, 3} },
		"classes beside mse":     func(s *Sequence) { s.Classes = []int{3} },
		"negative symbols":       func(s *Sequence) { s.Symbols = -1 },
		"many symbols a step":    func(s *Sequence) { s.Symbols = 9 },
		"embedding of nothing":   func(s *Sequence) { s.Embed = 5 },
		"too many steps":         func(s *Sequence) { s.Steps = 1 << 40 },
		"too many states":        func(s *Sequence) { s.Steps = 1 << 20 },
		"full dropout":           func(s *Sequence) { s.Layers[0].Dropout = 1 },
		"repeat at first":        func(s *Sequence) { s.Layers[0].Repeat = true },
		"decoder at first":       func(s *Sequence) { s.Layers[0].Decoder = true },
		"decoder of other width": func(s *Sequence) { s.Layers[1].Decoder, s.Layers[1].In, s.Out = true, 5, 5 },
		"decoder of the last": func(s *Sequence) {
			s.Layers[1] = Recurrent{In: 5, Out: 7, Decoder: true}
			s.Out, s.Each = 5, false
		},
		"decoder of classes": func(s *Sequence) {
			s.Layers[1] = Recurrent{In: 5, Out: 7, Decoder: true}
			s.Out, s.Loss = 5, "softmax"
		},
		"decoder of other columns": func(s *Sequence) { s.Layers[1] = Recurrent{In: 5, Out: 7, Decoder: true} },
		"decoder both ways": func(s *Sequence) {
			s.Layers[1] = Recurrent{In: 5, Out: 7, Decoder: true, Bidirectional: true}
			s.Out = 5
		},
		"encoder with dropout": func(s *Sequence) {
			s.Layers[0].Dropout = 0.5
			s.Layers[1] = Recurrent{In: 5, Out: 7, Decoder: true}
			s.Out = 5
		},
	} {
		s := sequences()["two layers"]
		p := s.randomParams()
		change(&s)
		if err := s.Check(); err == nil {
			t.Errorf("%s: is taken", name)
		}
		if _, err := (fusedEngine{}).NewSequence(s, p, 1); err == nil {
			t.Errorf("%s: is taken by the engine", name)
		}
		if _, err := s.NewScorer(p); err == nil {
			t.Errorf("%s: is scored", name)
		}
	}
	s := sequences()["two layers"]
	p := s.randomParams()
	if _, err := (fusedEngine{}).NewSequence(s, p[1:], 1); err == nil {
		t.Error("too few arrays are taken")
	}
	p[1] = p[1][1:]
	if _, err := (fusedEngine{}).NewSequence(s, p, 1); err == nil {
		t.Error("a short array is taken")
	}
}

// TestSequenceData: data that do not fit are refused, not met with a panic.
func TestSequenceData(t *testing.T) {
	for name, c := range map[string]struct {
		network   string
		x, target []float32
		rows      []int32
		batch     int
	}{
		"no such sample":  {"one layer", make([]float32, 40), make([]float32, 24), []int32{2}, 1},
		"negative sample": {"one layer", make([]float32, 40), make([]float32, 24), []int32{-1}, 1},
		"short targets":   {"one layer", make([]float32, 40), make([]float32, 23), []int32{1}, 1},
		"no samples":      {"one layer", make([]float32, 40), make([]float32, 24), nil, 1},
		"unknown symbol":  {"embedding", []float32{1, 2, 3, 9}, []float32{0}, []int32{0}, 1},
		"half a symbol":   {"one-hot", []float32{1, 2, 0.5, 3}, []float32{0}, []int32{0}, 1},
		"no symbol":       {"one-hot", []float32{1, 2, float32(math.NaN()), 3}, []float32{0}, []int32{0}, 1},
		"unknown class":   {"softmax", make([]float32, 20), []float32{0, 1, 2, 3}, []int32{0}, 1},
		"no class":        {"softmax", make([]float32, 20), []float32{0, 1, -1, 0}, []int32{0}, 1},
		"unknown of classes": {"classes", make([]float32, 20),
			[]float32{0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0}, []int32{0}, 1},
		"no probability":   {"logistic, last", make([]float32, 20), []float32{1.5}, []int32{0}, 1},
		"batches of none":  {"one layer", make([]float32, 40), make([]float32, 24), []int32{1}, 0},
		"negative batches": {"one layer", make([]float32, 40), make([]float32, 24), []int32{1}, -5},
	} {
		s := sequences()[c.network]
		tr, err := fusedEngine{}.NewSequence(s, s.randomParams(), 1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tr.Epoch(context.Background(), c.x, c.target, c.rows, c.batch, 0.1); err == nil {
			t.Errorf("%s: is trained on", name)
		}
		if c.batch < 1 {
			continue
		}
		if _, _, err := tr.Gradient(c.x, c.target, c.rows); err == nil {
			t.Errorf("%s: has a gradient", name)
		}
	}
}
