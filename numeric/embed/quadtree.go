package embed

import "slices"

// quadtree is the points of the plane in cells, each cut into four, by depth first. It is built anew for each iteration
// in the same memory.
type quadtree struct {
	theta float64 // squared
	order []int32 // points in the order of the tree
	x, y  []float64
	cells []cell

	keys []uint64
	list []keyed // of the points, to be sorted
}

// keyed is a point and the bits of its way from the root.
type keyed struct {
	key uint64
	i   int32
}

// cell is a square with points: from to to in the order of the tree. The cell that follows it is its first child, or,
// if it is a leaf, the next one; next is the one after all that is in it.
type cell struct {
	x, y     float64 // centre of the points
	n        float64
	size     float64 // squared side, over θ²
	next     int32
	from, to int32
	leaf     bool
}

const (
	leafPoints = 4
	maxLevel   = 21 // bits of a coordinate in a key
)

// build puts the points into cells. They are sorted by the bits of their coordinates, which interleaved are the way
// from the root.
func (q *quadtree) build(points []float64) {
	n := len(points) / 2
	left, bottom := points[0], points[1]
	right, top := left, bottom
	for i := range n {
		left, right = min(left, points[2*i]), max(right, points[2*i])
		bottom, top = min(bottom, points[2*i+1]), max(top, points[2*i+1])
	}
	side := max(right-left, top-bottom, 1e-300) * (1 + 1e-9)
	scale := float64(uint64(1)<<maxLevel) / side
	if len(q.order) != n {
		q.order, q.x, q.y = make([]int32, n), make([]float64, n), make([]float64, n)
		q.keys, q.list = make([]uint64, n), make([]keyed, n)
	}
	list := q.list
	for i := range n {
		a := uint64((points[2*i] - left) * scale)
		b := uint64((points[2*i+1] - bottom) * scale)
		list[i] = keyed{spread(a) | spread(b)<<1, int32(i)}
	}
	slices.SortFunc(list, func(a, b keyed) int {
		switch {
		case a.key < b.key:
			return -1
		case a.key > b.key:
			return 1
		}
		return int(a.i) - int(b.i)
	})
	for k, e := range list {
		q.order[k], q.keys[k] = e.i, e.key
		q.x[k], q.y[k] = points[2*e.i], points[2*e.i+1]
	}
	q.cells = q.cells[:0]
	q.cut(0, int32(n), 0, side)
}

// spread puts a zero bit before each of the lowest bits.
func spread(v uint64) uint64 {
	v &= 1<<maxLevel - 1
	v = (v | v<<16) & 0x0000ffff0000ffff
	v = (v | v<<8) & 0x00ff00ff00ff00ff
	v = (v | v<<4) & 0x0f0f0f0f0f0f0f0f
	v = (v | v<<2) & 0x3333333333333333
	return (v | v<<1) & 0x5555555555555555
}

// cut adds the cell of some points and what is in it.
func (q *quadtree) cut(from, to int32, level int, side float64) {
	at := len(q.cells)
	q.cells = append(q.cells, cell{})
	sx, sy := 0.0, 0.0
	for k := from; k < to; k++ {
		sx, sy = sx+q.x[k], sy+q.y[k]
	}
	n := float64(to - from)
	c := cell{x: sx / n, y: sy / n, n: n, from: from, to: to, leaf: to-from <= leafPoints || level == maxLevel}
	if q.theta > 0 {
		c.size = side * side / q.theta
	}
	if !c.leaf {
		shift := 2 * (maxLevel - 1 - level)
		for k := from; k < to; {
			quarter := q.keys[k] >> shift
			end := k + 1
			for end < to && q.keys[end]>>shift == quarter {
				end++
			}
			q.cut(k, end, level+1, side/2)
			k = end
		}
	}
	c.next = int32(len(q.cells))
	q.cells[at] = c
}

// repulsion is Σ_j (y − y_j)/(1+d²)² over all others for the k-th point of the order, and Σ_j 1/(1+d²).
func (q *quadtree) repulsion(k int) (fx, fy, z float64) {
	px, py := q.x[k], q.y[k]
	exact := q.theta == 0
	for c := int32(0); int(c) < len(q.cells); {
		o := &q.cells[c]
		dx, dy := px-o.x, py-o.y
		square := float64(dx*dx) + float64(dy*dy)
		switch {
		case o.size < square && !exact && (k < int(o.from) || k >= int(o.to)):
			w := 1 / (1 + square)
			m := float64(o.n * w)
			z += m
			m *= w
			fx += float64(m * dx)
			fy += float64(m * dy)
			c = o.next
		case o.leaf:
			for j := o.from; j < o.to; j++ {
				dx, dy := px-q.x[j], py-q.y[j]
				w := 1 / (1 + float64(dx*dx) + float64(dy*dy))
				z += w
				w *= w
				fx += float64(w * dx)
				fy += float64(w * dy)
			}
			if int(o.from) <= k && k < int(o.to) {
				z-- // itself
			}
			c = o.next
		default:
			c++
		}
	}
	return fx, fy, z
}
