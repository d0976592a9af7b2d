package supervised

import (
	"context"

	"plumbline/data"
	"plumbline/models"
)

// Logistic is logistic regression, with more than two classes softmax regression. With s_i = ±1 for attack and benign,
//
//	min_{w,b} ½‖w‖² + C Σ_i w_i log(1 + exp(−s_i (w·x_i + b))),  score(x) = 1 / (1 + exp(−(w·x + b)))
//
// and for k classes ½‖W‖² − C Σ_i w_i log softmax(W x_i + b)[y_i], score(x) = 1 − softmax(W x + b)[benign]. (D. Cox,
// The Regression Analysis of Binary Sequences, JRSS B 1958.) The minimum is found by L-BFGS; columns should be scaled.
// The objective and C = 1 are those of scikit-learn.
//
// Fit costs n·d·classes an iteration, each scored row d·classes.
type Logistic struct {
	Common `yaml:",inline"`
	// weight of the data against the regulariser
	C float64 `yaml:"c" jsonschema:"exclusiveMinimum=0,maximum=1e9"`
	// largest number of iterations
	Iterations int `yaml:"iterations" jsonschema:"minimum=1,maximum=1000000"`
}

func init() {
	models.Register(models.Info{
		Name:     "logistic",
		Doc:      "Logistic regression, or softmax regression of the classes; the score is the probability of an attack.",
		Paper:    "D. Cox, The Regression Analysis of Binary Sequences, Journal of the Royal Statistical Society B, 1958",
		Needs:    models.Needs{Input: data.Vectors, Labels: models.AllLabels},
		Seeded:   calibrated,
		Defaults: func() models.Spec { return &Logistic{defaultCommon(), 1, 1000} },
	})
}

// New checks the values and builds an unfitted detector.
func (s *Logistic) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec("logistic", s); err != nil {
		return nil, err
	}
	spec := *s
	return explained{build(plan{
		name: "logistic", spec: s, common: s.Common, load: loadLinear,
		learn: func(ctx context.Context, env models.Env, p *problem) (classifier, error) {
			return fitLinear(ctx, env, p, softmaxLoss, spec.C, spec.Iterations)
		},
	}, env)}, nil
}

// LinearSVM is a linear support vector machine with squared hinge loss, for more than two classes one against the
// others. With s_i = ±1,
//
//	min_{w,b} ½‖w‖² + C Σ_i w_i max(0, 1 − s_i (w·x_i + b))²,  score(x) = 1 / (1 + exp(−(w·x + b)))
//
// (C. Cortes and V. Vapnik, Support-Vector Networks, Machine Learning 1995; C.-J. Hsieh and others, A Dual Coordinate
// Descent Method for Large-scale Linear SVM, ICML 2008, has this loss.) The logistic of the margin only brings it into
// [0, 1], in its order: for probabilities ask for a calibration. The intercept is not regularised, as it is in
// liblinear.
//
// Fit costs n·d·classes an iteration, each scored row d·classes.
type LinearSVM struct {
	Common `yaml:",inline"`
	// weight of the data against the regulariser
	C float64 `yaml:"c" jsonschema:"exclusiveMinimum=0,maximum=1e9"`
	// largest number of iterations
	Iterations int `yaml:"iterations" jsonschema:"minimum=1,maximum=1000000"`
}

func init() {
	models.Register(models.Info{
		Name:     "linear_svm",
		Doc:      "Linear support vector machine; the score is the logistic of the margin on the side of attacks.",
		Paper:    "C. Cortes and V. Vapnik, Support-Vector Networks, Machine Learning 20, 1995",
		Needs:    models.Needs{Input: data.Vectors, Labels: models.AllLabels},
		Seeded:   calibrated,
		Defaults: func() models.Spec { return &LinearSVM{defaultCommon(), 1, 1000} },
	})
}

// New checks the values and builds an unfitted detector.
func (s *LinearSVM) New(env models.Env) (models.Detector, error) {
	if err := models.CheckSpec("linear_svm", s); err != nil {
		return nil, err
	}
	spec := *s
	return explained{build(plan{
		name: "linear_svm", spec: s, common: s.Common, load: loadLinear,
		learn: func(ctx context.Context, env models.Env, p *problem) (classifier, error) {
			return fitLinear(ctx, env, p, squaredHinge, spec.C, spec.Iterations)
		},
	}, env)}, nil
}
