package models

import (
	"context"
	"fmt"

	"plumbline/data"
)

// RowLearned is what one Fit leaves behind. It is immutable, so that any number of goroutines may score.
type RowLearned interface {
	// ScoreRows fills out (one number per row) for a set that has been checked against the training set.
	ScoreRows(ctx context.Context, s *data.Set, workers int, out []float64) error
	// RowState is what a file must hold to rebuild it: a struct for JSON, and arrays.
	RowState() (meta any, arrays Arrays)
}

// RowMethod is a model that scores one row at a time: three functions, around which [Fitted] keeps the promises of a
// detector.
type RowMethod struct {
	Name string
	Spec Spec
	Env  Env
	Min  int // fewest rows that Fit takes
	Fit  func(ctx context.Context, s *data.Set) (RowLearned, error)
	Load func(st State) (RowLearned, error)
	// costly models meet every training row, or a share of them, for each row they score: repeated rows
	// are then scored once.
	Costly bool
}

// Detector is an unfitted detector of the method.
func (m RowMethod) Detector() *Fitted[RowScorer] {
	wrap := func(l RowLearned, err error) (RowScorer, error) { return RowScorer{l, m.Env, m.Costly}, err }
	return NewFitted(Method[RowScorer]{
		Name: m.Name, Spec: m.Spec, Reads: ReadsRows, Min: m.Min,
		Fit:  func(ctx context.Context, s *data.Set) (RowScorer, error) { return wrap(m.Fit(ctx, s)) },
		Load: func(st State) (RowScorer, error) { return wrap(m.Load(st)) },
	})
}

// RowScorer is a learned model with what it takes to score.
type RowScorer struct {
	RowLearned
	env    Env
	costly bool
}

// Score meets repeated rows once where that pays.
func (r RowScorer) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	of := []int32(nil)
	if r.costly {
		s, of = Distinct(s)
	}
	out := make([]float64, s.N)
	if err := r.ScoreRows(ctx, s, r.env.Parallel(), out); err != nil {
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
func (r RowScorer) State() (any, Arrays, error) {
	meta, arrays := r.RowState()
	return meta, arrays, nil
}

// RowExplaining is a learned model that can say which columns made a score.
type RowExplaining interface {
	RowLearned
	// ExplainRow fills one contribution per column for one row.
	ExplainRow(row []float32, out []float64)
}

// RowExpecting is an explaining model that expects a value in each column.
type RowExpecting interface {
	RowExplaining
	// ExpectRow fills one value per column for one row.
	ExpectRow(row []float32, out []float64)
}

// explainer is a detector whose learned model is always explaining.
type explainer struct {
	*Fitted[RowScorer]
	method RowMethod
}

// Explainer is an unfitted detector of the method, whose learned model is explaining.
func (m RowMethod) Explainer() *explainer { return &explainer{m.Detector(), m} }

// Explain gives one contribution per column, in the order of the columns.
func (e *explainer) Explain(ctx context.Context, s *data.Set) ([]string, [][]float64, error) {
	l, err := e.Ready(s)
	if err != nil {
		return nil, nil, err
	}
	out, err := e.rows(ctx, s, l.RowLearned.(RowExplaining).ExplainRow)
	if err != nil {
		return nil, nil, err
	}
	return s.ColumnNames(), out, nil
}

// rows is what fill makes of each row.
func (e *explainer) rows(ctx context.Context, s *data.Set, fill func(row []float32, out []float64)) ([][]float64,
	error) {
	out := make([][]float64, s.N)
	err := ParallelRows(ctx, s.N, 256, e.method.Env.Parallel(), func() func(lo, hi int) {
		return func(lo, hi int) {
			for i := lo; i < hi; i++ {
				out[i] = make([]float64, s.D)
				fill(s.Row(i), out[i])
			}
		}
	})
	if err != nil {
		return nil, fmt.Errorf("%s: explain: %w", e.method.Name, err)
	}
	return out, nil
}

// expecter is a detector whose learned model is always expecting.
type expecter struct{ *explainer }

// Expecter is an unfitted detector of the method, whose learned model is expecting.
func (m RowMethod) Expecter() expecter { return expecter{m.Explainer()} }

// Expected gives the expected value of each column.
func (e expecter) Expected(ctx context.Context, s *data.Set) ([][]float64, error) {
	l, err := e.Ready(s)
	if err != nil {
		return nil, err
	}
	return e.rows(ctx, s, l.RowLearned.(RowExpecting).ExpectRow)
}

var (
	_ Detector  = (*Fitted[RowScorer])(nil)
	_ Explainer = (*explainer)(nil)
	_ Expecter  = expecter{}
)
