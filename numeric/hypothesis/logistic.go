package hypothesis

import (
	"errors"
	"math"

	"plumbline/numeric/stat"
)

// Binomial is rows of one kind: their predictors, how many there are and how many of them are positive.
type Binomial struct {
	X         []float64 // without the constant
	N, Events float64
}

// Logistic is a fitted logistic model, log(p/(1−p)) = β₀ + Σ βⱼxⱼ.
type Logistic struct {
	Beta, SE          []float64 // β₀ first
	LogLikelihood     float64
	NullLogLikelihood float64 // of the constant alone
	// Separated says that some predictor tells the classes apart without overlap, so that its β has no finite maximum of
	// the likelihood: what is there was then fitted with Firth's penalty, and so are the likelihoods.
	Separated  bool
	Iterations int
}

// ErrLogistic says that a logistic model cannot be fitted.
var ErrLogistic = errors.New("hypothesis: the logistic model cannot be fitted")

// Fit maximises the likelihood by iteratively reweighted least squares. Where that has no maximum, since predictors
// separate the classes, it is maximised with the penalty of Firth (Biometrika 80, 1993), ½ log det XᵀWX. Predictors
// should be of a size around 1. O(rows · predictors²) an iteration.
func Fit(rows []Binomial) (*Logistic, error) {
	var n, events float64
	for _, r := range rows {
		n, events = n+r.N, events+r.Events
	}
	if n == 0 || events == 0 || events == n {
		return nil, ErrLogistic
	}
	null := float64(xlogx(events, n)) + float64(xlogx(n-events, n))
	m, err := fit(rows, false)
	if err != nil || m.diverges(rows) {
		if m, err = fit(rows, true); err != nil {
			return nil, err
		}
		m.Separated = true
		only := make([]Binomial, 0, len(rows))
		for _, r := range rows {
			only = append(only, Binomial{N: r.N, Events: r.Events})
		}
		constant, err := fit(only, true)
		if err != nil {
			return nil, err
		}
		null = constant.LogLikelihood
	}
	m.NullLogLikelihood = null
	return m, nil
}

// xlogx is k·log(k/n), 0 for none.
func xlogx(k, n float64) float64 {
	if k == 0 {
		return 0
	}
	return k * math.Log(k/n)
}

// diverges says whether the fit went towards infinity: probabilities of 0 or 1 up to what rounding tells.
func (l *Logistic) diverges(rows []Binomial) bool {
	for _, r := range rows {
		if eta := l.eta(r.X); r.N > 0 && math.Abs(eta) > 15 && (r.Events == 0 || r.Events == r.N) && l.widest() > 50 {
			return true
		}
	}
	return false
}

// widest is the largest standard error.
func (l *Logistic) widest() (most float64) {
	for _, s := range l.SE {
		most = max(most, s)
	}
	return most
}

func (l *Logistic) eta(x []float64) float64 {
	eta := l.Beta[0]
	for j, v := range x {
		eta += float64(l.Beta[j+1] * v)
	}
	return eta
}

func fit(rows []Binomial, firth bool) (*Logistic, error) {
	d := len(rows[0].X) + 1
	l := &Logistic{Beta: make([]float64, d)}
	last := math.Inf(-1)
	for l.Iterations = 1; l.Iterations <= 200; l.Iterations++ {
		information := make([]float64, d*d)
		score := make([]float64, d)
		for _, r := range rows {
			p := stat.Logistic(l.eta(r.X))
			l.add(information, r.X, r.N*p*(1-p))
			l.add1(score, r.X, r.Events-float64(r.N*p))
		}
		factor, ok := cholesky(information, d)
		if !ok {
			return nil, ErrLogistic
		}
		if firth {
			for _, r := range rows {
				p := stat.Logistic(l.eta(r.X))
				x := append([]float64{1}, r.X...)
				h := 0.0
				for j, v := range solve(factor, d, x) {
					h += float64(v * x[j])
				}
				l.add1(score, r.X, r.N*p*(1-p)*h*(0.5-p))
			}
		}
		step := solve(factor, d, score)
		// a step that goes too far is halved
		was := append([]float64{}, l.Beta...)
		for half := 0; ; half++ {
			for j := range step {
				l.Beta[j] = was[j] + step[j]/math.Exp2(float64(half))
			}
			l.LogLikelihood = likelihood(rows, l, firth)
			if l.LogLikelihood >= last-float64(1e-9*math.Abs(last)) || half > 20 || math.IsInf(last, -1) {
				break
			}
		}
		largest := 0.0
		for j := range step {
			largest = max(largest, math.Abs(step[j])/(1+math.Abs(l.Beta[j])))
		}
		if last = l.LogLikelihood; largest < 1e-11 {
			break
		}
	}
	information := make([]float64, d*d)
	for _, r := range rows {
		p := stat.Logistic(l.eta(r.X))
		l.add(information, r.X, r.N*p*(1-p))
	}
	factor, ok := cholesky(information, d)
	if !ok {
		return nil, ErrLogistic
	}
	for j := range d {
		unit := make([]float64, d)
		unit[j] = 1
		l.SE = append(l.SE, math.Sqrt(solve(factor, d, unit)[j]))
	}
	return l, nil
}

// add adds w·(1,x)(1,x)ᵀ to a matrix.
func (l *Logistic) add(to []float64, x []float64, w float64) {
	d := len(x) + 1
	at := func(i int) float64 {
		if i == 0 {
			return 1
		}
		return x[i-1]
	}
	for i := range d {
		if v := w * at(i); v != 0 {
			for j := range d {
				to[i*d+j] += float64(v * at(j))
			}
		}
	}
}

// add1 adds w·(1,x) to a vector.
func (l *Logistic) add1(to []float64, x []float64, w float64) {
	to[0] += float64(w)
	for j, v := range x {
		to[j+1] += float64(w * v)
	}
}

// likelihood is the logarithm of the likelihood, with Firth's penalty where it is asked for.
func likelihood(rows []Binomial, l *Logistic, firth bool) (sum float64) {
	d := len(l.Beta)
	information := make([]float64, d*d)
	for _, r := range rows {
		eta := l.eta(r.X)
		// log p = −log(1+e^−η), log(1−p) = −log(1+e^η)
		sum -= float64(r.Events*softplus(-eta)) + float64((r.N-r.Events)*softplus(eta))
		if firth {
			p := stat.Logistic(eta)
			l.add(information, r.X, r.N*p*(1-p))
		}
	}
	if firth {
		factor, ok := cholesky(information, d)
		if !ok {
			return math.Inf(-1)
		}
		for j := range d {
			sum += math.Log(factor[j*d+j])
		}
	}
	return sum
}

// softplus is log(1+eˣ).
func softplus(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

// cholesky is the lower factor of a symmetric matrix; false where it is not positive definite up to rounding.
func cholesky(a []float64, d int) ([]float64, bool) {
	f := make([]float64, d*d)
	for i := range d {
		for j := range i + 1 {
			v := a[i*d+j]
			for k := range j {
				v -= float64(f[i*d+k] * f[j*d+k])
			}
			switch {
			case i != j:
				f[i*d+j] = v / f[j*d+j]
			case !(v > 1e-13*a[i*d+i]):
				return nil, false
			default:
				f[i*d+i] = math.Sqrt(v)
			}
		}
	}
	return f, true
}

// solve is x of FFᵀx = b.
func solve(f []float64, d int, b []float64) []float64 {
	x := append([]float64{}, b...)
	for i := range d {
		for k := range i {
			x[i] -= float64(f[i*d+k] * x[k])
		}
		x[i] /= f[i*d+i]
	}
	for i := d - 1; i >= 0; i-- {
		for k := i + 1; k < d; k++ {
			x[i] -= float64(f[k*d+i] * x[k])
		}
		x[i] /= f[i*d+i]
	}
	return x
}

// Wald is the test of β_j = 0 by its standard error, z = β/SE.
func (l *Logistic) Wald(j int) Result {
	z := l.Beta[j] / l.SE[j]
	return Result{Statistic: z, LogP: stat.LogNormalTails(z)}
}

// OddsRatio is e^β_j with its 95 % interval by the standard error.
func (l *Logistic) OddsRatio(j int) Effect {
	b, by := l.Beta[j], float64(z975*l.SE[j])
	return Effect{math.Exp(b), math.Exp(b - by), math.Exp(b + by)}
}

// LikelihoodRatio is the test of all β but the constant being 0, 2(ℓ−ℓ₀).
func (l *Logistic) LikelihoodRatio() Result {
	r := Result{Statistic: max(0, 2*(l.LogLikelihood-l.NullLogLikelihood)), DF: float64(len(l.Beta) - 1)}
	r.LogP = stat.LogChiSquaredSurvival(r.Statistic, r.DF)
	return r
}

// McFadden is 1−ℓ/ℓ₀, the share of the constant's misfit that the predictors take away.
func (l *Logistic) McFadden() float64 { return 1 - l.LogLikelihood/l.NullLogLikelihood }
