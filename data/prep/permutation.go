package prep

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"plumbline/data"
	"plumbline/eval"
	"plumbline/numeric/stat"
)

// Learner fits a model of the given name, with its defaults, to a labelled set, and gives what scores rows by it. A
// model that learns without labels is to see the benign rows alone. Equal calls give equal scores.
type Learner func(ctx context.Context, model string, train *data.Set) (Scorer, error)

// Scorer gives a score for each row, higher for attacks.
type Scorer func(ctx context.Context, s *data.Set) ([]float64, error)

const (
	permutationSeed = 1
	heldShare       = 3 // one row in three judges
)

// byPermutation is the importance of each candidate for a model (Breiman, Random forests, Machine Learning 45, 2001):
// of the training rows, or a sample of s.Rows of them, one in three of the attacks and of the benign rows is held out;
// the model learns from the others, in all number columns as they stand; and
//
//	importance(j) = AUROC − mean over s.Repeats of AUROC with the held rows' values of column j in a random order
//
// It costs a fit and 1 + candidates × s.Repeats scorings of the held rows.
func (s *selectFeatures) byPermutation(f *fitting, candidates []*column, rows []int32) ([]float64, error) {
	if f.rows.Learn == nil {
		return nil, errors.New("by permutation needs models, which are not at hand here")
	}
	r := rand.New(rand.NewPCG(permutationSeed, 0))
	learn, held, err := s.hold(f.table, rows, r)
	if err != nil {
		return nil, err
	}
	columns := slices.DeleteFunc(slices.Clone(f.columns), func(c *column) bool { return c.text })
	train, err := f.matrix(columns, learn)
	if err != nil {
		return nil, err
	}
	test, err := f.matrix(columns, held)
	if err != nil {
		return nil, err
	}
	score, err := f.rows.Learn(f.ctx, s.Model, train)
	if err != nil {
		return nil, err
	}
	at := make([][]int, len(candidates))
	for i, c := range candidates {
		at[i] = []int{slices.Index(columns, c)}
	}
	_, mean, _, err := Importances(f.ctx, score, test, at, s.Repeats, r)
	return mean, err
}

// Importances is the AUROC that a score loses, on average over some repeats, when the values of a group of columns are
// given to the test rows in a random order, and its standard deviation; whole is the AUROC of the rows as they are.
// Columns of a group move together. The rows, which need both kinds, are left as they are found.
func Importances(ctx context.Context, score Scorer, test *data.Set, groups [][]int, repeats int, r *rand.Rand) (
	whole float64, mean, sd []float64, err error) {
	rows := test.Unlabelled()
	auroc := func() (float64, error) {
		scores, err := score(ctx, rows)
		if err != nil {
			return 0, err
		}
		ranking, err := eval.Rank(scores, test.Attack)
		if err != nil {
			return 0, err
		}
		return ranking.ROCAUC(), nil
	}
	if whole, err = auroc(); err != nil {
		return 0, nil, nil, err
	}
	mean, sd = make([]float64, len(groups)), make([]float64, len(groups))
	for i, group := range groups {
		own := make([]float32, 0, test.N*len(group))
		same := true
		for k := range test.N {
			for c, j := range group {
				v := test.X[k*test.D+j]
				own = append(own, v)
				same = same && v == own[c]
			}
		}
		if same {
			continue // every order is the same: 0
		}
		lost := make([]float64, repeats)
		for t := range lost {
			for k, from := range r.Perm(test.N) {
				for c, j := range group {
					test.X[k*test.D+j] = own[from*len(group)+c]
				}
			}
			v, err := auroc()
			if err != nil {
				return 0, nil, nil, err
			}
			lost[t] = whole - v
		}
		for k := range test.N {
			for c, j := range group {
				test.X[k*test.D+j] = own[k*len(group)+c]
			}
		}
		m, variance := stat.MeanVariance(lost)
		mean[i], sd[i] = m, math.Sqrt(variance)
	}
	return whole, mean, sd, nil
}

// hold takes a sample of the rows apart into those that a model learns from and those that judge it.
func (s *selectFeatures) hold(t *data.Table, rows []int32, r *rand.Rand) (learn, held []int32, err error) {
	var kinds [2][]int32
	for _, k := range r.Perm(len(rows))[:min(len(rows), s.Rows)] {
		of := 0
		if t.Attack[rows[k]] {
			of = 1
		}
		kinds[of] = append(kinds[of], rows[k])
	}
	for i, of := range kinds {
		if len(of) < 2 {
			return nil, nil, fmt.Errorf("by permutation needs two benign rows and two attacks, and has %d %s",
				len(of), []string{"benign rows", "attacks"}[i])
		}
		n := max(1, len(of)/heldShare)
		held, learn = append(held, of[:n]...), append(learn, of[n:]...)
	}
	slices.Sort(learn)
	slices.Sort(held)
	return learn, held, nil
}

// matrix is the columns as they stand, over the rows, with the rows' labels.
func (f *fitting) matrix(columns []*column, rows []int32) (*data.Set, error) {
	s := &data.Set{Kind: data.Vectors, N: len(rows), D: len(columns), X: make([]float32, len(rows)*len(columns)),
		Attack: pickRows(f.table.Attack, rows), Class: pickRows(f.table.Class, rows), Classes: f.table.Classes}
	for j, c := range columns {
		s.Features = append(s.Features, data.Feature{Name: c.name, Source: f.table.Columns[c.source].Name})
		if c.dummy {
			s.Features[j].Kind, s.Features[j].Level = data.Level, c.level
		}
		for i, v := range f.raw(c, rows) {
			if !finite32(v) {
				missing := "a number that models cannot take"
				if math.IsNaN(v) {
					missing = "missing values"
				}
				return nil, fmt.Errorf("column %s has %s: add impute before, or clip", c.name, missing)
			}
			s.X[i*s.D+j] = float32(v)
		}
	}
	return s, nil
}
