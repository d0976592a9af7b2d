package cluster

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"plumbline/numeric/elementary"
	"plumbline/numeric/kernel"
	"plumbline/numeric/parallel"
)

// Empty says what becomes of a group that no row is nearest to.
type Empty int

// What to do with an empty group.
const (
	KeepEmpty   Empty = iota // its centre stays where it is, and may get rows again
	DropEmpty                // its centre is given up
	RefillEmpty              // it begins anew at the row that is farthest from its centre
)

// KMeans are the settings of k-means: centres that minimise Σ_i min_c ‖x_i − μ_c‖², by Lloyd's iterations (Least
// squares quantization in PCM, IEEE Transactions on Information Theory 28, 1982). The first centres are rows, each
// drawn with a probability proportional to the squared distance from the nearest one so far (Arthur and
// Vassilvitskii, k-means++: the advantages of careful seeding, SODA 2007). Rows of fewer than K different values
// have as many centres as values.
type KMeans struct {
	K int // centres, at least 1; at most as many as rows are made
	// Candidates is how many rows are drawn for each first centre, of which the best counts: 1 as published, 0 for
	// 2+⌊ln K⌋ as in scikit-learn.
	Candidates int
	MaxIter    int     // iterations
	Tol        float64 // squared movement of all centres that ends it; 0: until no row changes its group
	Empty      Empty
	Single     bool // centres are rounded to float32 in each iteration
	// Block is the number of rows of one partial sum of the means, added in order; sums then follow the rows that
	// change their group, and are made anew at the end. 0: one sum over all rows, made anew in each iteration. It
	// decides last bits.
	Block   int
	Workers int
}

// Clustering is what k-means found.
type Clustering struct {
	*Centres
	Labels     []int32 // of the rows, by the final centres
	Inertia    float64 // Σ_i ‖x_i − μ_c(i)‖²
	Iterations int
}

// Fit draws first centres and iterates. The result depends on r and the settings, but not on Workers.
func Fit[T Number](ctx context.Context, o KMeans, m Matrix[T], r *rand.Rand) (*Clustering, error) {
	if err := o.check(m.check(1)); err != nil {
		return nil, err
	}
	l := newLloyd(o, m)
	first, err := l.draw(ctx, r)
	if err != nil {
		return nil, err
	}
	return l.run(ctx, first)
}

func (o KMeans) check(shape error) error {
	if shape != nil {
		return shape
	}
	if o.K < 1 || o.Candidates < 0 || o.MaxIter < 1 || !(o.Tol >= 0) || o.Block < 0 {
		return fmt.Errorf("cluster: k-means with settings out of range: %+v", o)
	}
	return nil
}

// lloyd is one clustering under way.
type lloyd[T Number] struct {
	KMeans
	m      Matrix[T]
	shift  []float64
	packed *kernel.Panels[float32]
	follow int // up to this number of changed rows, sums follow them; 0: never
}

func newLloyd[T Number](o KMeans, m Matrix[T]) *lloyd[T] {
	l := &lloyd[T]{m: m, shift: kernel.Middles(m.X, m.N, m.D), packed: kernel.NewPanels[float32](m.N, m.D)}
	if o.Workers = max(1, o.Workers); o.Block == 0 {
		o.Block = m.N
	} else {
		l.follow = m.N / 4
	}
	l.KMeans = o
	row := make([]float32, m.D)
	for i := range m.N {
		shifted(m.Row(i), l.shift, row)
		l.packed.Set(i, row)
	}
	return l
}

// draw is the numbers of the rows that are first centres.
func (l *lloyd[T]) draw(ctx context.Context, r *rand.Rand) ([]int, error) {
	n := l.m.N
	first := []int{r.IntN(n)}
	with, err := l.closer(ctx, nil, first)
	if err != nil {
		return nil, err
	}
	nearest := with[0]
	candidates := l.Candidates
	if candidates == 0 {
		candidates = 2 + int(elementary.Log(float64(l.K)))
	}
	for drawn := 1; drawn < min(l.K, n); drawn++ {
		sum := 0.0
		for _, v := range nearest {
			sum += v
		}
		rows := make([]int, 0, candidates)
		for range candidates {
			at, left := n-1, r.Float64()*sum // drawn also where there is nothing to choose
			if !(sum > 0) {
				continue
			}
			for i, v := range nearest {
				if left -= v; left < 0 {
					at = i
					break
				}
			}
			rows = append(rows, at)
		}
		if with, err = l.closer(ctx, nearest, rows); err != nil {
			return nil, err
		}
		best, least := -1, math.Inf(1)
		for k := range rows {
			total := 0.0
			for _, v := range with[k] {
				total += v
			}
			if total < least {
				best, least = k, total
			}
		}
		if best >= 0 {
			first, nearest = append(first, rows[best]), with[best]
		}
	}
	return first, nil
}

// closer is, for each of the rows given, the squared distance of every row from the nearest first centre if that one
// becomes one as well. Distances are in float32, but for those that it does not give to a few thousandths.
func (l *lloyd[T]) closer(ctx context.Context, nearest []float64, rows []int) ([][]float64, error) {
	n, d, width := l.m.N, l.m.D, kernel.PanelRows[float32]()
	out := make([][]float64, len(rows))
	for k := range out {
		out[k] = make([]float64, n)
	}
	for at := 0; at < len(rows); at += kernel.TileRows {
		some, out := rows[at:min(at+kernel.TileRows, len(rows))], out[at:]
		x, norms := make([]float32, len(some)*d), make([]float32, len(some))
		for k, i := range some {
			l.packed.Row(i, x[k*d:(k+1)*d])
			norms[k] = l.packed.Norm(i)
		}
		err := parallel.Workspaces(ctx, l.Workers, n, 32*width, func() func(from, to int) {
			tile := kernel.NewTile[float32](d)
			tile.Use(x, norms)
			return func(from, to int) {
				for p := from / width; p*width < to; p++ {
					squares := tile.Squares(l.packed, p)
					for k, row := range some {
						for j, v := range squares[k*width : k*width+l.packed.Size(p)] {
							i := p*width + j
							far := float64(v)
							if lengths := float64(norms[k]) + float64(l.packed.Norm(i)); !(far > 500*doubt(d, lengths)) {
								far = kernel.Apart(l.m.Row(i), l.m.Row(row))
							}
							if nearest != nil {
								far = min(far, nearest[i])
							}
							out[k][i] = far
						}
					}
				}
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// run iterates from the rows with the given numbers.
func (l *lloyd[T]) run(ctx context.Context, first []int) (*Clustering, error) {
	n, d := l.m.N, l.m.D
	start := Matrix[T]{N: len(first), D: d}
	for _, i := range first {
		start.X = append(start.X, l.m.Row(i)...)
	}
	c := &Clustering{Centres: NewCentres(start, l.shift), Labels: make([]int32, n)}
	find := newAssignment(c.Centres, l.packed)
	means := newMeans(l, len(first))
	for fresh := false; c.Iterations < l.MaxIter; {
		c.Iterations++
		changed, err := l.assign(ctx, find, c.Labels)
		if err != nil {
			return nil, err
		}
		last := c.Iterations > 1 && len(changed) == 0
		if last && fresh {
			break // the centres are the means of these groups already
		}
		if fresh = l.follow == 0 || c.Iterations == 1 || last || len(changed) > l.follow; fresh {
			err = means.update(ctx, c.Labels)
		} else {
			means.follow(changed, c.Labels)
		}
		if err != nil {
			return nil, err
		}
		moved := means.move(c)
		c.prepare()
		if last || moved <= l.Tol {
			if fresh {
				break
			}
			if err := means.update(ctx, c.Labels); err != nil {
				return nil, err
			}
			means.move(c)
			c.prepare()
			break
		}
	}
	if _, err := l.assign(ctx, find, c.Labels); err != nil {
		return nil, err
	}
	inertia, err := l.inertia(ctx, c)
	c.Inertia = inertia
	return c, err
}

// change is a row that was in another group before.
type change struct{ row, before int32 }

// assign finds every row's centre, and lists the rows for which it is another than before.
func (l *lloyd[T]) assign(ctx context.Context, find *assignment, labels []int32) ([]change, error) {
	width := kernel.PanelRows[float32]()
	size := 32 * width
	changes := make([][]change, (l.m.N+size-1)/size)
	err := parallel.Workspaces(ctx, l.Workers, l.m.N, size, func() func(from, to int) {
		own := find.worker()
		return func(from, to int) {
			own.run(from/width, (to+width-1)/width)
			settle(own, from, to, l.m.Row, func(i int, c int32) {
				if c != labels[i] {
					changes[from/size] = append(changes[from/size], change{int32(i), labels[i]})
					labels[i] = c
				}
			})
		}
	})
	return slices.Concat(changes...), err
}

// inertia is Σ_i ‖x_i − μ_c(i)‖², of blocks added in order.
func (l *lloyd[T]) inertia(ctx context.Context, c *Clustering) (float64, error) {
	const block = 4096
	sums := make([]float64, (l.m.N+block-1)/block)
	err := parallel.Blocks(ctx, l.Workers, l.m.N, block, func(from, to int) {
		for i := from; i < to; i++ {
			sums[from/block] += SquaredDistance(l.m.Row(i), c.Row(int(c.Labels[i])))
		}
	})
	total := 0.0
	for _, v := range sums {
		total += v
	}
	return total, err
}

// groupMeans are the sums and sizes of groups, and of blocks of rows of them.
type groupMeans[T Number] struct {
	*lloyd[T]
	*Sums
	blocks []*Sums
}

func newMeans[T Number](l *lloyd[T], k int) *groupMeans[T] {
	return &groupMeans[T]{l, NewSums(k, l.m.D), make([]*Sums, (l.m.N+l.Block-1)/l.Block)}
}

// update adds up the rows of every group.
func (g *groupMeans[T]) update(ctx context.Context, labels []int32) error {
	err := parallel.Blocks(ctx, g.Workers, g.m.N, g.Block, func(from, to int) {
		b := g.blocks[from/g.Block]
		if b == nil {
			b = NewSums(len(g.Sizes), g.D)
			g.blocks[from/g.Block] = b
		}
		b.clear()
		for i := from; i < to; i++ {
			AddRow(b, int(labels[i]), g.m.Row(i))
		}
	})
	if err != nil {
		return err
	}
	g.clear()
	for _, b := range g.blocks {
		g.Add(b)
	}
	return nil
}

// follow moves rows from the sums of their groups before to those of their labels.
func (g *groupMeans[T]) follow(changed []change, labels []int32) {
	for _, c := range changed {
		row := g.m.Row(int(c.row))
		takeRow(g.Sums, int(c.before), row)
		AddRow(g.Sums, int(labels[c.row]), row)
	}
}

// move puts the centres at the means and returns the squared movement of all.
func (g *groupMeans[T]) move(c *Clustering) (moved float64) {
	if g.Empty == RefillEmpty {
		g.refill(c)
	}
	for k, n := range g.Sizes {
		to := c.Row(k)
		if n == 0 {
			if g.Empty == DropEmpty {
				for j := range to {
					to[j] = math.Inf(1)
				}
			}
			continue
		}
		for j, sum := range g.Of(k) {
			mean := sum / float64(n)
			if g.Single {
				mean = float64(float32(mean))
			}
			diff := mean - to[j]
			moved += float64(diff * diff)
			to[j] = mean
		}
	}
	return moved
}

// refill gives empty groups the rows that are farthest from their centres, each the farthest that is left.
func (g *groupMeans[T]) refill(c *Clustering) {
	var far []float64
	for k, n := range g.Sizes {
		if n > 0 {
			continue
		}
		if far == nil {
			far = make([]float64, g.m.N)
			for i, of := range c.Labels {
				far[i] = SquaredDistance(g.m.Row(i), c.Row(int(of)))
			}
		}
		at := 0
		for i, v := range far {
			if v > far[at] {
				at = i
			}
		}
		old := int(c.Labels[at])
		if g.Sizes[old] < 2 {
			continue // nothing to take
		}
		takeRow(g.Sums, old, g.m.Row(at))
		clear(g.Of(k)) // what rounding left there
		AddRow(g.Sums, k, g.m.Row(at))
		c.Labels[at], far[at] = int32(k), 0
	}
}
