// Package derive adds columns to a table that are made of its own: aggregates over an entity's last seconds, the value
// of an expression for each row, and parts of a time. It finds values that cannot be right and sets them to missing
// ([Repair]). Nothing here learns from data, and labels play no part.
package derive

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"plumbline/data"
)

// Spec is one entry: either an expression, or parts of a time, or rolling aggregates.
type Spec struct {
	Rolling `yaml:",inline"`
	// name of the column that expr makes
	Name string `yaml:"name"`
	// value of a row: numbers, columns by name, + - * / % **, comparisons, and, or, not, condition ? a : b, abs, ceil,
	// floor, round, min, max, log, log1p, sqrt, exp, missing(x); times are seconds since 1970; a column whose name is no
	// word is written col("Flow Duration"). A missing value makes arithmetic missing, and so does a division by zero
	Expr string `yaml:"expr"`
	// parts of a time column to add, each as <column>_<part>: hour (with its fraction, 0 to 24), weekday (0 is Monday),
	// day (of the month), second (of the day); in UTC
	Parts []string `yaml:"parts" jsonschema:"enum=hour,enum=weekday,enum=day,enum=second"`
	// time column that parts are of; default the first
	Of string `yaml:"of"`
	// parts as sine and cosine of their cycle, so that 23 and 0 are neighbours: <column>_<part>_sin and _cos
	Cyclic bool `yaml:"cyclic"`
}

// Check says what is wrong before any row is read. columns are the names and types that are known by then; where
// others says so, the table may have more columns, of any type.
func (s Spec) Check(columns map[string]data.ColumnType, others bool) error {
	rolling := len(s.Key) > 0 || s.Seconds != 0 || s.Count || len(s.Sum)+len(s.Mean)+len(s.Distinct) > 0
	kinds := 0
	for _, is := range []bool{s.Expr != "", len(s.Parts) > 0, rolling} {
		if is {
			kinds++
		}
	}
	switch {
	case kinds != 1:
		return errors.New("want one of expr, parts, and rolling aggregates (key, seconds and what to aggregate)")
	case rolling && (s.Name != "" || s.Of != "" || s.Cyclic):
		return errors.New("rolling aggregates are named after their columns and seconds: no name, of or cyclic")
	case rolling:
		return s.Rolling.check()
	case len(s.Parts) > 0 && s.Name != "":
		return errors.New("parts are named after the time column: no name")
	case len(s.Parts) > 0:
		return nil
	case s.Name == "" || s.Of != "" || s.Cyclic:
		return errors.New("expr needs a name for its column, and neither of nor cyclic")
	}
	if _, there := columns[s.Name]; there {
		return fmt.Errorf("there is a column %q already", s.Name)
	}
	_, err := compile(s.Expr, columns, others)
	return err
}

// Made is the names and types of the columns that an entry adds, as far as they are known before rows are read.
func (s Spec) Made(columns map[string]data.ColumnType, others bool) map[string]data.ColumnType {
	out := map[string]data.ColumnType{}
	if s.Expr != "" {
		if p, err := compile(s.Expr, columns, others); err == nil {
			out[s.Name] = p.result
		}
	}
	return out
}

// Add appends the columns to a table, on up to workers goroutines.
func (s Spec) Add(t *data.Table, workers int) error {
	switch {
	case s.Expr != "":
		return s.addExpr(t, workers)
	case len(s.Parts) > 0:
		return s.addParts(t)
	}
	return s.Rolling.add(t)
}

// fresh says whether a table has no column of a name yet.
func fresh(t *data.Table, name string) error {
	if slices.ContainsFunc(t.Columns, func(c data.Column) bool { return c.Name == name }) {
		return fmt.Errorf("the table has a column %q already", name)
	}
	return nil
}

func known(columns map[string]data.ColumnType) string {
	var names []string
	for n := range columns {
		names = append(names, n)
	}
	slices.Sort(names)
	const shown = 12
	if len(names) > shown {
		return strings.Join(names[:shown], ", ") + fmt.Sprintf(" and %d more", len(names)-shown)
	}
	return strings.Join(names, ", ")
}
