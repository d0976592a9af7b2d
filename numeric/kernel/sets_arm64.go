package kernel

import "runtime"

func available() []*set { return []*set{generic} }

func getFPCR() uint64
func setFPCR(v uint64)

// flushing is the bit of the control register that makes denormals zero, as results and as operands.
const flushing = 1 << 24

// FlushDenormals runs f on a thread that takes denormal numbers for zero, as on amd64. One case differs: what is below
// the least normal number by less than half a rounding is zero here and that number there.
func FlushDenormals(f func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	was := getFPCR()
	setFPCR(was | flushing)
	defer setFPCR(was)
	f()
}
