package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"plumbline/data"
	"plumbline/data/input"
	"plumbline/data/rows"
)

// ReadReport is what reading a data set left to say.
type ReadReport struct {
	Rows     int           // read
	Bad      int           // left out
	Examples []rows.BadRow // the first of them
	Warnings []string
	Notes    []string // what the config had the reader do
}

// fileSource is a source that reads files.
type fileSource interface {
	Source
	// Read parses one file into tb. Rows that cannot be read are counted there.
	Read(ctx context.Context, in io.Reader, name string, tb *rows.Builder, workers int) error
}

// Read reads all files of a data set into one table, on up to workers goroutines; the table does not
// depend on how many. Text columns get their codes in order of first appearance.
func Read(ctx context.Context, c *Config, f Finder, workers int) (*data.Table, *ReadReport, error) {
	t, rep, err := readOwn(ctx, c, f, workers)
	if err == nil && c.tested != nil {
		t, rep, err = c.readTested(ctx, t, rep, f, workers)
	}
	if err != nil {
		return nil, nil, c.hidden(err)
	}
	return c.disguised(t), rep, nil
}

// readOwn reads the files of a data set without those of another that it is tested on.
func readOwn(ctx context.Context, c *Config, f Finder, workers int) (*data.Table, *ReadReport, error) {
	if g, ok := c.source.(Generator); ok {
		t, err := g.Generate(c.Name)
		if err == nil {
			err = c.held(t, f.Memory)
		}
		if err != nil {
			return nil, nil, err
		}
		notes, err := c.derive(t, workers)
		if err != nil {
			return nil, nil, err
		}
		return t, &ReadReport{Rows: t.Rows, Notes: notes}, nil
	}
	src, ok := c.source.(fileSource)
	if !ok {
		return nil, nil, fmt.Errorf("data: %s: format %s reads no files", c.Name, c.Format)
	}
	files, err := c.Expand(f)
	if err != nil {
		return nil, nil, err
	}
	tb := newIntake(c)
	tb.Expected, tb.Memory = c.textSize(f), f.Memory
	for _, part := range []struct {
		files []string
		part  data.Part
	}{{files.Train, data.PartTrain}, {files.Test, data.PartTest}} {
		if err := readPart(ctx, src, c, f, part.files, part.part, tb, max(1, workers)); err != nil {
			return nil, nil, err
		}
	}
	if err := c.checkOrigins(tb.origins); err != nil {
		return nil, nil, err
	}
	t, err := tb.finish()
	if err == nil && c.Label.Join != nil {
		err = tb.joinTruth(ctx, t, f, workers)
	}
	if err == nil {
		err = tb.filter(t)
	}
	var repaired []string
	if err == nil {
		repaired, err = c.derive(t, workers)
	}
	tb.notes = append(tb.notes, repaired...)
	if err != nil {
		return nil, nil, err
	}
	if err := c.held(t, f.Memory); err != nil {
		return nil, nil, err
	}
	for _, o := range tb.joined {
		o.FirstRow = t.Rows
		t.Origins = append(t.Origins, o)
	}
	return t, tb.ending(t.Rows), nil
}

// ending is what there is to say about reading, with the rows that were kept.
func (in *intake) ending(rows int) *ReadReport {
	c := in.config
	rep := &ReadReport{Rows: rows, Bad: in.BadCount, Examples: in.Examples, Warnings: in.Warnings, Notes: in.notes}
	rep.Warnings = append(rep.Warnings, expectations(c, in.read)...)
	if in.BadCount > 0 {
		rep.Warnings = append(rep.Warnings, fmt.Sprintf("%s: %d of %d rows could not be read, first %s", c.Name, in.BadCount,
			in.BadCount+rows, c.said(in.Examples[0].String())))
	}
	return rep
}

// ErrMemory says that a table does not fit the memory that it may take.
var ErrMemory = rows.ErrMemory

// held says whether a table is within the memory that it may take.
func (c *Config) held(t *data.Table, memory int64) error {
	if size := t.Bytes(); memory > 0 && size > memory {
		return fmt.Errorf("data: %s: %w: the table of %d rows takes %.3g MB, and %.3g MB may be used (--memory)", c.Name,
			ErrMemory, t.Rows, float64(size)/1e6, float64(memory)/1e6)
	}
	return nil
}

// readPart reads the files of a part.
func readPart(ctx context.Context, src fileSource, c *Config, f Finder, names []string, part data.Part, tb *intake,
	workers int) error {
	if s, ok := src.(sequenceSource); ok && len(names) > 0 {
		return readSequence(ctx, s, c, f, names, part, tb, workers, func(string) {})
	}
	for _, name := range names {
		if err := readFile(ctx, src, c, f, name, part, tb, workers); err != nil {
			return err
		}
	}
	return nil
}

func readFile(
	ctx context.Context,
	src fileSource,
	c *Config,
	f Finder,
	name string,
	part data.Part,
	tb *intake,
	workers int,
) error {
	path, err := f.Find(c.Folder, name)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Name, err)
	}
	in, err := input.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	first, bad := tb.Rows, tb.BadCount
	if err := src.Read(ctx, in, filepath.Base(name), tb.Builder, workers); err != nil {
		if errors.Is(err, rows.ErrHopeless) {
			err = fmt.Errorf("%s: %w (%d were tried):\n  %s", name, err, tb.BadCount-bad, joinBad(tb.Examples))
		}
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = fmt.Errorf("%w (the compressed file is cut off)", err)
		}
		return fmt.Errorf("data: %s: %w", c.Name, err)
	}
	if err := in.Rest(ctx); err != nil {
		return fmt.Errorf("data: %s: %s: %w", c.Name, path, err)
	}
	rows, badRows := tb.Rows-first, tb.BadCount-bad
	if rows == 0 && badRows == 0 {
		return fmt.Errorf("data: %s: %s: no data rows", c.Name, name)
	}
	if err := tb.tooManyBad(name, badRows, rows+badRows); err != nil {
		return err
	}
	part, said := c.identify(name, rows, part)
	if said != "" {
		tb.Warnings = append(tb.Warnings, said)
	}
	tb.read[part] += rows
	tb.origin(
		data.Origin{Path: path, Name: name, Part: part, Bytes: in.Size, SHA256: in.Sum(), FirstRow: first, Rows: rows},
		badRows)
	return nil
}

// expectations checks the rows that were read of each part against those that complete files have.
func expectations(c *Config, got [2]int) (warnings []string) {
	check := func(what string, want, other int, part data.Part) {
		switch {
		case want == 0 || got[part] == want:
		case got[part] == other:
			warnings = append(
				warnings,
				fmt.Sprintf(
					"%s: the files of the %s part have the %d rows of the other part: is a file there under the other's name?",
					c.Name,
					what,
					other,
				),
			)
		default:
			warnings = append(
				warnings,
				fmt.Sprintf("%s: the %s part has %d rows, the complete data set has %d", c.Name, what, got[part], want),
			)
		}
	}
	check("training", c.Expect.TrainRows, c.Expect.TestRows, data.PartTrain)
	check("test", c.Expect.TestRows, c.Expect.TrainRows, data.PartTest)
	return warnings
}
