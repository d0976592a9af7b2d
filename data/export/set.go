package export

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"plumbline/data"
)

// SetFormats are the formats that [WriteSet] knows. npy: the matrix alone, with files of rows and truth beside it;
// csv and parquet: one file whose first column is row.
var SetFormats = []string{"npy", "csv", "parquet"}

// SetManifest says what a folder of prepared parts holds, so that scores made from it can be checked against it.
type SetManifest struct {
	Program  string             `json:"plumbline"` // version that wrote it
	Data     string             `json:"data"`
	Fold     string             `json:"fold,omitempty"`
	Format   string             `json:"format"`
	Features []string           `json:"features"`          // the columns of the matrices, in order
	Classes  []string           `json:"classes,omitempty"` // that the codes of npy files stand for
	Sources  []SetFile          `json:"sources"`           // the data files, of their uncompressed content
	Parts    map[string]SetPart `json:"parts"`             // by name: train, valid, test
}

// SetPart is one part of a prepared data set.
type SetPart struct {
	Samples int `json:"samples"`
	Columns int `json:"columns"`
	// Matrix is the hash of the values that a model sees, the same as train_sha256 or test_sha256 of results.csv.
	Matrix string    `json:"matrix_sha256,omitempty"`
	Labels bool      `json:"labels"` // attack and class are there
	Files  []SetFile `json:"files"`
}

// SetFile is a file by its name, size and hash.
type SetFile struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// WriteSet writes a part of a prepared data set, vectors, to files of a folder that is there: the n×d matrix, the
// table row of each sample, and attack (0 or 1) and class where the set has them. Numbers are the float32 that models
// see; CSV and Parquet hold each as the double of that value. Each file appears whole or not at all.
func WriteSet(ctx context.Context, folder, name, format string, s *data.Set) (files []SetFile, err error) {
	if s.Kind != data.Vectors || len(s.Rows) != s.N {
		return nil, fmt.Errorf("data: %s: only rows of a matrix can be written, not %v", name, s.Kind)
	}
	if !slices.Contains(SetFormats, format) {
		return nil, fmt.Errorf("data: unknown format %q of prepared data; known: %s", format, strings.Join(SetFormats, ", "))
	}
	add := func(file string, fill func(io.Writer) error) {
		if err != nil {
			return
		}
		var one SetFile
		one, err = writeSummed(filepath.Join(folder, file), fill)
		files = append(files, one)
	}
	if format != "npy" {
		columns := exportColumns(setTable(s))
		if s.N == 0 {
			columns = slices.DeleteFunc(columns, func(c exported) bool { return c.Name == ExportNames[2] })
		}
		for i := range columns {
			columns[i].complete = true
		}
		columns[0].integer = true // row
		add(name+"."+format, func(w io.Writer) error {
			return exporters[format](ctx, w, columns, s.N, func(int) {})
		})
		return files, err
	}
	add(name+".npy", func(w io.Writer) error { return writeNPY(ctx, w, "<f4", []int{s.N, s.D}, s.X) })
	add(name+"-rows.npy", func(w io.Writer) error { return writeNPY(ctx, w, "<i4", []int{s.N}, s.Rows) })
	if s.Attack != nil {
		attack := make([]uint8, s.N)
		for i, a := range s.Attack {
			if a {
				attack[i] = 1
			}
		}
		add(name+"-attack.npy", func(w io.Writer) error { return writeNPY(ctx, w, "|u1", []int{s.N}, attack) })
		add(name+"-class.npy", func(w io.Writer) error { return writeNPY(ctx, w, "<u4", []int{s.N}, s.Class) })
	}
	return files, err
}

// setTable is a set as a table: the row of each sample, then the features.
func setTable(s *data.Set) *data.Table {
	t := &data.Table{Rows: s.N, Attack: s.Attack, Class: s.Class, Classes: s.Classes}
	taken := map[string]bool{}
	add := func(name string, value func(i int) float64) {
		for taken[name] || name == ExportNames[0] || name == ExportNames[1] {
			name += "_"
		}
		taken[name] = true
		c := data.Column{Name: name, Type: data.Number, Num: make([]float64, s.N)}
		for i := range c.Num {
			c.Num[i] = value(i)
		}
		t.Columns = append(t.Columns, c)
	}
	add("row", func(i int) float64 { return float64(s.Rows[i]) })
	for j, name := range s.ColumnNames() {
		add(name, func(i int) float64 { return float64(s.X[i*s.D+j]) })
	}
	return t
}

// writeNPY writes an array in NumPy's format, version 1.0 (numpy.lib.format): a magic, the length of the header, the
// header as a Python dictionary padded so that the values begin at a multiple of 64, the values in C order.
func writeNPY[T float32 | int32 | uint32 | uint8](
	ctx context.Context, w io.Writer, descr string, shape []int, values []T,
) error {
	dims := ""
	for _, n := range shape {
		dims += fmt.Sprintf("%d, ", n)
	}
	head := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, strings.TrimSpace(dims))
	const before = 10 // magic, version, length
	head += strings.Repeat(" ", 63-(before+len(head))%64) + "\n"
	raw := append([]byte("\x93NUMPY\x01\x00"), byte(len(head)), byte(len(head)>>8))
	if _, err := w.Write(append(raw, head...)); err != nil {
		return err
	}
	for block := range slices.Chunk(values, exportRows) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := binary.Write(w, binary.LittleEndian, block); err != nil {
			return err
		}
	}
	return nil
}

// writeSummed writes a file beside its name, renames it, and is its size and hash.
func writeSummed(path string, fill func(io.Writer) error) (SetFile, error) {
	part := path + ".part"
	f, err := os.Create(part)
	if err != nil {
		return SetFile{}, fmt.Errorf("data: %w", err)
	}
	sum := sha256.New()
	out := bufio.NewWriterSize(io.MultiWriter(f, sum), 1<<18)
	if err = fill(out); err == nil {
		err = out.Flush()
	}
	st, statErr := f.Stat()
	err = errors.Join(err, statErr, f.Close())
	if err == nil {
		err = os.Rename(part, path)
	}
	if err != nil {
		os.Remove(part)
		return SetFile{}, fmt.Errorf("data: %s: %w", path, err)
	}
	return SetFile{filepath.Base(path), st.Size(), hex.EncodeToString(sum.Sum(nil))}, nil
}
