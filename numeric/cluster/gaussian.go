package cluster

import (
	"context"
	"errors"
	"math"

	"plumbline/numeric/elementary"
	"plumbline/numeric/factor"
	"plumbline/numeric/kernel"
	"plumbline/numeric/parallel"
)

// Gaussian is a normal distribution of d columns, with W such that WᵀW is the inverse of its covariance. It may be
// used by any number of goroutines.
type Gaussian struct {
	Mean   []float64 // d
	W      []float64 // d×d row-major, 0 above the diagonal
	LogDet float64   // of W: −½ log det of the covariance
	packed *kernel.Panels[float64]
}

// ErrSingular says that a covariance has no inverse.
var ErrSingular = errors.New("cluster: the covariance has no inverse: add more to its diagonal")

// NewGaussian is the distribution with a mean and a d×d row-major covariance.
func NewGaussian(mean, covariance []float64) (*Gaussian, error) {
	w, err := factor.InverseRoot(covariance, len(mean))
	if err != nil {
		return nil, ErrSingular
	}
	return Whitened(mean, w), nil
}

// Whitened is the distribution with a mean and a lower triangular W.
func Whitened(mean, w []float64) *Gaussian {
	d := len(mean)
	g := &Gaussian{Mean: mean, W: w, packed: kernel.NewPanels[float64](d, d)}
	for i := range d {
		g.packed.Set(i, w[i*d:(i+1)*d])
		g.LogDet += elementary.Log(w[i*d+i])
	}
	return g
}

// Squares fills out with ‖W(x − mean)‖², the squared Mahalanobis distance, of each row of m.
func Squares[T Number](ctx context.Context, g *Gaussian, m Matrix[T], workers int, out []float64) error {
	return parallel.Workspaces(ctx, workers, m.N, 4*kernel.TileRows, func() func(from, to int) {
		tile, z := kernel.NewTile[float64](m.D), make([]float64, kernel.TileRows*m.D)
		return func(from, to int) {
			for at := from; at < to && ctx.Err() == nil; at += kernel.TileRows {
				end := min(at+kernel.TileRows, to)
				for i := at; i < end; i++ {
					shifted(m.Row(i), g.Mean, z[(i-at)*m.D:(i-at+1)*m.D])
				}
				g.squares(tile, z, out[at:end])
			}
		}
	})
}

// noNorms stand in for the squared lengths of rows that only products are made of.
var noNorms [kernel.TileRows]float64

// squares are those of up to a tile of rows that the mean is taken from already.
func (g *Gaussian) squares(tile *kernel.Tile[float64], z, out []float64) {
	width, d := kernel.PanelRows[float64](), len(g.Mean)
	clear(out)
	tile.Use(z[:len(out)*d], noNorms[:len(out)])
	for k := range g.packed.Count() {
		for i, v := range tile.Prefix(g.packed, k, min(d, (k+1)*width)) {
			out[i/width] += float64(v * v)
		}
	}
}

// Covariance is Σ w_i (x_i − mean)(x_i − mean)ᵀ / Σ w_i, row-major d×d, by products of matrices in float64; nil
// weights are 1. Partial sums are added in order: the number of workers changes nothing.
func Covariance[T Number](ctx context.Context, m Matrix[T], mean, weights []float64, workers int) ([]float64, error) {
	d, ld := m.D, (m.D+15)/16*16
	size := max(4096, (m.N+15)/16) // at most 16 partial sums
	parts := make([][]float64, (m.N+size-1)/size)
	err := parallel.Workspaces(ctx, workers, m.N, size, func() func(from, to int) {
		const rows = 256
		x := make([]float64, rows*ld)
		return func(from, to int) {
			sum := make([]float64, d*ld)
			for at := from; at < to && ctx.Err() == nil; at += rows {
				n := min(rows, to-at)
				for i := range n {
					z := x[i*ld : i*ld+d]
					shifted(m.Row(at+i), mean, z)
					if weights != nil {
						root := math.Sqrt(weights[at+i])
						for j := range z {
							z[j] *= root
						}
					}
				}
				kernel.AddGram(n, d, x, ld, sum)
			}
			parts[from/size] = sum
		}
	})
	if err != nil {
		return nil, err
	}
	total := float64(m.N)
	if weights != nil {
		total = 0
		for _, w := range weights {
			total += w
		}
	}
	cov := make([]float64, d*d)
	for a := range d {
		for b := a; b < d; b++ {
			sum := 0.0
			for _, p := range parts {
				sum += p[a*ld+b]
			}
			cov[a*d+b] = sum / total
			cov[b*d+a] = cov[a*d+b]
		}
	}
	return cov, nil
}
