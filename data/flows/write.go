package flows

import (
	"context"
	"io"
	"sync"

	"plumbline/data"
	"plumbline/data/export"
	"plumbline/data/input"
	"plumbline/data/packets"
	"plumbline/data/pseudonym"
	"plumbline/data/rows"
)

// Files are captures on disk as one stream, and how much of them has been read.
type Files struct {
	Paths []string // "-" is the standard input

	lock sync.Mutex
	now  *input.Capture // the one that is open
	done int64          // bytes of those before
}

// Reader is a reader of the files.
func (f *Files) Reader() *packets.Reader {
	var files []packets.File
	for _, path := range f.Paths {
		files = append(files, packets.File{Name: path, Open: func() (io.ReadCloser, error) {
			c, err := input.OpenCapture(path)
			if err != nil {
				return nil, err
			}
			f.lock.Lock()
			defer f.lock.Unlock()
			f.now = c
			return openFile{c, f}, nil
		}})
	}
	return packets.NewReader(files)
}

// openFile is one of the files. Of thousands that were read nothing stays but how long they were.
type openFile struct {
	*input.Capture
	of *Files
}

func (o openFile) Close() error {
	o.of.lock.Lock()
	defer o.of.lock.Unlock()
	o.of.now, o.of.done = nil, o.of.done+o.Done()
	return o.Capture.Close()
}

// Bytes is how many bytes of the files, as they are on disk, have been read. It may be called while they are read.
func (f *Files) Bytes() int64 {
	f.lock.Lock()
	defer f.lock.Unlock()
	if f.now == nil {
		return f.done
	}
	return f.done + f.now.Done()
}

// TableColumns are the columns of a vocabulary's flows, without values.
func TableColumns(v Vocabulary) []data.Column {
	var out []data.Column
	for _, s := range v.Columns() {
		out = append(out, data.Column{Name: s.Name, Type: s.Type.ColumnType()})
	}
	return out
}

// LogTypes are the types of a vocabulary's columns in a log of Zeek; nil: the nearest.
func LogTypes(v Vocabulary) []string {
	if z, ok := v.(*Zeek); ok {
		return z.logTypes()
	}
	return nil
}

// Write makes flows of the files and writes them to out, a block of rows at a time, with pseudonyms in the place of
// addresses where m is not nil.
func Write(ctx context.Context, f *Files, v Vocabulary, s Settings, m *pseudonym.Mapper, workers int,
	out *export.Stream) (*Report, error) {
	tb := rows.NewBuilder(rows.Plan{Name: "flows"})
	tb.Each = func(b *rows.Block) error { return out.Write(ctx, m.Table(b.Table)) }
	specs, err := tb.Begin(v.Columns())
	if err != nil {
		return nil, err
	}
	s.Joined = true
	return Build(ctx, f.Reader(), v, s, specs, tb.Skips(specs), workers, func(c *rows.Chunk, _ int) error {
		return tb.Add(c)
	})
}
