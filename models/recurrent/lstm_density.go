package recurrent

import (
	"fmt"
	"math"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/nn"
	"plumbline/numeric/elementary"
)

func init() {
	models.Register(models.Info{
		Name: "lstm_density",
		Doc: "Recurrent network that gives a normal distribution of each column of the next event; the score is " +
			"the event's negative log-density.",
		Paper: "A. Tuor, S. Kaplan, B. Hutchinson, N. Nichols, S. Robinson, Deep Learning for Unsupervised " +
			"Insider Threat Detection in Structured Cybersecurity Data Streams, AAAI Workshops 2017",
		Needs:    models.Needs{Input: data.Traces},
		Defaults: func() models.Spec { return defaultDensity() },
	})
}

func defaultDensity() *DensitySpec {
	return &DensitySpec{
		WindowSpec: WindowSpec{Window: 5}, Pooling: Pooling{"mean"}, Units: []int{32, 32, 32}, Of: "next",
		Categories: "softmax", Clip: 5,
		Training: nn.DefaultTraining(20, 64),
	}
}

// DensitySpec configures lstm_density: LSTM layers over a window of W events, and a linear head that gives a
// mean μ_j and a variance σ_j² for each number x_j of an event, and a softmax p_c for each of its categories c,
//
//	loss  = mean over numbers and categories of ½((x_j − μ_j)²/σ_j² + ln σ_j²) and −ln p_c
//	score = Σ of the same
//
// with σ_j² at least 0.01. The event is the one after the window, or with of: same its last one, which the
// network has then seen. A category is columns side by side that are levels of one source (see [data.Feature]); it is
// what its largest column says, or none of them where no column is above 0. The paper keeps
// the network's state from window to window of a key, and updates its weights with each event that it has scored.
type DensitySpec struct {
	WindowSpec `yaml:",inline"`
	Pooling    `yaml:",inline"`
	// h of each LSTM layer
	Units []int `yaml:"units" jsonschema:"minItems=1,minimum=1,maximum=4096"`
	// whose density is learnt: that of the event after the window, or of its last one
	Of string `yaml:"of" jsonschema:"enum=next,enum=same"`
	// what one-hot columns are: categories, each with a distribution of its own, or numbers like all others
	Categories string `yaml:"categories" jsonschema:"enum=softmax,enum=gaussian"`
	// share of each layer's outputs that is set to 0 in training
	Dropout float64 `yaml:"dropout" jsonschema:"minimum=0,exclusiveMaximum=1"`
	// bound on the norm of a batch's gradient; 0: none
	Clip        float64 `yaml:"clip" jsonschema:"minimum=0,maximum=1000000"`
	nn.Training `yaml:",inline"`
}

// New checks the values.
func (s *DensitySpec) New(env models.Env) (models.Detector, error) {
	q, err := sequential{
		name: "lstm_density", env: env, windowing: s.WindowSpec, pool: s.Pool, cfg: s.Training,
		task: densityTask{DensitySpec: *s},
	}.detector(s)
	if err != nil {
		return nil, err
	}
	return explained{q}, nil
}

type densityTask struct {
	DensitySpec
	group []int32 // category of each column, −1 for a number
}

func (densityTask) symbols() bool { return false }

func (t densityTask) learn(s *data.Set) task {
	t.group = make([]int32, s.D)
	var before data.Feature
	n := int32(-1)
	for j := range t.group {
		var f data.Feature
		if j < len(s.Features) && t.Categories == "softmax" {
			f = s.Features[j]
		}
		t.group[j] = -1
		if f.Kind == data.Level {
			if before.Kind != data.Level || f.Source != before.Source {
				n++
			}
			t.group[j] = n
		}
		before = f
	}
	return t
}

func (t densityTask) arrays() models.Arrays { return models.Arrays{"categories": t.group} }

func (t densityTask) restore(arrays models.Arrays, size int) (task, error) {
	group, err := models.Array[int32](arrays, "categories", size)
	if err != nil {
		return nil, err
	}
	n := int32(-1)
	for j, g := range group {
		if g == n+1 {
			n = g
		} else if g != -1 && (g != n || group[j-1] != n) {
			return nil, fmt.Errorf("%w: column %d is of category %d", models.ErrState, j, g)
		}
	}
	t.group = group
	return t, nil
}

// classes are the sizes of the categories, with none of their columns as one more class.
func (t densityTask) classes() (sizes []int, numbers int) {
	for _, g := range t.group {
		switch {
		case g < 0:
			numbers++
		case int(g) == len(sizes):
			sizes = append(sizes, 2)
		default:
			sizes[g]++
		}
	}
	return sizes, numbers
}

func (t densityTask) network(d int) nn.Sequence {
	sizes, numbers := t.classes()
	out := 2 * numbers
	for _, k := range sizes {
		out += k
	}
	return nn.Sequence{Steps: t.Window, In: d, Layers: lstmStack(d, t.Units, t.Dropout), Out: out, Loss: "gaussian",
		Classes: sizes, Clip: t.Clip}
}

// each goes through the parts of an event: numbers, with their place among them, and categories, with the column
// that they are, or their first where they are none, and their class.
func (t densityTask) each(row []float32, number func(column, at int), category func(column, group, class int)) {
	at := 0
	for j := 0; j < len(row); {
		if t.group[j] < 0 {
			number(j, at)
			at++
			j++
			continue
		}
		first, most := j, j
		for ; j < len(row) && t.group[j] == t.group[first]; j++ {
			if row[j] > row[most] {
				most = j
			}
		}
		if row[most] > 0 {
			category(most, int(t.group[first]), most-first)
		} else {
			category(first, int(t.group[first]), j-first)
		}
	}
}

func (t densityTask) example(s *data.Set, w window, x, y []float32) {
	t.input(s, w, x)
	row := lastRow(s, w)
	_, numbers := t.classes()
	t.each(row, func(column, at int) { y[at] = row[column] },
		func(_, group, class int) { y[numbers+group] = float32(class) })
}

func (t densityTask) input(s *data.Set, w window, x []float32) {
	back := 1
	if t.Of == "same" {
		back = 0
	}
	rowsBefore(x, s, w, back, t.Window)
}

func (t densityTask) score(s *data.Set, w window, out []float32) float64 {
	terms := make([]float64, s.D)
	t.terms(s, w, out, terms)
	sum := 0.0
	for _, v := range terms {
		sum += v
	}
	return sum
}

// surprisal is ½((x−μ)²/σ² + ln σ²) with s = ln σ².
func surprisal(x, mu, s float32) float64 {
	log := math.Max(float64(s), elementary.Log(nn.MinVariance))
	e := float64(x) - float64(mu)
	return 0.5 * (float64(float64(e*e)*elementary.Exp(-log)) + log)
}

// terms of a category stand in the column that it is, or in its first where it is none.
func (t densityTask) terms(s *data.Set, w window, out []float32, to []float64) {
	row := lastRow(s, w)
	sizes, numbers := t.classes()
	at := 2 * numbers
	t.each(row, func(column, k int) {
		to[column] = surprisal(row[column], out[k], out[numbers+k])
	}, func(column, group, class int) {
		to[column] = symbolSurprisal(out[at:at+sizes[group]], int32(class))
		at += sizes[group]
	})
}

var _ interface {
	explainsColumns
	fittedTask
} = densityTask{}
