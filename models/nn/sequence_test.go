package nn

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"plumbline/numeric/kernel"
)

// refCell makes a step of an LSTM from its formulas, in float64. w, u, bx and bh are arrays of Params.
func refCell(w, u, bx, bh, x, h, c []float64) (hNew, cNew []float64) {
	sigmoid := func(v float64) float64 { return 1 / (1 + math.Exp(-v)) }
	n := len(h)
	z := make([]float64, 4*n)
	for k := range z {
		z[k] = bx[k] + bh[k]
		for j, v := range x {
			z[k] += w[k*len(x)+j] * v
		}
		for j, v := range h {
			z[k] += u[k*n+j] * v
		}
	}
	hNew, cNew = make([]float64, n), make([]float64, n)
	for j := range n {
		cNew[j] = sigmoid(z[n+j])*c[j] + sigmoid(z[j])*math.Tanh(z[2*n+j])
		hNew[j] = sigmoid(z[3*n+j]) * math.Tanh(cNew[j])
	}
	return hNew, cNew
}

// refOutputs is what the network gives for a sample, row by row, in float64. mask is what output j of a layer at
// a step is multiplied by, the step being 0 where only the final output counts; nil is 1. A decoder is fed the
// sample's rows, or with free its own outputs.
func refOutputs(s Sequence, p [][]float64, sample []float32, mask func(layer, step, j int) float64,
	free bool) [][]float64 {
	next := func() []float64 { a := p[0]; p = p[1:]; return a }
	var x [][]float64
	var table []float64
	if s.Embed > 0 {
		table = next()
	}
	for t := range s.Steps {
		row := make([]float64, s.Takes(0))
		switch {
		case s.Embed > 0:
			copy(row, table[int(sample[t])*s.Embed:])
		case s.Symbols > 0:
			row[int(sample[t])] = 1
		default:
			for j := range row {
				row[j] = float64(sample[t*s.In+j])
			}
		}
		x = append(x, row)
	}
	head, bias := p[len(p)-2], p[len(p)-1]
	linear := func(h []float64) []float64 {
		y := slices.Clone(bias)
		for o := range y {
			for j, v := range h {
				y[o] += head[o*len(h)+j] * v
			}
		}
		return y
	}
	in := x
	var h, c []float64
	for i, l := range s.Layers {
		if l.Decoder {
			w, u, bx, bh := next(), next(), next(), next()
			out := make([][]float64, s.Steps)
			for t := s.Steps - 1; t >= 0; t-- {
				masked := slices.Clone(h)
				for j := range masked {
					if mask != nil {
						masked[j] *= mask(i, t, j)
					}
				}
				out[t] = linear(masked)
				from := x[t]
				if free {
					from = out[t]
				}
				h, c = refCell(w, u, bx, bh, from, h, c)
			}
			return out
		}
		if l.Repeat {
			final := in[0]
			in = nil
			for range s.Steps {
				in = append(in, final)
			}
		}
		out := make([][]float64, s.Steps)
		var final []float64
		for d := range l.Columns() / l.Out {
			w, u, bx, bh := next(), next(), next(), next()
			h, c = make([]float64, l.Out), make([]float64, l.Out)
			for k := range s.Steps {
				t := k
				if d == 1 {
					t = s.Steps - 1 - k
				}
				h, c = refCell(w, u, bx, bh, in[t], h, c)
				out[t] = append(out[t], h...)
			}
			final = append(final, h...)
		}
		last := i == len(s.Layers)-1
		if last && !s.Each || !last && s.Layers[i+1].Repeat {
			out = [][]float64{final}
		}
		if mask != nil && l.Dropout > 0 {
			for t := range out {
				for j := range out[t] {
					out[t][j] *= mask(i, t, j)
				}
			}
		}
		in = out
	}
	var out [][]float64
	for _, h := range in {
		out = append(out, linear(h))
	}
	return out
}

// refLoss is the mean loss of some rows, written down from the formulas of Sequence.
func refLoss(s Sequence, p [][]float64, x, target []float32, rows []int32,
	mask func(sample, layer, step, j int) float64) float64 {
	sum := 0.0
	for k, r := range rows {
		var m func(layer, step, j int) float64
		if mask != nil {
			m = func(layer, step, j int) float64 { return mask(k, layer, step, j) }
		}
		want := target[int(r)*s.Targets():]
		for _, y := range refOutputs(s, p, x[int(r)*s.Steps*s.In:int(r+1)*s.Steps*s.In], m, false) {
			switch s.Loss {
			case "mse":
				for j, v := range y {
					sum += (v - float64(want[j])) * (v - float64(want[j]))
				}
			case "mae":
				for j, v := range y {
					sum += math.Abs(v - float64(want[j]))
				}
			case "softmax":
				all := 0.0
				for _, v := range y {
					all += math.Exp(v)
				}
				sum -= math.Log(math.Exp(y[int(want[0])]) / all)
			case "logistic":
				for j, v := range y {
					q := 1 / (1 + math.Exp(-v))
					sum -= float64(want[j])*math.Log(q) + (1-float64(want[j]))*math.Log(1-q)
				}
			case "gaussian":
				groups := y[len(y)-s.grouped():]
				n := (len(y) - len(groups)) / 2
				for g, k := range s.Classes {
					all := 0.0
					for _, v := range groups[:k] {
						all += math.Exp(v)
					}
					sum -= math.Log(math.Exp(groups[int(want[n+g])]) / all)
					groups = groups[k:]
				}
				for j := range n {
					logVar := math.Max(y[n+j], math.Log(0.01))
					d := float64(want[j]) - y[j]
					sum += (d*d*math.Exp(-logVar) + logVar) / 2
				}
			}
			want = want[s.targets():]
		}
	}
	return sum / float64(len(rows)*s.Targets())
}

// sequences are networks of every kind.
func sequences() map[string]Sequence {
	adam := Optimiser{Kind: "adam", Rate: 0.003, Rho: 0.9}
	one := []Recurrent{{In: 5, Out: 7}}
	two := []Recurrent{{In: 5, Out: 7}, {In: 7, Out: 4}}
	return map[string]Sequence{
		"one layer": {Steps: 4, In: 5, Layers: one, Each: true, Out: 3, Loss: "mse", Optimiser: adam},
		"wide": {Steps: 2, In: 18, Layers: []Recurrent{{In: 18, Out: 17}}, Each: true, Out: 33,
			Loss: "mse", Optimiser: adam},
		"one step":   {Steps: 1, In: 5, Layers: one, Each: true, Out: 3, Loss: "mse", Optimiser: adam},
		"two layers": {Steps: 4, In: 5, Layers: two, Each: true, Out: 3, Loss: "mse", Optimiser: adam},
		"last step":  {Steps: 4, In: 5, Layers: two, Out: 3, Loss: "mse", Optimiser: adam},
		"bidirectional": {Steps: 4, In: 5,
			Layers: []Recurrent{{In: 5, Out: 6, Bidirectional: true}, {In: 12, Out: 3, Bidirectional: true}},
			Each:   true, Out: 2, Loss: "mse", Optimiser: adam},
		"bidirectional, last": {Steps: 4, In: 5, Layers: []Recurrent{{In: 5, Out: 6, Bidirectional: true}}, Out: 2,
			Loss: "mse", Optimiser: adam},
		"repeat": {Steps: 4, In: 5,
			Layers: []Recurrent{{In: 5, Out: 6}, {In: 6, Out: 3}, {In: 3, Out: 4, Repeat: true}}, Each: true, Out: 5,
			Loss: "mse", Optimiser: adam},
		"bidirectional repeat": {Steps: 3, In: 5,
			Layers: []Recurrent{{In: 5, Out: 4, Bidirectional: true},
				{In: 8, Out: 4, Repeat: true, Bidirectional: true}}, Each: true, Out: 5, Loss: "mse", Optimiser: adam},
		"decoder": {Steps: 5, In: 5, Layers: []Recurrent{{In: 5, Out: 6}, {In: 5, Out: 6, Decoder: true}},
			Each: true, Out: 5, Loss: "mse", Optimiser: adam},
		"decoder, one step": {Steps: 1, In: 5, Layers: []Recurrent{{In: 5, Out: 6}, {In: 5, Out: 6, Decoder: true}},
			Each: true, Out: 5, Loss: "mse", Optimiser: adam},
		"decoder, mae": {Steps: 3, In: 5, Layers: []Recurrent{{In: 5, Out: 6}, {In: 5, Out: 6, Decoder: true}},
			Each: true, Out: 5, Loss: "mae", Optimiser: adam},
		"embedding": {Steps: 4, In: 1, Symbols: 9, Embed: 5, Layers: two, Out: 9, Loss: "softmax",
			Optimiser: adam},
		"embedding, both ways": {Steps: 4, In: 1, Symbols: 9, Embed: 5,
			Layers: []Recurrent{{In: 5, Out: 6, Bidirectional: true}}, Each: true, Out: 9, Loss: "softmax",
			Optimiser: adam},
		"one-hot": {Steps: 4, In: 1, Symbols: 9, Layers: []Recurrent{{In: 9, Out: 6}, {In: 6, Out: 4}},
			Out: 9, Loss: "softmax", Optimiser: adam},
		"one-hot, both ways": {Steps: 3, In: 1, Symbols: 4, Layers: []Recurrent{{In: 4, Out: 3, Bidirectional: true}},
			Each: true, Out: 4, Loss: "softmax", Optimiser: adam},
		"mae":            {Steps: 4, In: 5, Layers: one, Each: true, Out: 3, Loss: "mae", Optimiser: adam},
		"softmax":        {Steps: 4, In: 5, Layers: one, Each: true, Out: 3, Loss: "softmax", Optimiser: adam},
		"logistic":       {Steps: 4, In: 5, Layers: one, Each: true, Out: 3, Loss: "logistic", Optimiser: adam},
		"logistic, last": {Steps: 4, In: 5, Layers: one, Out: 1, Loss: "logistic", Optimiser: adam},
		"classes": {Steps: 4, In: 5, Layers: one, Each: true, Out: 4 + 3 + 2, Classes: []int{3, 2},
			Loss: "gaussian", Optimiser: adam},
		"classes alone, last": {Steps: 4, In: 5, Layers: one, Out: 4, Classes: []int{4}, Loss: "gaussian",
			Optimiser: adam},
		"gaussian": {Steps: 4, In: 5, Layers: one, Each: true, Out: 6, Loss: "gaussian", Optimiser: adam},
		"dropout": {Steps: 4, In: 5,
			Layers: []Recurrent{{In: 5, Out: 7, Dropout: 0.3}, {In: 7, Out: 4, Bidirectional: true, Dropout: 0.5}},
			Each:   true, Out: 3, Loss: "mse", Optimiser: adam, Seed: 3},
		"dropout, last": {Steps: 4, In: 5,
			Layers: []Recurrent{{In: 5, Out: 7, Dropout: 0.3},
				{In: 7, Out: 4, Repeat: true, Bidirectional: true, Dropout: 0.5}}, Out: 3, Loss: "mse", Optimiser: adam,
			Seed: 4},
		"dropout, decoder": {Steps: 5, In: 5,
			Layers: []Recurrent{{In: 5, Out: 6}, {In: 5, Out: 6, Decoder: true, Dropout: 0.4}}, Each: true, Out: 5,
			Loss: "mse", Optimiser: adam, Seed: 5},
	}
}

// samples are n random samples of a network, and targets for them.
func samples(s Sequence, n int) (x, t []float32) {
	r := rand.New(rand.NewPCG(31, 32))
	x, t = make([]float32, n*s.Steps*s.In), make([]float32, n*s.Targets())
	for i := range x {
		x[i] = float32(r.NormFloat64())
		if s.Symbols > 0 {
			x[i] = float32(r.IntN(s.Symbols))
		}
	}
	for i := range t {
		classes := s.Classes
		if s.Loss == "softmax" {
			classes = []int{s.Out}
		}
		group := i%s.targets() - (s.targets() - len(classes))
		switch {
		case group >= 0:
			t[i] = float32(r.IntN(classes[group]))
		case s.Loss == "logistic":
			t[i] = float32(r.IntN(2))
		default:
			t[i] = float32(r.NormFloat64())
		}
	}
	return x, t
}

// randomParams are weights that leave no gate idle.
func (s Sequence) randomParams() Params {
	r := rand.New(rand.NewPCG(41, 42))
	p := s.NewParams(r)
	for _, a := range p {
		for i := range a {
			a[i] += 0.3 * float32(r.NormFloat64())
		}
	}
	if n := s.Out - s.grouped(); s.Loss == "gaussian" && n > 0 { // one of the variances below its floor
		p[len(p)-1][n-1] = -5.5
	}
	return p
}

func widen(p Params) [][]float64 {
	out := make([][]float64, len(p))
	for i := range p {
		for _, v := range p[i] {
			out[i] = append(out[i], float64(v))
		}
	}
	return out
}

// numeric is the gradient of a loss by central differences.
func numeric(p [][]float64, loss func() float64) [][]float64 {
	out := make([][]float64, len(p))
	for i := range p {
		for k, was := range p[i] {
			const h = 1e-5
			p[i][k] = was + h
			up := loss()
			p[i][k] = was - h
			out[i] = append(out[i], (up-loss())/(2*h))
			p[i][k] = was
		}
	}
	return out
}

// TestSequenceGradient holds the loss and its gradient against the reference in float64 and its differences.
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

// TestSequenceScorer holds the scores against the reference, whichever samples are asked for together, and a
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

func trainedSequence(t testing.TB, s Sequence, n, batch, workers, epochs int) (Params, []float64) {
	t.Helper()
	x, target := samples(s, n)
	tr, err := fusedEngine{}.NewSequence(s, s.NewParams(rand.New(rand.NewPCG(1, 2))), workers)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	order := make([]int32, n)
	for i, k := range rand.New(rand.NewPCG(3, 4)).Perm(n) {
		order[i] = int32(k)
	}
	var losses []float64
	for range epochs {
		loss, err := tr.Epoch(context.Background(), x, target, order, batch, s.Optimiser.Rate)
		if err != nil {
			t.Fatal(err)
		}
		losses = append(losses, loss)
	}
	return tr.Params(), losses
}

// TestSequenceSameWeightsForAnyWorkers: the number of workers changes no bit of any network, clipped or not,
// whatever the batch and the optimiser.
func TestSequenceSameWeightsForAnyWorkers(t *testing.T) {
	for name, s := range sequences() {
		for i, kind := range []string{"adam", "sgd", "adadelta"} {
			s.Optimiser.Kind, s.Optimiser.Momentum = kind, 0.9
			s.Clip = []float64{0, 0.1, 1000}[i]
			for _, batch := range []int{1, 50, 150, 400} {
				if testing.Short() && batch != 150 {
					continue
				}
				var first Params
				var firstLosses []float64
				for _, workers := range []int{1, 2, 7} {
					p, losses := trainedSequence(t, s, 200, batch, workers, 2)
					if first == nil {
						first, firstLosses = p, losses
					}
					for i := range p {
						if !slices.Equal(p[i], first[i]) {
							t.Fatalf("%s, %s, batch %d: %d workers learn other weights", name, kind, batch, workers)
						}
					}
					if !slices.Equal(losses, firstLosses) {
						t.Fatalf("%s, %s, batch %d: %d workers have losses %v, not %v", name, kind, batch, workers,
							losses, firstLosses)
					}
				}
			}
		}
	}
}

// TestSequenceSameWeightsForAnyInstructions: AVX2 and AVX-512 learn the same bits.
func TestSequenceSameWeightsForAnyInstructions(t *testing.T) {
	hash := func() string {
		all := ""
		for _, name := range []string{"wide", "bidirectional", "repeat", "decoder", "embedding", "one-hot", "gaussian",
			"dropout"} {
			s := sequences()[name]
			s.Clip = 0.2
			p, _ := trainedSequence(t, s, 150, 60, 2, 2)
			all += fmt.Sprint(p)
		}
		return all
	}
	if os.Getenv("PLUMBLINE_TEST_CHILD") != "" {
		fmt.Println("weights", hash())
		return
	}
	if kernel.Name() != "avx512" {
		t.Skipf("this processor, or the tests, have %s", kernel.Name())
	}
	cmd := exec.Command(os.Args[0], "-test.run", "^TestSequenceSameWeightsForAnyInstructions$", "-test.v")
	cmd.Env = append(os.Environ(), "PLUMBLINE_TEST_CHILD=1", "PLUMBLINE_ISA=avx2")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !strings.Contains(string(out), "weights "+hash()+"\n") {
		t.Error("avx2 learns other weights")
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

// TestClip: a step of plain descent with rate 1 is the numeric gradient, shortened to the bound where it is
// longer, for the optimisers of either kind.
func TestClip(t *testing.T) {
	s := sequences()["two layers"]
	x, target := samples(s, 5)
	p := s.randomParams()
	rows := []int32{0, 1, 2, 3, 4}
	wide := widen(p)
	g := numeric(wide, func() float64 { return refLoss(s, wide, x, target, rows, nil) })
	norm := 0.0
	for _, a := range g {
		for _, v := range a {
			norm += v * v
		}
	}
	norm = math.Sqrt(norm)
	s.Optimiser = Optimiser{Kind: "sgd", Rate: 1}
	for _, bound := range []float64{norm / 3, norm * 3} {
		s.Clip = bound
		tr, err := fusedEngine{}.NewSequence(s, p, 1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tr.Epoch(context.Background(), x, target, rows, 5, 1); err != nil {
			t.Fatal(err)
		}
		now := tr.Params()
		for i := range g {
			for k, v := range g[i] {
				want := v * math.Min(1, bound/norm)
				if got := float64(p[i][k]) - float64(now[i][k]); math.Abs(got-want) > 1e-4*math.Max(0.02,
					math.Abs(want)) {
					t.Fatalf("bound %v of a norm of %v: step %d[%d] is %v, want %v", bound, norm, i, k, got, want)
				}
			}
		}
	}
	// Adam's averages after one step are a tenth and a thousandth of the gradient and its square
	s.Optimiser, s.Clip = Optimiser{Kind: "adam", Rate: 0.01}, norm/3
	tr, err := fusedEngine{}.NewSequence(s, p, 2)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tr.Epoch(context.Background(), x, target, rows, 5, 0.01); err != nil {
		t.Fatal(err)
	}
	f := tr.(*fusedSequence)
	for i, a := range f.s.plain(f.m) {
		for k, v := range a {
			if want := g[i][k] / 30; math.Abs(float64(v)-want) > 1e-4*math.Max(0.002, math.Abs(want)) {
				t.Fatalf("average %d[%d] is %v, want %v", i, k, v, want)
			}
		}
	}
}

// TestSequenceLearns: every network lowers its loss on a problem that it can learn by heart.
func TestSequenceLearns(t *testing.T) {
	if testing.Short() {
		t.Skip("some thousand steps")
	}
	for name, s := range sequences() {
		s.Optimiser.Rate = 0.01
		_, losses := trainedSequence(t, s, 16, 16, 1, 200)
		first, last := losses[0], losses[len(losses)-1]
		if !(last < first-0.1*math.Abs(first)) {
			t.Errorf("%s: the loss went from %v to %v", name, first, last)
		}
	}
}

// TestSequenceAllocates: an epoch of many steps allocates no more than one of few.
func TestSequenceAllocates(t *testing.T) {
	for _, name := range []string{"two layers", "repeat", "decoder", "embedding", "one-hot", "gaussian", "dropout"} {
		s := sequences()[name]
		s.Clip = 1
		for _, kind := range []string{"adam", "sgd"} {
			s.Optimiser.Kind = kind
			x, target := samples(s, 40)
			tr, err := fusedEngine{}.NewSequence(s, s.randomParams(), 1)
			if err != nil {
				t.Fatal(err)
			}
			order := make([]int32, 40)
			for i := range order {
				order[i] = int32(i)
			}
			count := func(n int) float64 {
				return testing.AllocsPerRun(5, func() {
					if _, err := tr.Epoch(context.Background(), x, target, order[:n], 1, 0.001); err != nil {
						t.Fatal(err)
					}
				})
			}
			if few, many := count(2), count(40); many > few {
				t.Errorf("%s, %s: 2 steps allocate %v times, 40 steps %v times", name, kind, few, many)
			}
		}
		sc, err := s.NewScorer(s.randomParams())
		if err != nil {
			t.Fatal(err)
		}
		x, _ := samples(s, 200)
		if n := testing.AllocsPerRun(5, func() {
			if err := sc.Each(x, 0, 200, func(int, []float32) {}); err != nil {
				t.Fatal(err)
			}
		}); n > 0 {
			t.Errorf("%s: scoring allocates %v times", name, n)
		}
	}
}

func TestSequenceStops(t *testing.T) {
	s := sequences()["one layer"]
	x, target := samples(s, 4)
	tr, err := fusedEngine{}.NewSequence(s, s.randomParams(), 2)
	if err != nil {
		t.Fatal(err)
	}
	order := make([]int32, 1_000_000)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := tr.Epoch(ctx, x, target, order, 64, 0.001); !errors.Is(err, context.Canceled) ||
		tr.(*fusedSequence).t != 0 {
		t.Errorf("error %v", err)
	}
	ctx, cancel = context.WithCancel(context.Background())
	done := make(chan error)
	go func() {
		_, err := tr.Epoch(ctx, x, target, order, 64, 0.001)
		done <- err
	}()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if steps := tr.(*fusedSequence).t; steps > 15625/2 {
		t.Errorf("stopped after %d steps", steps)
	}
	if _, err := tr.Epoch(context.Background(), x, target, order[:500], 64, 0.001); err != nil {
		t.Error(err)
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

// BenchmarkLSTM is an epoch over 20,000 sequences of 20 steps and 32 columns, batches of 64, Adam: C predicts
// the next step at each by 64 units, C2 is an auto-encoder of 64 units that repeats its code.
func BenchmarkLSTM(b *testing.B) {
	adam := Optimiser{Kind: "adam", Rate: 0.001}
	for _, c := range []struct {
		name string
		s    Sequence
	}{
		{"C", Sequence{Steps: 20, In: 32, Layers: []Recurrent{{In: 32, Out: 64}}, Each: true, Out: 32, Loss: "mse",
			Optimiser: adam}},
		{"C2", Sequence{Steps: 20, In: 32, Layers: []Recurrent{{In: 32, Out: 64}, {In: 64, Out: 64, Repeat: true}},
			Each: true, Out: 32, Loss: "mse", Optimiser: adam}},
	} {
		const n = 20000
		x, target := samples(c.s, n)
		order := make([]int32, n)
		for i, k := range rand.New(rand.NewPCG(3, 4)).Perm(n) {
			order[i] = int32(k)
		}
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/workers=%d", c.name, workers), func(b *testing.B) {
				tr, err := fusedEngine{}.NewSequence(c.s, c.s.NewParams(rand.New(rand.NewPCG(1, 2))), workers)
				if err != nil {
					b.Fatal(err)
				}
				defer tr.Close()
				b.ReportAllocs()
				for b.Loop() {
					if _, err := tr.Epoch(context.Background(), x, target, order, 64, 0.001); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "sequences/s")
			})
		}
	}
}
