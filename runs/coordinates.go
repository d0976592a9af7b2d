package runs

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"

	"plumbline/data"
	"plumbline/eval"
	"plumbline/models"
	"plumbline/numeric/embed"
	"plumbline/runs/experiment"
	"plumbline/runs/prepare"
)

// plane is coordinates.csv of a fold, which all its cells share: it depends on the test rows and on no model.
type plane struct {
	mu   sync.Mutex
	file []byte
}

// coordinates writes coordinates.csv, where it was asked for: method, row (of the table), kind (attack or benign, empty
// where nobody knows), class, x, y.
func (j *job) coordinates(ctx context.Context, m *eval.Metrics) error {
	how := j.exp.Keep.Coordinates
	if len(how.Methods) == 0 {
		return nil
	}
	j.plane.mu.Lock()
	defer j.plane.mu.Unlock()
	if j.plane.file == nil {
		file, err := j.draw(ctx, how)
		if err != nil {
			return fmt.Errorf("coordinates: %w", err)
		}
		j.plane.file = file
	}
	if len(j.plane.file) == 0 {
		m.Warnings = append(m.Warnings, "no coordinates.csv: it takes four test rows at least")
		return nil
	}
	return j.files.Write("coordinates.csv", func(w io.Writer) error {
		_, err := w.Write(j.plane.file)
		return err
	})
}

// draw is the file, empty where there are too few rows. Truth is looked up in the labelled part, since models see none.
func (j *job) draw(ctx context.Context, how experiment.Coordinates) ([]byte, error) {
	sets, err := j.data.Sets(ctx, prepare.Needs{})
	if err != nil {
		return nil, err
	}
	test := sets.Test
	if test.N < 4 {
		return []byte{}, nil
	}
	r := models.Env{}.Rand("coordinates " + j.cell.Fold) // cells of all seeds show the same rows
	rows := r.Perm(test.N)[:min(test.N, how.Rows)]
	slices.Sort(rows)
	sample := test.Subset(rows)
	kind, class := j.kinds(test, rows)
	var b bytes.Buffer
	out := csv.NewWriter(&b)
	out.Write([]string{"method", "row", "kind", "class", "x", "y"})
	for _, method := range how.Methods {
		y, err := points(ctx, method, how, sample, r.Uint64(), j.workers)
		if err != nil {
			return nil, err
		}
		for i, r := range sample.Rows {
			out.Write([]string{method, strconv.Itoa(int(r)), kind[i], class[i], numberText(y[2*i]), numberText(y[2*i+1])})
		}
	}
	out.Flush()
	return b.Bytes(), out.Error()
}

func points(ctx context.Context, method string, how experiment.Coordinates, s *data.Set, seed uint64, workers int) (
	[]float64, error) {
	if method == "pca" {
		return embed.Components(ctx, s.X, s.N, s.D, 2, workers)
	}
	t := embed.Defaults()
	t.Perplexity = how.Perplexity
	e, err := t.Fit(ctx, s.X, s.N, s.D, seed, workers)
	if err != nil {
		return nil, err
	}
	return e.Y, nil
}

// kinds is what the rows of the test part are. Units of several rows have one truth for all of them.
func (j *job) kinds(test *data.Set, rows []int) (kind, class []string) {
	us := j.data.Test
	unit := make(map[int32]int32, len(us.Rows))
	for i, r := range us.Rows {
		unit[r] = us.Unit[i]
	}
	kind, class = make([]string, len(rows)), make([]string, len(rows))
	for k, i := range rows {
		u, known := unit[test.Rows[i]]
		if !known || us.Truth.Attack == nil {
			continue
		}
		if kind[k] = "benign"; us.Truth.Attack[u] {
			kind[k] = "attack"
		}
		if len(us.Truth.Class) > 0 {
			class[k] = us.Truth.Names[us.Truth.Class[u]]
		}
	}
	return kind, class
}
