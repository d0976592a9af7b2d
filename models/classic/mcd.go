package classic

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/cluster"
	"plumbline/numeric/stat"
)

// MCD is the squared Mahalanobis distance by the mean and covariance of the rows that lie together most closely:
// among all sets of h rows, those whose covariance has about the least determinant. With their mean and covariance,
// the latter scaled so that the median of the squared distances is that of χ² with d degrees of freedom, the rows
// whose squared distance is below its 0.975 quantile are taken, and with μ and Σ of those
//
//	score(x) = (x−μ)ᵀ (Σ + εI)⁻¹ (x−μ)
//
// (Rousseeuw and Van Driessen, A fast algorithm for the minimum covariance determinant estimator, Technometrics 41,
// 1999: sets begin at d+1 random rows, and each step takes the h rows nearest by the mean and covariance of the set
// before; above 600 rows first within five samples of 300, then among all of those, then among all rows.) So up to
// n−h rows of the training set may be anything without a say.
//
// scikit-learn's search, which can be had too, begins at h random rows. Most such sets end at the same few, so that it
// often misses denser halves, and the estimate changes with its seed. Up to 500 rows it tries 30 sets in place of 500,
// above that samples of 300 to 600 rows that together are all rows, and then 1,500 rows. It takes the pseudo-inverse in
// place of ε: where a column is constant in a half, or given by others, distances do not count what departs from that.
//
// Fit costs about 500 covariances of 300 rows, and twenty of all rows.
type MCD struct {
	// h, as a share of the training rows; 0 is (n+d+1)/2 rows, as in scikit-learn, which withstands most
	Support float64 `yaml:"support" jsonschema:"minimum=0,maximum=1"`
	// how sets are sought: paper, or sklearn, as scikit-learn does
	Search string `yaml:"search" jsonschema:"enum=paper,enum=sklearn"`
	// ε: added to the diagonal of covariances, but by scikit-learn's search; 1e-6, for columns of about unit scale
	Ridge float64 `yaml:"ridge" jsonschema:"exclusiveMinimum=0,maximum=1000000"`
}

const mcd = "mcd"

// How sets are sought.
const (
	paperSearch   = "paper"
	sklearnSearch = "sklearn"
)

func init() {
	models.Register(models.Info{
		Name: mcd,
		Doc:  "Squared Mahalanobis distance by the mean and covariance of the half of the training rows that is densest.",
		Paper: "Rousseeuw and Van Driessen, A fast algorithm for the minimum covariance determinant estimator, " +
			"Technometrics, 1999",
		Needs:    models.Needs{Input: data.Vectors},
		Defaults: func() models.Spec { return &MCD{Search: paperSearch, Ridge: 1e-6} },
	})
}

// New builds an unfitted detector.
func (c *MCD) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec(mcd, c); err != nil {
		return nil, err
	}
	if c.Support > 0 && c.Support < 0.5 {
		return nil, fmt.Errorf("%s: %w: support: %v is neither 0 nor at least a half", mcd, models.ErrSpec, c.Support)
	}
	spec := *c
	return models.RowMethod{
		Name: mcd, Spec: c, Env: env, Min: 1,
		Fit: func(ctx context.Context, s *data.Set) (models.RowLearned, error) {
			m := &densest{ctx: ctx, ridge: spec.Ridge, sklearn: spec.Search == sklearnSearch, workers: env.Parallel()}
			return m.fit(s, spec.Support, env.Rand("subsets"))
		},
		Load: loadGaussian,
	}.Expecter(), nil
}

// densest is the search for the rows that lie together most closely.
type densest struct {
	ctx     context.Context
	ridge   float64
	sklearn bool // its search
	workers int
}

// What the paper fixes.
const (
	mcdTrials  = 500 // starts in all
	mcdBest    = 10  // sets that go on
	mcdSubset  = 300 // rows of a sample
	mcdSubsets = 5
	mcdFirst   = 2 // steps of a trial
	mcdSteps   = 30
)

// half is a set of rows with its normal distribution.
type half struct {
	g      *cluster.Gaussian
	spread float64 // log det of the covariance
	// far is what distances are measured with that say which rows are far: g, but where scikit-learn's search ends
	// before a step is refused the set's mean with the covariance of the set before.
	far *cluster.Gaussian
}

func (m *densest) fit(s *data.Set, support float64, r *rand.Rand) (*gaussianState, error) {
	h := min(s.N, (s.N+s.D+2)/2) // (n+d+1)/2 rounded up
	if support > 0 {
		h = max(1, int(support*float64(s.N)))
	}
	best, err := m.search(s, h, r)
	if err != nil {
		return nil, err
	}
	// Reweighting.
	far := make([]float64, s.N)
	if err := cluster.Squares(m.ctx, best.far, models.RowMatrix(s), m.workers, far); err != nil {
		return nil, err
	}
	sorted := slices.Clone(far)
	slices.Sort(sorted)
	scale := stat.Quantile(sorted, 0.5) / stat.ChiSquaredQuantile(0.5, s.D)
	limit := stat.ChiSquaredQuantile(0.975, s.D) * scale
	var kept []int
	for i, v := range far {
		if v < limit || scale == 0 && v == 0 {
			kept = append(kept, i)
		}
	}
	if len(kept) == 0 {
		return &gaussianState{best.g}, nil
	}
	last, err := m.of(s, kept)
	if err != nil {
		return nil, err
	}
	return &gaussianState{last.g}, nil
}

// search is the best set of h rows.
func (m *densest) search(s *data.Set, h int, r *rand.Rand) (half, error) {
	if h == s.N {
		return m.of(s, nil)
	}
	if m.sklearn {
		return m.searchAsSklearn(s, h, r)
	}
	if s.N <= 2*mcdSubset {
		tried, err := m.trials(s, h, mcdTrials, r)
		if err != nil {
			return half{}, err
		}
		return m.finish(s, h, tried, 1)
	}
	share := float64(h) / float64(s.N)
	subsets := min(mcdSubsets, s.N/mcdSubset)
	order := r.Perm(s.N)[:subsets*mcdSubset]
	var pool []half
	for i := range subsets {
		sub := s.Subset(order[i*mcdSubset : (i+1)*mcdSubset])
		tried, err := m.trials(sub, max(1, int(math.Ceil(share*mcdSubset))), mcdTrials/subsets, r)
		if err != nil {
			return half{}, err
		}
		pool = append(pool, tried...)
	}
	merged := s.Subset(order)
	hm := max(1, int(math.Ceil(share*float64(merged.N))))
	if err := m.steps(merged, hm, pool, mcdFirst, false); err != nil {
		return half{}, err
	}
	return m.finish(s, h, lowestSpread(pool, mcdBest), 1)
}

// trials are the best of n sets that began at random rows.
func (m *densest) trials(s *data.Set, h, n int, r *rand.Rand) ([]half, error) {
	sets := make([]half, n)
	first := min(s.N, s.D+1)
	if m.sklearn {
		first = h
	}
	for i := range sets {
		var err error
		if sets[i], err = m.of(s, r.Perm(s.N)[:first]); err != nil {
			return nil, err
		}
	}
	if err := m.steps(s, h, sets, mcdFirst, true); err != nil {
		return nil, err
	}
	return lowestSpread(sets, mcdBest), nil
}

// finish goes on with some sets on all rows of s until they stay, and takes the best.
func (m *densest) finish(s *data.Set, h int, sets []half, best int) (half, error) {
	if err := m.steps(s, h, sets, mcdSteps, false); err != nil {
		return half{}, err
	}
	return lowestSpread(sets, best)[0], nil
}

// steps makes up to n steps with each set: the h rows nearest by it become the set. A step that does not lower the
// determinant is the last, and is not taken if it raises it, as rounding may. Nor is there another from a determinant
// of 0. The first step of sets of other rows, which are those that are not fresh, or of d+1 rows is always taken.
func (m *densest) steps(s *data.Set, h int, sets []half, n int, fresh bool) error {
	far, order := make([]float64, s.N), make([]int, s.N)
	for i := range sets {
		for k := range n {
			known := fresh && m.sklearn || k > 0
			if math.IsInf(sets[i].spread, -1) && known {
				break
			}
			if err := cluster.Squares(m.ctx, sets[i].g, models.RowMatrix(s), m.workers, far); err != nil {
				return err
			}
			for j := range order {
				order[j] = j
			}
			next, err := m.of(s, stat.Lowest(order, h, func(j int) float64 { return far[j] }))
			if err != nil {
				return err
			}
			if known && next.spread > sets[i].spread {
				sets[i].far = sets[i].g
				break
			}
			if m.sklearn && known {
				next.far = cluster.Whitened(next.g.Mean, sets[i].g.W)
			}
			last := known && next.spread == sets[i].spread
			if sets[i] = next; last {
				break
			}
		}
	}
	return nil
}

// of is the set of the given rows, all for nil.
func (m *densest) of(s *data.Set, rows []int) (half, error) {
	if rows != nil {
		s = s.Subset(rows)
	}
	mean, err := columnMeans(m.ctx, s, m.workers)
	if err != nil {
		return half{}, err
	}
	cov, err := cluster.Covariance(m.ctx, models.RowMatrix(s), mean, nil, m.workers)
	if err != nil {
		return half{}, err
	}
	if m.sklearn {
		g, spread, err := pseudoInverse(mean, cov)
		return half{g, spread, g}, err
	}
	g, _, err := ridged(mean, cov, m.ridge)
	if err != nil {
		return half{}, err
	}
	return half{g, -2 * g.LogDet, g}, nil
}

// lowestSpread is the n sets with the least determinants.
func lowestSpread(sets []half, n int) []half {
	slices.SortStableFunc(sets, func(a, b half) int {
		switch {
		case a.spread < b.spread:
			return -1
		case a.spread > b.spread:
			return 1
		}
		return 0
	})
	return sets[:min(n, len(sets))]
}
