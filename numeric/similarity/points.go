package similarity

import (
	"sync"

	"plumbline/numeric/kernel"
)

// Points are n rows of d numbers, prepared for a kernel function. They may be used by any number of goroutines.
type Points struct {
	F    Function
	N, D int

	shift  []float64 // taken from every row first; changes no distance, but what the products lose to cancellation
	scale  float64
	single *prepared[float32] // one of them
	double *prepared[float64]
}

// prepared is points in one type.
type prepared[T kernel.Real] struct {
	panels *kernel.Panels[T]
	long   bool              // distances are repaired
	rows   func() ([]T, []T) // the same row-major, and their squared lengths
}

// Limits of squared lengths, in units of the kernel's width. Below the first, float32 gives exp(−‖x−y‖²) to about
// 1e-4 of itself at worst, typically 1e-6; below the second, float64 gives it to 1e-10. What counts is the length
// of the points alone: another row that is longer than they by so much is too far from all of them to matter.
const (
	shortForSingle = 1e3
	shortForDouble = 2.5e5
)

// New prepares the rows of the row-major n×d matrix x, which is copied. shift is d numbers that are taken from
// every row, near to most of them; nil for none, and only nil for kernels other than RBF, which look at more than
// distances. With single, float32 is used where it serves.
func New[X kernel.Real](f Function, x []X, n, d int, shift []float64, single bool) *Points {
	if shift != nil && f.Kind != RBF {
		panic("similarity: New: only distances survive a shift")
	}
	if shift == nil {
		shift = make([]float64, d)
	}
	p := &Points{F: f, N: n, D: d, shift: shift, scale: f.scale()}
	longest, row := 0.0, make([]float64, d)
	if f.Kind == RBF {
		for i := range n {
			longest = max(longest, mapped(p, x[i*d:(i+1)*d], row))
		}
	}
	if single && f.Kind == RBF && longest <= shortForSingle {
		p.single = prepare(p, kernel.NewPanels[float32](n, d), false)
		narrow := make([]float32, d)
		for i := range n {
			mapped(p, x[i*d:(i+1)*d], narrow)
			p.single.panels.Set(i, narrow)
		}
		return p
	}
	p.double = prepare(p, kernel.NewPanels[float64](n, d), longest > shortForDouble)
	for i := range n {
		mapped(p, x[i*d:(i+1)*d], row)
		p.double.panels.Set(i, row)
	}
	return p
}

// Single says whether the points are in float32.
func (p *Points) Single() bool { return p.single != nil }

// mapped writes the shifted and scaled row to dst and returns its squared length.
func mapped[X, T kernel.Real](p *Points, row []X, dst []T) float64 {
	sum := 0.0
	for j, v := range row {
		y := (float64(v) - p.shift[j]) * p.scale
		dst[j] = T(y)
		sum += float64(y * y)
	}
	return sum
}

func prepare[T kernel.Real](p *Points, panels *kernel.Panels[T], long bool) *prepared[T] {
	q := &prepared[T]{panels: panels, long: long}
	type both struct{ x, norms []T }
	rows := sync.OnceValue(func() both {
		b := both{make([]T, p.N*p.D), make([]T, p.N)}
		for i := range p.N {
			panels.Row(i, b.x[i*p.D:(i+1)*p.D])
			b.norms[i] = panels.Norm(i)
		}
		return b
	})
	q.rows = func() ([]T, []T) {
		b := rows()
		return b.x, b.norms
	}
	return q
}

// Pick is the points at idx, in that order.
func (p *Points) Pick(idx []int) *Points {
	q := &Points{F: p.F, N: len(idx), D: p.D, shift: p.shift, scale: p.scale}
	if p.single != nil {
		q.single = pick(q, p.single, idx)
	} else {
		q.double = pick(q, p.double, idx)
	}
	return q
}

func pick[T kernel.Real](q *Points, from *prepared[T], idx []int) *prepared[T] {
	to := prepare(q, kernel.NewPanels[T](q.N, q.D), from.long)
	row := make([]T, q.D)
	for i, at := range idx {
		from.panels.Row(at, row)
		to.panels.Set(i, row)
	}
	return to
}
