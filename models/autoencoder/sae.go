package autoencoder

import (
	"plumbline/data"
	"plumbline/models"
	"plumbline/models/nn"
)

func init() {
	models.Register(models.Info{
		Name: "sae",
		Doc: "Shrink auto-encoder: one whose bottleneck is pulled to the origin; a one-class model on the " +
			"bottleneck gives the score.",
		Paper: "V. L. Cao, M. Nicolau, J. McDermott, Learning Neural Representations for Network Anomaly " +
			"Detection, IEEE Transactions on Cybernetics 2019",
		Needs:    models.Needs{Input: data.Vectors},
		Defaults: func() models.Spec { return defaultSAE() },
	})
}

func defaultSAE() *SAESpec {
	s := &SAESpec{Architecture: defaultArchitecture(nn.Tanh), Shrink: 10, Reduction: "mean",
		LatentSpec: defaultLatentSpec(), Training: nn.DefaultTraining(100, 100)}
	s.Validation, s.Patience = 0.2, 10
	return s
}

// SAESpec configures sae. With encoder e: ℝᵈ → ℝᵇ and decoder g: ℝᵇ → ℝᵈ,
//
//	loss  = mean over a batch of (1/d)·Σ_j (x_j − g(e(x))_j)² + λ·(1/b)·Σ_k e(x)_k²
//	score = score of the one-class model that was fitted to e(x) of the training rows
//
// (Cao, Nicolau and McDermott 2019, equation 3 with the means over columns of the authors' program; with
// reduction sum, the 1/b is left out, as in Winiecki's comparison, where λ so weighs b times as much.) Their
// CEN is znorm on the bottleneck, their KDE, LOF and OCSVM are the models of these names. With ends tanh,
// inputs should lie between −1 and 1 (scale: maxabs), as the output does.
type SAESpec struct {
	Architecture `yaml:",inline"`
	// λ: weight of the squares at the bottleneck
	Shrink float64 `yaml:"shrink" jsonschema:"minimum=0,maximum=100000"`
	// of the squares over the bottleneck's columns
	Reduction   string `yaml:"reduction" jsonschema:"enum=mean,enum=sum"`
	LatentSpec  `yaml:",inline"`
	nn.Training `yaml:",inline"`
}

// Rescaled is the same with a training that is this many times as long.
func (s *SAESpec) Rescaled(factor float64) models.Spec {
	longer := *s
	longer.Training = s.Training.Stretched(factor)
	return &longer
}

// New checks the values.
func (s *SAESpec) New(env models.Env) (models.Detector, error) {
	spec := *s
	b := latentDetector{name: "sae", env: env, network: spec.network, train: s.Training, spec: s.LatentSpec}
	return b.detector(s, s.Architecture)
}

// network is the one for rows of d columns.
func (s *SAESpec) network(d int) nn.Network {
	n := s.Network(d)
	n.Shrink = s.Shrink
	if s.Reduction == "sum" { // the loss weighs a mean
		n.Shrink = min(n.Shrink*float64(n.Bottleneck()), nn.MaxShrink)
	}
	return n
}
