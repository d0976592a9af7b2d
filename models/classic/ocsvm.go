package classic

import (
	"context"
	"fmt"
	"math"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/models"
)

// OCSVM is the one-class support vector machine with a Gaussian kernel, in libsvm's scaling: with
// K(x, y) = exp(−γ‖x−y‖²) over the n training rows,
//
//	min ½ αᵀKα   with 0 ≤ α_i ≤ 1, Σ α_i = νn      (n multipliers)
//	f(x) = Σ_i α_i K(x_i, x) − ρ                     (f ≥ 0 for about a share 1−ν of the training rows)
//	score(x) = −f(x)
//
// (Schölkopf, Platt, Shawe-Taylor, Smola and Williamson, Estimating the support of a high-dimensional
// distribution, Neural Computation 13, 2001, equations 3.11 and 3.12; the factor νn between theirs and
// libsvm's scaling changes neither order nor sign.) ν bounds the share of training rows with f < 0 from
// above and that of support vectors from below.
//
// The solver is sequential minimal optimisation to libsvm's stopping rule; decision values agree with
// libsvm's to the tolerance, α need not where rows are repeated. Cost: about νn² kernel values for Fit,
// each d multiplications of non-zero numbers and an exponential, and νn of them for each scored row;
// memory 8nd bytes and memory_mb.
type OCSVM struct {
	Nu       float64 `yaml:"nu" jsonschema:"exclusiveMinimum=0,maximum=1" jsonschema_description:"share of training rows that may lie outside, at the most; 0.1 as in common use for traffic"`
	Gamma    Gamma   `yaml:"gamma" jsonschema:"oneof_type=string;number" jsonschema_description:"kernel width: scale is 1/(d·variance of all entries) as in scikit-learn, scale_std is 1/(d·standard deviation) as in its versions 0.20.0 to 0.20.2, auto is 1/d, or a number"`
	Tol      float64 `yaml:"tol" jsonschema:"exclusiveMinimum=0,maximum=1" jsonschema_description:"largest violation of the optimality conditions that ends training, on the scale of f; 1e-3 as in libsvm"`
	MemoryMB int     `yaml:"memory_mb" jsonschema:"minimum=1,maximum=65536" jsonschema_description:"memory for the kernel values of one working set, in MB: more of it helps where very many rows are support vectors inside the margin; 200 is as much as scikit-learn takes for its cache of kernel rows"`
	Sample   `yaml:",inline"`
}

// Gamma is scale, scale_std, auto or a positive number in decimal.
type Gamma string

// manyRows is where an uncapped one-class SVM becomes a matter of hours, and says so.
const manyRows = 300_000

const ocsvm = "ocsvm"

func init() {
	models.Register(models.Info{
		Name: ocsvm,
		Doc:  "One-class SVM with a Gaussian kernel; the score is the negative decision value.",
		Paper: "Schölkopf, Platt, Shawe-Taylor, Smola and Williamson, Estimating the support of a " +
			"high-dimensional distribution, Neural Computation, 2001",
		Needs:         models.Needs{Input: data.Vectors},
		Deterministic: true,
		Defaults: func() models.Spec {
			return &OCSVM{Nu: 0.1, Gamma: "scale", Tol: 1e-3, MemoryMB: 200, Sample: Sample{Sample: "random"}}
		},
	})
}

// New builds an unfitted detector.
func (c *OCSVM) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec(ocsvm, c); err != nil {
		return nil, err
	}
	if _, err := gammas.number(string(c.Gamma)); err != nil {
		return nil, fmt.Errorf("%s: %w: gamma: %w", ocsvm, models.ErrSpec, err)
	}
	spec := *c
	return method{
		name: ocsvm, spec: c, env: env, min: 1, costly: true,
		fit: func(ctx context.Context, s *data.Set) (learned, error) {
			return fitOCSVM(ctx, spec, env, spec.take(s, env.Logger()))
		},
		load: loadOCSVM,
	}.detector(), nil
}

var gammas = enumOrNumber{[]string{"scale", "scale_std", "auto"}, func(g float64) bool { return g > 0 && g <= 1e100 },
	"more than 0, at most 1e100"}

// DecodeStrict takes a word or a number.
func (g *Gamma) DecodeStrict(d settings.Doc) settings.Problems {
	text, ps := gammas.decode(d)
	*g = Gamma(text)
	return ps
}

// MarshalYAML writes a number as a number.
func (g Gamma) MarshalYAML() (any, error) { return gammas.yaml(string(g)), nil }

// gammaFor is γ for the row-major n×d matrix x.
func gammaFor[T float32 | float64](g Gamma, x []T, d int) float64 {
	v, _ := gammas.number(string(g)) // checked by New
	if v > 0 {
		return v
	}
	spread := 1.0
	if g != "auto" {
		spread = variance(x)
	}
	if g == "scale_std" {
		spread = math.Sqrt(spread)
	}
	if spread == 0 {
		return 1
	}
	return 1 / (float64(d) * spread)
}

// variance is the population variance of all entries.
func variance[T float32 | float64](x []T) float64 {
	var sum, sq float64
	for _, v := range x {
		sum += float64(v)
	}
	mean := sum / float64(len(x))
	for _, v := range x {
		diff := float64(v) - mean
		sq += float64(diff * diff)
	}
	return sq / float64(len(x))
}

// ocsvmState is the support vectors with their weights.
type ocsvmState struct {
	d     int
	gamma float64
	rho   float64
	shift []float64
	sv    []float32       // m×d, as they were given
	alpha []float64       // m
	p     *distanceBlocks // sv mapped
}

func fitOCSVM(ctx context.Context, c OCSVM, env models.Env, s *data.Set) (*ocsvmState, error) {
	log := env.Logger()
	if s.N > manyRows {
		log.Warn("ocsvm: training takes on the order of nu·n² kernel values; max_rows limits them", "rows", s.N,
			"kernel_values", c.Nu*float64(s.N)*float64(s.N))
	}
	m := &ocsvmState{d: s.D, gamma: gammaFor(c.Gamma, s.X, s.D), shift: modeOrMean(s.X, s.N, s.D)}
	p := newDistanceBlocks(m.affine(), s.X, s.N, s.D)
	most := int(math.Sqrt(float64(c.MemoryMB<<20) / 8)) // 1 MB: 362 points, 200 MB: 5120
	sol, err := solver{
		nu: c.Nu, tol: c.Tol, dense: min(2048, most), first: min(512, most), most: most, workers: env.Parallel(),
		report: func(round int, objective, gap float64) {
			log.Debug("ocsvm", "round", round, "objective", objective, "gap", gap)
			env.Progress(models.Epoch{N: round, Loss: objective / float64(s.N), ValidLoss: math.NaN(), Rate: math.NaN(),
				Samples: s.N})
		},
	}.solve(ctx, p)
	if err != nil {
		return nil, err
	}
	if sol.gap > c.Tol {
		log.Warn("ocsvm: stopped before the tolerance", "gap", sol.gap, "tol", c.Tol)
	}
	sv, alpha := support(sol.alpha)
	m.rho, m.alpha, m.p = sol.rho, alpha, p.pick(sv)
	m.sv = s.Subset(sv).X
	log.Debug("ocsvm: fitted", "rows", s.N, "gamma", m.gamma, "support_vectors", len(sv), "rho", m.rho, "pairs",
		sol.pairs)
	return m, nil
}

func (m *ocsvmState) affine() affine { return affine{m.shift, math.Sqrt(m.gamma)} }

func (m *ocsvmState) score(ctx context.Context, s *data.Set, workers int, out []float64) error {
	if err := weightedSums(ctx, s.N, rows(m.affine(), s.X, m.d), m.p, m.alpha, workers, out); err != nil {
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
}

func (m *ocsvmState) state() (any, models.Arrays) {
	return ocsvmMeta{len(m.alpha), m.gamma, m.rho},
		models.Arrays{"shift": m.shift, "vectors": m.sv, "alpha": m.alpha}
}

func loadOCSVM(st models.State) (learned, error) {
	var meta ocsvmMeta
	err := st.Meta(&meta)
	if err != nil {
		return nil, err
	}
	n, d := meta.Vectors, st.Columns
	if n < 1 || n > math.MaxInt32 || !(meta.Gamma > 0 && meta.Gamma < math.MaxFloat64) {
		return nil, fmt.Errorf("%d vectors of %d columns, gamma %v", n, d, meta.Gamma)
	}
	m := &ocsvmState{d: d, gamma: meta.Gamma, rho: meta.Rho}
	if m.shift, err = models.FiniteArray[float64](st.Arrays, "shift", d); err != nil {
		return nil, err
	}
	if m.sv, err = models.FiniteArray[float32](st.Arrays, "vectors", n*d); err != nil {
		return nil, err
	}
	if m.alpha, err = models.FiniteArray[float64](st.Arrays, "alpha", n); err != nil {
		return nil, err
	}
	m.p = newDistanceBlocks(m.affine(), m.sv, n, d)
	return m, nil
}
