package kernel

import (
	"math"
	"unsafe"
)

// The primitives of tiles in plain Go.

func genericOps[T Real]() ops[T] {
	return ops[T]{
		cols: PanelRows[T](), gemm: plainGemm[T], squares: plainSquares[T], rbf: plainRBF[T], rbfSum: plainRBFSum[T],
		below: plainBelow[T], power: plainPower[T], argMin: plainArgMin[T], top: plainTop[T], expSum: plainExpSum[T],
	}
}

// plain is n numbers from an address on, offset bytes away.
func plain[T any](p *T, offset, n int) []T {
	return unsafe.Slice((*T)(unsafe.Add(unsafe.Pointer(p), offset)), n)
}

func plainGemm[T Real](m, k int, a *T, rs, cs int, b *T, ldb int, c *T, ldc int, bias *T, acc int) {
	switch a := any(a).(type) {
	case *float32:
		plainGemm32(PanelRows[T](), m, k, a, rs, cs, any(b).(*float32), ldb, any(c).(*float32), ldc,
			any(bias).(*float32), acc)
	case *float64:
		plainGemm64(m, k, a, rs, cs, any(b).(*float64), ldb, any(c).(*float64), ldc, any(bias).(*float64), acc)
	}
}

// plainGemm32 makes w columns, 16 or 32.
func plainGemm32(w, m, k int, a *float32, rs, cs int, b *float32, ldb int, c *float32, ldc int, bias *float32,
	acc int) {
	var room [32]float32
	sum := room[:w]
	for i := range m {
		clear(sum)
		if bias != nil {
			copy(sum, plain(bias, 0, w))
		}
		for p := range k {
			multiplyAdd(sum, plain(a, i*rs+p*cs, 1)[0], plain(b, p*ldb, w))
		}
		finish(plain(c, i*ldc, w), sum, acc)
	}
}

func plainGemm64(m, k int, a *float64, rs, cs int, b *float64, ldb int, c *float64, ldc int, bias *float64, acc int) {
	var sum [16]float64
	for i := range m {
		clear(sum[:])
		if bias != nil {
			copy(sum[:], plain(bias, 0, len(sum)))
		}
		for p := range k {
			v := plain(a, i*rs+p*cs, 1)[0]
			for j, y := range plain(b, p*ldb, len(sum)) {
				sum[j] = math.FMA(v, y, sum[j])
			}
		}
		finish(plain(c, i*ldc, len(sum)), sum[:], acc)
	}
}

// finish writes sums to a row, or with acc adds them.
func finish[T Real](to, sum []T, acc int) {
	for j, v := range sum {
		if acc != 0 {
			v += to[j]
		}
		to[j] = v
	}
}

// eachSquare gives f the rows of a tile, turned into negative squared distances.
func eachSquare[T Real](rows int, c, nx, ny *T, f func(i int, row []T)) {
	w := PanelRows[T]()
	lengths := plain(ny, 0, w)
	for i, n := range plain(nx, 0, rows) {
		row := plain(c, i*tileBytes, w)
		for j, v := range row {
			row[j] = lesser((v+v)-(n+lengths[j]), 0)
		}
		f(i, row)
	}
}

func plainSquares[T Real](rows int, c, nx, ny *T) {
	eachSquare(rows, c, nx, ny, func(_ int, row []T) {
		for j, v := range row {
			row[j] = 0 - v
		}
	})
}

func plainRBF[T Real](rows int, c, nx, ny *T) {
	eachSquare(rows, c, nx, ny, func(_ int, row []T) {
		for j, v := range row {
			row[j] = expNegative(v)
		}
	})
}

func plainRBFSum[T Real](rows int, c, nx, ny *T, w, acc *float64) {
	plainRBF(rows, c, nx, ny)
	n := PanelRows[T]()
	sum := plain(acc, 0, n)
	for i, weight := range plain(w, 0, rows) {
		for j, v := range plain(c, i*tileBytes, n) {
			sum[j] = math.FMA(float64(v), weight, sum[j])
		}
	}
}

func plainBelow[T Real](rows int, c, nx, ny, limits *T, masks *uint32) {
	plainSquares(rows, c, nx, ny)
	for i, limit := range plain(limits, 0, rows) {
		bits := uint32(0)
		for j, v := range plain(c, i*tileBytes, PanelRows[T]()) {
			if v <= limit {
				bits |= 1 << j
			}
		}
		plain(masks, 4*i, 1)[0] = bits
	}
}

func plainPower[T Real](rows int, c *T, scale, offset T, degree int) {
	all := plain(c, 0, rows*PanelRows[T]())
	for i, v := range all {
		x := fma(v, scale, offset)
		p := x
		for range degree - 1 {
			p *= x
		}
		all[i] = p
	}
}

func plainArgMin[T Real](rows int, c, half *T, first int32, best, second *T, index *int32) {
	w := PanelRows[T]()
	low, next, at := plain(best, 0, w), plain(second, 0, w), plain(index, 0, w)
	for i, h := range plain(half, 0, rows) {
		for j, v := range plain(c, i*tileBytes, w) {
			x := h - v
			next[j] = lesser(next[j], greater(x, low[j]))
			if x < low[j] {
				at[j] = first + int32(i)
			}
			low[j] = lesser(low[j], x)
		}
	}
}

func plainTop[T Real](rows int, c, nx, ny, top *T) {
	most := plain(top, 0, PanelRows[T]())
	eachSquare(rows, c, nx, ny, func(_ int, row []T) {
		for j, v := range row {
			most[j] = greater(most[j], v)
		}
	})
}

func plainExpSum[T Real](rows int, c, top, sum *T) {
	w := PanelRows[T]()
	most, total := plain(top, 0, w), plain(sum, 0, w)
	for i := range rows {
		for j, v := range plain(c, i*tileBytes, w) {
			total[j] += expNegative(v - most[j])
		}
	}
}
