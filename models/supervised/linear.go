package supervised

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"plumbline/models"
	"plumbline/numeric/elementary"
	"plumbline/numeric/minimise"
	"plumbline/numeric/stat"
)

// linear is one affine function of the columns for each class, or one alone for two classes. The probabilities are the
// softmax of the functions, or the logistic of the one.
type linear struct {
	d, k int
	w    []float64 // functions × (d+1), the intercept last
	mean []float64 // of the training columns: what contributions are told against
}

// functions is how many functions k classes need.
func functions(k int) int {
	if k == 2 {
		return 1
	}
	return k
}

// margins are the values of the functions.
func (m *linear) margins(row []float32, out []float64) {
	for f := range out {
		w := m.w[f*(m.d+1) : (f+1)*(m.d+1)]
		sum := w[m.d]
		for j, v := range row {
			sum += float64(w[j] * float64(v))
		}
		out[f] = sum
	}
}

func (m *linear) probabilities(ctx context.Context, env models.Env, x []float32, n int, out []float64) error {
	return env.Blocks(ctx, n, 256, func(from, to int) {
		f := make([]float64, functions(m.k))
		for i := from; i < to; i++ {
			m.margins(x[i*m.d:(i+1)*m.d], f)
			softmax(f, out[i*m.k:(i+1)*m.k])
		}
	})
}

// leastProbability is what a loss takes for 0: the smallest number with full precision. Where networks are trained,
// processors take smaller ones for 0, whose logarithm is not finite.
const leastProbability = 0x1p-1022

// softmax turns margins into probabilities; a single margin is that of the second of two classes.
func softmax(f, p []float64) {
	if len(f) == 1 {
		p[1] = stat.Logistic(f[0])
		p[0] = 1 - p[1]
		return
	}
	stat.Softmax(f, p)
}

// contributions are w_j (x_j − mean_j), of the function of attacks, or of minus that of benign rows.
func (m *linear) contributions(row []float32, out []float64) {
	sign := 1.0
	if m.k > 2 {
		sign = -1 // the first function is that of benign rows
	}
	for j, v := range row {
		out[j] = sign * m.w[j] * (float64(v) - m.mean[j])
	}
}

func (m *linear) state() (any, models.Arrays) {
	return struct{}{}, models.Arrays{"weights": m.w, "mean": m.mean}
}

func loadLinear(meta json.RawMessage, arrays models.Arrays, d, k int) (classifier, error) {
	if err := strict(meta, &struct{}{}); err != nil {
		return nil, err
	}
	m := &linear{d: d, k: k}
	var err error
	if m.w, err = models.FiniteArray[float64](arrays, "weights", functions(k)*(d+1)); err != nil {
		return nil, err
	}
	m.mean, err = models.FiniteArray[float64](arrays, "mean", d)
	return m, err
}

// loss is a convex loss of margins: the value of one row and, in grad, its derivative by each margin.
type loss func(f []float64, y int32, grad []float64) float64

// softmaxLoss is −log of the probability of the row's class.
func softmaxLoss(f []float64, y int32, grad []float64) float64 {
	if len(f) == 1 {
		s := 1.0
		if y == 0 {
			s = -1
		}
		m := float64(s * f[0])
		grad[0] = -s * stat.Logistic(-m)
		if m > 0 {
			return elementary.Log1p(elementary.Exp(-m))
		}
		return -m + elementary.Log1p(elementary.Exp(m))
	}
	softmax(f, grad)
	v := -elementary.Log(math.Max(grad[y], leastProbability))
	grad[y]--
	return v
}

// squaredHinge is max(0, 1 − s·f)², one class against the others.
func squaredHinge(f []float64, y int32, grad []float64) float64 {
	sum := 0.0
	for c := range f {
		s := -1.0
		if len(f) == 1 && y == 1 || len(f) > 1 && int(y) == c {
			s = 1
		}
		gap := max(0, 1-float64(s*f[c]))
		sum += float64(gap * gap)
		grad[c] = -2 * s * gap
	}
	return sum
}

// fitLinear minimises ½‖W‖² + C Σ_i w_i loss(W·x_i + b, y_i) by L-BFGS; intercepts are free.
func fitLinear(ctx context.Context, env models.Env, p *problem, of loss, c float64, iterations int) (*linear, error) {
	m := &linear{d: p.d, k: p.k, w: make([]float64, functions(p.k)*(p.d+1)), mean: make([]float64, p.d)}
	for i := range p.n {
		for j, v := range p.row(i) {
			m.mean[j] += float64(v) / float64(p.n)
		}
	}
	nf := functions(p.k)
	const block = 1024
	blocks := (p.n + block - 1) / block
	partial := make([]float64, blocks*(len(m.w)+1)) // sums of each block, so that the order of adding is fixed
	var failed error
	evaluate := func(w, grad []float64) float64 {
		at := &linear{d: p.d, k: p.k, w: w}
		err := env.Blocks(ctx, p.n, block, func(from, to int) {
			own := partial[from/block*(len(w)+1) : (from/block+1)*(len(w)+1)]
			clear(own)
			f, g := make([]float64, nf), make([]float64, nf)
			for i := from; i < to; i++ {
				row := p.row(i)
				at.margins(row, f)
				own[len(w)] += float64(p.w[i] * of(f, p.y[i], g))
				for k := range nf {
					if g[k] == 0 {
						continue
					}
					s := float64(p.w[i] * g[k])
					dst := own[k*(p.d+1) : (k+1)*(p.d+1)]
					for j, v := range row {
						dst[j] += float64(s * float64(v))
					}
					dst[p.d] += s
				}
			}
		})
		if err != nil {
			failed = err
			return math.NaN()
		}
		value := 0.0
		clear(grad)
		for b := range blocks {
			own := partial[b*(len(w)+1) : (b+1)*(len(w)+1)]
			value += float64(c * own[len(w)])
			for j, v := range own[:len(w)] {
				grad[j] += float64(c * v)
			}
		}
		for k := range nf {
			for j := range p.d {
				v := w[k*(p.d+1)+j]
				value += v * v / 2
				grad[k*(p.d+1)+j] += v
			}
		}
		return value
	}
	_, err := minimise.LBFGS(m.w, minimise.Settings{
		Memory:     10,
		Iterations: iterations,
		Gradient:   1e-8 * c * float64(p.n),
		Relative:   1e-13,
		Stall:      20,
		Observe: func(iteration int, value float64) {
			env.Progress(models.Epoch{N: iteration, Of: iterations, Loss: value, ValidLoss: math.NaN(), Rate: math.NaN()})
		},
	}, evaluate)
	switch {
	case failed != nil:
		return nil, failed
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, fmt.Errorf("optimiser: %w", err)
	}
	for _, v := range m.w {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, errors.New("the weights overflow: scale the columns")
		}
	}
	return m, nil
}
