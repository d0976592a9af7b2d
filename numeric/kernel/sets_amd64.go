package kernel

import (
	"runtime"

	"golang.org/x/sys/cpu"
)

var avx512 = &set{
	"avx512",
	true,
	gemm1AVX512,
	gemm2AVX512,
	tanhAVX512,
	tanhGradAVX512,
	colSumAVX512,
	mseAVX512,
	sqDistAVX512,
	adamAVX512,
	colProductAVX512,
	colSpreadAVX512,
	normaliseAVX512,
	normGradAVX512,
	transpose8AVX2,
	lstmAVX512,
	lstmGradAVX512,
	peakAVX512,
	12 * 16,
	avx512Single,
	avx512Double,
}

var avx2 = &set{
	"avx2",
	false,
	gemm1AVX2,
	gemm2AVX2,
	tanhAVX2,
	tanhGradAVX2,
	colSumAVX2,
	mseAVX2,
	sqDistAVX2,
	adamAVX2,
	colProductAVX2,
	colSpreadAVX2,
	normaliseAVX2,
	normGradAVX2,
	transpose8AVX2,
	lstmAVX2,
	lstmGradAVX2,
	peakAVX2,
	12 * 8,
	avx2Single,
	avx2Double,
}

var avx512Single = ops[float32]{
	32,
	gemm2AVX512,
	squaresAVX512,
	rbfAVX512,
	rbfSumAVX512,
	belowAVX512,
	powerAVX512,
	argMinAVX512,
	nil,
	nil,
}

var avx512Double = ops[float64]{
	16,
	gemm2AVX512Double,
	squaresAVX512Double,
	rbfAVX512Double,
	rbfSumAVX512Double,
	belowAVX512Double,
	powerAVX512Double,
	nil,
	topAVX512Double,
	expSumAVX512Double,
}

var avx2Single = ops[float32]{
	16,
	gemm2AVX2,
	squaresAVX2,
	rbfAVX2,
	rbfSumAVX2,
	belowAVX2,
	powerAVX2,
	argMinAVX2,
	nil,
	nil,
}

var avx2Double = ops[float64]{
	8,
	gemm2AVX2Double,
	squaresAVX2Double,
	rbfAVX2Double,
	rbfSumAVX2Double,
	belowAVX2Double,
	powerAVX2Double,
	nil,
	topAVX2Double,
	expSumAVX2Double,
}

// available is what this processor can run, the fastest first.
func available() []*set {
	var out []*set
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		out = append(out, avx512)
	}
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		out = append(out, avx2)
	}
	return append(out, generic)
}

// flushing are the bits of the control register that make denormals zero, as results and as operands.
const flushing = 0x8040

// FlushDenormals runs f on a thread that takes denormal numbers for zero: arithmetic with them is some twenty
// times slower, and Adam's averages of rare columns decay into them.
func FlushDenormals(f func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	was := getMXCSR()
	setMXCSR(was | flushing)
	defer setMXCSR(was)
	f()
}
