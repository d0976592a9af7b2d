package classic

import (
	"log/slog"
	"math/rand/v2"

	"plumbline/data"
)

// Sample limits the training rows of a model whose cost grows with their square or that keeps them all.
type Sample struct {
	// training rows used at the most; 0 uses all
	MaxRows int `yaml:"max_rows" jsonschema:"minimum=0"`
	// which rows, when there are more: a random choice that is the same for every seed, or the first in file order
	Sample string `yaml:"sample" jsonschema:"enum=random,enum=first"`
}

// take is the set with at most MaxRows rows, in their order. A random choice depends on the numbers of
// rows alone: models that are deterministic otherwise stay so.
func (c Sample) take(s *data.Set, log *slog.Logger) *data.Set {
	if c.MaxRows == 0 || s.N <= c.MaxRows {
		return s
	}
	log.Warn("training rows are sampled", "rows", s.N, "used", c.MaxRows, "sample", c.Sample)
	idx := make([]int, 0, c.MaxRows)
	if c.Sample == "first" {
		for i := range c.MaxRows {
			idx = append(idx, i)
		}
		return s.Subset(idx)
	}
	// Selection sampling (Knuth, TAOCP 2, 3.4.2, algorithm S).
	r := rand.New(rand.NewPCG(uint64(s.N), uint64(c.MaxRows)))
	for i := 0; len(idx) < c.MaxRows; i++ {
		if r.IntN(s.N-i) < c.MaxRows-len(idx) {
			idx = append(idx, i)
		}
	}
	return s.Subset(idx)
}
