package supervised

import (
	"context"
	"encoding/json"
	"fmt"
	"math"

	"plumbline/data"
	"plumbline/models"
)

// Stacking is logistic regression on the scores of several models:
//
//	score(x) = 1 / (1 + exp(−(Σ_m v_m z_m(x) + c))),  z_m(x) = (score_m(x) − mean_m) / sd_m
//
// The logistic model is fitted on out-of-fold scores: the training rows are dealt into Folds folds, stratified by
// class, and each row is scored by models that were fitted on the other folds. Then the models are fitted on all rows.
// Models that learn without labels may take part: they see the benign rows alone, and their scores are features like
// others. Where one of the models takes missing values and codes of categories (boosting), rows come with them, as the
// steps that say native leave them, and a model that does not take them gets medians and one column a category. (D.
// Wolpert, Stacked Generalization, Neural Networks 1992.)
//
// It costs Folds + 1 times what the models cost.
type Stacking struct {
	// the models, each as a name or {model, params}; those that learn without labels see benign rows alone
	Base []models.AnyReference `yaml:"base" jsonschema:"minItems=1"`
	// folds that out-of-fold scores come from
	Folds int `yaml:"folds" jsonschema:"minimum=2,maximum=100"`
	// weight of the data against the regulariser in the logistic regression
	C float64 `yaml:"c" jsonschema:"exclusiveMinimum=0,maximum=1e9"`
}

func init() {
	models.Register(models.Info{
		Name: "stacking",
		Doc: "Logistic regression on out-of-fold scores of several models, with and without labels; the score is the " +
			"probability of an attack.",
		Paper:   "D. Wolpert, Stacked Generalization, Neural Networks 5, 1992",
		Needs:   models.Needs{Input: data.Vectors, Labels: models.AllLabels},
		HandsOn: true,
		Defaults: func() models.Spec {
			return &Stacking{[]models.AnyReference{models.AnyReferenceTo("logistic"), models.AnyReferenceTo("tree"),
				models.AnyReferenceTo("naive_bayes")}, 5, 1}
		},
	})
}

// stack is the fitted models and what joins them.
type stack struct {
	env    models.Env
	base   []models.Reference
	models []stage
	mean   []float64
	unit   []float64 // 1/sd, 0 for scores that are all equal
	joint  *linear
}

// New checks the values and builds an unfitted detector.
func (s *Stacking) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec("stacking", s); err != nil {
		return nil, err
	}
	spec, base := *s, references(s.Base)
	for i, b := range base {
		if _, err := b.Build(env); err != nil {
			return nil, fmt.Errorf("stacking: base.%d: %w", i, err)
		}
	}
	return models.AttackScorer[*stack]{Fitted: models.NewFitted(models.Method[*stack]{
		Name: "stacking", Spec: s, Reads: models.ReadsRows, Labels: true, Min: 2, Native: native(base),
		Fit:  func(ctx context.Context, train *data.Set) (*stack, error) { return spec.fit(ctx, env, base, train) },
		Load: func(st models.State) (*stack, error) { return loadStack(env, base, st) },
	})}, nil
}

// fitBase fits the models on some rows of a set; those that learn without labels on the benign ones.
func fitBase(ctx context.Context, env models.Env, base []models.Reference, train *data.Set, rows []int) (
	[]stage, error) {
	among := native(base)
	var benign []int
	for _, i := range rows {
		if !train.Attack[i] {
			benign = append(benign, i)
		}
	}
	var out []stage
	for i, b := range base {
		see := pick(train, rows, nil)
		if !b.Labels().Any() {
			see = pick(train, benign, nil).Unlabelled()
		}
		det, err := fitStage(ctx, member(env, i), b, among, see)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", b, err)
		}
		out = append(out, det)
	}
	return out, nil
}

// scoreBase writes the models' scores of a set into columns of out, row by row.
func scoreBase(ctx context.Context, dets []stage, s *data.Set, put func(row, model int, v float64)) error {
	s = s.Unlabelled()
	for m, det := range dets {
		got, err := det.Score(ctx, s)
		if err != nil {
			return err
		}
		for i, v := range got {
			put(i, m, v)
		}
	}
	return nil
}

// outOfFoldScores is n×models scores, each row's from models that were not fitted on it.
func (s *Stacking) outOfFoldScores(ctx context.Context, env models.Env, base []models.Reference, train *data.Set,
	fold []int) ([]float64, error) {
	out := make([]float64, train.N*len(base))
	for f := range s.Folds {
		var in, held []int
		for i, v := range fold {
			if v == f {
				held = append(held, i)
			} else {
				in = append(in, i)
			}
		}
		if len(held) == 0 {
			continue
		}
		dets, err := fitBase(ctx, env, base, train, in)
		if err != nil {
			return nil, fmt.Errorf("fold %d: %w", f, err)
		}
		err = scoreBase(ctx, dets, pick(train, held, nil), func(row, m int, v float64) { out[held[row]*len(base)+m] = v })
		if err != nil {
			return nil, fmt.Errorf("fold %d: %w", f, err)
		}
		env.Progress(models.Epoch{N: f + 1, Of: s.Folds + 1, Loss: math.NaN(), ValidLoss: math.NaN(), Rate: math.NaN(),
			Samples: len(in)})
	}
	return out, nil
}

func (s *Stacking) fit(ctx context.Context, env models.Env, base []models.Reference, train *data.Set) (*stack, error) {
	y, _, err := targets(train, "attack")
	if err != nil {
		return nil, err
	}
	z, err := s.outOfFoldScores(ctx, env, base, train, stratifiedFolds(y, 2, s.Folds, env.Rand("folds")))
	if err != nil {
		return nil, err
	}
	k := len(base)
	m := &stack{env: env, base: base, mean: make([]float64, k), unit: make([]float64, k)}
	for j := range k {
		for i := range train.N {
			m.mean[j] += z[i*k+j] / float64(train.N)
		}
		for i := range train.N {
			m.unit[j] += (z[i*k+j] - m.mean[j]) * (z[i*k+j] - m.mean[j]) / float64(train.N)
		}
		if m.unit[j] = 1 / math.Sqrt(m.unit[j]); math.IsInf(m.unit[j], 0) || math.IsNaN(m.unit[j]) {
			m.unit[j] = 0
		}
	}
	p := &problem{n: train.N, d: k, k: 2, y: y, x: make([]float32, train.N*k), w: make([]float64, train.N)}
	for i := range train.N {
		p.w[i] = 1
		for j := range k {
			p.x[i*k+j] = float32((z[i*k+j] - m.mean[j]) * m.unit[j])
		}
	}
	quiet := env
	quiet.Observe = nil
	if m.joint, err = fitLinear(ctx, quiet, p, softmaxLoss, s.C, 1000); err != nil {
		return nil, err
	}
	all := make([]int, train.N)
	for i := range all {
		all[i] = i
	}
	m.models, err = fitBase(ctx, env, base, train, all)
	return m, err
}

// Score is the probability of an attack.
func (m *stack) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	k := len(m.models)
	z := make([]float32, s.N*k)
	err := scoreBase(ctx, m.models, s, func(row, j int, v float64) { z[row*k+j] = float32((v - m.mean[j]) * m.unit[j]) })
	if err != nil {
		return nil, err
	}
	p := make([]float64, 2*s.N)
	if err := m.joint.probabilities(ctx, m.env, z, s.N, p); err != nil {
		return nil, err
	}
	out := make([]float64, s.N)
	for i := range out {
		out[i] = p[2*i+1]
	}
	return out, nil
}

func (m *stack) State() (any, models.Arrays, error) {
	_, arrays := m.joint.state()
	arrays["score mean"], arrays["score unit"] = m.mean, m.unit
	for i, det := range m.models {
		if err := det.save(m.base[i], arrays, fmt.Sprintf("member %d", i)); err != nil {
			return nil, nil, err
		}
	}
	return struct{}{}, arrays, nil
}

func loadStack(env models.Env, base []models.Reference, st models.State) (*stack, error) {
	if err := st.Meta(&struct{}{}); err != nil {
		return nil, err
	}
	k := len(base)
	m := &stack{env: env, base: base}
	joint, err := loadLinear(json.RawMessage("{}"), st.Arrays, k, 2)
	if err != nil {
		return nil, err
	}
	m.joint = joint.(*linear)
	if m.mean, err = models.FiniteArray[float64](st.Arrays, "score mean", k); err != nil {
		return nil, err
	}
	if m.unit, err = models.FiniteArray[float64](st.Arrays, "score unit", k); err != nil {
		return nil, err
	}
	for i, b := range base {
		det, err := loadStage(env, b, native(base), st.Arrays, fmt.Sprintf("member %d", i), st.Columns)
		if err != nil {
			return nil, err
		}
		m.models = append(m.models, det)
	}
	return m, nil
}
