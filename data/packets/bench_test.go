package packets

import (
	"os"
	"slices"
	"testing"
)

// BenchmarkDecode decodes the first 200,000 frames of the capture that PLUMBLINE_CAPTURE names.
func BenchmarkDecode(b *testing.B) {
	path := os.Getenv("PLUMBLINE_CAPTURE")
	if path == "" {
		b.Skip("PLUMBLINE_CAPTURE names no capture")
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	r := NewReader([]File{inMemory(path, whole)})
	var frames []Frame
	for len(frames) < 200_000 {
		var f Frame
		if err := r.Next(&f); err != nil {
			break
		}
		f.Data = slices.Clone(f.Data)
		frames = append(frames, f)
	}
	for _, checksums := range []bool{false, true} {
		name := map[bool]string{false: "plain", true: "checksums"}[checksums]
		b.Run(name, func(b *testing.B) {
			d := NewDecoder(Options{Checksums: checksums})
			var out []Packet
			for b.Loop() {
				for i := range frames {
					out = d.Decode(&frames[i], out[:0])
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(frames)), "ns/frame")
		})
	}
}
