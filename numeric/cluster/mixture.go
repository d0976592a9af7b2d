package cluster

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"plumbline/numeric/elementary"
	"plumbline/numeric/kernel"
	"plumbline/numeric/parallel"
)

// MixtureSettings are those of a mixture of Gaussians.
type MixtureSettings struct {
	K        int     // components
	Diagonal bool    // covariances have zeros off their diagonals
	Reg      float64 // added to the diagonals
	Tol      float64 // change of the mean log-likelihood that ends it
	MaxIter  int
	Workers  int
}

// Mixture is a density Σ_k π_k N(x; μ_k, Σ_k). It may be used by any number of goroutines.
type Mixture struct {
	Weights    []float64 // π, which add up to 1
	Components []*Gaussian
	Bound      float64 // mean log-likelihood of the rows it was fitted to
	Iterations int
}

// FitMixture is expectation-maximisation (Dempster, Laird and Rubin, Maximum likelihood from incomplete data via
// the EM algorithm, Journal of the Royal Statistical Society B 39, 1977) from the groups of k-means, with the
// rules of scikit-learn's GaussianMixture for start and end. Each iteration costs nKd².
func FitMixture[T Number](ctx context.Context, o MixtureSettings, m Matrix[T], r *rand.Rand) (*Mixture, error) {
	if err := m.check(1); err != nil {
		return nil, err
	}
	if o.K < 1 || o.MaxIter < 1 || !(o.Reg >= 0) || !(o.Tol >= 0) {
		return nil, fmt.Errorf("cluster: mixture with settings out of range: %+v", o)
	}
	o.K, o.Workers = min(o.K, m.N), max(1, o.Workers)
	start, err := Fit(ctx, KMeans{K: o.K, MaxIter: 300, Block: 4096, Workers: o.Workers}, m, r)
	if err != nil {
		return nil, err
	}
	o.K = start.N
	e := &expectation[T]{MixtureSettings: o, m: m, of: make([][]float64, o.K)}
	for k := range e.of {
		e.of[k] = make([]float64, m.N)
		for i, c := range start.Labels {
			if int(c) == k {
				e.of[k][i] = 1
			}
		}
	}
	mix := &Mixture{Bound: math.Inf(-1)}
	if err := e.maximise(ctx, mix); err != nil {
		return nil, err
	}
	for mix.Iterations < o.MaxIter {
		mix.Iterations++
		before := mix.Bound
		if mix.Bound, err = e.expect(ctx, mix); err != nil {
			return nil, err
		}
		if err := e.maximise(ctx, mix); err != nil {
			return nil, err
		}
		if math.Abs(mix.Bound-before) < o.Tol || o.K == 1 {
			break
		}
	}
	return mix, nil
}

// expectation is a fit under way.
type expectation[T Number] struct {
	MixtureSettings
	m  Matrix[T]
	of [][]float64 // probability of each row to be of component k
}

// maximise makes the components those of the probabilities.
func (e *expectation[T]) maximise(ctx context.Context, mix *Mixture) error {
	d := e.m.D
	mix.Weights, mix.Components = mix.Weights[:0], mix.Components[:0]
	total := 0.0
	for k, of := range e.of {
		sum, mean := 0.0, make([]float64, d)
		for i, w := range of {
			sum += w
			if w == 0 {
				continue
			}
			for j, v := range e.m.Row(i) {
				mean[j] += float64(w * float64(v))
			}
		}
		// What is divided by is never 0, as in scikit-learn.
		const least = 10 * 2.220446049250313e-16
		sum += least
		for j := range mean {
			mean[j] /= sum
		}
		cov, err := Covariance(ctx, e.m, mean, of, e.Workers)
		if err != nil {
			return err
		}
		for a := range d {
			for b := range d {
				v := cov[a*d+b] * (sum - least) / sum
				if a != b && e.Diagonal || sum == least {
					v = 0
				}
				if a == b {
					v += e.Reg
				}
				cov[a*d+b] = v
			}
		}
		g, err := NewGaussian(mean, cov)
		if err != nil {
			return fmt.Errorf("component %d of %d: %w", k+1, e.K, err)
		}
		mix.Weights, mix.Components = append(mix.Weights, sum), append(mix.Components, g)
		total += sum
	}
	for k := range mix.Weights {
		mix.Weights[k] /= total
	}
	return nil
}

// expect makes the probabilities those of the components, and returns the mean log-likelihood.
func (e *expectation[T]) expect(ctx context.Context, mix *Mixture) (float64, error) {
	const block = 4 * kernel.TileRows
	sums := make([]float64, (e.m.N+block-1)/block)
	err := mixtureRows(ctx, mix, e.m, e.Workers, func(i int, terms []float64, density float64) {
		sums[i/block] += density
		for k, v := range terms {
			e.of[k][i] = elementary.Exp(v - density)
		}
	})
	total := 0.0
	for _, v := range sums {
		total += v
	}
	return total / float64(e.m.N), err
}

// mixtureRows calls visit with log π_k N(x_i; μ_k, Σ_k) for each component, and the logarithm of their sum; rows of
// one block of 4 tiles come in order from one goroutine.
func mixtureRows[T Number](ctx context.Context, mix *Mixture, m Matrix[T], workers int,
	visit func(i int, terms []float64, density float64)) error {
	d, k := m.D, len(mix.Components)
	constant := make([]float64, k)
	for c, g := range mix.Components {
		constant[c] = elementary.Log(mix.Weights[c]) + g.LogDet - float64(float64(d)/2*elementary.Log(2*math.Pi))
	}
	return parallel.Workspaces(ctx, workers, m.N, 4*kernel.TileRows, func() func(from, to int) {
		tile, z := kernel.NewTile[float64](d), make([]float64, kernel.TileRows*d)
		squares, terms := make([]float64, k*kernel.TileRows), make([]float64, k)
		return func(from, to int) {
			for at := from; at < to && ctx.Err() == nil; at += kernel.TileRows {
				n := min(kernel.TileRows, to-at)
				for c, g := range mix.Components {
					for i := range n {
						shifted(m.Row(at+i), g.Mean, z[i*d:(i+1)*d])
					}
					g.squares(tile, z, squares[c*kernel.TileRows:c*kernel.TileRows+n])
				}
				for i := range n {
					top := math.Inf(-1)
					for c := range terms {
						terms[c] = constant[c] - squares[c*kernel.TileRows+i]/2
						top = max(top, terms[c])
					}
					sum := 0.0
					for _, v := range terms {
						sum += elementary.Exp(v - top)
					}
					visit(at+i, terms, top+elementary.Log(sum))
				}
			}
		}
	})
}

// LogDensity fills out with the logarithm of the density at each row of m.
func LogDensity[T Number](ctx context.Context, mix *Mixture, m Matrix[T], workers int, out []float64) error {
	return mixtureRows(ctx, mix, m, workers, func(i int, _ []float64, density float64) { out[i] = density })
}

// Component fills out with the number of the component that each row of m most probably is of.
func Component[T Number](ctx context.Context, mix *Mixture, m Matrix[T], workers int, out []int32) error {
	return mixtureRows(ctx, mix, m, workers, func(i int, terms []float64, _ float64) {
		best := 0
		for c, v := range terms {
			if v > terms[best] {
				best = c
			}
		}
		out[i] = int32(best)
	})
}
