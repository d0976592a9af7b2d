package automata

import (
	"context"
	"math"
	"slices"

	"plumbline/data"
	"plumbline/models"
	"plumbline/numeric/elementary"
	"plumbline/numeric/stat"
)

// stateModel scores the events of a state.
type stateModel struct {
	n        int             // events in training
	det      models.Detector // rule model; nil below three events
	limits   []float64       // rule quartile: 3 for each attribute; rule sigma: mean and sd
	counts   []float64       // rule quartile: 4 for each attribute
	ordered  []float64       // ascending scores in training, at most maxRanks of them
	maximum  float64
	distance float64 // from the median to the maximum, or 1
}

// maxRanks bounds the training scores that are kept of a state: quantiles of them when there are more.
const maxRanks = 1000

// rank keeps what brings later scores to one scale.
func (st *stateModel) rank(scores []float64) {
	slices.Sort(scores)
	last := len(scores) - 1
	st.maximum = scores[last]
	if st.distance = st.maximum - scores[last/2]; !(st.distance > 0) || math.IsInf(st.distance, 0) {
		st.distance = 1
	}
	st.ordered = scores
	if len(scores) > maxRanks {
		st.ordered = make([]float64, maxRanks)
		for i := range st.ordered {
			st.ordered[i] = scores[i*last/(maxRanks-1)]
		}
	}
}

// normalised is a score on the scale that all states share.
func (st *stateModel) normalised(s float64) float64 {
	if st.n < 3 {
		return 1
	}
	if s > st.maximum {
		return 1 + elementary.Log1p(min((s-st.maximum)/st.distance, math.MaxFloat64))
	}
	below, met := slices.BinarySearch(st.ordered, s)
	rank := float64(below)
	if met { // the mean rank of equals: where all events are alike, none is unusual
		most, _ := slices.BinarySearch(st.ordered, math.Nextafter(s, math.Inf(1)))
		rank = float64(below+1+most) / 2
	}
	return rank / float64(len(st.ordered)+1)
}

// quartilesOf is the three quartiles of each of d columns.
func quartilesOf(x []float32, d int) []float64 {
	n := len(x) / d
	var out []float64
	column := make([]float64, n)
	for a := range d {
		for i := range column {
			column[i] = float64(x[i*d+a])
		}
		slices.Sort(column)
		out = append(out, stat.Quantile(column, 0.25), stat.Quantile(column, 0.5), stat.Quantile(column, 0.75))
	}
	return out
}

// fitStateModel learns a state's events; quartiles are those of all events.
func (m *msm) fitStateModel(ctx context.Context, st *stateModel, set *data.Set, quartiles []float64,
	name string) (models.Detector, error) {
	n := float64(set.N)
	switch m.spec.Rule {
	case "quartile":
		st.limits, st.counts = quartiles, make([]float64, 4*set.D)
		for i := range set.N {
			for a, v := range set.Row(i) {
				st.counts[4*a+quarterOf(quartiles[3*a:3*a+3], float64(v))]++
			}
		}
		return nil, nil
	case "sigma":
		for a := range set.D {
			mean, variance := 0.0, 0.0
			for i := range set.N {
				mean += float64(set.X[i*set.D+a]) / n
			}
			for i := range set.N {
				e := float64(set.X[i*set.D+a]) - mean
				variance += float64(e*e) / n
			}
			st.limits = append(st.limits, mean, math.Sqrt(variance))
		}
		return nil, nil
	}
	env := m.env
	env.Seed = m.env.Rand(name).Uint64()
	return m.spec.Model.Fit(ctx, env, set)
}

// quarterOf is how many of the limits a value exceeds.
func quarterOf(limits []float64, v float64) (q int) {
	for _, l := range limits {
		if v > l {
			q++
		}
	}
	return q
}

// farOff bounds how many standard deviations an event is away.
const farOff = 1e12

// raw is a state model's own scores.
func (m *msm) raw(ctx context.Context, st *stateModel, set *data.Set) ([]float64, error) {
	if m.spec.Rule == "model" {
		return st.det.Score(ctx, set)
	}
	out := make([]float64, set.N)
	for i := range out {
		for a, v := range set.Row(i) {
			if m.spec.Rule == "quartile" {
				p := (st.counts[4*a+quarterOf(st.limits[3*a:3*a+3], float64(v))] + 1) / float64(st.n+4)
				out[i] -= elementary.Log(p)
				continue
			}
			far := math.Abs(float64(v) - st.limits[2*a])
			if sd := st.limits[2*a+1]; sd > 0 {
				far /= sd
			} else if far > 0 {
				far = farOff
			}
			out[i] = max(out[i], min(far, farOff))
		}
	}
	return out, nil
}
