package autoencoder

import (
	"plumbline/data"
	"plumbline/models"
	"plumbline/models/nn"
)

func init() {
	models.Register(models.Info{
		Name: "dvae",
		Doc: "Dirac delta variational auto-encoder: the bottleneck is drawn around means that are pulled to the " +
			"origin by a prior of almost no variance; a one-class model on the means gives the score.",
		Paper: "V. L. Cao, M. Nicolau, J. McDermott, Learning Neural Representations for Network Anomaly " +
			"Detection, IEEE Transactions on Cybernetics 2019",
		Needs:    models.Needs{Input: data.Vectors},
		Defaults: func() models.Spec { return defaultDVAE() },
	})
}

func defaultDVAE() *DVAESpec {
	s := &DVAESpec{Architecture: defaultArchitecture(nn.Tanh), Alpha: 1e-8, Weight: 0.05, Log: true,
		LatentSpec: defaultLatentSpec(), Training: nn.DefaultTraining(400, 100)}
	s.Optimiser.Rate = 0.01
	return s
}

// DVAESpec configures dvae. The encoder gives means μ and log-variances s of b columns, the decoder g gets
// z = μ + exp(s/2)·ε with ε from N(0, 1), and
//
//	KL    = mean over a batch of (1/2α)·(1/b)·Σ_k (exp(s_k) + μ_k² − α − α·s_k + α·ln α)
//	loss  = mean over a batch of (1/d)·Σ_j (x_j − g(z)_j)² + w·log10(KL + 1), or w·KL
//	score = score of the one-class model that was fitted to μ of the training rows
//
// (Cao, Nicolau and McDermott 2019; with alpha: 1, log: false and weight: 1 it is the variational auto-encoder
// of Kingma and Welling 2014 with means over columns.) Their program judges draws z, this one the means, so
// that a score is the same each time; the draws differ from the means by about √α. Log-variances begin at ln α
// and not at 0. The logarithm makes a weak pull: training must be long before the bottleneck tells anything.
type DVAESpec struct {
	Architecture `yaml:",inline"`
	// α: variance of the prior
	Alpha float64 `yaml:"alpha" jsonschema:"exclusiveMinimum=0,maximum=100"`
	// w: weight of the divergence from the prior
	Weight float64 `yaml:"weight" jsonschema:"minimum=0,maximum=1000"`
	// take the logarithm of the divergence
	Log         bool `yaml:"log"`
	LatentSpec  `yaml:",inline"`
	nn.Training `yaml:",inline"`
}

// Rescaled is the same with a training that is this many times as long.
func (s *DVAESpec) Rescaled(factor float64) models.Spec {
	longer := *s
	longer.Training = s.Training.Stretched(factor)
	return &longer
}

// New checks the values.
func (s *DVAESpec) New(env models.Env) (models.Detector, error) {
	spec := *s
	b := latentDetector{name: "dvae", env: env, network: spec.network, train: s.Training, spec: s.LatentSpec}
	return b.detector(s, s.Architecture)
}

// network is the one for rows of d columns.
func (s *DVAESpec) network(d int) nn.Network {
	return s.Network(d).WithVariational(nn.Variational{Alpha: s.Alpha, Weight: s.Weight, Log: s.Log})
}
