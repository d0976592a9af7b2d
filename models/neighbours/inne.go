package neighbours

import (
	"context"
	"fmt"
	"math"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/kernel"
)

// INNE is isolation by nearest-neighbour ensembles: T samples of ψ training rows, around each of which stands a ball
// that reaches to the nearest other of its sample. With c the smallest ball of a sample that covers x, r its radius,
// and η(c) the nearest other ball,
//
//	I(x)     = 1 − r(η(c)) / r(c)          (1 where no ball covers x; 0 where r(c) = 0)
//	score(x) = mean of I over the samples, in [0, 1]
//
// (Bandaragoda, Ting, Albrecht, Liu, Zhu and Wells, Isolation-based anomaly detection using nearest-neighbor ensembles,
// Computational Intelligence 34, 2018, definitions 1 to 3. PyOD takes the ratio of the squared radii: radius.)
//
// Fit costs Tψ² distances, each scored row Tψ.
type INNE struct {
	// T: samples; 200 as in PyOD
	Samples int `yaml:"samples" jsonschema:"minimum=1,maximum=100000"`
	// ψ: training rows of a sample; 8 as in PyOD; all where there are fewer
	MaxSamples int `yaml:"max_samples" jsonschema:"minimum=2,maximum=65536"`
	// plain radii as in the paper, or squared as in PyOD
	Radius string `yaml:"radius" jsonschema:"enum=plain,enum=squared"`
}

const inne = "inne"

func init() {
	models.Register(models.Info{
		Name: inne,
		Doc: "Isolation by nearest-neighbour ensembles: how much smaller the neighbouring ball is than the one that " +
			"covers a row.",
		Paper: "Bandaragoda, Ting, Albrecht, Liu, Zhu and Wells, Isolation-based anomaly detection using " +
			"nearest-neighbor ensembles, Computational Intelligence 34, 2018",
		Needs:    models.Needs{Input: data.Vectors},
		Defaults: func() models.Spec { return &INNE{Samples: 200, MaxSamples: 8, Radius: "plain"} },
	})
}

// New builds an unfitted detector.
func (c *INNE) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec(inne, c); err != nil {
		return nil, err
	}
	spec := *c
	return models.NewFitted(models.Method[*inneState]{
		Name: inne, Spec: c, Reads: models.ReadsRows, Min: 2,
		Fit:  func(ctx context.Context, s *data.Set) (*inneState, error) { return fitINNE(ctx, spec, env, s) },
		Load: func(st models.State) (*inneState, error) { return loadINNE(spec, env, st) },
	}), nil
}

type inneState struct {
	env       models.Env
	d, psi    int
	centres   []float32 // Tψ×d
	squares   []float64 // Tψ: squared radii
	isolation []float64 // Tψ: I of what the ball covers
}

func fitINNE(ctx context.Context, c INNE, env models.Env, s *data.Set) (*inneState, error) {
	psi := min(c.MaxSamples, s.N)
	m := &inneState{env: env, d: s.D, psi: psi, centres: make([]float32, c.Samples*psi*s.D),
		squares: make([]float64, c.Samples*psi), isolation: make([]float64, c.Samples*psi)}
	err := env.Blocks(ctx, c.Samples, 1, func(t, _ int) {
		r := env.Rand(fmt.Sprint("inne sample ", t))
		// Floyd's algorithm: rows without replacement.
		taken := make(map[int]bool, psi)
		for i := range psi {
			row := r.IntN(s.N - psi + i + 1)
			if taken[row] {
				row = s.N - psi + i
			}
			taken[row] = true
			copy(m.centre(t*psi+i), s.Row(row))
		}
		m.inflate(t, c.Radius == "squared")
	})
	return m, err
}

// centre is that of ball i.
func (m *inneState) centre(i int) []float32 { return m.centres[i*m.d : (i+1)*m.d] }

// inflate works out the radii of sample t and what its balls say.
func (m *inneState) inflate(t int, squared bool) {
	first := t * m.psi
	nearest := make([]int, m.psi)
	for a := range m.psi {
		m.squares[first+a] = math.Inf(1)
		for b := range m.psi {
			if a == b {
				continue
			}
			if v := kernel.Apart(m.centre(first+a), m.centre(first+b)); v < m.squares[first+a] {
				m.squares[first+a], nearest[a] = v, b
			}
		}
	}
	for a, b := range nearest {
		ratio := 1.0
		if own := m.squares[first+a]; own > 0 {
			ratio = m.squares[first+b] / own
		}
		if !squared {
			ratio = math.Sqrt(ratio)
		}
		m.isolation[first+a] = 1 - ratio
	}
}

// Score is the mean isolation of each row.
func (m *inneState) Score(ctx context.Context, s *data.Set) ([]float64, error) {
	out := make([]float64, s.N)
	samples := len(m.squares) / m.psi
	err := m.env.Blocks(ctx, s.N, 64, func(from, to int) {
		for i := from; i < to; i++ {
			if ctx.Err() != nil {
				return
			}
			row, sum := s.Row(i), 0.0
			for t := range samples {
				best, isolation := math.Inf(1), 1.0
				for ball := t * m.psi; ball < (t+1)*m.psi; ball++ {
					if r := m.squares[ball]; r < best && kernel.Apart(row, m.centre(ball)) <= r {
						best, isolation = r, m.isolation[ball]
					}
				}
				sum += isolation
			}
			out[i] = sum / float64(samples)
		}
	})
	return out, err
}

// State is the centres: the rest follows from them.
func (m *inneState) State() (any, models.Arrays, error) {
	return rowsMeta{len(m.squares), m.psi}, models.Arrays{"centres": m.centres}, nil
}

func loadINNE(c INNE, env models.Env, st models.State) (*inneState, error) {
	var meta rowsMeta
	if err := st.Meta(&meta); err != nil {
		return nil, err
	}
	if meta.K < 2 || meta.K > c.MaxSamples || meta.Rows != c.Samples*meta.K {
		return nil, fmt.Errorf("%d balls in samples of %d", meta.Rows, meta.K)
	}
	x, err := models.FiniteArray[float32](st.Arrays, "centres", meta.Rows*st.Columns)
	if err != nil {
		return nil, err
	}
	m := &inneState{env: env, d: st.Columns, psi: meta.K, centres: x, squares: make([]float64, meta.Rows),
		isolation: make([]float64, meta.Rows)}
	for t := range c.Samples {
		m.inflate(t, c.Radius == "squared")
	}
	return m, nil
}
