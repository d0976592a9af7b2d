// Command gen writes the assembly of package kernel. It is a module of its own, so that the generator's
// dependencies are none of plumbline's:
//
//	cd numeric/kernel/gen && go run . -pkg kernel -out ../kernel_amd64.s -stubs ../kernel_amd64.go
//
// A kernel exists once for AVX-512 and once for AVX2. Both do the same operations on each number in the same
// order, so that their results are equal bit for bit.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// isa is an instruction set.
type isa struct {
	name   string
	w      int   // numbers in a register
	mrs    []int // rows of C that a tile may have, largest first
	z      bool  // 512-bit registers
	double bool  // float64
}

var avx512 = isa{"AVX512", 16, []int{12, 8, 4, 2, 1}, true, false}
var avx2 = isa{"AVX2", 8, []int{6, 4, 2, 1}, false, false}

func (s isa) vec() reg.VecVirtual {
	if s.z {
		return ZMM()
	}
	return YMM()
}

func (s isa) bytes() int { return s.w * s.size() }

func (s isa) zero(r reg.VecVirtual) {
	if s.z {
		VPXORD(r, r, r)
	} else {
		VXORPS(r, r, r)
	}
}

// gemm emits  func gemm{nv}ISA(m, k int, a *float32, rs, cs int, b *float32, ldb int, c *float32, ldc int, bias *float32, acc int), or of float64
// strides in bytes. C[i][0:nv*w] = bias or 0, plus sum over p of A[i*rs+p*cs] * B[p*ldb:]; acc != 0 adds C's old value.
func (s isa) gemm(nv int) {
	name := fmt.Sprintf("gemm%d%s", nv, s.name)
	TEXT(name, NOSPLIT, s.signature("m, k int, a *T, rs, cs int, b *T, ldb int, c *T, ldc int, bias *T, acc int"))
	Doc(name + " is a panel of C = A·B + bias, or with acc C += A·B: m rows of A (strides rs and cs), k rows of B; strides in bytes.")
	m := Load(Param("m"), GP64())
	a := Load(Param("a"), GP64())
	rs := Load(Param("rs"), GP64())
	cs := Load(Param("cs"), GP64())
	ldb := Load(Param("ldb"), GP64())
	c := Load(Param("c"), GP64())
	rs3 := GP64()
	LEAQ(Mem{Base: rs, Index: rs, Scale: 2}, rs3)
	pool := make([]reg.VecVirtual, s.mrs[0]*nv)
	for i := range pool {
		pool[i] = s.vec()
	}
	for _, mr := range s.mrs {
		loop, next := fmt.Sprintf("m%d", mr), fmt.Sprintf("x%d", mr)
		Label(loop)
		CMPQ(m, U32(mr))
		JLT(LabelRef(next))
		// accumulators
		acc := make([][]reg.VecVirtual, mr)
		bias := GP64()
		Load(Param("bias"), bias)
		for i := range acc {
			acc[i] = make([]reg.VecVirtual, nv)
			for j := range acc[i] {
				acc[i][j] = pool[i*nv+j]
			}
		}
		TESTQ(bias, bias)
		JZ(LabelRef(loop + "z"))
		for j := 0; j < nv; j++ {
			VMOVUPS(Mem{Base: bias, Disp: j * s.bytes()}, acc[0][j])
			for i := 1; i < mr; i++ {
				VMOVAPS(acc[0][j], acc[i][j])
			}
		}
		JMP(LabelRef(loop + "s"))
		Label(loop + "z")
		for i := range acc {
			for j := range acc[i] {
				s.zero(acc[i][j])
			}
		}
		Label(loop + "s")
		k := Load(Param("k"), GP64())
		b := Load(Param("b"), GP64())
		var ap []reg.GPVirtual
		for i := 0; i < mr; i += 4 {
			p := GP64()
			if i == 0 {
				MOVQ(a, p)
			} else {
				LEAQ(Mem{Base: ap[len(ap)-1], Index: rs, Scale: 4}, p)
			}
			ap = append(ap, p)
		}
		Label(loop + "k")
		bv := make([]reg.VecVirtual, nv)
		for j := range bv {
			bv[j] = s.vec()
			VMOVUPS(Mem{Base: b, Disp: j * s.bytes()}, bv[j])
		}
		ADDQ(ldb, b)
		for i := 0; i < mr; i++ {
			var o operand.Mem
			switch i % 4 {
			case 0:
				o = Mem{Base: ap[i/4]}
			case 1:
				o = Mem{Base: ap[i/4], Index: rs, Scale: 1}
			case 2:
				o = Mem{Base: ap[i/4], Index: rs, Scale: 2}
			case 3:
				o = Mem{Base: ap[i/4], Index: rs3, Scale: 1}
			}
			av := s.vec()
			s.broadcast(o, av)
			for j := 0; j < nv; j++ {
				s.fma(bv[j], av, acc[i][j])
			}
		}
		for _, p := range ap {
			ADDQ(cs, p)
		}
		DECQ(k)
		JNZ(LabelRef(loop + "k"))
		// store
		ldc := Load(Param("ldc"), GP64())
		fl := Load(Param("acc"), GP64())
		TESTQ(fl, fl)
		JZ(LabelRef(loop + "w"))
		cp := GP64()
		MOVQ(c, cp)
		for i := 0; i < mr; i++ {
			for j := 0; j < nv; j++ {
				s.add(Mem{Base: cp, Disp: j * s.bytes()}, acc[i][j], acc[i][j])
			}
			if i < mr-1 {
				ADDQ(ldc, cp)
			}
		}
		Label(loop + "w")
		for i := 0; i < mr; i++ {
			for j := 0; j < nv; j++ {
				VMOVUPS(acc[i][j], Mem{Base: c, Disp: j * s.bytes()})
			}
			ADDQ(ldc, c)
		}
		// a += mr*rs
		t := GP64()

		IMUL3Q(U32(mr), rs, t)
		ADDQ(t, a)
		SUBQ(U32(mr), m)
		JMP(LabelRef(loop))
		Label(next)
	}
	VZEROUPPER()
	RET()
}

func (s isa) data(name string, f float32) Mem {
	g := GLOBL(name+s.name, RODATA|NOPTR)
	for i := 0; i < s.w; i++ {
		DATA(4*i, F32(f))
	}
	return g
}

var al = []float32{4.89352455891786e-03, 6.37261928875436e-04, 1.48572235717979e-05, 5.12229709037114e-08, -8.60467152213735e-11, 2.00018790482477e-13, -2.76076847742355e-16}
var be = []float32{4.89352518554385e-03, 2.26843463243900e-03, 1.18534705686654e-04, 1.19825839466702e-06}

type consts struct {
	hi, lo, one, half Mem
	al                [7]Mem
	be                [4]Mem
}

func (s isa) consts() (k consts) {
	k.hi, k.lo = s.data("tanhHi", 7.90531110763549805), s.data("tanhLo", -7.90531110763549805)
	k.one, k.half = s.data("one", 1), s.data("half", 0.5)
	for i := range al {
		k.al[i] = s.data(fmt.Sprintf("tanhA%d", i), al[i])
	}
	for i := range be {
		k.be[i] = s.data(fmt.Sprintf("tanhB%d", i), be[i])
	}
	return
}

// tanh replaces x by tanh(x), a rational function of degree 13/6.
func (s isa) tanh(k consts, x reg.VecVirtual) {
	VMINPS(k.hi, x, x)
	VMAXPS(k.lo, x, x)
	x2 := s.vec()
	VMULPS(x, x, x2)
	p := s.vec()
	VMOVUPS(k.al[6], p)
	for i := 5; i >= 0; i-- {
		VFMADD213PS(k.al[i], x2, p)
	}
	VMULPS(x, p, p)
	q := s.vec()
	VMOVUPS(k.be[3], q)
	for i := 2; i >= 0; i-- {
		VFMADD213PS(k.be[i], x2, q)
	}
	VDIVPS(q, p, x)
}

// tanhInto: x[0:n] = tanh(x[0:n]), n a multiple of w
func (s isa) tanhKernel(k consts) {
	TEXT("tanh"+s.name, NOSPLIT, "func(n int, x *float32)")
	Doc("tanh" + s.name + " replaces n values, a multiple of 16, by their hyperbolic tangents.")
	n := Load(Param("n"), GP64())
	x := Load(Param("x"), GP64())
	Label("two")
	CMPQ(n, U32(2*s.w))
	JLT(LabelRef("one"))
	v, u := s.vec(), s.vec()
	VMOVUPS(Mem{Base: x}, v)
	VMOVUPS(Mem{Base: x, Disp: s.bytes()}, u)
	s.tanh(k, v)
	s.tanh(k, u)
	VMOVUPS(v, Mem{Base: x})
	VMOVUPS(u, Mem{Base: x, Disp: s.bytes()})
	ADDQ(U32(2*s.bytes()), x)
	SUBQ(U32(2*s.w), n)
	JMP(LabelRef("two"))
	Label("one")
	TESTQ(n, n)
	JZ(LabelRef("end"))
	v = s.vec()
	VMOVUPS(Mem{Base: x}, v)
	s.tanh(k, v)
	VMOVUPS(v, Mem{Base: x})
	Label("end")
	VZEROUPPER()
	RET()
}

// tanhGrad: for every column block: d *= 1 - a*a, db += column sums of d. ld in bytes (the same for a and d).
func (s isa) tanhGrad(k consts) {
	TEXT("tanhGrad"+s.name, NOSPLIT, "func(rows, cols int, d, a *float32, ld int, db *float32)")
	Doc("tanhGrad" + s.name + " multiplies d by 1-a*a and adds its column sums to db; ld in bytes.")
	cols := Load(Param("cols"), GP64())
	d := Load(Param("d"), GP64())
	a := Load(Param("a"), GP64())
	ld := Load(Param("ld"), GP64())
	db := Load(Param("db"), GP64())
	one := s.vec()
	VMOVUPS(k.one, one)
	Label("col")
	TESTQ(cols, cols)
	JZ(LabelRef("end"))
	rows := Load(Param("rows"), GP64())
	dp, ap := GP64(), GP64()
	MOVQ(d, dp)
	MOVQ(a, ap)
	sum := s.vec()
	VMOVUPS(Mem{Base: db}, sum)
	Label("row")
	v, t := s.vec(), s.vec()
	VMOVUPS(Mem{Base: ap}, v)
	VMOVAPS(one, t)
	VFNMADD231PS(v, v, t)
	VMULPS(Mem{Base: dp}, t, t)
	VMOVUPS(t, Mem{Base: dp})
	VADDPS(t, sum, sum)
	ADDQ(ld, dp)
	ADDQ(ld, ap)
	DECQ(rows)
	JNZ(LabelRef("row"))
	VMOVUPS(sum, Mem{Base: db})
	ADDQ(U32(s.bytes()), d)
	ADDQ(U32(s.bytes()), a)
	ADDQ(U32(s.bytes()), db)
	SUBQ(U32(s.w), cols)
	JMP(LabelRef("col"))
	Label("end")
	VZEROUPPER()
	RET()
}

// colSum: db += column sums of d
func (s isa) colSum() {
	TEXT("colSum"+s.name, NOSPLIT, "func(rows, cols int, d *float32, ld int, db *float32)")
	Doc("colSum" + s.name + " adds the column sums of d to db; ld in bytes.")
	cols := Load(Param("cols"), GP64())
	d := Load(Param("d"), GP64())
	ld := Load(Param("ld"), GP64())
	db := Load(Param("db"), GP64())
	Label("col")
	TESTQ(cols, cols)
	JZ(LabelRef("end"))
	rows := Load(Param("rows"), GP64())
	dp := GP64()
	MOVQ(d, dp)
	sum := s.vec()
	VMOVUPS(Mem{Base: db}, sum)
	Label("row")
	VADDPS(Mem{Base: dp}, sum, sum)
	ADDQ(ld, dp)
	DECQ(rows)
	JNZ(LabelRef("row"))
	VMOVUPS(sum, Mem{Base: db})
	ADDQ(U32(s.bytes()), d)
	ADDQ(U32(s.bytes()), db)
	SUBQ(U32(s.w), cols)
	JMP(LabelRef("col"))
	Label("end")
	VZEROUPPER()
	RET()
}

func (s isa) bcastParam(name string) reg.VecVirtual {
	v := s.vec()
	b, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	VBROADCASTSS(b.Addr, v)
	return v
}

// mse: y = (y - x)*scale, db += column sums, sq[0:16] += squares of (y-x). Sixteen columns at a time, so that the
// sums in sq have one order; AVX2 goes down eight of them and then the others.
func (s isa) mse() {
	TEXT("mse"+s.name, NOSPLIT, "func(rows, cols int, y, x *float32, ld int, db, sq *float32, scale float32)")
	Doc("mse" + s.name + " makes y the difference to x times scale, adds its column sums to db and the squared differences, lane by lane, to sq; ld in bytes.")
	cols := Load(Param("cols"), GP64())
	y := Load(Param("y"), GP64())
	x := Load(Param("x"), GP64())
	ld := Load(Param("ld"), GP64())
	db := Load(Param("db"), GP64())
	sq := Load(Param("sq"), GP64())
	scale := s.bcastParam("scale")
	qq := make([]reg.VecVirtual, 16/s.w)
	for i := range qq {
		qq[i] = s.vec()
		VMOVUPS(Mem{Base: sq, Disp: i * s.bytes()}, qq[i])
	}
	Label("col")
	TESTQ(cols, cols)
	JZ(LabelRef("end"))
	for i, q := range qq {
		row := fmt.Sprintf("row%d", i)
		rows := Load(Param("rows"), GP64())
		yp, xp := GP64(), GP64()
		MOVQ(y, yp)
		MOVQ(x, xp)
		sum := s.vec()
		VMOVUPS(Mem{Base: db}, sum)
		Label(row)
		v := s.vec()
		VMOVUPS(Mem{Base: yp}, v)
		VSUBPS(Mem{Base: xp}, v, v)
		VFMADD231PS(v, v, q)
		VMULPS(scale, v, v)
		VMOVUPS(v, Mem{Base: yp})
		VADDPS(v, sum, sum)
		ADDQ(ld, yp)
		ADDQ(ld, xp)
		DECQ(rows)
		JNZ(LabelRef(row))
		VMOVUPS(sum, Mem{Base: db})
		ADDQ(U32(s.bytes()), y)
		ADDQ(U32(s.bytes()), x)
		ADDQ(U32(s.bytes()), db)
	}
	SUBQ(U32(16), cols)
	JMP(LabelRef("col"))
	Label("end")
	for i, q := range qq {
		VMOVUPS(q, Mem{Base: sq, Disp: i * s.bytes()})
	}
	VZEROUPPER()
	RET()
}

// sqDist: out = sum over n of (y-x)^2, in sixteen lanes, which AVX2 keeps in two registers
func (s isa) sqDist() {
	TEXT("sqDist"+s.name, NOSPLIT, "func(n int, y, x *float32) float32")
	Doc("sqDist" + s.name + " is the sum of the squared differences of n values, a multiple of 16.")
	n := Load(Param("n"), GP64())
	y := Load(Param("y"), GP64())
	x := Load(Param("x"), GP64())
	q := make([]reg.VecVirtual, 16/s.w)
	for i := range q {
		q[i] = s.vec()
		s.zero(q[i])
	}
	Label("row")
	for i := range q {
		v := s.vec()
		VMOVUPS(Mem{Base: y, Disp: i * s.bytes()}, v)
		VSUBPS(Mem{Base: x, Disp: i * s.bytes()}, v, v)
		VFMADD231PS(v, v, q[i])
	}
	ADDQ(U32(64), x)
	ADDQ(U32(64), y)
	SUBQ(U32(16), n)
	JNZ(LabelRef("row"))
	yl, yh := YMM(), YMM()
	if s.z {
		VEXTRACTF64X4(U8(1), q[0], yh)
		VMOVAPS(q[0].AsY(), yl)
	} else {
		VMOVAPS(q[1], yh)
		VMOVAPS(q[0], yl)
	}
	VADDPS(yh, yl, yl)
	xh := XMM()
	VEXTRACTF128(U8(1), yl, xh)
	xl := XMM()
	VADDPS(yl.AsX(), xh, xl)
	t := XMM()
	VMOVHLPS(xl, xl, t)
	VADDPS(t, xl, xl)
	VMOVSHDUP(xl, t)
	VADDSS(t, xl, xl)
	VZEROUPPER()
	Store(xl, ReturnIndex(0))
	RET()
}

// adam: g = sum of shards (stride bytes), then the update. n multiple of w.
func (s isa) adam() {
	TEXT("adam"+s.name, NOSPLIT, "func(n int, p, m, v, gr *float32, shards, stride int, b1, c1, b2, c2, lr, eps, rbc2 float32)")
	Doc("adam" + s.name + " is Adam's step on n parameters, a multiple of 16, by the sum of the shards' gradients; stride in bytes.")
	n := Load(Param("n"), GP64())
	p := Load(Param("p"), GP64())
	m := Load(Param("m"), GP64())
	v := Load(Param("v"), GP64())
	g := Load(Param("gr"), GP64())
	stride := Load(Param("stride"), GP64())
	b1, c1, b2, c2, lr, eps, rbc2 := s.bcastParam("b1"), s.bcastParam("c1"), s.bcastParam("b2"), s.bcastParam("c2"), s.bcastParam("lr"), s.bcastParam("eps"), s.bcastParam("rbc2")
	Label("loop")
	TESTQ(n, n)
	JZ(LabelRef("end"))
	G := s.vec()
	VMOVUPS(Mem{Base: g}, G)
	sh := Load(Param("shards"), GP64())
	gp := GP64()
	MOVQ(g, gp)
	Label("shard")
	DECQ(sh)
	JZ(LabelRef("summed"))
	ADDQ(stride, gp)
	VADDPS(Mem{Base: gp}, G, G)
	JMP(LabelRef("shard"))
	Label("summed")
	M, V, t := s.vec(), s.vec(), s.vec()
	VMULPS(Mem{Base: m}, b1, M)
	VFMADD231PS(c1, G, M)
	VMOVUPS(M, Mem{Base: m})
	VMULPS(Mem{Base: v}, b2, V)
	VMULPS(G, G, t)
	VFMADD231PS(c2, t, V)
	VMOVUPS(V, Mem{Base: v})
	VSQRTPS(V, V)
	VFMADD213PS(eps, rbc2, V)
	VMULPS(lr, M, M)
	VDIVPS(V, M, M)
	P := s.vec()
	VMOVUPS(Mem{Base: p}, P)
	VSUBPS(M, P, P)
	VMOVUPS(P, Mem{Base: p})
	for _, r := range []reg.GPVirtual{p.(reg.GPVirtual), m.(reg.GPVirtual), v.(reg.GPVirtual), g.(reg.GPVirtual)} {
		ADDQ(U32(s.bytes()), r)
	}
	SUBQ(U32(s.w), n)
	JMP(LabelRef("loop"))
	Label("end")
	VZEROUPPER()
	RET()
}

// sigmoid replaces x by 1/(1+exp(-x)) = (1+tanh(x/2))/2.
func (s isa) sigmoid(k consts, x reg.VecVirtual) {
	VMULPS(k.half, x, x)
	s.tanh(k, x)
	h := s.vec()
	VMOVUPS(k.half, h)
	VFMADD213PS(h, h, x)
}

// gates are the addresses of the four gates of the columns from off on, hid numbers apart.
func gates(g, off reg.Register) (i, f, c, o Mem) {
	h4, gi, gf, gc, go4 := GP64(), GP64(), GP64(), GP64(), GP64()
	Load(Param("hid"), h4)
	SHLQ(U8(2), h4)
	LEAQ(Mem{Base: g, Index: off, Scale: 1}, gi)
	LEAQ(Mem{Base: gi, Index: h4, Scale: 1}, gf)
	LEAQ(Mem{Base: gi, Index: h4, Scale: 2}, gc)
	LEAQ(Mem{Base: gf, Index: h4, Scale: 2}, go4)
	return Mem{Base: gi}, Mem{Base: gf}, Mem{Base: gc}, Mem{Base: go4}
}

// lstm: the sums of the gates become their values; c = f*cp + i*g, tc = tanh(c), h = o*tc.
func (s isa) lstm(k consts) {
	TEXT("lstm"+s.name, NOSPLIT, "func(rows, hid int, gr *float32, ldg int, cp, c, tc *float32, ldc int, h *float32, ldh int)")
	Doc("lstm" + s.name + " is a step of an LSTM: the gates i, f, g, o, hid columns each, become their activations, and c, tc = tanh c and h are made; hid is a multiple of 16, strides in bytes.")
	rows := Load(Param("rows"), GP64())
	g := Load(Param("gr"), GP64())
	cp := Load(Param("cp"), GP64())
	c := Load(Param("c"), GP64())
	tc := Load(Param("tc"), GP64())
	h := Load(Param("h"), GP64())
	Label("row")
	hid := Load(Param("hid"), GP64())
	off := GP64()
	XORQ(off, off)
	Label("col")
	atI, atF, atG, atO := gates(g, off)
	I, F, G, O := s.vec(), s.vec(), s.vec(), s.vec()
	VMOVUPS(atI, I)
	s.sigmoid(k, I)
	VMOVUPS(I, atI)
	VMOVUPS(atF, F)
	s.sigmoid(k, F)
	VMOVUPS(F, atF)
	VMOVUPS(atG, G)
	s.tanh(k, G)
	VMOVUPS(G, atG)
	VMOVUPS(atO, O)
	s.sigmoid(k, O)
	VMOVUPS(O, atO)
	VMULPS(G, I, I)
	VFMADD231PS(Mem{Base: cp, Index: off, Scale: 1}, F, I)
	VMOVUPS(I, Mem{Base: c, Index: off, Scale: 1})
	s.tanh(k, I)
	VMOVUPS(I, Mem{Base: tc, Index: off, Scale: 1})
	VMULPS(I, O, O)
	VMOVUPS(O, Mem{Base: h, Index: off, Scale: 1})
	ADDQ(U32(s.bytes()), off)
	SUBQ(U32(s.w), hid)
	JNZ(LabelRef("col"))
	ldg := Load(Param("ldg"), GP64())
	ADDQ(ldg, g)
	ldc := Load(Param("ldc"), GP64())
	for _, r := range []reg.Register{cp, c, tc} {
		ADDQ(ldc, r)
	}
	ldh := Load(Param("ldh"), GP64())
	ADDQ(ldh, h)
	DECQ(rows)
	JNZ(LabelRef("row"))
	VZEROUPPER()
	RET()
}

// lstmGrad: the gates' values become the gradient of their sums, dc that of the cell before.
func (s isa) lstmGrad(k consts) {
	TEXT("lstmGrad"+s.name, NOSPLIT, "func(rows, hid int, gr *float32, ldg int, cp, tc, dc *float32, ldc int, dh *float32, ldh int)")
	Doc("lstmGrad" + s.name + " goes back through a step of an LSTM: from the gradients dh and dc of h and c, the gates' activations become the gradient of their sums, and dc that of the cell before; hid is a multiple of 16, strides in bytes.")
	rows := Load(Param("rows"), GP64())
	g := Load(Param("gr"), GP64())
	cp := Load(Param("cp"), GP64())
	tc := Load(Param("tc"), GP64())
	dh := Load(Param("dh"), GP64())
	dc := Load(Param("dc"), GP64())
	one := s.vec()
	VMOVUPS(k.one, one)
	Label("row")
	hid := Load(Param("hid"), GP64())
	off := GP64()
	XORQ(off, off)
	Label("col")
	atI, atF, atG, atO := gates(g, off)
	I, F, G, O, T, DH, DC := s.vec(), s.vec(), s.vec(), s.vec(), s.vec(), s.vec(), s.vec()
	VMOVUPS(atI, I)
	VMOVUPS(atF, F)
	VMOVUPS(atG, G)
	VMOVUPS(atO, O)
	VMOVUPS(Mem{Base: tc, Index: off, Scale: 1}, T)
	VMOVUPS(Mem{Base: dh, Index: off, Scale: 1}, DH)
	VMOVUPS(Mem{Base: dc, Index: off, Scale: 1}, DC)
	// dc += dh*o*(1-tc*tc); do = dh*o*tc*(1-o)
	a, b := s.vec(), s.vec()
	VMULPS(O, DH, a)
	VMOVAPS(one, b)
	VFNMADD231PS(T, T, b)
	VFMADD231PS(b, a, DC)
	VMULPS(T, a, a)
	VSUBPS(O, one, b)
	VMULPS(b, a, a)
	VMOVUPS(a, atO)
	// di = dc*i*g*(1-i)
	VMULPS(I, DC, a)
	VSUBPS(I, one, b)
	t := s.vec()
	VMULPS(G, a, t)
	VMULPS(b, t, t)
	VMOVUPS(t, atI)
	// dg = dc*i*(1-g*g)
	VMOVAPS(one, b)
	VFNMADD231PS(G, G, b)
	VMULPS(b, a, a)
	VMOVUPS(a, atG)
	// the cell before gets dc*f; df = dc*f*cp*(1-f)
	VMULPS(F, DC, DC)
	VMOVUPS(DC, Mem{Base: dc, Index: off, Scale: 1})
	VSUBPS(F, one, b)
	VMULPS(Mem{Base: cp, Index: off, Scale: 1}, DC, DC)
	VMULPS(b, DC, DC)
	VMOVUPS(DC, atF)
	ADDQ(U32(s.bytes()), off)
	SUBQ(U32(s.w), hid)
	JNZ(LabelRef("col"))
	ldg := Load(Param("ldg"), GP64())
	ADDQ(ldg, g)
	ldc := Load(Param("ldc"), GP64())
	for _, r := range []reg.Register{cp, tc, dc} {
		ADDQ(ldc, r)
	}
	ldh := Load(Param("ldh"), GP64())
	ADDQ(ldh, dh)
	DECQ(rows)
	JNZ(LabelRef("row"))
	VZEROUPPER()
	RET()
}

// transpose: rows x cols blocks of 8x8. src has lds, dst ldd bytes; dst[c][r] = src[r][c]
func transpose() {
	TEXT("transpose8AVX2", NOSPLIT, "func(rows, cols int, dst *float32, ldd int, src *float32, lds int)")
	Doc("transpose8AVX2 writes src transposed to dst; rows and cols are multiples of 8, ldd and lds in bytes.")
	rows := Load(Param("rows"), GP64())
	src := Load(Param("src"), GP64())
	dst := Load(Param("dst"), GP64())
	lds := Load(Param("lds"), GP64())
	ldd := Load(Param("ldd"), GP64())
	lds3, ldd3 := GP64(), GP64()
	LEAQ(Mem{Base: lds, Index: lds, Scale: 2}, lds3)
	LEAQ(Mem{Base: ldd, Index: ldd, Scale: 2}, ldd3)
	Label("row")
	TESTQ(rows, rows)
	JZ(LabelRef("end"))
	cols := Load(Param("cols"), GP64())
	s, d := GP64(), GP64()
	MOVQ(src, s)
	MOVQ(dst, d)
	Label("col")
	s4 := GP64()
	LEAQ(Mem{Base: s, Index: lds, Scale: 4}, s4)
	var r [8]reg.VecVirtual
	at := func(b0, b4, ld, ld3 reg.Register, i int) Mem {
		b := b0
		if i >= 4 {
			b = b4
		}
		switch i % 4 {
		case 0:
			return Mem{Base: b}
		case 1:
			return Mem{Base: b, Index: ld, Scale: 1}
		case 2:
			return Mem{Base: b, Index: ld, Scale: 2}
		}
		return Mem{Base: b, Index: ld3, Scale: 1}
	}
	for i := range r {
		r[i] = YMM()
		VMOVUPS(at(s, s4, lds, lds3, i), r[i])
	}
	var t [8]reg.VecVirtual
	for i := 0; i < 8; i += 2 {
		t[i], t[i+1] = YMM(), YMM()
		VUNPCKLPS(r[i+1], r[i], t[i])
		VUNPCKHPS(r[i+1], r[i], t[i+1])
	}
	var u [8]reg.VecVirtual
	for i := 0; i < 8; i += 4 {
		for j := 0; j < 4; j++ {
			u[i+j] = YMM()
		}
		VSHUFPS(U8(0x44), t[i+2], t[i], u[i])
		VSHUFPS(U8(0xEE), t[i+2], t[i], u[i+1])
		VSHUFPS(U8(0x44), t[i+3], t[i+1], u[i+2])
		VSHUFPS(U8(0xEE), t[i+3], t[i+1], u[i+3])
	}
	d4 := GP64()
	LEAQ(Mem{Base: d, Index: ldd, Scale: 4}, d4)
	for i := 0; i < 4; i++ {
		o := YMM()
		VPERM2F128(U8(0x20), u[i+4], u[i], o)
		VMOVUPS(o, at(d, d4, ldd, ldd3, i))
		o = YMM()
		VPERM2F128(U8(0x31), u[i+4], u[i], o)
		VMOVUPS(o, at(d, d4, ldd, ldd3, i+4))
	}
	LEAQ(Mem{Base: d, Index: ldd, Scale: 8}, d)
	ADDQ(U32(32), s)
	SUBQ(U32(8), cols)
	JNZ(LabelRef("col"))
	LEAQ(Mem{Base: src, Index: lds, Scale: 8}, src)
	ADDQ(U32(32), dst)
	SUBQ(U32(8), rows)
	JMP(LabelRef("row"))
	Label("end")
	VZEROUPPER()
	RET()
}

// columns emits a kernel that goes down the rows of one column block after the other. Its arguments are rows,
// cols, the matrices (ld bytes a row, walked by row) and then the vectors (one number a column). begin makes of the vectors'
// addresses what row needs, and end stores it.
func (s isa) columns(name, doc string, matrices, vectors []string, begin func(v []Mem) []reg.VecVirtual, row func(m []Mem, r []reg.VecVirtual), end func(v []Mem, r []reg.VecVirtual)) {
	list := func(names []string) (out string) {
		for i, n := range names {
			if i > 0 {
				out += ", "
			}
			out += n
		}
		return out
	}
	TEXT(name+s.name, NOSPLIT, fmt.Sprintf("func(rows, cols int, %s *float32, ld int, %s *float32)", list(matrices), list(vectors)))
	Doc(name + s.name + " " + doc)
	cols := Load(Param("cols"), GP64())
	ld := Load(Param("ld"), GP64())
	var bases, walks []reg.Register
	var at, to []Mem
	for _, m := range matrices {
		bases = append(bases, Load(Param(m), GP64()))
		walks = append(walks, GP64())
		at = append(at, Mem{Base: walks[len(walks)-1]})
	}
	var heads []reg.Register
	for _, v := range vectors {
		heads = append(heads, Load(Param(v), GP64()))
		to = append(to, Mem{Base: heads[len(heads)-1]})
	}
	Label("col")
	TESTQ(cols, cols)
	JZ(LabelRef("end"))
	rows := Load(Param("rows"), GP64())
	for i := range bases {
		MOVQ(bases[i], walks[i])
	}
	regs := begin(to)
	Label("row")
	row(at, regs)
	for _, w := range walks {
		ADDQ(ld, w)
	}
	DECQ(rows)
	JNZ(LabelRef("row"))
	end(to, regs)
	for _, r := range append(bases, heads...) {
		ADDQ(U32(s.bytes()), r)
	}
	SUBQ(U32(s.w), cols)
	JMP(LabelRef("col"))
	Label("end")
	VZEROUPPER()
	RET()
}

func (s isa) load(from []Mem) (out []reg.VecVirtual) {
	for _, m := range from {
		v := s.vec()
		VMOVUPS(m, v)
		out = append(out, v)
	}
	return out
}

// normalisation emits what batch normalisation needs.
func (s isa) normalisation() {
	none := func([]Mem, []reg.VecVirtual) {}
	s.columns("colProduct", "adds the column sums of d*h to sum; ld in bytes.", []string{"d", "h"}, []string{"sum"}, s.load,
		func(m []Mem, r []reg.VecVirtual) {
			v := s.vec()
			VMOVUPS(m[0], v)
			VFMADD231PS(m[1], v, r[0])
		}, func(v []Mem, r []reg.VecVirtual) { VMOVUPS(r[0], v[0]) })
	s.columns("colSpread", "adds the column sums of (x-mean)*(x-mean) to sum; ld in bytes.", []string{"x"}, []string{"mean", "sum"}, s.load,
		func(m []Mem, r []reg.VecVirtual) {
			v := s.vec()
			VMOVUPS(m[0], v)
			VSUBPS(r[0], v, v)
			VFMADD231PS(v, v, r[1])
		}, func(v []Mem, r []reg.VecVirtual) { VMOVUPS(r[1], v[1]) })
	s.columns("normalise", "makes x (x-mean)*inv and y x*scale+shift of that; ld in bytes.", []string{"x", "y"}, []string{"mean", "inv", "scale", "shift"}, s.load,
		func(m []Mem, r []reg.VecVirtual) {
			v := s.vec()
			VMOVUPS(m[0], v)
			VSUBPS(r[0], v, v)
			VMULPS(r[1], v, v)
			VMOVUPS(v, m[0])
			VFMADD213PS(r[3], r[2], v)
			VMOVUPS(v, m[1])
		}, none)
	s.columns("normGrad", "makes d (d-mean-h*dot)*factor and adds its column sums to sum; ld in bytes.", []string{"d", "h"}, []string{"mean", "dot", "factor", "sum"}, s.load,
		func(m []Mem, r []reg.VecVirtual) {
			v, h := s.vec(), s.vec()
			VMOVUPS(m[0], v)
			VSUBPS(r[0], v, v)
			VMOVUPS(m[1], h)
			VFNMADD231PS(h, r[1], v)
			VMULPS(r[2], v, v)
			VMOVUPS(v, m[0])
			VADDPS(v, r[3], r[3])
		}, func(v []Mem, r []reg.VecVirtual) { VMOVUPS(r[3], v[3]) })
}

// peak emits as many multiply-adds as keep the units busy, none of which waits for another.
func (s isa) peak() {
	TEXT("peak"+s.name, NOSPLIT, "func(n int, x float32) float32")
	acc := []reg.VecPhysical{reg.Y0, reg.Y1, reg.Y2, reg.Y3, reg.Y4, reg.Y5, reg.Y6, reg.Y7, reg.Y8, reg.Y9, reg.Y10, reg.Y11}
	x := reg.Y12
	if s.z {
		acc = []reg.VecPhysical{reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7, reg.Z8, reg.Z9, reg.Z10, reg.Z11}
		x = reg.Z12
	}
	Doc(fmt.Sprintf("peak%s adds x*x n times, at least once, to each of %d registers of %d numbers, and returns one of the sums.", s.name, len(acc), s.w))
	n := Load(Param("n"), GP64())
	Load(Param("x"), reg.X12)
	VBROADCASTSS(reg.X12, x)
	for _, r := range acc {
		if s.z {
			VPXORD(r, r, r)
		} else {
			VXORPS(r, r, r)
		}
	}
	Label("loop")
	for _, r := range acc {
		VFMADD231PS(x, x, r)
	}
	DECQ(n)
	JNZ(LabelRef("loop"))
	Store(reg.X0, ReturnIndex(0))
	VZEROUPPER()
	RET()
}

func main() {

	ConstraintExpr("amd64")
	transpose()
	TEXT("getMXCSR", NOSPLIT, "func() uint32")
	Doc("getMXCSR is the control and status register of SSE.")
	sp := AllocLocal(8)
	STMXCSR(sp)
	r := GP32()
	MOVL(sp, r)
	Store(r, ReturnIndex(0))
	RET()
	TEXT("setMXCSR", NOSPLIT, "func(v uint32)")
	Doc("setMXCSR sets the control and status register of SSE.")
	sp = AllocLocal(8)
	r2 := Load(Param("v"), GP32())
	MOVL(r2, sp)
	LDMXCSR(sp)
	RET()
	for _, s := range []isa{avx512, avx2} {
		k := s.consts()
		s.gemm(2)
		s.gemm(1)
		s.tanhKernel(k)
		s.tanhGrad(k)
		s.colSum()
		s.mse()
		s.sqDist()
		s.adam()
		s.normalisation()
		s.lstm(k)
		s.lstmGrad(k)
		s.peak()
		s.tiles(s.exponential())
		s.argMin()
	}
	for _, s := range []isa{avx512Double, avx2Double} {
		e := s.exponential()
		s.gemm(2)
		s.tiles(e)
		s.logSums(e)
	}
	Generate()
}
