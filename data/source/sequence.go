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

// File is one of the files of a sequence.
type File struct {
	Name string // for messages
	Open func() (io.ReadCloser, error)
}

// sequenceSource is a source that reads the files of a part as one sequence: what a row holds may stand in several of
// them, such as the packets of a connection.
type sequenceSource interface {
	fileSource
	// ReadAll reads files, in order, into tb. It calls begin before the first rows that are counted to a file are added,
	// for each file in order.
	ReadAll(ctx context.Context, files []File, tb *rows.Builder, workers int, begin func(file int)) error
}

// readSequence reads the files of a part as one sequence. begin is told the name of the file that the next rows are of.
func readSequence(ctx context.Context, src sequenceSource, c *Config, f Finder, names []string, part data.Part,
	tb *intake, workers int, begin func(name string)) error {
	files, origins := make([]File, len(names)), make([]data.Origin, len(names))
	for i, name := range names {
		path, err := f.Find(c.Folder, name)
		if err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
		origins[i] = data.Origin{Path: path, Name: name, Part: part, FirstRow: tb.Rows}
		files[i] = File{Name: filepath.Base(name), Open: func() (io.ReadCloser, error) {
			in, err := input.OpenBinary(path)
			if err != nil {
				return nil, err
			}
			return &summed{Input: in, origin: &origins[i]}, nil
		}}
	}
	at := 0
	starts := func(file int) {
		for ; at < file; at++ {
			origins[at].Rows = tb.Rows - origins[at].FirstRow
			origins[at+1].FirstRow = tb.Rows
		}
		begin(names[file])
	}
	starts(0)
	if err := src.ReadAll(ctx, files, tb.Builder, workers, starts); err != nil {
		return fmt.Errorf("data: %s: %w", c.Name, err)
	}
	starts(len(files) - 1)
	origins[at].Rows = tb.Rows - origins[at].FirstRow
	for i := range origins {
		if err := sumRest(ctx, &origins[i]); err != nil {
			return fmt.Errorf("data: %s: %s: %w", c.Name, origins[i].Path, err)
		}
	}
	for _, o := range origins {
		var said string
		if o.Part, said = c.identify(o.Name, o.Rows, part); said != "" {
			tb.Warnings = append(tb.Warnings, said)
		}
		tb.read[o.Part] += o.Rows
		tb.origin(o, 0)
	}
	return nil
}

// summed notes size and hash of a file when it is closed, where it was read to its end. Who gives up, since he was
// interrupted or has seen enough, closes without reading on.
type summed struct {
	*input.Input
	origin *data.Origin
	ended  bool
}

// Read notes the end, or that what follows cannot be uncompressed.
func (s *summed) Read(p []byte) (int, error) {
	n, err := s.Input.Read(p)
	s.ended = s.ended || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	return n, err
}

func (s *summed) Close() error {
	if s.origin.Bytes = s.Size; s.ended {
		s.origin.SHA256 = s.Sum()
	}
	s.Input.Close()
	return nil
}

// sumRest hashes a file of which the rest was left out, as far as it can be uncompressed.
func sumRest(ctx context.Context, o *data.Origin) error {
	if o.SHA256 != "" {
		return nil
	}
	in, err := input.OpenBinary(o.Path)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := in.Rest(ctx); ctx.Err() != nil {
		return err
	}
	o.Bytes, o.SHA256 = in.Size, in.Sum()
	return nil
}
