package supervised

import (
	"context"
	"encoding/json"
	"fmt"
	"math"

	"plumbline/configs/settings"
	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/elementary"
	"plumbline/numeric/kernel"
	"plumbline/numeric/similarity"
	"plumbline/numeric/stat"
	"plumbline/numeric/svm"
)

// SVM is a support vector machine with a Gaussian kernel K(x, y) = exp(−γ‖x−y‖²), for more than two classes one against
// the others. With s_i = ±1 for attack and benign and w_i the weight of the row's class,
//
//	min over α of ½ Σ_ij s_i s_j α_i α_j K(x_i, x_j) − Σ_i α_i   with 0 ≤ α_i ≤ C w_i, Σ_i s_i α_i = 0
//	f(x) = Σ_i s_i α_i K(x_i, x) − ρ,  score(x) = 1 / (1 + exp(−f(x)))
//
// (C. Cortes and V. Vapnik, Support-Vector Networks, Machine Learning 1995.) The logistic of the margin only brings it
// into [0, 1], in its order: for probabilities ask for a calibration, which fits the machine six times. With more
// classes the margins go through a softmax. The stopping rule is libsvm's, with which the margins agree to the
// tolerance; multipliers need not where rows are repeated. Columns should be scaled.
//
// Fit costs about (support vectors)·n kernel values for each class, of d multiplications and an exponential; each
// scored row one for each support vector; memory 4nd bytes (8nd where float32 does not serve) and memory_mb.
type SVM struct {
	Common `yaml:",inline"`
	// largest multiplier of a row of weight 1; 1 as in scikit-learn
	C float64 `yaml:"c" jsonschema:"exclusiveMinimum=0,maximum=1e9"`
	// kernel width: scale is 1/(d·variance of all entries) as in scikit-learn, auto is 1/d, or a number
	Gamma KernelWidth `yaml:"gamma" jsonschema:"oneof_type=string;number"`
	// largest violation of the optimality conditions that ends training, on the scale of f; 1e-3 as in libsvm
	Tol float64 `yaml:"tol" jsonschema:"exclusiveMinimum=0,maximum=1"`
	// memory for the kernel values of one working set, in MB: more of it helps where many rows are support vectors
	MemoryMB int `yaml:"memory_mb" jsonschema:"minimum=1,maximum=65536"`
}

// KernelWidth is scale, auto or a positive number in decimal.
type KernelWidth string

var widths = models.EnumOrNumber{
	Words: []string{"scale", "auto"},
	Fits:  func(g float64) bool { return g > 0 && g <= 1e100 },
	Want:  "more than 0, at most 1e100",
}

// UnmarshalSettings takes a word or a number.
func (w *KernelWidth) UnmarshalSettings(d settings.Node) settings.Problems {
	text, ps := widths.Decode(d)
	*w = KernelWidth(text)
	return ps
}

// MarshalYAML writes a number as a number.
func (w KernelWidth) MarshalYAML() (any, error) { return widths.YAML(string(w)), nil }

// of is γ for the row-major matrix x of d columns; equal values everywhere have 1.
func (w KernelWidth) of(x []float32, d int) float64 {
	if v, _ := widths.Number(string(w)); v > 0 { // checked by New
		return v
	}
	if w == "auto" {
		return 1 / float64(d)
	}
	if _, v := stat.MeanVariance(x); v > 0 {
		return 1 / (float64(d) * v)
	}
	return 1
}

func init() {
	models.Register(models.Info{
		Name: "svm",
		Doc: "Support vector machine with a Gaussian kernel; the score is the logistic of the margin on the side of " +
			"attacks.",
		Paper:    "C. Cortes and V. Vapnik, Support-Vector Networks, Machine Learning 20, 1995",
		Needs:    models.Needs{Input: data.Vectors, Labels: models.AllLabels},
		Seeded:   calibrated,
		Defaults: func() models.Spec { return &SVM{defaultCommon(), 1, "scale", 1e-3, 200} },
	})
}

// New checks the values and builds an unfitted detector.
func (s *SVM) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec("svm", s); err != nil {
		return nil, err
	}
	if _, err := widths.Number(string(s.Gamma)); err != nil {
		return nil, fmt.Errorf("svm: %w: gamma: %w", models.ErrSpec, err)
	}
	spec := *s
	return explained{build(plan{
		name: "svm", spec: s, common: s.Common, load: loadMachines,
		learn: func(ctx context.Context, env models.Env, p *problem) (classifier, error) {
			return spec.fit(ctx, env, p)
		},
	}, env)}, nil
}

// machines is the support vectors of one machine for each margin.
type machines struct {
	k, d   int
	gamma  float64
	single bool        // kernel values in float32, as in training
	shift  []float64   // taken from all rows
	rows   []float32   // all support vectors, m×d
	beta   [][]float64 // of each machine, 0 where a row is none of its vectors
	offset []float64
	own    []*similarity.Points // the vectors of each machine
	weight [][]float64          // their β
}

// wholeRows is the number of rows up to which all kernel values are held, in float64.
const wholeRows = 2048

func (s *SVM) fit(ctx context.Context, env models.Env, p *problem) (*machines, error) {
	m := &machines{k: p.k, d: p.d, gamma: s.Gamma.of(p.x, p.d), shift: kernel.Middles(p.x, p.n, p.d)}
	points := similarity.New(m.function(), p.x, p.n, p.d, m.shift, p.n > wholeRows)
	m.single = points.Single()
	most := max(2, int(math.Sqrt(float64(s.MemoryMB<<20)/8)))
	round := 0
	options := svm.Options{
		Tol: s.Tol, Dense: min(wholeRows, most), First: min(512, most), Most: most, Workers: env.Parallel(),
		Report: func(_ int, objective, _ float64) {
			round++
			env.Progress(models.Epoch{N: round, Loss: objective / float64(p.n), ValidLoss: math.NaN(), Rate: math.NaN(),
				Samples: p.n})
		},
	}
	vector := make([]int32, p.n) // place among the support vectors, from 1
	var solutions []*svm.Solution
	for f := range functions(p.k) {
		q := &svm.Problem{Points: points, Linear: make([]float64, p.n), Low: make([]float64, p.n),
			High: make([]float64, p.n)}
		for i, c := range p.y {
			if int(c) == f && p.k > 2 || c == 1 && p.k == 2 {
				q.Linear[i], q.High[i] = -1, s.C*p.w[i]
			} else {
				q.Linear[i], q.Low[i] = 1, -s.C*p.w[i]
			}
		}
		sol, err := q.Solve(ctx, options)
		if err != nil {
			return nil, err
		}
		if sol.Gap > s.Tol {
			env.Logger().Warn("svm: stopped before the tolerance", "gap", sol.Gap, "tol", s.Tol)
		}
		env.Logger().Debug("svm", "rounds", sol.Rounds, "pairs", sol.Pairs, "gap", sol.Gap)
		solutions = append(solutions, sol)
		for i, b := range sol.Beta {
			if b != 0 {
				vector[i] = 1
			}
		}
	}
	for i, v := range vector {
		if v > 0 {
			m.rows = append(m.rows, p.row(i)...)
		}
	}
	for _, sol := range solutions {
		var beta []float64
		for i, v := range vector {
			if v > 0 {
				beta = append(beta, sol.Beta[i])
			}
		}
		m.beta, m.offset = append(m.beta, beta), append(m.offset, sol.Offset)
	}
	m.prepare()
	return m, nil
}

func (m *machines) function() similarity.Function {
	return similarity.Function{Kind: similarity.RBF, Gamma: m.gamma}
}

// prepare makes the vectors of each machine ready for scoring.
func (m *machines) prepare() {
	for _, beta := range m.beta {
		var rows []float32
		var weight []float64
		for i, b := range beta {
			if b != 0 {
				rows, weight = append(rows, m.rows[i*m.d:(i+1)*m.d]...), append(weight, b)
			}
		}
		m.own = append(m.own, similarity.New(m.function(), rows, len(weight), m.d, m.shift, m.single))
		m.weight = append(m.weight, weight)
	}
}

func (m *machines) probabilities(ctx context.Context, env models.Env, x []float32, n int, out []float64) error {
	margins := make([][]float64, len(m.own))
	for f, own := range m.own {
		margins[f] = make([]float64, n)
		if err := own.SumsAt(ctx, x, m.weight[f], env.Parallel(), margins[f]); err != nil {
			return err
		}
	}
	at := make([]float64, len(m.own))
	for i := range n {
		for f := range at {
			at[f] = margins[f][i] - m.offset[f]
		}
		softmax(at, out[i*m.k:(i+1)*m.k])
	}
	return nil
}

// contributions are what the margin of attacks, or minus that of benign rows, loses where a column takes the value in
// the middle of the training rows.
func (m *machines) contributions(row []float32, out []float64) {
	clear(out)
	sign := 1.0
	if m.k > 2 {
		sign = -1 // the first machine is that of benign rows
	}
	for i, beta := range m.beta[0] {
		if beta == 0 {
			continue
		}
		vector := m.rows[i*m.d : (i+1)*m.d]
		square := 0.0
		for j, v := range row {
			diff := float64(v) - float64(vector[j])
			square += float64(diff * diff)
		}
		value := elementary.Exp(-m.gamma * square)
		for j, v := range row {
			was, then := float64(v)-float64(vector[j]), m.shift[j]-float64(vector[j])
			if was != then {
				square := math.Max(0, square-float64(was*was)+float64(then*then))
				out[j] += float64(sign * beta * (value - elementary.Exp(-m.gamma*square)))
			}
		}
	}
}

// machinesMeta is the JSON of saved machines.
type machinesMeta struct {
	Vectors int     `json:"support_vectors"`
	Gamma   float64 `json:"gamma"`
	Single  bool    `json:"single"`
}

func (m *machines) state() (any, models.Arrays) {
	arrays := models.Arrays{"vectors": m.rows, "offset": m.offset, "shift": m.shift}
	for f, beta := range m.beta {
		arrays[fmt.Sprintf("beta %d", f)] = beta
	}
	return machinesMeta{len(m.beta[0]), m.gamma, m.single}, arrays
}

func loadMachines(raw json.RawMessage, arrays models.Arrays, d, k int) (classifier, error) {
	var meta machinesMeta
	if err := strict(raw, &meta); err != nil {
		return nil, err
	}
	if meta.Vectors < 0 || meta.Vectors > math.MaxInt32 || !(meta.Gamma > 0 && meta.Gamma < math.MaxFloat64) {
		return nil, fmt.Errorf("%d support vectors, gamma %v", meta.Vectors, meta.Gamma)
	}
	m := &machines{k: k, d: d, gamma: meta.Gamma, single: meta.Single}
	var err error
	if m.rows, err = models.FiniteArray[float32](arrays, "vectors", meta.Vectors*d); err != nil {
		return nil, err
	}
	if m.shift, err = models.FiniteArray[float64](arrays, "shift", d); err != nil {
		return nil, err
	}
	if m.offset, err = models.FiniteArray[float64](arrays, "offset", functions(k)); err != nil {
		return nil, err
	}
	for f := range functions(k) {
		beta, err := models.FiniteArray[float64](arrays, fmt.Sprintf("beta %d", f), meta.Vectors)
		if err != nil {
			return nil, err
		}
		m.beta = append(m.beta, beta)
	}
	m.prepare()
	return m, nil
}
