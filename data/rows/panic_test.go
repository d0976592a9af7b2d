package rows

import (
	"errors"
	"io"
	"strings"
	"testing"

	"plumbline/numeric/parallel"
)

// faulty gives text and then panics.
type faulty struct{ text io.Reader }

func (f faulty) Read(p []byte) (int, error) {
	if n, err := f.text.Read(p); err == nil {
		return n, nil
	}
	panic("the reader is broken")
}

// TestPanics: a panic on a goroutine of the reader is an error that names the file and where it was, and the reading
// ends.
func TestPanics(t *testing.T) {
	const text = "1,a\n2,b\n3,c\n"
	long := strings.Repeat(text, chunkSize/len(text)*3)
	for _, c := range []struct {
		name string
		in   io.Reader
		cut  func(line []byte, cells [][]byte) ([][]byte, error)
		want []string
	}{
		{"while a line is cut", strings.NewReader(text), func([]byte, [][]byte) ([][]byte, error) {
			panic("the cutter is broken")
		}, []string{"flows.csv", "after line 7", "the cutter is broken"}},
		{"in one of many chunks", strings.NewReader(long + "9,z\n" + long), func(line []byte, cells [][]byte) (
			[][]byte, error,
		) {
			if line[0] == '9' {
				panic("the cutter is broken")
			}
			return append(cells, line[:1], line[2:]), nil
		}, []string{"flows.csv", "after line", "the cutter is broken"}},
		{"while text is fetched", faulty{strings.NewReader(long)}, nil, []string{"flows.csv", "the reader is broken"}},
	} {
		for _, workers := range []int{1, 4} {
			tf := &TextFormat{File: "flows.csv", Separator: ',', Cut: c.cut, Specs: Columns("n number, text category")}
			err := Parse(t.Context(), c.in, tf, 7, NewBuilder(Plan{Name: "own"}), workers)
			var caught *parallel.Panic
			if !errors.As(err, &caught) || len(caught.Stack) == 0 {
				t.Errorf("%s, %d workers: %v, want a caught panic", c.name, workers, err)
				continue
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%s, %d workers: %v, want %q", c.name, workers, err, w)
				}
			}
			if s, ok := c.in.(io.Seeker); ok {
				if _, err := s.Seek(0, io.SeekStart); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// TestColumns: a column without a type is a mistake of the program.
func TestColumns(t *testing.T) {
	got := Columns("ts time, id.orig_h address")
	if len(got) != 2 || got[1] != (ColumnSpec{Name: "id.orig_h", Type: "address"}) {
		t.Errorf("%v", got)
	}
	if parallel.Catch(func() { Columns("ts time, uid") }) == nil {
		t.Error("a column without a type is taken")
	}
}
