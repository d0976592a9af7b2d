package supervised

import (
	"context"
	"encoding/json"
	"math"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/elementary"
)

// Bayes is naive Bayes with a normal distribution for each column and class:
//
//	p(c | x) ∝ π_c Π_j N(x_j; μ_cj, σ²_cj + ε),  score(x) = 1 − p(benign | x)
//
// with ε = Smoothing times the largest variance of a column, as in scikit-learn's GaussianNB. It takes columns for
// independent within a class, which flows are not: probabilities are near 0 and 1, and the order is what it is good
// for.
//
// Fit costs n·d, each scored row d·classes.
type Bayes struct {
	Common `yaml:",inline"`
	// share of the largest variance that is added to all variances
	Smoothing float64 `yaml:"smoothing" jsonschema:"exclusiveMinimum=0,maximum=1"`
}

func init() {
	models.Register(models.Info{
		Name:     "naive_bayes",
		Doc:      "Normal distributions of each column by class; the score is the log-odds of an attack, as a probability.",
		Paper:    "none: the rule of Bayes with columns taken for independent",
		Needs:    models.Needs{Input: data.Vectors, Labels: models.AllLabels},
		Seeded:   calibrated,
		Defaults: func() models.Spec { return &Bayes{defaultCommon(), 1e-9} },
	})
}

// New checks the values and builds an unfitted detector.
func (s *Bayes) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec("naive_bayes", s); err != nil {
		return nil, err
	}
	spec := *s
	return explained{build(plan{
		name: "naive_bayes", spec: s, common: s.Common, load: loadNormals,
		learn: func(ctx context.Context, env models.Env, p *problem) (classifier, error) { return spec.fit(p), nil },
	}, env)}, nil
}

// normals is the distributions of the classes.
type normals struct {
	d, k     int
	prior    []float64 // log
	mean     []float64 // k×d
	variance []float64 // k×d
}

func (s *Bayes) fit(p *problem) *normals {
	m := &normals{d: p.d, k: p.k, prior: make([]float64, p.k), mean: make([]float64, p.k*p.d),
		variance: make([]float64, p.k*p.d)}
	weight := make([]float64, p.k)
	all := 0.0
	for i, c := range p.y {
		weight[c] += p.w[i]
		all += p.w[i]
		for j, v := range p.row(i) {
			m.mean[int(c)*p.d+j] += float64(p.w[i] * float64(v))
		}
	}
	for c := range p.k {
		m.prior[c] = elementary.Log(weight[c] / all)
		for j := range p.d {
			m.mean[c*p.d+j] /= weight[c]
		}
	}
	for i, c := range p.y {
		for j, v := range p.row(i) {
			diff := float64(v) - m.mean[int(c)*p.d+j]
			m.variance[int(c)*p.d+j] += float64(p.w[i] * diff * diff)
		}
	}
	least := s.Smoothing * largestVariance(p)
	if least == 0 {
		least = s.Smoothing // every column is constant
	}
	for c := range p.k {
		for j := range p.d {
			m.variance[c*p.d+j] = m.variance[c*p.d+j]/weight[c] + least
		}
	}
	return m
}

// largestVariance is that of the columns over all rows, without weights.
func largestVariance(p *problem) float64 {
	top := 0.0
	for j := range p.d {
		mean, sum := 0.0, 0.0
		for i := range p.n {
			mean += float64(p.x[i*p.d+j])
		}
		mean /= float64(p.n)
		for i := range p.n {
			diff := float64(p.x[i*p.d+j]) - mean
			sum += float64(diff * diff)
		}
		top = max(top, sum/float64(p.n))
	}
	return top
}

// joint is log(π_c p(x_j | c)) of one column without the prior.
func (m *normals) term(c, j int, v float32) float64 {
	at := c*m.d + j
	diff := float64(v) - m.mean[at]
	return -0.5 * (elementary.Log(2*math.Pi*m.variance[at]) + diff*diff/m.variance[at])
}

func (m *normals) probabilities(ctx context.Context, env models.Env, x []float32, n int, out []float64) error {
	return env.Blocks(ctx, n, 128, func(from, to int) {
		f := make([]float64, m.k)
		for i := from; i < to; i++ {
			copy(f, m.prior)
			for j, v := range x[i*m.d : (i+1)*m.d] {
				for c := range f {
					f[c] += m.term(c, j, v)
				}
			}
			if m.k == 2 {
				softmax([]float64{f[1] - f[0]}, out[i*2:i*2+2])
			} else {
				softmax(f, out[i*m.k:(i+1)*m.k])
			}
		}
	})
}

// contributions are the log-odds of each column, the other classes weighted by their priors.
func (m *normals) contributions(row []float32, out []float64) {
	for j, v := range row {
		sum, weight := 0.0, 0.0
		for c := 1; c < m.k; c++ {
			w := elementary.Exp(m.prior[c])
			sum += float64(w * m.term(c, j, v))
			weight += w
		}
		out[j] = sum/weight - m.term(0, j, v)
	}
}

func (m *normals) state() (any, models.Arrays) {
	return struct{}{}, models.Arrays{"prior": m.prior, "mean": m.mean, "variance": m.variance}
}

func loadNormals(meta json.RawMessage, arrays models.Arrays, d, k int) (classifier, error) {
	if err := noMeta(meta); err != nil {
		return nil, err
	}
	m := &normals{d: d, k: k}
	var err error
	if m.prior, err = models.FiniteArray[float64](arrays, "prior", k); err != nil {
		return nil, err
	}
	if m.mean, err = models.FiniteArray[float64](arrays, "mean", k*d); err != nil {
		return nil, err
	}
	if m.variance, err = models.FiniteArray[float64](arrays, "variance", k*d); err != nil {
		return nil, err
	}
	for _, v := range m.variance {
		if !(v > 0) {
			return nil, errState
		}
	}
	return m, nil
}
