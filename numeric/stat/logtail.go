package stat

import (
	"math"

	"plumbline/numeric/elementary"
)

// The logarithms of tail probabilities here do not underflow: a test of a hundred thousand rows has P values that
// float64 cannot hold. They are good to about 1e-10 relative, and NaN where the probability is undefined.

// LogNormalTails is the natural logarithm of the probability that a standard normal variable is at least as far from 0
// as z.
func LogNormalTails(z float64) float64 {
	x := math.Abs(z) / math.Sqrt2
	if !(x > 5) { // NaN too
		return elementary.Log(math.Erfc(x))
	}
	if math.IsInf(x, 1) {
		return math.Inf(-1)
	}
	// erfc(x) = exp(−x²)/√π · 1/(x + ½/(x + 1/(x + 3⁄2/(x + …)))), Abramowitz and Stegun 7.1.14
	f := x
	for k := 40; k >= 1; k-- {
		f = x + float64(k)/2/f
	}
	return -x*x - elementary.Log(f*math.Sqrt(math.Pi))
}

// LogStudentTails is the natural logarithm of [StudentTails].
func LogStudentTails(t, dof float64) float64 {
	switch {
	case math.IsNaN(t) || !(dof > 0):
		return math.NaN()
	case math.IsInf(dof, 1):
		return LogNormalTails(t)
	case math.IsInf(t, 0):
		return math.Inf(-1)
	case t == 0:
		return 0
	}
	return logBeta(dof/2, 0.5, -elementary.Log1p(t*t/dof), -elementary.Log1p(dof/t/t))
}

// LogFSurvival is the natural logarithm of [FSurvival].
func LogFSurvival(x, d1, d2 float64) float64 {
	switch {
	case math.IsNaN(x) || !(d1 > 0 && d2 > 0):
		return math.NaN()
	case x <= 0:
		return 0
	case math.IsInf(x, 1):
		return math.Inf(-1)
	}
	return logBeta(d2/2, d1/2, -elementary.Log1p(d1*x/d2), -elementary.Log1p(d2/(d1*x)))
}

// logBeta is the natural logarithm of the regularised incomplete beta function I_x(a,b), given those of x and of 1−x.
func logBeta(a, b, logX, logY float64) float64 {
	if x := elementary.Exp(logX); x > (a+1)/(a+b+2) {
		return logOfRest(logBetaTail(b, a, logY, logX))
	}
	return logBetaTail(a, b, logX, logY)
}

// logOfRest is log(1−p) given log p.
func logOfRest(logP float64) float64 {
	if logP > -math.Ln2 {
		return elementary.Log(-elementary.Expm1(logP))
	}
	return elementary.Log1p(-elementary.Exp(logP))
}

// logBetaTail is log I_x(a,b) for x below about a/(a+b), by the continued fraction of Abramowitz and Stegun 26.5.8 with
// the algorithm of Lentz (Applied Optics 15, 1976).
func logBetaTail(a, b, logX, logY float64) float64 {
	x := elementary.Exp(logX)
	const tiny = 1e-300
	c, d := 1.0, 1-(a+b)*x/(a+1)
	if math.Abs(d) < tiny {
		d = tiny
	}
	d = 1 / d
	h := d
	step := func(term float64) float64 {
		d, c = 1+term*d, 1+term/c
		if math.Abs(d) < tiny {
			d = tiny
		}
		if math.Abs(c) < tiny {
			c = tiny
		}
		d = 1 / d
		h *= d * c
		return d * c
	}
	for m := 1.0; m < 1e5; m++ {
		step(m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m)))
		if by := step(-(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))); math.Abs(by-1) < 1e-15 {
			break
		}
	}
	return a*logX + b*logY - logBetaFunction(a, b) - elementary.Log(a) + elementary.Log(h)
}

// logBetaFunction is log B(a,b). Where one of them is large, the difference of its logarithmic gammas is taken from
// Stirling's series, which loses no digits.
func logBetaFunction(a, b float64) float64 {
	p, q := min(a, b), max(a, b)
	if q < 10 {
		lp, _ := math.Lgamma(p)
		lq, _ := math.Lgamma(q)
		ls, _ := math.Lgamma(p + q)
		return lp + lq - ls
	}
	rest := stirling(q) - stirling(p+q)
	if p < 10 {
		lp, _ := math.Lgamma(p)
		return lp + rest + p - p*elementary.Log(p+q) + (q-0.5)*elementary.Log1p(-p/(p+q))
	}
	return 0.5*elementary.Log(2*math.Pi) - 0.5*elementary.Log(q) + stirling(p) + rest + (p-0.5)*elementary.Log(p/(p+q)) +
		q*elementary.Log1p(-p/(p+q))
}

// stirling is log Γ(x) − (x−½)·log x + x − ½·log 2π for x of at least 10.
func stirling(x float64) float64 {
	sum, y := 0.0, 1/(x*x)
	for _, c := range []float64{-691.0 / 360360, 1.0 / 1188, -1.0 / 1680, 1.0 / 1260, -1.0 / 360, 1.0 / 12} {
		sum = sum*y + c
	}
	return sum / x
}

// LogChiSquaredSurvival is the natural logarithm of [ChiSquaredSurvival].
func LogChiSquaredSurvival(x, dof float64) float64 {
	switch {
	case math.IsNaN(x) || !(dof > 0):
		return math.NaN()
	case x <= 0:
		return 0
	case math.IsInf(x, 1):
		return math.Inf(-1)
	}
	a := dof / 2
	x /= 2
	lg, _ := math.Lgamma(a)
	front := a*elementary.Log(x) - x - lg
	if x < a+1 { // the lower tail by its series, Abramowitz and Stegun 6.5.29
		term, sum := 1/a, 1/a
		for n := a + 1; term > sum*1e-16; n++ {
			term *= x / n
			sum += term
		}
		return logOfRest(front + elementary.Log(sum))
	}
	// the upper tail by the continued fraction of 6.5.31, even part
	const tiny = 1e-300
	b := x + 1 - a
	c, d := 1/tiny, 1/b
	h := d
	for n := 1.0; n < 1e5; n++ {
		term := -n * (n - a)
		b += 2
		d, c = 1/(term*d+b), b+term/c
		h *= d * c
		if math.Abs(d*c-1) < 1e-15 {
			break
		}
	}
	return front + elementary.Log(h)
}

// LogKolmogorov is the natural logarithm of the probability that the largest distance d in [0,1] between the empirical
// distribution of n values and their own is exceeded. For n·d² of at least 2.2 it is twice Smirnov's exact one-sided
// probability (Simard and L'Ecuyer, Journal of Statistical Software 39, 2011), below Kolmogorov's limit with Vrbik's
// correction for n (2018), which is good to about 1e-3/n^1.5.
func LogKolmogorov(n int, d float64) float64 {
	switch {
	case n < 1 || math.IsNaN(d):
		return math.NaN()
	case d <= 0:
		return 0
	case d >= 1:
		return math.Inf(-1)
	}
	m := float64(n)
	if m*d*d >= 2.2 || d >= 0.5 {
		return min(0, math.Ln2+logSmirnov(n, d))
	}
	x := math.Sqrt(m) * d
	x += 1/(6*math.Sqrt(m)) + (x-1)/(4*m)
	if x < 0.2 {
		return 0
	}
	if x < 1 { // the complement's series is the one that converges
		sum := 0.0
		for k := 1.0; k < 20; k++ {
			sum += elementary.Exp(-(2*k - 1) * (2*k - 1) * math.Pi * math.Pi / (8 * x * x))
		}
		return elementary.Log1p(-min(1, math.Sqrt(2*math.Pi)/x*sum))
	}
	sum, sign := 0.0, 1.0
	for k := 1.0; k < 20; k++ {
		sum += sign * elementary.Exp(-2*k*k*x*x)
		sign = -sign
	}
	return min(0, elementary.Log(2*sum))
}

// logSmirnov is the logarithm of Smirnov's probability that the one-sided distance of n values is at least d,
//
//	d Σ_j C(n,j) (d+j/n)^(j−1) (1−d−j/n)^(n−j)        j from 0 to ⌊n(1−d)⌋
func logSmirnov(n int, d float64) float64 {
	m := float64(n)
	all, _ := math.Lgamma(m + 1)
	top := math.Inf(-1)
	var terms []float64
	for j := 0.0; j <= math.Floor(m*(1-d)); j++ {
		lj, _ := math.Lgamma(j + 1)
		lr, _ := math.Lgamma(m - j + 1)
		rest := 1 - d - j/m
		term := all - lj - lr + (j-1)*elementary.Log(d+j/m)
		if m > j {
			if rest <= 0 {
				continue
			}
			term += (m - j) * elementary.Log(rest)
		}
		if term > top {
			top = term
		}
		terms = append(terms, term)
	}
	sum := 0.0
	for _, v := range terms {
		sum += elementary.Exp(v - top)
	}
	return elementary.Log(d) + top + elementary.Log(sum)
}
