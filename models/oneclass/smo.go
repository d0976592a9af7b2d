package oneclass

import (
	"context"
	"math"
)

// tau stands in for the curvature of a pair of equal rows (libsvm's TAU).
const tau = 1e-12

// minimise solves the dense problem
//
//	min ½ aᵀQa + cᵀa   with 0 ≤ a ≤ 1 and Σa as it is
//
// from a feasible a and its gradient g = Qa + c, both of which it updates, by sequential minimal
// optimisation. Q is m×m row-major and positive semidefinite. It ends when the largest violation of the
// optimality conditions,
//
//	max {g_j : a_j > 0} − min {g_i : a_i < 1},
//
// is at most tol, or after limit pairs. It returns the number of pairs.
//
// The pair is chosen by second-order information: i = argmin {g_i : a_i < 1}, and the j with a_j > 0 and
// g_j > g_i that maximises (g_j − g_i)² / (Q_ii + Q_jj − 2Q_ij) (Fan, Chen and Lin, Working set selection
// using second order information, JMLR 6, 2005, WSS 2).
func minimise(ctx context.Context, q []float64, g, a []float64, tol float64, limit int) (pairs int, err error) {
	m := len(a)
	diag := make([]float64, m)
	for i := range diag {
		diag[i] = q[i*m+i]
	}
	for ; pairs < limit; pairs++ {
		if pairs%256 == 0 && ctx.Err() != nil {
			return pairs, ctx.Err()
		}
		i, gi, gmax := -1, math.Inf(1), math.Inf(-1)
		for t, gt := range g {
			if a[t] < 1 && gt < gi {
				i, gi = t, gt
			}
			if a[t] > 0 && gt > gmax {
				gmax = gt
			}
		}
		if i < 0 || gmax-gi <= tol {
			return pairs, nil
		}
		row, qi := q[i*m:(i+1)*m], q[i*m+i]
		j, best := -1, math.Inf(-1)
		for t, gt := range g {
			if b := gt - gi; b > 0 && a[t] > 0 {
				if gain := b * b / curvature(qi+diag[t]-2*row[t]); gain > best {
					j, best = t, gain
				}
			}
		}
		step := (g[j] - gi) / curvature(qi+diag[j]-2*row[j])
		toOne := 1 - a[i]
		step = min(step, toOne, a[j])
		rowJ := q[j*m : (j+1)*m]
		if a[i] += step; step == toOne {
			a[i] = 1 // whatever rounding says
		}
		a[j] -= step
		for t := range g {
			g[t] += float64(step * (row[t] - rowJ[t]))
		}
	}
	return pairs, nil
}

// curvature is c = Q_ii + Q_jj − 2Q_ij, or tau where rounding or equal rows leave nothing of it.
func curvature(c float64) float64 {
	if c > 0 {
		return c
	}
	return tau
}
