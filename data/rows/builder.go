package rows

import (
	"errors"
	"fmt"
	"runtime"
	"slices"

	"plumbline/data"
	"plumbline/numeric/parallel"
)

// Plan is what is asked of the columns of files.
type Plan struct {
	Name    string              // of the data set, for messages
	Label   string              // the column that holds the label, read as text whatever its type; empty: none
	Class   string              // the column that holds the class, read as text; empty: none
	Levels  []string            // further columns that tell the truth: they must be there and are not kept
	Drop    []string            // columns that are not kept
	Single  bool                // there is one file alone: it must have the columns of Drop
	Aliases map[string][]string // other names that files give to columns
	// Foreign is what a file with that many columns is known to be, as an addition to an error; "" where it is not.
	Foreign func(columns int) string
}

// Builder collects parsed chunks of files, in order, and makes a table of them. Their values are copied into
// columns for which the room is foreseen from the size of the files, so that the chunks' memory, which the
// processor still has at hand, serves again, and a large file is held once, not twice.
type Builder struct {
	Plan
	Expected int64 // bytes of text that all files together have; 0: not known
	Memory   int64 // bytes that the table may take; 0: any
	Hopeless int   // rows after which reading ends with ErrHopeless where none could be read; 0: it goes on
	// Each is given the rows in blocks, in order, instead of the builder keeping them; nil: they are kept.
	Each     func(*Block) error
	taken    int64           // bytes of text that were taken over
	specs    []ColumnSpec    // nil until the first file says
	columns  []gathered      // one for each spec
	met      map[string]bool // columns that some file has
	lines    stack[int32]
	Rows     int      // that were read
	BadCount int      // rows that could not be read
	Examples []BadRow // the first MaxExamples of them
	Warnings []string // one line each
}

// gathered is one column as it grows.
type gathered struct {
	num    stack[float64]
	nanos  stack[int64]
	code   stack[uint32]
	levels map[string]uint32
	names  []string
}

// role says what becomes of a parsed column.
type role uint8

const (
	feature role = iota
	dropped
	label
	class
)

// NewBuilder is a builder without rows.
func NewBuilder(p Plan) *Builder { return &Builder{Plan: p, met: map[string]bool{}} }

// role is what becomes of the named column.
func (b *Builder) role(name string) role {
	switch {
	case name == b.Label && name != "":
		return label
	case name == b.Class && name != "":
		return class
	case slices.Contains(b.Drop, name), slices.Contains(b.Levels, name):
		return dropped
	}
	return feature
}

// Begin sets or checks the columns of the next file, and returns them with those of the truth as texts.
func (b *Builder) Begin(specs []ColumnSpec) ([]ColumnSpec, error) {
	specs = b.asTexts(specs)
	return specs, b.fix(specs)
}

// asTexts is the columns with those of the truth as texts: a label is compared as it is written, so that 0
// and 1 under a header without types are labels too.
func (b *Builder) asTexts(specs []ColumnSpec) []ColumnSpec {
	specs = slices.Clone(specs)
	for i, s := range specs {
		if r := b.role(s.Name); r == label || r == class {
			specs[i].Type = "category"
		}
	}
	return specs
}

// fix sets or checks the columns of the next file.
func (b *Builder) fix(specs []ColumnSpec) error {
	seen := map[string]bool{}
	for _, s := range specs {
		if seen[s.Name] {
			return fmt.Errorf("two columns are named %q", s.Name)
		}
		seen[s.Name] = true
	}
	if b.specs != nil {
		if slices.Equal(b.specs, specs) {
			return nil
		}
		return fmt.Errorf("the columns differ from those of the files before: %s", difference(b.specs, specs))
	}
	for _, want := range slices.Concat([]string{b.Label, b.Class}, b.Levels) {
		if want != "" && !seen[want] {
			return noColumn(want, specs)
		}
	}
	for _, d := range b.Drop { // of several files, others may have it
		if !seen[d] && b.Single {
			return noColumn(d, specs)
		}
	}
	b.specs = specs
	b.columns = make([]gathered, len(specs))
	for i := range b.columns {
		b.columns[i].levels = map[string]uint32{}
	}
	return nil
}

// room is for how many more rows a new array is made when a chunk is taken over: as many as the rest of the
// text is likely to hold, or a quarter of what is there.
func (b *Builder) room(p *Chunk) int {
	if likely := b.likely(p); likely > 0 {
		const margin = 1.1
		return int(min(likely*margin, float64(b.Expected))) - b.Rows // a row has a byte at least
	}
	const least = 1 << 14
	return max(b.Rows/4, least)
}

// Add takes the next chunk over. Nothing of the chunk is kept. The error wraps ErrMemory, and nothing was taken then.
func (b *Builder) Add(p *Chunk) error {
	if b.Each == nil {
		if err := b.keep(p); err != nil {
			return err
		}
	} else if err := b.handOver(p); err != nil {
		return err
	}
	b.Rows += len(p.Lines)
	b.taken += int64(p.text)
	b.BadCount += p.BadCount
	b.Examples = append(b.Examples, p.Bad[:min(len(p.Bad), MaxExamples-len(b.Examples))]...)
	if b.Hopeless > 0 && b.Rows == 0 && b.BadCount >= b.Hopeless {
		return ErrHopeless
	}
	return nil
}

// ErrHopeless says that none of the first rows could be read.
var ErrHopeless = errors.New("none of the first rows can be read")

// keep copies a chunk to the columns.
func (b *Builder) keep(p *Chunk) error {
	if err := b.fits(p); err != nil {
		return err
	}
	room := b.room(p)
	for i := range b.columns {
		c := &b.columns[i]
		s := &p.Columns[i]
		switch {
		case s.Num != nil:
			c.num.push(s.Num, room)
		case s.Nanos != nil:
			c.nanos.push(s.Nanos, room)
		case s.Code != nil:
			c.code.push(c.translate(s), room)
		}
	}
	b.lines.push(p.Lines, room)
	return nil
}

// Bad counts one more unreadable row.
func (b *Builder) Bad(row BadRow) {
	if b.BadCount++; len(b.Examples) < MaxExamples {
		b.Examples = append(b.Examples, row)
	}
}

// translate turns a chunk's own codes into the column's.
func (c *gathered) translate(p *ColumnChunk) []uint32 {
	to := make([]uint32, len(p.names))
	for i, n := range p.names {
		id, ok := c.levels[n]
		if !ok {
			id = uint32(len(c.names))
			c.levels[n] = id
			c.names = append(c.names, n)
		}
		to[i] = id
	}
	for i, v := range p.Code {
		if v != data.Missing {
			p.Code[i] = to[v]
		}
	}
	return p.Code
}

// Dropped says whether a column is not kept.
func (b *Builder) Dropped(name string) bool { return b.role(name) == dropped }

// Skips says of each column whether it is not kept.
func (b *Builder) Skips(specs []ColumnSpec) []bool {
	skip := make([]bool, len(specs))
	for i, s := range specs {
		skip[i] = b.Dropped(s.Name)
	}
	return skip
}

// Texts is a column of texts as codes, with the texts that they stand for.
type Texts struct {
	Code   []uint32 // data.Missing where a row has none
	Levels []string
}

// Truth is the label and the class column after table; nil where there is none.
func (b *Builder) Truth() (labels, classes *Texts) {
	for i, s := range b.specs {
		switch b.role(s.Name) {
		case label:
			labels = &Texts{b.columns[i].code.join(b.Rows), b.columns[i].names}
		case class:
			classes = &Texts{b.columns[i].code.join(b.Rows), b.columns[i].names}
		}
	}
	return labels, classes
}

// Table joins what is not in one array yet, one column after the other, letting go of each as it is done. The columns
// of the truth are left to truth.
func (b *Builder) Table() (*data.Table, error) {
	if b.Rows == 0 {
		return nil, fmt.Errorf("data: %s: no rows", b.Name)
	}
	for _, d := range b.Drop {
		if len(b.met) > 0 && !b.met[d] &&
			!slices.ContainsFunc(b.specs, func(s ColumnSpec) bool { return s.Name == d }) {
			return nil, fmt.Errorf("data: %s: drop: %w", b.Name, noColumn(d, b.specs))
		}
	}
	t := &data.Table{Name: b.Name, Rows: b.Rows, Lines: b.lines.join(b.Rows)}
	var features []int
	freed := 0
	for i, s := range b.specs {
		if b.role(s.Name) == feature {
			features = append(features, i)
		}
	}
	t.Columns = make([]data.Column, len(features))
	// a few columns at a time, and what they were made of is given back before the next
	wave := min(len(features), runtime.GOMAXPROCS(0))
	for from := 0; from < len(features); from += wave {
		var wg parallel.Group
		for k := from; k < min(from+wave, len(features)); k++ {
			g := &b.columns[features[k]]
			if !g.num.whole() || !g.nanos.whole() || !g.code.whole() {
				freed += b.Rows * 8
			}
			wg.Go(func() {
				t.Columns[k] = g.column(b.specs[features[k]], b.Rows)
				*g = gathered{}
			})
		}
		wg.Wait()
		if freed > collectAfter || from+wave >= len(features) && freed > collectAfter/16 {
			runtime.GC()
			freed = 0
		}
	}
	return t, nil
}

// collectAfter is after how many joined bytes what they were joined from is collected rather than left to
// pile up.
const collectAfter = 32 << 20

func (g *gathered) column(s ColumnSpec, rows int) data.Column {
	c := data.Column{Name: s.Name, Type: s.Type.ColumnType()}
	switch c.Type {
	case data.Number:
		c.Num = g.num.join(rows)
	case data.Time:
		c.Nanos = g.nanos.join(rows)
	default:
		c.Code, c.Levels = g.code.join(rows), g.names
	}
	return c
}
