package models

import (
	"encoding/binary"
	"log/slog"
	"math"
	"math/rand/v2"

	"plumbline/data"
)

// Sample limits the training rows of a model whose cost grows with their square or that keeps them all.
type Sample struct {
	// largest number of training rows used; 0 uses all
	MaxRows int `yaml:"max_rows" jsonschema:"minimum=0"`
	// which rows, when there are more: a random choice that is the same for every seed, or the first in file order
	Sample string `yaml:"sample" jsonschema:"enum=random,enum=first"`
}

// Rows is how many of n training rows are used.
func (c Sample) Rows(n int) int {
	if c.MaxRows == 0 {
		return n
	}
	return min(n, c.MaxRows)
}

// Take is the set with at most MaxRows rows, in their order. A random choice depends on the numbers of
// rows alone: models that are deterministic otherwise stay so.
func (c Sample) Take(s *data.Set, log *slog.Logger) *data.Set {
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

// Distinct is the set without repeated rows (traffic records repeat: three of four in KDD99's test file),
// and for every row of s its place there; s itself and nil where fewer than one row in ten is repeated.
func Distinct(s *data.Set) (*data.Set, []int32) {
	of := make([]int32, s.N)
	places := make(map[string]int32, s.N/4)
	var first []int
	key := make([]byte, 0, 4*s.D)
	for i := range of {
		key = appendRow(key[:0], s.Row(i))
		at, seen := places[string(key)]
		if !seen {
			at = int32(len(first))
			places[string(key)] = at
			first = append(first, i)
		}
		of[i] = at
	}
	if 10*len(first) > 9*s.N {
		return s, nil
	}
	return s.Subset(first), of
}

// RowKey is the same for rows of the same numbers.
func RowKey(row []float32) string { return string(appendRow(make([]byte, 0, 4*len(row)), row)) }

func appendRow(key []byte, row []float32) []byte {
	for _, v := range row {
		key = binary.LittleEndian.AppendUint32(key, math.Float32bits(v))
	}
	return key
}
