package oneclass

import (
	"context"
	"fmt"
	"math"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/kernel"
)

// OCSVMSGD is the linear one-class SVM: the hyperplane that keeps a share 1−ν of the training rows away from the
// origin as far as it can,
//
//	score(x) = ρ − w·x/s            s² the mean of ‖x‖² over the training rows
//
// (Schölkopf, Platt, Shawe-Taylor, Smola and Williamson, Estimating the support of a high-dimensional distribution,
// Neural Computation 13, 2001), found by subgradient steps. It tells apart what lies nearer to the origin, or in
// another direction from it, than the training rows do: it is for columns whose zero means something, such as
// counts scaled to at most 1, or for features made elsewhere; ocsvm_rff and ocsvm_nystrom look at distances.
//
// Fit costs nd for each epoch, each scored row d.
type OCSVMSGD struct {
	OneClassSteps `yaml:",inline"`
}

const ocsvmSGD = "ocsvm_sgd"

func init() {
	models.Register(models.Info{
		Name: ocsvmSGD,
		Doc:  "Linear one-class SVM by subgradient steps: the side of a hyperplane that the origin is on.",
		Paper: "Schölkopf, Platt, Shawe-Taylor, Smola and Williamson, Estimating the support of a " +
			"high-dimensional distribution, Neural Computation, 2001",
		Needs:    models.Needs{Input: data.Vectors},
		Defaults: func() models.Spec { return &OCSVMSGD{OneClassSteps{Nu: 0.1, Epochs: 10}} },
	})
}

// New builds an unfitted detector.
func (c *OCSVMSGD) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec(ocsvmSGD, c); err != nil {
		return nil, err
	}
	spec := *c
	return models.RowMethod{
		Name: ocsvmSGD, Spec: c, Env: env, Min: 1,
		Fit: func(ctx context.Context, s *data.Set) (models.RowLearned, error) {
			square := 0.0
			for i := range s.N {
				square += kernel.SquaredLength(s.Row(i)) / float64(s.N)
			}
			m := &sgdState{scaled: scaled{s.D, 1}}
			if square > 0 {
				m.by = 1 / math.Sqrt(square)
			}
			var err error
			m.w, m.rho, err = spec.solve(ctx, env, m.scaled, s)
			return m, err
		},
		Load: loadSGD,
	}.Detector(), nil
}

// scaled is the map to rows of length about 1.
type scaled struct {
	d  int
	by float64
}

func (f scaled) size() int { return f.d }

func (f scaled) features(ctx context.Context, x []float32, n, _ int, out []float64) error {
	for i, v := range x[:n*f.d] {
		out[i] = float64(v) * f.by
	}
	return ctx.Err()
}

// sgdState is the hyperplane.
type sgdState struct {
	scaled
	w   []float64
	rho float64
}

func (m *sgdState) ScoreRows(ctx context.Context, s *data.Set, workers int, out []float64) error {
	return linearScore(ctx, m.scaled, m.w, m.rho, s, workers, out)
}

// sgdMeta is the JSON part of the saved state.
type sgdMeta struct {
	Scale float64 `json:"scale"`
	Rho   float64 `json:"rho"`
}

func (m *sgdState) RowState() (any, models.Arrays) {
	return sgdMeta{m.by, m.rho}, models.Arrays{"w": m.w}
}

func loadSGD(st models.State) (models.RowLearned, error) {
	var meta sgdMeta
	if err := st.Meta(&meta); err != nil {
		return nil, err
	}
	if !(meta.Scale > 0 && meta.Scale <= math.MaxFloat64) {
		return nil, fmt.Errorf("scale %v", meta.Scale)
	}
	w, err := models.FiniteArray[float64](st.Arrays, "w", st.Columns)
	return &sgdState{scaled{st.Columns, meta.Scale}, w, meta.Rho}, err
}
