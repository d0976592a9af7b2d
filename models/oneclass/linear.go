package oneclass

import (
	"context"
	"math"
	"slices"

	"plumbline/data"
	"plumbline/models"
)

// featureMap makes of rows the vectors that a linear one-class SVM looks at.
type featureMap interface {
	size() int
	// features fills out, row-major, with the vectors of n rows.
	features(ctx context.Context, x []float32, n, workers int, out []float64) error
}

// OneClassSteps are the settings of the linear solver.
type OneClassSteps struct {
	// share of training rows that lie outside
	Nu float64 `yaml:"nu" jsonschema:"exclusiveMinimum=0,maximum=1"`
	// passes over the training rows
	Epochs int `yaml:"epochs" jsonschema:"minimum=1,maximum=100000"`
}

const (
	stepRows  = 64   // rows of one step
	chunkRows = 4096 // rows whose vectors are made at once
	slowStart = 20   // the first step is one over this number
)

// solve minimises, over w and ρ, with z the vectors of the n training rows,
//
//	½‖w‖² − ρ + 1/(νn) Σ_i max(0, ρ − w·z_i)
//
// (Schölkopf and others 2001, equation 3.4) by subgradient steps on few rows, of length 1/t for the t-th, which
// suits an objective that is strongly convex in w; w is the mean over the second half of the steps (Polyak and
// Juditsky, Acceleration of stochastic approximation by averaging, SIAM Journal on Control and Optimization 30,
// 1992), and ρ then the ν quantile of w·z, which is its best value for a given w. Vectors of length about 1 are
// expected.
func (c OneClassSteps) solve(ctx context.Context, env models.Env, f featureMap,
	s *data.Set) (w []float64, rho float64, err error) {
	size := f.size()
	sum := make([]float64, size)
	w = make([]float64, size)
	x, z := make([]float32, chunkRows*s.D), make([]float64, chunkRows*size)
	r := env.Rand("order of rows")
	t, of, counted := 0, c.Epochs*((s.N+stepRows-1)/stepRows), 0
	for epoch := range c.Epochs {
		order := r.Perm(s.N)
		loss := 0.0
		for at := 0; at < s.N; at += chunkRows {
			n := min(chunkRows, s.N-at)
			for i, row := range order[at : at+n] {
				copy(x[i*s.D:], s.Row(row))
			}
			if err := f.features(ctx, x[:n*s.D], n, env.Parallel(), z); err != nil {
				return nil, 0, err
			}
			for i := 0; i < n; i += stepRows {
				rows := min(stepRows, n-i)
				t++
				loss += c.step(w, &rho, z[i*size:(i+rows)*size], rows, 1/float64(t+slowStart))
				if 2*t > of {
					counted++
					for j, v := range w {
						sum[j] += v
					}
				}
			}
		}
		env.Progress(models.Epoch{N: epoch + 1, Of: c.Epochs, Loss: loss / float64(s.N), ValidLoss: math.NaN(),
			Rate: 1 / float64(t+slowStart), Samples: s.N})
	}
	for j := range w {
		w[j] = sum[j] / float64(counted)
	}
	values := make([]float64, s.N)
	for at := 0; at < s.N; at += chunkRows {
		n := min(chunkRows, s.N-at)
		if err := f.features(ctx, s.X[at*s.D:(at+n)*s.D], n, env.Parallel(), z); err != nil {
			return nil, 0, err
		}
		for i := range n {
			values[at+i] = product(w, z[i*size:(i+1)*size])
		}
	}
	slices.Sort(values)
	return w, values[min(int(c.Nu*float64(s.N)), s.N-1)], nil
}

// step is one subgradient step; it returns the sum of max(0, ρ − w·z) before it.
func (c OneClassSteps) step(w []float64, rho *float64, z []float64, rows int, rate float64) (loss float64) {
	size := len(w)
	outside := make([]int, 0, stepRows)
	for i := range rows {
		if miss := *rho - product(w, z[i*size:(i+1)*size]); miss > 0 {
			outside = append(outside, i)
			loss += miss
		}
	}
	for j := range w {
		w[j] *= 1 - rate
	}
	by := rate / (c.Nu * float64(rows))
	for _, i := range outside {
		for j, v := range z[i*size : (i+1)*size] {
			w[j] += float64(by * v)
		}
	}
	*rho += rate - float64(by*float64(len(outside)))
	return loss
}

// product is Σ a_j b_j, in four sums side by side: one would wait for itself.
func product(a, b []float64) float64 {
	var s, t, u, v float64
	b = b[:len(a)]
	for ; len(a) >= 4 && len(b) >= 4; a, b = a[4:], b[4:] {
		s += float64(a[0] * b[0])
		t += float64(a[1] * b[1])
		u += float64(a[2] * b[2])
		v += float64(a[3] * b[3])
	}
	for j, x := range a {
		s += float64(x * b[j])
	}
	return (s + t) + (u + v)
}

// linearScore fills out with ρ − w·z of each row.
func linearScore(ctx context.Context, f featureMap, w []float64, rho float64, s *data.Set,
	workers int, out []float64) error {
	const rows = 256
	size := f.size()
	return models.ParallelRows(ctx, s.N, rows, workers, func() func(lo, hi int) {
		z := make([]float64, rows*size)
		return func(lo, hi int) {
			if f.features(ctx, s.X[lo*s.D:hi*s.D], hi-lo, 1, z) != nil {
				return // cancelled: ctx says so
			}
			for i := lo; i < hi; i++ {
				out[i] = rho - product(w, z[(i-lo)*size:(i-lo+1)*size])
			}
		}
	})
}
