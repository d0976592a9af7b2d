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
	w := PanelRows[T]()
	for i := range m {
		to := plain(c, i*ldc, w)
		var sum [32]T
		if bias != nil {
			copy(sum[:w], plain(bias, 0, w))
		}
		for p := range k {
			v := plain(a, i*rs+p*cs, 1)[0]
			for j, y := range plain(b, p*ldb, w) {
				sum[j] += T(v * y)
			}
		}
		for j, v := range sum[:w] {
			if acc != 0 {
				v += to[j]
			}
			to[j] = v
		}
	}
}

// eachSquare gives f the rows of a tile, turned into negative squared distances.
func eachSquare[T Real](rows int, c, nx, ny *T, f func(i int, row []T)) {
	w := PanelRows[T]()
	lengths := plain(ny, 0, w)
	for i, n := range plain(nx, 0, rows) {
		row := plain(c, i*tileBytes, w)
		for j, v := range row {
			row[j] = min(0, 2*v-(n+lengths[j]))
		}
		f(i, row)
	}
}

func plainSquares[T Real](rows int, c, nx, ny *T) {
	eachSquare(rows, c, nx, ny, func(_ int, row []T) {
		for j, v := range row {
			row[j] = -v
		}
	})
}

// leastExponent is what exponents are raised to.
func leastExponent[T Real]() float64 {
	if size[T]() == 4 {
		return -86
	}
	return -707
}

func plainRBF[T Real](rows int, c, nx, ny *T) {
	least := leastExponent[T]()
	eachSquare(rows, c, nx, ny, func(_ int, row []T) {
		for j, v := range row {
			row[j] = T(math.Exp(max(least, float64(v))))
		}
	})
}

func plainRBFSum[T Real](rows int, c, nx, ny *T, w, acc *float64) {
	plainRBF(rows, c, nx, ny)
	n := PanelRows[T]()
	sum := plain(acc, 0, n)
	for i, weight := range plain(w, 0, rows) {
		for j, v := range plain(c, i*tileBytes, n) {
			sum[j] += float64(weight * float64(v))
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
	for i, v := range plain(c, 0, rows*PanelRows[T]()) {
		x := T(scale*v) + offset
		p := x
		for range degree - 1 {
			p *= x
		}
		plain(c, 0, rows*PanelRows[T]())[i] = p
	}
}

func plainArgMin[T Real](rows int, c, half *T, first int32, best, second *T, index *int32) {
	w := PanelRows[T]()
	low, next, at := plain(best, 0, w), plain(second, 0, w), plain(index, 0, w)
	for i, h := range plain(half, 0, rows) {
		for j, v := range plain(c, i*tileBytes, w) {
			x := h - v
			next[j] = min(next[j], max(low[j], x))
			if x < low[j] {
				low[j], at[j] = x, first+int32(i)
			}
		}
	}
}

func plainTop[T Real](rows int, c, nx, ny, top *T) {
	most := plain(top, 0, PanelRows[T]())
	eachSquare(rows, c, nx, ny, func(_ int, row []T) {
		for j, v := range row {
			most[j] = max(most[j], v)
		}
	})
}

func plainExpSum[T Real](rows int, c, top, sum *T) {
	w := PanelRows[T]()
	least := leastExponent[T]()
	most, total := plain(top, 0, w), plain(sum, 0, w)
	for i := range rows {
		for j, v := range plain(c, i*tileBytes, w) {
			total[j] += T(math.Exp(max(least, float64(v-most[j]))))
		}
	}
}
