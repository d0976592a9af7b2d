package oneclass

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/elementary"
	"plumbline/numeric/kernel"
	"plumbline/numeric/parallel"
)

// OCSVMRFF is a one-class SVM whose Gaussian kernel is replaced by random Fourier features: with D directions
// v ~ N(0, 2γI) and phases b uniform in [0, 2π),
//
//	z_j(x) = √(2/D) cos(v_j·x + b_j)            z(x)·z(y) ≈ exp(−γ‖x−y‖²), off by about 1/√D
//	score(x) = ρ − w·z(x)
//
// (Rahimi and Recht, Random features for large-scale kernel machines, NIPS 2007.) w and ρ are those of the linear
// one-class SVM on z, found by subgradient steps. The scale is that of ocsvm divided by νn.
//
// Fit costs nD(d + a cosine) for each epoch, each scored row Dd: for millions of rows.
type OCSVMRFF struct {
	// kernel width, as for ocsvm: scale, scale_std, auto, or a number
	Gamma Gamma `yaml:"gamma" jsonschema:"oneof_type=string;number"`
	// D: features
	Features      int `yaml:"features" jsonschema:"minimum=1,maximum=100000"`
	OneClassSteps `yaml:",inline"`
}

const ocsvmRFF = "ocsvm_rff"

func init() {
	models.Register(models.Info{
		Name:  ocsvmRFF,
		Doc:   "One-class SVM on random Fourier features in place of a Gaussian kernel, for millions of rows.",
		Paper: "Rahimi and Recht, Random features for large-scale kernel machines, NIPS 2007",
		Needs: models.Needs{Input: data.Vectors},
		Defaults: func() models.Spec {
			return &OCSVMRFF{Gamma: "scale", Features: 512, OneClassSteps: OneClassSteps{Nu: 0.1, Epochs: 10}}
		},
	})
}

// New builds an unfitted detector.
func (c *OCSVMRFF) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec(ocsvmRFF, c); err != nil {
		return nil, err
	}
	if _, err := gammas.Number(string(c.Gamma)); err != nil {
		return nil, fmt.Errorf("%s: %w: gamma: %w", ocsvmRFF, models.ErrSpec, err)
	}
	spec := *c
	return models.RowMethod{
		Name: ocsvmRFF, Spec: c, Env: env, Min: 1,
		Fit: func(ctx context.Context, s *data.Set) (models.RowLearned, error) {
			gamma := gammaFor(spec.Gamma, s.X, s.D)
			m := &rffState{fourier: newFourier(gamma, kernel.Middles(s.X, s.N, s.D), spec.Features, env.Rand("features"))}
			var err error
			m.w, m.rho, err = spec.solve(ctx, env, m.fourier, s)
			return m, err
		},
		Load: func(st models.State) (models.RowLearned, error) { return loadRFF(spec, st) },
	}.Detector(), nil
}

// fourier is a map to random Fourier features.
type fourier struct {
	shift      []float64 // d; a shift of x only turns the phases
	directions []float64 // D×d
	phases     []float64 // D
	p          *kernel.Panels[float64]
}

func newFourier(gamma float64, shift []float64, size int, r *rand.Rand) *fourier {
	f := &fourier{shift: shift, directions: make([]float64, size*len(shift)), phases: make([]float64, size)}
	for i := range f.directions {
		f.directions[i] = math.Sqrt(2*gamma) * r.NormFloat64()
	}
	for i := range f.phases {
		f.phases[i] = 2 * math.Pi * r.Float64()
	}
	f.p = kernel.PackRows(f.directions, size, len(shift))
	return f
}

func (f *fourier) size() int { return len(f.phases) }

func (f *fourier) features(ctx context.Context, x []float32, n, workers int, out []float64) error {
	d, size, width := len(f.shift), f.size(), kernel.PanelRows[float64]()
	scale := math.Sqrt(2 / float64(size))
	return parallel.Workspaces(ctx, workers, n, kernel.TileRows, func() func(from, to int) {
		tile, z := kernel.NewTile[float64](d), make([]float64, kernel.TileRows*d)
		return func(from, to int) {
			for i := from; i < to; i++ {
				for j, v := range x[i*d : (i+1)*d] {
					z[(i-from)*d+j] = float64(v) - f.shift[j]
				}
			}
			tile.UseForProducts(z[:(to-from)*d], to-from)
			for k := range f.p.Count() {
				c := tile.Products(f.p, k)
				for i := from; i < to; i++ {
					for j := range f.p.Size(k) {
						at := k*width + j
						out[i*size+at] = scale * elementary.Cos(c[(i-from)*width+j]+f.phases[at])
					}
				}
			}
		}
	})
}

// rffState is the map and the hyperplane.
type rffState struct {
	*fourier
	w   []float64
	rho float64
}

func (m *rffState) ScoreRows(ctx context.Context, s *data.Set, workers int, out []float64) error {
	return linearScore(ctx, m.fourier, m.w, m.rho, s, workers, out)
}

// linearMeta is the JSON part of the saved state of a linear one-class SVM.
type linearMeta struct {
	Rho float64 `json:"rho"`
}

func (m *rffState) RowState() (any, models.Arrays) {
	return linearMeta{m.rho}, models.Arrays{"shift": m.shift, "directions": m.directions, "phases": m.phases, "w": m.w}
}

func loadRFF(c OCSVMRFF, st models.State) (models.RowLearned, error) {
	var meta linearMeta
	if err := st.Meta(&meta); err != nil {
		return nil, err
	}
	f := &fourier{}
	m := &rffState{fourier: f, rho: meta.Rho}
	var err error
	for _, a := range []struct {
		name string
		n    int
		to   *[]float64
	}{
		{"shift", st.Columns, &f.shift}, {"directions", c.Features * st.Columns, &f.directions},
		{"phases", c.Features, &f.phases}, {"w", c.Features, &m.w},
	} {
		if *a.to, err = models.FiniteArray[float64](st.Arrays, a.name, a.n); err != nil {
			return nil, err
		}
	}
	f.p = kernel.PackRows(f.directions, c.Features, st.Columns)
	return m, nil
}
