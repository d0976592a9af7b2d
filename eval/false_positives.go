package eval

import (
	"fmt"
	"math"
)

// FalsePositives is what became of the benign units of a test set at a threshold. Those that share a window with an
// attack are counted apart: an alarm on them may be one on the attack.
type FalsePositives struct {
	Benign, Alarms         int // benign units that share no window with an attack, and how many of them are flagged
	NearAttack, NearAlarms int // the others
}

// CountFalsePositives counts the benign units above a threshold. near says which units share a window with an attack;
// nil: none does. A threshold that is no number flags nothing.
func CountFalsePositives(scores []float64, attack, near []bool, threshold float64) (f FalsePositives) {
	for i, v := range scores {
		if attack[i] {
			continue
		}
		n, alarms := &f.Benign, &f.Alarms
		if near != nil && near[i] {
			n, alarms = &f.NearAttack, &f.NearAlarms
		}
		*n++
		if v > threshold {
			*alarms++
		}
	}
	return f
}

// Rate is the share of the benign units that are flagged, those near an attack left out; NaN without any.
func (f FalsePositives) Rate() float64 { return ratio(float64(f.Alarms), float64(f.Benign)) }

// NearRate is the share of the benign units near an attack that are flagged; NaN without any.
func (f FalsePositives) NearRate() float64 {
	return ratio(float64(f.NearAlarms), float64(f.NearAttack))
}

// AskedRate is the false-positive rate that the rule was asked for, if it is a rule of rates.
func (r ThresholdRule) AskedRate() (rate float64, ok bool) {
	switch r.Rule {
	case "fpr", "gaussian", "pot", "conformal":
		return r.Value, true
	case "quantile":
		return 1 - r.Value, true
	}
	return 0, false
}

// OffRate begins what [FalsePositives.Doubt] says.
const OffRate = "asked for a false-positive rate of "

// offTail is how improbable, to either side, a number of alarms must be for a warning.
const offTail = 0.005

// Doubt is a warning where the number of alarms is not what was asked for, and the numbers of benign units do not
// explain it; "" where they do. The threshold was fitted to n benign units, of which above are above it. If those and
// the units of the test are exchangeable, and the rule left k of n above the threshold, the number of alarms among m
// has a beta-binomial distribution of parameters k+1 and n−k (S. Wilks, Annals of Mathematical Statistics 12, 1941):
// alarms are too many for k = max(above, asked·n), or too few for k = above, when that or a more extreme number has a
// probability below half a per cent.
func (f FalsePositives) Doubt(asked float64, n, above int) string {
	if f.Benign == 0 || n == 0 {
		return ""
	}
	k := min(max(above, int(asked*float64(n)*(1+1e-12))), n-1)
	atLeast := AlarmsByChance(f.Alarms, f.Benign, n, k)
	atMost := 1 - betaBinomialTail(f.Benign, f.Alarms+1, float64(min(above, n-1)+1), float64(n-min(above, n-1)))
	if atLeast >= offTail && atMost >= offTail {
		return ""
	}
	return fmt.Sprintf(
		"%s%.3g %%, got %.3g %%: %d of %d benign units, which their number and that of the %d to which the "+
			"threshold was fitted do not explain",
		OffRate,
		100*asked,
		100*f.Rate(),
		f.Alarms,
		f.Benign,
		n,
	)
}

// limitUnits is the number of units beyond which the share of alarms is what counts: its distribution is that of
// infinitely many.
const limitUnits = 1_000_000

// AlarmsByChance is the probability of at least that number of alarms among units that are exchangeable with n others,
// of which above are above the threshold (see [FalsePositives.Doubt]). above is below n.
func AlarmsByChance(alarms, units, n, above int) float64 {
	if units > limitUnits {
		alarms, units = int(float64(alarms)*limitUnits/float64(units)), limitUnits
	}
	return betaBinomialTail(units, alarms, float64(above+1), float64(n-above))
}

// TooMany says that a number of alarms is more than chance explains: as many come less often than once in 200 times.
func TooMany(alarms, units, n, above int) bool {
	return units > 0 && n > 0 && AlarmsByChance(alarms, units, n, min(above, n-1)) < offTail
}

// betaBinomialTail is P(X ≥ x) for X beta-binomial on 0…m with parameters a and b.
func betaBinomialTail(m, x int, a, b float64) float64 {
	if x <= 0 {
		return 1
	}
	lg := func(v float64) float64 { g, _ := math.Lgamma(v); return g }
	log := lg(float64(m)+b) + lg(a+b) - lg(float64(m)+a+b) - lg(b) // of P(X = 0)
	tail := 0.0
	for i := range m + 1 {
		if i >= x {
			tail += math.Exp(log)
		}
		v := float64(i)
		log += math.Log((float64(m)-v)*(a+v)) - math.Log((v+1)*(b+float64(m)-v-1))
	}
	return min(tail, 1)
}
