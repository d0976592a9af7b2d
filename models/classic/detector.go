package classic

import (
	"context"
	"fmt"

	"plumbline/data"
	"plumbline/models"
)

// learned is what one Fit leaves behind. It is immutable, so that any number of goroutines may score.
type learned interface {
	// score fills out (one number per row) for a set that has been checked against the training set.
	score(ctx context.Context, s *data.Set, workers int, out []float64) error
	// state is what a file must hold to rebuild it: a struct for JSON, and arrays.
	state() (meta any, arrays models.Arrays)
}

// Sample is the settings of a model whose cost grows with the square of its training rows.
type Sample = models.Sample

// method is a model of this package: three functions, around which models.Fitted keeps the promises of a
// detector.
type method struct {
	name string
	spec models.Spec
	env  models.Env
	min  int // fewest rows that Fit takes
	fit  func(ctx context.Context, s *data.Set) (learned, error)
	load func(st models.State) (learned, error)
	// costly models meet every training row, or a share of them, for each row they score: repeated rows
	// are then scored once.
	costly bool
}

// detector is an unfitted detector of the method.
func (m method) detector() *models.Fitted[rowScorer] {
	wrap := func(l learned, err error) (rowScorer, error) { return rowScorer{l, m.env, m.costly}, err }
	return models.NewFitted(models.Method[rowScorer]{
		Name: m.name, Spec: m.spec, Reads: models.ReadsRows, Min: m.min,
		Fit:  func(ctx context.Context, s *data.Set) (rowScorer, error) { return wrap(m.fit(ctx, s)) },
		Load: func(st models.State) (rowScorer, error) { return wrap(m.load(st)) },
	})
}

// rowScorer is a learned model with what it takes to score.
type rowScorer struct {
	learned
	env    models.Env
	costly bool
}

// Score meets repeated rows once where that pays.
func (r rowScorer) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	of := []int32(nil)
	if r.costly {
		s, of = models.Distinct(s)
	}
	out := make([]float64, s.N)
	if err := r.score(ctx, s, r.env.Parallel(), out); err != nil {
		return nil, err
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

// State is the learned model's.
func (r rowScorer) State() (any, models.Arrays, error) {
	meta, arrays := r.state()
	return meta, arrays, nil
}

// explaining is a learned model that can say which columns made a score.
type explaining interface {
	learned
	// explain fills one contribution per column for one row.
	explain(row []float32, out []float64)
}

// explainer is a detector whose learned model is always explaining.
type explainer struct {
	*models.Fitted[rowScorer]
	method
}

// explainer is an unfitted detector of the method, whose learned model is explaining.
func (m method) explainer() *explainer { return &explainer{m.detector(), m} }

// Explain gives one contribution per column, in the order of the columns.
func (e *explainer) Explain(ctx context.Context, s *data.Set) ([]string, [][]float64, error) {
	l, err := e.Ready(s)
	if err != nil {
		return nil, nil, err
	}
	why := l.learned.(explaining)
	out := make([][]float64, s.N)
	err = parallelRows(ctx, s.N, 256, e.env.Parallel(), func() func(lo, hi int) {
		return func(lo, hi int) {
			for i := lo; i < hi; i++ {
				out[i] = make([]float64, s.D)
				why.explain(s.Row(i), out[i])
			}
		}
	})
	if err != nil {
		return nil, nil, fmt.Errorf("%s: explain: %w", e.name, err)
	}
	return s.ColumnNames(), out, nil
}

var (
	_ models.Detector  = (*models.Fitted[rowScorer])(nil)
	_ models.Explainer = (*explainer)(nil)
)
