package supervised

import (
	"context"
	"fmt"
	"math"
	"slices"

	"plumbline/data"
	"plumbline/models"
)

// Permuted is any model that learns from labels, trained on shuffled ones: a control. What it scores above chance comes
// from how rows are judged, not from what was learnt; its score is that of the model, whose rows are those that it
// would have by itself.
//
// It costs what the model costs.
type Permuted struct {
	// the model, as a name or {model, params}
	Base models.AnyReference `yaml:"base"`
}

// Bagging is the mean of models that were fitted on resampled rows, each with a random choice of columns:
//
//	score(x) = (1/N) Σ_m score_m(x restricted to the columns of m)
//
// for models whose scores are probabilities, such as all of this package. A model that takes missing values and codes
// of categories (boosting) gets them as the steps that say native leave them. (L. Breiman, Bagging Predictors, Machine
// Learning 1996; T. Ho, The Random Subspace Method, IEEE TPAMI 1998.)
//
// It costs N times what the model costs.
type Bagging struct {
	// the model, as a name or {model, params}
	Base models.AnyReference `yaml:"base"`
	// number of models
	Models int `yaml:"models" jsonschema:"minimum=1,maximum=10000"`
	// rows drawn for each, with replacement, as a share of the training rows
	Rows float64 `yaml:"rows" jsonschema:"exclusiveMinimum=0,maximum=1"`
	// columns drawn for each, without replacement, as a share of the columns
	Columns float64 `yaml:"columns" jsonschema:"exclusiveMinimum=0,maximum=1"`
}

// Voting is the mean of several models' scores, or the share of them that call a row an attack (a score above ½). Only
// models whose scores are probabilities can vote.
//
// Where one of the models takes missing values and codes of categories (boosting), rows come with them, as the steps
// that say native leave them, and a model that does not take them gets medians and one column a category.
//
// It costs what the models cost.
type Voting struct {
	// the models, each as a name or {model, params}
	Base []models.AnyReference `yaml:"base" jsonschema:"minItems=1"`
	// soft: mean of the scores; hard: share of the models whose score is above ½
	Vote string `yaml:"vote" jsonschema:"enum=soft,enum=hard"`
}

func init() {
	needs := models.Needs{Input: data.Vectors, Labels: models.AllLabels}
	models.Register(models.Info{
		Name:    "permuted",
		Doc:     "Control that sees labels, but shuffled ones: any model trained on them.",
		Paper:   "none: the permutation control; M. Ojala and G. Garriga, JMLR 2010, for tests with it",
		Control: true, Needs: needs, HandsOn: true,
		Defaults: func() models.Spec { return &Permuted{models.AnyReferenceTo("tree")} },
	})
	models.Register(models.Info{
		Name:     "bagging",
		Doc:      "Any classifier on resampled rows and columns, many times; the score is the mean of theirs.",
		Paper:    "L. Breiman, Bagging Predictors, Machine Learning 24, 1996",
		Needs:    needs,
		HandsOn:  true,
		Defaults: func() models.Spec { return &Bagging{models.AnyReferenceTo("tree"), 10, 1, 1} },
	})
	models.Register(models.Info{
		Name:  "voting",
		Doc:   "The mean of several classifiers' probabilities, or the share of them that call a row an attack.",
		Paper: "J. Kittler, M. Hatef, R. Duin and J. Matas, On Combining Classifiers, IEEE TPAMI 20, 1998",
		Needs: needs, HandsOn: true,
		Defaults: func() models.Spec {
			return &Voting{[]models.AnyReference{models.AnyReferenceTo("logistic"), models.AnyReferenceTo("tree"),
				models.AnyReferenceTo("naive_bayes")}, "soft"}
		},
	})
}

// members is several fitted models, each on some of the columns.
type members struct {
	env     models.Env
	hard    bool
	models  []stage
	base    []models.Reference
	columns [][]int32 // nil: all
}

// probable says what a model must be for its scores to be averaged.
func probable(name string, base models.Reference) error {
	if !base.Labels().Any() {
		return fmt.Errorf("%s: %w: base: %s learns without labels, so its scores are no probabilities", name,
			models.ErrSpec, base)
	}
	return nil
}

func newMembers(name string, spec models.Spec, env models.Env, base []models.Reference,
	fit func(ctx context.Context, env models.Env, train *data.Set) (*members, error)) models.Detector {
	return models.AttackScorer[*members]{Fitted: models.NewFitted(models.Method[*members]{
		Name: name, Spec: spec, Reads: models.ReadsRows, Labels: true, Min: 2, Native: native(base),
		Fit: func(ctx context.Context, train *data.Set) (*members, error) {
			if _, _, err := targets(train, "attack"); err != nil {
				return nil, err
			}
			return fit(ctx, env, train)
		},
		Load: func(st models.State) (*members, error) { return loadMembers(env, st, base) },
	})}
}

// New checks the values and builds an unfitted detector.
func (s *Permuted) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec("permuted", s); err != nil {
		return nil, err
	}
	if err := probable("permuted", s.Base.Reference); err != nil {
		return nil, err
	}
	base := s.Base.Reference
	if _, err := base.Build(env); err != nil {
		return nil, fmt.Errorf("permuted: base: %w", err)
	}
	return newMembers("permuted", s, env, []models.Reference{base},
		func(ctx context.Context, env models.Env, train *data.Set) (*members, error) {
			shuffled := *train
			shuffled.Attack, shuffled.Class = slices.Clone(train.Attack), slices.Clone(train.Class)
			env.Rand("labels").Shuffle(train.N, func(i, j int) {
				a, c := shuffled.Attack, shuffled.Class
				a[i], a[j] = a[j], a[i]
				if len(c) == train.N {
					c[i], c[j] = c[j], c[i]
				}
			})
			det, err := fitStage(ctx, env, base, base.Native(), &shuffled)
			return &members{
				env:     env,
				base:    []models.Reference{base},
				models:  []stage{det},
				columns: [][]int32{nil},
			}, err
		}), nil
}

// New checks the values and builds an unfitted detector.
func (s *Bagging) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec("bagging", s); err != nil {
		return nil, err
	}
	if err := probable("bagging", s.Base.Reference); err != nil {
		return nil, err
	}
	spec := *s
	if _, err := spec.Base.Build(env); err != nil {
		return nil, fmt.Errorf("bagging: base: %w", err)
	}
	return newMembers("bagging", s, env, []models.Reference{spec.Base.Reference}, spec.fit), nil
}

func (s *Bagging) fit(ctx context.Context, env models.Env, train *data.Set) (*members, error) {
	m := &members{env: env}
	for i := range s.Models {
		r := env.Rand(fmt.Sprintf("member/%d", i))
		byTruth := [2][]int{}
		for row, a := range train.Attack {
			k := 0
			if a {
				k = 1
			}
			byTruth[k] = append(byTruth[k], row)
		}
		var rows []int
		for _, own := range byTruth { // stratified, so that no member lacks a class
			for range max(1, int(s.Rows*float64(len(own)))) {
				rows = append(rows, own[r.IntN(len(own))])
			}
		}
		var columns []int32
		if n := max(1, int(math.Round(s.Columns*float64(train.D)))); n < train.D {
			for _, j := range r.Perm(train.D)[:n] {
				columns = append(columns, int32(j))
			}
			slices.Sort(columns)
		}
		own := env
		own.Seed = r.Uint64()
		det, err := fitStage(ctx, own, s.Base.Reference, s.Base.Native(), pick(train, rows, columns))
		if err != nil {
			return nil, fmt.Errorf("model %d: %w", i, err)
		}
		m.models, m.columns = append(m.models, det), append(m.columns, columns)
		m.base = append(m.base, s.Base.Reference)
		env.Progress(models.Epoch{N: i + 1, Of: s.Models, Loss: math.NaN(), ValidLoss: math.NaN(), Rate: math.NaN(),
			Samples: len(rows)})
	}
	return m, nil
}

// pick is a set of some rows (nil: all) and columns (nil: all).
func pick(s *data.Set, rows []int, columns []int32) *data.Set {
	if rows == nil {
		rows = make([]int, s.N)
		for i := range rows {
			rows[i] = i
		}
	}
	out := &data.Set{Kind: s.Kind, N: len(rows), D: s.D, Features: s.Features, Classes: s.Classes}
	if columns != nil {
		out.D, out.Features = len(columns), nil
		if len(s.Features) == s.D {
			for _, j := range columns {
				out.Features = append(out.Features, s.Features[j])
			}
		}
	}
	out.X = make([]float32, 0, out.N*out.D)
	for _, i := range rows {
		row := s.Row(i)
		if columns == nil {
			out.X = append(out.X, row...)
		} else {
			for _, j := range columns {
				out.X = append(out.X, row[j])
			}
		}
		if len(s.Attack) == s.N {
			out.Attack = append(out.Attack, s.Attack[i])
		}
		if len(s.Class) == s.N {
			out.Class = append(out.Class, s.Class[i])
		}
	}
	return out
}

// New checks the values and builds an unfitted detector.
func (s *Voting) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec("voting", s); err != nil {
		return nil, err
	}
	base := references(s.Base)
	for i, b := range base {
		if err := probable("voting", b); err != nil {
			return nil, err
		}
		if _, err := b.Build(env); err != nil {
			return nil, fmt.Errorf("voting: base.%d: %w", i, err)
		}
	}
	hard := s.Vote == "hard"
	return newMembers("voting", s, env, base,
		func(ctx context.Context, env models.Env, train *data.Set) (*members, error) {
			m := &members{env: env, hard: hard, base: base, columns: make([][]int32, len(base))}
			among := native(base)
			for i, b := range base {
				det, err := fitStage(ctx, member(env, i), b, among, train)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", b, err)
				}
				m.models = append(m.models, det)
			}
			return m, nil
		}), nil
}

func references(list []models.AnyReference) []models.Reference {
	out := make([]models.Reference, len(list))
	for i, l := range list {
		out[i] = l.Reference
	}
	return out
}

// member is the environment of one of several models: a seed of its own.
func member(env models.Env, i int) models.Env {
	env.Seed = env.Rand(fmt.Sprintf("member/%d", i)).Uint64()
	return env
}

// Score is the mean of the members' scores or votes.
func (m *members) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	out := make([]float64, s.N)
	for i, det := range m.models {
		see := s
		if m.columns[i] != nil {
			see = pick(s.Unlabelled(), nil, m.columns[i])
		}
		got, err := det.Score(ctx, see)
		if err != nil {
			return nil, err
		}
		for k, v := range got {
			if m.hard {
				if v > 0.5 {
					out[k]++
				}
			} else {
				out[k] += v
			}
		}
	}
	for k := range out {
		out[k] /= float64(len(m.models))
	}
	return out, nil
}

// membersMeta is the JSON of saved members.
type membersMeta struct {
	Members int  `json:"members"`
	Hard    bool `json:"hard,omitempty"`
}

func (m *members) State() (any, models.Arrays, error) {
	arrays := models.Arrays{}
	for i, det := range m.models {
		if err := det.save(m.base[i], arrays, fmt.Sprintf("member %d", i)); err != nil {
			return nil, nil, err
		}
		if m.columns[i] != nil {
			arrays[fmt.Sprintf("columns %d", i)] = m.columns[i]
		}
	}
	return membersMeta{len(m.models), m.hard}, arrays, nil
}

// loadMembers rebuilds members; with several bases there is one of each.
func loadMembers(env models.Env, st models.State, base []models.Reference) (*members, error) {
	var meta membersMeta
	if err := st.Meta(&meta); err != nil {
		return nil, err
	}
	if meta.Members < 1 || meta.Members > len(st.Arrays) || len(base) > 1 && meta.Members != len(base) {
		return nil, fmt.Errorf("%d models in %d arrays", meta.Members, len(st.Arrays))
	}
	m, among := &members{env: env, hard: meta.Hard}, native(base)
	for i := range meta.Members {
		of, d := base[i%len(base)], st.Columns
		var columns []int32
		var err error
		if _, some := st.Arrays[fmt.Sprintf("columns %d", i)]; some {
			if columns, err = models.Array[int32](st.Arrays, fmt.Sprintf("columns %d", i), -1); err != nil {
				return nil, err
			}
			for k, j := range columns {
				if j < 0 || int(j) >= st.Columns || k > 0 && j <= columns[k-1] {
					return nil, fmt.Errorf("columns %d: %w", i, errState)
				}
			}
			if d = len(columns); d == 0 {
				return nil, fmt.Errorf("columns %d: %w", i, errState)
			}
		}
		det, err := loadStage(env, of, among, st.Arrays, fmt.Sprintf("member %d", i), d)
		if err != nil {
			return nil, err
		}
		m.models, m.columns, m.base = append(m.models, det), append(m.columns, columns), append(m.base, of)
	}
	return m, nil
}
