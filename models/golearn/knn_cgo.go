//go:build cgo

package golearn

import (
	"context"
	"fmt"

	"github.com/sjwhitworth/golearn/base"
	"github.com/sjwhitworth/golearn/knn"

	"plumbline/data"
	"plumbline/models"
)

func init() {
	models.Register(models.Info{
		Name: "golearn_knn",
		Doc: "golearn's k nearest neighbours, in builds with a C compiler alone; the score is 1 where most of the k " +
			"nearest training rows are attacks, else 0. The training rows are drawn by the seed; of equal distances " +
			"golearn takes any, always the same.",
		Paper: "T. Cover and P. Hart, Nearest Neighbor Pattern Classification, IEEE Transactions on Information Theory 13, " +
			"1967; search of S. Whitworth's golearn",
		Needs:    models.Needs{Input: data.Vectors, Labels: models.AllLabels},
		Defaults: func() models.Spec { return &NeighboursSpec{K: 5, Rows: 5000} },
	})
}

// NeighboursSpec configures golearn_knn:
//
//	score = [more than K/2 of the K nearest rows are attacks] ∈ {0, 1}
//
// by Euclidean distance. Each scored row sorts the distances of all kept rows.
type NeighboursSpec struct {
	// neighbours, an odd number; at most as many as there are training rows
	K int `yaml:"k" jsonschema:"minimum=1,maximum=10000"`
	// training rows that are kept, at most
	Rows int `yaml:"rows" jsonschema:"minimum=1,maximum=1000000"`
}

// New checks the values.
func (s *NeighboursSpec) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec("golearn_knn", s); err != nil {
		return nil, err
	}
	if s.K%2 == 0 {
		return nil, fmt.Errorf("golearn_knn: %w: k: %d is even, and golearn breaks ties by the order of a map",
			models.ErrSpec, s.K)
	}
	spec := *s
	return models.NewFitted(models.Method[*neighbours]{
		Name: "golearn_knn", Spec: s, Reads: models.ReadsRows, Labels: true, Min: 1,
		Fit: func(_ context.Context, train *data.Set) (*neighbours, error) {
			kept := &data.Set{Kind: train.Kind, N: min(train.N, spec.Rows), D: train.D}
			for _, r := range env.Rand("rows").Perm(train.N)[:kept.N] {
				kept.X, kept.Attack = append(kept.X, train.Row(r)...), append(kept.Attack, train.Attack[r])
			}
			return newNeighbours(env, spec.K, kept)
		},
		Load: func(st models.State) (*neighbours, error) { return loadNeighbours(env, spec.K, st) },
	}), nil
}

// neighbours is the rows that vote.
type neighbours struct {
	env  models.Env
	k    int
	kept *data.Set
	grid *base.DenseInstances
}

func newNeighbours(env models.Env, k int, kept *data.Set) (*neighbours, error) {
	if k = min(k, kept.N); k%2 == 0 {
		k--
	}
	grid, err := view{train: kept, rows: every(kept.N)}.instances()
	return &neighbours{env: env, k: k, kept: kept, grid: grid}, err
}

// Score shows golearn the rows without their labels.
func (m *neighbours) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	const block = 256
	out := make([]float64, s.N)
	errs := make([]error, (s.N+block-1)/block)
	err := m.env.Blocks(ctx, s.N, block, func(from, to int) {
		errs[from/block] = caught(func() error {
			rows := data.Set{Kind: s.Kind, N: to - from, D: s.D, X: s.X[from*s.D : to*s.D]}
			grid, err := view{train: &rows, rows: every(rows.N)}.instances()
			if err != nil {
				return err
			}
			of := knn.NewKnnClassifier("euclidean", "linear", m.k)
			if err := of.Fit(m.grid); err != nil {
				return err
			}
			named, err := of.Predict(grid)
			if err != nil {
				return err
			}
			for i := from; i < to; i++ {
				if base.GetClass(named, i-from) == classes[1] {
					out[i] = 1
				}
			}
			return nil
		})
	})
	for _, e := range errs {
		if e != nil {
			return nil, e
		}
	}
	return out, err
}

// State is the kept rows and their labels.
func (m *neighbours) State() (any, models.Arrays, error) {
	labels := make([]int32, m.kept.N)
	for i, a := range m.kept.Attack {
		if a {
			labels[i] = 1
		}
	}
	return nil, models.Arrays{"rows": m.kept.X, "attack": labels}, nil
}

func loadNeighbours(env models.Env, k int, st models.State) (*neighbours, error) {
	labels, err := models.Array[int32](st.Arrays, "attack", -1)
	if err != nil {
		return nil, err
	}
	kept := &data.Set{Kind: data.Vectors, N: len(labels), D: st.Columns}
	if kept.X, err = models.FiniteArray[float32](st.Arrays, "rows", kept.N*kept.D); err != nil {
		return nil, err
	}
	if kept.N == 0 {
		return nil, fmt.Errorf("no rows")
	}
	for i, v := range labels {
		if v != 0 && v != 1 {
			return nil, fmt.Errorf("row %d has the label %d", i, v)
		}
		kept.Attack = append(kept.Attack, v == 1)
	}
	return newNeighbours(env, k, kept)
}
