// Package kernel is the arithmetic that training and scoring spend their time in. For networks, products of small
// float32 matrices, tanh, squared errors, the cells of an LSTM, Adam's step. For models that compare rows, tiles of
// float32 or float64: products of rows with what squared distances, kernel functions, their sums, masks of near rows
// and the choice of the nearest centre need of them. On amd64 it is assembly for AVX-512 or AVX2, whichever the
// processor has, made by the generator in gen; elsewhere plain Go.
//
// Both instruction sets give the same bits, but for the sum that SquaredError returns: every other sum runs in
// one order, whatever the width of a register.
// Plain Go agrees with them to rounding.
//
// The environment variable PLUMBLINE_ISA (avx512, avx2 or generic) forces a choice, for tests.
package kernel
