package rows

import (
	"fmt"
	"slices"

	"plumbline/data"
)

// BadRow is a row that could not be read.
type BadRow struct {
	File         string
	Line, Column int // 1-based; Column counts fields
	Reason       string
}

func (b BadRow) String() string {
	if b.Column > 0 {
		return fmt.Sprintf("%s:%d:%d: %s", b.File, b.Line, b.Column, b.Reason)
	}
	return fmt.Sprintf("%s:%d: %s", b.File, b.Line, b.Reason)
}

// MaxExamples is how many bad rows a report keeps.
const MaxExamples = 20

// Chunk is what one block of a file was parsed to.
type Chunk struct {
	Columns  []ColumnChunk // one for each column, without values for those that are not kept
	Lines    []int32       // of the file, one for each row
	Bad      []BadRow      // the first MaxExamples of the rows that cannot be read
	BadCount int
	text     int // bytes
	err      error
}

// ColumnChunk is one column of a chunk. One of the three slices is not nil and holds its values.
type ColumnChunk struct {
	Num   []float64 // NaN is missing
	Nanos []int64   // since 1970; data.NoTime is missing
	Code  []uint32  // of texts, in order of first appearance; data.Missing is missing
	ids   map[string]uint32
	names []string
}

// NewChunk is an empty chunk of these columns. Those of skip are not kept: they have no values.
func NewChunk(specs []ColumnSpec, skip []bool) *Chunk {
	p := &Chunk{Columns: make([]ColumnChunk, len(specs))}
	for i, s := range specs {
		if !skip[i] {
			p.Columns[i] = NewColumnChunk(s.Type, 0)
		}
	}
	return p
}

// NewColumnChunk is an empty column that has room for the given number of values.
func NewColumnChunk(k Kind, room int) (s ColumnChunk) {
	switch k.ColumnType() {
	case data.Number:
		s.Num = make([]float64, 0, room)
	case data.Time:
		s.Nanos = make([]int64, 0, room)
	default:
		s.Code, s.ids = make([]uint32, 0, room), map[string]uint32{}
	}
	return s
}

// Clear empties a chunk and keeps its memory.
func (p *Chunk) Clear() *Chunk {
	for i := range p.Columns {
		s := &p.Columns[i]
		s.Num, s.Nanos, s.Code, s.names = s.Num[:0], s.Nanos[:0], s.Code[:0], s.names[:0]
		clear(s.ids)
	}
	*p = Chunk{Columns: p.Columns, Lines: p.Lines[:0]}
	return p
}

// grow makes room for n rows.
func (p *Chunk) grow(n int) {
	p.Lines = slices.Grow(p.Lines, n)
	for i := range p.Columns {
		s := &p.Columns[i]
		switch {
		case s.Num != nil:
			s.Num = slices.Grow(s.Num, n)
		case s.Nanos != nil:
			s.Nanos = slices.Grow(s.Nanos, n)
		case s.Code != nil:
			s.Code = slices.Grow(s.Code, n)
		}
	}
}

// truncate takes a half-read row back.
func (p *Chunk) truncate() {
	n := len(p.Lines)
	for i := range p.Columns {
		s := &p.Columns[i]
		if len(s.Num) > n {
			s.Num = s.Num[:n]
		}
		if len(s.Nanos) > n {
			s.Nanos = s.Nanos[:n]
		}
		if len(s.Code) > n {
			s.Code = s.Code[:n]
		}
	}
}

// Miss adds a missing value.
func (s *ColumnChunk) Miss() {
	switch {
	case s.Num != nil:
		s.Num = append(s.Num, nan)
	case s.Nanos != nil:
		s.Nanos = append(s.Nanos, data.NoTime)
	default:
		s.Code = append(s.Code, data.Missing)
	}
}

var nan = func() float64 { var z float64; return z / z }()

// Intern is the code of a text.
func (s *ColumnChunk) Intern(text string) uint32 {
	id, ok := s.ids[text]
	if !ok {
		id = uint32(len(s.names))
		s.ids[text] = id
		s.names = append(s.names, text)
	}
	return id
}
