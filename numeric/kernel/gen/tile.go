package main

import (
	"fmt"
	"strings"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The instruction sets on float64.
var avx512Double = isa{"AVX512Double", 8, avx512.mrs, true, true}
var avx2Double = isa{"AVX2Double", 4, avx2.mrs, false, true}

// size is the bytes of a number.
func (s isa) size() int {
	if s.double {
		return 8
	}
	return 4
}

// signature is a function of the given parameters, T being the type of the numbers.
func (s isa) signature(params string) string {
	t := "float32"
	if s.double {
		t = "float64"
	}
	return "func(" + strings.NewReplacer("*T", "*"+t, " T", " "+t).Replace(params) + ")"
}

// either is the instruction for the type of the numbers.
func (s isa) either(single, double func(ops ...operand.Op), ops ...operand.Op) {
	if s.double {
		double(ops...)
	} else {
		single(ops...)
	}
}

func (s isa) fma(a, b, c operand.Op) { s.either(VFMADD231PS, VFMADD231PD, a, b, c) } // c += a·b
func (s isa) fnma(a, b, c operand.Op) {
	s.either(VFNMADD231PS, VFNMADD231PD, a, b, c) // c -= a·b
}
func (s isa) horner(a, x, p operand.Op) { s.either(VFMADD213PS, VFMADD213PD, a, x, p) } // p = p·x + a
func (s isa) add(a, b, c operand.Op)    { s.either(VADDPS, VADDPD, a, b, c) }           // c = a + b
func (s isa) sub(a, b, c operand.Op)    { s.either(VSUBPS, VSUBPD, a, b, c) }           // c = b − a
func (s isa) mul(a, b, c operand.Op)    { s.either(VMULPS, VMULPD, a, b, c) }
func (s isa) min(a, b, c operand.Op)    { s.either(VMINPS, VMINPD, a, b, c) }
func (s isa) max(a, b, c operand.Op)    { s.either(VMAXPS, VMAXPD, a, b, c) }

// broadcast fills a register with one number from memory.
func (s isa) broadcast(from operand.Op, to reg.VecVirtual) {
	if s.double {
		VBROADCASTSD(from, to)
	} else {
		VBROADCASTSS(from, to)
	}
}

// param fills a register with a parameter that is a number.
func (s isa) param(name string) reg.VecVirtual {
	v := s.vec()
	b, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	s.broadcast(b.Addr, v)
	return v
}

// constant is a register's width of one number in memory.
func (s isa) constant(name string, v float64) Mem {
	g := GLOBL(name+s.name, RODATA|NOPTR)
	for i := range s.w {
		if s.double {
			DATA(8*i, F64(v))
		} else {
			DATA(4*i, F32(float32(v)))
		}
	}
	return g
}

// exponential is what exp needs in memory.
type exponential struct {
	least, log2e, round, high, low Mem
	terms                          []Mem // of the polynomial, from the highest power down to that of x⁰
}

func (s isa) exponential() exponential {
	k := exponential{log2e: s.constant("log2e", 1.44269504088896340736)}
	var terms []float64
	if s.double {
		// ln 2 in two numbers, the first with enough zeros at its end that n times it is exact
		k.least, k.round = s.constant("expLeast", -707), s.constant("expRound", 3<<51)
		k.high, k.low = s.constant("ln2High", 6.93147180369123816490e-01), s.constant("ln2Low", 1.90821492927058770002e-10)
		factorial := 1.0
		for i := range 14 { // |x| ≤ ln 2 / 2: the next term is below 5e-18
			if i > 0 {
				factorial *= float64(i)
			}
			terms = append([]float64{1 / factorial}, terms...)
		}
	} else {
		k.least, k.round = s.constant("expLeast", -86), s.constant("expRound", 3<<22)
		k.high, k.low = s.constant("ln2High", 0.693359375), s.constant("ln2Low", -2.12194440e-4)
		// minimax on [−ln 2/2, ln 2/2] (Cephes, expf)
		terms = []float64{1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1, 1, 1}
	}
	for i, v := range terms {
		k.terms = append(k.terms, s.constant(fmt.Sprintf("expTerm%d", len(terms)-1-i), v))
	}
	return k
}

// exp replaces x, at most 0, by its exponential; below a limit by that of the limit, which is a normal number.
func (s isa) exp(k exponential, x reg.VecVirtual) {
	t, n, p := s.vec(), s.vec(), s.vec()
	s.max(k.least, x, x)
	VMOVUPS(k.round, t)
	VMOVUPS(k.log2e, n)
	s.fma(x, n, t) // the integer n stands in the lowest bits of t
	s.sub(k.round, t, n)
	s.fnma(k.high, n, x)
	s.fnma(k.low, n, x)
	VMOVUPS(k.terms[0], p)
	for _, c := range k.terms[1:] {
		s.horner(c, x, p)
	}
	if s.double {
		VPSLLQ(U8(52), t, t)
		VPADDQ(t, p, x)
	} else {
		VPSLLD(U8(23), t, t)
		VPADDD(t, p, x)
	}
}

// rowBytes is the length of a tile's row.
const rowBytes = 128

// tile emits a kernel on the rows of a tile c, rowBytes each, at least one. It goes down one register's width of
// columns after the other.
func (s isa) tile(name, params, doc string, begin func(v int), row func(v int, c Mem), end func(v int)) {
	TEXT(name+s.name, NOSPLIT, s.signature("rows int, c *T, "+params))
	Doc(name + s.name + " " + doc)
	c := Load(Param("c"), GP64())
	for v := range rowBytes / s.bytes() {
		at := GP64()
		LEAQ(Mem{Base: c, Disp: v * s.bytes()}, at)
		rows := Load(Param("rows"), GP64())
		begin(v)
		Label(fmt.Sprintf("row%d", v))
		row(v, Mem{Base: at})
		ADDQ(U32(rowBytes), at)
		DECQ(rows)
		JNZ(LabelRef(fmt.Sprintf("row%d", v)))
		end(v)
	}
	VZEROUPPER()
	RET()
}

// distances are the squared lengths that a kernel of distances reads beside the products.
type distances struct {
	row  reg.Register // address of the next row's
	cols reg.VecVirtual
}

func (s isa) distances(v int) distances {
	d := distances{row: Load(Param("nx"), GP64()), cols: s.vec()}
	ny := Load(Param("ny"), GP64())
	VMOVUPS(Mem{Base: ny, Disp: v * s.bytes()}, d.cols)
	return d
}

// negative is −‖x−y‖² = min(0, 2x·y − (‖x‖²+‖y‖²)) for the products at c.
func (s isa) negative(d distances, c Mem, zero reg.VecVirtual) reg.VecVirtual {
	n, p := s.vec(), s.vec()
	s.broadcast(Mem{Base: d.row}, n)
	ADDQ(U32(s.size()), d.row)
	s.add(d.cols, n, n)
	VMOVUPS(c, p)
	s.add(p, p, p)
	s.sub(n, p, p)
	s.min(zero, p, p)
	return p
}

func (s isa) zeros() reg.VecVirtual {
	z := s.vec()
	s.zero(z)
	return z
}

// wide adds to the two registers acc of float64 the numbers of e times the float64 w.
func (s isa) wide(e, w reg.VecVirtual, acc []reg.VecVirtual) {
	if s.double {
		VFMADD231PD(e, w, acc[0])
		return
	}
	low, high := s.vec(), s.vec()
	if s.z {
		VCVTPS2PD(e.AsY(), low)
		h := YMM()
		VEXTRACTF64X4(U8(1), e, h)
		VCVTPS2PD(h, high)
	} else {
		VCVTPS2PD(e.AsX(), low)
		h := XMM()
		VEXTRACTF128(U8(1), e, h)
		VCVTPS2PD(h, high)
	}
	VFMADD231PD(low, w, acc[0])
	VFMADD231PD(high, w, acc[1])
}

// tiles emits the epilogues of products.
func (s isa) tiles(k exponential) {
	var d distances
	var zero reg.VecVirtual
	none := func(int) {}
	start := func(v int) { d, zero = s.distances(v), s.zeros() }

	s.tile("squares", "nx, ny *T", "makes products x·y squared distances, given the squared lengths of the rows and the columns.", start,
		func(_ int, c Mem) {
			p := s.negative(d, c, zero)
			s.sub(p, zero, p)
			VMOVUPS(p, c)
		}, none)

	s.tile("rbf", "nx, ny *T", "makes products x·y exponentials of negative squared distances.", start,
		func(_ int, c Mem) {
			p := s.negative(d, c, zero)
			s.exp(k, p)
			VMOVUPS(p, c)
		}, none)

	var w reg.Register
	var acc []reg.VecVirtual
	sums := func(v int, load bool) {
		at := Load(Param("acc"), GP64())
		n := s.bytes() / s.size() * 8 / s.bytes() // registers of float64 for one of numbers
		if load {
			acc = nil
			for range n {
				acc = append(acc, s.vec())
			}
		}
		for i, r := range acc {
			m := Mem{Base: at, Disp: (v*n + i) * s.bytes()}
			if load {
				VMOVUPS(m, r)
			} else {
				VMOVUPS(r, m)
			}
		}
	}
	s.tile("rbfSum", "nx, ny *T, w, acc *float64", "adds the exponentials of negative squared distances, times the weights of the rows, to the columns' sums.",
		func(v int) {
			start(v)
			w = Load(Param("w"), GP64())
			sums(v, true)
		},
		func(_ int, c Mem) {
			p := s.negative(d, c, zero)
			s.exp(k, p)
			weight := s.vec()
			VBROADCASTSD(Mem{Base: w}, weight)
			ADDQ(U32(8), w)
			s.wide(p, weight, acc)
		}, func(v int) { sums(v, false) })

	var limits, masks reg.Register
	s.tile("below", "nx, ny, limits *T, masks *uint32", "makes products x·y squared distances, and sets the bits of a row's mask where they are at most the row's limit.",
		func(v int) {
			start(v)
			limits, masks = Load(Param("limits"), GP64()), Load(Param("masks"), GP64())
		},
		func(v int, c Mem) {
			p := s.negative(d, c, zero)
			s.sub(p, zero, p)
			VMOVUPS(p, c)
			limit := s.vec()
			s.broadcast(Mem{Base: limits}, limit)
			bits := s.compare(2, p, limit)
			if v == 0 {
				MOVL(bits, Mem{Base: masks})
			} else {
				SHLL(U8(v*s.w), bits)
				ORL(bits, Mem{Base: masks})
			}
			ADDQ(U32(s.size()), limits)
			ADDQ(U32(4), masks)
		}, none)

	var scale, offset reg.VecVirtual
	s.tile("power", "scale, offset T, degree int", "makes products x·y powers (scale·x·y + offset)^degree, degree at least 1.",
		func(int) { scale, offset = s.param("scale"), s.param("offset") },
		func(v int, c Mem) {
			x, p := s.vec(), s.vec()
			VMOVUPS(c, x)
			s.horner(offset, scale, x)
			VMOVAPS(x, p)
			degree := Load(Param("degree"), GP64())
			Label(fmt.Sprintf("power%d", v))
			DECQ(degree)
			JZ(LabelRef(fmt.Sprintf("made%d", v)))
			s.mul(x, p, p)
			JMP(LabelRef(fmt.Sprintf("power%d", v)))
			Label(fmt.Sprintf("made%d", v))
			VMOVUPS(p, c)
		}, none)
}

// compare has a bit for each number of a that is related to that of b as the predicate says: 1 less, 2 at most.
func (s isa) compare(predicate uint8, a, b reg.VecVirtual) reg.GPVirtual {
	bits := GP32()
	switch {
	case s.z:
		m := K()
		if s.double {
			VCMPPD(U8(predicate), b, a, m)
		} else {
			VCMPPS(U8(predicate), b, a, m)
		}
		KMOVW(m, bits)
	case s.double:
		m := s.vec()
		VCMPPD(U8(predicate), b, a, m)
		VMOVMSKPD(m, bits)
	default:
		m := s.vec()
		VCMPPS(U8(predicate), b, a, m)
		VMOVMSKPS(m, bits)
	}
	return bits
}

// argMin emits the choice of the nearest of several centres.
func (s isa) argMin() {
	var best, second, index, now reg.VecVirtual
	var half reg.Register
	one := GLOBL("intOne"+s.name, RODATA|NOPTR)
	for i := range s.w {
		DATA(4*i, U32(1))
	}
	vectors := func(v int, store bool) {
		for _, p := range []struct {
			param string
			r     reg.VecVirtual
		}{{"best", best}, {"second", second}, {"index", index}} {
			m := Mem{Base: Load(Param(p.param), GP64()), Disp: v * s.bytes()}
			if store {
				VMOVUPS(p.r, m)
			} else {
				VMOVUPS(m, p.r)
			}
		}
	}
	s.tile("argMin", "half *T, first int32, best, second *T, index *int32", "takes the least and the second of half − c down the columns, and which row, counted from first, the least is in.",
		func(v int) {
			best, second, index = s.vec(), s.vec(), s.vec()
			vectors(v, false)
			now = s.bcastParam("first")
			half = Load(Param("half"), GP64())
		},
		func(_ int, c Mem) {
			x, worse := s.vec(), s.vec()
			VBROADCASTSS(Mem{Base: half}, x)
			ADDQ(U32(4), half)
			VSUBPS(c, x, x)
			VMAXPS(best, x, worse)
			VMINPS(worse, second, second)
			if s.z {
				less := K()
				VCMPPS(U8(1), best, x, less)
				VMOVDQA32(now, less, index)
			} else {
				less := s.vec()
				VCMPPS(U8(1), best, x, less)
				VBLENDVPS(less, now, index, index)
			}
			VMINPS(x, best, best)
			VPADDD(one, now, now)
		},
		func(v int) { vectors(v, true) })
}

// logSums emits the two halves of sums of exponentials that neither overflow nor vanish.
func (s isa) logSums(k exponential) {
	var d distances
	var zero, top, sum reg.VecVirtual
	at := func(name string, v int) Mem { return Mem{Base: Load(Param(name), GP64()), Disp: v * s.bytes()} }
	s.tile("top", "nx, ny, top *T", "makes products x·y negative squared distances, and takes the largest down each column.",
		func(v int) {
			d, zero, top = s.distances(v), s.zeros(), s.vec()
			VMOVUPS(at("top", v), top)
		},
		func(_ int, c Mem) {
			p := s.negative(d, c, zero)
			VMOVUPS(p, c)
			s.max(p, top, top)
		},
		func(v int) { VMOVUPS(top, at("top", v)) })
	s.tile("expSum", "top, sum *T", "adds exp(c − top) to the columns' sums.",
		func(v int) {
			top, sum = s.vec(), s.vec()
			VMOVUPS(at("top", v), top)
			VMOVUPS(at("sum", v), sum)
		},
		func(_ int, c Mem) {
			x := s.vec()
			VMOVUPS(c, x)
			s.sub(top, x, x)
			s.exp(k, x)
			s.add(x, sum, sum)
		},
		func(v int) { VMOVUPS(sum, at("sum", v)) })
}
