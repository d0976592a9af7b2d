package kernel

// The compiler makes one instruction of a product and a sum here, which rounds once. It does so when the product serves
// nothing else: that is why fma32 is not inlined, where another use of the product could be found. Tests hold both
// functions to exact arithmetic.

// fma32 is a·b + c rounded once.
//
//go:noinline
func fma32(a, b, c float32) float32 { return a*b + c }

// multiplyAdd adds v·row to sum, number by number, each rounded once.
//
//go:noinline
func multiplyAdd(sum []float32, v float32, row []float32) {
	row = row[:len(sum)]
	for j, y := range row {
		sum[j] += v * y
	}
}
