package recurrent

import (
	"errors"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/nn"
	"plumbline/numeric/stat"
)

func init() {
	models.Register(models.Info{
		Name: "lstm_pred",
		Doc: "Recurrent network that predicts the events to come; the score is how unusual its errors are " +
			"(LSTM-AD).",
		Paper: "P. Malhotra, L. Vig, G. Shroff, P. Agarwal, Long Short Term Memory Networks for Anomaly Detection " +
			"in Time Series, ESANN 2015",
		Needs:    models.Needs{Input: data.Traces},
		Defaults: func() models.Spec { return defaultPred() },
	})
}

func defaultPred() *PredSpec {
	return &PredSpec{
		WindowSpec: WindowSpec{Window: 10}, Pooling: Pooling{"mean"}, Units: []int{32, 32}, Ahead: 1, Clip: 5,
		ResidualSpec: defaultResidualSpec(), Training: nn.DefaultTraining(20, 64),
	}
}

// PredSpec configures lstm_pred: LSTM layers and a linear head that, having seen the events up to one, gives
// the rows of the next L. With x_t the row of an event and x̂_t^a what was predicted of it a events before,
//
//	loss  = mean over a window's events, a = 1..L and columns of (x_t − x̂_t^a)²
//	e_t   = the L·d numbers x_t − x̂_t^a
//	score = what the model Errors says of e_t (of mahalanobis: (e−μ)ᵀ(Σ+εI)⁻¹(e−μ)), or the mean of e_t²
//
// Errors is fitted on the last windows of the training traces, in their order, which the network does not
// train on. The network starts from h = c = 0 in every window of W events; the paper's ran through one long
// series without a stop. The first events of a trace are predicted from what is before them, however little.
// A window costs O(W·Σ 4h(in+h)).
type PredSpec struct {
	WindowSpec `yaml:",inline"`
	Pooling    `yaml:",inline"`
	// h of each LSTM layer
	Units []int `yaml:"units" jsonschema:"minItems=1,minimum=1,maximum=4096"`
	// L: events that are predicted at each step; at most the window
	Ahead int `yaml:"ahead" jsonschema:"minimum=1,maximum=100"`
	// share of each layer's outputs that is set to 0 in training
	Dropout float64 `yaml:"dropout" jsonschema:"minimum=0,exclusiveMaximum=1"`
	// bound on the norm of a batch's gradient; 0: none
	Clip         float64 `yaml:"clip" jsonschema:"minimum=0,maximum=1000000"`
	ResidualSpec `yaml:",inline"`
	nn.Training  `yaml:",inline"`
}

// New checks the values.
func (s *PredSpec) New(env models.Env) (models.Detector, error) {
	var err error
	if s.Ahead > s.Window {
		err = errors.New("ahead: predictions reach no further than the window")
	}
	spec := *s
	q, err := sequential{
		name: "lstm_pred", env: env, windowing: s.WindowSpec, pool: s.Pool, cfg: s.Training,
		task: forecastTask{spec}, residual: &spec.ResidualSpec,
	}.detector(s, err)
	if err != nil {
		return nil, err
	}
	return explained{q}, nil
}

type forecastTask struct{ PredSpec }

func (forecastTask) symbols() bool { return false }

func (p forecastTask) network(d int) nn.Sequence {
	return nn.Sequence{Steps: p.Window, In: d, Layers: lstmStack(d, p.Units, p.Dropout), Each: true, Out: d * p.Ahead,
		Loss: "mse", Clip: p.Clip}
}

// example ends its input L events before the window's end, so that all it has to predict is there.
func (p forecastTask) example(s *data.Set, w window, x, t []float32) {
	rowsBefore(x, s, w, p.Ahead, p.Window)
	for a := range p.Ahead {
		for step := range p.Window {
			// row step+a+1 of those that begin with x
			back := p.Ahead + p.Window - 1 - (step + a + 1)
			rowsBefore(t[(step*p.Ahead+a)*s.D:][:s.D], s, w, back, 1)
		}
	}
}

func (p forecastTask) input(s *data.Set, w window, x []float32) { rowsBefore(x, s, w, 1, p.Window) }

func (p forecastTask) vectors(s *data.Set, _ window) (n, width int) { return 1, s.D * p.Ahead }

func (p forecastTask) errors(s *data.Set, w window, out, to []float32) {
	row := lastRow(s, w)
	for a := range p.Ahead {
		y := out[((p.Window-1-a)*p.Ahead+a)*s.D:]
		for j, v := range row {
			to[a*s.D+j] = v - y[j]
		}
	}
}

func (p forecastTask) score(s *data.Set, w window, out []float32) float64 {
	to := make([]float64, s.D)
	p.terms(s, w, out, to)
	return stat.Mean(to)
}

// terms are a column's squared errors, the mean over the L predictions.
func (p forecastTask) terms(s *data.Set, w window, out []float32, to []float64) {
	for a := range p.Ahead {
		y := out[((p.Window-1-a)*p.Ahead+a)*s.D:]
		for j, v := range lastRow(s, w) {
			e := float64(v) - float64(y[j])
			to[j] += float64(e*e) / float64(p.Ahead)
		}
	}
}

var _ interface {
	residualTask
	explainsColumns
} = forecastTask{}
