package svm

import (
	"context"
	"math"
)

// tau stands in for the curvature of a pair of equal rows (libsvm's TAU).
const tau = 1e-12

// dense is a program small enough for its matrix: q is m×m, row-major and positive semidefinite, b the multipliers and
// g their gradient.
type dense struct {
	q, g, b   []float64
	low, high []float64
	diag      []float64
}

// minimise moves pairs of multipliers, the sum staying as it is, until the largest violation of the optimality
// conditions,
//
//	max {g_j : b_j > low_j} − min {g_i : b_i < high_i},
//
// is at most tol, or limit pairs were moved. The pair is chosen by second-order information: i = argmin {g_i : b_i <
// high_i}, and the j with b_j > low_j and g_j > g_i that maximises (g_j − g_i)² / (q_ii + q_jj − 2 q_ij) (R.-E. Fan,
// P.-H. Chen and C.-J. Lin, Working Set Selection Using Second Order Information, JMLR 6, 2005, WSS 2). It returns the
// number of pairs.
func (d *dense) minimise(ctx context.Context, tol float64, limit int) (pairs int, err error) {
	m := len(d.b)
	d.diag = make([]float64, m)
	for i := range d.diag {
		d.diag[i] = d.q[i*m+i]
	}
	i, most := d.extremes()
	for ; pairs < limit; pairs++ {
		if pairs%256 == 0 && ctx.Err() != nil {
			return pairs, ctx.Err()
		}
		if i < 0 || most-d.g[i] <= tol {
			return pairs, nil
		}
		j := d.partner(i)
		if j < 0 {
			return pairs, nil
		}
		rowI, rowJ := d.q[i*m:(i+1)*m], d.q[j*m:(j+1)*m]
		step := (d.g[j] - d.g[i]) / curvature(d.diag[i]+d.diag[j]-2*rowI[j])
		room := min(d.high[i]-d.b[i], d.b[j]-d.low[j])
		step = min(step, room)
		if step == d.high[i]-d.b[i] {
			d.b[i] = d.high[i] // whatever rounding says
		} else {
			d.b[i] += step
		}
		if step == d.b[j]-d.low[j] {
			d.b[j] = d.low[j]
		} else {
			d.b[j] -= step
		}
		i, most = d.move(step, rowI, rowJ)
	}
	return pairs, nil
}

// extremes is the multiplier that should grow most, −1 where none can, and the largest gradient of one that can shrink.
func (d *dense) extremes() (i int, most float64) {
	i, most = -1, math.Inf(-1)
	least := math.Inf(1)
	for t, g := range d.g {
		if d.b[t] < d.high[t] && g < least {
			i, least = t, g
		}
		if d.b[t] > d.low[t] && g > most {
			most = g
		}
	}
	return i, most
}

// move updates the gradient after a step of two multipliers, and is extremes of the new one.
func (d *dense) move(step float64, rowI, rowJ []float64) (i int, most float64) {
	i, most = -1, math.Inf(-1)
	least := math.Inf(1)
	g, b := d.g, d.b[:len(d.g)]
	low, high := d.low[:len(g)], d.high[:len(g)]
	rowI, rowJ = rowI[:len(g)], rowJ[:len(g)]
	for t := range g {
		v := g[t] + float64(step*(rowI[t]-rowJ[t]))
		g[t] = v
		if v < least && b[t] < high[t] {
			i, least = t, v
		}
		if v > most && b[t] > low[t] {
			most = v
		}
	}
	return i, most
}

// partner is the multiplier that shrinks as i grows.
func (d *dense) partner(i int) int {
	m := len(d.b)
	row, gi, qi := d.q[i*m:(i+1)*m], d.g[i], d.diag[i]
	j, best := -1, 0.0
	for t, gt := range d.g {
		if v := gt - gi; v > 0 && d.b[t] > d.low[t] {
			if gain := v * v / curvature(qi+d.diag[t]-2*row[t]); gain > best {
				j, best = t, gain
			}
		}
	}
	return j
}

// curvature is c = q_ii + q_jj − 2 q_ij, or tau where rounding or equal rows leave nothing of it.
func curvature(c float64) float64 {
	if c > 0 {
		return c
	}
	return tau
}
