package serve_test

import (
	"encoding/binary"
	"math"
)

var nan = float32(math.NaN())

// floats is numbers as a body has them.
func floats(lists ...[]float32) (out []byte) {
	for _, x := range lists {
		for _, v := range x {
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
		}
	}
	return out
}

// doubles is the scores of an answer.
func doubles(raw []byte) (out []float64) {
	for ; len(raw) >= 8; raw = raw[8:] {
		out = append(out, math.Float64frombits(binary.LittleEndian.Uint64(raw)))
	}
	return out
}
