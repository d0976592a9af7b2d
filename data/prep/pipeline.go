package prep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync/atomic"

	"plumbline/data"
	"plumbline/numeric/parallel"
)

// Pipeline is fitted preprocessing. Its JSON form is the run's prep.json.
type Pipeline struct {
	Outputs []Output `json:"outputs"`
	Notes   []string `json:"notes,omitempty"`
	// Warnings are what a reader of results should know of the columns.
	Warnings []string `json:"warnings,omitempty"`
	// Dropped are the columns that steps took out since they did not vary in training.
	Dropped []Dropped `json:"dropped,omitempty"`
	// Projection, where there is one, makes the matrix of the outputs.
	Projection *Projection `json:"projection,omitempty"`
}

// Width is how many columns the matrix has.
func (p *Pipeline) Width() int {
	if p.Projection != nil {
		return len(p.Projection.Vectors)
	}
	return len(p.Outputs)
}

// Output is one column of the matrix: a number column of the table, or one level of a category column,
// and the operations on it.
type Output struct {
	Name   string `json:"name"`
	Source string `json:"source"`
	// Level is set on the columns of a category: the value that they stand for.
	Level string `json:"level,omitempty"`
	Dummy bool   `json:"dummy,omitempty"` // 1 where the category column Source is Level, else 0
	// Missing is set on the level that missing categories count as.
	Missing bool `json:"missing,omitempty"`
	// Codes are the levels of a category column that becomes the place of its value among them; one that is not there
	// is NaN. Absent is the level that missing categories count as; empty: none.
	Codes  []string `json:"codes,omitempty"`
	Absent string   `json:"absent,omitempty"`
	// Gaps is set where missing numbers are left as they are.
	Gaps bool `json:"gaps,omitempty"`
	Ops  []Op `json:"ops,omitempty"`
}

func (f *fitting) pipeline() (*Pipeline, error) {
	p := &Pipeline{Notes: f.notes, Warnings: f.warnings, Dropped: f.gone, Projection: f.projection}
	for _, c := range f.columns {
		if c.text && c.codes == nil {
			return nil, fmt.Errorf(
				"prep: column %s holds categories, which are no numbers: add the step onehot, or drop it",
				c.name,
			)
		}
		p.Outputs = append(
			p.Outputs,
			Output{
				Name:    c.name,
				Source:  f.table.Columns[c.source].Name,
				Level:   c.level,
				Dummy:   c.dummy,
				Missing: c.holds,
				Codes:   c.codes,
				Gaps:    c.gaps,
				Ops:     c.ops,
			},
		)
		if c.codes != nil {
			p.Outputs[len(p.Outputs)-1].Absent = c.absent
		}
	}
	return p, p.check()
}

func (p *Pipeline) check() error {
	if len(p.Outputs) == 0 {
		return errors.New("prep: no columns are left")
	}
	for i := range p.Outputs {
		o := &p.Outputs[i]
		if o.Codes != nil && (o.Dummy || o.Gaps || len(o.Ops) > 0 || len(o.Codes) > maxCodes) {
			return fmt.Errorf("prep: column %s: %d codes with other operations", o.Name, len(o.Codes))
		}
		for k := range o.Ops {
			if err := o.Ops[k].check(); err != nil {
				return fmt.Errorf("prep: column %s: %w", o.Name, err)
			}
		}
	}
	if p.Projection != nil {
		return p.Projection.check(len(p.Outputs))
	}
	return nil
}

// UnmarshalJSON reads and checks a saved pipeline.
func (p *Pipeline) UnmarshalJSON(raw []byte) error {
	type plain Pipeline
	var q plain
	if err := json.Unmarshal(raw, &q); err != nil {
		return fmt.Errorf("prep: %w", err)
	}
	*p = Pipeline(q)
	return p.check()
}

// Features are the matrix's columns.
func (p *Pipeline) Features() []data.Feature {
	if p.Projection != nil {
		return p.Projection.features()
	}
	out := make([]data.Feature, len(p.Outputs))
	for i, o := range p.Outputs {
		out[i] = data.Feature{Name: o.Name, Source: o.Source}
		if o.Dummy || o.Level != "" {
			out[i].Kind, out[i].Level = data.Level, o.Level
		}
		if o.Codes != nil {
			out[i].Kind = data.Code
		}
	}
	return out
}

// Columns is the names of the matrix's columns.
func (p *Pipeline) Columns() []string {
	features := p.Features()
	out := make([]string, len(features))
	for i := range features {
		out[i] = features[i].Name
	}
	return out
}

// compiled is a pipeline bound to a table.
type compiled struct {
	d       int
	base    []float32 // a row of nothing but absent levels
	numbers []number
	texts   []text
	coded   []coded
}

// coded is one column of codes.
type coded struct {
	at      int
	src     *data.Column
	code    []float32 // by code of the source column
	missing float32
}

// newCoded binds a column of codes to a source column.
func newCoded(at int, o *Output, src *data.Column) coded {
	place := func(level string) float32 {
		if k := slices.Index(o.Codes, level); k >= 0 {
			return float32(k)
		}
		return float32(math.NaN())
	}
	c := coded{at: at, src: src, missing: float32(math.NaN())}
	if o.Absent != "" {
		c.missing = place(o.Absent)
	}
	for _, level := range src.Levels {
		c.code = append(c.code, place(level))
	}
	return c
}

type number struct {
	at  int
	src *data.Column
	ops []Op
}

// text is one category column: for each of its codes, the outputs that it sets.
type text struct {
	src     *data.Column
	set     [][]assignment
	missing []assignment
}

type assignment struct {
	at int
	v  float32
}

func (p *Pipeline) compile(t *data.Table) (*compiled, error) {
	c := &compiled{d: len(p.Outputs), base: make([]float32, len(p.Outputs))}
	at := map[string]int{}
	column := t.Lookup()
	for i := range p.Outputs {
		o := &p.Outputs[i]
		src, err := column(o.Source)
		if err != nil {
			return nil, err
		}
		want := data.Number
		if o.Dummy || o.Codes != nil {
			want = data.Category
		}
		if src.Type != want {
			return nil, fmt.Errorf("column %s is of type %v, the pipeline wants %v", o.Source, src.Type, want)
		}
		if o.Codes != nil {
			c.coded = append(c.coded, newCoded(i, o, src))
			continue
		}
		if !o.Dummy {
			c.numbers = append(c.numbers, number{i, src, o.Ops})
			continue
		}
		k, ok := at[o.Source]
		if !ok {
			k = len(c.texts)
			at[o.Source] = k
			c.texts = append(c.texts, text{src: src, set: make([][]assignment, len(src.Levels))})
		}
		off, on := run(o.Ops, 0), run(o.Ops, 1)
		if !finite32(off) || !finite32(on) {
			return nil, fmt.Errorf("column %s becomes infinite", o.Name)
		}
		c.base[i] = float32(off)
		set := assignment{i, float32(on)}
		if code := slices.Index(src.Levels, o.Level); code >= 0 {
			c.texts[k].set[code] = append(c.texts[k].set[code], set)
		}
		if o.Missing {
			c.texts[k].missing = append(c.texts[k].missing, set)
		}
	}
	return c, nil
}

func finite32(v float64) bool { return math.Abs(v) <= math.MaxFloat32 }

// blockRows is how many rows a worker fills at a time.
const blockRows = 2048

// Apply fills a Vectors set with the rows, in that order, on up to workers goroutines. A value that no
// operation made finite (a missing number without impute) is an error with its place.
func (p *Pipeline) Apply(ctx context.Context, t *data.Table, rows []int32, workers int) (*data.Set, error) {
	c, err := p.compile(t)
	if err != nil {
		return nil, fmt.Errorf("prep: %w", err)
	}
	s := &data.Set{
		Kind:     data.Vectors,
		N:        len(rows),
		D:        p.Width(),
		Features: p.Features(),
		Rows:     rows,
		X:        make([]float32, len(rows)*p.Width()),
	}
	if t.Attack != nil {
		s.Attack, s.Class, s.Classes = pickRows(t.Attack, rows), pickRows(t.Class, rows), t.Classes
	}
	blocks := (len(rows) + blockRows - 1) / blockRows
	errs := make([]error, blocks)
	var next atomic.Int64
	var wg parallel.Group
	for range min(max(1, workers), blocks) {
		wg.Go(func() {
			var wide []float32
			if p.Projection != nil {
				wide = make([]float32, min(blockRows, len(rows))*c.d)
			}
			for {
				b := int(next.Add(1)) - 1
				if b >= blocks || ctx.Err() != nil {
					return
				}
				from, to := b*blockRows, min((b+1)*blockRows, len(rows))
				out := s.X[from*s.D : to*s.D]
				if p.Projection == nil {
					errs[b] = c.fill(t, p, rows[from:to], out)
				} else if errs[b] = c.fill(t, p, rows[from:to], wide[:(to-from)*c.d]); errs[b] == nil {
					errs[b] = p.Projection.apply(wide, out)
				}
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("prep: %w", err)
		}
	}
	return s, ctx.Err()
}

// ValueError is a number that no operation made finite.
type ValueError struct {
	Where          string // file:line
	Row            int32  // of the table
	Name, Source   string // of the matrix's column, and of the table's
	Value, Becomes float64
}

func (e *ValueError) Error() string {
	return fmt.Sprintf("%s: column %s: value %v becomes %v; add impute, or clip before", e.Where, e.Name, e.Value,
		e.Becomes)
}

func (c *compiled) fill(t *data.Table, p *Pipeline, rows []int32, x []float32) error {
	for i := range rows {
		copy(x[i*c.d:], c.base)
	}
	values := make([]float64, len(rows))
	for _, n := range c.numbers {
		for i, r := range rows {
			values[i] = n.src.Num[r]
		}
		for k := range n.ops {
			n.ops[k].all(values)
		}
		gaps := p.Outputs[n.at].Gaps
		for i, v := range values {
			if !finite32(v) && !(gaps && v != v) {
				r := rows[i]
				return &ValueError{t.Where(r), r, p.Outputs[n.at].Name, p.Outputs[n.at].Source, n.src.Num[r], v}
			}
			x[i*c.d+n.at] = float32(v)
		}
	}
	for _, k := range c.coded {
		for i, r := range rows {
			v := k.missing
			if code := k.src.Code[r]; code != data.Missing {
				v = k.code[code]
			}
			x[i*c.d+k.at] = v
		}
	}
	for k := range c.texts {
		tx := &c.texts[k]
		for i, r := range rows {
			set := tx.missing
			if code := tx.src.Code[r]; code != data.Missing {
				set = tx.set[code]
			}
			for _, a := range set {
				x[i*c.d+a.at] = a.v
			}
		}
	}
	return nil
}

func pickRows[T any](from []T, rows []int32) []T {
	out := make([]T, len(rows))
	for i, r := range rows {
		out[i] = from[r]
	}
	return out
}
