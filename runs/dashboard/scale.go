package dashboard

import "math"

// none is the code of a missing number.
const none = math.MaxUint16

// Scale codes numbers in 16 bits on a logarithmic scale: sign(v)·log(1+|v|), evenly from Low to High. The relative
// error is below 0.05 % for values up to 10¹².
type Scale struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

func signedLog(v float64) float64 { return math.Copysign(math.Log1p(math.Abs(v)), v) }

// newScale is the scale of some numbers; those that are not finite do not count.
func newScale(values []float64) Scale {
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			low, high = math.Min(low, v), math.Max(high, v)
		}
	}
	if low > high {
		return Scale{0, 1}
	}
	s := Scale{signedLog(low), signedLog(high)}
	if !(s.Low < s.High) {
		s.High = s.Low + 1
	}
	return s
}

// code is a number's code, at the ends for those beyond, none for one that is missing.
func (s Scale) code(v float64) uint16 {
	if math.IsNaN(v) {
		return none
	}
	at := math.Round((signedLog(v) - s.Low) / (s.High - s.Low) * (none - 1))
	return uint16(math.Min(none-1, math.Max(0, at)))
}

// value is the number of a code; counts come out whole.
func (s Scale) value(code uint16) float64 {
	if code == none {
		return math.NaN()
	}
	t := s.Low + float64(code)/(none-1)*(s.High-s.Low)
	return math.Copysign(math.Expm1(math.Abs(t)), t)
}

// values is the number of each code, 0 of the missing.
func (s Scale) values() []float64 {
	out := make([]float64, none+1)
	for c := range none {
		out[c] = s.value(uint16(c))
	}
	return out
}

func (s Scale) codes(values []float64) []uint16 {
	out := make([]uint16, len(values))
	for i, v := range values {
		out[i] = s.code(v)
	}
	return out
}
