package graph

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"plumbline/models/neural"
)

// reference is the loss in float64, written down plainly.
func reference(n neural.Network, p [][]float64, x, t []float32, rows []int32) float64 {
	in, out := n.Layers[0].In, n.Layers[len(n.Layers)-1].Out
	sum, latent := 0.0, 0.0
	for _, r := range rows {
		h := make([]float64, in)
		for j := range h {
			h[j] = float64(x[int(r)*in+j])
		}
		for i, l := range n.Layers {
			next := make([]float64, l.Out)
			for k := range next {
				v := p[2*i+1][k]
				for j := range h {
					v += h[j] * p[2*i][k*l.In+j]
				}
				switch l.Activation {
				case neural.Tanh:
					v = math.Tanh(v)
				case neural.ReLU:
					v = math.Max(v, 0)
				case neural.Sigmoid:
					v = 1 / (1 + math.Exp(-v))
				}
				next[k] = v
			}
			h = next
			if n.Shrink > 0 && i+1 == n.Latent {
				for _, v := range h {
					latent += v * v / float64(len(h))
				}
			}
		}
		for j := range h {
			d := h[j] - float64(t[int(r)*out+j])
			sum += d * d
		}
	}
	return sum/float64(len(rows)*out) + n.Shrink*latent/float64(len(rows))
}

// engines is both engines: the same tests hold for them.
func engines(t *testing.T) map[string]neural.Engine {
	t.Helper()
	fused, err := neural.LookupEngine("fused")
	if err != nil {
		t.Fatal(err)
	}
	return map[string]neural.Engine{"gorgonia": engine{}, "fused": fused}
}

// TestGradient holds the engines against central differences of the float64 reference.
func TestGradient(t *testing.T) {
	for name, engine := range engines(t) {
		testGradient(t, name, engine)
	}
}

func testGradient(t *testing.T, name string, engine neural.Engine) {
	for _, act := range []neural.Activation{neural.Tanh, neural.ReLU, neural.Sigmoid, neural.Linear} {
		t.Run(name+"/"+string(act), func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			net := neural.Network{Layers: neural.Autoencoder(6, []int{5, 3}, act), Optimiser: neural.Optimiser{Kind: "adam", Rate: 0.01, Rho: 0.9}, Latent: 2, Shrink: 0.7}
			p := net.NewParams(r, 0.01)
			x := make([]float32, 10*6)
			for i := range x {
				x[i] = float32(r.NormFloat64())
			}
			tr, err := engine.New(net, p, 1)
			if err != nil {
				t.Fatal(err)
			}
			defer tr.Close()
			rows := []int32{7, 1, 4, 0}
			for range 2 { // a second evaluation must not add to the first
				loss, g, err := tr.Gradient(x, x, rows)
				if err != nil {
					t.Fatal(err)
				}
				wide := make([][]float64, len(p))
				for i := range p {
					for _, v := range p[i] {
						wide[i] = append(wide[i], float64(v))
					}
				}
				if want := reference(net, wide, x, x, rows); math.Abs(loss-want) > 1e-6*want {
					t.Fatalf("loss %v, want %v", loss, want)
				}
				for i := range wide {
					for k := range wide[i] {
						const h = 1e-5
						was := wide[i][k]
						wide[i][k] = was + h
						up := reference(net, wide, x, x, rows)
						wide[i][k] = was - h
						down := reference(net, wide, x, x, rows)
						wide[i][k] = was
						want := (up - down) / (2 * h)
						if math.Abs(float64(g[i][k])-want) > 1e-4*math.Max(0.05, math.Abs(want)) {
							t.Fatalf("gradient %d[%d] = %v, want %v", i, k, g[i][k], want)
						}
					}
				}
			}
		})
	}
}

func TestLossFallsAndRepeats(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	net := neural.Network{Layers: neural.Autoencoder(8, []int{6, 2}, neural.Tanh), Optimiser: neural.Optimiser{Kind: "adam", Rate: 0.01, Rho: 0.9}}
	p := net.NewParams(r, 0.01)
	x := make([]float32, 100*8)
	for i := range 100 {
		a, b := r.NormFloat64(), r.NormFloat64()
		for j := range 8 {
			x[i*8+j] = float32(a*float64(j)/8 + b*float64(j%3))
		}
	}
	order := make([]int32, 100)
	for i := range order {
		order[i] = int32(i)
	}
	run := func() []float64 {
		tr, err := engine{}.New(net, p, 1)
		if err != nil {
			t.Fatal(err)
		}
		defer tr.Close()
		var losses []float64
		for range 20 {
			loss, err := tr.Epoch(context.Background(), x, x, order, 32, 0.01)
			if err != nil {
				t.Fatal(err)
			}
			losses = append(losses, loss)
		}
		return losses
	}
	a, b := run(), run()
	if a[19] > 0.2*a[0] {
		t.Errorf("loss went from %v to %v", a[0], a[19])
	}
	for i := range a {
		if a[i] != b[i] {
			t.Fatalf("epoch %d: %v and %v", i, a[i], b[i])
		}
	}
}

func BenchmarkEpoch(b *testing.B) {
	r := rand.New(rand.NewPCG(5, 6))
	net := neural.Network{Layers: neural.Autoencoder(122, neural.CaoSizes(122), neural.Tanh), Optimiser: neural.Optimiser{Kind: "adam", Rate: 0.001, Rho: 0.9}}
	const n = 8192
	x := make([]float32, n*122)
	for i := range x {
		x[i] = r.Float32()
	}
	order := make([]int32, n)
	for i := range order {
		order[i] = int32(i)
	}
	tr, err := engine{}.New(net, net.NewParams(r, 0.01), 1)
	if err != nil {
		b.Fatal(err)
	}
	defer tr.Close()
	for b.Loop() {
		if _, err := tr.Epoch(context.Background(), x, x, order, 256, 0.001); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "rows/s")
}

// TestEnginesAgree: networks of all activations and optimisers, wide and odd, with targets of their own: the
// same gradient, and the same loss over three epochs.
func TestEnginesAgree(t *testing.T) {
	both := engines(t)
	adam := neural.Optimiser{Kind: "adam", Rate: 0.003, Rho: 0.9}
	for name, net := range map[string]neural.Network{
		"shrink":           {Layers: neural.Autoencoder(50, []int{20, 7}, neural.Tanh), Optimiser: adam, Latent: 2, Shrink: 10},
		"auto-encoder":     {Layers: neural.Autoencoder(122, []int{80, 40, 12}, neural.Tanh), Optimiser: adam},
		"narrow":           {Layers: neural.Autoencoder(5, []int{1}, neural.ReLU), Optimiser: adam},
		"sigmoid":          {Layers: neural.Autoencoder(33, []int{17, 3}, neural.Sigmoid), Optimiser: neural.Optimiser{Kind: "sgd", Rate: 0.05, Momentum: 0.9}},
		"adadelta":         {Layers: neural.Autoencoder(64, []int{32, 16}, neural.Tanh), Optimiser: neural.Optimiser{Kind: "adadelta", Rate: 1, Rho: 0.9}},
		"sigmoid output":   {Layers: []neural.Dense{{In: 20, Out: 31, Activation: neural.ReLU}, {In: 31, Out: 7, Activation: neural.Sigmoid}}, Optimiser: adam},
		"tanh output":      {Layers: []neural.Dense{{In: 20, Out: 18, Activation: neural.Tanh}}, Optimiser: adam},
		"rectified output": {Layers: []neural.Dense{{In: 20, Out: 48, Activation: neural.ReLU}}, Optimiser: adam},
	} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(7, 8))
			const n = 333
			in, out := net.Layers[0].In, net.Layers[len(net.Layers)-1].Out
			x, target := make([]float32, n*in), make([]float32, n*out)
			for i := range x {
				x[i] = float32(r.NormFloat64())
			}
			for i := range target {
				target[i] = float32(r.Float64())
			}
			p := net.NewParams(r, 0.01)
			order := make([]int32, n)
			for i, k := range r.Perm(n) {
				order[i] = int32(k)
			}
			losses, gradients := map[string][]float64{}, map[string]neural.Params{}
			for which, engine := range both {
				tr, err := engine.New(net, p, 2)
				if err != nil {
					t.Fatal(err)
				}
				defer tr.Close()
				loss, g, err := tr.Gradient(x, target, order[:150])
				if err != nil {
					t.Fatal(err)
				}
				losses[which], gradients[which] = append(losses[which], loss), g
				for range 3 {
					loss, err := tr.Epoch(context.Background(), x, target, order, 150, net.Optimiser.Rate)
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
				for k, want := range gradients["gorgonia"][i] {
					if got := gradients["fused"][i][k]; math.Abs(float64(got-want)) > 1e-4*most {
						t.Fatalf("gradient %d[%d] is %v, want %v", i, k, got, want)
					}
				}
			}
		})
	}
}

func TestCentresAreRefused(t *testing.T) {
	net := neural.Network{Layers: neural.Autoencoder(4, []int{2}, neural.Tanh), Optimiser: neural.Optimiser{Kind: "adam", Rate: 0.01}, Latent: 1, Shrink: 1, Centres: [][]float32{{0, 0}}}
	if _, err := (engine{}).New(net, net.NewParams(rand.New(rand.NewPCG(1, 1)), 0), 1); err == nil {
		t.Error("centres are taken")
	}
}
