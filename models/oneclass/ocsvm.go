package oneclass

import (
	"context"
	"fmt"
	"math"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/kernel"
	"plumbline/numeric/similarity"
	"plumbline/numeric/stat"
)

// OCSVM is the one-class support vector machine in libsvm's scaling: with the kernel K over the n training rows,
//
//	min ½ αᵀKα   with 0 ≤ α_i ≤ 1, Σ α_i = νn      (n multipliers)
//	f(x) = Σ_i α_i K(x_i, x) − ρ                     (f ≥ 0 for about a share 1−ν of the training rows)
//	score(x) = −f(x)
//
//	K(x, y)  = exp(−γ‖x−y‖²)             (kernel: rbf)
//	           x·y                       (linear)
//	           (γ x·y + coef0)^degree    (poly)
//	           tanh(γ x·y + coef0)       (sigmoid)
//
// (Schölkopf, Platt, Shawe-Taylor, Smola and Williamson, Estimating the support of a high-dimensional
// distribution, Neural Computation 13, 2001, equations 3.11 and 3.12; the factor νn between theirs and
// libsvm's scaling changes neither order nor sign.) ν bounds the share of training rows with f < 0 from
// above and that of support vectors from below.
//
// The solver is sequential minimal optimisation to libsvm's stopping rule; decision values agree with
// libsvm's to the tolerance, α need not where rows are repeated. Cost: about νn² kernel values for Fit,
// each d multiplications and an exponential, and νn of them for each scored row; memory 4nd bytes (8nd where
// float32 does not serve: with γ far above scale, or kernels of products) and memory_mb. Where γ makes most training
// rows support vectors, rows of the kernel matrix are computed as they are needed, and kept in memory_mb.
type OCSVM struct {
	// largest share of training rows that may lie outside; 0.1 as in common use for traffic
	Nu float64 `yaml:"nu" jsonschema:"exclusiveMinimum=0,maximum=1"`
	// kernel: rbf as in common use; linear, poly and sigmoid look at products and not at distances
	Kernel string `yaml:"kernel" jsonschema:"enum=rbf,enum=linear,enum=poly,enum=sigmoid"`
	// power of poly; 3 as in libsvm
	Degree int `yaml:"degree" jsonschema:"minimum=1,maximum=100"`
	// constant added to products by poly and sigmoid; 0 as in libsvm
	Coef0 float64 `yaml:"coef0" jsonschema:"minimum=-1e6,maximum=1e6"`
	// kernel width: scale is 1/(d·variance of all entries) as in scikit-learn, scale_std is 1/(d·standard deviation) as
	// in its versions 0.20.0 to 0.20.2, auto is 1/d, or a number
	Gamma Gamma `yaml:"gamma" jsonschema:"oneof_type=string;number"`
	// largest violation of the optimality conditions that ends training, on the scale of f; 1e-3 as in libsvm
	Tol float64 `yaml:"tol" jsonschema:"exclusiveMinimum=0,maximum=1"`
	// memory for the kernel values of one working set, in MB: more of it helps where very many rows are support vectors
	// inside the margin; 200 is as much as scikit-learn takes for its cache of kernel rows
	MemoryMB      int `yaml:"memory_mb" jsonschema:"minimum=1,maximum=65536"`
	models.Sample `yaml:",inline"`
}

// kinds are the kernels by their names.
var kinds = map[string]similarity.Kind{
	"rbf": similarity.RBF, "linear": similarity.Linear, "poly": similarity.Poly, "sigmoid": similarity.Sigmoid,
}

// function is the kernel with the given γ.
func (c *OCSVM) function(gamma float64) similarity.Function {
	return similarity.Function{Kind: kinds[c.Kernel], Gamma: gamma, Offset: c.Coef0, Degree: c.Degree}
}

// Gamma is scale, scale_std, auto or a positive number in decimal.
type Gamma string

// denseRows is the number of rows up to which the matrix of all kernel values is kept and all is in float64.
const denseRows = 2048

// manyRows is where an uncapped one-class SVM becomes a matter of hours, and says so.
const manyRows = 300_000

const ocsvm = "ocsvm"

func init() {
	models.Register(models.Info{
		Name: ocsvm,
		Doc:  "One-class SVM, with a Gaussian kernel by default; the score is the negative decision value.",
		Paper: "Schölkopf, Platt, Shawe-Taylor, Smola and Williamson, Estimating the support of a " +
			"high-dimensional distribution, Neural Computation, 2001",
		Needs:  models.Needs{Input: data.Vectors},
		Seeded: models.Never,
		Memory: func(s models.Spec, rows, _ int) float64 {
			c := s.(*OCSVM)
			n := float64(c.Rows(rows))
			return min(8*n*n, float64(c.MemoryMB<<20))
		},
		Defaults: func() models.Spec {
			return &OCSVM{Nu: 0.1, Kernel: "rbf", Degree: 3, Gamma: "scale", Tol: 1e-3, MemoryMB: 200,
				Sample: models.Sample{Sample: "random"}}
		},
	})
}

// New builds an unfitted detector.
func (c *OCSVM) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec(ocsvm, c); err != nil {
		return nil, err
	}
	if _, err := gammas.Number(string(c.Gamma)); err != nil {
		return nil, fmt.Errorf("%s: %w: gamma: %w", ocsvm, models.ErrSpec, err)
	}
	spec := *c
	return models.RowMethod{
		Name: ocsvm, Spec: c, Env: env, Min: 1, Costly: true,
		Fit: func(ctx context.Context, s *data.Set) (models.RowLearned, error) {
			return fitOCSVM(ctx, spec, env, spec.Take(s, env.Logger()))
		},
		Load: func(st models.State) (models.RowLearned, error) { return loadOCSVM(spec, st) },
	}.Detector(), nil
}

var gammas = models.EnumOrNumber{
	Words: []string{"scale", "scale_std", "auto"},
	Fits:  func(g float64) bool { return g > 0 && g <= 1e100 },
	Want:  "more than 0, at most 1e100",
}

// UnmarshalSettings takes a word or a number.
func (g *Gamma) UnmarshalSettings(d settings.Node) settings.Problems {
	text, ps := gammas.Decode(d)
	*g = Gamma(text)
	return ps
}

// MarshalYAML writes a number as a number.
func (g Gamma) MarshalYAML() (any, error) { return gammas.YAML(string(g)), nil }

// gammaFor is γ for the row-major n×d matrix x.
func gammaFor[T float32 | float64](g Gamma, x []T, d int) float64 {
	v, _ := gammas.Number(string(g)) // checked by New
	if v > 0 {
		return v
	}
	spread := 1.0
	if g != "auto" {
		_, spread = stat.MeanVariance(x)
	}
	if g == "scale_std" {
		spread = math.Sqrt(spread)
	}
	if spread == 0 {
		return 1
	}
	return 1 / (float64(d) * spread)
}

// ocsvmState is the support vectors with their weights.
type ocsvmState struct {
	f     similarity.Function
	rho   float64
	shift []float64 // nil for kernels of products
	sv    []float32 // m×d, as they were given
	alpha []float64 // m
	p     *similarity.Points
}

func fitOCSVM(ctx context.Context, c OCSVM, env models.Env, s *data.Set) (*ocsvmState, error) {
	log := env.Logger()
	if s.N > manyRows {
		log.Warn("ocsvm: training takes on the order of nu·n² kernel values; max_rows limits them", "rows", s.N,
			"kernel_values", c.Nu*float64(s.N)*float64(s.N))
	}
	m := &ocsvmState{f: c.function(gammaFor(c.Gamma, s.X, s.D))}
	if m.f.Kind == similarity.RBF {
		m.shift = kernel.Middles(s.X, s.N, s.D)
	}
	p := similarity.New(m.f, s.X, s.N, s.D, m.shift, s.N > denseRows)
	most := int(math.Sqrt(float64(c.MemoryMB<<20) / 8)) // 1 MB: 362 points, 200 MB: 5120
	sol, err := solver{
		nu: c.Nu, tol: c.Tol, dense: min(denseRows, most), first: min(512, most), most: most, workers: env.Parallel(),
		report: func(round int, objective, gap float64) {
			log.Debug("ocsvm", "round", round, "objective", objective, "gap", gap)
			env.Progress(models.Epoch{N: round, Loss: objective / float64(s.N), ValidLoss: math.NaN(),
				Rate: math.NaN(), Samples: s.N})
		},
	}.solve(ctx, p)
	if err != nil {
		return nil, err
	}
	if sol.gap > c.Tol {
		log.Warn("ocsvm: stopped before the tolerance", "gap", sol.gap, "tol", c.Tol)
	}
	sv, alpha := support(sol.alpha)
	m.rho, m.alpha, m.sv = sol.rho, alpha, s.Subset(sv).X
	m.prepare(s.D, p.Single())
	log.Debug("ocsvm: fitted", "rows", s.N, "gamma", m.f.Gamma, "support_vectors", len(sv), "rho", m.rho,
		"pairs", sol.pairs)
	return m, nil
}

// prepare makes the support vectors of d columns ready for scoring.
func (m *ocsvmState) prepare(d int, single bool) {
	m.p = similarity.New(m.f, m.sv, len(m.alpha), d, m.shift, single)
}

func (m *ocsvmState) ScoreRows(ctx context.Context, s *data.Set, workers int, out []float64) error {
	if err := m.p.SumsAt(ctx, s.X, m.alpha, workers, out); err != nil {
		return err
	}
	for i, v := range out {
		out[i] = m.rho - v
	}
	return nil
}

// ocsvmMeta is the JSON part of the saved state.
type ocsvmMeta struct {
	Vectors int     `json:"support_vectors"`
	Gamma   float64 `json:"gamma"`
	Rho     float64 `json:"rho"`
	Single  bool    `json:"single"` // kernel values in float32, as in training
}

func (m *ocsvmState) RowState() (any, models.Arrays) {
	arrays := models.Arrays{"vectors": m.sv, "alpha": m.alpha}
	if m.shift != nil {
		arrays["shift"] = m.shift
	}
	return ocsvmMeta{len(m.alpha), m.f.Gamma, m.rho, m.p.Single()}, arrays
}

func loadOCSVM(c OCSVM, st models.State) (models.RowLearned, error) {
	var meta ocsvmMeta
	err := st.Meta(&meta)
	if err != nil {
		return nil, err
	}
	n, d := meta.Vectors, st.Columns
	if n < 1 || n > math.MaxInt32 || !(meta.Gamma > 0 && meta.Gamma < math.MaxFloat64) {
		return nil, fmt.Errorf("%d vectors of %d columns, gamma %v", n, d, meta.Gamma)
	}
	m := &ocsvmState{f: c.function(meta.Gamma), rho: meta.Rho}
	if m.f.Kind == similarity.RBF {
		if m.shift, err = models.FiniteArray[float64](st.Arrays, "shift", d); err != nil {
			return nil, err
		}
	}
	if m.sv, err = models.FiniteArray[float32](st.Arrays, "vectors", n*d); err != nil {
		return nil, err
	}
	if m.alpha, err = models.FiniteArray[float64](st.Arrays, "alpha", n); err != nil {
		return nil, err
	}
	m.prepare(d, meta.Single)
	return m, nil
}
