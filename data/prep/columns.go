package prep

import (
	"errors"
	"slices"

	"plumbline/configs/settings"
	"plumbline/data"
)

func init() {
	register("onehot", "turns each category column into one 0/1 column a level", func() step {
		return &oneHot{Common: Common{Step: "onehot", Fit: "benign"}}
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
}

func (s *oneHot) fit(f *fitting) error {
	rows := f.learnFrom(&s.Common)
	var kept, dummies []*column
	for _, c := range f.columns {
		if !c.text || !s.on(c, f.table) {
			kept = append(kept, c)
			continue
		}
		levels := seenLevels(&f.table.Columns[c.source], rows, c.absent)
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

// seenLevels is the levels of the rows, sorted; missing ones count as the level missing, if that is set.
func seenLevels(c *data.Column, rows []int32, missing string) []string {
	seen := make([]bool, len(c.Levels))
	var out []string
	for _, r := range rows {
		if k := c.Code[r]; k != data.Missing {
			seen[k] = true
		} else if missing != "" && !slices.Contains(out, missing) {
			out = append(out, missing)
		}
	}
	for k, s := range seen {
		if s && !slices.Contains(out, c.Levels[k]) {
			out = append(out, c.Levels[k])
		}
	}
	slices.Sort(out)
	return out
}

type drop struct {
	Common `yaml:",inline"`
}

func (s *drop) check(d settings.Doc) settings.Problems { return needsColumns(d, s.Columns) }

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

func (s *selectStep) check(d settings.Doc) settings.Problems { return needsColumns(d, s.Columns) }

func (s *selectStep) fit(f *fitting) error {
	if len(s.Columns) == 0 {
		return errors.New("names no columns")
	}
	f.remove(func(c *column) bool { return !s.on(c, f.table) })
	return nil
}

func needsColumns(d settings.Doc, columns []string) settings.Problems {
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
			gone[c] = len(seenLevels(&f.table.Columns[c.source], rows, c.absent)) <= 1
			continue
		}
		v := f.values(c, rows)
		gone[c] = len(v) == 0 || slices.Min(v) == slices.Max(v)
	}
	f.removeNoting(gone, "is constant in training and dropped")
	return nil
}
