package recurrent

import (
	"math"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/nn"
)

func init() {
	models.Register(models.Info{
		Name: "lstm_ae",
		Doc: "Recurrent auto-encoder whose decoder rebuilds a window backwards from the encoder's last state; " +
			"the score is how unusual its errors are (EncDec-AD).",
		Paper: "P. Malhotra, A. Ramakrishnan, G. Anand, L. Vig, P. Agarwal, G. Shroff, LSTM-based Encoder-Decoder " +
			"for Multi-sensor Anomaly Detection, ICML Anomaly Detection Workshop 2016",
		Needs:    models.Needs{Input: data.Traces},
		Defaults: func() models.Spec { return defaultEncDec() },
	})
	models.Register(models.Info{
		Name: "lstm_ae_repeat",
		Doc: "Recurrent auto-encoder whose decoder takes the encoder's last output at every step; the score is " +
			"the reconstruction error.",
		Paper: "after N. Srivastava, E. Mansimov, R. Salakhutdinov, Unsupervised Learning of Video " +
			"Representations using LSTMs, ICML 2015, in the form that F. Chollet's Keras made common",
		Needs:    models.Needs{Input: data.Traces},
		Defaults: func() models.Spec { return defaultRepeat() },
	})
}

func defaultEncDec() *EncDecSpec {
	return &EncDecSpec{
		WindowSpec: WindowSpec{Window: 10}, Pooling: Pooling{"mean"}, ReconstructionSpec: ReconstructionSpec{"all"},
		Units: 32, Clip: 5,
		ResidualSpec: defaultResidualSpec(), Training: nn.DefaultTraining(20, 64),
	}
}

func defaultRepeat() *RepeatSpec {
	return &RepeatSpec{
		WindowSpec: WindowSpec{Window: 10}, Pooling: Pooling{"mean"}, ReconstructionSpec: ReconstructionSpec{"all"},
		Units: []int{64, 32}, Loss: "mse", Clip: 5,
		Training: nn.DefaultTraining(20, 64),
	}
}

// ReconstructionSpec is what of a reconstructed window counts.
type ReconstructionSpec struct {
	// what the score of an event is, at which a window ends: the mean over the window's events, its own, or the mean of
	// its own in all windows of the trace that hold it
	Rows string `yaml:"rows" jsonschema:"enum=all,enum=last,enum=windows"`
}

// EncDecSpec configures lstm_ae. An LSTM of h units reads a window of W rows x₁..x_W; its last state begins a
// second one, which gives x̂_W, and then, fed with x_W..x₂ in training and with what it gave itself in scoring,
// x̂_{W−1}..x̂₁:
//
//	loss  = mean over events and columns of (x − x̂)²
//	e_t   = |x_t − x̂_t|
//	score = mean over the window's events of what the model Errors says of e_t (of mahalanobis:
//	        (e−μ)ᵀ(Σ+εI)⁻¹(e−μ)), or of the mean of e_t²
//
// Errors is fitted on a random part of the training windows, which the network does not train on. The paper
// averages the scores of an event over the windows that hold it, also those that end later: that is rows:
// windows. With pool: last there is one window for a trace, and it is the same as rows: last.
type EncDecSpec struct {
	WindowSpec         `yaml:",inline"`
	Pooling            `yaml:",inline"`
	ReconstructionSpec `yaml:",inline"`
	// h of encoder and decoder
	Units int `yaml:"units" jsonschema:"minimum=1,maximum=4096"`
	// bound on the norm of a batch's gradient; 0: none
	Clip         float64 `yaml:"clip" jsonschema:"minimum=0,maximum=1000000"`
	ResidualSpec `yaml:",inline"`
	nn.Training  `yaml:",inline"`
}

// New checks the values.
func (s *EncDecSpec) New(env models.Env) (models.Detector, error) {
	judge := s.ResidualSpec
	judge.random = true
	h, clip, steps := s.Units, s.Clip, s.Window
	task := reconstructTask{window: s.Window, rows: s.Rows, net: func(d int) nn.Sequence {
		return nn.Sequence{Steps: steps, In: d, Layers: []nn.Recurrent{{In: d, Out: h}, {In: d, Out: h, Decoder: true}},
			Each: true, Out: d, Loss: "mse", Clip: clip}
	}}
	q, err := sequential{
		name: "lstm_ae", env: env, windowing: s.WindowSpec, pool: s.Pool, cfg: s.Training,
		task: task, residual: &judge,
	}.detector(s)
	if err != nil {
		return nil, err
	}
	return explained{q}, nil
}

// RepeatSpec configures lstm_ae_repeat. LSTM layers of Units read a window of W rows; what the last of them
// gives at the end is the input, at every step, of layers of the same sizes in reverse order, under a linear
// head:
//
//	loss  = mean over events and columns of (x − x̂)², or of |x − x̂|
//	score = mean over the window's events and columns of (x − x̂)²
type RepeatSpec struct {
	WindowSpec         `yaml:",inline"`
	Pooling            `yaml:",inline"`
	ReconstructionSpec `yaml:",inline"`
	// h of the encoder's layers; the decoder has them in reverse order
	Units []int `yaml:"units" jsonschema:"minItems=1,minimum=1,maximum=4096"`
	// the encoder's layers run over the window in both directions
	Bidirectional bool `yaml:"bidirectional"`
	// share of each layer's outputs that is set to 0 in training
	Dropout float64 `yaml:"dropout" jsonschema:"minimum=0,exclusiveMaximum=1"`
	// distance from the rows that training lowers: mean squared or mean absolute error
	Loss string `yaml:"loss" jsonschema:"enum=mse,enum=mae"`
	// bound on the norm of a batch's gradient; 0: none
	Clip        float64 `yaml:"clip" jsonschema:"minimum=0,maximum=1000000"`
	nn.Training `yaml:",inline"`
}

// New checks the values.
func (s *RepeatSpec) New(env models.Env) (models.Detector, error) {
	spec := *s
	task := reconstructTask{window: s.Window, rows: s.Rows, net: spec.network}
	q, err := sequential{
		name: "lstm_ae_repeat", env: env, windowing: s.WindowSpec, pool: s.Pool, cfg: s.Training,
		task: task,
	}.detector(s)
	if err != nil {
		return nil, err
	}
	return explained{q}, nil
}

func (s *RepeatSpec) network(d int) nn.Sequence {
	var layers []nn.Recurrent
	in := d
	add := func(h int, both, repeat bool) {
		layers = append(layers, nn.Recurrent{In: in, Out: h, Bidirectional: both, Repeat: repeat, Dropout: s.Dropout})
		in = layers[len(layers)-1].Columns()
	}
	for _, h := range s.Units {
		add(h, s.Bidirectional, false)
	}
	for i := range s.Units {
		add(s.Units[len(s.Units)-1-i], false, i == 0)
	}
	return nn.Sequence{Steps: s.Window, In: d, Layers: layers, Each: true, Out: d, Loss: s.Loss, Clip: s.Clip}
}

// reconstructTask is the task of giving a window back.
type reconstructTask struct {
	window int
	rows   string
	net    func(d int) nn.Sequence
}

func (reconstructTask) symbols() bool               { return false }
func (r reconstructTask) network(d int) nn.Sequence { return r.net(d) }
func (r reconstructTask) first(w window) (step int) { return r.window - r.judged(w) }

// judged is how many of a window's events count: never the rows in front of a trace.
func (r reconstructTask) judged(w window) int {
	if r.rows == "last" {
		return 1
	}
	return min(r.window, int(w.end))
}

func (r reconstructTask) example(s *data.Set, w window, x, t []float32) {
	rowsBefore(x, s, w, 0, r.window)
	copy(t, x)
}

func (r reconstructTask) input(s *data.Set, w window, x []float32) { rowsBefore(x, s, w, 0, r.window) }

func (r reconstructTask) vectors(s *data.Set, w window) (n, width int) { return r.judged(w), s.D }

func (r reconstructTask) shared() bool { return r.rows == "windows" }

// truth is the rows of the events that count, row after row.
func (r reconstructTask) truth(s *data.Set, w window) []float32 {
	return s.Traces[w.trace].Events[(int(w.end)-r.judged(w))*s.D : int(w.end)*s.D]
}

func (r reconstructTask) errors(s *data.Set, w window, out, to []float32) {
	out = out[r.first(w)*s.D:]
	for i, v := range r.truth(s, w) {
		to[i] = float32(math.Abs(float64(v) - float64(out[i])))
	}
}

func (r reconstructTask) score(s *data.Set, w window, out []float32) float64 {
	return nn.MeanSquare(out[r.first(w)*s.D:], r.truth(s, w))
}

// terms are a column's squared errors, the mean over the events that count.
func (r reconstructTask) terms(s *data.Set, w window, out []float32, to []float64) {
	out = out[r.first(w)*s.D:]
	for i, v := range r.truth(s, w) {
		e := float64(v) - float64(out[i])
		to[i%s.D] += float64(e*e) / float64(r.judged(w))
	}
}

var _ interface {
	overlapping
	explainsColumns
} = reconstructTask{}
