package prep

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/numeric/stat"
)

func init() {
	register("impute", "fills missing values", func() step {
		return &impute{Common: Common{Step: "impute", Fit: "benign"}, Number: "median", Category: "level"}
	})
	register("scale", "brings number columns to a common scale", func() step {
		return &scale{Common: Common{Step: "scale", Fit: "benign"}, Kind: "zscore", Quantiles: 1000}
	})
	register("log1p", "signed logarithm: sign(v)·ln(1+|v|)", func() step {
		return &log1p{Common{Step: "log1p", Fit: "benign"}}
	})
	register("clip", "limits values", func() step {
		return &clip{Common: Common{Step: "clip", Fit: "benign"}, Low: 0.001, High: 0.999}
	})
}

// impute fills missing numbers and categories.
type impute struct {
	Common `yaml:",inline"`
	// what a missing number becomes; below: one less than the smallest value, which keeps it apart
	Number string `yaml:"number" jsonschema:"enum=median,enum=mean,enum=constant,enum=below"`
	// for constant
	Value float64 `yaml:"value"`
	// what a missing category becomes: a level of its own, or the most frequent level
	Category string `yaml:"category" jsonschema:"enum=level,enum=frequent"`
	// leave missing numbers as they are to models that take them, such as boosting
	Native bool `yaml:"native"`
}

func (s *impute) leaves() bool { return s.Native }

func (s *impute) fit(f *fitting) error {
	rows := f.learnFrom(&s.Common)
	return f.each(func(c *column) bool { return s.on(c, f.table) && !c.dummy }, func(c *column) error {
		if c.text {
			c.absent = missingLevel
			if s.Category == "frequent" {
				c.absent = frequent(&f.table.Columns[c.source], rows)
			}
			return nil
		}
		if s.Native && f.native {
			c.gaps = true
			return nil
		}
		fill := s.Value
		if s.Number != "constant" {
			v := f.values(c, rows)
			switch {
			case len(v) == 0:
				return errors.New("all values are missing; drop the column or impute a constant")
			case s.Number == "mean":
				fill = stat.Mean(v)
			case s.Number == "below":
				fill = slices.Min(v) - 1
			default:
				fill = stat.Select(v, 0.5)
			}
		}
		c.ops = append(c.ops, Op{Kind: "fill", A: fill})
		return nil
	})
}

// frequent is the most frequent level, the first by name among equals.
func frequent(c *data.Column, rows []int32) string {
	n := make([]int, len(c.Levels))
	for _, r := range rows {
		if k := c.Code[r]; k != data.Missing {
			n[k]++
		}
	}
	best := missingLevel
	top := 0
	for k, level := range c.Levels {
		if n[k] > top || n[k] == top && top > 0 && level < best {
			best, top = level, n[k]
		}
	}
	return best
}

// scale shifts and stretches. A column without spread, or whose spread is rounding, is only shifted.
type scale struct {
	Common `yaml:",inline"`
	// zscore: mean 0, population sd 1; minmax: 0 to 1; maxabs: largest magnitude 1; robust: median 0, interquartile
	// range 1; quantile: share of the training values below; normal: quantile mapped to the standard normal
	Kind string `yaml:"kind" jsonschema:"enum=zscore,enum=minmax,enum=maxabs,enum=robust,enum=quantile,enum=normal"`
	// for quantile and normal: reference points
	Quantiles int `yaml:"quantiles" jsonschema:"minimum=2,maximum=100000"`
}

func (s *scale) fit(f *fitting) error {
	rows := f.learnFrom(&s.Common)
	return f.each(func(c *column) bool { return numeric(c) && s.on(c, f.table) }, func(c *column) error {
		v := f.values(c, rows)
		if len(v) == 0 {
			return errors.New("no values to learn from")
		}
		op, err := s.op(v)
		if err != nil {
			return err
		}
		c.ops = append(c.ops, op)
		return nil
	})
}

func (s *scale) op(v []float64) (Op, error) {
	var shift, spread float64
	switch s.Kind {
	case "zscore":
		mean, variance := stat.MeanVariance(v)
		shift, spread = mean, math.Sqrt(variance)
	case "minmax":
		shift = slices.Min(v)
		spread = slices.Max(v) - shift
	case "maxabs":
		spread = math.Max(math.Abs(slices.Min(v)), math.Abs(slices.Max(v)))
	case "robust":
		o := sorted(v)
		shift = stat.Quantile(o, 0.5)
		low, high := stat.Quantile(o, 0.25), stat.Quantile(o, 0.75)
		if spread = high - low; noise(low, high) {
			spread = 0
		}
	default:
		return s.quantileOp(v), nil
	}
	if spread == 0 || s.Kind != "maxabs" && constant(v) {
		spread = 1
	}
	if math.IsInf(spread, 0) || math.IsInf(shift, 0) || math.IsNaN(spread) {
		return Op{}, fmt.Errorf("values up to %g are too large to scale", slices.Max(v))
	}
	return Op{Kind: "affine", A: shift, B: spread}, nil
}

func (s *scale) quantileOp(v []float64) Op {
	o := sorted(v)
	n := min(s.Quantiles, len(o))
	if constant(o) {
		n = 1
	}
	table := make([]float64, n)
	for i := range table {
		p := 0.5
		if n > 1 {
			p = float64(i) / float64(n-1)
		}
		table[i] = stat.Quantile(o, p)
	}
	op := Op{Kind: "quantile", Table: table}
	if s.Kind == "normal" {
		op.B = 1
	}
	return op
}

// log1p is a fixed transform.
type log1p struct {
	Common `yaml:",inline"`
}

func (s *log1p) fit(f *fitting) error {
	return f.each(func(c *column) bool { return numeric(c) && !c.dummy && s.on(c, f.table) }, func(c *column) error {
		c.ops = append(c.ops, Op{Kind: "log1p"})
		return nil
	})
}

// clip limits values to quantiles of the training rows, or to fixed limits.
type clip struct {
	Common `yaml:",inline"`
	// quantile that is the lower limit
	Low float64 `yaml:"low" jsonschema:"minimum=0,maximum=1"`
	// quantile that is the upper limit
	High float64 `yaml:"high" jsonschema:"minimum=0,maximum=1"`
	// fixed lower limit instead
	Min *float64 `yaml:"min"`
	// fixed upper limit instead
	Max *float64 `yaml:"max"`
}

func (s *clip) check(d settings.Node) settings.Problems {
	if s.Low > s.High || s.Min != nil && s.Max != nil && *s.Min > *s.Max {
		return settings.Problems{d.Problem("the lower limit is above the upper one")}
	}
	return nil
}

func (s *clip) fit(f *fitting) error {
	rows := f.learnFrom(&s.Common)
	return f.each(func(c *column) bool { return numeric(c) && !c.dummy && s.on(c, f.table) }, func(c *column) error {
		v := sorted(f.values(c, rows))
		if len(v) == 0 {
			return errors.New("no values to learn from")
		}
		op := Op{Kind: "clip", A: stat.Quantile(v, s.Low), B: stat.Quantile(v, s.High)}
		if s.Min != nil {
			op.A = *s.Min
		}
		if s.Max != nil {
			op.B = *s.Max
		}
		if op.A > op.B {
			return fmt.Errorf("lower limit %g is above the upper limit %g", op.A, op.B)
		}
		c.ops = append(c.ops, op)
		return nil
	})
}

func sorted(v []float64) []float64 {
	slices.Sort(v)
	return v
}
