package streaming

import (
	"context"
	"fmt"
	"math"
	"slices"

	"plumbline/data"
	"plumbline/models"
)

// HST is half-space trees: complete trees that halve the columns at random places and count the rows of a window in
// every half-space. With r(v) the rows of the last whole window that came through node v, at depth e(v) from 0, and the
// path of x from the root down to the first node of r(v) < 0.1w or a leaf,
//
//	score(x) = 1 − 1/T Σ_trees Σ_{v on the path} r(v) 2^e(v) / (w (2^(h+1) − 1))     (mass: path)
//	score(x) = 1 − 1/T Σ_trees r(v) 2^e(v) / (w 2^h), v the last node of the path     (mass: last)
//
// (Tan, Ting and Liu, Fast anomaly detection for streaming data, IJCAI 2011, algorithms 1 to 3, whose score is the
// second turned round; the first is river's.) A node cuts a column that is drawn by the length of its side, at a place
// drawn from the middle 70 % of it, as in river; x_j below the place goes left. Every w rows the counts of the window
// become r. Columns are scaled by the extremes of the training rows, or taken to be in [0, 1] already.
//
// Fit takes the training rows for the beginning of the stream. Where they are fewer than w, they are the window.
// Each row costs Th steps, however many came before it; memory is T 2^(h+1) nodes.
type HST struct {
	// T; 10 as in river, where the paper has 25
	Trees int `yaml:"trees" jsonschema:"minimum=1,maximum=10000"`
	// h: cuts from the root to a leaf; 8 as in river, where the paper has 15
	Height int `yaml:"height" jsonschema:"minimum=1,maximum=20"`
	// w: rows of a window; 250 as in the paper
	Window int `yaml:"window" jsonschema:"minimum=1,maximum=10000000"`
	// counts along the whole path, as in river, or of its last node, as in the paper
	Mass string `yaml:"mass" jsonschema:"enum=path,enum=last"`
	// what the trees halve: the box of the training rows, or the unit cube for columns that are scaled already
	Range string `yaml:"range" jsonschema:"enum=train,enum=unit"`
}

const hst = "hst"

func init() {
	models.Register(models.Info{
		Name:  hst,
		Doc:   "Half-space trees on a stream: how few rows of the last window lie where a row does.",
		Paper: "Tan, Ting and Liu, Fast anomaly detection for streaming data, IJCAI 2011",
		Needs: models.Needs{Input: data.Vectors, Batch: true},
		Defaults: func() models.Spec {
			return &HST{Trees: 10, Height: 8, Window: 250, Mass: "path", Range: "train"}
		},
	})
}

// New builds an unfitted detector.
func (c *HST) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec(hst, c); err != nil {
		return nil, err
	}
	spec := *c
	return newDetector(hst, c, env,
		func(ctx context.Context, s *data.Set) (forest, error) { return fitHST(ctx, spec, env, s) },
		func(st models.State) (forest, error) { return loadHST(spec, st) }), nil
}

// hstForest has the nodes of its trees in the order of their breadth: those below node v are 2v+1 and 2v+2.
type hstForest struct {
	spec   HST
	window int       // w, or the training rows where these are fewer
	low    []float64 // d: of the box
	side   []float64 // d: its length
	size   int       // nodes of a tree
	column []int32   // T×(size/2)
	cut    []float64 // T×(size/2), in the unit cube

	rows   int     // of the window that is being counted
	latest []int32 // T×size: its counts
	past   []int32 // T×size: r
}

func fitHST(ctx context.Context, c HST, env models.Env, s *data.Set) (*hstForest, error) {
	f := newHST(c, s.D)
	f.window = min(c.Window, s.N)
	for j := range s.D {
		f.side[j] = 1
		if c.Range == "unit" {
			continue
		}
		low, high := s.X[j], s.X[j]
		for i := range s.N {
			low, high = min(low, s.X[i*s.D+j]), max(high, s.X[i*s.D+j])
		}
		f.low[j] = float64(low)
		if high > low {
			f.side[j] = float64(high) - float64(low)
		}
	}
	err := env.Blocks(ctx, c.Trees, 1, func(tree, _ int) { f.grow(tree, env) })
	if err != nil {
		return nil, err
	}
	return f, fitSteps(ctx, f, env, s)
}

func newHST(c HST, d int) *hstForest {
	size := 1<<(c.Height+1) - 1
	return &hstForest{
		spec: c, low: make([]float64, d), side: make([]float64, d), size: size,
		column: make([]int32, c.Trees*(size/2)), cut: make([]float64, c.Trees*(size/2)),
		latest: make([]int32, c.Trees*size), past: make([]int32, c.Trees*size),
	}
}

// grow draws the cuts of a tree, which do not depend on rows.
func (f *hstForest) grow(tree int, env models.Env) {
	const padding = 0.15 // of a side that no cut comes near to
	r := env.Rand(fmt.Sprint("hst tree ", tree))
	d := len(f.low)
	low, high := make([]float64, d), make([]float64, d)
	for j := range high {
		high[j] = 1
	}
	var halve func(v int)
	halve = func(v int) {
		if v >= f.size/2 {
			return
		}
		total := 0.0
		for j := range d {
			total += high[j] - low[j]
		}
		j, u := 0, r.Float64()*total
		for ; j < d-1 && u >= high[j]-low[j]; j++ {
			u -= high[j] - low[j]
		}
		from, side := low[j], high[j]-low[j]
		cut := from + float64(side*(padding+float64((1-2*padding)*r.Float64())))
		f.column[tree*(f.size/2)+v], f.cut[tree*(f.size/2)+v] = int32(j), cut
		low[j], high[j] = from, cut
		halve(2*v + 1)
		low[j], high[j] = cut, from+side
		halve(2*v + 2)
		low[j] = from
	}
	halve(0)
}

func (f *hstForest) trees() int { return f.spec.Trees }

func (f *hstForest) copied() forest {
	c := *f
	c.latest, c.past = slices.Clone(f.latest), slices.Clone(f.past)
	return &c
}

func (f *hstForest) become(next forest) { *f = *next.(*hstForest) }

func (f *hstForest) learn(tree int, rows [][]float32, scores []float64) {
	inner := f.size / 2
	column, cut := f.column[tree*inner:(tree+1)*inner], f.cut[tree*inner:(tree+1)*inner]
	latest, past := f.latest[tree*f.size:(tree+1)*f.size], f.past[tree*f.size:(tree+1)*f.size]
	few := 0.1 * float64(f.window)
	count := f.rows
	for i, row := range rows {
		mass, open := 0.0, true
		scale := 1.0 // 2^depth
		for v := 0; ; scale *= 2 {
			if open {
				if f.spec.Mass == "path" {
					mass += float64(float64(past[v]) * scale)
				} else {
					mass = float64(past[v]) * scale
				}
				open = float64(past[v]) >= few
			}
			latest[v]++
			if v >= inner {
				break
			}
			j := column[v]
			if (float64(row[j])-f.low[j])/f.side[j] < cut[v] {
				v = 2*v + 1
			} else {
				v = 2*v + 2
			}
		}
		if scores != nil {
			scores[i] = mass
		}
		if count++; count == f.window {
			copy(past, latest)
			clear(latest)
			count = 0
		}
	}
}

func (f *hstForest) seen(n int) { f.rows = (f.rows + n) % f.window }

func (f *hstForest) score(mean float64) float64 {
	most := math.Ldexp(1, f.spec.Height)
	if f.spec.Mass == "path" {
		most = math.Ldexp(1, f.spec.Height+1) - 1
	}
	return 1 - mean/(float64(f.window)*most)
}

// hstMeta is the JSON part of the saved state.
type hstMeta struct {
	Window int `json:"window"`
	Rows   int `json:"rows"`
}

func (f *hstForest) state() (any, models.Arrays) {
	return hstMeta{f.window, f.rows}, models.Arrays{"low": f.low, "side": f.side, "column": f.column, "cut": f.cut,
		"latest": slices.Clone(f.latest), "past": slices.Clone(f.past)}
}

func loadHST(c HST, st models.State) (*hstForest, error) {
	var meta hstMeta
	if err := st.Meta(&meta); err != nil {
		return nil, err
	}
	if meta.Window < 1 || meta.Window > c.Window || meta.Rows < 0 || meta.Rows >= meta.Window {
		return nil, fmt.Errorf("%d rows of a window of %d", meta.Rows, meta.Window)
	}
	f := newHST(c, st.Columns)
	f.window, f.rows = meta.Window, meta.Rows
	var err error
	for name, into := range map[string]*[]float64{"low": &f.low, "side": &f.side, "cut": &f.cut} {
		if *into, err = models.FiniteArray[float64](st.Arrays, name, len(*into)); err != nil {
			return nil, err
		}
	}
	for name, into := range map[string]*[]int32{"column": &f.column, "latest": &f.latest, "past": &f.past} {
		if *into, err = models.Array[int32](st.Arrays, name, len(*into)); err != nil {
			return nil, err
		}
	}
	for j, v := range f.side {
		if v <= 0 {
			return nil, fmt.Errorf("column %d has a side of %v", j, v)
		}
	}
	for i, j := range f.column {
		if j < 0 || int(j) >= st.Columns {
			return nil, fmt.Errorf("cut %d is of column %d, of %d", i, j, st.Columns)
		}
	}
	for i := range f.past {
		if f.past[i] < 0 || int(f.past[i]) > f.window || f.latest[i] < 0 || int(f.latest[i]) > f.rows {
			return nil, fmt.Errorf("node %d has counted %d and %d rows of a window of %d", i, f.past[i], f.latest[i], f.window)
		}
	}
	return f, nil
}
