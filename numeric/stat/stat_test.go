package stat

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// close fails unless got is want to a relative tolerance; NaN is close to NaN alone.
func close(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if math.IsNaN(got) || math.IsNaN(want) {
		if math.IsNaN(got) != math.IsNaN(want) {
			t.Errorf("%s = %v, want %v", what, got, want)
		}
		return
	}
	if got != want && !(math.Abs(got-want) <= tol*math.Max(math.Abs(want), 1e-300)) {
		t.Errorf("%s = %.17g, want %.17g", what, got, want)
	}
}

// TestQuantileAgainstNumPy: numpy.quantile of NumPy 1.24.2, whose default is type 7.
func TestQuantileAgainstNumPy(t *testing.T) {
	v := []float64{2.5, -1.25, 7, 3.125, 7, 0.5, -4}
	ascending := slices.Sorted(slices.Values(v))
	for _, c := range [][2]float64{
		{0, -4}, {0.1, -2.35}, {0.25, -0.375}, {1.0 / 3, 0.5},
		{0.5, 2.5}, {0.6, 2.875}, {0.975, 7}, {1, 7},
	} {
		close(t, "quantile", Quantile(ascending, c[0]), c[1], 1e-15)
		close(t, "selected quantile", Select(slices.Clone(v), c[0]), c[1], 1e-15)
	}
}

func TestQuantileOutside(t *testing.T) {
	for _, p := range []float64{-0.1, 1.1, math.NaN(), math.Inf(1), math.Inf(-1)} {
		close(t, "quantile", Quantile([]float64{1, 2}, p), math.NaN(), 0)
		close(t, "selected quantile", Select([]float64{1, 2}, p), math.NaN(), 0)
	}
	close(t, "of nothing", Quantile(nil, 0.5), math.NaN(), 0)
	close(t, "selected of nothing", Select(nil, 0.5), math.NaN(), 0)
	close(t, "of one", Quantile([]float64{3}, 0.2), 3, 0)
	close(t, "between the largest numbers", Quantile([]float64{-1.5e308, 1.5e308}, 0.5), 0, 0)
	close(t, "below infinity", Quantile([]float64{1, math.Inf(1)}, 0), 1, 0)
	close(t, "towards infinity", Quantile([]float64{1, math.Inf(1)}, 0.5), math.Inf(1), 0)
	close(t, "between infinities", Quantile([]float64{math.Inf(-1), math.Inf(-1), 4}, 0.25), math.Inf(-1), 0)
}

// TestQuantileStays: (1−w)x+wy of 3.03 and its successor at w = .3 is 3.0299999999999994, below both.
func TestQuantileStays(t *testing.T) {
	low := 3.03
	high := math.Nextafter(low, 4)
	if got := Quantile([]float64{low, high}, 0.3); got < low || got > high {
		t.Errorf("%v is not between %v and %v", got, low, high)
	}
	r := rand.New(rand.NewPCG(11, 1))
	for range 20000 {
		a := r.NormFloat64()
		b := a
		for range r.IntN(6) {
			b = math.Nextafter(b, math.Inf(1))
		}
		p := r.Float64()
		if got := Quantile([]float64{a, b}, p); got < a || got > b {
			t.Fatalf("the %v quantile of %v and %v is %v", p, a, b, got)
		}
	}
}

// TestSelect gives the bits of Quantile, whatever the order and the ties, and keeps the values.
func TestSelect(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 2))
	for range 500 {
		v := make([]float64, 1+r.IntN(300))
		levels := 1 + r.IntN(400)
		for i := range v {
			v[i] = float64(r.IntN(levels)) / 7
		}
		ascending := slices.Sorted(slices.Values(v))
		p := r.Float64()
		if r.IntN(5) == 0 {
			p = float64(r.IntN(2))
		}
		got := Select(v, p)
		if want := Quantile(ascending, p); got != want {
			t.Fatalf("%d values: %v, want %v", len(v), got, want)
		}
		slices.Sort(v)
		if !slices.Equal(v, ascending) {
			t.Fatal("values are lost")
		}
	}
	// Ascending, descending and an organ pipe: pivots that could be bad throughout.
	for _, at := range []func(i, n int) float64{
		func(i, _ int) float64 { return float64(i) },
		func(i, n int) float64 { return float64(n - i) },
		func(i, n int) float64 { return float64(min(i, n-i)) },
	} {
		v := make([]float64, 5000)
		for i := range v {
			v[i] = at(i, len(v))
		}
		want := Quantile(slices.Sorted(slices.Values(v)), 0.37)
		close(t, "selected", Select(v, 0.37), want, 0)
	}
}

func TestQuantileProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 3))
	for range 300 {
		v := make([]float64, 2+r.IntN(40))
		for i := range v {
			v[i] = math.Round(r.NormFloat64() * 64) // multiples of powers of two: shifts and scales are exact
		}
		slices.Sort(v)
		p := float64(r.IntN(65)) / 64
		q := Quantile(v, p)
		moved := slices.Clone(v)
		for i := range moved {
			moved[i] = 4*moved[i] - 32
		}
		close(t, "of 4x−32", Quantile(moved, p), 4*q-32, 1e-13)
		if next := Quantile(v, min(1, p+1.0/64)); next < q-1e-12 {
			t.Errorf("falls from %v to %v", q, next)
		}
		below, above := 0, 0
		for _, x := range v {
			if x < q {
				below++
			}
			if x > q {
				above++
			}
		}
		if n := float64(len(v)); float64(below) > p*(n-1)+1 || float64(above) > (1-p)*(n-1)+1 {
			t.Errorf("%d below and %d above the %v quantile of %v values", below, above, p, n)
		}
	}
}

// TestMomentsAgainstNumPy: numpy.mean, var and std(ddof=1) of NumPy 1.24.2.
func TestMomentsAgainstNumPy(t *testing.T) {
	v := []float64{2.5, -1.25, 7, 3.125, 7, 0.5, -4}
	narrow := []float32{2.5, -1.25, 7, 3.125, 7, 0.5, -4}
	close(t, "mean", Mean(v), 2.125, 0)
	close(t, "mean of float32", Mean(narrow), 2.125, 0)
	mean, variance := MeanVariance(v)
	close(t, "mean", mean, 2.125, 0)
	close(t, "variance", variance, 14.316964285714286, 1e-15)
	mean, sd := MeanSD(narrow)
	close(t, "mean", mean, 2.125, 0)
	close(t, "sd", sd, 4.086945681067954, 1e-15)
	close(t, "mean of nothing", Mean[float64](nil), math.NaN(), 0)
	mean, sd = MeanSD([]float64{3})
	close(t, "mean of one", mean, 3, 0)
	close(t, "sd of one", sd, math.NaN(), 0)
	mean, sd = MeanSD[float64](nil)
	close(t, "mean of none", mean, math.NaN(), 0)
	close(t, "sd of none", sd, math.NaN(), 0)
	if m, s := MeanVariance([]float64{1e9 + 1, 1e9 + 2, 1e9 + 3}); m != 1e9+2 || s != 2.0/3 {
		t.Errorf("far from 0: %v, %v", m, s)
	}
}

// TestRanks: scipy.stats.rankdata of SciPy 1.10.1; the ties are two 1s and three 3s.
func TestRanks(t *testing.T) {
	v := []float64{3, 1, 3, 2, 3, 1, 9}
	if got := MidRanks(v); !slices.Equal(got, []float64{5, 1.5, 5, 3, 5, 1.5, 7}) {
		t.Errorf("ranks %v", got)
	}
	close(t, "ties", TieSum(v), (8-2)+(27-3), 0)
	close(t, "no ties", TieSum([]float64{1, 2}), 0, 0)
	if len(MidRanks(nil)) != 0 || TieSum(nil) != 0 {
		t.Error("nothing has ranks")
	}
	r := rand.New(rand.NewPCG(11, 4))
	for range 100 {
		x := make([]float64, r.IntN(50))
		for i := range x {
			x[i] = float64(r.IntN(12))
		}
		rank := MidRanks(x)
		sum, mapped := 0.0, slices.Clone(x)
		for i := range x {
			sum += rank[i]
			mapped[i] = math.Exp(x[i])
		}
		n := float64(len(x))
		close(t, "sum of ranks", sum, n*(n+1)/2, 0)
		if !slices.Equal(MidRanks(mapped), rank) {
			t.Error("a growing map changes ranks")
		}
	}
}

// TestDistributionsAgainstSciPy: norm, t, chi2 and f of scipy.stats, SciPy 1.10.1.
func TestDistributionsAgainstSciPy(t *testing.T) {
	for _, c := range [][2]float64{
		{-8, 6.22096057427174e-16}, {-1.5, 0.06680720126885807}, {0, 0.5},
		{0.3, 0.6179114221889526}, {2.75, 0.9970202367649454},
	} {
		close(t, "normal CDF", NormalCDF(c[0]), c[1], 1e-13)
	}
	for _, c := range [][2]float64{
		{1e-10, -6.361340902404056}, {0.025, -1.9599639845400545}, {0.3, -0.5244005127080409},
		{0.975, 1.959963984540054}, {0.99999, 4.264890793923841},
		{0, math.Inf(-1)}, {1, math.Inf(1)}, {-0.1, math.NaN()}, {2, math.NaN()}, {math.NaN(), math.NaN()},
	} {
		close(t, "normal quantile", NormalQuantile(c[0]), c[1], 1e-12)
	}
	for _, c := range [][3]float64{
		{0.6, 1, 0.32491969623407446}, {0.6, 2, 0.2886751346880066}, {0.6, 4, 0.2707222947059493},
		{0.6, 24, 0.2561733983177916}, {0.6, 3.7, 0.2721644642885101},
		{0.975, 1, 12.706204736432095}, {0.975, 2, 4.302652729911275}, {0.975, 4, 2.7764451051977987},
		{0.975, 24, 2.0638985616280205}, {0.975, 3.7, 2.8675207071912086},
		{0.9995, 1, 636.6192494318557}, {0.9995, 2, 31.599054577041514}, {0.9995, 4, 8.610301581379899},
		{0.9995, 24, 3.7453986189275703}, {0.9995, 3.7, 9.474240137126335},
		{0, 3, math.NaN()}, {1, 3, math.NaN()}, {0.5, 0, math.NaN()}, {0.5, math.NaN(), math.NaN()},
	} {
		close(t, "t quantile", StudentQuantile(c[0], c[1]), c[2], 2e-9)
	}
	for _, c := range [][3]float64{
		{0.5, 1, 0.47950012218695337}, {0.5, 4, 0.9735009788392561}, {0.5, 17, 0.9999999999488488},
		{9.3, 1, 0.002291538580408837}, {9.3, 4, 0.054023050907570806}, {9.3, 17, 0.9303773222632621},
		{60, 1, 9.485737571073857e-15}, {60, 4, 2.9008631203404573e-12}, {60, 17, 1.050903345239846e-06},
		{-1, 3, 1}, {0, 3, 1}, {math.NaN(), 3, math.NaN()}, {1, 0, math.NaN()},
	} {
		close(t, "chi-squared survival", ChiSquaredSurvival(c[0], c[1]), c[2], 1e-10)
	}
	for _, c := range [][4]float64{
		{0.7, 1, 3, 0.4641880820530065}, {0.7, 4, 36, 0.5970450223213781}, {0.7, 9, 81, 0.7070344476607211},
		{3.2, 1, 3, 0.1715859283334758}, {3.2, 4, 36, 0.023954317949111636}, {3.2, 9, 81, 0.002315205639614968},
		{25, 1, 3, 0.015392438073302301}, {25, 4, 36, 5.795769535588392e-10}, {25, 9, 81, 6.457216359229953e-20},
		{-1, 2, 2, 1}, {math.Inf(1), 2, 2, 0}, {math.NaN(), 2, 2, math.NaN()}, {1, 0, 2, math.NaN()},
	} {
		close(t, "F survival", FSurvival(c[0], c[1], c[2]), c[3], 1e-10)
	}
}

// TestRangeQuantile: studentized_range.ppf with infinite degrees of freedom, SciPy 1.10.1; the values at .95
// divided by √2 are the table of Demšar (JMLR 2006): 1.960, 2.343, 2.728, 3.164 for 2, 3, 5 and 10 detectors.
func TestRangeQuantile(t *testing.T) {
	for _, c := range []struct {
		p    float64
		k    int
		want float64
	}{
		{0.5, 2, 0.9538725524089396}, {0.5, 3, 1.5877877504463476}, {0.5, 5, 2.256882493026194},
		{0.5, 10, 3.0242015729725664}, {0.5, 50, 4.450481338021923},
		{0.9, 2, 2.3261743073533476}, {0.9, 3, 2.9023802134282515}, {0.9, 5, 3.478280550703068},
		{0.9, 10, 4.129346398236873}, {0.9, 50, 5.356686875267444},
		{0.95, 2, 2.771807648699355}, {0.95, 3, 3.314493155398122}, {0.95, 5, 3.857655510378623},
		{0.95, 10, 4.474124221725907}, {0.95, 20, 5.0116887941184425},
		{0.99, 2, 3.642772735436894}, {0.99, 3, 4.12030320646012}, {0.99, 5, 4.602821042201571},
		{0.99, 20, 5.6452146979858515}, {0.99, 50, 6.228392608582205},
		{0.95, 1, math.NaN()}, {0, 3, math.NaN()}, {1, 3, math.NaN()},
	} {
		close(t, "range quantile", RangeQuantile(c.p, c.k), c.want, 1e-9)
	}
}

// TestBinomial: counts of 20,000 draws beside binom.cdf of SciPy 1.10.1, by the chi-squared statistic, in all of the
// sampler's regimes; the .9999 quantiles of chi2 with 3, 3, 4 and 2 degrees of freedom are the limits.
func TestBinomial(t *testing.T) {
	src := rand.NewPCG(11, 6)
	for _, c := range []struct {
		n     int
		p     float64
		cuts  []int     // the classes are up to each cut, and above the last
		share []float64 // of each class
		limit float64
	}{
		{10, 0.3, []int{1, 2, 3}, []float64{0.149308346, 0.23347444, 0.266827932, 0.350389282}, 21.107513466},
		{400, 0.001, []int{0, 1, 2}, []float64{0.670185906, 0.268342705, 0.0535879576, 0.00788343126}, 21.107513466},
		{
			1000, 0.02, []int{14, 18, 21, 25},
			[]float64{0.102528196, 0.277184746, 0.264846539, 0.245507409, 0.10993311}, 23.512742445,
		},
		{60, 0.9, []int{52, 55}, []float64{0.248446714, 0.480595028, 0.270958258}, 18.420680744},
	} {
		const draws = 20000
		count := make([]float64, len(c.share))
		for range draws {
			k := Binomial(src, c.n, c.p)
			if k < 0 || k > c.n {
				t.Fatalf("%d of %d", k, c.n)
			}
			class := len(c.cuts)
			for i, cut := range c.cuts {
				if k <= cut {
					class = i
					break
				}
			}
			count[class]++
		}
		chi := 0.0
		for i, share := range c.share {
			want := share * draws
			chi += (count[i] - want) * (count[i] - want) / want
		}
		if chi > c.limit {
			t.Errorf("n %d, p %v: counts %v, chi-squared %v", c.n, c.p, count, chi)
		}
	}
	for _, c := range []struct {
		n    int
		p    float64
		want int
	}{{0, 0.5, 0}, {-3, 0.5, 0}, {7, 0, 0}, {7, -1, 0}, {7, 1, 7}, {7, 2, 7}, {7, math.NaN(), 0}} {
		if got := Binomial(src, c.n, c.p); got != c.want {
			t.Errorf("n %d, p %v: %d, want %d", c.n, c.p, got, c.want)
		}
	}
}

func BenchmarkSelect(b *testing.B) {
	r := rand.New(rand.NewPCG(11, 5))
	v, w := make([]float64, 1_000_000), make([]float64, 1_000_000)
	for i := range v {
		v[i] = r.Float64()
	}
	for b.Loop() {
		copy(w, v)
		Select(w, 0.5)
	}
}

// TestTails: scipy 1.10.1, twice t.sf, and binom.cdf.
func TestTails(t *testing.T) {
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-10*want {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	near("t 3", StudentTails(2.5, 3), 0.08770664700806555)
	near("t 1", StudentTails(0.1, 1), 0.9365489651388929)
	near("t 17.5", StudentTails(-4.2, 17.5), 0.0005684440635678157)
	near("t 5", StudentTails(40, 5), 1.8411962171772952e-07)
	near("normal", StudentTails(1.959963984540054, math.Inf(1)), 0.05)
	near("far", 1+StudentTails(math.Inf(-1), 4), 1)
	near("binomial 3", BinomialCDF(3, 10, 0.5), 0.171875)
	near("binomial 0", BinomialCDF(0, 25, 0.1), 0.07178979876918526)
	near("binomial 480", BinomialCDF(480, 1000, 0.5), 0.10872414660207046)
	near("binomial 7", BinomialCDF(7, 8, 0.9), 0.56953279)
	near("none and all", BinomialCDF(-1, 5, 0.5)+BinomialCDF(5, 5, 0.5), 1)
	for _, v := range []float64{StudentTails(1, 0), StudentTails(math.NaN(), 3), BinomialCDF(1, 3, 0),
		BinomialCDF(1, -1, 0.5)} {
		if !math.IsNaN(v) {
			t.Error(v)
		}
	}
}

// TestSoftmax: by hand, also where exponentials alone would overflow.
func TestSoftmax(t *testing.T) {
	f := []float64{1000, 1000 + math.Log(3), -1e9}
	Softmax(f, f)
	for c, want := range []float64{0.25, 0.75, 0} {
		if math.Abs(f[c]-want) > 1e-12 {
			t.Errorf("class %d: %v, want %v", c, f[c], want)
		}
	}
	for v, want := range map[float64]float64{0: 0.5, math.Log(3): 0.75, -math.Log(3): 0.25, 1e9: 1, -1e9: 0} {
		if got := Logistic(v); math.Abs(got-want) > 1e-12 {
			t.Errorf("logistic of %v is %v, want %v", v, got, want)
		}
	}
}
