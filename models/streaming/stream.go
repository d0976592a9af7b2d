package streaming

import (
	"context"
	"fmt"
	"math"

	"plumbline/data"
	"plumbline/models"
)

// forest is trees that see the same rows one after the other, and do not know of one another.
type forest interface {
	// trees is how many there are.
	trees() int
	// copied is a forest of its own with the same memory.
	copied() forest
	// become takes over the memory of a copy.
	become(next forest)
	// learn shows rows to one tree, and fills scores, unless it is nil, with what the tree says of each of them when its
	// turn comes. Trees may learn beside one another.
	learn(tree int, rows [][]float32, scores []float64)
	// seen is told that all trees have learned n more rows.
	seen(n int)
	// score is the score of a row that has this mean over the trees.
	score(mean float64) float64
	state() (any, models.Arrays)
}

// learned is a forest with what it takes to walk it. Score leaves it as it is.
type learned struct {
	forest
	env models.Env
}

// batch is how many rows one tree sees before the next one does.
const batch = 1024

// stream shows the rows to all trees of f and gives the scores of rows in turn, unless out is nil.
func stream(ctx context.Context, f forest, env models.Env, s *data.Set, out []float64) error {
	n := f.trees()
	scores := make([]float64, n*batch)
	rows := make([][]float32, 0, batch)
	for from := 0; from < s.N; from += batch {
		rows = rows[:0]
		for i := from; i < min(from+batch, s.N); i++ {
			rows = append(rows, s.Row(i))
		}
		err := env.Blocks(ctx, n, 1, func(tree, _ int) {
			if out == nil {
				f.learn(tree, rows, nil)
			} else {
				f.learn(tree, rows, scores[tree*batch:tree*batch+len(rows)])
			}
		})
		if err != nil {
			return err
		}
		f.seen(len(rows))
		if out == nil {
			continue
		}
		for i := range rows {
			sum := 0.0
			for tree := range n {
				sum += scores[tree*batch+i]
			}
			out[from+i] = f.score(sum / float64(n))
		}
	}
	return nil
}

// Score judges and learns the rows in their order, on a copy.
func (l learned) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	out := make([]float64, s.N)
	if err := stream(ctx, l.copied(), l.env, s, out); err != nil {
		return nil, err
	}
	return out, nil
}

// State is the forest's.
func (l learned) State() (any, models.Arrays, error) {
	meta, arrays := l.state()
	return meta, arrays, nil
}

// detector is one that goes on learning.
type detector struct {
	*models.Fitted[learned]
	name string
	env  models.Env
}

func newDetector(name string, spec models.Spec, env models.Env,
	fit func(ctx context.Context, s *data.Set) (forest, error), load func(st models.State) (forest, error)) *detector {
	wrap := func(f forest, err error) (learned, error) { return learned{f, env}, err }
	return &detector{name: name, env: env, Fitted: models.NewFitted(models.Method[learned]{
		Name: name, Spec: spec, Reads: models.ReadsRows, Min: 1,
		Fit:  func(ctx context.Context, s *data.Set) (learned, error) { return wrap(fit(ctx, s)) },
		Load: func(st models.State) (learned, error) { return wrap(load(st)) },
	})}
}

// Update learns more rows.
func (d *detector) Update(ctx context.Context, more *data.Set) error {
	l, err := d.Ready(more)
	if err != nil {
		return err
	}
	// The learned forest changes only when all of it has seen all rows.
	next := l.copied()
	if err := stream(ctx, next, d.env, more, nil); err != nil {
		return fmt.Errorf("%s: update: %w", d.name, err)
	}
	l.become(next)
	return nil
}

// fitSteps shows the training rows to a forest and reports on the way.
func fitSteps(ctx context.Context, f forest, env models.Env, s *data.Set) error {
	const step = 16 * batch
	for from := 0; from < s.N; from += step {
		to := min(from+step, s.N)
		part := &data.Set{Kind: data.Vectors, N: to - from, D: s.D, X: s.X[from*s.D : to*s.D]}
		if err := stream(ctx, f, env, part, nil); err != nil {
			return err
		}
		env.Progress(models.Epoch{N: from/step + 1, Of: (s.N + step - 1) / step, Loss: math.NaN(), ValidLoss: math.NaN(),
			Rate: math.NaN(), Samples: to - from})
	}
	return nil
}

var _ models.Updater = (*detector)(nil)
