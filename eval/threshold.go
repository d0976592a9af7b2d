package eval

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"

	"plumbline/numeric/stat"
)

// ThresholdRule turns the scores of benign samples that no model was fitted on into a threshold. A sample
// is called an attack when its score is above it.
type ThresholdRule struct {
	// how benign scores give a threshold. fpr: the lowest threshold that at most this share of them is above; quantile:
	// that quantile of them, interpolated; mean_sd: mean plus value times the sample sd; mad: median plus value times
	// 1.4826 times the median absolute deviation; iqr: upper quartile plus value times the distance between the
	// quartiles; gaussian: what this share of a normal distribution of their mean and sd is above; pot: what this share
	// is above when their largest 2 % follow a generalised Pareto distribution; conformal: what the scores of p-values up
	// to this share are above, which exchangeable benign rows exceed no more often; cost: of classifiers, the probability
	// from which on an alarm costs less than silence, where a missed attack costs this many false alarms; fixed: the value
	// itself, whatever they are, as the rank above which DeepLog calls an event anomalous
	Rule string `yaml:"rule" json:"rule" jsonschema:"enum=fpr,enum=quantile,enum=mean_sd,enum=mad,enum=iqr,enum=gaussian,enum=pot,enum=conformal,enum=cost,enum=fixed"`
	// fpr, quantile, gaussian, pot and conformal: a share between 0 and 1; mean_sd, mad and iqr: a multiple; cost: a
	// ratio; fixed: a score
	Value float64 `yaml:"value" json:"value"`
}

// Check says what is wrong with the rule as a whole, if anything.
func (r ThresholdRule) Check() error {
	switch r.Rule {
	case "fpr", "quantile":
		if !(r.Value >= 0 && r.Value <= 1) {
			return fmt.Errorf("threshold rule %s takes a share between 0 and 1, not %g", r.Rule, r.Value)
		}
	case "gaussian", "pot", "conformal":
		if !(r.Value > 0 && r.Value < 1) {
			return fmt.Errorf("threshold rule %s takes a share above 0 and below 1, not %g", r.Rule, r.Value)
		}
	case "mean_sd", "mad", "iqr":
		if !(r.Value >= 0) || math.IsInf(r.Value, 0) {
			return fmt.Errorf("threshold rule %s takes a multiple of at least 0, not %g", r.Rule, r.Value)
		}
	case "cost":
		if !(r.Value > 0) || math.IsInf(r.Value, 0) {
			return fmt.Errorf("threshold rule cost takes a ratio above 0, not %g", r.Value)
		}
	case "fixed":
		if math.IsNaN(r.Value) || math.IsInf(r.Value, 0) {
			return fmt.Errorf("threshold rule fixed takes a score, not %g", r.Value)
		}
	default:
		return fmt.Errorf("unknown threshold rule %q", r.Rule)
	}
	return nil
}

// Fixed says whether the threshold is given, and needs no scores.
func (r ThresholdRule) Fixed() bool { return r.Rule == "fixed" || r.Rule == "cost" }

// OfProbabilities says whether the threshold is one of probabilities, which classifiers alone have.
func (r ThresholdRule) OfProbabilities() bool { return r.Rule == "cost" }

// ErrNoScores says that there are no benign scores to fit a threshold to.
var ErrNoScores = errors.New("no benign scores to fit a threshold to")

// Fit is the threshold, with what is doubtful about it. The scores are in any order and stay as they are; none is
// ErrNoScores, one that is not finite ErrScores.
func (r ThresholdRule) Fit(benign []float64) (threshold float64, warnings []string, err error) {
	if err := r.Check(); err != nil {
		return math.NaN(), nil, fmt.Errorf("eval: %w", err)
	}
	switch r.Rule {
	case "fixed":
		return r.Value, nil, checkFinite(benign)
	case "cost":
		// an alarm at probability p costs 1 − p, silence p·value: equal at 1/(1 + value) (Elkan, The foundations of
		// cost-sensitive learning, IJCAI 2001, equation 2)
		return 1 / (1 + r.Value), nil, checkFinite(benign)
	}
	if len(benign) == 0 {
		return math.NaN(), nil, fmt.Errorf("eval: %w", ErrNoScores)
	}
	if err := checkFinite(benign); err != nil {
		return math.NaN(), nil, fmt.Errorf("threshold: %w", err)
	}
	s := slices.Sorted(slices.Values(benign))
	n := len(s)
	if n > 1 && s[0] == s[n-1] {
		warnings = append(warnings,
			fmt.Sprintf("all %d benign scores are equal: the threshold separates nothing from them", n))
	}
	mean, sd := stat.MeanSD(s)
	if (r.Rule == "mean_sd" || r.Rule == "gaussian") && n == 1 {
		return mean, append(warnings, "one benign score has no standard deviation: the threshold is the score itself"), nil
	}
	switch r.Rule {
	case "fpr":
		var more []string
		threshold, more = lowestFor(s, r.Value)
		warnings = append(warnings, more...)
	case "quantile":
		threshold = stat.Quantile(s, r.Value)
	case "mean_sd":
		threshold = mean + float64(r.Value*sd)
	case "gaussian":
		threshold = mean + float64(stat.NormalQuantile(1-r.Value)*sd)
	case "mad":
		med := stat.Quantile(s, 0.5)
		dev := make([]float64, n)
		for i, v := range s {
			dev[i] = math.Abs(v - med)
		}
		slices.Sort(dev)
		threshold = med + float64(r.Value*1.4826*stat.Quantile(dev, 0.5))
	case "iqr":
		threshold = stat.Quantile(s, 0.75) + float64(r.Value*(stat.Quantile(s, 0.75)-stat.Quantile(s, 0.25)))
	case "pot":
		var more []string
		threshold, more = overThreshold(s, r.Value)
		warnings = append(warnings, more...)
	case "conformal":
		few := false
		if threshold, few = conformalThreshold(s, r.Value); few {
			warnings = append(warnings, fmt.Sprintf("%d benign scores are too few for conformal p-values up to %g: the "+
				"threshold is their largest, a p-value of %.3g", n, r.Value, 1/float64(n+1)))
		}
	}
	if math.IsInf(threshold, 0) || math.IsNaN(threshold) {
		return math.NaN(), warnings, fmt.Errorf("threshold: %w: %s gives %v", ErrScores, r.Rule, threshold)
	}
	return threshold, warnings, nil
}

// lowestFor is the lowest of the ascending scores (or just below them all) that at most the share rate of
// them is above.
func lowestFor(s []float64, rate float64) (float64, []string) {
	n := len(s)
	wanted := rate * float64(n)
	k := int(wanted * (1 + 1e-12)) // this many may be above; .29·100 is 28.999…
	if k >= n {
		return math.Nextafter(s[0], math.Inf(-1)), nil
	}
	t := s[n-1-k]
	above := n - sort.Search(n, func(i int) bool { return s[i] > t })
	switch {
	case rate > 0 && k == 0:
		return t, []string{fmt.Sprintf(
			"%d benign scores are too few for a false-positive rate of %g: the threshold is their largest", n, rate)}
	case 2*above < k:
		return t, []string{fmt.Sprintf(
			"equal scores stand at the threshold: %.3g of the benign scores are above it, where %g was asked for",
			float64(above)/float64(n), rate)}
	}
	return t, nil
}
