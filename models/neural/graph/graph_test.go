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
	sum := 0.0
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
		}
		for j := range h {
			d := h[j] - float64(t[int(r)*out+j])
			sum += d * d
		}
	}
	return sum / float64(len(rows)*out)
}

// TestGradient holds the engine against central differences of the float64 reference.
func TestGradient(t *testing.T) {
	for _, act := range []neural.Activation{neural.Tanh, neural.ReLU, neural.Sigmoid, neural.Linear} {
		t.Run(string(act), func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			net := neural.Network{Layers: neural.Autoencoder(6, []int{5, 3}, act), Optimiser: neural.Optimiser{Kind: "adam", Rate: 0.01, Rho: 0.9}}
			p := net.NewParams(r, 0.01)
			x := make([]float32, 10*6)
			for i := range x {
				x[i] = float32(r.NormFloat64())
			}
			tr, err := engine{}.New(net, p)
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
		tr, err := engine{}.New(net, p)
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
	tr, err := engine{}.New(net, net.NewParams(r, 0.01))
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
