package recurrent

import (
	"context"
	"fmt"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/nn"
	"plumbline/numeric/elementary"
)

func init() {
	models.Register(models.Info{
		Name: "deeplog",
		Doc: "Recurrent network that predicts the next event's symbol from those before; the score is the " +
			"symbol's negative log-probability or its rank.",
		Paper: "M. Du, F. Li, G. Zheng, V. Srikumar, DeepLog: Anomaly Detection and Diagnosis from System Logs " +
			"through Deep Learning, CCS 2017",
		Needs:    models.Needs{Input: data.Traces},
		Defaults: func() models.Spec { return defaultDeepLog() },
	})
	models.Register(models.Info{
		Name: "token_lm",
		Doc: "Recurrent language model of the symbols of a trace; the score is the mean negative " +
			"log-probability of a window's symbols.",
		Paper: "B. J. Radford, L. M. Apolonio, A. J. Trias, J. A. Simpson, Network Traffic Anomaly Detection " +
			"Using Recurrent Neural Networks, arXiv:1803.10769, 2018",
		Needs:    models.Needs{Input: data.Traces},
		Defaults: func() models.Spec { return defaultTokenLM() },
	})
}

func defaultDeepLog() *DeepLogSpec {
	return &DeepLogSpec{
		WindowSpec: WindowSpec{Window: 10}, Pooling: Pooling{"mean"}, Units: []int{64, 64}, Score: "surprisal", Clip: 5,
		Training: nn.DefaultTraining(20, 64),
	}
}

func defaultTokenLM() *TokenLMSpec {
	return &TokenLMSpec{
		WindowSpec: WindowSpec{Window: 10}, Pooling: Pooling{"mean"}, Embed: 32, Units: []int{64}, Clip: 5,
		Training: nn.DefaultTraining(20, 64),
	}
}

// maxSurprisal is the score of a symbol that training never saw, and the highest of any: −ln p of a
// probability below 10⁻⁴³.
const maxSurprisal = 100

// DeepLogSpec configures deeplog: LSTM layers over the W symbols before an event, as one-hot rows, and a
// softmax over the symbols that may follow,
//
//	loss  = mean of −ln p(symbol | W before)
//	score = −ln p, at most 100, or the symbol's rank among all by falling p
//
// A symbol that training never saw has the highest score: 100, or one more than there are symbols. The
// original calls an event anomalous whose rank is above 9, and a session with such an event: score: rank with
// pool: max.
type DeepLogSpec struct {
	WindowSpec `yaml:",inline"`
	Pooling    `yaml:",inline"`
	// columns of a learnt table that stand for the symbols; 0: one-hot rows
	Embed int `yaml:"embed" jsonschema:"minimum=0,maximum=4096"`
	// h of each LSTM layer
	Units []int `yaml:"units" jsonschema:"minItems=1,minimum=1,maximum=4096"`
	// score of an event: −ln p of its symbol, or the symbol's rank by falling p
	Score string `yaml:"score" jsonschema:"enum=surprisal,enum=rank" formerly:"surprise=surprisal"`
	// share of each layer's outputs that is set to 0 in training
	Dropout float64 `yaml:"dropout" jsonschema:"minimum=0,exclusiveMaximum=1"`
	// bound on the norm of a batch's gradient; 0: none
	Clip        float64 `yaml:"clip" jsonschema:"minimum=0,maximum=1000000"`
	nn.Training `yaml:",inline"`
}

// New checks the values.
func (s *DeepLogSpec) New(env models.Env) (models.Detector, error) {
	q, err := sequential{
		name: "deeplog", env: env, windowing: s.WindowSpec, pool: s.Pool, cfg: s.Training,
		task: nextSymbolTask{*s},
	}.detector(s)
	if err != nil {
		return nil, err
	}
	return eventful{q}, nil
}

// eventful is a sequential detector whose reasons are the scores of the last events.
type eventful struct{ *models.Fitted[*sequential] }

// Explain gives the scores of a trace's last events, as many as the network sees at a time.
func (e eventful) Explain(ctx context.Context, s *data.Set) ([]string, [][]float64, error) {
	q, err := e.Ready(s)
	if err != nil {
		return nil, nil, err
	}
	wide := q.windowing.Window
	var list []window
	out := make([][]float64, s.N)
	for i := range out {
		out[i] = make([]float64, wide)
		n := events(s, i, true)
		for end := max(0, n-wide) + 1; end <= n; end++ {
			list = append(list, window{int32(i), int32(end)})
		}
	}
	scores, err := q.scores(ctx, s, list)
	if err != nil {
		return nil, nil, err
	}
	for k, w := range list {
		out[w.trace][wide-1-(events(s, int(w.trace), true)-int(w.end))] = scores[k]
	}
	return eventNames(wide), out, nil
}

// eventNames are the names of the last n events.
func eventNames(n int) (names []string) {
	for i := n - 1; i > 0; i-- {
		names = append(names, fmt.Sprintf("event %d", -i))
	}
	return append(names, "event 0")
}

// nextSymbolTask is the task of naming the symbol after a window. Of k symbols, k is the unknown one and k+1
// what stands before a trace.
type nextSymbolTask struct{ DeepLogSpec }

func (nextSymbolTask) symbols() bool { return true }

func (t nextSymbolTask) network(k int) nn.Sequence {
	n := nn.Sequence{Steps: t.Window, In: 1, Symbols: k + 2, Embed: t.Embed, Layers: lstmStack(0, t.Units, t.Dropout),
		Out: k + 1, Loss: "softmax", Clip: t.Clip}
	n.Layers[0].In = n.Takes(0)
	return n
}

func (t nextSymbolTask) example(s *data.Set, w window, x, y []float32) {
	t.input(s, w, x)
	symbolsBefore(y, s, w, 0, 1, len(s.Alphabet))
}

func (t nextSymbolTask) input(s *data.Set, w window, x []float32) {
	symbolsBefore(x, s, w, 1, t.Window, len(s.Alphabet))
}

func (t nextSymbolTask) score(s *data.Set, w window, out []float32) float64 {
	a := s.Traces[w.trace].Symbols[w.end-1]
	if t.Score != "rank" {
		return symbolSurprisal(out, a)
	}
	if a == data.UnknownSymbol {
		return float64(len(s.Alphabet) + 1)
	}
	rank := 1
	for _, v := range out[:len(s.Alphabet)] {
		if v > out[a] {
			rank++
		}
	}
	return float64(rank)
}

// symbolSurprisal is −ln softmax(out)ₐ, at most maxSurprisal.
func symbolSurprisal(out []float32, a int32) float64 {
	if a == data.UnknownSymbol {
		return maxSurprisal
	}
	top := out[0]
	for _, v := range out {
		top = max(top, v)
	}
	sum := 0.0
	for _, v := range out {
		sum += elementary.Exp(float64(v) - float64(top))
	}
	return min(maxSurprisal, elementary.Log(sum)+float64(top)-float64(out[a]))
}

// TokenLMSpec configures token_lm: a table of Embed columns for the symbols, LSTM layers, and a softmax over
// the next symbol at every step,
//
//	loss  = mean over a window's symbols of −ln p(symbol | those before)
//	score = the same for the window's own symbols, each at most 100
//
// The first symbol of a window is predicted from the one before it, or from nothing at the beginning of a
// trace. A symbol that training never saw has 100.
type TokenLMSpec struct {
	WindowSpec `yaml:",inline"`
	Pooling    `yaml:",inline"`
	// columns of the learnt table that stand for the symbols
	Embed int `yaml:"embed" jsonschema:"minimum=1,maximum=4096"`
	// h of each LSTM layer
	Units []int `yaml:"units" jsonschema:"minItems=1,minimum=1,maximum=4096"`
	// share of each layer's outputs that is set to 0 in training
	Dropout float64 `yaml:"dropout" jsonschema:"minimum=0,exclusiveMaximum=1"`
	// bound on the norm of a batch's gradient; 0: none
	Clip        float64 `yaml:"clip" jsonschema:"minimum=0,maximum=1000000"`
	nn.Training `yaml:",inline"`
}

// New checks the values.
func (s *TokenLMSpec) New(env models.Env) (models.Detector, error) {
	q, err := sequential{
		name: "token_lm", env: env, windowing: s.WindowSpec, pool: s.Pool, cfg: s.Training,
		task: languageTask{*s},
	}.detector(s)
	if err != nil {
		return nil, err
	}
	return explained{q}, nil
}

// languageTask is the task of naming every symbol of a window from those before it.
type languageTask struct{ TokenLMSpec }

func (languageTask) symbols() bool { return true }

// network has a class for what stands before a trace too, so that every step has a target.
func (t languageTask) network(k int) nn.Sequence {
	return nn.Sequence{Steps: t.Window, In: 1, Symbols: k + 2, Embed: t.Embed,
		Layers: lstmStack(t.Embed, t.Units, t.Dropout), Each: true, Out: k + 2, Loss: "softmax", Clip: t.Clip}
}

func (t languageTask) example(s *data.Set, w window, x, y []float32) {
	t.input(s, w, x)
	symbolsBefore(y, s, w, 0, t.Window, len(s.Alphabet))
}

func (t languageTask) input(s *data.Set, w window, x []float32) {
	symbolsBefore(x, s, w, 1, t.Window, len(s.Alphabet))
}

func (t languageTask) score(s *data.Set, w window, out []float32) float64 {
	to := make([]float64, t.Window)
	t.steps(s, w, out, to)
	sum := 0.0
	for _, v := range to {
		sum += v
	}
	return sum / float64(min(t.Window, int(w.end)))
}

// steps are the −ln p of the window's symbols.
func (t languageTask) steps(s *data.Set, w window, out []float32, to []float64) {
	k := len(s.Alphabet) + 2
	n := min(t.Window, int(w.end))
	for i, a := range s.Traces[w.trace].Symbols[int(w.end)-n : w.end] {
		step := t.Window - n + i
		to[step] = symbolSurprisal(out[step*k:(step+1)*k], a)
	}
}

var _ explainsEvents = languageTask{}
