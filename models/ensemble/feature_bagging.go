package ensemble

import (
	"context"
	"fmt"
	"slices"

	"plumbline/data"
	"plumbline/models"
)

// FeatureBagging fits a model many times, each time on other columns: as many as a number drawn from ⌊d/2⌋ to d, drawn
// without replacement. With score_t that of model t on its columns,
//
//	score(x) = 1/T Σ_t score_t(x), or max_t score_t(x)
//
// (Lazarevic and Kumar, Feature bagging for outlier detection, KDD 2005, whose cumulative sum is T times the mean; the
// maximum as in PyOD. There the number of columns ends at d−1.) The scores of one model on different numbers of columns
// should be of one scale, as those of lof and iforest are.
//
// It costs T times what the model costs on three quarters of the columns.
type FeatureBagging struct {
	// the model, as a name or {model, params}: any model of vectors that learns without labels; lof as in the paper
	Model models.Reference `yaml:"model"`
	// T: how many times it is fitted; 10 as in PyOD
	Estimators int `yaml:"estimators" jsonschema:"minimum=1,maximum=10000"`
	// mean or maximum of the scores
	Combine string `yaml:"combine" jsonschema:"enum=mean,enum=max"`
}

const featureBagging = "feature_bagging"

func init() {
	models.Register(models.Info{
		Name:  featureBagging,
		Doc:   "Feature bagging: one model fitted on many choices of the columns; the score is the mean of theirs.",
		Paper: "Lazarevic and Kumar, Feature bagging for outlier detection, KDD 2005",
		Needs: models.Needs{Input: data.Vectors},
		Defaults: func() models.Spec {
			return &FeatureBagging{Model: models.ReferenceTo("lof"), Estimators: 10, Combine: "mean"}
		},
	})
}

// New checks the values and builds an unfitted detector.
func (c *FeatureBagging) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec(featureBagging, c); err != nil {
		return nil, err
	}
	if _, err := c.Model.Build(env); err != nil {
		return nil, fmt.Errorf("%s: model: %w", featureBagging, err)
	}
	spec := *c
	return models.NewFitted(models.Method[*bag]{
		Name: featureBagging, Spec: c, Reads: models.ReadsRows, Min: 1,
		Fit:  func(ctx context.Context, s *data.Set) (*bag, error) { return fitBag(ctx, spec, env, s) },
		Load: func(st models.State) (*bag, error) { return loadBag(spec, env, st) },
	}), nil
}

// bag is the fitted models with their columns, rising.
type bag struct {
	spec    FeatureBagging
	members []models.Detector
	columns [][]int32
}

func fitBag(ctx context.Context, c FeatureBagging, env models.Env, s *data.Set) (*bag, error) {
	b := &bag{spec: c}
	for t := range c.Estimators {
		r := env.Rand(fmt.Sprint("feature_bagging columns ", t))
		least := max(1, s.D/2)
		columns := make([]int32, least+r.IntN(s.D-least+1))
		for i, j := range r.Perm(s.D)[:len(columns)] {
			columns[i] = int32(j)
		}
		slices.Sort(columns)
		det, err := c.Model.Fit(ctx, member(env, t), project(s, columns))
		if err != nil {
			return nil, err
		}
		b.members, b.columns = append(b.members, det), append(b.columns, columns)
	}
	return b, nil
}

// member is the environment of model t, which draws numbers of its own.
func member(env models.Env, t int) models.Env {
	env.Seed = env.Rand(fmt.Sprint("member ", t)).Uint64()
	return env
}

// project is the set with some of its columns.
func project(s *data.Set, columns []int32) *data.Set {
	p := &data.Set{Kind: data.Vectors, N: s.N, D: len(columns), X: make([]float32, 0, s.N*len(columns))}
	for i := range s.N {
		row := s.Row(i)
		for _, j := range columns {
			p.X = append(p.X, row[j])
		}
	}
	if len(s.Features) > 0 {
		for _, j := range columns {
			p.Features = append(p.Features, s.Features[j])
		}
	}
	return p
}

// Score joins the scores of the models.
func (b *bag) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	out := make([]float64, s.N)
	for t, det := range b.members {
		scores, err := det.Score(ctx, project(s, b.columns[t]))
		if err != nil {
			return nil, err
		}
		for i, v := range scores {
			switch {
			case b.spec.Combine == "mean":
				out[i] += v / float64(len(b.members))
			case t == 0:
				out[i] = v
			default:
				out[i] = max(out[i], v)
			}
		}
	}
	return out, nil
}

// State is the columns and what the models save.
func (b *bag) State() (any, models.Arrays, error) {
	arrays := models.Arrays{}
	var sizes, columns []int32
	for t, det := range b.members {
		if err := b.spec.Model.Save(arrays, fmt.Sprint("model", t), det); err != nil {
			return nil, nil, err
		}
		sizes, columns = append(sizes, int32(len(b.columns[t]))), append(columns, b.columns[t]...)
	}
	arrays["sizes"], arrays["columns"] = sizes, columns
	return nil, arrays, nil
}

func loadBag(c FeatureBagging, env models.Env, st models.State) (*bag, error) {
	sizes, err := models.Array[int32](st.Arrays, "sizes", c.Estimators)
	if err != nil {
		return nil, err
	}
	columns, err := models.Array[int32](st.Arrays, "columns", -1)
	if err != nil {
		return nil, err
	}
	b := &bag{spec: c}
	for t, size := range sizes {
		if size < 1 || int(size) > st.Columns || int(size) > len(columns) {
			return nil, fmt.Errorf("model %d has %d of %d columns, %d left", t, size, st.Columns, len(columns))
		}
		own := columns[:size:size]
		columns = columns[size:]
		for i, j := range own {
			if j < 0 || int(j) >= st.Columns || i > 0 && j <= own[i-1] {
				return nil, fmt.Errorf("model %d has columns %v", t, own)
			}
		}
		det, err := c.Model.Load(st.Arrays, fmt.Sprint("model", t), member(env, t), int(size))
		if err != nil {
			return nil, err
		}
		b.members, b.columns = append(b.members, det), append(b.columns, own)
	}
	if len(columns) > 0 {
		return nil, fmt.Errorf("%d columns too many", len(columns))
	}
	return b, nil
}
