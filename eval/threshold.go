package eval

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// ThresholdRule turns the scores of benign samples that no model was fitted on into a threshold. A sample
// is called an attack when its score is above it.
type ThresholdRule struct {
	Rule  string  `yaml:"rule" jsonschema:"enum=fpr,enum=quantile,enum=mean_sd,enum=mad" jsonschema_description:"fpr: the lowest threshold that at most this share of the benign samples is above; quantile: that quantile of their scores, interpolated; mean_sd: mean plus value times the sample sd; mad: median plus value times 1.4826 times the median absolute deviation"`
	Value float64 `yaml:"value" jsonschema:"minimum=0" jsonschema_description:"fpr and quantile: a share between 0 and 1; mean_sd and mad: a multiple"`
}

// Check says what is wrong with the rule as a whole, if anything.
func (r ThresholdRule) Check() error {
	if (r.Rule == "fpr" || r.Rule == "quantile") && (r.Value < 0 || r.Value > 1) {
		return fmt.Errorf("threshold rule %s takes a share between 0 and 1, not %g", r.Rule, r.Value)
	}
	return nil
}

// ErrNoScores says that there are no benign scores to fit a threshold to.
var ErrNoScores = errors.New("no benign scores to fit a threshold to")

// Fit is the threshold, with what is doubtful about it.
func (r ThresholdRule) Fit(benign []float64) (threshold float64, warnings []string, err error) {
	if err := r.Check(); err != nil {
		return math.NaN(), nil, fmt.Errorf("eval: %w", err)
	}
	if len(benign) == 0 {
		return math.NaN(), nil, fmt.Errorf("eval: %w", ErrNoScores)
	}
	for i, s := range benign {
		if math.IsNaN(s) || math.IsInf(s, 0) {
			return math.NaN(), nil, fmt.Errorf("eval: %w: the score of validation sample %d is %v", ErrScores, i, s)
		}
	}
	s := slices.Sorted(slices.Values(benign))
	n := len(s)
	switch r.Rule {
	case "fpr":
		k := int(math.Floor(r.Value * float64(n))) // this many may be above
		if k >= n {
			return math.Nextafter(s[0], math.Inf(-1)), nil, nil
		}
		if r.Value > 0 && r.Value*float64(n) < 1 {
			warnings = append(warnings, fmt.Sprintf("%d benign scores are too few for a false-positive rate of %g: the threshold is their largest", n, r.Value))
		}
		return s[n-1-k], warnings, nil
	case "quantile":
		return Quantile(s, r.Value), nil, nil
	case "mean_sd":
		m, sd := MeanSD(s)
		if math.IsNaN(sd) {
			return m, []string{"one benign score has no standard deviation: the threshold is the score itself"}, nil
		}
		return m + r.Value*sd, nil, nil
	case "mad":
		med := Quantile(s, 0.5)
		dev := make([]float64, n)
		for i, v := range s {
			dev[i] = math.Abs(v - med)
		}
		slices.Sort(dev)
		return med + r.Value*1.4826*Quantile(dev, 0.5), nil, nil
	}
	return math.NaN(), nil, fmt.Errorf("eval: unknown threshold rule %q", r.Rule)
}

// Quantile interpolates linearly between ascending values (type 7 of Hyndman and Fan 1996). NaN for none.
func Quantile(ascending []float64, p float64) float64 {
	if len(ascending) == 0 {
		return math.NaN()
	}
	at := p * float64(len(ascending)-1)
	i := int(at)
	if i >= len(ascending)-1 {
		return ascending[len(ascending)-1]
	}
	return ascending[i] + (at-float64(i))*(ascending[i+1]-ascending[i])
}

// MeanSD is the mean and the sample standard deviation (n−1), which is NaN for fewer than two values.
func MeanSD(v []float64) (mean, sd float64) {
	if len(v) == 0 {
		return math.NaN(), math.NaN()
	}
	for _, x := range v {
		mean += x
	}
	mean /= float64(len(v))
	if len(v) < 2 {
		return mean, math.NaN()
	}
	ss := 0.0
	for _, x := range v {
		ss += float64((x - mean) * (x - mean))
	}
	return mean, math.Sqrt(ss / float64(len(v)-1))
}
