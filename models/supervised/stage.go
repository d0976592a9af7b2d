package supervised

import (
	"context"
	"fmt"
	"strconv"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/onnx"
	"plumbline/numeric/stat"
)

// stage is one fitted model of an ensemble.
type stage struct {
	models.Detector
	plain *plain // what the model's rows are made by; nil: they are the ensemble's
}

// native says whether one of the models takes missing values and codes of categories, so that the ensemble does.
func native(base []models.Reference) bool {
	for _, b := range base {
		if b.Native() {
			return true
		}
	}
	return false
}

// fitStage fits a model on rows that may lack values and hold codes of categories if among is native: one that does
// not take them gets what the steps impute and onehot would make of the rows.
func fitStage(ctx context.Context, env models.Env, of models.Reference, among bool, train *data.Set) (stage, error) {
	var s stage
	if among && !of.Native() {
		s.plain = newPlain(train)
	}
	var err error
	s.Detector, err = of.Fit(ctx, env, s.plain.of(train))
	return s, err
}

// Score is the model's.
func (s stage) Score(ctx context.Context, set *data.Set) ([]float64, error) {
	return s.Detector.Score(ctx, s.plain.of(set))
}

// Graph is the model's.
func (s stage) Graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	if s.plain != nil {
		var err error
		if x, err = s.plain.graph(g, x); err != nil {
			return "", err
		}
	}
	return models.Graph(s.Detector, g, x)
}

// save adds a stage to its owner's arrays, under a name.
func (s stage) save(of models.Reference, to models.Arrays, name string) error {
	if s.plain != nil {
		to[name+" fill"], to[name+" levels"] = s.plain.fill, s.plain.levels
	}
	return of.Save(to, name, s.Detector)
}

// loadStage restores what save added, of an ensemble on rows of d columns.
func loadStage(env models.Env, of models.Reference, among bool, from models.Arrays, name string, d int) (stage, error) {
	var s stage
	if among && !of.Native() {
		fill, err := models.FiniteArray[float32](from, name+" fill", d)
		if err != nil {
			return s, err
		}
		levels, err := models.Array[int32](from, name+" levels", d)
		if err != nil {
			return s, err
		}
		for _, n := range levels {
			if n < 0 || n > maxLevels {
				return s, fmt.Errorf("%s: a column of %d categories: %w", name, n, errState)
			}
		}
		s.plain = &plain{fill, levels}
		d = s.plain.width()
	}
	var err error
	s.Detector, err = of.Load(from, name, env, d)
	return s, err
}

// maxLevels is how many categories of a column are told apart.
const maxLevels = 256

// plain makes numbers of rows that lack values and hold codes of categories. A number that is missing becomes the
// median of the training rows, and a code one column for each category up to the highest of the training rows, 1 where
// the row has it; of a category beyond, or none, all are 0. The columns of a category stand in its place.
type plain struct {
	fill   []float32 // of each column of numbers
	levels []int32   // of each column: how many categories; 0 for numbers
}

func newPlain(train *data.Set) *plain {
	p := &plain{fill: make([]float32, train.D), levels: make([]int32, train.D)}
	categories := codes(train)
	var values []float64
	for j := range train.D {
		values = values[:0]
		for i := range train.N {
			if v := train.Row(i)[j]; v == v {
				values = append(values, float64(v))
			}
		}
		if categories != nil && categories[j] {
			p.levels[j] = 1
			for _, v := range values {
				if k, ok := level(float32(v), maxLevels); ok {
					p.levels[j] = max(p.levels[j], k+1)
				}
			}
		} else if len(values) > 0 {
			p.fill[j] = float32(stat.Select(values, 0.5))
		}
	}
	return p
}

// level is a code as an index below n; false where it is none.
func level(code float32, n int32) (int32, bool) {
	if !(code >= 0 && code < float32(n)) || code != float32(int32(code)) {
		return 0, false
	}
	return int32(code), true
}

func (p *plain) width() (d int) {
	for _, n := range p.levels {
		d += max(1, int(n))
	}
	return d
}

// of is the rows of a set as numbers: the set itself where they are, or where p is nil.
func (p *plain) of(s *data.Set) *data.Set {
	if p == nil || s.D != len(p.levels) {
		return s
	}
	d, lacks := p.width(), false
	if d == s.D {
		for _, n := range p.levels {
			lacks = lacks || n > 0
		}
		for i := 0; i < len(s.X) && !lacks; i++ {
			lacks = s.X[i] != s.X[i]
		}
		if !lacks {
			return s
		}
	}
	out := *s
	out.D, out.X, out.Features = d, make([]float32, s.N*d), p.features(s.Features)
	for i := range s.N {
		row := out.Row(i)
		for j, v := range s.Row(i) {
			n := p.levels[j]
			switch k, ok := level(v, n); {
			case ok:
				row[k] = 1
			case n == 0 && v == v:
				row[0] = v
			case n == 0:
				row[0] = p.fill[j]
			}
			row = row[max(1, n):]
		}
	}
	return &out
}

func (p *plain) features(of []data.Feature) (out []data.Feature) {
	for j, f := range of {
		if p.levels[j] == 0 {
			out = append(out, f)
			continue
		}
		for k := range p.levels[j] {
			name := strconv.Itoa(int(k))
			out = append(out, data.Feature{Name: f.Name + "=" + name, Source: f.Source, Kind: data.Level, Level: name})
		}
	}
	return out
}

// graph is of, of an n×d matrix.
func (p *plain) graph(g *onnx.Graph, x onnx.Value) (onnx.Value, error) {
	for _, n := range p.levels {
		if n > 0 {
			return "", models.NoGraph("columns of codes stand beside models that take none: take the step onehot")
		}
	}
	return g.Op("Where", g.Op("IsNaN", x), g.Floats(p.fill, 1, len(p.fill)), x), nil
}
