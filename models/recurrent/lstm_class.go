package recurrent

import (
	"context"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/nn"
	"plumbline/numeric/elementary"
)

func init() {
	models.Register(models.Info{
		Name: "lstm_class",
		Doc: "Recurrent classifier of the last events of a trace, trained with labels; the score is the " +
			"probability of an attack.",
		Paper: "after J. Kim, J. Kim, H. L. T. Thu, H. Kim, Long Short Term Memory Recurrent Neural Network " +
			"Classifier for Intrusion Detection, PlatCon 2016",
		Needs:    models.Needs{Input: data.Traces, Labels: models.AllLabels},
		Defaults: func() models.Spec { return defaultLSTMClass() },
	})
}

func defaultLSTMClass() *LSTMClassSpec {
	return &LSTMClassSpec{WindowSpec: WindowSpec{Window: 10}, Units: []int{64}, Dropout: 0.2, Clip: 5,
		Training: nn.DefaultTraining(20, 64)}
}

// LSTMClassSpec configures lstm_class: LSTM layers over the last W events of a trace, and a linear head on
// what they give at the end,
//
//	loss  = −mean over traces of y·ln p + (1−y)·ln(1−p),  p = σ(head), y the trace's label
//	score = p
//
// What makes a trace an attack, its last event or any, is for the declaration of the traces to say.
type LSTMClassSpec struct {
	WindowSpec `yaml:",inline"`
	// h of each LSTM layer
	Units []int `yaml:"units" jsonschema:"minItems=1,minimum=1,maximum=4096"`
	// the layers run over the window in both directions
	Bidirectional bool `yaml:"bidirectional"`
	// share of each layer's outputs that is set to 0 in training
	Dropout float64 `yaml:"dropout" jsonschema:"minimum=0,exclusiveMaximum=1"`
	// bound on the norm of a batch's gradient; 0: none
	Clip        float64 `yaml:"clip" jsonschema:"minimum=0,maximum=1000000"`
	nn.Training `yaml:",inline"`
}

// New checks the values.
func (s *LSTMClassSpec) New(env models.Env) (models.Detector, error) {
	q, err := sequential{
		name: "lstm_class", env: env, windowing: s.WindowSpec, pool: "last", cfg: s.Training,
		task: classifyTask{*s},
	}.detector(s)
	if err != nil {
		return nil, err
	}
	return classifier{q}, nil
}

type classifyTask struct{ LSTMClassSpec }

func (classifyTask) symbols() bool { return false }

func (t classifyTask) network(d int) nn.Sequence {
	layers := lstmStack(d, t.Units, t.Dropout)
	for i := range layers {
		if i > 0 {
			layers[i].In = layers[i-1].Columns()
		}
		layers[i].Bidirectional = t.Bidirectional
	}
	return nn.Sequence{Steps: t.Window, In: d, Layers: layers, Out: 1, Loss: "logistic", Clip: t.Clip}
}

func (t classifyTask) example(s *data.Set, w window, x, y []float32) {
	t.input(s, w, x)
	if y[0] = 0; s.Attack[w.trace] {
		y[0] = 1
	}
}

func (t classifyTask) input(s *data.Set, w window, x []float32) { rowsBefore(x, s, w, 0, t.Window) }

func (t classifyTask) score(_ *data.Set, _ window, out []float32) float64 {
	return 1 / (1 + elementary.Exp(-float64(out[0])))
}

// classifier is a sequential detector whose scores are probabilities.
type classifier struct{ *models.Fitted[*sequential] }

// Probabilities are 1−score and score.
func (c classifier) Probabilities(ctx context.Context, s *data.Set) ([]string, [][]float64, error) {
	scores, err := c.Score(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	classes, p := models.AttackProbabilities(scores)
	return classes, p, nil
}

var _ models.Classifier = classifier{}
