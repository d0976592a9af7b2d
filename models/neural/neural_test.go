package neural

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestOptimisersByHand: two steps on one weight with the gradients 0.5 and −0.2, worked out from the
// published update rules in float64.
func TestOptimisersByHand(t *testing.T) {
	adam := func() []float64 {
		w, m, v := 1.0, 0.0, 0.0
		var out []float64
		for k, g := range []float64{0.5, -0.2} {
			m, v = 0.9*m+0.1*g, 0.999*v+0.001*g*g
			n := float64(k + 1)
			w -= 0.1 * (m / (1 - math.Pow(0.9, n))) / (math.Sqrt(v/(1-math.Pow(0.999, n))) + 1e-8)
			out = append(out, w)
		}
		return out
	}()
	adadelta := func() []float64 {
		w, s, d := 1.0, 0.0, 0.0
		var out []float64
		for _, g := range []float64{0.5, -0.2} {
			s = 0.9*s + 0.1*g*g
			delta := math.Sqrt(d+1e-6) / math.Sqrt(s+1e-6) * g
			d = 0.9*d + 0.1*delta*delta
			w -= 0.1 * delta
			out = append(out, w)
		}
		return out
	}()
	for _, c := range []struct {
		o    Optimiser
		want []float64
	}{
		{Optimiser{Kind: "sgd", Momentum: 0.9}, []float64{1 - 0.1*0.5, 0.95 - 0.1*(0.9*0.5-0.2)}},
		{Optimiser{Kind: "adam"}, adam},
		{Optimiser{Kind: "adadelta", Rho: 0.9}, adadelta},
	} {
		p := Params{{1}}
		s := NewStepper(c.o, p)
		for k, g := range []float32{0.5, -0.2} {
			s.Step(p, Params{{g}}, 0.1)
			if math.Abs(float64(p[0][0])-c.want[k]) > 2e-7 {
				t.Errorf("%s: step %d gives %v, want %v", c.o.Kind, k+1, p[0][0], c.want[k])
			}
		}
	}
}

func TestGlorotBounds(t *testing.T) {
	n := Network{Layers: []Dense{{In: 30, Out: 20, Activation: Tanh}, {In: 20, Out: 5, Activation: Linear}}, Optimiser: Optimiser{Kind: "sgd"}}
	p := n.NewParams(rand.New(rand.NewPCG(1, 1)), 0.01)
	if err := n.Shape(p); err != nil {
		t.Fatal(err)
	}
	for i, l := range n.Layers {
		limit := math.Sqrt(6 / float64(l.In+l.Out))
		top, sum := 0.0, 0.0
		for _, w := range p[2*i] {
			top = math.Max(top, math.Abs(float64(w)))
			sum += float64(w)
		}
		if top > limit || top < 0.8*limit || math.Abs(sum/float64(len(p[2*i]))) > 0.2*limit {
			t.Errorf("layer %d: weights up to %v, mean %v; bound %v", i, top, sum, limit)
		}
		for _, b := range p[2*i+1] {
			if b != 0.01 {
				t.Errorf("layer %d: bias %v", i, b)
			}
		}
	}
}

// TestForwardByHand: tanh(1·2 − 1·3 + 0.5) = tanh(−0.5), then 2·that + 1.
func TestForwardByHand(t *testing.T) {
	n := Network{Layers: []Dense{{In: 2, Out: 1, Activation: Tanh}, {In: 1, Out: 1, Activation: Linear}}, Optimiser: Optimiser{Kind: "sgd"}}
	p := Params{{1, -1}, {0.5}, {2}, {1}}
	var got float32
	n.NewScorer(p).Each([]float32{2, 3}, 0, 1, 0, func(_ int, y []float32) { got = y[0] })
	if want := 2*math.Tanh(-0.5) + 1; math.Abs(float64(got)-want) > 1e-6 {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestCaoSizes: the sizes that the authors' code gives for the widths of their data sets.
func TestCaoSizes(t *testing.T) {
	for d, want := range map[int][3]int{122: {85, 49, 12}, 196: {136, 75, 15}, 40: {29, 18, 7}, 41: {30, 18, 7}, 38: {28, 17, 7}} {
		if got := CaoSizes(d); [3]int(got) != want {
			t.Errorf("%d: %v, want %v", d, got, want)
		}
	}
}

func TestNetworkErrors(t *testing.T) {
	for _, n := range []Network{
		{Optimiser: Optimiser{Kind: "adam"}},
		{Layers: []Dense{{In: 2, Out: 3, Activation: Tanh}, {In: 4, Out: 1, Activation: Linear}}, Optimiser: Optimiser{Kind: "adam"}},
		{Layers: []Dense{{In: 2, Out: 3, Activation: "swish"}}, Optimiser: Optimiser{Kind: "adam"}},
		{Layers: []Dense{{In: 2, Out: 3, Activation: Tanh}}, Optimiser: Optimiser{Kind: "lion"}},
	} {
		if n.Check() == nil {
			t.Errorf("%+v is accepted", n)
		}
	}
	if _, err := LookupEngine("gorgnia"); err == nil {
		t.Error("an unknown engine is accepted")
	}
}
