package nn

import (
	"math"
	"math/rand/v2"
	"slices"
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
