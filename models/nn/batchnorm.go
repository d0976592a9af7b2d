package nn

import (
	"math"

	"plumbline/numeric/kernel"
)

// moments is what a shard's rows say of a layer's sums: how many they are, the means and the sums of squared
// differences from these.
type moments struct {
	n        int
	mean, m2 []float64
}

// measure takes the moments of the sums in r.hat[i].
func (r *workspace) measure(l *fusedLayer, i, rows int) {
	m := &r.moment[i]
	m.n = rows
	clear(m.mean)
	clear(m.m2)
	if rows == 0 {
		return
	}
	wide := kernel.Pad(l.Out)
	sums := r.inv[:wide]
	clear(sums)
	kernel.ColumnSums(rows, wide, r.hat[i], sums)
	squares := r.spare[:wide]
	clear(squares)
	for j, v := range sums {
		sums[j] = v / float32(rows)
	}
	kernel.ColumnSpread(rows, wide, r.hat[i], sums, squares)
	for j := range m.mean {
		m.mean[j], m.m2[j] = float64(sums[j]), float64(squares[j])
	}
}

// batchMoments is the mean and biased variance of column j of layer i over the whole batch (Chan, Golub and
// LeVeque 1983).
func (t *fused) batchMoments(i, j int) (mean, m2 float64) {
	n := 0.0
	for _, r := range t.workspaces {
		m := &r.moment[i]
		if m.n == 0 {
			continue
		}
		k := float64(m.n)
		d := m.mean[j] - mean
		m2 += m.m2[j] + d*d*n*k/(n+k)
		mean += d * k / (n + k)
		n += k
	}
	return mean, m2
}

// normalise turns the sums in r.hat[i] into normalised ones and r.act[i] into what the layer makes of them.
func (t *fused) normalise(r *workspace, p *pass, l *fusedLayer, i int) {
	wide := kernel.Pad(l.Out)
	inv, mean := r.inv[:wide], r.spare[:wide]
	clear(inv)
	clear(mean)
	n := float64(p.batch)
	for j := range l.Out {
		m, m2 := t.batchMoments(i, j)
		mean[j], inv[j] = float32(m), float32(1/math.Sqrt(m2/n+normEpsilon))
		if p.learn && p.shard == 0 && p.batch > 1 {
			l.mean[j] += float32(0.1 * (m - float64(l.mean[j])))
			l.variance[j] += float32(0.1 * (m2/(n-1) - float64(l.variance[j])))
		}
	}
	kernel.Normalise(len(p.rows), wide, r.hat[i], mean, inv, l.scale, l.shift, r.act[i])
}

// normBack turns the gradient of what normalisation made, in r.grad[i], into that of the sums.
func (t *fused) normBack(r *workspace, p *pass, l *fusedLayer, i int) {
	wide := kernel.Pad(l.Out)
	size := t.stack.size
	factor, mean, dots := r.inv[:wide], r.spare[:wide], r.dot[:wide]
	n := float64(p.batch)
	clear(factor)
	clear(mean)
	clear(dots)
	for j := range l.Out {
		_, m2 := t.batchMoments(i, j)
		sum, dot := 0.0, 0.0
		for s := range shards {
			dot += float64(t.g[s*size+l.bias+wide+j])
			sum += float64(t.g[s*size+l.bias+2*wide+j])
		}
		factor[j] = float32(float64(l.scale[j]) / math.Sqrt(m2/n+normEpsilon))
		mean[j], dots[j] = float32(sum/n), float32(dot/n)
	}
	kernel.NormaliseGrad(len(p.rows), wide, r.grad[i], r.hat[i], mean, dots, factor, p.g[l.bias:l.bias+wide])
}
