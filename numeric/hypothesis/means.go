package hypothesis

import (
	"math"

	"plumbline/numeric/stat"
)

// Result is the outcome of a test. DF and DF2 are the degrees of freedom that its distribution has, 0 where it has
// none. LogP is the natural logarithm of P; it and the statistic are NaN where the test is undefined.
type Result struct{ Statistic, DF, DF2, LogP float64 }

var undefined = Result{Statistic: math.NaN(), LogP: math.NaN()}

// Student is the two-sided t test of equal means of groups 0 and 1, with one variance for both,
//
//	t = (x̄₀−x̄₁) / (s √(1/n₀+1/n₁))        s² = ((n₀−1)s₀²+(n₁−1)s₁²) / (n₀+n₁−2)
func Student(s *Sample) Result {
	a, b := s.Moments(0), s.Moments(1)
	sd := pooled(a, b)
	if !(sd > 0) {
		return undefined
	}
	r := Result{Statistic: (a.Mean - b.Mean) / (sd * math.Sqrt(1/a.N+1/b.N)), DF: a.N + b.N - 2}
	r.LogP = stat.LogStudentTails(r.Statistic, r.DF)
	return r
}

// pooled is the standard deviation of two groups within themselves; NaN where one has no value or both one.
func pooled(a, b Moments) float64 {
	if a.N+b.N <= 2 || a.N == 0 || b.N == 0 {
		return math.NaN()
	}
	squares := 0.0
	for _, m := range []Moments{a, b} {
		if m.N > 1 {
			squares += float64((m.N - 1) * m.SD * m.SD)
		}
	}
	return math.Sqrt(squares / (a.N + b.N - 2))
}

// Welch is the two-sided t test of equal means of groups 0 and 1 whose variances may differ, with the degrees of
// freedom of Satterthwaite.
func Welch(s *Sample) Result {
	a, b := s.Moments(0), s.Moments(1)
	va, vb := a.SD*a.SD/a.N, b.SD*b.SD/b.N
	if !(va+vb > 0) {
		return undefined
	}
	r := Result{
		Statistic: (a.Mean - b.Mean) / math.Sqrt(va+vb),
		DF:        (va + vb) * (va + vb) / (va*va/(a.N-1) + vb*vb/(b.N-1)),
	}
	r.LogP = stat.LogStudentTails(r.Statistic, r.DF)
	return r
}

// ANOVA is the F test of equal means of all groups that have values.
func ANOVA(s *Sample) Result {
	var groups []Moments
	for g := range s.Counts {
		if m := s.Moments(g); m.N > 0 {
			groups = append(groups, m)
		}
	}
	return variance(groups)
}

// variance is the F test of groups by their moments.
func variance(groups []Moments) Result {
	var n, sum, within, between float64
	for _, m := range groups {
		n, sum = n+m.N, sum+float64(m.N*m.Mean)
		if m.N > 1 {
			within += float64((m.N - 1) * m.SD * m.SD)
		}
	}
	for _, m := range groups {
		d := m.Mean - sum/n
		between += float64(m.N * d * d)
	}
	k := float64(len(groups))
	if k < 2 || n <= k || !(within > 0) {
		return undefined
	}
	r := Result{Statistic: between / (k - 1) / (within / (n - k)), DF: k - 1, DF2: n - k}
	r.LogP = stat.LogFSurvival(r.Statistic, r.DF, r.DF2)
	return r
}

// Levene is the test of equal spread of the groups by the analysis of variance of distances from each group's median
// (Brown and Forsythe, Journal of the American Statistical Association 69, 1974).
func Levene(s *Sample) Result {
	var groups []Moments
	for g := range s.Counts {
		median := s.Quantile(g, 0.5)
		if math.IsNaN(median) {
			continue
		}
		m := Moments{}
		for i, c := range s.Counts[g] {
			if c > 0 {
				m.N += c
				m.Mean += float64(c * math.Abs(s.Values[i]-median))
			}
		}
		m.Mean /= m.N
		squares := 0.0
		for i, c := range s.Counts[g] {
			if c > 0 {
				d := math.Abs(s.Values[i]-median) - m.Mean
				squares += float64(c * d * d)
			}
		}
		m.SD = math.Sqrt(squares / (m.N - 1))
		groups = append(groups, m)
	}
	return variance(groups)
}

// Effect is the size of a difference or of an association, with a 95 % interval, which is NaN where none is known.
type Effect struct{ Value, Low, High float64 }

// z975 is the 97.5 % quantile of the standard normal distribution.
const z975 = 1.959963984540054

// CohenD is the difference of the means of groups 0 and 1 in standard deviations within the groups; .2, .5 and .8 are
// what Cohen calls small, medium and large. The interval is the one for large samples (Hedges and Olkin, 1985).
func CohenD(s *Sample) Effect {
	a, b := s.Moments(0), s.Moments(1)
	d := (a.Mean - b.Mean) / pooled(a, b)
	se := math.Sqrt((a.N+b.N)/(a.N*b.N) + d*d/(2*(a.N+b.N)))
	return Effect{d, d - float64(z975*se), d + float64(z975*se)}
}

// EtaSquared is the share of the variance that lies between the groups, from an F test of all of them.
func EtaSquared(f Result) float64 { return f.DF * f.Statistic / (float64(f.DF*f.Statistic) + f.DF2) }
