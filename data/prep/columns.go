package prep

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"plumbline/configs/settings"
	"plumbline/data"
)

func init() {
	register("onehot", "turns each category column into one 0/1 column a level", func() step {
		return &oneHot{Common: Common{Step: "onehot", Fit: "benign"}, MaxLevels: 1000}
	})
	register("drop", "takes columns out", func() step { return &drop{Common{Step: "drop", Fit: "benign"}} })
	register(
		"select",
		"keeps the named columns alone",
		func() step { return &selectStep{Common{Step: "select", Fit: "benign"}} },
	)
	register("drop_constant", "takes columns out that have one value in training", func() step {
		return &dropConstant{Common{Step: "drop_constant", Fit: "benign"}}
	})
}

// oneHot gives each level seen in training a column, in byte order of the levels. A level not seen is all
// zeros, and so is a missing category that no impute step gave a level.
type oneHot struct {
	Common `yaml:",inline"`
	// a column with two levels becomes one column, that of the second level
	DropBinary bool `yaml:"drop_binary"`
	// of a column with more levels, the most frequent in training get a column each; the others are all zeros
	MaxLevels int `yaml:"max_levels" jsonschema:"minimum=1,maximum=65536"`
	// for models that take categories, such as boosting, the column becomes one column of codes: the place of the value
	// among the levels, of which the 255 most frequent are told apart
	Native bool `yaml:"native"`
}

func (s *oneHot) leaves() bool { return s.Native }

// maxCodes is how many levels a column of codes tells apart.
const maxCodes = 255

// manyLevels is from how many levels on, if they are half of the rows or more, a column rather names rows than
// describes them.
const manyLevels = 100

func (s *oneHot) fit(f *fitting) error {
	rows := f.learnFrom(&s.Common)
	var kept, dummies []*column
	for _, c := range f.columns {
		if !c.text || c.codes != nil || !s.on(c, f.table) {
			kept = append(kept, c)
			continue
		}
		levels, n := seenLevels(&f.table.Columns[c.source], rows, c.absent)
		most := s.MaxLevels
		if s.Native && f.native {
			most = min(most, maxCodes)
		}
		if all := len(levels); all > most || all > manyLevels && 2*all >= len(rows) {
			said := fmt.Sprintf("column %s has %d levels in %d training rows", c.name, all, len(rows))
			if all > most {
				levels = mostFrequent(levels, n, most)
				said += fmt.Sprintf("; onehot keeps the %d most frequent (max_levels)", most)
			}
			if 2*all >= len(rows) {
				said += "; does it name rows rather than describe them? Then drop it"
			}
			f.warnings = append(f.warnings, said)
		}
		if s.Native && f.native {
			if c.codes = levels; len(levels) > 0 {
				kept = append(kept, c)
			}
			continue
		}
		if s.DropBinary && len(levels) == 2 {
			levels = levels[1:]
		}
		for _, l := range levels {
			dummies = append(
				dummies,
				&column{name: c.name + "=" + l, source: c.source, level: l, dummy: true, holds: l == c.absent},
			)
		}
	}
	f.columns = append(kept, dummies...)
	return nil
}

// seenLevels is the levels of the rows, sorted, and how many rows have each; missing ones count as the level missing,
// if that is set.
func seenLevels(c *data.Column, rows []int32, missing string) (levels []string, n map[string]int) {
	count := make([]int, len(c.Levels))
	absent := 0
	for _, r := range rows {
		if k := c.Code[r]; k != data.Missing {
			count[k]++
		} else {
			absent++
		}
	}
	n = map[string]int{}
	if missing != "" && absent > 0 {
		n[missing] = absent
	}
	for k, rows := range count {
		if rows > 0 {
			n[c.Levels[k]] += rows
		}
	}
	return slices.Sorted(maps.Keys(n)), n
}

// mostFrequent is the k levels of the most rows, in their order; among equals the first ones.
func mostFrequent(levels []string, n map[string]int, k int) []string {
	byRows := slices.Clone(levels)
	slices.SortStableFunc(byRows, func(a, b string) int { return n[b] - n[a] })
	byRows = byRows[:k]
	slices.Sort(byRows)
	return byRows
}

type drop struct {
	Common `yaml:",inline"`
}

func (s *drop) check(d settings.Node) settings.Problems { return needsColumns(d, s.Columns) }

func (s *drop) fit(f *fitting) error {
	if len(s.Columns) == 0 {
		return errors.New("names no columns")
	}
	f.remove(func(c *column) bool { return s.on(c, f.table) })
	return nil
}

type selectStep struct {
	Common `yaml:",inline"`
}

func (s *selectStep) check(d settings.Node) settings.Problems { return needsColumns(d, s.Columns) }

func (s *selectStep) fit(f *fitting) error {
	if len(s.Columns) == 0 {
		return errors.New("names no columns")
	}
	f.remove(func(c *column) bool { return !s.on(c, f.table) })
	return nil
}

func needsColumns(d settings.Node, columns []string) settings.Problems {
	if len(columns) == 0 {
		return settings.Problems{d.Problem("the step needs columns")}
	}
	return nil
}

type dropConstant struct {
	Common `yaml:",inline"`
}

func (s *dropConstant) fit(f *fitting) error {
	rows := f.learnFrom(&s.Common)
	gone := map[*column]bool{}
	for _, c := range f.columns {
		if !s.on(c, f.table) {
			continue
		}
		if c.text {
			levels, _ := seenLevels(&f.table.Columns[c.source], rows, c.absent)
			gone[c] = len(levels) <= 1
			continue
		}
		v := f.values(c, rows)
		gone[c] = constant(v) && (!c.gaps || len(v) == 0 || len(v) == len(rows))
	}
	f.keepDropped(gone, s.Step, rows)
	f.removeNoting(gone, "is constant in training and dropped")
	return nil
}
