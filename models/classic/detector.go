package classic

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"plumbline/data"
	"plumbline/models"
)

// learned is what one Fit leaves behind. It is immutable, so that any number of goroutines may score.
type learned interface {
	// score fills out (one number per row) for a set that has been checked against width.
	score(ctx context.Context, s *data.Set, workers int, out []float64) error
	// width is the number of columns it was fitted on.
	width() int
	// state is what a file must hold to rebuild it: a struct for JSON, and arrays.
	state() (meta any, arrays models.Arrays)
}

// detector keeps the promises of models.Detector that are the same for every model of this package: what
// is checked, what is forgotten, which error it is. The model gives three functions.
type detector struct {
	name string
	env  models.Env
	min  int // rows that Fit needs at the least
	// fit learns from a checked set. Its errors are prefixed with the name here.
	fit func(ctx context.Context, s *data.Set) (learned, error)
	// load rebuilds from a file; its errors wrap models.ErrState.
	load func(r io.Reader) (learned, error)
	// costly models meet every training row, or a share of them, for each row they score: repeated rows
	// are then scored once.
	costly bool
	now    learned
}

func (m *detector) Fit(ctx context.Context, train *data.Set) error {
	m.now = nil
	if err := models.CheckVectors(m.name, train, 0, m.min); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: fit: %w", m.name, err)
	}
	l, err := m.fit(ctx, train)
	if err != nil {
		return fmt.Errorf("%s: fit: %w", m.name, err)
	}
	m.now = l
	return nil
}

func (m *detector) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	if err := m.ready(s); err != nil {
		return nil, err
	}
	of := []int32(nil)
	if m.costly {
		s, of = distinct(s)
	}
	out := make([]float64, s.N)
	if err := m.now.score(ctx, s, m.env.Parallel(), out); err != nil {
		return nil, fmt.Errorf("%s: score: %w", m.name, err)
	}
	if of == nil {
		return out, nil
	}
	all := make([]float64, len(of))
	for i, j := range of {
		all[i] = out[j]
	}
	return all, nil
}

// distinct is the set without repeated rows (traffic records repeat: three of four in KDD99's test file),
// and for every row of s its place there; s itself and nil where fewer than one row in ten is repeated.
func distinct(s *data.Set) (*data.Set, []int32) {
	of := make([]int32, s.N)
	places := make(map[string]int32, s.N/4)
	var first []int
	key := make([]byte, 0, 4*s.D)
	for i := range of {
		key = key[:0]
		for _, v := range s.Row(i) {
			key = binary.LittleEndian.AppendUint32(key, math.Float32bits(v))
		}
		at, seen := places[string(key)]
		if !seen {
			at = int32(len(first))
			places[string(key)] = at
			first = append(first, i)
		}
		of[i] = at
	}
	if 10*len(first) > 9*s.N {
		return s, nil
	}
	return s.Subset(first), of
}

// ready holds a set that is to be scored against what was fitted.
func (m *detector) ready(s *data.Set) error {
	if m.now == nil {
		return fmt.Errorf("%s: %w", m.name, models.ErrNotFitted)
	}
	return models.CheckVectors(m.name, s, m.now.width(), 0)
}

func (m *detector) Save(w io.Writer) error {
	if m.now == nil {
		return fmt.Errorf("%s: save: %w", m.name, models.ErrNotFitted)
	}
	meta, arrays := m.now.state()
	return models.WriteState(w, m.name, meta, arrays)
}

func (m *detector) Load(r io.Reader) error {
	l, err := m.load(r)
	if err != nil {
		return err
	}
	m.now = l
	return nil
}

// explaining is a learned model that can say which columns made a score.
type explaining interface {
	learned
	// explain fills one contribution per column for one row.
	explain(row []float32, out []float64)
}

// explainer is a detector whose learned model is always explaining.
type explainer struct{ detector }

// Explain gives one contribution per column, in the order of the columns.
func (m *explainer) Explain(ctx context.Context, s *data.Set) ([]string, [][]float64, error) {
	if err := m.ready(s); err != nil {
		return nil, nil, err
	}
	why := m.now.(explaining)
	out := make([][]float64, s.N)
	err := spread(ctx, s.N, 256, m.env.Parallel(), func() func(lo, hi int) {
		return func(lo, hi int) {
			for i := lo; i < hi; i++ {
				out[i] = make([]float64, s.D)
				why.explain(s.Row(i), out[i])
			}
		}
	})
	if err != nil {
		return nil, nil, fmt.Errorf("%s: explain: %w", m.name, err)
	}
	return s.ColumnNames(), out, nil
}

// badState is an error about a file whose parts do not fit each other.
func badState(model, format string, args ...any) error {
	return fmt.Errorf("%s: load: %w: %s", model, models.ErrState, fmt.Sprintf(format, args...))
}

// maxWidth bounds the columns that a file may claim, so that products of sizes cannot overflow.
const maxWidth = 1 << 24

// array takes a float array of the given length from a file and sees to it that it is finite.
func array[T float32 | float64](model string, a models.Arrays, name string, n int) ([]T, error) {
	v, err := models.Array[T](a, name, n)
	if err != nil {
		return nil, fmt.Errorf("%s: load: %w", model, err)
	}
	for i, x := range v {
		if x-x != 0 {
			return nil, badState(model, "array %q: value %d is %v", name, i, x)
		}
	}
	return v, nil
}
