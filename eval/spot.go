package eval

import (
	"fmt"
	"math"
)

// SPOT flags the scores of a stream one after the other by a threshold that it learns on (Siffer, Fouque, Termier and
// Largouët, Anomaly Detection in Streams with Extreme Value Theory, KDD 2017, algorithm 2, with the tail fitted as
// [ThresholdRule] pot does). benign is scores of held-out units, which the first threshold is fitted to: the value that
// a share q of them is above. A score above the threshold is an alarm and teaches nothing; one above the level of the
// tail is a further excess, and the tail is fitted again; any other raises the count alone.
//
// That alarms teach nothing cuts the tail off which the next fit rests on: along a stream without attacks the threshold
// falls and the rate rises above q (of exponential scores with q = .002 to .005 after 20,000). That is the algorithm's
// own.
//
// The tail is fitted again at most each time that the number of excesses has grown by a hundredth, not at every one:
// O(n + m log n) fits of m excesses each.
func SPOT(benign, scores []float64, q float64) (alarms []bool, threshold float64, err error) {
	rule := ThresholdRule{Rule: "pot", Value: q}
	threshold, _, err = rule.Fit(benign)
	if err != nil {
		return nil, threshold, fmt.Errorf("eval: spot: %w", err)
	}
	if err := checkFinite(scores); err != nil {
		return nil, threshold, fmt.Errorf("spot: %w", err)
	}
	level, excesses := tail(benign)
	n, fitted, tau := len(benign), len(excesses), 0.0
	alarms = make([]bool, len(scores))
	for i, s := range scores {
		switch {
		case s > threshold:
			alarms[i] = true
			continue
		case s > level:
			excesses = append(excesses, s-level)
		}
		n++
		if m := len(excesses); m > fitted && 100*(m-fitted) >= fitted && q*float64(n) < float64(m) {
			z, at := paretoQuantile(level, excesses, q, n, tau)
			if tau = at; z >= level && !math.IsInf(z, 0) {
				threshold = z
			}
			fitted = m
		}
	}
	return alarms, threshold, nil
}
