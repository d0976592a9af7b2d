package nn

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// squaresLoss is an objective: loss = Σ_c (y_c − t_c)² + Joint·Σ_j f_j² of each row, plus the square of the mean first
// output, so that a row's gradient depends on the others.
type squaresLoss struct{}

func (squaresLoss) Gradient(b *Batch) float64 {
	n := float64(len(b.Output))
	mean, sum := 0.0, 0.0
	for _, y := range b.Output {
		mean += float64(y[0]) / n
	}
	for i, y := range b.Output {
		for c, v := range y {
			e := float64(v) - float64(b.Target[i][c])
			sum += e * e
			b.Slope[i][c] = float32(2 * e / n)
		}
		b.Slope[i][0] += float32(2 * mean / n)
		if len(b.Bridge) == 0 {
			continue
		}
		for k, v := range b.Bridge[i] {
			sum += 0.3 * float64(v) * float64(v)
			b.Joint[i][k] = float32(0.6 * float64(v) / n)
		}
	}
	return sum + n*mean*mean
}

// plainLoss is the loss of squaresLoss in float64, straight from the formulas.
func plainLoss(net Network, p [][]float64, x, t []float32, rows []int32) float64 {
	apply := func(from, to int, v []float64) []float64 {
		for i := from; i < to; i++ {
			l := net.Layers[i]
			out := make([]float64, l.Out)
			var w, b []float64
			for k, a := range net.Arrays() {
				if a.Layer == i && a.Part == Weight {
					w = p[k]
				} else if a.Layer == i {
					b = p[k]
				}
			}
			for o := range out {
				if b != nil {
					out[o] = b[o]
				}
				for k := range v {
					out[o] += w[o*l.In+k] * v[k]
				}
				switch l.Activation {
				case Leaky:
					out[o] = max(out[o], 0.01*out[o])
				case Tanh:
					out[o] = math.Tanh(out[o])
				case Sigmoid:
					out[o] = 1 / (1 + math.Exp(-out[o]))
				}
			}
			v = out
		}
		return v
	}
	d, k := net.Layers[0].In, net.Layers[len(net.Layers)-1].Out
	sum, mean := 0.0, 0.0
	for _, r := range rows {
		row := make([]float64, d)
		for j := range row {
			row[j] = float64(x[int(r)*d+j])
		}
		v, start := row, 0
		if b := net.Bridge; b != nil {
			z := apply(0, net.Latent, row)
			y := apply(net.Latent, b.After, z)
			far, nx, ny, dot := 0.0, 0.0, 0.0, 0.0
			for j := range row {
				far += (row[j] - y[j]) * (row[j] - y[j])
				nx += row[j] * row[j]
				ny += y[j] * y[j]
				dot += row[j] * y[j]
			}
			f := append(slices.Clone(z), math.Sqrt(far/nx), dot/math.Sqrt(nx*ny))
			for _, u := range f {
				sum += 0.3 * u * u
			}
			sum += b.Weight * far
			v, start = f, b.After
		}
		for c, u := range apply(start, len(net.Layers), v) {
			e := u - float64(t[int(r)*k+c])
			sum += e * e
			if c == 0 {
				mean += u / float64(len(rows))
			}
		}
	}
	return sum/float64(len(rows)) + mean*mean
}

// objectives are networks that are trained for squaresLoss.
func objectives() map[string]Network {
	bridged := Network{Layers: append(Autoencoder(6, []int{5, 2}, Tanh),
		Dense{In: 4, Out: 5, Activation: Tanh}, Dense{In: 5, Out: 3, Activation: Linear}),
		Latent: 2, Bridge: &Bridge{After: 4, Weight: 0.7}}
	return map[string]Network{
		"without biases": {Layers: []Dense{{In: 6, Out: 5, Activation: Leaky, NoBias: true},
			{In: 5, Out: 3, Activation: Linear, NoBias: true}}},
		"sigmoid at the end": {Layers: []Dense{{In: 6, Out: 5, Activation: Tanh}, {In: 5, Out: 3, Activation: Sigmoid}}},
		"bridge":             bridged,
	}
}

// TestObjectiveGradients: gradients are those of finite differences of the loss in float64.
func TestObjectiveGradients(t *testing.T) {
	x, order := problem(6, 40)
	target := make([]float32, 3*40)
	r := rand.New(rand.NewPCG(3, 9))
	for i := range target {
		target[i] = float32(r.NormFloat64())
	}
	for name, net := range objectives() {
		net.Objective = squaresLoss{}
		net.Optimiser = Optimiser{Kind: "adam", Rate: 0.01}
		p := net.NewParams(rand.New(rand.NewPCG(5, 6)), 0.05)
		tr, err := fusedEngine{}.New(net, p, 2)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		rows := order[:21]
		loss, g, err := tr.Gradient(x, target, rows)
		if err != nil {
			t.Fatal(err)
		}
		wide := make([][]float64, len(p))
		for i := range p {
			for _, v := range p[i] {
				wide[i] = append(wide[i], float64(v))
			}
		}
		if want := plainLoss(net, wide, x, target, rows); math.Abs(loss-want) > 1e-5*want {
			t.Errorf("%s: loss %v, want %v", name, loss, want)
		}
		const h = 1e-5
		for i := range wide {
			for j := range wide[i] {
				was := wide[i][j]
				wide[i][j] = was + h
				up := plainLoss(net, wide, x, target, rows)
				wide[i][j] = was - h
				down := plainLoss(net, wide, x, target, rows)
				wide[i][j] = was
				if want := (up - down) / (2 * h); math.Abs(float64(g[i][j])-want) > 2e-4*(1+math.Abs(want)) {
					t.Fatalf("%s: %s[%d]: gradient %v, want %v", name, net.Arrays()[i].Name, j, g[i][j], want)
				}
			}
		}
	}
}

// TestObjectivesForAnyWorkers: the number of workers changes no bit of what an objective makes a network learn, biases
// that are not there stay so, and the held-out loss is that of the network without dropout.
func TestObjectivesForAnyWorkers(t *testing.T) {
	x, order := problem(6, 400)
	target := make([]float32, 3*400)
	for i := range target {
		target[i] = x[i]
	}
	for name, net := range objectives() {
		net.Optimiser = Optimiser{Kind: "rmsprop", Rate: 0.003, Rho: 0.9, WeightDecay: 0.001, Clip: 1}
		for _, batch := range []int{1, 7, 200, 400} {
			var first Params
			for _, workers := range []int{1, 2, 5} {
				net.Objective = squaresLoss{}
				tr, err := fusedEngine{}.New(net, net.NewParams(rand.New(rand.NewPCG(1, 2)), 0), workers)
				if err != nil {
					t.Fatal(err)
				}
				var losses []float64
				for range 3 {
					loss, err := tr.Epoch(t.Context(), x, target, order, batch, 0.003)
					if err != nil {
						t.Fatal(err)
					}
					losses = append(losses, loss)
				}
				p := tr.Params()
				if first == nil {
					first = p
				}
				for i := range p {
					if !slices.Equal(p[i], first[i]) {
						t.Fatalf("%s, batch %d: %d workers learn other weights", name, batch, workers)
					}
				}
				if !(losses[2] < losses[0]) {
					t.Errorf("%s, batch %d: losses %v", name, batch, losses)
				}
				held, err := net.objectiveLoss(p, x[:60], target[:30], 10)
				wide := make([][]float64, len(p))
				for i := range p {
					for _, v := range p[i] {
						wide[i] = append(wide[i], float64(v))
					}
				}
				want := plainLoss(net, wide, x, target, []int32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
				if err != nil || math.Abs(held-want) > 1e-4*want {
					t.Errorf("%s: held-out loss %v, want %v (%v)", name, held, want, err)
				}
			}
		}
	}
}

// TestObjectivesAreChecked: what does not go together is refused.
func TestObjectivesAreChecked(t *testing.T) {
	for name, change := range map[string]func(n *Network){
		"a loss beside it":        func(n *Network) { n.Loss = SquaredLoss },
		"normalisation":           func(n *Network) { n.Layers[0].Norm = true },
		"a bridge past the end":   func(n *Network) { n.Bridge.After = 6 },
		"no bottleneck":           func(n *Network) { n.Latent = 0 },
		"no reconstruction":       func(n *Network) { n.Bridge.After = 3 },
		"no objective":            func(n *Network) { n.Objective = nil },
		"a bottleneck that drops": func(n *Network) { n.Layers[1].Dropout = 0.5 },
	} {
		net := objectives()["bridge"]
		net.Bridge = &Bridge{After: 4, Weight: 1}
		net.Optimiser = Optimiser{Kind: "adam", Rate: 0.01}
		net.Objective = squaresLoss{}
		if err := net.Check(); err != nil {
			t.Fatal(err)
		}
		if change(&net); net.Check() == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
