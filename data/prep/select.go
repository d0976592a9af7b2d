package prep

import (
	"math"

	"plumbline/numeric/stat"
)

func init() {
	register("drop_low_variance", "takes number columns out that hardly vary in training", func() step {
		return &dropLowVariance{Common: Common{Step: "drop_low_variance", Fit: "benign"}, Threshold: 1e-8}
	})
	register("drop_duplicate_columns", "takes columns out that equal an earlier one in training", func() step {
		return &dropDuplicates{Common{Step: "drop_duplicate_columns", Fit: "benign"}}
	})
}

// dropLowVariance takes out number columns whose population variance, as they stand after the steps
// before, is at most Threshold.
type dropLowVariance struct {
	Common `yaml:",inline"`
	// largest variance that is taken out
	Threshold float64 `yaml:"threshold" jsonschema:"minimum=0"`
}

func (s *dropLowVariance) fit(f *fitting) error {
	rows := f.learnFrom(&s.Common)
	gone := map[*column]bool{}
	for _, c := range f.columns {
		if c.text || !s.on(c, f.table) {
			continue
		}
		v := f.values(c, rows)
		_, variance := stat.MeanVariance(v)
		gone[c] = len(v) == 0 || variance <= s.Threshold
	}
	f.keepDropped(gone, s.Step, rows)
	f.removeNoting(gone, "hardly varies in training and is dropped")
	return nil
}

// dropDuplicates takes out every number column that equals an earlier one on all training rows, missing
// values included.
type dropDuplicates struct {
	Common `yaml:",inline"`
}

func (s *dropDuplicates) fit(f *fitting) error {
	rows := f.learnFrom(&s.Common)
	first := map[uint64][]*column{}
	gone := map[*column]bool{}
	for _, c := range f.columns {
		if c.text || !s.on(c, f.table) {
			continue
		}
		h := uint64(0x9e3779b97f4a7c15)
		for _, x := range f.raw(c, rows) {
			h = (h ^ math.Float64bits(x)) * 0x100000001b3
			h ^= h >> 29
		}
		for _, other := range first[h] {
			if f.equal(c, other, rows) {
				gone[c] = true
			}
		}
		if !gone[c] {
			first[h] = append(first[h], c)
		}
	}
	f.removeNoting(gone, "equals an earlier column in training and is dropped")
	return nil
}

func (f *fitting) equal(a, b *column, rows []int32) bool {
	x, y := f.raw(a, rows), f.raw(b, rows)
	for i := range x {
		if math.Float64bits(x[i]) != math.Float64bits(y[i]) {
			return false
		}
	}
	return true
}

// raw is values with one NaN for each missing number, and one zero.
func (f *fitting) raw(c *column, rows []int32) []float64 {
	if c.dummy {
		return f.values(c, rows)
	}
	src := &f.table.Columns[c.source]
	out := make([]float64, len(rows))
	for i, r := range rows {
		v := run(c.ops, src.Num[r])
		if v != v {
			v = math.NaN()
		}
		out[i] = v + 0
	}
	return out
}

// removeNoting takes columns out and says so.
func (f *fitting) removeNoting(gone map[*column]bool, why string) {
	f.remove(func(c *column) bool {
		if gone[c] {
			f.notes = append(f.notes, "column "+c.name+" "+why)
		}
		return gone[c]
	})
}
