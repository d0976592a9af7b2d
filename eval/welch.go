package eval

import (
	"fmt"
	"math"

	"plumbline/numeric/stat"
)

// Estimate is a mean with what is known of its error.
type Estimate struct {
	Mean, SE float64
	DF       float64 // degrees of freedom that SE rests on; +Inf where it is known
}

// Welch is the two-sided P of no difference between two independent estimates (Welch, The generalization of Student's
// problem, Biometrika 1947), with the degrees of freedom of Satterthwaite,
//
//	t = (a−b)/√(SE_a²+SE_b²)      ν = (SE_a²+SE_b²)² / (SE_a⁴/ν_a + SE_b⁴/ν_b)
//
// Estimates that share their test units are not independent but vary together, for which this P is too large. NaN where
// an error is not known or both are 0.
func Welch(a, b Estimate) float64 {
	va, vb := float64(a.SE*a.SE), float64(b.SE*b.SE)
	if !(va+vb > 0) {
		return math.NaN()
	}
	df := (va + vb) * (va + vb) / (va*va/a.DF + vb*vb/b.DF)
	if va*va/a.DF+vb*vb/b.DF == 0 { // both errors are known
		df = math.Inf(1)
	}
	return stat.StudentTails((a.Mean-b.Mean)/math.Sqrt(va+vb), df)
}

// CorrectedT is the corrected resampled t-test of the mean of differences over folds, whose training sets share rows
// (Nadeau and Bengio, Inference for the Generalization Error, Machine Learning 2003, §5),
//
//	t = d̄ / √((1/J + overlap) s²)        J differences of sample variance s², J−1 degrees of freedom
//
// overlap being the test rows over the training rows of a fold. Undefined differences are left out.
func CorrectedT(differences []float64, overlap float64) Test {
	d := finite(differences)
	mean, sd := stat.MeanSD(d)
	t := Test{N: len(d), Statistic: math.NaN(), P: math.NaN()}
	switch n := float64(len(d)); {
	case len(d) < 2:
		t.Warnings = append(t.Warnings, fmt.Sprintf("%d folds: the corrected t-test needs two", len(d)))
	case !(overlap >= 0):
		t.Warnings = append(t.Warnings, "the folds' share of test rows is not known: the corrected t-test is undefined")
	case sd == 0:
		t.Warnings = append(t.Warnings, "the differences are all equal: the corrected t-test is undefined")
	default:
		t.Statistic = mean / (sd * math.Sqrt(1/n+overlap))
		t.P = stat.StudentTails(t.Statistic, n-1)
	}
	return t
}

// McNemar asks whether two detectors err equally often at their thresholds: of the samples that one tells right and the
// other wrong, is either kind more frequent? P is the exact two-sided one of the binomial distribution (McNemar,
// Psychometrika 1947); the statistic is the smaller number. Slices of different lengths are [ErrScores].
func McNemar(flaggedA, flaggedB, attack []bool) (Test, error) {
	if len(flaggedA) != len(attack) || len(flaggedB) != len(attack) {
		return Test{}, fmt.Errorf("%w: %d and %d decisions, %d labels", ErrScores, len(flaggedA), len(flaggedB), len(attack))
	}
	var onlyA, onlyB int
	for i, truth := range attack {
		switch a, b := flaggedA[i] == truth, flaggedB[i] == truth; {
		case a && !b:
			onlyA++
		case b && !a:
			onlyB++
		}
	}
	t := Test{N: onlyA + onlyB, Statistic: float64(min(onlyA, onlyB)), P: math.NaN()}
	if t.N == 0 {
		t.Warnings = append(t.Warnings, "both tell the same samples right: McNemar's test is undefined")
		return t, nil
	}
	t.P = min(1, 2*stat.BinomialCDF(min(onlyA, onlyB), t.N, 0.5))
	return t, nil
}

// A12 is the probability that a value of a is larger than one of b, ties counting half (Vargha and Delaney, A Critique
// and Improvement of the CL Common Language Effect Size Statistics of McGraw and Wong, 2000): .5 is no difference, and
// .56, .64 and .71 are what they call small, medium and large. Undefined values are left out; NaN without any of
// either.
func A12(a, b []float64) float64 {
	a, b = finite(a), finite(b)
	all := append(append([]float64{}, a...), b...)
	n := float64(len(a))
	if len(a) == 0 || len(b) == 0 {
		return math.NaN()
	}
	sum := 0.0
	for _, r := range stat.MidRanks(all)[:len(a)] {
		sum += r
	}
	return (sum/n - (n+1)/2) / float64(len(b))
}
