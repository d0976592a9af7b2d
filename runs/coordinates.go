package runs

import (
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

// plane is the test rows of a fold that are put into the plane, and where the methods that depend on no model put them,
// which all cells of the fold share.
type plane struct {
	mu          sync.Mutex
	sample      *data.Set // nil: not drawn yet; without rows where there are too few
	kind, class []string
	lines       [][]string // of coordinates.csv
}

// coordinates writes coordinates.csv, where it was asked for: method, row (of the table), kind (attack or benign, empty
// where nobody knows), class, x, y.
func (j *job) coordinates(ctx context.Context, det models.Detector, m *eval.Metrics) error {
	if len(j.exp.Keep.Coordinates.Methods) == 0 {
		return nil
	}
	p, err := j.placed(ctx)
	if err != nil {
		return fmt.Errorf("coordinates: %w", err)
	}
	if p.sample.N == 0 {
		m.Warnings = append(m.Warnings, "no coordinates.csv: it takes four test rows at least")
		return nil
	}
	lines, err := j.latent(ctx, p, det)
	if err != nil {
		return fmt.Errorf("coordinates: %w", err)
	}
	return j.files.Write("coordinates.csv", func(w io.Writer) error {
		out := csv.NewWriter(w)
		out.Write([]string{"method", "row", "kind", "class", "x", "y"})
		out.WriteAll(p.lines)
		out.WriteAll(lines)
		return out.Error()
	})
}

// placed draws the rows and places them, once for all cells of the fold. Truth is looked up in the labelled part, since
// models see none.
func (j *job) placed(ctx context.Context) (*plane, error) {
	p, how := j.plane, j.exp.Keep.Coordinates
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sample != nil {
		return p, nil
	}
	sets, err := j.data.Sets(ctx, prepare.Needs{})
	if err != nil {
		return nil, err
	}
	test := sets.Test
	if test.N < 4 {
		p.sample = test.Subset(nil)
		return p, nil
	}
	r := models.Env{}.Rand("coordinates " + j.cell.Fold) // cells of all seeds show the same rows
	rows := r.Perm(test.N)[:min(test.N, how.Rows)]
	slices.Sort(rows)
	sample := test.Subset(rows)
	p.kind, p.class = j.kinds(test, rows)
	for _, method := range how.Methods {
		if method == latent {
			continue
		}
		y, err := points(ctx, method, how, sample, r.Uint64(), j.workers)
		if err != nil {
			return nil, err
		}
		p.lines = append(p.lines, p.at(sample, method, y)...)
	}
	p.sample = sample
	return p, nil
}

// at is the lines of rows at places of the plane, x and y in turn.
func (p *plane) at(sample *data.Set, method string, y []float64) (lines [][]string) {
	for i, r := range sample.Rows {
		lines = append(lines, []string{method, strconv.Itoa(int(r)), p.kind[i], p.class[i], numberText(y[2*i]),
			numberText(y[2*i+1])})
	}
	return lines
}

// latent is the method of the model's own codes.
const latent = "latent"

// watch keeps the codes of epochs that were asked for; nil where none were.
func (j *job) watch(ctx context.Context) func(int, func(context.Context, *data.Set) (*data.Set, error)) error {
	how := j.exp.Keep.Coordinates
	if !slices.Contains(how.Methods, latent) || len(how.Epochs) == 0 {
		return nil
	}
	return func(epoch int, codes func(context.Context, *data.Set) (*data.Set, error)) error {
		if !slices.Contains(how.Epochs, epoch) {
			return nil
		}
		p, err := j.placed(ctx)
		if err != nil || p.sample.N == 0 {
			return err
		}
		s, err := codes(ctx, p.sample)
		if err != nil {
			return err
		}
		j.epochs = append(j.epochs, epochCodes{epoch, s})
		return nil
	}
}

// epochCodes is the codes of the drawn rows after an epoch.
type epochCodes struct {
	epoch int
	codes *data.Set
}

// latent is the lines of the model's codes, those of epochs first, all by the same two principal components.
func (j *job) latent(ctx context.Context, p *plane, det models.Detector) ([][]string, error) {
	coder, ok := det.(models.Coder)
	if !ok || !slices.Contains(j.exp.Keep.Coordinates.Methods, latent) {
		return nil, nil
	}
	last, err := coder.Codes(ctx, p.sample)
	if err != nil {
		return nil, err
	}
	all := append(slices.Clone(j.epochs), epochCodes{-1, last})
	var x []float32
	for _, e := range all {
		x = append(x, e.codes.X...)
	}
	n := p.sample.N
	y, err := embed.Components(ctx, x, n*len(all), last.D, 2, j.workers)
	if err != nil {
		return nil, err
	}
	var lines [][]string
	for i, e := range all {
		method := latent
		if e.epoch >= 0 {
			method += "@" + strconv.Itoa(e.epoch)
		}
		lines = append(lines, p.at(p.sample, method, y[2*n*i:2*n*(i+1)])...)
	}
	return lines, nil
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
