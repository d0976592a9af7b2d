package neural

import (
	"math"

	"plumbline/data"
	"plumbline/models"
)

func init() {
	models.Register(models.Info{
		Name:     "lstm_density",
		Doc:      "Recurrent network that gives a normal distribution of each column of the next event; the score is the event's negative log-density.",
		Paper:    "A. Tuor, S. Kaplan, B. Hutchinson, N. Nichols, S. Robinson, Deep Learning for Unsupervised Insider Threat Detection in Structured Cybersecurity Data Streams, AAAI Workshops 2017",
		Needs:    models.Needs{Input: data.Traces},
		Defaults: func() models.Spec { return defaultDensity() },
	})
}

func defaultDensity() *DensitySpec {
	return &DensitySpec{
		Windowing: Windowing{Window: 5}, Pooling: Pooling{"mean"}, Units: []int{32, 32, 32}, Of: "next", Clip: 5,
		Training: defaultTraining(20, 64),
	}
}

// DensitySpec configures lstm_density: LSTM layers over a window of W events, and a linear head that gives a
// mean μ_j and a variance σ_j² for each column of an event x,
//
//	loss  = mean over columns of ½((x_j − μ_j)²/σ_j² + ln σ_j²)
//	score = Σ_j of the same
//
// with σ_j² at least 0.01. The event is the one behind the window, or with of: same its last one, which the
// network has then seen. Columns made of categories are numbers like all others; the paper gives them
// distributions of their own, and updates the network with each event that it has scored.
type DensitySpec struct {
	Windowing `yaml:",inline"`
	Pooling   `yaml:",inline"`
	Units     []int   `yaml:"units" jsonschema:"minItems=1,minimum=1,maximum=4096" jsonschema_description:"h of each LSTM layer"`
	Of        string  `yaml:"of" jsonschema:"enum=next,enum=same" jsonschema_description:"whose density is learnt: the event's behind the window, or that of its last one"`
	Dropout   float64 `yaml:"dropout" jsonschema:"minimum=0,exclusiveMaximum=1" jsonschema_description:"share of each layer's outputs that is set to 0 in training"`
	Clip      float64 `yaml:"clip" jsonschema:"minimum=0,maximum=1000000" jsonschema_description:"bound on the norm of a batch's gradient; 0: none"`
	Training  `yaml:",inline"`
}

// New checks the values.
func (s *DensitySpec) New(env models.Env) (models.Detector, error) {
	q, err := (&sequential{name: "lstm_density", env: env, cut: s.Windowing, pool: s.Pool, cfg: s.Training, task: density{*s}}).build(s)
	if err != nil {
		return nil, err
	}
	return explained{q}, nil
}

type density struct{ DensitySpec }

func (density) symbols() bool { return false }

func (t density) network(d int) Sequence {
	return Sequence{Steps: t.Window, In: d, Layers: lstmStack(d, t.Units, t.Dropout), Out: 2 * d, Loss: "gaussian", Clip: t.Clip}
}

func (t density) example(s *data.Set, w window, x, y []float32) {
	t.input(s, w, x)
	copy(y, lastRow(s, w))
}

func (t density) input(s *data.Set, w window, x []float32) {
	back := 1
	if t.Of == "same" {
		back = 0
	}
	rowsBefore(x, s, w, back, t.Window)
}

func (t density) score(s *data.Set, w window, out []float32) float64 {
	sum := 0.0
	for j, v := range lastRow(s, w) {
		sum += surprise(v, out[j], out[s.D+j])
	}
	return sum
}

// surprise is ½((x−μ)²/σ² + ln σ²) with s = ln σ².
func surprise(x, mu, s float32) float64 {
	log := math.Max(float64(s), math.Log(MinVariance))
	e := float64(x) - float64(mu)
	return 0.5 * (float64(e*e)*math.Exp(-log) + log)
}

func (t density) terms(s *data.Set, w window, out []float32, to []float64) {
	for j, v := range lastRow(s, w) {
		to[j] = surprise(v, out[j], out[s.D+j])
	}
}

var _ telling = density{}
