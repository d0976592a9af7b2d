package gorgonia

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"plumbline/models/autoencoder"
	"plumbline/models/nn"
)

// reference is the loss in float64, written down plainly for a batch as step 0 of training meets it.
func reference(n nn.Network, p [][]float64, x, t []float32, rows []int32) float64 {
	type key struct {
		layer int
		part  nn.Part
	}
	byKey := map[key][]float64{}
	for i, a := range n.Arrays() {
		byKey[key{a.Layer, a.Part}] = p[i]
	}
	array := func(layer int, part nn.Part) []float64 { return byKey[key{layer, part}] }
	in, out := n.Layers[0].In, n.Layers[len(n.Layers)-1].Out
	size := float64(len(rows))
	var h [][]float64
	for _, r := range rows {
		row := make([]float64, in)
		for j := range row {
			row[j] = float64(x[int(r)*in+j])
		}
		h = append(h, row)
	}
	loss := 0.0
	for i, l := range n.Layers {
		next := make([][]float64, len(h))
		for q := range h {
			next[q] = make([]float64, l.Out)
			for k := range next[q] {
				v := array(i, nn.Bias)[k]
				for j := range h[q] {
					if l.Tied > 0 {
						v += h[q][j] * array(l.Tied-1, nn.Weight)[j*l.Out+k]
					} else {
						v += h[q][j] * array(i, nn.Weight)[k*l.In+j]
					}
				}
				next[q][k] = v
			}
		}
		for k := range l.Out {
			if !l.Norm {
				break
			}
			mean, variance := 0.0, 0.0
			for q := range next {
				mean += next[q][k] / size
			}
			for q := range next {
				variance += (next[q][k] - mean) * (next[q][k] - mean) / size
			}
			for q := range next {
				next[q][k] = (next[q][k]-mean)/math.Sqrt(variance+1e-5)*array(i, nn.Scale)[k] + array(i, nn.Shift)[k]
			}
		}
		for q := range next {
			mask := make([]float32, l.Out)
			nn.Mask(mask, l.Dropout, n.Seed, 0, i, q)
			for k, v := range next[q] {
				switch l.Activation {
				case nn.Tanh:
					v = math.Tanh(v)
				case nn.ReLU:
					v = math.Max(v, 0)
				case nn.Sigmoid:
					v = 1 / (1 + math.Exp(-v))
				}
				if l.Dropout > 0 {
					v *= float64(mask[k])
				}
				next[q][k] = v
			}
		}
		h = next
		if i+1 != n.Latent {
			continue
		}
		nearest := func(z []float64) (c int) {
			least := math.Inf(1)
			for k, centre := range n.Centres {
				d := 0.0
				for j, v := range z {
					d += (v - float64(centre[j])) * (v - float64(centre[j]))
				}
				if d < least {
					c, least = k, d
				}
			}
			return c
		}
		for _, z := range h {
			for j, v := range z {
				if n.Centres != nil {
					v -= float64(n.Centres[nearest(z)][j])
				}
				loss += n.Shrink * v * v / (size * float64(len(z)))
			}
		}
		for c := range n.Centres {
			mean, members := make([]float64, l.Out), 0.0
			for _, z := range h {
				if nearest(z) == c {
					members++
					for j, v := range z {
						mean[j] += v
					}
				}
			}
			for _, v := range mean {
				if members > 0 {
					loss += n.Centring * v * v / (members * members * float64(len(n.Centres)))
				}
			}
		}
		if v := n.Variational; v != nil {
			b, kl := l.Out/2, 0.0
			for q, z := range h {
				eps := make([]float32, b)
				nn.StandardNormal(eps, n.Seed, 0, q)
				drawn := make([]float64, b)
				for j := range b {
					mu, s := z[j], z[b+j]
					drawn[j] = mu + math.Exp(s/2)*float64(eps[j])
					kl += (math.Exp(s) + mu*mu - v.Alpha - v.Alpha*s +
						v.Alpha*math.Log(v.Alpha)) / (2 * v.Alpha * float64(b) * size)
				}
				h[q] = drawn
			}
			if v.Log {
				kl = math.Log10(kl + 1)
			}
			loss += v.Weight * kl
		}
	}
	for q, r := range rows {
		for j, v := range h[q] {
			d := v - float64(t[int(r)*out+j])
			if n.Loss == nn.AbsoluteLoss {
				loss += math.Abs(d) / (size * float64(out))
			} else {
				loss += d * d / (size * float64(out))
			}
		}
	}
	return loss
}

// engines is both engines: the same tests hold for them.
func engines(t *testing.T) map[string]nn.Engine {
	t.Helper()
	fused, err := nn.LookupEngine("fused")
	if err != nil {
		t.Fatal(err)
	}
	return map[string]nn.Engine{"gorgonia": engine{}, "fused": fused}
}

// networks is one network for everything that a layer or the loss may have.
func networks() map[string]nn.Network {
	adam := nn.Optimiser{Kind: "adam", Rate: 0.003, Rho: 0.9}
	auto := func(change func(n *nn.Network)) nn.Network {
		n := nn.Network{Layers: nn.Autoencoder(6, []int{5, 4, 3}, nn.Tanh), Optimiser: adam, Latent: 3, Seed: 5}
		change(&n)
		return n
	}
	hidden := func(n *nn.Network, change func(l *nn.Dense)) {
		for i := range n.Layers {
			if i+1 != n.Latent && i+1 != len(n.Layers) {
				change(&n.Layers[i])
			}
		}
	}
	tie := func(n *nn.Network) {
		for i := n.Latent; i < len(n.Layers); i++ {
			n.Layers[i].Tied = len(n.Layers) - i
		}
	}
	out := map[string]nn.Network{
		"tied":     auto(tie),
		"norm":     auto(func(n *nn.Network) { hidden(n, func(l *nn.Dense) { l.Norm = true }) }),
		"dropout":  auto(func(n *nn.Network) { hidden(n, func(l *nn.Dense) { l.Dropout = 0.3 }) }),
		"absolute": auto(func(n *nn.Network) { n.Loss = nn.AbsoluteLoss }),
		"all": auto(func(n *nn.Network) {
			tie(n)
			n.Shrink = 0.7
			hidden(n, func(l *nn.Dense) { l.Norm, l.Dropout, l.Activation = true, 0.2, nn.Sigmoid })
		}),
		"everywhere": auto(func(n *nn.Network) {
			for i := range n.Layers[:len(n.Layers)-1] {
				n.Layers[i].Norm, n.Layers[i].Dropout = true, 0.1
			}
			n.Shrink = 2
		}),
	}
	for _, act := range []nn.Activation{nn.Tanh, nn.ReLU, nn.Sigmoid, nn.Linear} {
		out["shrink "+string(act)] = auto(func(n *nn.Network) {
			n.Shrink = 0.7
			hidden(n, func(l *nn.Dense) { l.Activation = act })
		})
	}
	for name, v := range map[string]nn.Variational{"variational": {Alpha: 1, Weight: 0.4},
		"log variational": {Alpha: 0.1, Weight: 0.3, Log: true}} {
		out[name] = auto(func(n *nn.Network) {
			n.Layers[2].Out *= 2
			n.Variational = &v
			hidden(n, func(l *nn.Dense) { l.Norm = true })
		})
	}
	for name, force := range map[string]float64{"centres": 0, "centring": 1.5} {
		out[name] = auto(func(n *nn.Network) {
			n.Shrink, n.Centring, n.Centres = 3, force, [][]float32{{0.5, 0.1, 0}, {-0.4, 0.2, 0.3}, {9, 9, 9}}
			hidden(n, func(l *nn.Dense) { l.Norm = true })
		})
	}
	return out
}

// TestGradient checks the engines against central differences of the float64 reference.
func TestGradient(t *testing.T) {
	for name, engine := range engines(t) {
		for kind, net := range networks() {
			t.Run(name+"/"+kind, func(t *testing.T) { testGradient(t, engine, net) })
		}
	}
}

func testGradient(t *testing.T, engine nn.Engine, net nn.Network) {
	r := rand.New(rand.NewPCG(1, 2))
	p := net.NewParams(r, 0.01)
	for i, a := range net.Arrays() {
		if a.Part != nn.Weight {
			for k := range p[i] {
				p[i][k] += 0.2 * float32(r.Float64())
			}
		}
	}
	x := make([]float32, 10*6)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	tr, err := engine.New(net, p, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	rows := []int32{7, 1, 4, 0, 9}
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
		if want := reference(net, wide, x, x, rows); math.Abs(loss-want) > 2e-6*want {
			t.Fatalf("loss %v, want %v", loss, want)
		}
		for i, a := range net.Arrays() {
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
					t.Fatalf("gradient of %s[%d] = %v, want %v", a.Name, k, g[i][k], want)
				}
			}
		}
	}
}

func TestLossFallsAndRepeats(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	net := nn.Network{Layers: nn.Autoencoder(8, []int{6, 2}, nn.Tanh),
		Optimiser: nn.Optimiser{Kind: "adam", Rate: 0.01, Rho: 0.9}}
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
	net := nn.Network{Layers: nn.Autoencoder(122, autoencoder.CaoSizes(122), nn.Tanh),
		Optimiser: nn.Optimiser{Kind: "adam", Rate: 0.001, Rho: 0.9}}
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
	all := networks()
	adam := nn.Optimiser{Kind: "adam", Rate: 0.003, Rho: 0.9}
	for name, net := range map[string]nn.Network{
		"adamw": {Layers: nn.Autoencoder(9, []int{7, 2}, nn.Tanh),
			Optimiser: nn.Optimiser{Kind: "adamw", Rate: 0.003, WeightDecay: 0.1}},
		"adagrad, clipped": {Layers: nn.Autoencoder(9, []int{7, 2}, nn.Tanh),
			Optimiser: nn.Optimiser{Kind: "adagrad", Rate: 0.01, Clip: 0.1}},
		"rmsprop": {Layers: nn.Autoencoder(9, []int{7, 2}, nn.Tanh),
			Optimiser: nn.Optimiser{Kind: "rmsprop", Rate: 0.001, Rho: 0.9, Momentum: 0.5}},
		"shrink":       {Layers: nn.Autoencoder(50, []int{20, 7}, nn.Tanh), Optimiser: adam, Latent: 2, Shrink: 10},
		"auto-encoder": {Layers: nn.Autoencoder(122, []int{80, 40, 12}, nn.Tanh), Optimiser: adam},
		"narrow":       {Layers: nn.Autoencoder(5, []int{1}, nn.ReLU), Optimiser: adam},
		"sigmoid": {Layers: nn.Autoencoder(33, []int{17, 3}, nn.Sigmoid),
			Optimiser: nn.Optimiser{Kind: "sgd", Rate: 0.05, Momentum: 0.9}},
		"adadelta": {Layers: nn.Autoencoder(64, []int{32, 16}, nn.Tanh),
			Optimiser: nn.Optimiser{Kind: "adadelta", Rate: 1, Rho: 0.9}},
		"sigmoid output": {Layers: []nn.Dense{{In: 20, Out: 31, Activation: nn.ReLU},
			{In: 31, Out: 7, Activation: nn.Sigmoid}}, Optimiser: adam},
		"tanh output":      {Layers: []nn.Dense{{In: 20, Out: 18, Activation: nn.Tanh}}, Optimiser: adam},
		"rectified output": {Layers: []nn.Dense{{In: 20, Out: 48, Activation: nn.ReLU}}, Optimiser: adam},
	} {
		all[name] = net
	}
	for name, net := range all {
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
			order := shuffled(r, n)
			losses, gradients := map[string][]float64{}, map[string]nn.Params{}
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
				losses[which] = append(losses[which], threeEpochs(t, tr, x, target, order, 150, net.Optimiser.Rate)...)
			}
			sameLosses(t, losses)
			largest := 0.0
			for _, g := range gradients["gorgonia"] {
				largest = max(largest, farthestFromZero(g))
			}
			// biases under a normalisation have no gradient but rounding
			sameGradients(t, gradients, largest/100)
		})
	}
}

// shuffled is the rows 0 … n−1 in random order.
func shuffled(r *rand.Rand, n int) (order []int32) {
	for _, k := range r.Perm(n) {
		order = append(order, int32(k))
	}
	return order
}

// threeEpochs trains and gives the losses.
func threeEpochs(t *testing.T, tr nn.Trainer, x, target []float32, order []int32, batch int, rate float64) []float64 {
	t.Helper()
	losses := make([]float64, 3)
	for i := range losses {
		var err error
		if losses[i], err = tr.Epoch(context.Background(), x, target, order, batch, rate); err != nil {
			t.Fatal(err)
		}
	}
	return losses
}

// sameLosses compares the losses of both engines.
func sameLosses(t *testing.T, losses map[string][]float64) {
	t.Helper()
	for i, want := range losses["gorgonia"] {
		if math.Abs(losses["fused"][i]-want) > 1e-4*want {
			t.Errorf("losses %v, want %v", losses["fused"], losses["gorgonia"])
			return
		}
	}
}

// sameGradients compares the gradients of both engines, array by array, relative to the largest number of the array,
// or to least where that is larger.
func sameGradients(t *testing.T, gradients map[string]nn.Params, least float64) {
	t.Helper()
	for i, wanted := range gradients["gorgonia"] {
		scale := max(least, farthestFromZero(wanted))
		for k, want := range wanted {
			if got := gradients["fused"][i][k]; math.Abs(float64(got-want)) > 1e-4*scale {
				t.Fatalf("gradient %d[%d] is %v, want %v", i, k, got, want)
			}
		}
	}
}

func farthestFromZero(a []float32) (most float64) {
	for _, v := range a {
		most = max(most, math.Abs(float64(v)))
	}
	return most
}

// TestCentresChange: centres may be more or fewer than before, and the loss is of the new ones.
func TestCentresChange(t *testing.T) {
	net := nn.Network{Layers: nn.Autoencoder(4, []int{2}, nn.Tanh), Optimiser: nn.Optimiser{Kind: "adam", Rate: 0.01},
		Latent: 1, Shrink: 1, Centres: [][]float32{{0, 0}}}
	p := net.NewParams(rand.New(rand.NewPCG(1, 1)), 0)
	x := []float32{1, 2, 3, 4, 4, 3, 2, 1}
	losses := map[string][]float64{}
	for name, e := range engines(t) {
		tr, err := e.New(net, p, 1)
		if err != nil {
			t.Fatal(err)
		}
		defer tr.Close()
		for _, centres := range [][][]float32{{{0, 0}}, {{5, 5}}, {{0, 0}, {5, 5}}, {{-1, 1}}} {
			if err := tr.(nn.Centred).SetCentres(centres); err != nil {
				t.Fatal(err)
			}
			loss, _, err := tr.Gradient(x, x, []int32{0, 1})
			if err != nil {
				t.Fatal(err)
			}
			losses[name] = append(losses[name], loss)
		}
		if err := tr.(nn.Centred).SetCentres([][]float32{{1}}); err == nil {
			t.Errorf("%s: a centre of another size is taken", name)
		}
	}
	for i, want := range losses["gorgonia"] {
		if got := losses["fused"][i]; math.Abs(got-want) > 1e-5*want {
			t.Errorf("centres %d: losses %v and %v", i, got, want)
		}
		if i > 0 && want == losses["gorgonia"][0] && i != 2 {
			t.Errorf("centres %d make no difference: %v", i, want)
		}
	}
}

// TestRunningAverages: of one batch, 0.9 of what was and 0.1 of the batch's mean and unbiased variance, worked
// out for the first layer; a batch of one row has no variance and changes nothing.
func TestRunningAverages(t *testing.T) {
	net := networks()["norm"]
	r := rand.New(rand.NewPCG(31, 32))
	p := net.NewParams(r, 0.3)
	x := make([]float32, 7*6)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	for name, e := range engines(t) {
		tr, err := e.New(net, p, 2)
		if err != nil {
			t.Fatal(err)
		}
		defer tr.Close()
		const still = 0 // rate
		if _, err := tr.Epoch(context.Background(), x, x, []int32{0, 1, 2, 3, 4, 5, 6}, 6, still); err != nil {
			t.Fatal(err)
		}
		got := tr.Params()
		for k := range net.Layers[0].Out {
			var sums []float64
			mean, variance := 0.0, 0.0
			for i := range 6 {
				v := float64(net.Array(p, 0, nn.Bias)[k])
				for j := range 6 {
					v += float64(x[i*6+j]) * float64(net.Array(p, 0, nn.Weight)[k*6+j])
				}
				sums = append(sums, v)
				mean += v / 6
			}
			for _, v := range sums {
				variance += (v - mean) * (v - mean) / 5
			}
			if m := float64(net.Array(got, 0, nn.Mean)[k]); math.Abs(m-0.1*mean) > 1e-6 {
				t.Errorf("%s: mean %d is %v, want %v", name, k, m, 0.1*mean)
			}
			if v := float64(net.Array(got, 0, nn.Variance)[k]); math.Abs(v-(0.9+0.1*variance)) > 1e-6 {
				t.Errorf("%s: variance %d is %v, want %v", name, k, v, 0.9+0.1*variance)
			}
		}
	}
}

// TestAsPyTorch: a network with batch normalisation, six steps on batches of four and three rows, as PyTorch 1.13 makes
// them in float64: losses, running averages, and the errors of all rows in scoring. Biases in front of a normalisation
// have no gradient but rounding, of which Adam makes whole steps: the running means that follow them, and with them the
// errors, are not to be compared there.
func TestAsPyTorch(t *testing.T) {
	type result struct {
		optimiser                     nn.Optimiser
		losses, mean, variance, wrong []float64
	}
	layer := func(in, out int, norm bool) nn.Dense {
		l := nn.Dense{In: in, Out: out, Activation: nn.Linear, Norm: norm}
		if norm {
			l.Activation = nn.Tanh
		}
		return l
	}
	var x []float32
	for i := range 7 {
		for j := range 4 {
			x = append(x, float32(math.Sin(0.5+2*float64(i)+5*float64(j))*float64(1+j)))
		}
	}
	for _, want := range []result{
		{
			optimiser: nn.Optimiser{Kind: "sgd", Rate: 0.05, Momentum: 0.9},
			losses:    []float64{2.9084977, 3.4284839, 2.6447727, 3.2516084, 2.4633874, 2.8271078},
			mean:      []float64{-0.0183960, -0.0380476, -0.0874820, -0.0766217, 0.0029784, 0.0699009},
			variance:  []float64{1.0670322, 2.7242503, 2.4847459, 0.5603951, 0.5624790, 0.6014918},
			wrong:     []float64{0.8485655, 4.2429693, 3.0572183, 1.1539398, 4.9122823, 1.9147653, 1.9241911},
		},
		{
			optimiser: nn.Optimiser{Kind: "adam", Rate: 0.01},
			losses:    []float64{2.9084977, 3.5062096, 2.7654260, 3.3561183, 2.6658310, 3.2399674},
			variance:  []float64{0.9419752, 2.5155728, 2.5670391, 0.5323650, 0.5475934, 0.5835145},
		},
		{
			optimiser: nn.Optimiser{Kind: "adadelta", Rate: 1, Rho: 0.9},
			losses:    []float64{2.9084977, 3.5314195, 2.8699369, 3.4871061, 2.8207819, 3.4356068},
			mean:      []float64{-0.0142612, -0.0384604, -0.0870550, -0.0627839, 0.0240824, 0.1044985},
			variance:  []float64{0.9538131, 2.4760671, 2.5898928, 0.5316264, 0.5505954, 0.5775132},
			wrong:     []float64{1.9083411, 5.1681423, 3.5577707, 2.2034824, 5.4755886, 2.8455997, 2.8745965},
		},
	} {
		net := nn.Network{Layers: []nn.Dense{layer(4, 3, true), layer(3, 2, false), layer(2, 3, true),
			layer(3, 4, false)}, Optimiser: want.optimiser}
		var p nn.Params
		for _, a := range net.Arrays() {
			k, values := float64(a.Layer), make([]float32, a.Len)
			for i := range values {
				in := net.Layers[a.Layer].In
				switch c := math.Cos(1 + 5*float64(i) + k); a.Part {
				case nn.Weight:
					values[i] = float32(math.Sin(1 + 7*float64(i/in) + 3*float64(i%in) + k))
				case nn.Bias:
					values[i] = float32(0.1 * c)
				case nn.Scale:
					values[i] = float32(1 + 0.2*math.Cos(2+5*float64(i)+k))
				case nn.Shift:
					values[i] = float32(0.3 * math.Cos(3+5*float64(i)+k))
				case nn.Variance:
					values[i] = 1
				}
			}
			p = append(p, values)
		}
		near := func(what string, got, want []float64) {
			t.Helper()
			for i, v := range want { // none: not to be compared
				if len(got) != len(want) || math.Abs(got[i]-v) > 2e-4*math.Max(0.1, math.Abs(v)) {
					t.Errorf("%s: %v, want %v", what, got, want)
					return
				}
			}
		}
		for name, e := range engines(t) {
			name += ", " + want.optimiser.Kind
			tr, err := e.New(net, p, 2)
			if err != nil {
				t.Fatal(err)
			}
			defer tr.Close()
			var losses []float64
			for range 3 {
				for _, rows := range [][]int32{{0, 1, 2, 3}, {4, 5, 6}} {
					loss, err := tr.Epoch(context.Background(), x, x, rows, 4, want.optimiser.Rate)
					if err != nil {
						t.Fatal(err)
					}
					losses = append(losses, loss)
				}
			}
			near(name+": losses", losses, want.losses)
			got := tr.Params()
			var mean, variance, wrong []float64
			for _, layer := range []int{0, 2} {
				for j := range 3 {
					mean = append(mean, float64(net.Array(got, layer, nn.Mean)[j]))
					variance = append(variance, float64(net.Array(got, layer, nn.Variance)[j]))
				}
			}
			near(name+": running means", mean, want.mean)
			near(name+": running variances", variance, want.variance)
			net.NewScorer(got).Each(x, 0, 7, 0, func(i int, y []float32) {
				wrong = append(wrong,
					nn.MeanSquare(y, x[4*i:4*i+4]))
			})
			near(name+": errors", wrong, want.wrong)
		}
	}
}
