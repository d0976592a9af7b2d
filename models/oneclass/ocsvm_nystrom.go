package oneclass

import (
	"context"
	"fmt"
	"math"
	"slices"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/factor"
	"plumbline/numeric/kernel"
	"plumbline/numeric/similarity"
)

// OCSVMNystrom is a one-class SVM whose Gaussian kernel is replaced by Nyström features: with m of the training
// rows as landmarks l and K their kernel matrix,
//
//	z(x) = K^(−1/2) k(x)  with  k_j(x) = exp(−γ‖x−l_j‖²)            z(x)·z(y) = exp(−γ‖x−y‖²) for landmarks
//	score(x) = ρ − w·z(x)
//
// (Williams and Seeger, Using the Nyström method to speed up kernel machines, NIPS 2000.) w and ρ are those of the
// linear one-class SVM on z, found by subgradient steps. The scale is that of ocsvm divided by νn.
//
// Fit costs m³ + nm(d + m) for each epoch, each scored row md.
type OCSVMNystrom struct {
	// kernel width, as for ocsvm: scale, scale_std, auto, or a number
	Gamma Gamma `yaml:"gamma" jsonschema:"oneof_type=string;number"`
	// m: training rows, drawn at random, that are landmarks; fewer where there are fewer rows
	Landmarks     int `yaml:"landmarks" jsonschema:"minimum=1,maximum=5000"`
	OneClassSteps `yaml:",inline"`
}

const ocsvmNystrom = "ocsvm_nystrom"

func init() {
	models.Register(models.Info{
		Name:  ocsvmNystrom,
		Doc:   "One-class SVM on Nyström features in place of a Gaussian kernel, for millions of rows.",
		Paper: "Williams and Seeger, Using the Nyström method to speed up kernel machines, NIPS 2000",
		Needs: models.Needs{Input: data.Vectors},
		Memory: func(s models.Spec, rows, _ int) float64 { // kernel values, their vectors, the root, and that as panels
			m := float64(min(rows, s.(*OCSVMNystrom).Landmarks))
			return 4 * 8 * m * m
		},
		Defaults: func() models.Spec {
			return &OCSVMNystrom{Gamma: "scale", Landmarks: 256, OneClassSteps: OneClassSteps{Nu: 0.1, Epochs: 10}}
		},
	})
}

// New builds an unfitted detector.
func (c *OCSVMNystrom) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec(ocsvmNystrom, c); err != nil {
		return nil, err
	}
	if _, err := gammas.Number(string(c.Gamma)); err != nil {
		return nil, fmt.Errorf("%s: %w: gamma: %w", ocsvmNystrom, models.ErrSpec, err)
	}
	spec := *c
	return models.RowMethod{
		Name: ocsvmNystrom, Spec: c, Env: env, Min: 1,
		Fit: func(ctx context.Context, s *data.Set) (models.RowLearned, error) {
			return fitNystrom(ctx, spec, env, s)
		},
		Load: loadNystrom,
	}.Detector(), nil
}

// nystrom is a map to Nyström features.
type nystrom struct {
	landmarks *similarity.Points
	root      []float64 // K^(−1/2), m×m
	p         *kernel.Panels[float64]
}

func newNystrom(ctx context.Context, landmarks *similarity.Points, workers int) (*nystrom, error) {
	gram, err := landmarks.Gram(ctx, workers, nil)
	if err != nil {
		return nil, err
	}
	m := landmarks.N
	values, vectors, err := factor.Eigen(gram, m)
	if err != nil {
		return nil, err
	}
	n := &nystrom{landmarks: landmarks, root: make([]float64, m*m)}
	for e, v := range values {
		by := 1 / math.Sqrt(max(v, 1e-12)) // copies among the landmarks have no direction of their own
		for i := range m {
			for j := range m {
				n.root[i*m+j] += float64(by * vectors[e*m+i] * vectors[e*m+j])
			}
		}
	}
	n.p = kernel.PackRows(n.root, m, m)
	return n, nil
}

func (f *nystrom) size() int { return f.landmarks.N }

func (f *nystrom) features(ctx context.Context, x []float32, n, workers int, out []float64) error {
	m, width := f.size(), kernel.PanelRows[float64]()
	if err := f.landmarks.ValuesAt(ctx, x, n, workers, out); err != nil {
		return err
	}
	return models.ParallelRows(ctx, n, kernel.TileRows, workers, func() func(lo, hi int) {
		tile, z := kernel.NewTile[float64](m), make([]float64, kernel.TileRows*m)
		return func(lo, hi int) {
			copy(z, out[lo*m:hi*m])
			tile.UseForProducts(z[:(hi-lo)*m], hi-lo)
			for k := range f.p.Count() {
				c := tile.Products(f.p, k)
				for i := lo; i < hi; i++ {
					copy(out[i*m+k*width:], c[(i-lo)*width:(i-lo)*width+f.p.Size(k)])
				}
			}
		}
	})
}

// nystromState is the landmarks with their weights K^(−1/2) w.
type nystromState struct {
	x         []float32
	shift     []float64
	landmarks *similarity.Points
	weights   []float64
	rho       float64
}

func fitNystrom(ctx context.Context, c OCSVMNystrom, env models.Env, s *data.Set) (*nystromState, error) {
	rows := env.Rand("landmarks").Perm(s.N)[:min(c.Landmarks, s.N)]
	slices.Sort(rows)
	f := similarity.Function{Kind: similarity.RBF, Gamma: gammaFor(c.Gamma, s.X, s.D)}
	m := &nystromState{x: s.Subset(rows).X, shift: kernel.Middles(s.X, s.N, s.D)}
	m.landmarks = similarity.New(f, m.x, len(rows), s.D, m.shift, false)
	features, err := newNystrom(ctx, m.landmarks, env.Parallel())
	if err != nil {
		return nil, err
	}
	w, rho, err := c.solve(ctx, env, features, s)
	if err != nil {
		return nil, err
	}
	n := len(rows)
	m.weights, m.rho = make([]float64, n), rho
	for i := range n {
		m.weights[i] = product(w, features.root[i*n:(i+1)*n]) // symmetric
	}
	return m, nil
}

func (m *nystromState) ScoreRows(ctx context.Context, s *data.Set, workers int, out []float64) error {
	if err := m.landmarks.SumsAt(ctx, s.X, m.weights, workers, out); err != nil {
		return err
	}
	for i, v := range out {
		out[i] = m.rho - v
	}
	return nil
}

// nystromMeta is the JSON part of the saved state.
type nystromMeta struct {
	Landmarks int     `json:"landmarks"`
	Gamma     float64 `json:"gamma"`
	Rho       float64 `json:"rho"`
}

func (m *nystromState) RowState() (any, models.Arrays) {
	return nystromMeta{m.landmarks.N, m.landmarks.F.Gamma, m.rho},
		models.Arrays{"landmarks": m.x, "shift": m.shift, "weights": m.weights}
}

func loadNystrom(st models.State) (models.RowLearned, error) {
	var meta nystromMeta
	if err := st.Meta(&meta); err != nil {
		return nil, err
	}
	n, d := meta.Landmarks, st.Columns
	if n < 1 || n > math.MaxInt32 || !(meta.Gamma > 0 && meta.Gamma < math.MaxFloat64) {
		return nil, fmt.Errorf("%d landmarks, gamma %v", n, meta.Gamma)
	}
	m := &nystromState{rho: meta.Rho}
	var err error
	if m.x, err = models.FiniteArray[float32](st.Arrays, "landmarks", n*d); err != nil {
		return nil, err
	}
	if m.shift, err = models.FiniteArray[float64](st.Arrays, "shift", d); err != nil {
		return nil, err
	}
	if m.weights, err = models.FiniteArray[float64](st.Arrays, "weights", n); err != nil {
		return nil, err
	}
	f := similarity.Function{Kind: similarity.RBF, Gamma: meta.Gamma}
	m.landmarks = similarity.New(f, m.x, n, d, m.shift, false)
	return m, nil
}
