package streaming

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"plumbline/data"
	"plumbline/models"
)

// KitNET is an ensemble of small auto-encoders. Columns are grouped by single linkage of the distances 1 − correlation,
// cut where a group has at most Group of them; each group g has an auto-encoder, and one more rebuilds their errors.
// With x_g the columns of a group, scaled by their extremes in training, and e the errors, scaled alike,
//
//	e_g(x)   = RMSE(x_g, A_g(x_g)),  A(v) = σ(Wσ(Wᵀv + b) + c)
//	score(x) = RMSE(e(x), A(e(x)))
//
// Each row is one step of gradient descent on the cross-entropy between input and output, in the order of the rows
// (Mirsky, Doitshman, Elovici and Shabtai, Kitsune: an ensemble of autoencoders for online network intrusion detection,
// NDSS 2018, section V). In Fit the extremes and the groups are those of all training rows, and the last auto-encoder
// is trained on errors of trained ones; there all of it is learned in one pass. Update goes on as there.
//
// Fit costs nd² for the correlations and E·n·d·Group steps, a score d·Group.
type KitNET struct {
	// columns of a group at most; 10 as in the paper
	Group int `yaml:"group" jsonschema:"minimum=1,maximum=1000"`
	// size of a hidden layer by that of its input, rounded up; 0.75 as in the paper
	Hidden float64 `yaml:"hidden" jsonschema:"exclusiveMinimum=0,maximum=10"`
	// learning rate; 0.1 as in the paper
	Rate float64 `yaml:"rate" jsonschema:"exclusiveMinimum=0,maximum=10"`
	// E: passes over the training rows; 1 as in the paper
	Epochs int `yaml:"epochs" jsonschema:"minimum=1,maximum=100000"`
}

const kitnet = "kitnet"

func init() {
	models.Register(models.Info{
		Name: kitnet,
		Doc: "Ensemble of small auto-encoders of correlated columns, whose errors one more rebuilds; the score is its " +
			"error.",
		Paper: "Mirsky, Doitshman, Elovici and Shabtai, Kitsune: an ensemble of autoencoders for online network " +
			"intrusion detection, NDSS 2018",
		Needs:    models.Needs{Input: data.Vectors},
		Defaults: func() models.Spec { return &KitNET{Group: 10, Hidden: 0.75, Rate: 0.1, Epochs: 1} },
	})
}

// New builds an unfitted detector.
func (c *KitNET) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec(kitnet, c); err != nil {
		return nil, err
	}
	spec := *c
	return &kitDetector{models.NewFitted(models.Method[*kit]{
		Name: kitnet, Spec: c, Reads: models.ReadsRows, Min: 1,
		Fit:  func(ctx context.Context, s *data.Set) (*kit, error) { return fitKit(ctx, spec, env, s) },
		Load: func(st models.State) (*kit, error) { return loadKit(spec, env, st) },
	})}, nil
}

// kitDetector is one that goes on learning.
type kitDetector struct{ *models.Fitted[*kit] }

// kit is the groups, an auto-encoder for each, and the last one.
type kit struct {
	spec   KitNET
	env    models.Env
	groups [][]int32
	scale  extremes // of the columns
	small  []*tied  // of the groups
	errors extremes // of the groups' errors
	last   *tied
}

func newKit(c KitNET, env models.Env, d int, groups [][]int32) *kit {
	m := &kit{spec: c, env: env, groups: groups, scale: newExtremes(d), errors: newExtremes(len(groups))}
	for g, columns := range groups {
		m.small = append(m.small, newTied(len(columns), c.Hidden, env.Rand(fmt.Sprint("kitnet group ", g))))
	}
	m.last = newTied(len(groups), c.Hidden, env.Rand("kitnet last"))
	return m
}

func fitKit(ctx context.Context, c KitNET, env models.Env, s *data.Set) (*kit, error) {
	apart, err := correlationDistances(ctx, env, s)
	if err != nil {
		return nil, err
	}
	m := newKit(c, env, s.D, groupsOf(apart, s.D, c.Group))
	row := make([]float64, s.D)
	for i := range s.N {
		m.scale.extend(widen(s.Row(i), row))
	}
	for epoch := range c.Epochs {
		err := env.Blocks(ctx, len(m.groups), 1, func(g, _ int) {
			v := make([]float64, len(m.groups[g]))
			for i := range s.N {
				if i%1024 == 0 && ctx.Err() != nil {
					return
				}
				m.small[g].learn(m.pick(g, s.Row(i), v), c.Rate)
			}
		})
		if err != nil {
			return nil, err
		}
		env.Progress(models.Epoch{N: epoch + 1, Of: c.Epochs, Loss: math.NaN(), ValidLoss: math.NaN(), Rate: c.Rate,
			Samples: s.N})
	}
	k := len(m.groups)
	errors := make([]float64, s.N*k)
	err = env.Blocks(ctx, s.N, 256, func(from, to int) {
		w, v := m.sharing(), make([]float64, s.D)
		for i := from; i < to; i++ {
			w.groupErrors(s.Row(i), v, errors[i*k:(i+1)*k])
		}
	})
	if err != nil {
		return nil, err
	}
	for i := range s.N {
		m.errors.extend(errors[i*k : (i+1)*k])
	}
	for range c.Epochs {
		for i := range s.N {
			if i%1024 == 0 && ctx.Err() != nil {
				return nil, ctx.Err()
			}
			m.last.learn(m.errors.scaled(errors[i*k:(i+1)*k], row[:k]), c.Rate)
		}
	}
	return m, nil
}

// widen copies the row to v.
func widen(row []float32, v []float64) []float64 {
	for j, x := range row {
		v[j] = float64(x)
	}
	return v
}

// pick fills v with the scaled columns of a group.
func (m *kit) pick(g int, row []float32, v []float64) []float64 {
	for at, j := range m.groups[g] {
		v[at] = m.scale.one(int(j), float64(row[j]))
	}
	return v
}

// groupErrors fills out with the errors of the groups; v has room for a row.
func (m *kit) groupErrors(row []float32, v, out []float64) {
	for g, a := range m.small {
		out[g] = a.error(m.pick(g, row, v[:len(m.groups[g])]))
	}
}

// Score is the last auto-encoder's error.
func (m *kit) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	out := make([]float64, s.N)
	err := m.env.Blocks(ctx, s.N, 256, func(from, to int) {
		w := m.sharing()
		v, errors := make([]float64, s.D), make([]float64, len(m.groups))
		for i := from; i < to; i++ {
			w.groupErrors(s.Row(i), v, errors)
			out[i] = w.last.error(w.errors.scaled(errors, errors))
		}
	})
	return out, err
}

// sharing is the same weights with scratch space of their own.
func (m *kit) sharing() *kit {
	c := *m
	c.last = m.last.sharing()
	c.small = make([]*tied, len(m.small))
	for g, a := range m.small {
		c.small[g] = a.sharing()
	}
	return &c
}

// Update learns more rows: each widens the extremes, is a step of every auto-encoder, and their errors before it are
// one of the last.
func (d *kitDetector) Update(ctx context.Context, more *data.Set) error {
	m, err := d.Ready(more)
	if err != nil {
		return err
	}
	// What was learned changes only when all rows have been seen.
	next := m.sharing()
	next.scale, next.errors = m.scale.copied(), m.errors.copied()
	for _, a := range append([]*tied{next.last}, next.small...) {
		a.w, a.b, a.c = slices.Clone(a.w), slices.Clone(a.b), slices.Clone(a.c)
	}
	v, errors := make([]float64, more.D), make([]float64, len(m.groups))
	for i := range more.N {
		if i%256 == 0 && ctx.Err() != nil {
			return fmt.Errorf("%s: update: %w", kitnet, ctx.Err())
		}
		row := more.Row(i)
		next.scale.extend(widen(row, v))
		for g, a := range next.small {
			errors[g] = a.learn(next.pick(g, row, v[:len(next.groups[g])]), m.spec.Rate)
		}
		next.errors.extend(errors)
		next.last.learn(next.errors.scaled(errors, errors), m.spec.Rate)
	}
	*m = *next
	return nil
}

// correlationDistances is 1 − the correlation of each two columns, d×d; that of a constant column is 0.
func correlationDistances(ctx context.Context, env models.Env, s *data.Set) ([]float64, error) {
	d := s.D
	mean, products := make([]float64, d), make([]float64, d*d)
	for i := range s.N {
		for j, v := range s.Row(i) {
			mean[j] += float64(v) / float64(s.N)
		}
	}
	err := env.Blocks(ctx, d, 1, func(j, _ int) {
		sums := products[j*d : (j+1)*d]
		for i := range s.N {
			if i%1024 == 0 && ctx.Err() != nil {
				return
			}
			row := s.Row(i)
			own := float64(row[j]) - mean[j]
			for k := j; k < d; k++ {
				sums[k] += float64(own * (float64(row[k]) - mean[k]))
			}
		}
	})
	if err != nil {
		return nil, err
	}
	apart := make([]float64, d*d)
	for j := range d {
		for k := j + 1; k < d; k++ {
			r := 0.0
			if p := math.Sqrt(products[j*d+j]) * math.Sqrt(products[k*d+k]); p > 0 {
				r = products[j*d+k] / p
			}
			apart[j*d+k], apart[k*d+j] = 1-r, 1-r
		}
	}
	return apart, nil
}

// groupsOf cuts the single-linkage tree of d columns with these distances into groups of at most size, each rising.
func groupsOf(apart []float64, d, size int) [][]int32 {
	// The merges of single linkage are the edges of a minimum spanning tree (here Prim's) by rising length.
	type edge struct {
		a, b   int
		length float64
	}
	var edges []edge
	near, from, in := make([]float64, d), make([]int, d), make([]bool, d)
	for j := range near {
		near[j] = math.Inf(1)
	}
	for at := 0; len(edges) < d-1; {
		in[at] = true
		next := -1
		for j := range d {
			if in[j] {
				continue
			}
			if v := apart[at*d+j]; v < near[j] {
				near[j], from[j] = v, at
			}
			if next < 0 || near[j] < near[next] {
				next = j
			}
		}
		edges = append(edges, edge{from[next], next, near[next]})
		at = next
	}
	slices.SortStableFunc(edges, func(x, y edge) int { return cmp.Compare(x.length, y.length) })
	// below[n] is what merge n joined; top[j] is the merge that holds column j.
	type node struct {
		columns     []int32
		left, right int
	}
	var nodes []node
	top := make([]int, d)
	for j := range d {
		nodes, top[j] = append(nodes, node{[]int32{int32(j)}, -1, -1}), j
	}
	for _, e := range edges {
		l, r := top[e.a], top[e.b]
		joined := slices.Concat(nodes[l].columns, nodes[r].columns)
		slices.Sort(joined)
		for _, j := range joined {
			top[j] = len(nodes)
		}
		nodes = append(nodes, node{joined, l, r})
	}
	var groups [][]int32
	var descend func(n int)
	descend = func(n int) {
		if len(nodes[n].columns) <= size {
			groups = append(groups, nodes[n].columns)
			return
		}
		descend(nodes[n].left)
		descend(nodes[n].right)
	}
	descend(len(nodes) - 1)
	slices.SortFunc(groups, func(a, b []int32) int { return cmp.Compare(a[0], b[0]) })
	return groups
}

// State is the groups, the extremes and the weights.
func (m *kit) State() (any, models.Arrays, error) {
	group := make([]int32, len(m.scale.low))
	var weights []float64
	for g, columns := range m.groups {
		for _, j := range columns {
			group[j] = int32(g)
		}
		weights = m.small[g].appendTo(weights)
	}
	return nil, models.Arrays{"group": group, "weights": m.last.appendTo(weights), "low": m.scale.low,
		"high": m.scale.high, "errors_low": m.errors.low, "errors_high": m.errors.high}, nil
}

func loadKit(c KitNET, env models.Env, st models.State) (*kit, error) {
	group, err := models.Array[int32](st.Arrays, "group", st.Columns)
	if err != nil {
		return nil, err
	}
	count := int(slices.Max(group)) + 1
	if count < 1 || count > st.Columns {
		return nil, fmt.Errorf("%d groups of %d columns", count, st.Columns)
	}
	groups := make([][]int32, count)
	for j, g := range group {
		if g < 0 || len(groups[g]) == c.Group {
			return nil, fmt.Errorf("column %d is in group %d of %d, of at most %d columns each", j, g, count, c.Group)
		}
		groups[g] = append(groups[g], int32(j))
	}
	for g, columns := range groups {
		if len(columns) == 0 {
			return nil, fmt.Errorf("group %d is empty", g)
		}
	}
	m := newKit(c, env, st.Columns, groups)
	for _, a := range []struct {
		name string
		into *[]float64
		n    int
	}{{"low", &m.scale.low, st.Columns}, {"high", &m.scale.high, st.Columns}, {"errors_low", &m.errors.low, len(groups)},
		{"errors_high", &m.errors.high, len(groups)}} {
		if *a.into, err = models.FiniteArray[float64](st.Arrays, a.name, a.n); err != nil {
			return nil, err
		}
	}
	total := len(m.last.appendTo(nil))
	for _, a := range m.small {
		total += len(a.w) + len(a.b) + len(a.c)
	}
	weights, err := models.FiniteArray[float64](st.Arrays, "weights", total)
	if err != nil {
		return nil, err
	}
	for _, a := range append(slices.Clone(m.small), m.last) {
		weights = a.takeFrom(weights)
	}
	return m, nil
}

var _ models.Updater = (*kitDetector)(nil)
