package classic

import "math"

// e^x for many x ≤ 0 in one call, about twice as fast as math.Exp: x = (k/64)·ln 2 + r with
// |r| ≤ ln 2/128, 2^(k/64) from a table and a shift of the exponent, e^r by its Taylor polynomial of
// degree 5. The relative error is below 4e-16; arguments below −708 give 0.

const (
	expSteps = 64
	// Adding 1.5·2^52 rounds to a whole number and leaves it in the low bits.
	expRound = 0x1.8p52
	expInv   = expSteps / math.Ln2
	// ln 2/64 in two parts, the first with so few bits that k times it is exact.
	expHigh = 0x1.62e42fefp-7
	expLow  = 0x1.473de6af278edp-40
)

var expTable = func() (t [expSteps]uint64) {
	for i := range t {
		t[i] = math.Float64bits(math.Exp2(float64(i) / expSteps))
	}
	return t
}()

// expInPlace replaces every x of v, x ≤ 0, by e^x.
func expInPlace(v []float64) {
	for i, x := range v {
		if x < -708 {
			v[i] = 0
			continue
		}
		t := float64(x*expInv) + expRound
		k := int64(math.Float64bits(t)) - int64(math.Float64bits(expRound))
		t -= expRound
		r := (x - float64(t*expHigh)) - float64(t*expLow)
		p := float64(r*(1.0/120)) + 1.0/24
		p = float64(p*r) + 1.0/6
		p = float64(p*r) + 0.5
		p = float64(p*float64(r*r)) + r
		s := math.Float64frombits(expTable[k&(expSteps-1)] + uint64(k>>6)<<52)
		v[i] = s + float64(s*p)
	}
}
