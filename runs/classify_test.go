package runs

import (
	"context"
	"math"
	"sync"
	"testing"

	"plumbline/data"
	"plumbline/eval"
	"plumbline/models"
	"plumbline/runs/record"
	"plumbline/runs/runstest"
)

// TestClassifiers: classifiers are judged by their classes, for one class of attacks and for several, and where hosts
// are the units; what the class metrics say follows from the confusion matrix beside them. Other models have none.
func TestClassifiers(t *testing.T) {
	three := `models=[znorm, tree, {model: tree, label: families, params: {target: class, max_depth: 6}},` +
		` {model: bagging, params: {models: 3}}]`
	for unit, overrides := range map[string][]string{"flow": {}, "host": {"+unit=host"}} {
		t.Run(unit, func(t *testing.T) {
			overrides = append(overrides, three, "seeds=[1]", "+split={kind: random, attacks: split, validation: 0.1}")
			out := runSmall(t, runstest.Small, Options{}, overrides...)
			for _, r := range out.Results {
				if r.Status != record.OK {
					t.Fatalf("%s: %s", r.Label, r.Error)
				}
				var m eval.Metrics
				if err := record.ReadJSON(out.Dir, r.Cell+"/metrics.json", &m); err != nil {
					t.Fatal(err)
				}
				c := m.Classification
				if r.Label == "znorm" {
					if c != nil || !math.IsNaN(r.Metric("brier")) {
						t.Errorf("a model without labels has class metrics: %+v", c)
					}
					continue
				}
				if c == nil {
					t.Fatalf("%s has no class metrics", r.Label)
				}
				classes, right, all := len(c.Classes), 0, 0
				for k, row := range c.Confusion {
					right += row[k]
					for _, n := range row {
						all += n
					}
				}
				if several := r.Label == "families" && unit == "flow"; several != (classes > 2) {
					t.Errorf("%s: classes %v", r.Label, c.Classes)
				}
				if all != r.Test || r.Metric("micro_f1") != float64(right)/float64(all) || !(r.Metric("brier") < 0.25) ||
					unit == "flow" && !(r.Metric("macro_f1") > 0.5) {
					t.Errorf("%s: %d of %d called right, %+v", r.Label, right, all, r.Metrics)
				}
			}
		})
	}
}

// constant scores every row alike, and counts how often it looks at each number of rows.
type constant struct{}

var looks = struct {
	sync.Mutex
	at map[int]int
}{at: map[int]int{}}

func (*constant) Score(_ context.Context, s *data.Set) ([]float64, error) {
	looks.Lock()
	defer looks.Unlock()
	looks.at[s.N]++
	out := make([]float64, s.N)
	for i := range out {
		out[i] = 0.25
	}
	return out, nil
}

func (*constant) State() (any, models.Arrays, error) { return nil, nil, nil }

type countingSpec struct{}

func (s *countingSpec) New(models.Env) (models.Detector, error) {
	return models.AttackScorer[*constant]{Fitted: models.NewFitted(models.Method[*constant]{
		Name: "test_counting", Spec: s, Reads: models.ReadsRows, Labels: true, Min: 1,
		Fit:  func(context.Context, *data.Set) (*constant, error) { return &constant{}, nil },
		Load: func(models.State) (*constant, error) { return &constant{}, nil },
	})}, nil
}

// TestClassifierScoresOnce: the test part of a classifier is scored once, for scores and probabilities.
func TestClassifierScoresOnce(t *testing.T) {
	models.Register(models.Info{Name: "test_counting", Doc: "d", Paper: "none", Seeded: models.Never,
		Needs:    models.Needs{Input: data.Vectors, Labels: models.AllLabels},
		Defaults: func() models.Spec { return &countingSpec{} }})
	out := runSmall(t, runstest.Small, Options{}, "models=[test_counting]", "seeds=[1]",
		"+split={kind: random, attacks: split, validation: 0.1}")
	r := out.Results[0]
	if r.Status != record.OK || r.Metric("brier") == 0 || looks.at[r.Test] != 1 {
		t.Errorf("%s %s: the test part was scored %d times", r.Status, r.Error, looks.at[r.Test])
	}
}
