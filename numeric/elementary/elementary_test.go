package elementary

import (
	"math"
	"math/rand/v2"
	"testing"
)

// ulps is how many units in the last place of want lie between two numbers.
func ulps(got, want float64) float64 {
	if got == want || got != got && want != want {
		return 0
	}
	return math.Abs(got-want) / (math.Nextafter(math.Abs(want), math.Inf(1)) - math.Abs(want))
}

// TestValues against values of 40 digits (Python's decimal and mpmath 1.3), rounded.
func TestValues(t *testing.T) {
	for _, c := range []struct {
		name    string
		f       func(float64) float64
		x, want float64
		most    float64
	}{
		{"exp", Exp, 1, 2.718281828459045, 1},
		{"exp", Exp, -1, 0.36787944117144233, 1},
		{"exp", Exp, 0.3, 1.3498588075760032, 1},
		{"exp", Exp, -0.34657, 0.7071093199024199, 1},
		{"exp", Exp, 88.7, 3.325986980250579e+38, 1},
		{"exp", Exp, -708.5, 2.006132305331306e-308, 1},
		{"exp", Exp, -740, 4.2e-322, 1},
		{"exp", Exp, 709.7, 1.6549840276802644e+308, 1},
		{"exp", Exp, 1e-10, 1.0000000001, 1},
		{"exp", Exp, -86.125, 3.948096380551899e-38, 1},
		{"exp2", Exp2, 0.5, 1.4142135623730951, 1},
		{"exp2", Exp2, -0.5, 0.7071067811865476, 1},
		{"exp2", Exp2, 0.1, 1.0717734625362931, 1},
		{"exp2", Exp2, -1073.3, 1e-323, 1},
		{"exp2", Exp2, 1023.9, 1.6773070034857416e+308, 1},
		{"exp2", Exp2, 33.3, 10575449983.939022, 1},
		{"expm1", Expm1, 1e-05, 1.0000050000166668e-05, 3},
		{"expm1", Expm1, -1e-05, -9.999950000166666e-06, 3},
		{"expm1", Expm1, 0.5, 0.6487212707001282, 3},
		{"expm1", Expm1, -3, -0.950212931632136, 3},
		{"expm1", Expm1, 40, 2.3538526683702e+17, 3},
		{"expm1", Expm1, 1e-12, 1.0000000000005e-12, 3},
		{"tanh", Tanh, 0.0001, 9.999999966666667e-05, 4},
		{"tanh", Tanh, 0.5, 0.46211715726000974, 4},
		{"tanh", Tanh, -2, -0.9640275800758169, 4},
		{"tanh", Tanh, 7.9, 0.9999997250984922, 4},
		{"tanh", Tanh, 20, 1.0, 4},
		{"log", Log, 2, 0.6931471805599453, 1},
		{"log", Log, 0.5, -0.6931471805599453, 1},
		{"log", Log, 10, 2.302585092994046, 1},
		{"log", Log, 1.0000001, 9.999999505838704e-08, 1},
		{"log", Log, 0.9999, -0.00010000500033334732, 1},
		{"log", Log, 3e-310, -712.7027665394861, 1},
		{"log", Log, 1.7e+308, 709.7268368932282, 1},
		{"log", Log, 0.7071, -0.346583180371942, 1},
		{"log", Log, 0.70711, -0.3465690382006941, 1},
		{"log", Log, 1.41421, 0.34657107129862735, 1},
		{"log1p", Log1p, 1e-07, 9.999999500000033e-08, 3},
		{"log1p", Log1p, -1e-07, -1.0000000500000033e-07, 3},
		{"log1p", Log1p, 0.3, 0.26236426446749106, 3},
		{"log1p", Log1p, -0.9, -2.302585092994046, 3},
		{"log1p", Log1p, 10000000000.0, 23.025850930040455, 3},
		{"log2", Log2, 3, 1.584962500721156, 2},
		{"log2", Log2, 10, 3.321928094887362, 2},
		{"log2", Log2, 0.1, -3.321928094887362, 2},
		{"log2", Log2, 1e-300, -996.5784284662087, 2},
		{"log10", Log10, 2, 0.3010299956639812, 2},
		{"log10", Log10, 1000, 3.0, 2},
		{"log10", Log10, 0.1, -1.0, 2},
		{"log10", Log10, 7, 0.8450980400142568, 2},
		{"cos", Cos, 1, 0.5403023058681398, 1},
		{"cos", Cos, 1.5707, 9.632679474766714e-05, 1},
		{"cos", Cos, 3.14159, -0.9999999999964793, 1},
		{"cos", Cos, 100, 0.8623188722876839, 1},
		{"cos", Cos, 6.28, 0.9999949269133752, 1},
		{"cos", Cos, 0.785398163, 0.7071067814675859, 1},
		{"sin", Sin, 1, 0.8414709848078965, 1},
		{"sin", Sin, 3.14159, 2.65358979335273e-06, 1},
		{"sin", Sin, -2, -0.9092974268256817, 1},
		{"sin", Sin, 100, -0.5063656411097588, 1},
		{"sin", Sin, 6.28, -0.0031853017931379904, 1},
		{"sin", Sin, 1e-08, 1e-08, 1},
		{"sin", Sin, 12345.678, -0.7040813137533816, 1},
	} {
		if got := c.f(c.x); ulps(got, c.want) > c.most {
			t.Errorf("%s(%v) is %v, want %v: %.1f units", c.name, c.x, got, c.want, ulps(got, c.want))
		}
	}
}

// TestEverywhere: near the standard library's over the whole range, which is itself right to one or two units.
func TestEverywhere(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		name   string
		f, std func(float64) float64
		x      func() float64
		most   float64
	}{
		{"exp", Exp, math.Exp, func() float64 { return (r.Float64()*2 - 1) * 745 }, 1},
		{"exp near 0", Exp, math.Exp, r.NormFloat64, 2},
		{"exp2", Exp2, math.Exp2, func() float64 { return (r.Float64()*2 - 1) * 1074 }, 1},
		{"expm1", Expm1, math.Expm1, func() float64 { return r.NormFloat64() * math.Ldexp(1, -r.IntN(60)) }, 4},
		{"tanh", Tanh, math.Tanh, func() float64 { return r.NormFloat64() * math.Ldexp(8, -r.IntN(60)) }, 5},
		{"log", Log, math.Log, func() float64 { return math.Ldexp(1+r.Float64(), r.IntN(2044)-1022) }, 1},
		{"log near 1", Log, math.Log, func() float64 { return 1 + r.NormFloat64()*math.Ldexp(0.1, -r.IntN(48)) }, 1},
		{"log1p", Log1p, math.Log1p, func() float64 { return r.ExpFloat64() * math.Ldexp(8, -r.IntN(60)) }, 4},
		{"log2", Log2, math.Log2, func() float64 { return r.ExpFloat64() + 2 }, 3},
		{"log10", Log10, math.Log10, func() float64 { return r.ExpFloat64() + 2 }, 4},
		{"cos", Cos, math.Cos, func() float64 { return (r.Float64()*2 - 1) * 0.78 }, 1},
		{"sin", Sin, math.Sin, func() float64 { return (r.Float64()*2 - 1) * 0.78 }, 1},
	} {
		worst, at := 0.0, 0.0
		for range 20000 {
			x := c.x()
			if d := ulps(c.f(x), c.std(x)); d > worst {
				worst, at = d, x
			}
		}
		if worst > c.most {
			t.Errorf("%s(%v) is %v, want %v: %.1f units", c.name, at, c.f(at), c.std(at), worst)
		}
	}
	for range 20000 { // around several turns both are exact to a rounding of 1
		x := (r.Float64()*2 - 1) * 1e4
		if d := math.Max(math.Abs(Sin(x)-math.Sin(x)), math.Abs(Cos(x)-math.Cos(x))); d > 3e-16 {
			t.Fatalf("sine and cosine of %v are %v, %v", x, Sin(x), Cos(x))
		}
	}
}

// TestEnds: limits, what is no number, signs.
func TestEnds(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		name    string
		f       func(float64) float64
		x, want float64
	}{
		{"exp", Exp, inf, inf}, {"exp", Exp, -inf, 0}, {"exp", Exp, nan, nan}, {"exp", Exp, 710, inf}, {"exp", Exp, -746, 0},
		{"exp", Exp, 0, 1}, {"exp2", Exp2, 1024, inf}, {"exp2", Exp2, -1074, 5e-324}, {"exp2", Exp2, -1076, 0},
		{"exp2", Exp2, 10, 1024}, {"exp2", Exp2, nan, nan}, {"exp2", Exp2, -inf, 0}, {"exp2", Exp2, -1022, 0x1p-1022},
		{"expm1", Expm1, inf, inf}, {"expm1", Expm1, -inf, -1}, {"expm1", Expm1, 1e-300, 1e-300}, {"expm1", Expm1, nan, nan},
		{"tanh", Tanh, inf, 1}, {"tanh", Tanh, -inf, -1}, {"tanh", Tanh, nan, nan}, {"tanh", Tanh, -1e-9, -1e-9},
		{"log", Log, 0, -inf}, {"log", Log, -1, nan}, {"log", Log, inf, inf}, {"log", Log, nan, nan}, {"log", Log, 1, 0},
		{"log1p", Log1p, -1, -inf}, {"log1p", Log1p, -2, nan}, {"log1p", Log1p, inf, inf}, {"log1p", Log1p, 1e-20, 1e-20},
		{"log2", Log2, 0, -inf}, {"log2", Log2, 1024, 10}, {"log2", Log2, 5e-324, -1074}, {"log2", Log2, inf, inf},
		{"log10", Log10, 0, -inf}, {"cos", Cos, 0, 1}, {"sin", Sin, inf, nan}, {"cos", Cos, nan, nan},
	} {
		if got := c.f(c.x); got != c.want && !(got != got && c.want != c.want) {
			t.Errorf("%s(%v) is %v, want %v", c.name, c.x, got, c.want)
		}
	}
}

func TestPow(t *testing.T) {
	for _, c := range [][3]float64{{2, 10, 1024}, {9, 0.5, 3}, {0, 0.3, 0}, {32, -0.2, 0.5}, {1, 0.7, 1}, {0.9, 3, .729}} {
		if got := Pow(c[0], c[1]); ulps(got, c[2]) > 2 {
			t.Errorf("%v to the power of %v is %v", c[0], c[1], got)
		}
	}
}

// TestSameBits: sums of bits over many arguments, which are the same on every platform.
func TestSameBits(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var got [9]uint64
	for range 5000 {
		x := (float64(r.Float64()*2) - 1) * math.Ldexp(1, r.IntN(9))
		for i, f := range [...]func(float64) float64{Exp, Exp2, Expm1, Tanh, Log, Log1p, Log10, Sin, Cos} {
			y := x
			if i > 3 && i < 7 {
				y = math.Abs(x)
			}
			got[i] = got[i]*31 + math.Float64bits(f(y))
		}
	}
	if want := [9]uint64{0xfc38b22b97f87be1, 0xbf4ed18fd9dee5a8, 0xce7e251f1bc64914, 0x5ce8336cb294faad,
		0xaad5ecd590869851, 0x94626603c6598ab8, 0xbfde92446693a458, 0x77f77d279ff66f7f, 0xba75ad30c3b3a8b3}; got != want {
		t.Errorf("%#v", got)
	}
}
