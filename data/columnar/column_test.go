package columnar

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"plumbline/data/parquet"
	"plumbline/data/rows"
	"plumbline/numeric/parallel"
)

// TestFloat16: values of IEEE 754-2008's binary16.
func TestFloat16(t *testing.T) {
	for bits, want := range map[uint16]float64{0: 0, 0x3c00: 1, 0xc000: -2, 0x7bff: 65504, 1: math.Ldexp(1, -24),
		0x0400: math.Ldexp(1, -14), 0x3555: 0.333251953125, 0x7c00: math.Inf(1), 0xfc00: math.Inf(-1)} {
		if got := float16(bits); got != want {
			t.Errorf("%#x: %v, want %v", bits, got, want)
		}
	}
	if !math.IsNaN(float16(0x7e00)) {
		t.Error("0x7e00 is a number")
	}
}

// broken is a file that cannot be read any more after it was opened.
type broken struct {
	io.ReaderAt
	is bool
}

func (b *broken) ReadAt(p []byte, at int64) (int, error) {
	if b.is {
		panic("the disk is gone")
	}
	return b.ReaderAt.ReadAt(p, at)
}

// TestPanics: a panic on a goroutine of the reader is an error that names the file and the column, and the reading
// ends.
func TestPanics(t *testing.T) {
	var raw bytes.Buffer
	w, err := parquet.NewWriter(&raw, []parquet.Column{{Path: []string{"bytes"}, Physical: parquet.Double}})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		err := w.Group(2, func(int) parquet.Chunk {
			return parquet.Chunk{Values: parquet.Values{Floats: []float64{1, 2}}}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	disk := &broken{ReaderAt: bytes.NewReader(raw.Bytes())}
	file, err := parquet.Open(disk, int64(raw.Len()))
	if err != nil {
		t.Fatal(err)
	}
	tf := &rows.TextFormat{File: "flows.parquet", Specs: rows.Columns("bytes number")}
	fields := Fields(file, func(string) bool { return false })
	tb := rows.NewBuilder(rows.Plan{Name: "own"})
	if _, err := tb.Begin(tf.Specs); err != nil {
		t.Fatal(err)
	}
	if err := parseGroups(t.Context(), file, tf, fields, tb, 2); err != nil || tb.Rows != 6 {
		t.Fatalf("%d rows, %v", tb.Rows, err)
	}
	disk.is = true
	for _, c := range []struct {
		name string
		tb   *rows.Builder
		want []string
	}{
		{"while a column is read", tb, []string{"flows.parquet", "row group 1", `"bytes"`, "the disk is gone"}},
		{"while work is handed out", nil, []string{"flows.parquet", "nil pointer"}},
	} {
		for _, workers := range []int{1, 4} {
			err := parseGroups(t.Context(), file, tf, fields, c.tb, workers)
			var caught *parallel.Panic
			if !errors.As(err, &caught) {
				t.Errorf("%s, %d workers: %v, want a caught panic", c.name, workers, err)
				continue
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%s, %d workers: %v, want %q", c.name, workers, err, w)
				}
			}
		}
	}
}
