package hypothesis

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// sampleOf is groups of values as a sample.
func sampleOf(groups ...[]float64) *Sample {
	s := &Sample{Values: slices.Sorted(slices.Values(slices.Concat(groups...)))}
	s.Values = slices.Compact(s.Values)
	for _, g := range groups {
		count := make([]float64, len(s.Values))
		for _, v := range g {
			i, _ := slices.BinarySearch(s.Values, v)
			count[i]++
		}
		s.Counts = append(s.Counts, count)
	}
	return s
}

var (
	first  = []float64{1.5, 2, 2, 3, 4.25, 9}
	second = []float64{0.5, 2, 5, 7, 7, 8, 11, 12.5}
	third  = []float64{3, 3, 6, 1}
)

func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if !(math.Abs(got-want) <= within*math.Max(math.Abs(want), 1e-300)) {
		t.Errorf("%s: %.12g, want %.12g", what, got, want)
	}
}

// TestValues: statistics and P values of scipy 1.10.1 on the same values, adjustments of statsmodels 0.13.5.
func TestValues(t *testing.T) {
	two, three := sampleOf(first, second), sampleOf(first, second, third)
	for _, c := range []struct {
		name         string
		got          Result
		statistic, p float64
	}{
		{"Student", Student(two), -1.5365081560593008, 0.15035183655775955},
		{"Welch", Welch(two), -1.6242083812559127, 0.1303915930364115},
		{"ANOVA", ANOVA(three), 1.9651741293532339, 0.1745801712920759},
		{"Levene", Levene(three), 0.9002698881891789, 0.4273268475910097},
		{"Kruskal and Wallis", KruskalWallis(three), 2.5913194444444465, 0.2737172274153721},
		{"Mann and Whitney", MannWhitney(two), 14, 0.217486427584196},
		{"χ²", Independence(Table{{8, 3, 1}, {4, 9, 6}}).Result, 6.663899331662488, 0.035723388457840656},
		{"Yates", Yates(Table{{8, 3}, {4, 9}}), 2.6853146853146854, 0.1012772166332762},
	} {
		near(t, c.name, c.got.Statistic, c.statistic, 1e-10)
		near(t, c.name+", P", c.got.LogP, math.Log(c.p), 1e-10)
	}
	m := two.Moments(1)
	near(t, "skewness", m.Skewness, -0.0973799937980764, 1e-10)
	near(t, "kurtosis", m.Kurtosis, -1.0063659593000507, 1e-10)
	for p, want := range map[float64]float64{0: 0.5, 0.1: 1.55, 0.33: 5.62, 0.9: 11.45, 1: 12.5} { // numpy 1.24
		near(t, "quantile", two.Quantile(1, p), want, 1e-12)
	}
	p := []float64{0.01, 0.04, 0.03, 0.2, 0.005}
	log := []float64{}
	for _, v := range p {
		log = append(log, math.Log(v))
	}
	log = append(log, math.NaN())
	holm, bh := Holm(log), BenjaminiHochberg(log)
	for i, want := range []float64{0.04, 0.09, 0.09, 0.2, 0.025} {
		near(t, "Holm", math.Exp(holm[i]), want, 1e-12)
	}
	for i, want := range []float64{0.025, 0.05, 0.05, 0.2, 0.025} {
		near(t, "Benjamini and Hochberg", math.Exp(bh[i]), want, 1e-12)
	}
	if !math.IsNaN(holm[5]) || !math.IsNaN(bh[5]) {
		t.Error("an undefined P counts")
	}
}

// TestEffects: sizes by their definitions, worked out by hand.
func TestEffects(t *testing.T) {
	s := sampleOf([]float64{1, 2}, []float64{2, 3, 4})
	near(t, "above", Above(s).Value, 5.5/6, 1e-12)
	// standard deviations √½ and 1, pooled √(2.5/3)
	near(t, "d", CohenD(s).Value, (1.5-3)/math.Sqrt(2.5/3), 1e-12)
	if a := Above(s); !(a.Low < a.Value && a.Value < a.High && a.High < 1) {
		t.Errorf("%+v", a)
	}
	f := ANOVA(s)
	// between the groups 2·0.9²+3·0.6² = 2.7 of 2.7+2.5
	near(t, "η²", EtaSquared(f), 2.7/5.2, 1e-12)
	if a := Above(sampleOf([]float64{1}, []float64{2})); a.Value != 1 || a.High != 1 {
		t.Errorf("%+v", a)
	}
	near(t, "V", Independence(Table{{5, 0}, {0, 7}}).V, 1, 1e-12)
}

// TestUndefined: what groups without values or of one value leave undefined is NaN, and nothing panics.
func TestUndefined(t *testing.T) {
	for name, s := range map[string]*Sample{"empty": sampleOf(nil, nil), "one side": sampleOf([]float64{1, 2}, nil),
		"one value": sampleOf([]float64{3, 3}, []float64{3})} {
		for test, r := range map[string]Result{"Student": Student(s), "Welch": Welch(s), "ANOVA": ANOVA(s),
			"Levene": Levene(s),
			"U":      MannWhitney(s), "H": KruskalWallis(s)} {
			if !math.IsNaN(r.LogP) {
				t.Errorf("%s of %s: %+v", test, name, r)
			}
		}
	}
	if r := KolmogorovSmirnov(sampleOf([]float64{3, 3}, []float64{3})); r.Statistic != 0 || r.LogP != 0 {
		t.Errorf("%+v", r)
	}
	if r := Independence(Table{{3, 0}, {4, 0}}); !math.IsNaN(r.LogP) || !math.IsNaN(r.V) {
		t.Errorf("%+v", r)
	}
	if _, err := Fit([]Binomial{{N: 5}}); err == nil {
		t.Error("a model of one class")
	}
	if m := sampleOf([]float64{-1e300, 1e300}).Moments(0); math.IsInf(m.SD, 0) || math.IsNaN(m.Kurtosis) {
		t.Errorf("%+v", m)
	}
}

// TestFisher: scipy 1.10.1's fisher_exact, and a table whose P no float64 holds against an upper and a lower bound.
func TestFisher(t *testing.T) {
	or, p := Fisher(Table{{8, 3}, {4, 9}})
	near(t, "odds", or, 6, 1e-12)
	near(t, "P", p, math.Log(0.0995327192661962), 1e-10)
	or, p = Fisher(Table{{67337, 58627}, {6, 3}})
	near(t, "odds", or, 0.5742831801047299, 1e-12)
	near(t, "P", p, math.Log(0.5171485097940545), 1e-8)
	// χ² with Yates's correction of the same table has −36030 in natural logarithms; the exact P is of that order
	if _, p = Fisher(Table{{63393, 11552}, {3950, 47078}}); !(p < -30000 && p > -50000) {
		t.Errorf("log P %v", p)
	}
	if _, p = Fisher(Table{{0, 0}, {3, 4}}); p != 0 {
		t.Errorf("log P %v of a table with one possible shape", p)
	}
}

// TestLogistic: statsmodels 0.13.5's GLM on grouped rows; a level that is all attacks by Firth's penalty, whose
// estimate of one binary predictor is that of the table with ½ added to each cell (Firth 1993).
func TestLogistic(t *testing.T) {
	var rows []Binomial
	n, k := []float64{10, 12, 9, 14, 10, 8}, []float64{1, 2, 3, 8, 7, 7}
	for i := range n {
		rows = append(rows, Binomial{X: []float64{float64(i)}, N: n[i], Events: k[i]})
	}
	m, err := Fit(rows)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "β₀", m.Beta[0], -2.32699301, 1e-8)
	near(t, "β₁", m.Beta[1], 0.83382155, 1e-8)
	near(t, "SE", m.SE[1], 0.22012376, 1e-7)
	if m.Separated {
		t.Error("separated")
	}
	m, err = Fit([]Binomial{{X: []float64{0}, N: 100, Events: 40}, {X: []float64{1}, N: 30, Events: 30}})
	if err != nil {
		t.Fatal(err)
	}
	if !m.Separated {
		t.Error("not separated")
	}
	near(t, "Firth", m.Beta[1], math.Log(30.5/0.5)-math.Log(40.5/60.5), 1e-8)
	if r := m.LikelihoodRatio(); !(r.LogP < -5) || !(m.McFadden() > 0) {
		t.Errorf("%+v, R² %v", r, m.McFadden())
	}
}

// TestRareLevels: rows with expected counts below 5 become one, and drawn tables give about the P of the approximation
// where that holds.
func TestRareLevels(t *testing.T) {
	merged, rare := MergeRare(Table{{40, 60}, {1, 2}, {50, 30}, {3, 1}})
	if len(merged) != 3 || !slices.Equal(rare, []int{1, 3}) || merged[2][0] != 4 || merged[2][1] != 3 {
		t.Errorf("%v, %v", merged, rare)
	}
	if merged, _ = MergeRare(Table{{1, 2}, {3, 1}}); merged != nil {
		t.Errorf("%v", merged)
	}
	table := Table{{30, 20, 10}, {20, 22, 25}, {11, 14, 9}}
	p, simulated := math.Exp(Independence(table).LogP), math.Exp(Simulated(table, 4000, 1))
	if math.Abs(p-simulated) > 0.02 {
		t.Errorf("P %v by the approximation, %v by drawn tables", p, simulated)
	}
	if a, b := Simulated(table, 100, 7), Simulated(table, 100, 7); a != b {
		t.Error("the same seed gives other tables")
	}
	// of 10 taken out of 20 with 8 marked, 4 are marked on average, with variance 10·.4·.6·10/19
	rng := rand.New(rand.NewPCG(1, 2))
	var sum, squares float64
	const draws = 20000
	for range draws {
		v := hypergeometric(rng, 20, 8, 10)
		sum, squares = sum+v, squares+v*v
	}
	mean := sum / draws
	if math.Abs(mean-4) > 0.05 || math.Abs(squares/draws-mean*mean-2.4*10/19) > 0.06 {
		t.Errorf("mean %v, variance %v", mean, squares/draws-mean*mean)
	}
	residuals := Residuals(Table{{10, 0}, {0, 10}})
	near(t, "residual", residuals[0][0], 5/math.Sqrt(5*0.5*0.5), 1e-12)
}
