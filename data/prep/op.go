package prep

import (
	"fmt"
	"math"
	"slices"

	"plumbline/numeric/elementary"
)

// Op is one fitted operation on a number.
type Op struct {
	Kind string  `json:"op"` // fill, affine, log1p, log2, power, clip, quantile, range, missing
	A    float64 `json:"a"`  // fill: the value; affine: (v−a)/b; power: λ; clip, range: lower limit
	B    float64 `json:"b"`  // clip, range: upper limit; quantile: 1 for normal scores
	// quantile: the reference quantiles, ascending; range: pairs of limits that are left out
	Table []float64 `json:"table,omitempty"`
}

// run applies the operations in order.
func run(ops []Op, v float64) float64 {
	for i := range ops {
		v = ops[i].apply(v)
	}
	return v
}

// all applies the operation to each value, in place.
func (o *Op) all(values []float64) {
	switch o.Kind {
	case "fill":
		for i, v := range values {
			if v != v {
				values[i] = o.A
			}
		}
	case "affine":
		for i, v := range values {
			values[i] = (v - o.A) / o.B
		}
	default:
		for i, v := range values {
			values[i] = o.apply(v)
		}
	}
}

func (o *Op) apply(v float64) float64 {
	switch o.Kind {
	case "fill":
		if math.IsNaN(v) {
			return o.A
		}
	case "affine":
		return (v - o.A) / o.B
	case "log1p":
		return math.Copysign(elementary.Log1p(math.Abs(v)), v)
	case "log2":
		return math.Copysign(elementary.Log1p(math.Abs(v))/math.Ln2, v)
	case "power":
		return yeoJohnson(v, o.A)
	case "range":
		return o.inRange(v)
	case "clip":
		return math.Min(math.Max(v, o.A), o.B)
	case "missing":
		if math.IsNaN(v) {
			return 1
		}
		return 0
	case "quantile":
		if !math.IsNaN(v) {
			return o.quantile(v)
		}
	}
	return v
}

// inRange is 1 for a value from A to B that is in none of the pairs of limits, else 0; 0 for a missing one.
func (o *Op) inRange(v float64) float64 {
	if !(v >= o.A && v <= o.B) {
		return 0
	}
	for i := 0; i+1 < len(o.Table); i += 2 {
		if v >= o.Table[i] && v <= o.Table[i+1] {
			return 0
		}
	}
	return 1
}

// quantile maps v to its share among the reference quantiles, the middle of the range for ties, and on to
// the standard normal where asked for.
func (o *Op) quantile(v float64) float64 {
	n := len(o.Table)
	if n == 1 {
		o0 := 0.5
		switch {
		case noise(v, o.Table[0]):
		case v < o.Table[0]:
			o0 = 0
		default:
			o0 = 1
		}
		return o.out(o0)
	}
	lo, _ := slices.BinarySearch(o.Table, v)
	hi, found := lo, false
	for hi < n && o.Table[hi] == v {
		hi, found = hi+1, true
	}
	var p float64
	switch {
	case found:
		p = float64(lo+hi-1) / 2 / float64(n-1)
	case lo == 0:
		p = 0
	case lo == n:
		p = 1
	default:
		a, b := o.Table[lo-1], o.Table[lo]
		p = (float64(lo-1) + (v-a)/(b-a)) / float64(n-1)
	}
	return o.out(p)
}

func (o *Op) out(p float64) float64 {
	if o.B != 1 {
		return p
	}
	const edge = 1e-7 // as far out as one in ten million
	return math.Sqrt2 * math.Erfinv(2*math.Min(math.Max(p, edge), 1-edge)-1)
}

var kinds = []string{"fill", "affine", "log1p", "log2", "power", "clip", "quantile", "range", "missing"}

// check refuses operations that no fit makes.
func (o *Op) check() error {
	for _, v := range append([]float64{o.A, o.B}, o.Table...) {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("operation %s with %v", o.Kind, v)
		}
	}
	switch {
	case o.Kind == "affine" && o.B == 0:
		return fmt.Errorf("operation affine divides by zero")
	case (o.Kind == "clip" || o.Kind == "range") && o.A > o.B:
		return fmt.Errorf("operation %s from %v to %v", o.Kind, o.A, o.B)
	case o.Kind == "quantile" && (len(o.Table) == 0 || !slices.IsSorted(o.Table)):
		return fmt.Errorf("operation quantile without an ascending table")
	case !slices.Contains(kinds, o.Kind):
		return fmt.Errorf("unknown operation %q", o.Kind)
	}
	return nil
}
