package autoencoder

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"plumbline/models"
	"plumbline/models/nn"
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
		o    nn.Optimiser
		want []float64
	}{
		{nn.Optimiser{Kind: "sgd", Momentum: 0.9}, []float64{1 - 0.1*0.5, 0.95 - 0.1*(0.9*0.5-0.2)}},
		{nn.Optimiser{Kind: "adam"}, adam},
		{nn.Optimiser{Kind: "adadelta", Rho: 0.9}, adadelta},
	} {
		p := nn.Params{{1}}
		s := nn.NewStepper(c.o, p)
		for k, g := range []float32{0.5, -0.2} {
			s.Step(p, nn.Params{{g}}, 0.1)
			if math.Abs(float64(p[0][0])-c.want[k]) > 2e-7 {
				t.Errorf("%s: step %d gives %v, want %v", c.o.Kind, k+1, p[0][0], c.want[k])
			}
		}
	}
}

func TestGlorotBounds(t *testing.T) {
	n := nn.Network{Layers: []nn.Dense{{In: 30, Out: 20, Activation: nn.Tanh}, {In: 20, Out: 5, Activation: nn.Linear}},
		Optimiser: nn.Optimiser{Kind: "sgd"}}
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
	n := nn.Network{Layers: []nn.Dense{{In: 2, Out: 1, Activation: nn.Tanh}, {In: 1, Out: 1, Activation: nn.Linear}},
		Optimiser: nn.Optimiser{Kind: "sgd"}}
	p := nn.Params{{1, -1}, {0.5}, {2}, {1}}
	var got float32
	n.NewScorer(p).Each([]float32{2, 3}, 0, 1, 0, func(_ int, y []float32) { got = y[0] })
	if want := 2*math.Tanh(-0.5) + 1; math.Abs(float64(got)-want) > 1e-6 {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestCaoSizes: the sizes that the authors' code gives for the widths of their data sets.
func TestCaoSizes(t *testing.T) {
	for d, want := range map[int][3]int{122: {85, 49, 12}, 196: {136, 75, 15}, 40: {29, 18, 7}, 41: {30, 18, 7},
		38: {28, 17, 7}} {
		if got := CaoSizes(d); [3]int(got) != want {
			t.Errorf("%d: %v, want %v", d, got, want)
		}
	}
}

func TestNetworkErrors(t *testing.T) {
	for _, n := range []nn.Network{
		{Optimiser: nn.Optimiser{Kind: "adam"}},
		{Layers: []nn.Dense{{In: 2, Out: 3, Activation: nn.Tanh}, {In: 4, Out: 1, Activation: nn.Linear}},
			Optimiser: nn.Optimiser{Kind: "adam"}},
		{Layers: []nn.Dense{{In: 2, Out: 3, Activation: "swish"}}, Optimiser: nn.Optimiser{Kind: "adam"}},
		{Layers: []nn.Dense{{In: 2, Out: 3, Activation: nn.Tanh}}, Optimiser: nn.Optimiser{Kind: "lion"}},
	} {
		if n.Check() == nil {
			t.Errorf("%+v is accepted", n)
		}
	}
	if _, err := nn.LookupEngine("gorgnia"); err == nil {
		t.Error("an unknown engine is accepted")
	}
}

// TestMoreOptimisersByHand: two steps on one weight with the gradients 0.5 and −0.2 at a rate of 0.1.
func TestMoreOptimisersByHand(t *testing.T) {
	// with decay d, adamw first shrinks the weight by 1−0.1·d, the others add d·w to the gradient
	adam := func(w, decay float64) float64 {
		m, v := 0.0, 0.0
		for k, g := range []float64{0.5, -0.2} {
			w *= 1 - 0.1*decay
			m, v = 0.9*m+0.1*g, 0.999*v+0.001*g*g
			n := float64(k + 1)
			w -= 0.1 * (m / (1 - math.Pow(0.9, n))) / (math.Sqrt(v/(1-math.Pow(0.999, n))) + 1e-8)
		}
		return w
	}
	rms := func() float64 {
		w, s, b := 1.0, 0.0, 0.0
		for _, g := range []float64{0.5, -0.2} {
			s = 0.9*s + 0.1*g*g
			b = 0.5*b + g/math.Sqrt(s)
			w -= 0.1 * b
		}
		return w
	}()
	for _, c := range []struct {
		o    nn.Optimiser
		want float64
	}{
		{nn.Optimiser{Kind: "adamw", WeightDecay: 0.2}, adam(1, 0.2)},
		{nn.Optimiser{Kind: "adagrad"}, 1 - 0.1 + 0.1*0.2/math.Sqrt(0.29)},
		{nn.Optimiser{Kind: "rmsprop", Rho: 0.9, Momentum: 0.5}, rms},
		{nn.Optimiser{Kind: "sgd", WeightDecay: 0.2}, 0.93 - 0.1*(-0.2+0.2*0.93)},
		{nn.Optimiser{Kind: "sgd", Clip: 0.25}, 1 - 0.1*0.25 + 0.1*0.2},
	} {
		p := nn.Params{{1}}
		s := nn.NewStepper(c.o, p)
		s.Step(p, nn.Params{{0.5}}, 0.1)
		s.Step(p, nn.Params{{-0.2}}, 0.1)
		if math.Abs(float64(p[0][0])-c.want) > 1e-6 {
			t.Errorf("%+v gives %v, want %v", c.o, p[0][0], c.want)
		}
	}
}

// TestPlainNetworkScoresTheSame: what scoring folds normalisation and tied weights into gives what the layers say.
func TestPlainNetworkScoresTheSame(t *testing.T) {
	n := nn.Network{Layers: []nn.Dense{{In: 2, Out: 1, Activation: nn.Tanh, Norm: true},
		{In: 1, Out: 2, Activation: nn.Linear, Tied: 1}}, Optimiser: nn.Optimiser{Kind: "sgd"}}
	p := nn.Params{{1, -2}, {0.5}, {3}, {0.25}, {0.1}, {4}, {0.7, -0.7}}
	if err := n.Shape(p); err != nil {
		t.Fatal(err)
	}
	h := math.Tanh(3*((2-2*3+0.5)-0.1)/math.Sqrt(4+1e-5) + 0.25)
	n.NewScorer(p).Each([]float32{2, 3}, 0, 1, 0, func(_ int, y []float32) {
		if math.Abs(float64(y[0])-(h+0.7)) > 1e-6 || math.Abs(float64(y[1])-(-2*h-0.7)) > 1e-6 {
			t.Errorf("%v, want %v and %v", y, h+0.7, -2*h-0.7)
		}
	})
}

// TestChance: masks drop the share asked for, draws have mean 0 and variance 1, and both differ by step and row.
func TestChance(t *testing.T) {
	mask, draw := make([]float32, 20000), make([]float32, 20001)
	nn.Mask(mask, 0.2, 1, 0, 0, 0)
	zeros := 0
	for _, v := range mask {
		if v == 0 {
			zeros++
		} else if v != 1.25 {
			t.Fatalf("a value is multiplied by %v", v)
		}
	}
	nn.StandardNormal(draw, 1, 0, 0)
	sum, squares := 0.0, 0.0
	for _, v := range draw {
		sum += float64(v)
		squares += float64(v) * float64(v)
	}
	if math.Abs(float64(zeros)-4000) > 300 || math.Abs(sum/20000) > 0.03 || math.Abs(squares/20000-1) > 0.05 {
		t.Errorf("%d of 20000 dropped; mean %v, variance %v", zeros, sum/20000, squares/20000)
	}
	first, other := make([]float32, 8), make([]float32, 8)
	nn.StandardNormal(first, 1, 0, 0)
	for _, at := range [][2]int{{1, 0}, {0, 1}} {
		if nn.StandardNormal(other, 1, at[0], at[1]); other[0] == first[0] {
			t.Errorf("step %d, row %d draws the same", at[0], at[1])
		}
	}
}

func TestPatienceNeedsValidation(t *testing.T) {
	spec := defaultAE()
	spec.Patience = 3
	if _, err := spec.New(models.Env{}); !errors.Is(err, models.ErrSpec) {
		t.Errorf("error %v", err)
	}
}
