// Package elementary is exponentials, logarithms and what is made of them, of which every platform gives the same
// bits. Those of the standard library are assembly on some processors, and elsewhere the compiler may fuse their
// products and sums. Here every product is rounded, by a conversion, before it is added, and nothing else is used but
// what IEEE 754 defines to the last bit: + − × ÷, the square root, and the fused multiply-add of package math.
//
// Exp and Log are off by less than one unit in the last place, the others by a few. Integral powers are math.Pow's,
// which multiplies alone.
package elementary
