package supervised

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"

	"plumbline/models"
	"plumbline/numeric/elementary"
)

// curve maps a probability to a better one: linear between the points, constant outside. A Platt curve has x = {A, B}
// and no y.
type curve struct{ x, y []float64 }

// curvesOf is how many curves k classes need: with two, one is 1 minus the other.
func curvesOf(k int) int {
	if k == 2 {
		return 1
	}
	return k
}

func (c curve) at(p float64) float64 {
	if len(c.y) == 0 {
		return 1 / (1 + elementary.Exp(float64(c.x[0]*p)+c.x[1]))
	}
	i := sort.SearchFloat64s(c.x, p)
	switch {
	case i == 0:
		return c.y[0]
	case i == len(c.x):
		return c.y[i-1]
	}
	w := (p - c.x[i-1]) / (c.x[i] - c.x[i-1])
	return c.y[i-1] + float64(w*(c.y[i]-c.y[i-1]))
}

// applyCurves corrects the probabilities of one row, which sum to 1 again.
func applyCurves(curves []curve, p []float64) {
	if len(p) == 2 {
		p[1] = curves[0].at(p[1])
		p[0] = 1 - p[1]
		return
	}
	sum := 0.0
	for c := range p {
		p[c] = curves[c].at(p[c])
		sum += p[c]
	}
	for c := range p {
		if sum > 0 {
			p[c] /= sum
		} else {
			p[c] = 1 / float64(len(p))
		}
	}
}

// calibrationFolds is the folds whose held-out probabilities the curves are fitted on.
const calibrationFolds = 5

// calibrate fits the curves on out-of-fold probabilities, one class against the others, as scikit-learn's
// CalibratedClassifierCV does without an ensemble.
func calibrate(ctx context.Context, env models.Env, p *problem, learn learner, kind string) ([]curve, error) {
	out, err := outOfFold(ctx, env, p, learn, calibrationFolds)
	if err != nil {
		return nil, err
	}
	curves := make([]curve, curvesOf(p.k))
	for i := range curves {
		c := int32(i)
		if p.k == 2 {
			c = 1
		}
		score, hit := make([]float64, p.n), make([]bool, p.n)
		for r := range score {
			score[r], hit[r] = out[r*p.k+int(c)], p.y[r] == c
		}
		if kind == "platt" {
			curves[i] = platt(score, hit, p.w)
		} else {
			curves[i] = isotonic(score, hit, p.w)
		}
	}
	return curves, nil
}

// outOfFold is the n×k probabilities that rows have from models which did not see them. A class with fewer rows than
// folds is left out of some models and has probability 0 there.
func outOfFold(ctx context.Context, env models.Env, p *problem, learn learner, folds int) ([]float64, error) {
	of := stratifiedFolds(p.y, p.k, folds, env.Rand("folds"))
	out := make([]float64, p.n*p.k)
	for f := range folds {
		var in, held []int32
		for i, v := range of {
			if v == f {
				held = append(held, int32(i))
			} else {
				in = append(in, int32(i))
			}
		}
		if len(held) == 0 {
			continue
		}
		sub, names := dense(p.only(in))
		if sub.k < 2 {
			return nil, fmt.Errorf("%w: too few rows of a class for %d folds", models.ErrInput, folds)
		}
		inner := env
		inner.Observe = nil
		m, err := learn(ctx, inner, sub)
		if err != nil {
			return nil, err
		}
		test := p.only(held)
		got := make([]float64, test.n*sub.k)
		if err := m.probabilities(ctx, env, test.x, test.n, got); err != nil {
			return nil, err
		}
		for i, r := range held {
			for c, name := range names {
				out[int(r)*p.k+int(name)] = got[i*sub.k+c]
			}
		}
	}
	return out, nil
}

// dense numbers the classes that occur from 0, and says which they were.
func dense(p *problem) (*problem, []int32) {
	var names []int32
	id := make([]int32, p.k)
	for c := range id {
		if id[c] = -1; slices.Contains(p.y, int32(c)) {
			id[c] = int32(len(names))
			names = append(names, int32(c))
		}
	}
	for i, c := range p.y {
		p.y[i] = id[c]
	}
	p.k = len(names)
	return p, names
}

// stratifiedFolds deals the rows of each class out over the folds in random order.
func stratifiedFolds(y []int32, k, folds int, r *rand.Rand) []int {
	out := make([]int, len(y))
	next := 0
	for c := range k {
		var rows []int
		for i, v := range y {
			if int(v) == c {
				rows = append(rows, i)
			}
		}
		r.Shuffle(len(rows), func(a, b int) { rows[a], rows[b] = rows[b], rows[a] })
		for _, i := range rows {
			out[i] = next % folds
			next++
		}
	}
	return out
}

// platt fits p = 1 / (1 + exp(A·s + B)) by Newton's method with the targets (N₊+1)/(N₊+2) and 1/(N₋+2), which keep the
// curve from certainty (J. Platt, Probabilistic Outputs for Support Vector Machines, 1999; H.-T. Lin, C.-J. Lin and R.
// Weng, A Note on Platt's Probabilistic Outputs, Machine Learning 2007).
func platt(score []float64, hit []bool, w []float64) curve {
	var pos, neg float64
	for i, h := range hit {
		if h {
			pos += w[i]
		} else {
			neg += w[i]
		}
	}
	high, low := (pos+1)/(pos+2), 1/(neg+2)
	target := func(i int) float64 {
		if hit[i] {
			return high
		}
		return low
	}
	loss := func(a, b float64) float64 {
		sum := 0.0
		for i, s := range score {
			f, t := float64(a*s)+b, target(i)
			if f >= 0 {
				sum += float64(w[i] * (float64(t*f) + elementary.Log1p(elementary.Exp(-f))))
			} else {
				sum += float64(w[i] * (float64((t-1)*f) + elementary.Log1p(elementary.Exp(f))))
			}
		}
		return sum
	}
	a, b := 0.0, elementary.Log((neg+1)/(pos+1))
	now := loss(a, b)
	for range 100 {
		const ridge = 1e-12
		h11, h22, h21, g1, g2 := ridge, ridge, 0.0, 0.0, 0.0
		for i, s := range score {
			p := 1 / (1 + elementary.Exp(float64(a*s)+b))
			d2 := float64(w[i] * p * (1 - p))
			h11, h22, h21 = h11+float64(s*s*d2), h22+d2, h21+float64(s*d2)
			d1 := float64(w[i] * (target(i) - p))
			g1, g2 = g1+float64(s*d1), g2+d1
		}
		if math.Abs(g1) < 1e-7 && math.Abs(g2) < 1e-7 {
			break
		}
		det := float64(h11*h22) - float64(h21*h21)
		da, db := -(float64(h22*g1)-float64(h21*g2))/det, -(float64(-h21*g1)+float64(h11*g2))/det
		slope := float64(g1*da) + float64(g2*db)
		step := 1.0
		for ; step >= 1e-10; step /= 2 {
			if v := loss(a+float64(step*da), b+float64(step*db)); v < now+float64(1e-4*step*slope) {
				a, b, now = a+float64(step*da), b+float64(step*db), v
				break
			}
		}
		if step < 1e-10 {
			break
		}
	}
	return curve{x: []float64{a, b}}
}

// isotonic is the rising curve of least squares: adjacent violators are pooled (R. Barlow and others, Statistical
// Inference under Order Restrictions, 1972). Rows of one score are one point.
func isotonic(score []float64, hit []bool, w []float64) curve {
	order := make([]int, len(score))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case score[a] < score[b]:
			return -1
		case score[a] > score[b]:
			return 1
		}
		return a - b
	})
	type block struct{ sum, weight, from, to float64 }
	var blocks []block
	for i := 0; i < len(order); {
		b := block{from: score[order[i]], to: score[order[i]]}
		for ; i < len(order) && score[order[i]] == b.from; i++ {
			if hit[order[i]] {
				b.sum += w[order[i]]
			}
			b.weight += w[order[i]]
		}
		blocks = append(blocks, b)
		for n := len(blocks); n > 1 && blocks[n-2].sum*blocks[n-1].weight >= blocks[n-1].sum*blocks[n-2].weight; n-- {
			last := blocks[n-1]
			blocks[n-2].sum, blocks[n-2].weight, blocks[n-2].to =
				blocks[n-2].sum+last.sum, blocks[n-2].weight+last.weight, last.to
			blocks = blocks[:n-1]
		}
	}
	var c curve
	for _, b := range blocks {
		v := b.sum / b.weight
		c.x, c.y = append(c.x, b.from), append(c.y, v)
		if b.to > b.from {
			c.x, c.y = append(c.x, b.to), append(c.y, v)
		}
	}
	return c
}

func loadCurve(arrays models.Arrays, c int) (curve, error) {
	x, err := models.FiniteArray[float64](arrays, fmt.Sprintf("calibration %d x", c), -1)
	if err != nil {
		return curve{}, err
	}
	y, err := models.FiniteArray[float64](arrays, fmt.Sprintf("calibration %d y", c), -1)
	if err != nil {
		return curve{}, err
	}
	if len(y) == 0 && len(x) != 2 || len(y) > 0 && (len(x) != len(y) || !slices.IsSorted(x)) {
		return curve{}, fmt.Errorf("calibration %d: %w", c, errState)
	}
	for i, v := range y {
		if v < 0 || v > 1 || i > 0 && x[i] == x[i-1] {
			return curve{}, fmt.Errorf("calibration %d: %w", c, errState)
		}
	}
	return curve{x, y}, nil
}
