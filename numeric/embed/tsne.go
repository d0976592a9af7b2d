package embed

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"plumbline/numeric/elementary"
	"plumbline/numeric/parallel"
)

// TSNE is t-SNE by Barnes and Hut. Rows are neighbours of row i with probabilities p_j|i ∝ exp(−‖x_i−x_j‖²/2σ_i²), over
// the ⌊3·Perplexity+1⌋ nearest, with σ_i such that their entropy is that of Perplexity equal ones, and p_ij = (p_j|i +
// p_i|j)/2n. Points y of the plane have q_ij ∝ 1/(1+‖y_i−y_j‖²), and the points are sought that minimise
//
//	KL(P‖Q) = Σ p_ij log(p_ij/q_ij),  ∂/∂y_i = 4 Σ_j (p_ij − q_ij)(y_i − y_j)/(1+‖y_i−y_j‖²)
//
// by gradient descent with momentum and gains, P multiplied by Exaggeration in the first quarter of the iterations. The
// sums over all points take a cell of points that is far away, its size below Theta times its distance, for its centre.
// (L. van der Maaten and G. Hinton, Visualizing Data using t-SNE, JMLR 9, 2008; L. van der Maaten, Accelerating t-SNE
// using Tree-Based Algorithms, JMLR 15, 2014; A. Belkina and others, Nature Communications 10, 2019, for the rate.)
//
// It costs n² distances of d once, and about n·log n an iteration.
type TSNE struct {
	Perplexity   float64 // neighbours that count, from 1 on; at most a third of the rows are used
	Iterations   int
	Exaggeration float64 // of P in the first quarter
	Theta        float64 // 0: exact sums
	Rate         float64 // of the descent; 0: n/(4·Exaggeration), at least 50
}

// Defaults are those of scikit-learn 1.2.
func Defaults() TSNE { return TSNE{Perplexity: 30, Iterations: 1000, Exaggeration: 12, Theta: 0.5} }

// Embedding is points of the plane.
type Embedding struct {
	Y  []float64 // n×2, row-major
	KL float64   // Kullback–Leibler divergence, in nats
}

// checkEvery is how often the descent is asked whether it still moves.
const checkEvery = 50

// Fit places the rows of a row-major n×d matrix of finite numbers, n at least 4, from their first two principal
// components on; what components do not tell apart is moved by seeded noise. What it gives does not depend on the
// workers.
func (t TSNE) Fit(ctx context.Context, x []float32, n, d int, seed uint64, workers int) (*Embedding, error) {
	if n < 4 || d < 1 || len(x) != n*d {
		return nil, fmt.Errorf("embed: %d values are no %d×%d of at least 4 rows", len(x), n, d)
	}
	if !(t.Perplexity >= 1) || t.Iterations < 1 || !(t.Exaggeration >= 1) || !(t.Theta >= 0) || !(t.Rate >= 0) {
		return nil, fmt.Errorf("embed: t-SNE with %+v", t)
	}
	p, err := t.affinities(ctx, x, n, d, workers)
	if err != nil {
		return nil, err
	}
	y, err := start(ctx, x, n, d, seed, workers)
	if err != nil {
		return nil, err
	}
	g := newGradient(p, t.Theta, n, workers)
	if err := t.descend(ctx, g, y); err != nil {
		return nil, err
	}
	g.ask = true
	_, kl, err := g.at(ctx, y, 1)
	return &Embedding{y, kl}, err
}

// start is the first two components, brought to a standard deviation of 1e-4.
func start(ctx context.Context, x []float32, n, d int, seed uint64, workers int) ([]float64, error) {
	y, err := Components(ctx, x, n, d, 2, workers)
	if err != nil {
		return nil, err
	}
	square := 0.0
	for i := range n {
		square += float64(y[2*i] * y[2*i])
	}
	scale := 0.0
	if square > 0 {
		scale = 1e-4 / math.Sqrt(square/float64(n))
	}
	r := rand.New(rand.NewPCG(seed, 0x7a9e))
	for i := range y {
		if y[i] *= scale; d < 2 || scale == 0 {
			y[i] += float64(1e-5 * r.NormFloat64())
		}
	}
	return y, nil
}

func (t TSNE) descend(ctx context.Context, g *gradient, y []float64) error {
	rate := t.Rate
	if rate == 0 {
		rate = max(float64(g.n)/t.Exaggeration/4, 50)
	}
	update, gain := make([]float64, len(y)), make([]float64, len(y))
	for i := range gain {
		gain[i] = 1
	}
	early := t.Iterations / 4
	for it := range t.Iterations {
		momentum, exaggeration := 0.8, 1.0
		if it < early {
			momentum, exaggeration = 0.5, t.Exaggeration
		}
		if it == early { // as after a new start
			for i := range gain {
				gain[i], update[i] = 1, 0
			}
		}
		grad, _, err := g.at(ctx, y, exaggeration)
		if err != nil {
			return err
		}
		norm := 0.0
		for i, v := range grad {
			if update[i]*v < 0 {
				gain[i] += 0.2
			} else {
				gain[i] = max(gain[i]*0.8, 0.01)
			}
			update[i] = float64(momentum*update[i]) - float64(rate*gain[i]*v)
			y[i] += update[i]
			norm += float64(v * v)
		}
		if it%checkEvery == checkEvery-1 && math.Sqrt(norm) < 1e-7 {
			break
		}
	}
	return nil
}

// gradient is that of KL(P‖Q) by the points.
type gradient struct {
	p       *affinity
	n       int
	workers int
	tree    quadtree
	ask     bool // for the divergence

	attract, repel, out []float64 // n×2
	sums, logs          []float64 // by block: of 1/(1+d²) over all pairs, and of p·log(p·(1+d²))
}

const block = 128 // points that a worker takes at a time

func newGradient(p *affinity, theta float64, n, workers int) *gradient {
	blocks := (n + block - 1) / block
	return &gradient{p: p, n: n, workers: workers, tree: quadtree{theta: theta * theta}, attract: make([]float64, 2*n),
		repel: make([]float64, 2*n), out: make([]float64, 2*n), sums: make([]float64, blocks), logs: make([]float64, blocks)}
}

// at is the gradient with P exaggerated, which is lent until the next call, and, where it is asked for, the divergence
// without.
func (g *gradient) at(ctx context.Context, y []float64, exaggeration float64) ([]float64, float64, error) {
	g.tree.build(y)
	err := parallel.Blocks(ctx, g.workers, g.n, block, func(from, to int) {
		sum := 0.0
		for k := from; k < to; k++ { // in the order of the tree: neighbours walk alike
			i := g.tree.order[k]
			x, y, z := g.tree.repulsion(k)
			g.repel[2*i], g.repel[2*i+1] = x, y
			sum += z
		}
		g.sums[from/block] = sum
		g.logs[from/block] = g.attraction(y, from, to)
	})
	if err != nil {
		return nil, 0, fmt.Errorf("embed: %w", err)
	}
	z, kl := 0.0, 0.0
	for b := range g.sums {
		z += g.sums[b]
		kl += g.logs[b]
	}
	for i := range g.out {
		g.out[i] = 4 * (float64(exaggeration*g.attract[i]) - g.repel[i]/z)
	}
	return g.out, kl + elementary.Log(z), nil
}

// attraction is what the neighbours of some points add, without exaggeration, and the sum of p·log(p·(1+d²)).
func (g *gradient) attraction(y []float64, from, to int) float64 {
	logs := 0.0
	for i := from; i < to; i++ {
		ax, ay := 0.0, 0.0
		xi, yi := y[2*i], y[2*i+1]
		for e := g.p.from[i]; e < g.p.from[i+1]; e++ {
			j, p := g.p.column[e], g.p.value[e]
			dx, dy := xi-y[2*j], yi-y[2*j+1]
			far := 1 + float64(dx*dx) + float64(dy*dy)
			f := p / far
			ax += float64(f * dx)
			ay += float64(f * dy)
			if g.ask {
				logs += float64(p * elementary.Log(p*far))
			}
		}
		g.attract[2*i], g.attract[2*i+1] = ax, ay
	}
	return logs
}
