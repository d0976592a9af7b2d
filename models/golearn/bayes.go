package golearn

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"github.com/sjwhitworth/golearn/naive"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/elementary"
)

func init() {
	models.Register(models.Info{
		Name: "golearn_naive_bayes",
		Doc: "golearn's Bernoulli naive Bayes on columns cut at their training medians; the score is the probability of " +
			"an attack. Nothing is drawn: it is reproducible. golearn names the class alone, and of equals any.",
		Paper: "C. Manning, P. Raghavan and H. Schütze, Introduction to Information Retrieval, 2008, chapter 13; " +
			"probabilities of S. Whitworth's golearn",
		Needs:    models.Needs{Input: data.Vectors, Labels: models.AllLabels},
		Seeded:   models.Never,
		Defaults: func() models.Spec { return &BayesSpec{} },
	})
}

// BayesSpec configures golearn_naive_bayes. With b_j = [x_j > median_j] and the smoothed shares p_cj that golearn
// counts, (rows of class c with b_j + 1) / (rows of class c + 1),
//
//	S_c = log π_c + Σ_j (b_j ? log p_cj : log(1 − p_cj)),  score = 1 / (1 + e^(S_benign − S_attack))
//
// where a share of 1 counts as 1 − 1/(rows of class c + 1) for rows without b_j.
type BayesSpec struct{}

// New builds an unfitted detector.
func (s *BayesSpec) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec("golearn_naive_bayes", s); err != nil {
		return nil, err
	}
	return models.AttackScorer[*bernoulli]{Fitted: models.NewFitted(models.Method[*bernoulli]{
		Name: "golearn_naive_bayes", Spec: s, Reads: models.ReadsRows, Labels: true, Min: 2,
		Fit:  func(_ context.Context, train *data.Set) (*bernoulli, error) { return fitBernoulli(env, train) },
		Load: func(st models.State) (*bernoulli, error) { return loadBernoulli(env, st) },
	})}, nil
}

// bernoulli is the limits of the columns and the log-odds that each bit adds: for an attack, against benign.
type bernoulli struct {
	env     models.Env
	prior   float64
	limit   []float64
	set     []float64 // what a column above its limit adds
	without []float64 // what another adds
}

func fitBernoulli(env models.Env, train *data.Set) (*bernoulli, error) {
	kinds := byTruth(train)
	if len(kinds[0]) == 0 || len(kinds[1]) == 0 {
		return nil, fmt.Errorf("%w: want benign rows and attacks, there are %d and %d", models.ErrInput, len(kinds[0]),
			len(kinds[1]))
	}
	m := &bernoulli{env: env, limit: make([]float64, train.D), set: make([]float64, train.D),
		without: make([]float64, train.D)}
	column := make([]float32, train.N)
	for j := range m.limit {
		for i := range column {
			column[i] = train.X[i*train.D+j]
		}
		slices.Sort(column)
		m.limit[j] = float64(column[(train.N-1)/2])
	}
	grid, err := view{train: train, rows: every(train.N), limits: m.limit}.instances()
	if err != nil {
		return nil, err
	}
	nb := naive.NewBernoulliNBClassifier()
	if err := caught(func() error { return nb.Fit(grid) }); err != nil {
		return nil, err
	}
	shares := reflect.ValueOf(nb).Elem().FieldByName("condProb") // which golearn does not export
	n := [2]float64{float64(len(kinds[0])), float64(len(kinds[1]))}
	m.prior = elementary.Log(n[1] / n[0])
	for j := range m.limit {
		var above, below [2]float64
		for c, name := range classes {
			p := shares.MapIndex(reflect.ValueOf(name)).Index(j).Float()
			above[c], below[c] = elementary.Log(p), elementary.Log(1-p)
			if p == 1 {
				below[c] = -elementary.Log(n[c] + 1)
			}
		}
		m.set[j], m.without[j] = above[1]-above[0], below[1]-below[0]
	}
	return m, nil
}

// Score is the probability of an attack.
func (m *bernoulli) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	out := make([]float64, s.N)
	err := m.env.Blocks(ctx, s.N, 1024, func(from, to int) {
		for i := from; i < to; i++ {
			odds := m.prior
			for j, v := range s.Row(i) {
				if float64(v) > m.limit[j] {
					odds += m.set[j]
				} else {
					odds += m.without[j]
				}
			}
			out[i] = 1 / (1 + elementary.Exp(-odds))
		}
	})
	return out, err
}

// State is the limits and what each column adds.
func (m *bernoulli) State() (any, models.Arrays, error) {
	return nil, models.Arrays{"prior": []float64{m.prior}, "limit": m.limit, "set": m.set, "without": m.without}, nil
}

func loadBernoulli(env models.Env, st models.State) (*bernoulli, error) {
	m := &bernoulli{env: env}
	prior, err := models.FiniteArray[float64](st.Arrays, "prior", 1)
	if err != nil {
		return nil, err
	}
	m.prior = prior[0]
	for name, to := range map[string]*[]float64{"limit": &m.limit, "set": &m.set, "without": &m.without} {
		if *to, err = models.FiniteArray[float64](st.Arrays, name, st.Columns); err != nil {
			return nil, err
		}
	}
	return m, nil
}
