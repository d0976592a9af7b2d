//go:build !amd64 && !arm64

package kernel

func available() []*set { return []*set{generic} }

// FlushDenormals runs f. There is no way here to make denormal numbers zero.
func FlushDenormals(f func()) { f() }
