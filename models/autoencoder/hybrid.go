package autoencoder

import (
	"plumbline/data"
	"plumbline/models"
	"plumbline/models/nn"
)

func init() {
	models.Register(models.Info{
		Name: "hybrid",
		Doc: "Hybrid: a one-class model on the bottleneck of an auto-encoder that is trained to rebuild rows and to " +
			"nothing else, denoising and pre-trained layer by layer if asked.",
		Paper: "S. M. Erfani, S. Rajasegarar, S. Karunasekera, C. Leckie, High-dimensional and large-scale anomaly " +
			"detection using a linear one-class SVM with deep learning, Pattern Recognition 2016",
		Needs:    models.Needs{Input: data.Vectors},
		Defaults: func() models.Spec { return defaultHybrid() },
	})
}

func defaultHybrid() *HybridSpec {
	s := &HybridSpec{Architecture: defaultArchitecture(nn.Linear), LatentSpec: defaultLatentSpec(),
		Training: nn.DefaultTraining(20, 256)}
	s.Bias = 0.01
	s.Latent = models.ReferenceTo("mahalanobis") // nothing gives the bottleneck a scale, or keeps its columns apart
	return s
}

// HybridSpec configures hybrid. With the encoder e and the decoder g of [AESpec], trained by its loss,
//
//	score = score of the one-class model that was fitted to e(x) of the training rows
//
// Erfani and others train a deep belief network, and a one-class SVM (ocsvm) on its uppermost layer. With noise,
// pretrain and tied weights this is the denoising auto-encoder that Cao and others 2019 put their one-class models on.
type HybridSpec struct {
	Architecture `yaml:",inline"`
	// epochs for which each layer of the encoder is trained alone before, as by the model ae; 0: none
	Pretrain    int `yaml:"pretrain" jsonschema:"minimum=0,maximum=100000"`
	LatentSpec  `yaml:",inline"`
	nn.Training `yaml:",inline"`
}

// Rescaled is the same with a training that is this many times as long.
func (s *HybridSpec) Rescaled(factor float64) models.Spec {
	longer := *s
	longer.Training = s.Training.Stretched(factor)
	return &longer
}

// New checks the values.
func (s *HybridSpec) New(env models.Env) (models.Detector, error) {
	b := latentDetector{name: "hybrid", env: env, network: s.Network, train: s.Training, pretrain: s.Pretrain,
		spec: s.LatentSpec}
	return b.detector(s, s.Architecture)
}
