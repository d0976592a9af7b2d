package prep

import (
	"errors"
	"fmt"
	"math"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/numeric/cluster"
	"plumbline/numeric/factor"
)

func init() {
	register(projectStep, "puts the principal components of all columns in their place", func() step {
		return &project{Common: Common{Step: projectStep, Fit: "benign"}, Components: 0.95}
	})
}

const projectStep = "project"

// project puts principal components in the place of all columns, as the last step. With µ the mean of the training rows
// and v_1, v_2, … the eigenvectors of their covariance by falling eigenvalue λ,
//
//	pc_j(x) = v_j·(x − µ)
//
// (K. Pearson, On lines and planes of closest fit to systems of points in space, Philosophical Magazine 2, 1901). Of
// the two signs of v_j it has the one that makes its entry of largest magnitude, of equal ones the first, positive. A
// share of the variance takes the fewest components that have more than it together, as scikit-learn does.
type project struct {
	Common `yaml:",inline"`
	// below 1 the share of the variance that the components have together, from 1 on their number
	Components float64 `yaml:"components" jsonschema:"exclusiveMinimum=0"`
}

func (s *project) check(d settings.Node) (ps settings.Problems) {
	if s.Components >= 1 && s.Components != math.Trunc(s.Components) {
		ps = append(ps, d.Problem("components: %v is neither a share below 1 nor a whole number", s.Components))
	}
	if len(s.Columns) > 0 {
		ps = append(ps, d.Problem("project takes all columns: drop those that are not to take part before it"))
	}
	return ps
}

// Projection is the last step of a pipeline: principal components in place of its outputs.
type Projection struct {
	Mean    []float64   `json:"mean"`    // of the outputs
	Vectors [][]float64 `json:"vectors"` // of the components, by falling variance
	Shares  []float64   `json:"shares"`  // of the variance
}

func (s *project) fit(f *fitting) error {
	p, err := f.pipeline()
	if err != nil {
		return err
	}
	set, err := p.Apply(f.ctx, f.table, f.learnFrom(&s.Common), f.workers)
	if err != nil {
		return err
	}
	if s.Components > float64(set.D) {
		return fmt.Errorf("%v components of %d columns", s.Components, set.D)
	}
	q := &Projection{Mean: make([]float64, set.D)}
	for i, v := range set.X {
		q.Mean[i%set.D] += float64(v) / float64(set.N)
	}
	cov, err := cluster.Covariance(f.ctx, cluster.Matrix[float32]{N: set.N, D: set.D, X: set.X}, q.Mean, nil, f.workers)
	if err != nil {
		return err
	}
	values, vectors, err := factor.Eigen(cov, set.D)
	if err != nil {
		return err
	}
	total := 0.0
	for _, v := range values {
		total += max(v, 0)
	}
	if total == 0 {
		return errors.New("no column varies in training")
	}
	sum := 0.0
	for k, v := range values {
		if s.Components >= 1 && float64(k) >= s.Components || s.Components < 1 && sum > s.Components {
			break
		}
		share := max(v, 0) / total
		sum += share
		q.Vectors = append(q.Vectors, turned(vectors[k*set.D:(k+1)*set.D]))
		q.Shares = append(q.Shares, share)
	}
	f.projection = q
	f.notes = append(f.notes, fmt.Sprintf("%d principal components have %.4g of the variance of %d columns in training",
		len(q.Vectors), sum, set.D))
	return nil
}

// turned is a vector with the sign that makes its entry of largest magnitude positive.
func turned(v []float64) []float64 {
	top := 0
	for j := range v {
		if math.Abs(v[j]) > math.Abs(v[top]) {
			top = j
		}
	}
	out := make([]float64, len(v))
	for j := range v {
		out[j] = math.Copysign(1, v[top]) * v[j]
	}
	return out
}

// apply fills to with the components of rows of len(q.Mean) columns.
func (q *Projection) apply(rows []float32, to []float32) error {
	d, k := len(q.Mean), len(q.Vectors)
	for i := range len(to) / k {
		row := rows[i*d : (i+1)*d]
		for c, vector := range q.Vectors {
			sum := 0.0
			for j, v := range row {
				sum += float64(vector[j] * (float64(v) - q.Mean[j]))
			}
			if !finite32(sum) {
				return fmt.Errorf("principal component %d is %v: clip or scale before", c+1, sum)
			}
			to[i*k+c] = float32(sum)
		}
	}
	return nil
}

// features are the components.
func (q *Projection) features() []data.Feature {
	out := make([]data.Feature, len(q.Vectors))
	for c := range out {
		out[c].Name = fmt.Sprint("pc", c+1)
	}
	return out
}

// check refuses what no fit makes, on d outputs.
func (q *Projection) check(d int) error {
	if len(q.Mean) != d || len(q.Vectors) == 0 || len(q.Vectors) > d || len(q.Shares) != len(q.Vectors) {
		return fmt.Errorf("prep: a projection of %d columns to %d, on %d", len(q.Mean), len(q.Vectors), d)
	}
	for _, v := range append([][]float64{q.Mean, q.Shares}, q.Vectors...) {
		for _, x := range v {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return fmt.Errorf("prep: a projection with %v", x)
			}
		}
	}
	for _, v := range q.Vectors {
		if len(v) != d {
			return fmt.Errorf("prep: a component of %d columns, on %d", len(v), d)
		}
	}
	return nil
}
