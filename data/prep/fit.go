package prep

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync/atomic"

	"plumbline/data"
	"plumbline/numeric/parallel"
)

// Rows are the training rows of a table: the benign ones, and all of them.
type Rows struct {
	Benign, All []int32
	// Learn fits the models that steps rank columns by; nil: such steps are errors.
	Learn Learner
}

// column is one column in progress: a source column and what is done to its values so far, or one level of
// a one-hot encoded source column.
type column struct {
	name   string
	source int // index in the table
	text   bool
	absent string // text: the level that a missing value counts as; empty: none
	level  string // of a dummy
	dummy  bool
	holds  bool     // dummy: missing values count as its level
	gaps   bool     // a number column whose missing values stay missing
	codes  []string // a text column that becomes the place of its value among these
	ops    []Op
}

// fitting is a pipeline in the making.
type fitting struct {
	ctx      context.Context
	table    *data.Table
	rows     Rows
	workers  int
	columns  []*column
	notes    []string
	warnings []string
	gone     []Dropped

	projection *Projection // of the last step
	native     bool        // for models that take missing values and categories
}

// Fit learns the steps' parameters from the training rows. The table's number columns come first in the
// result, one-hot columns after them, both in the order of the table. Times and addresses are not
// features; leaving them out is noted.
func (s Spec) Fit(ctx context.Context, t *data.Table, r Rows, workers int) (*Pipeline, error) {
	return s.fit(&fitting{ctx: ctx, table: t, rows: r, workers: max(1, workers)})
}

// Native says whether a step leaves missing values or categories to models that take them (models.Needs.Native).
func (s Spec) Native() bool {
	return slices.ContainsFunc(s.steps, func(st step) bool {
		n, ok := st.(interface{ leaves() bool })
		return ok && n.leaves()
	})
}

// FitNative is Fit for models that take missing values and categories: steps that are native leave them these.
func (s Spec) FitNative(ctx context.Context, t *data.Table, r Rows, workers int) (*Pipeline, error) {
	return s.fit(&fitting{ctx: ctx, table: t, rows: r, workers: max(1, workers), native: true})
}

func (s Spec) fit(f *fitting) (*Pipeline, error) {
	ctx, t := f.ctx, f.table
	for i := range t.Columns {
		switch c := &t.Columns[i]; c.Type {
		case data.Number, data.Category:
			f.columns = append(f.columns, &column{name: c.Name, source: i, text: c.Type == data.Category})
		default:
			f.notes = append(f.notes, fmt.Sprintf("column %s (%v) is not a feature", c.Name, c.Type))
		}
	}
	for i, st := range s.steps {
		c := st.common()
		if err := f.checkColumns(c); err != nil {
			return nil, fmt.Errorf("prep: %w", err)
		}
		if len(f.learnFrom(c)) == 0 {
			return nil, fmt.Errorf("prep: step %d (%s): no training rows to learn from", i+1, c.Step)
		}
		if err := st.fit(f); err != nil {
			return nil, fmt.Errorf("prep: step %d (%s): %w", i+1, c.Step, err)
		}
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("prep: %w", err)
		}
	}
	return f.pipeline()
}

// checkColumns refuses names that the table does not have.
func (f *fitting) checkColumns(c *Common) error {
	var names []string
	for i := range f.table.Columns {
		names = append(names, f.table.Columns[i].Name)
	}
	for _, n := range c.Columns {
		if !slices.Contains(names, n) {
			return unknownColumn(c.Step, n, names)
		}
	}
	return nil
}

func (f *fitting) learnFrom(c *Common) []int32 {
	if c.Fit == "train" {
		return f.rows.All
	}
	return f.rows.Benign
}

// on says whether a step works on the column.
func (c *Common) on(col *column, t *data.Table) bool {
	return len(c.Columns) == 0 || slices.Contains(c.Columns, t.Columns[col.source].Name)
}

// each works on the columns that pick selects, side by side.
func (f *fitting) each(pick func(*column) bool, work func(*column) error) error {
	var chosen []*column
	for _, c := range f.columns {
		if pick(c) {
			chosen = append(chosen, c)
		}
	}
	errs := make([]error, len(chosen))
	var next atomic.Int64
	var wg parallel.Group
	for range min(f.workers, len(chosen)) {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(chosen) || f.ctx.Err() != nil {
					return
				}
				errs[i] = work(chosen[i])
			}
		})
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			return fmt.Errorf("column %s: %w", chosen[i].name, err)
		}
	}
	return f.ctx.Err()
}

// values is the column as it stands after the steps so far, over the rows; missing numbers are left out.
func (f *fitting) values(c *column, rows []int32) []float64 {
	src := &f.table.Columns[c.source]
	out := make([]float64, 0, len(rows))
	if c.dummy {
		off, on := run(c.ops, 0), run(c.ops, 1)
		code := slices.Index(src.Levels, c.level)
		for _, r := range rows {
			v := off
			if src.Code[r] == uint32(code) && code >= 0 || src.Code[r] == data.Missing && c.holds {
				v = on
			}
			out = append(out, v)
		}
		return out
	}
	for _, r := range rows {
		if v := run(c.ops, src.Num[r]); !math.IsNaN(v) {
			out = append(out, v)
		}
	}
	return out
}

// missingLevel is the level that stands for a missing category.
const missingLevel = "(missing)"

// remove takes the columns out that drop selects.
func (f *fitting) remove(drop func(*column) bool) {
	f.columns = slices.DeleteFunc(f.columns, drop)
}

func numeric(c *column) bool { return !c.text }
