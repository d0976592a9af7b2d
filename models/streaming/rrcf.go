package streaming

import (
	"context"
	"encoding/binary"
	"fmt"

	"plumbline/data"
	"plumbline/models"
)

// RRCF is a robust random cut forest on the last rows of a stream: trees that cut columns, drawn by the length of their
// side, at uniform places until every row is alone; a row enters a tree as if it had been grown with it, and the
// oldest leaves. With S(u) the rows below node u and u′ its sibling,
//
//	score(x) = 1/T Σ_trees max_{u on the way from x to the root} |S(u′)| / |S(u)|
//
// which is how much simpler the rest becomes without x and those that are with it, its collusive displacement (Guha,
// Mishra, Roy and Schrijvers, Robust random cut forest based anomaly detection on streams, ICML 2016, definition 4 and
// algorithms 1 and 2). A row is judged right after it has entered, and learned thereby. The window is the last rows, as
// usual, where the paper has a reservoir too. Equal rows share a leaf.
//
// Columns should be on one scale. Fit takes the last rows of training. Each row costs T times the depth of a tree times
// d; memory is T·2ψ·2d numbers.
type RRCF struct {
	// T; 40 as in the rrcf package's examples
	Trees int `yaml:"trees" jsonschema:"minimum=1,maximum=10000"`
	// ψ: rows of a tree; 256 as there
	Size int `yaml:"size" jsonschema:"minimum=2,maximum=65536"`
}

const rrcf = "rrcf"

func init() {
	models.Register(models.Info{
		Name: rrcf,
		Doc:  "Robust random cut forest on a stream: how much a row displaces the others in trees of the last rows.",
		Paper: "Guha, Mishra, Roy and Schrijvers, Robust random cut forest based anomaly detection on streams, " +
			"ICML 2016",
		Needs:    models.Needs{Input: data.Vectors, Batch: true},
		Defaults: func() models.Spec { return &RRCF{Trees: 40, Size: 256} },
	})
}

// New builds an unfitted detector.
func (c *RRCF) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec(rrcf, c); err != nil {
		return nil, err
	}
	spec := *c
	return newDetector(rrcf, c, env,
		func(ctx context.Context, s *data.Set) (forest, error) {
			f := &rrcfForest{size: spec.Size, key: env.Rand("rrcf cuts").Uint64(), all: make([]*cutTree, spec.Trees)}
			for i := range f.all {
				f.all[i] = newCutTree(spec.Size, s.D)
			}
			from := max(0, s.N-spec.Size)
			last := &data.Set{Kind: data.Vectors, N: s.N - from, D: s.D, X: s.X[from*s.D:]}
			return f, fitSteps(ctx, f, env, last)
		},
		func(st models.State) (forest, error) { return loadRRCF(spec, st) }), nil
}

type rrcfForest struct {
	size int
	key  uint64 // what the cuts are drawn from
	rows uint64 // seen so far
	all  []*cutTree
}

func (f *rrcfForest) trees() int { return len(f.all) }

func (f *rrcfForest) copied() forest {
	c := *f
	c.all = make([]*cutTree, len(f.all))
	for i, t := range f.all {
		c.all[i] = t.copied()
	}
	return &c
}

func (f *rrcfForest) become(next forest) { *f = *next.(*rrcfForest) }

func (f *rrcfForest) learn(tree int, rows [][]float32, scores []float64) {
	t := f.all[tree]
	for i, row := range rows {
		// Draws belong to tree and row, so that nothing of a generator need be kept.
		t.draws.Seed(f.key+uint64(tree), f.rows+uint64(i))
		if len(t.window) == f.size {
			t.forget()
		}
		leaf := t.insert(row)
		if scores != nil {
			scores[i] = t.displacement(leaf)
		}
	}
}

func (f *rrcfForest) seen(n int) { f.rows += uint64(n) }

func (f *rrcfForest) score(mean float64) float64 { return mean }

// rrcfMeta is the JSON part of the saved state.
type rrcfMeta struct {
	Rows uint64 `json:"rows"`
}

// state is the rows of the window, which all trees share, and the cuts of each tree.
func (f *rrcfForest) state() (any, models.Arrays) {
	var window []float32
	for _, leaf := range f.all[0].window {
		window = append(window, f.all[0].point(leaf)...)
	}
	var sizes, column []int32
	var cut []float64
	for _, t := range f.all {
		before := len(column)
		t.walk(t.root, func(n int32) {
			if t.isLeaf(n) {
				column, cut = append(column, -1), append(cut, 0)
			} else {
				column, cut = append(column, t.column[n]), append(cut, t.cut[n])
			}
		})
		sizes = append(sizes, int32(len(column)-before))
	}
	key := binary.LittleEndian.AppendUint64(nil, f.key)
	return rrcfMeta{f.rows}, models.Arrays{"key": key, "window": window, "sizes": sizes, "column": column, "cut": cut}
}

func loadRRCF(c RRCF, st models.State) (*rrcfForest, error) {
	var meta rrcfMeta
	err := st.Meta(&meta)
	if err != nil {
		return nil, err
	}
	key, err := models.Array[uint8](st.Arrays, "key", 8)
	if err != nil {
		return nil, err
	}
	window, err := models.FiniteArray[float32](st.Arrays, "window", -1)
	if err != nil {
		return nil, err
	}
	d := st.Columns
	if n := len(window) / d; n < 1 || n > c.Size || n*d != len(window) {
		return nil, fmt.Errorf("a window of %d numbers in %d columns", len(window), d)
	}
	sizes, err := models.Array[int32](st.Arrays, "sizes", c.Trees)
	if err != nil {
		return nil, err
	}
	column, err := models.Array[int32](st.Arrays, "column", -1)
	if err != nil {
		return nil, err
	}
	cut, err := models.FiniteArray[float64](st.Arrays, "cut", len(column))
	if err != nil {
		return nil, err
	}
	f := &rrcfForest{size: c.Size, key: binary.LittleEndian.Uint64(key), rows: meta.Rows, all: make([]*cutTree, c.Trees)}
	for i, size := range sizes {
		if size < 1 || int(size) > len(column) {
			return nil, fmt.Errorf("tree %d has %d nodes, %d left", i, size, len(column))
		}
		f.all[i] = newCutTree(c.Size, d)
		if err := f.all[i].rebuild(window, column[:size], cut[:size]); err != nil {
			return nil, fmt.Errorf("tree %d: %w", i, err)
		}
		column, cut = column[size:], cut[size:]
	}
	if len(column) > 0 {
		return nil, fmt.Errorf("%d nodes too many", len(column))
	}
	return f, nil
}
