package oneclass

import (
	"context"
	"math"

	"plumbline/numeric/kernel"
	"plumbline/numeric/similarity"
)

// rowCache keeps rows of the kernel matrix, those that were used last.
type rowCache struct {
	p    *similarity.Rows
	slot []int32     // of each point, −1 for none
	of   []int32     // of each slot, its point
	rows [][]float32 // n numbers each, made when first needed
	next []int32     // slots in a ring from the one that was used last
	prev []int32
	last int32 // the slot used last
	free int   // slots that are not in the ring yet begin here

	idx  []int
	keys []float64
	out  [][]float32
}

// newRowCache has room for as many rows of n numbers as fit into the bytes, and no fewer than four batches.
func newRowCache(p *similarity.Points, bytes, workers int) *rowCache {
	room := min(p.N, max(bytes/(4*p.N), 4*kernel.TileRows))
	c := &rowCache{p: p.Rows(workers), slot: make([]int32, p.N), of: make([]int32, room), rows: make([][]float32, room),
		next: make([]int32, room), prev: make([]int32, room), last: -1}
	for i := range c.slot {
		c.slot[i] = -1
	}
	return c
}

// has says whether the row of point i is there.
func (c *rowCache) has(i int) bool { return c.slot[i] >= 0 }

// row is the row of point i, which is there, and makes it the last to be thrown away.
func (c *rowCache) row(i int) []float32 {
	s := c.slot[i]
	if s != c.last {
		c.next[c.prev[s]], c.prev[c.next[s]] = c.next[s], c.prev[s]
		c.link(s)
	}
	return c.rows[s]
}

// link makes slot s the one used last.
func (c *rowCache) link(s int32) {
	if c.last < 0 {
		c.next[s], c.prev[s] = s, s
	} else {
		c.next[s], c.prev[s] = c.last, c.prev[c.last]
		c.next[c.prev[s]], c.prev[c.last] = s, s
	}
	c.last = s
}

// load computes the rows of the points, none of which is there and which are no more than a batch.
func (c *rowCache) load(ctx context.Context, points []int) error {
	c.out = c.out[:0]
	for _, i := range points {
		var s int32
		if c.free < len(c.rows) {
			s = int32(c.free)
			c.rows[s] = make([]float32, len(c.slot))
			c.free++
		} else {
			s = c.prev[c.last]
			c.next[c.prev[s]], c.prev[c.next[s]] = c.next[s], c.prev[s]
			c.slot[c.of[s]] = -1
		}
		c.link(s)
		c.of[s], c.slot[i] = int32(i), s
		c.out = append(c.out, c.rows[s])
	}
	return c.p.Fill(ctx, points, c.out)
}

// pairwise goes on from d.sol and d.grad by minimise's rule over all points, with rows of the kernel matrix as they are
// needed. It is for kernels of RBF, whose diagonal is 1, under which most points are support vectors: there a working
// set meets its rows again and again.
func (d *decomposition) pairwise(ctx context.Context, bytes int) error {
	cache := newRowCache(d.p, bytes, d.workers)
	alpha, grad := d.sol.alpha, d.grad
	i, high := extremes(alpha, grad)
	for ; d.sol.pairs < maxPairs && i >= 0 && high-grad[i] > d.tol; d.sol.pairs++ {
		if d.sol.pairs%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if d.report != nil && d.sol.pairs%len(alpha) == 0 {
			d.report(1+d.sol.pairs/len(alpha), objective(alpha, grad), high-grad[i])
		}
		if !cache.has(i) {
			if err := cache.load(ctx, cache.batch(i, true, alpha, grad)); err != nil {
				return err
			}
		}
		row := cache.row(i)
		j, best, gi := -1, math.Inf(-1), grad[i]
		for t, gt := range grad {
			if b := gt - gi; b > 0 && alpha[t] > 0 {
				if gain := b * b / curvature(2-2*float64(row[t])); gain > best {
					j, best = t, gain
				}
			}
		}
		if !cache.has(j) {
			if err := cache.load(ctx, cache.batch(j, false, alpha, grad)); err != nil {
				return err
			}
			row = cache.row(i)
		}
		rowJ := cache.row(j)
		step := (grad[j] - gi) / curvature(2-2*float64(row[j]))
		toOne := 1 - alpha[i]
		step = min(step, toOne, alpha[j])
		if alpha[i] += step; step == toOne {
			alpha[i] = 1 // whatever rounding says
		}
		alpha[j] -= step
		i, high = moved(alpha, grad, row, rowJ, step)
	}
	if d.sol.gap = math.Inf(-1); i >= 0 {
		d.sol.gap = high - grad[i]
	}
	d.sol.rho = offset(alpha, grad)
	return nil
}

// extremes is the point whose α should grow most, −1 where all are 1, and the largest gradient of one whose α can
// shrink.
func extremes(alpha, grad []float64) (i int, high float64) {
	return moved(alpha, grad, nil, nil, 0)
}

// moved adds step·(row − rowJ) to the gradient and is extremes of the result.
func moved(alpha, grad []float64, row, rowJ []float32, step float64) (i int, high float64) {
	i, high = -1, math.Inf(-1)
	low := math.Inf(1)
	if row != nil {
		row, rowJ = row[:len(grad)], rowJ[:len(grad)]
	}
	alpha = alpha[:len(grad)]
	for t, g := range grad {
		if row != nil {
			g += float64(step * (float64(row[t]) - float64(rowJ[t])))
			grad[t] = g
		}
		if g < low && alpha[t] < 1 {
			i, low = t, g
		}
		if g > high && alpha[t] > 0 {
			high = g
		}
	}
	return i, high
}

// batch is point i, whose row is missing, and those without a row that are likely to be next: a batch costs hardly
// more than a row, and where kernels are narrow a step moves the gradient of its own two points alone, so that the next
// to be chosen is the next by gradient. The points are those that can grow, by rising gradient, or those that can
// shrink.
func (c *rowCache) batch(i int, up bool, alpha, grad []float64) []int {
	c.idx, c.keys = append(c.idx[:0], i), append(c.keys[:0], math.Inf(-1))
	for t, g := range grad {
		if up && alpha[t] >= 1 || !up && alpha[t] <= 0 || c.slot[t] >= 0 || t == i {
			continue
		}
		if !up {
			g = -g
		}
		if len(c.idx) < kernel.TileRows {
			c.idx, c.keys = append(c.idx, t), append(c.keys, g)
		} else if g >= c.keys[len(c.keys)-1] {
			continue
		}
		k := len(c.keys) - 1
		for ; g < c.keys[k-1]; k-- {
			c.idx[k], c.keys[k] = c.idx[k-1], c.keys[k-1]
		}
		c.idx[k], c.keys[k] = t, g
	}
	return c.idx
}
