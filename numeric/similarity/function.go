package similarity

import (
	"math"

	"plumbline/numeric/elementary"
)

// Kind is a family of kernel functions.
type Kind int

// The kernels, with γ = Gamma, c = Offset and p = Degree.
const (
	RBF     Kind = iota // exp(−γ‖x−y‖²)
	Linear              // x·y
	Poly                // (γ x·y + c)^p
	Sigmoid             // tanh(γ x·y + c)
)

// Function is a kernel function.
type Function struct {
	Kind          Kind
	Gamma, Offset float64
	Degree        int // at least 1, of Poly
}

// Value is K(x, y) in float64.
func (f Function) Value(x, y []float64) float64 {
	product, square := 0.0, 0.0
	for j, v := range x {
		product += float64(v * y[j])
		d := v - y[j]
		square += float64(d * d)
	}
	switch f.Kind {
	case Linear:
		return product
	case Poly:
		return power(float64(f.Gamma*product)+f.Offset, f.Degree)
	case Sigmoid:
		return elementary.Tanh(float64(f.Gamma*product) + f.Offset)
	}
	return elementary.Exp(-f.Gamma * square)
}

func power(x float64, degree int) float64 {
	p := x
	for range degree - 1 {
		p *= x
	}
	return p
}

// scale is what rows are multiplied by, so that the rest needs no γ.
func (f Function) scale() float64 {
	if f.Kind == RBF {
		return math.Sqrt(f.Gamma)
	}
	return 1
}
