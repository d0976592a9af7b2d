package source

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/data/rows"
)

// partly is a sequence source that reads some bytes of each file, makes a row of it, and may fail.
type partly struct {
	bytes int64
	fail  func() error
	on    int // files that closing read on
}

func (*partly) Check(settings.Node) settings.Problems { return nil }

func (*partly) Schema() []rows.ColumnSpec { return []rows.ColumnSpec{{Name: "n", Type: "number"}} }

func (*partly) Read(context.Context, io.Reader, string, *rows.Builder, int) error { return nil }

func (p *partly) ReadAll(_ context.Context, files []File, tb *rows.Builder, _ int, begin func(int)) error {
	specs, err := tb.Begin(p.Schema())
	if err != nil {
		return err
	}
	for i, f := range files {
		begin(i)
		in, err := f.Open()
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, io.LimitReader(in, p.bytes)); err != nil {
			return err
		}
		if err := p.fail(); err != nil {
			p.leave(in)
			return err
		}
		p.leave(in)
		c := rows.NewChunk(specs, []bool{false})
		c.Columns[0].Num, c.Lines = append(c.Columns[0].Num, 1), append(c.Lines, 1)
		if err := tb.Add(c); err != nil {
			return err
		}
	}
	return nil
}

// leave closes a file, and counts it where that read on.
func (p *partly) leave(in io.ReadCloser) {
	file := in.(*summed)
	before := file.Sum()
	if file.Close(); file.Sum() != before {
		p.on++
	}
}

// TestSequenceSums: files of a sequence have the hash of all that is in them, also of what the source left out; one
// that was left early, by an interrupt or a failure, is not read on.
func TestSequenceSums(t *testing.T) {
	text := bytes.Repeat([]byte("some bytes of a capture. "), 40_000) // 1 MB
	folder := t.TempDir()
	sum := sha256.Sum256(text)
	for _, name := range []string{"a.bin", "b.bin"} {
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	failed := errors.New("it failed")
	for name, c := range map[string]struct {
		bytes int64
		fail  func(stop func()) error
		want  error
	}{
		"to the end":  {1 << 30, func(func()) error { return nil }, nil},
		"some":        {1000, func(func()) error { return nil }, nil},
		"failed":      {1000, func(func()) error { return failed }, failed},
		"interrupted": {1000, func(stop func()) error { stop(); return nil }, context.Canceled},
	} {
		ctx, stop := context.WithCancel(t.Context())
		src := &partly{bytes: c.bytes, fail: func() error { return c.fail(stop) }}
		tb := newIntake(&Config{Name: "own", Format: "pcap"})
		err := readSequence(ctx, src, tb.config, Finder{Dirs: []string{folder}}, []string{"a.bin", "b.bin"},
			data.PartTrain, tb, 1, func(string) {})
		stop()
		if !errors.Is(err, c.want) || src.on > 0 {
			t.Errorf("%s: %v, want %v; closing read %d files on", name, err, c.want, src.on)
		}
		for _, o := range tb.origins {
			if o.SHA256 != hex.EncodeToString(sum[:]) || o.Bytes != int64(len(text)) {
				t.Errorf("%s: %+v", name, o)
			}
		}
		if (len(tb.origins) == 2) != (c.want == nil) {
			t.Errorf("%s: %d files", name, len(tb.origins))
		}
	}
}
