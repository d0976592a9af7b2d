package ensemble

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sort"

	"plumbline/data"
	"plumbline/models"
)

// Combine joins several models without labels. With F_m(x) the share of the n training rows that model m gives a lower
// score than x, equals counted half, z_m(x) its score less their mean over their deviation (1 for scores that are all
// equal), and G the groups of b models each into which they are dealt in the order of the list,
//
//	score(x) = 1/M Σ_m F_m(x)                       (by: mean_rank)
//	score(x) = max_m F_m(x)                         (by: max_rank)
//	score(x) = 1/|G| Σ_{g∈G} max_{m∈g} z_m(x)       (by: average_of_maxima)
//
// (Aggarwal and Sathe, Theoretical foundations and algorithms for outlier ensembles, SIGKDD Explorations 17, 2015, for
// the average of maxima, where the groups are random; Lazarevic and Kumar, Feature bagging for outlier detection, KDD
// 2005, for ranks.) Ranks are against the training rows alone, so that a row's score does not depend on the others of a
// call; above the highest score of training all ranks are 1.
//
// Training rows are scored by the models that were fitted on them. It costs what the models cost, and a score of every
// training row.
type Combine struct {
	// the models, each as a name or {model, params}: any models of vectors that learn without labels
	Base []models.Reference `yaml:"base" jsonschema:"minItems=1"`
	// what joins the scores: mean_rank, max_rank or average_of_maxima
	By string `yaml:"by" jsonschema:"enum=mean_rank,enum=max_rank,enum=average_of_maxima"`
	// b: models of a group, for the average of maxima
	Group int `yaml:"group" jsonschema:"minimum=1,maximum=1000"`
}

const combine = "combine"

func init() {
	models.Register(models.Info{
		Name: combine,
		Doc:  "Several models joined without labels: mean or maximum of the ranks of their scores, or average of maxima.",
		Paper: "Aggarwal and Sathe, Theoretical foundations and algorithms for outlier ensembles, SIGKDD Explorations " +
			"17, 2015",
		Needs: models.Needs{Input: data.Vectors},
		Seeded: func(s models.Spec) bool {
			return slices.ContainsFunc(s.(*Combine).Base, models.Reference.UsesSeed)
		},
		Defaults: func() models.Spec {
			return &Combine{By: "average_of_maxima", Group: 2, Base: []models.Reference{models.ReferenceTo("iforest"),
				models.ReferenceTo("lof"), models.ReferenceTo("mahalanobis"), models.ReferenceTo("hbos")}}
		},
	})
}

// New checks the values and builds an unfitted detector.
func (c *Combine) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec(combine, c); err != nil {
		return nil, err
	}
	for i, b := range c.Base {
		if _, err := b.Build(env); err != nil {
			return nil, fmt.Errorf("%s: base.%d: %w", combine, i, err)
		}
	}
	spec := *c
	spec.Base = slices.Clone(c.Base)
	return models.NewFitted(models.Method[*committee]{
		Name: combine, Spec: c, Reads: models.ReadsRows, Min: 1,
		Fit:  func(ctx context.Context, s *data.Set) (*committee, error) { return fitCommittee(ctx, spec, env, s) },
		Load: func(st models.State) (*committee, error) { return loadCommittee(spec, env, st) },
	}), nil
}

// committee is the fitted models with what they gave the training rows, rising.
type committee struct {
	spec    Combine
	members []models.Detector
	sorted  [][]float64
	mean    []float64
	unit    []float64 // 1 over the deviation
}

func fitCommittee(ctx context.Context, c Combine, env models.Env, s *data.Set) (*committee, error) {
	m := &committee{spec: c}
	for t, base := range c.Base {
		det, err := base.Fit(ctx, member(env, t), s)
		if err != nil {
			return nil, err
		}
		scores, err := det.Score(ctx, s)
		if err != nil {
			return nil, err
		}
		slices.Sort(scores)
		m.add(det, scores)
	}
	return m, nil
}

// add takes a member with its sorted scores of the training rows.
func (m *committee) add(det models.Detector, sorted []float64) {
	n, mean, squares := float64(len(sorted)), 0.0, 0.0
	for _, v := range sorted {
		mean += v / n
	}
	scale := max(mean-sorted[0], sorted[len(sorted)-1]-mean) // so that squares do not overflow
	unit := 1.0
	if scale > 0 && !math.IsInf(scale, 0) {
		for _, v := range sorted {
			squares += (v - mean) / scale * ((v - mean) / scale) / n
		}
		if deviation := math.Sqrt(squares) * scale; deviation > 1e-300 {
			unit = 1 / deviation
		}
	}
	m.members, m.sorted = append(m.members, det), append(m.sorted, sorted)
	m.mean, m.unit = append(m.mean, mean), append(m.unit, unit)
}

// rank is F of a score of member t.
func (m *committee) rank(t int, v float64) float64 {
	sorted := m.sorted[t]
	below := sort.SearchFloat64s(sorted, v)
	upTo := below + sort.Search(len(sorted)-below, func(i int) bool { return sorted[below+i] > v })
	return float64(below+upTo) / float64(2*len(sorted))
}

// Score joins the scores of the models.
func (m *committee) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	all := make([][]float64, len(m.members))
	for t, det := range m.members {
		scores, err := det.Score(ctx, s)
		if err != nil {
			return nil, err
		}
		for i, v := range scores {
			if m.spec.By == "average_of_maxima" {
				// Within ±1e300, so that means of them are finite.
				scores[i] = max(-1e300, min(1e300, (v-m.mean[t])*m.unit[t]))
			} else {
				scores[i] = m.rank(t, v)
			}
		}
		all[t] = scores
	}
	size := map[string]int{"mean_rank": 1, "max_rank": len(all), "average_of_maxima": m.spec.Group}[m.spec.By]
	out := make([]float64, s.N)
	groups := float64((len(all) + size - 1) / size)
	for from := 0; from < len(all); from += size {
		group := all[from:min(from+size, len(all))]
		for i := range out {
			best := group[0][i]
			for _, scores := range group[1:] {
				best = max(best, scores[i])
			}
			out[i] += best / groups
		}
	}
	return out, nil
}

// State is the scores of the training rows and what the models save.
func (m *committee) State() (any, models.Arrays, error) {
	arrays := models.Arrays{}
	for t, det := range m.members {
		if err := m.spec.Base[t].Save(arrays, fmt.Sprint("model", t), det); err != nil {
			return nil, nil, err
		}
		arrays[fmt.Sprint("scores", t)] = m.sorted[t]
	}
	return nil, arrays, nil
}

func loadCommittee(c Combine, env models.Env, st models.State) (*committee, error) {
	m := &committee{spec: c}
	for t, base := range c.Base {
		sorted, err := models.FiniteArray[float64](st.Arrays, fmt.Sprint("scores", t), -1)
		if err != nil {
			return nil, err
		}
		if len(sorted) == 0 || !slices.IsSorted(sorted) {
			return nil, fmt.Errorf("the scores of model %d are none or out of order", t)
		}
		det, err := base.Load(st.Arrays, fmt.Sprint("model", t), member(env, t), st.Columns)
		if err != nil {
			return nil, err
		}
		m.add(det, sorted)
	}
	return m, nil
}
