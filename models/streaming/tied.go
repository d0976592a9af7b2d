package streaming

import (
	"math"
	"math/rand/v2"
	"slices"

	"plumbline/numeric/elementary"
)

// tied is an auto-encoder A(v) = σ(W σ(Wᵀv + b) + c) of n inputs and h hidden values, with scratch space.
type tied struct {
	n, h   int
	w      []float64 // n×h
	b, c   []float64 // h, n
	y, z   []float64 // h, n: the last row's hidden values and output
	dy, dz []float64
}

// newTied draws weights from U(±1/n).
func newTied(n int, hidden float64, r *rand.Rand) *tied {
	h := int(math.Ceil(hidden * float64(n)))
	a := &tied{n: n, h: h, w: make([]float64, n*h), b: make([]float64, h), c: make([]float64, n)}
	for i := range a.w {
		a.w[i] = (float64(2*r.Float64()) - 1) / float64(n)
	}
	return a.sharing()
}

// sharing is the same weights with scratch space of its own.
func (a *tied) sharing() *tied {
	c := *a
	c.y, c.dy = make([]float64, a.h), make([]float64, a.h)
	c.z, c.dz = make([]float64, a.n), make([]float64, a.n)
	return &c
}

func sigmoid(v float64) float64 { return 1 / (1 + elementary.Exp(-v)) }

// error rebuilds v and gives the root of the mean squared difference.
func (a *tied) error(v []float64) float64 {
	copy(a.y, a.b)
	for i, x := range v {
		for k, w := range a.w[i*a.h : (i+1)*a.h] {
			a.y[k] += float64(w * x)
		}
	}
	for k := range a.y {
		a.y[k] = sigmoid(a.y[k])
	}
	squares := 0.0
	for i, x := range v {
		sum := a.c[i]
		for k, w := range a.w[i*a.h : (i+1)*a.h] {
			sum += float64(w * a.y[k])
		}
		a.z[i] = sigmoid(sum)
		squares += float64((x - a.z[i]) * (x - a.z[i]))
	}
	return math.Sqrt(squares / float64(a.n))
}

// learn is a step of gradient descent on the cross-entropy −Σ v log A + (1−v) log(1−A); it gives the error before it.
func (a *tied) learn(v []float64, rate float64) float64 {
	before := a.error(v)
	clear(a.dy)
	for i, x := range v {
		a.dz[i] = x - a.z[i]
		for k, w := range a.w[i*a.h : (i+1)*a.h] {
			a.dy[k] += float64(a.dz[i] * w)
		}
	}
	for k, y := range a.y {
		a.dy[k] *= y * (1 - y)
		a.b[k] += float64(rate * a.dy[k])
	}
	for i, x := range v {
		a.c[i] += float64(rate * a.dz[i])
		own := a.w[i*a.h : (i+1)*a.h]
		for k := range own {
			own[k] += float64(rate * (float64(x*a.dy[k]) + float64(a.dz[i]*a.y[k])))
		}
	}
	return before
}

// appendTo adds the weights to out, and takeFrom takes them from the front of v and gives the rest.
func (a *tied) appendTo(out []float64) []float64 {
	return append(append(append(out, a.w...), a.b...), a.c...)
}

func (a *tied) takeFrom(v []float64) []float64 {
	for _, into := range [][]float64{a.w, a.b, a.c} {
		v = v[copy(into, v):]
	}
	return v
}

// extremes are the smallest and largest values of columns.
type extremes struct{ low, high []float64 }

func newExtremes(d int) extremes {
	e := extremes{make([]float64, d), make([]float64, d)}
	for j := range d {
		e.low[j], e.high[j] = math.Inf(1), math.Inf(-1)
	}
	return e
}

func (e extremes) copied() extremes { return extremes{slices.Clone(e.low), slices.Clone(e.high)} }

func (e extremes) extend(v []float64) {
	for j, x := range v {
		e.low[j], e.high[j] = min(e.low[j], x), max(e.high[j], x)
	}
}

// one scales a value of column j so that the extremes become 0 and 1; a constant column is moved alone. It ends at
// 1e60, so that squares are finite.
func (e extremes) one(j int, v float64) float64 {
	side := e.high[j] - e.low[j]
	if side <= 0 {
		side = 1
	}
	return max(-1e60, min(1e60, (v-e.low[j])/side))
}

// scaled fills out with the scaled values.
func (e extremes) scaled(v, out []float64) []float64 {
	for j, x := range v {
		out[j] = e.one(j, x)
	}
	return out
}
