//go:build !arm64

package kernel

import "math"

// fma32 is a·b + c rounded once. The product of two float32 is exact in float64. Its sum with c is not: rounded to
// float64 and then to float32, it may end on the wrong side of the middle between two float32. There the first
// rounding is made one to odd: of the two float64 beside the exact sum the one whose last bit is 1, which no
// middle has, so that the second rounding sees on which side the sum is (Boldo and Melquiond, Emulation of a FMA and
// correctly rounded sums: proved algorithms using rounding to odd, 2008).
func fma32(a, b, c float32) float32 {
	product, add := float64(float64(a)*float64(b)), float64(c)
	sum := product + add
	bits := math.Float64bits(sum)
	if bits&endMask != middle && math.Abs(sum) >= smallestNormal || sum == 0 {
		return float32(sum)
	}
	return nearMiddle(product, add, sum)
}

// Of a float64, the bits that a normal float32 has not, and what they are in the middle of two float32; below
// smallestNormal middles have others.
const (
	endMask        = 1<<29 - 1
	middle         = 1 << 28
	smallestNormal = 0x1p-126
)

// nearMiddle is the float32 next to product + add, whose float64 is sum.
func nearMiddle(product, add, sum float64) float32 {
	// what the sum lost, exactly (Knuth's two-sum)
	part := sum - product
	lost := (product - (sum - part)) + (add - part)
	bits := math.Float64bits(sum)
	if !(math.Abs(lost) > 0) || math.IsInf(sum, 0) || bits&1 == 1 { // not a number either
		return float32(sum)
	}
	if lost > 0 == (sum > 0) {
		bits++
	} else {
		bits--
	}
	return float32(math.Float64frombits(bits))
}

// multiplyAdd adds v·row to sum, number by number, each rounded once. The loop is fma32 written out, which is too long
// to be inlined.
func multiplyAdd(sum []float32, v float32, row []float32) {
	row = row[:len(sum)]
	for j, y := range row {
		product, add := float64(float64(v)*float64(y)), float64(sum[j])
		s := product + add
		if math.Float64bits(s)&endMask != middle && math.Abs(s) >= smallestNormal || s == 0 {
			sum[j] = float32(s)
		} else {
			sum[j] = nearMiddle(product, add, s)
		}
	}
}
