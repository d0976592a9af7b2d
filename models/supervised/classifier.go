package supervised

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"plumbline/data"
	"plumbline/models"
)

// Common is the settings that all classifiers of this package have.
type Common struct {
	// what is told apart: attack (attacks from benign rows) or class (the classes of attacks too; the score is
	// then 1 minus the probability of benign)
	Target string `yaml:"target" jsonschema:"enum=attack,enum=class"`
	// weights of the rows in training: none (all alike) or balanced (n / (classes · rows of the row's class))
	Weights string `yaml:"weights" jsonschema:"enum=none,enum=balanced"`
	// what corrects the probabilities: none, platt (a logistic curve; Platt 1999) or isotonic (a rising step
	// curve; Zadrozny and Elkan 2002), fitted on out-of-fold probabilities of five folds
	Calibration string `yaml:"calibration" jsonschema:"enum=none,enum=platt,enum=isotonic"`
}

func defaultCommon() Common { return Common{Target: "attack", Weights: "none", Calibration: "none"} }

// common is the settings themselves, for models that embed them.
func (c *Common) common() *Common { return c }

// calibrated says whether a spec draws folds, which is all that models without chance of their own use the seed for.
func calibrated(s models.Spec) bool {
	return s.(interface{ common() *Common }).common().Calibration != "none"
}

// problem is training rows as a classifier sees them.
type problem struct {
	x    []float32 // n×d, row-major
	n, d int
	y    []int32   // class of each row, 0 for benign
	k    int       // classes, at least 2
	w    []float64 // weight of each row, above 0
	// columns that hold codes of categories; nil: none
	categories []bool
}

func (p *problem) row(i int) []float32 { return p.x[i*p.d : (i+1)*p.d] }

// only is the problem of some rows.
func (p *problem) only(rows []int32) *problem {
	out := &problem{n: len(rows), d: p.d, k: p.k, categories: p.categories}
	for _, i := range rows {
		out.x = append(out.x, p.row(int(i))...)
		out.y = append(out.y, p.y[i])
		out.w = append(out.w, p.w[i])
	}
	return out
}

// learner fits a classifier.
type learner func(ctx context.Context, env models.Env, p *problem) (classifier, error)

// loader rebuilds a classifier of k classes on d columns from what its state gave.
type loader func(meta json.RawMessage, arrays models.Arrays, d, k int) (classifier, error)

// classifier is what was learnt. It is immutable.
type classifier interface {
	// probabilities fills out, n×k, each row of which sums to 1.
	probabilities(ctx context.Context, env models.Env, x []float32, n int, out []float64) error
	// state is scalars for JSON and arrays, whose names do not begin with "calibration".
	state() (meta any, arrays models.Arrays)
}

// contributor tells what each column adds to a row's score.
type contributor interface {
	contributions(row []float32, out []float64)
}

// plan is what a model of this package adds to [Common].
type plan struct {
	name   string
	spec   models.Spec
	common Common
	learn  learner
	load   loader
	native bool // the classifier takes missing values and codes of categories
}

// detector is a classifier as a [models.Detector].
type detector struct {
	*models.Fitted[*judge]
}

// build makes an unfitted detector of a plan.
func build(p plan, env models.Env) *detector {
	return &detector{models.NewFitted(models.Method[*judge]{
		Name: p.name, Spec: p.spec, Reads: models.ReadsRows, Labels: true, Min: 2, Native: p.native,
		Fit:  func(ctx context.Context, s *data.Set) (*judge, error) { return p.fit(ctx, env, s) },
		Load: func(st models.State) (*judge, error) { return p.restore(env, st) },
	})}
}

// explained is a detector that gives reasons.
type explained struct{ *detector }

// Explain is what each column adds to the score.
func (e explained) Explain(ctx context.Context, s *data.Set) ([]string, [][]float64, error) {
	j, err := e.Ready(s)
	if err != nil {
		return nil, nil, err
	}
	out := make([][]float64, s.N)
	err = j.env.Blocks(ctx, s.N, 64, func(from, to int) {
		for i := from; i < to; i++ {
			out[i] = make([]float64, s.D)
			j.of.(contributor).contributions(s.Row(i), out[i])
		}
	})
	return s.ColumnNames(), out, err
}

// Probabilities are those of the classes, benign first.
func (d *detector) Probabilities(ctx context.Context, s *data.Set) ([]string, [][]float64, error) {
	_, classes, p, err := d.ScoreProbabilities(ctx, s)
	return classes, p, err
}

// ScoreProbabilities is the scores, and the probabilities that they are made of.
func (d *detector) ScoreProbabilities(ctx context.Context, s *data.Set) (scores []float64, classes []string,
	p [][]float64, err error) {
	j, err := d.Ready(s)
	if err != nil {
		return nil, nil, nil, err
	}
	flat, err := j.probabilities(ctx, s)
	if err != nil {
		return nil, nil, nil, err
	}
	k := len(j.classes)
	p = make([][]float64, s.N)
	for i := range p {
		p[i] = flat[i*k : (i+1)*k : (i+1)*k]
	}
	return attackScores(flat, k), j.classes, p, nil
}

// judge is a fitted classifier with its calibration.
type judge struct {
	env     models.Env
	classes []string // benign first
	of      classifier
	curves  []curve // of each class, or of the last alone where there are two; none: as learnt
}

// targets turns the truth of a set into classes: benign rows are class 0.
func targets(s *data.Set, target string) (y []int32, classes []string, err error) {
	y = make([]int32, s.N)
	var counts []int
	if target == "class" && len(s.Class) == s.N {
		classes, counts = []string{"benign"}, []int{0}
		id := map[uint32]int32{}
		var seen []uint32
		for i, c := range s.Class {
			if s.Attack[i] && !slices.Contains(seen, c) && int(c) < len(s.Classes) {
				seen = append(seen, c)
			}
		}
		slices.SortFunc(seen, func(a, b uint32) int { return bytes.Compare([]byte(s.Classes[a]), []byte(s.Classes[b])) })
		for _, c := range seen {
			id[c] = int32(len(classes))
			classes, counts = append(classes, s.Classes[c]), append(counts, 0)
		}
		for i, a := range s.Attack {
			if a {
				y[i] = id[s.Class[i]]
			}
			counts[y[i]]++
		}
	} else {
		classes, counts = []string{"benign", "attack"}, []int{0, 0}
		for i, a := range s.Attack {
			if a {
				y[i] = 1
			}
			counts[y[i]]++
		}
	}
	if counts[0] == 0 || len(counts) < 2 || counts[0] == s.N {
		return nil, nil, fmt.Errorf("%w: want benign rows and attacks, there are %d and %d", models.ErrInput,
			counts[0], s.N-counts[0])
	}
	return y, classes, nil
}

// newProblem is a set as a problem.
func (c Common) newProblem(s *data.Set) (*problem, []string, error) {
	y, classes, err := targets(s, c.Target)
	if err != nil {
		return nil, nil, err
	}
	p := &problem{x: s.X, n: s.N, d: s.D, y: y, k: len(classes), w: make([]float64, s.N), categories: codes(s)}
	counts := make([]float64, p.k)
	for _, c := range y {
		counts[c]++
	}
	for i, k := range y {
		p.w[i] = 1
		if c.Weights == "balanced" {
			p.w[i] = float64(p.n) / (float64(p.k) * counts[k])
		}
	}
	return p, classes, nil
}

// codes marks the columns that hold codes of categories; nil: there are none.
func codes(s *data.Set) []bool {
	var out []bool
	for j, f := range s.Features {
		if f.Kind == data.Code {
			if out == nil {
				out = make([]bool, s.D)
			}
			out[j] = true
		}
	}
	return out
}

func (p plan) fit(ctx context.Context, env models.Env, s *data.Set) (*judge, error) {
	problem, classes, err := p.common.newProblem(s)
	if err != nil {
		return nil, err
	}
	j := &judge{env: env, classes: classes}
	if j.of, err = p.learn(ctx, env, problem); err != nil {
		return nil, err
	}
	if p.common.Calibration != "none" {
		if j.curves, err = calibrate(ctx, env, problem, p.learn, p.common.Calibration); err != nil {
			return nil, fmt.Errorf("calibration: %w", err)
		}
	}
	return j, nil
}

// probabilities are n×k, calibrated.
func (j *judge) probabilities(ctx context.Context, s *data.Set) ([]float64, error) {
	k := len(j.classes)
	p := make([]float64, s.N*k)
	if err := j.of.probabilities(ctx, j.env, s.X, s.N, p); err != nil {
		return nil, err
	}
	if len(j.curves) > 0 {
		for i := range s.N {
			applyCurves(j.curves, p[i*k:(i+1)*k])
		}
	}
	return p, nil
}

// Score is the probability of an attack, of whatever class.
func (j *judge) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	p, err := j.probabilities(ctx, s)
	if err != nil {
		return nil, err
	}
	return attackScores(p, len(j.classes)), nil
}

// attackScores is the probabilities of an attack in n×k probabilities, benign first.
func attackScores(p []float64, k int) []float64 {
	out := make([]float64, len(p)/k)
	for i := range out {
		for _, v := range p[i*k+1 : (i+1)*k] {
			out[i] += v
		}
		out[i] = min(out[i], 1) // rounding
	}
	return out
}

// judgeMeta is the JSON of a saved judge.
type judgeMeta struct {
	Classes []string        `json:"classes"`
	Curves  int             `json:"curves"`
	Model   json.RawMessage `json:"model"`
}

// State is the classifier's, the classes and the calibration.
func (j *judge) State() (any, models.Arrays, error) {
	meta, arrays := j.of.state()
	js, err := json.Marshal(meta)
	if err != nil {
		return nil, nil, err
	}
	if arrays == nil {
		arrays = models.Arrays{}
	}
	for c, v := range j.curves {
		arrays[fmt.Sprintf("calibration %d x", c)] = v.x
		arrays[fmt.Sprintf("calibration %d y", c)] = v.y
	}
	return judgeMeta{j.classes, len(j.curves), js}, arrays, nil
}

func (p plan) restore(env models.Env, st models.State) (*judge, error) {
	var meta judgeMeta
	if err := st.Meta(&meta); err != nil {
		return nil, err
	}
	k := len(meta.Classes)
	if k < 2 || k > 1<<16 || meta.Curves != 0 && meta.Curves != curvesOf(k) {
		return nil, fmt.Errorf("%d classes with %d calibrations", k, meta.Curves)
	}
	j := &judge{env: env, classes: meta.Classes}
	for c := range meta.Curves {
		v, err := loadCurve(st.Arrays, c)
		if err != nil {
			return nil, err
		}
		j.curves = append(j.curves, v)
	}
	var err error
	j.of, err = p.load(meta.Model, st.Arrays, st.Columns, k)
	return j, err
}

// strict decodes JSON without unknown keys.
func strict(raw json.RawMessage, into any) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	return dec.Decode(into)
}

var errState = errors.New("parts do not fit each other")

var (
	_ models.Detector          = (*detector)(nil)
	_ models.ScoringClassifier = (*detector)(nil)
	_ models.Explainer         = explained{}
)
