package cluster

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"plumbline/numeric/kernel"
	"plumbline/numeric/parallel"
)

// Indices say how good a grouping is without knowing the truth. Rows labelled Noise are left out.
type Indices struct {
	Rows, Clusters   int
	Silhouette       float64 // mean over rows, −1 … 1, higher is better
	SilhouetteRows   int     // rows that it was taken over: all of them, or a sample
	DaviesBouldin    float64 // 0 and up, lower is better
	CalinskiHarabasz float64 // 0 and up, higher is better
}

// SilhouetteRows is the number of rows above which [Judge] takes the silhouette over a sample of as many.
const SilhouetteRows = 10_000

// Judge computes the indices of a grouping of at least two groups and fewer than there are rows; sample draws
// the rows for the silhouette where there are more than SilhouetteRows. Values are those of scikit-learn, whose
// conventions for groups without extent are kept: a Davies–Bouldin index of 0 where all groups or all their
// means coincide, a Calinski–Harabasz index of 1 where all rows are at their means.
func Judge[T Number](ctx context.Context, m Matrix[T], labels []int32, sample *rand.Rand,
	workers int) (*Indices, error) {
	if err := m.check(1); err != nil {
		return nil, err
	}
	if len(labels) != m.N {
		return nil, fmt.Errorf("cluster: %d labels for %d rows", len(labels), m.N)
	}
	of := slices.Clone(labels)
	k := renumber(of)
	var rows []int
	for i, c := range of {
		if c >= 0 {
			rows = append(rows, i)
		}
	}
	if k < 2 || k >= len(rows) {
		return nil, fmt.Errorf("cluster: %d groups of %d rows: indices need at least 2 groups, and fewer than rows",
			k, len(rows))
	}
	out := &Indices{Rows: len(rows), Clusters: k}
	centres, sizes := means(m, of, k)
	out.DaviesBouldin = daviesBouldin(m, of, centres, sizes)
	out.CalinskiHarabasz = calinskiHarabasz(m, of, centres, sizes)
	if len(rows) > SilhouetteRows {
		sample.Shuffle(len(rows), func(a, b int) { rows[a], rows[b] = rows[b], rows[a] })
		rows = rows[:SilhouetteRows]
		slices.Sort(rows)
	}
	out.SilhouetteRows = len(rows)
	var err error
	if out.Silhouette, err = Silhouette(ctx, m, of, k, rows, workers); err != nil {
		return nil, err
	}
	return out, nil
}

// Silhouette is the mean silhouette of the given rows among themselves; labels are from 0 to k−1.
func Silhouette[T Number](ctx context.Context, m Matrix[T], labels []int32, k int, rows []int,
	workers int) (float64, error) {
	s, err := silhouettes(ctx, m, labels, k, rows, workers)
	sum := 0.0
	for _, v := range s {
		sum += v
	}
	return sum / float64(len(rows)), err
}

// silhouettes are those of the given rows among themselves (Rousseeuw, Silhouettes, Journal of Computational and
// Applied Mathematics 20, 1987): with a the mean distance to the other rows of the own group and b the smallest
// mean distance to those of another,
//
//	s = (b − a) / max(a, b)
//
// and 0 for a row alone in its group.
func silhouettes[T Number](ctx context.Context, m Matrix[T], of []int32, k int, rows []int,
	workers int) ([]float64, error) {
	d, width := m.D, kernel.PanelRows[float64]()
	n := make([]float64, k)
	shift, row := kernel.Middles(m.X, m.N, d), make([]float64, d)
	packed := kernel.NewPanels[float64](len(rows), d)
	x, norms := make([]float64, len(rows)*d), make([]float64, len(rows))
	for r, i := range rows {
		n[of[i]]++
		shifted(m.Row(i), shift, row)
		packed.Set(r, row)
		copy(x[r*d:], row)
		norms[r] = packed.Norm(r)
	}
	out := make([]float64, len(rows))
	err := parallel.Workspaces(ctx, workers, len(rows), kernel.TileRows, func() func(from, to int) {
		tile, sums := kernel.NewTile[float64](d), make([]float64, kernel.TileRows*k)
		return func(from, to int) {
			clear(sums)
			tile.Use(x[from*d:to*d], norms[from:to])
			for p := range packed.Count() {
				if ctx.Err() != nil {
					return
				}
				c := tile.Squares(packed, p)
				for a := range to - from {
					for b := range packed.Size(p) {
						far := c[a*width+b]
						if far < lost*(norms[from+a]+norms[p*width+b]) { // near to each other, far from the middle
							far = tile.Apart(a, packed, p*width+b)
						}
						sums[a*k+int(of[rows[p*width+b]])] += math.Sqrt(far)
					}
				}
			}
			for a := range to - from {
				out[from+a] = silhouetteOf(sums[a*k:(a+1)*k], n, of[rows[from+a]])
			}
		}
	})
	return out, err
}

// lost is the share of two rows' squared lengths below which their squared distance is taken from differences.
const lost = 1e-6

// silhouetteOf is the silhouette of a row of group own, given the sums of its distances to the rows of each
// group and their numbers, itself included.
func silhouetteOf(sum, n []float64, own int32) float64 {
	if n[own] < 2 {
		return 0
	}
	a, b := sum[own]/(n[own]-1), math.Inf(1)
	for c, v := range sum {
		if c != int(own) && n[c] > 0 {
			b = min(b, v/n[c])
		}
	}
	if top := max(a, b); top > 0 && finite(b) {
		return (b - a) / top
	}
	return 0
}

// daviesBouldin is the mean over groups of the largest (S_i + S_j)/M_ij, S being the mean distance of a group's
// rows from their mean and M that of two means (Davies and Bouldin, A cluster separation measure, IEEE
// Transactions on Pattern Analysis and Machine Intelligence 1, 1979).
func daviesBouldin[T Number](m Matrix[T], of []int32, centres []float64, sizes []int) float64 {
	k, d := len(sizes), m.D
	extent := make([]float64, k)
	for i, c := range of {
		if c >= 0 {
			extent[c] += math.Sqrt(SquaredDistance(m.Row(i), centres[int(c)*d:]))
		}
	}
	for c, n := range sizes {
		extent[c] /= float64(n)
	}
	total := 0.0
	for a := range k {
		worst := 0.0
		for b := range k {
			if apart := math.Sqrt(SquaredDistance(centres[a*d:(a+1)*d], centres[b*d:])); b != a && apart > 0 {
				worst = max(worst, (extent[a]+extent[b])/apart)
			}
		}
		total += worst
	}
	return total / float64(k)
}

// calinskiHarabasz is the variance between groups over that within, each divided by its degrees of freedom
// (Caliński and Harabasz, A dendrite method for cluster analysis, Communications in Statistics 3, 1974).
func calinskiHarabasz[T Number](m Matrix[T], of []int32, centres []float64, sizes []int) float64 {
	k, d := len(sizes), m.D
	all, rows := make([]float64, d), 0
	for c, n := range sizes {
		rows += n
		for j := range d {
			all[j] += float64(float64(n) * centres[c*d+j])
		}
	}
	for j := range all {
		all[j] /= float64(rows)
	}
	between, within := 0.0, 0.0
	for c, n := range sizes {
		between += float64(float64(n) * SquaredDistance(centres[c*d:(c+1)*d], all))
	}
	for i, c := range of {
		if c >= 0 {
			within += SquaredDistance(m.Row(i), centres[int(c)*d:])
		}
	}
	if within == 0 {
		return 1
	}
	return between * float64(rows-k) / (within * float64(k-1))
}
