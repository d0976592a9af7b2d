// Package kernel is the arithmetic that training and scoring spend their time in. For networks, products of small
// float32 matrices, tanh, squared errors, the cells of an LSTM, Adam's step. For models that compare rows, tiles of
// float32 or float64: products of rows with what squared distances, kernel functions, their sums, masks of near rows
// and the choice of the nearest centre need of them. On amd64 it is assembly for AVX-512 or AVX2, whichever the
// processor has, made by the generator in gen; elsewhere plain Go.
//
// All three give the same bits: every sum runs in one order, whatever the width of a register, and plain Go rounds
// a multiply-add once, as the vector instructions do. Exponentials and hyperbolic tangents are the same polynomials.
//
// The environment variable PLUMBLINE_ISA (avx512, avx2 or generic) forces a choice, for tests.
package kernel
