package neighbours

import (
	"context"
	"fmt"
	"math"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/neighbour"
)

// judge is a learned model that scores a row by its k nearest training rows.
type judge interface {
	// reference is the training rows, and how many of them it wants to see.
	reference() (ref *neighbour.Reference, k int)
	// worker is a function of one goroutine, with scratch space of its own, that scores row by its neighbours: near is
	// by rising distance, and self the training row that it is, −1 for rows from elsewhere.
	worker() func(row []float32, near []neighbour.Neighbour, self int) float64
	state() (any, models.Arrays)
}

// learned is a judge with what it takes to score.
type learned struct {
	judge
	workers int
}

// Score meets repeated rows once.
func (l learned) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	all := s.N
	s, of := models.Distinct(s)
	scores, err := l.scores(ctx, s.X, -1)
	if err != nil || of == nil {
		return scores, err
	}
	out := make([]float64, all)
	for i, j := range of {
		out[i] = scores[j]
	}
	return out, nil
}

// scores is those of rows x. With self ≥ 0 they are the training rows from self on, none of which is its own neighbour.
func (l learned) scores(ctx context.Context, x []float32, self int) ([]float64, error) {
	ref, k := l.reference()
	out := make([]float64, len(x)/ref.D)
	near := make([]neighbour.Neighbour, min(len(out), batch)*k)
	for from := 0; from < len(out); from += batch {
		to := min(from+batch, len(out))
		first := self
		if self >= 0 {
			first += from
		}
		// The neighbours of a batch first: a judge has scratch space, which visit does not know whose it is.
		err := ref.Nearest(ctx, x[from*ref.D:to*ref.D], k, l.workers, first,
			func(i int, found []neighbour.Neighbour) { copy(near[i*k:], found) })
		if err != nil {
			return nil, err
		}
		env := models.Env{Workers: l.workers}
		err = env.Blocks(ctx, to-from, 64, func(lo, hi int) {
			score := l.worker()
			for i := lo; i < hi; i++ {
				own := -1
				if self >= 0 {
					own = self + from + i
				}
				out[from+i] = score(x[(from+i)*ref.D:(from+i+1)*ref.D], near[i*k:(i+1)*k], own)
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// batch is how many rows find their neighbours before they are judged.
const batch = 4096

// State is the judge's.
func (l learned) State() (any, models.Arrays, error) {
	meta, arrays := l.state()
	return meta, arrays, nil
}

// detector is an unfitted detector that needs at least min rows.
func detector(
	name string,
	spec models.Spec,
	env models.Env,
	min int,
	fit func(ctx context.Context, s *data.Set) (judge, error),
	load func(st models.State) (judge, error),
) models.Detector {
	wrap := func(j judge, err error) (learned, error) { return learned{j, env.Parallel()}, err }
	return models.NewFitted(models.Method[learned]{
		Name: name, Spec: spec, Reads: models.ReadsRows, Min: min,
		Fit:  func(ctx context.Context, s *data.Set) (learned, error) { return wrap(fit(ctx, s)) },
		Load: func(st models.State) (learned, error) { return wrap(load(st)) },
	})
}

// nearestOf is the k nearest other rows of every row of the reference, k of them each.
func nearestOf(ctx context.Context, ref *neighbour.Reference, k int, env models.Env) ([]neighbour.Neighbour, error) {
	near := make([]neighbour.Neighbour, ref.N*k)
	for from := 0; from < ref.N; from += batch {
		to := min(from+batch, ref.N)
		err := ref.Nearest(ctx, ref.X[from*ref.D:to*ref.D], k, env.Parallel(), from,
			func(i int, found []neighbour.Neighbour) { copy(near[(from+i)*k:], found) })
		if err != nil {
			return nil, err
		}
		env.Progress(models.Epoch{N: from/batch + 1, Of: (ref.N + batch - 1) / batch, Loss: math.NaN(),
			ValidLoss: math.NaN(), Rate: math.NaN(), Samples: to - from})
	}
	return near, nil
}

// fewer says how many neighbours there can be, and that they are fewer than asked for.
func fewer(name string, k, rows int, env models.Env) int {
	if k > rows {
		env.Logger().Warn(name+": fewer neighbours than asked for", "k", k, "used", rows)
	}
	return min(k, rows)
}

// rowsMeta is the JSON part of a saved state.
type rowsMeta struct {
	Rows int `json:"rows"`
	K    int `json:"k"`
}

// loadRows rebuilds a reference of at least least rows and k, which is below limit(rows).
func loadRows(st models.State, least int, most func(rows int) int) (ref *neighbour.Reference, k int, err error) {
	var meta rowsMeta
	if err := st.Meta(&meta); err != nil {
		return nil, 0, err
	}
	n, d := meta.Rows, st.Columns
	if n < least || n > math.MaxInt32 || meta.K < 1 || meta.K > most(n) {
		return nil, 0, fmt.Errorf("%d rows of %d columns, k %d", n, d, meta.K)
	}
	x, err := models.FiniteArray[float32](st.Arrays, "rows", n*d)
	if err != nil {
		return nil, 0, err
	}
	return neighbour.New(x, n, d), meta.K, nil
}

// others is how many other rows one of n has.
func others(n int) int { return n - 1 }

// loadReference is a saved array of n rows, as points to be searched among.
func loadReference(st models.State, n int) (*neighbour.Reference, error) {
	x, err := models.FiniteArray[float32](st.Arrays, "rows", n*st.Columns)
	if err != nil {
		return nil, err
	}
	return neighbour.New(x, n, st.Columns), nil
}
