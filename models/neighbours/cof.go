package neighbours

import (
	"context"
	"fmt"
	"math"
	"slices"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/kernel"
	"plumbline/numeric/neighbour"
)

// COF is the connectivity-based outlier factor: how long the chain through a row's neighbours is beside the chains
// through theirs. With o_1, …, o_k the k nearest training rows of p by rising distance (other than p itself in
// training) and o_0 = p,
//
//	cost_j(p)  = min_{i<j} ‖o_j − o_i‖
//	ac(p)      = Σ_{j=1..k} 2(k+1−j) / (k(k+1)) · cost_j(p)          (average chaining distance)
//	score(p)   = (ac(p) + ε) / (1/k Σ_j ac(o_j) + ε),  ε = 1e-10     (about 1 inside a cluster, a line or a plane)
//
// (Tang, Chen, Fu and Cheung, Enhancing effectiveness of outlier detections for low density patterns, PAKDD 2002,
// definitions 3 to 6. There the chain goes on to the row that is nearest to any of it; the order of distance to p is
// PyOD's. PyOD has no ε, and looks for neighbours among the rows to be scored; here they are training rows.)
//
// Brute force: n² distances for Fit, n for each scored row, and k²/2 more for each chain.
type COF struct {
	// neighbours; 20 as in PyOD; fewer where there are fewer training rows
	K             int `yaml:"k" jsonschema:"minimum=1,maximum=10000"`
	models.Sample `yaml:",inline"`
}

const cof = "cof"

func init() {
	models.Register(models.Info{
		Name: cof,
		Doc:  "Connectivity-based outlier factor: the chain through a row's neighbours, over the chains through theirs.",
		Paper: "Tang, Chen, Fu and Cheung, Enhancing effectiveness of outlier detections for low density patterns, " +
			"PAKDD 2002",
		Needs:    models.Needs{Input: data.Vectors},
		Seeded:   models.Never,
		Defaults: func() models.Spec { return &COF{K: 20, Sample: models.Sample{Sample: "random"}} },
	})
}

// New builds an unfitted detector.
func (c *COF) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec(cof, c); err != nil {
		return nil, err
	}
	spec := *c
	return detector(cof, c, env, 2,
		func(ctx context.Context, s *data.Set) (judge, error) {
			return fitCOF(ctx, spec, env, spec.Take(s, env.Logger()))
		}, loadCOF), nil
}

// cofState is the training rows with their average chaining distances.
type cofState struct {
	k     int
	ref   *neighbour.Reference
	chain []float64 // n
}

func fitCOF(ctx context.Context, c COF, env models.Env, s *data.Set) (*cofState, error) {
	if s.N < 2 {
		return nil, fmt.Errorf("%w: %d rows left by max_rows, needs at least 2", models.ErrInput, s.N)
	}
	k := fewer(cof, c.K, s.N-1, env)
	m := &cofState{k: k, ref: neighbour.New(slices.Clone(s.X), s.N, s.D), chain: make([]float64, s.N)}
	near, err := nearestOf(ctx, m.ref, k, env)
	if err != nil {
		return nil, err
	}
	err = env.Blocks(ctx, s.N, 64, func(from, to int) {
		for i := from; i < to; i++ {
			m.chain[i] = m.chaining(near[i*k : (i+1)*k])
		}
	})
	return m, err
}

// chaining is the average chaining distance of a row with these neighbours.
func (m *cofState) chaining(near []neighbour.Neighbour) float64 {
	k, sum := float64(len(near)), 0.0
	for j, o := range near {
		cost := o.Distance
		for _, before := range near[:j] {
			// Distances fall to the square root of what is smallest, which is taken once.
			if cost > 0 {
				square := kernel.Apart(m.ref.Row(int(o.Row)), m.ref.Row(int(before.Row)))
				if square < cost*cost {
					cost = math.Sqrt(square)
				}
			}
		}
		sum += float64(2 * (k - float64(j)) / (k * (k + 1)) * cost)
	}
	return sum
}

func (m *cofState) reference() (*neighbour.Reference, int) { return m.ref, m.k }

func (m *cofState) worker() func([]float32, []neighbour.Neighbour, int) float64 {
	return func(_ []float32, near []neighbour.Neighbour, _ int) float64 {
		sum := 0.0
		for _, o := range near {
			sum += m.chain[o.Row]
		}
		const epsilon = 1e-10
		return (m.chaining(near) + epsilon) / (sum/float64(len(near)) + epsilon)
	}
}

func (m *cofState) state() (any, models.Arrays) {
	return rowsMeta{m.ref.N, m.k}, models.Arrays{"rows": m.ref.X, "chain": m.chain}
}

func loadCOF(st models.State) (judge, error) {
	ref, k, err := loadRows(st, 2, others)
	if err != nil {
		return nil, err
	}
	chain, err := models.FiniteArray[float64](st.Arrays, "chain", ref.N)
	if err != nil {
		return nil, err
	}
	for i, v := range chain {
		if v < 0 || v > math.MaxFloat32*math.MaxFloat32 {
			return nil, fmt.Errorf("row %d has a chain of %v", i, v)
		}
	}
	return &cofState{k, ref, chain}, nil
}
