package flows

import (
	"context"
	"os"
	"testing"

	"plumbline/data/rows"
)

// BenchmarkBuild makes flows of the capture that PLUMBLINE_CAPTURE names, in every vocabulary.
func BenchmarkBuild(b *testing.B) {
	path := os.Getenv("PLUMBLINE_CAPTURE")
	if path == "" {
		b.Skip("PLUMBLINE_CAPTURE names no capture")
	}
	for _, name := range Names() {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				info, _ := Lookup(name)
				v := info.New()
				if err := v.Check(); err != nil {
					b.Fatal(err)
				}
				specs := v.Columns()
				f := &Files{Paths: []string{path}}
				_, err := Build(context.Background(), f.Reader(), v, Settings{MaxOpen: DefaultMaxOpen}, specs,
					make([]bool, len(specs)), 2, func(*rows.Chunk, int) error { return nil })
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(f.Bytes())
			}
		})
	}
}
