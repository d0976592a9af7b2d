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

func genericGemm(m, k int, a *float32, rs, cs int, b *float32, ldb int, c *float32, ldc int, bias *float32, acc int) {
	for i := range m {
		var sum [Width]float32
		if bias != nil {
			copy(sum[:], at(bias, 0, Width))
		}
		for p := range k {
			v := at(a, i*rs+p*cs, 1)[0]
			for j, w := range at(b, p*ldb, Width) {
				sum[j] += v * w
			}
		}
		to := at(c, i*ldc, Width)
		for j, v := range sum {
			if acc != 0 {
				v += to[j]
			}
			to[j] = v
		}
	}
}

func genericTanh(n int, x *float32) {
	for i, v := range at(x, 0, n) {
		at(x, 0, n)[i] = float32(math.Tanh(float64(v)))
	}
}

func genericTanhGrad(rows, cols int, d, a *float32, ld int, db *float32) {
	sum := at(db, 0, cols)
	for i := range rows {
		y, g := at(a, i*ld, cols), at(d, i*ld, cols)
		for j, v := range y {
			g[j] *= 1 - v*v
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

func genericMSE(rows, cols int, y, x *float32, ld int, db, sq *float32, scale float32) {
	sum, lanes := at(db, 0, cols), at(sq, 0, Width)
	for i := range rows {
		want, got := at(x, i*ld, cols), at(y, i*ld, cols)
		for j, v := range want {
			d := got[j] - v
			lanes[j%Width] += d * d
			got[j] = d * scale
			sum[j] += got[j]
		}
	}
}

func genericSqDist(n int, y, x *float32) float32 {
	var lanes [Width]float32
	other := at(x, 0, n)
	for i, v := range at(y, 0, n) {
		d := v - other[i]
		lanes[i%Width] += d * d
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
		first[i] = b1*first[i] + c1*sum
		second[i] = b2*second[i] + c2*(sum*sum)
		w[i] -= lr * first[i] / (float32(math.Sqrt(float64(second[i])))*rbc2 + eps)
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
			to[j] += v * b[j]
		}
	}
}

func genericSpread(rows, cols int, x *float32, ld int, mean, sum *float32) {
	to, m := at(sum, 0, cols), at(mean, 0, cols)
	for i := range rows {
		for j, v := range at(x, i*ld, cols) {
			v -= m[j]
			to[j] += v * v
		}
	}
}

func genericNorm(rows, cols int, x, y *float32, ld int, mean, inv, scale, shift *float32) {
	m, f, s, b := at(mean, 0, cols), at(inv, 0, cols), at(scale, 0, cols), at(shift, 0, cols)
	for i := range rows {
		from, to := at(x, i*ld, cols), at(y, i*ld, cols)
		for j, v := range from {
			from[j] = (v - m[j]) * f[j]
			to[j] = from[j]*s[j] + b[j]
		}
	}
}

func genericNormGrad(rows, cols int, d, h *float32, ld int, mean, dot, factor, sum *float32) {
	m, t, f, to := at(mean, 0, cols), at(dot, 0, cols), at(factor, 0, cols), at(sum, 0, cols)
	for i := range rows {
		from, hat := at(d, i*ld, cols), at(h, i*ld, cols)
		for j, v := range from {
			from[j] = (v - m[j] - hat[j]*t[j]) * f[j]
			to[j] += from[j]
		}
	}
}

func genericLSTM(rows, hid int, g *float32, ldg int, cp, c, tc *float32, ldc int, h *float32, ldh int) {
	tanh := func(v float32) float32 { return float32(math.Tanh(float64(v))) }
	sigmoid := func(v float32) float32 { return 0.5 + 0.5*tanh(0.5*v) }
	for r := range rows {
		gate := at(g, r*ldg, 4*hid)
		was, cell, squashed, out := at(cp, r*ldc, hid), at(c, r*ldc, hid), at(tc, r*ldc, hid), at(h, r*ldh, hid)
		for j := range hid {
			i, f, n, o := sigmoid(gate[j]), sigmoid(gate[hid+j]), tanh(gate[2*hid+j]), sigmoid(gate[3*hid+j])
			gate[j], gate[hid+j], gate[2*hid+j], gate[3*hid+j] = i, f, n, o
			cell[j] = i*n + f*was[j]
			squashed[j] = tanh(cell[j])
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
			d := dOut[j] * o
			dc := dCell[j] + d*(1-squashed[j]*squashed[j])
			gate[3*hid+j] = d * squashed[j] * (1 - o)
			gate[j] = dc * i * n * (1 - i)
			gate[2*hid+j] = dc * i * (1 - n*n)
			dCell[j] = dc * f
			gate[hid+j] = dCell[j] * was[j] * (1 - f)
		}
	}
}

func genericPeak(n int, x float32) float32 {
	var a, b, c, d float32
	for range n {
		a += x * x
		b += x * x
		c += x * x
		d += x * x
	}
	if a != b || c != d { // never; keeps the sums alive
		return a + b + c + d
	}
	return a
}
