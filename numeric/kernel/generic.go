package kernel

import (
	"math"
	"unsafe"
)

// generic is the primitives in plain Go.
var generic = &set{
	"generic",
	false,
	genericGemm,
	genericGemm,
	genericTanh,
	genericTanhGrad,
	genericColSum,
	genericMSE,
	genericSqDist,
	genericAdam,
	genericProduct,
	genericSpread,
	genericNorm,
	genericNormGrad,
	genericFlip,
	genericLSTM,
	genericLSTMGrad,
	genericPeak,
	4,
	genericOps[float32](),
	genericOps[float64](),
}

// at is n numbers from an address on.
func at(p *float32, offset, n int) []float32 {
	return unsafe.Slice((*float32)(unsafe.Add(unsafe.Pointer(p), offset)), n)
}

// genericGemm adds up one number after the other in the order of k, as the registers of the vector instructions do.
func genericGemm(m, k int, a *float32, rs, cs int, b *float32, ldb int, c *float32, ldc int, bias *float32, acc int) {
	plainGemm32(Width, m, k, a, rs, cs, b, ldb, c, ldc, bias, acc)
}

func genericTanh(n int, x *float32) {
	values := at(x, 0, n)
	for i, v := range values {
		values[i] = tanh32(v)
	}
}

func genericTanhGrad(rows, cols int, d, a *float32, ld int, db *float32) {
	sum := at(db, 0, cols)
	for i := range rows {
		y, g := at(a, i*ld, cols), at(d, i*ld, cols)
		for j, v := range y {
			g[j] = float32(fma32(-v, v, 1) * g[j])
			sum[j] += g[j]
		}
	}
}

func genericColSum(rows, cols int, d *float32, ld int, db *float32) {
	sum := at(db, 0, cols)
	for i := range rows {
		for j, v := range at(d, i*ld, cols) {
			sum[j] += v
		}
	}
}

// genericMSE goes down Width columns after the other: that is the order of the sums in sq.
func genericMSE(rows, cols int, y, x *float32, ld int, db, sq *float32, scale float32) {
	sum, lanes := at(db, 0, cols), at(sq, 0, Width)
	for j := 0; j < cols; j += Width {
		for i := range rows {
			want, got := at(x, i*ld+j*bytes, Width), at(y, i*ld+j*bytes, Width)
			for l, v := range want {
				d := got[l] - v
				lanes[l] = fma32(d, d, lanes[l])
				got[l] = float32(d * scale)
				sum[j+l] += got[l]
			}
		}
	}
}

func genericSqDist(n int, y, x *float32) float32 {
	var lanes [Width]float32
	other := at(x, 0, n)
	for i, v := range at(y, 0, n) {
		d := v - other[i]
		lanes[i%Width] = fma32(d, d, lanes[i%Width])
	}
	for half := Width / 2; half > 0; half /= 2 {
		for i := range half {
			lanes[i] += lanes[i+half]
		}
	}
	return lanes[0]
}

func genericAdam(n int, p, m, v, g *float32, shards, stride int, b1, c1, b2, c2, lr, eps, rbc2 float32) {
	w, first, second := at(p, 0, n), at(m, 0, n), at(v, 0, n)
	for i := range w {
		sum := at(g, 0, n)[i]
		for s := 1; s < shards; s++ {
			sum += at(g, s*stride, n)[i]
		}
		first[i] = fma32(c1, sum, float32(b1*first[i]))
		second[i] = fma32(c2, float32(sum*sum), float32(b2*second[i]))
		root := float32(math.Sqrt(float64(second[i])))
		w[i] -= float32(lr*first[i]) / fma32(rbc2, root, eps)
	}
}

func genericFlip(rows, cols int, dst *float32, ldd int, src *float32, lds int) {
	for r := range rows {
		for c, v := range at(src, r*lds, cols) {
			at(dst, c*ldd+r*bytes, 1)[0] = v
		}
	}
}

func genericProduct(rows, cols int, d, h *float32, ld int, sum *float32) {
	to := at(sum, 0, cols)
	for i := range rows {
		a, b := at(d, i*ld, cols), at(h, i*ld, cols)
		for j, v := range a {
			to[j] = fma32(v, b[j], to[j])
		}
	}
}

func genericSpread(rows, cols int, x *float32, ld int, mean, sum *float32) {
	to, m := at(sum, 0, cols), at(mean, 0, cols)
	for i := range rows {
		for j, v := range at(x, i*ld, cols) {
			v -= m[j]
			to[j] = fma32(v, v, to[j])
		}
	}
}

func genericNorm(rows, cols int, x, y *float32, ld int, mean, inv, scale, shift *float32) {
	m, f, s, b := at(mean, 0, cols), at(inv, 0, cols), at(scale, 0, cols), at(shift, 0, cols)
	for i := range rows {
		from, to := at(x, i*ld, cols), at(y, i*ld, cols)
		for j, v := range from {
			from[j] = (v - m[j]) * f[j]
			to[j] = fma32(from[j], s[j], b[j])
		}
	}
}

func genericNormGrad(rows, cols int, d, h *float32, ld int, mean, dot, factor, sum *float32) {
	m, t, f, to := at(mean, 0, cols), at(dot, 0, cols), at(factor, 0, cols), at(sum, 0, cols)
	for i := range rows {
		from, hat := at(d, i*ld, cols), at(h, i*ld, cols)
		for j, v := range from {
			from[j] = float32(fma32(-hat[j], t[j], v-m[j]) * f[j])
			to[j] += from[j]
		}
	}
}

func genericLSTM(rows, hid int, g *float32, ldg int, cp, c, tc *float32, ldc int, h *float32, ldh int) {
	for r := range rows {
		gate := at(g, r*ldg, 4*hid)
		was, cell, squashed, out := at(cp, r*ldc, hid), at(c, r*ldc, hid), at(tc, r*ldc, hid), at(h, r*ldh, hid)
		for j := range hid {
			i, f, n, o := sigmoid32(gate[j]), sigmoid32(gate[hid+j]), tanh32(gate[2*hid+j]), sigmoid32(gate[3*hid+j])
			gate[j], gate[hid+j], gate[2*hid+j], gate[3*hid+j] = i, f, n, o
			cell[j] = fma32(f, was[j], float32(i*n))
			squashed[j] = tanh32(cell[j])
			out[j] = o * squashed[j]
		}
	}
}

func genericLSTMGrad(rows, hid int, g *float32, ldg int, cp, tc, dc *float32, ldc int, dh *float32, ldh int) {
	for r := range rows {
		gate := at(g, r*ldg, 4*hid)
		was, squashed, dCell, dOut := at(cp, r*ldc, hid), at(tc, r*ldc, hid), at(dc, r*ldc, hid), at(dh, r*ldh, hid)
		for j := range hid {
			i, f, n, o := gate[j], gate[hid+j], gate[2*hid+j], gate[3*hid+j]
			d := float32(dOut[j] * o)
			dc := fma32(d, fma32(-squashed[j], squashed[j], 1), dCell[j])
			gate[3*hid+j] = float32(d*squashed[j]) * (1 - o)
			at := float32(dc * i)
			gate[j] = float32(at*n) * (1 - i)
			gate[2*hid+j] = at * fma32(-n, n, 1)
			dCell[j] = dc * f
			gate[hid+j] = float32(dCell[j]*was[j]) * (1 - f)
		}
	}
}

func genericPeak(n int, x float32) float32 {
	var a, b, c, d float32
	for range n {
		a, b, c, d = a+float32(x*x), b+float32(x*x), c+float32(x*x), d+float32(x*x)
	}
	if a != b || c != d { // never; keeps the sums alive
		return a + b + c + d
	}
	return a
}
