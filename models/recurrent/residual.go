package recurrent

import (
	"context"
	"math"

	"plumbline/data"
	"plumbline/models"
	"plumbline/models/nn"
)

// ResidualSpec makes a score of a network's error vectors.
type ResidualSpec struct {
	// what a one-class model says of the errors, or their mean square
	Score string `yaml:"score" jsonschema:"enum=model,enum=mean"`
	// with score: model, the one-class model of the error vectors: a name, or {model, params}. mahalanobis is the
	// log-density of a normal distribution but for constants, as in the papers
	Errors models.Reference `yaml:"errors"`
	// with score: model, share of the training windows that the network is not trained on and whose errors the
	// one-class model learns
	Calibration float64 `yaml:"calibration" jsonschema:"exclusiveMinimum=0,exclusiveMaximum=1"`

	random bool // calibration windows are drawn, not the last ones
}

func defaultResidualSpec() ResidualSpec {
	return ResidualSpec{Score: "model", Errors: models.ReferenceTo("mahalanobis"), Calibration: 0.25}
}

func (q *sequential) hasResidualModel() bool { return q.residual != nil && q.residual.Score == "model" }

// splitWindows is the windows that a network is trained on, and those whose errors are learnt. A single window is
// both.
func (j *ResidualSpec) splitWindows(env models.Env, list []window) (learn, calibrate []window) {
	if len(list) == 1 {
		return list, list
	}
	n := min(max(1, int(math.Round(j.Calibration*float64(len(list))))), len(list)-1)
	if !j.random {
		return list[:len(list)-n], list[len(list)-n:]
	}
	drawn := make([]bool, len(list))
	for _, i := range env.Rand("calibration").Perm(len(list))[:n] {
		drawn[i] = true
	}
	for i, w := range list {
		if drawn[i] {
			calibrate = append(calibrate, w)
		} else {
			learn = append(learn, w)
		}
	}
	return learn, calibrate
}

// errorsOf is the error vectors of windows; first[i] is where those of window i begin.
func (q *sequential) errorsOf(ctx context.Context, s *data.Set, list []window) (set *data.Set, first []int, err error) {
	e := q.task.(residualTask)
	first = make([]int, len(list)+1)
	width := 0
	for i, w := range list {
		var n int
		n, width = e.vectors(s, w)
		first[i+1] = first[i] + n
	}
	set = &data.Set{Kind: data.Vectors, N: first[len(list)], D: width, X: make([]float32, first[len(list)]*width)}
	err = q.each(ctx, s, list, func(i int, out []float32) {
		to := set.X[first[i]*width : first[i+1]*width]
		e.errors(s, list[i], out, to)
		for k, v := range to {
			if !(math.Abs(float64(v)) <= nn.OverflowValue) {
				to[k] = nn.OverflowValue
			}
		}
	})
	return set, first, err
}

// judgements are the scores of error vectors.
func (q *sequential) judgements(ctx context.Context, set *data.Set) ([]float64, error) {
	if q.residualModel != nil {
		return q.residualModel.Score(ctx, set)
	}
	out := make([]float64, set.N)
	for i := range out {
		for _, v := range set.Row(i) {
			out[i] += float64(v) * float64(v) / float64(set.D)
		}
	}
	return out, nil
}
