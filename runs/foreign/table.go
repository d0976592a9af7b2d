package foreign

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"plumbline/data"
	"plumbline/data/input"
	"plumbline/models"
	"plumbline/runs/experiment"
)

// table is the scores of a file by table row; NaN for a row without one.
type table struct {
	file   string
	sum    string // SHA-256 of the uncompressed content
	bytes  int64
	score  []float64
	attack []int8 // -1: the file does not say
}

// readTable reads a CSV file with the columns row and score, compressed or not, of rows of a table of the given length.
// A column attack, of 0 and 1, is kept; others are passed over. Errors call the file by its name and say the line.
func readTable(path, file string, rows int) (*table, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		// a pipe that nobody writes to would be waited for without end, whatever the time limit
		return nil, fmt.Errorf("%s: it is no regular file", file)
	}
	in, err := input.Open(path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	t := &table{file: file, bytes: in.Size, score: make([]float64, rows), attack: make([]int8, rows)}
	for i := range t.score {
		t.score[i], t.attack[i] = math.NaN(), -1
	}
	r := csv.NewReader(in)
	r.ReuseRecord = true
	head, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("%s: no header: %w", file, err)
	}
	head[0] = strings.TrimPrefix(head[0], "\ufeff") // the byte-order mark of spreadsheets and of Python's utf-8-sig
	column := func(name string) int {
		return slices.IndexFunc(head, func(h string) bool { return strings.TrimSpace(h) == name })
	}
	row, score, attack := column("row"), column("score"), column("attack")
	if row < 0 || score < 0 {
		return nil, fmt.Errorf("%s:1: want a header with the columns row and score, not %q", file, strings.Join(head, ","))
	}
	lines := make([]int32, rows)
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		line, _ := r.FieldPos(0)
		i, err := strconv.Atoi(strings.TrimSpace(cells[row]))
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s:%d: row %q is no row number", file, line, cells[row])
		case i < 0 || i >= rows:
			return nil, fmt.Errorf("%s:%d: row %d: the data set has the rows 0 to %d", file, line, i, rows-1)
		case lines[i] != 0:
			return nil, fmt.Errorf("%s:%d: row %d has a score in line %d already", file, line, i, lines[i])
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(cells[score]), 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("%s:%d: score %q is no finite number", file, line, cells[score])
		}
		t.score[i], lines[i] = v, int32(min(line, math.MaxInt32))
		if attack >= 0 {
			switch strings.TrimSpace(cells[attack]) {
			case "0", "0.0", "false", "False":
				t.attack[i] = 0
			case "1", "1.0", "true", "True":
				t.attack[i] = 1
			default:
				return nil, fmt.Errorf("%s:%d: attack %q is neither 0 nor 1", file, line, cells[attack])
			}
		}
	}
	if err := in.Rest(context.Background()); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	t.sum = in.Sum()
	return t, nil
}

// ErrNoRows says that a file has no scores of a set at all.
var ErrNoRows = errors.New("no scores")

// of is the scores of a set's samples. A set of which the file has none is [ErrNoRows].
func (t *table) of(s *data.Set) ([]float64, error) {
	if s.Kind != data.Vectors || len(s.Rows) != s.N {
		return nil, fmt.Errorf("%w: scores of rows, and the samples are %v", models.ErrInput, s.Kind)
	}
	out := make([]float64, s.N)
	missing, first := 0, int32(0)
	for i, r := range s.Rows {
		out[i] = math.NaN()
		if int(r) < len(t.score) {
			out[i] = t.score[r]
		}
		if math.IsNaN(out[i]) {
			if missing == 0 {
				first = r
			}
			missing++
		}
	}
	switch {
	case missing == s.N && s.N > 0:
		return nil, fmt.Errorf("%w: %s has none of the %d rows (first: row %d)", ErrNoRows, t.file, s.N, first)
	case missing > 0:
		return nil, fmt.Errorf("%s lacks scores of %d of %d rows (first: row %d)", t.file, missing, s.N, first)
	}
	return out, nil
}

// agrees checks the truth that a file gives against that of the rows that are judged, where rows are what is judged.
func (t *table) agrees(us *experiment.Units) error {
	if us.Keys != nil {
		return nil
	}
	for i, r := range us.First {
		if a := t.attack[r]; a >= 0 && (a == 1) != us.Truth.Attack[i] {
			return fmt.Errorf("%s: row %d has attack %d, and the data set has %d: the rows are not those of this data set",
				t.file, r, a, 1-a)
		}
	}
	return nil
}
