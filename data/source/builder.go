package source

import (
	"fmt"
	"runtime"
	"slices"
	"strings"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/numeric/parallel"
)

// plan is what is asked of the columns of files.
type plan struct {
	Name    string              // of the data set, for messages
	Label   string              // the column that holds the label, read as text whatever its type; empty: none
	Class   string              // the column that holds the class, read as text; empty: none
	Levels  []string            // further columns that tell the truth: they must be there and are not kept
	Drop    []string            // columns that are not kept
	Single  bool                // there is one file alone: it must have the columns of Drop
	Aliases map[string][]string // other names that files give to columns
	// Foreign is what a file with so wide a header or row is known to be, as an addition to an error; nil: nothing is
	// known.
	Foreign func(columns int) string
}

// builder collects parsed chunks of files, in order, and makes a table of them. Their values are copied into
// columns for which the room is foreseen from the size of the files, so that the chunks' memory, which the
// processor still has at hand, serves again, and a large file is held once, not twice.
type builder struct {
	plan
	expected int64           // bytes of text that all files together have; 0: not known
	taken    int64           // bytes of text that were taken over
	specs    []ColumnSpec    // nil until the first file says
	columns  []gathered      // one for each spec
	met      map[string]bool // columns that some file has
	lines    stack[int32]
	rows     int
	badCount int
	examples []BadRow // the first of the bad rows
	warnings []string
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

func newBuilder(p plan) *builder { return &builder{plan: p, met: map[string]bool{}} }

// role is what becomes of the named column.
func (b *builder) role(name string) role {
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

// begin sets or checks the columns of the next file, and returns them with those of the truth as texts.
func (b *builder) begin(specs []ColumnSpec) ([]ColumnSpec, error) {
	specs = b.asTexts(specs)
	return specs, b.fix(specs)
}

// asTexts is the columns with those of the truth as texts: a label is compared as it is written, so that 0
// and 1 under a header without types are labels too.
func (b *builder) asTexts(specs []ColumnSpec) []ColumnSpec {
	specs = slices.Clone(specs)
	for i, s := range specs {
		if r := b.role(s.Name); r == label || r == class {
			specs[i].Type = "category"
		}
	}
	return specs
}

// fix sets or checks the columns of the next file.
func (b *builder) fix(specs []ColumnSpec) error {
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

func noColumn(name string, specs []ColumnSpec) error {
	names := namesOf(specs)
	return fmt.Errorf("the file has no column %q, which the data config names%s; it has %s",
		name, settings.DidYouMean(name, names), strings.Join(names, ", "))
}

func namesOf(specs []ColumnSpec) []string {
	names := make([]string, len(specs))
	for i, s := range specs {
		names[i] = s.Name
	}
	return names
}

// align brings the columns of a further file, or of what follows a further header, into the order of those before.
// Dropped columns may be there or not.
func (b *builder) align(tf *TextFormat) error {
	for _, s := range tf.specs {
		b.met[s.Name] = true
	}
	if b.specs == nil || tf.at != nil || slices.Equal(b.specs, tf.specs) {
		return nil
	}
	place := map[string]int{}
	for k, s := range b.specs {
		place[s.Name] = k
	}
	at, has := make([]int, len(tf.specs)), make([]bool, len(b.specs))
	var more []string
	for i, s := range tf.specs {
		k, ok := place[s.Name]
		switch {
		case !ok && b.role(s.Name) == dropped:
			at[i] = -1
		case !ok && tf.lenient:
			at[i] = -1
			more = append(more, s.Name)
		case !ok, has[k], b.specs[k].Type != s.Type && !tf.lenient && b.role(s.Name) != dropped:
			return nil // fix says what differs
		default:
			at[i], has[k] = k, true
		}
	}
	var absent []int
	for k, s := range b.specs {
		if has[k] {
			continue
		}
		if b.role(s.Name) != dropped && !tf.lenient {
			return nil
		}
		absent = append(absent, k)
	}
	if tf.lenient {
		var lacks []string
		for _, k := range absent {
			lacks = append(lacks, b.specs[k].Name)
		}
		if err := b.lacking(tf.File, lacks, namesOf(tf.specs), b.specs); err != nil {
			return err
		}
		if len(more) > 0 {
			b.warnings = append(b.warnings, fmt.Sprintf("%s: %s has further columns, which are not read: %s",
				b.Name, tf.File, strings.Join(more, ", ")))
		}
	}
	tf.specs, tf.at, tf.absent = b.specs, at, absent
	return nil
}

func difference(a, b []ColumnSpec) string {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("column %d is %s (%s), was %s (%s)", i+1, b[i].Name, b[i].Type, a[i].Name, a[i].Type)
		}
	}
	return fmt.Sprintf("%d columns, were %d", len(b), len(a))
}

// stack is an array that grows without moving: where it is full another one follows.
type stack[T any] struct{ arrays [][]T }

// push copies values to the end. room is for how many values a new array is made.
func (s *stack[T]) push(v []T, room int) {
	for len(v) > 0 {
		n := len(s.arrays)
		if n == 0 || len(s.arrays[n-1]) == cap(s.arrays[n-1]) {
			s.arrays = append(s.arrays, make([]T, 0, max(room, len(v))))
			continue
		}
		last := &s.arrays[n-1]
		k := min(len(v), cap(*last)-len(*last))
		*last = append(*last, v[:k]...)
		v = v[k:]
	}
}

// join is the n values in one array. The stack is empty then.
func (s *stack[T]) join(n int) []T {
	arrays := s.arrays
	s.arrays = nil
	if len(arrays) == 1 {
		return arrays[0][:n:n]
	}
	out := make([]T, 0, n)
	for _, a := range arrays {
		out = append(out, a...)
	}
	return out
}

// whole says whether join copies nothing.
func (s *stack[T]) whole() bool { return len(s.arrays) <= 1 }

// room is for how many more rows a new array is made when a chunk is taken over: as many as the rest of the
// text is likely to hold, or a quarter of what is there.
func (b *builder) room(p *chunk) int {
	rows := b.rows + len(p.lines)
	if text := b.taken + int64(p.text); b.expected > text && text > 0 {
		const margin = 1.1
		likely := float64(rows) / float64(text) * float64(b.expected) * margin
		return int(min(likely, float64(b.expected))) - b.rows // a row has a byte at least
	}
	const least = 1 << 14
	return max(b.rows/4, least)
}

// add takes the next chunk over. Nothing of the chunk is kept.
func (b *builder) add(p *chunk) {
	room := b.room(p)
	for i := range b.columns {
		c := &b.columns[i]
		s := &p.columns[i]
		switch {
		case s.num != nil:
			c.num.push(s.num, room)
		case s.nanos != nil:
			c.nanos.push(s.nanos, room)
		case s.code != nil:
			c.code.push(c.translate(s), room)
		}
	}
	b.lines.push(p.lines, room)
	b.rows += len(p.lines)
	b.taken += int64(p.text)
	b.badCount += p.badCount
	b.examples = append(b.examples, p.bad[:min(len(p.bad), maxExamples-len(b.examples))]...)
}

// bad counts one more unreadable row.
func (b *builder) bad(row BadRow) {
	if b.badCount++; len(b.examples) < maxExamples {
		b.examples = append(b.examples, row)
	}
}

// translate turns a chunk's own codes into the column's.
func (c *gathered) translate(p *columnChunk) []uint32 {
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
	for i, v := range p.code {
		if v != data.Missing {
			p.code[i] = to[v]
		}
	}
	return p.code
}

// isDropped says whether a column is not kept.
func (b *builder) isDropped(name string) bool { return b.role(name) == dropped }

// skips says of each column whether it is not kept.
func (b *builder) skips(specs []ColumnSpec) []bool {
	skip := make([]bool, len(specs))
	for i, s := range specs {
		skip[i] = b.isDropped(s.Name)
	}
	return skip
}

// texts is a column of texts as codes, with the texts that they stand for.
type texts struct {
	Code   []uint32 // data.Missing where a row has none
	Levels []string
}

// truth is the label and the class column after table; nil where there is none.
func (b *builder) truth() (labels, classes *texts) {
	for i, s := range b.specs {
		switch b.role(s.Name) {
		case label:
			labels = &texts{b.columns[i].code.join(b.rows), b.columns[i].names}
		case class:
			classes = &texts{b.columns[i].code.join(b.rows), b.columns[i].names}
		}
	}
	return labels, classes
}

// table joins what is not in one array yet, one column after the other, letting go of each as it is done. The columns
// of the truth are left to truth.
func (b *builder) table() (*data.Table, error) {
	if b.rows == 0 {
		return nil, fmt.Errorf("data: %s: no rows", b.Name)
	}
	for _, d := range b.Drop {
		if len(b.met) > 0 && !b.met[d] &&
			!slices.ContainsFunc(b.specs, func(s ColumnSpec) bool { return s.Name == d }) {
			return nil, fmt.Errorf("data: %s: drop: %w", b.Name, noColumn(d, b.specs))
		}
	}
	t := &data.Table{Name: b.Name, Rows: b.rows, Lines: b.lines.join(b.rows)}
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
				freed += b.rows * 8
			}
			wg.Go(func() {
				t.Columns[k] = g.column(b.specs[features[k]], b.rows)
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
	c := data.Column{Name: s.Name, Type: s.Type.columnType()}
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
