package source

import (
	"context"
	"fmt"

	"plumbline/data"
	"plumbline/data/rows"
)

// streamRows is into how many rows a table is cut that cannot be read in blocks.
const streamRows = 1 << 14

// Streams says whether the rows of the data set can be read in blocks: what a row holds depends on no other row. parts
// asks for which part each row is of, which some configs tell by the length of a file.
func (c *Config) Streams(parts bool) bool {
	_, files := c.source.(fileSource)
	if !files || c.tested != nil || c.Label.Join != nil {
		return false
	}
	for _, d := range c.Derive {
		if d.Expr == "" && len(d.Parts) == 0 {
			return false
		}
	}
	for _, id := range c.Identify {
		if parts && id.Part != "" {
			return false
		}
	}
	return true
}

// Stream is [Read] for tables that need not be held: it gives the rows to each in blocks, in order, with the origins of
// the rows so far. A block is valid until each returns, and its levels are its own; classes are numbered alike in all
// blocks. Data sets that do not stream ([Config.Streams]) are read as a whole first, within the memory of the finder.
// Without parts those of files under each other's names are not to be relied on. share is how much of the text has been
// read by then, 0 where that is not known.
func Stream(ctx context.Context, c *Config, f Finder, workers int, parts bool, each func(t *data.Table,
	share float64) error) (
	rep *ReadReport, err error,
) {
	defer func() { err = c.hidden(err) }()
	if !c.Streams(parts) {
		t, rep, err := Read(ctx, c, f, workers)
		if err != nil {
			return nil, err
		}
		for from := 0; from < t.Rows; from += streamRows {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if err := each(cutRows(t, from, min(from+streamRows, t.Rows)), 0); err != nil {
				return nil, err
			}
		}
		return rep, nil
	}
	files, err := c.Expand(f)
	if err != nil {
		return nil, err
	}
	tb := newIntake(c)
	s := &stream{intake: tb, each: each, repaired: make([]int, len(c.Repair)), known: map[string]int{},
		truth: &truthMaker{labeler: newLabeler(c.Label), ids: map[string]uint32{}, same: map[string]uint32{},
			spelled: map[string][]string{}, labels: &rows.Texts{}}}
	tb.Each, tb.Expected = s.block, c.textSize(f)
	for _, part := range []struct {
		files []string
		part  data.Part
	}{{files.Train, data.PartTrain}, {files.Test, data.PartTest}} {
		if src, ok := c.source.(sequenceSource); ok && len(part.files) > 0 {
			s.part = part.part
			begin := func(name string) { s.file, s.without = name, 0 }
			err := readSequence(ctx, src, c, f, part.files, part.part, tb, max(1, workers), begin)
			if err != nil {
				return nil, err
			}
			continue
		}
		for _, name := range part.files {
			s.file, s.part, s.without = name, part.part, 0
			bad, read := tb.BadCount, tb.Rows
			if err := readFile(ctx, c.source.(fileSource), c, f, name, part.part, tb, max(1, workers)); err != nil {
				return nil, err
			}
			if s.without > 0 {
				if err := tb.tooManyBad(name, tb.BadCount-bad, tb.Rows-read+tb.BadCount-bad-s.without); err != nil {
					return nil, err
				}
			}
		}
	}
	if err := c.checkOrigins(tb.origins); err != nil {
		return nil, err
	}
	return s.report()
}

// cutRows is rows of a table as one of their own, which shares its memory.
func cutRows(t *data.Table, from, to int) *data.Table {
	out := &data.Table{Name: t.Name, Rows: to - from, Classes: t.Classes, Columns: make([]data.Column, len(t.Columns)),
		Origins: []data.Origin{{Name: t.Name, Rows: to - from}}}
	for i, c := range t.Columns {
		c.Num, c.Code, c.Nanos = between(c.Num, from, to), between(c.Code, from, to), between(c.Nanos, from, to)
		out.Columns[i] = c
	}
	out.Attack, out.Class = between(t.Attack, from, to), between(t.Class, from, to)
	out.Parts, out.Lines = between(t.Parts, from, to), between(t.Lines, from, to)
	return out
}

func between[T any](v []T, from, to int) []T {
	if v == nil {
		return nil
	}
	return v[from:to:to]
}

// stream is a data set that is read in blocks.
type stream struct {
	*intake
	each     func(*data.Table, float64) error
	file     string
	part     data.Part
	truth    *truthMaker    // across blocks: classes and their spellings
	known    map[string]int // labels, as places in truth.labels and counts
	counts   []int
	without  int // rows of the file without a label
	kept     int
	filtered int
	repaired []int
}

// block gives a block on with its truth.
func (s *stream) block(b *rows.Block) error {
	t, whole := b.Table, b.Table.Rows
	t.Parts = make([]data.Part, whole)
	for i := range t.Parts {
		t.Parts[i] = s.part
	}
	t.Origins = []data.Origin{{Name: s.file, Part: s.part, Rows: whole}}
	if !s.config.Label.None() {
		if err := s.judgeBlock(t, b); err != nil {
			return err
		}
	}
	if t.Rows > 0 && len(s.config.Filter) > 0 {
		keep, err := s.inside(t)
		if err != nil {
			return err
		}
		n := t.Rows
		t.Keep(keep)
		s.filtered += n - t.Rows
	}
	if t.Rows == 0 {
		return nil
	}
	if err := s.config.deriveBlock(t, 1, s.repaired); err != nil {
		return err
	}
	s.kept += t.Rows
	return s.each(s.config.disguised(t), s.Share())
}

// judgeBlock tells the truth of a block's rows and takes out those that the rules drop.
func (s *stream) judgeBlock(t *data.Table, b *rows.Block) error {
	m := *s.truth
	if _, all := m.labeler.file(s.file); b.Labels == nil && !all {
		return fmt.Errorf("data: %s: %s: there is no label column, and no pattern of label.files fits the file", t.Name,
			s.file)
	}
	m.t, m.classes, m.keep = t, b.Classes, nil
	if m.labels = b.Labels; m.labels == nil {
		m.labels = &rows.Texts{}
	}
	t.Classes = s.truth.labelClasses()
	m.outcomes = make([]*outcome, len(m.labels.Levels)+1)
	t.Attack, t.Class = make([]bool, t.Rows), make([]uint32, t.Rows)
	without, err := m.file(s.intake, t.Origins[0])
	if err != nil {
		return err
	}
	for k, n := range countLevels(m.labels) {
		text := m.labels.Levels[k]
		at, ok := s.known[text]
		if !ok {
			at = len(s.counts)
			s.known[text] = at
			s.truth.labels.Levels, s.counts = append(s.truth.labels.Levels, text), append(s.counts, 0)
		}
		s.counts[at] += n
	}
	s.without += without
	s.truth.dropped, s.truth.t = m.dropped, t
	if m.keep != nil {
		t.Keep(m.keep)
	}
	return nil
}

// labelClasses is the classes so far.
func (m *truthMaker) labelClasses() []string {
	if m.t == nil {
		return nil
	}
	return m.t.Classes
}

// report is what there is to say at the end.
func (s *stream) report() (*ReadReport, error) {
	c := s.config
	if s.Rows == 0 {
		return nil, fmt.Errorf("data: %s: no rows", c.Name)
	}
	if s.kept == 0 {
		return nil, fmt.Errorf("data: %s: the label rules and filters leave no rows", c.Name)
	}
	if s.truth.t != nil {
		s.Warnings = append(s.Warnings, s.truth.unused(s.counts)...)
		s.notes = append(s.notes, s.truth.spellings()...)
		if s.truth.dropped > 0 {
			s.notes = append(s.notes, fmt.Sprintf("%d of %d rows are left out by the label rules", s.truth.dropped, s.Rows))
		}
	}
	if s.filtered > 0 {
		s.notes = append(s.notes, fmt.Sprintf("%d of %d rows are left out by the filters", s.filtered, s.kept+s.filtered))
	}
	s.notes = append(s.notes, c.repairs(s.repaired, s.kept)...)
	return s.ending(s.kept), nil
}
