package classic

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/isolation"
	"plumbline/numeric/stat"
)

// obliqueTree is a tree that is cut by hyperplanes: the rows with Σ_w weight_w·x[column_w] ≤ cut, over wide columns, go
// to the next node, the others to right, which is −1 for a leaf.
type obliqueTree struct {
	right   []int32
	cut     []float64
	path    []float64 // of a leaf
	columns []int32   // nodes×wide
	weights []float64 // nodes×wide
}

// obliqueForest is the extended isolation forest.
type obliqueForest struct {
	psi, wide int
	trees     []obliqueTree
}

func fitOblique(ctx context.Context, c IForest, env models.Env, s *data.Set) (*obliqueForest, error) {
	m := &obliqueForest{psi: min(c.MaxSamples, s.N), wide: min(c.Extension+1, s.D), trees: make([]obliqueTree, c.Trees)}
	err := models.ParallelRows(ctx, c.Trees, 1, env.Parallel(), func() func(lo, hi int) {
		g := oblique{c.grower(s), s, nil}
		return func(i, _ int) {
			if ctx.Err() == nil {
				m.trees[i] = g.grow(env.Rand(fmt.Sprint("iforest tree ", i)), m.wide)
			}
		}
	})
	return m, err
}

// oblique grows trees of the grower's samples.
type oblique struct {
	*isolation.Grower
	s *data.Set
	r *rand.Rand
}

func (g *oblique) grow(r *rand.Rand, wide int) obliqueTree {
	g.r = r
	rows := g.Draw(r)
	columns := g.Columns()
	var t obliqueTree
	g.halve(&t, rows, columns, min(wide, len(columns)), wide, 0)
	return t
}

// halve grows the subtree of rows. A plane has weights other than 0 in used columns; wide have room.
func (g *oblique) halve(t *obliqueTree, rows []int32, columns []int, used, wide, depth int) {
	at := len(t.right)
	t.right, t.cut = append(t.right, -1), append(t.cut, 0)
	t.path = append(t.path, float64(depth)+isolation.AveragePath(len(rows)))
	t.columns = append(t.columns, make([]int32, wide)...)
	t.weights = append(t.weights, make([]float64, wide)...)
	if len(rows) <= 1 || depth >= g.Depth {
		return
	}
	open := 0 // the first columns are those that vary
	for i, j := range columns {
		if low, high := g.Extremes(rows, j); float64(high) > float64(low)+1e-7 {
			columns[i], columns[open] = columns[open], j
			open++
		}
	}
	if open == 0 {
		return
	}
	own, weights := t.columns[at*wide:(at+1)*wide], t.weights[at*wide:(at+1)*wide]
	cut := 0.0
	for k := range min(used, open) {
		pick := k + g.r.IntN(open-k)
		columns[k], columns[pick] = columns[pick], columns[k]
		low, high := g.Extremes(rows, columns[k])
		own[k], weights[k] = int32(columns[k]), g.r.NormFloat64()
		cut += float64(weights[k] * (float64(low) + float64(g.r.Float64()*(float64(high)-float64(low)))))
	}
	mid := 0
	for i, row := range rows {
		if along(g.s.Row(int(row)), own, weights) <= cut {
			rows[i], rows[mid] = rows[mid], row
			mid++
		}
	}
	t.cut[at] = cut
	g.halve(t, rows[:mid], columns, used, wide, depth+1)
	t.right[at] = int32(len(t.right))
	g.halve(t, rows[mid:], columns, used, wide, depth+1)
}

func along(row []float32, columns []int32, weights []float64) float64 {
	sum := 0.0
	for k, j := range columns {
		sum += float64(weights[k] * float64(row[j]))
	}
	return sum
}

// walk is h(x).
func (t *obliqueTree) walk(row []float32, wide int) float64 {
	at := 0
	for t.right[at] >= 0 {
		if along(row, t.columns[at*wide:(at+1)*wide], t.weights[at*wide:(at+1)*wide]) <= t.cut[at] {
			at++
		} else {
			at = int(t.right[at])
		}
	}
	return t.path[at]
}

func (m *obliqueForest) ScoreRows(ctx context.Context, s *data.Set, workers int, out []float64) error {
	return isolationScores(ctx, s.N, workers, len(m.trees), m.psi, out, func() func(lo, hi int) {
		return func(lo, hi int) {
			clear(out[lo:hi])
			for t := range m.trees { // one after the other: its nodes stay in the cache while it meets all rows
				if ctx.Err() != nil {
					return
				}
				for i := lo; i < hi; i++ {
					out[i] += m.trees[t].walk(s.Row(i), m.wide)
				}
			}
		}
	})
}

func (m *obliqueForest) RowState() (any, models.Arrays) {
	var all obliqueTree
	var sizes []int32
	for _, t := range m.trees {
		sizes = append(sizes, int32(len(t.right)))
		all.right, all.cut, all.path = append(all.right, t.right...), append(all.cut, t.cut...), append(all.path, t.path...)
		all.columns, all.weights = append(all.columns, t.columns...), append(all.weights, t.weights...)
	}
	return iforestMeta{m.psi}, models.Arrays{"sizes": sizes, "right": all.right, "cut": all.cut, "path": all.path,
		"columns": all.columns, "weights": all.weights}
}

func loadOblique(c IForest, st models.State) (models.RowLearned, error) {
	var meta iforestMeta
	err := st.Meta(&meta)
	if err != nil {
		return nil, err
	}
	m := &obliqueForest{psi: meta.Rows, wide: min(c.Extension+1, st.Columns)}
	sizes, err := models.Array[int32](st.Arrays, "sizes", c.Trees)
	if err != nil {
		return nil, err
	}
	var all obliqueTree
	if all.right, err = models.Array[int32](st.Arrays, "right", -1); err != nil {
		return nil, err
	}
	n := len(all.right)
	if all.columns, err = models.Array[int32](st.Arrays, "columns", n*m.wide); err != nil {
		return nil, err
	}
	for name, a := range map[string]struct {
		into *[]float64
		n    int
	}{"cut": {&all.cut, n}, "path": {&all.path, n}, "weights": {&all.weights, n * m.wide}} {
		if *a.into, err = models.FiniteArray[float64](st.Arrays, name, a.n); err != nil {
			return nil, err
		}
	}
	if m.psi < 1 || slices.ContainsFunc(all.path, func(v float64) bool { return v < 0 }) ||
		slices.ContainsFunc(all.columns, func(j int32) bool { return j < 0 || int(j) >= st.Columns }) {
		return nil, fmt.Errorf("trees of %d rows with a negative path, or a column beyond %d", m.psi, st.Columns)
	}
	for _, size := range sizes {
		if size < 1 || int(size) > len(all.right) {
			return nil, fmt.Errorf("a tree of %d nodes, %d left", size, len(all.right))
		}
		k := int(size) * m.wide
		t := obliqueTree{all.right[:size], all.cut[:size], all.path[:size], all.columns[:k], all.weights[:k]}
		for i, right := range t.right {
			// Every way goes on to a later node, so that it ends.
			if right != -1 && (int(right) <= i+1 || right >= size) {
				return nil, fmt.Errorf("node %d goes on to %d in a tree of %d nodes", i, right, size)
			}
		}
		m.trees = append(m.trees, t)
		all = obliqueTree{all.right[size:], all.cut[size:], all.path[size:], all.columns[k:], all.weights[k:]}
	}
	if len(all.right) > 0 {
		return nil, fmt.Errorf("%d nodes too many", len(all.right))
	}
	return m, nil
}

// offsetScores is a model whose scores are told from their threshold.
type offsetScores struct {
	models.RowLearned
	offset float64
}

// withOffset takes from the scores of a model what a share of the training rows lies above.
func withOffset(
	ctx context.Context,
	m models.RowLearned,
	share float64,
	env models.Env,
	s *data.Set,
) (models.RowLearned, error) {
	scores := make([]float64, s.N)
	if err := m.ScoreRows(ctx, s, env.Parallel(), scores); err != nil {
		return nil, err
	}
	slices.Sort(scores)
	return offsetScores{m, stat.Quantile(scores, 1-share)}, nil
}

func (m offsetScores) ScoreRows(ctx context.Context, s *data.Set, workers int, out []float64) error {
	err := m.RowLearned.ScoreRows(ctx, s, workers, out)
	for i := range out {
		out[i] -= m.offset
	}
	return err
}

func (m offsetScores) RowState() (any, models.Arrays) {
	meta, arrays := m.RowLearned.RowState()
	arrays["offset"] = []float64{m.offset}
	return meta, arrays
}

func loadOffset(m models.RowLearned, st models.State) (models.RowLearned, error) {
	offset, err := models.FiniteArray[float64](st.Arrays, "offset", 1)
	if err != nil {
		return nil, err
	}
	return offsetScores{m, offset[0]}, nil
}
